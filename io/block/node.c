/* SPDX-License-Identifier: BSD-2-Clause */
/* The graph of block nodes: made from options, found by name, taken down when nobody refers to them. */
#include <errno.h>
#include <stdlib.h>
#include "io/block/block_internal.h"
#include "io/block/node.h"
#include "src/loop.h"

/* QEMU's. */
#define NODE_NAME_MAX 31

static struct list all = {&all, &all};

struct list *block_nodes(void)
{
	return &all;
}

struct block_node *block_node_find(const char *name)
{
	list_for_each(it, &all) {
		struct block_node *n = list_entry(it, struct block_node, node);

		if (!strcmp(n->name, name))
			return n;
	}
	return NULL;
}

const struct block_driver *block_driver_find(const char *name)
{
	for (const struct block_driver *const *d = block_drivers; *d; d++)
		if (!strcmp((*d)->name, name) || ((*d)->alias && !strcmp((*d)->alias, name)))
			return *d;
	return NULL;
}

static const struct block_driver *find_driver(const char *name, struct error *err)
{
	const struct block_driver *drv = block_driver_find(name);
	const char *names[32], *near;
	unsigned n = 0;

	if (drv)
		return drv;
	for (const struct block_driver *const *d = block_drivers; *d && n < 31; d++)
		names[n++] = (*d)->name;
	names[n] = NULL;
	near = nearest_word(name, names);
	if (near)
		error_set(err, "Unknown driver '%s'; did you mean '%s'?", name, near);
	else
		error_set(err, "Unknown driver '%s'", name);
	return NULL;
}

/* ---- options that every node has ---- */

static bool take_name(struct block_node *n, struct block_options *o, struct error *err)
{
	static unsigned serial;

	if (!block_options_str(o, "node-name", &n->name, err))
		return false;
	if (!n->name) {
		n->name = xasprintf("#block%03u", serial++);
		return true;
	}
	if (!id_is_well_formed(n->name))
		return error_set(err, "Invalid node-name: '%s'", n->name);
	if (strlen(n->name) > NODE_NAME_MAX)
		return error_set(err, "Node name too long: '%s'; it has %d letters at most",
				 n->name, NODE_NAME_MAX);
	if (block_node_find(n->name))
		return error_set(err, "Duplicate nodes with node-name='%s'", n->name);
	if (block_by_id(n->name))
		return error_set(err, "node-name=%s is conflicting with a device id", n->name);
	return true;
}

static bool take_cache(struct block_node *n, struct block_options *o, struct error *err)
{
	struct block_options cache;
	json_t *json = block_options_take(o, "cache");
	bool ok;

	if (!json)
		return true;
	if (!json_is_object(json)) {
		json_decref(json);
		return error_set(err, "Parameter 'cache' expects cache.direct and cache.no-flush");
	}
	block_options_init(&cache, json);
	ok = block_options_bool(&cache, "direct", &n->flags.direct, err) &&
	     block_options_bool(&cache, "no-flush", &n->flags.no_flush, err) &&
	     block_options_check_unused(&cache, err);
	block_options_fini(&cache);
	return ok;
}

static bool take_words(struct block_node *n, struct block_options *o, struct error *err)
{
	char *discard = NULL, *zeroes = NULL;
	bool ok = block_options_str(o, "discard", &discard, err) &&
		  block_options_str(o, "detect-zeroes", &zeroes, err);

	if (ok && discard) {
		n->flags.discard = !strcmp(discard, "unmap") || !strcmp(discard, "on");
		if (!n->flags.discard && strcmp(discard, "ignore") && strcmp(discard, "off"))
			ok = error_set(err, "Parameter 'discard' is 'ignore' or 'unmap', not '%s'",
				       discard);
	}
	if (ok && zeroes) {
		n->flags.zeroes_unmap = !strcmp(zeroes, "unmap");
		n->flags.detect_zeroes = n->flags.zeroes_unmap || !strcmp(zeroes, "on");
		if (!n->flags.detect_zeroes && strcmp(zeroes, "off"))
			ok = error_set(
				err,
				"Parameter 'detect-zeroes' is 'off', 'on' or 'unmap', not '%s'",
				zeroes);
		if (ok && n->flags.zeroes_unmap && !n->flags.discard)
			ok = error_set(
				err,
				"setting detect-zeroes to unmap is not allowed without setting discard operation to unmap");
	}
	free(discard);
	free(zeroes);
	return ok;
}

static bool take_common(struct block_node *n, struct block_options *o, struct error *err)
{
	return take_name(n, o, err) &&
	       block_options_bool(o, "read-only", &n->flags.read_only, err) &&
	       block_options_bool(o, "auto-read-only", &n->flags.auto_read_only, err) &&
	       block_options_bool(o, "force-share", &n->flags.force_share, err) &&
	       take_cache(n, o, err) && take_words(n, o, err);
}

/* ---- opening and closing ---- */

static void node_free(struct block_node *n)
{
	struct block_node *file = n->file;

	if (n->drv->close)
		n->drv->close(n);
	list_remove(&n->node);
	free(n->name);
	free(n);
	if (file) {
		file->parent = NULL;
		block_node_unref(file);
	}
}

struct block_node *block_node_ref(struct block_node *n)
{
	n->refs++;
	return n;
}

void block_node_unref(struct block_node *n)
{
	if (n && !--n->refs)
		node_free(n);
}

static bool check_size(const struct block_node *n, struct error *err)
{
	return n->bytes <= BLOCK_MAX_BYTES ||
	       error_set(err, "A disk has %llu bytes at most, not %llu",
			 (unsigned long long)BLOCK_MAX_BYTES, (unsigned long long)n->bytes);
}

struct block_node *block_node_open(struct loop *loop, struct block_options *o,
				   const struct block_flags *defaults, struct error *err)
{
	const struct block_driver *drv;
	struct block_node *n;
	char *name = NULL;

	LOOP_ASSERT();
	if (!block_options_str(o, "driver", &name, err))
		return NULL;
	if (!name) {
		error_set(err, "Parameter 'driver' is missing");
		return NULL;
	}
	drv = find_driver(name, err);
	free(name);
	if (!drv)
		return NULL;
	n = xzalloc(drv->size);
	n->drv = drv;
	n->loop = loop;
	n->refs = 1;
	n->align = 1;
	n->flags = *defaults;
	n->limits = (struct block_limits){
		.logical_block = 512, .physical_block = 512, .max_transfer = INT32_MAX & ~4095u};
	list_init(&n->node);
	list_init(&n->writes);
	list_init(&n->waiting);
	list_init(&n->bounce_waiting);
	if (!take_common(n, o, err)) {
		/* The driver has nothing to close yet. */
		free(n->name);
		free(n);
		return NULL;
	}
	if (!drv->open(n, o, err) || !check_size(n, err) || !block_options_check_unused(o, err)) {
		node_free(n);
		return NULL;
	}
	list_push_back(&all, &n->node);
	return n;
}

/* What a child takes over from N. */
static struct block_flags child_flags(const struct block_node *n)
{
	struct block_flags flags = n->flags;

	flags.discard = true;
	flags.detect_zeroes = flags.zeroes_unmap = false;
	return flags;
}

static struct block_node *child_by_name(struct block_node *n, const char *name, struct error *err)
{
	struct block_node *child = block_node_find(name);

	if (!child) {
		error_set(err, "Cannot find node '%s'", name);
		return NULL;
	}
	if (child->parent || child->block) {
		error_set(err, "Node '%s' is in use by %s '%s'", name,
			  child->block ? "disk" : "node",
			  child->block ? block_id(child->block) : child->parent->name);
		return NULL;
	}
	return block_node_ref(child);
}

struct block_node *block_node_open_other(struct block_node *n, struct block_options *o,
					 const char *key, struct error *err)
{
	json_t *json = block_options_take(o, key);
	struct block_flags flags = child_flags(n);
	struct block_node *child = NULL;
	struct block_options sub;

	if (!json)
		return NULL;
	if (json_is_string(json)) {
		child = child_by_name(n, json_string_value(json), err);
		json_decref(json);
	} else if (json_is_object(json)) {
		block_options_init(&sub, json);
		child = block_node_open(n->loop, &sub, &flags, err);
		block_options_fini(&sub);
	} else {
		error_set(err, "Parameter '%s' expects a node's name or options", key);
		json_decref(json);
	}
	if (!child)
		return NULL;
	child->parent = n;
	n->depth = MAX(n->depth, child->depth + 1);
	if (n->depth >= BLOCK_MAX_DEPTH) {
		error_set(err, "more than %u nodes stand on each other", BLOCK_MAX_DEPTH);
		child->parent = NULL;
		block_node_unref(child);
		return NULL;
	}
	return child;
}

bool block_node_open_child(struct block_node *n, struct block_options *o, const char *key,
			   struct error *err)
{
	struct error mine = ERROR_INIT;

	n->file = block_node_open_other(n, o, key, &mine);
	if (!n->file) {
		if (error_is_set(&mine))
			error_set(err, "%s", mine.msg);
		else
			error_set(err, "Parameter '%s' is missing", key);
		error_clear(&mine);
		return false;
	}
	n->bytes = n->file->bytes;
	n->limits = n->file->limits;
	if (!n->flags.read_only && n->file->flags.read_only) {
		if (!n->flags.auto_read_only)
			return error_set(err, "Block node is read-only");
		n->flags.read_only = true;
	}
	return true;
}

/* ---- what goes down or up the graph ---- */

void block_node_set_bytes(struct block_node *n, uint64_t bytes)
{
	if (n->bytes == bytes)
		return;
	n->bytes = bytes;
	if (n->parent && n->parent->drv->child_resized)
		n->parent->drv->child_resized(n->parent);
	else if (n->parent)
		block_node_set_bytes(n->parent, bytes);
	if (n->block)
		block_root_resized(n->block);
}

bool block_node_resize(struct block_node *n, uint64_t bytes, struct error *err)
{
	if (bytes > BLOCK_MAX_BYTES)
		return error_set(err, "A disk has %llu bytes at most, not %llu",
				 (unsigned long long)BLOCK_MAX_BYTES, (unsigned long long)bytes);
	if (n->drv->resize)
		return n->drv->resize(n, bytes, err);
	if (!n->file)
		return error_set(err, "Image format driver does not support resize");
	return block_node_resize(n->file, bytes, err);
}

bool block_node_share(struct block_node *n, bool share_write, struct error *err)
{
	for (; n; n = n->file)
		if (n->drv->share)
			return n->drv->share(n, share_write, err);
	return true;
}

int block_node_pread_sync(struct block_node *n, uint64_t offset, void *buf, size_t bytes)
{
	if (n->drv->pread_sync)
		return n->drv->pread_sync(n, offset, buf, bytes);
	return n->file ? block_node_pread_sync(n->file, offset, buf, bytes) : -ENOTSUP;
}

const char *block_node_filename(const struct block_node *n)
{
	for (; n; n = n->file)
		if (n->drv->filename)
			return n->drv->filename(n);
	return NULL;
}
