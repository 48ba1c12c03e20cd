/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The commands of CD and DVD drives: one table, and what the drive says of itself and of the disc.
 *
 * MMC-5 (T10/1675D) section 6 "Commands", 5.3 "Features", 7 "Mode parameters"; SPC-3 (T10/1416D) 6.4 "INQUIRY"; the
 * capabilities page (2Ah) as MMC-3 (T10/1363D) had it, for that is what drivers read.
 *
 * Not modelled: audio, subchannels, writing; error correction codes of raw sectors read as zeros.
 * Deviates because: nothing.
 */
#include <stdio.h>
#include "devices/scsi/mmc.h"

struct mmc_call {
	struct mmc_drive *d;
	const uint8_t *cdb;
	uint8_t *buf;
	struct mmc_result *result;
};

#define CMD_TEST_UNIT_READY	   0x00
#define CMD_REQUEST_SENSE	   0x03
#define CMD_INQUIRY		   0x12
#define CMD_START_STOP		   0x1b
#define CMD_PREVENT_ALLOW	   0x1e
#define CMD_MODE_SELECT_6	   0x15
#define CMD_MODE_SENSE_6	   0x1a
#define CMD_READ_CAPACITY	   0x25
#define CMD_READ_10		   0x28
#define CMD_SEEK		   0x2b
#define CMD_READ_TOC		   0x43
#define CMD_GET_CONFIGURATION	   0x46
#define CMD_GET_EVENT_STATUS	   0x4a
#define CMD_READ_DISC_INFORMATION  0x51
#define CMD_READ_TRACK_INFORMATION 0x52
#define CMD_MODE_SELECT_10	   0x55
#define CMD_MODE_SENSE_10	   0x5a
#define CMD_READ_12		   0xa8
#define CMD_READ_DVD_STRUCTURE	   0xad
#define CMD_READ_CD_MSF		   0xb9
#define CMD_SET_SPEED		   0xbb
#define CMD_MECHANISM_STATUS	   0xbd
#define CMD_READ_CD		   0xbe

#define PROFILE_CD_ROM	0x0008
#define PROFILE_DVD_ROM 0x0010

#define MAX_CD_SECTORS (80 * 60 * CD_FRAMES) /* of 80 minutes; what has more is a DVD */
#define LEAD_OUT_TRACK 0xaa
#define DATA_TRACK     0x14 /* ADR 1; a data track, copying not permitted */
#define SPEED_KB       706  /* a second: four times that of audio */

/* Events of the media class (6.7.2) */
#define EVENT_EJECT_REQUEST 1
#define EVENT_NEW_MEDIA	    2
#define EVENT_MEDIA_REMOVAL 3

/* ---- the disc and the tray ---- */

static uint64_t medium_bytes(const struct mmc_drive *d)
{
	return d->block ? block_bytes(d->block) : 0;
}

uint32_t mmc_sectors(const struct mmc_drive *d)
{
	uint64_t n = medium_bytes(d) / CD_SECTOR + (medium_bytes(d) % CD_SECTOR != 0);

	return MIN(n, UINT32_MAX);
}

bool mmc_has_disc(const struct mmc_drive *d)
{
	return !d->tray_open && d->block && block_has_medium(d->block);
}

void mmc_medium_changed(struct mmc_drive *d, bool loaded)
{
	d->tray_open = !loaded;
	d->event = loaded ? EVENT_NEW_MEDIA : EVENT_MEDIA_REMOVAL;
	if (loaded)
		d->unit_attention = true;
}

void mmc_eject_request(struct mmc_drive *d, bool force)
{
	d->event = EVENT_EJECT_REQUEST;
	if (force && d->tray_locked) {
		d->tray_locked = false;
		if (d->block)
			block_lock_medium(d->block, false);
	}
}

void mmc_reset(struct mmc_drive *d)
{
	if (d->tray_locked && d->block)
		block_lock_medium(d->block, false);
	d->tray_locked = false;
	d->unit_attention = false;
	d->event = 0;
	d->sense_key = 0;
	d->sense_asc = 0;
	d->recovery = 0;
	d->retries = 5;
}

/* ---- results ---- */

static void good(struct mmc_call *c)
{
	c->result->what = MMC_GOOD;
}

static void check(struct mmc_call *c, enum scsi_sense_key key, uint16_t asc)
{
	*c->result = (struct mmc_result){.what = MMC_CHECK, .key = key, .asc = asc};
}

static void reply(struct mmc_call *c, uint32_t bytes, uint32_t allocated)
{
	c->result->what = MMC_REPLY;
	c->result->bytes = MIN(bytes, allocated);
}

static void want_parameters(struct mmc_call *c, uint32_t bytes)
{
	c->result->what = bytes ? MMC_PARAMETERS : MMC_GOOD;
	c->result->bytes = bytes;
}

static void read_blocks(struct mmc_call *c, uint32_t lba, uint32_t n, uint32_t sector_bytes)
{
	uint32_t sectors = mmc_sectors(c->d);

	if (lba > sectors || n > sectors - lba) {
		check(c, SCSI_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
		return;
	}
	if (!n)
		return;
	c->result->what = MMC_READ;
	c->result->lba = lba;
	c->result->sectors = n;
	c->result->sector_bytes = sector_bytes;
}

static void lock(struct mmc_call *c, bool locked)
{
	c->d->tray_locked = locked;
	if (c->d->block)
		block_lock_medium(c->d->block, locked);
	good(c);
}

static void move_tray(struct mmc_call *c, bool open)
{
	struct mmc_drive *d = c->d;

	if (open && !d->tray_open && d->tray_locked) {
		check(c, mmc_has_disc(d) ? SCSI_ILLEGAL_REQUEST : SCSI_NOT_READY,
		      ASC_REMOVAL_PREVENTED);
		return;
	}
	if (d->tray_open != open) {
		d->tray_open = open;
		if (d->block)
			block_tray_moved(d->block, open);
		if (!open && mmc_has_disc(d)) {
			d->unit_attention = true;
			d->event = EVENT_NEW_MEDIA;
		} else if (open) {
			d->event = EVENT_MEDIA_REMOVAL;
		}
	}
	good(c);
}

static uint8_t bcd(unsigned n)
{
	return n / 10 % 10 << 4 | n % 10;
}

void mmc_put_raw_sector(uint8_t *raw, const uint8_t *data, uint32_t lba)
{
	uint32_t frames = lba + CD_LEAD_IN_FRAMES;

	memset(raw, 0, CD_RAW_SECTOR);
	memset(raw + 1, 0xff, 10);
	raw[12] = bcd(frames / CD_FRAMES / 60);
	raw[13] = bcd(frames / CD_FRAMES % 60);
	raw[14] = bcd(frames % CD_FRAMES);
	raw[15] = 1; /* mode */
	memcpy(raw + 16, data, CD_SECTOR);
}

static void invalid_field(struct mmc_call *c)
{
	check(c, SCSI_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
}

static bool is_dvd(const struct mmc_drive *d)
{
	return mmc_sectors(d) > MAX_CD_SECTORS;
}

static uint16_t current_profile(const struct mmc_drive *d)
{
	if (!mmc_has_disc(d))
		return 0;
	return is_dvd(d) ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

/* ---- the drive ---- */

static void test_unit_ready(struct mmc_call *c)
{
	good(c);
}

static void request_sense(struct mmc_call *c)
{
	uint8_t *p = c->buf;

	memset(p, 0, 18);
	if (!c->d->sense_key && c->d->unit_attention) {
		c->d->unit_attention = false;
		c->d->sense_key = SCSI_UNIT_ATTENTION;
		c->d->sense_asc = ASC_MEDIUM_CHANGED;
	}
	p[0] = 0x70;
	p[2] = c->d->sense_key;
	p[7] = 10;
	put_be16(p + 12, c->d->sense_asc);
	reply(c, 18, c->cdb[4]);
}

static void pad_string(uint8_t *p, const char *s, unsigned bytes)
{
	memset(p, ' ', bytes);
	memcpy(p, s, MIN(strlen(s), bytes));
}

/* Vital product data: 00h which pages there are, 83h who the drive is. */
static void inquiry_page(struct mmc_call *c)
{
	uint8_t *p = c->buf;
	size_t serial = c->d->serial ? strlen(c->d->serial) : 0;

	memset(p, 0, 64);
	p[0] = 0x05;
	p[1] = c->cdb[2];
	if (c->cdb[2] == 0x00) {
		p[3] = 2;
		p[4] = 0x00;
		p[5] = 0x83;
	} else if (c->cdb[2] == 0x83) {
		serial = MIN(serial, 20u);
		p[3] = 4 + serial;
		p[4] = 2; /* ASCII */
		p[7] = serial;
		if (serial)
			memcpy(p + 8, c->d->serial, serial);
	} else {
		invalid_field(c);
		return;
	}
	reply(c, 4 + p[3], be16(c->cdb + 3));
}

static void inquiry(struct mmc_call *c)
{
	uint8_t *p = c->buf;

	if (c->cdb[1] & 1) {
		inquiry_page(c);
		return;
	}
	if (c->cdb[2]) {
		invalid_field(c);
		return;
	}
	memset(p, 0, 36);
	p[0] = 0x05;			  /* CD or DVD drive */
	p[1] = 0x80;			  /* removable */
	p[2] = c->d->atapi ? 0 : 5;	  /* which SPC */
	p[3] = c->d->atapi ? 0x21 : 0x12; /* response format */
	p[7] = c->d->atapi ? 0 : 0x02;	  /* command queueing */
	p[4] = 31;
	pad_string(p + 8, c->d->vendor, 8);
	pad_string(p + 16, c->d->product, 16);
	pad_string(p + 32, c->d->revision, 4);
	reply(c, 36, be16(c->cdb + 3));
}

static void start_stop(struct mmc_call *c)
{
	bool start = c->cdb[4] & 1, load_eject = c->cdb[4] & 2;

	if (c->cdb[4] >> 4) {
		good(c); /* a power condition */
		return;
	}
	if (load_eject)
		move_tray(c, !start);
	else
		good(c);
}

static void prevent_allow(struct mmc_call *c)
{
	lock(c, c->cdb[4] & 1);
}

static void mechanism_status(struct mmc_call *c)
{
	uint8_t *p = c->buf;

	memset(p, 0, 8);
	p[1] = c->d->tray_open ? 0x10 : 0;
	reply(c, 8, be16(c->cdb + 8));
}

/* 6.7: only asked for, never waited for. */
static void get_event_status(struct mmc_call *c)
{
	uint8_t *p = c->buf;

	if (!(c->cdb[1] & 1)) {
		invalid_field(c);
		return;
	}
	memset(p, 0, 8);
	p[3] = 0x10; /* the media class is what there is */
	if (!(c->cdb[4] & 0x10)) {
		put_be16(p, 2);
		p[2] = 0x80; /* no event of a class that was asked for */
		reply(c, 4, be16(c->cdb + 7));
		return;
	}
	put_be16(p, 6);
	p[2] = 4;
	p[4] = c->d->event;
	p[5] = (c->d->tray_open ? 1 : 0) | (mmc_has_disc(c->d) ? 2 : 0);
	if (be16(c->cdb + 7) > 4)
		c->d->event = 0;
	reply(c, 8, be16(c->cdb + 7));
}

/* ---- GET CONFIGURATION (6.6) ---- */

struct feature {
	uint16_t code;
	uint8_t flags; /* version, persistent, current; CURRENT_* below */
	uint8_t bytes;
	uint8_t data[8];
};

#define WITH_DISC 0x80 /* current while there is one */
#define WITH_CD	  0x40
#define WITH_DVD  0x20

static const struct feature features[] = {
	{0x0000, 0x03, 8, {0, PROFILE_DVD_ROM, 0, 0, 0, PROFILE_CD_ROM, 0, 0}}, /* profiles */
	{0x0001, 0x0b, 8, {0, 0, 0, 2, 1, 0, 0, 0}},	   /* core: ATAPI, device busy events */
	{0x0002, 0x07, 4, {0x02, 0, 0, 0}},		   /* morphing: events of changes */
	{0x0003, 0x03, 4, {0x29, 0, 0, 0}},		   /* removable: tray, eject, lock */
	{0x0010, WITH_DISC, 8, {0, 0, 8, 0, 0, 16, 0, 0}}, /* random reading of 2,048 bytes */
	{0x001d, WITH_CD, 0, {0}},			   /* multi-read */
	{0x001e, WITH_CD | 0x08, 4, {0}},		   /* CD read */
	{0x001f, WITH_DVD, 0, {0}},			   /* DVD read */
	{0x0100, 0x03, 0, {0}},				   /* power management */
};

static bool feature_is_current(const struct feature *f, uint16_t profile)
{
	return (f->flags & 1) || ((f->flags & WITH_DISC) && profile) ||
	       ((f->flags & WITH_CD) && profile == PROFILE_CD_ROM) ||
	       ((f->flags & WITH_DVD) && profile == PROFILE_DVD_ROM);
}

static uint32_t put_feature(uint8_t *p, const struct feature *f, uint16_t profile)
{
	put_be16(p, f->code);
	p[2] = (f->flags & 0x1e) | (feature_is_current(f, profile) ? 1 : 0);
	p[3] = f->bytes;
	memcpy(p + 4, f->data, f->bytes);
	if (f->code == 0) {
		p[6] = profile == PROFILE_DVD_ROM;
		p[10] = profile == PROFILE_CD_ROM;
	}
	return 4 + f->bytes;
}

static void get_configuration(struct mmc_call *c)
{
	uint8_t *p = c->buf, which = c->cdb[1] & 3;
	uint16_t start = be16(c->cdb + 2), profile = current_profile(c->d);
	uint32_t bytes = 8;

	if (which == 3) {
		invalid_field(c);
		return;
	}
	memset(p, 0, 8);
	put_be16(p + 6, profile);
	for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];

		if (which == 2 ? f->code == start
			       : f->code >= start && (which == 0 || feature_is_current(f, profile)))
			bytes += put_feature(p + bytes, f, profile);
	}
	put_be32(p, bytes - 4);
	reply(c, bytes, be16(c->cdb + 7));
}

/* ---- mode pages ---- */

#define PAGE_RECOVERY	  0x01
#define PAGE_AUDIO	  0x0e
#define PAGE_CAPABILITIES 0x2a
#define PAGE_ALL	  0x3f

#define PC_CHANGEABLE 1
#define PC_SAVED      3

static uint32_t page_recovery(const struct mmc_drive *d, uint8_t *p, unsigned pc)
{
	p[1] = 6;
	if (pc == PC_CHANGEABLE) {
		p[2] = p[3] = 0xff;
		return 8;
	}
	p[2] = pc ? 0 : d->recovery;
	p[3] = pc ? 5 : d->retries;
	return 8;
}

static uint32_t page_audio(const struct mmc_drive *d, uint8_t *p, unsigned pc)
{
	p[1] = 14;
	if (pc != PC_CHANGEABLE) {
		p[2] = 0x04; /* immediate */
		p[8] = 1;
		p[9] = p[11] = 0xff; /* volumes of channels 0 and 1 */
		p[10] = 2;
	}
	return 16;
}

static uint32_t page_capabilities(const struct mmc_drive *d, uint8_t *p, unsigned pc)
{
	p[1] = 20;
	if (pc == PC_CHANGEABLE)
		return 22;
	p[2] = 0x3b;				/* reads CD-R, CD-RW, DVD-ROM, -R, -RAM */
	p[4] = 0x70;				/* mode 2 forms 1 and 2, sessions */
	p[6] = 0x29 | (d->tray_locked ? 2 : 0); /* tray; eject; lock */
	put_be16(p + 8, SPEED_KB);
	put_be16(p + 10, 2);   /* steps of volume */
	put_be16(p + 12, 512); /* KiB of buffer */
	put_be16(p + 14, SPEED_KB);
	return 22;
}

static const struct {
	uint8_t code;
	uint32_t (*put)(const struct mmc_drive *d, uint8_t *p, unsigned pc);
} mode_pages[] = {
	{PAGE_RECOVERY, page_recovery},
	{PAGE_AUDIO, page_audio},
	{PAGE_CAPABILITIES, page_capabilities},
};

static uint8_t medium_type(const struct mmc_drive *d)
{
	if (d->tray_open)
		return 0x71;
	return mmc_has_disc(d) ? 0x01 : 0x70;
}

static void mode_sense(struct mmc_call *c)
{
	unsigned pc = c->cdb[2] >> 6, code = c->cdb[2] & 0x3f;
	bool six = c->cdb[0] == CMD_MODE_SENSE_6;
	uint32_t head = six ? 4 : 8, bytes = head;
	uint8_t *p = c->buf;

	memset(p, 0, 128);
	for (unsigned i = 0; i < ARRAY_SIZE(mode_pages); i++) {
		if (code != PAGE_ALL && code != mode_pages[i].code)
			continue;
		p[bytes] = mode_pages[i].code;
		bytes += mode_pages[i].put(c->d, p + bytes, pc);
	}
	if (pc == PC_SAVED) {
		check(c, SCSI_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED);
	} else if (bytes == head) {
		invalid_field(c);
	} else if (six) {
		p[0] = bytes - 1;
		p[1] = medium_type(c->d);
		reply(c, bytes, c->cdb[4]);
	} else {
		put_be16(p, bytes - 2);
		p[2] = medium_type(c->d);
		reply(c, bytes, be16(c->cdb + 7));
	}
}

static void mode_select(struct mmc_call *c)
{
	if ((c->cdb[1] & 0x11) != 0x10) /* the standard's pages; not to be saved */
		invalid_field(c);
	else
		want_parameters(c, c->cdb[0] == CMD_MODE_SELECT_6 ? c->cdb[4] : be16(c->cdb + 7));
}

/* Of all that is in the pages only the error recovery's two bytes can be changed. */
void mmc_mode_select(struct mmc_drive *d, const uint8_t *cdb, const uint8_t *list, uint32_t bytes,
		     struct mmc_result *result)
{
	struct mmc_call c = {.d = d, .result = result};
	bool six = cdb[0] == CMD_MODE_SELECT_6;
	uint32_t head = six ? 4 : 8, at = head;

	if (bytes >= head)
		at += six ? list[3] : be16(list + 6);

	while (at + 2 <= bytes) {
		uint32_t page_bytes = 2 + list[at + 1];
		uint8_t code = list[at] & 0x3f;

		if (page_bytes > bytes - at || (code == PAGE_RECOVERY && page_bytes < 8) ||
		    (code != PAGE_RECOVERY && code != PAGE_AUDIO && code != PAGE_CAPABILITIES)) {
			check(&c, SCSI_ILLEGAL_REQUEST, ASC_INVALID_PARAMETER);
			return;
		}
		if (code == PAGE_RECOVERY) {
			d->recovery = list[at + 2];
			d->retries = list[at + 3];
		}
		at += page_bytes;
	}
	good(&c);
}

/* ---- the disc ---- */

static void read_10(struct mmc_call *c)
{
	read_blocks(c, be32(c->cdb + 2), be16(c->cdb + 7), CD_SECTOR);
}

static void read_12(struct mmc_call *c)
{
	read_blocks(c, be32(c->cdb + 2), be32(c->cdb + 6), CD_SECTOR);
}

/* What of each sector is wanted (6.19): nothing, the user's data, or all. */
static void read_parts(struct mmc_call *c, uint32_t lba, uint32_t n)
{
	unsigned type = c->cdb[1] >> 2 & 7, parts = c->cdb[9] & 0xf8;

	if (type != 0 && type != 2) /* any, or mode 1 */
		check(c, SCSI_ILLEGAL_REQUEST, ASC_WRONG_TRACK_MODE);
	else if (!n || !parts)
		good(c);
	else if (parts == 0x10)
		read_blocks(c, lba, n, CD_SECTOR);
	else if (parts == 0xf8 && !(c->cdb[10] & 7))
		read_blocks(c, lba, n, CD_RAW_SECTOR);
	else
		invalid_field(c);
}

static void read_cd(struct mmc_call *c)
{
	read_parts(c, be32(c->cdb + 2), be32(c->cdb + 5) & 0xffffff);
}

static uint32_t frames_of(const uint8_t *msf)
{
	return (msf[0] * 60u + msf[1]) * CD_FRAMES + msf[2];
}

static void read_cd_msf(struct mmc_call *c)
{
	uint32_t start = frames_of(c->cdb + 3), end = frames_of(c->cdb + 6);

	if (start < CD_LEAD_IN_FRAMES || end < start)
		invalid_field(c);
	else
		read_parts(c, start - CD_LEAD_IN_FRAMES, end - start);
}

static void read_capacity(struct mmc_call *c)
{
	uint32_t n = mmc_sectors(c->d);

	put_be32(c->buf, n ? n - 1 : 0);
	put_be32(c->buf + 4, CD_SECTOR);
	reply(c, 8, 8);
}

static void seek(struct mmc_call *c)
{
	if (be32(c->cdb + 2) >= mmc_sectors(c->d))
		check(c, SCSI_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	else
		good(c);
}

static void set_speed(struct mmc_call *c)
{
	good(c);
}

/* An address in four bytes, as sectors or as minutes, seconds and frames. */
static void put_address(uint8_t *p, uint32_t lba, bool msf)
{
	uint32_t frames = lba + CD_LEAD_IN_FRAMES;

	if (!msf) {
		put_be32(p, lba);
		return;
	}
	p[0] = 0;
	p[1] = MIN(frames / CD_FRAMES / 60, 255u);
	p[2] = frames / CD_FRAMES % 60;
	p[3] = frames % CD_FRAMES;
}

static uint32_t put_track(uint8_t *p, uint8_t track, uint32_t lba, bool msf)
{
	p[0] = 0;
	p[1] = DATA_TRACK;
	p[2] = track;
	p[3] = 0;
	put_address(p + 4, lba, msf);
	return 8;
}

/* 0000b: the tracks from one on, then the lead-out. */
static bool toc_tracks(struct mmc_call *c, bool msf, uint32_t *bytes)
{
	uint8_t *p = c->buf, first = c->cdb[6];

	if (first > 1 && first != LEAD_OUT_TRACK)
		return false;
	p[2] = p[3] = 1; /* first and last track */
	*bytes = 4;
	if (first <= 1)
		*bytes += put_track(p + *bytes, 1, 0, msf);
	*bytes += put_track(p + *bytes, LEAD_OUT_TRACK, mmc_sectors(c->d), msf);
	return true;
}

/* 0010b: what is in the lead-in, 11 bytes an entry; PMIN, PSEC and PFRAME are its address. */
static uint32_t put_raw_entry(uint8_t *p, uint8_t point, uint8_t min, uint8_t sec, uint8_t frame)
{
	memset(p, 0, 11);
	p[0] = 1; /* session */
	p[1] = DATA_TRACK;
	p[3] = point;
	p[8] = min;
	p[9] = sec;
	p[10] = frame;
	return 11;
}

static uint32_t toc_raw(struct mmc_call *c)
{
	uint8_t *p = c->buf, end[4];
	uint32_t bytes = 4;

	p[2] = p[3] = 1; /* sessions */
	put_address(end, mmc_sectors(c->d), true);
	bytes += put_raw_entry(p + bytes, 0xa0, 1, 0, 0);
	bytes += put_raw_entry(p + bytes, 0xa1, 1, 0, 0);
	bytes += put_raw_entry(p + bytes, 0xa2, end[1], end[2], end[3]);
	bytes += put_raw_entry(p + bytes, 1, 0, 2, 0);
	return bytes;
}

/* 6.26. PMA, ATIP and CD-TEXT are of discs that are written or sung. */
static void read_toc(struct mmc_call *c)
{
	unsigned format = c->cdb[2] & 0xf;
	bool msf = c->cdb[1] & 2;
	uint8_t *p = c->buf;
	uint32_t bytes;

	if (!format)
		format = c->cdb[9] >> 6; /* where SFF-8020i had it */
	memset(p, 0, 64);
	switch (format) {
	case 0:
		if (!toc_tracks(c, msf, &bytes)) {
			invalid_field(c);
			return;
		}
		break;
	case 1: /* the last session's first track */
		p[2] = p[3] = 1;
		bytes = 4 + put_track(p + 4, 1, 0, msf);
		break;
	case 2:
		bytes = toc_raw(c);
		break;
	default:
		invalid_field(c);
		return;
	}
	put_be16(p, bytes - 2);
	reply(c, bytes, be16(c->cdb + 7));
}

static void read_disc_information(struct mmc_call *c)
{
	uint8_t *p = c->buf;

	if (c->cdb[1] & 7) {
		invalid_field(c);
		return;
	}
	memset(p, 0, 34);
	put_be16(p, 32);
	p[2] = 0x0e; /* finalized, the last session complete */
	p[3] = 1;    /* first track */
	p[4] = 1;    /* sessions */
	p[5] = p[6] = 1;
	p[7] = 0x20;		 /* for unrestricted use */
	memset(p + 16, 0xff, 8); /* no more lead-in, no more lead-out */
	reply(c, 34, be16(c->cdb + 7));
}

static void read_track_information(struct mmc_call *c)
{
	uint8_t *p = c->buf;
	uint32_t number = be32(c->cdb + 2), type = c->cdb[1] & 3;

	if (type == 3 || (type ? number != 1 : number >= mmc_sectors(c->d))) {
		invalid_field(c);
		return;
	}
	memset(p, 0, 36);
	put_be16(p, 34);
	p[2] = p[3] = 1; /* track and session */
	p[5] = 0x04;	 /* data */
	p[6] = 0x01;	 /* mode 1 */
	put_be32(p + 24, mmc_sectors(c->d));
	reply(c, 36, be16(c->cdb + 7));
}

/* 6.22, of a DVD: 00h the physical format, 01h copyright, 03h burst cutting area, 04h manufacturer, ffh which there are. */
static void read_dvd_structure(struct mmc_call *c)
{
	uint32_t sectors = mmc_sectors(c->d);
	uint8_t *p = c->buf, format = c->cdb[7];
	static const uint8_t list[] = {0x00, 0x01, 0x04, 0xff};
	uint32_t bytes = 4;

	memset(p, 0, CD_SECTOR + 4);
	if ((c->cdb[1] & 0xf) || c->cdb[6] || (format != 0xff && !mmc_has_disc(c->d))) {
		invalid_field(c);
		return;
	}
	switch (format) {
	case 0x00:
		p[4] = 0x01;		  /* DVD-ROM, version 1 */
		p[5] = 0x0f;		  /* 120 mm, maximum rate not specified */
		p[6] = 0x01;		  /* one layer, embossed */
		put_be32(p + 8, 0x30000); /* data begin; a byte and three of address */
		put_be32(p + 12, 0x30000 + sectors - 1);
		bytes += CD_SECTOR;
		break;
	case 0x01: /* not protected, all regions */
		bytes += 4;
		break;
	case 0x04:
		bytes += CD_SECTOR;
		break;
	case 0xff:
		for (unsigned i = 0; i < sizeof(list); i++, bytes += 4) {
			static const uint16_t sizes[] = {CD_SECTOR + 4, 8, CD_SECTOR + 4, 20};

			p[bytes] = list[i];
			p[bytes + 1] = 0x40; /* can be read */
			put_be16(p + bytes + 2, sizes[i]);
		}
		break;
	default:
		invalid_field(c);
		return;
	}
	put_be16(p, bytes - 2);
	reply(c, bytes, be16(c->cdb + 8));
}

/* ---- the table ---- */

#define MEDIUM	  0x01 /* not ready without a disc */
#define UA_KEPT	  0x02 /* works, and leaves a unit attention for others to report */
#define NOT_ATAPI 0x04 /* a packet interface has not got it */

static const struct {
	const char *name;
	unsigned flags;
	void (*run)(struct mmc_call *c);
} packets[256] = {
	[CMD_TEST_UNIT_READY] = {"TEST UNIT READY", MEDIUM, test_unit_ready},
	[CMD_REQUEST_SENSE] = {"REQUEST SENSE", UA_KEPT, request_sense},
	[CMD_INQUIRY] = {"INQUIRY", UA_KEPT, inquiry},
	[CMD_MODE_SELECT_6] = {"MODE SELECT (6)", NOT_ATAPI, mode_select},
	[CMD_MODE_SENSE_6] = {"MODE SENSE (6)", NOT_ATAPI, mode_sense},
	[CMD_START_STOP] = {"START STOP UNIT", 0, start_stop},
	[CMD_PREVENT_ALLOW] = {"PREVENT ALLOW MEDIUM REMOVAL", 0, prevent_allow},
	[CMD_READ_CAPACITY] = {"READ CAPACITY", MEDIUM, read_capacity},
	[CMD_READ_10] = {"READ (10)", MEDIUM, read_10},
	[CMD_SEEK] = {"SEEK (10)", MEDIUM, seek},
	[CMD_READ_TOC] = {"READ TOC/PMA/ATIP", MEDIUM, read_toc},
	[CMD_GET_CONFIGURATION] = {"GET CONFIGURATION", UA_KEPT, get_configuration},
	[CMD_GET_EVENT_STATUS] = {"GET EVENT STATUS NOTIFICATION", UA_KEPT, get_event_status},
	[CMD_READ_DISC_INFORMATION] = {"READ DISC INFORMATION", MEDIUM, read_disc_information},
	[CMD_READ_TRACK_INFORMATION] = {"READ TRACK INFORMATION", MEDIUM, read_track_information},
	[CMD_MODE_SELECT_10] = {"MODE SELECT (10)", 0, mode_select},
	[CMD_MODE_SENSE_10] = {"MODE SENSE (10)", 0, mode_sense},
	[CMD_READ_12] = {"READ (12)", MEDIUM, read_12},
	[CMD_READ_DVD_STRUCTURE] = {"READ DVD STRUCTURE", MEDIUM, read_dvd_structure},
	[CMD_READ_CD_MSF] = {"READ CD MSF", MEDIUM, read_cd_msf},
	[CMD_SET_SPEED] = {"SET CD SPEED", 0, set_speed},
	[CMD_MECHANISM_STATUS] = {"MECHANISM STATUS", 0, mechanism_status},
	[CMD_READ_CD] = {"READ CD", MEDIUM, read_cd},
};

static void call(struct mmc_call *c)
{
	unsigned code = c->cdb[0], flags = packets[code].flags;

	if (!packets[code].run || (c->d->atapi && (flags & NOT_ATAPI))) {
		check(c, SCSI_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
	} else if (c->d->unit_attention && !(flags & UA_KEPT)) {
		c->d->unit_attention = false;
		check(c, SCSI_UNIT_ATTENTION, ASC_MEDIUM_CHANGED);
	} else if ((flags & MEDIUM) && !mmc_has_disc(c->d)) {
		check(c, SCSI_NOT_READY, ASC_NO_MEDIUM | (c->d->tray_open ? 2 : 1));
	} else {
		packets[code].run(c);
	}
}

void mmc_run(struct mmc_drive *d, const uint8_t *cdb, uint8_t *buf, struct mmc_result *result)
{
	struct mmc_call c = {.d = d, .cdb = cdb, .buf = buf, .result = result};

	*result = (struct mmc_result){.what = MMC_GOOD};
	call(&c);
}

const struct state_desc mmc_drive_state = {
	.name = "mmc-drive",
	.version = 1,
	STATE_SPAN(mmc_drive),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(mmc_drive, sense_asc),
			STATE_FIELD(mmc_drive, sense_key),
			STATE_FIELD(mmc_drive, event),
			STATE_FIELD(mmc_drive, recovery),
			STATE_FIELD(mmc_drive, retries),
			STATE_FIELD(mmc_drive, tray_open),
			STATE_FIELD(mmc_drive, tray_locked),
			STATE_FIELD(mmc_drive, unit_attention),
			STATE_ARRAY(mmc_drive, pad),
			STATE_END,
		},
};
