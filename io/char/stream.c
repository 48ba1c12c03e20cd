/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes in and out of file descriptors, without ever waiting for one. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "io/char/backend.h"

#define FLUSH_INTERVAL_NS NS_PER_MS
/* At the end, a reader that still reads gets this long. */
#define DRAIN_MS	 300
#define READ_BYTES	 4096
#define HANG_UP_CHECK_NS NS_PER_SEC

/* ---- input ---- */

static void submit_read(struct stream *s);

static void watch_input(struct stream *s, bool on)
{
	if (on == s->in_watched)
		return;
	s->in_watched = on;
	loop_fd_set(&s->in, s->in_fd, on ? LOOP_READ : 0);
}

static void watch_hang_up(struct stream *s, bool on)
{
	if (!s->ops || !s->ops->hung_up)
		return;
	if (!on)
		timer_cancel(&s->hang_up_timer);
	else if (!timer_pending(&s->hang_up_timer))
		timer_arm(&s->hang_up_timer,
			  clock_now_ns(loop_clock_host(s->loop)) + HANG_UP_CHECK_NS);
}

/* A descriptor that isn't watched tells nobody that its other end has gone. */
static void check_hang_up(void *opaque)
{
	struct stream *s = opaque;
	struct pollfd pfd = {.fd = s->in_fd};

	if (s->in_fd < 0 || s->in_watched)
		return;
	watch_hang_up(s, true);
	if (poll(&pfd, 1, 0) == 1)
		s->ops->hung_up(s->opaque);
}

static bool wants_input(struct stream *s)
{
	return !s->in_ended && !s->in_held && chardev_can_receive(s->chr) > 0;
}

void stream_update_input(struct stream *s)
{
	if (s->in_fd < 0)
		return;
	if (s->in_regular) {
		submit_read(s);
	} else {
		watch_input(s, wants_input(s));
		watch_hang_up(s, !s->in_watched);
	}
}

void stream_hold_input(struct stream *s, bool hold)
{
	s->in_held = hold;
	stream_update_input(s);
}

static void gone(struct stream *s)
{
	s->in_ended = true;
	if (s->ops && s->ops->gone) {
		s->out_closed = true;
		s->ops->gone(s->opaque);
	}
}

static void receive(struct stream *s, uint8_t *buf, size_t n)
{
	if (s->ops && s->ops->filter)
		n = s->ops->filter(s->opaque, buf, n);
	if (n)
		chardev_receive(s->chr, buf, n);
}

static ssize_t do_read(struct stream *s, void *buf, size_t n)
{
	if (s->ops && s->ops->read)
		return s->ops->read(s->opaque, buf, n);
	return read(s->in_fd, buf, n);
}

/* No more will come. A peer that has only stopped sending gets what it has been answered. */
static void ended(struct stream *s)
{
	if (s->ops && s->ops->gone && s->len)
		stream_flush_now(s);
	if (!s->in_ended && s->in_fd >= 0)
		gone(s);
}

static void stream_on_readable(void *opaque, unsigned events)
{
	struct stream *s = opaque;
	size_t room = chardev_can_receive(s->chr);
	uint8_t buf[READ_BYTES];
	ssize_t n;

	if (s->ops && s->ops->may_read && !s->ops->may_read(s->opaque))
		s->in_held = true;
	if (room && !s->in_held) {
		n = do_read(s, buf, MIN(room, sizeof(buf)));
		if (n > 0)
			receive(s, buf, n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR && !s->lossy))
			ended(s);
	}
	stream_update_input(s);
}

/* A regular file: the next piece is read by a worker while the front end chews on the last. */

static void run_file_read(struct worker_job *job)
{
	struct stream_job *r = container_of(job, struct stream_job, job);
	ssize_t n = read(r->stream->in_fd, r->buf, STREAM_QUEUE_BYTES);

	r->start = 0;
	r->len = MAX(n, 0);
	r->errnum = n < 0 ? errno : 0;
}

static void deliver_piece(struct stream *s)
{
	struct stream_job *r = &s->reader;
	size_t n;

	if (r->busy)
		return;
	r->busy = true; /* the front end may ask for more from within */
	while (r->len && !s->in_held && (n = MIN(chardev_can_receive(s->chr), r->len))) {
		r->start += n;
		r->len -= n;
		chardev_receive(s->chr, r->buf + r->start - n, n);
	}
	r->busy = false;
}

static void file_read_done(struct worker_job *job)
{
	struct stream_job *r = container_of(job, struct stream_job, job);

	r->busy = false;
	if (!r->len)
		r->stream->in_ended = true;
	submit_read(r->stream);
}

static void submit_read(struct stream *s)
{
	struct stream_job *r = &s->reader;

	deliver_piece(s);
	if (r->busy || r->len || !wants_input(s))
		return;
	r->busy = true;
	worker_submit(s->pool, &r->job, run_file_read, file_read_done);
}

/* ---- output ---- */

static void consume(struct stream *s, size_t n)
{
	s->start += n;
	s->len -= n;
	if (!s->len)
		s->start = 0;
}

/* Nobody reads any more, or the disk is full: what is printed from now on is lost, and the guest goes on. */
static void close_output(struct stream *s, int errnum)
{
	bool told = s->ops && s->ops->gone;

	if (errnum != EPIPE && errnum != EIO && !told)
		report_warning("%s: %s; its output is dropped from here on", s->what,
			       strerror(errnum));
	s->out_closed = true;
	s->start = s->len = 0;
	if (told)
		gone(s);
}

static void output_progressed(struct stream *s)
{
	if (s->refused && STREAM_QUEUE_BYTES - s->len >= STREAM_QUEUE_BYTES / 2) {
		s->refused = false;
		chardev_writable(s->chr);
	}
}

static int write_all(int fd, const uint8_t *buf, size_t len)
{
	while (len) {
		ssize_t n = write(fd, buf, len);

		if (n < 0 && errno != EINTR)
			return errno;
		if (n > 0) {
			buf += n;
			len -= n;
		}
	}
	return 0;
}

static void run_file_write(struct worker_job *job)
{
	struct stream_job *w = container_of(job, struct stream_job, job);

	w->errnum = write_all(w->stream->out_fd, w->buf, w->len);
	w->len = 0;
}

static void file_write_done(struct worker_job *job)
{
	struct stream_job *w = container_of(job, struct stream_job, job);
	struct stream *s = w->stream;

	w->busy = false;
	if (w->errnum)
		close_output(s, w->errnum);
	if (s->len)
		loop_work_schedule(&s->flush_work);
	output_progressed(s);
}

static void flush_to_worker(struct stream *s)
{
	struct stream_job *w = &s->writer;

	if (w->busy || !s->len)
		return;
	memcpy(w->buf, s->queue + s->start, s->len);
	w->len = s->len;
	consume(s, s->len);
	w->busy = true;
	worker_submit(s->pool, &w->job, run_file_write, file_write_done);
}

static void watch_output(struct stream *s, bool on)
{
	if (on == s->out_blocked)
		return;
	s->out_blocked = on;
	loop_fd_set(&s->out, s->out_fd, on ? LOOP_WRITE : 0);
}

static ssize_t write_some(struct stream *s)
{
	size_t n = s->max_write ? MIN(s->max_write, s->len) : s->len;
	ssize_t wrote = write(s->out_fd, s->queue + s->start, n);

	if (wrote < 0 && s->lossy && errno != EAGAIN && errno != EINTR)
		wrote = n;
	return wrote;
}

static void flush_to_fd(struct stream *s)
{
	ssize_t n = 1;

	while (s->len && (n = write_some(s)) > 0)
		consume(s, n);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		close_output(s, errno);
	watch_output(s, s->len > 0 && s->out_fd >= 0);
}

void stream_flush_now(struct stream *s)
{
	timer_cancel(&s->flush_timer);
	s->flushed_ns = clock_now_ns(loop_clock_host(s->loop));
	if (s->out_closed)
		s->start = s->len = 0;
	else if (s->out_regular)
		flush_to_worker(s);
	else
		flush_to_fd(s);
	output_progressed(s);
}

static void stream_flush(void *opaque)
{
	stream_flush_now(opaque);
}

/* A terminal that its last user has closed while it was full is "writable" for ever, and takes nothing. */
static void stream_on_writable(void *opaque, unsigned events)
{
	struct stream *s = opaque;
	struct pollfd pfd = {.fd = s->out_fd};
	size_t before = s->len;

	stream_flush_now(s);
	if (s->out_blocked && s->len == before && poll(&pfd, 1, 0) == 1)
		close_output(s, EIO);
}

static void schedule_flush(struct stream *s)
{
	int64_t now;

	if (s->out_blocked || s->writer.busy ||
	    (s->len < STREAM_QUEUE_BYTES / 2 && timer_pending(&s->flush_timer)))
		return;
	now = clock_now_ns(loop_clock_host(s->loop));
	if (s->len >= STREAM_QUEUE_BYTES / 2 || now - s->flushed_ns >= FLUSH_INTERVAL_NS)
		loop_work_schedule(&s->flush_work);
	else
		timer_arm(&s->flush_timer, s->flushed_ns + FLUSH_INTERVAL_NS);
}

static bool drops_output(const struct stream *s)
{
	return s->out_fd < 0 || s->out_closed;
}

size_t stream_reserve(struct stream *s, size_t n)
{
	size_t room = STREAM_QUEUE_BYTES - s->len;

	if (drops_output(s) || n <= room)
		return n;
	s->refused = true;
	return room;
}

size_t stream_write(struct stream *s, const void *buf, size_t n)
{
	n = stream_reserve(s, n);
	if (drops_output(s) || !n)
		return n;
	if (s->start + s->len + n > STREAM_QUEUE_BYTES) {
		memmove(s->queue, s->queue + s->start, s->len);
		s->start = 0;
	}
	memcpy(s->queue + s->start + s->len, buf, n);
	s->len += n;
	schedule_flush(s);
	return n;
}

/* ---- life ---- */

static bool is_regular(int fd)
{
	struct stat st;

	return fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode);
}

void stream_init(struct stream *s, struct chardev *chr, const char *what, int in_fd, int out_fd)
{
	struct loop *loop = chr->loop;

	*s = (struct stream){
		.chr = chr, .loop = loop, .what = what, .in_fd = in_fd, .out_fd = out_fd};
	loop_fd_init(&s->in, loop, "chardev-in", stream_on_readable, s);
	loop_fd_init(&s->out, loop, "chardev-out", stream_on_writable, s);
	loop_work_init(&s->flush_work, loop, "chardev-out", stream_flush, s);
	timer_init(&s->flush_timer, loop_clock_host(loop), "chardev-out", stream_flush, s);
	timer_init(&s->hang_up_timer, loop_clock_host(loop), "chardev-in", check_hang_up, s);
	s->writer.stream = s->reader.stream = s;
	s->in_regular = is_regular(in_fd);
	s->out_regular = is_regular(out_fd);
	if (s->in_regular)
		s->reader.buf = xmalloc(STREAM_QUEUE_BYTES);
	if (s->out_regular)
		s->writer.buf = xmalloc(STREAM_QUEUE_BYTES);
	if (s->in_regular || s->out_regular)
		s->pool = worker_pool_new(loop, 2);
	if (out_fd >= 0)
		s->queue = xmalloc(STREAM_QUEUE_BYTES);
}

void stream_open(struct stream *s, int fd)
{
	s->in_fd = s->out_fd = fd;
	s->in_ended = s->in_held = s->out_closed = s->refused = false;
	s->start = s->len = 0;
	if (!s->queue)
		s->queue = xmalloc(STREAM_QUEUE_BYTES);
	stream_update_input(s);
}

void stream_close(struct stream *s)
{
	bool refused = s->refused;

	watch_input(s, false);
	watch_hang_up(s, false);
	watch_output(s, false);
	loop_work_cancel(&s->flush_work);
	timer_cancel(&s->flush_timer);
	s->in_fd = s->out_fd = -1;
	s->start = s->len = 0;
	s->refused = false;
	if (refused)
		chardev_writable(s->chr); /* what it still has is lost, like the rest */
}

static void drain(struct stream *s)
{
	struct clock *host = loop_clock_host(s->loop);
	int64_t deadline = clock_now_ns(host) + DRAIN_MS * NS_PER_MS, now;
	struct pollfd pfd = {.fd = s->out_fd, .events = POLLOUT};
	ssize_t n;

	while (s->len && (now = clock_now_ns(host)) < deadline) {
		if (poll(&pfd, 1, (deadline - now) / NS_PER_MS + 1) <= 0)
			break;
		n = write_some(s);
		if (n > 0)
			consume(s, n);
		else if (errno != EAGAIN && errno != EINTR)
			break;
	}
}

void stream_fini(struct stream *s)
{
	s->chr->handlers = NULL;
	worker_pool_free(s->pool);
	/* A job that no thread had begun comes back as it was. */
	if (s->writer.len)
		run_file_write(&s->writer.job);
	if (s->out_fd >= 0 && !s->out_closed)
		drain(s);
	loop_work_cancel(&s->flush_work);
	timer_cancel(&s->flush_timer);
	timer_cancel(&s->hang_up_timer);
	loop_fd_stop(&s->in);
	loop_fd_stop(&s->out);
	free(s->queue);
	free(s->writer.buf);
	free(s->reader.buf);
}
