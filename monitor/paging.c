/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a guest's page tables. */
#include "monitor/paging.h"

#define PTE_ADDR 0x000ffffffffff000ull

/* Tables that refer to themselves make a tree without an end worth waiting for: 512 GiB of 4 KiB pages have this many. */
#define TABLES_MAX (1u << 18)

enum { CR0_PG = 1u << 31, CR4_PAE = 1u << 5, CR4_LA57 = 1u << 12, EFER_LMA = 1u << 10 };

struct shape {
	unsigned levels, entry_bytes; /* LEVELS 0: no paging */
	uint64_t root;
};

static struct shape shape_of(const struct x86_regs *r)
{
	if (!(r->cr0 & (uint32_t)CR0_PG))
		return (struct shape){.levels = 0};
	if (r->efer & EFER_LMA)
		return (struct shape){r->cr4 & CR4_LA57 ? 5 : 4, 8, r->cr3 & PTE_ADDR};
	if (r->cr4 & CR4_PAE)
		return (struct shape){3, 8, r->cr3 & 0xffffffe0};
	return (struct shape){2, 4, r->cr3 & 0xfffff000};
}

static unsigned shift_of(unsigned level, unsigned index_bits)
{
	return 12 + (level - 1) * index_bits;
}

static bool is_leaf(unsigned level, uint64_t entry)
{
	return level == 1 || (level < 4 && (entry & PTE_PS));
}

/* What ENTRY of LEVEL leads to; LINEAR's place in it is added. */
static gpa_t leaf_gpa(uint64_t entry, unsigned shift, unsigned entry_bytes, uint64_t linear)
{
	uint64_t base = entry & PTE_ADDR;

	/* PSE-36: bits 13 to 20 of a 4 MiB page's entry are address bits 32 to 39. */
	if (entry_bytes == 4 && shift > 12)
		base = (entry & 0xffc00000) | (entry & 0x1fe000) << 19;
	return (base & ~(BIT64(shift) - 1)) | (linear & (BIT64(shift) - 1));
}

/* ---- all of them ---- */

static void enter(struct paging_walk *w, unsigned level, gpa_t gpa, uint64_t linear,
		  uint64_t rights)
{
	struct paging_table *t = &w->table[level];

	w->level = level;
	w->tables++;
	t->next = 0;
	t->linear = linear;
	t->rights = rights;
	if (!dma_read(w->machine, gpa, t->bytes, sizeof(t->bytes)))
		memset(t->bytes, 0, sizeof(t->bytes));
}

void paging_walk_init(struct paging_walk *w, struct machine *m, const struct x86_regs *r)
{
	struct shape s = shape_of(r);

	w->machine = m;
	w->enabled = s.levels > 0;
	w->levels = s.levels;
	w->entry_bytes = s.entry_bytes;
	w->index_bits = s.entry_bytes == 8 ? 9 : 10;
	w->sign_extend = s.levels >= 4;
	w->tables = 0;
	w->level = 0;
	if (!w->enabled)
		return;
	enter(w, s.levels, ALIGN_DOWN(s.root, 4096), 0, PTE_RW | PTE_US);
	if (s.levels == 3) /* four entries, which need not begin the page */
		memmove(w->table[3].bytes, &w->table[3].bytes[s.root & 0xfe0], 32);
}

static unsigned entries_of(const struct paging_walk *w)
{
	return w->levels == 3 && w->level == 3 ? 4 : 4096 / w->entry_bytes;
}

static uint64_t canonical(const struct paging_walk *w, uint64_t linear)
{
	unsigned unused = 64 - 12 - w->levels * w->index_bits;

	return w->sign_extend ? (uint64_t)((int64_t)(linear << unused) >> unused) : linear;
}

/* One entry of the table at hand. */
static bool look(struct paging_walk *w, struct paging_page *page)
{
	struct paging_table *t = &w->table[w->level];
	unsigned index = t->next++, shift = shift_of(w->level, w->index_bits);
	uint64_t entry = ldn_le(&t->bytes[index * w->entry_bytes], w->entry_bytes);
	uint64_t linear = t->linear | (uint64_t)index << shift;
	/* Entries of PAE's first table give no rights, and take none. */
	uint64_t given = w->levels == 3 && w->level == 3 ? PTE_RW | PTE_US : entry;
	uint64_t rights = (t->rights & given & (PTE_RW | PTE_US)) | ((t->rights | entry) & PTE_XD);

	if (!(entry & PTE_P))
		return false;
	if (!is_leaf(w->level, entry)) {
		if (w->tables < TABLES_MAX)
			enter(w, w->level - 1, entry & PTE_ADDR, linear, rights);
		return false;
	}
	*page = (struct paging_page){
		.linear = canonical(w, linear),
		.bytes = BIT64(shift),
		.gpa = leaf_gpa(entry, shift, w->entry_bytes, 0),
		.entry = entry,
		.rights = rights,
	};
	return true;
}

bool paging_walk_next(struct paging_walk *w, struct paging_page *page, unsigned *budget)
{
	while (w->level && *budget) {
		(*budget)--;
		if (w->table[w->level].next == entries_of(w))
			w->level = w->level == w->levels ? 0 : w->level + 1;
		else if (look(w, page))
			return true;
	}
	return false;
}
