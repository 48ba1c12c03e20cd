/* SPDX-License-Identifier: BSD-2-Clause */
/* Image locking: OFD locks on the bytes that QEMU uses. They go when the file is closed. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "io/block/file_lock.h"

enum { PERM_BASE = 100, SHARED_BASE = 200 };
enum { PERM_CONSISTENT_READ = 0, PERM_WRITE = 1 };

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

static struct flock byte_lock(short type, int at)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
}

static int set_byte(const struct file_lock *l, short type, int at)
{
	struct flock fl = byte_lock(type, at);
	int rc;

	do {
		rc = fcntl(l->fd, F_OFD_SETLK, &fl);
	} while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

/* Somebody else has a lock on that byte. */
static bool byte_taken(const struct file_lock *l, int at)
{
	struct flock fl = byte_lock(F_WRLCK, at);

	return fcntl(l->fd, F_OFD_GETLK, &fl) == 0 && fl.l_type != F_UNLCK;
}

/* ---- who holds it ---- */

/* A line of /proc/PID/fdinfo/N: "lock: 1: OFDLCK ADVISORY READ -1 fe:00:1234 100 100". */
static bool line_matches(const char *line, const struct stat *st, int at)
{
	unsigned major, minor;
	unsigned long long inode, first, last;

	return sscanf(line, "lock: %*d: OFDLCK %*s %*s %*d %x:%x:%llu %llu %llu", &major, &minor,
		      &inode, &first, &last) == 5 &&
	       inode == st->st_ino && first <= (unsigned)at && last >= (unsigned)at;
}

static bool fdinfo_matches(const char *path, const struct stat *st, int at)
{
	FILE *f = fopen(path, "re");
	char line[256];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = line_matches(line, st, at);
	if (f)
		fclose(f);
	return found;
}

static bool process_holds(const char *pid, int skip_fd, const struct stat *st, int at)
{
	char path[300];
	struct dirent *e;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo", pid);
	dir = opendir(path);
	while (dir && !found && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || atoi(e->d_name) == skip_fd)
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid, e->d_name);
		found = fdinfo_matches(path, st, at);
	}
	if (dir)
		closedir(dir);
	return found;
}

static void command_name(const char *pid, char *out, size_t n)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.20s/comm", pid);
	f = fopen(path, "re");
	if (!f || !fgets(out, (int)n, f))
		snprintf(out, n, "?");
	out[strcspn(out, "\n")] = '\0';
	if (f)
		fclose(f);
}

/* "process 1234 (evmm)", heap; NULL: can't be seen. */
static char *find_holder(const struct file_lock *l, int at)
{
	struct stat st;
	struct dirent *e;
	char *who = NULL;
	DIR *proc;

	if (fstat(l->fd, &st) < 0 || !(proc = opendir("/proc")))
		return NULL;
	while (!who && (e = readdir(proc))) {
		bool self = atoi(e->d_name) == getpid();
		char comm[32];

		if (e->d_name[0] < '0' || e->d_name[0] > '9' ||
		    !process_holds(e->d_name, self ? l->fd : -1, &st, at))
			continue;
		command_name(e->d_name, comm, sizeof(comm));
		who = self ? xstrdup("another disk of this machine")
			   : xasprintf("process %s (%s)", e->d_name, comm);
	}
	closedir(proc);
	return who;
}

static bool conflict(const struct file_lock *l, const char *what, int at, struct error *err)
{
	char *who = find_holder(l, at);

	if (who)
		error_set(err, "Failed to get %s lock on '%s': it is in use by %s", what, l->path,
			  who);
	else
		error_set(err,
			  "Failed to get %s lock on '%s': it is in use by a process that cannot be "
			  "seen from here",
			  what, l->path);
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

static bool wait_for_unseen(struct file_lock *l, int at)
{
	static const struct timespec wait = {.tv_nsec = FILE_LOCK_WAIT_MS * 1000000L};
	char *who;

	if (!l->patience)
		return false;
	who = find_holder(l, at);
	free(who);
	if (who)
		return false;
	l->patience--;
	nanosleep(&wait, NULL);
	return true;
}

static bool stays_taken(struct file_lock *l, int at)
{
	while (byte_taken(l, at))
		if (!wait_for_unseen(l, at))
			return true;
	return false;
}

static bool take(struct file_lock *l, int at, struct error *err)
{
	int rc;

	do
		rc = set_byte(l, F_RDLCK, at);
	while ((rc == -EAGAIN || rc == -EACCES) && wait_for_unseen(l, at));
	if (rc == 0)
		return true;
	if (rc == -EAGAIN || rc == -EACCES)
		return conflict(l, at >= SHARED_BASE ? "shared \"write\"" : "\"write\"", at, err);
	return no_locks(l, rc, err);
}

bool file_lock_open(struct file_lock *l, bool write, struct error *err)
{
	l->write = write;
	if (!l->enabled)
		return true;
	if (!take(l, PERM_BASE + PERM_CONSISTENT_READ, err) ||
	    (l->enabled && write && !take(l, PERM_BASE + PERM_WRITE, err)))
		return false;
	if (!l->enabled)
		return true;
	if (stays_taken(l, SHARED_BASE + PERM_CONSISTENT_READ))
		return conflict(l, "\"consistent read\"", SHARED_BASE + PERM_CONSISTENT_READ, err);
	if (write && stays_taken(l, SHARED_BASE + PERM_WRITE))
		return conflict(l, "\"write\"", SHARED_BASE + PERM_WRITE, err);
	return true;
}

bool file_lock_share(struct file_lock *l, bool share_write, struct error *err)
{
	if (!l->enabled || share_write == !l->deny_write)
		return true;
	l->deny_write = !share_write;
	if (share_write) {
		set_byte(l, F_UNLCK, SHARED_BASE + PERM_WRITE);
		return true;
	}
	if (!take(l, SHARED_BASE + PERM_WRITE, err))
		return false;
	if (l->enabled && stays_taken(l, PERM_BASE + PERM_WRITE)) {
		conflict(l, "shared \"write\"", PERM_BASE + PERM_WRITE, err);
		set_byte(l, F_UNLCK, SHARED_BASE + PERM_WRITE);
		l->deny_write = false;
		return false;
	}
	return true;
}
