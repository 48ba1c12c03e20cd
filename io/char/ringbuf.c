/* SPDX-License-Identifier: BSD-2-Clause */
/* The chardev that keeps the last bytes written to it in memory, for the monitor to read (ringbuf-read). */
#include <stdlib.h>
#include "io/char/backend.h"

#define RINGBUF_DEFAULT 65536
#define RINGBUF_MAX	(64 * MiB)

struct ringbuf {
	struct chardev chr;
	size_t size, len, start;
	uint8_t *bytes;
};

/* The oldest bytes make room. */
static size_t ringbuf_write(struct chardev *chr, const void *buf, size_t n)
{
	struct ringbuf *r = container_of(chr, struct ringbuf, chr);
	const uint8_t *from = buf;

	for (size_t i = 0; i < n; i++) {
		r->bytes[(r->start + r->len) & (r->size - 1)] = from[i];
		if (r->len < r->size)
			r->len++;
		else
			r->start = (r->start + 1) & (r->size - 1);
	}
	return n;
}

static void ringbuf_fini(struct chardev *chr)
{
	free(container_of(chr, struct ringbuf, chr)->bytes);
}

static const struct chardev_ops ringbuf_ops = {
	.name = "ringbuf",
	.write = ringbuf_write,
	.fini = ringbuf_fini,
};

static struct ringbuf *ringbuf_of(const struct chardev *chr)
{
	return chr->ops == &ringbuf_ops ? container_of(chr, struct ringbuf, chr) : NULL;
}

ssize_t chardev_ringbuf_read(struct chardev *chr, void *buf, size_t n)
{
	struct ringbuf *r = ringbuf_of(chr);
	uint8_t *to = buf;

	LOOP_ASSERT();
	if (!r)
		return -1;
	n = MIN(n, r->len);
	for (size_t i = 0; i < n; i++)
		to[i] = r->bytes[(r->start + i) & (r->size - 1)];
	r->start = (r->start + n) & (r->size - 1);
	r->len -= n;
	return n;
}

size_t chardev_ringbuf_used(const struct chardev *chr)
{
	const struct ringbuf *r = ringbuf_of(chr);

	return r ? r->len : 0;
}

bool chardev_ringbuf_write(struct chardev *chr, const void *buf, size_t n)
{
	LOOP_ASSERT();
	return ringbuf_of(chr) && chardev_write(chr, buf, n) == n;
}

struct chardev *chardev_new_ringbuf(struct loop *loop, const char *id,
				    const struct chardev_config *c, struct error *err)
{
	uint64_t size = c->size ? c->size : RINGBUF_DEFAULT;
	struct ringbuf *r;

	if ((size & (size - 1)) || size > RINGBUF_MAX) {
		error_set(err, "size of ringbuf chardev must be power of two, at most 64M");
		return NULL;
	}
	r = xzalloc(sizeof(*r));
	if (!chardev_init(&r->chr, &ringbuf_ops, loop, id, err)) {
		free(r);
		return NULL;
	}
	r->size = size;
	r->bytes = xmalloc(size);
	return &r->chr;
}
