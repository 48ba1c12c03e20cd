/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest bytes to micro-operations: fetching, decoding (Zydis), walking the block, and the tools that the units use. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "src/cpu/block.h"
#include "src/cpu/cpuid.h"
#include "src/cpu/mmu.h"
#include "src/cpu/translate.h"
#include "src/log.h"

#define MAX_INSN_BYTES 15u

/* ---- table of entries by mnemonic, built once ---- */

static const struct xlate_entry *const tables[] = {
	xlate_int_table, xlate_flow_table, xlate_sys_table,
	xlate_fpu_table, xlate_mmx_table,  xlate_sse_table,
};

/* All entries grouped by mnemonic, each group ended by NULL; and where a group begins (0: none). */
static const struct xlate_entry **entries;
static uint16_t group[ZYDIS_MNEMONIC_MAX_VALUE + 1];
static pthread_once_t entries_once = PTHREAD_ONCE_INIT;

static void build_entries(void)
{
	uint16_t count[ZYDIS_MNEMONIC_MAX_VALUE + 1] = {0};
	unsigned total = 1;

	for (unsigned t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct xlate_entry *e = tables[t]; e->fn; e++)
			count[e->mnemonic]++;
	for (unsigned m = 0; m <= ZYDIS_MNEMONIC_MAX_VALUE; m++) {
		if (!count[m])
			continue;
		group[m] = (uint16_t)total;
		total += count[m] + 1u;
		count[m] = 0;
	}
	entries = xzalloc(total * sizeof(*entries));
	for (unsigned t = 0; t < ARRAY_SIZE(tables); t++)
		for (const struct xlate_entry *e = tables[t]; e->fn; e++)
			entries[group[e->mnemonic] + count[e->mnemonic]++] = e;
}

const struct xlate_entry *const *xlate_lookup(ZydisMnemonic mnemonic)
{
	pthread_once(&entries_once, build_entries);
	return group[mnemonic] ? &entries[group[mnemonic]] : NULL;
}

/* ---- decoders ---- */

enum decoder_kind { DEC_64, DEC_COMPAT32, DEC_COMPAT16, DEC_32, DEC_16, DEC_REAL, DEC_COUNT };

struct xlate_decoders {
	ZydisDecoder d[DEC_COUNT];
	ZydisFormatter formatter;
};

struct xlate_decoders *xlate_decoders_new(const struct cpu *c)
{
	static const struct {
		ZydisMachineMode mode;
		ZydisStackWidth stack;
	} kinds[DEC_COUNT] = {
		[DEC_64] = {ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64},
		[DEC_COMPAT32] = {ZYDIS_MACHINE_MODE_LONG_COMPAT_32, ZYDIS_STACK_WIDTH_32},
		[DEC_COMPAT16] = {ZYDIS_MACHINE_MODE_LONG_COMPAT_16, ZYDIS_STACK_WIDTH_16},
		[DEC_32] = {ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32},
		[DEC_16] = {ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16},
		[DEC_REAL] = {ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16},
	};
	struct xlate_decoders *ds = xzalloc(sizeof(*ds));

	for (unsigned i = 0; i < DEC_COUNT; i++) {
		ZydisDecoder *d = &ds->d[i];

		ZydisDecoderInit(d, kinds[i].mode, kinds[i].stack);
		/* What is a hint NOP, or an older instruction with an ignored prefix, where the feature is absent. */
		ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_MPX, ZYAN_FALSE);
		ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_CET, ZYAN_FALSE);
		ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_CLDEMOTE, ZYAN_FALSE);
		ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_WBNOINVD, ZYAN_FALSE);
		ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_LZCNT,
				       c->model && cpu_has(c, FEAT_ABM));
		ZydisDecoderEnableMode(d, ZYDIS_DECODER_MODE_TZCNT,
				       c->model && cpu_has(c, FEAT_BMI1));
	}
	ZydisFormatterInit(&ds->formatter, ZYDIS_FORMATTER_STYLE_ATT);
	return ds;
}

static const ZydisDecoder *decoder_for(const struct cpu *c, uint32_t mode)
{
	const ZydisDecoder *d = c->blocks->decoders->d;

	if (mode & MODE_CODE64)
		return &d[DEC_64];
	if (!(mode & MODE_PE) || (mode & MODE_VM))
		/* Real-mode code with 32-bit default size is what a careless return to real mode gives. */
		return &d[mode & MODE_CODE32 ? DEC_32 : DEC_REAL];
	if (mode & MODE_LMA)
		return &d[mode & MODE_CODE32 ? DEC_COMPAT32 : DEC_COMPAT16];
	return &d[mode & MODE_CODE32 ? DEC_32 : DEC_16];
}

/* ---- emitting ---- */

struct uop *x_emit(struct xlate *x, enum uop_op op)
{
	struct uop *u = &x->uops[x->n++];

	*u = (struct uop){
		.fn = uop_functions[op],
		.op = (uint16_t)op,
		.ip = (uint16_t)(x->rip - x->block_rip),
		.ilen = x->insn ? x->insn->length : 0,
		.base = R_ZERO,
		.index = R_ZERO,
	};
	return u;
}

struct uop *x_emit_mem(struct xlate *x, enum uop_op op, const struct mem_ref *m)
{
	struct uop *u = x_emit(x, op);

	u->base = m->base;
	u->index = m->index;
	u->scale = m->scale;
	u->disp = m->disp;
	u->flags = m->flags;
	return u;
}

bool x_ud(struct xlate *x)
{
	x_emit(x, UOP_RAISE_UD);
	x->ended = true;
	return true;
}

bool x_gp(struct xlate *x)
{
	x_emit(x, UOP_RAISE_GP);
	x->ended = true;
	return true;
}

uint8_t x_reg(ZydisRegister r)
{
	return (uint8_t)(R_RAX + ZydisRegisterGetId(r));
}

uint8_t x_reg8(ZydisRegister r)
{
	if (r >= ZYDIS_REGISTER_AH && r <= ZYDIS_REGISTER_BH)
		return (uint8_t)((r - ZYDIS_REGISTER_AH) * 8 + 1);
	if (r <= ZYDIS_REGISTER_BL)
		return (uint8_t)((r - ZYDIS_REGISTER_AL) * 8);
	return (uint8_t)((r - ZYDIS_REGISTER_SPL + 4) * 8);
}

int x_seg(ZydisRegister r)
{
	return (int)(r - ZYDIS_REGISTER_ES) + S_ES;
}

uint8_t x_vec(ZydisRegister r)
{
	return (uint8_t)ZydisRegisterGetId(r);
}

uint64_t x_imm(const ZydisDecodedOperand *o, unsigned size)
{
	return size >= 8 ? o->imm.value.u : o->imm.value.u & ((1ull << size * 8) - 1);
}

uint8_t x_flags(const struct xlate *x)
{
	ZydisInstructionAttributes a = x->insn->attributes;

	return (uint8_t)((a & ZYDIS_ATTRIB_HAS_LOCK ? UF_LOCK : 0) |
			 (a & (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE) ? UF_REP : 0) |
			 (a & ZYDIS_ATTRIB_HAS_REPNE ? UF_REPNE : 0) |
			 (x->adsize == 4   ? UF_A32
			  : x->adsize == 2 ? UF_A16
					   : 0));
}

/* ---- memory operands ---- */

/* base, index and scale of an operand; the displacement where it fits. */
static struct mem_ref raw_ref(const ZydisDecodedOperandMem *m)
{
	struct mem_ref r = {.base = R_ZERO, .index = R_ZERO};

	if (m->base != ZYDIS_REGISTER_NONE)
		r.base = x_reg(m->base);
	if (m->index != ZYDIS_REGISTER_NONE) {
		r.index = x_reg(m->index);
		r.scale = (uint8_t)__builtin_ctz(m->scale | 8u);
	}
	r.disp = m->disp.has_displacement ? (int32_t)m->disp.value : 0;
	return r;
}

/* An address known now, in a slot. */
static struct mem_ref constant_ref(struct xlate *x, uint64_t addr)
{
	int64_t rel = (int64_t)(addr - x->block_rip);

	if ((int64_t)addr == (int32_t)addr)
		return (struct mem_ref){.base = R_ZERO, .index = R_ZERO, .disp = (int32_t)addr};
	if ((x->mode & MODE_CODE64) && rel == (int32_t)rel) {
		if (!x->rip_base)
			x_emit(x, UOP_RIPBASE);
		x->rip_base = true;
		return (struct mem_ref){.base = R_RIPBASE, .index = R_ZERO, .disp = (int32_t)rel};
	}
	x_emit(x, UOP_EA_IMM)->imm = addr;
	return (struct mem_ref){.base = R_EA, .index = R_ZERO};
}

static struct mem_ref ea_ref(struct xlate *x, enum uop_op op, const struct mem_ref *raw)
{
	x_emit_mem(x, op, raw);
	return (struct mem_ref){.base = R_EA, .index = R_ZERO};
}

static struct mem_ref lea64(struct xlate *x, const ZydisDecodedOperandMem *m)
{
	if (m->base == ZYDIS_REGISTER_RIP)
		return constant_ref(x, x->next_rip + (uint64_t)m->disp.value);
	if (m->disp.has_displacement && m->disp.value != (int32_t)m->disp.value)
		return constant_ref(
			x, (uint64_t)m->disp.value); /* MOV with a 64-bit offset: no registers */
	return raw_ref(m);
}

/* 64-bit code with 32-bit addresses: the offset wraps, a base of FS or GS is added after that. */
static struct mem_ref lea64_a32(struct xlate *x, const ZydisDecodedOperandMem *m, enum uop_op op,
				uint8_t seg)
{
	struct mem_ref raw;

	if (m->base == ZYDIS_REGISTER_EIP) {
		x_emit(x, UOP_EA_IMM)->imm = (uint32_t)(x->next_rip + (uint64_t)m->disp.value);
		raw = (struct mem_ref){.base = R_EA, .index = R_ZERO};
	} else {
		raw = raw_ref(m);
	}
	x_emit_mem(x, op, &raw)->dst = seg;
	return (struct mem_ref){.base = R_EA, .index = R_ZERO};
}

struct mem_ref x_lea(struct xlate *x, const ZydisDecodedOperand *op)
{
	const ZydisDecodedOperandMem *m = &op->mem;
	struct mem_ref raw;

	if (x->adsize == 8)
		return lea64(x, m);
	if (m->base == ZYDIS_REGISTER_EIP)
		return lea64_a32(x, m, UOP_EA32, 0);
	raw = raw_ref(m);
	/* The result is cut to the operand size anyway. */
	if (x->opsize <= x->adsize)
		return raw;
	return ea_ref(x, x->adsize == 4 ? UOP_EA32 : UOP_EA16, &raw);
}

static bool stack_base(ZydisRegister r)
{
	return r != ZYDIS_REGISTER_NONE && r != ZYDIS_REGISTER_RIP && r != ZYDIS_REGISTER_EIP &&
	       (x_reg(r) == R_RSP || x_reg(r) == R_RBP);
}

static struct mem_ref mem64(struct xlate *x, const ZydisDecodedOperandMem *m)
{
	uint8_t seg = m->segment == ZYDIS_REGISTER_FS	? R_FSBASE
		      : m->segment == ZYDIS_REGISTER_GS ? R_GSBASE
							: 0;
	struct mem_ref r;

	if (x->adsize == 4) {
		r = lea64_a32(x, m, seg ? UOP_EA32_B : UOP_EA32, seg);
	} else {
		r = lea64(x, m);
		if (seg && r.base != R_ZERO && r.index != R_ZERO)
			r = ea_ref(x, UOP_EA64, &r);
		if (seg && r.index == R_ZERO) {
			r.index = seg;
			r.scale = 0;
		} else if (seg) {
			r.base = seg;
		}
	}
	if (!seg && stack_base(m->base))
		r.flags = UF_SS;
	return r;
}

struct mem_ref x_mem(struct xlate *x, const ZydisDecodedOperand *op, unsigned size, bool write)
{
	const ZydisDecodedOperandMem *m = &op->mem;
	int seg = x_seg(m->segment);
	struct mem_ref raw;
	struct uop *u;

	if (x->mode & MODE_CODE64)
		return mem64(x, m);
	raw = raw_ref(m);
	if ((x->mode & MODE_FLAT) && (seg == S_DS || seg == S_ES || seg == S_SS)) {
		if (x->adsize == 4 && raw.base == R_ZERO && raw.index == R_ZERO)
			return constant_ref(x, (uint32_t)raw.disp);
		raw = ea_ref(x, x->adsize == 4 ? UOP_EA32 : UOP_EA16, &raw);
		raw.flags = seg == S_SS ? UF_SS : 0;
		return raw;
	}
	u = x_emit_mem(x, x->adsize == 4 ? UOP_EA32_SEG : UOP_EA16_SEG, &raw);
	u->dst = (uint8_t)seg;
	u->imm = size;
	if (write)
		u->flags |= UF_AUX;
	return (struct mem_ref){.base = R_EA, .index = R_ZERO};
}

/* ---- the generic form ---- */

static uint8_t reg_number(ZydisRegister r)
{
	switch (ZydisRegisterGetClass(r)) {
	case ZYDIS_REGCLASS_GPR8:
		return x_reg8(r);
	case ZYDIS_REGCLASS_GPR16:
	case ZYDIS_REGCLASS_GPR32:
	case ZYDIS_REGCLASS_GPR64:
		return x_reg(r);
	case ZYDIS_REGCLASS_SEGMENT:
		return (uint8_t)x_seg(r);
	default:
		return x_vec(r);
	}
}

bool x_generic(struct xlate *x, enum uop_op op, unsigned mem_size, bool mem_write)
{
	struct mem_ref m = {.base = R_ZERO, .index = R_ZERO};
	unsigned n = x->insn->operand_count_visible, regs = 0;
	uint8_t reg[3] = {0};
	bool mem = false, mem_first = false;
	uint64_t imm = 0;
	struct uop *u;

	for (unsigned i = 0; i < n; i++) {
		const ZydisDecodedOperand *o = &x->ops[i];

		if (x_is_mem(o) && !mem) {
			m = x_mem(x, o, mem_size, mem_write);
			mem = true;
			mem_first = i == 0;
		} else if (x_is_reg(o) && regs < 3) {
			reg[regs++] = reg_number(o->reg.value);
		} else if (x_is_imm(o)) {
			imm = o->imm.value.u;
		}
	}
	u = x_emit_mem(x, op, &m);
	u->flags |= (uint8_t)(x_flags(x) | (mem ? UF_MEM : 0));
	u->size = (uint8_t)x->opsize;
	u->imm = imm;
	if (mem_first) {
		u->src = reg[0];
		return true;
	}
	u->dst = reg[0];
	u->src = reg[1];
	if (regs == 3 && !mem) {
		u->base = reg[2];
		u->scale = 1;
	}
	return true;
}

/* ---- one instruction ---- */

static void translate_insn(struct xlate *x)
{
	const struct xlate_entry *const *e = xlate_lookup(x->insn->mnemonic);
	unsigned n = x->n, n_exits = x->n_exits;
	bool rip_base = x->rip_base;

	for (; e && *e; e++) {
		if ((*e)->feature && x->c->model && !cpu_has(x->c, (*e)->feature))
			continue;
		if ((*e)->fn(x, *e))
			return;
		x->n = n;
		x->n_exits = n_exits;
		x->rip_base = rip_base;
		x->ended = x->last = false;
	}
	if (x->insn->mnemonic != ZYDIS_MNEMONIC_INVALID && !e)
		log_printf(LOG_UNIMP, "instruction %s\n",
			   ZydisMnemonicGetString(x->insn->mnemonic));
	x_ud(x);
}

/* ---- fetching ---- */

struct fetch {
	uint64_t rip, phys; /* of the block */
	const uint8_t *host;
	uint32_t phys2;
	unsigned in_page; /* bytes from phys to the end of its page */
	unsigned limit;	  /* bytes from rip to the end of CS */
	uint8_t buf[MAX_INSN_BYTES];
	unsigned have;
	bool cacheable;
};

static void fetch_bytes(struct cpu *c, struct fetch *f, uint64_t phys, const uint8_t *host,
			unsigned n)
{
	if (!code_map_track(c, phys, n))
		f->cacheable = false;
	if (host) {
		memcpy(f->buf + f->have, host, n);
	} else {
		f->cacheable = false;
		mmu_fetch_io(c, phys, f->buf + f->have, n);
	}
	f->have += n;
}

/* Bytes at OFFSET from the block's start, as far as the page reaches. */
static void fetch_insn(struct cpu *c, struct fetch *f, unsigned offset)
{
	unsigned n = MIN(MAX_INSN_BYTES, f->in_page - offset);

	f->have = 0;
	n = MIN(n, f->limit > offset ? f->limit - offset : 0);
	if (n)
		fetch_bytes(c, f, f->phys + offset, f->host ? f->host + offset : NULL, n);
}

/* The rest of the block's first instruction from the next page. May fault. */
static void fetch_second_page(struct cpu *c, struct fetch *f, uint64_t lin2)
{
	unsigned n = MIN(MAX_INSN_BYTES, f->limit) - f->have;
	const uint8_t *host;
	uint64_t phys = mmu_code_page(c, lin2, &host);

	f->phys2 = (uint32_t)(phys >> PAGE_SHIFT);
	fetch_bytes(c, f, phys, host, n);
}

struct decoded {
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
};

static ZyanStatus decode(const ZydisDecoder *d, const struct fetch *f, struct decoded *out)
{
	ZydisDecoderContext ctx;
	ZyanStatus st = ZydisDecoderDecodeInstruction(d, &ctx, f->buf, f->have, &out->insn);

	if (ZYAN_SUCCESS(st))
		st = ZydisDecoderDecodeOperands(d, &ctx, &out->insn, out->ops,
						out->insn.operand_count_visible);
	return st;
}

/* ---- one block ---- */

static void log_insn(struct cpu *c, const struct xlate *x, const struct decoded *d,
		     const struct fetch *f)
{
	char text[128] = "(bad)", hex[2 * MAX_INSN_BYTES + 1] = "";
	unsigned n = x->insn ? d->insn.length : f->have;

	if (x->insn)
		ZydisFormatterFormatInstruction(&c->blocks->decoders->formatter, &d->insn, d->ops,
						d->insn.operand_count_visible, text, sizeof(text),
						x->rip, NULL);
	for (unsigned i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", f->buf[i]);
	log_printf(LOG_IN_ASM, "0x%08llx:  %-20s %s\n", (unsigned long long)x->rip, hex, text);
}

static void log_uops(const struct block *b)
{
	log_printf(LOG_OP, "block 0x%llx phys 0x%llx mode 0x%x: %u instructions\n",
		   (unsigned long long)b->rip, (unsigned long long)b->phys, b->mode, b->n_insns);
	for (unsigned i = 0; i < b->n_uops; i++) {
		const struct uop *u = &b->uops[i];

		log_printf(
			LOG_OP,
			" +%-4u %-14s dst %u src %u mem %u+%u<<%u%+d size %u flags %02x imm 0x%llx\n",
			u->ip, uop_names[u->op], u->dst, u->src, u->base, u->index, u->scale,
			u->disp, u->size, u->flags, (unsigned long long)u->imm);
	}
}

/* What an instruction that couldn't be decoded does when it is reached. */
static void emit_bad(struct xlate *x, const struct fetch *f, ZyanStatus st)
{
	x->insn = NULL;
	if (st == ZYDIS_STATUS_INSTRUCTION_TOO_LONG || st == ZYDIS_STATUS_NO_MORE_DATA || !f->have)
		x_gp(x); /* over 15 bytes, or past the limit of CS */
	else
		x_ud(x);
}

/* A debugger's breakpoint is all there is of the instruction that it is on. */
static bool emit_breakpoint(struct xlate *x)
{
	uint64_t lin = x->mode & MODE_CODE64 ? x->rip : (uint32_t)(x->rip + x->c->regs[R_CSBASE]);

	if (likely(!cpu_has_breakpoint(x->c, lin)))
		return false;
	x->insn = NULL;
	x_emit(x, UOP_SYS_DEBUG_BREAK);
	x->ended = true;
	return true;
}

static void emit_insn(struct xlate *x, const struct decoded *d)
{
	x->insn = &d->insn;
	x->ops = d->ops;
	x->opsize = d->insn.operand_width / 8;
	x->adsize = d->insn.address_width / 8;
	x->next_rip = x->rip + d->insn.length;
	if (!(x->mode & MODE_CODE64))
		x->next_rip = (uint32_t)x->next_rip;
	translate_insn(x);
}

/* Instructions from the start on, until one ends the block. Their number; *BYTES: their length. */
static unsigned walk(struct cpu *c, struct xlate *x, struct fetch *f, unsigned *bytes)
{
	bool one = x->mode & (MODE_SINGLE | MODE_ONE);
	const ZydisDecoder *dec = decoder_for(c, x->mode);
	struct decoded d;
	unsigned n = 0;

	*bytes = 0;
	while (!x->ended && !x->last && n < XLATE_MAX_INSNS && x->n + XLATE_INSN_UOPS < x->max &&
	       !(one && n) && *bytes < f->in_page && (!n || f->cacheable)) {
		ZyanStatus st;

		x->rip = f->rip + *bytes;
		if (!(x->mode & MODE_CODE64))
			x->rip = (uint32_t)x->rip;
		fetch_insn(c, f, *bytes);
		if (emit_breakpoint(x)) {
			*bytes += 1;
			n++;
			break;
		}
		st = decode(dec, f, &d);
		if (st == ZYDIS_STATUS_NO_MORE_DATA && f->have == f->in_page - *bytes &&
		    f->have < MIN(MAX_INSN_BYTES, f->limit - *bytes)) {
			if (n) {
				x->crossing = true;
				break;
			}
			fetch_second_page(c, f,
					  (f->rip +
					   (x->mode & MODE_CODE64 ? 0 : c->regs[R_CSBASE]) +
					   f->have) &
						  (x->mode & MODE_CODE64 ? ~0ull : UINT32_MAX));
			st = decode(dec, f, &d);
		}
		if (ZYAN_SUCCESS(st))
			emit_insn(x, &d);
		else
			emit_bad(x, f, st);
		if (log_enabled(LOG_IN_ASM))
			log_insn(c, x, &d, f);
		*bytes += x->insn ? d.insn.length : MAX(f->have, 1u);
		n++;
	}
	if (!x->ended) {
		/* The jump is the last instruction's. */
		x->next_rip = f->rip + *bytes;
		x_jump(x, x->mode & MODE_CODE64 ? x->next_rip : (uint32_t)x->next_rip);
	}
	return n;
}

static void fetch_init(const struct cpu *c, struct fetch *f, uint32_t mode, uint64_t phys,
		       const uint8_t *host)
{
	uint64_t limit = mode & MODE_CODE64 ? UINT64_MAX : c->seg[S_CS].limit;

	*f = (struct fetch){.rip = c->rip,
			    .phys = phys,
			    .host = host,
			    .phys2 = BLOCK_NO_PAGE,
			    .cacheable = true};
	f->in_page = PAGE_SIZE - (unsigned)(phys & ~PAGE_MASK);
	f->limit = 2 * PAGE_SIZE;
	if (c->rip <= limit && limit - c->rip < f->limit)
		f->limit = (unsigned)(limit - c->rip) + 1;
}

struct block *translate_block(struct cpu *c, uint32_t mode, uint64_t phys, const uint8_t *host)
{
	struct block_cache *bc = c->blocks;
	struct xlate x;
	struct fetch f;
	struct block *b;
	unsigned n, bytes;
	uint64_t served;

	block_reserve(c);
	do {
		/* A write to what was just read may be reported while waiting for other vCPUs: then once more. */
		served = bc->served;
		fetch_init(c, &f, mode, phys, host);
		x = (struct xlate){
			.c = c,
			.mode = mode,
			.rip = c->rip,
			.block_rip = c->rip,
			.uops = bc->scratch,
			.max = XLATE_MAX_UOPS,
		};
		n = walk(c, &x, &f, &bytes);
	} while (bc->served != served);
	b = block_insert(c, &x, phys, f.phys2, bytes, n, !f.cacheable);
	if (log_enabled(LOG_OP))
		log_uops(b);
	return b;
}
