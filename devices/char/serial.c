/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16550A UART, as the PC's serial ports have it.
 *
 * National Semiconductor PC16550D data sheet (June 1995), section 8 "Registers".
 *
 *	offset	name	access	reset	section
 *	0	RBR	R	-	8.0; LCR.DLAB = 0
 *	0	THR	W	-	8.0; LCR.DLAB = 0
 *	0	DLL	RW	0c	8.3; LCR.DLAB = 1; chip: undefined, here 9600 baud
 *	1	IER	RW	00	8.7; LCR.DLAB = 0
 *	1	DLM	RW	00	8.3; LCR.DLAB = 1
 *	2	IIR	R	01	8.6
 *	2	FCR	W	00	8.5
 *	3	LCR	RW	00	8.1
 *	4	MCR	RW	00	8.8
 *	5	LSR	R	60	8.4
 *	6	MSR	R	b0	8.9; DCD, DSR and CTS are up: something is plugged in
 *	7	SCR	RW	00	8.10
 *
 * Not modelled: the line itself: parity and framing errors, RCLK; the DMA pins; OUT2, which on a
 * PC's board gates the interrupt.
 * Deviates because: a character leaves the moment it is written, whatever the divisor, as long as
 * the back end takes it; consoles would otherwise crawl at 9600 baud. The character time of the
 * divisor counts for the FIFO's time-out alone.
 */
#include "devices/char/serial.h"
#include "devices/isa.h"
#include "io/char/chardev.h"
#include "src/log.h"

#define UART_RBR  0
#define UART_THR  0
#define UART_DLL  0
#define UART_IER  1
#define UART_DLM  1
#define UART_IIR  2
#define UART_FCR  2
#define UART_LCR  3
#define UART_MCR  4
#define UART_LSR  5
#define UART_MSR  6
#define UART_SCR  7
#define UART_REGS 8

#define UART_IER_RDI	  0x01
#define UART_IER_THRI	  0x02
#define UART_IER_RLSI	  0x04
#define UART_IER_MSI	  0x08
#define UART_IER_WRITABLE 0x0f

#define UART_IIR_NONE	 0x01
#define UART_IIR_MSI	 0x00
#define UART_IIR_THRI	 0x02
#define UART_IIR_RDI	 0x04
#define UART_IIR_RLSI	 0x06
#define UART_IIR_TIMEOUT 0x0c
#define UART_IIR_FIFOS	 0xc0

#define UART_FCR_ENABLE	       0x01
#define UART_FCR_RX_RESET      0x02
#define UART_FCR_TX_RESET      0x04
#define UART_FCR_DMA	       0x08
#define UART_FCR_TRIGGER_SHIFT 6
#define UART_FCR_KEPT	       0xc9 /* enable, DMA mode, trigger; the resets clear themselves */

#define UART_LCR_WLS  0x03
#define UART_LCR_STB  0x04
#define UART_LCR_PEN  0x08
#define UART_LCR_EPS  0x10
#define UART_LCR_SB   0x40
#define UART_LCR_DLAB 0x80

#define UART_MCR_DTR	  0x01
#define UART_MCR_RTS	  0x02
#define UART_MCR_OUT1	  0x04
#define UART_MCR_OUT2	  0x08
#define UART_MCR_LOOP	  0x10
#define UART_MCR_WRITABLE 0x1f

#define UART_LSR_DR	  0x01
#define UART_LSR_OE	  0x02
#define UART_LSR_PE	  0x04
#define UART_LSR_FE	  0x08
#define UART_LSR_BI	  0x10
#define UART_LSR_THRE	  0x20
#define UART_LSR_TEMT	  0x40
#define UART_LSR_FIFO_ERR 0x80
#define UART_LSR_ERRORS	  (UART_LSR_OE | UART_LSR_PE | UART_LSR_FE | UART_LSR_BI)
#define UART_LSR_OF_CHAR \
	(UART_LSR_PE | UART_LSR_FE | UART_LSR_BI) /* belong to the character at the FIFO's head */

#define UART_MSR_DCTS	0x01
#define UART_MSR_DDSR	0x02
#define UART_MSR_TERI	0x04
#define UART_MSR_DDCD	0x08
#define UART_MSR_CTS	0x10
#define UART_MSR_DSR	0x20
#define UART_MSR_RI	0x40
#define UART_MSR_DCD	0x80
#define UART_MSR_DELTAS 0x0f

#define UART_FIFO	   16
#define UART_CLOCK_HZ	   1843200
#define UART_DIVISOR_9600  12
#define UART_TIMEOUT_CHARS 4

#define SERIAL_AUTO UINT32_MAX

static const uint8_t uart_trigger[] = {1, 4, 8, 14};
static const uint16_t com_ports[MACHINE_SERIALS] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
static const uint8_t com_irqs[MACHINE_SERIALS] = {4, 3, 4, 3};

struct serial {
	struct device dev;

	/* configuration */
	struct region ports;
	struct chardev *chr;
	uint32_t index, iobase, irq_num;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	int64_t last_char_ns; /* guest clock: when the receiver FIFO was last filled or read */
	uint16_t divisor;
	uint8_t ier, fcr, lcr, mcr;
	uint8_t lsr; /* but DR, THRE, TEMT and a character's errors, which the FIFOs tell */
	uint8_t msr; /* the deltas; above them the lines as last seen, to find the next delta */
	uint8_t scr;
	uint8_t rbr; /* what RBR holds when nothing new came */
	uint8_t rx[UART_FIFO], rx_status[UART_FIFO];
	uint8_t tx[UART_FIFO];
	uint8_t rx_n, tx_n;
	bool thre_pending;    /* THRE interrupt: not yet acknowledged by IIR or THR */
	bool timeout_pending; /* character time-out */
	bool rls_pending;     /* receiver line status: an error LSR has not told yet */
	GUEST_VISIBLE_END;

	/* host side */
	struct irq irq;
	struct timer timeout;
	bool rx_refused; /* the back end was told that there is no room */
};

static struct serial *serial_of(struct device *dev)
{
	return container_of(dev, struct serial, dev);
}

/* Interrupts */

static bool uart_fifos(const struct serial *s)
{
	return s->fcr & UART_FCR_ENABLE;
}

static unsigned uart_rx_room(const struct serial *s)
{
	return (uart_fifos(s) ? UART_FIFO : 1) - s->rx_n;
}

static unsigned uart_rx_trigger(const struct serial *s)
{
	return uart_fifos(s) ? uart_trigger[s->fcr >> UART_FCR_TRIGGER_SHIFT] : 1;
}

/* The pending interrupt with the highest priority (table II of the data sheet). */
static uint8_t uart_iir(const struct serial *s)
{
	if ((s->ier & UART_IER_RLSI) && s->rls_pending)
		return UART_IIR_RLSI;
	if ((s->ier & UART_IER_RDI) && s->rx_n >= uart_rx_trigger(s))
		return UART_IIR_RDI;
	if ((s->ier & UART_IER_RDI) && s->timeout_pending)
		return UART_IIR_TIMEOUT;
	if ((s->ier & UART_IER_THRI) && s->thre_pending)
		return UART_IIR_THRI;
	if ((s->ier & UART_IER_MSI) && (s->msr & UART_MSR_DELTAS))
		return UART_IIR_MSI;
	return UART_IIR_NONE;
}

static void uart_update_irq(struct serial *s)
{
	irq_set(&s->irq, uart_iir(s) != UART_IIR_NONE);
}

/* Receiver */

static int64_t uart_char_ns(const struct serial *s)
{
	unsigned bits = 1 + 5 + (s->lcr & UART_LCR_WLS) + !!(s->lcr & UART_LCR_PEN) +
			(s->lcr & UART_LCR_STB ? 2 : 1);

	return muldiv64((uint64_t)bits * 16 * (s->divisor ? s->divisor : 1), NS_PER_SEC,
			UART_CLOCK_HZ);
}

/*
 * Fewer characters than the trigger level wait: an interrupt comes when nothing happens for four
 * character times.
 */
static void uart_arm_timeout(struct serial *s)
{
	if (uart_fifos(s) && s->rx_n && !s->timeout_pending && (s->ier & UART_IER_RDI))
		timer_arm(&s->timeout, s->last_char_ns + UART_TIMEOUT_CHARS * uart_char_ns(s));
	else
		timer_cancel(&s->timeout);
}

static void uart_on_timeout(void *opaque)
{
	struct serial *s = opaque;

	s->timeout_pending = s->rx_n > 0;
	uart_update_irq(s);
}

/* The receiver saw a sign of life: filled, read or switched. */
static void uart_rx_touched(struct serial *s)
{
	s->last_char_ns = clock_now_ns(s->dev.machine->clock);
	uart_arm_timeout(s);
}

static void uart_receive_char(struct serial *s, uint8_t c, uint8_t status)
{
	if (!uart_rx_room(s)) {
		/* FIFO mode loses the newcomer, character mode the one in RBR. */
		s->lsr |= UART_LSR_OE;
		s->rls_pending = true;
		if (uart_fifos(s))
			return;
		s->rx_n = 0;
	}
	s->rx[s->rx_n] = c;
	s->rx_status[s->rx_n] = status;
	if (s->rx_n++ == 0 && status)
		s->rls_pending = true;
	uart_rx_touched(s);
}

static void uart_accept_more(struct serial *s)
{
	if (!s->rx_refused || !uart_rx_room(s) || (s->mcr & UART_MCR_LOOP))
		return;
	s->rx_refused = false;
	if (s->chr)
		chardev_accept_input(s->chr);
}

static uint8_t uart_read_rbr(struct serial *s)
{
	if (!s->rx_n)
		return s->rbr;
	s->rbr = s->rx[0];
	s->rx_n--;
	memmove(s->rx, s->rx + 1, s->rx_n);
	memmove(s->rx_status, s->rx_status + 1, s->rx_n);
	s->timeout_pending = false;
	if (s->rx_n && s->rx_status[0])
		s->rls_pending = true;
	uart_rx_touched(s);
	uart_update_irq(s);
	uart_accept_more(s);
	return s->rbr;
}

static void uart_reset_rx(struct serial *s)
{
	s->rx_n = 0;
	s->timeout_pending = false;
	timer_cancel(&s->timeout);
}

/* Transmitter */

static void uart_drain(struct serial *s)
{
	size_t taken = s->chr ? chardev_write(s->chr, s->tx, s->tx_n) : s->tx_n;

	s->tx_n -= taken;
	memmove(s->tx, s->tx + taken, s->tx_n);
	if (!s->tx_n && taken)
		s->thre_pending = true;
}

static void uart_write_thr(struct serial *s, uint8_t c)
{
	/* The line falls before the character is gone, and the interrupt is due again: an edge. */
	s->thre_pending = false;
	uart_update_irq(s);
	if (s->mcr & UART_MCR_LOOP) {
		uart_receive_char(s, c, 0);
		s->thre_pending = true;
	} else if (s->tx_n < (uart_fifos(s) ? UART_FIFO : 1)) {
		s->tx[s->tx_n++] = c;
		uart_drain(s);
	} else {
		guest_error(&s->dev, "character written while the transmitter is full");
	}
	uart_update_irq(s);
}

/* Line and modem status */

static uint8_t uart_read_lsr(struct serial *s)
{
	uint8_t value = s->lsr;

	if (!s->tx_n)
		value |= UART_LSR_THRE | UART_LSR_TEMT;
	if (s->rx_n)
		value |= UART_LSR_DR | s->rx_status[0];
	for (unsigned i = 0; uart_fifos(s) && i < s->rx_n; i++) {
		if (s->rx_status[i])
			value |= UART_LSR_FIFO_ERR;
	}
	s->lsr = 0;
	if (s->rx_n)
		s->rx_status[0] = 0;
	if (s->rls_pending) {
		s->rls_pending = false;
		uart_update_irq(s);
	}
	return value;
}

/* The modem lines: the other end's, or in loopback our own outputs. */
static uint8_t uart_modem_lines(const struct serial *s)
{
	uint8_t lines = 0;

	if (!(s->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	if (s->mcr & UART_MCR_RTS)
		lines |= UART_MSR_CTS;
	if (s->mcr & UART_MCR_DTR)
		lines |= UART_MSR_DSR;
	if (s->mcr & UART_MCR_OUT1)
		lines |= UART_MSR_RI;
	if (s->mcr & UART_MCR_OUT2)
		lines |= UART_MSR_DCD;
	return lines;
}

/* RI's delta is its trailing edge (8.9). */
static void uart_update_modem(struct serial *s)
{
	uint8_t lines = uart_modem_lines(s), changed = (lines ^ s->msr) & ~UART_MSR_DELTAS;
	uint8_t deltas = s->msr & UART_MSR_DELTAS;

	if (changed & UART_MSR_CTS)
		deltas |= UART_MSR_DCTS;
	if (changed & UART_MSR_DSR)
		deltas |= UART_MSR_DDSR;
	if (changed & UART_MSR_DCD)
		deltas |= UART_MSR_DDCD;
	if ((changed & UART_MSR_RI) && !(lines & UART_MSR_RI))
		deltas |= UART_MSR_TERI;
	s->msr = lines | deltas;
}

static uint8_t uart_read_msr(struct serial *s)
{
	uint8_t value = s->msr;

	s->msr &= ~UART_MSR_DELTAS;
	uart_update_irq(s);
	return value;
}

/* Reads */

static uint8_t uart_read_iir(struct serial *s)
{
	uint8_t value = uart_iir(s);

	if (value == UART_IIR_THRI) {
		s->thre_pending = false;
		uart_update_irq(s);
	}
	return value | (uart_fifos(s) ? UART_IIR_FIFOS : 0);
}

static uint64_t serial_read(void *opaque, uint64_t offset, unsigned size)
{
	struct serial *s = opaque;
	bool dlab = s->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_RBR:
		return dlab ? s->divisor & 0xff : uart_read_rbr(s);
	case UART_IER:
		return dlab ? s->divisor >> 8 : s->ier;
	case UART_IIR:
		return uart_read_iir(s);
	case UART_LCR:
		return s->lcr;
	case UART_MCR:
		return s->mcr;
	case UART_LSR:
		return uart_read_lsr(s);
	case UART_MSR:
		return uart_read_msr(s);
	default:
		return s->scr;
	}
}

/* A back end that is a serial line itself is told of speed and format. */
static void uart_update_line(struct serial *s)
{
	unsigned bauds = UART_CLOCK_HZ / 16;
	struct chardev_line line = {
		.speed = s->divisor ? bauds / s->divisor : bauds,
		.parity = !(s->lcr & UART_LCR_PEN) ? 'N'
			  : s->lcr & UART_LCR_EPS  ? 'E'
						   : 'O',
		.data_bits = 5 + (s->lcr & UART_LCR_WLS),
		.stop_bits = s->lcr & UART_LCR_STB ? 2 : 1,
	};

	if (s->chr && !(s->lcr & UART_LCR_DLAB))
		chardev_set_line(s->chr, &line);
}

/* Writes */

/* Enabling the interrupt of an empty transmitter raises it (8.7, and what drivers test for). */
static void uart_write_ier(struct serial *s, uint8_t value)
{
	if ((value & ~s->ier & UART_IER_THRI) && !s->tx_n)
		s->thre_pending = true;
	s->ier = value & UART_IER_WRITABLE;
	uart_arm_timeout(s);
	uart_update_irq(s);
}

/* The other bits are taken only with bit 0; changing bit 0 empties both FIFOs (8.5). */
static void uart_write_fcr(struct serial *s, uint8_t value)
{
	bool switched = (value ^ s->fcr) & UART_FCR_ENABLE;

	if (switched || (value & UART_FCR_RX_RESET))
		uart_reset_rx(s);
	if ((switched || (value & UART_FCR_TX_RESET)) && s->tx_n) {
		s->tx_n = 0;
		s->thre_pending = true;
	}
	s->fcr = value & UART_FCR_ENABLE ? value & UART_FCR_KEPT : 0;
	uart_update_irq(s);
	uart_accept_more(s);
}

static void uart_write_lcr(struct serial *s, uint8_t value)
{
	uint8_t changed = value ^ s->lcr;

	s->lcr = value;
	/* The divisor, too, counts from when DLAB is off again. */
	if (changed & ~UART_LCR_SB)
		uart_update_line(s);
	if ((changed & value & UART_LCR_SB) && (s->mcr & UART_MCR_LOOP))
		uart_receive_char(s, 0, UART_LSR_BI);
	else if ((changed & UART_LCR_SB) && s->chr)
		chardev_set_break(s->chr, value & UART_LCR_SB);
	uart_update_irq(s);
}

static void uart_write_mcr(struct serial *s, uint8_t value)
{
	s->mcr = value & UART_MCR_WRITABLE;
	uart_update_modem(s);
	uart_update_irq(s);
	uart_accept_more(s);
}

static void serial_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct serial *s = opaque;
	bool dlab = s->lcr & UART_LCR_DLAB;

	switch (offset) {
	case UART_THR:
		if (dlab)
			s->divisor = (s->divisor & 0xff00) | value;
		else
			uart_write_thr(s, value);
		break;
	case UART_IER:
		if (dlab)
			s->divisor = (s->divisor & 0xff) | value << 8;
		else
			uart_write_ier(s, value);
		break;
	case UART_FCR:
		uart_write_fcr(s, value);
		break;
	case UART_LCR:
		uart_write_lcr(s, value);
		break;
	case UART_MCR:
		uart_write_mcr(s, value);
		break;
	case UART_SCR:
		s->scr = value;
		break;
	default: /* LSR and MSR are for reading */
		break;
	}
}

static const struct region_ops serial_ops = {
	.read = serial_read, .write = serial_write, .min_size = 1, .max_size = 1};

/* The back end */

static size_t serial_can_receive(void *opaque)
{
	struct serial *s = opaque;
	size_t room = s->mcr & UART_MCR_LOOP ? 0 : uart_rx_room(s);

	if (!room)
		s->rx_refused = true;
	return room;
}

static void serial_receive(void *opaque, const uint8_t *buf, size_t n)
{
	struct serial *s = opaque;

	for (size_t i = 0; i < n; i++)
		uart_receive_char(s, buf[i], 0);
	uart_update_irq(s);
}

static void serial_event(void *opaque, enum chardev_event event)
{
	struct serial *s = opaque;

	if (event != CHR_EVENT_BREAK || (s->mcr & UART_MCR_LOOP))
		return;
	uart_receive_char(s, 0, UART_LSR_BI);
	uart_update_irq(s);
}

static void serial_writable(void *opaque)
{
	struct serial *s = opaque;

	uart_drain(s);
	uart_update_irq(s);
}

static void serial_changed(void *opaque, struct chardev *chr);

static const struct chardev_handlers serial_handlers = {
	.can_receive = serial_can_receive,
	.receive = serial_receive,
	.event = serial_event,
	.writable = serial_writable,
	.changed = serial_changed,
};

static void serial_changed(void *opaque, struct chardev *chr)
{
	struct serial *s = opaque;

	s->chr = chr;
	chardev_attach(chr, &serial_handlers, s);
	uart_update_line(s);
	chardev_set_break(chr, s->lcr & UART_LCR_SB);
	serial_writable(s);
}

/*
 * MR, table I of the data sheet; the divisor and SCR it leaves alone are set to what a power-on
 * shows here.
 */
static void serial_reset(struct device *dev)
{
	struct serial *s = serial_of(dev);

	uart_reset_rx(s);
	s->tx_n = 0;
	s->ier = s->fcr = s->lcr = s->mcr = s->lsr = s->scr = s->rbr = 0;
	s->divisor = UART_DIVISOR_9600;
	s->msr = uart_modem_lines(s);
	s->thre_pending = s->rls_pending = false;
	s->last_char_ns = 0;
	uart_update_irq(s);
	uart_accept_more(s);
}

static bool serial_post_load(void *opaque, struct error *err)
{
	struct serial *s = opaque;
	int64_t now = clock_now_ns(s->dev.machine->clock);

	if (s->rx_n > UART_FIFO || s->tx_n > UART_FIFO || s->last_char_ns < 0 ||
	    s->last_char_ns > now)
		return error_set(err, "isa-serial: saved state is not possible");
	s->fcr &= UART_FCR_KEPT;
	s->ier &= UART_IER_WRITABLE;
	s->mcr &= UART_MCR_WRITABLE;
	s->lsr &= UART_LSR_OE;
	for (unsigned i = 0; i < UART_FIFO; i++)
		s->rx_status[i] &= UART_LSR_OF_CHAR;
	if (!uart_fifos(s)) {
		s->rx_n = MIN(s->rx_n, 1);
		s->tx_n = MIN(s->tx_n, 1);
	}
	uart_drain(s);
	uart_arm_timeout(s);
	uart_update_irq(s);
	return true;
}

static const struct state_desc serial_state = {
	.name = "serial",
	.version = 1,
	STATE_SPAN(serial),
	.post_load = serial_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(serial, last_char_ns),
			STATE_FIELD(serial, divisor),
			STATE_FIELD(serial, ier),
			STATE_FIELD(serial, fcr),
			STATE_FIELD(serial, lcr),
			STATE_FIELD(serial, mcr),
			STATE_FIELD(serial, lsr),
			STATE_FIELD(serial, msr),
			STATE_FIELD(serial, scr),
			STATE_FIELD(serial, rbr),
			STATE_ARRAY(serial, rx),
			STATE_ARRAY(serial, rx_status),
			STATE_ARRAY(serial, tx),
			STATE_FIELD(serial, rx_n),
			STATE_FIELD(serial, tx_n),
			STATE_FIELD(serial, thre_pending),
			STATE_FIELD(serial, timeout_pending),
			STATE_FIELD(serial, rls_pending),
			STATE_END,
		},
};

static const struct device_prop serial_props[] = {
	DEFINE_PROP(serial, index, "index", PROP_U32, SERIAL_AUTO,
		    "COM port, from 0; default: the first that is free"),
	DEFINE_PROP(serial, iobase, "iobase", PROP_U32, SERIAL_AUTO,
		    "first of eight ports; default: as index has it"),
	DEFINE_PROP(serial, irq_num, "irq", PROP_U32, SERIAL_AUTO,
		    "ISA interrupt line; default: as index has it"),
	DEFINE_PROP(serial, chr, "chardev", PROP_CHARDEV, 0, "character device to talk to"),
	DEFINE_PROP_END,
};

static bool index_is_taken(const struct machine *m, uint32_t index)
{
	list_for_each(it, &m->devices) {
		struct device *dev = list_entry(it, struct device, node);

		if (dev->type == &serial_type && dev->realized && serial_of(dev)->index == index)
			return true;
	}
	return false;
}

static bool serial_choose_index(struct serial *s, struct error *err)
{
	const struct machine *m = s->dev.machine;

	if (s->index == SERIAL_AUTO) {
		for (s->index = 0; index_is_taken(m, s->index); s->index++)
			;
	} else if (index_is_taken(m, s->index)) {
		return error_set(err, "isa-serial: index=%u is taken", s->index);
	}
	if (s->index >= MACHINE_SERIALS && (s->iobase == SERIAL_AUTO || s->irq_num == SERIAL_AUTO))
		return error_set(
			err,
			"isa-serial: there are %u serial ports at most; more need iobase= and irq=",
			MACHINE_SERIALS);
	if (s->iobase == SERIAL_AUTO)
		s->iobase = com_ports[s->index];
	if (s->irq_num == SERIAL_AUTO)
		s->irq_num = com_irqs[s->index];
	return true;
}

static bool serial_realize(struct device *dev, struct error *err)
{
	struct serial *s = serial_of(dev);

	if (!serial_choose_index(s, err) || !isa_connect_irq(dev, &s->irq, s->irq_num, err))
		return false;
	region_init_io(&s->ports, "serial", &serial_ops, s, UART_REGS);
	/*
	 * A driver learns by reading what its write did, and a read waits for the writes before it.
	 */
	s->ports.posted = true;
	if (!isa_add_ports(dev, &s->ports, s->iobase, err))
		return false;
	timer_init(&s->timeout, dev->machine->clock, "serial", uart_on_timeout, s);
	if (s->chr)
		chardev_attach(s->chr, &serial_handlers, s);
	return true;
}

static void serial_unrealize(struct device *dev)
{
	struct serial *s = serial_of(dev);

	if (s->chr)
		chardev_attach(s->chr, NULL, NULL);
	timer_cancel(&s->timeout);
	isa_disconnect_irq(&s->irq);
	region_remove(&s->ports);
}

const struct device_type serial_type = {
	.name = "isa-serial",
	.desc = "16550A UART",
	.bus = BUS_ISA,
	.user_creatable = true,
	.size = sizeof(struct serial),
	.props = serial_props,
	.state = &serial_state,
	.realize = serial_realize,
	.reset = serial_reset,
	.unrealize = serial_unrealize,
};
