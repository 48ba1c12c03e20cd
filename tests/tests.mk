# SPDX-License-Identifier: BSD-2-Clause
# cmocka programs: one per module, named test_MODULE.
TEST_LDADD = libevmm.a $(PNG_LIBS) $(CMOCKA_LIBS)
# For programs that don't say otherwise; their source is tests/.../test_MODULE.c by automake's default.
LDADD = $(TEST_LDADD)

# Layout, licences, sizes.
TESTS += tests/check-style
dist_noinst_SCRIPTS += tests/check-style
# The interpreter's stack.
TESTS += tests/check-tail-calls
dist_noinst_SCRIPTS += tests/check-tail-calls

if HAVE_CMOCKA
UNIT_TESTS =
UNIT_TESTS += tests/cpu/test_excp
UNIT_TESTS += tests/cpu/test_int_system
UNIT_TESTS += tests/cpu/test_fxstate
UNIT_TESTS += tests/cpu/test_mmu
UNIT_TESTS += tests/cpu/test_seg
UNIT_TESTS += tests/cpu/test_storm
UNIT_TESTS += tests/cpu/test_sys
UNIT_TESTS += tests/cpu/test_task
UNIT_TESTS += tests/cpu/test_translate
UNIT_TESTS += tests/unit/test_acpi
UNIT_TESTS += tests/unit/test_aio
UNIT_TESTS += tests/unit/test_block
UNIT_TESTS += tests/unit/test_block_filters
UNIT_TESTS += tests/unit/test_boot
UNIT_TESTS += tests/unit/test_boot_screen
UNIT_TESTS += tests/cpu/test_lapic
UNIT_TESTS += tests/unit/test_chardev
UNIT_TESTS += tests/unit/test_chardev_kinds
UNIT_TESTS += tests/unit/test_chardev_socket
UNIT_TESTS += tests/unit/test_clock
UNIT_TESTS += tests/unit/test_device_props
UNIT_TESTS += tests/unit/test_display
UNIT_TESTS += tests/unit/test_fdset
UNIT_TESTS += tests/unit/test_loop
UNIT_TESTS += tests/unit/test_machine
UNIT_TESTS += tests/unit/test_memory
UNIT_TESTS += tests/unit/test_mptable
UNIT_TESTS += tests/unit/test_options
UNIT_TESTS += tests/unit/test_smbios
UNIT_TESTS += tests/unit/test_region_stream
UNIT_TESTS += tests/unit/test_sandbox
UNIT_TESTS += tests/unit/test_secret
UNIT_TESTS += tests/unit/test_state
UNIT_TESTS += tests/unit/test_spin
UNIT_TESTS += tests/unit/test_uring
UNIT_TESTS += tests/unit/test_vcpu_stress
UNIT_TESTS += tests/unit/test_worker
UNIT_TESTS += tests/unit/test_crash
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

# Accelerators through accel_ops; what is not here is skipped.
ACCEL_TESTS =
ACCEL_TESTS += tests/accel/test_apic
ACCEL_TESTS += tests/accel/test_chips
ACCEL_TESTS += tests/accel/test_debug
ACCEL_TESTS += tests/accel/test_dirty_log
ACCEL_TESTS += tests/accel/test_exits
check_PROGRAMS += $(ACCEL_TESTS)
TESTS += $(ACCEL_TESTS)

ACCEL_BOX = tests/accel/box.c tests/accel/box.h
tests_accel_test_apic_SOURCES = tests/accel/test_apic.c $(ACCEL_BOX)
tests_accel_test_chips_SOURCES = tests/accel/test_chips.c $(ACCEL_BOX)
tests_accel_test_debug_SOURCES = tests/accel/test_debug.c $(ACCEL_BOX)
tests_accel_test_exits_SOURCES = tests/accel/test_exits.c $(ACCEL_BOX)
tests_accel_test_exits_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=vcpu_post_write
tests_accel_test_dirty_log_SOURCES = tests/accel/test_dirty_log.c $(ACCEL_BOX)

MONITOR_TESTS =
MONITOR_TESTS += tests/monitor/test_commands
MONITOR_TESTS += tests/monitor/test_gdbstub
MONITOR_TESTS += tests/monitor/test_hmp
MONITOR_TESTS += tests/monitor/test_json_stream
MONITOR_TESTS += tests/monitor/test_block
MONITOR_TESTS += tests/monitor/test_devices
MONITOR_TESTS += tests/monitor/test_manager
MONITOR_TESTS += tests/monitor/test_memory
MONITOR_TESTS += tests/monitor/test_qmp
MONITOR_TESTS += tests/monitor/test_qtest
MONITOR_TESTS += tests/monitor/test_text_fuzz
check_PROGRAMS += $(MONITOR_TESTS)
TESTS += $(MONITOR_TESTS)
MONITOR_KIT = tests/monitor/kit.c tests/monitor/kit.h
GDB_PEER = tests/monitor/gdb_peer.c tests/monitor/gdb_peer.h $(ACCEL_BOX)
tests_monitor_test_gdbstub_SOURCES = tests/monitor/test_gdbstub.c $(GDB_PEER)
tests_monitor_test_text_fuzz_SOURCES = tests/monitor/test_text_fuzz.c tests/device/kit.c tests/device/kit.h $(GDB_PEER)
tests_monitor_test_qtest_SOURCES = tests/monitor/test_qtest.c tests/device/kit.c tests/device/kit.h
tests_monitor_test_commands_SOURCES = tests/monitor/test_commands.c $(MONITOR_KIT)
tests_monitor_test_block_SOURCES = tests/monitor/test_block.c $(MONITOR_KIT)
tests_monitor_test_hmp_SOURCES = tests/monitor/test_hmp.c $(MONITOR_KIT)
tests_monitor_test_devices_SOURCES = tests/monitor/test_devices.c $(MONITOR_KIT)
tests_monitor_test_manager_SOURCES = tests/monitor/test_manager.c $(MONITOR_KIT)
tests_monitor_test_memory_SOURCES = tests/monitor/test_memory.c $(MONITOR_KIT)
tests_monitor_test_qmp_SOURCES = tests/monitor/test_qmp.c $(MONITOR_KIT)
CHARDEV_KIT = tests/unit/chardev_kit.c tests/unit/chardev_kit.h
tests_unit_test_chardev_kinds_SOURCES = tests/unit/test_chardev_kinds.c $(CHARDEV_KIT)
tests_unit_test_chardev_socket_SOURCES = tests/unit/test_chardev_socket.c $(CHARDEV_KIT)
AIO_KIT = tests/unit/aio_kit.c tests/unit/aio_kit.h
tests_unit_test_aio_SOURCES = tests/unit/test_aio.c $(AIO_KIT)
tests_unit_test_uring_SOURCES = tests/unit/test_uring.c $(AIO_KIT)
BOOT_ACCEL = tests/unit/boot_accel.c tests/unit/boot_accel.h
tests_unit_test_boot_SOURCES = tests/unit/test_boot.c $(BOOT_ACCEL)
BLOCK_KIT = tests/unit/block_kit.c tests/unit/block_kit.h
tests_unit_test_block_SOURCES = tests/unit/test_block.c $(BLOCK_KIT)
tests_unit_test_block_filters_SOURCES = tests/unit/test_block_filters.c $(BLOCK_KIT)

DEVICE_TESTS =
DEVICE_TESTS += tests/device/test_acpi_pm
DEVICE_TESTS += tests/device/test_ahci
DEVICE_TESTS += tests/device/test_all
DEVICE_TESTS += tests/device/test_ata
DEVICE_TESTS += tests/device/test_atapi
DEVICE_TESTS += tests/device/test_bootorder
DEVICE_TESTS += tests/device/test_debugcon
DEVICE_TESTS += tests/device/test_debugexit
DEVICE_TESTS += tests/device/test_fdc
DEVICE_TESTS += tests/device/test_firmware_kernel
DEVICE_TESTS += tests/device/test_fw_cfg
DEVICE_TESTS += tests/device/test_hpet
DEVICE_TESTS += tests/device/test_i8042
DEVICE_TESTS += tests/device/test_i8254
DEVICE_TESTS += tests/device/test_i8257
DEVICE_TESTS += tests/device/test_i8259
DEVICE_TESTS += tests/device/test_ide_stream
DEVICE_TESTS += tests/device/test_ioapic
DEVICE_TESTS += tests/device/test_mc146818
DEVICE_TESTS += tests/device/test_pam
DEVICE_TESTS += tests/device/test_parallel
DEVICE_TESTS += tests/device/test_pci
DEVICE_TESTS += tests/device/test_pci_core
DEVICE_TESTS += tests/device/test_pcie_port
DEVICE_TESTS += tests/device/test_pflash_cfi01
DEVICE_TESTS += tests/device/test_port92
DEVICE_TESTS += tests/device/test_ps2_keyboard
DEVICE_TESTS += tests/device/test_ps2_mouse
DEVICE_TESTS += tests/device/test_pvpanic
DEVICE_TESTS += tests/device/test_watchdog
DEVICE_TESTS += tests/device/test_q35
DEVICE_TESTS += tests/device/test_virtio_balloon
DEVICE_TESTS += tests/device/test_virtio_blk
DEVICE_TESTS += tests/device/test_virtio_scsi
DEVICE_TESTS += tests/device/test_virtio_serial
DEVICE_TESTS += tests/device/test_virtqueue
DEVICE_TESTS += tests/device/test_virtio_pci
DEVICE_TESTS += tests/device/test_virtio_rings
DEVICE_TESTS += tests/device/test_virtio_rng
DEVICE_TESTS += tests/device/test_ramfb
DEVICE_TESTS += tests/device/test_reset_control
DEVICE_TESTS += tests/device/test_serial
DEVICE_TESTS += tests/device/test_suspend
DEVICE_TESTS += tests/device/test_testdev
DEVICE_TESTS += tests/device/test_vga
DEVICE_TESTS += tests/device/test_vmgenid
DEVICE_TESTS += tests/device/test_vga_draw
check_PROGRAMS += $(DEVICE_TESTS)
TESTS += $(DEVICE_TESTS)

DEVICE_KIT = tests/device/kit.c tests/device/kit.h
ALL_KIT = tests/device/all_kit.c tests/device/all_kit.h $(DEVICE_KIT)
tests_device_test_acpi_pm_SOURCES = tests/device/test_acpi_pm.c $(DEVICE_KIT)
tests_device_test_all_SOURCES = tests/device/test_all.c $(ALL_KIT)
tests_unit_test_smbios_SOURCES = tests/unit/test_smbios.c $(DEVICE_KIT)
DISK_KIT = tests/device/disk_kit.c tests/device/disk_kit.h $(DEVICE_KIT)
tests_device_test_ahci_SOURCES = tests/device/test_ahci.c $(DISK_KIT)
tests_device_test_ide_stream_SOURCES = tests/device/test_ide_stream.c $(DISK_KIT)
tests_device_test_ata_SOURCES = tests/device/test_ata.c $(DISK_KIT)
tests_device_test_atapi_SOURCES = tests/device/test_atapi.c $(DISK_KIT)
tests_device_test_bootorder_SOURCES = tests/device/test_bootorder.c $(DEVICE_KIT)
tests_device_test_debugcon_SOURCES = tests/device/test_debugcon.c $(DEVICE_KIT)
tests_device_test_debugexit_SOURCES = tests/device/test_debugexit.c $(DEVICE_KIT)
tests_device_test_fdc_SOURCES = tests/device/test_fdc.c $(DISK_KIT)
tests_device_test_firmware_kernel_SOURCES = tests/device/test_firmware_kernel.c $(DEVICE_KIT)
tests_device_test_fw_cfg_SOURCES = tests/device/test_fw_cfg.c $(DEVICE_KIT)
tests_device_test_hpet_SOURCES = tests/device/test_hpet.c $(DEVICE_KIT)
tests_device_test_i8042_SOURCES = tests/device/test_i8042.c $(DEVICE_KIT)
tests_device_test_i8254_SOURCES = tests/device/test_i8254.c $(DEVICE_KIT)
tests_device_test_i8257_SOURCES = tests/device/test_i8257.c $(DEVICE_KIT)
tests_device_test_i8259_SOURCES = tests/device/test_i8259.c $(DEVICE_KIT)
tests_device_test_ioapic_SOURCES = tests/device/test_ioapic.c $(DEVICE_KIT)
tests_device_test_mc146818_SOURCES = tests/device/test_mc146818.c $(DEVICE_KIT)
tests_device_test_pam_SOURCES = tests/device/test_pam.c $(DEVICE_KIT)
tests_device_test_parallel_SOURCES = tests/device/test_parallel.c $(DEVICE_KIT)
tests_device_test_pci_SOURCES = tests/device/test_pci.c $(DEVICE_KIT)
tests_device_test_pcie_port_SOURCES = tests/device/test_pcie_port.c $(DEVICE_KIT)
tests_device_test_pflash_cfi01_SOURCES = tests/device/test_pflash_cfi01.c $(DISK_KIT)
tests_device_test_pci_core_SOURCES = tests/device/test_pci_core.c $(DEVICE_KIT)
tests_device_test_port92_SOURCES = tests/device/test_port92.c $(DEVICE_KIT)
tests_device_test_ps2_keyboard_SOURCES = tests/device/test_ps2_keyboard.c $(DEVICE_KIT)
tests_device_test_ps2_mouse_SOURCES = tests/device/test_ps2_mouse.c $(DEVICE_KIT)
tests_device_test_pvpanic_SOURCES = tests/device/test_pvpanic.c $(DEVICE_KIT)
tests_device_test_watchdog_SOURCES = tests/device/test_watchdog.c $(DEVICE_KIT)
tests_device_test_q35_SOURCES = tests/device/test_q35.c $(DEVICE_KIT)
VIRTIO_KIT = tests/device/virtio_kit.c tests/device/virtio_kit.h $(DEVICE_KIT)
tests_device_test_virtio_balloon_SOURCES = tests/device/test_virtio_balloon.c $(VIRTIO_KIT)
tests_device_test_virtio_blk_SOURCES = tests/device/test_virtio_blk.c $(VIRTIO_KIT)
tests_device_test_virtio_scsi_SOURCES = tests/device/test_virtio_scsi.c $(VIRTIO_KIT)
tests_device_test_virtio_serial_SOURCES = tests/device/test_virtio_serial.c $(VIRTIO_KIT)
tests_device_test_virtqueue_SOURCES = tests/device/test_virtqueue.c $(VIRTIO_KIT)
tests_device_test_virtio_pci_SOURCES = tests/device/test_virtio_pci.c $(DEVICE_KIT)
tests_device_test_virtio_rings_SOURCES = tests/device/test_virtio_rings.c $(VIRTIO_KIT)
tests_device_test_virtio_rng_SOURCES = tests/device/test_virtio_rng.c $(VIRTIO_KIT)
tests_device_test_ramfb_SOURCES = tests/device/test_ramfb.c $(DEVICE_KIT)
tests_device_test_reset_control_SOURCES = tests/device/test_reset_control.c $(DEVICE_KIT)
tests_device_test_serial_SOURCES = tests/device/test_serial.c $(DEVICE_KIT)
tests_device_test_suspend_SOURCES = tests/device/test_suspend.c $(DEVICE_KIT)
tests_device_test_vmgenid_SOURCES = tests/device/test_vmgenid.c $(DEVICE_KIT)
tests_device_test_testdev_SOURCES = tests/device/test_testdev.c $(DEVICE_KIT)
VGA_KIT = tests/device/vga_kit.c tests/device/vga_kit.h $(DEVICE_KIT)
tests_device_test_vga_SOURCES = tests/device/test_vga.c $(VGA_KIT)
tests_device_test_vga_draw_SOURCES = tests/device/test_vga_draw.c $(VGA_KIT)
# Strangers' bytes: tests/fuzz/fuzz.h.
FUZZ_TARGETS =
FUZZ_TARGETS += tests/fuzz/fuzz_block
FUZZ_TARGETS += tests/fuzz/fuzz_devices
FUZZ_TARGETS += tests/fuzz/fuzz_kernel
FUZZ_TARGETS += tests/fuzz/fuzz_qmp
FUZZ_TARGETS += tests/fuzz/fuzz_virtio
FUZZ_KIT = tests/fuzz/fuzz.h
if FUZZERS
EXTRA_PROGRAMS += $(FUZZ_TARGETS)
else
FUZZ_KIT += tests/fuzz/driver.c
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += $(FUZZ_TARGETS)
endif
tests_fuzz_fuzz_block_LDADD = $(TEST_LDADD) $(FUZZER_LIBS)
tests_fuzz_fuzz_block_SOURCES = tests/fuzz/fuzz_block.c $(FUZZ_KIT) $(BLOCK_KIT)
tests_fuzz_fuzz_devices_LDADD = $(TEST_LDADD) $(FUZZER_LIBS)
tests_fuzz_fuzz_devices_SOURCES = tests/fuzz/fuzz_devices.c $(FUZZ_KIT) $(ALL_KIT)
tests_fuzz_fuzz_kernel_LDADD = $(TEST_LDADD) $(FUZZER_LIBS)
tests_fuzz_fuzz_kernel_SOURCES = tests/fuzz/fuzz_kernel.c $(FUZZ_KIT) $(BOOT_ACCEL)
tests_fuzz_fuzz_qmp_LDADD = $(TEST_LDADD) $(FUZZER_LIBS)
tests_fuzz_fuzz_qmp_SOURCES = tests/fuzz/fuzz_qmp.c $(FUZZ_KIT) $(MONITOR_KIT)
tests_fuzz_fuzz_virtio_LDADD = $(TEST_LDADD) $(FUZZER_LIBS)
tests_fuzz_fuzz_virtio_SOURCES = tests/fuzz/fuzz_virtio.c $(FUZZ_KIT) $(VIRTIO_KIT)

# Each target for so long, from what earlier runs have found (fuzz/TARGET in the build folder). Needs --enable-fuzzers.
FUZZ_SECONDS = 60
fuzz: $(FUZZ_TARGETS)
	@for t in $(FUZZ_TARGETS); do n=$${t##*/}; words=$(srcdir)/$$t.dict; $(MKDIR_P) fuzz/$$n; echo "== $$n"; \
		./$$t -max_total_time=$(FUZZ_SECONDS) -timeout=20 -close_fd_mask=1 -artifact_prefix=fuzz/$$n- \
			$$(test ! -f $$words || echo -dict=$$words) fuzz/$$n || exit 1; done
EXTRA_DIST += tests/fuzz/fuzz_qmp.dict

# What a redraw costs.
EXTRA_PROGRAMS += tests/bench/redraw
tests_bench_redraw_SOURCES = tests/bench/redraw.c $(VGA_KIT)
# The limit that tests/bench/exits measures against.
EXTRA_PROGRAMS += tests/bench/exits_bare
tests_bench_exits_bare_SOURCES = tests/bench/exits_bare.c
tests_bench_exits_bare_LDADD = -lpthread
endif

# The software CPU against the host's processor, instruction by instruction (tests/cpu/hostcmp.h). For long: test_int -n 30000000.
HOSTCMP = tests/cpu/hostcmp.c tests/cpu/hostcmp.h tests/cpu/hostcmp_form.c tests/cpu/hostcmp_guest.c tests/cpu/hostcmp_host.c
HOST_TESTS =
HOST_TESTS += tests/cpu/test_int
tests_cpu_test_int_SOURCES = tests/cpu/test_int.c $(HOSTCMP)
HOST_TESTS += tests/cpu/test_fpu
tests_cpu_test_fpu_SOURCES = tests/cpu/test_fpu.c tests/cpu/fx_inputs.c tests/cpu/fx_inputs.h $(HOSTCMP)
HOST_TESTS += tests/cpu/test_sse
tests_cpu_test_sse_SOURCES = tests/cpu/test_sse.c tests/cpu/fx_inputs.c tests/cpu/fx_inputs.h $(HOSTCMP)
check_PROGRAMS += $(HOST_TESTS)
TESTS += $(HOST_TESTS)

# Freestanding guests, see tests/guest/guest.h.
GUESTS = endless garbage hammer hello nowhere triple
GUEST_IMAGES = $(GUESTS:%=tests/guest/%.elf)
EXTRA_DIST += $(GUESTS:%=tests/guest/%.S) tests/guest/guest.h
EXTRA_DIST += tests/cpu/box.h
CLEANFILES += $(GUEST_IMAGES)

$(GUEST_IMAGES): tests/guest/%.elf: tests/guest/%.S tests/guest/guest.h
	@$(MKDIR_P) tests/guest
	$(AM_V_GEN)$(CC) -m32 -nostdlib -static -no-pie -Wl,-Ttext=0x100000,-N,--build-id=none,--no-warn-rwx-segments -o $@ $<

# Guests with more to them, as kernels and as firmware: tests/guest/kit.h.
KIT_GUESTS = dirty disk ends idle irq mmio ports reset rom_writes smp strings suspend timers
KIT_FILES = tests/guest/kit.h tests/guest/kit.S tests/guest/kit.ld tests/guest/rom.S
KIT_ELFS = $(KIT_GUESTS:%=tests/guest/%.elf)
KIT_ROMS = $(KIT_GUESTS:%=tests/guest/%.rom)
KIT_IMAGES = $(KIT_ELFS) $(KIT_ROMS)
EXTRA_DIST += $(KIT_GUESTS:%=tests/guest/%.S) $(KIT_FILES)
EXTRA_DIST += tests/guest/coalesced.expect tests/guest/dirty.expect tests/guest/irq.expect tests/guest/irqfd.expect tests/guest/mmio.expect tests/guest/ports.expect tests/guest/reset.expect
EXTRA_DIST += tests/guest/rom_writes.expect tests/guest/smp.expect tests/guest/strings.expect tests/guest/suspend.expect tests/guest/timers.expect
CLEANFILES += $(KIT_IMAGES) $(KIT_GUESTS:%=tests/guest/%.flat) $(KIT_GUESTS:%=tests/guest/%.rom.o)
OBJCOPY = objcopy
KIT_LINK = -m32 -nostdlib -static -no-pie -Wl,-T,$(srcdir)/tests/guest/kit.ld,-N,--build-id=none,--no-warn-rwx-segments

$(KIT_ELFS): tests/guest/%.elf: tests/guest/%.S $(KIT_FILES)
	@$(MKDIR_P) tests/guest
	$(AM_V_GEN)$(CC) $(KIT_LINK) -o $@ $(srcdir)/tests/guest/kit.S $<

# Ring 3 of tests/guest/disk.S, in 64-bit mode.
EXTRA_DIST += tests/guest/disk_user.c tests/guest/user.ld
CLEANFILES += tests/guest/disk_user.elf tests/guest/disk_user.flat
USER_FLAGS = -m64 -O2 -Wall -Wextra -ffreestanding -fno-stack-protector -fcf-protection=none -fno-pic -fno-asynchronous-unwind-tables
USER_FLAGS += -mno-red-zone -mgeneral-regs-only -nostdlib -static -no-pie -Wl,-T,$(srcdir)/tests/guest/user.ld,--build-id=none,-N,--no-warn-rwx-segments
tests/guest/disk_user.flat: tests/guest/disk_user.c tests/guest/user.ld
	@$(MKDIR_P) tests/guest
	$(AM_V_GEN)$(CC) $(USER_FLAGS) -o $(@:.flat=.elf) $< && $(OBJCOPY) -O binary -R .bss $(@:.flat=.elf) $@
tests/guest/disk.elf: tests/guest/disk_user.flat

$(KIT_ROMS): tests/guest/%.rom: tests/guest/%.elf tests/guest/rom.S
	$(AM_V_GEN)$(OBJCOPY) -O binary -R .bss -R .note.pvh $< $(@:.rom=.flat) && \
	$(CC) -m32 -c -DPAYLOAD='"$(@:.rom=.flat)"' -o $@.o $(srcdir)/tests/guest/rom.S && \
	$(OBJCOPY) -O binary -j .text $@.o $@

# Guests in C that run in ring 3 of long mode: tests/guest/kit64.h.
KIT64_GUESTS = coalesced exits flood irqfd
KIT64_FILES = tests/guest/kit64.h tests/guest/kit64.S tests/guest/kit.ld tests/guest/exits.h
KIT64_ELFS = $(KIT64_GUESTS:%=tests/guest/%.elf)
KIT64_LINK = -m64 -O2 -Wall -Wextra -Wno-unused-parameter -std=gnu11 -ffreestanding -fno-stack-protector -fno-pic -mcmodel=small \
	-fno-asynchronous-unwind-tables -fcf-protection=none -mno-red-zone -nostdlib -static -no-pie \
	-Wl,-T,$(srcdir)/tests/guest/kit.ld,-N,--build-id=none,-z,noexecstack,--no-warn-rwx-segments
EXTRA_DIST += $(KIT64_GUESTS:%=tests/guest/%.c) $(KIT64_FILES)
CLEANFILES += $(KIT64_ELFS)

$(KIT64_ELFS): tests/guest/%.elf: tests/guest/%.c $(KIT64_FILES)
	@$(MKDIR_P) tests/guest
	$(AM_V_GEN)$(CC) $(KIT64_LINK) -o $@ $(srcdir)/tests/guest/kit64.S $<

# Floating-point loads that tests/bench/boot runs in the guest: static, for any x86-64.
EXTRA_DIST += tests/bench/float.c
CLEANFILES += tests/bench/float
tests/bench/float: tests/bench/float.c
	@$(MKDIR_P) tests/bench
	$(AM_V_GEN)$(CC) -O2 -static -o $@ $< -lm

# A worse /dev/kvm than the host's, for tests/boot/systems_kvm.py.
EXTRA_DIST += tests/accel/kvm_lacks.c
CLEANFILES += tests/accel/kvm_lacks.so
tests/accel/kvm_lacks.so: tests/accel/kvm_lacks.c
	@$(MKDIR_P) tests/accel
	$(AM_V_GEN)$(CC) -std=gnu11 -O1 -Wall -Wextra -fPIC -shared -o $@ $< -ldl

# What tests/boot/systems_block.py, systems_cuts.py and tests/bench/disk have a guest do with a disk.
EXTRA_DIST += tests/bench/diskwork.c tests/boot/fswork.c

# Slow tests on real systems: make check-systems [SYSTEMS=PATTERN...]
.PHONY: check-systems fuzz
check-systems: evmm $(GUEST_IMAGES) $(KIT_IMAGES) $(KIT64_ELFS) tests/accel/kvm_lacks.so
	EVMM=$(abs_builddir)/evmm GUESTS=$(abs_builddir)/tests/guest $(srcdir)/tests/boot/run-systems $(SYSTEMS)
