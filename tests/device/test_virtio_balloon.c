/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio-balloon: pages that go and come back, statistics, and page numbers that mean harm. */
#include <jansson.h>
#include "devices/virtio/virtio_balloon.h"
#include "devices/virtio/virtio_mmio.h"
#include "tests/device/virtio_kit.h"

#define INFLATE	  0
#define DEFLATE	  1
#define STATS	  2
#define REPORTING 3
#define SIZE	  16
#define CONFIG	  0x100
#define STATUS	  0x70
#define F_STATS	  BIT64(1)
#define F_POISON  BIT64(4)
#define F_REPORT  BIT64(5)

static struct kit *k;
static struct vk v;

static int setup(void **state)
{
	k = kit_new();
	vk_init(&v, k);
	kit_add(k, &virtio_balloon_device_type, "free-page-reporting", "on", NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void pages(unsigned q, const uint32_t *pfns, unsigned n)
{
	struct vk_piece piece = {VK_BUFFERS, 4 * n, false};
	uint16_t id;
	uint32_t len;

	for (unsigned i = 0; i < n; i++)
		vk_put(&v, VK_BUFFERS + 4 * i, pfns[i], 4);
	vk_add(&v, q, &piece, 1);
	vk_kick(&v, q);
	assert_true(vk_used(&v, q, &id, &len));
	assert_int_equal(len, 0);
}

static void inflated_pages_go_back(void **state)
{
	static const uint32_t pfns[] = {0xa1, 0xa2, 0xa3, 0xa0, 0xc0};

	vk_start(&v, F_STATS, 3, SIZE);
	for (gpa_t gpa = 0xa0000; gpa < 0xd0000; gpa += 0x1000)
		vk_put(&v, gpa, 0x1234, 8);
	pages(INFLATE, pfns, ARRAY_SIZE(pfns));
	for (gpa_t gpa = 0xa0000; gpa < 0xd0000; gpa += 0x1000) {
		bool gone = gpa < 0xa4000 || gpa == 0xc0000;

		assert_int_equal(vk_get(&v, gpa, 8), gone ? 0 : 0x1234);
	}
	pages(DEFLATE, pfns, ARRAY_SIZE(pfns));
	vk_put(&v, 0xa0000, 5, 8);
	assert_int_equal(vk_get(&v, 0xa0000, 8), 5);
}

/* Beyond RAM, in the rings, no whole number of them: nothing but RAM is ever given back. */
static void page_numbers_that_mean_harm(void **state)
{
	static const uint32_t pfns[] = {0x100,	 0xffffffff, VK_REGS >> 12,
					0xfeb00, 0xff,	     0x7fffffff};
	const struct vk_piece odd = {VK_BUFFERS, 7, false}, none = {VK_BUFFERS, 3, false};

	vk_start(&v, F_STATS, 3, SIZE);
	pages(INFLATE, pfns, ARRAY_SIZE(pfns));
	vk_add(&v, INFLATE, &odd, 1);
	vk_add(&v, INFLATE, &none, 1);
	vk_kick(&v, INFLATE);
	assert_false(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET);
}

/* What a driver lists may be longer than all of RAM: the loop has its turns meanwhile, and the driver may reset. */
static void a_list_without_end(void **state)
{
	struct vk_piece all[100];
	uint16_t id;
	uint32_t len;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = (struct vk_piece){0x90000, 0x60000, false};
	vk_start(&v, F_STATS, 3, 128);
	vk_add(&v, INFLATE, all, ARRAY_SIZE(all));
	vk_kick(&v, INFLATE);
	assert_false(vk_used(&v, INFLATE, &id, &len));
	/* A long one has its end, and what is last in it is not forgotten. */
	vk_start(&v, F_STATS, 3, 128);
	vk_put(&v, 0x90000 + 4 * 2999, 0xa0, 4);
	vk_put(&v, 0xa0000, 0x1234, 8);
	all[0].len = 4 * 3000;
	vk_add(&v, INFLATE, all, 1);
	vk_kick(&v, INFLATE);
	assert_true(vk_used(&v, INFLATE, &id, &len));
	assert_int_equal(vk_get(&v, 0xa0000, 8), 0);
}

static void the_target_and_what_came_of_it(void **state)
{
	struct virtio_balloon *b = k->m->balloon;

	vk_start(&v, F_STATS, 3, SIZE);
	assert_int_equal(virtio_balloon_actual(b), KIT_RAM);
	virtio_balloon_set_target(b, KIT_RAM / 2);
	assert_int_equal(k->rises[VK_GSI], 1);
	assert_int_equal(vk_reg(&v, CONFIG), KIT_RAM / 2 / 4096);
	vk_set_reg(&v, CONFIG + 4, KIT_RAM / 2 / 4096);
	assert_int_equal(virtio_balloon_actual(b), KIT_RAM / 2);
	vk_set_reg(&v, CONFIG, 3); /* not the driver's */
	assert_int_equal(vk_reg(&v, CONFIG), KIT_RAM / 2 / 4096);
	vk_set_reg(&v, CONFIG + 4, UINT32_MAX);
	assert_int_equal(virtio_balloon_actual(b), 0);
	virtio_balloon_set_target(b, UINT64_MAX);
	assert_int_equal(vk_reg(&v, CONFIG), 0);
}

static void give_stats(uint16_t tag, uint64_t value)
{
	const struct vk_piece piece = {VK_BUFFERS, 20, false};

	vk_put(&v, VK_BUFFERS, tag, 2);
	vk_put(&v, VK_BUFFERS + 2, value, 8);
	vk_put(&v, VK_BUFFERS + 10, 999, 2); /* one that nobody knows */
	vk_put(&v, VK_BUFFERS + 12, 1, 8);
	vk_add(&v, STATS, &piece, 1);
	vk_kick(&v, STATS);
}

static json_int_t stat_of(const char *name)
{
	json_t *all = virtio_balloon_stats(k->m->balloon);
	json_int_t value = json_integer_value(json_object_get(json_object_get(all, "stats"), name));

	json_decref(all);
	return value;
}

static void statistics(void **state)
{
	uint16_t id;
	uint32_t len;

	vk_start(&v, F_STATS, 3, SIZE);
	assert_int_equal(stat_of("stat-free-memory"), -1);
	give_stats(4, 12345);
	assert_int_equal(stat_of("stat-free-memory"), 12345);
	assert_int_equal(stat_of("stat-total-memory"), -1);
	assert_false(
		vk_used(&v, STATS, &id, &len)); /* the buffer is kept until figures are wanted */
	virtio_balloon_set_polling(k->m->balloon, 2);
	kit_settle(k);
	assert_true(vk_used(&v, STATS, &id, &len));
	give_stats(5, 777);
	assert_int_equal(stat_of("stat-total-memory"), 777);
	kit_advance(k, NS_PER_SEC);
	kit_settle(k);
	assert_false(vk_used(&v, STATS, &id, &len));
	kit_advance(k, NS_PER_SEC);
	kit_settle(k);
	assert_true(vk_used(&v, STATS, &id, &len));
	/* A driver that gives no more buffers is asked in vain. */
	kit_advance(k, 10 * NS_PER_SEC);
	virtio_balloon_set_polling(k->m->balloon, 0);
	give_stats(5, 778);
	kit_advance(k, 10 * NS_PER_SEC);
	kit_settle(k);
	assert_false(vk_used(&v, STATS, &id, &len));
}

/* The driver's first buffer is in the queue before it is ready (3.1.1), and Linux drops an interrupt of that time. */
static void statistics_of_a_driver_that_is_not_ready(void **state)
{
	const struct vk_piece piece = {VK_BUFFERS, 10, false};
	uint16_t id;
	uint32_t len;

	virtio_balloon_set_polling(k->m->balloon, 1);
	assert_true(vk_negotiate(&v, F_STATS | BIT64(VIRTIO_F_VERSION_1)));
	vk_set_queue(&v, STATS, SIZE);
	vk_put(&v, VK_BUFFERS, 4, 2);
	vk_put(&v, VK_BUFFERS + 2, 4711, 8);
	vk_add(&v, STATS, &piece, 1);
	vk_kick(&v, STATS);
	kit_advance(k, NS_PER_SEC);
	kit_settle(k);
	assert_false(vk_used(&v, STATS, &id, &len));
	vk_set_reg(&v, STATUS, vk_status(&v) | VIRTIO_STATUS_DRIVER_OK);
	kit_settle(k);
	assert_int_equal(stat_of("stat-free-memory"), 4711);
	kit_advance(k, NS_PER_SEC);
	kit_settle(k);
	assert_true(vk_used(&v, STATS, &id, &len));
}

/* What qom-get and qom-set reach. */
static void live_properties(void **state)
{
	struct device *dev = k->m->balloon->v.dev;
	const struct device_live_prop *stats = dev->live_props, *interval = stats + 1;
	struct error err = ERROR_INIT;
	json_t *v;

	assert_string_equal(interval->name, "guest-stats-polling-interval");
	v = json_integer(3);
	assert_true(interval->set(dev, v, &err));
	json_decref(v);
	v = interval->get(dev);
	assert_int_equal(json_integer_value(v), 3);
	json_decref(v);
	v = json_integer(-1);
	assert_false(interval->set(dev, v, &err));
	error_clear(&err);
	json_decref(v);
	v = json_string("3");
	assert_false(interval->set(dev, v, &err));
	error_clear(&err);
	json_decref(v);
	assert_null(stats->set);
}

static void report(gpa_t gpa, uint32_t len)
{
	const struct vk_piece piece = {gpa, len, true};
	uint16_t id;
	uint32_t got;

	vk_add(&v, REPORTING, &piece, 1);
	vk_kick(&v, REPORTING);
	assert_true(vk_used(&v, REPORTING, &id, &got));
}

static void free_pages_are_reported(void **state)
{
	vk_start(&v, F_REPORT | F_POISON, 4, SIZE);
	vk_put(&v, 0xb0000, 1, 8);
	vk_put(&v, 0xb1000, 2, 8);
	report(0xb0800, 0x1800); /* whole pages only */
	assert_int_equal(vk_get(&v, 0xb0000, 8), 1);
	assert_int_equal(vk_get(&v, 0xb1000, 8), 0);
	/* A driver that fills its free pages wants to find them so. */
	vk_set_reg(&v, CONFIG + 12, 0xaaaaaaaa);
	vk_put(&v, 0xb1000, 2, 8);
	report(0xb1000, 0x1000);
	assert_int_equal(vk_get(&v, 0xb1000, 8), 2);
}

static void there_is_one(void **state)
{
	char *msg;
	struct error err = ERROR_INIT;

	assert_non_null(virtio_mmio_create(k->m, 1, VK_REGS + 0x1000, VK_GSI + 1, &err));
	msg = kit_add_fails(k, &virtio_balloon_device_type, NULL);
	assert_non_null(strstr(msg, "one balloon"));
	free(msg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(inflated_pages_go_back),
		TEST(page_numbers_that_mean_harm),
		TEST(a_list_without_end),
		TEST(the_target_and_what_came_of_it),
		TEST(statistics),
		TEST(statistics_of_a_driver_that_is_not_ready),
		TEST(live_properties),
		TEST(free_pages_are_reported),
		TEST(there_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
