/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line editor for a terminal at the other end of a chardev: bytes go in, a line comes out. Cursor keys, history,
 * ^A ^E ^K ^L ^U ^W, completion by tab. Knows nothing of monitors.
 */
#ifndef EVMM_LINE_H
#define EVMM_LINE_H

#include "src/util.h"

#define LINE_BYTES   1024
#define LINE_HISTORY 64

struct line_editor {
	const char *prompt;
	void (*print)(void *opaque, const char *text, size_t n);
	/* The line is complete; LINE is the editor's. May not free the editor. */
	void (*enter)(void *opaque, const char *line);
	/* Calls add(editor, candidate) for each word that could stand where the one that ends LINE begins to. */
	void (*complete)(void *opaque, const char *line, struct line_editor *e);
	void *opaque;

	char buf[LINE_BYTES];
	size_t len, cursor;
	enum { LINE_TEXT, LINE_ESC, LINE_CSI } state;
	unsigned csi_arg;
	bool last_was_cr;

	char *history[LINE_HISTORY];  /* oldest first */
	unsigned n_history, browsing; /* browsing == n_history: at the line being typed */
	char typed[LINE_BYTES];	      /* that line, while browsing */

	char *candidates[64];
	unsigned n_candidates;
};

void line_fini(struct line_editor *e);
void line_input(struct line_editor *e, const uint8_t *bytes, size_t n);
/* Prints the prompt and what is typed so far. */
void line_show(struct line_editor *e);
void line_add_candidate(struct line_editor *e, const char *word);

#endif
