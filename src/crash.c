/* SPDX-License-Identifier: BSD-2-Clause */
/* What is put in order before a signal ends the process that nobody meant to happen. */
#include <signal.h>
#include "src/crash.h"
#include "src/util.h"

/* With AVX-512's registers a signal frame alone takes some 3 KiB. */
#define STACK_BYTES (32 * KiB)

/*
 * Threads' local variables lie at the top of their stacks, where an overflow doesn't reach, and end with them. Pages are
 * only used once they are touched.
 */
static _Thread_local uint8_t crash_stack[STACK_BYTES] __attribute__((aligned(16)));
static void (*crash_tidy)(void);

/* Puts things in order, then dies as if nobody had looked. */
static void on_crash(int signum)
{
	crash_tidy();
	signal(signum, SIG_DFL);
	raise(signum);
}

void crash_thread_init(void)
{
	stack_t ss = {.ss_sp = crash_stack, .ss_size = STACK_BYTES}, old;

	/* Sanitizers bring their own, and free what they find there at the end. */
	if (!sigaltstack(NULL, &old) && (old.ss_flags & SS_DISABLE))
		sigaltstack(&ss, NULL);
}

void crash_ignore_writes(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

void crash_catch(void (*tidy)(void))
{
	/* All that end a process and that nothing here has a use for. */
	static const int signals[] = {SIGABRT, SIGALRM, SIGBUS,	 SIGFPE,    SIGILL,    SIGIO,
				      SIGPROF, SIGPWR,	SIGQUIT, SIGSEGV,   SIGSTKFLT, SIGSYS,
				      SIGTRAP, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU};
	struct sigaction sa = {.sa_handler = on_crash,
			       .sa_flags = (int)SA_RESETHAND | SA_NODEFER | SA_ONSTACK};

	crash_tidy = tidy;
	crash_thread_init();
	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);
}
