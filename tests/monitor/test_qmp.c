/* SPDX-License-Identifier: BSD-2-Clause */
/* QMP sessions: negotiation, requests and their errors, bounds, out-of-band execution, events; and that the schema is true. */
#include "monitor/qapi.h"
#include "src/events.h"
#include "tests/monitor/kit.h"

static struct kit *k;

static int setup(void **state)
{
	k = kit_new(KIT_NONE, NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void say(struct session *s, const char *text)
{
	kit_send(k, s, text, strlen(text));
}

/* What comes next is an error of that class; and its text. */
static void expect(struct session *s, const char *error_class, const char *desc)
{
	json_t *v = kit_next(k, s);

	assert_string_equal(kit_str(v, "error.class"), error_class);
	if (desc)
		assert_string_equal(kit_str(v, "error.desc"), desc);
	json_decref(v);
}

static void expect_return(struct session *s, json_int_t id)
{
	json_t *v = kit_next(k, s);

	assert_non_null(json_object_get(v, "return"));
	if (id)
		assert_int_equal(kit_int(v, "id"), id);
	json_decref(v);
}

/* ---- sessions ---- */

static void the_greeting_says_which_qemu_it_is_like(void **state)
{
	struct session *s = kit_session(k, false);
	json_t *v = kit_next(k, s);

	assert_int_equal(kit_int(v, "QMP.version.qemu.major"), 7);
	assert_int_equal(kit_int(v, "QMP.version.qemu.minor"), 2);
	assert_non_null(strstr(kit_str(v, "QMP.version.package"), "evmm"));
	assert_string_equal(kit_str(v, "QMP.capabilities.0"), "oob");
	json_decref(v);
}

static void commands_come_after_capabilities(void **state)
{
	struct session *s = kit_session(k, false);

	json_decref(kit_next(k, s));
	say(s, "{\"execute\": \"query-status\"}");
	expect(s, "CommandNotFound", "Expecting capabilities negotiation with 'qmp_capabilities'");
	say(s, "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [\"nonsense\"]}}");
	expect(s, "GenericError", "Parameter 'enable[0]' does not accept value 'nonsense'");
	qmp_event_emit(k->m, "POWERDOWN", NULL);
	say(s, "{\"execute\": \"qmp_capabilities\"}");
	expect_return(s, 0);
	say(s, "{\"execute\": \"qmp_capabilities\"}");
	expect(s, "CommandNotFound",
	       "Capabilities negotiation is already complete, command ignored");
	say(s, "{\"exec-oob\": \"query-status\"}");
	expect(s, "GenericError", "QMP input member 'exec-oob' is unexpected");
}

static void a_new_peer_begins_anew(void **state)
{
	say(k->s, "{\"execute\": \"query-na");
	chardev_event(&k->s->chr, CHR_EVENT_CLOSED);
	kit_turns(k, 5);
	chardev_event(&k->s->chr, CHR_EVENT_OPENED);
	json_decref(kit_next(k, k->s));
	say(k->s, "{\"execute\": \"stop\"}");
	expect(k->s, "CommandNotFound", NULL);
	say(k->s, "{\"execute\": \"qmp_capabilities\"}");
	expect_return(k->s, 0);
}

/* So the end of what a script's pipe says comes behind its last answer. */
static void without_out_of_band_what_waits_holds_what_follows(void **state)
{
	struct session *s = kit_session(k, false);

	json_decref(kit_next(k, s));
	say(s, "{\"execute\": \"qmp_capabilities\"}{\"execute\": \"query-status\", \"id\": 2}"
	       "{\"execute\": \"human-monitor-command\", \"id\": 3, \"arguments\": "
	       "{\"command-line\": \"info registers\"}}");
	assert_int_equal(chardev_can_receive(&s->chr), 0);
	expect_return(s, 0);
	assert_int_equal(chardev_can_receive(&s->chr), 0);
	expect_return(s, 2);
	assert_int_equal(chardev_can_receive(&s->chr), 0);
	expect_return(s, 3);
	kit_turns(k, 2);
	assert_true(chardev_can_receive(&s->chr) > 0);
	/* This session may send more out of band. */
	say(k->s, "{\"execute\": \"query-status\", \"id\": 4}");
	assert_true(chardev_can_receive(&k->s->chr) > 0);
	expect_return(k->s, 4);
}

static void a_peer_that_goes_in_the_middle_is_not_missed(void **state)
{
	/* Asked for, and then gone while the vCPUs have yet to park. */
	say(k->s, "{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": "
		  "\"info registers\"}}{\"execute\": \"stop\"}");
	loop_run_once(k->loop, 0);
	chardev_event(&k->s->chr, CHR_EVENT_CLOSED);
	kit_turns(k, 20);
	assert_string_equal(machine_state_name(k->m), "running");
}

static void pretty_is_laid_out(void **state)
{
	struct session *s = kit_session(k, true);

	kit_turns(k, 2);
	assert_non_null(strstr(s->out, "{\n    \"QMP\": {\n"));
}

/* ---- requests ---- */

static void malformed_requests_have_their_errors(void **state)
{
	static const char *const cases[][2] = {
		{"[]", "QMP input must be a JSON object"},
		{"null ", "QMP input must be a JSON object"},
		{"{}", "QMP input lacks member 'execute'"},
		{"{\"execute\": true}", "QMP input member 'execute' must be a string"},
		{"{\"execute\": \"stop\", \"arguments\": 3}",
		 "QMP input member 'arguments' must be an object"},
		{"{\"execute\": \"stop\", \"extra\": 3}", "QMP input member 'extra' is unexpected"},
		{"{\"execute\": \"stop\", \"exec-oob\": \"stop\"}",
		 "QMP input members 'execute' and 'exec-oob' clash"},
		{"{\"execute\": nonsense}", NULL},
		{"{\"execute\": \"stop\",,}", NULL},
		{"{]", NULL},
		{"{\xff", "JSON parse error, stray character"},
		{"{\x01", "JSON parse error, stray character"},
		{"{'bad \xff", "JSON parse error, stray character"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		say(k->s, cases[i][0]);
		expect(k->s, "GenericError", cases[i][1]);
		assert_string_equal(kit_error(k, "no-such-command", NULL, "CommandNotFound"),
				    "The command no-such-command has not been found");
	}
}

static void arguments_are_checked(void **state)
{
	assert_string_equal(kit_error(k, "human-monitor-command", NULL, "GenericError"),
			    "Parameter 'command-line' is missing");
	assert_string_equal(kit_error(k, "human-monitor-command", "{\"command-line\": 1}",
				      "GenericError"),
			    "Invalid parameter type for 'command-line', expected: string");
	assert_string_equal(kit_error(k, "stop", "{\"x\": 1}", "GenericError"),
			    "Parameter 'x' is unexpected");
	assert_string_equal(kit_error(k, "set-action", "{\"reboot\": \"x\"}", "GenericError"),
			    "Parameter 'reboot' does not accept value 'x'");
	assert_string_equal(kit_error(k, "qmp_capabilities", NULL, "CommandNotFound"),
			    "Capabilities negotiation is already complete, command ignored");
}

static void ids_come_back_whatever_they_are(void **state)
{
	json_t *v;

	say(k->s, "{\"execute\": \"query-status\", \"id\": {\"a\": [1, null]}}");
	v = kit_next(k, k->s);
	assert_true(json_is_null(kit_get(v, "id.a.1")));
	json_decref(v);
	say(k->s, "{\"execute\": \"nonsense\", \"id\": \"x\"}");
	v = kit_next(k, k->s);
	assert_string_equal(kit_str(v, "id"), "x");
	json_decref(v);
	say(k->s, "{\"nonsense\": 1, \"id\": 7}");
	v = kit_next(k, k->s);
	assert_int_equal(kit_int(v, "id"), 7);
	json_decref(v);
}

static void pieces_of_one_byte_are_as_good(void **state)
{
	static const char text[] = "{ 'execute' : \"query-name\" , \"id\": 5 }\n";

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		kit_send(k, k->s, text + i, 1);
		loop_run_once(k->loop, 0);
	}
	expect_return(k->s, 5);
}

static void a_long_text_is_parsed_by_a_worker(void **state)
{
	size_t n = 4 << 20;
	char *text = xmalloc(n + 200);
	int head = sprintf(text, "{\"execute\": \"query-name\", \"id\": \"");
	json_t *v;

	memset(text + head, 'y', n);
	strcpy(text + head + n, "\"}{\"execute\": \"query-name\", \"id\": 2}");
	say(k->s, text);
	v = kit_next(k, k->s);
	assert_int_equal(strlen(kit_str(v, "id")), n);
	json_decref(v);
	expect_return(k->s, 2);
	/* And one whose sender doesn't stay. */
	kit_send(k, k->s, text, head + n + 2);
	chardev_event(&k->s->chr, CHR_EVENT_CLOSED);
	kit_turns(k, 30);
	free(text);
}

static void answers_keep_the_order_of_the_questions(void **state)
{
	for (int i = 1; i <= 500; i++) {
		char text[100];

		/* Some have to wait for the vCPUs to park. */
		sprintf(text,
			i % 50 ? "{\"execute\": \"query-status\", \"id\": %d}"
			       : "{\"execute\": \"human-monitor-command\", \"id\": %d, "
				 "\"arguments\": {\"command-line\": \"info cpus\"}}",
			i);
		say(k->s, text);
	}
	for (int i = 1; i <= 500; i++)
		expect_return(k->s, i);
}

/* ---- who doesn't read ---- */

static void who_does_not_read_is_not_read_from(void **state)
{
	struct session *other = kit_session(k, false);
	size_t taken = 0;
	static const char text[] = "{\"execute\": \"query-qmp-schema\"}";

	json_decref(kit_next(k, other));
	say(other, "{\"execute\": \"qmp_capabilities\"}");
	expect_return(other, 0);
	k->s->room = k->s->len;
	for (int i = 0; i < 2000; i++) {
		size_t n = MIN(chardev_can_receive(&k->s->chr), sizeof(text) - 1);

		if (n == sizeof(text) - 1) {
			chardev_receive(&k->s->chr, (const uint8_t *)text, n);
			taken++;
		}
		qmp_event_emit(k->m, "POWERDOWN", NULL);
		loop_run_once(k->loop, 0);
	}
	assert_in_range(taken, 1, 12);
	/* Others are served. */
	say(other, "{\"execute\": \"query-status\", \"id\": 9}");
	for (;;) {
		json_t *v = kit_next(k, other);
		bool found = json_object_get(v, "id") != NULL;

		json_decref(v);
		if (found)
			break;
	}
	/* It reads at last. */
	k->s->room = SIZE_MAX / 2;
	chardev_writable(&k->s->chr);
	for (size_t i = 0; i < taken;) {
		json_t *v = kit_next(k, k->s);

		i += json_object_get(v, "return") != NULL;
		json_decref(v);
	}
}

/* ---- out of band ---- */

static void out_of_band_passes_what_waits(void **state)
{
	say(k->s, "{\"execute\": \"human-monitor-command\", \"id\": 1, \"arguments\": "
		  "{\"command-line\": \"info cpus\"}}"
		  "{\"execute\": \"query-name\", \"id\": 2}"
		  "{\"exec-oob\": \"query-status\", \"id\": 3}");
	expect_return(k->s, 3);
	expect_return(k->s, 1);
	expect_return(k->s, 2);
	say(k->s, "{\"exec-oob\": \"stop\"}");
	expect(k->s, "GenericError", "The command stop does not support OOB");
	say(k->s, "{\"exec-oob\": \"nonsense\"}");
	expect(k->s, "CommandNotFound", NULL);
}

/* ---- events ---- */

static void events_tell_what_happens(void **state)
{
	json_decref(kit_qmp(k, "stop", NULL));
	assert_non_null(kit_event(k, "STOP"));
	json_decref(kit_qmp(k, "cont", NULL));
	assert_non_null(kit_event(k, "RESUME"));
	json_decref(kit_qmp(k, "system_reset", NULL));
	assert_string_equal(kit_str(kit_event(k, "RESET"), "data.reason"), "host-qmp-system-reset");
	json_decref(kit_qmp(k, "system_powerdown", NULL));
	assert_non_null(kit_event(k, "POWERDOWN"));
	assert_int_equal(k->powered_down, 1);
	json_decref(kit_qmp(k, "quit", NULL));
	assert_string_equal(kit_str(kit_event(k, "SHUTDOWN"), "data.reason"), "host-qmp-quit");
	assert_int_equal(k->ended, 1);
}

static void the_guests_own_doing_is_told_apart(void **state)
{
	k->m->config.no_shutdown = true;
	machine_request_reset(k->m);
	assert_string_equal(kit_str(kit_event(k, "RESET"), "data.reason"), "guest-reset");
	assert_true(json_is_true(kit_get(kit_event(k, "RESET"), "data.guest")));
	machine_request_shutdown(k->m, SHUTDOWN_GUEST, 0);
	assert_string_equal(kit_str(kit_event(k, "SHUTDOWN"), "data.reason"), "guest-shutdown");
	assert_non_null(kit_event(k, "STOP"));
	assert_string_equal(kit_error(k, "cont", NULL, "GenericError"),
			    "Resetting the Virtual Machine is required");
	json_decref(kit_qmp(k, "system_reset", NULL));
	json_decref(kit_qmp(k, "cont", NULL));
	kit_turns(k, 10);
	assert_string_equal(machine_state_name(k->m), "running");
}

static void actions_can_be_set(void **state)
{
	json_decref(
		kit_qmp(k, "set-action", "{\"reboot\": \"shutdown\", \"shutdown\": \"pause\"}"));
	json_decref(kit_qmp(k, "system_reset", NULL));
	for (int i = 0; i < 1000 && k->m->state != RUN_SHUTDOWN; i++)
		kit_turns(k, 1);
	assert_string_equal(machine_state_name(k->m), "shutdown");
	assert_int_equal(k->ended, 0);
	json_decref(
		kit_qmp(k, "set-action", "{\"reboot\": \"reset\", \"shutdown\": \"poweroff\"}"));
	assert_false(k->m->config.no_reboot || k->m->config.no_shutdown);
	json_decref(kit_qmp(k, "set-action", "{\"panic\": \"exit-failure\"}"));
	assert_int_equal(k->m->config.panic, PANIC_EXIT_FAILURE);
	kit_error(k, "set-action", "{\"panic\": \"reset\"}", "GenericError");
}

/* ---- the schema ---- */

static bool has_name(json_t *list, const char *name)
{
	json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		if (!strcmp(kit_str(v, "name"), name))
			return true;
	}
	return false;
}

/* Every type that V's entries name is there. */
static void check_refs(json_t *schema, json_t *v)
{
	static const char *const refs[] = {"type", "arg-type", "ret-type", "element-type"};
	const char *key;
	json_t *sub;
	size_t i;

	if (json_is_array(v)) {
		json_array_foreach(v, i, sub) check_refs(schema, sub);
	} else if (json_is_object(v)) {
		for (i = 0; i < ARRAY_SIZE(refs); i++)
			if (json_object_get(v, refs[i]))
				assert_true(has_name(schema, kit_str(v, refs[i])));
		json_object_foreach(v, key, sub) check_refs(schema, sub);
	}
}

static void the_schema_has_what_there_is_and_nothing_else(void **state)
{
	json_t *schema = kit_qmp(k, "query-qmp-schema", NULL), *v;
	json_t *commands = kit_qmp(k, "query-commands", NULL);
	json_t *events = kit_qmp(k, "query-events", NULL);
	size_t i, n_commands = 0, n_events = 0;

	check_refs(schema, schema);
	json_array_foreach(schema, i, v)
	{
		const char *meta = kit_str(v, "meta-type"), *name = kit_str(v, "name");

		if (!strcmp(meta, "command")) {
			n_commands++;
			assert_non_null(qmp_command_find(name));
			assert_true(has_name(commands, name));
		} else if (!strcmp(meta, "event")) {
			n_events++;
			assert_non_null(qmp_event_find(name));
			assert_true(has_name(events, name));
		}
	}
	assert_int_equal(n_commands, json_array_size(commands));
	assert_int_equal(n_events, json_array_size(events));
	json_decref(schema);
	json_decref(commands);
	json_decref(events);
}

static void no_name_is_given_twice(void **state)
{
	command_each(qmp, c)
	{
		assert_ptr_equal(qmp_command_find(c->name), c);
		assert_non_null(c->fn);
	}
	command_each(events, e) assert_ptr_equal(qmp_event_find(e->name), e);
	command_each(types, t) assert_ptr_equal(qapi_type_find(t->name, strlen(t->name)), t);
}

static void rows_for_people_name_commands_that_there_are(void **state)
{
	command_each(hmp, c) assert_true(
		c->is_info || (c->qmp ? qmp_command_find(c->qmp) != NULL : c->fn != NULL));
	command_each(info, i)
		assert_true(i->qmp ? qmp_command_find(i->qmp) != NULL : i->fn != NULL);
}

/* The kit holds each answer against its row. */
static void every_query_answers_as_its_row_says(void **state)
{
	command_each(qmp, c)
	{
		if (strncmp(c->name, "query-", 6) || (c->args && *c->args != '?'))
			continue;
		json_decref(kit_qmp(k, c->name, NULL));
	}
	command_each(info, i)
	{
		char line[64];

		snprintf(line, sizeof(line), "info %.*s", (int)strcspn(i->name, "|"), i->name);
		assert_null(strstr(kit_hmp(k, line), "unknown command"));
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_greeting_says_which_qemu_it_is_like),
		CASE(commands_come_after_capabilities),
		CASE(a_new_peer_begins_anew),
		CASE(without_out_of_band_what_waits_holds_what_follows),
		CASE(a_peer_that_goes_in_the_middle_is_not_missed),
		CASE(pretty_is_laid_out),
		CASE(malformed_requests_have_their_errors),
		CASE(arguments_are_checked),
		CASE(ids_come_back_whatever_they_are),
		CASE(pieces_of_one_byte_are_as_good),
		CASE(a_long_text_is_parsed_by_a_worker),
		CASE(answers_keep_the_order_of_the_questions),
		CASE(who_does_not_read_is_not_read_from),
		CASE(out_of_band_passes_what_waits),
		CASE(events_tell_what_happens),
		CASE(the_guests_own_doing_is_told_apart),
		CASE(actions_can_be_set),
		CASE(the_schema_has_what_there_is_and_nothing_else),
		CASE(no_name_is_given_twice),
		CASE(rows_for_people_name_commands_that_there_are),
		CASE(every_query_answers_as_its_row_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
