/* SPDX-License-Identifier: BSD-2-Clause */
/* The software accelerator's part of a machine: machine->accel_state. */
#ifndef EVMM_CPU_SOFT_H
#define EVMM_CPU_SOFT_H

#include "src/util.h"

struct cpu_model;
struct code_map;

struct soft {
	struct cpu_model *model;   /* all processors are of one model */
	struct code_map *code_map; /* which pages hold translated code */
	uint64_t *breakpoints;	   /* a debugger's, sorted; they are in the translations */
	unsigned n_breakpoints;
};

#endif
