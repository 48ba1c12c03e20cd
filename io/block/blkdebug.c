/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blkdebug: a filter that makes requests fail, or hang, as its rules say. For tests of what is above it.
 *
 *	inject-error.N.event=read_aio|write_aio|flush_to_disk|none	which requests (none: any)
 *	inject-error.N.iotype=read|write|write-zeroes|discard|flush	the same, more closely
 *	inject-error.N.sector=S		only those that touch this 512-byte sector
 *	inject-error.N.errno=E		how they fail (default 5, EIO; 0: they don't)
 *	inject-error.N.once=on		the first such request only
 *	inject-error.N.delay-ns=T	they are answered, or passed on, so much later
 *	align=BYTES			of requests, as if the disk below had such sectors
 *
 * Rules are tried in order; the first that fits counts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "io/block/delay.h"
#include "io/block/drivers.h"
#include "src/loop.h"

#define RULES_MAX 64

struct rule {
	unsigned ops; /* bit per enum block_op */
	bool any_sector, once, spent;
	uint64_t sector, delay_ns;
	int errnum;
};

struct blkdebug {
	struct block_node n;
	struct rule rules[RULES_MAX];
	unsigned n_rules;
	struct block_delay delay;
};

static struct blkdebug *of(struct block_node *n)
{
	return container_of(n, struct blkdebug, n);
}

/* ---- rules ---- */

#define ALL_OPS 0x1fu

struct word {
	const char *word;
	unsigned ops;
};

static const struct word events[] = {
	{"none", ALL_OPS},
	{"read_aio", BIT(BLOCK_OP_READ)},
	{"write_aio", BIT(BLOCK_OP_WRITE) | BIT(BLOCK_OP_ZERO)},
	{"flush_to_disk", BIT(BLOCK_OP_FLUSH)},
	{NULL, 0},
};

static const struct word iotypes[] = {
	{"read", BIT(BLOCK_OP_READ)},	      {"write", BIT(BLOCK_OP_WRITE)},
	{"write-zeroes", BIT(BLOCK_OP_ZERO)}, {"discard", BIT(BLOCK_OP_DISCARD)},
	{"flush", BIT(BLOCK_OP_FLUSH)},	      {NULL, 0},
};

static bool take_ops(struct block_options *o, const char *key, const struct word *words,
		     unsigned *ops, struct error *err)
{
	char *word = NULL;
	bool ok = block_options_str(o, key, &word, err);

	if (ok && word) {
		while (words->word && strcmp(words->word, word))
			words++;
		*ops &= words->ops;
		ok = words->word || error_set(err, "Parameter '%s' has no value '%s'", key, word);
	}
	free(word);
	return ok;
}

static bool take_rule(struct blkdebug *d, json_t *json, struct error *err)
{
	struct rule *rule = &d->rules[d->n_rules];
	struct block_options o;
	uint64_t errnum = EIO;
	bool ok;

	if (d->n_rules == RULES_MAX)
		return error_set(err, "blkdebug has more than %d rules", RULES_MAX);
	if (!json_is_object(json))
		return error_set(err, "Parameter 'inject-error' expects a list of rules");
	*rule = (struct rule){.ops = ALL_OPS};
	block_options_init(&o, json_incref(json));
	rule->any_sector = !block_options_has(&o, "sector");
	ok = take_ops(&o, "event", events, &rule->ops, err) &&
	     take_ops(&o, "iotype", iotypes, &rule->ops, err) &&
	     block_options_u64(&o, "sector", &rule->sector, err) &&
	     block_options_u64(&o, "errno", &errnum, err) &&
	     block_options_u64(&o, "delay-ns", &rule->delay_ns, err) &&
	     block_options_bool(&o, "once", &rule->once, err) &&
	     block_options_check_unused(&o, err);
	block_options_fini(&o);
	if (ok && errnum > 4095)
		ok = error_set(err, "Parameter 'errno' is an error number, not %llu",
			       (unsigned long long)errnum);
	rule->errnum = (int)errnum;
	d->n_rules++;
	return ok;
}

/* A list, or what the command line makes of one: {"0": ..., "1": ...}. */
static bool take_rules(struct blkdebug *d, json_t *rules, struct error *err)
{
	char index[16];

	for (unsigned i = 0; i < json_array_size(rules); i++)
		if (!take_rule(d, json_array_get(rules, i), err))
			return false;
	if (json_is_array(rules))
		return true;
	for (unsigned i = 0; i < json_object_size(rules); i++) {
		snprintf(index, sizeof(index), "%u", i);
		if (!take_rule(d, json_object_get(rules, index), err))
			return false;
	}
	return json_is_object(rules) ||
	       error_set(err, "Parameter 'inject-error' expects a list of rules");
}

static bool touches(const struct rule *rule, const struct block_req *r)
{
	uint64_t at = rule->sector * BLOCK_SECTOR;

	if (!(rule->ops & BIT(r->op)) || rule->spent)
		return false;
	return rule->any_sector || (r->op != BLOCK_OP_FLUSH && at + BLOCK_SECTOR > r->offset &&
				    at < r->offset + r->bytes);
}

/* ---- requests ---- */

static void go_on(struct blkdebug *d, struct block_req *r, int errnum)
{
	if (errnum)
		block_req_complete(r, -errnum);
	else
		block_req_pass(&d->n, r);
}

static void delayed_go(struct block_delay *delay, struct block_req *r)
{
	go_on(container_of(delay, struct blkdebug, delay), r, r->ret);
}

static void blkdebug_submit(struct block_node *n, struct block_req *r)
{
	struct blkdebug *d = of(n);

	for (unsigned i = 0; i < d->n_rules; i++) {
		struct rule *rule = &d->rules[i];

		if (!touches(rule, r))
			continue;
		rule->spent = rule->once;
		r->ret = rule->errnum;
		if (rule->delay_ns)
			block_delay_add(&d->delay, r, rule->delay_ns);
		else
			go_on(d, r, rule->errnum);
		return;
	}
	block_req_pass(n, r);
}

/* The machine's end waits for nobody. */
static void blkdebug_cancel_waiting(struct block_node *n)
{
	block_delay_end_all(&of(n)->delay);
}

/* ---- life ---- */

static bool take_align(struct block_node *n, struct block_options *o, struct error *err)
{
	uint64_t align = 0;

	if (!block_options_size(o, "align", &align, err))
		return false;
	if (!align)
		return true;
	if (align & (align - 1) || align > 64 * KiB)
		return error_set(err, "Cannot meet constraints with align %llu",
				 (unsigned long long)align);
	n->align = n->serial_unit = (uint32_t)align;
	return true;
}

static bool blkdebug_open(struct block_node *n, struct block_options *o, struct error *err)
{
	struct blkdebug *d = of(n);
	json_t *rules = block_options_take(o, "inject-error");
	bool ok;

	block_delay_init(&d->delay, n->loop, "blkdebug", delayed_go);
	ok = !rules || take_rules(d, rules, err);
	json_decref(rules);
	return ok && take_align(n, o, err) && block_node_open_child(n, o, "image", err);
}

static void blkdebug_close(struct block_node *n)
{
	block_delay_fini(&of(n)->delay);
}

const struct block_driver block_blkdebug = {
	.name = "blkdebug",
	.size = sizeof(struct blkdebug),
	.open = blkdebug_open,
	.close = blkdebug_close,
	.submit = blkdebug_submit,
	.cancel_waiting = blkdebug_cancel_waiting,
};
