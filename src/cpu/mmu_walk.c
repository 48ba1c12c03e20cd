/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page walks: 32-bit with PSE-36, PAE, and 4-level paging (SDM 3A 4.3 to 4.8).
 *
 * Tables are read from host RAM directly. A and D are set by compare-exchange against the entry that was judged, as
 * other processors write the same tables: when it changed in between, the walk starts again.
 */
#include "src/cpu/block.h"
#include "src/cpu/cpuid.h"
#include "src/cpu/mmu_walk.h"

#define PTE_P  BIT64(0)
#define PTE_W  BIT64(1)
#define PTE_U  BIT64(2)
#define PTE_A  BIT64(5)
#define PTE_D  BIT64(6)
#define PTE_PS BIT64(7)
#define PTE_G  BIT64(8)
#define PTE_NX BIT64(63)

#define ADDR_MASK 0x000ffffffffff000ull

/* A paging-structure entry, and where it came from. */
struct pte_ref {
	uint64_t value;
	uint64_t phys;
	void *host; /* NULL: not in memory, reads as ones */
	bool rom;
};

static void pte_load(struct cpu *c, struct pte_ref *r, uint64_t phys, unsigned size)
{
	r->phys = phys;
	r->host = mmu_host(c, phys, size, &r->rom);
	if (unlikely(!r->host))
		r->value = size == 4 ? UINT32_MAX : UINT64_MAX;
	else if (size == 4)
		r->value = __atomic_load_n((uint32_t *)r->host, __ATOMIC_ACQUIRE);
	else
		r->value = __atomic_load_n((uint64_t *)r->host, __ATOMIC_ACQUIRE);
}

/* False when the entry has changed since it was read. */
static bool pte_set(struct cpu *c, const struct pte_ref *r, uint64_t bits, unsigned size)
{
	bool done;

	if (likely((r->value & bits) == bits) || !r->host || r->rom)
		return true;
	if (size == 4) {
		uint32_t old = (uint32_t)r->value;

		done = __atomic_compare_exchange_n((uint32_t *)r->host, &old, old | (uint32_t)bits,
						   false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	} else {
		uint64_t old = r->value;

		done = __atomic_compare_exchange_n((uint64_t *)r->host, &old, old | bits, false,
						   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
	if (done && c->code_map)
		code_map_written(c->code_map, c, r->phys, size);
	return done;
}

static bool walk_fails(const struct cpu *c, enum mmu_access access, unsigned index, uint32_t error,
		       struct walk *w)
{
	if (access == ACC_WRITE)
		error |= PF_W;
	if (index == MMU_USER)
		error |= PF_U;
	if (access == ACC_EXEC &&
	    ((c->cr4 & CR4_SMEP) || ((c->cr4 & CR4_PAE) && (c->efer & EFER_NXE))))
		error |= PF_I;
	w->error = error;
	return false;
}

/* PERM: the AND of W and U, NX: the OR of NX, over all levels. */
static bool walk_permits(const struct cpu *c, enum mmu_access access, unsigned index, uint64_t perm,
			 bool nx, struct walk *w)
{
	bool user = perm & PTE_U;

	if (index == MMU_USER) {
		w->read = user;
		w->write = user && (perm & PTE_W);
		w->exec = user && !nx;
	} else {
		w->read = index == MMU_KERNEL || !user;
		w->write = w->read && ((perm & PTE_W) || !(c->cr0 & CR0_WP));
		w->exec = !nx && !(user && (c->cr4 & CR4_SMEP));
	}
	return access == ACC_READ ? w->read : access == ACC_WRITE ? w->write : w->exec;
}

enum walk_result { WALK_OK, WALK_FAULT, WALK_AGAIN };

static enum walk_result walk_finish(struct cpu *c, const struct pte_ref *leaf, unsigned size,
				    enum mmu_access access, unsigned index, uint64_t perm, bool nx,
				    struct walk *w)
{
	uint64_t bits = access == ACC_WRITE ? PTE_A | PTE_D : PTE_A;

	if (unlikely(!walk_permits(c, access, index, perm, nx, w))) {
		walk_fails(c, access, index, PF_P, w);
		return WALK_FAULT;
	}
	if (!pte_set(c, leaf, bits, size))
		return WALK_AGAIN;
	w->write = w->write && ((leaf->value | bits) & PTE_D);
	w->global = (leaf->value & PTE_G) && (c->cr4 & CR4_PGE);
	return WALK_OK;
}

/* Reserved bits of a 64-bit entry that maps or leads on at SHIFT. */
static uint64_t reserved_bits(const struct cpu *c, unsigned shift, uint64_t entry)
{
	uint64_t r = ADDR_MASK & ~c->phys_mask;

	if (!(c->efer & EFER_NXE))
		r |= PTE_NX;
	if (!(c->efer & EFER_LMA))
		r |= 0x7ff0000000000000ull;
	if (shift == 39 || (shift == 30 && !cpu_has(c, FEAT_PDPE1GB)))
		r |= PTE_PS;
	else if (shift != 12 && (entry & PTE_PS))
		r |= (BIT64(shift) - 1) & ~0x1fffull; /* bit 12 is PAT */
	return r;
}

/* 4-level paging from SHIFT 39, PAE from 21 on. TABLE: physical address of the first table. */
static enum walk_result walk_64(struct cpu *c, uint64_t lin, uint64_t table, unsigned shift,
				enum mmu_access access, unsigned index, struct walk *w)
{
	uint64_t perm = PTE_W | PTE_U;
	bool nx = false;
	struct pte_ref r;

	for (;; shift -= 9) {
		pte_load(c, &r, table + ((lin >> shift) & 511) * 8, 8);
		if (!(r.value & PTE_P)) {
			walk_fails(c, access, index, 0, w);
			return WALK_FAULT;
		}
		if (unlikely(r.value & reserved_bits(c, shift, r.value))) {
			walk_fails(c, access, index, PF_P | PF_RSVD, w);
			return WALK_FAULT;
		}
		perm &= r.value;
		nx |= (r.value & PTE_NX) != 0;
		if (shift == 12 || (r.value & PTE_PS))
			break;
		if (unlikely(!pte_set(c, &r, PTE_A, 8)))
			return WALK_AGAIN;
		table = r.value & ADDR_MASK;
	}
	w->shift = (uint8_t)shift;
	w->phys = ((r.value & ADDR_MASK & ~(BIT64(shift) - 1)) | (lin & (BIT64(shift) - 1))) &
		  PAGE_MASK;
	return walk_finish(c, &r, 8, access, index, perm, nx, w);
}

/* A 4 MiB page: address bits 39-32 are in bits 20-13 (PSE-36), bit 21 is reserved. */
static enum walk_result walk_4m(struct cpu *c, uint64_t lin, const struct pte_ref *r,
				enum mmu_access access, unsigned index, struct walk *w)
{
	uint64_t high = (r->value >> 13) & 0xff;

	if (unlikely((r->value & BIT(21)) || ((high << 32) & ~c->phys_mask) ||
		     (high && !cpu_has(c, FEAT_PSE36)))) {
		walk_fails(c, access, index, PF_P | PF_RSVD, w);
		return WALK_FAULT;
	}
	w->shift = 22;
	w->phys = (high << 32) | (r->value & 0xffc00000u) | (lin & 0x3ff000u);
	return walk_finish(c, r, 4, access, index, r->value, false, w);
}

static enum walk_result walk_32(struct cpu *c, uint64_t lin, enum mmu_access access, unsigned index,
				struct walk *w)
{
	struct pte_ref r;
	uint64_t perm;

	pte_load(c, &r, (c->cr3 & 0xfffff000u) + ((lin >> 22) & 1023) * 4, 4);
	if (!(r.value & PTE_P)) {
		walk_fails(c, access, index, 0, w);
		return WALK_FAULT;
	}
	if ((r.value & PTE_PS) && (c->cr4 & CR4_PSE))
		return walk_4m(c, lin, &r, access, index, w);
	if (unlikely(!pte_set(c, &r, PTE_A, 4)))
		return WALK_AGAIN;
	perm = r.value;
	pte_load(c, &r, (r.value & 0xfffff000u) + ((lin >> 12) & 1023) * 4, 4);
	if (!(r.value & PTE_P)) {
		walk_fails(c, access, index, 0, w);
		return WALK_FAULT;
	}
	w->shift = 12;
	w->phys = r.value & 0xfffff000u;
	return walk_finish(c, &r, 4, access, index, perm & r.value, false, w);
}

static enum walk_result walk_pae(struct cpu *c, uint64_t lin, enum mmu_access access,
				 unsigned index, struct walk *w)
{
	uint64_t pdpte = c->pdpte[(lin >> 30) & 3];

	if (!(pdpte & PTE_P)) {
		walk_fails(c, access, index, 0, w);
		return WALK_FAULT;
	}
	return walk_64(c, lin, pdpte & ADDR_MASK, 21, access, index, w);
}

bool mmu_walk(struct cpu *c, uint64_t lin, enum mmu_access access, unsigned index, struct walk *w)
{
	enum walk_result r;

	do {
		if (c->efer & EFER_LMA)
			r = walk_64(c, lin, c->cr3 & c->phys_mask & ADDR_MASK, 39, access, index,
				    w);
		else if (c->cr4 & CR4_PAE)
			r = walk_pae(c, lin, access, index, w);
		else
			r = walk_32(c, lin, access, index, w);
	} while (unlikely(r == WALK_AGAIN));
	return r == WALK_OK;
}

bool mmu_try_pdptes(struct cpu *c, uint64_t cr3)
{
	struct pte_ref r[4];
	unsigned i;

	for (i = 0; i < 4; i++) {
		pte_load(c, &r[i], (cr3 & 0xffffffe0u) + i * 8, 8);
		/* Bits 2-1, 8-5 and those above MAXPHYADDR are reserved (SDM 3A 4.4.1). */
		if ((r[i].value & PTE_P) && (r[i].value & (0x1e6ull | ~(c->phys_mask | 0xfff))))
			return false;
	}
	for (i = 0; i < 4; i++)
		c->pdpte[i] = r[i].value;
	return true;
}

void mmu_load_pdptes(struct cpu *c, uint64_t cr3)
{
	if (!mmu_try_pdptes(c, cr3))
		cpu_raise_err(c, EXC_GP, 0);
}

/* One level for the debugger: the entry's value, without a trace in the guest. */
static uint64_t debug_pte(struct cpu *c, uint64_t phys, unsigned size)
{
	struct pte_ref r;

	pte_load(c, &r, phys, size);
	return r.value;
}

static bool debug_walk_32(struct cpu *c, uint64_t lin, uint64_t *phys)
{
	uint64_t e = debug_pte(c, (c->cr3 & 0xfffff000u) + ((lin >> 22) & 1023) * 4, 4);

	if (!(e & PTE_P))
		return false;
	if ((e & PTE_PS) && (c->cr4 & CR4_PSE)) {
		*phys = ((e >> 13 & 0xff) << 32) | (e & 0xffc00000u) | (lin & 0x3fffff);
		return true;
	}
	e = debug_pte(c, (e & 0xfffff000u) + ((lin >> 12) & 1023) * 4, 4);
	*phys = (e & 0xfffff000u) | (lin & 0xfff);
	return e & PTE_P;
}

bool mmu_debug_translate(struct cpu *c, uint64_t lin, uint64_t *phys)
{
	unsigned shift = 39;
	uint64_t e, table;

	if (!(c->efer & EFER_LMA))
		lin = (uint32_t)lin;
	if (!(c->cr0 & CR0_PG)) {
		*phys = lin;
		return true;
	}
	if (!(c->cr4 & CR4_PAE))
		return debug_walk_32(c, lin, phys);
	table = c->cr3 & c->phys_mask & ADDR_MASK;
	if (!(c->efer & EFER_LMA)) {
		table = c->pdpte[(lin >> 30) & 3];
		if (!(table & PTE_P))
			return false;
		shift = 21;
	} else if (lin != (uint64_t)((int64_t)(lin << 16) >> 16)) {
		return false;
	}
	for (;; shift -= 9) {
		e = debug_pte(c, (table & ADDR_MASK) + ((lin >> shift) & 511) * 8, 8);
		if (!(e & PTE_P) || (e & reserved_bits(c, shift, e)))
			return false;
		if (shift == 12 || (e & PTE_PS))
			break;
		table = e;
	}
	*phys = (e & ADDR_MASK & ~(BIT64(shift) - 1)) | (lin & (BIT64(shift) - 1));
	return true;
}
