/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: one table (options.c) makes the parser, -h, and the man page. QEMU's spelling throughout:
 * one or two dashes, values in the next argument, comma lists with ",," for a comma.
 */
#ifndef EVMM_OPTIONS_H
#define EVMM_OPTIONS_H

#include "src/machine.h"

/* An option value "first,key=value,key2=value2": what getopt(3) doesn't do. Owned by its parser. */
struct optlist {
	unsigned n;
	struct optlist_item {
		char *key;   /* NULL for the bare first word */
		char *value; /* "on" for a bare later word, as QEMU; "off" for "noKEY" only where the option takes it */
		bool used;
	} items[64];
};
bool optlist_parse(struct optlist *l, const char *arg, const char *implied_key, struct error *err);
void optlist_free(struct optlist *l);
const char *optlist_get(struct optlist *l, const char *key); /* marks it used */
/* Error naming the first unused key and the nearest of KNOWN (NULL-terminated). */
bool optlist_check_unused(struct optlist *l, const char *const *known, struct error *err);

bool parse_size(const char *s, char default_suffix, uint64_t *out); /* "512", "1.5G"; strict */
bool parse_u64(const char *s, uint64_t *out);
bool parse_bool(const char *s, bool *out);
/* The candidate nearest to WORD by edit distance, or NULL when none is near enough. */
const char *nearest_word(const char *word, const char *const *candidates);

/* What the command line asks for beyond the machine itself. */
struct options {
	struct machine_config config;
	struct list devices;  /* struct option_device: -device and what stands for one, in order */
	struct list chardevs; /* struct option_chardev: all that were made, freed by options_free */
	struct list strings;  /* struct option_string: what config and others point at */
	struct chardev *monitor; /* NULL: none */
	struct chardev *mux;	 /* NULL: nothing is shared */
	bool nographic;
	const char *log_mask, *log_file;
};

struct option_device {
	struct list node;
	const char *option; /* as the user named it, "device" or "debugcon" */
	const char *value;  /* what the user gave it */
	const char *arg;    /* for device_create_from_option */
};

/* Parses argv. Help and lists print to stdout and exit 0. On error: false. */
bool options_parse(struct options *o, struct loop *loop, int argc, char **argv, struct error *err);
void options_free(struct options *o);
/* Writes the options part of evmm(1) in mdoc/man markup, from the table. */
void options_write_man(void);

#endif
