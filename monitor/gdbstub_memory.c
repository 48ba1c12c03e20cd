/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gdb stub's memory: by virtual address as the chosen vCPU's page tables have it, or physical. RAM is shown without the
 * stub's INT3s; device registers are read and written too, with the effects that this has.
 */
#include "monitor/gdbstub_internal.h"
#include "src/x86_paging.h"

#define PAGE 4096

static bool read_physical(struct gdbstub *g, gpa_t gpa, uint8_t *buf, size_t n)
{
	struct machine *m = g->machine;

	if (dma_read(m, gpa, buf, n)) {
		gdb_break_hide(g, gpa, buf, n);
		return true;
	}
	for (unsigned size; n; gpa += size, buf += size, n -= size) {
		if (!view_find(as_view_mt(&m->mem), gpa))
			return false;
		for (size = 8; size > n || (gpa & (size - 1));)
			size /= 2;
		stn_le(buf, size, as_read(&m->mem, gpa, size));
	}
	return true;
}

static bool write_physical(struct gdbstub *g, gpa_t gpa, const uint8_t *buf, size_t n)
{
	struct machine *m = g->machine;

	if (dma_write(m, gpa, buf, n)) {
		gdb_break_written(g, gpa, buf, n);
		return true;
	}
	for (unsigned size; n; gpa += size, buf += size, n -= size) {
		const struct view_range *range = view_find(as_view_mt(&m->mem), gpa);

		if (!range || range->kind == REGION_ROM)
			return false;
		for (size = 8; size > n || (gpa & (size - 1));)
			size /= 2;
		as_write(&m->mem, gpa, ldn_le(buf, size), size);
	}
	return true;
}

/* Each page by itself; WRITE says which of the two buffers it is. */
static bool each_page(struct gdbstub *g, uint64_t addr, uint8_t *in, const uint8_t *out, size_t n)
{
	struct vcpu *v = g->machine->vcpus[g->g_cpu];
	struct x86_regs regs;

	g->machine->accel->get_regs(v, &regs);
	for (size_t done = 0, part; done < n; done += part) {
		uint64_t at = addr + done;
		gpa_t gpa = at;

		part = MIN(n - done, PAGE - (at & (PAGE - 1)));
		if (!g->physical && !x86_translate(g->machine, &regs, at, &gpa))
			return false;
		if (in ? !read_physical(g, gpa, in + done, part)
		       : !write_physical(g, gpa, out + done, part))
			return false;
	}
	return true;
}

bool gdb_read_memory(struct gdbstub *g, uint64_t addr, uint8_t *buf, size_t n)
{
	return each_page(g, addr, buf, NULL, n);
}

bool gdb_write_memory(struct gdbstub *g, uint64_t addr, const uint8_t *buf, size_t n)
{
	return each_page(g, addr, NULL, buf, n);
}
