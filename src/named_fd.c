/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors by name. */
#include <stdlib.h>
#include <unistd.h>
#include "src/machine.h"
#include "src/named_fd.h"

struct named_fd {
	struct list node;
	char *name;
	int fd;
};

static int take(struct named_fd *f)
{
	int fd = f->fd;

	list_remove(&f->node);
	free(f->name);
	free(f);
	return fd;
}

int named_fd_take(struct machine *m, const char *name)
{
	LOOP_ASSERT();
	list_for_each(it, &m->named_fds) {
		struct named_fd *f = list_entry(it, struct named_fd, node);

		if (!strcmp(f->name, name))
			return take(f);
	}
	return -1;
}

void named_fd_add(struct machine *m, const char *name, int fd)
{
	struct named_fd *f = xzalloc(sizeof(*f));
	int old = named_fd_take(m, name);

	if (old >= 0)
		close(old);
	f->name = xstrdup(name);
	f->fd = fd;
	list_push_back(&m->named_fds, &f->node);
}

void named_fds_close(struct machine *m)
{
	while (!list_empty(&m->named_fds))
		close(take(list_first(&m->named_fds, struct named_fd, node)));
}
