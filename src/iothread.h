/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The object `iothread`, which QEMU's users give their disks so that these don't wait for the main loop. Here one loop has all devices and
 * never waits, so each iothread is that loop: the object is there to be named, and its numbers to be queried.
 */
#ifndef EVMM_IOTHREAD_H
#define EVMM_IOTHREAD_H

#include "src/object.h"

struct iothread {
	struct object obj;
	uint64_t poll_max_ns, poll_grow, poll_shrink, aio_max_batch, thread_pool_min,
		thread_pool_max;
};

extern const struct object_type iothread_type;

/* Counts the caller in, until iothread_put(). NULL with ERR when there is none of that id. */
struct iothread *iothread_get(struct object_set *set, const char *id, struct error *err);
void iothread_put(struct iothread *t); /* may be NULL */

#endif
