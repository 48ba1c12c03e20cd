/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker pool: a queue, up to N threads that come when needed and go when idle, and a notifier for results. */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include "src/crash.h"
#include "src/loop.h"
#include "src/worker.h"

#define IDLE_SECONDS 10

struct worker_slot {
	struct worker_pool *pool;
	pthread_t thread;
	bool started; /* loop thread: there is a thread to join */
	bool ended;   /* under the lock: it has nothing more to do */
};

struct worker_pool {
	struct loop *loop;
	struct loop_notifier notifier;
	pthread_mutex_t lock;
	pthread_cond_t wanted;
	/* below: under the lock */
	struct list queue, finished;
	unsigned queued, idle;
	bool ending;
	unsigned n_slots;
	struct worker_slot slots[];
};

/* Returns the next job with the lock held, or NULL when the thread should end. */
static struct worker_job *next_job(struct worker_pool *pool)
{
	struct worker_job *job;
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += IDLE_SECONDS;
	while (list_empty(&pool->queue) && !pool->ending && rc != ETIMEDOUT) {
		pool->idle++;
		rc = pthread_cond_timedwait(&pool->wanted, &pool->lock, &until);
		pool->idle--;
	}
	if (pool->ending || list_empty(&pool->queue))
		return NULL;
	job = list_first(&pool->queue, struct worker_job, node);
	list_remove(&job->node);
	pool->queued--;
	return job;
}

static void *worker_thread(void *opaque)
{
	struct worker_slot *slot = opaque;
	struct worker_pool *pool = slot->pool;
	struct worker_job *job;

	pthread_setname_np(pthread_self(), "evmm-worker");
	crash_thread_init();
	pthread_mutex_lock(&pool->lock);
	while ((job = next_job(pool))) {
		pthread_mutex_unlock(&pool->lock);
		job->run(job);
		pthread_mutex_lock(&pool->lock);
		list_push_back(&pool->finished, &job->node);
		loop_notifier_signal_mt(&pool->notifier);
	}
	slot->ended = true;
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* Signals are the loop thread's. */
static int start_thread(struct worker_slot *slot)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGABRT);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&slot->thread, NULL, worker_thread, slot);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

/*
 * Lock held. A thread that ended because it was idle is joined when its slot is wanted again. Returns false
 * when no thread is there and none can be had.
 */
static bool want_thread(struct worker_pool *pool)
{
	bool any = false;

	for (unsigned i = 0; i < pool->n_slots; i++) {
		struct worker_slot *slot = &pool->slots[i];

		if (slot->started && !slot->ended) {
			any = true;
			continue;
		}
		if (slot->started)
			pthread_join(slot->thread, NULL);
		slot->ended = false;
		slot->started = start_thread(slot) == 0;
		if (slot->started)
			return true;
	}
	return any;
}

/* Lock held. The system gives no thread: slow on the loop is better than never. */
static void run_here(struct worker_pool *pool, struct worker_job *job)
{
	list_remove(&job->node);
	pool->queued--;
	pthread_mutex_unlock(&pool->lock);
	job->run(job);
	pthread_mutex_lock(&pool->lock);
	list_push_back(&pool->finished, &job->node);
	loop_notifier_signal_mt(&pool->notifier);
}

static void complete(struct list *jobs)
{
	while (!list_empty(jobs)) {
		struct worker_job *job = list_first(jobs, struct worker_job, node);

		list_remove(&job->node);
		job->done(job);
	}
}

static void move_all(struct list *to, struct list *from)
{
	list_init(to);
	while (!list_empty(from)) {
		struct list *node = from->next;

		list_remove(node);
		list_push_back(to, node);
	}
}

static void worker_pool_on_finished(void *opaque)
{
	struct worker_pool *pool = opaque;
	struct list jobs;

	pthread_mutex_lock(&pool->lock);
	move_all(&jobs, &pool->finished);
	pthread_mutex_unlock(&pool->lock);
	complete(&jobs);
}

struct worker_pool *worker_pool_new(struct loop *loop, unsigned max_threads)
{
	struct worker_pool *pool = xzalloc(sizeof(*pool) + max_threads * sizeof(pool->slots[0]));
	pthread_condattr_t attr;

	LOOP_ASSERT();
	pool->loop = loop;
	pool->n_slots = max_threads;
	list_init(&pool->queue);
	list_init(&pool->finished);
	for (unsigned i = 0; i < max_threads; i++)
		pool->slots[i].pool = pool;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&pool->wanted, &attr);
	pthread_condattr_destroy(&attr);
	if (!loop_notifier_init(&pool->notifier, loop, "worker", worker_pool_on_finished, pool))
		abort();
	return pool;
}

void worker_pool_free(struct worker_pool *pool)
{
	struct list jobs;

	LOOP_ASSERT();
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->wanted);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->n_slots; i++) {
		if (pool->slots[i].started)
			pthread_join(pool->slots[i].thread, NULL);
	}
	complete(&pool->finished);
	move_all(&jobs, &pool->queue);
	complete(&jobs);
	loop_notifier_fini(&pool->notifier);
	pthread_cond_destroy(&pool->wanted);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

bool worker_pool_is_ending(const struct worker_pool *pool)
{
	return pool->ending;
}

void worker_submit(struct worker_pool *pool, struct worker_job *job, worker_fn *run,
		   worker_fn *done)
{
	LOOP_ASSERT();
	assert(!pool->ending);
	job->run = run;
	job->done = done;
	job->pool = pool;
	pthread_mutex_lock(&pool->lock);
	list_push_back(&pool->queue, &job->node);
	pool->queued++;
	if (pool->idle >= pool->queued)
		pthread_cond_signal(&pool->wanted);
	else if (!want_thread(pool))
		run_here(pool, job);
	pthread_mutex_unlock(&pool->lock);
}
