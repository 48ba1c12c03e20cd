/* SPDX-License-Identifier: BSD-2-Clause */
/* What the gdb stub's files share. */
#ifndef EVMM_GDBSTUB_INTERNAL_H
#define EVMM_GDBSTUB_INTERNAL_H

#include "monitor/held_input.h"
#include "src/machine.h"

#define GDB_PACKET_MAX 16384	  /* bytes between $ and #, as qSupported tells */
#define GDB_OUTPUT_MAX (4u << 20) /* of one packet's answers; a monitor command may print much */

struct chardev;
struct gdb_monitor;

enum gdb_rx { GDB_RX_IDLE, GDB_RX_DATA, GDB_RX_SUM1, GDB_RX_SUM2 };

/* The numbers that gdb's protocol gives to signals. */
enum gdb_signal {
	GDB_SIGNAL_0 = 0,
	GDB_SIGNAL_INT = 2,
	GDB_SIGNAL_QUIT = 3,
	GDB_SIGNAL_TRAP = 5,
	GDB_SIGNAL_ABRT = 6,
	GDB_SIGNAL_IO = 23,
};

/* The numbers of Z packets. */
enum gdb_break_type {
	GDB_BREAK_SW,
	GDB_BREAK_HW,
	GDB_WATCH_WRITE,
	GDB_WATCH_READ,
	GDB_WATCH_ACCESS
};

/* How a breakpoint is made: the accelerator's own, a debug register, an INT3 in RAM. */
enum gdb_break_way { GDB_BY_ACCEL, GDB_BY_DR, GDB_BY_INT3 };

struct gdb_break {
	struct list node;
	enum gdb_break_type type;
	uint64_t addr, len;
	enum gdb_break_way way;
	gpa_t gpa; /* of the INT3, where SAVED was */
	uint8_t saved;
};

/* SSTEP_* of the qemu.sstep packets. */
#define GDB_STEP_ENABLE	 1
#define GDB_STEP_NOIRQ	 2
#define GDB_STEP_NOTIMER 4
#define GDB_STEP_ALL	 7

enum gdb_plan { GDB_STAY, GDB_RUN, GDB_STEP };

struct gdb_buf {
	char *data;
	size_t len, capacity;
};

struct gdbstub {
	struct machine *machine;
	struct chardev *chr;
	bool chr_made;

	/* the connection, as gdb has negotiated it */
	bool connected, no_ack, no_ack_next, multiprocess, swbreak, hwbreak;

	/* a packet on its way in */
	struct held_input input;
	enum gdb_rx rx;
	char packet[GDB_PACKET_MAX + 1]; /* ends with a NUL beyond LEN */
	size_t len;
	bool too_long;
	uint8_t sum, given_sum;
	bool busy; /* the packet waits until the vCPUs have parked, or for a monitor command */
	struct machine_inspect inspect, cleanup;

	struct gdb_buf reply; /* being put together */
	struct gdb_buf last;  /* framed, in case it has to be sent again */
	struct gdb_buf out;
	size_t out_done;

	/* what gdb has chosen; vCPUs by index */
	unsigned g_cpu, c_cpu, listed;
	bool physical;
	uint8_t step_flags;
	bool awaiting_stop; /* gdb waits for a stop reply */

	struct list breaks;
	unsigned n_breaks;
	enum gdb_plan *plan; /* of each vCPU since gdb let them go */
	struct vcpu *over;   /* is stepping alone over the INT3 at OVER_GPA, which is lifted */
	gpa_t over_gpa;

	char *target_xml;
	struct gdb_monitor *monitor; /* the command at work */
};

/* ---- gdbstub.c: the wire ---- */

void gdb_put(struct gdbstub *g, const void *data, size_t n);
void gdb_puts(struct gdbstub *g, const char *text);
void gdb_printf(struct gdbstub *g, const char *fmt, ...) printf_like(2, 3);
void gdb_put_hex(struct gdbstub *g, const void *data, size_t n);
/* With gdb's escapes, for binary data. */
void gdb_put_binary(struct gdbstub *g, const void *data, size_t n);
/* Sends what was put. */
void gdb_send(struct gdbstub *g);
void gdb_reply(struct gdbstub *g, const char *text);
/* A packet whose answer came later has it now. */
void gdb_packet_done(struct gdbstub *g);

/* ---- gdbstub_packets.c ---- */

/* Executes g->packet: all vCPUs are parked and the machine doesn't run. False: gdb_packet_done comes later. */
bool gdb_execute(struct gdbstub *g);
/* A hexadecimal number at *S, which is moved past it; false: there is none, or it is beyond 64 bits. */
bool gdb_number(const char **s, uint64_t *n);
/* Two digits a byte at *S, up to MAX bytes; how many. */
size_t gdb_parse_hex(const char **s, void *data, size_t max);

/* ---- gdbstub_query.c: q, Q and v packets that ask ---- */

bool gdb_query(struct gdbstub *g, const char *p);
bool gdb_set(struct gdbstub *g, const char *p);
void gdb_monitor_orphan(struct gdbstub *g);
/* "p1.2", "2", "-1" and "0" for any, which give ANY; false: it is no thread. */
bool gdb_parse_thread(const char **s, unsigned any, unsigned n_vcpus, unsigned *index, bool *all);
void gdb_put_thread(struct gdbstub *g, unsigned index);

/* ---- gdbstub_regs.c ---- */

char *gdb_target_xml(void);
void gdb_read_all_registers(struct gdbstub *g);
bool gdb_write_all_registers(struct gdbstub *g, const char *hex);
/* Puts register N in hexadecimal. */
bool gdb_read_register(struct gdbstub *g, uint64_t n);
bool gdb_write_register(struct gdbstub *g, uint64_t n, const char *hex);

/* ---- gdbstub_memory.c ---- */

bool gdb_read_memory(struct gdbstub *g, uint64_t addr, uint8_t *buf, size_t n);
bool gdb_write_memory(struct gdbstub *g, uint64_t addr, const uint8_t *buf, size_t n);

/* ---- gdbstub_break.c: with all vCPUs parked ---- */

/* False with ERR: it can't be had. Setting one that is there already does nothing. */
bool gdb_break_insert(struct gdbstub *g, enum gdb_break_type type, uint64_t addr, uint64_t len,
		      struct error *err);
bool gdb_break_remove(struct gdbstub *g, enum gdb_break_type type, uint64_t addr, uint64_t len);
void gdb_break_remove_all(struct gdbstub *g);
/* Tells the accelerator what each vCPU is to stop at, and who steps (g->plan). */
bool gdb_break_apply(struct gdbstub *g, struct error *err);
/* The software breakpoint that V has met at LINEAR; *ALIAS: it is an INT3 set at another address of the same memory. */
struct gdb_break *gdb_break_met(struct gdbstub *g, struct vcpu *v, uint64_t linear, bool *alias);
/* Takes the INT3 at GPA away, or puts it back. */
void gdb_break_lift(struct gdbstub *g, gpa_t gpa, bool lift);
/* Bytes of RAM as the guest left them: without our INT3s. */
void gdb_break_hide(struct gdbstub *g, gpa_t gpa, uint8_t *buf, size_t n);
/* BUF was written to RAM at GPA: INT3s are put back, over the new bytes. */
void gdb_break_written(struct gdbstub *g, gpa_t gpa, const uint8_t *buf, size_t n);

/* ---- gdbstub_run.c ---- */

/* Lets the vCPUs go as g->plan says; gdb gets a stop reply when they have stopped again. */
void gdb_resume(struct gdbstub *g);
void gdb_plan_all(struct gdbstub *g, enum gdb_plan plan);
void gdb_interrupt(struct gdbstub *g);
/* "c", "s" and thread ids after vCont; false: malformed. */
bool gdb_vcont(struct gdbstub *g, const char *p);
void gdb_put_stop(struct gdbstub *g, enum gdb_signal signal);
/* The machine has stopped, perhaps without anybody having been told yet. */
void gdb_tell_stopped(struct gdbstub *g);
void gdb_on_stopped(void *opaque);
void gdb_on_debug_stop(void *opaque, const struct debug_stop *stop);
/* No breakpoint, no step, nobody held: as if there had been no debugger. */
void gdb_let_go(struct gdbstub *g);

#endif
