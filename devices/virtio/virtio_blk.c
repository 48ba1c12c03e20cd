/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-blk (Virtio 1.2, 5.2): requests go from the ring to the block engine with the guest's own pages as buffers, and
 * back to the used ring, without a copy or an allocation.
 *
 *	config	name				width	section 5.2.4
 *	00	capacity			64	512-byte sectors
 *	08	size_max			32	0: not offered
 *	0c	seg_max				32
 *	10	geometry			16/8/8	cylinders, heads, sectors
 *	14	blk_size			32
 *	18	topology			8/8/16/32
 *	20	writeback			8, RW with CONFIG_WCE
 *	22	num_queues			16
 *	24	max_discard_sectors, _seg, discard_sector_alignment	32 each
 *	30	max_write_zeroes_sectors, _seg	32 each
 *	38	write_zeroes_may_unmap		8
 *
 * Not modelled: SCSI pass-through (legacy), secure erase, lifetime, zoned devices.
 * Deviates because: nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include "devices/virtio/virtio_blk.h"
#include "src/boot/bootorder.h"

#define SECTOR		  512ull
#define SECTOR_SHIFT	  9
#define CONFIG_CAPACITY	  0x00
#define CONFIG_SEG_MAX	  0x0c
#define CONFIG_GEOMETRY	  0x10
#define CONFIG_BLK_SIZE	  0x14
#define CONFIG_TOPOLOGY	  0x18
#define CONFIG_WRITEBACK  0x20
#define CONFIG_NUM_QUEUES 0x22
#define CONFIG_DISCARD	  0x24
#define CONFIG_ZEROES	  0x30
#define CONFIG_UNMAP	  0x38
#define CONFIG_BYTES	  0x3c

/* Feature bits (5.2.3) */
#define BLK_F_SEG_MAX	   2
#define BLK_F_GEOMETRY	   4
#define BLK_F_RO	   5
#define BLK_F_BLK_SIZE	   6
#define BLK_F_FLUSH	   9
#define BLK_F_TOPOLOGY	   10
#define BLK_F_CONFIG_WCE   11
#define BLK_F_MQ	   12
#define BLK_F_DISCARD	   13
#define BLK_F_WRITE_ZEROES 14

/* Request types and status (5.2.6) */
#define BLK_T_IN	   0
#define BLK_T_OUT	   1
#define BLK_T_FLUSH	   4
#define BLK_T_FLUSH_OUT	   5 /* the same, of before version 1 */
#define BLK_T_GET_ID	   8
#define BLK_T_DISCARD	   11
#define BLK_T_WRITE_ZEROES 13
#define BLK_S_OK	   0
#define BLK_S_IOERR	   1
#define BLK_S_UNSUPP	   2
#define BLK_ID_BYTES	   20
#define BLK_FLAG_UNMAP	   1

#define GUESSED_HEADS	16
#define GUESSED_SECTORS 63
#define MAX_CYLINDERS	65535
#define SEGMENT_MARGIN	2 /* header and status */

struct blk_header {
	uint32_t type, ioprio;
	uint64_t sector;
};

struct blk_range { /* struct virtio_blk_discard_write_zeroes */
	uint64_t sector;
	uint32_t sectors, flags;
};

struct blk_req {
	struct virtq_elem elem;
	struct block_req io;
	struct virtio_blk *blk;
	struct virtqueue *vq;
	struct list node;     /* in free_reqs */
	struct list all_node; /* in all_reqs */
};

static struct virtio_blk *blk_of(struct virtio *v)
{
	return container_of(v, struct virtio_blk, v);
}

/* ---- requests ---- */

static struct blk_req *req_get(struct virtio_blk *b, struct virtqueue *vq)
{
	struct blk_req *r;

	if (list_empty(&b->free_reqs)) {
		r = xmalloc(sizeof(*r));
		memset(&r->io, 0, sizeof(r->io));
		r->blk = b;
		list_init(&r->node);
		list_push_back(&b->all_reqs, &r->all_node);
	} else {
		r = list_first(&b->free_reqs, struct blk_req, node);
		list_remove(&r->node);
	}
	r->vq = vq;
	return r;
}

static void req_put(struct blk_req *r)
{
	list_push_front(&r->blk->free_reqs, &r->node);
}

/* The last byte of what the device writes is the status (5.2.6). */
static void complete(struct blk_req *r, uint8_t status)
{
	if (!virtq_is_orphan(r->vq, &r->elem))
		virtq_write(&r->elem, r->elem.in_bytes - 1, &status, 1);
	virtq_push(r->vq, &r->elem, r->elem.in_bytes);
	req_put(r);
}

static void done(void *opaque, int ret)
{
	complete(opaque, ret ? ret == -ENOTSUP ? BLK_S_UNSUPP : BLK_S_IOERR : BLK_S_OK);
}

/* The last piece is put back to its length with the status byte. */
static void done_read(void *opaque, int ret)
{
	struct blk_req *r = opaque;

	r->elem.iov[r->elem.n_out + r->elem.n_in - 1].iov_len++;
	done(r, ret);
}

static bool range_ok(const struct virtio_blk *b, uint64_t sector, uint64_t bytes)
{
	uint64_t block = b->conf.logical_block_size, size = block_bytes(b->conf.block);

	return sector <= size >> SECTOR_SHIFT && bytes <= size - (sector << SECTOR_SHIFT) &&
	       !((sector << SECTOR_SHIFT) % block) && !(bytes % block);
}

static void read_sectors(struct virtio_blk *b, struct blk_req *r, const struct blk_header *h)
{
	uint64_t bytes = r->elem.in_bytes - 1;
	struct iovec *iov = virtq_in(&r->elem);
	unsigned n = r->elem.n_in;

	if (!range_ok(b, h->sector, bytes)) {
		complete(r, BLK_S_IOERR);
		return;
	}
	if (!--iov[n - 1].iov_len)
		n--;
	block_readv(b->conf.block, &r->io, h->sector << SECTOR_SHIFT, iov, n, done_read, r);
}

/* What is to be written begins behind the header, wherever the driver cut it. */
static void write_sectors(struct virtio_blk *b, struct blk_req *r, const struct blk_header *h)
{
	uint64_t bytes = r->elem.out_bytes - sizeof(*h);
	size_t skip = sizeof(*h);
	struct iovec *iov = r->elem.iov;
	unsigned n = r->elem.n_out;

	if (!range_ok(b, h->sector, bytes)) {
		complete(r, BLK_S_IOERR);
		return;
	}
	while (n && skip >= iov->iov_len) {
		skip -= iov->iov_len;
		iov++;
		n--;
	}
	if (n) {
		iov->iov_base = (char *)iov->iov_base + skip;
		iov->iov_len -= skip;
	}
	block_writev(b->conf.block, &r->io, h->sector << SECTOR_SHIFT, iov, n, 0, done, r);
}

static void get_id(struct virtio_blk *b, struct blk_req *r)
{
	char id[BLK_ID_BYTES] = "";

	/* All 20 bytes are the serial number's: no zero need follow (5.2.6). */
	if (b->serial)
		memcpy(id, b->serial, MIN(strlen(b->serial), sizeof(id)));
	virtq_write(&r->elem, 0, id, MIN(sizeof(id), r->elem.in_bytes - 1));
	complete(r, BLK_S_OK);
}

/* One segment, as max_*_seg says (5.2.6.2). */
static void discard_or_zero(struct virtio_blk *b, struct blk_req *r, bool zero)
{
	uint32_t max = zero ? b->max_write_zeroes_sectors : b->max_discard_sectors;
	struct blk_range range;
	uint64_t bytes;

	if (r->elem.out_bytes != sizeof(struct blk_header) + sizeof(range)) {
		complete(r, r->elem.out_bytes > sizeof(struct blk_header) + sizeof(range)
				    ? BLK_S_UNSUPP
				    : BLK_S_IOERR);
		return;
	}
	virtq_read(&r->elem, sizeof(struct blk_header), &range, sizeof(range));
	bytes = (uint64_t)range.sectors << SECTOR_SHIFT;
	if ((range.flags & ~BLK_FLAG_UNMAP) || (!zero && range.flags)) {
		complete(r, BLK_S_UNSUPP);
		return;
	}
	if (range.sectors > max || !range_ok(b, range.sector, bytes) ||
	    block_read_only(b->conf.block)) {
		complete(r, BLK_S_IOERR);
		return;
	}
	if (zero)
		block_write_zeroes(b->conf.block, &r->io, range.sector << SECTOR_SHIFT, bytes,
				   range.flags & BLK_FLAG_UNMAP ? BLOCK_UNMAP : 0, done, r);
	else
		block_discard(b->conf.block, &r->io, range.sector << SECTOR_SHIFT, bytes, done, r);
}

static void serve(struct virtio_blk *b, struct blk_req *r)
{
	struct blk_header h;

	virtq_read(&r->elem, 0, &h, sizeof(h));
	switch (h.type) {
	case BLK_T_IN:
		read_sectors(b, r, &h);
		break;
	case BLK_T_OUT:
		write_sectors(b, r, &h);
		break;
	case BLK_T_FLUSH:
	case BLK_T_FLUSH_OUT:
		block_flush(b->conf.block, &r->io, done, r);
		break;
	case BLK_T_GET_ID:
		get_id(b, r);
		break;
	case BLK_T_DISCARD:
		if (virtio_has(&b->v, BLK_F_DISCARD))
			discard_or_zero(b, r, false);
		else
			complete(r, BLK_S_UNSUPP);
		break;
	case BLK_T_WRITE_ZEROES:
		if (virtio_has(&b->v, BLK_F_WRITE_ZEROES))
			discard_or_zero(b, r, true);
		else
			complete(r, BLK_S_UNSUPP);
		break;
	default:
		complete(r, BLK_S_UNSUPP);
	}
}

static enum virtq_next serve_one(struct virtqueue *vq)
{
	struct virtio_blk *b = blk_of(vq->virtio);
	struct blk_req *r = req_get(b, vq);

	if (!virtq_pop(vq, &r->elem)) {
		req_put(r);
		return VIRTQ_NONE;
	}
	if (r->elem.out_bytes < sizeof(struct blk_header) || !r->elem.in_bytes) {
		virtio_break(vq->virtio, "a block request without header or status");
		virtq_push(vq, &r->elem, 0);
		req_put(r);
		return VIRTQ_NONE;
	}
	serve(b, r);
	return VIRTQ_SERVED;
}

static void blk_notified(struct virtqueue *vq)
{
	virtq_drain(vq, serve_one);
}

/* ---- configuration ---- */

static void set_num(struct virtio_blk *b, unsigned offset, unsigned bytes, uint64_t value)
{
	stn_le(&b->v.config[offset], bytes, value);
}

static void fill_config(struct virtio_blk *b)
{
	const struct block_conf *c = &b->conf;
	uint64_t sectors = block_bytes(c->block) >> SECTOR_SHIFT;
	uint64_t cylinders = sectors / (GUESSED_HEADS * GUESSED_SECTORS);
	unsigned log = (unsigned)__builtin_ctzll(c->physical_block_size / c->logical_block_size);
	uint64_t granularity = c->discard_granularity == UINT64_MAX || !c->discard_granularity
				       ? c->logical_block_size
				       : c->discard_granularity;

	set_num(b, CONFIG_CAPACITY, 8, sectors);
	set_num(b, CONFIG_SEG_MAX, 4, MIN(b->queue_size, VIRTQ_MAX_IOV - 8) - SEGMENT_MARGIN);
	set_num(b, CONFIG_GEOMETRY, 2, MIN(cylinders, MAX_CYLINDERS));
	set_num(b, CONFIG_GEOMETRY + 2, 1, GUESSED_HEADS);
	set_num(b, CONFIG_GEOMETRY + 3, 1, GUESSED_SECTORS);
	set_num(b, CONFIG_BLK_SIZE, 4, c->logical_block_size);
	set_num(b, CONFIG_TOPOLOGY, 1, log);
	set_num(b, CONFIG_TOPOLOGY + 2, 2, c->min_io_size / c->logical_block_size);
	set_num(b, CONFIG_TOPOLOGY + 4, 4, c->opt_io_size / c->logical_block_size);
	set_num(b, CONFIG_WRITEBACK, 1, block_write_cache(c->block));
	set_num(b, CONFIG_NUM_QUEUES, 2, b->num_queues);
	set_num(b, CONFIG_DISCARD, 4, b->max_discard_sectors);
	set_num(b, CONFIG_DISCARD + 4, 4, 1);
	set_num(b, CONFIG_DISCARD + 8, 4, granularity >> SECTOR_SHIFT);
	set_num(b, CONFIG_ZEROES, 4, b->max_write_zeroes_sectors);
	set_num(b, CONFIG_ZEROES + 4, 4, 1);
	set_num(b, CONFIG_UNMAP, 1, 1);
}

static void blk_config_written(struct virtio *v, unsigned offset, unsigned bytes)
{
	struct virtio_blk *b = blk_of(v);
	bool writeback = v->config[CONFIG_WRITEBACK] & 1;

	if (virtio_has(v, BLK_F_CONFIG_WCE) && offset <= CONFIG_WRITEBACK &&
	    offset + bytes > CONFIG_WRITEBACK)
		block_set_write_cache(b->conf.block, writeback);
	fill_config(b); /* nothing else can be written */
}

/* A driver that knows of no cache gets none: it would never flush (5.2.5). */
static void blk_features_set(struct virtio *v)
{
	struct virtio_blk *b = blk_of(v);

	if (!virtio_has(v, BLK_F_CONFIG_WCE)) {
		block_set_write_cache(b->conf.block, virtio_has(v, BLK_F_FLUSH));
		fill_config(b);
	}
}

static void blk_reset(struct virtio *v)
{
	struct virtio_blk *b = blk_of(v);

	block_cancel_held(b->conf.block);
	block_set_write_cache(b->conf.block, b->initial_write_cache);
	fill_config(b);
}

/* The saved configuration says whether there is a cache; it is this disk that says how large it is. */
static bool blk_post_load(void *opaque, struct error *err)
{
	struct virtio_blk *b = opaque;

	block_set_write_cache(b->conf.block, b->v.config[CONFIG_WRITEBACK] & 1);
	fill_config(b);
	return true;
}

const struct state_desc virtio_blk_state = {
	.name = "virtio-blk",
	.version = 1,
	.post_load = blk_post_load,
	.fields = (const struct state_field[]){STATE_END},
};

static void blk_resized(void *opaque)
{
	struct virtio_blk *b = opaque;

	fill_config(b);
	virtio_config_changed(&b->v);
}

static const struct virtio_class blk_class = {
	.name = "virtio-blk",
	.id = VIRTIO_ID_BLOCK,
	.pci_class = 0x010000,
	.config_bytes = CONFIG_BYTES,
	.config_written = blk_config_written,
	.features_set = blk_features_set,
	.notified = blk_notified,
	.reset = blk_reset,
	.must_drain = true,
	.polls = true,
};

/* ---- life ---- */

static bool check_props(struct virtio_blk *b, struct device *dev, struct error *err)
{
	const char *name = dev->type->name;
	unsigned size = b->queue_size, cpus = MAX(dev->machine->n_vcpus, 1u);

	if (!b->num_queues)
		b->num_queues = (uint16_t)MIN(cpus, VIRTIO_MAX_QUEUES);
	if (b->num_queues > VIRTIO_MAX_QUEUES)
		return error_set(err, "%s: num-queues=%u: at most %u", name, b->num_queues,
				 VIRTIO_MAX_QUEUES);
	if (size <= SEGMENT_MARGIN || size > VIRTQ_MAX_SIZE || (size & (size - 1)))
		return error_set(err, "%s: queue-size=%u: a power of 2 from 4 to %u", name, size,
				 VIRTQ_MAX_SIZE);
	return true;
}

static const struct block_device_ops blk_block_ops = {.resized = blk_resized};

bool virtio_blk_init(struct virtio_blk *b, struct device *dev, struct error *err)
{
	uint64_t features = BIT64(BLK_F_SEG_MAX) | BIT64(BLK_F_GEOMETRY) | BIT64(BLK_F_BLK_SIZE) |
			    BIT64(BLK_F_TOPOLOGY);

	if (!check_props(b, dev, err) ||
	    !block_conf_attach(&b->conf, dev, &blk_block_ops, b, true, false, err))
		return false;
	if (!boot_index_add(dev->machine, b->conf.bootindex, dev, "disk@0,0", err)) {
		block_detach(b->conf.block);
		return false;
	}
	if (!virtio_take_iothread(&b->v, dev, err)) {
		boot_index_remove(dev->machine, dev);
		block_detach(b->conf.block);
		return false;
	}
	b->initial_write_cache = block_write_cache(b->conf.block);
	if (block_read_only(b->conf.block))
		features |= BIT64(BLK_F_RO);
	if (b->initial_write_cache)
		features |= BIT64(BLK_F_FLUSH);
	if (b->config_wce)
		features |= BIT64(BLK_F_CONFIG_WCE) | BIT64(BLK_F_FLUSH);
	if (b->num_queues > 1)
		features |= BIT64(BLK_F_MQ);
	if (b->discard)
		features |= BIT64(BLK_F_DISCARD);
	if (b->write_zeroes)
		features |= BIT64(BLK_F_WRITE_ZEROES);
	virtio_init(&b->v, &blk_class, dev, features);
	for (unsigned i = 0; i < b->num_queues; i++)
		virtio_add_queue(&b->v, b->queue_size);
	list_init(&b->free_reqs);
	list_init(&b->all_reqs);
	return true;
}

/* The block engine is idle: nothing is in flight any more. */
void virtio_blk_fini(struct virtio_blk *b)
{
	boot_index_remove(b->v.dev->machine, b->v.dev);
	virtio_fini(&b->v);
	block_detach(b->conf.block);
	while (!list_empty(&b->all_reqs)) {
		struct blk_req *r = list_first(&b->all_reqs, struct blk_req, all_node);

		list_remove(&r->all_node);
		free(r);
	}
}
