/* SPDX-License-Identifier: BSD-2-Clause */
/* The software accelerator: a vCPU's thread around cpu_exec(), and the table that the machine knows it by. */
#include <stdlib.h>
#include "src/cpu/block.h"
#include "src/cpu/cpuid.h"
#include "src/cpu/lapic.h"
#include "src/cpu/native.h"
#include "src/cpu/mmu.h"
#include "src/cpu/soft.h"
#include "src/machine.h"

static struct cpu *cpu_of(const struct vcpu *v)
{
	return v->accel;
}

/* ---- the thread ---- */

static void on_wait_begin(struct vcpu *v)
{
	code_map_leave_guest(cpu_of(v));
}

static void on_wait_end(struct vcpu *v)
{
	code_map_enter_guest(cpu_of(v));
}

/* The machine's memory as it is now. By generation: the view that this vCPU held may be freed while it is parked. */
static void take_view(struct cpu *c)
{
	struct vcpu *v = c->vcpu;

	if (as_view_mt(&c->machine->mem)->generation != v->view_seen) {
		c->view = NULL;
		mmu_take_view(c);
		block_flush_all(c);
	}
	vcpu_views_taken(v, c->view->generation);
}

/* Does what others have asked for. False: the thread ends. */
static bool serve(struct cpu *c)
{
	struct vcpu *v = c->vcpu;
	uint32_t requests;

	/* Before the requests are looked at: a kick that comes later stays. */
	__atomic_exchange_n(&c->exit_request, 0, __ATOMIC_SEQ_CST);
	requests = vcpu_take_requests(v);
	if (requests & VCPU_REQ_EXIT)
		return false;
	if (requests & VCPU_REQ_PAUSE) {
		vcpu_park(v);
		take_view(c);
		lapic_rearm(c->lapic);
	} else if (requests & VCPU_REQ_FLUSH) {
		take_view(c);
	}
	if (requests & VCPU_REQ_DIRTY)
		mmu_log_writes(c);
	if (requests & VCPU_REQ_CODE)
		code_map_serve(c);
	lapic_serve(c->lapic);
	return true;
}

static void soft_vcpu_run(struct vcpu *v)
{
	struct cpu *c = cpu_of(v);

	if (!lapic_thread_begin(c->lapic)) {
		report_error("no timer for vCPU %u can be had from the host", v->index);
		abort();
	}
	take_view(c);
	while (serve(c)) {
		cpu_exec(c);
		if (c->debug_met.reason) {
			vcpu_debug_stop(v, &c->debug_met);
			c->debug_met.reason = DEBUG_NONE;
		} else if (c->halted || c->wait_sipi)
			vcpu_wait_event(v, lapic_deadline_ns(c->lapic));
	}
	code_map_leave_guest(c);
	lapic_thread_end(c->lapic);
}

static void soft_kick(struct vcpu *v)
{
	__atomic_store_n(&cpu_of(v)->exit_request, 1, __ATOMIC_SEQ_CST);
}

/* ---- what its local APIC does to it ---- */

static void on_recheck(struct vcpu *v)
{
	__atomic_store_n(&cpu_of(v)->exit_request, 1, __ATOMIC_RELAXED);
}

static void on_nmi(struct vcpu *v)
{
	cpu_nmi(cpu_of(v));
}

static void on_init(struct vcpu *v, bool wait)
{
	cpu_reset(cpu_of(v), true);
	cpu_of(v)->wait_sipi = wait;
}

static bool waits_for_sipi(struct vcpu *v)
{
	return cpu_of(v)->wait_sipi;
}

static void on_sipi(struct vcpu *v, uint8_t vector)
{
	struct cpu *c = cpu_of(v);
	struct x86_regs regs;

	c->wait_sipi = false;
	cpu_get_regs(c, &regs);
	regs.cs.selector = (uint16_t)(vector << 8);
	regs.cs.base = (uint64_t)vector << 12;
	regs.rip = 0;
	cpu_set_regs(c, &regs);
}

static void on_base_changed(struct vcpu *v)
{
	mmu_flush_all(cpu_of(v));
}

static int64_t tsc_offset(const struct vcpu *v)
{
	return cpu_of(v)->tsc_offset;
}

static const struct lapic_cpu lapic_cpu = {
	.leave = soft_kick,
	.recheck = on_recheck,
	.nmi = on_nmi,
	.init = on_init,
	.waits = waits_for_sipi,
	.start = on_sipi,
	.base_changed = on_base_changed,
	.tsc_offset = tsc_offset,
};

/* ---- life ---- */

/* The TLB in struct cpu, and behind it the tables of blocks and the blocks: together, as what is left of a large page is lost. */
#define BLOCKS_AT ALIGN_UP(sizeof(struct cpu), (size_t)64)

struct cpu *cpu_new(struct machine *m, struct vcpu *v, struct cpu_model *model)
{
	struct cpu *c = xhuge_zalloc(BLOCKS_AT + block_cache_bytes);
	struct soft *soft = m->accel_state;
	const struct lapic_features features = {
		.x2apic = cpu_model_has(model, FEAT_X2APIC),
		.tsc_deadline = cpu_model_has(model, FEAT_TSC_DEADLINE),
		.phys_bits = model->phys_bits,
	};

	c->machine = m;
	c->vcpu = v;
	c->model = model;
	c->code_map = soft ? soft->code_map : NULL;
	c->blocks = block_cache_init(c, (uint8_t *)c + BLOCKS_AT);
	c->native = native_new(c);
	v->accel = c;
	c->lapic = lapic_new(v, &lapic_cpu, &features);
	return c;
}

void cpu_free(struct cpu *c)
{
	if (!c)
		return;
	lapic_free(c->lapic);
	block_cache_destroy(c->blocks);
	native_free(c->native);
	xhuge_free(c, BLOCKS_AT + block_cache_bytes);
}

static bool soft_init(struct machine *m, struct error *err)
{
	struct soft *soft = xzalloc(sizeof(*soft));

	soft->code_map = code_map_new(m);
	m->accel_state = soft;
	return true;
}

static void soft_fini(struct machine *m)
{
	struct soft *soft = m->accel_state;

	code_map_free(soft->code_map);
	free(soft->breakpoints);
	free(soft->model);
	free(soft);
	m->accel_state = NULL;
}

static bool soft_set_cpu_model(struct machine *m, const char *arg, struct error *err)
{
	struct soft *soft = m->accel_state;

	soft->model = cpu_model_parse(arg, err);
	if (!soft->model)
		return false;
	soft->model->sockets = MAX(m->config.sockets, 1u);
	soft->model->cores = MAX(m->config.cores, 1u);
	soft->model->threads = MAX(m->config.threads, 1u);
	return true;
}

static bool soft_has_long_mode(struct machine *m)
{
	struct soft *soft = m->accel_state;

	return cpu_model_has(soft->model, FEAT_LM);
}

static void soft_cpuid(struct vcpu *v, uint32_t leaf, uint32_t out[4])
{
	cpu_cpuid(cpu_of(v), leaf, 0, out);
}

static void soft_vcpu_reset(struct vcpu *v)
{
	struct cpu *c = cpu_of(v);

	cpu_reset(c, false);
	lapic_reset(c->lapic, false);
	block_flush_all(c);
	c->wait_sipi = v->index != 0;
}

static bool soft_vcpu_init(struct vcpu *v, struct error *err)
{
	struct soft *soft = v->machine->accel_state;

	cpu_new(v->machine, v, soft->model);
	v->wait_begin = on_wait_begin;
	v->wait_end = on_wait_end;
	soft_vcpu_reset(v);
	return true;
}

static void soft_vcpu_fini(struct vcpu *v)
{
	cpu_free(cpu_of(v));
	v->accel = NULL;
}

/* ---- the machine's side ---- */

static void soft_get_regs(struct vcpu *v, struct x86_regs *regs)
{
	cpu_get_regs(cpu_of(v), regs);
}

static void soft_set_regs(struct vcpu *v, const struct x86_regs *regs)
{
	cpu_set_regs(cpu_of(v), regs);
}

static void soft_get_fpu(struct vcpu *v, struct x86_fpu *fpu)
{
	cpu_get_fpu(cpu_of(v), fpu);
}

static bool soft_set_fpu(struct vcpu *v, const struct x86_fpu *fpu, struct error *err)
{
	return cpu_set_fpu(cpu_of(v), fpu, err);
}

static struct x86_msr *soft_get_msrs(struct vcpu *v, unsigned *n)
{
	return cpu_get_msrs(cpu_of(v), n);
}

static bool soft_set_msrs(struct vcpu *v, const struct x86_msr *msrs, unsigned n, struct error *err)
{
	return cpu_set_msrs(cpu_of(v), msrs, n, err);
}

static void soft_get_lapic(struct vcpu *v, struct x86_lapic *lapic)
{
	lapic_get_state(cpu_of(v)->lapic, lapic);
}

static bool soft_set_lapic(struct vcpu *v, const struct x86_lapic *lapic, struct error *err)
{
	lapic_set_state(cpu_of(v)->lapic, lapic);
	return true;
}

static void soft_get_events(struct vcpu *v, struct x86_events *events)
{
	cpu_get_events(cpu_of(v), events);
}

static bool soft_set_events(struct vcpu *v, const struct x86_events *events, struct error *err)
{
	cpu_set_events(cpu_of(v), events);
	return true;
}

static bool soft_set_guest_debug(struct vcpu *v, const struct guest_debug *debug, struct error *err)
{
	return cpu_set_guest_debug(cpu_of(v), debug, err);
}

/* The PC's wiring: the 8259s' output is LINT0 of the boot processor. */
static unsigned soft_get_stats(struct vcpu *v, struct accel_stat *stats)
{
	const struct cpu *c = v->accel;
	const struct cpu_stats *s = &c->stats;
	const struct accel_stat all[] = {
		{"blocks translated", s->blocks_made},
		{"blocks made host code", s->native_blocks},
		{"bytes of host code", native_bytes(c->native)},
		{"times the cache was full", c->blocks->evictions},
		{"lookups of blocks", s->block_lookups},
		{"writes to translated code", s->smc},
		{"TLB fills", s->tlb_fills},
		{"TLB flushes", s->tlb_flushes},
		{"faults", s->faults},
		{"interrupts", s->interrupts},
	};

	_Static_assert(ARRAY_SIZE(all) <= ACCEL_STATS_MAX, "there is room for fewer");
	memcpy(stats, all, sizeof(all));
	return ARRAY_SIZE(all);
}

static void soft_set_intr(struct machine *m, bool level)
{
	if (m->n_vcpus)
		lapic_set_lint0_mt(m->vcpus[0]->lapic, level);
}

static void soft_inject_nmi(struct vcpu *v)
{
	lapic_nmi_mt(cpu_of(v)->lapic);
}

static void soft_memory_changed(struct machine *m)
{
	for (unsigned i = 0; i < m->n_vcpus; i++)
		if (m->vcpus[i]->accel)
			vcpu_request_mt(m->vcpus[i], VCPU_REQ_FLUSH);
}

static void soft_ram_written(struct machine *m, gpa_t gpa, uint64_t bytes)
{
	struct soft *soft = m->accel_state;

	code_map_written(soft->code_map, NULL, gpa, bytes);
}

const struct accel_ops accel_soft = {
	.name = "soft",
	.alias = "tcg",
	.desc = "software CPU, needs nothing of the host",
	.dirty_logging = DIRTY_BY_VCPUS,
	.init = soft_init,
	.fini = soft_fini,
	.set_cpu_model = soft_set_cpu_model,
	.has_long_mode = soft_has_long_mode,
	.cpu_help = cpu_model_list,
	.cpu_model = cpu_model_name,
	.cpu_model_features = cpu_model_features,
	.cpuid = soft_cpuid,
	.vcpu_init = soft_vcpu_init,
	.vcpu_fini = soft_vcpu_fini,
	.vcpu_run = soft_vcpu_run,
	.kick = soft_kick,
	.vcpu_reset = soft_vcpu_reset,
	.get_regs = soft_get_regs,
	.set_regs = soft_set_regs,
	.get_fpu = soft_get_fpu,
	.set_fpu = soft_set_fpu,
	.get_msrs = soft_get_msrs,
	.set_msrs = soft_set_msrs,
	.get_lapic = soft_get_lapic,
	.set_lapic = soft_set_lapic,
	.get_events = soft_get_events,
	.set_events = soft_set_events,
	.set_guest_debug = soft_set_guest_debug,
	.get_stats = soft_get_stats,
	.set_breakpoints = cpu_set_breakpoints,
	.msi_send = lapic_msi_mt,
	.set_intr = soft_set_intr,
	.inject_nmi = soft_inject_nmi,
	.memory_changed = soft_memory_changed,
	.ram_written = soft_ram_written,
};
