/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Character back ends: terminals, files, sockets and the like, by QEMU's names (chardev_backend_name lists them). One
 * front end (a serial port, a monitor, a debug console) uses a chardev, or several share one through a mux, as
 * -nographic does. Loop thread only; nothing blocks: output that the host does not take is queued up to a bound, then
 * the front end is told to hold on. What is written to a socket or terminal that nobody is at is lost.
 *
 * Chardevs with an id belong to this module: from chardev_new until chardev_remove, or chardev_free_all at the end.
 */
#ifndef EVMM_CHARDEV_H
#define EVMM_CHARDEV_H

#include <sys/types.h>
#include "src/error.h"
#include "src/list.h"

struct loop;
struct chardev;

/*
 * OPENED comes when the front end is attached, or later when somebody is at the other end (a socket's peer); CLOSED
 * when that one has gone, and OPENED again with the next. On a mux OPENED is followed by MUX_IN or MUX_OUT, which come
 * again whenever the focus moves; a front end that hears of neither has its back end to itself.
 */
enum chardev_event {
	CHR_EVENT_BREAK,
	CHR_EVENT_OPENED,
	CHR_EVENT_CLOSED,
	CHR_EVENT_MUX_IN,
	CHR_EVENT_MUX_OUT
};

/* What a front end gives; any may be NULL. */
struct chardev_handlers {
	/* How many bytes it can take now. */
	size_t (*can_receive)(void *opaque);
	void (*receive)(void *opaque, const uint8_t *buf, size_t n);
	void (*event)(void *opaque, enum chardev_event event);
	/* Output was refused before and there is room again. */
	void (*writable)(void *opaque);
	/* chardev_change: CHR replaces the one it was attached to, and is attached. NULL: cannot be changed under it. */
	void (*changed)(void *opaque, struct chardev *chr);
};

/* ---- making them ---- */

/*
 * What a chardev is to be: each key of -chardev, QEMU's meaning. Strings are the config's own, on the heap; NULL is "not
 * given", as -1 is for switches. After chardev_config_init a caller (QMP's chardev-add) may set fields directly.
 */
struct chardev_config {
	char *backend; /* "socket", "file"...: chardev_backend_name */
	char *id;
	char *logfile;
	char *path; /* file's out, pipe, serial, unix socket; pty: a link to make */
	char *input_path;
	char *host, *port;	     /* socket over TCP: host may be NULL; udp: the other end */
	char *localaddr, *localport; /* udp */
	char *fd;    /* socket: number of an inherited descriptor, which is taken over */
	uint64_t to; /* socket: listen on the first free port from PORT to this one; 0: PORT */
	uint64_t reconnect_ms; /* socket, client: try again after that long; 0: never */
	uint64_t size;	       /* ringbuf: bytes, a power of two; 0: 64 KiB */
	int8_t mux, logappend, append, signal;
	int8_t server, wait, telnet, nodelay, ipv4, ipv6, abstract, tight;
	/*
	 * The guest does not run yet: a server waits for its client (wait=on), a client until it is connected. Else making
	 * one never waits, a failed connection shows as a closed chardev and WAIT means nothing.
	 */
	bool starting;
};

void chardev_config_init(struct chardev_config *c);
void chardev_config_fini(struct chardev_config *c);
/* -chardev's form: "socket,id=c0,path=/tmp/s,server=on". C is initialised by this; on failure there is nothing to free. */
bool chardev_config_parse(struct chardev_config *c, const char *arg, struct error *err);
/* -serial's: "tcp::4444,server=on,wait=off", "unix:PATH", "pty", "/dev/ttyS0"... ID is what the chardev gets. Not "none", not "mon:", not "chardev:". */
bool chardev_config_parse_legacy(struct chardev_config *c, const char *id, const char *spec,
				 struct error *err);
/* The I-th back end there is, in alphabetical order; NULL: no more. */
const char *chardev_backend_name(unsigned i);

/*
 * Makes it. With mux=on it is a mux, whose back end has the id "ID-base". Config stays the caller's. NULL with ERR when
 * ID is missing or taken, a key doesn't go with the back end, or the host refuses.
 */
struct chardev *chardev_new(struct loop *loop, const struct chardev_config *c, struct error *err);
/* Fails when there is none, or a front end has it. */
bool chardev_remove(const char *id, struct error *err);
/* ID gets another back end under the front end that has it; fails where that can't be, and the old one then stays. */
bool chardev_change(struct loop *loop, const char *id, const struct chardev_config *c,
		    struct error *err);
/* All that have ids; no front end may be attached any more. Restores the terminal, removes sockets. */
void chardev_free_all(void);

/* Parse and make, for command lines: "stdio", "file:PATH"; "none" gives NULL with ERR clear. */
struct chardev *chardev_new_legacy(struct loop *loop, const char *id, const char *spec,
				   struct error *err);
struct chardev *chardev_new_option(struct loop *loop, const char *arg, struct error *err);
/* One without an id is its maker's to free. */
void chardev_free(struct chardev *chr);

/* ---- looking at them ---- */

const char *chardev_id(const struct chardev *chr);
/* The chardev of that id, or NULL. */
struct chardev *chardev_find(const char *id);
/* FN for each chardev whose id begins with BEGUN. */
void chardev_each_id(const char *begun, void (*fn)(const char *id, void *opaque), void *opaque);
/* All that have ids, as made; NULL gives the first, NULL comes after the last. */
struct chardev *chardev_next(const struct chardev *chr);
/* As query-chardev and `info chardev` show it: "pty:/dev/pts/3", "disconnected:tcp:0.0.0.0:4444,server=on". Heap. */
char *chardev_filename(const struct chardev *chr);
/* A front end is attached. */
bool chardev_frontend_open(const struct chardev *chr);
/* Somebody is at the other end, as far as that can be known. */
bool chardev_is_open(const struct chardev *chr);
/* "/dev/pts/3" of a pty, else NULL. */
const char *chardev_pty_path(const struct chardev *chr);

/* ---- sharing ---- */

/*
 * A mux over BACKEND, which stays the caller's but gives its id to the mux: several front ends, one has the
 * focus. C-a (or ESCAPE) h help, x quit, c switch to the next, s save (nothing to save: says so), b break, t
 * timestamps, C-a C-a sends it.
 */
struct chardev *chardev_new_mux(struct loop *loop, struct chardev *backend, uint8_t escape);
/* Makes a mux of CHR, which has an id and no front end yet, though it may be taken: the mux has the id, and is taken if CHR was. */
struct chardev *chardev_share(struct chardev *chr);
bool chardev_is_mux(const struct chardev *chr);
void chardev_mux_set_escape(struct chardev *mux, uint8_t escape);
/* Another front end's end of a mux (the mux itself is the first's); NULL when it has four. Freed with the mux. */
struct chardev *chardev_mux_add(struct chardev *mux);
/* Called for C-a x. */
void chardev_mux_on_quit(struct chardev *mux, void (*fn)(void *opaque), void *opaque);

/* ---- for front ends ---- */

/*
 * The chardev of that id, for a front end to attach to: each can be had once, but a mux gives every caller an end of its
 * own. NULL with a message. chardev_release gives it back; on one that was not taken it does nothing.
 */
struct chardev *chardev_take(const char *id, struct error *err);
void chardev_release(struct chardev *chr);
/* One front end at a time; NULL detaches. */
void chardev_attach(struct chardev *chr, const struct chardev_handlers *h, void *opaque);
/* Takes as many bytes as it can without waiting; how many. Fewer than N: handlers->writable will be called. */
size_t chardev_write(struct chardev *chr, const void *buf, size_t n);
/* The front end has room again: deliver what waits. */
void chardev_accept_input(struct chardev *chr);
/*
 * File descriptors that came with the last bytes received (SCM_RIGHTS on a unix socket): at most MAX are now the
 * caller's; how many. Those that nobody takes are closed when the next come or the peer goes.
 */
unsigned chardev_take_fds(struct chardev *chr, int *fds, unsigned max);

/* A serial line's parameters, for the back ends that are one. */
struct chardev_line {
	unsigned speed; /* baud */
	char parity;	/* 'N', 'E', 'O' */
	uint8_t data_bits, stop_bits;
};
void chardev_set_line(struct chardev *chr, const struct chardev_line *line);
void chardev_set_break(struct chardev *chr, bool on);

/* ---- for the monitor ---- */

/* A break, as if the other end had sent it. */
void chardev_send_break(struct chardev *chr);
/* ringbuf: what the front end has written and nobody has read yet. -1: CHR is no ringbuf. */
ssize_t chardev_ringbuf_read(struct chardev *chr, void *buf, size_t n);
size_t chardev_ringbuf_used(const struct chardev *chr);
/* Adds as if the front end had written it. False: CHR is no ringbuf. */
bool chardev_ringbuf_write(struct chardev *chr, const void *buf, size_t n);

/* The terminal as it was before stdio took it; async-signal-safe, for crash handlers and atexit. */
void chardev_stdio_restore_terminal(void);

#endif
