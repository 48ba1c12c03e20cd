/* SPDX-License-Identifier: BSD-2-Clause */
/* struct block from the inside: for the block layer, and for what makes and governs disks (src/drive.c, the monitor). */
#ifndef EVMM_BLOCK_INTERNAL_H
#define EVMM_BLOCK_INTERNAL_H

#include "io/block/block.h"
#include "io/block/node.h"
#include "io/block/stats.h"
#include "io/block/throttle.h"
#include "src/clock.h"
#include "src/loop.h"

/* werror=, rerror= */
enum block_on_error {
	BLOCK_ERROR_REPORT,
	BLOCK_ERROR_IGNORE,
	BLOCK_ERROR_ENOSPC,
	BLOCK_ERROR_STOP
};
bool block_on_error_parse(const char *word, bool is_read, enum block_on_error *out,
			  struct error *err);
const char *block_on_error_name(enum block_on_error e);

/* What the machine does for the disks. */
struct block_host_ops {
	/* A request failed and its policy was applied. ACTION STOP: the guest is to stop now. */
	void (*io_error)(void *opaque, struct block *b, bool is_read, enum block_on_error action,
			 int errnum);
	void (*tray_moved)(void *opaque, struct block *b, bool open);
	/* What block_when_idle() asked for. */
	void (*idle)(void *opaque);
};
void block_set_host(const struct block_host_ops *ops, void *opaque);

struct block {
	struct list node; /* all disks of the process */
	struct loop *loop;
	char *id;
	bool anonymous;		 /* made for a device that named a node: goes with the device */
	struct block_node *root; /* NULL: no medium */

	bool write_cache;
	enum block_on_error on_read_error, on_write_error;
	bool tray_open, locked, share_write;

	struct device *dev;
	const struct block_device_ops *ops;
	void *opaque;

	int io_errno;	      /* of what werror=stop has stopped the guest for; 0: nothing */
	struct list inflight; /* in the order of submission */
	unsigned n_inflight;
	unsigned delivering; /* callbacks under way */
	struct list held;    /* by werror=stop, until the guest goes on */
	struct list done;    /* to be called back */
	struct loop_work done_work;
	struct throttle_member throttle;
	struct block_limits limits; /* of an empty drive */
	struct block_stats stats;
	struct timer stall_timer;
	int64_t stall_said_ns;
	bool released; /* freed when the last request is done */
};

struct list *block_all(void);
/* ID is checked; NULL: anonymous. */
struct block *block_new(struct loop *loop, const char *id, struct error *err);
/* It has no id any more, and goes with its device, or at once. */
void block_make_anonymous(struct block *b);
/* No request may be in flight. Takes it off its device. */
void block_free(struct block *b);
/* Another medium, whose reference is taken over on success. A device without a tray is told. */
bool block_insert_medium(struct block *b, struct block_node *root, struct error *err);
void block_remove_medium(struct block *b);

/* medium.c, for the monitor: what a person does with a drive. */
bool block_is_removable(const struct block *b);
bool block_has_tray(const struct block *b);
bool block_tray_is_open(const struct block *b);
bool block_medium_is_locked(const struct block *b);
/* Without a tray, or where it is open (or closed) already: true. FORCE: though the guest has locked it. */
bool block_open_tray(struct block *b, bool force, struct error *err);
bool block_close_tray(struct block *b, struct error *err);
/* The tray, where there is one, must be open. */
bool block_take_medium_out(struct block *b, struct error *err);
bool block_put_medium_in(struct block *b, struct block_node *root, struct error *err);

/* Limits of its own, in the group of that name; none in C: no limits. */
void block_set_throttle(struct block *b, const char *group, const struct throttle_config *c);
/* The root node has another size. */
void block_root_resized(struct block *b);

/* The guest runs again: what werror=stop has held is tried once more. */
void block_retry_held(void);
/* What werror=stop has held is done with RET. */
void block_give_back_held(struct block *b, int ret);
/* How long the host has owed an answer to the oldest request; 0: to none. What waits for limits is not its business. */
int64_t block_oldest_ns(const struct block *b);
bool block_any_inflight(void);
/* True: nothing is in flight. False: the host ops' idle will be called when nothing is. Held requests are given back first. */
bool block_when_idle(void);
/* Turns the loop until no request is in flight, MAX_NS at most. Returns false when some are left. Not from callbacks. */
bool block_drain(struct loop *loop, int64_t max_ns);

#endif
