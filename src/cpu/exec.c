/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outer loop. Blocks lead to each other by themselves (exec_flow.c); here arrives what was left with STOP(): an exit
 * request, a halt, or an instruction that changed what the next block depends on. Faults arrive by siglongjmp.
 */
#include "src/cpu/block.h"
#include "src/cpu/mmu.h"
#include "src/cpu/native.h"
#include "src/cpu/sse.h"

#define UOP(name, fn) [UOP_##name] = fn,
uop_fn *const uop_functions[UOP_COUNT] = {
#include "src/cpu/ops_flow.h"
#include "src/cpu/ops_int.h"
#include "src/cpu/ops_sys.h"
#include "src/cpu/ops_fpu.h"
#include "src/cpu/ops_sse.h"
};
#undef UOP

#define UOP(name, fn) [UOP_##name] = #name,
const char *const uop_names[UOP_COUNT] = {
	[UOP_NONE] = "NONE",
#include "src/cpu/ops_flow.h"
#include "src/cpu/ops_int.h"
#include "src/cpu/ops_sys.h"
#include "src/cpu/ops_fpu.h"
#include "src/cpu/ops_sse.h"
};
#undef UOP

/* A bit of exit_request of our own: every block ends with STOP(), so that one instruction is one block. */
#define EXIT_ONE (1u << 31)

void cpu_sync_rip(struct cpu *c)
{
	if (!c->cur)
		return;
	c->rip = c->block->rip + c->cur->ip;
	if (!(c->block->mode & MODE_CODE64))
		c->rip = (uint32_t)c->rip;
	c->cur = NULL;
}

static void run(struct cpu *c, struct block *b)
{
	const struct uop *u = b->uops;

	c->block = b;
	if (EVMM_TAILCALL)
		native_enter(c, u);
	else
		while (u)
			u = u->fn(c, u);
	c->block = NULL;
	c->cur = NULL;
}

/* One instruction, with what debugging and the interrupt shadow want done before and after it. */
static void run_one(struct cpu *c)
{
	uint32_t mode = c->mode;

	if (mode & MODE_BP)
		cpu_insn_breakpoint(c);
	c->blocks->one = true;
	/* What holds for one instruction is taken back before it, as it may set the same anew. */
	c->irq_inhibit = 0;
	if (!(mode & MODE_ONE))
		c->flags &= ~(uint64_t)FL_RF;
	__atomic_or_fetch(&c->exit_request, EXIT_ONE, __ATOMIC_RELAXED);
	run(c, block_find(c));
	c->blocks->one = false;
	__atomic_and_fetch(&c->exit_request, ~EXIT_ONE, __ATOMIC_RELAXED);
	if (unlikely(c->rmw_code_phys))
		code_map_serve(c);
	if (mode & MODE_ONE)
		cpu_step_trap(c, mode);
}

static bool wants_one(const struct cpu *c)
{
	return c->blocks->one || c->irq_inhibit || (c->mode & MODE_ONE) || (c->flags & FL_RF);
}

/* Instead of the instruction came an exception or interrupt: a debugger's step ends before its handler's first one. */
static void stepped_into_handler(struct cpu *c)
{
	if (unlikely(c->debug.step))
		c->debug_met = (struct debug_stop){
			.vcpu = c->vcpu, .reason = DEBUG_STEP, .addr = c->regs[R_CSBASE] + c->rip};
}

void cpu_exec(struct cpu *c)
{
	int why;

	c->cur = NULL;
	c->block = NULL;
	code_map_enter_guest(c);
	sse_enter_guest(c);
	why = sigsetjmp(c->fault_jmp, 0);
	if (why) {
		__atomic_and_fetch(&c->exit_request, ~EXIT_ONE, __ATOMIC_RELAXED);
		cpu_sync_rip(c);
		c->block = NULL;
		if (why == EXEC_EXCEPTION) {
			c->blocks->one = false;
			c->irq_inhibit = 0;
			c->db_pending = 0; /* what a faulting instruction hits, it hits again */
			cpu_deliver_pending_exception(c);
			stepped_into_handler(c);
		}
	}
	if (!c->irq_inhibit && !c->debug_met.reason && cpu_take_interrupt(c))
		stepped_into_handler(c);
	for (;;) {
		bool one;

		if (unlikely(c->debug_met.reason))
			break;
		if (unlikely(c->irq_waiting) && (c->flags & FL_IF) && !c->irq_inhibit &&
		    cpu_take_interrupt(c)) {
			stepped_into_handler(c);
			if (c->debug_met.reason)
				break;
		}
		if (unlikely(c->halted || c->wait_sipi))
			break;
		/* What lasts for one instruction ends before requests are served; debugging may last for ever. */
		one = wants_one(c);
		if (unlikely(__atomic_load_n(&c->exit_request, __ATOMIC_RELAXED)) &&
		    (!one || (c->mode & MODE_ONE)))
			break;
		if (unlikely(one))
			run_one(c);
		else
			run(c, block_find(c));
	}
	sse_leave_guest(c);
	code_map_leave_guest(c);
}
