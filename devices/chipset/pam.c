/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programmable attribute maps of the host bridges.
 *
 * Not modelled: segments whose writes alone go to RAM (they are the bus's altogether, as in the machines that firmware
 * knows); SMRAM other than open: no processor here has a system management mode.
 */
#include "devices/chipset/pam.h"

#define PAM_BASE       0xc0000
#define PAM_BASE_BYTES 0x4000
#define PAM_BIOS       0xf0000
#define PAM_BIOS_BYTES 0x10000
#define PAM_VGA	       0xa0000
#define PAM_VGA_BYTES  0x20000
#define PAM_READ       1
#define PAM_WRITE      2
#define PAM_PRIORITY   1
#define PAM_UNCLAIMED  -1000 /* priority */

/* Segment 0 is the BIOS's. */
static uint64_t segment_base(unsigned n)
{
	return n ? PAM_BASE + (n - 1) * PAM_BASE_BYTES : PAM_BIOS;
}

static uint64_t segment_bytes(unsigned n)
{
	return n ? PAM_BASE_BYTES : PAM_BIOS_BYTES;
}

static unsigned segment_attributes(const uint8_t *registers, unsigned n)
{
	if (n == 0)
		return registers[0] >> 4 & 3;
	return registers[1 + (n - 1) / 2] >> ((n - 1) % 2 * 4) & 3;
}

void pam_init(struct pam *pam, struct machine *m, struct region *bus)
{
	struct region *root = &m->mem.root;

	pam->mem = &m->mem;
	as_begin(pam->mem);
	/* Else RAM would shine through where the bus has nothing. */
	region_init_io(&pam->unclaimed, "unclaimed", NULL, NULL, MiB - PAM_VGA);
	region_add(bus, PAM_VGA, &pam->unclaimed, PAM_UNCLAIMED);
	region_init_alias(&pam->vga_window, "vga-window", bus, PAM_VGA, PAM_VGA_BYTES);
	region_add(root, PAM_VGA, &pam->vga_window, PAM_PRIORITY);
	for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
		uint64_t base = segment_base(n), bytes = segment_bytes(n);

		region_init_alias(&pam->window[n], "pam-bus", bus, base, bytes);
		region_add(root, base, &pam->window[n], PAM_PRIORITY);
		region_init_rom(&pam->shadow[n], "pam-shadow", m->ram.host + base, bytes);
		pam->shadow[n].enabled = false;
		region_add(root, base, &pam->shadow[n], PAM_PRIORITY);
	}
	as_commit(pam->mem);
}

void pam_fini(struct pam *pam)
{
	as_begin(pam->mem);
	region_remove(&pam->unclaimed);
	region_remove(&pam->vga_window);
	for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
		region_remove(&pam->window[n]);
		region_remove(&pam->shadow[n]);
	}
	as_commit(pam->mem);
}

void pam_update(struct pam *pam, const uint8_t registers[PAM_REGISTERS], uint8_t smram)
{
	as_begin(pam->mem);
	region_set_enabled(&pam->vga_window, !(smram & SMRAM_OPEN) || !(smram & SMRAM_ENABLE));
	for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
		unsigned attributes = segment_attributes(registers, n);

		region_set_enabled(&pam->window[n], !(attributes & PAM_READ));
		region_set_enabled(&pam->shadow[n], attributes == PAM_READ);
	}
	as_commit(pam->mem);
}

void pam_fill(uint8_t registers[PAM_REGISTERS])
{
	memset(registers, PAM_WRITABLE, PAM_REGISTERS);
	registers[0] = PAM0_WRITABLE;
}
