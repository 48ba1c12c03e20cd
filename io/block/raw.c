/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The format without a format: the image is the disk, or a part of it (offset=, size=).
 *
 * Where nobody said format=raw and it was a guess, the guest may not write to the first sector what would be taken
 * for another format the next time: it could have any file of the host opened as that format's backing file.
 */
#include <errno.h>
#include <stdlib.h>
#include "io/block/drivers.h"
#include "io/block/probe.h"

struct raw {
	struct block_node n;
	uint64_t offset, size;
	bool size_given;
};

static bool raw_set_size(struct raw *raw, struct error *err)
{
	uint64_t below = raw->n.file->bytes;

	if (raw->offset > below)
		return error_set(err,
				 "The sum of offset (%llu) and size (0) has to be smaller or "
				 "equal to the actual size of the containing file (%llu)",
				 (unsigned long long)raw->offset, (unsigned long long)below);
	if (!raw->size_given) {
		block_node_set_bytes(&raw->n, ALIGN_DOWN(below - raw->offset, BLOCK_SECTOR));
		return true;
	}
	if (raw->size > below - raw->offset)
		return error_set(err,
				 "The sum of offset (%llu) and size (%llu) has to be smaller or "
				 "equal to the actual size of the containing file (%llu)",
				 (unsigned long long)raw->offset, (unsigned long long)raw->size,
				 (unsigned long long)below);
	if (raw->size % BLOCK_SECTOR)
		return error_set(err, "Specified size is not multiple of %u", BLOCK_SECTOR);
	block_node_set_bytes(&raw->n, raw->size);
	return true;
}

static bool raw_open(struct block_node *n, struct block_options *o, struct error *err)
{
	struct raw *raw = container_of(n, struct raw, n);

	raw->size_given = block_options_has(o, "size");
	return block_options_size(o, "offset", &raw->offset, err) &&
	       block_options_size(o, "size", &raw->size, err) &&
	       block_node_open_child(n, o, "file", err) && raw_set_size(raw, err);
}

static void raw_child_resized(struct block_node *n)
{
	struct raw *raw = container_of(n, struct raw, n);

	if (!raw->size_given)
		block_node_set_bytes(n, n->file->bytes > raw->offset ? n->file->bytes - raw->offset
								     : 0);
}

static bool raw_resize(struct block_node *n, uint64_t bytes, struct error *err)
{
	struct raw *raw = container_of(n, struct raw, n);

	if (raw->size_given)
		return error_set(err, "Cannot resize fixed-size raw disks");
	if (bytes > INT64_MAX - raw->offset)
		return error_set(err, "Disk size too large for the chosen offset");
	return block_node_resize(n->file, bytes + raw->offset, err);
}

static int raw_resize_fd(struct block_node *n, uint64_t *bytes)
{
	struct raw *raw = container_of(n, struct raw, n);

	if (raw->size_given || *bytes > INT64_MAX - raw->offset || !n->file->drv->resize_fd)
		return -1;
	*bytes += raw->offset;
	return n->file->drv->resize_fd(n->file, bytes);
}

static void raw_up(struct block_node *n, struct block_req *r, int ret)
{
	r->offset -= container_of(n, struct raw, n)->offset;
	block_req_complete(r, ret);
}

/* The write would make the image look like one of another format. */
static bool disguises(const struct block_req *r)
{
	uint8_t head[BLOCK_PROBE_BYTES] = {0};
	uint64_t n = MIN(r->bytes, sizeof(head));

	if (r->offset || r->op != BLOCK_OP_WRITE)
		return r->op == BLOCK_OP_WRITE && r->offset < sizeof(head);
	iov_copy_out(r->iov, r->n_iov, 0, head, n);
	return block_probe(head, n) != NULL;
}

static void raw_submit(struct block_node *n, struct block_req *r)
{
	struct raw *raw = container_of(n, struct raw, n);

	if (unlikely(n->probed) && disguises(r)) {
		block_req_complete(r, -EPERM);
		return;
	}
	if (raw->offset) {
		block_req_push(r, n, raw_up, 0);
		r->offset += raw->offset;
	}
	block_req_pass(n, r);
}

static int raw_pread_sync(struct block_node *n, uint64_t offset, void *buf, size_t bytes)
{
	return block_node_pread_sync(n->file, offset + container_of(n, struct raw, n)->offset, buf,
				     bytes);
}

const struct block_driver block_raw = {
	.name = "raw",
	.is_format = true,
	.size = sizeof(struct raw),
	.open = raw_open,
	.submit = raw_submit,
	.pread_sync = raw_pread_sync,
	.resize = raw_resize,
	.resize_fd = raw_resize_fd,
	.child_resized = raw_child_resized,
};
