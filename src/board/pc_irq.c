/* SPDX-License-Identifier: BSD-2-Clause */
/* A PC's interrupt wiring. */
#include "devices/chipset/chipset.h"
#include "src/board/pc_irq.h"

#define ISA_IRQS	 16
#define GSI_TIMER	 0
#define GSI_CASCADE	 2
#define IOAPIC_PIN_TIMER 2

static void on_gsi(void *opaque, unsigned gsi, bool level)
{
	struct pc_irq *irqs = opaque;

	if (gsi == GSI_CASCADE || !irqs->machine->vcpus)
		return; /* no vCPUs: the machine is being taken apart */
	if (gsi < ISA_IRQS && irqs->pic)
		i8259_set_irq(irqs->pic, gsi, level);
	ioapic_set_irq(irqs->ioapic, gsi == GSI_TIMER ? IOAPIC_PIN_TIMER : gsi, level);
}

static void on_kernel_gsi(void *opaque, unsigned gsi, bool level)
{
	struct pc_irq *irqs = opaque;

	if (gsi == GSI_CASCADE || !irqs->machine->vcpus)
		return;
	if (gsi < ISA_IRQS)
		kernel_i8259_note_irq(irqs->pic, gsi, level);
	kernel_ioapic_note_irq(irqs->ioapic, gsi == GSI_TIMER ? IOAPIC_PIN_TIMER : gsi, level);
	irqs->machine->accel->gsi_set(irqs->machine, gsi, level);
}

static void on_intr(void *opaque, unsigned n, bool level)
{
	struct machine *m = opaque;

	m->accel->set_intr(m, level);
}

bool pc_irq_create_some(struct pc_irq *irqs, struct machine *m, bool pic, bool pit,
			struct error *err)
{
	bool kernel = m->accel->irqchip && m->accel->irqchip(m) == IRQCHIP_KERNEL;

	irqs->machine = m;
	for (unsigned gsi = 0; gsi < MACHINE_GSIS; gsi++)
		irq_connect(&m->gsi[gsi], kernel ? on_kernel_gsi : on_gsi, irqs, gsi);
	if (kernel && (!pic || !pit))
		return error_set(
			err,
			"-machine %s=off: the kernel's interrupt controllers come with one; "
			"kernel-irqchip=split has none of its own",
			pic ? "pit" : "pic");
	if (kernel) {
		irqs->pic = device_create_builtin(m, &kernel_i8259_type);
		irqs->ioapic = device_create_builtin(m, &kernel_ioapic_type);
		device_create_builtin(m, &kernel_pit_type);
		return true;
	}
	if (pic) {
		irqs->pic = device_create_builtin(m, &i8259_type);
		irq_connect(i8259_intr(irqs->pic), on_intr, m, 0);
		m->intack = i8259_intack;
		m->intack_opaque = irqs->pic;
	}
	irqs->ioapic = device_create_builtin(m, &ioapic_type);
	m->eoi_broadcast = ioapic_eoi;
	m->eoi_opaque = irqs->ioapic;
	if (pit)
		irqs->pit = device_create_builtin(m, &i8254_type);
	return true;
}

void pc_irq_create(struct pc_irq *irqs, struct machine *m)
{
	pc_irq_create_some(irqs, m, true, true, NULL);
}
