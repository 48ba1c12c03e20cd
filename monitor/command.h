/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The monitor's commands, one table for QMP and for people. Loop thread.
 *
 * A part of evmm that has commands brings a file monitor/commands_PART.c, which ends in a struct command_group, and a
 * line in commands.c. From the rows come: what QMP accepts and how it is checked, query-commands, query-qmp-schema,
 * query-events, the human monitor's parser, help and completion. So whatever a row says must be true.
 *
 * Types and arguments are written as words:
 *
 *	"device:str ?force:bool sizes:[int] mode:MyEnum"
 *
 * a name, its type, "?" for what may be left out, "[T]" for an array of T. Types are str, int, size, number, bool, null,
 * any, or one that a group declares (struct qapi_type).
 */
#ifndef EVMM_COMMAND_H
#define EVMM_COMMAND_H

#include <jansson.h>
#include "src/accel.h"
#include "src/machine.h"

struct monitor;
struct command_call;

/* ---- types ---- */

enum qapi_meta { QAPI_STRUCT = 1, QAPI_ENUM, QAPI_ALTERNATE };

struct qapi_type {
	enum qapi_meta meta; /* 0 ends a list */
	const char *name;
	const char *
		members; /* ENUM: just words. ALTERNATE: "name:type", told apart by the JSON type */
	/* STRUCT, may be NULL: the member TAG, an enum or str, says what other members there are: "case:STRUCT ..." */
	const char *tag, *variants;
};

/* ---- QMP ---- */

enum qmp_class {
	QMP_GENERIC_ERROR,
	QMP_COMMAND_NOT_FOUND,
	QMP_DEVICE_NOT_ACTIVE,
	QMP_DEVICE_NOT_FOUND,
	QMP_KVM_MISSING_CAP,
};

/*
 * ARGS (borrowed) has been checked against the row: what is there has the row's type, and only EXTRA_ARGS lets
 * anything else be there. Returns the result, whose reference the caller gets, of the row's type: command_ok() for one
 * that returns nothing. NULL after command_fail(), or from a DEFERRED command that will call command_complete().
 */
typedef json_t *command_fn(struct command_call *call, json_t *args);

enum command_flags {
	COMMAND_OOB = 1 << 0,	   /* never waits for anything: may be run out of band */
	COMMAND_PARKED = 1 << 1,   /* looks at processors: runs while all vCPUs are parked */
	COMMAND_DEFERRED = 1 << 2, /* returns NULL without failing, and completes later */
	COMMAND_EXTRA_ARGS =
		1 << 3, /* arguments beyond those listed are the command's own to judge */
};

struct qmp_command {
	const char *name;
	const char *args;    /* NULL: none */
	const char *returns; /* NULL: nothing */
	command_fn *fn;
	unsigned flags;
};

struct qmp_event {
	const char *name;
	const char *data;    /* NULL: none */
	int64_t interval_ns; /* 0: each is sent; else at most one in that time, the last one counts */
	const char *
		distinguish; /* member of the data by which the limit is counted; NULL: all alike */
};

/* One execution of a command. */
struct command_call {
	struct machine *machine;
	const struct qmp_command *command;
	json_t *args;
	unsigned cpu_index; /* the human monitor's processor, else 0 */
	void *data;	    /* the handler's own */

	/* for who made it; RESULT and ERR are gone after DONE */
	void (*done)(struct command_call *call);
	void *opaque; /* NULL when nobody waits any more */
	json_t *result;
	struct error err; /* set: it failed */
	enum qmp_class error_class;

	struct machine_inspect inspect;
	bool in_handler, completed;
};

/* {} */
json_t *command_ok(void);
/* All return NULL, to be returned. */
json_t *command_fail(struct command_call *call, const char *fmt, ...) printf_like(2, 3);
json_t *command_fail_class(struct command_call *call, enum qmp_class error_class, const char *fmt,
			   ...) printf_like(3, 4);
/* Takes over ERR's message. */
json_t *command_fail_error(struct command_call *call, struct error *err);
/* A DEFERRED command has come to its end; RESULT NULL after command_fail(). Frees CALL. */
void command_complete(struct command_call *call, json_t *result);

/*
 * Checks ARGS (a reference is taken; NULL: none) against the row and runs it; DONE is called exactly once, perhaps before
 * this returns, and the call is freed after it. CALL (may be NULL) gets the call before any of that.
 */
void command_start(struct machine *m, const struct qmp_command *command, json_t *args,
		   unsigned cpu_index, void (*done)(struct command_call *), void *opaque,
		   struct command_call **call);
/* Whoever made CALL goes away: DONE will be called with opaque NULL, or never. */
void command_abandon(struct command_call *call);
const char *qmp_class_name(enum qmp_class error_class);

/* A checked argument, or what stands for one that isn't there. */
static inline const char *arg_str(json_t *args, const char *name)
{
	return json_string_value(json_object_get(args, name));
}

static inline json_int_t arg_int(json_t *args, const char *name, json_int_t otherwise)
{
	json_t *v = json_object_get(args, name);

	return v ? json_integer_value(v) : otherwise;
}

static inline bool arg_bool(json_t *args, const char *name, bool otherwise)
{
	json_t *v = json_object_get(args, name);

	return v ? json_is_true(v) : otherwise;
}

/* ---- the human monitor ---- */

/*
 * Arguments, in order, separated by blanks: "name:KIND", with "?" after KIND for what may be left out. KIND is
 *
 *	s  a word, or "in quotes"	S  the rest of the line		F  a file name
 *	I  an expression without blanks, where a file name may follow
 *	i  an expression, 64 bits	o  a size, in MiB without a suffix	b  on or off
 *	-x the flag -x	-xs the flag -x and a word	/  "/fmt" right after the command's name, taken as it is
 *	D  a device type and its properties (the rest of the line)	d  a device's id
 *	c  a chardev's id	O  an object's id	B  a block device's name	N  a network back end's id
 *	h  a command's name
 *
 * They become a JSON object: strings, integers, true.
 */
struct hmp_command {
	const char *name; /* "quit|q": the first is the name, the others are taken too */
	const char *args;
	const char *params; /* as help shows them */
	const char *help;
	/* One of: prints by itself; */
	void (*fn)(struct monitor *mon, json_t *args);
	bool parked; /* ... while all vCPUs are parked */
	/* this QMP command with the same arguments, whose result SHOW prints (NULL: nothing is printed); */
	const char *qmp;
	void (*show)(struct monitor *mon, json_t *result);
	/* ... goes on after FN has returned, until hmp_finish() */
	bool deferred;
	/* or the word that follows is looked up in every group's `info`. */
	bool is_info;
};

struct machine *monitor_machine(struct monitor *mon);
void monitor_printf(struct monitor *mon, const char *fmt, ...) printf_like(2, 3);
/* "Error: ..." */
void monitor_error(struct monitor *mon, const char *fmt, ...) printf_like(2, 3);
void monitor_report(struct monitor *mon, struct error *err);
/* The processor that x, print and `info registers` look at; NULL when there is none. */
struct vcpu *monitor_vcpu(struct monitor *mon);
bool monitor_set_vcpu(struct monitor *mon, unsigned index);
void hmp_finish(struct monitor *mon);
/* A deferred command's FN: CANCEL(OPAQUE) when the monitor goes away before hmp_finish(). */
void hmp_on_cancel(struct monitor *mon, void (*cancel)(void *opaque), void *opaque);
/*
 * A deferred command prints much: schedules WORK, its own, for when there is room for more. At once where the reader keeps up.
 * WORK is to be cancelled with the command.
 */
void hmp_go_on(struct monitor *mon, struct loop_work *work);
/* A deferred command's FN goes on as that QMP command, whose end is its own; an error is printed. */
void hmp_run_qmp(struct monitor *mon, const char *name, json_t *args);

/* ---- the table ---- */

/* What one part brings. Each list may be NULL, and ends with a row without a name. */
struct command_group {
	const struct qapi_type *types;
	const struct qmp_command *qmp;
	const struct qmp_event *events;
	const struct hmp_command *hmp;
	const struct hmp_command *info; /* `info ...` */
};

extern const struct command_group *const command_groups[]; /* commands.c; ends with NULL */

const struct qmp_command *qmp_command_find(const char *name);
const struct qmp_event *qmp_event_find(const char *name);
const struct qapi_type *qapi_type_find(const char *name, size_t n);

/* Each row of LIST of every group: command_each(hmp, c) ... */
#define command_each(list, row)                                                                   \
	for (const struct command_group *const *group_ = command_groups; *group_; group_++)       \
		for (const __typeof__(*(*group_)->list) *row = (*group_)->list; row && row->name; \
		     row++)

#endif
