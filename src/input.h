/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Input: from whoever has keys and pointers (the monitor, a viewer of the display) to the devices that the guest
 * sees. Keys have QEMU's names (QKeyCode). An event goes to the newest handler that takes its kind; mouse_set chooses
 * another pointer. While the machine is paused, events are dropped. Loop thread.
 */
#ifndef EVMM_INPUT_H
#define EVMM_INPUT_H

#include "src/error.h"
#include "src/list.h"

struct machine;

enum input_key {
#define KEY(constant, name, set1, set2, set3) INPUT_KEY_##constant,
#include "src/input_keys_list.h"
#undef KEY
	INPUT_KEYS
};

/* The make code of scan code set 1, 2 or 3; 0xe0xx with its prefix; 0: none. */
uint16_t input_key_scan_code(enum input_key key, unsigned set);
const char *input_key_name(enum input_key key);
/* A name, or a number that is a code of set 1 (bit 7: with prefix e0), as sendkey takes them. N bytes of S. */
bool input_key_parse(const char *s, size_t n, enum input_key *key);

/* QEMU's InputButton, in its order. */
enum input_button {
	INPUT_BUTTON_LEFT,
	INPUT_BUTTON_MIDDLE,
	INPUT_BUTTON_RIGHT,
	INPUT_BUTTON_WHEEL_UP,
	INPUT_BUTTON_WHEEL_DOWN,
	INPUT_BUTTON_SIDE,
	INPUT_BUTTON_EXTRA,
	INPUT_BUTTON_WHEEL_LEFT,
	INPUT_BUTTON_WHEEL_RIGHT,
	INPUT_BUTTONS
};
const char *input_button_name(enum input_button button);

enum input_axis { INPUT_AXIS_X, INPUT_AXIS_Y };

#define INPUT_ABS_MAX 0x7fff /* absolute positions are 0 to this, whatever the screen's size */

/* What a handler takes. */
enum { INPUT_TAKES_KEYS = 1, INPUT_TAKES_REL = 2, INPUT_TAKES_ABS = 4 };

struct input_handler_ops {
	void (*key)(void *opaque, enum input_key key, bool down);
	void (*button)(void *opaque, enum input_button button, bool down);
	void (*rel)(void *opaque, enum input_axis axis, int by);
	void (*abs)(void *opaque, enum input_axis axis, int at);
	void (*sync)(void *opaque); /* the events since the last one are one report */
};

/* A member of its device. */
struct input_handler {
	struct list node;
	struct input *input;
	const char *name; /* as `info mice` shows it */
	unsigned takes;
	const struct input_handler_ops *ops;
	void *opaque;
	unsigned index; /* a pointer's number in `info mice` */
};

struct input;
struct input *input_new(struct machine *m);
void input_free(struct input *in);
void input_add_handler(struct input *in, struct input_handler *h);
/* Does nothing to one that was never added. */
void input_remove_handler(struct input_handler *h);

void input_key_event(struct input *in, enum input_key key, bool down);
void input_button_event(struct input *in, enum input_button button, bool down);
void input_rel_event(struct input *in, enum input_axis axis, int by);
void input_abs_event(struct input *in, enum input_axis axis, int at);
void input_sync(struct input *in);
/* Does the pointer in use take absolute positions? */
bool input_is_absolute(const struct input *in);

#define INPUT_SENDKEY_MAX     16 /* keys held down together */
#define INPUT_SENDKEY_HOLD_MS 100

/*
 * Presses the keys in their order and lets go of them backwards HOLD_MS (0: 100) later, in guest time. What is sent
 * meanwhile waits for its turn. False when too much waits.
 */
bool input_send_keys(struct input *in, const enum input_key *keys, unsigned n, unsigned hold_ms,
		     struct error *err);

/* Pointers: the first is 0. False when there is no more. */
struct input_pointer_info {
	const char *name;
	unsigned index;
	bool current, absolute;
};
bool input_pointer(const struct input *in, unsigned i, struct input_pointer_info *info);
bool input_set_pointer(struct input *in, unsigned index, struct error *err);

#endif
