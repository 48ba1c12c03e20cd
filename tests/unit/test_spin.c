/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long the loop spins before it sleeps, with time imitated: it passes where the loop polls and where it sleeps. A
 * device answers each request after a while, and gets the next at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <sched.h>
#include <sys/epoll.h>
#include <time.h>
#include "src/clock.h"
#include "src/loop.h"

/* Of one look at the clock with the polls between two of them, and of ending a sleep. */
#define LOOK_NS	 (2 * NS_PER_US)
#define WAKE_NS	 (40 * NS_PER_US)
#define CLOCK_NS 20 /* to ask for the time */

static struct {
	bool imitated, wanted; /* WANTED: who is offered the CPU keeps it for a slice */
	int64_t now, spun;
	unsigned sleeps;
} host;

static struct {
	int64_t takes; /* an answer */
	int64_t due;
	bool starves; /* nothing is done while the loop spins */
	unsigned answers;
} device;

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");

	if (!host.imitated || id != CLOCK_MONOTONIC)
		return real(id, ts);
	host.now += CLOCK_NS;
	ts->tv_sec = host.now / NS_PER_SEC;
	ts->tv_nsec = host.now % NS_PER_SEC;
	return 0;
}

int sched_yield(void)
{
	host.now += host.wanted ? 3 * NS_PER_MS : LOOK_NS;
	host.spun += LOOK_NS;
	if (device.starves)
		device.due += LOOK_NS;
	return 0;
}

int epoll_wait(int fd, struct epoll_event *events, int max, int timeout)
{
	int (*real)(int, struct epoll_event *, int, int) = dlsym(RTLD_NEXT, "epoll_wait");

	if (!host.imitated || !timeout)
		return real(fd, events, max, timeout);
	host.sleeps++;
	host.now = MAX(host.now, device.due) + WAKE_NS;
	return 0;
}

static bool poll_device(void *opaque)
{
	if (host.now < device.due)
		return false;
	device.answers++;
	device.due = host.now + device.takes;
	return true;
}

static void run_answers(struct loop *loop, unsigned n)
{
	device.answers = 0;
	host.spun = host.sleeps = 0;
	while (device.answers < n)
		loop_run_once(loop, NS_PER_SEC);
}

struct box {
	struct loop *loop;
	struct loop_poller poller;
};

static struct box box_new(int64_t takes_us)
{
	struct box b = {.loop = loop_new()};

	host.imitated = true;
	host.now = clock_now_ns(loop_clock_host(b.loop)) + NS_PER_SEC;
	device.takes = takes_us * NS_PER_US;
	device.due = host.now + device.takes;
	device.starves = false;
	return b;
}

static void box_start(struct box *b)
{
	loop_poller_add(&b->poller, b->loop, "device", poll_device, NULL);
}

static void box_free(struct box *b)
{
	loop_poller_remove(&b->poller);
	loop_free(b->loop);
	host.imitated = false;
}

/* Though a wait that begins with a sleep takes longer than any spin: the loop learns to spin nevertheless. */
static void a_quick_device_is_waited_for_awake(void **state)
{
	for (int64_t us = 4; us <= 184; us += 12) {
		struct box b = box_new(us);

		box_start(&b);
		run_answers(b.loop, 50); /* it learns */
		run_answers(b.loop, 100);
		assert_int_equal(host.sleeps, 0);
		box_free(&b);
	}
}

static void a_slow_device_is_waited_for_asleep(void **state)
{
	struct box b = box_new(300);

	box_start(&b);
	run_answers(b.loop, 50);
	run_answers(b.loop, 100);
	assert_int_equal(host.sleeps, 100);
	assert_int_equal(host.spun, 0);
	box_free(&b);
}

/* A late answer now and then does not keep the loop from spinning for the others. */
static void a_device_that_is_slow_now_and_then_is_waited_for_awake(void **state)
{
	struct box b = box_new(50);

	box_start(&b);
	run_answers(b.loop, 50);
	for (unsigned i = 0; i < 10; i++) {
		device.due += 300 * NS_PER_US;
		run_answers(b.loop, 20);
		assert_true(host.sleeps <= 3);
	}
	box_free(&b);
}

static void a_device_that_answers_only_while_the_loop_sleeps_is_let(void **state)
{
	struct box b = box_new(5);
	int64_t start;

	device.starves = true;
	box_start(&b);
	run_answers(b.loop, 50);
	start = host.now;
	run_answers(b.loop, 1000);
	assert_true(host.spun < (host.now - start) / 4);
	box_free(&b);
}

static void of_a_crowd_none_is_waited_for_so_long(void **state)
{
	struct box b = box_new(52);

	box_start(&b);
	run_answers(b.loop, 50);
	loop_poller_set_crowd(&b.poller, true);
	run_answers(b.loop, 50);
	run_answers(b.loop, 100);
	assert_int_equal(host.sleeps, 100);
	loop_poller_set_crowd(&b.poller, false);
	run_answers(b.loop, 50);
	run_answers(b.loop, 100);
	assert_int_equal(host.sleeps, 0);

	/* One that goes leaves no crowd behind. */
	loop_poller_set_crowd(&b.poller, true);
	loop_poller_remove(&b.poller);
	box_start(&b);
	run_answers(b.loop, 50);
	run_answers(b.loop, 100);
	assert_int_equal(host.sleeps, 0);
	box_free(&b);
}

/* Long spins are for CPUs that nobody else wants. */
static void where_the_cpu_is_wanted_spins_are_shorter(void **state)
{
	struct box b = box_new(150);

	box_start(&b);
	run_answers(b.loop, 50);
	run_answers(b.loop, 100);
	assert_int_equal(host.sleeps, 0);
	host.wanted = true;
	run_answers(b.loop, 10);
	run_answers(b.loop, 300);
	assert_int_equal(host.sleeps, 300);
	host.wanted = false;
	run_answers(b.loop, 1000);
	run_answers(b.loop, 100);
	assert_int_equal(host.sleeps, 0);
	box_free(&b);
}

static void nobody_spins_where_the_cpus_are_taken(void **state)
{
	struct box b = box_new(10);

	box_start(&b);
	run_answers(b.loop, 50);
	loop_busy_add_mt(b.loop, 1 << 20);
	run_answers(b.loop, 100);
	assert_int_equal(host.sleeps, 100);
	assert_int_equal(host.spun, 0);
	loop_busy_add_mt(b.loop, -(1 << 20));
	box_free(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quick_device_is_waited_for_awake),
		cmocka_unit_test(a_slow_device_is_waited_for_asleep),
		cmocka_unit_test(a_device_that_is_slow_now_and_then_is_waited_for_awake),
		cmocka_unit_test(a_device_that_answers_only_while_the_loop_sleeps_is_let),
		cmocka_unit_test(of_a_crowd_none_is_waited_for_so_long),
		cmocka_unit_test(where_the_cpu_is_wanted_spins_are_shorter),
		cmocka_unit_test(nobody_spins_where_the_cpus_are_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
