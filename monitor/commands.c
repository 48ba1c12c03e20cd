/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of contents: whose commands there are. */
#include "monitor/commands.h"

/* One a line. */
/* clang-format off */
const struct command_group *const command_groups[] = {
	&commands_block,
	&commands_block_change,
	&commands_board,
	&commands_control,
	&commands_chardev,
	&commands_cpu,
	&commands_device,
	&commands_display,
	&commands_dump,
	&commands_fd,
	&commands_gdb,
	&commands_info,
	&commands_iothread,
	&commands_irq,
	&commands_log,
	&commands_machine,
	&commands_memory,
	&commands_paging,
	&commands_pci,
	&commands_qom,
	&commands_run,
	&commands_save,
	&commands_virtio,
	NULL,
};
/* clang-format on */
