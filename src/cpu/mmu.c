/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software TLB's slow side: filling and flushing it, and accesses that the inline path of mmu.h cannot do:
 * misses, page crossings, devices, ROM, pages with translated code, alignment checks and data breakpoints.
 *
 * Every access to host memory here goes through a range of the memory view that has been seen to hold all its bytes.
 */
#include <pthread.h>
#include "src/cpu/block.h"
#include "src/cpu/ea.h"
#include "src/cpu/lapic.h"
#include "src/cpu/mmu_walk.h"
#include "src/machine.h"

/* More bits of tlb_entry.phys, beside those of mmu.h */
#define TLB_ROM	  8ull
#define TLB_LARGE 16ull /* from a 2 MiB page */
#define TLB_LOGGED \
	32ull /* writes to it are noted (src/dirty_log.h): once, as long as the entry is there */

/* ---- the TLB ---- */

static inline bool tlb_tag_is(uint64_t tag, uint64_t page)
{
	return (tag & ~TLB_SLOW) == page;
}

static inline struct tlb_entry *tlb_slot(struct cpu *c, unsigned index, uint64_t lin)
{
	return &c->tables[index][(lin >> PAGE_SHIFT) & (TLB_SIZE - 1)];
}

static inline void tlb_drop(struct tlb_entry *e)
{
	e->rtag = TLB_INVALID;
	e->wtag = TLB_INVALID;
	e->addend = 0;
	e->phys = 0;
}

static void tlb_forget_code(struct cpu *c)
{
	c->tlb_generation++;
	memset(c->code_pages, 0, sizeof(c->code_pages));
}

/* Drops the entries whose bit is set in MAP[table]. */
static void tlb_drop_marked(struct cpu *c, uint64_t map[MMU_NTABLES][TLB_SIZE / 64])
{
	unsigned t, w;

	for (t = 0; t < MMU_CHECKED; t++) {
		for (w = 0; w < TLB_SIZE / 64; w++) {
			uint64_t bits = map[t][w];

			c->tlb_filled[t][w] &= ~bits;
			c->tlb_nonglobal[t][w] &= ~bits;
			for (; bits; bits &= bits - 1)
				tlb_drop(&c->tables[t][w * 64 + (unsigned)__builtin_ctzll(bits)]);
		}
	}
}

void mmu_flush_all(struct cpu *c)
{
	tlb_drop_marked(c, c->tlb_filled);
	memset(c->large_2m, 0, sizeof(c->large_2m));
	c->large_1g = 0;
	tlb_forget_code(c);
	c->stats.tlb_flushes++;
}

void mmu_flush_nonglobal(struct cpu *c)
{
	tlb_drop_marked(c, c->tlb_nonglobal);
	tlb_forget_code(c);
	c->stats.tlb_flushes++;
}

static void mmu_flush_large(struct cpu *c, uint64_t lin)
{
	unsigned t, w;

	for (t = 0; t < MMU_CHECKED; t++) {
		for (w = 0; w < TLB_SIZE / 64; w++) {
			uint64_t bits = c->tlb_filled[t][w];

			for (; bits; bits &= bits - 1) {
				struct tlb_entry *e =
					&c->tables[t][w * 64 + (unsigned)__builtin_ctzll(bits)];

				if ((e->phys & TLB_LARGE) && !((e->rtag ^ lin) >> 21))
					tlb_drop(e);
			}
		}
	}
	tlb_forget_code(c);
}

static unsigned hash_2m(uint64_t lin)
{
	return (unsigned)((lin >> 21) ^ (lin >> 29)) & 255;
}

void mmu_flush_page(struct cpu *c, uint64_t lin)
{
	uint64_t page = lin & PAGE_MASK, n = lin >> PAGE_SHIFT;
	unsigned t, h = hash_2m(lin);

	if (unlikely(c->large_1g & BIT64((lin >> 30) & 63))) {
		mmu_flush_all(c);
		return;
	}
	for (t = 0; t < MMU_CHECKED; t++) {
		struct tlb_entry *e = tlb_slot(c, t, lin);

		if (tlb_tag_is(e->rtag, page))
			tlb_drop(e);
	}
	if (unlikely(c->large_2m[h >> 6] & BIT64(h & 63)))
		mmu_flush_large(c, lin);
	else if (c->code_pages[(n >> 6) & 63] & BIT64(n & 63))
		tlb_forget_code(c);
}

void mmu_protect_code_page(struct cpu *c, uint64_t phys)
{
	unsigned t, w;

	phys &= PAGE_MASK;
	for (t = 0; t < MMU_CHECKED; t++) {
		for (w = 0; w < TLB_SIZE / 64; w++) {
			uint64_t bits = c->tlb_filled[t][w];

			for (; bits; bits &= bits - 1) {
				struct tlb_entry *e =
					&c->tables[t][w * 64 + (unsigned)__builtin_ctzll(bits)];

				if ((e->phys & PAGE_MASK) == phys && e->wtag != TLB_INVALID)
					e->wtag |= TLB_SLOW;
			}
		}
	}
}

void mmu_log_writes(struct cpu *c)
{
	unsigned t, w;

	for (t = 0; t < MMU_CHECKED; t++) {
		for (w = 0; w < TLB_SIZE / 64; w++) {
			uint64_t bits = c->tlb_filled[t][w];

			for (; bits; bits &= bits - 1) {
				struct tlb_entry *e =
					&c->tables[t][w * 64 + (unsigned)__builtin_ctzll(bits)];

				if (e->phys & TLB_LOGGED)
					e->wtag = TLB_INVALID;
			}
		}
	}
	dirty_log_release(c->machine, c->vcpu->index);
}

void mmu_config_changed(struct cpu *c)
{
	if (unlikely(c->tables[MMU_CHECKED][0].rtag != TLB_INVALID)) {
		/* The first time: memory of zeros is not an empty TLB. */
		memset(c->tables, 0xff, sizeof(c->tables));
		memset(c->tlb_filled, 0, sizeof(c->tlb_filled));
		memset(c->tlb_nonglobal, 0, sizeof(c->tlb_nonglobal));
	}
	mmu_flush_all(c);
}

void mmu_take_view(struct cpu *c)
{
	const struct mem_view *view = as_view_mt(&c->machine->mem);

	if (likely(view == c->view))
		return;
	c->view = view;
	c->last_range = NULL;
	mmu_flush_all(c);
}

static void tlb_mark(struct cpu *c, unsigned index, uint64_t lin, const struct walk *w)
{
	unsigned slot = (lin >> PAGE_SHIFT) & (TLB_SIZE - 1), h = hash_2m(lin);

	c->tlb_filled[index][slot >> 6] |= BIT64(slot & 63);
	if (w->global)
		c->tlb_nonglobal[index][slot >> 6] &= ~BIT64(slot & 63);
	else
		c->tlb_nonglobal[index][slot >> 6] |= BIT64(slot & 63);
	if (w->shift == 21)
		c->large_2m[h >> 6] |= BIT64(h & 63);
	else if (w->shift > 21)
		c->large_1g |= BIT64((lin >> 30) & 63);
}

/* A page that R's log is to know of. Who only reads gets no right to write along, for then it would have to be noted. */
static void tlb_make_logged(struct cpu *c, struct tlb_entry *e, const struct view_range *r,
			    uint64_t phys, enum mmu_access access)
{
	e->phys |= TLB_LOGGED;
	if (access != ACC_WRITE)
		e->wtag = TLB_INVALID;
	else if (c->vcpu)
		dirty_log_hold(r->log, c->vcpu->index,
			       (r->region_offset + (phys - r->start)) / DIRTY_PAGE);
}

/* What a finished walk says, as an entry. */
static void tlb_make(struct cpu *c, struct tlb_entry *e, uint64_t page, const struct walk *w,
		     enum mmu_access access)
{
	const struct view_range *r = mmu_range(c, w->phys);

	e->phys = w->phys | (w->exec ? TLB_X : 0) | (w->global ? TLB_G : 0) |
		  (w->shift == 21 ? TLB_LARGE : 0);
	e->rtag = page;
	e->wtag = w->write ? page : TLB_INVALID;
	e->addend = 0;
	if (unlikely(!r || r->kind == REGION_IO || w->phys < r->start ||
		     r->last - w->phys < PAGE_SIZE - 1 ||
		     (c->lapic && w->phys == lapic_mmio_base(c->lapic)))) {
		e->phys |= TLB_IO;
		e->rtag |= TLB_SLOW;
		e->wtag |= TLB_SLOW;
		return;
	}
	e->addend = (uint64_t)(uintptr_t)(r->host + (w->phys - r->start)) - page;
	if (!w->write)
		return;
	if (r->kind == REGION_ROM) {
		e->phys |= TLB_ROM;
		e->wtag |= TLB_SLOW;
	} else if (c->code_map && !code_map_may_write_fast(c, w->phys)) {
		e->wtag |= TLB_SLOW;
	}
	if (unlikely(r->log))
		tlb_make_logged(c, e, r, w->phys, access);
}

/* The walk for LIN's page; raises what it raises. */
static void tlb_walk(struct cpu *c, const struct uop *u, uint64_t lin, enum mmu_access access,
		     unsigned index, struct walk *w)
{
	if (!(c->cr0 & CR0_PG)) {
		*w = (struct walk){.phys = lin & 0xfffff000u,
				   .shift = 12,
				   .read = true,
				   .write = true,
				   .exec = true};
		return;
	}
	if ((c->efer & EFER_LMA) && unlikely(!canonical(c, lin)))
		cpu_raise_err(c, u && (u->flags & UF_SS) && access != ACC_EXEC ? EXC_SS : EXC_GP,
			      0);
	if (unlikely(!mmu_walk(c, lin, access, index, w))) {
		c->cr2 = lin;
		cpu_raise_err(c, EXC_PF, w->error);
	}
}

/*
 * The entry for an access to LIN as table INDEX has it, by value: what follows may flush the TLB. Faults if the access
 * is not allowed.
 */
static struct tlb_entry tlb_get(struct cpu *c, const struct uop *u, uint64_t lin,
				enum mmu_access access, unsigned index)
{
	struct tlb_entry *slot = tlb_slot(c, index, lin), e;
	uint64_t page = lin & PAGE_MASK;
	struct walk w;

	if (tlb_tag_is(access == ACC_WRITE ? slot->wtag : slot->rtag, page) &&
	    (access != ACC_EXEC || (slot->phys & TLB_X)))
		return *slot;
	c->stats.tlb_fills++;
	tlb_walk(c, u, lin, access, index, &w);
	tlb_make(c, &e, page, &w, access);
	if (likely(w.read)) { /* else: may be executed only, and isn't kept */
		*slot = e;
		tlb_mark(c, index, lin, &w);
	}
	return e;
}

/*
 * The page after LIN's. In 32-bit code the address space wraps; but the limit of flat segments, which nothing else checks,
 * is exceeded there.
 */
static uint64_t next_page(struct cpu *c, const struct uop *u, uint64_t lin)
{
	uint64_t next = (lin & PAGE_MASK) + PAGE_SIZE;

	if (likely(next != 1ull << 32 || (c->mode & MODE_CODE64)))
		return next;
	if (u && (c->mode & MODE_FLAT))
		uop_raise_err(c, u, u->flags & UF_SS ? EXC_SS : EXC_GP, 0);
	return 0;
}

static unsigned bytes_on_page(uint64_t lin)
{
	return PAGE_SIZE - (lin & (PAGE_SIZE - 1));
}

/* ---- physical accesses that are not plain RAM ---- */

static uint64_t ones(unsigned size)
{
	return size == 8 ? UINT64_MAX : BIT64(size * 8) - 1;
}

/* Accesses to the APIC page other than aligned doublewords are undefined (SDM 3A 11.4.1); these do the obvious. */
static uint64_t apic_read(struct cpu *c, uint64_t phys, unsigned size)
{
	uint32_t offset = phys & 0xfff;

	if (size == 8)
		return lapic_mmio_read(c->lapic, offset & ~3u);
	return (lapic_mmio_read(c->lapic, offset & ~3u) >> ((offset & 3) * 8)) & ones(size);
}

/* SIZE is 1, 2, 4 or 8; stays within a page. */
static uint64_t phys_read(struct cpu *c, uint64_t phys, unsigned size)
{
	const struct view_range *r = mmu_range(c, phys);
	uint64_t value = 0;
	unsigned i;

	if (c->lapic && (phys & PAGE_MASK) == lapic_mmio_base(c->lapic))
		return apic_read(c, phys, size);
	if (unlikely(size > 1 && (!r || r->last - phys < size - 1))) {
		for (i = 0; i < size; i++)
			value |= phys_read(c, phys + i, 1) << (i * 8);
		return value;
	}
	if (!r)
		return ones(size);
	if (r->kind != REGION_IO)
		return ldn_le(r->host + (phys - r->start), size);
	if (!c->vcpu)
		return ones(size);
	value = vcpu_mmio_read(c->vcpu, phys, size);
	mmu_take_view(c);
	return value & ones(size);
}

static void phys_write(struct cpu *c, uint64_t phys, unsigned size, uint64_t value)
{
	const struct view_range *r = mmu_range(c, phys);
	unsigned i;

	if (c->lapic && (phys & PAGE_MASK) == lapic_mmio_base(c->lapic)) {
		if (size == 8 || (size == 4 && !(phys & 3)))
			lapic_mmio_write(c->lapic, phys & 0xffc, (uint32_t)value);
		return;
	}
	if (unlikely(size > 1 && (!r || r->last - phys < size - 1))) {
		for (i = 0; i < size; i++)
			phys_write(c, phys + i, 1, value >> (i * 8) & 0xff);
		return;
	}
	if (!r)
		return;
	if (r->kind == REGION_RAM) {
		stn_le(r->host + (phys - r->start), size, value);
		if (r->log)
			dirty_log_mark_mt(r->log, r->region_offset + (phys - r->start), size);
		if (c->code_map)
			code_map_written(c->code_map, c, phys, size);
		return;
	}
	if (!c->vcpu || (r->kind == REGION_ROM && !(r->region->ops && r->region->ops->write)))
		return;
	vcpu_mmio_write(c->vcpu, phys, value & ones(size), size);
	mmu_take_view(c);
}

/* The largest power of two that divides the address and is not more than N. */
static unsigned chunk(uint64_t addr, unsigned n)
{
	unsigned size = 8;

	while (size > n || (addr & (size - 1)))
		size >>= 1;
	return size;
}

/* ---- accesses within one page, through an entry ---- */

static uint64_t entry_phys(const struct tlb_entry *e, uint64_t lin)
{
	return (e->phys & PAGE_MASK) | (lin & (PAGE_SIZE - 1));
}

static void *entry_host(const struct tlb_entry *e, uint64_t lin)
{
	return (void *)(uintptr_t)(lin + e->addend);
}

/* RAM accesses of a whole operand are single accesses of the host, as atomic as the guest expects them to be. */
static uint64_t host_load(const void *p, unsigned size)
{
	switch (size) {
	case 1:
		return *(const volatile guest_u8 *)p;
	case 2:
		return *(const volatile guest_u16 *)p;
	case 4:
		return *(const volatile guest_u32 *)p;
	default:
		return *(const volatile guest_u64 *)p;
	}
}

static void host_store(void *p, unsigned size, uint64_t value)
{
	switch (size) {
	case 1:
		*(volatile guest_u8 *)p = (uint8_t)value;
		break;
	case 2:
		*(volatile guest_u16 *)p = (uint16_t)value;
		break;
	case 4:
		*(volatile guest_u32 *)p = (uint32_t)value;
		break;
	default:
		*(volatile guest_u64 *)p = value;
		break;
	}
}

static uint64_t entry_load(struct cpu *c, const struct tlb_entry *e, uint64_t lin, unsigned size)
{
	if (likely(!(e->phys & TLB_IO)))
		return host_load(entry_host(e, lin), size);
	return phys_read(c, entry_phys(e, lin), size);
}

/* RAM with translated code on it, or that had some when the entry was made. */
static bool is_code(const struct tlb_entry *e)
{
	return (e->wtag & TLB_SLOW) && !(e->phys & (TLB_IO | TLB_ROM));
}

/* Before a store to RAM with code: it may hit the block in execution (then this doesn't return). */
static void before_store(struct cpu *c, const struct uop *u, const struct tlb_entry *e,
			 uint64_t lin, unsigned n)
{
	if (unlikely(is_code(e)))
		block_before_store(c, u, entry_phys(e, lin), n);
}

/* After it: translations go, and the page may have become plain data. */
static void after_store(struct cpu *c, const struct tlb_entry *e, uint64_t lin, unsigned n,
			unsigned index)
{
	struct tlb_entry *slot = tlb_slot(c, index, lin);

	code_map_written(c->code_map, c, entry_phys(e, lin), n);
	if (tlb_tag_is(slot->wtag, lin & PAGE_MASK) &&
	    code_map_may_write_fast(c, e->phys & PAGE_MASK))
		slot->wtag = lin & PAGE_MASK;
}

static void entry_store(struct cpu *c, const struct tlb_entry *e, uint64_t lin, unsigned size,
			uint64_t value, unsigned index)
{
	if (unlikely(e->phys & (TLB_IO | TLB_ROM))) {
		phys_write(c, entry_phys(e, lin), size, value);
		return;
	}
	host_store(entry_host(e, lin), size, value);
	if (unlikely(e->wtag & TLB_SLOW))
		after_store(c, e, lin, size, index);
}

static void entry_load_bytes(struct cpu *c, const struct tlb_entry *e, uint64_t lin, uint8_t *buf,
			     unsigned n)
{
	if (likely(!(e->phys & TLB_IO))) {
		memcpy(buf, entry_host(e, lin), n);
		return;
	}
	while (n) {
		unsigned size = chunk(lin, n);

		stn_le(buf, size, phys_read(c, entry_phys(e, lin), size));
		lin += size;
		buf += size;
		n -= size;
	}
}

static void entry_store_bytes(struct cpu *c, const struct tlb_entry *e, uint64_t lin,
			      const uint8_t *buf, unsigned n, unsigned index)
{
	if (likely(!(e->phys & (TLB_IO | TLB_ROM)))) {
		memcpy(entry_host(e, lin), buf, n);
		if (unlikely(e->wtag & TLB_SLOW))
			after_store(c, e, lin, n, index);
		return;
	}
	while (n) {
		unsigned size = chunk(lin, n);

		phys_write(c, entry_phys(e, lin), size, ldn_le(buf, size));
		lin += size;
		buf += size;
		n -= size;
	}
}

/* ---- alignment checks and data breakpoints ---- */

/* DR7: R/W of breakpoint n in bits 16+4n, LEN in 18+4n. */
static void match_breakpoints(struct cpu *c, uint64_t lin, unsigned size, bool write)
{
	static const uint8_t lengths[4] = {1, 2, 8, 4};
	const uint64_t *dr = cpu_debug_registers(c);
	unsigned n;

	for (n = 0; n < 4; n++) {
		unsigned rw = (dr[7] >> (16 + 4 * n)) & 3;
		uint64_t len = lengths[(dr[7] >> (18 + 4 * n)) & 3];
		uint64_t start = dr[n] & ~(len - 1);

		if (!(dr[7] & (3u << (2 * n))) || !(rw == 3 || (rw == 1 && write)))
			continue;
		if (lin - start < len || start - lin < size)
			c->db_pending |= BIT(n);
	}
}

static void check_alignment(struct cpu *c, uint64_t lin, unsigned size)
{
	if ((lin & (size - 1)) && c->cpl == 3 && (c->cr0 & CR0_AM) && (c->flags & FL_AC))
		cpu_raise_err(c, EXC_AC, 0);
}

static void check_access(struct cpu *c, uint64_t lin, unsigned size, bool write)
{
	if (size <= 8)
		check_alignment(c, lin, size);
	match_breakpoints(c, lin, size, write);
}

static inline bool checked(const struct cpu *c)
{
	return unlikely(c->tlb == c->tables[MMU_CHECKED]);
}

/* ---- what instructions call ---- */

static uint64_t load(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size,
		     unsigned index)
{
	unsigned first = bytes_on_page(lin);
	struct tlb_entry e, e2;
	uint64_t value = 0, lin2;

	if (likely(first >= size)) {
		e = tlb_get(c, u, lin, ACC_READ, index);
		return entry_load(c, &e, lin, size);
	}
	lin2 = next_page(c, u, lin);
	e = tlb_get(c, u, lin, ACC_READ, index);
	e2 = tlb_get(c, u, lin2, ACC_READ, index);
	entry_load_bytes(c, &e, lin, (uint8_t *)&value, first);
	entry_load_bytes(c, &e2, lin2, (uint8_t *)&value + first, size - first);
	return value;
}

static void store(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size, uint64_t value,
		  unsigned index)
{
	unsigned first = bytes_on_page(lin);
	struct tlb_entry e, e2;
	uint64_t lin2;

	if (likely(first >= size)) {
		e = tlb_get(c, u, lin, ACC_WRITE, index);
		before_store(c, u, &e, lin, size);
		entry_store(c, &e, lin, size, value, index);
		return;
	}
	lin2 = next_page(c, u, lin);
	e = tlb_get(c, u, lin, ACC_WRITE, index);
	e2 = tlb_get(c, u, lin2, ACC_WRITE, index);
	before_store(c, u, &e, lin, first);
	before_store(c, u, &e2, lin2, size - first);
	entry_store_bytes(c, &e, lin, (const uint8_t *)&value, first, index);
	entry_store_bytes(c, &e2, lin2, (const uint8_t *)&value + first, size - first, index);
}

uint64_t mmu_load_slow(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size)
{
	c->cur = u;
	if (checked(c))
		check_access(c, lin, size, false);
	return load(c, u, lin, size, c->mmu_index);
}

void mmu_store_slow(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size, uint64_t value)
{
	c->cur = u;
	if (checked(c))
		check_access(c, lin, size, true);
	store(c, u, lin, size, value, c->mmu_index);
}

void *mmu_rmw_slow(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size)
{
	struct tlb_entry e;

	mmu_probe(c, u, lin, size, ACC_WRITE);
	if (bytes_on_page(lin) < size)
		return NULL;
	e = tlb_get(c, u, lin, ACC_WRITE, c->mmu_index);
	if (e.phys & (TLB_IO | TLB_ROM))
		return NULL;
	if (checked(c))
		check_access(c, lin, size, true);
	if (e.wtag & TLB_SLOW) {
		/* The instruction is alone in its block, so that the store can be told right after it. */
		block_alone(c, u);
		code_map_written(c->code_map, c, entry_phys(&e, lin), size);
		c->rmw_code_phys = entry_phys(&e, lin);
	}
	return entry_host(&e, lin);
}

static void probe(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size,
		  enum mmu_access access, unsigned index)
{
	unsigned n = bytes_on_page(lin);

	tlb_get(c, u, lin, access, index);
	while (n < size) {
		lin = next_page(c, u, lin);
		tlb_get(c, u, lin, access, index);
		n += PAGE_SIZE;
	}
}

void mmu_probe(struct cpu *c, const struct uop *u, uint64_t lin, unsigned size,
	       enum mmu_access access)
{
	c->cur = u;
	if (checked(c) && size <= 8)
		check_alignment(c, lin, size);
	probe(c, u, lin, size, access, c->mmu_index);
}

void mmu_load128_slow(struct cpu *c, const struct uop *u, uint64_t lin, union xmm *out)
{
	mmu_load_bytes(c, u, lin, out, 16);
}

void mmu_store128_slow(struct cpu *c, const struct uop *u, uint64_t lin, const union xmm *in)
{
	mmu_store_bytes(c, u, lin, in, 16);
}

void mmu_load_bytes(struct cpu *c, const struct uop *u, uint64_t lin, void *buf, size_t bytes)
{
	uint8_t *p = buf;

	mmu_probe(c, u, lin, (unsigned)bytes, ACC_READ);
	if (checked(c))
		match_breakpoints(c, lin, (unsigned)bytes, false);
	while (bytes) {
		unsigned n = (unsigned)MIN(bytes, (size_t)bytes_on_page(lin));
		struct tlb_entry e = tlb_get(c, u, lin, ACC_READ, c->mmu_index);

		entry_load_bytes(c, &e, lin, p, n);
		p += n;
		bytes -= n;
		if (bytes)
			lin = next_page(c, u, lin);
	}
}

/* Each page's part, before the first byte is written. */
static void before_stores(struct cpu *c, const struct uop *u, uint64_t lin, size_t bytes)
{
	while (bytes) {
		unsigned n = (unsigned)MIN(bytes, (size_t)bytes_on_page(lin));
		struct tlb_entry e = tlb_get(c, u, lin, ACC_WRITE, c->mmu_index);

		before_store(c, u, &e, lin, n);
		bytes -= n;
		if (bytes)
			lin = next_page(c, u, lin);
	}
}

void mmu_store_bytes(struct cpu *c, const struct uop *u, uint64_t lin, const void *buf,
		     size_t bytes)
{
	const uint8_t *p = buf;

	mmu_probe(c, u, lin, (unsigned)bytes, ACC_WRITE);
	before_stores(c, u, lin, bytes);
	if (checked(c))
		match_breakpoints(c, lin, (unsigned)bytes, true);
	while (bytes) {
		unsigned n = (unsigned)MIN(bytes, (size_t)bytes_on_page(lin));
		struct tlb_entry e = tlb_get(c, u, lin, ACC_WRITE, c->mmu_index);

		entry_store_bytes(c, &e, lin, p, n, c->mmu_index);
		p += n;
		bytes -= n;
		if (bytes)
			lin = next_page(c, u, lin);
	}
}

/* EFLAGS.AC opens user pages to accesses below privilege 3, but not to implicit ones (SDM 3A 4.6.1). */
static unsigned index_as(const struct cpu *c, bool supervisor, bool implicit)
{
	if (!supervisor)
		return MMU_USER;
	if (!(c->cr4 & CR4_SMAP) || (!implicit && c->cpl != 3 && (c->flags & FL_AC)))
		return MMU_KERNEL;
	return MMU_KERNEL_SMAP;
}

static uint64_t load_in(struct cpu *c, uint64_t lin, unsigned size, unsigned index)
{
	const struct tlb_entry *e = tlb_slot(c, index, lin);

	if (likely(e->rtag == ((lin + size - 1) & PAGE_MASK)))
		return host_load(entry_host(e, lin), size);
	return load(c, c->cur, lin, size, index);
}

static void store_in(struct cpu *c, uint64_t lin, unsigned size, uint64_t value, unsigned index)
{
	const struct tlb_entry *e = tlb_slot(c, index, lin);

	if (likely(e->wtag == ((lin + size - 1) & PAGE_MASK)))
		host_store(entry_host(e, lin), size, value);
	else
		store(c, c->cur, lin, size, value, index);
}

uint64_t mmu_load_as(struct cpu *c, uint64_t lin, unsigned size, bool supervisor)
{
	return load_in(c, lin, size, index_as(c, supervisor, false));
}

void mmu_store_as(struct cpu *c, uint64_t lin, unsigned size, uint64_t value, bool supervisor)
{
	store_in(c, lin, size, value, index_as(c, supervisor, false));
}

void mmu_probe_as(struct cpu *c, uint64_t lin, unsigned size, enum mmu_access access,
		  bool supervisor)
{
	probe(c, c->cur, lin, size, access, index_as(c, supervisor, true));
}

uint64_t mmu_sys_load(struct cpu *c, uint64_t lin, unsigned size)
{
	return load_in(c, lin, size, index_as(c, true, true));
}

void mmu_sys_store(struct cpu *c, uint64_t lin, unsigned size, uint64_t value)
{
	store_in(c, lin, size, value, index_as(c, true, true));
}

/* ---- code ---- */

static uint64_t code_found(struct cpu *c, const struct tlb_entry *e, uint64_t lin,
			   const uint8_t **host)
{
	mmu_note_code(c, lin);
	*host = e->phys & TLB_IO ? NULL : entry_host(e, lin);
	return entry_phys(e, lin);
}

uint64_t mmu_code_page(struct cpu *c, uint64_t lin, const uint8_t **host)
{
	struct tlb_entry e;

	if (!(c->mode & MODE_CODE64))
		lin = (uint32_t)lin;
	e = tlb_get(c, NULL, lin, ACC_EXEC, c->mmu_index);
	return code_found(c, &e, lin, host);
}

bool mmu_code_probe(struct cpu *c, uint64_t lin, uint64_t *phys, const uint8_t **host)
{
	struct tlb_entry e;
	struct walk w;

	if (!(c->mode & MODE_CODE64))
		lin = (uint32_t)lin;
	if (c->cr0 & CR0_PG) {
		if ((c->efer & EFER_LMA) && !canonical(c, lin))
			return false;
		if (!mmu_walk(c, lin, ACC_EXEC, c->mmu_index, &w))
			return false;
	}
	e = tlb_get(c, NULL, lin, ACC_EXEC, c->mmu_index);
	*phys = code_found(c, &e, lin, host);
	return true;
}

void mmu_fetch_io(struct cpu *c, uint64_t phys, void *buf, size_t bytes)
{
	uint8_t *p = buf;

	for (; bytes; bytes--)
		*p++ = (uint8_t)phys_read(c, phys++, 1);
}

/* ---- split locks ---- */

/* The bus lock of the one machine that a process runs. */
static pthread_mutex_t bus_lock = PTHREAD_MUTEX_INITIALIZER;

void mmu_split_lock(struct cpu *c)
{
	if (pthread_mutex_trylock(&bus_lock)) {
		/* Its holder may need this processor to answer for code pages; outside guest code it needs no answer. */
		if (c->code_map)
			code_map_leave_guest(c);
		pthread_mutex_lock(&bus_lock);
		if (c->code_map)
			code_map_enter_guest(c);
	}
	c->split_locked = true;
}

void mmu_split_unlock(struct cpu *c)
{
	c->split_locked = false;
	pthread_mutex_unlock(&bus_lock);
}
