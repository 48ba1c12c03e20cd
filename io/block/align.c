/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that a node cannot take as they are (O_DIRECT on a disk with larger sectors, buffers at odd addresses) go
 * through a buffer of ours, piece by piece. A piece that a write covers in part is read first; serial.c sees to it
 * that nobody else writes there meanwhile.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include "io/block/node.h"

#define BOUNCE_BYTES (256 * KiB)
#define BOUNCES_MAX  32 /* of one node at a time */

struct bounce {
	struct block_node *n;
	struct block_req *outer, *sub;
	uint64_t pos;	     /* bytes of OUTER that are done */
	uint64_t part;	     /* bytes of the piece now under way */
	uint64_t base, span; /* the piece, aligned */
	bool tail_read;	     /* its last unit is to be read */
	struct iovec iov;
	uint8_t *buf;
};

static bool misaligned(const struct block_node *n, const struct block_req *r)
{
	return (r->offset | r->bytes) & (n->align - 1);
}

bool block_align_needed(const struct block_node *n, const struct block_req *r)
{
	uintptr_t bits = 0;

	if (r->op == BLOCK_OP_FLUSH)
		return false;
	if (n->align > 1 && misaligned(n, r))
		return true;
	if (r->op != BLOCK_OP_READ && r->op != BLOCK_OP_WRITE)
		return false;
	if (unlikely(r->n_iov > IOV_MAX))
		return n->mem_align;
	if (n->mem_align <= 1)
		return false;
	for (unsigned i = 0; i < r->n_iov; i++)
		bits |= (uintptr_t)r->iov[i].iov_base | r->iov[i].iov_len;
	return bits & (n->mem_align - 1);
}

static void step(struct bounce *b);

static void finish(struct bounce *b, int ret)
{
	struct block_node *n = b->n;
	struct block_req *outer = b->outer;

	block_req_free(b->sub);
	free(b->buf);
	free(b);
	n->bounces--;
	if (!list_empty(&n->bounce_waiting)) {
		struct block_req *next = list_first(&n->bounce_waiting, struct block_req, node);

		list_remove(&next->node);
		block_align_submit(n, next);
	}
	block_req_complete(outer, ret);
}

/* The sub request goes straight to the driver: OUTER has passed serial.c. */
static void submit_sub(struct bounce *b, enum block_op op, uint64_t offset, uint8_t *buf,
		       uint64_t bytes, void (*complete)(struct block_req *, int))
{
	b->iov = (struct iovec){buf, bytes};
	block_req_set(b->sub, op, offset, bytes, &b->iov, 1, b->outer->flags);
	b->sub->complete = complete;
	b->n->drv->submit(b->n, b->sub);
}

static void piece_done(struct block_req *sub, int ret)
{
	struct bounce *b = sub->owner;

	if (ret < 0) {
		finish(b, ret);
		return;
	}
	if (b->outer->op == BLOCK_OP_READ)
		iov_copy_in(b->outer->iov, b->outer->n_iov, b->pos,
			    b->buf + (b->outer->offset + b->pos - b->base), b->part);
	b->pos += b->part;
	step(b);
}

static void write_piece(struct bounce *b)
{
	uint8_t *to = b->buf + (b->outer->offset + b->pos - b->base);

	if (b->outer->op == BLOCK_OP_ZERO)
		memset(to, 0, b->part);
	else
		iov_copy_out(b->outer->iov, b->outer->n_iov, b->pos, to, b->part);
	submit_sub(b, BLOCK_OP_WRITE, b->base, b->buf, b->span, piece_done);
}

static void edge_read(struct block_req *sub, int ret)
{
	struct bounce *b = sub->owner;
	uint32_t unit = b->n->align;

	if (ret < 0) {
		finish(b, ret);
		return;
	}
	if (b->tail_read) {
		b->tail_read = false;
		submit_sub(b, BLOCK_OP_READ, b->base + b->span - unit, b->buf + b->span - unit,
			   unit, edge_read);
		return;
	}
	write_piece(b);
}

/* Reads the units of the piece that are covered in part, then writes it. */
static void read_edges(struct bounce *b)
{
	uint64_t start = b->outer->offset + b->pos, end = start + b->part;
	uint32_t unit = b->n->align;
	bool head = start != b->base, tail = end != b->base + b->span;

	if (!head && !tail) {
		write_piece(b);
		return;
	}
	b->tail_read = head && tail && b->span > unit;
	if (head)
		submit_sub(b, BLOCK_OP_READ, b->base, b->buf, unit, edge_read);
	else
		submit_sub(b, BLOCK_OP_READ, b->base + b->span - unit, b->buf + b->span - unit,
			   unit, edge_read);
}

static void discard_inner(struct bounce *b)
{
	uint32_t unit = b->n->align;
	uint64_t begin = ALIGN_UP(b->outer->offset, unit);
	uint64_t end = ALIGN_DOWN(b->outer->offset + b->outer->bytes, unit);

	if (begin >= end) {
		finish(b, 0);
		return;
	}
	b->part = b->outer->bytes;
	submit_sub(b, BLOCK_OP_DISCARD, begin, NULL, end - begin, piece_done);
}

/* The next piece. */
static void step(struct bounce *b)
{
	const struct block_req *o = b->outer;
	uint64_t at = o->offset + b->pos, left = o->bytes - b->pos;
	uint32_t unit = b->n->align;

	if (!left) {
		finish(b, 0);
		return;
	}
	if (o->op == BLOCK_OP_DISCARD) {
		discard_inner(b);
		return;
	}
	if (o->op == BLOCK_OP_ZERO && !(at & (unit - 1)) && left >= unit) {
		b->part = ALIGN_DOWN(left, unit);
		submit_sub(b, BLOCK_OP_ZERO, at, NULL, b->part, piece_done);
		return;
	}
	b->base = ALIGN_DOWN(at, unit);
	b->part = MIN(left, b->base + BOUNCE_BYTES - at);
	if (o->op == BLOCK_OP_ZERO)
		b->part = MIN(left, b->base + unit - at);
	b->span = ALIGN_UP(at + b->part, unit) - b->base;
	if (o->op == BLOCK_OP_READ)
		submit_sub(b, BLOCK_OP_READ, b->base, b->buf, b->span, piece_done);
	else
		read_edges(b);
}

void block_align_submit(struct block_node *n, struct block_req *r)
{
	struct bounce *b;
	uint64_t bytes;

	if (n->bounces >= BOUNCES_MAX) {
		list_push_back(&n->bounce_waiting, &r->node);
		return;
	}
	n->bounces++;
	b = xzalloc(sizeof(*b));
	b->n = n;
	b->outer = r;
	b->sub = block_req_new(NULL, b);
	if (r->op != BLOCK_OP_DISCARD) {
		bytes = MIN(r->bytes + 2 * (uint64_t)n->align, BOUNCE_BYTES);
		b->buf = xaligned_zalloc(MAX(n->mem_align, 512u), ALIGN_UP(bytes, n->align));
	}
	step(b);
}
