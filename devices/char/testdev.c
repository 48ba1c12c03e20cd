/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Test device: plain storage behind ports and memory, and interrupt lines to pull, as
 * kvm-unit-tests uses them.
 *
 * As QEMU's pc-testdev has it.
 *
 *	port	name	width	access	reset		section
 *	0e0	DATA	8-32	RW	00000000	storage of four bytes, any width
 *	0e4	FLUSH	32	W	-		of a page whose mapping the host may drop
 *	0e8	BYTES	8	RW	-		DATA again, always byte by byte
 *	0ec	WRITTEN	32	R	0000ffff	pages of LOGGED written since this was read
 *	2000	IRQ	8-32	W	-		one for each GSI: is its line up?
 *	2040	FDGSI	32	RW	ffffffff	GSI that EVENTS drives by an irqfd; ffffffff: none
 *	2044	EVENTS	32	RW	00000000	to be served: while there are some, an interrupt, and again after each EOI
 *	2048	FDADDR	32	RW	00000000	address of the message that FDSEND sends by an irqfd
 *	204c	FDDATA	32	RW	00000000	its data
 *	2050	FDSEND	32	W	-		sends it
 *
 *	memory	 name	width	access	reset		section
 *	ff000000 MEM	8-64	RW	0		64 KiB of storage that traps
 *	ff020000 LOGGED	-	RW	0		16 pages of RAM with a dirty log
 *
 * Not modelled: FLUSH does nothing, since nothing here keeps host mappings of single pages.
 * Deviates because: QEMU's has neither LOGGED nor WRITTEN, nor what is at 2040 to 2050; they are for tests of accelerators. What is in LOGGED is not saved.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "devices/char/serial.h"
#include "devices/isa.h"
#include "src/dirty_log.h"
#include "src/irqfd.h"

#define TESTDEV_DATA	   0xe0
#define TESTDEV_FLUSH	   0xe4
#define TESTDEV_BYTES	   0xe8
#define TESTDEV_WRITTEN	   0xec
#define TESTDEV_IRQ	   0x2000
#define TESTDEV_IRQFD	   0x2040
#define TESTDEV_MEM	   0xff000000
#define TESTDEV_LOGGED	   0xff020000
#define TESTDEV_DATA_BYTES 4
#define TESTDEV_MEM_BYTES  (64 * KiB)
#define TESTDEV_LOG_PAGES  16
#define TESTDEV_LOG_BYTES  (TESTDEV_LOG_PAGES * DIRTY_PAGE)

enum { FD_GSI, FD_EVENTS, FD_ADDR, FD_DATA, FD_SEND, FD_REGS };
#define FD_SAVED  FD_SEND /* those before are */
#define FD_NO_GSI UINT32_MAX

struct testdev {
	struct device dev;

	/* configuration */
	struct region data_ports, flush_port, byte_ports, written_port, irq_ports, irqfd_ports,
		mmio, logged;
	struct dirty_log *log; /* NULL: the machine has too many */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t data[TESTDEV_DATA_BYTES];
	uint32_t fd[FD_SAVED];
	bool levels[MACHINE_GSIS];
	uint8_t mem[TESTDEV_MEM_BYTES];
	GUEST_VISIBLE_END;

	/* host side */
	uint8_t *logged_ram;
	bool has_level, has_msi; /* of these two */
	struct irqfd level, msi;
};

static struct testdev *testdev_of(struct device *dev)
{
	return container_of(dev, struct testdev, dev);
}

static uint64_t data_read(void *opaque, uint64_t offset, unsigned size)
{
	struct testdev *s = opaque;

	return ldn_le(&s->data[offset], size);
}

static void data_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct testdev *s = opaque;

	stn_le(&s->data[offset], size, value);
}

_Static_assert(TESTDEV_LOG_PAGES <= 64, "one word of the log");

static uint64_t written_read(void *opaque, uint64_t offset, unsigned size)
{
	struct testdev *s = opaque;
	uint64_t pages = UINT64_MAX;

	if (s->log && !dirty_log_take(s->dev.machine, s->log, &pages))
		return 0;
	return pages & (BIT(TESTDEV_LOG_PAGES) - 1);
}

static void irq_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct testdev *s = opaque;

	s->levels[offset] = value != 0;
	irq_set(&s->dev.machine->gsi[offset], value != 0);
}

/* ---- interrupts by eventfd, as somebody who is not on the loop would send them ---- */

static void fd_write(struct testdev *s, const struct irqfd *q)
{
	const uint64_t one = 1;

	if (write(q->fd, &one, sizeof(one)) != sizeof(one))
		guest_error(&s->dev, "an eventfd takes nothing: %s", strerror(errno));
}

static void fd_on_eoi(void *opaque)
{
	struct testdev *s = opaque;

	if (s->fd[FD_EVENTS])
		fd_write(s, &s->level);
}

/* As the registers have it. */
static void fd_connect(struct testdev *s)
{
	struct error err = ERROR_INIT;
	struct machine *m = s->dev.machine;

	if (s->has_level)
		irqfd_fini(&s->level);
	s->has_level = s->fd[FD_GSI] < MACHINE_GSIS &&
		       irqfd_init_level(&s->level, m, s->fd[FD_GSI], fd_on_eoi, s, &err);
	if (s->has_level && s->fd[FD_EVENTS])
		fd_write(s, &s->level);
	if (error_is_set(&err))
		guest_error(&s->dev, "%s", err.msg);
	error_clear(&err);
}

static void fd_disconnect_all(struct testdev *s)
{
	if (s->has_level)
		irqfd_fini(&s->level);
	if (s->has_msi)
		irqfd_fini(&s->msi);
	s->has_level = s->has_msi = false;
}

static void fd_send(struct testdev *s)
{
	struct error err = ERROR_INIT;

	s->has_msi = s->has_msi ? irqfd_set_msi(&s->msi, s->fd[FD_ADDR], s->fd[FD_DATA], &err)
				: irqfd_init_msi(&s->msi, s->dev.machine, s->fd[FD_ADDR],
						 s->fd[FD_DATA], &err);
	if (s->has_msi)
		fd_write(s, &s->msi);
	else
		guest_error(&s->dev, "%s", err.msg);
	error_clear(&err);
}

static uint64_t irqfd_read(void *opaque, uint64_t offset, unsigned size)
{
	struct testdev *s = opaque;

	return offset / 4 < FD_SAVED && offset % 4 == 0 ? s->fd[offset / 4] : UINT32_MAX;
}

static void irqfd_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct testdev *s = opaque;
	bool idle = !s->fd[FD_EVENTS];

	if (offset % 4)
		return;
	if (offset / 4 < FD_SAVED)
		s->fd[offset / 4] = (uint32_t)value;
	switch (offset / 4) {
	case FD_GSI:
		fd_connect(s);
		break;
	case FD_EVENTS:
		if (idle && value && s->has_level)
			fd_write(s, &s->level);
		break;
	case FD_SEND:
		fd_send(s);
		break;
	default:
		break;
	}
}

static uint64_t mem_read(void *opaque, uint64_t offset, unsigned size)
{
	struct testdev *s = opaque;

	return ldn_le(&s->mem[offset], size);
}

static void mem_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct testdev *s = opaque;

	stn_le(&s->mem[offset], size, value);
}

static const struct region_ops data_ops = {
	.read = data_read, .write = data_write, .min_size = 1, .max_size = 4, .unaligned = true};
static const struct region_ops flush_ops = {.min_size = 1, .max_size = 4};
static const struct region_ops byte_ops = {
	.read = data_read, .write = data_write, .min_size = 1, .max_size = 1};
static const struct region_ops written_ops = {.read = written_read, .min_size = 4, .max_size = 4};
static const struct region_ops irq_ops = {
	.write = irq_write, .min_size = 1, .max_size = 4, .unaligned = true};
static const struct region_ops irqfd_ops = {
	.read = irqfd_read, .write = irqfd_write, .min_size = 4, .max_size = 4};
static const struct region_ops mem_ops = {
	.read = mem_read, .write = mem_write, .min_size = 1, .max_size = 8, .unaligned = true};

static void testdev_reset(struct device *dev)
{
	struct testdev *s = testdev_of(dev);

	for (unsigned gsi = 0; gsi < MACHINE_GSIS; gsi++) {
		if (s->levels[gsi])
			irq_lower(&dev->machine->gsi[gsi]);
		s->levels[gsi] = false;
	}
	fd_disconnect_all(s);
	memset(s->fd, 0, sizeof(s->fd));
	s->fd[FD_GSI] = FD_NO_GSI;
	memset(s->data, 0, sizeof(s->data));
	memset(s->mem, 0, sizeof(s->mem));
	memset(s->logged_ram, 0, TESTDEV_LOG_BYTES);
	if (s->log)
		dirty_log_mark_mt(s->log, 0, TESTDEV_LOG_BYTES);
}

static bool testdev_post_load(void *opaque, struct error *err)
{
	struct testdev *s = opaque;

	for (unsigned gsi = 0; gsi < MACHINE_GSIS; gsi++)
		if (s->levels[gsi])
			irq_raise(&s->dev.machine->gsi[gsi]);
	fd_connect(s);
	return true;
}

static const struct state_desc testdev_state = {
	.name = "testdev",
	.version = 2,
	STATE_SPAN(testdev),
	.post_load = testdev_post_load,
	.fields =
		(const struct state_field[]){
			STATE_ARRAY(testdev, data),
			STATE_ARRAY(testdev, fd),
			STATE_ARRAY(testdev, levels),
			STATE_ARRAY(testdev, mem),
			STATE_END,
		},
};

static const struct device_prop testdev_props[] = {
	DEFINE_PROP_END,
};

static bool testdev_realize(struct device *dev, struct error *err)
{
	struct testdev *s = testdev_of(dev);

	region_init_io(&s->data_ports, "testdev-data", &data_ops, s, TESTDEV_DATA_BYTES);
	region_init_io(&s->flush_port, "testdev-flush", &flush_ops, s, 4);
	region_init_io(&s->byte_ports, "testdev-bytes", &byte_ops, s, TESTDEV_DATA_BYTES);
	region_init_io(&s->irq_ports, "testdev-irq", &irq_ops, s, MACHINE_GSIS);
	region_init_io(&s->irqfd_ports, "testdev-irqfd", &irqfd_ops, s, 4 * FD_REGS);
	region_init_io(&s->mmio, "testdev-mem", &mem_ops, s, TESTDEV_MEM_BYTES);
	region_init_io(&s->written_port, "testdev-written", &written_ops, s, 4);
	s->logged_ram = xaligned_zalloc(DIRTY_PAGE, TESTDEV_LOG_BYTES);
	region_init_ram(&s->logged, "testdev-logged", s->logged_ram, TESTDEV_LOG_BYTES);
	s->log = dirty_log_new(dev->machine, &s->logged);
	region_add(&dev->machine->mem.root, TESTDEV_MEM, &s->mmio, 0);
	region_add(&dev->machine->mem.root, TESTDEV_LOGGED, &s->logged, 0);
	return isa_add_ports(dev, &s->data_ports, TESTDEV_DATA, err) &&
	       isa_add_ports(dev, &s->flush_port, TESTDEV_FLUSH, err) &&
	       isa_add_ports(dev, &s->byte_ports, TESTDEV_BYTES, err) &&
	       isa_add_ports(dev, &s->written_port, TESTDEV_WRITTEN, err) &&
	       isa_add_ports(dev, &s->irqfd_ports, TESTDEV_IRQFD, err) &&
	       isa_add_ports(dev, &s->irq_ports, TESTDEV_IRQ, err);
}

static void testdev_unrealize(struct device *dev)
{
	struct testdev *s = testdev_of(dev);

	fd_disconnect_all(s);
	region_remove(&s->data_ports);
	region_remove(&s->flush_port);
	region_remove(&s->byte_ports);
	region_remove(&s->written_port);
	region_remove(&s->irq_ports);
	region_remove(&s->irqfd_ports);
	region_remove(&s->mmio);
	region_remove(&s->logged);
	free(s->logged_ram);
}

const struct device_type testdev_type = {
	.name = "pc-testdev",
	.desc = "storage and interrupt lines for kernel tests",
	.bus = BUS_ISA,
	.user_creatable = true,
	.size = sizeof(struct testdev),
	.props = testdev_props,
	.state = &testdev_state,
	.realize = testdev_realize,
	.reset = testdev_reset,
	.unrealize = testdev_unrealize,
};
