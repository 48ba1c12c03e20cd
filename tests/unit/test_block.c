/* SPDX-License-Identifier: BSD-2-Clause */
/* The block layer: requests to a disk on a file, and what they do to it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_is_read_back),
		cmocka_unit_test(beyond_the_end_is_eio_and_nothing_is_partial),
		cmocka_unit_test(a_read_only_disk_refuses_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
