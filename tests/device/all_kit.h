/* SPDX-License-Identifier: BSD-2-Clause */
/* A board with all that -device can add to it. */
#ifndef EVMM_TESTS_ALL_KIT_H
#define EVMM_TESTS_ALL_KIT_H

#include "tests/device/kit.h"

/* Of pc and q35; what a machine can have one of only is on one of them. */
struct kit *all_kit_new(const struct machine_type *board);

#endif
