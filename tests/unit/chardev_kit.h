/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of character back ends share: a loop, a front end that can be watched, and peers that wait for nothing. */
#ifndef EVMM_TESTS_CHARDEV_KIT_H
#define EVMM_TESTS_CHARDEV_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "io/char/backend.h"

extern struct loop *loop;

/* A row of a test program: each test has a loop and a directory (DIR) of its own, and a minute. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)
int kit_setup(void **state);
int kit_teardown(void **state);
extern char kit_dir[];
/* DIR/NAME. Good until the fourth call after. */
const char *kit_path(const char *name);

struct front {
	struct chardev *chr;
	size_t room;
	char in[1 << 16];
	size_t len;
	int breaks, writable, opened, closed;
	char events[64]; /* O C B i o */
};

/* Attaches F, with unlimited room. */
void front_attach(struct front *f, struct chardev *chr);
void front_detach(struct front *f);
/* The front end has ROOM bytes of room again. */
void front_give_room(struct front *f, size_t room);

/* Runs the loop until COND holds; the test fails when that takes five seconds. */
#define run_until(cond)                                                                 \
	do {                                                                            \
		int64_t run_end = clock_now_ns(loop_clock_host(loop)) + 5 * NS_PER_SEC; \
		while (!(cond)) {                                                       \
			if (clock_now_ns(loop_clock_host(loop)) > run_end)              \
				fail_msg("never: " #cond);                              \
			loop_run_once(loop, 5 * NS_PER_MS);                             \
		}                                                                       \
	} while (0)
void run_for_ms(int ms);

/* Made as -chardev has it; the test fails when it can't be. */
struct chardev *make(const char *fmt, ...) printf_like(1, 2);
/* The same at run time, when nothing is waited for. */
struct chardev *make_running(const char *fmt, ...) printf_like(1, 2);
/* It must fail with a message that has WANT in it. */
void make_fails(const char *want, const char *fmt, ...) printf_like(2, 3);
void assert_filename(const struct chardev *chr, const char *want);

/* The test's own sockets, which do not block. */
int peer_unix(const char *path);
int peer_tcp(unsigned port);
int peer_listen_unix(const char *path);
/* Listens on a port of 127.0.0.1 that is free. */
int peer_listen_tcp(unsigned *port);
/* The port that a server chardev got with port=0. */
unsigned port_of(const struct chardev *chr);
/* Sends all of it, running the loop meanwhile. */
void peer_send(int fd, const void *buf, size_t n);
/* Receives exactly N bytes, running the loop meanwhile. */
void peer_expect(int fd, const void *want, size_t n);
/* The other end has closed. */
void peer_expect_end(int fd);

#endif
