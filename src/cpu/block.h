/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of translated blocks, one per vCPU (no locks on the execution path), and what keeps all caches true
 * when code is written.
 *
 * Shared between vCPUs (struct code_map, one per machine) is a record per physical RAM page:
 *	lines	 64 bits: which 64-byte lines some vCPU has translated code from
 *	readers	 64 bits: which vCPUs (index mod 64) have translated from it
 *	writers	 64 bits: which vCPUs (index mod 64) may hold a fast write entry for it in their TLB
 * Invariant: while a bit in `lines` is set, no vCPU has a fast write entry for the page.
 *
 * Translating from a page (vCPU B): under the map's lock set lines and readers; then have each other vCPU in `writers`
 * drop its fast write entry, and wait for it (VCPU_REQ_CODE; a vCPU outside guest code acknowledges by being outside);
 * only then read the bytes.
 * Filling a write entry (vCPU A): set own bit in `writers`, then look at `lines`: if any is set, the entry is slow.
 * Slow store to such a page: store; then, if a line that it touches is set, drop own blocks on it and post the page to the other
 * readers (VCPU_REQ_CODE). They drop theirs at the next block boundary, thus before they can act on anything that
 * the writer publishes after its store (x86-TSO).
 * DMA by devices goes through code_map_written() on the loop, with the same posts.
 */
#ifndef EVMM_CPU_BLOCK_H
#define EVMM_CPU_BLOCK_H

#include "src/cpu/ir.h"

struct code_map;

struct code_map *code_map_new(struct machine *m);
void code_map_free(struct code_map *map);

/* mmu.c, before it makes a fast write entry for PHYS: true when the entry may be fast. */
bool code_map_may_write_fast(struct cpu *c, uint64_t phys);
/* After a slow store by vCPU C (NULL: a device, on the loop thread). */
void code_map_written(struct code_map *map, struct cpu *c, uint64_t phys, uint64_t bytes);
/* vCPU thread, at a block boundary: serves VCPU_REQ_CODE. */
void code_map_serve(struct cpu *c);
/* A vCPU enters or leaves guest code (around cpu_exec, traps and sleeps): while outside it needs no waiting for. */
void code_map_enter_guest(struct cpu *c);
void code_map_leave_guest(struct cpu *c);

struct block_cache *block_cache_new(struct cpu *c);
void block_cache_free(struct block_cache *bc);
/* The block to execute at c->rip in c->mode; translates if needed. May fault (doesn't return). */
struct block *block_find(struct cpu *c);
/* Drops everything, e.g. when the cache is full or the memory view changed. Safe while executing: freed at the next boundary. */
void block_flush_all(struct cpu *c);

#endif
