/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Clocks and timers; nothing else in evmm asks the host for the time. All times are nanoseconds, signed.
 *
 *	host	CLOCK_MONOTONIC; never stops
 *	guest	0 and paused until the machine starts it with clock_resume(); stands still while the VM is paused
 *	fake	moves only by clock_fake_advance(), which fires what falls due, in order of deadline
 *
 * Timers belong to the loop thread and fire on it.
 */
#ifndef EVMM_CLOCK_H
#define EVMM_CLOCK_H

#include "src/list.h"

struct clock;
struct loop;
struct loop_stats;

typedef void timer_fn(void *opaque);

struct timer {
	struct clock *clock;
	struct loop_stats *stats;
	timer_fn *fn;
	void *opaque;
	int64_t deadline_ns; /* on its clock; meaningful while pending */
	uint64_t order;	     /* of arming: timers with one deadline fire first come, first served */
	int heap_index; /* -1 when not pending, below that: in the list of those about to fire */
};

/* Any thread: lock-free. */
int64_t clock_now_ns(const struct clock *clock);

/* The host's time of day, ns UTC since 1970: for a real-time clock, never for measuring. Any thread. */
int64_t clock_wall_ns(void);

/*
 * Guest and fake clocks. Pausing a paused clock, or resuming a running one, does nothing. A paused clock's
 * timers don't fire.
 */
void clock_pause(struct clock *clock);
void clock_resume(struct clock *clock);
bool clock_is_paused(const struct clock *clock);
/* Any thread: guest_ns = host CLOCK_MONOTONIC ns - the returned offset, while the clock runs. */
int64_t clock_guest_offset_ns(const struct clock *clock);

/* A clock for tests, not bound to real time. Its timers fire inside clock_fake_advance(). */
struct clock *clock_new_fake(struct loop *loop);
void clock_fake_advance(struct clock *clock, int64_t ns);
void clock_free(struct clock *clock);

/* Deadline of the first pending timer, INT64_MAX when none (or when paused). */
int64_t clock_next_deadline_ns(const struct clock *clock);

/* For the loop: its own two clocks, when the first timer falls due in host time, and firing what is due. */
struct clock *clock_new_host(struct loop *loop);
struct clock *clock_new_guest(struct loop *loop);
int64_t clock_host_deadline_ns(const struct clock *clock);
/* Returns true when a timer fired. */
bool clock_run_timers(struct clock *clock, int64_t host_now_ns);

void timer_init(struct timer *t, struct clock *clock, const char *name, timer_fn *fn, void *opaque);
/* (Re)arms for an absolute time on the timer's clock; a time in the past fires in the next timers phase. */
void timer_arm(struct timer *t, int64_t deadline_ns);
void timer_cancel(struct timer *t);
bool timer_pending(const struct timer *t);

/* a*b/c with a 128-bit intermediate. */
static inline uint64_t muldiv64(uint64_t a, uint64_t b, uint64_t c)
{
	return (uint64_t)((unsigned __int128)a * b / c);
}

#endif
