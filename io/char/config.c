/* SPDX-License-Identifier: BSD-2-Clause */
/* What -chardev, -serial and their like ask for: the back ends, their keys, and the older spellings. */
#include <stdlib.h>
#include "io/char/backend.h"
#include "src/options/optlist.h"

/* ---- tables ---- */

#define KEYS(...)                 \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

const struct chardev_backend chardev_backends[] = {
	{"file", KEYS("path", "append", "input-path"), chardev_new_file},
	{"null", KEYS(NULL), chardev_new_null},
	{"pipe", KEYS("path"), chardev_new_pipe},
	{"pty", KEYS("path"), chardev_new_pty},
	{"ringbuf", KEYS("size"), chardev_new_ringbuf},
	{"serial", KEYS("path"), chardev_new_serial},
	{"socket",
	 KEYS("path", "host", "port", "fd", "to", "ipv4", "ipv6", "server", "wait", "telnet",
	      "nodelay", "reconnect", "reconnect-ms", "abstract", "tight"),
	 chardev_new_socket},
	{"stdio", KEYS("signal"), chardev_new_stdio},
	{"udp", KEYS("host", "port", "localaddr", "localport", "ipv4", "ipv6"), chardev_new_udp},
	{.name = NULL},
};

enum key_type {
	KEY_STRING,
	KEY_SWITCH, /* on or off */
	KEY_NUMBER,
	KEY_SIZE,
	KEY_SECONDS /* kept in ms */
};

static const struct config_key {
	const char *name;
	enum key_type type;
	size_t offset;
} keys[] = {
#define KEY(name, type, field)                                     \
	{                                                          \
		name, type, offsetof(struct chardev_config, field) \
	}
	KEY("backend", KEY_STRING, backend),
	KEY("id", KEY_STRING, id),
	KEY("logfile", KEY_STRING, logfile),
	KEY("path", KEY_STRING, path),
	KEY("input-path", KEY_STRING, input_path),
	KEY("host", KEY_STRING, host),
	KEY("port", KEY_STRING, port),
	KEY("localaddr", KEY_STRING, localaddr),
	KEY("localport", KEY_STRING, localport),
	KEY("fd", KEY_STRING, fd),
	KEY("to", KEY_NUMBER, to),
	KEY("reconnect", KEY_SECONDS, reconnect_ms),
	KEY("reconnect-ms", KEY_NUMBER, reconnect_ms),
	KEY("size", KEY_SIZE, size),
	KEY("mux", KEY_SWITCH, mux),
	KEY("logappend", KEY_SWITCH, logappend),
	KEY("append", KEY_SWITCH, append),
	KEY("signal", KEY_SWITCH, signal),
	KEY("server", KEY_SWITCH, server),
	KEY("wait", KEY_SWITCH, wait),
	KEY("telnet", KEY_SWITCH, telnet),
	KEY("nodelay", KEY_SWITCH, nodelay),
	KEY("ipv4", KEY_SWITCH, ipv4),
	KEY("ipv6", KEY_SWITCH, ipv6),
	KEY("abstract", KEY_SWITCH, abstract),
	KEY("tight", KEY_SWITCH, tight),
#undef KEY
};

static const char *const common_keys[] = {"backend", "id", "mux", "logfile", "logappend"};

const char *chardev_backend_name(unsigned i)
{
	return i < ARRAY_SIZE(chardev_backends) ? chardev_backends[i].name : NULL;
}

/* ---- fields ---- */

static void *field(const struct chardev_config *c, const struct config_key *k)
{
	return (char *)c + k->offset;
}

void chardev_config_init(struct chardev_config *c)
{
	*c = (struct chardev_config){.backend = NULL};
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].type == KEY_SWITCH)
			*(int8_t *)field(c, &keys[i]) = -1;
}

void chardev_config_fini(struct chardev_config *c)
{
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].type == KEY_STRING) {
			free(*(char **)field(c, &keys[i]));
			*(char **)field(c, &keys[i]) = NULL;
		}
	}
}

static bool is_given(const struct chardev_config *c, const struct config_key *k)
{
	switch (k->type) {
	case KEY_STRING:
		return *(char **)field(c, k) != NULL;
	case KEY_SWITCH:
		return *(int8_t *)field(c, k) >= 0;
	default:
		return *(uint64_t *)field(c, k) != 0;
	}
}

static const struct config_key *find_key(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static bool set_field(struct chardev_config *c, const struct config_key *k, const char *value,
		      struct error *err)
{
	void *f = field(c, k);
	uint64_t n;
	bool on;

	switch (k->type) {
	case KEY_STRING:
		free(*(char **)f);
		*(char **)f = xstrdup(value);
		return true;
	case KEY_SWITCH:
		if (!parse_bool(value, &on))
			return error_set(err, "%s=%s: must be on or off", k->name, value);
		*(int8_t *)f = on;
		return true;
	case KEY_SIZE:
		if (!parse_size(value, 0, &n))
			return error_set(err, "%s=%s: is not a size", k->name, value);
		*(uint64_t *)f = n;
		return true;
	default:
		if (!parse_u64(value, &n) || n > UINT32_MAX)
			return error_set(err, "%s=%s: is not a number", k->name, value);
		*(uint64_t *)f = k->type == KEY_SECONDS ? n * 1000 : n;
		return true;
	}
}

/* ---- what goes with what ---- */

static bool takes(const struct chardev_backend *b, const char *key)
{
	for (unsigned i = 0; i < ARRAY_SIZE(common_keys); i++)
		if (!strcmp(common_keys[i], key))
			return true;
	for (const char *const *k = b->keys; *k; k++)
		if (!strcmp(*k, key))
			return true;
	return false;
}

static const struct chardev_backend *find_backend(const char *name, struct error *err)
{
	const char *names[ARRAY_SIZE(chardev_backends)], *near;

	for (unsigned i = 0; i < ARRAY_SIZE(chardev_backends); i++) {
		names[i] = chardev_backends[i].name;
		if (names[i] && !strcmp(names[i], name))
			return &chardev_backends[i];
	}
	near = nearest_word(name, names);
	if (near)
		error_set(err, "'%s' is not a character device; did you mean '%s'?", name, near);
	else
		error_set(err, "'%s' is not a character device; -chardev help lists them", name);
	return NULL;
}

const struct chardev_backend *chardev_config_check(const struct chardev_config *c,
						   struct error *err)
{
	const struct chardev_backend *b = find_backend(c->backend ? c->backend : "", err);

	for (unsigned i = 0; b && i < ARRAY_SIZE(keys); i++) {
		if (!is_given(c, &keys[i]) || takes(b, keys[i].name) ||
		    !strcmp(keys[i].name, "reconnect"))
			continue;
		error_set(err, "%s= does not go with %s", keys[i].name, b->name);
		return NULL;
	}
	if (b && c->reconnect_ms && !takes(b, "reconnect")) {
		error_set(err, "reconnect= does not go with %s", b->name);
		return NULL;
	}
	return b;
}

/* ---- parsing ---- */

static bool unknown_key(const struct chardev_backend *b, const char *key, struct error *err)
{
	const char *known[ARRAY_SIZE(keys) + 1] = {NULL}, *near;
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++)
		if (takes(b, keys[i].name))
			known[n++] = keys[i].name;
	near = nearest_word(key, known);
	if (near)
		return error_set(err, "unknown key '%s'; did you mean '%s'?", key, near);
	return error_set(err, "unknown key '%s'", key);
}

/* Old spellings: "nowait" for wait=off, "noserver", and "delay" for the opposite of nodelay. */
static const struct config_key *find_old_key(const char *name, const char **value)
{
	bool on;

	if (!strcmp(name, "delay") && parse_bool(*value, &on)) {
		*value = on ? "off" : "on";
		return find_key("nodelay");
	}
	if (strncmp(name, "no", 2) || strcmp(*value, "on"))
		return NULL;
	*value = "off";
	return !strcmp(name + 2, "delay") ? NULL : find_key(name + 2);
}

static bool set_items(struct chardev_config *c, const struct optlist *l, unsigned first,
		      struct error *err)
{
	const struct chardev_backend *b = find_backend(c->backend ? c->backend : "", err);

	for (unsigned i = first; b && i < l->n; i++) {
		const char *name = l->items[i].key, *value = l->items[i].value;
		const struct config_key *k = find_key(name);

		if (!k || !takes(b, k->name))
			k = find_old_key(name, &value);
		if (!k || !takes(b, k->name))
			return unknown_key(b, name, err);
		if (!set_field(c, k, value, err))
			return false;
	}
	return b != NULL;
}

bool chardev_config_parse(struct chardev_config *c, const char *arg, struct error *err)
{
	struct optlist l;
	const char *name;
	bool ok;

	chardev_config_init(c);
	if (!optlist_parse(&l, arg, "backend", err))
		return false;
	name = optlist_get(&l, "backend");
	if (!name || !optlist_get(&l, "id")) {
		optlist_free(&l);
		return error_set(err, "must name a back end and its id, as in stdio,id=char0");
	}
	c->backend = xstrdup(name);
	ok = set_items(c, &l, 0, err);
	optlist_free(&l);
	if (!ok)
		chardev_config_fini(c);
	return ok;
}

/* ---- the older spelling ---- */

static char *copy_n(const char *s, size_t n)
{
	return *s && n ? xasprintf("%.*s", (int)n, s) : NULL;
}

/* "[HOST]:PORT", HOST in brackets when it has colons; what follows. NULL: it isn't that. */
static const char *take_host_port(const char *s, char **host, char **port)
{
	size_t n;

	if (*s == '[') {
		n = strcspn(s, "]");
		if (!s[n] || s[n + 1] != ':')
			return NULL;
		*host = copy_n(s + 1, n - 1);
		s += n + 2;
	} else {
		n = strcspn(s, ":,@");
		if (s[n] != ':')
			return NULL;
		*host = copy_n(s, n);
		s += n + 1;
	}
	n = strcspn(s, ":,@");
	*port = copy_n(s, n);
	return *port ? s + n : NULL;
}

static bool parse_rest(struct chardev_config *c, const char *rest, struct error *err)
{
	struct optlist l;
	bool ok;

	if (!*rest)
		return true;
	if (*rest != ',')
		return error_set(err, "'%s' is not understood", rest);
	/* An item in front, so that "server" is no bare first word. */
	rest = rest + 1;
	if (!optlist_parse(&l, rest, "server", err))
		return false;
	/* optlist takes a first word as a value; here it is a switch. */
	if (l.n && l.items[0].key && !strcmp(l.items[0].key, "server") &&
	    strncmp(rest, "server=", 7)) {
		free(l.items[0].key);
		l.items[0].key = l.items[0].value;
		l.items[0].value = xstrdup("on");
	}
	ok = set_items(c, &l, 0, err);
	optlist_free(&l);
	return ok;
}

static bool parse_tcp(struct chardev_config *c, const char *s, bool telnet, struct error *err)
{
	c->backend = xstrdup("socket");
	if (telnet)
		c->telnet = 1;
	s = take_host_port(s, &c->host, &c->port);
	if (!s)
		return error_set(err, "must be HOST:PORT, with nothing or a name before the colon");
	return parse_rest(c, s, err);
}

static bool parse_unix(struct chardev_config *c, const char *s, struct error *err)
{
	struct optlist l;
	bool ok;

	c->backend = xstrdup("socket");
	if (!optlist_parse(&l, s, "path", err))
		return false;
	ok = set_items(c, &l, 0, err);
	optlist_free(&l);
	if (ok && !c->path)
		return error_set(err, "must be unix:PATH");
	return ok;
}

/* "[HOST]:PORT[@[LOCALADDR]:LOCALPORT]" */
static bool parse_udp(struct chardev_config *c, const char *s, struct error *err)
{
	c->backend = xstrdup("udp");
	s = take_host_port(s, &c->host, &c->port);
	if (s && *s == '@')
		s = take_host_port(s + 1, &c->localaddr, &c->localport);
	if (!s || *s)
		return error_set(err, "must be udp:[HOST]:PORT[@[ADDRESS]:PORT]");
	return true;
}

static bool parse_path(struct chardev_config *c, const char *backend, const char *path,
		       struct error *err)
{
	c->backend = xstrdup(backend);
	if (!*path)
		return error_set(err, "no path is named");
	c->path = xstrdup(path);
	return true;
}

static const char *after(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) ? NULL : s + n;
}

static bool parse_legacy(struct chardev_config *c, const char *spec, struct error *err)
{
	static const char *const bare[] = {"null", "stdio", "pty", "ringbuf"};
	static const char *const paths[] = {"file", "pipe", "pty"};
	const char *rest;

	for (unsigned i = 0; i < ARRAY_SIZE(bare); i++) {
		if (!strcmp(spec, bare[i])) {
			c->backend = xstrdup(spec);
			return true;
		}
	}
	for (unsigned i = 0; i < ARRAY_SIZE(paths); i++) {
		size_t n = strlen(paths[i]);

		if (!strncmp(spec, paths[i], n) && spec[n] == ':')
			return parse_path(c, paths[i], spec + n + 1, err);
	}
	if ((rest = after(spec, "tcp:")))
		return parse_tcp(c, rest, false, err);
	if ((rest = after(spec, "telnet:")))
		return parse_tcp(c, rest, true, err);
	if ((rest = after(spec, "udp:")))
		return parse_udp(c, rest, err);
	if ((rest = after(spec, "unix:")))
		return parse_unix(c, rest, err);
	if (after(spec, "/dev/"))
		return parse_path(c, "serial", spec, err);
	return error_set(err,
			 "'%s' is not a character device; there are stdio, pty, null, none, "
			 "file:PATH, pipe:PATH, tcp:HOST:PORT, telnet:HOST:PORT, udp:HOST:PORT, "
			 "unix:PATH and /dev/...",
			 spec);
}

bool chardev_config_parse_legacy(struct chardev_config *c, const char *id, const char *spec,
				 struct error *err)
{
	chardev_config_init(c);
	c->id = id ? xstrdup(id) : NULL;
	if (parse_legacy(c, spec, err))
		return true;
	chardev_config_fini(c);
	return false;
}
