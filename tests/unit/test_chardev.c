/* SPDX-License-Identifier: BSD-2-Clause */
/* Character devices: the mux's escapes, streams that nobody reads, and a terminal that is always put back. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>
#include "io/char/backend.h"

static struct loop *loop;

static int setup(void **state)
{
	loop = loop_new();
	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	return 0;
}

static int teardown(void **state)
{
	loop_free(loop);
	alarm(0);
	return 0;
}

/* ---- a back end and a front end that can be watched ---- */

struct fake_backend {
	struct chardev chr;
	char out[4096];
	size_t len, room;
};

static size_t fake_write(struct chardev *chr, const void *buf, size_t n)
{
	struct fake_backend *b = container_of(chr, struct fake_backend, chr);

	n = MIN(n, b->room - b->len);
	memcpy(b->out + b->len, buf, n);
	b->len += n;
	b->out[b->len] = 0;
	return n;
}

static const struct chardev_ops fake_ops = {.name = "fake", .write = fake_write};

static struct fake_backend *fake_new(const char *id)
{
	struct fake_backend *b = xzalloc(sizeof(*b));

	b->room = sizeof(b->out) - 1;
	assert_true(chardev_init(&b->chr, &fake_ops, loop, id, NULL));
	return b;
}

static void fake_clear(struct fake_backend *b)
{
	b->len = 0;
	b->out[0] = 0;
}

static void type(struct fake_backend *b, const char *keys)
{
	chardev_receive(&b->chr, (const uint8_t *)keys, strlen(keys));
}

struct front {
	struct chardev *chr;
	size_t room;
	char in[8192];
	size_t len;
	int breaks, writable;
	char events[16];
};

static size_t front_can_receive(void *opaque)
{
	struct front *f = opaque;

	return f->room;
}

static void front_receive(void *opaque, const uint8_t *buf, size_t n)
{
	struct front *f = opaque;

	assert_true(n > 0 && n <= f->room);
	memcpy(f->in + f->len, buf, n);
	f->len += n;
	f->in[f->len] = 0;
	if (f->room != SIZE_MAX)
		f->room -= n;
}

static void front_event(void *opaque, enum chardev_event event)
{
	struct front *f = opaque;

	if (event == CHR_EVENT_BREAK)
		f->breaks++;
	else if (event == CHR_EVENT_MUX_IN)
		strcat(f->events, "i");
	else if (event == CHR_EVENT_MUX_OUT)
		strcat(f->events, "o");
}

static void front_writable(void *opaque)
{
	struct front *f = opaque;

	f->writable++;
}

static const struct chardev_handlers front_handlers = {
	.can_receive = front_can_receive,
	.receive = front_receive,
	.event = front_event,
	.writable = front_writable,
};

static void front_attach(struct front *f, struct chardev *chr)
{
	*f = (struct front){.chr = chr, .room = SIZE_MAX};
	chardev_attach(chr, &front_handlers, f);
}

/* ---- mux ---- */

struct mux_fixture {
	struct fake_backend *b;
	struct chardev *mux;
	struct front serial, monitor;
	int quits;
};

static void on_quit(void *opaque)
{
	((struct mux_fixture *)opaque)->quits++;
}

static void mux_open(struct mux_fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->b = fake_new("serial0");
	f->mux = chardev_new_mux(loop, &f->b->chr, 1);
	chardev_mux_on_quit(f->mux, on_quit, f);
	front_attach(&f->monitor, chardev_mux_add(f->mux));
	front_attach(&f->serial, f->mux);
}

static void mux_close(struct mux_fixture *f)
{
	chardev_free(f->mux);
	chardev_free(&f->b->chr);
}

static void the_first_front_end_has_the_focus_and_c_switches(void **state)
{
	struct mux_fixture f;

	mux_open(&f);
	type(f.b, "ls\r");
	assert_string_equal(f.serial.in, "ls\r");
	type(f.b, "a\001cinfo\001cb");
	assert_string_equal(f.serial.in, "ls\rab");
	assert_string_equal(f.monitor.in, "info");
	assert_string_equal(f.monitor.events, "oio");
	assert_string_equal(f.serial.events, "ioi");
	mux_close(&f);
}

static void the_escape_twice_sends_it_and_other_keys_are_swallowed(void **state)
{
	struct mux_fixture f;

	mux_open(&f);
	type(f.b, "x\001\001y\001qz\001");
	type(f.b, "\001");
	assert_string_equal(f.serial.in, "x\001yz\001");
	mux_close(&f);
}

static void b_sends_a_break_and_x_quits(void **state)
{
	struct mux_fixture f;

	mux_open(&f);
	type(f.b, "\001bt");
	assert_int_equal(f.serial.breaks, 1);
	assert_int_equal(f.monitor.breaks, 0);
	assert_string_equal(f.serial.in, "t");
	assert_int_equal(f.quits, 0);
	type(f.b, "\001x");
	assert_int_equal(f.quits, 1);
	mux_close(&f);
}

static void h_prints_help_that_names_the_escape(void **state)
{
	struct mux_fixture f;

	mux_open(&f);
	type(f.b, "\001h");
	assert_non_null(strstr(f.b->out, "C-a x    end evmm"));
	assert_non_null(strstr(f.b->out, "C-a C-a  send C-a"));
	fake_clear(f.b);
	chardev_mux_set_escape(f.mux, 0x14);
	type(f.b, "\001h\024h");
	assert_string_equal(f.serial.in, "\001h");
	assert_non_null(strstr(f.b->out, "C-t x    end evmm"));
	mux_close(&f);
}

static void s_says_that_there_is_nothing_to_save(void **state)
{
	struct mux_fixture f;

	mux_open(&f);
	type(f.b, "\001s");
	assert_non_null(strstr(f.b->out, "nothing to save"));
	mux_close(&f);
}

static void all_front_ends_may_print(void **state)
{
	struct mux_fixture f;

	mux_open(&f);
	assert_int_equal(chardev_write(f.serial.chr, "boot\n", 5), 5);
	assert_int_equal(chardev_write(f.monitor.chr, "(evmm) ", 7), 7);
	assert_string_equal(f.b->out, "boot\n(evmm) ");
	mux_close(&f);
}

static void t_puts_a_time_stamp_before_each_line(void **state)
{
	struct mux_fixture f;
	int h, m, s, ms, n = 0;

	mux_open(&f);
	type(f.b, "\001t");
	assert_int_equal(chardev_write(f.mux, "one\ntwo", 7), 7);
	assert_int_equal(chardev_write(f.mux, "2\nthree\n", 8), 8);
	assert_int_equal(sscanf(f.b->out, "[%2d:%2d:%2d.%3d] one%n", &h, &m, &s, &ms, &n), 4);
	assert_int_equal(n, 18);
	assert_memory_equal(f.b->out + 18 + 1 + 15, "two2\n[", 6);
	assert_string_equal(f.b->out + 18 + 1 + 15 + 5 + 15, "three\n");
	type(f.b, "\001t");
	fake_clear(f.b);
	chardev_write(f.mux, "four\n", 5);
	assert_string_equal(f.b->out, "four\n");
	mux_close(&f);
}

static void a_time_stamp_that_does_not_fit_is_continued(void **state)
{
	struct mux_fixture f;

	mux_open(&f);
	type(f.b, "\001t");
	f.b->room = 5;
	assert_int_equal(chardev_write(f.mux, "line\n", 5), 0);
	f.b->room = 17;
	assert_int_equal(chardev_write(f.mux, "line\n", 5), 2);
	f.b->room = 4000;
	assert_int_equal(chardev_write(f.mux, "ne\n", 3), 3);
	assert_int_equal(f.b->len, 15 + 5);
	assert_string_equal(f.b->out + 15, "line\n");
	mux_close(&f);
}

static void each_front_end_that_was_refused_is_told_of_room(void **state)
{
	struct mux_fixture f;

	mux_open(&f);
	f.b->room = 3;
	assert_int_equal(chardev_write(f.serial.chr, "12345", 5), 3);
	assert_int_equal(chardev_write(f.monitor.chr, "x", 1), 0);
	chardev_writable(&f.b->chr);
	assert_int_equal(f.serial.writable, 1);
	assert_int_equal(f.monitor.writable, 1);
	chardev_writable(&f.b->chr);
	assert_int_equal(f.serial.writable, 1);
	mux_close(&f);
}

static void input_waits_for_room_while_escapes_go_through(void **state)
{
	struct mux_fixture f;

	mux_open(&f);
	f.serial.room = 2;
	type(f.b, "12345\001cstop\001c6\001x");
	assert_string_equal(f.serial.in, "12");
	assert_string_equal(f.monitor.in, "stop");
	assert_int_equal(f.quits, 1);
	f.serial.room = 3;
	chardev_accept_input(f.serial.chr);
	assert_string_equal(f.serial.in, "12345");
	f.serial.room = 10;
	chardev_accept_input(f.serial.chr);
	assert_string_equal(f.serial.in, "123456");
	mux_close(&f);
}

static void a_front_end_that_never_reads_bounds_what_is_kept(void **state)
{
	struct mux_fixture f;
	char block[1001];

	mux_open(&f);
	f.serial.room = 0;
	memset(block, 'k', 1000);
	block[1000] = 0;
	for (int i = 0; i < 10; i++)
		type(f.b, block);
	assert_int_equal(chardev_can_receive(&f.b->chr), 0);
	f.serial.room = SIZE_MAX;
	chardev_accept_input(f.serial.chr);
	assert_int_equal(f.serial.len, 4096);
	assert_int_equal(chardev_can_receive(&f.b->chr), 4096);
	mux_close(&f);
}

static void the_mux_takes_the_id_of_its_back_end(void **state)
{
	struct mux_fixture f;

	mux_open(&f);
	assert_ptr_equal(chardev_find("serial0"), f.mux);
	assert_string_equal(chardev_id(f.mux), "serial0");
	mux_close(&f);
	assert_null(chardev_find("serial0"));
}

/* ---- options ---- */

static void option_fails(const char *arg, const char *message)
{
	struct error err = ERROR_INIT;

	assert_null(chardev_new_option(loop, arg, &err));
	assert_true(error_is_set(&err));
	if (!strstr(err.msg, message))
		fail_msg("%s: %s", arg, err.msg);
	error_clear(&err);
}

static void bad_options_say_what_is_wrong(void **state)
{
	struct chardev *chr = chardev_new_option(loop, "null,id=a", NULL);

	option_fails("null", "id");
	option_fails("null,id=a", "id=a already");
	option_fails("null,id=", "'' is not an identifier");
	option_fails("null,id=1", "'1' is not an identifier");
	option_fails("null,id=a/b", "'a/b' is not an identifier");
	option_fails("nul,id=b", "'nul' is not a character device");
	option_fails("file,id=b", "path=");
	option_fails("file,id=b,path=/nonexistent/x",
		     "Could not open '/nonexistent/x': No such file");
	option_fails("file,id=b,pth=/tmp/x", "did you mean 'path'");
	option_fails("stdio,id=b,signal=perhaps", "must be on or off");
	chardev_free(chr);
}

static void legacy_names_work(void **state)
{
	struct error err = ERROR_INIT;
	struct chardev *chr = chardev_new_legacy(loop, "serial0", "null", &err);

	assert_non_null(chr);
	assert_int_equal(chardev_write(chr, "lost", 4), 4);
	chardev_free(chr);
	assert_null(chardev_new_legacy(loop, "serial0", "none", &err));
	assert_false(error_is_set(&err));
	assert_null(chardev_new_legacy(loop, "serial0", "tape", &err));
	assert_non_null(strstr(err.msg, "'tape'"));
	error_clear(&err);
}

static void mux_on_makes_a_mux(void **state)
{
	struct chardev *chr = chardev_new_option(loop, "null,id=m,mux=on", NULL);

	assert_true(chardev_is_mux(chr));
	assert_ptr_equal(chardev_find("m"), chr);
	chardev_free(chr);
}

/* ---- files ---- */

static char *read_file(const char *path)
{
	char *text = xzalloc(1 << 20);
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_true(fread(text, 1, (1 << 20) - 1, file) < (1 << 20) - 1);
	fclose(file);
	return text;
}

static void a_file_gets_what_is_written_in_order(void **state)
{
	char path[] = "/tmp/evmm-chardev-XXXXXX", spec[64], line[16], *text,
	     *expect = xzalloc(1 << 20);
	struct chardev *chr;
	size_t expected = 0;
	int fd = mkstemp(path);

	close(fd);
	snprintf(spec, sizeof(spec), "file:%s", path);
	chr = chardev_new_legacy(loop, "serial0", spec, NULL);
	assert_non_null(chr);
	for (int i = 0; i < 20000; i++) {
		size_t n = snprintf(line, sizeof(line), "line %d\n", i), done = 0;

		memcpy(expect + expected, line, n);
		expected += n;
		while ((done += chardev_write(chr, line + done, n - done)) < n)
			loop_run_once(loop, NS_PER_SEC);
		if (i % 100 == 0)
			loop_run_once(loop, 0);
	}
	chardev_free(chr);
	text = read_file(path);
	assert_string_equal(text, expect);
	unlink(path);
	free(text);
	free(expect);
}

static void a_full_disk_loses_output_and_blocks_nobody(void **state)
{
	struct chardev *chr = chardev_new_legacy(loop, "serial0", "file:/dev/full", NULL);
	int saved = dup(2), null = open("/dev/null", O_WRONLY);
	char block[4096] = {0};

	dup2(null, 2);
	for (int i = 0; i < 100; i++) {
		chardev_write(chr, block, sizeof(block));
		loop_run_once(loop, 0);
	}
	assert_int_equal(chardev_write(chr, block, sizeof(block)), sizeof(block));
	chardev_free(chr);
	dup2(saved, 2);
	close(saved);
	close(null);
}

/* ---- standard input and output, in a child ---- */

struct child {
	pid_t pid;
	int in, out;   /* our ends */
	int status_fd; /* what the child says besides */
};

static int child_status_fd;

static void say(char c)
{
	if (write(child_status_fd, &c, 1) != 1)
		_exit(99);
}

static char hear(struct child *c)
{
	char ch;

	return read(c->status_fd, &ch, 1) == 1 ? ch : 0;
}

/* Runs BODY in a child whose standard input and output are FDS. */
static struct child start_child(int in_child, int out_child, int in, int out, bool tty,
				void (*body)(void))
{
	struct child c = {.in = in, .out = out};
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	c.pid = fork();
	if (!c.pid) {
		child_status_fd = fds[1];
		if (tty) {
			setsid();
			ioctl(in_child, TIOCSCTTY, 0);
		}
		dup2(in_child, 0);
		dup2(out_child, 1);
		if (in >= 0)
			close(in);
		if (out >= 0)
			close(out);
		close(in_child);
		if (out_child != in_child)
			close(out_child);
		close(fds[0]);
		loop = loop_new();
		body();
		_exit(0);
	}
	close(fds[1]);
	c.status_fd = fds[0];
	return c;
}

static struct child start_on_pipes(void (*body)(void))
{
	int in[2], out[2];
	struct child c;

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	c = start_child(in[0], out[1], in[1], out[0], false, body);
	close(in[0]);
	close(out[1]);
	return c;
}

static int end_child(struct child *c)
{
	int status;

	if (c->in >= 0)
		close(c->in);
	if (c->out >= 0 && c->out != c->in)
		close(c->out);
	waitpid(c->pid, &status, 0);
	close(c->status_fd);
	return status;
}

static struct chardev *open_stdio(struct front *f)
{
	struct chardev *chr = chardev_new_legacy(loop, "serial0", "stdio", NULL);

	if (!chr)
		_exit(98);
	front_attach(f, chr);
	return chr;
}

static void echo_until_q(void)
{
	struct front f;
	struct chardev *chr = open_stdio(&f);
	size_t done = 0;

	say('r');
	while (!memchr(f.in, 'q', f.len)) {
		loop_run_once(loop, NS_PER_SEC);
		done += chardev_write(chr, f.in + done, f.len - done);
	}
	chardev_free(chr);
}

static void stdio_on_pipes_echoes(void **state)
{
	struct child c = start_on_pipes(echo_until_q);
	char buf[64] = {0};
	size_t n = 0;

	assert_int_equal(write(c.in, "hello q", 7), 7);
	while (n < 7) {
		ssize_t k = read(c.out, buf + n, sizeof(buf) - n);

		assert_true(k > 0);
		n += k;
	}
	assert_string_equal(buf, "hello q");
	assert_int_equal(end_child(&c), 0);
}

static void count_turns_after_eof(void)
{
	struct front f;
	struct chardev *chr = open_stdio(&f);
	int64_t end = clock_now_ns(loop_clock_host(loop)) + 100 * NS_PER_MS;
	int turns = 0;

	while (clock_now_ns(loop_clock_host(loop)) < end) {
		loop_run_once(loop, end - clock_now_ns(loop_clock_host(loop)));
		turns++;
	}
	chardev_write(chr, "alive", 5);
	chardev_free(chr);
	_exit(turns > 10);
}

static void input_that_ends_neither_ends_the_vm_nor_spins(void **state)
{
	struct child c = start_on_pipes(count_turns_after_eof);
	char buf[8] = {0};

	close(c.in);
	c.in = -1;
	assert_int_equal(read(c.out, buf, 5), 5);
	assert_string_equal(buf, "alive");
	assert_int_equal(end_child(&c), 0);
}

static void regular_file_input_is_read_to_its_end(void **state)
{
	FILE *file = tmpfile();
	struct child c;
	int out[2], status;
	char buf[8] = {0};

	fputs("abq", file);
	rewind(file);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	c = start_child(fileno(file), out[1], -1, out[0], false, echo_until_q);
	close(out[1]);
	assert_int_equal(read(c.out, buf, 3), 3);
	assert_string_equal(buf, "abq");
	status = end_child(&c);
	assert_int_equal(status, 0);
	fclose(file);
}

static void write_without_reader(void)
{
	struct front f;
	struct chardev *chr = open_stdio(&f);
	char block[4096];
	size_t total = 0, n;

	memset(block, 'x', sizeof(block));
	do {
		n = chardev_write(chr, block, sizeof(block));
		total += n;
		loop_run_once(loop, 0);
	} while (n == sizeof(block) && total < (8 << 20));
	if (f.writable || total >= (8 << 20))
		_exit(1);
	say('f'); /* full: it did not block; now somebody reads */
	while (!f.writable)
		loop_run_once(loop, NS_PER_SEC);
	say('w');
	chardev_free(chr);
	_exit(0);
}

static void output_that_nobody_reads_holds_the_front_end_not_the_loop(void **state)
{
	struct child c = start_on_pipes(write_without_reader);
	char *buf = xmalloc(1 << 20);

	assert_int_equal(hear(&c), 'f');
	while (read(c.out, buf, 1 << 20) > 0)
		;
	assert_int_equal(hear(&c), 'w');
	assert_int_equal(end_child(&c), 0);
	free(buf);
}

static void write_to_closed_pipe(void)
{
	struct front f;
	struct chardev *chr = open_stdio(&f);
	char block[4096] = {0};
	int i;

	say('r');
	if (read(0, block, 1) != 0)
		_exit(1);
	for (i = 0; i < 1000; i++) {
		if (chardev_write(chr, block, sizeof(block)) != sizeof(block))
			_exit(2);
		loop_run_once(loop, 0);
	}
	chardev_free(chr);
	_exit(0);
}

static void output_to_a_closed_pipe_is_dropped(void **state)
{
	struct child c = start_on_pipes(write_to_closed_pipe);

	assert_int_equal(hear(&c), 'r');
	close(c.out);
	c.out = -1;
	assert_int_equal(end_child(&c), 0);
}

/* ---- a terminal ---- */

struct terminal {
	int master, slave;
	struct termios before;
};

static void terminal_open(struct terminal *t)
{
	t->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(t->master >= 0);
	assert_int_equal(grantpt(t->master), 0);
	assert_int_equal(unlockpt(t->master), 0);
	t->slave = open(ptsname(t->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(t->slave >= 0);
	assert_int_equal(tcgetattr(t->slave, &t->before), 0);
}

static void terminal_close(struct terminal *t)
{
	close(t->master);
	close(t->slave);
}

static bool is_raw(struct terminal *t)
{
	struct termios now;

	assert_int_equal(tcgetattr(t->slave, &now), 0);
	return !(now.c_lflag & ICANON) && !(now.c_lflag & ECHO);
}

static bool is_as_before(struct terminal *t)
{
	struct termios now;

	assert_int_equal(tcgetattr(t->slave, &now), 0);
	return now.c_iflag == t->before.c_iflag && now.c_oflag == t->before.c_oflag &&
	       now.c_cflag == t->before.c_cflag && now.c_lflag == t->before.c_lflag &&
	       !memcmp(now.c_cc, t->before.c_cc, sizeof(now.c_cc)) &&
	       !(fcntl(t->slave, F_GETFL) & O_NONBLOCK);
}

static void on_crash(int signum)
{
	chardev_stdio_restore_terminal();
	signal(signum, SIG_DFL);
	raise(signum);
}

static void on_sigterm(void *opaque, int signum)
{
	loop_stop(loop);
}

/* As evmm does it: main.c. */
static void run_on_terminal(void)
{
	struct front f;
	struct chardev *chr;
	struct loop_signal term;

	signal(SIGSEGV, on_crash);
	signal(SIGABRT, on_crash);
	atexit(chardev_stdio_restore_terminal);
	chr = open_stdio(&f);
	loop_signal_add(&term, loop, "signal", SIGTERM, on_sigterm, NULL);
	say('r');
	loop_run(loop);
	chardev_free(chr);
	_exit(3);
}

static void crash_on_terminal(void)
{
	struct front f;

	signal(SIGSEGV, on_crash);
	open_stdio(&f);
	say('r');
	while (!f.len)
		loop_run_once(loop, NS_PER_SEC);
	raise(SIGSEGV);
}

static void exit_on_terminal(void)
{
	struct front f;

	atexit(chardev_stdio_restore_terminal);
	open_stdio(&f);
	say('r');
	while (!f.len)
		loop_run_once(loop, NS_PER_SEC);
	exit(4);
}

static struct child start_on_terminal(struct terminal *t, void (*body)(void))
{
	struct child c;

	terminal_open(t);
	c = start_child(t->slave, t->slave, -1, -1, true, body);
	assert_int_equal(hear(&c), 'r');
	assert_true(is_raw(t));
	return c;
}

static void the_terminal_is_put_back_after_sigterm(void **state)
{
	struct terminal t;
	struct child c = start_on_terminal(&t, run_on_terminal);

	kill(c.pid, SIGTERM);
	assert_int_equal(WEXITSTATUS(end_child(&c)), 3);
	assert_true(is_as_before(&t));
	terminal_close(&t);
}

static void the_terminal_is_put_back_after_a_crash(void **state)
{
	struct terminal t;
	struct child c = start_on_terminal(&t, crash_on_terminal);
	int status;

	assert_int_equal(write(t.master, "x", 1), 1);
	status = end_child(&c);
	/* A sanitizer turns the signal into an exit. */
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
	assert_true(is_as_before(&t));
	terminal_close(&t);
}

static void the_terminal_is_put_back_at_exit(void **state)
{
	struct terminal t;
	struct child c = start_on_terminal(&t, exit_on_terminal);

	assert_int_equal(write(t.master, "x", 1), 1);
	assert_int_equal(WEXITSTATUS(end_child(&c)), 4);
	assert_true(is_as_before(&t));
	terminal_close(&t);
}

static void a_stopped_vmm_gives_the_terminal_back_meanwhile(void **state)
{
	struct terminal t;
	struct child c = start_on_terminal(&t, run_on_terminal);
	int status;

	kill(c.pid, SIGTSTP);
	assert_int_equal(waitpid(c.pid, &status, WUNTRACED), c.pid);
	assert_true(WIFSTOPPED(status));
	assert_true(is_as_before(&t));
	kill(c.pid, SIGCONT);
	for (int i = 0; i < 500 && !is_raw(&t); i++)
		usleep(10000);
	assert_true(is_raw(&t));
	kill(c.pid, SIGTERM);
	end_child(&c);
	assert_true(is_as_before(&t));
	terminal_close(&t);
}

/* -nographic: the control characters are the guest's. */
static void echo_raw_on_terminal(void)
{
	struct front f;
	struct chardev *chr = chardev_new_option(loop, "stdio,id=serial0,signal=off", NULL);
	size_t done = 0;

	front_attach(&f, chr);
	say('r');
	while (!memchr(f.in, 'q', f.len)) {
		loop_run_once(loop, NS_PER_SEC);
		done += chardev_write(chr, f.in + done, f.len - done);
	}
	chardev_free(chr);
	_exit(0);
}

static void control_characters_reach_the_guest_with_signals_off(void **state)
{
	struct terminal t;
	struct child c = start_on_terminal(&t, echo_raw_on_terminal);
	char buf[16] = {0};
	size_t n = 0;

	assert_int_equal(write(t.master, "\003\032\034\023q", 5), 5);
	while (n < 5) {
		ssize_t k = read(t.master, buf + n, sizeof(buf) - n);

		assert_true(k > 0);
		n += k;
	}
	assert_memory_equal(buf, "\003\032\034\023q", 5);
	assert_int_equal(end_child(&c), 0);
	assert_true(is_as_before(&t));
	terminal_close(&t);
}

static void only_one_chardev_may_have_stdio(void)
{
	struct error err = ERROR_INIT;
	struct front f;
	struct chardev *chr = open_stdio(&f);

	if (chardev_new_legacy(loop, "serial1", "stdio", &err) || !strstr(err.msg, "in use"))
		_exit(1);
	error_clear(&err);
	chardev_free(chr);
	chr = chardev_new_legacy(loop, "serial1", "stdio", &err);
	_exit(chr ? 0 : 2);
}

static void stdio_can_be_had_once(void **state)
{
	struct child c = start_on_pipes(only_one_chardev_may_have_stdio);

	assert_int_equal(end_child(&c), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_first_front_end_has_the_focus_and_c_switches),
		TEST(the_escape_twice_sends_it_and_other_keys_are_swallowed),
		TEST(b_sends_a_break_and_x_quits),
		TEST(h_prints_help_that_names_the_escape),
		TEST(s_says_that_there_is_nothing_to_save),
		TEST(all_front_ends_may_print),
		TEST(t_puts_a_time_stamp_before_each_line),
		TEST(a_time_stamp_that_does_not_fit_is_continued),
		TEST(each_front_end_that_was_refused_is_told_of_room),
		TEST(input_waits_for_room_while_escapes_go_through),
		TEST(a_front_end_that_never_reads_bounds_what_is_kept),
		TEST(the_mux_takes_the_id_of_its_back_end),
		TEST(bad_options_say_what_is_wrong),
		TEST(legacy_names_work),
		TEST(mux_on_makes_a_mux),
		TEST(a_file_gets_what_is_written_in_order),
		TEST(a_full_disk_loses_output_and_blocks_nobody),
		TEST(stdio_on_pipes_echoes),
		TEST(input_that_ends_neither_ends_the_vm_nor_spins),
		TEST(regular_file_input_is_read_to_its_end),
		TEST(output_that_nobody_reads_holds_the_front_end_not_the_loop),
		TEST(output_to_a_closed_pipe_is_dropped),
		TEST(the_terminal_is_put_back_after_sigterm),
		TEST(the_terminal_is_put_back_after_a_crash),
		TEST(the_terminal_is_put_back_at_exit),
		TEST(a_stopped_vmm_gives_the_terminal_back_meanwhile),
		TEST(control_characters_reach_the_guest_with_signals_off),
		TEST(stdio_can_be_had_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
