# SPDX-License-Identifier: BSD-2-Clause
libevmm_a_SOURCES += devices/char/serial.c
libevmm_a_SOURCES += devices/chipset/i8254.c
libevmm_a_SOURCES += devices/chipset/i8259.c
libevmm_a_SOURCES += devices/chipset/ioapic.c
libevmm_a_SOURCES += devices/chipset/mc146818.c
libevmm_a_SOURCES += devices/isa.c
libevmm_a_SOURCES += devices/registry.c
