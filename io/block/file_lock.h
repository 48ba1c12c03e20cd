/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may use an image file at the same time: open-file-description locks on single bytes of it, where QEMU has them,
 * so that the two respect each other. A shared lock on byte 100 + p says "I do p", one on 200 + p says "nobody
 * else may do p".
 */
#ifndef EVMM_FILE_LOCK_H
#define EVMM_FILE_LOCK_H

#include "src/error.h"

#define FILE_LOCK_WAIT_MS 20

struct file_lock {
	int fd;
	const char *path;
	bool enabled, mandatory;
	bool write;	 /* we write */
	bool deny_write; /* and nobody else may */
	/*
	 * How often to look again when who has the lock is not to be found: one that was killed a moment ago keeps it
	 * until the kernel has taken its io_uring down. Each time blocks for FILE_LOCK_WAIT_MS: at start-up only.
	 */
	unsigned patience;
	bool may_search; /* for the process that is in the way (file_holder.h): at start-up only */
};

/* locking=auto|on|off; FORCE_SHARE (which needs READ_ONLY) takes no lock. */
bool file_lock_parse(struct file_lock *l, const char *locking, bool force_share, bool read_only,
		     struct error *err);
/* Says what we do with the file. The error names the process that is in the way. */
bool file_lock_open(struct file_lock *l, bool write, struct error *err);
/* A device uses the image: others may write to it, or not. */
bool file_lock_share(struct file_lock *l, bool share_write, struct error *err);

#endif
