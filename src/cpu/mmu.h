/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guest memory as instructions see it: linear addresses, through the software TLB.
 *
 * The fast path is inline: index by page, compare the tag against the page of the access's LAST byte. An access that
 * crosses a page never matches (the neighbouring page has another slot), nor does one to MMIO, to a page with
 * translated code (writes), or to a page not yet walked: all these go to the slow path, which walks, faults (does
 * not return then), splits, traps to a device, or invalidates translated code.
 *
 * U is the current micro-operation: the slow path stores it in c->cur for precise faults. Addresses of a fault are in CR2.
 */
#ifndef EVMM_CPU_MMU_H
#define EVMM_CPU_MMU_H

#include "src/cpu/ir.h"

enum mmu_access { ACC_READ = 0, ACC_WRITE = 1, ACC_EXEC = 2 };

/* Low bits of tlb_entry.rtag/wtag (any set bit makes the fast compare fail) and of tlb_entry.phys. */
#define TLB_INVALID (~0ull)
/*
 * Entry is valid but must take the slow path: MMIO, ROM, code page. Not one of the lowest bits: aligned accesses compare the
 * tag with the page and the address bits that must be 0.
 */
#define TLB_SLOW 0x800ull
#define TLB_X	 1ull /* phys: may be executed */
#define TLB_G	 2ull /* phys: global */
#define TLB_IO	 4ull /* phys: not RAM */

uint64_t mmu_load_slow(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size);
void mmu_store_slow(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size,
		    uint64_t value);
/*
 * Host pointer for an atomic or multi-part read-modify-write of SIZE bytes within one page of RAM, checked for
 * writing and with translated code on it already dropped; NULL when it is MMIO, ROM or crosses a page (the caller then takes
 * cpu_rmw_begin/end, which make a slow access exclusive, or plain load and store). Faults as a write.
 */
void *mmu_rmw_slow(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size);
/* Faults as an access of this kind would, without making it. For instructions with several stores. */
void mmu_probe(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size,
	       enum mmu_access access);
/* A global lock for locked operations that cross pages or hit devices ("split locks"). A fault releases it. */
void mmu_split_lock(struct cpu *c);
void mmu_split_unlock(struct cpu *c);

/* Scalars in guest memory: at any alignment, and aliasing anything. */
typedef uint8_t guest_u8 __attribute__((may_alias));
typedef uint16_t guest_u16 __attribute__((may_alias, aligned(1)));
typedef uint32_t guest_u32 __attribute__((may_alias, aligned(1)));
typedef uint64_t guest_u64 __attribute__((may_alias, aligned(1)));

/*
 * The fast path taken apart, for handlers that must not keep a stack frame for the sake of the slow one: test, then
 * access at lin + e->addend; on a miss jump to a cold twin that does the whole instruction (exec_int.h has the pattern).
 */
#define MMU_HIT_RD(e, lin, bytes) likely((e)->rtag == (((lin) + (bytes)-1) & PAGE_MASK))
#define MMU_HIT_WR(e, lin, bytes) likely((e)->wtag == (((lin) + (bytes)-1) & PAGE_MASK))

static always_inline struct tlb_entry *mmu_slot(struct cpu *c, uint64_t lin)
{
	return &c->tlb[(lin >> PAGE_SHIFT) & (TLB_SIZE - 1)];
}

#define MMU_DEFINE_LDST(bits)                                                                    \
	static always_inline uint##bits##_t mmu_ld##bits(struct cpu *c, const struct uop *u,     \
							 uint64_t lin)                           \
	{                                                                                        \
		const struct tlb_entry *e = mmu_slot(c, lin);                                    \
		if (likely(e->rtag == ((lin + bits / 8 - 1) & PAGE_MASK)))                       \
			return *(const volatile guest_u##bits *)(lin + e->addend);               \
		return (uint##bits##_t)mmu_load_slow(c, u, lin, bits / 8);                       \
	}                                                                                        \
	static always_inline void mmu_st##bits(struct cpu *c, const struct uop *u, uint64_t lin, \
					       uint##bits##_t value)                             \
	{                                                                                        \
		const struct tlb_entry *e = mmu_slot(c, lin);                                    \
		if (likely(e->wtag == ((lin + bits / 8 - 1) & PAGE_MASK)))                       \
			*(volatile guest_u##bits *)(lin + e->addend) = value;                    \
		else                                                                             \
			mmu_store_slow(c, u, lin, bits / 8, value);                              \
	}                                                                                        \
	/* Host pointer for read-modify-write, or NULL (see mmu_rmw_slow). */                    \
	static always_inline guest_u##bits *mmu_rmw##bits(struct cpu *c, const struct uop *u,    \
							  uint64_t lin)                          \
	{                                                                                        \
		const struct tlb_entry *e = mmu_slot(c, lin);                                    \
		if (likely(e->wtag == ((lin + bits / 8 - 1) & PAGE_MASK)))                       \
			return (guest_u##bits *)(lin + e->addend);                               \
		return mmu_rmw_slow(c, u, lin, bits / 8);                                        \
	}

MMU_DEFINE_LDST(8)
MMU_DEFINE_LDST(16)
MMU_DEFINE_LDST(32)
MMU_DEFINE_LDST(64)

/* 16 bytes; alignment is the caller's to check. */
void mmu_load128_slow(struct cpu *c, const struct uop *u, uint64_t lin, union xmm *out);
void mmu_store128_slow(struct cpu *c, const struct uop *u, uint64_t lin, const union xmm *in);
static always_inline void mmu_ld128(struct cpu *c, const struct uop *u, uint64_t lin,
				    union xmm *out)
{
	const struct tlb_entry *e = mmu_slot(c, lin);

	if (likely(e->rtag == ((lin + 15) & PAGE_MASK)))
		out->i = _mm_loadu_si128((const __m128i *)(lin + e->addend));
	else
		mmu_load128_slow(c, u, lin, out);
}
static always_inline void mmu_st128(struct cpu *c, const struct uop *u, uint64_t lin,
				    const union xmm *in)
{
	const struct tlb_entry *e = mmu_slot(c, lin);

	if (likely(e->wtag == ((lin + 15) & PAGE_MASK)))
		_mm_storeu_si128((__m128i *)(lin + e->addend), in->i);
	else
		mmu_store128_slow(c, u, lin, in);
}

/* Any number of bytes, page by page; all or nothing as far as faults go (probed first). */
void mmu_load_bytes(struct cpu *c, const struct uop *u, uint64_t lin, void *buf, size_t bytes);
void mmu_store_bytes(struct cpu *c, const struct uop *u, uint64_t lin, const void *buf,
		     size_t bytes);
/* Implicit supervisor accesses (descriptor tables, TSS, IDT), whatever CPL is. */
uint64_t mmu_sys_load(struct cpu *c, uint64_t lin, unsigned size);
void mmu_sys_store(struct cpu *c, uint64_t lin, unsigned size, uint64_t value);
/* Pushes of an interrupt or call gate to a stack of privilege CPL: SUPERVISOR says as whom. */
void mmu_store_as(struct cpu *c, uint64_t lin, unsigned size, uint64_t value, bool supervisor);
uint64_t mmu_load_as(struct cpu *c, uint64_t lin, unsigned size, bool supervisor);
void mmu_probe_as(struct cpu *c, uint64_t lin, unsigned size, enum mmu_access access,
		  bool supervisor);

/*
 * For the block cache: physical address of code at LIN with execute permission at the current privilege (faults if
 * not), and the host pointer to it; *HOST is NULL when it isn't RAM/ROM (then mmu_fetch_io reads bytes).
 */
uint64_t mmu_code_page(struct cpu *c, uint64_t lin, const uint8_t **host);
/* Code was looked up at LIN: a flush of its page makes a new c->tlb_generation. */
static inline void mmu_note_code(struct cpu *c, uint64_t lin)
{
	uint64_t n = lin >> PAGE_SHIFT;

	c->code_pages[n >> 6 & 63] |= BIT64(n & 63);
}
/* mmu_code_page where the TLB has the page. */
static inline uint64_t mmu_code_phys(struct cpu *c, uint64_t lin, const uint8_t **host)
{
	const struct tlb_entry *e = mmu_slot(c, lin);

	if (unlikely(e->rtag != (lin & PAGE_MASK) || (e->phys & (TLB_X | TLB_IO)) != TLB_X))
		return mmu_code_page(c, lin, host);
	mmu_note_code(c, lin);
	*host = (const uint8_t *)(lin + e->addend);
	return (e->phys & PAGE_MASK) | (lin & ~PAGE_MASK);
}
/* As mmu_code_page, but false instead of a fault. */
bool mmu_code_probe(struct cpu *c, uint64_t lin, uint64_t *phys, const uint8_t **host);
/* Code bytes from what isn't whole pages of RAM; within one page. */
void mmu_fetch_io(struct cpu *c, uint64_t phys, void *buf, size_t bytes);

/* After CR0, CR4 (paging bits) or EFER.NXE changed, and on reset. */
void mmu_config_changed(struct cpu *c);
/* Takes the machine's current memory view (VCPU_REQ_FLUSH; also after a device was written). Flushes when it is another. */
void mmu_take_view(struct cpu *c);
/* From now on the first write to a page with a dirty log is noted again (VCPU_REQ_DIRTY). */
void mmu_log_writes(struct cpu *c);
/* All entries; or all but global ones; or one page. */
void mmu_flush_all(struct cpu *c);
void mmu_flush_nonglobal(struct cpu *c);
void mmu_flush_page(struct cpu *c, uint64_t lin);
/* Makes cached write permission of a physical page slow, on this CPU (code was translated from it). */
void mmu_protect_code_page(struct cpu *c, uint64_t phys);
/* CR3 was loaded in PAE mode without long mode: loads and checks the four PDPTEs; #GP if bad. */
void mmu_load_pdptes(struct cpu *c, uint64_t cr3);
/* False instead of the #GP; nothing is loaded then. */
bool mmu_try_pdptes(struct cpu *c, uint64_t cr3);
/* Translation without side effects (no A/D, no faults), for the monitor and -d. False when not mapped. */
bool mmu_debug_translate(struct cpu *c, uint64_t lin, uint64_t *phys);

#endif
