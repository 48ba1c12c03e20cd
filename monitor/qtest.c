/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qtest: a line is a command, and gets one line of answer: "OK", "OK VALUE" or "FAIL why". In between come "IRQ raise N"
 * and "IRQ lower N" when a line that is watched changes; those that a command causes come before its answer.
 *
 *	line complete --> words --> a row of the table --> answer
 *	answer not taken by the peer: input is held until it is
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "io/char/chardev.h"
#include "monitor/held_input.h"
#include "monitor/qtest.h"
#include "monitor/qtest_irq.h"
#include "src/options/optlist.h"

#define LINE_MAX_BYTES (64u << 20) /* a write of 32 MiB in hexadecimal */
#define DATA_MAX_BYTES (16u << 20) /* of one read or write */
#define WORDS_MAX      8

struct qtest {
	struct machine *machine;
	struct chardev *chr;
	bool fake_clock;
	struct qtest_irqs irqs;
	bool stepping; /* to STEP_TARGET_NS, which takes its time */
	int64_t step_target_ns;
	struct loop_work step_work;
	FILE *log; /* NULL: none */
	int64_t log_start_ns;

	struct held_input input;
	char *line;
	size_t line_len, line_capacity;
	bool too_long; /* the rest of the line is skipped */

	char *out;
	size_t out_len, out_done, out_capacity;
};

/* ---- answers ---- */

static void flush(struct qtest *q)
{
	if (q->out_done < q->out_len)
		q->out_done +=
			chardev_write(q->chr, q->out + q->out_done, q->out_len - q->out_done);
	if (q->out_done == q->out_len)
		q->out_done = q->out_len = 0;
}

static void log_line(struct qtest *q, char kind, const char *text)
{
	if (q->log) {
		int64_t now = clock_now_ns(loop_clock_host(q->machine->loop)) - q->log_start_ns;

		fprintf(q->log, "[%c +%.6f] %s\n", kind, (double)now / NS_PER_SEC, text);
		fflush(q->log);
	}
}

static void put(struct qtest *q, const char *text, size_t n)
{
	if (q->out_len + n > q->out_capacity) {
		q->out_capacity = MAX(2 * q->out_capacity, q->out_len + n);
		q->out = xrealloc(q->out, q->out_capacity);
	}
	memcpy(q->out + q->out_len, text, n);
	q->out_len += n;
}

static void answer(struct qtest *q, const char *fmt, ...) printf_like(2, 3);
static void answer(struct qtest *q, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	log_line(q, 'S', text);
	put(q, text, strlen(text));
	put(q, "\n", 1);
	flush(q);
	free(text);
}

static void fail(struct qtest *q, struct error *err)
{
	answer(q, "FAIL %s", err->msg);
	error_clear(err);
}

/* A long step of the clock makes many; what is beyond counting is dropped. */
static void on_irq(void *opaque, unsigned n, bool level)
{
	struct qtest *q = opaque;

	if (q->out_len < LINE_MAX_BYTES)
		answer(q, "IRQ %s %u", level ? "raise" : "lower", n);
}

/* ---- words ---- */

static bool number(struct qtest *q, const char *word, uint64_t *n)
{
	if (parse_u64(word, n))
		return true;
	answer(q, "FAIL '%s' is not a number", word);
	return false;
}

/* "inb", "writeq": the size that the last letter means. */
static unsigned size_of(const char *command)
{
	switch (command[strlen(command) - 1]) {
	case 'b':
		return 1;
	case 'w':
		return 2;
	case 'l':
		return 4;
	default:
		return 8;
	}
}

/* ---- ports and memory ---- */

static void cmd_out(struct qtest *q, char **words, unsigned n)
{
	uint64_t port, value;

	if (!number(q, words[1], &port) || !number(q, words[2], &value))
		return;
	as_write(&q->machine->io, port & 0xffff, value, size_of(words[0]));
	answer(q, "OK");
}

static void cmd_in(struct qtest *q, char **words, unsigned n)
{
	uint64_t port;

	if (!number(q, words[1], &port))
		return;
	answer(q, "OK 0x%04llx",
	       (unsigned long long)as_read(&q->machine->io, port & 0xffff, size_of(words[0])));
}

static void cmd_write_value(struct qtest *q, char **words, unsigned n)
{
	uint64_t addr, value;

	if (!number(q, words[1], &addr) || !number(q, words[2], &value))
		return;
	as_write(&q->machine->mem, addr, value, size_of(words[0]));
	answer(q, "OK");
}

static void cmd_read_value(struct qtest *q, char **words, unsigned n)
{
	uint64_t addr;

	if (!number(q, words[1], &addr))
		return;
	answer(q, "OK 0x%016llx",
	       (unsigned long long)as_read(&q->machine->mem, addr, size_of(words[0])));
}

/* RAM in one go; devices in the widest pieces that are aligned. */
static unsigned piece(uint64_t addr, uint64_t left)
{
	unsigned size = 8;

	while (size > left || (addr & (size - 1)))
		size /= 2;
	return size;
}

static void read_memory(struct machine *m, uint64_t addr, uint8_t *buf, uint64_t len)
{
	if (dma_read(m, addr, buf, len))
		return;
	for (unsigned size; len; addr += size, buf += size, len -= size) {
		size = piece(addr, len);
		stn_le(buf, size, as_read(&m->mem, addr, size));
	}
}

static void write_memory(struct machine *m, uint64_t addr, const uint8_t *buf, uint64_t len)
{
	if (dma_write(m, addr, buf, len))
		return;
	for (unsigned size; len; addr += size, buf += size, len -= size) {
		size = piece(addr, len);
		as_write(&m->mem, addr, ldn_le(buf, size), size);
	}
}

static bool address_and_length(struct qtest *q, char **words, uint64_t *addr, uint64_t *len)
{
	if (!number(q, words[1], addr) || !number(q, words[2], len))
		return false;
	if (*len && *len <= DATA_MAX_BYTES && *addr + *len - 1 >= *addr)
		return true;
	answer(q, "FAIL %s bytes at %s: must be 1 to %u, below 2^64", words[2], words[1],
	       DATA_MAX_BYTES);
	return false;
}

static void cmd_read(struct qtest *q, char **words, unsigned n)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t addr, len;
	uint8_t *data;
	char *text;

	if (!address_and_length(q, words, &addr, &len))
		return;
	data = xmalloc(len);
	text = xmalloc(2 * len + 1);
	read_memory(q->machine, addr, data, len);
	for (uint64_t i = 0; i < len; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	text[2 * len] = 0;
	answer(q, "OK 0x%s", text);
	free(text);
	free(data);
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Fewer digits than bytes: the rest is zero, as QEMU has it. */
static bool parse_hex(const char *s, uint8_t *data, uint64_t len)
{
	if (s[0] != '0' || (s[1] | 0x20) != 'x')
		return false;
	s += 2;
	for (uint64_t i = 0; i < len; i++) {
		int high = hex_digit(s[0]), low = high < 0 ? -1 : hex_digit(s[1]);

		data[i] = 0;
		if (!*s)
			continue;
		if (low < 0)
			return false;
		data[i] = high << 4 | low;
		s += 2;
	}
	return !*s;
}

static void cmd_write(struct qtest *q, char **words, unsigned n)
{
	uint64_t addr, len;
	uint8_t *data;

	if (!address_and_length(q, words, &addr, &len))
		return;
	data = xmalloc(len);
	if (parse_hex(words[3], data, len)) {
		write_memory(q->machine, addr, data, len);
		answer(q, "OK");
	} else {
		answer(q, "FAIL data must be 0x and two hexadecimal digits a byte");
	}
	free(data);
}

static void cmd_memset(struct qtest *q, char **words, unsigned n)
{
	uint64_t addr, len, value;
	uint8_t *data;

	if (!address_and_length(q, words, &addr, &len) || !number(q, words[3], &value))
		return;
	data = xmalloc(len);
	memset(data, (int)value, len);
	write_memory(q->machine, addr, data, len);
	free(data);
	answer(q, "OK");
}

/* ---- base 64 (RFC 4648) ---- */

static const char b64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *b64_encode(const uint8_t *data, size_t len)
{
	char *text = xmalloc((len + 2) / 3 * 4 + 1), *w = text;

	for (size_t i = 0; i < len; i += 3) {
		unsigned have = MIN(len - i, 3);
		uint32_t bits = data[i] << 16 | (have > 1 ? data[i + 1] << 8 : 0) |
				(have > 2 ? data[i + 2] : 0);

		for (unsigned j = 0; j < 4; j++)
			*w++ = j <= have ? b64_digits[bits >> (18 - 6 * j) & 63] : '=';
	}
	*w = 0;
	return text;
}

/* How many bytes TEXT means; at most LEN are stored. -1: it isn't base 64. */
static int64_t b64_decode(const char *text, uint8_t *data, size_t len)
{
	uint32_t bits = 0;
	unsigned have = 0;
	int64_t n = 0;

	for (; *text && *text != '='; text++) {
		const char *digit = strchr(b64_digits, *text);

		if (!digit)
			return -1;
		bits = bits << 6 | (uint32_t)(digit - b64_digits);
		have += 6;
		if (have >= 8) {
			have -= 8;
			if ((size_t)n < len)
				data[n] = bits >> have;
			n++;
		}
	}
	return text[strspn(text, "=")] ? -1 : n;
}

static void cmd_b64read(struct qtest *q, char **words, unsigned n)
{
	uint64_t addr, len;
	uint8_t *data;
	char *text;

	if (!address_and_length(q, words, &addr, &len))
		return;
	data = xmalloc(len);
	read_memory(q->machine, addr, data, len);
	text = b64_encode(data, len);
	answer(q, "OK %s", text);
	free(text);
	free(data);
}

static void cmd_b64write(struct qtest *q, char **words, unsigned n)
{
	uint64_t addr, len;
	uint8_t *data;
	int64_t have;

	if (!address_and_length(q, words, &addr, &len))
		return;
	data = xmalloc(len);
	have = b64_decode(words[3], data, len);
	if (have == (int64_t)len) {
		write_memory(q->machine, addr, data, len);
		answer(q, "OK");
	} else {
		answer(q, "FAIL data must be %s bytes in base 64", words[2]);
	}
	free(data);
}

/* ---- interrupt lines ---- */

static void intercept(struct qtest *q, const char *path,
		      bool (*fn)(struct qtest_irqs *q, struct device *dev, struct error *err))
{
	struct error err = ERROR_INIT;
	struct device *dev = qtest_find_device(q->machine, path, &err);

	if (dev && fn(&q->irqs, dev, &err))
		answer(q, "OK");
	else
		fail(q, &err);
}

static void cmd_irq_intercept_in(struct qtest *q, char **words, unsigned n)
{
	intercept(q, words[1], qtest_intercept_in);
}

static void cmd_irq_intercept_out(struct qtest *q, char **words, unsigned n)
{
	intercept(q, words[1], qtest_intercept_out);
}

/* set_irq_in PATH NAME NUMBER LEVEL; nothing here has inputs with names. */
static void cmd_set_irq_in(struct qtest *q, char **words, unsigned n)
{
	struct error err = ERROR_INIT;
	struct device *dev = qtest_find_device(q->machine, words[1], &err);
	uint64_t input, level;

	if (!dev) {
		fail(q, &err);
		return;
	}
	if (!number(q, words[3], &input) || !number(q, words[4], &level))
		return;
	if (strcmp(words[2], "unnamed-gpio-in"))
		answer(q, "FAIL %s has no inputs named '%s'", words[1], words[2]);
	else if (qtest_set_irq_in(dev, input, level, &err))
		answer(q, "OK");
	else
		fail(q, &err);
}

/* ---- the clock ---- */

static bool has_fake_clock(struct qtest *q)
{
	if (!q->fake_clock)
		answer(q, "FAIL the clock goes by itself; -accel qtest has one that is told");
	else if (clock_is_paused(q->machine->clock))
		answer(q, "FAIL the machine is paused, and the clock with it");
	else
		return true;
	return false;
}

/* A year is many periods of a timer: from deadline to deadline, and after a millisecond others have their turn. */
static void step(void *opaque)
{
	struct qtest *q = opaque;
	struct clock *c = q->machine->clock, *host = loop_clock_host(q->machine->loop);
	int64_t until = clock_now_ns(host) + NS_PER_MS, now;

	while ((now = clock_now_ns(c)) < q->step_target_ns && !clock_is_paused(c)) {
		int64_t next = MIN(clock_next_deadline_ns(c), q->step_target_ns);

		clock_fake_advance(c, MAX(next - now, 0));
		if (clock_now_ns(host) >= until) {
			loop_work_schedule(&q->step_work);
			return;
		}
	}
	q->stepping = false;
	answer(q, "OK %lld", (long long)now);
}

static void process(struct qtest *q);

static void go_on_stepping(void *opaque)
{
	struct qtest *q = opaque;

	step(q);
	process(q);
	chardev_accept_input(q->chr);
}

static void step_to(struct qtest *q, int64_t ns)
{
	q->stepping = true;
	q->step_target_ns = ns;
	step(q);
}

/* Without a number: to the next timer. */
static void cmd_clock_step(struct qtest *q, char **words, unsigned n)
{
	int64_t now = clock_now_ns(q->machine->clock), next;
	uint64_t ns;

	if (!has_fake_clock(q))
		return;
	if (n == 1) {
		next = clock_next_deadline_ns(q->machine->clock);
		step_to(q, next == INT64_MAX ? now : next);
	} else if (number(q, words[1], &ns)) {
		step_to(q, ns < (uint64_t)(INT64_MAX - now) ? now + (int64_t)ns : INT64_MAX);
	}
}

static void cmd_clock_set(struct qtest *q, char **words, unsigned n)
{
	uint64_t ns;

	if (has_fake_clock(q) && number(q, words[1], &ns))
		step_to(q, (int64_t)MIN(ns, (uint64_t)INT64_MAX));
}

static void cmd_endianness(struct qtest *q, char **words, unsigned n)
{
	answer(q, "OK little");
}

/* ---- a line ---- */

static const struct qtest_command {
	const char *name;
	unsigned min, max; /* words, with the command's own */
	void (*fn)(struct qtest *q, char **words, unsigned n);
} commands[] = {
	{"b64read", 3, 3, cmd_b64read},
	{"b64write", 4, 4, cmd_b64write},
	{"clock_set", 2, 2, cmd_clock_set},
	{"clock_step", 1, 2, cmd_clock_step},
	{"endianness", 1, 1, cmd_endianness},
	{"inb", 2, 2, cmd_in},
	{"inl", 2, 2, cmd_in},
	{"inw", 2, 2, cmd_in},
	{"irq_intercept_in", 2, 2, cmd_irq_intercept_in},
	{"irq_intercept_out", 2, 2, cmd_irq_intercept_out},
	{"memset", 4, 4, cmd_memset},
	{"outb", 3, 3, cmd_out},
	{"outl", 3, 3, cmd_out},
	{"outw", 3, 3, cmd_out},
	{"read", 3, 3, cmd_read},
	{"readb", 2, 2, cmd_read_value},
	{"readl", 2, 2, cmd_read_value},
	{"readq", 2, 2, cmd_read_value},
	{"readw", 2, 2, cmd_read_value},
	{"set_irq_in", 5, 5, cmd_set_irq_in},
	{"write", 4, 4, cmd_write},
	{"writeb", 3, 3, cmd_write_value},
	{"writel", 3, 3, cmd_write_value},
	{"writeq", 3, 3, cmd_write_value},
	{"writew", 3, 3, cmd_write_value},
};

static void execute(struct qtest *q, char *line)
{
	char *words[WORDS_MAX], *save;
	unsigned n = 0;

	log_line(q, 'R', line);
	for (char *w = strtok_r(line, " \t\r", &save); w; w = strtok_r(NULL, " \t\r", &save)) {
		if (n == WORDS_MAX) {
			answer(q, "FAIL more than %u words", WORDS_MAX);
			return;
		}
		words[n++] = w;
	}
	if (!n)
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct qtest_command *c = &commands[i];

		if (strcmp(c->name, words[0]))
			continue;
		if (n < c->min || n > c->max)
			answer(q, "FAIL %s takes %u argument%s", c->name, c->max - 1,
			       c->max == 2 ? "" : "s");
		else
			c->fn(q, words, n);
		return;
	}
	answer(q, "FAIL Unknown command '%s'", words[0]);
}

static void end_line(struct qtest *q)
{
	if (q->too_long) {
		answer(q, "FAIL the line is longer than %u bytes", LINE_MAX_BYTES);
	} else if (q->line_len) {
		q->line[q->line_len] = 0;
		execute(q, q->line);
	}
	q->line_len = 0;
	q->too_long = false;
}

static void add_to_line(struct qtest *q, const uint8_t *buf, size_t n)
{
	if (q->too_long || q->line_len + n >= LINE_MAX_BYTES) {
		q->too_long = true;
		return;
	}
	if (q->line_len + n + 1 > q->line_capacity) {
		q->line_capacity = MAX(2 * q->line_capacity, q->line_len + n + 1);
		q->line = xrealloc(q->line, q->line_capacity);
	}
	memcpy(q->line + q->line_len, buf, n);
	q->line_len += n;
}

/* ---- the chardev ---- */

/* A peer that does not read its answers has to, before its next command is looked at. */
static size_t take(void *opaque, const uint8_t *bytes, size_t n)
{
	struct qtest *q = opaque;
	const uint8_t *nl = memchr(bytes, '\n', n);
	size_t part = nl ? (size_t)(nl - bytes) : n;

	if (q->out_len || q->stepping)
		return 0;
	add_to_line(q, bytes, part);
	if (nl)
		end_line(q);
	return part + (nl != NULL);
}

static void process(struct qtest *q)
{
	held_input_feed(&q->input, take, q);
}

static size_t qtest_can_receive(void *opaque)
{
	struct qtest *q = opaque;

	return q->input.len || q->out_len || q->stepping ? 0 : HELD_INPUT_BYTES;
}

static void qtest_receive(void *opaque, const uint8_t *buf, size_t n)
{
	struct qtest *q = opaque;

	held_input_put(&q->input, buf, n);
	process(q);
}

static void qtest_writable(void *opaque)
{
	struct qtest *q = opaque;

	flush(q);
	process(q);
	chardev_accept_input(q->chr);
}

/* With the peer goes what it watched, and what it had not finished saying. */
static void qtest_event(void *opaque, enum chardev_event event)
{
	struct qtest *q = opaque;

	if (event == CHR_EVENT_OPENED) {
		log_line(q, 'I', "OPENED");
	} else if (event == CHR_EVENT_CLOSED) {
		qtest_intercept_end(&q->irqs);
		q->line_len = q->input.len = q->out_len = q->out_done = 0;
		q->too_long = q->stepping = false;
		loop_work_cancel(&q->step_work);
		log_line(q, 'I', "CLOSED");
	}
}

static const struct chardev_handlers qtest_handlers = {
	.can_receive = qtest_can_receive,
	.receive = qtest_receive,
	.event = qtest_event,
	.writable = qtest_writable,
};

static bool open_log(struct qtest *q, const char *log, struct error *err)
{
	q->log_start_ns = clock_now_ns(loop_clock_host(q->machine->loop));
	if (!log)
		q->log = stderr;
	else if (strcmp(log, "none"))
		q->log = fopen(log, "we");
	return q->log || !log || !strcmp(log, "none") ||
	       error_set_errno(err, errno, "-qtest-log %s: could not be opened", log);
}

struct qtest *qtest_new(struct machine *m, struct chardev *chr, bool fake_clock, const char *log,
			struct error *err)
{
	struct qtest *q = xzalloc(sizeof(*q));

	LOOP_ASSERT();
	q->machine = m;
	q->chr = chr;
	q->fake_clock = fake_clock;
	q->irqs.changed = on_irq;
	q->irqs.opaque = q;
	loop_work_init(&q->step_work, m->loop, "qtest", go_on_stepping, q);
	if (!open_log(q, log, err)) {
		chardev_release(chr);
		free(q);
		return NULL;
	}
	chardev_attach(chr, &qtest_handlers, q);
	return q;
}

void qtest_free(struct qtest *q)
{
	if (!q)
		return;
	qtest_intercept_end(&q->irqs);
	loop_work_cancel(&q->step_work);
	chardev_attach(q->chr, NULL, NULL);
	chardev_release(q->chr);
	if (q->log && q->log != stderr)
		fclose(q->log);
	free(q->line);
	free(q->out);
	free(q);
}
