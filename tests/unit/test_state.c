/* SPDX-License-Identifier: BSD-2-Clause */
/* Save tables: the round trip, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "src/device.h"

struct channel {
	uint16_t count;
	bool gate;
	uint8_t host_only;
};

struct chip {
	uint8_t a;
	uint16_t b;
	uint32_t c;
	uint64_t d;
	bool on;
	uint8_t fifo[5];
	struct channel channel[3];
	int host_only;
	unsigned loads;
};

static const struct state_field channel_fields[] = {
	STATE_FIELD(channel, count),
	STATE_FIELD(channel, gate),
	STATE_END,
};

static bool channel_post_load(void *opaque, struct error *err)
{
	const struct channel *ch = opaque;

	return ch->count != 0xdead || error_set(err, "channel: a dead count");
}

static const struct state_desc channel_state = {
	.name = "channel",
	.version = 3,
	.fields = channel_fields,
	.post_load = channel_post_load,
};

static const struct state_field chip_fields[] = {
	STATE_FIELD(chip, a),
	STATE_FIELD(chip, b),
	STATE_FIELD(chip, c),
	STATE_FIELD(chip, d),
	STATE_FIELD(chip, on),
	STATE_ARRAY(chip, fifo),
	STATE_STRUCT_ARRAY(chip, channel, channel_state),
	STATE_END,
};

static bool chip_post_load(void *opaque, struct error *err)
{
	struct chip *chip = opaque;

	chip->loads++;
	return true;
}

static const struct state_desc chip_state = {
	.name = "chip",
	.version = 1,
	.fields = chip_fields,
	.post_load = chip_post_load,
};

#define CHIP_BYTES (4 + 1 + 2 + 4 + 8 + 1 + 5 + 3 * (4 + 2 + 1))

static struct chip sample(void)
{
	return (struct chip){
		.a = 1,
		.b = 0x203,
		.c = 0x4050607,
		.d = 0x8090a0b0c0d0e0full,
		.on = true,
		.fifo = {9, 8, 7, 6, 5},
		.channel = {{100, true, 1}, {200, false, 2}, {300, true, 3}},
		.host_only = 77,
	};
}

static void what_is_saved_is_loaded_and_nothing_else(void **state)
{
	struct chip from = sample(), to = {.host_only = 5};
	struct error err = ERROR_INIT;
	size_t n;
	uint8_t *buf = state_save(&chip_state, &from, &n);

	assert_int_equal(n, CHIP_BYTES);
	assert_int_equal(buf[5], 0x03); /* little-endian */
	assert_true(state_load(&chip_state, &to, buf, n, &err));
	assert_int_equal(to.d, from.d);
	assert_true(to.on);
	assert_memory_equal(to.fifo, from.fifo, 5);
	assert_int_equal(to.channel[2].count, 300);
	assert_true(to.channel[2].gate);
	assert_int_equal(to.channel[2].host_only, 0);
	assert_int_equal(to.host_only, 5);
	assert_int_equal(to.loads, 1);
	free(buf);
}

static void a_wrong_length_is_refused(void **state)
{
	struct chip from = sample(), to = {0};
	size_t n;
	uint8_t *buf = state_save(&chip_state, &from, &n);

	for (size_t i = 0; i < n; i++) {
		struct error err = ERROR_INIT;

		assert_false(state_load(&chip_state, &to, buf, i, &err));
		assert_true(error_is_set(&err));
		error_clear(&err);
	}
	assert_int_equal(to.a, 0);
	assert_int_equal(to.loads, 0);
	free(buf);
}

static void a_wrong_version_changes_nothing(void **state)
{
	struct chip from = sample(), to = {0};
	struct error err = ERROR_INIT;
	size_t n;
	uint8_t *buf = state_save(&chip_state, &from, &n);

	buf[n - 7] ^= 1; /* of the last channel */
	assert_false(state_load(&chip_state, &to, buf, n, &err));
	assert_string_equal(err.msg, "state of channel: version 2, 3 is known");
	assert_int_equal(to.a, 0);
	error_clear(&err);
	free(buf);
}

static void a_bool_that_is_none_changes_nothing(void **state)
{
	struct chip from = sample(), to = {0};
	struct error err = ERROR_INIT;
	size_t n;
	uint8_t *buf = state_save(&chip_state, &from, &n);

	buf[n - 1] = 2;
	assert_false(state_load(&chip_state, &to, buf, n, &err));
	assert_int_equal(to.a, 0);
	error_clear(&err);
	free(buf);
}

static void post_load_may_refuse(void **state)
{
	struct chip from = sample(), to = {0};
	struct error err = ERROR_INIT;
	size_t n;
	uint8_t *buf;

	from.channel[1].count = 0xdead;
	buf = state_save(&chip_state, &from, &n);
	assert_false(state_load(&chip_state, &to, buf, n, &err));
	assert_string_equal(err.msg, "channel: a dead count");
	error_clear(&err);
	free(buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_saved_is_loaded_and_nothing_else),
		cmocka_unit_test(a_wrong_length_is_refused),
		cmocka_unit_test(a_wrong_version_changes_nothing),
		cmocka_unit_test(a_bool_that_is_none_changes_nothing),
		cmocka_unit_test(post_load_may_refuse),
	};

	return cmocka_run_group_tests_name("state", tests, NULL, NULL);
}
