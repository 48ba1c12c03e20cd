/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk on a scratch file, and its requests one at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "src/drive.h"
#include "tests/unit/block_kit.h"

void kit_init_in(struct kit *k, const char *dir, uint64_t bytes)
{
	int fd;

	memset(k, 0, sizeof(*k));
	k->loop = loop_new();
	snprintf(k->path, sizeof(k->path), "%s/evmm-test-XXXXXX", dir);
	fd = mkstemp(k->path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)bytes), 0);
	close(fd);
}

void kit_init(struct kit *k, uint64_t bytes)
{
	const char *dir = getenv("TMPDIR");

	kit_init_in(k, dir ? dir : "/var/tmp", bytes);
}

/* As -drive's parser has it: "cache=" becomes "cache-mode", "file.x" "file-options.x". */
static json_t *keys(const char *options, const char *path, struct error *err)
{
	json_t *json = block_options_parse(options, NULL, err), *cache, *file;

	if (!json)
		return NULL;
	cache = json_object_get(json, "cache");
	if (json_is_string(cache)) {
		json_object_set(json, "cache-mode", cache);
		json_object_del(json, "cache");
	}
	file = json_object_get(json, "file");
	if (file && !json_object_get(file, "driver")) {
		json_object_set(json, "file-options", file);
		json_object_del(json, "file");
	}
	if (path && !json_object_get(json, "file"))
		json_object_set_new(json, "file", json_string(path));
	return json;
}

char *kit_try_open(struct kit *k, const char *options)
{
	struct error err = ERROR_INIT;
	json_t *json = keys(options, k->path, &err);
	char *msg = NULL;

	if (json)
		k->block = drive_new_block(k->loop, json, &err);
	if (k->block)
		return NULL;
	msg = xstrdup(err.msg);
	error_clear(&err);
	return msg;
}

void kit_open(struct kit *k, const char *options)
{
	char *msg = kit_try_open(k, options);

	if (msg)
		fail_msg("%s: %s", options, msg);
}

void kit_close(struct kit *k)
{
	assert_true(block_drain(k->loop, 10 * NS_PER_SEC));
	block_free(k->block);
	k->block = NULL;
}

void kit_fini(struct kit *k)
{
	if (k->block)
		kit_close(k);
	assert_true(list_empty(block_nodes()));
	block_req_pool_empty();
	loop_free(k->loop);
	if (!k->kept)
		unlink(k->path);
}

void kit_done(void *opaque, int ret)
{
	struct kit_request *q = opaque;

	q->ret = ret;
	q->done = true;
	q->calls++;
}

void kit_wait(struct kit *k, struct kit_request *q)
{
	while (!q->done)
		loop_run_once(k->loop, NS_PER_SEC);
	assert_int_equal(q->calls, 1);
}

void kit_turn(struct kit *k, int64_t ns)
{
	struct clock *clock = loop_clock_host(k->loop);
	int64_t end = clock_now_ns(clock) + ns;

	while (clock_now_ns(clock) < end)
		loop_run_once(k->loop, end - clock_now_ns(clock));
}

static int wait_for(struct kit *k, struct kit_request *q)
{
	/* Never from within the submitting call. */
	assert_false(q->done);
	kit_wait(k, q);
	return q->ret;
}

int kit_read(struct kit *k, uint64_t offset, void *buf, size_t n)
{
	struct kit_request q = {.iov = {buf, n}};

	block_readv(k->block, &q.r, offset, &q.iov, 1, kit_done, &q);
	return wait_for(k, &q);
}

int kit_write(struct kit *k, uint64_t offset, const void *buf, size_t n, unsigned flags)
{
	struct kit_request q = {.iov = {(void *)buf, n}};

	block_writev(k->block, &q.r, offset, &q.iov, 1, flags, kit_done, &q);
	return wait_for(k, &q);
}

int kit_flush(struct kit *k)
{
	struct kit_request q = {.done = false};

	block_flush(k->block, &q.r, kit_done, &q);
	return wait_for(k, &q);
}

int kit_discard(struct kit *k, uint64_t offset, uint64_t n)
{
	struct kit_request q = {.done = false};

	block_discard(k->block, &q.r, offset, n, kit_done, &q);
	return wait_for(k, &q);
}

int kit_zero(struct kit *k, uint64_t offset, uint64_t n, unsigned flags)
{
	struct kit_request q = {.done = false};

	block_write_zeroes(k->block, &q.r, offset, n, flags, kit_done, &q);
	return wait_for(k, &q);
}
