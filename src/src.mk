# SPDX-License-Identifier: BSD-2-Clause
libevmm_a_SOURCES += src/device.c
libevmm_a_SOURCES += src/error.c
libevmm_a_SOURCES += src/log.c
libevmm_a_SOURCES += src/memory.c
libevmm_a_SOURCES += src/state.c
libevmm_a_SOURCES += src/util.c
