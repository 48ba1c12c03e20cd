/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands about pointers, keys and the balloon, and the lists that are short on a small machine. */
#include "src/input.h"
#include "tests/monitor/kit.h"

static struct kit *k;

/* A pointer of the test's own, which remembers. */
static struct {
	struct input_handler handler;
	enum input_key key;
	enum input_button button;
	bool down;
	int x, y;
	unsigned syncs;
} seen;

static void on_key(void *opaque, enum input_key key, bool down)
{
	seen.key = key;
	seen.down = down;
}

static void on_button(void *opaque, enum input_button button, bool down)
{
	seen.button = button;
	seen.down = down;
}

static void on_move(void *opaque, enum input_axis axis, int value)
{
	*(axis == INPUT_AXIS_X ? &seen.x : &seen.y) = value;
}

static void on_sync(void *opaque)
{
	seen.syncs++;
}

static const struct input_handler_ops ops = {
	.key = on_key, .button = on_button, .rel = on_move, .abs = on_move, .sync = on_sync};

static int setup(void **state)
{
	k = kit_new(KIT_PC, NULL);
	memset(&seen, 0, sizeof(seen));
	seen.handler = (struct input_handler){
		.name = "Test Tablet", .takes = INPUT_TAKES_KEYS | INPUT_TAKES_ABS, .ops = &ops};
	input_add_handler(k->m->input, &seen.handler);
	return 0;
}

static int teardown(void **state)
{
	input_remove_handler(&seen.handler);
	chardev_free_all();
	kit_free(k);
	return 0;
}

static void done(const char *command, const char *args)
{
	json_t *v = kit_qmp(k, command, args);

	assert_non_null(v);
	json_decref(v);
}

/* Whether LIST has an entry whose NAME is VALUE. */
static bool has(json_t *list, const char *name, const char *value)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		if (!strcmp(json_string_value(json_object_get(v, name)), value))
			return true;
	}
	return false;
}

/* ---- keys and pointers ---- */

static void pointers_are_listed_and_chosen(void **state)
{
	json_t *v = kit_qmp(k, "query-mice", NULL), *mouse;
	long long index[2] = {-1, -1}; /* of the board's, of ours */
	char line[40], shown[60];
	size_t i;

	assert_int_equal(json_array_size(v), 2);
	json_array_foreach(v, i, mouse)
	{
		bool absolute = json_is_true(json_object_get(mouse, "absolute"));

		assert_true(absolute == !strcmp(kit_str(mouse, "name"), "Test Tablet"));
		index[absolute] = kit_int(mouse, "index");
	}
	json_decref(v);
	for (unsigned choice = 0; choice < 2; choice++) {
		snprintf(line, sizeof(line), "mouse_set %lld", index[choice]);
		assert_string_equal(kit_hmp(k, line), "");
		snprintf(shown, sizeof(shown), "* Mouse #%lld: ", index[choice]);
		assert_non_null(strstr(kit_hmp(k, "info mice"), shown));
		assert_true(input_is_absolute(k->m->input) == (choice == 1));
	}
	assert_non_null(strstr(kit_hmp(k, "mouse_set 99"), "Mouse at index '99' not found"));
	assert_non_null(strstr(kit_hmp(k, "mouse_set x"), "'x'"));
}

static void events_of_keys_buttons_and_moves_arrive(void **state)
{
	char line[40];

	snprintf(line, sizeof(line), "mouse_set %u", seen.handler.index);
	assert_string_equal(kit_hmp(k, line), "");
	done("input-send-event", "{\"events\": [{\"type\": \"key\", \"data\": {\"down\": true, "
				 "\"key\": {\"type\": \"qcode\", \"data\": \"a\"}}}]}");
	assert_true(seen.key == INPUT_KEY_A && seen.down);
	done("input-send-event", "{\"events\": [{\"type\": \"key\", \"data\": {\"down\": false, "
				 "\"key\": {\"type\": \"number\", \"data\": 30}}}]}");
	assert_true(seen.key == INPUT_KEY_A && !seen.down);
	seen.syncs = 0;
	done("input-send-event",
	     "{\"events\": [{\"type\": \"btn\", \"data\": {\"down\": true, \"button\": \"right\"}}, "
	     "{\"type\": \"abs\", \"data\": {\"axis\": \"x\", \"value\": 20000}}, "
	     "{\"type\": \"abs\", \"data\": {\"axis\": \"y\", \"value\": 300}}]}");
	assert_true(seen.button == INPUT_BUTTON_RIGHT && seen.down);
	assert_int_equal(seen.x, 20000);
	assert_int_equal(seen.y, 300);
	assert_int_equal(seen.syncs, 1);
}

static void events_that_cannot_be_are_refused_as_a_whole(void **state)
{
	static const char *const bad[] = {
		"{\"events\": [{\"type\": \"btn\", \"data\": {\"down\": true, \"button\": \"left\"}}, "
		"{\"type\": \"key\", \"data\": {\"down\": true, \"key\": {\"type\": \"number\", "
		"\"data\": 100000}}}]}",
		"{\"events\": [{\"type\": \"btn\", \"data\": {\"down\": true, \"button\": \"nose\"}}]}",
		"{\"events\": [{\"type\": \"rel\", \"data\": {\"axis\": \"z\", \"value\": 1}}]}",
		"{\"events\": [{\"type\": \"btn\"}]}",
		"{\"events\": 1}",
		"{}",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		kit_error(k, "input-send-event", bad[i], "GenericError");
		assert_int_equal(seen.syncs, 0);
	}
	kit_error(k, "input-send-event", "{\"device\": \"nowhere\", \"events\": []}",
		  "DeviceNotFound");
	done("input-send-event", "{\"events\": []}");
}

/* ---- names ---- */

static void a_device_is_not_called_anything(void **state)
{
	static const char *const bad[] = {"", "1", "-a", "a/b", "a b", "a,b", "\\u00e9"};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		char *args = xasprintf("{\"driver\": \"virtio-rng-pci\", \"id\": \"%s\"}", bad[i]);

		assert_non_null(strstr(kit_error(k, "device_add", args, "GenericError"),
				       "is not an identifier"));
		free(args);
	}
	done("device_add", "{\"driver\": \"virtio-rng-pci\", \"id\": \"Az-._9\"}");
}

/* ---- the balloon ---- */

static void the_balloon_is_asked_and_told(void **state)
{
	assert_string_equal(kit_error(k, "query-balloon", NULL, "DeviceNotActive"),
			    "No balloon device has been activated");
	kit_error(k, "balloon", "{\"value\": 1048576}", "DeviceNotActive");
	assert_non_null(strstr(kit_hmp(k, "info balloon"), "No balloon device"));
	done("device_add", "{\"driver\": \"virtio-balloon-pci\", \"id\": \"b\"}");
	json_t *v = kit_qmp(k, "query-balloon", NULL);

	/* No driver has taken anything yet. */
	assert_int_equal(kit_int(v, "actual"), k->m->ram.bytes);
	json_decref(v);
	assert_non_null(strstr(kit_hmp(k, "info balloon"), "balloon: actual="));
	done("balloon", "{\"value\": 1048576}");
	kit_error(k, "balloon", "{\"value\": -1}", "GenericError");
	kit_error(k, "balloon", "{\"value\": 0}", "GenericError");
	kit_error(k, "balloon", "{}", "GenericError");
	assert_non_null(strstr(kit_hmp(k, "balloon x"), "invalid size"));
}

/* ---- short lists ---- */

static void lists_of_a_small_machine(void **state)
{
	json_t *v = kit_qmp(k, "query-memory-devices", NULL);

	assert_int_equal(json_array_size(v), 0);
	json_decref(v);
	v = kit_qmp(k, "query-chardev-backends", NULL);
	assert_true(has(v, "name", "socket") && has(v, "name", "pty") && has(v, "name", "ringbuf"));
	assert_false(has(v, "name", "nonsense"));
	json_decref(v);
	assert_string_equal(kit_hmp(k, "info numa"), "0 nodes\r\n");
	assert_string_equal(kit_hmp(k, "info kvm"), "kvm support: disabled\r\n");
	assert_string_equal(kit_hmp(k, "info dump"), "Status: none\r\n");
	assert_non_null(strstr(kit_hmp(k, "info hotpluggable-cpus"), "Hotpluggable CPUs:"));
}

static void a_terminal_remembers_its_lines(void **state)
{
	struct session *s = kit_terminal(k);

	kit_send(k, s, "info name\r", 10);
	kit_send(k, s, "info history\r", 13);
	kit_turns(k, 20);
	assert_non_null(strstr(s->out, "0: 'info name'"));
	assert_non_null(strstr(s->out, "1: 'info history'"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(pointers_are_listed_and_chosen),
		TEST(events_of_keys_buttons_and_moves_arrive),
		TEST(events_that_cannot_be_are_refused_as_a_whole),
		TEST(a_device_is_not_called_anything),
		TEST(the_balloon_is_asked_and_told),
		TEST(lists_of_a_small_machine),
		TEST(a_terminal_remembers_its_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
