/* SPDX-License-Identifier: BSD-2-Clause */
/* What a disk has done: counters and latency histograms. */
#include "io/block/stats.h"

enum block_acct block_stats_kind(enum block_op op)
{
	switch (op) {
	case BLOCK_OP_READ:
		return BLOCK_ACCT_READ;
	case BLOCK_OP_FLUSH:
		return BLOCK_ACCT_FLUSH;
	case BLOCK_OP_DISCARD:
		return BLOCK_ACCT_UNMAP;
	default:
		return BLOCK_ACCT_WRITE;
	}
}

void block_stats_init(struct block_stats *s)
{
	memset(s, 0, sizeof(*s));
	s->account_failed = s->account_invalid = true;
}

static void histogram_add(struct block_histogram *h, uint64_t ns)
{
	unsigned lo = 0, hi = h->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (ns < h->bounds_ns[mid])
			hi = mid;
		else
			lo = mid + 1;
	}
	h->counts[lo]++;
}

void block_stats_done(struct block_stats *s, enum block_op op, uint64_t offset, uint64_t bytes,
		      int64_t latency_ns, int64_t now_ns, bool failed)
{
	__typeof__(&s->of[0]) of = &s->of[block_stats_kind(op)];
	uint64_t ns = latency_ns > 0 ? (uint64_t)latency_ns : 0;

	if (of->histogram.n)
		histogram_add(&of->histogram, ns);
	if (failed) {
		of->failed++;
		if (s->account_failed) {
			s->last_access_ns = now_ns;
			of->total_ns += ns;
		}
		return;
	}
	s->last_access_ns = now_ns;
	of->bytes += bytes;
	of->ops++;
	of->total_ns += ns;
	of->max_ns = MAX(of->max_ns, ns);
	if (op == BLOCK_OP_WRITE || op == BLOCK_OP_ZERO)
		s->highest_offset = MAX(s->highest_offset, offset + bytes);
}

void block_stats_invalid(struct block_stats *s, enum block_op op, int64_t now_ns)
{
	s->of[block_stats_kind(op)].invalid++;
	if (s->account_invalid)
		s->last_access_ns = now_ns;
}

bool block_histogram_set(struct block_histogram *h, const uint64_t *bounds_ns, unsigned n)
{
	if (n > BLOCK_HISTOGRAM_MAX)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (bounds_ns[i] == 0 || (i && bounds_ns[i] <= bounds_ns[i - 1]))
			return false;
	memset(h, 0, sizeof(*h));
	h->n = n;
	if (n)
		memcpy(h->bounds_ns, bounds_ns, n * sizeof(*bounds_ns));
	return true;
}
