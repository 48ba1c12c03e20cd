/* SPDX-License-Identifier: BSD-2-Clause */
/* What a disk has done, as query-blockstats tells it. */
#ifndef EVMM_BLOCK_STATS_H
#define EVMM_BLOCK_STATS_H

#include "io/block/block.h"

/* As query-blockstats has them: a write of zeroes is a write. */
enum block_acct { BLOCK_ACCT_READ, BLOCK_ACCT_WRITE, BLOCK_ACCT_FLUSH, BLOCK_ACCT_UNMAP };
#define BLOCK_ACCTS 4

#define BLOCK_HISTOGRAM_MAX 32

/* Latencies up to bounds[0], up to bounds[1], ..., and the rest. */
struct block_histogram {
	unsigned n; /* bounds; 0: off */
	uint64_t bounds_ns[BLOCK_HISTOGRAM_MAX];
	uint64_t counts[BLOCK_HISTOGRAM_MAX + 1];
};

struct block_stats {
	struct {
		uint64_t bytes, ops, failed, invalid, merged;
		uint64_t total_ns, max_ns;
		struct block_histogram histogram;
	} of[BLOCK_ACCTS];
	uint64_t highest_offset; /* written, end of it */
	int64_t last_access_ns;	 /* host clock; 0: never */
	bool account_invalid, account_failed;
};

enum block_acct block_stats_kind(enum block_op op);
void block_stats_init(struct block_stats *s);
void block_stats_done(struct block_stats *s, enum block_op op, uint64_t offset, uint64_t bytes,
		      int64_t latency_ns, int64_t now_ns, bool failed);
void block_stats_invalid(struct block_stats *s, enum block_op op, int64_t now_ns);
/* BOUNDS rise; false when they don't or are too many. N 0: off. Counts begin anew. */
bool block_histogram_set(struct block_histogram *h, const uint64_t *bounds_ns, unsigned n);

#endif
