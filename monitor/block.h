/* SPDX-License-Identifier: BSD-2-Clause */
/* What the two files of the monitor's block commands share. */
#ifndef EVMM_MONITOR_BLOCK_H
#define EVMM_MONITOR_BLOCK_H

#include "io/block/throttle.h"
#include "monitor/commands.h"

/* "bps", "iops_rd", ..., in the order of enum throttle_limit. */
extern const char *const block_limit_words[THROTTLE_LIMITS];

/*
 * What managers call the device that has B: its id, or its path where it has none. A disk on PCI is two devices to QEMU, of which the inner
 * one has B and no id. Heap; NULL: no device has it.
 */
char *block_qdev(const struct block *b);
/* NAME is the id or the path of B's device, or the path of its inner one. */
bool block_is_qdev(const struct block *b, const char *name);

#endif
