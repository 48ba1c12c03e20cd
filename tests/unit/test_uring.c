/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aio=io_uring where hosts differ: a kernel that is short of memory, devices that are polled for completions, memory that
 * is registered beforehand. liburing's calls are
 * taken in between. A polled ring is imitated by one whose completions come only when somebody asks for them, so that all of
 * it is tested on hosts without such a device; EVMM_TEST_POLLED_DEVICE names a block device that can really be polled and whose
 * contents may go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "config.h"
#ifndef HAVE_LIBURING
int main(void)
{
	printf("built without liburing\n");
	return 77;
}
#else
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "src/clock.h"
#include "tests/unit/aio_kit.h"

#define BYTES	  (1 * MiB)

/* ---- between evmm and liburing ---- */

static struct {
	bool imitate;	      /* polled rings */
	unsigned made_polled; /* how many rings were asked for as polled ones */
	const struct io_uring *polled;
	unsigned fail;	/* so many submissions fail for want of memory */
	unsigned tries; /* all submissions, and those to the polled ring */
	unsigned polled_tries;
	unsigned looks;
	unsigned fixed; /* SQEs of registered memory */
	unsigned registers,
		refuse; /* pieces of memory; from this one on they are refused (0: none is) */
	bool refused;	/* one, by the kernel itself */
} between;

int io_uring_queue_init_params(unsigned entries, struct io_uring *ring, struct io_uring_params *p)
{
	int (*real)(unsigned, struct io_uring *, struct io_uring_params *) =
		dlsym(RTLD_NEXT, "io_uring_queue_init_params");

	if (p->flags & IORING_SETUP_IOPOLL) {
		between.made_polled++;
		between.polled = ring;
		if (between.imitate)
			p->flags ^= IORING_SETUP_IOPOLL | IORING_SETUP_SINGLE_ISSUER |
				    IORING_SETUP_DEFER_TASKRUN;
	}
	return real(entries, ring, p);
}

int io_uring_submit(struct io_uring *ring)
{
	int (*real)(struct io_uring *) = dlsym(RTLD_NEXT, "io_uring_submit");

	between.tries++;
	if (ring == between.polled)
		between.polled_tries++;
	if (between.fail) {
		between.fail--;
		return -EAGAIN;
	}
	for (unsigned i = ring->sq.sqe_head; i != ring->sq.sqe_tail; i++) {
		uint8_t opcode = ring->sq.sqes[i & (*ring->sq.kring_entries - 1)].opcode;

		between.fixed += opcode == IORING_OP_READ_FIXED || opcode == IORING_OP_WRITE_FIXED;
	}
	return real(ring);
}

int io_uring_get_events(struct io_uring *ring)
{
	int (*real)(struct io_uring *) = dlsym(RTLD_NEXT, "io_uring_get_events");

	if (ring == between.polled)
		between.looks++;
	return real(ring);
}

int io_uring_register_buffers_update_tag(struct io_uring *ring, unsigned off,
					 const struct iovec *iov, const __u64 *tags, unsigned n)
{
	int (*real)(struct io_uring *, unsigned, const struct iovec *, const __u64 *, unsigned) =
		dlsym(RTLD_NEXT, "io_uring_register_buffers_update_tag");
	int rc;

	if (iov->iov_len && ++between.registers >= between.refuse && between.refuse)
		return -ENOMEM;
	rc = real(ring, off, iov, tags, n);
	between.refused |= rc < 0;
	return rc;
}

/* ---- a file, and requests ---- */

struct box {
	struct loop *loop;
	struct aio_file f;
	char path[64];
	int fd;
};

static void open_file(struct box *b, const char *name)
{
	snprintf(b->path, sizeof(b->path), "/var/tmp/evmm-uring-%s-XXXXXX", name);
	b->fd = mkstemp(b->path);
	assert_true(b->fd >= 0);
	assert_int_equal(ftruncate(b->fd, BYTES), 0);
	close(b->fd);
	b->fd = open(b->path, O_RDWR | O_DIRECT);
	if (b->fd < 0) {
		unlink(b->path);
		print_message("/var/tmp has no O_DIRECT\n");
		skip();
	}
}

static void use(struct box *b)
{
	struct error err = ERROR_INIT;

	if (aio_file_init(&b->f, b->loop, AIO_IO_URING, b->fd, &err))
		return;
	print_message("%s\n", err.msg);
	error_clear(&err);
	skip();
}

static void box_init(struct box *b)
{
	memset(b, 0, sizeof(*b));
	memset(&between, 0, sizeof(between));
	open_file(b, "a");
	b->loop = loop_new();
	use(b);
}

/* Its device passes for one that can be polled. */
static void polled_box_init(struct box *b)
{
	box_init(b);
	between.imitate = true;
	b->f.can_poll = true;
}

static void box_fini(struct box *b)
{
	aio_file_fini(&b->f);
	close(b->fd);
	if (*b->path)
		unlink(b->path);
	loop_free(b->loop);
}

static int64_t run(struct box *b, enum aio_kind kind, uint64_t offset, void *buf, size_t n)
{
	struct op op;

	aio_kit_start(&b->f, &op, kind, offset, buf, n);
	return aio_kit_finish(b->loop, &op);
}

static int64_t finish(struct box *b, struct op *op)
{
	return aio_kit_finish(b->loop, op);
}

/* ---- a kernel that is short of memory ---- */

static void what_the_kernel_had_no_memory_for_is_tried_again(void **state)
{
	uint8_t *buf = xaligned_zalloc(4096, 4096);
	struct op op;
	struct box b;

	box_init(&b);
	for (unsigned polled = 0; polled < 2; polled++) {
		between.imitate = b.f.can_poll = polled;
		between.fail = 5;
		between.tries = 0;
		aio_kit_start(&b.f, &op, AIO_READ, 0, buf, 4096);
		assert_int_equal(finish(&b, &op), 4096);
		assert_int_equal(between.fail, 0);
		assert_int_equal(between.made_polled, polled);
	}
	box_fini(&b);
	free(buf);
}

/* More than the submission queue holds, while the kernel takes none for a while. */
static void no_request_is_lost_when_the_queue_is_full_too(void **state)
{
	enum { N = 1000 };
	struct op *ops = xzalloc(N * sizeof(*ops));
	uint8_t *buf = xaligned_zalloc(4096, 4096);
	struct box b;

	box_init(&b);
	between.fail = N;
	for (unsigned i = 0; i < N; i++)
		aio_kit_start(&b.f, &ops[i], AIO_READ, i % 256 * 4096, buf, 4096);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(finish(&b, &ops[i]), 4096);
	box_fini(&b);
	free(ops);
	free(buf);
}

/* ---- when requests are handed over ---- */

/* The first ones without waiting for the loop, which does it for those that are left. */
static void a_device_with_nothing_to_do_gets_requests_before_the_turn_ends(void **state)
{
	enum { N = 7 };
	uint8_t *buf = xaligned_zalloc(4096, 4096);
	struct op ops[N];
	struct box b;

	box_init(&b);
	b.f.in_memory = false;
	for (unsigned i = 0; i < N; i++) {
		aio_kit_start(&b.f, &ops[i], AIO_READ, i * 4096, buf, 4096);
		assert_int_equal(between.tries, i >= 3);
	}
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(finish(&b, &ops[i]), 4096);
	assert_int_equal(between.tries, 2);
	box_fini(&b);
	free(buf);
}

/* ---- polled devices ---- */

static void a_device_without_poll_queues_is_not_polled(void **state)
{
	uint8_t *buf = xaligned_zalloc(4096, 4096);
	struct box b;

	box_init(&b);
	if (b.f.can_poll) {
		box_fini(&b);
		print_message("/var/tmp is on a device that can be polled\n");
		skip();
	}
	assert_int_equal(run(&b, AIO_READ, 0, buf, 4096), 4096);
	assert_int_equal(between.made_polled, 0);
	box_fini(&b);
	free(buf);
}

/* No imitation: what the kernel itself says to polling such a file. Newer ones refuse it, older ones have it interrupt. */
static void where_the_kernel_refuses_to_poll_it_goes_on_with_interrupts(void **state)
{
	uint8_t *out = xaligned_zalloc(4096, 4096), *in = xaligned_zalloc(4096, 4096);
	struct op ops[20];
	struct box b;

	polled_box_init(&b);
	between.imitate = false;
	memset(out, 0x5a, 4096);
	assert_int_equal(run(&b, AIO_WRITE, 4096, out, 4096), 4096);
	assert_int_equal(run(&b, AIO_READ, 4096, in, 4096), 4096);
	assert_memory_equal(in, out, 4096);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++)
		aio_kit_start(&b.f, &ops[i], AIO_READ, i * 4096, in, 4096);
	for (unsigned i = 0; i < ARRAY_SIZE(ops); i++)
		assert_int_equal(finish(&b, &ops[i]), 4096);
	if (!b.f.can_poll) { /* refused once, and then not asked again */
		between.polled_tries = 0;
		assert_int_equal(run(&b, AIO_READ, 0, in, 4096), 4096);
		assert_int_equal(between.polled_tries, 0);
	}
	box_fini(&b);
	free(out);
	free(in);
}

static void polled_requests_end_though_nobody_wakes_the_loop(void **state)
{
	enum { N = 64 };
	uint8_t *out = xaligned_zalloc(4096, N * 4096), *in = xaligned_zalloc(4096, N * 4096);
	struct op ops[N];
	struct box b;

	polled_box_init(&b);
	for (unsigned i = 0; i < N * 4096; i++)
		out[i] = (uint8_t)(i / 4096 + i);
	for (unsigned pass = 0; pass < 2; pass++) {
		for (unsigned i = 0; i < N; i++)
			aio_kit_start(&b.f, &ops[i], pass ? AIO_READ : AIO_WRITE, i * 4096,
				      (pass ? in : out) + i * 4096, 4096);
		for (unsigned i = 0; i < N; i++) {
			assert_int_equal(finish(&b, &ops[i]), 4096);
		}
	}
	assert_memory_equal(in, out, N * 4096);
	assert_int_equal(between.made_polled, 1);
	assert_true(between.polled_tries > 0 && between.looks > 0);
	box_fini(&b);
	free(out);
	free(in);
}

static void flushes_stable_writes_and_long_ones_are_not_polled(void **state)
{
	uint8_t *buf = xaligned_zalloc(4096, 256 * KiB);
	struct op op = {.calls = 0};
	struct box b;

	polled_box_init(&b);
	assert_int_equal(run(&b, AIO_WRITE, 0, buf, 256 * KiB), 256 * KiB);
	assert_int_equal(run(&b, AIO_FSYNC, 0, NULL, 0), 0);
	op.iov[0] = (struct iovec){buf, 4096};
	op.aio = (struct aio_op){.file = &b.f, .kind = AIO_WRITE, .n_iov = 1};
	op.aio.bytes = 4096;
	op.aio.flags = AIO_FUA;
	aio_kit_submit(&op);
	assert_int_equal(finish(&b, &op), 4096);
	assert_int_equal(between.polled_tries, 0);
	box_fini(&b);
	free(buf);
}

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

/* A pipe nobody writes to is a device that does not answer. */
static void a_device_that_stalls_costs_little_and_holds_up_nobody(void **state)
{
	const int64_t stall = 300 * NS_PER_MS;
	uint8_t *buf = xaligned_zalloc(4096, 8192);
	struct op op, other;
	struct aio_file dead;
	int64_t begin, used;
	struct box b;
	int fds[2];

	polled_box_init(&b);
	assert_int_equal(pipe(fds), 0);
	assert_true(aio_file_init(&dead, b.loop, AIO_IO_URING, fds[0], NULL));
	dead.can_poll = true;
	aio_kit_start(&dead, &op, AIO_READ, 0, buf, 4096);
	begin = clock_now_ns(loop_clock_host(b.loop));
	used = cpu_ns();
	while (clock_now_ns(loop_clock_host(b.loop)) - begin < stall)
		loop_run_once(b.loop, 100 * NS_PER_MS);
	used = cpu_ns() - used;
	assert_int_equal(op.calls, 0);
	assert_int_equal(between.made_polled, 1);
	assert_true(used < stall / 2);

	/* The others take the ring with interrupts meanwhile. */
	between.polled_tries = 0;
	aio_kit_start(&b.f, &other, AIO_READ, 0, buf + 4096, 4096);
	assert_int_equal(finish(&b, &other), 4096);
	assert_int_equal(between.polled_tries, 0);

	memset(buf, 0, 4096);
	assert_int_equal(write(fds[1], buf + 4096, 4096), 4096);
	assert_int_equal(finish(&b, &op), 4096);
	aio_file_fini(&dead);
	close(fds[0]);
	close(fds[1]);
	box_fini(&b);
	free(buf);
}

static void a_slot_of_the_polled_ring_goes_to_the_next_file(void **state)
{
	uint8_t *buf = xaligned_zalloc(4096, 4096);
	struct box b, other;

	polled_box_init(&b);
	memset(buf, 1, 4096);
	assert_int_equal(run(&b, AIO_WRITE, 0, buf, 4096), 4096);
	other = b;
	open_file(&other, "b");
	memset(buf, 2, 4096);
	assert_int_equal(pwrite(other.fd, buf, 4096, 0), 4096);
	for (unsigned i = 0; i < 4; i++) {
		struct box *now = i % 2 ? &b : &other, *last = i % 2 ? &other : &b;

		/* Not the last one: the engine stays. */
		aio_file_fini(&last->f);
		use(now);
		now->f.can_poll = true;
		assert_int_equal(run(now, AIO_READ, 0, buf, 4096), 4096);
		assert_int_equal(buf[0], i % 2 ? 1 : 2);
	}
	close(other.fd);
	unlink(other.path);
	box_fini(&b);
	free(buf);
}

/* ---- registered memory ---- */

/* Three pieces, the last of them of two pages. */
#define PIECE	  (32 * MiB)
#define MEM_BYTES (2 * PIECE + 8192)

static void memory_fini(struct box *b, uint8_t *mem)
{
	aio_memory_unset(b->loop);
	munmap(mem, MEM_BYTES);
	box_fini(b);
}

static uint8_t *memory_init(struct box *b)
{
	uint8_t *mem =
		mmap(NULL, MEM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(mem, MAP_FAILED);
	aio_memory_set(b->loop, mem, MEM_BYTES);
	for (unsigned i = 0; i < 10; i++)
		loop_run_once(b->loop, 0);
	if (between.refused || !between.registers) {
		memory_fini(b, mem);
		print_message("memory cannot be registered here (ulimit -l)\n");
		skip();
	}
	return mem;
}

/* Reads N bytes of the file at OFFSET, which are all VALUE, to AT. Returns whether that went by registered memory. */
static bool read_is_fixed(struct box *b, uint8_t *at, uint64_t offset, size_t n, uint8_t value)
{
	unsigned before = between.fixed;

	at[0] = at[n - 1] = (uint8_t)~value;
	assert_int_equal(run(b, AIO_READ, offset, at, n), n);
	assert_int_equal(at[0], value);
	assert_int_equal(at[n - 1], value);
	return between.fixed != before;
}

static void requests_of_registered_memory_say_so_and_others_do_not(void **state)
{
	uint8_t *buf = xaligned_zalloc(4096, 8192), *mem;
	struct box b;

	for (unsigned polled = 0; polled < 2; polled++) {
		box_init(&b);
		between.imitate = b.f.can_poll = polled;
		mem = memory_init(&b);
		if (polled) { /* its ring is made with the first request */
			assert_int_equal(run(&b, AIO_READ, 0, buf, 4096), 4096);
			for (unsigned i = 0; i < 10; i++)
				loop_run_once(b.loop, 0);
		}
		memset(mem + PIECE - 8192, 0x33, 16384);
		assert_int_equal(run(&b, AIO_WRITE, 0, mem + PIECE - 8192, 8192), 8192);
		assert_int_equal(between.fixed, 1);
		assert_int_equal(run(&b, AIO_WRITE, 8192, mem + PIECE - 4096, 8192), 8192);
		assert_int_equal(between.fixed, 1); /* it lies in two pieces */
		assert_true(read_is_fixed(&b, mem, 0, 16384, 0x33));
		assert_true(read_is_fixed(&b, mem + PIECE, 0, 4096, 0x33));
		assert_true(read_is_fixed(&b, mem + MEM_BYTES - 4096, 0, 4096, 0x33));
		assert_false(read_is_fixed(&b, buf, 4096, 4096, 0x33));
		/* Ends are as without. */
		assert_int_equal(run(&b, AIO_READ, BYTES - 4096, mem, 8192), 4096);
		assert_int_equal(run(&b, AIO_READ, BYTES, mem, 4096), 0);
		memory_fini(&b, mem);
	}
	free(buf);
}

/* Memory that is given back comes again as other pages: what is registered would be the old ones. */
static void memory_that_is_given_back_is_no_longer_registered(void **state)
{
	uint8_t *mem, *buf = xaligned_zalloc(4096, 4096);
	struct box b;

	box_init(&b);
	mem = memory_init(&b);
	memset(buf, 0x44, 4096);
	assert_int_equal(run(&b, AIO_WRITE, 0, buf, 4096), 4096);
	assert_true(read_is_fixed(&b, mem + 8192, 0, 4096, 0x44));
	aio_memory_gone(b.loop, mem + 8192, 4096);
	assert_int_equal(madvise(mem + 8192, 4096, MADV_DONTNEED), 0);
	assert_int_equal(mem[8192], 0);
	assert_false(read_is_fixed(&b, mem + 8192, 0, 4096, 0x44));
	assert_true(read_is_fixed(&b, mem + PIECE, 0, 4096, 0x44));
	/* A ring made later does not fetch it all back. */
	aio_file_fini(&b.f);
	between.registers = 0;
	use(&b);
	for (unsigned i = 0; i < 10; i++)
		loop_run_once(b.loop, 0);
	assert_int_equal(between.registers, 0);
	assert_false(read_is_fixed(&b, mem + PIECE, 0, 4096, 0x44));
	memory_fini(&b, mem);
	free(buf);
}

static void what_the_kernel_refuses_to_register_is_used_all_the_same(void **state)
{
	uint8_t *mem, *buf = xaligned_zalloc(4096, 4096);
	struct box b;

	box_init(&b);
	between.refuse = 2;
	mem = memory_init(&b);
	assert_int_equal(between.registers, 2); /* and no third */
	memset(buf, 0x55, 4096);
	assert_int_equal(run(&b, AIO_WRITE, 0, buf, 4096), 4096);
	assert_true(read_is_fixed(&b, mem, 0, 4096, 0x55));
	assert_false(read_is_fixed(&b, mem + PIECE, 0, 4096, 0x55));
	memory_fini(&b, mem);
	free(buf);
}

static void memory_may_go_before_its_turn_to_be_registered(void **state)
{
	uint8_t *mem, *buf = xaligned_zalloc(4096, 4096);
	struct box b;

	box_init(&b);
	memory_fini(&b, memory_init(&b)); /* or it is skipped */
	box_init(&b);
	mem = mmap(NULL, MEM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(mem, MAP_FAILED);
	aio_memory_set(b.loop, mem, MEM_BYTES);
	aio_memory_gone(b.loop, mem + PIECE, PIECE);
	for (unsigned i = 0; i < 10; i++)
		loop_run_once(b.loop, 0);
	assert_int_equal(between.registers, 2);
	memset(buf, 0x66, 4096);
	assert_int_equal(run(&b, AIO_WRITE, 0, buf, 4096), 4096);
	assert_true(read_is_fixed(&b, mem, 0, 4096, 0x66));
	assert_false(read_is_fixed(&b, mem + PIECE, 0, 4096, 0x66));
	aio_memory_unset(b.loop);
	munmap(mem, MEM_BYTES);
	/* Other memory at the same address is not taken for it. */
	mem = mmap(mem, MEM_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(mem, MAP_FAILED);
	assert_false(read_is_fixed(&b, mem, 0, 4096, 0x66));
	munmap(mem, MEM_BYTES);
	box_fini(&b);
	free(buf);
}

/* ---- a real one ---- */

static void real_write(struct box *b, struct op *op, uint8_t *buf, unsigned i, unsigned round)
{
	memset(buf, (int)(i * 7 + round), 4096);
	aio_kit_start(&b->f, op, AIO_WRITE, i * 4096, buf, 4096);
}

static void a_device_with_poll_queues_is_polled(void **state)
{
	enum { N = 32, ROUNDS = 8 };
	const char *path = getenv("EVMM_TEST_POLLED_DEVICE");
	uint8_t *buf = xaligned_zalloc(4096, N * 4096);
	struct op ops[N];
	struct box b = {.path = ""};

	if (!path) {
		free(buf);
		print_message("EVMM_TEST_POLLED_DEVICE names no device\n");
		skip();
	}
	memset(&between, 0, sizeof(between));
	b.fd = open(path, O_RDWR | O_DIRECT);
	assert_true(b.fd >= 0);
	b.loop = loop_new();
	use(&b);
	assert_true(b.f.can_poll);
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned i = 0; i < N; i++)
			real_write(&b, &ops[i], buf + i * 4096, i, round);
		for (unsigned i = 0; i < N; i++) {
			assert_int_equal(finish(&b, &ops[i]), 4096);
		}
		assert_int_equal(run(&b, AIO_FSYNC, 0, NULL, 0), 0);
		memset(buf, 0xee, N * 4096);
		/* After a pause, in which polling may have been left, it is taken up again. */
		usleep(120000);
		loop_run_once(b.loop, 0);
		for (unsigned i = 0; i < N; i++)
			aio_kit_start(&b.f, &ops[i], AIO_READ, i * 4096, buf + i * 4096, 4096);
		for (unsigned i = 0; i < N; i++) {
			assert_int_equal(finish(&b, &ops[i]), 4096);
			assert_int_equal(buf[i * 4096 + 5], (uint8_t)(i * 7 + round));
			assert_int_equal(buf[i * 4096 + 4095], (uint8_t)(i * 7 + round));
		}
	}
	assert_true(b.f.can_poll); /* the kernel has not refused it */
	assert_int_equal(between.made_polled, 1);
	assert_true(between.polled_tries >= ROUNDS);
	print_message("polled: %u submissions of %u, %u looks\n", between.polled_tries,
		      between.tries, between.looks);
	box_fini(&b);
	free(buf);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_kernel_had_no_memory_for_is_tried_again),
		cmocka_unit_test(no_request_is_lost_when_the_queue_is_full_too),
		cmocka_unit_test(a_device_with_nothing_to_do_gets_requests_before_the_turn_ends),
		cmocka_unit_test(a_device_without_poll_queues_is_not_polled),
		cmocka_unit_test(where_the_kernel_refuses_to_poll_it_goes_on_with_interrupts),
		cmocka_unit_test(polled_requests_end_though_nobody_wakes_the_loop),
		cmocka_unit_test(flushes_stable_writes_and_long_ones_are_not_polled),
		cmocka_unit_test(a_device_that_stalls_costs_little_and_holds_up_nobody),
		cmocka_unit_test(a_slot_of_the_polled_ring_goes_to_the_next_file),
		cmocka_unit_test(requests_of_registered_memory_say_so_and_others_do_not),
		cmocka_unit_test(memory_that_is_given_back_is_no_longer_registered),
		cmocka_unit_test(what_the_kernel_refuses_to_register_is_used_all_the_same),
		cmocka_unit_test(memory_may_go_before_its_turn_to_be_registered),
		cmocka_unit_test(a_device_with_poll_queues_is_polled),
	};

	/* In a guest made for that one. */
	if (getenv("EVMM_TEST_POLLED_DEVICE"))
		cmocka_set_test_filter("a_device_with_poll_queues*");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif
