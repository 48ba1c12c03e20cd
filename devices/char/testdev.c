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
 *
 *	memory	 name	width	access	reset		section
 *	ff000000 MEM	8-64	RW	0		64 KiB of storage that traps
 *	ff020000 LOGGED	-	RW	0		16 pages of RAM with a dirty log
 *
 * Not modelled: FLUSH does nothing, since nothing here keeps host mappings of single pages.
 * Deviates because: QEMU's has neither LOGGED nor WRITTEN; they are for tests of accelerators. What is in LOGGED is not saved.
 */
#include <stdlib.h>
#include "devices/char/serial.h"
#include "devices/isa.h"
#include "src/dirty_log.h"

#define TESTDEV_DATA	   0xe0
#define TESTDEV_FLUSH	   0xe4
#define TESTDEV_BYTES	   0xe8
#define TESTDEV_WRITTEN	   0xec
#define TESTDEV_IRQ	   0x2000
#define TESTDEV_MEM	   0xff000000
#define TESTDEV_LOGGED	   0xff020000
#define TESTDEV_DATA_BYTES 4
#define TESTDEV_MEM_BYTES  (64 * KiB)
#define TESTDEV_LOG_PAGES  16
#define TESTDEV_LOG_BYTES  (TESTDEV_LOG_PAGES * DIRTY_PAGE)

struct testdev {
	struct device dev;

	/* configuration */
	struct region data_ports, flush_port, byte_ports, written_port, irq_ports, mmio, logged;
	struct dirty_log *log; /* NULL: the machine has too many */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t data[TESTDEV_DATA_BYTES];
	bool levels[MACHINE_GSIS];
	uint8_t mem[TESTDEV_MEM_BYTES];
	GUEST_VISIBLE_END;

	/* host side */
	uint8_t *logged_ram;
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
	return true;
}

static const struct state_desc testdev_state = {
	.name = "testdev",
	.version = 1,
	STATE_SPAN(testdev),
	.post_load = testdev_post_load,
	.fields =
		(const struct state_field[]){
			STATE_ARRAY(testdev, data),
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
	       isa_add_ports(dev, &s->irq_ports, TESTDEV_IRQ, err);
}

static void testdev_unrealize(struct device *dev)
{
	struct testdev *s = testdev_of(dev);

	region_remove(&s->data_ports);
	region_remove(&s->flush_port);
	region_remove(&s->byte_ports);
	region_remove(&s->written_port);
	region_remove(&s->irq_ports);
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
