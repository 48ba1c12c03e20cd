/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An AT keyboard (IBM Personal System/2 Technical Reference, "Keyboards (101- and 102-key)"): keys go in,
 * scan codes and the answers to commands come out. Loop thread.
 */
#ifndef EVMM_DEVICES_PS2_KEYBOARD_H
#define EVMM_DEVICES_PS2_KEYBOARD_H

#include "src/device.h"
#include "src/input.h"

#define PS2_KEYBOARD_FIFO    16
#define PS2_KEYBOARD_REPLIES 8

struct ps2_keyboard {
	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t fifo[PS2_KEYBOARD_FIFO]; /* scan codes */
	uint8_t replies[PS2_KEYBOARD_REPLIES];
	uint8_t breaks
		[32]; /* scan code set 3: a bit for each code whose key sends it when let go */
	uint8_t fifo_n, replies_n;
	uint8_t command;  /* one that waits for its parameter, or 0 */
	uint8_t last;	  /* last byte sent, for RESEND */
	uint8_t scan_set; /* 1 to 3 */
	uint8_t leds;
	uint8_t typematic;
	uint8_t modifiers; /* held down */
	bool scanning;
	GUEST_VISIBLE_END;
};

extern const struct state_desc ps2_keyboard_state;

void ps2_keyboard_reset(struct ps2_keyboard *k);
/* A byte from the host. */
void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t byte);
/* The next byte for the host; false when there is none. */
bool ps2_keyboard_read(struct ps2_keyboard *k, uint8_t *byte);
/* A key goes down or up. */
void ps2_keyboard_key(struct ps2_keyboard *k, enum input_key key, bool down);

#endif
