/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * virtio-scsi (Virtio 1.2, 5.6): a SCSI host adapter whose requests are CDBs in a ring.
 *
 *	queues	0 controlq  1 eventq  2... requestq
 *
 *	config	name			width	section 5.6.4
 *	00	num_queues		32
 *	04	seg_max			32
 *	08	max_sectors		32
 *	0c	cmd_per_lun		32
 *	10	event_info_size		32
 *	14	sense_size		32, RW
 *	18	cdb_size		32, RW
 *	1c	max_channel, max_target	16 each
 *	20	max_lun			32
 *
 * A request that is with the block engine can't be taken back: ABORT TASK and its like are answered when what they name has
 * ended by itself.
 *
 * Not modelled: protection information, asynchronous notification of the targets.
 * Deviates because: nothing.
 */
#include <stdlib.h>
#include "devices/scsi/scsi.h"
#include "devices/virtio/virtio_mmio.h"
#include "devices/virtio/virtio_pci.h"
#include "devices/virtio/virtio_types.h"

#define CONFIG_NUM_QUEUES  0x00
#define CONFIG_SEG_MAX	   0x04
#define CONFIG_MAX_SECTORS 0x08
#define CONFIG_CMD_PER_LUN 0x0c
#define CONFIG_EVENT_SIZE  0x10
#define CONFIG_SENSE_SIZE  0x14
#define CONFIG_CDB_SIZE	   0x18
#define CONFIG_MAX_CHANNEL 0x1c
#define CONFIG_MAX_TARGET  0x1e
#define CONFIG_MAX_LUN	   0x20
#define CONFIG_BYTES	   0x24

#define SCSI_F_HOTPLUG 1
#define SCSI_F_CHANGE  2

#define MAX_TARGET	255
#define MAX_LUN		16383
#define DEFAULT_SENSE	96
#define DEFAULT_CDB	32
#define MAX_SENSE	256
#define LUN_BYTES	8
#define PERIPHERAL_LUNS 256
#define SEGMENT_MARGIN	2
#define DEFAULT_CMD_LUN 128
#define SMALL_QUEUE	128
#define MAX_SECTORS	0xffff
#define MAX_REQUESTQ	(VIRTIO_MAX_QUEUES - 2)

/* Responses (5.6.6.1) */
#define S_OK		     0
#define S_OVERRUN	     1
#define S_ABORTED	     2
#define S_BAD_TARGET	     3
#define S_RESET		     4
#define S_FUNCTION_COMPLETE  0
#define S_FUNCTION_SUCCEEDED 10
#define S_FUNCTION_REJECTED  11
#define S_INCORRECT_LUN	     12

/* Control requests (5.6.6.2) */
#define T_TMF	       0
#define T_AN_QUERY     1
#define T_AN_SUBSCRIBE 2
#define TMF_BYTES      24
#define AN_BYTES       16 /* both */

enum tmf {
	TMF_ABORT_TASK,
	TMF_ABORT_TASK_SET,
	TMF_CLEAR_ACA,
	TMF_CLEAR_TASK_SET,
	TMF_I_T_NEXUS_RESET,
	TMF_LOGICAL_UNIT_RESET,
	TMF_QUERY_TASK,
	TMF_QUERY_TASK_SET,
};

/* Events (5.6.6.3) */
#define T_TRANSPORT_RESET 1
#define T_PARAM_CHANGE	  3
#define T_EVENTS_MISSED	  0x80000000u
#define RESET_RESCAN	  1
#define RESET_REMOVED	  2
#define EVENT_BYTES	  16

struct __attribute__((packed)) cmd_header {
	uint8_t lun[LUN_BYTES];
	uint64_t tag;
	uint8_t task_attr, prio, crn;
};

struct __attribute__((packed)) cmd_response {
	uint32_t sense_len, residual;
	uint16_t status_qualifier;
	uint8_t status, response;
};

struct virtio_scsi_req {
	struct virtq_elem elem;
	struct scsi_req scsi;
	struct virtio_scsi *s;
	struct virtqueue *vq;
	struct list node;     /* in free_reqs, or in in_flight */
	struct list all_node; /* in all_reqs */
	uint64_t tag, number; /* the driver's; ours, in the order they came */
	uint8_t abandoned_by; /* response, when it ends early */
	struct iovec data_out[VIRTQ_MAX_IOV], data_in[VIRTQ_MAX_IOV];
};

/* A task management function that waits for the end of what it names and was there before it. */
struct virtio_scsi_tmf {
	struct list node; /* virtio_scsi->tmfs */
	struct virtq_elem elem;
	uint32_t kind;
	unsigned target, lun;
	uint64_t tag, number;
};

struct virtio_scsi {
	struct virtio v;

	/* configuration */
	uint32_t num_queues, queue_size, max_sectors, cmd_per_lun;
	bool hotplug, param_change;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint32_t sense_size, cdb_size;
	bool events_dropped;
	uint8_t reserved[7];
	GUEST_VISIBLE_END;

	/* host side */
	struct scsi_bus bus;
	struct virtqueue *control, *event;
	struct list free_reqs, all_reqs, in_flight;
	struct list tmfs;
	uint64_t next_number;
	struct virtq_elem elem; /* of events */
};

static struct virtio_scsi *scsi_of(struct virtio *v)
{
	return container_of(v, struct virtio_scsi, v);
}

/* ---- addresses (5.6.6.1) ---- */

/* 01h, the target, and a LUN in the peripheral or the flat form. */
static bool parse_lun(const uint8_t *p, unsigned *target, unsigned *lun)
{
	if (p[0] != 1 || (p[2] && (p[2] & 0xc0) != 0x40))
		return false;
	*target = p[1];
	*lun = (unsigned)(p[2] & 0x3f) << 8 | p[3];
	return true;
}

/* In the form that REPORT LUNS gives: Linux looks a unit up by these two bytes. */
static void put_lun(uint8_t *p, unsigned target, unsigned lun)
{
	memset(p, 0, LUN_BYTES);
	p[0] = 1;
	p[1] = (uint8_t)target;
	if (lun >= PERIPHERAL_LUNS)
		p[2] = (uint8_t)(0x40 | lun >> 8);
	p[3] = (uint8_t)lun;
}

/* ---- requests ---- */

static struct virtio_scsi_req *req_get(struct virtio_scsi *s, struct virtqueue *vq)
{
	struct virtio_scsi_req *r;

	if (list_empty(&s->free_reqs)) {
		r = xmalloc(sizeof(*r));
		memset(&r->scsi, 0, sizeof(r->scsi));
		r->s = s;
		list_init(&r->node);
		list_push_back(&s->all_reqs, &r->all_node);
	} else {
		r = list_first(&s->free_reqs, struct virtio_scsi_req, node);
		list_remove(&r->node);
	}
	r->vq = vq;
	r->number = s->next_number++;
	return r;
}

static void req_put(struct virtio_scsi_req *r)
{
	list_remove(&r->node);
	list_push_front(&r->s->free_reqs, &r->node);
}

static void look_at_tmfs(struct virtio_scsi *s);

/* The response is in front of the data that were read. */
static void respond(struct virtio_scsi_req *r, const struct cmd_response *response,
		    const uint8_t *sense)
{
	struct virtio_scsi *s = r->s;
	size_t head = sizeof(*response);
	uint64_t written = head + s->sense_size;

	if (!virtq_is_orphan(r->vq, &r->elem)) {
		virtq_write(&r->elem, 0, response, head);
		virtq_write(&r->elem, head, sense, response->sense_len);
	}
	if (r->scsi.in_bytes)
		written += r->scsi.transferred;
	virtq_push(r->vq, &r->elem, MIN(written, r->elem.in_bytes));
	req_put(r);
	look_at_tmfs(s);
}

static void respond_only(struct virtio_scsi_req *r, uint8_t code)
{
	const struct cmd_response response = {.response = code};

	r->scsi.transferred = 0;
	respond(r, &response, NULL);
}

static void scsi_done(struct scsi_req *scsi)
{
	struct virtio_scsi_req *r = container_of(scsi, struct virtio_scsi_req, scsi);
	uint64_t all = scsi->in_bytes + scsi->out_bytes;
	struct cmd_response response = {.status = scsi->status,
					.response = scsi->overrun ? S_OVERRUN : S_OK};

	if (scsi->status == SCSI_TASK_ABORTED) {
		respond_only(r, r->abandoned_by);
		return;
	}
	response.residual = (uint32_t)MIN(all - MIN(scsi->transferred, all), (uint64_t)UINT32_MAX);
	if (scsi->status == SCSI_CHECK_CONDITION)
		response.sense_len = MIN((uint32_t)SCSI_SENSE_BYTES, r->s->sense_size);
	respond(r, &response, scsi->sense);
}

/* Copies of the pieces behind SKIP bytes. */
static unsigned slice(struct iovec *to, const struct iovec *from, unsigned n, uint64_t skip)
{
	unsigned count = 0;

	for (unsigned i = 0; i < n; i++) {
		if (skip >= from[i].iov_len) {
			skip -= from[i].iov_len;
			continue;
		}
		to[count++] =
			(struct iovec){(char *)from[i].iov_base + skip, from[i].iov_len - skip};
		skip = 0;
	}
	return count;
}

static void request_fill(struct virtio_scsi_req *r, uint64_t out_head, uint64_t in_head)
{
	struct scsi_req *scsi = &r->scsi;
	struct virtq_elem *e = &r->elem;

	scsi->bus = &r->s->bus;
	scsi->out_bytes = e->out_bytes - out_head;
	scsi->in_bytes = e->in_bytes - in_head;
	scsi->n_out = slice(r->data_out, e->iov, e->n_out, out_head);
	scsi->n_in = slice(r->data_in, virtq_in(e), e->n_in, in_head);
	scsi->out = r->data_out;
	scsi->in = r->data_in;
	scsi->done = scsi_done;
	memset(scsi->cdb, 0, sizeof(scsi->cdb));
	virtq_read(e, sizeof(struct cmd_header), scsi->cdb,
		   MIN(r->s->cdb_size, (uint32_t)sizeof(scsi->cdb)));
}

static enum virtq_next request_one(struct virtqueue *vq)
{
	struct virtio_scsi *s = scsi_of(vq->virtio);
	struct virtio_scsi_req *r = req_get(s, vq);
	uint64_t out_head = sizeof(struct cmd_header) + s->cdb_size;
	uint64_t in_head = sizeof(struct cmd_response) + s->sense_size;
	struct cmd_header h;

	if (!virtq_pop(vq, &r->elem)) {
		req_put(r);
		return VIRTQ_NONE;
	}
	list_push_back(&s->in_flight, &r->node);
	if (r->elem.out_bytes < out_head || r->elem.in_bytes < in_head) {
		virtio_break(vq->virtio, "a SCSI request without header or response");
		virtq_push(vq, &r->elem, 0);
		req_put(r);
		return VIRTQ_NONE;
	}
	virtq_read(&r->elem, 0, &h, sizeof(h));
	r->tag = h.tag;
	request_fill(r, out_head, in_head);
	if (!parse_lun(h.lun, &r->scsi.target, &r->scsi.lun) ||
	    !scsi_target_exists(&s->bus, r->scsi.target))
		respond_only(r, S_BAD_TARGET);
	else
		scsi_submit(&r->scsi);
	return VIRTQ_SERVED;
}

/* ---- task management ---- */

static bool tmf_names(const struct virtio_scsi_tmf *t, const struct virtio_scsi_req *r)
{
	if (r->scsi.target != t->target || r->number >= t->number)
		return false;
	switch (t->kind) {
	case TMF_ABORT_TASK:
	case TMF_QUERY_TASK:
		return r->scsi.lun == t->lun && r->tag == t->tag;
	case TMF_I_T_NEXUS_RESET:
		return true;
	default:
		return r->scsi.lun == t->lun;
	}
}

static bool tmf_names_any(const struct virtio_scsi *s, const struct virtio_scsi_tmf *t)
{
	list_for_each(it, &s->in_flight)
		if (tmf_names(t, list_entry(it, struct virtio_scsi_req, node)))
			return true;
	return false;
}

/* What T names, or all, needn't be gone through to the end. */
static void abandon(struct virtio_scsi *s, const struct virtio_scsi_tmf *t)
{
	list_for_each(it, &s->in_flight) {
		struct virtio_scsi_req *r = list_entry(it, struct virtio_scsi_req, node);

		if (t && !tmf_names(t, r))
			continue;
		r->scsi.abandoned = true;
		r->abandoned_by = t && t->kind < TMF_I_T_NEXUS_RESET ? S_ABORTED : S_RESET;
	}
}

static void tmf_reset_units(struct virtio_scsi *s, const struct virtio_scsi_tmf *t)
{
	list_for_each(it, &s->bus.units) {
		struct scsi_device *dev = list_entry(it, struct scsi_device, node);

		if ((unsigned)dev->target == t->target &&
		    (t->kind == TMF_I_T_NEXUS_RESET ||
		     (t->kind == TMF_LOGICAL_UNIT_RESET && dev->lun == t->lun)))
			scsi_device_reset(dev);
	}
}

static void tmf_done(struct virtio_scsi *s, struct virtio_scsi_tmf *t)
{
	static const uint8_t response = S_FUNCTION_COMPLETE;
	size_t n = 0;

	tmf_reset_units(s, t);
	if (!virtq_is_orphan(s->control, &t->elem))
		n = virtq_write(&t->elem, 0, &response, 1);
	virtq_push(s->control, &t->elem, n);
	list_remove(&t->node);
	free(t);
}

static void look_at_tmfs(struct virtio_scsi *s)
{
	list_for_each_safe(it, &s->tmfs) {
		struct virtio_scsi_tmf *t = list_entry(it, struct virtio_scsi_tmf, node);

		if (!tmf_names_any(s, t))
			tmf_done(s, t);
	}
}

static void control_answer(struct virtio_scsi *s, const struct virtq_elem *e, const void *buf,
			   size_t n)
{
	virtq_push(s->control, e, virtq_write(e, 0, buf, n));
}

static void handle_tmf(struct virtio_scsi *s, const struct virtq_elem *e, const uint8_t *p)
{
	struct virtio_scsi_tmf t = {.kind = (uint32_t)ldn_le(p + 4, 4),
				    .tag = ldn_le(p + 16, 8),
				    .number = s->next_number};
	uint8_t response = S_FUNCTION_REJECTED;

	if (!parse_lun(p + 8, &t.target, &t.lun) || !scsi_target_exists(&s->bus, t.target)) {
		response = S_BAD_TARGET;
	} else if (t.kind != TMF_I_T_NEXUS_RESET && !scsi_unit(&s->bus, t.target, t.lun)) {
		response = S_INCORRECT_LUN;
	} else if (t.kind == TMF_QUERY_TASK || t.kind == TMF_QUERY_TASK_SET) {
		response = tmf_names_any(s, &t) ? S_FUNCTION_SUCCEEDED : S_FUNCTION_COMPLETE;
	} else if (t.kind != TMF_CLEAR_ACA && t.kind <= TMF_LOGICAL_UNIT_RESET) {
		struct virtio_scsi_tmf *waits = xmalloc(sizeof(*waits));

		*waits = t;
		waits->elem = *e;
		list_init(&waits->node);
		list_push_back(&s->tmfs, &waits->node);
		abandon(s, waits);
		look_at_tmfs(s);
		return;
	}
	control_answer(s, e, &response, 1);
}

static enum virtq_next control_one(struct virtqueue *vq)
{
	struct virtio_scsi *s = scsi_of(vq->virtio);
	struct virtq_elem *e = &s->elem;
	uint8_t p[TMF_BYTES] = {0}, an[5] = {0};
	uint32_t type;
	size_t n;

	if (!virtq_pop(vq, e))
		return VIRTQ_NONE;
	n = virtq_read(e, 0, p, sizeof(p));
	type = (uint32_t)ldn_le(p, 4);
	if ((type == T_TMF && n == TMF_BYTES && e->in_bytes)) {
		handle_tmf(s, e, p);
		return VIRTQ_SERVED;
	}
	if ((type == T_AN_QUERY || type == T_AN_SUBSCRIBE) && n >= AN_BYTES &&
	    e->in_bytes >= sizeof(an)) {
		control_answer(s, e, an, sizeof(an)); /* no events there are */
		return VIRTQ_SERVED;
	}
	virtio_break(vq->virtio, "a control request that makes no sense");
	virtq_push(vq, e, 0);
	return VIRTQ_NONE;
}

/* ---- events ---- */

static void send_event(struct virtio_scsi *s, uint32_t event, const struct scsi_device *dev,
		       uint32_t reason)
{
	uint8_t p[EVENT_BYTES] = {0};

	if (!virtio_running(&s->v))
		return;
	if (!virtq_pop(s->event, &s->elem)) {
		s->events_dropped = true;
		return;
	}
	if (s->events_dropped) {
		event |= T_EVENTS_MISSED;
		s->events_dropped = false;
	}
	stn_le(p, 4, event);
	if (dev)
		put_lun(p + 4, (unsigned)dev->target, dev->lun);
	stn_le(p + 12, 4, reason);
	virtq_push(s->event, &s->elem, virtq_write(&s->elem, 0, p, sizeof(p)));
}

static void unit_plugged(struct scsi_bus *bus, struct scsi_device *dev, bool here)
{
	struct virtio_scsi *s = container_of(bus, struct virtio_scsi, bus);

	if (virtio_has(&s->v, SCSI_F_HOTPLUG))
		send_event(s, T_TRANSPORT_RESET, dev, here ? RESET_RESCAN : RESET_REMOVED);
}

/* ASC in the lower byte, its qualifier in the next (5.6.6.3). */
static void unit_attention(struct scsi_bus *bus, struct scsi_device *dev, uint16_t asc)
{
	struct virtio_scsi *s = container_of(bus, struct virtio_scsi, bus);

	if (virtio_has(&s->v, SCSI_F_CHANGE))
		send_event(s, T_PARAM_CHANGE, dev, (uint32_t)(asc >> 8 | (asc & 0xff) << 8));
}

static const struct scsi_bus_ops bus_ops = {.plugged = unit_plugged, .attention = unit_attention};

/* ---- the device ---- */

static void scsi_notified(struct virtqueue *vq)
{
	struct virtio_scsi *s = scsi_of(vq->virtio);

	if (vq == s->control)
		virtq_drain(vq, control_one);
	else if (vq != s->event)
		virtq_drain(vq, request_one);
	else if (s->events_dropped)
		send_event(s, 0, NULL, 0);
}

static void fill_config(struct virtio_scsi *s)
{
	uint8_t *c = s->v.config;

	stn_le(c + CONFIG_NUM_QUEUES, 4, s->num_queues);
	stn_le(c + CONFIG_SEG_MAX, 4, MIN(s->queue_size, VIRTQ_MAX_IOV - 8u) - SEGMENT_MARGIN);
	stn_le(c + CONFIG_MAX_SECTORS, 4, s->max_sectors);
	stn_le(c + CONFIG_CMD_PER_LUN, 4, s->cmd_per_lun);
	stn_le(c + CONFIG_EVENT_SIZE, 4, EVENT_BYTES);
	stn_le(c + CONFIG_SENSE_SIZE, 4, s->sense_size);
	stn_le(c + CONFIG_CDB_SIZE, 4, s->cdb_size);
	stn_le(c + CONFIG_MAX_CHANNEL, 2, 0);
	stn_le(c + CONFIG_MAX_TARGET, 2, MAX_TARGET);
	stn_le(c + CONFIG_MAX_LUN, 4, MAX_LUN);
}

static void scsi_config_written(struct virtio *v, unsigned offset, unsigned bytes)
{
	struct virtio_scsi *s = scsi_of(v);
	uint32_t sense = (uint32_t)ldn_le(v->config + CONFIG_SENSE_SIZE, 4);
	uint32_t cdb = (uint32_t)ldn_le(v->config + CONFIG_CDB_SIZE, 4);

	if (sense > MAX_SENSE || cdb > MAX_SENSE) {
		guest_error(v->dev, "wants %u bytes of sense data, CDBs of %u", sense, cdb);
	} else {
		s->sense_size = sense;
		s->cdb_size = cdb;
	}
	fill_config(s);
}

static void scsi_reset(struct virtio *v)
{
	struct virtio_scsi *s = scsi_of(v);

	s->sense_size = DEFAULT_SENSE;
	s->cdb_size = DEFAULT_CDB;
	s->events_dropped = false;
	abandon(s, NULL);
	scsi_bus_reset(&s->bus);
	fill_config(s);
}

static const struct virtio_class scsi_class = {
	.name = "virtio-scsi",
	.id = VIRTIO_ID_SCSI,
	.pci_class = 0x010000,
	.config_bytes = CONFIG_BYTES,
	.config_written = scsi_config_written,
	.notified = scsi_notified,
	.reset = scsi_reset,
	.must_drain = true,
	.polls = true,
};

static bool virtio_scsi_init(struct virtio_scsi *s, struct device *dev, struct error *err)
{
	uint64_t features = 0;

	if (!s->num_queues)
		s->num_queues = MIN(MAX(dev->machine->n_vcpus, 1u), (unsigned)MAX_REQUESTQ);
	if (s->num_queues > MAX_REQUESTQ)
		return error_set(err, "num_queues=%u: at most %u", s->num_queues, MAX_REQUESTQ);
	if (s->queue_size < 4 || s->queue_size > VIRTQ_MAX_SIZE ||
	    (s->queue_size & (s->queue_size - 1)))
		return error_set(err, "virtqueue_size=%u: a power of 2 from 4 to %u", s->queue_size,
				 VIRTQ_MAX_SIZE);
	if (!virtio_take_iothread(&s->v, dev, err))
		return false;
	if (s->hotplug)
		features |= BIT64(SCSI_F_HOTPLUG);
	if (s->param_change)
		features |= BIT64(SCSI_F_CHANGE);
	virtio_init(&s->v, &scsi_class, dev, features);
	s->control = virtio_add_queue(&s->v, SMALL_QUEUE);
	s->event = virtio_add_queue(&s->v, SMALL_QUEUE);
	for (unsigned i = 0; i < s->num_queues; i++)
		virtio_add_queue(&s->v, s->queue_size);
	list_init(&s->free_reqs);
	list_init(&s->all_reqs);
	list_init(&s->in_flight);
	list_init(&s->tmfs);
	scsi_bus_init(&s->bus, dev, &bus_ops, MAX_TARGET, MAX_LUN);
	return true;
}

/* Its units have gone before, and with them all that was in flight. */
static void virtio_scsi_fini(struct virtio_scsi *s)
{
	scsi_bus_fini(&s->bus);
	virtio_fini(&s->v);
	while (!list_empty(&s->all_reqs)) {
		struct virtio_scsi_req *r =
			list_first(&s->all_reqs, struct virtio_scsi_req, all_node);

		list_remove(&r->all_node);
		free(r);
	}
}

static bool virtio_scsi_post_load(void *opaque, struct error *err)
{
	struct virtio_scsi *s = opaque;

	if (s->sense_size > MAX_SENSE || s->cdb_size > MAX_SENSE)
		return error_set(err, "virtio-scsi: sense data of %u bytes, CDBs of %u",
				 s->sense_size, s->cdb_size);
	fill_config(s);
	return true;
}

static const struct state_desc virtio_scsi_state = {
	.name = "virtio-scsi",
	.version = 1,
	STATE_SPAN(virtio_scsi),
	.post_load = virtio_scsi_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(virtio_scsi, sense_size),
			STATE_FIELD(virtio_scsi, cdb_size),
			STATE_FIELD(virtio_scsi, events_dropped),
			STATE_ARRAY(virtio_scsi, reserved),
			STATE_END,
		},
};

#define VIRTIO_SCSI_PROPS(S, F)                                                                   \
	VIRTIO_PROPS(S, F.v), VIRTIO_IOTHREAD_PROP(S, F.v),                                       \
		DEFINE_PROP(S, F.num_queues, "num_queues", PROP_U32, 0,                           \
			    "request queues (0: one for each processor)"),                        \
		DEFINE_PROP(S, F.queue_size, "virtqueue_size", PROP_U32, 256, "entries of each"), \
		DEFINE_PROP(S, F.max_sectors, "max_sectors", PROP_U32, MAX_SECTORS,               \
			    "of one request"),                                                    \
		DEFINE_PROP(S, F.cmd_per_lun, "cmd_per_lun", PROP_U32, DEFAULT_CMD_LUN,           \
			    "requests of a unit at a time"),                                      \
		DEFINE_PROP(S, F.hotplug, "hotplug", PROP_BOOL, 1,                                \
			    "tells of units that come and go"),                                   \
		DEFINE_PROP(S, F.param_change, "param_change", PROP_BOOL, 1,                      \
			    "tells of units that change")

struct virtio_scsi_pci {
	struct virtio_pci pci;
	struct virtio_scsi scsi;
};
VIRTIO_PCI_TYPE(virtio_scsi_pci, scsi, "virtio-scsi-pci", "virtio-scsi",
		"virtio SCSI adapter on PCI", VIRTIO_SCSI_PROPS(virtio_scsi_pci, scsi),
		virtio_scsi_state, virtio_scsi_init, virtio_scsi_fini);

struct virtio_scsi_device {
	struct virtio_mmio_device mmio;
	struct virtio_scsi scsi;
};
VIRTIO_MMIO_TYPE(virtio_scsi_device, scsi, "virtio-scsi-device", "virtio SCSI adapter",
		 VIRTIO_SCSI_PROPS(virtio_scsi_device, scsi), virtio_scsi_state, virtio_scsi_init,
		 virtio_scsi_fini);
