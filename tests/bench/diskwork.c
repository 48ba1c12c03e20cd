/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What tests and benches have a guest do with a disk: a static program, by Linux AIO and O_DIRECT.
 *
 *	diskwork bench DEVICE read|write BYTES DEPTH SECONDS	requests a second, random places
 *	diskwork verify DEVICE ROUNDS DEPTH SEED		random writes, zeroes, discards and reads, each held against what must be there
 *	diskwork stamp DEVICE BLOCKS				for ever: stamps 4 KiB blocks in batches, flushes, and says which are safe
 *
 * A block of 4 KiB has in each of its sectors the block's number and the generation that was written; generation 0 is
 * a block of zeroes. `stamp` writes generation G to block stamp_block(G): tests/boot/systems_block.py knows that too.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BLOCK	  4096u
#define SECTOR	  512u
#define DEPTH_MAX 128u

struct slot {
	struct iocb cb;
	uint8_t *buf;
	uint32_t first, blocks;
	int busy, write;
};

static struct slot slots[DEPTH_MAX];
static aio_context_t context;
static int fd;
static uint64_t disk_bytes;
static uint64_t seed = 1;

static void die(const char *what)
{
	printf("diskwork: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint32_t rnd(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(seed >> 33);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void open_disk(const char *path, size_t buf_bytes, unsigned depth)
{
	fd = open(path, O_RDWR | O_DIRECT);
	if (fd < 0)
		fd = open(path, O_RDWR); /* a file system without O_DIRECT */
	if (fd < 0)
		die(path);
	if (ioctl(fd, BLKGETSIZE64, &disk_bytes) < 0)
		disk_bytes = (uint64_t)lseek(fd, 0, SEEK_END);
	if (syscall(SYS_io_setup, DEPTH_MAX, &context) < 0)
		die("io_setup");
	for (unsigned i = 0; i < depth; i++)
		if (posix_memalign((void **)&slots[i].buf, 4096, buf_bytes))
			die("memory");
}

static void start(struct slot *s, int write, uint64_t offset, size_t bytes)
{
	struct iocb *cb = &s->cb;

	memset(cb, 0, sizeof(*cb));
	cb->aio_lio_opcode = write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
	cb->aio_fildes = (uint32_t)fd;
	cb->aio_buf = (uintptr_t)s->buf;
	cb->aio_nbytes = bytes;
	cb->aio_offset = (int64_t)offset;
	cb->aio_data = (uintptr_t)s;
	s->busy = 1;
	s->write = write;
	if (syscall(SYS_io_submit, context, 1, &cb) != 1)
		die("io_submit");
}

static int wait_some(struct io_event *events)
{
	long n = syscall(SYS_io_getevents, context, 1, DEPTH_MAX, events, NULL);

	if (n < 1)
		die("io_getevents");
	for (long i = 0; i < n; i++) {
		struct slot *s = (struct slot *)(uintptr_t)events[i].data;

		s->busy = 0;
		if (events[i].res != (int64_t)s->cb.aio_nbytes) {
			errno = events[i].res < 0 ? (int)-events[i].res : EIO;
			die(s->write ? "write" : "read");
		}
	}
	return (int)n;
}

/* ---- bench ---- */

static void bench(int write, size_t bytes, unsigned depth, double seconds)
{
	uint32_t places = (uint32_t)(disk_bytes / bytes);
	struct io_event events[DEPTH_MAX];
	double begin = now(), end = begin + seconds, at = begin;
	unsigned long done = 0;

	for (unsigned i = 0; i < depth; i++) {
		memset(slots[i].buf, (int)i + 1, bytes);
		start(&slots[i], write, (uint64_t)(rnd() % places) * bytes, bytes);
	}
	while (at < end) {
		int n = wait_some(events);

		for (int i = 0; i < n; i++)
			start((struct slot *)(uintptr_t)events[i].data, write,
			      (uint64_t)(rnd() % places) * bytes, bytes);
		done += (unsigned)n;
		at = now();
	}
	printf("iops %.1f\n", (double)done / (at - begin));
}

/* ---- stamps ---- */

static void stamp(uint8_t *buf, uint32_t block, uint32_t generation)
{
	memset(buf, generation ? (int)(block * 7 + generation) : 0, BLOCK);
	for (unsigned i = 0; generation && i < BLOCK; i += SECTOR) {
		memcpy(buf + i, &block, 4);
		memcpy(buf + i + 4, &generation, 4);
	}
}

static int stamp_is(const uint8_t *buf, uint32_t block, uint32_t generation)
{
	uint8_t want[BLOCK];

	stamp(want, block, generation);
	return !memcmp(buf, want, BLOCK);
}

/* ---- verify ---- */

static uint32_t *generations;
static uint8_t *taken;

static int take(uint32_t first, uint32_t blocks)
{
	for (uint32_t i = 0; i < blocks; i++)
		if (taken[first + i])
			return 0;
	memset(taken + first, 1, blocks);
	return 1;
}

static void check_read(const struct slot *s)
{
	for (uint32_t i = 0; i < s->blocks; i++) {
		uint32_t b = s->first + i;

		if (!stamp_is(s->buf + i * BLOCK, b, generations[b])) {
			printf("diskwork: block %u is not of generation %u\n", b, generations[b]);
			exit(1);
		}
	}
}

static void give_back(struct slot *s)
{
	if (!s->write)
		check_read(s);
	memset(taken + s->first, 0, s->blocks);
}

/* Zeroes and discards are calls that wait; what a discard leaves is open, so it is zeroed after. */
static void clear(struct slot *s, int discard)
{
	uint64_t range[2] = {(uint64_t)s->first * BLOCK, (uint64_t)s->blocks * BLOCK};

	if (discard && ioctl(fd, BLKDISCARD, range) < 0 && errno != EOPNOTSUPP)
		die("BLKDISCARD");
	if (ioctl(fd, BLKZEROOUT, range) < 0)
		die("BLKZEROOUT");
	for (uint32_t i = 0; i < s->blocks; i++)
		generations[s->first + i] = 0;
	memset(taken + s->first, 0, s->blocks);
}

static void begin(struct slot *s, uint32_t total, uint32_t generation)
{
	unsigned kind = rnd() % 16;

	do {
		s->blocks = 1 + rnd() % 16;
		s->first = rnd() % (total - s->blocks);
	} while (!take(s->first, s->blocks));
	if (kind < 2) {
		clear(s, kind == 0);
		s->blocks = 0;
		return;
	}
	if (kind < 10) {
		for (uint32_t i = 0; i < s->blocks; i++) {
			generations[s->first + i] = generation;
			stamp(s->buf + i * BLOCK, s->first + i, generation);
		}
	}
	start(s, kind < 10, (uint64_t)s->first * BLOCK, s->blocks * BLOCK);
}

static void verify(unsigned rounds, unsigned depth)
{
	uint32_t total = (uint32_t)(disk_bytes / BLOCK), started = 0, in_flight = 0;
	struct io_event events[DEPTH_MAX];

	generations = calloc(total, sizeof(*generations));
	taken = calloc(total, 1);
	while (started < rounds || in_flight) {
		for (unsigned i = 0; i < depth && started < rounds; i++) {
			if (slots[i].busy)
				continue;
			begin(&slots[i], total, ++started);
			in_flight += (unsigned)slots[i].busy;
			if (started % 64 == 0 && fdatasync(fd))
				die("fdatasync");
		}
		if (!in_flight)
			continue;
		for (int n = wait_some(events); n > 0; n--, in_flight--)
			give_back((struct slot *)(uintptr_t)events[n - 1].data);
	}
	/* All of it once more. */
	for (uint32_t b = 0; b < total; b++) {
		slots[0].first = b;
		slots[0].blocks = 1;
		if (pread(fd, slots[0].buf, BLOCK, (off_t)b * BLOCK) != BLOCK)
			die("read");
		/* A block that was never written may have anything of an earlier run. */
		if (generations[b])
			check_read(&slots[0]);
	}
	printf("verified %u requests\n", started);
}

/* ---- stamp ---- */

static uint32_t stamp_block(uint32_t generation, uint32_t blocks)
{
	return (uint32_t)((generation * 2654435761ull) >> 7) % blocks;
}

static void stamp_for_ever(uint32_t blocks)
{
	struct io_event events[DEPTH_MAX];
	uint32_t generation = 0;

	for (;;) {
		/* Blocks of one batch differ, or their order would be open. */
		unsigned n = 0, in_flight;

		while (n < 16) {
			uint32_t block = stamp_block(generation + 1, blocks);
			int twice = 0;

			for (unsigned i = 0; i < n; i++)
				twice |= slots[i].first == block;
			if (twice)
				break;
			generation++;
			slots[n].first = block;
			stamp(slots[n].buf, block, generation);
			start(&slots[n], 1, (uint64_t)block * BLOCK, BLOCK);
			n++;
		}
		for (in_flight = n; in_flight;)
			in_flight -= (unsigned)wait_some(events);
		if (fdatasync(fd))
			die("fdatasync");
		printf("safe %u\n", generation);
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	if (argc == 7 && !strcmp(argv[1], "bench")) {
		size_t bytes = strtoul(argv[4], NULL, 0);
		unsigned depth = (unsigned)atoi(argv[5]);

		if (depth < 1 || depth > DEPTH_MAX || !bytes)
			return 2;
		open_disk(argv[2], bytes, depth);
		bench(!strcmp(argv[3], "write"), bytes, depth, atof(argv[6]));
		return 0;
	}
	if (argc == 6 && !strcmp(argv[1], "verify")) {
		unsigned depth = (unsigned)atoi(argv[4]);

		if (depth < 1 || depth > DEPTH_MAX)
			return 2;
		seed = strtoul(argv[5], NULL, 0) * 2 + 1;
		open_disk(argv[2], 16 * BLOCK, depth);
		verify((unsigned)atoi(argv[3]), depth);
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "stamp")) {
		open_disk(argv[2], BLOCK, 16);
		stamp_for_ever((uint32_t)atoi(argv[3]));
	}
	fprintf(stderr, "usage: see the head of tests/bench/diskwork.c\n");
	return 2;
}
