/* SPDX-License-Identifier: BSD-2-Clause */
/* -sandbox: which calls end a process that has entered it. Each is made in a child. */
#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "src/sandbox.h"

#ifdef HAVE_SECCOMP

/* ---- what may be tried; 0: it was possible ---- */

static int swap(void)
{
	return swapon("/nonexistent", 0) == 0;
}

static int become(void)
{
	return setuid(getuid());
}

static int child(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 || waitpid(pid, NULL, 0) != pid;
}

static int program(void)
{
	return execl("/nonexistent", "/nonexistent", NULL) == 0;
}

static int nice_less(void)
{
	return setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0));
}

static void *nothing(void *opaque)
{
	return NULL;
}

static int thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, nothing, NULL) || pthread_join(t, NULL);
}

static void *from_another_thread(void *opaque)
{
	swap();
	return NULL;
}

static int another_thread(void)
{
	pthread_t t;

	pthread_create(&t, NULL, from_another_thread, NULL);
	return pthread_join(t, NULL);
}

/* ---- */

/* What becomes of a process that does TRY in a sandbox: 0, or the signal that ended it. */
static int fate(const char *option, int (*try)(void))
{
	struct sandbox_options o;
	struct error err = ERROR_INIT;
	int status;
	pid_t pid;

	if (!sandbox_parse(&o, option, &err))
		fail_msg("%s", err.msg);
	fflush(stdout);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		_exit(!sandbox_enter(&o, &err) ? 99 : try());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status))
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void the_host_s_administration_ends_it(void **state)
{
	assert_int_equal(fate("off", swap), 0);
	assert_int_equal(fate("on", swap), SIGSYS);
	assert_int_equal(fate("on", another_thread), SIGSYS);
}

static void groups_are_denied_when_asked_for(void **state)
{
	static const struct {
		const char *denied;
		int (*try)(void);
	} cases[] = {
		{"on,elevateprivileges=deny", become},
		{"on,spawn=deny", child},
		{"on,spawn=deny", program},
		{"on,resourcecontrol=deny", nice_less},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(fate("on", cases[i].try), 0);
		assert_int_equal(fate(cases[i].denied, cases[i].try), SIGSYS);
	}
}

static void threads_can_always_be_made(void **state)
{
	assert_int_equal(fate("on,obsolete=deny,elevateprivileges=deny,spawn=deny,"
			      "resourcecontrol=deny",
			      thread),
			 0);
}

#endif

static void without_libseccomp_only_off_is_offered(void **state)
{
	struct sandbox_options o;

	assert_true(sandbox_parse(&o, "off", NULL));
#ifndef HAVE_SECCOMP
	assert_false(sandbox_parse(&o, "on", NULL));
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef HAVE_SECCOMP
		cmocka_unit_test(the_host_s_administration_ends_it),
		cmocka_unit_test(groups_are_denied_when_asked_for),
		cmocka_unit_test(threads_can_always_be_made),
#endif
		cmocka_unit_test(without_libseccomp_only_off_is_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
