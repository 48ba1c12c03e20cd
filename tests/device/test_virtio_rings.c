/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings that mean harm, split and packed, in each queue of each kind of virtio device: the device wants a reset and says
 * so, another one goes on, nothing grows, and after the reset all is well. What is rewritten while a request is under way
 * changes nothing of it.
 */
#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <unistd.h>
#include "devices/scsi/scsi_types.h"
#include "devices/virtio/virtio_serial.h"
#include "io/block/block_internal.h"
#include "src/drive.h"
#include "tests/device/virtio_kit.h"

#define PACKED	   BIT64(VIRTIO_F_RING_PACKED)
#define EVENT_IDX  BIT64(VIRTIO_F_EVENT_IDX)
#define INDIRECT   BIT64(VIRTIO_F_INDIRECT_DESC)
#define SIZE	   8
#define CONSOLE_TX 1
#define PORT_TX	   5

#define TABLE	    0x90000
#define AT_HEADER   VK_BUFFERS
#define AT_END	    (VK_BUFFERS + 0x100) /* what a disk answers */
#define AT_DATA	    (VK_BUFFERS + 0x1000)
#define AT_WITNESS  (VK_BUFFERS + 0x8000)
#define ROM	    0xe0000
#define DISK_BYTES  (1 * MiB)
#define NOT_YET	    0xee
#define REG_SEL	    0x30
#define REG_NUM	    0x38
#define REG_READY   0x44
#define REG_STATUS  0x70
#define REG_DESC    0x80
#define REG_DRIVER  0x90
#define REG_DEVICE  0xa0
#define REG_ISR	    0x60
#define SCSI_CHANGE BIT64(2)
#define MULTIPORT   BIT64(1)

static struct kit *k;
static struct vk v, w; /* the one that is driven badly, and the witness */
static struct kit_chardev *heard, *typed, *agent;
static struct device *dev, *port;
static char path[] = "/tmp/evmm-test-rings-XXXXXX";

/* One kind of device. */
struct kind {
	const char *name;
	void (*make)(void);
	uint64_t features;
	unsigned n_queues;
	/* Makes the device look into its queue Q, if it does so on no doorbell. */
	void (*wake)(unsigned q);
	/* A request that should work, from a device that has just been started. */
	void (*works)(void);
	/* Of a disk: adds one that takes a while. */
	unsigned (*slow)(struct vk_piece *pieces);
	unsigned slow_queue;
	/* One that is taken at once, in queue PLAIN_QUEUE. */
	unsigned (*plain)(struct vk_piece *pieces);
	unsigned plain_queue;
};

static const struct kind *kind;

/* ---- the kinds ---- */

static void until_used(unsigned q, uint16_t *id, uint32_t *len)
{
	for (unsigned i = 0; i < 10000; i++) {
		if (vk_used(&v, q, id, len))
			return;
		loop_run_once(k->loop, NS_PER_MS);
	}
	fail_msg("%s: queue %u: nothing came back", kind->name, q);
}

static void request(unsigned q, const struct vk_piece *pieces, unsigned n)
{
	uint16_t id;
	uint32_t len;

	vk_add(&v, q, pieces, n);
	vk_kick(&v, q);
	until_used(q, &id, &len);
}

/* A disk that answers after 20 ms. */
static void make_disk(void)
{
	struct error err = ERROR_INIT;
	json_t *file = json_pack("{s:s,s:{s:s,s:s},s:[{s:s,s:i,s:i}]}", "driver", "blkdebug",
				 "image", "driver", "file", "filename", path, "inject-error",
				 "iotype", "read", "errno", 0, "delay-ns", 20000000);

	if (!drive_add(k->m,
		       json_pack("{s:s,s:s,s:o,s:s}", "if", "none", "id", "d0", "file", file,
				 "format", "raw"),
		       &err))
		fail_msg("%s", err.msg);
}

static void make_blk(void)
{
	make_disk();
	dev = kit_add(k, &virtio_blk_device_type, "drive", "d0", "packed", "on", NULL);
}

static unsigned blk_read(struct vk_piece *pieces)
{
	vk_put(&v, AT_HEADER, 0, 8);
	vk_put(&v, AT_HEADER + 8, 1, 8);
	vk_put(&v, AT_END, NOT_YET, 1);
	pieces[0] = (struct vk_piece){AT_HEADER, 16, false};
	pieces[1] = (struct vk_piece){AT_DATA, 512, true};
	pieces[2] = (struct vk_piece){AT_END, 1, true};
	return 3;
}

static unsigned blk_get_id(struct vk_piece *pieces)
{
	unsigned n = blk_read(pieces);

	vk_put(&v, AT_HEADER, 8, 4); /* VIRTIO_BLK_T_GET_ID, which waits for nothing */
	return n;
}

static void blk_works(void)
{
	struct vk_piece pieces[3];

	request(0, pieces, blk_get_id(pieces));
	assert_int_equal(vk_get(&v, AT_END, 1), 0);
}

static void make_scsi(void)
{
	make_disk();
	dev = kit_add(k, &virtio_scsi_device_type, "packed", "on", NULL);
	kit_add(k, &scsi_hd_type, "drive", "d0", NULL);
}

/* The event queue is looked into when something has happened. */
static void scsi_wake(unsigned q)
{
	struct error err = ERROR_INIT;
	struct block_node *root = block_by_id("d0")->root;

	if (q == 1)
		assert_true(block_node_resize(root, 3 * DISK_BYTES - root->bytes, &err));
}

/* An opcode, to target 0. */
static unsigned scsi_command(struct vk_piece *pieces, uint8_t opcode)
{
	for (unsigned i = 0; i < 51; i++)
		vk_put(&v, AT_HEADER + i, 0, 1);
	vk_put(&v, AT_HEADER, 0x00400001, 4);
	vk_put(&v, AT_HEADER + 19, opcode, 1);
	vk_put(&v, AT_HEADER + 19 + 5, 1, 1);
	vk_put(&v, AT_HEADER + 19 + 8, 1, 1);
	vk_put(&v, AT_END + 11, NOT_YET, 1);
	pieces[0] = (struct vk_piece){AT_HEADER, 51, false};
	pieces[1] = (struct vk_piece){AT_END, 108, true};
	pieces[2] = (struct vk_piece){AT_DATA, 512, true};
	return 3;
}

/* READ (10) of sector 1, when the reset has been told of. */
static unsigned scsi_read(struct vk_piece *pieces)
{
	scsi_command(pieces, 0x00);
	request(2, pieces, 2);
	return scsi_command(pieces, 0x28);
}

static unsigned scsi_inquiry(struct vk_piece *pieces)
{
	return scsi_command(pieces, 0x12);
}

static void scsi_works(void)
{
	struct vk_piece pieces[3];

	request(2, pieces, scsi_inquiry(pieces));
	assert_int_equal(vk_get(&v, AT_END + 10, 2), 0);
}

static void make_serial(void)
{
	typed = kit_chardev_new(k, "typed");
	agent = kit_chardev_new(k, "agent");
	dev = kit_add(k, &virtio_serial_device_type, "packed", "on", NULL);
	kit_add(k, &virtconsole_type, "bus", "virtio-serial-bus.1", "chardev", "typed", NULL);
	port = kit_add(k, &virtserialport_type, "bus", "virtio-serial-bus.1", "chardev", "agent",
		       NULL);
}

static void control(unsigned id, unsigned event)
{
	const struct vk_piece piece = {VK_BUFFERS + 0x4000, 8, false};
	uint16_t used;
	uint32_t len;

	vk_put(&v, VK_BUFFERS + 0x4000, id, 4);
	vk_put(&v, VK_BUFFERS + 0x4004, event | 1 << 16, 4);
	vk_add(&v, 3, &piece, 1);
	vk_kick(&v, 3);
	vk_used(&v, 3, &used, &len);
}

static void serial_wake(unsigned q)
{
	if (q == 2)
		control(UINT32_MAX, 0);
	if (q != 0 && q != 4)
		return;
	control(q / 4, 6); /* the port is open */
	kit_type(q ? agent : typed, "x", 1);
}

static void serial_works(void)
{
	typed->len = 0;
	vk_send(&v, CONSOLE_TX, AT_DATA, "well");
	assert_int_equal(typed->len, 4);
	typed->len = 0;
}

static void make_rng(void)
{
	dev = kit_add(k, &virtio_rng_device_type, "packed", "on", NULL);
}

static void rng_works(void)
{
	const struct vk_piece piece = {AT_DATA, 64, true};

	request(0, &piece, 1);
}

static unsigned to_read(struct vk_piece *pieces)
{
	pieces[0] = (struct vk_piece){AT_DATA, 64, false};
	return 1;
}

static unsigned to_write(struct vk_piece *pieces)
{
	pieces[0] = (struct vk_piece){AT_DATA, 64, true};
	return 1;
}

static void make_balloon(void)
{
	dev = kit_add(k, &virtio_balloon_device_type, "free-page-reporting", "on", "packed", "on",
		      NULL);
}

static void balloon_works(void)
{
	const struct vk_piece piece = {AT_DATA, 4, false};

	vk_put(&v, AT_DATA, 0xa0, 4);
	request(0, &piece, 1);
}

static const struct kind kinds[] = {
	{"blk", make_blk, 0, 1, NULL, blk_works, blk_read, 0, blk_get_id, 0},
	{"scsi", make_scsi, SCSI_CHANGE, 3, scsi_wake, scsi_works, scsi_read, 2, scsi_inquiry, 2},
	{"serial", make_serial, MULTIPORT, 6, serial_wake, serial_works, NULL, 0, to_read,
	 CONSOLE_TX},
	{"rng", make_rng, 0, 1, NULL, rng_works, NULL, 0, to_write, 0},
	/* statistics, poison and reporting */
	{"balloon", make_balloon, BIT64(1) | BIT64(5), 4, NULL, balloon_works, NULL, 0, to_read, 0},
};

static void begin(const struct kind *of)
{
	kind = of;
	k = kit_new();
	vk_init(&w, k);
	heard = kit_chardev_new(k, "witness");
	kit_add(k, &virtio_serial_device_type, NULL);
	kit_add(k, &virtconsole_type, "bus", "virtio-serial-bus.0", "chardev", "witness", NULL);
	vk_init_slot(&v, k, 1);
	vk_start(&w, 0, 2, SIZE);
	kind->make();
}

static int setup(void **state)
{
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0 && !ftruncate(fd, DISK_BYTES));
	assert_int_equal(pwrite(fd, "abcd", 4, 512), 4);
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	unlink(path);
	return 0;
}

/* ---- what is done to a queue ---- */

static void desc(unsigned q, unsigned n, gpa_t gpa, uint32_t len, uint16_t flags, uint16_t next)
{
	vk_set_desc(&v, v.q[q].desc, n, gpa, len, flags | (v.packed ? 0x80 : 0), next);
}

static void offer(unsigned q, uint16_t head)
{
	if (!v.packed)
		vk_make_available(&v, q, head);
}

static void one_piece(unsigned q, gpa_t gpa, uint32_t len, uint16_t flags)
{
	desc(q, 0, gpa, len, flags, 0);
	offer(q, 0);
}

/* The table's entries are next to each other, and not in the loop that VK_NEXT alone would make. */
static void one_table(unsigned q, gpa_t gpa, uint32_t len, uint16_t flags, uint16_t entry_flags)
{
	vk_set_desc(&v, TABLE, 0, AT_DATA, 1, entry_flags, 0);
	vk_set_desc(&v, TABLE, 1, AT_DATA, 1, 0, 0);
	desc(q, 0, gpa, len, VK_INDIRECT | flags, 1);
	desc(q, 1, AT_DATA, 1, 0, 0);
	offer(q, 0);
}

static void loop_of_one(unsigned q)
{
	desc(q, 0, AT_DATA, 1, VK_NEXT, 0);
	offer(q, 0);
}

static void loop_of_two(unsigned q)
{
	desc(q, 0, AT_DATA, 1, VK_NEXT, 1);
	desc(q, 1, AT_DATA, 1, VK_NEXT, 0);
	offer(q, 0);
}

static void chain_without_end(unsigned q)
{
	for (unsigned i = 0; i < SIZE; i++)
		desc(q, i, AT_DATA, 1, VK_NEXT, (uint16_t)((i + 1) % SIZE));
	offer(q, 0);
}

static void next_outside(unsigned q)
{
	desc(q, 0, AT_DATA, 1, VK_NEXT, SIZE);
	offer(q, 0);
}

static void next_far_outside(unsigned q)
{
	desc(q, 0, AT_DATA, 1, VK_NEXT, 0xffff);
	offer(q, 0);
}

static void head_outside(unsigned q)
{
	offer(q, SIZE);
}

static void more_heads_than_entries(unsigned q)
{
	desc(q, 0, AT_DATA, 1, 0, 0);
	vk_put(&v, v.q[q].driver + 2, SIZE + 1, 2);
}

static void table_next_outside(unsigned q)
{
	one_table(q, TABLE, 16, 0, VK_NEXT);
	vk_put(&v, TABLE + 14, 1, 2);
}

static void table_loop(unsigned q)
{
	one_table(q, TABLE, 32, 0, VK_NEXT);
}

static void table_in_table(unsigned q)
{
	one_table(q, TABLE, 16, 0, VK_INDIRECT);
}

static void table_with_next(unsigned q)
{
	one_table(q, TABLE, 16, VK_NEXT, 0);
}

static void table_of_nothing(unsigned q)
{
	one_table(q, TABLE, 0, 0, 0);
}

static void table_of_odd_length(unsigned q)
{
	one_table(q, TABLE, 17, 0, 0);
}

static void table_of_4_gib(unsigned q)
{
	one_table(q, TABLE, 0xfffffff0, 0, 0);
}

static void table_across_the_end(unsigned q)
{
	one_table(q, KIT_RAM - 16, 32, 0, 0);
}

static void table_outside(unsigned q)
{
	one_table(q, 1ull << 40, 32, 0, 0);
}

static void no_length(unsigned q)
{
	one_piece(q, AT_DATA, 0, 0);
}

static void no_length_to_write(unsigned q)
{
	one_piece(q, AT_DATA, 0, VK_WRITE);
}

static void length_of_4_gib(unsigned q)
{
	one_piece(q, AT_DATA, UINT32_MAX, 0);
}

static void length_of_4_gib_to_write(unsigned q)
{
	one_piece(q, AT_DATA, UINT32_MAX, VK_WRITE);
}

static void outside_of_ram(unsigned q)
{
	one_piece(q, 1ull << 40, 4, VK_WRITE);
}

static void across_the_end(unsigned q)
{
	one_piece(q, KIT_RAM - 4, 8, 0);
}

static void around_the_end_of_addresses(unsigned q)
{
	one_piece(q, UINT64_MAX - 3, 16, VK_WRITE);
}

static void into_registers(unsigned q)
{
	one_piece(q, VK_REGS, 16, VK_WRITE);
}

static void into_rom(unsigned q)
{
	one_piece(q, ROM, 16, VK_WRITE);
}

static void read_after_write(unsigned q)
{
	desc(q, 0, AT_DATA, 4, VK_WRITE | VK_NEXT, 1);
	desc(q, 1, AT_DATA, 4, 0, 0);
	offer(q, 0);
}

static const struct abuse {
	const char *name;
	void (*lay)(unsigned q);
	bool split_only;
} abuses[] = {
	{"loop of one", loop_of_one, true},
	{"loop of two", loop_of_two, true},
	{"chain without end", chain_without_end, false},
	{"next outside", next_outside, true},
	{"next far outside", next_far_outside, true},
	{"head outside", head_outside, true},
	{"more heads than entries", more_heads_than_entries, true},
	{"table: next outside", table_next_outside, true},
	{"table: loop", table_loop, true},
	{"table in table", table_in_table, false},
	{"table with next", table_with_next, false},
	{"table of nothing", table_of_nothing, false},
	{"table of odd length", table_of_odd_length, false},
	{"table of 4 GiB", table_of_4_gib, false},
	{"table across the end", table_across_the_end, false},
	{"table outside", table_outside, false},
	{"no length", no_length, false},
	{"no length, to write", no_length_to_write, false},
	{"4 GiB", length_of_4_gib, false},
	{"4 GiB, to write", length_of_4_gib_to_write, false},
	{"outside of RAM", outside_of_ram, false},
	{"across the end", across_the_end, false},
	{"around the end of addresses", around_the_end_of_addresses, false},
	{"into registers", into_registers, false},
	{"into ROM", into_rom, false},
	{"read after write", read_after_write, false},
};

/* ---- the tests ---- */

static void other_device_works(void)
{
	uint16_t id;
	uint32_t len;

	heard->len = 0;
	vk_send(&w, CONSOLE_TX, AT_WITNESS, "on");
	assert_int_equal(heard->len, 2);
	assert_true(vk_used(&w, CONSOLE_TX, &id, &len));
}

static void expect_broken(const char *what, unsigned q)
{
	uint16_t id;
	uint32_t len;

	if (!(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET))
		fail_msg("%s: queue %u, %s: %s is taken", kind->name, q,
			 v.packed ? "packed" : "split", what);
	assert_true(vk_reg(&v, REG_ISR) & VIRTIO_ISR_CONFIG);
	assert_non_null(dev->broken);
	for (unsigned i = 0; i < 20; i++)
		vk_kick(&v, i % kind->n_queues);
	assert_true(v.packed || !vk_used(&v, q, &id, &len));
	other_device_works();
}

static void abuse_all(uint64_t features)
{
	for (unsigned q = 0; q < kind->n_queues; q++)
		for (size_t i = 0; i < ARRAY_SIZE(abuses); i++) {
			if (features & PACKED && abuses[i].split_only)
				continue;
			vk_start(&v, features | kind->features, kind->n_queues, SIZE);
			abuses[i].lay(q);
			vk_kick(&v, q);
			if (kind->wake)
				kind->wake(q);
			expect_broken(abuses[i].name, q);
			vk_start(&v, features | kind->features, kind->n_queues, SIZE);
			kind->works();
			assert_null(dev->broken);
		}
}

static void bent_rings_break_the_device_and_no_other(void **state)
{
	static const uint64_t forms[] = {INDIRECT, INDIRECT | EVENT_IDX, INDIRECT | PACKED,
					 INDIRECT | PACKED | EVENT_IDX};
	static uint8_t rom[4096] __attribute__((aligned(4096)));
	struct region region;

	for (size_t n = 0; n < ARRAY_SIZE(kinds); n++) {
		size_t before = 0;

		begin(&kinds[n]);
		region_init_rom(&region, "rom", rom, sizeof(rom));
		region_add(&k->m->mem.root, ROM, &region, 1);
		for (unsigned round = 0; round < 3; round++) {
			for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
				abuse_all(forms[i]);
			/* From the first round on nothing grows. The sanitizers' allocator says 0. */
			if (!round)
				before = mallinfo2().uordblks;
		}
		assert_true(mallinfo2().uordblks <= before + 4096);
		region_remove(&region);
		kit_free(k);
	}
}

/* Each of a queue's areas in ROM that the device writes to; and each of them in no memory. */
static void areas_that_are_no_ram_break_the_device(void **state)
{
	static const unsigned regs[] = {REG_DESC, REG_DRIVER, REG_DEVICE};
	static uint8_t rom[4096] __attribute__((aligned(4096)));
	struct region region;

	for (size_t n = 0; n < ARRAY_SIZE(kinds); n++) {
		begin(&kinds[n]);
		region_init_rom(&region, "rom", rom, sizeof(rom));
		region_add(&k->m->mem.root, ROM, &region, 1);
		for (unsigned i = 0; i < 2 * 3 * 2 * kind->n_queues; i++) {
			unsigned reg = regs[i / 2 % 3], q = i / 12;
			bool packed = i & 1, in_rom = i / 6 & 1;

			if (in_rom && reg != REG_DEVICE && !(packed && reg == REG_DESC))
				continue;
			vk_start(&v, packed ? PACKED : 0, kind->n_queues, SIZE);
			vk_set_reg(&v, REG_STATUS, 0);
			assert_true(vk_negotiate(&v, BIT64(VIRTIO_F_VERSION_1) |
							     (packed ? PACKED : 0)));
			vk_set_reg(&v, REG_SEL, q);
			vk_set_reg(&v, REG_NUM, SIZE);
			for (unsigned r = 0; r < 3; r++)
				vk_set_reg(&v, regs[r], 0x60000 + 0x1000 * r);
			vk_set_reg(&v, reg, in_rom ? ROM : KIT_RAM - 8);
			vk_set_reg(&v, REG_READY, 1);
			if (!in_rom && reg != REG_DESC && packed) {
				assert_null(dev->broken); /* 8 bytes are room enough there */
				continue;
			}
			if (!(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET))
				fail_msg("%s: queue %u: register %x is taken", kind->name, q, reg);
			vk_set_reg(&v, REG_STATUS, vk_status(&v) | VIRTIO_STATUS_DRIVER_OK);
			vk_kick(&v, q);
			other_device_works();
			vk_start(&v, kind->features | (packed ? PACKED : 0), kind->n_queues, SIZE);
			kind->works();
		}
		region_remove(&region);
		kit_free(k);
	}
}

/* The ring, its table, and all that the device has read. No descriptor is so handed over, in neither direction. */
static void spoil(unsigned q)
{
	for (unsigned i = 0; i < 3 * 16; i++) {
		vk_put(&v, v.q[q].desc + i, 0x7f, 1);
		vk_put(&v, TABLE + i, 0x7f, 1);
	}
	for (unsigned i = 0; i < 64; i++)
		vk_put(&v, AT_HEADER + i, 0x7f, 1);
}

static void rewrite(uint64_t features, bool table)
{
	unsigned q = kind->slow_queue, n;
	struct vk_piece pieces[3];
	uint16_t id, head = 0;
	uint32_t len;

	vk_start(&v, features | kind->features, kind->n_queues, SIZE);
	n = kind->slow(pieces);
	vk_put(&v, AT_DATA, 0, 8);
	if (table) {
		for (unsigned i = 0; i < n; i++)
			vk_set_desc(&v, TABLE, i, pieces[i].gpa, pieces[i].len,
				    (pieces[i].write ? VK_WRITE : 0) |
					    (i + 1 < n && !v.packed ? VK_NEXT : 0),
				    (uint16_t)(i + 1));
		if (v.packed) {
			head = v.q[q].avail;
			desc(q, head, TABLE, 16 * n, VK_INDIRECT, head);
			v.q[q].used_entries_of[head] = 1;
		} else {
			head = v.q[q].next_free;
			desc(q, head, TABLE, 16 * n, VK_INDIRECT, 0);
			offer(q, head);
		}
	} else {
		head = vk_add(&v, q, pieces, n);
	}
	vk_kick(&v, q);
	assert_false(vk_used(&v, q, &id, &len));
	spoil(q);
	until_used(q, &id, &len);
	assert_int_equal(id, head);
	assert_int_equal(vk_get(&v, AT_DATA, 4), 0x64636261);
	assert_null(dev->broken);
}

static void what_is_rewritten_under_way_changes_nothing(void **state)
{
	for (size_t n = 0; n < ARRAY_SIZE(kinds); n++) {
		if (!kinds[n].slow)
			continue;
		begin(&kinds[n]);
		for (unsigned i = 0; i < 4; i++)
			rewrite(INDIRECT | (i & 1 ? PACKED : 0), i & 2);
		kit_free(k);
	}
}

/* A port whose host has no room leaves its element in the ring: it is read anew, and judged anew. */
static void a_stalled_port_s_table_is_judged_anew(void **state)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned q = PORT_TX;

		begin(&kinds[2]);
		vk_start(&v, MULTIPORT | INDIRECT | (i & 1 ? PACKED : 0), 6, SIZE);
		control(1, 6);
		agent->room = 2;
		for (unsigned n = 0; n < 10; n++)
			vk_put(&v, AT_DATA + n, '0' + n, 1);
		vk_set_desc(&v, TABLE, 0, AT_DATA, 10, 0, 0);
		desc(q, 0, TABLE, 16, VK_INDIRECT, 0);
		v.q[q].used_entries_of[0] = 1;
		offer(q, 0);
		vk_kick(&v, q);
		assert_int_equal(agent->len, 2);
		if (i & 2)
			vk_set_desc(&v, TABLE, 0, KIT_RAM - 1, 10, 0, 0);
		else
			vk_set_desc(&v, TABLE, 0, AT_DATA, 1, VK_INDIRECT, 0);
		agent->room = 100;
		virtio_serial_resume(container_of(port, struct virtio_serial_port, dev));
		kit_settle(k);
		assert_int_equal(agent->len, 2);
		expect_broken("a table rewritten", q);
		vk_start(&v, MULTIPORT, 6, SIZE);
		kind->works();
		kit_free(k);
	}
}

/* ---- another processor ---- */

struct rewriter {
	uint8_t *areas[4];
	unsigned bytes[4];
	bool done; /* atomic */
};

/* Plausible numbers and others, where the device may be reading. */
static void *rewrite_for_ever(void *opaque)
{
	static const uint16_t words[] = {0,    1,    2,	     4,	     5,	     16,   0x80,  0x81,
					 0x82, 0x84, 0x8000, 0x1000, 0xffff, SIZE, 0x0009};
	struct rewriter *r = opaque;
	uint64_t seed = 0x2545f4914f6cdd1dull;

	while (!__atomic_load_n(&r->done, __ATOMIC_RELAXED)) {
		unsigned area;
		uint16_t *at;

		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
		area = seed >> 62;
		at = (uint16_t *)(r->areas[area] + (seed >> 33) % r->bytes[area] / 2 * 2);
		__atomic_store_n(at, words[(seed >> 20) % ARRAY_SIZE(words)], __ATOMIC_RELAXED);
	}
	return NULL;
}

static uint8_t *host(gpa_t gpa, unsigned bytes)
{
	size_t n = bytes;
	uint8_t *at = dma_map(k->m, gpa, &n, true);

	assert_true(at && n >= bytes);
	return at;
}

static void restart(uint64_t features)
{
	vk_set_reg(&v, REG_STATUS, 0);
	for (unsigned i = 0; i < 10000 && vk_status(&v); i++)
		loop_run_once(k->loop, NS_PER_MS);
	vk_start(&v, features | kind->features, kind->n_queues, SIZE);
}

/* Returns how often the device broke. */
static unsigned drive_meanwhile(uint64_t features, int64_t ns)
{
	const struct clock *clock = loop_clock_host(k->loop);
	unsigned q = kind->plain_queue, broken = 0;
	int64_t end = clock_now_ns(clock) + ns;
	struct vk_piece pieces[3];

	for (unsigned i = 0; clock_now_ns(clock) < end; i++) {
		unsigned n = kind->plain(pieces);

		if (i % 3 == 0) {
			for (unsigned j = 0; j < n; j++)
				vk_set_desc(&v, TABLE, j, pieces[j].gpa, pieces[j].len,
					    pieces[j].write ? VK_WRITE : 0, 0);
			one_table(q, TABLE, 16 * n, 0, 0);
		} else {
			vk_add(&v, q, pieces, n);
		}
		vk_kick(&v, q);
		if (vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET) {
			broken++;
			restart(features);
		}
		if (kind->make == make_serial)
			typed->len = 0;
	}
	return broken;
}

static void rings_rewritten_by_another_processor_do_no_harm(void **state)
{
	static const uint64_t forms[] = {INDIRECT, INDIRECT | PACKED, INDIRECT | EVENT_IDX};
	unsigned broken = 0;

	for (size_t n = 0; n < ARRAY_SIZE(kinds); n++) {
		struct rewriter r = {.bytes = {SIZE * 16, 4 + 2 * SIZE, 3 * 16, 64}};
		pthread_t thread;
		gpa_t ring;

		begin(&kinds[n]);
		vk_start(&v, INDIRECT | kind->features, kind->n_queues, SIZE);
		ring = v.q[kind->plain_queue].desc;
		r.areas[0] = host(ring, r.bytes[0]);
		r.areas[1] = host(v.q[kind->plain_queue].driver, r.bytes[1]);
		r.areas[2] = host(TABLE, r.bytes[2]);
		r.areas[3] = host(kind->plain == to_read ? AT_DATA : AT_HEADER, r.bytes[3]);
		assert_int_equal(pthread_create(&thread, NULL, rewrite_for_ever, &r), 0);
		for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
			restart(forms[i]);
			broken += drive_meanwhile(forms[i], 100 * NS_PER_MS);
		}
		__atomic_store_n(&r.done, true, __ATOMIC_RELAXED);
		pthread_join(thread, NULL);
		other_device_works();
		restart(0);
		kind->works();
		kit_free(k);
	}
	assert_true(broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bent_rings_break_the_device_and_no_other),
		TEST(areas_that_are_no_ram_break_the_device),
		TEST(what_is_rewritten_under_way_changes_nothing),
		TEST(a_stalled_port_s_table_is_judged_anew),
		TEST(rings_rewritten_by_another_processor_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
