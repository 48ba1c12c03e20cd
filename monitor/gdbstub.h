/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gdb stub: a debugger at the other end of a chardev sees the machine as one process whose threads are the vCPUs, by
 * gdb's remote serial protocol with QEMU's additions. One for a machine, m->gdbstub. Loop thread only.
 */
#ifndef EVMM_GDBSTUB_H
#define EVMM_GDBSTUB_H

#include "src/error.h"

struct machine;

/*
 * DEVICE is as for -serial, where TCP listens and waits for nobody; "none": no stub. One that is there goes first. STARTING: the
 * guest doesn't run yet. All vCPUs are parked or not started.
 */
bool gdbstub_start(struct machine *m, const char *device, bool starting, struct error *err);
/* The debugger is told that the process has ended, when it has. Before the machine and the chardevs go. */
void gdbstub_stop(struct machine *m);
/* A monitor command that the debugger has sent is at work. */
bool gdbstub_in_command(const struct machine *m);

#endif
