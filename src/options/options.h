/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line: one table (options.c) makes the parser, -h, and the man page. QEMU's spelling
 * throughout:
 * one or two dashes, values in the next argument, comma lists with ",," for a comma.
 */
#ifndef EVMM_OPTIONS_OPTIONS_H
#define EVMM_OPTIONS_OPTIONS_H

#include "src/machine.h"
#include "src/object.h"
#include "src/options/optlist.h"
#include "src/process.h"

/* What the command line asks for beyond the machine itself. */
struct options {
	struct machine_config config;
	struct list devices; /* struct option_device: -device and what stands for one, in order */
	struct object_set objects; /* -object */
	struct list chardevs;	   /* struct option_chardev: -chardev, in order */
	struct list strings;	   /* struct option_string: what config and others point at */
	struct chardev *monitor;   /* the first; NULL: none */
	struct list globals;	   /* struct device_global */
	struct list drives;	   /* struct option_drive, in order */
	struct list fw_cfg;	   /* struct option_device: -fw_cfg, in order */
	struct list monitors;	   /* struct option_monitor: further ones, -qmp, -mon */
	struct chardev *qtest;	   /* NULL: none */
	const char *qtest_log;
	const char *gdb; /* where -gdb or -s listens; NULL: none */
	bool nographic;
	struct process_options process;
	const char *log_mask, *log_file;
};

struct option_device {
	struct list node;
	const char *option;  /* as the user named it, "device" or "debugcon" */
	const char *value;   /* what the user gave it */
	struct chardev *chr; /* -debugcon's and -parallel's back end; -device: NULL */
	unsigned index;	     /* of several such */
};

struct option_drive {
	struct list node;
	const char *option; /* "drive", "blockdev", "hda"... */
	const char *value;  /* what the user gave it */
	bool blockdev;
	struct json_t *json; /* its keys */
};

struct option_monitor {
	struct list node;
	const char *option; /* "qmp", "qmp-pretty", "mon", or as the first monitor has it */
	const char *value;  /* what the user gave it */
	char *spec;	    /* the chardev: as -serial has it, or "chardev:ID" */
	struct chardev *chr;
	bool qmp, pretty;
};

/* Parses argv. Help and lists print to stdout and exit 0. On error: false. */
bool options_parse(struct options *o, struct loop *loop, int argc, char **argv, struct error *err);
void options_free(struct options *o);
/* Whether the option NAME is among the arguments: what must be known before anything is made. */
bool options_have(int argc, char **argv, const char *name);
/* FN is called for C-a x, on whichever terminal. */
void options_on_quit(struct options *o, void (*fn)(void *opaque), void *opaque);
/* Opens the images of -blockdev and -drive, for the board that machine_build makes. */
bool options_open_drives(struct options *o, struct machine *m, struct error *err);
/* What -fw_cfg has asked for, after boot_load(). */
bool options_add_fw_cfg_files(struct options *o, struct machine *m, struct error *err);
/* Creates what -device and its like have asked for. */
bool options_create_devices(struct options *o, struct machine *m, struct error *err);
/* Writes the options part of evmm(1) in mdoc/man markup, from the table. */
void options_write_man(void);

#endif
