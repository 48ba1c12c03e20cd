/* SPDX-License-Identifier: BSD-2-Clause */
/* The human monitor at a chardev: a line editor, a prompt, and output that waits for its reader. */
#include <stdlib.h>
#include "config.h"
#include "io/char/chardev.h"
#include "monitor/hmp.h"
#include "monitor/monitor.h"

/* A reader that doesn't read loses output beyond this. */
#define OUTPUT_MAX (1u << 20)
/* A command that can wait does so when more than this is unread. */
#define OUTPUT_CROWDED (64u << 10)

struct terminal {
	struct monitor mon;
	struct chardev *chr;
	struct line_editor line;
	bool shown; /* the banner was */
	bool focused;
	char *out;
	size_t out_len, out_capacity;
	bool out_blocked;
};

/* ---- output ---- */

static void flush(struct terminal *t)
{
	size_t n = t->out_len ? chardev_write(t->chr, t->out, t->out_len) : 0;

	t->out_len -= n;
	memmove(t->out, t->out + n, t->out_len);
	t->out_blocked = t->out_len > 0;
}

static bool crowded(struct monitor *mon)
{
	return container_of(mon, struct terminal, mon)->out_len > OUTPUT_CROWDED;
}

/* Output has been read, or its reader is gone. */
static void go_on(struct terminal *t)
{
	struct loop_work *work = t->mon.room_work;

	if (!work || crowded(&t->mon))
		return;
	t->mon.room_work = NULL;
	loop_work_schedule(work);
}

static void put(void *opaque, const char *text, size_t n)
{
	struct terminal *t = opaque;

	if (!n || t->out_len + n > OUTPUT_MAX)
		return;
	if (t->out_len + n > t->out_capacity) {
		t->out_capacity = MAX(2 * t->out_capacity, t->out_len + n);
		t->out = xrealloc(t->out, t->out_capacity);
	}
	memcpy(t->out + t->out_len, text, n);
	t->out_len += n;
	if (!t->out_blocked)
		flush(t);
}

static void terminal_write(struct monitor *mon, const char *text, size_t n)
{
	put(container_of(mon, struct terminal, mon), text, n);
}

/* ---- lines ---- */

static void on_line(void *opaque, const char *line)
{
	struct terminal *t = opaque;

	hmp_execute(&t->mon, line);
}

static void finished(struct monitor *mon)
{
	struct terminal *t = container_of(mon, struct terminal, mon);

	if (t->focused)
		line_show(&t->line);
	chardev_accept_input(t->chr);
}

static bool on_complete(void *opaque, const char *line, struct line_editor *e)
{
	struct terminal *t = opaque;

	return hmp_complete(t->mon.machine, line, e);
}

static void on_completed(void *opaque)
{
	struct terminal *t = opaque;

	chardev_accept_input(t->chr);
}

/* ---- the chardev ---- */

static size_t can_receive(void *opaque)
{
	struct terminal *t = opaque;

	/* A byte at a time: the one that ends a line may start a command that has to end first. */
	return hmp_busy(&t->mon) || line_is_completing(&t->line) ? 0 : 1;
}

static void receive(void *opaque, const uint8_t *buf, size_t n)
{
	struct terminal *t = opaque;

	line_input(&t->line, buf, n);
}

static void show(struct terminal *t)
{
	t->focused = true;
	if (!t->shown)
		monitor_printf(&t->mon, "evmm %s monitor - type 'help' for more information\n",
			       PACKAGE_VERSION);
	t->shown = true;
	if (!hmp_busy(&t->mon))
		line_show(&t->line);
}

static void on_event(void *opaque, enum chardev_event event)
{
	struct terminal *t = opaque;

	switch (event) {
	case CHR_EVENT_OPENED:
		/* On a socket: somebody new. */
		if (t->shown) {
			t->shown = false;
			line_reset(&t->line);
			show(t);
		}
		break;
	case CHR_EVENT_CLOSED:
		t->out_len = 0;
		t->out_blocked = false;
		go_on(t);
		break;
	case CHR_EVENT_MUX_IN:
		if (!t->chr)
			break;
		monitor_printf(&t->mon, "\n");
		show(t);
		break;
	case CHR_EVENT_MUX_OUT:
		if (t->shown)
			monitor_printf(&t->mon, "\n");
		t->focused = false;
		break;
	default:
		break;
	}
}

static void on_writable(void *opaque)
{
	flush(opaque);
	go_on(opaque);
}

static const struct chardev_handlers handlers = {
	.can_receive = can_receive,
	.receive = receive,
	.event = on_event,
	.writable = on_writable,
};

struct monitor *monitor_new(struct machine *m, struct chardev *chr)
{
	struct terminal *t = xzalloc(sizeof(*t));

	LOOP_ASSERT();
	hmp_init(&t->mon, m);
	t->mon.write = terminal_write;
	t->mon.crowded = crowded;
	t->mon.finished = finished;
	t->line = (struct line_editor){
		.prompt = "(evmm) ",
		.print = put,
		.enter = on_line,
		.complete = on_complete,
		.completed = on_completed,
		.opaque = t,
	};
	t->mon.line = &t->line;
	t->focused = true;
	chardev_attach(chr, &handlers, t);
	t->chr = chr;
	if (t->focused)
		show(t);
	return &t->mon;
}

void monitor_free(struct monitor *mon)
{
	struct terminal *t = mon ? container_of(mon, struct terminal, mon) : NULL;

	if (!t)
		return;
	hmp_fini(mon);
	chardev_attach(t->chr, NULL, NULL);
	chardev_release(t->chr);
	line_fini(&t->line);
	free(t->out);
	free(t);
}
