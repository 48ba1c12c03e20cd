/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The watchdog of IBASE's IB700 boards, an ISA card for guests.
 *
 * IBASE, IB700 User's Manual, "Watchdog Timer Configuration".
 *
 *	offset	name	width	access	reset	section
 *	441	DISABLE	8	W	-	any write stops the timer
 *	443	ENABLE	8	W	-	bits 3-0 N: begins (again) to count (15 - N) * 2 seconds
 *
 * Both read as ones. At zero -action watchdog= follows.
 *
 * Not modelled: nothing.
 * Deviates because: nothing.
 */
#include "devices/chipset/watchdog.h"
#include "devices/isa.h"

#define IB700_DISABLE	   0x441
#define IB700_ENABLE	   0x443
#define IB700_COUNT	   0x0f
#define IB700_STEP_SECONDS 2

struct ib700 {
	struct device dev;

	/* configuration */
	struct region disable, enable;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	int64_t deadline_ns; /* guest clock; 0: it doesn't count */
	GUEST_VISIBLE_END;

	/* host side */
	struct timer timer;
};

static void ib700_arm(struct ib700 *s)
{
	if (s->deadline_ns)
		timer_arm(&s->timer, s->deadline_ns);
	else
		timer_cancel(&s->timer);
}

static uint64_t ib700_read(void *opaque, uint64_t offset, unsigned size)
{
	return 0xff;
}

static void ib700_write_disable(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct ib700 *s = opaque;

	s->deadline_ns = 0;
	ib700_arm(s);
}

static void ib700_write_enable(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct ib700 *s = opaque;
	int64_t seconds = (int64_t)(IB700_COUNT - (value & IB700_COUNT)) * IB700_STEP_SECONDS;

	s->deadline_ns = clock_now_ns(s->dev.machine->clock) + MAX(seconds * NS_PER_SEC, 1);
	ib700_arm(s);
}

static const struct region_ops disable_ops = {
	.read = ib700_read, .write = ib700_write_disable, .min_size = 1, .max_size = 1};
static const struct region_ops enable_ops = {
	.read = ib700_read, .write = ib700_write_enable, .min_size = 1, .max_size = 1};

static void ib700_on_timer(void *opaque)
{
	struct ib700 *s = opaque;

	s->deadline_ns = 0;
	machine_watchdog_expired(s->dev.machine);
}

static void ib700_reset(struct device *dev)
{
	struct ib700 *s = container_of(dev, struct ib700, dev);

	s->deadline_ns = 0;
	ib700_arm(s);
}

static bool ib700_post_load(void *opaque, struct error *err)
{
	struct ib700 *s = opaque;
	int64_t longest =
		clock_now_ns(s->dev.machine->clock) + IB700_COUNT * IB700_STEP_SECONDS * NS_PER_SEC;

	s->deadline_ns = MAX(0, MIN(s->deadline_ns, longest));
	ib700_arm(s);
	return true;
}

static const struct state_desc ib700_state = {
	.name = "ib700",
	.version = 1,
	STATE_SPAN(ib700),
	.post_load = ib700_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(ib700, deadline_ns),
			STATE_END,
		},
};

static const struct device_prop ib700_props[] = {
	DEFINE_PROP_END,
};

static bool ib700_realize(struct device *dev, struct error *err)
{
	struct ib700 *s = container_of(dev, struct ib700, dev);

	region_init_io(&s->disable, "ib700-disable", &disable_ops, s, 1);
	region_init_io(&s->enable, "ib700-enable", &enable_ops, s, 1);
	if (!isa_add_ports(dev, &s->disable, IB700_DISABLE, err))
		return false;
	if (!isa_add_ports(dev, &s->enable, IB700_ENABLE, err)) {
		region_remove(&s->disable);
		return false;
	}
	timer_init(&s->timer, dev->machine->clock, "ib700", ib700_on_timer, s);
	return true;
}

static void ib700_unrealize(struct device *dev)
{
	struct ib700 *s = container_of(dev, struct ib700, dev);

	timer_cancel(&s->timer);
	region_remove(&s->enable);
	region_remove(&s->disable);
}

const struct device_type ib700_type = {
	.name = "ib700",
	.desc = "IBASE IB700 watchdog",
	.bus = BUS_ISA,
	.user_creatable = true,
	.cold_only = true,
	.size = sizeof(struct ib700),
	.props = ib700_props,
	.state = &ib700_state,
	.realize = ib700_realize,
	.reset = ib700_reset,
	.unrealize = ib700_unrealize,
};
