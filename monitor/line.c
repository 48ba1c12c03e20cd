/* SPDX-License-Identifier: BSD-2-Clause */
/* The line editor. Its escape sequences are those of ECMA-48 (CSI K, C, D), which every terminal has. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "monitor/line.h"

#define KEY(c) ((c)&0x1f)

static void print(struct line_editor *e, const char *text)
{
	e->print(e->opaque, text, strlen(text));
}

static void move_back(struct line_editor *e, size_t n)
{
	char csi[24];

	if (!n)
		return;
	snprintf(csi, sizeof(csi), "\033[%zuD", n);
	print(e, csi);
}

/* Draws from FROM, where the terminal's cursor is, to the end, and leaves the cursor where it belongs. */
static void draw_tail(struct line_editor *e, size_t from)
{
	e->print(e->opaque, e->buf + from, e->len - from);
	print(e, "\033[K");
	move_back(e, e->len - e->cursor);
}

void line_show(struct line_editor *e)
{
	print(e, e->prompt);
	e->print(e->opaque, e->buf, e->len);
	move_back(e, e->len - e->cursor);
}

/* ---- editing ---- */

static void insert(struct line_editor *e, const char *text, size_t n)
{
	n = MIN(n, LINE_BYTES - 1 - e->len);
	memmove(e->buf + e->cursor + n, e->buf + e->cursor, e->len - e->cursor);
	memcpy(e->buf + e->cursor, text, n);
	e->len += n;
	e->cursor += n;
	if (e->cursor == e->len)
		e->print(e->opaque, e->buf + e->cursor - n, n);
	else
		draw_tail(e, e->cursor - n);
}

static void delete (struct line_editor *e, size_t from, size_t to)
{
	if (from == to)
		return;
	move_back(e, e->cursor - from);
	memmove(e->buf + from, e->buf + to, e->len - to);
	e->len -= to - from;
	e->cursor = from;
	draw_tail(e, from);
}

static void move_to(struct line_editor *e, size_t cursor)
{
	if (cursor > e->cursor)
		e->print(e->opaque, e->buf + e->cursor, cursor - e->cursor);
	else
		move_back(e, e->cursor - cursor);
	e->cursor = cursor;
}

static void replace(struct line_editor *e, const char *text)
{
	move_back(e, e->cursor);
	e->len = e->cursor = strlen(text);
	memcpy(e->buf, text, e->len);
	draw_tail(e, 0);
}

static size_t word_start(const struct line_editor *e)
{
	size_t i = e->cursor;

	while (i && isspace((unsigned char)e->buf[i - 1]))
		i--;
	while (i && !isspace((unsigned char)e->buf[i - 1]))
		i--;
	return i;
}

/* ---- history ---- */

static void remember(struct line_editor *e)
{
	if (!e->len || (e->n_history && !strcmp(e->history[e->n_history - 1], e->buf)))
		return;
	if (e->n_history == LINE_HISTORY) {
		free(e->history[0]);
		memmove(e->history, e->history + 1, (LINE_HISTORY - 1) * sizeof(e->history[0]));
		e->n_history--;
	}
	e->history[e->n_history++] = xstrdup(e->buf);
}

static void browse(struct line_editor *e, int step)
{
	unsigned to = e->browsing + step;

	if (to > e->n_history) /* also when it went below 0 */
		return;
	e->buf[e->len] = 0;
	if (e->browsing == e->n_history)
		memcpy(e->typed, e->buf, e->len + 1);
	e->browsing = to;
	replace(e, to == e->n_history ? e->typed : e->history[to]);
}

/* ---- completion ---- */

void line_add_candidate(struct line_editor *e, const char *word)
{
	if (e->n_candidates < ARRAY_SIZE(e->candidates))
		e->candidates[e->n_candidates++] = xstrdup(word);
}

static size_t common_prefix(const struct line_editor *e)
{
	size_t n = strlen(e->candidates[0]);

	for (unsigned i = 1; i < e->n_candidates; i++) {
		size_t k = 0;

		while (k < n && e->candidates[i][k] == e->candidates[0][k])
			k++;
		n = k;
	}
	return n;
}

static void list_candidates(struct line_editor *e)
{
	print(e, "\r\n");
	for (unsigned i = 0; i < e->n_candidates; i++) {
		print(e, e->candidates[i]);
		print(e, i % 6 == 5 || i == e->n_candidates - 1 ? "\r\n" : "  ");
	}
	line_show(e);
}

/* How much of the word that ends at the cursor is typed. */
static size_t word_typed(const struct line_editor *e)
{
	size_t start = e->cursor;

	while (start && !isspace((unsigned char)e->buf[start - 1]))
		start--;
	return e->cursor - start;
}

static bool goes_on(const char *candidate)
{
	size_t n = strlen(candidate);

	return n && (candidate[n - 1] == '/' || candidate[n - 1] == '=');
}

static void use_candidates(struct line_editor *e)
{
	size_t have = word_typed(e), prefix;

	if (!e->n_candidates)
		return;
	prefix = common_prefix(e);
	if (prefix > have)
		insert(e, e->candidates[0] + have, prefix - have);
	if (e->n_candidates == 1 && !goes_on(e->candidates[0]))
		insert(e, " ", 1);
	else if (e->n_candidates > 1 && prefix <= have)
		list_candidates(e);
	for (unsigned i = 0; i < e->n_candidates; i++)
		free(e->candidates[i]);
	e->n_candidates = 0;
}

void line_completed(struct line_editor *e)
{
	e->completing = false;
	e->job = NULL;
	use_candidates(e);
	e->completed(e->opaque);
}

static void complete(struct line_editor *e)
{
	char line[LINE_BYTES];

	if (!e->complete)
		return;
	memcpy(line, e->buf, e->cursor);
	line[e->cursor] = 0;
	e->n_candidates = 0;
	if (e->complete(e->opaque, line, e))
		use_candidates(e);
	else
		e->completing = true;
}

/* ---- keys ---- */

static void enter(struct line_editor *e)
{
	char line[LINE_BYTES];

	move_to(e, e->len);
	print(e, "\r\n");
	e->buf[e->len] = 0;
	remember(e);
	memcpy(line, e->buf, e->len + 1);
	e->len = e->cursor = 0;
	e->browsing = e->n_history;
	e->enter(e->opaque, line);
}

static void control_key(struct line_editor *e, uint8_t c)
{
	switch (c) {
	case KEY('A'):
		move_to(e, 0);
		break;
	case KEY('B'):
		move_to(e, e->cursor ? e->cursor - 1 : 0);
		break;
	case KEY('D'):
		delete (e, e->cursor, MIN(e->cursor + 1, e->len));
		break;
	case KEY('E'):
		move_to(e, e->len);
		break;
	case KEY('F'):
		move_to(e, MIN(e->cursor + 1, e->len));
		break;
	case KEY('H'):
	case 0x7f:
		delete (e, e->cursor ? e->cursor - 1 : 0, e->cursor);
		break;
	case KEY('I'):
		complete(e);
		break;
	case KEY('K'):
		delete (e, e->cursor, e->len);
		break;
	case KEY('L'):
		print(e, "\033[2J\033[H");
		line_show(e);
		break;
	case KEY('N'):
		browse(e, 1);
		break;
	case KEY('P'):
		browse(e, -1);
		break;
	case KEY('U'):
		delete (e, 0, e->cursor);
		break;
	case KEY('W'):
		delete (e, word_start(e), e->cursor);
		break;
	case KEY('['):
		e->state = LINE_ESC;
		break;
	}
}

/* The end of CSI ARG C: the cursor keys and their neighbours. */
static void csi_key(struct line_editor *e, uint8_t c)
{
	static const char by_number[] = {
		[1] = KEY('A'), [3] = KEY('D'), [4] = KEY('E'), [7] = KEY('A'), [8] = KEY('E')};

	switch (c) {
	case 'A':
		control_key(e, KEY('P'));
		break;
	case 'B':
		control_key(e, KEY('N'));
		break;
	case 'C':
		control_key(e, KEY('F'));
		break;
	case 'D':
		control_key(e, KEY('B'));
		break;
	case 'F':
		control_key(e, KEY('E'));
		break;
	case 'H':
		control_key(e, KEY('A'));
		break;
	case '~':
		if (e->csi_arg < sizeof(by_number) && by_number[e->csi_arg])
			control_key(e, by_number[e->csi_arg]);
		break;
	}
}

static void line_key(struct line_editor *e, uint8_t c)
{
	bool after_cr = e->last_was_cr;

	e->last_was_cr = c == '\r';
	if (e->state == LINE_ESC) {
		e->state = c == '[' || c == 'O' ? LINE_CSI : LINE_TEXT;
		e->csi_arg = 0;
	} else if (e->state == LINE_CSI) {
		if (isdigit(c)) {
			e->csi_arg = MIN(e->csi_arg * 10 + (c - '0'), 1000u);
		} else if (c != ';') {
			e->state = LINE_TEXT;
			csi_key(e, c);
		}
	} else if (c == '\r' || (c == '\n' && !after_cr)) {
		enter(e);
	} else if (c < 0x20 || c == 0x7f) {
		control_key(e, c);
	} else {
		insert(e, (const char *)&c, 1);
	}
}

void line_input(struct line_editor *e, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		line_key(e, bytes[i]);
}

void line_reset(struct line_editor *e)
{
	e->len = e->cursor = 0;
	e->state = LINE_TEXT;
	e->browsing = e->n_history;
}

void line_fini(struct line_editor *e)
{
	if (e->job)
		*e->job = NULL;
	for (unsigned i = 0; i < e->n_history; i++)
		free(e->history[i]);
	e->n_history = 0;
}
