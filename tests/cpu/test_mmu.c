/* SPDX-License-Identifier: BSD-2-Clause */
/* Paging: every combination of rights in every format, against the rules of SDM 3A 4.6 and 4.7 written down once more. */
#include "tests/cpu/fault.h"

#define P    1ull
#define W    2ull
#define U    4ull
#define A    0x20ull
#define D    0x40ull
#define PS   0x80ull
#define G    0x100ull
#define NX   (1ull << 63)
#define RSVD (1ull << 51)

#define TABLE0 0x20000u /* CR3 */
#define TABLE1 0x21000u
#define TABLE2 0x22000u
#define TABLE3 0x23000u
#define FRAME  0x800000u /* what is mapped; 4 MiB aligned */

static int setup(void **state)
{
	*state = box_new(1);
	return 0;
}

static int teardown(void **state)
{
	box_free(*state);
	return 0;
}

/* ---- one walk, every combination ---- */

enum format { LONG_4K, LONG_2M, LONG_1G, PAE_4K, PAE_2M, LEGACY_4K, LEGACY_4M, N_FORMATS };

struct setting {
	enum format format;
	uint64_t leaf, upper; /* flags of the entry that maps, and of the one above it */
	bool wp, nxe, smep, smap, ac, user;
};

static bool is_legacy(enum format f)
{
	return f == LEGACY_4K || f == LEGACY_4M;
}

static uint64_t lin_of(enum format f)
{
	return f <= LONG_1G ? 0xffff800000000000ull + 0x345 : 0x345;
}

/* Where the leaf entry is, and the one above it (0: CR3 or a PDPTE leads to the leaf). */
static uint64_t leaf_at(enum format f)
{
	switch (f) {
	case LONG_4K:
		return TABLE3;
	case LONG_2M:
		return TABLE2;
	case LONG_1G:
		return TABLE1;
	case PAE_4K:
		return TABLE2;
	case PAE_2M:
		return TABLE1;
	case LEGACY_4K:
		return TABLE1;
	default:
		return TABLE0;
	}
}

static uint64_t upper_at(enum format f)
{
	switch (f) {
	case LONG_4K:
		return TABLE2;
	case LONG_2M:
		return TABLE1;
	case LONG_1G:
		return TABLE0 + 8 * 256;
	case PAE_4K:
		return TABLE1;
	case LEGACY_4K:
		return TABLE0;
	default:
		return 0;
	}
}

static void put(struct box *b, enum format f, uint64_t at, uint64_t v)
{
	memcpy(b->ram + at, &v, is_legacy(f) ? 4 : 8);
}

static uint64_t get(struct box *b, enum format f, uint64_t at)
{
	uint64_t v = 0;

	memcpy(&v, b->ram + at, is_legacy(f) ? 4 : 8);
	return v;
}

static void build(struct box *b, const struct setting *s)
{
	struct cpu *c = box_cpu(b, 0);
	uint64_t all = P | W | U | A;
	bool large = s->format == LONG_2M || s->format == LONG_1G || s->format == PAE_2M ||
		     s->format == LEGACY_4M;
	uint64_t frame = s->format == LONG_1G ? 0 : FRAME;

	if (s->format <= LONG_1G) {
		put(b, s->format, TABLE0 + 8 * 256, TABLE1 | all);
		put(b, s->format, TABLE1, TABLE2 | all);
		put(b, s->format, TABLE2, TABLE3 | all);
	} else if (s->format == PAE_4K) {
		put(b, s->format, TABLE1, TABLE2 | all);
	} else if (s->format == LEGACY_4K) {
		put(b, s->format, TABLE0, TABLE1 | all);
	}
	if (upper_at(s->format))
		put(b, s->format, upper_at(s->format), (leaf_at(s->format) & PAGE_MASK) | s->upper);
	put(b, s->format, leaf_at(s->format), frame | s->leaf | (large ? PS : 0));

	c->cr0 = CR0_PE | CR0_PG | (s->wp ? CR0_WP : 0);
	c->cr3 = TABLE0;
	c->cr4 = (s->smep ? CR4_SMEP : 0) | (s->smap ? CR4_SMAP : 0) |
		 (is_legacy(s->format) ? CR4_PSE : CR4_PAE);
	c->efer = (s->format <= LONG_1G ? EFER_LME | EFER_LMA : 0) | (s->nxe ? EFER_NXE : 0);
	c->pdpte[0] = TABLE1 | P;
	c->cpl = s->user ? 3 : 0;
	c->flags = s->ac ? FL_AC : 0;
	c->seg[S_CS].attr = s->format <= LONG_1G ? SEG_L | 0x9b : SEG_DB | 0x9b;
	mmu_config_changed(c);
	cpu_mode_changed(c);
}

/* What the manual says: -1 for success, else the error code. */
static int expected(const struct setting *s, enum mmu_access acc)
{
	bool pae = !is_legacy(s->format), has_upper = upper_at(s->format);
	uint64_t upper = has_upper ? s->upper : P | W | U;
	uint64_t rsvd = RSVD | (s->nxe ? 0 : NX);
	bool user_page, writable, nx, denied;
	int err = (acc == ACC_WRITE ? 2 : 0) | (s->user ? 4 : 0);

	if (acc == ACC_EXEC && ((pae && s->nxe) || s->smep))
		err |= 16;
	if (!(upper & P))
		return err;
	if (pae && (upper & rsvd))
		return err | 9;
	if (!(s->leaf & P))
		return err;
	if (pae && (s->leaf & rsvd))
		return err | 9;
	user_page = upper & s->leaf & U;
	writable = upper & s->leaf & W;
	nx = pae && s->nxe && ((upper | s->leaf) & NX);
	if (s->user) {
		denied = !user_page || (acc == ACC_WRITE && !writable) || (acc == ACC_EXEC && nx);
	} else {
		denied = acc == ACC_EXEC ? nx || (user_page && s->smep)
					 : user_page && s->smap && !s->ac;
		if (acc == ACC_WRITE && !writable && s->wp)
			denied = true;
	}
	return denied ? err | 1 : -1;
}

static int attempt(struct cpu *c, uint64_t lin, enum mmu_access acc)
{
	const uint8_t *host;
	int vec;

	if (acc == ACC_READ)
		vec = FAULT_OF(c, (void)mmu_ld8(c, NULL, lin));
	else if (acc == ACC_WRITE)
		vec = FAULT_OF(c, mmu_st8(c, NULL, lin, 1));
	else
		vec = FAULT_OF(c, (void)mmu_code_page(c, lin, &host));
	if (vec == NO_FAULT)
		return -1;
	assert_int_equal(vec, EXC_PF);
	assert_true(c->exc_has_error);
	assert_int_equal(c->cr2, lin);
	return (int)c->exc_error;
}

/* The first access from a cold TLB, and each kind again from what it left there. */
static void check(struct box *b, const struct setting *s)
{
	struct cpu *c = box_cpu(b, 0);
	uint64_t lin = lin_of(s->format);

	for (int first = ACC_READ; first <= ACC_EXEC; first++) {
		uint64_t leaf, upper;
		int want = expected(s, first), got;

		build(b, s);
		got = attempt(c, lin, first);
		if (got != want)
			fail_msg(
				"format %d leaf %#lx upper %#lx wp %d nxe %d smep %d smap %d ac %d user %d access %d: %d instead of %d",
				s->format, s->leaf, s->upper, s->wp, s->nxe, s->smep, s->smap,
				s->ac, s->user, first, got, want);
		leaf = get(b, s->format, leaf_at(s->format));
		assert_int_equal(leaf & (A | D),
				 (s->leaf & (A | D)) |
					 (want < 0 ? A | (first == ACC_WRITE ? D : 0) : 0));
		if (want < 0 && upper_at(s->format)) {
			upper = get(b, s->format, upper_at(s->format));
			assert_true(upper & A);
			assert_int_equal(upper & D, s->upper & D);
		}
		for (int again = ACC_READ; again <= ACC_EXEC; again++)
			assert_int_equal(attempt(c, lin, again), expected(s, again));
		if (expected(s, ACC_WRITE) < 0)
			assert_true(get(b, s->format, leaf_at(s->format)) & D);
	}
}

static const uint64_t leaf_flags[] = {P, W, U, A, D, NX, RSVD};

static uint64_t pick(unsigned bits, enum format f)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(leaf_flags); i++)
		if (bits & BIT(i))
			v |= leaf_flags[i];
	return is_legacy(f) ? (uint32_t)v : v;
}

static void test_rights_in_every_format(void **state)
{
	static const uint64_t uppers[] = {
		0, P, P | W, P | U, P | W | U, P | W | U | A, P | W | U | NX, P | W | U | RSVD};
	struct box *b = *state;

	for (int f = 0; f < N_FORMATS; f++)
		for (unsigned bits = 0; bits < 128; bits++)
			for (unsigned up = 0; up < ARRAY_SIZE(uppers); up++)
				for (unsigned cfg = 0; cfg < 64; cfg++) {
					struct setting s = {
						.format = f,
						.leaf = pick(bits, f),
						.upper = is_legacy(f) ? (uint32_t)uppers[up]
								      : uppers[up],
						.wp = cfg & 1,
						.nxe = cfg & 2,
						.smep = cfg & 4,
						.smap = cfg & 8,
						.ac = cfg & 16,
						.user = cfg & 32,
					};

					if (!upper_at(f) && up)
						break;
					if (is_legacy(f) && ((bits & 0x60) || up > 5))
						continue;
					check(b, &s);
				}
}

/* ---- reserved bits ---- */

static void page_fault_error(struct box *b, struct setting *s, int want)
{
	build(b, s);
	assert_int_equal(attempt(box_cpu(b, 0), lin_of(s->format), ACC_READ), want);
}

static void test_reserved_address_bits_of_large_pages(void **state)
{
	struct box *b = *state;
	struct setting s = {.leaf = P | W | U, .upper = P | W | U, .nxe = true};

	s.format = LONG_2M;
	for (unsigned bit = 13; bit < 21; bit++) {
		s.leaf = P | W | U | 1ull << bit;
		page_fault_error(b, &s, 9);
	}
	s.leaf = P | W | U | 1ull << 12; /* PAT */
	page_fault_error(b, &s, -1);
	s.format = LONG_1G;
	for (unsigned bit = 13; bit < 30; bit++) {
		s.leaf = P | W | U | 1ull << bit;
		page_fault_error(b, &s, 9);
	}
	s.format = LEGACY_4M;
	s.leaf = P | W | U | 1u << 21;
	page_fault_error(b, &s, 9);
}

static void test_address_bits_beyond_the_physical_width_are_reserved(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct setting s = {.format = LONG_4K, .upper = P | W | U, .nxe = true};

	for (unsigned bit = c->model->phys_bits; bit < 52; bit++) {
		s.leaf = P | W | U | 1ull << bit;
		page_fault_error(b, &s, 9);
	}
	for (unsigned bit = 52; bit < 63; bit++) {
		s.leaf = P | W | U | 1ull << bit;
		page_fault_error(b, &s, -1);
	}
	s.format = PAE_4K;
	for (unsigned bit = 52; bit < 63; bit++) {
		s.leaf = P | W | U | 1ull << bit;
		page_fault_error(b, &s, 9);
	}
}

static void test_large_pages_are_reserved_where_there_are_none(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct setting s = {
		.format = LONG_1G, .leaf = P | W | U, .upper = P | W | U | PS, .nxe = true};

	page_fault_error(b, &s, 9); /* PML4E */
	s.upper = P | W | U;
	page_fault_error(b, &s, -1);
	c->model->features[CPUID_80000001_EDX] &= ~BIT(26);
	page_fault_error(b, &s, 9);
}

static void test_without_pse_the_size_bit_means_nothing(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct setting s = {.format = LEGACY_4K, .leaf = P | W | U, .upper = P | W | U | PS};

	build(b, &s);
	c->cr4 &= ~CR4_PSE;
	b->ram[FRAME + 0x345] = 0x77;
	assert_int_equal(mmu_ld8(c, NULL, 0x345), 0x77);
}

static void test_pse36_reaches_beyond_4_gib(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct setting s = {.format = LEGACY_4M, .leaf = P | W | U | 1 << 13};
	uint64_t phys;

	build(b, &s);
	assert_true(mmu_debug_translate(c, 0x345, &phys));
	assert_int_equal(phys, (1ull << 32) + FRAME + 0x345);
	assert_int_equal(mmu_ld32(c, NULL, 0x344), UINT32_MAX);
}

/* ---- PDPTEs ---- */

static void test_pdptes_are_checked_when_loaded(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	static const uint64_t bad[] = {P | W, P | U, P | A, P | PS, P | G, P | NX, P | RSVD};

	for (volatile unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		for (unsigned n = 0; n < 4; n++)
			box_st64(b, TABLE0 + 0x20 + 8 * n, n == i % 4 ? TABLE1 | bad[i] : 0);
		assert_fault(c, EXC_GP, 0, mmu_load_pdptes(c, TABLE0 + 0x20));
		box_st64(b, TABLE0 + 0x20 + 8 * (i % 4),
			 (TABLE1 | bad[i]) & ~P); /* not present: anything goes */
		assert_no_fault(c, mmu_load_pdptes(c, TABLE0 + 0x20));
	}
	box_st64(b, TABLE0 + 0x28, TABLE1 | P | 0xe18);
	assert_no_fault(c, mmu_load_pdptes(c, TABLE0 + 0x3f));
	assert_int_equal(c->pdpte[1], TABLE1 | P | 0xe18);
}

static void test_pdptes_stay_loaded_until_cr3_is(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct setting s = {.format = PAE_4K, .leaf = P | W | U, .upper = P | W | U};

	build(b, &s);
	box_st64(b, TABLE0, 0);
	assert_int_equal(attempt(c, 0x345, ACC_READ), -1);
	assert_int_equal(attempt(c, 0x40000345, ACC_READ), 0);
}

/* ---- canonical addresses ---- */

static void test_addresses_that_are_not_canonical(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct setting s = {.format = LONG_4K, .leaf = P | W | U, .upper = P | W | U};
	struct block blk = {.rip = 0x1000};
	struct uop u = {.base = R_ZERO}, v = {.base = R_ZERO, .flags = UF_SS};
	const uint8_t *host;

	build(b, &s);
	c->block = &blk;
	assert_fault(c, EXC_GP, 0, mmu_ld8(c, &u, 0x800000000000));
	assert_fault(c, EXC_SS, 0, mmu_ld8(c, &v, 0x800000000000));
	assert_fault(c, EXC_GP, 0, mmu_st64(c, &u, 0xffff7fffffffffff, 0));
	assert_fault(c, EXC_SS, 0, mmu_st64(c, &v, 0xffff7fffffffffff, 0));
	assert_fault(c, EXC_GP, 0, mmu_code_page(c, 0x1000000000000, &host));
	/* The first byte is canonical, and not mapped. */
	assert_fault(c, EXC_PF, 0, mmu_ld64(c, &u, 0x7ffffffffffc));
	c->block = NULL;
}

/* ---- crossing pages ---- */

#define LOW 0xffff800000000000ull

static void two_pages(struct box *b, uint64_t first, uint64_t second)
{
	struct setting s = {.format = LONG_4K, .leaf = first, .upper = P | W | U, .wp = true};

	build(b, &s);
	box_st64(b, TABLE3 + 8, (FRAME + 0x5000) | second);
}

static void test_an_access_across_pages_sees_both(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	two_pages(b, P | W, P | W);
	for (unsigned size = 2; size <= 8; size *= 2) {
		for (unsigned k = 1; k < size; k++) {
			uint64_t lin = LOW + 0x1000 - k, v = 0x1122334455667788ull, got = 0;

			memset(b->ram + FRAME + 0xff0, 0, 16);
			memset(b->ram + FRAME + 0x5000, 0, 16);
			switch (size) {
			case 2:
				mmu_st16(c, NULL, lin, (uint16_t)v);
				got = mmu_ld16(c, NULL, lin);
				break;
			case 4:
				mmu_st32(c, NULL, lin, (uint32_t)v);
				got = mmu_ld32(c, NULL, lin);
				break;
			case 8:
				mmu_st64(c, NULL, lin, v);
				got = mmu_ld64(c, NULL, lin);
				break;
			}
			assert_memory_equal(b->ram + FRAME + 0x1000 - k, &v, k);
			assert_memory_equal(b->ram + FRAME + 0x5000, (uint8_t *)&v + k, size - k);
			assert_int_equal(b->ram[FRAME + 0x5000 + size - k], 0);
			assert_memory_equal(&got, &v, size);
		}
	}
}

static void test_a_fault_on_the_second_page_writes_nothing(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	two_pages(b, P | W, P);
	memset(b->ram + FRAME + 0xff0, 0xaa, 16);
	assert_fault(c, EXC_PF, 3, mmu_st64(c, NULL, LOW + 0xffd, 0));
	assert_int_equal(c->cr2, LOW + 0x1000);
	assert_int_equal(b->ram[FRAME + 0xffd], 0xaa);
	two_pages(b, P | W, 0);
	assert_fault(c, EXC_PF, 0, mmu_ld32(c, NULL, LOW + 0xffd));
	assert_int_equal(c->cr2, LOW + 0x1000);
	two_pages(b, 0, 0);
	assert_fault(c, EXC_PF, 2, mmu_st64(c, NULL, LOW + 0xffd, 0));
	assert_int_equal(c->cr2, LOW + 0xffd);
}

static void test_blocks_of_bytes_are_all_or_nothing(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	uint8_t buf[512], back[512];

	memset(buf, 0x5a, sizeof(buf));
	two_pages(b, P | W, P);
	memset(b->ram + FRAME, 0, 0x1000);
	assert_fault(c, EXC_PF, 3, mmu_store_bytes(c, NULL, LOW + 0xf00, buf, 512));
	assert_int_equal(b->ram[FRAME + 0xf00], 0);
	two_pages(b, P | W, P | W);
	assert_no_fault(c, mmu_store_bytes(c, NULL, LOW + 0xf00, buf, 512));
	assert_no_fault(c, mmu_load_bytes(c, NULL, LOW + 0xf00, back, 512));
	assert_memory_equal(buf, back, 512);
	assert_int_equal(b->ram[FRAME + 0x50ff], 0x5a);
	assert_int_equal(b->ram[FRAME + 0x5100], 0);
}

/* Bytes up to the end of 4 GiB are within flat segments; one more is not. */
static void test_blocks_of_bytes_at_the_end_of_32_bits(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct uop u = {0};
	uint8_t buf[16];

	box_mode(b, 0, BOX_PROT32, BOX_CODE);
	assert_true(c->mode & MODE_FLAT);
	mmu_load_bytes(c, &u, 0xfffffff0, buf, 16);
	mmu_store_bytes(c, &u, 0xfffffff0, buf, 16);
	assert_int_equal(buf[15], 0xff);
}

static void test_read_modify_write_pointers(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	uint32_t *volatile p = NULL;

	two_pages(b, P | W, P | W);
	assert_no_fault(c, p = (uint32_t *)mmu_rmw32(c, NULL, LOW + 0x10));
	assert_ptr_equal(p, b->ram + FRAME + 0x10);
	assert_no_fault(c, p = (uint32_t *)mmu_rmw32(c, NULL, LOW + 0xffe));
	assert_null(p);
	two_pages(b, P, P);
	assert_fault(c, EXC_PF, 3, mmu_rmw32(c, NULL, LOW + 0x10));
}

/* ---- the TLB ---- */

static void test_translations_stay_until_flushed(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	two_pages(b, P | W, P | W);
	assert_int_equal(attempt(c, LOW + 0x1000, ACC_READ), -1);
	assert_int_equal(attempt(c, LOW, ACC_READ), -1);
	box_st64(b, TABLE3, 0);
	box_st64(b, TABLE3 + 8, 0);
	assert_int_equal(attempt(c, LOW, ACC_READ), -1);
	mmu_flush_page(c, LOW + 0x123);
	assert_int_equal(attempt(c, LOW, ACC_READ), 0);
	assert_int_equal(attempt(c, LOW + 0x1000, ACC_READ), -1);
	mmu_flush_nonglobal(c);
	assert_int_equal(attempt(c, LOW + 0x1000, ACC_READ), 0);
}

static void test_more_rights_need_no_flush(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	two_pages(b, P | NX, P);
	c->efer |= EFER_NXE;
	mmu_config_changed(c);
	assert_int_equal(attempt(c, LOW, ACC_READ), -1);
	assert_int_equal(attempt(c, LOW, ACC_WRITE), 3);
	assert_int_equal(attempt(c, LOW, ACC_EXEC), 17);
	box_st64(b, TABLE3, FRAME | P | W);
	assert_int_equal(attempt(c, LOW, ACC_WRITE), -1);
	assert_int_equal(attempt(c, LOW, ACC_EXEC), -1);
}

static void test_global_pages_outlive_cr3(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	two_pages(b, P | W | G, P | W);
	c->cr4 |= CR4_PGE;
	mmu_config_changed(c);
	assert_int_equal(attempt(c, LOW, ACC_READ), -1);
	assert_int_equal(attempt(c, LOW + 0x1000, ACC_READ), -1);
	box_st64(b, TABLE3, 0);
	box_st64(b, TABLE3 + 8, 0);
	mmu_flush_nonglobal(c);
	assert_int_equal(attempt(c, LOW, ACC_READ), -1);
	assert_int_equal(attempt(c, LOW + 0x1000, ACC_READ), 0);
	mmu_flush_page(c, LOW);
	assert_int_equal(attempt(c, LOW, ACC_READ), 0);
	/* Without CR4.PGE the bit means nothing. */
	two_pages(b, P | W | G, P | W);
	assert_int_equal(attempt(c, LOW, ACC_READ), -1);
	box_st64(b, TABLE3, 0);
	mmu_flush_nonglobal(c);
	assert_int_equal(attempt(c, LOW, ACC_READ), 0);
}

static void test_invlpg_drops_all_of_a_large_page(void **state)
{
	static const enum format formats[] = {LONG_2M, LONG_1G, PAE_2M, LEGACY_4M};
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		struct setting s = {.format = formats[i], .leaf = P | W | U, .upper = P | W | U};
		uint64_t lin = lin_of(s.format);

		build(b, &s);
		for (unsigned page = 0; page < 16; page++)
			assert_int_equal(attempt(c, lin + page * 0x1000, ACC_READ), -1);
		put(b, s.format, leaf_at(s.format), 0);
		assert_int_equal(attempt(c, lin + 0x3000, ACC_READ), -1);
		mmu_flush_page(c, lin + 0x100000);
		for (unsigned page = 0; page < 16; page++)
			assert_int_equal(attempt(c, lin + page * 0x1000, ACC_READ), 0);
	}
}

static void test_flushing_code_is_seen_by_jump_caches(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	uint64_t gen;

	two_pages(b, P | W, P | W);
	assert_int_equal(attempt(c, LOW, ACC_EXEC), -1);
	assert_int_equal(attempt(c, LOW + 0x1000, ACC_READ), -1);
	gen = c->tlb_generation;
	mmu_flush_page(c, LOW + 0x1000); /* data alone */
	assert_int_equal(c->tlb_generation, gen);
	mmu_flush_page(c, LOW);
	assert_int_not_equal(c->tlb_generation, gen);
}

/* ---- what isn't RAM ---- */

static void test_beyond_ram_reads_as_ones(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct setting s = {
		.format = LONG_4K, .leaf = P | W | U | 0xff0000000ull, .upper = P | W | U};

	build(b, &s);
	assert_int_equal(mmu_ld8(c, NULL, LOW), 0xff);
	assert_int_equal(mmu_ld16(c, NULL, LOW), 0xffff);
	assert_int_equal(mmu_ld32(c, NULL, LOW + 1), UINT32_MAX);
	assert_true(mmu_ld64(c, NULL, LOW + 3) == UINT64_MAX);
	assert_no_fault(c, mmu_st64(c, NULL, LOW, 0));
	assert_no_fault(c, assert_null(mmu_rmw64(c, NULL, LOW)));
}

static void test_page_tables_beyond_ram_fault_as_reserved(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct setting s = {.format = LONG_4K, .leaf = P | W | U, .upper = P | W | U};

	build(b, &s);
	box_st64(b, TABLE2, 0xff0000000ull | P | W | U);
	mmu_flush_all(c);
	assert_int_equal(attempt(c, LOW, ACC_READ), 9);
	c->cr3 = 0xff0000000ull;
	mmu_flush_all(c);
	assert_int_equal(attempt(c, LOW, ACC_READ), 9);
}

static void test_rom_is_read_and_not_written(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct region rom;
	static uint8_t bytes[4096] __attribute__((aligned(4096)));
	struct setting s = {.format = LONG_4K, .leaf = P | W | U, .upper = P | W | U};

	memset(bytes, 0x42, sizeof(bytes));
	region_init_rom(&rom, "rom", bytes, sizeof(bytes));
	region_add(&b->m.mem.root, FRAME, &rom, 1);
	mmu_take_view(c);
	build(b, &s);
	assert_int_equal(mmu_ld32(c, NULL, LOW), 0x42424242);
	mmu_st32(c, NULL, LOW, 0);
	assert_int_equal(mmu_ld32(c, NULL, LOW), 0x42424242);
	assert_null(mmu_rmw32(c, NULL, LOW));
	region_remove(&rom);
	mmu_take_view(c);
	assert_int_equal(mmu_ld32(c, NULL, LOW + 4), ldn_le(b->ram + FRAME + 4, 4));
}

/* RAM that ends within a page: each access is held against its end. */
static void test_ram_that_ends_within_a_page(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct region part;
	static uint8_t bytes[4096] __attribute__((aligned(4096)));
	struct setting s = {
		.format = LONG_4K, .leaf = P | W | U | 0x100000000ull, .upper = P | W | U};
	uint8_t back[16];

	memset(bytes, 0x33, sizeof(bytes));
	region_init_ram(&part, "part", bytes, 0x803);
	region_add(&b->m.mem.root, 0x100000000ull + FRAME, &part, 0);
	mmu_take_view(c);
	build(b, &s);
	assert_int_equal(mmu_ld32(c, NULL, LOW + 0x7ff), 0x33333333);
	assert_int_equal(mmu_ld32(c, NULL, LOW + 0x800), 0xff333333);
	assert_int_equal(mmu_ld32(c, NULL, LOW + 0x803), 0xffffffff);
	mmu_st64(c, NULL, LOW + 0x800, 0);
	assert_int_equal(bytes[0x802], 0);
	assert_int_equal(bytes[0x803], 0x33);
	mmu_load_bytes(c, NULL, LOW + 0x7fb, back, 16);
	assert_int_equal(back[4], 0x33);
	assert_int_equal(back[5], 0);
	assert_int_equal(back[8], 0xff);
	region_remove(&part);
	mmu_take_view(c);
}

/* ---- alignment checks ---- */

static void test_alignment_checks(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct setting s = {
		.format = LONG_4K, .leaf = P | W | U, .upper = P | W | U, .user = true, .ac = true};

	build(b, &s);
	assert_no_fault(c, mmu_ld32(c, NULL, LOW + 1));
	c->cr0 |= CR0_AM;
	cpu_mode_changed(c);
	assert_no_fault(c, mmu_ld32(c, NULL, LOW + 4));
	assert_no_fault(c, mmu_ld8(c, NULL, LOW + 1));
	assert_fault(c, EXC_AC, 0, mmu_ld16(c, NULL, LOW + 1));
	assert_fault(c, EXC_AC, 0, mmu_st32(c, NULL, LOW + 2, 0));
	assert_fault(c, EXC_AC, 0, mmu_st64(c, NULL, LOW + 4, 0));
	c->cpl = 0;
	cpu_mode_changed(c);
	assert_no_fault(c, mmu_ld16(c, NULL, LOW + 1));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_rights_in_every_format),
		T(test_reserved_address_bits_of_large_pages),
		T(test_address_bits_beyond_the_physical_width_are_reserved),
		T(test_large_pages_are_reserved_where_there_are_none),
		T(test_without_pse_the_size_bit_means_nothing),
		T(test_pse36_reaches_beyond_4_gib),
		T(test_pdptes_are_checked_when_loaded),
		T(test_pdptes_stay_loaded_until_cr3_is),
		T(test_addresses_that_are_not_canonical),
		T(test_an_access_across_pages_sees_both),
		T(test_a_fault_on_the_second_page_writes_nothing),
		T(test_blocks_of_bytes_are_all_or_nothing),
		T(test_blocks_of_bytes_at_the_end_of_32_bits),
		T(test_read_modify_write_pointers),
		T(test_translations_stay_until_flushed),
		T(test_more_rights_need_no_flush),
		T(test_global_pages_outlive_cr3),
		T(test_invlpg_drops_all_of_a_large_page),
		T(test_flushing_code_is_seen_by_jump_caches),
		T(test_beyond_ram_reads_as_ones),
		T(test_page_tables_beyond_ram_fault_as_reserved),
		T(test_rom_is_read_and_not_written),
		T(test_ram_that_ends_within_a_page),
		T(test_alignment_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
