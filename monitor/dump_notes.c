/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notes of a core file. For each processor NT_PRSTATUS, as gdb and `crash` know it of Linux processes (struct
 * elf_prstatus, struct user_regs_struct), and then "QEMU", which has what that lacks; `crash` looks there for the
 * descriptor tables and CR3.
 */
#include <stdlib.h>
#include "devices/chipset/vmcoreinfo.h"
#include "monitor/dump_notes.h"
/* after the loop's libev, whose EV_NONE it takes away */
#include <elf.h>
#include <sys/procfs.h>
#include <sys/user.h>

#define VMCOREINFO_MAX	   (1u << 20)
#define MSR_KERNEL_GS_BASE 0xc0000102

struct notes {
	uint8_t *bytes;
	size_t n;
};

static void put(struct notes *s, const void *bytes, size_t n)
{
	s->bytes = xrealloc(s->bytes, s->n + ALIGN_UP(n, 4));
	memcpy(s->bytes + s->n, bytes, n);
	memset(s->bytes + s->n + n, 0, ALIGN_UP(n, 4) - n);
	s->n += ALIGN_UP(n, 4);
}

static void put_note(struct notes *s, const char *name, unsigned type, const void *desc, size_t n)
{
	Elf64_Nhdr h = {.n_namesz = strlen(name) + 1, .n_descsz = n, .n_type = type};

	put(s, &h, sizeof(h));
	put(s, name, strlen(name) + 1);
	put(s, desc, n);
}

static void put_prstatus(struct notes *s, const struct x86_regs *r, unsigned index)
{
	struct elf_prstatus status = {.pr_pid = (int)index + 1};
	const struct user_regs_struct regs = {
		.rax = r->gpr[0],
		.rcx = r->gpr[1],
		.rdx = r->gpr[2],
		.rbx = r->gpr[3],
		.rsp = r->gpr[4],
		.rbp = r->gpr[5],
		.rsi = r->gpr[6],
		.rdi = r->gpr[7],
		.r8 = r->gpr[8],
		.r9 = r->gpr[9],
		.r10 = r->gpr[10],
		.r11 = r->gpr[11],
		.r12 = r->gpr[12],
		.r13 = r->gpr[13],
		.r14 = r->gpr[14],
		.r15 = r->gpr[15],
		.orig_rax = r->gpr[0],
		.rip = r->rip,
		.eflags = r->rflags,
		.cs = r->cs.selector,
		.ss = r->ss.selector,
		.ds = r->ds.selector,
		.es = r->es.selector,
		.fs = r->fs.selector,
		.gs = r->gs.selector,
		.fs_base = r->fs.base,
		.gs_base = r->gs.base,
	};

	_Static_assert(sizeof(status.pr_reg) == sizeof(regs), "as many registers");
	memcpy(&status.pr_reg, &regs, sizeof(regs));
	put_note(s, "CORE", NT_PRSTATUS, &status, sizeof(status));
}

/* ---- "QEMU", version 1 ---- */

struct note_segment {
	uint32_t selector, limit;
	uint32_t flags; /* as in the descriptor's upper half */
	uint32_t pad;
	uint64_t base;
};

struct note_cpu {
	uint32_t version, size;
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rsp, rbp;
	uint64_t r8[8];
	uint64_t rip, rflags;
	struct note_segment cs, ds, es, fs, gs, ss, ldt, tr, gdt, idt;
	uint64_t cr[5];
	uint64_t kernel_gs_base;
};

static struct note_segment segment(const struct x86_segment *s)
{
	return (struct note_segment){
		.selector = s->selector,
		.limit = s->limit,
		.flags = (uint32_t)s->type << 8 | (uint32_t)s->s << 12 | (uint32_t)s->dpl << 13 |
			 (uint32_t)s->present << 15 | (uint32_t)s->avl << 20 |
			 (uint32_t)s->l << 21 | (uint32_t)s->db << 22 | (uint32_t)s->g << 23,
		.base = s->base,
	};
}

static uint64_t kernel_gs_base(struct vcpu *v)
{
	unsigned n = 0;
	struct x86_msr *msrs =
		v->machine->accel->get_msrs ? v->machine->accel->get_msrs(v, &n) : NULL;
	uint64_t value = 0;

	for (unsigned i = 0; i < n; i++)
		if (msrs[i].index == MSR_KERNEL_GS_BASE)
			value = msrs[i].value;
	free(msrs);
	return value;
}

static void put_cpu(struct notes *s, const struct x86_regs *r, struct vcpu *v)
{
	struct note_cpu c = {
		.version = 1,
		.size = sizeof(c),
		.rax = r->gpr[0],
		.rbx = r->gpr[3],
		.rcx = r->gpr[1],
		.rdx = r->gpr[2],
		.rsi = r->gpr[6],
		.rdi = r->gpr[7],
		.rsp = r->gpr[4],
		.rbp = r->gpr[5],
		.rip = r->rip,
		.rflags = r->rflags,
		.cs = segment(&r->cs),
		.ds = segment(&r->ds),
		.es = segment(&r->es),
		.fs = segment(&r->fs),
		.gs = segment(&r->gs),
		.ss = segment(&r->ss),
		.ldt = segment(&r->ldt),
		.tr = segment(&r->tr),
		.gdt = {.limit = r->gdt_limit, .base = r->gdt_base},
		.idt = {.limit = r->idt_limit, .base = r->idt_base},
		.cr = {r->cr0, 0, r->cr2, r->cr3, r->cr4},
		.kernel_gs_base = kernel_gs_base(v),
	};

	memcpy(c.r8, &r->gpr[8], sizeof(c.r8));
	put_note(s, "QEMU", 0, &c, sizeof(c));
}

/* ---- the guest's ---- */

/* A note as the guest says that it has one: it is passed on if it is one, and no longer than it says. */
static void put_vmcoreinfo(struct notes *s, struct machine *m)
{
	uint32_t bytes;
	gpa_t gpa;
	uint8_t *note;
	Elf64_Nhdr h;

	if (!vmcoreinfo_note(m, &gpa, &bytes) || bytes < sizeof(h) || bytes > VMCOREINFO_MAX)
		return;
	note = xmalloc(bytes);
	if (dma_read(m, gpa, note, bytes)) {
		memcpy(&h, note, sizeof(h));
		if (h.n_namesz <= bytes && h.n_descsz <= bytes &&
		    sizeof(h) + ALIGN_UP((size_t)h.n_namesz, 4) + h.n_descsz <= bytes)
			put(s, note, sizeof(h) + ALIGN_UP((size_t)h.n_namesz, 4) + h.n_descsz);
	}
	free(note);
}

uint8_t *dump_notes(struct machine *m, const struct x86_regs *regs, size_t *bytes)
{
	struct notes s = {.bytes = NULL};

	for (unsigned i = 0; i < m->n_vcpus; i++)
		put_prstatus(&s, &regs[i], i);
	for (unsigned i = 0; i < m->n_vcpus; i++)
		put_cpu(&s, &regs[i], m->vcpus[i]);
	put_vmcoreinfo(&s, m);
	*bytes = s.n;
	return s.bytes;
}
