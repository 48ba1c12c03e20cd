/* SPDX-License-Identifier: BSD-2-Clause */
/* The block drivers, each in the file of its name. */
#ifndef EVMM_BLOCK_DRIVERS_H
#define EVMM_BLOCK_DRIVERS_H

#include "io/block/node.h"

extern const struct block_driver block_file, block_host_device; /* file.c */
extern const struct block_driver block_null, block_null_aio;	/* null.c */
extern const struct block_driver block_raw, block_blkdebug, block_blklogwrites, block_throttle;
/* Not for users: drive_open.c puts it on the image of a drive with snapshot=on. */
extern const struct block_driver block_overlay;

#endif
