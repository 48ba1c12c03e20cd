/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page walks: linear to physical by the guest's own tables (SDM 3A, chapter 4). Private to the mmu files.
 */
#ifndef EVMM_CPU_MMU_WALK_H
#define EVMM_CPU_MMU_WALK_H

#include "src/cpu/mmu.h"

/* Page-fault error code (SDM 3A 4.7) */
#define PF_P	BIT(0)
#define PF_W	BIT(1)
#define PF_U	BIT(2)
#define PF_RSVD BIT(3)
#define PF_I	BIT(4)

struct walk {
	uint64_t phys;		/* of the 4 KiB page around the address */
	uint32_t error;		/* when the walk failed: the error code */
	uint8_t shift;		/* of the page: 12, 21, 22, 30 */
	bool read, write, exec; /* what the privilege may do; write only once D is set */
	bool global;
};

/*
 * Walks for an access by the privilege that table INDEX stands for (MMU_USER, MMU_KERNEL_SMAP, MMU_KERNEL), setting A
 * and D as the processor does. False: w->error. LIN is canonical; paging is on.
 */
bool mmu_walk(struct cpu *c, uint64_t lin, enum mmu_access access, unsigned index, struct walk *w);

/* The range that PHYS lies in, or NULL; remembers the last one. */
static inline const struct view_range *mmu_range(struct cpu *c, uint64_t phys)
{
	const struct view_range *r = c->last_range;

	if (likely(r && phys >= r->start && phys <= r->last))
		return r;
	r = view_find(c->view, phys);
	if (r)
		c->last_range = r;
	return r;
}

/* Host address of SIZE bytes of RAM or ROM at PHYS; NULL unless all of them are in one range. */
static inline uint8_t *mmu_host(struct cpu *c, uint64_t phys, uint64_t size, bool *rom)
{
	const struct view_range *r = mmu_range(c, phys);

	if (unlikely(!r || r->kind == REGION_IO || r->last - phys < size - 1))
		return NULL;
	*rom = r->kind != REGION_RAM;
	return r->host + (phys - r->start);
}

#endif
