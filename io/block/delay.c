/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests that a node keeps for a while. */
#include "io/block/delay.h"
#include "src/loop.h"

/* Nobody else looks there meanwhile. */
static int64_t *deadline_of(struct block_req *r)
{
	return &r->aio.ret;
}

static struct block_req *first(struct block_delay *d)
{
	return list_first(&d->requests, struct block_req, node);
}

static void arm(struct block_delay *d)
{
	if (!list_empty(&d->requests))
		timer_arm(&d->timer, *deadline_of(first(d)));
}

/* Those whose time comes up to WHEN. After the last of them D may be gone. */
static void let_go(struct block_delay *d, int64_t when)
{
	struct list due;

	list_init(&due);
	while (!list_empty(&d->requests) && *deadline_of(first(d)) <= when) {
		struct block_req *r = first(d);

		list_remove(&r->node);
		list_push_back(&due, &r->node);
	}
	arm(d);
	while (!list_empty(&due)) {
		struct block_req *r = list_first(&due, struct block_req, node);

		list_remove(&r->node);
		d->go(d, r);
	}
}

static void on_timer(void *opaque)
{
	struct block_delay *d = opaque;

	let_go(d, clock_now_ns(d->timer.clock));
}

void block_delay_init(struct block_delay *d, struct loop *loop, const char *name,
		      block_delay_fn *go)
{
	list_init(&d->requests);
	timer_init(&d->timer, loop_clock_host(loop), name, on_timer, d);
	d->go = go;
}

void block_delay_fini(struct block_delay *d)
{
	if (d->timer.clock)
		timer_cancel(&d->timer);
}

void block_delay_add(struct block_delay *d, struct block_req *r, uint64_t ns)
{
	int64_t now = clock_now_ns(d->timer.clock);
	int64_t when = ns < (uint64_t)(INT64_MAX - now) ? now + (int64_t)ns : INT64_MAX;
	struct list *at = d->requests.prev;

	*deadline_of(r) = when;
	while (at != &d->requests && *deadline_of(list_entry(at, struct block_req, node)) > when)
		at = at->prev;
	list_insert(at, &r->node);
	if (first(d) == r)
		arm(d);
}

void block_delay_end_all(struct block_delay *d)
{
	let_go(d, INT64_MAX);
}
