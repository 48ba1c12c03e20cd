/* SPDX-License-Identifier: BSD-2-Clause */
/* The gdb stub's questions and settings (GDB manual, E.4 "General Query Packets"; QEMU's own are those with "qemu." in front). */
#include <stdio.h>
#include <stdlib.h>
#include "monitor/gdbstub_internal.h"
#include "monitor/hmp.h"

/* ---- threads: vCPU N is thread N + 1 of process 1 ---- */

void gdb_put_thread(struct gdbstub *g, unsigned index)
{
	gdb_printf(g, g->multiprocess ? "p01.%02x" : "%02x", index + 1);
}

static bool thread_number(const char **s, unsigned any, unsigned n_vcpus, unsigned *index,
			  bool *all)
{
	uint64_t n;

	*all = false;
	if (!strncmp(*s, "-1", 2)) {
		*s += 2;
		*all = true;
		*index = any;
		return true;
	}
	if (!gdb_number(s, &n) || n > n_vcpus)
		return false;
	*index = n ? (unsigned)n - 1 : any;
	return true;
}

bool gdb_parse_thread(const char **s, unsigned any, unsigned n_vcpus, unsigned *index, bool *all)
{
	uint64_t pid = 1;

	if (**s != 'p')
		return thread_number(s, any, n_vcpus, index, all);
	(*s)++;
	if (!strncmp(*s, "-1", 2))
		*s += 2;
	else if (!gdb_number(s, &pid) || pid > 1)
		return false;
	*index = any;
	*all = true;
	if (**s != '.')
		return true;
	(*s)++;
	return thread_number(s, any, n_vcpus, index, all);
}

static bool query_C(struct gdbstub *g, const char *p)
{
	gdb_puts(g, "QC");
	gdb_put_thread(g, g->g_cpu);
	gdb_send(g);
	return true;
}

/* As many as a packet holds. */
static bool query_more_threads(struct gdbstub *g, const char *p)
{
	unsigned n = g->machine->n_vcpus;

	if (g->listed >= n) {
		gdb_reply(g, "l");
		return true;
	}
	for (const char *before = "m"; g->listed < n && g->reply.len < GDB_PACKET_MAX - 16;
	     before = ",") {
		gdb_puts(g, before);
		gdb_put_thread(g, g->listed++);
	}
	gdb_send(g);
	return true;
}

static bool query_first_threads(struct gdbstub *g, const char *p)
{
	g->listed = 0;
	return query_more_threads(g, p);
}

static bool query_thread_info(struct gdbstub *g, const char *p)
{
	struct machine *m = g->machine;
	struct x86_events events;
	unsigned index;
	char text[48];
	bool all;

	if (!gdb_parse_thread(&p, 0, m->n_vcpus, &index, &all) || *p) {
		gdb_reply(g, "E22");
		return true;
	}
	m->accel->get_events(m->vcpus[index], &events);
	snprintf(text, sizeof(text), "CPU#%u [%s]", index,
		 events.halted || events.wait_sipi ? "halted " : "running");
	gdb_put_hex(g, text, strlen(text));
	gdb_send(g);
	return true;
}

/* ---- what both sides can ---- */

static bool offers(const char *list, const char *what)
{
	size_t n = strlen(what);

	for (const char *s = list; (s = strstr(s, what)); s += n)
		if ((s[-1] == ';' || s[-1] == ':') && (!s[n] || s[n] == ';'))
			return true;
	return false;
}

static bool query_supported(struct gdbstub *g, const char *p)
{
	if (*p == ':') {
		p++;
		g->multiprocess = offers(p, "multiprocess+");
		g->swbreak = offers(p, "swbreak+");
		g->hwbreak = offers(p, "hwbreak+");
	}
	gdb_printf(g,
		   "PacketSize=%x;qXfer:features:read+;vContSupported+;multiprocess+;"
		   "QStartNoAckMode+;swbreak+;hwbreak+",
		   GDB_PACKET_MAX);
	gdb_send(g);
	return true;
}

static bool set_no_ack(struct gdbstub *g, const char *p)
{
	g->no_ack_next = true;
	gdb_reply(g, "OK");
	return true;
}

static bool query_attached(struct gdbstub *g, const char *p)
{
	gdb_reply(g, "1");
	return true;
}

static bool parse_range(const char *p, uint64_t *offset, uint64_t *len)
{
	return gdb_number(&p, offset) && *p++ == ',' && gdb_number(&p, len) && !*p;
}

static bool query_features(struct gdbstub *g, const char *p)
{
	uint64_t offset, len, size;

	if (strncmp(p, "target.xml:", 11)) {
		gdb_reply(g, "E00");
		return true;
	}
	if (!parse_range(p + 11, &offset, &len)) {
		gdb_reply(g, "E22");
		return true;
	}
	if (!g->target_xml)
		g->target_xml = gdb_target_xml();
	size = strlen(g->target_xml);
	if (offset > size) {
		gdb_reply(g, "E00");
		return true;
	}
	/* Escapes may double it. */
	len = MIN(len, MIN(size - offset, (uint64_t)GDB_PACKET_MAX / 2 - 1));
	gdb_puts(g, offset + len < size ? "m" : "l");
	gdb_put_binary(g, g->target_xml + offset, len);
	gdb_send(g);
	return true;
}

/* ---- QEMU's own ---- */

static bool query_qemu_supported(struct gdbstub *g, const char *p)
{
	gdb_reply(g, "sstepbits;sstep;PhyMemMode");
	return true;
}

static bool query_step_bits(struct gdbstub *g, const char *p)
{
	gdb_printf(g, "ENABLE=%x,NOIRQ=%x,NOTIMER=%x", GDB_STEP_ENABLE, GDB_STEP_NOIRQ,
		   GDB_STEP_NOTIMER);
	gdb_send(g);
	return true;
}

static bool query_step(struct gdbstub *g, const char *p)
{
	gdb_printf(g, "0x%x", g->step_flags);
	gdb_send(g);
	return true;
}

static bool set_step(struct gdbstub *g, const char *p)
{
	uint64_t flags;

	if (!strncmp(p, "0x", 2))
		p += 2;
	if (!gdb_number(&p, &flags) || *p || (flags & ~(uint64_t)GDB_STEP_ALL)) {
		gdb_reply(g, "E22");
		return true;
	}
	g->step_flags = (uint8_t)flags;
	gdb_reply(g, "OK");
	return true;
}

static bool query_physical(struct gdbstub *g, const char *p)
{
	gdb_reply(g, g->physical ? "1" : "0");
	return true;
}

static bool set_physical(struct gdbstub *g, const char *p)
{
	if ((*p != '0' && *p != '1') || p[1]) {
		gdb_reply(g, "E22");
		return true;
	}
	g->physical = *p == '1';
	gdb_reply(g, "OK");
	return true;
}

/* ---- qRcmd: a command of the human monitor ---- */

struct gdb_monitor {
	struct monitor mon;
	struct gdbstub *g; /* NULL: it has gone */
	char *line;
	bool starting, done;
	size_t len;
	char text[GDB_PACKET_MAX / 2 - 1]; /* not sent yet */
};

static void flush(struct gdb_monitor *r)
{
	if (r->g && r->len) {
		gdb_puts(r->g, "O");
		gdb_put_hex(r->g, r->text, r->len);
		gdb_send(r->g);
	}
	r->len = 0;
}

/* O packets, as full as can be. */
static void on_text(struct monitor *mon, const char *text, size_t n)
{
	struct gdb_monitor *r = container_of(mon, struct gdb_monitor, mon);

	for (size_t part; n; text += part, n -= part) {
		part = MIN(n, sizeof(r->text) - r->len);
		memcpy(r->text + r->len, text, part);
		r->len += part;
		if (r->len == sizeof(r->text))
			flush(r);
	}
}

static void monitor_end(struct gdb_monitor *r)
{
	if (r->g)
		r->g->monitor = NULL;
	hmp_fini(&r->mon);
	free(r->line);
	free(r);
}

static void on_finished(struct monitor *mon)
{
	struct gdb_monitor *r = container_of(mon, struct gdb_monitor, mon);
	struct gdbstub *g = r->g;

	r->done = true;
	flush(r);
	if (r->starting)
		return;
	monitor_end(r);
	if (!g)
		return;
	gdb_reply(g, "OK");
	gdb_packet_done(g);
}

void gdb_monitor_orphan(struct gdbstub *g)
{
	if (g->monitor)
		g->monitor->g = NULL;
	g->monitor = NULL;
}

static bool query_rcmd(struct gdbstub *g, const char *p)
{
	struct gdb_monitor *r = xzalloc(sizeof(*r));
	size_t n;

	r->line = xzalloc(GDB_PACKET_MAX / 2 + 1);
	n = gdb_parse_hex(&p, r->line, GDB_PACKET_MAX / 2);
	r->mon.write = on_text;
	r->mon.finished = on_finished;
	hmp_init(&r->mon, g->machine);
	r->mon.vcpu = g->g_cpu;
	if (!n || *p || strlen(r->line) != n) {
		monitor_end(r);
		gdb_reply(g, "E22");
		return true;
	}
	r->g = g;
	g->monitor = r;
	r->starting = true;
	hmp_execute(&r->mon, r->line);
	r->starting = false;
	if (!r->done)
		return false;
	monitor_end(r);
	gdb_reply(g, "OK");
	return true;
}

/* ---- the tables ---- */

struct query {
	const char
		*name; /* what ends in none of :=,; must be followed by the end or by one of them */
	bool (*fn)(struct gdbstub *g, const char *p);
};

static const struct query queries[] = {
	{"Attached", query_attached},
	{"C", query_C},
	{"Rcmd,", query_rcmd},
	{"Supported", query_supported},
	{"ThreadExtraInfo,", query_thread_info},
	{"Xfer:features:read:", query_features},
	{"fThreadInfo", query_first_threads},
	{"qemu.PhyMemMode", query_physical},
	{"qemu.Supported", query_qemu_supported},
	{"qemu.sstep", query_step},
	{"qemu.sstepbits", query_step_bits},
	{"sThreadInfo", query_more_threads},
	{NULL, NULL},
};

static const struct query settings[] = {
	{"StartNoAckMode", set_no_ack},
	{"qemu.PhyMemMode:", set_physical},
	{"qemu.sstep=", set_step},
	{NULL, NULL},
};

static bool run_query(struct gdbstub *g, const struct query *table, const char *p)
{
	for (const struct query *q = table; q->name; q++) {
		size_t n = strlen(q->name);

		if (!strncmp(p, q->name, n) &&
		    (strchr(":=,;", q->name[n - 1]) || !p[n] || strchr(":=,;", p[n])))
			return q->fn(g, p + n);
	}
	gdb_reply(g, "");
	return true;
}

bool gdb_query(struct gdbstub *g, const char *p)
{
	return run_query(g, queries, p);
}

bool gdb_set(struct gdbstub *g, const char *p)
{
	return run_query(g, settings, p);
}
