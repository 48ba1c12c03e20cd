/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the host processor has. SIMD instructions are executed with the host's own, so a guest is offered such a
 * feature only when the host has it; everything else (FXSAVE, XSAVE, x87, CPUID bits of system features) is ours.
 */
#ifndef EVMM_CPU_HOSTFEAT_H
#define EVMM_CPU_HOSTFEAT_H

#include <stdbool.h>

/*
 * FEATURE: CPU_FEATURE(...) of cpuid.h. True when the host can execute it, or when executing it takes nothing of
 * the host. So cpuid.c may ask for any feature. Any thread.
 */
bool host_has_feature(unsigned feature);

#endif
