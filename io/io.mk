# SPDX-License-Identifier: BSD-2-Clause
libevmm_a_SOURCES += io/aio/aio.c
libevmm_a_SOURCES += io/aio/threads.c
if HAVE_LIBAIO
libevmm_a_SOURCES += io/aio/native.c
endif
if HAVE_LIBURING
libevmm_a_SOURCES += io/aio/uring.c
endif
libevmm_a_SOURCES += io/block/align.c
libevmm_a_SOURCES += io/block/blkdebug.c
libevmm_a_SOURCES += io/block/blklogwrites.c
libevmm_a_SOURCES += io/block/block.c
libevmm_a_SOURCES += io/block/conf.c
libevmm_a_SOURCES += io/block/drivers.c
libevmm_a_SOURCES += io/block/file.c
libevmm_a_SOURCES += io/block/file_lock.c
libevmm_a_SOURCES += io/block/medium.c
libevmm_a_SOURCES += io/block/node.c
libevmm_a_SOURCES += io/block/null.c
libevmm_a_SOURCES += io/block/options.c
libevmm_a_SOURCES += io/block/overlay.c
libevmm_a_SOURCES += io/block/probe.c
libevmm_a_SOURCES += io/block/raw.c
libevmm_a_SOURCES += io/block/request.c
libevmm_a_SOURCES += io/block/serial.c
libevmm_a_SOURCES += io/block/stats.c
libevmm_a_SOURCES += io/block/throttle.c
libevmm_a_SOURCES += io/block/throttle_filter.c
libevmm_a_SOURCES += io/char/address.c
libevmm_a_SOURCES += io/char/chardev.c
libevmm_a_SOURCES += io/char/config.c
libevmm_a_SOURCES += io/char/file.c
libevmm_a_SOURCES += io/char/mux.c
libevmm_a_SOURCES += io/char/null.c
libevmm_a_SOURCES += io/char/pipe.c
libevmm_a_SOURCES += io/char/pty.c
libevmm_a_SOURCES += io/char/ringbuf.c
libevmm_a_SOURCES += io/char/serial.c
libevmm_a_SOURCES += io/char/socket.c
libevmm_a_SOURCES += io/char/stdio.c
libevmm_a_SOURCES += io/char/stream.c
libevmm_a_SOURCES += io/crypto/secret.c
libevmm_a_SOURCES += io/display/console.c
libevmm_a_SOURCES += io/display/screendump.c
libevmm_a_SOURCES += io/char/telnet.c
libevmm_a_SOURCES += io/char/udp.c
libevmm_a_SOURCES += io/rng/rng.c
