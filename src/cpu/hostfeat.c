/* SPDX-License-Identifier: BSD-2-Clause */
/* The host processor's instruction sets, as far as guest instructions are executed with them. */
#include <cpuid.h>
#include "src/cpu/cpuid.h"
#include "src/cpu/hostfeat.h"

bool host_has_feature(unsigned feature)
{
	unsigned a, b, c = 0, d;

	switch (feature) {
	case FEAT_SSE3:
	case FEAT_PCLMULQDQ:
	case FEAT_SSSE3:
	case FEAT_SSE41:
	case FEAT_SSE42:
	case FEAT_AES:
		__get_cpuid(1, &a, &b, &c, &d);
		return c & (1u << ((feature >> 1) & 31));
	case FEAT_SHA:
		return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & BIT(29));
	default:
		return true; /* SSE2 is in every x86-64 processor */
	}
}
