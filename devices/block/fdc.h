/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the halves of the floppy controller: fdc.c has registers and phases, fdc_commands.c the commands. Loop thread. */
#ifndef EVMM_DEVICES_FDC_H
#define EVMM_DEVICES_FDC_H

#include <sys/uio.h>
#include "devices/block/floppy.h"
#include "src/bus.h"

#define FDC_UNITS	    4 /* that a command can name */
#define FDC_CONFIG_POLL_OFF 0x10
#define FDC_SENSE_ALL	    0x0f

enum fdc_phase { FDC_COMMAND, FDC_EXECUTION, FDC_RESULT };
enum fdc_move { FDC_MOVE_NONE, FDC_MOVE_TO_HOST, FDC_MOVE_FROM_HOST };

/* One sector's way to the block engine; on the heap, for it may outlive the controller. */
struct fdc_io {
	struct block_req req;
	struct fdc *fdc; /* NULL: nobody waits any more */
	struct iovec iov;
	bool busy, reading;
	uint8_t bounce[FLOPPY_SECTOR];
};

/* The data command that is under way: where it is. */
struct fdc_cmd {
	uint8_t code, unit;
	uint8_t c, h, r, n, eot; /* cylinder, head, sector, its size code, last sector of a track */
	uint8_t left;		 /* FORMAT TRACK: sectors */
	uint8_t fill;
	uint8_t head; /* that the command selects */
	uint8_t ids[4];
};

struct fdc {
	struct device dev;

	/* configuration */
	uint32_t iobase, irq_num, dma_channel;
	char *fallback_name;
	enum floppy_drive_type fallback;
	struct region ports, dir_port;
	struct device *dma;
	struct bus bus;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint16_t pos, len; /* in buffer */
	uint8_t dor, tdr, dsr, ccr;
	uint8_t phase, moving;
	uint8_t fifo_pos, fifo_len; /* command bytes that came; result bytes that there are */
	uint8_t st0, st1, st2;
	uint8_t config, precomp, perpendicular;
	uint8_t sense_pending; /* units that SENSE INTERRUPT STATUS has to tell of */
	uint8_t powerdown;
	uint8_t specify[2];
	uint8_t sense_st0[FDC_UNITS], cylinder[FDC_UNITS];
	uint8_t fifo[16];
	struct fdc_cmd cmd;
	bool lock, non_dma;
	bool tc; /* the host's count has run out */
	bool intpend;
	bool reset_sense; /* what is pending is a reset's */
	uint8_t buffer[FLOPPY_SECTOR];
	GUEST_VISIBLE_END;

	/* host side */
	struct floppy *drives[FLOPPY_DRIVES];
	struct irq irq;
	struct fdc_io *io;
	bool draining;	  /* reset or loaded while io was out */
	bool reset_waits; /* its end is due then */
	bool in_transfer;
};

/* ---- fdc.c ---- */
struct floppy *fdc_drive(const struct fdc *s, unsigned unit);
void fdc_raise(struct fdc *s);
void fdc_lower(struct fdc *s);
void fdc_to_command_phase(struct fdc *s);
/* BYTES of the FIFO are the result; 0: back to the command phase. */
void fdc_to_result_phase(struct fdc *s, unsigned bytes, bool interrupt);
/* The buffer's first BYTES travel; then fdc_sector_moved, with s->tc. */
void fdc_move(struct fdc *s, enum fdc_move direction, uint32_t bytes);
/* No more of it. */
void fdc_stop(struct fdc *s);
/* The buffer from or to the disk; then fdc_sector_done. */
void fdc_submit(struct fdc *s, struct floppy *f, uint64_t offset, bool write);
void fdc_reset_done(struct fdc *s);

/* ---- fdc_commands.c ---- */
/* How long the command in the FIFO is, as far as the first byte tells. */
unsigned fdc_command_bytes(const struct fdc *s);
void fdc_run(struct fdc *s);
void fdc_sector_done(struct fdc *s, int ret);
void fdc_sector_moved(struct fdc *s);
/* The request for the sector at hand is to be made anew. */
void fdc_sector_again(struct fdc *s);
bool fdc_command_is_possible(const struct fdc *s);

#endif
