/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The test protocol of QEMU's name: a program at the other end of a chardev drives the devices as a processor would, moves
 * the clock and watches interrupt lines. Loop thread only.
 */
#ifndef EVMM_QTEST_H
#define EVMM_QTEST_H

#include "src/error.h"

struct chardev;
struct machine;
struct qtest;

/* FAKE: the machine's clock is one that only moves when told. LOG: file that each command and answer goes to; NULL: stderr; "none". */
struct qtest *qtest_new(struct machine *m, struct chardev *chr, bool fake_clock, const char *log,
			struct error *err);
void qtest_free(struct qtest *q);

#endif
