/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PC's pair of DMA controllers with their page registers.
 *
 * Intel 8237A data sheet (231466-005) "Register description", "Software commands"; 82371SB PIIX3 (290550-002) 2.5.1
 * "DMA registers" for the places, and which registers can be read back.
 *
 *	port (second: c0 + 2 * n)	name		access	reset	section
 *	00-06 even	base/current address 0-3	RW	0	"Current address register"
 *	01-07 odd	base/current word count 0-3	RW	0	"Current word register"; both by the flip-flop
 *	08		command / status		W / R	0	"Command register", "Status register"
 *	09		request				W	0	"Request register"
 *	0a		write single mask bit		W	-	"Mask register"
 *	0b		mode				W	0	"Mode register"
 *	0c		clear byte pointer		W	-	"Software commands"
 *	0d		master clear / temporary	W / R	0	same
 *	0e		clear mask			W	-	same
 *	0f		write all mask bits		RW	0f	"Mask register"
 *
 *	81-83, 87, 89-8b, 8f	page of channel 2, 3, 1, 0, 6, 7, 5, and refresh	290550 2.5.1
 *	80, 84-86, 88, 8c-8e	bytes that keep what is written
 *
 * Not modelled: memory-to-memory transfers, priorities, bus timing; demand, single and block mode are
 * alike. Software requests run nothing, as no device would answer them.
 */
#include "devices/chipset/i8257.h"
#include "devices/isa.h"

#define CHANNELS	8
#define PER_CONTROLLER	4
#define CONTROLLERS	2
#define CHANNEL_CASCADE 4
#define FIRST_PORT	0x00
#define SECOND_PORT	0xc0
#define PAGE_PORT	0x80
#define PAGES		16

#define REG_COMMAND	 0x8
#define REG_STATUS	 0x8
#define REG_REQUEST	 0x9
#define REG_MASK	 0xa
#define REG_MODE	 0xb
#define REG_CLEAR_FF	 0xc
#define REG_MASTER_CLEAR 0xd
#define REG_CLEAR_MASK	 0xe
#define REG_ALL_MASK	 0xf

#define COMMAND_DISABLE 0x04
#define MASK_SET	0x04
#define MASK_CHANNEL	0x03
#define MASK_ALL	0x0f

#define MODE_CHANNEL	 0x03
#define MODE_TRANSFER	 0x0c
#define MODE_TO_MEMORY	 0x04
#define MODE_FROM_MEMORY 0x08
#define MODE_AUTO	 0x10
#define MODE_DECREMENT	 0x20

#define PAGE_MASK_8  0xff
#define PAGE_MASK_16 0xfe

/* Of page register n (port 80h + n): whose it is. */
static const uint8_t page_of_channel[CHANNELS] = {0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa};

struct channel {
	uint16_t base_addr, base_count, addr, count;
	uint8_t mode, pad;
};

struct controller {
	struct channel channels[PER_CONTROLLER];
	uint8_t command, status, mask, request; /* status: TC in bits 3-0, DREQ in 7-4 */
	uint8_t flip_flop, pad[3];
};

struct i8257 {
	struct device dev;

	/* configuration */
	struct region ports[CONTROLLERS], page_ports;
	struct region
		post_port; /* the first of them, which no channel uses: firmware and Linux write there to pass the time */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	struct controller controllers[CONTROLLERS];
	uint8_t pages[PAGES];
	GUEST_VISIBLE_END;

	/* host side */
	struct {
		void (*ready)(void *opaque);
		void *opaque;
	} devices[CHANNELS];
};

static struct i8257 *i8257_of(struct device *dev)
{
	return container_of(dev, struct i8257, dev);
}

/* ---- transfers ---- */

static bool channel_is_ready(const struct controller *c, unsigned n)
{
	return (c->status & BIT(4 + n)) && !(c->mask & BIT(n)) && !(c->command & COMMAND_DISABLE);
}

/* Whoever has waited for a channel goes on. */
static void wake(struct i8257 *s, unsigned controller)
{
	for (unsigned n = 0; n < PER_CONTROLLER; n++) {
		unsigned channel = controller * PER_CONTROLLER + n;

		if (s->devices[channel].ready && channel_is_ready(&s->controllers[controller], n))
			s->devices[channel].ready(s->devices[channel].opaque);
	}
}

/* The address that the next unit has; a unit is one byte, or two in the second controller. */
static gpa_t unit_address(const struct i8257 *s, unsigned channel)
{
	const struct channel *ch =
		&s->controllers[channel / PER_CONTROLLER].channels[channel % PER_CONTROLLER];
	uint32_t page = s->pages[page_of_channel[channel]];

	if (channel < PER_CONTROLLER)
		return (page & PAGE_MASK_8) << 16 | ch->addr;
	return (page & PAGE_MASK_16) << 16 | (uint32_t)ch->addr << 1;
}

/* How many units lie in a row, without the address wrapping or the count running out. */
static size_t run_units(const struct channel *ch, size_t units)
{
	if (ch->mode & MODE_DECREMENT)
		return 1;
	units = MIN(units, (size_t)ch->count + 1);
	return MIN(units, 0x10000u - ch->addr);
}

static void move(struct i8257 *s, unsigned channel, const struct channel *ch, uint8_t *buf,
		 size_t bytes, bool to_memory)
{
	struct machine *m = s->dev.machine;
	unsigned wanted = to_memory ? MODE_TO_MEMORY : MODE_FROM_MEMORY;

	if ((ch->mode & MODE_TRANSFER) != wanted) {
		if (!to_memory)
			memset(buf, 0xff, bytes);
	} else if (to_memory) {
		dma_write(m, unit_address(s, channel), buf, bytes);
	} else {
		dma_read(m, unit_address(s, channel), buf, bytes);
	}
}

/* True at the terminal count. */
static bool advance(struct controller *c, unsigned n, size_t units)
{
	struct channel *ch = &c->channels[n];
	bool tc = units > ch->count;

	ch->addr += ch->mode & MODE_DECREMENT ? -units : units;
	ch->count -= units;
	if (!tc)
		return false;
	c->status |= BIT(n);
	if (ch->mode & MODE_AUTO) {
		ch->addr = ch->base_addr;
		ch->count = ch->base_count;
	} else {
		c->mask |= BIT(n);
	}
	return true;
}

size_t i8257_transfer(struct device *dma, unsigned channel, uint8_t *buf, size_t bytes,
		      bool to_memory, bool *tc)
{
	struct i8257 *s = i8257_of(dma);
	struct controller *c = &s->controllers[channel / PER_CONTROLLER];
	unsigned n = channel % PER_CONTROLLER, unit = channel < PER_CONTROLLER ? 1 : 2;
	size_t done = 0;

	LOOP_ASSERT();
	*tc = false;
	while (bytes - done >= unit && channel_is_ready(c, n) && !*tc) {
		size_t units = run_units(&c->channels[n], (bytes - done) / unit);

		move(s, channel, &c->channels[n], buf + done, units * unit, to_memory);
		done += units * unit;
		*tc = advance(c, n, units);
	}
	return done;
}

void i8257_set_dreq(struct device *dma, unsigned channel, bool level)
{
	struct i8257 *s = i8257_of(dma);
	struct controller *c = &s->controllers[channel / PER_CONTROLLER];
	uint8_t bit = BIT(4 + channel % PER_CONTROLLER);

	c->status = level ? c->status | bit : c->status & ~bit;
}

bool i8257_is_ready(struct device *dma, unsigned channel)
{
	const struct i8257 *s = i8257_of(dma);

	return channel_is_ready(&s->controllers[channel / PER_CONTROLLER],
				channel % PER_CONTROLLER);
}

bool i8257_connect(struct device *dma, unsigned channel, void (*ready)(void *opaque), void *opaque)
{
	struct i8257 *s = i8257_of(dma);

	if (channel >= CHANNELS || channel == CHANNEL_CASCADE ||
	    (ready && s->devices[channel].ready))
		return false;
	s->devices[channel].ready = ready;
	s->devices[channel].opaque = opaque;
	return true;
}

struct device *i8257_find(struct machine *m)
{
	list_for_each(it, &m->devices) {
		struct device *dev = list_entry(it, struct device, node);

		if (dev->type == &i8257_type && dev->realized)
			return dev;
	}
	return NULL;
}

/* ---- registers ---- */

/* The flip-flop says which half; it turns with every access. */
static uint8_t half(struct controller *c, uint16_t value)
{
	c->flip_flop ^= 1;
	return c->flip_flop ? value : value >> 8;
}

static void set_half(struct controller *c, uint16_t *base, uint16_t *current, uint8_t value)
{
	c->flip_flop ^= 1;
	*base = c->flip_flop ? (*base & 0xff00) | value : (*base & 0xff) | value << 8;
	*current = *base;
}

static void master_clear(struct controller *c)
{
	c->command = c->request = c->flip_flop = 0;
	c->status &= 0xf0;
	c->mask = MASK_ALL;
}

static uint8_t controller_read(struct controller *c, unsigned reg)
{
	uint8_t value;

	if (reg < REG_STATUS) {
		const struct channel *ch = &c->channels[reg / 2];

		return half(c, reg & 1 ? ch->count : ch->addr);
	}
	switch (reg) {
	case REG_STATUS:
		value = c->status;
		c->status &= 0xf0;
		return value;
	case REG_ALL_MASK:
		return c->mask | 0xf0;
	default:
		return 0;
	}
}

static void controller_write(struct controller *c, unsigned reg, uint8_t value)
{
	struct channel *ch = &c->channels[reg / 2 % PER_CONTROLLER];

	if (reg < REG_COMMAND) {
		if (reg & 1)
			set_half(c, &ch->base_count, &ch->count, value);
		else
			set_half(c, &ch->base_addr, &ch->addr, value);
		return;
	}
	switch (reg) {
	case REG_COMMAND:
		c->command = value;
		break;
	case REG_REQUEST:
		if (value & MASK_SET)
			c->request |= BIT(value & MASK_CHANNEL);
		else
			c->request &= ~BIT(value & MASK_CHANNEL);
		break;
	case REG_MASK:
		if (value & MASK_SET)
			c->mask |= BIT(value & MASK_CHANNEL);
		else
			c->mask &= ~BIT(value & MASK_CHANNEL);
		break;
	case REG_MODE:
		c->channels[value & MODE_CHANNEL].mode = value & ~MODE_CHANNEL;
		break;
	case REG_CLEAR_FF:
		c->flip_flop = 0;
		break;
	case REG_MASTER_CLEAR:
		master_clear(c);
		break;
	case REG_CLEAR_MASK:
		c->mask = 0;
		break;
	case REG_ALL_MASK:
		c->mask = value & MASK_ALL;
		break;
	}
}

static uint64_t first_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8257 *s = opaque;

	return controller_read(&s->controllers[0], offset);
}

static void first_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8257 *s = opaque;

	controller_write(&s->controllers[0], offset, value);
	wake(s, 0);
}

/* The second controller's address lines are shifted by one. */
static uint64_t second_read(void *opaque, uint64_t offset, unsigned size)
{
	struct i8257 *s = opaque;

	return controller_read(&s->controllers[1], offset / 2);
}

static void second_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct i8257 *s = opaque;

	controller_write(&s->controllers[1], offset / 2, value);
	wake(s, 1);
}

static uint64_t page_read(void *opaque, uint64_t offset, unsigned size)
{
	return ((struct i8257 *)opaque)->pages[offset];
}

static void page_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	((struct i8257 *)opaque)->pages[offset] = value;
}

static const struct region_ops first_ops = {
	.read = first_read, .write = first_write, .min_size = 1, .max_size = 1};
static const struct region_ops second_ops = {
	.read = second_read, .write = second_write, .min_size = 1, .max_size = 1};
static const struct region_ops page_ops = {
	.read = page_read, .write = page_write, .min_size = 1, .max_size = 1};

/* ---- life ---- */

/* A device holds its DREQ by itself, and lowers it when it is reset. */
static void i8257_reset(struct device *dev)
{
	struct i8257 *s = i8257_of(dev);

	for (unsigned i = 0; i < CONTROLLERS; i++) {
		uint8_t dreq = s->controllers[i].status & 0xf0;

		memset(&s->controllers[i], 0, sizeof(s->controllers[i]));
		master_clear(&s->controllers[i]);
		s->controllers[i].status = dreq;
	}
	memset(s->pages, 0, sizeof(s->pages));
}

static bool i8257_post_load(void *opaque, struct error *err)
{
	struct i8257 *s = opaque;

	for (unsigned i = 0; i < CONTROLLERS; i++) {
		s->controllers[i].mask &= MASK_ALL;
		s->controllers[i].flip_flop &= 1;
	}
	return true;
}

static const struct state_desc channel_state = {
	.name = "i8257-channel",
	.version = 1,
	.span_offset = 0,
	.span_bytes = sizeof(struct channel),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(channel, base_addr),
			STATE_FIELD(channel, base_count),
			STATE_FIELD(channel, addr),
			STATE_FIELD(channel, count),
			STATE_FIELD(channel, mode),
			STATE_FIELD(channel, pad),
			STATE_END,
		},
};

static const struct state_desc controller_state = {
	.name = "i8257-controller",
	.version = 1,
	.span_offset = 0,
	.span_bytes = sizeof(struct controller),
	.fields =
		(const struct state_field[]){
			STATE_STRUCT_ARRAY(controller, channels, channel_state),
			STATE_FIELD(controller, command),
			STATE_FIELD(controller, status),
			STATE_FIELD(controller, mask),
			STATE_FIELD(controller, request),
			STATE_FIELD(controller, flip_flop),
			STATE_ARRAY(controller, pad),
			STATE_END,
		},
};

static const struct state_desc i8257_state = {
	.name = "i8257",
	.version = 1,
	STATE_SPAN(i8257),
	.post_load = i8257_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT_ARRAY(i8257, controllers, controller_state),
			STATE_ARRAY(i8257, pages),
			STATE_END,
		},
};

static bool i8257_realize(struct device *dev, struct error *err)
{
	struct i8257 *s = i8257_of(dev);

	if (i8257_find(dev->machine))
		return error_set(err, "i8257: the machine has DMA controllers already");
	region_init_io(&s->ports[0], "i8257-1", &first_ops, s, 16);
	region_init_io(&s->ports[1], "i8257-2", &second_ops, s, 32);
	region_init_io(&s->page_ports, "i8257-pages", &page_ops, s, PAGES);
	region_init_io(&s->post_port, "i8257-page0", &page_ops, s, 1);
	s->post_port.coalesced = true;
	isa_add_ports(dev, &s->ports[0], FIRST_PORT, err);
	isa_add_ports(dev, &s->ports[1], SECOND_PORT, err);
	isa_add_ports(dev, &s->page_ports, PAGE_PORT, err);
	isa_add_ports(dev, &s->post_port, PAGE_PORT, err);
	return true;
}

static void i8257_unrealize(struct device *dev)
{
	struct i8257 *s = i8257_of(dev);

	region_remove(&s->ports[0]);
	region_remove(&s->ports[1]);
	region_remove(&s->post_port);
	region_remove(&s->page_ports);
}

const struct device_type i8257_type = {
	.name = "i8257",
	.desc = "8237A DMA controllers",
	.bus = BUS_ISA,
	.size = sizeof(struct i8257),
	.state = &i8257_state,
	.realize = i8257_realize,
	.reset = i8257_reset,
	.unrealize = i8257_unrealize,
};
