/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks: how they follow each other, and that they stay true to memory. */
#include "tests/cpu/box.h"
#include <pthread.h>

static int setup(void **state)
{
	*state = box_new(1);
	return 0;
}

static int setup2(void **state)
{
	*state = box_new(2);
	return 0;
}

static int teardown(void **state)
{
	box_free(*state);
	return 0;
}

static void test_a_loop_counts(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	box_mode(b, 0, BOX_LONG, BOX_CODE);
	BOX_CODE_AT(b, BOX_CODE, 0xb9, 0xe8, 3, 0, 0, /* mov $1000, %ecx */
		    0x31, 0xc0,			      /* xor %eax, %eax */
		    0x01, 0xc8,			      /* 1: add %ecx, %eax */
		    0xff, 0xc9,			      /* dec %ecx */
		    0x75, 0xfa,			      /* jnz 1b */
		    0xf4);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RAX], 500500);
	assert_int_equal(c->rip, BOX_CODE + 14);
}

static void test_jumps_and_calls_cross_pages(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	box_mode(b, 0, BOX_LONG, BOX_CODE);
	BOX_CODE_AT(b, BOX_CODE, 0xb9, 100, 0, 0, 0,	/* mov $100, %ecx */
		    0xe8, 0xf6, 0x0f, 0, 0,		/* 1: call +0x1000 */
		    0xff, 0xc9,				/* dec %ecx */
		    0x0f, 0x85, 0xf3, 0xff, 0xff, 0xff, /* jnz 1b */
		    0xf4);
	BOX_CODE_AT(b, BOX_CODE + 0x1000, 0xff, 0xc0,			/* inc %eax */
		    0xe9, 0xf9, 0x1f, 0, 0);				/* jmp +0x2000 */
	BOX_CODE_AT(b, BOX_CODE + 0x3000, 0x48, 0x8d, 0x15, 9, 0, 0, 0, /* lea 1f(%rip), %rdx */
		    0xff, 0xe2,						/* jmp *%rdx */
		    0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xc3);	/* 1: ret */
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RAX], 100);
	assert_int_equal(c->regs[R_RSP], BOX_STACK);
}

static void test_an_instruction_across_pages_faults_when_reached(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	uint64_t at = BOX_CODE + 0xffd;

	box_mode(b, 0, BOX_LONG, at - 2);
	/* inc %ecx; mov $0x12345678, %eax of which three bytes are on the first page; hlt */
	BOX_CODE_AT(b, at - 2, 0xff, 0xc1, 0xb8, 0x78, 0x56, 0x34, 0x12, 0xf4);
	box_st64(b, box_pte(BOX_CODE + 0x1000), 0);
	assert_int_equal(box_run(b, 0), EXC_PF);
	assert_int_equal(c->cr2, BOX_CODE + 0x1000);
	assert_int_equal(c->regs[R_RCX], 1);
	/* pushed: error code (a fetch is told only with NX in force), rip */
	assert_int_equal(box_ld64(b, c->regs[R_RSP]), 0x10);
	assert_int_equal(box_ld64(b, c->regs[R_RSP] + 8), at);

	/* Present again, and other bytes there: found through the mapping, not the old block. */
	box_st64(b, box_pte(BOX_CODE + 0x1000), (BOX_CODE + 0x1000) | 7);
	box_mode(b, 0, BOX_LONG, at - 2);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RAX], 0x12345678);
	BOX_CODE_AT(b, BOX_CODE + 0x5000, 0x99, 0xaa, 0xf4);
	box_st64(b, box_pte(BOX_CODE + 0x1000), (BOX_CODE + 0x5000) | 7);
	mmu_flush_all(c);
	box_mode(b, 0, BOX_LONG, at - 2);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RAX], 0xaa995678);
}

/*
 * A loop by way of an instruction whose last two bytes are on the next page, reached straight on from AT or by a jump from there. At
 * the hundredth time the loop itself maps another page there.
 */
static void loop_across_pages(struct box *b, uint64_t at, bool jump)
{
	struct cpu *c = box_cpu(b, 0);
	uint64_t across = BOX_CODE + 0xffd, other = BOX_CODE + 0x5000;
	const uint8_t second[] = {
		0x01, 0xc3,		   /* add %eax, %ebx */
		0x83, 0xf9, 100,	   /* cmp $100, %ecx */
		0x75, 6,		   /* jne 1f */
		0x48, 0x89, 0x16,	   /* mov %rdx, (%rsi) */
		0x0f, 0x01, 0x3f,	   /* invlpg (%rdi) */
		0x81, 0xf9, 200,  0, 0, 0, /* 1: cmp $200, %ecx */
		0x0f, 0x85,		   /* jne AT */
	};

	box_mode(b, 0, BOX_LONG, at);
	BOX_CODE_AT(b, at, 0xff, 0xc1); /* inc %ecx */
	if (jump) {
		BOX_CODE_AT(b, at + 2, 0xe9);
		stn_le(b->ram + at + 3, 4, across - (at + 7));
	}
	BOX_CODE_AT(b, across, 0xb8, 0, 0); /* mov $0x10000, %eax, and $0x20000 */
	for (unsigned i = 0; i < 2; i++) {
		uint64_t page = i ? other : BOX_CODE + 0x1000, end = page + 2 + sizeof(second) + 4;

		BOX_CODE_AT(b, page, (uint8_t)(i + 1), 0);
		box_code(b, page + 2, second, sizeof(second));
		stn_le(b->ram + end - 4, 4, at - (end - page + BOX_CODE + 0x1000));
		BOX_CODE_AT(b, end, 0xf4);
	}
	c->regs[R_RCX] = c->regs[R_RBX] = 0;
	c->regs[R_RDX] = other | 7;
	c->regs[R_RSI] = box_pte(BOX_CODE + 0x1000);
	c->regs[R_RDI] = BOX_CODE + 0x1000;
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RCX], 200);
	assert_int_equal(c->regs[R_RBX], 100 * 0x10000 + 100 * 0x20000);
}

static void test_links_to_an_instruction_across_pages_follow_the_mapping(void **state)
{
	loop_across_pages(*state, BOX_CODE + 0xffb, false);
}

static void test_jumps_to_an_instruction_across_pages_follow_the_mapping(void **state)
{
	loop_across_pages(*state, BOX_CODE + 0xf00, true);
}

static void test_more_than_15_bytes_are_gp(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	uint8_t code[17];

	memset(code, 0x66, sizeof(code));
	code[14] = 0x90;
	box_mode(b, 0, BOX_LONG, BOX_CODE);
	box_code(b, BOX_CODE, code, 15);
	BOX_CODE_AT(b, BOX_CODE + 15, 0xf4);
	assert_int_equal(box_run(b, 0), -1);
	code[14] = 0x66;
	code[15] = 0x90;
	box_mode(b, 0, BOX_LONG, BOX_CODE);
	box_code(b, BOX_CODE, code, 16);
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(box_ld64(b, c->regs[R_RSP] + 8), BOX_CODE);
}

static void test_an_unknown_opcode_is_ud_when_reached(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	box_mode(b, 0, BOX_LONG, BOX_CODE);
	BOX_CODE_AT(b, BOX_CODE, 0xff, 0xc0,
		    0x06); /* inc %eax; push %es, which 64-bit mode has not */
	assert_int_equal(box_run(b, 0), EXC_UD);
	assert_int_equal(c->regs[R_RAX], 1);
	assert_int_equal(box_ld64(b, c->regs[R_RSP]), BOX_CODE + 2);
}

/* The store hits the instruction after it, in its own block. */
static void test_a_store_into_its_own_block_acts_at_once(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	for (unsigned i = 0; i < 3; i++) {
		box_mode(b, 0, BOX_LONG, BOX_CODE);
		BOX_CODE_AT(b, BOX_CODE, 0xff, 0xc1,	    /* inc %ecx */
			    0xc6, 0x05, 1, 0, 0, 0, 42 + i, /* movb $42, 1f+1(%rip) */
			    0xb8, 1, 0, 0, 0,		    /* 1: mov $1, %eax */
			    0xf4);
		assert_int_equal(box_run(b, 0), -1);
		assert_int_equal(c->regs[R_RAX], 42 + i);
		assert_int_equal(c->regs[R_RCX], 1);
	}
}

static void test_a_read_modify_write_of_its_own_block_acts_at_once(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	box_mode(b, 0, BOX_LONG, BOX_CODE);
	BOX_CODE_AT(b, BOX_CODE, 0xb9, 100, 0, 0, 0, /* mov $100, %ecx */
		    0x31, 0xdb,			     /* xor %ebx, %ebx */
		    0xf0, 0xfe, 0x05, 7, 0, 0, 0,    /* 1: lock incb 2f+1(%rip) */
		    0xfe, 0x05, 1, 0, 0, 0,	     /* incb 2f+1(%rip) */
		    0xb8, 0, 0, 0, 0,		     /* 2: mov $0, %eax */
		    0x01, 0xc3,			     /* add %eax, %ebx */
		    0xff, 0xc9,			     /* dec %ecx */
		    0x75, 0xe8,			     /* jnz 1b */
		    0xf4);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RBX], 10100);
}

/* A routine is rewritten between calls, through links, calls and the jump cache. */
static void test_a_store_into_another_block_unlinks_it(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	box_mode(b, 0, BOX_LONG, BOX_CODE);
	BOX_CODE_AT(b, BOX_CODE, 0xb9, 100, 0, 0, 0, /* mov $100, %ecx */
		    0xe8, 0x56, 0, 0, 0,	     /* 1: call 2f */
		    0xff, 0x05, 0x51, 0, 0, 0,	     /* incl 2f+1(%rip) */
		    0xff, 0xc9,			     /* dec %ecx */
		    0x75, 0xf1,			     /* jnz 1b */
		    0xf4);
	BOX_CODE_AT(b, BOX_CODE + 0x60, 0x81, 0xc2, 0, 0, 0, 0, /* 2: add $0, %edx */
		    0xc3);
	/* incl goes to 2f + 1, the ModRM's neighbour: place it on the immediate */
	BOX_CODE_AT(b, BOX_CODE + 12, 0x52);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RDX], 99 * 100 / 2);
}

/* More code than the cache holds: what is dropped is made again, and links to it don't dangle. */
static void test_the_cache_overflows_gracefully(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	uint64_t at = BOX_CODE, n = 0;

	box_mode(b, 0, BOX_LONG, BOX_CODE);
	BOX_CODE_AT(b, at, 0xb9, 3, 0, 0, 0); /* mov $3, %ecx */
	at += 5;
	while (at < BOX_RAM_BYTES - 64) {
		BOX_CODE_AT(b, at, 0xff, 0xc0, 0xeb, 60); /* inc %eax; jmp to the next line */
		at += 64;
		n++;
	}
	BOX_CODE_AT(b, at, 0xff, 0xc9, 0x74, 5, 0xe9, 0, 0, 0, 0,
		    0xf4); /* dec %ecx; jz 1f; jmp; 1: hlt */
	stn_le(b->ram + at + 5, 4, BOX_CODE + 5 - (at + 9));
	for (unsigned i = 0; i < 2; i++) {
		box_mode(b, 0, BOX_LONG, BOX_CODE);
		assert_int_equal(box_run(b, 0), -1);
		assert_int_equal(c->regs[R_RAX], 3 * n);
	}
}

static void test_16_bit_addresses_wrap_and_are_checked(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	box_mode(b, 0, BOX_REAL16, 0x8000);
	b->ram[0x0005] = 0x5a;
	BOX_CODE_AT(b, 0x8000, 0xbb, 0xff, 0xff, /* mov $0xffff, %bx */
		    0x8a, 0x47, 6,		 /* mov 6(%bx), %al */
		    0xf4);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RAX] & 0xff, 0x5a);
	box_mode(b, 0, BOX_REAL16, 0x8000);
	BOX_CODE_AT(b, 0x8000, 0xbb, 0xff, 0xff, /* mov $0xffff, %bx */
		    0x8b, 0x07,			 /* mov (%bx), %ax */
		    0xf4);
	assert_int_equal(box_run(b, 0), EXC_GP);
	box_mode(b, 0, BOX_REAL16, 0x8000);
	BOX_CODE_AT(b, 0x8000, 0xbd, 0xff, 0xff, /* mov $0xffff, %bp */
		    0x8b, 0x46, 0,		 /* mov (%bp), %ax */
		    0xf4);
	assert_int_equal(box_run(b, 0), EXC_SS);
}

static void test_32_bit_addresses_wrap(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	box_mode(b, 0, BOX_PROT32, BOX_CODE);
	memcpy(b->ram + 0x500, "\x78\x56\x34\x12", 4);
	BOX_CODE_AT(b, BOX_CODE, 0xbb, 0, 0, 0, 0x80, /* mov $0x80000000, %ebx */
		    0x8b, 0x84, 0x1b, 0, 5, 0, 0,     /* mov 0x500(%ebx,%ebx), %eax */
		    0xe8, 1, 0, 0, 0, 0xf4,	      /* call 1f; hlt */
		    0x40, 0xc3);		      /* 1: inc %eax; ret */
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RAX], 0x12345679);
}

static void test_a_jump_past_the_limit_is_gp(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	box_mode(b, 0, BOX_PROT16, 0x8000);
	BOX_CODE_AT(b, 0x8000, 0x66, 0xe9, 0, 0, 2, 0); /* jmp .+0x20000 with 32-bit operand size */
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(ldn_le(b->ram + (c->regs[R_RSP] & 0xffff) + 4, 4), 0x8000);
}

static void test_single_step_traps_after_each_instruction(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	box_mode(b, 0, BOX_LONG, BOX_CODE);
	BOX_CODE_AT(b, BOX_CODE, 0x68, 2, 1, 0, 0, /* push $0x102 */
		    0x9d,			   /* popf: TF from the next instruction on */
		    0xff, 0xc0, 0xff, 0xc0,	   /* inc %eax; inc %eax */
		    0xf4);
	assert_int_equal(box_run(b, 0), EXC_DB);
	assert_int_equal(c->regs[R_RAX], 1);
	assert_int_equal(box_ld64(b, c->regs[R_RSP]), BOX_CODE + 8);
	assert_true(c->dr[6] & BIT(14));
}

static void test_loop_and_jcxz_use_the_address_size(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);

	box_mode(b, 0, BOX_LONG, BOX_CODE);
	BOX_CODE_AT(b, BOX_CODE, 0x48, 0xb9, 5, 0, 0, 0, 1, 0, 0, 0, /* mov $0x100000005, %rcx */
		    0xff, 0xc0,					     /* 1: inc %eax */
		    0x67, 0xe2, 0xfb,				     /* loopl 1b */
		    0x67, 0xe3, 2, 0xff, 0xc0,			     /* jecxz 1f; inc %eax */
		    0xf4);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RAX], 5);
	assert_int_equal(c->regs[R_RCX], 0);
}

/* ---- two processors ---- */

static void *run_second(void *arg)
{
	struct box *b = arg;

	box_run(b, 1);
	return NULL;
}

/*
 * The first processor rewrites a routine, then publishes a sequence number; the second waits for it, calls the routine, and
 * publishes what it returned. x86 asks for a serializing instruction in between: CPUID.
 */
static void test_code_written_by_another_processor_is_seen(void **state)
{
	struct box *b = *state;
	struct cpu *c0 = box_cpu(b, 0);
	pthread_t thread;

	/* r8: data page: +0 sequence, +64 answer; r9: the routine */
	BOX_CODE_AT(b, BOX_CODE, 0xb9, 0x20, 0x4e, 0, 0, /* mov $20000, %ecx */
		    0x31, 0xdb,				 /* xor %ebx, %ebx */
		    0xff, 0xc3,				 /* 1: inc %ebx */
		    0x41, 0x89, 0x59, 1,		 /* mov %ebx, 1(%r9) */
		    0x41, 0x89, 0x18,			 /* mov %ebx, (%r8) */
		    0x41, 0x39, 0x58, 0x40,		 /* 2: cmp %ebx, 64(%r8) */
		    0x75, 0xfa,				 /* jne 2b */
		    0xff, 0xc9,				 /* dec %ecx */
		    0x75, 0xed,				 /* jnz 1b */
		    0xf4);
	BOX_CODE_AT(b, BOX_CODE + 0x1000, 0x31, 0xff, /* xor %edi, %edi */
		    0xff, 0xc7,			      /* 1: inc %edi */
		    0x41, 0x39, 0x38,		      /* 2: cmp %edi, (%r8) */
		    0x75, 0xfb,			      /* jne 2b */
		    0x31, 0xc0, 0x0f, 0xa2,	      /* xor %eax, %eax; cpuid */
		    0x41, 0xff, 0xd1,		      /* call *%r9 */
		    0x41, 0x89, 0x40, 0x40,	      /* mov %eax, 64(%r8) */
		    0x81, 0xff, 0x20, 0x4e, 0, 0,     /* cmp $20000, %edi */
		    0x75, 0xe6,			      /* jne 1b */
		    0xf4);
	BOX_CODE_AT(b, BOX_CODE + 0x2000, 0xb8, 0, 0, 0, 0, 0xc3);
	for (unsigned i = 0; i < 2; i++) {
		box_mode(b, i, BOX_LONG, BOX_CODE + 0x1000 * i);
		box_cpu(b, i)->regs[R_R8] = BOX_CODE + 0x4000;
		box_cpu(b, i)->regs[R_R9] = BOX_CODE + 0x2000;
	}
	pthread_create(&thread, NULL, run_second, b);
	assert_int_equal(box_run(b, 0), -1);
	pthread_join(thread, NULL);
	assert_int_equal(c0->regs[R_RBX], 20000);
	assert_int_equal(box_cpu(b, 1)->regs[R_RDI], 20000);
}

/* Each processor writes code to a page of its own and jumps to it, and to the other's now and then: handshakes both ways. */
static void test_processors_that_translate_at_once_do_not_lock_up(void **state)
{
	struct box *b = *state;
	pthread_t thread;

	for (unsigned i = 0; i < 2; i++) {
		uint64_t at = BOX_CODE + 0x1000 * i;

		/* r9: own routine, r10: the other's, which may be changing: only its return matters */
		BOX_CODE_AT(b, at, 0xb9, 0x20, 0x4e, 0, 0, /* mov $20000, %ecx */
			    0x41, 0x89, 0x49, 1,	   /* 1: mov %ecx, 1(%r9) */
			    0x41, 0xff, 0xd1,		   /* call *%r9 */
			    0x39, 0xc8, 0x75, 8,	   /* cmp %ecx, %eax; jne 2f */
			    0x41, 0xff, 0xd2,		   /* call *%r10 */
			    0xff, 0xc9, 0x75, 0xee,	   /* dec %ecx; jnz 1b */
			    0xf4, 0xba, 1, 0, 0, 0, 0xf4); /* 2: mov $1, %edx; hlt */
		BOX_CODE_AT(b, BOX_CODE + 0x2000 + 0x1000 * i, 0xb8, 0, 0, 0, 0, 0xc3);
		box_mode(b, i, BOX_LONG, at);
		box_cpu(b, i)->regs[R_R9] = BOX_CODE + 0x2000 + 0x1000 * i;
		box_cpu(b, i)->regs[R_R10] = BOX_CODE + 0x3000 - 0x1000 * i;
	}
	pthread_create(&thread, NULL, run_second, b);
	assert_int_equal(box_run(b, 0), -1);
	pthread_join(thread, NULL);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(box_cpu(b, i)->regs[R_RCX], 0);
		assert_int_equal(box_cpu(b, i)->regs[R_RDX], 0);
	}
}

/* ---- a debugger, where code is hot ---- */

/* mov $1000, %ecx; 1: inc (%r8) of 32 bits; dec %ecx; jnz 1b; hlt. At R8: 0. */
static struct cpu *hot_loop(struct box *b)
{
	struct cpu *c = box_cpu(b, 0);

	BOX_CODE_AT(b, BOX_CODE, 0xb9, 0xe8, 3, 0, 0, 0x41, 0xff, 0, 0xff, 0xc9, 0x75, 0xf9, 0xf4);
	for (unsigned i = 0; i < 3; i++) {
		box_mode(b, 0, BOX_LONG, BOX_CODE);
		c->regs[R_R8] = BOX_CODE + 0x4000;
		box_st64(b, BOX_CODE + 0x4000, 0);
		if (i < 2)
			assert_int_equal(box_run(b, 0), -1);
	}
	return c;
}

/* From where it stands to the debugger's next stop, or to HLT. */
static void run_to_stop(struct box *b, enum debug_reason reason, uint64_t addr)
{
	struct cpu *c = box_cpu(b, 0);

	c->debug_met.reason = DEBUG_NONE;
	c->halted = false;
	while (!c->halted && !c->debug_met.reason) {
		__atomic_store_n(&c->exit_request, 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&c->vcpu->requests, 0, __ATOMIC_SEQ_CST);
		code_map_serve(c);
		cpu_exec(c);
	}
	assert_int_equal(c->debug_met.reason, reason);
	if (reason)
		assert_int_equal(c->debug_met.addr, addr);
	c->debug_met.reason = DEBUG_NONE;
}

static void set_debug(struct cpu *c, struct guest_debug debug)
{
	struct error err = {0};

	assert_true(cpu_set_guest_debug(c, &debug, &err));
}

static void test_a_watchpoint_is_hit_in_hot_code(void **state)
{
	struct box *b = *state;
	struct cpu *c = hot_loop(b);
	uint64_t at = c->regs[R_R8];

	set_debug(c, (struct guest_debug){.n_hw = 1, .hw = {{at, DEBUG_ON_WRITE, 4}}});
	for (unsigned i = 1; i <= 5; i++) {
		run_to_stop(b, DEBUG_WATCH, at);
		assert_int_equal(box_ld64(b, at), i);
		assert_int_equal(c->rip, BOX_CODE + 8);
	}
	set_debug(c, (struct guest_debug){0});
	run_to_stop(b, DEBUG_NONE, 0);
	assert_int_equal(box_ld64(b, at), 1000);
}

static void test_hot_code_is_stepped_through(void **state)
{
	struct box *b = *state;
	struct cpu *c = hot_loop(b);

	set_debug(c, (struct guest_debug){.step = true});
	for (unsigned i = 0; i < 31; i++)
		run_to_stop(b, DEBUG_STEP, BOX_CODE + (i % 3 == 0 ? 5 : i % 3 == 1 ? 8 : 10));
	assert_int_equal(box_ld64(b, c->regs[R_R8]), 10);
	set_debug(c, (struct guest_debug){0});
	run_to_stop(b, DEBUG_NONE, 0);
	assert_int_equal(box_ld64(b, c->regs[R_R8]), 1000);
}

static void test_a_breakpoint_is_met_in_hot_code(void **state)
{
	struct box *b = *state;
	struct cpu *c = hot_loop(b);
	uint64_t at = BOX_CODE + 8;

	cpu_set_breakpoints(&b->m, &at, 1);
	run_to_stop(b, DEBUG_SW_BREAK, at);
	assert_int_equal(box_ld64(b, c->regs[R_R8]), 1);
	assert_int_equal(c->rip, at);
	cpu_set_breakpoints(&b->m, NULL, 0);
	run_to_stop(b, DEBUG_NONE, 0);
	assert_int_equal(box_ld64(b, c->regs[R_R8]), 1000);
}

/* An interrupt request ends a loop that never leaves host code by itself. */
static void *ask_to_leave(void *opaque)
{
	struct box *b = opaque;

	while (!__atomic_load_n((uint32_t *)(b->ram + BOX_CODE + 0x4000), __ATOMIC_RELAXED))
		;
	__atomic_store_n(&box_cpu(b, 0)->exit_request, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void test_a_hot_loop_is_left_on_request(void **state)
{
	struct box *b = *state;
	struct cpu *c = hot_loop(b);
	pthread_t thread;

	BOX_CODE_AT(b, BOX_CODE, 0x41, 0xff, 0, 0xeb, 0xfb); /* 1: inc (%r8); jmp 1b */
	for (unsigned i = 0; i < 20; i++) {
		box_st64(b, BOX_CODE + 0x4000, 0);
		__atomic_store_n(&c->exit_request, 0, __ATOMIC_SEQ_CST);
		pthread_create(&thread, NULL, ask_to_leave, b);
		cpu_exec(c);
		pthread_join(thread, NULL);
		assert_true(c->rip == BOX_CODE || c->rip == BOX_CODE + 3);
	}
}

int main(void)
{
#define ONE(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
#define TWO(t) cmocka_unit_test_setup_teardown(t, setup2, teardown)
	const struct CMUnitTest tests[] = {
		ONE(test_a_loop_counts),
		ONE(test_jumps_and_calls_cross_pages),
		ONE(test_an_instruction_across_pages_faults_when_reached),
		ONE(test_links_to_an_instruction_across_pages_follow_the_mapping),
		ONE(test_jumps_to_an_instruction_across_pages_follow_the_mapping),
		ONE(test_more_than_15_bytes_are_gp),
		ONE(test_an_unknown_opcode_is_ud_when_reached),
		ONE(test_a_store_into_its_own_block_acts_at_once),
		ONE(test_a_read_modify_write_of_its_own_block_acts_at_once),
		ONE(test_a_store_into_another_block_unlinks_it),
		ONE(test_the_cache_overflows_gracefully),
		ONE(test_16_bit_addresses_wrap_and_are_checked),
		ONE(test_32_bit_addresses_wrap),
		ONE(test_a_jump_past_the_limit_is_gp),
		ONE(test_single_step_traps_after_each_instruction),
		ONE(test_loop_and_jcxz_use_the_address_size),
		TWO(test_code_written_by_another_processor_is_seen),
		TWO(test_processors_that_translate_at_once_do_not_lock_up),
		ONE(test_a_watchpoint_is_hit_in_hot_code),
		ONE(test_hot_code_is_stepped_through),
		ONE(test_a_breakpoint_is_met_in_hot_code),
		ONE(test_a_hot_loop_is_left_on_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
