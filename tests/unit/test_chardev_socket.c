/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets as character devices: servers, clients, telnet, and peers that misbehave. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/unit/chardev_kit.h"

static struct front f; /* too large for some stacks under the sanitizers */

/* ---- servers ---- */

static void a_unix_server_serves_one_peer_after_the_other(void **state)
{
	struct chardev *chr = make("socket,id=s,path=%s,server=on,wait=off", kit_path("sock"));
	char want[128];
	int a, b;

	front_attach(&f, chr);
	assert_false(chardev_is_open(chr));
	assert_int_equal(f.opened, 0);
	snprintf(want, sizeof(want), "disconnected:unix:%s,server=on", kit_path("sock"));
	assert_filename(chr, want);
	assert_int_equal(chardev_write(chr, "lost", 4), 4);
	a = peer_unix(kit_path("sock"));
	run_until(f.opened == 1);
	assert_filename(chr, want + strlen("disconnected:"));
	peer_send(a, "hello", 5);
	run_until(f.len == 5);
	assert_int_equal(chardev_write(chr, "world", 5), 5);
	peer_expect(a, "world", 5);
	/* The second waits until the first has gone. */
	b = peer_unix(kit_path("sock"));
	peer_send(b, "next", 4);
	run_for_ms(20);
	assert_string_equal(f.in, "hello");
	close(a);
	run_until(f.len == 9);
	assert_string_equal(f.in, "hellonext");
	assert_string_equal(f.events, "OCO");
	close(b);
	run_until(f.closed == 2);
	assert_filename(chr, want);
	front_detach(&f);
}

static void a_socket_is_removed_at_the_end_but_not_anothers(void **state)
{
	struct chardev *chr = make("socket,id=s,path=%s,server=on,wait=off", kit_path("a"));
	int fd;

	assert_int_equal(access(kit_path("a"), F_OK), 0);
	assert_true(chardev_remove("s", NULL));
	assert_int_equal(access(kit_path("a"), F_OK), -1);
	chr = make("socket,id=s,path=%s,server=on,wait=off", kit_path("a"));
	assert_non_null(chr);
	unlink(kit_path("a"));
	fd = open(kit_path("a"), O_CREAT | O_WRONLY, 0600);
	assert_true(chardev_remove("s", NULL));
	assert_int_equal(access(kit_path("a"), F_OK), 0);
	close(fd);
}

static void a_stale_socket_is_replaced_and_a_live_one_is_not(void **state)
{
	int fd = peer_listen_unix(kit_path("s"));

	make_fails("Failed to bind socket to '", "socket,id=s,path=%s,server=on,wait=off",
		   kit_path("s"));
	close(fd); /* the file stays */
	assert_int_equal(access(kit_path("s"), F_OK), 0);
	make("socket,id=s,path=%s,server=on,wait=off", kit_path("s"));
	close(peer_unix(kit_path("s")));
	/* A file of another kind is nobody's to remove. */
	fd = open(kit_path("file"), O_CREAT | O_WRONLY, 0600);
	make_fails("Address already in use", "socket,id=t,path=%s,server=on,wait=off",
		   kit_path("file"));
	assert_int_equal(access(kit_path("file"), F_OK), 0);
	close(fd);
}

static void a_path_too_long_is_refused(void **state)
{
	char name[200];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	make_fails("is too long: it must be less than 108 bytes", "socket,id=s,path=%s,server=on",
		   name);
	make_fails("is too long", "socket,id=s,path=%s", name);
}

static void abstract_names_leave_no_file(void **state)
{
	struct chardev *chr =
		make("socket,id=s,path=evmm-test-%d,abstract=on,server=on,wait=off", (int)getpid());
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int n = snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "evmm-test-%d", (int)getpid());
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	front_attach(&f, chr);
	assert_int_equal(connect(fd, (struct sockaddr *)&a,
				 offsetof(struct sockaddr_un, sun_path) + 1 + n),
			 0);
	run_until(f.opened == 1);
	close(fd);
	front_detach(&f);
}

static void a_tcp_server_tells_its_addresses(void **state)
{
	struct chardev *chr = make("socket,id=s,host=127.0.0.1,port=0,server=on,wait=off");
	unsigned port = port_of(chr);
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	char want[128];
	int fd;

	snprintf(want, sizeof(want), "disconnected:tcp:127.0.0.1:%u,server=on", port);
	assert_filename(chr, want);
	front_attach(&f, chr);
	fd = peer_tcp(port);
	run_until(f.opened == 1);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	snprintf(want, sizeof(want), "tcp:127.0.0.1:%u,server=on <-> 127.0.0.1:%u", port,
		 ntohs(a.sin_port));
	assert_filename(chr, want);
	close(fd);
	run_until(f.closed == 1);
	front_detach(&f);
}

static void a_port_in_use_is_one_clear_line_and_to_finds_another(void **state)
{
	unsigned port;
	int fd = peer_listen_tcp(&port);
	char want[128];
	struct chardev *chr;

	snprintf(want, sizeof(want),
		 "Failed to listen on tcp:127.0.0.1:%u,server=on: Address already in use", port);
	make_fails(want, "socket,id=s,host=127.0.0.1,port=%u,server=on,wait=off", port);
	if (port < 65500) {
		chr = make("socket,id=s,host=127.0.0.1,port=%u,to=%u,server=on,wait=off", port,
			   port + 30);
		assert_in_range(port_of(chr), port + 1, port + 30);
	}
	close(fd);
}

static void ipv6_has_its_brackets(void **state)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	struct sockaddr_in6 a = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	bool have = fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
	char want[64];
	struct chardev *chr;

	close(fd);
	if (!have)
		skip();
	chr = make("socket,id=s,host=::1,port=0,server=on,wait=off");
	snprintf(want, sizeof(want), "disconnected:tcp:[::1]:%u,server=on", port_of(chr));
	assert_filename(chr, want);
}

static void file_descriptors_come_with_bytes(void **state)
{
	struct chardev *chr = make("socket,id=s,path=%s,server=on,wait=off", kit_path("s"));
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	char byte = 'x', buf[8] = {0};
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int pipefd[2], fds[4], peer;

	front_attach(&f, chr);
	peer = peer_unix(kit_path("s"));
	assert_int_equal(pipe(pipefd), 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), pipefd, sizeof(pipefd));
	assert_int_equal(sendmsg(peer, &msg, 0), 1);
	run_until(f.len == 1);
	assert_int_equal(chardev_take_fds(chr, fds, 4), 2);
	assert_int_equal(chardev_take_fds(chr, fds + 2, 2), 0);
	assert_int_equal(write(fds[1], "pipe", 4), 4);
	assert_int_equal(read(pipefd[0], buf, 4), 4);
	close(fds[0]);
	close(fds[1]);
	/* A peer that sends them for ever doesn't fill the table: nobody takes them, so they are closed. */
	for (int i = 0; i < 3000; i++) {
		while (sendmsg(peer, &msg, 0) < 0)
			loop_run_once(loop, NS_PER_MS);
		loop_run_once(loop, 0);
	}
	run_until(f.len == 3001);
	assert_in_range(chardev_take_fds(chr, fds, 1), 0, 1);
	close(fds[0]);
	close(peer);
	run_until(f.closed == 1);
	peer = dup(pipefd[0]);
	assert_in_range(peer, 0, 40);
	close(peer);
	close(pipefd[0]);
	close(pipefd[1]);
	front_detach(&f);
}

static void a_peer_that_never_reads_holds_the_front_end_up_and_nobody_else(void **state)
{
	struct chardev *chr = make("socket,id=s,path=%s,server=on,wait=off", kit_path("s"));
	static char block[4096];
	size_t total = 0, n;
	int peer;

	front_attach(&f, chr);
	peer = peer_unix(kit_path("s"));
	run_until(f.opened == 1);
	do {
		n = chardev_write(chr, block, sizeof(block));
		total += n;
		loop_run_once(loop, 0);
	} while (n == sizeof(block) && total < (16 << 20));
	assert_true(total < (16 << 20));
	run_for_ms(20);
	assert_int_equal(f.writable, 0);
	/* When it vanishes, what it was owed is lost and the guest goes on. */
	close(peer);
	run_until(f.closed == 1);
	assert_int_equal(f.writable, 1);
	assert_int_equal(chardev_write(chr, block, sizeof(block)), sizeof(block));
	/* The next one begins afresh. */
	peer = peer_unix(kit_path("s"));
	run_until(f.opened == 2);
	assert_int_equal(chardev_write(chr, "new", 3), 3);
	peer_expect(peer, "new", 3);
	close(peer);
	front_detach(&f);
}

static void a_peer_that_reads_late_gets_every_byte(void **state)
{
	struct chardev *chr = make("socket,id=s,path=%s,server=on,wait=off", kit_path("s"));
	static uint8_t block[1 << 20];
	size_t done = 0;
	int peer, writable;

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = i * 7 ^ i >> 8;
	front_attach(&f, chr);
	peer = peer_unix(kit_path("s"));
	run_until(f.opened == 1);
	for (size_t got = 0; got < sizeof(block);) {
		uint8_t buf[10000];
		ssize_t n;

		writable = f.writable;
		done += chardev_write(chr, block + done, sizeof(block) - done);
		if (done < sizeof(block))
			for (int i = 0; i < 3 && f.writable == writable; i++)
				loop_run_once(loop, 2 * NS_PER_MS);
		loop_run_once(loop, NS_PER_MS);
		n = recv(peer, buf, sizeof(buf), MSG_DONTWAIT);
		if (n > 0) {
			assert_memory_equal(buf, block + got, n);
			got += n;
		}
	}
	close(peer);
	front_detach(&f);
}

static void a_flood_waits_for_room_and_is_not_lost(void **state)
{
	struct chardev *chr = make("socket,id=s,path=%s,server=on,wait=off", kit_path("s"));
	char block[1000], *text = f.in;
	size_t sent = 0;
	int peer;

	front_attach(&f, chr);
	f.room = 100;
	peer = peer_unix(kit_path("s"));
	memset(block, 'f', sizeof(block));
	for (ssize_t n; sent < sizeof(f.in) / 2; sent += n) {
		n = send(peer, block, sizeof(block), 0);
		loop_run_once(loop, 0);
		if (n < 0)
			break;
	}
	run_for_ms(10);
	assert_int_equal(f.len, 100);
	close(peer);
	run_for_ms(10);
	while (f.len < sent) {
		front_give_room(&f, 16);
		run_until(f.room == 0 || f.len == sent);
	}
	run_until(f.closed == 1 || (front_give_room(&f, 1), false));
	assert_int_equal(f.len, sent);
	assert_int_equal(text[sent - 1], 'f');
	front_detach(&f);
}

static void a_peer_that_vanished_unread_makes_way_for_the_next(void **state)
{
	struct chardev *chr = make("socket,id=s,path=%s,server=on,wait=off", kit_path("s"));
	int a, b;

	front_attach(&f, chr);
	f.room = 0;
	a = peer_unix(kit_path("s"));
	run_until(f.opened == 1);
	assert_int_equal(send(a, "unread", 6, 0), 6);
	close(a);
	run_for_ms(10);
	assert_int_equal(f.closed, 0);
	b = peer_unix(kit_path("s"));
	run_until(f.opened == 2);
	assert_int_equal(f.closed, 1);
	assert_int_equal(send(b, "read", 4, 0), 4);
	front_give_room(&f, 10);
	run_until(f.len == 4);
	assert_string_equal(f.in, "read");
	close(b);
	front_detach(&f);
}

static void an_answer_reaches_a_peer_that_has_stopped_sending(void **state)
{
	struct chardev *chr = make("socket,id=s,path=%s,server=on,wait=off", kit_path("s"));
	int peer;

	front_attach(&f, chr);
	peer = peer_unix(kit_path("s"));
	run_until(f.opened == 1);
	assert_int_equal(send(peer, "q", 1, 0), 1);
	run_until(f.len == 1);
	chardev_write(chr, "answer", 6);
	shutdown(peer, SHUT_WR);
	peer_expect(peer, "answer", 6);
	peer_expect_end(peer);
	close(peer);
	front_detach(&f);
}

static void hundreds_of_connections_leave_nothing_behind(void **state)
{
	struct chardev *chr = make("socket,id=s,host=127.0.0.1,port=0,server=on,wait=off");
	unsigned port = port_of(chr);
	int before = dup(0), after;

	close(before);
	front_attach(&f, chr);
	for (int i = 0; i < 300; i++) {
		int fd = peer_tcp(port);
		struct linger reset = {1, 0};

		if (i % 3 == 0)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		if (i % 2)
			run_until(f.opened > f.closed);
		if (i % 5 == 0 && send(fd, "x", 1, MSG_NOSIGNAL) < 0)
			assert_int_not_equal(errno, EPIPE);
		close(fd);
		if (i % 4 == 0)
			chardev_write(chr, "to nobody", 9);
		loop_run_once(loop, 0);
	}
	run_until(f.opened == f.closed && f.opened > 100);
	run_for_ms(20);
	assert_false(chardev_is_open(chr));
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
	front_detach(&f);
}

static void no_descriptor_left_is_survived(void **state)
{
	struct chardev *chr = make("socket,id=s,path=%s,server=on,wait=off", kit_path("s"));
	struct rlimit old, low;
	int peer = peer_unix(kit_path("s")), turns = 0;
	int64_t end;

	front_attach(&f, chr);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	low = old;
	low.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	end = clock_now_ns(loop_clock_host(loop)) + 200 * NS_PER_MS;
	while (clock_now_ns(loop_clock_host(loop)) < end) {
		loop_run_once(loop, 50 * NS_PER_MS);
		turns++;
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_true(turns < 50);
	run_until(f.opened == 1);
	close(peer);
	front_detach(&f);
}

/* ---- starting ---- */

static void a_server_waits_for_its_peer_at_start(void **state)
{
	pid_t pid;
	struct chardev *chr;

	pid = fork();
	if (!pid) {
		for (int i = 0; i < 500; i++) {
			struct sockaddr_un a = {.sun_family = AF_UNIX};
			int fd = socket(AF_UNIX, SOCK_STREAM, 0);
			char c;

			strcpy(a.sun_path, kit_path("s"));
			if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0) {
				if (read(fd, &c, 1) < 0)
					_exit(1);
				_exit(0);
			}
			close(fd);
			usleep(10000);
		}
		_exit(1);
	}
	chr = make("socket,id=s,path=%s,server=on", kit_path("s"));
	assert_true(chardev_is_open(chr));
	assert_true(chardev_remove("s", NULL));
}

static void stop_the_loop(void *opaque)
{
	loop_stop(loop);
}

static void waiting_at_start_can_be_interrupted(void **state)
{
	struct timer t;

	timer_init(&t, loop_clock_host(loop), "test", stop_the_loop, NULL);
	timer_arm(&t, clock_now_ns(loop_clock_host(loop)) + 20 * NS_PER_MS);
	make_fails("interrupted while waiting", "socket,id=s,path=%s,server=on", kit_path("s"));
	assert_int_equal(access(kit_path("s"), F_OK), -1);
	assert_null(chardev_find("s"));
}

/* ---- clients ---- */

static void a_client_connects_or_says_why_not(void **state)
{
	unsigned port;
	int listener = peer_listen_tcp(&port), peer;
	struct chardev *chr = make("socket,id=c,host=127.0.0.1,port=%u,nodelay=on", port);
	char want[128];

	assert_true(chardev_is_open(chr));
	front_attach(&f, chr);
	assert_int_equal(f.opened, 1);
	peer = accept(listener, NULL, NULL);
	peer_send(peer, "hi", 2);
	run_until(f.len == 2);
	close(peer);
	run_until(f.closed == 1);
	snprintf(want, sizeof(want), "disconnected:tcp:127.0.0.1:%u", port);
	assert_filename(chr, want);
	close(listener);
	snprintf(want, sizeof(want), "Failed to connect to tcp:127.0.0.1:%u: Connection refused",
		 port);
	make_fails(want, "socket,id=d,host=127.0.0.1,port=%u", port);
	make_fails("No such file or directory", "socket,id=d,path=%s", kit_path("none"));
	make_fails("address resolution failed for no.such.host.invalid:1",
		   "socket,id=d,host=no.such.host.invalid,port=1");
	front_detach(&f);
}

static void a_client_with_reconnect_comes_back(void **state)
{
	struct chardev *chr = make("socket,id=c,path=%s,reconnect-ms=30", kit_path("late"));
	int listener, peer;

	front_attach(&f, chr);
	run_for_ms(50);
	assert_int_equal(f.opened, 0);
	listener = peer_listen_unix(kit_path("late"));
	run_until(f.opened == 1);
	peer = accept(listener, NULL, NULL);
	peer_send(peer, "1", 1);
	run_until(f.len == 1);
	close(peer);
	run_until(f.opened == 2);
	peer = accept(listener, NULL, NULL);
	chardev_write(chr, "again", 5);
	peer_expect(peer, "again", 5);
	close(peer);
	close(listener);
	front_detach(&f);
}

static void names_are_not_looked_up_on_the_loop(void **state)
{
	int64_t start = clock_now_ns(loop_clock_host(loop)), took;
	struct chardev *chr =
		make_running("socket,id=c,host=no.such.host.invalid,port=1,reconnect=1");

	took = clock_now_ns(loop_clock_host(loop)) - start;
	assert_true(took < 50 * NS_PER_MS);
	assert_false(chardev_is_open(chr));
	/* Gone in the middle of it. */
	assert_true(chardev_remove("c", NULL));
	make_running("socket,id=c,host=localhost,port=1,reconnect=1");
	run_for_ms(100);
}

static void an_inherited_descriptor_is_used(void **state)
{
	int pair[2], listener = peer_listen_unix(kit_path("s")), peer;
	struct chardev *chr;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	chr = make("socket,id=a,fd=%d", pair[0]);
	front_attach(&f, chr);
	assert_int_equal(f.opened, 1);
	peer_send(pair[1], "x", 1);
	run_until(f.len == 1);
	front_detach(&f);
	make_fails("listens: server=on is needed", "socket,id=b,fd=%d", listener);
	chr = make("socket,id=b,fd=%d,server=on,wait=off", listener);
	front_attach(&f, chr);
	peer = peer_unix(kit_path("s"));
	run_until(f.opened == 1);
	close(peer);
	close(pair[1]);
	front_detach(&f);
	make_fails("is no open file descriptor", "socket,id=c,fd=9999");
	make_fails("is not a socket", "socket,id=c,fd=0");
}

/* ---- telnet ---- */

static const uint8_t greeting[] = {255, 251, 1, 255, 251, 3, 255, 251, 0, 255, 253, 0};

static void telnet_takes_the_protocol_out(void **state)
{
	struct chardev *chr =
		make("socket,id=t,host=127.0.0.1,port=0,telnet=on,server=on,wait=off");
	/* agreement, text, a doubled 255, a break, a window size, CR NUL as those send it who refuse binary */
	static const uint8_t sent[] = {255, 253, 1,   255, 254, 0,    'a', 255, 255,
				       'b', 255, 243, 255, 250, 31,   0,   80,	255,
				       255, 24,	 255, 240, 'c', '\r', 0,   'd'};
	static const uint8_t binary[] = {255, 251, 0, '\r', 0, 'e'};
	static const uint8_t out[] = {'x', 255, 255, 'y'};
	int peer;

	front_attach(&f, chr);
	peer = peer_tcp(port_of(chr));
	peer_expect(peer, greeting, sizeof(greeting));
	/* byte by byte */
	for (size_t i = 0; i < sizeof(sent); i++)
		peer_send(peer, sent + i, 1);
	run_until(f.len == 6);
	assert_memory_equal(f.in, "a\377bc\rd", 6);
	assert_int_equal(f.breaks, 1);
	peer_send(peer, binary, sizeof(binary));
	run_until(f.len == 9);
	assert_memory_equal(f.in + 6, "\r\0e", 3);
	assert_int_equal(chardev_write(chr, "x\377y", 3), 3);
	peer_expect(peer, out, sizeof(out));
	close(peer);
	front_detach(&f);
}

static void telnet_begins_anew_with_each_peer(void **state)
{
	struct chardev *chr =
		make("socket,id=t,host=127.0.0.1,port=0,telnet=on,server=on,wait=off");
	static const uint8_t cut_off[][3] = {{255}, {255, 251}, {255, 250, 31}, {255, 253}};
	unsigned port = port_of(chr);

	front_attach(&f, chr);
	for (unsigned i = 0; i < ARRAY_SIZE(cut_off); i++) {
		int peer = peer_tcp(port);

		peer_expect(peer, greeting, sizeof(greeting));
		peer_send(peer, cut_off[i], strlen((const char *)cut_off[i]));
		close(peer);
		run_until(f.closed == (int)i + 1);
	}
	assert_int_equal(f.len, 0);
	{
		int peer = peer_tcp(port);

		peer_send(peer, "ok", 2);
		run_until(f.len == 2);
		close(peer);
	}
	front_detach(&f);
}

/* ---- options ---- */

static void bad_options_are_refused(void **state)
{
	make_fails("needs one of path=", "socket,id=s");
	make_fails("needs one of path=", "socket,id=s,path=/x,port=1");
	make_fails("needs port=", "socket,id=s,host=localhost");
	make_fails("wait= is for servers", "socket,id=s,path=/x,wait=off");
	make_fails("reconnect= is for clients", "socket,id=s,path=/x,server=on,reconnect=1");
	make_fails("are for TCP only", "socket,id=s,path=/x,nodelay=on");
	make_fails("are for path= only", "socket,id=s,port=1,abstract=on");
	make_fails("did you mean 'server'", "socket,id=s,path=/x,sever=on");
	make_fails("unknown key 'append'", "socket,id=s,path=/x,append=on");
	make_fails("address resolution failed", "socket,id=s,port=nosuchservice");
	make_fails("No such file or directory", "socket,id=s,path=/nonexistent/x,server=on");
}

static void assert_config(const char *spec, const char *backend, const char *host, const char *port,
			  int server, int wait)
{
	struct error err = ERROR_INIT;
	struct chardev_config c;

	if (!chardev_config_parse_legacy(&c, "x", spec, &err))
		fail_msg("%s: %s", spec, err.msg);
	assert_string_equal(c.backend, backend);
	assert_string_equal(c.host ? c.host : c.path ? c.path : "", host);
	assert_string_equal(c.port ? c.port : "", port);
	assert_int_equal(c.server, server);
	assert_int_equal(c.wait, wait);
	chardev_config_fini(&c);
}

static void older_spellings_mean_the_same(void **state)
{
	struct chardev_config c;

	assert_config("tcp::4444,server,nowait", "socket", "", "4444", 1, 0);
	assert_config("tcp:localhost:4444,server=on,wait=off", "socket", "localhost", "4444", 1, 0);
	assert_config("tcp:[::1]:80", "socket", "::1", "80", -1, -1);
	assert_config("telnet:127.0.0.1:23,server", "socket", "127.0.0.1", "23", 1, -1);
	assert_config("unix:/tmp/x,server,nowait", "socket", "/tmp/x", "", 1, 0);
	assert_config("unix:/tmp/a,,b", "socket", "/tmp/a,b", "", -1, -1);
	assert_config("udp:10.0.0.1:99@:98", "udp", "10.0.0.1", "99", -1, -1);
	assert_config("file:/tmp/a,b", "file", "/tmp/a,b", "", -1, -1);
	assert_config("/dev/ttyS0", "serial", "/dev/ttyS0", "", -1, -1);
	assert_config("pty", "pty", "", "", -1, -1);
	assert_true(chardev_config_parse_legacy(&c, "x", "telnet::1,server", NULL));
	assert_int_equal(c.telnet, 1);
	chardev_config_fini(&c);
	assert_false(chardev_config_parse_legacy(&c, "x", "tcp:4444", NULL));
	assert_false(chardev_config_parse_legacy(&c, "x", "tcp::4444,sever", NULL));
	assert_false(chardev_config_parse_legacy(&c, "x", "udp:1:2:3", NULL));
	assert_false(chardev_config_parse_legacy(&c, "x", "unix:", NULL));
	assert_false(chardev_config_parse_legacy(&c, "x", "tcp:[::1:80", NULL));
	assert_false(chardev_config_parse_legacy(&c, "x", "tape", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_unix_server_serves_one_peer_after_the_other),
		TEST(a_socket_is_removed_at_the_end_but_not_anothers),
		TEST(a_stale_socket_is_replaced_and_a_live_one_is_not),
		TEST(a_path_too_long_is_refused),
		TEST(abstract_names_leave_no_file),
		TEST(a_tcp_server_tells_its_addresses),
		TEST(a_port_in_use_is_one_clear_line_and_to_finds_another),
		TEST(ipv6_has_its_brackets),
		TEST(file_descriptors_come_with_bytes),
		TEST(a_peer_that_never_reads_holds_the_front_end_up_and_nobody_else),
		TEST(a_peer_that_reads_late_gets_every_byte),
		TEST(a_flood_waits_for_room_and_is_not_lost),
		TEST(a_peer_that_vanished_unread_makes_way_for_the_next),
		TEST(an_answer_reaches_a_peer_that_has_stopped_sending),
		TEST(hundreds_of_connections_leave_nothing_behind),
		TEST(no_descriptor_left_is_survived),
		TEST(a_server_waits_for_its_peer_at_start),
		TEST(waiting_at_start_can_be_interrupted),
		TEST(a_client_connects_or_says_why_not),
		TEST(a_client_with_reconnect_comes_back),
		TEST(names_are_not_looked_up_on_the_loop),
		TEST(an_inherited_descriptor_is_used),
		TEST(telnet_takes_the_protocol_out),
		TEST(telnet_begins_anew_with_each_peer),
		TEST(bad_options_are_refused),
		TEST(older_spellings_mean_the_same),
	};

	return cmocka_run_group_tests_name("chardev_socket", tests, NULL, NULL);
}
