/* SPDX-License-Identifier: BSD-2-Clause */
/* The event loop: libev waits, loop_turn() gives a turn its phases. */
#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "src/clock.h"
#include "src/loop.h"

/*
 * How long the loop polls memory before it sleeps. To sleep and to be woken costs both sides some 50 us, that of a device's
 * answer more, on a CPU that has gone idle; so a guest whose requests find the loop asleep makes them later, and finds it
 * asleep again. The maximum is what gets the two out of that, for a software CPU too. Where others want the CPU, that much would be
 * taken from our share of it. When many things are under way they wait for each other anyway,
 * and the CPU is needed by whoever does them. Below the minimum it finds nothing that the poll before it has not found.
 */
#define SPIN_MAX_NS	  (200 * NS_PER_US)
#define SPIN_CONTENDED_NS (100 * NS_PER_US)
/* What of a wait that ended by a sleep is due to that. A crowd's next comes soon enough to be seen without a guess. */
#define SPIN_SAVES_NS (50 * NS_PER_US)
#define SPIN_CROWD_NS (50 * NS_PER_US)
#define SPIN_START_NS (5 * NS_PER_US)
#define SPIN_MIN_NS   (2 * NS_PER_US)
/*
 * When so many spins in succession, each of at least half the maximum, have found nothing, there is none for a while. The kernel's
 * worker that is waited for may be queued on the CPU of a guest that polls: it is moved to one
 * that has gone idle, but not to one that is offered.
 */
#define VAIN_SPINS_MAX	 3
#define VAIN_HOLD_OFF_NS (2 * NS_PER_MS)
/* Of memory, between two looks at the clock, which cost as much as several of them. */
#define POLLS_PER_LOOK 8
/* A spin that took this much longer than it wanted was preempted: somebody else needs the CPU. */
#define SPIN_PREEMPTED_NS (200 * NS_PER_US)
#define SPIN_HOLD_OFF_NS  (20 * NS_PER_MS)
/* The same of a CPU that was offered to whoever wants it: it was taken for a whole slice, not for the work that is waited for. */
#define YIELD_HOLD_OFF_NS (100 * NS_PER_MS)
/* While the pollers keep the loop busy, descriptors are looked at no oftener than this. */
#define FD_LOOK_NS (50 * NS_PER_US)
/* A deadline nearer than this is not worth a sleep. */
#define SLEEP_MIN_NS 1000

struct loop {
	struct ev_loop *ev;
	struct clock *host, *guest;
	struct list pollers, submit_hooks, works, stats;
	struct loop_stats *turn_stats, *sleep_stats;
	bool running, stopping;
	uint64_t charges;  /* callbacks that have run, of all sources */
	int64_t stamp_ns;  /* host time of the last charge */
	int64_t looked_ns; /* when descriptors were last looked at */

	ev_io wake_io, deadline_io;
	int wake_fd;	  /* eventfd: loop_wake_mt */
	int deadline_fd;  /* timerfd: the next timer, at its full resolution */
	int64_t armed_ns; /* what the timerfd is set to; INT64_MAX: not set */

	int64_t spin_ns, spin_not_before_ns, yield_not_before_ns;
	unsigned vain_spins;	/* long ones in succession that found nothing */
	unsigned crowds;	/* pollers that wait for many things */
	struct list *walk_next; /* the poller after the one being called */

	uint32_t sleeping __attribute__((aligned(64))); /* atomic */
	int busy;					/* atomic: loop_busy_add_mt */
	int host_cpus;					/* never changes */
	int64_t woken_ns;		/* atomic: when loop_wake_mt found the loop asleep */
	struct loop_notifier *posted;	/* atomic: stack of signalled notifiers */
	struct loop_notifier *notified; /* taken from there, in order */
};

__thread struct loop *loop_of_this_thread;

void loop_assert_failed(const char *file, int line, const char *func)
{
	fprintf(stderr, "evmm: %s:%d: %s: not on the loop thread\n", file, line, func);
	abort();
}

/* ---- figures ---- */

struct loop_stats *loop_stats_row(struct loop *l, const char *name)
{
	struct loop_stats *row;

	list_for_each(it, &l->stats) {
		row = list_entry(it, struct loop_stats, node);
		if (!strcmp(row->name, name))
			return row;
	}
	row = xzalloc(sizeof(*row));
	row->name = xstrdup(name);
	list_push_back(&l->stats, &row->node);
	return row;
}

struct list *loop_stats_list(struct loop *l)
{
	return &l->stats;
}

static void stats_add(struct loop_stats *row, int64_t ns)
{
	row->callbacks++;
	row->total_ns += ns;
	if (ns > 0 && (uint64_t)ns > row->max_ns)
		row->max_ns = ns;
}

void loop_stats_charge(struct loop *l, struct loop_stats *row)
{
	int64_t now = clock_now_ns(l->host);

	stats_add(row, now - l->stamp_ns);
	l->stamp_ns = now;
	l->charges++;
}

/* ---- file descriptors ---- */

static void loop_fd_on_io(struct ev_loop *ev, ev_io *io, int revents)
{
	struct loop_fd *w = container_of(io, struct loop_fd, io);
	struct loop_stats *stats = w->stats; /* the callback may free the watcher */
	struct loop *l = w->loop;

	w->fn(w->opaque,
	      (revents & EV_READ ? LOOP_READ : 0) | (revents & EV_WRITE ? LOOP_WRITE : 0));
	loop_stats_charge(l, stats);
}

void loop_fd_init(struct loop_fd *w, struct loop *l, const char *name, loop_fd_fn *fn, void *opaque)
{
	*w = (struct loop_fd){
		.loop = l, .stats = loop_stats_row(l, name), .fn = fn, .opaque = opaque};
	ev_init(&w->io, loop_fd_on_io);
}

void loop_fd_set(struct loop_fd *w, int fd, unsigned events)
{
	LOOP_ASSERT();
	ev_io_stop(w->loop->ev, &w->io);
	if (!events)
		return;
	ev_io_set(&w->io, fd,
		  (events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0));
	ev_io_start(w->loop->ev, &w->io);
}

void loop_fd_stop(struct loop_fd *w)
{
	LOOP_ASSERT();
	ev_io_stop(w->loop->ev, &w->io);
}

/* ---- signals ---- */

static void loop_signal_on_signal(struct ev_loop *ev, ev_signal *sig, int revents)
{
	struct loop_signal *s = container_of(sig, struct loop_signal, sig);
	struct loop_stats *stats = s->stats;
	struct loop *l = s->loop;

	s->fn(s->opaque, sig->signum);
	loop_stats_charge(l, stats);
}

void loop_signal_add(struct loop_signal *s, struct loop *l, const char *name, int signum,
		     loop_signal_fn *fn, void *opaque)
{
	LOOP_ASSERT();
	*s = (struct loop_signal){
		.loop = l, .stats = loop_stats_row(l, name), .fn = fn, .opaque = opaque};
	ev_signal_init(&s->sig, loop_signal_on_signal, signum);
	ev_signal_start(l->ev, &s->sig);
}

void loop_signal_remove(struct loop_signal *s)
{
	LOOP_ASSERT();
	ev_signal_stop(s->loop->ev, &s->sig);
}

/* ---- deferred work ---- */

void loop_work_init(struct loop_work *w, struct loop *l, const char *name, loop_fn *fn,
		    void *opaque)
{
	*w = (struct loop_work){
		.loop = l, .stats = loop_stats_row(l, name), .fn = fn, .opaque = opaque};
	list_init(&w->node);
}

void loop_work_schedule(struct loop_work *w)
{
	LOOP_ASSERT();
	if (list_empty(&w->node))
		list_push_back(&w->loop->works, &w->node);
}

void loop_work_cancel(struct loop_work *w)
{
	LOOP_ASSERT();
	list_remove(&w->node);
}

/* Each once: what is scheduled meanwhile goes to the list of the next turn. */
static void run_work(struct loop *l)
{
	struct list now;

	if (list_empty(&l->works))
		return;
	now = l->works;
	now.next->prev = now.prev->next = &now;
	list_init(&l->works);
	while (!list_empty(&now)) {
		struct loop_work *w = list_first(&now, struct loop_work, node);
		struct loop_stats *stats = w->stats;

		list_remove(&w->node);
		w->fn(w->opaque);
		loop_stats_charge(l, stats);
	}
}

/* ---- what other threads publish ---- */

void loop_poller_add(struct loop_poller *p, struct loop *l, const char *name, loop_poll_fn *fn,
		     void *opaque)
{
	LOOP_ASSERT();
	*p = (struct loop_poller){
		.loop = l, .stats = loop_stats_row(l, name), .fn = fn, .opaque = opaque};
	list_push_back(&l->pollers, &p->node);
}

void loop_poller_remove(struct loop_poller *p)
{
	LOOP_ASSERT();
	if (p->loop->walk_next == &p->node)
		p->loop->walk_next = p->node.next;
	list_remove(&p->node);
	loop_poller_set_crowd(p, false);
}

void loop_poller_set_crowd(struct loop_poller *p, bool crowd)
{
	LOOP_ASSERT();
	if (p->crowd == crowd)
		return;
	p->crowd = crowd;
	p->loop->crowds += crowd ? 1 : -1u;
}

bool loop_is_falling_asleep(const struct loop *l)
{
	return __atomic_load_n(&l->sleeping, __ATOMIC_RELAXED);
}

int64_t loop_stamp_ns(const struct loop *l)
{
	return l->stamp_ns;
}

void loop_submit_hook_add(struct loop_hook *h, struct loop *l, const char *name, loop_poll_fn *fn,
			  void *opaque)
{
	LOOP_ASSERT();
	*h = (struct loop_hook){.stats = loop_stats_row(l, name), .fn = fn, .opaque = opaque};
	list_push_back(&l->submit_hooks, &h->node);
}

void loop_submit_hook_remove(struct loop_hook *h)
{
	LOOP_ASSERT();
	list_remove(&h->node);
}

bool loop_sleeping_mt(struct loop *l)
{
	/* Pairs with the fence in sleep_until(): either we see the flag, or the loop sees what was published. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&l->sleeping, __ATOMIC_RELAXED);
}

void loop_wake_mt(struct loop *l)
{
	uint64_t one = 1;

	/* One publisher of several writes the eventfd. */
	if (!__atomic_exchange_n(&l->sleeping, 0, __ATOMIC_ACQ_REL))
		return;
	__atomic_store_n(&l->woken_ns, clock_now_ns(l->host), __ATOMIC_RELAXED);
	while (write(l->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void drain_eventfd(int fd)
{
	uint64_t count;

	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

static void loop_notifier_on_fd(void *opaque, unsigned events)
{
	struct loop_notifier *n = opaque;

	drain_eventfd(n->eventfd);
	n->fn(n->opaque);
}

bool loop_notifier_init(struct loop_notifier *n, struct loop *l, const char *name, loop_fn *fn,
			void *opaque)
{
	LOOP_ASSERT();
	*n = (struct loop_notifier){.fn = fn, .opaque = opaque};
	loop_fd_init(&n->fd, l, name, loop_notifier_on_fd, n);
	n->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (n->eventfd < 0)
		return false;
	loop_fd_set(&n->fd, n->eventfd, LOOP_READ);
	return true;
}

void loop_notifier_signal_mt(struct loop_notifier *n)
{
	struct loop *l = n->fd.loop;

	if (__atomic_exchange_n(&n->posted, 1, __ATOMIC_ACQ_REL))
		return;
	n->next = __atomic_load_n(&l->posted, __ATOMIC_RELAXED);
	while (!__atomic_compare_exchange_n(&l->posted, &n->next, n, true, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
	if (loop_sleeping_mt(l))
		loop_wake_mt(l);
}

/* Moves what was signalled, in the order of signalling, to the list that only the loop touches. */
static void take_posted(struct loop *l)
{
	struct loop_notifier *n = __atomic_exchange_n(&l->posted, NULL, __ATOMIC_ACQUIRE), *next;
	struct loop_notifier *fifo = NULL, **tail = &l->notified;

	for (; n; n = next) {
		next = n->next;
		n->next = fifo;
		fifo = n;
	}
	while (*tail)
		tail = &(*tail)->next;
	*tail = fifo;
}

void loop_notifier_fini(struct loop_notifier *n)
{
	LOOP_ASSERT();
	if (n->eventfd < 0)
		return;
	take_posted(n->fd.loop);
	for (struct loop_notifier **it = &n->fd.loop->notified; *it; it = &(*it)->next) {
		if (*it == n) {
			*it = n->next;
			break;
		}
	}
	loop_fd_stop(&n->fd);
	close(n->eventfd);
	n->eventfd = -1;
}

static bool run_notifiers(struct loop *l)
{
	bool found = false;
	struct loop_notifier *n;

	/* loop_notifier_fini() may have taken some already. */
	if (likely(!__atomic_load_n(&l->posted, __ATOMIC_RELAXED) && !l->notified))
		return false;
	take_posted(l);
	while ((n = l->notified)) {
		struct loop_stats *stats = n->fd.stats;

		l->notified = n->next;
		/* From here on it may be posted anew; what was published before the signal is seen by FN. */
		(void)__atomic_exchange_n(&n->posted, 0, __ATOMIC_ACQ_REL);
		n->fn(n->opaque);
		loop_stats_charge(l, stats);
		found = true;
	}
	return found;
}

/* Notifiers, then each poller once. */
static bool run_pollers(struct loop *l)
{
	bool found = run_notifiers(l);

	for (struct list *it = l->pollers.next; it != &l->pollers; it = l->walk_next) {
		struct loop_poller *p = list_entry(it, struct loop_poller, node);
		struct loop_stats *stats = p->stats;

		l->walk_next = it->next;
		if (p->fn(p->opaque)) {
			loop_stats_charge(l, stats);
			found = true;
		}
	}
	l->walk_next = NULL;
	return found;
}

/* ---- waiting ---- */

void loop_busy_add_mt(struct loop *l, int delta)
{
	__atomic_fetch_add(&l->busy, delta, __ATOMIC_RELAXED);
}

bool loop_oversubscribed_mt(const struct loop *l)
{
	return __atomic_load_n(&l->busy, __ATOMIC_RELAXED) + 1 > l->host_cpus;
}

static int64_t next_deadline(const struct loop *l)
{
	return MIN(clock_host_deadline_ns(l->host), clock_host_deadline_ns(l->guest));
}

static int64_t spin_max_ns(const struct loop *l)
{
	if (l->crowds)
		return SPIN_CROWD_NS;
	/* An offer of the CPU was taken lately, for long. */
	return l->stamp_ns < l->yield_not_before_ns ? SPIN_CONTENDED_NS : SPIN_MAX_NS;
}

/*
 * What is waited for may need this CPU: the kernel's thread of a loop device, say, which the scheduler would leave waiting until
 * the spin is over. Offered it, it is through in some microseconds.
 */
static void offer_cpu(struct loop *l)
{
	int64_t before = l->stamp_ns;

	if (before >= l->yield_not_before_ns)
		sched_yield();
	l->stamp_ns = clock_now_ns(l->host);
	if (l->stamp_ns - before > SPIN_PREEMPTED_NS)
		l->yield_not_before_ns = l->stamp_ns + YIELD_HOLD_OFF_NS;
}

/* Polls memory for a while. Returns true when something was found. */
static bool spin(struct loop *l, int64_t until_ns)
{
	int64_t start = l->stamp_ns;
	int64_t end = MIN(start + MIN(l->spin_ns, spin_max_ns(l)), until_ns);

	if (!l->spin_ns || list_empty(&l->pollers) || start < l->spin_not_before_ns ||
	    loop_oversubscribed_mt(l))
		return false;
	do {
		for (int i = 0; i < POLLS_PER_LOOK; i++) {
			__builtin_ia32_pause();
			if (run_pollers(l)) {
				l->vain_spins = 0;
				return true;
			}
		}
		offer_cpu(l);
	} while (l->stamp_ns < end);
	if (l->stamp_ns - end > SPIN_PREEMPTED_NS) {
		l->spin_ns = 0;
		l->spin_not_before_ns = l->stamp_ns + SPIN_HOLD_OFF_NS;
	}
	return false;
}

/* The loop had to sleep since START for what a poller then found. */
static void count_vain_spin(struct loop *l, int64_t start_ns)
{
	if (l->spin_ns < spin_max_ns(l) / 2 || start_ns < l->spin_not_before_ns ||
	    ++l->vain_spins < VAIN_SPINS_MAX)
		return;
	l->vain_spins = 0;
	l->spin_not_before_ns = l->stamp_ns + VAIN_HOLD_OFF_NS;
}

/*
 * The loop has waited since START, spin and sleep together, and was then needed by a poller (or not). If a spin of allowed
 * length would have seen what it waited for, that is a reason to spin longer next time; if not, to spin less. What
 * counts is when the publisher came, not how long it took to wake up: that is what spinning saves. The kernel does not say when it
 * came; without a guess a loop that has begun to sleep would hardly begin to spin.
 */
static void adapt_spin(struct loop *l, int64_t start_ns, bool by_poller)
{
	int64_t came_ns = __atomic_load_n(&l->woken_ns, __ATOMIC_RELAXED), max = spin_max_ns(l);

	if (came_ns < start_ns)
		came_ns = l->stamp_ns - (l->crowds ? 0 : SPIN_SAVES_NS);
	if (by_poller)
		count_vain_spin(l, start_ns);
	if (by_poller && came_ns - start_ns < max)
		l->spin_ns = l->spin_ns ? MIN(2 * l->spin_ns, max) : SPIN_START_NS;
	else if ((l->spin_ns /= 2) < SPIN_MIN_NS)
		l->spin_ns = 0;
}

static void look_at_fds(struct loop *l, int flags)
{
	ev_run(l->ev, flags);
	l->stamp_ns = l->looked_ns = clock_now_ns(l->host);
}

static void arm_deadline(struct loop *l, int64_t host_ns)
{
	struct itimerspec its = {0};

	if (host_ns == l->armed_ns)
		return;
	l->armed_ns = host_ns;
	if (host_ns != INT64_MAX) {
		its.it_value.tv_sec = host_ns / NS_PER_SEC;
		its.it_value.tv_nsec = host_ns % NS_PER_SEC;
	}
	timerfd_settime(l->deadline_fd, TFD_TIMER_ABSTIME, &its, NULL);
}

/* Returns true when, on second sight, there was something to do and the loop did not sleep. */
static bool sleep_until(struct loop *l, int64_t until_ns)
{
	int64_t start;
	bool found;

	__atomic_store_n(&l->sleeping, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	found = run_pollers(l);
	if (!found) {
		arm_deadline(l, until_ns);
		start = l->stamp_ns;
		look_at_fds(l, EVRUN_ONCE);
		stats_add(l->sleep_stats, l->stamp_ns - start);
	}
	__atomic_store_n(&l->sleeping, 0, __ATOMIC_RELAXED);
	return found;
}

/*
 * Waits until there is something to do, at most until UNTIL_NS. BUSY: the pollers have just found something
 * and will probably do so again, so the loop neither sleeps nor makes a system call every time round.
 */
static void wait_for_events(struct loop *l, int64_t until_ns, bool busy)
{
	int64_t start = l->stamp_ns;

	if (busy && start - l->looked_ns < FD_LOOK_NS)
		return;
	if (busy || until_ns - start < SLEEP_MIN_NS) {
		look_at_fds(l, EVRUN_NOWAIT);
		return;
	}
	if (spin(l, until_ns) || sleep_until(l, until_ns))
		return;
	adapt_spin(l, start, run_pollers(l));
}

/* ---- the turn ---- */

static bool loop_turn(struct loop *l, int64_t max_wait_ns)
{
	uint64_t charges = l->charges, slept = l->sleep_stats->total_ns;
	int64_t begin = l->stamp_ns = clock_now_ns(l->host), until;
	bool busy;

	/* post: what other threads have published */
	busy = run_pollers(l);

	/* submit: what was batched goes to the kernel, once */
	for (struct list *it = l->submit_hooks.next, *next; it != &l->submit_hooks; it = next) {
		struct loop_hook *h = list_entry(it, struct loop_hook, node);

		next = it->next;
		if (h->fn(h->opaque))
			loop_stats_charge(l, h->stats);
	}

	/* wait, and reap: the pollers again, for completions and for what ended the wait */
	until = list_empty(&l->works) && !l->stopping ? next_deadline(l) : begin;
	if (max_wait_ns < INT64_MAX - begin)
		until = MIN(until, begin + max_wait_ns);
	wait_for_events(l, until, busy && max_wait_ns == INT64_MAX);

	/* fds, signals */
	ev_invoke_pending(l->ev);

	/* timers */
	clock_run_timers(l->host, l->stamp_ns);
	clock_run_timers(l->guest, l->stamp_ns);

	/* work */
	run_work(l);

	stats_add(l->turn_stats, l->stamp_ns - begin - (l->sleep_stats->total_ns - slept));
	return l->charges != charges;
}

void loop_run(struct loop *l)
{
	LOOP_ASSERT();
	assert(!l->running);
	l->running = true;
	while (!l->stopping)
		loop_turn(l, INT64_MAX);
	l->running = l->stopping = false;
}

void loop_stop(struct loop *l)
{
	LOOP_ASSERT();
	l->stopping = true;
}

bool loop_is_running(const struct loop *l)
{
	return l->running;
}

bool loop_is_stopping(const struct loop *l)
{
	return l->stopping;
}

bool loop_run_once(struct loop *l, int64_t max_wait_ns)
{
	LOOP_ASSERT();
	assert(!l->running);
	return loop_turn(l, MIN(max_wait_ns, INT64_MAX - 1));
}

/* ---- life ---- */

/* ev_run() only collects; loop_turn() invokes, in the fds phase. */
static void invoke_later(struct ev_loop *ev)
{
}

static void on_internal_fd(struct ev_loop *ev, ev_io *io, int revents)
{
	struct loop *l = io->data;

	drain_eventfd(io->fd);
	if (io == &l->deadline_io)
		l->armed_ns = INT64_MAX;
}

static void watch_internal(struct loop *l, ev_io *io, int fd)
{
	ev_io_init(io, on_internal_fd, fd, EV_READ);
	io->data = l;
	ev_io_start(l->ev, io);
}

static int count_host_cpus(void)
{
	cpu_set_t set;

	if (!sched_getaffinity(0, sizeof(set), &set))
		return MAX(CPU_COUNT(&set), 1);
	return MAX((int)sysconf(_SC_NPROCESSORS_ONLN), 1);
}

struct loop *loop_new(void)
{
	struct loop *l = xaligned_zalloc(64, sizeof(*l));

	l->ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV);
	if (!l->ev)
		l->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->deadline_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (!l->ev || l->wake_fd < 0 || l->deadline_fd < 0) {
		perror("evmm: no event loop can be had from this system");
		abort();
	}
	list_init(&l->pollers);
	list_init(&l->submit_hooks);
	list_init(&l->works);
	list_init(&l->stats);
	l->turn_stats = loop_stats_row(l, "loop");
	l->sleep_stats = loop_stats_row(l, "sleep");
	l->host = clock_new_host(l);
	l->guest = clock_new_guest(l);
	l->armed_ns = INT64_MAX;
	l->host_cpus = count_host_cpus();
	watch_internal(l, &l->wake_io, l->wake_fd);
	watch_internal(l, &l->deadline_io, l->deadline_fd);
	ev_set_invoke_pending_cb(l->ev, invoke_later);
	loop_of_this_thread = l;
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	clock_free(l->guest);
	clock_free(l->host);
	ev_io_stop(l->ev, &l->wake_io);
	ev_io_stop(l->ev, &l->deadline_io);
	ev_loop_destroy(l->ev);
	close(l->wake_fd);
	close(l->deadline_fd);
	list_for_each_safe(it, &l->stats) {
		struct loop_stats *row = list_entry(it, struct loop_stats, node);

		free((char *)row->name);
		free(row);
	}
	if (loop_of_this_thread == l)
		loop_of_this_thread = NULL;
	free(l);
}

struct clock *loop_clock_host(struct loop *l)
{
	return l->host;
}

struct clock *loop_clock_guest(struct loop *l)
{
	return l->guest;
}
