/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests on their way through the graph, and vectors of memory. */
#include <stdlib.h>
#include "io/block/node.h"
#include "src/loop.h"

static bool is_write(const struct block_req *r)
{
	return r->op == BLOCK_OP_WRITE || r->op == BLOCK_OP_ZERO || r->op == BLOCK_OP_DISCARD;
}

static void detected_zeroes_up(struct block_node *n, struct block_req *r, int ret)
{
	r->op = BLOCK_OP_WRITE;
	block_req_complete(r, ret);
}

/* detect-zeroes= */
static void detect_zeroes(struct block_node *n, struct block_req *r)
{
	if (r->op != BLOCK_OP_WRITE || !iov_is_zero(r->iov, r->n_iov))
		return;
	block_req_push(r, n, detected_zeroes_up, 0);
	r->op = BLOCK_OP_ZERO;
	if (n->flags.zeroes_unmap)
		r->flags |= BLOCK_UNMAP;
}

void block_node_submit(struct block_node *n, struct block_req *r)
{
	if (unlikely(n->flags.detect_zeroes))
		detect_zeroes(n, r);
	if (!n->flags.discard) {
		if (r->op == BLOCK_OP_DISCARD) {
			block_req_complete(r, 0);
			return;
		}
		r->flags &= (uint8_t)~BLOCK_UNMAP;
	}
	if (n->serial_unit && is_write(r) && !block_serial_enter(n, r))
		return;
	block_node_submit_now(n, r);
}

void block_node_submit_now(struct block_node *n, struct block_req *r)
{
	if (unlikely(block_align_needed(n, r)))
		block_align_submit(n, r);
	else
		n->drv->submit(n, r);
}

void block_req_complete(struct block_req *r, int ret)
{
	const struct block_frame *f;

	if (!r->depth) {
		r->complete(r, ret);
		return;
	}
	f = &r->frames[--r->depth];
	f->up(f->node, r, ret);
}

void block_req_set(struct block_req *r, enum block_op op, uint64_t offset, uint64_t bytes,
		   const struct iovec *iov, unsigned n_iov, unsigned flags)
{
	r->op = op;
	r->flags = (uint8_t)flags;
	r->offset = offset;
	r->bytes = bytes;
	r->iov = iov;
	r->n_iov = n_iov;
	r->depth = 0;
}

/* ---- requests of the nodes' own ---- */

#define POOL_MAX 64

static struct list pool = {&pool, &pool};
static unsigned pooled;

struct block_req *block_req_new(void (*complete)(struct block_req *r, int ret), void *owner)
{
	struct block_req *r;

	LOOP_ASSERT();
	if (list_empty(&pool)) {
		r = xzalloc(sizeof(*r));
	} else {
		r = list_first(&pool, struct block_req, node);
		list_remove(&r->node);
		pooled--;
	}
	list_init(&r->node);
	r->complete = complete;
	r->owner = owner;
	return r;
}

void block_req_free(struct block_req *r)
{
	if (!r)
		return;
	if (pooled >= POOL_MAX) {
		free(r);
		return;
	}
	list_push_back(&pool, &r->node);
	pooled++;
}

void block_req_pool_empty(void)
{
	while (!list_empty(&pool)) {
		struct block_req *r = list_first(&pool, struct block_req, node);

		list_remove(&r->node);
		free(r);
	}
	pooled = 0;
}

/* ---- vectors ---- */

uint64_t iov_bytes(const struct iovec *iov, unsigned n)
{
	uint64_t total = 0;

	for (unsigned i = 0; i < n; i++)
		if (__builtin_add_overflow(total, iov[i].iov_len, &total))
			return UINT64_MAX;
	return total;
}

void iov_copy_out(const struct iovec *iov, unsigned n, uint64_t skip, void *buf, size_t bytes)
{
	uint8_t *p = buf;

	for (unsigned i = 0; i < n && bytes; i++) {
		size_t m;

		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		m = MIN(iov[i].iov_len - skip, bytes);
		memcpy(p, (const uint8_t *)iov[i].iov_base + skip, m);
		p += m;
		bytes -= m;
		skip = 0;
	}
}

void iov_copy_in(const struct iovec *iov, unsigned n, uint64_t skip, const void *buf, size_t bytes)
{
	const uint8_t *p = buf;

	for (unsigned i = 0; i < n && bytes; i++) {
		size_t m;

		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		m = MIN(iov[i].iov_len - skip, bytes);
		memcpy((uint8_t *)iov[i].iov_base + skip, p, m);
		p += m;
		bytes -= m;
		skip = 0;
	}
}

void iov_zero_from(const struct iovec *iov, unsigned n, uint64_t skip)
{
	for (unsigned i = 0; i < n; i++) {
		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		memset((uint8_t *)iov[i].iov_base + skip, 0, iov[i].iov_len - skip);
		skip = 0;
	}
}

unsigned iov_slice(const struct iovec *iov, unsigned n, uint64_t skip, uint64_t bytes,
		   struct iovec *out, unsigned max)
{
	unsigned k = 0;

	for (unsigned i = 0; i < n && bytes; i++) {
		if (skip >= iov[i].iov_len) {
			skip -= iov[i].iov_len;
			continue;
		}
		if (k == max)
			return 0;
		out[k].iov_base = (uint8_t *)iov[i].iov_base + skip;
		out[k].iov_len = MIN(iov[i].iov_len - skip, bytes);
		bytes -= out[k].iov_len;
		skip = 0;
		k++;
	}
	return k;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	/* All equal to their successor, and the first is zero. */
	return !n || (!p[0] && !memcmp(p, p + 1, n - 1));
}

bool iov_is_zero(const struct iovec *iov, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!is_zero(iov[i].iov_base, iov[i].iov_len))
			return false;
	return true;
}
