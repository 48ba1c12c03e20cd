/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The worker pool: blocking calls with no asynchronous form, and pure computation on private copies.
 * RUN is called on a worker thread and may touch nothing but the job's own buffers; DONE is called on
 * the loop. Threads are started when first needed and end when idle for a while.
 */
#ifndef EVMM_WORKER_H
#define EVMM_WORKER_H

#include "src/list.h"

struct loop;
struct worker_pool;
struct worker_job;

typedef void worker_fn(struct worker_job *job);

struct worker_job {
	struct list node;
	worker_fn *run;	 /* worker thread */
	worker_fn *done; /* loop thread, exactly once per submit */
	struct worker_pool *pool;
};

struct worker_pool *worker_pool_new(struct loop *loop, unsigned max_threads);
/* Waits for running jobs; jobs not yet started are completed without being run. */
void worker_pool_free(struct worker_pool *pool);
/* In DONE: worker_pool_free is under way, and nothing may be submitted any more. */
bool worker_pool_is_ending(const struct worker_pool *pool);
/* The job is a member of its owner and must live until DONE. */
void worker_submit(struct worker_pool *pool, struct worker_job *job, worker_fn *run,
		   worker_fn *done);

#endif
