/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams: bytes that a device has laid out for the guest to fetch from one register, element after element, and
 * what a status register shows meanwhile. While a stream is open vCPUs serve such reads themselves: a guest that reads a
 * disk by port I/O would else trap for each sector and for each look at the status.
 *
 *	loop thread					vCPU thread
 *	region_stream_open(bytes, end, ...)	-->	region_stream_read: claims [pos, pos+n), copies
 *	...						region_stream_status
 *	region_stream_close: how far it came
 *
 * The device's state stays the loop's: it is brought up to date when the stream is closed, which comes before whatever else
 * the device does. The last byte is never taken by a vCPU, so that the loop hears of the end by an ordinary trap. All that
 * changes meanwhile is one word, the position and one flag, which the loop takes back by one exchange; it never waits.
 */
#ifndef EVMM_REGION_STREAM_H
#define EVMM_REGION_STREAM_H

#include "src/util.h"

struct region_stream {
	uint64_t word; /* atomic: generation (odd: open), NOTED, position */
	/* set before it opens */
	const uint8_t *bytes; /* [0, end); unchanged while the stream is open */
	uint32_t end;
	uint32_t mark,
		mark_step; /* positions that are noted when they are reached: mark + n * mark_step */
	uint8_t status;
	bool quiet; /* a status read takes the note away; else it traps while there is one */
};

/* What of a region a stream stands behind. */
struct region_tap {
	struct region_stream *stream; /* NULL: nothing. It lives as long as any view with it. */
	uint8_t data;		      /* offset of the register that has the bytes; TAP_NONE */
	uint8_t status;		      /* of the 8-bit register that shows the status; TAP_NONE */
	bool takes_note;	      /* reading the status takes the note away */
};

#define TAP_NONE 0xff

/* ---- the loop ---- */

/*
 * Opens a closed stream: BYTES from POS on, up to END. NOTED: as if a mark had just been reached. STREAM has mark, mark_step,
 * status and quiet set.
 */
void region_stream_open(struct region_stream *s, const uint8_t *bytes, uint32_t pos, uint32_t end,
			bool noted);
bool region_stream_is_open(const struct region_stream *s);
/* False: it was closed. Else how far the guest has read, and whether there is a note. */
bool region_stream_close(struct region_stream *s, uint32_t *pos, bool *noted);

/* ---- a vCPU, for a read of a register that TAP has; false: trap ---- */

bool region_stream_read(const struct region_tap *tap, void *buf, uint32_t bytes);
bool region_stream_status(const struct region_tap *tap, uint8_t *status);

#endif
