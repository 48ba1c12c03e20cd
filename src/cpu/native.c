/* SPDX-License-Identifier: BSD-2-Clause */
/* Host code for hot blocks: memory for it, fragments, and what the translators of micro-operations share. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "src/cpu/mmu.h"
#include "src/cpu/native.h"
#include "src/cpu/native_gen.h"
#include "src/cpu/translate.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define ARENA_BYTES	(2 * HUGE_PAGE)
#define BLOCK_MAX_BYTES (XLATE_MAX_UOPS * 384ul)
#define THRESHOLD	24

struct native {
	uint8_t *code;	/* ARENA_BYTES, to be executed only */
	int fd;		/* through which they are written */
	uint32_t fill;	/* of them, in use */
	uint32_t ready; /* of these, written; the rest is in `draft` yet */
	uint32_t huge;	/* so many were asked for as large pages */
	uint8_t *draft; /* BLOCK_MAX_BYTES, for what begins at `ready` */
	uint8_t threshold;
	struct native_gen gen;
};

/* Registers of the pool. */
#define POOL                                                                                      \
	(BIT(H_RBX) | BIT(H_RBP) | BIT(H_R8) | BIT(H_R9) | BIT(H_R10) | BIT(H_R11) | BIT(H_R12) | \
	 BIT(H_R13) | BIT(H_R14))
/* Of these, what a call of C leaves alone. */
#define CALL_SAVED (BIT(H_RBX) | BIT(H_RBP) | BIT(H_R12) | BIT(H_R13) | BIT(H_R14))

__asm__(".pushsection .text\n"
	".globl native_enter\n"
	".type native_enter, @function\n"
	"native_enter:\n"
	"	push %rbp\n"
	"	push %rbx\n"
	"	push %r12\n"
	"	push %r13\n"
	"	push %r14\n"
	"	push %r15\n"
	"	sub $8, %rsp\n"
	"	call *(%rsi)\n"
	"	add $8, %rsp\n"
	"	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbx\n"
	"	pop %rbp\n"
	"	ret\n"
	".size native_enter, . - native_enter\n"
	".popsection");

/* ---- registers ---- */

static uint32_t loc_bit(const struct native_loc *l)
{
	return l->kind == LOC_REG ? BIT(l->reg) : 0;
}

/* Registers that pending flags need. */
static uint32_t pinned(const struct native_gen *g)
{
	const struct native_pend *p = &g->pend;
	uint32_t m = 0;

	if (p->base)
		m |= loc_bit(&p->dst) | loc_bit(&p->src) | loc_bit(&p->src2);
	if (p->mod != MOD_NONE)
		m |= loc_bit(&p->r);
	return m;
}

static void unmap(struct native_gen *g, unsigned h)
{
	if (g->slot_of[h] >= 0)
		g->host_of[g->slot_of[h]] = H_NONE;
	g->slot_of[h] = -1;
}

unsigned ng_alloc(struct native_gen *g)
{
	uint32_t usable = POOL & ~g->locked & ~pinned(g);
	unsigned h = g->next;

	/* One that holds nothing, else the next in turn. */
	for (unsigned i = 0; i < 16; i++, h = (h + 1) & 15)
		if ((usable >> h & 1) && g->slot_of[h] < 0)
			break;
	while (!(usable >> h & 1) && usable)
		h = (h + 1) & 15;
	unmap(g, h);
	g->locked |= BIT(h);
	g->next = (h + 1) & 15;
	return h;
}

static void map(struct native_gen *g, unsigned slot, unsigned h)
{
	g->host_of[slot] = (int)h;
	g->slot_of[h] = (int)slot;
}

unsigned ng_get(struct native_gen *g, unsigned slot)
{
	unsigned h;

	if (g->host_of[slot] >= 0) {
		g->locked |= BIT(g->host_of[slot]);
		return (unsigned)g->host_of[slot];
	}
	h = ng_alloc(g);
	emit_rm(&g->e, 0x8b | OP_W, h, H_RDI, (int32_t)slot * 8);
	map(g, slot, h);
	return h;
}

unsigned ng_def(struct native_gen *g, unsigned slot)
{
	int old = g->host_of[slot];
	unsigned h;

	if (old >= 0 && !(pinned(g) >> old & 1)) {
		g->locked |= BIT(old);
		return (unsigned)old;
	}
	if (old >= 0)
		unmap(g, (unsigned)old);
	h = ng_alloc(g);
	map(g, slot, h);
	return h;
}

unsigned ng_mod(struct native_gen *g, unsigned slot)
{
	unsigned old = ng_get(g, slot), h;

	if (!(pinned(g) >> old & 1))
		return old;
	h = ng_alloc(g);
	emit_rr(&g->e, 0x8b | OP_W, h, old);
	unmap(g, old);
	map(g, slot, h);
	return h;
}

void ng_put(struct native_gen *g, unsigned slot)
{
	emit_rm(&g->e, 0x89 | OP_W, (unsigned)g->host_of[slot], H_RDI, (int32_t)slot * 8);
}

void ng_forget(struct native_gen *g, unsigned slot)
{
	if (g->host_of[slot] >= 0)
		unmap(g, (unsigned)g->host_of[slot]);
}

void ng_read(struct native_gen *g, unsigned reg, unsigned slot, unsigned lg)
{
	if (lg == 0 && (slot & 7)) /* AH to BH */
		emit_rm(&g->e, 0xb6 | OP_0F, reg, H_RDI, (int32_t)slot);
	else if (lg == 0)
		emit_rr(&g->e, 0xb6 | OP_0F | OP_B, reg, ng_get(g, slot / 8));
	else if (lg == 1)
		emit_rr(&g->e, 0xb7 | OP_0F, reg, ng_get(g, slot));
	else
		emit_rr(&g->e, 0x8b | (lg == 3 ? OP_W : 0), reg, ng_get(g, slot));
}

void ng_write(struct native_gen *g, unsigned slot, unsigned lg, unsigned reg)
{
	if (lg == 0 && (slot & 7)) {
		emit_rm(&g->e, 0x88 | OP_B, reg, H_RDI, (int32_t)slot);
		ng_forget(g, slot / 8);
		return;
	}
	if (lg == 0)
		slot /= 8;
	if (lg < 2)
		emit_rr(&g->e, ng_op(0x88, lg), reg, ng_mod(g, slot));
	else
		emit_rr(&g->e, 0x8b | (lg == 3 ? OP_W : 0), ng_def(g, slot), reg);
	ng_put(g, slot);
}

/* ---- flags ---- */

struct native_loc ng_reg(unsigned reg, unsigned lg)
{
	return (struct native_loc){.kind = LOC_REG, .reg = reg, .lg = lg};
}

struct native_loc ng_imm(uint64_t v)
{
	return (struct native_loc){.kind = LOC_IMM, .imm = v};
}

void ng_flags(struct native_gen *g, unsigned cc, struct native_loc dst, struct native_loc src,
	      bool host)
{
	g->pend = (struct native_pend){.base = true, .op = cc, .dst = dst, .src = src};
	g->host_flags = host ? (int)cc : -1;
	g->host_cf = host;
}

void ng_flags_before_mod(struct native_gen *g, int mod)
{
	bool step = mod == MOD_INC || mod == MOD_DEC;
	bool was_step = g->pend.mod == MOD_INC || g->pend.mod == MOD_DEC;

	/* CF of before the first of several INC and DEC; CF and OF of the last of several rotates. */
	if (g->pend.mod != MOD_NONE && step != was_step)
		ng_flush(g);
}

void ng_flags_mod(struct native_gen *g, int mod, struct native_loc r)
{
	bool step = mod == MOD_INC || mod == MOD_DEC;

	g->pend.mod = mod;
	g->pend.r = r;
	g->host_flags = step ? (int)((mod == MOD_INC ? CC_INC : CC_DEC) + r.lg) : -1;
	g->host_cf = false;
}

/* LOC, cut to its size and zero-extended, into REG. Flags untouched. */
static void load_loc(struct emitter *e, unsigned reg, const struct native_loc *l)
{
	static const uint32_t ops[] = {0xb6 | OP_0F | OP_B, 0xb7 | OP_0F, 0x8b, 0x8b | OP_W};

	if (l->kind == LOC_IMM)
		emit_mov_imm(e, reg, l->imm);
	else
		emit_rr(e, ops[l->lg], reg, l->reg);
}

static void store_loc(struct emitter *e, int32_t off, const struct native_loc *l)
{
	if (l->kind == LOC_NONE)
		return;
	if (l->kind == LOC_REG && l->lg == 3) {
		emit_rm(e, 0x89 | OP_W, l->reg, H_RDI, off);
		return;
	}
	load_loc(e, H_RAX, l);
	emit_rm(e, 0x89 | OP_W, H_RAX, H_RDI, off);
}

static void store_op(struct emitter *e, unsigned op)
{
	emit_rm(e, 0xc7, 0, H_RDI, CPU_OFF(cc_op));
	emit_32(e, op);
}

/* What a piece of host code calls for flags that depend on those before: MOD as mod << 2 | log2 of bytes. */
static void flags_after(struct cpu *c, uint64_t r, unsigned mod)
{
	unsigned lg = mod & 3, top = (8u << lg) - 1, cf = r & 1;

	switch (mod >> 2) {
	case MOD_ROL:
		cc_replace(c, FL_CF | FL_OF, cf | (cf ^ (unsigned)(r >> top & 1)) * FL_OF);
		break;
	case MOD_ROR:
		cf = (unsigned)(r >> top & 1);
		cc_replace(c, FL_CF | FL_OF, cf | (cf ^ (unsigned)(r >> (top - 1) & 1)) * FL_OF);
		break;
	default:
		c->cc_src2 = cc_cf(c);
		c->cc_op = ((mod >> 2) == MOD_INC ? CC_INC : CC_DEC) + lg;
		c->cc_dst = r;
		break;
	}
}

static void call_flags_after(struct emitter *e, const struct native_pend *p)
{
	emit_8(e, 0x57); /* push %rdi */
	emit_8(e, 0x56); /* push %rsi */
	emit_alu_imm(e, OP_W, 5, H_RSP, 8);
	load_loc(e, H_RSI, &p->r);
	emit_mov_imm(e, H_RDX, (unsigned)p->mod << 2 | p->r.lg);
	emit_mov_imm(e, H_RAX, (uintptr_t)flags_after);
	emit_rr(e, 0xff, 2, H_RAX);
	emit_alu_imm(e, OP_W, 0, H_RSP, 8);
	emit_8(e, 0x5e); /* pop %rsi */
	emit_8(e, 0x5f); /* pop %rdi */
}

/* INC and DEC after a SUB or LOGIC: CF is known cheaply. */
static bool step_inline(struct emitter *e, const struct native_pend *p)
{
	unsigned lg = p->op & 3;

	if (!p->base || p->mod == MOD_ROL || p->mod == MOD_ROR)
		return false;
	if ((p->op & ~3u) == CC_LOGIC) {
		emit_rm(e, 0xc7 | OP_W, 0, H_RDI, CPU_OFF(cc_src2));
		emit_32(e, 0);
	} else if ((p->op & ~3u) == CC_SUB && lg >= 2) {
		load_loc(e, H_RAX, &p->dst);
		load_loc(e, H_RCX, &p->src);
		emit_rr(e, 0x03 | (lg == 3 ? OP_W : 0), H_RAX, H_RCX);
		emit_rr(e, 0x3b | (lg == 3 ? OP_W : 0), H_RAX, H_RCX);
		emit_rr(e, 0x92 | OP_0F | OP_B, 0, H_RAX);
		emit_rr(e, 0xb6 | OP_0F | OP_B, H_RAX, H_RAX);
		emit_rm(e, 0x89 | OP_W, H_RAX, H_RDI, CPU_OFF(cc_src2));
	} else {
		return false;
	}
	store_loc(e, CPU_OFF(cc_dst), &p->r);
	store_op(e, (p->mod == MOD_INC ? CC_INC : CC_DEC) + p->r.lg);
	return true;
}

/* Stores P: what it costs, 0: moves only; 1: the host's flags; 2: a call. */
static int store_pend(struct emitter *e, const struct native_pend *p)
{
	if (p->mod != MOD_NONE && step_inline(e, p))
		return (p->op & ~3u) == CC_LOGIC ? 0 : 1;
	if (p->base) {
		store_loc(e, CPU_OFF(cc_dst), &p->dst);
		store_loc(e, CPU_OFF(cc_src), &p->src);
		store_loc(e, CPU_OFF(cc_src2), &p->src2);
		store_op(e, p->op);
	}
	if (p->mod == MOD_NONE)
		return 0;
	call_flags_after(e, p);
	return 2;
}

void ng_flush(struct native_gen *g)
{
	int cost = store_pend(&g->e, &g->pend);

	g->pend.base = false;
	g->pend.mod = MOD_NONE;
	if (cost)
		g->host_flags = -1;
	if (cost < 2)
		return;
	for (unsigned h = 0; h < 16; h++)
		if ((POOL >> h & 1) && !(CALL_SAVED >> h & 1))
			unmap(g, h);
	g->xmm_loaded = 0;
}

/* Whether the host's flags answer COND of guest flags of kind CC. */
static bool host_answers(const struct native_gen *g, int cc, unsigned cond)
{
	unsigned half = cond >> 1;

	if (g->host_flags < 0)
		return false;
	/* LOGIC stands for any kind where only the result counts. */
	if (cc >= 0 && cc != g->host_flags &&
	    ((cc & ~3) != CC_LOGIC || (cc & 3) != (g->host_flags & 3)))
		return false;
	return g->host_cf || half == COND_Z >> 1 || half == COND_S >> 1 || half == COND_P >> 1;
}

/* Host flags of the result R of 1 << LG bytes. */
static void test_result(struct native_gen *g, const struct native_loc *r, unsigned lg)
{
	if (r->kind == LOC_REG) {
		emit_rr(&g->e, ng_op(0x84, lg), r->reg, r->reg);
		return;
	}
	load_loc(&g->e, H_RAX, r);
	emit_rr(&g->e, ng_op(0x84, lg), H_RAX, H_RAX);
}

bool ng_test(struct native_gen *g, int cc, unsigned cond)
{
	struct native_pend *p = &g->pend;
	unsigned lg = (unsigned)cc & 3;

	if (host_answers(g, cc, cond))
		return true;
	if (cc < 0)
		return false;
	if (cc == CC_EFLAGS && !p->base && p->mod == MOD_NONE && cond >> 1 != COND_O >> 1 &&
	    cond < COND_L) {
		emit_rm(&g->e, 0xb6 | OP_0F, H_RAX, H_RDI, CPU_OFF(cc_src));
		emit_rr(&g->e, 0xc1, 4, H_RAX);
		emit_8(&g->e, 8);
		emit_8(&g->e, 0x9e); /* sahf */
		g->host_flags = -1;
		return true;
	}
	if ((cc & ~3) != CC_SUB && (cc & ~3) != CC_LOGIC)
		return false;
	if (p->mod == MOD_ROL || p->mod == MOD_ROR)
		ng_flush(g);
	g->host_flags = -1;
	if (p->mod != MOD_NONE && (cc & ~3) == CC_LOGIC) {
		test_result(g, &p->r, lg);
		return true;
	}
	if (p->mod != MOD_NONE)
		ng_flush(g);
	if ((cc & ~3) == CC_LOGIC) {
		if (p->base) {
			test_result(g, &p->dst, lg);
		} else {
			emit_rm(&g->e, 0x8b | OP_W, H_RAX, H_RDI, CPU_OFF(cc_dst));
			emit_rr(&g->e, ng_op(0x84, lg), H_RAX, H_RAX);
		}
		return true;
	}
	if (p->base) {
		load_loc(&g->e, H_RAX, &p->dst);
		load_loc(&g->e, H_RCX, &p->src);
	} else {
		emit_rm(&g->e, 0x8b | OP_W, H_RAX, H_RDI, CPU_OFF(cc_dst));
		emit_rm(&g->e, 0x8b | OP_W, H_RCX, H_RDI, CPU_OFF(cc_src));
	}
	emit_rr(&g->e, ng_op(0x02, lg), H_RAX, H_RCX);
	emit_rr(&g->e, ng_op(0x3a, lg), H_RAX, H_RCX);
	return true;
}

/* ---- ways out ---- */

void ng_exit_if_before(struct native_gen *g, unsigned cond, unsigned n)
{
	struct native_exit *x = &g->exits[g->n_exits++];

	x->jump = emit_jump(&g->e, cond);
	x->uop = g->at - n;
	x->pend = g->pend;
}

void ng_exit_if(struct native_gen *g, unsigned cond)
{
	ng_exit_if_before(g, cond, 0);
}

/* RSI := micro-operation N of the fragment. */
static void move_to(struct emitter *e, unsigned n)
{
	if (n)
		emit_rm(e, 0x8d | OP_W, H_RSI, H_RSI, (int32_t)(n * sizeof(struct uop)));
}

/* ---- memory operands ---- */

void ng_lin(struct native_gen *g, const struct uop *u)
{
	struct emitter *e = &g->e;
	int base;

	if (u->base == R_RIPBASE && u->index == R_ZERO) {
		emit_mov_imm(e, H_RAX, g->b->rip + (uint64_t)(int64_t)u->disp);
		return;
	}
	base = u->base == R_ZERO ? H_NONE : (int)ng_get(g, u->base);
	if (u->index != R_ZERO)
		emit_rmx(e, 0x8d | OP_W, H_RAX, base, ng_get(g, u->index), u->scale, u->disp);
	else if (base == H_NONE)
		emit_mov_imm(e, H_RAX, (uint64_t)(int64_t)u->disp);
	else if (u->disp)
		emit_rm(e, 0x8d | OP_W, H_RAX, (unsigned)base, u->disp);
	else
		emit_rr(e, 0x8b | OP_W, H_RAX, (unsigned)base);
}

void ng_check(struct native_gen *g, unsigned size, bool write, bool aligned)
{
	struct emitter *e = &g->e;
	_Static_assert(sizeof(struct tlb_entry) == 32, "the index is shifted to that size");

	if (!g->tlb_loaded)
		emit_rm(e, 0x8b | OP_W, H_R15, H_RDI, CPU_OFF(tlb));
	g->tlb_loaded = true;
	ng_clobber(g);
	emit_rr(e, 0x8b | OP_W, H_RDX, H_RAX);
	if (aligned || size == 1)
		emit_rr(e, 0x8b | OP_W, H_RCX, H_RAX);
	else
		emit_rm(e, 0x8d | OP_W, H_RCX, H_RAX, (int32_t)size - 1);
	emit_rr(e, 0xc1 | OP_W, 5, H_RDX);
	emit_8(e, PAGE_SHIFT - 5);
	emit_alu_imm(e, OP_W, 4, H_RCX, aligned ? -4096 | 15 : -4096);
	emit_alu_imm(e, 0, 4, H_RDX, (TLB_SIZE - 1) << 5);
	emit_rmx(e, 0x3b | OP_W, H_RCX, H_R15, H_RDX, 0,
		 write ? offsetof(struct tlb_entry, wtag) : offsetof(struct tlb_entry, rtag));
	ng_exit_if(g, COND_NZ);
	emit_rmx(e, 0x03 | OP_W, H_RAX, H_R15, H_RDX, 0, offsetof(struct tlb_entry, addend));
	g->locked = 0; /* the address is in RAX now */
}

void ng_addr(struct native_gen *g, const struct uop *u, unsigned size, bool write)
{
	ng_lin(g, u);
	ng_check(g, size, write, false);
}

/* ---- fragments ---- */

static void begin(struct native_gen *g, struct cpu *c, struct block *b, unsigned first, uint8_t *p)
{
	g->e.p = p;
	g->c = c;
	g->b = b;
	g->first = first;
	g->ended = false;
	for (unsigned i = 0; i < R_NSLOTS; i++)
		g->host_of[i] = H_NONE;
	for (unsigned i = 0; i < 16; i++)
		g->slot_of[i] = -1;
	g->next = 0;
	g->tlb_loaded = false;
	g->xmm_loaded = 0;
	g->fpu_checked = false;
	g->pend = (struct native_pend){0};
	g->host_flags = -1;
	g->n_exits = 0;
}

/* The ways out, behind the code that takes them. */
static void emit_exits(struct native *n, struct native_gen *g)
{
	struct emitter *e = &g->e;

	for (unsigned i = 0; i < g->n_exits; i++) {
		const struct native_exit *x = &g->exits[i];

		emit_land(x->jump, e->p);
		store_pend(e, &x->pend);
		move_to(e, x->uop - g->first);
		/* To the start of the arena, which is that far before the draft. */
		emit_land(emit_jump(e, 16), n->draft - n->ready);
	}
}

static unsigned translate(struct native_gen *g, const struct uop *u)
{
	unsigned n, n_exits;
	struct native_pend pend;
	uint8_t *p;

	/* Four would leave too few for one that needs many itself. */
	if (__builtin_popcount(pinned(g)) > 3)
		ng_flush(g);
	g->locked = 0;
	pend = g->pend;
	n_exits = g->n_exits;
	p = g->e.p;
	n = native_int(g, u);
	if (!n)
		n = native_flow(g, u);
	if (!n)
		n = native_sse(g, u);
	if (!n)
		n = native_fpu(g, u);
	if (!n) { /* the fragment ends before it, as if nothing had been tried */
		g->pend = pend;
		g->n_exits = n_exits;
		g->e.p = p;
		g->ended = false;
	}
	return n;
}

/* Host code for a run of micro-operations from FIRST on; where it ends. */
static unsigned fragment(struct cpu *c, struct block *b, unsigned first)
{
	struct native *n = c->native;
	struct native_gen *g = &n->gen;
	unsigned k = first, got;

	begin(g, c, b, first, n->draft + (n->fill - n->ready));
	while (k < b->n_uops && !g->ended && g->n_exits + 8 < NATIVE_MAX_EXITS) {
		g->at = k;
		got = translate(g, &b->uops[k]);
		if (!got)
			break;
		k += got;
	}
	if (k == first)
		return k + 1;
	/* One alone is no faster than its function, but x87. */
	if (k - first < 2 && !g->ended && !g->fpu_checked && n->threshold > 1)
		return k;
	if (!g->ended) {
		ng_flush(g);
		move_to(&g->e, k - first);
		emit_rm(&g->e, 0xff, 4, H_RSI, offsetof(struct uop, fn));
	}
	emit_exits(n, g);
	b->uops[first].fn = (uop_fn *)(n->code + n->fill);
	n->fill = n->ready + ALIGN_UP((uint32_t)(g->e.p - n->draft), 16u);
	return k;
}

/* What is in the draft goes where it is executed. */
static bool publish(struct native *n)
{
	size_t bytes = n->fill - n->ready;

	if (pwrite(n->fd, n->draft, bytes, n->ready) != (ssize_t)bytes)
		return false;
	n->ready = n->fill;
	return true;
}

/*
 * Large pages, once half of one has been written: host CPUs remember the addresses of few small ones. A file's pages
 * become large by being asked for just so, whatever the host's settings for shared memory; kernels before 6.1 don't do that.
 */
static void want_huge(struct native *n)
{
	for (; n->huge + HUGE_PAGE / 2 < n->ready; n->huge += HUGE_PAGE)
		madvise(n->code + n->huge, HUGE_PAGE, MADV_COLLAPSE);
}

static bool start_arena(struct native *n)
{
	struct emitter e = {n->draft};

	/* To the function of micro-operation RSI. */
	emit_rm(&e, 0xb7 | OP_0F, H_RAX, H_RSI, offsetof(struct uop, op));
	emit_mov_imm(&e, H_RCX, (uintptr_t)uop_functions);
	emit_rmx(&e, 0xff, 4, H_RCX, H_RAX, 3, 0);
	n->ready = 0;
	n->fill = ALIGN_UP((uint32_t)(e.p - n->draft), 16u);
	return publish(n);
}

static noinline_fn void translate_hot(struct cpu *c, struct block *b)
{
	struct native *n = c->native;

	if (n->fill + BLOCK_MAX_BYTES > ARENA_BYTES) {
		/* No fragment is being executed: this is the entry of a block. */
		block_forget_native(c);
		if (!start_arena(n))
			n->threshold = 0;
	}
	b->uops[0].fn = uop_functions[b->uops[0].op];
	if (!n->threshold)
		return;
	c->stats.native_blocks++;
	for (unsigned i = 0; i < b->n_uops;)
		i = fragment(c, b, i);
	if (publish(n)) {
		want_huge(n);
		return;
	}
	/* Memory that cannot be had: it is interpreted from now on. */
	n->threshold = 0;
	block_forget_native(c);
	b->uops[0].fn = uop_functions[b->uops[0].op];
}

/* Stands for the first micro-operation's function while a block is watched. */
static const struct uop *watched(struct cpu *c, const struct uop *u)
{
	struct block *b = c->block;

	if (++b->entries < c->native->threshold)
		return uop_functions[u->op](c, u);
	translate_hot(c, b);
	return u->fn(c, u);
}

void native_watch(struct cpu *c, struct block *b)
{
	b->entries = 0;
	if (c->native && c->native->threshold && !(b->mode & (MODE_SINGLE | MODE_ONE)))
		b->uops[0].fn = watched;
}

void native_set_threshold(struct cpu *c, unsigned entries)
{
	if (c->native)
		c->native->threshold = (uint8_t)entries;
}

struct native *native_new(struct cpu *c)
{
	struct native *n;

	if (!EVMM_TAILCALL)
		return NULL;
	n = xzalloc(sizeof(*n));
	n->draft = xmalloc(BLOCK_MAX_BYTES);
	n->threshold = THRESHOLD;
	n->code = reserve_aligned(HUGE_PAGE, ARENA_BYTES);
	n->fd = memfd_create("evmm-native", MFD_CLOEXEC);
	if (!n->code || n->fd < 0 || ftruncate(n->fd, ARENA_BYTES) ||
	    mmap(n->code, ARENA_BYTES, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, n->fd, 0) ==
		    MAP_FAILED ||
	    !start_arena(n)) {
		native_free(n);
		return NULL;
	}
	return n;
}

uint64_t native_bytes(const struct native *n)
{
	return n ? n->ready : 0;
}

void native_free(struct native *n)
{
	if (!n)
		return;
	if (n->code)
		munmap(n->code, ARENA_BYTES);
	if (n->fd >= 0)
		close(n->fd);
	free(n->draft);
	free(n);
}
