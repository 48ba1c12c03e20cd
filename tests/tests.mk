# SPDX-License-Identifier: BSD-2-Clause
# cmocka programs: one per module, named test_MODULE.
TEST_LDADD = libevmm.a $(CMOCKA_LIBS)

# Slow tests on real systems.
SYSTEMS_TESTS =

if HAVE_CMOCKA
UNIT_TESTS =
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

.PHONY: check-systems
check-systems: evmm
	EVMM=$(abs_builddir)/evmm $(srcdir)/tests/boot/run-systems
