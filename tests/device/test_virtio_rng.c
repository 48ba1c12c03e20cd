/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio-rng with a source that has nothing for a while: whoever asked meanwhile gets its bytes in the end. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "src/object.h"
#include "tests/device/virtio_kit.h"

#define SIZE	    8
#define ROOM	    64
#define RING_RESET  BIT64(VIRTIO_F_RING_RESET)
#define QUEUE_SEL   0x30
#define QUEUE_RESET 0xc0

static struct kit *k;
static struct vk v;
static struct device *dev;
static char dir[] = "/tmp/evmm-test-rng-XXXXXX", path[sizeof(dir) + 8];
static int source;

static int setup(void **state)
{
	struct error err = ERROR_INIT;
	char *option;

	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/source", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	source = open(path, O_RDWR | O_CLOEXEC);
	assert_true(source >= 0);
	k = kit_new();
	vk_init(&v, k);
	option = xasprintf("rng-random,id=r,filename=%s", path);
	if (!object_create_from_option(k->m->objects, option, &err))
		fail_msg("%s", err.msg);
	free(option);
	dev = kit_add(k, &virtio_rng_device_type, "rng", "r", "max-bytes", "16", "period", "1000",
		      NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	close(source);
	unlink(path);
	rmdir(dir);
	return 0;
}

static void ask(gpa_t gpa)
{
	const struct vk_piece piece = {gpa, ROOM, true};

	vk_add(&v, 0, &piece, 1);
	vk_kick(&v, 0);
}

static void give(const char *bytes)
{
	assert_int_equal(write(source, bytes, strlen(bytes)), strlen(bytes));
	kit_settle(k);
}

static void expect(uint16_t id, gpa_t gpa, const char *bytes)
{
	uint16_t got;
	uint32_t len;

	assert_true(vk_used(&v, 0, &got, &len));
	assert_int_equal(got, id);
	assert_int_equal(len, strlen(bytes));
	for (size_t i = 0; bytes[i]; i++)
		assert_int_equal(vk_get(&v, gpa + i, 1), bytes[i]);
}

static void expect_nothing(void)
{
	uint16_t id;
	uint32_t len;

	assert_false(vk_used(&v, 0, &id, &len));
}

static void buffers_are_filled_in_their_order(void **state)
{
	vk_start(&v, 0, 1, SIZE);
	ask(VK_BUFFERS);
	ask(VK_BUFFERS + 0x100);
	expect_nothing();
	give("abc");
	expect(0, VK_BUFFERS, "abc");
	expect_nothing();
	give("de");
	expect(1, VK_BUFFERS + 0x100, "de");
}

/* 16 bytes a second. */
static void more_than_is_allowed_comes_later(void **state)
{
	vk_start(&v, 0, 1, SIZE);
	give("0123456789abcdefXYZ");
	ask(VK_BUFFERS);
	ask(VK_BUFFERS + 0x100);
	expect(0, VK_BUFFERS, "0123456789abcdef");
	expect_nothing();
	kit_advance(k, NS_PER_SEC);
	kit_settle(k);
	expect(1, VK_BUFFERS + 0x100, "XYZ");
}

/* The buffer is the driver's until it is filled, and whoever goes on with the machine fills it. */
static void a_request_survives_save_and_load(void **state)
{
	vk_start(&v, 0, 1, SIZE);
	ask(VK_BUFFERS);
	expect_nothing();
	kit_save_load(dev);
	kit_settle(k);
	give("late");
	expect(0, VK_BUFFERS, "late");
}

/* A source that has nothing holds up no reset, and what it gives afterwards goes into no old buffer. */
static void a_reset_while_the_source_has_nothing(void **state)
{
	vk_start(&v, RING_RESET, 1, SIZE);
	vk_put(&v, VK_BUFFERS, 0x1234, 8);
	ask(VK_BUFFERS);
	vk_set_reg(&v, QUEUE_SEL, 0);
	vk_set_reg(&v, QUEUE_RESET, 1);
	assert_int_equal(vk_reg(&v, QUEUE_RESET), 0);
	give("a");
	assert_int_equal(vk_get(&v, VK_BUFFERS, 8), 0x1234);
	vk_start(&v, 0, 1, SIZE);
	ask(VK_BUFFERS);
	vk_start(&v, 0, 1, SIZE); /* the status reads 0 at once */
	give("b");
	assert_int_equal(vk_get(&v, VK_BUFFERS, 8), 0x1234);
	ask(VK_BUFFERS);
	expect(0, VK_BUFFERS, "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(buffers_are_filled_in_their_order),
		TEST(more_than_is_allowed_comes_later),
		TEST(a_request_survives_save_and_load),
		TEST(a_reset_while_the_source_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
