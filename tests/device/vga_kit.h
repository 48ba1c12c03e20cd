/* SPDX-License-Identifier: BSD-2-Clause */
/* For the tests of the VGA: a pc board with one, IBM's modes, and what the screen shows. */
#ifndef EVMM_TESTS_VGA_KIT_H
#define EVMM_TESTS_VGA_KIT_H

#include "devices/display/vga.h"
#include "devices/pci/pci.h"
#include "tests/device/kit.h"

extern struct kit *k;
extern struct device *vga;

int vga_setup(void **state);
int vga_teardown(void **state);

/* Looks at the adapter of that name from now on; NULL: at the first there is. */
void vga_kit_watch(const char *name);

/* IBM's mode numbers, and "mode X": 320x240 in 256 colours of four planes each. */
enum vga_mode {
	MODE_03 = 0x03,
	MODE_04 = 0x04,
	MODE_0D = 0x0d,
	MODE_12 = 0x12,
	MODE_13 = 0x13,
	MODE_X = 0x100
};
void set_mode(enum vga_mode mode);

void seq(unsigned index, uint8_t value);
void gfx(unsigned index, uint8_t value);
void crtc(unsigned index, uint8_t value);
void attr(unsigned index, uint8_t value);
uint8_t crtc_read(unsigned index);
/* DAC entry N, 6 bits each. */
void dac(unsigned n, uint8_t r, uint8_t g, uint8_t b);
/* Every entry another colour; what pixels of entry N become. */
void dac_fill(void);
uint32_t dac_shown(unsigned n);

void vbe(unsigned index, uint16_t value);
uint16_t vbe_read(unsigned index);
void vbe_mode(unsigned width, unsigned height, unsigned bpp);

void poke(uint32_t addr, uint8_t value);
uint8_t peek(uint32_t addr);
uint64_t lfb(void);
uint64_t mmio(void);

/* Refreshes, and checks the size. */
void look(unsigned width, unsigned height);
uint32_t pixel(unsigned x, unsigned y);
/* Of the last look: how many tiles changed, and the rectangle around them. */
extern unsigned changed_rects;
extern struct rect changed;

#endif
