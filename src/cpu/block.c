/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of translated blocks of one vCPU.
 *
 * Memory: one arena, reserved at once and touched as it fills. It is cut into chunks that are filled in turn; when all
 * are full, the oldest is taken again and its blocks are dropped. So memory is bounded, what is hot is soon
 * translated anew, and nothing is ever moved. References between blocks are offsets in the arena in units of its alignment; 0 is none.
 *
 * A block is found by (phys, rip, cs_base, cs_limit, mode). One that continues in a second page has that page's
 * physical number too, looked up at each search; it is linked to only by jumps that hold for one TLB generation.
 */
#include <stdlib.h>
#include "src/cpu/block.h"
#include "src/cpu/ea.h"
#include "src/cpu/mmu.h"
#include "src/cpu/native.h"
#include "src/cpu/translate.h"

#define CHUNK_BYTES	(512 * KiB)
#define N_CHUNKS	21u /* with the tables and struct cpu, nearly all of six large pages */
#define ARENA_BYTES	(N_CHUNKS * CHUNK_BYTES)
#define ARENA_ALIGN	32u
#define BLOCK_MAX_BYTES (sizeof(struct block) + XLATE_MAX_UOPS * sizeof(struct uop))

static struct block *ref_block(const struct block_cache *bc, uint32_t ref)
{
	return (struct block *)(bc->arena + (uint64_t)ref * ARENA_ALIGN);
}

static uint32_t block_ref(const struct block_cache *bc, const struct block *b)
{
	return (uint32_t)(((const uint8_t *)b - bc->arena) / ARENA_ALIGN);
}

static size_t block_bytes(unsigned n_uops)
{
	return sizeof(struct block) + n_uops * sizeof(struct uop);
}

/* ---- hash by address ---- */

static uint32_t hash_of(uint64_t phys, uint32_t mode)
{
	return (uint32_t)(((phys ^ (uint64_t)mode << 40) * 0x9e3779b97f4a7c15ull) >>
			  (64 - BLOCK_HASH_BITS));
}

static void hash_remove(struct block_cache *bc, struct block *b)
{
	uint32_t *at = &bc->hash[hash_of(b->phys, b->mode)];
	uint32_t ref = block_ref(bc, b);

	while (*at != ref)
		at = &ref_block(bc, *at)->hash_next;
	*at = b->hash_next;
}

/* ---- lists by physical page ---- */

static uint32_t *page_head(struct block_cache *bc, unsigned which, uint64_t pfn)
{
	return &bc->page[which][pfn & ((1u << BLOCK_PAGE_BITS) - 1)];
}

static uint64_t block_pfn(const struct block *b, unsigned which)
{
	return which ? b->phys2 : b->phys >> PAGE_SHIFT;
}

static void page_insert(struct block_cache *bc, struct block *b, unsigned which)
{
	uint32_t *head = page_head(bc, which, block_pfn(b, which));

	b->page_prev[which] = 0;
	b->page_next[which] = *head;
	if (*head)
		ref_block(bc, *head)->page_prev[which] = block_ref(bc, b);
	*head = block_ref(bc, b);
}

static void page_remove(struct block_cache *bc, struct block *b, unsigned which)
{
	uint32_t next = b->page_next[which], prev = b->page_prev[which];

	if (prev)
		ref_block(bc, prev)->page_next[which] = next;
	else
		*page_head(bc, which, block_pfn(b, which)) = next;
	if (next)
		ref_block(bc, next)->page_prev[which] = prev;
}

/* ---- links: a reference to an exit is block reference << 1 | exit ---- */

static struct uop *exit_uop(struct block *b, unsigned k)
{
	return &b->uops[b->n_uops - 1 - k];
}

static struct block_exit *ref_exit(struct block_cache *bc, uint32_t ref)
{
	return &ref_block(bc, ref >> 1)->exits[ref & 1];
}

static void exit_unlink(struct block_cache *bc, struct block *from, unsigned k)
{
	struct uop *u = exit_uop(from, k);
	struct block *to = (struct block *)u->imm;
	struct block_exit *e = &from->exits[k];

	if (!to)
		return;
	u->imm = 0;
	if (e->prev)
		ref_exit(bc, e->prev)->next = e->next;
	else
		to->chained_from = e->next;
	if (e->next)
		ref_exit(bc, e->next)->prev = e->prev;
}

bool block_link(struct cpu *c, struct block *from, unsigned k, struct block *to,
		bool one_generation)
{
	struct block_cache *bc = c->blocks;
	struct block_exit *e = &from->exits[k];
	uint32_t ref = block_ref(bc, from) << 1 | k;

	if (!from->valid)
		return false;
	exit_unlink(bc, from, k);
	/* The mapping of a second page may change under a link that doesn't look at the TLB's generation. */
	if (!to->valid || to->mode != from->mode || (to->phys2 != BLOCK_NO_PAGE && !one_generation))
		return false;
	e->prev = 0;
	e->next = to->chained_from;
	if (e->next)
		ref_exit(bc, e->next)->prev = ref;
	to->chained_from = ref;
	exit_uop(from, k)->imm = (uintptr_t)to;
	return true;
}

/* ---- the end of a block ---- */

static void block_kill(struct cpu *c, struct block *b)
{
	struct block_cache *bc = c->blocks;
	struct jump_entry *je = jump_slot(bc, b->rip);

	b->valid = false;
	hash_remove(bc, b);
	page_remove(bc, b, 0);
	if (b->phys2 != BLOCK_NO_PAGE)
		page_remove(bc, b, 1);
	while (b->chained_from) {
		uint32_t ref = b->chained_from;

		exit_unlink(bc, ref_block(bc, ref >> 1), ref & 1);
	}
	for (unsigned k = 0; k < b->n_exits; k++)
		exit_unlink(bc, b, k);
	if (je->block == b)
		*je = (struct jump_entry){.rip = ~0ull};
}

static bool page_in_use(struct block_cache *bc, uint64_t pfn)
{
	for (unsigned which = 0; which < 2; which++)
		for (uint32_t r = *page_head(bc, which, pfn); r;
		     r = ref_block(bc, r)->page_next[which])
			if (block_pfn(ref_block(bc, r), which) == pfn)
				return true;
	return false;
}

/* Tells the code map of pages without blocks, so that they can be written fast again. */
static void block_evict(struct cpu *c, struct block *b)
{
	block_kill(c, b);
	for (unsigned which = 0; which < 2; which++)
		if (block_pfn(b, which) != BLOCK_NO_PAGE &&
		    !page_in_use(c->blocks, block_pfn(b, which)))
			code_map_release(c, block_pfn(b, which) << PAGE_SHIFT);
}

static void chunk_evict(struct cpu *c, uint32_t chunk)
{
	struct block_cache *bc = c->blocks;
	uint8_t *p = bc->arena + chunk * CHUNK_BYTES + (chunk ? 0 : ARENA_ALIGN);
	uint8_t *end = bc->arena + bc->chunk_fill[chunk];

	while (p < end) {
		struct block *b = (struct block *)p;

		p += block_bytes(b->n_uops);
		if (b->valid)
			block_evict(c, b);
	}
	bc->chunk_fill[chunk] = chunk * CHUNK_BYTES;
}

void block_flush_all(struct cpu *c)
{
	struct block_cache *bc = c->blocks;

	for (uint32_t i = 0; i < N_CHUNKS; i++) {
		uint32_t fill = bc->chunk_fill[i];

		chunk_evict(c, i);
		/* Blocks in execution stay readable; what is dead is skipped when the chunk's turn comes. */
		bc->chunk_fill[i] = fill;
	}
	bc->served++;
}

void block_forget_native(struct cpu *c)
{
	struct block_cache *bc = c->blocks;

	for (uint32_t i = 0; i < N_CHUNKS; i++) {
		uint8_t *p = bc->arena + i * CHUNK_BYTES + (i ? 0 : ARENA_ALIGN);
		uint8_t *end = bc->arena + bc->chunk_fill[i];

		while (p < end) {
			struct block *b = (struct block *)p;

			p += block_bytes(b->n_uops);
			for (unsigned k = 0; k < b->n_uops; k++)
				b->uops[k].fn = uop_functions[b->uops[k].op];
			if (b->valid)
				native_watch(c, b);
		}
	}
}

static bool block_overlaps(const struct block *b, unsigned which, uint64_t lines)
{
	unsigned first = b->phys & ~PAGE_MASK, last = first + b->bytes - 1;

	if (which) {
		first = 0;
		last -= PAGE_SIZE;
	} else if (last >= PAGE_SIZE) {
		last = PAGE_SIZE - 1;
	}
	return lines & (~0ull << first / 64) & (~0ull >> (63 - last / 64));
}

void block_drop_lines(struct cpu *c, uint64_t page, uint64_t lines)
{
	struct block_cache *bc = c->blocks;
	uint64_t pfn = page >> PAGE_SHIFT;

	for (unsigned which = 0; which < 2; which++) {
		uint32_t next;

		for (uint32_t r = *page_head(bc, which, pfn); r; r = next) {
			struct block *b = ref_block(bc, r);

			next = b->page_next[which];
			if (block_pfn(b, which) == pfn && block_overlaps(b, which, lines)) {
				block_kill(c, b);
				c->stats.smc++;
			}
		}
	}
}

/* U's instruction once more, in a block of its own. */
static void __attribute__((noreturn)) begin_again(struct cpu *c, const struct uop *u)
{
	c->cur = u;
	cpu_sync_rip(c);
	c->blocks->one = true;
	siglongjmp(c->fault_jmp, EXEC_RESTART);
}

void block_before_store(struct cpu *c, const struct uop *u, uint64_t phys, uint64_t bytes)
{
	const struct block *b = c->block;
	uint64_t rest;

	if (!b || !u)
		return;
	rest = b->phys + u->ip + u->ilen; /* a block of several instructions is within one page */
	if (rest >= b->phys + b->bytes || phys >= b->phys + b->bytes || phys + bytes <= rest)
		return;
	begin_again(c, u);
}

void block_alone(struct cpu *c, const struct uop *u)
{
	if (c->block && u && !(c->block->mode & MODE_SINGLE))
		begin_again(c, u);
}

/* ---- making blocks ---- */

void block_reserve(struct cpu *c)
{
	struct block_cache *bc = c->blocks;

	if (bc->fill + BLOCK_MAX_BYTES <= (bc->chunk + 1) * CHUNK_BYTES)
		return;
	bc->chunk = (bc->chunk + 1) % N_CHUNKS;
	if (bc->chunk_fill[bc->chunk] != bc->chunk * CHUNK_BYTES) {
		bc->evictions++;
		chunk_evict(c, bc->chunk);
	}
	bc->fill = bc->chunk * CHUNK_BYTES + (bc->chunk ? 0 : ARENA_ALIGN);
}

struct block *block_insert(struct cpu *c, const struct xlate *x, uint64_t phys, uint32_t phys2,
			   unsigned bytes, unsigned n_insns, bool transient)
{
	struct block_cache *bc = c->blocks;
	struct block *b = (struct block *)(bc->arena + bc->fill);
	uint32_t *head;

	*b = (struct block){
		.rip = x->block_rip,
		.phys = phys,
		.phys2 = phys2,
		.mode = x->mode,
		.cs_base = x->mode & MODE_CODE64 ? 0 : (uint32_t)c->regs[R_CSBASE],
		.cs_limit = x->mode & MODE_CODE64 ? UINT32_MAX : c->seg[S_CS].limit,
		.bytes = (uint16_t)bytes,
		.n_uops = (uint16_t)x->n,
		.n_insns = (uint8_t)n_insns,
		.n_exits = (uint8_t)x->n_exits,
		.valid = !transient,
		.exits = {{.target = x->exit_target[0]}, {.target = x->exit_target[1]}},
	};
	memcpy(b->uops, x->uops, x->n * sizeof(struct uop));
	bc->fill += (uint32_t)block_bytes(x->n);
	bc->chunk_fill[bc->chunk] = bc->fill;
	c->stats.blocks_made++;
	if (transient)
		return b;
	native_watch(c, b);
	head = &bc->hash[hash_of(phys, x->mode)];
	b->hash_next = *head;
	*head = block_ref(bc, b);
	page_insert(bc, b, 0);
	if (phys2 != BLOCK_NO_PAGE)
		page_insert(bc, b, 1);
	return b;
}

/* ---- finding blocks ---- */

static uint64_t code_lin(const struct cpu *c, uint32_t mode, uint64_t rip)
{
	return mode & MODE_CODE64 ? rip : (uint32_t)(rip + c->regs[R_CSBASE]);
}

/* Is B, of the right page offset, the block for c->rip in MODE, whose bytes are at PHYS? */
static bool block_matches(struct cpu *c, const struct block *b, uint64_t phys, uint32_t mode)
{
	const uint8_t *host;

	if (b->phys != phys || b->rip != c->rip || b->mode != mode)
		return false;
	if (!(mode & MODE_CODE64) &&
	    (b->cs_base != (uint32_t)c->regs[R_CSBASE] || b->cs_limit != c->seg[S_CS].limit))
		return false;
	if (unlikely(b->phys2 != BLOCK_NO_PAGE)) {
		uint64_t second = (code_lin(c, mode, c->rip) & PAGE_MASK) + PAGE_SIZE;

		if (!(mode & MODE_CODE64))
			second = (uint32_t)second;
		return mmu_code_phys(c, second, &host) >> PAGE_SHIFT == b->phys2;
	}
	return true;
}

static struct block *hash_find(struct cpu *c, uint64_t phys, uint32_t mode)
{
	struct block_cache *bc = c->blocks;

	for (uint32_t r = bc->hash[hash_of(phys, mode)]; r;) {
		struct block *b = ref_block(bc, r);

		if (block_matches(c, b, phys, mode))
			return b;
		r = b->hash_next;
	}
	return NULL;
}

/* #GP for an address that is none, or past the limit of CS. */
static void check_rip(struct cpu *c)
{
	if (c->mode & MODE_CODE64 ? !canonical(c, c->rip) : c->rip > c->seg[S_CS].limit)
		cpu_raise_err(c, EXC_GP, 0);
}

struct block *block_find(struct cpu *c)
{
	struct block_cache *bc = c->blocks;
	uint32_t mode = c->mode | (bc->one ? MODE_SINGLE : 0);
	struct jump_entry *e = jump_slot(bc, c->rip);
	const uint8_t *host;
	struct block *b;
	uint64_t phys;

	/* In other code CS may have got another base or limit. */
	if (mode & MODE_CODE64 && e->rip == c->rip && e->mode == mode &&
	    e->generation == c->tlb_generation)
		return e->block;
	check_rip(c);
	c->stats.block_lookups++;
	phys = mmu_code_phys(c, code_lin(c, mode, c->rip), &host);
	/* The jump cache may be right still, though the TLB was flushed. */
	if (e->rip == c->rip && e->mode == mode && block_matches(c, e->block, phys, mode)) {
		e->generation = c->tlb_generation;
		return e->block;
	}
	b = hash_find(c, phys, mode);
	if (!b)
		b = translate_block(c, mode, phys, host);
	if (b->valid && !(mode & MODE_SINGLE))
		*e = (struct jump_entry){
			.rip = c->rip, .generation = c->tlb_generation, .mode = mode, .block = b};
	return b;
}

bool block_still_at(struct cpu *c, const struct block *b)
{
	const uint8_t *host;

	return block_matches(c, b, mmu_code_phys(c, code_lin(c, c->mode, c->rip), &host), c->mode);
}

#define ARENA_AT ALIGN_UP(sizeof(struct block_cache), (size_t)ARENA_ALIGN)

const size_t block_cache_bytes = ARENA_AT + ARENA_BYTES;

struct block_cache *block_cache_init(struct cpu *c, void *memory)
{
	struct block_cache *bc = memory;

	bc->cpu = c;
	bc->arena = (uint8_t *)memory + ARENA_AT;
	bc->fill = ARENA_ALIGN;
	bc->chunk_fill = xmalloc(N_CHUNKS * sizeof(bc->chunk_fill[0]));
	for (uint32_t i = 0; i < N_CHUNKS; i++)
		bc->chunk_fill[i] = i * CHUNK_BYTES;
	for (unsigned i = 0; i < ARRAY_SIZE(bc->jump); i++)
		bc->jump[i].rip = ~0ull;
	bc->scratch = xmalloc(XLATE_MAX_UOPS * sizeof(struct uop));
	bc->decoders = xlate_decoders_new(c);
	return bc;
}

void block_cache_destroy(struct block_cache *bc)
{
	free(bc->chunk_fill);
	free(bc->scratch);
	free(bc->decoders);
}
