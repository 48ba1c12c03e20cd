/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MultiProcessor table (Intel MultiProcessor Specification 1.4), for a board without PCI and without firmware whose
 * guest is given no ACPI: it tells of the processors, the IOAPIC and which interrupt is which of its pins.
 */
#ifndef EVMM_BOOT_MPTABLE_H
#define EVMM_BOOT_MPTABLE_H

#include "src/boot/acpi.h"

/* The bytes, to be freed by the caller, for address GPA, a multiple of 16; SIGNATURE and FEATURES are CPUID's leaf 1, eax and edx. */
struct aml mptable_build(const struct acpi_board *board, uint32_t signature, uint32_t features,
			 gpa_t gpa);

#endif
