/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk as its device sees it: requests, what happens when one fails, media that come and go. */
#include <errno.h>
#include <stdlib.h>
#include "io/block/block_internal.h"
#include "src/clock.h"

/* A request that takes this long is worth a line. */
#define STALL_NS       (5 * NS_PER_SEC)
#define STALL_AGAIN_NS (60 * NS_PER_SEC)

static struct list all = {&all, &all};
static const struct block_host_ops *host_ops;
static void *host_opaque;
static bool idle_wanted, draining; /* nobody is held then */

struct list *block_all(void)
{
	return &all;
}

void block_set_host(const struct block_host_ops *ops, void *opaque)
{
	idle_wanted = false;
	host_ops = ops;
	host_opaque = opaque;
}

struct block *block_by_id(const char *id)
{
	list_for_each(it, &all) {
		struct block *b = list_entry(it, struct block, node);

		if (b->id && !strcmp(b->id, id))
			return b;
	}
	return NULL;
}

/* ---- error policies ---- */

static const char *const on_error_names[] = {
	[BLOCK_ERROR_REPORT] = "report",
	[BLOCK_ERROR_IGNORE] = "ignore",
	[BLOCK_ERROR_ENOSPC] = "enospc",
	[BLOCK_ERROR_STOP] = "stop",
};

const char *block_on_error_name(enum block_on_error e)
{
	return on_error_names[e];
}

bool block_on_error_parse(const char *word, bool is_read, enum block_on_error *out,
			  struct error *err)
{
	for (unsigned i = 0; i < ARRAY_SIZE(on_error_names); i++) {
		if (!strcmp(word, on_error_names[i]) && !(is_read && i == BLOCK_ERROR_ENOSPC)) {
			*out = i;
			return true;
		}
	}
	return error_set(err, "'%s' invalid %s error action (report, ignore, stop%s)", word,
			 is_read ? "read" : "write", is_read ? "" : " or enospc");
}

static enum block_on_error action_for(const struct block *b, bool is_read, int errnum)
{
	enum block_on_error policy = is_read ? b->on_read_error : b->on_write_error;

	if (policy == BLOCK_ERROR_ENOSPC)
		return errnum == ENOSPC ? BLOCK_ERROR_STOP : BLOCK_ERROR_REPORT;
	return policy;
}

/* ---- completion ---- */

static void deliver(struct block *b, struct block_req *r)
{
	list_remove(&r->inflight);
	b->n_inflight--;
	block_node_unref(r->root);
	b->delivering++;
	r->done(r->opaque, r->ret);
	b->delivering--;
	if (unlikely(idle_wanted) && !block_any_inflight()) {
		idle_wanted = false;
		if (host_ops && host_ops->idle)
			host_ops->idle(host_opaque);
	}
}

/* A disk that its device has left is freed with its last request. */
static void free_if_left(struct block *b)
{
	if (b->released && !b->n_inflight && !b->delivering)
		block_free(b);
}

static void block_on_done_work(void *opaque)
{
	struct block *b = opaque;

	/* A callback may submit what is at once done too: that has its turn in the next round. */
	for (unsigned left = b->n_inflight; left && !list_empty(&b->done); left--) {
		struct block_req *r = list_first(&b->done, struct block_req, node);

		list_remove(&r->node);
		deliver(b, r);
	}
	if (!list_empty(&b->done))
		loop_work_schedule(&b->done_work);
	free_if_left(b);
}

static void done(struct block *b, struct block_req *r, int ret)
{
	r->ret = ret;
	if (!r->submitting) {
		deliver(b, r);
		free_if_left(b);
		return;
	}
	list_push_back(&b->done, &r->node);
	loop_work_schedule(&b->done_work);
}

/* Returns true when R stays here. */
static bool failed(struct block *b, struct block_req *r, int *ret)
{
	bool is_read = r->op == BLOCK_OP_READ;
	enum block_on_error action = action_for(b, is_read, -*ret);

	if (*ret == -ECANCELED || *ret == -ENOMEDIUM)
		return false;
	if (action == BLOCK_ERROR_STOP && (idle_wanted || draining)) {
		*ret = -ECANCELED;
		return false;
	}
	if (action == BLOCK_ERROR_STOP && !host_ops)
		action = BLOCK_ERROR_REPORT;
	if (host_ops && host_ops->io_error)
		host_ops->io_error(host_opaque, b, is_read, action, -*ret);
	if (action == BLOCK_ERROR_STOP) {
		b->io_errno = -*ret;
		block_node_unref(r->root);
		r->root = NULL;
		list_push_back(&b->held, &r->node);
		return true;
	}
	if (action == BLOCK_ERROR_IGNORE)
		*ret = 0;
	return false;
}

static void block_complete(struct block_req *r, int ret)
{
	struct block *b = r->owner;
	int64_t now = clock_now_ns(loop_clock_host(b->loop));

	if (unlikely(ret < 0) && failed(b, r, &ret))
		return;
	/* As the device sees it: what is held is counted when it has been tried again, and what is ignored has not failed. */
	block_stats_done(&b->stats, r->op, r->offset, r->bytes, now - r->start_ns, now, ret < 0);
	done(b, r, MIN(ret, 0));
}

/* ---- requests ---- */

static void submit(struct block *b, struct block_req *r)
{
	r->submitting = true;
	r->start_ns = r->asked_ns = clock_now_ns(loop_clock_host(b->loop));
	r->limited = false;
	r->root = block_node_ref(b->root);
	if (likely(!b->throttle.group) || throttle_enter(&b->throttle, r))
		block_node_submit(b->root, r);
	r->submitting = false;
}

/* The answer that needs no medium to be asked; 1: none. */
static int judge(const struct block *b, const struct block_req *r)
{
	bool writes = r->op != BLOCK_OP_READ && r->op != BLOCK_OP_FLUSH;

	if (!b->root)
		return -ENOMEDIUM;
	if (r->op == BLOCK_OP_FLUSH)
		return b->root->flags.read_only ? 0 : 1;
	if (writes && b->root->flags.read_only)
		return -EPERM;
	if (r->offset > b->root->bytes || r->bytes > b->root->bytes - r->offset)
		return -EIO;
	return r->bytes ? 1 : 0;
}

static void start(struct block *b, struct block_req *r, enum block_op op, uint64_t offset,
		  uint64_t bytes, const struct iovec *iov, unsigned n_iov, unsigned flags,
		  block_done_fn *done_fn, void *opaque)
{
	int ret;

	LOOP_ASSERT();
	block_req_set(r, op, offset, bytes, iov, n_iov, flags);
	r->complete = block_complete;
	r->root = NULL;
	r->owner = b;
	r->done = done_fn;
	r->opaque = opaque;
	list_push_back(&b->inflight, &r->inflight);
	b->n_inflight++;
	ret = judge(b, r);
	if (likely(ret > 0)) {
		if (!timer_pending(&b->stall_timer))
			timer_arm(&b->stall_timer,
				  clock_now_ns(loop_clock_host(b->loop)) + STALL_NS);
		submit(b, r);
		return;
	}
	if (ret < 0)
		block_stats_invalid(&b->stats, op, clock_now_ns(loop_clock_host(b->loop)));
	r->submitting = true;
	done(b, r, ret);
	r->submitting = false;
}

void block_readv(struct block *b, struct block_req *r, uint64_t offset, const struct iovec *iov,
		 unsigned n_iov, block_done_fn *done_fn, void *opaque)
{
	start(b, r, BLOCK_OP_READ, offset, iov_bytes(iov, n_iov), iov, n_iov, 0, done_fn, opaque);
}

void block_writev(struct block *b, struct block_req *r, uint64_t offset, const struct iovec *iov,
		  unsigned n_iov, unsigned flags, block_done_fn *done_fn, void *opaque)
{
	if (!b->write_cache)
		flags |= BLOCK_FUA;
	start(b, r, BLOCK_OP_WRITE, offset, iov_bytes(iov, n_iov), iov, n_iov, flags, done_fn,
	      opaque);
}

void block_flush(struct block *b, struct block_req *r, block_done_fn *done_fn, void *opaque)
{
	start(b, r, BLOCK_OP_FLUSH, 0, 0, NULL, 0, 0, done_fn, opaque);
}

void block_discard(struct block *b, struct block_req *r, uint64_t offset, uint64_t bytes,
		   block_done_fn *done_fn, void *opaque)
{
	start(b, r, BLOCK_OP_DISCARD, offset, bytes, NULL, 0, 0, done_fn, opaque);
}

void block_write_zeroes(struct block *b, struct block_req *r, uint64_t offset, uint64_t bytes,
			unsigned flags, block_done_fn *done_fn, void *opaque)
{
	if (!b->write_cache)
		flags |= BLOCK_FUA;
	start(b, r, BLOCK_OP_ZERO, offset, bytes, NULL, 0, flags, done_fn, opaque);
}

int block_pread_sync(struct block *b, uint64_t offset, void *buf, size_t n)
{
	if (!b->root)
		return -ENOMEDIUM;
	if (offset > b->root->bytes || n > b->root->bytes - offset)
		return -EIO;
	return block_node_pread_sync(b->root, offset, buf, n);
}

/* ---- requests that wait ---- */

static void take_all(struct list *to, struct list *from)
{
	list_init(to);
	while (!list_empty(from)) {
		struct list *first = from->next;

		list_remove(first);
		list_push_back(to, first);
	}
}

static void retry_held(struct block *b)
{
	struct list now;
	int ret;

	b->io_errno = 0;
	take_all(&now, &b->held);
	while (!list_empty(&now)) {
		struct block_req *r = list_first(&now, struct block_req, node);

		list_remove(&r->node);
		r->depth = 0;
		/* It may have become smaller meanwhile. */
		ret = judge(b, r);
		if (ret > 0)
			submit(b, r);
		else
			done(b, r, ret);
	}
}

void block_retry_held(void)
{
	list_for_each_safe(it, &all)
		retry_held(list_entry(it, struct block, node));
}

void block_give_back_held(struct block *b, int ret)
{
	struct list now;

	take_all(&now, &b->held);
	while (!list_empty(&now)) {
		struct block_req *r = list_first(&now, struct block_req, node);

		list_remove(&r->node);
		r->submitting = true;
		done(b, r, ret);
		r->submitting = false;
	}
}

void block_cancel_held(struct block *b)
{
	block_give_back_held(b, -ECANCELED);
}

bool block_any_inflight(void)
{
	list_for_each(it, &all)
		if (list_entry(it, struct block, node)->n_inflight)
			return true;
	return false;
}

int64_t block_oldest_ns(const struct block *b)
{
	int64_t now = clock_now_ns(loop_clock_host(b->loop)), oldest = now;

	list_for_each(it, &b->inflight) {
		const struct block_req *r = list_entry(it, struct block_req, inflight);

		if (!r->limited)
			oldest = MIN(oldest, r->asked_ns);
	}
	return now - oldest;
}

/*
 * Nobody waits for limits that the guest does not see. What goes now may be done at once, and a disk that its device has
 * left ends with its last request.
 */
static void lift_limits(struct block *b, bool for_good)
{
	b->delivering++;
	throttle_set_unlimited(&b->throttle, true);
	throttle_set_unlimited(&b->throttle, for_good);
	b->delivering--;
	free_if_left(b);
}

/* The same goes for nodes whose medium was taken out. */
static void for_each_node(void (*fn)(struct block_node *n))
{
	for (struct list *it = block_nodes()->next; it != block_nodes();) {
		struct block_node *n = block_node_ref(list_entry(it, struct block_node, node));

		fn(n);
		it = it->next;
		block_node_unref(n);
	}
}

static void cancel_waiting(struct block_node *n)
{
	if (n->drv->cancel_waiting)
		n->drv->cancel_waiting(n);
}

static void lift_node_limits(struct block_node *n)
{
	if (n->drv->lift_limits)
		n->drv->lift_limits(n);
}

bool block_when_idle(void)
{
	LOOP_ASSERT();
	list_for_each_safe(it, &all) {
		struct block *b = list_entry(it, struct block, node);

		block_cancel_held(b);
		lift_limits(b, false);
	}
	for_each_node(lift_node_limits);
	idle_wanted = block_any_inflight();
	return !idle_wanted;
}

bool block_drain(struct loop *loop, int64_t max_ns)
{
	struct clock *clock = loop_clock_host(loop);
	int64_t end = clock_now_ns(clock) + max_ns, left = max_ns;

	draining = true;
	list_for_each_safe(it, &all) {
		struct block *b = list_entry(it, struct block, node);

		block_cancel_held(b);
		lift_limits(b, true);
	}
	for_each_node(cancel_waiting);
	while (block_any_inflight() && left > 0) {
		loop_run_once(loop, MIN(left, 100 * NS_PER_MS));
		left = end - clock_now_ns(clock);
	}
	draining = false;
	return !block_any_inflight();
}

static void block_on_stall_timer(void *opaque)
{
	struct block *b = opaque;
	int64_t now = clock_now_ns(loop_clock_host(b->loop)), age;

	if (list_empty(&b->inflight) || !list_empty(&b->held))
		return;
	age = block_oldest_ns(b);
	if (age >= STALL_NS && now - b->stall_said_ns >= STALL_AGAIN_NS) {
		report_warning("disk '%s': the host has not answered a request for %lld s",
			       b->id	 ? b->id
			       : b->root ? b->root->name
					 : "?",
			       (long long)(age / NS_PER_SEC));
		b->stall_said_ns = now;
	}
	timer_arm(&b->stall_timer, now + (age >= STALL_NS ? STALL_NS : STALL_NS - age));
}

/* ---- what it is ---- */

const char *block_id(const struct block *b)
{
	return b->id ? b->id : "";
}

uint64_t block_bytes(const struct block *b)
{
	return b->root ? b->root->bytes : 0;
}

bool block_has_medium(const struct block *b)
{
	return b->root != NULL;
}

bool block_read_only(const struct block *b)
{
	return b->root && b->root->flags.read_only;
}

bool block_write_cache(const struct block *b)
{
	return b->write_cache;
}

void block_set_write_cache(struct block *b, bool on)
{
	LOOP_ASSERT();
	b->write_cache = on;
}

const struct block_limits *block_limits(const struct block *b)
{
	return b->root ? &b->root->limits : &b->limits;
}

struct device *block_device(const struct block *b)
{
	return b->dev;
}

void block_lock_medium(struct block *b, bool locked)
{
	b->locked = locked;
}

/* ---- limits ---- */

static void throttled_go(struct throttle_member *m, struct block_req *r)
{
	block_node_submit(r->root, r);
}

void block_set_throttle(struct block *b, const char *group, const struct throttle_config *c)
{
	bool same = b->throttle.group && !strcmp(throttle_group_name(b->throttle.group), group);
	struct throttle_group *g;

	LOOP_ASSERT();
	if (!throttle_config_any(c)) {
		throttle_member_fini(&b->throttle);
		return;
	}
	if (!same) {
		g = throttle_group_get(b->loop, group);
		throttle_member_fini(&b->throttle);
		throttle_member_init(&b->throttle, g, throttled_go);
	}
	throttle_group_set(b->throttle.group, c);
}

/* ---- life ---- */

struct block *block_new(struct loop *loop, const char *id, struct error *err)
{
	struct block *b;

	LOOP_ASSERT();
	if (id && !id_is_well_formed(id)) {
		error_set(err, "Parameter 'id' expects an identifier, not '%s'", id);
		return NULL;
	}
	if (id && block_by_id(id)) {
		error_set(err, "Duplicate ID '%s' for drive", id);
		return NULL;
	}
	if (id && block_node_find(id)) {
		error_set(err, "Device name '%s' conflicts with an existing node name", id);
		return NULL;
	}
	b = xzalloc(sizeof(*b));
	b->loop = loop;
	b->id = id ? xstrdup(id) : NULL;
	b->anonymous = !id;
	b->write_cache = true;
	b->on_write_error = BLOCK_ERROR_ENOSPC;
	b->share_write = true;
	b->limits = (struct block_limits){
		.logical_block = 512, .physical_block = 512, .max_transfer = INT32_MAX & ~4095u};
	list_init(&b->inflight);
	list_init(&b->held);
	list_init(&b->done);
	loop_work_init(&b->done_work, loop, "block", block_on_done_work, b);
	timer_init(&b->stall_timer, loop_clock_host(loop), "block", block_on_stall_timer, b);
	block_stats_init(&b->stats);
	throttle_member_init(&b->throttle, NULL, throttled_go);
	list_push_back(&all, &b->node);
	return b;
}

void block_free(struct block *b)
{
	LOOP_ASSERT();
	if (!b)
		return;
	b->ops = NULL;
	block_remove_medium(b);
	throttle_member_fini(&b->throttle);
	loop_work_cancel(&b->done_work);
	timer_cancel(&b->stall_timer);
	list_remove(&b->node);
	free(b->id);
	free(b);
}

void block_root_resized(struct block *b)
{
	if (b->ops && b->ops->resized)
		b->ops->resized(b->opaque);
}

void block_tray_moved(struct block *b, bool open)
{
	LOOP_ASSERT();
	if (b->tray_open == open)
		return;
	b->tray_open = open;
	if (host_ops && host_ops->tray_moved)
		host_ops->tray_moved(host_opaque, b, open);
}

bool block_attach(struct block *b, struct device *dev, const struct block_device_ops *ops,
		  void *opaque, struct error *err)
{
	LOOP_ASSERT();
	if (b->dev)
		return error_set(err, "Drive '%s' is already in use by another block device",
				 block_id(b));
	if (b->root && !block_node_share(b->root, b->share_write, err))
		return false;
	b->dev = dev;
	b->ops = ops;
	b->opaque = opaque;
	return true;
}

void block_detach(struct block *b)
{
	LOOP_ASSERT();
	block_cancel_held(b);
	b->dev = NULL;
	b->ops = NULL;
	b->opaque = NULL;
	b->share_write = true;
	if (b->root)
		block_node_share(b->root, true, NULL);
}

void block_release(struct block *b)
{
	if (!b || !b->anonymous)
		return;
	b->released = true;
	free_if_left(b);
}

void block_make_anonymous(struct block *b)
{
	LOOP_ASSERT();
	free(b->id);
	b->id = NULL;
	b->anonymous = true;
	if (!b->dev)
		block_release(b);
}

struct block *block_for_device(const char *name, struct error *err)
{
	struct block *b = block_by_id(name);
	struct block_node *n = block_node_find(name);

	if (b)
		return b;
	if (!n) {
		error_set(err, "Can't find value '%s'", name);
		return NULL;
	}
	if (n->block && n->block->anonymous && !n->block->dev)
		return n->block;
	b = block_new(n->loop, NULL, err);
	if (b && !block_insert_medium(b, block_node_ref(n), err)) {
		block_node_unref(n);
		block_free(b);
		return NULL;
	}
	return b;
}
