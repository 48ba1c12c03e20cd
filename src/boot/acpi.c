/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The set of ACPI tables: what is in it, headers, what points where, and the way into guest RAM without firmware.
 *
 *	file		contents
 *	ACPI_RSDP	RSDP
 *	ACPI_TABLES	FACS (64-byte aligned) | DSDT | FADT | MADT | others | RSDT | XSDT
 *	ACPI_VMGENID	a page with the generation's GUID
 */
#include <stdlib.h>
#include "src/board/numa.h"
#include "src/boot/acpi.h"

#define RSDP_BYTES    36
#define TABLES_OFFSET 64 /* of the file after the RSDP, in one blob: for the FACS's alignment */
#define TABLE_ALIGN   16

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s += *p++;
	return s;
}

static void align(struct aml *a, size_t to)
{
	while (a->n % to)
		aml_u8(a, 0);
}

size_t acpi_begin(struct acpi_set *set, const char *signature, uint8_t revision)
{
	struct aml *a = acpi_out(set);
	char id[9] = "EVMM";
	size_t at;

	align(a, TABLE_ALIGN);
	at = a->n;
	memcpy(id + 4, signature, 4);
	aml_raw(a, signature, 4);
	aml_u32(a, 0);
	aml_u8(a, revision);
	aml_u8(a, 0);
	aml_raw(a, "EVMM  ", 6);
	aml_raw(a, id, 8);
	aml_u32(a, 1);
	aml_raw(a, "EVMM", 4);
	aml_u32(a, 1);
	return at;
}

static void add_sum(struct acpi_set *set, enum acpi_file file, size_t at, size_t start, size_t n)
{
	set->sums[set->n_sums++] =
		(struct acpi_sum){file, (uint32_t)at, (uint32_t)start, (uint32_t)n};
}

void acpi_end(struct acpi_set *set, size_t at, bool listed)
{
	struct aml *a = acpi_out(set);

	stn_le(a->bytes + at + 4, 4, a->n - at);
	add_sum(set, ACPI_TABLES, at + 9, at, a->n - at);
	if (listed)
		set->listed[set->n_listed++] = (uint32_t)at;
}

static void add_ref(struct acpi_set *set, enum acpi_file file, size_t at, uint8_t bytes,
		    enum acpi_file target, uint64_t offset)
{
	stn_le(set->files[file].bytes + at, bytes, offset);
	set->refs[set->n_refs++] = (struct acpi_ref){file, target, (uint32_t)at, bytes};
}

void acpi_point(struct acpi_set *set, size_t at, uint8_t bytes, enum acpi_file target,
		uint64_t offset)
{
	add_ref(set, ACPI_TABLES, at, bytes, target, offset);
}

/* RSDT or XSDT: ENTRY bytes for each listed table. */
static size_t add_root_table(struct acpi_set *set, const char *signature, uint8_t entry)
{
	size_t at = acpi_begin(set, signature, 1);

	for (unsigned i = 0; i < set->n_listed; i++) {
		aml_raw(acpi_out(set), &(uint64_t){0}, entry);
		acpi_point(set, acpi_out(set)->n - entry, entry, ACPI_TABLES, set->listed[i]);
	}
	acpi_end(set, at, false);
	return at;
}

static void add_rsdp(struct acpi_set *set, size_t rsdt, size_t xsdt)
{
	struct aml *a = &set->files[ACPI_RSDP];

	aml_raw(a, "RSD PTR ", 8);
	aml_u8(a, 0);
	aml_raw(a, "EVMM  ", 6);
	aml_u8(a, 2); /* revision */
	aml_u32(a, 0);
	aml_u32(a, RSDP_BYTES);
	aml_u64(a, 0);
	aml_u32(a, 0);
	add_ref(set, ACPI_RSDP, 16, 4, ACPI_TABLES, rsdt);
	add_ref(set, ACPI_RSDP, 24, 8, ACPI_TABLES, xsdt);
	add_sum(set, ACPI_RSDP, 8, 0, 20);
	add_sum(set, ACPI_RSDP, 32, 0, RSDP_BYTES);
}

void acpi_set_build(struct acpi_set *set, const struct acpi_board *board)
{
	size_t facs, dsdt, rsdt, xsdt;

	memset(set, 0, sizeof(*set));
	set->board = board;
	facs = acpi_add_facs(set);
	dsdt = acpi_add_dsdt(set);
	if (board->ged_addr)
		acpi_add_reduced_fadt(set, dsdt);
	else
		acpi_add_fadt(set, facs, dsdt);
	acpi_add_madt(set);
	if (board->hpet_addr)
		acpi_add_hpet(set);
	if (board->mmconfig.start != board->mmconfig.end)
		acpi_add_mcfg(set);
	if (board->vmgenid)
		acpi_add_vmgenid(set);
	if (board->numa && board->numa->n) {
		acpi_add_srat(set);
		if (board->numa->has_distances)
			acpi_add_slit(set);
	}
	acpi_add_waet(set);
	rsdt = add_root_table(set, "RSDT", 4);
	xsdt = add_root_table(set, "XSDT", 8);
	add_rsdp(set, rsdt, xsdt);
}

void acpi_set_free(struct acpi_set *set)
{
	for (unsigned i = 0; i < ACPI_FILES; i++)
		free(set->files[i].bytes);
}

static void link_files(struct acpi_set *set, const gpa_t *base)
{
	for (unsigned i = 0; i < set->n_refs; i++) {
		const struct acpi_ref *r = &set->refs[i];
		uint8_t *p = set->files[r->file].bytes + r->at;

		stn_le(p, r->bytes, ldn_le(p, r->bytes) + base[r->target]);
	}
	for (unsigned i = 0; i < set->n_sums; i++) {
		const struct acpi_sum *s = &set->sums[i];
		uint8_t *p = set->files[s->file].bytes;

		p[s->at] -= sum(p + s->start, s->n);
	}
}

struct acpi_tables acpi_build(const struct acpi_board *board, gpa_t gpa)
{
	struct acpi_tables t = {0};
	struct acpi_set set;
	gpa_t base[ACPI_FILES] = {gpa, gpa + TABLES_OFFSET};
	size_t vmgenid;

	acpi_set_build(&set, board);
	vmgenid = TABLES_OFFSET + ALIGN_UP(set.files[ACPI_TABLES].n, 64);
	base[ACPI_VMGENID] = gpa + vmgenid;
	link_files(&set, base);
	t.facs = base[ACPI_TABLES]; /* the file's first */
	t.n = set.files[ACPI_VMGENID].n ? vmgenid + set.files[ACPI_VMGENID].n
					: TABLES_OFFSET + set.files[ACPI_TABLES].n;
	t.bytes = xzalloc(t.n);
	for (unsigned i = 0; i < ACPI_FILES; i++)
		if (set.files[i].n)
			memcpy(t.bytes + (base[i] - gpa), set.files[i].bytes, set.files[i].n);
	t.vmgenid = board->vmgenid ? base[ACPI_VMGENID] + ACPI_VMGENID_OFFSET : 0;
	acpi_set_free(&set);
	return t;
}
