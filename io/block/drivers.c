/* SPDX-License-Identifier: BSD-2-Clause */
/* The block drivers: a table of contents. */
#include "io/block/drivers.h"

const struct block_driver *const block_drivers[] = {
	/* protocols */
	&block_file,
	&block_host_device,
	&block_null,
	&block_null_aio,
	/* filters */
	&block_blkdebug,
	&block_blklogwrites,
	&block_throttle,
	&block_overlay,
	/* formats */
	&block_raw,
	NULL,
};
