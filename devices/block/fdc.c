/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 82078 floppy disk controller, as PCs have it: registers, phases, and how data travel. The commands are
 * in fdc_commands.c, the drives in floppy.c.
 *
 * Intel 82078 44-pin data sheet (290475-002) section 2.1 "Registers", 5 "Command set", 6 "Status register
 * encoding".
 *
 *	port	name	access	reset	section
 *	0	SRA	R	80	2.1.1; PS/2 mode
 *	1	SRB	R	c0	2.1.2; PS/2 mode
 *	2	DOR	RW	00	2.1.3
 *	3	TDR	RW	00	2.1.4
 *	4	MSR	R	80	2.1.6
 *	4	DSR	W	02	2.1.5
 *	5	FIFO	RW	-	2.1.7
 *	7	DIR	R	00	2.1.8
 *	7	CCR	W	02	2.1.9
 *
 * Phases (5.0): command bytes are written to the FIFO; then sectors travel, by DMA or through the FIFO; then
 * result bytes are read.
 *
 * Not modelled: sectors of other sizes than 512 bytes, deleted data marks (none are found, and those
 * written are forgotten), SCAN commands, gaps, motors, time.
 * Deviates because: data commands go to the cylinder that they name, whatever the head is over; guests that step twice
 * for disks of 40 tracks, and those that don't, find the same.
 */
#include <stdlib.h>
#include "devices/block/fdc.h"
#include "devices/chipset/i8257.h"
#include "devices/isa.h"
#include "src/boot/bootorder.h"

#define REG_SRA	 0
#define REG_SRB	 1
#define REG_DOR	 2
#define REG_TDR	 3
#define REG_MSR	 4
#define REG_DSR	 4
#define REG_FIFO 5
#define FDC_REGS 6
#define DIR_PORT 7

#define SRA_INTPEND 0x80
#define SRA_NDRV2   0x40
#define SRA_TRK0    0x10 /* inverted */
#define SRA_INDEX   0x04
#define SRB_ALWAYS  0xc0

#define DOR_SELECT 0x03
#define DOR_NRESET 0x04
#define DOR_DMA	   0x08
#define DOR_MOTORS 0xf0

#define DSR_RATE      0x03
#define DSR_POWERDOWN 0x40
#define DSR_RESET     0x80

#define MSR_RQM	 0x80
#define MSR_DIO	 0x40
#define MSR_NDMA 0x20
#define MSR_BUSY 0x10

#define DIR_CHANGED  0x80
#define TDR_WRITABLE 0x03

/* ---- interrupts ---- */

static void update_irq(struct fdc *s)
{
	irq_set(&s->irq, s->intpend && (s->dor & DOR_DMA));
}

void fdc_raise(struct fdc *s)
{
	s->intpend = true;
	update_irq(s);
}

void fdc_lower(struct fdc *s)
{
	s->intpend = false;
	update_irq(s);
}

/* ---- drives ---- */

struct floppy *fdc_drive(const struct fdc *s, unsigned unit)
{
	return unit < FLOPPY_DRIVES ? s->drives[unit] : NULL;
}

static struct floppy *selected(const struct fdc *s)
{
	return fdc_drive(s, s->dor & DOR_SELECT);
}

/* ---- phases ---- */

void fdc_to_command_phase(struct fdc *s)
{
	s->phase = FDC_COMMAND;
	s->fifo_pos = s->fifo_len = 0;
}

void fdc_to_result_phase(struct fdc *s, unsigned bytes, bool interrupt)
{
	s->phase = bytes ? FDC_RESULT : FDC_COMMAND;
	s->fifo_pos = 0;
	s->fifo_len = bytes;
	if (interrupt)
		fdc_raise(s);
}

static bool uses_dma(const struct fdc *s)
{
	return !s->non_dma && s->dma;
}

/* ---- execution: sectors between buffer, host and disk ---- */

static void set_dreq(struct fdc *s, bool level)
{
	if (s->dma)
		i8257_set_dreq(s->dma, s->dma_channel, level);
}

void fdc_stop(struct fdc *s)
{
	set_dreq(s, false);
	s->moving = FDC_MOVE_NONE;
}

/* The buffer's end was reached, or the host's count ran out (TC). */
static void buffer_moved(struct fdc *s, bool tc)
{
	s->moving = FDC_MOVE_NONE;
	s->tc = tc;
	fdc_sector_moved(s);
}

/* DREQ, and as much as the channel takes now. The rest when it is unmasked. */
static void move_by_dma(struct fdc *s)
{
	bool tc = false;
	bool to_host = s->moving == FDC_MOVE_TO_HOST;
	size_t n;

	if (!(s->dor & DOR_DMA))
		return;
	set_dreq(s, true);
	n = i8257_transfer(s->dma, s->dma_channel, s->buffer + s->pos, s->len - s->pos, to_host,
			   &tc);
	s->pos += n;
	if (tc && !to_host && s->pos < s->len) {
		memset(s->buffer + s->pos, 0, s->len - s->pos); /* 5.2.3: the rest is zeros */
		s->pos = s->len;
	}
	if (tc || s->pos == s->len)
		buffer_moved(s, tc);
}

static void on_dma_ready(void *opaque)
{
	struct fdc *s = opaque;

	if (s->moving != FDC_MOVE_NONE && uses_dma(s) && !s->in_transfer) {
		s->in_transfer = true;
		move_by_dma(s);
		s->in_transfer = false;
	}
}

void fdc_move(struct fdc *s, enum fdc_move direction, uint32_t bytes)
{
	s->moving = direction;
	s->pos = 0;
	s->len = bytes;
	if (uses_dma(s))
		on_dma_ready(s);
	else
		fdc_raise(s); /* each sector asks for itself */
}

/* ---- requests ---- */

static void io_done(void *opaque, int ret)
{
	struct fdc_io *io = opaque;
	struct fdc *s = io->fdc;

	io->busy = false;
	if (!s) {
		free(io);
		return;
	}
	if (s->draining) { /* it belongs to what a reset has ended */
		s->draining = false;
		if (s->reset_waits)
			fdc_reset_done(s);
		else if (s->phase == FDC_EXECUTION && s->moving == FDC_MOVE_NONE)
			fdc_sector_again(s);
		return;
	}
	if (!ret && io->reading)
		memcpy(s->buffer, io->bounce, FLOPPY_SECTOR);
	fdc_sector_done(s, ret);
}

void fdc_submit(struct fdc *s, struct floppy *f, uint64_t offset, bool write)
{
	struct fdc_io *io = s->io;

	io->busy = true;
	io->reading = !write;
	io->iov = (struct iovec){io->bounce, FLOPPY_SECTOR};
	if (write) {
		memcpy(io->bounce, s->buffer, FLOPPY_SECTOR);
		block_writev(f->conf.block, &io->req, offset, &io->iov, 1, 0, io_done, io);
	} else {
		block_readv(f->conf.block, &io->req, offset, &io->iov, 1, io_done, io);
	}
}

/* ---- reset ---- */

/* 5.2.5: with polling on, each drive seems to have become ready. */
void fdc_reset_done(struct fdc *s)
{
	s->reset_waits = false;
	s->sense_pending = s->config & FDC_CONFIG_POLL_OFF ? 0 : FDC_SENSE_ALL;
	s->reset_sense = s->sense_pending != 0;
	if (s->sense_pending)
		fdc_raise(s);
}

static void controller_reset(struct fdc *s, bool interrupt)
{
	fdc_stop(s);
	fdc_lower(s);
	fdc_to_command_phase(s);
	s->sense_pending = 0;
	s->reset_sense = false;
	s->st0 = s->st1 = s->st2 = 0;
	memset(s->cylinder, 0, sizeof(s->cylinder));
	if (!s->lock) {
		s->config = 0x20; /* FIFO off: 5.2.7 */
		s->precomp = 0;
	}
	s->perpendicular &= 0xfc;
	s->draining = s->io && s->io->busy;
	s->reset_waits = interrupt && s->draining;
	if (interrupt && !s->draining)
		fdc_reset_done(s);
}

/* ---- registers ---- */

static uint8_t read_msr(const struct fdc *s)
{
	uint8_t value = 0;

	if (!(s->dor & DOR_NRESET) || s->draining)
		return 0;
	switch (s->phase) {
	case FDC_COMMAND:
		value = MSR_RQM | (s->fifo_pos ? MSR_BUSY : 0);
		break;
	case FDC_RESULT:
		value = MSR_RQM | MSR_DIO | MSR_BUSY;
		break;
	default:
		value = MSR_BUSY;
		if (!uses_dma(s)) {
			value |= MSR_NDMA;
			if (s->moving == FDC_MOVE_TO_HOST)
				value |= MSR_RQM | MSR_DIO;
			else if (s->moving == FDC_MOVE_FROM_HOST)
				value |= MSR_RQM;
		}
	}
	return value;
}

static uint8_t read_fifo(struct fdc *s)
{
	uint8_t value;

	if (!(read_msr(s) & MSR_RQM) || !(read_msr(s) & MSR_DIO)) {
		guest_error(&s->dev, "FIFO read while it has nothing");
		return 0;
	}
	if (s->phase == FDC_EXECUTION) {
		value = s->buffer[s->pos++];
		fdc_lower(s);
		if (s->pos == s->len)
			buffer_moved(s, false);
		return value;
	}
	fdc_lower(s); /* 5.1: with the first byte */
	value = s->fifo[s->fifo_pos++];
	if (s->fifo_pos == s->fifo_len)
		fdc_to_command_phase(s);
	return value;
}

static void write_fifo(struct fdc *s, uint8_t value)
{
	if (!(read_msr(s) & MSR_RQM) || (read_msr(s) & MSR_DIO)) {
		guest_error(&s->dev, "FIFO written while it takes nothing");
		return;
	}
	if (s->phase == FDC_EXECUTION) {
		s->buffer[s->pos++] = value;
		fdc_lower(s);
		if (s->pos == s->len)
			buffer_moved(s, false);
		return;
	}
	s->fifo[s->fifo_pos++] = value;
	if (s->fifo_pos >= fdc_command_bytes(s))
		fdc_run(s);
}

static void write_dor(struct fdc *s, uint8_t value)
{
	uint8_t was = s->dor;

	s->dor = value;
	if (!(value & DOR_NRESET)) {
		if (was & DOR_NRESET)
			controller_reset(s, false);
	} else if (!(was & DOR_NRESET)) {
		controller_reset(s, true);
	}
	update_irq(s);
	on_dma_ready(s);
}

static void write_dsr(struct fdc *s, uint8_t value)
{
	s->dsr = value & ~DSR_RESET;
	s->ccr = value & DSR_RATE;
	if ((value & DSR_RESET) && (s->dor & DOR_NRESET))
		controller_reset(s, true);
}

static uint8_t read_sra(const struct fdc *s)
{
	const struct floppy *f = selected(s);
	uint8_t value = (s->intpend ? SRA_INTPEND : 0) | (s->drives[1] ? 0 : SRA_NDRV2);

	if (f && f->track)
		value |= SRA_TRK0;
	return value;
}

static uint64_t fdc_read(void *opaque, uint64_t offset, unsigned size)
{
	struct fdc *s = opaque;

	switch (offset) {
	case REG_SRA:
		return read_sra(s);
	case REG_SRB:
		return SRB_ALWAYS | (s->dor & 0x01 ? 0x20 : 0) | (s->dor & DOR_MOTORS) >> 4;
	case REG_DOR:
		return s->dor;
	case REG_TDR:
		return s->tdr;
	case REG_MSR:
		return read_msr(s);
	default:
		return read_fifo(s);
	}
}

static void fdc_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct fdc *s = opaque;

	switch (offset) {
	case REG_DOR:
		write_dor(s, value);
		break;
	case REG_TDR:
		s->tdr = value & TDR_WRITABLE;
		break;
	case REG_DSR:
		write_dsr(s, value);
		break;
	case REG_FIFO:
		write_fifo(s, value);
		break;
	}
}

static uint64_t dir_read(void *opaque, uint64_t offset, unsigned size)
{
	struct fdc *s = opaque;
	const struct floppy *f = selected(s);

	return f && f->type != FLOPPY_NONE && (f->changed || !floppy_has_disk(f)) ? DIR_CHANGED : 0;
}

static void ccr_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct fdc *s = opaque;

	s->ccr = value & DSR_RATE;
}

static const struct region_ops fdc_ops = {
	.read = fdc_read, .write = fdc_write, .min_size = 1, .max_size = 1};
static const struct region_ops dir_ops = {
	.read = dir_read, .write = ccr_write, .min_size = 1, .max_size = 1};

/* ---- drives' coming and going ---- */

bool fdc_plug(struct floppy *f, struct error *err)
{
	const char *name = f->bus_name && *f->bus_name ? f->bus_name : NULL;
	struct bus *bus = bus_find(f->dev.machine, BUS_FLOPPY, name, f->dev.type->name, err);
	struct fdc *s;

	if (!bus)
		return false;
	s = container_of(bus, struct fdc, bus);
	if (f->unit == UINT32_MAX)
		for (f->unit = 0; f->unit < FLOPPY_DRIVES && s->drives[f->unit]; f->unit++)
			;
	if (f->unit >= FLOPPY_DRIVES)
		return error_set(err, "floppy: there are units 0 and 1 only, or both are in use");
	if (s->drives[f->unit])
		return error_set(err, "floppy: Floppy unit %u is in use", f->unit);
	s->drives[f->unit] = f;
	f->dev.parent_bus = bus;
	f->fdc = s;
	return true;
}

void fdc_unplug(struct floppy *f)
{
	f->fdc->drives[f->unit] = NULL;
	f->fdc = NULL;
}

char *fdc_fw_path(struct fdc *s)
{
	return isa_fw_path(&s->dev, "fdc", s->iobase);
}

enum floppy_drive_type fdc_fallback(const struct fdc *s)
{
	return s->fallback;
}

enum floppy_drive_type fdc_drive_type(struct machine *m, unsigned unit)
{
	const struct bus *bus = bus_next(m, BUS_FLOPPY, NULL);
	const struct floppy *f = bus ? fdc_drive(container_of(bus, struct fdc, bus), unit) : NULL;

	return f ? f->type : FLOPPY_NONE;
}

/* ---- life ---- */

static void fdc_device_reset(struct device *dev)
{
	struct fdc *s = container_of(dev, struct fdc, dev);

	s->lock = false;
	s->perpendicular = 0;
	s->specify[0] = s->specify[1] = 0;
	s->non_dma = false;
	s->tdr = 0;
	s->dsr = s->ccr = 0x02;
	controller_reset(s, false);
	memset(s->fifo, 0, sizeof(s->fifo));
	memset(s->buffer, 0, sizeof(s->buffer));
	memset(&s->cmd, 0, sizeof(s->cmd));
	s->pos = s->len = 0;
	s->tc = false;
	s->dor = DOR_NRESET | DOR_DMA; /* as firmware that looks no further expects it */
	update_irq(s);
}

static bool fdc_post_load(void *opaque, struct error *err)
{
	struct fdc *s = opaque;

	s->dsr &= ~DSR_RESET;
	s->ccr &= DSR_RATE;
	if (s->phase > FDC_RESULT || s->moving > FDC_MOVE_FROM_HOST ||
	    s->fifo_len > sizeof(s->fifo) || s->len > sizeof(s->buffer) || s->pos > s->len ||
	    (s->phase == FDC_RESULT ? s->fifo_pos >= s->fifo_len
				    : s->fifo_pos >= sizeof(s->fifo)) ||
	    (s->moving && (s->phase != FDC_EXECUTION || s->pos == s->len)) ||
	    !fdc_command_is_possible(s))
		return error_set(err, "isa-fdc: saved state is not possible");
	update_irq(s);
	s->reset_waits = false;
	s->draining = s->io->busy;
	set_dreq(s, s->moving && uses_dma(s) && (s->dor & DOR_DMA));
	if (!s->draining && s->phase == FDC_EXECUTION && s->moving == FDC_MOVE_NONE)
		fdc_sector_again(s);
	return true;
}

static const struct state_desc fdc_cmd_state = {
	.name = "fdc-command",
	.version = 1,
	.span_offset = 0,
	.span_bytes = sizeof(struct fdc_cmd),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(fdc_cmd, code),
			STATE_FIELD(fdc_cmd, unit),
			STATE_FIELD(fdc_cmd, c),
			STATE_FIELD(fdc_cmd, h),
			STATE_FIELD(fdc_cmd, r),
			STATE_FIELD(fdc_cmd, n),
			STATE_FIELD(fdc_cmd, eot),
			STATE_FIELD(fdc_cmd, left),
			STATE_FIELD(fdc_cmd, fill),
			STATE_FIELD(fdc_cmd, head),
			STATE_ARRAY(fdc_cmd, ids),
			STATE_END,
		},
};

static const struct state_desc fdc_state = {
	.name = "fdc",
	.version = 1,
	STATE_SPAN(fdc),
	.post_load = fdc_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(fdc, pos),
			STATE_FIELD(fdc, len),
			STATE_FIELD(fdc, dor),
			STATE_FIELD(fdc, tdr),
			STATE_FIELD(fdc, dsr),
			STATE_FIELD(fdc, ccr),
			STATE_FIELD(fdc, phase),
			STATE_FIELD(fdc, moving),
			STATE_FIELD(fdc, fifo_pos),
			STATE_FIELD(fdc, fifo_len),
			STATE_FIELD(fdc, st0),
			STATE_FIELD(fdc, st1),
			STATE_FIELD(fdc, st2),
			STATE_FIELD(fdc, config),
			STATE_FIELD(fdc, precomp),
			STATE_FIELD(fdc, perpendicular),
			STATE_FIELD(fdc, sense_pending),
			STATE_FIELD(fdc, powerdown),
			STATE_ARRAY(fdc, specify),
			STATE_ARRAY(fdc, sense_st0),
			STATE_ARRAY(fdc, cylinder),
			STATE_ARRAY(fdc, fifo),
			STATE_STRUCT(fdc, cmd, fdc_cmd_state),
			STATE_FIELD(fdc, lock),
			STATE_FIELD(fdc, non_dma),
			STATE_FIELD(fdc, tc),
			STATE_FIELD(fdc, intpend),
			STATE_FIELD(fdc, reset_sense),
			STATE_ARRAY(fdc, buffer),
			STATE_END,
		},
};

static const struct device_prop fdc_props[] = {
	DEFINE_PROP(fdc, iobase, "iobase", PROP_U32, 0x3f0, "first port"),
	DEFINE_PROP(fdc, irq_num, "irq", PROP_U32, 6, "ISA interrupt line"),
	DEFINE_PROP(fdc, dma_channel, "dma", PROP_U32, 2, "DMA channel"),
	DEFINE_PROP_STR(fdc, fallback_name, "fallback", "288",
			"drive-type of a drive without a disk: 120, 144 or 288"),
	DEFINE_PROP_END,
};

static bool fdc_realize(struct device *dev, struct error *err)
{
	struct fdc *s = container_of(dev, struct fdc, dev);

	if (bus_next(dev->machine, BUS_FLOPPY, NULL))
		return error_set(err, "isa-fdc: the machine has a floppy controller already");
	if (!floppy_parse_type(s->fallback_name, &s->fallback))
		return error_set(err, "isa-fdc: fallback must be 120, 144 or 288, not '%s'",
				 s->fallback_name);
	if (s->iobase > 0xfff8)
		return error_set(err, "isa-fdc: ports from 0x%x do not fit in the I/O space",
				 s->iobase);
	s->dma = i8257_find(dev->machine);
	if (s->dma && !i8257_connect(s->dma, s->dma_channel, on_dma_ready, s))
		return error_set(err, "isa-fdc: DMA channel %u can't be had", s->dma_channel);
	if (!isa_connect_irq(dev, &s->irq, s->irq_num, err)) {
		if (s->dma)
			i8257_connect(s->dma, s->dma_channel, NULL, NULL);
		return false;
	}
	s->io = xzalloc(sizeof(*s->io));
	s->io->fdc = s;
	bus_init(&s->bus, dev, BUS_FLOPPY, "floppy-bus");
	region_init_io(&s->ports, "fdc", &fdc_ops, s, FDC_REGS);
	region_init_io(&s->dir_port, "fdc-dir", &dir_ops, s, 1);
	isa_add_ports(dev, &s->ports, s->iobase, err);
	isa_add_ports(dev, &s->dir_port, s->iobase + DIR_PORT, err);
	return true;
}

static void fdc_unrealize(struct device *dev)
{
	struct fdc *s = container_of(dev, struct fdc, dev);

	bus_fini(&s->bus);
	if (s->dma && i8257_find(dev->machine)) {
		set_dreq(s, false);
		i8257_connect(s->dma, s->dma_channel, NULL, NULL);
	}
	if (s->io->busy)
		s->io->fdc = NULL; /* freed when it comes back */
	else
		free(s->io);
	isa_disconnect_irq(&s->irq);
	region_remove(&s->ports);
	region_remove(&s->dir_port);
}

const struct device_type isa_fdc_type = {
	.name = "isa-fdc",
	.desc = "82078 floppy disk controller",
	.bus = BUS_ISA,
	.user_creatable = true,
	.size = sizeof(struct fdc),
	.props = fdc_props,
	.state = &fdc_state,
	.realize = fdc_realize,
	.reset = fdc_device_reset,
	.unrealize = fdc_unrealize,
};
