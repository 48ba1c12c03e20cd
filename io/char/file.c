/* SPDX-License-Identifier: BSD-2-Clause */
/* The chardev that writes to one file (or a FIFO, or a device's node) and, with input-path=, reads another. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/char/backend.h"
#include "src/fdset.h"

struct file_chardev {
	struct chardev chr;
	struct stream stream;
	char *path;
	int in_fd, out_fd;
};

static size_t file_write(struct chardev *chr, const void *buf, size_t n)
{
	return stream_write(&container_of(chr, struct file_chardev, chr)->stream, buf, n);
}

static void file_update_input(struct chardev *chr)
{
	stream_update_input(&container_of(chr, struct file_chardev, chr)->stream);
}

static void file_fini(struct chardev *chr)
{
	struct file_chardev *f = container_of(chr, struct file_chardev, chr);

	stream_fini(&f->stream);
	close(f->out_fd);
	if (f->in_fd >= 0)
		close(f->in_fd);
	free(f->path);
}

static const struct chardev_ops file_ops = {
	.name = "file",
	.write = file_write,
	.update_input = file_update_input,
	.fini = file_fini,
};

static int open_file(const char *path, int flags, struct error *err)
{
	int fd = fdset_open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);

	if (fd < 0)
		error_set_errno(err, errno, "Could not open '%s'", path);
	return fd;
}

static bool open_files(struct file_chardev *f, const struct chardev_config *c, struct error *err)
{
	f->in_fd = -1;
	f->out_fd =
		open_file(c->path, O_WRONLY | O_CREAT | (c->append == 1 ? O_APPEND : O_TRUNC), err);
	if (f->out_fd < 0 || !c->input_path)
		return f->out_fd >= 0;
	f->in_fd = open_file(c->input_path, O_RDONLY, err);
	if (f->in_fd >= 0)
		return true;
	close(f->out_fd);
	return false;
}

struct chardev *chardev_new_file(struct loop *loop, const char *id, const struct chardev_config *c,
				 struct error *err)
{
	struct file_chardev *f = xzalloc(sizeof(*f));

	if (!c->path)
		error_set(err, "file needs path=");
	if (!c->path || !chardev_init(&f->chr, &file_ops, loop, id, err)) {
		free(f);
		return NULL;
	}
	if (!open_files(f, c, err)) {
		chardev_discard(&f->chr);
		return NULL;
	}
	f->path = xstrdup(c->path);
	stream_init(&f->stream, &f->chr, f->path, f->in_fd, f->out_fd);
	return &f->chr;
}
