/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a peer has sent, while it has to wait: a protocol that answers in turn takes no more before its answer has been read,
 * and receives nothing (its can_receive says 0) until what is held has been dealt with. Loop thread.
 */
#ifndef EVMM_HELD_INPUT_H
#define EVMM_HELD_INPUT_H

#include "src/util.h"

#define HELD_INPUT_BYTES 4096

struct held_input {
	size_t len; /* 0: nothing is held */
	bool feeding;
	uint8_t bytes[HELD_INPUT_BYTES];
};

/* Nothing is held; N is at most HELD_INPUT_BYTES. */
void held_input_put(struct held_input *h, const uint8_t *buf, size_t n);
/*
 * Gives TAKE what is held until nothing is left or it takes nothing; it answers how many of the N bytes it took. TAKE may set LEN to 0, its
 * peer having gone. From within TAKE this does nothing.
 */
void held_input_feed(struct held_input *h,
		     size_t (*take)(void *opaque, const uint8_t *bytes, size_t n), void *opaque);

#endif
