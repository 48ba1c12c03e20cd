/* SPDX-License-Identifier: BSD-2-Clause */
/* Display consoles: pulled refreshes, what changed, viewers that come and go, screendumps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "io/display/screendump.h"
#include "src/worker.h"

static struct loop *loop;
static struct worker_pool *workers;
static struct display *display;
static struct console *con;

/* The adapter: what it draws at the next refreshes. */
static unsigned slices, refreshes, width, height;
static struct rect draw[4];
static unsigned n_draw;

static bool adapter_refresh(void *opaque)
{
	refreshes++;
	if (slices && --slices)
		return false;
	if (width)
		console_resize(con, width, height);
	for (unsigned i = 0; i < n_draw; i++) {
		const struct surface *s = console_surface(con);

		for (unsigned y = draw[i].y; y < draw[i].y + draw[i].height && y < s->height; y++)
			for (unsigned x = draw[i].x; x < draw[i].x + draw[i].width && x < s->width;
			     x++)
				s->pixels[y * s->stride + x] = 0xff102030 + i;
		console_touch(con, draw[i].x, draw[i].y, draw[i].width, draw[i].height);
	}
	n_draw = 0;
	return true;
}

static const struct console_ops adapter_ops = {.refresh = adapter_refresh};

struct viewer {
	struct console_viewer v;
	unsigned resized, refreshed, closed, n;
	struct rect rects[16];
};

static void on_resized(void *opaque, const struct surface *s)
{
	((struct viewer *)opaque)->resized++;
}

static void on_updated(void *opaque, const struct rect *r)
{
	struct viewer *v = opaque;

	assert_true(v->n < 16);
	v->rects[v->n++] = *r;
}

static void on_refreshed(void *opaque)
{
	((struct viewer *)opaque)->refreshed++;
}

static void on_closed(void *opaque)
{
	((struct viewer *)opaque)->closed++;
}

static const struct console_viewer_ops viewer_ops = {
	.resized = on_resized,
	.updated = on_updated,
	.refreshed = on_refreshed,
	.closed = on_closed,
};

static int setup(void **state)
{
	loop = loop_new();
	workers = worker_pool_new(loop, 2);
	display = display_new(loop);
	con = console_new(display, "test", &adapter_ops, NULL);
	slices = refreshes = width = height = n_draw = 0;
	return 0;
}

static int teardown(void **state)
{
	worker_pool_free(workers);
	display_free(display);
	loop_free(loop);
	return 0;
}

static void turns(unsigned n)
{
	while (n--)
		loop_run_once(loop, 0);
}

static bool is_rect(const struct rect *r, unsigned x, unsigned y, unsigned w, unsigned h)
{
	return r->x == x && r->y == y && r->width == w && r->height == h;
}

static void nothing_is_drawn_while_nobody_looks(void **state)
{
	struct viewer v = {0};

	console_attach(con, &v.v, &viewer_ops, &v);
	turns(10);
	assert_int_equal(refreshes, 0);
	console_pull(&v.v);
	console_pull(&v.v);
	assert_int_equal(refreshes, 0);
	turns(10);
	assert_int_equal(refreshes, 1);
	assert_int_equal(v.refreshed, 1);
	assert_int_equal(v.n, 0);
	console_detach(&v.v);
}

static void a_refresh_in_slices_takes_a_turn_each(void **state)
{
	struct viewer v = {0};

	console_attach(con, &v.v, &viewer_ops, &v);
	slices = 3;
	console_pull(&v.v);
	turns(2);
	assert_int_equal(v.refreshed, 0);
	turns(2);
	assert_int_equal(refreshes, 3);
	assert_int_equal(v.refreshed, 1);
	console_detach(&v.v);
}

static void every_viewer_learns_what_changed(void **state)
{
	struct viewer a = {0}, b = {0};

	console_attach(con, &a.v, &viewer_ops, &a);
	console_attach(con, &b.v, &viewer_ops, &b);
	draw[0] = (struct rect){20, 20, 30, 5};
	draw[1] = (struct rect){20, 40, 30, 5};	     /* the tiles below */
	draw[2] = (struct rect){630, 470, 500, 500}; /* cut at the edge */
	n_draw = 3;
	console_pull(&a.v);
	turns(4);
	assert_int_equal(a.n, 2);
	assert_true(is_rect(&a.rects[0], 16, 16, 48, 32));
	assert_true(is_rect(&a.rects[1], 624, 464, 16, 16));
	assert_int_equal(b.n, 2);
	assert_int_equal(a.refreshed, 1);
	assert_int_equal(b.refreshed, 0);
	console_detach(&a.v);
	console_detach(&b.v);
}

static void a_new_size_is_told_before_what_is_on_it(void **state)
{
	struct viewer v = {0};

	console_attach(con, &v.v, &viewer_ops, &v);
	width = 801;
	height = 601;
	console_pull(&v.v);
	turns(4);
	assert_int_equal(v.resized, 1);
	assert_int_equal(v.n, 1);
	assert_true(is_rect(&v.rects[0], 0, 0, 801, 601));
	console_pull(&v.v);
	turns(4);
	assert_int_equal(v.resized, 1);
	width = height = 1000000;
	console_pull(&v.v);
	turns(4);
	assert_int_equal(console_surface(con)->width, CONSOLE_MAX_WIDTH);
	assert_int_equal(console_surface(con)->height, CONSOLE_MAX_HEIGHT);
	console_detach(&v.v);
}

static void a_viewer_is_told_that_the_console_goes_away(void **state)
{
	struct viewer v = {0};

	console_attach(con, &v.v, &viewer_ops, &v);
	console_pull(&v.v);
	console_free(con);
	assert_int_equal(v.closed, 1);
	console_detach(&v.v);
	console_pull(&v.v);
	turns(2);
	assert_null(display_console(display, 0));
}

/* ---- screendumps ---- */

static unsigned dumped;
static char *dump_error;

static void on_dumped(void *opaque, struct error *err)
{
	dumped++;
	free(dump_error);
	dump_error = err->msg;
}

static void dump(const char *path, enum screendump_format format)
{
	dumped = 0;
	screendump(con, workers, path, format, on_dumped, NULL);
	assert_int_equal(dumped, 0);
	for (unsigned i = 0; i < 500 && !dumped; i++)
		loop_run_once(loop, 10 * NS_PER_MS);
	assert_int_equal(dumped, 1);
}

static size_t contents(const char *path, uint8_t *buf, size_t max)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	assert_non_null(f);
	n = fread(buf, 1, max, f);
	fclose(f);
	unlink(path);
	return n;
}

static void screendumps_are_ppm_or_png(void **state)
{
	static const char head[] = "P6\n33 2\n255\n";
	uint8_t buf[4096];
	char path[64];

	snprintf(path, sizeof(path), "/tmp/evmm-test-display.%d", getpid());
	width = 33;
	height = 2;
	draw[0] = (struct rect){32, 1, 1, 1};
	n_draw = 1;
	dump(path, SCREENDUMP_PPM);
	assert_null(dump_error);
	assert_int_equal(contents(path, buf, sizeof(buf)), sizeof(head) - 1 + 33 * 2 * 3);
	assert_memory_equal(buf, head, sizeof(head) - 1);
	assert_memory_equal(buf + sizeof(head) - 1 + 65 * 3, "\x10\x20\x30", 3);
	assert_int_equal(buf[sizeof(head) - 1], 0);
#ifdef HAVE_PNG
	dump(path, SCREENDUMP_PNG);
	assert_null(dump_error);
	assert_true(contents(path, buf, sizeof(buf)) > 40);
	assert_memory_equal(buf, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x21\0\0\0\2\x08\2", 26);
#endif
}

static void a_file_that_cannot_be_written_is_an_error(void **state)
{
	dump("/nonexistent/x.ppm", SCREENDUMP_PPM);
	assert_string_equal(dump_error,
			    "failed to open file '/nonexistent/x.ppm': No such file or directory");
	dump("/dev/full", SCREENDUMP_PPM);
	assert_string_equal(dump_error,
			    "failed to write file '/dev/full': No space left on device");
#ifdef HAVE_PNG
	dump("/dev/full", SCREENDUMP_PNG);
	assert_non_null(dump_error);
#endif
}

static void a_screendump_of_a_console_that_goes_away_ends(void **state)
{
	dumped = 0;
	screendump(con, workers, "/nonexistent/x", SCREENDUMP_PPM, on_dumped, NULL);
	console_free(con);
	assert_int_equal(dumped, 1);
	assert_non_null(dump_error);
}

static void code_page_437_is_known(void **state)
{
	assert_int_equal(console_cp437('A'), 'A');
	assert_int_equal(console_cp437(0), ' ');
	assert_int_equal(console_cp437(0xc4), 0x2500);
	assert_int_equal(console_cp437(0xdb), 0x2588);
	assert_int_equal(console_cp437(0xff), 0xa0);
	assert_int_equal(console_cp437(0x7f), 0x2302);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_drawn_while_nobody_looks),
		TEST(a_refresh_in_slices_takes_a_turn_each),
		TEST(every_viewer_learns_what_changed),
		TEST(a_new_size_is_told_before_what_is_on_it),
		TEST(a_viewer_is_told_that_the_console_goes_away),
		TEST(screendumps_are_ppm_or_png),
		TEST(a_file_that_cannot_be_written_is_an_error),
		TEST(a_screendump_of_a_console_that_goes_away_ends),
		TEST(code_page_437_is_known),
	};
	int status = cmocka_run_group_tests(tests, NULL, NULL);

	free(dump_error);
	return status;
}
