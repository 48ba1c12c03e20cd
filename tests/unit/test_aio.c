/* SPDX-License-Identifier: BSD-2-Clause */
/* Asynchronous I/O: the same tests on every engine that this host has. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/aio_kit.h"

#define BYTES (1 * MiB)

static enum aio_engine engine;
static const char *directory = "/var/tmp";

struct box {
	struct loop *loop;
	struct aio_file f;
	char path[64];
	int fd;
};

static void box_init(struct box *b, int flags)
{
	struct error err = ERROR_INIT;
	int fd;

	memset(b, 0, sizeof(*b));
	b->loop = loop_new();
	snprintf(b->path, sizeof(b->path), "%s/evmm-aio-XXXXXX", directory);
	fd = mkstemp(b->path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, BYTES), 0);
	close(fd);
	b->fd = open(b->path, O_RDWR | flags);
	if (b->fd < 0 && errno == EINVAL) /* a tmpfs */
		b->fd = open(b->path, O_RDWR | (flags & ~O_DIRECT));
	assert_true(b->fd >= 0);
	if (!aio_file_init(&b->f, b->loop, engine, b->fd, &err)) {
		print_message("%s\n", err.msg);
		error_clear(&err);
		skip();
	}
}

static void box_fini(struct box *b)
{
	aio_file_fini(&b->f);
	close(b->fd);
	unlink(b->path);
	loop_free(b->loop);
}

static int64_t run(struct box *b, enum aio_kind kind, uint64_t offset, void *buf, size_t n)
{
	struct op op;

	aio_kit_start(&b->f, &op, kind, offset, buf, n);
	return aio_kit_finish(b->loop, &op);
}

static void what_is_written_is_read_back(void **state)
{
	uint8_t *out = xaligned_zalloc(4096, 8192), *in = xaligned_zalloc(4096, 8192);
	struct box b;

	for (unsigned direct = engine == AIO_NATIVE; direct < 2; direct++) {
		box_init(&b, direct ? O_DIRECT : 0);
		memset(out, 0x5a + (int)direct, 8192);
		assert_int_equal(run(&b, AIO_WRITE, 4096, out, 8192), 8192);
		assert_int_equal(run(&b, AIO_FSYNC, 0, NULL, 0), 0);
		assert_int_equal(run(&b, AIO_READ, 4096, in, 8192), 8192);
		assert_memory_equal(in, out, 8192);
		box_fini(&b);
	}
	free(out);
	free(in);
}

static void a_vector_is_filled_piece_by_piece(void **state)
{
	uint8_t *in = xaligned_zalloc(4096, 3 * 4096), *out = xaligned_zalloc(4096, 3 * 4096);
	struct op op = {.calls = 0};
	struct box b;

	box_init(&b, O_DIRECT);
	for (unsigned i = 0; i < 3 * 4096; i++)
		out[i] = (uint8_t)(i / 512);
	assert_int_equal(run(&b, AIO_WRITE, 0, out, 3 * 4096), 3 * 4096);
	op.aio = (struct aio_op){.file = &b.f, .kind = AIO_READ, .n_iov = 3, .bytes = 3 * 4096};
	op.iov[0] = (struct iovec){in + 2 * 4096, 4096};
	op.iov[1] = (struct iovec){in, 4096};
	op.iov[2] = (struct iovec){in + 4096, 4096};
	aio_kit_submit(&op);
	assert_int_equal(aio_kit_finish(b.loop, &op), 3 * 4096);
	assert_memory_equal(in + 2 * 4096, out, 4096);
	assert_memory_equal(in, out + 4096, 4096);
	assert_memory_equal(in + 4096, out + 2 * 4096, 4096);
	box_fini(&b);
	free(in);
	free(out);
}

static void reads_at_the_end_are_short_and_beyond_it_empty(void **state)
{
	uint8_t *in = xaligned_zalloc(4096, 8192);
	struct box b;

	box_init(&b, O_DIRECT);
	assert_int_equal(run(&b, AIO_READ, BYTES - 4096, in, 8192), 4096);
	assert_int_equal(run(&b, AIO_READ, BYTES, in, 4096), 0);
	box_fini(&b);
	free(in);
}

static void thousands_at_once_are_each_done_once(void **state)
{
	enum { N = 6000 };
	struct op *ops = xzalloc(N * sizeof(*ops));
	uint8_t *mem = xaligned_zalloc(4096, 64 * 4096);
	struct box b;

	box_init(&b, O_DIRECT);
	for (unsigned i = 0; i < N; i++)
		aio_kit_start(&b.f, &ops[i], i % 3 ? AIO_READ : AIO_WRITE, i % 256 * 4096,
			      mem + i % 64 * 4096, 4096);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(aio_kit_finish(b.loop, &ops[i]), 4096);
	/* None of them twice. */
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(ops[i].calls, 1);
	box_fini(&b);
	free(ops);
	free(mem);
}

/* The loop doesn't run, so that nobody hands over what waits for its turn to end. */
static void a_device_with_nothing_to_do_gets_requests_before_the_turn_ends(void **state)
{
	enum { N = 4 };
	uint8_t *buf = xaligned_zalloc(4096, N * 4096);
	volatile uint8_t *last = buf + N * 4096 - 1;
	struct op ops[N];
	struct box b;

	box_init(&b, O_DIRECT);
	memset(buf, 0x5a, N * 4096);
	assert_int_equal(run(&b, AIO_WRITE, 0, buf, N * 4096), N * 4096);
	memset(buf, 0, N * 4096);
	for (unsigned i = 0; i < N; i++)
		aio_kit_start(&b.f, &ops[i], AIO_READ, i * 4096, buf + i * 4096, 4096);
	for (unsigned ms = 0; !b.f.in_memory && !*last && ms < 10000; ms++)
		usleep(1000);
	assert_int_equal(*last, b.f.in_memory ? 0 : 0x5a);
	for (unsigned i = 0; i < N; i++)
		assert_int_equal(aio_kit_finish(b.loop, &ops[i]), 4096);
	box_fini(&b);
	free(buf);
}

static void errors_are_the_kernels(void **state)
{
	uint8_t *buf = xaligned_zalloc(4096, 4096);
	struct box b;
	int fd;

	box_init(&b, O_DIRECT);
	aio_file_fini(&b.f);
	fd = open(b.path, O_RDONLY | (fcntl(b.fd, F_GETFL) & O_DIRECT));
	assert_true(aio_file_init(&b.f, b.loop, engine, fd, NULL));
	assert_int_equal(run(&b, AIO_WRITE, 0, buf, 4096), -EBADF);
	assert_int_equal(run(&b, AIO_READ, 0, buf, 4096), 4096);
	assert_int_equal(run(&b, AIO_READ, 0, (void *)64, 4096), -EFAULT);
	aio_file_fini(&b.f);
	close(fd);
	assert_true(aio_file_init(&b.f, b.loop, engine, b.fd, NULL));
	box_fini(&b);
	free(buf);
}

/* The file may not grow beyond RLIMIT_FSIZE: a write across that is first short, then an error. */
static void a_short_write_is_continued_and_its_error_found(void **state)
{
	struct rlimit old, limit;
	uint8_t *buf = xaligned_zalloc(4096, 8192);
	struct box b;

	signal(SIGXFSZ, SIG_IGN);
	box_init(&b, O_DIRECT);
	getrlimit(RLIMIT_FSIZE, &old);
	limit = old;
	limit.rlim_cur = BYTES + 4096;
	setrlimit(RLIMIT_FSIZE, &limit);
	assert_int_equal(run(&b, AIO_WRITE, BYTES, buf, 8192), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &old);
	box_fini(&b);
	free(buf);
}

static void zeroes_and_discards_clear(void **state)
{
	uint8_t *out = xaligned_zalloc(4096, 16384), *in = xaligned_zalloc(4096, 16384);
	struct op op;
	struct box b;

	box_init(&b, O_DIRECT);
	for (unsigned unmap = 0; unmap < 2; unmap++) {
		memset(out, 0xff, 16384);
		assert_int_equal(run(&b, AIO_WRITE, 0, out, 16384), 16384);
		aio_kit_start(&b.f, &op, AIO_FSYNC, 0, NULL, 0);
		aio_kit_finish(b.loop, &op);
		op.aio.kind = AIO_ZERO;
		op.aio.flags = unmap ? AIO_UNMAP : 0;
		op.aio.offset = 4096;
		op.aio.bytes = 8192;
		aio_kit_submit(&op);
		assert_int_equal(aio_kit_finish(b.loop, &op), 0);
		assert_int_equal(run(&b, AIO_READ, 0, in, 16384), 16384);
		memset(out + 4096, 0, 8192);
		assert_memory_equal(in, out, 16384);
	}
	assert_int_equal(run(&b, AIO_DISCARD, 0, NULL, 4096), 0);
	box_fini(&b);
	free(out);
	free(in);
}

/* Steady state: no memory is taken for a request. */
static void requests_allocate_nothing(void **state)
{
	uint8_t *buf = xaligned_zalloc(4096, 4096);
	struct mallinfo2 before, after;
	struct box b;

	box_init(&b, O_DIRECT);
	for (unsigned i = 0; i < 100; i++)
		run(&b, AIO_READ, 0, buf, 4096);
	before = mallinfo2();
	for (unsigned i = 0; i < 500; i++)
		run(&b, i % 8 ? AIO_READ : AIO_WRITE, i * 512ull % BYTES & ~4095ull, buf, 4096);
	after = mallinfo2();
	assert_int_equal(after.uordblks, before.uordblks);
	box_fini(&b);
	free(buf);
}

static int closed_in_callback;

static void close_in_callback(struct aio_op *aio, int64_t ret)
{
	struct box *b = container_of(aio->file, struct box, f);

	aio_file_fini(&b->f);
	closed_in_callback = 1;
}

static void the_last_file_may_be_closed_by_a_completion(void **state)
{
	uint8_t *buf = xaligned_zalloc(4096, 4096);
	struct op op = {.calls = 0};
	struct box b;

	box_init(&b, O_DIRECT);
	closed_in_callback = 0;
	op.iov[0] = (struct iovec){buf, 4096};
	op.aio = (struct aio_op){.file = &b.f, .kind = AIO_READ, .iov = op.iov, .n_iov = 1};
	op.aio.bytes = 4096;
	op.aio.done = close_in_callback;
	aio_submit(&op.aio);
	for (unsigned i = 0; i < 100 && !closed_in_callback; i++)
		loop_run_once(b.loop, 100 * NS_PER_MS);
	assert_int_equal(closed_in_callback, 1);
	box_fini(&b);
	free(buf);
}

/* ---- which engine ---- */

#ifndef SECCOMP_RET_ERRNO
#define SECCOMP_RET_ERRNO 0x00050000U
#endif

static void forbid_io_uring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {.len = ARRAY_SIZE(code), .filter = code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		_exit(77);
}

/* In a child: the filter stays. Exit status 0 when all is as it should be. */
static int use_without_io_uring(int stderr_fd)
{
	struct box b;
	uint8_t *buf = xaligned_zalloc(4096, 4096);
	struct aio_file second;
	struct error err = ERROR_INIT;
	bool ok;

	dup2(stderr_fd, 2);
	forbid_io_uring();
	engine = AIO_DEFAULT;
	box_init(&b, 0);
	ok = !strcmp(aio_file_engine(&b.f), "threads") && run(&b, AIO_WRITE, 0, buf, 4096) == 4096;
	ok = ok && aio_file_init(&second, b.loop, AIO_DEFAULT, b.fd, &err);
	if (ok)
		aio_file_fini(&second);
	ok = ok && !aio_file_init(&second, b.loop, AIO_IO_URING, b.fd, &err);
	ok = ok && err.msg && strstr(err.msg, "Operation not permitted");
	box_fini(&b);
	return ok ? 0 : 1;
}

static void where_io_uring_is_forbidden_threads_do_it(void **state)
{
	char text[1024] = "";
	int fds[2], status;
	pid_t pid;

#ifndef HAVE_LIBURING
	print_message("built without liburing\n");
	skip();
#endif
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		_exit(use_without_io_uring(fds[1]));
	close(fds[1]);
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		print_message("no seccomp here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(read(fds[0], text, sizeof(text) - 1) > 0);
	close(fds[0]);
	/* Said, and said once. */
	assert_non_null(strstr(text, "aio=threads"));
	assert_null(strstr(strstr(text, "aio=threads") + 1, "aio=threads"));
}

/* A copy of memory never waits; a device whose node happens to lie in a tmpfs does. */
static void device_nodes_in_a_tmpfs_are_not_taken_for_memory(void **state)
{
	struct error err = ERROR_INIT;
	struct loop *loop;
	struct aio_file f;
	struct statfs fs;
	int fd = open("/dev/zero", O_RDWR);

	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != TMPFS_MAGIC) {
		print_message("/dev is in no tmpfs here\n");
		skip();
	}
	loop = loop_new();
	if (!aio_file_init(&f, loop, AIO_IO_URING, fd, &err)) {
		print_message("%s\n", err.msg);
		error_clear(&err);
		loop_free(loop);
		close(fd);
		skip();
	}
	assert_false(f.in_memory);
	aio_file_fini(&f);
	loop_free(loop);
	close(fd);
}

static const struct CMUnitTest engine_tests[] = {
	cmocka_unit_test(what_is_written_is_read_back),
	cmocka_unit_test(a_vector_is_filled_piece_by_piece),
	cmocka_unit_test(reads_at_the_end_are_short_and_beyond_it_empty),
	cmocka_unit_test(thousands_at_once_are_each_done_once),
	cmocka_unit_test(a_device_with_nothing_to_do_gets_requests_before_the_turn_ends),
	cmocka_unit_test(errors_are_the_kernels),
	cmocka_unit_test(a_short_write_is_continued_and_its_error_found),
	cmocka_unit_test(zeroes_and_discards_clear),
	cmocka_unit_test(requests_allocate_nothing),
	cmocka_unit_test(the_last_file_may_be_closed_by_a_completion),
};

static const struct CMUnitTest other_tests[] = {
	cmocka_unit_test(where_io_uring_is_forbidden_threads_do_it),
	cmocka_unit_test(device_nodes_in_a_tmpfs_are_not_taken_for_memory),
};

int main(void)
{
	int failed = 0;

	for (engine = AIO_IO_URING; engine <= AIO_THREADS; engine++) {
		static const char *const names[] = {[AIO_IO_URING] = "io_uring",
						    [AIO_NATIVE] = "native",
						    [AIO_THREADS] = "threads"};

		failed += cmocka_run_group_tests_name(names[engine], engine_tests, NULL, NULL);
	}
	engine = AIO_IO_URING;
	directory = "/dev/shm";
	if (access(directory, W_OK) == 0)
		failed += cmocka_run_group_tests_name("io_uring, tmpfs", engine_tests, NULL, NULL);
	failed += cmocka_run_group_tests_name("choice", other_tests, NULL, NULL);
	return failed;
}
