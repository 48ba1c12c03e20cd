/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asynchronous file I/O: one interface, three engines behind it (QEMU's aio= names them).
 *
 *	io_uring	one ring for the loop; what a turn has collected is submitted once, completions are
 *			taken from the shared ring by a poller, an eventfd ends the loop's sleep
 *	native		Linux AIO: as above with io_submit(2); only with O_DIRECT files does it not block
 *	threads		preadv(2) and the like on worker threads
 *
 * An engine is made when the first file asks for it and ends with the last one. Requests are members of
 * their owners; nothing is allocated for one. All of it on the loop thread.
 */
#ifndef EVMM_AIO_H
#define EVMM_AIO_H

#include <sys/uio.h>
#include "config.h"
#ifdef HAVE_LIBAIO
#include <libaio.h>
#endif
#include "src/error.h"
#include "src/worker.h"

struct loop;
struct aio;
struct aio_op;

/* DEFAULT: io_uring where the kernel allows it, else threads (which is said, once). */
enum aio_engine { AIO_DEFAULT, AIO_IO_URING, AIO_NATIVE, AIO_THREADS };

enum aio_kind {
	AIO_READ,
	AIO_WRITE,
	AIO_FSYNC,   /* fdatasync(2) */
	AIO_DISCARD, /* bytes may be deallocated; what they read as is open */
	AIO_ZERO,    /* bytes shall read as zeroes */
};

#define AIO_FUA	  1u /* of a write: on stable storage when done */
#define AIO_UNMAP 2u /* of AIO_ZERO: may deallocate */

struct aio_file {
	struct aio *aio;
	int fd;
	int slot;	/* among the ring's registered files; -1: none */
	bool is_device; /* a block device, not a regular file */
	bool in_memory; /* in a tmpfs */
	bool direct;	/* has O_DIRECT */
	/* io_uring: the device may be asked for completions; its polled ring has met the file, and has it in SLOT too. */
	bool can_poll, poll_known, poll_slot;
};

/* RET: bytes transferred (fewer than asked only at the end of the file), 0 for the kinds that transfer none, or -errno. */
typedef void aio_done_fn(struct aio_op *op, int64_t ret);

struct aio_op {
	/* the owner's */
	struct aio_file *file;
	enum aio_kind kind;
	unsigned flags;
	const struct iovec *iov; /* valid until done */
	unsigned n_iov;		 /* at most IOV_MAX */
	uint64_t offset, bytes;
	aio_done_fn *done; /* never from within aio_submit() */
	/* the engine's, until done */
	struct aio *aio;
	struct list node;
	int64_t ret;
	struct worker_job job;
#ifdef HAVE_LIBAIO
	struct iocb iocb;
#endif
};

/* FD stays the caller's. False, with ERR, when the engine cannot be had. */
bool aio_file_init(struct aio_file *f, struct loop *loop, enum aio_engine engine, int fd,
		   struct error *err);
/* No request may be in flight. */
void aio_file_fini(struct aio_file *f);
/* "io_uring", "native" or "threads": what the file really uses. */
const char *aio_file_engine(const struct aio_file *f);

void aio_submit(struct aio_op *op);

/*
 * One stretch of memory of which requests are made, and whose pages stay the same and in RAM until aio_memory_gone() (they are locked, or huge
 * pages): an engine may register it with the kernel, in the course of the loop's next turns. Requests of other memory are as good, only dearer.
 */
void aio_memory_set(struct loop *loop, void *base, uint64_t bytes);
/* The pages there are about to be given back or unmapped. No request of them may be in flight. */
void aio_memory_gone(struct loop *loop, const void *at, uint64_t bytes);
/* There is none any more. */
void aio_memory_unset(struct loop *loop);

/* A blocking function on the engine's worker threads. */
void aio_run_in_worker(struct aio_file *f, struct worker_job *job, worker_fn *run, worker_fn *done);

/* "io_uring", "native", "threads". */
bool aio_engine_parse(const char *name, enum aio_engine *engine);

#endif
