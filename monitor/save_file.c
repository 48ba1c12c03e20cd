/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that are written by a worker. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "monitor/save_file.h"
#include "src/worker.h"

struct save_file {
	struct worker_job job;
	struct worker_pool *pool;
	char *path;
	int fd;
	bool ours;  /* opened by PATH */
	int errnum; /* of the first write that failed; 0: none */
	size_t n;
	save_file_fn *done;
	void *opaque;
	uint8_t buf[SAVE_FILE_BYTES];
};

struct save_file *save_file_new(struct worker_pool *pool, const char *path, int fd)
{
	struct save_file *f = xmalloc(sizeof(*f));

	f->pool = pool;
	f->path = xstrdup(path ? path : "the descriptor");
	f->fd = fd;
	f->ours = fd < 0;
	f->errnum = 0;
	return f;
}

uint8_t *save_file_buffer(struct save_file *f)
{
	return f->buf;
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return errno;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static void run(struct worker_job *job)
{
	struct save_file *f = container_of(job, struct save_file, job);

	if (f->errnum)
		return;
	if (f->fd < 0) {
		f->fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (f->fd < 0) {
			f->errnum = errno;
			return;
		}
	}
	f->errnum = write_all(f->fd, f->buf, f->n);
	if (f->errnum && f->ours)
		remove_unfinished(f->fd, f->path);
	if (!f->n) {
		if (close(f->fd) && !f->errnum)
			f->errnum = errno;
		f->fd = -1;
	}
}

static void done(struct worker_job *job)
{
	struct save_file *f = container_of(job, struct save_file, job);
	struct error err = ERROR_INIT;

	if (f->errnum) {
		error_set_errno(&err, f->errnum, "Could not write '%s'", f->path);
	} else if (worker_pool_is_ending(f->pool)) {
		error_set(&err, "'%s' is not complete: evmm ends", f->path);
		if (f->ours && f->fd >= 0)
			remove_unfinished(f->fd, f->path);
	}
	f->done(f->opaque, &err);
	error_clear(&err);
}

void save_file_put(struct save_file *f, size_t n, save_file_fn *fn, void *opaque)
{
	f->n = n;
	f->done = fn;
	f->opaque = opaque;
	worker_submit(f->pool, &f->job, run, done);
}

void save_file_free(struct save_file *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f);
}
