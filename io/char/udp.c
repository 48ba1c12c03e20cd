/* SPDX-License-Identifier: BSD-2-Clause */
/* The chardev over UDP: what is written in one turn leaves as a datagram; what arrives is read a datagram at a time. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>
#include "io/char/address.h"
#include "io/char/backend.h"

#define UDP_PAYLOAD  1400 /* fits an Ethernet frame */
#define UDP_DATAGRAM 65536

struct udp_chardev {
	struct chardev chr;
	struct stream stream; /* output */
	int fd;
	struct loop_fd in;
	bool watched;
	size_t start, len; /* what is left of the last datagram */
	uint8_t buf[UDP_DATAGRAM];
};

static struct udp_chardev *udp_of(struct chardev *chr)
{
	return container_of(chr, struct udp_chardev, chr);
}

static size_t udp_write(struct chardev *chr, const void *buf, size_t n)
{
	return stream_write(&udp_of(chr)->stream, buf, n);
}

static void deliver(struct udp_chardev *u)
{
	size_t n;

	while (u->len && (n = MIN(chardev_can_receive(&u->chr), u->len))) {
		u->start += n;
		u->len -= n;
		chardev_receive(&u->chr, u->buf + u->start - n, n);
	}
}

static void udp_update_input(struct chardev *chr)
{
	struct udp_chardev *u = udp_of(chr);
	bool want;

	deliver(u);
	want = !u->len && chardev_can_receive(chr) > 0;
	if (want != u->watched)
		loop_fd_set(&u->in, u->fd, want ? LOOP_READ : 0);
	u->watched = want;
}

static void udp_on_readable(void *opaque, unsigned events)
{
	struct udp_chardev *u = opaque;
	/* An error is about an earlier datagram of ours (ECONNREFUSED), and gone once told. */
	ssize_t n = recv(u->fd, u->buf, sizeof(u->buf), MSG_DONTWAIT);

	u->start = 0;
	u->len = MAX(n, 0);
	udp_update_input(&u->chr);
}

static void udp_fini(struct chardev *chr)
{
	struct udp_chardev *u = udp_of(chr);

	stream_fini(&u->stream);
	loop_fd_stop(&u->in);
	close(u->fd);
}

static const struct chardev_ops udp_ops = {
	.name = "udp",
	.write = udp_write,
	.update_input = udp_update_input,
	.fini = udp_fini,
};

static int open_socket(const struct address *local, const struct address *peer)
{
	int fd = socket(peer->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1, saved;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&local->sa, local->len) == 0 &&
	    connect(fd, (const struct sockaddr *)&peer->sa, peer->len) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int open_udp(const struct chardev_config *c, struct error *err)
{
	unsigned flags = ADDRESS_UDP | (c->ipv4 == 1 && c->ipv6 != 1 ? ADDRESS_IPV4 : 0) |
			 (c->ipv6 == 1 && c->ipv4 != 1 ? ADDRESS_IPV6 : 0) |
			 (c->starting ? 0 : ADDRESS_NUMERIC);
	struct address_list local, peer;
	int fd = -1;

	if (!c->port) {
		error_set(err, "udp needs port=");
		return -1;
	}
	if (!address_resolve(&peer, c->host && *c->host ? c->host : "127.0.0.1", c->port, flags,
			     err))
		return -1;
	flags = (flags & ~(ADDRESS_IPV4 | ADDRESS_IPV6)) | ADDRESS_PASSIVE |
		(peer.a[0].family == AF_INET6 ? ADDRESS_IPV6 : ADDRESS_IPV4);
	if (!address_resolve(&local, c->localaddr, c->localport ? c->localport : "0", flags, err))
		return -1;
	fd = open_socket(&local.a[0], &peer.a[0]);
	if (fd < 0)
		error_set_errno(err, errno, "Could not use UDP port %s for %s:%s",
				c->localport ? c->localport : "0", c->host ? c->host : "127.0.0.1",
				c->port);
	return fd;
}

struct chardev *chardev_new_udp(struct loop *loop, const char *id, const struct chardev_config *c,
				struct error *err)
{
	struct udp_chardev *u = xzalloc(sizeof(*u));

	if (!chardev_init(&u->chr, &udp_ops, loop, id, err)) {
		free(u);
		return NULL;
	}
	u->fd = open_udp(c, err);
	if (u->fd < 0) {
		chardev_discard(&u->chr);
		return NULL;
	}
	stream_init(&u->stream, &u->chr, "udp", -1, u->fd);
	u->stream.max_write = UDP_PAYLOAD;
	u->stream.lossy = true;
	loop_fd_init(&u->in, loop, "chardev-in", udp_on_readable, u);
	return &u->chr;
}
