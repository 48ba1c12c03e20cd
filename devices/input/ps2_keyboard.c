/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AT keyboard, 101 or 102 keys.
 *
 * IBM Personal System/2 Hardware Interface Technical Reference (S84F-9809), "Keyboards (101- and
 * 102-key)": "Commands from the system", "Commands to the system", "Scan codes".
 *
 *	command	name				answer
 *	ed	Set/Reset Status Indicators	fa, then fa for the parameter
 *	ee	Echo				ee
 *	f0	Select Alternate Scan Codes	the same; for 0 also the set's number
 *	f2	Read ID				fa ab 83
 *	f3	Set Typematic Rate/Delay	fa, then fa for the parameter
 *	f4	Enable				fa
 *	f5	Default Disable			fa
 *	f6	Set Default			fa
 *	f7-fa	Set All Keys			fa
 *	fb-fd	Set Key Type			fa, then fa for each code of set 3 that follows
 *	fe	Resend				the last byte again
 *	ff	Reset				fa, then aa, the basic assurance test's result
 *
 * Not modelled: repetition of a key that is held (who holds it repeats it, as viewers and their
 * window systems do); the shift states that the gray keys feign when Num Lock is on; the overrun
 * code: what a full buffer has no room for is lost; the times that answers take.
 * Deviates because: nothing.
 */
#include "devices/input/ps2_keyboard.h"

#define KBD_SET_LEDS	   0xed
#define KBD_ECHO	   0xee
#define KBD_SCAN_SET	   0xf0
#define KBD_READ_ID	   0xf2
#define KBD_TYPEMATIC	   0xf3
#define KBD_ENABLE	   0xf4
#define KBD_DISABLE	   0xf5
#define KBD_DEFAULT	   0xf6
#define KBD_ALL_TYPEMATIC  0xf7
#define KBD_ALL_MAKE_BREAK 0xf8
#define KBD_ALL_MAKE	   0xf9
#define KBD_ALL_DEFAULT	   0xfa /* typematic, make and break */
#define KBD_KEY_TYPEMATIC  0xfb
#define KBD_KEY_MAKE_BREAK 0xfc
#define KBD_KEY_MAKE	   0xfd
#define KBD_RESEND	   0xfe
#define KBD_RESET	   0xff

#define KBD_ACK		 0xfa
#define KBD_BAT_OK	 0xaa
#define KBD_ID_1	 0xab
#define KBD_ID_2	 0x83
#define KBD_NO_COMMAND	 0x00
#define KBD_DEFAULT_SET	 2
#define KBD_DEFAULT_RATE 0x2b

#define CODE_PREFIX 0xe0
#define CODE_UP	    0xf0 /* sets 2 and 3, before the code of a key let go */
#define CODE_UP_1   0x80 /* set 1, in the code */
#define PREFIX_MASK 0xff00
#define PRINT_ALT_1 0x54
#define PRINT_ALT_2 0x84

enum {
	MOD_SHIFT = 0x01,
	MOD_SHIFT_R = 0x02,
	MOD_CTRL = 0x04,
	MOD_CTRL_R = 0x08,
	MOD_ALT = 0x10,
	MOD_ALT_R = 0x20,
};
#define MODS_SHIFT (MOD_SHIFT | MOD_SHIFT_R)
#define MODS_CTRL  (MOD_CTRL | MOD_CTRL_R)
#define MODS_ALT   (MOD_ALT | MOD_ALT_R)

/* Keys of set 3 that send a code when let go by default: the left Ctrl and Alt, both Shifts, Caps Lock. */
static const uint8_t set3_default_breaks[] = {0x11, 0x12, 0x14, 0x19, 0x59};

/* ---- scan codes ---- */

struct code {
	uint8_t bytes[8];
	unsigned n;
};

static void code_add(struct code *c, uint8_t byte)
{
	c->bytes[c->n++] = byte;
}

static void code_add_key(struct code *c, unsigned set, uint16_t key, bool down)
{
	if (key & PREFIX_MASK)
		code_add(c, CODE_PREFIX);
	if (!down && set != 1)
		code_add(c, CODE_UP);
	code_add(c, down || set != 1 ? key : key | CODE_UP_1);
}

/* Pause has no code of its own for being let go, and is Break with Ctrl. */
static void code_pause(struct code *c, unsigned set, bool down, bool ctrl)
{
	static const uint8_t pause_1[] = {0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5};
	static const uint8_t pause_2[] = {0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77};
	uint16_t brk = input_key_scan_code(INPUT_KEY_PAUSE, set);

	if (!down)
		return;
	if (ctrl) {
		code_add_key(c, set, brk, true);
		code_add_key(c, set, brk, false);
	} else if (set == 1) {
		memcpy(c->bytes, pause_1, sizeof(pause_1));
		c->n = sizeof(pause_1);
	} else {
		memcpy(c->bytes, pause_2, sizeof(pause_2));
		c->n = sizeof(pause_2);
	}
}

/* Print Screen comes in a feigned Shift, unless a real one or Ctrl is held; with Alt it is SysRq. */
static void code_print(struct code *c, unsigned set, bool down, uint8_t modifiers)
{
	uint16_t print = input_key_scan_code(INPUT_KEY_PRINT, set);
	uint16_t shift = CODE_PREFIX << 8 | input_key_scan_code(INPUT_KEY_SHIFT, set);
	bool feign = !(modifiers & (MODS_SHIFT | MODS_CTRL));

	if (modifiers & MODS_ALT) {
		code_add_key(c, set, set == 1 ? PRINT_ALT_1 : PRINT_ALT_2, down);
		return;
	}
	if (feign && down)
		code_add_key(c, set, shift, true);
	code_add_key(c, set, print, down);
	if (feign && !down)
		code_add_key(c, set, shift, false);
}

static bool set3_has_break(const struct ps2_keyboard *k, uint8_t code)
{
	return k->breaks[code / 8] & BIT(code % 8);
}

static void set3_set_break(struct ps2_keyboard *k, uint8_t code, bool on)
{
	if (on)
		k->breaks[code / 8] |= BIT(code % 8);
	else
		k->breaks[code / 8] &= ~BIT(code % 8);
}

static void track_modifiers(struct ps2_keyboard *k, enum input_key key, bool down)
{
	uint8_t bit = 0;

	switch (key) {
	case INPUT_KEY_SHIFT:
		bit = MOD_SHIFT;
		break;
	case INPUT_KEY_SHIFT_R:
		bit = MOD_SHIFT_R;
		break;
	case INPUT_KEY_CTRL:
		bit = MOD_CTRL;
		break;
	case INPUT_KEY_CTRL_R:
		bit = MOD_CTRL_R;
		break;
	case INPUT_KEY_ALT:
		bit = MOD_ALT;
		break;
	case INPUT_KEY_ALT_R:
		bit = MOD_ALT_R;
		break;
	default:
		break;
	}
	k->modifiers = down ? k->modifiers | bit : k->modifiers & ~bit;
}

void ps2_keyboard_key(struct ps2_keyboard *k, enum input_key key, bool down)
{
	uint16_t plain = input_key_scan_code(key, k->scan_set);
	struct code c = {.n = 0};

	track_modifiers(k, key, down);
	if (!plain || !k->scanning)
		return;
	if (k->scan_set == 3) {
		if (down || set3_has_break(k, plain))
			code_add_key(&c, 3, plain, down);
	} else if (key == INPUT_KEY_PAUSE) {
		code_pause(&c, k->scan_set, down, k->modifiers & MODS_CTRL);
	} else if (key == INPUT_KEY_PRINT) {
		code_print(&c, k->scan_set, down, k->modifiers);
	} else {
		code_add_key(&c, k->scan_set, plain, down);
	}
	if (k->fifo_n + c.n > PS2_KEYBOARD_FIFO)
		return;
	memcpy(k->fifo + k->fifo_n, c.bytes, c.n);
	k->fifo_n += c.n;
}

/* ---- commands ---- */

/* A host that doesn't read loses what comes last. */
static void ps2_keyboard_reply(struct ps2_keyboard *k, uint8_t byte)
{
	if (k->replies_n < PS2_KEYBOARD_REPLIES)
		k->replies[k->replies_n++] = byte;
}

static void ps2_keyboard_defaults(struct ps2_keyboard *k)
{
	k->fifo_n = 0;
	k->typematic = KBD_DEFAULT_RATE;
	memset(k->breaks, 0, sizeof(k->breaks));
	for (unsigned i = 0; i < ARRAY_SIZE(set3_default_breaks); i++)
		set3_set_break(k, set3_default_breaks[i], true);
}

void ps2_keyboard_reset(struct ps2_keyboard *k)
{
	k->replies_n = 0;
	k->command = KBD_NO_COMMAND;
	k->last = KBD_BAT_OK;
	k->leds = 0;
	k->modifiers = 0;
	k->scanning = true;
	k->scan_set = KBD_DEFAULT_SET;
	ps2_keyboard_defaults(k);
	memset(k->fifo, 0, sizeof(k->fifo));
	memset(k->replies, 0, sizeof(k->replies));
}

static void ps2_keyboard_parameter(struct ps2_keyboard *k, uint8_t byte)
{
	uint8_t command = k->command;

	k->command = KBD_NO_COMMAND;
	ps2_keyboard_reply(k, KBD_ACK);
	switch (command) {
	case KBD_SET_LEDS:
		k->leds = byte & 7;
		break;
	case KBD_TYPEMATIC:
		k->typematic = byte & 0x7f;
		break;
	case KBD_KEY_TYPEMATIC ... KBD_KEY_MAKE:
		/* More codes may follow. */
		k->command = command;
		set3_set_break(k, byte, command == KBD_KEY_MAKE_BREAK);
		break;
	default:
		if (!byte)
			ps2_keyboard_reply(k, k->scan_set);
		else if (byte <= 3)
			k->scan_set = byte;
		break;
	}
}

static void ps2_keyboard_command(struct ps2_keyboard *k, uint8_t byte)
{
	switch (byte) {
	case KBD_SET_LEDS:
	case KBD_SCAN_SET:
	case KBD_TYPEMATIC:
	case KBD_KEY_TYPEMATIC ... KBD_KEY_MAKE:
		k->command = byte;
		break;
	case KBD_ECHO:
		ps2_keyboard_reply(k, KBD_ECHO);
		return;
	case KBD_READ_ID:
		ps2_keyboard_reply(k, KBD_ACK);
		ps2_keyboard_reply(k, KBD_ID_1);
		ps2_keyboard_reply(k, KBD_ID_2);
		return;
	case KBD_ENABLE:
		k->fifo_n = 0;
		k->scanning = true;
		break;
	case KBD_DISABLE:
		ps2_keyboard_defaults(k);
		k->scanning = false;
		break;
	case KBD_DEFAULT:
		ps2_keyboard_defaults(k);
		break;
	case KBD_ALL_TYPEMATIC:
	case KBD_ALL_MAKE:
		memset(k->breaks, 0, sizeof(k->breaks));
		break;
	case KBD_ALL_MAKE_BREAK:
	case KBD_ALL_DEFAULT:
		memset(k->breaks, 0xff, sizeof(k->breaks));
		break;
	case KBD_RESEND:
		ps2_keyboard_reply(k, k->last);
		return;
	case KBD_RESET:
		ps2_keyboard_reset(k);
		ps2_keyboard_reply(k, KBD_ACK);
		ps2_keyboard_reply(k, KBD_BAT_OK);
		return;
	default:
		ps2_keyboard_reply(k, KBD_RESEND);
		return;
	}
	ps2_keyboard_reply(k, KBD_ACK);
}

/* A command in the place of a parameter ends the one that waited. */
void ps2_keyboard_write(struct ps2_keyboard *k, uint8_t byte)
{
	if (k->command != KBD_NO_COMMAND && byte < KBD_SET_LEDS)
		ps2_keyboard_parameter(k, byte);
	else {
		k->command = KBD_NO_COMMAND;
		ps2_keyboard_command(k, byte);
	}
}

/* Answers go before the keys that wait. */
bool ps2_keyboard_read(struct ps2_keyboard *k, uint8_t *byte)
{
	uint8_t *from = k->replies_n ? k->replies : k->fifo;
	uint8_t *n = k->replies_n ? &k->replies_n : &k->fifo_n;

	if (!*n)
		return false;
	*byte = k->last = from[0];
	--*n;
	memmove(from, from + 1, *n);
	return true;
}

static bool ps2_keyboard_post_load(void *opaque, struct error *err)
{
	struct ps2_keyboard *k = opaque;

	if (k->fifo_n > PS2_KEYBOARD_FIFO || k->replies_n > PS2_KEYBOARD_REPLIES ||
	    k->scan_set < 1 || k->scan_set > 3)
		return error_set(err, "keyboard: saved state is not possible");
	return true;
}

const struct state_desc ps2_keyboard_state = {
	.name = "ps2_keyboard",
	.version = 1,
	STATE_SPAN(ps2_keyboard),
	.post_load = ps2_keyboard_post_load,
	.fields =
		(const struct state_field[]){
			STATE_ARRAY(ps2_keyboard, fifo),
			STATE_ARRAY(ps2_keyboard, replies),
			STATE_ARRAY(ps2_keyboard, breaks),
			STATE_FIELD(ps2_keyboard, fifo_n),
			STATE_FIELD(ps2_keyboard, replies_n),
			STATE_FIELD(ps2_keyboard, command),
			STATE_FIELD(ps2_keyboard, last),
			STATE_FIELD(ps2_keyboard, scan_set),
			STATE_FIELD(ps2_keyboard, leds),
			STATE_FIELD(ps2_keyboard, typematic),
			STATE_FIELD(ps2_keyboard, modifiers),
			STATE_FIELD(ps2_keyboard, scanning),
			STATE_END,
		},
};
