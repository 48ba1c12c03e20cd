/* SPDX-License-Identifier: BSD-2-Clause */
/* Address spaces: rendering of views, dispatch, doorbells, DMA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "src/clock.h"
#include "src/machine.h"

struct access {
	bool write;
	uint64_t offset, value;
	unsigned size;
};

struct device_log {
	struct access log[64];
	unsigned n;
	uint64_t next; /* what reads give; each read adds 1 */
};

static uint64_t log_read(void *opaque, uint64_t offset, unsigned size)
{
	struct device_log *d = opaque;

	d->log[d->n++ % 64] = (struct access){.offset = offset, .size = size};
	return d->next++;
}

static void log_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct device_log *d = opaque;

	d->log[d->n++ % 64] =
		(struct access){.write = true, .offset = offset, .value = value, .size = size};
}

static const struct region_ops ops_default = {.read = log_read, .write = log_write};
static const struct region_ops ops_8 = {.read = log_read, .write = log_write, .max_size = 8};
static const struct region_ops ops_1 = {.read = log_read, .write = log_write, .max_size = 1};
static const struct region_ops ops_unaligned = {
	.read = log_read, .write = log_write, .max_size = 4, .unaligned = true};

static void expect(const struct device_log *d, unsigned i, uint64_t offset, unsigned size)
{
	assert_true(i < d->n);
	assert_int_equal(d->log[i].offset, offset);
	assert_int_equal(d->log[i].size, size);
}

static void expect_range(const struct address_space *as, unsigned i, uint64_t start, uint64_t last,
			 const struct region *r, uint64_t region_offset)
{
	const struct view_range *range = &as->view->ranges[i];

	assert_true(i < as->view->n);
	assert_int_equal(range->start, start);
	assert_int_equal(range->last, last);
	assert_ptr_equal(range->region, r);
	assert_int_equal(range->region_offset, region_offset);
}

static int setup(void **state)
{
	*state = loop_new();
	return 0;
}

static int teardown(void **state)
{
	loop_free(*state);
	return 0;
}

/* ---- views ---- */

static void what_nobody_claims_reads_as_ones(void **state)
{
	struct address_space as;

	as_init(&as, "io", 65536);
	assert_int_equal(as.view->n, 0);
	assert_int_equal(as_read(&as, 0x60, 1), 0xff);
	assert_int_equal(as_read(&as, 0x60, 4), 0xffffffff);
	assert_true(as_read(&as, ~0ull - 2, 8) == ~0ull);
	as_write(&as, 0x60, 1, 1);
	as_fini(&as);
}

static void higher_priority_hides_lower(void **state)
{
	struct address_space as;
	struct region a, b, c;
	struct device_log d = {0};

	as_init(&as, "memory", UINT64_MAX);
	region_init_io(&a, "a", &ops_default, &d, 0x1000);
	region_init_io(&b, "b", &ops_default, &d, 0x100);
	region_init_io(&c, "c", &ops_default, &d, 0x100);
	region_add(&as.root, 0x1000, &a, 0);
	region_add(&as.root, 0x1800, &b, 1);
	region_add(&as.root, 0x0f80, &c, -1);
	assert_int_equal(as.view->n, 4);
	expect_range(&as, 0, 0x0f80, 0x0fff, &c, 0);
	expect_range(&as, 1, 0x1000, 0x17ff, &a, 0);
	expect_range(&as, 2, 0x1800, 0x18ff, &b, 0);
	expect_range(&as, 3, 0x1900, 0x1fff, &a, 0x900);
	region_set_enabled(&b, false);
	assert_int_equal(as.view->n, 2);
	region_move(&c, 0x1f80);
	assert_int_equal(as.view->n, 2);
	expect_range(&as, 1, 0x2000, 0x207f, &c, 0x80);
	region_remove(&a);
	assert_int_equal(as.view->n, 1);
	region_remove(&a); /* twice is once */
	as_fini(&as);
}

static void of_equal_priority_the_later_hides(void **state)
{
	struct address_space as;
	struct region a, b;
	struct device_log d = {0};

	as_init(&as, "memory", UINT64_MAX);
	region_init_io(&a, "a", &ops_default, &d, 0x100);
	region_init_io(&b, "b", &ops_default, &d, 0x100);
	region_add(&as.root, 0, &a, 0);
	region_add(&as.root, 0x80, &b, 0);
	expect_range(&as, 0, 0, 0x7f, &a, 0);
	expect_range(&as, 1, 0x80, 0x17f, &b, 0);
	as_fini(&as);
}

static void containers_clip_their_children(void **state)
{
	struct address_space as;
	struct region container, child;
	struct device_log d = {0};

	as_init(&as, "memory", UINT64_MAX);
	region_init_container(&container, "bus", 0x1000);
	region_init_io(&child, "bar", &ops_default, &d, 0x1000);
	region_add(&container, 0xf00, &child, 0);
	assert_int_equal(as.view->n, 0);
	region_add(&as.root, 0x10000, &container, 0);
	assert_int_equal(as.view->n, 1);
	expect_range(&as, 0, 0x10f00, 0x10fff, &child, 0);
	region_move(&child, UINT64_MAX - 4); /* out of sight, and no overflow */
	assert_int_equal(as.view->n, 0);
	as_fini(&as);
}

static void aliases_show_a_window_and_follow_changes(void **state)
{
	struct address_space as;
	struct region pci, bar, window;
	struct device_log d = {0};

	as_init(&as, "memory", UINT64_MAX);
	region_init_container(&pci, "pci", UINT64_MAX);
	region_init_alias(&window, "hole", &pci, 0xe0000000, 0x10000000);
	region_add(&as.root, 0xe0000000, &window, 0);
	region_init_io(&bar, "bar", &ops_default, &d, 0x1000);
	region_add(&pci, 0xe1000000, &bar, 0);
	assert_int_equal(as.view->n, 1);
	expect_range(&as, 0, 0xe1000000, 0xe1000fff, &bar, 0);
	region_move(&bar, 0xd0000000);
	assert_int_equal(as.view->n, 0);
	region_move(&bar, 0xdffff800);
	expect_range(&as, 0, 0xe0000000, 0xe00007ff, &bar, 0x800);
	/* Once the alias is gone its target's changes concern nobody. */
	region_remove(&window);
	assert_int_equal(as.view->n, 0);
	region_move(&bar, 0xe1000000);
	as_fini(&as);
}

static void an_alias_moves_memory(void **state)
{
	struct address_space as;
	struct region ram, alias;
	uint8_t host[0x2000];

	memset(host, 0, sizeof(host));
	as_init(&as, "memory", UINT64_MAX);
	region_init_ram(&ram, "ram", host, sizeof(host));
	region_add(&as.root, 0, &ram, 0);
	region_init_alias(&alias, "high", &ram, 0x1000, 0x800);
	region_add(&as.root, 0xfffff000, &alias, 0);
	as_write(&as, 0xfffff010, 0x1234, 2);
	assert_int_equal(as_read(&as, 0x1010, 2), 0x1234);
	assert_int_equal(host[0x1010], 0x34);
	as_fini(&as);
}

static void a_transaction_is_one_view(void **state)
{
	struct address_space as;
	struct region a, b;
	struct device_log d = {0};
	uint64_t generation;

	as_init(&as, "memory", UINT64_MAX);
	generation = as.view->generation;
	region_init_io(&a, "a", &ops_default, &d, 16);
	region_init_io(&b, "b", &ops_default, &d, 16);
	as_begin(&as);
	as_begin(&as);
	region_add(&as.root, 0, &a, 0);
	region_add(&as.root, 16, &b, 0);
	as_commit(&as);
	assert_int_equal(as.view->n, 0);
	as_commit(&as);
	assert_int_equal(as.view->n, 2);
	assert_int_equal(as.view->generation, generation + 1);
	as_begin(&as);
	as_commit(&as);
	assert_int_equal(as.view->generation, generation + 1);
	as_fini(&as);
}

static unsigned count(const struct list *l)
{
	unsigned n = 0;

	list_for_each(it, l)
		n++;
	return n;
}

static void old_views_stay_until_they_are_reclaimed(void **state)
{
	struct address_space as;
	struct region a;
	struct device_log d = {0};
	const struct mem_view *old;

	as_init(&as, "memory", UINT64_MAX);
	region_init_io(&a, "a", &ops_default, &d, 16);
	old = as_view_mt(&as);
	region_add(&as.root, 0, &a, 0);
	region_set_enabled(&a, false);
	assert_int_equal(count(&as.retired), 2);
	as_reclaim(&as, old->generation);
	assert_int_equal(count(&as.retired), 2);
	as_reclaim(&as, old->generation + 1);
	assert_int_equal(count(&as.retired), 1);
	as_reclaim(&as, as.view->generation);
	assert_int_equal(count(&as.retired), 0);
	as_fini(&as);
}

/* A naive painter over 4 Ki addresses holds the views of random trees against itself. */
static void random_trees_render_as_they_are_painted(void **state)
{
	enum { N = 12, SPAN = 4096 };
	static struct region regions[N], *painted[SPAN];
	struct device_log d = {0};

	srand(7);
	for (int round = 0; round < 300; round++) {
		struct address_space as;

		as_init(&as, "memory", SPAN);
		for (unsigned i = 0; i < N; i++) {
			region_init_io(&regions[i], "r", &ops_default, &d,
				       1 + (uint64_t)rand() % 1500);
			region_add(&as.root, (uint64_t)rand() % SPAN, &regions[i], rand() % 4);
			if (rand() % 8 == 0)
				region_set_enabled(&regions[i], false);
		}
		memset(painted, 0, sizeof(painted));
		for (int priority = 0; priority < 4; priority++)
			for (unsigned i = 0; i < N; i++)
				for (uint64_t a = regions[i].offset;
				     regions[i].enabled && regions[i].priority == priority &&
				     a < regions[i].offset + regions[i].size && a < SPAN;
				     a++)
					painted[a] = &regions[i];
		for (uint64_t a = 0; a < SPAN; a++) {
			const struct view_range *range = view_find(as.view, a);

			assert_ptr_equal(range ? range->region : NULL, painted[a]);
			if (range)
				assert_int_equal(range->region_offset + (a - range->start),
						 a - painted[a]->offset);
			assert_int_equal(view_occupied(as.view, a, a), painted[a] != NULL);
		}
		assert_false(view_occupied(as.view, SPAN, UINT64_MAX));
		as_fini(&as);
	}
}

/* ---- dispatch ---- */

static void wide_accesses_are_split_low_address_first(void **state)
{
	struct address_space as;
	struct region r;
	struct device_log d = {.next = 0x11111111};

	as_init(&as, "memory", UINT64_MAX);
	region_init_io(&r, "r", &ops_default, &d, 0x100);
	region_add(&as.root, 0, &r, 0);
	assert_true(as_read(&as, 0x10, 8) == 0x1111111211111111ull);
	expect(&d, 0, 0x10, 4);
	expect(&d, 1, 0x14, 4);
	as_write(&as, 0x20, 0xaaaabbbbccccddddull, 8);
	expect(&d, 2, 0x20, 4);
	assert_int_equal(d.log[2].value, 0xccccdddd);
	expect(&d, 3, 0x24, 4);
	assert_int_equal(d.log[3].value, 0xaaaabbbb);
	as_fini(&as);
}

static void a_byte_device_gets_bytes(void **state)
{
	struct address_space as;
	struct region r;
	struct device_log d = {.next = 0x1};

	as_init(&as, "io", 65536);
	region_init_io(&r, "rtc", &ops_1, &d, 2);
	region_add(&as.root, 0x70, &r, 0);
	as_write(&as, 0x70, 0x5a0b, 2);
	expect(&d, 0, 0, 1);
	expect(&d, 1, 1, 1);
	assert_int_equal(d.log[1].value, 0x5a);
	/* Beyond its end nobody answers. */
	assert_int_equal(as_read(&as, 0x71, 2), 0xff01);
	as_fini(&as);
}

static void an_unaligned_access_becomes_aligned_ones(void **state)
{
	struct address_space as;
	struct region r, u;
	struct device_log d = {.next = 0}, du = {.next = 0};

	as_init(&as, "memory", UINT64_MAX);
	region_init_io(&r, "r", &ops_8, &d, 0x100);
	region_init_io(&u, "u", &ops_unaligned, &du, 0x100);
	region_add(&as.root, 0, &r, 0);
	region_add(&as.root, 0x1000, &u, 0);
	as_read(&as, 0x11, 4);
	expect(&d, 0, 0x11, 1);
	expect(&d, 1, 0x12, 2);
	expect(&d, 2, 0x14, 1);
	as_read(&as, 0x18, 8);
	expect(&d, 3, 0x18, 8);
	as_read(&as, 0x1011, 4);
	expect(&du, 0, 0x11, 4);
	as_fini(&as);
}

static void an_access_over_two_regions_reaches_both(void **state)
{
	struct address_space as;
	struct region a, b;
	struct device_log da = {.next = 0x11}, db = {.next = 0x22};

	as_init(&as, "io", 65536);
	region_init_io(&a, "a", &ops_1, &da, 1);
	region_init_io(&b, "b", &ops_1, &db, 1);
	region_add(&as.root, 0x60, &a, 0);
	region_add(&as.root, 0x61, &b, 0);
	assert_int_equal(as_read(&as, 0x60, 4), 0xffff2211);
	assert_int_equal(da.n, 1);
	assert_int_equal(db.n, 1);
	as_fini(&as);
}

static void rom_reads_and_drops_writes(void **state)
{
	struct address_space as;
	struct region rom, flash;
	uint8_t host[16] = {1, 2, 3, 4};
	struct device_log d = {0};

	as_init(&as, "memory", UINT64_MAX);
	region_init_rom(&rom, "rom", host, sizeof(host));
	region_add(&as.root, 0, &rom, 0);
	assert_int_equal(as_read(&as, 0, 4), 0x04030201);
	as_write(&as, 0, 0, 4);
	assert_int_equal(host[0], 1);
	region_init_rom(&flash, "flash", host, sizeof(host));
	flash.ops = &ops_1;
	flash.opaque = &d;
	region_add(&as.root, 0x100, &flash, 0);
	as_write(&as, 0x102, 0x90, 1);
	assert_int_equal(d.n, 1);
	assert_int_equal(d.log[0].offset, 2);
	assert_int_equal(host[2], 3);
	as_fini(&as);
}

/* ---- doorbells ---- */

static void ring(void *opaque)
{
	++*(unsigned *)opaque;
}

static void a_doorbell_rings_instead_of_a_write(void **state)
{
	struct loop *loop = *state;
	struct address_space as;
	struct region r;
	struct device_log d = {0};
	struct loop_notifier n;
	unsigned rings = 0;
	struct region_doorbell bell = {
		.offset = 0x10, .size = 2, .match_value = true, .value = 3, .notifier = &n};

	assert_true(loop_notifier_init(&n, loop, "bell", ring, &rings));
	as_init(&as, "memory", UINT64_MAX);
	region_init_io(&r, "r", &ops_default, &d, 0x100);
	region_add(&as.root, 0x1000, &r, 0);
	region_add_doorbell(&r, &bell);
	assert_non_null(view_doorbell(view_find(as.view, 0x1010), 0x1010, 2, 3));
	assert_null(view_doorbell(view_find(as.view, 0x1010), 0x1010, 2, 4));
	assert_null(view_doorbell(view_find(as.view, 0x1010), 0x1010, 4, 3));
	assert_null(view_doorbell(view_find(as.view, 0x1010), 0x1012, 2, 3));
	as_write(&as, 0x1010, 3, 2);
	assert_int_equal(d.n, 0);
	loop_run_once(loop, 0);
	loop_run_once(loop, 0);
	assert_int_equal(rings, 1);
	as_write(&as, 0x1010, 4, 2);
	assert_int_equal(d.n, 1);
	region_remove_doorbell(&r, &bell);
	as_write(&as, 0x1010, 3, 2);
	assert_int_equal(d.n, 2);
	loop_notifier_fini(&n);
	as_fini(&as);
}

/* ---- DMA, on a machine without processors ---- */

static struct machine *machine(struct loop *loop, uint64_t ram)
{
	struct machine_config config = {
		.type = &machine_none, .accel = &accel_qtest, .ram_bytes = ram, .cpus = 1};
	struct machine *m = machine_new(loop, &config, NULL);
	struct error err = ERROR_INIT;

	assert_true(machine_build(m, &err));
	return m;
}

static void dma_reaches_ram_only_and_all_or_nothing(void **state)
{
	struct machine *m = machine(*state, MiB);
	struct accel_qtest_log *log = m->accel_state;
	struct device_log d = {0};
	struct region io;
	uint8_t buf[64], zero[64] = {0};

	region_init_io(&io, "io", &ops_default, &d, 0x1000);
	region_add(&m->mem.root, 0x80000, &io, 1);
	memset(buf, 0x5a, sizeof(buf));
	assert_true(dma_write(m, 0x1000, buf, sizeof(buf)));
	assert_int_equal(log->ram_written_bytes, sizeof(buf));
	memset(buf, 0, sizeof(buf));
	assert_true(dma_read(m, 0x1000, buf, sizeof(buf)));
	assert_int_equal(buf[63], 0x5a);
	/* Half of it a device: nothing is written, the device isn't touched. */
	assert_false(dma_write(m, 0x80000 - 32, buf, sizeof(buf)));
	assert_memory_equal(m->ram.host + 0x80000 - 32, zero, 32);
	assert_int_equal(d.n, 0);
	assert_false(dma_read(m, MiB - 32, buf, sizeof(buf)));
	assert_int_equal(buf[0], 0xff);
	assert_false(dma_read(m, UINT64_MAX - 3, buf, 8));
	assert_false(dma_read(m, UINT64_MAX, buf, sizeof(buf)));
	assert_true(dma_read(m, 0x1000, buf, 0));
	region_remove(&io);
	machine_free(m);
}

static void a_counter_shows_its_clock_without_a_device(void **state)
{
	struct loop *loop = loop_new();
	struct clock *clock = clock_new_fake(loop);
	struct address_space as;
	struct region r;
	const struct view_range *range;

	as_init(&as, "test", 0x1000);
	region_init_io(&r, "counter", NULL, NULL, 4);
	r.counter = (struct region_counter){.clock = clock, .hz = 1000000, .bits = 24};
	region_add(&as.root, 0x100, &r, 0);
	clock_fake_advance(clock, 0x123456 * NS_PER_US);
	assert_int_equal(as_read(&as, 0x100, 4), 0x123456);
	assert_int_equal(as_read(&as, 0x101, 1), 0x34);
	assert_int_equal(as_read(&as, 0x102, 4), 0xffff0012); /* and nobody after it */
	as_write(&as, 0x100, 0, 4);
	range = view_find(as_view_mt(&as), 0x100);
	assert_int_equal(view_counter(range, 0x100, 4), 0x123456);
	clock_fake_advance(clock, 0x1000000 * NS_PER_US);
	assert_int_equal(view_counter(range, 0x102, 2), 0x12);
	region_remove(&r);
	as_fini(&as);
	clock_free(clock);
	loop_free(loop);
}

static void dma_map_gives_what_is_contiguous(void **state)
{
	struct machine *m = machine(*state, MiB);
	struct device_log d = {0};
	struct region io, rom;
	uint8_t host[4096];
	size_t n = 4096;

	region_init_io(&io, "io", &ops_default, &d, 0x1000);
	region_add(&m->mem.root, 0x80000, &io, 1);
	assert_ptr_equal(dma_map(m, 0x80000 - 100, &n, true), m->ram.host + 0x80000 - 100);
	assert_int_equal(n, 100);
	dma_unmap(m, 0x80000 - 100, m->ram.host, n, true);
	assert_int_equal(((struct accel_qtest_log *)m->accel_state)->ram_written_bytes, 100);
	n = 1;
	assert_null(dma_map(m, 0x80000, &n, false));
	n = 0;
	assert_null(dma_map(m, 0, &n, false));
	region_init_rom(&rom, "rom", host, sizeof(host));
	region_add(&m->mem.root, 0x90000, &rom, 1);
	n = 16;
	assert_null(dma_map(m, 0x90000, &n, true));
	assert_ptr_equal(dma_map(m, 0x90000, &n, false), host);
	machine_free(m);
}

static void ram_is_split_below_4_gib(void **state)
{
	struct machine *m = machine(*state, 3584 * MiB);

	assert_int_equal(m->ram.below_4g, 3584 * MiB);
	assert_int_equal(m->ram.above_4g, 0);
	machine_free(m);
	m = machine(*state, 6 * GiB);
	assert_int_equal(m->ram.below_4g, 3 * GiB);
	assert_int_equal(m->ram.above_4g, 3 * GiB);
	as_write(&m->mem, 4 * GiB, 0x77, 1);
	assert_int_equal(m->ram.host[3 * GiB], 0x77);
	assert_int_equal(as_read(&m->mem, 3 * GiB, 1), 0xff);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_nobody_claims_reads_as_ones, setup, teardown),
		cmocka_unit_test_setup_teardown(higher_priority_hides_lower, setup, teardown),
		cmocka_unit_test_setup_teardown(of_equal_priority_the_later_hides, setup, teardown),
		cmocka_unit_test_setup_teardown(containers_clip_their_children, setup, teardown),
		cmocka_unit_test_setup_teardown(aliases_show_a_window_and_follow_changes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_alias_moves_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(a_transaction_is_one_view, setup, teardown),
		cmocka_unit_test_setup_teardown(old_views_stay_until_they_are_reclaimed, setup,
						teardown),
		cmocka_unit_test_setup_teardown(random_trees_render_as_they_are_painted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(wide_accesses_are_split_low_address_first, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_byte_device_gets_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unaligned_access_becomes_aligned_ones, setup,
						teardown),
		cmocka_unit_test_setup_teardown(an_access_over_two_regions_reaches_both, setup,
						teardown),
		cmocka_unit_test_setup_teardown(rom_reads_and_drops_writes, setup, teardown),
		cmocka_unit_test_setup_teardown(a_doorbell_rings_instead_of_a_write, setup,
						teardown),
		cmocka_unit_test(a_counter_shows_its_clock_without_a_device),
		cmocka_unit_test_setup_teardown(dma_reaches_ram_only_and_all_or_nothing, setup,
						teardown),
		cmocka_unit_test_setup_teardown(dma_map_gives_what_is_contiguous, setup, teardown),
		cmocka_unit_test_setup_teardown(ram_is_split_below_4_gib, setup, teardown),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
