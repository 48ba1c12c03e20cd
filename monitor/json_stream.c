/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stream of JSON texts. The text is gathered byte by byte, in a form that jansson takes: single quotes become double
 * ones, blanks between tokens go. Errors end the text that they are in; the next token begins a new one, as in QEMU.
 *
 *	         quote           \
 *	START <---------> STRING <--> ESCAPE
 *	  ^ ^  letter, digit
 *	  | `-------------> WORD
 *	  `--- RECOVER <-- an error, from anywhere
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "monitor/json_stream.h"

#define KEEP_BYTES (64u << 10) /* a larger buffer is given back after its text */

void json_stream_reset(struct json_stream *s)
{
	s->state = IN_GAP;
	s->braces = s->brackets = 0;
	s->tokens = 0;
	s->len = 0;
	if (s->capacity > KEEP_BYTES) {
		free(s->buf);
		s->buf = NULL;
		s->capacity = 0;
	}
}

void json_stream_fini(struct json_stream *s)
{
	free(s->buf);
	s->buf = NULL;
	s->len = s->capacity = 0;
}

static void fail(struct json_stream *s, const char *error)
{
	json_stream_reset(s);
	s->state = IN_RECOVER;
	s->message(s->opaque, NULL, 0, error);
}

static void append(struct json_stream *s, char c)
{
	if (s->len == s->capacity) {
		s->capacity = MAX(2 * s->capacity, (size_t)256);
		s->buf = xrealloc(s->buf, s->capacity);
	}
	s->buf[s->len++] = c;
}

static void deliver(struct json_stream *s)
{
	/* The receiver may look at the text only while it is called. */
	s->message(s->opaque, s->buf, s->len, NULL);
	json_stream_reset(s);
}

static void token_done(struct json_stream *s)
{
	s->state = IN_GAP;
	s->tokens++;
	if (s->braces < 0 || s->brackets < 0 || (!s->braces && !s->brackets))
		deliver(s);
	else if (s->len > JSON_MAX_BYTES)
		fail(s, "JSON token size limit exceeded");
	else if (s->tokens > JSON_MAX_TOKENS)
		fail(s, "JSON token count limit exceeded");
	else if (s->braces + s->brackets > JSON_MAX_NESTING)
		fail(s, "JSON nesting depth limit exceeded");
}

/* What doesn't fit jansson's int64_t, but in a uint64_t. */
static void word_done(struct json_stream *s)
{
	char digits[24];
	size_t n = s->len - s->word;
	unsigned long long v;

	if (n >= 19 && n <= 20) {
		memcpy(digits, s->buf + s->word, n);
		digits[n] = 0;
		errno = 0;
		v = strtoull(digits, NULL, 10);
		if (strspn(digits, "0123456789") == n && digits[0] != '0' && !errno &&
		    v > INT64_MAX) {
			s->len = s->word;
			snprintf(digits, sizeof(digits), "%lld", (long long)v);
			for (const char *p = digits; *p; p++)
				append(s, *p);
		}
	}
	token_done(s);
}

static bool is_word_byte(uint8_t c)
{
	return isalnum(c) || c == '-' || c == '+' || c == '.' || c == '_';
}

static void stray(struct json_stream *s)
{
	fail(s, "JSON parse error, stray character");
}

static void in_string(struct json_stream *s, uint8_t c)
{
	if (c == (uint8_t)s->quote) {
		append(s, '"');
		token_done(s);
	} else if (c == '\\') {
		s->state = IN_ESCAPE;
	} else if (c < 0x20 || c == 0xc0 || c == 0xc1 || c > 0xf4) {
		stray(s);
	} else {
		if (c == '"')
			append(s, '\\');
		append(s, (char)c);
		if (s->len > JSON_MAX_BYTES)
			fail(s, "JSON token size limit exceeded");
	}
}

static void in_escape(struct json_stream *s, uint8_t c)
{
	if (c < 0x20 || c > 0x7e) {
		stray(s);
		return;
	}
	if (c != '\'')
		append(s, '\\');
	append(s, (char)c);
	s->state = IN_STRING;
}

static void at_start(struct json_stream *s, uint8_t c)
{
	if (c == ' ' || (c >= '\t' && c <= '\r'))
		return;
	if (c == '"' || c == '\'') {
		s->quote = (char)c;
		s->state = IN_STRING;
		append(s, '"');
		return;
	}
	if (is_word_byte(c)) {
		/* Two words in a row are an error that the parser has to see. */
		if (s->len && is_word_byte(s->buf[s->len - 1]))
			append(s, ' ');
		s->state = IN_WORD;
		s->word = s->len;
		append(s, (char)c);
		return;
	}
	if (!c || !strchr("{}[]:,", c)) {
		stray(s);
		return;
	}
	s->braces += (c == '{') - (c == '}');
	s->brackets += (c == '[') - (c == ']');
	append(s, (char)c);
	token_done(s);
}

static bool ends_recovery(uint8_t c)
{
	return c < 0x20 || strchr("{}[]:,", c);
}

void json_stream_byte(struct json_stream *s, uint8_t c)
{
	if (s->state == IN_WORD) {
		if (is_word_byte(c)) {
			append(s, (char)c);
			if (s->len > JSON_MAX_BYTES)
				fail(s, "JSON token size limit exceeded");
			return;
		}
		word_done(s);
	}
	if (s->state == IN_RECOVER) {
		if (!ends_recovery(c))
			return;
		s->state = IN_GAP;
		if (c < 0x20)
			return;
	}
	if (s->state == IN_STRING)
		in_string(s, c);
	else if (s->state == IN_ESCAPE)
		in_escape(s, c);
	else
		at_start(s, c);
}

json_t *json_stream_parse(const char *text, size_t len, char *error, size_t error_bytes)
{
	json_error_t e;
	json_t *v = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &e);

	if (!v)
		snprintf(error, error_bytes, "JSON parse error, %s", e.text);
	return v;
}
