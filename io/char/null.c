/* SPDX-License-Identifier: BSD-2-Clause */
/* The chardev that takes everything and gives nothing. */
#include <stdlib.h>
#include "io/char/backend.h"

static size_t null_write(struct chardev *chr, const void *buf, size_t n)
{
	return n;
}

static const struct chardev_ops null_ops = {
	.name = "null",
	.write = null_write,
};

struct chardev *chardev_new_null(struct loop *loop, const char *id, const struct chardev_config *c,
				 struct error *err)
{
	struct chardev *chr = xzalloc(sizeof(*chr));

	if (chardev_init(chr, &null_ops, loop, id, err))
		return chr;
	free(chr);
	return NULL;
}
