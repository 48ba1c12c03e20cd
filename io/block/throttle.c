/* SPDX-License-Identifier: BSD-2-Clause */
/* Limits of a disk's speed: buckets that leak, and groups whose members share them. */
#include <stdlib.h>
#include "io/block/throttle.h"
#include "src/clock.h"
#include "src/loop.h"

/* Beyond it the arithmetic is no longer exact, and no disk is as fast. */
#define VALUE_MAX	 1000000000000000ull
#define BURST_LENGTH_MAX 4294967295ull

struct bucket {
	double level, burst_level;
};

struct throttle_group {
	struct list node;
	struct loop *loop;
	char *name;
	unsigned refs;
	struct throttle_config config;
	struct bucket buckets[THROTTLE_LIMITS];
	int64_t leaked_ns;	/* up to when the buckets have leaked */
	struct list waiting[2]; /* members that wait to read, to write */
	unsigned turn;		/* who is asked next: readers or writers */
	struct timer timer;
	bool serving;
};

static struct list all = {&all, &all};

static const char *const names[] = {
	[THROTTLE_BPS] = "bps-total",	    [THROTTLE_BPS_READ] = "bps-read",
	[THROTTLE_BPS_WRITE] = "bps-write", [THROTTLE_IOPS] = "iops-total",
	[THROTTLE_IOPS_READ] = "iops-read", [THROTTLE_IOPS_WRITE] = "iops-write",
};

const char *throttle_limit_name(enum throttle_limit limit)
{
	return names[limit];
}

/* ---- limits ---- */

bool throttle_config_any(const struct throttle_config *c)
{
	for (unsigned i = 0; i < THROTTLE_LIMITS; i++)
		if (c->of[i].avg)
			return true;
	return false;
}

static bool check_limit(const struct throttle_config *c, unsigned i, struct error *err)
{
	__typeof__(&c->of[0]) of = &c->of[i];

	if (of->avg > VALUE_MAX || of->max > VALUE_MAX)
		return error_set(err, "%s and %s-max must be within [0, %llu]", names[i], names[i],
				 VALUE_MAX);
	if (of->max && !of->avg)
		return error_set(err, "%s-max requires %s", names[i], names[i]);
	if (of->max && of->max < of->avg)
		return error_set(err, "%s-max cannot be lower than %s", names[i], names[i]);
	if (!of->burst_length)
		return error_set(err, "%s-max-length cannot be 0", names[i]);
	if (of->burst_length > BURST_LENGTH_MAX)
		return error_set(err, "%s-max-length is too large", names[i]);
	if (of->burst_length > 1 && !of->max)
		return error_set(err, "%s-max-length is set without %s-max", names[i], names[i]);
	if (of->burst_length > 1 && of->max > VALUE_MAX / of->burst_length)
		return error_set(err, "%s-max-length is too large for this %s-max", names[i],
				 names[i]);
	return true;
}

bool throttle_config_check(const struct throttle_config *c, struct error *err)
{
	for (unsigned base = 0; base < THROTTLE_LIMITS; base += 3)
		if ((c->of[base].avg && (c->of[base + 1].avg || c->of[base + 2].avg)) ||
		    (c->of[base].max && (c->of[base + 1].max || c->of[base + 2].max)))
			return error_set(err, "%s and %s or %s cannot be used at the same time",
					 names[base], names[base + 1], names[base + 2]);
	for (unsigned i = 0; i < THROTTLE_LIMITS; i++)
		if (!check_limit(c, i, err))
			return false;
	if (c->iops_size && !c->of[THROTTLE_IOPS].avg && !c->of[THROTTLE_IOPS_READ].avg &&
	    !c->of[THROTTLE_IOPS_WRITE].avg)
		return error_set(err, "iops-size requires an iops limit");
	return true;
}

bool throttle_config_take(struct block_options *o, struct throttle_config *c, bool *any,
			  struct error *err)
{
	static const char *const keys[THROTTLE_LIMITS][3] = {
		{"bps-total", "bps-total-max", "bps-total-max-length"},
		{"bps-read", "bps-read-max", "bps-read-max-length"},
		{"bps-write", "bps-write-max", "bps-write-max-length"},
		{"iops-total", "iops-total-max", "iops-total-max-length"},
		{"iops-read", "iops-read-max", "iops-read-max-length"},
		{"iops-write", "iops-write-max", "iops-write-max-length"},
	};

	*any = block_options_has(o, "iops-size");
	for (unsigned i = 0; i < THROTTLE_LIMITS; i++) {
		for (unsigned k = 0; k < 3; k++)
			*any |= block_options_has(o, keys[i][k]);
		c->of[i].burst_length = THROTTLE_BURST_LENGTH;
		if (!block_options_u64(o, keys[i][0], &c->of[i].avg, err) ||
		    !block_options_u64(o, keys[i][1], &c->of[i].max, err) ||
		    !block_options_u64(o, keys[i][2], &c->of[i].burst_length, err))
			return false;
	}
	return block_options_u64(o, "iops-size", &c->iops_size, err) &&
	       throttle_config_check(c, err);
}

/* ---- buckets ---- */

static void leak(struct throttle_group *g)
{
	int64_t now = clock_now_ns(loop_clock_host(g->loop));
	double seconds = (double)(now - g->leaked_ns) / NS_PER_SEC;

	g->leaked_ns = now;
	for (unsigned i = 0; i < THROTTLE_LIMITS; i++) {
		struct bucket *k = &g->buckets[i];

		k->level = MAX(k->level - (double)g->config.of[i].avg * seconds, 0.0);
		k->burst_level = MAX(k->burst_level - (double)g->config.of[i].max * seconds, 0.0);
	}
}

/* Seconds until the bucket takes another request. */
static double bucket_wait(const struct throttle_group *g, unsigned i)
{
	double avg = (double)g->config.of[i].avg, max = (double)g->config.of[i].max;
	uint64_t length = MAX(g->config.of[i].burst_length, (uint64_t)THROTTLE_BURST_LENGTH);
	const struct bucket *k = &g->buckets[i];
	double size = max > 0 ? max * (double)length : avg / 10, wait = 0;

	if (avg <= 0)
		return 0;
	if (k->level > size)
		wait = (k->level - size) / avg;
	if (length > 1 && k->burst_level > max / 10)
		wait = MAX(wait, (k->burst_level - max / 10) / max);
	return wait;
}

/* The limits that count for reads (DIR 0) and writes (1). */
static const uint8_t limits_of[2][4] = {
	{THROTTLE_BPS, THROTTLE_BPS_READ, THROTTLE_IOPS, THROTTLE_IOPS_READ},
	{THROTTLE_BPS, THROTTLE_BPS_WRITE, THROTTLE_IOPS, THROTTLE_IOPS_WRITE},
};

/* Nanoseconds. */
static int64_t group_wait(const struct throttle_group *g, unsigned dir)
{
	double wait = 0;

	for (unsigned i = 0; i < 4; i++)
		wait = MAX(wait, bucket_wait(g, limits_of[dir][i]));
	return wait > 0 ? (int64_t)(wait * NS_PER_SEC) + 1 : 0;
}

static void pour(struct throttle_group *g, unsigned dir, uint64_t bytes)
{
	double ops = 1;

	if (g->config.iops_size && bytes > g->config.iops_size)
		ops = (double)bytes / (double)g->config.iops_size;
	for (unsigned i = 0; i < 4; i++) {
		unsigned limit = limits_of[dir][i];
		double units = limit >= THROTTLE_IOPS ? ops : (double)bytes;

		g->buckets[limit].level += units;
		g->buckets[limit].burst_level += units;
	}
}

/* ---- requests ---- */

/* 0 read, 1 write, -1: not limited. */
static int direction(const struct block_req *r)
{
	switch (r->op) {
	case BLOCK_OP_READ:
		return 0;
	case BLOCK_OP_WRITE:
	case BLOCK_OP_ZERO:
		return 1;
	default:
		return -1;
	}
}

static void let_go(struct throttle_group *g, struct throttle_member *m, struct block_req *r)
{
	r->limited = false;
	r->asked_ns = clock_now_ns(g->timer.clock);
	m->go(m, r);
}

static struct block_req *take_next(struct throttle_group *g, unsigned dir,
				   struct throttle_member **from)
{
	struct throttle_member *m =
		list_first(&g->waiting[dir], struct throttle_member, waiting[dir]);
	struct block_req *r = list_first(&m->queue[dir], struct block_req, node);

	list_remove(&r->node);
	list_remove(&m->waiting[dir]);
	if (!list_empty(&m->queue[dir]))
		list_push_back(&g->waiting[dir], &m->waiting[dir]);
	*from = m;
	return r;
}

/* For those that wait, also those that came from within their go(). */
static void arm(struct throttle_group *g)
{
	int64_t next = INT64_MAX;

	for (unsigned dir = 0; dir < 2; dir++)
		if (!list_empty(&g->waiting[dir]))
			next = MIN(next, group_wait(g, dir));
	if (next != INT64_MAX)
		timer_arm(&g->timer, g->leaked_ns + next);
}

static bool serve_one(struct throttle_group *g, unsigned dir)
{
	struct throttle_member *m;
	struct block_req *r;

	if (list_empty(&g->waiting[dir]) || group_wait(g, dir))
		return false;
	r = take_next(g, dir, &m);
	pour(g, dir, r->bytes);
	let_go(g, m, r);
	return true;
}

/* Lets go what may, reads and writes in turns, and sets the timer for the rest. */
static void serve(struct throttle_group *g)
{
	if (g->serving)
		return;
	g->serving = true;
	g->refs++;
	leak(g);
	for (unsigned refused = 0; refused < 2; g->turn = !g->turn)
		refused = serve_one(g, g->turn) ? 0 : refused + 1;
	arm(g);
	g->serving = false;
	throttle_group_put(g);
}

bool throttle_enter(struct throttle_member *m, struct block_req *r)
{
	struct throttle_group *g = m->group;
	int dir = direction(r);

	if (!g || m->unlimited || dir < 0)
		return true;
	leak(g);
	if (list_empty(&g->waiting[dir]) && !group_wait(g, (unsigned)dir)) {
		pour(g, (unsigned)dir, r->bytes);
		return true;
	}
	if (list_empty(&m->queue[dir]))
		list_push_back(&g->waiting[dir], &m->waiting[dir]);
	list_push_back(&m->queue[dir], &r->node);
	r->limited = true;
	/* The timer may be set for the other direction, to much later. */
	if (!g->serving)
		arm(g);
	return false;
}

static void on_timer(void *opaque)
{
	serve(opaque);
}

/* ---- members ---- */

void throttle_member_init(struct throttle_member *m, struct throttle_group *group,
			  void (*go)(struct throttle_member *m, struct block_req *r))
{
	m->group = group;
	m->go = go;
	m->unlimited = false;
	for (unsigned dir = 0; dir < 2; dir++) {
		list_init(&m->queue[dir]);
		list_init(&m->waiting[dir]);
	}
}

static void let_all_go(struct throttle_group *g, struct throttle_member *m)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		list_remove(&m->waiting[dir]);
		while (!list_empty(&m->queue[dir])) {
			struct block_req *r = list_first(&m->queue[dir], struct block_req, node);

			list_remove(&r->node);
			let_go(g, m, r);
		}
	}
}

void throttle_member_fini(struct throttle_member *m)
{
	struct throttle_group *g = m->group;

	if (!g)
		return;
	m->group = NULL;
	let_all_go(g, m);
	throttle_group_put(g);
}

void throttle_set_unlimited(struct throttle_member *m, bool unlimited)
{
	if (!m->group)
		return;
	m->unlimited = unlimited;
	if (unlimited)
		let_all_go(m->group, m);
}

/* ---- groups ---- */

struct throttle_group *throttle_group_find(const char *name)
{
	list_for_each(it, &all) {
		struct throttle_group *g = list_entry(it, struct throttle_group, node);

		if (!strcmp(g->name, name))
			return g;
	}
	return NULL;
}

struct throttle_group *throttle_group_get(struct loop *loop, const char *name)
{
	struct throttle_group *g = throttle_group_find(name);

	LOOP_ASSERT();
	if (g) {
		g->refs++;
		return g;
	}
	g = xzalloc(sizeof(*g));
	g->refs = 1;
	g->loop = loop;
	g->name = xstrdup(name);
	g->leaked_ns = clock_now_ns(loop_clock_host(loop));
	for (unsigned dir = 0; dir < 2; dir++)
		list_init(&g->waiting[dir]);
	timer_init(&g->timer, loop_clock_host(loop), "throttle", on_timer, g);
	list_push_back(&all, &g->node);
	return g;
}

void throttle_group_put(struct throttle_group *g)
{
	if (--g->refs)
		return;
	timer_cancel(&g->timer);
	list_remove(&g->node);
	free(g->name);
	free(g);
}

bool throttle_group_in_use(const struct throttle_group *g)
{
	return g->refs > 1;
}

const char *throttle_group_name(const struct throttle_group *g)
{
	return g->name;
}

const struct throttle_config *throttle_group_config(const struct throttle_group *g)
{
	return &g->config;
}

void throttle_group_set(struct throttle_group *g, const struct throttle_config *c)
{
	leak(g);
	g->config = *c;
	memset(g->buckets, 0, sizeof(g->buckets));
	serve(g);
}
