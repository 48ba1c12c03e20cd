/* SPDX-License-Identifier: BSD-2-Clause */
/* pvpanic, and what a panic leads to. */
#include <jansson.h>
#include "devices/chipset/pvpanic.h"
#include "devices/pci/pci.h"
#include "tests/device/kit.h"

#define PORT 0x505

static struct kit *k;
static char events[256]; /* "NAME action;" of each */

static void on_event(void *opaque, const char *name, json_t *data)
{
	const char *action = json_string_value(json_object_get(data, "action"));
	size_t n = strlen(events);

	snprintf(events + n, sizeof(events) - n, "%s %s;", name, action ? action : "");
}

static void watch(void)
{
	events[0] = 0;
	k->m->event_hook = on_event;
	k->m->started = true;
	k->m->running_wanted = true;
	k->m->state = RUN_RUNNING;
}

static int setup(void **state)
{
	k = kit_new();
	watch();
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void panic(const char *events_wanted, enum run_state state, int status)
{
	kit_out8(k, PORT, PVPANIC_PANICKED);
	kit_settle(k);
	assert_string_equal(events, events_wanted);
	assert_int_equal(k->m->state, state);
	assert_int_equal(k->m->exit_status, status);
}

static void reading_tells_the_events_that_are_known(void **state)
{
	kit_add(k, &pvpanic_isa_type, NULL);
	assert_int_equal(k->m->pvpanic_port, PORT);
	assert_int_equal(kit_in8(k, PORT), 3);
}

static void events_and_port_are_properties(void **state)
{
	struct device *dev = kit_add(k, &pvpanic_isa_type, "ioport", "0x600", "events", "1", NULL);

	assert_int_equal(kit_in8(k, 0x600), 1);
	free(kit_add_fails(k, &pvpanic_isa_type, NULL));
	device_unrealize(dev);
	assert_int_equal(k->m->pvpanic_port, 0);
}

static void a_panic_ends_the_machine(void **state)
{
	kit_add(k, &pvpanic_isa_type, NULL);
	panic("GUEST_PANICKED poweroff;STOP ;SHUTDOWN ;", RUN_SHUTDOWN, 0);
	assert_int_equal(k->m->shutdown_cause, SHUTDOWN_GUEST_PANIC);
}

static void a_panic_may_be_a_failure(void **state)
{
	kit_add(k, &pvpanic_isa_type, NULL);
	k->m->config.panic = PANIC_EXIT_FAILURE;
	panic("GUEST_PANICKED poweroff;STOP ;SHUTDOWN ;", RUN_SHUTDOWN, 1);
}

static void a_panic_may_pause(void **state)
{
	kit_add(k, &pvpanic_isa_type, NULL);
	k->m->config.panic = PANIC_PAUSE;
	panic("GUEST_PANICKED pause;STOP ;", RUN_GUEST_PANICKED, 0);
	assert_string_equal(machine_state_name(k->m), "guest-panicked");
	machine_resume(k->m);
	assert_int_equal(k->m->state, RUN_RUNNING);
}

/* As with -no-shutdown. */
static void a_panic_pauses_where_shutdown_does(void **state)
{
	kit_add(k, &pvpanic_isa_type, NULL);
	k->m->config.no_shutdown = true;
	panic("GUEST_PANICKED pause;STOP ;", RUN_GUEST_PANICKED, 0);
}

static void a_panic_may_be_told_of_only(void **state)
{
	kit_add(k, &pvpanic_isa_type, NULL);
	k->m->config.panic = PANIC_NONE;
	panic("GUEST_PANICKED run;", RUN_RUNNING, 0);
}

static void a_crash_kernel_goes_on(void **state)
{
	kit_add(k, &pvpanic_isa_type, NULL);
	kit_out8(k, PORT, PVPANIC_CRASHLOADED);
	kit_settle(k);
	assert_string_equal(events, "GUEST_CRASHLOADED run;");
	assert_int_equal(k->m->state, RUN_RUNNING);
}

static void events_that_nobody_knows_do_nothing(void **state)
{
	struct device *dev = kit_add(k, &pvpanic_isa_type, NULL);

	kit_out8(k, PORT, 0xfc);
	kit_settle(k);
	assert_string_equal(events, "");
	assert_int_equal(dev->guest_error_count, 1);
}

static int setup_pc(void **state)
{
	k = kit_new_with(&machine_pc, NULL);
	watch();
	return 0;
}

static void a_pci_function_has_the_register_in_bar_0(void **state)
{
	struct device *dev = kit_add(k, &pvpanic_pci_type, "addr", "5", NULL);

	assert_int_equal(pci_config_read(k->m->pci, 0, PCI_DEVFN(5, 0), 0, 4), 0x00111b36);
	pci_config_write(k->m->pci, 0, PCI_DEVFN(5, 0), PCI_BAR0, 0xffffffff, 4);
	assert_int_equal(pci_config_read(k->m->pci, 0, PCI_DEVFN(5, 0), PCI_BAR0, 4), 0xfffffff0);
	pci_config_write(k->m->pci, 0, PCI_DEVFN(5, 0), PCI_BAR0, 0xe0000000, 4);
	pci_config_write(k->m->pci, 0, PCI_DEVFN(5, 0), PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
	assert_int_equal(as_read(&k->m->mem, 0xe0000000, 1), 3);
	assert_int_equal(as_read(&k->m->mem, 0xe0000001, 1), 0);
	as_write(&k->m->mem, 0xe0000004, PVPANIC_PANICKED, 1);
	assert_string_equal(events, "");
	kit_save_load(dev);
	as_write(&k->m->mem, 0xe0000000, PVPANIC_CRASHLOADED, 1);
	assert_string_equal(events, "GUEST_CRASHLOADED run;");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reading_tells_the_events_that_are_known),
		TEST(events_and_port_are_properties),
		TEST(a_panic_ends_the_machine),
		TEST(a_panic_may_be_a_failure),
		TEST(a_panic_may_pause),
		TEST(a_panic_pauses_where_shutdown_does),
		TEST(a_panic_may_be_told_of_only),
		TEST(a_crash_kernel_goes_on),
		TEST(events_that_nobody_knows_do_nothing),
		cmocka_unit_test_setup_teardown(a_pci_function_has_the_register_in_bar_0, setup_pc,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
