/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of contents: whose commands there are. */
#include "monitor/commands.h"

const struct command_group *const command_groups[] = {
	&commands_control, &commands_run,     &commands_info,	&commands_memory,
	&commands_log,	   &commands_display, &commands_virtio, NULL,
};
