/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random code in random state: processors in every mode execute noise, with descriptor tables, page tables and task
 * state made of noise too. Nothing is expected but that the processor survives, for the sanitizers to judge.
 * EVMM_STORM=N runs N rounds of each kind instead of the few of `make check`.
 */
#include <stdio.h>
#include "tests/cpu/sysbox.h"

static struct clock *still;
static struct cpu_stats total;
static uint64_t seed = 0x9e3779b97f4a7c15ull;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static unsigned rounds(void)
{
	const char *s = getenv("EVMM_STORM");

	return s ? (unsigned)strtoul(s, NULL, 0) : 300;
}

static void noise(struct box *b, uint64_t at, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i += 8)
		box_st64(b, at + i, rnd());
}

/* Opcodes of the system side come more often than noise alone would give. */
static void noisy_code(struct box *b, uint64_t at, unsigned bytes)
{
	static const uint8_t favourites[][3] = {
		{0x0f, 0x01}, {0x0f, 0x00}, {0x0f, 0x20}, {0x0f, 0x22},
		{0x0f, 0x23}, {0xcf},	    {0x48, 0xcf}, {0xcb},
		{0x9a},	      {0xea},	    {0xff, 0x18}, {0xff, 0x28},
		{0x8e},	      {0x0f, 0x30}, {0x0f, 0x05}, {0x0f, 0x07},
		{0x0f, 0x34}, {0x0f, 0x35}, {0xf3, 0x6c}, {0xf3, 0x6f},
		{0xcd},	      {0xcc},	    {0x17},	  {0x1f},
		{0xc4},	      {0x0f, 0xb2}, {0x9d},	  {0xf0, 0x0f, 0xc7},
		{0x0f, 0x02}, {0x0f, 0x03}, {0x63},	  {0xfb},
	};

	noise(b, at, bytes);
	for (unsigned i = 0; i + 16 < bytes; i += 4 + (unsigned)(rnd() & 15)) {
		const uint8_t *f = favourites[rnd() % ARRAY_SIZE(favourites)];

		memcpy(b->ram + at + i, f, 3);
	}
	code_map_written(b->soft.code_map, NULL, at & PAGE_MASK, PAGE_SIZE);
}

/* Descriptors that are plausible more often than not. */
static void noisy_tables(struct box *b)
{
	for (unsigned sel = 0x30; sel < 0x200; sel += 8) {
		if (rnd() & 1)
			continue;
		put_desc(b, (uint16_t)sel,
			 make_desc((uint32_t)(rnd() & 0xffffff), (uint32_t)rnd() & 0xfffff,
				   (unsigned)rnd() & 0xffff));
	}
	if (!(rnd() & 3))
		noise(b, BOX_IDT, 0x400);
	noise(b, SYS_TSS_AT, 0x400);
	for (unsigned i = 0; i < 8; i++) {
		uint64_t pte = BOX_PT + 8 * (rnd() % 4096);

		box_st64(b, pte, rnd() & 1 ? rnd() : box_ld64(b, pte) ^ 1ull << (rnd() & 63));
	}
}

static void noisy_registers(struct cpu *c)
{
	static const uint32_t places[] = {BOX_STACK, BOX_CODE, 0x200000,   0xfff,     0xffffffff,
					  BOX_GDT,   BOX_PT,   SYS_TSS_AT, 0xfee00000};

	for (unsigned i = 0; i < 16; i++)
		c->regs[i] = rnd() & 1 ? places[rnd() % ARRAY_SIZE(places)] + (rnd() & 15) : rnd();
	c->regs[R_RSP] = BOX_STACK - (rnd() & 0xff);
	cpu_set_eflags(c, (rnd() & 0x247ed5) | FL_1 | (rnd() & 7 ? 0 : FL_TF));
}

static void storm(struct box *b, enum box_mode mode, unsigned cpl)
{
	struct cpu *c = sys_mode(b, mode, cpl);
	struct vcpu *v = c->vcpu;
	struct lapic *lapic = c->lapic;

	c->dr[7] = 0x400;
	noisy_registers(c);
	if (mode == BOX_REAL16)
		c->rip = 0x4000;
	c->flags &= ~(uint64_t)FL_VM;
	noisy_tables(b);
	noisy_code(b, mode == BOX_REAL16 ? 0x4000 : BOX_CODE, 0x1000);
	cpu_mode_changed(c);
	mmu_config_changed(c);
	c->vcpu = NULL; /* no loop is there to answer */
	c->lapic = NULL;
	c->shutdown = c->halted = false;
	for (unsigned n = 0; n < 200; n++) {
		if (c->shutdown) {
			box_tables(b);
			sys_mode(b, mode, cpl);
			c->shutdown = false;
			c->halted = true;
		}
		if (c->halted) { /* a handler, or HLT: on with something else */
			c->halted = false;
			c->rip = (mode == BOX_REAL16 ? 0x4000 : BOX_CODE) + (rnd() & 0xfff);
			noisy_registers(c);
			if (!(c->cr0 & CR0_PE))
				c->flags &= ~(uint64_t)FL_VM;
			cpu_mode_changed(c);
		}
		/* One instruction at a time, as loops would not end. */
		__atomic_store_n(&c->exit_request, 1, __ATOMIC_SEQ_CST);
		c->blocks->one = true;
		cpu_exec(c);
		if (c->rmw_code_phys)
			code_map_serve(c);
	}
	c->vcpu = v;
	c->lapic = lapic;
	total.faults += c->stats.faults;
	total.blocks_made += c->stats.blocks_made;
	total.tlb_fills += c->stats.tlb_fills;
	memset(&c->stats, 0, sizeof(c->stats));
}

static void run(void **state, enum box_mode mode)
{
	for (unsigned i = 0; i < rounds(); i++) {
		struct box *b;

		if (i % 50 == 0) {
			box_free(*state);
			*state = box_new(1);
			((struct box *)*state)->m.clock = still;
		}
		b = *state;
		box_tables(b);
		storm(b, mode, rnd() & 1 ? 3 : 0);
	}
	print_message("%lu blocks, %lu faults, %lu TLB fills\n", total.blocks_made, total.faults,
		      total.tlb_fills);
	memset(&total, 0, sizeof(total));
}

static void test_real_mode(void **state)
{
	run(state, BOX_REAL16);
}

static void test_16_bit_protected_mode(void **state)
{
	run(state, BOX_PROT16);
}

static void test_32_bit_protected_mode(void **state)
{
	run(state, BOX_PROT32);
}

static void test_long_mode(void **state)
{
	run(state, BOX_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_TEST(test_real_mode),
		SYS_TEST(test_16_bit_protected_mode),
		SYS_TEST(test_32_bit_protected_mode),
		SYS_TEST(test_long_mode),
	};
	int failed;

	if (getenv("EVMM_SEED"))
		seed = strtoull(getenv("EVMM_SEED"), NULL, 0);
	still = clock_new_fake(NULL);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	clock_free(still);
	return failed;
}
