/* SPDX-License-Identifier: BSD-2-Clause */
/* Display consoles: surfaces, what changed on them, and their viewers. */
#include <stdlib.h>
#include "io/display/console.h"

#define DEFAULT_WIDTH  640 /* until the adapter says otherwise */
#define DEFAULT_HEIGHT 480

struct display {
	struct loop *loop;
	struct list consoles; /* in the order of their index */
};

struct console {
	struct list node;
	struct display *display;
	const char *name;
	const struct console_ops *ops;
	void *opaque;
	struct surface surface;
	/* A bit for each tile that changed since the viewers were told; rows of tiles_stride bytes. */
	uint8_t *tiles;
	unsigned tiles_x, tiles_y;
	bool resized, touched;
	struct list viewers;
	struct loop_work work; /* the next slice of a refresh */
};

/* ---- displays ---- */

struct display *display_new(struct loop *loop)
{
	struct display *d = xzalloc(sizeof(*d));

	d->loop = loop;
	list_init(&d->consoles);
	return d;
}

void display_free(struct display *d)
{
	while (!list_empty(&d->consoles))
		console_free(list_first(&d->consoles, struct console, node));
	free(d);
}

struct console *display_console(struct display *d, unsigned index)
{
	list_for_each(it, &d->consoles)
		if (!index--)
			return list_entry(it, struct console, node);
	return NULL;
}

struct console *display_console_named(struct display *d, const char *name)
{
	list_for_each(it, &d->consoles) {
		struct console *con = list_entry(it, struct console, node);

		if (!strcmp(con->name, name))
			return con;
	}
	return NULL;
}

/* ---- surfaces ---- */

static void surface_set(struct console *con, unsigned width, unsigned height)
{
	struct surface *s = &con->surface;

	free(s->pixels);
	free(con->tiles);
	s->width = width;
	s->height = height;
	s->stride = ALIGN_UP(width, CONSOLE_TILE);
	s->pixels = xzalloc((size_t)s->stride * height * sizeof(s->pixels[0]));
	con->tiles_x = s->stride / CONSOLE_TILE;
	con->tiles_y = ALIGN_UP(height, CONSOLE_TILE) / CONSOLE_TILE;
	con->tiles = xzalloc((size_t)con->tiles_x * con->tiles_y);
	con->touched = false;
}

void console_resize(struct console *con, unsigned width, unsigned height)
{
	width = MIN(MAX(width, 1u), CONSOLE_MAX_WIDTH);
	height = MIN(MAX(height, 1u), CONSOLE_MAX_HEIGHT);
	if (width == con->surface.width && height == con->surface.height)
		return;
	surface_set(con, width, height);
	con->resized = true;
	console_touch(con, 0, 0, width, height);
}

const struct surface *console_surface(const struct console *con)
{
	return &con->surface;
}

void console_touch(struct console *con, unsigned x, unsigned y, unsigned width, unsigned height)
{
	const struct surface *s = &con->surface;
	unsigned x1, y1;

	if (x >= s->width || y >= s->height || !width || !height)
		return;
	x1 = (x + MIN(width, s->width - x) - 1) / CONSOLE_TILE;
	y1 = (y + MIN(height, s->height - y) - 1) / CONSOLE_TILE;
	x /= CONSOLE_TILE;
	for (y /= CONSOLE_TILE; y <= y1; y++)
		memset(&con->tiles[(size_t)y * con->tiles_x + x], 1, x1 - x + 1);
	con->touched = true;
}

/* ---- telling the viewers ---- */

#define TELL(con, callback, ...)                                                        \
	list_for_each_safe(it, &(con)->viewers) {                                       \
		struct console_viewer *v = list_entry(it, struct console_viewer, node); \
                                                                                        \
		if (v->ops->callback)                                                   \
			v->ops->callback(v->opaque, ##__VA_ARGS__);                     \
	}

static bool run_is_set(const struct console *con, unsigned x, unsigned y, unsigned n)
{
	const uint8_t *row = &con->tiles[(size_t)y * con->tiles_x];

	for (unsigned i = 0; i < n; i++)
		if (!row[x + i])
			return false;
	return true;
}

/* The largest run of tiles from (X, Y) to the right, then as far down as all of it is set; taken from the map. */
static struct rect take_rect(struct console *con, unsigned x, unsigned y)
{
	const struct surface *s = &con->surface;
	unsigned w = 1, h = 1;
	struct rect r = {x * CONSOLE_TILE, y * CONSOLE_TILE, 0, 0};

	while (x + w < con->tiles_x && con->tiles[(size_t)y * con->tiles_x + x + w])
		w++;
	while (y + h < con->tiles_y && run_is_set(con, x, y + h, w))
		h++;
	for (unsigned i = 0; i < h; i++)
		memset(&con->tiles[(size_t)(y + i) * con->tiles_x + x], 0, w);
	r.width = MIN(w * CONSOLE_TILE, s->width - r.x);
	r.height = MIN(h * CONSOLE_TILE, s->height - r.y);
	return r;
}

static void tell_updates(struct console *con)
{
	for (unsigned y = 0; y < con->tiles_y; y++) {
		for (unsigned x = 0; x < con->tiles_x; x++) {
			struct rect r;

			if (!con->tiles[(size_t)y * con->tiles_x + x])
				continue;
			r = take_rect(con, x, y);
			TELL(con, updated, &r);
		}
	}
	con->touched = false;
}

static void tell_refreshed(struct console *con)
{
	list_for_each_safe(it, &con->viewers) {
		struct console_viewer *v = list_entry(it, struct console_viewer, node);

		if (!v->pulling)
			continue;
		v->pulling = false;
		if (v->ops->refreshed)
			v->ops->refreshed(v->opaque);
	}
}

static void console_on_work(void *opaque)
{
	struct console *con = opaque;

	if (!con->ops->refresh(con->opaque)) {
		loop_work_schedule(&con->work);
		return;
	}
	if (con->resized) {
		con->resized = false;
		TELL(con, resized, &con->surface);
	}
	if (con->touched)
		tell_updates(con);
	tell_refreshed(con);
}

/* ---- consoles and viewers ---- */

struct console *console_new(struct display *d, const char *name, const struct console_ops *ops,
			    void *opaque)
{
	struct console *con = xzalloc(sizeof(*con));

	LOOP_ASSERT();
	con->display = d;
	con->name = name;
	con->ops = ops;
	con->opaque = opaque;
	list_init(&con->viewers);
	loop_work_init(&con->work, d->loop, "display", console_on_work, con);
	surface_set(con, DEFAULT_WIDTH, DEFAULT_HEIGHT);
	list_push_back(&d->consoles, &con->node);
	return con;
}

void console_free(struct console *con)
{
	LOOP_ASSERT();
	while (!list_empty(&con->viewers)) {
		struct console_viewer *v = list_first(&con->viewers, struct console_viewer, node);

		console_detach(v);
		if (v->ops->closed)
			v->ops->closed(v->opaque);
	}
	loop_work_cancel(&con->work);
	list_remove(&con->node);
	free(con->surface.pixels);
	free(con->tiles);
	free(con);
}

const char *console_name(const struct console *con)
{
	return con->name;
}

void console_set_cursor(struct console *con, const struct console_cursor *c)
{
	TELL(con, cursor, c);
}

void console_move_cursor(struct console *con, int x, int y)
{
	TELL(con, cursor_moved, x, y);
}

void console_attach(struct console *con, struct console_viewer *v,
		    const struct console_viewer_ops *ops, void *opaque)
{
	LOOP_ASSERT();
	v->con = con;
	v->ops = ops;
	v->opaque = opaque;
	v->pulling = false;
	list_push_back(&con->viewers, &v->node);
}

void console_detach(struct console_viewer *v)
{
	LOOP_ASSERT();
	if (!v->con)
		return;
	list_remove(&v->node);
	v->con = NULL;
	v->pulling = false;
}

void console_pull(struct console_viewer *v)
{
	LOOP_ASSERT();
	if (!v->con)
		return;
	v->pulling = true;
	loop_work_schedule(&v->con->work);
}

bool console_read_text(struct console *con, struct console_text *text)
{
	LOOP_ASSERT();
	memset(text, 0, sizeof(*text));
	return con->ops->text && con->ops->text(con->opaque, text);
}

uint16_t console_cp437(uint8_t c)
{
	static const uint16_t low[32] = {
		0x0020, 0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022,
		0x25d8, 0x25cb, 0x25d9, 0x2642, 0x2640, 0x266a, 0x266b, 0x263c,
		0x25ba, 0x25c4, 0x2195, 0x203c, 0x00b6, 0x00a7, 0x25ac, 0x21a8,
		0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc,
	};
	static const uint16_t high[129] = {
		0x2302, 0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, 0x00ea,
		0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6,
		0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3,
		0x00a5, 0x20a7, 0x0192, 0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa,
		0x00ba, 0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591,
		0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551,
		0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500,
		0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c,
		0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a,
		0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580, 0x03b1, 0x00df, 0x0393,
		0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, 0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e,
		0x03c6, 0x03b5, 0x2229, 0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7,
		0x2248, 0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0,
	};

	return c < 0x20 ? low[c] : c < 0x7f ? c : high[c - 0x7f];
}
