/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scsi-cd: a CD or DVD drive on a SCSI bus. The commands are MMC's (mmc.c); here are the bytes and the sectors.
 *
 * Not modelled: what mmc.c does not.
 * Deviates because: nothing.
 */
#include <stdlib.h>
#include "devices/scsi/mmc.h"
#include "devices/scsi/scsi.h"
#include "devices/scsi/scsi_types.h"
#include "src/boot/bootorder.h"

#define READ_SECTORS \
	128 /* at a time, where they are not read into the guest's memory as they are */

struct scsi_cd {
	struct scsi_device scsi;

	/* configuration */
	struct block_conf conf; /* block NULL: a drive without one */
	char *serial, *version, *vendor, *product;

	/* guest-visible */
	struct mmc_drive mmc;
};

static struct scsi_cd *cd_of(struct scsi_device *dev)
{
	return container_of(dev, struct scsi_cd, scsi);
}

/* ---- sectors ---- */

static void whole_done(void *opaque, int ret)
{
	struct scsi_req *req = opaque;

	if (ret)
		scsi_host_error(req, ret, false);
	else
		scsi_good(req, req->arg);
}

/* Each byte that is wanted is one of the image. */
static bool reads_directly(const struct scsi_cd *cd, const struct mmc_result *what)
{
	return what->sector_bytes == CD_SECTOR &&
	       ((uint64_t)what->lba + what->sectors) * CD_SECTOR <= block_bytes(cd->conf.block);
}

static void put_bytes(struct scsi_req *req, uint64_t offset, const uint8_t *buf, uint64_t n)
{
	uint64_t done = 0;

	for (unsigned i = 0; i < req->n_in && done < n; i++) {
		uint64_t len = req->in[i].iov_len, part;

		if (offset >= len) {
			offset -= len;
			continue;
		}
		part = MIN(len - offset, n - done);
		memcpy((char *)req->in[i].iov_base + offset, buf + done, part);
		done += part;
		offset = 0;
	}
}

static void piece_next(struct scsi_req *req);

/* BOUNCE begins with one sector as the guest gets it; what was read is behind it. */
static void piece_done(void *opaque, int ret)
{
	struct scsi_req *req = opaque;
	uint64_t sector_bytes = req->iov[1].iov_len, n = MIN(req->blocks, (uint64_t)READ_SECTORS);
	uint8_t *data = req->bounce + CD_RAW_SECTOR;

	if (ret) {
		scsi_host_error(req, ret, false);
		return;
	}
	memset(data + req->iov[0].iov_len, 0, n * CD_SECTOR - req->iov[0].iov_len);
	for (uint64_t i = 0; i < n; i++, data += CD_SECTOR) {
		if (sector_bytes == CD_RAW_SECTOR)
			mmc_put_raw_sector(req->bounce, data, (uint32_t)(req->lba + i));
		else
			memcpy(req->bounce, data, CD_SECTOR);
		put_bytes(req, req->arg, req->bounce, sector_bytes);
		req->arg += sector_bytes;
	}
	req->lba += n;
	req->blocks -= n;
	piece_next(req);
}

static void piece_next(struct scsi_req *req)
{
	struct scsi_cd *cd = cd_of(req->dev);
	uint64_t offset = req->lba * CD_SECTOR, n = MIN(req->blocks, (uint64_t)READ_SECTORS);
	uint64_t size = block_bytes(cd->conf.block);

	if (!n || req->arg >= req->in_bytes) {
		scsi_good(req, MIN(req->arg, req->in_bytes));
		return;
	}
	if (scsi_ends_early(req))
		return;
	if (offset >= size) { /* it went meanwhile */
		scsi_check(req, SCSI_NOT_READY, ASC_NO_MEDIUM);
		return;
	}
	req->iov[0] =
		(struct iovec){req->bounce + CD_RAW_SECTOR, MIN(n * CD_SECTOR, size - offset)};
	block_readv(cd->conf.block, &req->io, offset, req->iov, 1, piece_done, req);
}

static void read_sectors(struct scsi_req *req, const struct mmc_result *what)
{
	struct scsi_cd *cd = cd_of(req->dev);
	uint64_t bytes = scsi_fitting(req, (uint64_t)what->sectors * what->sector_bytes);

	if (!bytes) {
		scsi_good(req, 0);
		return;
	}
	if (reads_directly(cd, what)) {
		unsigned n = scsi_slice(req, req->in, req->n_in, 0, bytes);

		req->arg = bytes;
		block_readv(cd->conf.block, &req->io, (uint64_t)what->lba * CD_SECTOR, req->iov, n,
			    whole_done, req);
		return;
	}
	req->lba = what->lba;
	req->blocks = what->sectors;
	req->arg = 0;
	req->iov = xzalloc(2 * sizeof(*req->iov));
	req->iov[1].iov_len = what->sector_bytes;
	req->bounce = xmalloc(CD_RAW_SECTOR + READ_SECTORS * CD_SECTOR);
	piece_next(req);
}

/* ---- commands ---- */

static void parameters(struct scsi_req *req, uint32_t listed)
{
	uint8_t list[MMC_REPLY_BYTES];
	struct mmc_result result;
	size_t n = scsi_parameters(req, list, MIN(listed, (uint32_t)sizeof(list)));

	mmc_mode_select(&cd_of(req->dev)->mmc, req->cdb, list, (uint32_t)n, &result);
	if (result.what == MMC_GOOD)
		scsi_good(req, n);
	else
		scsi_check(req, result.key, result.asc);
}

static void cd_run(struct scsi_req *req)
{
	struct scsi_cd *cd = cd_of(req->dev);
	uint8_t buf[MMC_REPLY_BYTES];
	struct mmc_result result;

	mmc_run(&cd->mmc, req->cdb, buf, &result);
	/* The bus reports it, in its turn among others. */
	if (cd->mmc.unit_attention) {
		cd->mmc.unit_attention = false;
		scsi_attention(&cd->scsi, ASC_MEDIUM_CHANGED);
	}
	switch (result.what) {
	case MMC_GOOD:
		scsi_good(req, 0);
		break;
	case MMC_CHECK:
		scsi_check(req, result.key, result.asc);
		break;
	case MMC_REPLY:
		scsi_reply(req, buf, result.bytes, result.bytes);
		break;
	case MMC_READ:
		read_sectors(req, &result);
		break;
	case MMC_PARAMETERS:
		parameters(req, result.bytes);
		break;
	}
}

static void cd_unit_reset(struct scsi_device *dev)
{
	mmc_reset(&cd_of(dev)->mmc);
}

static const struct scsi_class cd_class = {.run = cd_run, .reset = cd_unit_reset};

/* ---- the medium ---- */

static void cd_medium_changed(void *opaque, bool loaded)
{
	struct scsi_cd *cd = opaque;

	mmc_medium_changed(&cd->mmc, loaded);
	cd->mmc.unit_attention = false;
	if (loaded)
		scsi_attention(&cd->scsi, ASC_MEDIUM_CHANGED);
}

static bool cd_tray_open(void *opaque)
{
	return ((struct scsi_cd *)opaque)->mmc.tray_open;
}

static void cd_eject_request(void *opaque, bool force)
{
	mmc_eject_request(&((struct scsi_cd *)opaque)->mmc, force);
}

static bool cd_medium_locked(void *opaque)
{
	return ((struct scsi_cd *)opaque)->mmc.tray_locked;
}

static const struct block_device_ops cd_block_ops = {
	.medium_changed = cd_medium_changed,
	.tray_open = cd_tray_open,
	.eject_request = cd_eject_request,
	.medium_locked = cd_medium_locked,
};

/* ---- life ---- */

static bool scsi_cd_realize(struct device *dev, struct error *err)
{
	struct scsi_cd *cd = container_of(dev, struct scsi_cd, scsi.dev);

	if (!block_conf_attach(&cd->conf, dev, &cd_block_ops, cd, true, true, err))
		return false;
	cd->mmc.block = cd->conf.block;
	cd->mmc.vendor = cd->vendor;
	cd->mmc.product = cd->product;
	cd->mmc.revision = cd->version;
	cd->mmc.serial = cd->serial;
	if (scsi_device_attach(&cd->scsi, &cd_class, err)) {
		if (scsi_boot_index_add(&cd->scsi, cd->conf.bootindex, err))
			return true;
		scsi_device_detach(&cd->scsi);
	}
	if (cd->conf.block)
		block_detach(cd->conf.block);
	return false;
}

static void scsi_cd_unrealize(struct device *dev)
{
	struct scsi_cd *cd = container_of(dev, struct scsi_cd, scsi.dev);

	boot_index_remove(dev->machine, dev);
	scsi_device_detach(&cd->scsi);
	if (cd->conf.block)
		block_detach(cd->conf.block);
}

static void scsi_cd_reset(struct device *dev)
{
	scsi_device_reset(&container_of(dev, struct scsi_cd, scsi.dev)->scsi);
}

static const struct state_desc scsi_cd_state = {
	.name = "scsi-cd",
	.version = 1,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(scsi_cd, scsi, scsi_device_state),
			STATE_STRUCT(scsi_cd, mmc, mmc_drive_state),
			STATE_END,
		},
};

static const struct device_prop scsi_cd_props[] = {
	SCSI_DEVICE_PROPS(scsi_cd, scsi),
	BLOCK_CONF_PROPS(scsi_cd, conf),
	DEFINE_PROP_STR(scsi_cd, serial, "serial", NULL, "serial number"),
	DEFINE_PROP_STR(scsi_cd, version, "ver", "2.5+", "product revision"),
	DEFINE_PROP_STR(scsi_cd, vendor, "vendor", "QEMU", "T10 vendor identification"),
	DEFINE_PROP_STR(scsi_cd, product, "product", "QEMU CD-ROM", "product identification"),
	DEFINE_PROP_END,
};

const struct device_type scsi_cd_type = {
	.name = "scsi-cd",
	.desc = "SCSI CD-ROM",
	.bus = BUS_SCSI,
	.user_creatable = true,
	.size = sizeof(struct scsi_cd),
	.props = scsi_cd_props,
	.state = &scsi_cd_state,
	.realize = scsi_cd_realize,
	.reset = scsi_cd_reset,
	.unrealize = scsi_cd_unrealize,
	.busy = scsi_device_busy,
	.fw_path = scsi_adapter_fw_path,
};
