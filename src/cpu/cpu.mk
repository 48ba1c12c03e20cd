# SPDX-License-Identifier: BSD-2-Clause
libevmm_a_SOURCES += src/cpu/flags.c
libevmm_a_SOURCES += src/cpu/hostfeat.c
