/* SPDX-License-Identifier: BSD-2-Clause */
/* The properties that all block devices have, checked and applied. */
#include "io/block/block_internal.h"
#include "src/options/optlist.h"

#define BLOCK_SIZE_MAX (2 * MiB)

static bool check_size(const char *name, uint64_t bytes, struct error *err)
{
	if (bytes >= BLOCK_SECTOR && bytes <= BLOCK_SIZE_MAX && !(bytes & (bytes - 1)))
		return true;
	return error_set(err, "Property '%s': %llu is not a power of 2 between 512 and 2097152",
			 name, (unsigned long long)bytes);
}

static bool sizes(struct block_conf *c, struct error *err)
{
	const struct block_limits *l = block_limits(c->block);

	if (!c->logical_block_size)
		c->logical_block_size = l->logical_block;
	if (!c->physical_block_size)
		c->physical_block_size = MAX(c->logical_block_size, l->physical_block);
	if (!c->min_io_size)
		c->min_io_size = l->min_io;
	if (!c->opt_io_size)
		c->opt_io_size = l->opt_io;
	if (!check_size("logical_block_size", c->logical_block_size, err) ||
	    !check_size("physical_block_size", c->physical_block_size, err))
		return false;
	if (c->logical_block_size > c->physical_block_size)
		return error_set(err, "logical_block_size > physical_block_size not supported");
	if (c->min_io_size % c->logical_block_size || c->opt_io_size % c->logical_block_size)
		return error_set(err, "min_io_size and opt_io_size must be multiples of "
				      "logical_block_size");
	if (c->discard_granularity != UINT64_MAX && c->discard_granularity % c->logical_block_size)
		return error_set(err,
				 "discard_granularity must be a multiple of logical_block_size");
	return true;
}

static bool policies(struct block_conf *c, struct error *err)
{
	struct block *b = c->block;
	bool cache;

	if (c->rerror && strcmp(c->rerror, "auto") &&
	    !block_on_error_parse(c->rerror, true, &b->on_read_error, err))
		return false;
	if (c->werror && strcmp(c->werror, "auto") &&
	    !block_on_error_parse(c->werror, false, &b->on_write_error, err))
		return false;
	if (c->write_cache && strcmp(c->write_cache, "auto")) {
		if (!parse_bool(c->write_cache, &cache))
			return error_set(
				err, "Property 'write-cache' is 'on', 'off' or 'auto', not '%s'",
				c->write_cache);
		block_set_write_cache(b, cache);
	}
	return true;
}

bool block_conf_attach(struct block_conf *c, struct device *dev, const struct block_device_ops *ops,
		       void *opaque, bool read_only_ok, bool empty_ok, struct error *err)
{
	struct block *b = c->block;

	if (!b && !empty_ok)
		return error_set(err, "drive property not set");
	if (!b) {
		/* An empty drive of nobody's: the monitor may put a medium in. Goes with the property. */
		b = c->block = block_new(loop_of_this_thread, NULL, err);
		if (!b)
			return false;
	}
	if (!empty_ok && !block_has_medium(b))
		return error_set(err, "Device needs media, but drive is empty");
	if (!read_only_ok && block_read_only(b))
		return error_set(err, "Block node is read-only");
	if (b->dev)
		return error_set(err, "Drive '%s' is already in use by another block device",
				 block_id(b));
	if (!sizes(c, err) || !policies(c, err))
		return false;
	b->share_write = c->share_rw;
	return block_attach(b, dev, ops, opaque, err);
}
