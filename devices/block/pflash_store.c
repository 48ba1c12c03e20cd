/* SPDX-License-Identifier: BSD-2-Clause */
/* What a flash chip has stored, on its way to the drive. */
#include <stdlib.h>
#include <string.h>
#include "devices/block/pflash_store.h"

static struct pflash_change *change_at(struct pflash_store *s, unsigned i)
{
	return &s->queue[(s->first + i) % PFLASH_STORE_CHANGES];
}

static void widen(uint64_t *from, uint64_t *to, uint64_t at, uint64_t n)
{
	bool empty = *from == *to;

	*from = empty ? at : MIN(*from, at);
	*to = empty ? at + n : MAX(*to, at + n);
}

static void drop_first(struct pflash_store *s)
{
	free(change_at(s, 0)->bytes);
	s->first = (s->first + 1) % PFLASH_STORE_CHANGES;
	s->n--;
}

/* ---- out of the queue ---- */

static void write_next(struct pflash_store *s);

static void written(void *opaque, int ret)
{
	struct pflash_store *s = opaque;
	const struct pflash_change *c = change_at(s, 0);

	s->in_flight = false;
	if (ret < 0) {
		widen(&s->lost_at, &s->lost_end, c->at, c->n);
		if (!s->failed)
			report_error(
				"pflash %s: what the guest has stored could not be written: %s",
				s->name, strerror(-ret));
	}
	s->failed = ret < 0;
	drop_first(s);
	write_next(s);
}

static void flushed(void *opaque, int ret)
{
	struct pflash_store *s = opaque;

	s->in_flight = false;
	if (ret < 0 && !s->failed) {
		s->failed = true;
		report_error("pflash %s: what the guest has stored could not be flushed: %s",
			     s->name, strerror(-ret));
	}
	write_next(s);
}

static void write_next(struct pflash_store *s)
{
	const struct pflash_change *c = change_at(s, 0);

	if (s->in_flight || (!s->n && !s->flush_wanted))
		return;
	s->in_flight = true;
	if (!s->n) {
		s->flush_wanted = false;
		block_flush(s->block, &s->req, flushed, s);
		return;
	}
	s->flush_wanted = true;
	s->iov.iov_base = c->bytes ? c->bytes : (uint8_t *)s->bytes + c->at;
	s->iov.iov_len = c->n;
	block_writev(s->block, &s->req, c->at, &s->iov, 1, 0, written, s);
}

/* ---- into the queue ---- */

static void append(struct pflash_store *s, uint64_t at, uint64_t n, bool copied)
{
	struct pflash_change *c = change_at(s, s->n++);

	*c = (struct pflash_change){.at = at, .n = n};
	if (copied) {
		c->bytes = xmalloc(n);
		memcpy(c->bytes, s->bytes + at, n);
	}
}

/* The change before, if this one goes on where that ends. */
static bool follows(struct pflash_store *s, uint64_t at, uint64_t n)
{
	struct pflash_change *last;

	if (s->n <= (s->in_flight ? 1u : 0u))
		return false;
	last = change_at(s, s->n - 1);
	if (!last->bytes || at != last->at + last->n || last->n + n > PFLASH_STORE_MERGED)
		return false;
	last->bytes = xrealloc(last->bytes, last->n + n);
	memcpy(last->bytes + last->n, s->bytes + at, n);
	last->n += n;
	return true;
}

static void add_to_last(struct pflash_store *s, uint64_t at, uint64_t n)
{
	struct pflash_change *last = change_at(s, s->n - 1);
	uint64_t end = last->at + last->n;

	free(last->bytes);
	last->bytes = NULL;
	widen(&last->at, &end, at, n);
	last->n = end - last->at;
}

static void append_lost(struct pflash_store *s)
{
	if (s->lost_at == s->lost_end || s->n >= PFLASH_STORE_CHANGES - 1)
		return;
	append(s, s->lost_at, s->lost_end - s->lost_at, false);
	s->lost_at = s->lost_end = 0;
}

void pflash_store_retry(struct pflash_store *s)
{
	append_lost(s);
	write_next(s);
}

void pflash_store_changed(struct pflash_store *s, uint64_t at, uint64_t n)
{
	append_lost(s);
	if (!follows(s, at, n)) {
		if (s->n < PFLASH_STORE_CHANGES)
			append(s, at, n, true);
		else
			add_to_last(s, at, n);
	}
	write_next(s);
}

/* ---- life ---- */

void pflash_store_init(struct pflash_store *s, struct block *block, const uint8_t *bytes,
		       const char *name)
{
	s->block = block;
	s->bytes = bytes;
	s->name = name;
}

void pflash_store_fini(struct pflash_store *s)
{
	while (s->n)
		drop_first(s);
}

bool pflash_store_busy(const struct pflash_store *s)
{
	return s->in_flight || s->n;
}
