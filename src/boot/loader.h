/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the loaders share. A loader checks its image and leaves a list of blobs (what goes where in
 * guest RAM) and the boot CPU's registers; boot.c carries them out after every reset. Bulk stays in
 * the file and is read straight into guest RAM, so that an image costs no host memory beside it.
 */
#ifndef EVMM_BOOT_LOADER_H
#define EVMM_BOOT_LOADER_H

#include "src/boot/boot.h"
#include "src/boot/screen.h"

/* The PC's first megabyte, as the loaders lay it out */
#define BOOT_BDA	   0x400u /* BIOS data area: COM ports, EBDA, base memory */
#define BOOT_GDT	   0x1000u
#define BOOT_ZERO_PAGE	   0x10000u /* struct boot_params; PVH: hvm_start_info */
#define BOOT_PAGE_TABLES   0x11000u /* PML4, PDPT, 4 page directories */
#define BOOT_CMDLINE	   0x20000u
#define BOOT_LOW_FREE	   0x40000u /* information blocks are placed from here */
#define BOOT_EBDA	   0x9fc00u
#define BOOT_VGA_HOLE	   0xa0000u
#define BOOT_SMBIOS	   0xe0000u /* its tables; the entry point is at BOOT_SMBIOS_ANCHOR */
#define BOOT_ACPI	   0xf0000u
#define BOOT_SMBIOS_ANCHOR 0xfffc0u
#define BOOT_RESTART	   0xfffe0u /* 32 bytes: where a BIOS begins */
#define BOOT_HIGH	   0x100000u

#define BOOT_CS 0x10
#define BOOT_DS 0x18
#define BOOT_TR 0x20

struct boot_file {
	const char *option; /* for messages: "-kernel" */
	char *path;
	int fd;
	uint64_t size;
};

/* BYTES from memory or from a file, then ZERO bytes of zeroes. */
struct boot_blob {
	gpa_t gpa;
	uint64_t bytes, zero;
	uint8_t *data; /* owned; NULL: from the file */
	const struct boot_file *file;
	uint64_t file_offset;
};

enum e820_type { E820_RAM = 1, E820_RESERVED = 2 };
struct e820_entry {
	uint64_t start, bytes;
	uint32_t type;
} __attribute__((packed));
#define BOOT_E820_MAX 8

#define BOOT_MAX_FILES 32 /* the kernel and its initrd or modules */

struct boot {
	struct machine *machine;
	struct boot_file *files[BOOT_MAX_FILES];
	unsigned n_files;
	struct boot_blob *blobs;
	unsigned n_blobs;
	struct x86_regs regs;
	struct e820_entry e820[BOOT_E820_MAX];
	unsigned n_e820;
	gpa_t rsdp;			     /* 0: no ACPI */
	gpa_t zero_page;		     /* Linux: struct boot_params; 0: none */
	struct boot_framebuffer framebuffer; /* width 0: text */
	gpa_t vmgenid;
	gpa_t facs; /* 0: no ACPI */
};

/*
 * NULL with a message that names option and file: missing, a directory, empty, unreadable. Closed
 * by boot_free.
 */
const struct boot_file *boot_open(struct boot *b, const char *option, const char *path,
				  struct error *err);
void boot_close_files(struct boot *b);
/* Exactly N bytes, or the message says that the file is truncated. */
bool boot_read(const struct boot_file *f, uint64_t offset, void *buf, size_t n, struct error *err);
/* Sets "OPTION PATH: ..." */
bool boot_fail(const struct boot_file *f, struct error *err, const char *fmt, ...)
	printf_like(3, 4);

/*
 * Is [gpa, gpa+bytes) RAM that a loader may fill: below the EBDA, or from 1 MiB to the end of low
 * RAM?
 */
bool boot_is_ram(const struct boot *b, gpa_t gpa, uint64_t bytes);
/*
 * Zeroed bytes that will be copied to GPA; the caller fills them in. The place is the caller's
 * business.
 */
uint8_t *boot_place(struct boot *b, gpa_t gpa, size_t bytes);
/*
 * File bytes and zeroes at GPA. Fails when they are outside of RAM, outside of the file or over
 * another blob.
 */
bool boot_place_file(struct boot *b, const struct boot_file *f, uint64_t offset, uint64_t bytes,
		     uint64_t zero, gpa_t gpa, struct error *err);
/* A page-aligned place for BYTES within [lo, hi) that no blob covers; 0 when there is none. */
gpa_t boot_find_space(const struct boot *b, uint64_t bytes, gpa_t lo, gpa_t hi, bool from_top);

/*
 * GDT in guest RAM and registers for 32-bit protected mode without paging, flat segments,
 * interrupts off.
 */
void boot_set_flat32(struct boot *b, uint32_t entry, gpa_t gdt);
/* The same in long mode, with the first 4 GiB mapped to themselves. */
void boot_set_long(struct boot *b, uint64_t entry);

/* Each: true when the image is of its kind and was taken; false with ERR set when it is but is no good; false with ERR
 * clear when it is something else. HEAD is the file's first BYTES. */
#define BOOT_HEAD_BYTES 8192
bool linux_load(struct boot *b, const struct boot_file *f, const uint8_t *head, size_t bytes,
		struct error *err);
bool multiboot_load(struct boot *b, const struct boot_file *f, const uint8_t *head, size_t bytes,
		    struct error *err);
bool pvh_load(struct boot *b, const struct boot_file *f, const uint8_t *head, size_t bytes,
	      struct error *err);

/* ---- elf.c ---- */
struct elf_image {
	bool is_64;
	uint16_t machine;
	uint64_t entry;	      /* as in the header: virtual */
	uint64_t entry_paddr; /* by the segment that holds it */
	gpa_t start, end;     /* of all that was placed */
	bool has_pvh_entry;
	uint64_t pvh_entry;
};
bool elf_is(const uint8_t *head, size_t bytes);
/*
 * Places the PT_LOAD segments at their physical addresses. NOTES_ONLY: reads the header and notes
 * and places nothing.
 */
bool elf_load(struct boot *b, const struct boot_file *f, bool notes_only, struct elf_image *out,
	      struct error *err);

#endif
