/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AT keyboard, 101 or 102 keys.
 *
 * IBM Personal System/2 Hardware Interface Technical Reference (S84F-9809), "Keyboards (101- and
 * 102-key)": "Commands from the system", "Commands to the system".
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
 *	f7-fd	Set All Keys, Set Key Type	fa
 *	fe	Resend				the last byte again
 *	ff	Reset				fa, then aa, the basic assurance test's result
 *
 * Not modelled: keys; key types of scan code set 3; the times that answers take.
 * Deviates because: nothing.
 */
#include "devices/input/ps2_keyboard.h"

#define KBD_SET_LEDS	 0xed
#define KBD_ECHO	 0xee
#define KBD_SCAN_SET	 0xf0
#define KBD_READ_ID	 0xf2
#define KBD_TYPEMATIC	 0xf3
#define KBD_ENABLE	 0xf4
#define KBD_DISABLE	 0xf5
#define KBD_DEFAULT	 0xf6
#define KBD_ALL_KEYS	 0xf7
#define KBD_SET_KEY_LAST 0xfd
#define KBD_RESEND	 0xfe
#define KBD_RESET	 0xff

#define KBD_ACK		 0xfa
#define KBD_BAT_OK	 0xaa
#define KBD_ID_1	 0xab
#define KBD_ID_2	 0x83
#define KBD_NO_COMMAND	 0x00
#define KBD_DEFAULT_SET	 2
#define KBD_DEFAULT_RATE 0x2b

/* A host that doesn't read loses what comes last. */
static void ps2_keyboard_send(struct ps2_keyboard *k, uint8_t byte)
{
	if (k->fifo_n < PS2_KEYBOARD_FIFO)
		k->fifo[k->fifo_n++] = byte;
}

static void ps2_keyboard_defaults(struct ps2_keyboard *k)
{
	k->scan_set = KBD_DEFAULT_SET;
	k->typematic = KBD_DEFAULT_RATE;
}

void ps2_keyboard_reset(struct ps2_keyboard *k)
{
	k->fifo_n = 0;
	k->command = KBD_NO_COMMAND;
	k->last = KBD_BAT_OK;
	k->leds = 0;
	k->scanning = true;
	ps2_keyboard_defaults(k);
	memset(k->fifo, 0, sizeof(k->fifo));
}

static void ps2_keyboard_parameter(struct ps2_keyboard *k, uint8_t byte)
{
	uint8_t command = k->command;

	k->command = KBD_NO_COMMAND;
	ps2_keyboard_send(k, KBD_ACK);
	switch (command) {
	case KBD_SET_LEDS:
		k->leds = byte & 7;
		break;
	case KBD_TYPEMATIC:
		k->typematic = byte & 0x7f;
		break;
	default:
		if (!byte)
			ps2_keyboard_send(k, k->scan_set);
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
		k->command = byte;
		break;
	case KBD_ECHO:
		ps2_keyboard_send(k, KBD_ECHO);
		return;
	case KBD_READ_ID:
		ps2_keyboard_send(k, KBD_ACK);
		ps2_keyboard_send(k, KBD_ID_1);
		ps2_keyboard_send(k, KBD_ID_2);
		return;
	case KBD_ENABLE:
		k->scanning = true;
		break;
	case KBD_DISABLE:
		ps2_keyboard_defaults(k);
		k->scanning = false;
		break;
	case KBD_DEFAULT:
		ps2_keyboard_defaults(k);
		break;
	case KBD_ALL_KEYS ... KBD_SET_KEY_LAST:
		break;
	case KBD_RESEND:
		ps2_keyboard_send(k, k->last);
		return;
	case KBD_RESET:
		ps2_keyboard_reset(k);
		ps2_keyboard_send(k, KBD_ACK);
		ps2_keyboard_send(k, KBD_BAT_OK);
		return;
	default:
		ps2_keyboard_send(k, KBD_RESEND);
		return;
	}
	ps2_keyboard_send(k, KBD_ACK);
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

bool ps2_keyboard_read(struct ps2_keyboard *k, uint8_t *byte)
{
	if (!k->fifo_n)
		return false;
	*byte = k->last = k->fifo[0];
	k->fifo_n--;
	memmove(k->fifo, k->fifo + 1, k->fifo_n);
	return true;
}

static bool ps2_keyboard_post_load(void *opaque, struct error *err)
{
	struct ps2_keyboard *k = opaque;

	if (k->fifo_n > PS2_KEYBOARD_FIFO || k->scan_set < 1 || k->scan_set > 3)
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
			STATE_FIELD(ps2_keyboard, fifo_n),
			STATE_FIELD(ps2_keyboard, command),
			STATE_FIELD(ps2_keyboard, last),
			STATE_FIELD(ps2_keyboard, scan_set),
			STATE_FIELD(ps2_keyboard, leds),
			STATE_FIELD(ps2_keyboard, typematic),
			STATE_FIELD(ps2_keyboard, scanning),
			STATE_END,
		},
};
