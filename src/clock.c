/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks, and timers in a binary heap per clock. */
#include <assert.h>
#include <stdlib.h>
#include <time.h>
#include "src/clock.h"
#include "src/loop.h"

enum clock_kind { CLOCK_HOST, CLOCK_GUEST, CLOCK_FAKE };

struct clock {
	enum clock_kind kind;
	struct loop *loop;

	/* Read by any thread, written by the loop between two increments of seq (odd: being written). */
	uint32_t seq;
	bool paused;
	int64_t offset_ns; /* host - guest, while running */
	int64_t frozen_ns; /* the time while paused; a fake clock's time at all times */

	struct timer **heap;
	int n, capacity;
	uint64_t arm_count;
	/* Timers taken from the heap to be fired in this phase; NULL where one was cancelled or re-armed since. */
	struct timer **ready;
	int n_ready, ready_capacity;
	bool firing;
};

#define NOT_PENDING	(-1)
#define READY_INDEX(i)	(-2 - (i))
#define READY_SLOT(idx) (-2 - (idx))

static int64_t host_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

int64_t clock_wall_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static struct clock *clock_new(struct loop *loop, enum clock_kind kind)
{
	struct clock *c = xzalloc(sizeof(*c));

	c->kind = kind;
	c->loop = loop;
	c->paused = kind == CLOCK_GUEST;
	return c;
}

struct clock *clock_new_host(struct loop *loop)
{
	return clock_new(loop, CLOCK_HOST);
}

struct clock *clock_new_guest(struct loop *loop)
{
	return clock_new(loop, CLOCK_GUEST);
}

struct clock *clock_new_fake(struct loop *loop)
{
	return clock_new(loop, CLOCK_FAKE);
}

void clock_free(struct clock *c)
{
	if (!c)
		return;
	for (int i = 0; i < c->n; i++)
		c->heap[i]->heap_index = NOT_PENDING;
	free(c->heap);
	free(c->ready);
	free(c);
}

/* ---- time ---- */

/*
 * The guest's time and the offset at one moment. The host's time is read inside: an offset that is out of date
 * by then would give a time yet to come.
 */
static int64_t guest_read(const struct clock *c, int64_t *offset_ns)
{
	int64_t now, frozen;
	bool paused;
	uint32_t seq;

	do {
		seq = __atomic_load_n(&c->seq, __ATOMIC_ACQUIRE);
		paused = __atomic_load_n(&c->paused, __ATOMIC_RELAXED);
		*offset_ns = __atomic_load_n(&c->offset_ns, __ATOMIC_RELAXED);
		frozen = __atomic_load_n(&c->frozen_ns, __ATOMIC_RELAXED);
		now = paused ? frozen : host_now_ns() - *offset_ns;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (unlikely((seq & 1) || seq != __atomic_load_n(&c->seq, __ATOMIC_RELAXED)));
	return now;
}

static void write_begin(struct clock *c)
{
	__atomic_store_n(&c->seq, c->seq + 1, __ATOMIC_RELAXED);
	/* Full: the host's time is read after this, and no reader may still take a later one for good. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void write_end(struct clock *c)
{
	__atomic_store_n(&c->seq, c->seq + 1, __ATOMIC_RELEASE);
}

int64_t clock_now_ns(const struct clock *c)
{
	int64_t offset_ns;

	switch (c->kind) {
	case CLOCK_HOST:
		return host_now_ns();
	case CLOCK_GUEST:
		return guest_read(c, &offset_ns);
	default:
		return __atomic_load_n(&c->frozen_ns, __ATOMIC_RELAXED);
	}
}

int64_t clock_guest_offset_ns(const struct clock *c)
{
	int64_t offset_ns = 0;

	if (c->kind == CLOCK_GUEST)
		guest_read(c, &offset_ns);
	return offset_ns;
}

bool clock_is_paused(const struct clock *c)
{
	return __atomic_load_n(&c->paused, __ATOMIC_RELAXED);
}

void clock_pause(struct clock *c)
{
	LOOP_ASSERT();
	assert(c->kind != CLOCK_HOST);
	if (c->paused)
		return;
	write_begin(c);
	if (c->kind == CLOCK_GUEST)
		__atomic_store_n(&c->frozen_ns, host_now_ns() - c->offset_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&c->paused, true, __ATOMIC_RELAXED);
	write_end(c);
}

void clock_resume(struct clock *c)
{
	LOOP_ASSERT();
	assert(c->kind != CLOCK_HOST);
	if (!c->paused)
		return;
	write_begin(c);
	if (c->kind == CLOCK_GUEST)
		__atomic_store_n(&c->offset_ns, host_now_ns() - c->frozen_ns, __ATOMIC_RELAXED);
	__atomic_store_n(&c->paused, false, __ATOMIC_RELAXED);
	write_end(c);
}

/* ---- the heap ---- */

static bool timer_before(const struct timer *a, const struct timer *b)
{
	return a->deadline_ns != b->deadline_ns ? a->deadline_ns < b->deadline_ns
						: a->order < b->order;
}

static void heap_put(struct clock *c, int i, struct timer *t)
{
	c->heap[i] = t;
	t->heap_index = i;
}

static void heap_sift_up(struct clock *c, int i, struct timer *t)
{
	while (i > 0 && timer_before(t, c->heap[(i - 1) / 2])) {
		heap_put(c, i, c->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	heap_put(c, i, t);
}

static void heap_sift_down(struct clock *c, int i, struct timer *t)
{
	for (int child; (child = 2 * i + 1) < c->n; i = child) {
		if (child + 1 < c->n && timer_before(c->heap[child + 1], c->heap[child]))
			child++;
		if (!timer_before(c->heap[child], t))
			break;
		heap_put(c, i, c->heap[child]);
	}
	heap_put(c, i, t);
}

static void heap_insert(struct clock *c, struct timer *t)
{
	if (c->n == c->capacity) {
		c->capacity = c->capacity ? 2 * c->capacity : 16;
		c->heap = xrealloc(c->heap, c->capacity * sizeof(*c->heap));
	}
	heap_sift_up(c, c->n++, t);
}

static void heap_remove(struct clock *c, struct timer *t)
{
	int i = t->heap_index;
	struct timer *last = c->heap[--c->n];

	t->heap_index = NOT_PENDING;
	if (last == t)
		return;
	if (i > 0 && timer_before(last, c->heap[(i - 1) / 2]))
		heap_sift_up(c, i, last);
	else
		heap_sift_down(c, i, last);
}

int64_t clock_next_deadline_ns(const struct clock *c)
{
	return c->n && !clock_is_paused(c) ? c->heap[0]->deadline_ns : INT64_MAX;
}

int64_t clock_host_deadline_ns(const struct clock *c)
{
	int64_t deadline = c->kind == CLOCK_FAKE ? INT64_MAX : clock_next_deadline_ns(c), host;

	if (deadline == INT64_MAX || c->kind == CLOCK_HOST)
		return deadline;
	return __builtin_add_overflow(deadline, c->offset_ns, &host) ? INT64_MAX : host;
}

/* ---- timers ---- */

void timer_init(struct timer *t, struct clock *clock, const char *name, timer_fn *fn, void *opaque)
{
	*t = (struct timer){
		.clock = clock,
		.stats = loop_stats_row(clock->loop, name),
		.fn = fn,
		.opaque = opaque,
		.heap_index = NOT_PENDING,
	};
}

void timer_cancel(struct timer *t)
{
	struct clock *c = t->clock;

	LOOP_ASSERT();
	if (t->heap_index >= 0)
		heap_remove(c, t);
	else if (t->heap_index != NOT_PENDING)
		c->ready[READY_SLOT(t->heap_index)] = NULL;
	t->heap_index = NOT_PENDING;
}

void timer_arm(struct timer *t, int64_t deadline_ns)
{
	timer_cancel(t);
	t->deadline_ns = deadline_ns;
	t->order = t->clock->arm_count++;
	heap_insert(t->clock, t);
}

bool timer_pending(const struct timer *t)
{
	return t->heap_index != NOT_PENDING;
}

/* Moves what is due to the ready list, so that a timer re-armed in the past cannot starve the rest. */
static void collect_due(struct clock *c, int64_t now)
{
	c->n_ready = 0;
	while (c->n && c->heap[0]->deadline_ns <= now) {
		struct timer *t = c->heap[0];

		heap_remove(c, t);
		if (c->n_ready == c->ready_capacity) {
			c->ready_capacity = c->ready_capacity ? 2 * c->ready_capacity : 16;
			c->ready = xrealloc(c->ready, c->ready_capacity * sizeof(*c->ready));
		}
		t->heap_index = READY_INDEX(c->n_ready);
		c->ready[c->n_ready++] = t;
	}
}

bool clock_run_timers(struct clock *c, int64_t host_now_ns)
{
	int64_t now = c->kind == CLOCK_FAKE ? c->frozen_ns : host_now_ns - c->offset_ns;
	bool fired = false;

	if (!c->n || c->paused || c->heap[0]->deadline_ns > now)
		return false;
	assert(!c->firing);
	c->firing = true;
	collect_due(c, now);
	for (int i = 0; i < c->n_ready; i++) {
		struct timer *t = c->ready[i];

		if (!t)
			continue;
		t->heap_index = NOT_PENDING;
		if (c->paused) { /* by one that fired just now: the rest waits */
			heap_insert(c, t);
			continue;
		}
		struct loop_stats *stats = t->stats; /* the callback may free the timer */

		t->fn(t->opaque);
		loop_stats_charge(c->loop, stats);
		fired = true;
	}
	c->n_ready = 0;
	c->firing = false;
	return fired;
}

void clock_fake_advance(struct clock *c, int64_t ns)
{
	int64_t target = c->frozen_ns + ns;

	LOOP_ASSERT();
	assert(c->kind == CLOCK_FAKE && ns >= 0);
	while (!c->paused && c->n && c->heap[0]->deadline_ns <= target) {
		if (c->heap[0]->deadline_ns > c->frozen_ns)
			__atomic_store_n(&c->frozen_ns, c->heap[0]->deadline_ns, __ATOMIC_RELAXED);
		clock_run_timers(c, 0);
	}
	if (!c->paused)
		__atomic_store_n(&c->frozen_ns, target, __ATOMIC_RELAXED);
}
