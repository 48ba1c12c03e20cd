/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two files of the monitor's block commands share. */
#ifndef EVMM_MONITOR_BLOCK_H
#define EVMM_MONITOR_BLOCK_H

#include "io/block/throttle.h"
#include "monitor/commands.h"

/* "bps", "iops_rd", ..., in the order of enum throttle_limit. */
extern const char *const block_limit_words[THROTTLE_LIMITS];

#endif
