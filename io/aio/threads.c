/* SPDX-License-Identifier: BSD-2-Clause */
/* aio=threads: the blocking calls, which the other engines use too for what they have no form of. */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <unistd.h>
#include "io/aio/engine.h"

#define CHUNK_IOVS 64
/* What is written where the file system cannot make zeroes: aligned for any O_DIRECT. */
#define ZEROES_BYTES (64 * KiB)
static const uint8_t zeroes[ZEROES_BYTES] __attribute__((aligned(4096)));

/* Up to CHUNK_IOVS pieces of OP's vector from byte SKIP on. */
static unsigned take_iovs(const struct aio_op *op, uint64_t skip, struct iovec *out)
{
	unsigned n = 0;
	uint64_t total = 0;

	for (unsigned i = 0; i < op->n_iov && n < CHUNK_IOVS; i++) {
		const struct iovec *v = &op->iov[i];

		if (skip >= v->iov_len) {
			skip -= v->iov_len;
			continue;
		}
		out[n].iov_base = (char *)v->iov_base + skip;
		out[n].iov_len = v->iov_len - skip;
		skip = 0;
		total += out[n].iov_len;
		n++;
		if (total >= AIO_MAX_TRANSFER)
			break;
	}
	return n;
}

static int64_t do_transfer(struct aio_op *op, uint64_t progress)
{
	int rw_flags = op->flags & AIO_FUA ? RWF_DSYNC : 0;
	struct iovec iov[CHUNK_IOVS];

	while (progress < op->bytes) {
		unsigned n = take_iovs(op, progress, iov);
		off_t at = (off_t)(op->offset + progress);
		ssize_t got = op->kind == AIO_READ
				      ? preadv(op->file->fd, iov, (int)n, at)
				      : pwritev2(op->file->fd, iov, (int)n, at, rw_flags);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			/* O_DIRECT gives this for what follows a last block that is not whole. */
			if (op->kind == AIO_READ && errno == EINVAL && progress)
				break;
			return -errno;
		}
		if (got == 0 && op->kind == AIO_WRITE)
			return -ENOSPC;
		if (got == 0)
			break;
		progress += (uint64_t)got;
	}
	return (int64_t)progress;
}

/* The file system doesn't know how to, as opposed to having tried. */
static bool not_supported(int errnum)
{
	return errnum == EOPNOTSUPP || errnum == ENOSYS || errnum == EINVAL || errnum == ENOTTY ||
	       errnum == ENODEV;
}

static int do_fallocate(struct aio_op *op, int mode)
{
	int rc;

	do {
		rc = fallocate(op->file->fd, mode, (off_t)op->offset, (off_t)op->bytes);
	} while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

static int64_t write_zeroes(struct aio_op *op)
{
	for (uint64_t done = 0; done < op->bytes;) {
		size_t n = MIN(op->bytes - done, ZEROES_BYTES);
		ssize_t put = pwrite(op->file->fd, zeroes, n, (off_t)(op->offset + done));

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put < 0 ? -errno : -ENOSPC;
		done += (uint64_t)put;
	}
	return 0;
}

static int64_t do_zero(struct aio_op *op)
{
	int rc = -EOPNOTSUPP;

	if (op->flags & AIO_UNMAP)
		rc = do_fallocate(op, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	if (rc < 0 && not_supported(-rc))
		rc = do_fallocate(op, FALLOC_FL_ZERO_RANGE);
	if (rc < 0 && not_supported(-rc))
		rc = (int)write_zeroes(op);
	return rc;
}

/* A hint: that the file system cannot do it is no failure. */
static int64_t do_discard(struct aio_op *op)
{
	uint64_t range[2] = {op->offset, op->bytes};
	int rc;

	if (op->file->is_device)
		rc = ioctl(op->file->fd, BLKDISCARD, range) < 0 ? -errno : 0;
	else
		rc = do_fallocate(op, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	return rc < 0 && not_supported(-rc) ? 0 : rc;
}

static int64_t do_fsync(struct aio_op *op)
{
	int rc;

	do {
		rc = fdatasync(op->file->fd);
	} while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

int64_t aio_do_blocking(struct aio_op *op, uint64_t progress)
{
	int64_t rc;

	switch (op->kind) {
	case AIO_READ:
	case AIO_WRITE:
		return do_transfer(op, progress);
	case AIO_FSYNC:
		return do_fsync(op);
	case AIO_DISCARD:
		return do_discard(op);
	case AIO_ZERO:
		rc = do_zero(op);
		return rc == 0 && op->flags & AIO_FUA ? do_fsync(op) : rc;
	}
	return -EINVAL;
}

static bool threads_init(struct aio *a, struct error *err)
{
	return true;
}

static void threads_fini(struct aio *a)
{
}

static void threads_submit(struct aio *a, struct aio_op *op)
{
	aio_submit_to_worker(op);
}

const struct aio_engine_ops aio_threads_ops = {
	.engine = AIO_THREADS,
	.name = "threads",
	.size = sizeof(struct aio),
	.init = threads_init,
	.fini = threads_fini,
	.submit = threads_submit,
};
