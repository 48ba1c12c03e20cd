/* SPDX-License-Identifier: BSD-2-Clause */
/* All monitors of a machine, and the events that go to those that speak QMP. For monitor/ only. */
#ifndef EVMM_MONITORS_H
#define EVMM_MONITORS_H

#include "monitor/command.h"
#include "src/list.h"

struct qmp;

/* Something that wants events. Member of its owner. */
struct event_sink {
	struct list node;
	/* EVENT (borrowed) is the whole message, with its time. */
	void (*send)(void *opaque, json_t *event);
	void *opaque;
};

struct monitors {
	struct machine *machine;
	struct list all; /* struct monitor_entry */
	struct list sinks;
	struct list held; /* struct held_event */
};

void events_init(struct monitors *ms);
void events_fini(struct monitors *ms);
void events_add_sink(struct monitors *ms, struct event_sink *sink);
void events_remove_sink(struct event_sink *sink);

struct qmp *qmp_new(struct monitors *ms, struct chardev *chr, bool pretty);
void qmp_free(struct qmp *q);

#endif
