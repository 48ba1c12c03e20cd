# SPDX-License-Identifier: BSD-2-Clause
libevmm_a_SOURCES += io/char/chardev.c
libevmm_a_SOURCES += io/char/file.c
libevmm_a_SOURCES += io/char/mux.c
libevmm_a_SOURCES += io/char/null.c
libevmm_a_SOURCES += io/char/stdio.c
libevmm_a_SOURCES += io/char/stream.c
