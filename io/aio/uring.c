/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aio=io_uring: one ring for the loop, whatever the number of disks.
 *
 *	submit	requests become SQEs at once; the loop's submit hook hands all of a turn to the kernel with one system call. While
 *		the devices have little to do they get the first of them sooner
 *	reap	a poller looks at the completion queue, which is shared memory: no system call. Where the kernel defers its
 *		part of the work (DEFER_TASKRUN) it shows a flag, and one call for all that has come does it
 *	sleep	while the loop is awake the kernel does not signal the eventfd; before it sleeps, the poller asks for that
 *
 * Devices that can be polled for completions have a second ring, see uring_poll.c.
 *
 * The poller is in the loop's list only while something is in flight: idle disks cost nothing.
 *
 * A tmpfs cannot say beforehand that a transfer won't wait (RWF_NOWAIT), so the kernel would hand each one to a thread of its own,
 * which takes several times what copying takes. Where nothing can be swapped out it never waits, and small
 * transfers are made by the poller itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "io/aio/uring.h"

/* Completions that are handled before the loop looks at anything else. */
#define REAP_MAX 256u
/* The largest transfer that is copied to or from a tmpfs, and what is copied in one turn of the loop: some 20 microseconds. */
#define COPY_MAX_BYTES (64 * KiB)
/* When the kernel took nothing, for want of memory: until it is asked again. */
#define RETRY_NS (2 * NS_PER_MS)

struct uring {
	struct aio aio;
	struct io_uring ring;
	struct loop_hook submit_hook;
	struct loop_poller poller;
	struct loop_fd wake;
	struct timer retry; /* what the kernel did not take is handed to it again */
	int eventfd;
	bool polling;	   /* the poller is in the loop's list */
	bool signals;	   /* the kernel signals the eventfd */
	bool deferred;	   /* completions need IORING_ENTER_GETEVENTS when the flag says so */
	bool registered;   /* files can be */
	unsigned inflight; /* given to the ring, not yet reaped */
	unsigned unsubmitted;
	struct list waiting; /* operations for which the ring had no room */
	struct list to_copy; /* those that the poller makes */
	uint64_t slots[URING_FILES_MAX / 64];
	struct uring_poll polled;
	struct uring_memory memory;
};

static struct uring *of(struct aio *a)
{
	return container_of(a, struct uring, aio);
}

/* ---- submitting ---- */

void uring_fill_transfer(struct io_uring_sqe *sqe, struct aio_op *op,
			 const struct uring_memory *memory)
{
	/* What goes by the page cache is copied: there is nothing to be gained. */
	int piece = op->n_iov == 1 && op->file->direct ? uring_memory_find(memory, op->iov) : -1;
	const struct iovec *iov = op->iov;
	int fd = op->file->fd;

	if (op->kind == AIO_READ) {
		if (piece >= 0)
			io_uring_prep_read_fixed(sqe, fd, iov->iov_base, (unsigned)iov->iov_len,
						 op->offset, piece);
		else
			io_uring_prep_readv(sqe, fd, iov, op->n_iov, op->offset);
	} else {
		if (piece >= 0)
			io_uring_prep_write_fixed(sqe, fd, iov->iov_base, (unsigned)iov->iov_len,
						  op->offset, piece);
		else
			io_uring_prep_writev(sqe, fd, iov, op->n_iov, op->offset);
		sqe->rw_flags = op->flags & AIO_FUA ? RWF_DSYNC : 0;
	}
	io_uring_sqe_set_data(sqe, op);
}

void uring_flush(struct io_uring *ring, unsigned *unsubmitted)
{
	while (*unsubmitted) {
		int n = io_uring_submit(ring);

		if (n == -EINTR)
			continue;
		if (n <= 0)
			break;
		*unsubmitted -= MIN((unsigned)n, *unsubmitted);
	}
}

struct io_uring_sqe *uring_get_sqe(struct io_uring *ring, unsigned *unsubmitted)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (sqe)
		return sqe;
	uring_flush(ring, unsubmitted);
	return io_uring_get_sqe(ring);
}

/* Completions that have come and are not yet taken from the queue are with no device any more. */
static void feed_starving(struct uring *u)
{
	unsigned out = u->inflight - u->unsubmitted;

	if (aio_devices_starve(u->unsubmitted, out - MIN(out, io_uring_cq_ready(&u->ring))))
		uring_flush(&u->ring, &u->unsubmitted);
}

static bool prepare(struct uring *u, struct aio_op *op)
{
	const struct aio_file *f = op->file;
	struct io_uring_sqe *sqe;

	/* With no more in flight than it holds, the completion queue never overflows. */
	if (u->inflight >= URING_CQ_ENTRIES)
		return false;
	sqe = uring_get_sqe(&u->ring, &u->unsubmitted);
	if (!sqe)
		return false;
	if (op->kind == AIO_FSYNC) {
		io_uring_prep_fsync(sqe, f->fd, IORING_FSYNC_DATASYNC);
		io_uring_sqe_set_data(sqe, op);
	} else {
		uring_fill_transfer(sqe, op, &u->memory);
	}
	if (f->slot >= 0) {
		sqe->fd = f->slot;
		sqe->flags |= IOSQE_FIXED_FILE;
	}
	u->inflight++;
	u->unsubmitted++;
	feed_starving(u);
	return true;
}

static void submit_with_interrupt(struct uring *u, struct aio_op *op)
{
	if (!list_empty(&u->waiting) || !prepare(u, op))
		list_push_back(&u->waiting, &op->node);
}

static bool uring_poll(void *opaque);

static void uring_submit(struct aio *a, struct aio_op *op)
{
	struct uring *u = of(a);

	if (op->file->in_memory && op->bytes <= COPY_MAX_BYTES)
		list_push_back(&u->to_copy, &op->node);
	else if (!uring_poll_take(&u->polled, op))
		submit_with_interrupt(u, op);
	if (u->polling)
		return;
	u->polling = true;
	loop_poller_add(&u->poller, a->loop, "io_uring", uring_poll, u);
}

static void prepare_waiting(struct uring *u)
{
	while (!list_empty(&u->waiting)) {
		struct aio_op *op = list_first(&u->waiting, struct aio_op, node);

		if (!prepare(u, op))
			return;
		list_remove(&op->node);
	}
}

static bool uring_on_submit(void *opaque)
{
	struct uring *u = opaque;
	bool had = uring_poll_submit(&u->polled);

	if (u->polling)
		loop_poller_set_crowd(&u->poller, u->inflight >= AIO_CROWD);
	if (!list_empty(&u->waiting))
		prepare_waiting(u);
	if (!u->unsubmitted)
		return had;
	uring_flush(&u->ring, &u->unsubmitted);
	/* It may be that nothing else is in flight whose end would wake the loop. */
	if (u->unsubmitted && !timer_pending(&u->retry))
		timer_arm(&u->retry, loop_stamp_ns(u->aio.loop) + RETRY_NS);
	return true;
}

/* Its only purpose is to end the loop's sleep; the submit hook does the work. */
static void uring_on_retry(void *opaque)
{
}

/* ---- reaping ---- */

/* How many completions have come, after the kernel was asked for those it has put off. */
static unsigned completions(struct uring *u)
{
	unsigned ready = io_uring_cq_ready(&u->ring), flags;

	if (ready)
		return ready;
	flags = IO_URING_READ_ONCE(*u->ring.sq.kflags);
	if (likely(!(flags & (IORING_SQ_CQ_OVERFLOW | (u->deferred ? IORING_SQ_TASKRUN : 0)))))
		return 0;
	io_uring_get_events(&u->ring);
	return io_uring_cq_ready(&u->ring);
}

/* The loop is about to sleep: from now on the eventfd wakes it. What came just before is seen by looking once more. */
static void set_signals(struct uring *u, bool on)
{
	if (u->signals == on)
		return;
	u->signals = on;
	io_uring_cq_eventfd_toggle(&u->ring, on);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static void reap(struct uring *u, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct io_uring_cqe *cqe;
		struct aio_op *op;
		int res;

		if (io_uring_peek_cqe(&u->ring, &cqe) || !cqe)
			break;
		op = io_uring_cqe_get_data(cqe);
		res = cqe->res;
		io_uring_cqe_seen(&u->ring, cqe);
		u->inflight--;
		aio_complete(op, res);
	}
}

/* A file whose device turns out not to be one that can be asked is never polled again; nobody need know. */
static void reap_polled(struct uring *u, unsigned n)
{
	struct aio_op *op;
	int res;

	while (n-- && (op = uring_poll_reap(&u->polled, &res))) {
		if (res != -EOPNOTSUPP) {
			aio_complete(op, res);
			continue;
		}
		op->file->can_poll = false;
		submit_with_interrupt(u, op);
	}
}

/* One piece, as most have, without the vector: it costs a tenth of a copy of 4 KiB. */
static ssize_t copy_transfer(const struct aio_op *op)
{
	const struct iovec *iov = op->iov;
	int fd = op->file->fd, n = (int)op->n_iov, flags = op->flags & AIO_FUA ? RWF_DSYNC : 0;
	off_t at = (off_t)op->offset;

	if (op->kind == AIO_READ)
		return n == 1 ? pread(fd, iov->iov_base, iov->iov_len, at) : preadv(fd, iov, n, at);
	return n == 1 && !flags ? pwrite(fd, iov->iov_base, iov->iov_len, at)
				: pwritev2(fd, iov, n, at, flags);
}

static int64_t copy(const struct aio_op *op)
{
	ssize_t ret = op->kind == AIO_FSYNC ? fdatasync(op->file->fd) : copy_transfer(op);

	return ret < 0 ? -errno : ret;
}

/* A completion may submit the next, so the end is a bound of its own. */
static void copy_some(struct uring *u)
{
	uint64_t left = COPY_MAX_BYTES;

	for (unsigned n = REAP_MAX; n && !list_empty(&u->to_copy); n--) {
		struct aio_op *op = list_first(&u->to_copy, struct aio_op, node);

		if (op->bytes > left)
			break;
		left -= op->bytes;
		list_remove(&op->node);
		aio_complete(op, copy(op));
	}
}

static bool uring_poll(void *opaque)
{
	struct uring *u = opaque;
	unsigned n = u->inflight ? completions(u) : 0, polled = uring_poll_look(&u->polled);

	if (!n && !polled && list_empty(&u->to_copy)) {
		set_signals(u, loop_is_falling_asleep(u->aio.loop));
		n = u->signals ? completions(u) : 0;
		if (!n)
			return false;
	}
	aio_enter(&u->aio);
	copy_some(u);
	reap(u, MIN(n, REAP_MAX));
	reap_polled(u, MIN(polled, REAP_MAX));
	if (!u->inflight && !u->polled.inflight && list_empty(&u->to_copy) &&
	    list_empty(&u->waiting) && u->polling) {
		u->polling = false;
		loop_poller_remove(&u->poller);
	}
	aio_leave(&u->aio);
	return true;
}

/* Its only purpose is to end the loop's sleep; the poller does the work. */
static void uring_on_wake(void *opaque, unsigned events)
{
	struct uring *u = opaque;
	uint64_t count;

	while (read(u->eventfd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

/* ---- files ---- */

/* Regular files only: a device node lies in a tmpfs too, that of /dev. */
static bool in_memory(int fd)
{
	struct stat st;
	struct statfs fs;
	struct sysinfo info;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && fstatfs(fd, &fs) == 0 &&
	       fs.f_type == TMPFS_MAGIC && sysinfo(&info) == 0 && !info.totalswap;
}

static bool has_o_direct(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && flags & O_DIRECT;
}

static void uring_file_init(struct aio *a, struct aio_file *f)
{
	struct uring *u = of(a);

	f->in_memory = in_memory(f->fd);
	f->direct = has_o_direct(f->fd);
	f->can_poll = f->direct && uring_poll_possible(f->fd);
	for (unsigned i = 0; u->registered && i < URING_FILES_MAX; i++) {
		if (u->slots[i / 64] & BIT64(i % 64))
			continue;
		if (io_uring_register_files_update(&u->ring, i, &f->fd, 1) != 1)
			return;
		u->slots[i / 64] |= BIT64(i % 64);
		f->slot = (int)i;
		return;
	}
}

static void uring_file_fini(struct aio *a, struct aio_file *f)
{
	struct uring *u = of(a);
	int none = -1;

	if (f->slot < 0)
		return;
	uring_poll_file_fini(&u->polled, f);
	io_uring_register_files_update(&u->ring, (unsigned)f->slot, &none, 1);
	u->slots[f->slot / 64] &= ~BIT64(f->slot % 64);
	f->slot = -1;
}

/* ---- memory ---- */

static void uring_memory_is(struct aio *a, const struct aio_memory *memory)
{
	struct uring *u = of(a);

	uring_memory_set(&u->memory, memory);
	uring_memory_set(&u->polled.memory, memory);
}

static void uring_memory_goes(struct aio *a, const void *at, uint64_t bytes)
{
	struct uring *u = of(a);

	uring_memory_gone(&u->memory, at, bytes);
	uring_memory_gone(&u->polled.memory, at, bytes);
}

/* ---- life ---- */

/* From what the newest kernels do best down to what all can. */
static int setup_ring(struct uring *u)
{
	static const unsigned flags[] = {
		IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
		0,
	};
	int rc = -EINVAL;

	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
		struct io_uring_params p = {.flags = flags[i] | IORING_SETUP_CQSIZE |
						     IORING_SETUP_CLAMP,
					    .cq_entries = URING_CQ_ENTRIES};

		rc = io_uring_queue_init_params(URING_SQ_ENTRIES, &u->ring, &p);
		if (rc == 0) {
			u->deferred = flags[i] & IORING_SETUP_TASKRUN_FLAG;
			/* Without it, completions beyond the queue's length would be lost. */
			if (p.features & IORING_FEAT_NODROP)
				return 0;
			io_uring_queue_exit(&u->ring);
			return -ENOSYS;
		}
		if (rc != -EINVAL)
			break;
	}
	return rc;
}

static bool uring_init(struct aio *a, struct error *err)
{
	struct uring *u = of(a);
	int rc = setup_ring(u);

	if (rc < 0)
		return error_set_errno(err, -rc, "this kernel gives no io_uring");
	u->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (u->eventfd < 0 || (rc = io_uring_register_eventfd(&u->ring, u->eventfd)) < 0) {
		error_set_errno(err, u->eventfd < 0 ? errno : -rc, "io_uring without an eventfd");
		if (u->eventfd >= 0)
			close(u->eventfd);
		io_uring_queue_exit(&u->ring);
		return false;
	}
	u->signals = true;
	u->registered = io_uring_register_files_sparse(&u->ring, URING_FILES_MAX) == 0;
	list_init(&u->waiting);
	list_init(&u->to_copy);
	uring_memory_init(&u->memory, &u->ring, a->loop);
	timer_init(&u->retry, loop_clock_host(a->loop), "io_uring", uring_on_retry, u);
	uring_poll_init(&u->polled, a->loop);
	loop_fd_init(&u->wake, a->loop, "io_uring", uring_on_wake, u);
	loop_fd_set(&u->wake, u->eventfd, LOOP_READ);
	loop_submit_hook_add(&u->submit_hook, a->loop, "io_uring", uring_on_submit, u);
	return true;
}

static void uring_fini(struct aio *a)
{
	struct uring *u = of(a);

	if (u->polling)
		loop_poller_remove(&u->poller);
	loop_submit_hook_remove(&u->submit_hook);
	loop_fd_stop(&u->wake);
	timer_cancel(&u->retry);
	uring_poll_fini(&u->polled);
	uring_memory_fini(&u->memory);
	io_uring_queue_exit(&u->ring);
	close(u->eventfd);
}

const struct aio_engine_ops aio_uring_ops = {
	.engine = AIO_IO_URING,
	.name = "io_uring",
	.size = sizeof(struct uring),
	.init = uring_init,
	.fini = uring_fini,
	.submit = uring_submit,
	.file_init = uring_file_init,
	.file_fini = uring_file_fini,
	.memory_is = uring_memory_is,
	.memory_goes = uring_memory_goes,
};
