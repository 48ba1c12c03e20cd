/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walking a host's table of physical regions, as bus-master IDE and AHCI have them. A walk is a position in the
 * table; mapping moves it. Every descriptor is read once, into the walk. Loop thread.
 */
#ifndef EVMM_DEVICES_PRD_H
#define EVMM_DEVICES_PRD_H

#include "devices/block/ata.h"

struct prd_walk {
	uint64_t next;	  /* guest address of the next descriptor */
	uint64_t addr;	  /* what is left of the region at hand */
	uint32_t left;	  /* bytes of it */
	uint32_t entries; /* descriptors to come, at most */
};

/* Reads the next descriptor (there is one) into ADDR, LEFT and ENTRIES. False: it lies outside of memory. */
typedef bool prd_next_fn(struct machine *m, struct prd_walk *w);

/* See ata_port_ops.dma_map. */
bool prd_map(struct machine *m, struct prd_walk *w, prd_next_fn *next, struct ata_io *io,
	     size_t bytes, size_t unit);
static inline bool prd_at_end(const struct prd_walk *w)
{
	return !w->left && !w->entries;
}

extern const struct state_desc prd_walk_state;

#endif
