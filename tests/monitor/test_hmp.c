/* SPDX-License-Identifier: BSD-2-Clause */
/* The human monitor: line editing, the command table, memory dumps, and looking at processors that run. */
#include "src/log.h"
#include "tests/monitor/kit.h"

struct fixture {
	struct kit *k;
	struct machine *m;
	struct loop *loop;
	struct session *t;
};

static int setup(void **state)
{
	struct fixture *f = xzalloc(sizeof(*f));

	f->k = kit_new(KIT_NONE, NULL);
	f->m = f->k->m;
	f->loop = f->k->loop;
	f->t = kit_terminal(f->k);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	kit_free(f->k);
	free(f);
	log_mask = 0;
	return 0;
}

static void type(struct fixture *f, const char *keys)
{
	for (; *keys; keys++) {
		while (!chardev_can_receive(&f->t->chr))
			loop_run_once(f->loop, NS_PER_SEC);
		chardev_receive(&f->t->chr, (const uint8_t *)keys, 1);
	}
	while (!chardev_can_receive(&f->t->chr))
		loop_run_once(f->loop, NS_PER_SEC);
}

/* Types LINE; what the monitor prints between the echoed line and the next prompt. */
static const char *command(struct fixture *f, const char *line)
{
	static char answer[1 << 17];
	const char *from;
	char *prompt;

	f->t->len = 0;
	type(f, line);
	type(f, "\r");
	from = strstr(f->t->out, "\r\n");
	assert_non_null(from);
	strcpy(answer, from + 2);
	prompt = strstr(answer, "(evmm) ");
	assert_non_null(prompt);
	*prompt = 0;
	return answer;
}

static void turn(struct fixture *f)
{
	for (int i = 0; i < 20; i++)
		loop_run_once(f->loop, NS_PER_MS);
}

/* ---- the prompt and the table ---- */

static void it_greets_and_prompts(void **state)
{
	struct fixture *f = *state;

	assert_non_null(strstr(f->t->out, "monitor - type 'help' for more information\r\n(evmm) "));
}

static void help_lists_every_command(void **state)
{
	struct fixture *f = *state;
	const char *help = command(f, "help");

	assert_non_null(strstr(help, "quit|q -- quit the emulator\r\n"));
	assert_non_null(strstr(help, "xp /fmt addr -- physical memory dump"));
	assert_non_null(strstr(command(f, "?"), "help|? [cmd] -- show the help\r\n"));
	assert_string_equal(command(f, "help q"), "quit|q -- quit the emulator\r\n");
	assert_non_null(strstr(command(f, "info"), "info status -- "));
	assert_non_null(strstr(command(f, "help info"), "info mtree [-f] -- "));
	assert_string_equal(command(f, "help info mem"),
			    "info mem -- show the active virtual memory mappings\r\n");
	assert_string_equal(command(f, "help nonsense"), "unknown command: 'nonsense'\r\n");
	assert_string_equal(command(f, "help info nonsense"),
			    "unknown command: 'info nonsense'\r\n");
}

static void what_it_does_not_know_it_says(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(command(f, "nonsense 1 2"), "unknown command: 'nonsense 1 2'\r\n");
	assert_string_equal(command(f, "info nonsense"), "unknown command: 'info nonsense'\r\n");
	assert_string_equal(
		command(f, "stop now"),
		"stop: extraneous characters at the end of line\r\nTry \"help stop\" for more information\r\n");
	assert_string_equal(command(f, ""), "");
	assert_string_equal(command(f, "   "), "");
	assert_string_equal(command(f, "/"), "unknown command: '/'\r\n");
	assert_string_equal(
		command(f, "info registers -z"),
		"registers: extraneous characters at the end of line\r\nTry \"help info registers\" for more information\r\n");
}

/* ---- the machine ---- */

static void stop_and_cont_change_the_status(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(command(f, "info status"), "VM status: running\r\n");
	command(f, "stop");
	assert_string_equal(command(f, "info status"), "VM status: paused\r\n");
	turn(f);
	assert_true(vcpus_all_parked(f->m));
	command(f, "c");
	turn(f);
	assert_string_equal(command(f, "info status"), "VM status: running\r\n");
	assert_false(vcpus_all_parked(f->m));
}

static void quit_ends_the_machine(void **state)
{
	struct fixture *f = *state;

	command(f, "q");
	turn(f);
	assert_int_equal(f->k->ended, 1);
	assert_int_equal(f->m->shutdown_cause, SHUTDOWN_QUIT);
	assert_string_equal(command(f, "info status"), "VM status: paused (shutdown)\r\n");
}

static void system_powerdown_presses_the_button(void **state)
{
	struct fixture *f = *state;

	command(f, "system_powerdown");
	assert_int_equal(f->k->powered_down, 1);
}

static void info_tells_names_and_trees(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(command(f, "info name"), "guest one\r\n");
	assert_non_null(strchr(command(f, "info version"), '.'));
	assert_non_null(strstr(command(f, "info loop"), "\r\nvcpu "));
	assert_non_null(strstr(command(f, "info mtree"),
			       "0000000000000000-00000000001fffff (prio 0, ram): ram-below-4g"));
	assert_non_null(
		strstr(command(f, "info mtree -f"), "(ram): ram-below-4g @0000000000000000"));
	assert_string_equal(command(f, "info qtree"), "");
}

static void processors_are_parked_while_they_are_looked_at(void **state)
{
	struct fixture *f = *state;

	f->k->regs.rip = 0x1000;
	for (int i = 0; i < 50; i++) {
		const char *cpus = command(f, "info registers -a");

		assert_non_null(strstr(cpus, "RIP=0000000000001000"));
		assert_non_null(strstr(cpus, "RIP=0000000000001001"));
		turn(f);
		assert_false(vcpus_all_parked(f->m));
	}
	assert_non_null(strstr(command(f, "info registers"), "RIP=0000000000001000"));
	assert_string_equal(command(f, "cpu 1"), "");
	assert_non_null(strstr(command(f, "info registers"), "CPU#1\r\n"));
	assert_non_null(strstr(command(f, "info registers -a"), "CPU#0\r\n"));
	assert_non_null(strstr(command(f, "cpu 2"), "invalid CPU index"));
}

static void log_sets_the_mask(void **state)
{
	struct fixture *f = *state;

	command(f, "log int,mmu");
	assert_int_equal(log_mask, LOG_INT | LOG_MMU);
	assert_non_null(strstr(command(f, "log everything"), "unknown log item 'everything'"));
	assert_non_null(strstr(command(f, "log help"), "guest_errors"));
	command(f, "log none");
	assert_int_equal(log_mask, 0);
}

/* ---- memory and expressions ---- */

static void xp_dumps_physical_memory(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 64; i++)
		f->m->ram.host[0x7c00 + i] = (uint8_t)(i ? 0x80 + i : 'A');
	assert_string_equal(command(f, "xp 0x7c00"), "0000000000007c00: 0x83828141\r\n");
	assert_string_equal(command(f, "xp /2xh 0x7c01"), "0000000000007c01: 0x8281 0x8483\r\n");
	assert_string_equal(command(f, "xp/1xg 0x7c00"),
			    "0000000000007c00: 0x8786858483828141\r\n");
	assert_string_equal(command(f, "xp /3xb 31744"), "0000000000007c00: 0x41 0x81 0x82\r\n");
	assert_string_equal(command(f, "xp /2c 0x7c00"), "0000000000007c00: 'A' '\\x81'\r\n");
	assert_string_equal(command(f, "xp /1db 0x7c01"), "0000000000007c01: -127\r\n");
	assert_string_equal(command(f, "xp /1ub 0x7c01"), "0000000000007c01: 129\r\n");
	assert_string_equal(command(f, "xp /5xw 0x7c00"),
			    "0000000000007c00: 0x83828141 0x87868584 0x8b8a8988 "
			    "0x8f8e8d8c\r\n0000000000007c10: 0x93929190\r\n");
	assert_string_equal(command(f, "xp 0xfee00000"), "00000000fee00000: 0xffffffff\r\n");
	assert_string_equal(command(f, "xp 0xffffffffffffffff"),
			    "ffffffffffffffff: 0x000000ff\r\n");
}

static void xp_disassembles(void **state)
{
	static const uint8_t code[] = {0x48, 0x89, 0xd8, 0xf4, 0x06};
	struct fixture *f = *state;

	memcpy(f->m->ram.host + 0x1000, code, sizeof(code));
	assert_string_equal(command(f, "xp /3i 0x1000"),
			    "0x00001000:  48 89 d8                 mov rax, rbx\r\n"
			    "0x00001003:  f4                       hlt\r\n"
			    "0x00001004:  (bad)\r\n");
	f->k->regs.cs.db = true;
	f->k->regs.rip = 0x1000;
	assert_non_null(strstr(command(f, "x /1i $rip+4"), "push es"));
}

static void bad_formats_and_expressions_are_refused(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(command(f, "xp /z 0"), "invalid char in format: 'z'\r\n");
	assert_non_null(strstr(command(f, "xp"), "addr expected"));
	assert_non_null(strstr(command(f, "xp /4"), "addr expected"));
	assert_non_null(strstr(command(f, "xp 1 2"), "extraneous characters"));
	assert_non_null(strstr(command(f, "xp 0xzz"), "bad number"));
	assert_non_null(strstr(command(f, "p $nonsense"), "unknown register"));
	assert_non_null(strstr(command(f, "p (1"), "')' expected"));
	assert_non_null(strstr(command(f, "p 1/0"), "division by zero"));
	assert_non_null(strstr(command(f, "p 99999999999999999999999"), "bad number"));
	assert_non_null(strstr(
		command(f, "p ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((("
			   "((((((((((((((((((((((((((((((1"),
		"nested too deep"));
}

static void print_calculates(void **state)
{
	struct fixture *f = *state;

	f->k->regs.gpr[0] = 0x123456789abcdef0;
	assert_string_equal(command(f, "p 2+3*4"), "0xe\r\n");
	assert_string_equal(command(f, "print /d (2 + 3) * -4"), "                 -20\r\n");
	assert_string_equal(command(f, "p $rax & 0xff | 1 ^ 3"), "0xf2\r\n");
	assert_string_equal(command(f, "p $eax"), "0x9abcdef0\r\n");
	assert_string_equal(command(f, "p ~0 % 16"), "0xf\r\n");
}

static void x_walks_the_page_tables(void **state)
{
	struct fixture *f = *state;
	uint8_t *ram = f->m->ram.host;

	/* 4 levels: 0xffff800000201234 -> 4 KiB page at 0x5000; the next 2 MiB: a large page at 0. */
	f->k->regs.cr0 = 0x80000001;
	f->k->regs.cr4 = 0x20;
	f->k->regs.efer = 0x500;
	f->k->regs.cr3 = 0x1000;
	stn_le(ram + 0x1000 + 256 * 8, 8, 0x2003);
	stn_le(ram + 0x2000, 8, 0x3003);
	stn_le(ram + 0x3000 + 1 * 8, 8, 0x4003);
	stn_le(ram + 0x3000 + 2 * 8, 8, 0x0083);
	stn_le(ram + 0x4000 + 1 * 8, 8, 0x8000000000005003);
	stn_le(ram + 0x5234, 4, 0xcafe0001);
	assert_string_equal(command(f, "x 0xffff800000201234"), "ffff800000201234: 0xcafe0001\r\n");
	assert_string_equal(command(f, "x 0xffff800000405234"), "ffff800000405234: 0xcafe0001\r\n");
	assert_string_equal(command(f, "x 0xffff800000202000"),
			    "ffff800000202000: Cannot access memory\r\n");

	/* 2 levels, a 4 MiB page. */
	f->k->regs.cr4 = 0x10;
	f->k->regs.efer = 0;
	stn_le(ram + 0x1000 + 3 * 4, 4, 0x83);
	assert_string_equal(command(f, "x 0xc05234"), "0000000000c05234: 0xcafe0001\r\n");

	/* PAE: 3 levels; the table need not begin on a page. */
	f->k->regs.cr4 = 0x20;
	f->k->regs.cr3 = 0x1020;
	stn_le(ram + 0x1020, 8, 0x6001);
	stn_le(ram + 0x6000, 8, 0x7001);
	stn_le(ram + 0x7000 + 9 * 8, 8, 0x5001);
	assert_string_equal(command(f, "x 0x9234"), "0000000000009234: 0xcafe0001\r\n");
}

/* ---- the line ---- */

static void lines_can_be_edited(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(command(f, "info nxx\177\177ame"), "guest one\r\n");
	assert_string_equal(command(f, "rubbish\025info name"), "guest one\r\n");
	assert_string_equal(command(f, "name\001info "), "guest one\r\n");
	assert_string_equal(command(f, "info foo\027name"), "guest one\r\n");
	assert_string_equal(command(f, "info ame\033[D\033[D\033[Dn"), "guest one\r\n");
	assert_string_equal(command(f, "info namexx\033[D\033[D\013"), "guest one\r\n");
	assert_string_equal(command(f, "xinfo name\033[1~\033[3~\033[4~"), "guest one\r\n");
	assert_string_equal(command(f, "info name\033[99~\033[Z"), "guest one\r\n");
}

static void history_comes_back(void **state)
{
	struct fixture *f = *state;

	command(f, "info name");
	command(f, "info version");
	assert_string_equal(command(f, "\033[A\033[A"), "guest one\r\n");
	assert_string_equal(command(f, "info \020\016name"), "guest one\r\n");
	assert_string_equal(command(f, "\020\020\020\020\020\020\020\020"), "guest one\r\n");
	for (int i = 0; i < 100; i++) {
		char line[32];

		snprintf(line, sizeof(line), "p %d", i);
		command(f, line);
	}
	assert_string_equal(command(f, "\033OA"), "0x63\r\n");
}

static void tab_completes(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(command(f, "inf\tna\t"), "guest one\r\n");
	assert_string_equal(command(f, "sto\t"), "");
	assert_string_equal(command(f, "c"), "");
	f->t->len = 0;
	type(f, "system_\t");
	assert_non_null(strstr(f->t->out,
			       "system_powerdown  system_reset  system_wakeup\r\n(evmm) system_"));
	type(f, "\025zz\t");
	assert_string_equal(command(f, "\025info name"), "guest one\r\n");
}

static void overlong_lines_are_cut(void **state)
{
	struct fixture *f = *state;
	char line[3000];

	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	assert_non_null(strstr(command(f, line), "unknown command: 'aaaa"));
	assert_string_equal(command(f, "info name"), "guest one\r\n");
}

static void a_reader_that_does_not_read_loses_nothing_small(void **state)
{
	struct fixture *f = *state;

	f->t->len = 0;
	f->t->room = 10;
	type(f, "help\rinfo name\r");
	assert_int_equal(f->t->len, 10);
	f->t->room = SIZE_MAX / 2;
	chardev_writable(&f->t->chr);
	assert_non_null(strstr(f->t->out, "guest one\r\n(evmm) "));
	for (int i = 0; i < 2000; i++) {
		f->t->room = f->t->len;
		type(f, "help\r");
	}
	f->t->room = SIZE_MAX / 2;
	f->t->len = 0;
	chardev_writable(&f->t->chr);
	assert_true(f->t->len > 1000);
}

static void random_bytes_do_no_harm(void **state)
{
	struct fixture *f = *state;

	srand(7);
	for (int i = 0; i < 100000; i++) {
		char key[2] = {(char)(1 + rand() % 255), 0};

		/* No quit, no files. */
		if (strchr("qlQ", key[0]))
			continue;
		f->t->len = MIN(f->t->len, 1000);
		type(f, key);
	}
	f->t->len = 0;
	type(f, "~~~\r");
	assert_string_equal(command(f, "info name"), "guest one\r\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(it_greets_and_prompts),
		TEST(help_lists_every_command),
		TEST(what_it_does_not_know_it_says),
		TEST(stop_and_cont_change_the_status),
		TEST(quit_ends_the_machine),
		TEST(system_powerdown_presses_the_button),
		TEST(info_tells_names_and_trees),
		TEST(processors_are_parked_while_they_are_looked_at),
		TEST(log_sets_the_mask),
		TEST(xp_dumps_physical_memory),
		TEST(xp_disassembles),
		TEST(bad_formats_and_expressions_are_refused),
		TEST(print_calculates),
		TEST(x_walks_the_page_tables),
		TEST(lines_can_be_edited),
		TEST(history_comes_back),
		TEST(tab_completes),
		TEST(overlong_lines_are_cut),
		TEST(a_reader_that_does_not_read_loses_nothing_small),
		TEST(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
