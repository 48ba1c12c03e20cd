/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fw_cfg: how QEMU-compatible machines tell firmware and small kernels about themselves.
 *
 * Specification: "QEMU Firmware Configuration (fw_cfg) Device" (docs/specs/fw_cfg), sections "Hardware Interface",
 * "Firmware Configuration Items", "Guest-side DMA Interface"; the x86 I/O port variant.
 *
 *	port	name		width	access	reset	section
 *	510	SELECTOR	16	W	0	Selector Register
 *	511	DATA		8	RW	-	Data Register; writes are dropped, as by QEMU since 2.4
 *	514	DMA_HIGH	32 BE	RW	"QEMU"	Guest-side DMA Interface; reads give the signature "QEMU CFG"
 *	518	DMA_LOW		32 BE	RW	" CFG"	writing starts the transfer
 *
 *	key	item			form
 *	0000	signature		"QEMU"
 *	0001	interface id		32 LE: bit 0 the traditional interface, bit 1 DMA
 *	0002	UUID			16 bytes
 *	0003	RAM size		64 LE, bytes
 *	0004	no graphic		16 LE
 *	0005	processors		16 LE, started
 *	000f	processors, most	16 LE: one more than the highest APIC id
 *	0019	file directory		32 BE count; then 32 BE size, 16 BE key, 16 reserved, name[56]
 *	0020+	files
 *
 * Deviates because: a DMA read that asks for more than 64 KiB past the item's end fails, where zeros without end
 * would stall the loop.
 * Not modelled: items that the guest may write; keys of direct kernel boot (the loader is not in firmware here).
 */
#include <stdlib.h>
#include "devices/chipset/fw_cfg.h"
#include "devices/isa.h"

#define FW_CFG_PORT	0x510
#define FW_CFG_PORTS	12
#define FW_CFG_SELECTOR 0
#define FW_CFG_DATA	1
#define FW_CFG_DMA_HIGH 4
#define FW_CFG_DMA_LOW	8

#define FW_CFG_ID_TRADITIONAL 1
#define FW_CFG_ID_DMA	      2
#define FW_CFG_SIGNATURE_DMA  0x51454d5520434647ull /* "QEMU CFG" */

/* FWCfgDmaAccess.control */
#define DMA_ERROR     BIT(0)
#define DMA_READ      BIT(1)
#define DMA_SKIP      BIT(2)
#define DMA_SELECT    BIT(3)
#define DMA_WRITE     BIT(4)
#define DMA_KEY_SHIFT 16

#define DMA_MAX_PAST_END (64 * KiB)

#define KEY_MASK     0x3fff /* bits 15 and 14: architecture-specific, write */
#define FW_CFG_ITEMS (FW_CFG_FILE_FIRST + FW_CFG_FILES)
#define DIR_ENTRY    64
#define DIR_NAME     56

struct fw_cfg_item {
	uint8_t *bytes;
	uint32_t n;
};

struct fw_cfg {
	struct device dev;

	/* configuration */
	struct region ports;
	struct fw_cfg_item items[FW_CFG_ITEMS];
	unsigned n_files;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint64_t dma_address;
	uint32_t offset; /* in the selected item */
	uint16_t selector;
	GUEST_VISIBLE_END;
};

static const struct fw_cfg_item *selected(const struct fw_cfg *s)
{
	static const struct fw_cfg_item none;
	unsigned key = s->selector & KEY_MASK;

	if (s->selector & ~KEY_MASK || key >= FW_CFG_ITEMS)
		return &none;
	return &s->items[key];
}

static void fw_cfg_select(struct fw_cfg *s, uint16_t key)
{
	s->selector = key;
	s->offset = 0;
}

/* Past an item's end there are zeros. */
static void fw_cfg_copy(struct fw_cfg *s, uint8_t *to, uint32_t n)
{
	const struct fw_cfg_item *item = selected(s);
	uint32_t have = s->offset < item->n ? MIN(n, item->n - s->offset) : 0;

	if (have)
		memcpy(to, item->bytes + s->offset, have);
	memset(to + have, 0, n - have);
	s->offset += have;
}

/* ---- DMA ---- */

/* Copies LENGTH bytes of the selected item to guest memory; false when a byte of that is no RAM. */
static bool fw_cfg_dma_read(struct fw_cfg *s, gpa_t gpa, uint32_t length)
{
	const struct fw_cfg_item *item = selected(s);
	uint32_t left = item->n - MIN(s->offset, item->n);
	uint8_t buf[4096];

	if (length > left && length - left > DMA_MAX_PAST_END)
		return false;
	while (length) {
		uint32_t n = MIN(length, (uint32_t)sizeof(buf));

		fw_cfg_copy(s, buf, n);
		if (!dma_write(s->dev.machine, gpa, buf, n))
			return false;
		gpa += n;
		length -= n;
	}
	return true;
}

static void fw_cfg_dma(struct fw_cfg *s)
{
	struct {
		uint32_t control, length;
		uint64_t address;
	} access;
	gpa_t at = s->dma_address;
	uint32_t control, length, result = 0;

	s->dma_address = 0;
	if (!dma_read(s->dev.machine, at, &access, sizeof(access))) {
		guest_error(&s->dev, "DMA descriptor at 0x%llx is outside RAM",
			    (unsigned long long)at);
		return;
	}
	control = __builtin_bswap32(access.control);
	length = __builtin_bswap32(access.length);
	if (control & DMA_SELECT)
		fw_cfg_select(s, (uint16_t)(control >> DMA_KEY_SHIFT));
	if (control & DMA_READ) {
		if (!fw_cfg_dma_read(s, __builtin_bswap64(access.address), length))
			result = DMA_ERROR;
	} else if (control & DMA_WRITE) {
		result = DMA_ERROR; /* no item is writable */
	} else if (control & DMA_SKIP) {
		const struct fw_cfg_item *item = selected(s);

		s->offset += MIN(length, item->n - MIN(s->offset, item->n));
	}
	result = __builtin_bswap32(result);
	dma_write(s->dev.machine, at, &result, sizeof(result));
}

/* ---- ports ---- */

static uint64_t fw_cfg_read(void *opaque, uint64_t offset, unsigned size)
{
	struct fw_cfg *s = opaque;
	uint8_t data;

	switch (offset) {
	case FW_CFG_SELECTOR:
		return 0;
	case FW_CFG_DATA:
		fw_cfg_copy(s, &data, 1);
		return data;
	case FW_CFG_DMA_HIGH:
		return __builtin_bswap32((uint32_t)(FW_CFG_SIGNATURE_DMA >> 32));
	case FW_CFG_DMA_LOW:
		return __builtin_bswap32((uint32_t)FW_CFG_SIGNATURE_DMA);
	default:
		return 0;
	}
}

static void fw_cfg_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct fw_cfg *s = opaque;

	switch (offset) {
	case FW_CFG_SELECTOR:
		if (size == 2)
			fw_cfg_select(s, (uint16_t)value);
		break;
	case FW_CFG_DMA_HIGH:
		if (size == 4)
			s->dma_address = (uint64_t)__builtin_bswap32((uint32_t)value) << 32;
		break;
	case FW_CFG_DMA_LOW:
		if (size == 4) {
			s->dma_address |= __builtin_bswap32((uint32_t)value);
			fw_cfg_dma(s);
		}
		break;
	default:
		break;
	}
}

static const struct region_ops fw_cfg_ops = {
	.read = fw_cfg_read,
	.write = fw_cfg_write,
	.min_size = 1,
	.max_size = 4,
	.unaligned = true,
};

/* ---- what the board puts in ---- */

static void put_be(uint8_t *to, unsigned size, uint64_t v)
{
	for (unsigned i = 0; i < size; i++)
		to[i] = (uint8_t)(v >> (8 * (size - 1 - i)));
}

void fw_cfg_set(struct device *dev, unsigned key, const void *bytes, uint32_t n)
{
	struct fw_cfg *s = container_of(dev, struct fw_cfg, dev);
	struct fw_cfg_item *item = &s->items[key];

	free(item->bytes);
	item->bytes = xmalloc(n ? n : 1);
	item->n = n;
	memcpy(item->bytes, bytes, n);
}

void fw_cfg_set_num(struct device *dev, unsigned key, unsigned size, uint64_t value)
{
	fw_cfg_set(dev, key, &value, size);
}

bool fw_cfg_add_file(struct device *dev, const char *name, const void *bytes, uint32_t n,
		     struct error *err)
{
	struct fw_cfg *s = container_of(dev, struct fw_cfg, dev);
	struct fw_cfg_item *dir = &s->items[FW_CFG_FILE_DIR];
	uint8_t *entry;

	if (strlen(name) >= DIR_NAME)
		return error_set(err, "fw_cfg: file name '%s' is longer than %d bytes", name,
				 DIR_NAME - 1);
	if (s->n_files == FW_CFG_FILES)
		return error_set(err, "fw_cfg: no room for file '%s': there are %d already", name,
				 FW_CFG_FILES);
	dir->n += DIR_ENTRY;
	dir->bytes = xrealloc(dir->bytes, dir->n);
	entry = dir->bytes + dir->n - DIR_ENTRY;
	memset(entry, 0, DIR_ENTRY);
	put_be(entry, 4, n);
	put_be(entry + 4, 2, FW_CFG_FILE_FIRST + s->n_files);
	memcpy(entry + 8, name, strlen(name));
	fw_cfg_set(dev, FW_CFG_FILE_FIRST + s->n_files, bytes, n);
	s->n_files++;
	put_be(dir->bytes, 4, s->n_files);
	return true;
}

/* ---- life ---- */

static void fw_cfg_reset(struct device *dev)
{
	struct fw_cfg *s = container_of(dev, struct fw_cfg, dev);

	s->dma_address = 0;
	fw_cfg_select(s, FW_CFG_SIGNATURE);
}

static const struct state_desc fw_cfg_state = {
	.name = "fw_cfg",
	.version = 1,
	STATE_SPAN(fw_cfg),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(fw_cfg, dma_address),
			STATE_FIELD(fw_cfg, offset),
			STATE_FIELD(fw_cfg, selector),
			STATE_END,
		},
};

static bool fw_cfg_realize(struct device *dev, struct error *err)
{
	struct fw_cfg *s = container_of(dev, struct fw_cfg, dev);
	const struct machine *m = dev->machine;

	fw_cfg_set(dev, FW_CFG_SIGNATURE, "QEMU", 4);
	fw_cfg_set_num(dev, FW_CFG_ID, 4, FW_CFG_ID_TRADITIONAL | FW_CFG_ID_DMA);
	fw_cfg_set(dev, FW_CFG_UUID, (const uint8_t[16]){0}, 16);
	fw_cfg_set_num(dev, FW_CFG_RAM_SIZE, 8, m->config.ram_bytes);
	fw_cfg_set_num(dev, FW_CFG_NOGRAPHIC, 2, 1); /* there is no display device */
	fw_cfg_set_num(dev, FW_CFG_NB_CPUS, 2, m->n_vcpus);
	fw_cfg_set_num(dev, FW_CFG_MAX_CPUS, 2,
		       m->n_vcpus ? m->vcpus[m->n_vcpus - 1]->apic_id + 1 : 0);
	fw_cfg_set(dev, FW_CFG_FILE_DIR, (const uint8_t[4]){0}, 4);
	region_init_io(&s->ports, "fw_cfg", &fw_cfg_ops, s, FW_CFG_PORTS);
	return isa_add_ports(dev, &s->ports, FW_CFG_PORT, err);
}

static void fw_cfg_unrealize(struct device *dev)
{
	struct fw_cfg *s = container_of(dev, struct fw_cfg, dev);

	region_remove(&s->ports);
	for (unsigned i = 0; i < FW_CFG_ITEMS; i++)
		free(s->items[i].bytes);
}

const struct device_type fw_cfg_type = {
	.name = "fw_cfg_io",
	.desc = "Firmware configuration, I/O ports",
	.bus = BUS_ISA,
	.size = sizeof(struct fw_cfg),
	.state = &fw_cfg_state,
	.realize = fw_cfg_realize,
	.reset = fw_cfg_reset,
	.unrealize = fw_cfg_unrealize,
};
