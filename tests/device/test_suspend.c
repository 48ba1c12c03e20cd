/* SPDX-License-Identifier: BSD-2-Clause */
/* Suspension to RAM on a whole board: what falls asleep, what wakes it, and what is still there then. */
#include <jansson.h>
#include "devices/chipset/chipset.h"
#include "devices/pci/pci.h"
#include "src/input.h"
#include "tests/device/kit.h"

#define BASE	0x600
#define PMSTS	(BASE + 0)
#define PMEN	(BASE + 2)
#define PMCNTRL (BASE + 4)
#define WAK	0x8000
#define RTC	0x0400
#define PWRBTN	0x0100
#define S3	(0x2000 | 1 << 10)
#define S4	(0x2000 | 2 << 10)
#define MAGIC	0x5eed

#define CMOS_SHUTDOWN 0x0f
#define RTC_SECONDS   0x01
#define RTC_MINUTES   0x03
#define RTC_HOURS     0x05
#define RTC_B	      0x0b
#define RTC_C	      0x0c
#define RTC_B_AIE     0x22

static struct kit *k;
static char events[256]; /* "NAME;" of each */

static void on_event(void *opaque, const char *name, json_t *data)
{
	size_t n = strlen(events);

	snprintf(events + n, sizeof(events) - n, "%s;", name);
}

static void cmos_out(uint8_t index, uint8_t value)
{
	kit_out8(k, 0x70, index);
	kit_out8(k, 0x71, value);
}

static uint8_t cmos_in(uint8_t index)
{
	kit_out8(k, 0x70, index);
	return kit_in8(k, 0x71);
}

static int start(const struct machine_type *type)
{
	struct machine_config config = {.rtc_clock_vm = true};

	k = kit_new_with(type, &config);
	k->m->event_hook = on_event;
	events[0] = 0;
	/* Without firmware nobody else has put the ports anywhere. */
	assert_int_equal(kit_in16(k, PMCNTRL), 1);
	stn_le(k->m->ram.host + 0x5000, 4, MAGIC);
	return 0;
}

static int setup(void **state)
{
	return start(&machine_pc);
}

static int setup_q35(void **state)
{
	return start(&machine_q35);
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void fall_asleep(void)
{
	kit_out16(k, PMCNTRL, S3);
	kit_settle(k);
	assert_int_equal(k->m->state, RUN_SUSPENDED);
	assert_string_equal(events, "SUSPEND;");
	assert_int_equal(cmos_in(CMOS_SHUTDOWN), 0xfe);
}

static void wakes_with(uint16_t status)
{
	kit_settle(k);
	assert_int_equal(k->m->state, RUN_RUNNING);
	assert_string_equal(events, "SUSPEND;WAKEUP;");
	assert_int_equal(kit_in16(k, PMSTS), status);
	assert_int_equal(kit_in16(k, PMEN), 0);
	assert_int_equal(ldn_le(k->m->ram.host + 0x5000, 4), MAGIC);
}

static void the_monitor_wakes_as_the_power_button_does(void **state)
{
	fall_asleep();
	machine_wake(k->m, WAKE_OTHER);
	wakes_with(WAK | PWRBTN);
}

static void a_key_wakes(void **state)
{
	fall_asleep();
	input_key_event(k->m->input, INPUT_KEY_SPC, true);
	wakes_with(WAK | PWRBTN);
}

static void the_power_button_wakes_where_it_is_enabled(void **state)
{
	kit_out16(k, PMEN, PWRBTN);
	fall_asleep();
	machine_power_button(k->m);
	wakes_with(WAK | PWRBTN);
}

static void other_things_do_not_wake(void **state)
{
	fall_asleep();
	machine_power_button(k->m);
	machine_resume(k->m);
	machine_pause(k->m);
	kit_settle(k);
	assert_int_equal(k->m->state, RUN_SUSPENDED);
	assert_string_equal(machine_state_name(k->m), "suspended");
	machine_wake(k->m, WAKE_OTHER);
	machine_wake(k->m, WAKE_OTHER);
	wakes_with(WAK | PWRBTN);
}

static void alarm_each_second(void)
{
	cmos_out(RTC_SECONDS, 0xc0);
	cmos_out(RTC_MINUTES, 0xc0);
	cmos_out(RTC_HOURS, 0xc0);
	cmos_in(RTC_C);
	cmos_out(RTC_B, RTC_B_AIE);
}

static void the_alarm_wakes_where_it_is_enabled(void **state)
{
	alarm_each_second();
	kit_out16(k, PMEN, RTC);
	fall_asleep();
	kit_advance(k, NS_PER_SEC);
	wakes_with(WAK | RTC);
}

static void the_alarm_does_not_wake_where_it_is_not(void **state)
{
	alarm_each_second();
	fall_asleep();
	kit_advance(k, 3 * NS_PER_SEC);
	kit_settle(k);
	assert_int_equal(k->m->state, RUN_SUSPENDED);
}

/* It would never wake else: the next alarm is none while this one has not been acknowledged. */
static void an_alarm_before_sleep_wakes_at_once(void **state)
{
	alarm_each_second();
	kit_out16(k, PMEN, RTC);
	kit_advance(k, NS_PER_SEC);
	assert_int_equal(kit_in16(k, PMSTS), RTC);
	kit_out16(k, PMCNTRL, S3);
	wakes_with(WAK | RTC);
}

static void a_reset_ends_sleep(void **state)
{
	fall_asleep();
	machine_request_reset_as(k->m, SHUTDOWN_HOST_RESET);
	kit_settle(k);
	assert_int_equal(k->m->state, RUN_RUNNING);
	assert_string_equal(events, "SUSPEND;RESET;");
	assert_int_equal(kit_in16(k, PMSTS), 0);
}

static void a_pause_comes_before_sleep(void **state)
{
	kit_out16(k, PMCNTRL, S3);
	machine_pause(k->m);
	kit_settle(k);
	assert_int_equal(k->m->state, RUN_PAUSED);
	assert_string_equal(events, "STOP;");
	machine_resume(k->m);
	kit_settle(k);
	assert_int_equal(k->m->state, RUN_SUSPENDED);
	assert_string_equal(events, "STOP;RESUME;SUSPEND;");
}

static void suspension_to_disk_is_told_of(void **state)
{
	kit_out16(k, PMCNTRL, S4);
	kit_settle(k);
	assert_string_equal(events, "SUSPEND_DISK;SHUTDOWN;");
}

/* Firmware finds its way in what it has put there. */
static void shadow_ram_stays(void **state)
{
	const uint8_t *config = k->m->pci->devices[0]->config;
	unsigned pam = k->m->config.type == &machine_q35 ? 0x90 : 0x59;

	pci_config_write(k->m->pci, 0, 0, pam, 0x10, 1);
	pci_config_write(k->m->pci, 0, 0, pam + 3, 0x13, 1);
	fall_asleep();
	machine_wake(k->m, WAKE_OTHER);
	wakes_with(WAK | PWRBTN);
	assert_int_equal(config[pam], 0x10);
	assert_int_equal(config[pam + 3], 0x13);
	machine_request_reset(k->m);
	kit_settle(k);
	assert_int_not_equal(config[pam], 0x10);
}

#define Q35(f) cmocka_unit_test_setup_teardown(f, setup_q35, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_monitor_wakes_as_the_power_button_does),
		Q35(the_monitor_wakes_as_the_power_button_does),
		TEST(a_key_wakes),
		TEST(the_power_button_wakes_where_it_is_enabled),
		TEST(other_things_do_not_wake),
		TEST(the_alarm_wakes_where_it_is_enabled),
		Q35(the_alarm_wakes_where_it_is_enabled),
		TEST(the_alarm_does_not_wake_where_it_is_not),
		TEST(an_alarm_before_sleep_wakes_at_once),
		TEST(a_reset_ends_sleep),
		TEST(a_pause_comes_before_sleep),
		TEST(suspension_to_disk_is_told_of),
		TEST(shadow_ram_stays),
		Q35(shadow_ram_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
