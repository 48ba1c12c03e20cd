/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sets of file descriptors that a manager has opened for us: by inheritance (-add-fd) or over a monitor's socket (add-fd).
 * The path /dev/fdset/N then means the descriptor in set N that has the access wanted. A process has one list of them,
 * as it has one table of descriptors. Loop thread, or start-up before it runs.
 */
#ifndef EVMM_FDSET_H
#define EVMM_FDSET_H

#include <sys/stat.h>
#include "src/error.h"
#include "src/list.h"

struct fdset {
	struct list node;
	int64_t id;
	struct list fds; /* struct fdset_fd */
};

struct fdset_fd {
	struct list node;
	int fd;
	char *opaque; /* the manager's own word for it, or NULL */
};

/* Takes FD over. ID -1: a set of its own, with the lowest number that is free. */
struct fdset *fdset_add(int64_t id, int fd, const char *opaque);
/* FD -1: all of the set. What has been opened through the set stays open. False: there is none such. */
bool fdset_remove(int64_t id, int fd);
/* By number, upwards; NULL: the first, and behind the last. */
struct fdset *fdset_next(const struct fdset *set);
void fdsets_close(void);

/* The set that PATH names: false when it isn't of that form. */
bool fdset_of_path(const char *path, int64_t *id);
/* open(2) that knows /dev/fdset/N, whose descriptors are duplicated. -1 with errno. */
int fdset_open(const char *path, int flags, mode_t mode);
/* stat(2), likewise. */
int fdset_stat(const char *path, struct stat *st);

#endif
