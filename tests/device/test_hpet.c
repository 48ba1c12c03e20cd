/* SPDX-License-Identifier: BSD-2-Clause */
/* HPET: counter, comparators, routing, legacy replacement, and what no driver writes. */
#include "devices/chipset/chipset.h"
#include "devices/chipset/hpet.h"
#include "tests/device/kit.h"

#define GCAP_ID	  0x000
#define GEN_CONF  0x010
#define GINTR_STA 0x020
#define MAIN_CNT  0x0f0
#define CONF(n)	  (0x100 + 0x20 * (n))
#define COMP(n)	  (0x108 + 0x20 * (n))
#define FSB(n)	  (0x110 + 0x20 * (n))

#define LEVEL	 0x002
#define INT_ENB	 0x004
#define PERIODIC 0x008
#define VAL_SET	 0x040
#define MODE_32	 0x100
#define ROUTE(n) ((uint64_t)(n) << 9)
#define FSB_EN	 0x4000

#define ENABLE 1
#define LEGACY 2
#define TICK   10 /* ns */

static struct kit *k;
static struct device *hpet, *pit, *rtc;

static void make(const char *msi)
{
	/* The RTC on the guest's clock, which the tests move: on the host's it would have had no time for a tick. */
	k = kit_new_with(NULL, &(struct machine_config){.rtc_clock_vm = true});
	pit = kit_add(k, &i8254_type, NULL);
	rtc = kit_add(k, &mc146818_type, NULL);
	hpet = kit_add(k, &hpet_type, "hpet-intcap", "0xff0104", "msi", msi, NULL);
	hpet_wire(hpet, pit, rtc);
	kit_clear(k);
}

static int setup(void **state)
{
	make("off");
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static uint64_t get(unsigned offset)
{
	return as_read(&k->m->mem, HPET_BASE + offset, 8);
}

static uint32_t get32(unsigned offset)
{
	return (uint32_t)as_read(&k->m->mem, HPET_BASE + offset, 4);
}

static void set(unsigned offset, uint64_t value)
{
	as_write(&k->m->mem, HPET_BASE + offset, value, 8);
}

static void set32(unsigned offset, uint32_t value)
{
	as_write(&k->m->mem, HPET_BASE + offset, value, 4);
}

static void gcap_id_says_what_there_is(void **state)
{
	assert_int_equal(get(GCAP_ID), 0x009896808086a201);
	assert_int_equal(get32(GCAP_ID + 4), 10000000);
	assert_int_equal(get(CONF(0)), 0x00ff010400000030);
	assert_int_equal(get(COMP(0)), UINT64_MAX);
	assert_int_equal(get(CONF(3)), 0); /* there is none */
	set(GCAP_ID, 0);
	assert_int_equal(get32(GCAP_ID), 0x8086a201);
}

static void the_counter_counts_while_enabled(void **state)
{
	kit_advance(k, 1000);
	assert_int_equal(get(MAIN_CNT), 0);
	set(GEN_CONF, ENABLE);
	kit_advance(k, 1000 * TICK);
	assert_int_equal(get(MAIN_CNT), 1000);
	set(GEN_CONF, 0);
	kit_advance(k, 1000 * TICK);
	assert_int_equal(get(MAIN_CNT), 1000);
	set32(MAIN_CNT, 7);
	set32(MAIN_CNT + 4, 5);
	set(GEN_CONF, ENABLE);
	kit_advance(k, 10 * TICK);
	assert_int_equal(get(MAIN_CNT), 0x500000011);
	assert_int_equal(get32(MAIN_CNT + 4), 5);
	assert_int_equal(as_read(&k->m->mem, HPET_BASE + MAIN_CNT, 1), 0x11);
}

static void a_one_shot_timer_interrupts_once(void **state)
{
	set(CONF(2), INT_ENB | ROUTE(16));
	set(COMP(2), 1000);
	set(GEN_CONF, ENABLE);
	kit_advance(k, 999 * TICK);
	assert_int_equal(k->rises[16], 0);
	kit_advance(k, TICK);
	assert_int_equal(k->rises[16], 1);
	assert_false(k->level[16]);
	kit_advance(k, 100 * NS_PER_SEC);
	assert_int_equal(k->rises[16], 1);
	assert_int_equal(get(GINTR_STA), 0); /* edge: no status */
}

static void in_32_bit_mode_it_comes_round(void **state)
{
	const int64_t round = (1ll << 32) * TICK;

	set(CONF(0), INT_ENB | MODE_32 | ROUTE(16));
	set(COMP(0), 0xabcd00000400);
	assert_int_equal(get(COMP(0)), 0x400);
	set(GEN_CONF, ENABLE);
	kit_advance(k, 0x400 * TICK);
	assert_int_equal(k->rises[16], 1);
	kit_advance(k, round - TICK);
	assert_int_equal(k->rises[16], 1);
	kit_advance(k, TICK);
	assert_int_equal(k->rises[16], 2);
}

static void a_comparator_in_the_past_counts_as_reached(void **state)
{
	set(GEN_CONF, ENABLE);
	kit_advance(k, 5000 * TICK);
	set(CONF(0), INT_ENB | ROUTE(16));
	set(COMP(0), 4999);
	assert_int_equal(k->rises[16], 1);
	kit_advance(k, NS_PER_SEC);
	assert_int_equal(k->rises[16], 1);
	set(COMP(0), 0); /* anew */
	assert_int_equal(k->rises[16], 2);
	/* More than half the range behind is ahead. */
	kit_advance(k, NS_PER_MS);
	set(COMP(0), 0x7fffffffffffffff);
	kit_advance(k, NS_PER_SEC);
	assert_int_equal(k->rises[16], 2);
}

static void a_periodic_timer_goes_on(void **state)
{
	set(CONF(0), INT_ENB | PERIODIC | VAL_SET | ROUTE(16));
	set(COMP(0), 20000);
	assert_int_equal(get(CONF(0)) & VAL_SET, 0);
	set(COMP(0), 10000); /* the period; the comparator stays */
	assert_int_equal(get(COMP(0)), 20000);
	set(GEN_CONF, ENABLE);
	for (unsigned i = 0; i < 5; i++)
		kit_advance(k, 10000 * TICK);
	assert_int_equal(k->rises[16], 4);
	assert_int_equal(get(COMP(0)), 60000);
}

static void linux_s_sequence_in_32_bit_mode(void **state)
{
	set32(GEN_CONF, ENABLE | LEGACY);
	kit_advance(k, NS_PER_MS);
	set32(CONF(0), INT_ENB | PERIODIC | VAL_SET | MODE_32);
	set32(COMP(0), get32(MAIN_CNT) + 400000);
	set32(COMP(0), 400000);
	kit_clear(k);
	for (unsigned i = 0; i < 250; i++)
		kit_advance(k, 4 * NS_PER_MS);
	assert_int_equal(k->rises[0], 250);
}

static void level_triggered_it_waits_for_its_status_to_be_cleared(void **state)
{
	set(CONF(1), INT_ENB | LEVEL | ROUTE(17));
	set(COMP(1), 100);
	set(GEN_CONF, ENABLE);
	kit_advance(k, NS_PER_MS);
	assert_true(k->level[17]);
	assert_int_equal(get(GINTR_STA), 2);
	set(GINTR_STA, 1);
	assert_true(k->level[17]);
	/* Its enables let the line go, and take it again. */
	set(CONF(1), LEVEL | ROUTE(17));
	assert_false(k->level[17]);
	set(CONF(1), INT_ENB | LEVEL | ROUTE(18));
	assert_false(k->level[17]);
	assert_true(k->level[18]);
	set32(GINTR_STA, 2);
	assert_false(k->level[18]);
	assert_int_equal(get(GINTR_STA), 0);
}

static void without_int_enb_there_is_only_the_status(void **state)
{
	set(CONF(1), LEVEL | ROUTE(17));
	set(COMP(1), 100);
	set(GEN_CONF, ENABLE);
	kit_advance(k, NS_PER_MS);
	assert_int_equal(get(GINTR_STA), 2);
	assert_int_equal(k->rises[17], 0);
}

static void routes_that_no_timer_has_lead_nowhere(void **state)
{
	for (unsigned route = 0; route < 32; route++) {
		set(CONF(0), INT_ENB | LEVEL | ROUTE(route));
		set(COMP(0), get(MAIN_CNT));
		set(GEN_CONF, ENABLE);
		kit_advance(k, NS_PER_MS);
	}
	for (unsigned gsi = 1; gsi < MACHINE_GSIS; gsi++) /* 0 is the 8254's as well */
		assert_int_equal(k->rises[gsi] > 0, gsi == 8 || gsi >= 16);
}

static void legacy_replacement_takes_irq_0_and_8(void **state)
{
	/* Both would interrupt. */
	kit_out8(k, 0x70, 0x0a);
	kit_out8(k, 0x71, 0x26);
	kit_out8(k, 0x70, 0x0b);
	kit_out8(k, 0x71, 0x42);
	kit_clear(k);
	kit_advance(k, NS_PER_SEC);
	assert_in_range(k->rises[0], 18, 19);
	assert_int_equal(k->rises[8], 1); /* nobody reads register C */
	set(GEN_CONF, LEGACY);
	kit_clear(k);
	kit_advance(k, NS_PER_SEC);
	assert_int_equal(k->rises[0] + k->rises[8], 0);
	assert_false(k->level[0] || k->level[8]);
	set(CONF(0), INT_ENB | ROUTE(20));
	set(CONF(1), INT_ENB | ROUTE(21));
	set(CONF(2), INT_ENB | ROUTE(22));
	for (unsigned n = 0; n < 3; n++)
		set(COMP(n), 1000);
	set(GEN_CONF, LEGACY | ENABLE);
	kit_advance(k, NS_PER_MS);
	assert_int_equal(k->rises[0], 1);
	assert_int_equal(k->rises[8], 1);
	assert_int_equal(k->rises[20] + k->rises[21], 0);
	assert_int_equal(k->rises[22], 1);
	set(GEN_CONF, 0);
	kit_clear(k);
	kit_advance(k, NS_PER_SEC);
	assert_in_range(k->rises[0], 18, 20);
	assert_true(k->level[8]);
	set(GEN_CONF, LEGACY);
	assert_false(k->level[8]);
	device_reset(hpet);
	assert_true(k->level[8]);
}

static void messages_go_where_the_timer_says(void **state)
{
	teardown(NULL);
	make("on");
	assert_int_equal(get32(CONF(2)), 0x8030);
	set(FSB(2), 0xfee0000000000041);
	set(CONF(2), INT_ENB | FSB_EN | ROUTE(16));
	set(COMP(2), 1000);
	set(GEN_CONF, ENABLE);
	kit_advance(k, NS_PER_MS);
	assert_int_equal(k->log->n_msi, 1);
	assert_int_equal(k->log->msi[0].addr, 0xfee00000);
	assert_int_equal(k->log->msi[0].data, 0x41);
	assert_int_equal(k->rises[16], 0);
	set(FSB(2), 0x1000 | 1ull << 40);
	set(COMP(2), 0);
	assert_int_equal(k->log->n_msi, 1);
	assert_int_equal(hpet->guest_error_count, 1);
}

static void without_the_property_there_are_no_messages(void **state)
{
	set(FSB(0), UINT64_MAX);
	set(CONF(0), UINT64_MAX);
	assert_int_equal(get(FSB(0)), 0);
	assert_int_equal(get32(CONF(0)), 0x3f7e);
}

static void a_period_of_nothing_is_one_interrupt(void **state)
{
	set(CONF(0), INT_ENB | PERIODIC | VAL_SET | ROUTE(16));
	set(COMP(0), 0);
	set(GEN_CONF, ENABLE);
	kit_advance(k, NS_PER_SEC);
	assert_int_equal(k->rises[16], 1);
}

static void a_tiny_period_does_not_keep_the_host_busy(void **state)
{
	set(CONF(0), INT_ENB | PERIODIC | VAL_SET | ROUTE(16));
	set(COMP(0), 1);
	set(COMP(0), 1);
	set(GEN_CONF, ENABLE);
	kit_advance(k, NS_PER_MS);
	assert_in_range(k->rises[16], 15, 21);
}

static void a_period_of_half_the_range_and_more(void **state)
{
	set(CONF(0), INT_ENB | PERIODIC | VAL_SET | MODE_32 | ROUTE(16));
	set(COMP(0), 10);
	set(COMP(0), 0xfffffff0);
	set(GEN_CONF, ENABLE);
	kit_advance(k, NS_PER_SEC);
	assert_int_equal(k->rises[16], 1);
	kit_advance(k, 0xfffffff0ll * TICK - NS_PER_SEC + 20 * TICK);
	assert_int_equal(k->rises[16], 2);
}

static void narrow_and_reserved_writes_do_nothing(void **state)
{
	as_write(&k->m->mem, HPET_BASE + GEN_CONF, 1, 1);
	as_write(&k->m->mem, HPET_BASE + GEN_CONF, 1, 2);
	assert_int_equal(get(GEN_CONF), 0);
	set(GEN_CONF, ~3ull);
	assert_int_equal(get(GEN_CONF), 0);
	for (unsigned offset = 0x28; offset < 0xf0; offset += 8) {
		set(offset, UINT64_MAX);
		assert_int_equal(get(offset), 0);
	}
	set(0x118, UINT64_MAX);
	set(0x3f8, UINT64_MAX);
	assert_int_equal(get(0x118), 0);
	assert_int_equal(get(0x3f8), 0);
}

static void timers_survive_save_and_load(void **state)
{
	set(CONF(0), INT_ENB | PERIODIC | VAL_SET | ROUTE(16));
	set(COMP(0), 20000);
	set(COMP(0), 10000);
	set(CONF(1), INT_ENB | LEVEL | ROUTE(17));
	set(COMP(1), 10);
	set(CONF(2), INT_ENB | ROUTE(18));
	set(COMP(2), 10);
	set(GEN_CONF, ENABLE | LEGACY);
	kit_advance(k, 15000 * TICK);
	kit_save_load(hpet);
	kit_clear(k);
	assert_int_equal(get(MAIN_CNT), 15000);
	kit_advance(k, 15000 * TICK);
	assert_int_equal(k->rises[0], 2);
	assert_true(k->level[8]);
	assert_int_equal(k->rises[18], 0); /* has been */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(gcap_id_says_what_there_is),
		TEST(the_counter_counts_while_enabled),
		TEST(a_one_shot_timer_interrupts_once),
		TEST(in_32_bit_mode_it_comes_round),
		TEST(a_comparator_in_the_past_counts_as_reached),
		TEST(a_periodic_timer_goes_on),
		TEST(linux_s_sequence_in_32_bit_mode),
		TEST(level_triggered_it_waits_for_its_status_to_be_cleared),
		TEST(without_int_enb_there_is_only_the_status),
		TEST(routes_that_no_timer_has_lead_nowhere),
		TEST(legacy_replacement_takes_irq_0_and_8),
		TEST(messages_go_where_the_timer_says),
		TEST(without_the_property_there_are_no_messages),
		TEST(a_period_of_nothing_is_one_interrupt),
		TEST(a_tiny_period_does_not_keep_the_host_busy),
		TEST(a_period_of_half_the_range_and_more),
		TEST(narrow_and_reserved_writes_do_nothing),
		TEST(timers_survive_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
