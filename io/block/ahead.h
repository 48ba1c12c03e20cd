/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What would make the loop wait for the host's file system, done by a worker before the loop does it: a command that opens an
 * image first has it opened and read here, and who has it locked found out; one that resizes it has it truncated. The same calls on the loop then find
 * all of it in the kernel's caches, or fail likewise; and a server that doesn't answer holds up that command alone. Loop thread.
 */
#ifndef EVMM_BLOCK_AHEAD_H
#define EVMM_BLOCK_AHEAD_H

#include <jansson.h>
#include "io/block/node.h"
#include "src/worker.h"

struct block_ahead;

/* ENDING: the worker pool is, and nothing more should be done. */
typedef void block_ahead_fn(void *opaque, bool ending);

/* The images that OPTIONS name, at any depth; DONE is never called from within. */
void block_ahead_open(struct worker_pool *pool, json_t *options, block_ahead_fn *done,
		      void *opaque);
/* The image of the disk or node NAME, which a device or drive is going to use. */
void block_ahead_attach(struct worker_pool *pool, const char *name, block_ahead_fn *done,
			void *opaque);
void block_ahead_resize(struct worker_pool *pool, struct block_node *n, uint64_t bytes,
			block_ahead_fn *done, void *opaque);

#endif
