/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to a file, for the tests of io/aio. */
#include "tests/unit/aio_kit.h"
#include "src/clock.h"

unsigned aio_kit_done;

static void on_done(struct aio_op *aio, int64_t ret)
{
	struct op *op = container_of(aio, struct op, aio);

	op->ret = ret;
	op->calls++;
	aio_kit_done++;
}

void aio_kit_submit(struct op *op)
{
	op->calls = 0;
	op->aio.iov = op->iov;
	op->aio.done = on_done;
	aio_submit(&op->aio);
	assert_int_equal(op->calls, 0);
}

void aio_kit_start(struct aio_file *f, struct op *op, enum aio_kind kind, uint64_t offset,
		   void *buf, size_t n)
{
	op->iov[0] = (struct iovec){buf, n};
	op->aio =
		(struct aio_op){.file = f, .kind = kind, .n_iov = 1, .offset = offset, .bytes = n};
	aio_kit_submit(op);
}

int64_t aio_kit_finish(struct loop *loop, struct op *op, int64_t max_ns)
{
	/* A turn in which it was done may still wait to its end. */
	for (unsigned i = 0; i < 100000 && !op->calls; i++)
		loop_run_once(loop, max_ns);
	assert_int_equal(op->calls, 1);
	return op->ret;
}
