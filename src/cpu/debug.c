/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A debugger's steps, breakpoints and watchpoints on the software CPU (accel_ops.set_guest_debug). They use what the
 * processor's own debug registers and TF use, up to the point where the exception would be raised: there they leave guest code.
 */
#include <stdlib.h>
#include "src/cpu/block.h"
#include "src/cpu/mmu.h"
#include "src/cpu/soft.h"
#include "src/machine.h"
#include "src/cpu/sys.h"

#define DR6_BS BIT(14)

void cpu_debug_stop(struct cpu *c, enum debug_reason reason, uint64_t addr)
{
	cpu_sync_rip(c);
	c->debug_met = (struct debug_stop){.vcpu = c->vcpu, .reason = reason, .addr = addr};
	siglongjmp(c->fault_jmp, EXEC_RESTART);
}

static void stop_at_hit(struct cpu *c, unsigned n)
{
	if (c->debug.hw[n].kind == DEBUG_ON_EXEC)
		cpu_debug_stop(c, DEBUG_HW_BREAK, c->debug.hw[n].addr);
	c->debug_met = (struct debug_stop){.vcpu = c->vcpu,
					   .reason = DEBUG_WATCH,
					   .addr = c->debug.hw[n].addr,
					   .kind = c->debug.hw[n].kind};
	siglongjmp(c->fault_jmp, EXEC_RESTART);
}

void cpu_debug_db(struct cpu *c, uint64_t dr6_bits)
{
	for (unsigned n = 0; n < c->debug.n_hw; n++)
		if (dr6_bits & BIT(n))
			stop_at_hit(c, n);
	if (c->debug.step && (dr6_bits & DR6_BS))
		cpu_debug_stop(c, DEBUG_STEP, c->regs[R_CSBASE] + c->rip);
}

/* DR7: enabled for all tasks, R/W and LEN of breakpoint n. */
static uint64_t dr7_of(unsigned n, enum debug_kind kind, unsigned len)
{
	static const uint8_t len_code[9] = {[1] = 0, [2] = 1, [4] = 3, [8] = 2};
	unsigned rw = kind == DEBUG_ON_WRITE ? 1 : kind == DEBUG_ON_ACCESS ? 3 : 0;

	return 2ull << (2 * n) | (uint64_t)(rw | (rw ? len_code[len] << 2 : 0)) << (16 + 4 * n);
}

bool cpu_set_guest_debug(struct cpu *c, const struct guest_debug *debug, struct error *err)
{
	uint64_t dr[8] = {0};

	if (debug->n_hw > DEBUG_HW_MAX)
		return error_set(err, "a processor has %u hardware breakpoints", DEBUG_HW_MAX);
	for (unsigned n = 0; n < debug->n_hw; n++) {
		unsigned len = debug->hw[n].len;

		if (len != 1 && len != 2 && len != 4 && len != 8)
			return error_set(err, "a watchpoint covers 1, 2, 4 or 8 bytes, not %u",
					 len);
		if (debug->hw[n].addr & (len - 1))
			return error_set(err, "a watchpoint of %u bytes at an odd address", len);
		dr[n] = debug->hw[n].addr;
		dr[7] |= dr7_of(n, debug->hw[n].kind, len);
	}
	c->debug = *debug;
	memcpy(c->debug_dr, dr, sizeof(dr));
	c->db_pending = 0;
	cpu_mode_changed(c);
	return true;
}

/* ---- breakpoints, which are part of the translated code ---- */

static int by_address(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

bool cpu_has_breakpoint(const struct cpu *c, uint64_t lin)
{
	const struct soft *soft = c->machine ? c->machine->accel_state : NULL;

	return soft && soft->n_breakpoints &&
	       bsearch(&lin, soft->breakpoints, soft->n_breakpoints, sizeof(lin), by_address);
}

void cpu_set_breakpoints(struct machine *m, const uint64_t *addrs, unsigned n)
{
	struct soft *soft = m->accel_state;
	uint64_t *sorted = n ? xmalloc(n * sizeof(*sorted)) : NULL;

	if (n) {
		memcpy(sorted, addrs, n * sizeof(*sorted));
		qsort(sorted, n, sizeof(*sorted), by_address);
	}
	if (n == soft->n_breakpoints &&
	    (!n || !memcmp(sorted, soft->breakpoints, n * sizeof(*sorted)))) {
		free(sorted);
		return;
	}
	free(soft->breakpoints);
	soft->breakpoints = sorted;
	soft->n_breakpoints = n;
	for (unsigned i = 0; i < m->n_vcpus; i++)
		block_flush_all(m->vcpus[i]->accel);
}

const struct uop *op_debug_break(struct cpu *c, const struct uop *u)
{
	uint64_t lin;

	c->cur = u;
	cpu_sync_rip(c);
	lin = c->regs[R_CSBASE] + c->rip;
	cpu_debug_stop(c, DEBUG_SW_BREAK, c->mode & MODE_CODE64 ? lin : (uint32_t)lin);
}
