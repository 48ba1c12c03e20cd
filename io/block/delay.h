/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests that a node keeps for a while: for nodes that play a slow disk. */
#ifndef EVMM_BLOCK_DELAY_H
#define EVMM_BLOCK_DELAY_H

#include "io/block/node.h"
#include "src/clock.h"

struct block_delay;

/* R's time has come. */
typedef void block_delay_fn(struct block_delay *d, struct block_req *r);

struct block_delay {
	struct list requests; /* by their deadlines */
	struct timer timer;
	block_delay_fn *go;
};

void block_delay_init(struct block_delay *d, struct loop *loop, const char *name,
		      block_delay_fn *go);
/* None waits any more. Also where init was never called. */
void block_delay_fini(struct block_delay *d);
/* R goes on NS later. Until then its node member is the delay's. */
void block_delay_add(struct block_delay *d, struct block_req *r, uint64_t ns);
/* All of them go on now. */
void block_delay_end_all(struct block_delay *d);

#endif
