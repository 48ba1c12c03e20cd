/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parallel NOR flash with Intel's command set, one byte wide, whose contents are a drive's.
 *
 * Intel StrataFlash Embedded Memory (P30) 306666-011: section 9 "Bus operations", 10 to 13 (read, program, erase, locks),
 * 14 "Registers", appendix A "CFI"; JEDEC JESD68.01 "Common Flash Interface", JEP137 "command set 0001h".
 *
 *	cycle	command			second cycle	section
 *	FFh	Read Array		-		10.1
 *	90h	Read Device Identifier	-		10.3
 *	98h	CFI Query		-		10.4
 *	70h	Read Status Register	-		10.2
 *	50h	Clear Status Register	-		14.1
 *	10h/40h	Word Program		data		11.1
 *	E8h	Buffered Program	count, data..., D0h	11.3
 *	20h	Block Erase		D0h		12.1
 *	60h	Block Lock		01h, 2Fh, D0h	13.1
 *
 * SR: 80h ready, 20h erase error (with 10h: command sequence), 10h program error, 02h block locked.
 *
 * In array mode the guest reads the memory itself; in the others its reads come here. What it changes is written to the
 * drive behind its back (pflash_store.h).
 *
 * Not modelled: suspend and resume (B0h, D0h), protection registers, lock bits (60h is accepted and forgets), time.
 * Deviates because: SR reads as 0 after Clear Status Register, by which OVMF tells flash from ROM.
 */
#include <stdlib.h>
#include "devices/block/pflash_cfi01.h"
#include "devices/block/pflash_store.h"
#include "io/block/block.h"

#define FLASH_MAX (64 * MiB)

enum flash_command {
	FLASH_READ_ARRAY = 0xff,
	FLASH_READ_ID = 0x90,
	FLASH_CFI_QUERY = 0x98,
	FLASH_READ_STATUS = 0x70,
	FLASH_CLEAR_STATUS = 0x50,
	FLASH_PROGRAM = 0x10,
	FLASH_PROGRAM_ALT = 0x40,
	FLASH_BUFFERED = 0xe8,
	FLASH_ERASE = 0x20,
	FLASH_LOCK = 0x60,
	FLASH_CONFIRM = 0xd0,
	FLASH_LOCK_BLOCK = 0x01,
	FLASH_LOCK_DOWN = 0x2f,
};

#define SR_READY	 0x80
#define SR_ERASE_ERROR	 0x20
#define SR_PROGRAM_ERROR 0x10
#define SR_LOCKED	 0x02

#define ID_MANUFACTURER 0x89
#define ID_DEVICE	0x18
#define BUFFER_BYTES	256
#define BUFFER_LOG2	8
#define CFI_BYTES	0x34

/* What the next write is. */
enum flash_cycle { CYCLE_COMMAND, CYCLE_DATA, CYCLE_COUNT, CYCLE_FILL, CYCLE_CONFIRM };

struct pflash {
	struct device dev;

	/* configuration */
	struct block *block;
	uint32_t sector_bytes;
	char *name;
	uint64_t n;
	bool read_only;
	uint8_t *bytes;
	uint8_t cfi[CFI_BYTES];

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint64_t buffer_at; /* in the flash: where the buffer's first byte belongs */
	uint32_t buffer_left;
	uint8_t mode; /* enum flash_command: what reads show */
	uint8_t command, cycle, status;
	uint8_t buffer[BUFFER_BYTES];
	uint8_t buffer_used[BUFFER_BYTES];
	GUEST_VISIBLE_END;

	/* host side */
	struct region array, registers;
	struct pflash_store store;
};

static void flash_changed(struct pflash *s, uint64_t at, uint64_t n)
{
	struct machine *m = s->dev.machine;

	if (m->accel->ram_written && s->array.parent)
		m->accel->ram_written(m, s->array.offset + at, n);
	pflash_store_changed(&s->store, at, n);
}

/* Reads */

static void flash_set_mode(struct pflash *s, uint8_t mode)
{
	s->mode = mode;
	region_set_enabled(&s->registers, mode != FLASH_READ_ARRAY);
}

static uint64_t flash_read(void *opaque, uint64_t offset, unsigned size)
{
	const struct pflash *s = opaque;

	switch (s->mode) {
	case FLASH_READ_STATUS:
		return s->status;
	case FLASH_READ_ID:
		switch (offset & 0xff) {
		case 0:
			return ID_MANUFACTURER;
		case 1:
			return ID_DEVICE;
		}
		return 0; /* locks: none */
	case FLASH_CFI_QUERY:
		return offset < CFI_BYTES ? s->cfi[offset] : 0;
	}
	return s->bytes[offset];
}

/* Writes */

static void flash_end(struct pflash *s, uint8_t status)
{
	s->cycle = CYCLE_COMMAND;
	s->status |= SR_READY | status;
	if (s->mode != FLASH_READ_STATUS)
		flash_set_mode(s, FLASH_READ_STATUS);
}

static void flash_program(struct pflash *s, uint64_t offset, uint8_t value)
{
	if (s->read_only) {
		flash_end(s, SR_PROGRAM_ERROR | SR_LOCKED);
		return;
	}
	if (s->bytes[offset] & ~value) {
		s->bytes[offset] &= value;
		flash_changed(s, offset, 1);
	}
	flash_end(s, 0);
}

static void flash_erase(struct pflash *s, uint64_t offset)
{
	uint64_t at = offset - offset % s->sector_bytes;

	if (s->read_only) {
		flash_end(s, SR_ERASE_ERROR | SR_LOCKED);
		return;
	}
	memset(s->bytes + at, 0xff, s->sector_bytes);
	flash_changed(s, at, s->sector_bytes);
	flash_end(s, 0);
}

static void flash_buffer_start(struct pflash *s, uint64_t offset, uint8_t count)
{
	s->buffer_at = ALIGN_DOWN(offset, BUFFER_BYTES);
	s->buffer_left = count + 1u; /* a byte has room for no more than the buffer has */
	memset(s->buffer_used, 0, sizeof(s->buffer_used));
	s->cycle = CYCLE_FILL;
}

static void flash_buffer_fill(struct pflash *s, uint64_t offset, uint8_t value)
{
	if (offset < s->buffer_at || offset >= s->buffer_at + BUFFER_BYTES) {
		flash_end(s, SR_PROGRAM_ERROR | SR_ERASE_ERROR);
		return;
	}
	s->buffer[offset - s->buffer_at] = value;
	s->buffer_used[offset - s->buffer_at] = 1;
	if (--s->buffer_left == 0)
		s->cycle = CYCLE_CONFIRM;
}

static void flash_buffer_commit(struct pflash *s)
{
	if (s->read_only) {
		flash_end(s, SR_PROGRAM_ERROR | SR_LOCKED);
		return;
	}
	for (unsigned i = 0; i < BUFFER_BYTES; i++)
		if (s->buffer_used[i])
			s->bytes[s->buffer_at + i] &= s->buffer[i];
	flash_changed(s, s->buffer_at, BUFFER_BYTES);
	flash_end(s, 0);
}

static void flash_first_cycle(struct pflash *s, uint8_t value)
{
	s->command = value;
	switch (value) {
	case FLASH_PROGRAM:
	case FLASH_PROGRAM_ALT:
		s->cycle = CYCLE_DATA;
		break;
	case FLASH_BUFFERED:
		s->cycle = CYCLE_COUNT;
		s->status |= SR_READY; /* the buffer is free */
		flash_set_mode(s, FLASH_READ_STATUS);
		break;
	case FLASH_ERASE:
	case FLASH_LOCK:
		s->cycle = CYCLE_CONFIRM;
		break;
	case FLASH_CLEAR_STATUS:
		s->status = 0;
		flash_set_mode(s, FLASH_READ_ARRAY);
		break;
	case FLASH_READ_ID:
	case FLASH_CFI_QUERY:
	case FLASH_READ_STATUS:
	case FLASH_READ_ARRAY:
		flash_set_mode(s, value);
		break;
	default:
		guest_error(&s->dev, "command %02x is none", value);
		flash_set_mode(s, FLASH_READ_ARRAY);
		break;
	}
}

static void flash_confirm(struct pflash *s, uint64_t offset, uint8_t value)
{
	if (s->command == FLASH_LOCK &&
	    (value == FLASH_LOCK_BLOCK || value == FLASH_LOCK_DOWN || value == FLASH_CONFIRM))
		flash_end(s, 0);
	else if (value != FLASH_CONFIRM)
		flash_end(s, SR_PROGRAM_ERROR | SR_ERASE_ERROR);
	else if (s->command == FLASH_ERASE)
		flash_erase(s, offset);
	else
		flash_buffer_commit(s);
}

static void flash_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct pflash *s = opaque;

	switch (s->cycle) {
	case CYCLE_COMMAND:
		flash_first_cycle(s, (uint8_t)value);
		break;
	case CYCLE_DATA:
		flash_program(s, offset, (uint8_t)value);
		break;
	case CYCLE_COUNT:
		flash_buffer_start(s, offset, (uint8_t)value);
		break;
	case CYCLE_FILL:
		flash_buffer_fill(s, offset, (uint8_t)value);
		break;
	case CYCLE_CONFIRM:
		flash_confirm(s, offset, (uint8_t)value);
		break;
	}
}

/* The chip is a byte wide: wider accesses are several. */
static const struct region_ops flash_ops = {
	.read = flash_read, .write = flash_write, .min_size = 1, .max_size = 1};

/* Life */

static void flash_reset(struct device *dev)
{
	struct pflash *s = container_of(dev, struct pflash, dev);

	s->cycle = CYCLE_COMMAND;
	s->command = FLASH_READ_ARRAY;
	s->status = SR_READY;
	flash_set_mode(s, FLASH_READ_ARRAY);
	pflash_store_retry(&s->store);
}

static bool flash_post_load(void *opaque, struct error *err)
{
	struct pflash *s = opaque;

	if (s->cycle > CYCLE_CONFIRM || s->buffer_at % BUFFER_BYTES || s->buffer_at >= s->n ||
	    s->buffer_left > BUFFER_BYTES || (s->cycle == CYCLE_FILL && !s->buffer_left))
		return error_set(err, "cfi.pflash01: saved state is not possible");
	flash_set_mode(s, s->mode);
	return true;
}

static const struct state_desc flash_state = {
	.name = "cfi.pflash01",
	.version = 1,
	STATE_SPAN(pflash),
	.post_load = flash_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(pflash, buffer_at),
			STATE_FIELD(pflash, buffer_left),
			STATE_FIELD(pflash, mode),
			STATE_FIELD(pflash, command),
			STATE_FIELD(pflash, cycle),
			STATE_FIELD(pflash, status),
			STATE_ARRAY(pflash, buffer),
			STATE_ARRAY(pflash, buffer_used),
			STATE_END,
		},
};

static const struct device_prop flash_props[] = {
	DEFINE_PROP(pflash, block, "drive", PROP_DRIVE, 0, "id or node name of the contents"),
	DEFINE_PROP(pflash, sector_bytes, "sector-length", PROP_U32, PFLASH_SECTOR,
		    "bytes that are erased at once"),
	DEFINE_PROP_STR(pflash, name, "name", NULL, "for messages"),
	DEFINE_PROP_END,
};

uint64_t pflash_bytes(struct device *dev)
{
	return container_of(dev, struct pflash, dev)->n;
}

const uint8_t *pflash_data(struct device *dev)
{
	return container_of(dev, struct pflash, dev)->bytes;
}

void pflash_map(struct device *dev, struct region *memory, uint64_t at)
{
	struct pflash *s = container_of(dev, struct pflash, dev);

	region_add(memory, at, &s->array, 0);
	region_add(memory, at, &s->registers, 1);
}

static void flash_fill_cfi(struct pflash *s)
{
	uint64_t sectors = s->n / s->sector_bytes - 1, units = s->sector_bytes / 256;

	memcpy(s->cfi + 0x10, "QRY\1\0\x31", 6); /* command set 0001h, its table at 31h */
	s->cfi[0x1b] = 0x45;			 /* Vcc 4.5 to 5.5 V */
	s->cfi[0x1c] = 0x55;
	s->cfi[0x1f] = 0x07; /* 2^7 us for a byte, and for a buffer */
	s->cfi[0x20] = 0x07;
	s->cfi[0x21] = 0x0a; /* 2^10 ms for a block */
	s->cfi[0x23] = 0x04; /* at most 2^4 times that */
	s->cfi[0x24] = 0x04;
	s->cfi[0x25] = 0x04;
	s->cfi[0x27] = (uint8_t)(63 - __builtin_clzll(s->n) + !!(s->n & (s->n - 1)));
	s->cfi[0x2a] = BUFFER_LOG2;
	s->cfi[0x2c] = 1; /* one region of equal blocks */
	stn_le(s->cfi + 0x2d, 2, sectors);
	stn_le(s->cfi + 0x2f, 2, units);
	memcpy(s->cfi + 0x31, "PRI", 3);
}

static bool flash_check(struct pflash *s, struct error *err)
{
	if (!s->block)
		return error_set(err, "cfi.pflash01: drive= is needed");
	s->n = block_bytes(s->block);
	if (s->sector_bytes < PFLASH_SECTOR || (s->sector_bytes & (s->sector_bytes - 1)))
		return error_set(err,
				 "cfi.pflash01: sector-length %u is not a power of two from "
				 "4096 up",
				 s->sector_bytes);
	if (!s->n || s->n % s->sector_bytes)
		return error_set(err,
				 "%llu bytes are no flash's size: a multiple of %u, and not zero",
				 (unsigned long long)s->n, s->sector_bytes);
	if (s->n > FLASH_MAX)
		return error_set(err, "%llu bytes are too many for a flash (at most %llu)",
				 (unsigned long long)s->n, (unsigned long long)FLASH_MAX);
	return true;
}

static bool flash_realize(struct device *dev, struct error *err)
{
	struct pflash *s = container_of(dev, struct pflash, dev);
	int ret;

	if (!flash_check(s, err) || !block_attach(s->block, dev, NULL, s, err))
		return false;
	s->bytes = xaligned_zalloc(4096, s->n);
	ret = block_pread_sync(s->block, 0, s->bytes, s->n);
	if (ret < 0) {
		error_set_errno(err, -ret, "cannot be read");
		block_detach(s->block);
		free(s->bytes);
		return false;
	}
	s->read_only = block_read_only(s->block);
	pflash_store_init(&s->store, s->block, s->bytes,
			  s->name		? s->name
			  : *block_id(s->block) ? block_id(s->block)
						: dev->type->name);
	flash_fill_cfi(s);
	region_init_rom(&s->array, "flash", s->bytes, s->n);
	s->array.ops = &flash_ops;
	s->array.opaque = s;
	region_init_io(&s->registers, "flash-registers", &flash_ops, s, s->n);
	s->registers.enabled = false;
	s->mode = FLASH_READ_ARRAY;
	return true;
}

static bool flash_busy(struct device *dev)
{
	return pflash_store_busy(&container_of(dev, struct pflash, dev)->store);
}

static void flash_unrealize(struct device *dev)
{
	struct pflash *s = container_of(dev, struct pflash, dev);

	region_remove(&s->registers);
	region_remove(&s->array);
	pflash_store_fini(&s->store);
	block_detach(s->block);
	free(s->bytes);
}

const struct device_type pflash_cfi01_type = {
	.name = "cfi.pflash01",
	.desc = "flash memory of a drive's contents",
	.bus = BUS_SYSTEM,
	.size = sizeof(struct pflash),
	.props = flash_props,
	.state = &flash_state,
	.realize = flash_realize,
	.reset = flash_reset,
	.busy = flash_busy,
	.unrealize = flash_unrealize,
};
