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
struct irqchips;

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

/*
 * The rest of a processor's state. Who restores a whole processor does it in this order: regs, fpu, msrs, lapic, events.
 */

/* x87, SSE and whatever else XCR0 names, as XSAVE lays it out in the standard form (SDM 1, 13.4). */
#define X86_XSAVE_MIN	576   /* legacy region and header: always there */
#define X86_XSAVE_BYTES 16384 /* more than any processor has */
struct x86_fpu {
	uint64_t xcr0;
	uint32_t bytes; /* of XSAVE that mean something */
	uint8_t xsave[X86_XSAVE_BYTES] __attribute__((aligned(64)));
};

struct x86_msr {
	uint32_t index;
	uint64_t value;
};

/* The local APIC's registers at their xAPIC offsets (SDM 3A, table 11-1), 32 bits of every 16 bytes; the base and the TSC deadline are MSRs. */
struct x86_lapic {
	uint8_t regs[1024];
};

#define X86_SHADOW_STI	  1
#define X86_SHADOW_MOV_SS 2

/* What is under way between two instructions. */
struct x86_events {
	struct {
		bool injected; /* will be delivered first thing; for vector 3 the INT3 at rip is what raised it */
		bool pending; /* raised, and not yet past the point where a hypervisor of the guest's own may take it */
		bool has_error, has_payload;
		uint8_t vector;
		uint32_t error;
		uint64_t payload; /* CR2 or DR6 to come with it */
	} exception;
	struct {
		bool injected, soft;
		uint8_t vector;
	} interrupt;
	struct {
		bool injected, masked;
		uint8_t pending; /* how many */
	} nmi;
	struct {
		bool smm, pending, inside_nmi, latched_init;
	} smi;
	uint8_t shadow; /* X86_SHADOW_*: over the next instruction */
	bool halted;
	bool wait_sipi; /* after INIT */
	bool sipi_pending;
	uint8_t sipi_vector;
};

/* ---- a debugger's wishes and what comes of them ---- */

enum debug_reason {
	DEBUG_NONE,
	DEBUG_STEP,	/* the one instruction has been executed */
	DEBUG_SW_BREAK, /* an INT3, not executed: rip is its address */
	DEBUG_HW_BREAK, /* about to execute what a breakpoint is on: rip is its address */
	DEBUG_WATCH,	/* what a watchpoint is on was accessed by the instruction before rip */
};

enum debug_kind { DEBUG_ON_EXEC, DEBUG_ON_WRITE, DEBUG_ON_ACCESS };

#define DEBUG_HW_MAX 4

/* The guest doesn't see any of it; its own debug registers have no effect while N_HW is not 0. */
struct guest_debug {
	bool step;	/* stop after one instruction */
	bool block_irq; /* ... which an interrupt doesn't come before, as far as the accelerator can */
	bool sw_breakpoints; /* INT3 is a stop instead of an exception of the guest's */
	unsigned n_hw;
	struct {
		uint64_t addr;
		enum debug_kind kind;
		uint8_t len; /* 1, 2, 4, 8; ADDR is aligned to it. 1 for EXEC */
	} hw[DEBUG_HW_MAX];
};

/* Why and where the machine has stopped (RUN_DEBUG). */
struct debug_stop {
	struct vcpu *vcpu;
	enum debug_reason reason;
	uint64_t addr;	      /* of the instruction; WATCH: of the watchpoint that was hit */
	enum debug_kind kind; /* WATCH */
};

/* Who notes what guests write to regions with a dirty log (src/dirty_log.h). */
enum dirty_logging {
	DIRTY_UNKNOWN,	 /* nobody: any page may have been written */
	DIRTY_BY_LOOP,	 /* there are no processors */
	DIRTY_BY_VCPUS,	 /* each vCPU, and serves VCPU_REQ_DIRTY */
	DIRTY_BY_KERNEL, /* dirty_sync asks it */
};

/* Who has the interrupt controllers. */
enum irqchip {
	IRQCHIP_NONE, /* the board all but the local APICs; those are the accelerator's in any case */
	IRQCHIP_SPLIT, /* the same, but the accelerator wants to be told what the IOAPIC would send */
	IRQCHIP_KERNEL, /* the accelerator: 8259s, IOAPIC and 8254; the board hands it its GSIs */
};

/* An eventfd that raises an interrupt without evmm. Its owner's; the first fields are set by it. */
struct accel_irqfd {
	int fd;		 /* who writes it raises the interrupt */
	int resample_fd; /* -1, or for a level-triggered GSI: is written at its EOI, and lowers it until FD is written again */
	bool msi;	 /* an MSI, else a GSI */
	unsigned gsi;
	uint64_t addr;
	uint32_t data;
	int route; /* the accelerator's */
};

/* Something that is counted for a vCPU. */
struct accel_stat {
	const char *name;
	uint64_t value;
};

#define ACCEL_STATS_MAX 16

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
	/* The I-th of the models of -cpu; false when there are no more. NULL: there are none. */
	bool (*cpu_model)(unsigned i, const char **name, const char **desc);
	/* FN for each feature that a model can have, and whether this one has it. False: there is no model of that name. */
	bool (*cpu_model_features)(const char *model,
				   void (*fn)(void *opaque, const char *feature, bool on),
				   void *opaque);
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
	/*
	 * Loop thread, vCPU parked (or not started), all of these. What the processor doesn't have reads as its reset state and is
	 * ignored when set.
	 */
	void (*get_fpu)(struct vcpu *v, struct x86_fpu *fpu);
	bool (*set_fpu)(struct vcpu *v, const struct x86_fpu *fpu, struct error *err);
	/* Every MSR that holds state. The caller frees the array. */
	struct x86_msr *(*get_msrs)(struct vcpu *v, unsigned *n);
	/* In the order given. False: the first that the processor refuses is named. */
	bool (*set_msrs)(struct vcpu *v, const struct x86_msr *msrs, unsigned n, struct error *err);
	void (*get_lapic)(struct vcpu *v, struct x86_lapic *lapic);
	bool (*set_lapic)(struct vcpu *v, const struct x86_lapic *lapic, struct error *err);
	void (*get_events)(struct vcpu *v, struct x86_events *events);
	bool (*set_events)(struct vcpu *v, const struct x86_events *events, struct error *err);
	/*
	 * Loop thread, vCPU parked: from now on, until set anew (all zero: nothing). Stops are reported through
	 * machine->on_debug_stop. False: ERR says what this accelerator or host can't.
	 */
	bool (*set_guest_debug)(struct vcpu *v, const struct guest_debug *debug, struct error *err);
	/* Loop thread, vCPU parked: what it has counted, at most ACCEL_STATS_MAX; how many. NULL: nothing is counted. */
	unsigned (*get_stats)(struct vcpu *v, struct accel_stat *stats);
	/*
	 * Loop thread, all vCPUs parked; NULL: software breakpoints are INT3s in memory. From now on every vCPU stops before the
	 * instruction at any of these linear addresses, with DEBUG_SW_BREAK, whatever is in memory there. The guest sees none of it.
	 */
	void (*set_breakpoints)(struct machine *m, const uint64_t *addrs, unsigned n);
	/* What CPUID says with LEAF: eax, ebx, ecx, edx. NULL: there are no processors. */
	void (*cpuid)(struct vcpu *v, uint32_t leaf, uint32_t out[4]);
	/* Any thread: an MSI or IOAPIC message, address and data as on the bus (SDM 3A 11.11). */
	void (*msi_send)(struct machine *m, uint64_t addr, uint32_t data);
	/* NULL: IRQCHIP_NONE. After init. */
	enum irqchip (*irqchip)(const struct machine *m);
	/* Loop thread, IRQCHIP_KERNEL: level of a GSI. */
	void (*gsi_set)(struct machine *m, unsigned gsi, bool level);
	/* Loop thread, IRQCHIP_KERNEL: the 8254's interrupt is the HPET's now, or its own again. */
	void (*pit_replaced)(struct machine *m, bool replaced);
	/* Loop thread, IRQCHIP_KERNEL: the 8254's ticks that the guest had no time for follow, or are dropped. */
	bool (*pit_reinject)(struct machine *m, bool reinject, struct error *err);
	/*
	 * Loop thread, IRQCHIP_KERNEL, vCPUs parked: the registers of those chips (src/irqchip.h) that the bits of WHICH name, which were
	 * checked before they are set. What a chip of the accelerator's doesn't have reads as 0 and is ignored when set.
	 */
	void (*get_chips)(struct machine *m, unsigned which, struct irqchips *chips);
	bool (*set_chips)(struct machine *m, unsigned which, const struct irqchips *chips,
			  struct error *err);
	/* Loop thread, IRQCHIP_SPLIT: what a pin of the IOAPIC sends from now on; MASKED: nothing. */
	void (*ioapic_route)(struct machine *m, unsigned pin, uint64_t addr, uint32_t data,
			     bool masked);
	/* Loop thread. NULL: it has no such thing, the owner watches its eventfd and sends what is to be sent itself. */
	bool (*irqfd_add)(struct machine *m, struct accel_irqfd *irqfd, struct error *err);
	bool (*irqfd_update)(struct machine *m, struct accel_irqfd *irqfd, struct error *err);
	void (*irqfd_remove)(struct machine *m, struct accel_irqfd *irqfd);
	/* Loop thread, all vCPUs parked; may be NULL: the machine stands still from here on, or goes on. */
	void (*clock_paused)(struct machine *m, bool paused);
	/* Loop thread: level of the 8259's INTR output, wired to LINT0 of the boot processor. */
	void (*set_intr)(struct machine *m, bool level);
	/* Loop thread: NMI to a vCPU. */
	void (*inject_nmi)(struct vcpu *v);
	/* Loop thread: a new memory or port view was published. */
	void (*memory_changed)(struct machine *m);
	enum dirty_logging dirty_logging;
	/* Loop thread: marks in LOG what was written since the last call, which is noted anew from here on. */
	void (*dirty_sync)(struct machine *m, struct dirty_log *log);
	/* Loop thread: a device wrote guest RAM. */
	void (*ram_written)(struct machine *m, gpa_t gpa, uint64_t bytes);
};

extern const struct accel_ops accel_kvm;  /* src/kvm/kvm.c */
extern const struct accel_ops accel_soft; /* src/cpu/soft.c */
extern const struct accel_ops
	accel_qtest; /* no CPU at all: tests drive the devices (src/accel_qtest.c) */

/* m->accel_state of accel_qtest: what would have reached processors. */
struct accel_qtest_log {
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
/* Can KVM be had, with hardware virtualization? Else why not and what can be done about it (kvm.c). The caller frees it; NULL: yes. */
char *kvm_why_not(void);
/* -accel help */
void accel_list(void);
/* Is there one of that name in this build? */
bool accel_exists(const char *name);

/* Registers as text, for -d and the monitor; several lines. The caller frees it. */
char *x86_regs_format(const struct x86_regs *r);

#endif
