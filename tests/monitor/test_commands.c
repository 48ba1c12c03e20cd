/* SPDX-License-Identifier: BSD-2-Clause */
/* The commands, each with its success and its errors, on a machine whose processors do nothing. */
#include "tests/monitor/kit.h"

static struct kit *k;

static int setup_none(void **state)
{
	k = kit_new(KIT_NONE, NULL);
	return 0;
}

static int setup_pc(void **state)
{
	k = kit_new(KIT_PC, NULL);
	return 0;
}

static int teardown(void **state)
{
	chardev_free_all();
	kit_free(k);
	return 0;
}

/* The entry of LIST whose NAME is VALUE. */
static json_t *entry(json_t *list, const char *name, const char *value)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		const char *s = json_string_value(json_object_get(v, name));

		if (s && !strcmp(s, value))
			return v;
	}
	return NULL;
}

static void done(const char *command, const char *args)
{
	json_t *v = kit_qmp(k, command, args);

	assert_non_null(v);
	json_decref(v);
}

/* ---- processors, machines, options ---- */

static void processors_are_listed_with_their_places(void **state)
{
	json_t *v = kit_qmp(k, "query-cpus-fast", NULL);

	assert_int_equal(json_array_size(v), 2);
	assert_int_equal(kit_int(v, "1.cpu-index"), 1);
	assert_int_equal(kit_int(v, "1.props.core-id"), 1);
	assert_true(kit_int(v, "1.thread-id") >= 0); /* 0: its thread has not begun yet */
	assert_string_equal(kit_str(v, "0.target"), "x86_64");
	json_decref(v);
	v = kit_qmp(k, "query-hotpluggable-cpus", NULL);
	assert_int_equal(json_array_size(v), 2);
	json_decref(v);
	assert_non_null(strstr(kit_hmp(k, "info cpus"), "* CPU #0: thread_id="));
	assert_string_equal(kit_error(k, "human-monitor-command",
				      "{\"command-line\": \"info cpus\", \"cpu-index\": 2}",
				      "GenericError"),
			    "Parameter 'cpu-index' expects a CPU number");
}

static void the_machine_has_its_identities(void **state)
{
	static const uint8_t uuid[16] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
					 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
	struct error err = ERROR_INIT;
	struct device *dev;
	json_t *v;

	assert_string_equal(kit_hmp(k, "info uuid"), "00000000-0000-0000-0000-000000000000\r\n");
	memcpy(k->m->config.uuid, uuid, sizeof(uuid));
	v = kit_qmp(k, "query-uuid", NULL);
	assert_string_equal(kit_str(v, "UUID"), "00112233-4455-6677-8899-aabbccddeeff");
	json_decref(v);
	assert_string_equal(kit_error(k, "query-vm-generation-id", NULL, "GenericError"),
			    "VM Generation ID device not found");
	dev = device_create_from_option(k->m, "vmgenid,guid=324E6EAF-D1D1-4BF6-BF41-B9BB6C91FB87",
					&err);
	assert_non_null(dev);
	v = kit_qmp(k, "query-vm-generation-id", NULL);
	assert_string_equal(kit_str(v, "guid"), "324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87");
	json_decref(v);
	assert_string_equal(kit_hmp(k, "info vm-generation-id"),
			    "324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87\r\n");
}

static void sleepers_are_woken(void **state)
{
	json_t *v = kit_qmp(k, "query-current-machine", NULL);

	assert_true(json_is_true(kit_get(v, "wakeup-suspend-support")));
	json_decref(v);
	assert_string_equal(kit_error(k, "system_wakeup", NULL, "GenericError"),
			    "Unable to wake up: guest is not in suspended state");
	machine_request_suspend(k->m);
	kit_turns(k, 10);
	assert_non_null(kit_event(k, "SUSPEND"));
	assert_string_equal(kit_hmp(k, "info status"), "VM status: paused (suspended)\r\n");
	done("cont", NULL); /* which does nothing */
	assert_string_equal(kit_hmp(k, "system_wakeup"), "");
	kit_turns(k, 10);
	assert_non_null(kit_event(k, "WAKEUP"));
	assert_string_equal(machine_state_name(k->m), "running");
}

static void not_every_machine_sleeps(void **state)
{
	assert_string_equal(kit_error(k, "system_wakeup", NULL, "GenericError"),
			    "wake-up from suspend is not supported by this guest");
}

static void machine_types_are_listed(void **state)
{
	json_t *v = kit_qmp(k, "query-machines", NULL), *none = entry(v, "name", "none");

	assert_non_null(none);
	assert_true(kit_int(none, "cpu-max") > 0);
	assert_string_equal(kit_str(entry(v, "name", "pc-q35-7.2"), "alias"), "q35");
	assert_non_null(entry(v, "name", "pc-q35-2.12"));
	assert_true(json_is_true(kit_get(entry(v, "name", "pc-i440fx-1.4"), "deprecated")));
	json_decref(v);
	v = kit_qmp(k, "query-memory-size-summary", NULL);
	assert_int_equal(kit_int(v, "base-memory"), 2 * MiB);
	json_decref(v);
	assert_string_equal(kit_hmp(k, "info memory_size_summary"),
			    "base memory: 2097152\r\nplugged memory: 0\r\n");
}

static void options_are_listed_with_their_parameters(void **state)
{
	json_t *v = kit_qmp(k, "query-command-line-options", "{\"option\": \"mon\"}"), *p;

	p = kit_get(v, "0.parameters");
	assert_string_equal(kit_str(entry(p, "name", "chardev"), "type"), "string");
	assert_string_equal(kit_str(entry(p, "name", "pretty"), "type"), "boolean");
	json_decref(v);
	assert_string_equal(kit_error(k, "query-command-line-options", "{\"option\": \"nonsense\"}",
				      "GenericError"),
			    "Invalid parameter 'nonsense'");
}

static void models_expand_to_their_features(void **state)
{
	static const struct accel_ops *soft = &accel_soft;
	json_t *v;

	assert_string_equal(kit_error(k, "query-cpu-model-expansion",
				      "{\"type\": \"full\", \"model\": {\"name\": \"nonsense\"}}",
				      "GenericError"),
			    "CPU model 'nonsense' not found");
	k->m->accel = soft;
	v = kit_qmp(k, "query-cpu-definitions", NULL);
	assert_non_null(entry(v, "name", "qemu64"));
	json_decref(v);
	v = kit_qmp(k, "query-cpu-model-expansion",
		    "{\"type\": \"full\", \"model\": {\"name\": \"qemu64\", \"props\": {\"sse2\": "
		    "false}}}");
	assert_true(json_is_false(kit_get(v, "model.props.sse2")));
	assert_true(json_is_true(kit_get(v, "model.props.lm")));
	json_decref(v);
	assert_string_equal(
		kit_error(k, "query-cpu-model-expansion",
			  "{\"type\": \"full\", \"model\": {\"name\": \"qemu64\", \"props\": "
			  "{\"nonsense\": true}}}",
			  "GenericError"),
		"Property 'nonsense' not found");
	v = kit_qmp(k, "qom-list-properties", "{\"typename\": \"qemu64-x86_64-cpu\"}");
	assert_non_null(entry(v, "name", "sse2"));
	json_decref(v);
	k->m->accel = &accel_qtest;
}

/* ---- chardevs ---- */

static void chardevs_come_and_go(void **state)
{
	json_t *v;

	done("chardev-add", "{\"id\": \"r\", \"backend\": {\"type\": \"ringbuf\", \"data\": "
			    "{\"size\": 64}}}");
	v = kit_qmp(k, "query-chardev", NULL);
	assert_true(json_is_false(kit_get(entry(v, "label", "r"), "frontend-open")));
	json_decref(v);
	assert_non_null(strstr(kit_hmp(k, "info chardev"), "r: filename="));
	done("ringbuf-write", "{\"device\": \"r\", \"data\": \"abc\"}");
	done("ringbuf-write", "{\"device\": \"r\", \"data\": \"ZGVm\", \"format\": \"base64\"}");
	assert_string_equal(
		kit_error(k, "ringbuf-write",
			  "{\"device\": \"r\", \"data\": \"!\", \"format\": \"base64\"}",
			  "GenericError"),
		"Data is not valid base64");
	v = kit_qmp(k, "ringbuf-read", "{\"device\": \"r\", \"size\": 4}");
	assert_string_equal(json_string_value(v), "abcd");
	json_decref(v);
	v = kit_qmp(k, "ringbuf-read", "{\"device\": \"r\", \"size\": 4, \"format\": \"base64\"}");
	assert_string_equal(json_string_value(v), "ZWY=");
	json_decref(v);
	kit_error(k, "ringbuf-read", "{\"device\": \"r\", \"size\": 0}", "GenericError");
	kit_error(k, "ringbuf-read", "{\"device\": \"nonsense\", \"size\": 1}", "GenericError");
	done("chardev-remove", "{\"id\": \"r\"}");
	assert_string_equal(kit_error(k, "chardev-remove", "{\"id\": \"r\"}", "GenericError"),
			    "Chardev 'r' not found");
}

static void chardevs_that_cannot_be_are_refused(void **state)
{
	kit_error(k, "chardev-add",
		  "{\"id\": \"f\", \"backend\": {\"type\": \"file\", \"data\": {\"out\": "
		  "\"/nonexistent/x\"}}}",
		  "GenericError");
	assert_string_equal(kit_error(k, "chardev-add",
				      "{\"id\": \"f\", \"backend\": {\"type\": \"ringbuf\", "
				      "\"data\": {\"size\": \"x\"}}}",
				      "GenericError"),
			    "Invalid parameter type for 'backend.data.size', expected: integer");
	kit_error(k, "chardev-add",
		  "{\"id\": \"f\", \"backend\": {\"type\": \"nonsense\", \"data\": {}}}",
		  "GenericError");
	kit_error(k, "chardev-send-break", "{\"id\": \"f\"}", "GenericError");
	assert_non_null(strstr(kit_hmp(k, "chardev-add nonsense,id=x"), "Error: "));
	assert_string_equal(kit_hmp(k, "chardev-add null,id=x"), "");
	assert_non_null(strstr(kit_hmp(k, "chardev-add null,id=x"), "Error: "));
	assert_string_equal(kit_hmp(k, "chardev-change x ringbuf"), "");
	assert_string_equal(kit_hmp(k, "ringbuf_write x hello"), "");
	assert_string_equal(kit_hmp(k, "ringbuf_read x 10"), "hello\r\n");
	assert_string_equal(kit_hmp(k, "chardev-remove x"), "");
}

static void a_socket_is_made_as_qmp_says_it(void **state)
{
	json_t *v;

	done("chardev-add",
	     "{\"id\": \"s\", \"backend\": {\"type\": \"socket\", \"data\": {\"addr\": {\"type\": "
	     "\"inet\", \"data\": {\"host\": \"127.0.0.1\", \"port\": \"0\"}}, \"server\": true, "
	     "\"wait\": false}}}");
	v = kit_qmp(k, "query-chardev", NULL);
	assert_non_null(strstr(kit_str(entry(v, "label", "s"), "filename"), "tcp:127.0.0.1:"));
	json_decref(v);
	done("chardev-remove", "{\"id\": \"s\"}");
}

/* ---- devices, objects, types ---- */

static void types_are_listed(void **state)
{
	json_t *v = kit_qmp(k, "qom-list-types", "{\"implements\": \"isa-device\"}");

	assert_non_null(entry(v, "name", "isa-serial"));
	assert_null(entry(v, "name", "memory-backend-ram"));
	assert_null(entry(v, "name", "isa-device"));
	json_decref(v);
	v = kit_qmp(k, "qom-list-types", "{\"abstract\": true}");
	assert_true(json_is_true(kit_get(entry(v, "name", "isa-device"), "abstract")));
	json_decref(v);
	v = kit_qmp(k, "device-list-properties", "{\"typename\": \"isa-serial\"}");
	assert_string_equal(kit_str(entry(v, "name", "chardev"), "type"), "str");
	json_decref(v);
	assert_string_equal(kit_error(k, "device-list-properties", "{\"typename\": \"nonsense\"}",
				      "DeviceNotFound"),
			    "Device 'nonsense' not found");
	kit_error(k, "device-list-properties", "{\"typename\": \"isa-device\"}", "GenericError");
	kit_error(k, "qom-list-properties", "{\"typename\": \"nonsense\"}", "DeviceNotFound");
}

static void the_tree_shows_what_there_is(void **state)
{
	json_t *v = kit_qmp(k, "qom-list", "{\"path\": \"/machine/unattached\"}");
	char args[200];
	size_t i;
	json_t *child;

	assert_true(json_array_size(v) > 5);
	json_array_foreach(v, i, child)
	{
		json_t *p, *type;

		snprintf(args, sizeof(args), "{\"path\": \"/machine/unattached/%s\"}",
			 kit_str(child, "name"));
		if (strncmp(kit_str(child, "type"), "child<", 6))
			continue;
		p = kit_qmp(k, "qom-list", args);
		assert_non_null(p);
		for (size_t j = 0; j < json_array_size(p); j++) {
			snprintf(args, sizeof(args),
				 "{\"path\": \"/machine/unattached/%s\", \"property\": \"%s\"}",
				 kit_str(child, "name"), kit_str(json_array_get(p, j), "name"));
			type = kit_qmp(k, "qom-get", args);
			assert_non_null(type);
			json_decref(type);
		}
		json_decref(p);
	}
	json_decref(v);
	kit_error(k, "qom-list", "{\"path\": \"/nonsense\"}", "DeviceNotFound");
	kit_error(k, "qom-get", "{\"path\": \"/nonsense\", \"property\": \"type\"}",
		  "DeviceNotFound");
	kit_error(k, "qom-get", "{\"path\": \"/machine\", \"property\": \"nonsense\"}",
		  "GenericError");
	kit_error(k, "qom-set", "{\"path\": \"/machine\", \"property\": \"x\", \"value\": 1}",
		  "GenericError");
	assert_non_null(strstr(kit_hmp(k, "info qom-tree"), "/unattached (container)"));
	assert_non_null(strstr(kit_hmp(k, "info qom-tree /nonsense"), "could not be resolved"));
	assert_non_null(strstr(kit_hmp(k, "info qtree"), "dev: isa-"));
}

static void objects_come_and_go(void **state)
{
	json_t *v;

	done("object-add",
	     "{\"qom-type\": \"memory-backend-ram\", \"id\": \"m0\", \"size\": 1048576}");
	v = kit_qmp(k, "query-memdev", NULL);
	assert_int_equal(kit_int(entry(v, "id", "m0"), "size"), 1048576);
	json_decref(v);
	assert_non_null(strstr(kit_hmp(k, "info memdev"), "memory backend: m0"));
	v = kit_qmp(k, "qom-get", "{\"path\": \"/objects/m0\", \"property\": \"size\"}");
	assert_int_equal(json_integer_value(v), 1048576);
	json_decref(v);
	kit_error(k, "object-add",
		  "{\"qom-type\": \"memory-backend-ram\", \"id\": \"m0\", \"size\": 1048576}",
		  "GenericError");
	kit_error(k, "object-add", "{\"qom-type\": \"nonsense\", \"id\": \"m1\"}", "GenericError");
	kit_error(k, "object-add",
		  "{\"qom-type\": \"memory-backend-ram\", \"id\": \"m1\", \"nonsense\": 1}",
		  "GenericError");
	kit_error(k, "object-add",
		  "{\"qom-type\": \"memory-backend-ram\", \"id\": \"m1\", \"size\": {}}",
		  "GenericError");
	done("object-del", "{\"id\": \"m0\"}");
	kit_error(k, "object-del", "{\"id\": \"m0\"}", "GenericError");
	done("object-add", "{\"qom-type\": \"iothread\", \"id\": \"t0\", \"poll-max-ns\": 7}");
	v = kit_qmp(k, "query-iothreads", NULL);
	assert_int_equal(kit_int(entry(v, "id", "t0"), "poll-max-ns"), 7);
	assert_int_equal(kit_int(entry(v, "id", "t0"), "thread-id"), getpid());
	json_decref(v);
	assert_non_null(strstr(kit_hmp(k, "info iothreads"), "t0:\r\n  thread_id="));
	done("object-del", "{\"id\": \"t0\"}");
	assert_string_equal(kit_hmp(k, "object_add memory-backend-ram,id=m2,size=1M"), "");
	assert_string_equal(kit_hmp(k, "object_del m2"), "");
	assert_non_null(strstr(kit_hmp(k, "object_add help"), "memory-backend-ram"));
	assert_non_null(strstr(kit_hmp(k, "object_add memory-backend-ram,help"), "size=<size>"));
}

static void devices_that_cannot_be_plugged_are_refused(void **state)
{
	kit_error(k, "device_add", "{\"driver\": \"nonsense\"}", "GenericError");
	assert_string_equal(kit_error(k, "device_add", "{\"driver\": \"isa-debug-exit\"}",
				      "GenericError"),
			    "Bus 'isa.0' does not support hotplugging");
	/* Would print and exit on a command line. */
	kit_error(k, "device_add", "{\"driver\": \"isa-debug-exit\", \"help\": true}",
		  "GenericError");
	assert_string_equal(kit_error(k, "device_del", "{\"id\": \"nonsense\"}", "DeviceNotFound"),
			    "Device 'nonsense' not found");
	assert_non_null(strstr(kit_hmp(k, "device_add nonsense"), "not a valid device model name"));
	assert_non_null(strstr(kit_hmp(k, "device_add help"), "name \"isa-serial\""));
	assert_non_null(strstr(kit_hmp(k, "device_add isa-serial,help"), "iobase=<"));
	assert_non_null(strstr(kit_hmp(k, "device_del x"), "not found"));
}

static void properties_are_set_by_words_or_as_json(void **state)
{
	static const char path[] = "/machine/peripheral/b";
	static const char *const lines[] = {
		"qom-set /machine/peripheral/b guest-stats-polling-interval 3",
		"qom-set -j /machine/peripheral/b guest-stats-polling-interval 4",
	};

	done("device_add", "{\"driver\": \"virtio-balloon-pci\", \"id\": \"b\"}");
	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		char ask[120];

		assert_string_equal(kit_hmp(k, lines[i]), "");
		snprintf(ask, sizeof(ask), "qom-get %s guest-stats-polling-interval", path);
		assert_int_equal(atoi(kit_hmp(k, ask)), 3 + i);
	}
	assert_non_null(
		strstr(kit_hmp(k, "qom-set /machine/peripheral/b guest-stats-polling-interval x"),
		       "'x' is no value for 'guest-stats-polling-interval'"));
	assert_non_null(strstr(
		kit_hmp(k, "qom-set -j /machine/peripheral/b guest-stats-polling-interval {"),
		"is no value"));
	assert_non_null(strstr(
		kit_hmp(k, "qom-set -j /machine/peripheral/b guest-stats-polling-interval \"5\""),
		"Error: "));
	assert_non_null(strstr(kit_hmp(k, "qom-set /machine/nothing x 1"), "Error: "));
	assert_non_null(strstr(kit_hmp(k, "qom-set /machine/peripheral/b nothing 1"), "Error: "));
}

static void what_follows_a_watchdog_is_set(void **state)
{
	done("watchdog-set-action", "{\"action\": \"pause\"}");
	assert_int_equal(k->m->config.watchdog, WATCHDOG_PAUSE);
	done("set-action", "{\"watchdog\": \"inject-nmi\"}");
	assert_int_equal(k->m->config.watchdog, WATCHDOG_INJECT_NMI);
	kit_error(k, "watchdog-set-action", "{\"action\": \"bark\"}", "GenericError");
	assert_string_equal(kit_hmp(k, "watchdog_action none"), "");
	assert_int_equal(k->m->config.watchdog, WATCHDOG_NONE);
	assert_non_null(strstr(kit_hmp(k, "watchdog_action bark"), "'bark'"));
	k->m->config.watchdog = WATCHDOG_PAUSE;
	machine_watchdog_expired(k->m);
	assert_string_equal(kit_str(kit_event(k, "WATCHDOG"), "data.action"), "pause");
	assert_non_null(strstr(kit_hmp(k, "info status"), "paused (watchdog)"));
}

static void who_translates_nothing_says_so(void **state)
{
	assert_non_null(strstr(kit_hmp(k, "info jit"), "'fake' translates nothing"));
}

/* ---- descriptors ---- */

static void descriptors_have_names_or_are_in_sets(void **state)
{
	char args[64];
	json_t *v;
	int fd;

	kit_error(k, "add-fd", "{\"fdset-id\": 3}", "GenericError");
	kit_error(k, "getfd", "{\"fdname\": \"a\"}", "GenericError");
	k->s->fd = dup(STDERR_FILENO);
	done("getfd", "{\"fdname\": \"a\"}");
	done("closefd", "{\"fdname\": \"a\"}");
	k->s->fd = fd = dup(STDERR_FILENO);
	kit_error(k, "add-fd", "{\"fdset-id\": -3}", "GenericError");
	assert_int_equal(dup(STDERR_FILENO), fd);
	close(fd);
	for (unsigned i = 0; i < 2; i++) {
		k->s->fd = dup(STDERR_FILENO);
		v = kit_qmp(k, "add-fd",
			    i ? "{\"fdset-id\": 3}" : "{\"fdset-id\": 3, \"opaque\": \"log\"}");
		assert_int_equal(kit_int(v, "fdset-id"), 3);
		fd = (int)kit_int(v, "fd");
		json_decref(v);
	}
	v = kit_qmp(k, "query-fdsets", NULL);
	assert_int_equal(json_array_size(kit_get(v, "0.fds")), 2);
	assert_string_equal(kit_str(v, "0.fds.0.opaque"), "log");
	json_decref(v);
	snprintf(args, sizeof(args), "{\"fdset-id\": 3, \"fd\": %d}", fd);
	done("remove-fd", args);
	kit_error(k, "remove-fd", args, "GenericError");
	done("remove-fd", "{\"fdset-id\": 3}");
	kit_error(k, "remove-fd", "{\"fdset-id\": 3}", "GenericError");
	v = kit_qmp(k, "query-fdsets", NULL);
	assert_int_equal(json_array_size(v), 0);
	json_decref(v);
}

int main(void)
{
#define NONE(f) cmocka_unit_test_setup_teardown(f, setup_none, teardown)
#define PC(f)	cmocka_unit_test_setup_teardown(f, setup_pc, teardown)
	const struct CMUnitTest tests[] = {
		NONE(processors_are_listed_with_their_places),
		PC(the_machine_has_its_identities),
		PC(sleepers_are_woken),
		NONE(not_every_machine_sleeps),
		NONE(machine_types_are_listed),
		NONE(options_are_listed_with_their_parameters),
		PC(models_expand_to_their_features),
		NONE(chardevs_come_and_go),
		NONE(chardevs_that_cannot_be_are_refused),
		NONE(a_socket_is_made_as_qmp_says_it),
		PC(types_are_listed),
		PC(the_tree_shows_what_there_is),
		NONE(objects_come_and_go),
		PC(devices_that_cannot_be_plugged_are_refused),
		PC(properties_are_set_by_words_or_as_json),
		NONE(what_follows_a_watchdog_is_set),
		NONE(who_translates_nothing_says_so),
		NONE(descriptors_have_names_or_are_in_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
