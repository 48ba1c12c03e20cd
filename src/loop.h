/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event loop: one thread that owns every device. libev does the waiting; this module gives it the
 * shape the rest of evmm relies on: named phases, measured sources, and sources that are members of
 * their owners (no allocation per event).
 *
 * A turn, in this order, in one function (loop_turn):
 *	post	drain the sources that other threads post to (pollers: vCPU mailboxes; notifiers)
 *	submit	hooks that hand batched work to the kernel once per turn (io_uring)
 *	wait	epoll through libev; first a short adaptive spin over the pollers, when spinning has paid
 *	reap	the pollers again: completions, and whatever ended the wait
 *	fds	file descriptors that are ready
 *	timers	timers that are due, moved to a ready list before the first one fires
 *	work	deferred work (loop_work), each once; what it schedules runs in the next turn
 *
 * Every source has a name, and the loop counts its callbacks, their total time and the longest one
 * (`info loop`).
 */
#ifndef EVMM_LOOP_H
#define EVMM_LOOP_H

#include <ev.h>
#include "src/list.h"

struct loop;
struct clock;

/* What `info loop` shows, per source name. Sources of one name share a row. */
struct loop_stats {
	struct list node;
	const char *name;
	uint64_t callbacks;
	uint64_t total_ns;
	uint64_t max_ns;
};

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

typedef void loop_fn(void *opaque);
typedef void loop_fd_fn(void *opaque, unsigned events);
typedef void loop_signal_fn(void *opaque, int signum);
/* Returns true when it found and handled something. */
typedef bool loop_poll_fn(void *opaque);

/* A file descriptor watcher. Member of its owner; must be stopped before the owner is freed. */
struct loop_fd {
	ev_io io;
	struct loop *loop;
	struct loop_stats *stats;
	loop_fd_fn *fn;
	void *opaque;
};

/* Deferred work: runs once, in the work phase after it was scheduled. Scheduling twice is once. */
struct loop_work {
	struct list node;
	struct loop *loop;
	struct loop_stats *stats;
	loop_fn *fn;
	void *opaque;
};

/*
 * Any thread may signal it; FN runs on the loop. Signals collapse. The eventfd is for those who cannot call
 * loop_notifier_signal_mt (the kernel); that function itself needs no system call while the loop is awake.
 */
struct loop_notifier {
	struct loop_fd fd;
	int eventfd;
	loop_fn *fn;
	void *opaque;
	uint32_t posted;	    /* atomic: is in the loop's list of posted notifiers */
	struct loop_notifier *next; /* in that list */
};

/*
 * Something in memory that other threads publish to (a mailbox, a ring). While the loop is awake it is
 * polled each turn. Before the loop sleeps it sets `loop sleeping`; a publisher that then finds
 * loop_sleeping_mt() true calls loop_wake_mt().
 */
struct loop_poller {
	struct list node;
	struct loop *loop;
	struct loop_stats *stats;
	loop_poll_fn *fn;
	void *opaque;
	bool crowd;
};

/* Called once per turn before the loop waits. FN returns true when it had something to hand over. */
struct loop_hook {
	struct list node;
	struct loop_stats *stats;
	loop_poll_fn *fn;
	void *opaque;
};

struct loop_signal {
	ev_signal sig;
	struct loop *loop;
	struct loop_stats *stats;
	loop_signal_fn *fn;
	void *opaque;
};

/* The calling thread becomes the loop's thread. Several loops in one process (tests) are fine, one a thread at a time. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);
/* Turns until loop_stop(); re-entrant calls are an error. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Within loop_run(): nothing may block. */
bool loop_is_running(const struct loop *loop);
/* loop_stop() was called, and loop_run() has not returned (or not begun) yet. */
bool loop_is_stopping(const struct loop *loop);
/* One turn; waits at most MAX_WAIT_NS for something to happen (0: don't wait). For tests and start-up. Returns true when a callback ran. */
bool loop_run_once(struct loop *loop, int64_t max_wait_ns);

/* The clocks that belong to the loop, see clock.h. */
struct clock *loop_clock_host(struct loop *loop);
struct clock *loop_clock_guest(struct loop *loop);

void loop_fd_init(struct loop_fd *w, struct loop *loop, const char *name, loop_fd_fn *fn,
		  void *opaque);
/* Watches FD for EVENTS (LOOP_READ|LOOP_WRITE); 0 stops. May be called again to change. */
void loop_fd_set(struct loop_fd *w, int fd, unsigned events);
void loop_fd_stop(struct loop_fd *w);

void loop_work_init(struct loop_work *w, struct loop *loop, const char *name, loop_fn *fn,
		    void *opaque);
void loop_work_schedule(struct loop_work *w);
void loop_work_cancel(struct loop_work *w);

/* Returns false when no eventfd can be had. */
bool loop_notifier_init(struct loop_notifier *n, struct loop *loop, const char *name, loop_fn *fn,
			void *opaque);
void loop_notifier_fini(struct loop_notifier *n);
void loop_notifier_signal_mt(struct loop_notifier *n);

void loop_poller_add(struct loop_poller *p, struct loop *loop, const char *name, loop_poll_fn *fn,
		     void *opaque);
void loop_poller_remove(struct loop_poller *p);
/* It waits for many things at once: the loop spins less for it. */
void loop_poller_set_crowd(struct loop_poller *p, bool crowd);
/*
 * For pollers: this is the last look before the loop sleeps. Whoever publishes without loop_wake_mt() (a guest) must be asked for
 * a signal now, and then be looked at once more.
 */
bool loop_is_falling_asleep(const struct loop *loop);
/* Host time when the loop last looked at the clock, some microseconds ago at most while it is awake. Costs nothing. */
int64_t loop_stamp_ns(const struct loop *loop);

void loop_submit_hook_add(struct loop_hook *h, struct loop *loop, const char *name,
			  loop_poll_fn *fn, void *opaque);
void loop_submit_hook_remove(struct loop_hook *h);

void loop_signal_add(struct loop_signal *s, struct loop *loop, const char *name, int signum,
		     loop_signal_fn *fn, void *opaque);
void loop_signal_remove(struct loop_signal *s);

/* For publishers on other threads: a full barrier, then "does the loop sleep?"; wake it. */
bool loop_sleeping_mt(struct loop *loop);
void loop_wake_mt(struct loop *loop);

/*
 * Threads other than the loop that want a host CPU now (a vCPU in guest code, or spinning) are counted here,
 * by themselves. With the loop's own thread they may be more than the host CPUs this process may use: then
 * nobody should spin, for it would keep the thread that it waits for from running.
 */
void loop_busy_add_mt(struct loop *loop, int delta);
bool loop_oversubscribed_mt(const struct loop *loop);

/* Rows of struct loop_stats: "loop" has the turns (time awake), "sleep" the waits in the kernel. */
struct list *loop_stats_list(struct loop *loop);
/* The row of that name, made when first asked for; lives as long as the loop. */
struct loop_stats *loop_stats_row(struct loop *loop, const char *name);
/* A callback has just returned: charges the time since the last charge. For the modules that call on behalf of the loop. */
void loop_stats_charge(struct loop *loop, struct loop_stats *stats);

/* Aborts with the place when the caller is not on a loop's thread. On in every build. */
void loop_assert_failed(const char *file, int line, const char *func)
	__attribute__((noreturn, cold));
extern __thread struct loop *loop_of_this_thread;
#define LOOP_ASSERT()                                                     \
	do {                                                              \
		if (unlikely(!loop_of_this_thread))                       \
			loop_assert_failed(__FILE__, __LINE__, __func__); \
	} while (0)

#endif
