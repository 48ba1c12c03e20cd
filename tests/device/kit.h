/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a device's test needs: a machine without a processor, a clock that the test moves, a little
 * RAM, a log of the interrupt lines, and a character back end that the test plays.
 */
#ifndef EVMM_TESTS_KIT_H
#define EVMM_TESTS_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "io/char/backend.h"
#include "src/machine.h"

#define KIT_RAM (1 * MiB)

/* A test's row: each has the file's setup and teardown around it. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

struct kit {
	struct loop *loop;
	struct clock *clock;
	struct machine *m;
	struct accel_qtest_log *log;
	struct machine_config config;
	/* of an empty board: what the GSIs did */
	bool level[MACHINE_GSIS];
	unsigned rises[MACHINE_GSIS], falls[MACHINE_GSIS];
	struct chardev *chardevs[32];
	unsigned n_chardevs;
};

/* An empty board whose GSIs are logged. */
struct kit *kit_new(void);
/*
 * CONFIG may be NULL; of it, clock, accelerator and RAM are the kit's. TYPE NULL: the empty board.
 */
struct kit *kit_new_with(const struct machine_type *type, const struct machine_config *config);
void kit_free(struct kit *k);

/* Makes and resets a device: pairs of name and value, then NULL. */
struct device *kit_add(struct kit *k, const struct device_type *type, ...);
/* The same when it must fail; the message, which the caller frees. */
char *kit_add_fails(struct kit *k, const struct device_type *type, ...);

/* A disk of nothing (null-co) for a device's drive=. The slow one takes 20 ms of the host's for each request. */
void kit_add_null_disk(struct kit *k, const char *id);
void kit_add_slow_disk(struct kit *k, const char *id);
/* Until no disk has a request in flight. */
void kit_await_disks(struct kit *k);

uint8_t kit_in8(struct kit *k, uint16_t port);
uint16_t kit_in16(struct kit *k, uint16_t port);
uint32_t kit_in32(struct kit *k, uint16_t port);
void kit_out8(struct kit *k, uint16_t port, uint8_t value);
void kit_out16(struct kit *k, uint16_t port, uint16_t value);
void kit_out32(struct kit *k, uint16_t port, uint32_t value);
void kit_advance(struct kit *k, int64_t ns);
/* Forgets the counts of edges. */
void kit_clear(struct kit *k);
/* Saves DEV, resets it, loads it, and checks that saving gives the same bytes again. */
void kit_save_load(struct device *dev);
/* Lets the machine carry out what was requested of it. */
void kit_settle(struct kit *k);

struct kit_chardev {
	struct chardev chr;
	char out[4096];
	size_t len, room; /* what it took; how much it takes in all */
};

/* Freed with the kit. */
struct kit_chardev *kit_chardev_new(struct kit *k, const char *id);
/* Gives as many bytes as the front end has room for; how many. */
size_t kit_type(struct kit_chardev *c, const char *bytes, size_t n);

#endif
