/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The I/O APIC: 24 interrupt inputs, each with an entry that says which message it sends to the
 * local APICs.
 *
 * Intel 82093AA data sheet (290566-001) section 3.2; the EOI register and version 20h as in 82801
 * (ICH) data sheets; SDM volume 3A section 11.8.5 for the EOI broadcast, 11.11 for the form of the
 * messages.
 *
 *	offset	name		width	access	reset		section
 *	00	IOREGSEL	32	RW	00		290566 3.1.1
 *	10	IOWIN		32	RW	-		290566 3.1.2
 *	40	EOI		32	W	-		ICH; from version 20h
 *
 *	index	name		width	access	reset		section
 *	00	IOAPICID	32	RW	id << 24	290566 3.2.1; bits 27-24
 *	01	IOAPICVER	32	R	00170020	290566 3.2.2
 *	02	IOAPICARB	32	R	id << 24	290566 3.2.3
 *	10-3f	IOREDTBL	64	RW	0000000000010000	290566 3.2.4; low half first
 *
 * Not modelled: the serial APIC bus and its arbitration (ARB follows ID); the delivery status bit,
 * because a message is delivered at once; INTPOL, because a line here is asserted or not, whatever
 * its polarity on a board.
 * Deviates because: writing an entry as edge-triggered clears its remote IRR. Linux acknowledges
 * level interrupts in this way on chips without an EOI register.
 */
#include <stdio.h>
#include "devices/chipset/chipset.h"
#include "src/irqchip.h"
#include "src/irqfd.h"
#include "src/log.h"

#define IOAPIC_BASE    0xfec00000
#define IOAPIC_BYTES   0x1000
#define IOAPIC_PINS    CHIP_IOAPIC_PINS
#define IOAPIC_VERSION 0x20
#define IOAPIC_HAS_EOI 0x20 /* version from which there is an EOI register */

#define IOREGSEL 0x00
#define IOWIN	 0x10
#define IOEOI	 0x40

#define IOAPICID       0x00
#define IOAPICVER      0x01
#define IOAPICARB      0x02
#define IOREDTBL       0x10
#define IOREDTBL_LAST  (IOREDTBL + 2 * IOAPIC_PINS - 1)
#define IOAPICID_SHIFT 24
#define IOAPICVER_MRE  ((IOAPIC_PINS - 1) << 16)

/* IOREDTBL */
#define REDIR_READ_ONLY (REDIR_DELIVS | REDIR_REMOTE_IRR)

#define DELMOD_FIXED  0
#define DELMOD_LOWEST 1

/* SDM 11.11.1, 11.11.2 */
#define MSI_ADDRESS	  0xfee00000
#define MSI_DEST_SHIFT	  12
#define MSI_DEST_LOGICAL  0x4
#define MSI_DELMOD_SHIFT  8
#define MSI_LEVEL_ASSERT  0x4000
#define MSI_TRIGGER_LEVEL 0x8000

struct ioapic {
	struct device dev;

	/* configuration */
	struct region mmio;
	uint8_t version;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	struct chip_ioapic regs;
	GUEST_VISIBLE_END;

	/* host side */
	uint64_t raised[IOAPIC_PINS];
};

/* The message that an entry stands for. */
static uint64_t entry_addr(uint64_t entry)
{
	return MSI_ADDRESS | (entry >> REDIR_DEST_SHIFT) << MSI_DEST_SHIFT |
	       (entry & REDIR_DESTMOD ? MSI_DEST_LOGICAL : 0);
}

static unsigned entry_delmod(uint64_t entry)
{
	return entry >> REDIR_DELMOD_SHIFT & REDIR_DELMOD;
}

/* NMI, SMI, INIT and ExtINT are always edges; only what has an EOI waits for one. */
static bool entry_wants_eoi(uint64_t entry)
{
	unsigned delmod = entry_delmod(entry);

	return (entry & REDIR_LEVEL) && (delmod == DELMOD_FIXED || delmod == DELMOD_LOWEST);
}

static uint32_t entry_data(uint64_t entry)
{
	return (uint32_t)(entry & REDIR_VECTOR) | entry_delmod(entry) << MSI_DELMOD_SHIFT |
	       MSI_LEVEL_ASSERT | (entry_wants_eoi(entry) ? MSI_TRIGGER_LEVEL : 0);
}

/* For an accelerator with the local APICs, but not this chip, in the kernel. */
static void ioapic_route(struct ioapic *s, unsigned pin)
{
	struct machine *m = s->dev.machine;
	uint64_t entry = s->regs.redir[pin];

	if (m->accel && m->accel->ioapic_route)
		m->accel->ioapic_route(m, pin, entry_addr(entry), entry_data(entry),
				       entry & REDIR_MASK);
}

static void ioapic_deliver(struct ioapic *s, unsigned pin)
{
	uint64_t entry = s->regs.redir[pin];
	struct machine *m = s->dev.machine;

	if (entry_wants_eoi(entry))
		s->regs.redir[pin] |= REDIR_REMOTE_IRR;
	if (log_enabled(LOG_INT))
		log_printf(LOG_INT, "ioapic: pin %u sends vector %02x mode %u to %02x\n", pin,
			   (unsigned)(entry & REDIR_VECTOR), entry_delmod(entry),
			   (unsigned)(entry >> REDIR_DEST_SHIFT));
	m->accel->msi_send(m, entry_addr(entry), entry_data(entry));
}

/* A level input sends while it is up, unless a message of its is still to be acknowledged. */
static void ioapic_service_level(struct ioapic *s, unsigned pin)
{
	uint64_t entry = s->regs.redir[pin];

	if ((entry & REDIR_LEVEL) && !(entry & (REDIR_MASK | REDIR_REMOTE_IRR)) &&
	    (s->regs.lines & BIT(pin)))
		ioapic_deliver(s, pin);
}

/* An edge on a masked input is not held pending (290566 3.2.4, bit 16). */
void ioapic_set_irq(void *opaque, unsigned pin, bool level)
{
	struct ioapic *s = opaque;
	bool rising = level && !(s->regs.lines & BIT(pin));

	device_irq_input(&s->dev, pin, level);
	s->raised[pin] += rising;
	s->regs.lines = level ? s->regs.lines | BIT(pin) : s->regs.lines & ~BIT(pin);
	if (s->regs.redir[pin] & REDIR_LEVEL)
		ioapic_service_level(s, pin);
	else if (rising && !(s->regs.redir[pin] & REDIR_MASK))
		ioapic_deliver(s, pin);
}

void ioapic_eoi(void *opaque, uint8_t vector)
{
	struct ioapic *s = opaque;

	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t *entry = &s->regs.redir[pin];

		if (!(*entry & REDIR_REMOTE_IRR) || (*entry & REDIR_VECTOR) != vector)
			continue;
		*entry &= ~REDIR_REMOTE_IRR;
		irqfds_eoi(s->dev.machine, pin);
		ioapic_service_level(s, pin);
	}
}

static uint32_t ioapic_read_window(const struct ioapic *s)
{
	switch (s->regs.ioregsel) {
	case IOAPICID:
	case IOAPICARB:
		return (uint32_t)s->regs.id << IOAPICID_SHIFT;
	case IOAPICVER:
		return s->version | IOAPICVER_MRE;
	case IOREDTBL ... IOREDTBL_LAST:
		return s->regs.redir[(s->regs.ioregsel - IOREDTBL) / 2] >>
		       (s->regs.ioregsel & 1 ? 32 : 0);
	default:
		return 0;
	}
}

static uint64_t ioapic_read(void *opaque, uint64_t offset, unsigned size)
{
	struct ioapic *s = opaque;

	switch (ALIGN_DOWN(offset, 4)) {
	case IOREGSEL:
		return (uint64_t)s->regs.ioregsel >> (offset & 3) * 8;
	case IOWIN:
		return (uint64_t)ioapic_read_window(s) >> (offset & 3) * 8;
	default:
		return 0;
	}
}

static void ioapic_write_redir(struct ioapic *s, unsigned pin, unsigned shift, uint32_t value)
{
	uint64_t half = 0xffffffffull << shift;
	uint64_t keep = ~half | REDIR_READ_ONLY;
	uint64_t entry =
		(s->regs.redir[pin] & keep) | ((uint64_t)value << shift & ~keep & ~REDIR_RESERVED);

	if (!(entry & REDIR_LEVEL))
		entry &= ~REDIR_REMOTE_IRR;
	s->regs.redir[pin] = entry;
	ioapic_route(s, pin);
	ioapic_service_level(s, pin);
}

static void ioapic_write_window(struct ioapic *s, uint32_t value)
{
	switch (s->regs.ioregsel) {
	case IOAPICID:
		s->regs.id = value >> IOAPICID_SHIFT & IOAPICID_MASK;
		break;
	case IOREDTBL ... IOREDTBL_LAST:
		ioapic_write_redir(s, (s->regs.ioregsel - IOREDTBL) / 2,
				   s->regs.ioregsel & 1 ? 32 : 0, value);
		break;
	case IOAPICVER:
	case IOAPICARB:
		break;
	default:
		guest_error(&s->dev, "write to index 0x%02x, where there is no register",
			    s->regs.ioregsel);
		break;
	}
}

/*
 * The registers take doublewords (290566 3.1); of the selector, whose upper bytes are reserved, a
 * byte will do.
 */
static void ioapic_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct ioapic *s = opaque;

	if (size != 4 && offset != IOREGSEL) {
		guest_error(&s->dev, "write of %u bytes at 0x%llx", size,
			    (unsigned long long)offset);
		return;
	}
	switch (offset) {
	case IOREGSEL:
		s->regs.ioregsel = value;
		break;
	case IOWIN:
		ioapic_write_window(s, value);
		break;
	case IOEOI:
		if (s->version >= IOAPIC_HAS_EOI)
			ioapic_eoi(s, value);
		break;
	default:
		break;
	}
}

static const struct region_ops ioapic_ops = {
	.read = ioapic_read, .write = ioapic_write, .min_size = 1, .max_size = 4};

static void ioapic_reset(struct device *dev)
{
	chip_ioapic_reset(&container_of(dev, struct ioapic, dev)->regs);
}

/* A device's post_load raises its line again; LINES says that the edge is an old one. */
static bool ioapic_post_load(void *opaque, struct error *err)
{
	struct ioapic *s = opaque;

	chip_ioapic_mend(&s->regs);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic_route(s, pin);
	return true;
}

static const struct state_desc ioapic_state = {
	.name = "ioapic",
	.version = 1,
	STATE_SPAN(ioapic),
	.post_load = ioapic_post_load,
	.fields =
		(const struct state_field[]){
			STATE_ARRAY(ioapic, regs.redir),
			STATE_FIELD(ioapic, regs.lines),
			STATE_FIELD(ioapic, regs.ioregsel),
			STATE_FIELD(ioapic, regs.id),
			STATE_DERIVED(ioapic, regs.unused),
			STATE_END,
		},
};

static const struct device_prop ioapic_props[] = {
	DEFINE_PROP(ioapic, version, "version", PROP_U8, IOAPIC_VERSION,
		    "0x11: 82093AA; 0x20: with the EOI register"),
	DEFINE_PROP_END,
};

static bool ioapic_realize(struct device *dev, struct error *err)
{
	struct ioapic *s = container_of(dev, struct ioapic, dev);

	if (s->version != 0x11 && s->version != IOAPIC_HAS_EOI)
		return error_set(err, "ioapic: version 0x%02x is not 0x11 or 0x20", s->version);
	region_init_io(&s->mmio, "ioapic", &ioapic_ops, s, IOAPIC_BYTES);
	region_add(&dev->machine->mem.root, IOAPIC_BASE, &s->mmio, 0);
	return true;
}

static void ioapic_unrealize(struct device *dev)
{
	struct ioapic *s = container_of(dev, struct ioapic, dev);

	region_remove(&s->mmio);
}

/* Monitor */

static void ioapic_print(const struct device *dev, FILE *out)
{
	const struct ioapic *s = container_of(dev, struct ioapic, dev);

	chip_ioapic_print(&s->regs, s->version, out);
}

static const uint64_t *ioapic_counts(const struct device *dev, unsigned *n)
{
	*n = IOAPIC_PINS;
	return container_of(dev, struct ioapic, dev)->raised;
}

const struct device_type ioapic_type = {
	.name = "ioapic",
	.desc = "82093AA I/O APIC",
	.bus = BUS_SYSTEM,
	.size = sizeof(struct ioapic),
	.props = ioapic_props,
	.state = &ioapic_state,
	.realize = ioapic_realize,
	.reset = ioapic_reset,
	.unrealize = ioapic_unrealize,
	.print_pic = ioapic_print,
	.irq_counts = ioapic_counts,
};
