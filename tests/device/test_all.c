/* SPDX-License-Identifier: BSD-2-Clause */
/* What holds for every device there is: on the boards pc and q35, with all that -device can add. */
#include "tests/device/all_kit.h"

#define STORM	     500000
#define CORRUPTIONS  400
#define SETTLE_EVERY 64

/* Devices whose guest sees nothing that could change. */
static const char *const stateless[] = {"isa-debugcon", "isa-debug-exit", "pvpanic", "system-rom"};

/* Parts that the board has for some options only. */
static const char *const optional[] = {"acpi-ged",  "system-rom", "cfi.pflash01",
				       "kvm-i8259", "kvm-ioapic", "kvm-pit"};

static const struct machine_type *board;
static bool made[256]; /* by type, on whichever board */
static struct kit *k;
static uint64_t seed;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

static bool is_named(const char *name, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static int setup(void **state)
{
	seed = 88172645463325252ull;
	k = all_kit_new(board);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void every_type_is_made(void **state)
{
	for (const struct device_type *const *t = device_types; *t; t++) {
		bool *found = &made[t - device_types];

		list_for_each(it, &k->m->devices)
			*found |= list_entry(it, struct device, node)->type == *t;
		if (board == &machine_q35 && !*found &&
		    !is_named((*t)->name, optional, ARRAY_SIZE(optional)))
			fail_msg("%s is neither on a board nor to be added by -device", (*t)->name);
		assert_ptr_equal(device_type_find((*t)->name), *t);
		assert_non_null((*t)->desc);
	}
}

/* ---- save tables ---- */

static void check_coverage(const struct state_desc *desc)
{
	size_t end = desc->span_offset + desc->span_bytes;
	bool *covered = xzalloc(end + 1);
	bool only_subs = true;

	for (const struct state_field *f = desc->fields; f->name; f++) {
		size_t last = f->offset + f->size * MAX(f->count, 1u);

		if (f->sub)
			check_coverage(f->sub);
		else
			only_subs = false;
		for (size_t i = f->offset; i < MIN(last, end); i++)
			covered[i] = true;
	}
	if (!desc->span_bytes && !only_subs)
		fail_msg("%s does not say where its guest-visible part is", desc->name);
	for (size_t i = desc->span_offset; i < end; i++)
		if (!covered[i])
			fail_msg("%s: byte %zu is guest-visible, and in no row of the save table",
				 desc->name, i);
	free(covered);
}

static void each_guest_visible_byte_is_in_the_save_table(void **state)
{
	for (const struct device_type *const *t = device_types; *t; t++) {
		if ((*t)->state)
			check_coverage((*t)->state);
		else if (!is_named((*t)->name, stateless, ARRAY_SIZE(stateless)))
			fail_msg("%s has no save table", (*t)->name);
	}
}

/* ---- resets ---- */

static void resetting_twice_is_resetting_once(void **state)
{
	list_for_each(it, &k->m->devices) {
		struct device *dev = list_entry(it, struct device, node);
		uint8_t *once, *twice;
		size_t bytes;

		if (!dev->type->state)
			continue;
		device_reset(dev);
		once = state_save(dev->type->state, dev, &bytes);
		device_reset(dev);
		twice = state_save(dev->type->state, dev, &bytes);
		if (memcmp(once, twice, bytes))
			fail_msg("%s: a second reset changed something", dev->type->name);
		free(once);
		free(twice);
	}
}

/* ---- storms ---- */

static const struct view_range *random_range(struct address_space *as)
{
	const struct mem_view *view = as_view_mt(as);
	const struct view_range *range = NULL;

	for (unsigned tries = 0; view->n && tries < 64 && !range; tries++) {
		const struct view_range *r = &view->ranges[rnd() % view->n];

		if (r->kind == REGION_IO)
			range = r;
	}
	return range;
}

/*
 * Random registers, random sizes, values with few or many bits; time goes on, and what was asked of
 * the machine is done.
 */
static void storm(unsigned accesses)
{
	for (unsigned i = 0; i < accesses; i++) {
		struct address_space *as = rnd() % 8 ? &k->m->io : &k->m->mem;
		const struct view_range *range = random_range(as);
		unsigned size = 1u << rnd() % (as == &k->m->io ? 3 : 4);
		uint64_t addr, value = rnd() >> rnd() % 64;

		if (!range)
			continue;
		addr = range->start + rnd() % MIN(range->last - range->start + 1, 64u);
		if (rnd() % 2)
			as_read(as, addr, size);
		else
			as_write(as, addr, value, size);
		if (rnd() % 16 == 0)
			k->m->intack(k->m->intack_opaque);
		if (rnd() % 16 == 0)
			k->m->eoi_broadcast(k->m->eoi_opaque, rnd());
		if (rnd() % 8 == 0)
			kit_advance(k, rnd() % (1 << rnd() % 28));
		if (i % SETTLE_EVERY == 0) {
			kit_settle(k);
			clock_resume(k->clock);
		}
	}
}

static void a_storm_of_random_accesses_does_no_harm(void **state)
{
	storm(STORM);
}

static void what_a_storm_left_survives_save_and_load(void **state)
{
	for (unsigned round = 0; round < 20; round++) {
		storm(500);
		list_for_each(it, &k->m->devices) {
			struct device *dev = list_entry(it, struct device, node);

			if (dev->type->state)
				kit_save_load(dev);
		}
	}
}

static void a_truncated_state_is_refused(void **state)
{
	list_for_each(it, &k->m->devices) {
		struct device *dev = list_entry(it, struct device, node);
		struct error err = ERROR_INIT;
		uint8_t *saved;
		size_t bytes;

		if (!dev->type->state)
			continue;
		saved = state_save(dev->type->state, dev, &bytes);
		assert_false(state_load(dev->type->state, dev, saved, bytes - 1, &err));
		error_clear(&err);
		free(saved);
	}
}

static void corrupt_one(struct device *dev)
{
	struct error err = ERROR_INIT;
	size_t bytes;
	uint8_t *saved = state_save(dev->type->state, dev, &bytes);

	for (unsigned n = 1 + rnd() % 8; n; n--)
		saved[rnd() % bytes] = rnd();
	if (!state_load(dev->type->state, dev, saved, bytes, &err)) {
		error_clear(&err);
		device_reset(dev);
	}
	free(saved);
}

static void a_corrupted_state_is_refused_or_harmless(void **state)
{
	for (unsigned round = 0; round < CORRUPTIONS; round++) {
		list_for_each(it, &k->m->devices) {
			struct device *dev = list_entry(it, struct device, node);

			if (dev->type->state && rnd() % 4 == 0)
				corrupt_one(dev);
		}
		storm(100);
	}
}

static void two_machines_in_one_process_keep_apart(void **state)
{
	struct machine *m = machine_new(k->loop,
					&(struct machine_config){.type = board,
								 .accel = &accel_qtest,
								 .ram_bytes = 4 * MiB,
								 .rtc_clock_vm = true},
					k->clock);
	struct error err = ERROR_INIT;

	assert_true(machine_build(m, &err));
	as_write(&m->io, 0x21, 0x12, 1);
	as_write(&k->m->io, 0x21, 0x34, 1);
	assert_int_equal(as_read(&m->io, 0x21, 1), 0x12);
	assert_int_equal(as_read(&k->m->io, 0x21, 1), 0x34);
	machine_free(m);
	clock_resume(k->clock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_type_is_made),
		TEST(each_guest_visible_byte_is_in_the_save_table),
		TEST(resetting_twice_is_resetting_once),
		TEST(a_storm_of_random_accesses_does_no_harm),
		TEST(what_a_storm_left_survives_save_and_load),
		TEST(a_truncated_state_is_refused),
		TEST(a_corrupted_state_is_refused_or_harmless),
		TEST(two_machines_in_one_process_keep_apart),
	};

	int failed;

	board = &machine_pc;
	failed = cmocka_run_group_tests_name("pc", tests, NULL, NULL);
	board = &machine_q35;
	return failed + cmocka_run_group_tests_name("q35", tests, NULL, NULL);
}
