/* SPDX-License-Identifier: BSD-2-Clause */
/* Forms: their text, random encodings of them, and random inputs for an encoding. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "src/util.h"
#include "tests/cpu/hostcmp.h"

/* ---- randomness: splitmix64 ---- */

uint64_t hc_seed;
bool hc_sequence;

uint64_t hc_rand(void)
{
	uint64_t z = hc_seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t hc_below(uint64_t n)
{
	return (uint64_t)((unsigned __int128)hc_rand() * n >> 64);
}

uint64_t hc_value(void)
{
	uint64_t v = hc_rand();
	unsigned bit = hc_below(64);

	switch (hc_below(10)) {
	case 0:
		return hc_below(4);
	case 1:
		return -hc_below(4) - 1;
	case 2:
		return 1ull << bit;
	case 3:
		return (1ull << bit) - 1 + hc_below(3);
	case 4:
		return 0 - (1ull << bit) + hc_below(3) - 1;
	case 5:
		return v & 0xff;
	case 6:
		return v >> bit;
	case 7:
		return (uint64_t)((int64_t)v >> bit);
	default:
		return v;
	}
}

/* ---- text ---- */

static const char *skip_space(const char *s)
{
	while (*s == ' ')
		s++;
	return s;
}

static bool find_mnemonic(const char *word, ZydisMnemonic *out)
{
	for (unsigned m = 1; m <= ZYDIS_MNEMONIC_MAX_VALUE; m++) {
		if (strcmp(ZydisMnemonicGetString((ZydisMnemonic)m), word) == 0) {
			*out = (ZydisMnemonic)m;
			return true;
		}
	}
	return false;
}

static bool find_register(const char *word, ZydisRegister *out)
{
	for (unsigned r = 1; r <= ZYDIS_REGISTER_MAX_VALUE; r++) {
		const char *name = ZydisRegisterGetString((ZydisRegister)r);

		if (name && strcmp(name, word) == 0) {
			*out = (ZydisRegister)r;
			return true;
		}
	}
	return false;
}

/* Bits, or v or y for SIZE bytes: in bytes. 0: malformed. */
static unsigned parse_size(const char *s, unsigned size)
{
	unsigned bits;

	if (!strcmp(s, "v") || !strcmp(s, "y"))
		return size;
	bits = (unsigned)strtoul(s, NULL, 10);
	return bits / 8;
}

static bool parse_operand(const char *w, unsigned size, struct hc_operand *o)
{
	static const struct {
		const char *prefix;
		enum hc_kind kind;
	} kinds[] = {
		{"rm", HC_OP_RM}, {"xm", HC_OP_XM}, {"qm", HC_OP_MM},
		{"r", HC_OP_REG}, {"m", HC_OP_MEM}, {"i", HC_OP_IMM},
	};

	*o = (struct hc_operand){0};
	if (!strcmp(w, "x") || !strcmp(w, "q") || !strcmp(w, "sti")) {
		o->kind = w[0] == 'x' ? HC_OP_XMM : w[0] == 'q' ? HC_OP_MMX : HC_OP_ST;
		return true;
	}
	if (!strcmp(w, "agen")) {
		o->kind = HC_OP_MEM;
		return true;
	}
	if (isdigit((unsigned char)w[0])) {
		*o = (struct hc_operand){
			.kind = HC_OP_IMM, .size = 1, .fixed_imm = true, .value = atoi(w)};
		return true;
	}
	if (!strcmp(w, "av"))
		w = size == 2 ? "ax" : size == 4 ? "eax" : "rax";
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		size_t n = strlen(kinds[i].prefix);

		if (strncmp(w, kinds[i].prefix, n) == 0 && parse_size(w + n, size)) {
			o->kind = kinds[i].kind;
			o->size = parse_size(w + n, size);
			if (o->kind == HC_OP_IMM && w[n] == 'v')
				o->size = MIN(o->size, 4u);
			return true;
		}
	}
	o->kind = HC_OP_FIXED;
	return find_register(w, &o->reg);
}

bool hc_form_parse(const char *text, unsigned size, struct hc_parsed *p, const char **error)
{
	char word[32];
	int used;

	*p = (struct hc_parsed){.size = size};
	for (;;) {
		*error = "no mnemonic";
		if (sscanf(text, " %31[a-z0-9_]%n", word, &used) != 1)
			return false;
		text = skip_space(text + used);
		if (!strcmp(word, "lock"))
			p->prefixes |= ZYDIS_ATTRIB_HAS_LOCK;
		else if (!strcmp(word, "rep"))
			p->prefixes |= ZYDIS_ATTRIB_HAS_REP;
		else if (!strcmp(word, "repe"))
			p->prefixes |= ZYDIS_ATTRIB_HAS_REPE;
		else if (!strcmp(word, "repne"))
			p->prefixes |= ZYDIS_ATTRIB_HAS_REPNE;
		else
			break;
	}
	*error = "no such mnemonic";
	if (!find_mnemonic(word, &p->mnemonic))
		return false;
	*error = "operand not understood";
	while (*text && p->n < 4) {
		if (sscanf(text, " %31[a-z0-9]%n", word, &used) != 1 ||
		    !parse_operand(word, size, &p->ops[p->n]))
			return false;
		p->n++;
		text = skip_space(text + used);
		if (*text == ',')
			text++;
	}
	return true;
}

unsigned hc_form_sizes(const char *text, unsigned sizes[4])
{
	const char *p = strchr(text, ' ');
	bool v = false, y = false;

	for (; p && *p; p++) {
		bool end = p[1] == 0 || p[1] == ',' || p[1] == ' ';

		v |= *p == 'v' && end;
		y |= *p == 'y' && end;
	}
	if (!v && !y) {
		sizes[0] = 0;
		return 1;
	}
	sizes[0] = v ? 2 : 4;
	sizes[1] = v ? 4 : 8;
	sizes[2] = 8;
	return v ? 3 : 2;
}

/* ---- encoding ---- */

static ZydisRegister random_gpr(unsigned size, unsigned bits, bool no_high8)
{
	unsigned n = bits == 64 ? 16 : 8, id = (unsigned)hc_below(n);

	if (size == 1 && (bits != 64 || hc_below(4) == 0)) {
		if (no_high8)
			id &= 3;
		else if (hc_sequence && bits == 64)
			id &= 7;
		return (ZydisRegister)(ZYDIS_REGISTER_AL + (id & 7)); /* AL to BL, AH to BH */
	}
	/* rSP now and then only, where it may be anything. */
	if (id == HC_RSP && (hc_sequence || hc_below(4)))
		id = HC_RBX;
	if (size == 1)
		return id < 4 ? (ZydisRegister)(ZYDIS_REGISTER_AL + id)
			      : (ZydisRegister)(ZYDIS_REGISTER_SPL + id - 4);
	if (size == 2)
		return (ZydisRegister)(ZYDIS_REGISTER_AX + id);
	if (size == 4)
		return (ZydisRegister)(ZYDIS_REGISTER_EAX + id);
	return (ZydisRegister)(ZYDIS_REGISTER_RAX + id);
}

/* An address of an operand of SIZE bytes: mostly good, some across pages, at the edges, or nowhere. */
static uint64_t random_address(unsigned size, unsigned bits, unsigned options)
{
	uint64_t end = HC_DATA + 3 * HC_PAGE;
	unsigned kind = (unsigned)hc_below(100);

	if (options & HC_NO_MEM_FAULTS)
		kind %= 85;
	if (kind < 70 || ((options & HC_ALIGN) && hc_below(8))) {
		uint64_t off = hc_below(2 * HC_PAGE - size + 1);

		if ((options & HC_ALIGN) || hc_below(2))
			off &= ~(uint64_t)(size - 1);
		return HC_DATA + off;
	}
	if (kind < 85)
		return HC_DATA + HC_PAGE - 1 - hc_below(size);
	if (kind < 90)
		return HC_DATA + 2 * HC_PAGE - size + hc_below(2 * size);
	if (kind < 94)
		return end - hc_below(size);
	if (kind < 97)
		return HC_DATA - 1 - hc_below(size);
	if (bits != 64)
		return 0x30000000 + hc_below(0x40000000); /* above may be a sanitizer's shadow */
	return kind < 99 ? hc_rand() | 1ull << 62 : end + hc_below(HC_PAGE);
}

/* BX, BP, SI, DI; BX or BP with SI or DI. */
static void encode_address16(ZydisEncoderOperand *o)
{
	static const ZydisRegister base[] = {ZYDIS_REGISTER_BX, ZYDIS_REGISTER_BP},
				   index[] = {ZYDIS_REGISTER_SI, ZYDIS_REGISTER_DI};

	switch (hc_below(3)) {
	case 0:
		o->mem.base = base[hc_below(2)];
		break;
	case 1:
		o->mem.base = index[hc_below(2)];
		break;
	default:
		o->mem.base = base[hc_below(2)];
		o->mem.index = index[hc_below(2)];
		o->mem.scale = 1;
		break;
	}
}

static void encode_address(ZydisEncoderOperand *o, unsigned bits, unsigned reg_size)
{
	if (hc_below(8))
		o->mem.base = random_gpr(reg_size, bits, false);
	if (o->mem.base == ZYDIS_REGISTER_NONE || hc_below(3) == 0) {
		do {
			o->mem.index = random_gpr(reg_size, bits, false);
		} while (o->mem.index == o->mem.base || o->mem.index == ZYDIS_REGISTER_RSP ||
			 o->mem.index == ZYDIS_REGISTER_ESP);
		o->mem.scale = (uint8_t)(1u << hc_below(4));
	}
	if (o->mem.base == ZYDIS_REGISTER_NONE && o->mem.scale == 1)
		o->mem.scale = 2; /* the encoder would take it for a base */
}

static void encode_mem(const struct hc_form *f, ZydisEncoderOperand *o, unsigned size,
		       struct hc_insn *out)
{
	unsigned bits = out->bits, reg_size = bits / 8;

	if (bits == 64 && hc_below(16) == 0)
		reg_size = 4;
	if (out->code >= HC_SEG32 && hc_below(4) == 0)
		reg_size = 6 - reg_size;
	o->type = ZYDIS_OPERAND_TYPE_MEMORY;
	o->mem.size = (uint16_t)(size ? size : bits / 8);
	o->mem.scale = 0;
	o->mem.base = o->mem.index = ZYDIS_REGISTER_NONE;
	o->mem.displacement = 0;
	out->mem_size = size ? size : 1;
	if (hc_sequence || hc_below(12) == 0) {
		out->mem_only_disp = true;
		out->fixed_addr = random_address(out->mem_size, 32, f->options | HC_NO_MEM_FAULTS);
		o->mem.displacement = (int64_t)(out->code >= HC_SEG32 ? out->fixed_addr - HC_DATA
								      : out->fixed_addr);
		return;
	}
	if (reg_size == 2)
		encode_address16(o);
	else
		encode_address(o, bits, reg_size);
	switch (hc_below(3)) {
	case 0:
		o->mem.displacement = (int8_t)hc_rand();
		break;
	case 1:
		o->mem.displacement = reg_size == 2 ? (int16_t)hc_rand() : (int32_t)hc_rand();
		break;
	}
}

static int64_t random_imm(unsigned size)
{
	uint64_t v = hc_value();

	return size == 1 ? (int8_t)v : size == 2 ? (int16_t)v : size == 4 ? (int32_t)v : (int64_t)v;
}

static void encode_operand(const struct hc_form *f, const struct hc_operand *p, unsigned i,
			   struct hc_insn *out)
{
	ZydisEncoderOperand *o = &out->req.operands[i];
	enum hc_kind kind = p->kind;
	bool mem = hc_below(2);

	memset(o, 0, sizeof(*o));
	if (kind == HC_OP_RM)
		kind = mem ? HC_OP_MEM : HC_OP_REG;
	if (kind == HC_OP_XM)
		kind = mem ? HC_OP_MEM : HC_OP_XMM;
	if (kind == HC_OP_MM)
		kind = mem ? HC_OP_MEM : HC_OP_MMX;
	if (kind == HC_OP_MEM) {
		out->mem = (int)i;
		encode_mem(f, o, p->size, out);
		return;
	}
	if (kind == HC_OP_IMM) {
		o->type = ZYDIS_OPERAND_TYPE_IMMEDIATE;
		o->imm.s = p->fixed_imm ? p->value : random_imm(p->size);
		return;
	}
	o->type = ZYDIS_OPERAND_TYPE_REGISTER;
	switch (kind) {
	case HC_OP_FIXED:
		o->reg.value = p->reg;
		break;
	case HC_OP_XMM:
		o->reg.value =
			(ZydisRegister)(ZYDIS_REGISTER_XMM0 + hc_below(out->bits == 64 ? 16 : 8));
		break;
	case HC_OP_MMX:
		o->reg.value = (ZydisRegister)(ZYDIS_REGISTER_MM0 + hc_below(8));
		break;
	case HC_OP_ST:
		o->reg.value = (ZydisRegister)(ZYDIS_REGISTER_ST0 + hc_below(8));
		break;
	default:
		o->reg.value = random_gpr(p->size, out->bits, f->options & HC_NO_HIGH8);
		break;
	}
}

void hc_insn_init(struct hc_insn *insn, enum hc_code code)
{
	memset(insn, 0, sizeof(*insn));
	insn->code = code;
	insn->bits = code == HC_CODE64 ? 64 : code == HC_SEG16 ? 16 : 32;
	insn->expand_down = hc_below(4) == 0;
	insn->mem = -1;
	insn->req.machine_mode = insn->bits == 64   ? ZYDIS_MACHINE_MODE_LONG_64
				 : insn->bits == 32 ? ZYDIS_MACHINE_MODE_LONG_COMPAT_32
						    : ZYDIS_MACHINE_MODE_LONG_COMPAT_16;
}

bool hc_encode(const struct hc_form *f, const struct hc_parsed *p, enum hc_code code,
	       struct hc_insn *out)
{
	ZyanUSize length;

	/* Some combinations have no encoding (AH with a REX prefix): try others. */
	for (unsigned attempt = 0; attempt < 100; attempt++) {
		hc_insn_init(out, code);
		out->req.mnemonic = p->mnemonic;
		out->req.prefixes = p->prefixes;
		out->req.operand_count = (uint8_t)p->n;
		for (unsigned i = 0; i < p->n; i++)
			encode_operand(f, &p->ops[i], i, out);
		length = ZYDIS_MAX_INSTRUCTION_LENGTH;
		if (ZYAN_SUCCESS(ZydisEncoderEncodeInstruction(&out->req, out->bytes, &length))) {
			out->length = (unsigned)length;
			return true;
		}
	}
	return false;
}

/* ---- inputs ---- */

static unsigned reg_id(ZydisRegister r)
{
	if (r >= ZYDIS_REGISTER_AH && r <= ZYDIS_REGISTER_BH)
		return (unsigned)(r - ZYDIS_REGISTER_AH);
	if (r >= ZYDIS_REGISTER_SPL && r <= ZYDIS_REGISTER_R15B)
		return (unsigned)(r - ZYDIS_REGISTER_SPL) + 4;
	return (unsigned)ZydisRegisterGetId(r);
}

static unsigned reg_bytes(ZydisRegister r)
{
	return ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, r) / 8;
}

uint64_t hc_reg(const struct hc_case *k, ZydisRegister r)
{
	uint64_t v = k->in.gpr[reg_id(r)];

	if (r >= ZYDIS_REGISTER_AH && r <= ZYDIS_REGISTER_BH)
		v >>= 8;
	return reg_bytes(r) == 8 ? v : v & ((1ull << 8 * reg_bytes(r)) - 1);
}

void hc_set_reg(struct hc_case *k, ZydisRegister r, uint64_t value)
{
	uint8_t *p = (uint8_t *)&k->in.gpr[reg_id(r)];

	if (r >= ZYDIS_REGISTER_AH && r <= ZYDIS_REGISTER_BH)
		p++;
	memcpy(p, &value, reg_bytes(r));
}

static uint8_t *mem_at(struct hc_case *k, uint64_t addr, unsigned size)
{
	if (addr >= HC_DATA && addr + size <= HC_DATA + 3 * HC_PAGE)
		return k->data + (addr - HC_DATA);
	if (addr >= HC_STACK && addr + size <= HC_STACK + HC_PAGE)
		return k->stack + (addr - HC_STACK);
	return NULL;
}

uint8_t *hc_mem(struct hc_case *k, uint64_t addr, unsigned size)
{
	k->written = true;
	return mem_at(k, addr, size);
}

uint64_t hc_operand_value(struct hc_case *k, unsigned i)
{
	const ZydisEncoderOperand *o = &k->insn->req.operands[i];
	uint8_t *p;

	switch (o->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		return hc_reg(k, o->reg.value);
	case ZYDIS_OPERAND_TYPE_MEMORY:
		p = mem_at(k, k->addr, o->mem.size);
		return p ? ldn_le(p, MIN(o->mem.size, 8u)) : 0;
	default:
		return o->imm.u;
	}
}

void hc_set_operand_value(struct hc_case *k, unsigned i, uint64_t value)
{
	const ZydisEncoderOperand *o = &k->insn->req.operands[i];
	uint8_t *p;

	if (o->type == ZYDIS_OPERAND_TYPE_REGISTER) {
		hc_set_reg(k, o->reg.value, value);
	} else if (o->type == ZYDIS_OPERAND_TYPE_MEMORY) {
		p = hc_mem(k, k->addr, o->mem.size);
		if (p)
			stn_le(p, MIN(o->mem.size, 8u), value);
	}
}

static uint64_t seg_base(const struct hc_case *k, enum hc_segment seg)
{
	if (k->insn->code < HC_SEG32)
		return 0;
	return seg == HC_SS ? HC_STACK : HC_DATA;
}

uint64_t hc_lin(const struct hc_case *k, enum hc_segment seg, uint64_t off)
{
	return k->insn->bits == 64 ? off : (uint32_t)(seg_base(k, seg) + off);
}

uint64_t hc_off(const struct hc_case *k, enum hc_segment seg, uint64_t lin)
{
	uint64_t off = lin - seg_base(k, seg);

	return k->insn->bits == 64 ? off : k->insn->bits == 32 ? (uint32_t)off : (uint16_t)off;
}

/* By the base register: a stack pointer's or the data segment. */
static enum hc_segment operand_segment(const ZydisEncoderOperand *o)
{
	unsigned id = o->mem.base == ZYDIS_REGISTER_NONE ? 0 : reg_id(o->mem.base);

	return id == HC_RSP || id == HC_RBP ? HC_SS : HC_DS;
}

/* An address in segmented code: good, at the limit, or beyond. */
static uint64_t random_segmented(const struct hc_case *k, enum hc_segment seg)
{
	uint64_t size = k->insn->mem_size, limit = seg == HC_SS ? HC_SS_LIMIT : HC_DS_LIMIT;
	uint64_t base = seg_base(k, seg);

	if ((k->form->options & HC_NO_MEM_FAULTS) || hc_below(8))
		return seg == HC_SS ? base + hc_below(limit - size)
				    : random_address((unsigned)size, 32, HC_NO_MEM_FAULTS);
	switch (hc_below(3)) {
	case 0:
		return base + limit - hc_below(size + 1);
	case 1:
		return base - hc_below(size + 1);
	default:
		return base + limit + hc_below(0xc000);
	}
}

/* Gives base and index values that lead to an address, and says which. */
static void make_address(struct hc_case *k)
{
	const struct hc_insn *insn = k->insn;
	const ZydisEncoderOperand *o = &insn->req.operands[insn->mem];
	uint64_t want, index, disp = (uint64_t)o->mem.displacement, addr;
	bool base = o->mem.base != ZYDIS_REGISTER_NONE,
	     has_index = o->mem.index != ZYDIS_REGISTER_NONE;
	enum hc_segment seg = operand_segment(o);
	unsigned width = 8;

	if (insn->mem_only_disp) {
		k->addr = insn->fixed_addr;
		return;
	}
	width = reg_bytes(base ? o->mem.base : o->mem.index);
	want = insn->code >= HC_SEG32
		       ? random_segmented(k, seg) - seg_base(k, seg)
		       : random_address(insn->mem_size, width < 8 ? 32 : 64, k->form->options);
	if (!base) {
		index = (want - disp) / o->mem.scale;
		if (width == 4)
			index = (uint32_t)(want - disp) / o->mem.scale;
		hc_set_reg(k, o->mem.index, index);
		addr = hc_reg(k, o->mem.index) * o->mem.scale + disp;
	} else {
		index = has_index ? hc_reg(k, o->mem.index) * o->mem.scale : 0;
		hc_set_reg(k, o->mem.base, want - disp - index);
		addr = hc_reg(k, o->mem.base) + index + disp;
	}
	addr = width == 8 ? addr : width == 4 ? (uint32_t)addr : (uint16_t)addr;
	k->addr = hc_lin(k, seg, addr);
}

void hc_make_case(struct hc_case *k)
{
	const uint64_t flags = 0x8d5; /* OF SF ZF AF PF CF */

	for (unsigned i = 0; i < 16; i++)
		k->in.gpr[i] = hc_value();
	k->in.gpr[HC_RSP] = HC_STACK + HC_PAGE / 4 + hc_below(HC_PAGE / 2);
	if (hc_below(8))
		k->in.gpr[HC_RSP] &= ~7ull;
	if (k->insn->code >= HC_SEG32)
		k->in.gpr[HC_RSP] -= HC_STACK;
	if (k->insn->code == HC_SEG16 && hc_below(2))
		k->in.gpr[HC_RSP] |= hc_rand() << 16; /* not looked at */
	if (k->insn->bits != 64)
		for (unsigned i = 0; i < 16; i++)
			k->in.gpr[i] = i < 8 ? (uint32_t)k->in.gpr[i] : 0;
	k->in.flags = 0x202 | (hc_rand() & flags) | (hc_below(8) ? 0 : 0x400);
	k->addr = 0;
	if (k->insn->mem >= 0)
		make_address(k);
	if (k->form->setup)
		k->form->setup(k);
	if (k->insn->bits != 64)
		for (unsigned i = 0; i < 8; i++)
			k->in.gpr[i] = (uint32_t)k->in.gpr[i];
}
