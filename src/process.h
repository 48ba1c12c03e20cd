/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The process, as managers want it: a daemon, a pid file, another user, another root. In this order: process_daemonize
 * before there are threads or descriptors; process_write_pidfile; process_confine when all that needs the old rights is
 * open; process_detach when clients may come; process_fini.
 */
#ifndef EVMM_PROCESS_H
#define EVMM_PROCESS_H

#include "src/sandbox.h"

/* What the options say; strings are the options'. */
struct process_options {
	bool daemonize;
	const char *pidfile, *chroot_dir;
	const char *user; /* a name, or UID:GID */
	const char *name; /* as ps shows it */
	struct sandbox_options sandbox;
};

struct process {
	bool daemon;
	int ready_fd; /* where the waiting parent is told; -1 */
	int null_fd;  /* a daemon's /dev/null; -1 */
	int pidfile_fd, pidfile_dir_fd;
	const char *pidfile_base;
};

#define PROCESS_INIT                                                                  \
	{                                                                             \
		.ready_fd = -1, .null_fd = -1, .pidfile_fd = -1, .pidfile_dir_fd = -1 \
	}

/* First of all: what is closed of stdin, stdout and stderr is /dev/null, so that no image nor socket gets that number. */
void process_standard_fds(void);
/* Returns in a process without a terminal; the one that was called waits, and ends with status 0 after process_detach or else with the daemon's. */
bool process_daemonize(struct process *p, struct error *err);
/* Locks PATH for as long as this process lives, and writes its id there. */
bool process_write_pidfile(struct process *p, const char *path, struct error *err);
/* Name, root, user and sandbox, as far as they are given; a daemon's directory is the root. */
bool process_confine(const struct process_options *o, struct error *err);
/* The daemon's start has succeeded: no terminal any more, but for stderr with KEEP_STDERR. Nothing for others. */
void process_detach(struct process *p, bool keep_stderr);
/* Removes the pid file. */
void process_fini(struct process *p);

#endif
