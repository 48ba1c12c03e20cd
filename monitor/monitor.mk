# SPDX-License-Identifier: BSD-2-Clause
libevmm_a_SOURCES += monitor/hmp.c
libevmm_a_SOURCES += monitor/hmp_expr.c
libevmm_a_SOURCES += monitor/hmp_info.c
libevmm_a_SOURCES += monitor/hmp_memory.c
libevmm_a_SOURCES += monitor/line.c
