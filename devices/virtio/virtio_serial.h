/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio console device and its ports (Virtio 1.2, 5.3). The controller has two queues a port and two for control
 * messages; a port is a device of its own on the controller's bus, and has a character back end. Loop thread.
 *
 *	guest's transmitq --> virtio_serial.c --> port->cls->output --> chardev
 *	chardev --> port: virtio_serial_room, virtio_serial_input --> guest's receiveq
 */
#ifndef EVMM_DEVICES_VIRTIO_SERIAL_H
#define EVMM_DEVICES_VIRTIO_SERIAL_H

#include "devices/virtio/virtio.h"
#include "io/char/chardev.h"
#include "src/bus.h"

#define VIRTIO_SERIAL_MAX_PORTS 31 /* two queues each, and two for control, of VIRTIO_MAX_QUEUES */
#define VIRTIO_SERIAL_MESSAGES	256

struct virtio_serial_message {
	uint32_t port;
	uint16_t event, value;
};

struct virtio_serial {
	struct virtio v;

	/* configuration */
	uint32_t max_ports;
	bool emergency_write;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	/* what the driver has not made room for yet */
	struct virtio_serial_message messages[VIRTIO_SERIAL_MESSAGES];
	uint32_t first_message, n_messages;
	bool driver_ready;
	uint8_t reserved[7];
	GUEST_VISIBLE_END;

	/* host side */
	struct bus bus;
	struct virtio_serial_port *ports[VIRTIO_SERIAL_MAX_PORTS];
	struct virtqueue *receive[VIRTIO_SERIAL_MAX_PORTS], *transmit[VIRTIO_SERIAL_MAX_PORTS];
	struct virtqueue *control_receive, *control_transmit;
	struct virtq_elem elem; /* the one in hand; never kept while a back end is called */
};

struct virtio_serial_port {
	struct device dev;

	/* configuration */
	char *bus_name, *name;
	struct chardev *chr;
	uint32_t number; /* UINT32_MAX: the first free one */
	bool is_console;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint64_t
		transmitted; /* of the element that is available next: its first bytes are with the back end */
	bool guest_open;
	uint8_t reserved[7];
	GUEST_VISIBLE_END;

	/* host side */
	struct virtio_serial *serial; /* NULL: its controller has gone */
	bool host_open;
	bool stalled;	       /* the back end took less than there was */
	struct virtq_elem out; /* the one that is with the back end */
};

/* ---- the controller, for its ports ---- */

/* From the port's realize: on the bus, at port->number or the first free one. */
bool virtio_serial_attach(struct virtio_serial_port *port, struct error *err);
void virtio_serial_detach(struct virtio_serial_port *port);
/* The host's end was opened or closed: the driver is told. */
void virtio_serial_host_open(struct virtio_serial_port *port, bool open);
/* How many bytes the driver has room for in its next buffer; when none, port_receive_ready will be called. */
size_t virtio_serial_room(struct virtio_serial_port *port);
void virtio_serial_input(struct virtio_serial_port *port, const uint8_t *buf, size_t n);
/* The back end has room again. */
void virtio_serial_resume(struct virtio_serial_port *port);

/* ---- a port, for its controller (virtio_serial_port.c) ---- */

/* How many of the N bytes the back end took. */
size_t port_output(struct virtio_serial_port *port, const uint8_t *buf, size_t n);
void port_receive_ready(struct virtio_serial_port *port);
void port_guest_open(struct virtio_serial_port *port, bool open);

#endif
