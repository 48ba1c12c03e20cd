/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sources of randomness for guests, as objects: rng-builtin (the kernel's generator), rng-random (a file: /dev/urandom, a
 * hardware generator). Loop thread.
 */
#ifndef EVMM_IO_RNG_H
#define EVMM_IO_RNG_H

#include "src/object.h"

/* Member of its owner; BUF is filled with N bytes at the most, at least one; then DONE, never from within rng_request. */
struct rng_request {
	struct list node;
	uint8_t *buf;
	size_t n;
	void (*done)(void *opaque, size_t n);
	void *opaque;
};

struct rng;

extern const struct object_type rng_builtin_type, rng_random_type;

/* ID NULL: a built-in one of the caller's own. NULL with ERR when there is no such object, or it is none of these. */
struct rng *rng_get(struct object_set *set, const char *id, struct error *err);
void rng_put(struct rng *rng);
/* Served one after the other, in order. */
void rng_ask(struct rng *rng, struct rng_request *req);
void rng_cancel(struct rng_request *req);

#endif
