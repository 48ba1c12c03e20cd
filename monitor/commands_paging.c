/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest's page tables say: `info tlb`, `info mem`, gva2gpa. A guest may have millions of pages, so they are
 * listed a slice of a turn at a time, while it runs on.
 */
#include <inttypes.h>
#include <stdlib.h>
#include "monitor/commands.h"
#include "monitor/paging.h"
#include "src/x86_paging.h"

#define ENTRIES_A_SLICE 4096
#define LINES_MAX	200000

struct listing {
	struct monitor *mon;
	struct loop_work work;
	struct paging_walk walk;
	void (*show)(struct listing *l, const struct paging_page *page);
	unsigned lines;
	struct paging_page
		range; /* `info mem`: what adjoins with equal rights; no bytes: none yet */
};

/* QEMU's letters: X G P(size) D A C(ache off) T(hrough) U W. */
static void show_page(struct listing *l, const struct paging_page *p)
{
	static const struct {
		uint64_t bit;
		char letter;
	} flags[] = {{PTE_XD, 'X'},  {PTE_G, 'G'},   {PTE_PS, 'P'}, {PTE_D, 'D'}, {PTE_A, 'A'},
		     {PTE_PCD, 'C'}, {PTE_PWT, 'T'}, {PTE_US, 'U'}, {PTE_RW, 'W'}};
	char text[ARRAY_SIZE(flags) + 1] = "";

	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
		bool set = p->entry & flags[i].bit;

		/* Bit 7 of a 4 KiB page is something else. */
		if (flags[i].bit == PTE_PS && p->bytes == 4096)
			set = false;
		text[i] = set ? flags[i].letter : '-';
	}
	monitor_printf(l->mon, "%016" PRIx64 ": %016" PRIx64 " %s\n", p->linear, p->gpa, text);
	l->lines++;
}

static void show_range(struct listing *l)
{
	const struct paging_page *r = &l->range;

	if (!r->bytes)
		return;
	monitor_printf(l->mon, "%016" PRIx64 "-%016" PRIx64 " %016" PRIx64 " %cr%c\n", r->linear,
		       r->linear + r->bytes, r->bytes, r->rights & PTE_US ? 'u' : '-',
		       r->rights & PTE_RW ? 'w' : '-');
	l->lines++;
}

static void extend_range(struct listing *l, const struct paging_page *p)
{
	struct paging_page *r = &l->range;
	uint64_t shown = PTE_US | PTE_RW;

	if (r->bytes && r->linear + r->bytes == p->linear &&
	    (r->rights & shown) == (p->rights & shown)) {
		r->bytes += p->bytes;
		return;
	}
	show_range(l);
	*r = *p;
}

static void listing_free(void *opaque)
{
	struct listing *l = opaque;

	loop_work_cancel(&l->work);
	free(l);
}

static void slice(void *opaque)
{
	struct listing *l = opaque;
	struct monitor *mon = l->mon;
	unsigned budget = ENTRIES_A_SLICE;
	struct paging_page page;

	for (unsigned n = 0; n < 256 && paging_walk_next(&l->walk, &page, &budget); n++)
		l->show(l, &page);
	if (!paging_walk_ended(&l->walk) && l->lines < LINES_MAX) {
		hmp_go_on(mon, &l->work);
		return;
	}
	show_range(l);
	if (!paging_walk_ended(&l->walk))
		monitor_printf(mon, "... and more\n");
	listing_free(l);
	hmp_finish(mon);
}

static void list_pages(struct monitor *mon,
		       void (*show)(struct listing *l, const struct paging_page *page))
{
	struct vcpu *v = monitor_vcpu(mon);
	struct x86_regs regs;
	struct listing *l;

	if (v)
		v->machine->accel->get_regs(v, &regs);
	if (!v || !(regs.cr0 & BIT(31))) {
		monitor_printf(mon, v ? "PG disabled\n" : "No CPU available\n");
		hmp_finish(mon);
		return;
	}
	l = xzalloc(sizeof(*l));
	l->mon = mon;
	l->show = show;
	paging_walk_init(&l->walk, v->machine, &regs);
	loop_work_init(&l->work, v->machine->loop, "monitor", slice, l);
	hmp_on_cancel(mon, listing_free, l);
	loop_work_schedule(&l->work);
}

static void info_tlb(struct monitor *mon, json_t *args)
{
	list_pages(mon, show_page);
}

static void info_mem(struct monitor *mon, json_t *args)
{
	list_pages(mon, extend_range);
}

static void hmp_gva2gpa(struct monitor *mon, json_t *args)
{
	uint64_t addr = (uint64_t)arg_int(args, "addr", 0);
	struct vcpu *v = monitor_vcpu(mon);
	struct x86_regs regs;
	gpa_t gpa;

	if (!v) {
		monitor_printf(mon, "No CPU available\n");
		return;
	}
	v->machine->accel->get_regs(v, &regs);
	if (x86_translate(v->machine, &regs, addr, &gpa))
		monitor_printf(mon, "gpa: %#" PRIx64 "\n", gpa);
	else
		monitor_printf(mon, "Unmapped\n");
}

static const struct hmp_command hmp[] = {
	{"gva2gpa", "addr:i", "addr",
	 "print the guest physical address of guest virtual address 'addr'", .fn = hmp_gva2gpa,
	 .parked = true},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"mem", NULL, NULL, "show the active virtual memory mappings", .fn = info_mem,
	 .parked = true, .deferred = true},
	{"tlb", NULL, NULL, "show virtual to physical memory mappings", .fn = info_tlb,
	 .parked = true, .deferred = true},
	{.name = NULL},
};

const struct command_group commands_paging = {.hmp = hmp, .info = info};
