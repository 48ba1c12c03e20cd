/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Media that come and go. A drive with a tray learns of another medium when the tray closes; one without (a floppy
 * drive) at once. The guest may lock the tray; who insists opens it all the same.
 */
#include <errno.h>
#include "io/block/block_internal.h"

bool block_is_removable(const struct block *b)
{
	return !b->dev || (b->ops && b->ops->medium_changed);
}

bool block_has_tray(const struct block *b)
{
	return b->ops && b->ops->tray_open;
}

bool block_tray_is_open(const struct block *b)
{
	return block_has_tray(b) && b->ops->tray_open(b->opaque);
}

bool block_medium_is_locked(const struct block *b)
{
	return b->ops && b->ops->medium_locked ? b->ops->medium_locked(b->opaque) : b->locked;
}

/* Of a drive without a tray. */
static void tell(struct block *b, bool loaded)
{
	if (b->ops && b->ops->medium_changed && !block_has_tray(b))
		b->ops->medium_changed(b->opaque, loaded);
}

/* ---- trays ---- */

static bool check_removable(const struct block *b, struct error *err)
{
	return block_is_removable(b) || error_set(err, "Device '%s' is not removable", block_id(b));
}

bool block_open_tray(struct block *b, bool force, struct error *err)
{
	bool locked;

	LOOP_ASSERT();
	if (!check_removable(b, err))
		return false;
	if (!block_has_tray(b) || block_tray_is_open(b))
		return true;
	locked = block_medium_is_locked(b);
	if (locked && b->ops->eject_request)
		b->ops->eject_request(b->opaque, force);
	if (locked && !force)
		return error_set(err,
				 "Device '%s' is locked and force was not specified, wait for tray "
				 "to open and try again",
				 block_id(b));
	b->ops->medium_changed(b->opaque, false);
	block_tray_moved(b, true);
	return true;
}

bool block_close_tray(struct block *b, struct error *err)
{
	LOOP_ASSERT();
	if (!check_removable(b, err))
		return false;
	if (!block_has_tray(b) || !block_tray_is_open(b))
		return true;
	b->ops->medium_changed(b->opaque, true);
	block_tray_moved(b, false);
	return true;
}

/* ---- media ---- */

static bool check_open(const struct block *b, struct error *err)
{
	if (!check_removable(b, err))
		return false;
	return !block_has_tray(b) || block_tray_is_open(b) ||
	       error_set(err, "Tray of device '%s' is not open", block_id(b));
}

bool block_take_medium_out(struct block *b, struct error *err)
{
	if (!check_open(b, err))
		return false;
	block_remove_medium(b);
	return true;
}

bool block_put_medium_in(struct block *b, struct block_node *root, struct error *err)
{
	if (!check_open(b, err))
		return false;
	if (block_has_medium(b))
		return error_set(err, "There already is a medium in device '%s'", block_id(b));
	return block_insert_medium(b, root, err);
}

bool block_insert_medium(struct block *b, struct block_node *root, struct error *err)
{
	LOOP_ASSERT();
	if (root->block || root->parent)
		return error_set(err, "Node '%s' is in use by %s '%s'", root->name,
				 root->block ? "disk" : "node",
				 root->block ? block_id(root->block) : root->parent->name);
	if (b->dev && !block_node_share(root, b->share_write, err))
		return false;
	block_remove_medium(b);
	b->root = root;
	root->block = b;
	tell(b, true);
	return true;
}

void block_remove_medium(struct block *b)
{
	struct block_node *root = b->root;

	if (!root)
		return;
	/* They are no business of the next medium's. */
	block_give_back_held(b, -ENOMEDIUM);
	b->root = NULL;
	root->block = NULL;
	block_node_share(root, true, NULL);
	block_node_unref(root);
	tell(b, false);
}
