/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions as managers have them (what libvirt 9 asks before it starts a guest, and then of one that runs), and sessions
 * that nobody should have: noise, halves, and lines made of the table's own words.
 */
#include "tests/monitor/kit.h"

static struct kit *k;
static uint64_t seed;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dull;
}

static int setup(void **state)
{
	k = kit_new(KIT_PC, NULL);
	seed = 0x9e3779b97f4a7c15ull;
	return 0;
}

static int teardown(void **state)
{
	chardev_free_all();
	kit_free(k);
	return 0;
}

/* ---- a manager's ---- */

static void probing_finds_what_it_needs(void **state)
{
	static const struct {
		const char *command, *args;
	} asked[] = {
		{"query-version", NULL},
		{"query-target", NULL},
		{"query-qmp-schema", NULL},
		{"query-commands", NULL},
		{"query-kvm", NULL},
		{"qom-list-types", NULL},
		{"device-list-properties", "{\"typename\": \"virtio-blk-pci\"}"},
		{"device-list-properties", "{\"typename\": \"virtio-scsi-pci\"}"},
		{"device-list-properties", "{\"typename\": \"scsi-hd\"}"},
		{"device-list-properties", "{\"typename\": \"ide-hd\"}"},
		{"device-list-properties", "{\"typename\": \"PIIX4_PM\"}"},
		{"device-list-properties", "{\"typename\": \"VGA\"}"},
		{"device-list-properties", "{\"typename\": \"virtio-balloon-pci\"}"},
		{"qom-list-properties", "{\"typename\": \"memory-backend-file\"}"},
		{"qom-list-properties", "{\"typename\": \"memory-backend-memfd\"}"},
		{"query-machines", NULL},
		{"qom-list-properties", "{\"typename\": \"none-machine\"}"},
		{"query-cpu-definitions", NULL},
		{"query-command-line-options", NULL},
		{"query-migrate-capabilities", NULL},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(asked); i++) {
		json_t *v = kit_qmp(k, asked[i].command, asked[i].args);

		assert_non_null(v);
		json_decref(v);
	}
	kit_error(k, "device-list-properties", "{\"typename\": \"virtio-scsi-ccw\"}",
		  "DeviceNotFound");
	kit_error(k, "query-tpm-models", NULL, "CommandNotFound");
}

static void a_running_guest_is_managed(void **state)
{
	static const struct {
		const char *command, *args;
	} asked[] = {
		{"query-migrate-capabilities", NULL},
		{"migrate-set-capabilities",
		 "{\"capabilities\": [{\"capability\": \"events\", \"state\": true}]}"},
		{"query-chardev", NULL},
		{"query-cpus-fast", NULL},
		{"query-named-block-nodes", "{\"flat\": true}"},
		{"qom-list", "{\"path\": \"/machine/peripheral\"}"},
		{"query-block", NULL},
		{"stop", NULL},
		{"query-status", NULL},
		{"cont", NULL},
		{"query-status", NULL},
		{"set-action", "{\"reboot\": \"reset\", \"shutdown\": \"pause\"}"},
		{"query-dump", NULL},
		{"query-dump-guest-memory-capability", NULL},
	};
	json_t *v;

	for (unsigned i = 0; i < ARRAY_SIZE(asked); i++) {
		v = kit_qmp(k, asked[i].command, asked[i].args);
		assert_non_null(v);
		json_decref(v);
	}
	v = kit_qmp(k, "query-migrate-capabilities", NULL);
	assert_true(json_is_true(kit_get(v, "0.state")));
	json_decref(v);
	kit_error(k, "getfd", "{\"fdname\": \"dump\"}", "GenericError");
	kit_error(k, "closefd", "{\"fdname\": \"dump\"}", "GenericError");
}

/* ---- arguments of every shape ---- */

static bool is_harmless(const char *name)
{
	static const char *const not_here[] = {"quit", "qmp_capabilities"};

	for (unsigned i = 0; i < ARRAY_SIZE(not_here); i++)
		if (!strcmp(name, not_here[i]))
			return false;
	return true;
}

/* Whatever is sent has one answer: a result of the row's type (kit_qmp checks it), or an error. */
static void send_with(const char *name, const char *args)
{
	char *text = xasprintf("{\"execute\": \"%s\", \"arguments\": %s, \"id\": 7}", name, args);
	json_t *v;

	kit_send(k, k->s, text, strlen(text));
	do {
		v = kit_next(k, k->s);
		if (json_object_get(v, "event")) {
			json_decref(v);
			v = NULL;
		}
	} while (!v);
	assert_int_equal(kit_int(v, "id"), 7);
	assert_true(!json_object_get(v, "return") != !json_object_get(v, "error"));
	json_decref(v);
	free(text);
}

/* An argument of each name in the row, all of one wrong or odd value. */
static char *args_of(const char *row, const char *value)
{
	char *text = xstrdup("{"), *next;

	for (const char *p = row; p && *p;) {
		size_t n;

		p += strspn(p, " ?");
		n = strcspn(p, ":");
		next = xasprintf("%s%s\"%.*s\": %s", text, text[1] ? ", " : "", (int)n, p, value);
		free(text);
		text = next;
		p += strcspn(p, " ");
	}
	next = xasprintf("%s}", text);
	free(text);
	return next;
}

static void every_command_answers_odd_arguments(void **state)
{
	static const char *const values[] = {
		"null",
		"\"\"",
		"-1",
		"9223372036854775807",
		"true",
		"[]",
		"{}",
		"[[[]]]",
		"0.5",
		"\"/\\n%s%n\"",
		"{\"type\": \"x\", \"data\": {}}",
	};

	command_each(qmp, c)
	{
		if (!is_harmless(c->name))
			continue;
		send_with(c->name, "{\"nonsense\": 1}");
		for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
			char *args = args_of(c->args, values[i]);

			send_with(c->name, args);
			free(args);
		}
	}
	json_decref(kit_qmp(k, "query-status", NULL));
}

/* ---- noise ---- */

static void noise_leaves_other_sessions_alone(void **state)
{
	static const char *const pieces[] = {
		"{",
		"}",
		"[",
		"]",
		"\"execute\"",
		":",
		"\"query-status\"",
		",",
		"\"arguments\"",
		"\"id\"",
		"1",
		"-",
		"1e400",
		"\"\\ud800\"",
		"\xff",
		"\x01",
		"null",
		"'",
		" ",
		"\n",
		"{\"execute\": \"stop\"}",
		"{\"execute\": \"cont\"}",
		"\"exec-oob\"",
	};
	struct session *noisy = kit_session(k, false);

	json_decref(kit_next(k, noisy));
	for (unsigned round = 0; round < 40; round++) {
		for (unsigned i = 0; i < 60; i++) {
			const char *piece = pieces[rnd() % ARRAY_SIZE(pieces)];

			kit_send(k, noisy, piece, strlen(piece));
		}
		json_decref(kit_qmp(k, "query-status", NULL));
		noisy->seen = noisy->len;
	}
}

static void halves_and_hang_ups_leave_nothing_behind(void **state)
{
	static const char half[] =
		"{\"execute\": \"human-monitor-command\", \"arguments\": {\"comm";
	struct session *s = kit_session(k, false);

	for (unsigned i = 0; i < 20; i++) {
		kit_send(k, s, half, 1 + rnd() % (sizeof(half) - 1));
		chardev_event(&s->chr, CHR_EVENT_CLOSED);
		chardev_event(&s->chr, CHR_EVENT_OPENED);
	}
	json_decref(kit_qmp(k, "query-status", NULL));
}

/* Commands that write files, or end the test. */
static bool may_type(const char *name)
{
	static const char *const not_here[] = {
		"quit",	  "memsave",   "pmemsave", "dump-guest-memory", "screendump", "logfile",
		"log",	  "gdbserver", "chardev",  "object_add",	"drive",      "block",
		"commit", "o ",	       "change",   "snapshot",		"nbd",	      "savevm",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(not_here); i++)
		if (!strncmp(name, not_here[i], strlen(not_here[i])))
			return false;
	return strcmp(name, "o") != 0;
}

static const char *word(void)
{
	static const char *const words[] = {
		"/4xb",
		"/",
		"0",
		"-1",
		"0x1000",
		"$rip",
		"$nonsense",
		"(",
		"1+",
		"\"",
		"\"a b\"",
		"-a",
		"-f",
		"-x",
		"help",
		"all",
		"x,y=z",
		"\xc3\xa9",
		"on",
		"off",
		"/machine",
		"%s",
		"99999999999999999999",
		"1/0",
		"~1",
		"a\\",
	};

	return words[rnd() % ARRAY_SIZE(words)];
}

static void lines_of_any_words_are_answered(void **state)
{
	for (unsigned round = 0; round < 6; round++) {
		for (const struct command_group *const *g = command_groups; *g; g++) {
			for (unsigned info = 0; info < 2; info++) {
				const struct hmp_command *c = info ? (*g)->info : (*g)->hmp;

				for (; c && c->name; c++) {
					char *line;

					if (!may_type(c->name))
						continue;
					line = xasprintf("%s%.*s %s %s %s", info ? "info " : "",
							 (int)strcspn(c->name, "|"), c->name,
							 word(), rnd() % 2 ? word() : "",
							 rnd() % 2 ? word() : "");
					assert_non_null(kit_hmp(k, line));
					free(line);
				}
			}
		}
	}
	json_decref(kit_qmp(k, "query-status", NULL));
}

int main(void)
{
#define PC(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		PC(probing_finds_what_it_needs),
		PC(a_running_guest_is_managed),
		PC(every_command_answers_odd_arguments),
		PC(noise_leaves_other_sessions_alone),
		PC(halves_and_hang_ups_leave_nothing_behind),
		PC(lines_of_any_words_are_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
