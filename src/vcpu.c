/* SPDX-License-Identifier: BSD-2-Clause */
/* vCPU threads, the trap mailbox, posted writes, and parking. */
#include <errno.h>
#include <immintrin.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "src/crash.h"
#include "src/machine.h"
#include "src/vcpu.h"

/*
 * Spinning, in polls of one PAUSE each (some 20 ns). A wait that would have ended within SPIN_MAX_TSC doubles the
 * budget, a longer one halves it: so it grows also when the spin itself was too short to see the end. A thread
 * switch costs about SPIN_MAX_TSC, more than that is never worth it.
 */
#define SPIN_MIN     16
#define SPIN_START   256
#define SPIN_MAX     2048
#define SPIN_MAX_TSC 100000 /* host TSC ticks, some 40 us */

#define REQ_STAY (VCPU_REQ_PAUSE | VCPU_REQ_EXIT) /* requests that are states, not messages */

/* ---- the host's primitives ---- */

static void futex_wait(uint32_t *word, uint32_t value, int64_t deadline_ns)
{
	struct timespec ts = {deadline_ns / NS_PER_SEC, deadline_ns % NS_PER_SEC};

	syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value,
		deadline_ns == INT64_MAX ? NULL : &ts, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void futex_wake(uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static uint32_t load_acquire(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static unsigned spin_adapt(unsigned limit, uint64_t waited_tsc)
{
	if (waited_tsc <= SPIN_MAX_TSC)
		return MIN(limit * 2, SPIN_MAX);
	return MAX(limit / 2, SPIN_MIN);
}

static void wait_begin(struct vcpu *v)
{
	if (v->wait_begin)
		v->wait_begin(v);
}

static void wait_end(struct vcpu *v)
{
	if (v->wait_end)
		v->wait_end(v);
}

/* ---- traps, the vCPU's side ---- */

static void wake_loop_if_asleep(struct vcpu *v)
{
	struct loop *loop = v->machine->loop;

	if (loop_sleeping_mt(loop)) {
		v->stats.loop_wakes++;
		loop_wake_mt(loop);
	}
}

static bool spin_for_answer(struct vcpu *v)
{
	if (loop_oversubscribed_mt(v->machine->loop))
		return load_acquire(&v->mbox) == MBOX_ANSWERED;
	for (unsigned i = 0; i < v->spin_limit; i++) {
		if (load_acquire(&v->mbox) == MBOX_ANSWERED)
			return true;
		_mm_pause();
	}
	return false;
}

static void sleep_for_answer(struct vcpu *v)
{
	loop_busy_add_mt(v->machine->loop, -1);
	__atomic_store_n(&v->mbox_sleeping, 1, __ATOMIC_SEQ_CST);
	/* Either the loop sees that we sleep, or we see its answer (pairs with the fence in answer()). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	while (load_acquire(&v->mbox) != MBOX_ANSWERED)
		futex_wait(&v->mbox, MBOX_REQUEST, INT64_MAX);
	__atomic_store_n(&v->mbox_sleeping, 0, __ATOMIC_RELAXED);
	loop_busy_add_mt(v->machine->loop, 1);
}

/* Publishes v->exit and returns when it holds the answer. */
static void trap(struct vcpu *v, bool may_spin)
{
	uint64_t asked = __rdtsc();

	v->stats.traps++;
	v->exit.posted_before = __atomic_load_n(&v->machine->posted_tickets, __ATOMIC_RELAXED);
	wait_begin(v);
	__atomic_store_n(&v->mbox, MBOX_REQUEST, __ATOMIC_RELEASE);
	wake_loop_if_asleep(v);
	if (may_spin && spin_for_answer(v)) {
		v->stats.spins_won++;
	} else {
		v->stats.spins_lost++;
		sleep_for_answer(v);
	}
	if (may_spin)
		v->spin_limit = spin_adapt(v->spin_limit, v->answered_tsc - asked);
	__atomic_store_n(&v->mbox, MBOX_IDLE, __ATOMIC_RELAXED);
	wait_end(v);
}

static bool nothing_posted(const struct vcpu *v)
{
	return v->posted_head == load_acquire(&v->posted_tail);
}

/* Returns once all that was posted has been done. */
static void fence(struct vcpu *v)
{
	if (nothing_posted(v))
		return;
	v->exit = (struct vcpu_exit){.kind = VCPU_EXIT_FENCE};
	trap(v, true);
}

/* COALESCED: it may wait until the loop is awake for another reason; this vCPU's next trap is one. */
static void post(struct vcpu *v, const struct vcpu_posted *p, bool coalesced)
{
	if (v->posted_head - load_acquire(&v->posted_tail) == VCPU_POSTED_RING)
		fence(v);
	v->posted[v->posted_head % VCPU_POSTED_RING] = *p;
	v->posted[v->posted_head % VCPU_POSTED_RING].ticket =
		__atomic_fetch_add(&v->machine->posted_tickets, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&v->posted_head, v->posted_head + 1, __ATOMIC_RELEASE);
	v->stats.posted++;
	if (!coalesced)
		wake_loop_if_asleep(v);
}

static uint64_t ones(unsigned size)
{
	return size == 8 ? ~0ull : (1ull << (8 * size)) - 1;
}

/* Nobody lives at [ADDR, ADDR+SIZE), whatever the loop still has to do for this vCPU. */
static bool nobody_there(struct vcpu *v, const struct mem_view *view, uint64_t addr, unsigned size)
{
	return nothing_posted(v) && !view_occupied(view, addr, addr + size - 1);
}

/* All that vCPUs have posted has been done, so that what the loop has published is no older than that. */
static bool nothing_under_way(const struct machine *m)
{
	uint64_t given = __atomic_load_n(&m->posted_tickets, __ATOMIC_RELAXED);

	return __atomic_load_n(&m->posted_done, __ATOMIC_ACQUIRE) >= given;
}

/* COUNT elements, by a stream that the loop has opened; false: trap. */
static bool read_stream(struct vcpu *v, const struct view_range *range, uint64_t addr, void *buf,
			unsigned size, unsigned count)
{
	if (likely(!range || !range->tap.stream) || !nothing_under_way(v->machine) ||
	    !view_stream(range, addr, buf, size, count))
		return false;
	v->stats.streamed++;
	return true;
}

static uint64_t access_read(struct vcpu *v, struct address_space *as, enum vcpu_exit_kind kind,
			    uint64_t addr, unsigned size)
{
	const struct mem_view *view = as_view_mt(as);
	const struct view_range *range = view_find(view, addr);
	uint8_t element[8];

	if (range && range->counter.hz && range->last - addr >= size - 1)
		return view_counter(range, addr, size);
	if (!range && nobody_there(v, view, addr, size))
		return ones(size);
	if (read_stream(v, range, addr, element, size, 1))
		return ldn_le(element, size);
	v->exit = (struct vcpu_exit){.kind = kind, .size = (uint8_t)size, .count = 1, .addr = addr};
	trap(v, true);
	return v->exit.data;
}

static void access_write(struct vcpu *v, struct address_space *as, enum vcpu_exit_kind kind,
			 uint64_t addr, uint64_t value, unsigned size)
{
	const struct mem_view *view = as_view_mt(as);
	const struct view_range *range = view_find(view, addr);

	if (range && range->last - addr >= size - 1) {
		struct region_doorbell *d =
			range->n_doorbells ? view_doorbell(range, addr, size, value) : NULL;

		if (d) {
			fence(v);
			v->stats.doorbells++;
			loop_notifier_signal_mt(d->notifier);
			return;
		}
		if (range->posted) {
			post(v,
			     &(struct vcpu_posted){.addr = addr,
						   .data = value,
						   .size = (uint8_t)size,
						   .mmio = kind == VCPU_EXIT_MMIO,
						   .kind = (uint8_t)kind},
			     range->coalesced);
			return;
		}
	} else if (nobody_there(v, view, addr, size)) {
		return;
	}
	v->exit = (struct vcpu_exit){.kind = kind,
				     .write = true,
				     .size = (uint8_t)size,
				     .count = 1,
				     .addr = addr,
				     .data = value};
	trap(v, true);
}

uint64_t vcpu_mmio_read(struct vcpu *v, gpa_t gpa, unsigned size)
{
	return access_read(v, &v->machine->mem, VCPU_EXIT_MMIO, gpa, size);
}

void vcpu_mmio_write(struct vcpu *v, gpa_t gpa, uint64_t value, unsigned size)
{
	access_write(v, &v->machine->mem, VCPU_EXIT_MMIO, gpa, value, size);
}

uint64_t vcpu_pio_read(struct vcpu *v, uint16_t port, unsigned size)
{
	return access_read(v, &v->machine->io, VCPU_EXIT_PIO, port, size);
}

void vcpu_pio_write(struct vcpu *v, uint16_t port, uint64_t value, unsigned size)
{
	access_write(v, &v->machine->io, VCPU_EXIT_PIO, port, value, size);
}

static void string_trap(struct vcpu *v, uint16_t port, bool write, unsigned size, unsigned count)
{
	v->exit = (struct vcpu_exit){.kind = VCPU_EXIT_PIO,
				     .write = write,
				     .size = (uint8_t)size,
				     .count = count,
				     .addr = port,
				     .buf = v->exit_buf};
	trap(v, true);
}

void vcpu_pio_read_string(struct vcpu *v, uint16_t port, void *buf, unsigned size, unsigned count)
{
	uint8_t *to = buf;

	while (count) {
		unsigned n = MIN(count, VCPU_EXIT_BUF / size);

		if (!read_stream(v, view_find(as_view_mt(&v->machine->io), port), port, to, size,
				 n)) {
			string_trap(v, port, false, size, n);
			memcpy(to, v->exit_buf, (size_t)n * size);
		}
		to += (size_t)n * size;
		count -= n;
	}
}

void vcpu_pio_write_string(struct vcpu *v, uint16_t port, const void *buf, unsigned size,
			   unsigned count)
{
	const uint8_t *from = buf;

	while (count) {
		unsigned n = MIN(count, VCPU_EXIT_BUF / size);

		memcpy(v->exit_buf, from, (size_t)n * size);
		string_trap(v, port, true, size, n);
		from += (size_t)n * size;
		count -= n;
	}
}

uint8_t vcpu_intack(struct vcpu *v)
{
	v->exit = (struct vcpu_exit){.kind = VCPU_EXIT_INTACK};
	trap(v, true);
	return v->exit.vector;
}

void vcpu_post_write(struct vcpu *v, bool mmio, uint64_t addr, uint64_t value, unsigned size)
{
	post(v,
	     &(struct vcpu_posted){.addr = addr,
				   .data = value,
				   .size = (uint8_t)size,
				   .mmio = mmio,
				   .kind = mmio ? VCPU_EXIT_MMIO : VCPU_EXIT_PIO},
	     true);
}

void vcpu_post_eoi(struct vcpu *v, uint8_t vector)
{
	post(v, &(struct vcpu_posted){.kind = VCPU_EXIT_EOI, .vector = vector}, false);
}

void vcpu_debug_stop(struct vcpu *v, const struct debug_stop *stop)
{
	v->exit = (struct vcpu_exit){.kind = VCPU_EXIT_DEBUG, .debug = stop};
	trap(v, true);
}

void vcpu_call_on_loop(struct vcpu *v, void (*fn)(struct vcpu *v, void *arg), void *arg)
{
	v->exit = (struct vcpu_exit){.kind = VCPU_EXIT_CALL, .call = fn, .call_arg = arg};
	trap(v, true);
}

/* ---- requests and sleep, the vCPU's side ---- */

static void sleep_for_requests(struct vcpu *v, uint32_t mask, int64_t deadline_ns)
{
	v->stats.sleeps++;
	loop_busy_add_mt(v->machine->loop, -1);
	__atomic_store_n(&v->halted_futex, 1, __ATOMIC_SEQ_CST);
	/* Either vcpu_request_mt sees that we sleep, or we see the request. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!(load_acquire(&v->requests) & mask))
		futex_wait(&v->halted_futex, 1, deadline_ns);
	__atomic_store_n(&v->halted_futex, 0, __ATOMIC_RELAXED);
	loop_busy_add_mt(v->machine->loop, 1);
}

void vcpu_wait_event(struct vcpu *v, int64_t deadline_ns)
{
	uint64_t began;

	if (load_acquire(&v->requests))
		return;
	wait_begin(v);
	began = __rdtsc();
	if (v->halt_limit > SPIN_MIN && !loop_oversubscribed_mt(v->machine->loop))
		for (unsigned i = 0; i < v->halt_limit && !load_acquire(&v->requests); i++)
			_mm_pause();
	if (!load_acquire(&v->requests))
		sleep_for_requests(v, ~0u, deadline_ns);
	v->halt_limit = spin_adapt(v->halt_limit, __rdtsc() - began);
	wait_end(v);
}

uint32_t vcpu_take_requests(struct vcpu *v)
{
	return __atomic_fetch_and(&v->requests, REQ_STAY, __ATOMIC_SEQ_CST);
}

void vcpu_views_taken(struct vcpu *v, uint64_t mem_generation)
{
	/* Ports are looked up anew for each access. */
	uint64_t io = as_view_mt(&v->machine->io)->generation;

	if (!mem_generation)
		mem_generation = as_view_mt(&v->machine->mem)->generation;
	__atomic_store_n(&v->view_seen, mem_generation, __ATOMIC_RELEASE);
	__atomic_store_n(&v->io_view_seen, io, __ATOMIC_RELEASE);
}

void vcpu_views_hold(struct vcpu *v)
{
	/* Nothing is freed while these are 0; reclaim() has the other barrier. */
	__atomic_store_n(&v->view_seen, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&v->io_view_seen, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	vcpu_views_taken(v, 0);
}

void vcpu_views_drop(struct vcpu *v)
{
	__atomic_store_n(&v->view_seen, UINT64_MAX, __ATOMIC_RELEASE);
	__atomic_store_n(&v->io_view_seen, UINT64_MAX, __ATOMIC_RELEASE);
}

void vcpu_park(struct vcpu *v)
{
	v->exit = (struct vcpu_exit){.kind = VCPU_EXIT_PARKED};
	trap(v, false);
}

void vcpu_shutdown(struct vcpu *v)
{
	v->exit = (struct vcpu_exit){.kind = VCPU_EXIT_SHUTDOWN};
	trap(v, true);
	wait_begin(v);
	while (!(load_acquire(&v->requests) & REQ_STAY))
		sleep_for_requests(v, REQ_STAY, INT64_MAX);
	wait_end(v);
}

void vcpu_request_mt(struct vcpu *v, uint32_t bits)
{
	uint32_t old = __atomic_fetch_or(&v->requests, bits, __ATOMIC_SEQ_CST);

	if ((old & bits) == bits)
		return; /* whoever set them sees to it that they are looked at */
	v->machine->accel->kick(v);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (load_acquire(&v->halted_futex)) {
		__atomic_store_n(&v->halted_futex, 0, __ATOMIC_RELEASE);
		futex_wake(&v->halted_futex);
	}
}

/* ---- traps, the loop's side ---- */

static void answer(struct vcpu *v)
{
	v->answered_tsc = __rdtsc();
	__atomic_store_n(&v->mbox, MBOX_ANSWERED, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&v->mbox_sleeping, __ATOMIC_RELAXED))
		futex_wake(&v->mbox);
}

static void serve_access(struct vcpu *v, struct address_space *as)
{
	struct machine *m = v->machine;
	struct vcpu_exit *e = &v->exit;

	m->served = v;
	if (e->buf && e->write)
		as_write_string(as, e->addr, e->buf, e->size, e->count);
	else if (e->buf)
		as_read_string(as, e->addr, e->buf, e->size, e->count);
	else if (e->write)
		as_write(as, e->addr, e->data, e->size);
	else
		e->data = as_read(as, e->addr, e->size);
	m->served = NULL;
}

static void serve_eoi(struct machine *m, uint8_t vector)
{
	if (m->eoi_broadcast)
		m->eoi_broadcast(m->eoi_opaque, vector);
}

static void pause_progress(struct machine *m)
{
	loop_fn *done = m->pause_done;

	if (!done || !vcpus_all_parked(m))
		return;
	m->pause_done = NULL;
	done(m->pause_opaque);
}

/* Returns false when the answer has to wait. */
static bool serve_exit(struct vcpu *v)
{
	struct machine *m = v->machine;

	switch (v->exit.kind) {
	case VCPU_EXIT_PIO:
		serve_access(v, &m->io);
		return !v->unanswered;
	case VCPU_EXIT_MMIO:
		serve_access(v, &m->mem);
		return !v->unanswered;
	case VCPU_EXIT_INTACK:
		v->exit.vector = m->intack ? m->intack(m->intack_opaque) : 0xff;
		break;
	case VCPU_EXIT_EOI:
		serve_eoi(m, v->exit.vector);
		break;
	case VCPU_EXIT_SHUTDOWN:
		machine_triple_fault(m, v);
		break;
	case VCPU_EXIT_DEBUG:
		machine_debug_stop(m, v->exit.debug);
		break;
	case VCPU_EXIT_CALL:
		v->exit.call(v, v->exit.call_arg);
		break;
	case VCPU_EXIT_PARKED:
		/* The machine may have gone on since the vCPU saw the request. */
		if ((load_acquire(&v->requests) & REQ_STAY) != VCPU_REQ_PAUSE)
			break;
		v->parked = true;
		pause_progress(m);
		return false;
	case VCPU_EXIT_FENCE:
	case VCPU_EXIT_NONE:
		break;
	}
	return true;
}

static void go_on(struct vcpu *v)
{
	v->resume_wanted = false;
	__atomic_fetch_and(&v->requests, ~(uint32_t)VCPU_REQ_PAUSE, __ATOMIC_SEQ_CST);
	if (v->thread_started && v->parked) {
		v->parked = false;
		answer(v);
	}
}

void vcpu_hold_answer(struct machine *m, bool (*ready)(void *opaque), void *opaque)
{
	LOOP_ASSERT();
	if (!m->served)
		return;
	m->served->ready = ready;
	m->served->ready_opaque = opaque;
	m->served->unanswered = true;
}

/* A vCPU that is to park gets its answer at once: at the end of its block it parks, and is kept there. True: it was answered. */
static bool hold_progress(struct vcpu *v)
{
	if (v->ready && v->ready(v->ready_opaque))
		v->ready = NULL;
	if (!v->ready && v->resume_wanted)
		go_on(v);
	if (!v->unanswered || (v->ready && !(load_acquire(&v->requests) & REQ_STAY)))
		return false;
	v->unanswered = false;
	answer(v);
	return true;
}

void vcpus_release(struct machine *m, const void *opaque)
{
	LOOP_ASSERT();
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		struct vcpu *v = m->vcpus[i];

		if (!v->ready || v->ready_opaque != opaque)
			continue;
		v->ready = NULL;
		hold_progress(v);
	}
}

static void serve_posted(struct machine *m, const struct vcpu_posted *p)
{
	if (p->kind == VCPU_EXIT_EOI)
		serve_eoi(m, p->vector);
	else
		as_write(p->mmio ? &m->mem : &m->io, p->addr, p->data, p->size);
}

/* Does the writes of V's ring whose turn it is. */
static void drain_ring(struct vcpu *v)
{
	struct machine *m = v->machine;
	uint32_t head = load_acquire(&v->posted_head);
	uint32_t tail = v->posted_tail;

	for (; tail != head; tail++) {
		struct vcpu_posted p = v->posted[tail % VCPU_POSTED_RING];

		if (p.ticket != m->posted_done)
			break;
		serve_posted(m, &p);
		__atomic_store_n(&m->posted_done, m->posted_done + 1, __ATOMIC_RELEASE);
		/* Only now is it done: an empty ring tells the vCPU that nothing is under way. */
		__atomic_store_n(&v->posted_tail, tail + 1, __ATOMIC_RELEASE);
	}
}

/*
 * Posted writes of all vCPUs, by ticket, up to the last one that was given out when this began. It ends early at a
 * ticket whose vCPU has not put its write into the ring yet.
 */
static bool drain_posted(struct machine *m)
{
	uint64_t last = __atomic_load_n(&m->posted_tickets, __ATOMIC_RELAXED),
		 done = m->posted_done, before;

	do {
		before = m->posted_done;
		for (unsigned i = 0; i < m->n_vcpus && m->posted_done < last; i++)
			drain_ring(m->vcpus[i]);
	} while (m->posted_done != before && m->posted_done < last);
	return m->posted_done != done;
}

bool vcpus_drain_posted(struct machine *m)
{
	LOOP_ASSERT();
	drain_posted(m);
	return m->posted_done == __atomic_load_n(&m->posted_tickets, __ATOMIC_RELAXED);
}

static bool vcpu_poll(void *opaque)
{
	struct vcpu *v = opaque;
	struct machine *m = v->machine;
	/* The mailbox is looked at first: whatever was posted before this trap then has its ticket. */
	bool asked = !v->parked && load_acquire(&v->mbox) == MBOX_REQUEST;
	bool found = drain_posted(m);

	if (unlikely(v->ready) && (hold_progress(v) || v->unanswered))
		return found || !v->unanswered;
	if (!asked)
		return found;
	if (m->posted_done < v->exit.posted_before)
		return true; /* somebody is between taking a ticket and putting the write in: the next turn */
	if (serve_exit(v))
		answer(v);
	return true;
}

/* ---- life ---- */

struct vcpu *vcpu_new(struct machine *m, unsigned index, uint32_t apic_id)
{
	struct vcpu *v = xaligned_zalloc(64, sizeof(*v));

	LOOP_ASSERT();
	v->machine = m;
	v->index = index;
	v->apic_id = apic_id;
	v->spin_limit = SPIN_START;
	v->halt_limit = SPIN_MIN;
	v->parked = true;
	v->requests = VCPU_REQ_PAUSE;
	loop_poller_add(&v->poller, m->loop, "vcpu", vcpu_poll, v);
	return v;
}

static void *vcpu_thread(void *opaque)
{
	struct vcpu *v = opaque;
	char name[16];

	__atomic_store_n(&v->tid, (int)syscall(SYS_gettid), __ATOMIC_RELAXED);
	snprintf(name, sizeof(name), "vcpu%u", v->index);
	prctl(PR_SET_NAME, name);
	crash_thread_init();
	prctl(PR_SET_TIMERSLACK, 1000ul); /* ns: guest timers while it is halted */
	loop_busy_add_mt(v->machine->loop, 1);
	v->machine->accel->vcpu_run(v);
	loop_busy_add_mt(v->machine->loop, -1);
	__atomic_store_n(&v->exited, 1, __ATOMIC_RELEASE);
	return NULL;
}

bool vcpu_start(struct vcpu *v, struct error *err)
{
	sigset_t all, old;
	int rc;

	LOOP_ASSERT();
	/* Signals are the loop's; the accelerator unblocks what it uses itself. */
	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGABRT);
	sigdelset(&all, SIGTRAP);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	v->parked = false;
	rc = pthread_create(&v->thread, NULL, vcpu_thread, v);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	v->thread_started = rc == 0;
	if (rc) {
		v->parked = true;
		return error_set_errno(err, rc, "cannot start the thread of vCPU %u", v->index);
	}
	return true;
}

void vcpu_free(struct vcpu *v)
{
	LOOP_ASSERT();
	loop_poller_remove(&v->poller);
	free(v);
}

/* ---- all of them ---- */

bool vcpus_all_parked(struct machine *m)
{
	for (unsigned i = 0; i < m->n_vcpus; i++)
		if (!m->vcpus[i]->parked)
			return false;
	return true;
}

void vcpus_pause(struct machine *m, loop_fn *done, void *opaque)
{
	LOOP_ASSERT();
	m->pause_done = done;
	m->pause_opaque = opaque;
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		m->vcpus[i]->resume_wanted = false;
		vcpu_request_mt(m->vcpus[i], VCPU_REQ_PAUSE);
	}
	pause_progress(m);
}

void vcpus_resume(struct machine *m)
{
	LOOP_ASSERT();
	m->pause_done = NULL;
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		struct vcpu *v = m->vcpus[i];

		if (v->held && v->parked)
			continue;
		v->resume_wanted = v->ready && !v->ready(v->ready_opaque);
		if (!v->resume_wanted)
			go_on(v);
	}
}

static bool poll_until_exited(struct machine *m)
{
	bool all = true;

	for (unsigned i = 0; i < m->n_vcpus; i++) {
		struct vcpu *v = m->vcpus[i];

		if (!v->thread_started)
			continue;
		vcpu_poll(v);
		all &= load_acquire(&v->exited) != 0;
	}
	return all;
}

void vcpus_end(struct machine *m)
{
	LOOP_ASSERT();
	m->pause_done = NULL;
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		struct vcpu *v = m->vcpus[i];

		vcpu_request_mt(v, VCPU_REQ_EXIT);
		if (v->thread_started && v->parked) {
			v->parked = false;
			answer(v);
		}
	}
	while (!poll_until_exited(m))
		sched_yield();
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		struct vcpu *v = m->vcpus[i];

		if (v->thread_started)
			pthread_join(v->thread, NULL);
		v->thread_started = false;
		v->parked = true;
	}
	drain_posted(m);
}
