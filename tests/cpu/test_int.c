/* SPDX-License-Identifier: BSD-2-Clause */
/* Integer instructions against the host's processor. */
#include "src/cpu/cpuid.h"
#include "src/util.h"
#include "tests/cpu/hostcmp.h"

#define CF 0x001u
#define PF 0x004u
#define AF 0x010u
#define ZF 0x040u
#define SF 0x080u
#define OF 0x800u

#define MASK(bytes) ((bytes) >= 8 ? ~0ull : (1ull << 8 * (bytes)) - 1)

/* Bytes of operand I. */
static unsigned op_bytes(const struct hc_case *k, unsigned i)
{
	const ZydisEncoderOperand *o = &k->insn->req.operands[i];

	if (o->type == ZYDIS_OPERAND_TYPE_REGISTER)
		return ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, o->reg.value) / 8;
	return o->mem.size;
}

/* ---- shifts: which flags are undefined hangs on the count ---- */

static unsigned shift_count(const struct hc_case *k, unsigned i)
{
	uint64_t n = hc_operand_value((struct hc_case *)k, i);

	return n & (op_bytes(k, 0) == 8 ? 63 : 31);
}

static uint32_t undef_shift(const struct hc_case *k)
{
	unsigned n = shift_count(k, 1), bits = 8 * op_bytes(k, 0);

	return (n ? AF : 0) | (n > 1 ? OF : 0) | (n > bits ? CF : 0);
}

/* SAR keeps bringing in the sign, whatever the count. */
static uint32_t undef_sar(const struct hc_case *k)
{
	unsigned n = shift_count(k, 1);

	return (n ? AF : 0) | (n > 1 ? OF : 0);
}

static uint32_t undef_rotate(const struct hc_case *k)
{
	return shift_count(k, 1) > 1 ? OF : 0;
}

static uint32_t undef_double(const struct hc_case *k)
{
	unsigned n = shift_count(k, 2);

	if (n > 8 * op_bytes(k, 0))
		return CF | PF | AF | ZF | SF | OF;
	return (n ? AF : 0) | (n > 1 ? OF : 0);
}

/* 16-bit SHLD and SHRD: counts over 16 are undefined, result and all. */
static void setup_double(struct hc_case *k)
{
	if (op_bytes(k, 0) == 2 && k->insn->req.operands[2].type == ZYDIS_OPERAND_TYPE_REGISTER)
		k->in.gpr[HC_RCX] = (k->in.gpr[HC_RCX] & ~0xffull) | hc_below(17);
}

/* ---- multiplication, division ---- */

static bool in_address(const struct hc_case *k, unsigned id)
{
	const ZydisEncoderOperand *o = &k->insn->req.operands[0];

	return o->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       (ZydisRegisterGetId(o->mem.base) == (ZyanI8)id ||
		ZydisRegisterGetId(o->mem.index) == (ZyanI8)id);
}

/* Mostly dividends whose quotient fits. */
static void setup_div(struct hc_case *k)
{
	unsigned size = op_bytes(k, 0);

	if (in_address(k, size == 1 ? HC_RAX : HC_RDX))
		return;

	switch (hc_below(4)) {
	case 0:
		break;
	case 1:
		hc_set_reg(k, size == 1 ? ZYDIS_REGISTER_AH : ZYDIS_REGISTER_RDX, 0);
		break;
	case 2:
		if (size == 1)
			hc_set_reg(k, ZYDIS_REGISTER_AX, (uint64_t)(int8_t)k->in.gpr[HC_RAX]);
		else
			hc_set_reg(k, ZYDIS_REGISTER_RDX,
				   (k->in.gpr[HC_RAX] >> (8 * size - 1) & 1) ? MASK(size) : 0);
		break;
	default:
		hc_set_reg(k, size == 1 ? ZYDIS_REGISTER_AH : ZYDIS_REGISTER_RDX, hc_below(16));
		break;
	}
}

/* ---- CMPXCHG: equal half of the time ---- */

static void setup_cmpxchg(struct hc_case *k)
{
	static const ZydisRegister acc[] = {ZYDIS_REGISTER_AL, ZYDIS_REGISTER_AX,
					    ZYDIS_REGISTER_EAX, ZYDIS_REGISTER_RAX};
	unsigned size = op_bytes(k, 0);
	const ZydisEncoderOperand *o = &k->insn->req.operands[0];

	if (hc_below(2))
		return;
	/* What the accumulator holds goes to the destination, so that an address in it stays. */
	if (o->type == ZYDIS_OPERAND_TYPE_MEMORY || hc_below(2))
		hc_set_operand_value(k, 0, hc_reg(k, acc[__builtin_ctz(size)]));
}

static void setup_cmpxchg8b(struct hc_case *k)
{
	unsigned half = op_bytes(k, 0) / 2;
	uint8_t *p = hc_mem(k, k->addr, 2 * half);

	if (!p || hc_below(2))
		return;
	stn_le(p, half, k->in.gpr[HC_RAX] & MASK(half));
	stn_le(p + half, half, k->in.gpr[HC_RDX] & MASK(half));
}

/* ---- bit strings: the number reaches beyond the operand, but not too far ---- */

static void setup_bit(struct hc_case *k)
{
	const ZydisEncoderOperand *m = &k->insn->req.operands[0], *n = &k->insn->req.operands[1];

	if (m->type != ZYDIS_OPERAND_TYPE_MEMORY || n->type != ZYDIS_OPERAND_TYPE_REGISTER)
		return;
	/* When the register makes the address as well, there is no telling where it leads. */
	if (ZydisRegisterGetId(n->reg.value) == ZydisRegisterGetId(m->mem.base) ||
	    ZydisRegisterGetId(n->reg.value) == ZydisRegisterGetId(m->mem.index)) {
		k->skip = true;
		return;
	}
	hc_set_reg(k, n->reg.value, hc_below(hc_below(2) ? 16384 : 65536) - 8192);
}

/* ---- strings ---- */

static uint64_t string_address(void)
{
	uint64_t off = hc_below(2 * HC_PAGE);

	switch (hc_below(8)) {
	case 0:
		return HC_DATA + HC_PAGE - hc_below(64);
	case 1:
		return HC_DATA + 2 * HC_PAGE - hc_below(64); /* read-only follows */
	case 2:
		return HC_DATA + hc_below(64); /* nothing before it */
	case 3:
		return HC_DATA + (off & ~7ull);
	default:
		return HC_DATA + off;
	}
}

static void setup_string(struct hc_case *k)
{
	uint64_t si = string_address(), di = string_address(), n;

	if (hc_below(3) == 0) /* overlapping */
		di = si + hc_below(33) - 16;
	if (hc_below(64) == 0)
		di = HC_DATA - 8 + hc_below(16);
	k->in.gpr[HC_RSI] = hc_off(k, HC_DS, si);
	k->in.gpr[HC_RDI] = hc_off(k, HC_ES, di);
	n = hc_below(4) ? hc_below(40) : hc_below(3) ? hc_below(8192) : 0;
	k->in.gpr[HC_RCX] = n;
	if (hc_below(2)) { /* alike for a while */
		uint8_t *p = hc_mem(k, si, 64), *q = hc_mem(k, di, 64);

		if (p && q)
			memmove(q, p, hc_below(64));
	}
	if (hc_below(2)) {
		uint8_t *q = hc_mem(k, di, 64);

		if (q)
			memset(q, (int)(k->in.gpr[HC_RAX] & 0xff), hc_below(64));
	}
}

/* ---- stack ---- */

/* What POPF takes: neither TF nor AC, which would act on the host. */
static void setup_popf(struct hc_case *k)
{
	uint8_t *p = hc_mem(k,
			    hc_lin(k, HC_SS,
				   k->insn->bits == 16 ? (uint16_t)k->in.gpr[HC_RSP]
						       : k->in.gpr[HC_RSP]),
			    8);

	if (p)
		stn_le(p, 8, (hc_rand() & ~0x40100ull & ~0x1f0000ull & ~0x3000ull) | 0x200);
}

static void setup_leave(struct hc_case *k)
{
	k->in.gpr[HC_RBP] = HC_STACK + hc_below(HC_PAGE - 8);
	if (hc_below(16) == 0)
		k->in.gpr[HC_RBP] = HC_STACK + HC_PAGE - hc_below(12);
	k->in.gpr[HC_RBP] = hc_off(k, HC_SS, k->in.gpr[HC_RBP]);
}

static void setup_enter(struct hc_case *k)
{
	setup_leave(k);
	k->in.gpr[HC_RSP] = hc_off(k, HC_SS, HC_STACK + 2048 + 8 * hc_below(200));
}

/* ---- others ---- */

static uint32_t undef_bsf(const struct hc_case *k)
{
	return CF | OF | SF | AF | PF;
}

/* BSF and BSR of 0 with a 32-bit operand: processors differ in the upper half of the destination. */
static void setup_bsf(struct hc_case *k)
{
	if (op_bytes(k, 0) == 4 && !hc_operand_value(k, 1))
		hc_set_operand_value(k, 1, 1);
}

static void setup_xlat(struct hc_case *k)
{
	k->in.gpr[HC_RBX] = hc_off(k, HC_DS, HC_DATA + hc_below(3 * HC_PAGE));
}

/* Bounds that hold, mostly. */
static void setup_bound(struct hc_case *k)
{
	unsigned size = op_bytes(k, 0);
	uint8_t *p = hc_mem(k, k->addr, 2 * size);

	if (p && hc_below(4)) {
		stn_le(p, size, (0x80ull << 8 * (size - 1)) + hc_below(16));
		stn_le(p + size, size, (0x7full << 8 * (size - 1)) + hc_below(16));
	}
}

#define ALU(name)                                                                                \
	{.text = name " rm8, r8"}, {.text = name " rmv, rv"}, {.text = name " r8, rm8"},         \
		{.text = name " rv, rmv"}, {.text = name " rm8, i8"}, {.text = name " rmv, i8"}, \
		{.text = name " rmv, iv"}, {.text = name " al, i8"},                             \
	{                                                                                        \
		.text = name " av, iv"                                                           \
	}
#define ALU_LOGIC(name)                                                                         \
	{.text = name " rm8, r8", .undefined = AF}, {.text = name " rmv, rv", .undefined = AF}, \
		{.text = name " r8, rm8", .undefined = AF},                                     \
		{.text = name " rv, rmv", .undefined = AF},                                     \
		{.text = name " rm8, i8", .undefined = AF},                                     \
		{.text = name " rmv, i8", .undefined = AF},                                     \
	{                                                                                       \
		.text = name " rmv, iv", .undefined = AF                                        \
	}
#define LOCKED(name)                                                        \
	{.text = "lock " name " m8, r8"}, {.text = "lock " name " mv, rv"}, \
		{.text = "lock " name " m8, i8"},                           \
	{                                                                   \
		.text = "lock " name " mv, iv"                              \
	}
#define LOCKED_LOGIC(name)                                         \
	{.text = "lock " name " m8, r8", .undefined = AF},         \
		{.text = "lock " name " mv, rv", .undefined = AF}, \
		{.text = "lock " name " m8, i8", .undefined = AF}, \
	{                                                          \
		.text = "lock " name " mv, iv", .undefined = AF    \
	}
#define UNARY(name)                                                                 \
	{.text = name " rm8"}, {.text = name " rmv"}, {.text = "lock " name " m8"}, \
	{                                                                           \
		.text = "lock " name " mv"                                          \
	}
#define SHIFT(name, fn)                                        \
	{.text = name " rm8, i8", .undefined_if = fn},         \
		{.text = name " rmv, i8", .undefined_if = fn}, \
		{.text = name " rm8, 1", .undefined_if = fn},  \
		{.text = name " rmv, 1", .undefined_if = fn},  \
		{.text = name " rm8, cl", .undefined_if = fn}, \
	{                                                      \
		.text = name " rmv, cl", .undefined_if = fn    \
	}
#define DOUBLE_SHIFT(name)                                                                       \
	{.text = name " rmv, rv, 5", .undefined_if = undef_double},                              \
		{.text = name " rmv, rv, 1", .undefined_if = undef_double},                      \
		{.text = name " rmv, rv, 16", .undefined_if = undef_double},                     \
		{.text = name " rmy, ry, 31", .undefined_if = undef_double},                     \
		{.text = name " rmv, rv, 0", .undefined_if = undef_double},                      \
	{                                                                                        \
		.text = name " rmv, rv, cl", .undefined_if = undef_double, .setup = setup_double \
	}
#define BIT_TEST(name)                                                                 \
	{.text = name " rmv, rv", .undefined = OF | SF | AF | PF, .setup = setup_bit}, \
	{                                                                              \
		.text = name " rmv, i8", .undefined = OF | SF | AF | PF                \
	}
#define LOCKED_BIT(name)                                                                      \
	{.text = "lock " name " mv, rv", .undefined = OF | SF | AF | PF, .setup = setup_bit}, \
	{                                                                                     \
		.text = "lock " name " mv, i8", .undefined = OF | SF | AF | PF                \
	}
#define COND(cc)                                                   \
	{.text = "set" cc " rm8"},                                 \
	{                                                          \
		.text = "cmov" cc " rv, rmv", .feature = FEAT_CMOV \
	}
#define STRING_SIZE(text_, opts)                                        \
	{                                                               \
		.text = text_, .setup = setup_string, .options = (opts) \
	}
#define STRING(name, rep, opts)                                           \
	STRING_SIZE(rep name "b", opts), STRING_SIZE(rep name "w", opts), \
		STRING_SIZE(rep name "d", opts), STRING_SIZE(rep name "q", (opts) | HC_ONLY64)
#define BMI(text_, undef, feat)                                    \
	{                                                          \
		.text = text_, .undefined = undef, .feature = feat \
	}

static const struct hc_form forms[] = {
	ALU("add"),
	ALU("adc"),
	ALU("sbb"),
	ALU("sub"),
	ALU("cmp"),
	ALU_LOGIC("and"),
	ALU_LOGIC("or"),
	ALU_LOGIC("xor"),
	{.text = "test rm8, r8", .undefined = AF},
	{.text = "test rmv, rv", .undefined = AF},
	{.text = "test rm8, i8", .undefined = AF},
	{.text = "test rmv, iv", .undefined = AF},
	LOCKED("add"),
	LOCKED("adc"),
	LOCKED("sbb"),
	LOCKED("sub"),
	LOCKED_LOGIC("and"),
	LOCKED_LOGIC("or"),
	LOCKED_LOGIC("xor"),
	UNARY("inc"),
	UNARY("dec"),
	UNARY("neg"),
	UNARY("not"),

	{.text = "mov rm8, r8"},
	{.text = "mov rmv, rv"},
	{.text = "mov r8, rm8"},
	{.text = "mov rv, rmv"},
	{.text = "mov rm8, i8"},
	{.text = "mov rmv, iv"},
	{.text = "mov r64, i64"},
	{.text = "movnti my, ry", .feature = FEAT_SSE2},
	{.text = "movzx rv, rm8"},
	{.text = "movzx ry, rm16"},
	{.text = "movsx rv, rm8"},
	{.text = "movsx ry, rm16"},
	{.text = "movsxd r64, rm32"},
	{.text = "lea rv, agen"},
	{.text = "bswap ry"},
	{.text = "xchg rm8, r8"},
	{.text = "xchg rmv, rv"},
	{.text = "xchg av, rv"},
	{.text = "xlat", .setup = setup_xlat},
	{.text = "cbw"},
	{.text = "cwde"},
	{.text = "cdqe", .options = HC_ONLY64},
	{.text = "cwd"},
	{.text = "cdq"},
	{.text = "cqo", .options = HC_ONLY64},
	COND("o"),
	COND("no"),
	COND("b"),
	COND("nb"),
	COND("z"),
	COND("nz"),
	COND("be"),
	COND("nbe"),
	COND("s"),
	COND("ns"),
	COND("p"),
	COND("np"),
	COND("l"),
	COND("nl"),
	COND("le"),
	COND("nle"),

	{.text = "xadd rm8, r8"},
	{.text = "xadd rmv, rv"},
	{.text = "lock xadd m8, r8"},
	{.text = "lock xadd mv, rv"},
	{.text = "cmpxchg rm8, r8", .setup = setup_cmpxchg, .options = HC_IN_SEQUENCES},
	{.text = "cmpxchg rmv, rv", .setup = setup_cmpxchg, .options = HC_IN_SEQUENCES},
	{.text = "lock cmpxchg m8, r8", .setup = setup_cmpxchg},
	{.text = "lock cmpxchg mv, rv", .setup = setup_cmpxchg},
	{.text = "cmpxchg8b m64", .setup = setup_cmpxchg8b},
	{.text = "lock cmpxchg8b m64", .setup = setup_cmpxchg8b},
	{.text = "cmpxchg16b m128",
	 .setup = setup_cmpxchg8b,
	 .feature = FEAT_CX16,
	 .options = HC_ALIGN | HC_ONLY64},
	{.text = "lock cmpxchg16b m128",
	 .setup = setup_cmpxchg8b,
	 .feature = FEAT_CX16,
	 .options = HC_ALIGN | HC_ONLY64},

	SHIFT("shl", undef_shift),
	SHIFT("shr", undef_shift),
	SHIFT("sar", undef_sar),
	SHIFT("rol", undef_rotate),
	SHIFT("ror", undef_rotate),
	SHIFT("rcl", undef_rotate),
	SHIFT("rcr", undef_rotate),
	DOUBLE_SHIFT("shld"),
	DOUBLE_SHIFT("shrd"),

	BIT_TEST("bt"),
	BIT_TEST("bts"),
	BIT_TEST("btr"),
	BIT_TEST("btc"),
	LOCKED_BIT("bts"),
	LOCKED_BIT("btr"),
	LOCKED_BIT("btc"),
	{.text = "bsf rv, rmv", .undefined_if = undef_bsf, .setup = setup_bsf},
	{.text = "bsr rv, rmv", .undefined_if = undef_bsf, .setup = setup_bsf},
	BMI("tzcnt rv, rmv", OF | SF | AF | PF, FEAT_BMI1),
	BMI("lzcnt rv, rmv", OF | SF | AF | PF, FEAT_ABM),
	BMI("popcnt rv, rmv", 0, FEAT_POPCNT),
	BMI("andn ry, ry, rmy", AF | PF, FEAT_BMI1),
	BMI("bextr ry, rmy, ry", AF | SF | PF, FEAT_BMI1),
	BMI("blsi ry, rmy", AF | PF, FEAT_BMI1),
	BMI("blsr ry, rmy", AF | PF, FEAT_BMI1),
	BMI("blsmsk ry, rmy", AF | PF, FEAT_BMI1),
	BMI("bzhi ry, rmy, ry", AF | PF, FEAT_BMI2),
	BMI("pdep ry, ry, rmy", 0, FEAT_BMI2),
	BMI("pext ry, ry, rmy", 0, FEAT_BMI2),
	BMI("mulx ry, ry, rmy", 0, FEAT_BMI2),
	BMI("rorx ry, rmy, i8", 0, FEAT_BMI2),
	BMI("sarx ry, rmy, ry", 0, FEAT_BMI2),
	BMI("shlx ry, rmy, ry", 0, FEAT_BMI2),
	BMI("shrx ry, rmy, ry", 0, FEAT_BMI2),
	BMI("adcx ry, rmy", 0, FEAT_ADX),
	BMI("adox ry, rmy", 0, FEAT_ADX),
	BMI("crc32 r32, rm8", 0, FEAT_SSE42),
	BMI("crc32 r32, rm16", 0, FEAT_SSE42),
	BMI("crc32 r32, rm32", 0, FEAT_SSE42),
	BMI("crc32 r64, rm64", 0, FEAT_SSE42),
	BMI("movbe rv, mv", 0, FEAT_MOVBE),
	BMI("movbe mv, rv", 0, FEAT_MOVBE),

	{.text = "mul rm8", .undefined = SF | ZF | AF | PF},
	{.text = "mul rmv", .undefined = SF | ZF | AF | PF},
	{.text = "imul rm8", .undefined = SF | ZF | AF | PF},
	{.text = "imul rmv", .undefined = SF | ZF | AF | PF},
	{.text = "imul rv, rmv", .undefined = SF | ZF | AF | PF},
	{.text = "imul rv, rmv, i8", .undefined = SF | ZF | AF | PF},
	{.text = "imul rv, rmv, iv", .undefined = SF | ZF | AF | PF},
	{.text = "div rm8", .undefined = CF | OF | SF | ZF | AF | PF, .setup = setup_div},
	{.text = "div rmv", .undefined = CF | OF | SF | ZF | AF | PF, .setup = setup_div},
	{.text = "idiv rm8", .undefined = CF | OF | SF | ZF | AF | PF, .setup = setup_div},
	{.text = "idiv rmv", .undefined = CF | OF | SF | ZF | AF | PF, .setup = setup_div},
	{.text = "daa", .undefined = OF, .options = HC_ONLY32},
	{.text = "das", .undefined = OF, .options = HC_ONLY32},
	{.text = "aaa", .undefined = OF | SF | ZF | PF, .options = HC_ONLY32},
	{.text = "aas", .undefined = OF | SF | ZF | PF, .options = HC_ONLY32},
	{.text = "aam i8", .undefined = OF | AF | CF, .options = HC_ONLY32},
	{.text = "aad i8", .undefined = OF | AF | CF, .options = HC_ONLY32},

	STRING("movs", "", 0),
	STRING("movs", "rep ", 0),
	STRING("stos", "", 0),
	STRING("stos", "rep ", 0),
	STRING("lods", "", 0),
	STRING("lods", "rep ", 0),
	STRING("scas", "", 0),
	STRING("scas", "repe ", 0),
	STRING("scas", "repne ", 0),
	STRING("cmps", "", HC_ANY_CR2),
	STRING("cmps", "repe ", HC_ANY_CR2),
	STRING("cmps", "repne ", HC_ANY_CR2),

	{.text = "push r16"},
	{.text = "push r32", .options = HC_ONLY32},
	{.text = "push r64"},
	{.text = "push rm16"},
	{.text = "push rm32", .options = HC_ONLY32},
	{.text = "push rm64"},
	{.text = "push i8"},
	{.text = "push i32"},
	{.text = "pop r16"},
	{.text = "pop r32", .options = HC_ONLY32},
	{.text = "pop r64"},
	{.text = "pop rm16"},
	{.text = "pop rm32", .options = HC_ONLY32},
	{.text = "pop rm64"},
	{.text = "pusha", .options = HC_ONLY32},
	{.text = "pushad", .options = HC_ONLY32},
	{.text = "popa", .options = HC_ONLY32},
	{.text = "popad", .options = HC_ONLY32},
	{.text = "pushf"},
	{.text = "pushfd", .options = HC_ONLY32},
	{.text = "pushfq", .options = HC_ONLY64},
	{.text = "popf", .setup = setup_popf},
	{.text = "popfd", .options = HC_ONLY32, .setup = setup_popf},
	{.text = "popfq", .options = HC_ONLY64, .setup = setup_popf},
	{.text = "enter 16, 0", .setup = setup_enter},
	{.text = "enter 200, 1", .setup = setup_enter},
	{.text = "enter 8, 2", .setup = setup_enter},
	{.text = "enter 40, 31", .setup = setup_enter},
	{.text = "enter 3000, 3", .setup = setup_enter},
	{.text = "leave", .setup = setup_leave},
	{.text = "lahf"},
	{.text = "sahf"},
	{.text = "clc"},
	{.text = "stc"},
	{.text = "cmc"},
	{.text = "cld"},
	{.text = "std"},
	{.text = "salc", .options = HC_ONLY32},
	{.text = "bound r16, m32", .options = HC_ONLY32, .setup = setup_bound},
	{.text = "bound r32, m64", .options = HC_ONLY32, .setup = setup_bound},
	{.text = "nop"},
	{.text = "nop rmv"},
	{.text = "pause"},
	{.text = "endbr64"},
	{.text = "prefetcht0 m8"},
	{.text = "prefetchnta m8"},
	{.text = "prefetchw m8"},
	{.text = "lfence"},
	{.text = "sfence"},
	{.text = "mfence"},
	{.text = "clflush m512"},
	{.text = "clflushopt m512", .feature = FEAT_CLFLUSHOPT},
	{.text = "clwb m512", .feature = FEAT_CLWB},
};

int main(int argc, char **argv)
{
	return hc_main(argc, argv, "test_int", forms, ARRAY_SIZE(forms));
}
