/* SPDX-License-Identifier: BSD-2-Clause */
/* A PS/2 mouse with a wheel and five buttons: movements go in, packets and answers come out. Loop thread. */
#ifndef EVMM_DEVICES_PS2_MOUSE_H
#define EVMM_DEVICES_PS2_MOUSE_H

#include "src/device.h"
#include "src/input.h"

#define PS2_MOUSE_FIFO	  16 /* four packets of four bytes */
#define PS2_MOUSE_REPLIES 8

struct ps2_mouse {
	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	int32_t dx, dy, dz; /* moved since the last packet; dy upwards, dz towards the user */
	uint8_t fifo[PS2_MOUSE_FIFO];
	uint8_t replies[PS2_MOUSE_REPLIES];
	uint8_t rates[2]; /* the two sample rates set before this one: the way to the other types */
	uint8_t fifo_n, replies_n;
	uint8_t command; /* one that waits for its parameter, or 0 */
	uint8_t last;	 /* last byte sent, for RESEND */
	uint8_t id;	 /* 0: PS/2, 3: with a wheel, 4: and five buttons */
	uint8_t rate, resolution;
	uint8_t buttons;      /* held down, as the packets have them */
	uint8_t sent_buttons; /* in the last packet */
	bool enabled, remote, wrap, scaling_2_1;
	GUEST_VISIBLE_END;
};

extern const struct state_desc ps2_mouse_state;

void ps2_mouse_reset(struct ps2_mouse *m);
/* A byte from the host. */
void ps2_mouse_write(struct ps2_mouse *m, uint8_t byte);
/* The next byte for the host; false when there is none. */
bool ps2_mouse_read(struct ps2_mouse *m, uint8_t *byte);
/* What the hand does; ps2_mouse_sync makes a packet of it. Right and down are positive. */
void ps2_mouse_move(struct ps2_mouse *m, enum input_axis axis, int by);
void ps2_mouse_button(struct ps2_mouse *m, enum input_button button, bool down);
void ps2_mouse_sync(struct ps2_mouse *m);

#endif
