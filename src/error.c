/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors that a user can cause, and the lines on stderr that tell of them. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "src/clock.h"
#include "src/error.h"

static char *format(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	return s;
}

bool error_set(struct error *err, const char *fmt, ...)
{
	va_list ap;

	if (!err || err->msg)
		return false;
	va_start(ap, fmt);
	err->msg = format(fmt, ap);
	va_end(ap);
	return false;
}

bool error_set_errno(struct error *err, int errnum, const char *fmt, ...)
{
	char *what;
	va_list ap;

	if (!err || err->msg)
		return false;
	va_start(ap, fmt);
	what = format(fmt, ap);
	va_end(ap);
	err->msg = xasprintf("%s: %s", what, strerror(errnum));
	free(what);
	return false;
}

void error_prefix(struct error *err, const char *fmt, ...)
{
	char *prefix, *msg;
	va_list ap;

	if (!err || !err->msg)
		return;
	va_start(ap, fmt);
	prefix = format(fmt, ap);
	va_end(ap);
	msg = xasprintf("%s%s", prefix, err->msg);
	free(prefix);
	free(err->msg);
	err->msg = msg;
}

void error_clear(struct error *err)
{
	free(err->msg);
	err->msg = NULL;
}

static bool with_timestamp;
static const char *guest_name;

void report_with_timestamp(bool on)
{
	with_timestamp = on;
}

void report_with_guest(const char *name)
{
	guest_name = name;
}

/* "2026-11-26T12:00:00.123456Z NAME " */
static char *line_start(void)
{
	int64_t now = clock_wall_ns();
	time_t seconds = now / NS_PER_SEC;
	char date[32] = "";
	struct tm tm;

	if (with_timestamp)
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
	if (with_timestamp)
		return xasprintf("%s.%06dZ %s%s", date, (int)(now % NS_PER_SEC / NS_PER_US),
				 guest_name ? guest_name : "", guest_name ? " " : "");
	return xasprintf("%s%s", guest_name ? guest_name : "", guest_name ? " " : "");
}

/* One write per line, so that lines of several threads do not mix. */
static void report_line(const char *kind, const char *fmt, va_list ap)
{
	char *msg = format(fmt, ap), *start = line_start();

	fflush(stdout);
	fprintf(stderr, "%sevmm: %s%s\n", start, kind, msg);
	free(start);
	free(msg);
}

void error_report(struct error *err)
{
	if (!err->msg)
		return;
	report_error("%s", err->msg);
	error_clear(err);
}

void report_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_line("", fmt, ap);
	va_end(ap);
}

void report_warning(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_line("warning: ", fmt, ap);
	va_end(ap);
}

void report_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_line("info: ", fmt, ap);
	va_end(ap);
}
