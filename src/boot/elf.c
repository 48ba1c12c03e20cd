/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ELF32 and ELF64 executables (System V ABI; x86 supplements): segments by physical address, and
 * the Xen notes.
 */
#include <stdlib.h>
#include "src/boot/loader.h"
#include <elf.h> /* after libev's header: both have an EV_NONE, here a macro */

#define NOTES_MAX		 (1 * MiB)
#define PHDRS_MAX		 128
#define XEN_ELFNOTE_PHYS32_ENTRY 18

bool elf_is(const uint8_t *head, size_t bytes)
{
	return bytes >= EI_NIDENT && !memcmp(head, ELFMAG, SELFMAG);
}

/* Both classes as the wider one. */
static bool read_header(const struct boot_file *f, Elf64_Ehdr *h, struct error *err)
{
	Elf32_Ehdr h32;

	if (!boot_read(f, 0, h->e_ident, EI_NIDENT, err))
		return false;
	if (h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_ident[EI_VERSION] != EV_CURRENT)
		return boot_fail(f, err, "an ELF file, but not little-endian or not of version 1");
	switch (h->e_ident[EI_CLASS]) {
	case ELFCLASS64:
		return boot_read(f, 0, h, sizeof(*h), err);
	case ELFCLASS32:
		if (!boot_read(f, 0, &h32, sizeof(h32), err))
			return false;
		h->e_type = h32.e_type;
		h->e_machine = h32.e_machine;
		h->e_entry = h32.e_entry;
		h->e_phoff = h32.e_phoff;
		h->e_phentsize = h32.e_phentsize;
		h->e_phnum = h32.e_phnum;
		return true;
	default:
		return boot_fail(f, err, "an ELF file, but neither 32-bit nor 64-bit");
	}
}

static bool check_header(const struct boot_file *f, const Elf64_Ehdr *h, struct error *err)
{
	bool is_64 = h->e_ident[EI_CLASS] == ELFCLASS64;

	if (h->e_machine != EM_386 && h->e_machine != EM_X86_64)
		return boot_fail(f, err, "an ELF file for another processor (machine %u)",
				 h->e_machine);
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return boot_fail(f, err, "an ELF file, but not an executable");
	if (h->e_phnum == 0 || h->e_phnum > PHDRS_MAX)
		return boot_fail(f, err, "an ELF file with %u program headers", h->e_phnum);
	if (h->e_phentsize != (is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return boot_fail(f, err, "an ELF file with program headers of %u bytes",
				 h->e_phentsize);
	return true;
}

static bool read_phdr(const struct boot_file *f, const Elf64_Ehdr *h, unsigned i, Elf64_Phdr *p,
		      struct error *err)
{
	uint64_t at;
	Elf32_Phdr p32;

	if (__builtin_add_overflow(h->e_phoff, (uint64_t)i * h->e_phentsize, &at))
		return boot_fail(f, err, "the file is truncated");
	if (h->e_ident[EI_CLASS] == ELFCLASS64)
		return boot_read(f, at, p, sizeof(*p), err);
	if (!boot_read(f, at, &p32, sizeof(p32), err))
		return false;
	*p = (Elf64_Phdr){.p_type = p32.p_type,
			  .p_offset = p32.p_offset,
			  .p_vaddr = p32.p_vaddr,
			  .p_paddr = p32.p_paddr,
			  .p_filesz = p32.p_filesz,
			  .p_memsz = p32.p_memsz,
			  .p_align = p32.p_align};
	return true;
}

/* Notes are 4-byte aligned, but for segments that say 8 (gABI). */
static void parse_notes(const uint8_t *notes, size_t n, size_t align, struct elf_image *out)
{
	size_t at = 0;

	while (n - at >= 12) {
		uint64_t namesz = ldn_le(notes + at, 4), descsz = ldn_le(notes + at + 4, 4);
		uint64_t desc = at + ALIGN_UP(12 + namesz, align);
		uint64_t next = desc + ALIGN_UP(descsz, align);

		/* The last one's padding may be missing. */
		if (desc > n || descsz > n - desc)
			return;
		if (ldn_le(notes + at + 8, 4) == XEN_ELFNOTE_PHYS32_ENTRY && namesz == 4 &&
		    !memcmp(notes + at + 12, "Xen", 4) && (descsz == 4 || descsz == 8)) {
			out->has_pvh_entry = true;
			out->pvh_entry = ldn_le(notes + desc, (unsigned)descsz);
		}
		if (next > n)
			return;
		at = next;
	}
}

static bool read_notes(const struct boot_file *f, const Elf64_Phdr *p, struct elf_image *out,
		       struct error *err)
{
	uint8_t *notes;
	bool ok;

	if (p->p_filesz > NOTES_MAX)
		return boot_fail(f, err, "an ELF file with %llu bytes of notes",
				 (unsigned long long)p->p_filesz);
	notes = xmalloc(p->p_filesz + 1);
	ok = boot_read(f, p->p_offset, notes, p->p_filesz, err);
	if (ok)
		parse_notes(notes, p->p_filesz, p->p_align == 8 ? 8 : 4, out);
	free(notes);
	return ok;
}

static bool load_segment(struct boot *b, const struct boot_file *f, const Elf64_Phdr *p,
			 struct elf_image *out, struct error *err)
{
	if (p->p_memsz < p->p_filesz)
		return boot_fail(f, err,
				 "an ELF segment with more bytes in the file than in memory");
	if (p->p_memsz == 0)
		return true;
	if (!boot_place_file(b, f, p->p_offset, p->p_filesz, p->p_memsz - p->p_filesz, p->p_paddr,
			     err))
		return false;
	if (out->entry >= p->p_vaddr && out->entry - p->p_vaddr < p->p_memsz)
		out->entry_paddr = out->entry - p->p_vaddr + p->p_paddr;
	out->start = MIN(out->start, p->p_paddr);
	out->end = MAX(out->end, p->p_paddr + p->p_memsz);
	return true;
}

bool elf_load(struct boot *b, const struct boot_file *f, bool notes_only, struct elf_image *out,
	      struct error *err)
{
	Elf64_Ehdr h;

	memset(&h, 0, sizeof(h));
	if (!read_header(f, &h, err) || !check_header(f, &h, err))
		return false;
	*out = (struct elf_image){.is_64 = h.e_ident[EI_CLASS] == ELFCLASS64,
				  .machine = h.e_machine,
				  .entry = h.e_entry,
				  .entry_paddr = h.e_entry,
				  .start = UINT64_MAX};
	for (unsigned i = 0; i < h.e_phnum; i++) {
		Elf64_Phdr p;

		if (!read_phdr(f, &h, i, &p, err))
			return false;
		if (p.p_type == PT_NOTE && !read_notes(f, &p, out, err))
			return false;
		if (p.p_type == PT_LOAD && !notes_only && !load_segment(b, f, &p, out, err))
			return false;
	}
	if (!notes_only && out->end == 0)
		return boot_fail(f, err, "an ELF file with nothing to load");
	return true;
}
