/* SPDX-License-Identifier: BSD-2-Clause */
/* What the options say about firmware and what it boots; part of struct machine_config. Strings are the options'. */
#ifndef EVMM_BOOT_CONFIG_H
#define EVMM_BOOT_CONFIG_H

#include "src/util.h"

#define BOOT_DATA_DIRS 16

struct boot_config {
	const char *bios; /* the image's name; NULL: no firmware, the kernel starts right away */
	const char *pflash[2]; /* -machine pflash0=, pflash1=: nodes */
	bool firmware;	       /* the board's: the guest begins with firmware, BIOS or flash */
	const char *data_dirs[BOOT_DATA_DIRS]; /* -L */
	unsigned n_data_dirs;
	/* -boot */
	const char *order, *once; /* letters; NULL: the board's own order */
	bool menu, menu_given, strict, fd_check_off;
	const char *splash;
	int32_t splash_time, reboot_timeout; /* ms; -1: not given */
	bool no_graphics;		     /* firmware's console is the serial port */
};

#endif
