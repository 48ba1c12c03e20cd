/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/redraw: what it costs to bring a viewer's picture up to date, by how much of it has changed; medians, in
 * microseconds of the loop's time. QEMU has nothing that could be timed likewise. Ends with one line of JSON.
 *
 *	make -C build tests/bench/redraw && build/tests/bench/redraw
 */
#include <stdio.h>
#include <stdlib.h>
#include "tests/device/vga_kit.h"

#define RUNS 31

enum change { NOTHING, A_DOT, A_LINE, EVERYTHING };
static const char *const change_names[] = {"nothing", "one character or dot", "one line",
					   "everything"};

static unsigned screen_width, screen_height;
static bool is_text;
static uint32_t value;

static void write_span(unsigned y, unsigned from, unsigned n)
{
	if (is_text) {
		for (unsigned x = from; x < from + n; x++)
			as_write(&k->m->mem, 0xb8000 + (y * 80 + x) * 2, 0x0700 | (value & 0xff),
				 2);
		return;
	}
	for (unsigned x = from; x < from + n; x++)
		as_write(&k->m->mem, lfb() + ((uint64_t)y * screen_width + x) * 4, value, 4);
}

static void make_change(enum change change)
{
	unsigned columns = is_text ? 80 : screen_width, rows = is_text ? 25 : screen_height;

	value = value * 5 + 1;
	switch (change) {
	case A_DOT:
		write_span(rows / 2, columns / 2, 1);
		break;
	case A_LINE:
		write_span(rows / 2, 0, columns);
		break;
	case EVERYTHING:
		for (unsigned y = 0; y < rows; y++)
			write_span(y, 0, columns);
		break;
	default:
		break;
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double refresh_us(enum change change)
{
	const struct clock *clock = loop_clock_host(k->loop);
	double us[RUNS];

	for (unsigned i = 0; i < RUNS; i++) {
		int64_t began;

		make_change(change);
		began = clock_now_ns(clock);
		look(0, 0);
		us[i] = (double)(clock_now_ns(clock) - began) / NS_PER_US;
	}
	qsort(us, RUNS, sizeof(us[0]), compare);
	return us[RUNS / 2];
}

static void run(const char *mode, char **json)
{
	look(screen_width, screen_height);
	printf("%-18s", mode);
	for (enum change c = NOTHING; c <= EVERYTHING; c++) {
		double us = refresh_us(c);
		char *more =
			xasprintf("%s%s{\"case\": \"redraw, %s, %s\", \"evmm\": %.1f, \"qemu\": "
				  "null, \"limit\": null, \"unit\": \"us\", "
				  "\"better\": \"lower\"}",
				  *json, **json ? ", " : "", mode, change_names[c], us);

		free(*json);
		*json = more;
		printf(" %12.1f", us);
		fflush(stdout);
	}
	printf("\n");
}

int main(void)
{
	char *json = xstrdup("");
	void *state = NULL;

	vga_setup(&state);
	printf("%-18s %12s %12s %12s %12s   (us a refresh)\n", "", "nothing", "a dot", "a line",
	       "everything");
	set_mode(MODE_03);
	crtc(CRTC_CURSOR_START, CRTC_CURSOR_OFF);
	is_text = true;
	screen_width = 720;
	screen_height = 400;
	run("text 80x25", &json);
	is_text = false;
	for (unsigned i = 0; i < 2; i++) {
		screen_width = i ? 2560 : 1024;
		screen_height = i ? 1600 : 768;
		vbe_mode(screen_width, screen_height, 32);
		run(i ? "2560x1600x32" : "1024x768x32", &json);
	}
	vga_teardown(&state);
	printf("{\"bench\": \"redraw\", \"rows\": [%s]}\n", json);
	free(json);
	return 0;
}
