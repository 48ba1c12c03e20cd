/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start-up, in the order of DESIGN: options, machine, what boots, devices; then the loop; then all
 * of it backwards.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/char/chardev.h"
#include "monitor/gdbstub.h"
#include "monitor/monitor.h"
#include "monitor/qtest.h"
#include "src/boot/boot.h"
#include "src/crash.h"
#include "src/drive.h"
#include "src/globals.h"
#include "src/log.h"
#include "src/options/options.h"

struct evmm {
	struct process process;
	struct loop *loop;
	struct options options;
	struct machine *machine;
	struct monitors *monitors;
	struct qtest *qtest;
	struct clock *fake_clock; /* -accel qtest */
	struct loop_signal sigint, sigterm, sighup;
};

static void on_end(void *opaque)
{
	struct evmm *e = opaque;

	loop_stop(e->loop);
}

static void on_quit(void *opaque)
{
	struct evmm *e = opaque;

	machine_request_shutdown(e->machine, SHUTDOWN_QUIT, 0);
}

static void on_signal(void *opaque, int signum)
{
	struct evmm *e = opaque;

	/* The terminal may be in raw mode still: \r. */
	fprintf(stderr, "evmm: terminating on signal %d\r\n", signum);
	if (e->machine)
		machine_request_shutdown(e->machine, SHUTDOWN_HOST_SIGNAL, 0);
	else
		loop_stop(e->loop);
}

static void catch_crashes(void)
{
	/* What would leave the terminal raw: put it back first. */
	crash_catch(chardev_stdio_restore_terminal);
	crash_ignore_writes();
	atexit(chardev_stdio_restore_terminal);
}

static void add_monitors(struct evmm *e)
{
	e->monitors = monitors_new(e->machine);
	if (e->options.monitor)
		monitors_add_human(e->monitors, e->options.monitor);
	list_for_each(it, &e->options.monitors) {
		const struct option_monitor *o = list_entry(it, struct option_monitor, node);

		if (o->chr && o->qmp)
			monitors_add_qmp(e->monitors, o->chr, o->pretty);
		else if (o->chr)
			monitors_add_human(e->monitors, o->chr);
	}
}

/* For a log that nothing else was named for. */
static bool keeps_stderr(const struct options *o)
{
	return o->log_mask && !o->log_file;
}

static bool start(struct evmm *e, int argc, char **argv, struct error *err)
{
	/* Before the terminal is touched. Handled once the loop runs. */
	loop_signal_add(&e->sigint, e->loop, "signal", SIGINT, on_signal, e);
	loop_signal_add(&e->sigterm, e->loop, "signal", SIGTERM, on_signal, e);
	loop_signal_add(&e->sighup, e->loop, "signal", SIGHUP, on_signal, e);
	if (!options_parse(&e->options, e->loop, argc, argv, err))
		return false;
	if (e->options.process.pidfile &&
	    !process_write_pidfile(&e->process, e->options.process.pidfile, err))
		return false;
	if (e->options.config.accel == &accel_qtest)
		e->fake_clock = clock_new_fake(e->loop);
	e->machine = machine_new(e->loop, &e->options.config, e->fake_clock);
	e->machine->on_end = on_end;
	e->machine->on_end_opaque = e;
	options_on_quit(&e->options, on_quit, e);
	if (!options_open_drives(&e->options, e->machine, err) || !machine_build(e->machine, err) ||
	    !options_create_devices(&e->options, e->machine, err) ||
	    !drive_create_devices(e->machine, err) || !drive_check_claimed(e->machine, err) ||
	    !boot_load(e->machine, err) || !options_add_fw_cfg_files(&e->options, e->machine, err))
		return false;
	globals_warn_unused(&e->options.globals);
	add_monitors(e);
	if (e->options.qtest) {
		e->qtest = qtest_new(e->machine, e->options.qtest, e->fake_clock,
				     e->options.qtest_log, err);
		if (!e->qtest)
			return false;
	}
	if (e->options.gdb && !gdbstub_start(e->machine, e->options.gdb, true, err)) {
		error_prefix(err, "-gdb %s: ", e->options.gdb);
		return false;
	}
	if (!process_confine(&e->options.process, err) || !machine_start(e->machine, err))
		return false;
	process_detach(&e->process, keeps_stderr(&e->options));
	return true;
}

static void stop(struct evmm *e)
{
	qtest_free(e->qtest);
	if (e->machine)
		gdbstub_stop(e->machine);
	monitors_free(e->monitors);
	if (e->machine) {
		boot_free(e->machine);
		machine_free(e->machine);
	}
	clock_free(e->fake_clock);
	options_free(&e->options);
	loop_signal_remove(&e->sigint);
	loop_signal_remove(&e->sigterm);
	loop_signal_remove(&e->sighup);
	loop_free(e->loop);
}

int main(int argc, char **argv)
{
	struct evmm e = {.process = PROCESS_INIT};
	struct error err = ERROR_INIT;
	int status = 1;

	process_standard_fds();
	catch_crashes();
	/* The loop, its threads and what they hold are the daemon's alone. */
	if (options_have(argc, argv, "daemonize") && !process_daemonize(&e.process, &err)) {
		error_report(&err);
		return 1;
	}
	e.loop = loop_new();
	if (start(&e, argc, argv, &err)) {
		loop_run(e.loop);
		status = e.machine->exit_status;
	} else {
		/* The terminal first: the message may be long. */
		chardev_stdio_restore_terminal();
		error_report(&err);
	}
	stop(&e);
	process_fini(&e.process);
	return status;
}
