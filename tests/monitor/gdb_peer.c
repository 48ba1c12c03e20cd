/* SPDX-License-Identifier: BSD-2-Clause */
/* A debugger's end of the wire. */
#include "tests/monitor/gdb_peer.h"
#include <stdio.h>
#include <stdlib.h>
#include "monitor/gdbstub.h"

static size_t peer_write(struct chardev *chr, const void *buf, size_t n)
{
	struct peer *p = container_of(chr, struct peer, chr);

	n = MIN(n, p->room - p->len);
	p->out = xrealloc(p->out, p->len + n + 1);
	memcpy(p->out + p->len, buf, n);
	p->len += n;
	p->out[p->len] = 0;
	return n;
}

static void peer_fini(struct chardev *chr)
{
	free(container_of(chr, struct peer, chr)->out);
}

static const struct chardev_ops peer_ops = {.name = "peer", .write = peer_write, .fini = peer_fini};

struct debugged *gdb_new(const char *accel, unsigned cpus, const void *code, size_t bytes)
{
	struct debugged *d = xzalloc(sizeof(*d));
	struct error err = ERROR_INIT;
	bool int3 = !strcmp(accel, "int3");
	char *why = NULL;

	d->box = box_new(int3 ? "soft" : accel, cpus, code, bytes, &why);
	if (!d->box) {
		printf("no %s here: %s\n", accel, why);
		free(why);
		free(d);
		return NULL;
	}
	d->m = d->box->m;
	if (int3) {
		d->accel = *d->m->accel;
		d->accel.set_breakpoints = NULL;
		d->m->accel = &d->accel;
	}
	d->peer = xzalloc(sizeof(*d->peer));
	d->peer->room = 1 << 24;
	chardev_init(&d->peer->chr, &peer_ops, d->box->loop, "peer", NULL);
	d->peer->chr.open = false;
	if (!gdbstub_start(d->m, "chardev:peer", false, &err))
		abort();
	machine_resume(d->m);
	return d;
}

void gdb_free(struct debugged *d)
{
	gdbstub_stop(d->m);
	chardev_free(&d->peer->chr);
	box_free(d->box);
	free(d);
}

void gdb_connect(struct debugged *d)
{
	chardev_set_open(&d->peer->chr, true);
}

void gdb_hang_up(struct debugged *d)
{
	d->peer->len = 0;
	chardev_set_open(&d->peer->chr, false);
}

void gdb_turns(struct debugged *d, int n)
{
	while (n--)
		loop_run_once(d->box->loop, NS_PER_MS);
}

void gdb_type(struct debugged *d, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (int tries = 0; n && tries < 10000; tries++) {
		size_t part = MIN(n, chardev_can_receive(&d->peer->chr));

		if (part)
			chardev_receive(&d->peer->chr, p, part);
		else
			gdb_turns(d, 1);
		p += part;
		n -= part;
	}
}

void gdb_say(struct debugged *d, const char *packet)
{
	uint8_t sum = 0;
	char *text;

	for (const char *p = packet; *p; p++)
		sum += (uint8_t)*p;
	text = xasprintf("$%s#%02x", packet, sum);
	gdb_type(d, text, strlen(text));
	free(text);
}

/* Takes the first whole packet out of what has come. */
static bool take_packet(struct debugged *d)
{
	struct peer *p = d->peer;
	char *begin = p->len ? memchr(p->out, '$', p->len) : NULL;
	char *end = begin ? strchr(begin, '#') : NULL;
	size_t n;

	if (!end || p->out + p->len < end + 3)
		return false;
	n = MIN((size_t)(end - begin - 1), sizeof(d->reply) - 1);
	memcpy(d->reply, begin + 1, n);
	d->reply[n] = 0;
	p->len -= (size_t)(end + 3 - p->out);
	memmove(p->out, end + 3, p->len + 1);
	return true;
}

const char *gdb_hear(struct debugged *d)
{
	const struct clock *clock = loop_clock_host(d->box->loop);
	int64_t end = clock_now_ns(clock) + 10 * NS_PER_SEC;

	while (!take_packet(d)) {
		if (clock_now_ns(clock) > end)
			return NULL;
		loop_run_once(d->box->loop, NS_PER_MS);
	}
	return d->reply;
}

const char *gdb_ask(struct debugged *d, const char *packet)
{
	gdb_say(d, packet);
	return gdb_hear(d);
}
