/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Display consoles: what a display adapter shows, and who looks at it. Loop thread.
 *
 * A console has a surface, host memory that the adapter draws into. Nothing is drawn by itself: a viewer
 * pulls, and the adapter then brings the surface up to date, in slices so that the loop goes on meanwhile. When it
 * is, each viewer is told which rectangles changed (they accumulate in nobody: a viewer that is not ready
 * for them keeps its own account), and those who pulled are told that it is done.
 *
 *	viewer: console_pull() --> adapter: refresh(), once a turn until it returns true
 *	                                    console_touch() for what it drew
 *	viewer: resized(), updated() for each rectangle, refreshed()
 */
#ifndef EVMM_CONSOLE_H
#define EVMM_CONSOLE_H

#include "src/error.h"
#include "src/list.h"
#include "src/loop.h"

#define CONSOLE_MAX_WIDTH  4608 /* VGA's 256 characters of 18 dots */
#define CONSOLE_MAX_HEIGHT 2048
#define CONSOLE_TILE	   16 /* what changed is kept by squares of so many pixels */

struct console;

/* Each pixel is 0x00RRGGBB; the top byte has any value. */
struct surface {
	uint32_t *pixels;
	unsigned width, height;
	unsigned stride; /* pixels from a line to the next */
};

struct rect {
	unsigned x, y, width, height;
};

/* A character cell of a text mode. */
struct console_cell {
	uint16_t unicode;
	uint8_t fg, bg; /* 0 to 15: the attribute's halves */
	bool blink;
};

struct console_text {
	unsigned columns, rows;
	struct console_cell *cells; /* rows after rows; the caller of console_text frees it */
	bool cursor_shown;
	unsigned cursor_x, cursor_y;
};

struct console_cursor {
	unsigned width, height, hot_x, hot_y;
	const uint32_t *argb;
};

/* The adapter's side. */
struct console_ops {
	/* Draws a slice of what changed, at most about a millisecond's work; true when there is no more. */
	bool (*refresh)(void *opaque);
	/* The text that is shown, as characters: false when the screen is no text. May be NULL. */
	bool (*text)(void *opaque, struct console_text *text);
};

/* The viewer's side; any callback may be NULL. A member of its owner. */
struct console_viewer_ops {
	void (*resized)(void *opaque, const struct surface *s); /* all of it is new */
	void (*updated)(void *opaque, const struct rect *r);
	void (*refreshed)(void *opaque);			      /* what was pulled is there */
	void (*cursor)(void *opaque, const struct console_cursor *c); /* NULL: hidden */
	void (*cursor_moved)(void *opaque, int x, int y);
	void (*closed)(void *opaque); /* the console goes away; the viewer is detached already */
};

struct console_viewer {
	struct list node;
	struct console *con;
	const struct console_viewer_ops *ops;
	void *opaque;
	bool pulling;
};

/* All consoles of a machine; index 0 is the first adapter's. */
struct display;
struct display *display_new(struct loop *loop);
void display_free(struct display *d); /* no console is left */
/* NULL: there is none of that index, or no adapter of that name or id. */
struct console *display_console(struct display *d, unsigned index);
struct console *display_console_named(struct display *d, const char *name);

/* NAME is the adapter's, kept by the caller. */
struct console *console_new(struct display *d, const char *name, const struct console_ops *ops,
			    void *opaque);
void console_free(struct console *con);
const char *console_name(const struct console *con);

/*
 * From refresh(): gives the surface another size, black at first. Sizes beyond the maximum are cut. Does nothing when
 * it has that size.
 */
void console_resize(struct console *con, unsigned width, unsigned height);
const struct surface *console_surface(const struct console *con);
/* From refresh(): these pixels were drawn anew. Cut at the surface's edges. */
void console_touch(struct console *con, unsigned x, unsigned y, unsigned width, unsigned height);
/* At any time: an adapter's hardware cursor. */
void console_set_cursor(struct console *con, const struct console_cursor *c);
void console_move_cursor(struct console *con, int x, int y);

void console_attach(struct console *con, struct console_viewer *v,
		    const struct console_viewer_ops *ops, void *opaque);
void console_detach(struct console_viewer *v);
/* Wants the screen as it is now, or a moment later; refreshed() says when, never from within this call. */
void console_pull(struct console_viewer *v);
bool console_read_text(struct console *con, struct console_text *text);
/* Code page 437, the set of VGA's fonts, in Unicode. */
uint16_t console_cp437(uint8_t c);

#endif
