/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of physical regions: from a position to pieces of host memory. */
#include "devices/block/prd.h"

static bool prd_step(struct machine *m, struct prd_walk *w, prd_next_fn *next)
{
	return w->left || !w->entries || next(m, w);
}

/* Moves on without mapping; what is passed over has been read before. */
static void prd_skip(struct machine *m, struct prd_walk *w, prd_next_fn *next, size_t bytes)
{
	while (bytes && prd_step(m, w, next) && w->left) {
		size_t n = MIN(bytes, w->left);

		w->addr += n;
		w->left -= n;
		bytes -= n;
	}
}

static void prd_drop_pieces(struct machine *m, struct ata_io *io, size_t bytes)
{
	while (bytes) {
		struct iovec *last = &io->iov[io->n_iov - 1];
		size_t n = MIN(bytes, last->iov_len);

		last->iov_len -= n;
		dma_unmap(m, io->gpa[io->n_iov - 1] + last->iov_len,
			  (char *)last->iov_base + last->iov_len, n, false);
		if (!last->iov_len)
			io->n_iov--;
		io->bytes -= n;
		bytes -= n;
	}
}

bool prd_map(struct machine *m, struct prd_walk *w, prd_next_fn *next, struct ata_io *io,
	     size_t bytes, size_t unit)
{
	struct prd_walk begin = *w;

	while (io->bytes < bytes && io->n_iov < ATA_IOVS) {
		size_t n;
		void *host;

		if (!prd_step(m, w, next))
			return false;
		if (!w->left)
			break; /* the table's end */
		n = MIN(bytes - io->bytes, w->left);
		host = dma_map(m, w->addr, &n, io->to_host);
		if (!host)
			return false;
		io->gpa[io->n_iov] = w->addr;
		io->iov[io->n_iov++] = (struct iovec){host, n};
		io->bytes += n;
		w->addr += n;
		w->left -= n;
	}
	if (io->bytes % unit) {
		prd_drop_pieces(m, io, io->bytes % unit);
		*w = begin;
		prd_skip(m, w, next, io->bytes);
	}
	return true;
}

const struct state_desc prd_walk_state = {
	.name = "prd",
	.version = 1,
	.span_offset = 0,
	.span_bytes = sizeof(struct prd_walk),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(prd_walk, next),
			STATE_FIELD(prd_walk, addr),
			STATE_FIELD(prd_walk, left),
			STATE_FIELD(prd_walk, entries),
			STATE_END,
		},
};
