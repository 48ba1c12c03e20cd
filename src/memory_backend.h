/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where guest RAM comes from: -object memory-backend-ram, -file and -memfd, and what -m means without one.
 *
 * A backend holds what the user asked for; memory_backend_map makes host memory of it, for one user. Start-up code: blocks.
 */
#ifndef EVMM_MEMORY_BACKEND_H
#define EVMM_MEMORY_BACKEND_H

#include "src/object.h"

struct memory_backend {
	struct object object;

	/* properties */
	uint64_t size; /* bytes */
	bool share, prealloc, merge, dump, reserve;
	char *host_nodes, *policy; /* "0-1,3"; default, preferred, bind or interleave */
	char *mem_path;		   /* file */
	uint64_t align;		   /* file; 0: as the file system has it */
	bool hugetlb, seal;	   /* memfd */
	uint64_t hugetlbsize;	   /* memfd; 0: the system's default */

	/* host side */
	int fd;		    /* -1: anonymous */
	uint64_t page_size; /* of the host's pages behind it */
	uint8_t *host;	    /* where it is mapped; NULL: nowhere */
};

extern const struct object_type memory_backend_ram_type, memory_backend_file_type,
	memory_backend_memfd_type;

/* The backend of that id, whichever of the types it is. */
struct memory_backend *memory_backend_find(const struct object_set *set, const char *id,
					   struct error *err);
/*
 * Maps all of it at AT, which is aligned to page_size and part of a mapping that it replaces. Then pages are bound to nodes, and with
 * prealloc all there. MERGE and DUMP false overrule its own. False: nothing is mapped (AT is still reserved).
 */
bool memory_backend_map(struct memory_backend *b, uint8_t *at, bool merge, bool dump,
			struct error *err);
/* Its pages are huge ones set apart by the host, which are never swapped out or moved. */
bool memory_backend_is_hugetlb(const struct memory_backend *b);
/* Are BYTES to be had without anybody being killed for them? Else ERR says how many are. */
bool host_has_memory(uint64_t bytes, bool or_swap, struct error *err);
/* After the caller has unmapped it. */
void memory_backend_unmapped(struct memory_backend *b);

#endif
