/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gdb stub's packets (GDB manual, E.2 "Packets"), a row of a table each. An empty answer says that a packet is not known;
 * gdb then does without.
 */
#include <ctype.h>
#include <stdlib.h>
#include "monitor/gdbstub_internal.h"

#define E_FAULT "E14"
#define E_INVAL "E22"

/* ---- words ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool gdb_number(const char **s, uint64_t *n)
{
	const char *begin = *s;

	for (*n = 0; hex_digit(**s) >= 0; (*s)++) {
		if (*n >> 60)
			return false;
		*n = *n << 4 | (uint64_t)hex_digit(**s);
	}
	return *s != begin;
}

size_t gdb_parse_hex(const char **s, void *data, size_t max)
{
	uint8_t *out = data;
	size_t n = 0;

	while (n < max && hex_digit((*s)[0]) >= 0 && hex_digit((*s)[1]) >= 0) {
		out[n++] = (uint8_t)(hex_digit((*s)[0]) << 4 | hex_digit((*s)[1]));
		*s += 2;
	}
	return n;
}

static bool skip(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static void answer(struct gdbstub *g, bool ok, const char *error)
{
	gdb_reply(g, ok ? "OK" : error);
}

/* ---- registers and memory ---- */

static bool packet_g(struct gdbstub *g, const char *p)
{
	gdb_read_all_registers(g);
	gdb_send(g);
	return true;
}

static bool packet_G(struct gdbstub *g, const char *p)
{
	answer(g, gdb_write_all_registers(g, p), E_INVAL);
	return true;
}

static bool packet_p(struct gdbstub *g, const char *p)
{
	uint64_t n;

	if (!gdb_number(&p, &n) || *p || !gdb_read_register(g, n))
		gdb_puts(g, E_INVAL);
	gdb_send(g);
	return true;
}

static bool packet_P(struct gdbstub *g, const char *p)
{
	uint64_t n;

	answer(g, gdb_number(&p, &n) && skip(&p, '=') && gdb_write_register(g, n, p), E_INVAL);
	return true;
}

static bool addr_and_length(const char **p, uint64_t *addr, uint64_t *len, uint64_t max)
{
	return gdb_number(p, addr) && skip(p, ',') && gdb_number(p, len) && *len <= max;
}

static bool packet_m(struct gdbstub *g, const char *p)
{
	uint8_t buf[GDB_PACKET_MAX / 2];
	uint64_t addr, len;

	if (!addr_and_length(&p, &addr, &len, sizeof(buf)) || *p)
		gdb_puts(g, E_INVAL);
	else if (!gdb_read_memory(g, addr, buf, len))
		gdb_puts(g, E_FAULT);
	else
		gdb_put_hex(g, buf, len);
	gdb_send(g);
	return true;
}

static bool packet_M(struct gdbstub *g, const char *p)
{
	uint8_t buf[GDB_PACKET_MAX / 2];
	uint64_t addr, len;

	if (!addr_and_length(&p, &addr, &len, sizeof(buf)) || !skip(&p, ':') ||
	    gdb_parse_hex(&p, buf, len) != len || *p)
		gdb_reply(g, E_INVAL);
	else
		answer(g, gdb_write_memory(g, addr, buf, len), E_FAULT);
	return true;
}

/* With the data in binary; LEN counts it without its escapes. */
static bool packet_X(struct gdbstub *g, const char *p)
{
	const char *end = g->packet + g->len;
	uint8_t buf[GDB_PACKET_MAX];
	uint64_t addr, len, n = 0;

	if (!addr_and_length(&p, &addr, &len, sizeof(buf)) || !skip(&p, ':')) {
		gdb_reply(g, E_INVAL);
		return true;
	}
	while (p < end && n < len) {
		bool escaped = *p == '}';

		p += escaped;
		if (p < end)
			buf[n++] = (uint8_t)(*p++ ^ (escaped ? 0x20 : 0));
	}
	if (n != len || p != end)
		gdb_reply(g, E_INVAL);
	else
		answer(g, gdb_write_memory(g, addr, buf, len), E_FAULT);
	return true;
}

/* ---- breakpoints ---- */

static bool parse_break(const char *p, uint64_t *type, uint64_t *addr, uint64_t *len)
{
	return gdb_number(&p, type) && skip(&p, ',') && gdb_number(&p, addr) && skip(&p, ',') &&
	       gdb_number(&p, len) && (!*p || *p == ';');
}

/* Processors can't watch for reads alone: gdb then watches accesses, and looks for itself whether the value changed. */
static bool known_type(uint64_t type)
{
	return type <= GDB_WATCH_ACCESS && type != GDB_WATCH_READ;
}

static bool packet_Z(struct gdbstub *g, const char *p)
{
	struct error err = ERROR_INIT;
	uint64_t type, addr, len;

	if (!parse_break(p, &type, &addr, &len)) {
		gdb_reply(g, E_INVAL);
	} else if (!known_type(type)) {
		gdb_reply(g, "");
	} else {
		answer(g, gdb_break_insert(g, (enum gdb_break_type)type, addr, len, &err), E_INVAL);
		error_clear(&err);
	}
	return true;
}

static bool packet_z(struct gdbstub *g, const char *p)
{
	uint64_t type, addr, len;

	if (!parse_break(p, &type, &addr, &len))
		gdb_reply(g, E_INVAL);
	else if (!known_type(type))
		gdb_reply(g, "");
	else
		answer(g, gdb_break_remove(g, (enum gdb_break_type)type, addr, len), E_INVAL);
	return true;
}

/* ---- running ---- */

/* "[ADDR]": where to go on from. */
static bool go_from(struct gdbstub *g, const char *p)
{
	struct vcpu *v = g->machine->vcpus[g->c_cpu];
	struct x86_regs regs;
	uint64_t addr;

	if (!*p)
		return true;
	if (!gdb_number(&p, &addr) || *p)
		return false;
	g->machine->accel->get_regs(v, &regs);
	regs.rip = addr;
	g->machine->accel->set_regs(v, &regs);
	return true;
}

static bool run(struct gdbstub *g, const char *p, bool step)
{
	if (!go_from(g, p)) {
		gdb_reply(g, E_INVAL);
		return true;
	}
	gdb_plan_all(g, GDB_RUN);
	if (step)
		g->plan[g->c_cpu] = GDB_STEP;
	gdb_resume(g);
	return true;
}

static bool packet_c(struct gdbstub *g, const char *p)
{
	return run(g, p, false);
}

static bool packet_s(struct gdbstub *g, const char *p)
{
	return run(g, p, true);
}

/* "SIG[;ADDR]": a machine has no signals, so that it goes on without. */
static bool run_with_signal(struct gdbstub *g, const char *p, bool step)
{
	uint64_t signal;

	if (!gdb_number(&p, &signal) || (*p && *p != ';')) {
		gdb_reply(g, E_INVAL);
		return true;
	}
	return run(g, *p ? p + 1 : p, step);
}

static bool packet_C(struct gdbstub *g, const char *p)
{
	return run_with_signal(g, p, false);
}

static bool packet_S(struct gdbstub *g, const char *p)
{
	return run_with_signal(g, p, true);
}

static bool packet_vcont_question(struct gdbstub *g, const char *p)
{
	gdb_reply(g, "vCont;c;C;s;S");
	return true;
}

static bool packet_vcont(struct gdbstub *g, const char *p)
{
	if (gdb_vcont(g, p))
		gdb_resume(g);
	else
		gdb_reply(g, E_INVAL);
	return true;
}

/* ---- threads ---- */

static bool packet_H(struct gdbstub *g, const char *p)
{
	unsigned n = g->machine->n_vcpus, index;
	char op = *p;
	bool all;

	if ((op != 'c' && op != 'g') ||
	    (p++, !gdb_parse_thread(&p, op == 'c' ? g->c_cpu : g->g_cpu, n, &index, &all)) || *p) {
		gdb_reply(g, E_INVAL);
		return true;
	}
	if (op == 'c')
		g->c_cpu = index;
	else
		g->g_cpu = index;
	gdb_reply(g, "OK");
	return true;
}

static bool packet_T(struct gdbstub *g, const char *p)
{
	unsigned index;
	bool all;

	answer(g, gdb_parse_thread(&p, 0, g->machine->n_vcpus, &index, &all) && !*p, E_INVAL);
	return true;
}

/* ---- coming and going ---- */

static bool packet_question(struct gdbstub *g, const char *p)
{
	gdb_break_remove_all(g);
	gdb_put_stop(g, GDB_SIGNAL_TRAP);
	gdb_send(g);
	return true;
}

static bool packet_D(struct gdbstub *g, const char *p)
{
	uint64_t pid;

	if (*p && (!skip(&p, ';') || !gdb_number(&p, &pid) || pid != 1 || *p)) {
		gdb_reply(g, E_INVAL);
		return true;
	}
	gdb_let_go(g);
	gdb_reply(g, "OK");
	machine_resume(g->machine);
	return true;
}

static bool packet_k(struct gdbstub *g, const char *p)
{
	report_info("terminated by the debugger");
	machine_request_shutdown(g->machine, SHUTDOWN_QUIT, 0);
	return true;
}

static bool packet_vkill(struct gdbstub *g, const char *p)
{
	gdb_reply(g, "OK");
	return packet_k(g, p);
}

static bool packet_vattach(struct gdbstub *g, const char *p)
{
	uint64_t pid;

	if (!gdb_number(&p, &pid) || *p || pid != 1) {
		gdb_reply(g, E_INVAL);
		return true;
	}
	return packet_question(g, p);
}

static bool packet_extended(struct gdbstub *g, const char *p)
{
	gdb_reply(g, "OK");
	return true;
}

static bool packet_empty(struct gdbstub *g, const char *p)
{
	gdb_reply(g, "");
	return true;
}

/* ---- the table ---- */

static const struct packet {
	const char *name;
	bool (*fn)(struct gdbstub *g, const char *p);
} packets[] = {
	{"!", packet_extended},
	{"?", packet_question},
	{"C", packet_C},
	{"D", packet_D},
	{"G", packet_G},
	{"H", packet_H},
	{"M", packet_M},
	{"P", packet_P},
	{"Q", gdb_set},
	{"S", packet_S},
	{"T", packet_T},
	{"X", packet_X},
	{"Z", packet_Z},
	{"c", packet_c},
	{"g", packet_g},
	{"k", packet_k},
	{"m", packet_m},
	{"p", packet_p},
	{"q", gdb_query},
	{"s", packet_s},
	{"vAttach;", packet_vattach},
	{"vCont?", packet_vcont_question},
	{"vCont", packet_vcont},
	{"vKill;", packet_vkill},
	{"z", packet_z},
	{"", packet_empty},
};

bool gdb_execute(struct gdbstub *g)
{
	for (const struct packet *p = packets;; p++) {
		size_t n = strlen(p->name);

		if (!strncmp(g->packet, p->name, n))
			return p->fn(g, g->packet + n);
	}
}
