/* SPDX-License-Identifier: BSD-2-Clause */
/* The chardev on a serial port of the host (/dev/ttyS0, /dev/ttyUSB0...), whose speed and format are the guest's. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include "io/char/backend.h"

struct host_serial {
	struct chardev chr;
	struct stream stream;
	char *path;
	int fd;
	struct termios before; /* put back at the end */
};

static struct host_serial *host_serial_of(struct chardev *chr)
{
	return container_of(chr, struct host_serial, chr);
}

static size_t host_serial_write(struct chardev *chr, const void *buf, size_t n)
{
	return stream_write(&host_serial_of(chr)->stream, buf, n);
}

static void host_serial_update_input(struct chardev *chr)
{
	stream_update_input(&host_serial_of(chr)->stream);
}

/* The nearest speed that termios has a name for. */
static speed_t speed_code(unsigned baud)
{
	static const struct {
		unsigned baud;
		speed_t code;
	} speeds[] = {
		{50, B50},	   {75, B75},	      {110, B110},	 {134, B134},
		{150, B150},	   {200, B200},	      {300, B300},	 {600, B600},
		{1200, B1200},	   {1800, B1800},     {2400, B2400},	 {4800, B4800},
		{9600, B9600},	   {19200, B19200},   {38400, B38400},	 {57600, B57600},
		{115200, B115200}, {230400, B230400}, {460800, B460800}, {921600, B921600},
	};
	unsigned best = 0;

	for (unsigned i = 1; i < ARRAY_SIZE(speeds); i++)
		if (abs((int)(speeds[i].baud - baud)) <= abs((int)(speeds[best].baud - baud)))
			best = i;
	return speeds[best].code;
}

static void host_serial_set_line(struct chardev *chr, const struct chardev_line *line)
{
	static const tcflag_t sizes[] = {CS5, CS6, CS7, CS8};
	struct host_serial *s = host_serial_of(chr);
	struct termios t;

	if (tcgetattr(s->fd, &t) < 0)
		return;
	t.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	t.c_oflag &= ~OPOST;
	t.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
	t.c_cflag &= ~(CSIZE | PARENB | PARODD | CSTOPB | CRTSCTS);
	t.c_cflag |= CLOCAL | CREAD | sizes[MIN(MAX(line->data_bits, 5), 8) - 5];
	if (line->parity != 'N')
		t.c_cflag |= PARENB;
	if (line->parity == 'O')
		t.c_cflag |= PARODD;
	if (line->stop_bits == 2)
		t.c_cflag |= CSTOPB;
	cfsetispeed(&t, speed_code(line->speed));
	cfsetospeed(&t, speed_code(line->speed));
	tcsetattr(s->fd, TCSANOW, &t);
}

static void host_serial_set_break(struct chardev *chr, bool on)
{
	ioctl(host_serial_of(chr)->fd, on ? TIOCSBRK : TIOCCBRK);
}

static void host_serial_fini(struct chardev *chr)
{
	struct host_serial *s = host_serial_of(chr);

	stream_fini(&s->stream);
	tcsetattr(s->fd, TCSANOW, &s->before);
	close(s->fd);
	free(s->path);
}

static const struct chardev_ops host_serial_ops = {
	.name = "serial",
	.write = host_serial_write,
	.update_input = host_serial_update_input,
	.set_line = host_serial_set_line,
	.set_break = host_serial_set_break,
	.fini = host_serial_fini,
};

static bool open_port(struct host_serial *s, const char *path, struct error *err)
{
	s->fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (s->fd < 0)
		return error_set_errno(err, errno, "Could not open '%s'", path);
	if (tcgetattr(s->fd, &s->before) == 0)
		return true;
	close(s->fd);
	return error_set(err, "'%s' is not a serial port", path);
}

struct chardev *chardev_new_serial(struct loop *loop, const char *id,
				   const struct chardev_config *c, struct error *err)
{
	static const struct chardev_line line = {
		.speed = 115200, .parity = 'N', .data_bits = 8, .stop_bits = 1};
	struct host_serial *s = xzalloc(sizeof(*s));

	if (!c->path)
		error_set(err, "serial needs path=");
	if (!c->path || !chardev_init(&s->chr, &host_serial_ops, loop, id, err)) {
		free(s);
		return NULL;
	}
	if (!open_port(s, c->path, err)) {
		chardev_discard(&s->chr);
		return NULL;
	}
	s->path = xstrdup(c->path);
	stream_init(&s->stream, &s->chr, s->path, s->fd, s->fd);
	host_serial_set_line(&s->chr, &line);
	return &s->chr;
}
