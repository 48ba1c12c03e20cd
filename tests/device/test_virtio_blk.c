/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio-blk: its requests and configuration (Virtio 1.2, 5.2), and how its queues are looked at while they are busy. */
#include <jansson.h>
#include <pthread.h>
#include <unistd.h>
#include "io/block/block_internal.h"
#include "src/drive.h"
#include "src/iothread.h"
#include "tests/device/virtio_kit.h"

#define Q	  0
#define SIZE	  16
#define EVENT_IDX BIT64(VIRTIO_F_EVENT_IDX)
#define PACKED	  BIT64(VIRTIO_F_RING_PACKED)
#define F_RO	  BIT64(5)
#define F_FLUSH	  BIT64(9)
#define F_WCE	  BIT64(11)
#define F_DISCARD BIT64(13)
#define F_ZEROES  BIT64(14)

#define T_IN	  0
#define T_OUT	  1
#define T_FLUSH	  4
#define T_GET_ID  8
#define T_DISCARD 11
#define T_ZEROES  13
#define S_OK	  0
#define S_IOERR	  1
#define S_UNSUPP  2
#define NOT_YET	  0xee

#define AT_HEADER	  VK_BUFFERS /* 0x20 for each request that is under way at once */
#define AT_STATUS	  (VK_BUFFERS + 0x10)
#define AT_DATA		  (VK_BUFFERS + 0x10000)
#define CONFIG		  0x100
#define CONFIG_CAPACITY	  (CONFIG + 0x00)
#define CONFIG_WRITEBACK  (CONFIG + 0x20)
#define CONFIG_GENERATION 0xfc
#define ISR		  0x60
#define ACK		  0x64
#define DISK_BYTES	  (4 * MiB)

static struct kit *k;
static struct vk v;
static struct device *blk;
static char path[] = "/tmp/evmm-test-blk-XXXXXX";

static int setup(void **state)
{
	struct error err = ERROR_INIT;
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0 && !ftruncate(fd, DISK_BYTES));
	close(fd);
	k = kit_new();
	vk_init(&v, k);
	if (!drive_add(k->m,
		       json_pack("{s:s,s:s,s:s,s:s}", "if", "none", "id", "d0", "file", path,
				 "format", "raw"),
		       &err))
		fail_msg("%s", err.msg);
	assert_non_null(object_create_from_option(k->m->objects, "iothread,id=t0", &err));
	blk = kit_add(k, &virtio_blk_device_type, "drive", "d0", "serial", "12345678901234567890",
		      "packed", "on", "iothread", "t0", NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	unlink(path);
	return 0;
}

/* ---- requests ---- */

static void add_request(unsigned slot, uint32_t type, uint64_t sector, uint32_t out, uint32_t in)
{
	gpa_t header = AT_HEADER + 0x20 * slot, data = AT_DATA + 0x1000 * slot;
	struct vk_piece pieces[3] = {{header, 16, false}};
	unsigned n = 1;

	vk_put(&v, header, type, 4);
	vk_put(&v, header + 4, 0, 4);
	vk_put(&v, header + 8, sector, 8);
	vk_put(&v, header + 0x10, NOT_YET, 1);
	if (out)
		pieces[n++] = (struct vk_piece){data, out, false};
	if (in)
		pieces[n++] = (struct vk_piece){data, in, true};
	pieces[n++] = (struct vk_piece){header + 0x10, 1, true};
	vk_add(&v, Q, pieces, n);
}

static uint8_t status_of(unsigned slot)
{
	return (uint8_t)vk_get(&v, AT_STATUS + 0x20 * slot, 1);
}

/* The loop does not get to sleep meanwhile. */
static bool done_while_awake(unsigned slot)
{
	for (unsigned i = 0; i < 20000 && status_of(slot) == NOT_YET; i++)
		loop_run_once(k->loop, 0);
	return status_of(slot) != NOT_YET;
}

static uint8_t request(uint32_t type, uint64_t sector, uint32_t out, uint32_t in)
{
	uint16_t id;
	uint32_t len;

	add_request(0, type, sector, out, in);
	vk_kick(&v, Q);
	for (unsigned i = 0; i < 5000 && status_of(0) == NOT_YET; i++)
		loop_run_once(k->loop, NS_PER_MS);
	assert_true(vk_used(&v, Q, &id, &len));
	assert_int_equal(len, in + 1);
	return status_of(0);
}

static void fill(uint32_t bytes, uint8_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		vk_put(&v, AT_DATA + i, value, 1);
}

static void what_is_written_is_read_back(void **state)
{
	static const uint64_t forms[] = {0, EVENT_IDX, PACKED, PACKED | EVENT_IDX};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		vk_start(&v, forms[i] | F_FLUSH, 1, SIZE);
		fill(4096, (uint8_t)(0x51 + i));
		assert_int_equal(request(T_OUT, 8 * i, 4096, 0), S_OK);
		assert_int_equal(request(T_FLUSH, 0, 0, 0), S_OK);
		assert_int_equal(request(T_FLUSH | T_OUT, 0, 0, 0), S_OK); /* of before version 1 */
		fill(4096, 0);
		assert_int_equal(request(T_IN, 8 * i, 0, 4096), S_OK);
		assert_int_equal(vk_get(&v, AT_DATA, 1), 0x51 + i);
		assert_int_equal(vk_get(&v, AT_DATA + 4095, 1), 0x51 + i);
	}
}

static void requests_beyond_the_end_or_in_parts_of_a_sector_fail(void **state)
{
	uint64_t sectors = DISK_BYTES / 512;

	vk_start(&v, 0, 1, SIZE);
	assert_int_equal(request(T_IN, sectors - 1, 0, 512), S_OK);
	assert_int_equal(request(T_IN, sectors - 1, 0, 1024), S_IOERR);
	assert_int_equal(request(T_IN, sectors, 0, 512), S_IOERR);
	assert_int_equal(request(T_OUT, UINT64_MAX, 512, 0), S_IOERR);
	assert_int_equal(request(T_OUT, UINT64_MAX / 512, 512, 0), S_IOERR);
	assert_int_equal(request(T_IN, 0, 0, 100), S_IOERR);
	assert_int_equal(request(77, 0, 0, 512), S_UNSUPP);
	assert_null(blk->broken);
}

static void the_serial_number_has_20_bytes_and_no_zero(void **state)
{
	vk_start(&v, 0, 1, SIZE);
	fill(32, 0xff);
	assert_int_equal(request(T_GET_ID, 0, 0, 20), S_OK);
	assert_int_equal(vk_get(&v, AT_DATA, 1), '1');
	assert_int_equal(vk_get(&v, AT_DATA + 19, 1), '0');
	assert_int_equal(vk_get(&v, AT_DATA + 20, 1), 0xff);
}

static void put_range(uint64_t sector, uint32_t sectors, uint32_t flags)
{
	vk_put(&v, AT_DATA, sector, 8);
	vk_put(&v, AT_DATA + 8, sectors, 4);
	vk_put(&v, AT_DATA + 12, flags, 4);
}

static void discards_and_zeroes(void **state)
{
	vk_start(&v, 0, 1, SIZE);
	put_range(0, 8, 0);
	assert_int_equal(request(T_DISCARD, 0, 16, 0), S_UNSUPP); /* not negotiated */
	assert_int_equal(request(T_ZEROES, 0, 16, 0), S_UNSUPP);
	vk_start(&v, F_DISCARD | F_ZEROES, 1, SIZE);
	fill(4096, 0x33);
	assert_int_equal(request(T_OUT, 0, 4096, 0), S_OK);
	put_range(1, 2, 0);
	assert_int_equal(request(T_ZEROES, 0, 16, 0), S_OK);
	assert_int_equal(request(T_IN, 0, 0, 4096), S_OK);
	assert_int_equal(vk_get(&v, AT_DATA + 511, 1), 0x33);
	assert_int_equal(vk_get(&v, AT_DATA + 512, 8), 0);
	assert_int_equal(vk_get(&v, AT_DATA + 1536, 1), 0x33);
	put_range(0, 8, 0);
	assert_int_equal(request(T_DISCARD, 0, 16, 0), S_OK);
	put_range(0, 8, 1); /* unmap: of zeroes only */
	assert_int_equal(request(T_DISCARD, 0, 16, 0), S_UNSUPP);
	put_range(0, 8, 2);
	assert_int_equal(request(T_ZEROES, 0, 16, 0), S_UNSUPP);
	put_range(DISK_BYTES / 512 - 1, 2, 0);
	assert_int_equal(request(T_ZEROES, 0, 16, 0), S_IOERR);
	put_range(UINT64_MAX, UINT32_MAX, 0);
	assert_int_equal(request(T_DISCARD, 0, 16, 0), S_IOERR);
	assert_int_equal(request(T_DISCARD, 0, 12, 0), S_IOERR);
	assert_int_equal(request(T_DISCARD, 0, 32, 0), S_UNSUPP); /* two segments */
}

/* A request without header, and one without status, make no sense. */
static void requests_without_header_or_status_break_the_device(void **state)
{
	const struct vk_piece no_status = {AT_HEADER, 16, false}, no_header = {AT_STATUS, 1, true};

	vk_start(&v, 0, 1, SIZE);
	vk_add(&v, Q, &no_status, 1);
	vk_kick(&v, Q);
	assert_int_equal(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET, VIRTIO_STATUS_NEEDS_RESET);
	vk_start(&v, 0, 1, SIZE);
	assert_null(blk->broken);
	vk_add(&v, Q, &no_header, 1);
	vk_kick(&v, Q);
	assert_non_null(blk->broken);
	vk_start(&v, 0, 1, SIZE);
	assert_int_equal(request(T_IN, 0, 0, 512), S_OK);
}

/* ---- configuration ---- */

static void a_resize_changes_capacity_and_generation_and_interrupts(void **state)
{
	struct error err = ERROR_INIT;
	uint32_t before;

	vk_start(&v, 0, 1, SIZE);
	before = vk_reg(&v, CONFIG_GENERATION);
	assert_int_equal(vk_reg(&v, CONFIG_CAPACITY), DISK_BYTES / 512);
	assert_int_equal(vk_reg(&v, CONFIG_GENERATION), before); /* reading changes nothing */
	if (!block_node_resize(block_by_id("d0")->root, 2 * DISK_BYTES, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(vk_reg(&v, CONFIG_CAPACITY), 2 * DISK_BYTES / 512);
	assert_int_not_equal(vk_reg(&v, CONFIG_GENERATION), before);
	assert_int_equal(vk_reg(&v, ISR), VIRTIO_ISR_CONFIG);
	assert_true(k->level[VK_GSI]);
	vk_set_reg(&v, ACK, VIRTIO_ISR_CONFIG);
	assert_false(k->level[VK_GSI]);
	assert_int_equal(request(T_IN, DISK_BYTES / 512, 0, 512), S_OK);
	/* Nobody is interrupted who has no driver. */
	vk_set_reg(&v, 0x70, 0);
	kit_clear(k);
	assert_true(block_node_resize(block_by_id("d0")->root, DISK_BYTES, &err));
	assert_int_equal(k->rises[VK_GSI], 0);
}

static void the_driver_switches_the_cache_and_writes_nothing_else(void **state)
{
	struct block *b = block_by_id("d0");

	vk_start(&v, F_FLUSH | F_WCE, 1, SIZE);
	assert_int_equal(vk_reg(&v, CONFIG_WRITEBACK) & 0xff, 1);
	as_write(&k->m->mem, VK_REGS + CONFIG_WRITEBACK, 0, 1);
	assert_false(block_write_cache(b));
	as_write(&k->m->mem, VK_REGS + CONFIG_WRITEBACK, 0xff, 1);
	assert_true(block_write_cache(b));
	assert_int_equal(vk_reg(&v, CONFIG_WRITEBACK) & 0xff, 1);
	vk_set_reg(&v, CONFIG_CAPACITY, 0);
	assert_int_equal(vk_reg(&v, CONFIG_CAPACITY), DISK_BYTES / 512);
	/* Who knows of no cache gets none, and none is there after a load. */
	vk_start(&v, 0, 1, SIZE);
	assert_false(block_write_cache(b));
	kit_save_load(blk);
	assert_false(block_write_cache(b));
}

/* ---- iothreads: named, counted, and without an effect ---- */

static void an_iothread_is_an_object_that_is_in_use(void **state)
{
	struct error err = ERROR_INIT;
	char *why;

	kit_add_null_disk(k, "d1");
	why = kit_add_fails(k, &virtio_blk_device_type, "drive", "d1", "iothread", "t", NULL);
	assert_string_equal(why, "virtio-blk-device: iothread: object 't' not found");
	free(why);
	assert_false(object_delete(k->m->objects, "t0", &err));
	assert_string_equal(err.msg, "object 't0' is in use, can not be deleted");
	error_clear(&err);
	assert_null(object_create_from_option(
		k->m->objects, "iothread,id=u,thread-pool-min=2,thread-pool-max=1", &err));
	error_clear(&err);
}

/* ---- polling ---- */

static bool wants_notification(uint64_t features)
{
	if (features & PACKED)
		return vk_get(&v, v.q[Q].device + 2, 2) != 1;
	if (features & EVENT_IDX)
		return vk_get(&v, v.q[Q].device + 4 + 8 * SIZE, 2) == v.q[Q].avail;
	return !vk_get(&v, v.q[Q].device, 2);
}

static void sleep_once(void)
{
	loop_run_once(k->loop, 2 * NS_PER_MS);
}

static void poll_with(uint64_t features)
{
	vk_start(&v, features, 1, SIZE);
	assert_int_equal(request(T_IN, 0, 0, 512), S_OK);
	/* Awake: what comes is found by itself, and the driver need not notify. */
	for (unsigned i = 0; i < 3 * SIZE; i++) {
		add_request(1, T_IN, i, 0, 512);
		assert_true(done_while_awake(1));
		assert_int_equal(status_of(1), S_OK);
		assert_false(wants_notification(features));
	}
	/* Before the loop sleeps it asks for notifications. */
	for (unsigned i = 0; i < 3; i++)
		sleep_once();
	assert_true(wants_notification(features));
	add_request(2, T_IN, 1, 0, 512);
	assert_true(done_while_awake(2));
	/* A queue that stays idle is looked at no more, until it is kicked. */
	for (unsigned i = 0; i < 20; i++)
		sleep_once();
	assert_true(wants_notification(features));
	add_request(3, T_IN, 1, 0, 512);
	for (unsigned i = 0; i < 100; i++)
		loop_run_once(k->loop, 0);
	assert_int_equal(status_of(3), NOT_YET);
	vk_kick(&v, Q);
	assert_true(done_while_awake(3));
}

static void a_busy_queue_is_polled_while_the_loop_is_awake(void **state)
{
	poll_with(0);
	poll_with(EVENT_IDX);
	poll_with(PACKED);
}

static void a_reset_ends_the_polling(void **state)
{
	vk_start(&v, 0, 1, SIZE);
	assert_int_equal(request(T_IN, 0, 0, 512), S_OK);
	vk_set_reg(&v, 0x70, 0);
	add_request(1, T_IN, 0, 0, 512);
	for (unsigned i = 0; i < 100; i++)
		loop_run_once(k->loop, 0);
	assert_int_equal(status_of(1), NOT_YET);
	vk_start(&v, PACKED, 1, SIZE);
	assert_int_equal(request(T_IN, 0, 0, 512), S_OK);
}

/* ---- drivers that mean harm, while requests are under way ---- */

static int setup_slow(void **state)
{
	k = kit_new();
	vk_init(&v, k);
	kit_add_slow_disk(k, "slow");
	blk = kit_add(k, &virtio_blk_device_type, "drive", "slow", "packed", "on", NULL);
	return 0;
}

static int teardown_slow(void **state)
{
	kit_free(k);
	return 0;
}

static void rewrite_under_way(uint64_t features)
{
	uint16_t id, got;
	uint32_t len;

	vk_start(&v, features, 1, SIZE);
	add_request(0, T_IN, 0, 0, 512);
	id = features & PACKED ? 0 : (uint16_t)vk_get(&v, v.q[Q].driver + 4, 2);
	vk_kick(&v, Q);
	assert_int_equal(status_of(0), NOT_YET);
	/* Its three descriptors, its header, and where the available ring names it. */
	for (unsigned i = 0; i < 3 * 16; i++)
		vk_put(&v, v.q[Q].desc + i, 0xff, 1);
	for (unsigned i = 0; i < 16; i++)
		vk_put(&v, AT_HEADER + i, 0xff, 1);
	if (!(features & PACKED))
		vk_put(&v, v.q[Q].driver + 4, 0xffff, 2);
	kit_await_disks(k);
	assert_int_equal(status_of(0), S_OK);
	assert_true(vk_used(&v, Q, &got, &len));
	assert_int_equal(got, id);
	assert_int_equal(len, 513);
	assert_null(blk->broken);
}

static void what_is_rewritten_under_way_changes_nothing(void **state)
{
	rewrite_under_way(0);
	rewrite_under_way(EVENT_IDX);
	rewrite_under_way(PACKED);
}

/* Linux' driver for this transport takes the memory back as soon as it has written 0. */
static void the_vcpu_that_resets_waits_for_what_is_in_flight(void **state)
{
	static struct vcpu vcpu;

	vk_start(&v, 0, 1, SIZE);
	add_request(0, T_IN, 0, 0, 512);
	vk_kick(&v, Q);
	assert_true(block_any_inflight());
	k->m->served = &vcpu;
	vk_set_reg(&v, 0x70, 0);
	assert_non_null(vcpu.ready);
	assert_false(vcpu.ready(vcpu.ready_opaque));
	kit_await_disks(k);
	assert_true(vcpu.ready(vcpu.ready_opaque));
	vcpu.ready = NULL;
	vk_set_reg(&v, 0x70, 0);
	assert_null(vcpu.ready);
	k->m->served = NULL;
}

static void no_more_requests_are_taken_than_the_queue_holds(void **state)
{
	vk_start(&v, 0, 1, SIZE);
	add_request(0, T_IN, 0, 0, 512);
	for (unsigned i = 1; i < SIZE; i++)
		vk_make_available(&v, Q, 0); /* the same chain, again and again */
	vk_kick(&v, Q);
	assert_null(blk->broken);
	vk_make_available(&v, Q, 0);
	vk_kick(&v, Q);
	assert_non_null(blk->broken);
	assert_true(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET);
	kit_await_disks(k);
	vk_start(&v, 0, 1, SIZE);
	assert_int_equal(request(T_IN, 0, 0, 512), S_OK);
}

/* Found by looking, not by a doorbell. */
static void nonsense_in_a_polled_queue_breaks_the_device(void **state)
{
	vk_start(&v, 0, 1, SIZE);
	assert_int_equal(request(T_IN, 0, 0, 512), S_OK);
	vk_put(&v, v.q[Q].driver + 2, 0x8000, 2);
	kit_settle(k);
	assert_non_null(blk->broken);
	vk_start(&v, PACKED, 1, SIZE);
	assert_int_equal(request(T_IN, 0, 0, 512), S_OK);
	/* A chain of one that the device is to write, without a header. */
	vk_set_desc(&v, v.q[Q].desc, v.q[Q].avail, VK_BUFFERS, 1, VK_WRITE | 0x80, 0);
	kit_settle(k);
	assert_non_null(blk->broken);
	vk_start(&v, 0, 1, SIZE);
	assert_int_equal(request(T_IN, 0, 0, 512), S_OK);
}

/* ---- a driver on a thread of its own, which notifies only when it is asked to ---- */

#define ROUNDS 20000

struct driver {
	bool event_idx;
	uint16_t *avail, *used; /* flags, index, ring... */
	struct loop_notifier doorbell;
	unsigned kicks;
	bool done; /* atomic */
};

static void on_doorbell(void *opaque)
{
	vk_set_reg(&v, 0x50, Q);
}

static uint16_t load(const uint16_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* Every request is descriptor 0's chain; between two of them a pause in which the loop may or may not fall asleep. */
static void *drive(void *opaque)
{
	struct driver *d = opaque;
	uint16_t avail_event;
	bool kick;

	for (uint16_t n = 1; n <= ROUNDS; n++) {
		__atomic_store_n(&d->avail[1], n, __ATOMIC_RELEASE);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		avail_event = load(&d->used[2 + 4 * SIZE]);
		kick = d->event_idx ? avail_event == (uint16_t)(n - 1) : !(load(&d->used[0]) & 1);
		if (kick) {
			loop_notifier_signal_mt(&d->doorbell);
			d->kicks++;
		}
		while (load(&d->used[1]) != n)
			sched_yield();
		for (unsigned i = n % 97 * 40; i; i--)
			__builtin_ia32_pause();
	}
	__atomic_store_n(&d->done, true, __ATOMIC_RELEASE);
	loop_notifier_signal_mt(&d->doorbell); /* nothing polls `done` */
	return NULL;
}

static uint16_t *area(gpa_t gpa)
{
	size_t n = 1024;

	return dma_map(k->m, gpa, &n, true);
}

static void no_request_is_lost(uint64_t features)
{
	struct driver d = {.event_idx = features & EVENT_IDX};
	pthread_t thread;
	int64_t end = clock_now_ns(loop_clock_host(k->loop)) + 60 * NS_PER_SEC;

	vk_start(&v, features, 1, SIZE);
	assert_int_equal(request(T_GET_ID, 0, 0, 20), S_OK);
	vk_start(&v, features, 1, SIZE);
	add_request(0, T_GET_ID, 0, 0,
		    20); /* lays out descriptors 0 to 2, and makes one available */
	d.avail = area(v.q[Q].driver);
	d.used = area(v.q[Q].device);
	d.avail[1] = 0;
	memset(&d.avail[2], 0, 2 * SIZE);
	assert_true(loop_notifier_init(&d.doorbell, k->loop, "doorbell", on_doorbell, NULL));
	assert_int_equal(pthread_create(&thread, NULL, drive, &d), 0);
	while (!__atomic_load_n(&d.done, __ATOMIC_ACQUIRE)) {
		/* Longer than the test may last: only what the driver does ends a sleep. */
		loop_run_once(k->loop, 20 * NS_PER_SEC);
		if (clock_now_ns(loop_clock_host(k->loop)) > end)
			fail_msg("stuck at %u of %u, kicks: %u", load(&d.used[1]), ROUNDS, d.kicks);
	}
	pthread_join(thread, NULL);
	print_message("%u kicks for %u requests\n", d.kicks, ROUNDS);
	loop_notifier_fini(&d.doorbell);
}

static void no_kick_is_lost_between_polling_and_sleep(void **state)
{
	no_request_is_lost(0);
	no_request_is_lost(EVENT_IDX);
}

#define SLOW(f) cmocka_unit_test_setup_teardown(f, setup_slow, teardown_slow)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read_back),
		TEST(requests_beyond_the_end_or_in_parts_of_a_sector_fail),
		TEST(the_serial_number_has_20_bytes_and_no_zero),
		TEST(discards_and_zeroes),
		TEST(requests_without_header_or_status_break_the_device),
		TEST(a_resize_changes_capacity_and_generation_and_interrupts),
		TEST(the_driver_switches_the_cache_and_writes_nothing_else),
		TEST(an_iothread_is_an_object_that_is_in_use),
		TEST(a_busy_queue_is_polled_while_the_loop_is_awake),
		TEST(a_reset_ends_the_polling),
		SLOW(what_is_rewritten_under_way_changes_nothing),
		SLOW(the_vcpu_that_resets_waits_for_what_is_in_flight),
		SLOW(no_more_requests_are_taken_than_the_queue_holds),
		TEST(nonsense_in_a_polled_queue_breaks_the_device),
		TEST(no_kick_is_lost_between_polling_and_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
