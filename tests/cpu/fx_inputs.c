/* SPDX-License-Identifier: BSD-2-Clause */
/* Random inputs for floating-point and SIMD forms. */
#include <string.h>
#include "src/cpu/fpu.h"
#include "src/cpu/sse.h"
#include "tests/cpu/fx_inputs.h"

/* Where the parts of the image are (SDM 1, table 10-2). */
enum { FX_FCW = 0, FX_FSW = 2, FX_FTW = 4, FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160 };

/* A number with EXP_BITS and MANT_BITS after the sign. */
static uint64_t fx_number(unsigned exp_bits, unsigned mant_bits)
{
	uint64_t sign = hc_below(2) << (exp_bits + mant_bits), max = (1ull << exp_bits) - 1,
		 bias = max >> 1;
	uint64_t mant = hc_rand() & ((1ull << mant_bits) - 1);

	if (hc_below(4) == 0) /* few bits */
		mant &= ~0ull << hc_below(mant_bits);
	switch (hc_below(12)) {
	case 0:
		return sign;
	case 1:
		return sign | max << mant_bits;
	case 2:
		return sign | max << mant_bits | 1ull << (mant_bits - 1) | mant;
	case 3:
		return sign | max << mant_bits | (mant >> 1) | 1;
	case 4:
		return sign | mant;
	case 5:
		return sign | hc_below(4);
	case 6:
		return sign | bias << mant_bits | hc_below(2);
	case 7:
		return sign | hc_below(mant_bits + 4) << mant_bits | mant;
	case 8:
		return sign | (max - 1 - hc_below(4)) << mant_bits | mant;
	case 9:
		return sign | (bias + hc_below(70)) << mant_bits | mant;
	case 10:
		return sign | ((bias - 3 + hc_below(7)) << mant_bits) | mant;
	default:
		return sign | hc_below(max) << mant_bits | mant;
	}
}

uint32_t fx_float(void)
{
	return (uint32_t)fx_number(8, 23);
}

uint64_t fx_double(void)
{
	return fx_number(11, 52);
}

void fx_extended(uint8_t *p)
{
	uint64_t n = fx_number(15, 48), mant = (n & 0xffffffffffff) << 15;
	uint16_t exp = (uint16_t)(n >> 48);

	if (hc_below(2))
		mant |= hc_rand() & 0x7fff;
	/* The integer bit, as it should be or not. */
	if ((exp & 0x7fff) ? hc_below(16) != 0 : hc_below(8) == 0)
		mant |= 1ull << 63;
	if (hc_below(6) == 0) {
		long double integer = (long double)((int64_t)hc_rand() >> hc_below(64));

		memcpy(p, &integer, 10);
		return;
	}
	memcpy(p, &mant, 8);
	memcpy(p + 8, &exp, 2);
}

/* Whatever the instruction takes it for. */
static void fx_fill(uint8_t *p, unsigned bytes)
{
	unsigned kind = (unsigned)hc_below(4);

	for (unsigned i = 0; i < bytes; i += 4) {
		uint32_t single = kind == 0 ? fx_float() : (uint32_t)hc_rand();
		uint64_t wide = kind == 1 ? fx_double() : hc_value();

		if (kind == 1 || kind == 2) {
			memcpy(p + i, &wide, bytes - i < 8 ? bytes - i : 8);
			i += 4;
		} else {
			memcpy(p + i, &single, bytes - i < 4 ? bytes - i : 4);
		}
	}
}

static void fx_fill_decimal(uint8_t *p)
{
	for (unsigned i = 0; i < 9; i++)
		p[i] = (uint8_t)(hc_below(10) << 4 | hc_below(10));
	p[9] = (uint8_t)(hc_below(2) << 7);
}

static void fx_fill_operand(struct hc_case *k)
{
	unsigned bytes = k->insn->mem_size;
	uint8_t *p = k->insn->mem >= 0 && k->addr < HC_DATA + 2 * HC_PAGE
			     ? hc_mem(k, k->addr, bytes)
			     : NULL;

	if (!p || k->addr + bytes > HC_DATA + 2 * HC_PAGE)
		return;
	if (bytes != 10)
		fx_fill(p, bytes);
	else if (hc_below(2))
		fx_extended(p);
	else
		fx_fill_decimal(p);
}

static void fx_put16(struct hc_case *k, unsigned at, uint16_t v)
{
	memcpy(k->fx.bytes + at, &v, 2);
}

void fx_setup(struct hc_case *k)
{
	uint32_t mxcsr = MXCSR_DEFAULT;
	unsigned top = (unsigned)hc_below(8);

	memset(&k->fx, 0, sizeof(k->fx));
	fx_put16(k, FX_FCW, FCW_DEFAULT);
	fx_put16(k, FX_FSW, (uint16_t)(top << FSW_TOP_SHIFT | (hc_rand() & FSW_CC)));
	k->fx.bytes[FX_FTW] = (uint8_t)hc_rand();
	memcpy(k->fx.bytes + FX_MXCSR, &mxcsr, 4);
	for (unsigned i = 0; i < 8; i++)
		fx_extended(k->fx.bytes + FX_ST + 16 * i);
	for (unsigned i = 0; i < 16; i++)
		fx_fill(k->fx.bytes + FX_XMM + 16 * i, 16);
	fx_fill_operand(k);
}

void fx_setup_masked(struct hc_case *k)
{
	uint32_t mxcsr = MXCSR_DEFAULT;

	fx_setup(k);
	if (hc_below(2))
		mxcsr |= hc_rand() & MXCSR_RC;
	if (hc_below(4) == 0)
		mxcsr |= MXCSR_FZ;
	if (hc_below(4) == 0)
		mxcsr |= MXCSR_DAZ;
	if (hc_below(4) == 0)
		mxcsr |= hc_rand() & MXCSR_FLAGS;
	memcpy(k->fx.bytes + FX_MXCSR, &mxcsr, 4);
}

void fx_setup_sse(struct hc_case *k)
{
	uint32_t mxcsr;

	fx_setup_masked(k);
	if (hc_below(4))
		return;
	memcpy(&mxcsr, k->fx.bytes + FX_MXCSR, 4);
	mxcsr &= ~(hc_rand() & MXCSR_MASKS);
	/* Of an unmasked overflow or underflow, PE is not told as the processor does (sse.c). */
	if ((mxcsr & (MXCSR_OE | MXCSR_UE) * MXCSR_IM) != (MXCSR_OE | MXCSR_UE) * MXCSR_IM)
		mxcsr |= MXCSR_PE;
	memcpy(k->fx.bytes + FX_MXCSR, &mxcsr, 4);
}

void fx_setup_x87(struct hc_case *k)
{
	uint16_t fcw = FCW_DEFAULT, fsw;

	fx_setup(k);
	if (hc_below(2))
		fcw = (uint16_t)((hc_rand() & FCW_VALID) | FSW_EXC);
	if (hc_below(3) == 0)
		fcw &= (uint16_t) ~(hc_rand() & FSW_EXC);
	memcpy(&fsw, k->fx.bytes + FX_FSW, 2);
	if (hc_below(4) == 0) {
		fsw |= hc_rand() & (FSW_EXC | FSW_SF);
		if (hc_below(8)) /* nothing pending */
			fsw &= (uint16_t) ~(FSW_EXC & ~fcw);
	}
	/* Mostly as programs have it: a few registers from the top in use. */
	if (hc_below(4)) {
		unsigned top = fsw >> FSW_TOP_SHIFT & 7, n = (unsigned)hc_below(9);
		uint8_t ftw = 0;

		for (unsigned i = 0; i < n; i++)
			ftw |= (uint8_t)(1u << ((top + i) & 7));
		k->fx.bytes[FX_FTW] = ftw;
	}
	fx_put16(k, FX_FCW, fcw);
	fx_put16(k, FX_FSW, fsw);
}

void fx_setup_mxcsr(struct hc_case *k)
{
	uint8_t *p;
	uint32_t v = (uint32_t)hc_rand() & (hc_below(4) ? MXCSR_VALID : ~BIT(17));

	fx_setup_masked(k);
	p = hc_mem(k, k->addr, 4);
	if (p && k->addr + 4 <= HC_DATA + 2 * HC_PAGE)
		memcpy(p, &v, 4);
}
