/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's page tables, read as its processor would (SDM 3A, chapter 4), without accessed bits, permissions checks or
 * faults. Tables are the guest's, who may write anything into them: what isn't there reads as not present.
 */
#ifndef EVMM_PAGING_H
#define EVMM_PAGING_H

#include "src/machine.h"

#define PTE_P	BIT64(0)
#define PTE_RW	BIT64(1)
#define PTE_US	BIT64(2)
#define PTE_PWT BIT64(3)
#define PTE_PCD BIT64(4)
#define PTE_A	BIT64(5)
#define PTE_D	BIT64(6)
#define PTE_PS	BIT64(7)
#define PTE_G	BIT64(8)
#define PTE_XD	BIT64(63)

#define PAGING_LEVELS 5

struct paging_page {
	uint64_t linear, bytes;
	gpa_t gpa;
	uint64_t entry;	 /* the last level's */
	uint64_t rights; /* PTE_RW and PTE_US that all levels give, PTE_XD that any takes */
};

/* All mappings in the order of their linear addresses, some at a time. */
struct paging_walk {
	struct machine *machine;
	bool enabled; /* else there is no paging, and nothing to be found */
	unsigned levels, entry_bytes, index_bits;
	bool sign_extend;
	unsigned level;	 /* the table that is being read; 0: the end */
	unsigned tables; /* read so far */
	struct paging_table {
		unsigned next; /* entry to be looked at */
		uint64_t linear, rights;
		uint8_t bytes[4096];
	} table[PAGING_LEVELS + 1];
};

void paging_walk_init(struct paging_walk *w, struct machine *m, const struct x86_regs *r);
/* Looks at up to *BUDGET entries, which it counts down. True: PAGE is one; false: the budget is used up, or it is the end. */
bool paging_walk_next(struct paging_walk *w, struct paging_page *page, unsigned *budget);
static inline bool paging_walk_ended(const struct paging_walk *w)
{
	return !w->level;
}

#endif
