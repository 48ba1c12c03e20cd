/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pages of a RAM region have been written: by the guest, by DMA, by whoever else says so. For what shows or copies memory
 * again and again, and would rather not look at all of it.
 *
 * A page's bit is set before its first write; taking the log clears the bits and has the accelerator notice the next
 * write. A processor may know meanwhile that it has noted a page and write on, so when it takes note of the wish (it is not
 * waited for) it marks the pages it might have written once more. Until it has, what was taken is taken again.
 * So the log tells of pages too many at times, never of one too few.
 *
 *	loop					vCPU of the software CPU
 *	bits -> taken, cleared			first write to a page: bit set, in BITS and in HELD; then fast
 *	ticket, VCPU_REQ_DIRTY  ------------->	HELD ored into BITS and cleared; fast writes end; ticket served
 */
#ifndef EVMM_DIRTY_LOG_H
#define EVMM_DIRTY_LOG_H

#include "src/memory.h"

#define DIRTY_LOGS_MAX 16 /* of a machine */
#define DIRTY_PAGE     4096

struct dirty_log {
	struct region *region;
	uint64_t words;	 /* of each of the bitmaps: a bit a page */
	uint64_t *bits;	 /* any thread, atomic */
	uint64_t *taken; /* by the last taker; the loop's */
	uint64_t ticket; /* which vCPUs were given then */
	bool begun; /* not all vCPUs know yet that they are to note: all pages are taken, once more after they do */
	uint64_t **held; /* by vCPU, its own */
};

/*
 * For R, RAM; every page counts as written. It may be in use by guests. The log stays with the machine, for vCPUs may still look at it
 * when the region is gone. NULL: there are too many.
 */
struct dirty_log *dirty_log_new(struct machine *m, struct region *r);
/* Off: nothing is noted, at no cost. On again: every page counts as written. */
void dirty_log_set_enabled(struct machine *m, struct dirty_log *log, bool on);
void dirty_logs_free(struct machine *m);

/* Any thread. */
static inline void dirty_log_mark_page_mt(struct dirty_log *log, uint64_t page)
{
	uint64_t bit = 1ull << (page & 63);

	if (!(__atomic_load_n(&log->bits[page >> 6], __ATOMIC_SEQ_CST) & bit))
		__atomic_fetch_or(&log->bits[page >> 6], bit, __ATOMIC_SEQ_CST);
}
/* BYTES from OFFSET on in the region are about to be written, or just were; 0: nothing. */
void dirty_log_mark_mt(struct dirty_log *log, uint64_t offset, uint64_t bytes);

/*
 * Loop thread. The pages written since the last call, into PAGES (log->words words); false: none. There is one taker. Memory is
 * to be read afterwards.
 */
bool dirty_log_take(struct machine *m, struct dirty_log *log, uint64_t *pages);
/* Is any of these pages in PAGES? LAST is inclusive. */
bool dirty_log_any(const uint64_t *pages, uint64_t first, uint64_t last);

/* ---- the software CPU, vCPU thread ---- */

/* vCPU VCPU is going to write PAGE and will not say so again. */
static inline void dirty_log_hold(struct dirty_log *log, unsigned vcpu, uint64_t page)
{
	log->held[vcpu][page >> 6] |= 1ull << (page & 63);
	dirty_log_mark_page_mt(log, page);
}
/* It has given up writing without saying so. */
void dirty_log_release(struct machine *m, unsigned vcpu);

#endif
