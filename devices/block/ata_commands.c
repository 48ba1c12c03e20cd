/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ATA commands: one table, and those that move no sectors.
 *
 * ATA8-ACS (T13/1699D revision 6a) section 7 "Command descriptions"; the numbers beside the functions are
 * its subsections. RECALIBRATE, INITIALIZE DEVICE PARAMETERS and the power commands' old codes: ATA-3
 * (X3T10/2008D).
 */
#include "devices/block/ata.h"

#define FEATURE_WRITE_CACHE_ON	0x02
#define FEATURE_TRANSFER_MODE	0x03
#define FEATURE_READ_AHEAD_OFF	0x55
#define FEATURE_KEEP_DEFAULTS	0x66
#define FEATURE_WRITE_CACHE_OFF 0x82
#define FEATURE_READ_AHEAD_ON	0xaa
#define FEATURE_DEFAULTS	0xcc

/* Transfer modes: bits 7-3 the kind, 2-0 the mode (table 44) */
#define MODE_PIO_DEFAULT 0
#define MODE_PIO_FLOW	 1
#define MODE_SINGLE_WORD 2
#define MODE_MULTIWORD	 4
#define MODE_ULTRA	 8
#define MODE_PIO_MAX	 4
#define MODE_WORD_MAX	 2
#define MODE_ULTRA_MAX	 5

#define POWER_STANDBY 0x00
#define POWER_ACTIVE  0xff

/* What a command is, and what its row means to ata_execute. */
#define HD    0x01
#define CD    0x02
#define EXT   0x04 /* 48-bit address and count */
#define DMA   0x08
#define MULTI 0x10 /* DRQ blocks as SET MULTIPLE MODE has them */
#define FUA   0x20
#define SIGN  0x40 /* a CD answers with its signature, and aborts it */
#define ANY   (HD | CD)

struct ata_command {
	const char *name;
	unsigned flags;
	void (*run)(struct ata_device *ata);
};

static void cmd_done(struct ata_device *ata)
{
	ata_finish(ata, true);
}

static void cmd_abort(struct ata_device *ata)
{
	ata_fail(ata, ATA_ERROR_ABRT);
}

/* 7.16, 7.17 */
static void cmd_identify(struct ata_device *ata)
{
	ata_identify(ata, ata->buffer);
	ata_reply(ata, ATA_SECTOR);
}

/* ATA/ATAPI-7 volume 1, 6.10: no interrupt comes of it. */
static void cmd_device_reset(struct ata_device *ata)
{
	uint8_t device = ata->tf.device;

	ata_reset(ata, false);
	ata->tf.device = device & ATA_DEVICE_DEV;
}

static void cmd_diagnostic(struct ata_device *ata)
{
	ata->tf.device = 0;
	ata_signature(ata);
	ata->op = ATA_OP_NONE;
	ata->phase = ATA_PHASE_IDLE;
	ata_set_intrq(ata, true);
	ata->port->ops->complete(ata->port);
}

/* ATA-3 8.16: the translation that CHS addresses go by. */
static void cmd_initialize_parameters(struct ata_device *ata)
{
	uint32_t heads = (ata->tf.device & ATA_DEVICE_HEAD) + 1u, secs = ata->tf.count;

	if (!secs) {
		cmd_abort(ata);
		return;
	}
	ata->cur_heads = heads;
	ata->cur_secs = secs;
	ata->cur_cyls = MIN(ata->sectors / (heads * secs), UINT16_MAX);
	ata_finish(ata, true);
}

/* 7.48 */
static void cmd_set_multiple(struct ata_device *ata)
{
	uint8_t n = ata->tf.count;

	if (n > ATA_MULTIPLE_MAX || (n & (n - 1))) {
		cmd_abort(ata);
		return;
	}
	ata->multiple = n;
	ata_finish(ata, true);
}

static void cmd_read_native_max(struct ata_device *ata)
{
	uint64_t last = ata->sectors ? ata->sectors - 1 : 0;

	if (!ata->lba48)
		last = MIN(last, ATA_LBA28_SECTORS - 1);
	ata->tf.device |= ATA_DEVICE_LBA;
	ata_set_lba(ata, last);
	ata_finish(ata, true);
}

static void cmd_standby(struct ata_device *ata)
{
	ata->standby = true;
	ata_finish(ata, true);
}

static void cmd_idle(struct ata_device *ata)
{
	ata->standby = false;
	ata_finish(ata, true);
}

static void cmd_check_power(struct ata_device *ata)
{
	ata->tf.count = ata->standby ? POWER_STANDBY : POWER_ACTIVE;
	ata_finish(ata, true);
}

/* ---- SET FEATURES (7.45) ---- */

static bool transfer_mode_is_known(uint8_t value)
{
	unsigned mode = value & 7;

	switch (value >> 3) {
	case MODE_PIO_DEFAULT:
		return mode <= 1;
	case MODE_PIO_FLOW:
		return mode <= MODE_PIO_MAX;
	case MODE_SINGLE_WORD:
	case MODE_MULTIWORD:
		return mode <= MODE_WORD_MAX;
	case MODE_ULTRA:
		return mode <= MODE_ULTRA_MAX;
	default:
		return false;
	}
}

static void set_write_cache(struct ata_device *ata, bool on)
{
	ata->write_cache = on;
	block_set_write_cache(ata->conf.block, on);
	if (on)
		ata_finish(ata, true);
	else
		ata_cmd_flush(ata); /* what is in it must not stay there */
}

static void cmd_set_features(struct ata_device *ata)
{
	switch (ata->tf.feature) {
	case FEATURE_TRANSFER_MODE:
		if (!transfer_mode_is_known(ata->tf.count)) {
			cmd_abort(ata);
			return;
		}
		ata->transfer_mode = ata->tf.count;
		break;
	case FEATURE_WRITE_CACHE_ON:
	case FEATURE_WRITE_CACHE_OFF:
		if (ata->is_cd) {
			cmd_abort(ata);
			return;
		}
		set_write_cache(ata, ata->tf.feature == FEATURE_WRITE_CACHE_ON);
		return;
	case FEATURE_READ_AHEAD_ON:
	case FEATURE_READ_AHEAD_OFF:
		ata->read_ahead = ata->tf.feature == FEATURE_READ_AHEAD_ON;
		break;
	case FEATURE_KEEP_DEFAULTS:
	case FEATURE_DEFAULTS:
		break;
	default:
		cmd_abort(ata);
		return;
	}
	ata_finish(ata, true);
}

/* ---- the table ---- */

static const struct ata_command commands[256] = {
	[ATA_CMD_DATA_SET_MANAGEMENT] = {"DATA SET MANAGEMENT", HD | EXT | DMA, ata_cmd_trim},
	[ATA_CMD_DEVICE_RESET] = {"DEVICE RESET", CD, cmd_device_reset},
	[ATA_CMD_RECALIBRATE... ATA_CMD_RECALIBRATE + 15] = {"RECALIBRATE", HD, cmd_done},
	[ATA_CMD_READ_SECTORS] = {"READ SECTORS", HD | SIGN, ata_cmd_read},
	[ATA_CMD_READ_SECTORS_NORETRY] = {"READ SECTORS", HD, ata_cmd_read},
	[ATA_CMD_READ_SECTORS_EXT] = {"READ SECTORS EXT", HD | EXT, ata_cmd_read},
	[ATA_CMD_READ_DMA_EXT] = {"READ DMA EXT", HD | EXT | DMA, ata_cmd_read},
	[ATA_CMD_READ_NATIVE_MAX_EXT] = {"READ NATIVE MAX EXT", HD | EXT, cmd_read_native_max},
	[ATA_CMD_READ_MULTIPLE_EXT] = {"READ MULTIPLE EXT", HD | EXT | MULTI, ata_cmd_read},
	[ATA_CMD_READ_LOG_EXT] = {"READ LOG EXT", HD | EXT, ata_cmd_read_log},
	[ATA_CMD_WRITE_SECTORS] = {"WRITE SECTORS", HD, ata_cmd_write},
	[ATA_CMD_WRITE_SECTORS_NORETRY] = {"WRITE SECTORS", HD, ata_cmd_write},
	[ATA_CMD_WRITE_SECTORS_EXT] = {"WRITE SECTORS EXT", HD | EXT, ata_cmd_write},
	[ATA_CMD_WRITE_DMA_EXT] = {"WRITE DMA EXT", HD | EXT | DMA, ata_cmd_write},
	[ATA_CMD_WRITE_MULTIPLE_EXT] = {"WRITE MULTIPLE EXT", HD | EXT | MULTI, ata_cmd_write},
	[ATA_CMD_WRITE_VERIFY] = {"WRITE VERIFY", HD, ata_cmd_write},
	[ATA_CMD_WRITE_DMA_FUA_EXT] = {"WRITE DMA FUA EXT", HD | EXT | DMA | FUA, ata_cmd_write},
	[ATA_CMD_VERIFY] = {"READ VERIFY SECTORS", HD, ata_cmd_verify},
	[ATA_CMD_VERIFY_NORETRY] = {"READ VERIFY SECTORS", HD, ata_cmd_verify},
	[ATA_CMD_VERIFY_EXT] = {"READ VERIFY SECTORS EXT", HD | EXT, ata_cmd_verify},
	[ATA_CMD_SEEK] = {"SEEK", HD, ata_cmd_seek},
	[ATA_CMD_DIAGNOSTIC] = {"EXECUTE DEVICE DIAGNOSTIC", ANY, cmd_diagnostic},
	[ATA_CMD_INITIALIZE_PARAMETERS] = {"INITIALIZE DEVICE PARAMETERS", HD,
					   cmd_initialize_parameters},
	[ATA_CMD_STANDBY_IMMEDIATE_OLD] = {"STANDBY IMMEDIATE", ANY, cmd_standby},
	[ATA_CMD_IDLE_IMMEDIATE_OLD] = {"IDLE IMMEDIATE", ANY, cmd_idle},
	[ATA_CMD_STANDBY_OLD] = {"STANDBY", ANY, cmd_standby},
	[ATA_CMD_IDLE_OLD] = {"IDLE", ANY, cmd_idle},
	[ATA_CMD_CHECK_POWER_MODE_OLD] = {"CHECK POWER MODE", ANY, cmd_check_power},
	[ATA_CMD_SLEEP_OLD] = {"SLEEP", ANY, cmd_standby},
	[ATA_CMD_PACKET] = {"PACKET", CD, atapi_cmd_packet},
	[ATA_CMD_IDENTIFY_PACKET] = {"IDENTIFY PACKET DEVICE", CD, cmd_identify},
	[ATA_CMD_SMART] = {"SMART", HD, ata_cmd_smart},
	[ATA_CMD_READ_MULTIPLE] = {"READ MULTIPLE", HD | MULTI, ata_cmd_read},
	[ATA_CMD_WRITE_MULTIPLE] = {"WRITE MULTIPLE", HD | MULTI, ata_cmd_write},
	[ATA_CMD_SET_MULTIPLE] = {"SET MULTIPLE MODE", HD, cmd_set_multiple},
	[ATA_CMD_READ_DMA] = {"READ DMA", HD | DMA, ata_cmd_read},
	[ATA_CMD_READ_DMA_NORETRY] = {"READ DMA", HD | DMA, ata_cmd_read},
	[ATA_CMD_WRITE_DMA] = {"WRITE DMA", HD | DMA, ata_cmd_write},
	[ATA_CMD_WRITE_DMA_NORETRY] = {"WRITE DMA", HD | DMA, ata_cmd_write},
	[ATA_CMD_WRITE_MULTIPLE_FUA_EXT] = {"WRITE MULTIPLE FUA EXT", HD | EXT | MULTI | FUA,
					    ata_cmd_write},
	[ATA_CMD_STANDBY_IMMEDIATE] = {"STANDBY IMMEDIATE", ANY, cmd_standby},
	[ATA_CMD_IDLE_IMMEDIATE] = {"IDLE IMMEDIATE", ANY, cmd_idle},
	[ATA_CMD_STANDBY] = {"STANDBY", ANY, cmd_standby},
	[ATA_CMD_IDLE] = {"IDLE", ANY, cmd_idle},
	[ATA_CMD_CHECK_POWER_MODE] = {"CHECK POWER MODE", ANY, cmd_check_power},
	[ATA_CMD_SLEEP] = {"SLEEP", ANY, cmd_standby},
	[ATA_CMD_FLUSH] = {"FLUSH CACHE", HD, ata_cmd_flush},
	[ATA_CMD_FLUSH_EXT] = {"FLUSH CACHE EXT", HD | EXT, ata_cmd_flush},
	[ATA_CMD_IDENTIFY] = {"IDENTIFY DEVICE", HD | SIGN, cmd_identify},
	[ATA_CMD_SET_FEATURES] = {"SET FEATURES", ANY, cmd_set_features},
	[ATA_CMD_READ_NATIVE_MAX] = {"READ NATIVE MAX ADDRESS", HD, cmd_read_native_max},
};

void ata_execute(struct ata_device *ata, uint8_t command)
{
	const struct ata_command *row = &commands[command];
	uint8_t status = ata_status(ata);

	if (status & (ATA_STATUS_BSY | ATA_STATUS_DRQ) &&
	    !(ata->is_cd && command == ATA_CMD_DEVICE_RESET)) {
		guest_error(&ata->dev, "command 0x%02x while the device is busy", command);
		return;
	}
	ata_set_intrq(ata, false);
	ata->command = command;
	ata->lba48 = row->flags & EXT;
	ata->use_dma = row->flags & DMA;
	ata->fua = row->flags & FUA;
	ata->block_sectors = row->flags & MULTI ? ata->multiple : 1;
	if (ata->is_cd && (row->flags & SIGN)) {
		ata_signature(ata); /* so that hosts learn what they have (7.16) */
		cmd_abort(ata);
	} else if (!row->run || !(row->flags & (ata->is_cd ? CD : HD)) || !ata->block_sectors) {
		cmd_abort(ata);
	} else {
		row->run(ata);
	}
}
