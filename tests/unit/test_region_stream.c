/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams under contention: each byte is fetched once, whoever fetches and however often the loop takes the stream back. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "src/region_stream.h"

#define BYTES	(64 * KiB)
#define READERS 3
#define ROUNDS	40

static struct region_stream s;
static uint16_t words[BYTES / 2];
static uint8_t fetched[BYTES / 2];
static uint32_t total, over, wrong;

static void *reader(void *opaque)
{
	struct region_tap tap = {&s, 0, 7, true};
	uint16_t buf[8];
	unsigned round = (uintptr_t)opaque;
	uint8_t status;

	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE)) {
		unsigned n = 1 + round++ % ARRAY_SIZE(buf);

		if (region_stream_read(&tap, buf, n * 2)) {
			for (unsigned i = 0; i < n; i++)
				__atomic_fetch_add(&fetched[buf[i]], 1, __ATOMIC_RELAXED);
			__atomic_fetch_add(&total, n, __ATOMIC_RELEASE);
		}
		if (region_stream_status(&tap, &status) && status != 0x58)
			__atomic_store_n(&wrong, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void each_byte_is_fetched_once(void **state)
{
	pthread_t threads[READERS];
	uint32_t pos;
	bool noted;

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = i;
	s.status = 0x58;
	s.quiet = true;
	s.mark = s.mark_step = 512;
	for (uintptr_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, reader, (void *)i), 0);
	for (unsigned round = 0; round < ROUNDS; round++) {
		memset(fetched, 0, sizeof(fetched));
		total = 0;
		region_stream_open(&s, (uint8_t *)words, 0, BYTES, false);
		while (region_stream_close(&s, &pos, &noted) && pos < BYTES - 32) {
			s.mark = (pos / 512 + 1) * 512;
			region_stream_open(&s, (uint8_t *)words, pos, BYTES, noted);
			sched_yield();
		}
		assert_true(pos < BYTES);
		/* Who has claimed may not have counted yet. */
		while (__atomic_load_n(&total, __ATOMIC_ACQUIRE) < pos / 2)
			sched_yield();
		for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
			assert_int_equal(fetched[i], i < pos / 2);
	}
	__atomic_store_n(&over, 1, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	assert_false(wrong);
}

static void closed_it_gives_nothing(void **state)
{
	struct region_tap tap = {&s, 0, 7, false};
	uint8_t buf[2];
	uint32_t pos;
	bool noted;

	assert_false(region_stream_is_open(&s));
	assert_false(region_stream_close(&s, &pos, &noted));
	assert_false(region_stream_read(&tap, buf, 2));
	assert_false(region_stream_status(&tap, buf));
}

static void the_last_byte_is_never_given(void **state)
{
	struct region_tap tap = {&s, 0, 7, false};
	uint8_t buf[16];
	uint32_t pos;
	bool noted;

	s.mark_step = 0;
	region_stream_open(&s, (uint8_t *)words, 4, 12, true);
	assert_false(region_stream_read(&tap, buf, 8));
	assert_false(region_stream_read(&tap, buf, UINT32_MAX));
	assert_true(region_stream_read(&tap, buf, 7));
	assert_false(region_stream_read(&tap, buf, 1));
	assert_true(region_stream_close(&s, &pos, &noted));
	assert_int_equal(pos, 11);
	assert_true(noted);
	/* Nothing to give from the start. */
	region_stream_open(&s, (uint8_t *)words, 12, 12, false);
	assert_false(region_stream_read(&tap, buf, 1));
	assert_true(region_stream_close(&s, &pos, &noted));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(closed_it_gives_nothing),
		cmocka_unit_test(the_last_byte_is_never_given),
		cmocka_unit_test(each_byte_is_fetched_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
