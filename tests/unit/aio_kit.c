/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests to a file, for the tests of io/aio. */
#include "tests/unit/aio_kit.h"
#include "src/clock.h"

/* More than any request of a test takes. */
#define LIMIT_NS (60 * NS_PER_SEC)

/* What is waited for, and the loop that is run meanwhile. */
static const struct op *awaited;
static struct loop *running;

static void on_done(struct aio_op *aio, int64_t ret)
{
	struct op *op = container_of(aio, struct op, aio);

	op->ret = ret;
	op->calls++;
	if (op == awaited)
		loop_stop(running);
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

static void on_limit(void *loop)
{
	loop_stop(loop);
}

int64_t aio_kit_finish(struct loop *loop, struct op *op)
{
	struct timer limit;

	awaited = op;
	running = loop;
	timer_init(&limit, loop_clock_host(loop), "limit", on_limit, loop);
	timer_arm(&limit, clock_now_ns(loop_clock_host(loop)) + LIMIT_NS);
	if (!op->calls)
		loop_run(loop);
	timer_cancel(&limit);
	awaited = NULL;
	assert_int_equal(op->calls, 1);
	return op->ret;
}
