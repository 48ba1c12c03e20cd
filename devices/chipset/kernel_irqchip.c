/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 8259s, IOAPIC and 8254 that are the accelerator's (kernel-irqchip=on), as devices of the board: `info qtree`, `info pic`, `info irq`,
 * reset and save tables. The registers are where the guest reaches them, in the kernel, and are fetched when somebody wants to see them.
 *
 * The tables are those of i8259.c, ioapic.c and i8254.c, so that what one has saved the other loads.
 *
 * Not modelled: see those files; what the kernel's chips don't hold (struct irqchips, src/kvm/kvm_chips.c) is 0.
 * Deviates because: interrupts that the kernel raises by itself (its 8254, irqfds) are not counted in `info irq`.
 */
#include "devices/chipset/chipset.h"
#include "src/irqchip.h"

#define PIC_INPUTS     16
#define IOAPIC_VERSION 0x11 /* the kernel's */

static bool has_chips(struct device *dev, struct error *err)
{
	const struct accel_ops *accel = dev->machine->accel;

	if (accel->get_chips && accel->irqchip && accel->irqchip(dev->machine) == IRQCHIP_KERNEL)
		return true;
	return error_set(err, "%s: the accelerator has no interrupt controllers of its own",
			 dev->type->name);
}

static void fetch(const struct device *dev, unsigned which, struct irqchips *chips)
{
	memset(chips, 0, sizeof(*chips));
	dev->machine->accel->get_chips(dev->machine, which, chips);
}

static bool put(const struct device *dev, unsigned which, const struct irqchips *chips,
		struct error *err)
{
	return dev->machine->accel->set_chips(dev->machine, which, chips, err);
}

/* Registers that were right when they were set before. */
static void put_reset(const struct device *dev, unsigned which, const struct irqchips *chips)
{
	struct error err = ERROR_INIT;

	if (put(dev, which, chips, &err))
		return;
	report_error("%s: cannot be reset: %s", dev->type->name, err.msg);
	error_clear(&err);
}

static void no_unrealize(struct device *dev)
{
}

static const struct device_prop no_props[] = {
	DEFINE_PROP_END,
};

/* ---- 8259 ---- */

struct kernel_i8259 {
	struct device dev;

	/* guest-visible; as it was when it was saved */
	GUEST_VISIBLE_BEGIN;
	struct chip_pic pic[2];
	GUEST_VISIBLE_END;

	/* host side */
	uint16_t lines;
	uint64_t raised[PIC_INPUTS];
};

static void pic_pre_save(void *opaque)
{
	struct kernel_i8259 *s = opaque;
	struct irqchips chips;

	fetch(&s->dev, CHIP_PIC, &chips);
	memcpy(s->pic, chips.pic, sizeof(s->pic));
}

static bool pic_post_load(void *opaque, struct error *err)
{
	struct kernel_i8259 *s = opaque;
	struct irqchips chips = {.nmisc = 0};

	if (!chip_pics_check(s->pic, s->dev.type->name, err))
		return false;
	memcpy(chips.pic, s->pic, sizeof(s->pic));
	return put(&s->dev, CHIP_PIC, &chips, err);
}

static void pic_reset(struct device *dev)
{
	struct irqchips chips;

	fetch(dev, CHIP_PIC, &chips);
	chip_pics_reset(chips.pic);
	put_reset(dev, CHIP_PIC, &chips);
}

static const struct state_desc pic_state = {
	.name = "i8259",
	.version = 1,
	STATE_SPAN(kernel_i8259),
	.pre_save = pic_pre_save,
	.post_load = pic_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT_ARRAY(kernel_i8259, pic, chip_pic_state),
			STATE_END,
		},
};

static void pic_print(const struct device *dev, FILE *out)
{
	struct irqchips chips;

	fetch(dev, CHIP_PIC, &chips);
	chip_pics_print(chips.pic, out);
}

void kernel_i8259_note_irq(struct device *dev, unsigned n, bool level)
{
	struct kernel_i8259 *s = container_of(dev, struct kernel_i8259, dev);

	s->raised[n] += level && !(s->lines >> n & 1);
	s->lines = (uint16_t)(level ? s->lines | BIT(n) : s->lines & ~BIT(n));
}

static const uint64_t *pic_counts(const struct device *dev, unsigned *n)
{
	*n = PIC_INPUTS;
	return container_of(dev, struct kernel_i8259, dev)->raised;
}

const struct device_type kernel_i8259_type = {
	.name = "kvm-i8259",
	.desc = "8259A interrupt controllers in the kernel",
	.bus = BUS_ISA,
	.size = sizeof(struct kernel_i8259),
	.props = no_props,
	.state = &pic_state,
	.realize = has_chips,
	.reset = pic_reset,
	.unrealize = no_unrealize,
	.print_pic = pic_print,
	.irq_counts = pic_counts,
};

/* ---- IOAPIC ---- */

struct kernel_ioapic {
	struct device dev;

	/* guest-visible; as it was when it was saved */
	GUEST_VISIBLE_BEGIN;
	struct chip_ioapic regs;
	GUEST_VISIBLE_END;

	/* host side */
	uint32_t lines;
	uint64_t raised[CHIP_IOAPIC_PINS];
};

static void ioapic_pre_save(void *opaque)
{
	struct kernel_ioapic *s = opaque;
	struct irqchips chips;

	fetch(&s->dev, CHIP_IOAPIC, &chips);
	s->regs = chips.ioapic;
	s->regs.lines |= s->lines; /* the kernel forgets those whose edge it has sent */
}

static bool ioapic_post_load(void *opaque, struct error *err)
{
	struct kernel_ioapic *s = opaque;
	struct irqchips chips = {.nmisc = 0};

	chip_ioapic_mend(&s->regs);
	chips.ioapic = s->regs;
	return put(&s->dev, CHIP_IOAPIC, &chips, err);
}

static void ioapic_reset(struct device *dev)
{
	struct irqchips chips;

	fetch(dev, CHIP_IOAPIC, &chips);
	chip_ioapic_reset(&chips.ioapic);
	put_reset(dev, CHIP_IOAPIC, &chips);
}

static const struct state_desc ioapic_state = {
	.name = "ioapic",
	.version = 1,
	STATE_SPAN(kernel_ioapic),
	.pre_save = ioapic_pre_save,
	.post_load = ioapic_post_load,
	.fields =
		(const struct state_field[]){
			STATE_ARRAY(kernel_ioapic, regs.redir),
			STATE_FIELD(kernel_ioapic, regs.lines),
			STATE_FIELD(kernel_ioapic, regs.ioregsel),
			STATE_FIELD(kernel_ioapic, regs.id),
			STATE_DERIVED(kernel_ioapic, regs.unused),
			STATE_END,
		},
};

static void ioapic_print(const struct device *dev, FILE *out)
{
	struct irqchips chips;

	fetch(dev, CHIP_IOAPIC, &chips);
	chips.ioapic.lines |= container_of(dev, struct kernel_ioapic, dev)->lines;
	chip_ioapic_print(&chips.ioapic, IOAPIC_VERSION, out);
}

void kernel_ioapic_note_irq(struct device *dev, unsigned pin, bool level)
{
	struct kernel_ioapic *s = container_of(dev, struct kernel_ioapic, dev);

	s->raised[pin] += level && !(s->lines >> pin & 1);
	s->lines = level ? s->lines | BIT(pin) : s->lines & ~BIT(pin);
}

static const uint64_t *ioapic_counts(const struct device *dev, unsigned *n)
{
	*n = CHIP_IOAPIC_PINS;
	return container_of(dev, struct kernel_ioapic, dev)->raised;
}

const struct device_type kernel_ioapic_type = {
	.name = "kvm-ioapic",
	.desc = "82093AA I/O APIC in the kernel",
	.bus = BUS_SYSTEM,
	.size = sizeof(struct kernel_ioapic),
	.props = no_props,
	.state = &ioapic_state,
	.realize = has_chips,
	.reset = ioapic_reset,
	.unrealize = no_unrealize,
	.print_pic = ioapic_print,
	.irq_counts = ioapic_counts,
};

/* ---- 8254 ---- */

struct kernel_pit {
	struct device dev;

	/* configuration */
	char *lost_tick_policy;

	/* guest-visible; as it was when it was saved */
	GUEST_VISIBLE_BEGIN;
	struct chip_counter counter[CHIP_PIT_COUNTERS];
	uint8_t nmisc; /* the writable bits */
	GUEST_VISIBLE_END;
};

static void pit_pre_save(void *opaque)
{
	struct kernel_pit *s = opaque;
	struct irqchips chips;

	fetch(&s->dev, CHIP_PIT, &chips);
	memcpy(s->counter, chips.counter, sizeof(s->counter));
	s->nmisc = chips.nmisc;
}

static bool pit_post_load(void *opaque, struct error *err)
{
	struct kernel_pit *s = opaque;
	struct irqchips chips = {.nmisc = s->nmisc};

	if (!chip_counters_check(s->counter, clock_now_ns(s->dev.machine->clock), s->dev.type->name,
				 err))
		return false;
	memcpy(chips.counter, s->counter, sizeof(s->counter));
	return put(&s->dev, CHIP_PIT, &chips, err);
}

static void pit_reset(struct device *dev)
{
	struct irqchips chips = {.nmisc = 0};

	chip_counters_reset(chips.counter, clock_now_ns(dev->machine->clock));
	put_reset(dev, CHIP_PIT, &chips);
}

static const struct state_desc pit_state = {
	.name = "i8254",
	.version = 1,
	STATE_SPAN(kernel_pit),
	.pre_save = pit_pre_save,
	.post_load = pit_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT_ARRAY(kernel_pit, counter, chip_counter_state),
			STATE_FIELD(kernel_pit, nmisc),
			STATE_END,
		},
};

static const struct device_prop pit_props[] = {
	DEFINE_PROP_STR(kernel_pit, lost_tick_policy, "lost_tick_policy", "delay",
			"ticks that came too late: delay (they follow) or discard"),
	DEFINE_PROP_END,
};

static bool pit_realize(struct device *dev, struct error *err)
{
	struct kernel_pit *s = container_of(dev, struct kernel_pit, dev);
	bool delay = !strcmp(s->lost_tick_policy, "delay");

	if (!delay && strcmp(s->lost_tick_policy, "discard"))
		return error_set(err, "lost_tick_policy is 'delay' or 'discard', not '%s'",
				 s->lost_tick_policy);
	return has_chips(dev, err) && dev->machine->accel->pit_reinject(dev->machine, delay, err);
}

const struct device_type kernel_pit_type = {
	.name = "kvm-pit",
	.desc = "8254 interval timer and port 61h in the kernel",
	.bus = BUS_ISA,
	.size = sizeof(struct kernel_pit),
	.props = pit_props,
	.state = &pit_state,
	.realize = pit_realize,
	.reset = pit_reset,
	.unrealize = no_unrealize,
};
