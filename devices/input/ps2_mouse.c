/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PS/2 mouse.
 *
 * IBM Personal System/2 Hardware Interface Technical Reference (S84F-9809), "Mouse": "Commands",
 * "Data report"; Microsoft "Intellimouse" and "Intellimouse Explorer": "PS/2 hardware
 * implementation" for the wheel and the fourth and fifth button.
 *
 *	command	name			answer
 *	e6, e7	Set, Reset Scaling	fa (e6: 1:1, e7: 2:1)
 *	e8	Set Resolution		fa, then fa for the parameter
 *	e9	Status Request		fa, status, resolution, rate
 *	ea	Set Stream Mode		fa
 *	eb	Read Data		fa, a packet
 *	ec	Reset Wrap Mode		fa
 *	ee	Set Wrap Mode		fa; then every byte comes back, but ec and ff
 *	f0	Set Remote Mode		fa
 *	f2	Read Device Type	fa, 00, 03 or 04
 *	f3	Set Sampling Rate	fa, then fa for the parameter
 *	f4, f5	Enable, Disable		fa
 *	f6	Set Default		fa
 *	fe	Resend			the last byte again
 *	ff	Reset			fa aa 00
 *
 *	packet	byte 0: YO XO YS XS 1 M R L; X; Y; type 3: Z; type 4: 0 0 5th 4th Z3-Z0
 *
 * Rates of 200, 100, 80 in a row make it type 3, then 200, 200, 80 type 4.
 *
 * Not modelled: the pace that the rate sets (a packet is ready when it is asked for); the horizontal
 * wheel.
 * Deviates because: nothing.
 */
#include "devices/input/ps2_mouse.h"

#define MOUSE_SCALING_1_1    0xe6
#define MOUSE_SCALING_2_1    0xe7
#define MOUSE_SET_RESOLUTION 0xe8
#define MOUSE_STATUS	     0xe9
#define MOUSE_STREAM	     0xea
#define MOUSE_READ_DATA	     0xeb
#define MOUSE_RESET_WRAP     0xec
#define MOUSE_SET_WRAP	     0xee
#define MOUSE_REMOTE	     0xf0
#define MOUSE_READ_TYPE	     0xf2
#define MOUSE_SET_RATE	     0xf3
#define MOUSE_ENABLE	     0xf4
#define MOUSE_DISABLE	     0xf5
#define MOUSE_DEFAULT	     0xf6
#define MOUSE_RESEND	     0xfe
#define MOUSE_RESET	     0xff

#define MOUSE_ACK	 0xfa
#define MOUSE_BAT_OK	 0xaa
#define MOUSE_NO_COMMAND 0x00

#define MOUSE_TYPE_PLAIN   0
#define MOUSE_TYPE_WHEEL   3
#define MOUSE_TYPE_5BUTTON 4

#define DEFAULT_RATE	   100
#define DEFAULT_RESOLUTION 2 /* 4 counts a millimetre */

#define STATUS_REMOTE  0x40
#define STATUS_ENABLED 0x20
#define STATUS_SCALING 0x10

/* Buttons in the order of the packets. */
#define BUTTON_LEFT   0x01
#define BUTTON_RIGHT  0x02
#define BUTTON_MIDDLE 0x04
#define BUTTON_4      0x08
#define BUTTON_5      0x10
#define BUTTONS_3     0x07

#define PACKET_ALWAYS 0x08
#define PACKET_X_SIGN 0x10
#define PACKET_Y_SIGN 0x20
#define PACKET_4_5(b) (((b) & (BUTTON_4 | BUTTON_5)) << 1)

#define MOVE_MAX  255	  /* of one packet: 9 bits with the sign */
#define WHEEL_MAX 7	  /* of one packet of the five-button type: 4 bits with the sign */
#define TOTAL_MAX 1000000 /* a hand that goes on while nobody reads moves no further */

/* ---- packets ---- */

static int take(int32_t *total, int max)
{
	int by = MIN(MAX(*total, -max), max);

	*total -= by;
	return by;
}

/* Scaling 2:1, in stream mode only. */
static int scale(const struct ps2_mouse *m, int by)
{
	static const uint8_t small[] = {0, 1, 1, 3, 6, 9};
	int abs = by < 0 ? -by : by, scaled;

	if (!m->scaling_2_1 || m->remote)
		return by;
	scaled = abs < (int)ARRAY_SIZE(small) ? small[abs] : MIN(2 * abs, MOVE_MAX);
	return by < 0 ? -scaled : scaled;
}

static unsigned make_packet(struct ps2_mouse *m, uint8_t *p)
{
	int x = scale(m, take(&m->dx, MOVE_MAX)), y = scale(m, take(&m->dy, MOVE_MAX)), z;

	p[0] = (m->buttons & BUTTONS_3) | PACKET_ALWAYS | (x < 0 ? PACKET_X_SIGN : 0) |
	       (y < 0 ? PACKET_Y_SIGN : 0);
	p[1] = x;
	p[2] = y;
	m->sent_buttons = m->buttons;
	if (m->id == MOUSE_TYPE_PLAIN) {
		m->dz = 0;
		return 3;
	}
	z = take(&m->dz, WHEEL_MAX);
	p[3] = m->id == MOUSE_TYPE_WHEEL ? z : (z & 0xf) | PACKET_4_5(m->buttons);
	return 4;
}

static bool something_to_tell(const struct ps2_mouse *m)
{
	return m->dx || m->dy || (m->dz && m->id != MOUSE_TYPE_PLAIN) ||
	       m->buttons != m->sent_buttons;
}

/* As many packets as there is something to tell, and room. */
static void make_packets(struct ps2_mouse *m)
{
	while (m->enabled && !m->remote && !m->wrap && something_to_tell(m) &&
	       m->fifo_n + 4 <= PS2_MOUSE_FIFO)
		m->fifo_n += make_packet(m, m->fifo + m->fifo_n);
}

void ps2_mouse_move(struct ps2_mouse *m, enum input_axis axis, int by)
{
	int32_t *total = axis == INPUT_AXIS_X ? &m->dx : &m->dy;
	int64_t sum = axis == INPUT_AXIS_X ? (int64_t)*total + by : (int64_t)*total - by;

	*total = MIN(MAX(sum, -TOTAL_MAX), TOTAL_MAX);
}

void ps2_mouse_button(struct ps2_mouse *m, enum input_button button, bool down)
{
	uint8_t bit = 0;

	switch (button) {
	case INPUT_BUTTON_LEFT:
		bit = BUTTON_LEFT;
		break;
	case INPUT_BUTTON_MIDDLE:
		bit = BUTTON_MIDDLE;
		break;
	case INPUT_BUTTON_RIGHT:
		bit = BUTTON_RIGHT;
		break;
	case INPUT_BUTTON_SIDE:
		bit = BUTTON_4;
		break;
	case INPUT_BUTTON_EXTRA:
		bit = BUTTON_5;
		break;
	case INPUT_BUTTON_WHEEL_UP:
		m->dz = MAX(m->dz - (down ? 1 : 0), -TOTAL_MAX);
		return;
	case INPUT_BUTTON_WHEEL_DOWN:
		m->dz = MIN(m->dz + (down ? 1 : 0), TOTAL_MAX);
		return;
	default:
		return;
	}
	m->buttons = down ? m->buttons | bit : m->buttons & ~bit;
}

void ps2_mouse_sync(struct ps2_mouse *m)
{
	if (!m->enabled && !m->remote)
		m->dx = m->dy = m->dz = 0;
	make_packets(m);
}

/* ---- commands ---- */

static void ps2_mouse_reply(struct ps2_mouse *m, uint8_t byte)
{
	if (m->replies_n < PS2_MOUSE_REPLIES)
		m->replies[m->replies_n++] = byte;
}

static void ps2_mouse_defaults(struct ps2_mouse *m)
{
	m->rate = DEFAULT_RATE;
	m->resolution = DEFAULT_RESOLUTION;
	m->enabled = false;
	m->remote = false;
	m->scaling_2_1 = false;
	m->dx = m->dy = m->dz = 0;
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
	ps2_mouse_defaults(m);
	m->wrap = false;
	m->id = MOUSE_TYPE_PLAIN;
	m->command = MOUSE_NO_COMMAND;
	m->last = MOUSE_BAT_OK;
	m->buttons = m->sent_buttons = 0;
	m->fifo_n = m->replies_n = 0;
	memset(m->rates, 0, sizeof(m->rates));
	memset(m->fifo, 0, sizeof(m->fifo));
	memset(m->replies, 0, sizeof(m->replies));
}

static void ps2_mouse_set_rate(struct ps2_mouse *m, uint8_t rate)
{
	if (m->rates[0] == 200 && m->rates[1] == 100 && rate == 80)
		m->id = MOUSE_TYPE_WHEEL;
	else if (m->rates[0] == 200 && m->rates[1] == 200 && rate == 80)
		m->id = MOUSE_TYPE_5BUTTON;
	m->rates[0] = m->rates[1];
	m->rates[1] = m->rate = rate;
}

static void ps2_mouse_parameter(struct ps2_mouse *m, uint8_t byte)
{
	if (m->command == MOUSE_SET_RATE)
		ps2_mouse_set_rate(m, byte);
	else
		m->resolution = byte & 3;
	m->command = MOUSE_NO_COMMAND;
	ps2_mouse_reply(m, MOUSE_ACK);
}

static void ps2_mouse_status(struct ps2_mouse *m)
{
	uint8_t b = m->buttons;

	ps2_mouse_reply(m, MOUSE_ACK);
	ps2_mouse_reply(m, (m->remote ? STATUS_REMOTE : 0) | (m->enabled ? STATUS_ENABLED : 0) |
				   (m->scaling_2_1 ? STATUS_SCALING : 0) |
				   (b & BUTTON_LEFT ? 4 : 0) | (b & BUTTON_MIDDLE ? 2 : 0) |
				   (b & BUTTON_RIGHT ? 1 : 0));
	ps2_mouse_reply(m, m->resolution);
	ps2_mouse_reply(m, m->rate);
}

static void ps2_mouse_read_data(struct ps2_mouse *m)
{
	uint8_t packet[4];
	unsigned n = make_packet(m, packet);

	ps2_mouse_reply(m, MOUSE_ACK);
	for (unsigned i = 0; i < n; i++)
		ps2_mouse_reply(m, packet[i]);
}

/* Modes: all that these do besides their acknowledgement. False: there is no such command. */
static bool ps2_mouse_mode(struct ps2_mouse *m, uint8_t byte)
{
	switch (byte) {
	case MOUSE_SCALING_1_1:
	case MOUSE_SCALING_2_1:
		m->scaling_2_1 = byte == MOUSE_SCALING_2_1;
		break;
	case MOUSE_STREAM:
	case MOUSE_REMOTE:
		m->remote = byte == MOUSE_REMOTE;
		break;
	case MOUSE_SET_WRAP:
		m->wrap = true;
		break;
	case MOUSE_RESET_WRAP:
		break;
	case MOUSE_SET_RESOLUTION:
	case MOUSE_SET_RATE:
		m->command = byte;
		break;
	case MOUSE_ENABLE:
	case MOUSE_DISABLE:
		m->enabled = byte == MOUSE_ENABLE;
		m->dx = m->dy = m->dz = 0;
		break;
	case MOUSE_DEFAULT:
		ps2_mouse_defaults(m);
		break;
	default:
		return false;
	}
	return true;
}

static void ps2_mouse_command(struct ps2_mouse *m, uint8_t byte)
{
	switch (byte) {
	case MOUSE_STATUS:
		ps2_mouse_status(m);
		break;
	case MOUSE_READ_DATA:
		ps2_mouse_read_data(m);
		break;
	case MOUSE_READ_TYPE:
		ps2_mouse_reply(m, MOUSE_ACK);
		ps2_mouse_reply(m, m->id);
		break;
	case MOUSE_RESEND:
		ps2_mouse_reply(m, m->last);
		break;
	case MOUSE_RESET:
		ps2_mouse_reset(m);
		ps2_mouse_reply(m, MOUSE_ACK);
		ps2_mouse_reply(m, MOUSE_BAT_OK);
		ps2_mouse_reply(m, MOUSE_TYPE_PLAIN);
		break;
	default:
		ps2_mouse_reply(m, ps2_mouse_mode(m, byte) ? MOUSE_ACK : MOUSE_RESEND);
		break;
	}
}

/* Whatever comes from the host ends the packet that is under way. */
void ps2_mouse_write(struct ps2_mouse *m, uint8_t byte)
{
	m->fifo_n = 0;
	if (m->wrap && byte != MOUSE_RESET && byte != MOUSE_RESET_WRAP) {
		ps2_mouse_reply(m, byte);
		return;
	}
	m->wrap = false;
	if (m->command != MOUSE_NO_COMMAND)
		ps2_mouse_parameter(m, byte);
	else
		ps2_mouse_command(m, byte);
}

bool ps2_mouse_read(struct ps2_mouse *m, uint8_t *byte)
{
	uint8_t *from = m->replies_n ? m->replies : m->fifo;
	uint8_t *n = m->replies_n ? &m->replies_n : &m->fifo_n;

	if (!*n)
		return false;
	*byte = m->last = from[0];
	--*n;
	memmove(from, from + 1, *n);
	if (!m->replies_n)
		make_packets(m);
	return true;
}

static bool ps2_mouse_post_load(void *opaque, struct error *err)
{
	struct ps2_mouse *m = opaque;

	if (m->fifo_n > PS2_MOUSE_FIFO || m->replies_n > PS2_MOUSE_REPLIES ||
	    (m->id != MOUSE_TYPE_PLAIN && m->id != MOUSE_TYPE_WHEEL &&
	     m->id != MOUSE_TYPE_5BUTTON) ||
	    MAX(MAX(m->dx, m->dy), m->dz) > TOTAL_MAX || MIN(MIN(m->dx, m->dy), m->dz) < -TOTAL_MAX)
		return error_set(err, "mouse: saved state is not possible");
	return true;
}

const struct state_desc ps2_mouse_state = {
	.name = "ps2_mouse",
	.version = 1,
	STATE_SPAN(ps2_mouse),
	.post_load = ps2_mouse_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(ps2_mouse, dx),	      STATE_FIELD(ps2_mouse, dy),
			STATE_FIELD(ps2_mouse, dz),	      STATE_ARRAY(ps2_mouse, fifo),
			STATE_ARRAY(ps2_mouse, replies),      STATE_ARRAY(ps2_mouse, rates),
			STATE_FIELD(ps2_mouse, fifo_n),	      STATE_FIELD(ps2_mouse, replies_n),
			STATE_FIELD(ps2_mouse, command),      STATE_FIELD(ps2_mouse, last),
			STATE_FIELD(ps2_mouse, id),	      STATE_FIELD(ps2_mouse, rate),
			STATE_FIELD(ps2_mouse, resolution),   STATE_FIELD(ps2_mouse, buttons),
			STATE_FIELD(ps2_mouse, sent_buttons), STATE_FIELD(ps2_mouse, enabled),
			STATE_FIELD(ps2_mouse, remote),	      STATE_FIELD(ps2_mouse, wrap),
			STATE_FIELD(ps2_mouse, scaling_2_1),  STATE_END,
		},
};
