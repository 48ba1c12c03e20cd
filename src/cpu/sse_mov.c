/* SPDX-License-Identifier: BSD-2-Clause */
/* SSE: moves between xmm registers, general registers and memory. */
#include "src/cpu/sse_exec.h"

#define SSE_FN(name, body)                                         \
	const struct uop *name(struct cpu *c, const struct uop *u) \
	{                                                          \
		body;                                              \
		NEXT();                                            \
	}

SSE_FN(sse_zero, XMM(c, u->dst)->i = _mm_setzero_si128())
SSE_FN(sse_mov_xx, XMM(c, u->dst)->i = XMM(c, u->src)->i)
SSE_MEM_OP(sse_mov_xm, union xmm, XMM(c, u->dst)->i = p->i)

/* ---- unaligned loads ---- */

static cold_fn const struct uop *sse_movu_xm_slow(struct cpu *c, const struct uop *u)
{
	mmu_load128_slow(c, u, uop_lin(c, u), &c->sse_tmp);
	XMM(c, u->dst)->i = c->sse_tmp.i;
	NEXT();
}

const struct uop *sse_movu_xm(struct cpu *c, const struct uop *u)
{
	uint64_t lin = uop_lin(c, u);
	const struct tlb_entry *e = mmu_slot(c, lin);

	if (unlikely(e->rtag != ((lin + 15) & PAGE_MASK)))
		return sse_movu_xm_slow(c, u);
	XMM(c, u->dst)->i = _mm_loadu_si128((const __m128i *)(lin + e->addend));
	NEXT();
}

/* ---- stores: u->src is the register ---- */

static cold_fn const struct uop *sse_store128_slow(struct cpu *c, const struct uop *u)
{
	mmu_store128_slow(c, u, uop_lin(c, u), XMM(c, u->src));
	NEXT();
}

static cold_fn const struct uop *sse_store128_aligned_slow(struct cpu *c, const struct uop *u)
{
	if (uop_lin(c, u) & 15)
		sse_raise(c, u, EXC_GP);
	mmu_store128_slow(c, u, uop_lin(c, u), XMM(c, u->src));
	NEXT();
}

const struct uop *sse_mov_mx(struct cpu *c, const struct uop *u)
{
	uint64_t lin = uop_lin(c, u);
	const struct tlb_entry *e = mmu_slot(c, lin);

	if (unlikely(e->wtag != (lin & (PAGE_MASK | 15))))
		return sse_store128_aligned_slow(c, u);
	_mm_store_si128((__m128i *)(lin + e->addend), XMM(c, u->src)->i);
	NEXT();
}

const struct uop *sse_movu_mx(struct cpu *c, const struct uop *u)
{
	uint64_t lin = uop_lin(c, u);
	const struct tlb_entry *e = mmu_slot(c, lin);

	if (unlikely(e->wtag != ((lin + 15) & PAGE_MASK)))
		return sse_store128_slow(c, u);
	_mm_storeu_si128((__m128i *)(lin + e->addend), XMM(c, u->src)->i);
	NEXT();
}

#define SSE_STORE_OP(name, bits, value)                                                  \
	static cold_fn const struct uop *name##_slow(struct cpu *c, const struct uop *u) \
	{                                                                                \
		mmu_store_slow(c, u, uop_lin(c, u), bits / 8, value);                    \
		NEXT();                                                                  \
	}                                                                                \
	const struct uop *name(struct cpu *c, const struct uop *u)                       \
	{                                                                                \
		uint64_t lin = uop_lin(c, u);                                            \
		const struct tlb_entry *e = mmu_slot(c, lin);                            \
                                                                                         \
		if (unlikely(e->wtag != ((lin + bits / 8 - 1) & PAGE_MASK)))             \
			return name##_slow(c, u);                                        \
		*(volatile guest_u##bits *)(lin + e->addend) = (uint##bits##_t)(value);  \
		NEXT();                                                                  \
	}

SSE_STORE_OP(sse_movd_mx, 32, XMM(c, u->src)->u32[0])
SSE_STORE_OP(sse_movq_mx, 64, XMM(c, u->src)->u64[0])
SSE_STORE_OP(sse_movhps_mx, 64, XMM(c, u->src)->u64[1])
SSE_STORE_OP(sse_pextrb_mx, 8, XMM(c, u->src)->u8[u->imm])
SSE_STORE_OP(sse_pextrw_mx, 16, XMM(c, u->src)->u16[u->imm])
SSE_STORE_OP(sse_pextrd_mx, 32, XMM(c, u->src)->u32[u->imm])
SSE_STORE_OP(sse_pextrq_mx, 64, XMM(c, u->src)->u64[u->imm])

/* ---- parts of a register ---- */

SSE_FN(sse_movss_xx, XMM(c, u->dst)->f = _mm_move_ss(XMM(c, u->dst)->f, XMM(c, u->src)->f))
SSE_FN(sse_movsd_xx, XMM(c, u->dst)->d = _mm_move_sd(XMM(c, u->dst)->d, XMM(c, u->src)->d))
SSE_FN(sse_movq_xx, XMM(c, u->dst)->i = _mm_loadl_epi64(&XMM(c, u->src)->i))
SSE_FN(sse_movhlps_xx, XMM(c, u->dst)->i = _mm_unpackhi_epi64(XMM(c, u->src)->i, XMM(c, u->dst)->i))
SSE_FN(sse_movlhps_xx, XMM(c, u->dst)->i = _mm_unpacklo_epi64(XMM(c, u->dst)->i, XMM(c, u->src)->i))
SSE_MEM_OP(sse_movd_xm, guest_u32, XMM(c, u->dst)->i = _mm_cvtsi32_si128((int)*p))
SSE_MEM_OP(sse_movq_xm, guest_u64, XMM(c, u->dst)->i = _mm_cvtsi64_si128((long long)*p))
SSE_MEM_OP(sse_movlps_xm, guest_u64,
	   XMM(c, u->dst)->d = _mm_loadl_pd(XMM(c, u->dst)->d, (const double *)p))
SSE_MEM_OP(sse_movhps_xm, guest_u64,
	   XMM(c, u->dst)->d = _mm_loadh_pd(XMM(c, u->dst)->d, (const double *)p))
SSE_FN(sse_movd_xr, XMM(c, u->dst)->i = _mm_cvtsi32_si128((int)REG32(c, u->src)))
SSE_FN(sse_movq_xr, XMM(c, u->dst)->i = _mm_cvtsi64_si128((long long)REG64(c, u->src)))
SSE_FN(sse_movd_rx, REG64(c, u->dst) = XMM(c, u->src)->u32[0])
SSE_FN(sse_movq_rx, REG64(c, u->dst) = XMM(c, u->src)->u64[0])
SSE_FN(sse_movmskps, REG64(c, u->dst) = (unsigned)_mm_movemask_ps(XMM(c, u->src)->f))
SSE_FN(sse_movmskpd, REG64(c, u->dst) = (unsigned)_mm_movemask_pd(XMM(c, u->src)->d))
SSE_FN(sse_pmovmskb, REG64(c, u->dst) = (unsigned)_mm_movemask_epi8(XMM(c, u->src)->i))

/* ---- elements: u->imm is the index, already cut to the number of elements ---- */

/* The element is replaced by masks: no narrow store into the register. */
static always_inline void sse_insert(union xmm *d, unsigned bits, uint64_t index, uint64_t value)
{
	uint64_t mask = bits == 64 ? ~0ull : (1ull << bits) - 1;
	unsigned at = (unsigned)index * bits;
	__m128i m, v;

	if (at < 64) {
		m = _mm_set_epi64x(0, (long long)(mask << at));
		v = _mm_set_epi64x(0, (long long)((value & mask) << at));
	} else {
		m = _mm_set_epi64x((long long)(mask << (at - 64)), 0);
		v = _mm_set_epi64x((long long)((value & mask) << (at - 64)), 0);
	}
	d->i = _mm_or_si128(_mm_andnot_si128(m, d->i), v);
}

SSE_FN(sse_pinsrb_xr, sse_insert(XMM(c, u->dst), 8, u->imm, REG64(c, u->src)))
SSE_FN(sse_pinsrw_xr, sse_insert(XMM(c, u->dst), 16, u->imm, REG64(c, u->src)))
SSE_FN(sse_pinsrd_xr, sse_insert(XMM(c, u->dst), 32, u->imm, REG64(c, u->src)))
SSE_FN(sse_pinsrq_xr, sse_insert(XMM(c, u->dst), 64, u->imm, REG64(c, u->src)))
SSE_MEM_OP(sse_pinsrb_xm, uint8_t, sse_insert(XMM(c, u->dst), 8, u->imm, *p))
SSE_MEM_OP(sse_pinsrw_xm, guest_u16, sse_insert(XMM(c, u->dst), 16, u->imm, *p))
SSE_MEM_OP(sse_pinsrd_xm, guest_u32, sse_insert(XMM(c, u->dst), 32, u->imm, *p))
SSE_MEM_OP(sse_pinsrq_xm, guest_u64, sse_insert(XMM(c, u->dst), 64, u->imm, *p))
SSE_FN(sse_pextrb_rx, REG64(c, u->dst) = XMM(c, u->src)->u8[u->imm])
SSE_FN(sse_pextrw_rx, REG64(c, u->dst) = XMM(c, u->src)->u16[u->imm])
SSE_FN(sse_pextrd_rx, REG64(c, u->dst) = XMM(c, u->src)->u32[u->imm])
SSE_FN(sse_pextrq_rx, REG64(c, u->dst) = XMM(c, u->src)->u64[u->imm])

/*
 * dst: the data, src: whose bytes' top bits select. Bytes that are not selected aren't touched; whether an access
 * to them may fault is left to the implementation: it doesn't, before the first and after the last selected one.
 */
const struct uop *sse_maskmovdqu(struct cpu *c, const struct uop *u)
{
	uint64_t lin = uop_lin(c, u);
	unsigned mask = (unsigned)_mm_movemask_epi8(XMM(c, u->src)->i);

	if (mask) {
		unsigned first = (unsigned)__builtin_ctz(mask);
		unsigned last = 31 - (unsigned)__builtin_clz(mask);

		mmu_probe(c, u, lin + first, last - first + 1, ACC_WRITE);
		for (unsigned i = first; i <= last; i++)
			if (mask & BIT(i))
				mmu_st8(c, u, lin + i, XMM(c, u->dst)->u8[i]);
	}
	NEXT();
}
