/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors that a client passes along with its commands. */
#include <ctype.h>
#include <unistd.h>
#include "monitor/commands.h"
#include "monitor/qmp.h"
#include "src/fdset.h"
#include "src/named_fd.h"

static json_t *getfd(struct command_call *call, json_t *args)
{
	const char *name = arg_str(args, "fdname");
	int fd = qmp_take_fd(call);

	if (fd < 0)
		return command_fail(call, "No file descriptor supplied via SCM_RIGHTS");
	if (!*name || isdigit((unsigned char)*name)) {
		close(fd);
		return command_fail(call,
				    "Parameter 'fdname' expects a name not starting with a digit");
	}
	named_fd_add(call->machine, name, fd);
	return command_ok();
}

static json_t *closefd(struct command_call *call, json_t *args)
{
	const char *name = arg_str(args, "fdname");
	int fd = named_fd_take(call->machine, name);

	if (fd < 0)
		return command_fail(call, "File descriptor named '%s' not found", name);
	close(fd);
	return command_ok();
}

/* ---- sets ---- */

static json_t *add_fd(struct command_call *call, json_t *args)
{
	json_int_t id = arg_int(args, "fdset-id", -1);
	int fd = qmp_take_fd(call);
	const struct fdset *set;

	if (fd < 0)
		return command_fail(call, "No file descriptor supplied via SCM_RIGHTS");
	if (json_object_get(args, "fdset-id") && id < 0) {
		close(fd);
		return command_fail(call, "Parameter 'fdset-id' expects a non-negative value");
	}
	set = fdset_add(id, fd, arg_str(args, "opaque"));
	return json_pack("{sI,si}", "fdset-id", (json_int_t)set->id, "fd", fd);
}

static json_t *remove_fd(struct command_call *call, json_t *args)
{
	json_int_t id = arg_int(args, "fdset-id", -1), fd = arg_int(args, "fd", -1);
	bool one = json_object_get(args, "fd") != NULL;

	if (id >= 0 && (!one || (fd >= 0 && fd <= INT32_MAX)) && fdset_remove(id, (int)fd))
		return command_ok();
	if (one)
		return command_fail(
			call, "File descriptor named 'fdset-id:%lld, fd:%lld' not found", id, fd);
	return command_fail(call, "File descriptor named 'fdset-id:%lld' not found", id);
}

static json_t *show_fds(const struct fdset *set)
{
	json_t *list = json_array();

	list_for_each(it, &set->fds) {
		const struct fdset_fd *f = list_entry(it, struct fdset_fd, node);
		json_t *v = json_pack("{si}", "fd", f->fd);

		if (f->opaque)
			json_object_set_new(v, "opaque", json_string(f->opaque));
		json_array_append_new(list, v);
	}
	return list;
}

static json_t *query_fdsets(struct command_call *call, json_t *args)
{
	json_t *list = json_array();

	for (const struct fdset *set = fdset_next(NULL); set; set = fdset_next(set))
		json_array_append_new(list, json_pack("{sI,so}", "fdset-id", (json_int_t)set->id,
						      "fds", show_fds(set)));
	return list;
}

static const struct qapi_type types[] = {
	{QAPI_STRUCT, "AddfdInfo", "fdset-id:int fd:int", NULL, NULL},
	{QAPI_STRUCT, "FdsetFdInfo", "fd:int ?opaque:str", NULL, NULL},
	{QAPI_STRUCT, "FdsetInfo", "fdset-id:int fds:[FdsetFdInfo]", NULL, NULL},
	{.name = NULL},
};

static const struct qmp_command qmp[] = {
	{"getfd", "fdname:str", NULL, getfd, 0},
	{"closefd", "fdname:str", NULL, closefd, 0},
	{"add-fd", "?fdset-id:int ?opaque:str", "AddfdInfo", add_fd, 0},
	{"remove-fd", "fdset-id:int ?fd:int", NULL, remove_fd, 0},
	{"query-fdsets", NULL, "[FdsetInfo]", query_fdsets, 0},
	{.name = NULL},
};

const struct command_group commands_fd = {.types = types, .qmp = qmp};
