/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The human monitor: a line editor over a chardev, the command table, and output that waits for its reader.
 *
 *	READY --line--> (command runs) --> READY
 *	READY --line--> WAITING for the vCPUs to park --> (command runs) --> READY
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "config.h"
#include "io/char/chardev.h"
#include "monitor/hmp.h"
#include "src/log.h"
#include "src/optlist.h"

/* A reader that doesn't read loses output beyond this. */
#define OUTPUT_MAX (1u << 20)

struct monitor {
	struct machine *machine;
	struct chardev *chr;
	struct line_editor line;
	bool shown; /* the banner was */
	bool focused;
	unsigned vcpu;

	char *out;
	size_t out_len, out_capacity;
	bool out_blocked;

	/* WAITING */
	struct machine_inspect inspect;
	const struct hmp_command *command;
	char *command_args;
};

/* ---- output ---- */

static void flush(struct monitor *mon)
{
	size_t n = mon->out_len ? chardev_write(mon->chr, mon->out, mon->out_len) : 0;

	mon->out_len -= n;
	memmove(mon->out, mon->out + n, mon->out_len);
	mon->out_blocked = mon->out_len > 0;
}

static void put(void *opaque, const char *text, size_t n)
{
	struct monitor *mon = opaque;

	if (!n || mon->out_len + n > OUTPUT_MAX)
		return;
	if (mon->out_len + n > mon->out_capacity) {
		mon->out_capacity = MAX(2 * mon->out_capacity, mon->out_len + n);
		mon->out = xrealloc(mon->out, mon->out_capacity);
	}
	memcpy(mon->out + mon->out_len, text, n);
	mon->out_len += n;
	if (!mon->out_blocked)
		flush(mon);
}

void monitor_printf(struct monitor *mon, const char *fmt, ...)
{
	char *text, *line, *nl;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	for (line = text; (nl = strchr(line, '\n')); line = nl + 1) {
		put(mon, line, nl - line);
		put(mon, "\r\n", 2);
	}
	put(mon, line, strlen(line));
	free(text);
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

/* ---- commands ---- */

static void print_help(struct monitor *mon, const char *parent, const struct hmp_command *c)
{
	monitor_printf(mon, "%s%s%s%s -- %s\n", parent, c->name, *c->args ? " " : "", c->args,
		       c->help);
}

static bool is_named(const struct hmp_command *c, const char *word, size_t n)
{
	for (const char *name = c->name; *name;) {
		size_t len = strcspn(name, "|");

		if (len == n && !memcmp(name, word, n))
			return true;
		name += len + (name[len] == '|');
	}
	return false;
}

static const struct hmp_command *find(const struct hmp_command *table, const char *word, size_t n)
{
	for (const struct hmp_command *c = table; c->name; c++)
		if (is_named(c, word, n))
			return c;
	return NULL;
}

static void help_table(struct monitor *mon, const char *parent, const struct hmp_command *table)
{
	for (const struct hmp_command *c = table; c->name; c++)
		print_help(mon, parent, c);
}

static void hmp_help(struct monitor *mon, const char *args)
{
	size_t n = strcspn(args, " ");
	const struct hmp_command *c;

	if (!*args) {
		help_table(mon, "", hmp_commands);
		return;
	}
	c = find(hmp_commands, args, n);
	if (!c)
		monitor_printf(mon, "unknown command: '%s'\n", args);
	else if (c->sub)
		help_table(mon, "info ", c->sub);
	else
		print_help(mon, "", c);
}

static void hmp_quit(struct monitor *mon, const char *args)
{
	machine_request_shutdown(mon->machine, SHUTDOWN_QUIT, 0);
}

static void hmp_stop(struct monitor *mon, const char *args)
{
	machine_pause(mon->machine);
}

static void hmp_cont(struct monitor *mon, const char *args)
{
	if (mon->machine->state == RUN_SHUTDOWN || mon->machine->state == RUN_INTERNAL_ERROR)
		monitor_printf(mon, "Error: the machine has ended; system_reset starts it again\n");
	else
		machine_resume(mon->machine);
}

static void hmp_system_reset(struct monitor *mon, const char *args)
{
	machine_request_reset(mon->machine);
}

static void hmp_system_powerdown(struct monitor *mon, const char *args)
{
	machine_power_button(mon->machine);
}

static void hmp_nmi(struct monitor *mon, const char *args)
{
	struct vcpu *v = monitor_vcpu(mon);

	if (v)
		mon->machine->accel->inject_nmi(v);
}

static void hmp_cpu(struct monitor *mon, const char *args)
{
	uint64_t index;

	if (!parse_u64(args, &index) || index > UINT32_MAX || !monitor_set_vcpu(mon, index))
		monitor_printf(mon, "Error: '%s' is not the index of a CPU\n", args);
}

static void hmp_log(struct monitor *mon, const char *args)
{
	struct error err = ERROR_INIT;
	const char *name, *help;

	if (!*args || !strcmp(args, "help") || !strcmp(args, "?")) {
		for (unsigned i = 0; log_item(i, &name, &help); i++)
			monitor_printf(mon, "%-15s %s\n", name, help);
		monitor_printf(mon, "%-15s %s\n", "none", "turn all off");
	} else if (!log_set_mask(args, &err)) {
		monitor_printf(mon, "Error: %s\n", err.msg);
		error_clear(&err);
	}
}

static void hmp_logfile(struct monitor *mon, const char *args)
{
	struct error err = ERROR_INIT;

	if (!log_set_file(args, &err)) {
		monitor_printf(mon, "Error: %s\n", err.msg);
		error_clear(&err);
	}
}

const struct hmp_command hmp_commands[] = {
	{"help|?", "[cmd]", "show the help", .fn = hmp_help},
	{"cont|c", "", "resume emulation", .fn = hmp_cont},
	{"cpu", "index", "set the default CPU", .fn = hmp_cpu},
	{"info", "[subcommand]", "show various information about the system state",
	 .sub = hmp_info_commands},
	{"log", "item1[,...]", "activate logging of the specified items", .fn = hmp_log},
	{"logfile", "filename", "output logs to 'filename'", .fn = hmp_logfile},
	{"nmi", "", "inject an NMI into the default CPU", .fn = hmp_nmi},
	{"print|p", "/fmt expr", "print expression value (use $reg for CPU register access)",
	 .fn = hmp_print, .parked = true},
	{"quit|q", "", "quit the emulator", .fn = hmp_quit},
	{"stop|s", "", "stop emulation", .fn = hmp_stop},
	{"system_powerdown", "", "send system power down event", .fn = hmp_system_powerdown},
	{"system_reset", "", "reset the system", .fn = hmp_system_reset},
	{"x", "/fmt addr", "virtual memory dump starting at 'addr'", .fn = hmp_x, .parked = true},
	{"xp", "/fmt addr", "physical memory dump starting at 'addr'", .fn = hmp_xp,
	 .parked = true},
	{.name = NULL},
};

/* ---- a line ---- */

static void finish(struct monitor *mon)
{
	free(mon->command_args);
	mon->command_args = NULL;
	mon->command = NULL;
	if (mon->focused)
		line_show(&mon->line);
}

static void on_parked(void *opaque)
{
	struct monitor *mon = opaque;

	mon->command->fn(mon, mon->command_args);
	finish(mon);
	chardev_accept_input(mon->chr);
}

/* Names end at what cannot be in one, so that "x/4i" is x. */
static const char *word_end(const char *s)
{
	while (isalnum((unsigned char)*s) || *s == '_' || *s == '?' || *s == '-')
		s++;
	return s;
}

static const char *skip_blanks(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

/* Returns false when the command goes on by itself, and calls finish() then. */
static bool execute(struct monitor *mon, const struct hmp_command *table, const char *parent,
		    char *line)
{
	const char *word = skip_blanks(line), *end = word_end(word);
	const struct hmp_command *c = find(table, word, end - word);
	char *args = (char *)skip_blanks(end), *last;

	if (!*word) {
		if (*parent)
			help_table(mon, parent, table);
		return true;
	}
	if (!c) {
		monitor_printf(mon, "unknown command: '%s%s'\n", parent, word);
		return true;
	}
	if (c->sub)
		return execute(mon, c->sub, "info ", args);
	for (last = args + strlen(args); last > args && isspace((unsigned char)last[-1]);)
		*--last = 0;
	if (*args && !*c->args) {
		monitor_printf(mon, "%s: takes no argument\n", c->name);
		return true;
	}
	if (!c->parked) {
		c->fn(mon, args);
		return true;
	}
	mon->command = c;
	mon->command_args = xstrdup(args);
	machine_inspect(mon->machine, &mon->inspect, on_parked, mon);
	return false;
}

static void monitor_on_line(void *opaque, const char *line)
{
	struct monitor *mon = opaque;
	char *copy = xstrdup(line);

	if (execute(mon, hmp_commands, "", copy))
		finish(mon);
	free(copy);
}

static void complete_from(const struct hmp_command *table, const char *line, struct line_editor *e)
{
	const char *word = skip_blanks(line), *end = word + strcspn(word, " \t");
	const struct hmp_command *c;

	if (*end) {
		c = find(table, word, end - word);
		if (c && c->sub)
			complete_from(c->sub, end, e);
		else if (c && c->fn == hmp_help)
			complete_from(hmp_commands, end, e);
		return;
	}
	for (c = table; c->name; c++) {
		char *name = xstrdup(c->name);

		name[strcspn(name, "|")] = 0;
		if (!strncmp(name, word, end - word))
			line_add_candidate(e, name);
		free(name);
	}
}

static void monitor_on_complete(void *opaque, const char *line, struct line_editor *e)
{
	complete_from(hmp_commands, line, e);
}

/* ---- the chardev ---- */

static size_t monitor_can_receive(void *opaque)
{
	struct monitor *mon = opaque;

	/* A byte at a time: the one that ends a line may start a command that has to end first. */
	return mon->command ? 0 : 1;
}

static void monitor_receive(void *opaque, const uint8_t *buf, size_t n)
{
	struct monitor *mon = opaque;

	line_input(&mon->line, buf, n);
}

static void show(struct monitor *mon)
{
	mon->focused = true;
	if (!mon->shown)
		monitor_printf(mon, "evmm %s monitor - type 'help' for more information\n",
			       PACKAGE_VERSION);
	mon->shown = true;
	line_show(&mon->line);
}

static void monitor_on_event(void *opaque, enum chardev_event event)
{
	struct monitor *mon = opaque;

	if (event == CHR_EVENT_MUX_IN && mon->chr) {
		monitor_printf(mon, "\n");
		show(mon);
	} else if (event == CHR_EVENT_MUX_OUT) {
		if (mon->shown)
			monitor_printf(mon, "\n");
		mon->focused = false;
	}
}

static void monitor_on_writable(void *opaque)
{
	flush(opaque);
}

static const struct chardev_handlers monitor_handlers = {
	.can_receive = monitor_can_receive,
	.receive = monitor_receive,
	.event = monitor_on_event,
	.writable = monitor_on_writable,
};

struct monitor *monitor_new(struct machine *m, struct chardev *chr)
{
	struct monitor *mon = xzalloc(sizeof(*mon));

	LOOP_ASSERT();
	mon->machine = m;
	mon->line = (struct line_editor){
		.prompt = "(evmm) ",
		.print = put,
		.enter = monitor_on_line,
		.complete = monitor_on_complete,
		.opaque = mon,
	};
	list_init(&mon->inspect.node);
	mon->focused = true;
	chardev_attach(chr, &monitor_handlers, mon);
	mon->chr = chr;
	if (mon->focused)
		show(mon);
	return mon;
}

void monitor_free(struct monitor *mon)
{
	if (!mon)
		return;
	machine_inspect_cancel(&mon->inspect);
	chardev_attach(mon->chr, NULL, NULL);
	line_fini(&mon->line);
	free(mon->command_args);
	free(mon->out);
	free(mon);
}
