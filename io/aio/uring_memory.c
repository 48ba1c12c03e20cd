/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory that a ring knows beforehand (IORING_REGISTER_BUFFERS): the kernel need not look up and hold each page for each
 * request of one stretch, which is a tenth of the CPU time of 4 KiB, and more than half of that of 1 MiB.
 *
 * What is registered is held in RAM, and the ring keeps to those very pages. So only memory is taken of which the same is true anyway
 * (aio_memory_set() says which), and a piece is let go before its pages are given back.
 *
 * It is registered in pieces, one a turn of the loop, for the kernel goes through all pages. A request that lies in no piece, or in
 * two, names its memory by address as without all this; likewise when the kernel refuses to register (RLIMIT_MEMLOCK, files on a disk).
 */
#include <stdlib.h>
#include "io/aio/uring.h"
#include "src/log.h"

/* A millisecond's worth of pages, unless there would be more pieces than a ring takes (IORING_MAX_REG_BUFFERS). */
#define PIECE_MIN_BYTES (32 * MiB)
#define PIECE_MAX_BYTES (1 * GiB)
#define PIECES_MAX	16384u

enum { PIECE_NEW, PIECE_REGISTERED, PIECE_GONE };

static struct iovec piece_at(const struct uring_memory *m, unsigned i)
{
	uint64_t offset = i * m->piece_bytes;

	return (struct iovec){m->base + offset, MIN(m->bytes - offset, m->piece_bytes)};
}

/* One piece. */
static void register_some(void *opaque)
{
	struct uring_memory *m = opaque;
	struct iovec iov;
	__u64 tag = 0;
	int rc;

	while (m->next < m->n_pieces && m->pieces[m->next] != PIECE_NEW)
		m->next++;
	if (m->next == m->n_pieces)
		return;
	iov = piece_at(m, m->next);
	rc = io_uring_register_buffers_update_tag(m->ring, m->next, &iov, &tag, 1);
	if (rc != 1) {
		log_printf(LOG_TRACE, "io_uring: of %u pieces of guest memory %u registered: %s\n",
			   m->n_pieces, m->next, strerror(rc < 0 ? -rc : ENOMEM));
		m->next = m->n_pieces;
		return;
	}
	m->pieces[m->next++] = PIECE_REGISTERED;
	loop_work_schedule(&m->work);
}

void uring_memory_init(struct uring_memory *m, struct io_uring *ring, struct loop *loop)
{
	*m = (struct uring_memory){.ring = ring};
	loop_work_init(&m->work, loop, "io_uring-memory", register_some, m);
}

void uring_memory_fini(struct uring_memory *m)
{
	if (!m->ring)
		return;
	loop_work_cancel(&m->work);
	free(m->pieces);
	*m = (struct uring_memory){0};
}

void uring_memory_set(struct uring_memory *m, const struct aio_memory *memory)
{
	uint64_t piece = PIECE_MIN_BYTES, bytes = memory->bytes;

	/* A table is made once in a ring's life: to take it down would wait for requests. */
	if (!m->ring || m->pieces || !bytes || memory->given_back)
		return;
	while (bytes / piece >= PIECES_MAX)
		piece *= 2;
	if (piece > PIECE_MAX_BYTES)
		return;
	m->n_pieces = (unsigned)((bytes + piece - 1) / piece);
	if (io_uring_register_buffers_sparse(m->ring, m->n_pieces) < 0) {
		m->n_pieces = 0;
		return;
	}
	m->base = memory->base;
	m->bytes = bytes;
	m->piece_bytes = piece;
	m->pieces = xzalloc(m->n_pieces);
	loop_work_schedule(&m->work);
}

void uring_memory_gone(struct uring_memory *m, const void *at, uint64_t bytes)
{
	uint64_t from = (uint64_t)((const uint8_t *)at - m->base), to = from + bytes;
	struct iovec none = {NULL, 0};
	__u64 tag = 0;

	if (!m->pieces || !bytes || (const uint8_t *)at < m->base || to > m->bytes)
		return;
	for (uint64_t i = from / m->piece_bytes; i <= (to - 1) / m->piece_bytes; i++) {
		if (m->pieces[i] == PIECE_REGISTERED)
			io_uring_register_buffers_update_tag(m->ring, (unsigned)i, &none, &tag, 1);
		m->pieces[i] = PIECE_GONE;
	}
}

int uring_memory_find(const struct uring_memory *m, const struct iovec *iov)
{
	uint64_t offset = (uint64_t)((const uint8_t *)iov->iov_base - m->base), i;

	if (!m->pieces || (const uint8_t *)iov->iov_base < m->base || offset >= m->bytes ||
	    iov->iov_len > m->bytes - offset || !iov->iov_len)
		return -1;
	i = offset / m->piece_bytes;
	if (m->pieces[i] != PIECE_REGISTERED || (offset + iov->iov_len - 1) / m->piece_bytes != i)
		return -1;
	return (int)i;
}
