/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A node's options: a JSON object whose values may also be the strings that the command line has. Taking a key out
 * marks it as known; what is left over at the end is an error that names it.
 */
#ifndef EVMM_BLOCK_OPTIONS_H
#define EVMM_BLOCK_OPTIONS_H

#include <jansson.h>
#include "src/error.h"

#define BLOCK_OPTIONS_MAX_KNOWN 64

struct block_options {
	json_t *json;					/* an object; owned */
	const char *known[BLOCK_OPTIONS_MAX_KNOWN + 1]; /* keys asked for so far */
	unsigned n_known;
};

/* JSON's reference is taken over; NULL: an empty object. */
void block_options_init(struct block_options *o, json_t *json);
void block_options_fini(struct block_options *o);

/* "a.b.0.c" = VALUE becomes nested objects. False when a.b is a value already. */
bool block_options_set_path(json_t *object, const char *path, json_t *value, struct error *err);
/* "driver=raw,file.driver=file,..." or "{...}" -> an object; the caller's. IMPLIED: the key of a bare first word. */
json_t *block_options_parse(const char *text, const char *implied, struct error *err);

/* Taken out; the returned object is the caller's. NULL: not there. */
json_t *block_options_take(struct block_options *o, const char *key);
/* Each leaves *OUT alone when KEY is not there; false, with ERR, when its value is not of that kind. */
bool block_options_str(struct block_options *o, const char *key, char **out,
		       struct error *err); /* heap */
bool block_options_bool(struct block_options *o, const char *key, bool *out, struct error *err);
bool block_options_u64(struct block_options *o, const char *key, uint64_t *out, struct error *err);
bool block_options_size(struct block_options *o, const char *key, uint64_t *out, struct error *err);
bool block_options_has(const struct block_options *o, const char *key);
/* Error for the first key that nobody took. */
bool block_options_check_unused(struct block_options *o, struct error *err);

#endif
