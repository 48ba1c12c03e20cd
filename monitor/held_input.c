/* SPDX-License-Identifier: BSD-2-Clause */
/* Input that waits (held_input.h). */
#include "monitor/held_input.h"

void held_input_put(struct held_input *h, const uint8_t *buf, size_t n)
{
	memcpy(h->bytes, buf, n);
	h->len = n;
}

void held_input_feed(struct held_input *h,
		     size_t (*take)(void *opaque, const uint8_t *bytes, size_t n), void *opaque)
{
	size_t done = 0, n = 1;

	if (h->feeding)
		return;
	h->feeding = true;
	while (n && done < h->len) {
		n = take(opaque, h->bytes + done, h->len - done);
		done += n;
	}
	done = MIN(done, h->len);
	h->len -= done;
	memmove(h->bytes, h->bytes + done, h->len);
	h->feeding = false;
}
