/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How what a flash chip has stored gets to its drive: behind the guest's back, one request at a time, in the order in which it
 * was stored, flushed when there is no more. Loop thread.
 *
 *	changed --> queue (copies) --> in flight --> written --> queue empty: flush
 *	                                        \--> failed: said once, lost; goes along with the next change, or after a reset
 *
 * When a drive is so slow that the queue is full, what comes then becomes one with its last change, and only that is written in
 * no order.
 */
#ifndef EVMM_PFLASH_STORE_H
#define EVMM_PFLASH_STORE_H

#include "io/block/block.h"

#define PFLASH_STORE_CHANGES 64
#define PFLASH_STORE_MERGED  4096 /* bytes that follow each other become one change, up to this */

struct pflash_change {
	uint64_t at;
	uint64_t n;
	uint8_t *bytes; /* heap; NULL: what the flash has when its turn comes */
};

struct pflash_store {
	struct block *block;
	const uint8_t *bytes; /* the flash's */
	const char *name;     /* for messages */

	struct block_req req;
	struct iovec iov;
	struct pflash_change queue[PFLASH_STORE_CHANGES];
	unsigned first, n; /* the first one is that in flight */
	uint64_t lost_at, lost_end;
	bool in_flight, flush_wanted, failed;
};

void pflash_store_init(struct pflash_store *s, struct block *block, const uint8_t *bytes,
		       const char *name);
/* Nothing may be in flight. */
void pflash_store_fini(struct pflash_store *s);
/* N bytes at AT of the flash are other ones now. */
void pflash_store_changed(struct pflash_store *s, uint64_t at, uint64_t n);
/* What was lost is written once more. */
void pflash_store_retry(struct pflash_store *s);
bool pflash_store_busy(const struct pflash_store *s);

#endif
