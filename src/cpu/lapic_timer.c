/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local APIC's timer (SDM 3A 11.5.4), and the host timer that stands behind it while guest code runs.
 *
 * The counter is not stepped: it follows from the guest clock and the time at which it was loaded. timer_next_ns is
 * the next moment at which it would interrupt. The host timer is a POSIX timer per vCPU thread; its signal sets
 * VCPU_REQ_TIMER and has the vCPU leave guest code, nothing more. It is set anew only for an earlier deadline; when it fires too early
 * because the deadline has moved, lapic_timer_serve() sets it for the rest.
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "src/clock.h"
#include "src/cpu/lapic_regs.h"
#include "src/machine.h"

#define LAPIC_SIGNAL SIGRTMIN

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static __thread struct lapic *lapic_of_this_thread;

static int64_t guest_now(const struct lapic *l)
{
	return clock_now_ns(l->v->machine->clock);
}

/* ---- the host's timer ---- */

static void on_host_timer(int signum)
{
	struct lapic *l = lapic_of_this_thread;

	if (!l)
		return;
	__atomic_fetch_or(&l->v->requests, VCPU_REQ_TIMER, __ATOMIC_SEQ_CST);
	l->cpu->leave(l->v);
}

bool lapic_thread_begin(struct lapic *l)
{
	struct sigaction sa = {.sa_handler = on_host_timer, .sa_flags = SA_RESTART};
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = LAPIC_SIGNAL};
	sigset_t set;

	lapic_of_this_thread = l;
	sigaction(LAPIC_SIGNAL, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, LAPIC_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	ev.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
	l->host_armed_ns = INT64_MAX;
	l->host_timer_made = timer_create(CLOCK_MONOTONIC, &ev, &l->host_timer) == 0;
	return l->host_timer_made;
}

void lapic_thread_end(struct lapic *l)
{
	sigset_t set;

	if (l->host_timer_made)
		timer_delete(l->host_timer);
	l->host_timer_made = false;
	sigemptyset(&set);
	sigaddset(&set, LAPIC_SIGNAL);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	lapic_of_this_thread = NULL;
}

int64_t lapic_deadline_ns(struct lapic *l)
{
	const struct clock *clock = l->v->machine->clock;
	int64_t offset;

	if (l->timer_next_ns == INT64_MAX || clock_is_paused(clock))
		return INT64_MAX;
	offset = clock_guest_offset_ns(clock);
	return l->timer_next_ns > INT64_MAX - MAX(offset, 0) ? INT64_MAX
							     : l->timer_next_ns + offset;
}

/* Sets the host's timer if it would come too late. */
static void arm_host(struct lapic *l)
{
	struct itimerspec its = {0};
	int64_t deadline;

	if (!l->host_timer_made)
		return;
	deadline = MAX(lapic_deadline_ns(l), 1);
	if (deadline >= l->host_armed_ns)
		return;
	its.it_value.tv_sec = deadline / NS_PER_SEC;
	its.it_value.tv_nsec = deadline % NS_PER_SEC;
	timer_settime(l->host_timer, TIMER_ABSTIME, &its, NULL);
	l->host_armed_ns = deadline;
}

/* ---- the guest's timer ---- */

static uint32_t timer_mode(uint32_t lvt)
{
	return lvt & LVT_TIMER_MODE;
}

/* Nanoseconds per count: divide configuration bits 3, 1, 0 (SDM 3A figure 11-10), at LAPIC_TIMER_HZ. */
static int64_t divider(const struct lapic *l)
{
	unsigned code = (l->timer_divide & 3) | (l->timer_divide >> 1 & 4);

	_Static_assert(LAPIC_TIMER_HZ == NS_PER_SEC, "one count is one nanosecond");
	return code == 7 ? 1 : 2 << code;
}

static int64_t period_ns(const struct lapic *l)
{
	return (int64_t)l->timer_initial * divider(l);
}

static int64_t next_counted(const struct lapic *l, int64_t now)
{
	int64_t period = period_ns(l), since = now - l->timer_start_ns;

	if (!period || l->timer_ended)
		return INT64_MAX;
	if (since < period)
		return l->timer_start_ns + period;
	if (timer_mode(l->lvt[LVT_TIMER]) != LVT_TIMER_PERIODIC)
		return INT64_MAX;
	return l->timer_start_ns + (since / period + 1) * period;
}

static int64_t next_deadline(const struct lapic *l, int64_t now)
{
	int64_t left;

	if (!l->tsc_deadline)
		return INT64_MAX;
	left = (int64_t)(l->tsc_deadline - ((uint64_t)now + (uint64_t)l->cpu->tsc_offset(l->v)));
	if (left <= 0)
		return now;
	return left > INT64_MAX - now ? INT64_MAX : now + left;
}

/* From the registers: when the timer interrupts next, an expiry before now not counted. */
static void schedule(struct lapic *l)
{
	int64_t now = guest_now(l);

	if (l->lvt[LVT_TIMER] & LVT_MASKED) {
		l->timer_next_ns = INT64_MAX;
		return;
	}
	l->timer_next_ns = timer_mode(l->lvt[LVT_TIMER]) == LVT_TIMER_DEADLINE
				   ? next_deadline(l, now)
				   : next_counted(l, now);
	arm_host(l);
}

void lapic_timer_serve(struct lapic *l)
{
	int64_t now;

	if (l->timer_next_ns == INT64_MAX) {
		l->host_armed_ns = INT64_MAX;
		return;
	}
	now = guest_now(l);
	if (now >= l->timer_next_ns) {
		if (timer_mode(l->lvt[LVT_TIMER]) == LVT_TIMER_DEADLINE)
			l->tsc_deadline = 0;
		lapic_fire_lvt(l, LVT_TIMER);
		l->timer_next_ns = timer_mode(l->lvt[LVT_TIMER]) == LVT_TIMER_DEADLINE
					   ? INT64_MAX
					   : next_counted(l, now);
	}
	/* It may have fired for a deadline that was then moved. */
	if (lapic_deadline_ns(l) > l->host_armed_ns &&
	    l->host_armed_ns <= now + clock_guest_offset_ns(l->v->machine->clock))
		l->host_armed_ns = INT64_MAX;
	arm_host(l);
}

uint32_t lapic_timer_current(const struct lapic *l)
{
	int64_t period = period_ns(l), since;

	if (!period || l->timer_ended || timer_mode(l->lvt[LVT_TIMER]) == LVT_TIMER_DEADLINE)
		return 0;
	since = guest_now(l) - l->timer_start_ns;
	if (since >= period) {
		if (timer_mode(l->lvt[LVT_TIMER]) != LVT_TIMER_PERIODIC)
			return 0;
		since %= period;
	}
	return l->timer_initial - (uint32_t)(since / divider(l));
}

void lapic_timer_set_initial(struct lapic *l, uint32_t count)
{
	if (timer_mode(l->lvt[LVT_TIMER]) == LVT_TIMER_DEADLINE)
		return;
	lapic_timer_serve(l);
	l->timer_initial = count;
	l->timer_ended = false;
	l->timer_start_ns = guest_now(l);
	schedule(l);
}

/* The count goes on from where it is, at the new pace. */
void lapic_timer_set_divide(struct lapic *l, uint32_t divide)
{
	uint32_t current;

	lapic_timer_serve(l);
	current = lapic_timer_current(l);
	l->timer_divide = divide;
	if (current)
		l->timer_start_ns =
			guest_now(l) - (int64_t)(l->timer_initial - current) * divider(l);
	else if (l->timer_initial)
		l->timer_start_ns = guest_now(l) - period_ns(l);
	schedule(l);
}

void lapic_timer_set_current(struct lapic *l, uint32_t current)
{
	l->timer_start_ns = guest_now(l) - (int64_t)(l->timer_initial - current) * divider(l);
	schedule(l);
}

void lapic_timer_set_deadline(struct lapic *l, uint64_t tsc)
{
	if (timer_mode(l->lvt[LVT_TIMER]) != LVT_TIMER_DEADLINE)
		return;
	l->tsc_deadline = tsc;
	schedule(l);
	/* One that has passed already interrupts now. */
	if (l->timer_next_ns != INT64_MAX && l->timer_next_ns <= guest_now(l))
		lapic_timer_serve(l);
}

uint64_t lapic_timer_get_deadline(const struct lapic *l)
{
	return timer_mode(l->lvt[LVT_TIMER]) == LVT_TIMER_DEADLINE ? l->tsc_deadline : 0;
}

/* The count goes on from where it is; one that has ended stays at zero until there is a new initial count. */
static void counting_mode_changed(struct lapic *l, uint32_t mode)
{
	int64_t period = period_ns(l), since = guest_now(l) - l->timer_start_ns;

	if (!period || since < period)
		return;
	if (mode == LVT_TIMER_PERIODIC)
		l->timer_ended = true;
	else
		l->timer_start_ns += since / period * period;
}

void lapic_timer_lvt_changed(struct lapic *l, uint32_t old)
{
	uint32_t mode = timer_mode(l->lvt[LVT_TIMER]), was = timer_mode(old);

	/* Going to or from TSC-deadline mode disarms the timer. */
	if (mode != was && (mode == LVT_TIMER_DEADLINE || was == LVT_TIMER_DEADLINE)) {
		l->timer_initial = 0;
		l->tsc_deadline = 0;
	} else if (mode != was && (mode == LVT_TIMER_PERIODIC || was == LVT_TIMER_PERIODIC)) {
		counting_mode_changed(l, mode);
	}
	schedule(l);
}

void lapic_timer_reset(struct lapic *l)
{
	l->timer_initial = l->timer_divide = 0;
	l->timer_ended = false;
	l->tsc_deadline = 0;
	l->timer_start_ns = 0;
	l->timer_next_ns = INT64_MAX;
}

void lapic_rearm(struct lapic *l)
{
	l->host_armed_ns = INT64_MAX;
	lapic_timer_serve(l);
	schedule(l);
}
