/* SPDX-License-Identifier: BSD-2-Clause */
/* Character back ends: what there are, adding and removing them, and what ring buffers hold. */
#include <stdio.h>
#include <stdlib.h>
#include "io/char/chardev.h"
#include "src/base64.h"
#include "monitor/commands.h"

#define RINGBUF_READ_MAX (16u << 20)

static json_t *query_chardev(struct command_call *call, json_t *args)
{
	json_t *list = json_array();

	for (struct chardev *chr = chardev_next(NULL); chr; chr = chardev_next(chr)) {
		char *filename = chardev_filename(chr);

		json_array_append_new(list, json_pack("{s:s,s:s,s:b}", "label", chardev_id(chr),
						      "filename", filename, "frontend-open",
						      chardev_frontend_open(chr)));
		free(filename);
	}
	return list;
}

static json_t *query_chardev_backends(struct command_call *call, json_t *args)
{
	json_t *list = json_array();
	const char *name;

	for (unsigned i = 0; (name = chardev_backend_name(i)); i++)
		json_array_append_new(list, json_pack("{ss}", "name", name));
	return list;
}

/* ---- chardev-add: QMP's shape of a back end into chardev's ---- */

static void set_str(char **field, json_t *data, const char *name)
{
	const char *s = arg_str(data, name);

	if (s)
		*field = xstrdup(s);
}

static void set_switch(int8_t *field, json_t *data, const char *name)
{
	if (json_object_get(data, name))
		*field = arg_bool(data, name, false);
}

static bool take_address(struct chardev_config *c, json_t *addr, struct error *err)
{
	const char *type = arg_str(addr, "type");
	json_t *data = json_object_get(addr, "data");

	if (!strcmp(type, "unix")) {
		set_str(&c->path, data, "path");
		set_switch(&c->abstract, data, "abstract");
		set_switch(&c->tight, data, "tight");
	} else if (!strcmp(type, "inet")) {
		json_int_t to = arg_int(data, "to", 0);

		set_str(&c->host, data, "host");
		set_str(&c->port, data, "port");
		set_switch(&c->ipv4, data, "ipv4");
		set_switch(&c->ipv6, data, "ipv6");
		if (to < 0 || to > 65535)
			return error_set(err, "Parameter 'to' expects a port number");
		c->to = (uint64_t)to;
	} else {
		set_str(&c->fd, data, "str");
	}
	return true;
}

static bool take_socket(struct chardev_config *c, json_t *data, struct error *err)
{
	json_int_t reconnect = arg_int(data, "reconnect", 0);

	if (reconnect < 0 || reconnect > INT32_MAX)
		return error_set(err, "Parameter 'reconnect' expects a number of seconds");
	c->reconnect_ms = (uint64_t)reconnect * 1000;
	/* QMP's default is a server, the command line's a client. */
	c->server = arg_bool(data, "server", true);
	set_switch(&c->wait, data, "wait");
	set_switch(&c->nodelay, data, "nodelay");
	set_switch(&c->telnet, data, "telnet");
	return take_address(c, json_object_get(data, "addr"), err);
}

static bool take_udp(struct chardev_config *c, json_t *data, struct error *err)
{
	json_t *remote = json_object_get(data, "remote"), *local = json_object_get(data, "local");

	if (strcmp(arg_str(remote, "type"), "inet") ||
	    (local && strcmp(arg_str(local, "type"), "inet")))
		return error_set(err, "udp needs addresses of type 'inet'");
	remote = json_object_get(remote, "data");
	local = json_object_get(local, "data");
	set_str(&c->host, remote, "host");
	set_str(&c->port, remote, "port");
	set_str(&c->localaddr, local, "host");
	set_str(&c->localport, local, "port");
	return true;
}

static bool take_backend(struct chardev_config *c, json_t *backend, struct error *err)
{
	const char *type = arg_str(backend, "type");
	json_t *data = json_object_get(backend, "data");
	json_int_t size = arg_int(data, "size", 0);

	if (!strcmp(type, "memory"))
		type = "ringbuf";
	c->backend = xstrdup(type);
	set_str(&c->logfile, data, "logfile");
	set_switch(&c->logappend, data, "logappend");
	set_str(&c->path, data, "out");	   /* file */
	set_str(&c->path, data, "device"); /* pipe, serial */
	set_str(&c->input_path, data, "in");
	set_switch(&c->append, data, "append");
	set_switch(&c->signal, data, "signal");
	if (size < 0)
		return error_set(err, "Parameter 'size' expects a positive number");
	c->size = (uint64_t)size;
	if (!strcmp(type, "socket"))
		return take_socket(c, data, err);
	return strcmp(type, "udp") || take_udp(c, data, err);
}

static json_t *added(struct command_call *call, struct chardev *chr)
{
	const char *pty = chardev_pty_path(chr);

	return pty ? json_pack("{ss}", "pty", pty) : json_object();
}

static json_t *chardev_add(struct command_call *call, json_t *args)
{
	struct error err = ERROR_INIT;
	struct chardev_config c;
	struct chardev *chr = NULL;

	chardev_config_init(&c);
	c.id = xstrdup(arg_str(args, "id"));
	if (take_backend(&c, json_object_get(args, "backend"), &err))
		chr = chardev_new(call->machine->loop, &c, &err);
	chardev_config_fini(&c);
	return chr ? added(call, chr) : command_fail_error(call, &err);
}

static json_t *chardev_change_(struct command_call *call, json_t *args)
{
	const char *id = arg_str(args, "id");
	struct error err = ERROR_INIT;
	struct chardev_config c;
	bool ok;

	chardev_config_init(&c);
	c.id = xstrdup(id);
	ok = take_backend(&c, json_object_get(args, "backend"), &err) &&
	     chardev_change(call->machine->loop, id, &c, &err);
	chardev_config_fini(&c);
	return ok ? added(call, chardev_find(id)) : command_fail_error(call, &err);
}

static json_t *chardev_remove_(struct command_call *call, json_t *args)
{
	struct error err = ERROR_INIT;

	if (!chardev_remove(arg_str(args, "id"), &err))
		return command_fail_error(call, &err);
	return command_ok();
}

static struct chardev *find(struct command_call *call, const char *id, const char *what)
{
	struct chardev *chr = chardev_find(id);

	if (!chr)
		command_fail(call, what, id);
	return chr;
}

static json_t *send_break(struct command_call *call, json_t *args)
{
	struct chardev *chr = find(call, arg_str(args, "id"), "Chardev '%s' not found");

	if (!chr)
		return NULL;
	chardev_send_break(chr);
	return command_ok();
}

/* ---- ring buffers ---- */

static bool is_base64(json_t *args)
{
	const char *format = arg_str(args, "format");

	return format && !strcmp(format, "base64");
}

static json_t *ringbuf_write(struct command_call *call, json_t *args)
{
	const char *text = arg_str(args, "data");
	struct chardev *chr = find(call, arg_str(args, "device"), "Device '%s' not found");
	size_t n = strlen(text);
	uint8_t *bytes = NULL;
	bool ok;

	if (!chr)
		return NULL;
	if (is_base64(args)) {
		bytes = base64_decode(text, n, &n);
		if (!bytes)
			return command_fail(call, "Data is not valid base64");
	}
	ok = chardev_ringbuf_write(chr, bytes ? (const void *)bytes : text, n);
	free(bytes);
	if (!ok)
		return command_fail(call, "%s is not a ringbuf device", arg_str(args, "device"));
	return command_ok();
}

/* What a guest has written need not be UTF-8. */
static json_t *as_text(const uint8_t *bytes, size_t n)
{
	json_t *s = json_stringn((const char *)bytes, n);
	char *clean;

	if (s)
		return s;
	clean = xmalloc(n + 1);
	for (size_t i = 0; i < n; i++)
		clean[i] = bytes[i] < 0x80 ? (char)bytes[i] : '?';
	s = json_stringn(clean, n);
	free(clean);
	return s;
}

static json_t *ringbuf_read(struct command_call *call, json_t *args)
{
	struct chardev *chr = find(call, arg_str(args, "device"), "Device '%s' not found");
	json_int_t size = arg_int(args, "size", 0);
	json_t *text;
	uint8_t *buf;
	ssize_t n;

	if (!chr)
		return NULL;
	if (size <= 0)
		return command_fail(call, "size must be greater than zero");
	size = MIN(size, (json_int_t)RINGBUF_READ_MAX);
	buf = xmalloc((size_t)size);
	n = chardev_ringbuf_read(chr, buf, (size_t)size);
	if (n < 0) {
		free(buf);
		return command_fail(call, "%s is not a ringbuf device", arg_str(args, "device"));
	}
	if (is_base64(args)) {
		char *encoded = base64_encode(buf, (size_t)n);

		text = json_string(encoded);
		free(encoded);
	} else {
		text = as_text(buf, (size_t)n);
	}
	free(buf);
	return text;
}

/* ---- for people ---- */

static void show_chardevs(struct monitor *mon, json_t *list)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		monitor_printf(mon, "%s: filename=%s\n", arg_str(v, "label"),
			       arg_str(v, "filename"));
	}
}

static void hmp_chardev_add(struct monitor *mon, json_t *args)
{
	struct error err = ERROR_INIT;

	if (!chardev_new_option(monitor_machine(mon)->loop, arg_str(args, "args"), &err))
		monitor_report(mon, &err);
}

static void hmp_chardev_change(struct monitor *mon, json_t *args)
{
	const char *id = arg_str(args, "id");
	struct error err = ERROR_INIT;
	struct chardev_config c;
	char *spec = xasprintf("%s,id=%s", arg_str(args, "args"), id);
	bool ok = chardev_config_parse(&c, spec, &err);

	free(spec);
	if (!ok) {
		monitor_report(mon, &err);
		return;
	}
	if (!chardev_change(monitor_machine(mon)->loop, id, &c, &err))
		monitor_report(mon, &err);
	chardev_config_fini(&c);
}

static void show_text(struct monitor *mon, json_t *text)
{
	monitor_printf(mon, "%s\n", json_string_value(text));
}

static const struct qapi_type types[] = {
	{QAPI_STRUCT, "ChardevInfo", "label:str filename:str frontend-open:bool", NULL, NULL},
	{QAPI_STRUCT, "ChardevBackendInfo", "name:str", NULL, NULL},
	{QAPI_STRUCT, "ChardevReturn", "?pty:str", NULL, NULL},
	{QAPI_ENUM, "DataFormat", "utf8 base64", NULL, NULL},
	{QAPI_ENUM, "SocketAddressType", "inet unix fd", NULL, NULL},
	{QAPI_STRUCT, "SocketAddressLegacy", "type:SocketAddressType", "type",
	 "inet:InetWrapper unix:UnixWrapper fd:StringWrapper"},
	{QAPI_STRUCT, "InetWrapper", "data:InetSocketAddress", NULL, NULL},
	{QAPI_STRUCT, "InetSocketAddress", "host:str port:str ?to:int ?ipv4:bool ?ipv6:bool", NULL,
	 NULL},
	{QAPI_STRUCT, "UnixWrapper", "data:UnixSocketAddress", NULL, NULL},
	{QAPI_STRUCT, "UnixSocketAddress", "path:str ?abstract:bool ?tight:bool", NULL, NULL},
	{QAPI_STRUCT, "StringWrapper", "data:String", NULL, NULL},
	{QAPI_STRUCT, "String", "str:str", NULL, NULL},
	{QAPI_ENUM, "ChardevBackendKind",
	 "file serial pipe socket udp pty null stdio ringbuf memory", NULL, NULL},
	{QAPI_STRUCT, "ChardevBackend", "type:ChardevBackendKind", "type",
	 "file:ChardevFileWrapper serial:ChardevHostdevWrapper pipe:ChardevHostdevWrapper "
	 "socket:ChardevSocketWrapper udp:ChardevUdpWrapper pty:ChardevCommonWrapper "
	 "null:ChardevCommonWrapper stdio:ChardevStdioWrapper ringbuf:ChardevRingbufWrapper "
	 "memory:ChardevRingbufWrapper"},
	{QAPI_STRUCT, "ChardevCommonWrapper", "data:ChardevCommon", NULL, NULL},
	{QAPI_STRUCT, "ChardevCommon", "?logfile:str ?logappend:bool", NULL, NULL},
	{QAPI_STRUCT, "ChardevFileWrapper", "data:ChardevFile", NULL, NULL},
	{QAPI_STRUCT, "ChardevFile", "?logfile:str ?logappend:bool ?in:str out:str ?append:bool",
	 NULL, NULL},
	{QAPI_STRUCT, "ChardevHostdevWrapper", "data:ChardevHostdev", NULL, NULL},
	{QAPI_STRUCT, "ChardevHostdev", "?logfile:str ?logappend:bool device:str", NULL, NULL},
	{QAPI_STRUCT, "ChardevSocketWrapper", "data:ChardevSocket", NULL, NULL},
	{QAPI_STRUCT, "ChardevSocket",
	 "?logfile:str ?logappend:bool addr:SocketAddressLegacy ?server:bool ?wait:bool "
	 "?nodelay:bool ?telnet:bool ?reconnect:int",
	 NULL, NULL},
	{QAPI_STRUCT, "ChardevUdpWrapper", "data:ChardevUdp", NULL, NULL},
	{QAPI_STRUCT, "ChardevUdp",
	 "?logfile:str ?logappend:bool remote:SocketAddressLegacy ?local:SocketAddressLegacy", NULL,
	 NULL},
	{QAPI_STRUCT, "ChardevStdioWrapper", "data:ChardevStdio", NULL, NULL},
	{QAPI_STRUCT, "ChardevStdio", "?logfile:str ?logappend:bool ?signal:bool", NULL, NULL},
	{QAPI_STRUCT, "ChardevRingbufWrapper", "data:ChardevRingbuf", NULL, NULL},
	{QAPI_STRUCT, "ChardevRingbuf", "?logfile:str ?logappend:bool ?size:int", NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"query-chardev", NULL, "[ChardevInfo]", query_chardev, 0},
	{"query-chardev-backends", NULL, "[ChardevBackendInfo]", query_chardev_backends, 0},
	{"chardev-add", "id:str backend:ChardevBackend", "ChardevReturn", chardev_add, 0},
	{"chardev-change", "id:str backend:ChardevBackend", "ChardevReturn", chardev_change_, 0},
	{"chardev-remove", "id:str", NULL, chardev_remove_, 0},
	{"chardev-send-break", "id:str", NULL, send_break, 0},
	{"ringbuf-read", "device:str size:int ?format:DataFormat", "str", ringbuf_read, 0},
	{"ringbuf-write", "device:str data:str ?format:DataFormat", NULL, ringbuf_write, 0},
	{.name = NULL},
};

static const struct hmp_command hmp[] = {
	{"chardev-add", "args:S", "args", "add chardev", .fn = hmp_chardev_add},
	{"chardev-change", "id:c args:S", "id args", "change chardev", .fn = hmp_chardev_change},
	{"chardev-remove", "id:c", "id", "remove chardev", .qmp = "chardev-remove"},
	{"chardev-send-break", "id:c", "id", "send a break on chardev",
	 .qmp = "chardev-send-break"},
	{"ringbuf_read", "device:c size:i", "device size",
	 "Read from a ring buffer character device", .qmp = "ringbuf-read", .show = show_text},
	{"ringbuf_write", "device:c data:s", "device data",
	 "Write to a ring buffer character device", .qmp = "ringbuf-write"},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"chardev", NULL, NULL, "show the character devices", .qmp = "query-chardev",
	 .show = show_chardevs},
	{.name = NULL},
};

const struct command_group commands_chardev = {
	.types = types, .qmp = qmp, .hmp = hmp, .info = info};
