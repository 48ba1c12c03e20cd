/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Character back ends: stdio, file, null. One front end (a serial port, the monitor, a debug console) uses
 * a chardev, or several share one through the mux, as -nographic does. Loop thread only; nothing blocks:
 * output that the host does not take is queued up to a bound, then the front end is told to hold on.
 */
#ifndef EVMM_CHARDEV_H
#define EVMM_CHARDEV_H

#include "src/error.h"
#include "src/list.h"

struct loop;
struct chardev;

/*
 * OPENED comes when the front end is attached. On a mux it is followed by MUX_IN or MUX_OUT, which come again
 * whenever the focus moves; a front end that hears of neither has its back end to itself.
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
};

/* "stdio", "null", "file:PATH", "none" as -serial has them. NULL with ERR clear: none. */
struct chardev *chardev_new_legacy(struct loop *loop, const char *id, const char *spec,
				   struct error *err);
/*
 * "-chardev stdio,id=c0[,mux=on][,signal=off]", "file,id=,path=[,append=on]", "null,id=". With mux=on it is a
 * mux that owns its back end.
 */
struct chardev *chardev_new_option(struct loop *loop, const char *arg, struct error *err);
const char *chardev_id(const struct chardev *chr);
/* Restores the terminal. */
void chardev_free(struct chardev *chr);

/*
 * A mux over BACKEND, which stays the caller's but gives its id to the mux: several front ends, one has the
 * focus. C-a (or ESCAPE) h help, x quit, c switch, s save (nothing to save: says so), b break, t timestamps,
 * C-a C-a sends it.
 */
struct chardev *chardev_new_mux(struct loop *loop, struct chardev *backend, uint8_t escape);
bool chardev_is_mux(const struct chardev *chr);
void chardev_mux_set_escape(struct chardev *mux, uint8_t escape);
/* Another front end's end of a mux (the mux itself is the first's); NULL when it has four. Freed with the mux. */
struct chardev *chardev_mux_add(struct chardev *mux);
/* Called for C-a x. */
void chardev_mux_on_quit(struct chardev *mux, void (*fn)(void *opaque), void *opaque);

/* One front end at a time; NULL detaches. */
void chardev_attach(struct chardev *chr, const struct chardev_handlers *h, void *opaque);
/* Takes as many bytes as it can without waiting; how many. Fewer than N: handlers->writable will be called. */
size_t chardev_write(struct chardev *chr, const void *buf, size_t n);
/* The front end has room again: deliver what waits. */
void chardev_accept_input(struct chardev *chr);

/* FN for each chardev whose id begins with BEGUN. */
void chardev_each_id(const char *begun, void (*fn)(const char *id, void *opaque), void *opaque);
/* The chardev of that id, or NULL. */
struct chardev *chardev_find(const char *id);
/*
 * The same for a front end to attach to: each can be had once, but a mux gives every caller an end of its own.
 * NULL with a message.
 */
struct chardev *chardev_take(const char *id, struct error *err);

/* The terminal as it was before stdio took it; async-signal-safe, for crash handlers and atexit. */
void chardev_stdio_restore_terminal(void);

#endif
