/* SPDX-License-Identifier: BSD-2-Clause */
/* Socket addresses of the chardevs: names become numbers (off the loop where need be), and numbers text. */
#ifndef EVMM_CHAR_ADDRESS_H
#define EVMM_CHAR_ADDRESS_H

#include <sys/socket.h>
#include "src/error.h"

struct loop;

#define ADDRESS_MAX 8

struct address {
	int family;
	socklen_t len;
	struct sockaddr_storage sa;
};

struct address_list {
	unsigned n;
	struct address a[ADDRESS_MAX];
};

enum {
	ADDRESS_PASSIVE = 1,
	ADDRESS_IPV4 = 2,
	ADDRESS_IPV6 = 4,
	ADDRESS_UDP = 8,
	ADDRESS_NUMERIC = 16
};

/*
 * HOST NULL or "": any address with ADDRESS_PASSIVE, else this host. PORT is a number or a service's name. May wait for
 * name servers, but not with ADDRESS_NUMERIC, which fails for names. Any thread.
 */
bool address_resolve(struct address_list *l, const char *host, const char *port, unsigned flags,
		     struct error *err);
/* A unix socket's; '\0' leads an abstract one, whose unused rest counts unless TIGHT. False: too long. */
bool address_unix(struct address *a, const char *path, bool abstract, bool tight,
		  struct error *err);
/* "127.0.0.1:80", "[::1]:80"; "" where it has no such form. Heap. */
char *address_text(const struct sockaddr *sa, socklen_t len);

/*
 * A name that is looked up on a thread of its own: name servers may take half a minute, and nobody waits for
 * that, not even the end of the process. DONE is called on the loop, with L or an error, unless it was cancelled.
 */
struct address_lookup;
typedef void address_done_fn(void *opaque, const struct address_list *l, const char *error);
struct address_lookup *address_lookup_start(struct loop *loop, const char *host, const char *port,
					    unsigned flags, address_done_fn *done, void *opaque);
/* NULL is fine. Not after DONE. */
void address_lookup_cancel(struct address_lookup *lookup);

#endif
