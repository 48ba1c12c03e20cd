/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPU threads and the trap mailbox under load: four threads, a million traps, with an accelerator that executes
 * nothing but traps. Order, completion, answers held back, posted order, also between vCPUs that share
 * a register under a lock, and that every device function runs on the loop's thread.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "src/machine.h"

#define VCPUS 4

/* What each vCPU sees of the test device: a page of memory and 16 ports of its own. */
#define MMIO_BASE   0xd0000000ull
#define MMIO_STRIDE 0x1000ull
#define REG_SEQ	    0x00 /* must be written in order; reads give the next number expected */
#define REG_POSTED  0x10 /* the same register, in a posted region */
#define REG_BELL    0x20
#define PIO_BASE    0x400
#define PIO_STRIDE  16
#define PIO_SEQ	    0
#define PIO_STRING  4
#define PIO_POSTED  8
#define PIO_HOLD    12 /* answered after as many microseconds as are written */
/* A register that all share, each under a lock, as a guest's drivers do. */
#define SHARED_POSTED 0x800
#define SHARED	      0x804

struct bench {
	struct loop *loop;
	struct machine *m;
	struct port {
		struct bench *bench;
		struct region mmio, mmio_posted, pio, pio_posted;
		struct region_doorbell bell;
		struct loop_notifier notifier;
		uint64_t expected; /* sequence number of the next write */
		uint64_t bells, calls, eois, strings;
		uint8_t string_next;
		struct timer hold;
		bool holding; /* atomic */
		uint64_t held;
	} ports[VCPUS];
	struct port shared;
	struct region shared_posted, shared_plain;
	pthread_spinlock_t shared_lock;
	uint64_t shared_seq; /* under the lock */
	uint64_t accesses;   /* of any vCPU */
	unsigned traps_each; /* how many each thread makes */
	uint32_t finished;   /* threads that have made theirs; atomic */
	unsigned pauses, resets, view_changes, parked_holding;
	uint64_t accesses_at_pause;
	bool ended;
	struct timer timer;
};

struct fake_cpu {
	struct port *port;
	uint64_t seq;
	uint64_t random;
	unsigned done;
	uint64_t bells, calls, eois, strings, held;
	uint32_t kicked;
};

/* ---- the device: on the loop's thread, or the process aborts ---- */

static uint64_t seq_read(void *opaque, uint64_t offset, unsigned size)
{
	struct port *p = opaque;

	LOOP_ASSERT();
	p->bench->accesses++;
	return p->expected;
}

static void seq_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct port *p = opaque;

	LOOP_ASSERT();
	p->bench->accesses++;
	if (offset == REG_BELL)
		return; /* the machine is being taken down, its doorbells are gone */
	if (value != (uint32_t)p->expected) {
		fprintf(stderr, "write %llx, %llx expected\n", (unsigned long long)value,
			(unsigned long long)p->expected);
		abort();
	}
	p->expected++;
}

static const struct region_ops seq_ops = {
	.read = seq_read, .write = seq_write, .min_size = 4, .max_size = 4};

static uint64_t pio_read(void *opaque, uint64_t offset, unsigned size)
{
	struct port *p = opaque;

	if (offset == PIO_STRING) {
		LOOP_ASSERT();
		p->strings++;
		return p->string_next++;
	}
	return seq_read(opaque, offset, size);
}

static void hold_is_over(void *opaque)
{
	struct port *p = opaque;

	__atomic_store_n(&p->holding, false, __ATOMIC_RELAXED);
}

static bool may_go_on(void *opaque)
{
	struct port *p = opaque;

	LOOP_ASSERT();
	return !__atomic_load_n(&p->holding, __ATOMIC_RELAXED);
}

static void hold_for(struct port *p, uint64_t us)
{
	struct bench *b = p->bench;

	if (p->holding)
		abort(); /* the write came again */
	p->held++;
	p->holding = true;
	timer_arm(&p->hold, clock_now_ns(loop_clock_host(b->loop)) + (int64_t)us * NS_PER_US);
	vcpu_hold_answer(b->m, may_go_on, p);
}

static void pio_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct port *p = opaque;

	if (offset == PIO_STRING) {
		LOOP_ASSERT();
		p->strings++;
		if (value != p->string_next++)
			abort();
		return;
	}
	if (offset == PIO_HOLD) {
		hold_for(p, value);
		return;
	}
	seq_write(opaque, offset, value, size);
}

static const struct region_ops pio_ops = {.read = pio_read, .write = pio_write};

static void on_bell(void *opaque)
{
	struct port *p = opaque;

	LOOP_ASSERT();
	p->bells++;
}

static uint8_t intack(void *opaque)
{
	LOOP_ASSERT();
	return 0x5a;
}

static void eoi(void *opaque, uint8_t vector)
{
	struct bench *b = opaque;

	LOOP_ASSERT();
	b->ports[vector].eois++;
}

/* ---- the processor ---- */

static struct fake_cpu *fake(struct vcpu *v)
{
	return v->accel;
}

static uint64_t next_random(struct fake_cpu *c)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random;
}

static void count_call(struct vcpu *v, void *arg)
{
	struct bench *b = arg;

	LOOP_ASSERT();
	b->ports[v->index].calls++;
}

static void check(bool ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "vCPU thread: %s\n", what);
		abort();
	}
}

static void do_string(struct vcpu *v, struct fake_cpu *c, uint16_t port)
{
	uint8_t buf[6000], first;
	unsigned n = 1 + next_random(c) % (next_random(c) % 64 ? 32 : sizeof(buf));

	c->strings += n;
	vcpu_pio_read_string(v, (uint16_t)(port + PIO_STRING), buf, 1, n);
	for (unsigned i = 1; i < n; i++)
		check(buf[i] == (uint8_t)(buf[0] + i), "string elements in order");
	first = (uint8_t)(buf[0] + n);
	for (unsigned i = 0; i < n; i++)
		buf[i] = (uint8_t)(first + i);
	c->strings += n;
	vcpu_pio_write_string(v, (uint16_t)(port + PIO_STRING), buf, 1, n);
}

/* Now and then for longer than a pause. */
static void do_held(struct vcpu *v, struct fake_cpu *c)
{
	unsigned most = next_random(c) % 16 ? 64 : 4000;

	vcpu_pio_write(v, (uint16_t)(PIO_BASE + v->index * PIO_STRIDE + PIO_HOLD),
		       next_random(c) % most, 4);
	c->held++;
}

static void one_trap(struct vcpu *v, struct bench *b)
{
	struct fake_cpu *c = fake(v);
	uint64_t mmio = MMIO_BASE + v->index * MMIO_STRIDE;
	uint16_t port = (uint16_t)(PIO_BASE + v->index * PIO_STRIDE);

	switch (next_random(c) % 16) {
	case 0:
	case 1:
		check(vcpu_mmio_read(v, mmio + REG_SEQ, 4) == (uint32_t)c->seq,
		      "a read follows all writes");
		break;
	case 2:
		check(vcpu_pio_read(v, port + PIO_SEQ, 4) == (uint32_t)c->seq,
		      "a read follows all writes");
		break;
	case 3:
	case 4:
	case 5:
		vcpu_mmio_write(v, mmio + REG_POSTED, (uint32_t)c->seq++, 4);
		break;
	case 6:
		vcpu_pio_write(v, port + PIO_POSTED, (uint32_t)c->seq++, 4);
		break;
	case 7:
		vcpu_pio_write(v, port + PIO_SEQ, (uint32_t)c->seq++, 4);
		break;
	case 8:
		vcpu_mmio_write(v, mmio + REG_BELL, 7, 4);
		c->bells++;
		break;
	case 9:
		check(vcpu_intack(v) == 0x5a, "the vector");
		break;
	case 10:
		vcpu_post_eoi(v, (uint8_t)v->index);
		c->eois++;
		break;
	case 11:
		vcpu_call_on_loop(v, count_call, b);
		c->calls++;
		break;
	case 12:
		if (next_random(c) % 8 == 0)
			do_string(v, c, port);
		else if (next_random(c) % 16 == 0)
			do_held(v, c);
		break;
	case 14:
		pthread_spin_lock(&b->shared_lock);
		vcpu_pio_write(v, next_random(c) % 4 ? SHARED_POSTED : SHARED,
			       (uint32_t)b->shared_seq++, 4);
		pthread_spin_unlock(&b->shared_lock);
		break;
	case 13:
		check(vcpu_pio_read(v, 0x3ff, 1) == 0xff, "nobody there");
		check(vcpu_mmio_read(v, 0xf0000000, 8) == ~0ull, "nobody there");
		vcpu_mmio_write(v, 0xf0000000, 0, 8);
		break;
	default:
		vcpu_mmio_write(v, mmio + REG_SEQ, (uint32_t)c->seq++, 4);
	}
}

static bool fake_init(struct machine *m, struct error *err)
{
	return true;
}

static void fake_fini(struct machine *m)
{
}

static bool fake_model(struct machine *m, const char *arg, struct error *err)
{
	return true;
}

static bool fake_vcpu_init(struct vcpu *v, struct error *err)
{
	struct fake_cpu *c = xzalloc(sizeof(*c));

	c->random = 88172645463325252ull + v->index;
	v->accel = c;
	return true;
}

static void fake_vcpu_fini(struct vcpu *v)
{
	free(v->accel);
}

static void fake_vcpu_run(struct vcpu *v)
{
	struct fake_cpu *c = fake(v);
	struct bench *b = v->machine->accel_state;

	for (;;) {
		uint32_t requests;

		__atomic_store_n(&c->kicked, 0, __ATOMIC_SEQ_CST);
		requests = vcpu_take_requests(v);
		if (requests & VCPU_REQ_EXIT)
			return;
		if (requests & VCPU_REQ_PAUSE)
			vcpu_park(v);
		vcpu_views_taken(v, 0);
		if (c->done == b->traps_each) {
			c->done++;
			__atomic_fetch_add(&b->finished, 1, __ATOMIC_RELEASE);
		}
		if (c->done > b->traps_each)
			vcpu_wait_event(v, INT64_MAX);
		while (!__atomic_load_n(&c->kicked, __ATOMIC_RELAXED) && c->done < b->traps_each) {
			check(!__atomic_load_n(&b->ports[v->index].holding, __ATOMIC_RELAXED),
			      "it goes on though its answer is held back");
			one_trap(v, b);
			c->done++;
		}
	}
}

static void fake_kick(struct vcpu *v)
{
	__atomic_store_n(&fake(v)->kicked, 1, __ATOMIC_SEQ_CST);
}

static void fake_vcpu_reset(struct vcpu *v)
{
	assert_true(v->parked);
}

static void fake_regs(struct vcpu *v, struct x86_regs *regs)
{
	memset(regs, 0, sizeof(*regs));
}

static void fake_memory_changed(struct machine *m)
{
	for (unsigned i = 0; i < m->n_vcpus; i++)
		vcpu_request_mt(m->vcpus[i], VCPU_REQ_FLUSH);
}

static const struct accel_ops accel_fake = {
	.name = "fake",
	.init = fake_init,
	.fini = fake_fini,
	.set_cpu_model = fake_model,
	.vcpu_init = fake_vcpu_init,
	.vcpu_fini = fake_vcpu_fini,
	.vcpu_run = fake_vcpu_run,
	.kick = fake_kick,
	.vcpu_reset = fake_vcpu_reset,
	.get_regs = fake_regs,
	.memory_changed = fake_memory_changed,
};

/* ---- the machine ---- */

static void bench_build(struct bench *b, unsigned vcpus, unsigned traps_each)
{
	struct machine_config config = {.type = &machine_none,
					.accel = &accel_fake,
					.cpus = vcpus,
					.maxcpus = vcpus,
					.ram_bytes = MiB};
	struct error err = ERROR_INIT;

	memset(b, 0, sizeof(*b));
	b->traps_each = traps_each;
	b->loop = loop_new();
	b->m = machine_new(b->loop, &config, NULL);
	b->m->accel_state = b;
	assert_true(machine_build(b->m, &err));
	b->m->intack = intack;
	b->m->eoi_broadcast = eoi;
	b->m->eoi_opaque = b;
	pthread_spin_init(&b->shared_lock, PTHREAD_PROCESS_PRIVATE);
	b->shared.bench = b;
	region_init_io(&b->shared_posted, "shared-posted", &seq_ops, &b->shared, 4);
	region_init_io(&b->shared_plain, "shared", &seq_ops, &b->shared, 4);
	b->shared_posted.posted = true;
	region_add(&b->m->io.root, SHARED_POSTED, &b->shared_posted, 0);
	region_add(&b->m->io.root, SHARED, &b->shared_plain, 0);
	for (unsigned i = 0; i < vcpus; i++) {
		struct port *p = &b->ports[i];
		uint64_t mmio = MMIO_BASE + i * MMIO_STRIDE;
		uint64_t pio = PIO_BASE + i * PIO_STRIDE;

		p->bench = b;
		timer_init(&p->hold, loop_clock_host(b->loop), "hold", hold_is_over, p);
		((struct fake_cpu *)b->m->vcpus[i]->accel)->port = p;
		region_init_io(&p->mmio, "seq", &seq_ops, p, 0x1000);
		region_init_io(&p->mmio_posted, "seq-posted", &seq_ops, p, 4);
		region_init_io(&p->pio, "pio", &pio_ops, p, PIO_STRIDE);
		region_init_io(&p->pio_posted, "pio-posted", &pio_ops, p, 4);
		p->mmio_posted.posted = p->pio_posted.posted = true;
		region_add(&b->m->mem.root, mmio, &p->mmio, 0);
		region_add(&b->m->mem.root, mmio + REG_POSTED, &p->mmio_posted, 1);
		region_add(&b->m->io.root, pio, &p->pio, 0);
		region_add(&b->m->io.root, pio + PIO_POSTED, &p->pio_posted, 1);
		assert_true(loop_notifier_init(&p->notifier, b->loop, "bell", on_bell, p));
		p->bell = (struct region_doorbell){
			.offset = REG_BELL, .size = 4, .notifier = &p->notifier};
		region_add_doorbell(&p->mmio, &p->bell);
	}
	assert_true(machine_start(b->m, &err));
}

static void bench_free(struct bench *b)
{
	unsigned n = b->m->n_vcpus;

	for (unsigned i = 0; i < n; i++)
		timer_cancel(&b->ports[i].hold);
	for (unsigned i = 0; i < n; i++)
		region_remove_doorbell(&b->ports[i].mmio, &b->ports[i].bell);
	machine_free(b->m);
	for (unsigned i = 0; i < n; i++)
		loop_notifier_fini(&b->ports[i].notifier);
	loop_free(b->loop);
}

static bool all_finished(struct bench *b)
{
	return __atomic_load_n(&b->finished, __ATOMIC_ACQUIRE) == b->m->n_vcpus;
}

static void run_until_finished(struct bench *b)
{
	while (!all_finished(b))
		loop_run_once(b->loop, 10 * NS_PER_MS);
	for (int i = 0; i < 10; i++)
		loop_run_once(b->loop, 0);
}

static void check_counts(struct bench *b)
{
	vcpus_end(b->m);
	assert_int_equal(b->shared_seq, b->shared.expected);
	for (unsigned i = 0; i < b->m->n_vcpus; i++) {
		struct vcpu *v = b->m->vcpus[i];
		struct fake_cpu *c = v->accel;
		struct port *p = &b->ports[i];

		assert_int_equal(c->seq, p->expected);
		assert_int_equal(c->calls, p->calls);
		assert_int_equal(c->eois, p->eois);
		assert_int_equal(c->strings, p->strings);
		assert_int_equal(c->held, p->held);
		assert_true(c->held);
		/* Signals collapse, none is lost. */
		assert_true(p->bells > 0 && p->bells <= c->bells);
		printf("vcpu%u: %llu traps, %llu posted, %llu bells, spins %llu won %llu lost, loop woken %llu, "
		       "spin limit %u\n",
		       i, (unsigned long long)v->stats.traps, (unsigned long long)v->stats.posted,
		       (unsigned long long)v->stats.doorbells,
		       (unsigned long long)v->stats.spins_won,
		       (unsigned long long)v->stats.spins_lost,
		       (unsigned long long)v->stats.loop_wakes, v->spin_limit);
	}
}

/* ---- tests ---- */

static void a_million_traps_complete_in_order(void **state)
{
	struct bench b;

	bench_build(&b, VCPUS, 250000);
	run_until_finished(&b);
	check_counts(&b);
	bench_free(&b);
}

static void one_vcpu_traps_alone(void **state)
{
	struct bench b;

	bench_build(&b, 1, 100000);
	run_until_finished(&b);
	check_counts(&b);
	bench_free(&b);
}

static void resume_after_pause(void *opaque)
{
	struct bench *b = opaque;

	if (!vcpus_all_parked(b->m)) {
		timer_arm(&b->timer, clock_now_ns(loop_clock_host(b->loop)) + 100 * NS_PER_US);
		return;
	}
	if (!b->accesses_at_pause) {
		for (unsigned i = 0; i < b->m->n_vcpus; i++)
			b->parked_holding += b->ports[i].holding;
		/* Parked: from here on nothing may come. */
		b->accesses_at_pause = b->accesses + 1;
		timer_arm(&b->timer, clock_now_ns(loop_clock_host(b->loop)) + 300 * NS_PER_US);
		return;
	}
	assert_int_equal(b->accesses + 1, b->accesses_at_pause);
	b->accesses_at_pause = 0;
	b->pauses++;
	machine_resume(b->m);
}

static void pause_often(void *opaque)
{
	struct bench *b = opaque;

	if (b->m->state == RUN_PAUSED) {
		resume_after_pause(b);
		if (b->m->state == RUN_PAUSED)
			return;
	} else if (b->m->state == RUN_RUNNING) {
		machine_pause(b->m);
		assert_int_equal(b->m->state, RUN_PAUSED);
	}
	timer_arm(&b->timer, clock_now_ns(loop_clock_host(b->loop)) + 700 * NS_PER_US);
}

static void pause_and_resume_under_load(void **state)
{
	struct bench b;

	bench_build(&b, VCPUS, 30000);
	timer_init(&b.timer, loop_clock_host(b.loop), "pause", pause_often, &b);
	timer_arm(&b.timer, 0);
	run_until_finished(&b);
	timer_cancel(&b.timer);
	check_counts(&b);
	printf("%u pauses, %u times with an answer held back\n", b.pauses, b.parked_holding);
	assert_true(b.pauses > 10);
	assert_true(b.parked_holding);
	bench_free(&b);
}

static void reset_often(void *opaque)
{
	struct bench *b = opaque;

	if (!b->m->reset_pending) {
		b->resets++;
		machine_request_reset(b->m);
	}
	timer_arm(&b->timer, clock_now_ns(loop_clock_host(b->loop)) + NS_PER_MS);
}

static void resets_under_load(void **state)
{
	struct bench b;

	bench_build(&b, VCPUS, 30000);
	timer_init(&b.timer, loop_clock_host(b.loop), "reset", reset_often, &b);
	timer_arm(&b.timer, 0);
	run_until_finished(&b);
	timer_cancel(&b.timer);
	check_counts(&b);
	printf("%u resets\n", b.resets);
	assert_true(b.resets > 10);
	bench_free(&b);
}

static void change_views(void *opaque)
{
	struct bench *b = opaque;
	struct region *r = &b->m->ram.low;

	b->view_changes++;
	region_set_enabled(r, !r->enabled);
	timer_arm(&b->timer, clock_now_ns(loop_clock_host(b->loop)) + 50 * NS_PER_US);
}

static unsigned retired(const struct bench *b)
{
	unsigned n = 0;

	list_for_each(it, &b->m->mem.retired)
		n++;
	return n;
}

static void views_change_under_load_and_old_ones_are_freed(void **state)
{
	struct bench b;

	bench_build(&b, VCPUS, 30000);
	timer_init(&b.timer, loop_clock_host(b.loop), "view", change_views, &b);
	timer_arm(&b.timer, 0);
	run_until_finished(&b);
	timer_cancel(&b.timer);
	/* One more change, once all have seen the last: then nothing older is left. */
	for (int i = 0; i < 3; i++) {
		change_views(&b);
		timer_cancel(&b.timer);
		/* On a busy host it takes the vCPUs' threads a while to be given a CPU. */
		for (int k = 0; k < 5 || (k < 5000 && retired(&b) > 1); k++)
			loop_run_once(b.loop, 2 * NS_PER_MS);
	}
	printf("%u view changes, %u retired\n", b.view_changes, retired(&b));
	assert_true(b.view_changes > 100);
	assert_true(retired(&b) <= 1);
	check_counts(&b);
	bench_free(&b);
}

static void on_end(void *opaque)
{
	struct bench *b = opaque;

	b->ended = true;
}

static void shutdown_under_load_ends_the_machine(void **state)
{
	for (int round = 0; round < 20; round++) {
		struct bench b;

		bench_build(&b, VCPUS, 1000000);
		b.m->on_end = on_end;
		b.m->on_end_opaque = &b;
		for (int i = 0; i < 50 * round; i++)
			loop_run_once(b.loop, NS_PER_MS);
		machine_request_shutdown(b.m, SHUTDOWN_DEBUG_EXIT, 7);
		while (!b.ended)
			loop_run_once(b.loop, NS_PER_MS);
		assert_true(vcpus_all_parked(b.m));
		assert_int_equal(b.m->exit_status, 7);
		bench_free(&b);
	}
}

static void a_machine_is_freed_while_its_vcpus_trap(void **state)
{
	for (int round = 0; round < 20; round++) {
		struct bench b;

		bench_build(&b, VCPUS, 1000000);
		for (int i = 0; i < 20 * round; i++)
			loop_run_once(b.loop, NS_PER_MS);
		bench_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_vcpu_traps_alone),
		cmocka_unit_test(a_million_traps_complete_in_order),
		cmocka_unit_test(pause_and_resume_under_load),
		cmocka_unit_test(resets_under_load),
		cmocka_unit_test(views_change_under_load_and_old_ones_are_freed),
		cmocka_unit_test(shutdown_under_load_ends_the_machine),
		cmocka_unit_test(a_machine_is_freed_while_its_vcpus_trap),
	};

	return cmocka_run_group_tests_name("vcpu_stress", tests, NULL, NULL);
}
