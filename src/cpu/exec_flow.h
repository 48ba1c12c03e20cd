/* SPDX-License-Identifier: BSD-2-Clause */
/* The step from one block to the next, for what jumps. */
#ifndef EVMM_CPU_EXEC_FLOW_H
#define EVMM_CPU_EXEC_FLOW_H

#include "src/cpu/ir.h"

static always_inline bool exit_requested(const struct cpu *c)
{
	return unlikely(__atomic_load_n(&c->exit_request, __ATOMIC_RELAXED));
}

/* Takes a direct jump that isn't linked, or not for now; or leaves instead when that is asked for. */
const struct uop *flow_link(struct cpu *c, const struct uop *u);

/* Takes the direct jump U within its page. */
static always_inline const struct uop *chain(struct cpu *c, const struct uop *u)
{
	struct block *to = (struct block *)u->imm;

	if (unlikely(!to) || exit_requested(c))
		return flow_link(c, u);
	c->block = to;
	GOTO(to->uops);
}

#endif
