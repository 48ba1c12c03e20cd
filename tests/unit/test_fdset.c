/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of descriptors that somebody else opened, and paths that name them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "src/fdset.h"

static char path[64];

static int setup(void **state)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/evmm-fdset.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "some bytes", 10), 10);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	fdsets_close();
	unlink(path);
	return 0;
}

static int have(int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void sets_are_numbered_from_the_lowest_that_is_free(void **state)
{
	assert_int_equal(fdset_add(-1, have(O_RDONLY), NULL)->id, 0);
	assert_int_equal(fdset_add(2, have(O_RDONLY), NULL)->id, 2);
	assert_int_equal(fdset_add(-1, have(O_RDONLY), NULL)->id, 1);
	assert_int_equal(fdset_add(-1, have(O_RDONLY), NULL)->id, 3);
	for (int64_t id = 0; id < 4; id++)
		assert_true(fdset_remove(id, -1));
	assert_null(fdset_next(NULL));
}

static void removing_closes_but_not_what_was_opened(void **state)
{
	int a = have(O_RDONLY), b = have(O_RDWR), opened;

	fdset_add(7, a, "first");
	fdset_add(7, b, NULL);
	opened = fdset_open("/dev/fdset/7", O_RDWR, 0);
	assert_true(opened >= 0 && opened != b);
	assert_false(fdset_remove(7, 1000));
	assert_false(fdset_remove(8, -1));
	assert_true(fdset_remove(7, b));
	assert_true(is_open(a) && !is_open(b) && is_open(opened));
	assert_true(fdset_remove(7, -1));
	assert_false(is_open(a));
	assert_int_equal(write(opened, "x", 1), 1);
	close(opened);
}

static void the_descriptor_with_the_access_wanted_is_taken(void **state)
{
	int fd;

	fdset_add(0, have(O_RDONLY), NULL);
	assert_int_equal(fdset_open("/dev/fdset/0", O_RDWR, 0), -1);
	assert_int_equal(errno, EACCES);
	fd = fdset_open("/dev/fdset/0", O_RDONLY | O_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	fdset_add(0, have(O_WRONLY), NULL);
	fd = fdset_open("/dev/fdset/0", O_WRONLY | O_APPEND, 0);
	assert_true(fd >= 0 && (fcntl(fd, F_GETFL) & O_APPEND));
	close(fd);
}

static void what_would_empty_a_file_empties_it(void **state)
{
	struct stat st;
	int fd;

	fdset_add(0, have(O_WRONLY), NULL);
	assert_int_equal(fdset_stat("/dev/fdset/0", &st), 0);
	assert_int_equal(st.st_size, 10);
	fd = fdset_open("/dev/fdset/0", O_WRONLY | O_CREAT | O_TRUNC, 0666);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(fdset_stat("/dev/fdset/0", &st), 0);
	assert_int_equal(st.st_size, 0);
}

static void other_paths_are_files(void **state)
{
	static const char *const no[] = {"/dev/fdset",	  "/dev/fdset/",
					 "/dev/fdset/x",  "/dev/fdset/-1",
					 "/dev/fdset/1x", "/dev/fdset/99999999999999999999"};
	struct stat st;
	int64_t id;
	int fd;

	for (unsigned i = 0; i < ARRAY_SIZE(no); i++)
		assert_false(fdset_of_path(no[i], &id));
	assert_true(fdset_of_path("/dev/fdset/12", &id));
	assert_int_equal(id, 12);
	assert_int_equal(fdset_open("/dev/fdset/12", O_RDONLY, 0), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(fdset_stat("/dev/fdset/12", &st), -1);
	fd = fdset_open(path, O_RDONLY, 0);
	assert_true(fd >= 0);
	close(fd);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(sets_are_numbered_from_the_lowest_that_is_free),
		CASE(removing_closes_but_not_what_was_opened),
		CASE(the_descriptor_with_the_access_wanted_is_taken),
		CASE(what_would_empty_a_file_empties_it),
		CASE(other_paths_are_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
