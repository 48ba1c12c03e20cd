/* SPDX-License-Identifier: BSD-2-Clause */
/* Lazy arithmetic flags, the parts that are too long to be inline. */
#include "src/cpu/flags.h"

/* One case per kind, so that size and class are constants in each. */
#define EACH_SIZE(cls, X) X(cls) X((cls) + 1) X((cls) + 2) X((cls) + 3)
#define EACH_OP(X)             \
	X(CC_EFLAGS)           \
	EACH_SIZE(CC_ADD, X)   \
	EACH_SIZE(CC_ADC, X)   \
	EACH_SIZE(CC_SUB, X)   \
	EACH_SIZE(CC_SBB, X)   \
	EACH_SIZE(CC_LOGIC, X) \
	EACH_SIZE(CC_INC, X)   \
	EACH_SIZE(CC_DEC, X)   \
	EACH_SIZE(CC_SHL, X)   \
	EACH_SIZE(CC_SHR, X)   \
	EACH_SIZE(CC_MUL, X)   \
	EACH_SIZE(CC_SZP, X)

uint32_t cc_compute(const struct cpu *c)
{
	unsigned op = c->cc_op;
	uint32_t fl;

	if (op == CC_EFLAGS)
		return c->cc_src & FL_ARITH;
	fl = cc_cf_op(c, op) ? FL_CF : 0;
	fl |= cc_pf_op(c, op) ? FL_PF : 0;
	fl |= cc_af_op(c, op) ? FL_AF : 0;
	fl |= cc_zf_op(c, op) ? FL_ZF : 0;
	fl |= cc_sf_op(c, op) ? FL_SF : 0;
	fl |= cc_of_op(c, op) ? FL_OF : 0;
	return fl;
}

#define CASE(op) \
	case op: \
		return cc_test_op(c, op, cond);

static bool test_of(const struct cpu *c)
{
	return cc_of_op(c, c->cc_op);
}

static bool test_l(const struct cpu *c)
{
	const unsigned cond = COND_L;

	switch (c->cc_op) {
		EACH_OP(CASE)
	}
	return false;
}

static bool test_le(const struct cpu *c)
{
	const unsigned cond = COND_LE;

	switch (c->cc_op) {
		EACH_OP(CASE)
	}
	return false;
}

static bool test_be(const struct cpu *c)
{
	const unsigned cond = COND_BE;

	switch (c->cc_op) {
		EACH_OP(CASE)
	}
	return false;
}

bool cc_test(const struct cpu *c, unsigned cond)
{
	bool yes;

	switch (cond >> 1) {
	case COND_O >> 1:
		yes = test_of(c);
		break;
	case COND_B >> 1:
		yes = cc_cf(c);
		break;
	case COND_Z >> 1:
		yes = cc_zf_op(c, c->cc_op);
		break;
	case COND_BE >> 1:
		yes = test_be(c);
		break;
	case COND_S >> 1:
		yes = cc_sf_op(c, c->cc_op);
		break;
	case COND_P >> 1:
		yes = cc_pf_op(c, c->cc_op);
		break;
	case COND_L >> 1:
		yes = test_l(c);
		break;
	default:
		yes = test_le(c);
		break;
	}
	return yes != (cond & 1);
}
