/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt lines of the interrupt controllers, for tests. */
#include "monitor/qtest_irq.h"
#include "devices/chipset/chipset.h"

/* Devices with interrupt inputs of their own. Others raise a GSI of the board, and are watched where those arrive. */
static const struct controller {
	const struct device_type *type;
	unsigned inputs;
	void (*set)(void *opaque, unsigned n, bool level);
	struct irq *(*output)(struct device *dev); /* NULL: messages, no line */
} controllers[] = {
	{&ioapic_type, 24, ioapic_set_irq, NULL},
	{&i8259_type, 16, i8259_set_irq, i8259_intr},
};

static const struct controller *controller_of(const struct device *dev)
{
	for (unsigned i = 0; i < ARRAY_SIZE(controllers); i++)
		if (dev->type == controllers[i].type)
			return &controllers[i];
	return NULL;
}

struct device *qtest_find_device(struct machine *m, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (!strcmp(name, "i8259") || !strcmp(name, "pic"))
		name = i8259_type.name;
	list_for_each(it, &m->devices) {
		struct device *dev = list_entry(it, struct device, node);

		if ((dev->id && !strcmp(dev->id, name)) || !strcmp(dev->type->name, name) ||
		    (dev->type->alias && !strcmp(dev->type->alias, name)))
			return dev;
	}
	error_set(err, "Unknown device '%s'", path);
	return NULL;
}

static void changed(struct qtest_irqs *q, unsigned n, bool level)
{
	if (!!(q->levels & BIT(n)) == level)
		return;
	q->levels ^= BIT(n);
	q->changed(q->opaque, n, level);
}

static void on_input(void *opaque, unsigned n, bool level)
{
	changed(opaque, n, level);
}

static void on_output(void *opaque, unsigned n, bool level)
{
	struct qtest_irqs *q = opaque;

	if (q->connected.fn)
		q->connected.fn(q->connected.opaque, q->connected.n, level);
	changed(q, 0, level);
}

static bool may_intercept(struct qtest_irqs *q, const struct device *dev, struct error *err)
{
	if (!q->in && !q->out)
		return true;
	if (q->in == dev)
		return true;
	return error_set(err, "IRQ intercept already enabled");
}

bool qtest_intercept_in(struct qtest_irqs *q, struct device *dev, struct error *err)
{
	if (!may_intercept(q, dev, err))
		return false;
	if (!controller_of(dev))
		return error_set(err, "%s has no interrupt inputs", dev->type->name);
	q->in = dev;
	dev->irq_tap = on_input;
	dev->irq_tap_opaque = q;
	return true;
}

bool qtest_intercept_out(struct qtest_irqs *q, struct device *dev, struct error *err)
{
	const struct controller *c = controller_of(dev);

	if (!may_intercept(q, NULL, err))
		return false;
	if (!c || !c->output)
		return error_set(err, "%s has no interrupt outputs", dev->type->name);
	q->out = c->output(dev);
	q->connected = *q->out;
	irq_connect(q->out, on_output, q, 0);
	return true;
}

void qtest_intercept_end(struct qtest_irqs *q)
{
	if (q->in)
		q->in->irq_tap = NULL;
	if (q->out)
		irq_connect(q->out, q->connected.fn, q->connected.opaque, q->connected.n);
	q->in = NULL;
	q->out = NULL;
	q->levels = 0;
}

bool qtest_set_irq_in(struct device *dev, uint64_t n, bool level, struct error *err)
{
	const struct controller *c = controller_of(dev);

	if (!c || n >= c->inputs)
		return error_set(err, "%s has no interrupt input %llu", dev->type->name,
				 (unsigned long long)n);
	c->set(dev, (unsigned)n, level);
	return true;
}
