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
	/*
	 * Calls line_add_candidate for each word that could stand where the one that ends LINE begins to. False: some
	 * come later, and then line_completed() is called.
	 */
	bool (*complete)(void *opaque, const char *line, struct line_editor *e);
	/* After such a wait: input is welcome again. */
	void (*completed)(void *opaque);
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
	bool completing;	  /* candidates are still to come */
	struct line_editor **job; /* where whoever brings them has us noted; cleared when we go */
};

void line_fini(struct line_editor *e);
void line_input(struct line_editor *e, const uint8_t *bytes, size_t n);
/* Prints the prompt and what is typed so far. */
void line_show(struct line_editor *e);
void line_add_candidate(struct line_editor *e, const char *word);
void line_completed(struct line_editor *e);
/* No input may be given until then. */
static inline bool line_is_completing(const struct line_editor *e)
{
	return e->completing;
}
/* Forgets what is typed so far, not the history. */
void line_reset(struct line_editor *e);

#endif
