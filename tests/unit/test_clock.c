/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks and timers: heap order, the fake clock, the guest clock's pauses. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "src/clock.h"
#include "src/loop.h"

#define N_TIMERS 500

struct fixture {
	struct loop *loop;
	struct clock *clock;
	struct timer timers[N_TIMERS];
	int fired[N_TIMERS], n_fired;
	int64_t fired_at[N_TIMERS];
	struct timer *victim;
	int64_t rearm_ns;
};

static int setup(void **state)
{
	struct fixture *f = xzalloc(sizeof(*f));

	f->loop = loop_new();
	f->clock = clock_new_fake(f->loop);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	clock_free(f->clock);
	loop_free(f->loop);
	free(f);
	return 0;
}

static struct fixture *the_fixture; /* for callbacks that get their timer as the opaque */

static void on_timer(void *opaque)
{
	struct timer *t = opaque;
	struct fixture *f = the_fixture;

	assert_false(timer_pending(t));
	f->fired_at[f->n_fired] = clock_now_ns(f->clock);
	f->fired[f->n_fired++] = t - f->timers;
}

static void init_timers(struct fixture *f, timer_fn *fn)
{
	the_fixture = f;
	for (int i = 0; i < N_TIMERS; i++)
		timer_init(&f->timers[i], f->clock, "test", fn, &f->timers[i]);
}

static void fires_in_order_of_deadline_at_the_deadline(void **state)
{
	struct fixture *f = *state;

	init_timers(f, on_timer);
	for (int i = 0; i < N_TIMERS; i++)
		timer_arm(&f->timers[i], 1000 + (i * 7919) % N_TIMERS);
	assert_int_equal(clock_next_deadline_ns(f->clock), 1000);
	clock_fake_advance(f->clock, 999);
	assert_int_equal(f->n_fired, 0);
	clock_fake_advance(f->clock, 10000);
	assert_int_equal(f->n_fired, N_TIMERS);
	for (int i = 0; i < N_TIMERS; i++) {
		assert_int_equal(f->fired_at[i], 1000 + i);
		assert_int_equal((f->fired[i] * 7919) % N_TIMERS, i);
	}
	assert_int_equal(clock_now_ns(f->clock), 10999);
	assert_true(clock_next_deadline_ns(f->clock) == INT64_MAX);
}

static void equal_deadlines_fire_in_order_of_arming(void **state)
{
	struct fixture *f = *state;

	init_timers(f, on_timer);
	for (int i = 0; i < N_TIMERS; i++)
		timer_arm(&f->timers[N_TIMERS - 1 - i], 5);
	clock_fake_advance(f->clock, 5);
	for (int i = 0; i < N_TIMERS; i++)
		assert_int_equal(f->fired[i], N_TIMERS - 1 - i);
}

static void random_arms_and_cancels_keep_the_heap_sound(void **state)
{
	struct fixture *f = *state;
	int64_t last = 0;
	int pending = 0;

	init_timers(f, on_timer);
	srand(1);
	for (int i = 0; i < 20000; i++) {
		struct timer *t = &f->timers[rand() % N_TIMERS];

		if (rand() % 3)
			timer_arm(t, rand() % 100000);
		else
			timer_cancel(t);
	}
	for (int i = 0; i < N_TIMERS; i++)
		pending += timer_pending(&f->timers[i]);
	clock_fake_advance(f->clock, 100000);
	assert_int_equal(f->n_fired, pending);
	for (int i = 0; i < f->n_fired; i++) {
		assert_true(f->fired_at[i] >= last);
		assert_int_equal(f->fired_at[i], f->timers[f->fired[i]].deadline_ns);
		last = f->fired_at[i];
	}
}

static void cancel_victim(void *opaque)
{
	on_timer(opaque);
	timer_cancel(the_fixture->victim);
}

static void a_due_timer_can_be_cancelled_by_one_before_it(void **state)
{
	struct fixture *f = *state;

	init_timers(f, cancel_victim);
	f->victim = &f->timers[1];
	for (int i = 0; i < 3; i++)
		timer_arm(&f->timers[i], 10);
	clock_fake_advance(f->clock, 10);
	assert_int_equal(f->n_fired, 2);
	assert_int_equal(f->fired[1], 2);
	assert_false(timer_pending(f->victim));
}

static void rearm_self(void *opaque)
{
	struct timer *t = opaque;

	on_timer(opaque);
	timer_arm(t, t->deadline_ns + the_fixture->rearm_ns);
}

static void a_periodic_timer_keeps_its_period(void **state)
{
	struct fixture *f = *state;

	init_timers(f, rearm_self);
	f->rearm_ns = 100;
	timer_arm(&f->timers[0], 100);
	clock_fake_advance(f->clock, 1050);
	assert_int_equal(f->n_fired, 10);
	assert_int_equal(f->timers[0].deadline_ns, 1100);
}

static void a_timer_rearmed_in_the_past_does_not_starve_the_rest(void **state)
{
	struct fixture *f = *state;

	/* On the loop: the re-armed timer fires once a turn, and so does its neighbour. */
	the_fixture = f;
	f->rearm_ns = 0;
	clock_resume(loop_clock_guest(f->loop));
	timer_init(&f->timers[0], loop_clock_guest(f->loop), "past", rearm_self, &f->timers[0]);
	timer_init(&f->timers[1], loop_clock_guest(f->loop), "past", on_timer, &f->timers[1]);
	timer_arm(&f->timers[0], -5);
	timer_arm(&f->timers[1], -4);
	assert_true(loop_run_once(f->loop, 0));
	assert_int_equal(f->n_fired, 2);
	loop_run_once(f->loop, 0);
	assert_int_equal(f->n_fired, 3);
	timer_cancel(&f->timers[0]);
}

static void pause_clock(void *opaque)
{
	on_timer(opaque);
	clock_pause(the_fixture->clock);
}

static void a_paused_clock_fires_nothing_and_keeps_its_timers(void **state)
{
	struct fixture *f = *state;

	init_timers(f, pause_clock);
	for (int i = 0; i < 3; i++)
		timer_arm(&f->timers[i], 10);
	clock_fake_advance(f->clock, 100);
	assert_int_equal(f->n_fired, 1);
	assert_true(timer_pending(&f->timers[1]));
	assert_true(clock_next_deadline_ns(f->clock) == INT64_MAX);
	clock_fake_advance(f->clock, 100);
	assert_int_equal(clock_now_ns(f->clock), 10);
	clock_resume(f->clock);
	clock_fake_advance(f->clock, 0);
	assert_int_equal(f->n_fired, 2);
	assert_int_equal(f->fired[1], 1);
}

static void the_guest_clock_starts_at_zero_and_stands_still_while_paused(void **state)
{
	struct fixture *f = *state;
	struct clock *guest = loop_clock_guest(f->loop), *host = loop_clock_host(f->loop);
	int64_t a, b, h;

	assert_true(clock_is_paused(guest));
	assert_int_equal(clock_now_ns(guest), 0);
	clock_resume(guest);
	clock_resume(guest);
	a = clock_now_ns(guest);
	h = clock_now_ns(host);
	assert_in_range(a, 0, NS_PER_SEC);
	assert_in_range(h - clock_guest_offset_ns(guest), a, a + NS_PER_SEC);
	loop_run_once(f->loop, 2 * NS_PER_MS);
	clock_pause(guest);
	clock_pause(guest);
	b = clock_now_ns(guest);
	assert_true(b >= a + 2 * NS_PER_MS);
	loop_run_once(f->loop, 2 * NS_PER_MS);
	assert_true(clock_now_ns(guest) == b);
	clock_resume(guest);
	assert_in_range(clock_now_ns(guest), b, b + NS_PER_SEC);
}

struct readers {
	struct clock *clock;
	bool stop;
	uint64_t reads;
};

static void *read_clock(void *opaque)
{
	struct readers *r = opaque;
	int64_t last = 0;

	while (!__atomic_load_n(&r->stop, __ATOMIC_RELAXED)) {
		int64_t now = clock_now_ns(r->clock);

		if (now < last)
			return "the guest clock went back";
		last = now;
		r->reads++;
	}
	return NULL;
}

static void the_guest_clock_never_goes_back_for_readers_on_other_threads(void **state)
{
	struct fixture *f = *state;
	struct readers r = {.clock = loop_clock_guest(f->loop)};
	pthread_t thread;
	void *failure;

	pthread_create(&thread, NULL, read_clock, &r);
	for (int i = 0; i < 20000; i++) {
		clock_resume(r.clock);
		clock_pause(r.clock);
	}
	__atomic_store_n(&r.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, &failure);
	assert_ptr_equal(failure, NULL);
}

static void muldiv_does_not_overflow(void **state)
{
	assert_true(muldiv64(UINT64_MAX, 1000000007, 1000000007) == UINT64_MAX);
	assert_true(muldiv64(1193182, 3600ull * NS_PER_SEC, NS_PER_SEC) == 1193182ull * 3600);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(fires_in_order_of_deadline_at_the_deadline),
		TEST(equal_deadlines_fire_in_order_of_arming),
		TEST(random_arms_and_cancels_keep_the_heap_sound),
		TEST(a_due_timer_can_be_cancelled_by_one_before_it),
		TEST(a_periodic_timer_keeps_its_period),
		TEST(a_timer_rearmed_in_the_past_does_not_starve_the_rest),
		TEST(a_paused_clock_fires_nothing_and_keeps_its_timers),
		TEST(the_guest_clock_starts_at_zero_and_stands_still_while_paused),
		TEST(the_guest_clock_never_goes_back_for_readers_on_other_threads),
		TEST(muldiv_does_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
