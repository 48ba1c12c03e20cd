/* SPDX-License-Identifier: BSD-2-Clause */
/* null-co: a disk that takes everything and gives nothing, for measuring what is above it. */
#include "io/block/delay.h"
#include "io/block/drivers.h"
#include "src/loop.h"

struct null_disk {
	struct block_node n;
	uint64_t latency_ns;
	bool read_zeroes;
	struct block_delay delay;
};

static void null_go(struct block_delay *delay, struct block_req *r)
{
	block_req_complete(r, 0);
}

static bool null_open(struct block_node *n, struct block_options *o, struct error *err)
{
	struct null_disk *d = container_of(n, struct null_disk, n);

	block_delay_init(&d->delay, n->loop, "null-co", null_go);
	n->bytes = 1 * GiB;
	n->limits.discard = true;
	if (!block_options_size(o, "size", &n->bytes, err) ||
	    !block_options_u64(o, "latency-ns", &d->latency_ns, err) ||
	    !block_options_bool(o, "read-zeroes", &d->read_zeroes, err))
		return false;
	/* Too much for a disk is refused as it is, by whoever has called. */
	if (n->bytes <= BLOCK_MAX_BYTES)
		n->bytes = ALIGN_UP(n->bytes, BLOCK_SECTOR);
	return true;
}

static void null_close(struct block_node *n)
{
	block_delay_fini(&container_of(n, struct null_disk, n)->delay);
}

static void null_submit(struct block_node *n, struct block_req *r)
{
	struct null_disk *d = container_of(n, struct null_disk, n);

	if (d->read_zeroes && r->op == BLOCK_OP_READ)
		iov_zero_from(r->iov, r->n_iov, 0);
	if (d->latency_ns)
		block_delay_add(&d->delay, r, d->latency_ns);
	else
		block_req_complete(r, 0);
}

/* The machine's end waits for nobody. */
static void null_cancel_waiting(struct block_node *n)
{
	block_delay_end_all(&container_of(n, struct null_disk, n)->delay);
}

static int null_pread_sync(struct block_node *n, uint64_t offset, void *buf, size_t bytes)
{
	memset(buf, 0, bytes);
	return 0;
}

static bool null_resize(struct block_node *n, uint64_t bytes, struct error *err)
{
	block_node_set_bytes(n, ALIGN_UP(bytes, BLOCK_SECTOR));
	return true;
}

const struct block_driver block_null = {
	.name = "null-co",
	.size = sizeof(struct null_disk),
	.open = null_open,
	.close = null_close,
	.submit = null_submit,
	.pread_sync = null_pread_sync,
	.resize = null_resize,
	.cancel_waiting = null_cancel_waiting,
};

const struct block_driver block_null_aio = {
	.name = "null-aio",
	.size = sizeof(struct null_disk),
	.open = null_open,
	.close = null_close,
	.submit = null_submit,
	.pread_sync = null_pread_sync,
	.resize = null_resize,
	.cancel_waiting = null_cancel_waiting,
};
