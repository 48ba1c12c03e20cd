/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's side: a few instructions that load all registers and jump to the one under test, which is followed by a jump to
 * others that store all registers. They are copied below 4 GiB, where 32-bit code reaches them, and reach their data by absolute
 * addresses, so that no register is needed for it. A fault is a signal: the handler takes the state from its frame.
 */
#include <asm/ldt.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>
#include "src/util.h"
#include "tests/cpu/hostcmp.h"

struct hc_far {
	uint32_t offset;
	uint16_t selector;
	uint16_t pad;
};

/* At HC_CTX. The assembler below knows the offsets. */
struct hc_ctx {
	uint64_t in[16];     /* 0x000 */
	uint64_t in_flags;   /* 0x080 */
	uint64_t target;     /* 0x088 */
	uint64_t host_rsp;   /* 0x090 */
	uint64_t out_flags;  /* 0x098 */
	uint64_t out[16];    /* 0x0a0 */
	struct hc_far far32; /* 0x120 */
	struct hc_far far64; /* 0x128 */
	uint64_t fx_wanted;  /* 0x130 */
	uint32_t mxcsr;	     /* 0x138 */
	uint32_t running;    /* 0x13c */
	uint32_t ds, es, ss; /* 0x140 */
	uint32_t flat_data;  /* 0x14c */
	uint32_t pad[44];
	struct hc_fx fx_in, fx_out; /* 0x200, 0x400 */
	struct hc_fault fault;
	uint64_t fault_rip;
};
_Static_assert(offsetof(struct hc_ctx, out) == 0xa0, "the assembler's offsets");
_Static_assert(offsetof(struct hc_ctx, far32) == 0x120, "the assembler's offsets");
_Static_assert(offsetof(struct hc_ctx, running) == 0x13c, "the assembler's offsets");
_Static_assert(offsetof(struct hc_ctx, ds) == 0x140, "the assembler's offsets");
_Static_assert(offsetof(struct hc_ctx, fx_in) == 0x200, "the assembler's offsets");
_Static_assert(offsetof(struct hc_ctx, fx_out) == 0x400, "the assembler's offsets");

extern const char hc_blob_start[], hc_blob_end[], hc_enter64[], hc_enter32[], hc_exit64[],
	hc_exit32[], hc_enter_seg[], hc_exit_seg[], hc_leave[], hc_fault_return[];

__asm__(".set CTX, 0x20000000\n"
	".macro HC_IN\n"
	"	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
	"	mov %rsp, CTX+0x90\n"
	"	testb $1, CTX+0x130\n"
	"	jz 1f\n"
	"	fxrstor64 CTX+0x200\n"
	"1:	pushq CTX+0x80\n"
	"	popfq\n"
	".endm\n"
	".macro HC_OUT\n"
	"	mov CTX+0x90, %rsp\n"
	"	pushq $0x202\n"
	"	popfq\n"
	"	fninit\n"
	"	ldmxcsr CTX+0x138\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n"
	"	ret\n"
	".endm\n"
	"	.section .rodata\n"
	"	.balign 16\n"
	"hc_blob_start:\n"
	"hc_enter64:\n"
	"	HC_IN\n"
	"	mov CTX+0x00, %rax\n	mov CTX+0x08, %rcx\n	mov CTX+0x10, %rdx\n	mov CTX+0x18, %rbx\n"
	"	mov CTX+0x20, %rsp\n	mov CTX+0x28, %rbp\n	mov CTX+0x30, %rsi\n	mov CTX+0x38, %rdi\n"
	"	mov CTX+0x40, %r8\n	mov CTX+0x48, %r9\n	mov CTX+0x50, %r10\n	mov CTX+0x58, %r11\n"
	"	mov CTX+0x60, %r12\n	mov CTX+0x68, %r13\n	mov CTX+0x70, %r14\n	mov CTX+0x78, %r15\n"
	"	jmp *CTX+0x88\n"
	"hc_enter32:\n"
	"	HC_IN\n"
	"	mov CTX+0x00, %eax\n	mov CTX+0x08, %ecx\n	mov CTX+0x10, %edx\n	mov CTX+0x18, %ebx\n"
	"	mov CTX+0x20, %esp\n	mov CTX+0x28, %ebp\n	mov CTX+0x30, %esi\n	mov CTX+0x38, %edi\n"
	"	ljmp *CTX+0x120\n"
	"hc_enter_seg:\n"
	"	HC_IN\n"
	"	mov CTX+0x140, %ds\n	mov CTX+0x144, %es\n	mov CTX+0x148, %ss\n"
	"	mov CTX+0x00, %eax\n	mov CTX+0x08, %ecx\n	mov CTX+0x10, %edx\n	mov CTX+0x18, %ebx\n"
	"	mov CTX+0x20, %esp\n	mov CTX+0x28, %ebp\n	mov CTX+0x30, %esi\n	mov CTX+0x38, %edi\n"
	"	ljmp *CTX+0x120\n"
	"hc_exit_seg:\n"
	"	mov %eax, CTX+0xa0\n	mov %ecx, CTX+0xa8\n	mov %edx, CTX+0xb0\n	mov %ebx, CTX+0xb8\n"
	"	mov %esp, CTX+0xc0\n	mov %ebp, CTX+0xc8\n	mov %esi, CTX+0xd0\n	mov %edi, CTX+0xd8\n"
	"	mov CTX+0x14c, %ds\n	mov CTX+0x14c, %es\n	mov CTX+0x14c, %ss\n"
	"	jmp hc_leave\n"
	"hc_exit64:\n"
	"	mov %rax, CTX+0xa0\n	mov %rcx, CTX+0xa8\n	mov %rdx, CTX+0xb0\n	mov %rbx, CTX+0xb8\n"
	"	mov %rsp, CTX+0xc0\n	mov %rbp, CTX+0xc8\n	mov %rsi, CTX+0xd0\n	mov %rdi, CTX+0xd8\n"
	"	mov %r8, CTX+0xe0\n	mov %r9, CTX+0xe8\n	mov %r10, CTX+0xf0\n	mov %r11, CTX+0xf8\n"
	"	mov %r12, CTX+0x100\n	mov %r13, CTX+0x108\n	mov %r14, CTX+0x110\n	mov %r15, CTX+0x118\n"
	"hc_leave:\n"
	"	mov CTX+0x90, %rsp\n"
	"	pushfq\n"
	"	popq CTX+0x98\n"
	"	testb $1, CTX+0x130\n"
	"	jz 1f\n"
	"	fxsave64 CTX+0x400\n"
	"1:	HC_OUT\n"
	"hc_fault_return:\n"
	"	mov CTX+0x14c, %ds\n	mov CTX+0x14c, %es\n	mov CTX+0x14c, %ss\n"
	"	HC_OUT\n"
	"	.code32\n"
	"hc_exit32:\n"
	"	mov %eax, CTX+0xa0\n	mov %ecx, CTX+0xa8\n	mov %edx, CTX+0xb0\n	mov %ebx, CTX+0xb8\n"
	"	mov %esp, CTX+0xc0\n	mov %ebp, CTX+0xc8\n	mov %esi, CTX+0xd0\n	mov %edi, CTX+0xd8\n"
	"	ljmp *CTX+0x128\n"
	"	.code64\n"
	"hc_blob_end:\n"
	"	.text\n");

static struct hc_ctx *const ctx = (struct hc_ctx *)HC_CTX;
static bool has[HC_N_CODES];

static uint64_t blob(const char *symbol)
{
	return HC_BLOB + (uint64_t)(symbol - hc_blob_start);
}

static void on_fault(int sig, siginfo_t *si, void *arg)
{
	static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
				      REG_RSI, REG_RDI, REG_R8,	 REG_R9,  REG_R10, REG_R11,
				      REG_R12, REG_R13, REG_R14, REG_R15};
	greg_t *g = ((ucontext_t *)arg)->uc_mcontext.gregs;

	if (!ctx->running) {
		signal(sig, SIG_DFL);
		return;
	}
	for (unsigned i = 0; i < 16; i++)
		ctx->out[i] = (uint64_t)g[order[i]];
	ctx->out_flags = (uint64_t)g[REG_EFL];
	ctx->fault_rip = (uint64_t)g[REG_RIP];
	ctx->fault.vector = (int)g[REG_TRAPNO];
	ctx->fault.error = (uint64_t)g[REG_ERR];
	ctx->fault.cr2 = (uint64_t)g[REG_CR2];
	if (ctx->fx_wanted)
		memcpy(&ctx->fx_out, ((ucontext_t *)arg)->uc_mcontext.fpregs, sizeof(ctx->fx_out));
	g[REG_RIP] = (greg_t)blob(hc_fault_return);
	g[REG_EFL] = 0x202;
	/* Lowest word: CS; highest: SS. */
	g[REG_CSGSFS] = (g[REG_CSGSFS] & 0x0000ffffffff0000ll) | 0x33 | 0x2bll << 48;
}

static bool map(uint64_t lin, uint64_t bytes, int prot)
{
	void *p = mmap((void *)lin, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		       -1, 0);

	if (p == (void *)lin)
		return true;
	printf("cannot map memory at %#llx: %s\n", (unsigned long long)lin, strerror(errno));
	return false;
}

/* ---- segments ---- */

/* Entries of the local descriptor table. Code: four each, by the 64 KiB. */
enum { LDT_CODE16, LDT_CODE32 = 4, LDT_DS = 8, LDT_ES_DOWN16, LDT_ES_DOWN32, LDT_SS16, LDT_SS32 };
enum { CONTENTS_DATA, CONTENTS_EXPAND_DOWN, CONTENTS_CODE };

static uint16_t ldt_selector(unsigned entry)
{
	return (uint16_t)(entry << 3 | 7);
}

static bool ldt_set(unsigned entry, uint64_t base, uint32_t limit, unsigned contents, bool is32)
{
	struct user_desc d = {.entry_number = entry,
			      .base_addr = (uint32_t)base,
			      .limit = limit,
			      .seg_32bit = is32,
			      .contents = contents};

	return syscall(SYS_modify_ldt, 1, &d, sizeof(d)) == 0;
}

static bool ldt_init(void)
{
	bool ok = true;

	for (unsigned i = 0; i < HC_CODE_SIZE >> 16; i++) {
		ok &= ldt_set(LDT_CODE16 + i, HC_CODE + (i << 16), 0xffff, CONTENTS_CODE, false);
		ok &= ldt_set(LDT_CODE32 + i, HC_CODE + (i << 16), 0xffff, CONTENTS_CODE, true);
	}
	return ok && ldt_set(LDT_DS, HC_DATA, HC_DS_LIMIT, CONTENTS_DATA, true) &&
	       ldt_set(LDT_ES_DOWN16, HC_DATA, HC_ES_DOWN, CONTENTS_EXPAND_DOWN, false) &&
	       ldt_set(LDT_ES_DOWN32, HC_DATA, HC_ES_DOWN, CONTENTS_EXPAND_DOWN, true) &&
	       ldt_set(LDT_SS16, HC_STACK, HC_SS_LIMIT, CONTENTS_DATA, false) &&
	       ldt_set(LDT_SS32, HC_STACK, HC_SS_LIMIT, CONTENTS_DATA, true);
}

/* Does the kernel let such code run? */
static bool try_code(enum hc_code code)
{
	struct hc_insn insn;
	struct hc_case k = {.insn = &insn};
	struct hc_result r;
	uint8_t *p = (uint8_t *)HC_CODE;

	hc_insn_init(&insn, code);
	memset(p, 0, HC_SLOT);
	p[0] = 0x40; /* inc eax or ax; in 64-bit code a prefix */
	hc_host_epilogue(p + 1, HC_CODE + 1, code);
	k.in.flags = 0x202;
	k.in.gpr[HC_RSP] = 2048;
	k.in.gpr[HC_RAX] = 41;
	hc_host_run(&k, HC_CODE, &r);
	return r.fault.vector < 0 && r.regs.gpr[HC_RAX] == 42;
}

bool hc_host_init(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	static char handler_stack[65536] __attribute__((aligned(64)));
	stack_t ss = {.ss_sp = handler_stack, .ss_size = sizeof(handler_stack)};

	if (!map(HC_CTX, HC_PAGE, PROT_READ | PROT_WRITE) ||
	    !map(HC_BLOB, HC_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) ||
	    !map(HC_CODE, HC_CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC) ||
	    !map(HC_DATA, 3 * HC_PAGE, PROT_READ | PROT_WRITE) ||
	    !map(HC_STACK, HC_PAGE, PROT_READ | PROT_WRITE))
		return false;
	memcpy((void *)HC_BLOB, hc_blob_start, (size_t)(hc_blob_end - hc_blob_start));
	sigaltstack(&ss, NULL);
	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &sa, NULL);
	ctx->mxcsr = 0x1f80;
	ctx->flat_data = 0x2b;
	/* 32-bit code needs data segments, 64-bit code doesn't mind. */
	__asm__ volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(0x2b));
	has[HC_CODE64] = true;
	has[HC_CODE32] = try_code(HC_CODE32);
	if (ldt_init()) {
		has[HC_SEG32] = try_code(HC_SEG32);
		has[HC_SEG16] = try_code(HC_SEG16);
	}
	return true;
}

bool hc_host_has(enum hc_code code)
{
	return has[code];
}

/* How to get into K's code at RIP; the address of the function that goes there. */
static uint64_t way_in(const struct hc_insn *insn, uint64_t rip)
{
	bool b16 = insn->code == HC_SEG16;
	unsigned chunk = (unsigned)((rip - HC_CODE) >> 16);

	ctx->target = rip;
	ctx->far64 = (struct hc_far){.offset = (uint32_t)blob(hc_leave), .selector = 0x33};
	if (insn->code == HC_CODE64)
		return blob(hc_enter64);
	ctx->far32 = (struct hc_far){.offset = (uint32_t)rip, .selector = 0x23};
	if (insn->code == HC_CODE32)
		return blob(hc_enter32);
	ctx->far32.offset = (uint16_t)rip;
	ctx->far32.selector = ldt_selector((b16 ? LDT_CODE16 : LDT_CODE32) + chunk);
	ctx->ds = ctx->es = ldt_selector(LDT_DS);
	if (insn->expand_down)
		ctx->es = ldt_selector(b16 ? LDT_ES_DOWN16 : LDT_ES_DOWN32);
	ctx->ss = ldt_selector(b16 ? LDT_SS16 : LDT_SS32);
	return blob(hc_enter_seg);
}

void hc_host_run(const struct hc_case *k, uint64_t rip, struct hc_result *r)
{
	void (*enter)(void) = (void (*)(void))way_in(k->insn, rip);

	memcpy(ctx->in, k->in.gpr, sizeof(ctx->in));
	memset(ctx->out, 0, sizeof(ctx->out));
	ctx->in_flags = k->in.flags;
	ctx->fx_wanted = k->form && (k->form->options & HC_FX);
	if (ctx->fx_wanted)
		ctx->fx_in = k->fx;
	ctx->fault.vector = -1;
	ctx->running = 1;
	__asm__ volatile("" ::: "memory");
	enter();
	__asm__ volatile("" ::
				 : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
				   "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",
				   "xmm14", "xmm15");
	ctx->running = 0;
	memcpy(r->regs.gpr, ctx->out, sizeof(ctx->out));
	if (k->insn->bits != 64) /* a fault's frame has what was there before */
		memset(&r->regs.gpr[8], 0, 8 * sizeof(r->regs.gpr[0]));
	r->regs.flags = ctx->out_flags;
	r->regs.rip = ctx->fault_rip;
	r->fault = ctx->fault;
	if (ctx->fx_wanted)
		r->fx = ctx->fx_out;
}

/* The code that follows an instruction whose end is at END: a jump to the way out. */
unsigned hc_host_epilogue(uint8_t *p, uint64_t end, enum hc_code code)
{
	int32_t rel = (int32_t)(blob(code == HC_CODE32 ? hc_exit32 : hc_exit64) - (end + 5));
	uint32_t to = (uint32_t)blob(hc_exit_seg);
	unsigned n = 0;

	if (code <= HC_CODE32) {
		p[0] = 0xe9; /* JMP rel32 */
		memcpy(p + 1, &rel, 4);
		return 5;
	}
	if (code == HC_SEG16)
		p[n++] = 0x66;
	p[n++] = 0xea; /* JMP ptr16:32 */
	memcpy(p + n, &to, 4);
	p[n + 4] = 0x33;
	p[n + 5] = 0;
	return n + 6;
}

void hc_host_protect(bool read_only)
{
	mprotect((void *)(HC_DATA + 2 * HC_PAGE), HC_PAGE,
		 read_only ? PROT_READ : PROT_READ | PROT_WRITE);
}
