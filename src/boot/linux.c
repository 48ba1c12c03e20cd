/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux bzImage by the boot protocol 2.02 to 2.15 (Documentation/arch/x86/boot.rst), entered after
 * its real-mode part: at the 64-bit entry point where kernel and CPU have one, else at the 32-bit
 * one.
 *
 *	0x10000  struct boot_params ("zero page", zero-page.rst)
 *	0x11000  page tables for the 64-bit entry
 *	0x20000  command line
 *	0x100000 or pref_address: the protected-mode kernel; init_size bytes belong to it
 *	top	 initrd, as high as RAM and initrd_addr_max allow
 */
#include "src/boot/linux_image.h"

/* Offsets in struct boot_params */
enum {
	BP_EXT_MEM_K = 0x002,
	BP_ACPI_RSDP_ADDR = 0x070,
	BP_ALT_MEM_K = 0x1e0,
	BP_E820_ENTRIES = 0x1e8,
	BP_E820_TABLE = 0x2d0,
};

#define HDRS_MAGIC	  0x53726448 /* "HdrS" */
#define XLF_KERNEL_64	  BIT(0)
#define SETUP_DATA_HEADER 16 /* next, type, length */
#define SETUP_DATA_DTB	  2
#define ENTRY64_OFFSET	  0x200

static bool check_header(struct linux_image *k, const struct boot_file *f, struct error *err)
{
	unsigned sects = linux_hdr(k, HDR_SETUP_SECTS, 1);
	uint64_t sys_bytes;

	k->version = linux_hdr(k, HDR_VERSION, 2);
	if (linux_hdr(k, HDR_BOOT_FLAG, 2) != 0xaa55)
		return boot_fail(f, err,
				 "a Linux kernel with a damaged header (no 0xaa55 at 0x1fe)");
	if (k->version < 0x202)
		return boot_fail(f, err,
				 "boot protocol %u.%02u is too old; 2.02 is the oldest that works",
				 k->version >> 8, k->version & 0xff);
	if (!(linux_hdr(k, HDR_LOADFLAGS, 1) & LINUX_LOADED_HIGH))
		return boot_fail(f, err, "is a zImage; a bzImage is needed");
	k->setup_bytes = ((sects ? sects : 4) + 1) * 512;
	if (k->setup_bytes >= f->size)
		return boot_fail(f, err, "the file is truncated within the setup code");
	k->kernel_bytes = f->size - k->setup_bytes;
	/*
	 * In paragraphs; before 2.04 only the low half is there. What follows the kernel is no
	 * business of ours.
	 */
	sys_bytes = 16ull * (k->version >= 0x204 ? linux_hdr(k, HDR_SYSSIZE, 4)
						 : linux_hdr(k, HDR_SYSSIZE, 2));
	if (k->version >= 0x204 && sys_bytes > k->kernel_bytes + 15)
		return boot_fail(f, err, "the file is truncated: %llu bytes of %llu",
				 (unsigned long long)f->size,
				 (unsigned long long)(k->setup_bytes + sys_bytes));
	return true;
}

bool linux_read_header(struct linux_image *k, const struct boot_file *f, const uint8_t *head,
		       size_t bytes, struct error *err)
{
	*k = (struct linux_image){.head = head};
	if (bytes < HDR_MAGIC + 4 || ldn_le(head + HDR_MAGIC, 4) != HDRS_MAGIC)
		return false;
	if (bytes < 1024)
		return boot_fail(f, err, "the file is truncated within the setup header");
	if (!check_header(k, f, err))
		return false;
	k->initrd_addr_max =
		k->version >= 0x203 ? linux_hdr(k, HDR_INITRD_ADDR_MAX, 4) : 0x37ffffff;
	k->cmdline_max = k->version >= 0x206 ? linux_hdr(k, HDR_CMDLINE_SIZE, 4) : 255;
	k->cmdline_max = MIN(k->cmdline_max, BOOT_EBDA - BOOT_CMDLINE - 1);
	return true;
}

bool linux_choose_address(struct linux_image *k, const struct boot_file *f, const struct machine *m,
			  struct error *err)
{
	bool relocatable = k->version >= 0x205 && linux_hdr(k, HDR_RELOCATABLE, 1);
	uint64_t need = k->kernel_bytes, pref = BOOT_HIGH;
	uint64_t top = m->ram.below_4g;

	if (k->version >= 0x20a) {
		pref = ldn_le(k->head + HDR_PREF_ADDRESS, 8);
		need = MAX(need, linux_hdr(k, HDR_INIT_SIZE, 4));
	}
	/* A kernel that cannot move expects to find itself where code32_start says. */
	k->load = relocatable ? pref : linux_hdr(k, HDR_CODE32_START, 4);
	if (k->load < BOOT_HIGH || k->load >= 4 * GiB)
		return boot_fail(f, err, "a damaged header: load address 0x%llx",
				 (unsigned long long)k->load);
	k->runtime_end = k->load + need;
	if (k->runtime_end > top)
		return boot_fail(
			f, err,
			"the kernel needs RAM up to %llu MiB, and the guest has %llu MiB (-m)",
			(unsigned long long)(ALIGN_UP(k->runtime_end, MiB) / MiB),
			(unsigned long long)(m->ram.bytes / MiB));
	return true;
}

static bool cpu_has_long_mode(const struct machine *m)
{
	return !m->accel->has_long_mode || m->accel->has_long_mode((struct machine *)m);
}

bool linux_check_cmdline(const struct linux_image *k, const char *cmdline, struct error *err)
{
	size_t n = strlen(cmdline);

	if (n > k->cmdline_max)
		return error_set(err,
				 "-append: %zu characters, and this kernel's command line takes %u",
				 n, k->cmdline_max);
	return true;
}

static bool place_initrd(struct boot *b, const struct linux_image *k, uint8_t *zero_page,
			 struct error *err)
{
	const struct boot_file *f;
	gpa_t gpa;

	f = boot_open(b, "-initrd", b->machine->config.initrd, err);
	if (!f)
		return false;
	gpa = boot_find_space(b, f->size, k->runtime_end, (gpa_t)k->initrd_addr_max + 1, true);
	if (!gpa || f->size > UINT32_MAX)
		return boot_fail(
			f, err,
			"%llu MiB do not fit beside the kernel in the guest's RAM of %llu MiB (-m)",
			(unsigned long long)(ALIGN_UP(f->size, MiB) / MiB),
			(unsigned long long)(b->machine->ram.bytes / MiB));
	stn_le(zero_page + HDR_RAMDISK_IMAGE, 4, gpa);
	stn_le(zero_page + HDR_RAMDISK_SIZE, 4, f->size);
	return boot_place_file(b, f, 0, f->size, 0, gpa, err);
}

/* The device tree is the one piece of setup data (boot protocol 2.09). */
static bool place_device_tree(struct boot *b, const struct linux_image *k, uint8_t *zero_page,
			      struct error *err)
{
	uint64_t n = b->machine->device_tree_bytes;
	uint8_t *data;
	gpa_t gpa;

	if (!n || (k->version < 0x209 && !b->machine->config.dtb))
		return true;
	if (k->version < 0x209)
		return error_set(err, "-dtb %s: boot protocol %u.%02u has no place for it",
				 b->machine->config.dtb, k->version >> 8, k->version & 0xff);
	gpa = boot_find_space(b, SETUP_DATA_HEADER + n, k->runtime_end, 4 * GiB, true);
	if (!gpa)
		return error_set(err, "the device tree does not fit beside the kernel (-m)");
	data = boot_place(b, gpa, SETUP_DATA_HEADER + n);
	stn_le(data + 8, 4, SETUP_DATA_DTB);
	stn_le(data + 12, 4, n);
	memcpy(data + SETUP_DATA_HEADER, b->machine->device_tree, n);
	stn_le(zero_page + HDR_SETUP_DATA, 8, gpa);
	return true;
}

static uint8_t *make_zero_page(struct boot *b, const struct linux_image *k)
{
	uint8_t *zp = boot_place(b, BOOT_ZERO_PAGE, 4096);
	/* The header says where it ends: the jump at its start goes over it. */
	unsigned end = HDR_MAGIC + k->head[HDR_JUMP + 1];
	uint64_t high_k = (b->machine->ram.below_4g - BOOT_HIGH) / KiB;

	memcpy(zp + HDR_SETUP_SECTS, k->head + HDR_SETUP_SECTS,
	       MIN(MAX(end, HDR_CMD_LINE_PTR + 4u), HDR_END_MAX) - HDR_SETUP_SECTS);
	zp[HDR_TYPE_OF_LOADER] = LINUX_LOADER_UNDEFINED;
	stn_le(zp + HDR_VID_MODE, 2, LINUX_VID_MODE_NORMAL);
	stn_le(zp + HDR_CODE32_START, 4, k->load);
	stn_le(zp + HDR_RAMDISK_IMAGE, 8, 0);
	stn_le(zp + HDR_CMD_LINE_PTR, 4, BOOT_CMDLINE);
	if (k->version >= 0x209)
		stn_le(zp + HDR_SETUP_DATA, 8, 0);
	stn_le(zp + BP_EXT_MEM_K, 2, MIN(high_k, 0xfc00));
	stn_le(zp + BP_ALT_MEM_K, 4, MIN(high_k, UINT32_MAX));
	stn_le(zp + BP_ACPI_RSDP_ADDR, 8, b->rsdp);
	zp[BP_E820_ENTRIES] = (uint8_t)b->n_e820;
	memcpy(zp + BP_E820_TABLE, b->e820, b->n_e820 * sizeof(b->e820[0]));
	return zp;
}

bool linux_load(struct boot *b, const struct boot_file *f, const uint8_t *head, size_t bytes,
		struct error *err)
{
	struct linux_image k;
	const char *cmdline = b->machine->config.append ? b->machine->config.append : "";
	uint8_t *zero_page;

	if (!linux_read_header(&k, f, head, bytes, err) ||
	    !linux_choose_address(&k, f, b->machine, err))
		return false;
	k.entry64 = k.version >= 0x20c && (linux_hdr(&k, HDR_XLOADFLAGS, 2) & XLF_KERNEL_64) &&
		    k.kernel_bytes > ENTRY64_OFFSET && cpu_has_long_mode(b->machine);
	if (!linux_check_cmdline(&k, cmdline, err))
		return false;

	if (!boot_place_file(b, f, k.setup_bytes, k.kernel_bytes, 0, k.load, err))
		return false;
	zero_page = make_zero_page(b, &k);
	b->zero_page = BOOT_ZERO_PAGE;
	boot_screen_choose(b, cmdline);
	memcpy(boot_place(b, BOOT_CMDLINE, strlen(cmdline) + 1), cmdline, strlen(cmdline));
	if (!place_device_tree(b, &k, zero_page, err))
		return false;
	if (b->machine->config.initrd && !place_initrd(b, &k, zero_page, err))
		return false;
	if (k.entry64)
		boot_set_long(b, k.load + ENTRY64_OFFSET);
	else
		boot_set_flat32(b, (uint32_t)k.load, BOOT_GDT);
	b->regs.gpr[6] = BOOT_ZERO_PAGE; /* RSI */
	return true;
}
