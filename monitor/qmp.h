/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that belong to the sessions themselves. */
#ifndef EVMM_QMP_H
#define EVMM_QMP_H

#include "monitor/command.h"

json_t *qmp_capabilities(struct command_call *call, json_t *args); /* qmp.c */
/* A descriptor that came with the session's last bytes is the caller's; -1: none. For QMP commands that no HMP row names. */
int qmp_take_fd(struct command_call *call);				    /* qmp.c */
json_t *qmp_human_monitor_command(struct command_call *call, json_t *args); /* hmp.c */

#endif
