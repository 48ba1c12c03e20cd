/* SPDX-License-Identifier: BSD-2-Clause */
/* Character devices: what all back ends share, and the list of them. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/char/backend.h"
#include "src/options/optlist.h"

/* Every chardev with an id. Process-wide, as ids are; emptied as chardevs are freed. */
static struct list all = {&all, &all};

bool chardev_init(struct chardev *chr, const struct chardev_ops *ops, struct loop *loop,
		  const char *id, struct error *err)
{
	LOOP_ASSERT();
	chr->ops = ops;
	chr->loop = loop;
	chr->open = true;
	list_init(&chr->node);
	if (!id)
		return true;
	if (chardev_find(id))
		return error_set(err, "there is a chardev with id=%s already", id);
	chr->id = xstrdup(id);
	list_push_back(&all, &chr->node);
	return true;
}

void chardev_discard(struct chardev *chr)
{
	list_remove(&chr->node);
	free(chr->id);
	free(chr);
}

void chardev_free(struct chardev *chr)
{
	LOOP_ASSERT();
	if (!chr)
		return;
	if (chr->ops->fini)
		chr->ops->fini(chr);
	if (chr->log) {
		stream_fini(chr->log);
		close(chr->log->out_fd);
		free(chr->log);
		free(chr->log_path);
	}
	chardev_discard(chr);
}

/* Last made, first freed; but a mux frees what it stands on. */
void chardev_free_all(void)
{
	for (struct list *it = all.prev; it != &all;) {
		struct chardev *chr = list_entry(it, struct chardev, node);

		it = it->prev;
		if (chr->is_base)
			continue;
		chardev_free(chr);
		it = all.prev;
	}
}

/* ---- looking at them ---- */

struct chardev *chardev_find(const char *id)
{
	list_for_each(it, &all) {
		struct chardev *chr = list_entry(it, struct chardev, node);

		if (!strcmp(chr->id, id))
			return chr;
	}
	return NULL;
}

struct chardev *chardev_next(const struct chardev *chr)
{
	struct list *next = chr ? chr->node.next : all.next;

	return next == &all ? NULL : list_entry(next, struct chardev, node);
}

const char *chardev_id(const struct chardev *chr)
{
	return chr->id;
}

char *chardev_filename(const struct chardev *chr)
{
	return chr->ops->filename ? chr->ops->filename(chr) : xstrdup(chr->ops->name);
}

bool chardev_frontend_open(const struct chardev *chr)
{
	return chardev_is_mux(chr) ? chardev_mux_is_used(chr) : chr->handlers != NULL;
}

bool chardev_is_open(const struct chardev *chr)
{
	return chr->open;
}

void chardev_each_id(const char *begun, void (*fn)(const char *id, void *opaque), void *opaque)
{
	list_for_each(it, &all) {
		struct chardev *chr = list_entry(it, struct chardev, node);

		if (!strncmp(chr->id, begun, strlen(begun)))
			fn(chr->id, opaque);
	}
}

/* ---- front ends take them ---- */

struct chardev *chardev_take(const char *id, struct error *err)
{
	struct chardev *chr = chardev_find(id);

	if (!chr) {
		error_set(err, "there is no -chardev with id=%s", id);
		return NULL;
	}
	if (!chr->taken && !chr->is_base) {
		chr->taken = true;
		return chr;
	}
	if (!chardev_is_mux(chr)) {
		error_set(err, "chardev '%s' is in use already; with mux=on it could be shared",
			  id);
		return NULL;
	}
	chr = chardev_mux_add(chr);
	if (!chr)
		error_set(err, "chardev '%s' is shared by too many already", id);
	return chr;
}

void chardev_release(struct chardev *chr)
{
	if (!chr)
		return;
	LOOP_ASSERT();
	chr->taken = false;
}

/* ---- front end to back end ---- */

void chardev_attach(struct chardev *chr, const struct chardev_handlers *h, void *opaque)
{
	LOOP_ASSERT();
	assert(!h || !chr->handlers);
	chr->handlers = h;
	chr->opaque = opaque;
	if (h && chr->ops->attached)
		chr->ops->attached(chr);
	else if (h && chr->open)
		chardev_event(chr, CHR_EVENT_OPENED);
	if (chr->ops->update_input)
		chr->ops->update_input(chr);
}

size_t chardev_write(struct chardev *chr, const void *buf, size_t n)
{
	LOOP_ASSERT();
	if (chr->log)
		n = stream_reserve(chr->log, n);
	if (n)
		n = chr->ops->write(chr, buf, n);
	if (chr->log)
		stream_write(chr->log, buf, n);
	return n;
}

void chardev_accept_input(struct chardev *chr)
{
	LOOP_ASSERT();
	if (chr->ops->update_input)
		chr->ops->update_input(chr);
}

unsigned chardev_take_fds(struct chardev *chr, int *fds, unsigned max)
{
	LOOP_ASSERT();
	return chr->ops->take_fds ? chr->ops->take_fds(chr, fds, max) : 0;
}

void chardev_set_line(struct chardev *chr, const struct chardev_line *line)
{
	LOOP_ASSERT();
	if (chr->ops->set_line)
		chr->ops->set_line(chr, line);
}

void chardev_set_break(struct chardev *chr, bool on)
{
	LOOP_ASSERT();
	if (chr->ops->set_break)
		chr->ops->set_break(chr, on);
}

void chardev_send_break(struct chardev *chr)
{
	LOOP_ASSERT();
	chardev_event(chr, CHR_EVENT_BREAK);
}

/* ---- back end to front end ---- */

size_t chardev_can_receive(struct chardev *chr)
{
	if (!chr->handlers || !chr->handlers->receive)
		return 0;
	return chr->handlers->can_receive ? chr->handlers->can_receive(chr->opaque) : SIZE_MAX;
}

void chardev_receive(struct chardev *chr, const uint8_t *buf, size_t n)
{
	if (chr->handlers && chr->handlers->receive)
		chr->handlers->receive(chr->opaque, buf, n);
}

void chardev_event(struct chardev *chr, enum chardev_event event)
{
	if (chr->handlers && chr->handlers->event)
		chr->handlers->event(chr->opaque, event);
}

void chardev_writable(struct chardev *chr)
{
	if (chr->handlers && chr->handlers->writable)
		chr->handlers->writable(chr->opaque);
}

void chardev_set_open(struct chardev *chr, bool open)
{
	if (chr->open == open)
		return;
	chr->open = open;
	chardev_event(chr, open ? CHR_EVENT_OPENED : CHR_EVENT_CLOSED);
}

/* ---- making them ---- */

static bool open_log(struct chardev *chr, const struct chardev_config *c, struct error *err)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
		    (c->logappend == 1 ? O_APPEND : O_TRUNC);
	int fd;

	if (!c->logfile)
		return true;
	fd = open(c->logfile, flags, 0666);
	if (fd < 0)
		return error_set_errno(err, errno, "Could not open logfile '%s'", c->logfile);
	chr->log = xzalloc(sizeof(*chr->log));
	chr->log_path = xstrdup(c->logfile);
	stream_init(chr->log, chr, chr->log_path, -1, fd);
	return true;
}

/* ID may be NULL, also where the config has one. */
static struct chardev *new_backend(struct loop *loop, const char *id,
				   const struct chardev_config *c, struct error *err)
{
	const struct chardev_backend *b = chardev_config_check(c, err);
	struct chardev *chr = b ? b->new (loop, id, c, err) : NULL;

	if (chr && !open_log(chr, c, err)) {
		chardev_free(chr);
		return NULL;
	}
	return chr;
}

struct chardev *chardev_new(struct loop *loop, const struct chardev_config *c, struct error *err)
{
	struct chardev *chr, *mux;
	char *base_id;

	LOOP_ASSERT();
	if (c->id && !id_check(c->id, err))
		return NULL;
	if (c->id && chardev_find(c->id)) {
		error_set(err, "there is a chardev with id=%s already", c->id);
		return NULL;
	}
	if (c->mux != 1)
		return new_backend(loop, c->id, c, err);
	base_id = c->id ? xasprintf("%s-base", c->id) : NULL;
	chr = new_backend(loop, base_id, c, err);
	free(base_id);
	if (!chr)
		return NULL;
	mux = chardev_new_owning_mux(loop, c->id, chr, err);
	if (!mux)
		chardev_free(chr);
	return mux;
}

static bool is_busy(const struct chardev *chr)
{
	if (chr->is_base)
		return true;
	return chr->taken || chardev_frontend_open(chr);
}

bool chardev_remove(const char *id, struct error *err)
{
	struct chardev *chr = chardev_find(id);

	LOOP_ASSERT();
	if (!chr)
		return error_set(err, "Chardev '%s' not found", id);
	if (is_busy(chr))
		return error_set(err, "Chardev '%s' is busy", id);
	chardev_free(chr);
	return true;
}

static bool may_change(const struct chardev *chr, const struct chardev_config *c, struct error *err)
{
	if (chardev_is_mux(chr) || chr->is_base || c->mux == 1)
		return error_set(err, "a chardev that is shared (mux) cannot be changed");
	if (chr->handlers && !chr->handlers->changed)
		return error_set(err, "what uses chardev '%s' cannot have it changed", chr->id);
	return true;
}

bool chardev_change(struct loop *loop, const char *id, const struct chardev_config *c,
		    struct error *err)
{
	struct chardev *old = chardev_find(id), *chr;
	const struct chardev_handlers *h;
	void *opaque;

	LOOP_ASSERT();
	if (!old)
		return error_set(err, "Chardev '%s' not found", id);
	if (!may_change(old, c, err))
		return false;
	chr = new_backend(loop, NULL, c, err);
	if (!chr)
		return false;
	h = old->handlers;
	opaque = old->opaque;
	if (h)
		chardev_attach(old, NULL, NULL);
	chardev_move_id(old, chr);
	chr->taken = old->taken;
	chardev_free(old);
	if (h)
		h->changed(opaque, chr);
	return true;
}

/* TO takes FROM's id and its place among all. */
void chardev_move_id(struct chardev *from, struct chardev *to)
{
	if (!from->id)
		return;
	to->id = from->id;
	from->id = NULL;
	list_insert(&from->node, &to->node);
	list_remove(&from->node);
}

struct chardev *chardev_new_legacy(struct loop *loop, const char *id, const char *spec,
				   struct error *err)
{
	struct chardev_config c;
	struct chardev *chr;

	if (!strcmp(spec, "none"))
		return NULL;
	if (!chardev_config_parse_legacy(&c, id, spec, err))
		return NULL;
	c.starting = true;
	chr = chardev_new(loop, &c, err);
	chardev_config_fini(&c);
	return chr;
}

struct chardev *chardev_new_option(struct loop *loop, const char *arg, struct error *err)
{
	struct chardev_config c;
	struct chardev *chr;

	if (!chardev_config_parse(&c, arg, err))
		return NULL;
	c.starting = true;
	chr = chardev_new(loop, &c, err);
	chardev_config_fini(&c);
	return chr;
}
