/* SPDX-License-Identifier: BSD-2-Clause */
/* Option values as QEMU spells them: comma lists, sizes, numbers, and the nearest known word for a mistyped one. */
#ifndef EVMM_OPTIONS_OPTLIST_H
#define EVMM_OPTIONS_OPTLIST_H

#include "src/error.h"

/* An option value "first,key=value,key2=value2": what getopt(3) doesn't do. Owned by its parser. */
struct optlist {
	unsigned n;
	struct optlist_item {
		char *key; /* NULL for the bare first word */
		char *value; /* "on" for a bare later word, as QEMU; "off" for "noKEY" only where the option takes it */
		bool used;
	} items[64];
};
bool optlist_parse(struct optlist *l, const char *arg, const char *implied_key, struct error *err);
/* One more, copied. False when there is no room. */
bool optlist_add(struct optlist *l, const char *key, const char *value);
void optlist_free(struct optlist *l);
const char *optlist_get(struct optlist *l, const char *key); /* marks it used */
/* Error naming the first unused key and the nearest of KNOWN (NULL-terminated). */
bool optlist_check_unused(struct optlist *l, const char *const *known, struct error *err);

bool parse_size(const char *s, char default_suffix, uint64_t *out); /* "512", "1.5G"; strict */
bool parse_u64(const char *s, uint64_t *out);
/* "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" to 16 bytes, in that order. */
bool parse_uuid(const char *s, uint8_t *out);
#define UUID_TEXT_BYTES 37
void format_uuid(const uint8_t *uuid, char text[UUID_TEXT_BYTES]);
bool parse_bool(const char *s, bool *out);
/* What a user calls a thing, in QEMU's form: a letter, then letters, digits, '-', '.', '_'. */
bool id_is_well_formed(const char *id);
bool id_check(const char *id, struct error *err); /* else an error */
/* The candidate nearest to WORD by edit distance, or NULL when none is near enough. */
const char *nearest_word(const char *word, const char *const *candidates);

#endif
