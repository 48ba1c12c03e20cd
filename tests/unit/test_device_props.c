/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices' properties and life, with a type of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>
#include "src/log.h"
#include "src/machine.h"

struct gadget {
	struct device dev;
	bool flag;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64, size;
	char *name;
	struct chardev *chr;
	int32_t addr;
	unsigned *resets, *unrealizes;
	bool fail;
};

static bool gadget_realize(struct device *dev, struct error *err)
{
	struct gadget *g = container_of(dev, struct gadget, dev);

	return !g->fail || error_set(err, "no");
}

static void gadget_reset(struct device *dev)
{
	++*container_of(dev, struct gadget, dev)->resets;
}

static void gadget_unrealize(struct device *dev)
{
	++*container_of(dev, struct gadget, dev)->unrealizes;
}

static const struct device_prop gadget_props[] = {
	DEFINE_PROP(gadget, flag, "flag", PROP_BOOL, true, "a switch"),
	DEFINE_PROP(gadget, u8, "u8", PROP_U8, 7, "small"),
	DEFINE_PROP(gadget, u16, "u16", PROP_U16, 0x1234, ""),
	DEFINE_PROP(gadget, u32, "iobase", PROP_U32, 0x3f8, "first port"),
	DEFINE_PROP(gadget, u64, "u64", PROP_U64, ~0ull, ""),
	DEFINE_PROP(gadget, size, "size", PROP_SIZE, 4096, ""),
	DEFINE_PROP_STR(gadget, name, "name", "none", ""),
	DEFINE_PROP(gadget, chr, "chardev", PROP_CHARDEV, 0, ""),
	DEFINE_PROP(gadget, addr, "addr", PROP_PCI_ADDR, (uint64_t)-1, ""),
	DEFINE_PROP_END,
};

static const struct device_type gadget_type = {
	.name = "gadget",
	.size = sizeof(struct gadget),
	.props = gadget_props,
	.realize = gadget_realize,
	.reset = gadget_reset,
	.unrealize = gadget_unrealize,
};

static struct gadget *gadget(void)
{
	return container_of(device_new(NULL, &gadget_type, NULL), struct gadget, dev);
}

static void good(struct gadget *g, const char *name, const char *value)
{
	struct error err = ERROR_INIT;

	if (!device_set_prop(&g->dev, name, value, &err))
		fail_msg("%s=%s: %s", name, value, err.msg);
}

static void bad(struct gadget *g, const char *name, const char *value, const char *message)
{
	struct error err = ERROR_INIT;

	if (device_set_prop(&g->dev, name, value, &err))
		fail_msg("%s=%s was taken", name, value);
	if (message)
		assert_string_equal(err.msg, message);
	error_clear(&err);
}

static void properties_begin_with_their_defaults(void **state)
{
	struct gadget *g = gadget();

	assert_true(g->flag);
	assert_int_equal(g->u8, 7);
	assert_int_equal(g->u16, 0x1234);
	assert_int_equal(g->u32, 0x3f8);
	assert_true(g->u64 == ~0ull);
	assert_int_equal(g->size, 4096);
	assert_string_equal(g->name, "none");
	assert_null(g->chr);
	assert_int_equal(g->addr, -1);
	device_unrealize(&g->dev);
}

static void values_are_taken_as_typed(void **state)
{
	struct gadget *g = gadget();

	good(g, "flag", "off");
	assert_false(g->flag);
	good(g, "flag", "yes");
	assert_true(g->flag);
	good(g, "u8", "255");
	assert_int_equal(g->u8, 255);
	good(g, "iobase", "0x2f8");
	assert_int_equal(g->u32, 0x2f8);
	good(g, "u64", "18446744073709551615");
	good(g, "size", "2M");
	assert_int_equal(g->size, 2 * MiB);
	good(g, "name", "a,b");
	assert_string_equal(g->name, "a,b");
	good(g, "addr", "1f.7");
	assert_int_equal(g->addr, 0xff);
	good(g, "addr", "5");
	assert_int_equal(g->addr, 0x28);
	device_unrealize(&g->dev);
}

static void bad_values_are_refused_by_name(void **state)
{
	struct gadget *g = gadget();

	bad(g, "flag", "maybe", "Property 'gadget.flag': 'maybe' is not 'on' or 'off'");
	bad(g, "u8", "256", "Property 'gadget.u8': 256 is too large (at most 255)");
	bad(g, "u16", "65536", NULL);
	bad(g, "iobase", "4294967296", NULL);
	bad(g, "iobase", "-1", NULL);
	bad(g, "iobase", "", NULL);
	bad(g, "iobase", "12x", "Property 'gadget.iobase': '12x' is not a number");
	bad(g, "u64", "18446744073709551616", NULL);
	bad(g, "size", "1Q", NULL);
	bad(g, "size", "-1", NULL);
	bad(g, "addr", "20", NULL);
	bad(g, "addr", "1.8", NULL);
	bad(g, "addr", "1.2.3", NULL);
	bad(g, "addr", "", NULL);
	bad(g, "chardev", "nobody", NULL);
	assert_int_equal(g->u8, 7);
	device_unrealize(&g->dev);
}

static void an_unknown_property_names_the_nearest(void **state)
{
	struct gadget *g = gadget();

	bad(g, "iobas", "1", "Property 'gadget.iobas' not found; did you mean 'iobase'?");
	bad(g, "xyzzyxyzzy", "1",
	    "Property 'gadget.xyzzyxyzzy' not found (-device gadget,help lists them)");
	device_unrealize(&g->dev);
}

static void boards_set_numbers(void **state)
{
	struct gadget *g = gadget();

	device_set_prop_num(&g->dev, "u16", 9);
	device_set_prop_num(&g->dev, "flag", 0);
	device_set_prop_num(&g->dev, "addr", 0x10);
	device_set_prop_chardev(&g->dev, "chardev", (struct chardev *)g);
	assert_int_equal(g->u16, 9);
	assert_false(g->flag);
	assert_int_equal(g->addr, 0x10);
	assert_ptr_equal(g->chr, g);
	g->chr = NULL;
	device_unrealize(&g->dev);
}

static void unrealize_follows_realize(void **state)
{
	unsigned resets = 0, unrealizes = 0;
	struct error err = ERROR_INIT;
	struct gadget *g = gadget();

	g->resets = &resets;
	g->unrealizes = &unrealizes;
	g->fail = true;
	assert_false(device_realize(&g->dev, &err));
	error_clear(&err);
	device_unrealize(&g->dev);
	assert_int_equal(unrealizes, 0);
	g = gadget();
	g->resets = &resets;
	g->unrealizes = &unrealizes;
	assert_true(device_realize(&g->dev, &err));
	device_reset(&g->dev);
	device_break(&g->dev, "ring out of bounds");
	device_break(&g->dev, "again");
	assert_string_equal(g->dev.broken, "ring out of bounds");
	assert_int_equal(g->dev.guest_error_count, 1);
	device_reset(&g->dev);
	assert_null(g->dev.broken);
	assert_int_equal(resets, 2);
	device_unrealize(&g->dev);
	assert_int_equal(unrealizes, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(properties_begin_with_their_defaults),
		cmocka_unit_test(values_are_taken_as_typed),
		cmocka_unit_test(bad_values_are_refused_by_name),
		cmocka_unit_test(an_unknown_property_names_the_nearest),
		cmocka_unit_test(boards_set_numbers),
		cmocka_unit_test(unrealize_follows_realize),
	};

	return cmocka_run_group_tests_name("device_props", tests, NULL, NULL);
}
