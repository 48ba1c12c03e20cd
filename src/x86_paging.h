/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a linear address is, as a processor with these registers would find it, for who looks on. Loop thread. */
#ifndef EVMM_X86_PAGING_H
#define EVMM_X86_PAGING_H

#include "src/accel.h"

/* False: no page is there. */
bool x86_translate(struct machine *m, const struct x86_regs *r, uint64_t linear, gpa_t *gpa);

#endif
