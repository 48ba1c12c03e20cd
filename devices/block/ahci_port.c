/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A port of an AHCI controller: its registers, and the way of a command from its slot to the device and of frames back.
 *
 * Serial ATA AHCI 1.3.1 section 3.3 "Port registers", 4.2 "Received FIS structure", 4.2.2 "Command list", 5.3 "HBA port
 * state machine", 6.2 "Error reporting"; frames: Serial ATA 2.6 section 10.3.
 *
 *	offset	name	access	reset	section
 *	00, 04	CLB	RW	0	3.3.1
 *	08, 0c	FB	RW	0	3.3.3
 *	10	IS	RWC	0	3.3.5
 *	14	IE	RW	0	3.3.6
 *	18	CMD	RW	6	3.3.7
 *	20	TFD	R	-	3.3.8; the device's registers as they are
 *	24	SIG	R	-	3.3.9
 *	28	SSTS	R	-	3.3.10
 *	2c	SCTL	RW	0	3.3.11
 *	30	SERR	RWC	0	3.3.12
 *	34	SACT	RW1	0	3.3.13
 *	38	CI	RW1	0	3.3.14
 *
 * One command at a time is the device's (SLOT) until it is done; queued ones are given to it as they come, and their slots'
 * walks are used by tag. After an error nothing more is fetched until software clears CMD.ST (6.2.2).
 *
 * Not modelled: the descriptors' own interrupt (DPS), unknown FIS, link errors.
 */
#include "devices/block/ahci.h"

#define PX_CLB	0x00
#define PX_CLBU 0x04
#define PX_FB	0x08
#define PX_FBU	0x0c
#define PX_IS	0x10
#define PX_IE	0x14
#define PX_CMD	0x18
#define PX_TFD	0x20
#define PX_SIG	0x24
#define PX_SSTS 0x28
#define PX_SCTL 0x2c
#define PX_SERR 0x30
#define PX_SACT 0x34
#define PX_CI	0x38

#define CLB_MASK 0xfffffffffffffc00ull
#define FB_MASK	 0xffffffffffffff00ull

#define IS_DHRS BIT(0) /* a register frame with I came */
#define IS_PSS	BIT(1) /* a PIO set-up frame's data have gone */
#define IS_SDBS BIT(3) /* a set device bits frame came */
#define IS_PCS	BIT(6) /* follows SERR.DIAG.X */
#define IS_PRCS BIT(22)
#define IS_OFS	BIT(24) /* more data than there is memory for */
#define IS_HBFS BIT(29) /* memory that isn't there */
#define IS_TFES BIT(30)
#define IS_RWC	0xfd8000afu
#define IE_MASK 0xfdc000ffu

#define CMD_ST	      BIT(0)
#define CMD_SUD	      BIT(1)
#define CMD_POD	      BIT(2)
#define CMD_CLO	      BIT(3)
#define CMD_FRE	      BIT(4)
#define CMD_CCS_SHIFT 8
#define CMD_CCS	      (0x1fu << CMD_CCS_SHIFT)
#define CMD_FR	      BIT(14)
#define CMD_CR	      BIT(15)
#define CMD_ATAPI     BIT(24)
#define CMD_WRITABLE  (CMD_ST | CMD_FRE | CMD_ATAPI)
#define CMD_ALWAYS    (CMD_SUD | CMD_POD)

#define SIG_DISK    0x00000101
#define SIG_CD	    0xeb140101
#define SIG_NONE    0xffffffff
#define TFD_NOBODY  0x7f
#define SSTS_ACTIVE 0x123 /* 3 Gb/s */
#define SSTS_RESET  0x001
#define SCTL_DET    0x00f
#define SCTL_RESET  0x001
#define SCTL_OFF    0x004
#define SCTL_MASK   0xfff
#define SERR_X	    BIT(26) /* a device is there now */

/* Where each frame is put, from FB (4.2.1) */
#define FB_PIO_SETUP 0x20
#define FB_REGISTER  0x40
#define FB_SET_BITS  0x58

#define FIS_HOST      0x27
#define FIS_REGISTER  0x34
#define FIS_PIO_SETUP 0x5f
#define FIS_SET_BITS  0xa1
#define FIS_BYTES     20
#define FIS_COMMAND   0x80 /* of byte 1, to the device: it is one, not the control register */
#define FIS_PORT      0x0f
#define FIS_INTERRUPT 0x40
#define FIS_TO_HOST   0x20

/* Command header (4.2.2) */
#define HEADER_BYTES	   32
#define HEADER_CFL	   0x1f
#define HEADER_ATAPI	   BIT(5)
#define HEADER_PRDTL_SHIFT 16
#define HEADER_PRDBC	   4
#define HEADER_CTBA_MASK   0xffffffffffffff80ull

/* Command table (4.2.3) */
#define TABLE_ACMD 0x40
#define TABLE_PRDT 0x80
#define PRD_BYTES  16
#define PRD_COUNT  0x3fffff

static struct ata_device *device_of(const struct ahci_port *p)
{
	return p->bus.ports[0].ata;
}

static struct machine *machine_of(const struct ahci_port *p)
{
	return p->hba->pci.dev.machine;
}

static void raise_irq(struct ahci_port *p, uint32_t bits)
{
	p->is |= bits;
	ahci_update_irq(p->hba);
}

static uint8_t port_status(const struct ahci_port *p)
{
	const struct ata_device *ata = device_of(p);
	uint8_t status;

	if (!ata || (p->sctl & SCTL_DET))
		return TFD_NOBODY;
	status = p->srst ? ATA_STATUS_BSY : ata_status(ata);
	return p->clo ? status & ~(ATA_STATUS_BSY | ATA_STATUS_DRQ) : status;
}

/* ---- frames to the host ---- */

static void post_frame(struct ahci_port *p, unsigned offset, const uint8_t *fis, unsigned bytes)
{
	if ((p->cmd & CMD_FRE) && !pci_dma_write(&p->hba->pci, p->fb + offset, fis, bytes))
		raise_irq(p, IS_HBFS);
}

static void fill_frame(const struct ata_device *ata, uint8_t *fis)
{
	const struct ata_taskfile *tf = &ata->tf;

	fis[2] = ata_status(ata);
	fis[3] = tf->error;
	fis[4] = tf->low;
	fis[5] = tf->mid;
	fis[6] = tf->high;
	fis[7] = tf->device;
	fis[8] = tf->hob_low;
	fis[9] = tf->hob_mid;
	fis[10] = tf->hob_high;
	fis[12] = tf->count;
	fis[13] = tf->hob_count;
}

static void post_registers(struct ahci_port *p, bool interrupt)
{
	uint8_t fis[FIS_BYTES] = {FIS_REGISTER, interrupt ? FIS_INTERRUPT : 0};

	p->clo = false;
	fill_frame(device_of(p), fis);
	post_frame(p, FB_REGISTER, fis, sizeof(fis));
	if (interrupt)
		raise_irq(p, IS_DHRS);
}

/* E_STATUS is what the device will show when these bytes have gone. */
static void post_pio_setup(struct ahci_port *p, uint32_t bytes, bool to_host, bool interrupt,
			   uint8_t e_status)
{
	uint8_t fis[FIS_BYTES] = {FIS_PIO_SETUP,
				  (to_host ? FIS_TO_HOST : 0) | (interrupt ? FIS_INTERRUPT : 0)};

	p->clo = false;
	fill_frame(device_of(p), fis);
	fis[15] = e_status;
	stn_le(&fis[16], 2, bytes);
	post_frame(p, FB_PIO_SETUP, fis, sizeof(fis));
}

static void post_set_bits(struct ahci_port *p, uint32_t tags)
{
	const struct ata_device *ata = device_of(p);
	uint8_t fis[8] = {FIS_SET_BITS, FIS_INTERRUPT, ata->tf.status & 0x77, ata->tf.error};

	stn_le(&fis[4], 4, tags);
	post_frame(p, FB_SET_BITS, fis, sizeof(fis));
}

/* ---- slots ---- */

static void slot_done(struct ahci_port *p, unsigned slot)
{
	p->ci &= ~BIT(slot);
}

/* PRDBC (4.2.2) */
static void post_moved(struct ahci_port *p, unsigned slot)
{
	uint32_t moved = p->moved[slot];

	pci_dma_write(&p->hba->pci, p->clb + slot * HEADER_BYTES + HEADER_PRDBC, &moved,
		      sizeof(moved));
}

/* 6.2.2.1: the slot keeps its bit in CI, and CCS names it. */
static void port_error(struct ahci_port *p, uint32_t bits)
{
	p->stopped = true;
	raise_irq(p, bits);
}

/* ---- the device's data ---- */

/* 4.2.3.3: an address, and a length less one. */
static bool next_prd(struct machine *m, struct prd_walk *w)
{
	uint8_t prd[PRD_BYTES];

	if (!dma_read(m, w->next, prd, sizeof(prd)))
		return false;
	w->next += PRD_BYTES;
	w->addr = ldn_le(prd, 8) & ~1ull;
	w->left = (ldn_le(prd + 12, 4) & PRD_COUNT) + 1;
	w->entries--;
	return true;
}

static unsigned slot_of(const struct ahci_port *p, const struct ata_io *io)
{
	return io->tag == ATA_NO_TAG ? p->slot : io->tag;
}

static bool port_dma_is_on(struct ata_port *port)
{
	const struct ahci_port *p = port->opaque;

	return (p->cmd & CMD_ST) && p->slot != AHCI_NO_SLOT && pci_bus_master(&p->hba->pci);
}

static bool port_dma_map(struct ata_port *port, struct ata_io *io, size_t bytes, size_t unit)
{
	struct ahci_port *p = port->opaque;
	unsigned slot = slot_of(p, io);

	if (slot == AHCI_NO_SLOT || !pci_bus_master(&p->hba->pci) ||
	    (io->tag != ATA_NO_TAG && !(p->sact & BIT(slot))))
		return false;
	p->after[slot] = p->walk[slot];
	return prd_map(machine_of(p), &p->after[slot], next_prd, io, bytes, unit);
}

static void port_dma_commit(struct ata_port *port, struct ata_io *io)
{
	struct ahci_port *p = port->opaque;
	unsigned slot = slot_of(p, io);

	if (slot == AHCI_NO_SLOT)
		return;
	p->walk[slot] = p->after[slot];
	p->moved[slot] += io->bytes;
}

static void port_dma_end(struct ata_port *port, enum ata_dma_end how)
{
	struct ahci_port *p = port->opaque;

	if (how == ATA_DMA_BAD)
		raise_irq(p, IS_HBFS);
	else if (how == ATA_DMA_SHORT)
		raise_irq(p, IS_OFS);
}

/* Between the buffer's DRQ block and the slot's memory, or from the packet's place. */
static bool move_block(struct ahci_port *p, struct ata_device *ata)
{
	uint8_t *buf = ata->buffer + ata->pos;
	uint32_t bytes = ata->drq_end - ata->pos;
	bool to_host = ata->phase == ATA_PHASE_PIO_IN;
	struct prd_walk *w = &p->walk[p->slot];

	if (ata->op == ATA_OP_PACKET && p->packet_at)
		return pci_dma_read(&p->hba->pci, p->packet_at, buf, bytes);
	while (bytes) {
		uint32_t n;

		if (!w->left && (!w->entries || !next_prd(machine_of(p), w)))
			return false;
		n = MIN(bytes, w->left);
		if (!(to_host ? pci_dma_write(&p->hba->pci, w->addr, buf, n)
			      : pci_dma_read(&p->hba->pci, w->addr, buf, n)))
			return false;
		w->addr += n;
		w->left -= n;
		p->moved[p->slot] += n;
		buf += n;
		bytes -= n;
	}
	return true;
}

/* What the last DRQ block of a PIO read leaves behind: there is no register frame after it. */
static bool block_is_last(const struct ata_device *ata)
{
	return ata->phase == ATA_PHASE_PIO_IN && !ata->is_cd && ata->drq_end == ata->len &&
	       (ata->op == ATA_OP_REPLY || !ata->left);
}

static void do_pio(struct ahci_port *p)
{
	struct ata_device *ata = device_of(p);
	bool interrupt = ata->intrq, to_host = ata->phase == ATA_PHASE_PIO_IN;

	ata_ack(ata);
	post_pio_setup(p, ata->drq_end - ata->pos, to_host, interrupt,
		       block_is_last(ata) ? ATA_STATUS_GOOD : ATA_STATUS_GOOD | ATA_STATUS_BSY);
	if (!move_block(p, ata)) {
		ata_fail(ata, ATA_ERROR_ABRT);
		port_error(p, IS_HBFS);
		return;
	}
	ata_pio_moved(ata);
	if (interrupt)
		raise_irq(p, IS_PSS);
}

/* A block's end may bring the next one: they are moved one after the other, not one within the other. */
static void port_pio(struct ata_port *port)
{
	struct ahci_port *p = port->opaque;

	p->pio_due = true;
	if (p->in_pio)
		return;
	p->in_pio = true;
	while (p->pio_due) {
		p->pio_due = false;
		if ((p->cmd & CMD_ST) && p->slot != AHCI_NO_SLOT && !p->stopped)
			do_pio(p);
	}
	p->in_pio = false;
}

/* ---- the device's events ---- */

/* Interrupts travel in frames. */
static void port_intrq(struct ata_port *port)
{
}

static void port_complete(struct ata_port *port)
{
	struct ahci_port *p = port->opaque;
	struct ata_device *ata = port->ata;
	bool interrupt = ata->intrq, failed = ata->tf.status & ATA_STATUS_ERR;
	unsigned slot = p->slot;

	ata_ack(ata);
	p->slot = AHCI_NO_SLOT;
	p->packet_at = 0;
	if (slot != AHCI_NO_SLOT) {
		post_moved(p, slot);
		if (!failed)
			slot_done(p, slot);
	}
	if (interrupt || failed)
		post_registers(p, true);
	if (failed)
		port_error(p, IS_TFES);
	else
		ahci_port_run(p);
}

static void port_queued_complete(struct ata_port *port, unsigned tag, bool ok)
{
	struct ahci_port *p = port->opaque;

	if (ok && !(p->sact & BIT(tag)))
		return; /* software has forgotten it meanwhile */
	post_moved(p, tag);
	p->clo = false;
	if (ok) {
		p->sact &= ~BIT(tag);
		post_set_bits(p, BIT(tag));
		raise_irq(p, IS_SDBS);
	} else {
		post_set_bits(p, 0);
		port_error(p, IS_SDBS | IS_TFES);
	}
}

static void port_reset_done(struct ata_port *port)
{
	struct ahci_port *p = port->opaque;

	if (p->slot != AHCI_NO_SLOT) /* DEVICE RESET, which ends like this */
		slot_done(p, p->slot);
	p->slot = AHCI_NO_SLOT;
	p->packet_at = 0;
	if (!p->srst)
		post_registers(p, false);
	ahci_port_run(p);
}

static void port_ready(struct ata_port *port)
{
	ahci_port_run(port->opaque);
}

static void port_restored(struct ata_port *port)
{
}

static const struct ata_port_ops port_ops = {
	.pio = port_pio,
	.dma_is_on = port_dma_is_on,
	.dma_map = port_dma_map,
	.dma_commit = port_dma_commit,
	.dma_end = port_dma_end,
	.intrq = port_intrq,
	.complete = port_complete,
	.queued_complete = port_queued_complete,
	.reset_done = port_reset_done,
	.ready = port_ready,
	.restored = port_restored,
};

/* ---- commands ---- */

/* Both of a soft reset's frames go through whatever the device is at (9.3.9 of Serial ATA 2.6). */
static void control_frame(struct ahci_port *p, unsigned slot, uint8_t control)
{
	struct ata_device *ata = device_of(p);
	bool srst = control & ATA_CONTROL_SRST, was = p->srst;

	p->srst = srst;
	p->clo = false;
	slot_done(p, slot);
	if (srst && !was) {
		p->slot = AHCI_NO_SLOT;
		p->packet_at = 0;
		p->sact = 0;
		ata_reset(ata, false);
	} else if (!srst && was && !ata->draining) {
		post_registers(p, false);
	}
}

static void load_taskfile(struct ata_device *ata, const uint8_t *fis)
{
	struct ata_taskfile *tf = &ata->tf;

	tf->feature = fis[3];
	tf->low = fis[4];
	tf->mid = fis[5];
	tf->high = fis[6];
	tf->device = fis[7];
	tf->hob_low = fis[8];
	tf->hob_mid = fis[9];
	tf->hob_high = fis[10];
	tf->hob_feature = fis[11];
	tf->count = fis[12];
	tf->hob_count = fis[13];
}

static void queued_command(struct ahci_port *p, unsigned slot, uint8_t command)
{
	/* Accepted, it needs the slot no more; refused, it has ended like any command that fails. */
	if (ata_execute_queued(device_of(p), command)) {
		slot_done(p, slot);
		if (p->slot == slot)
			p->slot = AHCI_NO_SLOT;
	}
}

/* 5.3.3: the header, the command frame, and then it is the device's. */
static void issue(struct ahci_port *p, unsigned slot)
{
	struct pci_device *pci = &p->hba->pci;
	struct ata_device *ata = device_of(p);
	uint8_t header[HEADER_BYTES], fis[FIS_BYTES];
	uint32_t flags;
	uint64_t table;
	bool queued;

	if (!pci_dma_read(pci, p->clb + slot * HEADER_BYTES, header, sizeof(header))) {
		port_error(p, IS_HBFS);
		return;
	}
	flags = ldn_le(header, 4);
	table = ldn_le(header + 8, 8) & HEADER_CTBA_MASK;
	if (!pci_dma_read(pci, table, fis, sizeof(fis))) {
		port_error(p, IS_HBFS);
		return;
	}
	if ((flags & HEADER_CFL) * 4 < FIS_BYTES || fis[0] != FIS_HOST || (fis[1] & FIS_PORT)) {
		guest_error(&pci->dev, "port %u: a command frame that nobody answers", p->n);
		p->stopped = true;
		return;
	}
	if (!(fis[1] & FIS_COMMAND)) {
		control_frame(p, slot, fis[15]);
		return;
	}
	if (p->srst || (ata_status(ata) & (ATA_STATUS_BSY | ATA_STATUS_DRQ))) {
		guest_error(&pci->dev, "port %u: a command for a device that is busy", p->n);
		p->stopped = true;
		return;
	}
	queued = fis[2] == ATA_CMD_READ_FPDMA_QUEUED || fis[2] == ATA_CMD_WRITE_FPDMA_QUEUED;
	p->walk[slot] = (struct prd_walk){.next = table + TABLE_PRDT,
					  .entries = flags >> HEADER_PRDTL_SHIFT};
	p->moved[slot] = 0;
	p->packet_at = flags & HEADER_ATAPI ? table + TABLE_ACMD : 0;
	p->slot = slot;
	load_taskfile(ata, fis);
	if (queued && fis[12] >> 3 == slot && (p->sact & BIT(slot)))
		queued_command(p, slot, fis[2]);
	else
		ata_execute(ata, queued ? ATA_CMD_NOP : fis[2]); /* which it aborts */
}

/* One of those that are asked for, in turn; AHCI_NO_SLOT: none. */
static unsigned find_slot(const struct ahci_port *p)
{
	for (unsigned i = 0; i < AHCI_SLOTS; i++) {
		unsigned slot = (p->next_slot + i) % AHCI_SLOTS;

		if (p->ci & BIT(slot))
			return slot;
	}
	return AHCI_NO_SLOT;
}

static bool may_issue(const struct ahci_port *p)
{
	const struct ata_device *ata = device_of(p);

	if (!ata || !(p->cmd & CMD_ST) || p->stopped || !pci_bus_master(&p->hba->pci) ||
	    (p->sctl & SCTL_DET))
		return false;
	return p->srst ||
	       (p->slot == AHCI_NO_SLOT && !(port_status(p) & (ATA_STATUS_BSY | ATA_STATUS_DRQ)));
}

void ahci_port_run(struct ahci_port *p)
{
	struct ata_port *port = &p->bus.ports[0];
	unsigned slot;

	if (p->in_engine)
		return;
	p->in_engine = true;
	while (may_issue(p) && (slot = find_slot(p)) != AHCI_NO_SLOT) {
		p->next_slot = (slot + 1) % AHCI_SLOTS;
		issue(p, slot);
	}
	p->in_engine = false;
	if (device_of(p) && port_dma_is_on(port))
		ata_dma_ready(device_of(p));
}

/* ---- registers ---- */

static uint32_t read_cmd(const struct ahci_port *p)
{
	unsigned slot = p->slot != AHCI_NO_SLOT ? p->slot : (p->next_slot - 1u) % AHCI_SLOTS;

	return p->cmd | CMD_ALWAYS | (p->cmd & CMD_ST ? CMD_CR | slot << CMD_CCS_SHIFT : 0) |
	       (p->cmd & CMD_FRE ? CMD_FR : 0);
}

static uint32_t read_tfd(const struct ahci_port *p)
{
	const struct ata_device *ata = device_of(p);

	return port_status(p) | (ata ? ata->tf.error << 8 : 0);
}

static uint32_t read_ssts(const struct ahci_port *p)
{
	if ((p->sctl & SCTL_DET) == SCTL_OFF)
		return SCTL_OFF;
	if (!device_of(p))
		return 0;
	return (p->sctl & SCTL_DET) == SCTL_RESET ? SSTS_RESET : SSTS_ACTIVE;
}

static uint32_t read_sig(const struct ahci_port *p)
{
	const struct ata_device *ata = device_of(p);

	return ata ? ata->is_cd ? SIG_CD : SIG_DISK : SIG_NONE;
}

uint32_t ahci_port_read(struct ahci_port *p, unsigned offset)
{
	switch (offset) {
	case PX_CLB:
		return p->clb;
	case PX_CLBU:
		return p->clb >> 32;
	case PX_FB:
		return p->fb;
	case PX_FBU:
		return p->fb >> 32;
	case PX_IS:
		return p->is;
	case PX_IE:
		return p->ie;
	case PX_CMD:
		return read_cmd(p);
	case PX_TFD:
		return read_tfd(p);
	case PX_SIG:
		return read_sig(p);
	case PX_SSTS:
		return read_ssts(p);
	case PX_SCTL:
		return p->sctl;
	case PX_SERR:
		return p->serr;
	case PX_SACT:
		return p->sact;
	case PX_CI:
		return p->ci;
	default:
		return 0;
	}
}

/* What software has asked for is forgotten; what the device does about it goes on, and nobody hears of it. */
static void forget_commands(struct ahci_port *p)
{
	p->ci = p->sact = 0;
	p->slot = AHCI_NO_SLOT;
	p->next_slot = 0;
	p->packet_at = 0;
	p->stopped = false;
}

static void write_cmd(struct ahci_port *p, uint32_t value)
{
	bool was = p->cmd & CMD_ST;

	if ((value & CMD_CLO) && !was)
		p->clo = true;
	p->cmd = value & CMD_WRITABLE;
	if (was && !(value & CMD_ST))
		forget_commands(p);
	ahci_port_run(p);
}

/* COMRESET (10.4.2). */
static void reset_link(struct ahci_port *p)
{
	p->slot = AHCI_NO_SLOT;
	p->packet_at = 0;
	p->srst = p->clo = false;
	if (!device_of(p))
		return;
	p->serr |= SERR_X;
	ata_reset(device_of(p), true);
	raise_irq(p, IS_PCS);
}

static void write_sctl(struct ahci_port *p, uint32_t value)
{
	unsigned was = p->sctl & SCTL_DET, now = value & SCTL_DET;

	p->sctl = value & SCTL_MASK;
	if (was != now && now == 0)
		reset_link(p);
}

static void write_serr(struct ahci_port *p, uint32_t value)
{
	p->serr &= ~value;
	if (!(p->serr & SERR_X))
		p->is &= ~IS_PCS;
}

void ahci_port_write(struct ahci_port *p, unsigned offset, uint32_t value)
{
	switch (offset) {
	case PX_CLB:
		p->clb = ((p->clb & ~0xffffffffull) | value) & CLB_MASK;
		break;
	case PX_CLBU:
		p->clb = (uint32_t)p->clb | (uint64_t)value << 32;
		break;
	case PX_FB:
		p->fb = ((p->fb & ~0xffffffffull) | value) & FB_MASK;
		break;
	case PX_FBU:
		p->fb = (uint32_t)p->fb | (uint64_t)value << 32;
		break;
	case PX_IS:
		p->is &= ~(value & IS_RWC);
		break;
	case PX_IE:
		p->ie = value & IE_MASK;
		ahci_update_irq(p->hba);
		break;
	case PX_CMD:
		write_cmd(p, value);
		break;
	case PX_SCTL:
		write_sctl(p, value);
		break;
	case PX_SERR:
		write_serr(p, value);
		break;
	case PX_SACT:
		if (p->cmd & CMD_ST)
			p->sact |= value;
		break;
	case PX_CI:
		if (p->cmd & CMD_ST)
			p->ci |= value;
		ahci_port_run(p);
		break;
	}
}

/* ---- life ---- */

void ahci_port_reset(struct ahci_port *p)
{
	forget_commands(p);
	p->clb = p->fb = 0;
	p->is = p->ie = p->cmd = p->sctl = p->serr = 0;
	p->srst = p->clo = false;
	memset(p->walk, 0, sizeof(p->walk));
	memset(p->moved, 0, sizeof(p->moved));
}

void ahci_port_hba_reset(struct ahci_port *p)
{
	ahci_port_reset(p);
	reset_link(p);
	p->is = 0;
}

static bool port_post_load(void *opaque, struct error *err)
{
	struct ahci_port *p = opaque;

	if (p->slot > AHCI_NO_SLOT || p->next_slot >= AHCI_SLOTS)
		return error_set(err, "ich9-ahci: saved state is not possible");
	for (unsigned i = 0; i < AHCI_SLOTS; i++)
		p->walk[i].entries = MIN(p->walk[i].entries, UINT16_MAX);
	p->clb &= CLB_MASK;
	p->fb &= FB_MASK;
	p->ie &= IE_MASK;
	p->cmd &= CMD_WRITABLE;
	p->sctl &= SCTL_MASK;
	p->pio_due = false;
	return true;
}

const struct state_desc ahci_port_state = {
	.name = "ahci-port",
	.version = 1,
	STATE_SPAN(ahci_port),
	.post_load = port_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT_ARRAY(ahci_port, walk, prd_walk_state),
			STATE_ARRAY(ahci_port, moved),
			STATE_FIELD(ahci_port, clb),
			STATE_FIELD(ahci_port, fb),
			STATE_FIELD(ahci_port, packet_at),
			STATE_FIELD(ahci_port, is),
			STATE_FIELD(ahci_port, ie),
			STATE_FIELD(ahci_port, cmd),
			STATE_FIELD(ahci_port, sctl),
			STATE_FIELD(ahci_port, serr),
			STATE_FIELD(ahci_port, sact),
			STATE_FIELD(ahci_port, ci),
			STATE_FIELD(ahci_port, slot),
			STATE_FIELD(ahci_port, next_slot),
			STATE_FIELD(ahci_port, stopped),
			STATE_FIELD(ahci_port, srst),
			STATE_FIELD(ahci_port, clo),
			STATE_END,
		},
};

void ahci_port_init(struct ahci_port *p, struct ahci *hba, unsigned n)
{
	p->hba = hba;
	p->n = n;
	p->slot = AHCI_NO_SLOT;
	ide_bus_init(&p->bus, &hba->pci.dev, n, 1, &port_ops, p);
	p->bus.ports[0].serial = true;
}

void ahci_port_fini(struct ahci_port *p)
{
	ide_bus_fini(&p->bus);
}
