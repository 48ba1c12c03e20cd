/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF kernels with an XEN_ELFNOTE_PHYS32_ENTRY note, entered as Xen enters PVH guests
 * (docs/misc/pvh.pandoc): 32-bit protected mode, EBX pointing at struct hvm_start_info
 * (xen/include/public/arch-x86/hvm/start_info.h), version 1.
 */
#include "src/boot/loader.h"

#define START_INFO_MAGIC 0x336ec578

enum {
	SI_MAGIC = 0,
	SI_VERSION = 4,
	SI_NR_MODULES = 12,
	SI_MODLIST_PADDR = 16,
	SI_CMDLINE_PADDR = 24,
	SI_RSDP_PADDR = 32,
	SI_MEMMAP_PADDR = 40,
	SI_MEMMAP_ENTRIES = 48,
};

/* The block that is placed in guest RAM */
enum {
	BLOCK_START_INFO = 0,
	BLOCK_MODLIST = 0x40,
	BLOCK_MEMMAP = 0x80,
	BLOCK_GDT = 0x200,
	BLOCK_CMDLINE = 0x400,
};
#define MEMMAP_ENTRY_BYTES 24

_Static_assert(BLOCK_MEMMAP + BOOT_E820_MAX * MEMMAP_ENTRY_BYTES <= BLOCK_GDT,
	       "the memory map has no room");

static bool place_initrd(struct boot *b, const struct elf_image *image, uint8_t *block, gpa_t at,
			 struct error *err)
{
	const struct boot_file *f = boot_open(b, "-initrd", b->machine->config.initrd, err);
	gpa_t gpa;

	if (!f)
		return false;
	gpa = boot_find_space(b, f->size, MAX(image->end, BOOT_HIGH), b->machine->ram.below_4g,
			      true);
	if (!gpa)
		return boot_fail(
			f, err,
			"%llu MiB do not fit beside the kernel in the guest's RAM of %llu MiB (-m)",
			(unsigned long long)(ALIGN_UP(f->size, MiB) / MiB),
			(unsigned long long)(b->machine->ram.bytes / MiB));
	stn_le(block + SI_NR_MODULES, 4, 1);
	stn_le(block + SI_MODLIST_PADDR, 8, at + BLOCK_MODLIST);
	stn_le(block + BLOCK_MODLIST, 8, gpa);
	stn_le(block + BLOCK_MODLIST + 8, 8, f->size);
	return boot_place_file(b, f, 0, f->size, 0, gpa, err);
}

static void fill_start_info(const struct boot *b, uint8_t *block, gpa_t at)
{
	stn_le(block + SI_MAGIC, 4, START_INFO_MAGIC);
	stn_le(block + SI_VERSION, 4, 1);
	stn_le(block + SI_CMDLINE_PADDR, 8, at + BLOCK_CMDLINE);
	stn_le(block + SI_RSDP_PADDR, 8, b->rsdp);
	stn_le(block + SI_MEMMAP_PADDR, 8, at + BLOCK_MEMMAP);
	stn_le(block + SI_MEMMAP_ENTRIES, 4, b->n_e820);
	for (unsigned i = 0; i < b->n_e820; i++) {
		uint8_t *e = block + BLOCK_MEMMAP + i * MEMMAP_ENTRY_BYTES;

		stn_le(e, 8, b->e820[i].start);
		stn_le(e + 8, 8, b->e820[i].bytes);
		stn_le(e + 16, 4, b->e820[i].type); /* the types are those of E820 */
	}
}

bool pvh_load(struct boot *b, const struct boot_file *f, const uint8_t *head, size_t bytes,
	      struct error *err)
{
	const char *cmdline = b->machine->config.append ? b->machine->config.append : "";
	size_t block_bytes = BLOCK_CMDLINE + strlen(cmdline) + 1;
	struct elf_image image;
	uint8_t *block;
	gpa_t at;

	if (!elf_is(head, bytes))
		return false;
	if (!elf_load(b, f, true, &image, err))
		return false;
	if (!image.has_pvh_entry)
		return boot_fail(
			f, err,
			"an ELF file with neither a PVH note (XEN_ELFNOTE_PHYS32_ENTRY) nor a multiboot header");
	if (!elf_load(b, f, false, &image, err))
		return false;
	if (image.pvh_entry < image.start || image.pvh_entry >= image.end)
		return boot_fail(f, err,
				 "the PVH note's entry point 0x%llx is outside of the kernel",
				 (unsigned long long)image.pvh_entry);
	at = boot_find_space(b, block_bytes, BOOT_ZERO_PAGE, BOOT_EBDA, false);
	if (!at)
		at = boot_find_space(b, block_bytes, BOOT_HIGH, b->machine->ram.below_4g, true);
	if (!at)
		return boot_fail(f, err, "the kernel leaves no RAM for its start information");
	block = boot_place(b, at, block_bytes);
	fill_start_info(b, block, at);
	memcpy(block + BLOCK_CMDLINE, cmdline, strlen(cmdline));
	if (b->machine->config.initrd && !place_initrd(b, &image, block, at, err))
		return false;
	boot_set_flat32(b, (uint32_t)image.pvh_entry, at + BLOCK_GDT);
	b->regs.gpr[3] = at + BLOCK_START_INFO; /* RBX */
	return true;
}
