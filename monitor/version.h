/* SPDX-License-Identifier: BSD-2-Clause */
/* The version that QMP tells: QEMU's whose commands and answers ours are compatible with, and our own beside it. */
#ifndef EVMM_MONITOR_VERSION_H
#define EVMM_MONITOR_VERSION_H

#include <jansson.h>

#define QMP_COMPATIBLE_MAJOR 7
#define QMP_COMPATIBLE_MINOR 2
#define QMP_COMPATIBLE_MICRO 0

/* {"qemu": {...}, "package": "evmm-0.1.0"} */
json_t *qmp_version(void);

#endif
