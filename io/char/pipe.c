/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chardev on FIFOs: PATH.in is read and PATH.out written; when there is no such pair, PATH is both. They are opened
 * for reading and writing, so that others may come and go.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/char/backend.h"

struct pipe_chardev {
	struct chardev chr;
	struct stream stream;
	char *path;
	int in_fd, out_fd;
};

static size_t pipe_write(struct chardev *chr, const void *buf, size_t n)
{
	return stream_write(&container_of(chr, struct pipe_chardev, chr)->stream, buf, n);
}

static void pipe_update_input(struct chardev *chr)
{
	stream_update_input(&container_of(chr, struct pipe_chardev, chr)->stream);
}

static void close_pipes(struct pipe_chardev *p)
{
	if (p->in_fd >= 0)
		close(p->in_fd);
	if (p->out_fd >= 0 && p->out_fd != p->in_fd)
		close(p->out_fd);
}

static void pipe_fini(struct chardev *chr)
{
	struct pipe_chardev *p = container_of(chr, struct pipe_chardev, chr);

	stream_fini(&p->stream);
	close_pipes(p);
	free(p->path);
}

static const struct chardev_ops pipe_ops = {
	.name = "pipe",
	.write = pipe_write,
	.update_input = pipe_update_input,
	.fini = pipe_fini,
};

static int open_pipe(const char *path, const char *suffix)
{
	char *name = xasprintf("%s%s", path, suffix);
	int fd = open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	free(name);
	return fd;
}

static bool open_pipes(struct pipe_chardev *p, const char *path, struct error *err)
{
	p->in_fd = open_pipe(path, ".in");
	p->out_fd = open_pipe(path, ".out");
	if (p->in_fd >= 0 && p->out_fd >= 0)
		return true;
	close_pipes(p);
	p->in_fd = p->out_fd = open_pipe(path, "");
	return p->in_fd >= 0 || error_set_errno(err, errno, "Could not open '%s'", path);
}

struct chardev *chardev_new_pipe(struct loop *loop, const char *id, const struct chardev_config *c,
				 struct error *err)
{
	struct pipe_chardev *p = xzalloc(sizeof(*p));

	if (!c->path)
		error_set(err, "pipe needs path=");
	if (!c->path || !chardev_init(&p->chr, &pipe_ops, loop, id, err)) {
		free(p);
		return NULL;
	}
	if (!open_pipes(p, c->path, err)) {
		chardev_discard(&p->chr);
		return NULL;
	}
	p->path = xstrdup(c->path);
	stream_init(&p->stream, &p->chr, p->path, p->in_fd, p->out_fd);
	return &p->chr;
}
