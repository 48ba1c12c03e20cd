/* SPDX-License-Identifier: BSD-2-Clause */
/* What format an image is of, by its first bytes. */
#ifndef EVMM_BLOCK_PROBE_H
#define EVMM_BLOCK_PROBE_H

#include "src/util.h"

#define BLOCK_PROBE_BYTES 512

/* The name of the format, or NULL: nothing known, raw. */
const char *block_probe(const uint8_t *head, size_t n);

#endif
