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
#define DRAIN_MS 300

/* ---- input ---- */

static void watch_input(struct stream *s, bool on)
{
	if (on == s->in_watched)
		return;
	s->in_watched = on;
	loop_fd_set(&s->in, s->in_fd, on ? LOOP_READ : 0);
}

void stream_update_input(struct stream *s)
{
	if (s->in_fd >= 0)
		watch_input(s, !s->in_ended && !s->in_held && chardev_can_receive(s->chr) > 0);
}

void stream_hold_input(struct stream *s, bool hold)
{
	s->in_held = hold;
	stream_update_input(s);
}

static void stream_on_readable(void *opaque, unsigned events)
{
	struct stream *s = opaque;
	size_t room = chardev_can_receive(s->chr);
	uint8_t buf[4096];
	ssize_t n;

	if (s->may_read && !s->may_read(s->opaque))
		s->in_held = true;
	if (room && !s->in_held) {
		n = read(s->in_fd, buf, MIN(room, sizeof(buf)));
		if (n > 0)
			chardev_receive(s->chr, buf, n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			s->in_ended = true; /* no more will come; output goes on */
	}
	stream_update_input(s);
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
	if (errnum != EPIPE && errnum != EIO)
		report_warning("%s: %s; its output is dropped from here on", s->what,
			       strerror(errnum));
	s->out_closed = true;
	s->start = s->len = 0;
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
	struct stream *s = container_of(job, struct stream, job);

	s->job_errno = write_all(s->out_fd, s->job_buf, s->job_len);
	s->job_len = 0;
}

static void file_write_done(struct worker_job *job)
{
	struct stream *s = container_of(job, struct stream, job);

	s->job_busy = false;
	if (s->job_errno)
		close_output(s, s->job_errno);
	if (s->len)
		loop_work_schedule(&s->flush_work);
	output_progressed(s);
}

static void flush_to_worker(struct stream *s)
{
	if (s->job_busy || !s->len)
		return;
	memcpy(s->job_buf, s->queue + s->start, s->len);
	s->job_len = s->len;
	consume(s, s->len);
	s->job_busy = true;
	worker_submit(s->pool, &s->job, run_file_write, file_write_done);
}

static void watch_output(struct stream *s, bool on)
{
	if (on == s->out_blocked)
		return;
	s->out_blocked = on;
	loop_fd_set(&s->out, s->out_fd, on ? LOOP_WRITE : 0);
}

static void flush_to_fd(struct stream *s)
{
	ssize_t n = 1;

	while (s->len && (n = write(s->out_fd, s->queue + s->start, s->len)) > 0)
		consume(s, n);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		close_output(s, errno);
	watch_output(s, s->len > 0);
}

static void stream_flush(void *opaque)
{
	struct stream *s = opaque;

	timer_cancel(&s->flush_timer);
	s->flushed_ns = clock_now_ns(loop_clock_host(s->loop));
	if (s->pool)
		flush_to_worker(s);
	else
		flush_to_fd(s);
	output_progressed(s);
}

static void stream_on_writable(void *opaque, unsigned events)
{
	stream_flush(opaque);
}

static void schedule_flush(struct stream *s)
{
	int64_t now;

	if (s->out_blocked || s->job_busy ||
	    (s->len < STREAM_QUEUE_BYTES / 2 && timer_pending(&s->flush_timer)))
		return;
	now = clock_now_ns(loop_clock_host(s->loop));
	if (s->len >= STREAM_QUEUE_BYTES / 2 || now - s->flushed_ns >= FLUSH_INTERVAL_NS)
		loop_work_schedule(&s->flush_work);
	else
		timer_arm(&s->flush_timer, s->flushed_ns + FLUSH_INTERVAL_NS);
}

size_t stream_write(struct stream *s, const void *buf, size_t n)
{
	size_t room = STREAM_QUEUE_BYTES - s->len;

	if (s->out_fd < 0 || s->out_closed)
		return n;
	if (n > room) {
		s->refused = true;
		n = room;
	}
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

void stream_init(struct stream *s, struct chardev *chr, const char *what, int in_fd, int out_fd)
{
	struct loop *loop = chr->loop;
	struct stat st;

	*s = (struct stream){
		.chr = chr, .loop = loop, .what = what, .in_fd = in_fd, .out_fd = out_fd};
	loop_fd_init(&s->in, loop, "chardev-in", stream_on_readable, s);
	loop_fd_init(&s->out, loop, "chardev-out", stream_on_writable, s);
	loop_work_init(&s->flush_work, loop, "chardev-out", stream_flush, s);
	timer_init(&s->flush_timer, loop_clock_host(loop), "chardev-out", stream_flush, s);
	if (out_fd < 0)
		return;
	s->queue = xmalloc(STREAM_QUEUE_BYTES);
	if (!fstat(out_fd, &st) && S_ISREG(st.st_mode)) {
		s->pool = worker_pool_new(loop, 1);
		s->job_buf = xmalloc(STREAM_QUEUE_BYTES);
	}
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
		n = write(s->out_fd, s->queue + s->start, s->len);
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
	if (s->job_len)
		run_file_write(&s->job);
	if (s->out_fd >= 0 && !s->out_closed)
		drain(s);
	loop_work_cancel(&s->flush_work);
	timer_cancel(&s->flush_timer);
	loop_fd_stop(&s->in);
	loop_fd_stop(&s->out);
	free(s->queue);
	free(s->job_buf);
}
