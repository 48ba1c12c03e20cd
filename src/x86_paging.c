/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a linear address is (SDM 3A, chapter 4), for the monitor and the debugger: neither permissions nor accessed bits matter here. */
#include "src/x86_paging.h"
#include "src/machine.h"

#define PTE_P	 BIT64(0)
#define PTE_PS	 BIT64(7)
#define PTE_ADDR 0x000ffffffffff000ull

static bool walk(struct machine *m, uint64_t table, unsigned levels, unsigned entry_bytes,
		 uint64_t linear, gpa_t *gpa)
{
	unsigned index_bits = entry_bytes == 8 ? 9 : 10;

	for (unsigned level = levels; level > 0; level--) {
		unsigned shift = 12 + (level - 1) * index_bits;
		uint64_t entry = 0;

		if (!dma_read(m,
			      table + ((linear >> shift) & ((1u << index_bits) - 1)) * entry_bytes,
			      &entry, entry_bytes) ||
		    !(entry & PTE_P))
			return false;
		table = entry & PTE_ADDR;
		if (level > 1 && level < 4 && (entry & PTE_PS)) {
			/* PSE-36: bits 13 to 20 of a 4 MiB page's entry are address bits 32 to 39. */
			if (entry_bytes == 4)
				table |= (entry & 0x1fe000) << 19;
			table &= ~(BIT64(shift) - 1) | (entry_bytes == 4 ? 0xff00000000 : 0);
			*gpa = table | (linear & (BIT64(shift) - 1));
			return true;
		}
	}
	*gpa = table | (linear & 0xfff);
	return true;
}

bool x86_translate(struct machine *m, const struct x86_regs *r, uint64_t linear, gpa_t *gpa)
{
	enum { CR0_PG = 1u << 31, CR4_PAE = 1u << 5, CR4_LA57 = 1u << 12, EFER_LMA = 1u << 10 };

	*gpa = linear;
	if (!(r->cr0 & (uint32_t)CR0_PG))
		return true;
	if (r->efer & EFER_LMA)
		return walk(m, r->cr3 & PTE_ADDR, r->cr4 & CR4_LA57 ? 5 : 4, 8, linear, gpa);
	if (r->cr4 & CR4_PAE)
		return walk(m, r->cr3 & 0xffffffe0, 3, 8, (uint32_t)linear, gpa);
	return walk(m, r->cr3 & 0xfffff000, 2, 4, (uint32_t)linear, gpa);
}
