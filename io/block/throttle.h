/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits of a disk's speed: bytes and requests a second, of reads, writes or both, with bursts. A group has the limits and
 * counts what its members do together; a member is a disk, or a node of the driver `throttle`.
 *
 * Each limit is a leaky bucket. A request pours its bytes (or itself) in, AVG of them a second leak out, and the next
 * one waits while more than the burst's size is in it. Without MAX that is a tenth of a second's worth, so that requests need
 * not wait for each other one by one. With it, the guest may go at MAX for BURST_LENGTH seconds.
 *
 * Members of a group whose requests wait take turns. Loop thread.
 */
#ifndef EVMM_BLOCK_THROTTLE_H
#define EVMM_BLOCK_THROTTLE_H

#include "io/block/node.h"

enum throttle_limit {
	THROTTLE_BPS,
	THROTTLE_BPS_READ,
	THROTTLE_BPS_WRITE,
	THROTTLE_IOPS,
	THROTTLE_IOPS_READ,
	THROTTLE_IOPS_WRITE,
};
#define THROTTLE_LIMITS	      6
#define THROTTLE_BURST_LENGTH 1

struct throttle_config {
	struct {
		uint64_t avg, max; /* a second; 0: none */
		uint64_t
			burst_length; /* seconds; 0, which no user can say, is THROTTLE_BURST_LENGTH */
	} of[THROTTLE_LIMITS];
	uint64_t iops_size; /* a larger request counts as several; 0: as one */
};

/* "bps-total", "iops-read", ... */
const char *throttle_limit_name(enum throttle_limit limit);
bool throttle_config_any(const struct throttle_config *c);
bool throttle_config_check(const struct throttle_config *c, struct error *err);
/* Takes "iops-total", "iops-total-max", "iops-total-max-length", ... out of O, and sets *ANY when there was one. */
bool throttle_config_take(struct block_options *o, struct throttle_config *c, bool *any,
			  struct error *err);

struct throttle_group;

/* The group of that name, made when there is none. Each get needs a put. */
struct throttle_group *throttle_group_get(struct loop *loop, const char *name);
/* NULL: there is none. No reference. */
struct throttle_group *throttle_group_find(const char *name);
void throttle_group_put(struct throttle_group *g);
/* Has anybody but the caller got it? */
bool throttle_group_in_use(const struct throttle_group *g);
const char *throttle_group_name(const struct throttle_group *g);
const struct throttle_config *throttle_group_config(const struct throttle_group *g);
void throttle_group_set(struct throttle_group *g, const struct throttle_config *c);

struct throttle_member {
	struct throttle_group *group; /* NULL: no limits */
	void (*go)(struct throttle_member *m, struct block_req *r);
	struct list queue[2];	/* requests that wait: reads, writes; by block_req.node */
	struct list waiting[2]; /* in the group's lists */
	bool unlimited;		/* at the end: nothing waits any more */
};

/* Takes over the reference to GROUP. GO is called when a request that had to wait may go on. */
void throttle_member_init(struct throttle_member *m, struct throttle_group *group,
			  void (*go)(struct throttle_member *m, struct block_req *r));
/* What waits goes on at once. */
void throttle_member_fini(struct throttle_member *m);
/* True: R may go on now. False: GO gets it later. */
bool throttle_enter(struct throttle_member *m, struct block_req *r);
/* From now on, or not, requests pass without waiting; those that wait go. */
void throttle_set_unlimited(struct throttle_member *m, bool unlimited);

#endif
