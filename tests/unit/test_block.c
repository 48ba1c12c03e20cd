/* SPDX-License-Identifier: BSD-2-Clause */
/* The block layer: requests to a disk on a file, and what they do to it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "io/block/ahead.h"
#include "src/drive.h"
#include "tests/unit/block_kit.h"

static void a_write_is_read_back(void **state)
{
	struct kit k;
	uint8_t out[4096], in[4096];

	kit_init(&k, 1 * MiB);
	kit_open(&k, "format=raw");
	memset(out, 0xa5, sizeof(out));
	assert_int_equal(kit_write(&k, 8192, out, sizeof(out), 0), 0);
	assert_int_equal(kit_flush(&k), 0);
	memset(in, 0, sizeof(in));
	assert_int_equal(kit_read(&k, 8192, in, sizeof(in)), 0);
	assert_memory_equal(in, out, sizeof(out));
	assert_int_equal(kit_read(&k, 4096, in, sizeof(in)), 0);
	assert_true(in[0] == 0 && in[4095] == 0);
	kit_fini(&k);
}

static void beyond_the_end_is_eio_and_nothing_is_partial(void **state)
{
	struct kit k;
	uint8_t buf[4096] = {1};

	kit_init(&k, 1 * MiB);
	kit_open(&k, "format=raw");
	assert_int_equal(block_bytes(k.block), 1 * MiB);
	assert_int_equal(kit_write(&k, 1 * MiB - 2048, buf, sizeof(buf), 0), -EIO);
	assert_int_equal(kit_read(&k, 1 * MiB - 2048, buf, sizeof(buf)), -EIO);
	assert_int_equal(buf[0], 1);
	assert_int_equal(kit_read(&k, UINT64_MAX - 100, buf, sizeof(buf)), -EIO);
	assert_int_equal(kit_read(&k, 1 * MiB, buf, 512), -EIO);
	assert_int_equal(k.block->stats.of[BLOCK_ACCT_READ].invalid, 3);
	kit_fini(&k);
}

static void a_read_only_disk_refuses_writes(void **state)
{
	struct kit k;
	uint8_t buf[512] = {1};

	kit_init(&k, 1 * MiB);
	kit_open(&k, "format=raw,read-only=on");
	assert_true(block_read_only(k.block));
	assert_int_equal(kit_write(&k, 0, buf, sizeof(buf), 0), -EPERM);
	assert_int_equal(kit_zero(&k, 0, 512, 0), -EPERM);
	assert_int_equal(kit_discard(&k, 0, 512), -EPERM);
	assert_int_equal(kit_flush(&k), 0);
	assert_int_equal(kit_read(&k, 0, buf, sizeof(buf)), 0);
	kit_fini(&k);
}

static void a_file_that_became_shorter_has_lost_data(void **state)
{
	struct kit k;
	uint8_t buf[4096] = {1};

	kit_init(&k, 1 * MiB);
	kit_open(&k, "format=raw,rerror=report");
	assert_int_equal(truncate(k.path, 64 * KiB), 0);
	assert_int_equal(kit_read(&k, 0, buf, sizeof(buf)), 0);
	assert_int_equal(kit_read(&k, 512 * KiB, buf, sizeof(buf)), -EIO);
	assert_int_equal(kit_read(&k, 64 * KiB - 512, buf, 1024), -EIO);
	/* Writing there makes it as long again. */
	assert_int_equal(kit_write(&k, 1 * MiB - 4096, buf, sizeof(buf), 0), 0);
	assert_int_equal(kit_read(&k, 512 * KiB, buf, sizeof(buf)), 0);
	kit_fini(&k);
}

static void the_last_sector_of_an_odd_file_reads_as_zeroes(void **state)
{
	struct kit k;
	uint8_t buf[1024];

	kit_init(&k, 1000);
	kit_open(&k, "format=raw");
	assert_int_equal(block_bytes(k.block), 1024);
	memset(buf, 0xff, sizeof(buf));
	assert_int_equal(kit_read(&k, 0, buf, 1024), 0);
	for (unsigned i = 0; i < sizeof(buf); i++)
		assert_int_equal(buf[i], 0);
	assert_int_equal(kit_write(&k, 512, buf, 512, 0), 0);
	kit_fini(&k);
}

static void a_part_of_a_file_is_a_disk(void **state)
{
	struct kit k;
	uint8_t out[512], in[512];
	int fd;

	kit_init(&k, 1 * MiB);
	kit_open(&k, "driver=raw,offset=65536,size=131072");
	assert_int_equal(block_bytes(k.block), 131072);
	memset(out, 0x77, sizeof(out));
	assert_int_equal(kit_write(&k, 131072 - 512, out, 512, 0), 0);
	assert_int_equal(kit_write(&k, 131072, out, 512, 0), -EIO);
	assert_int_equal(kit_flush(&k), 0);
	fd = open(k.path, O_RDONLY);
	assert_int_equal(pread(fd, in, 512, 65536 + 131072 - 512), 512);
	assert_memory_equal(in, out, 512);
	close(fd);
	kit_fini(&k);
}

static void a_file_that_is_named_as_a_node_is_found(void **state)
{
	struct error err = ERROR_INIT;
	char *name;
	struct kit k;

	kit_init(&k, 1 * MiB);
	name = strrchr(k.path, '/');
	*name++ = '\0';
	assert_int_equal(chdir(k.path), 0);
	memmove(k.path, name, strlen(name) + 1);
	assert_true(blockdev_add(k.loop,
				 json_pack("{s:s,s:s,s:i}", "driver", "null-co", "node-name",
					   k.path, "size", 4096),
				 &err));
	kit_open(&k, "format=raw");
	assert_int_equal(block_bytes(k.block), 1 * MiB);
	kit_close(&k);
	assert_true(blockdev_del(k.path, &err));
	kit_fini(&k);
}

static void discards_need_to_be_allowed(void **state)
{
	uint8_t *buf = xmalloc(64 * KiB);
	struct kit k;

	for (unsigned allowed = 0; allowed < 2; allowed++) {
		kit_init(&k, 1 * MiB);
		kit_open(&k, allowed ? "format=raw,discard=unmap" : "format=raw");
		memset(buf, 0x33, 64 * KiB);
		assert_int_equal(kit_write(&k, 0, buf, 64 * KiB, 0), 0);
		assert_int_equal(kit_discard(&k, 0, 64 * KiB), 0);
		assert_int_equal(kit_read(&k, 0, buf, 64 * KiB), 0);
		assert_int_equal(buf[1000], allowed ? 0 : 0x33);
		kit_fini(&k);
	}
	free(buf);
}

/* A process that uses the kit's image, and ends when END is closed. */
struct holder {
	pid_t pid;
	int end;
	char *who;
};

static void hold(struct holder *h, const struct kit *k)
{
	struct kit other = *k;
	int ready[2], end[2];
	char byte;

	assert_int_equal(pipe(ready) | pipe(end), 0);
	h->pid = fork();
	if (h->pid == 0) {
		close(end[1]);
		other.loop = loop_new();
		kit_open(&other, "format=raw");
		if (block_node_share(other.block->root, false, NULL) &&
		    write(ready[1], "x", 1) == 1)
			(void)!read(end[0], &byte, 1);
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(end[0]);
	h->end = end[1];
	h->who = xasprintf("is in use by process %d (test_block)", (int)h->pid);
}

static void let_go(struct holder *h)
{
	close(h->end);
	waitpid(h->pid, NULL, 0);
	free(h->who);
}

static void refused(struct kit *k, const char *why)
{
	char *msg = kit_try_open(k, "format=raw");

	assert_non_null(msg);
	if (!strstr(msg, why))
		fail_msg("%s", msg);
	free(msg);
}

static void an_image_in_use_is_refused_and_its_holder_named(void **state)
{
	struct holder h;
	struct kit k;

	kit_init(&k, 1 * MiB);
	hold(&h, &k);
	refused(&k, h.who);
	/* Who doesn't care may read. */
	kit_open(&k, "format=raw,read-only=on,force-share=on");
	let_go(&h);
	kit_fini(&k);
}

/* While the guest runs. */
struct running {
	struct kit k;
	struct holder h;
	struct worker_pool *pool;
};

static void looked_at(void *opaque, bool ending)
{
	struct running *r = opaque;

	refused(&r->k, r->h.who);
	loop_stop(r->k.loop);
}

static void not_looked_at(void *opaque)
{
	struct running *r = opaque;
	json_t *options = json_pack("{s:{s:s}}", "file", "filename", r->k.path);

	refused(&r->k, "is in use by somebody else");
	block_ahead_open(r->pool, options, looked_at, r);
	json_decref(options);
}

static void the_loop_searches_for_no_holder_a_worker_has(void **state)
{
	struct loop_work work;
	struct running r;

	kit_init(&r.k, 1 * MiB);
	hold(&r.h, &r.k);
	r.pool = worker_pool_new(r.k.loop, 1);
	loop_work_init(&work, r.k.loop, "test", not_looked_at, &r);
	loop_work_schedule(&work);
	loop_run(r.k.loop);
	worker_pool_free(r.pool);
	let_go(&r.h);
	kit_fini(&r.k);
}

static void what_is_wrong_is_said_in_one_line(void **state)
{
	static const char *const bad[][2] = {
		{"format=rwa", "Unknown driver 'rwa'; did you mean 'raw'?"},
		{"format=raw,file.filename=/other",
		 "'file' and 'file.filename' both name an image"},
		{"format=raw,cache=nonne", "invalid cache option 'nonne'"},
		{"format=raw,aio=native",
		 "aio=native was specified, but it requires cache.direct=on"},
		{"format=raw,aio=uring", "Parameter 'aio' is 'io_uring', 'native' or 'threads'"},
		{"format=raw,werror=explode", "'explode' invalid write error action"},
		{"format=raw,discrd=unmap", "did you mean 'discard'?"},
		{"format=raw,detect-zeroes=unmap", "without setting discard operation to unmap"},
		{"format=raw,driver=null-co", "Cannot specify both 'driver' and 'format'"},
		{"format=raw,read-only=off,readonly=on", "'read-only' and its alias 'readonly'"},
		{"format=raw,throttling.iops-total=5,iops=9",
		 "'throttling.iops-total' and its alias 'iops' can't be used at the same time"},
		{"driver=raw,offset=2M", "has to be smaller or equal"},
		{"driver=raw,size=1000", "Specified size is not multiple of 512"},
	};
	struct kit k;

	kit_init(&k, 1 * MiB);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		char *msg = kit_try_open(&k, bad[i][0]);

		assert_non_null(msg);
		if (!strstr(msg, bad[i][1]))
			fail_msg("%s: %s", bad[i][0], msg);
		free(msg);
	}
	kit_fini(&k);
}

/* What the next call does, and how many there were. */
static enum { FDATASYNC_WORKS, FDATASYNC_FAILS, FDATASYNC_IS_SLOW } next_fdatasync;
static unsigned fdatasyncs;

int fdatasync(int fd)
{
	__typeof__(next_fdatasync) how = next_fdatasync;

	next_fdatasync = FDATASYNC_WORKS;
	fdatasyncs++;
	if (how == FDATASYNC_FAILS) {
		errno = EIO;
		return -1;
	}
	if (how == FDATASYNC_IS_SLOW)
		usleep(50000);
	return (int)syscall(SYS_fdatasync, fd);
}

/* The kernel tells of a loss once, to one of several who ask: all that asked then hear of it. */
static void a_flush_beside_one_that_fails_does_not_succeed(void **state)
{
	uint8_t out[4096] = {1};
	struct kit_request q[2];
	struct kit k;

	memset(q, 0, sizeof(q));
	kit_init(&k, 1 * MiB);
	kit_open(&k, "format=raw,aio=threads");
	assert_int_equal(kit_write(&k, 0, out, sizeof(out), 0), 0);
	next_fdatasync = FDATASYNC_FAILS;
	for (unsigned i = 0; i < ARRAY_SIZE(q); i++)
		block_flush(k.block, &q[i].r, kit_done, &q[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(q); i++) {
		kit_wait(&k, &q[i]);
		assert_int_equal(q[i].ret, -EIO);
	}
	assert_int_equal(kit_flush(&k), -EIO);
	kit_fini(&k);
}

static void flushes_that_come_during_one_share_the_next(void **state)
{
	uint8_t out[4096] = {1};
	struct kit_request q[3];
	struct kit k;

	kit_init(&k, 1 * MiB);
	kit_open(&k, "format=raw,aio=threads");
	for (unsigned written = 0; written < 2; written++) {
		memset(q, 0, sizeof(q));
		assert_int_equal(kit_write(&k, 0, out, sizeof(out), 0), 0);
		fdatasyncs = 0;
		next_fdatasync = FDATASYNC_IS_SLOW;
		block_flush(k.block, &q[0].r, kit_done, &q[0]);
		if (written)
			assert_int_equal(kit_write(&k, 0, out, sizeof(out), 0), 0);
		assert_false(q[0].done);
		for (unsigned i = 1; i < ARRAY_SIZE(q); i++)
			block_flush(k.block, &q[i].r, kit_done, &q[i]);
		for (unsigned i = 0; i < ARRAY_SIZE(q); i++) {
			kit_wait(&k, &q[i]);
			assert_int_equal(q[i].ret, 0);
		}
		/* None is needed for what was not written. */
		assert_int_equal(fdatasyncs, 1 + written);
	}
	kit_fini(&k);
}

/* What could not be written at all, as opposed to what was lost on its way to the disk, may be written later. */
static void without_write_cache_a_write_without_room_may_be_tried_again(void **state)
{
	struct rlimit no_room = {256 * KiB, RLIM_INFINITY}, room = {RLIM_INFINITY, RLIM_INFINITY};
	static const char *const engines[] = {"io_uring", "threads"};
	uint8_t out[4096] = {1};

	signal(SIGXFSZ, SIG_IGN);
	for (unsigned i = 0; i < ARRAY_SIZE(engines); i++) {
		char *text = xasprintf("format=raw,cache=writethrough,aio=%s", engines[i]);
		struct kit k;

		kit_init(&k, 1 * MiB);
		kit_open(&k, text);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &no_room), 0);
		assert_int_equal(kit_write(&k, 512 * KiB, out, sizeof(out), 0), -EFBIG);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &room), 0);
		assert_int_equal(kit_write(&k, 512 * KiB, out, sizeof(out), 0), 0);
		assert_int_equal(kit_zero(&k, 512 * KiB, sizeof(out), 0), 0);
		assert_int_equal(kit_flush(&k), 0);
		kit_fini(&k);
		free(text);
	}
}

/* The node is given up before its driver has opened anything. */
static void a_node_that_is_refused_closes_nothing(void **state)
{
	int saved = dup(0), null = open("/dev/null", O_RDONLY);
	struct kit k;
	char *msg;

	dup2(null, 0);
	kit_init(&k, 1 * MiB);
	msg = kit_try_open(&k, "driver=raw,file.driver=file,file.filename=x,file.node-name=1");
	assert_non_null(msg);
	assert_string_equal(msg, "Invalid node-name: '1'");
	free(msg);
	msg = kit_try_open(&k, "driver=null-co,node-name=a23456789012345678901234567890123");
	assert_non_null(msg);
	assert_string_equal(msg, "Node name too long: 'a23456789012345678901234567890123'; it has "
				 "31 letters at most");
	free(msg);
	assert_true(fcntl(0, F_GETFD) >= 0);
	kit_fini(&k);
	dup2(saved, 0);
	close(saved);
	close(null);
}

/* Its node is still there, and nobody's. */
static void a_medium_that_was_taken_out_may_be_written_by_others(void **state)
{
	struct block_node *n;
	struct kit k, other;
	char *msg;

	kit_init(&k, 1 * MiB);
	other = k;
	kit_open(&k, "format=raw");
	n = block_node_ref(k.block->root);
	assert_true(block_node_share(n, false, NULL));
	msg = kit_try_open(&other, "id=other,format=raw");
	assert_non_null(msg);
	free(msg);
	block_remove_medium(k.block);
	kit_open(&other, "id=other,format=raw");
	block_free(other.block);
	block_node_unref(n);
	kit_fini(&k);
}

/* As files have, and no more than offsets can be counted with. */
static void disks_have_whole_sectors_and_an_end(void **state)
{
	struct kit k;
	char *msg;

	kit_init(&k, 1 * MiB);
	msg = kit_try_open(&k, "driver=raw,file.driver=null-co,file.size=18446744073709551615");
	assert_non_null(msg);
	assert_string_equal(msg, "A disk has 9223372035781033984 bytes at most, not "
				 "18446744073709551615");
	free(msg);
	kit_open(&k, "driver=raw,file.driver=null-co,file.size=1000");
	assert_int_equal(block_bytes(k.block), 1024);
	assert_int_equal(k.block->root->file->bytes, 1024);
	assert_false(block_node_resize(k.block->root, INT64_MAX, NULL));
	assert_true(block_node_resize(k.block->root, 1100, NULL));
	assert_int_equal(block_bytes(k.block), 1536);
	kit_fini(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_is_read_back),
		cmocka_unit_test(beyond_the_end_is_eio_and_nothing_is_partial),
		cmocka_unit_test(a_read_only_disk_refuses_writes),
		cmocka_unit_test(a_file_that_became_shorter_has_lost_data),
		cmocka_unit_test(the_last_sector_of_an_odd_file_reads_as_zeroes),
		cmocka_unit_test(a_part_of_a_file_is_a_disk),
		cmocka_unit_test(a_file_that_is_named_as_a_node_is_found),
		cmocka_unit_test(discards_need_to_be_allowed),
		cmocka_unit_test(an_image_in_use_is_refused_and_its_holder_named),
		cmocka_unit_test(the_loop_searches_for_no_holder_a_worker_has),
		cmocka_unit_test(a_flush_beside_one_that_fails_does_not_succeed),
		cmocka_unit_test(flushes_that_come_during_one_share_the_next),
		cmocka_unit_test(without_write_cache_a_write_without_room_may_be_tried_again),
		cmocka_unit_test(a_node_that_is_refused_closes_nothing),
		cmocka_unit_test(a_medium_that_was_taken_out_may_be_written_by_others),
		cmocka_unit_test(disks_have_whole_sectors_and_an_end),
		cmocka_unit_test(what_is_wrong_is_said_in_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
