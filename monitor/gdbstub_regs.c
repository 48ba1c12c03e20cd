/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gdb stub's registers: QEMU's of x86-64, with the same numbers, whatever mode the processor is in. Outside of 64-bit
 * mode the upper halves and r8 to r15 read as zeroes. The description that gdb gets is made from the table, with the features that
 * GDB's manual asks for (G.5.5 "i386 Features"): org.gnu.gdb.i386.core and .sse.
 */
#include <stdio.h>
#include <stdlib.h>
#include "monitor/gdbstub_internal.h"

enum kind { GPR, RIP, FLAGS, SEG, BASE, KERNEL_GS, CR, EFER, ST, X87, XMM, MXCSR };

/* Of a segment register, in the order in which gdb numbers them. */
enum seg { CS, SS, DS, ES, FS, GS };

/* Of the x87's environment. */
enum x87 { FCTRL, FSTAT, FTAG, FISEG, FIOFF, FOSEG, FOOFF, FOP };

static const struct gdb_register {
	const char *name, *type, *group;
	uint8_t bytes, kind, index; /* GPR: in x86_regs.gpr; CR: its number */
} registers[] = {
	{"rax", "int64", NULL, 8, GPR, 0},
	{"rbx", "int64", NULL, 8, GPR, 3},
	{"rcx", "int64", NULL, 8, GPR, 1},
	{"rdx", "int64", NULL, 8, GPR, 2},
	{"rsi", "int64", NULL, 8, GPR, 6},
	{"rdi", "int64", NULL, 8, GPR, 7},
	{"rbp", "data_ptr", NULL, 8, GPR, 5},
	{"rsp", "data_ptr", NULL, 8, GPR, 4},
	{"r8", "int64", NULL, 8, GPR, 8},
	{"r9", "int64", NULL, 8, GPR, 9},
	{"r10", "int64", NULL, 8, GPR, 10},
	{"r11", "int64", NULL, 8, GPR, 11},
	{"r12", "int64", NULL, 8, GPR, 12},
	{"r13", "int64", NULL, 8, GPR, 13},
	{"r14", "int64", NULL, 8, GPR, 14},
	{"r15", "int64", NULL, 8, GPR, 15},
	{"rip", "code_ptr", NULL, 8, RIP, 0},
	{"eflags", "i386_eflags", NULL, 4, FLAGS, 0},
	{"cs", "int32", NULL, 4, SEG, CS},
	{"ss", "int32", NULL, 4, SEG, SS},
	{"ds", "int32", NULL, 4, SEG, DS},
	{"es", "int32", NULL, 4, SEG, ES},
	{"fs", "int32", NULL, 4, SEG, FS},
	{"gs", "int32", NULL, 4, SEG, GS},
	{"fs_base", "int64", NULL, 8, BASE, FS},
	{"gs_base", "int64", NULL, 8, BASE, GS},
	{"k_gs_base", "int64", NULL, 8, KERNEL_GS, 0},
	{"cr0", "i386_cr0", NULL, 8, CR, 0},
	{"cr2", "int64", NULL, 8, CR, 2},
	{"cr3", "int64", NULL, 8, CR, 3},
	{"cr4", "i386_cr4", NULL, 8, CR, 4},
	{"cr8", "int64", NULL, 8, CR, 8},
	{"efer", "i386_efer", NULL, 8, EFER, 0},
	{"st0", "i387_ext", NULL, 10, ST, 0},
	{"st1", "i387_ext", NULL, 10, ST, 1},
	{"st2", "i387_ext", NULL, 10, ST, 2},
	{"st3", "i387_ext", NULL, 10, ST, 3},
	{"st4", "i387_ext", NULL, 10, ST, 4},
	{"st5", "i387_ext", NULL, 10, ST, 5},
	{"st6", "i387_ext", NULL, 10, ST, 6},
	{"st7", "i387_ext", NULL, 10, ST, 7},
	{"fctrl", "int", "float", 4, X87, FCTRL},
	{"fstat", "int", "float", 4, X87, FSTAT},
	{"ftag", "int", "float", 4, X87, FTAG},
	{"fiseg", "int", "float", 4, X87, FISEG},
	{"fioff", "int", "float", 4, X87, FIOFF},
	{"foseg", "int", "float", 4, X87, FOSEG},
	{"fooff", "int", "float", 4, X87, FOOFF},
	{"fop", "int", "float", 4, X87, FOP},
	{"xmm0", "vec128", NULL, 16, XMM, 0},
	{"xmm1", "vec128", NULL, 16, XMM, 1},
	{"xmm2", "vec128", NULL, 16, XMM, 2},
	{"xmm3", "vec128", NULL, 16, XMM, 3},
	{"xmm4", "vec128", NULL, 16, XMM, 4},
	{"xmm5", "vec128", NULL, 16, XMM, 5},
	{"xmm6", "vec128", NULL, 16, XMM, 6},
	{"xmm7", "vec128", NULL, 16, XMM, 7},
	{"xmm8", "vec128", NULL, 16, XMM, 8},
	{"xmm9", "vec128", NULL, 16, XMM, 9},
	{"xmm10", "vec128", NULL, 16, XMM, 10},
	{"xmm11", "vec128", NULL, 16, XMM, 11},
	{"xmm12", "vec128", NULL, 16, XMM, 12},
	{"xmm13", "vec128", NULL, 16, XMM, 13},
	{"xmm14", "vec128", NULL, 16, XMM, 14},
	{"xmm15", "vec128", NULL, 16, XMM, 15},
	{"mxcsr", "i386_mxcsr", "vector", 4, MXCSR, 0},
};

/* ---- target.xml ---- */

/* Bits by name, "-" for those without one; bit 0 first. */
static const struct flags_type {
	const char *name;
	unsigned bytes;
	const char *bits;
} flags_types[] = {
	{"i386_eflags", 4, "CF - PF - AF - ZF SF TF IF DF OF - - NT - RF VM AC VIF VIP ID"},
	{"i386_cr0", 8,
	 "PE MP EM TS ET NE - - - - - - - - - - WP - AM - - - - - - - - - - NW CD PG"},
	{"i386_cr4", 8,
	 "VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT UMIP LA57 VMXE SMXE - FSGSBASE PCIDE "
	 "OSXSAVE - SMEP SMAP PKE"},
	{"i386_efer", 8, "SCE - - - - - - - LME - LMA NXE SVME LMSLE FFXSR TCE"},
	{"i386_mxcsr", 4, "IE DE ZE OE UE PE DAZ IM DM ZM OM UM PM - - FZ"},
};

static const char vec128[] = "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
			     "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
			     "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
			     "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
			     "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
			     "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
			     "<union id=\"vec128\">"
			     "<field name=\"v4_float\" type=\"v4f\"/>"
			     "<field name=\"v2_double\" type=\"v2d\"/>"
			     "<field name=\"v16_int8\" type=\"v16i8\"/>"
			     "<field name=\"v8_int16\" type=\"v8i16\"/>"
			     "<field name=\"v4_int32\" type=\"v4i32\"/>"
			     "<field name=\"v2_int64\" type=\"v2i64\"/>"
			     "<field name=\"uint128\" type=\"uint128\"/>"
			     "</union>";

static void put_flags_type(FILE *f, const struct flags_type *t)
{
	const char *s = t->bits;

	fprintf(f, "<flags id=\"%s\" size=\"%u\">", t->name, t->bytes);
	for (unsigned bit = 0; *s; bit++) {
		int n = (int)strcspn(s, " ");

		if (*s != '-')
			fprintf(f, "<field name=\"%.*s\" start=\"%u\" end=\"%u\"/>", n, s, bit,
				bit);
		s += n + (s[n] == ' ');
	}
	fputs("</flags>", f);
}

char *gdb_target_xml(void)
{
	size_t size;
	char *text;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	fputs("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
	      "<architecture>i386:x86-64</architecture><feature name=\"org.gnu.gdb.i386.core\">",
	      f);
	for (unsigned i = 0; i < ARRAY_SIZE(flags_types) - 1; i++)
		put_flags_type(f, &flags_types[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
		const struct gdb_register *r = &registers[i];

		if (r->kind == XMM && r->index == 0) {
			fputs("</feature><feature name=\"org.gnu.gdb.i386.sse\">", f);
			fputs(vec128, f);
			put_flags_type(f, &flags_types[ARRAY_SIZE(flags_types) - 1]);
		}
		fprintf(f, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"", r->name, 8u * r->bytes,
			r->type);
		if (r->group)
			fprintf(f, " group=\"%s\"", r->group);
		fputs("/>", f);
	}
	fputs("</feature></target>", f);
	fclose(f);
	return text;
}

/* ---- a processor's state ---- */

#define MSR_KERNEL_GS_BASE 0xc0000102u

/* In the XSAVE area (SDM 1, 13.4.1). */
#define XSAVE_FCW	0
#define XSAVE_FSW	2
#define XSAVE_FTW	4
#define XSAVE_FOP	6
#define XSAVE_FIP	8
#define XSAVE_FDP	16
#define XSAVE_MXCSR	24
#define XSAVE_ST(n)	(32 + 16 * (n))
#define XSAVE_XMM(n)	(160 + 16 * (n))
#define XSAVE_XSTATE_BV 512

#define XSTATE_X87 BIT64(0)
#define XSTATE_SSE BIT64(1)

struct state {
	struct vcpu *v;
	struct x86_regs r;
	struct x86_fpu fpu;
	uint64_t kernel_gs;
	bool r_changed, fpu_changed, kernel_gs_changed;
};

/* What the area doesn't hold because it is in its first state is written out. */
static void expand_fpu(struct x86_fpu *fpu)
{
	uint64_t bv = ldn_le(fpu->xsave + XSAVE_XSTATE_BV, 8);

	if (!(bv & XSTATE_X87)) {
		memset(fpu->xsave, 0, XSAVE_MXCSR);
		memset(fpu->xsave + XSAVE_ST(0), 0, 8 * 16);
		stn_le(fpu->xsave + XSAVE_FCW, 2, 0x37f);
	}
	if (!(bv & XSTATE_SSE))
		memset(fpu->xsave + XSAVE_XMM(0), 0, 16 * 16);
	stn_le(fpu->xsave + XSAVE_XSTATE_BV, 8, bv | XSTATE_X87 | XSTATE_SSE);
}

static uint64_t read_kernel_gs(struct vcpu *v)
{
	unsigned n;
	struct x86_msr *msrs = v->machine->accel->get_msrs(v, &n);
	uint64_t value = 0;

	for (unsigned i = 0; i < n; i++)
		if (msrs[i].index == MSR_KERNEL_GS_BASE)
			value = msrs[i].value;
	free(msrs);
	return value;
}

static struct state *state_read(struct gdbstub *g)
{
	const struct accel_ops *accel = g->machine->accel;
	struct state *s = xaligned_zalloc(64, sizeof(*s));

	s->v = g->machine->vcpus[g->g_cpu];
	accel->get_regs(s->v, &s->r);
	accel->get_fpu(s->v, &s->fpu);
	expand_fpu(&s->fpu);
	s->kernel_gs = read_kernel_gs(s->v);
	return s;
}

/* What was changed, and frees S. */
static bool state_write(struct state *s)
{
	const struct accel_ops *accel = s->v->machine->accel;
	struct x86_msr msr = {.index = MSR_KERNEL_GS_BASE, .value = s->kernel_gs};
	bool ok = true;

	if (s->r_changed)
		accel->set_regs(s->v, &s->r);
	if (s->fpu_changed)
		ok &= accel->set_fpu(s->v, &s->fpu, NULL);
	if (s->kernel_gs_changed)
		ok &= accel->set_msrs(s->v, &msr, 1, NULL);
	free(s);
	return ok;
}

static struct x86_segment *segment(struct x86_regs *r, unsigned index)
{
	struct x86_segment *const segments[] = {[CS] = &r->cs, [SS] = &r->ss, [DS] = &r->ds,
						[ES] = &r->es, [FS] = &r->fs, [GS] = &r->gs};

	return segments[index];
}

static uint64_t *control(struct x86_regs *r, unsigned index)
{
	switch (index) {
	case 0:
		return &r->cr0;
	case 2:
		return &r->cr2;
	case 3:
		return &r->cr3;
	case 4:
		return &r->cr4;
	default:
		return &r->cr8;
	}
}

static bool in_64bit_mode(const struct x86_regs *r)
{
	return (r->efer & BIT(10)) && r->cs.l;
}

/* ---- x87 ---- */

/* Two bits a physical register: valid, zero, special, empty (SDM 1, 8.1.7); XSAVE keeps one. */
static uint16_t full_tags(const uint8_t *xsave)
{
	unsigned top = ldn_le(xsave + XSAVE_FSW, 2) >> 11 & 7;
	uint8_t used = xsave[XSAVE_FTW];
	uint16_t tags = 0;

	for (unsigned i = 0; i < 8; i++) {
		const uint8_t *st = xsave + XSAVE_ST((i - top) & 7);
		uint64_t mantissa = ldn_le(st, 8);
		unsigned exponent = ldn_le(st + 8, 2) & 0x7fff, tag;

		if (!(used & BIT(i)))
			tag = 3;
		else if (exponent == 0 && mantissa == 0)
			tag = 1;
		else if (exponent == 0 || exponent == 0x7fff || !(mantissa >> 63))
			tag = 2;
		else
			tag = 0;
		tags |= (uint16_t)(tag << (2 * i));
	}
	return tags;
}

static uint8_t short_tags(uint32_t tags)
{
	uint8_t used = 0;

	for (unsigned i = 0; i < 8; i++)
		if ((tags >> (2 * i) & 3) != 3)
			used |= (uint8_t)BIT(i);
	return used;
}

static const struct {
	uint8_t offset, bytes;
} x87_places[] = {
	[FCTRL] = {XSAVE_FCW, 2},     [FSTAT] = {XSAVE_FSW, 2}, [FTAG] = {XSAVE_FTW, 1},
	[FISEG] = {XSAVE_FIP + 4, 2}, [FIOFF] = {XSAVE_FIP, 4}, [FOSEG] = {XSAVE_FDP + 4, 2},
	[FOOFF] = {XSAVE_FDP, 4},     [FOP] = {XSAVE_FOP, 2},
};

static uint64_t read_x87(const struct state *s, unsigned index)
{
	if (index == FTAG)
		return full_tags(s->fpu.xsave);
	return ldn_le(s->fpu.xsave + x87_places[index].offset, x87_places[index].bytes);
}

static void write_x87(struct state *s, unsigned index, uint32_t value)
{
	if (index == FTAG)
		value = short_tags(value);
	stn_le(s->fpu.xsave + x87_places[index].offset, x87_places[index].bytes, value);
}

/* ---- reading ---- */

static uint64_t read_number(struct state *s, const struct gdb_register *r)
{
	bool wide = in_64bit_mode(&s->r);

	switch (r->kind) {
	case GPR:
		if (wide)
			return s->r.gpr[r->index];
		return r->index < 8 ? (uint32_t)s->r.gpr[r->index] : 0;
	case RIP:
		return wide ? s->r.rip : (uint32_t)s->r.rip;
	case FLAGS:
		return s->r.rflags;
	case SEG:
		return segment(&s->r, r->index)->selector;
	case BASE:
		return segment(&s->r, r->index)->base;
	case KERNEL_GS:
		return s->kernel_gs;
	case CR:
		return *control(&s->r, r->index);
	case EFER:
		return s->r.efer;
	case X87:
		return read_x87(s, r->index);
	default:
		return ldn_le(s->fpu.xsave + XSAVE_MXCSR, 4);
	}
}

/* Where a register lies that is more than a number; NULL: it isn't. */
static uint8_t *place(struct state *s, const struct gdb_register *r)
{
	if (r->kind == ST)
		return s->fpu.xsave + XSAVE_ST(r->index);
	return r->kind == XMM ? s->fpu.xsave + XSAVE_XMM(r->index) : NULL;
}

static void put_register(struct gdbstub *g, struct state *s, const struct gdb_register *r)
{
	const uint8_t *at = place(s, r);
	uint64_t value;

	if (at) {
		gdb_put_hex(g, at, r->bytes);
	} else {
		value = read_number(s, r);
		gdb_put_hex(g, &value, r->bytes);
	}
}

void gdb_read_all_registers(struct gdbstub *g)
{
	struct state *s = state_read(g);

	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++)
		put_register(g, s, &registers[i]);
	free(s);
}

bool gdb_read_register(struct gdbstub *g, uint64_t n)
{
	struct state *s;

	if (n >= ARRAY_SIZE(registers))
		return false;
	s = state_read(g);
	put_register(g, s, &registers[n]);
	free(s);
	return true;
}

/* ---- writing ---- */

/* As the processor would load it, without its checks (SDM 3A, 3.4.5). False: there is no such descriptor. */
static bool load_segment(struct state *s, struct x86_segment *seg, uint16_t selector)
{
	enum { CR0_PE = 1, EFLAGS_VM = 1 << 17, TABLE_INDICATOR = 4 };
	uint64_t base = s->r.gdt_base, limit = s->r.gdt_limit, d;
	struct gdbstub *g = s->v->machine->gdbstub;
	uint8_t bytes[8];

	if (!(s->r.cr0 & CR0_PE) || (s->r.rflags & EFLAGS_VM)) {
		seg->selector = selector;
		seg->base = (uint64_t)selector << 4;
		return true;
	}
	if (selector & TABLE_INDICATOR) {
		base = s->r.ldt.base;
		limit = s->r.ldt.limit;
	}
	if (selector < 4) {
		seg->selector = selector;
		seg->present = false;
		return true;
	}
	if ((selector & ~7u) + 7 > limit ||
	    !gdb_read_memory(g, base + (selector & ~7u), bytes, sizeof(bytes)))
		return false;
	d = ldn_le(bytes, 8);
	*seg = (struct x86_segment){.selector = selector,
				    .base = (d >> 16 & 0xffffff) | (d >> 32 & 0xff000000),
				    .limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000)),
				    .type = d >> 40 & 15,
				    .s = d >> 44 & 1,
				    .dpl = d >> 45 & 3,
				    .present = d >> 47 & 1,
				    .avl = d >> 52 & 1,
				    .l = d >> 53 & 1,
				    .db = d >> 54 & 1,
				    .g = d >> 55 & 1};
	if (seg->g)
		seg->limit = seg->limit << 12 | 0xfff;
	return true;
}

static bool write_number(struct state *s, const struct gdb_register *r, uint64_t value)
{
	bool wide = in_64bit_mode(&s->r);
	struct x86_segment *seg;

	s->r_changed = true;
	switch (r->kind) {
	case GPR:
		/* What reads as nothing isn't written; the lower half keeps the upper one from before 32-bit mode. */
		if (wide)
			s->r.gpr[r->index] = value;
		else if (r->index < 8)
			s->r.gpr[r->index] = (uint32_t)value;
		return true;
	case RIP:
		s->r.rip = wide ? value : (uint32_t)value;
		return true;
	case FLAGS:
		s->r.rflags = (uint32_t)value | 2;
		return true;
	case SEG:
		seg = segment(&s->r, r->index);
		return seg->selector == (uint16_t)value || load_segment(s, seg, (uint16_t)value);
	case BASE:
		segment(&s->r, r->index)->base = value;
		return true;
	case CR:
		*control(&s->r, r->index) = value;
		return true;
	case EFER:
		s->r.efer = value;
		return true;
	default:
		break;
	}
	s->r_changed = false;
	return false;
}

static bool write_other(struct state *s, const struct gdb_register *r, uint64_t value)
{
	switch (r->kind) {
	case KERNEL_GS:
		s->kernel_gs_changed = s->kernel_gs != value;
		s->kernel_gs = value;
		return true;
	case X87:
		write_x87(s, r->index, (uint32_t)value);
		break;
	case MXCSR:
		/* A reserved bit would fault when the state is loaded. */
		stn_le(s->fpu.xsave + XSAVE_MXCSR, 4, value & 0xffff);
		break;
	default:
		return false;
	}
	s->fpu_changed = true;
	return true;
}

static bool set_register(struct state *s, const struct gdb_register *r, const uint8_t *bytes)
{
	uint8_t *at = place(s, r);
	bool changed = s->r_changed;

	if (at) {
		memcpy(at, bytes, r->bytes);
		s->fpu_changed = true;
		return true;
	}
	if (write_number(s, r, ldn_le(bytes, r->bytes)))
		return true;
	s->r_changed = changed;
	return r->kind != SEG && write_other(s, r, ldn_le(bytes, r->bytes));
}

bool gdb_write_register(struct gdbstub *g, uint64_t n, const char *hex)
{
	uint8_t bytes[16];
	struct state *s;
	bool ok;

	if (n >= ARRAY_SIZE(registers) ||
	    gdb_parse_hex(&hex, bytes, registers[n].bytes) != registers[n].bytes || *hex)
		return false;
	s = state_read(g);
	ok = set_register(s, &registers[n], bytes);
	return state_write(s) && ok;
}

bool gdb_write_all_registers(struct gdbstub *g, const char *hex)
{
	struct state *s = state_read(g);
	uint8_t bytes[16];
	bool ok = true;

	for (unsigned i = 0; ok && i < ARRAY_SIZE(registers); i++)
		ok = gdb_parse_hex(&hex, bytes, registers[i].bytes) == registers[i].bytes &&
		     set_register(s, &registers[i], bytes);
	if (ok)
		return state_write(s);
	free(s);
	return false;
}
