/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 8042 keyboard controller, with a keyboard and, at the auxiliary port, a mouse.
 *
 * IBM Personal System/2 Hardware Interface Technical Reference (S84F-9809), "Keyboard/Auxiliary
 * Device Controller"; Intel 8042 UPI data sheet for the pulsed outputs.
 *
 *	port	name	access	reset	section
 *	60	DBBOUT	R	00	"Output buffer"
 *	60	DBBIN	W	-	"Input buffer": data, or a command's parameter
 *	64	STATUS	R	1c	"Status register": OBF, IBF, SYS, command, INH, AUX, TO, PE
 *	64	DBBIN	W	-	"Controller commands"
 *
 *	command	name				answer
 *	20-3f	read RAM (20: command byte)	the byte
 *	60-7f	write RAM (60: command byte)	-, takes a parameter
 *	a4	test password			f1 (none)
 *	a7, a8	disable, enable auxiliary port	-
 *	a9	test auxiliary port		00
 *	aa	self test			55
 *	ab	test keyboard port		00
 *	ad, ae	disable, enable keyboard	-
 *	c0	read input port			80 (not locked)
 *	d0, d1	read, write output port		the port / -, takes a parameter
 *	d2, d3	write keyboard, auxiliary buffer the parameter, as if the device had sent it
 *	d4	write to auxiliary device	the mouse's, with AUX
 *	e0	read test inputs		00
 *	f0-ff	pulse output port		-; bit 0 low is the reset line
 *
 * Not modelled: IBF (a byte is taken at once); passwords; the controller's RAM beyond 32 bytes; A20
 * (the line is never held low; the output port's bit keeps what is written).
 * Deviates because: the command byte starts as firmware leaves it, with the keyboard translated and
 * its interrupt enabled: a Linux that is started without firmware takes translation, or none, from
 * there. Reset means the machine's.
 */
#include "devices/input/i8042.h"
#include "devices/input/ps2_keyboard.h"
#include "devices/input/ps2_mouse.h"
#include "devices/isa.h"

#define I8042_PORT_DATA	   0x60
#define I8042_PORT_COMMAND 0x64
#define I8042_IRQ	   1
#define I8042_IRQ_AUX	   12

#define STATUS_OBF     0x01
#define STATUS_SYS     0x04
#define STATUS_COMMAND 0x08
#define STATUS_INH     0x10
#define STATUS_AUX     0x20

#define COMMAND_BYTE	     0 /* in RAM */
#define COMMAND_BYTE_KBD_INT 0x01
#define COMMAND_BYTE_AUX_INT 0x02
#define COMMAND_BYTE_SYS     0x04
#define COMMAND_BYTE_KBD_OFF 0x10
#define COMMAND_BYTE_AUX_OFF 0x20
#define COMMAND_BYTE_XLATE   0x40
#define COMMAND_BYTE_RESET \
	(COMMAND_BYTE_KBD_INT | COMMAND_BYTE_SYS | COMMAND_BYTE_AUX_OFF | COMMAND_BYTE_XLATE)
#define COMMAND_BYTE_WRITABLE 0x7f

#define I8042_READ_RAM	     0x20
#define I8042_READ_RAM_LAST  0x3f
#define I8042_WRITE_RAM	     0x60
#define I8042_WRITE_RAM_LAST 0x7f
#define I8042_RAM_INDEX	     0x1f
#define I8042_TEST_PASSWORD  0xa4
#define I8042_AUX_DISABLE    0xa7
#define I8042_AUX_ENABLE     0xa8
#define I8042_AUX_TEST	     0xa9
#define I8042_SELF_TEST	     0xaa
#define I8042_KBD_TEST	     0xab
#define I8042_KBD_DISABLE    0xad
#define I8042_KBD_ENABLE     0xae
#define I8042_READ_INPUT     0xc0
#define I8042_READ_OUTPUT    0xd0
#define I8042_WRITE_OUTPUT   0xd1
#define I8042_WRITE_KBD_OBUF 0xd2
#define I8042_WRITE_AUX_OBUF 0xd3
#define I8042_WRITE_AUX	     0xd4
#define I8042_READ_TEST	     0xe0
#define I8042_PULSE	     0xf0
#define I8042_NO_COMMAND     0x00

#define SELF_TEST_OK	   0x55
#define PORT_TEST_OK	   0x00
#define NO_PASSWORD	   0xf1
#define INPUT_UNLOCKED	   0x80
#define OUTPUT_NOT_RESET   0x01
#define OUTPUT_A20	   0x02
#define OUTPUT_IRQ1	   0x10
#define OUTPUT_IRQ12	   0x20
#define OUTPUT_RESET_VALUE 0xcf
#define OUTPUT_WRITABLE	   0xcf

#define KBD_BREAK 0xf0 /* in scan code set 2, before the code of a released key */

#define REPLIES 8

/* Scan code set 2 to set 1, as the controller's ROM has it for codes below 80h. */
static const uint8_t translation[128] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29,
	0x59, 0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11,
	0x03, 0x5b, 0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14,
	0x13, 0x06, 0x5d, 0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24,
	0x16, 0x08, 0x09, 0x5f, 0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35,
	0x26, 0x27, 0x19, 0x0c, 0x61, 0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36,
	0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76, 0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c,
	0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f, 0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
	0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

struct i8042 {
	struct device dev;

	/* configuration */
	struct region data_port, command_port;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	struct ps2_keyboard keyboard;
	struct ps2_mouse mouse;
	uint8_t ram[32];
	uint8_t output_port; /* without the interrupt bits, which follow OBF */
	uint8_t obuf;
	uint8_t status;	 /* OBF, COMMAND and AUX; the rest follows */
	uint8_t command; /* one that waits for its parameter, or I8042_NO_COMMAND */
	uint8_t replies[REPLIES], reply_status[REPLIES]; /* what waits for the output buffer */
	uint8_t replies_n;
	bool break_code; /* translation: the next code is of a released key */
	GUEST_VISIBLE_END;

	/* host side */
	struct irq irq, irq_aux;
	struct input_handler key_handler, pointer_handler;
};

/* Output buffer */

static void i8042_update_irq(struct i8042 *s)
{
	uint8_t mode = s->ram[COMMAND_BYTE], source = s->status & (STATUS_OBF | STATUS_AUX);

	irq_set(&s->irq, source == STATUS_OBF && (mode & COMMAND_BYTE_KBD_INT));
	irq_set(&s->irq_aux, source == (STATUS_OBF | STATUS_AUX) && (mode & COMMAND_BYTE_AUX_INT));
}

/* One byte of the keyboard's; false when the translation swallows it. */
static bool i8042_translate(struct i8042 *s, uint8_t *byte)
{
	if (!(s->ram[COMMAND_BYTE] & COMMAND_BYTE_XLATE))
		return true;
	if (*byte == KBD_BREAK) {
		s->break_code = true;
		return false;
	}
	if (*byte < ARRAY_SIZE(translation))
		*byte = translation[*byte];
	else if (*byte == 0x83)
		*byte = 0x41;
	else if (*byte == 0x84)
		*byte = 0x54;
	if (s->break_code)
		*byte |= 0x80;
	s->break_code = false;
	return true;
}

/*
 * Moves the next byte into the empty output buffer: the controller's own first, then the
 * keyboard's, then the mouse's.
 */
static void i8042_fill(struct i8042 *s)
{
	uint8_t byte;

	if (!(s->status & STATUS_OBF) && s->replies_n) {
		s->obuf = s->replies[0];
		s->status = (s->status & STATUS_COMMAND) | STATUS_OBF | s->reply_status[0];
		s->replies_n--;
		memmove(s->replies, s->replies + 1, s->replies_n);
		memmove(s->reply_status, s->reply_status + 1, s->replies_n);
	}
	while (!(s->status & STATUS_OBF) && !(s->ram[COMMAND_BYTE] & COMMAND_BYTE_KBD_OFF) &&
	       ps2_keyboard_read(&s->keyboard, &byte)) {
		if (!i8042_translate(s, &byte))
			continue;
		s->obuf = byte;
		s->status = (s->status & STATUS_COMMAND) | STATUS_OBF;
	}
	if (!(s->status & STATUS_OBF) && !(s->ram[COMMAND_BYTE] & COMMAND_BYTE_AUX_OFF) &&
	    ps2_mouse_read(&s->mouse, &byte)) {
		s->obuf = byte;
		s->status = (s->status & STATUS_COMMAND) | STATUS_OBF | STATUS_AUX;
	}
	i8042_update_irq(s);
}

static void i8042_reply(struct i8042 *s, uint8_t byte, uint8_t status)
{
	if (s->replies_n == REPLIES) {
		guest_error(&s->dev, "a guest that reads no answers asks for more");
		return;
	}
	s->replies[s->replies_n] = byte;
	s->reply_status[s->replies_n] = status;
	s->replies_n++;
}

/* Reads */

static uint64_t data_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8042 *s = opaque;
	uint8_t value = s->obuf;

	s->status &= STATUS_COMMAND;
	i8042_update_irq(s);
	i8042_fill(s);
	return value;
}

static uint64_t status_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8042 *s = opaque;

	return s->status | STATUS_INH | (s->ram[COMMAND_BYTE] & COMMAND_BYTE_SYS);
}

static uint8_t i8042_output_port(const struct i8042 *s)
{
	return s->output_port | (s->irq.level ? OUTPUT_IRQ1 : 0) |
	       (s->irq_aux.level ? OUTPUT_IRQ12 : 0);
}

/* Writes */

static void i8042_set_mode(struct i8042 *s, uint8_t set, uint8_t clear)
{
	s->ram[COMMAND_BYTE] = (s->ram[COMMAND_BYTE] | set) & ~clear;
}

static void i8042_write_output_port(struct i8042 *s, uint8_t value)
{
	s->output_port = value & OUTPUT_WRITABLE;
	if (!(value & OUTPUT_NOT_RESET))
		machine_request_reset(s->dev.machine);
}

static void i8042_parameter(struct i8042 *s, uint8_t value)
{
	uint8_t command = s->command;

	s->command = I8042_NO_COMMAND;
	switch (command) {
	case I8042_WRITE_RAM:
		s->ram[COMMAND_BYTE] = value & COMMAND_BYTE_WRITABLE;
		break;
	case I8042_WRITE_RAM + 1 ... I8042_WRITE_RAM_LAST:
		s->ram[command & I8042_RAM_INDEX] = value;
		break;
	case I8042_WRITE_OUTPUT:
		i8042_write_output_port(s, value);
		break;
	case I8042_WRITE_KBD_OBUF:
		i8042_reply(s, value, 0);
		break;
	case I8042_WRITE_AUX_OBUF:
		i8042_reply(s, value, STATUS_AUX);
		break;
	default: /* I8042_WRITE_AUX */
		/* As with the keyboard: what is sent to it enables it. */
		i8042_set_mode(s, 0, COMMAND_BYTE_AUX_OFF);
		ps2_mouse_write(&s->mouse, value);
		break;
	}
}

static void i8042_command(struct i8042 *s, uint8_t command)
{
	switch (command) {
	case I8042_READ_RAM ... I8042_READ_RAM_LAST:
		i8042_reply(s, s->ram[command & I8042_RAM_INDEX], 0);
		break;
	case I8042_WRITE_RAM ... I8042_WRITE_RAM_LAST:
	case I8042_WRITE_OUTPUT ... I8042_WRITE_AUX:
		s->command = command;
		break;
	case I8042_TEST_PASSWORD:
		i8042_reply(s, NO_PASSWORD, 0);
		break;
	case I8042_AUX_DISABLE:
		i8042_set_mode(s, COMMAND_BYTE_AUX_OFF, 0);
		break;
	case I8042_AUX_ENABLE:
		i8042_set_mode(s, 0, COMMAND_BYTE_AUX_OFF);
		break;
	case I8042_AUX_TEST:
	case I8042_KBD_TEST:
		i8042_reply(s, PORT_TEST_OK, 0);
		break;
	case I8042_SELF_TEST:
		i8042_set_mode(s, COMMAND_BYTE_SYS, 0);
		i8042_reply(s, SELF_TEST_OK, 0);
		break;
	case I8042_KBD_DISABLE:
		i8042_set_mode(s, COMMAND_BYTE_KBD_OFF, 0);
		break;
	case I8042_KBD_ENABLE:
		i8042_set_mode(s, 0, COMMAND_BYTE_KBD_OFF);
		break;
	case I8042_READ_INPUT:
		i8042_reply(s, INPUT_UNLOCKED, 0);
		break;
	case I8042_READ_OUTPUT:
		i8042_reply(s, i8042_output_port(s), 0);
		break;
	case I8042_READ_TEST:
		i8042_reply(s, 0, 0);
		break;
	case I8042_PULSE ... 0xff: /* the low bits that are 0 are pulsed */
		if (!(command & OUTPUT_NOT_RESET))
			machine_request_reset(s->dev.machine);
		break;
	default:
		guest_error(&s->dev, "there is no command 0x%02x", command);
		break;
	}
}

static void data_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8042 *s = opaque;

	s->status &= (uint8_t)~STATUS_COMMAND;
	if (s->command != I8042_NO_COMMAND) {
		i8042_parameter(s, value);
	} else {
		/* Data for the keyboard enables it (S84F-9809, command AE). */
		i8042_set_mode(s, 0, COMMAND_BYTE_KBD_OFF);
		ps2_keyboard_write(&s->keyboard, value);
	}
	i8042_fill(s);
}

static void command_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8042 *s = opaque;

	s->status |= STATUS_COMMAND;
	s->command = I8042_NO_COMMAND;
	i8042_command(s, value);
	i8042_fill(s);
}

static const struct region_ops data_ops = {
	.read = data_read, .write = data_write, .min_size = 1, .max_size = 1};
static const struct region_ops command_ops = {
	.read = status_read, .write = command_write, .min_size = 1, .max_size = 1};

/* Keys and movements */

static void i8042_on_key(void *opaque, enum input_key key, bool down)
{
	struct i8042 *s = opaque;

	machine_wake(s->dev.machine, WAKE_OTHER);
	ps2_keyboard_key(&s->keyboard, key, down);
	i8042_fill(s);
}

static void i8042_on_button(void *opaque, enum input_button button, bool down)
{
	struct i8042 *s = opaque;

	machine_wake(s->dev.machine, WAKE_OTHER);
	ps2_mouse_button(&s->mouse, button, down);
}

static void i8042_on_rel(void *opaque, enum input_axis axis, int by)
{
	struct i8042 *s = opaque;

	ps2_mouse_move(&s->mouse, axis, by);
}

static void i8042_on_sync(void *opaque)
{
	struct i8042 *s = opaque;

	ps2_mouse_sync(&s->mouse);
	i8042_fill(s);
}

static const struct input_handler_ops i8042_key_ops = {.key = i8042_on_key};
static const struct input_handler_ops i8042_pointer_ops = {
	.button = i8042_on_button, .rel = i8042_on_rel, .sync = i8042_on_sync};

static void i8042_reset(struct device *dev)
{
	struct i8042 *s = container_of(dev, struct i8042, dev);

	ps2_keyboard_reset(&s->keyboard);
	ps2_mouse_reset(&s->mouse);
	memset(s->ram, 0, sizeof(s->ram));
	s->ram[COMMAND_BYTE] = COMMAND_BYTE_RESET;
	s->output_port = OUTPUT_RESET_VALUE;
	s->obuf = 0;
	s->status = STATUS_COMMAND;
	s->command = I8042_NO_COMMAND;
	s->replies_n = 0;
	s->break_code = false;
	i8042_update_irq(s);
}

static bool i8042_post_load(void *opaque, struct error *err)
{
	struct i8042 *s = opaque;

	if (s->replies_n > REPLIES)
		return error_set(err, "i8042: saved state is not possible");
	s->ram[COMMAND_BYTE] &= COMMAND_BYTE_WRITABLE;
	s->output_port &= OUTPUT_WRITABLE;
	s->status &= STATUS_OBF | STATUS_COMMAND | STATUS_AUX;
	for (unsigned i = 0; i < REPLIES; i++)
		s->reply_status[i] &= STATUS_AUX;
	i8042_update_irq(s);
	return true;
}

static const struct state_desc i8042_state = {
	.name = "i8042",
	.version = 1,
	STATE_SPAN(i8042),
	.post_load = i8042_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(i8042, keyboard, ps2_keyboard_state),
			STATE_STRUCT(i8042, mouse, ps2_mouse_state),
			STATE_ARRAY(i8042, ram),
			STATE_FIELD(i8042, output_port),
			STATE_FIELD(i8042, obuf),
			STATE_FIELD(i8042, status),
			STATE_FIELD(i8042, command),
			STATE_ARRAY(i8042, replies),
			STATE_ARRAY(i8042, reply_status),
			STATE_FIELD(i8042, replies_n),
			STATE_FIELD(i8042, break_code),
			STATE_END,
		},
};

static const struct device_prop i8042_props[] = {
	DEFINE_PROP_END,
};

static bool i8042_realize(struct device *dev, struct error *err)
{
	struct i8042 *s = container_of(dev, struct i8042, dev);

	s->key_handler = (struct input_handler){.name = "PS/2 Keyboard",
						.takes = INPUT_TAKES_KEYS,
						.ops = &i8042_key_ops,
						.opaque = s};
	s->pointer_handler = (struct input_handler){.name = "PS/2 Mouse",
						    .takes = INPUT_TAKES_REL,
						    .ops = &i8042_pointer_ops,
						    .opaque = s};
	input_add_handler(dev->machine->input, &s->key_handler);
	input_add_handler(dev->machine->input, &s->pointer_handler);
	region_init_io(&s->data_port, "i8042-data", &data_ops, s, 1);
	region_init_io(&s->command_port, "i8042-command", &command_ops, s, 1);
	return isa_connect_irq(dev, &s->irq, I8042_IRQ, err) &&
	       isa_connect_irq(dev, &s->irq_aux, I8042_IRQ_AUX, err) &&
	       isa_add_ports(dev, &s->data_port, I8042_PORT_DATA, err) &&
	       isa_add_ports(dev, &s->command_port, I8042_PORT_COMMAND, err);
}

static void i8042_unrealize(struct device *dev)
{
	struct i8042 *s = container_of(dev, struct i8042, dev);

	input_remove_handler(&s->key_handler);
	input_remove_handler(&s->pointer_handler);
	isa_disconnect_irq(&s->irq);
	isa_disconnect_irq(&s->irq_aux);
	region_remove(&s->data_port);
	region_remove(&s->command_port);
}

const struct device_type i8042_type = {
	.name = "i8042",
	.desc = "8042 keyboard controller with keyboard and mouse",
	.bus = BUS_ISA,
	.size = sizeof(struct i8042),
	.props = i8042_props,
	.state = &i8042_state,
	.realize = i8042_realize,
	.reset = i8042_reset,
	.unrealize = i8042_unrealize,
};
