/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chardev on a pseudo-terminal of its own, whose name is told on standard output.
 *
 *	CLOSED: nobody has the terminal open; output is lost --somebody opens it--> OPEN --the last one closes it--> CLOSED
 *
 * A master whose slave is closed is readable for ever (EIO), so it is not watched then: inotify tells of the next open,
 * or where it can't be had a look once a second.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>
#include "io/char/backend.h"

#define LOOK_NS NS_PER_SEC

struct pty_chardev {
	struct chardev chr;
	struct stream stream;
	int master, inotify;
	struct loop_fd opened;
	struct timer look;
	char path[64];
	char *link; /* path=; NULL: none */
};

static struct pty_chardev *pty_of(const struct chardev *chr)
{
	return container_of(chr, struct pty_chardev, chr);
}

static bool somebody_is_there(struct pty_chardev *p)
{
	struct pollfd pfd = {.fd = p->master};

	return poll(&pfd, 1, 0) >= 0 && !(pfd.revents & POLLHUP);
}

static void wait_for_opener(struct pty_chardev *p)
{
	if (p->inotify < 0)
		timer_arm(&p->look, clock_now_ns(loop_clock_host(p->chr.loop)) + LOOK_NS);
}

static void look(void *opaque)
{
	struct pty_chardev *p = opaque;

	if (p->stream.out_fd >= 0)
		return;
	if (!somebody_is_there(p)) {
		wait_for_opener(p);
		return;
	}
	stream_open(&p->stream, p->master);
	chardev_set_open(&p->chr, true);
	stream_update_input(&p->stream);
}

static void pty_on_opened(void *opaque, unsigned events)
{
	struct pty_chardev *p = opaque;
	char buf[512];

	while (read(p->inotify, buf, sizeof(buf)) > 0)
		;
	look(p);
}

static void pty_gone(void *opaque)
{
	struct pty_chardev *p = opaque;

	stream_close(&p->stream);
	chardev_set_open(&p->chr, false);
	wait_for_opener(p);
	look(p); /* it may have been opened again meanwhile */
}

/* What was typed and not read yet stays in the terminal, for after the next open. */
static const struct stream_ops pty_stream_ops = {.gone = pty_gone, .hung_up = pty_gone};

static size_t pty_write(struct chardev *chr, const void *buf, size_t n)
{
	struct pty_chardev *p = pty_of(chr);

	look(p);
	return stream_write(&p->stream, buf, n);
}

static void pty_update_input(struct chardev *chr)
{
	stream_update_input(&pty_of(chr)->stream);
}

static char *pty_filename(const struct chardev *chr)
{
	return xasprintf("pty:%s", pty_of(chr)->path);
}

static void pty_fini(struct chardev *chr)
{
	struct pty_chardev *p = pty_of(chr);

	stream_fini(&p->stream);
	loop_fd_stop(&p->opened);
	timer_cancel(&p->look);
	if (p->inotify >= 0)
		close(p->inotify);
	close(p->master);
	if (p->link)
		unlink(p->link);
	free(p->link);
}

static const struct chardev_ops pty_ops = {
	.name = "pty",
	.write = pty_write,
	.update_input = pty_update_input,
	.filename = pty_filename,
	.fini = pty_fini,
};

/* Raw, so that nothing is echoed before somebody is there. The setting stays while the master is open. */
static bool make_raw(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios t;
	bool ok = fd >= 0 && tcgetattr(fd, &t) == 0;

	if (ok) {
		cfmakeraw(&t);
		ok = tcsetattr(fd, TCSANOW, &t) == 0;
	}
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool open_master(struct pty_chardev *p, struct error *err)
{
	p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (p->master < 0 || grantpt(p->master) < 0 || unlockpt(p->master) < 0 ||
	    ptsname_r(p->master, p->path, sizeof(p->path)) != 0 || !make_raw(p->path)) {
		error_set_errno(err, errno, "Could not make a pseudo-terminal");
		if (p->master >= 0)
			close(p->master);
		return false;
	}
	return true;
}

static bool make_link(struct pty_chardev *p, const char *path, struct error *err)
{
	if (!path)
		return true;
	if (symlink(p->path, path) < 0)
		return error_set_errno(err, errno, "Could not make the link '%s'", path);
	p->link = xstrdup(path);
	return true;
}

static void watch_opens(struct pty_chardev *p)
{
	p->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (p->inotify >= 0 && inotify_add_watch(p->inotify, p->path, IN_OPEN) < 0) {
		close(p->inotify);
		p->inotify = -1;
	}
	if (p->inotify >= 0)
		loop_fd_set(&p->opened, p->inotify, LOOP_READ);
	wait_for_opener(p);
}

struct chardev *chardev_new_pty(struct loop *loop, const char *id, const struct chardev_config *c,
				struct error *err)
{
	struct pty_chardev *p = xzalloc(sizeof(*p));

	if (!chardev_init(&p->chr, &pty_ops, loop, id, err)) {
		free(p);
		return NULL;
	}
	if (!open_master(p, err)) {
		chardev_discard(&p->chr);
		return NULL;
	}
	if (!make_link(p, c->path, err)) {
		close(p->master);
		chardev_discard(&p->chr);
		return NULL;
	}
	p->chr.open = false;
	stream_init(&p->stream, &p->chr, p->path, -1, -1);
	p->stream.ops = &pty_stream_ops;
	p->stream.opaque = p;
	loop_fd_init(&p->opened, loop, "chardev-open", pty_on_opened, p);
	timer_init(&p->look, loop_clock_host(loop), "chardev-open", look, p);
	watch_opens(p);
	/* Managers look for this line. */
	printf("char device redirected to %s (label %s)\n", p->path, id ? id : c->id ? c->id : "");
	fflush(stdout);
	return &p->chr;
}

const char *chardev_pty_path(const struct chardev *chr)
{
	return chr->ops == &pty_ops ? pty_of(chr)->path : NULL;
}
