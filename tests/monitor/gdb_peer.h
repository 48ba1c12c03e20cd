/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests of the gdb stub: a box (tests/accel/box.h) with a debugger's end of the wire. */
#ifndef TESTS_MONITOR_GDB_PEER_H
#define TESTS_MONITOR_GDB_PEER_H

#include "io/char/backend.h"
#include "tests/accel/box.h"

struct peer {
	struct chardev chr;
	char *out; /* what the stub has sent and nobody has looked at */
	size_t len, room;
};

struct debugged {
	struct box *box;
	struct machine *m;
	struct accel_ops accel;
	struct peer *peer;
	char reply[65536]; /* contents of the last packet */
};

/* ACCEL "int3" is soft without breakpoints of its own. NULL when it is not to be had here. The machine runs; nobody is connected. */
struct debugged *gdb_new(const char *accel, unsigned cpus, const void *code, size_t bytes);
void gdb_free(struct debugged *d);
void gdb_connect(struct debugged *d);
void gdb_hang_up(struct debugged *d);
/* Bytes as they are. */
void gdb_type(struct debugged *d, const void *bytes, size_t n);
/* A packet. */
void gdb_say(struct debugged *d, const char *packet);
/* The next packet; the loop runs until it is there. NULL after 10 s. */
const char *gdb_hear(struct debugged *d);
/* Both. */
const char *gdb_ask(struct debugged *d, const char *packet);
void gdb_turns(struct debugged *d, int n);

#endif
