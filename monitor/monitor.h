/* SPDX-License-Identifier: BSD-2-Clause */
/* The human monitor: commands typed at the "(evmm) " prompt of a chardev. Loop thread only. */
#ifndef EVMM_MONITOR_H
#define EVMM_MONITOR_H

#include "src/util.h"

struct chardev;
struct machine;
struct monitor;

struct monitor *monitor_new(struct machine *m, struct chardev *chr);
void monitor_free(struct monitor *mon);

#endif
