/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts by eventfd, the accelerator's or the loop's. */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "src/irqfd.h"
#include "src/machine.h"

/* ---- the loop's ---- */

static void on_written(void *opaque)
{
	struct irqfd *q = opaque;
	struct machine *m = q->m;

	if (q->accel.msi) {
		m->accel->msi_send(m, q->accel.addr, q->accel.data);
		return;
	}
	irq_raise(&q->line);
}

void irqfds_eoi(struct machine *m, unsigned gsi)
{
	list_for_each_safe(it, &m->irqfds) {
		struct irqfd *q = list_entry(it, struct irqfd, node);

		if (q->accel.gsi != gsi || !q->line.level)
			continue;
		irq_lower(&q->line);
		/* Not from within the controller, which may be in the middle of something. */
		loop_notifier_signal_mt(&q->resample);
	}
}

static void on_resample(void *opaque)
{
	struct irqfd *q = opaque;

	q->on_eoi(q->opaque);
}

/* ---- life ---- */

static bool get_notifier(struct irqfd *q, struct loop_notifier *n, bool *has, const char *name,
			 loop_fn *fn, struct error *err)
{
	*has = loop_notifier_init(n, q->m->loop, name, fn, q);
	return *has || error_set_errno(err, errno, "no eventfd for an interrupt");
}

/* The accelerator's, if it can; else nothing has happened. */
static bool try_direct(struct irqfd *q)
{
	struct error err = ERROR_INIT;

	if (!q->m->accel->irqfd_add)
		return false;
	q->fd = q->accel.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	q->direct = q->fd >= 0 && q->m->accel->irqfd_add(q->m, &q->accel, &err);
	error_clear(&err);
	if (!q->direct && q->fd >= 0)
		close(q->fd);
	return q->direct;
}

static bool start(struct irqfd *q, struct error *err)
{
	list_init(&q->node);
	if (try_direct(q))
		return true;
	if (!get_notifier(q, &q->written, &q->has_written, "irqfd", on_written, err)) {
		irqfd_fini(q);
		return false;
	}
	q->fd = q->written.eventfd;
	if (!q->accel.msi) {
		machine_share_gsi(q->m, &q->line, q->accel.gsi);
		list_push_back(&q->m->irqfds, &q->node);
	}
	return true;
}

bool irqfd_init_level(struct irqfd *q, struct machine *m, unsigned gsi, loop_fn *on_eoi,
		      void *opaque, struct error *err)
{
	LOOP_ASSERT();
	*q = (struct irqfd){
		.m = m, .on_eoi = on_eoi, .opaque = opaque, .accel = {.gsi = gsi, .route = -1}};
	list_init(&q->node);
	if (!get_notifier(q, &q->resample, &q->has_resample, "irqfd-resample", on_resample, err))
		return false;
	q->accel.resample_fd = q->resample.eventfd;
	return start(q, err);
}

bool irqfd_init_msi(struct irqfd *q, struct machine *m, uint64_t addr, uint32_t data,
		    struct error *err)
{
	LOOP_ASSERT();
	*q = (struct irqfd){
		.m = m,
		.accel = {.resample_fd = -1, .msi = true, .addr = addr, .data = data, .route = -1}};
	return start(q, err);
}

bool irqfd_set_msi(struct irqfd *q, uint64_t addr, uint32_t data, struct error *err)
{
	LOOP_ASSERT();
	q->accel.addr = addr;
	q->accel.data = data;
	return !q->direct || q->m->accel->irqfd_update(q->m, &q->accel, err);
}

void irqfd_fini(struct irqfd *q)
{
	LOOP_ASSERT();
	if (!list_empty(&q->node))
		list_remove(&q->node);
	irq_lower(&q->line);
	if (q->direct) {
		q->m->accel->irqfd_remove(q->m, &q->accel);
		close(q->fd);
	}
	if (q->has_written)
		loop_notifier_fini(&q->written);
	if (q->has_resample)
		loop_notifier_fini(&q->resample);
	q->direct = q->has_written = q->has_resample = false;
}
