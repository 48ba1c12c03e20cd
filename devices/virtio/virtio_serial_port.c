/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtconsole and virtserialport: a port of a virtio console device, with its character back end.
 *
 * A console's host side counts as always open; another port's is open while somebody is at the back end, and its guest
 * side while a program has it (VSERPORT_CHANGE tells).
 */
#include <jansson.h>
#include "devices/virtio/virtio_serial.h"
#include "devices/virtio/virtio_types.h"
#include "src/events.h"

static struct virtio_serial_port *port_of(struct device *dev)
{
	return container_of(dev, struct virtio_serial_port, dev);
}

/* ---- towards the back end ---- */

size_t port_output(struct virtio_serial_port *port, const uint8_t *buf, size_t n)
{
	return port->chr ? chardev_write(port->chr, buf, n) : n;
}

void port_receive_ready(struct virtio_serial_port *port)
{
	if (port->chr)
		chardev_accept_input(port->chr);
}

void port_guest_open(struct virtio_serial_port *port, bool open)
{
	if (port->guest_open == open)
		return;
	port->guest_open = open;
	if (!port->is_console && port->dev.id)
		qmp_event_emit(port->dev.machine, "VSERPORT_CHANGE",
			       json_pack("{s:s, s:b}", "id", port->dev.id, "open", open));
	if (open)
		port_receive_ready(port);
}

/* ---- from it ---- */

static size_t port_can_receive(void *opaque)
{
	return virtio_serial_room(opaque);
}

static void port_receive(void *opaque, const uint8_t *buf, size_t n)
{
	virtio_serial_input(opaque, buf, n);
}

static void port_event(void *opaque, enum chardev_event event)
{
	struct virtio_serial_port *port = opaque;

	if (port->is_console)
		return;
	if (event == CHR_EVENT_OPENED)
		virtio_serial_host_open(port, true);
	else if (event == CHR_EVENT_CLOSED)
		virtio_serial_host_open(port, false);
}

static void port_writable(void *opaque)
{
	virtio_serial_resume(opaque);
}

static void port_changed(void *opaque, struct chardev *chr);

static const struct chardev_handlers port_handlers = {
	.can_receive = port_can_receive,
	.receive = port_receive,
	.event = port_event,
	.writable = port_writable,
	.changed = port_changed,
};

static void port_changed(void *opaque, struct chardev *chr)
{
	struct virtio_serial_port *port = opaque;

	port->chr = chr;
	chardev_attach(chr, &port_handlers, port);
	virtio_serial_resume(port);
}

/* ---- life ---- */

static bool port_realize(struct device *dev, struct error *err)
{
	struct virtio_serial_port *port = port_of(dev);

	port->is_console = dev->type == &virtconsole_type;
	/* A console's other end is the host itself; and without a back end nobody would say that it is there. */
	port->host_open = port->is_console;
	if (!virtio_serial_attach(port, err))
		return false;
	if (port->chr)
		chardev_attach(port->chr, &port_handlers, port);
	return true;
}

static void port_unrealize(struct device *dev)
{
	struct virtio_serial_port *port = port_of(dev);

	if (port->chr)
		chardev_attach(port->chr, NULL, NULL);
	virtio_serial_detach(port);
}

static const struct state_desc port_state = {
	.name = "virtio-serial-port",
	.version = 1,
	STATE_SPAN(virtio_serial_port),
	.fields =
		(const struct state_field[]){
			STATE_FIELD(virtio_serial_port, transmitted),
			STATE_FIELD(virtio_serial_port, guest_open),
			STATE_ARRAY(virtio_serial_port, reserved),
			STATE_END,
		},
};

static const struct device_prop port_props[] = {
	DEFINE_PROP_STR(virtio_serial_port, bus_name, "bus", NULL, "of which controller"),
	DEFINE_PROP(virtio_serial_port, chr, "chardev", PROP_CHARDEV, 0, "back end"),
	DEFINE_PROP_STR(virtio_serial_port, name, "name", NULL, "name that the guest finds it by"),
	DEFINE_PROP(virtio_serial_port, number, "nr", PROP_U32, UINT32_MAX,
		    "number of the port (without it: the first free one)"),
	DEFINE_PROP_END,
};

#define PORT_TYPE(VAR, name_, desc_)                       \
	const struct device_type VAR = {                   \
		.name = name_,                             \
		.desc = desc_,                             \
		.bus = BUS_VIRTIO_SERIAL,                  \
		.user_creatable = true,                    \
		.size = sizeof(struct virtio_serial_port), \
		.props = port_props,                       \
		.state = &port_state,                      \
		.realize = port_realize,                   \
		.unrealize = port_unrealize,               \
	}

PORT_TYPE(virtconsole_type, "virtconsole", "virtio console");
PORT_TYPE(virtserialport_type, "virtserialport", "virtio serial port");
