/* SPDX-License-Identifier: BSD-2-Clause */
/* Asynchronous file I/O: which engine a file gets, and what all engines have in common. */
#include <errno.h>
#include <stdlib.h>
#include "io/aio/engine.h"

#define AIO_WORKERS 64

/* In the order of enum aio_engine. */
static const struct aio_engine_ops *const engines[] = {
#ifdef HAVE_LIBURING
	[AIO_IO_URING] = &aio_uring_ops,
#endif
#ifdef HAVE_LIBAIO
	[AIO_NATIVE] = &aio_native_ops,
#endif
	[AIO_THREADS] = &aio_threads_ops,
};

static const char *const engine_names[] = {
	[AIO_IO_URING] = "io_uring",
	[AIO_NATIVE] = "native",
	[AIO_THREADS] = "threads",
};

static struct list all = {&all, &all};
static struct list memories = {&memories, &memories};

bool aio_engine_parse(const char *name, enum aio_engine *engine)
{
	for (unsigned i = AIO_IO_URING; i < ARRAY_SIZE(engine_names); i++) {
		if (!strcmp(name, engine_names[i])) {
			*engine = i;
			return true;
		}
	}
	return false;
}

/* ---- memory ---- */

static struct aio_memory *memory_of(struct loop *loop)
{
	static struct aio_memory none;

	list_for_each(it, &memories) {
		struct aio_memory *m = list_entry(it, struct aio_memory, node);

		if (m->loop == loop)
			return m;
	}
	return &none;
}

void aio_memory_set(struct loop *loop, void *base, uint64_t bytes)
{
	struct aio_memory *m;

	LOOP_ASSERT();
	aio_memory_unset(loop);
	m = xzalloc(sizeof(*m));
	m->loop = loop;
	m->base = base;
	m->bytes = bytes;
	list_push_back(&memories, &m->node);
	list_for_each(it, &all) {
		struct aio *a = list_entry(it, struct aio, node);

		if (a->loop != loop)
			continue;
		a->memory = m;
		if (a->ops->memory_is)
			a->ops->memory_is(a, m);
	}
}

void aio_memory_gone(struct loop *loop, const void *at, uint64_t bytes)
{
	struct aio_memory *m = memory_of(loop);

	LOOP_ASSERT();
	if (!m->bytes)
		return;
	m->given_back = true;
	list_for_each(it, &all) {
		struct aio *a = list_entry(it, struct aio, node);

		if (a->loop == loop && a->ops->memory_goes)
			a->ops->memory_goes(a, at, bytes);
	}
}

void aio_memory_unset(struct loop *loop)
{
	struct aio_memory *m = memory_of(loop), *none;

	LOOP_ASSERT();
	if (!m->bytes)
		return;
	aio_memory_gone(loop, m->base, m->bytes);
	list_remove(&m->node);
	free(m);
	none = memory_of(loop);
	list_for_each(it, &all) {
		struct aio *a = list_entry(it, struct aio, node);

		if (a->loop == loop)
			a->memory = none;
	}
}

/* ---- engines and files ---- */

/* The loop's engine of that kind, made when it isn't there. */
static struct aio *engine_get(struct loop *loop, enum aio_engine engine, struct error *err)
{
	const struct aio_engine_ops *ops = engine < ARRAY_SIZE(engines) ? engines[engine] : NULL;
	struct aio *a;

	if (!ops) {
		error_set(err, "aio=%s was not compiled in", engine_names[engine]);
		return NULL;
	}
	list_for_each(it, &all) {
		a = list_entry(it, struct aio, node);
		if (a->loop == loop && a->ops == ops)
			return a;
	}
	a = xzalloc(ops->size);
	a->ops = ops;
	a->loop = loop;
	a->memory = memory_of(loop);
	if (!ops->init(a, err)) {
		free(a);
		return NULL;
	}
	a->workers = worker_pool_new(loop, AIO_WORKERS);
	list_push_back(&all, &a->node);
	if (ops->memory_is)
		ops->memory_is(a, a->memory);
	return a;
}

static struct aio *engine_get_default(struct loop *loop, struct error *err)
{
	static bool said;
	struct error why = ERROR_INIT;
	struct aio *a = engine_get(loop, AIO_IO_URING, &why);

	if (a)
		return a;
	if (!said)
		report_info("disks use aio=threads: %s", why.msg);
	said = true;
	error_clear(&why);
	return engine_get(loop, AIO_THREADS, err);
}

bool aio_file_init(struct aio_file *f, struct loop *loop, enum aio_engine engine, int fd,
		   struct error *err)
{
	LOOP_ASSERT();
	*f = (struct aio_file){.fd = fd, .slot = -1};
	f->aio = engine == AIO_DEFAULT ? engine_get_default(loop, err)
				       : engine_get(loop, engine, err);
	if (!f->aio)
		return false;
	f->aio->files++;
	if (f->aio->ops->file_init)
		f->aio->ops->file_init(f->aio, f);
	return true;
}

static void end_if_unused(struct aio *a)
{
	if (a->files || a->busy)
		return;
	a->ops->fini(a);
	worker_pool_free(a->workers);
	list_remove(&a->node);
	free(a);
}

void aio_leave(struct aio *a)
{
	a->busy--;
	end_if_unused(a);
}

void aio_file_fini(struct aio_file *f)
{
	struct aio *a = f->aio;

	LOOP_ASSERT();
	if (!a)
		return;
	if (a->ops->file_fini)
		a->ops->file_fini(a, f);
	f->aio = NULL;
	a->files--;
	end_if_unused(a);
}

const char *aio_file_engine(const struct aio_file *f)
{
	return f->aio->ops->name;
}
void aio_submit(struct aio_op *op)
{
	op->aio = op->file->aio;
	op->ret = 0;
	if (op->kind == AIO_DISCARD || op->kind == AIO_ZERO)
		aio_submit_to_worker(op);
	else
		op->aio->ops->submit(op->aio, op);
}

void aio_run_in_worker(struct aio_file *f, struct worker_job *job, worker_fn *run, worker_fn *done)
{
	worker_submit(f->aio->workers, job, run, done);
}

static void worker_run(struct worker_job *job)
{
	struct aio_op *op = container_of(job, struct aio_op, job);

	op->ret = aio_do_blocking(op, op->ret);
}

static void worker_done(struct worker_job *job)
{
	struct aio_op *op = container_of(job, struct aio_op, job);

	op->done(op, op->ret);
}

void aio_submit_to_worker(struct aio_op *op)
{
	worker_submit(op->aio->workers, &op->job, worker_run, worker_done);
}

void aio_complete(struct aio_op *op, int64_t res)
{
	bool transfer = op->kind == AIO_READ || op->kind == AIO_WRITE;

	if (transfer && res >= 0 && (uint64_t)res < op->bytes) {
		op->ret = res;
		aio_submit_to_worker(op);
	} else if (res == -EAGAIN || res == -EINTR) {
		aio_submit_to_worker(op);
	} else {
		op->done(op, res);
	}
}
