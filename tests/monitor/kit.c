/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine and its monitors, for tests. */
#include "tests/monitor/kit.h"
#include "monitor/qapi.h"

static struct kit *current;

/* ---- an accelerator whose processors do nothing, but park and show registers ---- */

static bool fake_init(struct machine *m, struct error *err)
{
	return true;
}

static void fake_fini(struct machine *m)
{
}

static bool fake_set_cpu_model(struct machine *m, const char *arg, struct error *err)
{
	return true;
}

static bool fake_vcpu_init(struct vcpu *v, struct error *err)
{
	return true;
}

static void fake_vcpu(struct vcpu *v)
{
}

static void fake_vcpu_run(struct vcpu *v)
{
	for (;;) {
		uint32_t requests = vcpu_take_requests(v);

		if (requests & VCPU_REQ_EXIT)
			return;
		if (requests & VCPU_REQ_PAUSE)
			vcpu_park(v);
		else
			vcpu_wait_event(v, INT64_MAX);
	}
}

static void fake_get_regs(struct vcpu *v, struct x86_regs *regs)
{
	assert_true(v->parked || !v->machine->started);
	*regs = current->regs;
	regs->rip += v->index;
}

static const struct accel_ops fake_accel = {
	.name = "fake",
	.init = fake_init,
	.fini = fake_fini,
	.set_cpu_model = fake_set_cpu_model,
	.vcpu_init = fake_vcpu_init,
	.vcpu_fini = fake_vcpu,
	.vcpu_run = fake_vcpu_run,
	.kick = fake_vcpu,
	.vcpu_reset = fake_vcpu,
	.get_regs = fake_get_regs,
	.inject_nmi = fake_vcpu,
};

/* ---- a chardev that remembers ---- */

static size_t session_write(struct chardev *chr, const void *buf, size_t n)
{
	struct session *s = container_of(chr, struct session, chr);

	n = MIN(n, s->room - s->len);
	s->out = xrealloc(s->out, s->len + n + 1);
	memcpy(s->out + s->len, buf, n);
	s->len += n;
	s->out[s->len] = 0;
	return n;
}

static void session_fini(struct chardev *chr)
{
	free(container_of(chr, struct session, chr)->out);
}

static unsigned session_take_fds(struct chardev *chr, int *fds, unsigned max)
{
	struct session *s = container_of(chr, struct session, chr);

	if (s->fd < 0 || !max)
		return 0;
	fds[0] = s->fd;
	s->fd = -1;
	return 1;
}

static const struct chardev_ops session_ops = {.name = "session",
					       .write = session_write,
					       .take_fds = session_take_fds,
					       .fini = session_fini};

/* ---- machine ---- */

static void on_end(void *opaque)
{
	((struct kit *)opaque)->ended++;
}

static void on_power_button(void *opaque)
{
	((struct kit *)opaque)->powered_down++;
}

static struct session *new_session(struct kit *k)
{
	struct session *s = xzalloc(sizeof(*s));

	s->room = SIZE_MAX / 2;
	s->fd = -1;
	chardev_init(&s->chr, &session_ops, k->loop, NULL, NULL);
	k->all[k->n_sessions++] = s;
	return s;
}

struct session *kit_session(struct kit *k, bool pretty)
{
	struct session *s = new_session(k);

	monitors_add_qmp(k->monitors, &s->chr, pretty);
	return s;
}

struct session *kit_terminal(struct kit *k)
{
	struct session *s = new_session(k);

	monitors_add_human(k->monitors, &s->chr);
	return s;
}

struct kit *kit_new(enum kit_machine type, void (*configure)(struct machine_config *))
{
	struct machine_config config = {.type = type == KIT_PC ? &machine_pc : &machine_none,
					.accel = type == KIT_PC ? &accel_qtest : &fake_accel,
					.ram_bytes = 2 * MiB,
					.cpus = 2,
					.maxcpus = 2,
					.sockets = 1,
					.cores = 2,
					.threads = 1,
					.name = "guest one"};
	struct kit *k = xzalloc(sizeof(*k));
	struct error err = ERROR_INIT;

	alarm(120);
	current = k;
	if (configure)
		configure(&config);
	k->loop = loop_new();
	k->m = machine_new(k->loop, &config, NULL);
	if (!machine_build(k->m, &err))
		fail_msg("%s", err.msg);
	k->m->on_end = on_end;
	k->m->on_end_opaque = k;
	if (type == KIT_NONE) {
		k->m->power_button = on_power_button;
		k->m->power_button_opaque = k;
	}
	k->monitors = monitors_new(k->m);
	k->events = json_array();
	k->s = kit_session(k, false);
	assert_true(machine_start(k->m, &err));
	json_decref(kit_next(k, k->s));
	json_decref(kit_qmp(k, "qmp_capabilities", "{\"enable\": [\"oob\"]}"));
	return k;
}

void kit_free(struct kit *k)
{
	monitors_free(k->monitors);
	machine_free(k->m);
	for (unsigned i = 0; i < k->n_sessions; i++)
		chardev_free(&k->all[i]->chr);
	loop_free(k->loop);
	json_decref(k->events);
	free(k);
	alarm(0);
}

/* ---- messages ---- */

void kit_turns(struct kit *k, int n)
{
	for (int i = 0; i < n; i++)
		loop_run_once(k->loop, NS_PER_MS);
}

void kit_send(struct kit *k, struct session *s, const char *text, size_t n)
{
	while (n) {
		size_t room = MIN(chardev_can_receive(&s->chr), n);

		if (!room) {
			loop_run_once(k->loop, NS_PER_SEC);
			continue;
		}
		chardev_receive(&s->chr, (const uint8_t *)text, room);
		text += room;
		n -= room;
	}
}

static json_t *take(struct session *s)
{
	char *end = s->len > s->seen ? strstr(s->out + s->seen, "\r\n") : NULL;
	json_error_t error;
	json_t *v;

	if (!end)
		return NULL;
	v = json_loadb(s->out + s->seen, end - s->out - s->seen, 0, &error);
	if (!v)
		fail_msg("not JSON: %s: %s", error.text, s->out + s->seen);
	s->seen = end + 2 - s->out;
	return v;
}

json_t *kit_next(struct kit *k, struct session *s)
{
	json_t *v;

	while (!(v = take(s)))
		loop_run_once(k->loop, NS_PER_SEC);
	return v;
}

bool kit_is_silent(struct kit *k, struct session *s)
{
	json_t *v;

	kit_turns(k, 30);
	v = take(s);
	json_decref(v);
	return !v;
}

static void check_event(json_t *event)
{
	const struct qmp_event *row = qmp_event_find(kit_str(event, "event"));
	json_t *data = json_object_get(event, "data");
	struct error err = ERROR_INIT;

	assert_non_null(row);
	assert_true(kit_int(event, "timestamp.seconds") > 1600000000);
	assert_int_equal(data != NULL, row->data != NULL);
	if (data && !qapi_check_members(data, row->data, false, "", &err))
		fail_msg("event %s is not as its row says: %s", row->name, err.msg);
}

static json_t *answer(struct kit *k)
{
	for (;;) {
		json_t *v = kit_next(k, k->s);

		if (!json_object_get(v, "event"))
			return v;
		check_event(v);
		json_array_append_new(k->events, v);
	}
}

static json_t *execute(struct kit *k, const char *command, const char *args)
{
	char *text = xasprintf("{\"execute\": \"%s\"%s%s}", command,
			       args ? ", \"arguments\": " : "", args ? args : "");

	kit_send(k, k->s, text, strlen(text));
	free(text);
	return answer(k);
}

json_t *kit_qmp(struct kit *k, const char *command, const char *args)
{
	const struct qmp_command *row = qmp_command_find(command);
	json_t *v = execute(k, command, args), *result = json_object_get(v, "return");
	struct error err = ERROR_INIT;

	if (!result)
		fprintf(stderr, "%s: %s\n", command, kit_str(v, "error.desc"));
	json_incref(result);
	json_decref(v);
	if (!result)
		return NULL;
	assert_non_null(row);
	if (row->returns ? !qapi_check(result, row->returns, strlen(row->returns), "return", &err)
			 : json_object_size(result) != 0)
		fail_msg("what %s returns is not as its row says: %s", command, err.msg);
	return result;
}

const char *kit_error(struct kit *k, const char *command, const char *args, const char *error_class)
{
	static char desc[512];
	json_t *v = execute(k, command, args);

	if (!json_object_get(v, "error"))
		fail_msg("%s %s: no error", command, args ? args : "");
	assert_string_equal(kit_str(v, "error.class"), error_class);
	snprintf(desc, sizeof(desc), "%s", kit_str(v, "error.desc"));
	json_decref(v);
	return desc;
}

const char *kit_hmp(struct kit *k, const char *line)
{
	static char *text;
	json_t *args = json_pack("{ss}", "command-line", line), *v;
	char *s = json_dumps(args, 0);

	v = kit_qmp(k, "human-monitor-command", s);
	free(text);
	text = xstrdup(json_string_value(v));
	free(s);
	json_decref(args);
	json_decref(v);
	return text;
}

json_t *kit_event_now(struct kit *k, const char *name)
{
	json_t *v, *event;

	kit_turns(k, 20);
	while ((v = take(k->s))) {
		assert_non_null(json_object_get(v, "event"));
		check_event(v);
		json_array_append_new(k->events, v);
	}
	for (size_t i = json_array_size(k->events); i-- > 0;) {
		event = json_array_get(k->events, i);
		if (!strcmp(kit_str(event, "event"), name))
			return event;
	}
	return NULL;
}

json_t *kit_event(struct kit *k, const char *name)
{
	json_t *event = NULL;

	for (unsigned i = 0; i < 500 && !event; i++)
		event = kit_event_now(k, name);
	return event;
}

json_t *kit_get(json_t *v, const char *path)
{
	while (v && *path) {
		size_t n = strcspn(path, ".");
		char *word = xasprintf("%.*s", (int)n, path);

		v = json_is_array(v) ? json_array_get(v, strtoul(word, NULL, 10))
				     : json_object_get(v, word);
		free(word);
		path += n + (path[n] == '.');
	}
	return v;
}

const char *kit_str(json_t *v, const char *path)
{
	const char *s = json_string_value(kit_get(v, path));

	if (!s) {
		char *text = json_dumps(v, JSON_ENCODE_ANY);

		fail_msg("no string %s in %s", path, text);
	}
	return s;
}

json_int_t kit_int(json_t *v, const char *path)
{
	json_t *n = kit_get(v, path);

	assert_true(json_is_integer(n));
	return json_integer_value(n);
}
