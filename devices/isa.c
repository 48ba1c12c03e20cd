/* SPDX-License-Identifier: BSD-2-Clause */
/* ISA: ports and interrupt lines. */
#include "devices/isa.h"

#define ISA_PORTS	0x10000
#define ISA_IRQ_CASCADE 2

bool isa_connect_irq(struct device *dev, struct irq *irq, unsigned n, struct error *err)
{
	if (n >= ISA_IRQS || n == ISA_IRQ_CASCADE)
		return error_set(err, "%s: there is no ISA interrupt line %u", dev->type->name, n);
	machine_share_gsi(dev->machine, irq, n);
	return true;
}

void isa_disconnect_irq(struct irq *irq)
{
	irq_lower(irq);
	irq->fn = NULL;
}

bool isa_add_ports(struct device *dev, struct region *r, uint64_t port, struct error *err)
{
	if (port >= ISA_PORTS || r->size > ISA_PORTS - port)
		return error_set(err, "%s: ports from 0x%llx do not fit in the I/O space",
				 dev->type->name, (unsigned long long)port);
	region_add(&dev->machine->io.root, port, r, 0);
	return true;
}
