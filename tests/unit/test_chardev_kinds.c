/* SPDX-License-Identifier: BSD-2-Clause */
/* Character devices of each other kind, the log file, and what the monitor does with chardevs at run time. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include "tests/unit/chardev_kit.h"

static struct front f, g; /* too large for some stacks under the sanitizers */

static void write_file(const char *path, const char *text, size_t n)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, n, file), n);
	fclose(file);
}

static void assert_file(const char *path, const char *want)
{
	char buf[4096] = {0};
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	assert_true(fread(buf, 1, sizeof(buf) - 1, file) < sizeof(buf) - 1);
	fclose(file);
	assert_string_equal(buf, want);
}

static void write_all(struct chardev *chr, const char *text)
{
	assert_int_equal(chardev_write(chr, text, strlen(text)), strlen(text));
}

/* ---- file ---- */

static void a_file_is_truncated_or_appended_to(void **state)
{
	write_file(kit_path("log"), "old\n", 4);
	write_all(make("file,id=a,path=%s,append=on", kit_path("log")), "new\n");
	assert_true(chardev_remove("a", NULL));
	assert_file(kit_path("log"), "old\nnew\n");
	write_all(make("file,id=a,path=%s", kit_path("log")), "only\n");
	assert_true(chardev_remove("a", NULL));
	assert_file(kit_path("log"), "only\n");
}

static void a_file_gives_input_as_the_front_end_takes_it(void **state)
{
	static char text[200001];
	struct chardev *chr;
	size_t total = 0;

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		text[i] = 'a' + i % 26;
	write_file(kit_path("in"), text, sizeof(text) - 1);
	chr = make("file,id=a,path=/dev/null,input-path=%s", kit_path("in"));
	front_attach(&f, chr);
	f.room = 0;
	run_for_ms(5);
	assert_int_equal(f.len, 0);
	for (size_t room = 1; total < sizeof(text) - 1; room = room * 3 % 30011) {
		size_t n = MIN(room, sizeof(text) - 1 - total);

		f.len = 0;
		front_give_room(&f, n);
		run_until(f.len == n);
		assert_memory_equal(f.in, text + total, n);
		total += n;
	}
	f.len = 0;
	front_give_room(&f, 10);
	run_for_ms(5);
	assert_int_equal(f.len, 0);
	front_detach(&f);
	make_fails("Could not open '/nonexistent': No such file",
		   "file,id=b,path=/dev/null,input-path=/nonexistent");
}

/* ---- pipe ---- */

static void a_pair_of_pipes_carries_both_ways(void **state)
{
	struct chardev *chr;
	int in, out;
	char buf[16] = {0};

	assert_int_equal(mkfifo(kit_path("p.in"), 0600), 0);
	assert_int_equal(mkfifo(kit_path("p.out"), 0600), 0);
	chr = make("pipe,id=p,path=%s", kit_path("p"));
	front_attach(&f, chr);
	/* Others come and go without an end of it. */
	for (int i = 0; i < 2; i++) {
		in = open(kit_path("p.in"), O_WRONLY | O_NONBLOCK);
		out = open(kit_path("p.out"), O_RDONLY | O_NONBLOCK);
		assert_true(in >= 0 && out >= 0);
		assert_int_equal(write(in, "in", 2), 2);
		run_until(f.len == 2u * (i + 1));
		write_all(chr, "out");
		run_until(read(out, buf, sizeof(buf)) == 3);
		assert_string_equal(buf, "out");
		close(in);
		close(out);
	}
	front_detach(&f);
	make_fails("Could not open", "pipe,id=q,path=%s", kit_path("none"));
}

static void a_pipe_that_nobody_reads_blocks_nobody(void **state)
{
	static char block[4096];
	struct chardev *chr;
	size_t total = 0, n;

	assert_int_equal(mkfifo(kit_path("p"), 0600), 0);
	chr = make("pipe,id=p,path=%s", kit_path("p"));
	front_attach(&f, chr);
	f.room = 0; /* PATH is both ends: it would read its own */
	do {
		n = chardev_write(chr, block, sizeof(block));
		total += n;
		loop_run_once(loop, 0);
	} while (n && total < (4 << 20));
	assert_true(total < (4 << 20));
	front_detach(&f);
}

/* ---- pty ---- */

static int open_slave(const struct chardev *chr)
{
	int fd = open(chardev_pty_path(chr), O_RDWR | O_NOCTTY | O_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

static ssize_t read_some(int fd, char *buf, size_t n)
{
	memset(buf, 0, n);
	return read(fd, buf, n - 1);
}

static void a_pty_is_there_for_whoever_opens_it(void **state)
{
	struct chardev *chr = make("pty,id=p,path=%s", kit_path("link"));
	char want[128], buf[64];
	struct termios t;
	int fd;

	snprintf(want, sizeof(want), "pty:%s", chardev_pty_path(chr));
	assert_filename(chr, want);
	front_attach(&f, chr);
	assert_int_equal(f.opened, 0);
	write_all(chr, "lost");
	for (int i = 1; i <= 3; i++) {
		fd = i == 2 ? open(kit_path("link"), O_RDWR | O_NOCTTY | O_NONBLOCK)
			    : open_slave(chr);
		assert_int_equal(tcgetattr(fd, &t), 0);
		assert_false(t.c_lflag & (ECHO | ICANON));
		run_until(f.opened == i);
		write_all(chr, "out\n");
		run_until(read_some(fd, buf, sizeof(buf)) > 0);
		assert_string_equal(buf, "out\n");
		assert_int_equal(write(fd, "in\r", 3), 3);
		run_until(f.len == 3u * i);
		close(fd);
		run_until(f.closed == i);
		assert_false(chardev_is_open(chr));
	}
	assert_string_equal(f.in, "in\rin\rin\r");
	front_detach(&f);
	assert_true(chardev_remove("p", NULL));
	assert_int_equal(access(kit_path("link"), F_OK), -1);
}

static void a_pty_that_nobody_has_open_costs_nothing(void **state)
{
	struct chardev *chr = make("pty,id=p");
	int64_t end;
	int turns = 0;

	front_attach(&f, chr);
	close(open_slave(chr));
	end = clock_now_ns(loop_clock_host(loop)) + 200 * NS_PER_MS;
	while (clock_now_ns(loop_clock_host(loop)) < end) {
		loop_run_once(loop, end - clock_now_ns(loop_clock_host(loop)));
		turns++;
	}
	assert_true(turns < 20);
	front_detach(&f);
}

static void a_terminal_that_nobody_reads_holds_the_front_end_until_it_closes(void **state)
{
	static char block[4096];
	struct chardev *chr = make("pty,id=p");
	int fd = open_slave(chr), i;

	front_attach(&f, chr);
	f.room = 0;
	run_until(f.opened == 1);
	for (i = 0; i < 1000 && chardev_write(chr, block, sizeof(block)) == sizeof(block); i++)
		loop_run_once(loop, 0);
	assert_true(i < 1000);
	close(fd);
	run_until(f.closed == 1);
	assert_int_equal(f.writable, 1);
	assert_int_equal(chardev_write(chr, block, sizeof(block)), sizeof(block));
	front_detach(&f);
}

/* ---- serial ---- */

static void a_serial_port_of_the_host_follows_the_guests_line(void **state)
{
	struct chardev_line line = {.speed = 9600, .parity = 'O', .data_bits = 7, .stop_bits = 2};
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), slave;
	struct termios t, before;
	struct chardev *chr;
	char buf[16];

	assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_int_equal(tcgetattr(slave, &before), 0);
	chr = make("serial,id=s,path=%s", ptsname(master));
	front_attach(&f, chr);
	assert_int_equal(tcgetattr(slave, &t), 0);
	assert_int_equal(cfgetospeed(&t), B115200);
	assert_false(t.c_lflag & (ECHO | ICANON | ISIG));
	chardev_set_line(chr, &line);
	assert_int_equal(tcgetattr(slave, &t), 0);
	assert_int_equal(cfgetospeed(&t), B9600);
	assert_int_equal(t.c_cflag & (PARODD | CSTOPB), PARODD | CSTOPB);
	chardev_set_break(chr, true);
	chardev_set_break(chr, false);
	line = (struct chardev_line){.speed = 0, .parity = 'N', .data_bits = 200, .stop_bits = 1};
	chardev_set_line(chr, &line);
	assert_int_equal(write(master, "i\r", 2), 2);
	run_until(f.len == 2);
	assert_string_equal(f.in, "i\r");
	write_all(chr, "o\n");
	run_until(read_some(master, buf, sizeof(buf)) > 0);
	assert_string_equal(buf, "o\n");
	front_detach(&f);
	assert_true(chardev_remove("s", NULL));
	assert_int_equal(tcgetattr(slave, &t), 0);
	assert_int_equal(t.c_lflag, before.c_lflag);
	make_fails("'/dev/null' is not a serial port", "serial,id=s,path=/dev/null");
	close(slave);
	close(master);
}

/* ---- ringbuf ---- */

static void a_ring_buffer_keeps_the_last_bytes(void **state)
{
	struct chardev *chr = make("ringbuf,id=r,size=8");
	char buf[16] = {0};

	write_all(chr, "abc");
	assert_int_equal(chardev_ringbuf_used(chr), 3);
	assert_int_equal(chardev_ringbuf_read(chr, buf, 2), 2);
	assert_string_equal(buf, "ab");
	write_all(chr, "defghijklm");
	assert_int_equal(chardev_ringbuf_read(chr, buf, sizeof(buf)), 8);
	assert_memory_equal(buf, "fghijklm", 8);
	assert_int_equal(chardev_ringbuf_read(chr, buf, sizeof(buf)), 0);
	assert_true(chardev_ringbuf_write(chr, "x", 1));
	assert_int_equal(chardev_ringbuf_used(chr), 1);
	assert_int_equal(chardev_ringbuf_read(make("null,id=n"), buf, 1), -1);
	assert_false(chardev_ringbuf_write(chardev_find("n"), "x", 1));
	make_fails("must be power of two", "ringbuf,id=q,size=100");
	make_fails("must be power of two", "ringbuf,id=q,size=1T");
}

/* ---- udp ---- */

static int udp_socket(unsigned *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void datagrams_go_both_ways(void **state)
{
	unsigned port, ours;
	int fd = udp_socket(&port), free_one = udp_socket(&ours);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	static char big[3000], buf[4000];
	struct chardev *chr;
	size_t got = 0;

	close(free_one);
	chr = make("udp,id=u,host=127.0.0.1,port=%u,localaddr=127.0.0.1,localport=%u", port, ours);
	assert_filename(chr, "udp");
	front_attach(&f, chr);
	f.room = 2;
	/* One turn's output is one datagram. */
	write_all(chr, "a");
	write_all(chr, "bc");
	run_until(recv(fd, buf, sizeof(buf), 0) == 3);
	assert_memory_equal(buf, "abc", 3);
	/* More than fits a frame is several. */
	memset(big, 'B', sizeof(big));
	assert_int_equal(chardev_write(chr, big, sizeof(big)), sizeof(big));
	while (got < sizeof(big)) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n > 0) {
			assert_in_range(n, 1, 1400);
			got += n;
		}
		loop_run_once(loop, NS_PER_MS);
	}
	/* A datagram longer than the front end's room is not cut off. */
	a.sin_port = htons(ours);
	assert_int_equal(sendto(fd, "datagram", 8, 0, (struct sockaddr *)&a, sizeof(a)), 8);
	run_until(f.len == 2);
	front_give_room(&f, 100);
	run_until(f.len == 8);
	assert_string_equal(f.in, "datagram");
	/* Nobody there: neither an end nor a stall. */
	close(fd);
	for (int i = 0; i < 50; i++) {
		write_all(chr, "lost");
		loop_run_once(loop, NS_PER_MS);
	}
	front_detach(&f);
	make_fails("udp needs port=", "udp,id=v,host=127.0.0.1");
	make_fails("address resolution failed", "udp,id=v,host=no.such.host.invalid,port=1");
}

/* ---- log ---- */

static void the_log_gets_what_the_front_end_prints(void **state)
{
	struct chardev *chr = make("null,id=n,logfile=%s", kit_path("log"));

	front_attach(&f, chr);
	write_all(chr, "boot\n");
	front_detach(&f);
	assert_true(chardev_remove("n", NULL));
	assert_file(kit_path("log"), "boot\n");
	/* Only what the back end took; through a mux too. */
	chr = make("ringbuf,id=r,mux=on,logfile=%s,logappend=on", kit_path("log"));
	write_all(chr, "more\n");
	assert_true(chardev_remove("r", NULL));
	assert_file(kit_path("log"), "boot\nmore\n");
	make_fails("Could not open logfile '/nonexistent/l'", "null,id=n,logfile=/nonexistent/l");
	assert_null(chardev_find("n"));
}

static void a_slow_log_holds_the_front_end_and_loses_nothing(void **state)
{
	struct chardev *chr = make("null,id=n,logfile=%s", kit_path("log"));
	static char line[100];
	size_t total = 0;
	struct stat st;

	front_attach(&f, chr);
	memset(line, 'l', sizeof(line));
	for (int i = 0; i < 20000; i++) {
		size_t n = chardev_write(chr, line, sizeof(line));

		total += n;
		if (n < sizeof(line)) {
			int before = f.writable;

			run_until(f.writable > before);
		}
	}
	front_detach(&f);
	assert_true(chardev_remove("n", NULL));
	assert_int_equal(stat(kit_path("log"), &st), 0);
	assert_int_equal(st.st_size, total);
}

/* ---- at run time ---- */

static void a_chardev_is_removed_when_nobody_uses_it(void **state)
{
	struct error err = ERROR_INIT;
	struct chardev *chr;

	make("null,id=n");
	chr = chardev_take("n", NULL);
	assert_false(chardev_remove("n", &err));
	assert_string_equal(err.msg, "Chardev 'n' is busy");
	error_clear(&err);
	chardev_release(chr);
	assert_true(chardev_remove("n", NULL));
	assert_false(chardev_remove("n", &err));
	assert_string_equal(err.msg, "Chardev 'n' not found");
	error_clear(&err);
}

static void a_mux_gives_its_ends_again(void **state)
{
	struct chardev *ends[5];
	struct error err = ERROR_INIT;

	make("null,id=m,mux=on");
	assert_filename(chardev_find("m"), "mux");
	assert_filename(chardev_find("m-base"), "null");
	for (int i = 0; i < 4; i++)
		assert_non_null(ends[i] = chardev_take("m", NULL));
	assert_null(chardev_take("m", &err));
	error_clear(&err);
	chardev_release(ends[2]);
	assert_ptr_equal(chardev_take("m", NULL), ends[2]);
	chardev_release(ends[0]);
	assert_false(chardev_remove("m", &err));
	error_clear(&err);
	assert_ptr_equal(chardev_take("m", NULL), ends[0]);
	for (int i = 0; i < 4; i++)
		chardev_release(ends[i]);
	assert_false(chardev_remove("m-base", &err));
	error_clear(&err);
	assert_true(chardev_remove("m", NULL));
	assert_null(chardev_find("m-base"));
}

static void the_escape_goes_round_all_front_ends_and_the_focus_survives_a_peer(void **state)
{
	static struct front h;
	struct chardev *mux = make("socket,id=m,mux=on,path=%s,server=on,wait=off", kit_path("s"));
	int peer;

	front_attach(&f, chardev_take("m", NULL));
	front_attach(&g, chardev_take("m", NULL));
	front_attach(&h, chardev_take("m", NULL));
	assert_false(chardev_is_open(mux));
	assert_string_equal(f.events, "");
	peer = peer_unix(kit_path("s"));
	peer_send(peer, "1\001c2\001c3\001c4", 10);
	run_until(f.len == 2);
	assert_string_equal(f.in, "14");
	assert_string_equal(g.in, "2");
	assert_string_equal(h.in, "3");
	assert_string_equal(f.events, "Oioi");
	assert_string_equal(g.events, "Ooio");
	/* One that is gone is passed over. */
	front_detach(&g);
	chardev_release(g.chr);
	peer_send(peer, "\001c5\001", 4);
	run_until(h.len == 2);
	close(peer);
	run_until(f.closed == 1);
	assert_string_equal(h.events, "OoioiC");
	/* An escape that was cut off is not the next peer's. */
	peer = peer_unix(kit_path("s"));
	peer_send(peer, "c", 1);
	run_until(h.len == 3);
	assert_string_equal(h.in, "35c");
	close(peer);
	front_detach(&f);
	front_detach(&h);
}

static bool change(const char *id, const char *arg, struct error *err)
{
	struct chardev_config c;
	bool ok;

	assert_true(chardev_config_parse(&c, arg, NULL));
	ok = chardev_change(loop, id, &c, err);
	chardev_config_fini(&c);
	return ok;
}

static void a_back_end_changes_under_its_front_end(void **state)
{
	static const struct chardev_handlers deaf = {.can_receive = NULL};
	struct chardev *chr = make("ringbuf,id=c"), *other = make("null,id=z");
	struct error err = ERROR_INIT;
	char arg[256];

	front_attach(&f, chardev_take("c", NULL));
	snprintf(arg, sizeof(arg), "file,id=c,path=%s", kit_path("out"));
	assert_true(change("c", arg, NULL));
	assert_ptr_not_equal(f.chr, chr);
	assert_ptr_equal(f.chr, chardev_find("c"));
	assert_ptr_equal(chardev_next(NULL), f.chr);
	write_all(f.chr, "here");
	assert_false(change("c", "file,id=c,path=/nonexistent/x", &err));
	assert_non_null(strstr(err.msg, "Could not open '/nonexistent/x'"));
	error_clear(&err);
	assert_false(chardev_remove("c", &err));
	error_clear(&err);
	front_detach(&f);
	chardev_release(f.chr);
	assert_true(chardev_remove("c", NULL));
	assert_file(kit_path("out"), "here");
	chardev_attach(other, &deaf, NULL);
	assert_false(change("z", "null,id=z", &err));
	assert_string_equal(err.msg, "what uses chardev 'z' cannot have it changed");
	error_clear(&err);
	chardev_attach(other, NULL, NULL);
	assert_true(change("z", "ringbuf,id=z", NULL));
	assert_false(change("nobody", "null,id=z", &err));
	error_clear(&err);
}

static void a_break_can_be_sent_from_the_monitor(void **state)
{
	front_attach(&f, make("null,id=n"));
	chardev_send_break(f.chr);
	assert_int_equal(f.breaks, 1);
	front_detach(&f);
}

static void keys_go_with_their_back_ends(void **state)
{
	struct error err = ERROR_INIT;
	struct chardev_config c;

	chardev_config_init(&c);
	c.backend = xstrdup("null");
	c.id = xstrdup("n");
	c.path = xstrdup("/tmp/x");
	assert_null(chardev_new(loop, &c, &err));
	assert_string_equal(err.msg, "path= does not go with null");
	error_clear(&err);
	chardev_config_fini(&c);
	make_fails("did you mean 'socket'", "sokcet,id=s");
	make_fails("must be on or off", "file,id=s,path=/dev/null,append=maybe");
	make_fails("is not a size", "ringbuf,id=s,size=lots");
	make_fails("unknown key 'path'", "null,id=s,path=x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_truncated_or_appended_to),
		TEST(a_file_gives_input_as_the_front_end_takes_it),
		TEST(a_pair_of_pipes_carries_both_ways),
		TEST(a_pipe_that_nobody_reads_blocks_nobody),
		TEST(a_pty_is_there_for_whoever_opens_it),
		TEST(a_pty_that_nobody_has_open_costs_nothing),
		TEST(a_terminal_that_nobody_reads_holds_the_front_end_until_it_closes),
		TEST(a_serial_port_of_the_host_follows_the_guests_line),
		TEST(a_ring_buffer_keeps_the_last_bytes),
		TEST(datagrams_go_both_ways),
		TEST(the_log_gets_what_the_front_end_prints),
		TEST(a_slow_log_holds_the_front_end_and_loses_nothing),
		TEST(a_chardev_is_removed_when_nobody_uses_it),
		TEST(a_mux_gives_its_ends_again),
		TEST(the_escape_goes_round_all_front_ends_and_the_focus_survives_a_peer),
		TEST(a_back_end_changes_under_its_front_end),
		TEST(a_break_can_be_sent_from_the_monitor),
		TEST(keys_go_with_their_back_ends),
	};

	return cmocka_run_group_tests_name("chardev_kinds", tests, NULL, NULL);
}
