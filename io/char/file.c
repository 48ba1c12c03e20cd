/* SPDX-License-Identifier: BSD-2-Clause */
/* The chardev that writes to a file (or a FIFO, or a device's node) and never gives input. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/char/backend.h"

struct file_chardev {
	struct chardev chr;
	struct stream stream;
	char *path;
	int fd;
};

static size_t file_write(struct chardev *chr, const void *buf, size_t n)
{
	return stream_write(&container_of(chr, struct file_chardev, chr)->stream, buf, n);
}

static void file_fini(struct chardev *chr)
{
	struct file_chardev *f = container_of(chr, struct file_chardev, chr);

	stream_fini(&f->stream);
	close(f->fd);
	free(f->path);
}

static const struct chardev_ops file_ops = {
	.name = "file",
	.write = file_write,
	.fini = file_fini,
};

struct chardev *chardev_new_file(struct loop *loop, const char *id, const char *path, bool append,
				 struct error *err)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
		    (append ? O_APPEND : O_TRUNC);
	struct file_chardev *f = xzalloc(sizeof(*f));

	if (!chardev_init(&f->chr, &file_ops, loop, id, err)) {
		free(f);
		return NULL;
	}
	f->fd = open(path, flags, 0666);
	if (f->fd < 0) {
		error_set_errno(err, errno, "Could not open '%s'", path);
		list_remove(&f->chr.node);
		free(f->chr.id);
		free(f);
		return NULL;
	}
	f->path = xstrdup(path);
	stream_init(&f->stream, &f->chr, f->path, -1, f->fd);
	return &f->chr;
}
