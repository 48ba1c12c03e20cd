/* SPDX-License-Identifier: BSD-2-Clause */
/* Catching what functions of the software CPU raise, for tests that call them directly. */
#ifndef EVMM_TESTS_CPU_FAULT_H
#define EVMM_TESTS_CPU_FAULT_H

#include "tests/cpu/box.h"

#define NO_FAULT (-1)

/*
 * Runs STATEMENT as outside of any instruction: the vector that it raised, or NO_FAULT; the error code is in
 * c->exc_error. Variables that it sets must be volatile.
 */
#define FAULT_OF(c, statement)                       \
	({                                           \
		volatile int vector_ = NO_FAULT;     \
		(c)->cur = NULL;                     \
		if (!sigsetjmp((c)->fault_jmp, 0)) { \
			statement;                   \
		} else {                             \
			vector_ = (c)->exc_vector;   \
		}                                    \
		vector_;                             \
	})

#define assert_fault(c, vec, err, statement)                   \
	do {                                                   \
		assert_int_equal(FAULT_OF(c, statement), vec); \
		assert_int_equal((c)->exc_error, err);         \
	} while (0)

#define assert_no_fault(c, statement) assert_int_equal(FAULT_OF(c, statement), NO_FAULT)

#endif
