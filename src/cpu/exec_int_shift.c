/* SPDX-License-Identifier: BSD-2-Clause */
/* Shifts, rotates and double shifts of registers (or temporaries): by an immediate, never 0 once masked, or by CL. */
#include "src/cpu/exec_int.h"

/* Each makes r from v by n, 1 <= n <= 63, and its flags; N is already masked by 31 or 63. */
#define DO_SHL(bits)                                 \
	{                                            \
		uint64_t s = (uint64_t)v << (n - 1); \
		r = (uint##bits##_t)(s << 1);        \
		SET_CC(CC_SHL, bits, r, s);          \
	}
#define DO_SHR(bits)                                 \
	{                                            \
		uint64_t s = (uint64_t)v >> (n - 1); \
		r = (uint##bits##_t)(s >> 1);        \
		SET_CC(CC_SHR, bits, r, s);          \
	}
#define DO_SAR(bits)                                              \
	{                                                         \
		int64_t s = (int64_t)(int##bits##_t)v >> (n - 1); \
		r = (uint##bits##_t)(s >> 1);                     \
		SET_CC(CC_SHR, bits, r, s);                       \
	}
/* Rotates change CF and OF only. */
#define DO_ROL(bits)                                                                           \
	{                                                                                      \
		unsigned k = n & ((bits)-1), cf;                                               \
		r = (uint##bits##_t)(v << k | v >> ((bits - k) & ((bits)-1)));                 \
		cf = r & 1;                                                                    \
		cc_replace(c, FL_CF | FL_OF, cf | (cf ^ (unsigned)(r >> ((bits)-1))) * FL_OF); \
	}
#define DO_ROR(bits)                                                                               \
	{                                                                                          \
		unsigned k = n & ((bits)-1), cf;                                                   \
		r = (uint##bits##_t)(v >> k | v << ((bits - k) & ((bits)-1)));                     \
		cf = (unsigned)(r >> ((bits)-1));                                                  \
		cc_replace(c, FL_CF | FL_OF, cf | (cf ^ (unsigned)(r >> ((bits)-2) & 1)) * FL_OF); \
	}

#define COUNT_MASK(bits) ((bits) == 64 ? 63u : 31u)

/* By CL a count of 0 changes nothing but clears the upper half for a 32-bit operand. */
#define DEF_SHIFT_SIZE(name, bits, DO)                                             \
	DEF_HANDLER(name##_ri##bits, uint##bits##_t v = GET##bits(u->dst), r;      \
		    unsigned n = (unsigned)u->imm; DO(bits) SET##bits(u->dst, r);) \
	DEF_HANDLER(name##_rc##bits, uint##bits##_t v = GET##bits(u->dst), r = v;  \
		    unsigned n = GET8(R_RCX * 8) & COUNT_MASK(bits);               \
		    if (n) DO(bits) SET##bits(u->dst, r);)
#define DEF_SHIFT(name, DO)          \
	DEF_SHIFT_SIZE(name, 8, DO)  \
	DEF_SHIFT_SIZE(name, 16, DO) \
	DEF_SHIFT_SIZE(name, 32, DO) \
	DEF_SHIFT_SIZE(name, 64, DO)

DEF_SHIFT(i_shl, DO_SHL)
DEF_SHIFT(i_shr, DO_SHR)
DEF_SHIFT(i_sar, DO_SAR)
DEF_SHIFT(i_rol, DO_ROL)
DEF_SHIFT(i_ror, DO_ROR)

static uint64_t get_sized(const struct cpu *c, const struct uop *u)
{
	switch (u->size) {
	case 1:
		return REG8(c, u->dst);
	case 2:
		return REG16(c, u->dst);
	case 4:
		return REG32(c, u->dst);
	default:
		return c->regs[u->dst];
	}
}

static void set_sized(struct cpu *c, const struct uop *u, uint64_t v)
{
	switch (u->size) {
	case 1:
		SET8(u->dst, v);
		break;
	case 2:
		SET16(u->dst, v);
		break;
	case 4:
		SET32(u->dst, v);
		break;
	default:
		c->regs[u->dst] = v;
		break;
	}
}

/* Count of RCL and RCR: imm, or CL with UF_AUX; modulo the bits of operand and carry together. */
static unsigned rcx_count(const struct cpu *c, const struct uop *u)
{
	unsigned n = u->flags & UF_AUX ? REG8(c, R_RCX * 8) : (unsigned)u->imm;

	n &= u->size == 8 ? 63 : 31;
	return n % (u->size * 8u + 1);
}

/* One bit at a time: rare, and so it is plain to see that it is right. CF is in R_CARRY. */
const struct uop *i_rcl(struct cpu *c, const struct uop *u)
{
	unsigned n = rcx_count(c, u), top = u->size * 8 - 1;
	uint64_t v = get_sized(c, u);
	uint32_t carry = (uint32_t)c->regs[R_CARRY];

	for (unsigned i = 0; i < n; i++) {
		uint32_t out = v >> top & 1;

		v = v << 1 | carry;
		carry = out;
	}
	set_sized(c, u, v);
	if (n)
		cc_replace(c, FL_CF | FL_OF, carry | (carry ^ (v >> top & 1)) * FL_OF);
	NEXT();
}

const struct uop *i_rcr(struct cpu *c, const struct uop *u)
{
	unsigned n = rcx_count(c, u), top = u->size * 8 - 1;
	uint64_t v = get_sized(c, u);
	uint32_t carry = (uint32_t)c->regs[R_CARRY];

	for (unsigned i = 0; i < n; i++) {
		uint32_t out = v & 1;

		v = v >> 1 | (uint64_t)carry << top;
		carry = out;
	}
	set_sized(c, u, v);
	if (n)
		cc_replace(c, FL_CF | FL_OF, carry | ((v >> top ^ v >> (top - 1)) & 1) * FL_OF);
	NEXT();
}

/*
 * SHLD, SHRD: dst gets bits of src. A count over 16 with 16-bit operands is undefined; as processors do, the
 * bits that follow src are dst's own.
 */
#define SHLD16(n)                                               \
	uint64_t w = (uint64_t)d << 32 | (uint64_t)s << 16 | d; \
	uint16_t before = (uint16_t)(w << ((n)-1) >> 32), r = (uint16_t)(w << (n) >> 32)
#define SHRD16(n)                                               \
	uint64_t w = (uint64_t)d << 32 | (uint64_t)s << 16 | d; \
	uint16_t before = (uint16_t)(w >> ((n)-1)), r = (uint16_t)(w >> (n))
#define SHLD32(n)                           \
	uint64_t w = (uint64_t)d << 32 | s; \
	uint32_t before = (uint32_t)(w << ((n)-1) >> 32), r = (uint32_t)(w << (n) >> 32)
#define SHRD32(n)                           \
	uint64_t w = (uint64_t)s << 32 | d; \
	uint32_t before = (uint32_t)(w >> ((n)-1)), r = (uint32_t)(w >> (n))
#define SHLD64(n)                                             \
	unsigned __int128 w = (unsigned __int128)d << 64 | s; \
	uint64_t before = (uint64_t)(w << ((n)-1) >> 64), r = (uint64_t)(w << (n) >> 64)
#define SHRD64(n)                                             \
	unsigned __int128 w = (unsigned __int128)s << 64 | d; \
	uint64_t before = (uint64_t)(w >> ((n)-1)), r = (uint64_t)(w >> (n))

#define DEF_DOUBLE(name, DO, cc, bits)                                               \
	const struct uop *name##bits(struct cpu *c, const struct uop *u)             \
	{                                                                            \
		unsigned n = u->flags & UF_AUX ? GET8(R_RCX * 8) : (unsigned)u->imm; \
		uint##bits##_t d = GET##bits(u->dst), s = GET##bits(u->src);         \
                                                                                     \
		n &= COUNT_MASK(bits);                                               \
		if (n) {                                                             \
			DO##bits(n);                                                 \
			SET##bits(u->dst, r);                                        \
			SET_CC(cc, bits, r, before);                                 \
		} else {                                                             \
			SET##bits(u->dst, d);                                        \
		}                                                                    \
		NEXT();                                                              \
	}

DEF_DOUBLE(i_shld, SHLD, CC_SHL, 16)
DEF_DOUBLE(i_shld, SHLD, CC_SHL, 32)
DEF_DOUBLE(i_shld, SHLD, CC_SHL, 64)
DEF_DOUBLE(i_shrd, SHRD, CC_SHR, 16)
DEF_DOUBLE(i_shrd, SHRD, CC_SHR, 32)
DEF_DOUBLE(i_shrd, SHRD, CC_SHR, 64)
