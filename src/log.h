/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * -d CATEGORY[,...] and -D FILE: the one trace facility. Compiled in, filtered at run time; a category
 * that is off costs one load and a branch. Any thread may log; lines of two threads do not mix.
 */
#ifndef EVMM_LOG_H
#define EVMM_LOG_H

#include "src/error.h"

enum log_category {
	LOG_GUEST_ERRORS = 1u << 0, /* the guest did what no sane driver does */
	LOG_CPU_RESET = 1u << 1,    /* registers at reset and triple fault */
	LOG_INT = 1u << 2,	    /* interrupts and exceptions as they are delivered */
	LOG_IN_ASM = 1u << 3,	    /* guest code as it is first translated */
	LOG_OP = 1u << 4,	    /* micro-operations of each translated block */
	LOG_UNIMP = 1u << 5,	    /* something the guest used is not modelled */
	LOG_TRACE = 1u << 6,	    /* device register accesses */
	LOG_MMU = 1u << 7,	    /* page walks and page faults */
};

extern unsigned log_mask; /* written at start-up and by the monitor only */

static inline bool log_enabled(unsigned category)
{
	return unlikely(log_mask & category);
}

void log_printf(unsigned category, const char *fmt, ...) printf_like(2, 3);
/* Parses "int,cpu_reset". "help" or "?" prints the list and exits 0. */
bool log_set_mask(const char *spec, struct error *err);
/* The I-th item that log_set_mask knows; false when there are no more. */
bool log_item(unsigned i, const char **name, const char **help);
bool log_set_file(const char *path, struct error *err);

#endif
