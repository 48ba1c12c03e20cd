/* SPDX-License-Identifier: BSD-2-Clause */
/* The gdb stub by its packets, on every accelerator that is here, with and without breakpoints of the accelerator's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "monitor/gdbstub.h"
#include "tests/monitor/gdb_peer.h"

/*
 *	00 inc %eax; 02 inc %eax; 04 mov %eax,0x20000; 0b mov 0x20000,%ecx; 12 nop; 13 nop; 14 jmp 00
 */
static const uint8_t code[] = {0xff, 0xc0, 0xff, 0xc0, 0x89, 0x04, 0x25, 0x00, 0x00, 0x02, 0x00,
			       0x8b, 0x0c, 0x25, 0x00, 0x00, 0x02, 0x00, 0x90, 0x90, 0xeb, 0xea};
/* The same with INT3 at 13; what handles it is 20: inc %ebx; iretq */
static const uint8_t own_int3[] = {0xff, 0xc0, 0xff, 0xc0, 0x89, 0x04, 0x25, 0x00, 0x00,
				   0x02, 0x00, 0x8b, 0x0c, 0x25, 0x00, 0x00, 0x02, 0x00,
				   0x90, 0xcc, 0xeb, 0xea, 0x90, 0x90, 0x90, 0x90, 0x90,
				   0x90, 0x90, 0x90, 0x90, 0x90, 0xff, 0xc3, 0x48, 0xcf};
#define AT_MOV	  "10004"
#define AT_LOAD	  "1000b"
#define AT_NOP	  "10012"
#define RIP(last) #last "00010000000000"

static bool host_cpu_has(const char *flag)
{
	char line[8192];
	FILE *f = fopen("/proc/cpuinfo", "r");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "flags", 5) && strstr(line, flag);
	if (f)
		fclose(f);
	return found;
}

/* A KVM that is software itself does not give a debugger's traps as hardware does. */
static void needs_debug_traps(void **state)
{
	if (strcmp(*state, "kvm") || host_cpu_has(" vmx") || host_cpu_has(" svm"))
		return;
	print_message(
		"skipped: this host's KVM has no hardware beneath it, and traps for no debugger\n");
	skip();
}

static struct debugged *start_cpus(void **state, unsigned cpus)
{
	struct debugged *d = gdb_new(*state, cpus, code, sizeof(code));

	if (!d)
		skip();
	return d;
}

static struct debugged *start(void **state)
{
	struct debugged *d = start_cpus(state, 1);

	gdb_connect(d);
	assert_string_equal(gdb_ask(d, "?"), "T05thread:01;");
	return d;
}

/* For cases that set breakpoints, watch or step. */
static struct debugged *start_cpus_stopping(void **state, unsigned cpus)
{
	needs_debug_traps(state);
	return start_cpus(state, cpus);
}

static struct debugged *start_stopping(void **state)
{
	needs_debug_traps(state);
	return start(state);
}

#define EXPECT(packet, want)                                                       \
	do {                                                                       \
		const char *got_ = gdb_ask(d, packet);                             \
		if (!got_ || strcmp(got_, want))                                   \
			fail_msg("%s:\n got '%s'\nwant '%s'", packet, got_, want); \
	} while (0)

static void a_debugger_stops_the_machine_and_detaching_lets_it_go(void **state)
{
	struct debugged *d = start_cpus(state, 1);

	gdb_turns(d, 5);
	assert_int_equal(d->m->state, RUN_RUNNING);
	gdb_connect(d);
	EXPECT("?", "T05thread:01;");
	assert_int_equal(d->m->state, RUN_PAUSED);
	EXPECT("qAttached", "1");
	EXPECT("D", "OK");
	gdb_turns(d, 5);
	assert_int_equal(d->m->state, RUN_RUNNING);
	gdb_hang_up(d);
	gdb_connect(d);
	EXPECT("D;2", "E22");
	EXPECT("D;1", "OK");
	assert_int_equal(d->m->state, RUN_RUNNING);
	gdb_free(d);
}

static void registers_are_read_and_written(void **state)
{
	struct debugged *d = start(state);
	char *all;

	assert_int_equal(strlen(gdb_ask(d, "g")), 2 * (17 * 8 + 4 + 6 * 4 + 3 * 8 + 5 * 8 + 8 +
						       8 * 10 + 8 * 4 + 16 * 16 + 4));
	EXPECT("P0=8877665544332211", "OK");
	EXPECT("p0", "8877665544332211");
	EXPECT("P5=0100000000000080", "OK"); /* rdi */
	EXPECT("p5", "0100000000000080");
	EXPECT("p11", "02300000");	      /* eflags: IOPL 3 */
	EXPECT("p12", "33000000");	      /* cs */
	EXPECT("P18=0000001000000000", "OK"); /* fs_base */
	EXPECT("p18", "0000001000000000");
	EXPECT("P1a=0000002000000000", "OK"); /* k_gs_base */
	EXPECT("p1a", "0000002000000000");
	EXPECT("p1d", "0010000000000000");	  /* cr3 */
	EXPECT("P21=00000000000000800040", "OK"); /* st0 = 2.0 */
	EXPECT("p21", "00000000000000800040");
	EXPECT("P29=7f030000", "OK");
	EXPECT("p29", "7f030000");			      /* fctrl */
	EXPECT("P2b=fcff0000", "OK");			      /* ftag: one valid */
	EXPECT("P31=0102030405060708090a0b0c0d0e0f10", "OK"); /* xmm0 */
	EXPECT("p31", "0102030405060708090a0b0c0d0e0f10");
	EXPECT("p41", "801f0000"); /* mxcsr */
	EXPECT("P41=801fffff", "OK");
	EXPECT("p41", "801f0000");
	EXPECT("p42", "E22");
	EXPECT("pffffffffffffffffff", "E22");
	EXPECT("P0=00", "E22");
	EXPECT("P0", "E22");
	all = xasprintf("G%s", gdb_ask(d, "g"));
	memcpy(all + 1, "aa", 2);
	EXPECT(all, "OK");
	EXPECT("p0", "aa77665544332211");
	all[strlen(all) - 1] = 0;
	EXPECT(all, "E22");
	free(all);
	gdb_free(d);
}

static void memory_is_read_and_written(void **state)
{
	struct debugged *d = start(state);

	EXPECT("m10000,4", "ffc0ffc0");
	EXPECT("M20010,4:01020304", "OK");
	EXPECT("m20010,4", "01020304");
	EXPECT("X20010,4:}\x03}\x04}]a", "OK"); /* #, $, } */
	EXPECT("m20010,4", "23247d61");
	EXPECT("X20010,0:", "OK");
	EXPECT("X20010,2:a", "E22");
	EXPECT("X20010,1:ab", "E22");
	EXPECT("m200000000,1", "E14");
	EXPECT("M200000000,1:00", "E14");
	EXPECT("m20010,2001", "E22");
	EXPECT("m20010", "E22");
	EXPECT("m,", "E22");
	EXPECT("M20010,2:0", "E22");
	EXPECT("m20010,0", "");
	/* The page tables map 16 MiB; there is RAM in 4. */
	EXPECT("m400000,1", "E14");
	EXPECT("qqemu.PhyMemMode", "0");
	EXPECT("Qqemu.PhyMemMode:1", "OK");
	EXPECT("qqemu.PhyMemMode", "1");
	EXPECT("m1001,7", "20000000000000");
	EXPECT("Qqemu.PhyMemMode:2", "E22");
	gdb_free(d);
}

static void a_software_breakpoint_stops_and_is_not_seen(void **state)
{
	struct debugged *d = start_stopping(state);

	EXPECT("Z0," AT_LOAD ",1", "OK");
	EXPECT("Z0," AT_LOAD ",1", "OK");
	EXPECT("m1000b,2", "8b0c");
	for (int i = 0; i < 3; i++) {
		EXPECT("c", "T05thread:01;");
		EXPECT("p10", RIP(0b));
		EXPECT("z0," AT_LOAD ",1", "OK");
		EXPECT("s", "T05thread:01;");
		EXPECT("p10", RIP(12));
		EXPECT("Z0," AT_LOAD ",1", "OK");
	}
	/* New code over it: a breakpoint it remains. */
	EXPECT("M1000b,7:90909090909090", "OK");
	EXPECT("m1000b,7", "90909090909090");
	EXPECT("c", "T05thread:01;");
	EXPECT("p10", RIP(0b));
	EXPECT("z0," AT_LOAD ",1", "OK");
	EXPECT("z0," AT_LOAD ",1", "E22");
	EXPECT("m1000b,7", "90909090909090");
	EXPECT("Z0,10000", "E22");
	gdb_free(d);
}

static void breakpoints_say_what_they_are_when_asked(void **state)
{
	struct debugged *d = start_stopping(state);

	gdb_ask(d, "qSupported:multiprocess+;swbreak+;hwbreak+;xmlRegisters=i386");
	assert_non_null(strstr(d->reply, "PacketSize=4000"));
	assert_non_null(strstr(d->reply, "qXfer:features:read+"));
	EXPECT("Z0," AT_LOAD ",1", "OK");
	EXPECT("c", "T05thread:p01.01;swbreak:;");
	EXPECT("Z1," AT_NOP ",1", "OK");
	EXPECT("z0," AT_LOAD ",1", "OK");
	EXPECT("c", "T05thread:p01.01;hwbreak:;");
	EXPECT("p10", RIP(12));
	/* Nothing is mapped there. */
	EXPECT("Z0,ffffffff81000000,1", "OK");
	EXPECT("z0,ffffffff81000000,1", "OK");
	gdb_free(d);
}

static void watchpoints_stop_behind_the_access(void **state)
{
	struct debugged *d = start_stopping(state);

	EXPECT("Z2,20000,4", "OK");
	EXPECT("c", "T05thread:01;watch:20000;");
	EXPECT("p10", RIP(0b));
	EXPECT("z2,20000,4", "OK");
	EXPECT("Z4,20000,4", "OK");
	EXPECT("c", "T05thread:01;awatch:20000;");
	EXPECT("p10", RIP(12));
	EXPECT("z4,20000,4", "OK");
	EXPECT("Z3,20000,4", "");
	EXPECT("Z5,20000,4", "");
	/* Seven bytes from an odd address are three pieces, and there is room for four. */
	EXPECT("Z2,20001,7", "OK");
	EXPECT("Z2,20101,7", "E22");
	EXPECT("Z2,20100,8", "OK");
	EXPECT("Z2,20200,0", "E22");
	EXPECT("Z2,20200,21", "E22");
	EXPECT("?", "T05thread:01;"); /* which removes them all */
	EXPECT("Z2,20101,7", "OK");
	gdb_free(d);
}

static void code_at_another_address_of_the_same_memory_runs_on(void **state)
{
	struct debugged *d = start_stopping(state);

	/* Linear 16 MiB is physical 0 as well. */
	EXPECT("M3040,8:8700000000000000", "OK");
	EXPECT("m1010000,4", "ffc0ffc0");
	EXPECT("Z0,1010004,1", "OK");
	EXPECT("Z0," AT_NOP ",1", "OK");
	EXPECT("P10=0000010000000000", "OK");
	for (int i = 0; i < 3; i++) {
		EXPECT("c", "T05thread:01;");
		EXPECT("p10", RIP(12));
		EXPECT("P10=0000010000000000", "OK");
	}
	EXPECT("m10004,1", "89");
	EXPECT("P10=0000010100000000", "OK");
	EXPECT("c", "T05thread:01;");
	EXPECT("p10", "0400010100000000");
	gdb_free(d);
}

static void the_guest_keeps_its_own_int3(void **state)
{
	static const uint64_t gdt[] = {0x00cff3000000ffff, 0x00affb000000ffff};
	static const uint64_t gate[] = {0x0001ee0000330020, 0};
	struct debugged *d;
	struct x86_regs r;

	needs_debug_traps(state);
	d = gdb_new(*state, 1, own_int3, sizeof(own_int3));
	if (!d)
		skip();
	gdb_connect(d);
	EXPECT("?", "T05thread:01;");
	dma_write(d->m, 0x4028, gdt, sizeof(gdt));
	dma_write(d->m, 0x5030, gate, sizeof(gate));
	d->m->accel->get_regs(d->m->vcpus[0], &r);
	r.gdt_base = 0x4000;
	r.idt_base = 0x5000;
	r.gdt_limit = r.idt_limit = 0xff;
	r.rip = BOX_CODE;
	r.gpr[3] = 0;
	d->m->accel->set_regs(d->m->vcpus[0], &r);
	EXPECT("Z0," AT_NOP ",1", "OK");
	EXPECT("c", "T05thread:01;");
	EXPECT("p1", "0000000000000000");
	EXPECT("z0," AT_NOP ",1", "OK");
	EXPECT("Z0," AT_LOAD ",1", "OK");
	EXPECT("c", "T05thread:01;");
	EXPECT("p1", "0100000000000000");
	EXPECT("p10", RIP(0b));
	gdb_free(d);
}

static void threads_go_alone(void **state)
{
	struct debugged *d = start_cpus_stopping(state, 2);
	char *before;

	gdb_connect(d);
	EXPECT("vCont?", "vCont;c;C;s;S");
	EXPECT("qfThreadInfo", "m01,02");
	EXPECT("qsThreadInfo", "l");
	EXPECT("T2", "OK");
	EXPECT("T3", "E22");
	EXPECT("Hg2", "OK");
	EXPECT("qC", "QC02");
	EXPECT("Hg3", "E22");
	EXPECT("Hx1", "E22");
	EXPECT("Hc-1", "OK");
	EXPECT("qThreadExtraInfo,2", "4350552331205b72756e6e696e675d"); /* CPU#1 [running] */
	EXPECT("P10=0400010000000000", "OK");
	EXPECT("Hg1", "OK");
	EXPECT("P10=0000010000000000", "OK");
	before = xstrdup(gdb_ask(d, "p0"));
	EXPECT("vCont;s:2", "T05thread:02;");
	EXPECT("p10", RIP(0b)); /* the one that stopped is chosen */
	EXPECT("Hg1", "OK");
	EXPECT("p10", RIP(00));
	EXPECT("p0", before);
	/* A step of one, and the other runs into its breakpoint: whichever comes first. */
	EXPECT("Z1," AT_NOP ",1", "OK");
	EXPECT("vCont;s:1", "T05thread:01;");
	EXPECT("p10", RIP(02));
	EXPECT("vCont;c:2", "T05thread:02;");
	EXPECT("p10", RIP(12));
	EXPECT("Hg1", "OK");
	EXPECT("p10", RIP(02));
	EXPECT("vCont;x", "E22");
	EXPECT("vCont", "E22");
	EXPECT("vCont;c:7", "E22");
	free(before);
	gdb_free(d);
}

static void an_interrupt_stops(void **state)
{
	struct debugged *d = start(state);

	gdb_say(d, "c");
	gdb_turns(d, 5);
	assert_int_equal(d->m->state, RUN_RUNNING);
	gdb_type(d, "\3", 1);
	assert_string_equal(gdb_hear(d), "T02thread:01;");
	gdb_type(d, "\3", 1); /* it doesn't run */
	EXPECT("vMustReplyEmpty", "");
	/* Others may stop it as well. */
	gdb_say(d, "c");
	gdb_turns(d, 2);
	machine_pause(d->m);
	assert_string_equal(gdb_hear(d), "T02thread:01;");
	/* A packet to a running machine. */
	gdb_say(d, "c");
	gdb_turns(d, 2);
	gdb_say(d, "p11");
	assert_string_equal(gdb_hear(d), "T02thread:01;");
	assert_non_null(gdb_hear(d));
	gdb_free(d);
}

static void steps_as_qemu_flags_them(void **state)
{
	struct debugged *d = start_stopping(state);

	EXPECT("qqemu.sstepbits", "ENABLE=1,NOIRQ=2,NOTIMER=4");
	EXPECT("qqemu.sstep", "0x7");
	EXPECT("Qqemu.sstep=1", "OK");
	EXPECT("qqemu.sstep", "0x1");
	EXPECT("Qqemu.sstep=8", "E22");
	EXPECT("s10000", "T05thread:01;");
	EXPECT("p10", RIP(02));
	EXPECT("S05;10004", "T05thread:01;");
	EXPECT("p10", RIP(0b));
	EXPECT("sx", "E22");
	EXPECT("Sx", "E22");
	gdb_free(d);
}

static void packets_are_acknowledged_until_both_do_without(void **state)
{
	struct debugged *d = start(state);

	d->peer->len = 0;
	gdb_type(d, "$qC#00", 6);
	assert_int_equal(d->peer->len, 1);
	assert_int_equal(d->peer->out[0], '-');
	gdb_type(d, "$qC#b4", 6);
	assert_string_equal(gdb_hear(d), "QC01");
	gdb_type(d, "-", 1);
	assert_string_equal(gdb_hear(d), "QC01");
	gdb_type(d, "noise$half$qC#b4+", 17);
	assert_string_equal(gdb_hear(d), "QC01");
	gdb_type(d, "$qC#xy", 6);
	EXPECT("QStartNoAckMode", "OK");
	d->peer->len = 0;
	gdb_type(d, "$qC#00", 6);
	assert_string_equal(gdb_hear(d), "QC01");
	assert_int_equal(d->peer->len, 0);
	gdb_type(d, "-", 1);
	assert_int_equal(d->peer->len, 0);
	gdb_free(d);
}

static void packets_that_come_together_are_done_in_turn(void **state)
{
	static const char three[] = "$c#63$c#63$qC#b4";
	struct debugged *d = start(state);

	gdb_type(d, three, sizeof(three) - 1);
	assert_string_equal(gdb_hear(d), "T02thread:01;");
	assert_string_equal(gdb_hear(d), "T02thread:01;");
	assert_string_equal(gdb_hear(d), "QC01");
	gdb_free(d);
}

static void a_packet_that_is_too_long_is_an_error(void **state)
{
	struct debugged *d = start(state);
	char *text = xmalloc(100000);

	memset(text, 'a', 99999);
	text[99999] = 0;
	EXPECT(text, "E22");
	EXPECT("qC", "QC01");
	free(text);
	gdb_free(d);
}

static void the_target_is_described(void **state)
{
	struct debugged *d = start(state);
	char *whole, *pieces = xzalloc(65536), packet[64];
	size_t n = 0;

	whole = xstrdup(gdb_ask(d, "qXfer:features:read:target.xml:0,ffff"));
	for (;;) {
		snprintf(packet, sizeof(packet), "qXfer:features:read:target.xml:%zx,100", n);
		gdb_ask(d, packet);
		strcpy(pieces + n, d->reply + 1);
		n += strlen(d->reply + 1);
		if (d->reply[0] == 'l')
			break;
		assert_int_equal(d->reply[0], 'm');
	}
	assert_int_equal(strncmp(whole + 1, pieces, strlen(whole + 1)), 0);
	assert_non_null(strstr(pieces, "<architecture>i386:x86-64</architecture>"));
	assert_non_null(strstr(pieces, "\"xmm15\""));
	assert_non_null(strstr(pieces, "</feature></target>"));
	EXPECT("qXfer:features:read:other.xml:0,100", "E00");
	EXPECT("qXfer:features:read:target.xml:fffff,100", "E00");
	EXPECT("qXfer:features:read:target.xml:x", "E22");
	free(whole);
	free(pieces);
	gdb_free(d);
}

static void monitor_commands_print(void **state)
{
	struct debugged *d = start(state);

	/* "info status" */
	EXPECT("qRcmd,696e666f20737461747573", "O564d207374617475733a20706175736564"
					       "0d0a");
	assert_string_equal(gdb_hear(d), "OK");
	EXPECT("qRcmd,", "E22");
	EXPECT("qRcmd,6", "E22");
	EXPECT("qRcmd,00", "E22");
	/* "gdbserver none": not from here. */
	assert_int_equal(gdb_ask(d, "qRcmd,676462736572766572206e6f6e65")[0], 'O');
	assert_string_equal(gdb_hear(d), "OK");
	EXPECT("qC", "QC01");
	gdb_free(d);
}

static void one_that_hangs_up_leaves_nothing(void **state)
{
	struct debugged *d = start_stopping(state);
	uint8_t byte;

	EXPECT("Z0," AT_LOAD ",1", "OK");
	EXPECT("Z2,20000,4", "OK");
	gdb_say(d, "c");
	gdb_type(d, "$m100", 5);
	gdb_hang_up(d);
	for (int i = 0; i < 10000 && !list_empty(&d->m->inspections); i++)
		gdb_turns(d, 1);
	assert_true(dma_read(d->m, BOX_CODE + 0xb, &byte, 1));
	assert_int_equal(byte, 0x8b);
	if (d->m->state == RUN_DEBUG) /* it got there before */
		machine_resume(d->m);
	gdb_turns(d, 20);
	assert_int_equal(d->m->state, RUN_RUNNING);
	gdb_connect(d);
	EXPECT("?", "T05thread:01;");
	EXPECT("s", "T05thread:01;");
	gdb_hang_up(d);
	gdb_turns(d, 5);
	assert_int_equal(d->m->state, RUN_DEBUG);
	gdb_free(d);
}

static void one_that_does_not_read_waits_for_itself(void **state)
{
	struct debugged *d = start(state);

	d->peer->len = 0;
	d->peer->room = 3;
	gdb_say(d, "g");
	assert_int_equal(chardev_can_receive(&d->peer->chr), 0);
	d->peer->room = 1 << 24;
	chardev_writable(&d->peer->chr);
	assert_non_null(gdb_hear(d));
	EXPECT("qC", "QC01");
	gdb_free(d);
}

static void killing_ends_the_machine(void **state)
{
	struct debugged *d = start(state);

	EXPECT("vKill;1", "OK");
	for (int i = 0; i < 10000 && d->m->state != RUN_SHUTDOWN; i++)
		gdb_turns(d, 1);
	assert_int_equal(d->m->state, RUN_SHUTDOWN);
	assert_int_equal(d->m->shutdown_cause, SHUTDOWN_QUIT);
	gdb_free(d);
}

int main(void)
{
#define ON(fn, accel)                                        \
	{                                                    \
#fn " " accel, fn, NULL, NULL, (void *)accel \
	}
#define ON_ALL(fn) ON(fn, "soft"), ON(fn, "int3"), ON(fn, "kvm")
	const struct CMUnitTest tests[] = {
		ON_ALL(a_debugger_stops_the_machine_and_detaching_lets_it_go),
		ON_ALL(registers_are_read_and_written),
		ON_ALL(memory_is_read_and_written),
		ON_ALL(a_software_breakpoint_stops_and_is_not_seen),
		ON_ALL(breakpoints_say_what_they_are_when_asked),
		ON_ALL(watchpoints_stop_behind_the_access),
		ON_ALL(code_at_another_address_of_the_same_memory_runs_on),
		ON_ALL(the_guest_keeps_its_own_int3),
		ON_ALL(threads_go_alone),
		ON_ALL(an_interrupt_stops),
		ON_ALL(steps_as_qemu_flags_them),
		ON_ALL(packets_are_acknowledged_until_both_do_without),
		ON_ALL(packets_that_come_together_are_done_in_turn),
		ON_ALL(a_packet_that_is_too_long_is_an_error),
		ON_ALL(the_target_is_described),
		ON_ALL(monitor_commands_print),
		ON_ALL(one_that_hangs_up_leaves_nothing),
		ON_ALL(one_that_does_not_read_waits_for_itself),
		ON_ALL(killing_ends_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
