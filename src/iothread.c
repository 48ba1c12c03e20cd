/* SPDX-License-Identifier: BSD-2-Clause */
/* The object `iothread`. */
#include "src/iothread.h"

#define POLL_MAX_NS	32768
#define THREAD_POOL_MAX 64

static bool iothread_realize(struct object *o, struct error *err)
{
	const struct iothread *t = container_of(o, struct iothread, obj);

	if (t->thread_pool_min > t->thread_pool_max)
		return error_set(err, "bad thread-pool-min/thread-pool-max values");
	return true;
}

static const struct device_prop iothread_props[] = {
	DEFINE_PROP(iothread, poll_max_ns, "poll-max-ns", PROP_U64, POLL_MAX_NS,
		    "to be queried; how long the loop polls adapts"),
	DEFINE_PROP(iothread, poll_grow, "poll-grow", PROP_U64, 0, "to be queried"),
	DEFINE_PROP(iothread, poll_shrink, "poll-shrink", PROP_U64, 0, "to be queried"),
	DEFINE_PROP(iothread, aio_max_batch, "aio-max-batch", PROP_U64, 0,
		    "to be queried; what a turn of the loop has collected is a batch"),
	DEFINE_PROP(iothread, thread_pool_min, "thread-pool-min", PROP_U64, 0,
		    "no meaning: workers are the engine's"),
	DEFINE_PROP(iothread, thread_pool_max, "thread-pool-max", PROP_U64, THREAD_POOL_MAX,
		    "no meaning: workers are the engine's"),
	DEFINE_PROP_END,
};

const struct object_type iothread_type = {
	.name = "iothread",
	.desc = "for iothread= of disks: one loop has them all, so it changes nothing",
	.size = sizeof(struct iothread),
	.props = iothread_props,
	.early = true,
	.realize = iothread_realize,
};

struct iothread *iothread_get(struct object_set *set, const char *id, struct error *err)
{
	struct object *o = object_find(set, id, &iothread_type, err);

	if (!o)
		return NULL;
	o->users++;
	return container_of(o, struct iothread, obj);
}

void iothread_put(struct iothread *t)
{
	if (t)
		t->obj.users--;
}
