/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SSE micro-operations (ops_sse.h) to host code: the host's instruction on the guest's operands. XMMn is the guest's xmm n; it is
 * stored whenever it is written. Rounding and masks are the guest's already (sse.h).
 */
#include "src/cpu/native_gen.h"

static int32_t xmm_off(unsigned x)
{
	return CPU_OFF(xmm) + (int32_t)x * 16;
}

/* The register at byte offset OFF of c->xmm[]: its number, its value loaded. */
static unsigned get(struct native_gen *g, unsigned off)
{
	unsigned x = off / 16;

	if (!(g->xmm_loaded >> x & 1))
		emit_rm(&g->e, 0x28 | OP_0F, x, H_RDI, xmm_off(x)); /* movaps */
	g->xmm_loaded |= BIT(x);
	return x;
}

/* Written wholly by what comes next; put() follows. */
static unsigned def(struct native_gen *g, unsigned off)
{
	g->xmm_loaded |= BIT(off / 16);
	return off / 16;
}

static void put(struct native_gen *g, unsigned x)
{
	emit_rm(&g->e, 0x29 | OP_0F, x, H_RDI, xmm_off(x));
}

/* RAX := host address of the operand. */
static void address(struct native_gen *g, const struct uop *u, unsigned bytes, bool write,
		    bool aligned)
{
	ng_lin(g, u);
	ng_check(g, bytes, write, aligned);
}

static unsigned regular(struct native_gen *g, const struct uop *u)
{
#define NATIVE_SSE(name, opcode, bytes) {UOP_##name##_XX, bytes, opcode},
	static const struct {
		uint16_t op;
		uint8_t bytes;
		uint32_t opcode;
	} list[] = {
#include "src/cpu/native_sse_list.h"
	};
#undef NATIVE_SSE
	unsigned i = 0, x, s;

	while (u->op != list[i].op && u->op != list[i].op + 1)
		if (++i == ARRAY_SIZE(list))
			return 0;
	if (u->op == list[i].op) {
		s = get(g, u->src);
		x = get(g, u->dst);
		emit_rr(&g->e, list[i].opcode, x, s);
	} else {
		address(g, u, list[i].bytes, false, list[i].bytes == 16);
		x = get(g, u->dst);
		emit_rm(&g->e, list[i].opcode, x, H_RAX, 0);
	}
	put(g, x);
	return 1;
}

/* xmm, xmm: the destination is changed in part, or wholly. */
static unsigned move_registers(struct native_gen *g, const struct uop *u)
{
	static const struct {
		uint16_t op;
		bool whole;
		uint32_t opcode;
	} list[] = {
		{UOP_XMM_XX, true, 0x28 | OP_0F},
		{UOP_MOVQ_XX, true, 0x7e | OP_0F | OP_F3},
		{UOP_MOVSS_XX, false, 0x10 | OP_0F | OP_F3},
		{UOP_MOVSD_XX, false, 0x10 | OP_0F | OP_F2},
		{UOP_MOVHLPS_XX, false, 0x12 | OP_0F},
		{UOP_MOVLHPS_XX, false, 0x16 | OP_0F},
	};
	unsigned i = 0, x, s;

	while (u->op != list[i].op)
		if (++i == ARRAY_SIZE(list))
			return 0;
	s = get(g, u->src);
	x = list[i].whole ? def(g, u->dst) : get(g, u->dst);
	emit_rr(&g->e, list[i].opcode, x, s);
	put(g, x);
	return 1;
}

/* xmm and memory. */
static unsigned move_memory(struct native_gen *g, const struct uop *u)
{
	static const struct {
		uint16_t op;
		uint8_t bytes;
		bool store, aligned, whole;
		uint32_t opcode;
	} list[] = {
		{UOP_XMM_XM, 16, false, true, true, 0x28 | OP_0F},
		{UOP_XMM_XM_UNALIGNED, 16, false, false, true, 0x10 | OP_0F},
		{UOP_MOVD_XM, 4, false, false, true, 0x6e | OP_0F | OP_66},
		{UOP_MOVQ_XM, 8, false, false, true, 0x7e | OP_0F | OP_F3},
		{UOP_MOVLPS_XM, 8, false, false, false, 0x12 | OP_0F},
		{UOP_MOVHPS_XM, 8, false, false, false, 0x16 | OP_0F},
		{UOP_XMM_MX, 16, true, true, false, 0x29 | OP_0F},
		{UOP_XMM_MX_UNALIGNED, 16, true, false, false, 0x11 | OP_0F},
		{UOP_MOVD_MX, 4, true, false, false, 0x7e | OP_0F | OP_66},
		{UOP_MOVQ_MX, 8, true, false, false, 0xd6 | OP_0F | OP_66},
		{UOP_MOVHPS_MX, 8, true, false, false, 0x17 | OP_0F},
	};
	unsigned i = 0, x;

	while (u->op != list[i].op)
		if (++i == ARRAY_SIZE(list))
			return 0;
	address(g, u, list[i].bytes, list[i].store, list[i].aligned);
	if (list[i].store) {
		emit_rm(&g->e, list[i].opcode, get(g, u->src), H_RAX, 0);
		return 1;
	}
	x = list[i].whole ? def(g, u->dst) : get(g, u->dst);
	emit_rm(&g->e, list[i].opcode, x, H_RAX, 0);
	put(g, x);
	return 1;
}

/* Between xmm and general registers. */
static unsigned move_general(struct native_gen *g, const struct uop *u)
{
	unsigned x;

	switch (u->op) {
	case UOP_MOVD_XR:
	case UOP_MOVQ_XR:
		x = def(g, u->dst);
		emit_rr(&g->e, 0x6e | OP_0F | OP_66 | (u->op == UOP_MOVQ_XR ? OP_W : 0), x,
			ng_get(g, u->src));
		put(g, x);
		return 1;
	case UOP_MOVD_RX:
	case UOP_MOVQ_RX:
		x = get(g, u->src);
		emit_rr(&g->e, 0x7e | OP_0F | OP_66 | (u->op == UOP_MOVQ_RX ? OP_W : 0), x,
			ng_def(g, u->dst));
		ng_put(g, u->dst);
		return 1;
	case UOP_MOVMSKPS:
	case UOP_MOVMSKPD:
	case UOP_PMOVMSKB:
		x = get(g, u->src);
		emit_rr(&g->e,
			u->op == UOP_PMOVMSKB	? 0xd7 | OP_0F | OP_66
			: u->op == UOP_MOVMSKPD ? 0x50 | OP_0F | OP_66
						: 0x50 | OP_0F,
			ng_def(g, u->dst), x);
		ng_put(g, u->dst);
		return 1;
	case UOP_XMM_ZERO:
		x = def(g, u->dst);
		emit_rr(&g->e, 0x57 | OP_0F, x, x);
		put(g, x);
		return 1;
	default:
		return 0;
	}
}

/* Shifts by an immediate: group 12 to 14. */
static unsigned shift(struct native_gen *g, const struct uop *u)
{
	static const struct {
		uint8_t opcode, nth, bits;
	} list[] = {{0x71, 6, 16}, {0x72, 6, 32}, {0x73, 6, 64}, {0x71, 2, 16},
		    {0x72, 2, 32}, {0x73, 2, 64}, {0x71, 4, 16}, {0x72, 4, 32}};
	unsigned i = u->op - UOP_PSLLW_XI, x = get(g, u->dst);

	emit_rr(&g->e, list[i].opcode | OP_0F | OP_66, list[i].nth, x);
	emit_8(&g->e, MIN(u->imm, 255u));
	put(g, x);
	return 1;
}

/* CVTSI2SS, CVTSI2SD: XR32 XR64 XM32 XM64. */
static unsigned from_integer(struct native_gen *g, const struct uop *u)
{
	unsigned form = (u->op - UOP_CVTSI2SS_XR32) & 3, x;
	uint32_t code =
		0x2a | OP_0F | (u->op >= UOP_CVTSI2SD_XR32 ? OP_F2 : OP_F3) | (form & 1 ? OP_W : 0);

	if (form < 2) {
		x = get(g, u->dst);
		emit_rr(&g->e, code, x, ng_get(g, u->src));
	} else {
		address(g, u, form & 1 ? 8 : 4, false, false);
		x = get(g, u->dst);
		emit_rm(&g->e, code, x, H_RAX, 0);
	}
	put(g, x);
	return 1;
}

/* CVTSS2SI, CVTTSS2SI, CVTSD2SI, CVTTSD2SI: RX32 RX64 RM32 RM64. */
static unsigned to_integer(struct native_gen *g, const struct uop *u)
{
	unsigned n = (u->op - UOP_CVTSS2SI_RX32) / 4, form = (u->op - UOP_CVTSS2SI_RX32) & 3;
	uint32_t code =
		(n & 1 ? 0x2c : 0x2d) | OP_0F | (n >= 2 ? OP_F2 : OP_F3) | (form & 1 ? OP_W : 0);

	if (form < 2) {
		unsigned x = get(g, u->src);

		emit_rr(&g->e, code, ng_def(g, u->dst), x);
	} else {
		address(g, u, n >= 2 ? 8 : 4, false, false);
		emit_rm(&g->e, code, ng_def(g, u->dst), H_RAX, 0);
	}
	ng_put(g, u->dst);
	return 1;
}

/* COMISS, UCOMISS, COMISD, UCOMISD: XX, XM. LAHF has ZF, PF, CF and the bit that is always 1. */
static unsigned compare(struct native_gen *g, const struct uop *u)
{
	unsigned n = (u->op - UOP_COMISS_XX) / 2;
	uint32_t code = (n & 1 ? 0x2e : 0x2f) | OP_0F | (n >= 2 ? OP_66 : 0);
	struct emitter *e = &g->e;

	if ((u->op - UOP_COMISS_XX) & 1) {
		address(g, u, n >= 2 ? 8 : 4, false, false);
		emit_rm(e, code, get(g, u->dst), H_RAX, 0);
	} else {
		unsigned s = get(g, u->src);

		emit_rr(e, code, get(g, u->dst), s);
	}
	emit_8(e, 0x9f); /* lahf */
	emit_8(e, 0x0f); /* movzbl %ah, %eax */
	emit_8(e, 0xb6);
	emit_8(e, 0xc4);
	emit_rm(e, 0x8d, H_RAX, H_RAX, -2);
	emit_rm(e, 0x89 | OP_W, H_RAX, H_RDI, CPU_OFF(cc_src));
	emit_rm(e, 0xc7, 0, H_RDI, CPU_OFF(cc_op));
	emit_32(e, CC_EFLAGS);
	g->pend = (struct native_pend){0};
	g->host_flags = CC_EFLAGS;
	g->host_cf = true;
	return 1;
}

unsigned native_sse(struct native_gen *g, const struct uop *u)
{
	unsigned op = u->op, n;

	if (op < UOP_SSE_UNAVAILABLE || op > UOP_PTEST_XM)
		return 0;
	if (op >= UOP_CVTSI2SS_XR32 && op <= UOP_CVTSI2SD_XM64)
		return from_integer(g, u);
	if (op >= UOP_CVTSS2SI_RX32 && op <= UOP_CVTTSD2SI_RM64)
		return to_integer(g, u);
	if (op >= UOP_COMISS_XX && op <= UOP_UCOMISD_XM)
		return compare(g, u);
	if (op >= UOP_PSLLW_XI && op <= UOP_PSRAD_XI)
		return shift(g, u);
	n = move_registers(g, u);
	if (!n)
		n = move_memory(g, u);
	if (!n)
		n = move_general(g, u);
	return n ? n : regular(g, u);
}
