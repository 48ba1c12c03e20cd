/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk on a scratch file, and its requests one at a time: for the tests of io/block. */
#ifndef EVMM_TESTS_BLOCK_KIT_H
#define EVMM_TESTS_BLOCK_KIT_H

#include "io/block/block_internal.h"

struct kit {
	struct loop *loop;
	char path[512];
	struct block *block;
	bool kept; /* the file is somebody else's */
};

/* A file of BYTES zeroes (a hole) in $TMPDIR or /var/tmp; kit_init_in: in DIR. */
void kit_init(struct kit *k, uint64_t bytes);
void kit_init_in(struct kit *k, const char *dir, uint64_t bytes);
/* Opens it with -drive's keys beside file=; the test fails when that does. */
void kit_open(struct kit *k, const char *options);
/* The same, and what went wrong, heap; NULL: nothing. */
char *kit_try_open(struct kit *k, const char *options);
void kit_close(struct kit *k);
void kit_fini(struct kit *k);

int kit_read(struct kit *k, uint64_t offset, void *buf, size_t n);
int kit_write(struct kit *k, uint64_t offset, const void *buf, size_t n, unsigned flags);
int kit_flush(struct kit *k);
int kit_discard(struct kit *k, uint64_t offset, uint64_t n);
int kit_zero(struct kit *k, uint64_t offset, uint64_t n, unsigned flags);

/* A request that runs beside others. */
struct kit_request {
	struct block_req r;
	struct iovec iov;
	bool done;
	unsigned calls;
	int ret;
};
void kit_done(void *opaque, int ret);
void kit_wait(struct kit *k, struct kit_request *q);
/* Turns the loop for so long. */
void kit_turn(struct kit *k, int64_t ns);

#endif
