/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the system side's files share: descriptors, stacks of gates, control transfers. Private to seg.c, excp.c, task.c,
 * sys*.c, translate_sys.c.
 *
 * All of these run on the vCPU thread within an instruction or a delivery and leave by cpu_raise*() on a fault. State
 * changes only after the last access that may fault, but for memory already written.
 */
#ifndef EVMM_CPU_SYS_H
#define EVMM_CPU_SYS_H

#include "src/cpu/cpuid.h"
#include "src/cpu/flags.h"
#include "src/cpu/mmu.h"

/* ---- seg.c: descriptors ---- */

/* Types of system descriptors (SDM 3A, table 3-2) */
enum {
	SYS_TSS16 = 1,
	SYS_LDT = 2,
	SYS_TSS16_BUSY = 3,
	SYS_CALL16 = 4,
	SYS_TASK = 5,
	SYS_INT16 = 6,
	SYS_TRAP16 = 7,
	SYS_TSS = 9,
	SYS_TSS_BUSY = 11,
	SYS_CALL = 12,
	SYS_INT = 14,
	SYS_TRAP = 15,
};

struct desc {
	uint32_t lo, hi;
};

static inline uint16_t desc_attr(const struct desc *d)
{
	return (d->hi >> 8) & 0xf0ff;
}

static inline uint32_t desc_base(const struct desc *d)
{
	return (d->lo >> 16) | ((d->hi & 0xff) << 16) | (d->hi & 0xff000000u);
}

static inline uint32_t desc_limit(const struct desc *d)
{
	uint32_t limit = (d->lo & 0xffff) | (d->hi & 0xf0000);

	return d->hi & BIT(23) ? (limit << 12) | 0xfff : limit;
}

static inline bool desc_is_code(uint16_t attr)
{
	return (attr & (SEG_S | SEG_CODE)) == (SEG_S | SEG_CODE);
}

static inline bool desc_is_data(uint16_t attr)
{
	return (attr & (SEG_S | SEG_CODE)) == SEG_S;
}

/* False when the selector is null or outside its table. */
bool desc_fetch(struct cpu *c, uint16_t sel, struct desc *d);
/* Raises VECTOR(sel) when that. */
void desc_need(struct cpu *c, uint16_t sel, struct desc *d, int vector);
/* The high half of a 16-byte system descriptor; #GP(sel) when outside the table or its type bits aren't 0. */
uint32_t desc_fetch_high(struct cpu *c, uint16_t sel);
void desc_set_accessed(struct cpu *c, uint16_t sel, struct desc *d);
/* Marks a TSS descriptor busy or not. */
void desc_set_busy(struct cpu *c, uint16_t sel, bool busy);

/* Raises VECTOR with the selector as error code, and EXT when an event is being delivered. */
void raise_sel(struct cpu *c, int vector, uint16_t sel) __attribute__((noreturn, cold));

static inline bool is_real_or_v86(const struct cpu *c)
{
	return !(c->cr0 & CR0_PE) || (c->flags & FL_VM);
}

static inline bool is_canonical(uint64_t a)
{
	return (uint64_t)((int64_t)(a << 16) >> 16) == a;
}

/* Puts a segment register and its base slot. */
void seg_set(struct cpu *c, int s, uint16_t sel, uint64_t base, uint32_t limit, uint16_t attr);
void seg_set_desc(struct cpu *c, int s, uint16_t sel, const struct desc *d);
/* As in real mode: the base from the selector. */
void seg_set_real(struct cpu *c, int s, uint16_t sel);
/* As in virtual-8086 mode: base, limit 64 KiB, DPL 3. */
void seg_set_v86(struct cpu *c, int s, uint16_t sel);
/* MOV, POP, LDS...: data segments and SS in any mode. cpu_mode_changed is the caller's. */
void seg_load(struct cpu *c, int s, uint16_t sel);
/* SS for privilege CPL, from TS or a return: raises VECTOR(sel), or #SS(sel) when not present. */
void seg_check_ss(struct cpu *c, uint16_t sel, unsigned cpl, struct desc *d, int vector);
/* After a return to an outer privilege: data segments that it may not use become null. */
void seg_drop_inner(struct cpu *c);
void seg_load_ldt(struct cpu *c, uint16_t sel);
void seg_load_tr(struct cpu *c, uint16_t sel);
/* LAR, LSL: true and the value when the selector is visible. */
bool seg_lar(struct cpu *c, uint16_t sel, uint32_t *value);
bool seg_lsl(struct cpu *c, uint16_t sel, uint32_t *value);
bool seg_verify(struct cpu *c, uint16_t sel, bool write);
bool seg_allows(struct cpu *c, int s, uint32_t offset, unsigned size);
/* #GP/#SS unless SIZE bytes at OFFSET lie in segment S (not for 64-bit mode). */
void seg_check(struct cpu *c, int s, uint32_t offset, unsigned size, bool write);

/* ---- seg.c: stacks that gates, interrupts and returns use ---- */

struct stack {
	uint64_t base, sp, mask;
	uint32_t limit;
	uint16_t attr;
	uint16_t error; /* of its #SS */
	bool supervisor;
	bool wide; /* 64-bit: no limit, canonical addresses */
};

void stack_current(struct cpu *c, struct stack *s);
/* From descriptor D of selector SEL, as it will be for privilege CPL. */
void stack_from_desc(struct cpu *c, struct stack *s, uint16_t sel, const struct desc *d,
		     uint64_t sp, unsigned cpl);
void stack_push(struct cpu *c, struct stack *s, unsigned size, uint64_t value);
uint64_t stack_pop(struct cpu *c, struct stack *s, unsigned size);
/* Raises #SS unless BYTES can be pushed. */
void stack_room(struct cpu *c, const struct stack *s, unsigned bytes);
/* Puts SP back into RSP by the stack's width. */
void stack_commit(struct cpu *c, const struct stack *s);

/* SS:SP for privilege CPL out of the current TSS. #TS when outside it. */
void tss_stack(struct cpu *c, unsigned cpl, uint16_t *ss, uint32_t *sp);
/* RSPn (0-2) or ISTn (3 + 1..7) of a 64-bit TSS. */
uint64_t tss_rsp(struct cpu *c, unsigned n);

/* ---- sys_far.c ---- */

/* Offset OFF in code segment attr/limit: #GP(0) when outside. */
void code_check_offset(struct cpu *c, uint16_t attr, uint32_t limit, uint64_t off);
void far_jump(struct cpu *c, uint16_t sel, uint64_t off, unsigned opsize);
void far_call(struct cpu *c, uint16_t sel, uint64_t off, unsigned opsize, uint64_t next_rip);
void far_return(struct cpu *c, unsigned opsize, unsigned release);
void far_iret(struct cpu *c, unsigned opsize);

/* ---- task.c ---- */

enum task_why { TASK_JUMP, TASK_CALL, TASK_IRET };
/* NEXT_RIP: where the old task will go on. The caller has checked the privilege of gate or TSS descriptor. */
void task_switch(struct cpu *c, uint16_t sel, enum task_why why, uint64_t next_rip);
/* From the IDT, with EFLAGS as the old task's image: pushes the error code on the new task's stack. */
void task_switch_event(struct cpu *c, uint16_t sel, uint64_t eflags, bool has_error,
		       uint32_t error);
/* Checks a task gate's TSS selector: #GP, #NP. */
uint16_t task_gate_tss(struct cpu *c, const struct desc *gate);

/* ---- excp.c ---- */

/* INT n, INT3, INTO, INT1 from the instruction that c->cur is; NEXT_RIP goes on the stack. */
void excp_software(struct cpu *c, int vector, uint64_t next_rip, bool int1);
/* The checks of a port access of SIZE bytes: IOPL or the permission bitmap; #GP(0). */
void io_check(struct cpu *c, uint16_t port, unsigned size);

/* ---- sys.c, sys_msr.c ---- */

void sys_set_cr0(struct cpu *c, uint64_t value);
void sys_set_cr3(struct cpu *c, uint64_t value);
void sys_set_cr4(struct cpu *c, uint64_t value);
/* Flags by POPF's and IRET's rules come as MASK. */
void sys_write_flags(struct cpu *c, uint64_t value, uint64_t mask);
bool msr_read(struct cpu *c, uint32_t index, uint64_t *value);
bool msr_write(struct cpu *c, uint32_t index, uint64_t value);
/* Power-on values of MSRs. */
void msr_reset(struct cpu *c, bool init);

#endif
