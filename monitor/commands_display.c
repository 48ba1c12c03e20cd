/* SPDX-License-Identifier: BSD-2-Clause */
/* The screen, the keyboard and the mouse. */
#include <stdio.h>
#include <stdlib.h>
#include "io/display/screendump.h"
#include "monitor/commands.h"
#include "src/input.h"

static const char *string(json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static json_int_t integer(json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* ---- screendump ---- */

static void on_dumped(void *opaque, struct error *err)
{
	struct command_call *call = opaque;

	if (error_is_set(err)) {
		command_fail_error(call, err);
		command_complete(call, NULL);
	} else {
		command_complete(call, command_ok());
	}
}

static struct console *find_console(struct command_call *call, json_t *args)
{
	struct display *d = call->machine->display;
	const char *device = string(args, "device");
	json_int_t head = integer(args, "head");
	struct console *con = device ? display_console_named(d, device) : display_console(d, 0);

	if (!device && json_object_get(args, "head"))
		command_fail(call, "'head' must be specified together with 'device'");
	else if (device && !con)
		command_fail_class(call, QMP_DEVICE_NOT_FOUND, "Device '%s' not found", device);
	else if (!con)
		command_fail(call, "no console to take a screendump from");
	else if (head)
		command_fail(call, "device '%s' has no head %lld", device, (long long)head);
	else
		return con;
	return NULL;
}

static json_t *take_screendump(struct command_call *call, json_t *args)
{
	const char *format = string(args, "format");
	enum screendump_format f = SCREENDUMP_PPM;
	struct console *con = find_console(call, args);
	struct error err = ERROR_INIT;

	if (!con)
		return NULL;
	if (format && !screendump_format_parse(format, &f, &err))
		return command_fail_error(call, &err);
	screendump(con, call->machine->workers, string(args, "filename"), f, on_dumped, call);
	return NULL;
}

/* ---- keys ---- */

/* A KeyValue, checked by its type already. */
static bool key_of(json_t *value, enum input_key *key)
{
	json_t *data = json_object_get(value, "data");
	char number[32];

	if (json_is_string(data))
		return input_key_parse(json_string_value(data), strlen(json_string_value(data)),
				       key);
	snprintf(number, sizeof(number), "0x%llx", (unsigned long long)json_integer_value(data));
	return input_key_parse(number, strlen(number), key);
}

static json_t *send_key(struct command_call *call, json_t *args)
{
	json_t *keys = json_object_get(args, "keys"), *hold = json_object_get(args, "hold-time");
	enum input_key list[INPUT_SENDKEY_MAX];
	struct error err = ERROR_INIT;
	size_t n = json_array_size(keys);

	if (n > INPUT_SENDKEY_MAX)
		return command_fail(call, "more than %u keys at once", INPUT_SENDKEY_MAX);
	if (hold && (json_integer_value(hold) < 1 || json_integer_value(hold) > INT32_MAX))
		return command_fail(call, "Parameter 'hold-time' expects milliseconds");
	for (size_t i = 0; i < n; i++)
		if (!key_of(json_array_get(keys, i), &list[i]))
			return command_fail(call, "key %zu is none that a keyboard has", i);
	if (!input_send_keys(call->machine->input, list, n, json_integer_value(hold), &err))
		return command_fail_error(call, &err);
	return command_ok();
}

/* "ctrl-alt-delete"; "<" stands for the key that has it. */
static void hmp_sendkey(struct monitor *mon, json_t *args)
{
	const char *s = string(args, "keys");
	json_int_t hold = integer(args, "hold-time");
	enum input_key list[INPUT_SENDKEY_MAX];
	struct error err = ERROR_INIT;
	unsigned n = 0;

	for (;;) {
		size_t len = strcspn(s, "-");
		bool known = len == 1 && *s == '<' ? (list[n] = INPUT_KEY_LESS, true)
						   : input_key_parse(s, len, &list[n]);

		if (!known) {
			monitor_error(mon, "invalid parameter: %.*s", (int)len, s);
			return;
		}
		n++;
		s += len;
		if (!*s++)
			break;
		if (n == INPUT_SENDKEY_MAX) {
			monitor_error(mon, "more than %u keys at once", INPUT_SENDKEY_MAX);
			return;
		}
	}
	if (hold < 0 || hold > INT32_MAX)
		monitor_error(mon, "the hold time is in milliseconds");
	else if (!input_send_keys(monitor_machine(mon)->input, list, n, hold, &err))
		monitor_report(mon, &err);
}

/* ---- events one by one ---- */

static int clamp(json_int_t value)
{
	return (int)MIN(MAX(value, INT32_MIN + 1), INT32_MAX);
}

static bool button_of(const char *name, enum input_button *button)
{
	for (unsigned i = 0; i < INPUT_BUTTONS; i++) {
		if (!strcmp(input_button_name(i), name)) {
			*button = i;
			return true;
		}
	}
	return false;
}

/* All are judged before the first is sent. */
static bool event_is_good(json_t *event)
{
	const char *type = string(event, "type");
	json_t *data = json_object_get(event, "data");
	enum input_button button;
	enum input_key key;

	if (!strcmp(type, "key"))
		return key_of(json_object_get(data, "key"), &key);
	if (!strcmp(type, "btn"))
		return button_of(string(data, "button"), &button);
	return true;
}

static void send_event(struct input *in, json_t *event)
{
	const char *type = string(event, "type");
	json_t *data = json_object_get(event, "data");
	bool down = json_is_true(json_object_get(data, "down"));
	enum input_button button = INPUT_BUTTON_LEFT;
	enum input_key key = INPUT_KEY_UNMAPPED;
	enum input_axis axis;

	if (!strcmp(type, "key")) {
		key_of(json_object_get(data, "key"), &key);
		input_key_event(in, key, down);
		return;
	}
	if (!strcmp(type, "btn")) {
		button_of(string(data, "button"), &button);
		input_button_event(in, button, down);
		return;
	}
	axis = !strcmp(string(data, "axis"), "x") ? INPUT_AXIS_X : INPUT_AXIS_Y;
	if (!strcmp(type, "rel"))
		input_rel_event(in, axis, clamp(integer(data, "value")));
	else
		input_abs_event(in, axis, clamp(integer(data, "value")));
}

static json_t *input_send_event(struct command_call *call, json_t *args)
{
	json_t *events = json_object_get(args, "events"), *event;
	size_t i;

	if (string(args, "device") && !find_console(call, args))
		return NULL;
	json_array_foreach(events, i, event)
	{
		if (!event_is_good(event))
			return command_fail(call, "event %zu is none that a guest can get", i);
	}
	json_array_foreach(events, i, event)
	{
		send_event(call->machine->input, event);
	}
	input_sync(call->machine->input);
	return command_ok();
}

static bool number(struct monitor *mon, json_t *args, const char *name, int *out)
{
	const char *s = string(args, name);
	char *end;

	*out = 0;
	if (!s)
		return true;
	*out = clamp(strtoll(s, &end, 0));
	if (*s && !*end)
		return true;
	monitor_error(mon, "'%s' is not a number", s);
	return false;
}

static void hmp_mouse_move(struct monitor *mon, json_t *args)
{
	struct input *in = monitor_machine(mon)->input;
	int dx, dy, dz;

	if (!number(mon, args, "dx", &dx) || !number(mon, args, "dy", &dy) ||
	    !number(mon, args, "dz", &dz))
		return;
	if (input_is_absolute(in)) {
		input_abs_event(in, INPUT_AXIS_X, dx);
		input_abs_event(in, INPUT_AXIS_Y, dy);
	} else {
		input_rel_event(in, INPUT_AXIS_X, dx);
		input_rel_event(in, INPUT_AXIS_Y, dy);
	}
	if (dz) {
		enum input_button wheel = dz > 0 ? INPUT_BUTTON_WHEEL_UP : INPUT_BUTTON_WHEEL_DOWN;

		input_button_event(in, wheel, true);
		input_sync(in);
		input_button_event(in, wheel, false);
	}
	input_sync(in);
}

static void hmp_mouse_button(struct monitor *mon, json_t *args)
{
	static const enum input_button buttons[] = {INPUT_BUTTON_LEFT, INPUT_BUTTON_RIGHT,
						    INPUT_BUTTON_MIDDLE};
	struct input *in = monitor_machine(mon)->input;
	json_int_t state = integer(args, "button_state");

	for (unsigned i = 0; i < ARRAY_SIZE(buttons); i++)
		input_button_event(in, buttons[i], state & BIT(i));
	input_sync(in);
}

/* ---- mice ---- */

static json_t *query_mice(struct command_call *call, json_t *args)
{
	struct input_pointer_info p;
	json_t *list = json_array();

	for (unsigned i = 0; input_pointer(call->machine->input, i, &p); i++)
		json_array_append_new(list, json_pack("{s:s,s:I,s:b,s:b}", "name", p.name, "index",
						      (json_int_t)p.index, "current", p.current,
						      "absolute", p.absolute));
	return list;
}

static void show_mice(struct monitor *mon, json_t *mice)
{
	json_t *mouse;
	size_t i;

	if (!json_array_size(mice))
		monitor_printf(mon, "No mouse devices connected\n");
	json_array_foreach(mice, i, mouse)
	{
		monitor_printf(mon, "%c Mouse #%lld: %s%s\n",
			       json_is_true(json_object_get(mouse, "current")) ? '*' : ' ',
			       (long long)integer(mouse, "index"), string(mouse, "name"),
			       json_is_true(json_object_get(mouse, "absolute")) ? " (absolute)"
										: "");
	}
}

static void hmp_mouse_set(struct monitor *mon, json_t *args)
{
	struct error err = ERROR_INIT;

	if (!input_set_pointer(monitor_machine(mon)->input, (unsigned)integer(args, "index"), &err))
		monitor_report(mon, &err);
}

static const char key_names[] =
#define KEY(constant, name, set1, set2, set3) name " "
#include "src/input_keys_list.h"
#undef KEY
	"";

static const struct qapi_type types[] = {
	{QAPI_ENUM, "ImageFormat", "ppm png", NULL, NULL},
	{QAPI_ENUM, "QKeyCode", key_names, NULL, NULL},
	{QAPI_ENUM, "KeyValueKind", "number qcode", NULL, NULL},
	{QAPI_STRUCT, "IntWrapper", "data:int", NULL, NULL},
	{QAPI_STRUCT, "QKeyCodeWrapper", "data:QKeyCode", NULL, NULL},
	{QAPI_STRUCT, "KeyValue", "type:KeyValueKind", "type",
	 "number:IntWrapper qcode:QKeyCodeWrapper"},
	{QAPI_ENUM, "InputButton",
	 "left middle right wheel-up wheel-down side extra wheel-left wheel-right", NULL, NULL},
	{QAPI_ENUM, "InputAxis", "x y", NULL, NULL},
	{QAPI_STRUCT, "InputKeyEvent", "key:KeyValue down:bool", NULL, NULL},
	{QAPI_STRUCT, "InputBtnEvent", "button:InputButton down:bool", NULL, NULL},
	{QAPI_STRUCT, "InputMoveEvent", "axis:InputAxis value:int", NULL, NULL},
	{QAPI_STRUCT, "InputKeyEventWrapper", "data:InputKeyEvent", NULL, NULL},
	{QAPI_STRUCT, "InputBtnEventWrapper", "data:InputBtnEvent", NULL, NULL},
	{QAPI_STRUCT, "InputMoveEventWrapper", "data:InputMoveEvent", NULL, NULL},
	{QAPI_ENUM, "InputEventKind", "key btn rel abs", NULL, NULL},
	{QAPI_STRUCT, "InputEvent", "type:InputEventKind", "type",
	 "key:InputKeyEventWrapper btn:InputBtnEventWrapper rel:InputMoveEventWrapper "
	 "abs:InputMoveEventWrapper"},
	{QAPI_STRUCT, "MouseInfo", "name:str index:int current:bool absolute:bool", NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"screendump", "filename:str ?device:str ?head:int ?format:ImageFormat", NULL,
	 take_screendump, COMMAND_DEFERRED},
	{"send-key", "keys:[KeyValue] ?hold-time:int", NULL, send_key, 0},
	{"input-send-event", "?device:str ?head:int events:[InputEvent]", NULL, input_send_event,
	 0},
	{"query-mice", NULL, "[MouseInfo]", query_mice, 0},
	{.name = NULL},
};

static const struct hmp_command hmp[] = {
	{"mouse_button", "button_state:i", "state", "change mouse button state (1=L, 2=M, 4=R)",
	 .fn = hmp_mouse_button},
	{"mouse_move", "dx:s dy:s dz:s?", "dx dy [dz]", "send mouse move events",
	 .fn = hmp_mouse_move},
	{"mouse_set", "index:i", "index", "set which mouse device receives events",
	 .fn = hmp_mouse_set},
	{"screendump", "filename:F format:-fs device:s? head:i?",
	 "filename [-f format] [device [head]]",
	 "save screen from head 'head' of display device 'device' in specified format 'format' "
	 "as image 'filename' (ppm or png)",
	 .qmp = "screendump"},
	{"sendkey", "keys:s hold-time:i?", "keys [hold_ms]",
	 "send keys to the VM (e.g. 'sendkey ctrl-alt-f1', default hold time=100 ms)",
	 .fn = hmp_sendkey},
	{.name = NULL},
};

static const struct hmp_command info[] = {
	{"mice", NULL, NULL, "show which guest mouse is receiving events", .qmp = "query-mice",
	 .show = show_mice},
	{.name = NULL},
};

const struct command_group commands_display = {
	.types = types, .qmp = qmp, .hmp = hmp, .info = info};
