/* SPDX-License-Identifier: BSD-2-Clause */
/* RFC 4648, section 4. */
#ifndef EVMM_BASE64_H
#define EVMM_BASE64_H

#include "src/util.h"

/* Terminated; the caller's (free). */
char *base64_encode(const uint8_t *bytes, size_t n);
/* NULL when TEXT is none. */
uint8_t *base64_decode(const char *text, size_t len, size_t *n);

#endif
