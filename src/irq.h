/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt lines. A device has output lines (struct irq); a controller or a board gives each a handler.
 * Loop thread only. A line remembers its level, so that raising a raised line does nothing.
 */
#ifndef EVMM_IRQ_H
#define EVMM_IRQ_H

#include "src/util.h"

typedef void irq_fn(void *opaque, unsigned n, bool level);

struct irq {
	irq_fn *fn; /* NULL: not connected */
	void *opaque;
	unsigned n;
	bool level;
};

static inline void irq_connect(struct irq *irq, irq_fn *fn, void *opaque, unsigned n)
{
	irq->fn = fn;
	irq->opaque = opaque;
	irq->n = n;
}

static inline void irq_set(struct irq *irq, bool level)
{
	if (irq->level == level)
		return;
	irq->level = level;
	if (irq->fn)
		irq->fn(irq->opaque, irq->n, level);
}

static inline void irq_raise(struct irq *irq)
{
	irq_set(irq, true);
}

static inline void irq_lower(struct irq *irq)
{
	irq_set(irq, false);
}

static inline void irq_pulse(struct irq *irq)
{
	irq_set(irq, true);
	irq_set(irq, false);
}

#endif
