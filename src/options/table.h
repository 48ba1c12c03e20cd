/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the option table (table.c) and what walks it (options.c). A row is all there is
 * to say about an option; the parser, -help and the manual page read nothing else.
 */
#ifndef EVMM_OPTIONS_TABLE_H
#define EVMM_OPTIONS_TABLE_H

#include "src/options/options.h"

#define OPTIONS_MAX_ACCELS 8

/* What later options still may change, and what needs all of them to be known. */
struct options_parse_state {
	struct options *o;
	struct loop *loop;
	const char *accels[OPTIONS_MAX_ACCELS];
	unsigned n_accels;
	const char *accel_option; /* the spelling for error messages */
	const char *serials[MACHINE_SERIALS];
	unsigned n_serials;
	const char *monitor;
	bool display_given;
	bool no_default_serial; /* -device isa-serial */
	bool smp_given;
	const char *debugcons[MACHINE_SERIALS];
	unsigned n_debugcons;
	const char *qtest;
	const char *parallels[MACHINE_PARALLELS];
	unsigned n_parallels;
	const char *numa[512];
	unsigned n_numa;
	struct list late_objects; /* struct option_object */
	bool cpu_help, data_dirs_help;
	bool msg_guest_name;
	uint8_t escape;
};

typedef bool option_fn(struct options_parse_state *p, const char *value, struct error *err);

struct option_desc {
	const char *name;
	const char *alias; /* or NULL */
	const char *arg;   /* NULL: takes no value; else its form, for the help */
	const char *help;  /* one line; NULL: not shown, for the build's own use */
	const char *man;   /* sentences for the manual page; may be NULL: the help says it all */
	option_fn *fn;
	const char *heading; /* set: starts a new section with this title */
};

extern const struct option_desc option_table[]; /* ends with name NULL */

/* display.c */
option_fn opt_vga, opt_display;
/* -help and -version print and exit. */
void options_print_help(void);
/* Keeps S until options_free. */
const char *options_keep_string(struct options *o, char *s);
/* The sums of -smp; zero is "not given". */
bool options_smp_complete(struct machine_config *c, struct error *err);
/* memory.c: rows of the table, -machine's keys, and what waits for all options. */
bool options_mem_path(struct options_parse_state *p, const char *value, struct error *err);
bool options_mem_prealloc(struct options_parse_state *p, const char *value, struct error *err);
bool options_overcommit(struct options_parse_state *p, const char *value, struct error *err);
bool options_numa(struct options_parse_state *p, const char *value, struct error *err);
/* action.c */
option_fn options_action, options_watchdog_action;

/* board.c */
option_fn options_no_hpet, options_no_acpi;
bool options_machine_board(struct options_parse_state *p, struct optlist *l, struct error *err);
/* fw_cfg.c */
option_fn options_fw_cfg;
void options_free_fw_cfg(struct options *o);
/* smbios.c */
option_fn options_smbios, options_uuid;
bool options_machine_smbios(struct options_parse_state *p, struct optlist *l, struct error *err);
bool options_machine_memory(struct options_parse_state *p, struct optlist *l, struct error *err);
bool options_irqchip(struct options_parse_state *p, struct optlist *l, struct error *err);
bool options_complete_numa(struct options_parse_state *p, struct error *err);
/* -object: its argument; and those that have waited for chardevs */
bool options_add_object(struct options_parse_state *p, const char *arg, struct error *err);
bool options_create_objects(struct options_parse_state *p, struct error *err);
void options_forget_objects(struct options_parse_state *p);
/* boot.c: what boots */
bool options_machine_microvm(struct options_parse_state *p, struct optlist *l, struct error *err);
option_fn options_dtb;
void options_machine_pflash(struct options_parse_state *p, struct optlist *l);
option_fn options_bios, options_data_dir, options_boot, options_no_fd_check;
/* What follows from all that was given. */
/* What -device takes the place of. */
void options_drop_defaults(struct options_parse_state *p);
bool options_boot_complete(struct options_parse_state *p, struct error *err);
option_fn options_drive, options_blockdev, options_hda, options_hdb, options_hdc, options_hdd;
option_fn options_cdrom, options_fda, options_fdb, options_pflash, options_snapshot; /* block.c */
void options_free_drives(struct options *o);
/* -chardev, for options_connect_chardevs to make. */
bool options_add_chardev(struct options_parse_state *p, const char *arg, struct error *err);
/* Chardevs are made; serial ports, monitor and debug consoles get theirs, with QEMU's defaults. */
bool options_connect_chardevs(struct options_parse_state *p, struct error *err);
/* One of them: "chardev:ID" or as -serial has it, with ID for a new one. *OUT NULL: none. */
bool options_connect_one(struct options_parse_state *p, const char *option, const char *id,
			 const char *spec, struct chardev **out, struct error *err);
/* process.c */
option_fn opt_name, opt_daemonize, opt_pidfile, opt_runas, opt_chroot, opt_run_with,
	opt_no_user_config, opt_msg;
/* manager.c: what libvirt and its like give */
option_fn opt_global, opt_audiodev, opt_sandbox, opt_add_fd;
bool options_driftfix(struct options_parse_state *p, const char *value, struct error *err);
bool options_machine_absent(struct optlist *l, struct error *err);
option_fn opt_readconfig; /* readconfig.c */
option_fn opt_qtest, opt_qtest_log, opt_gdb, opt_s;
bool options_connect_qtest(struct options_parse_state *p, struct error *err);
/* -qmp, -qmp-pretty, -mon (monitor.c) */
option_fn opt_qmp, opt_qmp_pretty, opt_mon;
/* One more monitor for people; CHR: where it is, or NULL: that VALUE says. */
void options_add_monitor(struct options *o, const char *option, const char *value,
			 struct chardev *chr);
bool options_connect_monitors(struct options_parse_state *p, struct error *err);
void options_free_monitors(struct options *o);
void options_free_chardevs(struct options *o);

#endif
