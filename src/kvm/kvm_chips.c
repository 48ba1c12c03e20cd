/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of the kernel's 8259s, IOAPIC and 8254 (KVM_GET_IRQCHIP, KVM_GET_PIT2) in the form of src/irqchip.h.
 *
 * What the kernel's don't hold: ICW3 and single mode of the 8259s; of the 8254 what waits for the end of a cycle, null counts, a GATE2
 * that holds its counter, the NMI masks of port 61h. A counter that is set begins its count anew, and BCD counts as binary does.
 * An edge that the IOAPIC has sent is not shown as a line that is up, and one that is up when it is set is taken for sent. The kernel's 8254 and cascade are no lines
 * that are up or down: they pulse. One that were up would swallow the next pulse, and the 8254 wait for its acknowledgement for ever.
 */
#include <errno.h>
#include <stdlib.h>
#include "src/irqchip.h"
#include "src/kvm/kvm.h"

/* Where a 16-bit access is: struct kvm_pit_channel_state's read_state, write_state and count_latched. */
enum { RW_STATE_LSB = 1, RW_STATE_MSB, RW_STATE_WORD0, RW_STATE_WORD1 };

#define PIT_MODE_UNSET 0xff /* after KVM_CREATE_PIT2 */
#define NMISC_GATE2    0x01
#define NMISC_SPEAKER  0x02
#define PIT_SPEAKER_ON 2u /* KVM_PIT_FLAGS_SPEAKER_DATA_ON, of newer headers */
#define PIC_TIMER      0
#define PIC_CASCADE    2
#define IOAPIC_TIMER   2
#define IOAPIC_ID_MASK 0x0f

/* The vCPUs are parked, and the kernel has what it has made: no reason to refuse. */
static void get_chip(struct kvm *kvm, unsigned id, struct kvm_irqchip *chip)
{
	memset(chip, 0, sizeof(*chip));
	chip->chip_id = id;
	if (!ioctl(kvm->vm, KVM_GET_IRQCHIP, chip))
		return;
	report_error("KVM does not show its interrupt controllers: %s", strerror(errno));
	abort();
}

/* ---- 8259 ---- */

static void pic_out(const struct kvm_pic_state *k, unsigned i, struct chip_pic *p)
{
	uint8_t cascade = i ? 0 : BIT(PIC_CASCADE);

	*p = (struct chip_pic){
		.irr = k->irr,
		.imr = k->imr,
		.isr = k->isr,
		.lines = (uint8_t)((k->last_irr & ~cascade) | (k->irr & cascade)),
		.elcr = k->elcr,
		.lowest = (k->priority_add + 7) & 7,
		.vector_base = k->irq_base & 0xf8,
		.init_step = k->init_state & 3,
		.init_has_icw4 = k->init4 != 0,
		.auto_eoi = k->auto_eoi != 0,
		.rotate_on_auto_eoi = k->rotate_on_auto_eoi != 0,
		.special_fully_nested = k->special_fully_nested_mode != 0,
		.special_mask = k->special_mask != 0,
		.read_isr = k->read_reg_select != 0,
		.poll = k->poll != 0,
	};
}

/* Which bits of ELCR are fixed the kernel has in the same struct. */
static void pic_in(const struct chip_pic *p, unsigned i, struct kvm_pic_state *k)
{
	uint8_t pulses = i ? 0 : BIT(PIC_TIMER) | BIT(PIC_CASCADE);

	*k = (struct kvm_pic_state){
		.irr = p->irr,
		.imr = p->imr,
		.isr = p->isr,
		.last_irr = (uint8_t)(p->lines & ~pulses),
		.elcr = p->elcr,
		.elcr_mask = k->elcr_mask,
		.priority_add = (p->lowest + 1) & 7,
		.irq_base = p->vector_base,
		.init_state = p->init_step,
		.init4 = p->init_has_icw4,
		.auto_eoi = p->auto_eoi,
		.rotate_on_auto_eoi = p->rotate_on_auto_eoi,
		.special_fully_nested_mode = p->special_fully_nested,
		.special_mask = p->special_mask,
		.read_reg_select = p->read_isr,
		.poll = p->poll,
	};
}

/* ---- IOAPIC ---- */

static void ioapic_out(const struct kvm_ioapic_state *k, struct chip_ioapic *c)
{
	_Static_assert(KVM_IOAPIC_NUM_PINS == CHIP_IOAPIC_PINS, "pins");
	*c = (struct chip_ioapic){
		.lines = k->irr, .ioregsel = (uint8_t)k->ioregsel, .id = k->id & IOAPIC_ID_MASK};
	for (unsigned pin = 0; pin < CHIP_IOAPIC_PINS; pin++)
		c->redir[pin] = k->redirtbl[pin].bits;
}

static void ioapic_in(const struct chip_ioapic *c, struct kvm_ioapic_state *k)
{
	k->irr = 0;
	k->ioregsel = c->ioregsel;
	k->id = c->id;
	for (unsigned pin = 0; pin < CHIP_IOAPIC_PINS; pin++)
		k->redirtbl[pin].bits = c->redir[pin];
	/* The kernel serves what is up, and sends when a masked pin with an edge is unmasked. */
	for (unsigned pin = 0; pin < CHIP_IOAPIC_PINS; pin++)
		if (pin != IOAPIC_TIMER && (c->redir[pin] & (REDIR_LEVEL | REDIR_MASK)))
			k->irr |= c->lines & BIT(pin);
}

/* ---- 8254 ---- */

/* The host's time is AT when the guest's is NOW. */
static void counter_out(const struct kvm_pit_channel_state *k, int64_t at, int64_t now,
			struct chip_counter *c)
{
	int64_t age = at - k->count_load_time;

	*c = (struct chip_counter){
		.start_ns = age < 0 ? now : MAX(now - age, 0),
		.latched = k->latched_count,
		.status = k->status,
		.mode = k->mode == PIT_MODE_UNSET ? 3 : k->mode % 6,
		.bcd = k->bcd != 0,
		.rw = k->rw_mode & 3 ? k->rw_mode & 3 : PIT_RW_BOTH,
		.lsb_written = k->write_state == RW_STATE_WORD1,
		.write_lsb = k->write_latch,
		.read_msb = k->read_state == RW_STATE_WORD1,
		.latch_bytes = !k->count_latched		    ? 0
			       : k->count_latched == RW_STATE_WORD0 ? 2
								    : 1,
		.status_latched = k->status_latched != 0,
		.running = true,
		.gate = k->gate != 0,
	};
	c->count = chip_counter_decode(c, (uint16_t)k->count);
}

static uint8_t latch_state(const struct chip_counter *c)
{
	if (!c->latch_bytes)
		return 0;
	if (c->rw != PIT_RW_BOTH)
		return c->rw;
	return c->latch_bytes == 2 ? RW_STATE_WORD0 : RW_STATE_MSB;
}

static uint8_t byte_state(const struct chip_counter *c, bool second)
{
	if (c->rw != PIT_RW_BOTH)
		return c->rw;
	return second ? RW_STATE_WORD1 : RW_STATE_WORD0;
}

static void counter_in(const struct chip_counter *c, int64_t at, int64_t now,
		       struct kvm_pit_channel_state *k)
{
	*k = (struct kvm_pit_channel_state){
		.count = chip_counter_encode(c, c->next_count ? c->next_count : c->count),
		.latched_count = c->latched,
		.count_latched = latch_state(c),
		.status_latched = c->status_latched,
		.status = c->status,
		.read_state = byte_state(c, c->read_msb),
		.write_state = byte_state(c, c->lsb_written),
		.write_latch = c->write_lsb,
		.rw_mode = c->rw,
		.mode = c->mode,
		.bcd = c->bcd,
		.gate = c->gate,
		.count_load_time = at - (now - c->start_ns),
	};
	if (!k->count)
		k->count = 0x10000;
}

static void pit_get(struct kvm *kvm, struct kvm_pit_state2 *pit, int64_t *at)
{
	*at = kvm->has_paused_pit ? kvm->paused_pit_ns
				  : clock_now_ns(loop_clock_host(kvm->m->loop));
	if (kvm->has_paused_pit) {
		*pit = kvm->paused_pit;
		return;
	}
	memset(pit, 0, sizeof(*pit));
	if (!ioctl(kvm->vm, KVM_GET_PIT2, pit))
		return;
	report_error("KVM does not show its 8254 timer: %s", strerror(errno));
	abort();
}

static void pit_out(struct kvm *kvm, struct irqchips *chips)
{
	int64_t at, now = clock_now_ns(kvm->m->clock);
	struct kvm_pit_state2 pit;

	pit_get(kvm, &pit, &at);
	for (unsigned i = 0; i < CHIP_PIT_COUNTERS; i++)
		counter_out(&pit.channels[i], at, now, &chips->counter[i]);
	/* Its load time the kernel doesn't keep, but a timer. */
	chips->counter[0].start_ns = now;
	chips->counter[0].gate = chips->counter[1].gate = true;
	chips->nmisc = (chips->counter[2].gate ? NMISC_GATE2 : 0) |
		       (pit.flags & PIT_SPEAKER_ON ? NMISC_SPEAKER : 0);
}

/* Whether the HPET has its interrupt stays as it is: the HPET says so by itself. */
static bool pit_in(struct kvm *kvm, const struct irqchips *chips, struct error *err)
{
	int64_t at, now = clock_now_ns(kvm->m->clock);
	struct kvm_pit_state2 pit;

	pit_get(kvm, &pit, &at);
	for (unsigned i = 0; i < CHIP_PIT_COUNTERS; i++)
		counter_in(&chips->counter[i], at, now, &pit.channels[i]);
	pit.flags = (pit.flags & KVM_PIT_FLAGS_HPET_LEGACY) |
		    (chips->nmisc & NMISC_SPEAKER ? PIT_SPEAKER_ON : 0);
	if (kvm->has_paused_pit)
		kvm->paused_pit = pit;
	return !ioctl(kvm->vm, KVM_SET_PIT2, &pit) ||
	       error_set_errno(err, errno, "KVM refuses the state of its 8254 timer");
}

/* ---- all of them ---- */

void kvm_get_chips(struct machine *m, unsigned which, struct irqchips *chips)
{
	struct kvm *kvm = kvm_of(m);
	struct kvm_irqchip chip;

	for (unsigned i = 0; (which & CHIP_PIC) && i < 2; i++) {
		get_chip(kvm, i ? KVM_IRQCHIP_PIC_SLAVE : KVM_IRQCHIP_PIC_MASTER, &chip);
		pic_out(&chip.chip.pic, i, &chips->pic[i]);
	}
	if (which & CHIP_IOAPIC) {
		get_chip(kvm, KVM_IRQCHIP_IOAPIC, &chip);
		ioapic_out(&chip.chip.ioapic, &chips->ioapic);
	}
	if (which & CHIP_PIT)
		pit_out(kvm, chips);
}

static bool set_chip(struct kvm *kvm, struct kvm_irqchip *chip, struct error *err)
{
	return !ioctl(kvm->vm, KVM_SET_IRQCHIP, chip) ||
	       error_set_errno(err, errno, "KVM refuses the state of an interrupt controller");
}

bool kvm_set_chips(struct machine *m, unsigned which, const struct irqchips *chips,
		   struct error *err)
{
	struct kvm *kvm = kvm_of(m);
	struct kvm_irqchip chip;

	for (unsigned i = 0; (which & CHIP_PIC) && i < 2; i++) {
		get_chip(kvm, i ? KVM_IRQCHIP_PIC_SLAVE : KVM_IRQCHIP_PIC_MASTER, &chip);
		pic_in(&chips->pic[i], i, &chip.chip.pic);
		if (!set_chip(kvm, &chip, err))
			return false;
	}
	if (which & CHIP_IOAPIC) {
		get_chip(kvm, KVM_IRQCHIP_IOAPIC, &chip);
		ioapic_in(&chips->ioapic, &chip.chip.ioapic);
		if (!set_chip(kvm, &chip, err))
			return false;
	}
	return !(which & CHIP_PIT) || pit_in(kvm, chips, err);
}
