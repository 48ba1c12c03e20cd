/* SPDX-License-Identifier: BSD-2-Clause */
/* SSE to SSE4.2, AES-NI, PCLMULQDQ, SHA and MMX against the host's processor. */
#include "src/cpu/cpuid.h"
#include "tests/cpu/fx_inputs.h"

#define BITS_2	"16"
#define BITS_4	"32"
#define BITS_8	"64"
#define BITS_16 "128"

#define SETUP(kind, feature) ((feature) == FEAT_SHA ? setup_sha : (kind) ? fx_setup_sse : fx_setup)

#define SSE(text, feature)                                         \
	{                                                          \
		text, 0, HC_FX | HC_ALIGN, fx_setup, NULL, feature \
	}
#define SSE_FP(text, feature)                                          \
	{                                                              \
		text, 0, HC_FX | HC_ALIGN, fx_setup_sse, NULL, feature \
	}
#define SSE_64(text, feature)                                       \
	{                                                           \
		text, 0, HC_FX | HC_ONLY64, fx_setup, NULL, feature \
	}
#define MMX(text, feature)                                  \
	{                                                   \
		text, 0, HC_FX, fx_setup_x87, NULL, feature \
	}

/* Operands of SHA in memory must be aligned, but not every processor insists. */
static void setup_sha(struct hc_case *k)
{
	fx_setup(k);
	k->skip = k->insn->mem >= 0 && k->addr % 16;
}

static const struct hc_form forms[] = {
#define SSE_OP(name, insn, bytes, feature, kind) \
	{#insn " x, xm" BITS_##bytes, 0, HC_FX | HC_ALIGN, SETUP(kind, feature), NULL, feature},
#define SSE_OPZ(name, insn, feature) \
	{#insn " x, xm128", 0, HC_FX | HC_ALIGN, SETUP(0, feature), NULL, feature},
#include "src/cpu/sse_list.h"
#undef SSE_OP
#undef SSE_OPZ
#define SSE_IMM_OP(name, insn, bytes, feature, kind, mask)     \
	{#insn " x, xm" BITS_##bytes ", i8",                   \
	 0,                                                    \
	 HC_FX | HC_ALIGN,                                     \
	 (kind) >= 4 ? fx_setup_masked : SETUP(kind, feature), \
	 NULL,                                                 \
	 feature}, /* DPPS, DPPD: see sse.c */
#define SSE_IMM_SHIFT(name, insn, feature) {#insn " x, i8", 0, HC_FX, fx_setup, NULL, feature},
#include "src/cpu/sse_list_imm.h"
#undef SSE_IMM_OP
#undef SSE_IMM_SHIFT
	SSE("psllw x, i8", FEAT_SSE2),
	SSE("pslld x, i8", FEAT_SSE2),
	SSE("psllq x, i8", FEAT_SSE2),
	SSE("psrlw x, i8", FEAT_SSE2),
	SSE("psrld x, i8", FEAT_SSE2),
	SSE("psrlq x, i8", FEAT_SSE2),
	SSE("psraw x, i8", FEAT_SSE2),
	SSE("psrad x, i8", FEAT_SSE2),
	/* moves */
	SSE("movaps x, xm128", FEAT_SSE),
	SSE("movaps m128, x", FEAT_SSE),
	SSE("movapd x, xm128", FEAT_SSE2),
	SSE("movapd m128, x", FEAT_SSE2),
	SSE("movdqa x, xm128", FEAT_SSE2),
	SSE("movdqa m128, x", FEAT_SSE2),
	SSE("movntps m128, x", FEAT_SSE),
	SSE("movntpd m128, x", FEAT_SSE2),
	SSE("movntdq m128, x", FEAT_SSE2),
	SSE("movntdqa x, m128", FEAT_SSE41),
	SSE_64("movups x, xm128", FEAT_SSE),
	SSE_64("movups m128, x", FEAT_SSE),
	SSE_64("movupd x, xm128", FEAT_SSE2),
	SSE_64("movupd m128, x", FEAT_SSE2),
	SSE_64("movdqu x, xm128", FEAT_SSE2),
	SSE_64("movdqu m128, x", FEAT_SSE2),
	SSE_64("lddqu x, m128", FEAT_SSE3),
	SSE("movss x, xm32", FEAT_SSE),
	SSE("movss m32, x", FEAT_SSE),
	SSE("movsd x, xm64", FEAT_SSE2),
	SSE("movsd m64, x", FEAT_SSE2),
	SSE("movd x, rm32", FEAT_SSE2),
	SSE("movd rm32, x", FEAT_SSE2),
	SSE("movq x, rm64", FEAT_SSE2),
	SSE("movq rm64, x", FEAT_SSE2),
	SSE("movq x, xm64", FEAT_SSE2),
	SSE("movq m64, x", FEAT_SSE2),
	SSE("movlps x, m64", FEAT_SSE),
	SSE("movlps m64, x", FEAT_SSE),
	SSE("movlpd x, m64", FEAT_SSE2),
	SSE("movlpd m64, x", FEAT_SSE2),
	SSE("movhps x, m64", FEAT_SSE),
	SSE("movhps m64, x", FEAT_SSE),
	SSE("movhpd x, m64", FEAT_SSE2),
	SSE("movhpd m64, x", FEAT_SSE2),
	SSE("movhlps x, x", FEAT_SSE),
	SSE("movlhps x, x", FEAT_SSE),
	SSE("movmskps ry, x", FEAT_SSE),
	SSE("movmskpd ry, x", FEAT_SSE2),
	SSE("pmovmskb r32, x", FEAT_SSE2),
	SSE("pinsrb x, r32, i8", FEAT_SSE41),
	SSE("pinsrb x, m8, i8", FEAT_SSE41),
	SSE("pinsrw x, r32, i8", FEAT_SSE2),
	SSE("pinsrw x, m16, i8", FEAT_SSE2),
	SSE("pinsrd x, rm32, i8", FEAT_SSE41),
	SSE("pinsrq x, rm64, i8", FEAT_SSE41),
	SSE("pextrb r32, x, i8", FEAT_SSE41),
	SSE("pextrb m8, x, i8", FEAT_SSE41),
	SSE("pextrw r32, x, i8", FEAT_SSE2),
	SSE("pextrw m16, x, i8", FEAT_SSE41),
	SSE("pextrd rm32, x, i8", FEAT_SSE41),
	SSE("pextrq rm64, x, i8", FEAT_SSE41),
	SSE("extractps rm32, x, i8", FEAT_SSE41),
	/* comparison and conversion */
	SSE_FP("comiss x, xm32", FEAT_SSE),
	SSE_FP("ucomiss x, xm32", FEAT_SSE),
	SSE_FP("comisd x, xm64", FEAT_SSE2),
	SSE_FP("ucomisd x, xm64", FEAT_SSE2),
	SSE("ptest x, xm128", FEAT_SSE41),
	SSE_FP("cvtsi2ss x, rmy", FEAT_SSE),
	SSE_FP("cvtsi2sd x, rmy", FEAT_SSE2),
	SSE_FP("cvtss2si ry, xm32", FEAT_SSE),
	SSE_FP("cvttss2si ry, xm32", FEAT_SSE),
	SSE_FP("cvtsd2si ry, xm64", FEAT_SSE2),
	SSE_FP("cvttsd2si ry, xm64", FEAT_SSE2),
	SSE("pcmpestri x, xm128, i8", FEAT_SSE42),
	SSE("pcmpestrm x, xm128, i8", FEAT_SSE42),
	SSE("pcmpistri x, xm128, i8", FEAT_SSE42),
	SSE("pcmpistrm x, xm128, i8", FEAT_SSE42),
	{"ldmxcsr m32", 0, HC_FX, fx_setup_mxcsr, NULL, FEAT_SSE},
	{"stmxcsr m32", 0, HC_FX, fx_setup_sse, NULL, FEAT_SSE},
/* MMX */
#define MMX_OP(name, insn, feature)    MMX(#insn " q, qm64", feature),
#define MMX_SHIFT(name, insn, feature) MMX(#insn " q, qm64", feature), MMX(#insn " q, i8", feature),

#include "src/cpu/mmx_list.h"
	MMX("emms", FEAT_MMX),
	MMX("movd q, rm32", FEAT_MMX),
	MMX("movd rm32, q", FEAT_MMX),
	MMX("movq q, rm64", FEAT_MMX),
	MMX("movq rm64, q", FEAT_MMX),
	MMX("movq q, qm64", FEAT_MMX),
	MMX("movq m64, q", FEAT_MMX),
	MMX("movntq m64, q", FEAT_SSE),
	MMX("movq2dq x, q", FEAT_SSE2),
	MMX("movdq2q q, x", FEAT_SSE2),
	MMX("pmovmskb r32, q", FEAT_SSE),
	MMX("pextrw r32, q, i8", FEAT_SSE),
	MMX("pinsrw q, r32, i8", FEAT_SSE),
	MMX("pinsrw q, m16, i8", FEAT_SSE),
	MMX("pshufw q, qm64, i8", FEAT_SSE),
	MMX("palignr q, qm64, i8", FEAT_SSSE3),
	SSE_FP("cvtpi2ps x, qm64", FEAT_SSE),
	SSE_FP("cvtpi2pd x, qm64", FEAT_SSE2),
	SSE_FP("cvtps2pi q, xm64", FEAT_SSE),
	SSE_FP("cvttps2pi q, xm64", FEAT_SSE),
	SSE_FP("cvtpd2pi q, xm128", FEAT_SSE2),
	SSE_FP("cvttpd2pi q, xm128", FEAT_SSE2),
};

int main(int argc, char **argv)
{
	return hc_main(argc, argv, "test_sse", forms, sizeof(forms) / sizeof(forms[0]));
}
