/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The chardev on standard input and output.
 *
 * A terminal is put in raw mode while evmm is in its foreground, and put back whenever evmm stops being so, by
 * exit, crash, ^Z or otherwise:
 *
 *	held (background) --SIGCONT, or seen by the timer--> raw --exit, crash, SIGTSTP--> as it was
 *
 * The descriptors that a shell gives are shared with others, so O_NONBLOCK, which belongs to what they share, is
 * set on descriptions of our own, opened through /proc; where that can't be, it is set and taken back.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>
#include "io/char/backend.h"

#define FOREGROUND_CHECK_NS NS_PER_SEC

struct stdio_chardev {
	struct chardev chr;
	struct stream stream;
	int fds[2]; /* -1: closed */
	bool tty, signals;
	struct loop_signal tstp, cont;
	struct timer foreground_timer;
};

/* What a signal handler needs to put things back; the process has one terminal. */
static struct {
	bool in_use; /* by a chardev */
	volatile sig_atomic_t raw, flags_changed[2];
	struct termios saved;
	int flags[2];
} terminal;

static void restore_modes(void)
{
	sigset_t ttou, old;

	if (!terminal.raw)
		return;
	/* Blocked, it lets us do this from the background too. */
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &ttou, &old);
	tcsetattr(STDIN_FILENO, TCSANOW, &terminal.saved);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	terminal.raw = 0;
}

void chardev_stdio_restore_terminal(void)
{
	int saved_errno = errno;

	restore_modes();
	for (int fd = 0; fd < 2; fd++) {
		if (terminal.flags_changed[fd])
			fcntl(fd, F_SETFL, terminal.flags[fd]);
		terminal.flags_changed[fd] = 0;
	}
	errno = saved_errno;
}

static void set_raw(bool signals)
{
	struct termios t;

	if (terminal.raw || tcgetattr(STDIN_FILENO, &t) < 0)
		return;
	terminal.saved = t;
	t.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	t.c_oflag |= OPOST; /* evmm's own lines end in \n */
	t.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN);
	if (!signals)
		t.c_lflag &= ~ISIG;
	t.c_cflag &= ~(CSIZE | PARENB);
	t.c_cflag |= CS8;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	terminal.raw = 1;
	tcsetattr(STDIN_FILENO, TCSANOW, &t);
}

/* Also true when the terminal is not the one that controls us: then nobody stops us for using it. */
static bool in_foreground(void)
{
	pid_t group = tcgetpgrp(STDIN_FILENO);

	return group < 0 || group == getpgrp();
}

/* Takes the terminal if it may be had now, else looks again in a while: no event tells of it. */
static void update_terminal(void *opaque)
{
	struct stdio_chardev *s = opaque;
	bool foreground = in_foreground();

	if (foreground) {
		timer_cancel(&s->foreground_timer);
		set_raw(s->signals);
	} else {
		terminal.raw = 0; /* its modes are the shell's business now */
		timer_arm(&s->foreground_timer,
			  clock_now_ns(loop_clock_host(s->chr.loop)) + FOREGROUND_CHECK_NS);
	}
	stream_hold_input(&s->stream, !foreground);
}

static bool stdio_may_read(void *opaque)
{
	if (in_foreground())
		return true;
	update_terminal(opaque);
	return false;
}

static void stdio_on_tstp(void *opaque, int signum)
{
	restore_modes();
	kill(getpid(), SIGSTOP);
	/* Goes on here after SIGCONT, whose own watcher takes the terminal back. */
}

static void stdio_on_cont(void *opaque, int signum)
{
	struct stdio_chardev *s = opaque;

	/* Whoever continues us may have changed the modes meanwhile. */
	terminal.raw = 0;
	update_terminal(s);
}

static size_t stdio_write(struct chardev *chr, const void *buf, size_t n)
{
	return stream_write(&container_of(chr, struct stdio_chardev, chr)->stream, buf, n);
}

static void stdio_update_input(struct chardev *chr)
{
	stream_update_input(&container_of(chr, struct stdio_chardev, chr)->stream);
}

static void stdio_fini(struct chardev *chr)
{
	struct stdio_chardev *s = container_of(chr, struct stdio_chardev, chr);

	stream_fini(&s->stream);
	if (s->tty) {
		loop_signal_remove(&s->tstp);
		loop_signal_remove(&s->cont);
		timer_cancel(&s->foreground_timer);
	}
	for (int i = 0; i < 2; i++) {
		if (s->fds[i] >= 0 && s->fds[i] != i)
			close(s->fds[i]);
	}
	chardev_stdio_restore_terminal();
	terminal.in_use = false;
}

static const struct chardev_ops stdio_ops = {
	.name = "stdio",
	.write = stdio_write,
	.update_input = stdio_update_input,
	.fini = stdio_fini,
};

/* The same file behind a description of our own that doesn't block; -1 where that would be another file or fails. */
static int reopen(int fd, int access, const struct stat *st)
{
	bool is_tty = S_ISCHR(st->st_mode) && isatty(fd);
	char path[32];

	/* Opening the node of a pseudo-terminal's master makes a new pair. */
	if (!S_ISFIFO(st->st_mode) && (!is_tty || st->st_rdev == makedev(5, 2)))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int take_fd(int fd, int access)
{
	struct stat st;
	int own, flags;

	if (fstat(fd, &st) < 0)
		return -1;
	own = reopen(fd, access, &st);
	if (own >= 0)
		return own;
	flags = fcntl(fd, F_GETFL);
	if (!S_ISREG(st.st_mode) && flags >= 0 && !(flags & O_NONBLOCK)) {
		terminal.flags[fd] = flags;
		terminal.flags_changed[fd] = 1;
		fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	}
	return fd;
}

static const struct stream_ops terminal_stream_ops = {.may_read = stdio_may_read};

struct chardev *chardev_new_stdio(struct loop *loop, const char *id, const struct chardev_config *c,
				  struct error *err)
{
	struct stdio_chardev *s;

	if (terminal.in_use) {
		error_set(err, "stdio is in use by another character device");
		return NULL;
	}
	s = xzalloc(sizeof(*s));
	if (!chardev_init(&s->chr, &stdio_ops, loop, id, err)) {
		free(s);
		return NULL;
	}
	terminal.in_use = true;
	s->signals = c->signal != 0;
	s->tty = isatty(STDIN_FILENO);
	s->fds[0] = take_fd(STDIN_FILENO, O_RDONLY);
	s->fds[1] = take_fd(STDOUT_FILENO, O_WRONLY);
	stream_init(&s->stream, &s->chr, "standard output", s->fds[0], s->fds[1]);
	if (s->tty) {
		s->stream.ops = &terminal_stream_ops;
		s->stream.opaque = s;
		timer_init(&s->foreground_timer, loop_clock_host(loop), "chardev-in",
			   update_terminal, s);
		loop_signal_add(&s->tstp, loop, "signal", SIGTSTP, stdio_on_tstp, s);
		loop_signal_add(&s->cont, loop, "signal", SIGCONT, stdio_on_cont, s);
		update_terminal(s);
	}
	return &s->chr;
}
