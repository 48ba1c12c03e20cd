/* SPDX-License-Identifier: BSD-2-Clause */
/* The object of -object throttle-group. */
#ifndef EVMM_BLOCK_THROTTLE_GROUP_H
#define EVMM_BLOCK_THROTTLE_GROUP_H

#include "src/object.h"

extern const struct object_type throttle_group_type;

#endif
