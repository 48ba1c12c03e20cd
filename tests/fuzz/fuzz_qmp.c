/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What comes in at a monitor's socket: QMP, or lines for the human monitor. Commands that would touch the host's files or end
 * the machine are left out.
 *
 *	byte 0	bit 0: the human monitor; bits 1 to 7: how many bytes come at once
 */
#include "tests/fuzz/fuzz.h"
#include "tests/monitor/kit.h"

/* Words of commands and arguments that reach out of the machine. */
static const char *const outside[] = {
	"quit",	   "save",     "dump",	 "file",   "path",    "chardev",  "log",
	"gdb",	   "blockdev", "drive",	 "change", "backend", "fd",	  "object",
	"qom_set", "qom-set",  "socket", "tap",	   "device",  "snapshot",
};
/* A session's memory of what it said. */
#define OUT_MAX (32 * KiB)

static struct kit *k;
static struct session *human;

static bool reaches_out(const uint8_t *data, size_t n)
{
	for (unsigned i = 0; i < ARRAY_SIZE(outside); i++)
		if (memmem(data, n, outside[i], strlen(outside[i])))
			return true;
	/* An escape could spell any of them. */
	return memchr(data, '\\', n);
}

static void forget(struct session *s)
{
	if (s->len > OUT_MAX)
		s->len = s->seen = 0;
}

static void start(void)
{
	k = kit_new(KIT_PC, NULL);
	human = kit_terminal(k);
	alarm(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_input in = {data, n};
	uint8_t how = (uint8_t)fuzz_take(&in, 1);
	struct session *s;

	if (!k)
		start();
	if (reaches_out(in.p, in.n))
		return 0;
	s = how & 1 ? human : k->s;
	while (in.n) {
		const uint8_t *bytes;
		size_t some = fuzz_take_bytes(&in, 1 + (how >> 1), &bytes);

		kit_send(k, s, (const char *)bytes, some);
	}
	/* Ends whatever was begun, so that the next input starts afresh. */
	kit_send(k, s, how & 1 ? "\x03\n" : "\xff\n", 2);
	loop_run_once(k->loop, 0);
	forget(s);
	return 0;
}
