/* SPDX-License-Identifier: BSD-2-Clause */
/* Character devices: what all back ends share, their names, and how options ask for them. */
#include <assert.h>
#include <stdlib.h>
#include "io/char/backend.h"
#include "src/optlist.h"

/* Every chardev with an id. Process-wide, as ids are; emptied as chardevs are freed. */
static struct list all = {&all, &all};

bool chardev_init(struct chardev *chr, const struct chardev_ops *ops, struct loop *loop,
		  const char *id, struct error *err)
{
	LOOP_ASSERT();
	chr->ops = ops;
	chr->loop = loop;
	list_init(&chr->node);
	if (!id)
		return true;
	if (chardev_find(id))
		return error_set(err, "there is a chardev with id=%s already", id);
	chr->id = xstrdup(id);
	list_push_back(&all, &chr->node);
	return true;
}

void chardev_free(struct chardev *chr)
{
	LOOP_ASSERT();
	if (!chr)
		return;
	if (chr->ops->fini)
		chr->ops->fini(chr);
	list_remove(&chr->node);
	free(chr->id);
	free(chr);
}

struct chardev *chardev_find(const char *id)
{
	list_for_each(it, &all) {
		struct chardev *chr = list_entry(it, struct chardev, node);

		if (!strcmp(chr->id, id))
			return chr;
	}
	return NULL;
}

void chardev_each_id(const char *begun, void (*fn)(const char *id, void *opaque), void *opaque)
{
	list_for_each(it, &all) {
		struct chardev *chr = list_entry(it, struct chardev, node);

		if (!strncmp(chr->id, begun, strlen(begun)))
			fn(chr->id, opaque);
	}
}

struct chardev *chardev_take(const char *id, struct error *err)
{
	struct chardev *chr = chardev_find(id);

	if (!chr) {
		error_set(err, "there is no -chardev with id=%s", id);
		return NULL;
	}
	if (!chr->taken) {
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

const char *chardev_id(const struct chardev *chr)
{
	return chr->id;
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
	else if (h)
		chardev_event(chr, CHR_EVENT_OPENED);
	if (chr->ops->update_input)
		chr->ops->update_input(chr);
}

size_t chardev_write(struct chardev *chr, const void *buf, size_t n)
{
	LOOP_ASSERT();
	return n ? chr->ops->write(chr, buf, n) : 0;
}

void chardev_accept_input(struct chardev *chr)
{
	LOOP_ASSERT();
	if (chr->ops->update_input)
		chr->ops->update_input(chr);
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

/* ---- by option ---- */

struct chardev *chardev_new_legacy(struct loop *loop, const char *id, const char *spec,
				   struct error *err)
{
	if (!strcmp(spec, "none"))
		return NULL;
	if (!strcmp(spec, "null"))
		return chardev_new_null(loop, id, err);
	if (!strcmp(spec, "stdio"))
		return chardev_new_stdio(loop, id, true, err);
	if (!strncmp(spec, "file:", 5))
		return chardev_new_file(loop, id, spec + 5, false, err);
	error_set(err, "'%s' is not a character device; there are stdio, file:PATH, null and none",
		  spec);
	return NULL;
}

static bool get_bool(struct optlist *l, const char *key, bool *out, struct error *err)
{
	const char *value = optlist_get(l, key);

	if (!value || parse_bool(value, out))
		return true;
	return error_set(err, "%s=%s: must be on or off", key, value);
}

static struct chardev *new_stdio_from_list(struct loop *loop, struct optlist *l, const char *id,
					   struct error *err)
{
	static const char *const known[] = {"id", "mux", "signal", NULL};
	bool signals = true;

	if (!get_bool(l, "signal", &signals, err) || !optlist_check_unused(l, known, err))
		return NULL;
	return chardev_new_stdio(loop, id, signals, err);
}

static struct chardev *new_file_from_list(struct loop *loop, struct optlist *l, const char *id,
					  struct error *err)
{
	static const char *const known[] = {"id", "mux", "path", "append", NULL};
	const char *path = optlist_get(l, "path");
	bool append = false;

	if (!get_bool(l, "append", &append, err) || !optlist_check_unused(l, known, err))
		return NULL;
	if (!path) {
		error_set(err, "file needs path=");
		return NULL;
	}
	return chardev_new_file(loop, id, path, append, err);
}

static struct chardev *new_null_from_list(struct loop *loop, struct optlist *l, const char *id,
					  struct error *err)
{
	static const char *const known[] = {"id", "mux", NULL};

	return optlist_check_unused(l, known, err) ? chardev_new_null(loop, id, err) : NULL;
}

static const struct backend_name {
	const char *name;
	struct chardev *(*new)(struct loop *loop, struct optlist *l, const char *id,
			       struct error *err);
} backends[] = {
	{"file", new_file_from_list},
	{"null", new_null_from_list},
	{"stdio", new_stdio_from_list},
};

static struct chardev *new_from_list(struct loop *loop, struct optlist *l, struct error *err)
{
	const char *name = optlist_get(l, "backend"), *id = optlist_get(l, "id");
	struct chardev *chr;
	bool mux = false;

	if (!name || !id) {
		error_set(err, "must name a back end and its id, as in stdio,id=char0");
		return NULL;
	}
	if (!get_bool(l, "mux", &mux, err))
		return NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(backends); i++) {
		if (strcmp(backends[i].name, name))
			continue;
		chr = backends[i].new(loop, l, id, err);
		return chr && mux ? chardev_new_owning_mux(loop, chr) : chr;
	}
	error_set(err, "'%s' is not a character device; there are file, null and stdio", name);
	return NULL;
}

struct chardev *chardev_new_option(struct loop *loop, const char *arg, struct error *err)
{
	struct optlist l;
	struct chardev *chr;

	if (!optlist_parse(&l, arg, "backend", err))
		return NULL;
	chr = new_from_list(loop, &l, err);
	optlist_free(&l);
	return chr;
}
