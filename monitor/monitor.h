/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitors of a machine: for people, at the "(evmm) " prompt of a chardev, and for programs, by QMP. As many of each
 * as there are chardevs. Loop thread only.
 */
#ifndef EVMM_MONITOR_H
#define EVMM_MONITOR_H

#include "src/util.h"

struct chardev;
struct machine;
struct monitor;
struct monitors;

/* Listens to the machine's events from here on. Freed before the machine and the chardevs. */
struct monitors *monitors_new(struct machine *m);
void monitors_free(struct monitors *ms);
void monitors_add_human(struct monitors *ms, struct chardev *chr);
/* PRETTY: JSON is laid out over several lines. */
void monitors_add_qmp(struct monitors *ms, struct chardev *chr, bool pretty);

/* One for people, by itself. */
struct monitor *monitor_new(struct machine *m, struct chardev *chr);
void monitor_free(struct monitor *mon);

#endif
