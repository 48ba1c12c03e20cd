/* SPDX-License-Identifier: BSD-2-Clause */
/* The loaders on made-up images: what lands where, the registers, and a clear refusal of everything broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "src/boot/loader.h"
#include "tests/unit/boot_accel.h"
#include <elf.h>

static struct loop *loop;
static struct machine *m;
static char dir[64];
static struct error err;

/* ---- files and machines ---- */

static char *file_path(const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void write_file(const char *name, const void *data, size_t n)
{
	char *path = file_path(name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(n == 0 || fwrite(data, n, 1, f) == 1);
	fclose(f);
	free(path);
}

static int setup(void **state)
{
	loop = loop_new();
	boot_accel_long_mode = true;
	strcpy(dir, "/tmp/evmm-boot-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char *cmd = xasprintf("rm -r %s", dir);
	int r = system(cmd);

	free(cmd);
	loop_free(loop);
	return r;
}

static char *kernel_path, *initrd_path;

/* Builds a machine and boots FILES in it. False with ERR. */
static bool boot(const char *kernel, const char *initrd, const char *append, unsigned ram_mib)
{
	struct machine_config config = {
		.type = &machine_none,
		.accel = &boot_accel,
		.ram_bytes = ram_mib * MiB,
		.cpus = 1,
		.append = append,
		.acpi = true,
	};

	kernel_path = kernel ? file_path(kernel) : NULL;
	initrd_path = initrd && strchr(initrd, '/') == NULL ? file_path(initrd)
		      : initrd				    ? xstrdup(initrd)
							    : NULL;
	config.kernel = kernel_path;
	config.initrd = initrd_path;
	memset(&boot_accel_regs, 0, sizeof(boot_accel_regs));
	m = machine_new(loop, &config, NULL);
	return machine_build(m, &err) && boot_load(m, &err) && m->boot_reset(m, m->boot_opaque);
}

static void shut(void)
{
	boot_free(m);
	machine_free(m);
	free(kernel_path);
	free(initrd_path);
	error_clear(&err);
}

static void assert_boots(const char *kernel, const char *initrd, const char *append,
			 unsigned ram_mib)
{
	if (!boot(kernel, initrd, append, ram_mib))
		fail_msg("%s", err.msg ? err.msg : "no message");
}

static void assert_refused(const char *kernel, const char *initrd, unsigned ram_mib,
			   const char *why)
{
	if (boot(kernel, initrd, NULL, ram_mib))
		fail_msg("%s was taken", kernel);
	if (!err.msg || !strstr(err.msg, why) || strchr(err.msg, '\n') ||
	    (!strstr(err.msg, "-kernel /") && !strstr(err.msg, "-initrd /")))
		fail_msg("\n got '%s'\nwant '%s'", err.msg, why);
	shut();
}

static uint64_t ram(gpa_t gpa, unsigned size)
{
	return ldn_le(m->ram.host + gpa, size);
}

/* ---- bzImage ---- */

#define BZ_SETUP  (3 * 512) /* setup_sects 2 */
#define BZ_KERNEL 0x3000

static uint8_t bz[BZ_SETUP + BZ_KERNEL];

static void make_bz(void)
{
	memset(bz, 0, BZ_SETUP);
	for (size_t i = BZ_SETUP; i < sizeof(bz); i++)
		bz[i] = (uint8_t)(i * 7 + (i >> 8));
	bz[0x1f1] = 2;
	stn_le(bz + 0x1f4, 4, BZ_KERNEL / 16);
	stn_le(bz + 0x1fe, 2, 0xaa55);
	stn_le(bz + 0x200, 2, 0x66eb); /* the header ends at 0x268 */
	memcpy(bz + 0x202, "HdrS", 4);
	stn_le(bz + 0x206, 2, 0x20f);
	bz[0x211] = 1; /* LOADED_HIGH */
	stn_le(bz + 0x214, 4, 0x100000);
	stn_le(bz + 0x22c, 4, 0x7fffffff);
	stn_le(bz + 0x230, 4, 0x200000);
	bz[0x234] = 1; /* relocatable */
	stn_le(bz + 0x236, 2, 3);
	stn_le(bz + 0x238, 4, 2047);
	stn_le(bz + 0x258, 8, 0x1000000);
	stn_le(bz + 0x260, 4, 0x200000);
}

static void write_bz(void)
{
	write_file("bz", bz, sizeof(bz));
}

static void a_bzimage_is_entered_in_long_mode(void **state)
{
	make_bz();
	write_bz();
	assert_boots("bz", NULL, "console=ttyS0 quiet", 64);
	assert_int_equal(boot_accel_regs.rip, 0x1000200);
	assert_int_equal(boot_accel_regs.gpr[6], BOOT_ZERO_PAGE);
	assert_int_equal(boot_accel_regs.efer, 0x500);
	assert_int_equal(boot_accel_regs.cr0, 0x80000011);
	assert_int_equal(boot_accel_regs.cr4, 0x20);
	assert_true(boot_accel_regs.cs.l && !boot_accel_regs.cs.db &&
		    boot_accel_regs.cs.selector == 0x10);
	assert_int_equal(boot_accel_regs.rflags, 2);
	/* The identity map's last page, and the descriptors that the segments came from. */
	assert_int_equal(ram(ram(ram(boot_accel_regs.cr3, 8) & ~0xfffull, 8) & ~0xfffull, 8), 0xe7);
	assert_int_equal(
		ram((ram((ram(boot_accel_regs.cr3, 8) & ~0xfffull) + 24, 8) & ~0xfffull) + 511 * 8,
		    8),
		0xffe000e7);
	assert_true(ram(boot_accel_regs.gdt_base + 0x10, 8) == 0x00af9b000000ffff);
	assert_true(ram(boot_accel_regs.gdt_base + 0x18, 8) == 0x00cf93000000ffff);
	assert_memory_equal(m->ram.host + 0x1000000, bz + BZ_SETUP, BZ_KERNEL);
	assert_string_equal((char *)m->ram.host + ram(BOOT_ZERO_PAGE + 0x228, 4),
			    "console=ttyS0 quiet");
	shut();
}

static void a_cpu_without_long_mode_enters_at_the_32_bit_entry(void **state)
{
	make_bz();
	write_bz();
	boot_accel_long_mode = false;
	assert_boots("bz", NULL, NULL, 64);
	assert_int_equal(boot_accel_regs.rip, 0x1000000);
	assert_int_equal(boot_accel_regs.cr0, 0x11);
	assert_int_equal(boot_accel_regs.efer, 0);
	assert_true(boot_accel_regs.cs.db && !boot_accel_regs.cs.l &&
		    boot_accel_regs.cs.selector == 0x10 && boot_accel_regs.ds.selector == 0x18);
	assert_int_equal(boot_accel_regs.gpr[6], BOOT_ZERO_PAGE);
	assert_int_equal(boot_accel_regs.gpr[3] | boot_accel_regs.gpr[5] | boot_accel_regs.gpr[7],
			 0);
	shut();
	boot_accel_long_mode = true;
}

static void an_old_kernel_goes_where_code32_start_says(void **state)
{
	make_bz();
	stn_le(bz + 0x206, 2, 0x203);
	stn_le(bz + 0x22c, 4, 0x37ffffff);
	write_bz();
	assert_boots("bz", NULL, NULL, 16);
	assert_int_equal(boot_accel_regs.rip, 0x100000);
	assert_int_equal(boot_accel_regs.cr0, 0x11);
	shut();
}

static void the_zero_page_has_the_header_and_the_memory_map(void **state)
{
	const uint8_t *zp, *e;

	make_bz();
	write_bz();
	assert_boots("bz", NULL, NULL, 64);
	zp = m->ram.host + BOOT_ZERO_PAGE;
	assert_memory_equal(zp + 0x202, "HdrS", 4);
	assert_int_equal(zp[0x210], 0xff);
	assert_int_equal(ldn_le(zp + 0x1fa, 2), 0xffff);
	assert_int_equal(ldn_le(zp + 0x250, 8), 0); /* setup_data */
	assert_int_equal(zp[0x00f], 0);		    /* orig_video_isVGA */
	assert_int_equal(zp[0x1ef], 0);		    /* sentinel */
	for (unsigned i = 0x268; i < 0x290; i++)
		assert_int_equal(zp[i], 0);
	assert_int_equal(zp[0x1e8], 4);
	e = zp + 0x2d0;
	assert_true(ldn_le(e, 8) == 0 && ldn_le(e + 8, 8) == 0x9fc00 && ldn_le(e + 16, 4) == 1);
	assert_true(ldn_le(e + 20, 8) == 0x9fc00 && ldn_le(e + 36, 4) == 2);
	assert_true(ldn_le(e + 40, 8) == 0xe0000 && ldn_le(e + 48, 8) == 0x20000 &&
		    ldn_le(e + 56, 4) == 2);
	assert_true(ldn_le(e + 60, 8) == 0x100000 && ldn_le(e + 68, 8) == 63 * MiB &&
		    ldn_le(e + 76, 4) == 1);
	shut();
}

static void ram_above_4_gib_is_in_the_memory_map(void **state)
{
	const uint8_t *e;

	make_bz();
	write_bz();
	assert_boots("bz", NULL, NULL, 6144);
	e = m->ram.host + BOOT_ZERO_PAGE + 0x2d0;
	assert_int_equal(m->ram.host[BOOT_ZERO_PAGE + 0x1e8], 5);
	assert_true(ldn_le(e + 60, 8) + ldn_le(e + 68, 8) == m->ram.below_4g);
	assert_true(ldn_le(e + 80, 8) == 4 * GiB && ldn_le(e + 88, 8) == 6 * GiB - m->ram.below_4g);
	shut();
}

static void an_initrd_lies_high_within_the_kernels_limit(void **state)
{
	uint8_t data[5000];

	make_bz();
	write_bz();
	memset(data, 0x5a, sizeof(data));
	write_file("initrd", data, sizeof(data));
	assert_boots("bz", "initrd", NULL, 64);
	assert_int_equal(ram(BOOT_ZERO_PAGE + 0x218, 4), 64 * MiB - 0x2000);
	assert_int_equal(ram(BOOT_ZERO_PAGE + 0x21c, 4), sizeof(data));
	assert_memory_equal(m->ram.host + 64 * MiB - 0x2000, data, sizeof(data));
	shut();
	stn_le(bz + 0x22c, 4, 32 * MiB - 1);
	write_bz();
	assert_boots("bz", "initrd", NULL, 64);
	assert_int_equal(ram(BOOT_ZERO_PAGE + 0x218, 4), 32 * MiB - 0x2000);
	shut();
}

static void an_initrd_that_does_not_fit_is_refused(void **state)
{
	char *path = file_path("big");

	make_bz();
	write_bz();
	write_file("big", "x", 1);
	assert_int_equal(truncate(path, 60 * MiB), 0);
	assert_refused("bz", "big", 64,
		       "60 MiB do not fit beside the kernel in the guest's RAM of 64 MiB");
	assert_int_equal(truncate(path, 40ll << 30), 0);
	assert_refused("bz", "big", 64, "do not fit");
	assert_int_equal(truncate(path, 8ll << 40), 0);
	assert_refused("bz", "big", 64, "do not fit");
	free(path);
	assert_refused("bz", "missing", 64, "No such file or directory");
	write_file("empty", "", 0);
	assert_refused("bz", "empty", 64, "the file is empty");
}

static void a_reset_starts_from_the_same_image(void **state)
{
	struct x86_regs first;

	make_bz();
	write_bz();
	assert_boots("bz", NULL, "a=b", 64);
	first = boot_accel_regs;
	memset(m->ram.host, 0xcc, 64 * MiB);
	assert_true(m->boot_reset(m, m->boot_opaque));
	assert_memory_equal(&first, &boot_accel_regs, sizeof(boot_accel_regs));
	assert_memory_equal(m->ram.host + 0x1000000, bz + BZ_SETUP, BZ_KERNEL);
	assert_string_equal((char *)m->ram.host + BOOT_CMDLINE, "a=b");
	shut();
}

static void broken_bzimages_are_refused(void **state)
{
	make_bz();
	stn_le(bz + 0x1fe, 2, 0);
	write_bz();
	assert_refused("bz", NULL, 64, "damaged header");
	make_bz();
	stn_le(bz + 0x206, 2, 0x201);
	write_bz();
	assert_refused("bz", NULL, 64, "too old");
	make_bz();
	bz[0x211] = 0;
	write_bz();
	assert_refused("bz", NULL, 64, "zImage");
	make_bz();
	bz[0x1f1] = 255;
	write_bz();
	assert_refused("bz", NULL, 64, "truncated");
	make_bz();
	stn_le(bz + 0x258, 8, UINT64_MAX - 0xfff);
	write_bz();
	assert_refused("bz", NULL, 64, "load address");
	make_bz();
	stn_le(bz + 0x260, 4, UINT32_MAX);
	write_bz();
	assert_refused("bz", NULL, 64, "needs RAM up to 4112 MiB, and the guest has 64 MiB");
	make_bz();
	stn_le(bz + 0x206, 2, 0x203);
	stn_le(bz + 0x214, 4, 0x1000);
	write_bz();
	assert_refused("bz", NULL, 64, "load address");
}

static void a_bzimage_cut_anywhere_is_refused(void **state)
{
	make_bz();
	for (size_t n = 0x206; n < sizeof(bz) - 16; n += 509) {
		write_file("cut", bz, n);
		assert_refused("cut", NULL, 64, "truncated");
	}
}

static void the_command_line_has_the_kernels_limit(void **state)
{
	char line[4096];

	make_bz();
	write_bz();
	memset(line, 'x', sizeof(line));
	line[2047] = 0;
	assert_boots("bz", NULL, line, 64);
	shut();
	line[2047] = 'x';
	line[2048] = 0;
	assert_false(boot("bz", NULL, line, 64));
	assert_string_equal(err.msg,
			    "-append: 2048 characters, and this kernel's command line takes 2047");
	shut();
}

/* Headers full of noise: taken or refused, never a crash (run with the sanitizers). */
static void noise_in_the_header_does_no_harm(void **state)
{
	srand(1);
	for (unsigned round = 0; round < 400; round++) {
		make_bz();
		for (unsigned i = 0; i < 8; i++) {
			unsigned at = 0x1f1 + (unsigned)rand() % 0x77;

			if (at < 0x1fe || at > 0x208)
				bz[at] = (uint8_t)rand();
		}
		write_bz();
		if (!boot("bz", NULL, NULL, 32))
			assert_non_null(err.msg);
		shut();
	}
}

/* ---- ELF, PVH ---- */

static uint8_t elf[0x3000];

/* Code at 2 MiB, with BSS; data at 3 MiB; the note in a segment of its own. */
static void make_elf64(bool note)
{
	Elf64_Ehdr *h = (Elf64_Ehdr *)elf;
	Elf64_Phdr *p = (Elf64_Phdr *)(elf + sizeof(*h));

	for (size_t i = 0; i < sizeof(elf); i++)
		elf[i] = (uint8_t)(i * 5 + (i >> 8));
	memset(elf, 0, 0x200);
	memcpy(h->e_ident, ELFMAG, SELFMAG);
	h->e_ident[EI_CLASS] = ELFCLASS64;
	h->e_ident[EI_DATA] = ELFDATA2LSB;
	h->e_ident[EI_VERSION] = 1;
	h->e_type = ET_EXEC;
	h->e_machine = EM_X86_64;
	h->e_entry = 0xffffffff81000010;
	h->e_phoff = sizeof(*h);
	h->e_phentsize = sizeof(*p);
	h->e_phnum = 3;
	p[0] = (Elf64_Phdr){.p_type = PT_LOAD,
			    .p_offset = 0x1000,
			    .p_vaddr = 0xffffffff81000000,
			    .p_paddr = 0x200000,
			    .p_filesz = 0x800,
			    .p_memsz = 0x2000};
	p[1] = (Elf64_Phdr){.p_type = PT_LOAD,
			    .p_offset = 0x2000,
			    .p_vaddr = 0xffffffff81100000,
			    .p_paddr = 0x300000,
			    .p_filesz = 0x1000,
			    .p_memsz = 0x1000};
	p[2] = (Elf64_Phdr){
		.p_type = note ? PT_NOTE : PT_NULL, .p_offset = 0x180, .p_filesz = 20 + 16 + 16};
	/* Another note first, its name not a multiple of four. */
	memcpy(elf + 0x180, (uint32_t[]){2, 3, 1}, 12);
	memcpy(elf + 0x180 + 12, "X\0\0\0abc", 8);
	memcpy(elf + 0x180 + 20, (uint32_t[]){4, 8, 18}, 12);
	memcpy(elf + 0x180 + 32, "Xen", 4);
	stn_le(elf + 0x180 + 36, 8, 0x200040);
}

static void write_elf(void)
{
	write_file("elf", elf, sizeof(elf));
}

static void an_elf_with_a_pvh_note_gets_its_start_info(void **state)
{
	uint64_t si, map;

	make_elf64(true);
	write_elf();
	write_file("initrd", "module", 6);
	assert_boots("elf", "initrd", "root=none", 64);
	assert_int_equal(boot_accel_regs.rip, 0x200040);
	assert_int_equal(boot_accel_regs.cr0, 0x11);
	assert_true(boot_accel_regs.cs.db && boot_accel_regs.cs.limit == 0xffffffff &&
		    boot_accel_regs.tr.limit == 0x67);
	assert_int_equal(boot_accel_regs.cr4 | boot_accel_regs.efer, 0);
	si = boot_accel_regs.gpr[3];
	assert_int_equal(ram(si, 4), 0x336ec578);
	assert_int_equal(ram(si + 4, 4), 1);
	assert_int_equal(ram(si + 12, 4), 1);
	assert_string_equal((char *)m->ram.host + ram(si + 24, 8), "root=none");
	assert_memory_equal(m->ram.host + ram(ram(si + 16, 8), 8), "module", 6);
	assert_int_equal(ram(ram(si + 16, 8) + 8, 8), 6);
	map = ram(si + 40, 8);
	assert_int_equal(ram(si + 48, 4), 4);
	assert_true(ram(map, 8) == 0 && ram(map + 8, 8) == 0x9fc00 && ram(map + 16, 4) == 1);
	assert_memory_equal(m->ram.host + 0x200000, elf + 0x1000, 0x800);
	for (unsigned i = 0x800; i < 0x2000; i++)
		assert_int_equal(m->ram.host[0x200000 + i], 0);
	assert_memory_equal(m->ram.host + 0x300000, elf + 0x2000, 0x1000);
	shut();
}

static void broken_elf_files_are_refused(void **state)
{
	Elf64_Ehdr *h = (Elf64_Ehdr *)elf;
	Elf64_Phdr *p = (Elf64_Phdr *)(elf + sizeof(*h));

#define REFUSED(change, why)                          \
	do {                                          \
		make_elf64(true);                     \
		change;                               \
		write_elf();                          \
		assert_refused("elf", NULL, 64, why); \
	} while (0)

	REFUSED(p[2].p_type = PT_NULL, "neither a PVH note");
	REFUSED(h->e_machine = EM_AARCH64, "another processor");
	REFUSED(h->e_ident[EI_CLASS] = 7, "neither 32-bit nor 64-bit");
	REFUSED(h->e_ident[EI_DATA] = ELFDATA2MSB, "little-endian");
	REFUSED(h->e_type = ET_REL, "not an executable");
	REFUSED(h->e_phnum = 0, "0 program headers");
	REFUSED(h->e_phnum = 0xffff, "65535 program headers");
	REFUSED(h->e_phentsize = 1, "program headers of 1 bytes");
	REFUSED(h->e_phoff = UINT64_MAX, "truncated");
	REFUSED(h->e_phoff = sizeof(elf) - 10, "truncated");
	REFUSED(p[0].p_offset = sizeof(elf), "truncated");
	REFUSED(p[0].p_offset = UINT64_MAX, "truncated");
	REFUSED(p[0].p_filesz = UINT64_MAX, "more bytes in the file");
	REFUSED(p[0].p_memsz = 0x10, "more bytes in the file");
	REFUSED(p[0].p_memsz = UINT64_MAX, "do not fit");
	REFUSED(p[0].p_paddr = 64 * MiB, "do not fit");
	REFUSED(p[0].p_paddr = UINT64_MAX, "do not fit");
	REFUSED(p[0].p_paddr = 0xa0000, "do not fit");
	REFUSED(p[0].p_paddr = 0xff000, "do not fit");
	REFUSED(p[1].p_paddr = 0x200800, "two parts of the image");
	REFUSED(p[2].p_filesz = UINT64_MAX, "bytes of notes");
	REFUSED(p[2].p_offset = UINT64_MAX - 3, "truncated");
	REFUSED(stn_le(elf + 0x180 + 36, 8, 0x100000), "outside of the kernel");
	REFUSED(stn_le(elf + 0x180, 4, UINT32_MAX), "neither a PVH note");
	REFUSED(stn_le(elf + 0x184, 4, UINT32_MAX), "neither a PVH note");
}

static void noise_in_an_elf_header_does_no_harm(void **state)
{
	srand(2);
	for (unsigned round = 0; round < 400; round++) {
		make_elf64(true);
		for (unsigned i = 0; i < 4; i++)
			elf[16 + rand() % 0x1a8] = (uint8_t)rand();
		write_elf();
		if (!boot("elf", NULL, NULL, 32))
			assert_non_null(err.msg);
		shut();
	}
}

/* ---- multiboot ---- */

static uint8_t mb[0x2000];

static void put_mb_header(uint8_t *p, uint32_t flags)
{
	stn_le(p, 4, 0x1badb002);
	stn_le(p + 4, 4, flags);
	stn_le(p + 8, 4, 0u - 0x1badb002 - flags);
}

/* Header at 0x40 with addresses: the file from 0x20 on goes to 1 MiB. */
static void make_mb(uint32_t flags)
{
	static const uint32_t addresses[] = {0x100020, 0x100000, 0, 0x103000, 0x100800};

	for (size_t i = 0; i < sizeof(mb); i++)
		mb[i] = (uint8_t)(i * 3 + (i >> 8));
	put_mb_header(mb + 0x40, flags | BIT(16));
	for (unsigned i = 0; i < ARRAY_SIZE(addresses); i++)
		stn_le(mb + 0x40 + 12 + 4 * i, 4, addresses[i]);
}

static void write_mb(void)
{
	write_file("mb", mb, sizeof(mb));
}

static void a_multiboot_image_is_loaded_by_its_addresses(void **state)
{
	uint64_t info, map;
	char *want;

	make_mb(3);
	write_mb();
	assert_boots("mb", NULL, "-v", 16);
	assert_int_equal(boot_accel_regs.rip, 0x100800);
	assert_int_equal(boot_accel_regs.gpr[0], 0x2badb002);
	assert_int_equal(boot_accel_regs.cr0, 0x11);
	assert_memory_equal(m->ram.host + 0x100000, mb + 0x20, sizeof(mb) - 0x20);
	assert_int_equal(ram(0x100000 + sizeof(mb) - 0x20, 8), 0);
	info = boot_accel_regs.gpr[3];
	assert_int_equal(ram(info, 4), 0x24d); /* memory, command line, modules, map, name */
	assert_int_equal(ram(info + 4, 4), 639);
	assert_int_equal(ram(info + 8, 4), 15 * 1024);
	want = xasprintf("%s/mb -v", dir);
	assert_string_equal((char *)m->ram.host + ram(info + 16, 4), want);
	free(want);
	assert_int_equal(ram(info + 20, 4), 0);
	assert_string_equal((char *)m->ram.host + ram(info + 64, 4), "evmm");
	assert_int_equal(ram(info + 44, 4), 4 * 24);
	map = ram(info + 48, 4);
	assert_true(ram(map, 4) == 20 && ram(map + 4, 8) == 0 && ram(map + 12, 8) == 0x9fc00 &&
		    ram(map + 20, 4) == 1);
	assert_true(ram(map + 72 + 4, 8) == 0x100000 && ram(map + 72 + 12, 8) == 15 * MiB);
	shut();
}

static void multiboot_modules_have_their_arguments(void **state)
{
	char *initrd = xasprintf("%s/one arg1 arg2, %s/two x,,y", dir, dir);
	char *want = xasprintf("%s/two x,y", dir);
	uint64_t mods;

	make_mb(1);
	write_mb();
	write_file("one", "first", 5);
	write_file("two", "second", 6);
	assert_boots("mb", initrd, NULL, 16);
	assert_int_equal(ram(boot_accel_regs.gpr[3] + 20, 4), 2);
	mods = ram(boot_accel_regs.gpr[3] + 24, 4);
	assert_int_equal(ram(mods, 4) % 4096, 0);
	assert_true(ram(mods, 4) >= 0x103000);
	assert_int_equal(ram(mods + 4, 4) - ram(mods, 4), 5);
	assert_memory_equal(m->ram.host + ram(mods, 4), "first", 5);
	assert_true(ram(mods + 16, 4) >= ram(mods + 4, 4));
	assert_memory_equal(m->ram.host + ram(mods + 16, 4), "second", 6);
	assert_string_equal((char *)m->ram.host + ram(mods + 16 + 8, 4), want);
	shut();
	free(want);
	free(initrd);
}

static void a_multiboot_elf_is_entered_at_its_physical_address(void **state)
{
	make_elf64(false);
	put_mb_header(elf + 0x1000, 0);
	write_elf();
	assert_boots("elf", NULL, NULL, 64);
	assert_int_equal(boot_accel_regs.rip, 0x200010);
	assert_int_equal(boot_accel_regs.gpr[0], 0x2badb002);
	shut();
}

static void broken_multiboot_images_are_refused(void **state)
{
#define MB_REFUSED(offset, value, why)                    \
	do {                                              \
		make_mb(0);                               \
		stn_le(mb + 0x40 + (offset), 4, (value)); \
		write_mb();                               \
		assert_refused("mb", NULL, 16, why);      \
	} while (0)

	MB_REFUSED(8, 0, "not a kernel"); /* checksum */
	MB_REFUSED(12, 0xfffff, "load_addr");
	MB_REFUSED(12, 0x100041, "load_addr");
	MB_REFUSED(16, 0, "load_addr");
	MB_REFUSED(20, 0xff000, "load_end_addr");
	MB_REFUSED(20, 0x200000, "bss_end_addr");
	make_mb(0);
	stn_le(mb + 0x40 + 20, 8, 0x200000); /* no bss_end_addr */
	write_mb();
	assert_refused("mb", NULL, 16, "truncated");
	MB_REFUSED(24, 0x100010, "bss_end_addr");
	MB_REFUSED(24, 0xffffffff, "do not fit");
	MB_REFUSED(28, 0xf0000, "outside of RAM");
	MB_REFUSED(28, 0xfffffff0, "outside of RAM");
	make_mb(8);
	write_mb();
	assert_refused("mb", NULL, 16, "unknown features");
	make_mb(0);
	put_mb_header(mb + 0x40, 0);
	write_mb();
	assert_refused("mb", NULL, 16, "neither ELF nor");
	make_mb(0);
	write_file("mb", mb, 0x50);
	assert_refused("mb", NULL, 16, "truncated");
	make_mb(0);
	write_mb();
	assert_refused("mb", "missing", 16, "No such file");
}

static void noise_in_a_multiboot_header_does_no_harm(void **state)
{
	srand(3);
	for (unsigned round = 0; round < 400; round++) {
		make_mb((uint32_t)rand() & 3);
		for (unsigned i = 0; i < 4; i++)
			mb[0x4c + rand() % 20] = (uint8_t)rand();
		write_mb();
		if (!boot("mb", NULL, NULL, 16))
			assert_non_null(err.msg);
		shut();
	}
}

/* ---- files ---- */

static void files_that_are_no_kernels_are_named(void **state)
{
	char *path;
	uint8_t text[2000];

	memset(text, '#', sizeof(text));
	assert_refused("missing", NULL, 16, "No such file or directory");
	write_file("empty", "", 0);
	assert_refused("empty", NULL, 16, "the file is empty");
	write_file("text", text, sizeof(text));
	assert_refused("text", NULL, 16, "not a kernel");
	write_file("one", "x", 1);
	assert_refused("one", NULL, 16, "not a kernel");
	write_file("ident", "\177ELF", 4);
	assert_refused("ident", NULL, 16, "not a kernel");
	assert_refused(".", NULL, 16, "is a directory");
	path = file_path("fifo");
	assert_int_equal(mkfifo(path, 0600), 0);
	free(path);
	assert_refused("fifo", NULL, 16, "is not a regular file");
	path = file_path("sparse");
	write_file("sparse", "x", 1);
	assert_int_equal(truncate(path, 1ll << 40), 0);
	free(path);
	assert_refused("sparse", NULL, 16, "not a kernel");
}

static void a_file_that_shrinks_while_the_guest_runs_is_noticed(void **state)
{
	char *path = file_path("bz");

	make_bz();
	write_bz();
	assert_boots("bz", NULL, NULL, 64);
	assert_int_equal(truncate(path, BZ_SETUP + 100), 0);
	assert_false(m->boot_reset(m, m->boot_opaque));
	shut();
	free(path);
}

static void without_a_kernel_there_is_nothing_to_do_or_an_error(void **state)
{
	struct machine_config config = {
		.type = &machine_none, .accel = &boot_accel, .ram_bytes = MiB, .cpus = 1};

	m = machine_new(loop, &config, NULL);
	assert_true(machine_build(m, &err));
	assert_true(boot_load(m, &err));
	assert_null(m->boot_reset);
	boot_free(m);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bzimage_is_entered_in_long_mode),
		cmocka_unit_test(a_cpu_without_long_mode_enters_at_the_32_bit_entry),
		cmocka_unit_test(an_old_kernel_goes_where_code32_start_says),
		cmocka_unit_test(the_zero_page_has_the_header_and_the_memory_map),
		cmocka_unit_test(ram_above_4_gib_is_in_the_memory_map),
		cmocka_unit_test(an_initrd_lies_high_within_the_kernels_limit),
		cmocka_unit_test(an_initrd_that_does_not_fit_is_refused),
		cmocka_unit_test(a_reset_starts_from_the_same_image),
		cmocka_unit_test(broken_bzimages_are_refused),
		cmocka_unit_test(a_bzimage_cut_anywhere_is_refused),
		cmocka_unit_test(the_command_line_has_the_kernels_limit),
		cmocka_unit_test(noise_in_the_header_does_no_harm),
		cmocka_unit_test(an_elf_with_a_pvh_note_gets_its_start_info),
		cmocka_unit_test(broken_elf_files_are_refused),
		cmocka_unit_test(noise_in_an_elf_header_does_no_harm),
		cmocka_unit_test(a_multiboot_image_is_loaded_by_its_addresses),
		cmocka_unit_test(multiboot_modules_have_their_arguments),
		cmocka_unit_test(a_multiboot_elf_is_entered_at_its_physical_address),
		cmocka_unit_test(broken_multiboot_images_are_refused),
		cmocka_unit_test(noise_in_a_multiboot_header_does_no_harm),
		cmocka_unit_test(files_that_are_no_kernels_are_named),
		cmocka_unit_test(a_file_that_shrinks_while_the_guest_runs_is_noticed),
		cmocka_unit_test(without_a_kernel_there_is_nothing_to_do_or_an_error),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
