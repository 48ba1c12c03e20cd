/* SPDX-License-Identifier: BSD-2-Clause */
/* null-co: a disk that takes everything and gives nothing, for measuring what is above it. */
#include "io/block/drivers.h"
#include "src/clock.h"
#include "src/loop.h"

struct null_disk {
	struct block_node n;
	uint64_t latency_ns;
	bool read_zeroes;
	struct list delayed; /* in the order of their deadlines: each waits equally long */
	struct timer timer;
};

/* A request that waits has its deadline where nobody else is looking meanwhile. */
static int64_t *deadline_of(struct block_req *r)
{
	return &r->aio.ret;
}

static void null_arm(struct null_disk *d)
{
	if (!list_empty(&d->delayed))
		timer_arm(&d->timer, *deadline_of(list_first(&d->delayed, struct block_req, node)));
}

static void null_on_timer(void *opaque)
{
	struct null_disk *d = opaque;
	int64_t now = clock_now_ns(loop_clock_host(d->n.loop));

	while (!list_empty(&d->delayed)) {
		struct block_req *r = list_first(&d->delayed, struct block_req, node);

		if (*deadline_of(r) > now)
			break;
		list_remove(&r->node);
		block_req_complete(r, 0);
	}
	null_arm(d);
}

static bool null_open(struct block_node *n, struct block_options *o, struct error *err)
{
	struct null_disk *d = container_of(n, struct null_disk, n);

	list_init(&d->delayed);
	timer_init(&d->timer, loop_clock_host(n->loop), "null-co", null_on_timer, d);
	n->bytes = 1 * GiB;
	n->limits.discard = true;
	return block_options_size(o, "size", &n->bytes, err) &&
	       block_options_u64(o, "latency-ns", &d->latency_ns, err) &&
	       block_options_bool(o, "read-zeroes", &d->read_zeroes, err);
}

static void null_close(struct block_node *n)
{
	struct null_disk *d = container_of(n, struct null_disk, n);

	if (d->timer.clock)
		timer_cancel(&d->timer);
}

static void null_submit(struct block_node *n, struct block_req *r)
{
	struct null_disk *d = container_of(n, struct null_disk, n);
	bool first = list_empty(&d->delayed);

	if (d->read_zeroes && r->op == BLOCK_OP_READ)
		iov_zero_from(r->iov, r->n_iov, 0);
	if (!d->latency_ns) {
		block_req_complete(r, 0);
		return;
	}
	*deadline_of(r) = clock_now_ns(loop_clock_host(n->loop)) + (int64_t)d->latency_ns;
	list_push_back(&d->delayed, &r->node);
	if (first)
		null_arm(d);
}

static int null_pread_sync(struct block_node *n, uint64_t offset, void *buf, size_t bytes)
{
	memset(buf, 0, bytes);
	return 0;
}

static bool null_resize(struct block_node *n, uint64_t bytes, struct error *err)
{
	block_node_set_bytes(n, bytes);
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
};

const struct block_driver block_null_aio = {
	.name = "null-aio",
	.size = sizeof(struct null_disk),
	.open = null_open,
	.close = null_close,
	.submit = null_submit,
	.pread_sync = null_pread_sync,
	.resize = null_resize,
};
