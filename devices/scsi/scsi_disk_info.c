/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a SCSI disk says of itself: INQUIRY with its vital product data, mode pages, capacity.
 *
 * SPC-4 (T10/1731D) 6.4 "INQUIRY", 7.8 "Vital product data parameters", 6.11 "MODE SENSE"; SBC-3 (T10/1799D) 5.15 "READ
 * CAPACITY", 6.5 "Vital product data".
 *
 *	VPD	00h supported pages	80h unit serial number	83h device identification
 *		b0h block limits	b1h block device characteristics	b2h logical block provisioning
 *	mode	01h error recovery	04h rigid disk geometry	08h caching	0ah control	3fh all
 */
#include <stdio.h>
#include "devices/scsi/scsi_disk.h"

#define VPD_SUPPORTED	    0x00
#define VPD_SERIAL	    0x80
#define VPD_IDENTIFICATION  0x83
#define VPD_LIMITS	    0xb0
#define VPD_CHARACTERISTICS 0xb1
#define VPD_PROVISIONING    0xb2

#define INQUIRY_BYTES 36
#define VPD_HEADER    4
#define VPD_MAX	      256
#define SERIAL_MAX    36
#define DEVICE_ID_MAX 220
#define SPC_3	      5
#define RESPONSE_FORM 0x12 /* hierarchical addressing, format 2 */
#define COMMAND_QUEUE 0x02
#define REMOVABLE     0x80

#define DESIGNATOR_ASCII 2
#define DESIGNATOR_NAA	 0x01, 0x03 /* binary, of the logical unit */
#define DESIGNATOR_T10	 0x00

/* ---- INQUIRY ---- */

static void pad(uint8_t *p, const char *text, size_t n)
{
	size_t len = MIN(strlen(text), n);

	memset(p, ' ', n);
	memcpy(p, text, len);
}

static unsigned vpd_supported(const struct scsi_disk *d, uint8_t *p)
{
	unsigned n = 0;

	p[n++] = VPD_SUPPORTED;
	if (d->serial)
		p[n++] = VPD_SERIAL;
	p[n++] = VPD_IDENTIFICATION;
	p[n++] = VPD_LIMITS;
	p[n++] = VPD_CHARACTERISTICS;
	p[n++] = VPD_PROVISIONING;
	return n;
}

static unsigned vpd_serial(const struct scsi_disk *d, uint8_t *p)
{
	size_t n = strnlen(d->serial, SERIAL_MAX);

	memcpy(p, d->serial, n);
	return (unsigned)n;
}

static unsigned vpd_identification(const struct scsi_disk *d, uint8_t *p)
{
	const char *id = d->device_id ? d->device_id
			 : d->serial  ? d->serial
				      : block_id(d->conf.block);
	size_t len = id ? strnlen(id, DEVICE_ID_MAX) : 0;
	unsigned n = 0;

	if (len) {
		p[0] = DESIGNATOR_ASCII;
		p[1] = DESIGNATOR_T10;
		p[3] = (uint8_t)len;
		memcpy(p + 4, id, len);
		n = 4 + (unsigned)len;
	}
	if (d->wwn) {
		static const uint8_t head[] = {DESIGNATOR_NAA, 0, 8};

		memcpy(p + n, head, sizeof(head));
		put_be64(p + n + 4, d->wwn);
		n += 12;
	}
	return n;
}

/* In logical blocks (SBC-3 6.5.3). Offsets of the page, its header included. */
static unsigned vpd_limits(const struct scsi_disk *d, uint8_t *page)
{
	uint32_t block = disk_block_bytes(d);
	uint64_t granularity = d->conf.discard_granularity;

	page[4] = 0x01; /* WRITE SAME of 0 blocks means none */
	put_be16(page + 6, (unsigned)(d->conf.min_io_size / block));
	put_be32(page + 12, (uint32_t)(d->conf.opt_io_size / block));
	put_be32(page + 20, DISK_MAX_UNMAP_BLOCKS);
	put_be32(page + 24, DISK_MAX_UNMAP_DESCRIPTORS);
	put_be32(page + 28,
		 granularity && granularity != UINT64_MAX ? (uint32_t)(granularity / block) : 1);
	put_be64(page + 36, DISK_MAX_WRITE_SAME);
	return 60;
}

static unsigned vpd_characteristics(const struct scsi_disk *d, uint8_t *p)
{
	put_be16(p, d->rotation_rate);
	return 60;
}

/* Unmapping by UNMAP and by WRITE SAME; what reads of unmapped blocks give is not promised. */
static unsigned vpd_provisioning(const struct scsi_disk *d, uint8_t *p)
{
	p[1] = 0xe0;
	p[2] = 0x02; /* thin */
	return 4;
}

static void inquiry_page(struct scsi_req *req, uint8_t code)
{
	const struct scsi_disk *d = scsi_disk_of(req->dev);
	uint8_t page[VPD_HEADER + VPD_MAX] = {0, code};
	uint8_t *p = page + VPD_HEADER;
	unsigned n;

	if (code == VPD_SUPPORTED)
		n = vpd_supported(d, p);
	else if (code == VPD_SERIAL && d->serial)
		n = vpd_serial(d, p);
	else if (code == VPD_IDENTIFICATION)
		n = vpd_identification(d, p);
	else if (code == VPD_LIMITS)
		n = vpd_limits(d, page);
	else if (code == VPD_CHARACTERISTICS)
		n = vpd_characteristics(d, p);
	else if (code == VPD_PROVISIONING)
		n = vpd_provisioning(d, p);
	else {
		scsi_check(req, SCSI_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	put_be16(page + 2, n);
	scsi_reply(req, page, VPD_HEADER + n, be16(req->cdb + 3));
}

void disk_inquiry(struct scsi_req *req)
{
	const struct scsi_disk *d = scsi_disk_of(req->dev);
	uint8_t reply[INQUIRY_BYTES] = {0, d->removable ? REMOVABLE : 0, SPC_3, RESPONSE_FORM,
					INQUIRY_BYTES - 5};

	if (req->cdb[1] & 1) {
		inquiry_page(req, req->cdb[2]);
		return;
	}
	if (req->cdb[2]) {
		scsi_check(req, SCSI_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	reply[7] = COMMAND_QUEUE;
	pad(reply + 8, d->vendor, 8);
	pad(reply + 16, d->product, 16);
	pad(reply + 32, d->version, 4);
	scsi_reply(req, reply, sizeof(reply), be16(req->cdb + 3));
}

/* ---- mode pages ---- */

#define CMD_MODE_SENSE_6  0x1a
#define CMD_MODE_SELECT_6 0x15

#define MODE_RECOVERY 0x01
#define MODE_GEOMETRY 0x04
#define MODE_CACHING  0x08
#define MODE_CONTROL  0x0a
#define MODE_ALL      0x3f

#define PC_CHANGEABLE 1
#define PC_SAVED      3

#define CACHING_WCE    0x04
#define SPECIFIC_WP    0x80
#define SPECIFIC_DPOFU 0x10

#define GEOMETRY_HEADS	 16
#define GEOMETRY_SECTORS 63
#define GEOMETRY_RPM	 5400
#define MODE_LIST_MAX	 64

/* The page's bytes behind code and length; how many. PC_CHANGEABLE: a one for each bit that MODE SELECT changes. */
static unsigned mode_recovery(const struct scsi_disk *d, uint8_t *p, bool changeable)
{
	if (!changeable)
		p[0] = 0xc0; /* automatic reallocation of reads and writes */
	return 10;
}

static unsigned mode_geometry(const struct scsi_disk *d, uint8_t *p, bool changeable)
{
	uint64_t sectors = block_bytes(d->conf.block) / BLOCK_SECTOR;
	uint32_t cylinders =
		(uint32_t)MIN(sectors / (GEOMETRY_HEADS * GEOMETRY_SECTORS), 0xffffffull);

	if (changeable)
		return 22;
	put_be32(p, cylinders << 8);
	p[3] = GEOMETRY_HEADS;
	put_be16(p + 18, GEOMETRY_RPM);
	return 22;
}

static unsigned mode_caching(const struct scsi_disk *d, uint8_t *p, bool changeable)
{
	if (changeable || block_write_cache(d->conf.block))
		p[0] = CACHING_WCE;
	return 18;
}

static unsigned mode_control(const struct scsi_disk *d, uint8_t *p, bool changeable)
{
	if (!changeable)
		p[1] = 0x10; /* the queue may be reordered */
	return 10;
}

static const struct {
	uint8_t code;
	unsigned (*put)(const struct scsi_disk *d, uint8_t *p, bool changeable);
} mode_pages[] = {
	{MODE_RECOVERY, mode_recovery},
	{MODE_GEOMETRY, mode_geometry},
	{MODE_CACHING, mode_caching},
	{MODE_CONTROL, mode_control},
};

static unsigned put_block_descriptor(const struct scsi_disk *d, uint8_t *p)
{
	put_be32(p, (uint32_t)MIN(disk_blocks(d), 0xffffffull)); /* density code 0 */
	put_be32(p + 4, disk_block_bytes(d));
	return 8;
}

static unsigned put_mode_pages(const struct scsi_disk *d, uint8_t *p, uint8_t code, unsigned pc)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(mode_pages); i++) {
		unsigned bytes;

		if (code != MODE_ALL && code != mode_pages[i].code)
			continue;
		bytes = mode_pages[i].put(d, p + n + 2, pc == PC_CHANGEABLE);
		p[n] = mode_pages[i].code;
		p[n + 1] = (uint8_t)bytes;
		n += 2 + bytes;
	}
	return n;
}

void disk_mode_sense(struct scsi_req *req)
{
	const struct scsi_disk *d = scsi_disk_of(req->dev);
	bool six = req->cdb[0] == CMD_MODE_SENSE_6, no_descriptor = req->cdb[1] & 8;
	uint8_t reply[256] = {0}, code = req->cdb[2] & 0x3f;
	unsigned pc = req->cdb[2] >> 6, header = six ? 4 : 8, n = header, descriptor = 0, pages;

	if (pc == PC_SAVED) {
		scsi_check(req, SCSI_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED);
		return;
	}
	if (!no_descriptor && disk_blocks(d))
		descriptor = put_block_descriptor(d, reply + n);
	n += descriptor;
	pages = put_mode_pages(d, reply + n, code, pc);
	if (!pages || req->cdb[3]) {
		scsi_check(req, SCSI_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	n += pages;
	reply[six ? 2 : 3] = (block_read_only(d->conf.block) ? SPECIFIC_WP : 0) |
			     (d->dpofua ? SPECIFIC_DPOFU : 0);
	if (six) {
		reply[0] = (uint8_t)(n - 1);
		reply[3] = (uint8_t)descriptor;
	} else {
		put_be16(reply, n - 2);
		put_be16(reply + 6, descriptor);
	}
	scsi_reply(req, reply, n, six ? req->cdb[4] : be16(req->cdb + 7));
}

void disk_set_write_cache(struct scsi_disk *d, bool on)
{
	d->write_cache = on;
	block_set_write_cache(d->conf.block, on);
}

/* Does PAGE change nothing but what may be changed? */
static bool page_acceptable(const struct scsi_disk *d, const uint8_t *page, unsigned bytes)
{
	uint8_t now[64] = {0}, mask[64] = {0};
	unsigned n = put_mode_pages(d, now, page[0] & 0x3f, 0);

	put_mode_pages(d, mask, page[0] & 0x3f, PC_CHANGEABLE);
	if (!n || n != bytes || (page[0] & 0x3f) == MODE_ALL)
		return false;
	for (unsigned i = 2; i < n; i++)
		if ((page[i] ^ now[i]) & ~mask[i])
			return false;
	return true;
}

void disk_mode_select(struct scsi_req *req)
{
	struct scsi_disk *d = scsi_disk_of(req->dev);
	bool six = req->cdb[0] == CMD_MODE_SELECT_6;
	unsigned listed = six ? req->cdb[4] : be16(req->cdb + 7), header = six ? 4 : 8, at;
	uint8_t list[MODE_LIST_MAX + 8];
	int cache = -1;

	if (!(req->cdb[1] & 0x10) || (req->cdb[1] & 1) || listed > sizeof(list)) {
		scsi_check(req, SCSI_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	if (!listed) {
		scsi_good(req, 0);
		return;
	}
	if (scsi_parameters(req, list, listed) < listed || listed < header) {
		scsi_check(req, SCSI_ILLEGAL_REQUEST, ASC_PARAMETER_LENGTH);
		return;
	}
	at = header + (six ? list[3] : be16(list + 6));
	while (at < listed) {
		unsigned bytes = at + 2 <= listed ? 2u + list[at + 1] : listed;

		if (bytes > listed - at || !page_acceptable(d, list + at, bytes)) {
			scsi_check(req, SCSI_ILLEGAL_REQUEST, ASC_INVALID_PARAMETER);
			return;
		}
		if ((list[at] & 0x3f) == MODE_CACHING)
			cache = !!(list[at + 2] & CACHING_WCE);
		at += bytes;
	}
	if (cache >= 0)
		disk_set_write_cache(d, cache);
	scsi_good(req, listed);
}

/* ---- capacity ---- */

#define SAI_READ_CAPACITY_16 0x10
#define CAPACITY_16_BYTES    32
#define LBPME		     0x80 /* blocks can be unmapped */

void disk_read_capacity_10(struct scsi_req *req)
{
	const struct scsi_disk *d = scsi_disk_of(req->dev);
	uint64_t n = disk_blocks(d);
	uint8_t reply[8];

	if (!block_has_medium(d->conf.block)) {
		scsi_check(req, SCSI_NOT_READY, ASC_NO_MEDIUM);
		return;
	}
	if (!(req->cdb[8] & 1) && be32(req->cdb + 2)) {
		scsi_check(req, SCSI_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	put_be32(reply, (uint32_t)MIN(n ? n - 1 : 0, (uint64_t)UINT32_MAX));
	put_be32(reply + 4, disk_block_bytes(d));
	scsi_reply(req, reply, sizeof(reply), sizeof(reply));
}

void disk_service_action_in_16(struct scsi_req *req)
{
	const struct scsi_disk *d = scsi_disk_of(req->dev);
	uint64_t n = disk_blocks(d);
	uint8_t reply[CAPACITY_16_BYTES] = {0};

	if ((req->cdb[1] & 0x1f) != SAI_READ_CAPACITY_16) {
		scsi_check(req, SCSI_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	if (!block_has_medium(d->conf.block)) {
		scsi_check(req, SCSI_NOT_READY, ASC_NO_MEDIUM);
		return;
	}
	put_be64(reply, n ? n - 1 : 0);
	put_be32(reply + 8, disk_block_bytes(d));
	reply[13] =
		(uint8_t)__builtin_ctzll(d->conf.physical_block_size / d->conf.logical_block_size);
	reply[14] = LBPME;
	scsi_reply(req, reply, sizeof(reply), be32(req->cdb + 10));
}
