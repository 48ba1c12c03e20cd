/* SPDX-License-Identifier: BSD-2-Clause */
/* All monitors of a machine. */
#include <stdlib.h>
#include "monitor/monitor.h"
#include "monitor/monitors.h"

struct monitor_entry {
	struct list node;
	struct monitor *human; /* one of the two */
	struct qmp *qmp;
};

static struct monitor_entry *add(struct monitors *ms)
{
	struct monitor_entry *e = xzalloc(sizeof(*e));

	list_push_back(&ms->all, &e->node);
	return e;
}

struct monitors *monitors_new(struct machine *m)
{
	struct monitors *ms = xzalloc(sizeof(*ms));

	LOOP_ASSERT();
	ms->machine = m;
	list_init(&ms->all);
	events_init(ms);
	return ms;
}

void monitors_add_human(struct monitors *ms, struct chardev *chr)
{
	add(ms)->human = monitor_new(ms->machine, chr);
}

void monitors_add_qmp(struct monitors *ms, struct chardev *chr, bool pretty)
{
	add(ms)->qmp = qmp_new(ms, chr, pretty);
}

void monitors_free(struct monitors *ms)
{
	LOOP_ASSERT();
	if (!ms)
		return;
	list_for_each_safe(it, &ms->all) {
		struct monitor_entry *e = list_entry(it, struct monitor_entry, node);

		monitor_free(e->human);
		qmp_free(e->qmp);
		list_remove(&e->node);
		free(e);
	}
	events_fini(ms);
	free(ms);
}
