/* SPDX-License-Identifier: BSD-2-Clause */
/* The event loop: phases, sources that come and go in callbacks, wake-ups that are never lost, idle that costs nothing. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "src/clock.h"
#include "src/loop.h"

static int setup(void **state)
{
	*state = loop_new();
	return 0;
}

static int teardown(void **state)
{
	loop_free(*state);
	return 0;
}

static const struct loop_stats *row(struct loop *loop, const char *name)
{
	list_for_each(it, loop_stats_list(loop)) {
		struct loop_stats *r = list_entry(it, struct loop_stats, node);

		if (!strcmp(r->name, name))
			return r;
	}
	return NULL;
}

/* ---- file descriptors ---- */

struct pipe_end {
	struct loop_fd w;
	int fds[2];
	int calls;
	unsigned events;
	struct pipe_end *stop_other;
	bool keep_data;
};

static void on_pipe(void *opaque, unsigned events)
{
	struct pipe_end *p = opaque;
	char c;

	p->calls++;
	p->events = events;
	if (!p->keep_data && read(p->fds[0], &c, 1) < 0)
		fail();
	if (p->stop_other)
		loop_fd_stop(&p->stop_other->w);
}

static void pipe_open(struct pipe_end *p, struct loop *loop)
{
	*p = (struct pipe_end){0};
	assert_int_equal(pipe2(p->fds, O_CLOEXEC | O_NONBLOCK), 0);
	loop_fd_init(&p->w, loop, "pipe", on_pipe, p);
	loop_fd_set(&p->w, p->fds[0], LOOP_READ);
}

static void pipe_close(struct pipe_end *p)
{
	loop_fd_stop(&p->w);
	close(p->fds[0]);
	close(p->fds[1]);
}

static void put_byte(struct pipe_end *p)
{
	assert_int_equal(write(p->fds[1], "x", 1), 1);
}

static void a_ready_descriptor_is_called_and_counted(void **state)
{
	struct loop *loop = *state;
	struct pipe_end p;

	pipe_open(&p, loop);
	assert_false(loop_run_once(loop, 0));
	put_byte(&p);
	assert_true(loop_run_once(loop, 0));
	assert_int_equal(p.calls, 1);
	assert_int_equal(p.events, LOOP_READ);
	assert_false(loop_run_once(loop, 0));
	assert_int_equal(row(loop, "pipe")->callbacks, 1);
	assert_true(row(loop, "pipe")->max_ns <= row(loop, "pipe")->total_ns);
	assert_int_equal(row(loop, "loop")->callbacks, 3);
	pipe_close(&p);
}

static void a_callback_can_stop_another_that_is_ready(void **state)
{
	struct loop *loop = *state;
	struct pipe_end a, b;

	pipe_open(&a, loop);
	pipe_open(&b, loop);
	a.stop_other = &b;
	b.stop_other = &a;
	put_byte(&a);
	put_byte(&b);
	loop_run_once(loop, 0);
	assert_int_equal(a.calls + b.calls, 1);
	pipe_close(&a);
	pipe_close(&b);
}

static void a_descriptor_number_can_be_reused(void **state)
{
	struct loop *loop = *state;
	struct pipe_end a, b;

	pipe_open(&a, loop);
	loop_run_once(loop, 0);
	pipe_close(&a);
	pipe_open(&b, loop);
	assert_int_equal(a.fds[0], b.fds[0]);
	put_byte(&b);
	assert_true(loop_run_once(loop, 0));
	assert_int_equal(b.calls, 1);
	pipe_close(&b);
}

static void a_regular_file_is_always_ready(void **state)
{
	struct loop *loop = *state;
	FILE *file = tmpfile();
	struct pipe_end p = {.keep_data = true};

	loop_fd_init(&p.w, loop, "file", on_pipe, &p);
	loop_fd_set(&p.w, fileno(file), LOOP_READ);
	loop_run_once(loop, NS_PER_SEC);
	loop_run_once(loop, NS_PER_SEC);
	assert_true(p.calls >= 1);
	loop_fd_stop(&p.w);
	fclose(file);
}

/* ---- work, timers, the order of phases ---- */

static char order[16];
static int n_order;

static void note(char c)
{
	if (n_order < (int)sizeof(order) - 1) {
		order[n_order++] = c;
		order[n_order] = 0;
	}
}

static void on_work(void *opaque)
{
	note('w');
}

static void on_work_again(void *opaque)
{
	note('w');
	loop_work_schedule(opaque);
}

static void on_timer(void *opaque)
{
	note('t');
}

static void on_fd(void *opaque, unsigned events)
{
	note('f');
}

static bool on_poll_once(void *opaque)
{
	bool *first = opaque, found = *first;

	*first = false;
	if (found)
		note('p');
	return found;
}

static bool on_submit(void *opaque)
{
	note('s');
	return true;
}

static void a_turn_has_its_phases_in_order(void **state)
{
	struct loop *loop = *state;
	struct loop_poller poller;
	struct loop_hook hook;
	struct loop_fd fd;
	struct loop_work work;
	struct timer timer;
	bool first = true;
	int fds[2];

	n_order = 0;
	assert_int_equal(pipe(fds), 0);
	timer_init(&timer, loop_clock_host(loop), "timer", on_timer, NULL);
	timer_arm(&timer, 0);
	loop_work_init(&work, loop, "work", on_work, NULL);
	loop_work_schedule(&work);
	loop_work_schedule(&work);
	loop_fd_init(&fd, loop, "fd", on_fd, NULL);
	loop_fd_set(&fd, fds[1], LOOP_WRITE);
	loop_submit_hook_add(&hook, loop, "submit", on_submit, NULL);
	loop_poller_add(&poller, loop, "poller", on_poll_once, &first);
	loop_run_once(loop, 0);
	assert_string_equal(order, "psftw");
	loop_submit_hook_remove(&hook);
	loop_poller_remove(&poller);
	loop_fd_stop(&fd);
	close(fds[0]);
	close(fds[1]);
}

static void work_that_reschedules_itself_runs_once_a_turn(void **state)
{
	struct loop *loop = *state;
	struct loop_work work;

	n_order = 0;
	loop_work_init(&work, loop, "work", on_work_again, &work);
	loop_work_schedule(&work);
	loop_run_once(loop, NS_PER_SEC);
	assert_string_equal(order, "w");
	loop_run_once(loop, NS_PER_SEC);
	assert_string_equal(order, "ww");
	loop_work_cancel(&work);
	assert_false(loop_run_once(loop, 0));
}

static void stop_loop(void *opaque)
{
	loop_stop(opaque);
}

static void a_timer_fires_when_due_and_not_before(void **state)
{
	struct loop *loop = *state;
	struct clock *host = loop_clock_host(loop);
	struct timer timer;
	int64_t due = clock_now_ns(host) + 3 * NS_PER_MS + 123456;

	timer_init(&timer, host, "timer", stop_loop, loop);
	timer_arm(&timer, due);
	loop_run(loop);
	assert_true(clock_now_ns(host) >= due);
	assert_int_equal(row(loop, "timer")->callbacks, 1);
	/* Asleep until then, not polling. */
	assert_true(row(loop, "loop")->callbacks < 10);
	assert_true(row(loop, "sleep")->total_ns > 2 * NS_PER_MS);
}

/* ---- notifiers ---- */

struct notified {
	struct loop_notifier n;
	int calls;
	struct notified *fini_other;
};

static void on_notified(void *opaque)
{
	struct notified *n = opaque;

	n->calls++;
	if (n->fini_other)
		loop_notifier_fini(&n->fini_other->n);
}

static void signals_of_a_notifier_collapse(void **state)
{
	struct loop *loop = *state;
	struct notified n = {0};

	assert_true(loop_notifier_init(&n.n, loop, "notifier", on_notified, &n));
	loop_notifier_signal_mt(&n.n);
	loop_notifier_signal_mt(&n.n);
	assert_true(loop_run_once(loop, NS_PER_SEC));
	assert_int_equal(n.calls, 1);
	loop_notifier_signal_mt(&n.n);
	loop_run_once(loop, NS_PER_SEC);
	assert_int_equal(n.calls, 2);
	assert_int_equal(eventfd_write(n.n.eventfd, 3), 0);
	loop_run_once(loop, NS_PER_SEC);
	assert_int_equal(n.calls, 3);
	loop_notifier_fini(&n.n);
	loop_notifier_fini(&n.n);
}

static void a_signalled_notifier_can_be_finished(void **state)
{
	struct loop *loop = *state;
	struct notified a = {0}, b = {0}, c = {0};

	assert_true(loop_notifier_init(&a.n, loop, "notifier", on_notified, &a));
	assert_true(loop_notifier_init(&b.n, loop, "notifier", on_notified, &b));
	assert_true(loop_notifier_init(&c.n, loop, "notifier", on_notified, &c));
	a.fini_other = &b;
	loop_notifier_signal_mt(&a.n);
	loop_notifier_signal_mt(&b.n);
	loop_notifier_signal_mt(&c.n);
	loop_run_once(loop, 0);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 0);
	assert_int_equal(c.calls, 1);
	loop_notifier_signal_mt(&a.n);
	loop_notifier_fini(&a.n);
	loop_run_once(loop, 0);
	assert_int_equal(a.calls, 1);
	loop_notifier_fini(&c.n);
}

/* As when one engine of disks ends while a worker of another one has just answered. */
static void what_was_signalled_survives_the_end_of_another_notifier(void **state)
{
	struct loop *loop = *state;
	struct notified a = {0}, b = {0};

	assert_true(loop_notifier_init(&a.n, loop, "notifier", on_notified, &a));
	assert_true(loop_notifier_init(&b.n, loop, "notifier", on_notified, &b));
	loop_notifier_signal_mt(&b.n);
	loop_notifier_fini(&a.n);
	loop_run_once(loop, 0);
	assert_int_equal(b.calls, 1);
	loop_notifier_fini(&b.n);
}

/* ---- publishers: nothing may get lost between the last poll and the sleep ---- */

#define ROUNDS 40000

struct ping {
	struct loop *loop;
	uint32_t request, answer; /* atomic */
	struct loop_poller poller;
	bool by_notifier;
	struct loop_notifier notifier;
	unsigned rounds;
};

static bool answer_ping(void *opaque)
{
	struct ping *p = opaque;
	uint32_t request = __atomic_load_n(&p->request, __ATOMIC_ACQUIRE);

	if (request == p->answer)
		return false;
	__atomic_store_n(&p->answer, request, __ATOMIC_RELEASE);
	if (request == p->rounds)
		loop_stop(p->loop);
	return true;
}

static void answer_notifier(void *opaque)
{
	answer_ping(opaque);
}

static void *send_pings(void *opaque)
{
	struct ping *p = opaque;

	for (uint32_t i = 1; i <= p->rounds; i++) {
		__atomic_store_n(&p->request, i, __ATOMIC_RELEASE);
		if (p->by_notifier)
			loop_notifier_signal_mt(&p->notifier);
		else if (loop_sleeping_mt(p->loop))
			loop_wake_mt(p->loop);
		while (__atomic_load_n(&p->answer, __ATOMIC_ACQUIRE) != i)
			sched_yield();
		/* Pauses of all lengths meet the loop in all of its states. */
		for (unsigned n = i * 2654435761u % 1024; n; n--)
			__builtin_ia32_pause();
	}
	return NULL;
}

static void run_pings(struct ping *p)
{
	pthread_t thread;

	pthread_create(&thread, NULL, send_pings, p);
	loop_run(p->loop);
	pthread_join(thread, NULL);
	assert_int_equal(p->answer, p->rounds);
}

static void a_publisher_never_loses_a_wakeup(void **state)
{
	struct ping p = {.loop = *state, .rounds = ROUNDS};

	alarm(120);
	loop_poller_add(&p.poller, p.loop, "ping", answer_ping, &p);
	run_pings(&p);
	loop_poller_remove(&p.poller);
	assert_int_equal(row(p.loop, "ping")->callbacks, ROUNDS);
	alarm(0);
}

static void a_notifier_never_loses_a_wakeup(void **state)
{
	struct ping p = {.loop = *state, .rounds = ROUNDS / 4, .by_notifier = true};

	alarm(120);
	assert_true(loop_notifier_init(&p.notifier, p.loop, "ping", answer_notifier, &p));
	run_pings(&p);
	loop_notifier_fini(&p.notifier);
	alarm(0);
}

static void descriptors_and_timers_are_served_while_pollers_are_busy(void **state)
{
	struct loop *loop = *state;
	struct ping p = {.loop = loop, .rounds = ROUNDS / 4};
	struct pipe_end pipe;
	struct timer timer;

	alarm(120);
	n_order = 0;
	pipe_open(&pipe, loop);
	put_byte(&pipe);
	timer_init(&timer, loop_clock_host(loop), "timer", on_timer, NULL);
	timer_arm(&timer, clock_now_ns(loop_clock_host(loop)) + NS_PER_MS);
	loop_poller_add(&p.poller, loop, "ping", answer_ping, &p);
	run_pings(&p);
	assert_int_equal(pipe.calls, 1);
	assert_string_equal(order, "t");
	loop_poller_remove(&p.poller);
	pipe_close(&pipe);
	alarm(0);
}

static bool poll_nothing(void *opaque)
{
	return false;
}

static void idle_costs_nothing(void **state)
{
	struct loop *loop = *state;
	struct loop_poller poller;
	struct timer timer;
	struct rusage before, after;

	loop_poller_add(&poller, loop, "poller", poll_nothing, NULL);
	timer_init(&timer, loop_clock_host(loop), "timer", stop_loop, loop);
	timer_arm(&timer, clock_now_ns(loop_clock_host(loop)) + 300 * NS_PER_MS);
	getrusage(RUSAGE_SELF, &before);
	loop_run(loop);
	getrusage(RUSAGE_SELF, &after);
	assert_true(row(loop, "loop")->callbacks <= 3);
	assert_true(after.ru_nvcsw - before.ru_nvcsw < 10);
	loop_poller_remove(&poller);
}

static void oversubscription_counts_busy_threads_and_the_loop(void **state)
{
	struct loop *loop = *state;

	loop_busy_add_mt(loop, 1 << 20);
	assert_true(loop_oversubscribed_mt(loop));
	loop_busy_add_mt(loop, -(1 << 20));
	assert_false(loop_oversubscribed_mt(loop));
}

/* ---- the rest ---- */

static void on_signal(void *opaque, int signum)
{
	assert_int_equal(signum, SIGUSR1);
	loop_stop(opaque);
}

static void a_signal_runs_on_the_loop(void **state)
{
	struct loop *loop = *state;
	struct loop_signal sig;

	loop_signal_add(&sig, loop, "signal", SIGUSR1, on_signal, loop);
	kill(getpid(), SIGUSR1);
	loop_run(loop);
	loop_signal_remove(&sig);
	assert_int_equal(row(loop, "signal")->callbacks, 1);
}

static void *enter_loop_function(void *opaque)
{
	LOOP_ASSERT();
	return NULL;
}

static void another_thread_in_a_loop_function_aborts(void **state)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		pthread_t thread;

		signal(SIGABRT, SIG_DFL);
		fclose(stderr);
		pthread_create(&thread, NULL, enter_loop_function, NULL);
		pthread_join(thread, NULL);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_ready_descriptor_is_called_and_counted),
		TEST(a_callback_can_stop_another_that_is_ready),
		TEST(a_descriptor_number_can_be_reused),
		TEST(a_regular_file_is_always_ready),
		TEST(a_turn_has_its_phases_in_order),
		TEST(work_that_reschedules_itself_runs_once_a_turn),
		TEST(a_timer_fires_when_due_and_not_before),
		TEST(signals_of_a_notifier_collapse),
		TEST(what_was_signalled_survives_the_end_of_another_notifier),
		TEST(a_signalled_notifier_can_be_finished),
		TEST(a_publisher_never_loses_a_wakeup),
		TEST(a_notifier_never_loses_a_wakeup),
		TEST(descriptors_and_timers_are_served_while_pollers_are_busy),
		TEST(idle_costs_nothing),
		TEST(oversubscription_counts_busy_threads_and_the_loop),
		TEST(a_signal_runs_on_the_loop),
		TEST(another_thread_in_a_loop_function_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
