/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocols `file` (a regular file) and `host_device` (a block device of the host).
 *
 * Flush: writes that were done before it are on stable storage when it is. It is fdatasync(2), left out when nothing was
 * written since the last one. After one has failed, the kernel may have dropped what it could not write and marked it clean,
 * so a second would succeed without having saved anything: all later flushes fail with the first one's error until the
 * image is opened anew. With O_DIRECT no such pages exist; there only lack of space may be made good.
 *
 * Size: rounded up to whole sectors; what lies between the file's end and that reads as zeroes. A file that became
 * shorter than it was when it was opened has lost data: reads of it fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <linux/fs.h>
#include <unistd.h>
#include "io/block/drivers.h"
#include "io/block/file_lock.h"
#include "src/fdset.h"
#include "src/loop.h"

#define ALIGN_MAX	4096u
#define SERIAL_UNIT_MAX (1 * MiB)
#define LOCK_PATIENCE	50 /* a second in all */

struct file {
	struct block_node n;
	char *path;
	int fd;
	struct aio_file aio;
	bool is_device;
	uint64_t real_bytes; /* of the file, when it was opened or resized last */
	/* Flushes are left out when nothing was written in between. */
	uint64_t write_gen, flushed_gen;
	int flush_errno;     /* of the flush that failed */
	bool flushing;	     /* one is under way */
	struct list flushes; /* that came meanwhile; aio.offset is the generation they are for */
	bool shrunk;	     /* has been said */
	struct file_lock lock;
};

/* ---- opening ---- */

static bool wrong_file_type(struct file *f, const struct stat *st, struct error *err)
{
	if (f->n.drv == &block_host_device) {
		if (S_ISBLK(st->st_mode))
			return false;
		error_set(err, "'host_device' driver requires '%s' to be a block device", f->path);
		return true;
	}
	if (S_ISREG(st->st_mode))
		return false;
	if (S_ISDIR(st->st_mode))
		error_set(err, "Could not open '%s': Is a directory", f->path);
	else
		error_set(err, "'file' driver requires '%s' to be a regular file%s", f->path,
			  S_ISBLK(st->st_mode) ? "; for a block device use 'host_device'" : "");
	return true;
}

static int try_open(struct file *f)
{
	int flags = (f->n.flags.read_only ? O_RDONLY : O_RDWR) | (f->n.flags.direct ? O_DIRECT : 0);

	return fdset_open(f->path, flags | O_CLOEXEC | O_NOCTTY, 0);
}

static bool file_open_fd(struct file *f, struct error *err)
{
	struct stat st;

	if (fdset_stat(f->path, &st) < 0)
		return error_set_errno(err, errno, "Could not open '%s'", f->path);
	if (wrong_file_type(f, &st, err))
		return false;
	f->is_device = S_ISBLK(st.st_mode);
	f->fd = try_open(f);
	if (f->fd < 0 && f->n.flags.auto_read_only && !f->n.flags.read_only &&
	    (errno == EACCES || errno == EROFS || errno == EPERM)) {
		f->n.flags.read_only = true;
		f->fd = try_open(f);
	}
	if (f->fd >= 0)
		return true;
	if (errno == EINVAL && f->n.flags.direct)
		return error_set(err,
				 "Could not open '%s': its file system has no O_DIRECT, which "
				 "cache=none and cache.direct=on need",
				 f->path);
	return error_set_errno(err, errno, "Could not open '%s'", f->path);
}

static bool file_get_size(struct file *f, struct error *err)
{
	struct stat st;

	if (f->is_device ? ioctl(f->fd, BLKGETSIZE64, &f->real_bytes) < 0 : fstat(f->fd, &st) < 0)
		return error_set_errno(err, errno, "Could not read the size of '%s'", f->path);
	if (!f->is_device)
		f->real_bytes = (uint64_t)st.st_size;
	return true;
}

/* Can O_DIRECT read so few bytes, or to such an address? An empty file says nothing. */
static bool direct_read_works(const struct file *f, uint8_t *buf, size_t bytes)
{
	ssize_t got;

	do {
		got = pread(f->fd, buf, bytes, 0);
	} while (got < 0 && errno == EINTR);
	return got > 0 || (got < 0 && errno != EINVAL);
}

static void probe_alignment(struct file *f)
{
	uint8_t *buf = xaligned_zalloc(ALIGN_MAX, 2 * ALIGN_MAX);
	int sector = 0;

	f->n.align = f->n.mem_align = ALIGN_MAX;
	if (f->is_device && ioctl(f->fd, BLKSSZGET, &sector) == 0 && sector >= 512 &&
	    !(sector & (sector - 1))) {
		f->n.align = (uint32_t)sector;
	} else {
		for (uint32_t a = BLOCK_SECTOR; a < ALIGN_MAX; a *= 2) {
			if (direct_read_works(f, buf, a)) {
				f->n.align = a;
				break;
			}
		}
	}
	for (uint32_t a = BLOCK_SECTOR; a < ALIGN_MAX; a *= 2) {
		if (direct_read_works(f, buf + a, MAX(f->n.align, ALIGN_MAX))) {
			f->n.mem_align = a;
			break;
		}
	}
	free(buf);
}

/* See serial.c. A device has no holes: there it is only for sectors that are written in part. */
static void set_serial_unit(struct file *f)
{
	struct statfs fs;
	uint64_t unit = f->n.align;

	if (!f->is_device && fstatfs(f->fd, &fs) == 0 && fs.f_bsize > 0 &&
	    !((uint64_t)fs.f_bsize & ((uint64_t)fs.f_bsize - 1)))
		unit = MAX(unit, MIN((uint64_t)fs.f_bsize, SERIAL_UNIT_MAX));
	f->n.serial_unit = (uint32_t)unit;
}

static void set_limits(struct file *f)
{
	struct block_limits *l = &f->n.limits;
	unsigned value = 0;
	int sector = 0;

	f->n.mem_align = 1;
	l->discard = true;
	if (f->is_device) {
		if (ioctl(f->fd, BLKSSZGET, &sector) == 0 && sector >= 512)
			l->logical_block = l->physical_block = (uint32_t)sector;
		if (ioctl(f->fd, BLKPBSZGET, &value) == 0 && value >= l->logical_block)
			l->physical_block = value;
		if (ioctl(f->fd, BLKIOMIN, &value) == 0)
			l->min_io = value;
		if (ioctl(f->fd, BLKIOOPT, &value) == 0)
			l->opt_io = value;
	}
	if (f->n.flags.direct) {
		probe_alignment(f);
		set_serial_unit(f);
	}
}

static bool parse_engine(struct file *f, const char *word, enum aio_engine *engine,
			 struct error *err)
{
	if (!word)
		return true;
	if (!aio_engine_parse(word, engine))
		return error_set(err,
				 "Parameter 'aio' is 'io_uring', 'native' or 'threads', not '%s'",
				 word);
	if (*engine == AIO_NATIVE && !f->n.flags.direct)
		return error_set(err, "aio=native was specified, but it requires cache.direct=on, "
				      "which was not specified.");
	return true;
}

static void set_patience(struct file *f)
{
	f->lock.may_search = !loop_is_running(f->n.loop);
	f->lock.patience = f->lock.may_search ? LOCK_PATIENCE : 0;
}

static bool file_open_path(struct file *f, const char *aio, const char *locking, struct error *err)
{
	enum aio_engine engine = AIO_DEFAULT;

	if (!f->path)
		return error_set(err, "Parameter 'filename' is missing");
	if (!parse_engine(f, aio, &engine, err) ||
	    !file_lock_parse(&f->lock, locking, f->n.flags.force_share, f->n.flags.read_only,
			     err) ||
	    !file_open_fd(f, err) || !file_get_size(f, err))
		return false;
	f->lock.fd = f->fd;
	f->lock.path = f->path;
	set_patience(f);
	if (!file_lock_open(&f->lock, !f->n.flags.read_only, err))
		return false;
	if (!aio_file_init(&f->aio, f->n.loop, engine, f->fd, err))
		return false;
	f->aio.is_device = f->is_device;
	set_limits(f);
	f->n.bytes = ALIGN_UP(f->real_bytes, BLOCK_SECTOR);
	return true;
}

static bool file_open(struct block_node *n, struct block_options *o, struct error *err)
{
	struct file *f = container_of(n, struct file, n);
	char *aio = NULL, *locking = NULL;
	bool ok;

	f->fd = -1;
	list_init(&f->flushes);
	ok = block_options_str(o, "filename", &f->path, err) &&
	     block_options_str(o, "aio", &aio, err) &&
	     block_options_str(o, "locking", &locking, err) && file_open_path(f, aio, locking, err);
	free(aio);
	free(locking);
	return ok;
}

static void file_close(struct block_node *n)
{
	struct file *f = container_of(n, struct file, n);

	aio_file_fini(&f->aio);
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
}

/* ---- requests ---- */

static int read_done(struct file *f, struct block_req *r, int64_t ret)
{
	if (ret < 0)
		return (int)ret;
	if ((uint64_t)ret == r->bytes)
		return 0;
	if (r->offset + (uint64_t)ret < f->real_bytes) {
		if (!f->shrunk)
			report_warning("'%s' is shorter than when it was opened; reads beyond its "
				       "end fail",
				       f->path);
		f->shrunk = true;
		return -EIO;
	}
	iov_zero_from(r->iov, r->n_iov, (uint64_t)ret);
	return 0;
}

static bool is_fua(const struct file *f, const struct block_req *r)
{
	return (r->op == BLOCK_OP_WRITE || r->op == BLOCK_OP_ZERO) && r->flags & BLOCK_FUA &&
	       !f->n.flags.no_flush;
}

/*
 * By the page cache, one call for both could not say what failed: the write, which may be tried again when there is room, or the
 * flush, which has perhaps been told of other writes that are lost for good.
 */
static bool flush_follows(const struct file *f, const struct block_req *r)
{
	return is_fua(f, r) && !f->n.flags.direct;
}

/*
 * One flush at a time: the kernel tells of what it could not write once, so that of two under way together only one might hear
 * of it. What comes meanwhile needs the next one, and shares it; or none, when nothing was written since this one began.
 */
static void flush(struct file *f, struct block_req *r)
{
	r->aio.offset = f->write_gen;
	if (f->flushing) {
		list_push_back(&f->flushes, &r->node);
		return;
	}
	f->flushing = true;
	r->aio.kind = AIO_FSYNC;
	r->aio.bytes = 0;
	aio_submit(&r->aio);
}

/* Moves those to DONE that have their answer. */
static void take_answered(struct file *f, struct list *done)
{
	for (struct list *it = f->flushes.next, *next; it != &f->flushes; it = next) {
		struct block_req *r = list_entry(it, struct block_req, node);

		next = it->next;
		if (!f->flush_errno && r->aio.offset > f->flushed_gen)
			continue;
		list_remove(&r->node);
		list_push_back(done, &r->node);
	}
}

static void flush_done(struct file *f, struct block_req *r, int64_t ret)
{
	bool for_good = !f->n.flags.direct || (ret != -ENOSPC && ret != -EDQUOT);
	struct list done;

	list_init(&done);
	f->flushing = false;
	if (ret == 0)
		f->flushed_gen = MAX(f->flushed_gen, r->aio.offset);
	else if (for_good)
		f->flush_errno = (int)-ret;
	take_answered(f, &done);
	if (!list_empty(&f->flushes)) {
		struct block_req *next = list_first(&f->flushes, struct block_req, node);

		list_remove(&next->node);
		flush(f, next);
	}
	/* Those may be the last that refer to F. */
	for (int answer = -f->flush_errno; !list_empty(&done);) {
		struct block_req *answered = list_first(&done, struct block_req, node);

		list_remove(&answered->node);
		block_req_complete(answered, answer);
	}
	block_req_complete(r, (int)ret);
}

static void file_done(struct aio_op *op, int64_t ret)
{
	struct block_req *r = container_of(op, struct block_req, aio);
	struct file *f = container_of(op->file, struct file, aio);

	switch (op->kind) {
	case AIO_READ:
		ret = read_done(f, r, ret);
		break;
	case AIO_FSYNC:
		flush_done(f, r, ret);
		return;
	default:
		f->write_gen++;
		if (ret >= 0 && flush_follows(f, r)) {
			flush(f, r);
			return;
		}
		ret = MIN(ret, 0);
	}
	block_req_complete(r, (int)ret);
}

static const enum aio_kind kinds[BLOCK_OPS] = {
	[BLOCK_OP_READ] = AIO_READ,   [BLOCK_OP_WRITE] = AIO_WRITE,
	[BLOCK_OP_FLUSH] = AIO_FSYNC, [BLOCK_OP_DISCARD] = AIO_DISCARD,
	[BLOCK_OP_ZERO] = AIO_ZERO,
};

/* Returns true when there is nothing to do, with the answer in RET. */
static bool flush_needless(struct file *f, int *ret)
{
	*ret = -f->flush_errno;
	return f->n.flags.no_flush || f->flush_errno || f->flushed_gen == f->write_gen;
}

static void file_submit(struct block_node *n, struct block_req *r)
{
	struct file *f = container_of(n, struct file, n);
	struct aio_op *op = &r->aio;
	int ret;

	op->file = &f->aio;
	op->kind = kinds[r->op];
	op->flags = (is_fua(f, r) && n->flags.direct ? AIO_FUA : 0) |
		    (r->flags & BLOCK_UNMAP ? AIO_UNMAP : 0);
	op->iov = r->iov;
	op->n_iov = r->n_iov;
	op->offset = r->offset;
	op->bytes = r->bytes;
	op->done = file_done;
	if (r->op == BLOCK_OP_FLUSH) {
		if (flush_needless(f, &ret)) {
			block_req_complete(r, n->flags.no_flush ? 0 : ret);
			return;
		}
		flush(f, r);
	} else if (f->flush_errno && is_fua(f, r)) {
		block_req_complete(r, -f->flush_errno);
	} else {
		aio_submit(op);
	}
}

static int file_pread_sync(struct block_node *n, uint64_t offset, void *buf, size_t bytes)
{
	struct file *f = container_of(n, struct file, n);
	uint64_t base = ALIGN_DOWN(offset, (uint64_t)n->align);
	size_t span = ALIGN_UP(offset + bytes, (uint64_t)n->align) - base, got = 0;
	uint8_t *bounce = xaligned_zalloc(ALIGN_MAX, span);
	ssize_t k = 0;

	while (got < span) {
		k = pread(f->fd, bounce + got, span - got, (off_t)(base + got));
		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			break;
		got += (size_t)k;
		if (k % n->align)
			break;
	}
	k = k < 0 ? -errno : 0;
	if (k == 0)
		memcpy(buf, bounce + (offset - base), bytes);
	free(bounce);
	return (int)k;
}

/* ---- the rest ---- */

static bool file_resize(struct block_node *n, uint64_t bytes, struct error *err)
{
	struct file *f = container_of(n, struct file, n);

	if (n->flags.read_only)
		return error_set(err, "Could not resize '%s': it is read-only", f->path);
	if (!f->is_device && ftruncate(f->fd, (off_t)bytes) < 0)
		return error_set_errno(err, errno, "Could not resize '%s'", f->path);
	if (!file_get_size(f, err))
		return false;
	if (f->is_device && bytes > f->real_bytes)
		return error_set(err, "Cannot grow device files");
	/* The size is metadata that a flush must save. */
	f->write_gen++;
	block_node_set_bytes(n, ALIGN_UP(f->is_device ? bytes : f->real_bytes, BLOCK_SECTOR));
	return true;
}

static int file_resize_fd(struct block_node *n, uint64_t *bytes)
{
	struct file *f = container_of(n, struct file, n);

	if (n->flags.read_only || f->is_device || *bytes > INT64_MAX)
		return -1;
	return fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
}

static bool file_share(struct block_node *n, bool share_write, struct error *err)
{
	struct file *f = container_of(n, struct file, n);

	set_patience(f);
	return file_lock_share(&f->lock, share_write, err);
}

static const char *file_filename(const struct block_node *n)
{
	return container_of(n, struct file, n)->path;
}

const struct block_driver block_file = {
	.name = "file",
	.size = sizeof(struct file),
	.open = file_open,
	.close = file_close,
	.submit = file_submit,
	.pread_sync = file_pread_sync,
	.resize = file_resize,
	.resize_fd = file_resize_fd,
	.share = file_share,
	.filename = file_filename,
};

const struct block_driver block_host_device = {
	.name = "host_device",
	.alias = "host_cdrom",
	.size = sizeof(struct file),
	.open = file_open,
	.close = file_close,
	.submit = file_submit,
	.pread_sync = file_pread_sync,
	.resize = file_resize,
	.share = file_share,
	.filename = file_filename,
};
