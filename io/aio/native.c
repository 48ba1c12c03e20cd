/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aio=native: Linux AIO. What a turn has collected goes to the kernel with one io_submit(2), sooner while the devices have little to do; completions are taken from the
 * ring that the kernel shares with us, where it has the form we know, else with io_getevents(2). An eventfd ends the
 * loop's sleep. Flushes go to the workers: the kernel's own form of them is younger than the rest.
 */
#include <errno.h>
#include <fcntl.h>
#include <libaio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "io/aio/engine.h"

#define EVENTS_MAX   1024
#define SUBMIT_BATCH 128

/* The completion ring as the kernel maps it at the context's address (fs/aio.c). */
struct shared_ring {
	unsigned id, nr, head, tail;
	unsigned magic, compat_features, incompat_features, header_length;
	struct io_event events[];
};
#define SHARED_RING_MAGIC 0xa10a10a1u

struct native {
	struct aio aio;
	io_context_t context;
	struct shared_ring *shared; /* NULL: of a form that we don't know */
	struct loop_hook submit_hook;
	struct loop_poller poller;
	struct loop_fd wake;
	int eventfd;
	bool polling;
	unsigned inflight, n_pending;
	struct list pending; /* to be submitted */
};

static struct native *of(struct aio *a)
{
	return container_of(a, struct native, aio);
}

static bool native_poll(void *opaque);

static void start_polling(struct native *n)
{
	if (n->polling || !n->shared)
		return;
	n->polling = true;
	loop_poller_add(&n->poller, n->aio.loop, "linux-aio", native_poll, n);
}

static void take_first(struct native *n)
{
	list_remove(n->pending.next);
	n->n_pending--;
}

static void submit_pending(struct native *n);

/* Completions that have come and are not yet taken from the ring are with no device any more. */
static void feed_starving(struct native *n)
{
	unsigned come = 0;

	if (n->shared)
		come = (__atomic_load_n(&n->shared->tail, __ATOMIC_ACQUIRE) + n->shared->nr -
			n->shared->head) %
		       n->shared->nr;
	if (aio_devices_starve(n->n_pending, n->inflight - MIN(n->inflight, come)))
		submit_pending(n);
}

static void native_submit(struct aio *a, struct aio_op *op)
{
	struct native *n = of(a);
	int fd = op->file->fd, count = (int)op->n_iov;

	if (op->kind == AIO_FSYNC) {
		aio_submit_to_worker(op);
		return;
	}
	if (op->kind == AIO_READ)
		io_prep_preadv(&op->iocb, fd, op->iov, count, (long long)op->offset);
	else
		io_prep_pwritev2(&op->iocb, fd, op->iov, count, (long long)op->offset,
				 op->flags & AIO_FUA ? RWF_DSYNC : 0);
	op->iocb.data = op;
	io_set_eventfd(&op->iocb, n->eventfd);
	list_push_back(&n->pending, &op->node);
	n->n_pending++;
	feed_starving(n);
}

/* The kernel refuses the first of the pending: a worker finds out whether it can be done at all. */
static void give_first_to_worker(struct native *n)
{
	struct aio_op *op = list_first(&n->pending, struct aio_op, node);

	take_first(n);
	aio_submit_to_worker(op);
}

static void submit_pending(struct native *n)
{
	while (!list_empty(&n->pending) && n->inflight < EVENTS_MAX) {
		struct iocb *batch[SUBMIT_BATCH];
		long count = 0, room = EVENTS_MAX - n->inflight, taken;

		list_for_each(it, &n->pending) {
			if (count == SUBMIT_BATCH || count == room)
				break;
			batch[count++] = &list_entry(it, struct aio_op, node)->iocb;
		}
		taken = io_submit(n->context, count, batch);
		if (taken == -EAGAIN && n->inflight)
			break;
		if (taken < 0) {
			give_first_to_worker(n);
			continue;
		}
		n->inflight += (unsigned)taken;
		for (long i = 0; i < taken; i++)
			take_first(n);
	}
	if (n->inflight)
		start_polling(n);
}

static bool native_on_submit(void *opaque)
{
	struct native *n = opaque;
	bool had = !list_empty(&n->pending);

	if (had)
		submit_pending(n);
	if (n->polling)
		loop_poller_set_crowd(&n->poller, n->inflight >= AIO_CROWD);
	return had;
}

static void complete(struct native *n, const struct io_event *e)
{
	struct aio_op *op = e->data;

	n->inflight--;
	aio_complete(op, (int64_t)(long)e->res);
}

/* Returns how many there were. */
static unsigned reap_shared(struct native *n)
{
	struct shared_ring *ring = n->shared;
	unsigned count = 0, head = ring->head;

	while (count < EVENTS_MAX && head != __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE)) {
		struct io_event e = ring->events[head];

		head = (head + 1) % ring->nr;
		__atomic_store_n(&ring->head, head, __ATOMIC_RELEASE);
		complete(n, &e);
		count++;
	}
	return count;
}

static unsigned reap_events(struct native *n)
{
	struct io_event events[64];
	struct timespec now = {0};
	int got = io_getevents(n->context, 0, ARRAY_SIZE(events), events, &now);

	for (int i = 0; i < got; i++)
		complete(n, &events[i]);
	return got > 0 ? (unsigned)got : 0;
}

static bool native_poll(void *opaque)
{
	struct native *n = opaque;
	bool found;

	aio_enter(&n->aio);
	found = reap_shared(n) > 0;
	if (!n->inflight && n->polling) {
		n->polling = false;
		loop_poller_remove(&n->poller);
	}
	aio_leave(&n->aio);
	return found;
}

static void native_on_wake(void *opaque, unsigned events)
{
	struct native *n = opaque;
	uint64_t count;

	while (read(n->eventfd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	if (n->shared)
		return;
	aio_enter(&n->aio);
	while (reap_events(n))
		;
	aio_leave(&n->aio);
}

static bool native_init(struct aio *a, struct error *err)
{
	struct native *n = of(a);
	int rc = io_setup(EVENTS_MAX, &n->context);
	struct shared_ring *ring;

	if (rc < 0)
		return error_set_errno(err, -rc, "this kernel gives no Linux AIO");
	n->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (n->eventfd < 0) {
		error_set_errno(err, errno, "no eventfd for Linux AIO");
		io_destroy(n->context);
		return false;
	}
	ring = (struct shared_ring *)n->context;
	if (ring->magic == SHARED_RING_MAGIC && ring->incompat_features == 0 &&
	    ring->header_length == sizeof(*ring))
		n->shared = ring;
	list_init(&n->pending);
	loop_fd_init(&n->wake, a->loop, "linux-aio", native_on_wake, n);
	loop_fd_set(&n->wake, n->eventfd, LOOP_READ);
	loop_submit_hook_add(&n->submit_hook, a->loop, "linux-aio", native_on_submit, n);
	return true;
}

static void native_fini(struct aio *a)
{
	struct native *n = of(a);

	if (n->polling)
		loop_poller_remove(&n->poller);
	loop_submit_hook_remove(&n->submit_hook);
	loop_fd_stop(&n->wake);
	io_destroy(n->context);
	close(n->eventfd);
}

const struct aio_engine_ops aio_native_ops = {
	.engine = AIO_NATIVE,
	.name = "native",
	.size = sizeof(struct native),
	.init = native_init,
	.fini = native_fini,
	.submit = native_submit,
};
