/* SPDX-License-Identifier: BSD-2-Clause */
/* Opening and truncating images by a worker, ahead of the loop. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io/block/ahead.h"
#include "io/block/block_internal.h"
#include "io/block/file_holder.h"

/* What finding out an image's format and the disk's alignment reads. */
#define HEAD_BYTES 8192
#define PATHS_MAX  32

struct block_ahead {
	struct worker_job job;
	block_ahead_fn *done;
	void *opaque;
	char *paths[PATHS_MAX];
	unsigned n_paths;
	struct file_holder holders[PATHS_MAX]; /* of each that could be opened */
	unsigned n_holders;
	int fd; /* to be truncated; -1: none */
	uint64_t bytes;
};

static void on_done(struct worker_job *job)
{
	struct block_ahead *a = container_of(job, struct block_ahead, job);

	file_holder_tell(a->holders, a->n_holders);
	a->done(a->opaque, worker_pool_is_ending(job->pool));
	file_holder_tell(NULL, 0);
	for (unsigned i = 0; i < a->n_holders; i++)
		file_holder_fini(&a->holders[i]);
	if (a->fd >= 0)
		close(a->fd);
	for (unsigned i = 0; i < a->n_paths; i++)
		free(a->paths[i]);
	free(a);
}

static struct block_ahead *ahead_new(block_ahead_fn *done, void *opaque)
{
	struct block_ahead *a = xzalloc(sizeof(*a));

	a->done = done;
	a->opaque = opaque;
	a->fd = -1;
	return a;
}

/* ---- open ---- */

static void look_at(struct block_ahead *a, const char *path)
{
	char head[HEAD_BYTES];
	struct stat st;
	int fd;

	/* Anything else might do something when it is opened. */
	if (stat(path, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		return;
	fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (pread(fd, head, sizeof(head), 0) < 0) {
		/* The loop will see that too. */
	}
	file_holder_find_mt(&a->holders[a->n_holders++], fd);
	close(fd);
}

static void run_open(struct worker_job *job)
{
	struct block_ahead *a = container_of(job, struct block_ahead, job);

	for (unsigned i = 0; i < a->n_paths; i++)
		look_at(a, a->paths[i]);
}

static void add_path(struct block_ahead *a, const char *path)
{
	static const char *const prefixes[] = {"file:", "host_device:", "host_cdrom:"};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(path, prefixes[i], strlen(prefixes[i])))
			path += strlen(prefixes[i]);
	if (a->n_paths < PATHS_MAX)
		a->paths[a->n_paths++] = xstrdup(path);
}

/* A node's name under "file" looks like a path too, and leads nowhere. */
static void find_paths(struct block_ahead *a, json_t *options)
{
	const char *key;
	json_t *value;

	json_object_foreach(options, key, value)
	{
		if (json_is_object(value))
			find_paths(a, value);
		else if (json_is_string(value) &&
			 (!strcmp(key, "filename") || !strcmp(key, "file") ||
			  !strcmp(key, "file.filename")))
			add_path(a, json_string_value(value));
	}
}

void block_ahead_open(struct worker_pool *pool, json_t *options, block_ahead_fn *done, void *opaque)
{
	struct block_ahead *a = ahead_new(done, opaque);

	find_paths(a, options);
	worker_submit(pool, &a->job, run_open, on_done);
}

void block_ahead_attach(struct worker_pool *pool, const char *name, block_ahead_fn *done,
			void *opaque)
{
	struct block_ahead *a = ahead_new(done, opaque);
	const struct block *b = block_by_id(name);
	const struct block_node *n = b ? b->root : block_node_find(name);
	const char *path = n ? block_node_filename(n) : NULL;

	if (path)
		add_path(a, path);
	worker_submit(pool, &a->job, run_open, on_done);
}

/* ---- resize ---- */

static void run_resize(struct worker_job *job)
{
	const struct block_ahead *a = container_of(job, struct block_ahead, job);

	if (a->fd >= 0 && ftruncate(a->fd, (off_t)a->bytes) < 0) {
		/* The loop will see that too. */
	}
}

void block_ahead_resize(struct worker_pool *pool, struct block_node *n, uint64_t bytes,
			block_ahead_fn *done, void *opaque)
{
	struct block_ahead *a = ahead_new(done, opaque);

	a->bytes = bytes;
	while (n && !n->drv->resize)
		n = n->file;
	if (n && n->drv->resize_fd)
		a->fd = n->drv->resize_fd(n, &a->bytes);
	worker_submit(pool, &a->job, run_resize, on_done);
}
