/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which process has an image locked (file_lock.h): for that all of /proc is searched, which takes long on a busy host. While the
 * guest runs a worker does it, ahead of what may find the image locked, and what it found out is told for that time.
 */
#ifndef EVMM_FILE_HOLDER_H
#define EVMM_FILE_HOLDER_H

#include <sys/types.h>
#include "src/util.h"

/* The bytes of an image that are locked. */
enum file_lock_byte {
	FILE_LOCK_READ,
	FILE_LOCK_WRITE,
	FILE_LOCK_SHARED_READ,
	FILE_LOCK_SHARED_WRITE,
	FILE_LOCK_BYTES
};

struct file_holder {
	dev_t dev;
	ino_t ino;
	/* "process 1234 (evmm)"; NULL: nobody, or nobody that can be seen */
	char *who[FILE_LOCK_BYTES];
};

/* Where the file has that byte. */
int file_lock_offset(enum file_lock_byte byte);
/* Somebody else than FD's open file has a lock on it. Any thread. */
bool file_lock_taken_mt(int fd, enum file_lock_byte byte);

/* Searches for those who hold what is locked of the file FD; its own locks are nobody's. Any thread; may block. */
void file_holder_find_mt(struct file_holder *h, int fd);
void file_holder_fini(struct file_holder *h);

/* Loop: these N are what a worker has found; they stay the caller's, who ends it with NULL, 0. */
void file_holder_tell(const struct file_holder *list, unsigned n);
/* Loop: of what was told, who has BYTE of the file FD; NULL: not known. */
const char *file_holder_told(int fd, enum file_lock_byte byte);

#endif
