/* SPDX-License-Identifier: BSD-2-Clause */
/* An accelerator for tests of the loaders: its processor never runs. */
#ifndef EVMM_TESTS_BOOT_ACCEL_H
#define EVMM_TESTS_BOOT_ACCEL_H

#include "src/accel.h"

extern const struct accel_ops boot_accel;
extern struct x86_regs boot_accel_regs; /* as the last boot_reset left them */
extern bool boot_accel_long_mode;	/* what the processor has */

#endif
