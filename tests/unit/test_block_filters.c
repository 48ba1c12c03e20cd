/* SPDX-License-Identifier: BSD-2-Clause */
/* The filters of the block layer: limits, injected faults, the log of writes, snapshot=on; and what a disk does with errors. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/block_kit.h"

#define SIZE (1 * MiB)

/* A raw disk over blkdebug with these rules. */
static void open_debug(struct kit *k, const char *rules, const char *drive)
{
	char *text = xasprintf("driver=raw,file.driver=blkdebug,file.image.driver=file,"
			       "file.image.filename=%s%s%s%s%s",
			       k->path, *rules ? "," : "", rules, *drive ? "," : "", drive);

	kit_open(k, text);
	free(text);
}

static void a_rule_makes_requests_fail(void **state)
{
	uint8_t buf[4096] = {1};
	struct kit k;

	kit_init(&k, SIZE);
	open_debug(&k,
		   "file.inject-error.0.event=read_aio,file.inject-error.0.sector=16,"
		   "file.inject-error.1.event=write_aio,file.inject-error.1.errno=28,"
		   "file.inject-error.1.once=on",
		   "werror=report");
	assert_int_equal(kit_read(&k, 0, buf, sizeof(buf)), 0);
	assert_int_equal(kit_read(&k, 8192 - 4096, buf, sizeof(buf)), 0);
	assert_int_equal(kit_read(&k, 8192, buf, 512), -EIO);
	assert_int_equal(kit_read(&k, 8192 - 512, buf, 1024), -EIO);
	assert_int_equal(kit_write(&k, 0, buf, 512, 0), -ENOSPC);
	assert_int_equal(kit_write(&k, 0, buf, 512, 0), 0);
	assert_int_equal(kit_flush(&k), 0);
	assert_int_equal(k.block->stats.of[BLOCK_ACCT_READ].failed, 2);
	assert_int_equal(k.block->stats.of[BLOCK_ACCT_WRITE].failed, 1);
	kit_fini(&k);
}

/* A host that hangs: the loop goes on, other requests are served, and the request ends when the host answers. */
static void a_stalled_request_holds_nobody_else_up(void **state)
{
	uint8_t a[512], b[512];
	struct kit_request slow = {.iov = {a, sizeof(a)}};
	struct kit k;
	int64_t begin;

	kit_init(&k, SIZE);
	open_debug(&k,
		   "file.inject-error.0.sector=0,file.inject-error.0.errno=0,"
		   "file.inject-error.0.delay-ns=700000000",
		   "");
	begin = clock_now_ns(loop_clock_host(k.loop));
	block_readv(k.block, &slow.r, 0, &slow.iov, 1, kit_done, &slow);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(kit_read(&k, 4096, b, sizeof(b)), 0);
	assert_true(slow.done || k.block->n_inflight == 1);
	kit_wait(&k, &slow);
	assert_int_equal(slow.ret, 0);
	assert_true(clock_now_ns(loop_clock_host(k.loop)) - begin >= 700 * NS_PER_MS);
	kit_fini(&k);
}

/* A day at most, if the end waited for them. */
static void the_end_waits_for_no_slow_disk(void **state)
{
	static const char *const slow[] = {
		"driver=raw,file.driver=null-co,file.latency-ns=86400000000000",
		"driver=raw,file.driver=blkdebug,file.image.driver=null-co,"
		"file.inject-error.0.delay-ns=18446744073709551615",
	};

	for (size_t i = 0; i < ARRAY_SIZE(slow); i++) {
		uint8_t a[512];
		struct kit_request q[3];
		struct kit k;

		kit_init(&k, SIZE);
		kit_open(&k, slow[i]);
		for (unsigned n = 0; n < ARRAY_SIZE(q); n++) {
			q[n] = (struct kit_request){.iov = {a, sizeof(a)}};
			block_readv(k.block, &q[n].r, 0, &q[n].iov, 1, kit_done, &q[n]);
		}
		kit_turn(&k, NS_PER_MS);
		assert_int_equal(k.block->n_inflight, 3);
		assert_true(block_drain(k.loop, 10 * NS_PER_SEC));
		for (unsigned n = 0; n < ARRAY_SIZE(q); n++)
			assert_int_equal(q[n].calls, 1);
		kit_fini(&k);
	}
}

static void rules_that_make_no_sense_are_refused(void **state)
{
	static const char *const bad[][2] = {
		{"file.inject-error.0.event=nonsense", "'event' has no value 'nonsense'"},
		{"file.inject-error.0.sektor=1", "'sektor' is unexpected; did you mean 'sector'"},
		{"file.align=3", "Cannot meet constraints with align 3"},
	};
	struct kit k;

	kit_init(&k, SIZE);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		char *text = xasprintf("driver=raw,file.driver=blkdebug,file.image.driver=file,"
				       "file.image.filename=%s,%s",
				       k.path, bad[i][0]);
		char *msg = kit_try_open(&k, text);

		assert_non_null(msg);
		assert_non_null(strstr(msg, bad[i][1]));
		free(msg);
		free(text);
	}
	kit_fini(&k);
}

/* ---- werror=, rerror= ---- */

static struct {
	unsigned calls;
	bool is_read;
	enum block_on_error action;
	int errnum;
} last_error;

static void on_io_error(void *opaque, struct block *b, bool is_read, enum block_on_error action,
			int errnum)
{
	last_error.calls++;
	last_error.is_read = is_read;
	last_error.action = action;
	last_error.errnum = errnum;
}

static const struct block_host_ops host = {.io_error = on_io_error};

static void with_stop_a_request_waits_and_is_done_again(void **state)
{
	uint8_t out[512], in[512] = {0};
	struct kit_request q = {.iov = {out, sizeof(out)}};
	struct kit k;

	memset(out, 0x5a, sizeof(out));
	memset(&last_error, 0, sizeof(last_error));
	kit_init(&k, SIZE);
	block_set_host(&host, NULL);
	open_debug(&k,
		   "file.inject-error.0.event=write_aio,file.inject-error.0.errno=28,"
		   "file.inject-error.0.once=on",
		   "werror=enospc");
	block_writev(k.block, &q.r, 512, &q.iov, 1, 0, kit_done, &q);
	kit_turn(&k, 20 * NS_PER_MS);
	assert_false(q.done);
	assert_int_equal(last_error.calls, 1);
	assert_false(last_error.is_read);
	assert_int_equal(last_error.action, BLOCK_ERROR_STOP);
	assert_int_equal(last_error.errnum, ENOSPC);
	block_retry_held();
	kit_wait(&k, &q);
	assert_int_equal(q.ret, 0);
	assert_int_equal(k.block->stats.of[BLOCK_ACCT_WRITE].failed, 0);
	assert_int_equal(k.block->stats.of[BLOCK_ACCT_WRITE].ops, 1);
	assert_int_equal(kit_read(&k, 512, in, sizeof(in)), 0);
	assert_memory_equal(in, out, sizeof(in));
	block_set_host(NULL, NULL);
	kit_fini(&k);
}

/* A disk that was made smaller while the guest stood still. */
static void a_held_request_is_judged_by_the_disk_as_it_is(void **state)
{
	uint8_t out[512] = {1};
	struct kit_request q = {.iov = {out, sizeof(out)}};
	struct stat st;
	struct kit k;

	kit_init(&k, SIZE);
	block_set_host(&host, NULL);
	open_debug(&k,
		   "file.inject-error.0.event=write_aio,file.inject-error.0.errno=28,"
		   "file.inject-error.0.once=on",
		   "werror=enospc");
	block_writev(k.block, &q.r, SIZE - 512, &q.iov, 1, 0, kit_done, &q);
	kit_turn(&k, 20 * NS_PER_MS);
	assert_false(q.done);
	assert_true(block_node_resize(k.block->root, SIZE / 2, NULL));
	block_retry_held();
	kit_wait(&k, &q);
	assert_int_equal(q.ret, -EIO);
	assert_int_equal(stat(k.path, &st), 0);
	assert_int_equal(st.st_size, SIZE / 2);
	block_set_host(NULL, NULL);
	kit_fini(&k);
}

static void a_held_request_is_not_for_the_next_medium(void **state)
{
	uint8_t out[512] = {1};
	struct kit_request q = {.iov = {out, sizeof(out)}};
	struct block_node *medium;
	struct kit k, next;

	kit_init(&k, SIZE);
	next = k;
	block_set_host(&host, NULL);
	open_debug(&k, "file.inject-error.0.event=write_aio,file.inject-error.0.errno=28",
		   "werror=enospc");
	block_writev(k.block, &q.r, 0, &q.iov, 1, 0, kit_done, &q);
	kit_turn(&k, 20 * NS_PER_MS);
	assert_false(q.done);
	kit_open(&next, "id=next,driver=raw,file.driver=null-co");
	medium = block_node_ref(next.block->root);
	block_free(next.block);
	assert_true(block_insert_medium(k.block, medium, NULL));
	block_retry_held();
	kit_wait(&k, &q);
	assert_int_equal(q.ret, -ENOMEDIUM);
	block_set_host(NULL, NULL);
	kit_fini(&k);
}

/* The request is the last to refer to the node. */
static void a_medium_may_be_taken_out_while_a_request_is_delayed(void **state)
{
	static const char *const drivers[] = {
		"driver=raw,file.driver=null-co,file.latency-ns=5000000",
		"driver=raw,file.driver=blkdebug,file.image.driver=null-co,"
		"file.inject-error.0.delay-ns=5000000",
	};
	uint8_t buf[512];
	struct kit k;

	for (unsigned end = 0; end < 2; end++) {
		for (unsigned i = 0; i < ARRAY_SIZE(drivers); i++) {
			struct kit_request q = {.iov = {buf, sizeof(buf)}};

			kit_init(&k, SIZE);
			kit_open(&k, drivers[i]);
			block_readv(k.block, &q.r, 0, &q.iov, 1, kit_done, &q);
			block_remove_medium(k.block);
			if (end)
				assert_true(block_drain(k.loop, NS_PER_SEC));
			kit_wait(&k, &q);
			assert_int_equal(q.ret, i ? -EIO : 0);
			kit_fini(&k);
		}
	}
}

/* Its requests wait for its limits, and are done as soon as they don't. */
static void a_disk_that_its_device_left_may_end_with_its_limits(void **state)
{
	struct throttle_config c = {.of[THROTTLE_IOPS] = {.avg = 1}};
	struct kit_request q[3];
	uint8_t buf[512];
	struct block *b;
	struct kit k;

	for (unsigned end = 0; end < 2; end++) {
		kit_init(&k, SIZE);
		kit_open(&k, "driver=raw,file.driver=null-co,node-name=n");
		block_node_ref(block_node_find("n"));
		block_free(k.block);
		k.block = NULL;
		memset(q, 0, sizeof(q));
		b = block_new(k.loop, NULL, NULL);
		assert_true(block_insert_medium(b, block_node_find("n"), NULL));
		block_set_throttle(b, "g", &c);
		for (unsigned i = 0; i < ARRAY_SIZE(q); i++) {
			q[i].iov = (struct iovec){buf, sizeof(buf)};
			block_readv(b, &q[i].r, 0, &q[i].iov, 1, kit_done, &q[i]);
		}
		kit_wait(&k, &q[0]);
		assert_false(q[1].done);
		block_release(b);
		if (end)
			assert_true(block_drain(k.loop, NS_PER_SEC));
		else
			assert_true(block_when_idle());
		assert_true(q[2].done);
		kit_fini(&k);
	}
}

static void a_device_that_is_reset_gets_its_held_requests_back(void **state)
{
	uint8_t out[512] = {1};
	struct kit_request q = {.iov = {out, sizeof(out)}};
	struct kit k;

	kit_init(&k, SIZE);
	block_set_host(&host, NULL);
	open_debug(&k, "file.inject-error.0.event=write_aio", "werror=stop");
	block_writev(k.block, &q.r, 512, &q.iov, 1, 0, kit_done, &q);
	kit_turn(&k, 20 * NS_PER_MS);
	assert_false(q.done);
	block_cancel_held(k.block);
	assert_false(q.done);
	kit_wait(&k, &q);
	assert_int_equal(q.ret, -ECANCELED);
	block_set_host(NULL, NULL);
	kit_fini(&k);
}

static void on_idle(void *opaque)
{
	*(bool *)opaque = true;
}

/* What is under way when a reset begins to wait, and what a device submits then. */
static void while_a_reset_waits_no_request_is_held(void **state)
{
	static const struct block_host_ops waits = {.io_error = on_io_error, .idle = on_idle};
	uint8_t out[512] = {1};
	struct kit_request first = {.iov = {out, sizeof(out)}}, second = first;
	bool idle = false;
	struct kit k;

	memset(&last_error, 0, sizeof(last_error));
	kit_init(&k, SIZE);
	block_set_host(&waits, &idle);
	open_debug(&k, "file.inject-error.0.event=write_aio,file.inject-error.0.delay-ns=5000000",
		   "werror=stop");
	block_writev(k.block, &first.r, 512, &first.iov, 1, 0, kit_done, &first);
	assert_false(block_when_idle());
	block_writev(k.block, &second.r, 512, &second.iov, 1, 0, kit_done, &second);
	kit_wait(&k, &first);
	kit_wait(&k, &second);
	assert_int_equal(first.ret, -ECANCELED);
	assert_int_equal(second.ret, -ECANCELED);
	assert_true(idle);
	assert_int_equal(last_error.calls, 0);
	/* And so at the end. */
	first.done = false;
	block_writev(k.block, &first.r, 512, &first.iov, 1, 0, kit_done, &first);
	assert_true(block_drain(k.loop, 10 * NS_PER_SEC));
	assert_int_equal(last_error.calls, 0);
	block_set_host(NULL, NULL);
	kit_fini(&k);
}

static void errors_are_ignored_or_reported_as_asked(void **state)
{
	uint8_t buf[512] = {1};
	struct kit k;

	for (unsigned ignore = 0; ignore < 2; ignore++) {
		kit_init(&k, SIZE);
		block_set_host(&host, NULL);
		open_debug(&k, "file.inject-error.0.errno=5",
			   ignore ? "werror=ignore,rerror=ignore" : "werror=enospc,rerror=report");
		assert_int_equal(kit_write(&k, 0, buf, 512, 0), ignore ? 0 : -EIO);
		assert_int_equal(last_error.action,
				 ignore ? BLOCK_ERROR_IGNORE : BLOCK_ERROR_REPORT);
		assert_int_equal(kit_read(&k, 0, buf, 512), ignore ? 0 : -EIO);
		assert_true(last_error.is_read);
		assert_int_equal(k.block->stats.of[BLOCK_ACCT_WRITE].failed, !ignore);
		assert_int_equal(k.block->stats.of[BLOCK_ACCT_READ].bytes, ignore ? 512 : 0);
		block_set_host(NULL, NULL);
		kit_fini(&k);
	}
}

/* ---- sectors of any size ---- */

/* Random requests at any offset on disks of larger sectors, held against memory. */
static void neighbours_of_misaligned_writes_stay(void **state)
{
	static const char *const aligns[] = {"512", "2048", "4096", "65536"};
	uint8_t *shadow = xzalloc(SIZE), *buf = xmalloc(SIZE);

	for (unsigned a = 0; a < ARRAY_SIZE(aligns); a++) {
		char *align = xasprintf("file.align=%s", aligns[a]);
		unsigned seed = 4711;
		struct kit k;

		kit_init(&k, SIZE);
		open_debug(&k, align, "");
		memset(shadow, 0, SIZE);
		for (unsigned i = 0; i < 100; i++) {
			uint64_t at = (uint64_t)rand_r(&seed) % SIZE;
			uint64_t n = (uint64_t)rand_r(&seed) % (i % 10 ? 9000 : 300000) + 1;

			n = MIN(n, SIZE - at);
			switch (rand_r(&seed) % 4) {
			case 0:
				memset(shadow + at, 0, n);
				assert_int_equal(kit_zero(&k, at, n, 0), 0);
				break;
			case 1:
				memset(buf, 0xee, n);
				assert_int_equal(kit_read(&k, at, buf, n), 0);
				assert_memory_equal(buf, shadow + at, n);
				break;
			default:
				memset(shadow + at, (int)i, n);
				assert_int_equal(kit_write(&k, at, shadow + at, n, 0), 0);
			}
		}
		assert_int_equal(kit_read(&k, 0, buf, SIZE), 0);
		assert_memory_equal(buf, shadow, SIZE);
		kit_fini(&k);
		free(align);
	}
	free(shadow);
	free(buf);
}

/* All sectors of a block written at once, each by a request of its own: none fills the others' with zeroes. */
static void writes_within_one_block_do_not_undo_each_other(void **state)
{
	enum { BLOCKS = 64, UNIT = 4096, PIECES = 8 };
	struct kit_request *q = xzalloc(BLOCKS * PIECES * sizeof(*q));
	uint8_t *out = xaligned_zalloc(4096, BLOCKS * UNIT), *in = xmalloc(BLOCKS * UNIT);
	static const char *const engines[] = {"io_uring", "native", "threads"};

	for (unsigned i = 0; i < BLOCKS * UNIT; i++)
		out[i] = (uint8_t)(i / 512 * 7 + 1);
	for (unsigned e = 0; e < ARRAY_SIZE(engines); e++) {
		char *text = xasprintf("format=raw,cache=none,aio=%s", engines[e]), *msg;
		struct kit k;

		kit_init(&k, SIZE);
		msg = kit_try_open(&k, text);
		free(text);
		if (msg) {
			print_message("%s: %s\n", engines[e], msg);
			free(msg);
			kit_fini(&k);
			continue;
		}
		memset(q, 0, BLOCKS * PIECES * sizeof(*q));
		for (unsigned p = 0; p < PIECES; p++) {
			for (unsigned b = 0; b < BLOCKS; b++) {
				uint64_t at = b * UNIT + p * 512;
				struct kit_request *r = &q[b * PIECES + p];

				r->iov = (struct iovec){out + at, 512};
				block_writev(k.block, &r->r, at, &r->iov, 1, 0, kit_done, r);
			}
		}
		for (unsigned i = 0; i < BLOCKS * PIECES; i++) {
			kit_wait(&k, &q[i]);
			assert_int_equal(q[i].ret, 0);
		}
		assert_int_equal(kit_read(&k, 0, in, BLOCKS * UNIT), 0);
		assert_memory_equal(in, out, BLOCKS * UNIT);
		kit_fini(&k);
	}
	free(q);
	free(out);
	free(in);
}

/* ---- the log of writes ---- */

struct entry {
	uint64_t sector, sectors, flags, bytes;
};

static void read_log(const char *path, off_t at, void *buf, size_t n)
{
	int fd = open(path, O_RDONLY);

	assert_int_equal(pread(fd, buf, n, at), n);
	close(fd);
}

static void the_log_has_what_was_written_in_its_order(void **state)
{
	uint8_t out[4096], data[4096];
	struct {
		uint64_t magic, version, entries;
	} super;
	struct entry e;
	struct kit k;
	char *log, *text;

	kit_init(&k, SIZE);
	log = xasprintf("%s.log", k.path);
	close(open(log, O_CREAT | O_RDWR | O_TRUNC, 0600));
	text = xasprintf("driver=raw,file.driver=blklogwrites,file.file.driver=file,"
			 "file.file.filename=%s,file.log.driver=file,file.log.filename=%s",
			 k.path, log);
	kit_open(&k, text);
	memset(out, 0xab, sizeof(out));
	assert_int_equal(kit_write(&k, 8192, out, sizeof(out), 0), 0);
	assert_int_equal(kit_flush(&k), 0);
	assert_int_equal(kit_zero(&k, 4096, 1024, 0), 0);
	assert_int_equal(kit_write(&k, 0, out, 512, BLOCK_FUA), 0);
	kit_close(&k);
	read_log(log, 0, &super, sizeof(super));
	assert_int_equal(super.magic, 0x6a736677736872ull);
	assert_int_equal(super.version, 1);
	assert_int_equal(super.entries, 4);
	read_log(log, 512, &e, sizeof(e));
	assert_true(e.sector == 16 && e.sectors == 8 && e.flags == 0 && e.bytes == 4096);
	read_log(log, 1024, data, sizeof(data));
	assert_memory_equal(data, out, sizeof(out));
	read_log(log, 1024 + 4096, &e, sizeof(e));
	assert_true(e.sectors == 0 && e.flags == 1 && e.bytes == 0);
	read_log(log, 1536 + 4096, &e, sizeof(e));
	assert_true(e.sector == 8 && e.sectors == 2 && e.bytes == 1024);
	read_log(log, 3072 + 4096, &e, sizeof(e));
	assert_true(e.sector == 0 && e.sectors == 1 && e.flags == 2 && e.bytes == 512);
	unlink(log);
	free(log);
	free(text);
	kit_fini(&k);
}

/* ---- snapshot=on ---- */

static void with_snapshot_the_image_stays_as_it_is(void **state)
{
	uint8_t *shadow = xzalloc(SIZE), *buf = xmalloc(SIZE);
	unsigned seed = 12;
	struct kit k;
	int fd;

	kit_init(&k, SIZE);
	memset(buf, 0x11, SIZE);
	fd = open(k.path, O_RDWR);
	assert_int_equal(write(fd, buf, SIZE), SIZE);
	memset(shadow, 0x11, SIZE);
	kit_open(&k, "format=raw,snapshot=on");
	for (unsigned i = 0; i < 100; i++) {
		uint64_t at = (uint64_t)rand_r(&seed) % SIZE, n;

		n = (uint64_t)rand_r(&seed) % 20000 + 1;
		n = MIN(n, SIZE - at);
		if (i % 3 == 0) {
			at = ALIGN_DOWN(at, 512ull);
			n = MIN(ALIGN_UP(n, 512ull), SIZE - at);
		}
		if (i % 7 == 0) {
			memset(shadow + at, 0, n);
			assert_int_equal(kit_zero(&k, at, n, BLOCK_UNMAP), 0);
		} else {
			memset(shadow + at, (int)i, n);
			assert_int_equal(kit_write(&k, at, shadow + at, n, 0), 0);
		}
		at = (uint64_t)rand_r(&seed) % (SIZE - 100000);
		assert_int_equal(kit_read(&k, at, buf, 100000), 0);
		assert_memory_equal(buf, shadow + at, 100000);
	}
	assert_int_equal(kit_flush(&k), 0);
	kit_close(&k);
	assert_int_equal(pread(fd, buf, SIZE, 0), SIZE);
	for (unsigned i = 0; i < SIZE; i++)
		assert_int_equal(buf[i], 0x11);
	close(fd);
	kit_fini(&k);
	free(shadow);
	free(buf);
}

static void with_snapshot_a_read_only_disk_is_still_one(void **state)
{
	uint8_t buf[512] = {1};
	struct kit k;

	kit_init(&k, SIZE);
	kit_open(&k, "format=raw,snapshot=on,read-only=on");
	assert_true(block_read_only(k.block));
	assert_int_equal(kit_write(&k, 0, buf, sizeof(buf), 0), -EPERM);
	assert_int_equal(kit_read(&k, 0, buf, sizeof(buf)), 0);
	assert_int_equal(buf[0], 0);
	kit_close(&k);
	kit_open(&k, "format=raw,snapshot=on,read-only=off");
	assert_false(block_read_only(k.block));
	kit_fini(&k);
}

/* More pieces than the kernel takes at once: in the image, in the temporary file, and in both. */
static void with_snapshot_too_memory_may_be_in_many_pieces(void **state)
{
	enum { PIECES = 2000 };
	uint8_t *in = xzalloc(PIECES * 512), *out = xmalloc(PIECES * 512);
	struct iovec iov[PIECES];
	struct kit_request q = {.done = false};
	struct kit k;

	memset(out, 0x77, PIECES * 512);
	kit_init(&k, SIZE);
	kit_open(&k, "format=raw,snapshot=on");
	for (unsigned i = 0; i < PIECES; i++)
		iov[i] = (struct iovec){out + (size_t)i * 512, 512};
	block_writev(k.block, &q.r, 0, iov, PIECES, 0, kit_done, &q);
	kit_wait(&k, &q);
	assert_int_equal(q.ret, 0);
	q = (struct kit_request){.done = false};
	for (unsigned i = 0; i < PIECES; i++)
		iov[i].iov_base = in + (size_t)i * 512;
	block_readv(k.block, &q.r, 0, iov, PIECES, kit_done, &q);
	kit_wait(&k, &q);
	assert_int_equal(q.ret, 0);
	assert_memory_equal(in, out, PIECES * 512);
	kit_fini(&k);
	free(in);
	free(out);
}

/* ---- limits ---- */

static int64_t time_of_reads(struct kit *k, unsigned n, size_t bytes)
{
	uint8_t *buf = xmalloc(bytes);
	struct kit_request *q = xzalloc(n * sizeof(*q));
	struct clock *clock = loop_clock_host(k->loop);
	int64_t begin = clock_now_ns(clock);

	for (unsigned i = 0; i < n; i++) {
		q[i].iov = (struct iovec){buf, bytes};
		block_readv(k->block, &q[i].r, 0, &q[i].iov, 1, kit_done, &q[i]);
	}
	for (unsigned i = 0; i < n; i++) {
		kit_wait(k, &q[i]);
		assert_int_equal(q[i].ret, 0);
	}
	free(q);
	free(buf);
	return clock_now_ns(clock) - begin;
}

static void a_limit_of_requests_is_kept(void **state)
{
	struct kit k;

	kit_init(&k, SIZE);
	kit_open(&k, "format=raw,throttling.iops-total=100");
	/* A tenth of a second's worth at once, the other 40 at 100 a second. */
	assert_true(time_of_reads(&k, 50, 512) >= 370 * NS_PER_MS);
	kit_fini(&k);
}

static void a_limit_of_bytes_is_kept_and_a_burst_is_not_limited(void **state)
{
	struct kit k;

	kit_init(&k, SIZE);
	kit_open(&k, "format=raw,bps=1048576");
	assert_true(time_of_reads(&k, 10, 64 * KiB) >= 400 * NS_PER_MS);
	kit_close(&k);
	kit_open(&k, "format=raw,throttling.bps-total=1048576,throttling.bps-total-max=268435456");
	assert_true(time_of_reads(&k, 10, 64 * KiB) < 400 * NS_PER_MS);
	kit_fini(&k);
}

static struct kit_request *start_reads(struct kit *k, unsigned n, uint8_t *buf, size_t bytes)
{
	struct kit_request *q = xzalloc(n * sizeof(*q));

	for (unsigned i = 0; i < n; i++) {
		q[i].iov = (struct iovec){buf, bytes};
		block_readv(k->block, &q[i].r, 0, &q[i].iov, 1, kit_done, &q[i]);
	}
	return q;
}

/* A write that has to wait for hours: reads have a limit of their own. */
static void reads_do_not_wait_until_writes_may_go(void **state)
{
	uint8_t *buf = xzalloc(SIZE);
	struct kit_request writes[2], *reads;
	struct kit k;

	memset(writes, 0, sizeof(writes));
	kit_init(&k, SIZE);
	kit_open(&k, "format=raw,throttling.bps-write=100,throttling.iops-read=100");
	for (unsigned i = 0; i < ARRAY_SIZE(writes); i++) {
		writes[i].iov = (struct iovec){buf, SIZE};
		block_writev(k.block, &writes[i].r, 0, &writes[i].iov, 1, 0, kit_done, &writes[i]);
	}
	reads = start_reads(&k, 20, buf, 512);
	kit_turn(&k, 500 * NS_PER_MS);
	assert_true(writes[0].done);
	assert_false(writes[1].done);
	for (unsigned i = 0; i < 20; i++)
		assert_true(reads[i].done);
	kit_fini(&k);
	free(reads);
	free(buf);
}

/* Of one limit for both: there are always more reads that wait. */
static void reads_do_not_keep_writes_waiting(void **state)
{
	uint8_t buf[512] = {0};
	struct kit_request write = {.iov = {buf, sizeof(buf)}}, *reads;
	struct kit k;

	kit_init(&k, SIZE);
	kit_open(&k, "format=raw,throttling.iops-total=100");
	reads = start_reads(&k, 200, buf, sizeof(buf));
	block_writev(k.block, &write.r, 0, &write.iov, 1, 0, kit_done, &write);
	kit_turn(&k, 300 * NS_PER_MS);
	assert_true(write.done);
	assert_false(reads[199].done);
	kit_fini(&k);
	free(reads);
}

/* As its own limits don't, so those of a filter don't hold a reset up; they hold afterwards. */
static void what_waits_in_a_filter_does_not_hold_a_reset_up(void **state)
{
	struct throttle_config c = {.of[THROTTLE_IOPS] = {.avg = 1}};
	struct throttle_group *g;
	struct kit_request *reads, *more;
	uint8_t buf[512];
	struct kit k;

	kit_init(&k, SIZE);
	g = throttle_group_get(k.loop, "g");
	throttle_group_set(g, &c);
	kit_open(&k, "driver=throttle,throttle-group=g,file.driver=null-co");
	reads = start_reads(&k, 30, buf, sizeof(buf));
	if (!block_when_idle())
		kit_turn(&k, 100 * NS_PER_MS);
	for (unsigned i = 0; i < 30; i++)
		assert_true(reads[i].done);
	more = start_reads(&k, 30, buf, sizeof(buf));
	kit_turn(&k, 100 * NS_PER_MS);
	assert_false(more[29].done);
	throttle_group_put(g);
	kit_fini(&k);
	free(reads);
	free(more);
}

/* What waits for a limit is not what the host is slow with. */
static void what_waits_for_a_limit_is_not_overdue(void **state)
{
	uint8_t buf[512];
	struct kit_request *reads;
	struct kit k;

	kit_init(&k, SIZE);
	kit_open(&k, "format=raw,throttling.iops-total=10");
	reads = start_reads(&k, 3, buf, sizeof(buf));
	kit_turn(&k, 50 * NS_PER_MS);
	assert_true(reads[0].done);
	assert_false(reads[2].done);
	assert_int_equal(block_oldest_ns(k.block), 0);
	kit_fini(&k);
	kit_init(&k, SIZE);
	kit_open(&k, "driver=raw,file.driver=null-co,file.latency-ns=100000000");
	free(reads);
	reads = start_reads(&k, 1, buf, sizeof(buf));
	kit_turn(&k, 20 * NS_PER_MS);
	assert_true(block_oldest_ns(k.block) >= 10 * NS_PER_MS);
	kit_wait(&k, &reads[0]);
	assert_int_equal(block_oldest_ns(k.block), 0);
	kit_fini(&k);
	free(reads);
}

static void limits_that_make_no_sense_are_refused(void **state)
{
	static const char *const bad[][2] = {
		{"throttling.iops-total=10,throttling.iops-read=10",
		 "iops-total and iops-read or iops-write cannot be used at the same time"},
		{"throttling.bps-total-max=10", "bps-total-max requires bps-total"},
		{"bps=100,bps_max=50", "bps-total-max cannot be lower than bps-total"},
		{"throttling.iops-size=512", "iops-size requires an iops limit"},
		{"throttling.iops-totl=5", "did you mean 'iops-total'"},
	};
	struct kit k;

	kit_init(&k, SIZE);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		char *text = xasprintf("format=raw,%s", bad[i][0]), *msg = kit_try_open(&k, text);

		assert_non_null(msg);
		if (!strstr(msg, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], msg);
		free(msg);
		free(text);
	}
	kit_fini(&k);
}

static void what_waits_for_a_limit_does_not_hold_the_end_up(void **state)
{
	uint8_t buf[512];
	struct kit_request q[30];
	struct kit k;

	memset(q, 0, sizeof(q));
	kit_init(&k, SIZE);
	kit_open(&k, "format=raw,throttling.iops-total=1");
	for (unsigned i = 0; i < ARRAY_SIZE(q); i++) {
		q[i].iov = (struct iovec){buf, sizeof(buf)};
		block_readv(k.block, &q[i].r, 0, &q[i].iov, 1, kit_done, &q[i]);
	}
	kit_close(&k);
	for (unsigned i = 0; i < ARRAY_SIZE(q); i++)
		assert_int_equal(q[i].calls, 1);
	kit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_makes_requests_fail),
		cmocka_unit_test(a_stalled_request_holds_nobody_else_up),
		cmocka_unit_test(the_end_waits_for_no_slow_disk),
		cmocka_unit_test(rules_that_make_no_sense_are_refused),
		cmocka_unit_test(with_stop_a_request_waits_and_is_done_again),
		cmocka_unit_test(a_held_request_is_judged_by_the_disk_as_it_is),
		cmocka_unit_test(a_held_request_is_not_for_the_next_medium),
		cmocka_unit_test(a_medium_may_be_taken_out_while_a_request_is_delayed),
		cmocka_unit_test(a_disk_that_its_device_left_may_end_with_its_limits),
		cmocka_unit_test(a_device_that_is_reset_gets_its_held_requests_back),
		cmocka_unit_test(while_a_reset_waits_no_request_is_held),
		cmocka_unit_test(errors_are_ignored_or_reported_as_asked),
		cmocka_unit_test(neighbours_of_misaligned_writes_stay),
		cmocka_unit_test(writes_within_one_block_do_not_undo_each_other),
		cmocka_unit_test(the_log_has_what_was_written_in_its_order),
		cmocka_unit_test(with_snapshot_the_image_stays_as_it_is),
		cmocka_unit_test(with_snapshot_a_read_only_disk_is_still_one),
		cmocka_unit_test(with_snapshot_too_memory_may_be_in_many_pieces),
		cmocka_unit_test(a_limit_of_requests_is_kept),
		cmocka_unit_test(a_limit_of_bytes_is_kept_and_a_burst_is_not_limited),
		cmocka_unit_test(reads_do_not_wait_until_writes_may_go),
		cmocka_unit_test(reads_do_not_keep_writes_waiting),
		cmocka_unit_test(what_waits_in_a_filter_does_not_hold_a_reset_up),
		cmocka_unit_test(what_waits_for_a_limit_is_not_overdue),
		cmocka_unit_test(limits_that_make_no_sense_are_refused),
		cmocka_unit_test(what_waits_for_a_limit_does_not_hold_the_end_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
