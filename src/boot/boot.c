/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -kernel: recognizes the image, lets its loader lay it out, and puts it into guest RAM after every
 * reset.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "devices/chipset/vmgenid.h"
#include "src/boot/device_tree.h"
#include "src/boot/firmware.h"
#include "src/boot/loader.h"
#include "src/boot/mptable.h"
#include "src/boot/smbios.h"

/* ---- files ---- */

bool boot_fail(const struct boot_file *f, struct error *err, const char *fmt, ...)
{
	char msg[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	return error_set(err, "%s %s: %s", f->option, f->path, msg);
}

static bool check_file(struct boot_file *f, struct error *err)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return boot_fail(f, err, "%s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return boot_fail(f, err, "is a directory");
	if (!S_ISREG(st.st_mode))
		return boot_fail(f, err, "is not a regular file");
	if (st.st_size == 0)
		return boot_fail(f, err, "the file is empty");
	f->size = (uint64_t)st.st_size;
	return true;
}

static void close_file(struct boot_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f);
}

void boot_close_files(struct boot *b)
{
	while (b->n_files)
		close_file(b->files[--b->n_files]);
}

const struct boot_file *boot_open(struct boot *b, const char *option, const char *path,
				  struct error *err)
{
	struct boot_file *f;

	if (b->n_files == BOOT_MAX_FILES) {
		error_set(err, "%s %s: more than %u files", option, path, BOOT_MAX_FILES);
		return NULL;
	}
	f = xzalloc(sizeof(*f));
	f->option = option;
	f->path = xstrdup(path);
	/* O_NONBLOCK: a FIFO without a writer is to be refused, not waited for. */
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0)
		boot_fail(f, err, "%s", strerror(errno));
	if (f->fd < 0 || !check_file(f, err)) {
		close_file(f);
		return NULL;
	}
	b->files[b->n_files++] = f;
	return f;
}

static bool read_all(const struct boot_file *f, uint64_t offset, uint8_t *buf, size_t n,
		     struct error *err)
{
	while (n) {
		ssize_t got = pread(f->fd, buf, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return boot_fail(f, err, "read error: %s", strerror(errno));
		if (got == 0)
			return boot_fail(f, err, "the file is truncated");
		buf += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return true;
}

bool boot_read(const struct boot_file *f, uint64_t offset, void *buf, size_t n, struct error *err)
{
	if (offset > f->size || n > f->size - offset)
		return boot_fail(f, err, "the file is truncated");
	return read_all(f, offset, buf, n, err);
}

/* ---- where things go ---- */

bool boot_is_ram(const struct boot *b, gpa_t gpa, uint64_t bytes)
{
	uint64_t top = b->machine->ram.below_4g;

	if (gpa < BOOT_EBDA && bytes <= BOOT_EBDA - gpa && gpa + bytes <= top)
		return true;
	return gpa >= BOOT_HIGH && gpa <= top && bytes <= top - gpa;
}

static const struct boot_blob *find_blob(const struct boot *b, gpa_t gpa, uint64_t bytes)
{
	for (unsigned i = 0; i < b->n_blobs; i++) {
		const struct boot_blob *blob = &b->blobs[i];

		if (gpa < blob->gpa + blob->bytes + blob->zero && blob->gpa < gpa + bytes)
			return blob;
	}
	return NULL;
}

static struct boot_blob *add_blob(struct boot *b)
{
	b->blobs = xrealloc(b->blobs, (b->n_blobs + 1) * sizeof(*b->blobs));
	memset(&b->blobs[b->n_blobs], 0, sizeof(*b->blobs));
	return &b->blobs[b->n_blobs++];
}

uint8_t *boot_place(struct boot *b, gpa_t gpa, size_t bytes)
{
	struct boot_blob *blob = add_blob(b);

	blob->gpa = gpa;
	blob->bytes = bytes;
	blob->data = xzalloc(bytes);
	return blob->data;
}

bool boot_place_file(struct boot *b, const struct boot_file *f, uint64_t offset, uint64_t bytes,
		     uint64_t zero, gpa_t gpa, struct error *err)
{
	struct boot_blob *blob;
	uint64_t total;

	if (offset > f->size || bytes > f->size - offset)
		return boot_fail(f, err, "the file is truncated");
	if (__builtin_add_overflow(bytes, zero, &total) || !boot_is_ram(b, gpa, total))
		return boot_fail(
			f, err,
			"0x%llx bytes for address 0x%llx do not fit in the guest's RAM of %llu MiB",
			(unsigned long long)(bytes + zero), (unsigned long long)gpa,
			(unsigned long long)(b->machine->ram.bytes / MiB));
	if (total == 0)
		return true;
	if (find_blob(b, gpa, total))
		return boot_fail(f, err, "two parts of the image are both for address 0x%llx",
				 (unsigned long long)gpa);
	blob = add_blob(b);
	blob->gpa = gpa;
	blob->bytes = bytes;
	blob->zero = zero;
	blob->file = f;
	blob->file_offset = offset;
	return true;
}

gpa_t boot_find_space(const struct boot *b, uint64_t bytes, gpa_t lo, gpa_t hi, bool from_top)
{
	gpa_t at;

	lo = ALIGN_UP(lo, 4096);
	hi = MIN(hi, b->machine->ram.below_4g);
	if (hi < lo || bytes > hi - lo)
		return 0;
	at = from_top ? ALIGN_DOWN(hi - bytes, 4096) : lo;
	while (at >= lo && at + bytes <= hi) {
		const struct boot_blob *blob = find_blob(b, at, bytes);

		if (!blob)
			return boot_is_ram(b, at, bytes) ? at : 0;
		if (!from_top)
			at = ALIGN_UP(blob->gpa + blob->bytes + blob->zero, 4096);
		else if (blob->gpa < bytes)
			return 0;
		else
			at = ALIGN_DOWN(blob->gpa - bytes, 4096);
	}
	return 0;
}

/* ---- the state that every image starts in ---- */

static const struct x86_segment flat_code = {.selector = BOOT_CS,
					     .limit = 0xffffffff,
					     .type = 0xb,
					     .s = true,
					     .present = true,
					     .db = true,
					     .g = true};
static const struct x86_segment flat_data = {.selector = BOOT_DS,
					     .limit = 0xffffffff,
					     .type = 0x3,
					     .s = true,
					     .present = true,
					     .db = true,
					     .g = true};

static void put_gdt(struct boot *b, gpa_t gdt, uint64_t code)
{
	uint8_t *table = boot_place(b, gdt, 6 * 8);

	stn_le(table + BOOT_CS, 8, code);
	stn_le(table + BOOT_DS, 8, 0x00cf93000000ffff);
	/* A busy TSS at 0 with the smallest limit; 16 bytes in long mode. */
	stn_le(table + BOOT_TR, 8, 0x00008b0000000067);
	b->regs.gdt_base = gdt;
	b->regs.gdt_limit = 6 * 8 - 1;
}

static void set_flat(struct boot *b, uint64_t entry)
{
	struct x86_regs *r = &b->regs;

	r->rip = entry;
	r->rflags = 2;
	r->cs = flat_code;
	r->ds = r->es = r->ss = r->fs = r->gs = flat_data;
	r->tr = (struct x86_segment){
		.selector = BOOT_TR, .limit = 0x67, .type = 0xb, .present = true};
	r->ldt = (struct x86_segment){.limit = 0xffff, .type = 0x2, .present = true};
	r->cr0 = 0x11; /* PE, ET */
	r->dr[6] = 0xffff0ff0;
	r->dr[7] = 0x400;
}

void boot_set_flat32(struct boot *b, uint32_t entry, gpa_t gdt)
{
	put_gdt(b, gdt, 0x00cf9b000000ffff);
	set_flat(b, entry);
}

void boot_set_long(struct boot *b, uint64_t entry)
{
	struct x86_regs *r = &b->regs;
	uint8_t *t = boot_place(b, BOOT_PAGE_TABLES, 6 * 4096);

	stn_le(t, 8, (BOOT_PAGE_TABLES + 0x1000) | 7);
	for (unsigned i = 0; i < 4; i++)
		stn_le(t + 0x1000 + i * 8, 8, (BOOT_PAGE_TABLES + 0x2000 + i * 0x1000) | 7);
	/* Present, writable, user, accessed, dirty, 2 MiB */
	for (uint64_t i = 0; i < 4 * 512; i++)
		stn_le(t + 0x2000 + i * 8, 8, i * 2 * MiB | 0xe7);
	put_gdt(b, BOOT_GDT, 0x00af9b000000ffff);
	set_flat(b, entry);
	r->cs.l = true;
	r->cs.db = false;
	r->cr3 = BOOT_PAGE_TABLES;
	r->cr4 = 0x20;	     /* PAE */
	r->efer = 0x500;     /* LME, LMA */
	r->cr0 = 0x80000011; /* PG, PE, ET */
}

static void add_range(struct boot *b, uint64_t start, uint64_t end, enum e820_type type)
{
	if (start < end)
		b->e820[b->n_e820++] = (struct e820_entry){start, end - start, type};
}

static void make_memory_map(struct boot *b)
{
	const struct machine_ram *ram = &b->machine->ram;

	add_range(b, 0, MIN(ram->below_4g, BOOT_EBDA), E820_RAM);
	add_range(b, BOOT_EBDA, BOOT_VGA_HOLE, E820_RESERVED);
	add_range(b, BOOT_SMBIOS, BOOT_HIGH, E820_RESERVED);
	add_range(b, BOOT_HIGH, ram->below_4g, E820_RAM);
	add_range(b, 4 * GiB, 4 * GiB + ram->above_4g, E820_RAM);
}

/* What a PC's firmware leaves at 40:0 that systems without one still look at. */
static void place_bios_data(struct boot *b)
{
	static const uint16_t com_ports[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
	const struct acpi_board *board = b->machine->acpi;
	uint8_t *bda = boot_place(b, BOOT_BDA, 256);

	for (unsigned i = 0; board && i < ARRAY_SIZE(com_ports); i++)
		if (board->serial_mask & (1u << i))
			stn_le(bda + 2 * i, 2, com_ports[i]);
	stn_le(bda + 0x0e, 2, BOOT_EBDA >> 4);
	stn_le(bda + 0x13, 2, BOOT_EBDA / KiB);
	*boot_place(b, BOOT_EBDA, 1) = (BOOT_VGA_HOLE - BOOT_EBDA) / KiB;
}

/*
 * A guest that wants to reboot may jump to where the BIOS begins (Linux's reboot=bios, and its last resort). There a triple fault is
 * waiting:
 *
 *	fffe0	an empty IDT
 *	ffff0	ljmp $0xf000, $0xfff5; lidt %cs:0xffe0; ud2
 */
static void place_restart(struct boot *b)
{
	static const uint8_t code[] = {0xea, 0xf5, 0xff, 0x00, 0xf0, 0x2e, 0x0f,
				       0x01, 0x1e, 0xe0, 0xff, 0x0f, 0x0b};

	memcpy(boot_place(b, BOOT_RESTART, 32) + 16, code, sizeof(code));
}

static bool place_acpi(struct boot *b, struct error *err)
{
	struct acpi_tables tables;

	if (!b->machine->acpi || !b->machine->config.acpi)
		return true;
	if (b->machine->acpi_refresh)
		b->machine->acpi_refresh(b->machine);
	tables = acpi_build(b->machine->acpi, BOOT_ACPI);
	if (tables.n > BOOT_SMBIOS_ANCHOR - BOOT_ACPI) {
		free(tables.bytes);
		return error_set(err, "-smp %u: ACPI tables for so many CPUs do not fit",
				 b->machine->acpi->cpus);
	}
	memcpy(boot_place(b, BOOT_ACPI, tables.n), tables.bytes, tables.n);
	free(tables.bytes);
	b->rsdp = BOOT_ACPI;
	b->vmgenid = tables.vmgenid;
	b->facs = tables.facs;
	return true;
}

/* In ACPI's place. A board with PCI has more interrupts than our table tells of. */
static void place_mptable(struct boot *b)
{
	struct machine *m = b->machine;
	uint32_t id[4] = {0};
	struct aml table;

	if (!m->acpi || m->config.acpi || m->acpi->pci != ACPI_PCI_NONE)
		return;
	if (m->accel->cpuid)
		m->accel->cpuid(m->vcpus[0], 1, id);
	table = mptable_build(m->acpi, id[0], id[3], BOOT_ACPI);
	memcpy(boot_place(b, BOOT_ACPI, table.n), table.bytes, table.n);
	free(table.bytes);
}

static bool place_smbios(struct boot *b, struct error *err)
{
	struct smbios s;
	bool ok = smbios_build(b->machine, true, &s, err);

	if (ok && s.n > BOOT_ACPI - BOOT_SMBIOS)
		ok = error_set(err, "-smbios: tables of %zu bytes are too many", s.n);
	if (ok) {
		smbios_link(&s, BOOT_SMBIOS);
		memcpy(boot_place(b, BOOT_SMBIOS, s.n), s.tables, s.n);
		memcpy(boot_place(b, BOOT_SMBIOS_ANCHOR, s.anchor_bytes), s.anchor, s.anchor_bytes);
	}
	free(s.tables);
	return ok;
}

/* ---- after each reset ---- */

/* FILE NULL: zeroes. */
static bool fill_ram(struct machine *m, gpa_t gpa, uint64_t bytes, const struct boot_file *file,
		     uint64_t offset, struct error *err)
{
	while (bytes) {
		size_t n = bytes;
		uint8_t *host = dma_map(m, gpa, &n, true);
		bool ok = true;

		if (!host || !n)
			return error_set(err, "no RAM at address 0x%llx for the boot image",
					 (unsigned long long)gpa);
		n = MIN(n, bytes);
		if (file)
			ok = read_all(file, offset, host, n, err);
		else
			memset(host, 0, n);
		dma_unmap(m, gpa, host, n, true);
		if (!ok)
			return false;
		gpa += n;
		offset += n;
		bytes -= n;
	}
	return true;
}

static bool put_blob(struct machine *m, const struct boot_blob *blob, struct error *err)
{
	if (blob->data && !dma_write(m, blob->gpa, blob->data, blob->bytes))
		return error_set(err, "no RAM at address 0x%llx for the boot image",
				 (unsigned long long)blob->gpa);
	if (!blob->data && !fill_ram(m, blob->gpa, blob->bytes, blob->file, blob->file_offset, err))
		return false;
	return fill_ram(m, blob->gpa + blob->bytes, blob->zero, NULL, 0, err);
}

static bool boot_reset(struct machine *m, void *opaque)
{
	struct boot *b = opaque;
	struct error err = ERROR_INIT;

	for (unsigned i = 0; i < b->n_blobs; i++) {
		if (!put_blob(m, &b->blobs[i], &err)) {
			error_report(&err);
			return false;
		}
	}
	if (m->assign_resources)
		m->assign_resources(m);
	boot_screen_reset(b);
	if (b->vmgenid)
		vmgenid_set_address(m->vmgenid, b->vmgenid);
	m->accel->set_regs(m->vcpus[0], &b->regs);
	return true;
}

/* What firmware does after a suspension: the guest's own code, in real mode, where its FACS says. Without that it starts anew. */
static bool boot_wake(struct machine *m, void *opaque)
{
	struct boot *b = opaque;
	struct x86_regs regs;
	uint8_t vector[4] = {0};
	uint32_t at;

	if (b->facs)
		dma_read(m, b->facs + ACPI_FACS_WAKING_VECTOR, vector, sizeof(vector));
	at = (uint32_t)ldn_le(vector, 4);
	if (!at || at >= MiB)
		return boot_reset(m, opaque);
	if (b->vmgenid)
		vmgenid_set_address(m->vmgenid, b->vmgenid);
	boot_screen_wake(b);
	m->accel->get_regs(m->vcpus[0], &regs);
	regs.cs.selector = (uint16_t)(at >> 4);
	regs.cs.base = at & ~15u;
	regs.rip = at & 15;
	m->accel->set_regs(m->vcpus[0], &regs);
	return true;
}

static bool recognize(struct boot *b, const struct boot_file *f, struct error *err)
{
	size_t n = MIN(f->size, BOOT_HEAD_BYTES);
	uint8_t *head = xzalloc(BOOT_HEAD_BYTES);
	bool ok = boot_read(f, 0, head, n, err);

	if (ok) {
		ok = linux_load(b, f, head, n, err) ||
		     (!error_is_set(err) && multiboot_load(b, f, head, n, err)) ||
		     (!error_is_set(err) && pvh_load(b, f, head, n, err));
		if (!ok && !error_is_set(err))
			boot_fail(
				f, err,
				"not a kernel: neither Linux bzImage, nor ELF with a PVH note, nor multiboot");
	}
	free(head);
	return ok;
}

bool boot_load(struct machine *m, struct error *err)
{
	const struct boot_file *kernel;
	struct boot *b;

	if (m->config.boot.firmware)
		return firmware_describe(m, err);
	if (!m->config.kernel) {
		if (m->config.type == &machine_none || !m->n_vcpus)
			return true;
		return error_set(err, "nothing to boot: -kernel FILE names a kernel");
	}
	if (!m->n_vcpus)
		return error_set(err, "-kernel %s: this machine has no CPU to run it",
				 m->config.kernel);
	b = xzalloc(sizeof(*b));
	b->machine = m;
	m->boot_reset = boot_reset;
	m->boot_wake = boot_wake;
	m->boot_opaque = b;
	make_memory_map(b);
	if (m->config.type->before_boot && !m->config.type->before_boot(m, err))
		return false;
	place_bios_data(b);
	place_restart(b);
	place_mptable(b);
	if (!place_acpi(b, err) || !place_smbios(b, err))
		return false;
	if (m->config.dtb && !device_tree_read(m, err))
		return false;
	kernel = boot_open(b, "-kernel", m->config.kernel, err);
	return kernel && recognize(b, kernel, err);
}

void boot_free(struct machine *m)
{
	struct boot *b = m->boot_opaque;

	if (m->boot_reset != boot_reset)
		return;
	for (unsigned i = 0; i < b->n_blobs; i++)
		free(b->blobs[i].data);
	free(b->blobs);
	boot_close_files(b);
	free(b);
	m->boot_reset = NULL;
	m->boot_wake = NULL;
	m->boot_opaque = NULL;
}
