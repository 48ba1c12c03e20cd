/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket addresses: resolved, and as text. */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/un.h>
#include <unistd.h>
#include "io/char/address.h"
#include "src/loop.h"

bool address_resolve(struct address_list *l, const char *host, const char *port, unsigned flags,
		     struct error *err)
{
	struct addrinfo hints = {.ai_socktype = flags & ADDRESS_UDP ? SOCK_DGRAM : SOCK_STREAM};
	struct addrinfo *found;
	int rc;

	if (host && !*host)
		host = NULL;
	hints.ai_family = flags & ADDRESS_IPV4	 ? AF_INET
			  : flags & ADDRESS_IPV6 ? AF_INET6
						 : AF_UNSPEC;
	if (flags & ADDRESS_PASSIVE)
		hints.ai_flags |= AI_PASSIVE;
	if (flags & ADDRESS_NUMERIC)
		hints.ai_flags |= AI_NUMERICHOST;
	l->n = 0;
	rc = getaddrinfo(host, port, &hints, &found);
	if (rc)
		return error_set(err, "address resolution failed for %s:%s: %s", host ? host : "",
				 port, rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	for (struct addrinfo *ai = found; ai && l->n < ADDRESS_MAX; ai = ai->ai_next) {
		struct address *a = &l->a[l->n++];

		a->family = ai->ai_family;
		a->len = ai->ai_addrlen;
		memcpy(&a->sa, ai->ai_addr, ai->ai_addrlen);
	}
	freeaddrinfo(found);
	return true;
}

bool address_unix(struct address *a, const char *path, bool abstract, bool tight, struct error *err)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&a->sa;
	size_t n = strlen(path), room = sizeof(un->sun_path) - 1;

	if (n > room)
		return error_set(err,
				 "UNIX socket path '%s' is too long: it must be less than %zu "
				 "bytes",
				 path, room + 1);
	memset(a, 0, sizeof(*a));
	a->family = un->sun_family = AF_UNIX;
	memcpy(un->sun_path + abstract, path, n);
	a->len = abstract && tight ? offsetof(struct sockaddr_un, sun_path) + 1 + n : sizeof(*un);
	return true;
}

char *address_text(const struct sockaddr *sa, socklen_t len)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];
	bool v6 = sa->sa_family == AF_INET6;

	if (sa->sa_family == AF_UNIX || getnameinfo(sa, len, host, sizeof(host), port, sizeof(port),
						    NI_NUMERICHOST | NI_NUMERICSERV))
		return xstrdup("");
	return xasprintf("%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
}

/* ---- looking up ---- */

/* Shared by the loop and the thread; the last one frees it. */
struct address_lookup {
	unsigned users; /* atomic */
	char *host, *port;
	unsigned flags;
	struct address_list list;
	struct error err;
	int eventfd;

	/* the loop's */
	struct loop_fd fd;
	address_done_fn *done;
	void *opaque;
};

static void lookup_put(struct address_lookup *k)
{
	if (__atomic_sub_fetch(&k->users, 1, __ATOMIC_ACQ_REL))
		return;
	close(k->eventfd);
	error_clear(&k->err);
	free(k->host);
	free(k->port);
	free(k);
}

static void *lookup_run(void *opaque)
{
	struct address_lookup *k = opaque;
	uint64_t one = 1;

	address_resolve(&k->list, k->host, k->port, k->flags, &k->err);
	/* It cannot block: it is the only write. */
	if (write(k->eventfd, &one, sizeof(one)) < 0)
		abort();
	lookup_put(k);
	return NULL;
}

static void lookup_done(void *opaque, unsigned events)
{
	struct address_lookup *k = opaque;

	loop_fd_stop(&k->fd);
	k->done(k->opaque, &k->list, k->err.msg);
	lookup_put(k);
}

static bool start_thread(struct address_lookup *k)
{
	sigset_t every, old;
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &attr, lookup_run, k);
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!rc)
		pthread_setname_np(thread, "evmm-resolve");
	return rc == 0;
}

struct address_lookup *address_lookup_start(struct loop *loop, const char *host, const char *port,
					    unsigned flags, address_done_fn *done, void *opaque)
{
	struct address_lookup *k = xzalloc(sizeof(*k));
	uint64_t one = 1;

	LOOP_ASSERT();
	k->users = 2;
	k->host = host ? xstrdup(host) : NULL;
	k->port = xstrdup(port);
	k->flags = flags;
	k->done = done;
	k->opaque = opaque;
	k->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (k->eventfd < 0)
		abort();
	loop_fd_init(&k->fd, loop, "chardev-resolve", lookup_done, k);
	loop_fd_set(&k->fd, k->eventfd, LOOP_READ);
	if (!start_thread(k)) {
		error_set(&k->err, "no thread can be had to look up %s", host ? host : "");
		k->users--;
		if (write(k->eventfd, &one, sizeof(one)) < 0)
			abort();
	}
	return k;
}

void address_lookup_cancel(struct address_lookup *k)
{
	LOOP_ASSERT();
	if (!k)
		return;
	loop_fd_stop(&k->fd);
	lookup_put(k);
}
