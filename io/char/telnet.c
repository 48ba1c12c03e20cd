/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Telnet, the server's side.
 *
 *	TEXT --IAC--> COMMAND --IAC--> TEXT (a byte 255)
 *	                      --WILL, WONT, DO, DONT--> OPTION --any--> TEXT
 *	                      --SB--> SUB --IAC--> SUB_IAC --SE--> TEXT
 *	                      --other--> TEXT            --other--> SUB
 *
 * What the client agrees to or refuses needs no answer: all that is wanted has been asked for in the greeting, and what
 * else it offers is ignored, as RFC 854 allows.
 */
#include "io/char/telnet.h"

#define TELNET_SE    240
#define TELNET_BREAK 243
#define TELNET_SB    250
#define TELNET_WILL  251
#define TELNET_WONT  252
#define TELNET_DO    253
#define TELNET_DONT  254

#define TELNET_OPT_BINARY 0
#define TELNET_OPT_ECHO	  1
#define TELNET_OPT_SGA	  3

const uint8_t *telnet_greeting(struct telnet *t, size_t *n)
{
	static const uint8_t greeting[] = {
		TELNET_IAC,	   TELNET_WILL,	   TELNET_OPT_ECHO, TELNET_IAC,
		TELNET_WILL,	   TELNET_OPT_SGA, TELNET_IAC,	    TELNET_WILL,
		TELNET_OPT_BINARY, TELNET_IAC,	   TELNET_DO,	    TELNET_OPT_BINARY,
	};

	*t = (struct telnet){.state = TELNET_TEXT};
	*n = sizeof(greeting);
	return greeting;
}

/* Returns true when C is the user's. */
static bool text(struct telnet *t, uint8_t c)
{
	bool padding = c == 0 && t->after_cr && !t->binary;

	t->after_cr = c == '\r';
	return !padding;
}

static bool command(struct telnet *t, uint8_t c, unsigned *breaks)
{
	t->state = TELNET_TEXT;
	switch (c) {
	case TELNET_IAC:
		return text(t, c);
	case TELNET_WILL:
	case TELNET_WONT:
	case TELNET_DO:
	case TELNET_DONT:
		t->command = c;
		t->state = TELNET_OPTION;
		break;
	case TELNET_SB:
		t->state = TELNET_SUB;
		break;
	case TELNET_BREAK:
		++*breaks;
		break;
	}
	return false;
}

static void option(struct telnet *t, uint8_t c)
{
	t->state = TELNET_TEXT;
	if (c == TELNET_OPT_BINARY && (t->command == TELNET_WILL || t->command == TELNET_WONT))
		t->binary = t->command == TELNET_WILL;
}

static bool take(struct telnet *t, uint8_t c, unsigned *breaks)
{
	switch (t->state) {
	case TELNET_TEXT:
		if (c != TELNET_IAC)
			return text(t, c);
		t->state = TELNET_COMMAND;
		return false;
	case TELNET_COMMAND:
		return command(t, c, breaks);
	case TELNET_OPTION:
		option(t, c);
		return false;
	case TELNET_SUB:
		if (c == TELNET_IAC)
			t->state = TELNET_SUB_IAC;
		return false;
	case TELNET_SUB_IAC:
		t->state = c == TELNET_SE ? TELNET_TEXT : TELNET_SUB;
		return false;
	}
	return false;
}

size_t telnet_filter(struct telnet *t, uint8_t *buf, size_t n, unsigned *breaks)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = buf[i];

		if (take(t, c, breaks))
			buf[left++] = c;
	}
	return left;
}
