/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors that a user can cause. A function that can fail takes a `struct error *` last and returns
 * false, NULL or -1; the message names the option or the file. The caller owns the struct:
 *
 *	struct error err = ERROR_INIT;
 *	if (!drive_open(&d, path, &err))
 *		error_report(&err);		// "evmm: MESSAGE" on stderr, and the error is clear again
 */
#ifndef EVMM_ERROR_H
#define EVMM_ERROR_H

#include "src/util.h"

struct error {
	char *msg; /* heap; NULL when no error is set */
};

#define ERROR_INIT   \
	{            \
		NULL \
	}

/* Sets ERR (which may be NULL: then nothing is kept). The first error wins. Always returns false. Any thread. */
bool error_set(struct error *err, const char *fmt, ...) printf_like(2, 3);
/* As error_set, with ": strerror(errnum)" appended. */
bool error_set_errno(struct error *err, int errnum, const char *fmt, ...) printf_like(3, 4);
/* Puts a prefix in front of a message that is set; without one it does nothing. */
void error_prefix(struct error *err, const char *fmt, ...) printf_like(2, 3);
void error_clear(struct error *err);
static inline bool error_is_set(const struct error *err)
{
	return err->msg != NULL;
}

/* Messages begin with the time of day; with NAME (not copied), unless NULL. At start-up. */
void report_with_timestamp(bool on);
void report_with_guest(const char *name);
/* One line on stderr, "evmm: ..." / "evmm: warning: ..." / "evmm: info: ...". Any thread. */
void error_report(struct error *err);
void report_error(const char *fmt, ...) printf_like(1, 2);
void report_warning(const char *fmt, ...) printf_like(1, 2);
void report_info(const char *fmt, ...) printf_like(1, 2);

#endif
