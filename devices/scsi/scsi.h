/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SCSI: a bus that a host adapter offers, logical units on it, and requests between them. Loop thread.
 *
 *	adapter --scsi_submit--> the unit's command table --> block engine --> scsi_done --> adapter's req->done
 *
 * SAM-4 (T10/1683D) for addresses, status and task management, SPC-4 (T10/1731D) for sense data and the primary commands.
 *
 * All of a request's memory is there when it is submitted, as the adapters' own data structures have it: there is no data
 * phase to wait for. A request can't be taken back; an adapter that is told to abort one waits for its end.
 */
#ifndef EVMM_DEVICES_SCSI_H
#define EVMM_DEVICES_SCSI_H

#include "devices/scsi/scsi_defs.h"
#include "io/block/block.h"
#include "src/bus.h"
#include "src/machine.h"

#define SCSI_CDB_BYTES	 32
#define SCSI_SENSE_BYTES 18 /* fixed format */
#define SCSI_REPLY_BYTES 4096

struct scsi_bus;
struct scsi_req;
struct scsi_device;

/* A logical unit's kind. */
struct scsi_class {
	/* Runs req->cdb: ends in scsi_good, scsi_check or scsi_reply, now or later. */
	void (*run)(struct scsi_req *req);
	/* Power on, bus reset, LOGICAL UNIT RESET. May be NULL. */
	void (*reset)(struct scsi_device *dev);
};

struct scsi_bus_ops {
	/* A unit has come, or goes. May be NULL. */
	void (*plugged)(struct scsi_bus *bus, struct scsi_device *dev, bool here);
	/* A unit has a unit attention of its own accord: the adapter may have a way to say so. May be NULL. */
	void (*attention)(struct scsi_bus *bus, struct scsi_device *dev, uint16_t asc);
};

struct scsi_bus {
	struct bus bus;
	const struct scsi_bus_ops *ops;
	unsigned max_target, max_lun; /* the highest there may be */
	struct list units;	      /* struct scsi_device */
};

#define SCSI_ATTENTIONS 4

/* A logical unit: what its device's struct begins with. */
struct scsi_device {
	struct device dev;

	/* configuration */
	char *bus_name;
	uint32_t channel, lun;
	int32_t target; /* -1: the first that is free */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint16_t attentions
		[SCSI_ATTENTIONS]; /* ASC and qualifier of what is to be reported, oldest first; 0: none */
	GUEST_VISIBLE_END;

	/* host side */
	const struct scsi_class *cls;
	struct scsi_bus *bus; /* NULL: not on one */
	struct list node;     /* bus->units */
	unsigned in_flight;
};

extern const struct state_desc scsi_device_state;

struct scsi_req {
	/* the adapter's: set before scsi_submit */
	struct scsi_bus *bus;
	unsigned target, lun;
	uint8_t cdb[SCSI_CDB_BYTES];
	const struct iovec *out, *in; /* what the unit reads, what it writes; valid until done */
	unsigned n_out, n_in;
	uint64_t out_bytes, in_bytes;
	void (*done)(struct scsi_req *req);
	bool abandoned; /* at any time, until done: nobody wants the result; what comes in pieces ends after this one */

	/* the result */
	uint8_t status;
	uint8_t sense[SCSI_SENSE_BYTES]; /* of CHECK CONDITION */
	uint64_t transferred;		 /* bytes, of OUT or IN */
	bool overrun; /* with GOOD: IN was too small for the command's data, and has the first of them */

	/* the unit's, while it runs */
	struct scsi_device *dev;
	struct block_req io;
	struct iovec *iov; /* heap; freed when done */
	uint8_t *bounce;
	uint64_t lba, blocks, arg;
};

/* ---- for adapters ---- */

/* From realize and unrealize. The bus is called as bus_init says, with "scsi" where the adapter has no id. */
void scsi_bus_init(struct scsi_bus *bus, struct device *adapter, const struct scsi_bus_ops *ops,
		   unsigned max_target, unsigned max_lun);
void scsi_bus_fini(struct scsi_bus *bus);
/* Is anything at that target? */
bool scsi_target_exists(const struct scsi_bus *bus, unsigned target);
struct scsi_device *scsi_unit(const struct scsi_bus *bus, unsigned target, unsigned lun);
/* DONE is called once, perhaps before this returns. */
void scsi_submit(struct scsi_req *req);
/* LOGICAL UNIT RESET; nothing of it is in flight any more. */
void scsi_unit_reset(struct scsi_device *dev);
void scsi_bus_reset(struct scsi_bus *bus);

/* ---- for logical units ---- */

#define SCSI_DEVICE_PROPS(S, F)                                                             \
	DEFINE_PROP_STR(S, F.bus_name, "bus", NULL, "of which adapter"),                    \
		DEFINE_PROP(S, F.channel, "channel", PROP_U32, 0, "bus of the adapter: 0"), \
		DEFINE_PROP(S, F.target, "scsi-id", PROP_INT32, (uint64_t)-1,               \
			    "target (-1: the first that is free)"),                         \
		DEFINE_PROP(S, F.lun, "lun", PROP_U32, 0, "logical unit number")

/* From realize, last, and from unrealize. */
bool scsi_device_attach(struct scsi_device *dev, const struct scsi_class *cls, struct error *err);
void scsi_device_detach(struct scsi_device *dev);
void scsi_device_reset(struct scsi_device *dev);
/* For struct device_type: are requests of it under way? */
bool scsi_device_busy(struct device *dev);
/* The next command but INQUIRY, REPORT LUNS and REQUEST SENSE will report it. */
void scsi_attention(struct scsi_device *dev, uint16_t asc);
/* For struct device_type: the adapter's path. And with a bootindex, the unit's place behind it. */
char *scsi_adapter_fw_path(struct device *dev);
bool scsi_boot_index_add(struct scsi_device *dev, int32_t bootindex, struct error *err);

void scsi_good(struct scsi_req *req, uint64_t transferred);
void scsi_check(struct scsi_req *req, enum scsi_sense_key key, uint16_t asc);
/* Between two pieces: is it abandoned? Then it is done. */
bool scsi_ends_early(struct scsi_req *req);
/* How many of the N bytes that the command has for the guest go into its memory; notes whether that is all of them. */
uint64_t scsi_fitting(struct scsi_req *req, uint64_t n);
/* N bytes of BUF, as far as the CDB's allocation length ALLOCATED and the guest's memory go. */
void scsi_reply(struct scsi_req *req, const void *buf, uint64_t n, uint64_t allocated);
/* What the guest gave: up to N bytes into BUF, how many there were. */
size_t scsi_parameters(const struct scsi_req *req, void *buf, size_t n);
/* A failed request of the block engine, as sense data. */
void scsi_host_error(struct scsi_req *req, int ret, bool write);
/* SENSE of KEY and ASC, fixed format (SPC-4 4.5.3). */
void scsi_build_sense(uint8_t *sense, enum scsi_sense_key key, uint16_t asc);
/* The first BYTES of the pieces IOV as pieces of their own, req->iov; how many pieces. */
unsigned scsi_slice(struct scsi_req *req, const struct iovec *iov, unsigned n, uint64_t skip,
		    uint64_t bytes);

#endif
