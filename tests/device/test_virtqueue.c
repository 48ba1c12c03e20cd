/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtqueues from the driver's side, good ones and malicious ones, split and packed: by what a console's transmit queue
 * (number 1) lets through to the host.
 */
#include "tests/device/virtio_kit.h"

#define RX	    0
#define TX	    1
#define PACKED	    BIT64(VIRTIO_F_RING_PACKED)
#define EVENT_IDX   BIT64(VIRTIO_F_EVENT_IDX)
#define INDIRECT    BIT64(VIRTIO_F_INDIRECT_DESC)
#define IN_ORDER    BIT64(VIRTIO_F_IN_ORDER)
#define RING_RESET  BIT64(VIRTIO_F_RING_RESET)
#define TABLE	    0x90000
#define SIZE	    8
#define QUEUE_SEL   0x30
#define QUEUE_READY 0x44
#define QUEUE_RESET 0xc0
#define ISR	    0x60
#define STATUS	    0x70
#define ACK	    0x64

static struct kit *k;
static struct vk v;
static struct kit_chardev *chr;
static struct device *serial;

static int setup(void **state)
{
	k = kit_new();
	vk_init(&v, k);
	chr = kit_chardev_new(k, "c");
	serial = kit_add(k, &virtio_serial_device_type, "packed", "on", "in_order", "on", NULL);
	kit_add(k, &virtconsole_type, "chardev", "c", NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void put_text(gpa_t gpa, const char *text)
{
	for (size_t i = 0; text[i]; i++)
		vk_put(&v, gpa + i, (uint8_t)text[i], 1);
}

static void expect_output(const char *text)
{
	assert_string_equal(chr->out, text);
	chr->len = 0;
	chr->out[0] = 0;
}

static void expect_used(unsigned q, uint16_t id, uint32_t len)
{
	uint16_t got_id;
	uint32_t got_len;

	assert_true(vk_used(&v, q, &got_id, &got_len));
	assert_int_equal(got_id, id);
	assert_int_equal(got_len, len);
}

static bool nothing_used(unsigned q)
{
	uint16_t id;
	uint32_t len;

	return !vk_used(&v, q, &id, &len);
}

/* ---- what should work ---- */

static void with_features(uint64_t features)
{
	const struct vk_piece pieces[] = {{VK_BUFFERS, 3, false},
					  {VK_BUFFERS + 0x100, 1, false},
					  {VK_BUFFERS + 0x200, 4, false}};
	uint16_t id;

	vk_start(&v, features, 4, SIZE);
	put_text(VK_BUFFERS, "abcX");
	put_text(VK_BUFFERS + 0x100, "-X");
	put_text(VK_BUFFERS + 0x200, "defg");
	id = vk_add(&v, TX, pieces, 3);
	assert_true(nothing_used(TX));
	vk_kick(&v, TX);
	expect_output("abc-defg");
	expect_used(TX, id, 0);
	assert_int_equal(k->rises[VK_GSI], 1);
	assert_int_equal(vk_reg(&v, ISR), VIRTIO_ISR_QUEUE);
	vk_set_reg(&v, ACK, VIRTIO_ISR_QUEUE);
	assert_false(k->level[VK_GSI]);
	/* Round and round, with chains of one to three. */
	for (unsigned i = 0; i < 1000; i++) {
		id = vk_add(&v, TX, pieces, 1 + i % 3);
		vk_kick(&v, TX);
		expect_output(i % 3 == 0 ? "abc" : i % 3 == 1 ? "abc-" : "abc-defg");
		expect_used(TX, id, 0);
	}
	/* And a queue full at once. */
	for (unsigned i = 0; i < SIZE; i++)
		vk_add(&v, TX, pieces, 1);
	vk_kick(&v, TX);
	expect_output("abcabcabcabcabcabcabcabc");
	for (unsigned i = 0; i < SIZE; i++)
		assert_false(nothing_used(TX));
	assert_true(nothing_used(TX));
	assert_int_equal(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET, 0);
}

static void split(void **state)
{
	with_features(0);
	with_features(EVENT_IDX);
	with_features(IN_ORDER);
	with_features(IN_ORDER | EVENT_IDX);
}

static void packed(void **state)
{
	with_features(PACKED);
	with_features(PACKED | EVENT_IDX);
	with_features(PACKED | IN_ORDER);
}

static void packed_of_any_size(void **state)
{
	const struct vk_piece pieces[] = {{VK_BUFFERS, 1, false}, {VK_BUFFERS + 1, 1, false}};

	vk_start(&v, PACKED, 4, 5);
	put_text(VK_BUFFERS, "yz");
	for (unsigned i = 0; i < 100; i++) {
		uint16_t id = vk_add(&v, TX, pieces, 1 + i % 2);

		vk_kick(&v, TX);
		expect_output(i % 2 ? "yz" : "y");
		expect_used(TX, id, 0);
	}
}

static void indirect(uint64_t features)
{
	uint16_t next = features & PACKED ? 0 : VK_NEXT;

	vk_start(&v, features | INDIRECT, 4, SIZE);
	put_text(VK_BUFFERS, "one");
	put_text(VK_BUFFERS + 0x100, "two");
	put_text(VK_BUFFERS + 0x200, "three");
	vk_set_desc(&v, TABLE, 0, VK_BUFFERS, 3, next, 2);
	vk_set_desc(&v, TABLE, 2, VK_BUFFERS + 0x100, 3, features & PACKED ? 0 : next, 1);
	vk_set_desc(&v, TABLE, 1, VK_BUFFERS + 0x200, 5, 0, 0);
	if (features & PACKED) {
		vk_set_desc(&v, v.q[TX].desc, 0, TABLE, 3 * 16, VK_INDIRECT | 0x80, 7);
		v.q[TX].used_entries_of[7] = 1;
	} else {
		vk_set_desc(&v, v.q[TX].desc, 3, TABLE, 3 * 16, VK_INDIRECT, 0);
		vk_make_available(&v, TX, 3);
	}
	vk_kick(&v, TX);
	/* A packed table has no next ones: its order is that of the entries. */
	expect_output(features & PACKED ? "onethreetwo" : "onetwothree");
	expect_used(TX, features & PACKED ? 7 : 3, 0);
}

static void indirect_tables(void **state)
{
	indirect(0);
	indirect(PACKED);
}

/* Input goes into the pieces that are written, as far as it goes, and the driver hears how much that was. */
static void written_to(uint64_t features)
{
	const struct vk_piece pieces[] = {{VK_BUFFERS, 4, true}, {VK_BUFFERS + 0x100, 100, true}};
	uint16_t id;

	vk_start(&v, features, 4, SIZE);
	assert_int_equal(kit_type(chr, "lost", 4), 0);
	id = vk_add(&v, RX, pieces, 2);
	vk_kick(&v, RX);
	assert_int_equal(kit_type(chr, "abcdefg", 7), 7);
	kit_settle(k);
	expect_used(RX, id, 7);
	assert_int_equal(vk_get(&v, VK_BUFFERS, 4), 0x64636261);
	assert_int_equal(vk_get(&v, VK_BUFFERS + 0x100, 2), 0x6665);
	assert_int_equal(vk_get(&v, VK_BUFFERS + 0x102, 2), 'g');
	assert_int_equal(kit_type(chr, "more", 4), 0);
}

static void input(void **state)
{
	written_to(0);
	written_to(EVENT_IDX);
	written_to(PACKED);
}

static void interrupts_are_suppressed(void **state)
{
	vk_start(&v, 0, 4, SIZE);
	vk_put(&v, v.q[TX].driver, 1, 2); /* VIRTQ_AVAIL_F_NO_INTERRUPT */
	vk_send(&v, TX, VK_BUFFERS, "a");
	assert_int_equal(k->rises[VK_GSI], 0);

	vk_start(&v, EVENT_IDX, 4, SIZE);
	vk_send(&v, TX, VK_BUFFERS, "a"); /* the first one is always told */
	assert_int_equal(k->rises[VK_GSI], 1);
	vk_set_reg(&v, ACK, 1);
	vk_put(&v, v.q[TX].driver + 4 + 2 * SIZE, 3, 2); /* used_event: the fourth */
	vk_send(&v, TX, VK_BUFFERS, "b");
	vk_send(&v, TX, VK_BUFFERS, "c");
	assert_int_equal(k->rises[VK_GSI], 1);
	vk_send(&v, TX, VK_BUFFERS, "d");
	assert_int_equal(k->rises[VK_GSI], 2);
	vk_set_reg(&v, ACK, 1);

	vk_start(&v, PACKED, 4, SIZE);
	vk_put(&v, v.q[TX].driver + 2, 1, 2); /* RING_EVENT_FLAGS_DISABLE */
	vk_send(&v, TX, VK_BUFFERS, "a");
	assert_int_equal(k->rises[VK_GSI], 0);
	vk_put(&v, v.q[TX].driver + 2, 0, 2);
	vk_send(&v, TX, VK_BUFFERS, "b");
	assert_int_equal(k->rises[VK_GSI], 1);
}

/* Where it began is where it ends, and there is an interrupt all the same. */
static void once_round_a_packed_ring_in_one_go(void **state)
{
	const struct vk_piece piece = {VK_BUFFERS, 1, false};

	vk_start(&v, PACKED | EVENT_IDX, 4, SIZE);
	vk_send(&v, TX, VK_BUFFERS, "a"); /* the first one is always told */
	assert_false(nothing_used(TX));
	assert_int_equal(k->rises[VK_GSI], 1);
	vk_set_reg(&v, ACK, 1);
	for (unsigned wanted = 1; wanted <= SIZE; wanted++) {
		unsigned at = v.q[TX].avail + wanted - 1, round = at / SIZE;
		bool wrap = v.q[TX].avail_wrap ^ (round & 1);

		/* RING_EVENT_FLAGS_DESC: when this descriptor is used */
		vk_put(&v, v.q[TX].driver, at % SIZE | (wrap ? 0x8000 : 0), 2);
		vk_put(&v, v.q[TX].driver + 2, 2, 2);
		kit_clear(k);
		for (unsigned i = 0; i < SIZE; i++)
			vk_add(&v, TX, &piece, 1);
		vk_kick(&v, TX);
		for (unsigned i = 0; i < SIZE; i++)
			assert_false(nothing_used(TX));
		assert_int_equal(k->rises[VK_GSI], 1);
		vk_set_reg(&v, ACK, 1);
		vk_send(&v, TX, VK_BUFFERS, "a"); /* so that the next round begins elsewhere */
		assert_false(nothing_used(TX));
		vk_set_reg(&v, ACK, 1);
	}
}

/* The transport is a device of its own, and comes before the one behind it. */
static void the_line_follows_reset_and_load(void **state)
{
	const struct state_desc *state_desc = serial->type->state;
	struct error err = ERROR_INIT;
	uint8_t *saved;
	size_t bytes;

	vk_start(&v, 0, 4, SIZE);
	vk_send(&v, TX, VK_BUFFERS, "a");
	assert_true(k->level[VK_GSI]);
	saved = state_save(state_desc, serial, &bytes);
	list_for_each(it, &k->m->devices)
		device_reset(list_entry(it, struct device, node));
	assert_int_equal(vk_reg(&v, ISR), 0);
	assert_false(k->level[VK_GSI]);
	assert_true(state_load(state_desc, serial, saved, bytes, &err));
	assert_int_equal(vk_reg(&v, ISR), VIRTIO_ISR_QUEUE);
	assert_true(k->level[VK_GSI]);
	free(saved);
}

/* Used, and saved before the turn's end, at which the driver would have been told. */
static void what_was_used_before_a_save_is_told_after_the_load(void **state)
{
	static const uint64_t forms[] = {0, EVENT_IDX, PACKED, PACKED | EVENT_IDX};
	const struct vk_piece piece = {VK_BUFFERS, 1, true};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct error err = ERROR_INIT;
		uint8_t *saved;
		uint16_t id;
		size_t bytes;

		vk_start(&v, forms[i], 4, SIZE);
		id = vk_add(&v, RX, &piece, 1);
		vk_kick(&v, RX);
		assert_int_equal(kit_type(chr, "a", 1), 1);
		saved = state_save(serial->type->state, serial, &bytes);
		assert_false(k->level[VK_GSI]);
		kit_settle(k);
		expect_used(RX, id, 1);
		assert_true(k->level[VK_GSI]);
		vk_set_reg(&v, ACK, 1);
		assert_true(state_load(serial->type->state, serial, saved, bytes, &err));
		kit_settle(k);
		assert_true(k->level[VK_GSI]);
		vk_set_reg(&v, ACK, 1);
		free(saved);
	}
}

/* 3.1.1: queues are filled before DRIVER_OK, and looked into from then on. */
static void what_was_there_before_the_driver_was_ready(void **state)
{
	static const uint64_t forms[] = {0, EVENT_IDX, PACKED};
	const struct vk_piece piece = {VK_BUFFERS, 5, false};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		uint16_t id;

		assert_true(vk_negotiate(&v, forms[i] | BIT64(VIRTIO_F_VERSION_1)));
		vk_set_queue(&v, TX, SIZE);
		put_text(VK_BUFFERS, "early");
		id = vk_add(&v, TX, &piece, 1);
		vk_kick(&v, TX);
		expect_output("");
		assert_true(nothing_used(TX));
		vk_set_reg(&v, STATUS, vk_status(&v) | VIRTIO_STATUS_DRIVER_OK);
		kit_settle(k);
		expect_output("early");
		expect_used(TX, id, 0);
	}
}

static void queue_reset(void **state)
{
	const struct vk_piece piece = {VK_BUFFERS, 1, false};

	vk_start(&v, RING_RESET, 4, SIZE);
	put_text(VK_BUFFERS, "q");
	vk_add(&v, TX, &piece, 1);
	vk_set_reg(&v, QUEUE_SEL, TX);
	vk_set_reg(&v, QUEUE_RESET, 1);
	kit_settle(k);
	assert_int_equal(vk_reg(&v, QUEUE_RESET), 0);
	assert_int_equal(vk_reg(&v, QUEUE_READY), 0);
	vk_kick(&v, TX);
	expect_output("");
	vk_set_queue(&v, TX, SIZE);
	vk_send(&v, TX, VK_BUFFERS, "after");
	expect_output("after");
}

/* ---- what should not ---- */

/* The device wants a reset, says so once, does nothing more, and works again after it. */
static void expect_broken(uint64_t features)
{
	assert_true(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET);
	assert_true(vk_reg(&v, ISR) & VIRTIO_ISR_CONFIG);
	assert_non_null(serial->broken);
	expect_output("");
	for (unsigned i = 0; i < 100; i++)
		vk_kick(&v, TX);
	expect_output("");
	with_features(features);
}

/* A chain of one, bent. */
static void bad_piece(uint64_t features, gpa_t gpa, uint32_t len)
{
	const struct vk_piece piece = {gpa, len, false};

	vk_start(&v, features, 4, SIZE);
	vk_add(&v, TX, &piece, 1);
	vk_kick(&v, TX);
	expect_broken(features);
}

static void bad_addresses(void **state)
{
	static const uint64_t forms[] = {0, PACKED};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		bad_piece(forms[i], VK_BUFFERS, 0);
		bad_piece(forms[i], VK_BUFFERS, UINT32_MAX);
		bad_piece(forms[i], KIT_RAM, 1);
		bad_piece(forms[i], KIT_RAM - 4, 5);
		bad_piece(forms[i], UINT64_MAX, 1);
		bad_piece(forms[i], UINT64_MAX - 1, 16);
		bad_piece(forms[i], VK_REGS, 4); /* the device's own registers */
		bad_piece(forms[i], 1ull << 52, 4);
	}
}

/* What is broken is still so on the machine that it was saved for. */
static void needs_reset_after_a_load_too(void **state)
{
	const struct vk_piece bad = {KIT_RAM, 1, false}, good = {VK_BUFFERS, 1, false};

	vk_start(&v, 0, 4, SIZE);
	vk_add(&v, TX, &bad, 1);
	vk_kick(&v, TX);
	kit_save_load(serial);
	vk_set_desc(&v, v.q[TX].desc, 0, VK_BUFFERS, 1, 0, 0);
	vk_add(&v, TX, &good, 1);
	vk_kick(&v, TX);
	assert_true(nothing_used(TX));
	expect_broken(0);
}

static void read_after_write(void **state)
{
	const struct vk_piece pieces[] = {{VK_BUFFERS, 4, true}, {VK_BUFFERS, 4, false}};

	for (unsigned i = 0; i < 2; i++) {
		uint64_t features = i ? PACKED : 0;

		vk_start(&v, features, 4, SIZE);
		vk_add(&v, TX, pieces, 2);
		vk_kick(&v, TX);
		expect_broken(features);
	}
}

static void bad_links(void **state)
{
	/* a loop of one, a loop of two, a next one outside */
	vk_start(&v, 0, 4, SIZE);
	vk_set_desc(&v, v.q[TX].desc, 0, VK_BUFFERS, 1, VK_NEXT, 0);
	vk_make_available(&v, TX, 0);
	vk_kick(&v, TX);
	expect_broken(0);

	vk_start(&v, 0, 4, SIZE);
	vk_set_desc(&v, v.q[TX].desc, 0, VK_BUFFERS, 1, VK_NEXT, 1);
	vk_set_desc(&v, v.q[TX].desc, 1, VK_BUFFERS, 1, VK_NEXT, 0);
	vk_make_available(&v, TX, 0);
	vk_kick(&v, TX);
	expect_broken(0);

	vk_start(&v, 0, 4, SIZE);
	vk_set_desc(&v, v.q[TX].desc, 0, VK_BUFFERS, 1, VK_NEXT, SIZE);
	vk_make_available(&v, TX, 0);
	vk_kick(&v, TX);
	expect_broken(0);

	/* packed: a chain without an end */
	vk_start(&v, PACKED, 4, SIZE);
	for (unsigned i = 0; i < SIZE; i++)
		vk_set_desc(&v, v.q[TX].desc, i, VK_BUFFERS, 1, VK_NEXT | 0x80, 0);
	vk_kick(&v, TX);
	expect_broken(PACKED);
}

static void bad_available_ring(void **state)
{
	vk_start(&v, 0, 4, SIZE);
	vk_make_available(&v, TX, SIZE);
	vk_kick(&v, TX);
	expect_broken(0);

	vk_start(&v, 0, 4, SIZE);
	vk_make_available(&v, TX, 0xffff);
	vk_kick(&v, TX);
	expect_broken(0);

	vk_start(&v, 0, 4, SIZE);
	vk_put(&v, v.q[TX].driver + 2, SIZE + 1, 2);
	vk_kick(&v, TX);
	expect_broken(0);

	vk_start(&v, 0, 4, SIZE);
	vk_put(&v, v.q[TX].driver + 2, 0x8000, 2);
	vk_kick(&v, TX);
	expect_broken(0);
}

/* One indirect descriptor of FLAGS, its table of LEN bytes at GPA with one entry of TABLE_FLAGS. */
static void bad_table(uint64_t features, gpa_t gpa, uint32_t len, uint16_t flags,
		      uint16_t table_flags)
{
	vk_start(&v, features, 4, SIZE);
	if (gpa + 16 <= KIT_RAM)
		vk_set_desc(&v, gpa, 0, VK_BUFFERS, 1, table_flags, 0);
	vk_set_desc(&v, v.q[TX].desc, 0, gpa, len, flags | (features & PACKED ? 0x80 : 0), 1);
	vk_set_desc(&v, v.q[TX].desc, 1, VK_BUFFERS, 1, features & PACKED ? 0x80 : 0, 0);
	if (!(features & PACKED))
		vk_make_available(&v, TX, 0);
	vk_kick(&v, TX);
	expect_broken(features);
}

static void bad_tables(void **state)
{
	static const uint64_t forms[] = {INDIRECT, INDIRECT | PACKED};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		uint64_t f = forms[i];

		bad_table(f & ~INDIRECT, TABLE, 16, VK_INDIRECT, 0); /* not negotiated */
		bad_table(f, TABLE, 16, VK_INDIRECT, VK_INDIRECT);   /* a table in a table */
		bad_table(f, TABLE, 16, VK_INDIRECT | VK_NEXT, 0);
		bad_table(f, TABLE, 0, VK_INDIRECT, 0);
		bad_table(f, TABLE, 17, VK_INDIRECT, 0);
		bad_table(f, TABLE, 0xfffffff0, VK_INDIRECT, 0);
		bad_table(f, KIT_RAM - 16, 32, VK_INDIRECT, 0); /* across the end of RAM */
		bad_table(f, VK_REGS, 16, VK_INDIRECT, 0);
	}
	bad_table(INDIRECT, TABLE, 16, VK_INDIRECT, VK_NEXT); /* a loop */
	/* A next one outside of the table. */
	vk_start(&v, INDIRECT, 4, SIZE);
	vk_set_desc(&v, TABLE, 0, VK_BUFFERS, 1, VK_NEXT, 1);
	vk_set_desc(&v, TABLE, 1, VK_BUFFERS, 1, 0, 0);
	vk_set_desc(&v, v.q[TX].desc, 0, TABLE, 16, VK_INDIRECT, 0);
	vk_make_available(&v, TX, 0);
	vk_kick(&v, TX);
	expect_broken(INDIRECT);
}

/* More pieces than one element may have. */
static void endless_pieces(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		uint64_t features = INDIRECT | (i ? PACKED : 0);

		vk_start(&v, features, 4, SIZE);
		for (unsigned n = 0; n < VIRTQ_MAX_CHAIN; n++)
			vk_set_desc(&v, TABLE, n, VK_BUFFERS, 1, i ? 0 : VK_NEXT,
				    (uint16_t)(n + 1));
		vk_set_desc(&v, v.q[TX].desc, 0, TABLE, VIRTQ_MAX_CHAIN * 16,
			    VK_INDIRECT | (i ? 0x80 : 0), 0);
		if (!i)
			vk_make_available(&v, TX, 0);
		vk_kick(&v, TX);
		expect_broken(features);
	}
}

static void bad_area(unsigned reg, gpa_t gpa, uint64_t features)
{
	assert_true(vk_negotiate(&v, features | BIT64(VIRTIO_F_VERSION_1)));
	vk_set_queue(&v, TX, SIZE);
	vk_set_reg(&v, QUEUE_SEL, 0);
	vk_set_reg(&v, 0x38, SIZE);
	vk_set_reg(&v, 0x80, 0x10000);
	vk_set_reg(&v, 0x90, 0x12000);
	vk_set_reg(&v, 0xa0, 0x13000);
	vk_set_reg(&v, reg, (uint32_t)gpa);
	vk_set_reg(&v, reg + 4, (uint32_t)(gpa >> 32));
	vk_set_reg(&v, QUEUE_READY, 1);
	assert_true(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET);
	vk_set_reg(&v, 0x70, vk_status(&v) | VIRTIO_STATUS_DRIVER_OK);
	vk_kick(&v, 0);
	vk_kick(&v, TX);
	with_features(features);
}

static void bad_areas(void **state)
{
	static const unsigned regs[] = {0x80, 0x90, 0xa0};
	static const gpa_t places[] = {KIT_RAM, KIT_RAM - 16,	 0x10001,   0x20008001,
				       VK_REGS, UINT64_MAX - 15, 1ull << 40};

	for (size_t i = 0; i < ARRAY_SIZE(regs); i++)
		for (size_t j = 0; j < ARRAY_SIZE(places); j++) {
			/* 16 bytes at the end are room enough for a packed ring's event. */
			bool fits = places[j] == KIT_RAM - 16 && regs[i] != 0x80;

			bad_area(regs[i], places[j], 0);
			if (!fits)
				bad_area(regs[i], places[j], PACKED);
		}
}

static void used_ring_in_rom(void **state)
{
	static uint8_t rom[4096] __attribute__((aligned(4096)));
	struct region region;

	region_init_rom(&region, "rom", rom, sizeof(rom));
	region_add(&k->m->mem.root, 0xe0000, &region, 1);
	bad_area(0xa0, 0xe0000, 0);
	bad_area(0xa0, 0xe0000, PACKED);
	region_remove(&region);
}

/* The size of a queue is the driver's word too. */
static void bad_sizes(void **state)
{
	static const unsigned sizes[] = {0, 3, 0x101, 0x8000, 0xffffffff};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		assert_true(vk_negotiate(&v, BIT64(VIRTIO_F_VERSION_1)));
		vk_set_queue(&v, TX, SIZE);
		vk_set_reg(&v, QUEUE_SEL, 0);
		vk_set_reg(&v, 0x38, sizes[i]);
		vk_set_reg(&v, 0x80, 0x10000);
		vk_set_reg(&v, 0x90, 0x12000);
		vk_set_reg(&v, 0xa0, 0x13000);
		vk_set_reg(&v, QUEUE_READY, 1);
		vk_set_reg(&v, 0x70, vk_status(&v) | VIRTIO_STATUS_DRIVER_OK);
		vk_kick(&v, 0);
		with_features(0);
	}
}

static void features_that_were_not_offered(void **state)
{
	assert_false(vk_negotiate(&v, BIT64(VIRTIO_F_VERSION_1) | BIT64(63)));
	assert_false(vk_negotiate(&v, 0)); /* a driver of version 1 is needed here */
	assert_true(vk_negotiate(&v, BIT64(VIRTIO_F_VERSION_1)));
}

/* Noise in the rings, a great many times. */
static void noise(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15ull;

	for (unsigned round = 0; round < 3000; round++) {
		uint64_t features = (round & 1 ? PACKED : 0) | (round & 2 ? EVENT_IDX : 0) |
				    (round & 4 ? INDIRECT : 0) | (round & 8 ? IN_ORDER : 0);

		vk_start(&v, features, 4, SIZE);
		chr->len = 0;
		for (unsigned i = 0; i < 64; i++) {
			static const gpa_t areas[] = {0x14000, 0x16000, 0x17000, TABLE};
			gpa_t area = areas[seed >> 60 & 3];

			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			vk_put(&v, area + (seed >> 33 & 0xff),
			       seed >> 20 & 1 ? seed >> 8 & 0x8f : seed >> 3,
			       1 << (seed >> 40 & 3));
			if (i % 16 == 15)
				vk_kick(&v, TX);
		}
	}
	chr->len = 0;
	chr->out[0] = 0;
	with_features(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(split),
		TEST(packed),
		TEST(packed_of_any_size),
		TEST(indirect_tables),
		TEST(input),
		TEST(interrupts_are_suppressed),
		TEST(once_round_a_packed_ring_in_one_go),
		TEST(the_line_follows_reset_and_load),
		TEST(what_was_there_before_the_driver_was_ready),
		TEST(what_was_used_before_a_save_is_told_after_the_load),
		TEST(queue_reset),
		TEST(bad_addresses),
		TEST(needs_reset_after_a_load_too),
		TEST(read_after_write),
		TEST(bad_links),
		TEST(bad_available_ring),
		TEST(bad_tables),
		TEST(endless_pieces),
		TEST(bad_areas),
		TEST(used_ring_in_rom),
		TEST(bad_sizes),
		TEST(features_that_were_not_offered),
		TEST(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
