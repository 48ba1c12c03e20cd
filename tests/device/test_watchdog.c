/* SPDX-License-Identifier: BSD-2-Clause */
/* The watchdogs ib700 and i6300esb, and what follows when nobody pets them. */
#include <jansson.h>
#include "devices/chipset/watchdog.h"
#include "devices/pci/pci.h"
#include "tests/device/kit.h"

static struct kit *k;
static struct device *dev;
static char events[256]; /* "NAME action;" of each */
static unsigned pressed;

static void on_event(void *opaque, const char *name, json_t *data)
{
	const char *action = json_string_value(json_object_get(data, "action"));
	size_t n = strlen(events);

	snprintf(events + n, sizeof(events) - n, "%s %s;", name, action ? action : "");
}

static void on_power_button(void *opaque)
{
	pressed++;
}

static void watch(void)
{
	events[0] = 0;
	pressed = 0;
	k->m->power_button = on_power_button;
	k->m->event_hook = on_event;
	k->m->started = true;
	k->m->running_wanted = true;
	k->m->state = RUN_RUNNING;
}

static int setup(void **state)
{
	k = kit_new();
	dev = kit_add(k, &ib700_type, NULL);
	watch();
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

/* ---- IB700 ---- */

static void ib700_counts_two_seconds_a_step(void **state)
{
	kit_out8(k, 0x443, 0xfd); /* only the low four bits count: (15 - 13) * 2 s */
	kit_advance(k, 4 * NS_PER_SEC - 1);
	assert_string_equal(events, "");
	kit_advance(k, 1);
	assert_string_equal(events, "WATCHDOG reset;");
	kit_settle(k);
	kit_advance(k, 60 * NS_PER_SEC);
	assert_string_equal(events, "WATCHDOG reset;RESET ;");
	assert_int_equal(kit_in8(k, 0x443), 0xff);
}

static void ib700_is_petted_stopped_and_reset(void **state)
{
	kit_out8(k, 0x443, 0);
	kit_advance(k, 29 * NS_PER_SEC);
	kit_out8(k, 0x443, 0);
	kit_advance(k, 29 * NS_PER_SEC);
	kit_save_load(dev);
	kit_out8(k, 0x441, 0);
	kit_advance(k, 60 * NS_PER_SEC);
	kit_out8(k, 0x443, 0);
	device_reset(dev);
	kit_advance(k, 60 * NS_PER_SEC);
	assert_string_equal(events, "");
	kit_out8(k, 0x443, 0x0f);
	kit_advance(k, 1);
	assert_string_equal(events, "WATCHDOG reset;");
}

/* ---- what follows ---- */

static void expire(enum watchdog_action action)
{
	k->m->config.watchdog = action;
	events[0] = 0;
	kit_out8(k, 0x443, 0x0f);
	kit_advance(k, 1);
	kit_settle(k);
}

static void the_action_is_chosen(void **state)
{
	expire(WATCHDOG_NONE);
	assert_string_equal(events, "WATCHDOG none;");
	expire(WATCHDOG_DEBUG);
	assert_string_equal(events, "WATCHDOG debug;");
	expire(WATCHDOG_INJECT_NMI);
	assert_string_equal(events, "WATCHDOG inject-nmi;");
	assert_int_equal(pressed, 0);
	expire(WATCHDOG_SHUTDOWN);
	assert_string_equal(events, "WATCHDOG shutdown;");
	assert_int_equal(pressed, 1);
	assert_int_equal(k->m->state, RUN_RUNNING);
	expire(WATCHDOG_PAUSE);
	assert_string_equal(events, "WATCHDOG pause;STOP ;");
	assert_string_equal(machine_state_name(k->m), "watchdog");
	machine_resume(k->m);
	kit_settle(k);
	assert_int_equal(k->m->state, RUN_RUNNING);
	expire(WATCHDOG_POWEROFF);
	assert_string_equal(events, "WATCHDOG poweroff;SHUTDOWN ;");
}

static void a_reset_may_end_the_machine(void **state)
{
	k->m->config.no_reboot = true;
	expire(WATCHDOG_RESET);
	assert_string_equal(events, "WATCHDOG reset;SHUTDOWN ;");
}

/* ---- i6300ESB ---- */

#define MEM	 0xe0000000u
#define PRELOAD1 0x00
#define PRELOAD2 0x04
#define GINTSR	 0x08
#define RELOAD	 0x0c
#define STAGE_NS (100ll * 32768 * 1000 / 33) /* of preload 100 */

static void config_write(unsigned offset, uint32_t value, unsigned size)
{
	pci_config_write(k->m->pci, 0, PCI_DEVFN(5, 0), offset, value, size);
}

static uint32_t config_read(unsigned offset, unsigned size)
{
	return pci_config_read(k->m->pci, 0, PCI_DEVFN(5, 0), offset, size);
}

static uint32_t get(unsigned offset)
{
	return (uint32_t)as_read(&k->m->mem, MEM + offset, 4);
}

static void put(unsigned offset, uint32_t value)
{
	as_write(&k->m->mem, MEM + RELOAD, 0x80, 2);
	as_write(&k->m->mem, MEM + RELOAD, 0x86, 2);
	as_write(&k->m->mem, MEM + offset, value, offset == RELOAD ? 2 : 4);
}

static void place(void)
{
	config_write(PCI_BAR0, MEM, 4);
	config_write(PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
}

static int setup_esb(void **state)
{
	k = kit_new_with(&machine_pc, NULL);
	dev = kit_add(k, &i6300esb_type, "addr", "5", NULL);
	watch();
	place();
	return 0;
}

static void it_expires_after_two_stages(void **state)
{
	assert_int_equal(config_read(0, 4), 0x25ab8086);
	put(PRELOAD1, 100);
	put(PRELOAD2, 50);
	config_write(0x68, 2, 1);
	kit_advance(k, STAGE_NS - 1);
	assert_int_equal(get(GINTSR), 0);
	kit_advance(k, 2);
	assert_int_equal(get(GINTSR), 1);
	as_write(&k->m->mem, MEM + GINTSR, 1, 4);
	assert_int_equal(get(GINTSR), 0);
	kit_advance(k, STAGE_NS / 2 - 2);
	assert_string_equal(events, "");
	kit_save_load(dev);
	kit_advance(k, 2);
	assert_string_equal(events, "WATCHDOG reset;");
	/* The reset that follows leaves word of why. */
	device_reset(dev);
	place();
	assert_int_equal(get(RELOAD), 0x200);
	assert_int_equal(get(PRELOAD1), 0xfffff);
	put(RELOAD, 0x200);
	assert_int_equal(get(RELOAD), 0);
}

static void petting_begins_the_first_stage_anew(void **state)
{
	put(PRELOAD1, 100);
	put(PRELOAD2, 100);
	config_write(0x60, 3, 2);
	config_write(0x68, 2, 1);
	for (unsigned i = 0; i < 10; i++) {
		kit_advance(k, STAGE_NS * 3 / 2);
		put(RELOAD, 0x100);
	}
	assert_int_equal(get(GINTSR), 0); /* its interrupt is switched off */
	config_write(0x68, 0, 1);
	kit_advance(k, 10 * STAGE_NS);
	assert_string_equal(events, "");
}

static void registers_need_their_key(void **state)
{
	as_write(&k->m->mem, MEM + PRELOAD1, 7, 4);
	assert_int_equal(get(PRELOAD1), 0xfffff);
	as_write(&k->m->mem, MEM + RELOAD, 0x86, 2);
	as_write(&k->m->mem, MEM + PRELOAD1, 7, 4);
	assert_int_equal(get(PRELOAD1), 0xfffff);
	put(PRELOAD1, 0xfff00007);
	assert_int_equal(get(PRELOAD1), 7);
	as_write(&k->m->mem, MEM + PRELOAD1, 8, 4);
	assert_int_equal(get(PRELOAD1), 7);
}

static void what_is_locked_stays_until_a_reset(void **state)
{
	config_write(0x68, 3, 1);
	config_write(0x68, 0, 1);
	assert_int_equal(config_read(0x68, 1), 3);
	device_reset(dev);
	assert_int_equal(config_read(0x68, 1), 0);
	kit_advance(k, 3600 * NS_PER_SEC);
	assert_string_equal(events, "");
}

static void it_runs_freely_and_fast_without_end_or_harm(void **state)
{
	k->m->config.watchdog = WATCHDOG_NONE;
	put(PRELOAD1, 0);
	put(PRELOAD2, 0);
	config_write(0x60, 0x24, 2); /* 1 MHz, output disabled */
	config_write(0x68, 6, 1);
	kit_advance(k, 100 * NS_PER_MS);
	assert_string_equal(events, "");
	config_write(0x60, 0x04, 2);
	kit_advance(k, 2 * NS_PER_MS);
	assert_string_equal(events, "WATCHDOG none;");
}

int main(void)
{
#define ESB(f) cmocka_unit_test_setup_teardown(f, setup_esb, teardown)
	const struct CMUnitTest tests[] = {
		TEST(ib700_counts_two_seconds_a_step),
		TEST(ib700_is_petted_stopped_and_reset),
		TEST(the_action_is_chosen),
		TEST(a_reset_may_end_the_machine),
		ESB(it_expires_after_two_stages),
		ESB(petting_begins_the_first_stage_anew),
		ESB(registers_need_their_key),
		ESB(what_is_locked_stays_until_a_reset),
		ESB(it_runs_freely_and_fast_without_end_or_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
