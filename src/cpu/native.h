/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Host code for hot blocks.
 *
 * A block that has been entered often enough gets host code made of its micro-operations. Where a run of them can be
 * translated, the run's first micro-operation is bound to a piece of host code (a fragment) instead of its function, and
 * that is all that the rest of the CPU sees of it: a fragment is entered as the function would be, executes its micro-operations,
 * and goes on with the one after them. What has no translation stays bound to its function, between fragments.
 *
 * A fragment does what is fast itself: a TLB hit, a linked jump. Whatever is not (a miss, a device, a page with code, a
 * request to leave) it leaves to the ordinary function of that very micro-operation, by jumping there with all state in struct cpu
 * as if every micro-operation before had been executed one by one. So faults are precise, and no rule is written twice.
 *
 * One per vCPU, used on its thread only. The memory is mapped to be executed and not to be written: it is written by way of
 * its file. Where the host refuses that, everything is interpreted.
 */
#ifndef EVMM_CPU_NATIVE_H
#define EVMM_CPU_NATIVE_H

#include "src/cpu/ir.h"

struct native;

struct native *native_new(struct cpu *c);
void native_free(struct native *n);
/* Of host code, since memory for it was last begun anew. N may be NULL. */
uint64_t native_bytes(const struct native *n);
/* A new block: it is watched from now on, and translated when it has become hot. */
void native_watch(struct cpu *c, struct block *b);
/* Entries of a block before it is translated; 1: at once (tests); 0: never. For blocks made afterwards. */
void native_set_threshold(struct cpu *c, unsigned entries);

/*
 * Executes from U on until something stops (the outermost call of micro-operations). What runs within may use all
 * registers as it likes but the stack pointer.
 */
void native_enter(struct cpu *c, const struct uop *u);

#endif
