/* SPDX-License-Identifier: BSD-2-Clause */
/* Image locking: OFD locks on the bytes that QEMU uses. They go when the file is closed. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include "io/block/file_holder.h"
#include "io/block/file_lock.h"

bool file_lock_parse(struct file_lock *l, const char *locking, bool force_share, bool read_only,
		     struct error *err)
{
	*l = (struct file_lock){.fd = -1, .enabled = true};
	if (force_share && !read_only)
		return error_set(err, "force-share=on can only be used with read-only images");
	if (force_share || (locking && !strcmp(locking, "off")))
		l->enabled = false;
	else if (locking && !strcmp(locking, "on"))
		l->mandatory = true;
	else if (locking && strcmp(locking, "auto"))
		return error_set(err, "Parameter 'locking' is 'auto', 'on' or 'off', not '%s'",
				 locking);
	return true;
}

static int set_byte(const struct file_lock *l, short type, enum file_lock_byte byte)
{
	struct flock fl = {.l_type = type,
			   .l_whence = SEEK_SET,
			   .l_start = file_lock_offset(byte),
			   .l_len = 1};
	int rc;

	do {
		rc = fcntl(l->fd, F_OFD_SETLK, &fl);
	} while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

/* Heap; NULL: not known. */
static char *find_holder(const struct file_lock *l, enum file_lock_byte byte)
{
	const char *told = file_holder_told(l->fd, byte);
	struct file_holder h;
	char *who;

	if (!l->may_search)
		return told ? xstrdup(told) : NULL;
	file_holder_find_mt(&h, l->fd);
	who = h.who[byte];
	h.who[byte] = NULL;
	file_holder_fini(&h);
	return who;
}

static bool conflict(const struct file_lock *l, const char *what, enum file_lock_byte byte,
		     struct error *err)
{
	char *who = find_holder(l, byte);

	error_set(err, "Failed to get %s lock on '%s': it is in use by %s", what, l->path,
		  who		  ? who
		  : l->may_search ? "a process that cannot be seen from here"
				  : "somebody else");
	free(who);
	return false;
}

/* ---- taking them ---- */

/* The file system has no locks: as without, unless they were asked for. */
static bool no_locks(struct file_lock *l, int rc, struct error *err)
{
	bool mandatory = l->mandatory;

	l->enabled = false;
	return !mandatory || error_set_errno(err, -rc, "'%s' cannot be locked", l->path);
}

static bool wait_for_unseen(struct file_lock *l, enum file_lock_byte byte)
{
	static const struct timespec wait = {.tv_nsec = FILE_LOCK_WAIT_MS * 1000000L};
	char *who;

	if (!l->patience)
		return false;
	who = find_holder(l, byte);
	free(who);
	if (who)
		return false;
	l->patience--;
	nanosleep(&wait, NULL);
	return true;
}

static bool stays_taken(struct file_lock *l, enum file_lock_byte byte)
{
	while (file_lock_taken_mt(l->fd, byte))
		if (!wait_for_unseen(l, byte))
			return true;
	return false;
}

static bool take(struct file_lock *l, enum file_lock_byte byte, struct error *err)
{
	int rc;

	do
		rc = set_byte(l, F_RDLCK, byte);
	while ((rc == -EAGAIN || rc == -EACCES) && wait_for_unseen(l, byte));
	if (rc == 0)
		return true;
	if (rc == -EAGAIN || rc == -EACCES)
		return conflict(l, byte >= FILE_LOCK_SHARED_READ ? "shared \"write\"" : "\"write\"",
				byte, err);
	return no_locks(l, rc, err);
}

bool file_lock_open(struct file_lock *l, bool write, struct error *err)
{
	l->write = write;
	if (!l->enabled)
		return true;
	if (!take(l, FILE_LOCK_READ, err) ||
	    (l->enabled && write && !take(l, FILE_LOCK_WRITE, err)))
		return false;
	if (!l->enabled)
		return true;
	if (stays_taken(l, FILE_LOCK_SHARED_READ))
		return conflict(l, "\"consistent read\"", FILE_LOCK_SHARED_READ, err);
	if (write && stays_taken(l, FILE_LOCK_SHARED_WRITE))
		return conflict(l, "\"write\"", FILE_LOCK_SHARED_WRITE, err);
	return true;
}

bool file_lock_share(struct file_lock *l, bool share_write, struct error *err)
{
	if (!l->enabled || share_write == !l->deny_write)
		return true;
	if (share_write) {
		l->deny_write = false;
		set_byte(l, F_UNLCK, FILE_LOCK_SHARED_WRITE);
		return true;
	}
	if (!take(l, FILE_LOCK_SHARED_WRITE, err))
		return false;
	if (l->enabled && stays_taken(l, FILE_LOCK_WRITE)) {
		conflict(l, "shared \"write\"", FILE_LOCK_WRITE, err);
		set_byte(l, F_UNLCK, FILE_LOCK_SHARED_WRITE);
		return false;
	}
	l->deny_write = true;
	return true;
}
