# SPDX-License-Identifier: BSD-2-Clause
# cmocka programs: one per module, named test_MODULE.
TEST_LDADD = libevmm.a $(CMOCKA_LIBS)
# For programs that don't say otherwise; their source is tests/.../test_MODULE.c by automake's default.
LDADD = $(TEST_LDADD)

if HAVE_CMOCKA
UNIT_TESTS =
UNIT_TESTS += tests/unit/test_acpi
UNIT_TESTS += tests/unit/test_boot
UNIT_TESTS += tests/cpu/test_lapic
UNIT_TESTS += tests/unit/test_chardev
UNIT_TESTS += tests/unit/test_clock
UNIT_TESTS += tests/unit/test_device_props
UNIT_TESTS += tests/unit/test_loop
UNIT_TESTS += tests/unit/test_monitor
UNIT_TESTS += tests/unit/test_machine
UNIT_TESTS += tests/unit/test_memory
UNIT_TESTS += tests/unit/test_options
UNIT_TESTS += tests/unit/test_state
UNIT_TESTS += tests/unit/test_vcpu_stress
UNIT_TESTS += tests/unit/test_worker
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif

# Freestanding guests, see tests/guest/guest.h.
GUESTS = garbage hammer hello nowhere triple
GUEST_IMAGES = $(GUESTS:%=tests/guest/%.elf)
EXTRA_DIST += $(GUESTS:%=tests/guest/%.S) tests/guest/guest.h
CLEANFILES += $(GUEST_IMAGES)

$(GUEST_IMAGES): tests/guest/%.elf: tests/guest/%.S tests/guest/guest.h
	@$(MKDIR_P) tests/guest
	$(AM_V_GEN)$(CC) -m32 -nostdlib -static -no-pie -Wl,-Ttext=0x100000,-N,--build-id=none,--no-warn-rwx-segments -o $@ $<

# Slow tests on real systems: make check-systems [SYSTEMS=PATTERN...]
.PHONY: check-systems
check-systems: evmm $(GUEST_IMAGES)
	EVMM=$(abs_builddir)/evmm GUESTS=$(abs_builddir)/tests/guest $(srcdir)/tests/boot/run-systems $(SYSTEMS)
