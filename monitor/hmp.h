/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The human monitor's inside. A struct monitor executes lines and prints; a terminal (hmp_terminal.c) is one with a
 * prompt, and human-monitor-command makes one whose output is kept (hmp.c).
 */
#ifndef EVMM_HMP_H
#define EVMM_HMP_H

#include "monitor/command.h"
#include "monitor/line.h"

struct monitor {
	struct machine *machine;
	unsigned vcpu;
	const struct line_editor *line; /* NULL: not at a terminal */
	void (*write)(struct monitor *mon, const char *text, size_t n);
	/* More than is good waits for the reader; once it has been read, ROOM_WORK is scheduled. NULL: the reader is never slow. */
	bool (*crowded)(struct monitor *mon);
	struct loop_work *room_work;
	/* A line has been dealt with; perhaps within hmp_execute. */
	void (*finished)(struct monitor *mon);

	/* the line at work; COMMAND NULL: none */
	const struct hmp_command *command;
	char *rest; /* what follows the command's name */
	struct machine_inspect inspect;
	struct command_call *call;
	void (*cancel)(void *opaque); /* of a deferred command; NULL: it needs none */
	void *cancel_opaque;
};

void hmp_init(struct monitor *mon, struct machine *m);
void hmp_fini(struct monitor *mon);
static inline bool hmp_busy(const struct monitor *mon)
{
	return mon->command != NULL;
}
void hmp_execute(struct monitor *mon, const char *line);

/* hmp_args.c */
struct hmp_arg {
	char name[32];
	char kind; /* as command.h lists them; '-': the flag FLAG */
	char flag;
	bool valued; /* the flag has a word behind it */
	bool optional;
};
/* The next of a row's arguments at *S; false at the end. */
bool hmp_next_arg(const char **s, struct hmp_arg *arg);
/* The arguments of C in TEXT, or NULL after a message. */
json_t *hmp_parse_args(struct monitor *mon, const struct hmp_command *c, const char *text);
/* The word at *S, without its quotes, on the heap; NULL at the end, or (with UNCLOSED set) at a quote without another. */
char *hmp_next_word(const char **s, bool *unclosed);

/* hmp_help.c */
const struct hmp_command *hmp_find(const char *word, size_t n, bool info);
/* Names end at what cannot be in one, so that "x/4i" is x. */
size_t hmp_name_length(const char *s);
void hmp_help_info(struct monitor *mon);
void hmp_help(struct monitor *mon, json_t *args);

/* hmp_complete.c: as line_editor.complete. */
struct worker_pool;
bool hmp_complete(struct machine *m, const char *line, struct line_editor *e);

/*
 * hmp_expr.c: an expression in C's operators without assignment, comparison and logic, with $rip and the like. Advances
 * *S past it. Error messages are printed; then false.
 */
bool hmp_eval(struct monitor *mon, const char **s, uint64_t *value);

#endif
