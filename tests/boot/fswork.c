/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest does with a file system whose disk will lose power: a static program.
 *
 *	fswork FOLDER MARKS STEPS	works in FOLDER; after each step it writes the step's number to the disk MARKS
 *
 * A step changes one name, and is over when the kernel has said that the change is on stable storage. What it does
 * follows from its number alone: tests/boot/systems_cuts.py knows too, and what each file then holds.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES	  10
#define BYTES_MAX 40000u
#define SECTOR	  512

enum kind { REPLACE, APPEND, OVERWRITE, REMOVE, REWRITE, FOLDER, KINDS };

static int folder;

static void die(const char *what)
{
	printf("fswork: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void save(int fd)
{
	if (fsync(fd))
		die("fsync");
}

static void fill(int fd, uint32_t step, uint32_t from, uint32_t bytes)
{
	static uint8_t buf[2 * BYTES_MAX];

	for (uint32_t i = 0; i < bytes; i++)
		buf[i] = (uint8_t)(step * 37 + (from + i) * 3 + ((from + i) >> 8) * 11);
	if (pwrite(fd, buf, bytes, from) != (ssize_t)bytes)
		die("write");
	save(fd);
}

static int open_name(const char *name, int flags)
{
	int fd = openat(folder, name, O_RDWR | flags, 0644);

	if (fd < 0)
		die(name);
	return fd;
}

static void change(const char *name, int flags, uint32_t step, uint32_t from, uint32_t bytes)
{
	int fd = open_name(name, flags);

	fill(fd, step, from, bytes);
	close(fd);
}

static void make_or_remove_folder(const char *name)
{
	if (mkdirat(folder, name, 0755) &&
	    (errno != EEXIST || unlinkat(folder, name, AT_REMOVEDIR)))
		die(name);
}

static uint32_t mixed(uint32_t step)
{
	uint32_t x = step * 2654435761u;

	x = (x ^ x >> 15) * 0x85ebca6bu;
	return x ^ x >> 13;
}

static void work(uint32_t step)
{
	uint32_t x = mixed(step), bytes = 500 + (x >> 12) % 9000, from, old;
	enum kind kind = (x >> 20) % KINDS;
	char name[16], sub[16];
	struct stat st;

	snprintf(name, sizeof(name), "file%u", (x >> 8) % NAMES);
	snprintf(sub, sizeof(sub), "sub%u", (x >> 8) % NAMES);
	old = fstatat(folder, name, &st, 0) ? 0 : (uint32_t)st.st_size;
	if (!old && (kind == OVERWRITE || kind == REMOVE))
		kind = APPEND;
	if (old + bytes > BYTES_MAX && kind == APPEND)
		kind = REWRITE;
	switch (kind) {
	case REPLACE:
		change("new", O_CREAT, step, 0, bytes);
		if (renameat(folder, "new", folder, name))
			die(name);
		break;
	case APPEND:
		change(name, O_CREAT, step, old, bytes);
		break;
	case OVERWRITE:
		from = (x >> 4) % old;
		change(name, 0, step, from, bytes < old - from ? bytes : old - from);
		break;
	case REMOVE:
		if (unlinkat(folder, name, 0))
			die(name);
		break;
	case REWRITE:
		change(name, O_CREAT | O_TRUNC, step, 0, bytes);
		break;
	default:
		make_or_remove_folder(sub);
	}
	save(folder);
}

int main(int argc, char **argv)
{
	uint32_t *mark;
	int marks;

	if (argc != 4 || posix_memalign((void **)&mark, 4096, SECTOR)) {
		fprintf(stderr, "usage: see the head of tests/boot/fswork.c\n");
		return 2;
	}
	folder = open(argv[1], O_RDONLY | O_DIRECTORY);
	marks = open(argv[2], O_WRONLY | O_DIRECT);
	if (folder < 0 || marks < 0)
		die("open");
	memset(mark, 0, SECTOR);
	for (uint32_t step = 1; step <= (uint32_t)atoi(argv[3]); step++) {
		work(step);
		*mark = step;
		if (pwrite(marks, mark, SECTOR, 0) != SECTOR)
			die("the mark");
	}
	printf("fswork: done\n");
	return 0;
}
