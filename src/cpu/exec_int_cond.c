/* SPDX-License-Identifier: BSD-2-Clause */
/* SETcc and CMOVcc, by condition, and by what is known to have set the flags. */
#include "src/cpu/exec_int.h"

#define EACH_COND(X, name, TEST)      \
	X(name##_o, TEST(COND_O))     \
	X(name##_no, TEST(COND_NO))   \
	X(name##_b, TEST(COND_B))     \
	X(name##_nb, TEST(COND_NB))   \
	X(name##_z, TEST(COND_Z))     \
	X(name##_nz, TEST(COND_NZ))   \
	X(name##_be, TEST(COND_BE))   \
	X(name##_nbe, TEST(COND_NBE)) \
	X(name##_s, TEST(COND_S))     \
	X(name##_ns, TEST(COND_NS))   \
	X(name##_p, TEST(COND_P))     \
	X(name##_np, TEST(COND_NP))   \
	X(name##_l, TEST(COND_L))     \
	X(name##_nl, TEST(COND_NL))   \
	X(name##_le, TEST(COND_LE))   \
	X(name##_nle, TEST(COND_NLE))

#define TEST_ANY(cond)	   cc_test(c, cond)
#define TEST_SUB8(cond)	   cc_test_op(c, CC_SUB + LOG2_8, cond)
#define TEST_SUB16(cond)   cc_test_op(c, CC_SUB + LOG2_16, cond)
#define TEST_SUB32(cond)   cc_test_op(c, CC_SUB + LOG2_32, cond)
#define TEST_SUB64(cond)   cc_test_op(c, CC_SUB + LOG2_64, cond)
#define TEST_LOGIC8(cond)  cc_test_op(c, CC_LOGIC + LOG2_8, cond)
#define TEST_LOGIC16(cond) cc_test_op(c, CC_LOGIC + LOG2_16, cond)
#define TEST_LOGIC32(cond) cc_test_op(c, CC_LOGIC + LOG2_32, cond)
#define TEST_LOGIC64(cond) cc_test_op(c, CC_LOGIC + LOG2_64, cond)

#define EACH_CC(X, name)                           \
	EACH_COND(X, name, TEST_ANY)               \
	EACH_COND(X, name##_sub8, TEST_SUB8)       \
	EACH_COND(X, name##_sub16, TEST_SUB16)     \
	EACH_COND(X, name##_sub32, TEST_SUB32)     \
	EACH_COND(X, name##_sub64, TEST_SUB64)     \
	EACH_COND(X, name##_logic8, TEST_LOGIC8)   \
	EACH_COND(X, name##_logic16, TEST_LOGIC16) \
	EACH_COND(X, name##_logic32, TEST_LOGIC32) \
	EACH_COND(X, name##_logic64, TEST_LOGIC64)

#define DEF_SET(name, test) DEF_HANDLER(name, SET8(u->dst, test);)
/* A 32-bit destination is zero-extended even when nothing moves. */
#define DEF_CMOV32(name, test)                                           \
	DEF_HANDLER(name, uint32_t a = GET32(u->dst), b = GET32(u->src); \
		    SET32(u->dst, (test) ? b : a);)
#define DEF_CMOV64(name, test)                                           \
	DEF_HANDLER(name, uint64_t a = GET64(u->dst), b = GET64(u->src); \
		    SET64(u->dst, (test) ? b : a);)
#define DEF_CMOV16(name, test)                                           \
	DEF_HANDLER(name, uint16_t a = GET16(u->dst), b = GET16(u->src); \
		    SET16(u->dst, (test) ? b : a);)

EACH_CC(DEF_SET, i_set)
EACH_CC(DEF_CMOV32, i_cmov32)
EACH_CC(DEF_CMOV64, i_cmov64)
EACH_COND(DEF_CMOV16, i_cmov16, TEST_ANY)
