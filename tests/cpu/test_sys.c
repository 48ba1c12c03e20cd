/* SPDX-License-Identifier: BSD-2-Clause */
/* System instructions: control registers, MSRs, fast system calls, ports, privilege, and what -cpu makes of CPUID. */
#include "tests/cpu/sysbox.h"
#include "src/cpu/sys.h"

/* ---- control registers ---- */

static void test_cr0_combinations(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	assert_fault(c, EXC_GP, 0, sys_set_cr0(c, CR0_PG));
	assert_fault(c, EXC_GP, 0, sys_set_cr0(c, CR0_PE | CR0_NW));
	assert_fault(c, EXC_GP, 0, sys_set_cr0(c, CR0_PE | 1ull << 32));
	assert_no_fault(c, sys_set_cr0(c, CR0_PE | CR0_NW | CR0_CD));
	assert_int_equal(c->cr0, CR0_PE | CR0_NW | CR0_CD | CR0_ET);
	assert_no_fault(c, sys_set_cr0(c, CR0_PE | CR0_TS | 0x1000));
	assert_int_equal(c->cr0, CR0_PE | CR0_TS | CR0_ET);
	assert_true(c->mode & MODE_FPU_NM);
}

static void test_long_mode_needs_pae_and_no_l_bit(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	c->efer = EFER_LME;
	assert_fault(c, EXC_GP, 0, sys_set_cr0(c, CR0_PE | CR0_PG));
	assert_int_equal(c->efer, EFER_LME);
	assert_no_fault(c, sys_set_cr4(c, CR4_PAE));
	c->cr3 = BOX_PML4;
	assert_no_fault(c, sys_set_cr0(c, CR0_PE | CR0_PG));
	assert_int_equal(c->efer, EFER_LME | EFER_LMA);
	assert_fault(c, EXC_GP, 0, sys_set_cr4(c, 0)); /* PAE stays */
	assert_false(msr_write(c, 0xc0000080, 0));     /* LME too */
	assert_no_fault(c, sys_set_cr0(c, CR0_PE));
	assert_int_equal(c->efer, EFER_LME);
	c = sys_mode(b, BOX_LONG, 0);
	assert_fault(c, EXC_GP, 0, sys_set_cr0(c, CR0_PE)); /* not from 64-bit code */
	assert_fault(c, EXC_GP, 0, sys_set_cr3(c, 1ull << 52));
	assert_fault(c, EXC_GP, 0, sys_set_cr3(c, 1ull << c->model->phys_bits));
}

static void test_cr4_has_what_cpuid_shows(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);
	uint64_t known = 0;

	for (unsigned i = 0; i < 32; i++)
		if (FAULT_OF(c, sys_set_cr4(c, 1ull << i)) == NO_FAULT)
			known |= 1ull << i;
	assert_int_equal(known, CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE |
					CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP | CR4_FSGSBASE |
					CR4_OSXSAVE | CR4_SMEP | CR4_SMAP);
	c->model->features[CPUID_7_EBX] = 0;
	assert_fault(c, EXC_GP, 0, sys_set_cr4(c, CR4_SMEP));
}

SNIPPET(c_lmsw, 32, "mov $0xe, %ax; lmsw %ax; smsw %ecx; clts; mov %cr0, %edx; hlt");

static void test_lmsw_cannot_leave_protected_mode(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	PUT(b, c_lmsw);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RCX], CR0_ET | CR0_NE | 0xf);
	assert_int_equal(c->regs[R_RDX], CR0_ET | CR0_NE | 7);
}

/* ---- privilege ---- */

static void test_privileged_instructions_fault_at_privilege_3(void **state)
{
	static const uint8_t insns[][4] = {
		{0xf4},
		{0x0f, 0x06}, /* hlt, clts */
		{0x0f, 0x09},
		{0x0f, 0x08}, /* wbinvd, invd */
		{0x0f, 0x30},
		{0x0f, 0x32}, /* wrmsr, rdmsr */
		{0x0f, 0x20, 0xc0},
		{0x0f, 0x22, 0xc0}, /* mov cr0 */
		{0x0f, 0x21, 0xc0},
		{0x0f, 0x23, 0xc0}, /* mov dr0 */
		{0x0f, 0x01, 0x3b},
		{0x0f, 0x01, 0x13}, /* invlpg, lgdt */
		{0x0f, 0x01, 0x1b},
		{0x0f, 0x01, 0xf0}, /* lidt, lmsw */
		{0x0f, 0x00, 0xd0},
		{0x0f, 0x00, 0xd8}, /* lldt, ltr */
		{0xfa},
		{0xfb}, /* cli, sti */
		{0xe4, 0x80},
		{0xe6, 0x80}, /* in, out */
		{0x6c},
		{0x6e},		    /* insb, outsb */
		{0x0f, 0x33},	    /* rdpmc */
		{0x0f, 0x01, 0xf8}, /* swapgs */
		{0x48, 0x0f, 0x07}, /* sysretq */
	};
	struct box *b = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(insns); i++) {
		struct cpu *c = sys_mode(b, BOX_LONG, 3);

		c->efer |= EFER_SCE;
		c->regs[R_RBX] = 0x7800;
		c->regs[R_RSI] = c->regs[R_RDI] = 0x7900;
		box_code(b, BOX_CODE, insns[i], 4);
		put16(b, SYS_TSS_AT + 0x66, 0xffff);
		assert_int_equal(box_run(b, 0), EXC_GP);
		assert_int_equal(on_stack(b, 0, 8), 0);
		assert_int_equal(on_stack(b, 1, 8), BOX_CODE);
	}
}

/* PREFIX OUTSB, with segment SEG taken away. */
static noinline_fn void outs_faults(struct box *b, uint8_t prefix, unsigned seg)
{
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);

	assert_no_fault(c, seg_load(c, seg, 0));
	c->regs[R_RSI] = 0x7900;
	box_code(b, BOX_CODE, (const uint8_t[]){prefix, 0x6e, 0xf4}, 3);
	assert_int_equal(box_run(b, 0), EXC_GP);
}

static void test_outs_reads_from_the_segment_of_its_prefix(void **state)
{
	outs_faults(*state, 0x26, S_ES);
	outs_faults(*state, 0x3e, S_DS);
	outs_faults(*state, 0x64, S_FS);
	outs_faults(*state, 0x65, S_GS);
}

static void test_umip(void **state)
{
	static const uint8_t insns[][3] = {
		{0x0f, 0x01, 0x03}, {0x0f, 0x01, 0x0b}, {0x0f, 0x00, 0xc0},
		{0x0f, 0x00, 0xc8}, {0x0f, 0x01, 0xe0},
	};
	struct box *b = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(insns); i++) {
		for (unsigned umip = 0; umip < 2; umip++) {
			struct cpu *c = sys_mode(b, BOX_LONG, 3);

			c->regs[R_RBX] = 0x7800;
			if (umip)
				c->cr4 |= CR4_UMIP;
			box_code(b, BOX_CODE, insns[i], 3);
			BOX_CODE_AT(b, BOX_CODE + 3, 0x0f, 0x0b);
			assert_int_equal(box_run(b, 0), umip ? EXC_GP : EXC_UD);
		}
	}
}

SNIPPET(t_rdtsc, 64, "rdtsc; ud2");

static void test_tsd(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 3);

	c->machine = NULL; /* the box has no clock */
	PUT(b, t_rdtsc);
	c->cr4 |= CR4_TSD;
	cpu_mode_changed(c);
	assert_int_equal(box_run(b, 0), EXC_GP);
}

/* ---- system calls ---- */

SNIPPET(k_syscall, 64, "syscall; ud2");
SNIPPET(k_sysret, 64, "sysretq");
SNIPPET(k_sysretl, 64, "sysretl");

static struct cpu *syscall_cpu(struct box *b, unsigned cpl)
{
	struct cpu *c = sys_mode(b, BOX_LONG, cpl);

	c->efer |= EFER_SCE;
	c->star = (uint64_t)(SEL_UCODE32 & ~3) << 48 | (uint64_t)BOX_CS64 << 32;
	c->lstar = 0x200000;
	c->fmask = FL_IF | FL_DF;
	return c;
}

static void test_syscall_and_sysret(void **state)
{
	struct box *b = *state;
	struct cpu *c = syscall_cpu(b, 3);

	PUT(b, k_syscall);
	BOX_CODE_AT(b, 0x200000, 0xf4);
	cpu_set_eflags(c, FL_1 | FL_IF | FL_DF | FL_CF);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->rip, 0x200001);
	assert_int_equal(c->regs[R_RCX], BOX_CODE + 2);
	assert_int_equal(c->regs[R_R11], FL_1 | FL_IF | FL_DF | FL_CF);
	assert_int_equal(cpu_eflags(c), FL_1 | FL_CF);
	assert_int_equal(c->df, 1);
	assert_int_equal(c->seg[S_CS].sel, BOX_CS64);
	assert_int_equal(c->seg[S_SS].sel, BOX_DS);
	assert_int_equal(c->cpl, 0);
	assert_int_equal(c->regs[R_RSP], SYS_USTACK);
	/* And back, to UD2. */
	RUN_AT(b, k_sysret, 0x200001);
	assert_int_equal(box_run(b, 0), EXC_UD);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE + 2);
	assert_int_equal(on_stack(b, 1, 8), SEL_UCODE64);
	assert_int_equal(on_stack(b, 2, 8), FL_1 | FL_IF | FL_DF | FL_CF | FL_RF);
	assert_int_equal(on_stack(b, 4, 8), SEL_UDATA);
}

static void test_sysret_to_compatibility_mode(void **state)
{
	struct box *b = *state;
	struct cpu *c = syscall_cpu(b, 0);

	PUT(b, k_sysretl);
	BOX_CODE_AT(b, 0x200000, 0x40, 0x0f, 0x0b); /* inc %eax, which is no prefix there */
	c->regs[R_RCX] = 0xffffffff00200000;
	c->regs[R_R11] = FL_1;
	c->regs[R_RAX] = 1;
	assert_int_equal(box_run(b, 0), EXC_UD);
	assert_int_equal(on_stack(b, 0, 8), 0x200001);
	assert_int_equal(on_stack(b, 1, 8), SEL_UCODE32);
	assert_int_equal(c->regs[R_RAX], 2);
}

static void test_single_step_and_fast_system_calls(void **state)
{
	struct box *b = *state;
	struct cpu *c = syscall_cpu(b, 3);

	/* FMASK clears TF: the kernel is entered without a trap. */
	PUT(b, k_syscall);
	BOX_CODE_AT(b, 0x200000, 0x90, 0xf4);
	c->fmask |= FL_TF;
	cpu_set_eflags(c, FL_1 | FL_TF);
	cpu_mode_changed(c);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->rip, 0x200002);
	assert_int_equal(c->regs[R_R11], FL_1 | FL_TF);
	/* R11 sets it: the trap is before the user's first instruction. */
	RUN_AT(b, k_sysret, 0x200002);
	assert_int_equal(box_run(b, 0), EXC_DB);
	assert_int_equal(c->dr[6], 0xffff0ff0 | BIT(14));
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE + 2);
	assert_int_equal(on_stack(b, 1, 8), SEL_UCODE64);
	assert_int_equal(on_stack(b, 2, 8), FL_1 | FL_TF);
}

static void test_syscall_without_sce_is_undefined(void **state)
{
	struct box *b = *state;
	struct cpu *c = syscall_cpu(b, 3);

	c->efer &= ~(uint64_t)EFER_SCE;
	PUT(b, k_syscall);
	assert_int_equal(box_run(b, 0), EXC_UD);
	assert_int_equal(on_stack(b, 0, 8), BOX_CODE);
}

SNIPPET(k_sysenter, 32, "sysenter");
SNIPPET(k_sysexit, 32, "mov $0x100100, %edx; mov $0x8f00, %ecx; sysexit");

static void test_sysenter_and_sysexit(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 3);

	/* CS, SS, user CS, user SS follow one another. */
	put_desc(b, 0x180, make_desc(0, 0xfffff, 0xc09b));
	put_desc(b, 0x188, make_desc(0, 0xfffff, 0xc093));
	put_desc(b, 0x190, make_desc(0, 0xfffff, 0xc0fb));
	put_desc(b, 0x198, make_desc(0, 0xfffff, 0xc0f3));
	PUT(b, k_sysenter);
	c->sysenter_cs = 0x180;
	c->sysenter_eip = 0x200000;
	c->sysenter_esp = 0x5800;
	c->flags |= FL_IF;
	RUN_AT(b, k_sysexit, 0x200000);
	BOX_CODE_AT(b, 0x100100, 0x0f, 0x0b);
	assert_int_equal(box_run(b, 0), EXC_UD);
	assert_int_equal(on_stack(b, 0, 4), 0x100100);
	assert_int_equal(on_stack(b, 1, 4), 0x193);
	assert_int_equal(on_stack(b, 2, 4) & FL_IF, 0);
	assert_int_equal(on_stack(b, 3, 4), 0x8f00);
	assert_int_equal(on_stack(b, 4, 4), 0x19b);
	c = sys_mode(b, BOX_PROT32, 3);
	c->sysenter_cs = 0;
	assert_int_equal(box_run(b, 0), EXC_GP);
	/* AMD's processors don't have it in long mode. */
	c = sys_mode(b, BOX_LONG, 3);
	c->sysenter_cs = 0x180;
	assert_int_equal(box_run(b, 0), EXC_UD);
}

/* ---- bases ---- */

SNIPPET(b_swapgs, 64,
	"swapgs; mov %gs:0, %rax; swapgs; rdgsbase %rbx; wrfsbase %rcx; mov %fs:8, %rdx; hlt");

static void test_swapgs_and_bases(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	PUT(b, b_swapgs);
	c->cr4 |= CR4_FSGSBASE;
	assert_true(msr_write(c, 0xc0000101, 0x7800));
	assert_true(msr_write(c, 0xc0000102, 0x7900));
	c->regs[R_RCX] = 0x7a00;
	box_st64(b, 0x7900, 0x1111);
	box_st64(b, 0x7a08, 0x2222);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->regs[R_RAX], 0x1111);
	assert_int_equal(c->regs[R_RBX], 0x7800);
	assert_int_equal(c->regs[R_RDX], 0x2222);
	assert_int_equal(c->seg[S_FS].base, 0x7a00);
	c->rip = BOX_CODE;
	c->cr4 &= ~(uint64_t)CR4_FSGSBASE;
	assert_int_equal(box_run(b, 0), EXC_UD);
	c = sys_mode(b, BOX_LONG, 0);
	c->cr4 |= CR4_FSGSBASE;
	c->regs[R_RCX] = 0x800000000000;
	assert_int_equal(box_run(b, 0), EXC_GP);
}

/* ---- SMAP ---- */

SNIPPET(x_smap, 64, "stac; mov (%rbx), %eax; clac; mov (%rbx), %eax; hlt");

static void test_stac_and_clac_open_and_close_user_pages(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);
	uint64_t pages[] = {BOX_CODE, BOX_STACK - 1, BOX_GDT, BOX_IDT, BOX_HLTS};

	for (unsigned i = 0; i < ARRAY_SIZE(pages); i++)
		box_st64(b, box_pte(pages[i]), (pages[i] & PAGE_MASK) | 3);
	PUT(b, x_smap);
	c->regs[R_RBX] = 0x300000;
	assert_no_fault(c, sys_set_cr4(c, c->cr4 | CR4_SMAP | CR4_SMEP));
	assert_int_equal(box_run(b, 0), EXC_PF);
	assert_int_equal(on_stack(b, 0, 8), 1);
	assert_int_equal(on_stack(b, 1, 8), BOX_CODE + 8);
	assert_int_equal(c->cr2, 0x300000);
	/* IRET reads its stack as other instructions do; descriptors are closed to it even so. */
	BOX_CODE_AT(b, BOX_CODE, 0x48, 0xcf);
	box_st64(b, 0x300000, BOX_CODE + 3);
	box_st64(b, 0x300008, BOX_CS64);
	box_st64(b, 0x300010, FL_1 | FL_AC);
	box_st64(b, 0x300018, BOX_STACK);
	box_st64(b, 0x300020, BOX_DS);
	BOX_CODE_AT(b, BOX_CODE + 3, 0xf4);
	c->rip = BOX_CODE;
	c->regs[R_RSP] = 0x300000;
	c->flags |= FL_AC;
	cpu_mode_changed(c);
	assert_int_equal(box_run(b, 0), -1);
	assert_int_equal(c->rip, BOX_CODE + 4);
	box_st64(b, box_pte(BOX_GDT), BOX_GDT | 7);
	mmu_flush_all(c);
	assert_fault(c, EXC_PF, 1, seg_load(c, S_DS, BOX_DS));
}

/* ---- MSRs ---- */

static void test_msr_values_are_checked(void **state)
{
	static const struct {
		uint32_t index;
		uint64_t value;
		bool ok;
	} cases[] = {
		{0xc0000080, EFER_SCE | EFER_LME | EFER_NXE, true},
		{0xc0000080, BIT(1), false},
		{0xc0000080, BIT(12), false},
		{0xc0000082, 0xffff800000000000, true},
		{0xc0000082, 0x800000000000, false},
		{0xc0000100, 0x800000000000, false},
		{0xc0000102, 1ull << 63, false},
		{0xc0000103, 0xffffffff, true},
		{0xc0000103, 1ull << 32, false},
		{0x277, 0x0706050401000600, true},
		{0x277, 0x0706050401000602, false},
		{0x277, 0x08, false},
		{0x2ff, 0xc06, true},
		{0x2ff, 0x1000, false},
		{0x2ff, 2, false},
		{0x200, 0x80000006, true},
		{0x200, 0x80000005, true},
		{0x200, 0x80000003, false},
		{0x201, 0xff80000800, true},
		{0x201, 0xff80000100, false},
		{0x201, 1ull << 40, false},
		{0x250, 0x0606060606060606, true},
		{0x250, 0x0606060606060602, false},
		{0x175, 0x800000000000, false},
		{0x400, 0, true},
		{0x400, UINT64_MAX, true},
		{0x400, 1ull << 63, false},
		{0x401, 0, true},
		{0x401, 1, false},
		{0x402, UINT64_MAX, true},
		{0x403, UINT64_MAX, true},
		{0x410, 0, false},
		{0x12345678, 0, false},
		{0xc0010117, 0, false},
	};
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 0);
	uint64_t v;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		if (msr_write(c, cases[i].index, cases[i].value) != cases[i].ok)
			fail_msg("MSR %#x value %#lx", cases[i].index, cases[i].value);
		if (cases[i].ok) {
			assert_true(msr_read(c, cases[i].index, &v));
			assert_true(v == cases[i].value);
		}
	}
}

static void test_an_unknown_msr_is_a_general_protection_fault(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);

	BOX_CODE_AT(b, BOX_CODE, 0x0f, 0x32);
	c->regs[R_RCX] = 0x12345678;
	assert_int_equal(box_run(b, 0), EXC_GP);
	assert_int_equal(on_stack(b, 1, 8), BOX_CODE);
}

/* ---- ports ---- */

static void test_the_permission_bitmap(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_PROT32, 3);

	put16(b, SYS_TSS_AT + 0x66, 0x80);
	memset(b->ram + SYS_TSS_AT + 0x80, 0xff, 0x380);
	b->ram[SYS_TSS_AT + 0x80 + 0x3f8 / 8] = 0x0f; /* 3fc to 3ff */
	assert_fault(c, EXC_GP, 0, io_check(c, 0x3f8, 1));
	assert_no_fault(c, io_check(c, 0x3fc, 4));
	assert_fault(c, EXC_GP, 0, io_check(c, 0x3fb, 2));
	assert_fault(c, EXC_GP, 0, io_check(c, 0x3fe, 4));
	b->ram[SYS_TSS_AT + 0x80 + 0x400 / 8] = 0xfc;
	assert_no_fault(c, io_check(c, 0x3fe, 4)); /* across bytes */
	/* Beyond the TSS's limit nothing is allowed: the byte after the last one must be within too. */
	memset(b->ram + SYS_TSS_AT + 0x80, 0, 0x380);
	c->tr.limit = 0x80 + 0x3f8 / 8;
	assert_fault(c, EXC_GP, 0, io_check(c, 0x3f8, 1));
	c->tr.limit++;
	assert_no_fault(c, io_check(c, 0x3f8, 1));
	/* IOPL opens all ports, but not in v86 mode. */
	c->tr.limit = 0;
	c->flags |= FL_IOPL;
	assert_no_fault(c, io_check(c, 0x3f8, 1));
	c->flags |= FL_VM;
	assert_fault(c, EXC_GP, 0, io_check(c, 0x3f8, 1));
}

SNIPPET(i_insw, 64, "rep insw; hlt");

static void test_string_input_page_by_page(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);
	struct vcpu *v = c->vcpu;

	PUT(b, i_insw);
	memset(b->ram + 0x300000, 0, 0x4000);
	c->vcpu = NULL; /* nobody answers: ones */
	c->regs[R_RDI] = 0x300801;
	c->regs[R_RCX] = 0x1000;
	while (!c->halted) {
		__atomic_store_n(&c->exit_request, 0, __ATOMIC_SEQ_CST);
		cpu_exec(c);
	}
	c->vcpu = v;
	assert_int_equal(c->regs[R_RCX], 0);
	assert_int_equal(c->regs[R_RDI], 0x302801);
	assert_int_equal(b->ram[0x300800], 0);
	for (unsigned i = 0x801; i < 0x2801; i++)
		assert_int_equal(b->ram[0x300000 + i], 0xff);
	assert_int_equal(b->ram[0x302801], 0);
}

static void test_string_input_faults_between_elements(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);
	struct vcpu *v = c->vcpu;

	PUT(b, i_insw);
	box_st64(b, box_pte(0x301000), 0);
	c->regs[R_RDI] = 0x300ff8;
	c->regs[R_RCX] = 100;
	c->vcpu = NULL;
	while (!c->halted) {
		__atomic_store_n(&c->exit_request, 0, __ATOMIC_SEQ_CST);
		cpu_exec(c);
	}
	c->vcpu = v;
	assert_int_equal(on_stack(b, 0, 8), 2);
	assert_int_equal(on_stack(b, 1, 8), BOX_CODE);
	assert_int_equal(c->cr2, 0x301000);
	assert_int_equal(c->regs[R_RDI], 0x301000);
	assert_int_equal(c->regs[R_RCX], 96);
}

/* ---- CPUID and -cpu ---- */

static void cpuid(struct cpu *c, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
	cpu_cpuid(c, leaf, sub, out);
}

static void test_models_and_their_properties(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	struct cpu_model *old = c->model;
	struct error err = ERROR_INIT;
	uint32_t r[4];

	c->model = cpu_model_parse(
		"qemu64,family=6,model=0x3a,stepping=9,vendor=GenuineIntel,+ssse3,-cx16,nx=off,model-id=A brand",
		&err);
	assert_non_null(c->model);
	cpuid(c, 0, 0, r);
	assert_memory_equal(&r[1], "Genu", 4);
	assert_memory_equal(&r[3], "ineI", 4);
	assert_memory_equal(&r[2], "ntel", 4);
	cpuid(c, 1, 0, r);
	assert_int_equal(r[0], 0x000306a9);
	assert_true(r[2] & BIT(9));
	assert_false(r[2] & BIT(13));
	assert_false(r[2] & BIT(19)); /* SSE4.1 is not in qemu64 */
	cpuid(c, 0x80000001, 0, r);
	assert_false(r[3] & BIT(20));
	assert_true(r[3] & BIT(29));
	cpuid(c, 0x80000002, 0, r);
	assert_memory_equal(r, "A brand", 8);
	free(c->model);
	c->model = cpu_model_parse("max,family=0x19,model=0x11", &err);
	cpuid(c, 1, 0, r);
	assert_int_equal(r[0] & 0x0fff0ff0, 0x00a10f10);
	free(c->model);
	c->model = old;
}

static void test_bad_cpu_options_are_named(void **state)
{
	static const char *const bad[] = {
		"pentium9",
		"max,+nosuch",
		"max,family=x",
		"max,family=-1",
		"max,stepping=16",
		"max,vendor=short",
		"max,nosuch=1",
		"",
		",",
		"max,family=",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct error err = ERROR_INIT;

		assert_null(cpu_model_parse(bad[i], &err));
		assert_non_null(err.msg);
		assert_memory_equal(err.msg, "-cpu", 4);
		error_clear(&err);
	}
}

static void test_topology_leaves(void **state)
{
	struct box *b = *state;
	struct cpu *c = box_cpu(b, 0);
	uint32_t r[4];

	c->model->cores = 3;
	c->model->threads = 2;
	cpuid(c, 0xb, 0, r);
	assert_int_equal(r[0], 1);
	assert_int_equal(r[1], 2);
	assert_int_equal(r[2], 0x100);
	cpuid(c, 0xb, 1, r);
	assert_int_equal(r[0], 3);
	assert_int_equal(r[1], 6);
	assert_int_equal(r[2], 0x201);
	cpuid(c, 0xb, 2, r);
	assert_int_equal(r[1], 0);
	assert_int_equal(r[2], 2);
	cpuid(c, 1, 0, r);
	assert_int_equal(r[1] >> 16 & 0xff, 6);
	assert_true(r[3] & BIT(28));
	cpuid(c, 0x80000008, 0, r);
	assert_int_equal(r[0], 0x3028);
	assert_int_equal(r[2], 0x3005);
}

static void test_osxsave_follows_cr4(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);
	uint32_t r[4];

	cpuid(c, 1, 0, r);
	assert_false(r[2] & BIT(27));
	assert_no_fault(c, sys_set_cr4(c, c->cr4 | CR4_OSXSAVE));
	cpuid(c, 1, 0, r);
	assert_true(r[2] & BIT(27));
}

SNIPPET(x_setbv, 64, "xsetbv; xgetbv; hlt");

static void test_xsetbv(void **state)
{
	static const struct {
		uint32_t eax, ecx;
		int vector;
	} cases[] = {{3, 0, -1},     {1, 0, -1},     {2, 0, EXC_GP},
		     {0, 0, EXC_GP}, {7, 0, EXC_GP}, {3, 1, EXC_GP}};
	struct box *b = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cpu *c = sys_mode(b, BOX_LONG, 0);

		PUT(b, x_setbv);
		c->cr4 |= CR4_OSXSAVE;
		c->regs[R_RAX] = cases[i].eax;
		c->regs[R_RCX] = cases[i].ecx;
		assert_int_equal(box_run(b, 0), cases[i].vector);
		if (cases[i].vector == -1)
			assert_int_equal(c->regs[R_RAX], cases[i].eax);
	}
	sys_mode(b, BOX_LONG, 0);
	assert_int_equal(box_run(b, 0), EXC_UD);
}

/* ---- reset ---- */

static void test_power_on_and_init(void **state)
{
	struct box *b = *state;
	struct cpu *c = sys_mode(b, BOX_LONG, 0);
	uint32_t r[4];

	c->cr0 |= CR0_CD;
	c->xmm[3].u64[0] = 77;
	c->star = 5;
	cpu_reset(c, true);
	assert_int_equal(c->cr0, CR0_CD | CR0_ET);
	assert_int_equal(c->xmm[3].u64[0], 77);
	assert_int_equal(c->star, 5);
	assert_int_equal(c->efer, 0);
	cpu_reset(c, false);
	cpuid(c, 1, 0, r);
	assert_int_equal(c->cr0, CR0_CD | CR0_NW | CR0_ET);
	assert_int_equal(c->xmm[3].u64[0], 0);
	assert_int_equal(c->star, 0);
	assert_int_equal(c->rip, 0xfff0);
	assert_int_equal(c->regs[R_CSBASE], 0xffff0000);
	assert_int_equal(c->regs[R_RDX], r[0]);
	assert_int_equal(cpu_eflags(c), FL_1);
	assert_int_equal(c->idt.limit, 0xffff);
	assert_int_equal(c->fpu.fcw, 0x40);
	assert_int_equal(c->mxcsr, 0x1f80);
	assert_int_equal(c->pat, 0x0007040600070406);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYS_TEST(test_cr0_combinations),
		SYS_TEST(test_long_mode_needs_pae_and_no_l_bit),
		SYS_TEST(test_cr4_has_what_cpuid_shows),
		SYS_TEST(test_lmsw_cannot_leave_protected_mode),
		SYS_TEST(test_privileged_instructions_fault_at_privilege_3),
		SYS_TEST(test_outs_reads_from_the_segment_of_its_prefix),
		SYS_TEST(test_umip),
		SYS_TEST(test_tsd),
		SYS_TEST(test_syscall_and_sysret),
		SYS_TEST(test_sysret_to_compatibility_mode),
		SYS_TEST(test_single_step_and_fast_system_calls),
		SYS_TEST(test_syscall_without_sce_is_undefined),
		SYS_TEST(test_sysenter_and_sysexit),
		SYS_TEST(test_swapgs_and_bases),
		SYS_TEST(test_stac_and_clac_open_and_close_user_pages),
		SYS_TEST(test_msr_values_are_checked),
		SYS_TEST(test_an_unknown_msr_is_a_general_protection_fault),
		SYS_TEST(test_the_permission_bitmap),
		SYS_TEST(test_string_input_page_by_page),
		SYS_TEST(test_string_input_faults_between_elements),
		SYS_TEST(test_models_and_their_properties),
		SYS_TEST(test_bad_cpu_options_are_named),
		SYS_TEST(test_topology_leaves),
		SYS_TEST(test_osxsave_follows_cr4),
		SYS_TEST(test_xsetbv),
		SYS_TEST(test_power_on_and_init),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
