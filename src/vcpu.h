/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPU threads and the trap mailbox (DESIGN section 3).
 *
 * A vCPU that needs a device's answer fills vcpu->exit, publishes it with one release store and waits:
 * first spinning, then on a futex. The loop takes it, dispatches it through the address space, stores the
 * answer and releases the vCPU. The eventfd is written only when the loop sleeps, the futex woken only
 * when the vCPU does. Both spins adapt to whether they paid, and shrink to nothing when there are more
 * runnable threads than host CPUs.
 *
 *	   vCPU thread				   loop thread
 *	   fill exit, state=REQUEST (release) -->  poller sees REQUEST (acquire)
 *	   wake loop if it sleeps		   dispatch: as_read/as_write/...
 *	   spin, then futex_wait on state    <--   state=ANSWERED (release), futex_wake if it sleeps
 */
#ifndef EVMM_VCPU_H
#define EVMM_VCPU_H

#include <pthread.h>
#include "src/accel.h"
#include "src/loop.h"
#include "src/memory.h"

struct lapic;
struct machine;
struct vcpu;

enum vcpu_exit_kind {
	VCPU_EXIT_NONE,
	VCPU_EXIT_PIO, /* port I/O; string I/O has its elements in `buf` */
	VCPU_EXIT_MMIO,
	VCPU_EXIT_INTACK,   /* the vCPU takes an ExtINT: ask the 8259 for its vector */
	VCPU_EXIT_EOI,	    /* EOI of a level-triggered vector, for the IOAPICs */
	VCPU_EXIT_SHUTDOWN, /* triple fault */
	VCPU_EXIT_CALL,	    /* run exit.call(exit.call_arg) on the loop */
	VCPU_EXIT_PARKED,   /* the vCPU has stopped because it was asked to (pause, reset) */
	VCPU_EXIT_DEBUG,    /* a stop that a debugger has asked for: exit.debug */
	VCPU_EXIT_FENCE, /* does nothing; answered once everything posted before it has been done */
};

#define VCPU_EXIT_BUF 4096 /* bytes of string I/O that one trap carries */

struct vcpu_exit {
	enum vcpu_exit_kind kind;
	bool write;
	uint8_t size; /* bytes of one element: 1, 2, 4, 8 */
	uint8_t vector;
	uint32_t count;		/* elements */
	uint64_t addr;		/* port or guest-physical address */
	uint64_t data;		/* without buf: written value, or the answer */
	uint64_t posted_before; /* posted tickets that were given out when this was asked */
	/* the rest in the next cache line */
	void (*call)(struct vcpu *v, void *arg);
	void *call_arg;
	uint8_t *buf; /* string I/O: count*size bytes */
	const struct debug_stop *debug;
};

/*
 * A posted write in a vCPU's ring: no answer. Tickets number the posted writes of all vCPUs in the order in which
 * they were made, and the loop does them in that order: two vCPUs that take turns at a device under a lock of the
 * guest's are sure of it. A trap waits for all that had a ticket when it was made, whoever's they are.
 */
struct vcpu_posted {
	uint64_t ticket;
	uint64_t addr;
	uint64_t data;
	uint8_t size;
	bool mmio;
	uint8_t kind; /* enum vcpu_exit_kind: PIO, MMIO or EOI */
	uint8_t vector;
};

#define VCPU_POSTED_RING 256

enum vcpu_mailbox_state { MBOX_IDLE, MBOX_REQUEST, MBOX_ANSWERED };

/* Why vCPUs are asked to leave guest code; bits of vcpu->requests. */
enum vcpu_request {
	VCPU_REQ_PAUSE = 1u << 0, /* park until resumed */
	VCPU_REQ_EXIT = 1u << 1,  /* the thread ends */
	VCPU_REQ_FLUSH =
		1u << 2, /* the memory view changed: drop cached translations, take the new view */
	VCPU_REQ_INTR = 1u << 3,  /* look at the local APIC's inbox */
	VCPU_REQ_CODE = 1u << 4,  /* look at the inbox of written code pages */
	VCPU_REQ_TIMER = 1u << 5, /* the local APIC timer may be due */
	VCPU_REQ_DIRTY = 1u << 6, /* writes are to be noted again (src/dirty_log.h) */
	VCPU_REQ_NMI = 1u << 7,	  /* the NMI button was pressed (KVM) */
};

struct vcpu_stats {
	uint64_t traps, posted, doorbells, streamed, spins_won, spins_lost, loop_wakes, sleeps;
};

struct vcpu {
	struct machine *machine;
	unsigned index;
	uint32_t apic_id;
	pthread_t thread;
	bool thread_started;
	int tid;	     /* of the thread, as the host has it; 0: not known yet. Atomic */
	void *accel;	     /* the accelerator's part: struct cpu for soft */
	struct lapic *lapic; /* src/cpu/lapic.h; NULL: the accelerator has its own */

	/* shared between the vCPU thread and others; atomic */
	uint32_t requests __attribute__((aligned(64))); /* enum vcpu_request */
	uint32_t halted_futex; /* 1 while the vCPU sleeps in vcpu_wait_event */
	uint64_t
		view_seen; /* generation of the memory views that this vCPU no longer reads below */
	uint64_t io_view_seen;
	uint64_t dirty_served; /* the last machine->dirty_ticket that was carried out */

	/* mailbox: a trap that carries one value moves this one cache line between the two threads, and no other */
	uint32_t mbox __attribute__((aligned(64))); /* enum vcpu_mailbox_state; atomic */
	uint32_t mbox_sleeping;			    /* the vCPU waits in the futex */
	uint64_t answered_tsc; /* when the loop answered; written before mbox */
	struct vcpu_exit exit;
	uint8_t exit_buf[VCPU_EXIT_BUF];

	/* posted ring: vCPU writes head, loop writes tail */
	uint32_t posted_head __attribute__((aligned(64)));
	uint32_t posted_tail __attribute__((aligned(64)));
	struct vcpu_posted posted[VCPU_POSTED_RING];

	/* the vCPU thread's own */
	unsigned spin_limit __attribute__((aligned(64))); /* adaptive, in polls; for the mailbox */
	unsigned halt_limit;				  /* the same for vcpu_wait_event */
	struct vcpu_stats stats;
	uint32_t exited; /* atomic: the thread is about to end */
	/*
	 * The accelerator's, may be NULL; vCPU thread: before and after the thread waits or sleeps. While it does, it
	 * neither runs guest code nor holds anything of the guest's.
	 */
	void (*wait_begin)(struct vcpu *v);
	void (*wait_end)(struct vcpu *v);

	/* the loop's own */
	bool parked __attribute__((aligned(64))); /* a vCPU without a thread is parked */
	bool held; /* stays parked when the machine goes on; a debugger lets others run alone */
	bool (*ready)(
		void *opaque); /* vcpu_hold_answer: no guest code until then; NULL: at any time */
	void *ready_opaque;
	bool unanswered;    /* for that the trap in the mailbox, which has been served, waits */
	bool resume_wanted; /* for that the vCPU stays parked, though the machine has gone on */
	struct loop_poller poller;
};

/* ---- called on the vCPU's own thread by accelerators ---- */

/* One element. Doorbells and posted regions are resolved here, without a trap where none is needed. */
uint64_t vcpu_mmio_read(struct vcpu *v, gpa_t gpa, unsigned size);
void vcpu_mmio_write(struct vcpu *v, gpa_t gpa, uint64_t value, unsigned size);
uint64_t vcpu_pio_read(struct vcpu *v, uint16_t port, unsigned size);
void vcpu_pio_write(struct vcpu *v, uint16_t port, uint64_t value, unsigned size);
/* String I/O: COUNT elements of SIZE bytes in BUF, one trap per VCPU_EXIT_BUF bytes. */
void vcpu_pio_read_string(struct vcpu *v, uint16_t port, void *buf, unsigned size, unsigned count);
void vcpu_pio_write_string(struct vcpu *v, uint16_t port, const void *buf, unsigned size,
			   unsigned count);
/* Asks the 8259 pair; the vector. */
uint8_t vcpu_intack(struct vcpu *v);
void vcpu_post_eoi(struct vcpu *v, uint8_t vector);
/* Triple fault: parks the vCPU until the machine is reset or ends. */
void vcpu_shutdown(struct vcpu *v);
/* A debugger's stop: the machine pauses. Returns when the loop knows; the request to park is pending then. */
void vcpu_debug_stop(struct vcpu *v, const struct debug_stop *stop);
/* Runs FN(v, arg) on the loop thread and waits. */
void vcpu_call_on_loop(struct vcpu *v, void (*fn)(struct vcpu *v, void *arg), void *arg);

/* The pending requests. PAUSE and EXIT stay set (park, or end); the others are taken. */
uint32_t vcpu_take_requests(struct vcpu *v);
/* For PAUSE: tells the loop, returns when the machine goes on. The loop may have changed everything meanwhile. */
void vcpu_park(struct vcpu *v);
/*
 * When the vCPU begins, and for FLUSH, and after parking: it holds no view of memory older than MEM_GENERATION any more
 * (0: it holds none).
 */
void vcpu_views_taken(struct vcpu *v, uint64_t mem_generation);

/*
 * For an accelerator that looks at views only to serve what the guest has run into: from hold to drop it may, and what it finds stays;
 * outside, and while parked, it may not, and nobody waits for it.
 */
void vcpu_views_hold(struct vcpu *v);
void vcpu_views_drop(struct vcpu *v);
/* A write to a coalesced region that the accelerator has let the guest pass by, into the ring of posted writes. */
void vcpu_post_write(struct vcpu *v, bool mmio, uint64_t addr, uint64_t value, unsigned size);

/*
 * Sleeps until a request arrives or the host's CLOCK_MONOTONIC reaches DEADLINE_NS (INT64_MAX: never).
 * Spins a little first when that has paid. Returns at once when requests are pending.
 */
void vcpu_wait_event(struct vcpu *v, int64_t deadline_ns);

/* ---- any thread ---- */

/* Sets bits in v->requests and gets the vCPU out of guest code or sleep (accel_ops.kick). */
void vcpu_request_mt(struct vcpu *v, uint32_t bits);

/* ---- loop thread ---- */

struct vcpu *vcpu_new(struct machine *m, unsigned index, uint32_t apic_id);
bool vcpu_start(struct vcpu *v, struct error *err);
/* Ends all threads and waits for them; answers what they still ask. Only at teardown: it blocks. */
void vcpus_end(struct machine *m);
void vcpu_free(struct vcpu *v);
/*
 * Asks all vCPUs to park, and calls DONE on the loop when they have, with no wait in between (at once when they
 * are parked already). A vCPU that waits in its mailbox is answered first. vcpus_resume lets them go on. A second
 * call before DONE replaces it.
 */
void vcpus_pause(struct machine *m, loop_fn *done, void *opaque);
void vcpus_resume(struct machine *m);
bool vcpus_all_parked(struct machine *m);
/*
 * From a register's handler: the vCPU that waits for it, if one does, goes on only when READY(OPAQUE) says so, which is asked in
 * every turn of the loop. One that is to park does so meanwhile, and isn't resumed before. For what hardware does before the
 * bus cycle ends.
 */
void vcpu_hold_answer(struct machine *m, bool (*ready)(void *opaque), void *opaque);
/* OPAQUE is about to go: who waits for it goes on. */
void vcpus_release(struct machine *m, const void *opaque);
/* Does the posted writes of all vCPUs. True: and no more were made meanwhile. */
bool vcpus_drain_posted(struct machine *m);

#endif
