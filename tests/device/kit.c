/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine without a processor, for the tests of devices. */
#include "tests/device/kit.h"
#include "io/block/block_internal.h"
#include "src/drive.h"

static void log_gsi(void *opaque, unsigned n, bool level)
{
	struct kit *k = opaque;

	k->level[n] = level;
	if (level)
		k->rises[n]++;
	else
		k->falls[n]++;
}

static bool board_init(struct machine *m, struct error *err)
{
	return true;
}

static const struct machine_type empty_board = {
	.name = "test", .desc = "empty", .init = board_init};

struct kit *kit_new_with(const struct machine_type *type, const struct machine_config *config)
{
	struct kit *k = xzalloc(sizeof(*k));
	struct error err = ERROR_INIT;

	if (config)
		k->config = *config;
	k->config.type = type ? type : &empty_board;
	k->config.accel = &accel_qtest;
	if (!k->config.ram_bytes)
		k->config.ram_bytes = KIT_RAM;
	k->loop = loop_new();
	k->clock = clock_new_fake(k->loop);
	k->m = machine_new(k->loop, &k->config, k->clock);
	if (!machine_build(k->m, &err))
		fail_msg("%s", err.msg);
	k->log = k->m->accel_state;
	if (!type)
		for (unsigned n = 0; n < MACHINE_GSIS; n++)
			irq_connect(&k->m->gsi[n], log_gsi, k, n);
	if (!machine_start(k->m, &err))
		fail_msg("%s", err.msg);
	return k;
}

struct kit *kit_new(void)
{
	return kit_new_with(NULL, NULL);
}

void kit_free(struct kit *k)
{
	machine_free(k->m);
	for (unsigned i = 0; i < k->n_chardevs; i++)
		chardev_free(k->chardevs[i]);
	clock_free(k->clock);
	loop_free(k->loop);
	free(k);
}

static struct device *add(struct kit *k, const struct device_type *type, va_list ap,
			  struct error *err)
{
	struct device *dev = device_new(k->m, type, NULL);
	bool ok = true;

	for (const char *name = va_arg(ap, const char *); name && ok;
	     name = va_arg(ap, const char *))
		ok = device_set_prop(dev, name, va_arg(ap, const char *), err);
	if (ok && device_realize(dev, err)) {
		device_reset(dev);
		return dev;
	}
	device_unrealize(dev);
	return NULL;
}

struct device *kit_add(struct kit *k, const struct device_type *type, ...)
{
	struct error err = ERROR_INIT;
	struct device *dev;
	va_list ap;

	va_start(ap, type);
	dev = add(k, type, ap, &err);
	va_end(ap);
	if (!dev)
		fail_msg("%s", err.msg);
	kit_clear(k);
	return dev;
}

char *kit_add_fails(struct kit *k, const struct device_type *type, ...)
{
	struct error err = ERROR_INIT;
	va_list ap;

	va_start(ap, type);
	assert_null(add(k, type, ap, &err));
	va_end(ap);
	assert_non_null(err.msg);
	return err.msg;
}

void kit_add_null_disk(struct kit *k, const char *id)
{
	struct error err = ERROR_INIT;

	if (!drive_add(k->m,
		       json_pack("{s:s,s:s,s:s,s:s}", "if", "none", "id", id, "file", "null-co://",
				 "format", "raw"),
		       &err))
		fail_msg("%s", err.msg);
}

void kit_add_slow_disk(struct kit *k, const char *id)
{
	struct error err = ERROR_INIT;

	if (!blockdev_add(k->loop,
			  json_pack("{s:s,s:s,s:I}", "driver", "null-co", "node-name", id,
				    "latency-ns", (json_int_t)(20 * NS_PER_MS)),
			  &err))
		fail_msg("%s", err.msg);
}

void kit_await_disks(struct kit *k)
{
	for (unsigned i = 0; i < 5000 && block_any_inflight(); i++)
		loop_run_once(k->loop, NS_PER_MS);
	assert_false(block_any_inflight());
	kit_settle(k);
}

/* As a vCPU does: by itself where there is a stream, else by a trap. */
static uint64_t port_read(struct kit *k, uint16_t port, unsigned size)
{
	const struct view_range *range = view_find(as_view_mt(&k->m->io), port);
	uint8_t buf[4];

	if (range && range->tap.stream && view_stream(range, port, buf, size, 1))
		return ldn_le(buf, size);
	return as_read(&k->m->io, port, size);
}

uint8_t kit_in8(struct kit *k, uint16_t port)
{
	return port_read(k, port, 1);
}

uint16_t kit_in16(struct kit *k, uint16_t port)
{
	return port_read(k, port, 2);
}

uint32_t kit_in32(struct kit *k, uint16_t port)
{
	return as_read(&k->m->io, port, 4);
}

void kit_out8(struct kit *k, uint16_t port, uint8_t value)
{
	as_write(&k->m->io, port, value, 1);
}

void kit_out16(struct kit *k, uint16_t port, uint16_t value)
{
	as_write(&k->m->io, port, value, 2);
}

void kit_out32(struct kit *k, uint16_t port, uint32_t value)
{
	as_write(&k->m->io, port, value, 4);
}

void kit_advance(struct kit *k, int64_t ns)
{
	clock_fake_advance(k->clock, ns);
}

void kit_clear(struct kit *k)
{
	memset(k->rises, 0, sizeof(k->rises));
	memset(k->falls, 0, sizeof(k->falls));
}

void kit_save_load(struct device *dev)
{
	const struct state_desc *state = dev->type->state;
	struct error err = ERROR_INIT;
	uint8_t *saved, *again;
	size_t bytes, again_bytes;

	saved = state_save(state, dev, &bytes);
	device_reset(dev);
	if (!state_load(state, dev, saved, bytes, &err))
		fail_msg("%s: %s", dev->type->name, err.msg);
	again = state_save(state, dev, &again_bytes);
	assert_int_equal(bytes, again_bytes);
	for (size_t i = 0; i < bytes; i++)
		if (saved[i] != again[i])
			fail_msg("%s: byte %zu of the saved state: %02x became %02x",
				 dev->type->name, i, saved[i], again[i]);
	free(saved);
	free(again);
}

void kit_settle(struct kit *k)
{
	for (unsigned i = 0; i < 8; i++)
		loop_run_once(k->loop, 0);
}

/* ---- character back end ---- */

static size_t kit_chardev_write(struct chardev *chr, const void *buf, size_t n)
{
	struct kit_chardev *c = container_of(chr, struct kit_chardev, chr);

	n = MIN(n, c->room - c->len);
	memcpy(c->out + c->len, buf, n);
	c->len += n;
	c->out[c->len] = 0;
	return n;
}

static const struct chardev_ops kit_chardev_ops = {.name = "kit", .write = kit_chardev_write};

struct kit_chardev *kit_chardev_new(struct kit *k, const char *id)
{
	struct kit_chardev *c = xzalloc(sizeof(*c));

	c->room = sizeof(c->out) - 1;
	assert_true(k->n_chardevs < ARRAY_SIZE(k->chardevs));
	assert_true(chardev_init(&c->chr, &kit_chardev_ops, k->loop, id, NULL));
	k->chardevs[k->n_chardevs++] = &c->chr;
	return c;
}

size_t kit_type(struct kit_chardev *c, const char *bytes, size_t n)
{
	n = MIN(n, chardev_can_receive(&c->chr));
	if (n)
		chardev_receive(&c->chr, (const uint8_t *)bytes, n);
	return n;
}
