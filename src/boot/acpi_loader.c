/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ACPI tables for firmware: fw_cfg files and the commands that link them (QEMU, docs/specs/acpi_nvdimm and
 * hw/acpi/bios-linker-loader; SeaBIOS romfile_loader.h): records of 128 bytes, little-endian.
 *
 *	command			operands
 *	1 ALLOCATE		file[56], 32 alignment, 8 zone (1 high, 2 F segment)
 *	2 ADD_POINTER		file[56], source[56], 32 offset, 8 size
 *	3 ADD_CHECKSUM		file[56], 32 offset, 32 start, 32 length
 *	4 WRITE_POINTER		file[56], source[56], 32 offset, 32 source's offset, 8 size
 *
 * What the tables say depends on where firmware has put the devices, and it selects the files after it has: then all
 * of them are made anew.
 */
#include <stdlib.h>
#include "devices/chipset/fw_cfg.h"
#include "devices/chipset/vmgenid.h"
#include "src/boot/acpi.h"

#define LOADER_FILE    "etc/table-loader"
#define LOADER_COMMAND 128
#define ZONE_HIGH      1
#define ZONE_FSEG      2
#define FILE_SLACK     2048
#define FILE_UNIT      4096

enum loader_command { LOADER_ALLOCATE = 1, LOADER_POINTER, LOADER_CHECKSUM, LOADER_WRITE_POINTER };

static const struct {
	const char *name;
	uint32_t align;
	uint8_t zone;
} files[ACPI_FILES] = {
	[ACPI_RSDP] = {"etc/acpi/rsdp", 16, ZONE_FSEG},
	[ACPI_TABLES] = {"etc/acpi/tables", 64, ZONE_HIGH},
	[ACPI_VMGENID] = {VMGENID_GUID_FILE, 4096, ZONE_HIGH},
};

/* Returns with the operands behind the file name to be filled in. */
static struct aml *begin(struct aml *out, enum loader_command command, const char *file)
{
	char name[FW_CFG_NAME_BYTES] = "";

	while (out->n % LOADER_COMMAND)
		aml_u8(out, 0);
	memcpy(name, file, strlen(file));
	aml_u32(out, command);
	aml_raw(out, name, sizeof(name));
	return out;
}

static void put_name(struct aml *out, const char *file)
{
	char name[FW_CFG_NAME_BYTES] = "";

	memcpy(name, file, strlen(file));
	aml_raw(out, name, sizeof(name));
}

static void add_files(struct aml *out, const struct acpi_set *set)
{
	for (unsigned i = 0; i < ACPI_FILES; i++) {
		if (!set->files[i].n)
			continue;
		begin(out, LOADER_ALLOCATE, files[i].name);
		aml_u32(out, files[i].align);
		aml_u8(out, files[i].zone);
	}
}

static struct aml make_commands(const struct acpi_set *set)
{
	struct aml out = {0};

	add_files(&out, set);
	for (unsigned i = 0; i < set->n_refs; i++) {
		const struct acpi_ref *r = &set->refs[i];

		begin(&out, LOADER_POINTER, files[r->file].name);
		put_name(&out, files[r->target].name);
		aml_u32(&out, r->at);
		aml_u8(&out, r->bytes);
	}
	for (unsigned i = 0; i < set->n_sums; i++) {
		const struct acpi_sum *s = &set->sums[i];

		begin(&out, LOADER_CHECKSUM, files[s->file].name);
		aml_u32(&out, s->at);
		aml_u32(&out, s->start);
		aml_u32(&out, s->n);
	}
	if (set->files[ACPI_VMGENID].n) {
		begin(&out, LOADER_WRITE_POINTER, VMGENID_ADDR_FILE);
		put_name(&out, files[ACPI_VMGENID].name);
		aml_u32(&out, 0);
		aml_u32(&out, ACPI_VMGENID_OFFSET);
		aml_u8(&out, 8);
	}
	while (out.n % LOADER_COMMAND)
		aml_u8(&out, 0);
	return out;
}

static void build(struct machine *m, struct acpi_set *set, struct aml *commands)
{
	if (m->acpi_refresh)
		m->acpi_refresh(m);
	acpi_set_build(set, m->acpi);
	*commands = make_commands(set);
}

static void pad(struct aml *a, size_t n)
{
	while (a->n < n)
		aml_u8(a, 0);
}

/* SeaBIOS has read the directory before it selects a file: what the guest finds has to be of the size it was. */
static void update(struct machine *m, const char *name, struct aml *contents)
{
	uint32_t n;

	if (!fw_cfg_find_file(m->fw_cfg, name, &n))
		return;
	pad(contents, n);
	fw_cfg_update_file(m->fw_cfg, name, contents->bytes, (uint32_t)contents->n);
}

static void on_select(void *opaque)
{
	struct machine *m = opaque;
	struct acpi_set set;
	struct aml commands;

	build(m, &set, &commands);
	for (unsigned i = 0; i < ACPI_FILES; i++)
		update(m, files[i].name, &set.files[i]);
	update(m, LOADER_FILE, &commands);
	free(commands.bytes);
	acpi_set_free(&set);
}

/* With room for the tables that there are only when firmware has programmed what they describe. */
bool acpi_loader_add(struct machine *m, struct error *err)
{
	const struct fw_cfg_hooks hooks = {.select = on_select, .opaque = m};
	struct acpi_set set;
	struct aml commands;
	bool ok = true;

	build(m, &set, &commands);
	pad(&set.files[ACPI_TABLES], ALIGN_UP(set.files[ACPI_TABLES].n + FILE_SLACK, FILE_UNIT));
	pad(&commands, ALIGN_UP(commands.n + FILE_SLACK, FILE_UNIT));
	for (unsigned i = 0; i < ACPI_FILES && ok; i++)
		if (set.files[i].n)
			ok = fw_cfg_add_file_hooks(m->fw_cfg, files[i].name, set.files[i].bytes,
						   (uint32_t)set.files[i].n, &hooks, err);
	ok = ok && fw_cfg_add_file_hooks(m->fw_cfg, LOADER_FILE, commands.bytes,
					 (uint32_t)commands.n, &hooks, err);
	free(commands.bytes);
	acpi_set_free(&set);
	return ok;
}
