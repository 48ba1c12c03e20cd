/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A kernel that firmware starts, from fw_cfg.
 *
 * Documentation/arch/x86/boot.rst, "Loading The Rest of The Kernel" and "Running the Kernel"; OVMF README, "-kernel".
 *
 *	0x10000		the setup code, its heap, its stack
 *	0x20000		command line
 *	0x100000 or pref_address: the protected-mode kernel; init_size bytes belong to it
 *	behind that	initrd: firmware keeps its tables at the end of RAM, and how much that is only it knows
 *
 * To a BIOS the setup header is given as a boot loader would have filled it in. UEFI does that by itself, and may want to check
 * a signature: it gets the image as it is.
 */
#include <stdlib.h>
#include "devices/chipset/fw_cfg.h"
#include "src/boot/bootorder.h"
#include "src/boot/firmware.h"
#include "src/boot/linux_image.h"

#define SETUP_ADDR	 0x10000u
#define CMDLINE_ADDR	 0x20000u
#define HEAP_END_OFFSET	 0x200	    /* from the address that heap_end_ptr names to the heap's end */
#define FIRMWARE_RAM_MAX (16 * MiB) /* that a BIOS keeps for itself at the end of RAM, at most */

#define ROM_FILE     "genroms/linuxboot_dma.bin"
#define ROM_CHECKSUM 0x07
#define ROM_PNP	     0x1a /* where its header is */
#define PNP_CHECKSUM 0x09
#define PNP_BYTES    0x20

#define VID_MODE_EXT 0xfffe
#define VID_MODE_ASK 0xfffd

extern const uint8_t linuxboot_rom[], linuxboot_rom_end[]; /* linuxboot_rom.S */

struct handover {
	struct boot boot; /* for its files */
	struct machine *m;
	struct linux_image image;
	const struct boot_file *kernel, *initrd;
	const char *cmdline;
	uint32_t initrd_addr;
	uint8_t head[BOOT_HEAD_BYTES];
};

static bool put_file(struct handover *h, const struct boot_file *f, uint64_t offset, unsigned key,
		     struct error *err)
{
	uint64_t n = f->size - offset;
	uint8_t *bytes;

	if (n > UINT32_MAX)
		return boot_fail(f, err, "%llu bytes are too many for firmware (at most 4 GiB)",
				 (unsigned long long)n);
	bytes = xmalloc(n ? n : 1);
	if (!boot_read(f, offset, bytes, n, err)) {
		free(bytes);
		return false;
	}
	fw_cfg_give(h->m->fw_cfg, key, bytes, (uint32_t)n);
	return true;
}

/* As boot loaders take "vga=" (Documentation/admin-guide/svga.rst). */
static uint16_t video_mode(const char *cmdline)
{
	const char *value = boot_find_word(cmdline, "vga=");

	if (!value)
		return LINUX_VID_MODE_NORMAL;
	if (!strncmp(value, "ext", 3))
		return VID_MODE_EXT;
	if (!strncmp(value, "ask", 3))
		return VID_MODE_ASK;
	return strncmp(value, "normal", 6) ? (uint16_t)strtoul(value, NULL, 0)
					   : LINUX_VID_MODE_NORMAL;
}

static bool choose_initrd(struct handover *h, struct error *err)
{
	const struct linux_image *k = &h->image;
	uint64_t end = MIN(h->m->ram.below_4g, (uint64_t)k->initrd_addr_max + 1);
	uint64_t at = ALIGN_UP(k->runtime_end, 4096), n = ALIGN_UP(h->initrd->size, 4096);

	/* Where a kernel does not say what belongs to it, the initrd goes as far away as it can. */
	if (k->version < 0x20a && end > at + n + FIRMWARE_RAM_MAX)
		at = ALIGN_DOWN(end - FIRMWARE_RAM_MAX - n, 4096);
	if (at >= end || n > end - at)
		return boot_fail(
			h->initrd, err,
			"%llu MiB do not fit beside the kernel in the guest's RAM of %llu MiB (-m)",
			(unsigned long long)(ALIGN_UP(n, MiB) / MiB),
			(unsigned long long)(h->m->ram.bytes / MiB));
	h->initrd_addr = (uint32_t)at;
	return true;
}

/* What a boot loader fills in. */
static void fill_header(struct handover *h)
{
	uint8_t *head = h->head;

	stn_le(head + HDR_VID_MODE, 2, video_mode(h->cmdline));
	head[HDR_TYPE_OF_LOADER] = LINUX_LOADER_UNDEFINED;
	head[HDR_LOADFLAGS] |= LINUX_CAN_USE_HEAP;
	stn_le(head + HDR_CODE32_START, 4, h->image.load);
	stn_le(head + HDR_HEAP_END_PTR, 2, CMDLINE_ADDR - SETUP_ADDR - HEAP_END_OFFSET);
	stn_le(head + HDR_CMD_LINE_PTR, 4, CMDLINE_ADDR);
	if (h->initrd) {
		stn_le(head + HDR_RAMDISK_IMAGE, 4, h->initrd_addr);
		stn_le(head + HDR_RAMDISK_SIZE, 4, h->initrd->size);
	}
}

/* The setup code: its first bytes are those of HEAD. */
static bool put_setup(struct handover *h, struct error *err)
{
	uint32_t n = h->image.setup_bytes, from_head = MIN(n, (uint32_t)sizeof(h->head));
	uint8_t *bytes = xmalloc(n ? n : 1);

	memcpy(bytes, h->head, from_head);
	if (!boot_read(h->kernel, from_head, bytes + from_head, n - from_head, err)) {
		free(bytes);
		return false;
	}
	fw_cfg_set_num(h->m->fw_cfg, FW_CFG_SETUP_ADDR, 4, SETUP_ADDR);
	fw_cfg_set_num(h->m->fw_cfg, FW_CFG_SETUP_SIZE, 4, n);
	fw_cfg_give(h->m->fw_cfg, FW_CFG_SETUP_DATA, bytes, n);
	return true;
}

static bool put_kernel(struct handover *h, struct error *err)
{
	struct device *fw_cfg = h->m->fw_cfg;
	uint64_t n = h->kernel->size - h->image.setup_bytes;

	fw_cfg_set_num(fw_cfg, FW_CFG_KERNEL_ADDR, 4, h->image.load);
	fw_cfg_set_num(fw_cfg, FW_CFG_KERNEL_SIZE, 4, n);
	fw_cfg_set_num(fw_cfg, FW_CFG_CMDLINE_ADDR, 4, CMDLINE_ADDR);
	fw_cfg_set_num(fw_cfg, FW_CFG_CMDLINE_SIZE, 4, strlen(h->cmdline) + 1);
	fw_cfg_set(fw_cfg, FW_CFG_CMDLINE_DATA, h->cmdline, (uint32_t)strlen(h->cmdline) + 1);
	if (h->initrd) {
		fw_cfg_set_num(fw_cfg, FW_CFG_INITRD_ADDR, 4, h->initrd_addr);
		fw_cfg_set_num(fw_cfg, FW_CFG_INITRD_SIZE, 4, h->initrd->size);
	}
	return put_setup(h, err) &&
	       put_file(h, h->kernel, h->image.setup_bytes, FW_CFG_KERNEL_DATA, err) &&
	       (!h->initrd || put_file(h, h->initrd, 0, FW_CFG_INITRD_DATA, err));
}

/* For UEFI: a bzImage, or any other program of its own (PE/COFF). */
static bool is_uefi_program(const struct handover *h)
{
	uint64_t pe = ldn_le(h->head + 0x3c, 4);

	return h->head[0] == 'M' && h->head[1] == 'Z' && pe <= sizeof(h->head) - 4 &&
	       !memcmp(h->head + pe, "PE\0\0", 4);
}

static bool read_images(struct handover *h, struct error *err)
{
	const struct machine_config *c = &h->m->config;
	size_t n;

	h->kernel = boot_open(&h->boot, "-kernel", c->kernel, err);
	if (h->kernel && c->initrd)
		h->initrd = boot_open(&h->boot, "-initrd", c->initrd, err);
	if (!h->kernel || (c->initrd && !h->initrd))
		return false;
	n = MIN(h->kernel->size, sizeof(h->head));
	if (!boot_read(h->kernel, 0, h->head, n, err))
		return false;
	if (linux_read_header(&h->image, h->kernel, h->head, n, err))
		return linux_check_cmdline(&h->image, h->cmdline, err);
	if (!error_is_set(err) && !(h->m->uefi && is_uefi_program(h)))
		boot_fail(h->kernel, err,
			  "with firmware (-bios, -drive if=pflash) it must be a Linux bzImage%s; "
			  "without, ELF and multiboot kernels start too",
			  h->m->uefi ? " or another UEFI program" : "");
	return !error_is_set(err);
}

static uint8_t sum_of(const uint8_t *bytes, size_t n)
{
	uint8_t sum = 0;

	while (n)
		sum += bytes[--n];
	return sum;
}

static bool add_rom(struct machine *m, struct error *err)
{
	size_t n = (size_t)(linuxboot_rom_end - linuxboot_rom);
	uint8_t *rom = xmalloc(n), *pnp;
	bool ok;

	memcpy(rom, linuxboot_rom, n);
	pnp = rom + ldn_le(rom + ROM_PNP, 2);
	pnp[PNP_CHECKSUM] -= sum_of(pnp, PNP_BYTES);
	rom[ROM_CHECKSUM] -= sum_of(rom, n);
	ok = fw_cfg_add_file(m->fw_cfg, ROM_FILE, rom, (uint32_t)n, err) &&
	     boot_index_add_path(m, -1, "/rom@" ROM_FILE, err);
	free(rom);
	return ok;
}

bool firmware_add_kernel(struct machine *m, struct error *err)
{
	struct handover *h;
	bool ok;

	if (!m->config.kernel)
		return true;
	if (m->config.dtb)
		return error_set(err, "-dtb %s: firmware does not pass a device tree on",
				 m->config.dtb);
	h = xzalloc(sizeof(*h));
	h->m = h->boot.machine = m;
	h->cmdline = m->config.append ? m->config.append : "";
	ok = read_images(h, err);
	if (ok && !m->uefi) {
		ok = linux_choose_address(&h->image, h->kernel, m, err) &&
		     (!h->initrd || choose_initrd(h, err));
		if (ok)
			fill_header(h);
	}
	ok = ok && put_kernel(h, err) && (m->uefi || add_rom(m, err));
	boot_close_files(&h->boot);
	free(h);
	return ok;
}
