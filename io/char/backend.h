/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the chardev back ends share: the struct that each begins with, and a stream (stream.c) for those that
 * are file descriptors. Nothing outside of io/char includes this.
 */
#ifndef EVMM_CHAR_BACKEND_H
#define EVMM_CHAR_BACKEND_H

#include "io/char/chardev.h"
#include "src/clock.h"
#include "src/loop.h"
#include "src/worker.h"

struct chardev_ops {
	const char *name;
	/* As chardev_write. */
	size_t (*write)(struct chardev *chr, const void *buf, size_t n);
	/* The front end came, went, or has room again. May be NULL. */
	void (*update_input)(struct chardev *chr);
	/* A front end has come. NULL: it gets CHR_EVENT_OPENED. */
	void (*attached)(struct chardev *chr);
	/* Ends what OPS's maker began; not the struct. May be NULL. */
	void (*fini)(struct chardev *chr);
};

struct chardev {
	const struct chardev_ops *ops;
	struct loop *loop;
	char *id;				 /* may be NULL */
	bool taken;				 /* chardev_take has given it away */
	struct list node;			 /* all that have an id */
	const struct chardev_handlers *handlers; /* NULL: no front end */
	void *opaque;
};

/* CHR is the first member of a zeroed heap block. False, with ERR, when ID is taken. */
bool chardev_init(struct chardev *chr, const struct chardev_ops *ops, struct loop *loop,
		  const char *id, struct error *err);

/* The front end's handlers, where it has them. */
size_t chardev_can_receive(struct chardev *chr);
void chardev_receive(struct chardev *chr, const uint8_t *buf, size_t n);
void chardev_event(struct chardev *chr, enum chardev_event event);
void chardev_writable(struct chardev *chr);

struct chardev *chardev_new_null(struct loop *loop, const char *id, struct error *err);
struct chardev *chardev_new_file(struct loop *loop, const char *id, const char *path, bool append,
				 struct error *err);
/* SIGNALS: ^C, ^Z and ^\ act on evmm instead of being characters. */
struct chardev *chardev_new_stdio(struct loop *loop, const char *id, bool signals,
				  struct error *err);
struct chardev *chardev_new_owning_mux(struct loop *loop, struct chardev *backend);

/* ---- streams ---- */

#define STREAM_QUEUE_BYTES 65536

/*
 * A pair of file descriptors, either may be -1. Neither may block (regular files: are written by a worker).
 *
 * Output: queued, and written at the end of the turn, but not oftener than once a millisecond while it keeps
 * coming: a guest that prints byte by byte would cost a system call each.
 */
struct stream {
	struct chardev *chr;
	struct loop *loop;
	int in_fd, out_fd;
	const char *what; /* for messages about failed writes */

	struct loop_fd in, out;
	bool in_watched, in_ended, in_held;
	bool out_blocked, out_closed;
	bool refused; /* the front end waits for chardev_writable */

	uint8_t *queue;
	size_t start, len;
	struct loop_work flush_work;
	struct timer flush_timer;
	int64_t flushed_ns;

	/* a regular file's writer */
	struct worker_pool *pool;
	struct worker_job job;
	bool job_busy;
	uint8_t *job_buf;
	size_t job_len;
	int job_errno;

	/* Asked before each read: false holds input until stream_hold_input(s, false). May be NULL. */
	bool (*may_read)(void *opaque);
	void *opaque;
};

void stream_init(struct stream *s, struct chardev *chr, const char *what, int in_fd, int out_fd);
/* Writes what is queued, waiting a short while for a reader; closes nothing. */
void stream_fini(struct stream *s);
size_t stream_write(struct stream *s, const void *buf, size_t n);
void stream_update_input(struct stream *s);
void stream_hold_input(struct stream *s, bool hold);

#endif
