/* SPDX-License-Identifier: BSD-2-Clause */
/* The ACPI tables of -numa (ACPI 6.3): which processors and which memory are in which node (SRAT, 5.2.16), and how far apart (SLIT, 5.2.17). */
#include "src/board/numa.h"
#include "src/boot/acpi.h"

enum { SRAT_CPU = 0, SRAT_MEMORY = 1, SRAT_X2APIC = 2 };

#define SRAT_ENABLED BIT(0)
#define XAPIC_IDS    255 /* below: in an entry of the short form */

static void add_cpu(struct aml *a, uint32_t apic_id, uint32_t node)
{
	bool is_short = apic_id < XAPIC_IDS;

	aml_u8(a, is_short ? SRAT_CPU : SRAT_X2APIC);
	aml_u8(a, is_short ? 16 : 24);
	if (is_short) {
		aml_u8(a, (uint8_t)node);
		aml_u8(a, (uint8_t)apic_id);
		aml_u32(a, SRAT_ENABLED);
		aml_u32(a, 0); /* SAPIC, and the node's upper bytes */
		aml_u32(a, 0); /* clock domain */
		return;
	}
	aml_u16(a, 0);
	aml_u32(a, node);
	aml_u32(a, apic_id);
	aml_u32(a, SRAT_ENABLED);
	aml_u32(a, 0); /* clock domain */
	aml_u32(a, 0);
}

static void add_memory(struct aml *a, uint64_t at, uint64_t bytes, uint32_t node)
{
	if (!bytes)
		return;
	aml_u8(a, SRAT_MEMORY);
	aml_u8(a, 40);
	aml_u32(a, node);
	aml_u16(a, 0);
	aml_u64(a, at);
	aml_u64(a, bytes);
	aml_u32(a, 0);
	aml_u32(a, SRAT_ENABLED);
	aml_u64(a, 0);
}

/* Nodes follow each other in RAM, which has a hole below 4 GiB. */
void acpi_add_srat(struct acpi_set *set)
{
	const struct acpi_board *b = set->board;
	size_t at = acpi_begin(set, "SRAT", 3);
	struct aml *a = acpi_out(set);
	uint64_t done = 0;

	aml_u32(a, 1);
	aml_u64(a, 0);
	for (unsigned i = 0; i < b->cpus; i++)
		add_cpu(a, b->apic_ids[i], b->numa->cpu_node[i]);
	for (unsigned i = 0; i < b->numa->n; i++) {
		uint64_t bytes = b->numa->nodes[i].bytes, low = 0;

		if (done < b->below_4g)
			low = MIN(bytes, b->below_4g - done);
		add_memory(a, done, low, i);
		add_memory(a, 4 * GiB + (done + low - b->below_4g), bytes - low, i);
		done += bytes;
	}
	acpi_end(set, at, true);
}

void acpi_add_slit(struct acpi_set *set)
{
	const struct numa *numa = set->board->numa;
	size_t at = acpi_begin(set, "SLIT", 1);

	aml_u64(acpi_out(set), numa->n);
	for (unsigned i = 0; i < numa->n; i++)
		for (unsigned j = 0; j < numa->n; j++)
			aml_u8(acpi_out(set), numa->distance[i][j]);
	acpi_end(set, at, true);
}
