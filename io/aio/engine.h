/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engines of io/aio share. Nothing outside of io/aio includes this. */
#ifndef EVMM_AIO_ENGINE_H
#define EVMM_AIO_ENGINE_H

#include "io/aio/aio.h"
#include "src/loop.h"

/* The largest transfer that one system call makes (MAX_RW_COUNT of the kernel). */
#define AIO_MAX_TRANSFER 0x7ffff000u
/* So many requests under way are a crowd, see loop_poller_set_crowd(). */
#define AIO_CROWD 8u

/*
 * While fewer than so many are with the devices, so few go to the kernel without waiting for the turn's end. A queue that comes back
 * all at once, as it does from a disk whose host collects interrupts, would else leave the disk idle until the guest has filled
 * it again: at depth 32 that costs a fifth of all requests. More calls for a queue that is
 * deep anyway only cost CPU time.
 */
#define AIO_STARVING_BELOW 8u
#define AIO_STARVING_BATCH 4u

static inline bool aio_devices_starve(unsigned collected, unsigned with_devices)
{
	return collected >= AIO_STARVING_BATCH && with_devices < AIO_STARVING_BELOW;
}

struct aio_memory;

struct aio_engine_ops {
	enum aio_engine engine;
	const char *name;
	size_t size; /* of the struct that begins with struct aio */
	bool (*init)(struct aio *a, struct error *err);
	void (*fini)(struct aio *a);
	/* Reads, writes and AIO_FSYNC; the others go to the workers. */
	void (*submit)(struct aio *a, struct aio_op *op);
	void (*file_init)(struct aio *a, struct aio_file *f); /* may be NULL */
	void (*file_fini)(struct aio *a, struct aio_file *f); /* may be NULL */
	/* aio_memory_set() and aio_memory_gone(); may be NULL. */
	void (*memory_is)(struct aio *a, const struct aio_memory *memory);
	void (*memory_goes)(struct aio *a, const void *at, uint64_t bytes);
};

/* Of a loop: memory that an engine may have the kernel know beforehand. */
struct aio_memory {
	struct list node;
	struct loop *loop;
	uint8_t *base;
	uint64_t bytes;	 /* 0: none */
	bool given_back; /* some of it: to register it anew would fetch that again */
};

extern const struct aio_engine_ops aio_threads_ops;
extern const struct aio_engine_ops aio_uring_ops, aio_native_ops; /* where built in */

struct aio {
	const struct aio_engine_ops *ops;
	struct loop *loop;
	struct aio_memory *memory; /* of the loop; never NULL */
	unsigned files;
	unsigned busy;	  /* callbacks under way: what they close must not take the engine away */
	struct list node; /* all engines of the process */
	struct worker_pool *workers;
};

/* Around what calls aio_complete(): after aio_leave() the engine may be gone. */
static inline void aio_enter(struct aio *a)
{
	a->busy++;
}
void aio_leave(struct aio *a);

/* Blocking, on a worker: the whole of OP, or what is left of it after the first PROGRESS bytes. */
int64_t aio_do_blocking(struct aio_op *op, uint64_t progress);
void aio_submit_to_worker(struct aio_op *op);
/*
 * The kernel's answer to a read, write or fsync: calls done, or has a worker see to the rest of a transfer that ended
 * early, or to one that the kernel could not do without waiting.
 */
void aio_complete(struct aio_op *op, int64_t res);

#endif
