/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The SCSI bus: who is where, and what a target answers for itself: REPORT LUNS, units that are not there, unit
 * attentions, sense data (SAM-4 sections 4 and 5; SPC-4 6.4, 6.33, 6.39).
 */
#include <errno.h>
#include <stdlib.h>
#include "devices/scsi/scsi.h"
#include "src/boot/bootorder.h"

#define CMD_REQUEST_SENSE 0x03
#define CMD_INQUIRY	  0x12
#define CMD_REPORT_LUNS	  0xa0

#define INQUIRY_BYTES	     36
#define NO_UNIT_THERE	     0x7f /* qualifier 3, type 1fh */
#define REPORT_LUNS_MIN	     16
#define LUN_BYTES	     8
#define LUN_FLAT_SPACE	     0x40
#define PERIPHERAL_LUNS	     256
#define SENSE_CURRENT	     0x70
#define SENSE_DESCRIPTOR     0x72
#define REQUEST_SENSE_DESC   1
#define DESCRIPTOR_SENSE_LEN 8

/* ---- the bus ---- */

void scsi_bus_init(struct scsi_bus *bus, struct device *adapter, const struct scsi_bus_ops *ops,
		   unsigned max_target, unsigned max_lun)
{
	bus->ops = ops;
	bus->max_target = max_target;
	bus->max_lun = max_lun;
	list_init(&bus->units);
	bus_init(&bus->bus, adapter, BUS_SCSI, "scsi");
}

void scsi_bus_fini(struct scsi_bus *bus)
{
	bus_fini(&bus->bus);
}

struct scsi_device *scsi_unit(const struct scsi_bus *bus, unsigned target, unsigned lun)
{
	list_for_each(it, &bus->units) {
		struct scsi_device *dev = list_entry(it, struct scsi_device, node);

		if ((unsigned)dev->target == target && dev->lun == lun)
			return dev;
	}
	return NULL;
}

bool scsi_target_exists(const struct scsi_bus *bus, unsigned target)
{
	list_for_each(it, &bus->units)
		if ((unsigned)list_entry(it, struct scsi_device, node)->target == target)
			return true;
	return false;
}

bool scsi_device_busy(struct device *dev)
{
	return container_of(dev, struct scsi_device, dev)->in_flight;
}

void scsi_bus_reset(struct scsi_bus *bus)
{
	list_for_each(it, &bus->units)
		scsi_device_reset(list_entry(it, struct scsi_device, node));
}

/* ---- units ---- */

static bool choose_address(struct scsi_device *dev, struct scsi_bus *bus, struct error *err)
{
	if (dev->channel)
		return error_set(err, "channel=%u: '%s' has channel 0", dev->channel,
				 bus->bus.name);
	if (dev->lun > bus->max_lun)
		return error_set(err, "lun=%u: '%s' has logical units 0 to %u", dev->lun,
				 bus->bus.name, bus->max_lun);
	if (dev->target == -1) {
		unsigned target = 0;

		while (target <= bus->max_target && scsi_unit(bus, target, dev->lun))
			target++;
		if (target > bus->max_target)
			return error_set(err, "'%s' has no free target", bus->bus.name);
		dev->target = (int32_t)target;
		return true;
	}
	if (dev->target < 0 || (unsigned)dev->target > bus->max_target)
		return error_set(err, "scsi-id=%d: '%s' has targets 0 to %u", dev->target,
				 bus->bus.name, bus->max_target);
	if (scsi_unit(bus, (unsigned)dev->target, dev->lun))
		return error_set(err, "scsi-id=%d, lun=%u is in use on '%s'", dev->target, dev->lun,
				 bus->bus.name);
	return true;
}

bool scsi_device_attach(struct scsi_device *dev, const struct scsi_class *cls, struct error *err)
{
	struct bus *b =
		bus_find(dev->dev.machine, BUS_SCSI, dev->bus_name, dev->dev.type->name, err);
	struct scsi_bus *bus;

	if (!b)
		return false;
	bus = container_of(b, struct scsi_bus, bus);
	if (!choose_address(dev, bus, err))
		return false;
	dev->cls = cls;
	dev->bus = bus;
	dev->dev.parent_bus = b;
	list_init(&dev->node);
	list_push_back(&bus->units, &dev->node);
	if (bus->ops->plugged)
		bus->ops->plugged(bus, dev, true);
	return true;
}

void scsi_device_detach(struct scsi_device *dev)
{
	struct scsi_bus *bus = dev->bus;

	list_remove(&dev->node);
	dev->bus = NULL;
	if (bus->ops->plugged)
		bus->ops->plugged(bus, dev, false);
}

void scsi_device_reset(struct scsi_device *dev)
{
	memset(dev->attentions, 0, sizeof(dev->attentions));
	dev->attentions[0] = ASC_POWER_ON;
	if (dev->cls && dev->cls->reset)
		dev->cls->reset(dev);
}

/* One of a kind; when there is no room the latest is left out. */
void scsi_attention(struct scsi_device *dev, uint16_t asc)
{
	for (unsigned i = 0; i < SCSI_ATTENTIONS; i++) {
		if (dev->attentions[i] == asc)
			break;
		if (dev->attentions[i])
			continue;
		dev->attentions[i] = asc;
		break;
	}
	if (dev->bus && dev->bus->ops->attention)
		dev->bus->ops->attention(dev->bus, dev, asc);
}

static uint16_t take_attention(struct scsi_device *dev)
{
	uint16_t asc = dev->attentions[0];

	memmove(dev->attentions, dev->attentions + 1,
		sizeof(dev->attentions) - sizeof(dev->attentions[0]));
	dev->attentions[SCSI_ATTENTIONS - 1] = 0;
	return asc;
}

/* ---- booting ---- */

char *scsi_adapter_fw_path(struct device *dev)
{
	return device_fw_path(container_of(dev, struct scsi_device, dev)->bus->bus.owner);
}

bool scsi_boot_index_add(struct scsi_device *dev, int32_t bootindex, struct error *err)
{
	char *suffix = xasprintf("channel@0/disk@%x,%x", dev->target, dev->lun);
	bool ok = boot_index_add(dev->dev.machine, bootindex, &dev->dev, suffix, err);

	free(suffix);
	return ok;
}

/* ---- ends of requests ---- */

static void finish(struct scsi_req *req)
{
	if (req->dev)
		req->dev->in_flight--;
	free(req->iov);
	free(req->bounce);
	req->iov = NULL;
	req->bounce = NULL;
	req->done(req);
}

void scsi_good(struct scsi_req *req, uint64_t transferred)
{
	req->status = SCSI_GOOD;
	req->transferred = transferred;
	finish(req);
}

void scsi_build_sense(uint8_t *sense, enum scsi_sense_key key, uint16_t asc)
{
	memset(sense, 0, SCSI_SENSE_BYTES);
	sense[0] = SENSE_CURRENT;
	sense[2] = key;
	sense[7] = SCSI_SENSE_BYTES - 8;
	put_be16(sense + 12, asc);
}

void scsi_check(struct scsi_req *req, enum scsi_sense_key key, uint16_t asc)
{
	req->status = SCSI_CHECK_CONDITION;
	req->transferred = 0;
	req->overrun = false;
	scsi_build_sense(req->sense, key, asc);
	finish(req);
}

void scsi_host_error(struct scsi_req *req, int ret, bool write)
{
	switch (ret) {
	case -ENOMEDIUM:
		scsi_check(req, SCSI_NOT_READY, ASC_NO_MEDIUM);
		break;
	case -ENOSPC:
		scsi_check(req, SCSI_DATA_PROTECT, ASC_SPACE_ALLOC_FAILED);
		break;
	case -EPERM:
	case -EACCES:
		scsi_check(req, SCSI_DATA_PROTECT, ASC_WRITE_PROTECTED);
		break;
	case -EIO:
		scsi_check(req, SCSI_MEDIUM_ERROR, write ? ASC_WRITE_ERROR : ASC_UNRECOVERED_READ);
		break;
	default:
		scsi_check(req, SCSI_HARDWARE_ERROR, ASC_INTERNAL_FAILURE);
	}
}

bool scsi_ends_early(struct scsi_req *req)
{
	if (!req->abandoned)
		return false;
	req->status = SCSI_TASK_ABORTED;
	req->transferred = 0;
	req->overrun = false;
	finish(req);
	return true;
}

uint64_t scsi_fitting(struct scsi_req *req, uint64_t n)
{
	req->overrun = n > req->in_bytes;
	return MIN(n, req->in_bytes);
}

void scsi_reply(struct scsi_req *req, const void *buf, uint64_t n, uint64_t allocated)
{
	uint64_t done = 0;

	n = scsi_fitting(req, MIN(n, allocated));
	for (unsigned i = 0; i < req->n_in && done < n; i++) {
		size_t part = MIN(n - done, req->in[i].iov_len);

		memcpy(req->in[i].iov_base, (const char *)buf + done, part);
		done += part;
	}
	scsi_good(req, done);
}

size_t scsi_parameters(const struct scsi_req *req, void *buf, size_t n)
{
	size_t done = 0;

	for (unsigned i = 0; i < req->n_out && done < n; i++) {
		size_t part = MIN(n - done, req->out[i].iov_len);

		memcpy((char *)buf + done, req->out[i].iov_base, part);
		done += part;
	}
	return done;
}

unsigned scsi_slice(struct scsi_req *req, const struct iovec *iov, unsigned n, uint64_t skip,
		    uint64_t bytes)
{
	unsigned count = 0;

	free(req->iov);
	req->iov = xmalloc(MAX(n, 1u) * sizeof(*req->iov));
	for (unsigned i = 0; i < n && bytes; i++) {
		uint64_t len = iov[i].iov_len;

		if (skip >= len) {
			skip -= len;
			continue;
		}
		len = MIN(len - skip, bytes);
		req->iov[count++] = (struct iovec){(char *)iov[i].iov_base + skip, len};
		bytes -= len;
		skip = 0;
	}
	return count;
}

/* ---- what the target answers ---- */

static void put_lun(uint8_t *p, unsigned lun)
{
	memset(p, 0, LUN_BYTES);
	if (lun >= PERIPHERAL_LUNS)
		p[0] = (uint8_t)(LUN_FLAT_SPACE | lun >> 8);
	p[1] = (uint8_t)lun;
}

static void report_luns(struct scsi_req *req)
{
	uint32_t allocated = be32(req->cdb + 6);
	unsigned n = 0, at = LUN_BYTES;
	uint8_t *reply;

	if (req->cdb[2] > 2 || allocated < REPORT_LUNS_MIN) {
		scsi_check(req, SCSI_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
		return;
	}
	list_for_each(it, &req->bus->units)
		n += (unsigned)list_entry(it, struct scsi_device, node)->target == req->target;
	reply = xzalloc(LUN_BYTES * (2 + (size_t)n));
	/* LUN 0 comes first, and is named whether it is there or not: that is where an initiator asks. */
	put_lun(reply + at, 0);
	at += LUN_BYTES;
	/* 1: well-known units alone, of which there are none. */
	list_for_each(it, &req->bus->units) {
		struct scsi_device *dev = list_entry(it, struct scsi_device, node);

		if ((unsigned)dev->target != req->target || !dev->lun)
			continue;
		put_lun(reply + at, dev->lun);
		at += LUN_BYTES;
	}
	if (req->cdb[2] == 1)
		at = LUN_BYTES;
	put_be32(reply, at - LUN_BYTES);
	scsi_reply(req, reply, at, allocated);
	free(reply);
}

static void inquire_nobody(struct scsi_req *req)
{
	uint8_t reply[INQUIRY_BYTES] = {NO_UNIT_THERE, 0, 5, 2, INQUIRY_BYTES - 5};

	if (req->cdb[1] & 1)
		scsi_check(req, SCSI_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
	else
		scsi_reply(req, reply, sizeof(reply), be16(req->cdb + 3));
}

/* Sense data as data: what a unit attention says, or that there is nothing. */
static void request_sense(struct scsi_req *req, enum scsi_sense_key key, uint16_t asc)
{
	uint8_t sense[SCSI_SENSE_BYTES];

	if (req->cdb[1] & REQUEST_SENSE_DESC) {
		memset(sense, 0, sizeof(sense));
		sense[0] = SENSE_DESCRIPTOR;
		sense[1] = key;
		put_be16(sense + 2, asc);
		scsi_reply(req, sense, DESCRIPTOR_SENSE_LEN, req->cdb[4]);
		return;
	}
	scsi_build_sense(sense, key, asc);
	scsi_reply(req, sense, sizeof(sense), req->cdb[4]);
}

static void run_nobody(struct scsi_req *req)
{
	switch (req->cdb[0]) {
	case CMD_INQUIRY:
		inquire_nobody(req);
		break;
	case CMD_REQUEST_SENSE:
		request_sense(req, SCSI_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED);
		break;
	default:
		scsi_check(req, SCSI_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED);
	}
}

void scsi_submit(struct scsi_req *req)
{
	uint16_t asc;

	req->dev = scsi_unit(req->bus, req->target, req->lun);
	if (req->dev)
		req->dev->in_flight++;
	req->transferred = 0;
	req->overrun = req->abandoned = false;
	req->iov = NULL;
	req->bounce = NULL;
	if (req->cdb[0] == CMD_REPORT_LUNS) {
		report_luns(req);
	} else if (!req->dev) {
		run_nobody(req);
	} else if (req->cdb[0] == CMD_REQUEST_SENSE) {
		asc = take_attention(req->dev);
		request_sense(req, asc ? SCSI_UNIT_ATTENTION : SCSI_NO_SENSE, asc);
	} else if (req->cdb[0] != CMD_INQUIRY && req->dev->attentions[0]) {
		scsi_check(req, SCSI_UNIT_ATTENTION, take_attention(req->dev));
	} else {
		req->dev->cls->run(req);
	}
}

const struct state_desc scsi_device_state = {
	.name = "scsi-device",
	.version = 1,
	STATE_SPAN(scsi_device),
	.fields =
		(const struct state_field[]){
			STATE_ARRAY(scsi_device, attentions),
			STATE_END,
		},
};
