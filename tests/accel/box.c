/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine with one accelerator and a few bytes of code. */
#include <stdio.h>
#include <stdlib.h>
#include "tests/accel/box.h"

#define PML4 0x1000
#define PDPT 0x2000
#define PD   0x3000

#define PTE_P  1
#define PTE_W  2
#define PTE_U  4
#define PTE_PS 0x80

unsigned box_ring = 3;

static bool box_board(struct machine *m, struct error *err)
{
	return true;
}

static void put64(struct machine *m, gpa_t gpa, uint64_t value)
{
	if (!dma_write(m, gpa, &value, sizeof(value)))
		abort();
}

static struct x86_segment segment(uint16_t selector, uint8_t type, bool code)
{
	return (struct x86_segment){.selector = selector,
				    .limit = 0xffffffff,
				    .type = type,
				    .s = true,
				    .present = true,
				    .dpl = (uint8_t)box_ring,
				    .g = true,
				    .l = code,
				    .db = !code};
}

/* Identity-mapped, all of it the user's. */
static bool box_boot(struct machine *m, void *opaque)
{
	struct box *b = opaque;

	put64(m, PML4, PDPT | PTE_P | PTE_W | PTE_U);
	put64(m, PDPT, PD | PTE_P | PTE_W | PTE_U);
	for (unsigned i = 0; i < 8; i++)
		put64(m, PD + 8 * i, (uint64_t)i << 21 | PTE_P | PTE_W | PTE_U | PTE_PS);
	if (!dma_write(m, BOX_CODE, b->code, b->code_bytes))
		abort();
	for (unsigned i = 0; i < m->n_vcpus; i++) {
		struct x86_events events;
		struct x86_regs r;

		m->accel->get_regs(m->vcpus[i], &r);
		r.cs = segment(0x30 | box_ring, 0xb, true);
		r.ds = r.es = r.ss = r.fs = r.gs = segment(0x28 | box_ring, 3, false);
		r.cr0 = 0x80000033;
		r.cr3 = PML4;
		r.cr4 = 0x620; /* PAE, OSFXSR, OSXMMEXCPT */
		r.efer = 0xd01;
		r.rip = BOX_CODE;
		r.rflags = 0x3002;
		r.gpr[4] = BOX_STACK + 0x1000 * i;
		r.gpr[7] = i;
		m->accel->set_regs(m->vcpus[i], &r);
		m->accel->get_events(m->vcpus[i], &events);
		events.wait_sipi = events.halted = false;
		m->accel->set_events(m->vcpus[i], &events, NULL);
	}
	return true;
}

static void on_stop(void *opaque, const struct debug_stop *stop)
{
	struct box *b = opaque;

	b->stop = *stop;
	b->stops++;
}

static struct box *give_up(struct box *b, struct error *err, char **why)
{
	*why = xstrdup(err->msg);
	error_clear(err);
	box_free(b);
	return NULL;
}

/* "kvm,kernel-irqchip=off": the name alone, the rest goes into CONFIG. */
static const struct accel_ops *find_accel(const char *accel, struct machine_config *config,
					  struct error *err)
{
	const char *comma = strchrnul(accel, ',');
	char *name = xasprintf("%.*s", (int)(comma - accel), accel);
	const struct accel_ops *found = accel_select(name, err);

	config->irqchip_given = *comma;
	config->irqchip = strstr(comma, "=off") ? IRQCHIP_NONE : IRQCHIP_SPLIT;
	free(name);
	return found;
}

struct box *box_new(const char *accel, unsigned cpus, const void *code, size_t bytes, char **why)
{
	struct box *b = xzalloc(sizeof(*b));
	struct error err = ERROR_INIT;
	struct machine_config config = {
		.ram_bytes = BOX_RAM, .cpus = cpus, .sockets = 1, .cores = cpus, .threads = 1};

	b->loop = loop_new();
	b->code = code;
	b->code_bytes = bytes;
	b->type = (struct machine_type){.name = "box", .init = box_board};
	config.type = &b->type;
	config.accel = find_accel(accel, &config, &err);
	if (!config.accel)
		return give_up(b, &err, why);
	b->m = machine_new(b->loop, &config, NULL);
	b->m->boot_reset = box_boot;
	b->m->boot_opaque = b;
	b->m->on_debug_stop = on_stop;
	b->m->debug_opaque = b;
	if (!machine_build(b->m, &err))
		return give_up(b, &err, why);
	b->m->config.start_paused = true;
	if (!machine_start(b->m, &err))
		return give_up(b, &err, why);
	box_pause(b);
	return b;
}

void box_free(struct box *b)
{
	if (b->m)
		machine_free(b->m);
	loop_free(b->loop);
	free(b);
}

bool box_wait(struct box *b, const unsigned *word)
{
	const struct clock *clock = loop_clock_host(b->loop);
	int64_t end = clock_now_ns(clock) + 10 * NS_PER_SEC;

	while (!__atomic_load_n(word, __ATOMIC_ACQUIRE) && clock_now_ns(clock) < end)
		loop_run_once(b->loop, 10 * NS_PER_MS);
	return *word;
}

void box_next_stop(struct box *b)
{
	unsigned before = b->stops, more = 0;
	int64_t end = clock_now_ns(loop_clock_host(b->loop)) + 10 * NS_PER_SEC;

	machine_resume(b->m);
	while (!more && clock_now_ns(loop_clock_host(b->loop)) < end) {
		loop_run_once(b->loop, 10 * NS_PER_MS);
		more = b->stops - before;
	}
	if (!more) {
		fprintf(stderr, "no debug stop came\n");
		abort();
	}
}

void box_pause(struct box *b)
{
	machine_pause(b->m);
	while (!vcpus_all_parked(b->m))
		loop_run_once(b->loop, 10 * NS_PER_MS);
}
