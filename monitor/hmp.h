/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The human monitor's inside: the command table and what a command may call. A command is a row in a table; a row
 * makes the parser, help and completion.
 */
#ifndef EVMM_HMP_H
#define EVMM_HMP_H

#include "monitor/line.h"
#include "monitor/monitor.h"
#include "src/accel.h"
#include "src/machine.h"

struct hmp_command {
	const char *name; /* "quit|q": the first is the name, the others are taken too */
	const char *args; /* shown by help; "" for none */
	const char *help;
	/* ARGS is what follows the name, without blanks at its ends; "" for none. */
	void (*fn)(struct monitor *mon, const char *args);
	const struct hmp_command *sub; /* instead of FN: the word that follows is looked up here */
	bool parked; /* the command looks at processors: it runs while all vCPUs are parked */
};

extern const struct hmp_command hmp_commands[];	     /* hmp.c; ends with a NULL name */
extern const struct hmp_command hmp_info_commands[]; /* hmp_info.c */

struct machine *monitor_machine(struct monitor *mon);
void monitor_printf(struct monitor *mon, const char *fmt, ...) printf_like(2, 3);

/* hmp_memory.c */
void hmp_x(struct monitor *mon, const char *args);
void hmp_xp(struct monitor *mon, const char *args);
void hmp_print(struct monitor *mon, const char *args);
/* The processor that x, print and `info registers` look at; NULL when there is none. */
struct vcpu *monitor_vcpu(struct monitor *mon);
bool monitor_set_vcpu(struct monitor *mon, unsigned index);

/*
 * An expression in C's operators without assignment, comparison and logic, with $rip and the like. Advances *S
 * past it. Error messages are printed; then false.
 */
bool hmp_eval(struct monitor *mon, const char **s, uint64_t *value);

#endif
