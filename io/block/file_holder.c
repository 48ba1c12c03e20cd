/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes that have an image locked, found in /proc. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io/block/file_holder.h"
#include "src/loop.h"

/* As QEMU has them. */
static const int offsets[FILE_LOCK_BYTES] = {
	[FILE_LOCK_READ] = 100,
	[FILE_LOCK_WRITE] = 101,
	[FILE_LOCK_SHARED_READ] = 200,
	[FILE_LOCK_SHARED_WRITE] = 201,
};

int file_lock_offset(enum file_lock_byte byte)
{
	return offsets[byte];
}

bool file_lock_taken_mt(int fd, enum file_lock_byte byte)
{
	struct flock fl = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offsets[byte], .l_len = 1};

	return fcntl(fd, F_OFD_GETLK, &fl) == 0 && fl.l_type != F_UNLCK;
}

/* ---- the search: sets of bytes are a bit for each ---- */

/* A line of /proc/PID/fdinfo/N: "lock: 1: OFDLCK ADVISORY READ -1 fe:00:1234 100 100". */
static unsigned locked_by_line(const char *line, const struct stat *st)
{
	unsigned major, minor, set = 0;
	unsigned long long inode, first, last;

	if (sscanf(line, "lock: %*d: OFDLCK %*s %*s %*d %x:%x:%llu %llu %llu", &major, &minor,
		   &inode, &first, &last) != 5 ||
	    inode != st->st_ino)
		return 0;
	for (unsigned i = 0; i < FILE_LOCK_BYTES; i++)
		if (first <= (unsigned)offsets[i] && last >= (unsigned)offsets[i])
			set |= BIT(i);
	return set;
}

static unsigned locked_by_fd(const char *path, const struct stat *st)
{
	FILE *f = fopen(path, "re");
	char line[256];
	unsigned set = 0;

	while (f && fgets(line, sizeof(line), f))
		set |= locked_by_line(line, st);
	if (f)
		fclose(f);
	return set;
}

static unsigned locked_by_process(const char *pid, int skip_fd, const struct stat *st)
{
	char path[300];
	struct dirent *e;
	unsigned set = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.20s/fdinfo", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || atoi(e->d_name) == skip_fd)
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid, e->d_name);
		set |= locked_by_fd(path, st);
	}
	if (dir)
		closedir(dir);
	return set;
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

/* Those of SET for which nobody stands yet are held by WHO. */
static void note(struct file_holder *h, unsigned set, const char *who)
{
	for (unsigned i = 0; i < FILE_LOCK_BYTES; i++)
		if (set & BIT(i) && !h->who[i])
			h->who[i] = xstrdup(who);
}

static void note_process(struct file_holder *h, unsigned set, const char *pid)
{
	char comm[32], *who;

	command_name(pid, comm, sizeof(comm));
	who = xasprintf("process %s (%s)", pid, comm);
	note(h, set, who);
	free(who);
}

static void search(struct file_holder *h, int fd, const struct stat *st, unsigned taken)
{
	unsigned ours = 0;
	struct dirent *e;
	DIR *proc = opendir("/proc");

	while (proc && (e = readdir(proc))) {
		bool self = atoi(e->d_name) == getpid();
		unsigned set;

		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		set = taken & locked_by_process(e->d_name, self ? fd : -1, st);
		if (self)
			ours = set;
		else if (set)
			note_process(h, set, e->d_name);
	}
	if (proc)
		closedir(proc);
	/* Last, as that may be the very disk which is going to ask. */
	note(h, ours, "another disk of this machine");
}

void file_holder_find_mt(struct file_holder *h, int fd)
{
	unsigned taken = 0;
	struct stat st;

	*h = (struct file_holder){.dev = 0};
	if (fstat(fd, &st) < 0)
		return;
	h->dev = st.st_dev;
	h->ino = st.st_ino;
	for (unsigned i = 0; i < FILE_LOCK_BYTES; i++)
		taken |= file_lock_taken_mt(fd, i) ? BIT(i) : 0;
	if (taken)
		search(h, fd, &st, taken);
}

void file_holder_fini(struct file_holder *h)
{
	for (unsigned i = 0; i < FILE_LOCK_BYTES; i++)
		free(h->who[i]);
}

/* ---- what is known ---- */

static const struct file_holder *told;
static unsigned n_told;

void file_holder_tell(const struct file_holder *list, unsigned n)
{
	LOOP_ASSERT();
	told = list;
	n_told = n;
}

const char *file_holder_told(int fd, enum file_lock_byte byte)
{
	struct stat st;

	LOOP_ASSERT();
	if (!n_told || fstat(fd, &st) < 0)
		return NULL;
	for (unsigned i = 0; i < n_told; i++)
		if (told[i].dev == st.st_dev && told[i].ino == st.st_ino && told[i].who[byte])
			return told[i].who[byte];
	return NULL;
}
