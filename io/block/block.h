/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The block engine as devices see it: `struct block`, a disk with an id, which stands on a graph of nodes
 * (node.h) or is empty (no medium). Loop thread only.
 *
 * A request is a `struct block_req`, a member of the device's own request; it is the engine's from the
 * call that submits it until its done function, which is called exactly once, and never from within
 * that call. Requests run side by side, in no order; what must come after another is submitted when that one is done.
 *
 * A write is on stable storage once a flush that was submitted after it was done is done too; or at once with
 * BLOCK_FUA, or while the write cache is off. A flush that has failed is not forgotten: all later ones fail.
 *
 * Errors of the host reach the device by the drive's werror= and rerror=. With `stop` the request is held here, the
 * guest stops, and the request is done again when it goes on: the device sees a late completion.
 */
#ifndef EVMM_BLOCK_H
#define EVMM_BLOCK_H

#include "io/aio/aio.h"
#include "src/error.h"
#include "src/list.h"

struct block;
struct block_node;
struct block_req;
struct device;
struct loop;

#define BLOCK_SECTOR 512u

/* 0, or -errno. */
typedef void block_done_fn(void *opaque, int ret);

enum block_op { BLOCK_OP_READ, BLOCK_OP_WRITE, BLOCK_OP_FLUSH, BLOCK_OP_DISCARD, BLOCK_OP_ZERO };
#define BLOCK_OPS 5

#define BLOCK_FUA   1u /* of writes and zeroes */
#define BLOCK_UNMAP 2u /* of zeroes: may deallocate, if the drive has discard=unmap */

/* Nodes that a request passes leave their part of the way back here. */
#define BLOCK_MAX_FRAMES 24

struct block_frame {
	struct block_node *node;
	void (*up)(struct block_node *node, struct block_req *r, int ret);
	uint64_t arg;
};

/* All of it private to the engine. */
struct block_req {
	/* what is asked of the node that has it now; who changes it puts it back on the way up */
	uint8_t op, flags, depth;
	bool submitting; /* done must wait for the submitting call to return */
	bool limited;	 /* waits for limits, not for the host */
	unsigned n_iov;
	const struct iovec *iov;
	uint64_t offset, bytes;
	int ret;
	struct list node; /* in whichever queue it waits */
	struct list track;
	struct block_frame frames[BLOCK_MAX_FRAMES];
	struct aio_op aio; /* the leaf's */
	/* whose it is: a block's, or a node's that needs several for one */
	void (*complete)(struct block_req *r, int ret);
	void *owner;
	struct list inflight;
	int64_t start_ns, asked_ns; /* since when it is under way, and the host is to answer */
	struct block_node *root;    /* referred to while under way: the medium may be taken out */
	block_done_fn *done;
	void *opaque;
};

/*
 * IOV must stay valid until done; it may point into guest RAM (dma_map) or to the device's own memory. Any
 * offset and length will do. Beyond the end: -EIO; never partial. Read-only: -EPERM. Empty: -ENOMEDIUM.
 */
void block_readv(struct block *b, struct block_req *r, uint64_t offset, const struct iovec *iov,
		 unsigned n_iov, block_done_fn *done, void *opaque);
void block_writev(struct block *b, struct block_req *r, uint64_t offset, const struct iovec *iov,
		  unsigned n_iov, unsigned flags, block_done_fn *done, void *opaque);
void block_flush(struct block *b, struct block_req *r, block_done_fn *done, void *opaque);
/* A hint: done says nothing about what the bytes read as. */
void block_discard(struct block *b, struct block_req *r, uint64_t offset, uint64_t bytes,
		   block_done_fn *done, void *opaque);
void block_write_zeroes(struct block *b, struct block_req *r, uint64_t offset, uint64_t bytes,
			unsigned flags, block_done_fn *done, void *opaque);
/*
 * A request can't be taken back: a device that is reset or unplugged keeps its request's memory until done.
 *
 * At start-up only, and blocking: firmware images, geometry guesses. 0 or -errno.
 */
int block_pread_sync(struct block *b, uint64_t offset, void *buf, size_t n);

const char *block_id(const struct block *b);
uint64_t block_bytes(const struct block *b); /* 0: no medium */
bool block_has_medium(const struct block *b);
bool block_read_only(const struct block *b);
/* The write cache as the guest is shown it. Off: every write is FUA. The guest may switch it. */
bool block_write_cache(const struct block *b);
void block_set_write_cache(struct block *b, bool on);

struct block_limits {
	uint32_t logical_block, physical_block; /* of the medium below; 512 for files */
	uint32_t min_io, opt_io;		/* 0: unknown */
	uint64_t max_transfer;			/* bytes of one request */
	bool discard;				/* discards reach the medium */
};
const struct block_limits *block_limits(const struct block *b);

/* ---- the device's side: one device for a block ---- */

struct block_device_ops {
	void (*resized)(void *opaque);
	/* Removable media: what is in the drive has changed. With a tray: it was opened (not LOADED) or closed by the monitor. */
	void (*medium_changed)(void *opaque, bool loaded);
	bool (*tray_open)(void *opaque);
	/* The monitor wants the medium out and the guest has it locked. */
	void (*eject_request)(void *opaque, bool force);
	bool (*medium_locked)(void *opaque);
};

/* Any of OPS may be NULL. Fails when another device has it. */
bool block_attach(struct block *b, struct device *dev, const struct block_device_ops *ops,
		  void *opaque, struct error *err);
void block_detach(struct block *b);
/* The device that has it, or NULL. */
struct device *block_device(const struct block *b);
/* The guest opened the tray (OPEN) or closed it: the monitor's clients are told. */
void block_tray_moved(struct block *b, bool open);
void block_lock_medium(struct block *b, bool locked);
struct block *block_by_id(const char *id);
/* What -device drive=NAME means: a disk, or a node, for which a disk is made. block_release() when it goes. */
struct block *block_for_device(const char *name, struct error *err);
void block_release(struct block *b); /* may be NULL */
/*
 * The device was reset: requests that werror=stop holds are done with -ECANCELED (later, as always), not tried again
 * into memory that the guest may have put to another use.
 */
void block_cancel_held(struct block *b);

/*
 * What all block devices' property tables share. BLOCK_CONF_PROPS(S, conf) belongs into the table of a device whose
 * struct S has a `struct block_conf conf`; realize calls block_conf_attach().
 */
struct block_conf {
	struct block *block;
	uint64_t logical_block_size, physical_block_size; /* 0: the host's */
	uint64_t min_io_size, opt_io_size;		  /* bytes; 0: the host's */
	uint64_t discard_granularity;			  /* UINT64_MAX: the device's choice */
	int32_t bootindex;				  /* -1: none */
	bool share_rw;
	char *write_cache, *rerror, *werror; /* "auto": the drive's */
};

#define BLOCK_CONF_PROPS(S, conf)                                                             \
	DEFINE_PROP(S, conf.block, "drive", PROP_DRIVE, 0, "id or node name of the disk"),    \
		DEFINE_PROP(S, conf.logical_block_size, "logical_block_size", PROP_SIZE, 0,   \
			    "bytes of a sector (0: the host's)"),                             \
		DEFINE_PROP(S, conf.physical_block_size, "physical_block_size", PROP_SIZE, 0, \
			    "bytes the medium writes at once (0: the host's)"),               \
		DEFINE_PROP(S, conf.min_io_size, "min_io_size", PROP_SIZE, 0,                 \
			    "smallest efficient request"),                                    \
		DEFINE_PROP(S, conf.opt_io_size, "opt_io_size", PROP_SIZE, 0,                 \
			    "most efficient request"),                                        \
		DEFINE_PROP(S, conf.discard_granularity, "discard_granularity", PROP_SIZE,    \
			    UINT64_MAX, "smallest discard"),                                  \
		DEFINE_PROP(S, conf.bootindex, "bootindex", PROP_INT32, (uint64_t)-1,         \
			    "place in the firmware's boot order"),                            \
		DEFINE_PROP(S, conf.share_rw, "share-rw", PROP_BOOL, 0,                       \
			    "others may write to the image"),                                 \
		DEFINE_PROP_STR(S, conf.write_cache, "write-cache", "auto",                   \
				"on, off, or the drive's"),                                   \
		DEFINE_PROP_STR(S, conf.rerror, "rerror", "auto", "what a read error does"),  \
		DEFINE_PROP_STR(S, conf.werror, "werror", "auto", "what a write error does")

/*
 * Checks the properties, fills in the sizes that were left open, and attaches. READ_ONLY_OK: a disk
 * that cannot be written is fine. Without a block: an error, unless EMPTY_OK: then one without a medium is made.
 */
bool block_conf_attach(struct block_conf *conf, struct device *dev,
		       const struct block_device_ops *ops, void *opaque, bool read_only_ok,
		       bool empty_ok, struct error *err);

#endif
