/* SPDX-License-Identifier: BSD-2-Clause */
/* The worker pool: each job is run off the loop and done on it, exactly once. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "src/loop.h"
#include "src/worker.h"

#define N_JOBS 2000

struct job {
	struct worker_job job;
	int ran, done;
	bool ran_on_loop;
	useconds_t sleep_us;
};

static struct loop *loop;
static struct worker_pool *pool;
static int n_done, n_again;
static struct job jobs[N_JOBS];

static int setup(void **state)
{
	loop = loop_new();
	pool = worker_pool_new(loop, 4);
	n_done = n_again = 0;
	memset(jobs, 0, sizeof(jobs));
	return 0;
}

static int teardown(void **state)
{
	loop_free(loop);
	return 0;
}

static void run_job(struct worker_job *wj)
{
	struct job *j = container_of(wj, struct job, job);

	j->ran++;
	j->ran_on_loop = loop_of_this_thread != NULL;
	if (j->sleep_us)
		usleep(j->sleep_us);
}

static void job_done(struct worker_job *wj)
{
	LOOP_ASSERT();
	container_of(wj, struct job, job)->done++;
	n_done++;
}

static void job_done_again(struct worker_job *wj)
{
	job_done(wj);
	if (n_again-- > 0)
		worker_submit(pool, wj, run_job, job_done_again);
}

static void each_job_runs_off_the_loop_and_is_done_once_on_it(void **state)
{
	for (int i = 0; i < N_JOBS; i++) {
		worker_submit(pool, &jobs[i].job, run_job, job_done);
		if (i % 64 == 0)
			loop_run_once(loop, 0);
	}
	while (n_done < N_JOBS)
		loop_run_once(loop, NS_PER_SEC);
	for (int i = 0; i < N_JOBS; i++) {
		assert_int_equal(jobs[i].ran, 1);
		assert_int_equal(jobs[i].done, 1);
		assert_false(jobs[i].ran_on_loop);
	}
	worker_pool_free(pool);
}

static void a_job_may_be_submitted_again_from_its_completion(void **state)
{
	n_again = 100;
	worker_submit(pool, &jobs[0].job, run_job, job_done_again);
	while (n_done < 101)
		loop_run_once(loop, NS_PER_SEC);
	assert_int_equal(jobs[0].ran, 101);
	worker_pool_free(pool);
}

static void freeing_the_pool_completes_what_did_not_run(void **state)
{
	for (int i = 0; i < 200; i++) {
		jobs[i].sleep_us = i < 4 ? 20000 : 0;
		worker_submit(pool, &jobs[i].job, run_job, job_done);
	}
	worker_pool_free(pool);
	assert_int_equal(n_done, 200);
	for (int i = 0; i < 200; i++) {
		assert_int_equal(jobs[i].done, 1);
		assert_in_range(jobs[i].ran, 0, 1);
	}
}

static void an_unused_pool_has_no_threads(void **state)
{
	worker_pool_free(pool);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(each_job_runs_off_the_loop_and_is_done_once_on_it),
		TEST(a_job_may_be_submitted_again_from_its_completion),
		TEST(freeing_the_pool_completes_what_did_not_run),
		TEST(an_unused_pool_has_no_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
