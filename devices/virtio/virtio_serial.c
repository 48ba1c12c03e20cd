/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio console device (Virtio 1.2, 5.3), the controller: queues, control messages, configuration.
 *
 *	queues	0 receiveq(port 0)	1 transmitq(port 0)	2 control receiveq	3 control transmitq
 *		4 receiveq(port 1)	5 transmitq(port 1)	...
 *
 *	config	name			width	section 5.3.4
 *	00	cols, rows		16	VIRTIO_CONSOLE_F_SIZE: not offered
 *	04	max_nr_ports		32
 *	08	emerg_wr		32, W
 *
 *	control	0 DEVICE_READY	1 DEVICE_ADD	2 DEVICE_REMOVE	3 PORT_READY
 *		4 CONSOLE_PORT	5 RESIZE	6 PORT_OPEN	7 PORT_NAME
 *
 * Not modelled: the size of a console (VIRTIO_CONSOLE_F_SIZE, RESIZE).
 * Deviates because: output of a console port that the back end does not take is lost, where that of other ports waits: a
 * console's driver spins until the device has taken its bytes, and must not spin for as long as nobody reads.
 */
#include <stdlib.h>
#include "devices/virtio/virtio_mmio.h"
#include "devices/virtio/virtio_pci.h"
#include "devices/virtio/virtio_serial.h"
#include "devices/virtio/virtio_types.h"

#define QUEUE_SIZE	   128
#define CONTROL_QUEUE_SIZE 32
#define OUTPUT_CHUNK	   4096
#define CHUNKS_IN_A_TURN   16

#define CONFIG_MAX_PORTS 4
#define CONFIG_EMERG_WR	 8
#define CONFIG_BYTES	 12

#define CONSOLE_F_MULTIPORT   1
#define CONSOLE_F_EMERG_WRITE 2

enum control_event {
	DEVICE_READY,
	DEVICE_ADD,
	DEVICE_REMOVE,
	PORT_READY,
	CONSOLE_PORT,
	RESIZE,
	PORT_OPEN,
	PORT_NAME,
};

static struct virtio_serial *serial_of(struct virtio *v)
{
	return container_of(v, struct virtio_serial, v);
}

static bool multiport(const struct virtio_serial *s)
{
	return virtio_has(&s->v, CONSOLE_F_MULTIPORT);
}

/* ---- control messages ---- */

static void write_message(struct virtio_serial *s, const struct virtio_serial_message *m)
{
	struct virtio_serial_port *port =
		m->port < VIRTIO_SERIAL_MAX_PORTS ? s->ports[m->port] : NULL;
	size_t n = virtq_write(&s->elem, 0, m, sizeof(*m));

	if (m->event == PORT_NAME && port && port->name)
		n += virtq_write(&s->elem, n, port->name, strlen(port->name));
	virtq_push(s->control_receive, &s->elem, n);
}

static void send_messages(struct virtio_serial *s)
{
	while (s->n_messages && virtq_pop(s->control_receive, &s->elem)) {
		const struct virtio_serial_message *m = &s->messages[s->first_message];

		s->first_message = (s->first_message + 1) % VIRTIO_SERIAL_MESSAGES;
		s->n_messages--;
		write_message(s, m);
	}
}

static void tell(struct virtio_serial *s, unsigned port, enum control_event event, bool value)
{
	if (!multiport(s) || !s->driver_ready)
		return;
	if (s->n_messages == VIRTIO_SERIAL_MESSAGES) {
		guest_error(s->v.dev, "has no room for control messages");
		return;
	}
	s->messages[(s->first_message + s->n_messages++) % VIRTIO_SERIAL_MESSAGES] =
		(struct virtio_serial_message){.port = port, .event = event, .value = value};
	send_messages(s);
}

static void port_ready(struct virtio_serial *s, struct virtio_serial_port *port)
{
	if (port->is_console)
		tell(s, port->number, CONSOLE_PORT, true);
	if (port->name)
		tell(s, port->number, PORT_NAME, true);
	if (port->host_open)
		tell(s, port->number, PORT_OPEN, true);
}

static void device_ready(struct virtio_serial *s, bool ok)
{
	if (!ok) {
		guest_error(s->v.dev, "failed in the driver");
		return;
	}
	s->driver_ready = true;
	for (unsigned i = 0; i < s->max_ports; i++)
		if (s->ports[i])
			tell(s, i, DEVICE_ADD, true);
}

static void handle_message(struct virtio_serial *s, const struct virtio_serial_message *m)
{
	struct virtio_serial_port *port;

	if (m->event == DEVICE_READY) {
		device_ready(s, m->value);
		return;
	}
	port = m->port < s->max_ports ? s->ports[m->port] : NULL;
	if (!port) {
		guest_error(s->v.dev, "a message for port %u, which is not there", m->port);
		return;
	}
	switch (m->event) {
	case PORT_READY:
		if (m->value)
			port_ready(s, port);
		else
			guest_error(s->v.dev, "port %u failed in the driver", m->port);
		break;
	case PORT_OPEN:
		port_guest_open(port, m->value);
		break;
	default:
		guest_error(s->v.dev, "a message of kind %u", m->event);
	}
}

static enum virtq_next control_one(struct virtqueue *vq)
{
	struct virtio_serial *s = serial_of(vq->virtio);
	struct virtio_serial_message m;
	size_t n;

	if (!virtq_pop(vq, &s->elem))
		return VIRTQ_NONE;
	n = virtq_read(&s->elem, 0, &m, sizeof(m));
	virtq_push(vq, &s->elem, 0);
	if (n == sizeof(m))
		handle_message(s, &m);
	else
		guest_error(s->v.dev, "a control message of %zu bytes", n);
	return VIRTQ_SERVED;
}

/* ---- data ---- */

/*
 * False: the rest has to wait, until the back end has room or the loop has had its turn: descriptors may name the same memory
 * again and again. While the back end is written to it may ask for room or say that somebody has come or gone, and that uses
 * s->elem.
 */
static bool output(struct virtio_serial_port *port)
{
	uint8_t buf[OUTPUT_CHUNK];

	for (unsigned i = 0; i < CHUNKS_IN_A_TURN; i++) {
		size_t n = virtq_read(&port->out, port->transmitted, buf, sizeof(buf));
		size_t taken = n ? port_output(port, buf, n) : 0;

		port->transmitted += taken;
		if (taken < n) {
			port->stalled = !port->is_console;
			return port->is_console;
		}
		if (n < sizeof(buf))
			return true;
	}
	return false;
}

static enum virtq_next transmit_one(struct virtqueue *vq)
{
	struct virtio_serial *s = serial_of(vq->virtio);
	unsigned n = vq->index < 2 ? 0 : vq->index / 2 - 1;
	struct virtio_serial_port *port = s->ports[n];
	struct virtq_elem *e = port ? &port->out : &s->elem;

	if (port && port->stalled)
		return VIRTQ_STALLED;
	if (!virtq_pop(vq, e))
		return VIRTQ_NONE;
	if (port && !output(port)) {
		virtq_unpop(vq, e);
		if (!port->stalled)
			virtio_kick_later(vq);
		return VIRTQ_STALLED;
	}
	if (port)
		port->transmitted = 0;
	virtq_push(vq, e, 0);
	return VIRTQ_SERVED;
}

static void serial_notified(struct virtqueue *vq)
{
	struct virtio_serial *s = serial_of(vq->virtio);

	if (vq == s->control_receive) {
		send_messages(s);
	} else if (vq == s->control_transmit) {
		virtq_drain(vq, control_one);
	} else if (vq->index % 2) {
		virtq_drain(vq, transmit_one);
	} else {
		unsigned n = vq->index ? vq->index / 2 - 1 : 0;

		virtq_set_notification(vq, false);
		if (s->ports[n])
			port_receive_ready(s->ports[n]);
	}
}

size_t virtio_serial_room(struct virtio_serial_port *port)
{
	struct virtio_serial *s = port->serial;
	struct virtqueue *vq;
	size_t n;

	if (!s || !virtio_running(&s->v) || (multiport(s) && !port->guest_open))
		return 0;
	vq = s->receive[port->number];
	if (virtq_empty(vq)) {
		virtq_set_notification(vq, true);
		if (virtq_empty(vq))
			return 0;
		virtq_set_notification(vq, false);
	}
	if (!virtq_pop(vq, &s->elem))
		return 0;
	n = s->elem.in_bytes;
	if (n) {
		virtq_unpop(vq, &s->elem);
		return n;
	}
	virtio_break(&s->v, "a buffer for input that has no room");
	virtq_push(vq, &s->elem, 0);
	return 0;
}

void virtio_serial_input(struct virtio_serial_port *port, const uint8_t *buf, size_t n)
{
	struct virtio_serial *s = port->serial;

	while (s && n && virtq_pop(s->receive[port->number], &s->elem)) {
		size_t done = virtq_write(&s->elem, 0, buf, n);

		virtq_push(s->receive[port->number], &s->elem, done);
		if (!done)
			return;
		buf += done;
		n -= done;
	}
}

void virtio_serial_resume(struct virtio_serial_port *port)
{
	if (!port->stalled)
		return;
	port->stalled = false;
	if (port->serial)
		virtio_kick(port->serial->transmit[port->number]);
}

void virtio_serial_host_open(struct virtio_serial_port *port, bool open)
{
	if (port->host_open == open)
		return;
	port->host_open = open;
	if (port->serial)
		tell(port->serial, port->number, PORT_OPEN, open);
}

/* ---- ports come and go ---- */

static bool choose_number(struct virtio_serial *s, struct virtio_serial_port *port,
			  struct error *err)
{
	unsigned n = port->number;

	if (n == UINT32_MAX) {
		/* Port 0 is the console of drivers that know of no other. */
		for (n = port->is_console ? 0 : 1; n < s->max_ports && s->ports[n]; n++)
			;
		if (n >= s->max_ports)
			return error_set(err, "all %u ports of '%s' are in use", s->max_ports,
					 s->bus.name);
		port->number = n;
		return true;
	}
	if (n >= s->max_ports)
		return error_set(err, "nr=%u: '%s' has ports 0 to %u", n, s->bus.name,
				 s->max_ports - 1);
	if (s->ports[n])
		return error_set(err, "nr=%u is in use", n);
	if (!n && !port->is_console)
		return error_set(err, "nr=0 is reserved for a virtconsole");
	return true;
}

static bool name_in_use(const struct virtio_serial *s, const char *name)
{
	for (unsigned i = 0; i < s->max_ports; i++)
		if (s->ports[i] && s->ports[i]->name && !strcmp(s->ports[i]->name, name))
			return true;
	return false;
}

bool virtio_serial_attach(struct virtio_serial_port *port, struct error *err)
{
	struct bus *bus = bus_find(port->dev.machine, BUS_VIRTIO_SERIAL, port->bus_name,
				   port->dev.type->name, err);
	struct virtio_serial *s;

	if (!bus)
		return false;
	s = container_of(bus, struct virtio_serial, bus);
	if (port->name && name_in_use(s, port->name))
		return error_set(err, "name=%s is in use", port->name);
	if (!choose_number(s, port, err))
		return false;
	s->ports[port->number] = port;
	port->serial = s;
	port->dev.parent_bus = bus;
	tell(s, port->number, DEVICE_ADD, true);
	return true;
}

void virtio_serial_detach(struct virtio_serial_port *port)
{
	struct virtio_serial *s = port->serial;

	s->ports[port->number] = NULL;
	port->serial = NULL;
	tell(s, port->number, DEVICE_REMOVE, true);
	/* What a stalled port has left there is nobody's. */
	if (s->transmit[port->number])
		virtio_kick(s->transmit[port->number]);
}

/* ---- the device ---- */

static void serial_config_written(struct virtio *v, unsigned offset, unsigned bytes)
{
	struct virtio_serial *s = serial_of(v);
	uint8_t c = v->config[CONFIG_EMERG_WR];

	/* Before features are agreed on, too: it is for a kernel that has only just begun, or is about to end (5.3.4). */
	if (s->emergency_write && offset == CONFIG_EMERG_WR)
		for (unsigned i = 0; i < s->max_ports; i++)
			if (s->ports[i] && s->ports[i]->is_console) {
				port_output(s->ports[i], &c, 1);
				break;
			}
	stn_le(&v->config[CONFIG_MAX_PORTS], 4, s->max_ports);
	stn_le(&v->config[CONFIG_EMERG_WR], 4, 0);
}

static void serial_reset(struct virtio *v)
{
	struct virtio_serial *s = serial_of(v);

	stn_le(&v->config[CONFIG_MAX_PORTS], 4, s->max_ports);
	s->driver_ready = false;
	s->first_message = s->n_messages = 0;
	memset(s->messages, 0, sizeof(s->messages));
	for (unsigned i = 0; i < s->max_ports; i++)
		if (s->ports[i]) {
			s->ports[i]->transmitted = 0;
			port_guest_open(s->ports[i], false);
		}
}

/* A driver without MULTIPORT says nothing of opening: it has the one port. */
static void serial_started(struct virtio *v)
{
	struct virtio_serial *s = serial_of(v);

	if (s->ports[0] && !multiport(s))
		port_guest_open(s->ports[0], true);
}

static void serial_queue_reset(struct virtqueue *vq)
{
	struct virtio_serial *s = serial_of(vq->virtio);

	for (unsigned i = 0; i < s->max_ports; i++)
		if (s->ports[i] && s->transmit[i] == vq)
			s->ports[i]->transmitted = 0;
}

static const struct virtio_class serial_class = {
	.name = "virtio-serial",
	.id = VIRTIO_ID_CONSOLE,
	.pci_class = 0x078000,
	.config_bytes = CONFIG_BYTES,
	.config_written = serial_config_written,
	.started = serial_started,
	.notified = serial_notified,
	.reset = serial_reset,
	.queue_reset = serial_queue_reset,
};

static bool virtio_serial_init(struct virtio_serial *s, struct device *dev, struct error *err)
{
	uint64_t features = s->max_ports > 1 ? BIT64(CONSOLE_F_MULTIPORT) : 0;

	if (!s->max_ports || s->max_ports > VIRTIO_SERIAL_MAX_PORTS)
		return error_set(err, "max_ports=%u: 1 to %u", s->max_ports,
				 VIRTIO_SERIAL_MAX_PORTS);
	if (s->emergency_write)
		features |= BIT64(CONSOLE_F_EMERG_WRITE);
	virtio_init(&s->v, &serial_class, dev, features);
	for (unsigned i = 0; i < s->max_ports; i++) {
		s->receive[i] = virtio_add_queue(&s->v, QUEUE_SIZE);
		s->transmit[i] = virtio_add_queue(&s->v, QUEUE_SIZE);
		if (i)
			continue;
		s->control_receive = virtio_add_queue(&s->v, CONTROL_QUEUE_SIZE);
		s->control_transmit = virtio_add_queue(&s->v, CONTROL_QUEUE_SIZE);
	}
	bus_init(&s->bus, dev, BUS_VIRTIO_SERIAL, "virtio-serial-bus");
	return true;
}

/* Its ports have gone before. */
static void virtio_serial_fini(struct virtio_serial *s)
{
	bus_fini(&s->bus);
	virtio_fini(&s->v);
}

static bool virtio_serial_post_load(void *opaque, struct error *err)
{
	struct virtio_serial *s = opaque;

	if (s->first_message >= VIRTIO_SERIAL_MESSAGES || s->n_messages > VIRTIO_SERIAL_MESSAGES)
		return error_set(err, "virtio-serial: more messages than fit");
	return true;
}

static const struct state_desc message_state = {
	.name = "virtio-serial-message",
	.version = 1,
	.span_bytes = sizeof(struct virtio_serial_message),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(virtio_serial_message, port),
			STATE_FIELD(virtio_serial_message, event),
			STATE_FIELD(virtio_serial_message, value),
			STATE_END,
		},
};

static const struct state_desc virtio_serial_state = {
	.name = "virtio-serial",
	.version = 1,
	STATE_SPAN(virtio_serial),
	.post_load = virtio_serial_post_load,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT_ARRAY(virtio_serial, messages, message_state),
			STATE_FIELD(virtio_serial, first_message),
			STATE_FIELD(virtio_serial, n_messages),
			STATE_FIELD(virtio_serial, driver_ready),
			STATE_ARRAY(virtio_serial, reserved),
			STATE_END,
		},
};

#define VIRTIO_SERIAL_PROPS(S, F)                                                           \
	VIRTIO_PROPS(S, F.v),                                                               \
		DEFINE_PROP(S, F.max_ports, "max_ports", PROP_U32, VIRTIO_SERIAL_MAX_PORTS, \
			    "ports that can be put on it"),                                 \
		DEFINE_PROP(S, F.emergency_write, "emergency-write", PROP_BOOL, 1,          \
			    "a guest can write to the console before it has set up the device")

struct virtio_serial_pci {
	struct virtio_pci pci;
	struct virtio_serial serial;
};
VIRTIO_PCI_TYPE(virtio_serial_pci, serial, "virtio-serial-pci", "virtio-serial",
		"virtio console device on PCI", VIRTIO_SERIAL_PROPS(virtio_serial_pci, serial),
		virtio_serial_state, virtio_serial_init, virtio_serial_fini);

struct virtio_serial_device {
	struct virtio_mmio_device mmio;
	struct virtio_serial serial;
};
VIRTIO_MMIO_TYPE(virtio_serial_device, serial, "virtio-serial-device", "virtio console device",
		 VIRTIO_SERIAL_PROPS(virtio_serial_device, serial), virtio_serial_state,
		 virtio_serial_init, virtio_serial_fini);
