/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The human monitor: a line is a command, by its row in the table.
 *
 *	IDLE --line--> (vCPUs parked, when the row or a $register in the line asks for it)
 *	       --> arguments parsed --> the row's function, or its QMP command --> IDLE
 */
#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "monitor/hmp.h"
#include "monitor/monitors.h"

#define CAPTURE_MAX (16u << 20)

/* ---- printing ---- */

static void vprint(struct monitor *mon, const char *fmt, va_list ap)
{
	char *text, *line, *nl;

	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	for (line = text; (nl = strchr(line, '\n')); line = nl + 1) {
		mon->write(mon, line, nl - line);
		mon->write(mon, "\r\n", 2);
	}
	mon->write(mon, line, strlen(line));
	free(text);
}

void monitor_printf(struct monitor *mon, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprint(mon, fmt, ap);
	va_end(ap);
}

void monitor_error(struct monitor *mon, const char *fmt, ...)
{
	va_list ap;

	monitor_printf(mon, "Error: ");
	va_start(ap, fmt);
	vprint(mon, fmt, ap);
	va_end(ap);
	monitor_printf(mon, "\n");
}

void monitor_report(struct monitor *mon, struct error *err)
{
	monitor_error(mon, "%s", err->msg);
	error_clear(err);
}

struct machine *monitor_machine(struct monitor *mon)
{
	return mon->machine;
}

struct vcpu *monitor_vcpu(struct monitor *mon)
{
	return mon->vcpu < mon->machine->n_vcpus ? mon->machine->vcpus[mon->vcpu] : NULL;
}

bool monitor_set_vcpu(struct monitor *mon, unsigned index)
{
	if (index >= mon->machine->n_vcpus)
		return false;
	mon->vcpu = index;
	return true;
}

/* ---- executing ---- */

void hmp_finish(struct monitor *mon)
{
	free(mon->rest);
	mon->rest = NULL;
	mon->command = NULL;
	mon->call = NULL;
	mon->cancel = NULL;
	mon->room_work = NULL;
	mon->finished(mon);
}

void hmp_go_on(struct monitor *mon, struct loop_work *work)
{
	if (mon->crowded && mon->crowded(mon))
		mon->room_work = work;
	else
		loop_work_schedule(work);
}

void hmp_on_cancel(struct monitor *mon, void (*cancel)(void *opaque), void *opaque)
{
	mon->cancel = cancel;
	mon->cancel_opaque = opaque;
}

static void qmp_done(struct command_call *call)
{
	struct monitor *mon = call->opaque;

	if (!mon)
		return;
	if (error_is_set(&call->err))
		monitor_error(mon, "%s", call->err.msg);
	else if (mon->command->show)
		mon->command->show(mon, call->result);
	hmp_finish(mon);
}

void hmp_run_qmp(struct monitor *mon, const char *name, json_t *args)
{
	const struct qmp_command *c = qmp_command_find(name);

	assert(c);
	command_start(mon->machine, c, args, mon->vcpu, qmp_done, mon, &mon->call);
}

static void run(void *opaque)
{
	struct monitor *mon = opaque;
	json_t *args = hmp_parse_args(mon, mon->command, mon->rest);
	bool deferred = mon->command->deferred;

	if (args && mon->command->qmp) {
		hmp_run_qmp(mon, mon->command->qmp, args);
	} else {
		if (args)
			mon->command->fn(mon, args);
		if (!args || !deferred)
			hmp_finish(mon);
	}
	json_decref(args);
}

static bool looks_at_registers(const char *text)
{
	return strchr(text, '$') != NULL;
}

static void run_command(struct monitor *mon, const struct hmp_command *c, const char *rest)
{
	mon->command = c;
	mon->rest = xstrdup(rest);
	if (c->parked || (c->args && looks_at_registers(rest)))
		machine_inspect(mon->machine, &mon->inspect, run, mon);
	else
		run(mon);
}

static const char *skip_blanks(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

static void execute(struct monitor *mon, const char *line, bool info)
{
	const char *word = skip_blanks(line);
	size_t n = hmp_name_length(word);
	const struct hmp_command *c = hmp_find(word, n, info);

	if (!*word) {
		if (info)
			hmp_help_info(mon);
		mon->finished(mon);
	} else if (!c) {
		monitor_printf(mon, "unknown command: '%s%s'\n", info ? "info " : "", word);
		mon->finished(mon);
	} else if (c->is_info) {
		execute(mon, word + n, true);
	} else {
		run_command(mon, c, skip_blanks(word + n));
	}
}

void hmp_execute(struct monitor *mon, const char *line)
{
	LOOP_ASSERT();
	execute(mon, line, false);
}

void hmp_init(struct monitor *mon, struct machine *m)
{
	mon->machine = m;
	list_init(&mon->inspect.node);
}

void hmp_fini(struct monitor *mon)
{
	machine_inspect_cancel(&mon->inspect);
	if (mon->call)
		command_abandon(mon->call);
	if (mon->cancel)
		mon->cancel(mon->cancel_opaque);
	free(mon->rest);
}

/* ---- human-monitor-command ---- */

struct captured {
	struct monitor mon;
	char *text;
	size_t len, capacity;
	struct command_call *call;
};

static void capture(struct monitor *mon, const char *text, size_t n)
{
	struct captured *c = container_of(mon, struct captured, mon);

	if (!n || c->len + n > CAPTURE_MAX)
		return;
	if (c->len + n > c->capacity) {
		c->capacity = MAX(2 * c->capacity, c->len + n);
		c->text = xrealloc(c->text, c->capacity);
	}
	memcpy(c->text + c->len, text, n);
	c->len += n;
}

/* What is printed need not be UTF-8: a guest may have written it. */
static json_t *as_string(const char *text, size_t n)
{
	json_t *s = json_stringn(text, n);
	char *clean;

	if (s)
		return s;
	clean = xmalloc(n + 1);
	for (size_t i = 0; i < n; i++)
		clean[i] = (signed char)text[i] < 0 ? '?' : text[i];
	s = json_stringn(clean, n);
	free(clean);
	return s;
}

static void captured_finished(struct monitor *mon)
{
	struct captured *c = container_of(mon, struct captured, mon);
	struct command_call *call = c->call;
	json_t *text = as_string(c->text ? c->text : "", c->len);

	hmp_fini(mon);
	free(c->text);
	free(c);
	command_complete(call, text);
}

json_t *qmp_human_monitor_command(struct command_call *call, json_t *args)
{
	json_int_t cpu = json_integer_value(json_object_get(args, "cpu-index"));
	struct captured *c;

	if (cpu < 0 || (cpu && cpu >= call->machine->n_vcpus))
		return command_fail(call, "Parameter 'cpu-index' expects a CPU number");
	c = xzalloc(sizeof(*c));
	c->mon.write = capture;
	c->mon.finished = captured_finished;
	c->call = call;
	hmp_init(&c->mon, call->machine);
	c->mon.vcpu = (unsigned)cpu;
	hmp_execute(&c->mon, json_string_value(json_object_get(args, "command-line")));
	return NULL;
}
