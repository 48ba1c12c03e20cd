/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What fw_cfg tells firmware about the machine (SeaBIOS "Runtime_config", OVMF README "fw_cfg"):
 *
 *	etc/e820		where RAM is: 64 start, 64 bytes, 32 type (1 RAM, 2 reserved), each
 *	etc/system-states	6 bytes: bit 7 the state S0 to S5 exists, bits 6-0 its SLP_TYP
 *	etc/smbios/...		SMBIOS tables and their entry point (smbios.h)
 *	etc/boot-menu-wait	16: ms that the menu is offered
 *	etc/boot-fail-wait	32: ms until it tries again; -1 never
 *	bootorder		paths, one a line (bootorder.h)
 */
#include <stdlib.h>
#include "devices/chipset/acpi_pm.h"
#include "devices/chipset/fw_cfg.h"
#include "src/boot/acpi.h"
#include "src/boot/bootorder.h"
#include "src/boot/firmware.h"
#include "src/boot/smbios.h"

struct e820 {
	uint64_t start, bytes;
	uint32_t type;
} __attribute__((packed));

#define E820_RAM      1
#define E820_RESERVED 2

#define SPLASH_MAX (16 * MiB)

static bool add_memory_map(struct machine *m, struct error *err)
{
	struct e820 map[2];
	unsigned n = 0;

	map[n++] = (struct e820){0, m->ram.below_4g, E820_RAM};
	if (m->ram.above_4g)
		map[n++] = (struct e820){4 * GiB, m->ram.above_4g, E820_RAM};
	return fw_cfg_add_file(m->fw_cfg, "etc/e820", map, n * sizeof(map[0]), err);
}

/* The list as it is at reset: firmware learns from the directory how long the file is, before it reads it. */
static void update_boot_order(struct machine *m)
{
	uint32_t n;
	char *list = boot_order_list(m, &n);

	fw_cfg_update_file(m->fw_cfg, "bootorder", list, n);
	free(list);
}

static bool add_splash(struct machine *m, struct error *err)
{
	const char *file = m->config.boot.splash;
	char *path = firmware_find(&m->config, file);
	uint8_t *bytes = NULL;
	bool jpeg, bmp, ok = false;
	uint64_t n = 0;

	if (!path)
		return error_set(err,
				 "-boot splash=%s: no such file, nor in the directories of -L help",
				 file);
	bytes = firmware_read("-boot splash=", path, SPLASH_MAX, &n, err);
	free(path);
	if (!bytes)
		return false;
	jpeg = n > 2 && bytes[0] == 0xff && bytes[1] == 0xd8;
	bmp = n > 2 && bytes[0] == 'B' && bytes[1] == 'M';
	if (!jpeg && !bmp)
		error_set(err, "-boot splash=%s: neither JPEG nor BMP", file);
	else
		ok = fw_cfg_add_file(m->fw_cfg, jpeg ? "bootsplash.jpg" : "bootsplash.bmp", bytes,
				     (uint32_t)n, err);
	free(bytes);
	return ok;
}

static bool add_boot_options(struct machine *m, struct error *err)
{
	const struct boot_config *b = &m->config.boot;
	uint16_t wait = (uint16_t)b->splash_time;

	fw_cfg_set_num(m->fw_cfg, FW_CFG_BOOT_MENU, 2, b->menu);
	return fw_cfg_add_file(m->fw_cfg, "bootorder", "", 0, err) &&
	       fw_cfg_add_file(m->fw_cfg, "etc/boot-fail-wait", &b->reboot_timeout, 4, err) &&
	       (b->splash_time < 0 ||
		fw_cfg_add_file(m->fw_cfg, "etc/boot-menu-wait", &wait, 2, err)) &&
	       (!b->splash || add_splash(m, err));
}

static bool add_sleep_states(struct machine *m, struct error *err)
{
	uint8_t states[6] = {0x80, 0, 0, 0, 0, 0x80 | ACPI_SLP_TYP_S5};

	if (!m->acpi)
		return true;
	if (m->acpi->has_s3)
		states[3] = 0x80 | ACPI_SLP_TYP_S3;
	if (m->acpi->has_s4)
		states[4] = 0x80 | ACPI_SLP_TYP_S4;
	return fw_cfg_add_file(m->fw_cfg, "etc/system-states", states, sizeof(states), err);
}

/* What the letters mean is said in CMOS, which UEFI does not read. */
static bool firmware_reset(struct machine *m, void *opaque)
{
	const struct boot_config *b = &m->config.boot;
	const char *letters = b->order;

	if (b->once && !m->booted)
		letters = b->once;
	if (m->set_boot_order)
		m->set_boot_order(m, letters ? letters : "cad");
	m->booted = true;
	update_boot_order(m);
	return true;
}

/*
 * What of -boot OVMF does not look at. It does take the menu's time, as that in which a key enters its own (OVMF
 * PlatformBootManagerLib, GetFrontPageTimeoutFromQemu).
 */
static void warn_of_uefi(const struct machine *m)
{
	const struct boot_config *b = &m->config.boot;

	if (!m->uefi)
		return;
	if (b->order || b->once)
		report_warning("-boot %s=%s: UEFI firmware does not know letters; bootindex= of a "
			       "device says what it boots from",
			       b->order ? "order" : "once", b->order ? b->order : b->once);
	if (b->strict)
		report_warning("-boot strict=on: UEFI firmware starts its shell or its menu when "
			       "nothing with a bootindex= boots");
	if (b->splash)
		report_warning("-boot splash=%s: UEFI firmware shows its own picture", b->splash);
	if (b->reboot_timeout >= 0)
		report_warning("-boot reboot-timeout=: UEFI firmware does not try again");
}

bool firmware_describe(struct machine *m, struct error *err)
{
	warn_of_uefi(m);
	m->boot_reset = firmware_reset;
	fw_cfg_set_num(m->fw_cfg, FW_CFG_IRQ0_OVERRIDE, 4, 1);
	return add_memory_map(m, err) && smbios_offer(m, err) &&
	       (!m->acpi || !m->config.acpi || acpi_loader_add(m, err)) &&
	       add_sleep_states(m, err) && add_boot_options(m, err) && firmware_add_kernel(m, err);
}
