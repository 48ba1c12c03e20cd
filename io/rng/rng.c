/* SPDX-License-Identifier: BSD-2-Clause */
/* Sources of randomness (rng.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include "io/rng/rng.h"
#include "src/loop.h"

#define RNG_MAX_BYTES 4096 /* of one request: what the kernel gives without keeping the loop */

struct rng {
	struct object obj;
	char *filename; /* of rng-random */

	int fd;	    /* -1: getrandom(2) */
	bool owned; /* not in an object set: rng_put frees it */
	struct list requests;
	struct loop_fd watch;
	struct loop_work work;
};

static struct rng *rng_of(struct object *o)
{
	return container_of(o, struct rng, obj);
}

static ssize_t rng_read(struct rng *rng, uint8_t *buf, size_t n)
{
	n = MIN(n, (size_t)RNG_MAX_BYTES);
	return rng->fd < 0 ? getrandom(buf, n, GRND_NONBLOCK) : read(rng->fd, buf, n);
}

/* Asks again when there is something to wait for. */
static void rng_rearm(struct rng *rng)
{
	bool wanted = !list_empty(&rng->requests);

	if (rng->fd >= 0)
		loop_fd_set(&rng->watch, rng->fd, wanted ? LOOP_READ : 0);
	else if (wanted)
		loop_work_schedule(&rng->work);
}

/* One request a turn. A source that fails or ends keeps its requesters waiting, as one that is out of entropy does. */
static void rng_serve(struct rng *rng)
{
	struct rng_request *req;
	ssize_t n;

	if (list_empty(&rng->requests)) {
		rng_rearm(rng);
		return;
	}
	req = list_first(&rng->requests, struct rng_request, node);
	n = rng_read(rng, req->buf, req->n);
	if (n > 0) {
		list_remove(&req->node);
		req->done(req->opaque, (size_t)n);
	} else if (rng->fd >= 0 && n == 0) {
		loop_fd_stop(&rng->watch); /* the file has ended: no more will come */
		return;
	}
	rng_rearm(rng);
}

static void rng_on_work(void *opaque)
{
	rng_serve(opaque);
}

static void rng_on_readable(void *opaque, unsigned events)
{
	rng_serve(opaque);
}

static void rng_init(struct rng *rng, struct loop *loop, int fd)
{
	rng->fd = fd;
	list_init(&rng->requests);
	loop_fd_init(&rng->watch, loop, "rng", rng_on_readable, rng);
	loop_work_init(&rng->work, loop, "rng", rng_on_work, rng);
}

static bool rng_builtin_realize(struct object *o, struct error *err)
{
	rng_init(rng_of(o), o->set->loop, -1);
	return true;
}

static bool rng_random_realize(struct object *o, struct error *err)
{
	struct rng *rng = rng_of(o);
	int fd = open(rng->filename, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return error_set_errno(err, errno, "Could not open '%s'", rng->filename);
	rng_init(rng, o->set->loop, fd);
	return true;
}

static void rng_unrealize(struct object *o)
{
	struct rng *rng = rng_of(o);

	loop_fd_stop(&rng->watch);
	loop_work_cancel(&rng->work);
	if (rng->fd >= 0)
		close(rng->fd);
}

struct rng *rng_get(struct object_set *set, const char *id, struct error *err)
{
	struct object *o;
	struct rng *rng;

	if (!id) {
		rng = xzalloc(sizeof(*rng));
		rng->owned = true;
		rng_init(rng, set->loop, -1);
		return rng;
	}
	o = object_find(set, id, NULL, err);
	if (!o)
		return NULL;
	if (o->type != &rng_builtin_type && o->type != &rng_random_type) {
		error_set(err, "object '%s' is a %s, not a source of randomness", id,
			  o->type->name);
		return NULL;
	}
	o->users++;
	return rng_of(o);
}

void rng_put(struct rng *rng)
{
	if (!rng->owned) {
		rng->obj.users--;
		return;
	}
	rng_unrealize(&rng->obj);
	free(rng);
}

void rng_ask(struct rng *rng, struct rng_request *req)
{
	list_push_back(&rng->requests, &req->node);
	rng_rearm(rng);
}

void rng_cancel(struct rng_request *req)
{
	list_remove(&req->node);
}

static const struct device_prop rng_random_props[] = {
	DEFINE_PROP_STR(rng, filename, "filename", "/dev/urandom", "where the bytes come from"),
	DEFINE_PROP_END,
};

const struct object_type rng_builtin_type = {
	.name = "rng-builtin",
	.desc = "the kernel's random number generator",
	.size = sizeof(struct rng),
	.realize = rng_builtin_realize,
	.unrealize = rng_unrealize,
};

const struct object_type rng_random_type = {
	.name = "rng-random",
	.desc = "random bytes from a file",
	.size = sizeof(struct rng),
	.props = rng_random_props,
	.realize = rng_random_realize,
	.unrealize = rng_unrealize,
};
