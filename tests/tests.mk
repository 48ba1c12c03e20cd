# SPDX-License-Identifier: BSD-2-Clause
# cmocka programs: one per module, named test_MODULE.
TEST_LDADD = libevmm.a $(CMOCKA_LIBS)
# For programs that don't say otherwise; their source is tests/.../test_MODULE.c by automake's default.
LDADD = $(TEST_LDADD)

# Slow tests on real systems.
SYSTEMS_TESTS =

if HAVE_CMOCKA
UNIT_TESTS =
UNIT_TESTS += tests/unit/test_clock
UNIT_TESTS += tests/unit/test_loop
UNIT_TESTS += tests/unit/test_worker
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

.PHONY: check-systems
check-systems: evmm
	EVMM=$(abs_builddir)/evmm $(srcdir)/tests/boot/run-systems
