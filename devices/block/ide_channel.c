/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An IDE channel: the ports through which a PC sees the two drives of a cable, and the bus master that
 * moves their data.
 *
 * ATA/ATAPI-7 volume 2 (T13/1532D) 6.2 "I/O registers", 9.2 "Software reset protocol"; Programming Interface for Bus
 * Master IDE Controller (SFF-8038i) revision 1.0; 82371SB PIIX3 (290550-002) 2.7 "PCI IDE function".
 *
 *	port	name	width	access	reset	section
 *	0-7	the task file of the selected drive: see ata.c; DATA takes 16 and 32 bits
 *	ctl 0	ALTERNATE STATUS	8	R	-	ata7v2 6.2.1
 *	ctl 0	DEVICE CONTROL		8	W	00	ata7v2 6.2.6
 *	bm 0	BMIC	8	RW	00	290550 2.7.1
 *	bm 2	BMIS	8	RWC	60	290550 2.7.2; both drives can do DMA
 *	bm 4	BMIDTP	32	RW	0	290550 2.7.3
 *
 * Both drives take what is written to the task file; the selected one executes, answers, and drives
 * INTRQ.
 *
 * Deviates because: the bus master's direction bit is not compared with the command's; no guest gets
 * it wrong and means it.
 */
#include "devices/block/ide.h"
#include "devices/isa.h"
#include "src/log.h"

#define DEV_CONTROL_KEPT (ATA_CONTROL_NIEN | ATA_CONTROL_SRST | ATA_CONTROL_HOB)

#define BMIC   0
#define BMIS   2
#define BMIDTP 4

#define BMIC_START    0x01
#define BMIC_TO_HOST  0x08
#define BMIC_WRITABLE (BMIC_START | BMIC_TO_HOST)

#define BMIS_ACTIVE	  0x01
#define BMIS_ERROR	  0x02
#define BMIS_INTERRUPT	  0x04
#define BMIS_CAPABLE	  0x60 /* each drive's bit; software's own */
#define BMIS_WRITE1_CLEAR (BMIS_ERROR | BMIS_INTERRUPT)

#define PRD_BYTES   8
#define PRD_ENTRIES 8192 /* of a table, which does not leave its 64 KiB */
#define PRD_EOT	    0x80000000
#define PRD_COUNT   0xfffe
#define PRD_MAX	    65536

static struct ata_device *selected(const struct ide_channel *ch)
{
	return ch->bus.ports[ch->select].ata;
}

static void update_irq(struct ide_channel *ch)
{
	const struct ata_device *ata = selected(ch);

	irq_set(&ch->irq, ata && ata->intrq && !(ch->control & ATA_CONTROL_NIEN));
}

/* ---- data that vCPUs fetch by themselves ---- */

/*
 * The rest of the DRQ block, and the status beside it. A host that has turned interrupts off gets all of the buffer: what
 * happens between two blocks is then seen by nobody.
 */
static void offer(struct ide_channel *ch)
{
	struct ata_device *ata = selected(ch);
	struct region_stream *s = &ch->stream;

	if (ch->in_access || !ata || ata->draining || ata->phase != ATA_PHASE_PIO_IN ||
	    (ch->control & ATA_CONTROL_SRST) || log_enabled(LOG_TRACE))
		return;
	s->quiet = ch->control & ATA_CONTROL_NIEN;
	s->status = ata->tf.status;
	s->mark = ata->drq_end;
	s->mark_step = s->quiet && ata->op == ATA_OP_READ ? ata->block_sectors * ATA_SECTOR : 0;
	region_stream_open(s, ata->buffer, ata->pos, s->mark_step ? ata->len : ata->drq_end,
			   ata->intrq);
}

static void settle(struct ide_channel *ch)
{
	struct ata_device *ata = selected(ch);
	uint32_t pos;
	bool noted;

	if (!region_stream_close(&ch->stream, &pos, &noted))
		return;
	while (pos >= ata->drq_end)
		ata_pio_moved(ata);
	ata->pos = pos;
	ata_set_intrq(ata, noted);
}

/* The drive's state is another one now. */
static void forget_stream(struct ide_channel *ch)
{
	uint32_t pos;
	bool noted;

	region_stream_close(&ch->stream, &pos, &noted);
}

/* Around whatever the channel does for the host. */
static void begin_access(struct ide_channel *ch)
{
	ch->in_access = true;
	settle(ch);
}

static void end_access(struct ide_channel *ch)
{
	ch->in_access = false;
	offer(ch);
}

/* ---- the data port ---- */

/* Up to BYTES of the DRQ block that is due in this direction. */
static uint32_t due(const struct ata_device *ata, enum ata_phase phase, uint32_t bytes)
{
	if (!ata || ata->draining || ata->phase != phase)
		return 0;
	return MIN(bytes, ata->drq_end - ata->pos);
}

static void moved(struct ata_device *ata, uint32_t bytes)
{
	ata->pos += bytes;
	if (ata->pos == ata->drq_end)
		ata_pio_moved(ata);
}

static uint32_t read_data(struct ide_channel *ch, unsigned size)
{
	struct ata_device *ata = selected(ch);
	uint32_t value = 0, n = due(ata, ATA_PHASE_PIO_IN, size);

	if (!n)
		return 0;
	memcpy(&value, ata->buffer + ata->pos, n);
	moved(ata, n);
	return value;
}

static void write_data(struct ide_channel *ch, uint32_t value, unsigned size)
{
	struct ata_device *ata = selected(ch);
	uint32_t n = due(ata, ATA_PHASE_PIO_OUT, size);

	if (!n)
		return;
	memcpy(ata->buffer + ata->pos, &value, n);
	moved(ata, n);
}

/* As many as fit into the DRQ block; the rest goes the way of single accesses. */
static unsigned command_read_string(void *opaque, uint64_t offset, void *buf, unsigned size,
				    unsigned count)
{
	struct ide_channel *ch = opaque;
	struct ata_device *ata = selected(ch);
	unsigned n;

	if (offset != ATA_REG_DATA)
		return 0;
	begin_access(ch);
	n = due(ata, ATA_PHASE_PIO_IN, size * count) / size;
	if (n) {
		memcpy(buf, ata->buffer + ata->pos, n * size);
		moved(ata, n * size);
	}
	end_access(ch);
	return n;
}

static unsigned command_write_string(void *opaque, uint64_t offset, const void *buf, unsigned size,
				     unsigned count)
{
	struct ata_device *ata = selected(opaque);
	unsigned n = offset == ATA_REG_DATA ? due(ata, ATA_PHASE_PIO_OUT, size * count) / size : 0;

	if (!n)
		return 0;
	memcpy(ata->buffer + ata->pos, buf, n * size);
	moved(ata, n * size);
	return n;
}

/* ---- the task file ---- */

static uint8_t channel_status(const struct ide_channel *ch)
{
	const struct ata_device *ata = selected(ch);

	if (!ata)
		return 0;
	return ch->control & ATA_CONTROL_SRST ? ATA_STATUS_BSY : ata_status(ata);
}

static uint64_t read_command_block(struct ide_channel *ch, uint64_t offset, unsigned size)
{
	struct ata_device *ata = selected(ch);
	uint8_t status;

	if (offset == ATA_REG_DATA)
		return read_data(ch, size);
	if (!ata)
		return 0;
	if (offset != ATA_REG_STATUS)
		return ata_read_reg(ata, offset, ch->control & ATA_CONTROL_HOB);
	status = channel_status(ch);
	ata_ack(ata);
	return status;
}

static uint64_t command_read(void *opaque, uint64_t offset, unsigned size)
{
	struct ide_channel *ch = opaque;
	uint64_t value;

	begin_access(ch);
	value = read_command_block(ch, offset, size);
	end_access(ch);
	return value;
}

static void write_command(struct ide_channel *ch, uint8_t command)
{
	struct ata_device *ata = selected(ch), *first = ch->bus.ports[0].ata;
	struct ata_device *second = ch->bus.n_units > 1 ? ch->bus.ports[1].ata : NULL;

	if (!ata || (ch->control & ATA_CONTROL_SRST))
		return;
	/* Both carry it out, whichever is selected, and the first speaks for both (acs 7.13). */
	if (command == ATA_CMD_DIAGNOSTIC && first) {
		if (second && !(ata_status(second) & (ATA_STATUS_BSY | ATA_STATUS_DRQ)))
			ata_signature(second);
		ch->select = 0;
		ata = first;
	}
	ata_execute(ata, command);
}

static void write_command_block(struct ide_channel *ch, uint64_t offset, uint64_t value,
				unsigned size)
{
	if (offset == ATA_REG_DATA) {
		write_data(ch, value, size);
		return;
	}
	ch->control &= ~ATA_CONTROL_HOB;
	if (offset == ATA_REG_COMMAND) {
		write_command(ch, value);
		return;
	}
	for (unsigned unit = 0; unit < ch->bus.n_units; unit++)
		if (ch->bus.ports[unit].ata)
			ata_write_reg(ch->bus.ports[unit].ata, offset, value);
	if (offset == ATA_REG_DEVICE) {
		ch->select = !!(value & ATA_DEVICE_DEV);
		update_irq(ch);
	}
}

static void command_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct ide_channel *ch = opaque;

	begin_access(ch);
	write_command_block(ch, offset, value, size);
	end_access(ch);
}

static const struct region_ops command_ops = {
	.read = command_read,
	.write = command_write,
	.min_size = 1,
	.max_size = 4,
	.read_string = command_read_string,
	.write_string = command_write_string,
};

/* ---- device control ---- */

static uint64_t control_read(void *opaque, uint64_t offset, unsigned size)
{
	return channel_status(opaque); /* nothing that changes while a stream is open */
}

static void control_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct ide_channel *ch = opaque;
	bool reset = value & ~ch->control & ATA_CONTROL_SRST;

	begin_access(ch);
	ch->control = value & DEV_CONTROL_KEPT;
	if (reset) {
		ch->select = 0;
		for (unsigned unit = 0; unit < ch->bus.n_units; unit++)
			if (ch->bus.ports[unit].ata)
				ata_reset(ch->bus.ports[unit].ata, false);
	}
	update_irq(ch);
	end_access(ch);
}

static const struct region_ops control_ops = {
	.read = control_read, .write = control_write, .min_size = 1, .max_size = 1};

/* ---- the bus master ---- */

/* 290550 2.7.4: an address, and a length of which 0 is 64 KiB; the last one is marked. */
static bool bm_next(struct machine *m, struct prd_walk *w)
{
	uint32_t prd[2];

	if (!dma_read(m, w->next, prd, sizeof(prd)))
		return false;
	w->next += PRD_BYTES;
	w->addr = prd[0] & ~1u;
	w->left = (prd[1] & PRD_COUNT) ?: PRD_MAX;
	w->entries = prd[1] & PRD_EOT ? 0 : w->entries - 1;
	return true;
}

static bool bm_is_on(struct ata_port *port)
{
	const struct ide_channel *ch = port->opaque;

	return (ch->bm_command & BMIC_START) && (ch->bm_status & BMIS_ACTIVE) &&
	       port == &ch->bus.ports[ch->select] && ch->dma_allowed &&
	       ch->dma_allowed(ch->controller);
}

static bool bm_map(struct ata_port *port, struct ata_io *io, size_t bytes, size_t unit)
{
	struct ide_channel *ch = port->opaque;

	ch->after = ch->walk;
	ch->after_run = ch->run;
	return prd_map(ch->controller->machine, &ch->after, bm_next, io, bytes, unit);
}

/* What was mapped before the bus master was stopped and started is none of the new table's. */
static void bm_commit(struct ata_port *port, struct ata_io *io)
{
	struct ide_channel *ch = port->opaque;

	if (ch->after_run == ch->run)
		ch->walk = ch->after;
}

/* 290550 table 8 has what Active and Interrupt say together. */
static void bm_end(struct ata_port *port, enum ata_dma_end how)
{
	struct ide_channel *ch = port->opaque;

	if (how == ATA_DMA_BAD)
		ch->bm_status |= BMIS_ERROR;
	if (how == ATA_DMA_BAD || how == ATA_DMA_SHORT || prd_at_end(&ch->walk))
		ch->bm_status &= ~BMIS_ACTIVE;
}

static void bm_start(struct ide_channel *ch)
{
	ch->run++;
	ch->bm_status |= BMIS_ACTIVE;
	ch->walk = (struct prd_walk){.next = ch->bm_table, .entries = PRD_ENTRIES};
	ide_channel_dma_changed(ch);
}

void ide_channel_dma_changed(struct ide_channel *ch)
{
	struct ata_port *port = &ch->bus.ports[ch->select];

	if (port->ata && bm_is_on(port))
		ata_dma_ready(port->ata);
}

uint32_t ide_bm_read(const struct ide_channel *ch, unsigned offset, unsigned size)
{
	uint8_t regs[8] = {[BMIC] = ch->bm_command, [BMIS] = ch->bm_status};

	stn_le(regs + BMIDTP, 4, ch->bm_table);
	return ldn_le(regs + offset, size);
}

static void bm_write_byte(struct ide_channel *ch, unsigned offset, uint8_t value)
{
	uint8_t was = ch->bm_command;
	unsigned shift = 8 * (offset - BMIDTP);

	switch (offset) {
	case BMIC:
		ch->bm_command = value & BMIC_WRITABLE;
		if (!(value & BMIC_START))
			ch->bm_status &= ~BMIS_ACTIVE;
		else if (!(was & BMIC_START))
			bm_start(ch);
		break;
	case BMIS:
		ch->bm_status = (value & BMIS_CAPABLE) | (ch->bm_status & BMIS_ACTIVE) |
				(ch->bm_status & BMIS_WRITE1_CLEAR & ~value);
		break;
	case BMIDTP:
	case BMIDTP + 1:
	case BMIDTP + 2:
	case BMIDTP + 3:
		ch->bm_table = (ch->bm_table & ~(0xffu << shift)) | (uint32_t)value << shift;
		ch->bm_table &= ~3u;
		break;
	}
}

void ide_bm_write(struct ide_channel *ch, unsigned offset, uint32_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		bm_write_byte(ch, offset + i, value >> 8 * i);
}

/* ---- the drives' side ---- */

/* The host comes for the data. */
static void channel_pio(struct ata_port *port)
{
	offer(port->opaque);
}

static void channel_settle(struct ata_port *port)
{
	struct ide_channel *ch = port->opaque;
	bool in_access = ch->in_access;

	if (port != &ch->bus.ports[ch->select])
		return;
	ch->in_access = true;
	settle(ch);
	ch->in_access = in_access;
}

static void channel_intrq(struct ata_port *port)
{
	struct ide_channel *ch = port->opaque;
	bool was = ch->irq.level;

	update_irq(ch);
	if (ch->irq.level && !was)
		ch->bm_status |= BMIS_INTERRUPT;
}

static void channel_restored(struct ata_port *port)
{
	forget_stream(port->opaque);
	update_irq(port->opaque);
}

static void channel_complete(struct ata_port *port)
{
}

static void channel_queued_complete(struct ata_port *port, unsigned tag, bool ok)
{
}

static const struct ata_port_ops channel_ops = {
	.pio = channel_pio,
	.dma_is_on = bm_is_on,
	.dma_map = bm_map,
	.dma_commit = bm_commit,
	.dma_end = bm_end,
	.intrq = channel_intrq,
	.complete = channel_complete,
	.queued_complete = channel_queued_complete,
	.reset_done = channel_complete,
	.ready = channel_complete,
	.restored = channel_restored,
	.settle = channel_settle,
};

/* The drives are devices of their own, and are reset as such. */
void ide_channel_reset(struct ide_channel *ch)
{
	begin_access(ch);
	ch->control = ch->select = 0;
	ch->bm_command = 0;
	ch->bm_status = BMIS_CAPABLE;
	ch->bm_table = 0;
	ch->run++;
	ch->walk = (struct prd_walk){0};
	update_irq(ch);
	end_access(ch);
}

static bool channel_post_load(void *opaque, struct error *err)
{
	struct ide_channel *ch = opaque;

	ch->control &= DEV_CONTROL_KEPT;
	ch->select &= 1;
	ch->bm_command &= BMIC_WRITABLE;
	ch->bm_status &= BMIS_CAPABLE | BMIS_ACTIVE | BMIS_WRITE1_CLEAR;
	ch->walk.entries = MIN(ch->walk.entries, PRD_ENTRIES);
	ch->run++;
	forget_stream(ch);
	update_irq(ch);
	return true;
}

const struct state_desc ide_channel_state = {
	.name = "ide-channel",
	.version = 1,
	STATE_SPAN(ide_channel),
	.post_load = channel_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(ide_channel, walk, prd_walk_state),
			STATE_FIELD(ide_channel, bm_table),
			STATE_FIELD(ide_channel, bm_command),
			STATE_FIELD(ide_channel, bm_status),
			STATE_FIELD(ide_channel, control),
			STATE_FIELD(ide_channel, select),
			STATE_END,
		},
};

void ide_channel_init(struct ide_channel *ch, struct device *controller, unsigned channel,
		      bool (*dma_allowed)(struct device *controller))
{
	ch->controller = controller;
	ch->dma_allowed = dma_allowed;
	region_init_io(&ch->command, "ide-command", &command_ops, ch, ATA_REGS);
	region_init_io(&ch->control_port, "ide-control", &control_ops, ch, 1);
	ch->command.posted = ch->control_port.posted = true;
	ch->command.tap = (struct region_tap){&ch->stream, ATA_REG_DATA, ATA_REG_STATUS, true};
	ch->control_port.tap = (struct region_tap){&ch->stream, TAP_NONE, 0, false};
	ide_bus_init(&ch->bus, controller, channel, 2, &channel_ops, ch);
}

void ide_channel_fini(struct ide_channel *ch)
{
	ide_bus_fini(&ch->bus);
	isa_disconnect_irq(&ch->irq);
	region_remove(&ch->command);
	region_remove(&ch->control_port);
}
