/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests of the monitor: a machine whose processors do nothing, or a PC without any, and QMP sessions on chardevs that
 * remember. Each answer and each event is held against the row of the table that it comes from.
 */
#ifndef TESTS_MONITOR_KIT_H
#define TESTS_MONITOR_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "io/char/backend.h"
#include "monitor/command.h"
#include "monitor/monitor.h"
#include "src/machine.h"

struct session {
	struct chardev chr;
	char *out;
	size_t len, room; /* ROOM: beyond it the peer doesn't read */
	size_t seen;	  /* what kit_next has returned */
	int fd;		  /* that comes with the next command, or -1 */
};

struct kit {
	struct loop *loop;
	struct machine *m;
	struct monitors *monitors;
	struct session *s; /* the first session, past its capabilities */
	struct session *all[8];
	unsigned n_sessions;
	json_t *events; /* that came while kit_qmp waited */
	int ended, powered_down;
	struct x86_regs regs; /* that the processors show */
};

enum kit_machine { KIT_NONE, KIT_PC };

/* A machine of that type, started. Two processors of KIT_NONE show k->regs; KIT_PC has none. */
struct kit *kit_new(enum kit_machine type, void (*config)(struct machine_config *));
void kit_free(struct kit *k);
/* Another session; its greeting waits to be read. */
struct session *kit_session(struct kit *k, bool pretty);
/* A terminal with a human monitor, which has greeted. */
struct session *kit_terminal(struct kit *k);
void kit_send(struct kit *k, struct session *s, const char *text, size_t n);
/* The next message; the loop runs until there is one. */
json_t *kit_next(struct kit *k, struct session *s);
/* Nothing more comes. */
bool kit_is_silent(struct kit *k, struct session *s);
void kit_turns(struct kit *k, int n);
/* Executes COMMAND with ARGS (a JSON text, NULL: none); the "return" value, or NULL when an error came. Events are kept. */
json_t *kit_qmp(struct kit *k, const char *command, const char *args);
/* The same, and it must be an error of this class; its text. Until the next call. */
const char *kit_error(struct kit *k, const char *command, const char *args,
		      const char *error_class);
/* A line for the human monitor; what it prints. Until the next call. */
const char *kit_hmp(struct kit *k, const char *line);
/* The event of that name that came last; it is waited for, long enough for a busy host. NULL: none. Borrowed. */
json_t *kit_event(struct kit *k, const char *name);
/* The same, after a few turns of the loop. */
json_t *kit_event_now(struct kit *k, const char *name);
/* "a.b.0.c" in V. Borrowed. */
json_t *kit_get(json_t *v, const char *path);
const char *kit_str(json_t *v, const char *path);
json_int_t kit_int(json_t *v, const char *path);

#endif
