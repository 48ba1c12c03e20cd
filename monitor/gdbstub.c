/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gdb stub's wire: packets "$CONTENTS#SUM", acknowledged by + or - until both sides do without, and ^C (GDB manual,
 * appendix E: overview, packet acknowledgment, interrupts).
 *
 *	      $                    #           digit          digit, sum right
 *	IDLE ---> DATA (and again $) ---> SUM1 -------> SUM2 -----------------> packet --> gdb_execute --> IDLE
 *	 ^ ^C: stop                        |             |  sum wrong: -          |
 *	 +---------------------------------+-------------+                        +-- vCPUs run: they are paused first,
 *	                                                                              input is held until they have parked
 *
 * Answers that the peer doesn't take hold its input as well, so that nothing grows.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "io/char/chardev.h"
#include "monitor/gdbstub.h"
#include "monitor/gdbstub_internal.h"

#define INTERRUPT 3 /* ^C */

static const char digits[] = "0123456789abcdef";

/* ---- output ---- */

static void buf_add(struct gdb_buf *b, const void *data, size_t n)
{
	if (!n || b->len + n > GDB_OUTPUT_MAX)
		return;
	if (b->len + n > b->capacity) {
		b->capacity = MAX(2 * b->capacity, b->len + n);
		b->data = xrealloc(b->data, b->capacity);
	}
	memcpy(b->data + b->len, data, n);
	b->len += n;
}

static void buf_fini(struct gdb_buf *b)
{
	free(b->data);
	*b = (struct gdb_buf){.data = NULL};
}

static void flush(struct gdbstub *g)
{
	if (g->out_done < g->out.len)
		g->out_done +=
			chardev_write(g->chr, g->out.data + g->out_done, g->out.len - g->out_done);
	if (g->out_done == g->out.len)
		g->out_done = g->out.len = 0;
}

static void send_raw(struct gdbstub *g, const void *data, size_t n)
{
	if (!g->connected)
		return;
	buf_add(&g->out, data, n);
	flush(g);
}

void gdb_put(struct gdbstub *g, const void *data, size_t n)
{
	buf_add(&g->reply, data, n);
}

void gdb_puts(struct gdbstub *g, const char *text)
{
	gdb_put(g, text, strlen(text));
}

void gdb_printf(struct gdbstub *g, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	gdb_puts(g, text);
	free(text);
}

void gdb_put_hex(struct gdbstub *g, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		gdb_put(g, (char[]){digits[p[i] >> 4], digits[p[i] & 15]}, 2);
}

void gdb_put_binary(struct gdbstub *g, const void *data, size_t n)
{
	const char *p = data;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '#' || p[i] == '$' || p[i] == '*' || p[i] == '}')
			gdb_put(g, (char[]){'}', p[i] ^ 0x20}, 2);
		else
			gdb_put(g, &p[i], 1);
	}
}

void gdb_send(struct gdbstub *g)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < g->reply.len; i++)
		sum += (uint8_t)g->reply.data[i];
	g->last.len = 0;
	buf_add(&g->last, "$", 1);
	buf_add(&g->last, g->reply.data, g->reply.len);
	buf_add(&g->last, (char[]){'#', digits[sum >> 4], digits[sum & 15]}, 3);
	g->reply.len = 0;
	send_raw(g, g->last.data, g->last.len);
}

void gdb_reply(struct gdbstub *g, const char *text)
{
	gdb_puts(g, text);
	gdb_send(g);
}

/* ---- a packet ---- */

static void process(struct gdbstub *g);

static void packet_over(struct gdbstub *g)
{
	g->busy = false;
	g->no_ack = g->no_ack_next;
}

void gdb_packet_done(struct gdbstub *g)
{
	packet_over(g);
	process(g);
	chardev_accept_input(g->chr);
}

static void on_parked(void *opaque)
{
	struct gdbstub *g = opaque;

	gdb_tell_stopped(g);
	if (gdb_execute(g))
		gdb_packet_done(g);
}

static void packet_complete(struct gdbstub *g)
{
	if (!g->no_ack)
		send_raw(g, "+", 1);
	if (g->too_long) {
		gdb_reply(g, "E22");
		return;
	}
	g->packet[g->len] = 0;
	g->busy = true;
	if (g->machine->state != RUN_RUNNING && vcpus_all_parked(g->machine)) {
		if (gdb_execute(g))
			packet_over(g);
		return;
	}
	machine_pause(g->machine);
	machine_inspect(g->machine, &g->inspect, on_parked, g);
}

static void take_idle(struct gdbstub *g, uint8_t c)
{
	if (c == '$') {
		g->rx = GDB_RX_DATA;
		g->len = 0;
		g->sum = 0;
		g->too_long = false;
	} else if (c == '-' && !g->no_ack) {
		send_raw(g, g->last.data, g->last.len);
	} else if (c == INTERRUPT) {
		gdb_interrupt(g);
	}
}

static void take_data(struct gdbstub *g, uint8_t c)
{
	if (c == '$') { /* the end of the one before was lost */
		take_idle(g, c);
		return;
	}
	if (c == '#') {
		g->rx = GDB_RX_SUM1;
		return;
	}
	g->sum += c;
	if (g->len == GDB_PACKET_MAX)
		g->too_long = true;
	else
		g->packet[g->len++] = (char)c;
}

static void take_sum(struct gdbstub *g, uint8_t c)
{
	const char *digit = c ? strchr(digits, c | 0x20) : NULL;

	g->given_sum = (uint8_t)(g->given_sum << 4 | (digit ? digit - digits : 0));
	if (digit && g->rx == GDB_RX_SUM1) {
		g->rx = GDB_RX_SUM2;
		return;
	}
	g->rx = GDB_RX_IDLE;
	if (g->no_ack || (digit && g->given_sum == g->sum))
		packet_complete(g);
	else
		send_raw(g, "-", 1);
}

static void take(struct gdbstub *g, uint8_t c)
{
	switch (g->rx) {
	case GDB_RX_IDLE:
		take_idle(g, c);
		break;
	case GDB_RX_DATA:
		take_data(g, c);
		break;
	case GDB_RX_SUM1:
	case GDB_RX_SUM2:
		take_sum(g, c);
		break;
	}
}

/* A byte: the one that ends a packet may begin something that has to end first. */
static size_t take_next(void *opaque, const uint8_t *bytes, size_t n)
{
	struct gdbstub *g = opaque;

	if (g->busy || g->out.len)
		return 0;
	take(g, bytes[0]);
	return 1;
}

static void process(struct gdbstub *g)
{
	held_input_feed(&g->input, take_next, g);
}

/* ---- the chardev ---- */

static size_t gdb_can_receive(void *opaque)
{
	struct gdbstub *g = opaque;

	return g->input.len || g->busy || g->out.len ? 0 : HELD_INPUT_BYTES;
}

static void gdb_receive(void *opaque, const uint8_t *buf, size_t n)
{
	struct gdbstub *g = opaque;

	held_input_put(&g->input, buf, n);
	process(g);
}

static void gdb_writable(void *opaque)
{
	struct gdbstub *g = opaque;

	flush(g);
	process(g);
	chardev_accept_input(g->chr);
}

static void forget_connection(struct gdbstub *g)
{
	gdb_monitor_orphan(g);
	machine_inspect_cancel(&g->inspect);
	g->connected = g->busy = g->awaiting_stop = g->physical = false;
	g->no_ack = g->no_ack_next = g->multiprocess = g->swbreak = g->hwbreak = false;
	g->rx = GDB_RX_IDLE;
	g->input.len = g->out.len = g->out_done = g->reply.len = g->last.len = 0;
	g->g_cpu = g->c_cpu = 0;
	g->step_flags = GDB_STEP_ALL;
}

static void on_abandoned(void *opaque)
{
	gdb_let_go(opaque);
}

/* A debugger finds the machine stopped. One that is gone leaves no breakpoints; the machine goes on if it ran. */
static void gdb_event(void *opaque, enum chardev_event event)
{
	struct gdbstub *g = opaque;

	if (event == CHR_EVENT_OPENED) {
		forget_connection(g);
		g->connected = true;
		machine_pause(g->machine);
	} else if (event == CHR_EVENT_CLOSED && g->connected) {
		forget_connection(g);
		machine_inspect_cancel(&g->cleanup);
		machine_inspect(g->machine, &g->cleanup, on_abandoned, g);
	}
}

static const struct chardev_handlers gdb_handlers = {
	.can_receive = gdb_can_receive,
	.receive = gdb_receive,
	.event = gdb_event,
	.writable = gdb_writable,
};

/* ---- life ---- */

static struct chardev *open_device(struct machine *m, const char *device, bool starting,
				   struct error *err)
{
	struct chardev_config c;
	struct chardev *chr;

	if (!strncmp(device, "chardev:", 8))
		return chardev_take(device + 8, err);
	if (!chardev_config_parse_legacy(&c, "gdb", device, err))
		return NULL;
	c.starting = starting;
	if (!strcmp(c.backend, "socket") && !c.path) {
		c.server = c.nodelay = 1;
		c.wait = 0;
	}
	chr = chardev_new(m->loop, &c, err);
	chardev_config_fini(&c);
	return chr ? chardev_take("gdb", err) : NULL;
}

bool gdbstub_start(struct machine *m, const char *device, bool starting, struct error *err)
{
	bool none = !strcmp(device, "none");
	struct chardev *chr;
	struct gdbstub *g;

	LOOP_ASSERT();
	if (!none && !m->n_vcpus)
		return error_set(err, "there are no processors to debug");
	if (!none && !m->accel->set_guest_debug)
		return error_set(err, "-accel %s cannot be debugged", m->accel->name);
	gdbstub_stop(m);
	if (none)
		return true;
	chr = open_device(m, device, starting, err);
	if (!chr)
		return false;
	g = xzalloc(sizeof(*g));
	g->machine = m;
	g->chr = chr;
	g->chr_made = strncmp(device, "chardev:", 8) != 0;
	g->plan = xzalloc(m->n_vcpus * sizeof(*g->plan));
	g->step_flags = GDB_STEP_ALL;
	list_init(&g->breaks);
	list_init(&g->inspect.node);
	list_init(&g->cleanup.node);
	m->gdbstub = g;
	m->on_debug_stop = gdb_on_debug_stop;
	m->on_stopped = gdb_on_stopped;
	m->debug_opaque = g;
	chardev_attach(chr, &gdb_handlers, g);
	return true;
}

bool gdbstub_in_command(const struct machine *m)
{
	return m->gdbstub && m->gdbstub->monitor;
}

static void close_device(struct gdbstub *g)
{
	chardev_attach(g->chr, NULL, NULL);
	chardev_release(g->chr);
	if (g->chr_made)
		chardev_remove("gdb", NULL);
}

void gdbstub_stop(struct machine *m)
{
	struct gdbstub *g = m->gdbstub;

	LOOP_ASSERT();
	if (!g)
		return;
	if (g->awaiting_stop && m->state == RUN_SHUTDOWN) {
		gdb_printf(g, "W%02x", m->exit_status & 0xff);
		gdb_send(g);
	}
	m->gdbstub = NULL;
	m->on_debug_stop = NULL;
	m->on_stopped = NULL;
	forget_connection(g);
	machine_inspect_cancel(&g->cleanup);
	if (vcpus_all_parked(m))
		gdb_let_go(g);
	close_device(g);
	buf_fini(&g->reply);
	buf_fini(&g->last);
	buf_fini(&g->out);
	free(g->plan);
	free(g->target_xml);
	free(g);
}
