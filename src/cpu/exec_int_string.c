/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * String instructions (SDM 2, REP; MOVS, STOS, LODS, SCAS, CMPS). Segment of rSI in src, element bytes in size, address size and
 * repetition in flags.
 *
 * A repeated one runs in steps: as many elements as lie on a page by way of host pointers, else a single one by
 * way of the MMU. After each step the registers say how far it got, so a fault is precise, and an exit request ends the
 * micro-operation with rip still on the instruction. Single-stepping counts iterations as instructions.
 */
#include "src/cpu/exec_int.h"

struct str {
	struct cpu *c;
	const struct uop *u;
	uint64_t mask;	/* of offsets and of the count */
	unsigned size;	/* of an element */
	uint64_t count; /* elements left; 1 without REP */
};

static inline struct str str_init(struct cpu *c, const struct uop *u)
{
	struct str s = {.c = c, .u = u, .mask = i_addr_mask(u), .size = u->size, .count = 1};

	if (u->flags & (UF_REP | UF_REPNE))
		s.count = c->regs[R_RCX] & s.mask;
	return s;
}

/* May whole pages be gone through? Only forward, and where no limit is to be checked per element. */
static inline bool str_may_bulk(const struct str *s, int seg)
{
	uint32_t mode = s->c->mode;

	if (s->count < 2 || s->c->df < 0 || (mode & MODE_ONE))
		return false;
	return (mode & MODE_CODE64) || ((mode & MODE_FLAT) && seg < S_FS && seg != S_CS);
}

/* Offset in pointer register SLOT. */
static inline uint64_t str_off(const struct str *s, unsigned slot)
{
	return s->c->regs[slot] & s->mask;
}

static uint64_t str_lin(const struct str *s, unsigned slot, int seg, bool write)
{
	return ea_lin(s->c, s->u, seg, str_off(s, slot), s->size, write);
}

/* Elements, at most N, from the offset in SLOT on that lie on one page and before the offset wraps. */
static uint64_t str_room(const struct str *s, unsigned slot, int seg, uint64_t n)
{
	uint64_t off = str_off(s, slot), lin = ea_lin(s->c, s->u, seg, off, 0, false);
	uint64_t bytes = PAGE_SIZE - (lin & (PAGE_SIZE - 1));

	if (s->mask - off < bytes - 1)
		bytes = s->mask - off + 1;
	return MIN(n, bytes / s->size);
}

/* Moves pointer register SLOT over N elements. */
static inline void str_advance(const struct str *s, unsigned slot, uint64_t n)
{
	i_set_masked(s->c, slot, s->c->regs[slot] + (uint64_t)s->c->df * n * s->size, s->mask);
}

/* N elements are done. True when the instruction is to be left for now, with rip on it. */
static inline bool str_done(struct str *s, uint64_t n)
{
	struct cpu *c = s->c;

	s->count -= n;
	if (!(s->u->flags & (UF_REP | UF_REPNE)))
		return false;
	i_set_masked(c, R_RCX, c->regs[R_RCX] - n, s->mask);
	if (!s->count || likely(!__atomic_load_n(&c->exit_request, __ATOMIC_RELAXED)))
		return false;
	c->rip = c->block->rip + s->u->ip;
	if (!(c->block->mode & MODE_CODE64))
		c->rip = (uint32_t)c->rip;
	return true;
}

/* Host address of LIN when the TLB has its page for reading, else NULL. */
static inline uint8_t *host_rd(struct cpu *c, uint64_t lin)
{
	const struct tlb_entry *e = mmu_slot(c, lin);

	return MMU_HIT_RD(e, lin, 1) ? (uint8_t *)(lin + e->addend) : NULL;
}

static inline uint8_t *host_wr(struct cpu *c, uint64_t lin)
{
	const struct tlb_entry *e = mmu_slot(c, lin);

	return MMU_HIT_WR(e, lin, 1) ? (uint8_t *)(lin + e->addend) : NULL;
}

static uint64_t load(const struct str *s, uint64_t lin)
{
	switch (s->size) {
	case 1:
		return mmu_ld8(s->c, s->u, lin);
	case 2:
		return mmu_ld16(s->c, s->u, lin);
	case 4:
		return mmu_ld32(s->c, s->u, lin);
	default:
		return mmu_ld64(s->c, s->u, lin);
	}
}

static void store(const struct str *s, uint64_t lin, uint64_t v)
{
	switch (s->size) {
	case 1:
		mmu_st8(s->c, s->u, lin, (uint8_t)v);
		break;
	case 2:
		mmu_st16(s->c, s->u, lin, (uint16_t)v);
		break;
	case 4:
		mmu_st32(s->c, s->u, lin, (uint32_t)v);
		break;
	default:
		mmu_st64(s->c, s->u, lin, v);
		break;
	}
}

static uint64_t acc(const struct str *s)
{
	switch (s->size) {
	case 1:
		return REG8(s->c, 0);
	case 2:
		return REG16(s->c, R_RAX);
	case 4:
		return REG32(s->c, R_RAX);
	default:
		return s->c->regs[R_RAX];
	}
}

/* ---- MOVS ---- */

/* As one element after the other would: a destination a little above the source repeats what was just written. */
static void copy_forward(uint8_t *dst, const uint8_t *src, uint64_t n, unsigned size)
{
	uint64_t bytes = n * size;

	if (dst <= src || dst >= src + bytes) {
		memmove(dst, src, bytes);
		return;
	}
	for (; n; n--, dst += size, src += size)
		memmove(dst, src, size);
}

/* Elements moved at once; 0 when it must be done by the MMU. */
static uint64_t bulk_movs(const struct str *s)
{
	int seg = s->u->src;
	uint8_t *src, *dst;
	uint64_t n;

	if (!str_may_bulk(s, seg))
		return 0;
	n = str_room(s, R_RSI, seg, s->count);
	n = str_room(s, R_RDI, S_ES, n);
	src = host_rd(s->c, str_lin(s, R_RSI, seg, false));
	dst = host_wr(s->c, str_lin(s, R_RDI, S_ES, true));
	if (!src || !dst)
		return 0;
	copy_forward(dst, src, n, s->size);
	return n;
}

UOP_FRAME_STOP_FN(i_movs)
{
	struct str s = str_init(c, u);

	while (s.count) {
		uint64_t n = bulk_movs(&s), v;

		if (!n) {
			v = load(&s, str_lin(&s, R_RSI, u->src, false));
			store(&s, str_lin(&s, R_RDI, S_ES, true), v);
			n = 1;
		}
		str_advance(&s, R_RSI, n);
		str_advance(&s, R_RDI, n);
		if (str_done(&s, n))
			return true;
	}
	return false;
}

/* ---- STOS ---- */

static void fill(uint8_t *dst, uint64_t n, unsigned size, uint64_t v)
{
	uint64_t bytes = n * size;

	switch (size) {
	case 1:
		v *= 0x0101010101010101;
		break;
	case 2:
		v *= 0x0001000100010001;
		break;
	case 4:
		v |= v << 32;
		break;
	}
	if (v == (v & 0xff) * 0x0101010101010101) {
		memset(dst, (int)(v & 0xff), bytes);
		return;
	}
	for (; bytes >= 8; bytes -= 8, dst += 8)
		memcpy(dst, &v, 8);
	memcpy(dst, &v, bytes);
}

static uint64_t bulk_stos(const struct str *s)
{
	uint8_t *dst;
	uint64_t n;

	if (!str_may_bulk(s, S_ES))
		return 0;
	n = str_room(s, R_RDI, S_ES, s->count);
	dst = host_wr(s->c, str_lin(s, R_RDI, S_ES, true));
	if (!dst)
		return 0;
	fill(dst, n, s->size, acc(s));
	return n;
}

UOP_FRAME_STOP_FN(i_stos_any)
{
	struct str s = str_init(c, u);

	while (s.count) {
		uint64_t n = bulk_stos(&s);

		if (!n) {
			store(&s, str_lin(&s, R_RDI, S_ES, true), acc(&s));
			n = 1;
		}
		str_advance(&s, R_RDI, n);
		if (str_done(&s, n))
			return true;
	}
	return false;
}

/*
 * What compilers clear small objects with: REP, forward, 64-bit addresses, a few hundred bytes on a page that the TLB has.
 */
const struct uop *i_stos(struct cpu *restrict c, const struct uop *restrict u)
{
	static const uint64_t spread[] = {
		[1] = 0x0101010101010101, [2] = 0x0001000100010001, [4] = 0x100000001, [8] = 1};
	const uint8_t flags = UF_REP | UF_REPNE | UF_A16 | UF_A32;
	uint64_t n = c->regs[R_RCX], bytes = n * u->size, lin = c->regs[R_RDI], v;
	const struct tlb_entry *e = mmu_slot(c, lin);
	uint8_t *p = (uint8_t *)(lin + e->addend);

	if (unlikely((u->flags & flags) != UF_REP ||
		     (c->mode & (MODE_CODE64 | MODE_ONE)) != MODE_CODE64 || c->df < 0 ||
		     n - 1 >= 64 || !MMU_HIT_WR(e, lin, bytes)))
		return i_stos_any(c, u);
	v = c->regs[R_RAX] << (64 - 8 * u->size) >> (64 - 8 * u->size);
	v *= spread[u->size];
	c->regs[R_RDI] = lin + bytes;
	c->regs[R_RCX] = 0;
	if (bytes >= 8) {
		*(guest_u64 *)(p + bytes - 8) = v;
		for (; bytes > 8; bytes -= 8, p += 8)
			*(guest_u64 *)p = v;
	} else {
		for (; bytes; bytes--, v >>= 8)
			*p++ = (uint8_t)v;
	}
	NEXT();
}

/* ---- LODS ---- */

UOP_FRAME_STOP_FN(i_lods)
{
	struct str s = str_init(c, u);

	while (s.count) {
		uint64_t v = load(&s, str_lin(&s, R_RSI, u->src, false));

		switch (u->size) {
		case 1:
			SET8(0, v);
			break;
		case 2:
			SET16(R_RAX, v);
			break;
		case 4:
			SET32(R_RAX, v);
			break;
		default:
			SET64(R_RAX, v);
			break;
		}
		str_advance(&s, R_RSI, 1);
		if (str_done(&s, 1))
			return true;
	}
	return false;
}

/* ---- SCAS and CMPS ---- */

static void compare(struct cpu *c, unsigned size, uint64_t a, uint64_t b)
{
	unsigned op = CC_SUB + (unsigned)__builtin_ctz(size);

	c->cc_op = op;
	c->cc_dst = (a - b) & cc_mask(op);
	c->cc_src = b & cc_mask(op);
}

/* Is the repetition over, after comparing equal or not? */
static bool str_ends(const struct uop *u, bool equal)
{
	if (u->flags & UF_REP)
		return !equal;
	if (u->flags & UF_REPNE)
		return equal;
	return false;
}

static uint64_t element(const uint8_t *p, unsigned size)
{
	switch (size) {
	case 1:
		return *p;
	case 2:
		return *(const guest_u16 *)p;
	case 4:
		return *(const guest_u32 *)p;
	default:
		return *(const guest_u64 *)p;
	}
}

/* Elements of those at P that don't end the repetition and aren't the last one: they leave no trace but the pointers. */
static uint64_t skip_scas(const struct str *s, const uint8_t *p, uint64_t n)
{
	uint64_t i = 0, a = acc(s);

	while (i + 1 < n && !str_ends(s->u, element(p + i * s->size, s->size) == a))
		i++;
	return i;
}

static uint64_t skip_cmps(const struct str *s, const uint8_t *p, const uint8_t *q, uint64_t n)
{
	uint64_t i = 0;

	while (i + 1 < n && !str_ends(s->u, element(p + i * s->size, s->size) ==
						    element(q + i * s->size, s->size)))
		i++;
	return i;
}

static uint64_t bulk_scas(const struct str *s)
{
	const uint8_t *p;

	if (!str_may_bulk(s, S_ES))
		return 0;
	p = host_rd(s->c, str_lin(s, R_RDI, S_ES, false));
	return p ? skip_scas(s, p, str_room(s, R_RDI, S_ES, s->count)) : 0;
}

static uint64_t bulk_cmps(const struct str *s)
{
	int seg = s->u->src;
	const uint8_t *p, *q;
	uint64_t n;

	if (!str_may_bulk(s, seg))
		return 0;
	n = str_room(s, R_RDI, S_ES, str_room(s, R_RSI, seg, s->count));
	p = host_rd(s->c, str_lin(s, R_RSI, seg, false));
	q = host_rd(s->c, str_lin(s, R_RDI, S_ES, false));
	return p && q ? skip_cmps(s, p, q, n) : 0;
}

/* What bulk skipped stays within RCX > 0, so an element always follows that sets the flags. */
UOP_FRAME_STOP_FN(i_scas)
{
	struct str s = str_init(c, u);
	uint64_t n, v;

	while (s.count) {
		n = bulk_scas(&s);
		str_advance(&s, R_RDI, n);
		s.count -= n;
		if (n)
			i_set_masked(c, R_RCX, c->regs[R_RCX] - n, s.mask);
		v = load(&s, str_lin(&s, R_RDI, S_ES, false));
		str_advance(&s, R_RDI, 1);
		compare(c, s.size, acc(&s), v);
		if (str_ends(u, v == acc(&s)))
			s.count = 1;
		if (str_done(&s, 1))
			return true;
	}
	return false;
}

UOP_FRAME_STOP_FN(i_cmps)
{
	struct str s = str_init(c, u);
	uint64_t n, a, b;

	while (s.count) {
		n = bulk_cmps(&s);
		str_advance(&s, R_RSI, n);
		str_advance(&s, R_RDI, n);
		s.count -= n;
		if (n)
			i_set_masked(c, R_RCX, c->regs[R_RCX] - n, s.mask);
		a = load(&s, str_lin(&s, R_RSI, u->src, false));
		b = load(&s, str_lin(&s, R_RDI, S_ES, false));
		str_advance(&s, R_RSI, 1);
		str_advance(&s, R_RDI, 1);
		compare(c, s.size, a, b);
		if (str_ends(u, a == b))
			s.count = 1;
		if (str_done(&s, 1))
			return true;
	}
	return false;
}
