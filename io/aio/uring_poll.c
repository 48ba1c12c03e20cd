/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests to devices that are asked for completions instead of interrupting (IORING_SETUP_IOPOLL).
 *
 * The host's administrator says which: a device has queues for that when its driver was told so (nvme.poll_queues=,
 * virtio_blk.poll_queues=), and queue/io_poll in sysfs shows it. Only plain O_DIRECT reads and writes go this way; flushes, and writes that
 * are to be on stable storage when done, are several commands, of which some interrupt anyway.
 *
 * A completion is seen only by asking, and every look is a system call. So polling pays while the device
 * answers sooner than the loop would go to sleep, and costs processor time when it does not:
 *
 *	- while the loop is awake it looks each time round, as at all its pollers;
 *	- while something is in flight it sleeps no longer than a quarter of the time in which nothing has come or gone, between
 *	  20 microseconds and 10 milliseconds. A completion is thus seen at most a quarter late, and a device that has stalled costs
 *	  a hundred looks a second;
 *	- when nothing has come for 100 microseconds, requests go to the ring with interrupts for the next 100 milliseconds. So they do
 *	  when there are more runnable threads than host CPUs, and when they are long.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "io/aio/uring.h"

#define POLLED_MAX_BYTES (64 * KiB)
#define LOOK_MIN_NS	 (20 * NS_PER_US)
#define LOOK_MAX_NS	 (10 * NS_PER_MS)
/* Without a completion for so long, polling does not pay; and for how long it is then left. */
#define PAYS_NS	    (100 * NS_PER_US)
#define HOLD_OFF_NS (100 * NS_PER_MS)

/* ---- which files ---- */

static bool says_one(const char *path)
{
	char c = '0';
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	if (read(fd, &c, 1) != 1)
		c = '0';
	close(fd);
	return c == '1';
}

bool uring_poll_possible(int fd)
{
	struct stat st;
	char path[80];
	dev_t dev;

	if (fstat(fd, &st) < 0)
		return false;
	/* A file is polled as the device is that its file system is on, if it is on one. */
	dev = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/queue/io_poll", major(dev), minor(dev));
	if (access(path, F_OK) < 0) /* a partition has the queue of its disk */
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../queue/io_poll", major(dev),
			 minor(dev));
	return says_one(path);
}

/* ---- submitting ---- */

static void on_time(void *opaque)
{
	struct uring_poll *p = opaque;
	int64_t now = clock_now_ns(loop_clock_host(p->loop)), waited = now - p->event_ns;

	if (!p->inflight)
		return;
	if (waited >= PAYS_NS)
		p->not_before_ns = now + HOLD_OFF_NS;
	timer_arm(&p->look, now + MIN(MAX(waited / 4, LOOK_MIN_NS), LOOK_MAX_NS));
}

void uring_poll_init(struct uring_poll *p, struct loop *loop)
{
	p->loop = loop;
	timer_init(&p->look, loop_clock_host(loop), "io_uring-poll", on_time, p);
}

static bool make(struct uring_poll *p, const struct aio_memory *memory)
{
	struct io_uring_params params = {.flags = IORING_SETUP_IOPOLL | IORING_SETUP_CQSIZE |
						  IORING_SETUP_CLAMP,
					 .cq_entries = URING_CQ_ENTRIES};

	if (p->made || p->failed)
		return p->made;
	p->made = io_uring_queue_init_params(URING_SQ_ENTRIES, &p->ring, &params) == 0;
	p->failed = !p->made;
	if (!p->made)
		return false;
	p->registered = io_uring_register_files_sparse(&p->ring, URING_FILES_MAX) == 0;
	uring_memory_init(&p->memory, &p->ring, p->loop);
	uring_memory_set(&p->memory, memory);
	return true;
}

void uring_poll_fini(struct uring_poll *p)
{
	timer_cancel(&p->look);
	uring_memory_fini(&p->memory);
	if (p->made)
		io_uring_queue_exit(&p->ring);
	p->made = false;
}

/* The file's slot is the same in both rings. */
static void register_file(struct uring_poll *p, struct aio_file *f)
{
	int fd = f->fd;

	f->poll_slot = p->registered && f->slot >= 0 &&
		       io_uring_register_files_update(&p->ring, (unsigned)f->slot, &fd, 1) == 1;
	f->poll_known = true;
}

void uring_poll_file_fini(struct uring_poll *p, const struct aio_file *f)
{
	int none = -1;

	if (f->poll_slot)
		io_uring_register_files_update(&p->ring, (unsigned)f->slot, &none, 1);
}

static bool pays(const struct uring_poll *p, const struct aio_op *op)
{
	return (op->kind == AIO_READ || op->kind == AIO_WRITE) && !(op->flags & AIO_FUA) &&
	       op->bytes <= POLLED_MAX_BYTES && loop_stamp_ns(p->loop) >= p->not_before_ns &&
	       !loop_oversubscribed_mt(p->loop);
}

bool uring_poll_take(struct uring_poll *p, struct aio_op *op)
{
	struct aio_file *f = op->file;
	struct io_uring_sqe *sqe;

	if (!f->can_poll || !pays(p, op) || !make(p, op->aio->memory) ||
	    p->inflight >= URING_CQ_ENTRIES)
		return false;
	if (!f->poll_known)
		register_file(p, f);
	sqe = uring_get_sqe(&p->ring, &p->unsubmitted);
	if (!sqe)
		return false;
	uring_fill_transfer(sqe, op, &p->memory);
	sqe->fd = f->poll_slot ? f->slot : f->fd;
	sqe->flags |= f->poll_slot ? IOSQE_FIXED_FILE : 0;
	p->inflight++;
	p->unsubmitted++;
	return true;
}

bool uring_poll_submit(struct uring_poll *p)
{
	int64_t first = loop_stamp_ns(p->loop) + LOOK_MIN_NS;

	if (!p->unsubmitted)
		return false;
	uring_flush(&p->ring, &p->unsubmitted);
	p->event_ns = loop_stamp_ns(p->loop);
	if (!timer_pending(&p->look) || p->look.deadline_ns > first)
		timer_arm(&p->look, first);
	return true;
}

/* ---- reaping ---- */

unsigned uring_poll_look(struct uring_poll *p)
{
	unsigned ready;

	if (!p->inflight)
		return 0;
	ready = io_uring_cq_ready(&p->ring);
	if (ready)
		return ready;
	io_uring_get_events(&p->ring);
	return io_uring_cq_ready(&p->ring);
}

struct aio_op *uring_poll_reap(struct uring_poll *p, int *res)
{
	struct io_uring_cqe *cqe;
	struct aio_op *op;

	if (!io_uring_cq_ready(&p->ring) || io_uring_peek_cqe(&p->ring, &cqe) || !cqe)
		return NULL;
	op = io_uring_cqe_get_data(cqe);
	*res = cqe->res;
	io_uring_cqe_seen(&p->ring, cqe);
	p->inflight--;
	p->event_ns = loop_stamp_ns(p->loop);
	return op;
}
