/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio console device: control messages, ports that open and close, and a host that does not read. */
#include "devices/virtio/virtio_serial.h"
#include "tests/device/virtio_kit.h"

#define MULTIPORT   BIT64(1)
#define EMERG_WRITE BIT64(2)
#define CONTROL_RX  2
#define CONTROL_TX  3
#define PORT1_RX    4
#define PORT1_TX    5
#define QUEUES	    6
#define SIZE	    16
#define CONFIG	    0x100

enum {
	DEVICE_READY,
	DEVICE_ADD,
	DEVICE_REMOVE,
	PORT_READY,
	CONSOLE_PORT,
	RESIZE,
	PORT_OPEN,
	PORT_NAME
};

static struct kit *k;
static struct vk v;
static struct kit_chardev *console, *agent;
static struct device *port;

static int setup(void **state)
{
	k = kit_new();
	vk_init(&v, k);
	console = kit_chardev_new(k, "console");
	agent = kit_chardev_new(k, "agent");
	kit_add(k, &virtio_serial_device_type, "max_ports", "4", NULL);
	kit_add(k, &virtconsole_type, "chardev", "console", NULL);
	port = kit_add(k, &virtserialport_type, "chardev", "agent", "name", "org.test.0", NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void control(uint32_t id, uint16_t event, uint16_t value)
{
	const struct vk_piece piece = {VK_BUFFERS, 8, false};

	vk_put(&v, VK_BUFFERS, id, 4);
	vk_put(&v, VK_BUFFERS + 4, event, 2);
	vk_put(&v, VK_BUFFERS + 6, value, 2);
	vk_add(&v, CONTROL_TX, &piece, 1);
	vk_kick(&v, CONTROL_TX);
}

/* Room for a message from the device. */
static void control_buffer(void)
{
	static unsigned n;
	const struct vk_piece piece = {VK_BUFFERS + 0x1000 + 64 * (n++ % SIZE), 64, true};

	vk_add(&v, CONTROL_RX, &piece, 1);
	vk_kick(&v, CONTROL_RX);
}

static gpa_t message_at(uint16_t id)
{
	return vk_get(&v, v.q[CONTROL_RX].desc + 16 * id, 8);
}

static gpa_t expect_message(uint32_t port_id, uint16_t event, uint16_t value)
{
	uint16_t id;
	uint32_t len;
	gpa_t at;

	assert_true(vk_used(&v, CONTROL_RX, &id, &len));
	at = message_at(id);
	assert_int_equal(vk_get(&v, at, 4), port_id);
	assert_int_equal(vk_get(&v, at + 4, 2), event);
	assert_int_equal(vk_get(&v, at + 6, 2), value);
	control_buffer();
	return at;
}

static bool no_message(void)
{
	uint16_t id;
	uint32_t len;

	return !vk_used(&v, CONTROL_RX, &id, &len);
}

static void start(void)
{
	vk_start(&v, MULTIPORT, QUEUES, SIZE);
	for (unsigned i = 0; i < SIZE; i++)
		control_buffer();
	control(UINT32_MAX, DEVICE_READY, 1);
	expect_message(0, DEVICE_ADD, 1);
	expect_message(1, DEVICE_ADD, 1);
	assert_true(no_message());
}

static void ports_are_announced(void **state)
{
	gpa_t at;

	assert_int_equal(vk_reg(&v, CONFIG + 4), 4);
	start();
	control(0, PORT_READY, 1);
	expect_message(0, CONSOLE_PORT, 1);
	expect_message(0, PORT_OPEN, 1);
	control(1, PORT_READY, 1);
	at = expect_message(1, PORT_NAME, 1);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(vk_get(&v, at + 8 + i, 1), "org.test.0"[i]);
	expect_message(1, PORT_OPEN, 1);
	assert_true(no_message());
}

static void messages_wait_for_room(void **state)
{
	vk_start(&v, MULTIPORT, QUEUES, SIZE);
	control(UINT32_MAX, DEVICE_READY, 1);
	assert_true(no_message());
	control_buffer();
	expect_message(0, DEVICE_ADD, 1);
	expect_message(1, DEVICE_ADD, 1);
}

static void a_driver_that_never_makes_room_costs_nothing(void **state)
{
	vk_start(&v, MULTIPORT, QUEUES, SIZE);
	for (unsigned i = 0; i < 2000; i++)
		control(UINT32_MAX, DEVICE_READY, 1);
	control_buffer();
	expect_message(0, DEVICE_ADD, 1);
}

static void nonsense_is_refused(void **state)
{
	const struct vk_piece piece = {VK_BUFFERS, 3, false};

	start();
	control(77, PORT_READY, 1);
	control(UINT32_MAX, PORT_OPEN, 1);
	control(3, PORT_OPEN, 1);
	control(0, 99, 1);
	control(0, RESIZE, 1);
	vk_add(&v, CONTROL_TX, &piece, 1);
	vk_kick(&v, CONTROL_TX);
	assert_true(no_message());
	assert_false(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET);
}

static void only_an_open_port_takes_input(void **state)
{
	const struct vk_piece piece = {VK_BUFFERS + 0x800, 16, true};
	uint16_t id;
	uint32_t len;

	start();
	vk_add(&v, PORT1_RX, &piece, 1);
	vk_kick(&v, PORT1_RX);
	assert_int_equal(kit_type(agent, "early", 5), 0);
	control(1, PORT_OPEN, 1);
	assert_int_equal(kit_type(agent, "hello", 5), 5);
	assert_true(vk_used(&v, PORT1_RX, &id, &len));
	assert_int_equal(len, 5);
	assert_int_equal(vk_get(&v, VK_BUFFERS + 0x800, 4), 0x6c6c6568);
	control(1, PORT_OPEN, 0);
	vk_add(&v, PORT1_RX, &piece, 1);
	vk_kick(&v, PORT1_RX);
	assert_int_equal(kit_type(agent, "late", 4), 0);
}

/* The element waits in the ring, and what the host has of it is not sent twice. */
static void a_host_that_does_not_read(void **state)
{
	struct virtio_serial_port *p = container_of(port, struct virtio_serial_port, dev);
	uint16_t id;
	uint32_t len;

	start();
	control(1, PORT_OPEN, 1);
	agent->room = 4;
	vk_send(&v, PORT1_TX, VK_BUFFERS + 0x400, "0123456789");
	vk_send(&v, PORT1_TX, VK_BUFFERS + 0x500, "abc");
	assert_string_equal(agent->out, "0123");
	assert_false(vk_used(&v, PORT1_TX, &id, &len));
	/* The console goes on meanwhile. */
	vk_send(&v, 1, VK_BUFFERS + 0x600, "console");
	assert_string_equal(console->out, "console");
	kit_save_load(port);
	assert_true(p->transmitted == 4);
	agent->room = 12;
	virtio_serial_resume(p);
	kit_settle(k);
	assert_string_equal(agent->out, "0123456789ab");
	assert_true(vk_used(&v, PORT1_TX, &id, &len));
	assert_false(vk_used(&v, PORT1_TX, &id, &len));
	agent->room = 100;
	virtio_serial_resume(p);
	kit_settle(k);
	assert_string_equal(agent->out, "0123456789abc");
	assert_true(vk_used(&v, PORT1_TX, &id, &len));
}

static void a_reset_while_the_host_does_not_read(void **state)
{
	struct virtio_serial_port *p = container_of(port, struct virtio_serial_port, dev);

	start();
	control(1, PORT_OPEN, 1);
	agent->room = 2;
	vk_send(&v, PORT1_TX, VK_BUFFERS + 0x400, "0123456789");
	start();
	control(1, PORT_OPEN, 1);
	agent->room = 100;
	virtio_serial_resume(p);
	vk_send(&v, PORT1_TX, VK_BUFFERS + 0x400, "new");
	assert_string_equal(agent->out, "01new");
}

/* The back end may find out while it is written to that somebody has come, and a message goes to the driver. */
static size_t open_and_take(struct chardev *chr, const void *buf, size_t n)
{
	struct kit_chardev *c = container_of(chr, struct kit_chardev, chr);

	chardev_set_open(chr, true);
	memcpy(c->out + c->len, buf, n);
	c->len += n;
	c->out[c->len] = 0;
	return n;
}

static void a_host_that_opens_while_it_is_written_to(void **state)
{
	static const struct chardev_ops ops = {.name = "opens", .write = open_and_take};
	uint16_t id;
	uint32_t len;

	start();
	control(1, PORT_READY, 1);
	expect_message(1, PORT_NAME, 1);
	expect_message(1, PORT_OPEN, 1);
	control(1, PORT_OPEN, 1);
	chardev_set_open(&agent->chr, false);
	expect_message(1, PORT_OPEN, 0);
	agent->chr.ops = &ops;
	vk_send(&v, PORT1_TX, VK_BUFFERS + 0x400, "one");
	expect_message(1, PORT_OPEN, 1);
	assert_true(vk_used(&v, PORT1_TX, &id, &len));
	assert_int_equal(id, 0);
	assert_int_equal(len, 0);
	assert_string_equal(agent->out, "one");
	assert_true(no_message());
}

static size_t take_all(struct chardev *chr, const void *buf, size_t n)
{
	container_of(chr, struct kit_chardev, chr)->len += n;
	return n;
}

/* All of RAM, over and over, to a host that takes everything: the loop has its turns meanwhile. */
static void a_request_without_end(void **state)
{
	static const struct chardev_ops ops = {.name = "takes", .write = take_all};
	struct vk_piece all[16];
	uint16_t id;
	uint32_t len;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		all[i] = (struct vk_piece){0, KIT_RAM, false};
	start();
	control(1, PORT_OPEN, 1);
	agent->chr.ops = &ops;
	vk_add(&v, PORT1_TX, all, ARRAY_SIZE(all));
	vk_kick(&v, PORT1_TX);
	assert_false(vk_used(&v, PORT1_TX, &id, &len));
	for (unsigned i = 0; i < 1000 && !vk_used(&v, PORT1_TX, &id, &len); i++)
		kit_settle(k);
	assert_true(agent->len == ARRAY_SIZE(all) * KIT_RAM);
	agent->len = 0;
}

/* A console's driver spins until its bytes are taken: what the host does not take is lost. */
static void a_console_never_waits(void **state)
{
	uint16_t id;
	uint32_t len;

	vk_start(&v, 0, 2, SIZE);
	console->room = 4;
	vk_send(&v, 1, VK_BUFFERS + 0x400, "0123456789");
	assert_string_equal(console->out, "0123");
	assert_true(vk_used(&v, 1, &id, &len));
}

/* What a stalled port left in its queue was rewritten meanwhile: it is read anew, and judged anew. */
static void descriptors_rewritten_while_stalled(void **state)
{
	struct virtio_serial_port *p = container_of(port, struct virtio_serial_port, dev);

	start();
	control(1, PORT_OPEN, 1);
	agent->room = 2;
	vk_send(&v, PORT1_TX, VK_BUFFERS + 0x400, "0123456789");
	vk_set_desc(&v, v.q[PORT1_TX].desc, 0, KIT_RAM - 1, 500, 0, 0);
	agent->room = 100;
	virtio_serial_resume(p);
	kit_settle(k);
	assert_true(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET);
	assert_string_equal(agent->out, "01");
	start();
}

static void the_emergency_write(void **state)
{
	vk_set_reg(&v, CONFIG + 8, '?'); /* 5.3.4: without so much as features */
	assert_string_equal(console->out, "?");
	assert_true(vk_negotiate(&v, BIT64(VIRTIO_F_VERSION_1) | EMERG_WRITE));
	vk_set_reg(&v, CONFIG + 8, '!');
	assert_string_equal(console->out, "?!");
	assert_int_equal(vk_reg(&v, CONFIG + 4), 4);
	vk_set_reg(&v, CONFIG + 4, 1000);
	assert_int_equal(vk_reg(&v, CONFIG + 4), 4);
}

static void a_port_goes_and_another_comes(void **state)
{
	struct device *next;

	start();
	device_unrealize(port);
	expect_message(1, DEVICE_REMOVE, 1);
	/* What is sent to a port that is not there goes nowhere. */
	vk_send(&v, PORT1_TX, VK_BUFFERS + 0x400, "nobody");
	next = kit_add(k, &virtserialport_type, "nr", "2", NULL);
	expect_message(2, DEVICE_ADD, 1);
	device_unrealize(next);
	expect_message(2, DEVICE_REMOVE, 1);
}

static void wrong_properties(void **state)
{
	static const char *const bad[][2] = {{"nr", "0"},
					     {"nr", "1"},
					     {"nr", "4"},
					     {"name", "org.test.0"},
					     {"bus", "nowhere.0"}};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		free(kit_add_fails(k, &virtserialport_type, bad[i][0], bad[i][1], NULL));
	kit_add(k, &virtserialport_type, NULL);
	kit_add(k, &virtserialport_type, NULL);
	free(kit_add_fails(k, &virtserialport_type, NULL)); /* all are in use */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ports_are_announced),
		TEST(messages_wait_for_room),
		TEST(a_driver_that_never_makes_room_costs_nothing),
		TEST(nonsense_is_refused),
		TEST(only_an_open_port_takes_input),
		TEST(a_host_that_does_not_read),
		TEST(a_reset_while_the_host_does_not_read),
		TEST(a_host_that_opens_while_it_is_written_to),
		TEST(a_request_without_end),
		TEST(a_console_never_waits),
		TEST(descriptors_rewritten_while_stalled),
		TEST(the_emergency_write),
		TEST(a_port_goes_and_another_comes),
		TEST(wrong_properties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
