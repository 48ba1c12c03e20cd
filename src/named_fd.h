/* SPDX-License-Identifier: BSD-2-Clause */
/* File descriptors that a monitor's client has passed and given a name, until a command takes them. Loop thread. */
#ifndef EVMM_NAMED_FD_H
#define EVMM_NAMED_FD_H

struct machine;

/* Takes FD over; one of that name is closed. */
void named_fd_add(struct machine *m, const char *name, int fd);
/* The descriptor is the caller's; -1: there is none of that name. */
int named_fd_take(struct machine *m, const char *name);
void named_fds_close(struct machine *m);

#endif
