/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of file descriptors (fdset.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "src/fdset.h"
#include "src/options/optlist.h"

#define FDSET_PATH "/dev/fdset/"
/* What F_SETFL can change of what the caller of open(2) wants. */
#define FDSET_STATUS (O_APPEND | O_ASYNC | O_NONBLOCK | O_DIRECT | O_NOATIME)

static struct list fdsets = {.next = &fdsets, .prev = &fdsets};

/* ---- the list, in the order of the numbers ---- */

struct fdset *fdset_next(const struct fdset *set)
{
	struct list *next = set ? set->node.next : fdsets.next;

	return next == &fdsets ? NULL : list_entry(next, struct fdset, node);
}

static struct fdset *find(int64_t id)
{
	for (struct fdset *set = fdset_next(NULL); set; set = fdset_next(set))
		if (set->id == id)
			return set;
	return NULL;
}

static int64_t lowest_free(void)
{
	int64_t id = 0;

	for (struct fdset *set = fdset_next(NULL); set && set->id == id; set = fdset_next(set))
		id++;
	return id;
}

static struct fdset *make(int64_t id)
{
	struct fdset *set = xzalloc(sizeof(*set)), *next = fdset_next(NULL);

	while (next && next->id < id)
		next = fdset_next(next);
	set->id = id;
	list_init(&set->fds);
	/* In front of NEXT. */
	list_push_back(next ? &next->node : &fdsets, &set->node);
	return set;
}

struct fdset *fdset_add(int64_t id, int fd, const char *opaque)
{
	struct fdset *set;
	struct fdset_fd *f = xzalloc(sizeof(*f));

	if (id < 0)
		id = lowest_free();
	set = find(id);
	if (!set)
		set = make(id);
	f->fd = fd;
	f->opaque = opaque ? xstrdup(opaque) : NULL;
	list_push_back(&set->fds, &f->node);
	return set;
}

bool fdset_remove(int64_t id, int fd)
{
	struct fdset *set = find(id);
	bool any = false;

	if (!set)
		return false;
	list_for_each_safe(it, &set->fds) {
		struct fdset_fd *f = list_entry(it, struct fdset_fd, node);

		if (fd >= 0 && f->fd != fd)
			continue;
		any = true;
		list_remove(&f->node);
		close(f->fd);
		free(f->opaque);
		free(f);
	}
	if (list_empty(&set->fds)) {
		list_remove(&set->node);
		free(set);
	}
	return any;
}

void fdsets_close(void)
{
	while (!list_empty(&fdsets))
		fdset_remove(list_first(&fdsets, struct fdset, node)->id, -1);
}

/* ---- opening ---- */

bool fdset_of_path(const char *path, int64_t *id)
{
	size_t n = strlen(FDSET_PATH);
	uint64_t number;

	if (strncmp(path, FDSET_PATH, n) || !parse_u64(path + n, &number) || number > INT64_MAX)
		return false;
	*id = (int64_t)number;
	return true;
}

static int open_in(const struct fdset *set, int flags)
{
	list_for_each(it, &set->fds) {
		const struct fdset_fd *f = list_entry(it, struct fdset_fd, node);
		int have = fcntl(f->fd, F_GETFL), fd;

		if (have < 0 || (have & O_ACCMODE) != (flags & O_ACCMODE))
			continue;
		fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return -1;
		if ((have & FDSET_STATUS) != (flags & FDSET_STATUS) &&
		    fcntl(fd, F_SETFL, (have & ~FDSET_STATUS) | (flags & FDSET_STATUS)) < 0) {
			int saved = errno;

			close(fd);
			errno = saved;
			return -1;
		}
		return fd;
	}
	errno = EACCES;
	return -1;
}

int fdset_stat(const char *path, struct stat *st)
{
	const struct fdset *set;
	int64_t id;

	if (!fdset_of_path(path, &id))
		return stat(path, st);
	set = find(id);
	if (!set) {
		errno = ENOENT;
		return -1;
	}
	return fstat(list_first(&set->fds, struct fdset_fd, node)->fd, st);
}

int fdset_open(const char *path, int flags, mode_t mode)
{
	const struct fdset *set;
	int64_t id;
	int fd;

	if (!fdset_of_path(path, &id))
		return open(path, flags, mode);
	set = find(id);
	if (!set) {
		errno = ENOENT;
		return -1;
	}
	fd = open_in(set, flags);
	if (fd >= 0 && (flags & O_TRUNC) && ftruncate(fd, 0) < 0 && errno != EINVAL) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}
