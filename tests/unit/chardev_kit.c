/* SPDX-License-Identifier: BSD-2-Clause */
/* Front ends and peers for the tests of character back ends. */
#include "tests/unit/chardev_kit.h"
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct loop *loop;
char kit_dir[] = "/tmp/evmm-chardev-XXXXXX";

int kit_setup(void **state)
{
	loop = loop_new();
	signal(SIGPIPE, SIG_IGN);
	alarm(60);
	strcpy(kit_dir, "/tmp/evmm-chardev-XXXXXX");
	return mkdtemp(kit_dir) ? 0 : -1;
}

int kit_teardown(void **state)
{
	char *command = xasprintf("rm -rf %s", kit_dir);
	int rc;

	chardev_free_all();
	loop_free(loop);
	alarm(0);
	rc = system(command);
	free(command);
	return rc;
}

const char *kit_path(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", kit_dir, name);
	return path;
}

/* ---- front end ---- */

static size_t front_can_receive(void *opaque)
{
	return ((struct front *)opaque)->room;
}

static void front_receive(void *opaque, const uint8_t *buf, size_t n)
{
	struct front *f = opaque;

	assert_true(n > 0 && n <= f->room);
	assert_true(f->len + n < sizeof(f->in));
	memcpy(f->in + f->len, buf, n);
	f->len += n;
	f->in[f->len] = 0;
	if (f->room != SIZE_MAX)
		f->room -= n;
}

static void front_event(void *opaque, enum chardev_event event)
{
	static const char letters[] = {[CHR_EVENT_BREAK] = 'B',
				       [CHR_EVENT_OPENED] = 'O',
				       [CHR_EVENT_CLOSED] = 'C',
				       [CHR_EVENT_MUX_IN] = 'i',
				       [CHR_EVENT_MUX_OUT] = 'o'};
	struct front *f = opaque;
	size_t n = strlen(f->events);

	f->breaks += event == CHR_EVENT_BREAK;
	f->opened += event == CHR_EVENT_OPENED;
	f->closed += event == CHR_EVENT_CLOSED;
	if (n < sizeof(f->events) - 1)
		f->events[n] = letters[event];
}

static void front_writable(void *opaque)
{
	((struct front *)opaque)->writable++;
}

static const struct chardev_handlers front_handlers;

static void front_changed(void *opaque, struct chardev *chr)
{
	struct front *f = opaque;

	f->chr = chr;
	chardev_attach(chr, &front_handlers, f);
}

static const struct chardev_handlers front_handlers = {
	.can_receive = front_can_receive,
	.receive = front_receive,
	.event = front_event,
	.writable = front_writable,
	.changed = front_changed,
};

void front_attach(struct front *f, struct chardev *chr)
{
	memset(f, 0, sizeof(*f));
	f->chr = chr;
	f->room = SIZE_MAX;
	chardev_attach(chr, &front_handlers, f);
}

void front_detach(struct front *f)
{
	chardev_attach(f->chr, NULL, NULL);
}

void front_give_room(struct front *f, size_t room)
{
	f->room = room;
	chardev_accept_input(f->chr);
}

/* ---- making ---- */

void run_for_ms(int ms)
{
	struct clock *host = loop_clock_host(loop);
	int64_t end = clock_now_ns(host) + ms * NS_PER_MS;

	while (clock_now_ns(host) < end)
		loop_run_once(loop, NS_PER_MS);
}

static struct chardev *try_make(const char *arg, bool starting, struct error *err)
{
	struct chardev_config c;
	struct chardev *chr;

	if (!chardev_config_parse(&c, arg, err))
		return NULL;
	c.starting = starting;
	chr = chardev_new(loop, &c, err);
	chardev_config_fini(&c);
	return chr;
}

static struct chardev *must_make(const char *fmt, va_list ap, bool starting)
{
	struct error err = ERROR_INIT;
	struct chardev *chr;
	char *arg;

	if (vasprintf(&arg, fmt, ap) < 0)
		abort();
	chr = try_make(arg, starting, &err);
	if (!chr)
		fail_msg("%s: %s", arg, err.msg);
	free(arg);
	return chr;
}

struct chardev *make(const char *fmt, ...)
{
	struct chardev *chr;
	va_list ap;

	va_start(ap, fmt);
	chr = must_make(fmt, ap, true);
	va_end(ap);
	return chr;
}

struct chardev *make_running(const char *fmt, ...)
{
	struct chardev *chr;
	va_list ap;

	va_start(ap, fmt);
	chr = must_make(fmt, ap, false);
	va_end(ap);
	return chr;
}

void make_fails(const char *want, const char *fmt, ...)
{
	struct error err = ERROR_INIT;
	va_list ap;
	char *arg;

	va_start(ap, fmt);
	if (vasprintf(&arg, fmt, ap) < 0)
		abort();
	va_end(ap);
	assert_null(try_make(arg, true, &err));
	assert_true(error_is_set(&err));
	if (!strstr(err.msg, want))
		fail_msg("%s:\n got '%s'\nwant '%s'", arg, err.msg, want);
	error_clear(&err);
	free(arg);
}

void assert_filename(const struct chardev *chr, const char *want)
{
	char *name = chardev_filename(chr);

	assert_string_equal(name, want);
	free(name);
}

/* ---- peers ---- */

static struct sockaddr_un unix_address(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	strncpy(a.sun_path, path, sizeof(a.sun_path) - 1);
	return a;
}

static struct sockaddr_in tcp_address(unsigned port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons(port),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int new_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	return fd;
}

int peer_unix(const char *path)
{
	struct sockaddr_un a = unix_address(path);
	int fd = new_socket(AF_UNIX);

	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

int peer_tcp(unsigned port)
{
	struct sockaddr_in a = tcp_address(port);
	int fd = new_socket(AF_INET);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		assert_int_equal(errno, EINPROGRESS);
	return fd;
}

int peer_listen_unix(const char *path)
{
	struct sockaddr_un a = unix_address(path);
	int fd = new_socket(AF_UNIX);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

int peer_listen_tcp(unsigned *port)
{
	struct sockaddr_in a = tcp_address(0);
	socklen_t len = sizeof(a);
	int fd = new_socket(AF_INET);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

unsigned port_of(const struct chardev *chr)
{
	char *name = chardev_filename(chr), *colon = strrchr(name, ':');
	unsigned port = colon ? atoi(colon + 1) : 0;

	assert_true(port);
	free(name);
	return port;
}

void peer_send(int fd, const void *buf, size_t n)
{
	const char *from = buf;

	while (n) {
		ssize_t sent = send(fd, from, n, 0);

		if (sent > 0) {
			from += sent;
			n -= sent;
		} else if (errno != EAGAIN && errno != ENOTCONN) {
			fail_msg("send: %s", strerror(errno));
		}
		loop_run_once(loop, NS_PER_MS);
	}
}

void peer_expect(int fd, const void *want, size_t n)
{
	int64_t end = clock_now_ns(loop_clock_host(loop)) + 5 * NS_PER_SEC;
	char *got = xmalloc(n + 1);
	size_t have = 0;

	while (have < n) {
		ssize_t r = recv(fd, got + have, n - have, MSG_DONTWAIT);

		if (r == 0)
			fail_msg("closed after %zu of %zu bytes", have, n);
		if (r > 0)
			have += r;
		if (clock_now_ns(loop_clock_host(loop)) > end)
			fail_msg("only %zu of %zu bytes came", have, n);
		loop_run_once(loop, NS_PER_MS);
	}
	assert_memory_equal(got, want, n);
	free(got);
}

void peer_expect_end(int fd)
{
	char buf[4096];
	ssize_t r = -1;

	run_until((r = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) == 0 ||
		  (r < 0 && errno == ECONNRESET));
}
