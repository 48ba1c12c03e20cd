/* SPDX-License-Identifier: BSD-2-Clause */
/* The groups that commands.c lists: one a line, each from the file of its name. */
#ifndef EVMM_COMMANDS_H
#define EVMM_COMMANDS_H

#include "monitor/command.h"

/* What "-OPTION" takes: a list of names and types ("string", "boolean", "number", "size"). commands_machine.c */
json_t *option_parameters(const char *option);

extern const struct command_group commands_board;
extern const struct command_group commands_chardev;
extern const struct command_group commands_control; /* QMP itself, introspection, help */
extern const struct command_group commands_cpu;
extern const struct command_group commands_device;
extern const struct command_group commands_block; /* how disks are */
extern const struct command_group commands_block_change;
extern const struct command_group commands_display;
extern const struct command_group commands_gdb;
extern const struct command_group commands_virtio;
extern const struct command_group commands_info;
extern const struct command_group commands_log;
extern const struct command_group commands_machine;
extern const struct command_group commands_memory;
extern const struct command_group commands_qom;
extern const struct command_group commands_fd;
extern const struct command_group commands_iothread;
extern const struct command_group commands_irq;
extern const struct command_group commands_paging;
extern const struct command_group commands_pci;
extern const struct command_group commands_save;
extern const struct command_group commands_dump;
extern const struct command_group commands_run;

#endif
