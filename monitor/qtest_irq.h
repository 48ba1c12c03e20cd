/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt lines as a test sees them: those of one device are watched, and inputs can be set. For monitor/qtest.c only. */
#ifndef EVMM_QTEST_IRQ_H
#define EVMM_QTEST_IRQ_H

#include "src/machine.h"

/* Told of each change. */
typedef void qtest_irq_fn(void *opaque, unsigned n, bool level);

struct qtest_irqs {
	qtest_irq_fn *changed;
	void *opaque;
	struct device *in; /* whose inputs are watched; NULL: none */
	struct irq *out;   /* an output that is watched, and what it was connected to */
	struct irq connected;
	uint32_t levels;
};

/*
 * The device that PATH means: its id, or its type's name, or that of QEMU's object ("ioapic", "i8259"), alone or as the last
 * part of a path. NULL with ERR.
 */
struct device *qtest_find_device(struct machine *m, const char *path, struct error *err);
bool qtest_intercept_in(struct qtest_irqs *q, struct device *dev, struct error *err);
bool qtest_intercept_out(struct qtest_irqs *q, struct device *dev, struct error *err);
void qtest_intercept_end(struct qtest_irqs *q);
bool qtest_set_irq_in(struct device *dev, uint64_t n, bool level, struct error *err);

#endif
