/* SPDX-License-Identifier: BSD-2-Clause */
/* A console's picture into a file. Loop thread; the file is written on a worker. */
#ifndef EVMM_SCREENDUMP_H
#define EVMM_SCREENDUMP_H

#include "io/display/console.h"

struct worker_pool;

enum screendump_format { SCREENDUMP_PPM, SCREENDUMP_PNG };

/* ERR is empty when the file was written; DONE takes it over. */
typedef void screendump_done_fn(void *opaque, struct error *err);

/* "ppm" or "png"; an error names what there is. */
bool screendump_format_parse(const char *name, enum screendump_format *format, struct error *err);
/* Pulls CON's picture and writes it to PATH. DONE is called once, never from within this call. */
void screendump(struct console *con, struct worker_pool *workers, const char *path,
		enum screendump_format format, screendump_done_fn *done, void *opaque);

#endif
