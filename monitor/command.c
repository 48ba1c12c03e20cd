/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executing a command:
 *
 *	start --> arguments checked --> (vCPUs parked, when it looks at them) --> handler --> done
 *	                                                                             `--> DEFERRED: later --> done
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "monitor/qapi.h"

const char *qmp_class_name(enum qmp_class error_class)
{
	static const char *const names[] = {
		[QMP_GENERIC_ERROR] = "GenericError",
		[QMP_COMMAND_NOT_FOUND] = "CommandNotFound",
		[QMP_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
		[QMP_DEVICE_NOT_FOUND] = "DeviceNotFound",
		[QMP_KVM_MISSING_CAP] = "KVMMissingCap",
	};

	return names[error_class];
}

const struct qmp_command *qmp_command_find(const char *name)
{
	command_each(qmp, c)
	{
		if (!strcmp(c->name, name))
			return c;
	}
	return NULL;
}

const struct qmp_event *qmp_event_find(const char *name)
{
	command_each(events, e)
	{
		if (!strcmp(e->name, name))
			return e;
	}
	return NULL;
}

json_t *command_ok(void)
{
	return json_object();
}

static json_t *fail(struct command_call *call, enum qmp_class error_class, const char *fmt,
		    va_list ap)
{
	char *msg;

	if (vasprintf(&msg, fmt, ap) < 0)
		abort();
	error_clear(&call->err);
	call->err.msg = msg;
	call->error_class = error_class;
	return NULL;
}

json_t *command_fail(struct command_call *call, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(call, QMP_GENERIC_ERROR, fmt, ap);
	va_end(ap);
	return NULL;
}

json_t *command_fail_class(struct command_call *call, enum qmp_class error_class, const char *fmt,
			   ...)
{
	va_list ap;

	va_start(ap, fmt);
	fail(call, error_class, fmt, ap);
	va_end(ap);
	return NULL;
}

json_t *command_fail_error(struct command_call *call, struct error *err)
{
	command_fail(call, "%s", err->msg);
	error_clear(err);
	return NULL;
}

void command_complete(struct command_call *call, json_t *result)
{
	LOOP_ASSERT();
	assert((result != NULL) != error_is_set(&call->err));
	call->result = result;
	call->done(call);
	json_decref(call->result);
	json_decref(call->args);
	error_clear(&call->err);
	call->completed = true;
	if (!call->in_handler)
		free(call);
}

static void run(void *opaque)
{
	struct command_call *call = opaque;
	json_t *result;

	call->in_handler = true;
	result = call->command->fn(call, call->args);
	call->in_handler = false;
	if (call->completed)
		free(call);
	else if (result || error_is_set(&call->err))
		command_complete(call, result);
	else if (!(call->command->flags & COMMAND_DEFERRED))
		command_complete(call, command_fail(call, "The answer cannot be put as JSON"));
}

void command_start(struct machine *m, const struct qmp_command *command, json_t *args,
		   unsigned cpu_index, void (*done)(struct command_call *), void *opaque,
		   struct command_call **out)
{
	struct command_call *call = xzalloc(sizeof(*call));
	struct error err = ERROR_INIT;

	LOOP_ASSERT();
	call->machine = m;
	call->command = command;
	call->args = args ? json_incref(args) : json_object();
	call->cpu_index = cpu_index;
	call->done = done;
	call->opaque = opaque;
	list_init(&call->inspect.node);
	if (out)
		*out = call;
	if (!qapi_check_members(call->args, command->args, command->flags & COMMAND_EXTRA_ARGS, "",
				&err)) {
		command_fail_error(call, &err);
		command_complete(call, NULL);
	} else if (command->flags & COMMAND_PARKED) {
		machine_inspect(m, &call->inspect, run, call);
	} else {
		run(call);
	}
}

void command_abandon(struct command_call *call)
{
	call->opaque = NULL;
	if (list_empty(&call->inspect.node))
		return;
	machine_inspect_cancel(&call->inspect);
	json_decref(call->args);
	free(call);
}
