/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The graph below a disk, for the block layer itself and its drivers. A node is one driver's instance (a file, a format,
 * a filter) with a name; it stands on its children. It is given requests by block_node_submit() and answers each with
 * block_req_complete(), at once or later.
 *
 * A driver that passes a request on to its child may change op, offset, bytes, iov and flags; it pushes a frame first
 * (block_req_push) if it has to do something when the child has answered, such as putting them back.
 *
 * Options are a JSON object, as -blockdev has it; drivers take the keys they know out of it (options.h).
 */
#ifndef EVMM_BLOCK_NODE_H
#define EVMM_BLOCK_NODE_H

#include "io/block/block.h"
#include "io/block/options.h"
#include "src/options/optlist.h"

#define BLOCK_MAX_DEPTH 8
/* Of a node's size, QEMU's: offsets stay so far from what off_t holds that they may be rounded up and added to. */
#define BLOCK_MAX_BYTES ((uint64_t)INT64_MAX & ~(1 * GiB - 1))

/* What a node's options say in any driver; children take over what they don't say themselves. */
struct block_flags {
	bool read_only, auto_read_only;
	bool direct, no_flush;
	bool force_share;
	bool discard;			  /* discard=unmap */
	bool detect_zeroes, zeroes_unmap; /* detect-zeroes=on, =unmap */
};

struct block_driver {
	const char *name, *alias;
	bool is_format;
	size_t size; /* of the struct that begins with struct block_node */
	const char *const
		*options; /* the keys it takes, for messages; ends with NULL; may be NULL */
	bool (*open)(struct block_node *n, struct block_options *o, struct error *err);
	void (*close)(struct block_node *n); /* called after a failed open too */
	void (*submit)(struct block_node *n, struct block_req *r);
	/* Start-up only. NULL: the child's. */
	int (*pread_sync)(struct block_node *n, uint64_t offset, void *buf, size_t bytes);
	/* A new size; NULL: the child's, as it is. */
	bool (*resize)(struct block_node *n, uint64_t bytes, struct error *err);
	/* A descriptor of the caller's own, which a resize to *BYTES will truncate, and to how many; -1: none. May be NULL. */
	int (*resize_fd)(struct block_node *n, uint64_t *bytes);
	/* The child has another size now. NULL: take it over. */
	void (*child_resized)(struct block_node *n);
	/* Others may not write to it from now on (exclusive), or may. NULL: the child's. */
	bool (*share)(struct block_node *n, bool share_write, struct error *err);
	/* The file, for people. NULL: the child's. */
	const char *(*filename)(const struct block_node *n);
	/* Requests held back are let go: at the machine's end, and for a reset. May be NULL. */
	void (*cancel_waiting)(struct block_node *n);
	void (*lift_limits)(struct block_node *n);
};

extern const struct block_driver *const block_drivers[]; /* drivers.c; ends with NULL */
const struct block_driver *block_driver_find(const char *name);

struct block_node {
	const struct block_driver *drv;
	struct loop *loop;
	char *name;
	bool monitor_owned; /* made by -blockdev: holds a reference until blockdev-del */
	unsigned refs;
	struct list node;	   /* all nodes of the process */
	struct block_node *file;   /* what it stands on, NULL for a protocol */
	struct block_node *parent; /* of a node that was opened as somebody's child */
	struct block *block;	   /* whose root it is */
	unsigned depth;

	uint64_t bytes;
	struct block_flags flags;
	struct block_limits limits;
	bool probed; /* raw was a guess */

	/* Requests must begin and end at multiples of this, and buffers be so aligned; 1: any will do. See align.c. */
	uint32_t align, mem_align;
	/* Writes that share a unit of this many bytes, and cover it in part, run one after the other. 0: no matter. */
	uint32_t serial_unit;
	struct list writes;	 /* tracked writes in flight, by block_req.track */
	struct list waiting;	 /* held back by one of them */
	unsigned partial_writes; /* of those in flight */
	unsigned bounces;	 /* align.c: buffers in use */
	struct list bounce_waiting;
};

/* A node by its options. NAME_OK: "node-name" may be given. The caller has a reference. */
struct block_node *block_node_open(struct loop *loop, struct block_options *o,
				   const struct block_flags *defaults, struct error *err);
struct block_node *block_node_ref(struct block_node *n);
void block_node_unref(struct block_node *n);
struct block_node *block_node_find(const char *name);
struct list *block_nodes(void);
/* For a driver's open: the child under KEY, an object or the name of a node; becomes n->file with its size and limits. */
bool block_node_open_child(struct block_node *n, struct block_options *o, const char *key,
			   struct error *err);
/* Another child, for drivers with two. NULL, with ERR clear: none given. */
struct block_node *block_node_open_other(struct block_node *n, struct block_options *o,
					 const char *key, struct error *err);
void block_node_set_bytes(struct block_node *n, uint64_t bytes);
bool block_node_resize(struct block_node *n, uint64_t bytes, struct error *err);
bool block_node_share(struct block_node *n, bool share_write, struct error *err);
int block_node_pread_sync(struct block_node *n, uint64_t offset, void *buf, size_t bytes);
const char *block_node_filename(const struct block_node *n);

/* ---- requests ---- */

void block_node_submit(struct block_node *n, struct block_req *r);
/* N has answered R; may be called from within submit. */
void block_req_complete(struct block_req *r, int ret);
static inline void block_req_push(struct block_req *r, struct block_node *n,
				  void (*up)(struct block_node *, struct block_req *, int),
				  uint64_t arg)
{
	r->frames[r->depth++] = (struct block_frame){n, up, arg};
}
/* To the child, nothing to do on the way back. */
static inline void block_req_pass(struct block_node *n, struct block_req *r)
{
	block_node_submit(n->file, r);
}

/* A request of a node's own, on the heap; pooled. COMPLETE gets it when done. */
struct block_req *block_req_new(void (*complete)(struct block_req *r, int ret), void *owner);
void block_req_free(struct block_req *r);
/* Sets what is asked; then block_node_submit(). */
void block_req_set(struct block_req *r, enum block_op op, uint64_t offset, uint64_t bytes,
		   const struct iovec *iov, unsigned n_iov, unsigned flags);

/* For serial.c: as block_node_submit(), when the turn of a held request has come. */
void block_node_submit_now(struct block_node *n, struct block_req *r);
/* At the end of a process or a test. */
void block_req_pool_empty(void);

/* align.c: the same for requests that N cannot take as they are. */
bool block_align_needed(const struct block_node *n, const struct block_req *r);
void block_align_submit(struct block_node *n, struct block_req *r);
/* serial.c: true when R may go on now; else it is submitted when it may. */
bool block_serial_enter(struct block_node *n, struct block_req *r);

/* ---- vectors ---- */

uint64_t iov_bytes(const struct iovec *iov, unsigned n);
/* BYTES from byte SKIP of the vector on. */
void iov_copy_out(const struct iovec *iov, unsigned n, uint64_t skip, void *buf, size_t bytes);
void iov_copy_in(const struct iovec *iov, unsigned n, uint64_t skip, const void *buf, size_t bytes);
void iov_zero_from(const struct iovec *iov, unsigned n, uint64_t skip);
bool iov_is_zero(const struct iovec *iov, unsigned n);
/* The vector of BYTES from byte SKIP on, into OUT; returns its length, 0 when MAX is too few. */
unsigned iov_slice(const struct iovec *iov, unsigned n, uint64_t skip, uint64_t bytes,
		   struct iovec *out, unsigned max);

#endif
