/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of aio=io_uring: the ring that interrupts complete (uring.c), the one whose device is asked (uring_poll.c),
 * and memory that a ring knows beforehand (uring_memory.c).
 * Nothing outside of io/aio includes this.
 */
#ifndef EVMM_AIO_URING_H
#define EVMM_AIO_URING_H

#include <liburing.h>
#include "io/aio/engine.h"
#include "src/clock.h"

#define URING_SQ_ENTRIES 256u
#define URING_CQ_ENTRIES 4096u
#define URING_FILES_MAX	 1024u

/* One stretch of memory, as a ring knows it. All zero: none. */
struct uring_memory {
	struct io_uring *ring;
	struct loop_work work;
	uint8_t *base;
	uint64_t bytes, piece_bytes;
	unsigned n_pieces, next; /* to be registered */
	uint8_t *pieces;	 /* what each is */
};

void uring_memory_init(struct uring_memory *m, struct io_uring *ring, struct loop *loop);
void uring_memory_fini(struct uring_memory *m);
/* Begins to register it. A second time in a ring's life nothing happens. */
void uring_memory_set(struct uring_memory *m, const struct aio_memory *memory);
void uring_memory_gone(struct uring_memory *m, const void *at, uint64_t bytes);
/* The registered piece that IOV lies in, or -1. */
int uring_memory_find(const struct uring_memory *m, const struct iovec *iov);

/* A read or write as an SQE, for the ring that MEMORY belongs to. */
void uring_fill_transfer(struct io_uring_sqe *sqe, struct aio_op *op,
			 const struct uring_memory *memory);
/* An SQE for OP, which may hand those before it to the kernel to make room; UNSUBMITTED counts them. NULL: there is no room now. */
struct io_uring_sqe *uring_get_sqe(struct io_uring *ring, unsigned *unsubmitted);
/* All that has been prepared, to the kernel. What it does not take now stays for the next time. */
void uring_flush(struct io_uring *ring, unsigned *unsubmitted);

/*
 * The polled ring (IORING_SETUP_IOPOLL). Made when the first file that can be polled has a request for it; while there is none, its
 * functions do nothing.
 */
struct uring_poll {
	struct io_uring ring;
	struct uring_memory memory;
	struct loop *loop;
	bool made, failed;
	bool registered;   /* files can be */
	unsigned inflight; /* given to the ring, not yet reaped */
	unsigned unsubmitted;
	struct timer look; /* something is in flight: the loop sleeps no longer than to this */
	int64_t event_ns;  /* of the last submission or completion */
	int64_t not_before_ns;
};

void uring_poll_init(struct uring_poll *p, struct loop *loop);
void uring_poll_fini(struct uring_poll *p);
/* Whether the device of the file, which has O_DIRECT, can be polled. */
bool uring_poll_possible(int fd);
void uring_poll_file_fini(struct uring_poll *p, const struct aio_file *f);
/* True: taken. False: the request is one for the other ring. */
bool uring_poll_take(struct uring_poll *p, struct aio_op *op);
/* The loop's submit phase. Returns true when it had something to hand over. */
bool uring_poll_submit(struct uring_poll *p);
/* Asks the devices. How many completions there are to be reaped. */
unsigned uring_poll_look(struct uring_poll *p);
/* The next of them; NULL when there is none. */
struct aio_op *uring_poll_reap(struct uring_poll *p, int *res);

#endif
