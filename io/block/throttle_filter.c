/* SPDX-License-Identifier: BSD-2-Clause */
/* The filter `throttle`, and the object `throttle-group` whose limits it obeys. */
#include <stdlib.h>
#include "io/block/drivers.h"
#include "io/block/throttle.h"
#include "io/block/throttle_group.h"
#include "src/loop.h"

/* ---- the object ---- */

struct throttle_object {
	struct object obj;
	struct throttle_config config;
	struct throttle_group *group;
};

static bool object_realize(struct object *o, struct error *err)
{
	struct throttle_object *t = container_of(o, struct throttle_object, obj);

	if (!throttle_config_check(&t->config, err))
		return false;
	if (throttle_group_find(o->id))
		return error_set(err, "A group with this name already exists");
	t->group = throttle_group_get(o->set->loop, o->id);
	throttle_group_set(t->group, &t->config);
	return true;
}

static void object_unrealize(struct object *o)
{
	throttle_group_put(container_of(o, struct throttle_object, obj)->group);
}

static bool object_in_use(const struct object *o)
{
	return throttle_group_in_use(container_of(o, struct throttle_object, obj)->group);
}

#define LIMIT(prefix, name, limit, unit)                                                         \
	DEFINE_PROP(throttle_object, config.of[limit].avg, prefix name, PROP_U64, 0,             \
		    unit " a second"),                                                           \
		DEFINE_PROP(throttle_object, config.of[limit].max, prefix name "-max", PROP_U64, \
			    0, unit " a second in a burst"),                                     \
		DEFINE_PROP(throttle_object, config.of[limit].burst_length,                      \
			    prefix name "-max-length", PROP_U64, THROTTLE_BURST_LENGTH,          \
			    "seconds of a burst")

#define LIMITS(prefix)                                                                          \
	LIMIT(prefix, "bps-total", THROTTLE_BPS, "bytes"),                                      \
		LIMIT(prefix, "bps-read", THROTTLE_BPS_READ, "bytes read"),                     \
		LIMIT(prefix, "bps-write", THROTTLE_BPS_WRITE, "bytes written"),                \
		LIMIT(prefix, "iops-total", THROTTLE_IOPS, "requests"),                         \
		LIMIT(prefix, "iops-read", THROTTLE_IOPS_READ, "reads"),                        \
		LIMIT(prefix, "iops-write", THROTTLE_IOPS_WRITE, "writes"),                     \
		DEFINE_PROP(throttle_object, config.iops_size, prefix "iops-size", PROP_U64, 0, \
			    "bytes that count as one request")

static const struct device_prop throttle_props[] = {
	LIMITS("limits."),
	LIMITS("x-"),
	DEFINE_PROP_END,
};

const struct object_type throttle_group_type = {
	.name = "throttle-group",
	.desc = "limits that disks share",
	.size = sizeof(struct throttle_object),
	.props = throttle_props,
	.realize = object_realize,
	.unrealize = object_unrealize,
	.in_use = object_in_use,
};

/* ---- the filter ---- */

struct throttle_node {
	struct block_node n;
	struct throttle_member member;
};

static void node_go(struct throttle_member *m, struct block_req *r)
{
	block_req_pass(&container_of(m, struct throttle_node, member)->n, r);
}

static bool throttle_open(struct block_node *n, struct block_options *o, struct error *err)
{
	struct throttle_node *t = container_of(n, struct throttle_node, n);
	char *name = NULL;
	bool ok = block_options_str(o, "throttle-group", &name, err);

	if (ok && !name)
		ok = error_set(err, "Parameter 'throttle-group' is missing");
	if (ok && !throttle_group_find(name))
		ok = error_set(err, "Throttle group '%s' does not exist", name);
	if (ok)
		throttle_member_init(&t->member, throttle_group_get(n->loop, name), node_go);
	free(name);
	return ok && block_node_open_child(n, o, "file", err);
}

static void throttle_close(struct block_node *n)
{
	throttle_member_fini(&container_of(n, struct throttle_node, n)->member);
}

static void throttle_submit(struct block_node *n, struct block_req *r)
{
	if (throttle_enter(&container_of(n, struct throttle_node, n)->member, r))
		block_req_pass(n, r);
}

static void throttle_cancel_waiting(struct block_node *n)
{
	struct throttle_node *t = container_of(n, struct throttle_node, n);

	throttle_set_unlimited(&t->member, true);
}

static void throttle_lift_limits(struct block_node *n)
{
	struct throttle_node *t = container_of(n, struct throttle_node, n);

	throttle_set_unlimited(&t->member, true);
	throttle_set_unlimited(&t->member, false);
}

const struct block_driver block_throttle = {
	.name = "throttle",
	.size = sizeof(struct throttle_node),
	.open = throttle_open,
	.close = throttle_close,
	.submit = throttle_submit,
	.cancel_waiting = throttle_cancel_waiting,
	.lift_limits = throttle_lift_limits,
};
