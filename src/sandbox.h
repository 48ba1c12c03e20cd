/* SPDX-License-Identifier: BSD-2-Clause */
/* -sandbox: system calls that a virtual machine monitor has no use for end the process. All its threads, from then on. */
#ifndef EVMM_SANDBOX_H
#define EVMM_SANDBOX_H

#include "src/error.h"

struct sandbox_options {
	bool on;
	bool allow_obsolete;
	/* what a monitor may have a use for */
	bool deny_elevate, deny_elevate_children, deny_spawn, deny_resource_control;
};

/* [enable=]on|off[,obsolete=allow|deny][,elevateprivileges=allow|deny|children][,spawn=...][,resourcecontrol=...] */
bool sandbox_parse(struct sandbox_options *o, const char *value, struct error *err);
/* The last step of start-up: does nothing unless ON. */
bool sandbox_enter(const struct sandbox_options *o, struct error *err);

#endif
