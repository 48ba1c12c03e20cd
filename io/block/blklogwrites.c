/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blklogwrites: a filter that keeps a log of all writes, from which any state that a power cut could have left can be made
 * again. The log is that of Linux's dm-log-writes (Documentation/admin-guide/device-mapper/log-writes.rst; all
 * little-endian):
 *
 *	sector 0	u64 magic, u64 version (1), u64 number of entries, u32 bytes of a sector
 *	an entry	a sector with u64 first sector, u64 sectors, u64 flags, u64 bytes of the data that follow in whole sectors
 *
 * An entry stands where its write was done: a write before it is told to the guest, a flush at its beginning. So what
 * precedes a flush that was done is on the disk for sure, and nothing else is.
 *
 * The superblock counts the entries up to the last flush, and every log-super-update-interval entries.
 */
#include <errno.h>
#include <stdlib.h>
#include "io/block/drivers.h"

#define LOG_MAGIC   0x6a736677736872ull
#define LOG_VERSION 1u

#define LOG_FLUSH   1u
#define LOG_FUA	    2u
#define LOG_DISCARD 4u

struct log_super {
	uint64_t magic, version, entries;
	uint32_t sector_bytes;
} __attribute__((packed));

struct log_entry {
	uint64_t sector, sectors, flags, data_bytes;
};

struct blklog {
	struct block_node n;
	struct block_node *log;
	uint32_t sector_bytes;
	uint64_t interval;
	uint64_t entries; /* that are in the log, with all before them */
	uint64_t next;	  /* where the next one goes, in sectors */
	struct list ops;  /* in the order of the log */
	/* The superblock: written by one request at a time. */
	struct block_req *super_req;
	struct list super_ops, super_waiting; /* those that it is written for, and the next ones */
	uint8_t *super_buf;
	struct iovec super_iov;
};

/* One request's way into the log. Entries are told to be there in the log's order. */
struct log_op {
	struct list node;
	struct blklog *d;
	struct block_req *outer, *sub;
	bool written, wants_super;
	int ret;
	uint64_t at;	    /* of the entry, in bytes */
	struct iovec iov[]; /* the entry's sector, then the data */
};

static struct blklog *of(struct block_node *n)
{
	return container_of(n, struct blklog, n);
}

static bool is_write(const struct block_req *r)
{
	return r->op == BLOCK_OP_WRITE || r->op == BLOCK_OP_ZERO;
}

static uint64_t data_sectors(const struct blklog *d, const struct block_req *r)
{
	return is_write(r) ? ALIGN_UP(r->bytes, (uint64_t)d->sector_bytes) / d->sector_bytes : 0;
}

static void op_finish(struct log_op *op)
{
	struct block_req *outer = op->outer;
	int ret = op->ret;

	list_remove(&op->node);
	block_req_free(op->sub);
	free(op->iov[0].iov_base);
	free(op);
	block_req_complete(outer, ret);
}

/* ---- the superblock ---- */

static void write_super(struct blklog *d);

static void super_done(struct block_req *sub, int ret)
{
	struct blklog *d = sub->owner;

	/* Whoever is called back may have more to log. */
	block_node_ref(&d->n);
	while (!list_empty(&d->super_ops)) {
		struct log_op *op = list_first(&d->super_ops, struct log_op, node);

		op->ret = op->ret ? op->ret : ret;
		op_finish(op);
	}
	write_super(d);
	block_node_unref(&d->n);
}

static void write_super(struct blklog *d)
{
	struct log_super super = {LOG_MAGIC, LOG_VERSION, d->entries, d->sector_bytes};

	if (!list_empty(&d->super_ops) || list_empty(&d->super_waiting))
		return;
	while (!list_empty(&d->super_waiting)) {
		struct list *first = d->super_waiting.next;

		list_remove(first);
		list_push_back(&d->super_ops, first);
	}
	memcpy(d->super_buf, &super, sizeof(super));
	d->super_iov = (struct iovec){d->super_buf, d->sector_bytes};
	block_req_set(d->super_req, BLOCK_OP_WRITE, 0, d->sector_bytes, &d->super_iov, 1, 0);
	d->super_req->complete = super_done;
	block_node_submit(d->log, d->super_req);
}

/* ---- entries ---- */

/* Those at the head of the log that are written. */
static void settle(struct blklog *d)
{
	block_node_ref(&d->n);
	while (!list_empty(&d->ops)) {
		struct log_op *op = list_first(&d->ops, struct log_op, node);

		if (!op->written)
			break;
		d->entries++;
		list_remove(&op->node);
		if (op->wants_super || d->entries % d->interval == 0)
			list_push_back(&d->super_waiting, &op->node);
		else
			op_finish(op);
	}
	write_super(d);
	block_node_unref(&d->n);
}

static void entry_done(struct block_req *sub, int ret)
{
	struct log_op *op = sub->owner;

	op->written = true;
	op->ret = op->ret ? op->ret : ret;
	settle(op->d);
}

static void submit_sub(struct log_op *op, enum block_op kind, uint64_t offset, uint64_t bytes,
		       unsigned n_iov, void (*complete)(struct block_req *, int))
{
	block_req_set(op->sub, kind, offset, bytes, n_iov ? op->iov : NULL, n_iov, 0);
	op->sub->complete = complete;
	block_node_submit(op->d->log, op->sub);
}

/* Zeroes have no memory to be written from. */
static void zero_head_done(struct block_req *sub, int ret)
{
	struct log_op *op = sub->owner;
	uint64_t bytes = data_sectors(op->d, op->outer) * op->d->sector_bytes;

	if (ret < 0)
		entry_done(sub, ret);
	else
		submit_sub(op, BLOCK_OP_ZERO, op->at + op->d->sector_bytes, bytes, 0, entry_done);
}

static void op_write(struct log_op *op)
{
	struct block_req *r = op->outer;
	uint32_t head = op->d->sector_bytes;

	if (r->op == BLOCK_OP_ZERO)
		submit_sub(op, BLOCK_OP_WRITE, op->at, head, 1, zero_head_done);
	else if (r->op == BLOCK_OP_WRITE)
		submit_sub(op, BLOCK_OP_WRITE, op->at, head + r->bytes, 1 + r->n_iov, entry_done);
	else
		submit_sub(op, BLOCK_OP_WRITE, op->at, head, 1, entry_done);
}

static void fill_entry(const struct log_op *op, uint64_t flags)
{
	const struct block_req *r = op->outer;
	struct log_entry e = {.flags = flags};

	if (r->op != BLOCK_OP_FLUSH) {
		e.sector = r->offset / op->d->sector_bytes;
		e.sectors = r->bytes / op->d->sector_bytes;
		e.data_bytes = is_write(r) ? r->bytes : 0;
		e.flags |= r->op == BLOCK_OP_DISCARD ? LOG_DISCARD : 0;
		e.flags |= r->flags & BLOCK_FUA ? LOG_FUA : 0;
	}
	memcpy(op->iov[0].iov_base, &e, sizeof(e));
}

/* Its place in the log is taken now. */
static struct log_op *op_new(struct blklog *d, struct block_req *r)
{
	unsigned n_iov = r->op == BLOCK_OP_WRITE ? r->n_iov : 0;
	struct log_op *op = xzalloc(sizeof(*op) + (1 + n_iov) * sizeof(struct iovec));

	op->d = d;
	op->outer = r;
	op->sub = block_req_new(NULL, op);
	op->iov[0].iov_base = xaligned_zalloc(4096, ALIGN_UP(d->sector_bytes, 4096u));
	op->iov[0].iov_len = d->sector_bytes;
	if (n_iov)
		memcpy(op->iov + 1, r->iov, n_iov * sizeof(struct iovec));
	op->at = d->next * d->sector_bytes;
	op->wants_super = r->op == BLOCK_OP_FLUSH || r->flags & BLOCK_FUA;
	d->next += 1 + data_sectors(d, r);
	list_push_back(&d->ops, &op->node);
	return op;
}

/* Writes and discards: the disk first. */
static void write_up(struct block_node *n, struct block_req *r, int ret)
{
	struct log_op *op;

	if (ret < 0) {
		block_req_complete(r, ret);
		return;
	}
	op = op_new(of(n), r);
	fill_entry(op, 0);
	op_write(op);
}

/* Flushes have taken their place before. One that failed stands for nothing. */
static void flush_up(struct block_node *n, struct block_req *r, int ret)
{
	struct log_op *op = (struct log_op *)(uintptr_t)r->frames[r->depth].arg;

	op->ret = ret;
	fill_entry(op, ret < 0 ? 0 : LOG_FLUSH);
	op_write(op);
}

static void blklog_submit(struct block_node *n, struct block_req *r)
{
	if (r->op == BLOCK_OP_FLUSH)
		block_req_push(r, n, flush_up, (uintptr_t)op_new(of(n), r));
	else if (r->op != BLOCK_OP_READ)
		block_req_push(r, n, write_up, 0);
	block_req_pass(n, r);
}

/* ---- life ---- */

static bool open_log(struct blklog *d, struct block_options *o, struct error *err)
{
	struct error mine = ERROR_INIT;

	d->log = block_node_open_other(&d->n, o, "log", &mine);
	if (d->log)
		return d->log->flags.read_only ? error_set(err, "The log is read-only") : true;
	error_set(err, "%s", mine.msg ? mine.msg : "Parameter 'log' is missing");
	error_clear(&mine);
	return false;
}

/* The log goes on behind the entries that it has. */
static bool find_end(struct blklog *d, struct error *err)
{
	struct log_super super;
	struct log_entry e;
	int ret = block_node_pread_sync(d->log, 0, &super, sizeof(super));

	if (ret < 0 || super.magic != LOG_MAGIC || super.version != LOG_VERSION)
		return error_set(err, "log-append: there is no log of writes");
	if (super.sector_bytes != d->sector_bytes)
		return error_set(err, "log-append: the log's sectors have %u bytes",
				 super.sector_bytes);
	for (; d->entries < super.entries; d->entries++) {
		ret = block_node_pread_sync(d->log, d->next * d->sector_bytes, &e, sizeof(e));
		if (ret < 0 || e.data_bytes > INT64_MAX / 2)
			return error_set(err, "log-append: entry %llu is damaged",
					 (unsigned long long)d->entries);
		d->next += 1 + ALIGN_UP(e.data_bytes, (uint64_t)d->sector_bytes) / d->sector_bytes;
	}
	return true;
}

static bool blklog_open(struct block_node *n, struct block_options *o, struct error *err)
{
	struct blklog *d = of(n);
	uint64_t sector = BLOCK_SECTOR;
	bool append = false;

	list_init(&d->ops);
	list_init(&d->super_ops);
	list_init(&d->super_waiting);
	d->super_req = block_req_new(NULL, d);
	d->interval = 4096;
	d->next = 1;
	if (!block_options_size(o, "log-sector-size", &sector, err) ||
	    !block_options_u64(o, "log-super-update-interval", &d->interval, err) ||
	    !block_options_bool(o, "log-append", &append, err))
		return false;
	if (sector < BLOCK_SECTOR || sector > 4096 || sector & (sector - 1))
		return error_set(err, "Invalid log sector size %llu", (unsigned long long)sector);
	if (!d->interval)
		return error_set(err, "Invalid log superblock update interval 0");
	d->sector_bytes = (uint32_t)sector;
	d->super_buf = xaligned_zalloc(4096, 4096);
	if (!block_node_open_child(n, o, "file", err) || !open_log(d, o, err) ||
	    (append && !find_end(d, err)))
		return false;
	n->align = MAX(n->align, d->sector_bytes);
	n->serial_unit = n->align;
	return true;
}

static void blklog_close(struct block_node *n)
{
	struct blklog *d = of(n);

	block_req_free(d->super_req);
	free(d->super_buf);
	if (d->log) {
		d->log->parent = NULL;
		block_node_unref(d->log);
	}
}

const struct block_driver block_blklogwrites = {
	.name = "blklogwrites",
	.size = sizeof(struct blklog),
	.open = blklog_open,
	.close = blklog_close,
	.submit = blklog_submit,
};
