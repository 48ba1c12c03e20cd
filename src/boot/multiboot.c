/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Multiboot 0.6.96: the header within the first 8192 bytes, images in ELF (32-bit, and 64-bit with
 * a 32-bit entry point) or at the addresses that the header gives (its bit 16), modules from
 * -initrd "FILE ARGUMENTS,FILE2 ARGUMENTS".
 */
#include <stdlib.h>
#include "src/boot/loader.h"

#define MB_HEADER_MAGIC 0x1badb002
#define MB_LOADER_MAGIC 0x2badb002
#define MB_SEARCH	8192

/* Header flags */
#define MB_PAGE_ALIGN  BIT(0)
#define MB_MEMORY_INFO BIT(1)
#define MB_VIDEO_MODE  BIT(2)
#define MB_REQUIRED    0xffffu
#define MB_ADDRESSES   BIT(16)

/* Information structure: flags and offsets */
#define MBI_MEMORY	BIT(0)
#define MBI_CMDLINE	BIT(2)
#define MBI_MODS	BIT(3)
#define MBI_MMAP	BIT(6)
#define MBI_LOADER_NAME BIT(9)
enum {
	MBI_FLAGS = 0,
	MBI_MEM_LOWER = 4,
	MBI_MEM_UPPER = 8,
	MBI_CMDLINE_PTR = 16,
	MBI_MODS_COUNT = 20,
	MBI_MODS_ADDR = 24,
	MBI_MMAP_LENGTH = 44,
	MBI_MMAP_ADDR = 48,
	MBI_LOADER_NAME_PTR = 64,
	MBI_BYTES = 120,
};
#define MODULE_BYTES 16
#define MMAP_BYTES   24

struct multiboot {
	uint32_t flags;
	unsigned header_at; /* in the file */
	uint32_t entry;
	gpa_t end; /* of the image in RAM */
	struct mb_module {
		char *line; /* "FILE ARGUMENTS" */
		gpa_t start, end;
	} modules[BOOT_MAX_FILES];
	unsigned n_modules;
};

static bool find_header(struct multiboot *mb, const uint8_t *head, size_t bytes)
{
	for (unsigned at = 0; at + 12 <= MIN(bytes, MB_SEARCH); at += 4) {
		uint32_t magic = (uint32_t)ldn_le(head + at, 4),
			 flags = (uint32_t)ldn_le(head + at + 4, 4);

		if (magic == MB_HEADER_MAGIC &&
		    magic + flags + (uint32_t)ldn_le(head + at + 8, 4) == 0) {
			mb->header_at = at;
			mb->flags = flags;
			return true;
		}
	}
	return false;
}

/* The addresses in the header say what of the file goes where. */
static bool load_by_addresses(struct boot *b, const struct boot_file *f, const uint8_t *header,
			      struct multiboot *mb, struct error *err)
{
	uint32_t header_addr = (uint32_t)ldn_le(header + 12, 4),
		 load_addr = (uint32_t)ldn_le(header + 16, 4);
	uint32_t load_end = (uint32_t)ldn_le(header + 20, 4),
		 bss_end = (uint32_t)ldn_le(header + 24, 4);
	uint64_t offset, bytes, zero = 0;

	if (load_addr > header_addr || header_addr - load_addr > mb->header_at)
		return boot_fail(f, err,
				 "multiboot header with load_addr 0x%x and header_addr 0x%x",
				 load_addr, header_addr);
	offset = mb->header_at - (header_addr - load_addr);
	if (load_end && load_end < load_addr)
		return boot_fail(f, err, "multiboot header with load_end_addr below load_addr");
	bytes = load_end ? load_end - load_addr : f->size - offset;
	if (bss_end && bss_end < load_addr + bytes)
		return boot_fail(f, err, "multiboot header with bss_end_addr within the image");
	if (bss_end)
		zero = bss_end - (load_addr + bytes);
	mb->entry = (uint32_t)ldn_le(header + 28, 4);
	mb->end = load_addr + bytes + zero;
	return boot_place_file(b, f, offset, bytes, zero, load_addr, err);
}

static bool load_image(struct boot *b, const struct boot_file *f, const uint8_t *head, size_t bytes,
		       struct multiboot *mb, struct error *err)
{
	struct elf_image image;

	if (mb->flags & MB_ADDRESSES) {
		if (mb->header_at + 32 > bytes)
			return boot_fail(f, err,
					 "the file is truncated within the multiboot header");
		return load_by_addresses(b, f, head + mb->header_at, mb, err);
	}
	if (!elf_is(head, bytes))
		return boot_fail(
			f, err,
			"multiboot image that is neither ELF nor has addresses in its header");
	if (!elf_load(b, f, false, &image, err))
		return false;
	if (image.entry_paddr > UINT32_MAX)
		return boot_fail(f, err, "multiboot image with its entry point at 0x%llx",
				 (unsigned long long)image.entry_paddr);
	mb->entry = (uint32_t)image.entry_paddr;
	mb->end = image.end;
	return true;
}

/* Takes "FILE ARGUMENTS" off *S, up to a single comma. */
static char *take_module(const char **s)
{
	char *line = xmalloc(strlen(*s) + 1), *w = line;
	const char *p = *s + strspn(*s, " ");

	for (; *p && (*p != ',' || p[1] == ','); p++) {
		p += *p == ',';
		*w++ = *p;
	}
	*w = '\0';
	*s = *p ? p + 1 : p;
	return line;
}

static bool load_module(struct boot *b, struct multiboot *mb, struct mb_module *mod,
			struct error *err)
{
	size_t name_bytes = strcspn(mod->line, " ");
	char *path = xstrdup(mod->line);
	const struct boot_file *f;

	path[name_bytes] = '\0';
	f = boot_open(b, "-initrd", path, err);
	free(path);
	if (!f)
		return false;
	mod->start = boot_find_space(b, f->size, MAX(mb->end, BOOT_HIGH), b->machine->ram.below_4g,
				     false);
	if (!mod->start)
		return boot_fail(
			f, err,
			"%llu MiB do not fit beside the kernel in the guest's RAM of %llu MiB (-m)",
			(unsigned long long)(ALIGN_UP(f->size, MiB) / MiB),
			(unsigned long long)(b->machine->ram.bytes / MiB));
	mod->end = mod->start + f->size;
	return boot_place_file(b, f, 0, f->size, 0, mod->start, err);
}

static bool load_modules(struct boot *b, struct multiboot *mb, struct error *err)
{
	const char *s = b->machine->config.initrd;

	while (s && *s) {
		struct mb_module *mod = &mb->modules[mb->n_modules];

		if (mb->n_modules == ARRAY_SIZE(mb->modules))
			return error_set(err, "-initrd: more than %zu modules",
					 ARRAY_SIZE(mb->modules));
		mod->line = take_module(&s);
		mb->n_modules++;
		if (!load_module(b, mb, mod, err))
			return false;
	}
	return true;
}

/* A string in the block; its address. */
static uint32_t put_string(uint8_t *block, gpa_t at, size_t *used, const char *s)
{
	uint32_t address = (uint32_t)(at + *used);

	memcpy(block + *used, s, strlen(s) + 1);
	*used += strlen(s) + 1;
	return address;
}

static void fill_memory_map(const struct boot *b, uint8_t *map)
{
	for (unsigned i = 0; i < b->n_e820; i++) {
		uint8_t *e = map + i * MMAP_BYTES;

		stn_le(e, 4, MMAP_BYTES - 4); /* bytes that follow this field */
		stn_le(e + 4, 8, b->e820[i].start);
		stn_le(e + 12, 8, b->e820[i].bytes);
		stn_le(e + 20, 4, b->e820[i].type);
	}
}

/* Information structure, module list, memory map, GDT and strings in one block. */
static bool place_info(struct boot *b, const struct boot_file *f, const struct multiboot *mb,
		       struct error *err)
{
	const char *append = b->machine->config.append;
	char *cmdline = xasprintf("%s%s%s", f->path, append ? " " : "", append ? append : "");
	size_t mods = MBI_BYTES, map = mods + mb->n_modules * MODULE_BYTES;
	size_t gdt = ALIGN_UP(map + b->n_e820 * MMAP_BYTES, 16), used = gdt + 64;
	size_t bytes = used + strlen(cmdline) + 1 + sizeof("evmm");
	uint8_t *p;
	gpa_t at;

	for (unsigned i = 0; i < mb->n_modules; i++)
		bytes += strlen(mb->modules[i].line) + 1;
	at = boot_find_space(b, bytes, BOOT_LOW_FREE, BOOT_EBDA, false);
	if (!at)
		at = boot_find_space(b, bytes, BOOT_HIGH, b->machine->ram.below_4g, true);
	if (!at) {
		free(cmdline);
		return boot_fail(f, err, "the kernel leaves no RAM for the multiboot information");
	}
	p = boot_place(b, at, bytes);
	stn_le(p + MBI_FLAGS, 4, MBI_MEMORY | MBI_CMDLINE | MBI_MODS | MBI_MMAP | MBI_LOADER_NAME);
	stn_le(p + MBI_MEM_LOWER, 4, MIN(BOOT_EBDA, b->machine->ram.below_4g) / KiB);
	stn_le(p + MBI_MEM_UPPER, 4, (b->machine->ram.below_4g - BOOT_HIGH) / KiB);
	stn_le(p + MBI_CMDLINE_PTR, 4, put_string(p, at, &used, cmdline));
	stn_le(p + MBI_LOADER_NAME_PTR, 4, put_string(p, at, &used, "evmm"));
	stn_le(p + MBI_MODS_COUNT, 4, mb->n_modules);
	stn_le(p + MBI_MODS_ADDR, 4, at + mods);
	for (unsigned i = 0; i < mb->n_modules; i++) {
		uint8_t *m = p + mods + i * MODULE_BYTES;

		stn_le(m, 4, mb->modules[i].start);
		stn_le(m + 4, 4, mb->modules[i].end);
		stn_le(m + 8, 4, put_string(p, at, &used, mb->modules[i].line));
	}
	stn_le(p + MBI_MMAP_LENGTH, 4, b->n_e820 * MMAP_BYTES);
	stn_le(p + MBI_MMAP_ADDR, 4, at + map);
	fill_memory_map(b, p + map);
	free(cmdline);

	boot_set_flat32(b, mb->entry, at + gdt);
	b->regs.gpr[0] = MB_LOADER_MAGIC;
	b->regs.gpr[3] = at;
	return true;
}

bool multiboot_load(struct boot *b, const struct boot_file *f, const uint8_t *head, size_t bytes,
		    struct error *err)
{
	struct multiboot mb = {0};
	uint32_t unknown;
	bool ok;

	if (!find_header(&mb, head, bytes))
		return false;
	unknown = mb.flags & MB_REQUIRED & ~(MB_PAGE_ALIGN | MB_MEMORY_INFO | MB_VIDEO_MODE);
	if (unknown)
		return boot_fail(f, err,
				 "multiboot image that requires unknown features (flags 0x%x)",
				 unknown);
	if (mb.flags & MB_VIDEO_MODE)
		report_warning(
			"-kernel %s: the image asks for a video mode, and there is no display",
			f->path);
	if (!load_image(b, f, head, bytes, &mb, err))
		return false;
	if (!boot_is_ram(b, mb.entry, 1))
		return boot_fail(f, err,
				 "multiboot image with its entry point outside of RAM, at 0x%x",
				 mb.entry);
	ok = load_modules(b, &mb, err) && place_info(b, f, &mb, err);
	for (unsigned i = 0; i < mb.n_modules; i++)
		free(mb.modules[i].line);
	return ok;
}
