/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors that a client passes along with its commands. */
#include <ctype.h>
#include <unistd.h>
#include "monitor/commands.h"
#include "monitor/qmp.h"
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

static const struct qmp_command qmp[] = {
	{"getfd", "fdname:str", NULL, getfd, 0},
	{"closefd", "fdname:str", NULL, closefd, 0},
	{.name = NULL},
};

const struct command_group commands_fd = {.qmp = qmp};
