/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts by eventfd: for those who serve a device from somewhere else than the loop thread (the kernel, a thread, another process).
 * The accelerator takes what is written, without evmm, where it can; else the loop does. What the guest sees is the same.
 *
 * A level-triggered one raises its GSI when it is written. At the guest's EOI (KVM's IOAPIC: also when a pin is unmasked, and whenever
 * else it wants to know) it is lowered, and its owner told: if what wanted the interrupt still does, the owner writes again.
 *
 * A device on the loop thread has no use for any of this: irq_set and msi_send are one system call at most.
 *
 * Loop thread, but for writing fd.
 */
#ifndef EVMM_IRQFD_H
#define EVMM_IRQFD_H

#include "src/accel.h"
#include "src/irq.h"
#include "src/list.h"
#include "src/loop.h"

struct machine;

struct irqfd {
	struct machine *m;
	int fd; /* 8 bytes written to it are an interrupt, or several that are one */
	loop_fn *on_eoi;
	void *opaque;

	struct accel_irqfd accel;
	bool direct;			/* the accelerator has it */
	bool has_written, has_resample; /* the notifiers that are in use */
	struct loop_notifier written;	/* fd, when it is the loop's to look at */
	struct loop_notifier resample;
	struct irq line;
	struct list node; /* machine->irqfds: those with a GSI that the loop drives */
};

/* Q is the caller's, and stays where it is until irqfd_fini. ON_EOI is called on the loop. */
bool irqfd_init_level(struct irqfd *q, struct machine *m, unsigned gsi, loop_fn *on_eoi,
		      void *opaque, struct error *err);
bool irqfd_init_msi(struct irqfd *q, struct machine *m, uint64_t addr, uint32_t data,
		    struct error *err);
/* What it sends from now on. */
bool irqfd_set_msi(struct irqfd *q, uint64_t addr, uint32_t data, struct error *err);
void irqfd_fini(struct irqfd *q);

/* For interrupt controllers on the loop: a level-triggered interrupt of GSI has ended. */
void irqfds_eoi(struct machine *m, unsigned gsi);

#endif
