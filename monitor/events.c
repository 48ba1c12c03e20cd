/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events on their way from the machine to the QMP sessions. One whose row has an interval is sent at most once in it:
 * the first at once, and of those that follow within the interval the last, at its end.
 */
#include <assert.h>
#include <stdlib.h>
#include "monitor/monitors.h"

struct held_event {
	struct list node;
	struct monitors *monitors;
	const struct qmp_event *row;
	json_t *distinct; /* of the row's `distinguish`; NULL: there is none */
	json_t *waiting;  /* to be sent when the interval ends; NULL: nothing came */
	struct timer timer;
};

static void send(struct monitors *ms, json_t *event)
{
	list_for_each_safe(it, &ms->sinks) {
		struct event_sink *sink = list_entry(it, struct event_sink, node);

		sink->send(sink->opaque, event);
	}
}

static json_t *message(const char *name, json_t *data)
{
	int64_t ns = clock_wall_ns();
	json_t *event = json_pack("{s:{s:I,s:I},s:s}", "timestamp", "seconds",
				  (json_int_t)(ns / NS_PER_SEC), "microseconds",
				  (json_int_t)(ns % NS_PER_SEC / NS_PER_US), "event", name);

	if (data)
		json_object_set(event, "data", data);
	return event;
}

static void held_free(struct held_event *h)
{
	timer_cancel(&h->timer);
	list_remove(&h->node);
	json_decref(h->distinct);
	json_decref(h->waiting);
	free(h);
}

static void arm(struct held_event *h)
{
	timer_arm(&h->timer, clock_now_ns(h->timer.clock) + h->row->interval_ns);
}

static void on_interval_end(void *opaque)
{
	struct held_event *h = opaque;
	json_t *event = h->waiting;

	if (!event) {
		held_free(h);
		return;
	}
	h->waiting = NULL;
	arm(h);
	send(h->monitors, event);
	json_decref(event);
}

static struct held_event *find_held(struct monitors *ms, const struct qmp_event *row,
				    json_t *distinct)
{
	list_for_each(it, &ms->held) {
		struct held_event *h = list_entry(it, struct held_event, node);

		if (h->row == row && (h->distinct == distinct || json_equal(h->distinct, distinct)))
			return h;
	}
	return NULL;
}

static void send_limited(struct monitors *ms, const struct qmp_event *row, json_t *data,
			 json_t *event)
{
	json_t *distinct = row->distinguish ? json_object_get(data, row->distinguish) : NULL;
	struct held_event *h = find_held(ms, row, distinct);

	if (h) {
		json_decref(h->waiting);
		h->waiting = json_incref(event);
		return;
	}
	h = xzalloc(sizeof(*h));
	h->monitors = ms;
	h->row = row;
	h->distinct = json_incref(distinct);
	list_push_back(&ms->held, &h->node);
	timer_init(&h->timer, loop_clock_host(ms->machine->loop), "event", on_interval_end, h);
	arm(h);
	send(ms, event);
}

static void on_event(void *opaque, const char *name, json_t *data)
{
	struct monitors *ms = opaque;
	const struct qmp_event *row = qmp_event_find(name);
	json_t *event;

	/* The schema has to be true. */
	assert(row);
	event = message(name, data);
	if (row->interval_ns)
		send_limited(ms, row, data, event);
	else
		send(ms, event);
	json_decref(event);
}

void events_add_sink(struct monitors *ms, struct event_sink *sink)
{
	list_push_back(&ms->sinks, &sink->node);
}

void events_remove_sink(struct event_sink *sink)
{
	list_remove(&sink->node);
}

void events_init(struct monitors *ms)
{
	list_init(&ms->sinks);
	list_init(&ms->held);
	ms->machine->event_hook = on_event;
	ms->machine->event_opaque = ms;
}

void events_fini(struct monitors *ms)
{
	ms->machine->event_hook = NULL;
	list_for_each_safe(it, &ms->held)
		held_free(list_entry(it, struct held_event, node));
}
