/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 82078's commands: Intel 82078 44-pin data sheet (290475-002) section 5.2 "Data transfer commands", 5.3
 * "Control commands", 6 "Status register encoding".
 */
#include <errno.h>
#include "devices/block/fdc.h"

#define CMD_READ_TRACK	   0x02
#define CMD_SPECIFY	   0x03
#define CMD_SENSE_DRIVE	   0x04
#define CMD_WRITE	   0x05
#define CMD_READ	   0x06
#define CMD_RECALIBRATE	   0x07
#define CMD_SENSE_INT	   0x08
#define CMD_WRITE_DELETED  0x09
#define CMD_READ_ID	   0x0a
#define CMD_READ_DELETED   0x0c
#define CMD_FORMAT	   0x0d
#define CMD_DUMPREG	   0x0e
#define CMD_SEEK	   0x0f
#define CMD_VERSION	   0x10
#define CMD_PERPENDICULAR  0x12
#define CMD_CONFIGURE	   0x13
#define CMD_LOCK	   0x14
#define CMD_VERIFY	   0x16
#define CMD_POWERDOWN_MODE 0x17
#define CMD_PART_ID	   0x18
#define CMD_RELATIVE_SEEK  0x8f

#define CODE	      0x1f
#define MULTI_TRACK   0x80
#define SKIP_DELETED  0x20
#define RELATIVE_IN   0x40
#define LOCK_SET      0x80
#define PERP_WRITABLE 0x3f
#define PERP_OW	      0x80

#define ST0_ABNORMAL  0x40
#define ST0_INVALID   0x80
#define ST0_POLLING   0xc0
#define ST0_SEEK_END  0x20
#define ST0_EQUIPMENT 0x10

#define ST1_MISSING_MARK 0x01
#define ST1_NOT_WRITABLE 0x02
#define ST1_NO_DATA	 0x04
#define ST1_DATA_ERROR	 0x20
#define ST1_END_OF_TRACK 0x80
#define ST2_DATA_ERROR	 0x20
#define ST2_CONTROL_MARK 0x40

#define ST3_WRITE_PROTECT 0x40
#define ST3_READY	  0x20 /* the pin is strapped */
#define ST3_TRACK0	  0x10
#define ST3_TWO_SIDES	  0x08

#define VERSION_82078 0x90
#define PART_82078    0x41
#define SIZE_512      2 /* N */

static bool is_write(uint8_t code)
{
	return code == CMD_WRITE || code == CMD_WRITE_DELETED || code == CMD_FORMAT;
}

static uint8_t code_of(const struct fdc *s)
{
	return s->cmd.code & CODE;
}

/* ---- data commands ---- */

/* 5.2.1 table 5-4: the result names the sector after the last one. */
static void next_address(struct fdc_cmd *cmd)
{
	if (cmd->r < cmd->eot) {
		cmd->r++;
		return;
	}
	cmd->r = 1;
	if (cmd->code & MULTI_TRACK)
		cmd->h ^= 1;
	if (!(cmd->code & MULTI_TRACK) || !cmd->h)
		cmd->c++;
}

static void data_result(struct fdc *s, uint8_t st0, uint8_t st1, uint8_t st2)
{
	struct fdc_cmd *cmd = &s->cmd;

	fdc_stop(s);
	s->st0 = st0 | cmd->head << 2 | cmd->unit;
	s->st1 = st1;
	s->st2 = st2;
	s->fifo[0] = s->st0;
	s->fifo[1] = s->st1;
	s->fifo[2] = s->st2;
	s->fifo[3] = cmd->c;
	s->fifo[4] = cmd->h;
	s->fifo[5] = cmd->r;
	s->fifo[6] = cmd->n;
	fdc_to_result_phase(s, 7, true);
}

static void data_ok(struct fdc *s, uint8_t st2)
{
	next_address(&s->cmd);
	data_result(s, 0, 0, st2);
}

/* Is there such a sector, on a disk that the drive can read at this rate? ST1 of what is wrong. */
static uint8_t find_sector(const struct fdc *s, struct floppy **drive, uint64_t *offset)
{
	const struct fdc_cmd *cmd = &s->cmd;
	struct floppy *f = fdc_drive(s, cmd->unit);

	if (!floppy_has_disk(f) || !f->format || f->type == FLOPPY_NONE ||
	    f->format->rate != s->ccr)
		return ST1_MISSING_MARK;
	if (cmd->c >= f->format->tracks || cmd->h >= f->format->heads || cmd->h != cmd->head ||
	    !cmd->r || cmd->r > f->format->sectors || cmd->n != SIZE_512)
		return ST1_NO_DATA;
	*offset =
		((uint64_t)(cmd->c * f->format->heads + cmd->h) * f->format->sectors + cmd->r - 1) *
		FLOPPY_SECTOR;
	if (*offset + FLOPPY_SECTOR > block_bytes(f->conf.block))
		return ST1_NO_DATA;
	if (is_write(code_of(s)) && block_read_only(f->conf.block))
		return ST1_NOT_WRITABLE;
	*drive = f;
	return 0;
}

static bool check_sector(struct fdc *s)
{
	struct floppy *f;
	uint64_t offset;
	uint8_t st1 = find_sector(s, &f, &offset);

	if (!st1)
		f->track = s->cmd.c;
	else
		data_result(s, ST0_ABNORMAL, st1, 0);
	return !st1;
}

void fdc_sector_again(struct fdc *s)
{
	struct floppy *f;
	uint64_t offset;
	uint8_t st1 = find_sector(s, &f, &offset);

	if (st1)
		data_result(s, ST0_ABNORMAL, st1, 0);
	else
		fdc_submit(s, f, offset, is_write(code_of(s)));
}

/* The sector at hand: a read begins at the disk, a write at the host. */
static void begin_sector(struct fdc *s)
{
	if (!check_sector(s))
		return;
	if (is_write(code_of(s)))
		fdc_move(s, FDC_MOVE_FROM_HOST, FLOPPY_SECTOR);
	else
		fdc_sector_again(s);
}

/* The next one, with MT also on the other side; behind the last the track is over. */
static void next_sector(struct fdc *s)
{
	struct fdc_cmd *cmd = &s->cmd;

	if (s->tc) {
		data_ok(s, 0);
	} else if (cmd->r < cmd->eot) {
		cmd->r++;
		begin_sector(s);
	} else if ((cmd->code & MULTI_TRACK) && !cmd->head) {
		cmd->r = 1;
		cmd->h = cmd->head = 1;
		begin_sector(s);
	} else if (s->non_dma || code_of(s) == CMD_VERIFY) {
		data_ok(s, 0); /* there is nobody who could give TC */
	} else {
		next_address(cmd);
		data_result(s, ST0_ABNORMAL, ST1_END_OF_TRACK, 0);
	}
}

static void format_next(struct fdc *s)
{
	if (!s->cmd.left) {
		data_result(s, 0, 0, 0);
		return;
	}
	s->cmd.left--;
	fdc_move(s, FDC_MOVE_FROM_HOST, sizeof(s->cmd.ids));
}

/* The host has said which sector comes now. */
static void format_sector(struct fdc *s)
{
	struct fdc_cmd *cmd = &s->cmd;

	memcpy(cmd->ids, s->buffer, sizeof(cmd->ids));
	cmd->c = cmd->ids[0];
	cmd->h = cmd->ids[1];
	cmd->r = cmd->ids[2];
	cmd->n = cmd->ids[3];
	memset(s->buffer, cmd->fill, FLOPPY_SECTOR);
	if (check_sector(s))
		fdc_sector_again(s);
}

void fdc_sector_moved(struct fdc *s)
{
	switch (code_of(s)) {
	case CMD_FORMAT:
		format_sector(s);
		break;
	case CMD_WRITE:
	case CMD_WRITE_DELETED:
		fdc_sector_again(s);
		break;
	case CMD_READ_DELETED: /* there are none: 5.2.2 */
		data_ok(s, ST2_CONTROL_MARK);
		break;
	default:
		next_sector(s);
	}
}

void fdc_sector_done(struct fdc *s, int ret)
{
	if (s->phase != FDC_EXECUTION)
		return;
	if (ret < 0) {
		if (ret == -EPERM)
			data_result(s, ST0_ABNORMAL, ST1_NOT_WRITABLE, 0);
		else if (ret == -ENOMEDIUM)
			data_result(s, ST0_ABNORMAL, ST1_MISSING_MARK, 0);
		else
			data_result(s, ST0_ABNORMAL, ST1_DATA_ERROR, ST2_DATA_ERROR);
		return;
	}
	switch (code_of(s)) {
	case CMD_FORMAT:
		format_next(s);
		break;
	case CMD_WRITE:
	case CMD_WRITE_DELETED:
	case CMD_VERIFY:
		next_sector(s);
		break;
	default:
		fdc_move(s, FDC_MOVE_TO_HOST, FLOPPY_SECTOR);
	}
}

static void start_data(struct fdc *s)
{
	const uint8_t *fifo = s->fifo;

	s->phase = FDC_EXECUTION;
	s->tc = false;
	s->cmd = (struct fdc_cmd){
		.code = fifo[0],
		.unit = fifo[1] & 3,
		.head = fifo[1] >> 2 & 1,
		.c = fifo[2],
		.h = fifo[3],
		.r = fifo[4],
		.n = fifo[5],
		.eot = fifo[6],
	};
}

static void cmd_data(struct fdc *s)
{
	start_data(s);
	if (code_of(s) == CMD_READ_TRACK)
		s->cmd.r = 1;
	if (code_of(s) == CMD_READ_DELETED && (s->cmd.code & SKIP_DELETED)) {
		data_result(s, ST0_ABNORMAL, ST1_NO_DATA, 0); /* none without the mark is wanted */
		return;
	}
	begin_sector(s);
}

static void cmd_format(struct fdc *s)
{
	const uint8_t *fifo = s->fifo;
	uint8_t unit = fifo[1] & 3, head = fifo[1] >> 2 & 1;
	const struct floppy *f = fdc_drive(s, unit);

	s->phase = FDC_EXECUTION;
	s->tc = false;
	s->cmd = (struct fdc_cmd){.code = fifo[0],
				  .unit = unit,
				  .head = head,
				  .h = head,
				  .c = f ? f->track : 0,
				  .r = 1,
				  .n = fifo[2],
				  .left = fifo[3],
				  .fill = fifo[5]};
	if (check_sector(s))
		format_next(s);
}

/* 5.2.6: whatever passes by. */
static void cmd_read_id(struct fdc *s)
{
	uint8_t unit = s->fifo[1] & 3, head = s->fifo[1] >> 2 & 1;
	const struct floppy *f = fdc_drive(s, unit);

	s->phase = FDC_EXECUTION;
	s->cmd = (struct fdc_cmd){.code = s->fifo[0],
				  .unit = unit,
				  .head = head,
				  .h = head,
				  .c = f ? f->track : 0,
				  .r = 1,
				  .n = SIZE_512};
	if (check_sector(s))
		data_result(s, 0, 0, 0);
}

/* ---- seeking ---- */

static void seek_done(struct fdc *s, unsigned unit, uint8_t st0)
{
	s->sense_st0[unit] = st0 | unit;
	s->sense_pending |= BIT(unit);
	s->reset_sense = false;
	fdc_to_command_phase(s);
	fdc_raise(s);
}

/* A step clears the change line, if there is a disk. */
static void seek(struct fdc *s, unsigned unit, unsigned track, uint8_t st0)
{
	struct floppy *f = fdc_drive(s, unit);

	s->cylinder[unit] = track;
	if (f) {
		f->track = MIN(track, 85u);
		if (floppy_has_disk(f))
			f->changed = false;
	}
	seek_done(s, unit, ST0_SEEK_END | st0);
}

static void cmd_recalibrate(struct fdc *s)
{
	unsigned unit = s->fifo[1] & 3;
	const struct floppy *f = fdc_drive(s, unit);

	seek(s, unit, 0,
	     f && f->type != FLOPPY_NONE ? 0 : ST0_ABNORMAL | ST0_EQUIPMENT); /* no track 0 */
}

static void cmd_seek(struct fdc *s)
{
	seek(s, s->fifo[1] & 3, s->fifo[2], s->fifo[1] & 4);
}

static void cmd_relative_seek(struct fdc *s)
{
	unsigned unit = s->fifo[1] & 3, by = s->fifo[2], from = s->cylinder[unit];
	bool in = s->fifo[0] & RELATIVE_IN;

	seek(s, unit, in ? MIN(from + by, 255u) : from - MIN(by, from), s->fifo[1] & 4);
}

/* 5.3.5: the next unit that has something to tell. Nothing to tell is an invalid command. */
static void cmd_sense_int(struct fdc *s)
{
	unsigned unit = 0;

	if (!s->sense_pending) {
		s->fifo[0] = ST0_INVALID;
		fdc_to_result_phase(s, 1, false);
		return;
	}
	while (!(s->sense_pending & BIT(unit)))
		unit++;
	s->sense_pending &= ~BIT(unit);
	s->fifo[0] = s->reset_sense ? ST0_POLLING | unit : s->sense_st0[unit];
	s->fifo[1] = s->cylinder[unit];
	fdc_lower(s);
	fdc_to_result_phase(s, 2, false);
	if (s->sense_pending && !s->reset_sense)
		fdc_raise(s);
}

static void cmd_sense_drive(struct fdc *s)
{
	unsigned unit = s->fifo[1] & 7;
	const struct floppy *f = fdc_drive(s, unit & 3);
	uint8_t st3 = unit | ST3_READY | ST3_TWO_SIDES;

	if (f && !f->track)
		st3 |= ST3_TRACK0;
	if (floppy_has_disk(f) && block_read_only(f->conf.block))
		st3 |= ST3_WRITE_PROTECT;
	s->fifo[0] = st3;
	fdc_to_result_phase(s, 1, false);
}

/* ---- settings ---- */

static void cmd_specify(struct fdc *s)
{
	s->specify[0] = s->fifo[1];
	s->specify[1] = s->fifo[2];
	s->non_dma = s->fifo[2] & 1;
	fdc_to_command_phase(s);
}

static void cmd_configure(struct fdc *s)
{
	s->config = s->fifo[2] & 0x7f;
	s->precomp = s->fifo[3];
	fdc_to_command_phase(s);
}

static void cmd_lock(struct fdc *s)
{
	s->lock = s->fifo[0] & LOCK_SET;
	s->fifo[0] = s->lock << 4;
	fdc_to_result_phase(s, 1, false);
}

static void cmd_perpendicular(struct fdc *s)
{
	uint8_t mask = s->fifo[1] & PERP_OW ? PERP_WRITABLE : 0x03;

	s->perpendicular = (s->perpendicular & ~mask) | (s->fifo[1] & mask);
	fdc_to_command_phase(s);
}

static void cmd_dumpreg(struct fdc *s)
{
	memcpy(s->fifo, s->cylinder, FDC_UNITS);
	s->fifo[4] = s->specify[0];
	s->fifo[5] = s->specify[1];
	s->fifo[6] = s->cmd.eot;
	s->fifo[7] = s->lock << 7 | s->perpendicular;
	s->fifo[8] = s->config;
	s->fifo[9] = s->precomp;
	fdc_to_result_phase(s, 10, false);
}

static void cmd_version(struct fdc *s)
{
	s->fifo[0] = VERSION_82078;
	fdc_to_result_phase(s, 1, false);
}

static void cmd_part_id(struct fdc *s)
{
	s->fifo[0] = PART_82078;
	fdc_to_result_phase(s, 1, false);
}

static void cmd_powerdown(struct fdc *s)
{
	s->powerdown = s->fifo[1];
	s->fifo[0] = s->powerdown;
	fdc_to_result_phase(s, 1, false);
}

static void cmd_invalid(struct fdc *s)
{
	guest_error(&s->dev, "command 0x%02x is none", s->fifo[0]);
	s->fifo[0] = ST0_INVALID;
	fdc_to_result_phase(s, 1, false);
}

/* ---- the table ---- */

static const struct {
	uint8_t mask, code, bytes;
	void (*run)(struct fdc *s);
} commands[] = {
	/* the mask leaves out MT, MFM and SK where the command has them */
	{0x1f, CMD_READ, 9, cmd_data},
	{0x1f, CMD_READ_DELETED, 9, cmd_data},
	{0x3f, CMD_WRITE, 9, cmd_data},
	{0x3f, CMD_WRITE_DELETED, 9, cmd_data},
	{0x9f, CMD_READ_TRACK, 9, cmd_data},
	{0x1f, CMD_VERIFY, 9, cmd_data},
	{0xbf, CMD_FORMAT, 6, cmd_format},
	{0xbf, CMD_READ_ID, 2, cmd_read_id},
	{0xff, CMD_RECALIBRATE, 2, cmd_recalibrate},
	{0xff, CMD_SENSE_INT, 1, cmd_sense_int},
	{0xff, CMD_SPECIFY, 3, cmd_specify},
	{0xff, CMD_SENSE_DRIVE, 2, cmd_sense_drive},
	{0xff, CMD_SEEK, 3, cmd_seek},
	{0xbf, CMD_RELATIVE_SEEK, 3, cmd_relative_seek},
	{0xff, CMD_CONFIGURE, 4, cmd_configure},
	{0x7f, CMD_LOCK, 1, cmd_lock},
	{0xff, CMD_PERPENDICULAR, 2, cmd_perpendicular},
	{0xff, CMD_DUMPREG, 1, cmd_dumpreg},
	{0xff, CMD_VERSION, 1, cmd_version},
	{0xff, CMD_PART_ID, 1, cmd_part_id},
	{0xff, CMD_POWERDOWN_MODE, 2, cmd_powerdown},
	{0x00, 0x00, 1, cmd_invalid},
};

static unsigned row_of(uint8_t code)
{
	unsigned i = 0;

	while ((code & commands[i].mask) != commands[i].code)
		i++;
	return i;
}

unsigned fdc_command_bytes(const struct fdc *s)
{
	return commands[row_of(s->fifo[0])].bytes;
}

void fdc_run(struct fdc *s)
{
	commands[row_of(s->fifo[0])].run(s);
}

bool fdc_command_is_possible(const struct fdc *s)
{
	void (*run)(struct fdc * s) = commands[row_of(s->cmd.code)].run;
	unsigned wanted = run == cmd_format && s->moving ? sizeof(s->cmd.ids) : FLOPPY_SECTOR;

	if (s->phase != FDC_EXECUTION)
		return true;
	if (s->cmd.unit >= FDC_UNITS || s->cmd.head > 1)
		return false;
	if (run != cmd_data && run != cmd_format)
		return false;
	return !s->moving || (s->len == wanted &&
			      (s->moving == FDC_MOVE_FROM_HOST) == is_write(s->cmd.code & CODE));
}
