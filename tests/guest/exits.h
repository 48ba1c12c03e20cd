/* SPDX-License-Identifier: BSD-2-Clause */
/* What the guest of tests/bench/exits finds where there are no devices at all: tests/bench/exits_bare.c. */
#ifndef TESTS_GUEST_EXITS_H
#define TESTS_GUEST_EXITS_H

#define EXITS_PORT     0x87 /* a page register of the 8237: it does nothing but remember */
#define EXITS_SERIAL   0x3f8
#define EXITS_WINDOW   0xa0000u	   /* VGA memory, planar: posted writes */
#define EXITS_MMIO     0xfe000000u /* without devices: answers with 0 */
#define EXITS_DOORBELL 0xfe001000u /* without devices: an ioeventfd for each queue, 2 bytes apart, 16 bits each */
#define EXITS_USED     0x9000u	   /* without devices, in RAM: 64 bytes for each queue: a count of the kicks taken, 4 bytes; then not 0 when each is to interrupt */

#endif
