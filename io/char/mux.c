/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several front ends on one back end. One has the focus and gets what is typed; all may print. Input is
 * buffered per front end, so that the escapes work while a guest does not read.
 *
 *	          ESCAPE                   any key (or ESCAPE itself, which is then input)
 *	TEXT -----------------> ESCAPED -----------------> TEXT
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "io/char/backend.h"

#define MUX_ENDS	4
#define MUX_INPUT_BYTES 4096

struct mux;

struct mux_end {
	struct chardev chr;
	struct mux *mux;
	bool refused;	 /* waits for chardev_writable */
	bool delivering; /* the front end is being given input, and may ask for more meanwhile */
	size_t start, len;
	uint8_t input[MUX_INPUT_BYTES];
};

struct mux {
	struct mux_end end; /* the first front end's; it owns the rest */
	struct chardev *backend;
	bool owns_backend;
	struct mux_end *ends[MUX_ENDS];
	unsigned n_ends, focus;
	uint8_t escape;
	bool escaped; /* the escape character came, and not yet its command */
	bool timestamps, line_start;
	char stamp[24]; /* a time stamp that the back end took only in part */
	size_t stamp_start, stamp_len;
	int64_t stamp_base_ns;
	void (*on_quit)(void *opaque);
	void *on_quit_opaque;
};

/* ---- output ---- */

static bool flush_stamp(struct mux *m)
{
	size_t n = chardev_write(m->backend, m->stamp + m->stamp_start, m->stamp_len);

	m->stamp_start += n;
	m->stamp_len -= n;
	return !m->stamp_len;
}

static void make_stamp(struct mux *m)
{
	int64_t ms =
		(clock_now_ns(loop_clock_host(m->backend->loop)) - m->stamp_base_ns) / NS_PER_MS;

	m->stamp_start = 0;
	m->stamp_len = snprintf(m->stamp, sizeof(m->stamp), "[%02d:%02d:%02d.%03d] ",
				(int)(ms / 3600000 % 100), (int)(ms / 60000 % 60),
				(int)(ms / 1000 % 60), (int)(ms % 1000));
}

/* Writes with a time stamp before each line; how many of BUF's bytes were taken. */
static size_t write_stamped(struct mux *m, const uint8_t *buf, size_t n)
{
	size_t done = 0;

	while (done < n) {
		const uint8_t *nl = memchr(buf + done, '\n', n - done);
		size_t line = nl ? (size_t)(nl - buf) + 1 - done : n - done, wrote;

		if (m->line_start && m->timestamps) {
			make_stamp(m);
			m->line_start = false;
		}
		if (!flush_stamp(m))
			break;
		wrote = chardev_write(m->backend, buf + done, line);
		done += wrote;
		if (wrote)
			m->line_start = buf[done - 1] == '\n';
		if (wrote < line)
			break;
	}
	return done;
}

static size_t mux_write(struct chardev *chr, const void *buf, size_t n)
{
	struct mux_end *e = container_of(chr, struct mux_end, chr);
	size_t done = write_stamped(e->mux, buf, n);

	if (done < n)
		e->refused = true;
	return done;
}

static void mux_say(struct mux *m, const char *text)
{
	chardev_write(m->backend, text, strlen(text));
	m->line_start = true;
}

static void mux_on_writable(void *opaque)
{
	struct mux *m = opaque;

	if (m->stamp_len && !flush_stamp(m))
		return;
	for (unsigned i = 0; i < m->n_ends; i++) {
		struct mux_end *e = m->ends[(m->focus + i) % m->n_ends];

		if (e->refused) {
			e->refused = false;
			chardev_writable(&e->chr);
		}
	}
}

/* ---- commands ---- */

static void key_name(uint8_t c, char name[8])
{
	if (c < 0x20)
		snprintf(name, 8, "C-%c", c == 0 ? '@' : c + (c <= 26 ? 0x60 : 0x40));
	else
		snprintf(name, 8, "%c", c);
}

static void mux_help(struct mux *m)
{
	static const char *const commands[][2] = {
		{"h", "print this help"},
		{"x", "end evmm"},
		{"s", "save disk data (when disks are temporary)"},
		{"t", "time stamps on or off"},
		{"b", "send a break (magic SysRq in Linux)"},
		{"c", "switch between console and monitor"},
	};
	char key[8], line[96];

	key_name(m->escape, key);
	mux_say(m, "\r\n");
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		snprintf(line, sizeof(line), "%s %s    %s\r\n", key, commands[i][0],
			 commands[i][1]);
		mux_say(m, line);
	}
	snprintf(line, sizeof(line), "%s %s  send %s\r\n", key, key, key);
	mux_say(m, line);
}

static void switch_focus(struct mux *m)
{
	unsigned old = m->focus, next = old;

	do
		next = (next + 1) % m->n_ends;
	while (next != old && !m->ends[next]->chr.handlers);
	if (next == old)
		return;
	chardev_event(&m->ends[old]->chr, CHR_EVENT_MUX_OUT);
	m->focus = next;
	chardev_event(&m->ends[next]->chr, CHR_EVENT_MUX_IN);
}

static void toggle_timestamps(struct mux *m)
{
	m->timestamps = !m->timestamps;
	m->line_start = true;
	m->stamp_base_ns = clock_now_ns(loop_clock_host(m->backend->loop));
}

static void mux_command(struct mux *m, uint8_t c)
{
	switch (c) {
	case 'h':
	case '?':
		mux_help(m);
		break;
	case 'x':
		mux_say(m, "\r\nevmm: ended from the console\r\n");
		if (m->on_quit)
			m->on_quit(m->on_quit_opaque);
		break;
	case 's':
		mux_say(m, "\r\nevmm: there is nothing to save\r\n");
		break;
	case 't':
		toggle_timestamps(m);
		break;
	case 'b':
		chardev_event(&m->ends[m->focus]->chr, CHR_EVENT_BREAK);
		break;
	case 'c':
		switch_focus(m);
		break;
	}
}

/* ---- input ---- */

static void deliver(struct mux_end *e)
{
	size_t n;

	if (e->delivering)
		return;
	e->delivering = true;
	while (e->len && (n = chardev_can_receive(&e->chr))) {
		const uint8_t *chunk = e->input + e->start;

		n = MIN(MIN(n, e->len), MUX_INPUT_BYTES - e->start);
		e->start = (e->start + n) % MUX_INPUT_BYTES;
		e->len -= n;
		chardev_receive(&e->chr, chunk, n);
	}
	e->delivering = false;
}

static void put_input(struct mux_end *e, uint8_t c)
{
	if (e->len < MUX_INPUT_BYTES)
		e->input[(e->start + e->len++) % MUX_INPUT_BYTES] = c;
}

static size_t mux_backend_can_receive(void *opaque)
{
	struct mux *m = opaque;

	return MUX_INPUT_BYTES - m->ends[m->focus]->len;
}

static void mux_backend_receive(void *opaque, const uint8_t *buf, size_t n)
{
	struct mux *m = opaque;

	for (size_t i = 0; i < n; i++) {
		struct mux_end *e = m->ends[m->focus];

		if (m->escaped) {
			m->escaped = false;
			if (buf[i] == m->escape) {
				put_input(e, buf[i]);
			} else {
				deliver(e); /* what was typed before comes before */
				mux_command(m, buf[i]);
			}
		} else if (buf[i] == m->escape) {
			m->escaped = true;
		} else {
			put_input(e, buf[i]);
		}
	}
	deliver(m->ends[m->focus]);
}

/* Whoever comes to the other end begins with the focus where it was. */
static void mux_backend_event(void *opaque, enum chardev_event event)
{
	struct mux *m = opaque;

	if (event == CHR_EVENT_BREAK) {
		chardev_event(&m->ends[m->focus]->chr, event);
		return;
	}
	for (unsigned i = 0; i < m->n_ends; i++) {
		struct chardev *chr = &m->ends[i]->chr;

		chardev_set_open(chr, event == CHR_EVENT_OPENED);
		if (event == CHR_EVENT_OPENED)
			chardev_event(chr, i == m->focus ? CHR_EVENT_MUX_IN : CHR_EVENT_MUX_OUT);
	}
	if (event == CHR_EVENT_CLOSED)
		m->escaped = false;
}

static void mux_update_input(struct chardev *chr)
{
	struct mux_end *e = container_of(chr, struct mux_end, chr);

	deliver(e);
	chardev_accept_input(e->mux->backend);
}

static void mux_attached(struct chardev *chr)
{
	struct mux_end *e = container_of(chr, struct mux_end, chr);

	if (!chr->open)
		return;
	chardev_event(chr, CHR_EVENT_OPENED);
	if (e->mux->ends[e->mux->focus] == e)
		chardev_event(chr, CHR_EVENT_MUX_IN);
	else
		chardev_event(chr, CHR_EVENT_MUX_OUT);
}

/* ---- life ---- */

static const struct chardev_handlers mux_backend_handlers = {
	.can_receive = mux_backend_can_receive,
	.receive = mux_backend_receive,
	.event = mux_backend_event,
	.writable = mux_on_writable,
};

static void mux_fini(struct chardev *chr)
{
	struct mux *m = container_of(chr, struct mux, end.chr);

	m->end.chr.handlers = NULL;
	chardev_attach(m->backend, NULL, NULL);
	for (unsigned i = 1; i < m->n_ends; i++)
		chardev_free(&m->ends[i]->chr);
	if (m->owns_backend)
		chardev_free(m->backend);
}

static const struct chardev_ops mux_ops = {
	.name = "mux",
	.write = mux_write,
	.update_input = mux_update_input,
	.attached = mux_attached,
	.fini = mux_fini,
};

static const struct chardev_ops mux_end_ops = {
	.name = "mux-end",
	.write = mux_write,
	.update_input = mux_update_input,
	.attached = mux_attached,
};

static struct chardev *mux_new(struct loop *loop, const char *id, struct chardev *backend,
			       uint8_t escape, struct error *err)
{
	struct mux *m = xzalloc(sizeof(*m));

	if (!chardev_init(&m->end.chr, &mux_ops, loop, id, err)) {
		free(m);
		return NULL;
	}
	m->end.mux = m;
	m->backend = backend;
	m->escape = escape;
	m->line_start = true;
	m->ends[m->n_ends++] = &m->end;
	m->end.chr.open = backend->open;
	backend->is_base = true;
	chardev_attach(backend, &mux_backend_handlers, m);
	return &m->end.chr;
}

struct chardev *chardev_new_mux(struct loop *loop, struct chardev *backend, uint8_t escape)
{
	struct chardev *chr = mux_new(loop, NULL, backend, escape, NULL);

	chardev_move_id(backend, chr);
	return chr;
}

struct chardev *chardev_new_owning_mux(struct loop *loop, const char *id, struct chardev *backend,
				       struct error *err)
{
	struct chardev *chr = mux_new(loop, id, backend, 1, err);

	if (chr)
		container_of(chr, struct mux, end.chr)->owns_backend = true;
	return chr;
}

struct chardev *chardev_share(struct chardev *chr)
{
	struct chardev *mux = chardev_new_mux(chr->loop, chr, 1);

	mux->taken = chr->taken;
	container_of(mux, struct mux, end.chr)->owns_backend = true;
	chr->id = xasprintf("%s-base", mux->id);
	list_insert(&mux->node, &chr->node);
	return mux;
}

bool chardev_is_mux(const struct chardev *chr)
{
	return chr->ops == &mux_ops;
}

static struct mux *mux_of(struct chardev *chr)
{
	assert(chardev_is_mux(chr));
	return container_of(chr, struct mux, end.chr);
}

struct chardev *chardev_mux_add(struct chardev *mux)
{
	struct mux *m = mux_of(mux);
	struct mux_end *e;

	LOOP_ASSERT();
	/* One that was given back first. */
	for (unsigned i = 1; i < m->n_ends; i++) {
		if (!m->ends[i]->chr.taken) {
			m->ends[i]->chr.taken = true;
			return &m->ends[i]->chr;
		}
	}
	if (m->n_ends == MUX_ENDS)
		return NULL;
	e = xzalloc(sizeof(*e));
	chardev_init(&e->chr, &mux_end_ops, mux->loop, NULL, NULL);
	e->mux = m;
	e->chr.open = m->backend->open;
	e->chr.taken = true;
	m->ends[m->n_ends++] = e;
	return &e->chr;
}

bool chardev_mux_is_used(const struct chardev *mux)
{
	const struct mux *m = container_of(mux, struct mux, end.chr);

	for (unsigned i = 0; i < m->n_ends; i++)
		if (m->ends[i]->chr.handlers || (i && m->ends[i]->chr.taken))
			return true;
	return false;
}

void chardev_mux_set_escape(struct chardev *mux, uint8_t escape)
{
	mux_of(mux)->escape = escape;
}

void chardev_mux_on_quit(struct chardev *mux, void (*fn)(void *opaque), void *opaque)
{
	struct mux *m = mux_of(mux);

	m->on_quit = fn;
	m->on_quit_opaque = opaque;
}
