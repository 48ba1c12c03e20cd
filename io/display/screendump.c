/* SPDX-License-Identifier: BSD-2-Clause */
/* Screendumps: PPM (netpbm's raw P6) and PNG. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/display/screendump.h"
#include "src/worker.h"
#ifdef HAVE_PNG
#include <png.h>
#include <setjmp.h>
#endif

struct dump {
	struct console_viewer viewer;
	struct worker_job job;
	struct worker_pool *workers;
	screendump_done_fn *done;
	void *opaque;
	char *path;
	enum screendump_format format;
	struct surface picture; /* a copy, the worker's */
	struct error err;
};

bool screendump_format_parse(const char *name, enum screendump_format *format, struct error *err)
{
	if (!strcmp(name, "ppm"))
		*format = SCREENDUMP_PPM;
	else if (!strcmp(name, "png"))
#ifdef HAVE_PNG
		*format = SCREENDUMP_PNG;
#else
		return error_set(err, "format 'png' is not in this build");
#endif
	else
		return error_set(err, "format '%s' is not known; there are ppm and png", name);
	return true;
}

/* ---- on the worker ---- */

static void to_rgb(const struct surface *s, unsigned y, uint8_t *rgb)
{
	const uint32_t *from = s->pixels + (size_t)y * s->stride;

	for (unsigned x = 0; x < s->width; x++) {
		*rgb++ = from[x] >> 16;
		*rgb++ = from[x] >> 8;
		*rgb++ = from[x];
	}
}

static bool write_ppm(const struct surface *s, FILE *f, uint8_t *line)
{
	fprintf(f, "P6\n%u %u\n255\n", s->width, s->height);
	for (unsigned y = 0; y < s->height; y++) {
		to_rgb(s, y, line);
		if (fwrite(line, 3, s->width, f) != s->width)
			return false;
	}
	return true;
}

#ifdef HAVE_PNG
static void on_png_warning(png_structp png, png_const_charp text)
{
}

static bool write_png(const struct surface *s, FILE *f, uint8_t *line)
{
	png_structp png =
		png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, on_png_warning);
	png_infop info = png ? png_create_info_struct(png) : NULL;

	if (!info || setjmp(png_jmpbuf(png))) {
		png_destroy_write_struct(&png, &info);
		return false;
	}
	png_init_io(png, f);
	png_set_IHDR(png, info, s->width, s->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
		     PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_write_info(png, info);
	for (unsigned y = 0; y < s->height; y++) {
		to_rgb(s, y, line);
		png_write_row(png, line);
	}
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	return true;
}
#else
static bool write_png(const struct surface *s, FILE *f, uint8_t *line)
{
	return false;
}
#endif

static void dump_run(struct worker_job *job)
{
	struct dump *d = container_of(job, struct dump, job);
	FILE *f = fopen(d->path, "wbe");
	uint8_t *line;
	bool ok;

	if (!f) {
		error_set_errno(&d->err, errno, "failed to open file '%s'", d->path);
		return;
	}
	line = xmalloc((size_t)d->picture.width * 3);
	errno = 0;
	ok = d->format == SCREENDUMP_PNG ? write_png(&d->picture, f, line)
					 : write_ppm(&d->picture, f, line);
	/* What is still buffered may fail to be written as well. */
	ok = !fflush(f) && ok;
	if (!ok) {
		error_set_errno(&d->err, errno ? errno : EIO, "failed to write file '%s'", d->path);
		remove_unfinished(fileno(f), d->path);
	}
	if (fclose(f) && ok)
		error_set_errno(&d->err, errno, "failed to write file '%s'", d->path);
	free(line);
}

/* ---- on the loop ---- */

static void dump_end(struct dump *d)
{
	d->done(d->opaque, &d->err);
	free(d->picture.pixels);
	free(d->path);
	free(d);
}

static void dump_done(struct worker_job *job)
{
	dump_end(container_of(job, struct dump, job));
}

/*
 * The copy is the worker's, so that a slow file holds up neither the guest's screen nor other
 * viewers.
 */
static void on_refreshed(void *opaque)
{
	struct dump *d = opaque;
	const struct surface *s = console_surface(d->viewer.con);
	size_t bytes = (size_t)s->stride * s->height * sizeof(s->pixels[0]);

	d->picture = *s;
	d->picture.pixels = xmalloc(bytes);
	memcpy(d->picture.pixels, s->pixels, bytes);
	console_detach(&d->viewer);
	worker_submit(d->workers, &d->job, dump_run, dump_done);
}

static void on_closed(void *opaque)
{
	struct dump *d = opaque;

	error_set(&d->err, "the display device is gone");
	dump_end(d);
}

static const struct console_viewer_ops dump_ops = {.refreshed = on_refreshed, .closed = on_closed};

void screendump(struct console *con, struct worker_pool *workers, const char *path,
		enum screendump_format format, screendump_done_fn *done, void *opaque)
{
	struct dump *d = xzalloc(sizeof(*d));

	LOOP_ASSERT();
	d->workers = workers;
	d->done = done;
	d->opaque = opaque;
	d->path = xstrdup(path);
	d->format = format;
	console_attach(con, &d->viewer, &dump_ops, d);
	console_pull(&d->viewer);
}
