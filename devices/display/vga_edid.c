/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The EDID of the monitor that is always connected (VESA Enhanced EDID Standard, release A, EDID 1.4: section 3). It says
 * one preferred size and the usual ones; what the numbers of its timings are is nothing but plausible.
 */
#include "devices/display/vga.h"

#define EDID_MANUFACTURER   8
#define EDID_PRODUCT	    10
#define EDID_WEEK	    16
#define EDID_YEAR	    17
#define EDID_VERSION	    18
#define EDID_INPUT	    20
#define EDID_SIZE_CM	    21
#define EDID_GAMMA	    23
#define EDID_FEATURES	    24
#define EDID_CHROMATICITY   25
#define EDID_ESTABLISHED    35
#define EDID_STANDARD	    38
#define EDID_STANDARD_SIZES 8
#define EDID_DESCRIPTORS    54
#define EDID_DESCRIPTOR	    18
#define EDID_CHECKSUM	    127

#define DOTS_PER_INCH		100
#define REFRESH_HZ		60
#define H_BLANK_PERCENT		25
#define V_BLANK_LINES		35
#define INPUT_DIGITAL_8BIT	0xa0 /* and no interface said */
#define FEATURES_SRGB_PREFERRED 0x06
#define DESCRIPTOR_NAME		0xfc
#define DESCRIPTOR_RANGE	0xfd
#define DESCRIPTOR_DUMMY	0x10

static unsigned millimetres(unsigned pixels)
{
	return pixels * 254 / 10 / DOTS_PER_INCH;
}

static void detailed_timing(uint8_t *d, unsigned width, unsigned height)
{
	unsigned h_blank = ALIGN_UP(width * H_BLANK_PERCENT / 100, 8u), v_blank = V_BLANK_LINES;
	unsigned front = h_blank / 4, sync = h_blank / 4, v_front = 3, v_sync = 6;
	unsigned clock = (uint64_t)(width + h_blank) * (height + v_blank) * REFRESH_HZ / 10000;
	unsigned mm_x = millimetres(width), mm_y = millimetres(height);

	clock = MIN(clock, UINT16_MAX);
	d[0] = clock;
	d[1] = clock >> 8;
	d[2] = width;
	d[3] = h_blank;
	d[4] = width >> 8 << 4 | h_blank >> 8;
	d[5] = height;
	d[6] = v_blank;
	d[7] = height >> 8 << 4 | v_blank >> 8;
	d[8] = front;
	d[9] = sync;
	d[10] = v_front << 4 | v_sync;
	d[11] = (front >> 8) << 6 | (sync >> 8) << 4;
	d[12] = mm_x;
	d[13] = mm_y;
	d[14] = mm_x >> 8 << 4 | mm_y >> 8;
	d[17] = 0x18; /* digital, separate syncs */
}

static void descriptor(uint8_t *d, uint8_t tag, const char *text)
{
	unsigned n = text ? strlen(text) : 0;

	d[3] = tag;
	if (!text)
		return;
	memset(d + 5, ' ', 13);
	memcpy(d + 5, text, n);
	if (n < 13)
		d[5 + n] = '\n';
}

static void standard_timings(uint8_t *to)
{
	/* Width / 8 - 31, aspect ratio (0: 16:10, 1: 4:3, 2: 5:4, 3: 16:9) and Hz - 60. */
	static const struct {
		uint16_t width;
		uint8_t aspect;
	} sizes[EDID_STANDARD_SIZES] = {{640, 1},  {800, 1},  {1024, 1}, {1280, 2},
					{1280, 0}, {1440, 0}, {1920, 3}, {1600, 1}};

	for (unsigned i = 0; i < EDID_STANDARD_SIZES; i++) {
		to[2 * i] = sizes[i].width / 8 - 31;
		to[2 * i + 1] = sizes[i].aspect << 6;
	}
}

void vga_edid(uint8_t edid[VGA_EDID_BYTES], unsigned width, unsigned height)
{
	static const uint8_t header[] = {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
	/* sRGB's primaries and white point, 3.7. */
	static const uint8_t srgb[] = {0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};
	/* 50-125 Hz, 30-160 kHz, 2550 MHz at most, no formula. */
	static const uint8_t range[] = {50,  125, 30,  160, 255, 0x01, '\n',
					' ', ' ', ' ', ' ', ' ', ' '};
	uint8_t *d = edid + EDID_DESCRIPTORS, sum = 0;

	memset(edid, 0, VGA_EDID_BYTES);
	memcpy(edid, header, sizeof(header));
	/* "EVM": five bits a letter. */
	edid[EDID_MANUFACTURER] = ('E' - '@') << 2 | ('V' - '@') >> 3;
	edid[EDID_MANUFACTURER + 1] = (('V' - '@') & 7) << 5 | ('M' - '@');
	edid[EDID_PRODUCT] = 1;
	edid[EDID_WEEK] = 1;
	edid[EDID_YEAR] = 2024 - 1990;
	edid[EDID_VERSION] = 1;
	edid[EDID_VERSION + 1] = 4;
	edid[EDID_INPUT] = INPUT_DIGITAL_8BIT;
	edid[EDID_SIZE_CM] = millimetres(width) / 10;
	edid[EDID_SIZE_CM + 1] = millimetres(height) / 10;
	edid[EDID_GAMMA] = 220 - 100;
	edid[EDID_FEATURES] = FEATURES_SRGB_PREFERRED;
	memcpy(edid + EDID_CHROMATICITY, srgb, sizeof(srgb));
	edid[EDID_ESTABLISHED] = 0x21;	   /* 640x480, 800x600 at 60 Hz */
	edid[EDID_ESTABLISHED + 1] = 0x08; /* 1024x768 at 60 Hz */
	standard_timings(edid + EDID_STANDARD);
	detailed_timing(d, width, height);
	descriptor(d + EDID_DESCRIPTOR, DESCRIPTOR_RANGE, NULL);
	memcpy(d + EDID_DESCRIPTOR + 5, range, sizeof(range));
	descriptor(d + 2 * EDID_DESCRIPTOR, DESCRIPTOR_NAME, "evmm Monitor");
	descriptor(d + 3 * EDID_DESCRIPTOR, DESCRIPTOR_DUMMY, NULL);
	for (unsigned i = 0; i < EDID_CHECKSUM; i++)
		sum += edid[i];
	edid[EDID_CHECKSUM] = -sum;
}
