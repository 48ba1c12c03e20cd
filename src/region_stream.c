/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams of bytes that vCPUs fetch from a register without a trap. */
#include "src/region_stream.h"

#define OPEN	   BIT64(32) /* the lowest bit of the generation */
#define GENERATION (~(BIT64(32) - 1))
#define NOTED	   BIT64(31)
#define POSITION   (NOTED - 1)

void region_stream_open(struct region_stream *s, const uint8_t *bytes, uint32_t pos, uint32_t end,
			bool noted)
{
	uint64_t word = __atomic_load_n(&s->word, __ATOMIC_RELAXED);

	s->bytes = bytes;
	s->end = end;
	word = ((word & GENERATION) + OPEN) | pos | (noted ? NOTED : 0);
	__atomic_store_n(&s->word, word, __ATOMIC_RELEASE);
}

bool region_stream_is_open(const struct region_stream *s)
{
	return __atomic_load_n(&s->word, __ATOMIC_RELAXED) & OPEN;
}

bool region_stream_close(struct region_stream *s, uint32_t *pos, bool *noted)
{
	uint64_t word = __atomic_load_n(&s->word, __ATOMIC_RELAXED);

	if (!(word & OPEN))
		return false;
	/* Acquire: who has claimed has copied. */
	while (!__atomic_compare_exchange_n(&s->word, &word, (word & GENERATION) + OPEN, true,
					    __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		;
	*pos = word & POSITION;
	*noted = word & NOTED;
	return true;
}

/* Is one of the marks in (FROM, TO]? FROM is less than a step before the first. */
static bool passes_mark(const struct region_stream *s, uint32_t from, uint32_t to)
{
	uint32_t step = s->mark_step;

	return step && (from + step - s->mark) / step != (to + step - s->mark) / step;
}

bool region_stream_read(const struct region_tap *tap, void *buf, uint32_t bytes)
{
	struct region_stream *s = tap->stream;
	uint64_t word = __atomic_load_n(&s->word, __ATOMIC_ACQUIRE), next;
	uint32_t pos = word & POSITION;

	if (!(word & OPEN) || pos >= s->end || bytes >= s->end - pos)
		return false;
	memcpy(buf, s->bytes + pos, bytes);
	next = word + bytes;
	if (passes_mark(s, pos, pos + bytes))
		next |= NOTED;
	/* What was looked at is what this word goes with, or the exchange fails. */
	return __atomic_compare_exchange_n(&s->word, &word, next, false, __ATOMIC_ACQ_REL,
					   __ATOMIC_RELAXED);
}

bool region_stream_status(const struct region_tap *tap, uint8_t *status)
{
	struct region_stream *s = tap->stream;
	uint64_t word = __atomic_load_n(&s->word, __ATOMIC_ACQUIRE);

	if (!(word & OPEN))
		return false;
	*status = s->status;
	if (!tap->takes_note || !(word & NOTED)) {
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		return !((__atomic_load_n(&s->word, __ATOMIC_RELAXED) ^ word) & GENERATION);
	}
	return s->quiet && __atomic_compare_exchange_n(&s->word, &word, word & ~NOTED, false,
						       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}
