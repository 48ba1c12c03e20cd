/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt controllers and timers, whoever has them: what one accelerator's have saved, another's load, and show the same. The saved
 * bytes are those that the models have, programmed by their registers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "src/irqchip.h"
#include "tests/accel/box.h"

/* In the saved form, after its version: struct chip_pic, struct chip_counter. */
#define HEAD_BYTES    4
#define PIC_BYTES     (HEAD_BYTES + 17)
#define PIC_LINES     3
#define PIC_ICW3      7
#define IOAPIC_LINES  (8 * CHIP_IOAPIC_PINS)
#define COUNTER_BYTES (HEAD_BYTES + 42)

#define APIC_ID	 0x20
#define APIC_TPR 0x80
#define APIC_LDR 0xd0
#define APIC_DFR 0xe0
#define APIC_SVR 0xf0
#define APIC_ISR 0x100
#define APIC_TMR 0x180
#define APIC_IRR 0x200

static const char *const chips[] = {"i8259", "ioapic", "i8254"};

struct pc {
	struct loop *loop;
	struct machine *m;
};

static bool accel_of(const char *accel, struct machine_config *config, struct error *err)
{
	char *name = xasprintf("%.*s", (int)(strchrnul(accel, ',') - accel), accel);

	config->irqchip_given = strchr(accel, ',');
	config->irqchip = strstr(accel, "=off") ? IRQCHIP_NONE : IRQCHIP_SPLIT;
	config->accel = accel_select(name, err);
	free(name);
	return config->accel;
}

static void pc_free(struct pc *pc)
{
	if (pc->m)
		machine_free(pc->m);
	loop_free(pc->loop);
}

/* A PC that stands still; skips the test where there is no such accelerator. */
static void pc_new(struct pc *pc, const char *accel)
{
	struct machine_config config = {.type = &machine_pc,
					.ram_bytes = 4 * MiB,
					.cpus = 1,
					.sockets = 1,
					.cores = 1,
					.threads = 1,
					.no_hpet = true};
	struct error err = ERROR_INIT;

	*pc = (struct pc){.loop = loop_new()};
	if (accel_of(accel, &config, &err)) {
		pc->m = machine_new(pc->loop, &config, NULL);
		pc->m->config.start_paused = true;
	}
	if (!pc->m || !machine_build(pc->m, &err) || !machine_start(pc->m, &err)) {
		print_message("no %s here: %s\n", accel, err.msg);
		error_clear(&err);
		pc_free(pc);
		skip();
	}
	while (!vcpus_all_parked(pc->m))
		loop_run_once(pc->loop, 10 * NS_PER_MS);
}

static struct device *chip(struct pc *pc, const char *state)
{
	list_for_each(it, &pc->m->devices) {
		struct device *dev = list_entry(it, struct device, node);

		if (dev->type->state && !strcmp(dev->type->state->name, state))
			return dev;
	}
	fail_msg("the board has no %s", state);
	return NULL;
}

static void out(struct pc *pc, uint16_t port, uint8_t value)
{
	as_write(&pc->m->io, port, value, 1);
}

static void redir(struct pc *pc, unsigned pin, uint64_t entry)
{
	for (unsigned half = 0; half < 2; half++) {
		as_write(&pc->m->mem, 0xfec00000, 0x11 - half + 2 * pin, 4);
		as_write(&pc->m->mem, 0xfec00010, (uint32_t)(half ? entry : entry >> 32), 4);
	}
}

/* As devices hold them. */
static void lines(struct pc *pc)
{
	irq_set(&pc->m->gsi[10], true);
	irq_set(&pc->m->gsi[4], true);
}

/* As a guest might have left them: interrupts in service, a count that is half read, another half written. */
static void program(struct pc *pc)
{
	static const uint8_t pic[][2] = {{0x20, 0x11}, {0x21, 0x30}, {0x21, 0x04}, {0x21, 0x01},
					 {0xa0, 0x11}, {0xa1, 0x38}, {0xa1, 0x02}, {0xa1, 0x01},
					 {0x21, 0x01}, {0xa1, 0x41}, {0x20, 0xc3}, {0xa0, 0x0b}};
	static const uint8_t pit[][2] = {{0x43, 0x30}, {0x40, 0x9c}, {0x40, 0x2e}, {0x43, 0x56},
					 {0x41, 18},   {0x61, 0x01}, {0x43, 0xb6}, {0x42, 0xe8},
					 {0x42, 0x03}, {0x43, 0x80}, {0x42, 0x77}};

	for (unsigned i = 0; i < ARRAY_SIZE(pic); i++)
		out(pc, pic[i][0], pic[i][1]);
	as_write(&pc->m->io, 0x4d0, 0x0e20, 2); /* levels: 5, 9, 10, 11 */
	lines(pc);
	pc->m->intack(pc->m->intack_opaque);
	for (unsigned i = 0; i < ARRAY_SIZE(pit); i++)
		out(pc, pit[i][0], pit[i][1]);
	as_read(&pc->m->io, 0x42, 1); /* the first byte of what was latched */
	redir(pc, 10, 0x0100000000008099ull);
	redir(pc, 11, 0x010000000001a0a1ull);
	redir(pc, 4, 0x0f00000000000944ull);
	as_write(&pc->m->mem, 0xfec00000, 0, 4);
	as_write(&pc->m->mem, 0xfec00010, 0x05000000, 4);
	as_write(&pc->m->mem, 0xfec00000, 0x13, 4);
}

static uint8_t *save(struct pc *pc, const char *name, size_t *bytes)
{
	struct device *dev = chip(pc, name);

	return state_save(dev->type->state, dev, bytes);
}

static void load(struct pc *pc, const char *name, const uint8_t *buf, size_t bytes)
{
	struct device *dev = chip(pc, name);
	struct error err = ERROR_INIT;

	if (!state_load(dev->type->state, dev, buf, bytes, &err))
		fail_msg("%s: %s", name, err.msg);
}

/*
 * Bits of a byte that may differ, for KVM's chips don't hold them: ICW3, when a counter began, and the level of the 8254's line, which
 * is input 0 of the first 8259 and pin 2 of the IOAPIC.
 */
static uint8_t excused(const char *name, size_t at)
{
	size_t counter = at < HEAD_BYTES ? 0 : (at - HEAD_BYTES) % COUNTER_BYTES;
	size_t pic = at < HEAD_BYTES ? 0 : (at - HEAD_BYTES) % PIC_BYTES;

	if (!strcmp(name, "ioapic"))
		return at == HEAD_BYTES + IOAPIC_LINES ? BIT(2) : 0;
	if (!strcmp(name, "i8254"))
		return counter >= HEAD_BYTES && counter < HEAD_BYTES + 8 ? 0xff : 0;
	if (at == 2 * HEAD_BYTES + PIC_LINES)
		return BIT(0);
	return pic == HEAD_BYTES + PIC_ICW3 ? 0xff : 0;
}

static void must_be_same(const char *name, const uint8_t *a, const uint8_t *b, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if ((a[i] ^ b[i]) & ~excused(name, i))
			fail_msg("%s: byte %zu is %02x, not %02x", name, i, b[i], a[i]);
}

static char *shown(struct pc *pc, const char *name)
{
	struct device *dev = chip(pc, name);
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	dev->type->print_pic(dev, f);
	fclose(f);
	return text;
}

static void what_one_saved_the_other_loads(void **state)
{
	struct pc from, to;

	pc_new(&from, "soft");
	program(&from);
	pc_new(&to, *state);
	lines(&to);
	for (unsigned i = 0; i < ARRAY_SIZE(chips); i++) {
		size_t bytes, again_bytes;
		uint8_t *saved = save(&from, chips[i], &bytes), *again;

		load(&to, chips[i], saved, bytes);
		again = save(&to, chips[i], &again_bytes);
		assert_int_equal(again_bytes, bytes);
		must_be_same(chips[i], saved, again, bytes);
		/* And back. */
		load(&from, chips[i], again, bytes);
		free(again);
		again = save(&from, chips[i], &again_bytes);
		must_be_same(chips[i], saved, again, bytes);
		free(saved);
		free(again);
	}
	pc_free(&from);
	pc_free(&to);
}

static void info_pic_shows_the_same(void **state)
{
	struct pc from, to;

	pc_new(&from, "soft");
	program(&from);
	pc_new(&to, *state);
	lines(&to);
	for (unsigned i = 0; i < 2; i++) {
		size_t bytes;
		uint8_t *saved = save(&from, chips[i], &bytes);
		char *a, *b;

		load(&to, chips[i], saved, bytes);
		a = shown(&from, chips[i]);
		b = shown(&to, chips[i]);
		/* The versions of the IOAPICs differ. */
		assert_string_equal(strchr(a, i ? '\n' : ':'), strchr(b, i ? '\n' : ':'));
		free(a);
		free(b);
		free(saved);
	}
	pc_free(&from);
	pc_free(&to);
}

static void a_reset_is_that_of_the_models(void **state)
{
	struct pc from, to;

	pc_new(&from, "soft");
	pc_new(&to, *state);
	for (unsigned i = 0; i < ARRAY_SIZE(chips); i++) {
		size_t bytes;
		uint8_t *a, *b;

		device_reset(chip(&from, chips[i]));
		device_reset(chip(&to, chips[i]));
		a = save(&from, chips[i], &bytes);
		b = save(&to, chips[i], &bytes);
		must_be_same(chips[i], a, b, bytes);
		free(a);
		free(b);
	}
	pc_free(&from);
	pc_free(&to);
}

static void what_cannot_be_is_refused(void **state)
{
	struct pc pc;

	pc_new(&pc, *state);
	for (unsigned i = 0; i < ARRAY_SIZE(chips); i += 2) {
		struct device *dev = chip(&pc, chips[i]);
		struct error err = ERROR_INIT;
		size_t bytes;
		uint8_t *saved = save(&pc, chips[i], &bytes);

		saved[2 * HEAD_BYTES + (i ? 30 : 5)] = 0x77; /* lowest; mode */
		saved[2 * HEAD_BYTES + (i ? 29 : 6)] = 0x77;
		assert_false(state_load(dev->type->state, dev, saved, bytes, &err));
		assert_true(error_is_set(&err));
		error_clear(&err);
		free(saved);
	}
	pc_free(&pc);
}

static void local_apics_move_too(void **state)
{
	static const struct {
		unsigned offset;
		uint32_t value;
	} regs[] = {
		{APIC_TPR, 0x20},   {APIC_LDR, 0x04000000}, {APIC_DFR, 0xffffffff},
		{APIC_SVR, 0x1ef},  {0x350, 0x10700},	    {0x360, 0x400},
		{0x320, 0x20031},   {0x370, 0xfe},	    {APIC_IRR + 32, 2},
		{APIC_TMR + 64, 4}, {APIC_IRR + 64, 4},	    {0x3e0, 0xb},
	};
	struct error err = ERROR_INIT;
	struct x86_lapic lapic, back;
	struct pc from, to;

	pc_new(&from, "soft");
	pc_new(&to, *state);
	from.m->accel->get_lapic(from.m->vcpus[0], &lapic);
	for (unsigned i = 0; i < ARRAY_SIZE(regs); i++)
		stn_le(lapic.regs + regs[i].offset, 4, regs[i].value);
	assert_true(from.m->accel->set_lapic(from.m->vcpus[0], &lapic, &err));
	from.m->accel->get_lapic(from.m->vcpus[0], &lapic);
	assert_true(to.m->accel->set_lapic(to.m->vcpus[0], &lapic, &err));
	to.m->accel->get_lapic(to.m->vcpus[0], &back);
	for (unsigned i = 0; i < ARRAY_SIZE(regs); i++)
		if (ldn_le(back.regs + regs[i].offset, 4) != regs[i].value)
			fail_msg("local APIC, register %03x: %08x, not %08x", regs[i].offset,
				 (uint32_t)ldn_le(back.regs + regs[i].offset, 4), regs[i].value);
	assert_true(from.m->accel->set_lapic(from.m->vcpus[0], &back, &err));
	pc_free(&from);
	pc_free(&to);
}

int main(void)
{
#define ON(fn, accel)                                        \
	{                                                    \
#fn " " accel, fn, NULL, NULL, (void *)accel \
	}
#define ON_ALL(fn)                                                         \
	ON(fn, "soft"), ON(fn, "kvm"), ON(fn, "kvm,kernel-irqchip=split"), \
		ON(fn, "kvm,kernel-irqchip=off")
	const struct CMUnitTest tests[] = {
		ON_ALL(what_one_saved_the_other_loads), ON_ALL(info_pic_shows_the_same),
		ON_ALL(a_reset_is_that_of_the_models),	ON_ALL(what_cannot_be_is_refused),
		ON_ALL(local_apics_move_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
