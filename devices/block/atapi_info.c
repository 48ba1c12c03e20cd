/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet commands of the CD-ROM: one table, and what the drive says of itself and of the disc.
 *
 * MMC-5 (T10/1675D) section 6 "Commands", 5.3 "Features", 7 "Mode parameters"; SPC-3 (T10/1416D) 6.4 "INQUIRY"; the
 * capabilities page (2Ah) as MMC-3 (T10/1363D) had it, for that is what drivers read.
 */
#include <stdio.h>
#include "devices/block/atapi.h"

#define CMD_TEST_UNIT_READY	   0x00
#define CMD_REQUEST_SENSE	   0x03
#define CMD_INQUIRY		   0x12
#define CMD_START_STOP		   0x1b
#define CMD_PREVENT_ALLOW	   0x1e
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

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void invalid_field(struct ata_device *ata)
{
	atapi_check(ata, SENSE_ILLEGAL_REQUEST, ASC_INVALID_FIELD, 0);
}

static bool is_dvd(const struct ata_device *ata)
{
	return atapi_sectors(ata) > MAX_CD_SECTORS;
}

static uint16_t current_profile(const struct ata_device *ata)
{
	if (!atapi_has_disc(ata))
		return 0;
	return is_dvd(ata) ? PROFILE_DVD_ROM : PROFILE_CD_ROM;
}

/* ---- the drive ---- */

static void test_unit_ready(struct ata_device *ata)
{
	atapi_ok(ata);
}

static void request_sense(struct ata_device *ata)
{
	uint8_t *p = ata->buffer;

	memset(p, 0, 18);
	if (!ata->sense_key && ata->unit_attention) {
		ata->unit_attention = false;
		ata->sense_key = SENSE_UNIT_ATTENTION;
		ata->sense_asc = ASC_MEDIUM_CHANGED;
		ata->sense_ascq = 0;
	}
	p[0] = 0x70;
	p[2] = ata->sense_key;
	p[7] = 10;
	p[12] = ata->sense_asc;
	p[13] = ata->sense_ascq;
	atapi_reply(ata, 18, ata->cdb[4]);
}

static void pad_string(uint8_t *p, const char *s, unsigned bytes)
{
	memset(p, ' ', bytes);
	memcpy(p, s, MIN(strlen(s), bytes));
}

/* Vital product data: 00h which pages there are, 83h who the drive is. */
static void inquiry_page(struct ata_device *ata)
{
	uint8_t *p = ata->buffer;
	size_t serial = strlen(ata->serial);

	memset(p, 0, 64);
	p[0] = 0x05;
	p[1] = ata->cdb[2];
	if (ata->cdb[2] == 0x00) {
		p[3] = 2;
		p[4] = 0x00;
		p[5] = 0x83;
	} else if (ata->cdb[2] == 0x83) {
		serial = MIN(serial, 20u);
		p[3] = 4 + serial;
		p[4] = 2; /* ASCII */
		p[7] = serial;
		memcpy(p + 8, ata->serial, serial);
	} else {
		invalid_field(ata);
		return;
	}
	atapi_reply(ata, 4 + p[3], get16(ata->cdb + 3));
}

static void inquiry(struct ata_device *ata)
{
	uint8_t *p = ata->buffer;

	if (ata->cdb[1] & 1) {
		inquiry_page(ata);
		return;
	}
	if (ata->cdb[2]) {
		invalid_field(ata);
		return;
	}
	memset(p, 0, 36);
	p[0] = 0x05; /* CD or DVD drive */
	p[1] = 0x80; /* removable */
	p[3] = 0x21; /* of ATAPI; the format of SPC */
	p[4] = 31;
	pad_string(p + 8, "QEMU", 8);
	pad_string(p + 16, ata->model, 16);
	pad_string(p + 32, ata->version, 4);
	atapi_reply(ata, 36, get16(ata->cdb + 3));
}

static void start_stop(struct ata_device *ata)
{
	bool start = ata->cdb[4] & 1, load_eject = ata->cdb[4] & 2;

	if (ata->cdb[4] >> 4) {
		atapi_ok(ata); /* a power condition */
		return;
	}
	if (load_eject)
		atapi_move_tray(ata, !start);
	else
		atapi_ok(ata);
}

static void prevent_allow(struct ata_device *ata)
{
	atapi_lock(ata, ata->cdb[4] & 1);
}

static void mechanism_status(struct ata_device *ata)
{
	uint8_t *p = ata->buffer;

	memset(p, 0, 8);
	p[1] = ata->tray_open ? 0x10 : 0;
	atapi_reply(ata, 8, get16(ata->cdb + 8));
}

/* 6.7: only asked for, never waited for. */
static void get_event_status(struct ata_device *ata)
{
	uint8_t *p = ata->buffer;

	if (!(ata->cdb[1] & 1)) {
		invalid_field(ata);
		return;
	}
	memset(p, 0, 8);
	p[3] = 0x10; /* the media class is what there is */
	if (!(ata->cdb[4] & 0x10)) {
		put16(p, 2);
		p[2] = 0x80; /* no event of a class that was asked for */
		atapi_reply(ata, 4, get16(ata->cdb + 7));
		return;
	}
	put16(p, 6);
	p[2] = 4;
	p[4] = ata->event;
	p[5] = (ata->tray_open ? 1 : 0) | (atapi_has_disc(ata) ? 2 : 0);
	if (get16(ata->cdb + 7) > 4)
		ata->event = 0;
	atapi_reply(ata, 8, get16(ata->cdb + 7));
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
	put16(p, f->code);
	p[2] = (f->flags & 0x1e) | (feature_is_current(f, profile) ? 1 : 0);
	p[3] = f->bytes;
	memcpy(p + 4, f->data, f->bytes);
	if (f->code == 0) {
		p[6] = profile == PROFILE_DVD_ROM;
		p[10] = profile == PROFILE_CD_ROM;
	}
	return 4 + f->bytes;
}

static void get_configuration(struct ata_device *ata)
{
	uint8_t *p = ata->buffer, which = ata->cdb[1] & 3;
	uint16_t start = get16(ata->cdb + 2), profile = current_profile(ata);
	uint32_t bytes = 8;

	if (which == 3) {
		invalid_field(ata);
		return;
	}
	memset(p, 0, 8);
	put16(p + 6, profile);
	for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
		const struct feature *f = &features[i];

		if (which == 2 ? f->code == start
			       : f->code >= start && (which == 0 || feature_is_current(f, profile)))
			bytes += put_feature(p + bytes, f, profile);
	}
	put32(p, bytes - 4);
	atapi_reply(ata, bytes, get16(ata->cdb + 7));
}

/* ---- mode pages ---- */

#define PAGE_RECOVERY	  0x01
#define PAGE_AUDIO	  0x0e
#define PAGE_CAPABILITIES 0x2a
#define PAGE_ALL	  0x3f

#define PC_CHANGEABLE 1
#define PC_SAVED      3

static uint32_t page_recovery(const struct ata_device *ata, uint8_t *p, unsigned pc)
{
	p[1] = 6;
	if (pc == PC_CHANGEABLE) {
		p[2] = p[3] = 0xff;
		return 8;
	}
	p[2] = pc ? 0 : ata->recovery;
	p[3] = pc ? 5 : ata->retries;
	return 8;
}

static uint32_t page_audio(const struct ata_device *ata, uint8_t *p, unsigned pc)
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

static uint32_t page_capabilities(const struct ata_device *ata, uint8_t *p, unsigned pc)
{
	p[1] = 20;
	if (pc == PC_CHANGEABLE)
		return 22;
	p[2] = 0x3b;				  /* reads CD-R, CD-RW, DVD-ROM, -R, -RAM */
	p[4] = 0x70;				  /* mode 2 forms 1 and 2, sessions */
	p[6] = 0x29 | (ata->tray_locked ? 2 : 0); /* tray; eject; lock */
	put16(p + 8, SPEED_KB);
	put16(p + 10, 2);   /* steps of volume */
	put16(p + 12, 512); /* KiB of buffer */
	put16(p + 14, SPEED_KB);
	return 22;
}

static const struct {
	uint8_t code;
	uint32_t (*put)(const struct ata_device *ata, uint8_t *p, unsigned pc);
} mode_pages[] = {
	{PAGE_RECOVERY, page_recovery},
	{PAGE_AUDIO, page_audio},
	{PAGE_CAPABILITIES, page_capabilities},
};

static uint8_t medium_type(const struct ata_device *ata)
{
	if (ata->tray_open)
		return 0x71;
	return atapi_has_disc(ata) ? 0x01 : 0x70;
}

static void mode_sense(struct ata_device *ata)
{
	unsigned pc = ata->cdb[2] >> 6, code = ata->cdb[2] & 0x3f;
	uint8_t *p = ata->buffer;
	uint32_t bytes = 8;

	memset(p, 0, 128);
	for (unsigned i = 0; i < ARRAY_SIZE(mode_pages); i++) {
		if (code != PAGE_ALL && code != mode_pages[i].code)
			continue;
		p[bytes] = mode_pages[i].code;
		bytes += mode_pages[i].put(ata, p + bytes, pc);
	}
	if (pc == PC_SAVED) {
		atapi_check(ata, SENSE_ILLEGAL_REQUEST, ASC_SAVING_UNSUPPORTED, 0);
	} else if (bytes == 8) {
		invalid_field(ata);
	} else {
		put16(p, bytes - 2);
		p[2] = medium_type(ata);
		atapi_reply(ata, bytes, get16(ata->cdb + 7));
	}
}

static void mode_select(struct ata_device *ata)
{
	if ((ata->cdb[1] & 0x11) != 0x10) /* the standard's pages; not to be saved */
		invalid_field(ata);
	else
		atapi_want_data(ata, get16(ata->cdb + 7));
}

/* Of all that is in the pages only the error recovery's two bytes can be changed. */
void atapi_mode_select_data(struct ata_device *ata, const uint8_t *list, uint32_t bytes)
{
	uint32_t at = 8 + (bytes >= 8 ? get16(list + 6) : 0);

	while (at + 2 <= bytes) {
		uint32_t page_bytes = 2 + list[at + 1];
		uint8_t code = list[at] & 0x3f;

		if (page_bytes > bytes - at || (code == PAGE_RECOVERY && page_bytes < 8) ||
		    (code != PAGE_RECOVERY && code != PAGE_AUDIO && code != PAGE_CAPABILITIES)) {
			atapi_check(ata, SENSE_ILLEGAL_REQUEST, ASC_INVALID_PARAMETER, 0);
			return;
		}
		if (code == PAGE_RECOVERY) {
			ata->recovery = list[at + 2];
			ata->retries = list[at + 3];
		}
		at += page_bytes;
	}
	atapi_ok(ata);
}

/* ---- the disc ---- */

static void read_10(struct ata_device *ata)
{
	atapi_read(ata, get32(ata->cdb + 2), get16(ata->cdb + 7), CD_SECTOR);
}

static void read_12(struct ata_device *ata)
{
	atapi_read(ata, get32(ata->cdb + 2), get32(ata->cdb + 6), CD_SECTOR);
}

/* What of each sector is wanted (6.19): nothing, the user's data, or all. */
static void read_parts(struct ata_device *ata, uint32_t lba, uint32_t n)
{
	unsigned type = ata->cdb[1] >> 2 & 7, parts = ata->cdb[9] & 0xf8;

	if (type != 0 && type != 2) /* any, or mode 1 */
		atapi_check(ata, SENSE_ILLEGAL_REQUEST, ASC_WRONG_TRACK_MODE, 0);
	else if (!n || !parts)
		atapi_ok(ata);
	else if (parts == 0x10)
		atapi_read(ata, lba, n, CD_SECTOR);
	else if (parts == 0xf8 && !(ata->cdb[10] & 7))
		atapi_read(ata, lba, n, CD_RAW_SECTOR);
	else
		invalid_field(ata);
}

static void read_cd(struct ata_device *ata)
{
	read_parts(ata, get32(ata->cdb + 2), get32(ata->cdb + 5) & 0xffffff);
}

static uint32_t frames_of(const uint8_t *msf)
{
	return (msf[0] * 60u + msf[1]) * CD_FRAMES + msf[2];
}

static void read_cd_msf(struct ata_device *ata)
{
	uint32_t start = frames_of(ata->cdb + 3), end = frames_of(ata->cdb + 6);

	if (start < CD_LEAD_IN_FRAMES || end < start)
		invalid_field(ata);
	else
		read_parts(ata, start - CD_LEAD_IN_FRAMES, end - start);
}

static void read_capacity(struct ata_device *ata)
{
	uint32_t n = atapi_sectors(ata);

	put32(ata->buffer, n ? n - 1 : 0);
	put32(ata->buffer + 4, CD_SECTOR);
	atapi_reply(ata, 8, 8);
}

static void seek(struct ata_device *ata)
{
	if (get32(ata->cdb + 2) >= atapi_sectors(ata))
		atapi_check(ata, SENSE_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE, 0);
	else
		atapi_ok(ata);
}

static void set_speed(struct ata_device *ata)
{
	atapi_ok(ata);
}

/* An address in four bytes, as sectors or as minutes, seconds and frames. */
static void put_address(uint8_t *p, uint32_t lba, bool msf)
{
	uint32_t frames = lba + CD_LEAD_IN_FRAMES;

	if (!msf) {
		put32(p, lba);
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
static bool toc_tracks(struct ata_device *ata, bool msf, uint32_t *bytes)
{
	uint8_t *p = ata->buffer, first = ata->cdb[6];

	if (first > 1 && first != LEAD_OUT_TRACK)
		return false;
	p[2] = p[3] = 1; /* first and last track */
	*bytes = 4;
	if (first <= 1)
		*bytes += put_track(p + *bytes, 1, 0, msf);
	*bytes += put_track(p + *bytes, LEAD_OUT_TRACK, atapi_sectors(ata), msf);
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

static uint32_t toc_raw(struct ata_device *ata)
{
	uint8_t *p = ata->buffer, end[4];
	uint32_t bytes = 4;

	p[2] = p[3] = 1; /* sessions */
	put_address(end, atapi_sectors(ata), true);
	bytes += put_raw_entry(p + bytes, 0xa0, 1, 0, 0);
	bytes += put_raw_entry(p + bytes, 0xa1, 1, 0, 0);
	bytes += put_raw_entry(p + bytes, 0xa2, end[1], end[2], end[3]);
	bytes += put_raw_entry(p + bytes, 1, 0, 2, 0);
	return bytes;
}

/* 6.26. PMA, ATIP and CD-TEXT are of discs that are written or sung. */
static void read_toc(struct ata_device *ata)
{
	unsigned format = ata->cdb[2] & 0xf;
	bool msf = ata->cdb[1] & 2;
	uint8_t *p = ata->buffer;
	uint32_t bytes;

	if (!format)
		format = ata->cdb[9] >> 6; /* where SFF-8020i had it */
	memset(p, 0, 64);
	switch (format) {
	case 0:
		if (!toc_tracks(ata, msf, &bytes)) {
			invalid_field(ata);
			return;
		}
		break;
	case 1: /* the last session's first track */
		p[2] = p[3] = 1;
		bytes = 4 + put_track(p + 4, 1, 0, msf);
		break;
	case 2:
		bytes = toc_raw(ata);
		break;
	default:
		invalid_field(ata);
		return;
	}
	put16(p, bytes - 2);
	atapi_reply(ata, bytes, get16(ata->cdb + 7));
}

static void read_disc_information(struct ata_device *ata)
{
	uint8_t *p = ata->buffer;

	if (ata->cdb[1] & 7) {
		invalid_field(ata);
		return;
	}
	memset(p, 0, 34);
	put16(p, 32);
	p[2] = 0x0e; /* finalized, the last session complete */
	p[3] = 1;    /* first track */
	p[4] = 1;    /* sessions */
	p[5] = p[6] = 1;
	p[7] = 0x20;		 /* for unrestricted use */
	memset(p + 16, 0xff, 8); /* no more lead-in, no more lead-out */
	atapi_reply(ata, 34, get16(ata->cdb + 7));
}

static void read_track_information(struct ata_device *ata)
{
	uint8_t *p = ata->buffer;
	uint32_t number = get32(ata->cdb + 2), type = ata->cdb[1] & 3;

	if (type == 3 || (type ? number != 1 : number >= atapi_sectors(ata))) {
		invalid_field(ata);
		return;
	}
	memset(p, 0, 36);
	put16(p, 34);
	p[2] = p[3] = 1; /* track and session */
	p[5] = 0x04;	 /* data */
	p[6] = 0x01;	 /* mode 1 */
	put32(p + 24, atapi_sectors(ata));
	atapi_reply(ata, 36, get16(ata->cdb + 7));
}

/* 6.22, of a DVD: 00h the physical format, 01h copyright, 03h burst cutting area, 04h manufacturer, ffh which there are. */
static void read_dvd_structure(struct ata_device *ata)
{
	uint32_t sectors = atapi_sectors(ata);
	uint8_t *p = ata->buffer, format = ata->cdb[7];
	static const uint8_t list[] = {0x00, 0x01, 0x04, 0xff};
	uint32_t bytes = 4;

	memset(p, 0, CD_SECTOR + 4);
	if ((ata->cdb[1] & 0xf) || ata->cdb[6] || (format != 0xff && !atapi_has_disc(ata))) {
		invalid_field(ata);
		return;
	}
	switch (format) {
	case 0x00:
		p[4] = 0x01;	       /* DVD-ROM, version 1 */
		p[5] = 0x0f;	       /* 120 mm, maximum rate not specified */
		p[6] = 0x01;	       /* one layer, embossed */
		put32(p + 8, 0x30000); /* data begin; a byte and three of address */
		put32(p + 12, 0x30000 + sectors - 1);
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
			put16(p + bytes + 2, sizes[i]);
		}
		break;
	default:
		invalid_field(ata);
		return;
	}
	put16(p, bytes - 2);
	atapi_reply(ata, bytes, get16(ata->cdb + 8));
}

/* ---- the table ---- */

#define MEDIUM	0x01 /* not ready without a disc */
#define UA_KEPT 0x02 /* works, and leaves a unit attention for others to report */

static const struct {
	const char *name;
	unsigned flags;
	void (*run)(struct ata_device *ata);
} packets[256] = {
	[CMD_TEST_UNIT_READY] = {"TEST UNIT READY", MEDIUM, test_unit_ready},
	[CMD_REQUEST_SENSE] = {"REQUEST SENSE", UA_KEPT, request_sense},
	[CMD_INQUIRY] = {"INQUIRY", UA_KEPT, inquiry},
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

void atapi_run(struct ata_device *ata)
{
	unsigned code = ata->cdb[0], flags = packets[code].flags;

	if (!packets[code].run) {
		atapi_check(ata, SENSE_ILLEGAL_REQUEST, ASC_INVALID_OPCODE, 0);
	} else if (ata->unit_attention && !(flags & UA_KEPT)) {
		ata->unit_attention = false;
		atapi_check(ata, SENSE_UNIT_ATTENTION, ASC_MEDIUM_CHANGED, 0);
	} else if ((flags & MEDIUM) && !atapi_has_disc(ata)) {
		atapi_check(ata, SENSE_NOT_READY, ASC_NO_MEDIUM, ata->tray_open ? 2 : 1);
	} else {
		packets[code].run(ata);
	}
}
