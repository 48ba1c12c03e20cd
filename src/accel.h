/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The accelerators behind one table: the only door between the machine and what executes guest code.
 */
#ifndef EVMM_ACCEL_H
#define EVMM_ACCEL_H

#include "src/error.h"
#include "src/memory.h"

struct machine;
struct vcpu;

/* Registers as the boot loaders, the monitor and a debugger see them. */
struct x86_segment {
	uint16_t selector;
	uint64_t base;
	uint32_t limit; /* bytes, expanded */
	uint8_t type;	/* descriptor type, 4 bits */
	bool s, present, avl, l, db, g;
	uint8_t dpl;
};

struct x86_regs {
	uint64_t gpr[16]; /* rax rcx rdx rbx rsp rbp rsi rdi r8..r15 */
	uint64_t rip, rflags;
	struct x86_segment es, cs, ss, ds, fs, gs, ldt, tr;
	uint64_t gdt_base, idt_base;
	uint16_t gdt_limit, idt_limit;
	uint64_t cr0, cr2, cr3, cr4, cr8, efer;
	uint64_t dr[8];
};

struct accel_ops {
	const char *name;
	const char *alias; /* or NULL */
	const char *desc;
	bool no_vcpus; /* the machine is built without processors; vcpu_* are never called */
	/* Once, after the command line is parsed and RAM exists; m->accel_state is the accelerator's. */
	bool (*init)(struct machine *m, struct error *err);
	void (*fini)(struct machine *m);
	/* -cpu MODEL[,+f,-f,k=v]; NULL model: the default. "help" and "?" are handled before, by cpu_help. */
	bool (*set_cpu_model)(struct machine *m, const char *arg, struct error *err);
	void (*cpu_help)(void);
	/* After set_cpu_model: do the CPUs have long mode? NULL: yes. */
	bool (*has_long_mode)(struct machine *m);
	bool (*vcpu_init)(struct vcpu *v, struct error *err);
	void (*vcpu_fini)(struct vcpu *v);
	/* vCPU thread: runs guest code and serves v->requests until VCPU_REQ_EXIT. */
	void (*vcpu_run)(struct vcpu *v);
	/* Any thread: leave guest code soon; v->requests is already set. */
	void (*kick)(struct vcpu *v);
	/* Loop thread, vCPU parked (or not started): power-on/INIT state of the processor and its local APIC. */
	void (*vcpu_reset)(struct vcpu *v);
	void (*get_regs)(struct vcpu *v, struct x86_regs *regs);
	void (*set_regs)(struct vcpu *v, const struct x86_regs *regs);
	/* Any thread: an MSI or IOAPIC message, address and data as on the bus (SDM 3A 11.11). */
	void (*msi_send)(struct machine *m, uint64_t addr, uint32_t data);
	/* Loop thread: level of the 8259's INTR output, wired to LINT0 of the boot processor. */
	void (*set_intr)(struct machine *m, bool level);
	/* Loop thread: NMI to a vCPU. */
	void (*inject_nmi)(struct vcpu *v);
	/* Loop thread: a new memory or port view was published. */
	void (*memory_changed)(struct machine *m);
	/* Loop thread: a device wrote guest RAM. */
	void (*ram_written)(struct machine *m, gpa_t gpa, uint64_t bytes);
};

extern const struct accel_ops accel_soft; /* src/cpu/soft.c */
extern const struct accel_ops
	accel_none; /* no CPU at all: device tests drive the machine (src/accel.c) */

/* m->accel_state of accel_none: what would have reached processors. */
struct accel_none_log {
	bool intr;	/* level of the 8259's output */
	unsigned n_msi; /* all there were; the last ones are in msi[n % 64] */
	struct {
		uint64_t addr;
		uint32_t data;
	} msi[64];
	unsigned memory_changes;
	uint64_t ram_written_bytes;
};

/*
 * NAME is what -accel asks for, several separated by colons: the first that works, with a warning for each before
 * it. NULL is the default rule: KVM where hardware virtualization is really there, else soft, with one line on
 * stderr saying which and why. NULL with ERR (which names no option) when none works.
 */
const struct accel_ops *accel_select(const char *name, struct error *err);
/* -accel help */
void accel_list(void);

/* Registers as text, for -d and the monitor; several lines. The caller frees it. */
char *x86_regs_format(const struct x86_regs *r);

#endif
