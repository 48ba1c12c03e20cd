# SPDX-License-Identifier: BSD-2-Clause
libevmm_a_SOURCES += src/boot/acpi.c
libevmm_a_SOURCES += src/boot/aml.c
libevmm_a_SOURCES += src/boot/boot.c
libevmm_a_SOURCES += src/boot/elf.c
libevmm_a_SOURCES += src/boot/linux.c
libevmm_a_SOURCES += src/boot/multiboot.c
libevmm_a_SOURCES += src/boot/pvh.c
