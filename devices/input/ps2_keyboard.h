/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An AT keyboard (IBM Personal System/2 Technical Reference, "Keyboards (101- and 102-key)"), as
 * far as a host talks to it: commands and their answers. No key is ever pressed on it. Loop thread.
 */
#ifndef EVMM_DEVICES_PS2_KEYBOARD_H
#define EVMM_DEVICES_PS2_KEYBOARD_H

#include "src/device.h"

#define PS2_KEYBOARD_FIFO 16

struct ps2_keyboard {
	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t fifo[PS2_KEYBOARD_FIFO];
	uint8_t fifo_n;
	uint8_t command;  /* one that waits for its parameter, or 0 */
	uint8_t last;	  /* last byte sent, for RESEND */
	uint8_t scan_set; /* 1 to 3 */
	uint8_t leds;
	uint8_t typematic;
	bool scanning;
	GUEST_VISIBLE_END;
};

extern const struct state_desc ps2_keyboard_state;

void ps2_keyboard_reset(struct ps2_keyboard *k);
/* A byte from the host. */
void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t byte);
/* The next byte for the host; false when there is none. */
bool ps2_keyboard_read(struct ps2_keyboard *k, uint8_t *byte);

#endif
