/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk with many requests under way at once, aligned and not, while the monitor resizes it, limits it, changes its medium and has
 * what was held tried again. Each is done once; what is read is what was written, unless another write went over it meanwhile.
 *
 *	byte 0	the graph of nodes
 *	then	operations, each a byte and its arguments
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>
#include "tests/fuzz/fuzz.h"
#include "tests/unit/block_kit.h"

#define DISK_BYTES  (256 * KiB)
#define REQUESTS    24
#define REQUEST_MAX (32 * KiB)
#define PIECES	    8
#define NOBODY	    (-1)
#define SEVERAL	    (-2) /* wrote here at once: either may have won */

/* Real requests to a real file take their time. */
const unsigned fuzz_slowness = 20;

static const struct graph {
	const char *options;
	bool forgets; /* reads give nothing that was written */
} graphs[] = {
	{"format=raw,cache=none", false},
	{"format=raw,cache=none,aio=threads", false},
	{"format=raw,cache=directsync,aio=native", false},
	{"format=raw,cache=writethrough,aio=threads,discard=unmap,detect-zeroes=unmap", false},
	{"format=raw,offset=1536,cache=none,discard=unmap", false},
	{"format=raw,snapshot=on,cache=none", false},
	{"driver=raw,file.driver=blkdebug,file.align=4096,file.image.driver=file,file.image.filename=%s,"
	 "file.inject-error.0.sector=5,file.inject-error.0.event=write_aio,file.inject-error.1.sector=100,"
	 "file.inject-error.1.errno=28,werror=stop,rerror=stop,discard=unmap",
	 false},
	{"driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename=%s,"
	 "file.inject-error.0.sector=100,snapshot=on,werror=stop,rerror=stop",
	 false},
	{"driver=throttle,throttle-group=fuzz,file.driver=raw,file.file.driver=blkdebug,file.file.align=2048,"
	 "file.file.image.driver=null-co,file.file.image.latency-ns=300000,file.file.inject-error.0.sector=7,"
	 "file.file.inject-error.0.delay-ns=2000000,werror=enospc",
	 true},
	{"driver=blklogwrites,file.driver=file,file.filename=%s,log.driver=null-co,log.latency-ns=100000,"
	 "cache-mode=writethrough",
	 false},
	{"driver=blklogwrites,file.driver=blkdebug,file.image.driver=file,file.image.filename=%s,"
	 "file.inject-error.0.sector=9,log.driver=blkdebug,log.image.driver=null-co,log.inject-error.0.iotype=flush,"
	 "log.inject-error.1.sector=300,cache-mode=writethrough,werror=stop",
	 false},
	{"driver=raw,file.driver=null-co,file.latency-ns=500000", true},
};

struct request {
	struct block_req r;
	struct iovec iov[PIECES];
	enum block_op op;
	uint64_t offset, bytes;
	unsigned generation, started; /* of the model, and by its count */
	bool used, done;
	int ret;
	/* What is written; or read, and what it must be where KNOWN says so. */
	uint8_t *buf, *expected, *known;
};

/* What is on the disk, byte by byte. */
static struct {
	uint8_t data[DISK_BYTES];
	bool known[DISK_BYTES];
	int writer[DISK_BYTES];	      /* which request writes here now, or who did last */
	unsigned writers[DISK_BYTES]; /* that are under way */
	unsigned written[DISK_BYTES]; /* when one began or ended last, by COUNT */
	unsigned count;
	unsigned generation; /* goes on when the disk becomes another one */
	bool forgets;	     /* as in struct graph */
} model;

static struct kit k;
static struct request requests[REQUESTS];
static const struct graph *graph;

/* ---- the model ---- */

static void model_forget(bool known)
{
	model.generation++;
	memset(model.data, 0, sizeof(model.data));
	memset(model.known, known, sizeof(model.known));
	memset(model.writers, 0, sizeof(model.writers));
	for (unsigned i = 0; i < DISK_BYTES; i++)
		model.writer[i] = NOBODY;
}

/* Writes from before the disk was resized, say, may still be on their way. */
static bool any_stale(void)
{
	for (unsigned i = 0; i < REQUESTS; i++)
		if (requests[i].used && !requests[i].done &&
		    requests[i].generation != model.generation)
			return true;
	return false;
}

static void begin_write(struct request *q)
{
	int self = any_stale() ? SEVERAL : (int)(q - requests);

	model.count++;
	for (uint64_t i = q->offset; i < q->offset + q->bytes && i < DISK_BYTES; i++) {
		model.writer[i] = model.writers[i]++ ? SEVERAL : self;
		model.written[i] = model.count;
		model.known[i] = false;
	}
}

static void end_write(struct request *q)
{
	int self = (int)(q - requests);

	model.count++;
	for (uint64_t i = q->offset; i < q->offset + q->bytes && i < DISK_BYTES; i++) {
		model.writers[i]--;
		model.written[i] = model.count;
		if (model.writer[i] != self || q->ret || q->op == BLOCK_OP_DISCARD)
			continue;
		model.known[i] = !model.forgets;
		model.data[i] = q->op == BLOCK_OP_ZERO ? 0 : q->buf[i - q->offset];
	}
}

static void begin_read(struct request *q)
{
	for (uint64_t i = 0; i < q->bytes; i++) {
		bool inside = q->offset + i < DISK_BYTES;

		q->known[i] = inside && model.known[q->offset + i];
		q->expected[i] = inside ? model.data[q->offset + i] : 0;
	}
}

static void end_read(const struct request *q)
{
	for (uint64_t i = 0; !q->ret && i < q->bytes; i++) {
		if (!q->known[i] || model.written[q->offset + i] > q->started)
			continue;
		if (q->buf[i] != q->expected[i]) {
			fprintf(stderr, "%s: byte %llu is 0x%02x instead of 0x%02x\n",
				graph->options, (unsigned long long)(q->offset + i), q->buf[i],
				q->expected[i]);
			abort();
		}
	}
}

/* ---- requests ---- */

static void on_done(void *opaque, int ret)
{
	struct request *q = opaque;

	if (q->done)
		abort();
	q->done = true;
	q->ret = ret;
	if (q->generation != model.generation || q->op == BLOCK_OP_FLUSH)
		return;
	if (q->op == BLOCK_OP_READ)
		end_read(q);
	else
		end_write(q);
}

static struct request *free_request(void)
{
	for (;;) {
		for (unsigned i = 0; i < REQUESTS; i++)
			if (!requests[i].used || requests[i].done)
				return &requests[i];
		block_retry_held();
		loop_run_once(k.loop, NS_PER_SEC);
	}
}

/* In some pieces, aligned to 512 bytes or to nothing. */
static unsigned scatter(struct request *q, unsigned how)
{
	unsigned n = 1 + how % PIECES;
	uint64_t piece = q->bytes / n, at = 0;

	if (how & 0x80)
		piece = ALIGN_DOWN(piece, 512ull);
	for (unsigned i = 0; i < n; i++) {
		uint64_t bytes = i == n - 1 ? q->bytes - at : piece;

		q->iov[i] = (struct iovec){q->buf + at, bytes};
		at += bytes;
	}
	return n;
}

static void choose_range(struct request *q, struct fuzz_input *in)
{
	unsigned how = (unsigned)fuzz_take(in, 1);
	uint64_t at = fuzz_take(in, 2), bytes = fuzz_take(in, 1);

	/* Mostly near each other, and now and then beyond the end. */
	q->offset = how & 1 ? at % (DISK_BYTES / 512) * 512 : (at * 5) % DISK_BYTES;
	if (how & 2)
		q->offset %= 16 * KiB;
	q->bytes = 1 + (how & 4 ? bytes * 128 : bytes * 3) % REQUEST_MAX;
	if (how & 8)
		q->bytes = ALIGN_UP(q->bytes, 512ull);
}

static void submit(struct request *q, unsigned flags, unsigned n_iov)
{
	switch (q->op) {
	case BLOCK_OP_READ:
		block_readv(k.block, &q->r, q->offset, q->iov, n_iov, on_done, q);
		break;
	case BLOCK_OP_WRITE:
		block_writev(k.block, &q->r, q->offset, q->iov, n_iov, flags & BLOCK_FUA, on_done,
			     q);
		break;
	case BLOCK_OP_DISCARD:
		block_discard(k.block, &q->r, q->offset, q->bytes, on_done, q);
		break;
	case BLOCK_OP_ZERO:
		block_write_zeroes(k.block, &q->r, q->offset, q->bytes,
				   flags & (BLOCK_FUA | BLOCK_UNMAP), on_done, q);
		break;
	default:
		block_flush(k.block, &q->r, on_done, q);
	}
	if (q->done) /* from within the call */
		abort();
}

static void start(enum block_op op, struct fuzz_input *in)
{
	struct request *q = free_request();
	unsigned how, flags;

	memset(&q->r, 0, sizeof(q->r));
	q->op = op;
	q->used = true;
	q->done = false;
	q->generation = model.generation;
	q->started = model.count;
	choose_range(q, in);
	how = (unsigned)fuzz_take(in, 1);
	flags = (unsigned)fuzz_take(in, 1);
	if (op == BLOCK_OP_WRITE)
		memset(q->buf, (int)(how ^ model.count), q->bytes);
	if (op == BLOCK_OP_READ)
		begin_read(q);
	else if (op != BLOCK_OP_FLUSH)
		begin_write(q);
	submit(q, flags, scatter(q, how));
}

/* ---- what is done to the disk ---- */

static void set_limits(struct fuzz_input *in)
{
	struct throttle_config c = {.of = {{0}}};
	unsigned how = (unsigned)fuzz_take(in, 1);

	if (how & 1)
		c.of[how / 2 % THROTTLE_LIMITS].avg = 1000 + fuzz_take(in, 2);
	block_set_throttle(k.block, how & 0x80 ? "fuzz" : "own", &c);
}

static void change_medium(struct fuzz_input *in)
{
	struct kit other = {.loop = k.loop};
	struct block_node *medium;

	/* What went to one medium may be answered after the other is there, but is on the one. */
	model_forget(false);
	model.forgets = true;
	if (fuzz_take(in, 1) % 4) {
		block_remove_medium(k.block);
		return;
	}
	kit_open(&other,
		 "id=other,driver=raw,file.driver=null-co,file.size=100000,file.latency-ns=50000");
	medium = block_node_ref(other.block->root);
	block_free(other.block);
	if (!block_insert_medium(k.block, medium, NULL))
		block_node_unref(medium);
}

static void resize(struct fuzz_input *in)
{
	uint64_t bytes = fuzz_take(in, 2) * 5;

	model_forget(false);
	if (k.block->root)
		block_node_resize(k.block->root, bytes, NULL);
}

static void operate(struct fuzz_input *in)
{
	static const enum block_op ops[] = {BLOCK_OP_READ,  BLOCK_OP_READ,    BLOCK_OP_READ,
					    BLOCK_OP_WRITE, BLOCK_OP_WRITE,   BLOCK_OP_WRITE,
					    BLOCK_OP_FLUSH, BLOCK_OP_DISCARD, BLOCK_OP_ZERO};
	unsigned op = (unsigned)fuzz_take(in, 1);

	switch (op % 64) {
	case 0:
		block_retry_held();
		break;
	case 1:
		block_cancel_held(k.block);
		break;
	case 2:
		set_limits(in);
		break;
	case 3:
		if (fuzz_take(in, 1) % 16 == 1)
			resize(in);
		break;
	case 4:
		block_when_idle();
		break;
	case 5:
		if (fuzz_take(in, 1) % 16 == 1)
			change_medium(in);
		break;
	case 6:
		block_set_write_cache(k.block, op & 0x80);
		break;
	case 7:
	case 8:
	case 9:
	case 10:
	case 11:
		loop_run_once(k.loop, (int64_t)fuzz_take(in, 2));
		break;
	default:
		start(ops[op % ARRAY_SIZE(ops)], in);
	}
}

static void read_everything(void)
{
	for (uint64_t at = 0; at < DISK_BYTES; at += REQUEST_MAX) {
		struct request *q = free_request();

		memset(&q->r, 0, sizeof(q->r));
		q->op = BLOCK_OP_READ;
		q->used = true;
		q->done = false;
		q->generation = model.generation;
		q->started = model.count;
		q->offset = at;
		q->bytes = REQUEST_MAX;
		begin_read(q);
		submit(q, 0, scatter(q, 0));
	}
}

static void on_io_error(void *opaque, struct block *b, bool is_read, enum block_on_error action,
			int error)
{
}

static void on_idle(void *opaque)
{
}

static bool open_disk(void)
{
	static const struct block_host_ops host = {.io_error = on_io_error, .idle = on_idle};
	char *options, *msg;

	block_set_host(&host, NULL);
	options = strstr(graph->options, "%s") ? xasprintf(graph->options, k.path)
					       : xstrdup(graph->options);
	msg = kit_try_open(&k, options);
	/* An engine, or O_DIRECT, that is not to be had here. */
	if (msg && !strstr(options, "cache=none") && !strstr(options, "aio=native")) {
		fprintf(stderr, "%s: %s\n", options, msg);
		abort();
	}
	free(options);
	free(msg);
	return k.block;
}

static void allocate(void)
{
	for (unsigned i = 0; i < REQUESTS && !requests[i].buf; i++) {
		requests[i].buf = xaligned_zalloc(4096, REQUEST_MAX);
		requests[i].expected = xmalloc(REQUEST_MAX);
		requests[i].known = xmalloc(REQUEST_MAX);
	}
}

static void end(void)
{
	if (!block_drain(k.loop, 30 * NS_PER_SEC))
		abort();
	for (unsigned i = 0; i < REQUESTS; i++) {
		if (requests[i].used && !requests[i].done)
			abort();
		requests[i].used = false;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct throttle_config limits = {.of[THROTTLE_IOPS] = {.avg = 2000}};
	struct fuzz_input in = {data, n};
	struct throttle_group *group;

	allocate();
	graph = &graphs[fuzz_take(&in, 1) % ARRAY_SIZE(graphs)];
	kit_init(&k, DISK_BYTES + 1536);
	group = throttle_group_get(k.loop, "fuzz");
	throttle_group_set(group, &limits);
	if (open_disk()) {
		model.forgets = graph->forgets;
		model_forget(!model.forgets);
		while (in.n)
			operate(&in);
		end();
		read_everything();
		end();
	}
	throttle_group_put(group);
	block_set_host(NULL, NULL);
	kit_fini(&k);
	return 0;
}
