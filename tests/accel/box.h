/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine with one accelerator and a few bytes of code in its memory, for tests of accel_ops. The code runs in 64-bit mode, at
 * ring 3 with IOPL 3, which is what every accelerator runs at its full speed, a software KVM too.
 */
#ifndef EVMM_TESTS_ACCEL_BOX_H
#define EVMM_TESTS_ACCEL_BOX_H

#include "src/machine.h"

#define BOX_CODE  0x10000ull
#define BOX_DATA  0x20000ull
#define BOX_STACK 0x30000ull
#define BOX_RAM	  (4 * MiB)

/* Of the boxes made from here on. */
extern unsigned box_ring;

struct box {
	struct loop *loop;
	struct machine *m;
	struct machine_type type;
	const uint8_t *code;
	size_t code_bytes;
	struct debug_stop stop; /* the last one */
	unsigned stops;
};

/* ACCEL as -accel has it. NULL when it is not to be had here; then WHY says why not. */
struct box *box_new(const char *accel, unsigned cpus, const void *code, size_t bytes, char **why);
void box_free(struct box *b);
/* Turns of the loop until *WORD is not 0, or 10 s have passed (then false). */
bool box_wait(struct box *b, const unsigned *word);
/* Lets the machine go on to its next debug stop; aborts when none comes. */
void box_next_stop(struct box *b);
/* All vCPUs parked. */
void box_pause(struct box *b);

#endif
