/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMBIOS tables (DMTF DSP0134 2.8.0 and 3.0.0; sections are those of 3.0.0): an entry point, and structures one after the
 * other, each with its strings behind it.
 *
 *	type	structure		handle		how many
 *	0	BIOS			0000		as given; else firmware's own
 *	1	system			0100		1
 *	2	baseboard		0200		as given
 *	3	chassis			0300		1
 *	4	processor		0400		one a socket
 *	8	port connector		0800		as given
 *	11	OEM strings		0b00		as given
 *	16	memory array		1000		1
 *	17	memory device		1100		one for each 16 GiB
 *	19	mapped address		1300		one for each range of RAM
 *	32	boot information	2000		1
 *	127	end of table		7f00		1
 */
#include <stdio.h>
#include <stdlib.h>
#include "devices/chipset/fw_cfg.h"
#include "src/boot/aml.h"
#include "src/boot/smbios.h"

#define SMBIOS_MAX_DIMM	     (16 * GiB)
#define SMBIOS_SPEED	     2000 /* MHz */
#define SMBIOS_MANUFACTURER  "QEMU"
#define SMBIOS_BIOS_DATE     "04/01/2014"
#define SMBIOS_BIOS_SEGMENT  0xe800
#define SMBIOS_STRUCTURE_END 127

#define ANCHOR_32_BYTES	   31
#define ANCHOR_64_BYTES	   24
#define ANCHOR_32_TABLE	   24 /* offset of the tables' address */
#define ANCHOR_64_TABLE	   16
#define ANCHOR_32_MIDDLE   16 /* "_DMI_" and what follows it have a sum of their own */
#define HANDLE_ARRAY	   0x1000
#define HANDLE_NO_ERROR	   0xfffe
#define HANDLE_NONE	   0xffff
#define FILE_ANCHOR	   "etc/smbios/smbios-anchor"
#define FILE_TABLES	   "etc/smbios/smbios-tables"
#define CAPACITY_BY_SECOND 0x80000000u
#define ADDRESS_BY_SECOND  0xffffffffu

struct builder {
	const struct machine *m;
	const struct smbios_config *c;
	struct aml out;
	size_t at;			     /* of the structure that is being made */
	const char *strings[SMBIOS_MAX_OEM]; /* its own */
	unsigned n_strings;
	size_t longest;
	unsigned structures;
};

/* A type that a file was given for is not made. */
static bool begin(struct builder *b, uint8_t type, uint16_t handle)
{
	if (b->c->has_blob[type])
		return false;
	b->at = b->out.n;
	b->n_strings = 0;
	aml_u8(&b->out, type);
	aml_u8(&b->out, 0);
	aml_u16(&b->out, handle);
	return true;
}

/* What is given, else what it is otherwise; an empty string is none. */
static void string(struct builder *b, const char *given, const char *otherwise)
{
	const char *s = given ? given : otherwise;

	if (s && *s)
		b->strings[b->n_strings++] = s;
	aml_u8(&b->out, s && *s ? (uint8_t)b->n_strings : 0);
}

static void end(struct builder *b)
{
	b->out.bytes[b->at + 1] = (uint8_t)(b->out.n - b->at);
	for (unsigned i = 0; i < b->n_strings; i++)
		aml_raw(&b->out, b->strings[i], strlen(b->strings[i]) + 1);
	if (!b->n_strings)
		aml_u8(&b->out, 0);
	aml_u8(&b->out, 0);
	b->longest = MAX(b->longest, b->out.n - b->at);
	b->structures++;
}

/* ---- the structures (section 7), fields in their order ---- */

static void add_bios(struct builder *b, bool direct)
{
	if ((!direct && !b->c->given[0]) || !begin(b, 0, 0))
		return;
	string(b, b->c->bios.vendor, direct ? SMBIOS_MANUFACTURER : NULL);
	string(b, b->c->bios.version, direct ? PACKAGE_VERSION : NULL);
	aml_u16(&b->out, SMBIOS_BIOS_SEGMENT);
	string(b, b->c->bios.date, direct ? SMBIOS_BIOS_DATE : NULL);
	aml_u8(&b->out, 0);    /* ROM of 64 KiB */
	aml_u64(&b->out, 0x8); /* characteristics are not told */
	aml_u8(&b->out, 0);
	aml_u8(&b->out,
	       b->c->bios.uefi ? 0x1c : 0x14); /* virtual machine; UEFI; targeted content */
	aml_u8(&b->out, b->c->bios.has_release ? b->c->bios.major : 0);
	aml_u8(&b->out, b->c->bios.has_release ? b->c->bios.minor : 0);
	aml_u16(&b->out, 0xffff); /* no embedded controller */
	end(b);
}

/* The first three fields of a UUID are little-endian (7.2.1). */
static void put_uuid(struct builder *b)
{
	static const uint8_t place[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

	for (unsigned i = 0; i < 16; i++)
		aml_u8(&b->out, b->m->config.uuid[place[i]]);
}

static void add_system(struct builder *b)
{
	const struct machine_type *type = b->m->config.type;

	if (!begin(b, 1, 0x100))
		return;
	string(b, b->c->system.manufacturer, SMBIOS_MANUFACTURER);
	string(b, b->c->system.product, type->desc);
	string(b, b->c->system.version, machine_name(b->m));
	string(b, b->c->system.serial, NULL);
	put_uuid(b);
	aml_u8(&b->out, 6); /* woken by the power switch */
	string(b, b->c->system.sku, NULL);
	string(b, b->c->system.family, NULL);
	end(b);
}

static void add_board(struct builder *b)
{
	if (!b->c->given[2] || !begin(b, 2, 0x200))
		return;
	string(b, b->c->board.manufacturer, SMBIOS_MANUFACTURER);
	string(b, b->c->board.product, b->m->config.type->desc);
	string(b, b->c->board.version, machine_name(b->m));
	string(b, b->c->board.serial, NULL);
	string(b, b->c->board.asset, NULL);
	aml_u8(&b->out, 1); /* hosts the processors */
	string(b, b->c->board.location, NULL);
	aml_u16(&b->out, 0x300);
	aml_u8(&b->out, 10); /* motherboard */
	aml_u8(&b->out, 0);
	end(b);
}

static void add_chassis(struct builder *b)
{
	if (!begin(b, 3, 0x300))
		return;
	string(b, b->c->chassis.manufacturer, SMBIOS_MANUFACTURER);
	aml_u8(&b->out, 1); /* other */
	string(b, b->c->chassis.version, machine_name(b->m));
	string(b, b->c->chassis.serial, NULL);
	string(b, b->c->chassis.asset, NULL);
	aml_raw(&b->out, (const uint8_t[]){3, 3, 3, 2}, 4); /* safe; no security */
	aml_u32(&b->out, 0);
	aml_raw(&b->out, (const uint8_t[]){0, 0, 0, 0}, 4); /* height, cords, contents */
	string(b, b->c->chassis.sku, NULL);
	end(b);
}

/* Signature and features, as CPUID's leaf 1 has them. */
static uint64_t processor_id(const struct machine *m)
{
	uint32_t out[4] = {0};

	if (m->n_vcpus && m->accel->cpuid)
		m->accel->cpuid(m->vcpus[0], 1, out);
	return (uint64_t)out[3] << 32 | out[0];
}

static void put_cores(struct builder *b, unsigned bytes)
{
	const struct machine_config *c = &b->m->config;
	uint64_t most = bytes == 1 ? 255 : UINT16_MAX - 1;
	uint64_t cores = MIN((uint64_t)MAX(c->cores, 1u), most);
	uint64_t threads = MIN((uint64_t)MAX(c->cores, 1u) * MAX(c->threads, 1u), most);

	aml_raw(&b->out, &cores, bytes);
	aml_raw(&b->out, &cores, bytes);
	aml_raw(&b->out, &threads, bytes);
}

static void add_processor(struct builder *b, unsigned n)
{
	const char *prefix = b->c->processor.sock_pfx ? b->c->processor.sock_pfx : "CPU";
	uint64_t max = b->c->processor.max_speed, now = b->c->processor.current_speed;
	char *socket = xasprintf("%s %u", prefix, n);

	if (begin(b, 4, (uint16_t)(0x400 + n))) {
		string(b, socket, NULL);
		aml_u8(&b->out, 3); /* central processor */
		aml_u8(&b->out, 1); /* of another family */
		string(b, b->c->processor.manufacturer, SMBIOS_MANUFACTURER);
		aml_u64(&b->out, b->c->processor.id ? b->c->processor.id : processor_id(b->m));
		string(b, b->c->processor.version, machine_name(b->m));
		aml_u8(&b->out, 0);  /* voltage */
		aml_u16(&b->out, 0); /* external clock */
		aml_u16(&b->out, (uint16_t)(max ? max : SMBIOS_SPEED));
		aml_u16(&b->out, (uint16_t)(now ? now : SMBIOS_SPEED));
		aml_u8(&b->out, 0x41); /* there, and enabled */
		aml_u8(&b->out, 1);    /* another socket */
		for (unsigned cache = 0; cache < 3; cache++)
			aml_u16(&b->out, HANDLE_NONE);
		string(b, b->c->processor.serial, NULL);
		string(b, b->c->processor.asset, NULL);
		string(b, b->c->processor.part, NULL);
		put_cores(b, 1);
		aml_u16(&b->out, 2); /* characteristics are unknown */
		aml_u16(&b->out, 1);
		if (b->m->config.smbios_64)
			put_cores(b, 2);
		end(b);
	}
	free(socket);
}

static void add_processors(struct builder *b)
{
	const struct machine_config *c = &b->m->config;
	unsigned per_socket = MAX(c->cores, 1u) * MAX(c->threads, 1u);
	unsigned sockets = (MAX(c->cpus, 1u) + per_socket - 1) / per_socket;

	for (unsigned i = 0; i < sockets; i++)
		add_processor(b, i);
}

static void add_ports(struct builder *b)
{
	for (unsigned i = 0; i < b->c->n_ports; i++) {
		if (!begin(b, 8, (uint16_t)(0x800 + i)))
			return;
		string(b, b->c->ports[i].internal, NULL);
		aml_u8(&b->out, 0); /* no connector inside */
		string(b, b->c->ports[i].external, NULL);
		aml_u8(&b->out, (uint8_t)b->c->ports[i].connector);
		aml_u8(&b->out, (uint8_t)b->c->ports[i].kind);
		end(b);
	}
}

static void add_oem_strings(struct builder *b)
{
	if (!b->c->n_oem || !begin(b, 11, 0xb00))
		return;
	aml_u8(&b->out, (uint8_t)b->c->n_oem);
	for (unsigned i = 0; i < b->c->n_oem; i++)
		b->strings[b->n_strings++] = b->c->oem[i];
	end(b);
}

static unsigned dimms(const struct machine *m)
{
	return (unsigned)((m->ram.bytes + SMBIOS_MAX_DIMM - 1) / SMBIOS_MAX_DIMM);
}

static void add_memory_array(struct builder *b)
{
	uint64_t bytes = b->m->ram.bytes, kib = bytes / KiB;
	bool large = kib >= CAPACITY_BY_SECOND;

	if (!begin(b, 16, HANDLE_ARRAY))
		return;
	aml_raw(&b->out, (const uint8_t[]){1, 3, 6}, 3); /* elsewhere; system memory; corrects */
	aml_u32(&b->out, large ? CAPACITY_BY_SECOND : (uint32_t)kib);
	aml_u16(&b->out, HANDLE_NO_ERROR);
	aml_u16(&b->out, (uint16_t)dimms(b->m));
	aml_u64(&b->out, large ? bytes : 0);
	end(b);
}

static void add_memory_device(struct builder *b, unsigned n)
{
	const char *prefix = b->c->memory.loc_pfx ? b->c->memory.loc_pfx : "DIMM";
	char *locator = xasprintf("%s %u", prefix, n);
	uint64_t bytes = MIN(b->m->ram.bytes - n * SMBIOS_MAX_DIMM, SMBIOS_MAX_DIMM);
	uint16_t speed = (uint16_t)b->c->memory.speed;

	if (begin(b, 17, (uint16_t)(0x1100 + n))) {
		aml_u16(&b->out, HANDLE_ARRAY);
		aml_u16(&b->out, HANDLE_NO_ERROR);
		aml_u16(&b->out, 0xffff); /* widths are unknown */
		aml_u16(&b->out, 0xffff);
		aml_u16(&b->out, (uint16_t)(bytes / MiB));
		aml_u8(&b->out, 9); /* DIMM */
		aml_u8(&b->out, 0);
		string(b, locator, NULL);
		string(b, b->c->memory.bank, NULL);
		aml_u8(&b->out, 7);  /* RAM */
		aml_u16(&b->out, 2); /* of another kind */
		aml_u16(&b->out, speed);
		string(b, b->c->memory.manufacturer, SMBIOS_MANUFACTURER);
		string(b, b->c->memory.serial, NULL);
		string(b, b->c->memory.asset, NULL);
		string(b, b->c->memory.part, NULL);
		aml_u8(&b->out, 0);  /* rank */
		aml_u32(&b->out, 0); /* size beyond the field above */
		aml_u16(&b->out, speed);
		for (unsigned voltage = 0; voltage < 3; voltage++)
			aml_u16(&b->out, 0);
		end(b);
	}
	free(locator);
}

static void add_mapped_range(struct builder *b, unsigned n, uint64_t start, uint64_t bytes)
{
	uint64_t last = start + bytes - 1;
	bool large = last / KiB >= ADDRESS_BY_SECOND;

	if (!bytes || !begin(b, 19, (uint16_t)(0x1300 + n)))
		return;
	aml_u32(&b->out, large ? ADDRESS_BY_SECOND : (uint32_t)(start / KiB));
	aml_u32(&b->out, large ? ADDRESS_BY_SECOND : (uint32_t)(last / KiB));
	aml_u16(&b->out, HANDLE_ARRAY);
	aml_u8(&b->out, 1); /* devices in a row */
	aml_u64(&b->out, large ? start : 0);
	aml_u64(&b->out, large ? last : 0);
	end(b);
}

static void add_memory(struct builder *b)
{
	add_memory_array(b);
	for (unsigned i = 0; i < dimms(b->m); i++)
		add_memory_device(b, i);
	add_mapped_range(b, 0, 0, b->m->ram.below_4g);
	add_mapped_range(b, 1, 4 * GiB, b->m->ram.above_4g);
}

static void add_boot_information(struct builder *b)
{
	static const uint8_t reserved_and_status[7]; /* no errors */

	if (!begin(b, 32, 0x2000))
		return;
	aml_raw(&b->out, reserved_and_status, sizeof(reserved_and_status));
	end(b);
}

static void add_blobs(struct builder *b)
{
	for (unsigned i = 0; i < b->c->n_blobs; i++) {
		aml_raw(&b->out, b->c->blobs[i].bytes, b->c->blobs[i].n);
		b->longest = MAX(b->longest, b->c->blobs[i].n);
		b->structures++;
	}
}

/* ---- entry points (5.2) ---- */

static void make_anchor_32(const struct builder *b, struct smbios *s)
{
	static const uint8_t head[] = {'_', 'S', 'M', '_', 0, ANCHOR_32_BYTES, 2, 8};
	uint8_t *a = s->anchor;

	s->anchor_bytes = ANCHOR_32_BYTES;
	memcpy(a, head, sizeof(head));
	stn_le(a + 8, 2, b->longest);
	memcpy(a + ANCHOR_32_MIDDLE, "_DMI_", 5);
	stn_le(a + 22, 2, s->n);
	stn_le(a + 28, 2, b->structures);
	a[30] = 0x28;
}

static void make_anchor_64(struct smbios *s)
{
	static const uint8_t head[] = {'_', 'S', 'M', '3', '_', 0, ANCHOR_64_BYTES, 3, 0, 0, 1};

	s->anchor_bytes = ANCHOR_64_BYTES;
	memcpy(s->anchor, head, sizeof(head));
	stn_le(s->anchor + 12, 4, s->n);
}

static uint8_t complement(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	while (n--)
		sum += *p++;
	return (uint8_t)-sum;
}

void smbios_link(struct smbios *s, uint32_t gpa)
{
	uint8_t *a = s->anchor;

	if (s->anchor_bytes == ANCHOR_64_BYTES) {
		stn_le(a + ANCHOR_64_TABLE, 8, gpa);
		a[5] = complement(a, s->anchor_bytes);
		return;
	}
	stn_le(a + ANCHOR_32_TABLE, 4, gpa);
	a[21] = complement(a + ANCHOR_32_MIDDLE, ANCHOR_32_BYTES - ANCHOR_32_MIDDLE);
	a[4] = complement(a, s->anchor_bytes);
}

bool smbios_build(const struct machine *m, bool direct, struct smbios *out, struct error *err)
{
	static const struct smbios_config none;
	struct builder b = {.m = m, .c = m->config.smbios ? m->config.smbios : &none};

	memset(out, 0, sizeof(*out));
	add_bios(&b, direct);
	add_system(&b);
	add_board(&b);
	add_chassis(&b);
	add_processors(&b);
	add_ports(&b);
	add_oem_strings(&b);
	add_memory(&b);
	add_boot_information(&b);
	add_blobs(&b);
	begin(&b, SMBIOS_STRUCTURE_END, 0x7f00);
	end(&b);
	out->tables = b.out.bytes;
	out->n = b.out.n;
	if (!m->config.smbios_64 && out->n > UINT16_MAX)
		return error_set(
			err,
			"-smbios: tables of %zu bytes are too many for a 32-bit entry point; "
			"-machine smbios-entry-point-type=64 has no such limit",
			out->n);
	if (m->config.smbios_64)
		make_anchor_64(out);
	else
		make_anchor_32(&b, out);
	return true;
}

/* ---- structures from files ---- */

bool smbios_check_blob(const uint8_t *p, size_t n, struct error *err)
{
	size_t at;

	if (n < 4 || p[1] < 4 || p[1] > n)
		return error_set(err,
				 "not an SMBIOS structure: its length does not fit the file's");
	if (p[0] == SMBIOS_STRUCTURE_END)
		return error_set(err, "the end of the table is not for files to give");
	for (at = p[1]; at + 1 < n && (p[at] || p[at + 1]); at++)
		;
	if (at + 2 != n)
		return error_set(err,
				 "not one SMBIOS structure: its strings do not end with the file");
	return true;
}

/* ---- to firmware ---- */

bool smbios_offer(struct machine *m, struct error *err)
{
	struct smbios s;
	bool ok = smbios_build(m, false, &s, err) &&
		  fw_cfg_add_file(m->fw_cfg, FILE_TABLES, s.tables, (uint32_t)s.n, err) &&
		  fw_cfg_add_file(m->fw_cfg, FILE_ANCHOR, s.anchor, (uint32_t)s.anchor_bytes, err);

	free(s.tables);
	return ok;
}
