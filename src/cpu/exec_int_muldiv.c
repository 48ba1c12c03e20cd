/* SPDX-License-Identifier: BSD-2-Clause */
/* Multiplication, division with exact #DE, and the decimal adjustments. Source operands are slots. */
#include "src/cpu/exec_int.h"

/* ---- one operand: rDX:rAX = rAX * src (AX for bytes). CF=OF: the high half matters ---- */

#define SET_CC_MUL(bits, low, significant)         \
	do {                                       \
		c->cc_op = CC_MUL + LOG2_##bits;   \
		c->cc_dst = (uint##bits##_t)(low); \
		c->cc_src = (significant);         \
	} while (0)

DEF_HANDLER(i_mul8, unsigned p = (unsigned)GET8(0) * GET8(u->src); SET16(R_RAX, p);
	    SET_CC_MUL(8, p, p >> 8 != 0);)
DEF_HANDLER(i_imul8, int p = (int)(int8_t)GET8(0) * (int8_t)GET8(u->src); SET16(R_RAX, p);
	    SET_CC_MUL(8, p, p != (int8_t)p);)

#define DEF_MUL(bits, wide, swide)                                                    \
	DEF_HANDLER(i_mul##bits, wide p = (wide)GET##bits(R_RAX) * GET##bits(u->src); \
		    SET##bits(R_RAX, p); SET##bits(R_RDX, p >> (bits));               \
		    SET_CC_MUL(bits, p, p >> (bits) != 0);)                           \
	DEF_HANDLER(i_imul##bits, swide p = (swide)(int##bits##_t)GET##bits(R_RAX) *  \
					    (int##bits##_t)GET##bits(u->src);         \
		    SET##bits(R_RAX, p); SET##bits(R_RDX, p >> (bits));               \
		    SET_CC_MUL(bits, p, p != (int##bits##_t)p);)
DEF_MUL(16, uint32_t, int32_t)
DEF_MUL(32, uint64_t, int64_t)
DEF_MUL(64, unsigned __int128, __int128)

/* ---- two and three operands ---- */

#define DO_IMUL(bits, a, b)                                                         \
	{                                                                           \
		int##bits##_t x_ = (int##bits##_t)(a), y_ = (int##bits##_t)(b), r_; \
		bool over_ = __builtin_mul_overflow(x_, y_, &r_);                   \
		SET##bits(u->dst, (uint##bits##_t)r_);                              \
		SET_CC_MUL(bits, r_, over_);                                        \
	}
#define DEF_IMUL(bits)                                                                    \
	DEF_HANDLER(i_imul_rr##bits, DO_IMUL(bits, GET##bits(u->dst), GET##bits(u->src))) \
	DEF_HANDLER(i_imul_rri##bits, DO_IMUL(bits, GET##bits(u->src), u->imm))           \
	DEF_LOAD(i_imul_rm##bits, bits, LIN_B, DO_IMUL(bits, GET##bits(u->dst), m))       \
	DEF_LOAD(i_imul_rmx##bits, bits, LIN_X, DO_IMUL(bits, GET##bits(u->dst), m))
DEF_IMUL(16)
DEF_IMUL(32)
DEF_IMUL(64)

/* ---- division; flags are left as they are ---- */

static cold_fn __attribute__((noreturn)) void divide_error(struct cpu *c, const struct uop *u)
{
	uop_raise(c, u, EXC_DE);
}

const struct uop *i_div8(struct cpu *c, const struct uop *u)
{
	unsigned n = REG16(c, R_RAX), d = REG8(c, u->src);

	if (unlikely(n >> 8 >= d))
		divide_error(c, u);
	SET16(R_RAX, n / d | (n % d) << 8);
	NEXT();
}

const struct uop *i_idiv8(struct cpu *c, const struct uop *u)
{
	int n = (int16_t)REG16(c, R_RAX), d = (int8_t)REG8(c, u->src), q;

	if (unlikely(!d))
		divide_error(c, u);
	q = n / d;
	if (unlikely(q != (int8_t)q))
		divide_error(c, u);
	SET16(R_RAX, (unsigned)(q & 0xff) | (unsigned)(n % d & 0xff) << 8);
	NEXT();
}

#define DEF_DIV(bits, wide, swide)                                                         \
	const struct uop *i_div##bits(struct cpu *c, const struct uop *u)                  \
	{                                                                                  \
		wide n = (wide)GET##bits(R_RDX) << (bits) | GET##bits(R_RAX);              \
		wide d = GET##bits(u->src);                                                \
                                                                                           \
		if (unlikely(n >> (bits) >= d))                                            \
			divide_error(c, u);                                                \
		SET##bits(R_RAX, n / d);                                                   \
		SET##bits(R_RDX, n % d);                                                   \
		NEXT();                                                                    \
	}                                                                                  \
	const struct uop *i_idiv##bits(struct cpu *c, const struct uop *u)                 \
	{                                                                                  \
		swide n = (swide)((wide)GET##bits(R_RDX) << (bits) | GET##bits(R_RAX)), q; \
		swide d = (int##bits##_t)GET##bits(u->src);                                \
                                                                                           \
		/* The most negative dividend by -1 would trap in the host. */             \
		if (unlikely(!d || (d == -1 && n < -INT##bits##_MAX)))                     \
			divide_error(c, u);                                                \
		q = n / d;                                                                 \
		if (unlikely(q != (int##bits##_t)q))                                       \
			divide_error(c, u);                                                \
		SET##bits(R_RAX, q);                                                       \
		SET##bits(R_RDX, n % d);                                                   \
		NEXT();                                                                    \
	}
DEF_DIV(16, uint32_t, int32_t)
DEF_DIV(32, uint64_t, int64_t)

/* The quotient fits (the caller checked): one host instruction. */
static always_inline uint64_t div_128(uint64_t high, uint64_t low, uint64_t d, uint64_t *rest)
{
	uint64_t q;

	__asm__("divq %4" : "=a"(q), "=d"(*rest) : "a"(low), "d"(high), "rm"(d) : "cc");
	return q;
}

const struct uop *i_div64(struct cpu *c, const struct uop *u)
{
	uint64_t d = c->regs[u->src], q, rest;

	if (unlikely(c->regs[R_RDX] >= d))
		divide_error(c, u);
	q = div_128(c->regs[R_RDX], c->regs[R_RAX], d, &rest);
	c->regs[R_RAX] = q;
	c->regs[R_RDX] = rest;
	NEXT();
}

/* By magnitudes: the quotient may reach 2^63 only when it is negative. */
const struct uop *i_idiv64(struct cpu *c, const struct uop *u)
{
	unsigned __int128 n = (unsigned __int128)c->regs[R_RDX] << 64 | c->regs[R_RAX];
	bool n_negative = c->regs[R_RDX] >> 63, d_negative = c->regs[u->src] >> 63;
	uint64_t d = c->regs[u->src], q, rest;

	if (n_negative)
		n = -n;
	if (d_negative)
		d = -d;
	if (unlikely((uint64_t)(n >> 64) >= d))
		divide_error(c, u);
	q = div_128((uint64_t)(n >> 64), (uint64_t)n, d, &rest);
	if (unlikely(q > (uint64_t)INT64_MAX + (n_negative != d_negative)))
		divide_error(c, u);
	c->regs[R_RAX] = n_negative != d_negative ? -q : q;
	c->regs[R_RDX] = n_negative ? -rest : rest;
	NEXT();
}

/* ---- decimal adjustments: SF, ZF, PF from AL ---- */

static void set_decimal_flags(struct cpu *c, bool cf, bool af)
{
	c->cc_op = CC_SZP;
	c->cc_dst = REG8(c, 0);
	c->cc_src = (cf ? FL_CF : 0) | (af ? FL_AF : 0);
}

const struct uop *i_daa(struct cpu *c, const struct uop *u)
{
	uint32_t fl = cc_compute(c);
	uint8_t al = REG8(c, 0);
	bool low = (al & 15) > 9 || (fl & FL_AF), high = al > 0x99 || (fl & FL_CF);

	REG8(c, 0) = (uint8_t)(al + (low ? 6 : 0) + (high ? 0x60 : 0));
	set_decimal_flags(c, high, low);
	NEXT();
}

const struct uop *i_das(struct cpu *c, const struct uop *u)
{
	uint32_t fl = cc_compute(c);
	uint8_t al = REG8(c, 0);
	bool low = (al & 15) > 9 || (fl & FL_AF), high = al > 0x99 || (fl & FL_CF);

	REG8(c, 0) = (uint8_t)(al - (low ? 6 : 0) - (high ? 0x60 : 0));
	set_decimal_flags(c, high || (low && al < 6), low);
	NEXT();
}

const struct uop *i_aaa(struct cpu *c, const struct uop *u)
{
	bool adjust = (REG8(c, 0) & 15) > 9 || (cc_compute(c) & FL_AF);

	if (adjust)
		REG16(c, R_RAX) += 0x106;
	REG8(c, 0) &= 15;
	set_decimal_flags(c, adjust, adjust);
	NEXT();
}

const struct uop *i_aas(struct cpu *c, const struct uop *u)
{
	bool adjust = (REG8(c, 0) & 15) > 9 || (cc_compute(c) & FL_AF);

	if (adjust)
		REG16(c, R_RAX) -= 0x106;
	REG8(c, 0) &= 15;
	set_decimal_flags(c, adjust, adjust);
	NEXT();
}

const struct uop *i_aam(struct cpu *c, const struct uop *u)
{
	uint8_t base = (uint8_t)u->imm, al = REG8(c, 0);

	if (!base)
		divide_error(c, u);
	REG16(c, R_RAX) = (uint16_t)((al / base) << 8 | al % base);
	set_decimal_flags(c, false, false);
	NEXT();
}

const struct uop *i_aad(struct cpu *c, const struct uop *u)
{
	REG16(c, R_RAX) = (uint8_t)(REG8(c, 0) + REG8(c, 1) * (uint8_t)u->imm);
	set_decimal_flags(c, false, false);
	NEXT();
}
