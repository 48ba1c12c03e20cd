/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-balloon (Virtio 1.2, 5.5): pages that the driver puts into the balloon go back to the host; so do, with
 * free-page-reporting, those that the guest merely says are free.
 *
 *	queues	0 inflateq  1 deflateq	2 statsq  3 reporting_vq
 *
 *	config	name			width	section 5.5.4
 *	00	num_pages		32	what the device asks for, of 4 KiB
 *	04	actual			32, RW	what the driver has done
 *	08	free_page_hint_cmd_id	32	VIRTIO_BALLOON_F_FREE_PAGE_HINT: not offered
 *	0c	poison_val		32, RW
 *
 * Pages are given back whole: of a 2 MiB page of the host's nothing goes until a request names all of it.
 *
 * Not modelled: free page hints, which only a migration makes use of.
 * Deviates because: 5.5.2 has reporting_vq as number 4 always; drivers and other devices count only the queues that are
 * there, so without free_page_vq it is 3.
 */
#include <jansson.h>
#include "devices/virtio/virtio_balloon.h"
#include "devices/virtio/virtio_mmio.h"
#include "devices/virtio/virtio_pci.h"
#include "devices/virtio/virtio_types.h"
#include "src/events.h"

#define QUEUE_SIZE	     128
#define REPORTING_QUEUE_SIZE 32
#define PAGE_SHIFT	     12
#define PAGE		     (1ull << PAGE_SHIFT)
#define PFNS_AT_ONCE	     256
#define READS_IN_A_TURN	     8

#define CONFIG_NUM_PAGES  0x00
#define CONFIG_ACTUAL	  0x04
#define CONFIG_POISON_VAL 0x0c
#define CONFIG_BYTES	  0x10

#define BALLOON_F_STATS_VQ	 1
#define BALLOON_F_DEFLATE_ON_OOM 2
#define BALLOON_F_PAGE_POISON	 4
#define BALLOON_F_PAGE_REPORTING 5

struct __attribute__((packed)) balloon_stat {
	uint16_t tag;
	uint64_t val;
};

static const char *const stat_names[BALLOON_STATS] = {
	"stat-swap-in",	     "stat-swap-out",	  "stat-major-faults",	   "stat-minor-faults",
	"stat-free-memory",  "stat-total-memory", "stat-available-memory", "stat-disk-caches",
	"stat-htlb-pgalloc", "stat-htlb-pgfail",  "stat-oom-kills",	   "stat-alloc-stalls",
	"stat-async-scans",  "stat-direct-scans", "stat-async-reclaims",   "stat-direct-reclaims",
};

static struct virtio_balloon *balloon_of(struct virtio *v)
{
	return container_of(v, struct virtio_balloon, v);
}

/* ---- pages ---- */

/* Runs of pages go as one: a guest inflates by millions of them. */
struct run {
	gpa_t gpa;
	uint64_t bytes;
};

static void run_end(struct virtio_balloon *b, struct run *run)
{
	if (run->bytes)
		machine_ram_discard(b->v.dev->machine, run->gpa, run->bytes);
	run->bytes = 0;
}

static void run_page(struct virtio_balloon *b, struct run *run, gpa_t gpa)
{
	if (gpa == run->gpa + run->bytes) {
		run->bytes += PAGE;
		return;
	}
	if (gpa + PAGE == run->gpa) {
		run->gpa = gpa;
		run->bytes += PAGE;
		return;
	}
	run_end(b, run);
	*run = (struct run){gpa, PAGE};
}

/* The next pages of the list in hand; false at its end. */
static bool inflate_some(struct virtio_balloon *b)
{
	uint32_t pfns[PFNS_AT_ONCE];
	struct run run = {0, 0};
	size_t n = 0;

	for (unsigned i = 0; i < READS_IN_A_TURN; i++) {
		n = virtq_read(&b->elem, b->inflated, pfns, sizeof(pfns));
		b->inflated += n;
		for (size_t j = 0; j < n / sizeof(*pfns); j++)
			run_page(b, &run, (gpa_t)pfns[j] << PAGE_SHIFT);
		if (n < sizeof(pfns))
			break;
	}
	run_end(b, &run);
	return n == sizeof(pfns);
}

/* A list may name each page many times over, each time for a system call. The loop has its turn in between. */
static enum virtq_next inflate_one(struct virtqueue *vq)
{
	struct virtio_balloon *b = balloon_of(vq->virtio);

	if (!virtq_pop(vq, &b->elem))
		return VIRTQ_NONE;
	if (inflate_some(b)) {
		virtq_unpop(vq, &b->elem);
		virtio_kick_later(vq);
		return VIRTQ_STALLED;
	}
	b->inflated = 0;
	virtq_push(vq, &b->elem, 0);
	return VIRTQ_SERVED;
}

/* A page comes back by being written to. */
static enum virtq_next deflate_one(struct virtqueue *vq)
{
	struct virtio_balloon *b = balloon_of(vq->virtio);

	if (!virtq_pop(vq, &b->elem))
		return VIRTQ_NONE;
	virtq_push(vq, &b->elem, 0);
	return VIRTQ_SERVED;
}

/* What is discarded reads as zeroes; a driver that poisons its free pages with something else wants that to stay. */
static enum virtq_next report_one(struct virtqueue *vq)
{
	struct virtio_balloon *b = balloon_of(vq->virtio);
	bool keep = virtio_has(&b->v, BALLOON_F_PAGE_POISON) && b->poison_val;

	if (!virtq_pop(vq, &b->elem))
		return VIRTQ_NONE;
	for (unsigned i = b->elem.n_out; !keep && i < b->elem.n_out + b->elem.n_in; i++)
		machine_ram_discard(b->v.dev->machine, b->elem.gpa[i], b->elem.iov[i].iov_len);
	virtq_push(vq, &b->elem, 0);
	return VIRTQ_SERVED;
}

/* ---- statistics ---- */

static void forget_stats(struct virtio_balloon *b)
{
	for (unsigned i = 0; i < BALLOON_STATS; i++)
		b->stats[i] = UINT64_MAX;
	b->stats_unix = 0;
}

static void poll_again(struct virtio_balloon *b)
{
	if (b->poll_seconds)
		timer_arm(&b->poll,
			  clock_now_ns(b->poll.clock) + (int64_t)b->poll_seconds * NS_PER_SEC);
}

/* The driver's one buffer stays in the queue: it is used when new figures are wanted (5.5.6.3). */
static void take_stats(struct virtio_balloon *b)
{
	struct balloon_stat stat;
	bool any = false;

	if (!virtq_pop(b->statistics, &b->elem))
		return;
	for (uint64_t at = 0; virtq_read(&b->elem, at, &stat, sizeof(stat)) == sizeof(stat);
	     at += sizeof(stat)) {
		if (!any)
			forget_stats(b);
		any = true;
		if (stat.tag < BALLOON_STATS)
			b->stats[stat.tag] = stat.val;
	}
	virtq_unpop(b->statistics, &b->elem);
	b->stats_unix = clock_wall_ns() / NS_PER_SEC;
	poll_again(b);
}

static void ask_for_stats(void *opaque)
{
	struct virtio_balloon *b = opaque;

	/* The driver's first buffer is there before DRIVER_OK; until then it is not ours to use (2.1.2). */
	if (virtio_running(&b->v) && virtq_pop(b->statistics, &b->elem))
		virtq_push(b->statistics, &b->elem, 0);
	else
		poll_again(b);
}

void virtio_balloon_set_polling(struct virtio_balloon *b, uint32_t seconds)
{
	b->poll_seconds = seconds;
	timer_cancel(&b->poll);
	if (seconds)
		ask_for_stats(b);
}

json_t *virtio_balloon_stats(const struct virtio_balloon *b)
{
	json_t *stats = json_object();

	for (unsigned i = 0; i < BALLOON_STATS; i++)
		json_object_set_new(stats, stat_names[i], json_integer((json_int_t)b->stats[i]));
	return json_pack("{s:o, s:I}", "stats", stats, "last-update", (json_int_t)b->stats_unix);
}

/* ---- the monitor's side ---- */

uint64_t virtio_balloon_actual(const struct virtio_balloon *b)
{
	uint64_t ram = b->v.dev->machine->ram.bytes, ballooned = (uint64_t)b->actual << PAGE_SHIFT;

	return ram - MIN(ram, ballooned);
}

static void fill_config(struct virtio_balloon *b)
{
	stn_le(&b->v.config[CONFIG_NUM_PAGES], 4, b->num_pages);
	stn_le(&b->v.config[CONFIG_ACTUAL], 4, b->actual);
	stn_le(&b->v.config[CONFIG_POISON_VAL], 4, b->poison_val);
}

void virtio_balloon_set_target(struct virtio_balloon *b, uint64_t bytes)
{
	uint64_t ram = b->v.dev->machine->ram.bytes;

	b->num_pages = (uint32_t)((ram - MIN(bytes, ram)) >> PAGE_SHIFT);
	fill_config(b);
	virtio_config_changed(&b->v);
}

static json_t *live_stats(struct device *dev)
{
	return virtio_balloon_stats(dev->machine->balloon);
}

static json_t *live_interval(struct device *dev)
{
	return json_integer(dev->machine->balloon->poll_seconds);
}

static bool set_live_interval(struct device *dev, json_t *value, struct error *err)
{
	json_int_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < 0)
		return error_set(err, "timer value must be greater than zero");
	if (n > UINT32_MAX)
		return error_set(err, "timer value is too big");
	virtio_balloon_set_polling(dev->machine->balloon, (uint32_t)n);
	return true;
}

static const struct device_live_prop live_props[] = {
	{"guest-stats", "guest statistics", live_stats, NULL},
	{"guest-stats-polling-interval", "int", live_interval, set_live_interval},
	{NULL, NULL, NULL, NULL},
};

/* ---- the device ---- */

static void balloon_config_written(struct virtio *v, unsigned offset, unsigned bytes)
{
	struct virtio_balloon *b = balloon_of(v);
	uint32_t actual = (uint32_t)ldn_le(&v->config[CONFIG_ACTUAL], 4);

	if (virtio_has(v, BALLOON_F_PAGE_POISON))
		b->poison_val = (uint32_t)ldn_le(&v->config[CONFIG_POISON_VAL], 4);
	if (actual != b->actual) {
		b->actual = actual;
		qmp_event_emit(v->dev->machine, "BALLOON_CHANGE",
			       json_pack("{s:I}", "actual", (json_int_t)virtio_balloon_actual(b)));
	}
	fill_config(b);
}

static void balloon_notified(struct virtqueue *vq)
{
	struct virtio_balloon *b = balloon_of(vq->virtio);

	if (vq == b->inflate)
		virtq_drain(vq, inflate_one);
	else if (vq == b->deflate)
		virtq_drain(vq, deflate_one);
	else if (vq == b->statistics)
		take_stats(b);
	else
		virtq_drain(vq, report_one);
}

static void balloon_reset(struct virtio *v)
{
	struct virtio_balloon *b = balloon_of(v);

	b->actual = b->poison_val = 0;
	b->inflated = 0;
	forget_stats(b);
	timer_cancel(&b->poll);
	poll_again(b);
	fill_config(b);
}

static void balloon_queue_reset(struct virtqueue *vq)
{
	struct virtio_balloon *b = balloon_of(vq->virtio);

	if (vq == b->inflate)
		b->inflated = 0;
}

static const struct virtio_class balloon_class = {
	.name = "virtio-balloon",
	.id = VIRTIO_ID_BALLOON,
	.pci_class = 0x00ff00,
	.config_bytes = CONFIG_BYTES,
	.config_written = balloon_config_written,
	.notified = balloon_notified,
	.reset = balloon_reset,
	.queue_reset = balloon_queue_reset,
};

static bool virtio_balloon_init(struct virtio_balloon *b, struct device *dev, struct error *err)
{
	uint64_t features = BIT64(BALLOON_F_STATS_VQ);

	if (dev->machine->balloon)
		return error_set(err, "a machine has one balloon at most");
	if (b->deflate_on_oom)
		features |= BIT64(BALLOON_F_DEFLATE_ON_OOM);
	if (b->page_poison)
		features |= BIT64(BALLOON_F_PAGE_POISON);
	if (b->free_page_reporting)
		features |= BIT64(BALLOON_F_PAGE_REPORTING);
	virtio_init(&b->v, &balloon_class, dev, features);
	b->inflate = virtio_add_queue(&b->v, QUEUE_SIZE);
	b->deflate = virtio_add_queue(&b->v, QUEUE_SIZE);
	b->statistics = virtio_add_queue(&b->v, QUEUE_SIZE);
	if (b->free_page_reporting)
		b->reporting = virtio_add_queue(&b->v, REPORTING_QUEUE_SIZE);
	timer_init(&b->poll, dev->machine->clock, "virtio-balloon", ask_for_stats, b);
	forget_stats(b);
	dev->machine->balloon = b;
	dev->live_props = live_props;
	return true;
}

static void virtio_balloon_fini(struct virtio_balloon *b)
{
	b->v.dev->machine->balloon = NULL;
	timer_cancel(&b->poll);
	virtio_fini(&b->v);
}

static bool virtio_balloon_post_load(void *opaque, struct error *err)
{
	fill_config(opaque);
	return true;
}

static const struct state_desc virtio_balloon_state = {
	.name = "virtio-balloon",
	.version = 1,
	STATE_SPAN(virtio_balloon),
	.post_load = virtio_balloon_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(virtio_balloon, num_pages),
			STATE_FIELD(virtio_balloon, actual),
			STATE_FIELD(virtio_balloon, poison_val),
			STATE_FIELD(virtio_balloon, reserved),
			STATE_ARRAY(virtio_balloon, stats),
			STATE_END,
		},
};

#define VIRTIO_BALLOON_PROPS(S, F)                                                         \
	VIRTIO_PROPS(S, F.v),                                                              \
		DEFINE_PROP(S, F.deflate_on_oom, "deflate-on-oom", PROP_BOOL, 0,           \
			    "a guest that runs out of memory takes it back"),              \
		DEFINE_PROP(S, F.free_page_reporting, "free-page-reporting", PROP_BOOL, 0, \
			    "the guest's free pages go back to the host"),                 \
		DEFINE_PROP(S, F.page_poison, "page-poison", PROP_BOOL, 1,                 \
			    "the guest may tell what it fills free pages with")

struct virtio_balloon_pci {
	struct virtio_pci pci;
	struct virtio_balloon balloon;
};
VIRTIO_PCI_TYPE(virtio_balloon_pci, balloon, "virtio-balloon-pci", "virtio-balloon",
		"virtio memory balloon on PCI", VIRTIO_BALLOON_PROPS(virtio_balloon_pci, balloon),
		virtio_balloon_state, virtio_balloon_init, virtio_balloon_fini);

struct virtio_balloon_device {
	struct virtio_mmio_device mmio;
	struct virtio_balloon balloon;
};
VIRTIO_MMIO_TYPE(virtio_balloon_device, balloon, "virtio-balloon-device", "virtio memory balloon",
		 VIRTIO_BALLOON_PROPS(virtio_balloon_device, balloon), virtio_balloon_state,
		 virtio_balloon_init, virtio_balloon_fini);
