/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What fw_cfg tells firmware about the machine (SeaBIOS "Runtime_config", OVMF README "fw_cfg"):
 *
 *	etc/e820		where RAM is: 64 start, 64 bytes, 32 type (1 RAM, 2 reserved), each
 */
#include <stdlib.h>
#include "devices/chipset/fw_cfg.h"
#include "src/boot/acpi.h"
#include "src/boot/firmware.h"

struct e820 {
	uint64_t start, bytes;
	uint32_t type;
} __attribute__((packed));

#define E820_RAM      1
#define E820_RESERVED 2

static bool add_memory_map(struct machine *m, struct error *err)
{
	struct e820 map[2];
	unsigned n = 0;

	map[n++] = (struct e820){0, m->ram.below_4g, E820_RAM};
	if (m->ram.above_4g)
		map[n++] = (struct e820){4 * GiB, m->ram.above_4g, E820_RAM};
	return fw_cfg_add_file(m->fw_cfg, "etc/e820", map, n * sizeof(map[0]), err);
}

bool firmware_describe(struct machine *m, struct error *err)
{
	fw_cfg_set_num(m->fw_cfg, FW_CFG_IRQ0_OVERRIDE, 4, 1);
	return add_memory_map(m, err) && (!m->acpi || !m->config.acpi || acpi_loader_add(m, err));
}
