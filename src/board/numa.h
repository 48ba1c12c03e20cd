/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's NUMA nodes, as -numa has them: which memory, which processors, how far from each other. */
#ifndef EVMM_BOARD_NUMA_H
#define EVMM_BOARD_NUMA_H

#include "src/error.h"

struct machine_config;

#define NUMA_MAX_NODES	    64
#define NUMA_LOCAL_DISTANCE 10
#define NUMA_FAR_DISTANCE   20
#define NUMA_NO_NODE	    255

struct numa_node {
	bool present;
	bool has_mem;
	uint64_t bytes;	    /* filled in by numa_complete where it isn't given */
	const char *memdev; /* id of a memory backend; NULL: plain RAM */
};

struct numa {
	unsigned n; /* nodes 0 to n-1 */
	struct numa_node nodes[NUMA_MAX_NODES];
	uint8_t cpu_node[256]; /* NUMA_NO_NODE: not given */
	bool has_distances;
	uint8_t distance[NUMA_MAX_NODES][NUMA_MAX_NODES]; /* 0: not given */
};

/* One -numa option: "node,...", "dist,..." or "cpu,...". Strings are kept: ARG stays. */
bool numa_parse(struct numa *numa, const struct machine_config *c, const char *arg,
		struct error *err);
/* What isn't given gets its default; sums are checked. Sizes of memdevs are not known yet, and left. */
bool numa_complete(struct numa *numa, const struct machine_config *c, struct error *err);

#endif
