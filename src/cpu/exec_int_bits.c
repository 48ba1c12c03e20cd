/* SPDX-License-Identifier: BSD-2-Clause */
/* Bit tests and scans, counts, BMI1, BMI2, ADX, CRC32, MOVBE; of registers or temporaries. */
#include "src/cpu/exec_int.h"

/* ---- BT, BTS, BTR, BTC ---- */

#define DO_BT(bits, n)	((void)0)
#define DO_BTS(bits, n) SET##bits(u->dst, v | (uint##bits##_t)1 << (n))
#define DO_BTR(bits, n) SET##bits(u->dst, v & ~((uint##bits##_t)1 << (n)))
#define DO_BTC(bits, n) SET##bits(u->dst, v ^ (uint##bits##_t)1 << (n))

#define DEF_BIT_FORM(name, bits, DO, number)                                   \
	DEF_HANDLER(name, uint##bits##_t v = GET##bits(u->dst);                \
		    unsigned n = (unsigned)(number) & ((bits)-1); DO(bits, n); \
		    cc_replace_cf(c, v >> n & 1);)
#define DEF_BIT(name, DO)                                \
	DEF_BIT_FORM(name##_rr16, 16, DO, GET16(u->src)) \
	DEF_BIT_FORM(name##_rr32, 32, DO, GET32(u->src)) \
	DEF_BIT_FORM(name##_rr64, 64, DO, GET64(u->src)) \
	DEF_BIT_FORM(name##_ri16, 16, DO, u->imm)        \
	DEF_BIT_FORM(name##_ri32, 32, DO, u->imm)        \
	DEF_BIT_FORM(name##_ri64, 64, DO, u->imm)

DEF_BIT(i_bt, DO_BT)
DEF_BIT(i_bts, DO_BTS)
DEF_BIT(i_btr, DO_BTR)
DEF_BIT(i_btc, DO_BTC)
DEF_LOAD(i_bt_mi16, 16, LIN_X, cc_replace_cf(c, m >> u->dst & 1);)
DEF_LOAD(i_bt_mi32, 32, LIN_X, cc_replace_cf(c, m >> u->dst & 1);)
DEF_LOAD(i_bt_mi64, 64, LIN_X, cc_replace_cf(c, m >> u->dst & 1);)

/*
 * The operand of a bit string that holds bit number src (signed, slot of operand size): its linear address into R_EA. In 64-bit
 * mode the string's own address is linear; elsewhere it is an offset in segment imm, of which the operand is checked here.
 */
#define BIT_STRING_DELTA(bits) \
	(((int64_t)(int##bits##_t)GET##bits(u->src) >> (LOG2_##bits + 3)) * ((bits) / 8))
#define DEF_BTEA(bits)                                                                         \
	DEF_HANDLER(i_btea##bits,                                                              \
		    c->regs[R_EA] = uop_lin(c, u) + (uint64_t)BIT_STRING_DELTA(bits);)         \
	const struct uop *i_btea_seg##bits(struct cpu *c, const struct uop *u)                 \
	{                                                                                      \
		uint64_t off =                                                                 \
			(uop_lin(c, u) + (uint64_t)BIT_STRING_DELTA(bits)) & i_addr_mask(u);   \
                                                                                               \
		c->regs[R_EA] = ea_lin(c, u, (int)u->imm, off, (bits) / 8, u->flags & UF_AUX); \
		NEXT();                                                                        \
	}

DEF_BTEA(16)
DEF_BTEA(32)
DEF_BTEA(64)

/* ---- scans and counts ---- */

#define SET_CC_SZP(bits, result, cf)                  \
	do {                                          \
		c->cc_op = CC_SZP + LOG2_##bits;      \
		c->cc_dst = (uint##bits##_t)(result); \
		c->cc_src = (cf) ? FL_CF : 0;         \
	} while (0)

#define CTZ(v)	   ((unsigned)__builtin_ctzll(v))
#define TOP_BIT(v) (63u - (unsigned)__builtin_clzll(v))

/* A source of 0 leaves the destination as it is. ZF is the source's; the other flags are undefined. */
#define DEF_SCAN(bits)                                                                     \
	DEF_HANDLER(i_bsf##bits, uint##bits##_t v = GET##bits(u->src);                     \
		    if (v) SET##bits(u->dst, CTZ(v)); SET_CC_LOGIC(bits, v);)              \
	DEF_HANDLER(i_bsr##bits, uint##bits##_t v = GET##bits(u->src);                     \
		    if (v) SET##bits(u->dst, TOP_BIT(v)); SET_CC_LOGIC(bits, v);)          \
	DEF_HANDLER(i_tzcnt##bits, uint##bits##_t v = GET##bits(u->src);                   \
		    unsigned r = v ? CTZ(v) : (bits); SET##bits(u->dst, r);                \
		    SET_CC_SZP(bits, r, v == 0);)                                          \
	DEF_HANDLER(i_lzcnt##bits, uint##bits##_t v = GET##bits(u->src);                   \
		    unsigned r = v ? (bits)-1 - TOP_BIT(v) : (bits); SET##bits(u->dst, r); \
		    SET_CC_SZP(bits, r, v == 0);)                                          \
	DEF_HANDLER(i_popcnt##bits, uint##bits##_t v = GET##bits(u->src);                  \
		    SET##bits(u->dst, popcount(v)); cc_set(c, v ? 0 : FL_ZF);)

static always_inline uint64_t popcount(uint64_t v)
{
	v -= v >> 1 & 0x5555555555555555;
	v = (v & 0x3333333333333333) + (v >> 2 & 0x3333333333333333);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0f;
	return v * 0x0101010101010101 >> 56;
}

DEF_SCAN(16)
DEF_SCAN(32)
DEF_SCAN(64)

/* ---- BMI1, BMI2: dst; src is the r/m operand, base the VEX.vvvv operand where there is one ---- */

static uint64_t pdep(uint64_t v, uint64_t mask)
{
	uint64_t r = 0;

	for (; mask; mask &= mask - 1, v >>= 1)
		if (v & 1)
			r |= mask & -mask;
	return r;
}

static uint64_t pext(uint64_t v, uint64_t mask)
{
	uint64_t r = 0, bit = 1;

	for (; mask; mask &= mask - 1, bit <<= 1)
		if (v & (mask & -mask))
			r |= bit;
	return r;
}

/* Start in bits 7-0 of CONTROL, length in 15-8. */
static always_inline uint64_t bextr(uint64_t v, uint64_t control)
{
	unsigned start = control & 0xff, length = control >> 8 & 0xff;

	if (start > 63)
		return 0;
	v >>= start;
	return length > 63 ? v : v & ((1ull << length) - 1);
}

#define DEF_BMI(bits)                                                                              \
	DEF_HANDLER(i_andn##bits, uint##bits##_t r = ~GET##bits(u->base) & GET##bits(u->src);      \
		    SET##bits(u->dst, r); SET_CC_LOGIC(bits, r);)                                  \
	DEF_HANDLER(i_bextr##bits, uint##bits##_t r = (uint##bits##_t)bextr(GET##bits(u->src),     \
									    GET##bits(u->base));   \
		    SET##bits(u->dst, r); SET_CC_LOGIC(bits, r);)                                  \
	DEF_HANDLER(i_blsi##bits, uint##bits##_t v = GET##bits(u->src), r = v & -v;                \
		    SET##bits(u->dst, r); SET_CC_SZP(bits, r, v != 0);)                            \
	DEF_HANDLER(i_blsr##bits, uint##bits##_t v = GET##bits(u->src), r = v & (v - 1);           \
		    SET##bits(u->dst, r); SET_CC_SZP(bits, r, v == 0);)                            \
	DEF_HANDLER(i_blsmsk##bits, uint##bits##_t v = GET##bits(u->src), r = v ^ (v - 1);         \
		    SET##bits(u->dst, r); SET_CC_SZP(bits, r, v == 0);)                            \
	DEF_HANDLER(i_bzhi##bits, unsigned n = GET32(u->base) & 0xff;                              \
		    uint##bits##_t v = GET##bits(u->src),                                          \
		    r = n < (bits) ? v & (((uint##bits##_t)1 << n) - 1) : v;                       \
		    SET##bits(u->dst, r); SET_CC_SZP(bits, r, n >= (bits));)                       \
	DEF_HANDLER(i_pdep##bits, SET##bits(u->dst, pdep(GET##bits(u->base), GET##bits(u->src)));) \
	DEF_HANDLER(i_pext##bits, SET##bits(u->dst, pext(GET##bits(u->base), GET##bits(u->src)));) \
	DEF_HANDLER(i_rorx##bits, unsigned n = u->imm & ((bits)-1);                                \
		    uint##bits##_t v = GET##bits(u->src);                                          \
		    SET##bits(u->dst, v >> n | v << (((bits)-n) & ((bits)-1)));)                   \
	DEF_HANDLER(i_sarx##bits, unsigned n = GET32(u->base) & ((bits)-1);                        \
		    SET##bits(u->dst, (int##bits##_t)GET##bits(u->src) >> n);)                     \
	DEF_HANDLER(i_shlx##bits, unsigned n = GET32(u->base) & ((bits)-1);                        \
		    SET##bits(u->dst, GET##bits(u->src) << n);)                                    \
	DEF_HANDLER(i_shrx##bits, unsigned n = GET32(u->base) & ((bits)-1);                        \
		    SET##bits(u->dst, GET##bits(u->src) >> n);)

DEF_BMI(32)
DEF_BMI(64)

/* dst: high half, base: low half (written first: the same register gets the high half); rDX times src. */
DEF_HANDLER(i_mulx32, uint64_t p = (uint64_t)GET32(R_RDX) * GET32(u->src); SET32(u->base, p);
	    SET32(u->dst, p >> 32);)
DEF_HANDLER(i_mulx64, unsigned __int128 p = (unsigned __int128)GET64(R_RDX) * GET64(u->src);
	    SET64(u->base, p); SET64(u->dst, p >> 64);)

/* ADCX adds with and into CF, ADOX OF; the other flags stay. */
#define DEF_ADX(bits)                                                                         \
	DEF_HANDLER(i_adcx##bits, uint##bits##_t r, s; unsigned in = cc_cf(c);                \
		    unsigned out =                                                            \
			    __builtin_add_overflow(GET##bits(u->dst), GET##bits(u->src), &s); \
		    out |= __builtin_add_overflow(s, (uint##bits##_t)in, &r);                 \
		    SET##bits(u->dst, r); cc_replace(c, FL_CF, out ? FL_CF : 0);)             \
	DEF_HANDLER(i_adox##bits, uint##bits##_t r, s; unsigned in = cc_of_op(c, c->cc_op);   \
		    unsigned out =                                                            \
			    __builtin_add_overflow(GET##bits(u->dst), GET##bits(u->src), &s); \
		    out |= __builtin_add_overflow(s, (uint##bits##_t)in, &r);                 \
		    SET##bits(u->dst, r); cc_replace(c, FL_OF, out ? FL_OF : 0);)
DEF_ADX(32)
DEF_ADX(64)

/* ---- CRC32 (Castagnoli, reflected: 82F63B78h), MOVBE ---- */

static uint32_t crc32c_byte(uint32_t crc, uint8_t byte)
{
	/* The remainders of the sixteen values of a nibble. */
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	crc ^= byte;
	crc = crc >> 4 ^ table[crc & 15];
	return crc >> 4 ^ table[crc & 15];
}

/* imm: bytes of the source operand; the destination is zero-extended. */
const struct uop *i_crc32(struct cpu *c, const struct uop *u)
{
	uint64_t v = u->imm == 1 ? REG8(c, u->src) : c->regs[u->src];
	uint32_t crc = REG32(c, u->dst);

	for (unsigned i = 0; i < u->imm; i++, v >>= 8)
		crc = crc32c_byte(crc, (uint8_t)v);
	SET32(u->dst, crc);
	NEXT();
}

DEF_HANDLER(i_movbe16, SET16(u->dst, __builtin_bswap16(GET16(u->src)));)
DEF_HANDLER(i_movbe32, SET32(u->dst, __builtin_bswap32(GET32(u->src)));)
DEF_HANDLER(i_movbe64, SET64(u->dst, __builtin_bswap64(GET64(u->src)));)
