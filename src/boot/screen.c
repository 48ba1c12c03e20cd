/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text or a frame buffer for a kernel that is started without firmware.
 *
 * "vga=" is a number (Documentation/admin-guide/svga.rst: VESA's mode number plus 200h) or a word that means text.
 */
#include <errno.h>
#include <stdlib.h>
#include "src/boot/loader.h"
#include "src/boot/screen.h"

/* Offsets in struct screen_info, which begins struct boot_params */
enum {
	SI_VIDEO_MODE = 0x06,
	SI_COLUMNS = 0x07,
	SI_EGA_BX = 0x0a,
	SI_LINES = 0x0e,
	SI_KIND = 0x0f,
	SI_POINTS = 0x10,
	SI_LFB_WIDTH = 0x12,
	SI_LFB_HEIGHT = 0x14,
	SI_LFB_DEPTH = 0x16,
	SI_LFB_BASE = 0x18,
	SI_LFB_SIZE = 0x1c, /* in 64 KiB */
	SI_LFB_PITCH = 0x24,
	SI_COLORS = 0x26, /* size and position of red, green, blue, reserved */
	SI_PAGES = 0x32,
	SI_END = 0x40,
};
/* The fields between belong to what the loader has said already: memory sizes. */
#define SI_EXT_MEM_K 0x02

#define KIND_VGA_TEXT 1
#define KIND_VESA_LFB 0x23
#define TEXT_MODE     3
#define TEXT_COLUMNS  80
#define TEXT_LINES    25
#define TEXT_POINTS   16
#define EGA_256K      3

#define VESA_MODES 0x200 /* is added to VESA's numbers */

static const struct {
	uint16_t number, width, height, bpp;
} modes[] = {
	{0x300, 640, 400, 8},	 {0x301, 640, 480, 8},	  {0x303, 800, 600, 8},
	{0x305, 1024, 768, 8},	 {0x307, 1280, 1024, 8},  {0x310, 640, 480, 15},
	{0x311, 640, 480, 16},	 {0x312, 640, 480, 24},	  {0x313, 800, 600, 15},
	{0x314, 800, 600, 16},	 {0x315, 800, 600, 24},	  {0x316, 1024, 768, 15},
	{0x317, 1024, 768, 16},	 {0x318, 1024, 768, 24},  {0x319, 1280, 1024, 15},
	{0x31a, 1280, 1024, 16}, {0x31b, 1280, 1024, 24},
};

const char *boot_find_word(const char *cmdline, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = strstr(cmdline, name); at; at = strstr(at + 1, name))
		if (at == cmdline || at[-1] == ' ')
			return at + n;
	return NULL;
}

void boot_screen_choose(struct boot *b, const char *cmdline)
{
	const char *value = boot_find_word(cmdline, "vga=");
	unsigned long number;
	char *end;

	if (!value)
		return;
	errno = 0;
	number = strtoul(value, &end, 0);
	if (end == value || (*end && *end != ' ')) /* "normal", "ext", "ask" */
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
		if (modes[i].number == number || modes[i].number == number + VESA_MODES) {
			b->framebuffer = (struct boot_framebuffer){.width = modes[i].width,
								   .height = modes[i].height,
								   .bpp = modes[i].bpp};
			return;
		}
	}
	report_warning(
		"-append: vga=%lu is none of the modes that a kernel without firmware can be "
		"started in; it gets text",
		number);
}

static void describe_colors(uint8_t *si, unsigned bpp)
{
	static const uint8_t c15[8] = {5, 10, 5, 5, 5, 0, 1, 15}, c16[8] = {5, 11, 6, 5, 5, 0},
			     c24[8] = {8, 16, 8, 8, 8, 0}, c8[8] = {6, 0, 6, 0, 6, 0};

	memcpy(si + SI_COLORS, bpp == 8 ? c8 : bpp == 15 ? c15 : bpp == 16 ? c16 : c24, 8);
}

static void describe_text(uint8_t *si)
{
	si[SI_VIDEO_MODE] = TEXT_MODE;
	si[SI_COLUMNS] = TEXT_COLUMNS;
	si[SI_LINES] = TEXT_LINES;
	si[SI_KIND] = KIND_VGA_TEXT;
	stn_le(si + SI_EGA_BX, 2, EGA_256K);
	stn_le(si + SI_POINTS, 2, TEXT_POINTS);
}

static void describe_framebuffer(uint8_t *si, const struct boot_framebuffer *fb)
{
	si[SI_COLUMNS] = TEXT_COLUMNS;
	si[SI_LINES] = TEXT_LINES;
	si[SI_KIND] = KIND_VESA_LFB;
	stn_le(si + SI_POINTS, 2, TEXT_POINTS);
	stn_le(si + SI_LFB_WIDTH, 2, fb->width);
	stn_le(si + SI_LFB_HEIGHT, 2, fb->height);
	stn_le(si + SI_LFB_DEPTH, 2, fb->bpp);
	stn_le(si + SI_LFB_BASE, 4, fb->gpa);
	stn_le(si + SI_LFB_SIZE, 4, fb->bytes / (64 * KiB));
	stn_le(si + SI_LFB_PITCH, 2, fb->pitch);
	stn_le(si + SI_PAGES, 2, fb->bytes / (fb->pitch * fb->height));
	describe_colors(si, fb->bpp);
}

void boot_screen_reset(const struct boot *b)
{
	const struct boot_screen *screen = b->machine->boot_screen;
	struct boot_framebuffer fb = b->framebuffer;
	uint8_t si[SI_END];
	uint16_t ext_mem_k;

	if (!screen)
		return;
	if (fb.width && (!screen->framebuffer(screen->opaque, &fb) || fb.gpa == UINT64_MAX)) {
		report_warning(
			"-append: vga=: the display adapter has no mode of %ux%u with %u bits",
			fb.width, fb.height, fb.bpp);
		fb.width = 0;
	}
	if (!fb.width)
		screen->text(screen->opaque);
	if (!b->zero_page)
		return;
	memset(si, 0, sizeof(si));
	if (dma_read(b->machine, b->zero_page + SI_EXT_MEM_K, &ext_mem_k, 2))
		memcpy(si + SI_EXT_MEM_K, &ext_mem_k, 2);
	if (fb.width)
		describe_framebuffer(si, &fb);
	else
		describe_text(si);
	dma_write(b->machine, b->zero_page, si, sizeof(si));
}

void boot_screen_wake(const struct boot *b)
{
	const struct boot_screen *screen = b->machine->boot_screen;
	struct boot_framebuffer fb = b->framebuffer;

	if (screen && (!fb.width || !screen->framebuffer(screen->opaque, &fb)))
		screen->text(screen->opaque);
}
