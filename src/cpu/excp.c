/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and interrupts: raising, and delivery through the IVT or IDT in every mode (SDM 3A, chapter 6; 20 for
 * virtual-8086 mode).
 *
 * A fault leaves its instruction by siglongjmp to the outer loop, which calls cpu_deliver_pending_exception(). Delivery
 * may fault in turn; c->delivering tells what was under way, and decides on double and triple faults.
 */
#include "src/cpu/lapic.h"
#include "src/cpu/sys.h"
#include "src/log.h"
#include "src/machine.h"

/* c->delivering for events that never make a double fault: interrupts and INT n. */
#define DELIVER_BENIGN 0x100

static void leave(struct cpu *c, int vector, bool has_error, uint32_t error)
	__attribute__((noreturn, cold));

static void leave(struct cpu *c, int vector, bool has_error, uint32_t error)
{
	cpu_sync_rip(c);
	if (c->split_locked)
		mmu_split_unlock(c);
	c->exc_vector = vector;
	c->exc_has_error = has_error;
	c->exc_error = error;
	c->exc_soft = false;
	c->stats.faults++;
	siglongjmp(c->fault_jmp, EXEC_EXCEPTION);
}

void cpu_raise(struct cpu *c, int vector)
{
	leave(c, vector, false, 0);
}

void cpu_raise_err(struct cpu *c, int vector, uint32_t error)
{
	leave(c, vector, true, error);
}

void cpu_raise_db(struct cpu *c, uint64_t dr6_bits)
{
	if (unlikely(c->debug.step || c->debug.n_hw))
		cpu_debug_db(c, dr6_bits);
	/* B0-B3 tell of this event alone; BD, BS and BT stay until software clears them. */
	c->dr[6] = (c->dr[6] & ~0xfull) | dr6_bits;
	leave(c, EXC_DB, false, 0);
}

/* ---- classes (SDM 3A, table 6-5) ---- */

static bool is_contributory(int vector)
{
	return vector == EXC_DE || (vector >= EXC_TS && vector <= EXC_GP);
}

static bool makes_double_fault(int first, int second)
{
	if (is_contributory(first))
		return is_contributory(second);
	if (first == EXC_PF)
		return second == EXC_PF || is_contributory(second);
	return false;
}

/* Faults restart their instruction, so that their frame has RF set. */
static bool is_fault(int vector)
{
	return vector != EXC_DB && vector != EXC_NMI && vector != EXC_BP && vector != EXC_OF &&
	       vector != EXC_DF && vector != EXC_MC;
}

/* ---- real mode ---- */

/* What all deliveries do to EFLAGS; in the IDT's modes VM, NT and for interrupt gates IF too. */
static void enter_handler(struct cpu *c, uint64_t clear)
{
	c->flags &= ~(clear | FL_TF | FL_RF);
	c->irq_inhibit = 0;
}

static void deliver_real(struct cpu *c, int vector)
{
	struct stack s;
	uint32_t entry;

	if ((unsigned)vector * 4 + 3 > c->idt.limit)
		cpu_raise_err(c, EXC_GP, (uint32_t)vector * 8 + 2 + c->exc_ext);
	entry = (uint32_t)mmu_sys_load(c, (uint32_t)(c->idt.base + (unsigned)vector * 4), 4);
	stack_current(c, &s);
	stack_push(c, &s, 2, cpu_eflags(c) & 0xffff);
	stack_push(c, &s, 2, c->seg[S_CS].sel);
	stack_push(c, &s, 2, c->rip);
	stack_commit(c, &s);
	enter_handler(c, FL_IF | FL_AC);
	seg_set_real(c, S_CS, (uint16_t)(entry >> 16));
	c->rip = entry & 0xffff;
	cpu_mode_changed(c);
}

/* ---- protected mode ---- */

struct event {
	int vector;
	bool has_error, soft;
	uint32_t error;
	uint64_t eflags; /* the image to push */
};

static void raise_idt(struct cpu *c, int vector, const struct event *e)
{
	cpu_raise_err(c, vector, (uint32_t)e->vector * 8 + 2 + (c->exc_ext ? 1 : 0));
}

/* Common checks of a gate: visible to INT n, present. */
static void check_gate(struct cpu *c, const struct event *e, uint16_t attr)
{
	if (e->soft && SEG_DPL(attr) < c->cpl)
		raise_idt(c, EXC_GP, e);
	if (!(attr & SEG_P))
		raise_idt(c, EXC_NP, e);
}

/* The handler's code segment; returns its privilege. */
static unsigned check_handler(struct cpu *c, uint16_t sel, struct desc *d)
{
	uint16_t attr;

	if (!(sel & 0xfffc))
		cpu_raise_err(c, EXC_GP, c->exc_ext ? 1 : 0);
	desc_need(c, sel, d, EXC_GP);
	attr = desc_attr(d);
	if (!desc_is_code(attr) || SEG_DPL(attr) > c->cpl)
		raise_sel(c, EXC_GP, sel);
	if (!(attr & SEG_P))
		raise_sel(c, EXC_NP, sel);
	return attr & SEG_CONFORM ? c->cpl : SEG_DPL(attr);
}

static void enter_code(struct cpu *c, uint16_t sel, struct desc *d, unsigned cpl, uint64_t rip)
{
	c->cpl = (uint8_t)cpl;
	seg_set_desc(c, S_CS, (uint16_t)((sel & ~3u) | cpl), d);
	c->rip = rip;
}

static void push_frame(struct cpu *c, struct stack *s, unsigned size, const struct event *e)
{
	stack_push(c, s, size, e->eflags);
	stack_push(c, s, size, c->seg[S_CS].sel);
	stack_push(c, s, size, c->rip);
	if (e->has_error)
		stack_push(c, s, size, e->error);
}

/* To an inner privilege, from v86 mode too: the stack comes from the TSS. */
static void deliver_inner(struct cpu *c, const struct event *e, unsigned size, unsigned cpl,
			  struct stack *s)
{
	bool v86 = c->flags & FL_VM;
	struct desc ssd;
	uint16_t ss;
	uint32_t sp;

	tss_stack(c, cpl, &ss, &sp);
	if (!(ss & 0xfffc))
		raise_sel(c, EXC_TS, ss);
	seg_check_ss(c, ss, cpl, &ssd, EXC_TS);
	stack_from_desc(c, s, ss, &ssd, sp, cpl);
	stack_room(c, s, size * ((v86 ? 9 : 5) + e->has_error));
	if (v86) {
		stack_push(c, s, size, c->seg[S_GS].sel);
		stack_push(c, s, size, c->seg[S_FS].sel);
		stack_push(c, s, size, c->seg[S_DS].sel);
		stack_push(c, s, size, c->seg[S_ES].sel);
	}
	stack_push(c, s, size, c->seg[S_SS].sel);
	stack_push(c, s, size, c->regs[R_RSP]);
	push_frame(c, s, size, e);
	desc_set_accessed(c, ss, &ssd);
	if (v86) {
		seg_set(c, S_GS, 0, 0, 0, 0);
		seg_set(c, S_FS, 0, 0, 0, 0);
		seg_set(c, S_DS, 0, 0, 0, 0);
		seg_set(c, S_ES, 0, 0, 0, 0);
	}
	seg_set_desc(c, S_SS, ss, &ssd);
	c->regs[R_RSP] = sp;
}

static void deliver_gate(struct cpu *c, const struct event *e, const struct desc *gate,
			 unsigned type)
{
	unsigned size = type & 8 ? 4 : 2, cpl;
	uint32_t off = gate->lo & 0xffff;
	uint16_t sel = (uint16_t)(gate->lo >> 16);
	struct stack s;
	struct desc d;

	if (type & 8)
		off |= gate->hi & 0xffff0000u;
	cpl = check_handler(c, sel, &d);
	if ((c->flags & FL_VM) && cpl != 0)
		raise_sel(c, EXC_GP, sel);
	code_check_offset(c, desc_attr(&d), desc_limit(&d), off);
	if (cpl < c->cpl) {
		deliver_inner(c, e, size, cpl, &s);
	} else {
		stack_current(c, &s);
		stack_room(c, &s, size * (3 + e->has_error));
		push_frame(c, &s, size, e);
	}
	desc_set_accessed(c, sel, &d);
	stack_commit(c, &s);
	enter_code(c, sel, &d, cpl, off);
	enter_handler(c, FL_VM | FL_NT | (type & 1 ? 0 : FL_IF));
	cpu_mode_changed(c);
}

static void deliver_protected(struct cpu *c, const struct event *e)
{
	unsigned type;
	struct desc gate;
	uint64_t v;

	if ((unsigned)e->vector * 8 + 7 > c->idt.limit)
		raise_idt(c, EXC_GP, e);
	v = mmu_sys_load(c, (uint32_t)(c->idt.base + (unsigned)e->vector * 8), 8);
	gate = (struct desc){.lo = (uint32_t)v, .hi = (uint32_t)(v >> 32)};
	type = desc_attr(&gate) & (SEG_S | 15);
	if (type != SYS_TASK && type != SYS_INT16 && type != SYS_TRAP16 && type != SYS_INT &&
	    type != SYS_TRAP)
		raise_idt(c, EXC_GP, e);
	check_gate(c, e, desc_attr(&gate));
	if (type == SYS_TASK) {
		c->irq_inhibit = 0;
		task_switch_event(c, task_gate_tss(c, &gate), e->eflags, e->has_error, e->error);
		return;
	}
	deliver_gate(c, e, &gate, type);
}

/* ---- long mode ---- */

static void deliver_long(struct cpu *c, const struct event *e)
{
	uint64_t lin = c->idt.base + (unsigned)e->vector * 16, v, high, rip, rsp;
	unsigned type, cpl, ist;
	struct stack s;
	struct desc d;
	uint16_t sel;

	if ((unsigned)e->vector * 16 + 15 > c->idt.limit)
		raise_idt(c, EXC_GP, e);
	v = mmu_sys_load(c, lin, 8);
	type = (v >> 40) & 0x1f;
	if (type != SYS_INT && type != SYS_TRAP)
		raise_idt(c, EXC_GP, e);
	high = mmu_sys_load(c, lin + 8, 8);
	check_gate(c, e, (v >> 40) & 0xff);
	sel = (uint16_t)(v >> 16);
	ist = (v >> 32) & 7;
	rip = (v & 0xffff) | ((v >> 32) & 0xffff0000u) | high << 32;
	cpl = check_handler(c, sel, &d);
	if ((desc_attr(&d) & (SEG_L | SEG_DB)) != SEG_L)
		raise_sel(c, EXC_GP, sel);

	s = (struct stack){.mask = UINT64_MAX, .supervisor = cpl != 3, .wide = true};
	if (ist)
		rsp = tss_rsp(c, 3 + ist);
	else if (cpl < c->cpl)
		rsp = tss_rsp(c, cpl);
	else
		rsp = c->regs[R_RSP];
	s.sp = rsp & ~15ull;
	stack_push(c, &s, 8, c->seg[S_SS].sel);
	stack_push(c, &s, 8, c->regs[R_RSP]);
	push_frame(c, &s, 8, e);
	if (!is_canonical(rip))
		cpu_raise_err(c, EXC_GP, c->exc_ext ? 1 : 0);
	desc_set_accessed(c, sel, &d);
	if (cpl < c->cpl)
		seg_set(c, S_SS, (uint16_t)cpl, 0, 0, (uint16_t)(cpl << 5));
	c->regs[R_RSP] = s.sp;
	enter_code(c, sel, &d, cpl, rip);
	enter_handler(c, FL_VM | FL_NT | (type == SYS_INT ? FL_IF : 0));
	cpu_mode_changed(c);
}

/* ---- delivery ---- */

static void log_event(const struct cpu *c, const struct event *e, bool hardware)
{
	log_printf(LOG_INT,
		   "cpu %u: %s %#x error %#x at %04x:%016llx cpl %u rsp %016llx cr2 %016llx\n",
		   c->vcpu ? c->vcpu->index : 0,
		   hardware  ? "interrupt"
		   : e->soft ? "int"
			     : "exception",
		   (unsigned)e->vector, e->error, c->seg[S_CS].sel, (unsigned long long)c->rip,
		   c->cpl, (unsigned long long)c->regs[R_RSP], (unsigned long long)c->cr2);
}

void cpu_deliver(struct cpu *c, int vector, bool has_error, uint32_t error, bool soft,
		 bool hardware)
{
	struct event e = {.vector = vector, .has_error = has_error, .soft = soft, .error = error};

	if (log_enabled(LOG_INT))
		log_event(c, &e, hardware);
	c->delivering = soft || hardware ? DELIVER_BENIGN | vector : vector;
	c->exc_ext = !soft;
	c->exc_soft = soft;
	e.eflags = cpu_eflags(c);
	if (hardware && vector == EXC_NMI)
		c->nmi_blocked = true; /* already for what its delivery may fault on */
	if (!soft && !hardware) {
		if (is_fault(vector))
			e.eflags |= FL_RF;
		if (vector == EXC_DB)
			c->dr[7] &= ~(uint64_t)BIT(13); /* GD */
	}
	if (!(c->cr0 & CR0_PE))
		deliver_real(c, vector);
	else if (c->efer & EFER_LMA)
		deliver_long(c, &e);
	else
		deliver_protected(c, &e);
	c->delivering = -1;
	c->exc_ext = false;
	c->halted = false;
	c->cur = NULL;
}

static void shut_down(struct cpu *c)
{
	c->delivering = -1;
	c->exc_ext = false;
	c->shutdown = true;
	cpu_log_state(c, LOG_CPU_RESET, "Triple fault");
	c->halted = true;
	if (c->vcpu)
		vcpu_shutdown(c->vcpu);
}

/* Turns what is pending in exc_* into what is to be delivered; false: triple fault. */
static bool resolve_pending(struct cpu *c)
{
	if (c->delivering == EXC_DF)
		return false;
	if (c->delivering >= 0 && makes_double_fault(c->delivering, c->exc_vector)) {
		c->exc_vector = EXC_DF;
		c->exc_has_error = true;
		c->exc_error = 0;
	}
	return true;
}

void cpu_deliver_pending_exception(struct cpu *c)
{
	sigjmp_buf outer;

	memcpy(&outer, &c->fault_jmp, sizeof(outer));
	/* A fault during the delivery comes back here, and is resolved against it. */
	(void)sigsetjmp(c->fault_jmp, 0);
	if (resolve_pending(c))
		cpu_deliver(c, c->exc_vector, c->exc_has_error, c->exc_error, false, false);
	else
		shut_down(c);
	memcpy(&c->fault_jmp, &outer, sizeof(outer));
}

/* Delivers an external event; what faults meanwhile is delivered too. */
static void deliver_external(struct cpu *c, int vector)
{
	sigjmp_buf outer;

	memcpy(&outer, &c->fault_jmp, sizeof(outer));
	c->stats.interrupts++;
	c->cur = NULL;
	if (!sigsetjmp(c->fault_jmp, 0))
		cpu_deliver(c, vector, false, 0, false, true);
	else
		cpu_deliver_pending_exception(c);
	memcpy(&c->fault_jmp, &outer, sizeof(outer));
}

/* An exception that was set from outside (accel_ops.set_events). */
static void deliver_injected(struct cpu *c)
{
	int vector = c->injected;
	bool soft = vector == EXC_BP || vector == EXC_OF;
	sigjmp_buf outer;

	c->injected = -1;
	memcpy(&outer, &c->fault_jmp, sizeof(outer));
	c->cur = NULL;
	if (vector == EXC_BP)
		c->rip++; /* behind the INT3 */
	if (!sigsetjmp(c->fault_jmp, 0))
		cpu_deliver(c, vector, c->injected_has_error, c->injected_error, soft, false);
	else
		cpu_deliver_pending_exception(c);
	memcpy(&c->fault_jmp, &outer, sizeof(outer));
}

/* While one is handled, one more is held; so of two at once the second comes after the first one's IRET. */
void cpu_nmi(struct cpu *c)
{
	if (c->nmi_pending < (c->nmi_blocked ? 1 : 2))
		c->nmi_pending++;
	__atomic_store_n(&c->exit_request, 1, __ATOMIC_RELAXED);
}

bool cpu_take_interrupt(struct cpu *c)
{
	int vector;

	if (c->wait_sipi)
		return false;
	if (unlikely(c->injected >= 0)) {
		deliver_injected(c);
		return true;
	}
	if (unlikely(c->debug.step && c->debug.block_irq) && !c->halted)
		return false;
	if (c->irq_inhibit) {
		c->irq_waiting = 1;
		return false;
	}
	if (c->nmi_pending && !c->nmi_blocked) {
		c->nmi_pending--;
		deliver_external(c, EXC_NMI);
		return true;
	}
	if (!c->lapic || !lapic_has_interrupt(c->lapic)) {
		c->irq_waiting = 0;
		return false;
	}
	if (!(c->flags & FL_IF)) {
		c->irq_waiting = 1;
		return false;
	}
	c->irq_waiting = 0;
	vector = lapic_ack_interrupt(c->lapic);
	if (vector < 0)
		return false;
	deliver_external(c, vector);
	return true;
}

/* ---- INT n ---- */

void excp_software(struct cpu *c, int vector, uint64_t next_rip, bool int1)
{
	bool stepping = c->mode & MODE_ONE;

	if ((c->flags & FL_VM) && !int1 && vector != EXC_BP && vector != EXC_OF &&
	    (c->flags & FL_IOPL) != FL_IOPL)
		cpu_raise_err(c, EXC_GP, 0);
	if (unlikely(c->debug.sw_breakpoints) && vector == EXC_BP) {
		cpu_sync_rip(c);
		cpu_debug_stop(c, DEBUG_SW_BREAK, c->regs[R_CSBASE] + c->rip);
	}
	/* A fault on the way is the instruction's own: c->cur brings rip back. */
	c->rip = next_rip;
	/* INT1 is no INT n: the gate's DPL doesn't matter, and breakpoints that MOV SS has held back come with it. */
	if (int1) {
		if (c->db_pending)
			c->dr[6] = (c->dr[6] & ~0xfull) | c->db_pending;
		c->db_pending = 0;
		c->dr[7] &= ~(uint64_t)BIT(13); /* GD */
	}
	cpu_deliver(c, vector, false, 0, !int1, int1);
	c->step_done = stepping;
}
