/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scsi-hd: a SCSI disk (SBC-3, T10/1799D, section 5). Blocks go between the guest's memory and the block engine as they
 * are.
 *
 * Not modelled: persistent reservations, protection information, FORMAT UNIT beyond success, defect lists.
 * Deviates because: RESERVE and RELEASE succeed and mean nothing: a disk has one initiator here.
 */
#include <errno.h>
#include <stdlib.h>
#include "devices/scsi/scsi_disk.h"
#include "devices/scsi/scsi_types.h"
#include "src/boot/bootorder.h"

#define CMD_TEST_UNIT_READY	 0x00
#define CMD_REZERO_UNIT		 0x01
#define CMD_FORMAT_UNIT		 0x04
#define CMD_READ_6		 0x08
#define CMD_WRITE_6		 0x0a
#define CMD_INQUIRY		 0x12
#define CMD_MODE_SELECT_6	 0x15
#define CMD_RESERVE_6		 0x16
#define CMD_RELEASE_6		 0x17
#define CMD_MODE_SENSE_6	 0x1a
#define CMD_START_STOP_UNIT	 0x1b
#define CMD_SEND_DIAGNOSTIC	 0x1d
#define CMD_PREVENT_ALLOW	 0x1e
#define CMD_READ_CAPACITY_10	 0x25
#define CMD_READ_10		 0x28
#define CMD_WRITE_10		 0x2a
#define CMD_SEEK_10		 0x2b
#define CMD_WRITE_VERIFY_10	 0x2e
#define CMD_VERIFY_10		 0x2f
#define CMD_SYNCHRONIZE_CACHE_10 0x35
#define CMD_WRITE_SAME_10	 0x41
#define CMD_UNMAP		 0x42
#define CMD_MODE_SELECT_10	 0x55
#define CMD_RESERVE_10		 0x56
#define CMD_RELEASE_10		 0x57
#define CMD_MODE_SENSE_10	 0x5a
#define CMD_READ_16		 0x88
#define CMD_WRITE_16		 0x8a
#define CMD_WRITE_VERIFY_16	 0x8e
#define CMD_VERIFY_16		 0x8f
#define CMD_SYNCHRONIZE_CACHE_16 0x91
#define CMD_WRITE_SAME_16	 0x93
#define CMD_SERVICE_ACTION_IN_16 0x9e
#define CMD_READ_12		 0xa8
#define CMD_WRITE_12		 0xaa
#define CMD_WRITE_VERIFY_12	 0xae
#define CMD_VERIFY_12		 0xaf

#define CDB1_FUA      0x08
#define CDB1_UNMAP    0x08
#define CDB1_ANCHOR   0x10
#define CDB1_FMTDATA  0x10
#define CDB1_NDOB     0x01
#define CDB1_BYTCHK   0x06
#define BYTCHK_SHIFT  1
#define BYTCHK_NONE   0
#define BYTCHK_EQUAL  1
#define UNMAP_HEADER  8
#define UNMAP_ENTRY   16
#define READ_6_BLOCKS 256
#define FILL_BYTES    (1 * MiB)
#define COMPARE_BYTES (1 * MiB)

static void illegal(struct scsi_req *req, uint16_t asc)
{
	scsi_check(req, SCSI_ILLEGAL_REQUEST, asc);
}

/* ---- which blocks ---- */

/* The CDB's address and count, by its group (SPC-4 4.3.4). */
static void parse_range(struct scsi_req *req)
{
	const uint8_t *c = req->cdb;

	switch (c[0] >> 5) {
	case 0:
		req->lba = be32(c) & 0x1fffff;
		req->blocks = c[4] ? c[4] : READ_6_BLOCKS;
		break;
	case 1:
	case 2:
		req->lba = be32(c + 2);
		req->blocks = be16(c + 7);
		break;
	case 4:
		req->lba = be64(c + 2);
		req->blocks = be32(c + 10);
		break;
	default:
		req->lba = be32(c + 2);
		req->blocks = be32(c + 6);
	}
}

static bool in_range(const struct scsi_disk *d, uint64_t lba, uint64_t blocks)
{
	uint64_t n = disk_blocks(d);

	return lba <= n && blocks <= n - lba;
}

/* False: REQ has ended. */
static bool range_ok(struct scsi_req *req)
{
	struct scsi_disk *d = scsi_disk_of(req->dev);

	parse_range(req);
	if (!block_has_medium(d->conf.block))
		scsi_check(req, SCSI_NOT_READY, ASC_NO_MEDIUM);
	else if (!in_range(d, req->lba, req->blocks))
		illegal(req, ASC_LBA_OUT_OF_RANGE);
	else
		return true;
	return false;
}

static bool writable(struct scsi_req *req)
{
	if (!block_read_only(scsi_disk_of(req->dev)->conf.block))
		return true;
	scsi_check(req, SCSI_DATA_PROTECT, ASC_WRITE_PROTECTED);
	return false;
}

/* ---- reading and writing ---- */

static void read_done(void *opaque, int ret)
{
	struct scsi_req *req = opaque;

	if (ret)
		scsi_host_error(req, ret, false);
	else
		scsi_good(req, req->arg);
}

static void write_done(void *opaque, int ret)
{
	struct scsi_req *req = opaque;

	if (ret)
		scsi_host_error(req, ret, true);
	else
		scsi_good(req, req->arg);
}

/* As many bytes as the guest has memory for. */
static void cmd_read(struct scsi_req *req)
{
	struct scsi_disk *d = scsi_disk_of(req->dev);
	unsigned n;

	if (!range_ok(req))
		return;
	req->arg = scsi_fitting(req, req->blocks * disk_block_bytes(d));
	if (!req->arg) {
		scsi_good(req, 0);
		return;
	}
	n = scsi_slice(req, req->in, req->n_in, 0, req->arg);
	block_readv(d->conf.block, &req->io, req->lba * disk_block_bytes(d), req->iov, n, read_done,
		    req);
}

/* WRITE AND VERIFY is at the medium by its nature. */
static bool fua(const struct scsi_req *req)
{
	switch (req->cdb[0]) {
	case CMD_WRITE_6:
		return false;
	case CMD_WRITE_VERIFY_10:
	case CMD_WRITE_VERIFY_12:
	case CMD_WRITE_VERIFY_16:
		return true;
	default:
		return req->cdb[1] & CDB1_FUA;
	}
}

/* What the guest gives must be all of it: a block written in part would be worse than an error. */
static void cmd_write(struct scsi_req *req)
{
	struct scsi_disk *d = scsi_disk_of(req->dev);
	unsigned n;

	if (!writable(req) || !range_ok(req))
		return;
	req->arg = req->blocks * disk_block_bytes(d);
	if (req->arg > req->out_bytes) {
		illegal(req, ASC_INVALID_FIELD);
		return;
	}
	if (!req->arg) {
		scsi_good(req, 0);
		return;
	}
	n = scsi_slice(req, req->out, req->n_out, 0, req->arg);
	block_writev(d->conf.block, &req->io, req->lba * disk_block_bytes(d), req->iov, n,
		     fua(req) ? BLOCK_FUA : 0, write_done, req);
}

/* ---- VERIFY: in pieces, into memory of our own ---- */

static void verify_next(struct scsi_req *req);

static bool same(const struct scsi_req *req, uint64_t offset, size_t bytes)
{
	size_t at = 0;

	for (unsigned i = 0; i < req->n_out && at < bytes; i++) {
		size_t len = req->out[i].iov_len, n;

		if (offset >= len) {
			offset -= len;
			continue;
		}
		n = MIN(len - offset, bytes - at);
		if (memcmp((char *)req->out[i].iov_base + offset, req->bounce + at, n))
			return false;
		at += n;
		offset = 0;
	}
	return at == bytes;
}

static void verify_done(void *opaque, int ret)
{
	struct scsi_req *req = opaque;
	size_t bytes = req->iov[0].iov_len;

	if (ret) {
		scsi_host_error(req, ret, false);
		return;
	}
	if ((req->cdb[1] & CDB1_BYTCHK) && !same(req, req->arg, bytes)) {
		scsi_check(req, SCSI_MISCOMPARE, ASC_MISCOMPARE);
		return;
	}
	req->arg += bytes;
	verify_next(req);
}

static void verify_next(struct scsi_req *req)
{
	struct scsi_disk *d = scsi_disk_of(req->dev);
	uint64_t all = req->blocks * disk_block_bytes(d);

	if (req->arg == all) {
		scsi_good(req, req->cdb[1] & CDB1_BYTCHK ? all : 0);
		return;
	}
	if (scsi_ends_early(req))
		return;
	req->iov[0] = (struct iovec){req->bounce, MIN(all - req->arg, COMPARE_BYTES)};
	block_readv(d->conf.block, &req->io, req->lba * disk_block_bytes(d) + req->arg, req->iov, 1,
		    verify_done, req);
}

static void cmd_verify(struct scsi_req *req)
{
	struct scsi_disk *d = scsi_disk_of(req->dev);
	unsigned check = (req->cdb[1] & CDB1_BYTCHK) >> BYTCHK_SHIFT;

	if (!range_ok(req))
		return;
	if (check > BYTCHK_EQUAL || (check && req->blocks * disk_block_bytes(d) > req->out_bytes)) {
		illegal(req, ASC_INVALID_FIELD);
		return;
	}
	req->arg = 0;
	req->iov = xmalloc(sizeof(*req->iov));
	req->bounce = xmalloc(COMPARE_BYTES);
	verify_next(req);
}

/* ---- SYNCHRONIZE CACHE ---- */

static void cmd_synchronize_cache(struct scsi_req *req)
{
	if (!range_ok(req))
		return;
	req->arg = 0;
	block_flush(scsi_disk_of(req->dev)->conf.block, &req->io, write_done, req);
}

/* ---- UNMAP ---- */

static void unmap_next(struct scsi_req *req);

static void unmap_done(void *opaque, int ret)
{
	struct scsi_req *req = opaque;

	if (ret)
		scsi_host_error(req, ret, true);
	else
		unmap_next(req);
}

/* LBA counts the entries done, BLOCKS those there are; ARG is the length of the list. */
static void unmap_next(struct scsi_req *req)
{
	struct scsi_disk *d = scsi_disk_of(req->dev);
	uint32_t block = disk_block_bytes(d);

	while (req->lba < req->blocks) {
		const uint8_t *entry = req->bounce + UNMAP_HEADER + UNMAP_ENTRY * req->lba++;
		uint64_t lba = be64(entry), n = be32(entry + 8);

		if (!n)
			continue;
		if (scsi_ends_early(req))
			return;
		block_discard(d->conf.block, &req->io, lba * block, n * block, unmap_done, req);
		return;
	}
	scsi_good(req, req->arg);
}

/* All entries are looked at before the first is carried out. */
static bool unmap_list_ok(struct scsi_req *req)
{
	struct scsi_disk *d = scsi_disk_of(req->dev);

	for (uint64_t i = 0; i < req->blocks; i++) {
		const uint8_t *entry = req->bounce + UNMAP_HEADER + UNMAP_ENTRY * i;

		if (!in_range(d, be64(entry), be32(entry + 8)))
			return false;
	}
	return true;
}

static void cmd_unmap(struct scsi_req *req)
{
	uint32_t listed = be16(req->cdb + 7), bytes;

	if (!writable(req))
		return;
	if (req->cdb[1] & 1) { /* anchored */
		illegal(req, ASC_INVALID_FIELD);
		return;
	}
	if (!listed) {
		scsi_good(req, 0);
		return;
	}
	req->bounce = xzalloc(MAX(listed, (uint32_t)UNMAP_HEADER));
	if (listed < UNMAP_HEADER || scsi_parameters(req, req->bounce, listed) < listed) {
		illegal(req, ASC_PARAMETER_LENGTH);
		return;
	}
	bytes = MIN(be16(req->bounce + 2), listed - UNMAP_HEADER);
	req->lba = 0;
	req->blocks = bytes / UNMAP_ENTRY;
	req->arg = listed;
	if (req->blocks > DISK_MAX_UNMAP_DESCRIPTORS)
		illegal(req, ASC_INVALID_PARAMETER);
	else if (!unmap_list_ok(req))
		illegal(req, ASC_LBA_OUT_OF_RANGE);
	else
		unmap_next(req);
}

/* ---- WRITE SAME ---- */

static void same_next(struct scsi_req *req);

static void same_done(void *opaque, int ret)
{
	struct scsi_req *req = opaque;

	if (ret) {
		scsi_host_error(req, ret, true);
		return;
	}
	req->lba += req->iov[0].iov_len / disk_block_bytes(scsi_disk_of(req->dev));
	req->blocks -= req->iov[0].iov_len / disk_block_bytes(scsi_disk_of(req->dev));
	same_next(req);
}

static void same_next(struct scsi_req *req)
{
	struct scsi_disk *d = scsi_disk_of(req->dev);
	uint32_t block = disk_block_bytes(d);

	if (!req->blocks) {
		scsi_good(req, req->arg);
		return;
	}
	if (scsi_ends_early(req))
		return;
	req->iov[0] = (struct iovec){req->bounce, MIN(req->blocks, FILL_BYTES / block) * block};
	block_writev(d->conf.block, &req->io, req->lba * block, req->iov, 1, 0, same_done, req);
}

static bool is_zero(const uint8_t *p, size_t n)
{
	return !p[0] && !memcmp(p, p + 1, n - 1);
}

static void same_begin(struct scsi_req *req, const uint8_t *pattern)
{
	struct scsi_disk *d = scsi_disk_of(req->dev);
	uint32_t block = disk_block_bytes(d);
	size_t n = MIN(req->blocks, FILL_BYTES / block);

	if (is_zero(pattern, block)) {
		block_write_zeroes(d->conf.block, &req->io, req->lba * block, req->blocks * block,
				   req->cdb[1] & CDB1_UNMAP ? BLOCK_UNMAP : 0, write_done, req);
		return;
	}
	req->iov = xmalloc(sizeof(*req->iov));
	req->bounce = xmalloc(n * block);
	for (size_t i = 0; i < n; i++)
		memcpy(req->bounce + i * block, pattern, block);
	same_next(req);
}

static void cmd_write_same(struct scsi_req *req)
{
	struct scsi_disk *d = scsi_disk_of(req->dev);
	uint32_t block = disk_block_bytes(d);
	bool no_data = req->cdb[0] == CMD_WRITE_SAME_16 && (req->cdb[1] & CDB1_NDOB);
	uint8_t *pattern;

	if (!writable(req) || !range_ok(req))
		return;
	if ((req->cdb[1] & (CDB1_ANCHOR | CDB1_BYTCHK)) || !req->blocks ||
	    req->blocks > DISK_MAX_WRITE_SAME || (!no_data && req->out_bytes < block)) {
		illegal(req, ASC_INVALID_FIELD);
		return;
	}
	req->arg = no_data ? 0 : block;
	pattern = xzalloc(block);
	if (!no_data)
		scsi_parameters(req, pattern, block);
	same_begin(req, pattern);
	free(pattern);
}

/* ---- the rest ---- */

static void cmd_nothing(struct scsi_req *req)
{
	scsi_good(req, 0);
}

/* A format may leave the blocks' contents as they are (5.3). */
static void cmd_format_unit(struct scsi_req *req)
{
	if (writable(req))
		scsi_good(req, req->cdb[1] & CDB1_FMTDATA ? req->out_bytes : 0);
}

static void cmd_test_unit_ready(struct scsi_req *req)
{
	if (block_has_medium(scsi_disk_of(req->dev)->conf.block))
		scsi_good(req, 0);
	else
		scsi_check(req, SCSI_NOT_READY, ASC_NO_MEDIUM);
}

static void cmd_seek(struct scsi_req *req)
{
	if (be32(req->cdb + 2) < disk_blocks(scsi_disk_of(req->dev)))
		scsi_good(req, 0);
	else
		illegal(req, ASC_LBA_OUT_OF_RANGE);
}

static void cmd_prevent_allow(struct scsi_req *req)
{
	struct scsi_disk *d = scsi_disk_of(req->dev);

	if (d->removable)
		block_lock_medium(d->conf.block, req->cdb[4] & 1);
	scsi_good(req, 0);
}

/* ---- the table ---- */

static void (*const commands[256])(struct scsi_req *req) = {
	[CMD_TEST_UNIT_READY] = cmd_test_unit_ready,
	[CMD_REZERO_UNIT] = cmd_nothing,
	[CMD_FORMAT_UNIT] = cmd_format_unit,
	[CMD_READ_6] = cmd_read,
	[CMD_WRITE_6] = cmd_write,
	[CMD_INQUIRY] = disk_inquiry,
	[CMD_MODE_SELECT_6] = disk_mode_select,
	[CMD_RESERVE_6] = cmd_nothing,
	[CMD_RELEASE_6] = cmd_nothing,
	[CMD_MODE_SENSE_6] = disk_mode_sense,
	[CMD_START_STOP_UNIT] = cmd_nothing,
	[CMD_SEND_DIAGNOSTIC] = cmd_nothing,
	[CMD_PREVENT_ALLOW] = cmd_prevent_allow,
	[CMD_READ_CAPACITY_10] = disk_read_capacity_10,
	[CMD_READ_10] = cmd_read,
	[CMD_WRITE_10] = cmd_write,
	[CMD_SEEK_10] = cmd_seek,
	[CMD_WRITE_VERIFY_10] = cmd_write,
	[CMD_VERIFY_10] = cmd_verify,
	[CMD_SYNCHRONIZE_CACHE_10] = cmd_synchronize_cache,
	[CMD_WRITE_SAME_10] = cmd_write_same,
	[CMD_UNMAP] = cmd_unmap,
	[CMD_MODE_SELECT_10] = disk_mode_select,
	[CMD_RESERVE_10] = cmd_nothing,
	[CMD_RELEASE_10] = cmd_nothing,
	[CMD_MODE_SENSE_10] = disk_mode_sense,
	[CMD_READ_16] = cmd_read,
	[CMD_WRITE_16] = cmd_write,
	[CMD_WRITE_VERIFY_16] = cmd_write,
	[CMD_VERIFY_16] = cmd_verify,
	[CMD_SYNCHRONIZE_CACHE_16] = cmd_synchronize_cache,
	[CMD_WRITE_SAME_16] = cmd_write_same,
	[CMD_SERVICE_ACTION_IN_16] = disk_service_action_in_16,
	[CMD_READ_12] = cmd_read,
	[CMD_WRITE_12] = cmd_write,
	[CMD_WRITE_VERIFY_12] = cmd_write,
	[CMD_VERIFY_12] = cmd_verify,
};

static void disk_run(struct scsi_req *req)
{
	if (commands[req->cdb[0]])
		commands[req->cdb[0]](req);
	else
		illegal(req, ASC_INVALID_OPCODE);
}

/* ---- life ---- */

static void disk_reset(struct scsi_device *dev)
{
	struct scsi_disk *d = scsi_disk_of(dev);

	disk_set_write_cache(d, d->cache_at_reset);
	block_lock_medium(d->conf.block, false);
}

static const struct scsi_class disk_class = {.run = disk_run, .reset = disk_reset};

static void disk_resized(void *opaque)
{
	struct scsi_disk *d = opaque;

	scsi_attention(&d->scsi, ASC_CAPACITY_CHANGED);
}

static const struct block_device_ops disk_block_ops = {.resized = disk_resized};

static bool attach(struct scsi_disk *d, struct error *err)
{
	if (!scsi_device_attach(&d->scsi, &disk_class, err))
		return false;
	if (scsi_boot_index_add(&d->scsi, d->conf.bootindex, err))
		return true;
	scsi_device_detach(&d->scsi);
	return false;
}

static bool scsi_hd_realize(struct device *dev, struct error *err)
{
	struct scsi_disk *d = container_of(dev, struct scsi_disk, scsi.dev);

	if (!block_conf_attach(&d->conf, dev, &disk_block_ops, d, true, false, err))
		return false;
	d->cache_at_reset = block_write_cache(d->conf.block);
	if (attach(d, err))
		return true;
	block_detach(d->conf.block);
	return false;
}

static void scsi_hd_unrealize(struct device *dev)
{
	struct scsi_disk *d = container_of(dev, struct scsi_disk, scsi.dev);

	boot_index_remove(dev->machine, dev);
	scsi_device_detach(&d->scsi);
	block_detach(d->conf.block);
}

static void scsi_hd_reset(struct device *dev)
{
	scsi_device_reset(&container_of(dev, struct scsi_disk, scsi.dev)->scsi);
}

static bool scsi_hd_post_load(void *opaque, struct error *err)
{
	struct scsi_disk *d = opaque;

	disk_set_write_cache(d, d->write_cache);
	return true;
}

static const struct state_desc scsi_hd_state = {
	.name = "scsi-hd",
	.version = 1,
	STATE_SPAN(scsi_disk),
	.post_load = scsi_hd_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(scsi_disk, scsi, scsi_device_state),
			STATE_FIELD(scsi_disk, write_cache),
			STATE_ARRAY(scsi_disk, reserved),
			STATE_END,
		},
};

static const struct device_prop scsi_hd_props[] = {
	SCSI_DEVICE_PROPS(scsi_disk, scsi),
	BLOCK_CONF_PROPS(scsi_disk, conf),
	DEFINE_PROP_STR(scsi_disk, serial, "serial", NULL, "serial number"),
	DEFINE_PROP_STR(scsi_disk, version, "ver", "2.5+", "product revision"),
	DEFINE_PROP_STR(scsi_disk, vendor, "vendor", "QEMU", "T10 vendor identification"),
	DEFINE_PROP_STR(scsi_disk, product, "product", "QEMU HARDDISK", "product identification"),
	DEFINE_PROP_STR(scsi_disk, device_id, "device_id", NULL, "what VPD page 83h names it"),
	DEFINE_PROP(scsi_disk, wwn, "wwn", PROP_U64, 0, "world wide name"),
	DEFINE_PROP(scsi_disk, rotation_rate, "rotation_rate", PROP_U16, 0,
		    "revolutions a minute; 1: a solid state disk, 0: unknown"),
	DEFINE_PROP(scsi_disk, removable, "removable", PROP_BOOL, 0, "the medium can be taken out"),
	DEFINE_PROP(scsi_disk, dpofua, "dpofua", PROP_BOOL, 0,
		    "offers writes that go to the medium at once"),
	DEFINE_PROP_END,
};

const struct device_type scsi_hd_type = {
	.name = "scsi-hd",
	.desc = "SCSI disk",
	.bus = BUS_SCSI,
	.user_creatable = true,
	.size = sizeof(struct scsi_disk),
	.props = scsi_hd_props,
	.state = &scsi_hd_state,
	.realize = scsi_hd_realize,
	.reset = scsi_hd_reset,
	.unrealize = scsi_hd_unrealize,
	.busy = scsi_device_busy,
	.fw_path = scsi_adapter_fw_path,
};
