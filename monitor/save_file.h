/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A file that is written from beginning to end by a worker, a buffer at a time: the caller fills the buffer, says how
 * much of it counts, and is called back when it may be filled again. Loop thread.
 */
#ifndef EVMM_SAVE_FILE_H
#define EVMM_SAVE_FILE_H

#include "src/error.h"

#define SAVE_FILE_BYTES (256u << 10)

struct worker_pool;
struct save_file;

/* ERR is clear, or says what went wrong; nothing more is written then, and a file at PATH has been removed. */
typedef void save_file_fn(void *opaque, struct error *err);

/* PATH is opened, and emptied, by the first write. FD >= 0 instead of PATH: taken over. */
struct save_file *save_file_new(struct worker_pool *pool, const char *path, int fd);
uint8_t *save_file_buffer(struct save_file *f);
/* N (0 to SAVE_FILE_BYTES) bytes of the buffer; N 0 closes, and errors that come late come then. One at a time. */
void save_file_put(struct save_file *f, size_t n, save_file_fn *done, void *opaque);
/* Not while a write is under way. */
void save_file_free(struct save_file *f);

#endif
