/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The protocols that a stranger may type at: gdb's packets, qtest's lines, telnet's negotiation. What is nearly right, broken
 * off, or noise leaves them alive and no larger. EVMM_FUZZ_ROUNDS=N for longer runs, EVMM_FUZZ_SEED=N for other ones.
 */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "io/char/telnet.h"
#include "monitor/qtest.h"
#include "tests/device/kit.h"
#include "tests/monitor/gdb_peer.h"

#define GROWTH_MAX (4u << 20)

static uint64_t seed;

static uint32_t any(uint32_t below)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)((seed >> 33) % below);
}

static unsigned rounds(unsigned otherwise)
{
	const char *n = getenv("EVMM_FUZZ_ROUNDS"), *s = getenv("EVMM_FUZZ_SEED");

	seed = s ? strtoull(s, NULL, 0) : 1;
	return n ? (unsigned)strtoul(n, NULL, 0) : otherwise;
}

/* One of the seeds, changed a little or a lot. ROOM beyond it is needed. */
static size_t mutate(char *out, size_t room, const char *const *seeds, unsigned n_seeds)
{
	const char *s = seeds[any(n_seeds)];
	size_t n = strlen(s);

	memcpy(out, s, n);
	for (unsigned changes = any(4); changes; changes--) {
		size_t at = n ? any((uint32_t)n) : 0, more = any(32);

		switch (any(5)) {
		case 0:
			if (n)
				out[at] = (char)any(256);
			break;
		case 1:
			n = at;
			break;
		case 2: /* a digit for a digit keeps it well-formed */
			if (n)
				out[at] = "0123456789abcdef,;:=-"[any(21)];
			break;
		case 3:
			if (n + more < room) {
				memmove(out + at + more, out + at, n - at);
				memset(out + at, "0f,;:p "[any(7)], more);
				n += more;
			}
			break;
		default:
			if (n + n - at < room) {
				memcpy(out + n, out + at, n - at);
				n += n - at;
			}
			break;
		}
	}
	return n;
}

static void assert_grown_little(size_t before)
{
	size_t now = mallinfo2().uordblks;

	if (now > before + GROWTH_MAX)
		fail_msg("%zu bytes more than before", now - before);
}

/* ---- gdb ---- */

static const char *const packets[] = {
	"?",
	"!",
	"c",
	"s",
	"c10000",
	"C05",
	"S05;10000",
	"D",
	"D;1",
	"g",
	"p10",
	"p31",
	"P0=8877665544332211",
	"P12=33000000",
	"P1d=0010000000000000",
	"P1b=3300008000000000",
	"P20=000d000000000000",
	"P21=00000000000000800040",
	"m10000,40",
	"m0,1000",
	"M20000,4:01020304",
	"X20000,4:abcd",
	"Z0,10004,1",
	"z0,10004,1",
	"Z1,10004,1",
	"Z2,20000,8",
	"Z4,20000,4",
	"z2,20000,8",
	"Hg1",
	"Hgp1.2",
	"Hc-1",
	"T2",
	"vCont?",
	"vCont;c",
	"vCont;s:1;c",
	"vCont;s:p1.2",
	"vAttach;1",
	"qC",
	"qfThreadInfo",
	"qsThreadInfo",
	"qThreadExtraInfo,1",
	"qAttached",
	"qSupported:multiprocess+;swbreak+;hwbreak+",
	"qXfer:features:read:target.xml:0,ffb",
	"qemu",
	"qqemu.sstep",
	"qqemu.sstepbits",
	"Qqemu.sstep=7",
	"Qqemu.PhyMemMode:1",
	"Qqemu.PhyMemMode:0",
	"QStartNoAckMode",
	"qRcmd,696e666f20737461747573",
	"qRcmd,68656c70",
	"qRcmd,782f34692030783130303030",
};

static const uint8_t code[] = {0xff, 0xc0, 0xff, 0xc0, 0x89, 0x04, 0x25, 0x00, 0x00, 0x02, 0x00,
			       0x8b, 0x0c, 0x25, 0x00, 0x00, 0x02, 0x00, 0x90, 0xcc, 0xeb, 0xea};

static void send_one(struct debugged *d)
{
	char text[65536], framed[65600];
	size_t n = mutate(text, sizeof(text) / 2, packets, ARRAY_SIZE(packets));
	uint8_t sum = 0;
	int head;

	/* Killing is meant to end it. */
	if (n && (text[0] == 'k' || !strncmp(text, "vKill", MIN(n, 5))))
		text[0] = 'j';
	for (size_t i = 0; i < n; i++)
		sum += (uint8_t)text[i];
	framed[0] = '$';
	memcpy(framed + 1, text, n);
	head = snprintf(framed + 1 + n, 8, "#%02x", any(16) ? sum : any(256));
	n += 1 + (size_t)head;
	if (!any(16))
		n = any((uint32_t)n + 1);
	if (!any(8))
		gdb_type(d, (uint8_t[]){any(2) ? 3 : (uint8_t)any(256)}, 1);
	gdb_type(d, framed, n);
}

static void assert_answers(struct debugged *d)
{
	const char *got;

	gdb_type(d, "++", 2);
	gdb_say(d, "qC");
	do {
		got = gdb_hear(d);
		if (!got)
			fail_msg("seed %#llx: no answer", (unsigned long long)seed);
	} while (strncmp(got, "QC", 2));
}

static void gdb_packets(void **state)
{
	struct debugged *d = gdb_new(*state, 2, code, sizeof(code));
	unsigned n = rounds(3000);
	size_t before = 0;

	gdb_connect(d);
	assert_answers(d);
	for (unsigned i = 0; i < n; i++) {
		send_one(d);
		if (i % 16 == 15) {
			assert_answers(d);
			d->peer->len = 0;
		}
		if (!any(200)) {
			gdb_hang_up(d);
			gdb_turns(d, (int)any(3));
			gdb_connect(d);
		}
		if (i == n / 4)
			before = mallinfo2().uordblks;
	}
	assert_answers(d);
	assert_grown_little(before);
	gdb_free(d);
}

/* ---- qtest ---- */

static const char *const lines[] = {
	"outb 0x71 0x12",
	"outl 0xcf8 0x80000000",
	"inl 0xcf8",
	"inw 0xcfc",
	"readb 0x1000",
	"readq 0x1000",
	"writel 0x1000 0x12345678",
	"read 0x1000 0x20",
	"write 0x1000 4 0x01020304",
	"memset 0x1000 0x100 0xaa",
	"b64read 0x1000 16",
	"b64write 0x1000 4 AQIDBA==",
	"endianness",
	"irq_intercept_in ioapic",
	"irq_intercept_out i8259",
	"set_irq_in ioapic unnamed-gpio-in 4 1",
	"nonsense",
	"",
	"   ",
};

static void qtest_lines(void **state)
{
	struct kit *k = kit_new_with(&machine_pc, NULL);
	struct kit_chardev *chr = kit_chardev_new(k, "qtest");
	struct qtest *q = qtest_new(k->m, chardev_take("qtest", NULL), true, "none", NULL);
	unsigned n = rounds(4000);
	size_t before = 0;

	for (unsigned i = 0; i < n; i++) {
		char text[65536];
		size_t len = mutate(text, sizeof(text) / 2, lines, ARRAY_SIZE(lines)), done = 0;

		if (any(16))
			text[len++] = '\n';
		chr->len = 0;
		for (int tries = 0; done < len && tries < 10000; tries++) {
			size_t part = kit_type(chr, text + done, len - done);

			done += part;
			if (!part)
				loop_run_once(k->m->loop, NS_PER_MS);
			chr->len = 0;
		}
		if (i == n / 4)
			before = mallinfo2().uordblks;
	}
	chr->len = 0;
	for (int tries = 0; !strstr(chr->out, "OK little") && tries < 10000; tries++) {
		if (tries % 100 == 0)
			kit_type(chr, "\nendianness\n", 12);
		loop_run_once(k->m->loop, NS_PER_MS);
	}
	assert_non_null(strstr(chr->out, "OK little"));
	assert_grown_little(before);
	qtest_free(q);
	kit_free(k);
}

/* ---- telnet ---- */

static void telnet_negotiation(void **state)
{
	unsigned n = rounds(200000), breaks;
	struct telnet t;
	size_t greeting;

	telnet_greeting(&t, &greeting);
	for (unsigned i = 0; i < n; i++) {
		/* Just as long, so that the sanitizers see a step beyond. */
		size_t len = 1 + any(40), left;
		uint8_t *buf = xmalloc(len);

		for (size_t j = 0; j < len; j++)
			buf[j] = any(3) ? (uint8_t)(236 + any(20)) : (uint8_t)any(256);
		breaks = 0;
		left = telnet_filter(&t, buf, len, &breaks);
		assert_true(left <= len && breaks <= len);
		free(buf);
	}
	/* Out of whatever it is in the middle of. */
	telnet_filter(&t, (uint8_t[]){TELNET_IAC, 240, 'a', TELNET_IAC, 240}, 5, &breaks);
	assert_int_equal(telnet_filter(&t, (uint8_t[]){'a', 'b'}, 2, &breaks), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{"gdb_packets", gdb_packets, NULL, NULL, (void *)"soft"},
		{"gdb_packets_int3", gdb_packets, NULL, NULL, (void *)"int3"},
		cmocka_unit_test(qtest_lines),
		cmocka_unit_test(telnet_negotiation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
