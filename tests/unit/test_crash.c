/* SPDX-License-Identifier: BSD-2-Clause */
/* Signals that end the process: the terminal is put in order before, wherever they come from. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "src/crash.h"
#include "src/util.h"

static int tell;

static void tidy(void)
{
	if (write(tell, "t", 1) != 1)
		_exit(1);
}

/* Deeper until there is no stack left. */
static __attribute__((noinline)) unsigned overflow(unsigned n)
{
	volatile uint8_t room[4096];

	room[0] = (uint8_t)n;
	return n == UINT32_MAX ? room[0] : overflow(n + 1) + room[0];
}

static void *overflow_thread(void *opaque)
{
	crash_thread_init();
	return (void *)(uintptr_t)overflow(0);
}

static void crash_main(void)
{
	overflow(0);
}

static void crash_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, overflow_thread, NULL);
	pthread_join(thread, NULL);
}

static void crash_abort(void)
{
	abort();
}

/* CRASH in a process of its own: whether it was tidied up once, and the signal that it died of. */
static int dies(void (*crash)(void))
{
	const struct rlimit none = {0, 0}, stack = {1 << 20, 1 << 20};
	int pipes[2], status;
	char got[2];
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		tell = pipes[1];
		setrlimit(RLIMIT_CORE, &none);
		setrlimit(RLIMIT_STACK, &stack);
		crash_catch(tidy);
		crash();
		_exit(0);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], got, 2), 1);
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return WTERMSIG(status);
}

static void test_stack_overflow_in_the_main_thread(void **state)
{
	assert_int_equal(dies(crash_main), SIGSEGV);
}

static void test_stack_overflow_in_another_thread(void **state)
{
	assert_int_equal(dies(crash_thread), SIGSEGV);
}

static void test_failed_assertion(void **state)
{
	assert_int_equal(dies(crash_abort), SIGABRT);
}

static int sent;

static void crash_sent(void)
{
	raise(sent);
}

static void test_signals_that_nobody_uses(void **state)
{
	static const int signals[] = {SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGXCPU, SIGTRAP};

	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++) {
		sent = signals[i];
		assert_int_equal(dies(crash_sent), sent);
	}
}

/* Neither a limit for files nor a closed pipe ends the process: the write fails. */
static void test_a_write_that_fails_is_an_error(void **state)
{
	char path[] = "/tmp/evmm-test-XXXXXX";
	int fd = mkstemp(path), pipes[2], status;
	const struct rlimit none = {0, 0};
	pid_t pid;

	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(pipe(pipes), 0);
	close(pipes[0]);
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_FSIZE, &none);
		crash_ignore_writes();
		if (write(fd, "x", 1) != -1 || errno != EFBIG)
			_exit(1);
		_exit(write(pipes[1], "x", 1) == -1 && errno == EPIPE ? 0 : 2);
	}
	close(fd);
	close(pipes[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stack_overflow_in_the_main_thread),
		cmocka_unit_test(test_stack_overflow_in_another_thread),
		cmocka_unit_test(test_failed_assertion),
		cmocka_unit_test(test_signals_that_nobody_uses),
		cmocka_unit_test(test_a_write_that_fails_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
