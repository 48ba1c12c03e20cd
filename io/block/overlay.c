/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot=on: what the guest writes goes to a temporary file that has no name, and is gone with the machine; the image
 * below is only read. A bitmap says of each sector whether it was written: no sector is written in part (align.c), so
 * nothing needs to be copied from the image.
 *
 * The temporary file has each sector at its own place, and holes elsewhere. Flushes have nothing to save.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "io/block/drivers.h"

struct overlay {
	struct block_node n;
	int fd;
	struct aio_file aio;
	uint64_t *bitmap; /* mapped: what nobody touches takes no memory */
	size_t bitmap_bytes;
};

/* A read that is made of several parts. */
struct overlay_read {
	struct overlay *o;
	struct block_req *outer;
	unsigned left;
	int ret;
};

struct overlay_part {
	struct overlay_read *read;
	struct block_req *sub; /* from the image */
	struct aio_op aio;     /* from the temporary file */
	struct iovec iov[];
};

static struct overlay *of(struct block_node *n)
{
	return container_of(n, struct overlay, n);
}

/* ---- the bitmap ---- */

static bool written(const struct overlay *o, uint64_t sector)
{
	return o->bitmap[sector / 64] >> (sector % 64) & 1;
}

static void mark(struct overlay *o, uint64_t offset, uint64_t bytes)
{
	uint64_t s = offset / BLOCK_SECTOR, end = (offset + bytes) / BLOCK_SECTOR;

	while (s < end) {
		if (s % 64 == 0 && end - s >= 64) {
			o->bitmap[s / 64] = UINT64_MAX;
			s += 64;
		} else {
			o->bitmap[s / 64] |= BIT64(s % 64);
			s++;
		}
	}
}

/* Bytes from OFFSET on that are all in one place. */
static uint64_t run_bytes(const struct overlay *o, uint64_t offset, uint64_t bytes)
{
	uint64_t s = offset / BLOCK_SECTOR, end = (offset + bytes) / BLOCK_SECTOR, at = s;
	bool where = written(o, s);

	while (at < end) {
		if (at % 64 == 0 && end - at >= 64 &&
		    o->bitmap[at / 64] == (where ? UINT64_MAX : 0))
			at += 64;
		else if (written(o, at) == where)
			at++;
		else
			break;
	}
	return MIN(at, end) * BLOCK_SECTOR - offset;
}

/* ---- the temporary file ---- */

static void start_aio(struct overlay *o, struct aio_op *op, enum aio_kind kind, uint64_t offset,
		      uint64_t bytes, const struct iovec *iov, unsigned n_iov, aio_done_fn *done)
{
	*op = (struct aio_op){.file = &o->aio,
			      .kind = kind,
			      .flags = kind == AIO_ZERO ? AIO_UNMAP : 0,
			      .iov = iov,
			      .n_iov = n_iov,
			      .offset = offset,
			      .bytes = bytes,
			      .done = done};
	aio_submit(op);
}

static void write_done(struct aio_op *op, int64_t ret)
{
	struct block_req *r = container_of(op, struct block_req, aio);
	struct overlay *o = container_of(op->file, struct overlay, aio);

	if (ret >= 0)
		mark(o, r->offset, r->bytes);
	block_req_complete(r, (int)MIN(ret, 0));
}

/* What is missing at the file's end is a hole. */
static int fill_short(const struct block_req *r, int64_t ret)
{
	if (ret < 0)
		return (int)ret;
	if ((uint64_t)ret < r->bytes)
		iov_zero_from(r->iov, r->n_iov, (uint64_t)ret);
	return 0;
}

static void read_done(struct aio_op *op, int64_t ret)
{
	struct block_req *r = container_of(op, struct block_req, aio);

	block_req_complete(r, fill_short(r, ret));
}

/* ---- reads of both ---- */

static void part_end(struct overlay_part *part, int ret)
{
	struct overlay_read *read = part->read;
	struct block_req *outer = read->outer;

	block_req_free(part->sub);
	free(part);
	read->ret = read->ret ? read->ret : ret;
	if (--read->left)
		return;
	ret = read->ret;
	free(read);
	block_req_complete(outer, ret);
}

static void part_done_image(struct block_req *sub, int ret)
{
	part_end(sub->owner, ret);
}

static void part_done_aio(struct aio_op *op, int64_t ret)
{
	struct overlay_part *part = container_of(op, struct overlay_part, aio);

	if (ret >= 0 && (uint64_t)ret < op->bytes)
		iov_zero_from(op->iov, op->n_iov, (uint64_t)ret);
	part_end(part, (int)MIN(ret, 0));
}

static void start_part(struct overlay_read *read, uint64_t pos, uint64_t bytes)
{
	struct block_req *r = read->outer;
	struct overlay_part *part =
		xzalloc(sizeof(*part) + (size_t)r->n_iov * sizeof(struct iovec));
	unsigned n = iov_slice(r->iov, r->n_iov, pos, bytes, part->iov, r->n_iov);
	uint64_t offset = r->offset + pos;

	part->read = read;
	read->left++;
	if (written(read->o, offset / BLOCK_SECTOR)) {
		start_aio(read->o, &part->aio, AIO_READ, offset, bytes, part->iov, n,
			  part_done_aio);
		return;
	}
	part->sub = block_req_new(part_done_image, part);
	block_req_set(part->sub, BLOCK_OP_READ, offset, bytes, part->iov, n, 0);
	block_node_submit(read->o->n.file, part->sub);
}

static void read_both(struct overlay *o, struct block_req *r)
{
	struct overlay_read *read = xzalloc(sizeof(*read));
	uint64_t bytes;

	read->o = o;
	read->outer = r;
	read->left = 1;
	for (uint64_t pos = 0; pos < r->bytes; pos += bytes) {
		bytes = run_bytes(o, r->offset + pos, r->bytes - pos);
		start_part(read, pos, bytes);
	}
	if (--read->left)
		return;
	free(read);
	block_req_complete(r, 0);
}

/* ---- requests ---- */

static void overlay_submit(struct block_node *n, struct block_req *r)
{
	struct overlay *o = of(n);

	switch (r->op) {
	case BLOCK_OP_READ:
		if (run_bytes(o, r->offset, r->bytes) < r->bytes)
			read_both(o, r);
		else if (written(o, r->offset / BLOCK_SECTOR))
			start_aio(o, &r->aio, AIO_READ, r->offset, r->bytes, r->iov, r->n_iov,
				  read_done);
		else
			block_req_pass(n, r);
		break;
	case BLOCK_OP_WRITE:
		start_aio(o, &r->aio, AIO_WRITE, r->offset, r->bytes, r->iov, r->n_iov, write_done);
		break;
	case BLOCK_OP_ZERO:
		start_aio(o, &r->aio, AIO_ZERO, r->offset, r->bytes, NULL, 0, write_done);
		break;
	default:
		block_req_complete(r, 0);
	}
}

/* ---- life ---- */

static bool open_temporary(struct overlay *o, struct error *err)
{
	const char *dir = getenv("TMPDIR");

	dir = dir && *dir ? dir : "/var/tmp";
	o->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (o->fd < 0)
		return error_set_errno(
			err, errno, "Could not make a temporary file in '%s' for snapshot=on", dir);
	return aio_file_init(&o->aio, o->n.loop, AIO_DEFAULT, o->fd, err);
}

static bool map_bitmap(struct overlay *o, struct error *err)
{
	void *map;

	o->bitmap_bytes = ALIGN_UP(o->n.bytes / BLOCK_SECTOR / 8 + 8, 4096ull);
	map = mmap(NULL, o->bitmap_bytes, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED)
		return error_set_errno(err, errno, "no memory for what snapshot=on has to know");
	o->bitmap = map;
	return true;
}

static bool overlay_open(struct block_node *n, struct block_options *opts, struct error *err)
{
	struct overlay *o = of(n);
	bool read_only = n->flags.read_only;

	o->fd = -1;
	/* The image need not be writable. */
	n->flags.read_only = true;
	if (!block_node_open_child(n, opts, "file", err))
		return false;
	n->flags.read_only = read_only;
	n->align = n->serial_unit = BLOCK_SECTOR;
	n->mem_align = 1;
	n->limits.discard = false;
	n->bytes = ALIGN_DOWN(n->bytes, BLOCK_SECTOR);
	return open_temporary(o, err) && map_bitmap(o, err);
}

static void overlay_close(struct block_node *n)
{
	struct overlay *o = of(n);

	aio_file_fini(&o->aio);
	if (o->fd >= 0)
		close(o->fd);
	if (o->bitmap)
		munmap(o->bitmap, o->bitmap_bytes);
}

static bool overlay_resize(struct block_node *n, uint64_t bytes, struct error *err)
{
	return error_set(err, "a disk with snapshot=on cannot be resized");
}

/* Somebody changes the image below: the size stays as it was. */
static void overlay_child_resized(struct block_node *n)
{
}

const struct block_driver block_overlay = {
	.name = "snapshot-overlay",
	.size = sizeof(struct overlay),
	.open = overlay_open,
	.close = overlay_close,
	.submit = overlay_submit,
	.resize = overlay_resize,
	.child_resized = overlay_child_resized,
};
