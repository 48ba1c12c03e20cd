/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of translated blocks, one per vCPU (no locks on the execution path), and what keeps all caches true
 * when code is written.
 *
 * Shared between vCPUs (struct code_map, one per machine) is a record per physical RAM page:
 *	lines	 64 bits: which 64-byte lines some vCPU may have translated code from
 *	readers	 64 bits: which vCPUs (index mod 64) have translated from it
 *	writers	 64 bits: which vCPUs (index mod 64) may hold a fast write entry for it in their TLB
 * Invariant: once the handshake below is over, and while a bit in `lines` is set, no vCPU has a fast write entry for the page.
 *
 * Translating from a page (vCPU B): under the map's lock set lines and readers; then have each other vCPU in `writers`
 * drop its fast write entry, and wait for it (VCPU_REQ_CODE; a vCPU outside guest code acknowledges by being outside);
 * only then read the bytes. While B waits it serves what others ask of it, so that two such waits end each other.
 * Filling a write entry (vCPU A): set own bit in `writers`, then look at `lines`: if any is set, the entry is slow.
 * A bit in `writers` is cleared by its own vCPU alone, when it has dropped the entry.
 * Slow store to such a page: store; then, if a line that it touches is set, clear the line, drop own blocks on it and
 * post page and lines to the other readers (VCPU_REQ_CODE). They drop theirs at the next block boundary, thus before
 * they can act on anything that the writer publishes after its store (x86-TSO). When the last line is cleared, the page is
 * data again, and writable fast.
 * DMA by devices goes through code_map_written() on the loop, with the same posts.
 *
 * A store into the block that makes it: the bytes of the instruction itself may change at will, it runs to its end. But when later
 * instructions of the block are hit, they must not run as they were. So before such a store the instruction is begun again, as
 * a block of its own (block_before_store), and what follows is looked up afresh.
 */
#ifndef EVMM_CPU_BLOCK_H
#define EVMM_CPU_BLOCK_H

#include "src/cpu/ir.h"

struct code_map;

struct code_map *code_map_new(struct machine *m);
void code_map_free(struct code_map *map);

/*
 * mmu.c, before it makes a fast write entry for PHYS: true when the entry may be fast. Also to be asked again on a slow store to
 * RAM, so that a page that holds no code any more gets its fast entry back.
 */
bool code_map_may_write_fast(struct cpu *c, uint64_t phys);
/* After a slow store by vCPU C (NULL: a device, on the loop thread). */
void code_map_written(struct code_map *map, struct cpu *c, uint64_t phys, uint64_t bytes);
/* vCPU thread, at a block boundary: serves VCPU_REQ_CODE. */
void code_map_serve(struct cpu *c);
/* A vCPU enters or leaves guest code (cpu_exec does; and around traps and sleeps): while outside it needs no waiting for. */
void code_map_enter_guest(struct cpu *c);
void code_map_leave_guest(struct cpu *c);

/* mmu.c, before a slow store to RAM by micro-operation U (NULL: not by one). May begin the instruction again (doesn't return). */
void block_before_store(struct cpu *c, const struct uop *u, uint64_t phys, uint64_t bytes);

/*
 * mmu.c, before it gives out a pointer for a read-modify-write to a page with code: unless U's instruction is executed as a
 * block of its own, begins it again as such (doesn't return). cpu_exec then calls code_map_serve() right after it.
 */
void block_alone(struct cpu *c, const struct uop *u);

/* In a block's mode: it holds one instruction, though the CPU's mode would allow more. */
#define MODE_SINGLE (1u << 31)

/*
 * Where indirect jumps look first: by rip, with what else a block depends on that changes without a jump. CS's
 * base and limit stand in the block, for code that isn't 64-bit.
 */
struct jump_entry {
	uint64_t rip;
	uint64_t generation; /* c->tlb_generation */
	struct block *block;
	uint32_t mode;
};

enum { JUMP_CACHE_BITS = 14, BLOCK_HASH_BITS = 16, BLOCK_PAGE_BITS = 12, BLOCK_PAGE2_BITS = 6 };

struct block_cache {
	struct jump_entry jump[1u << JUMP_CACHE_BITS];
	struct cpu *cpu;
	uint8_t *arena;
	uint32_t chunk;	      /* being filled */
	uint32_t fill;	      /* offset of the next block in the arena */
	uint32_t *chunk_fill; /* per chunk: end of what is used */
	uint64_t evictions; /* counts reuses of memory: pointers to blocks taken before are void */
	uint64_t served;    /* counts code_map_serve: what was read before may be stale */
	bool one;	    /* the next block is of one instruction */
	uint32_t hash[1u << BLOCK_HASH_BITS];
	uint32_t page[2][1u << BLOCK_PAGE_BITS]; /* [1]: by second page */
	struct uop *scratch;			 /* XLATE_MAX_UOPS */
	struct xlate_decoders *decoders;
};

static always_inline struct jump_entry *jump_slot(struct block_cache *bc, uint64_t rip)
{
	return &bc->jump[(rip ^ rip >> JUMP_CACHE_BITS) & ((1u << JUMP_CACHE_BITS) - 1)];
}

/* The block for RIP in 64-bit mode if it is at hand, else NULL. */
static always_inline struct block *jump_find64(struct cpu *c, uint64_t rip)
{
	const struct jump_entry *e = jump_slot(c->blocks, rip);

	return likely(e->rip == rip && e->generation == c->tlb_generation && e->mode == c->mode)
		       ? e->block
		       : NULL;
}

/* The same for code that isn't 64-bit. */
static inline struct block *jump_find32(struct cpu *c, uint32_t rip)
{
	struct block *b = jump_find64(c, rip);

	return b && b->cs_base == (uint32_t)c->regs[R_CSBASE] && b->cs_limit == c->seg[S_CS].limit
		       ? b
		       : NULL;
}

/* Every micro-operation is bound to its function again, every block is watched anew (native.h). Only at the entry of a block. */
void block_forget_native(struct cpu *c);

/* The blocks of C, in MEMORY: so many zeros, aligned for a struct cpu, which are the caller's and stay until the end. */
extern const size_t block_cache_bytes;
struct block_cache *block_cache_init(struct cpu *c, void *memory);
void block_cache_destroy(struct block_cache *bc);
/* The block to execute at c->rip in c->mode; translates if needed. May fault (doesn't return); c->cur must be NULL. */
struct block *block_find(struct cpu *c);
/* Whether B, once the block at c->rip, is so still, after a flush of the TLB. May fault as block_find. */
bool block_still_at(struct cpu *c, const struct block *b);
/* Drops everything, e.g. when the cache is full or the memory view changed. Safe while executing: freed at the next boundary. */
void block_flush_all(struct cpu *c);
/*
 * Makes exit K of FROM, which is the block in execution, jump to TO. False when that may not be. ONE_GENERATION: the jump is
 * made as long only as c->tlb_generation stays.
 */
bool block_link(struct cpu *c, struct block *from, unsigned k, struct block *to,
		bool one_generation);

/* ---- translate.c ---- */
struct xlate;
/* Makes sure that a block of any size fits without anything else being reused. */
void block_reserve(struct cpu *c);
/* The translation as a block, found from now on unless TRANSIENT: such a one is executed once. */
struct block *block_insert(struct cpu *c, const struct xlate *x, uint64_t phys, uint32_t phys2,
			   unsigned bytes, unsigned n_insns, bool transient);
struct xlate_decoders *xlate_decoders_new(const struct cpu *c);
/* About to read code: false when it may change unseen, being neither RAM nor ROM. May wait for other vCPUs. */
bool code_map_track(struct cpu *c, uint64_t phys, unsigned bytes);

/* ---- code_map.c ---- */
/* Drops the blocks of C that touch these 64-byte lines of a page. */
void block_drop_lines(struct cpu *c, uint64_t page, uint64_t lines);
/* No more blocks of C are on this page. */
void code_map_release(struct cpu *c, uint64_t page);

#endif
