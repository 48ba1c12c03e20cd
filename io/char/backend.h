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
	/* As chardev_filename; NULL: the name. */
	char *(*filename)(const struct chardev *chr);
	unsigned (*take_fds)(struct chardev *chr, int *fds, unsigned max);
	void (*set_line)(struct chardev *chr, const struct chardev_line *line);
	void (*set_break)(struct chardev *chr, bool on);
	/* Ends what OPS's maker began; not the struct. May be NULL. */
	void (*fini)(struct chardev *chr);
};

struct chardev {
	const struct chardev_ops *ops;
	struct loop *loop;
	char *id;				 /* may be NULL */
	bool taken;				 /* chardev_take has given it away */
	bool open;				 /* somebody is at the other end; true when made */
	bool is_base;				 /* a mux has it */
	struct list node;			 /* all that have an id */
	const struct chardev_handlers *handlers; /* NULL: no front end */
	void *opaque;
	struct stream *log; /* logfile=; NULL: none */
	char *log_path;
};

/* CHR is the first member of a zeroed heap block. False, with ERR, when ID is taken. */
bool chardev_init(struct chardev *chr, const struct chardev_ops *ops, struct loop *loop,
		  const char *id, struct error *err);

/* For a maker that fails after chardev_init, or frees CHR itself: its id, its place in the list, the block. */
void chardev_discard(struct chardev *chr);
/* TO takes FROM's id, if it has one, and its place among all. */
void chardev_move_id(struct chardev *from, struct chardev *to);

/* The front end's handlers, where it has them. */
size_t chardev_can_receive(struct chardev *chr);
void chardev_receive(struct chardev *chr, const uint8_t *buf, size_t n);
void chardev_event(struct chardev *chr, enum chardev_event event);
void chardev_writable(struct chardev *chr);
/* Somebody came to the other end, or went; tells the front end when that is news. */
void chardev_set_open(struct chardev *chr, bool open);

/* A back end by name (config.c). KEYS are those that it takes beside id, mux, logfile and logappend. */
struct chardev_backend {
	const char *name;
	const char *const *keys; /* ends with NULL */
	/* ID is what the new chardev is to have: not the config's where that is a mux's. */
	struct chardev *(*new)(struct loop *loop, const char *id, const struct chardev_config *c,
			       struct error *err);
};
extern const struct chardev_backend chardev_backends[]; /* ends with NULL; alphabetical */
/* False, with ERR, when a key is given that doesn't go with the back end. */
const struct chardev_backend *chardev_config_check(const struct chardev_config *c,
						   struct error *err);

struct chardev *chardev_new_file(struct loop *loop, const char *id, const struct chardev_config *c,
				 struct error *err);
struct chardev *chardev_new_null(struct loop *loop, const char *id, const struct chardev_config *c,
				 struct error *err);
struct chardev *chardev_new_pipe(struct loop *loop, const char *id, const struct chardev_config *c,
				 struct error *err);
struct chardev *chardev_new_pty(struct loop *loop, const char *id, const struct chardev_config *c,
				struct error *err);
struct chardev *chardev_new_ringbuf(struct loop *loop, const char *id,
				    const struct chardev_config *c, struct error *err);
struct chardev *chardev_new_serial(struct loop *loop, const char *id,
				   const struct chardev_config *c, struct error *err);
struct chardev *chardev_new_socket(struct loop *loop, const char *id,
				   const struct chardev_config *c, struct error *err);
struct chardev *chardev_new_stdio(struct loop *loop, const char *id, const struct chardev_config *c,
				  struct error *err);
struct chardev *chardev_new_udp(struct loop *loop, const char *id, const struct chardev_config *c,
				struct error *err);
/* A mux that has the id, and frees BACKEND. */
struct chardev *chardev_new_owning_mux(struct loop *loop, const char *id, struct chardev *backend,
				       struct error *err);
/* Has the mux a front end, and gives an end back. */
bool chardev_mux_is_used(const struct chardev *mux);

/* ---- streams ---- */

#define STREAM_QUEUE_BYTES 65536

/* What a stream's owner may want to do otherwise; any may be NULL. */
struct stream_ops {
	/* Asked before each read: false holds input until stream_hold_input(s, false). */
	bool (*may_read)(void *opaque);
	/* Instead of read(2). */
	ssize_t (*read)(void *opaque, void *buf, size_t n);
	/* What has come in is judged before the front end gets it: changed in place, or swallowed; how much is left. */
	size_t (*filter)(void *opaque, uint8_t *buf, size_t n);
	/* The other end has gone. The stream reads and writes no more; the owner may close and reopen it. */
	void (*gone)(void *opaque);
	/* It has hung up, and the front end has no room for what may be left to read. Told once a second. */
	void (*hung_up)(void *opaque);
};

/*
 * A pair of file descriptors, either may be -1. Neither may block (regular files: are read and written by a worker).
 *
 * Output: queued, and written at the end of the turn, but not oftener than once a millisecond while it keeps
 * coming: a guest that prints byte by byte would cost a system call each.
 */
struct stream {
	struct chardev *chr;
	struct loop *loop;
	int in_fd, out_fd;
	const char *what; /* for messages about failed writes */
	const struct stream_ops *ops;
	void *opaque;
	size_t max_write; /* bytes at once: datagrams. 0: any */
	bool lossy;	  /* a failed write is forgotten, and the next may succeed: datagrams */

	struct loop_fd in, out;
	bool in_watched, in_ended, in_held;
	struct timer hang_up_timer;
	bool out_blocked, out_closed;
	bool refused; /* the front end waits for chardev_writable */

	uint8_t *queue;
	size_t start, len;
	struct loop_work flush_work;
	struct timer flush_timer;
	int64_t flushed_ns;

	/* a regular file's reader and writer */
	struct worker_pool *pool;
	bool out_regular, in_regular;
	struct stream_job {
		struct worker_job job;
		struct stream *stream;
		bool busy;
		uint8_t *buf;
		size_t start, len;
		int errnum;
	} writer, reader;
};

void stream_init(struct stream *s, struct chardev *chr, const char *what, int in_fd, int out_fd);
/* Writes what is queued, waiting a short while for a reader; closes nothing. */
void stream_fini(struct stream *s);
/* For connections: from stream_init with -1, and after stream_close, another descriptor. Not regular files. */
void stream_open(struct stream *s, int fd);
/* Stops watching; what is queued is lost. */
void stream_close(struct stream *s);
/* Writes what is queued as far as that goes without waiting. */
void stream_flush_now(struct stream *s);
size_t stream_write(struct stream *s, const void *buf, size_t n);
/* How many of N bytes stream_write would take now; fewer: the front end will be told of room, as after stream_write. */
size_t stream_reserve(struct stream *s, size_t n);
void stream_update_input(struct stream *s);
void stream_hold_input(struct stream *s, bool hold);

#endif
