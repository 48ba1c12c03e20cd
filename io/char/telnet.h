/* SPDX-License-Identifier: BSD-2-Clause */
/* The telnet protocol (RFC 854, 856, 857, 858) as far as a console needs it: characters at once, all eight bits. */
#ifndef EVMM_CHAR_TELNET_H
#define EVMM_CHAR_TELNET_H

#include "src/util.h"

#define TELNET_IAC 255

struct telnet {
	enum { TELNET_TEXT, TELNET_COMMAND, TELNET_OPTION, TELNET_SUB, TELNET_SUB_IAC } state;
	uint8_t command; /* whose option comes: WILL, WONT, DO or DONT */
	bool binary;	 /* the client sends all eight bits; else its CR comes as CR NUL */
	bool after_cr;
};

/* What the server says first: it echoes, no go-ahead, binary both ways. Resets T; returns the bytes and how many. */
const uint8_t *telnet_greeting(struct telnet *t, size_t *n);
/* Takes the protocol out of the N bytes at BUF; how many of the user's are left there. *BREAKS counts breaks. */
size_t telnet_filter(struct telnet *t, uint8_t *buf, size_t n, unsigned *breaks);

#endif
