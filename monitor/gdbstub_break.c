/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gdb stub's breakpoints and watchpoints. An accelerator that has breakpoints of its own makes them all, software and
 * hardware ones. Else a software breakpoint is an INT3 in guest RAM, which the stub hides; where no RAM is mapped (yet),
 * or only ROM, it takes one of the processor's four debug registers instead, as Z1 does always. So do watchpoints.
 */
#include <stdlib.h>
#include "monitor/gdbstub_internal.h"
#include "src/x86_paging.h"

#define BREAKS_MAX 4096
#define INT3	   0xcc

static struct gdb_break *find(struct gdbstub *g, enum gdb_break_type type, uint64_t addr,
			      uint64_t len)
{
	list_for_each(it, &g->breaks) {
		struct gdb_break *b = list_entry(it, struct gdb_break, node);

		if (b->type == type && b->addr == addr && b->len == len)
			return b;
	}
	return NULL;
}

/* ---- INT3s ---- */

static struct gdb_break *patched_at(struct gdbstub *g, gpa_t gpa)
{
	list_for_each(it, &g->breaks) {
		struct gdb_break *b = list_entry(it, struct gdb_break, node);

		if (b->way == GDB_BY_INT3 && b->gpa == gpa)
			return b;
	}
	return NULL;
}

static bool patch(struct gdbstub *g, struct gdb_break *b)
{
	struct vcpu *v = g->machine->vcpus[g->g_cpu];
	const uint8_t int3 = INT3;
	struct gdb_break *other;
	struct x86_regs regs;
	uint64_t gpa = b->addr;

	g->machine->accel->get_regs(v, &regs);
	if (!g->physical && !x86_translate(g->machine, &regs, b->addr, &gpa))
		return false;
	other = patched_at(g, gpa);
	if (other)
		b->saved = other->saved;
	else if (!dma_read(g->machine, gpa, &b->saved, 1) || !dma_write(g->machine, gpa, &int3, 1))
		return false;
	b->gpa = gpa;
	b->way = GDB_BY_INT3;
	return true;
}

void gdb_break_lift(struct gdbstub *g, gpa_t gpa, bool lift)
{
	struct gdb_break *b = patched_at(g, gpa);
	const uint8_t int3 = INT3;
	uint8_t now = 0;

	if (!b)
		return;
	/* The guest may have put something else there. */
	if (!dma_read(g->machine, gpa, &now, 1) || now != (lift ? INT3 : b->saved))
		return;
	dma_write(g->machine, gpa, lift ? &b->saved : &int3, 1);
}

void gdb_break_hide(struct gdbstub *g, gpa_t gpa, uint8_t *buf, size_t n)
{
	list_for_each(it, &g->breaks) {
		struct gdb_break *b = list_entry(it, struct gdb_break, node);

		if (b->way == GDB_BY_INT3 && b->gpa >= gpa && b->gpa - gpa < n &&
		    buf[b->gpa - gpa] == INT3)
			buf[b->gpa - gpa] = b->saved;
	}
}

void gdb_break_written(struct gdbstub *g, gpa_t gpa, const uint8_t *buf, size_t n)
{
	const uint8_t int3 = INT3;

	list_for_each(it, &g->breaks) {
		struct gdb_break *b = list_entry(it, struct gdb_break, node);

		if (b->way != GDB_BY_INT3 || b->gpa < gpa || b->gpa - gpa >= n)
			continue;
		b->saved = buf[b->gpa - gpa];
		dma_write(g->machine, b->gpa, &int3, 1);
	}
}

struct gdb_break *gdb_break_met(struct gdbstub *g, struct vcpu *v, uint64_t linear, bool *alias)
{
	struct gdb_break *here;
	struct x86_regs regs;
	gpa_t gpa;

	list_for_each(it, &g->breaks) {
		here = list_entry(it, struct gdb_break, node);
		if (here->way != GDB_BY_DR && here->addr == linear) {
			*alias = false;
			return here;
		}
	}
	g->machine->accel->get_regs(v, &regs);
	*alias = true;
	return x86_translate(g->machine, &regs, linear, &gpa) ? patched_at(g, gpa) : NULL;
}

/* ---- debug registers ---- */

static bool add_hw(struct guest_debug *d, uint64_t addr, enum debug_kind kind, unsigned len)
{
	if (d->n_hw == DEBUG_HW_MAX)
		return false;
	d->hw[d->n_hw].addr = addr;
	d->hw[d->n_hw].kind = kind;
	d->hw[d->n_hw].len = (uint8_t)len;
	d->n_hw++;
	return true;
}

/* What one watches is cut into aligned pieces. */
static bool add_watch(struct guest_debug *d, const struct gdb_break *b)
{
	enum debug_kind kind = b->type == GDB_WATCH_WRITE ? DEBUG_ON_WRITE : DEBUG_ON_ACCESS;
	uint64_t addr = b->addr, left = b->len;

	while (left) {
		unsigned len = 8;

		while (len > left || (addr & (len - 1)))
			len /= 2;
		if (!add_hw(d, addr, kind, len))
			return false;
		addr += len;
		left -= len;
	}
	return true;
}

static bool collect(struct gdbstub *g, struct guest_debug *d, struct error *err)
{
	*d = (struct guest_debug){.step = false};
	list_for_each(it, &g->breaks) {
		struct gdb_break *b = list_entry(it, struct gdb_break, node);

		if (b->way == GDB_BY_INT3)
			d->sw_breakpoints = true;
		else if (b->way == GDB_BY_DR &&
			 !(b->type >= GDB_WATCH_WRITE ? add_watch(d, b)
						      : add_hw(d, b->addr, DEBUG_ON_EXEC, 1)))
			return error_set(err, "more than the processor's %u", DEBUG_HW_MAX);
	}
	return true;
}

/* All that the accelerator makes by itself. */
static void apply_own(struct gdbstub *g)
{
	uint64_t *addrs = xmalloc((g->n_breaks + 1) * sizeof(*addrs));
	unsigned n = 0;

	list_for_each(it, &g->breaks) {
		struct gdb_break *b = list_entry(it, struct gdb_break, node);

		if (b->way == GDB_BY_ACCEL)
			addrs[n++] = b->addr;
	}
	g->machine->accel->set_breakpoints(g->machine, addrs, n);
	free(addrs);
}

bool gdb_break_apply(struct gdbstub *g, struct error *err)
{
	struct machine *m = g->machine;
	struct guest_debug debug;

	if (!collect(g, &debug, err))
		return false;
	if (m->accel->set_breakpoints)
		apply_own(g);
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		debug.step = g->plan[i] == GDB_STEP && (g->step_flags & GDB_STEP_ENABLE);
		debug.block_irq = debug.step && (g->step_flags & GDB_STEP_NOIRQ);
		if (!m->accel->set_guest_debug(m->vcpus[i], &debug, err))
			return false;
	}
	return true;
}

/* ---- Z and z ---- */

static void discard(struct gdbstub *g, struct gdb_break *b)
{
	list_remove(&b->node);
	g->n_breaks--;
	if (b->way == GDB_BY_INT3 && !patched_at(g, b->gpa)) {
		list_push_back(&g->breaks, &b->node);
		gdb_break_lift(g, b->gpa, true);
		list_remove(&b->node);
	}
	free(b);
}

bool gdb_break_insert(struct gdbstub *g, enum gdb_break_type type, uint64_t addr, uint64_t len,
		      struct error *err)
{
	struct gdb_break *b;

	if (find(g, type, addr, len))
		return true;
	if (g->n_breaks == BREAKS_MAX)
		return error_set(err, "more than %u breakpoints", BREAKS_MAX);
	if (type >= GDB_WATCH_WRITE && (!len || len > 8 * DEBUG_HW_MAX))
		return error_set(err, "a watchpoint of that length can't be had");
	b = xzalloc(sizeof(*b));
	b->type = type;
	b->addr = addr;
	b->len = len;
	b->way = type < GDB_WATCH_WRITE && g->machine->accel->set_breakpoints ? GDB_BY_ACCEL
									      : GDB_BY_DR;
	if (type == GDB_BREAK_SW && b->way == GDB_BY_DR)
		patch(g, b);
	list_push_back(&g->breaks, &b->node);
	g->n_breaks++;
	if (gdb_break_apply(g, err))
		return true;
	discard(g, b);
	gdb_break_apply(g, NULL);
	return false;
}

bool gdb_break_remove(struct gdbstub *g, enum gdb_break_type type, uint64_t addr, uint64_t len)
{
	struct gdb_break *b = find(g, type, addr, len);

	if (!b)
		return false;
	discard(g, b);
	gdb_break_apply(g, NULL);
	return true;
}

void gdb_break_remove_all(struct gdbstub *g)
{
	while (!list_empty(&g->breaks))
		discard(g, list_first(&g->breaks, struct gdb_break, node));
	gdb_break_apply(g, NULL);
}
