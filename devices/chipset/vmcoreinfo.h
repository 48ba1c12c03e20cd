/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest kernel's note for those who read a dump of its memory. Loop thread. */
#ifndef EVMM_VMCOREINFO_H
#define EVMM_VMCOREINFO_H

#include "src/machine.h"

extern const struct device_type vmcoreinfo_type;

/* Where the guest has an ELF note, and how long; false: it has told of none. Both are the guest's word. */
bool vmcoreinfo_note(struct machine *m, gpa_t *gpa, uint32_t *bytes);

#endif
