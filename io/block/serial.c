/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes that share a unit. Two O_DIRECT writes to different sectors of one file system block may each fill the rest
 * of it with what they believe is there: with zeroes, where the block was a hole. And a write that covers a sector in
 * part reads the rest first (align.c), which must not change meanwhile. So while a write that covers a unit only in part
 * is under way, no other write to that unit is.
 *
 * Writes of whole units, the usual kind, don't wait for each other and are only counted in.
 */
#include "io/block/node.h"

struct span {
	uint64_t begin, end;
	bool partial;
};

static struct span span_of(const struct block_node *n, const struct block_req *r)
{
	uint64_t unit = n->serial_unit, end = r->offset + r->bytes;

	return (struct span){
		.begin = ALIGN_DOWN(r->offset, unit),
		.end = ALIGN_UP(end, unit),
		.partial = (r->offset | end) & (unit - 1),
	};
}

static bool conflict(const struct span *a, const struct span *b)
{
	return (a->partial || b->partial) && a->begin < b->end && b->begin < a->end;
}

/* R has to wait for a write in flight, or for one that waits already, up to END. */
static bool must_wait(const struct block_node *n, const struct block_req *r, const struct list *end)
{
	struct span mine = span_of(n, r), other;

	if (mine.partial || n->partial_writes) {
		list_for_each(it, &n->writes) {
			other = span_of(n, list_entry(it, struct block_req, track));
			if (conflict(&mine, &other))
				return true;
		}
	}
	for (const struct list *it = n->waiting.next; it != end; it = it->next) {
		other = span_of(n, list_entry(it, struct block_req, track));
		if (conflict(&mine, &other))
			return true;
	}
	return false;
}

static void serial_up(struct block_node *n, struct block_req *r, int ret);

static void enter(struct block_node *n, struct block_req *r)
{
	list_push_back(&n->writes, &r->track);
	n->partial_writes += span_of(n, r).partial;
	block_req_push(r, n, serial_up, 0);
}

static void wake_waiting(struct block_node *n)
{
	list_for_each_safe(it, &n->waiting) {
		struct block_req *r = list_entry(it, struct block_req, track);

		if (must_wait(n, r, it))
			continue;
		list_remove(&r->track);
		enter(n, r);
		block_node_submit_now(n, r);
		/* That may have changed the list. */
		it_next = n->waiting.next;
	}
}

static void serial_up(struct block_node *n, struct block_req *r, int ret)
{
	list_remove(&r->track);
	n->partial_writes -= span_of(n, r).partial;
	if (!list_empty(&n->waiting))
		wake_waiting(n);
	block_req_complete(r, ret);
}

bool block_serial_enter(struct block_node *n, struct block_req *r)
{
	if (must_wait(n, r, &n->waiting)) {
		list_push_back(&n->waiting, &r->track);
		return false;
	}
	enter(n, r);
	return true;
}
