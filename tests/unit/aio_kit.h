/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to a file, for the tests of io/aio. */
#ifndef EVMM_TESTS_AIO_KIT_H
#define EVMM_TESTS_AIO_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "io/aio/aio.h"
#include "src/loop.h"

struct op {
	struct aio_op aio;
	struct iovec iov[3];
	unsigned calls;
	int64_t ret;
};

/* A request whose aio has no DONE yet, and an iov of its own. */
void aio_kit_submit(struct op *op);
/* One of N bytes at BUF. */
void aio_kit_start(struct aio_file *f, struct op *op, enum aio_kind kind, uint64_t offset,
		   void *buf, size_t n);
/* Runs the loop until OP is done; once, and what it returned. It sleeps as long as it likes: what nobody wakes it for is never done. */
int64_t aio_kit_finish(struct loop *loop, struct op *op);

#endif
