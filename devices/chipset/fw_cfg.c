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
 *	0019	file directory		32 BE count; then 32 BE size, 16 BE key, 16 reserved, name[56]; by name
 *	0020+	files
 *	8000+	the x86's own
 *
 * A transfer of more than a MiB is done a MiB in a turn of the loop; the guest sees its end in the descriptor's control
 * field, which it has to watch anyway.
 *
 * Deviates because: a DMA read that asks for more than 64 KiB past the item's end fails, where zeros without end
 * would stall the loop. Selecting while a transfer is under way does nothing.
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
#define DMA_BUFFER	 4096
#define DMA_SLICE	 MiB

#define KEY_MASK	   0x3fff /* bits 15 and 14: architecture-specific, write */
#define FW_CFG_ITEMS	   (FW_CFG_FILE_FIRST + FW_CFG_FILES)
#define FW_CFG_LOCAL_ITEMS 8
#define DIR_COUNT	   4
#define DIR_ENTRY	   64
#define DIR_NAME	   8

struct fw_cfg_item {
	uint8_t *bytes;
	uint32_t n;
	struct fw_cfg_hooks hooks;
};

/* A transfer that the guest has asked for and whose end it has not been told yet. */
struct fw_cfg_transfer {
	gpa_t descriptor, address;
	uint32_t left;
	uint32_t operation; /* DMA_READ, DMA_WRITE, DMA_SKIP; 0: none */
};

struct fw_cfg {
	struct device dev;

	/* configuration */
	struct region ports;
	struct fw_cfg_item items[FW_CFG_ITEMS];
	struct fw_cfg_item local[FW_CFG_LOCAL_ITEMS];
	unsigned n_files;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint64_t dma_address;
	struct fw_cfg_transfer transfer;
	uint32_t offset; /* in the selected item */
	uint16_t selector;
	GUEST_VISIBLE_END;

	/* host side */
	struct loop_work work;
};

static struct fw_cfg_item *item_of(struct fw_cfg *s, unsigned key)
{
	unsigned n = key & KEY_MASK;

	if (key & FW_CFG_ARCH_LOCAL)
		return n < FW_CFG_LOCAL_ITEMS ? &s->local[n] : NULL;
	return n < FW_CFG_ITEMS ? &s->items[n] : NULL;
}

static const struct fw_cfg_item *selected(struct fw_cfg *s)
{
	static const struct fw_cfg_item none;
	const struct fw_cfg_item *item = item_of(s, s->selector);

	return item ? item : &none;
}

static void fw_cfg_select(struct fw_cfg *s, uint16_t key)
{
	const struct fw_cfg_item *item;

	s->selector = key;
	s->offset = 0;
	item = selected(s);
	if (item->hooks.select)
		item->hooks.select(item->hooks.opaque);
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

/* One buffer's worth, to guest memory; false when a byte of that is no RAM. */
static bool transfer_read(struct fw_cfg *s, gpa_t gpa, uint32_t n)
{
	uint8_t buf[DMA_BUFFER];

	fw_cfg_copy(s, buf, n);
	return dma_write(s->dev.machine, gpa, buf, n);
}

/* The same from guest memory. What does not fit in the file is an error, and changes nothing. */
static bool transfer_write(struct fw_cfg *s, gpa_t gpa, uint32_t n)
{
	const struct fw_cfg_item *item = selected(s);
	uint8_t buf[DMA_BUFFER];

	if (!item->hooks.written || s->offset > item->n || n > item->n - s->offset ||
	    !dma_read(s->dev.machine, gpa, buf, n))
		return false;
	memcpy(item->bytes + s->offset, buf, n);
	item->hooks.written(item->hooks.opaque, item->bytes, s->offset, n);
	s->offset += n;
	return true;
}

static void transfer_end(struct fw_cfg *s, uint32_t result)
{
	uint32_t control = __builtin_bswap32(result);

	s->transfer.operation = 0;
	dma_write(s->dev.machine, s->transfer.descriptor, &control, sizeof(control));
}

/* Goes on for a MiB at most. */
static void transfer_slice(void *opaque)
{
	struct fw_cfg *s = opaque;
	struct fw_cfg_transfer *t = &s->transfer;
	uint32_t budget = DMA_SLICE;

	while (t->operation && t->left && budget) {
		uint32_t n = MIN(t->left, (uint32_t)DMA_BUFFER);
		bool ok = t->operation == DMA_READ ? transfer_read(s, t->address, n)
						   : transfer_write(s, t->address, n);

		if (!ok) {
			transfer_end(s, DMA_ERROR);
			return;
		}
		t->address += n;
		t->left -= n;
		budget -= n;
	}
	if (t->operation && !t->left)
		transfer_end(s, 0);
	else if (t->operation)
		loop_work_schedule(&s->work);
}

/* What the descriptor asks for, begun. */
static void transfer_begin(struct fw_cfg *s, uint32_t control, uint32_t length, gpa_t address)
{
	struct fw_cfg_transfer *t = &s->transfer;
	const struct fw_cfg_item *item;
	uint32_t left;

	if (control & DMA_SELECT)
		fw_cfg_select(s, (uint16_t)(control >> DMA_KEY_SHIFT));
	item = selected(s);
	left = item->n - MIN(s->offset, item->n);
	t->address = address;
	t->left = length;
	t->operation = control & DMA_READ ? DMA_READ : control & DMA_WRITE ? DMA_WRITE : DMA_SKIP;
	if (t->operation == DMA_SKIP) {
		s->offset += control & DMA_SKIP ? MIN(length, left) : 0;
		t->left = 0;
	}
	/* All of it or nothing, as far as that can be told beforehand. */
	if ((t->operation == DMA_READ && length > left && length - left > DMA_MAX_PAST_END) ||
	    (t->operation == DMA_WRITE && (!item->hooks.written || length > left)))
		transfer_end(s, DMA_ERROR);
	else
		transfer_slice(s);
}

static void fw_cfg_dma(struct fw_cfg *s)
{
	struct {
		uint32_t control, length;
		uint64_t address;
	} access;
	gpa_t at = s->dma_address;

	s->dma_address = 0;
	if (s->transfer.operation) {
		guest_error(&s->dev, "a transfer is asked for while another is under way");
		return;
	}
	if (!dma_read(s->dev.machine, at, &access, sizeof(access))) {
		guest_error(&s->dev, "DMA descriptor at 0x%llx is outside RAM",
			    (unsigned long long)at);
		return;
	}
	s->transfer.descriptor = at;
	transfer_begin(s, __builtin_bswap32(access.control), __builtin_bswap32(access.length),
		       __builtin_bswap64(access.address));
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
		if (size == 2 && !s->transfer.operation)
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

static void item_clear(struct fw_cfg_item *item)
{
	free(item->bytes);
	item->bytes = NULL;
}

void fw_cfg_give(struct device *dev, unsigned key, uint8_t *bytes, uint32_t n)
{
	struct fw_cfg_item *item = item_of(container_of(dev, struct fw_cfg, dev), key);

	item_clear(item);
	item->bytes = bytes;
	item->n = n;
}

void fw_cfg_set(struct device *dev, unsigned key, const void *bytes, uint32_t n)
{
	uint8_t *copy = xmalloc(n ? n : 1);

	memcpy(copy, bytes, n);
	fw_cfg_give(dev, key, copy, n);
}

void fw_cfg_set_num(struct device *dev, unsigned key, unsigned size, uint64_t value)
{
	fw_cfg_set(dev, key, &value, size);
}

/* The directory's entry for NAME, or the place where it belongs. */
static unsigned dir_place(const struct fw_cfg *s, const char *name, bool *found)
{
	const struct fw_cfg_item *dir = &s->items[FW_CFG_FILE_DIR];
	unsigned i = 0;
	int order = 1;

	while (i < s->n_files) {
		const uint8_t *entry = dir->bytes + DIR_COUNT + i * DIR_ENTRY;

		order = strcmp((const char *)entry + DIR_NAME, name);
		if (order >= 0)
			break;
		i++;
	}
	*found = i < s->n_files && order == 0;
	return i;
}

static uint8_t *dir_entry(const struct fw_cfg *s, unsigned i)
{
	return s->items[FW_CFG_FILE_DIR].bytes + DIR_COUNT + i * DIR_ENTRY;
}

static unsigned dir_key(const uint8_t *entry)
{
	return entry[4] << 8 | entry[5];
}

static uint8_t *dir_insert(struct fw_cfg *s, unsigned place)
{
	struct fw_cfg_item *dir = &s->items[FW_CFG_FILE_DIR];
	uint8_t *entry;

	dir->n += DIR_ENTRY;
	dir->bytes = xrealloc(dir->bytes, dir->n);
	entry = dir_entry(s, place);
	memmove(entry + DIR_ENTRY, entry, (s->n_files - place) * DIR_ENTRY);
	memset(entry, 0, DIR_ENTRY);
	s->n_files++;
	put_be(dir->bytes, DIR_COUNT, s->n_files);
	return entry;
}

bool fw_cfg_add_file_hooks(struct device *dev, const char *name, const void *bytes, uint32_t n,
			   const struct fw_cfg_hooks *hooks, struct error *err)
{
	struct fw_cfg *s = container_of(dev, struct fw_cfg, dev);
	unsigned key = FW_CFG_FILE_FIRST + s->n_files, place;
	uint8_t *entry;
	bool found;

	if (!*name || strlen(name) >= FW_CFG_NAME_BYTES)
		return error_set(err, "fw_cfg: file name '%s' is not 1 to %d bytes long", name,
				 FW_CFG_NAME_BYTES - 1);
	if (s->n_files == FW_CFG_FILES)
		return error_set(err, "fw_cfg: no room for file '%s': there are %d already", name,
				 FW_CFG_FILES);
	place = dir_place(s, name, &found);
	if (found)
		return error_set(err, "fw_cfg: there is a file '%s' already", name);
	entry = dir_insert(s, place);
	put_be(entry, 4, n);
	put_be(entry + 4, 2, key);
	memcpy(entry + DIR_NAME, name, strlen(name));
	fw_cfg_set(dev, key, bytes, n);
	if (hooks)
		s->items[key].hooks = *hooks;
	return true;
}

bool fw_cfg_add_file(struct device *dev, const char *name, const void *bytes, uint32_t n,
		     struct error *err)
{
	return fw_cfg_add_file_hooks(dev, name, bytes, n, NULL, err);
}

void fw_cfg_update_file(struct device *dev, const char *name, const void *bytes, uint32_t n)
{
	struct fw_cfg *s = container_of(dev, struct fw_cfg, dev);
	bool found;
	uint8_t *entry = dir_entry(s, dir_place(s, name, &found));

	if (!found)
		return;
	put_be(entry, 4, n);
	fw_cfg_set(dev, dir_key(entry), bytes, n);
}

const uint8_t *fw_cfg_find_file(struct device *dev, const char *name, uint32_t *n)
{
	struct fw_cfg *s = container_of(dev, struct fw_cfg, dev);
	bool found;
	uint8_t *entry = dir_entry(s, dir_place(s, name, &found));
	const struct fw_cfg_item *item;

	if (!found)
		return NULL;
	item = &s->items[dir_key(entry)];
	if (n)
		*n = item->n;
	return item->bytes;
}

/* ---- life ---- */

static void fw_cfg_reset(struct device *dev)
{
	struct fw_cfg *s = container_of(dev, struct fw_cfg, dev);

	s->dma_address = 0;
	memset(&s->transfer, 0, sizeof(s->transfer));
	loop_work_cancel(&s->work);
	fw_cfg_select(s, FW_CFG_SIGNATURE);
}

/* A transfer's addresses are judged as it goes on; its operation, and the file it is for, here. */
static bool fw_cfg_post_load(void *opaque, struct error *err)
{
	struct fw_cfg *s = opaque;
	uint32_t operation = s->transfer.operation;

	if (operation && operation != DMA_READ && operation != DMA_WRITE)
		return error_set(err, "fw_cfg: saved transfer is of no kind");
	if (operation && s->transfer.left > (uint64_t)selected(s)->n + DMA_MAX_PAST_END)
		return error_set(err, "fw_cfg: saved transfer is too long");
	loop_work_cancel(&s->work);
	if (operation)
		loop_work_schedule(&s->work);
	return true;
}

static const struct state_desc fw_cfg_state = {
	.name = "fw_cfg",
	.version = 1,
	STATE_SPAN(fw_cfg),
	.post_load = fw_cfg_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(fw_cfg, dma_address),
			STATE_FIELD(fw_cfg, transfer.descriptor),
			STATE_FIELD(fw_cfg, transfer.address),
			STATE_FIELD(fw_cfg, transfer.left),
			STATE_FIELD(fw_cfg, transfer.operation),
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
	fw_cfg_set(dev, FW_CFG_UUID, m->config.uuid, sizeof(m->config.uuid));
	fw_cfg_set_num(dev, FW_CFG_RAM_SIZE, 8, m->config.ram_bytes);
	fw_cfg_set_num(dev, FW_CFG_NOGRAPHIC, 2, m->config.boot.no_graphics);
	fw_cfg_set_num(dev, FW_CFG_NB_CPUS, 2, m->n_vcpus);
	fw_cfg_set_num(dev, FW_CFG_MAX_CPUS, 2,
		       m->n_vcpus ? m->vcpus[m->n_vcpus - 1]->apic_id + 1 : 0);
	fw_cfg_set(dev, FW_CFG_FILE_DIR, (const uint8_t[4]){0}, 4);
	loop_work_init(&s->work, m->loop, "fw_cfg", transfer_slice, s);
	region_init_io(&s->ports, "fw_cfg", &fw_cfg_ops, s, FW_CFG_PORTS);
	return isa_add_ports(dev, &s->ports, FW_CFG_PORT, err);
}

static void fw_cfg_unrealize(struct device *dev)
{
	struct fw_cfg *s = container_of(dev, struct fw_cfg, dev);

	region_remove(&s->ports);
	loop_work_cancel(&s->work);
	for (unsigned i = 0; i < FW_CFG_ITEMS; i++)
		item_clear(&s->items[i]);
	for (unsigned i = 0; i < FW_CFG_LOCAL_ITEMS; i++)
		item_clear(&s->local[i]);
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
