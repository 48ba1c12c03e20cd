/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cuts a stream of bytes, in whatever pieces it comes, into JSON texts, within QEMU's bounds. What QEMU takes beyond
 * JSON is taken: strings in single quotes. Knows nothing of QMP.
 */
#ifndef EVMM_JSON_STREAM_H
#define EVMM_JSON_STREAM_H

#include <jansson.h>
#include "src/util.h"

#define JSON_MAX_BYTES	 (64u << 20) /* of all tokens of one text */
#define JSON_MAX_TOKENS	 (2u << 20)
#define JSON_MAX_NESTING 1024

struct json_stream {
	/* TEXT is the stream's; it is whole as to its brackets and quotes, no more is known. Or ERROR is set. */
	void (*message)(void *opaque, const char *text, size_t len, const char *error);
	void *opaque;

	enum json_stream_state {
		IN_GAP,	   /* between tokens */
		IN_STRING, /* within QUOTE */
		IN_ESCAPE, /* after a backslash there */
		IN_WORD,   /* number or keyword */
		IN_RECOVER /* after an error: to the next blank, bracket, colon or comma */
	} state;
	char quote;
	int braces, brackets;
	unsigned tokens;
	size_t word; /* where the number or keyword begins */
	char *buf;
	size_t len, capacity;
};

/* Calls MESSAGE at most once: after the byte that completes it, or that comes after it. */
void json_stream_byte(struct json_stream *s, uint8_t byte);
void json_stream_reset(struct json_stream *s);
void json_stream_fini(struct json_stream *s);
/*
 * TEXT as a value, or NULL with a message of QEMU's form in ERROR. Integers from 2^63 to 2^64 - 1 come as the negative
 * int64_t of the same bits. Any thread.
 */
json_t *json_stream_parse(const char *text, size_t len, char *error, size_t error_bytes);

#endif
