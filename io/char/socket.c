/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chardev on a stream socket: TCP or unix, as server or client.
 *
 *	server:	LISTENING --accept--> CONNECTED --peer gone--> LISTENING
 *	client:	IDLE --> LOOKING_UP --> CONNECTING --> CONNECTED --peer gone--> IDLE
 *		any failure --> IDLE; there, with reconnect=, a timer begins anew
 *
 * One peer at a time; a second one waits in the queue of the kernel. What is written while nobody is connected is lost.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "io/char/address.h"
#include "io/char/backend.h"
#include "io/char/telnet.h"
#include "src/options/optlist.h"

#define SOCKET_FDS 16
#define RETRY_NS   NS_PER_SEC /* of an accept that found no descriptor left */

enum socket_state {
	SOCKET_IDLE,
	SOCKET_LISTENING,
	SOCKET_LOOKING_UP,
	SOCKET_CONNECTING,
	SOCKET_CONNECTED
};

struct socket_chardev {
	struct chardev chr;
	struct stream stream;
	enum socket_state state;

	/* configuration */
	bool server, use_telnet, nodelay, abstract, tight;
	char *host, *port, *path; /* PATH: unix. All NULL: an inherited descriptor */
	unsigned flags;		  /* of the address */
	uint64_t to, reconnect_ms;

	/* server */
	int listen_fd;
	struct loop_fd listener;
	char *bound; /* absolute path of the socket that is ours to remove; NULL: none */
	dev_t bound_dev;
	ino_t bound_ino;

	/* client */
	struct address_lookup *lookup;
	struct address_list list;
	unsigned next; /* of the list: to be tried */
	struct loop_fd connecting;
	struct timer retry;
	char *failure;		   /* why there is no connection */
	bool failure_was_reported; /* once, until there is one again */

	/* connected, or connecting */
	int fd;
	struct telnet telnet;
	char *name; /* while connected */
	int fds[SOCKET_FDS];
	unsigned n_fds;
};

static struct socket_chardev *socket_of(const struct chardev *chr)
{
	return container_of(chr, struct socket_chardev, chr);
}

/* ---- names ---- */

static const char *protocol(const struct socket_chardev *s)
{
	return s->use_telnet ? "telnet" : "tcp";
}

static char *unix_name(const struct socket_chardev *s)
{
	return xasprintf("unix:%s%s%s%s", s->path, s->abstract ? ",abstract=on" : "",
			 s->abstract && s->tight ? ",tight=on" : "", s->server ? ",server=on" : "");
}

/* Where it listens, or connects to. */
static char *address_name(const struct socket_chardev *s)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	char *text, *name;

	if (s->path)
		return unix_name(s);
	if (s->listen_fd >= 0 && getsockname(s->listen_fd, (struct sockaddr *)&sa, &len) == 0 &&
	    sa.ss_family != AF_UNIX) {
		text = address_text((struct sockaddr *)&sa, len);
		name = xasprintf("%s:%s,server=on", protocol(s), text);
		free(text);
		return name;
	}
	if (!s->port)
		return xasprintf("fd%s", s->server ? ",server=on" : "");
	return xasprintf("%s:%s:%s%s", protocol(s), s->host ? s->host : "", s->port,
			 s->server ? ",server=on" : "");
}

static char *connection_name(const struct socket_chardev *s)
{
	struct sockaddr_storage local = {0}, peer = {0};
	socklen_t local_len = sizeof(local), peer_len = sizeof(peer);
	char *from, *to, *name;

	if (s->path)
		return unix_name(s);
	getsockname(s->fd, (struct sockaddr *)&local, &local_len);
	getpeername(s->fd, (struct sockaddr *)&peer, &peer_len);
	if (local.ss_family == AF_UNIX)
		return xasprintf("unix:%s", s->server ? ",server=on" : "");
	from = address_text((struct sockaddr *)&local, local_len);
	to = address_text((struct sockaddr *)&peer, peer_len);
	name = xasprintf("%s:%s%s <-> %s", protocol(s), from, s->server ? ",server=on" : "", to);
	free(from);
	free(to);
	return name;
}

static char *socket_filename(const struct chardev *chr)
{
	const struct socket_chardev *s = socket_of(chr);
	char *address, *name;

	if (s->name)
		return xstrdup(s->name);
	address = address_name(s);
	name = xasprintf("disconnected:%s", address);
	free(address);
	return name;
}

/* ---- a connection ---- */

static void close_passed_fds(struct socket_chardev *s)
{
	while (s->n_fds)
		close(s->fds[--s->n_fds]);
}

static unsigned socket_take_fds(struct chardev *chr, int *fds, unsigned max)
{
	struct socket_chardev *s = socket_of(chr);
	unsigned n = MIN(max, s->n_fds);

	memcpy(fds, s->fds, n * sizeof(*fds));
	s->n_fds -= n;
	memmove(s->fds, s->fds + n, s->n_fds * sizeof(*fds));
	return n;
}

static void keep_passed_fds(struct socket_chardev *s, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		unsigned n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		close_passed_fds(s);
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		s->n_fds = MIN(n, SOCKET_FDS);
		memcpy(s->fds, CMSG_DATA(c), s->n_fds * sizeof(int));
	}
}

static ssize_t socket_read(void *opaque, void *buf, size_t n)
{
	struct socket_chardev *s = opaque;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(SOCKET_FDS * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = buf, .iov_len = n};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(s->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got > 0)
		keep_passed_fds(s, &msg);
	return got;
}

static size_t socket_filter(void *opaque, uint8_t *buf, size_t n)
{
	struct socket_chardev *s = opaque;
	unsigned breaks = 0;

	if (!s->use_telnet)
		return n;
	n = telnet_filter(&s->telnet, buf, n, &breaks);
	while (breaks--)
		chardev_event(&s->chr, CHR_EVENT_BREAK);
	return n;
}

static void begin_again(struct socket_chardev *s);

static void drop_connection(struct socket_chardev *s)
{
	stream_close(&s->stream);
	close_passed_fds(s);
	close(s->fd);
	s->fd = -1;
	free(s->name);
	s->name = NULL;
	s->state = SOCKET_IDLE;
}

static void socket_gone(void *opaque)
{
	struct socket_chardev *s = opaque;

	if (s->state != SOCKET_CONNECTED)
		return;
	drop_connection(s);
	begin_again(s);
	chardev_set_open(&s->chr, false);
}

/* The peer has hung up while the front end has no room for what it sent. That is kept, unless somebody else waits. */
static void socket_hung_up(void *opaque)
{
	struct socket_chardev *s = opaque;
	struct pollfd pfd = {.fd = s->listen_fd, .events = POLLIN};

	if (s->reconnect_ms || (s->server && poll(&pfd, 1, 0) == 1))
		socket_gone(s);
}

static const struct stream_ops socket_stream_ops = {
	.read = socket_read,
	.filter = socket_filter,
	.gone = socket_gone,
	.hung_up = socket_hung_up,
};

static void connected(struct socket_chardev *s, int fd)
{
	int one = 1;

	s->fd = fd;
	s->state = SOCKET_CONNECTED;
	s->failure_was_reported = false;
	s->name = connection_name(s);
	if (s->nodelay)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	stream_open(&s->stream, fd);
	if (s->use_telnet && s->server) {
		size_t n;
		const uint8_t *greeting = telnet_greeting(&s->telnet, &n);

		stream_write(&s->stream, greeting, n);
	}
	chardev_set_open(&s->chr, true);
	stream_update_input(&s->stream);
}

/* ---- front end ---- */

/* A byte 255 is doubled. */
static size_t write_telnet(struct socket_chardev *s, const uint8_t *buf, size_t n)
{
	static const uint8_t doubled[2] = {TELNET_IAC, TELNET_IAC};
	size_t done = 0;

	while (done < n) {
		const uint8_t *iac = memchr(buf + done, TELNET_IAC, n - done);
		size_t plain = iac ? (size_t)(iac - buf) - done : n - done, wrote;

		wrote = stream_write(&s->stream, buf + done, plain);
		done += wrote;
		if (wrote < plain || !iac)
			break;
		if (stream_reserve(&s->stream, 2) < 2)
			break;
		stream_write(&s->stream, doubled, 2);
		done++;
	}
	return done;
}

static size_t socket_write(struct chardev *chr, const void *buf, size_t n)
{
	struct socket_chardev *s = socket_of(chr);

	if (s->state != SOCKET_CONNECTED)
		return n;
	return s->use_telnet ? write_telnet(s, buf, n) : stream_write(&s->stream, buf, n);
}

static void socket_update_input(struct chardev *chr)
{
	stream_update_input(&socket_of(chr)->stream);
}

/* ---- server ---- */

static void listen_on(struct socket_chardev *s)
{
	s->state = SOCKET_LISTENING;
	loop_fd_set(&s->listener, s->listen_fd, LOOP_READ);
}

static void socket_on_accept(void *opaque, unsigned events)
{
	struct socket_chardev *s = opaque;
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		loop_fd_stop(&s->listener);
		connected(s, fd);
	} else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		/* It would be readable for ever. */
		loop_fd_stop(&s->listener);
		s->state = SOCKET_IDLE;
		timer_arm(&s->retry, clock_now_ns(loop_clock_host(s->chr.loop)) + RETRY_NS);
	}
}

/* True when PATH is a socket at which nobody listens: one left behind. */
static bool is_stale(const char *path, const struct address *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct stat st;
	bool stale = fd >= 0 && lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
		     connect(fd, (const struct sockaddr *)&a->sa, a->len) < 0 &&
		     errno == ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return stale;
}

static bool bind_unix(struct socket_chardev *s, const struct address *a, struct error *err)
{
	const struct sockaddr *sa = (const struct sockaddr *)&a->sa;
	int rc = bind(s->listen_fd, sa, a->len), errnum = errno;
	struct stat st;

	if (rc < 0 && errnum == EADDRINUSE && !s->abstract && is_stale(s->path, a) &&
	    unlink(s->path) == 0) {
		rc = bind(s->listen_fd, sa, a->len);
		errnum = errno;
	}
	if (rc < 0)
		return error_set_errno(err, errnum, "Failed to bind socket to '%s'", s->path);
	if (!s->abstract && stat(s->path, &st) == 0) {
		/* A daemon's directory is another one at the end. */
		s->bound = realpath(s->path, NULL);
		s->bound_dev = st.st_dev;
		s->bound_ino = st.st_ino;
	}
	return true;
}

static bool listen_unix(struct socket_chardev *s, struct error *err)
{
	struct address a;

	if (!address_unix(&a, s->path, s->abstract, s->tight, err))
		return false;
	s->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->listen_fd < 0)
		return error_set_errno(err, errno, "Failed to create Unix socket");
	if (!bind_unix(s, &a, err))
		return false;
	return listen(s->listen_fd, 1) == 0 ||
	       error_set_errno(err, errno, "Failed to listen on '%s'", s->path);
}

static bool try_listen(struct socket_chardev *s, struct address *a, unsigned port)
{
	int one = 1, fd = socket(a->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), saved;

	if (fd < 0)
		return false;
	if (a->family == AF_INET6) {
		int v6only = s->flags & ADDRESS_IPV6 ? 1 : 0;

		((struct sockaddr_in6 *)&a->sa)->sin6_port = htons(port);
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
	} else {
		((struct sockaddr_in *)&a->sa)->sin_port = htons(port);
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&a->sa, a->len) == 0 && listen(fd, 1) == 0) {
		s->listen_fd = fd;
		return true;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return false;
}

static unsigned port_of(const struct address *a)
{
	return ntohs(a->family == AF_INET6 ? ((const struct sockaddr_in6 *)&a->sa)->sin6_port
					   : ((const struct sockaddr_in *)&a->sa)->sin_port);
}

/* Without a host: all IPv4 addresses, as QEMU, so that 0.0.0.0 and not [::] is what is shown. */
static bool listen_tcp(struct socket_chardev *s, struct error *err)
{
	unsigned flags = s->flags | ADDRESS_PASSIVE, first, last;
	char *name;

	if ((!s->host || !*s->host) && !(flags & ADDRESS_IPV6))
		flags |= ADDRESS_IPV4;
	if (!address_resolve(&s->list, s->host, s->port, flags, err))
		return false;
	first = port_of(&s->list.a[0]);
	last = s->to ? s->to : first;
	for (unsigned port = first; port <= last && port <= UINT16_MAX; port++) {
		for (unsigned i = 0; i < s->list.n; i++)
			if (try_listen(s, &s->list.a[i], port))
				return true;
		if (errno != EADDRINUSE)
			break;
	}
	name = address_name(s);
	error_set_errno(err, errno, "Failed to listen on %s", name);
	free(name);
	return false;
}

/* ---- client ---- */

static void try_next(struct socket_chardev *s);

static void failed(struct socket_chardev *s, const char *why)
{
	s->state = SOCKET_IDLE;
	free(s->failure);
	s->failure = xstrdup(why);
	if (!s->reconnect_ms)
		return;
	if (!s->failure_was_reported)
		report_warning("chardev %s: %s; trying again every %g s",
			       s->chr.id ? s->chr.id : "", why, (double)s->reconnect_ms / 1000);
	s->failure_was_reported = true;
	timer_arm(&s->retry, clock_now_ns(loop_clock_host(s->chr.loop)) +
				     (int64_t)s->reconnect_ms * NS_PER_MS);
}

static void connect_failed(struct socket_chardev *s, int errnum)
{
	char *name, *why;

	if (s->next < s->list.n) {
		try_next(s);
		return;
	}
	name = address_name(s);
	why = xasprintf("Failed to connect to %s: %s", name, strerror(errnum));
	failed(s, why);
	free(why);
	free(name);
}

static void socket_on_connected(void *opaque, unsigned events)
{
	struct socket_chardev *s = opaque;
	int errnum = 0, fd = s->fd;
	socklen_t len = sizeof(errnum);

	loop_fd_stop(&s->connecting);
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &errnum, &len);
	if (!errnum) {
		connected(s, fd);
		return;
	}
	close(fd);
	s->fd = -1;
	connect_failed(s, errnum);
}

static void try_next(struct socket_chardev *s)
{
	const struct address *a = &s->list.a[s->next++];
	int fd = socket(a->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), errnum;

	if (fd < 0) {
		connect_failed(s, errno);
		return;
	}
	if (connect(fd, (const struct sockaddr *)&a->sa, a->len) == 0) {
		connected(s, fd);
		return;
	}
	errnum = errno;
	if (errnum == EINPROGRESS) {
		s->fd = fd;
		s->state = SOCKET_CONNECTING;
		loop_fd_set(&s->connecting, fd, LOOP_WRITE);
		return;
	}
	close(fd);
	connect_failed(s, errnum);
}

static void socket_looked_up(void *opaque, const struct address_list *l, const char *error)
{
	struct socket_chardev *s = opaque;

	s->lookup = NULL;
	if (error) {
		failed(s, error);
		return;
	}
	s->list = *l;
	s->next = 0;
	try_next(s);
}

/* Only names are looked up elsewhere: that numbers are known at once keeps errors at hand. */
static void start_connecting(struct socket_chardev *s)
{
	struct error err = ERROR_INIT;

	s->next = 0;
	if (s->path) {
		s->list.n = 1;
		if (address_unix(&s->list.a[0], s->path, s->abstract, s->tight, &err)) {
			try_next(s);
			return;
		}
		failed(s, err.msg);
		error_clear(&err);
	} else if (address_resolve(&s->list, s->host, s->port, s->flags | ADDRESS_NUMERIC, &err)) {
		try_next(s);
	} else {
		error_clear(&err);
		s->state = SOCKET_LOOKING_UP;
		s->lookup = address_lookup_start(s->chr.loop, s->host, s->port, s->flags,
						 socket_looked_up, s);
	}
}

/* ---- life ---- */

static void begin_again(struct socket_chardev *s)
{
	if (s->server)
		listen_on(s);
	else if (s->reconnect_ms)
		timer_arm(&s->retry, clock_now_ns(loop_clock_host(s->chr.loop)) +
					     (int64_t)s->reconnect_ms * NS_PER_MS);
}

static void socket_on_retry(void *opaque)
{
	struct socket_chardev *s = opaque;

	if (s->server)
		listen_on(s);
	else
		start_connecting(s);
}

static void remove_path(struct socket_chardev *s)
{
	struct stat st;

	if (s->bound && lstat(s->bound, &st) == 0 && st.st_dev == s->bound_dev &&
	    st.st_ino == s->bound_ino)
		unlink(s->bound);
	free(s->bound);
}

static void socket_fini(struct chardev *chr)
{
	struct socket_chardev *s = socket_of(chr);

	address_lookup_cancel(s->lookup);
	stream_fini(&s->stream);
	loop_fd_stop(&s->listener);
	loop_fd_stop(&s->connecting);
	timer_cancel(&s->retry);
	close_passed_fds(s);
	if (s->fd >= 0)
		close(s->fd);
	remove_path(s);
	if (s->listen_fd >= 0)
		close(s->listen_fd);
	free(s->failure);
	free(s->name);
	free(s->host);
	free(s->port);
	free(s->path);
}

static const struct chardev_ops socket_ops = {
	.name = "socket",
	.write = socket_write,
	.update_input = socket_update_input,
	.filename = socket_filename,
	.take_fds = socket_take_fds,
	.fini = socket_fini,
};

static char *copy(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static bool check_config(const struct chardev_config *c, struct error *err)
{
	bool inet = c->host || c->port;

	if (!!c->path + inet + !!c->fd != 1)
		return error_set(err, "socket needs one of path=, port= (with host=) and fd=");
	if (inet && !c->port)
		return error_set(err, "socket needs port= with host=");
	if (c->server != 1 && c->wait >= 0)
		return error_set(err, "wait= is for servers only; without server=on this connects");
	if (c->server == 1 && c->reconnect_ms)
		return error_set(err, "reconnect= is for clients only");
	if (c->fd && c->reconnect_ms)
		return error_set(err, "reconnect= cannot work with fd=");
	if (!inet && (c->to || c->ipv4 >= 0 || c->ipv6 >= 0 || c->nodelay == 1))
		return error_set(err, "to=, ipv4=, ipv6= and nodelay= are for TCP only");
	if (!c->path && (c->abstract >= 0 || c->tight >= 0))
		return error_set(err, "abstract= and tight= are for path= only");
	return true;
}

/* An inherited descriptor: listening, or connected. */
static bool adopt_fd(struct socket_chardev *s, const char *text, struct error *err)
{
	int listening = 0, flags;
	socklen_t len = sizeof(listening);
	uint64_t fd;

	if (!parse_u64(text, &fd) || fd > INT32_MAX || (flags = fcntl((int)fd, F_GETFL)) < 0)
		return error_set(err, "fd=%s is no open file descriptor", text);
	if (getsockopt((int)fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
		return error_set(err, "fd=%s is not a socket", text);
	if (s->server != !!listening)
		return error_set(err, "fd=%s %s", text,
				 listening ? "listens: server=on is needed" : "does not listen");
	fcntl((int)fd, F_SETFL, flags | O_NONBLOCK);
	fcntl((int)fd, F_SETFD, FD_CLOEXEC);
	if (s->server)
		s->listen_fd = (int)fd;
	else
		connected(s, (int)fd);
	return true;
}

static bool begin_server(struct socket_chardev *s, const struct chardev_config *c,
			 struct error *err)
{
	char *name;

	if (!c->fd && !(s->path ? listen_unix(s, err) : listen_tcp(s, err)))
		return false;
	listen_on(s);
	if (!c->starting || c->wait == 0)
		return true;
	name = address_name(s);
	report_info("waiting for a connection on %s", name);
	free(name);
	return true;
}

/* At start-up what was asked for is waited for: with the loop running, so that signals still end evmm. */
static bool await_peer(struct socket_chardev *s, const struct chardev_config *c, struct error *err)
{
	bool wanted = s->server ? c->wait != 0 : !s->reconnect_ms;

	while (c->starting && wanted && s->state != SOCKET_CONNECTED && s->state != SOCKET_IDLE) {
		loop_run_once(s->chr.loop, INT64_MAX);
		if (loop_is_stopping(s->chr.loop))
			return error_set(err, "interrupted while waiting for a connection");
	}
	if (!s->server && !s->reconnect_ms && s->state == SOCKET_IDLE)
		return error_set(err, "%s", s->failure);
	return true;
}

static bool begin(struct socket_chardev *s, const struct chardev_config *c, struct error *err)
{
	if (c->fd && !adopt_fd(s, c->fd, err))
		return false;
	if (s->server) {
		if (!begin_server(s, c, err))
			return false;
	} else if (!c->fd) {
		start_connecting(s);
	}
	return await_peer(s, c, err);
}

static void configure(struct socket_chardev *s, const struct chardev_config *c)
{
	s->server = c->server == 1;
	s->use_telnet = c->telnet == 1;
	s->nodelay = c->nodelay == 1;
	s->abstract = c->abstract == 1;
	s->tight = c->tight != 0;
	s->host = copy(c->host);
	s->port = copy(c->port);
	s->path = copy(c->path);
	s->to = c->to;
	s->reconnect_ms = c->reconnect_ms;
	if (c->ipv4 == 1 && c->ipv6 != 1)
		s->flags |= ADDRESS_IPV4;
	if ((c->ipv6 == 1 && c->ipv4 != 1) || c->ipv4 == 0)
		s->flags |= ADDRESS_IPV6;
	else if (c->ipv6 == 0)
		s->flags |= ADDRESS_IPV4;
}

struct chardev *chardev_new_socket(struct loop *loop, const char *id,
				   const struct chardev_config *c, struct error *err)
{
	struct socket_chardev *s;

	if (!check_config(c, err))
		return NULL;
	s = xzalloc(sizeof(*s));
	if (!chardev_init(&s->chr, &socket_ops, loop, id, err)) {
		free(s);
		return NULL;
	}
	s->chr.open = false;
	s->fd = s->listen_fd = -1;
	stream_init(&s->stream, &s->chr, "socket", -1, -1);
	s->stream.ops = &socket_stream_ops;
	s->stream.opaque = s;
	loop_fd_init(&s->listener, loop, "chardev-accept", socket_on_accept, s);
	loop_fd_init(&s->connecting, loop, "chardev-connect", socket_on_connected, s);
	timer_init(&s->retry, loop_clock_host(loop), "chardev-connect", socket_on_retry, s);
	configure(s, c);
	if (begin(s, c, err))
		return &s->chr;
	chardev_free(&s->chr);
	return NULL;
}
