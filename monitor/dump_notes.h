/* SPDX-License-Identifier: BSD-2-Clause */
/* The notes of an ELF core of a guest: its processors' registers, and the guest kernel's own note. Loop thread, vCPUs parked. */
#ifndef EVMM_DUMP_NOTES_H
#define EVMM_DUMP_NOTES_H

#include "src/machine.h"

/* REGS of each processor. Heap, *BYTES of it. */
uint8_t *dump_notes(struct machine *m, const struct x86_regs *regs, size_t *bytes);

#endif
