/* SPDX-License-Identifier: BSD-2-Clause */
/* Address spaces: trees of regions, the flat views rendered from them, and the dispatch of accesses. */
#include <stdlib.h>
#include "src/clock.h"
#include "src/dirty_log.h"
#include "src/log.h"
#include "src/loop.h"
#include "src/machine.h"
#include "src/memory.h"

/* ---- rendering: the tree, painted from the front to the back ---- */

struct canvas {
	struct view_range *ranges; /* sorted, disjoint */
	unsigned n, max;
	unsigned n_doorbells;
};

static void canvas_insert(struct canvas *cv, unsigned at, const struct view_range *range)
{
	if (cv->n == cv->max) {
		cv->max = cv->max ? cv->max * 2 : 32;
		cv->ranges = xrealloc(cv->ranges, cv->max * sizeof(*cv->ranges));
	}
	memmove(&cv->ranges[at + 1], &cv->ranges[at], (cv->n - at) * sizeof(*cv->ranges));
	cv->ranges[at] = *range;
	cv->n++;
}

/* Region R with its first byte at BASE, as far as [START, LAST] shows it and nothing is painted there yet. */
static void paint_leaf(struct canvas *cv, struct region *r, __int128 base, uint64_t start,
		       uint64_t last)
{
	unsigned i = 0;

	while (i < cv->n && cv->ranges[i].last < start)
		i++;
	for (;; i++) {
		uint64_t hole_last = last;
		bool more = i < cv->n && cv->ranges[i].start <= last;

		if (more && cv->ranges[i].start > start)
			hole_last = cv->ranges[i].start - 1;
		if (!more || cv->ranges[i].start > start) {
			uint64_t offset = (uint64_t)(start - base);
			struct view_range range = {
				.start = start,
				.last = hole_last,
				.kind = r->kind,
				.region = r,
				.region_offset = offset,
				.host = r->host ? r->host + offset : NULL,
				.posted = r->posted || r->coalesced,
				.coalesced = r->coalesced,
				.counter = r->counter,
				.tap = r->tap,
				.log = r->log,
			};

			canvas_insert(cv, i++, &range);
		}
		if (!more || cv->ranges[i].last >= last)
			return;
		start = cv->ranges[i].last + 1;
	}
}

static void paint(struct canvas *cv, struct region *r, __int128 base, uint64_t start, uint64_t last)
{
	__int128 end = base + r->size; /* exclusive */

	if (!r->enabled || !r->size || end <= (__int128)start || base > (__int128)last)
		return;
	if (base > (__int128)start)
		start = (uint64_t)base;
	if (end <= (__int128)last)
		last = (uint64_t)(end - 1);
	list_for_each(it, &r->children) {
		struct region *child = list_entry(it, struct region, node);

		paint(cv, child, base + child->offset, start, last);
	}
	if (r->kind == REGION_ALIAS)
		paint(cv, r->alias, base - r->alias_offset, start, last);
	else if (r->kind != REGION_CONTAINER)
		paint_leaf(cv, r, base, start, last);
}

static bool doorbell_in_range(const struct region_doorbell *d, const struct view_range *range)
{
	return d->offset >= range->region_offset &&
	       d->offset - range->region_offset <= range->last - range->start;
}

static unsigned count_doorbells(const struct canvas *cv)
{
	unsigned n = 0;

	for (unsigned i = 0; i < cv->n; i++)
		list_for_each(it, &cv->ranges[i].region->doorbells)
			n += doorbell_in_range(list_entry(it, struct region_doorbell, node),
					       &cv->ranges[i]);
	return n;
}

static struct mem_view *view_render(struct address_space *as, uint64_t generation)
{
	struct canvas cv = {0};
	struct mem_view *view;
	struct region_doorbell *copies;

	paint(&cv, &as->root, 0, 0, UINT64_MAX);
	view = xzalloc(sizeof(*view) + cv.n * sizeof(view->ranges[0]) +
		       count_doorbells(&cv) * sizeof(*copies));
	view->generation = generation;
	list_init(&view->retired_node);
	view->n = cv.n;
	if (cv.n)
		memcpy(view->ranges, cv.ranges, cv.n * sizeof(view->ranges[0]));
	copies = (struct region_doorbell *)&view->ranges[view->n];
	for (unsigned i = 0; i < view->n; i++) {
		struct view_range *range = &view->ranges[i];

		range->doorbells = copies;
		list_for_each(it, &range->region->doorbells) {
			struct region_doorbell *d = list_entry(it, struct region_doorbell, node);

			if (!doorbell_in_range(d, range))
				continue;
			*copies = *d;
			list_init(&copies->node);
			copies++;
			range->n_doorbells++;
		}
	}
	free(cv.ranges);
	return view;
}

/* ---- address spaces ---- */

static void as_publish(struct address_space *as)
{
	struct mem_view *old = as->view;
	struct mem_view *view = view_render(as, old->generation + 1);

	as->dirty = false;
	__atomic_store_n(&as->view, view, __ATOMIC_RELEASE);
	list_push_back(&as->retired, &old->retired_node);
	if (as->changed)
		as->changed(as->changed_opaque);
}

void as_init(struct address_space *as, const char *name, uint64_t size)
{
	memset(as, 0, sizeof(*as));
	as->name = name;
	region_init_container(&as->root, name, size);
	as->root.as = as;
	list_init(&as->retired);
	as->view = view_render(as, 1);
}

void as_fini(struct address_space *as)
{
	as_reclaim(as, UINT64_MAX);
	free(as->view);
	as->view = NULL;
}

void as_begin(struct address_space *as)
{
	as->transaction++;
}

void as_commit(struct address_space *as)
{
	if (--as->transaction == 0 && as->dirty)
		as_publish(as);
}

void as_reclaim(struct address_space *as, uint64_t seen)
{
	list_for_each_safe(it, &as->retired) {
		struct mem_view *view = list_entry(it, struct mem_view, retired_node);

		if (view->generation >= seen)
			break; /* oldest first */
		list_remove(it);
		free(view);
	}
}

const struct mem_view *as_view_mt(const struct address_space *as)
{
	return __atomic_load_n(&as->view, __ATOMIC_ACQUIRE);
}

const struct view_range *view_find(const struct mem_view *view, uint64_t addr)
{
	unsigned lo = 0, hi = view->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;
		const struct view_range *range = &view->ranges[mid];

		if (addr < range->start)
			hi = mid;
		else if (addr > range->last)
			lo = mid + 1;
		else
			return range;
	}
	return NULL;
}

bool view_occupied(const struct mem_view *view, uint64_t first, uint64_t last)
{
	unsigned lo = 0, hi = view->n;

	while (lo < hi) {
		unsigned mid = (lo + hi) / 2;

		if (view->ranges[mid].last < first)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < view->n && view->ranges[lo].start <= last;
}

struct region_doorbell *view_doorbell(const struct view_range *range, uint64_t addr, unsigned size,
				      uint64_t value)
{
	uint64_t offset = range->region_offset + (addr - range->start);

	for (unsigned i = 0; i < range->n_doorbells; i++) {
		struct region_doorbell *d = &range->doorbells[i];

		if (d->offset == offset && (!d->size || d->size == size) &&
		    (!d->match_value || d->value == value))
			return d;
	}
	return NULL;
}

uint64_t view_counter(const struct view_range *range, uint64_t addr, unsigned size)
{
	const struct region_counter *c = &range->counter;
	uint64_t count = muldiv64((uint64_t)clock_now_ns(c->clock), c->hz, NS_PER_SEC);
	uint64_t offset = range->region_offset + (addr - range->start);

	if (c->bits < 64)
		count &= (1ull << c->bits) - 1;
	count = offset < 8 ? count >> (8 * offset) : 0;
	return size < 8 ? count & ((1ull << (8 * size)) - 1) : count;
}

bool view_stream(const struct view_range *range, uint64_t addr, void *buf, unsigned size,
		 unsigned count)
{
	const struct region_tap *tap = &range->tap;
	uint64_t offset = range->region_offset + (addr - range->start);

	if (range->last - addr < size - 1)
		return false;
	if (offset == tap->data)
		return region_stream_read(tap, buf, size * count);
	return offset == tap->status && size == 1 && count == 1 && region_stream_status(tap, buf);
}

/* ---- regions ---- */

static void region_init(struct region *r, const char *name, enum region_kind kind, uint64_t size)
{
	memset(r, 0, sizeof(*r));
	r->name = name;
	r->kind = kind;
	r->size = size;
	r->enabled = true;
	list_init(&r->node);
	list_init(&r->children);
	list_init(&r->aliases);
	list_init(&r->alias_node);
	list_init(&r->doorbells);
}

void region_init_io(struct region *r, const char *name, const struct region_ops *ops, void *opaque,
		    uint64_t size)
{
	region_init(r, name, REGION_IO, size);
	r->ops = ops;
	r->opaque = opaque;
}

void region_init_ram(struct region *r, const char *name, uint8_t *host, uint64_t size)
{
	region_init(r, name, REGION_RAM, size);
	r->host = host;
}

void region_init_rom(struct region *r, const char *name, uint8_t *host, uint64_t size)
{
	region_init(r, name, REGION_ROM, size);
	r->host = host;
}

void region_init_alias(struct region *r, const char *name, struct region *target, uint64_t offset,
		       uint64_t size)
{
	region_init(r, name, REGION_ALIAS, size);
	r->alias = target;
	r->alias_offset = offset;
}

void region_init_container(struct region *r, const char *name, uint64_t size)
{
	region_init(r, name, REGION_CONTAINER, size);
}

/* R changed: whatever shows it, directly or through aliases, has to be rendered anew. */
static void region_changed(struct region *r)
{
	for (; r; r = r->parent) {
		list_for_each(it, &r->aliases)
			region_changed(list_entry(it, struct region, alias_node));
		if (r->as) {
			r->as->dirty = true;
			if (!r->as->transaction)
				as_publish(r->as);
		}
	}
}

void region_add(struct region *parent, uint64_t offset, struct region *child, int priority)
{
	struct list *at = parent->children.next;

	child->parent = parent;
	child->offset = offset;
	child->priority = priority;
	while (at != &parent->children && list_entry(at, struct region, node)->priority > priority)
		at = at->next;
	list_insert(at->prev, &child->node);
	if (child->kind == REGION_ALIAS)
		list_push_back(&child->alias->aliases, &child->alias_node);
	region_changed(child);
}

void region_remove(struct region *child)
{
	struct region *parent = child->parent;

	if (!parent)
		return;
	list_remove(&child->node);
	list_remove(&child->alias_node);
	child->parent = NULL;
	region_changed(parent);
}

static void detach_children(struct region *r)
{
	while (!list_empty(&r->children)) {
		struct region *child = list_first(&r->children, struct region, node);

		list_remove(&child->node);
		list_remove(&child->alias_node);
		child->parent = NULL;
		detach_children(child);
	}
}

void as_detach_all(struct address_space *as)
{
	as_begin(as);
	detach_children(&as->root);
	as->dirty = true;
	as_commit(as);
}

void region_set_enabled(struct region *r, bool enabled)
{
	if (r->enabled == enabled)
		return;
	r->enabled = enabled;
	region_changed(r);
}

void region_set_log(struct region *r, struct dirty_log *log)
{
	if (r->log == log)
		return;
	r->log = log;
	region_changed(r);
}

void region_move(struct region *r, uint64_t offset)
{
	if (r->offset == offset)
		return;
	r->offset = offset;
	region_changed(r);
}

void region_add_doorbell(struct region *r, struct region_doorbell *d)
{
	list_push_back(&r->doorbells, &d->node);
	region_changed(r);
}

void region_remove_doorbell(struct region *r, struct region_doorbell *d)
{
	list_remove(&d->node);
	region_changed(r);
}

/* ---- dispatch ---- */

static uint64_t ones(unsigned bytes)
{
	return bytes >= 8 ? ~0ull : (1ull << (8 * bytes)) - 1;
}

typedef uint16_t __attribute__((aligned(1), may_alias)) u16_any;
typedef uint32_t __attribute__((aligned(1), may_alias)) u32_any;
typedef uint64_t __attribute__((aligned(1), may_alias)) u64_any;

/* One host access where the size allows, so that a vCPU never sees half of an aligned value. */
static uint64_t host_load(const uint8_t *p, unsigned size)
{
	switch (size) {
	case 1:
		return *(const volatile uint8_t *)p;
	case 2:
		return *(const volatile u16_any *)p;
	case 4:
		return *(const volatile u32_any *)p;
	case 8:
		return *(const volatile u64_any *)p;
	default:
		return ldn_le(p, size);
	}
}

static void host_store(uint8_t *p, unsigned size, uint64_t value)
{
	switch (size) {
	case 1:
		*(volatile uint8_t *)p = (uint8_t)value;
		break;
	case 2:
		*(volatile u16_any *)p = (uint16_t)value;
		break;
	case 4:
		*(volatile u32_any *)p = (uint32_t)value;
		break;
	case 8:
		*(volatile u64_any *)p = value;
		break;
	default:
		stn_le(p, size, value);
	}
}

/* How many of SIZE bytes at OFFSET the device takes in one call. */
static unsigned io_chunk(const struct region_ops *ops, uint64_t offset, unsigned size)
{
	unsigned chunk = MIN(size, ops->max_size ? ops->max_size : 4u);

	while (chunk & (chunk - 1))
		chunk &= chunk - 1;
	if (!ops->unaligned)
		while (offset & (chunk - 1))
			chunk >>= 1;
	return chunk;
}

static uint64_t io_read(const struct region *r, uint64_t offset, unsigned size)
{
	uint64_t value = 0;

	if (!r->ops || !r->ops->read)
		return ones(size);
	for (unsigned done = 0; done < size;) {
		unsigned chunk = io_chunk(r->ops, offset + done, size - done);
		uint64_t part = r->ops->read(r->opaque, offset + done, chunk) & ones(chunk);

		if (log_enabled(LOG_TRACE))
			log_printf(LOG_TRACE, "%s: read %u at 0x%llx: 0x%llx\n", r->name, chunk,
				   (unsigned long long)(offset + done), (unsigned long long)part);
		value |= part << (8 * done);
		done += chunk;
	}
	return value;
}

static void io_write(const struct region *r, uint64_t offset, uint64_t value, unsigned size)
{
	if (!r->ops || !r->ops->write)
		return;
	for (unsigned done = 0; done < size;) {
		unsigned chunk = io_chunk(r->ops, offset + done, size - done);

		if (log_enabled(LOG_TRACE))
			log_printf(LOG_TRACE, "%s: write %u at 0x%llx: 0x%llx\n", r->name, chunk,
				   (unsigned long long)(offset + done),
				   (unsigned long long)((value >> (8 * done)) & ones(chunk)));
		r->ops->write(r->opaque, offset + done, (value >> (8 * done)) & ones(chunk), chunk);
		done += chunk;
	}
}

/* Bytes of [ADDR, ADDR+SIZE) that RANGE covers, given that it covers the first. */
static unsigned in_range(const struct view_range *range, uint64_t addr, unsigned size)
{
	return range->last - addr < size - 1 ? (unsigned)(range->last - addr) + 1 : size;
}

uint64_t as_read(struct address_space *as, uint64_t addr, unsigned size)
{
	const struct mem_view *view = as->view;
	uint64_t value = 0;

	LOOP_ASSERT();
	for (unsigned done = 0, n; done < size; done += n) {
		const struct view_range *range = view_find(view, addr + done);
		uint64_t part;

		if (!range) {
			n = 1;
			part = 0xff;
		} else {
			uint64_t into = addr + done - range->start;

			n = in_range(range, addr + done, size - done);
			part = range->counter.hz ? view_counter(range, addr + done, n)
			       : range->kind == REGION_IO
				       ? io_read(range->region, range->region_offset + into, n)
				       : host_load(range->host + into, n);
		}
		value |= part << (8 * done);
	}
	return value;
}

/* BYTES at ADDR, within RANGE, were written. */
static void range_wrote(const struct view_range *range, uint64_t addr, uint64_t bytes)
{
	if (range->log)
		dirty_log_mark_mt(range->log, range->region_offset + (addr - range->start), bytes);
}

static void range_write(struct address_space *as, const struct view_range *range, uint64_t addr,
			uint64_t value, unsigned size)
{
	uint64_t into = addr - range->start;
	struct region_doorbell *d;

	if (range->kind == REGION_RAM) {
		host_store(range->host + into, size, value);
		range_wrote(range, addr, size);
		if (as->ram_written)
			as->ram_written(as->changed_opaque, addr, size);
		return;
	}
	d = range->n_doorbells ? view_doorbell(range, addr, size, value) : NULL;
	if (d)
		loop_notifier_signal_mt(d->notifier);
	else
		io_write(range->region, range->region_offset + into, value, size);
}

void as_write(struct address_space *as, uint64_t addr, uint64_t value, unsigned size)
{
	const struct mem_view *view = as->view;

	LOOP_ASSERT();
	for (unsigned done = 0, n; done < size; done += n) {
		const struct view_range *range = view_find(view, addr + done);

		if (!range) {
			n = 1;
			continue;
		}
		n = in_range(range, addr + done, size - done);
		range_write(as, range, addr + done, (value >> (8 * done)) & ones(n), n);
	}
}

/* The device's region at ADDR, if it takes whole strings of elements of SIZE. */
static const struct view_range *string_range(const struct address_space *as, uint64_t addr,
					     unsigned size)
{
	const struct view_range *range = view_find(as->view, addr);

	LOOP_ASSERT();
	return range && range->kind == REGION_IO && range->last - addr >= size - 1 &&
			       range->region->ops && !log_enabled(LOG_TRACE)
		       ? range
		       : NULL;
}

void as_read_string(struct address_space *as, uint64_t addr, void *buf, unsigned size,
		    unsigned count)
{
	uint8_t *to = buf;

	while (count) {
		const struct view_range *r = string_range(as, addr, size);
		unsigned n = 0;

		if (r && r->region->ops->read_string)
			n = r->region->ops->read_string(r->region->opaque,
							r->region_offset + (addr - r->start), to,
							size, count);
		if (!n) {
			stn_le(to, size, as_read(as, addr, size));
			n = 1;
		}
		to += (size_t)n * size;
		count -= n;
	}
}

void as_write_string(struct address_space *as, uint64_t addr, const void *buf, unsigned size,
		     unsigned count)
{
	const uint8_t *from = buf;

	while (count) {
		const struct view_range *r = string_range(as, addr, size);
		unsigned n = 0;

		if (r && r->region->ops->write_string)
			n = r->region->ops->write_string(r->region->opaque,
							 r->region_offset + (addr - r->start), from,
							 size, count);
		if (!n) {
			as_write(as, addr, ldn_le(from, size), size);
			n = 1;
		}
		from += (size_t)n * size;
		count -= n;
	}
}

/* ---- DMA ---- */

/* The run of RAM (or, for reading, ROM) at GPA: host pointer and its length, at most BYTES. NULL: none. */
static uint8_t *dma_run(const struct mem_view *view, gpa_t gpa, size_t bytes, bool write,
			size_t *run)
{
	const struct view_range *range = view_find(view, gpa);
	uint64_t left;

	if (!range || range->kind == REGION_IO || (write && range->kind != REGION_RAM))
		return NULL;
	left = range->last - gpa;
	*run = left < bytes - 1 ? (size_t)left + 1 : bytes;
	return range->host + (gpa - range->start);
}

static bool dma_covered(const struct mem_view *view, gpa_t gpa, size_t bytes, bool write)
{
	size_t run;

	if (bytes && gpa + (bytes - 1) < gpa)
		return false;
	for (; bytes; gpa += run, bytes -= run)
		if (!dma_run(view, gpa, bytes, write, &run))
			return false;
	return true;
}

bool dma_read(struct machine *m, gpa_t gpa, void *buf, size_t bytes)
{
	const struct mem_view *view = m->mem.view;
	uint8_t *to = buf;
	size_t run;

	LOOP_ASSERT();
	if (!dma_covered(view, gpa, bytes, false)) {
		memset(buf, 0xff, bytes);
		return false;
	}
	for (; bytes; gpa += run, to += run, bytes -= run) {
		const uint8_t *from = dma_run(view, gpa, bytes, false, &run);

		if (run <= 8)
			stn_le(to, run, host_load(from, run));
		else
			memcpy(to, from, run);
	}
	return true;
}

/* All of it is in one range of RAM. */
static void dma_wrote(struct machine *m, gpa_t gpa, size_t bytes)
{
	const struct view_range *range = m->n_dirty_logs ? view_find(m->mem.view, gpa) : NULL;

	if (range && range->last - gpa >= bytes - 1)
		range_wrote(range, gpa, bytes);
	if (m->accel && m->accel->ram_written)
		m->accel->ram_written(m, gpa, bytes);
}

bool dma_write(struct machine *m, gpa_t gpa, const void *buf, size_t bytes)
{
	const struct mem_view *view = m->mem.view;
	const uint8_t *from = buf;
	size_t run;

	LOOP_ASSERT();
	if (!dma_covered(view, gpa, bytes, true))
		return false;
	for (; bytes; gpa += run, from += run, bytes -= run) {
		uint8_t *to = dma_run(view, gpa, bytes, true, &run);

		if (run <= 8)
			host_store(to, run, ldn_le(from, run));
		else
			memcpy(to, from, run);
		dma_wrote(m, gpa, run);
	}
	return true;
}

void *dma_map(struct machine *m, gpa_t gpa, size_t *bytes, bool write)
{
	size_t run;
	uint8_t *host;

	LOOP_ASSERT();
	host = *bytes ? dma_run(m->mem.view, gpa, *bytes, write, &run) : NULL;
	if (host)
		*bytes = run;
	return host;
}

void dma_unmap(struct machine *m, gpa_t gpa, void *host, size_t bytes, bool written)
{
	LOOP_ASSERT();
	if (written && bytes)
		dma_wrote(m, gpa, bytes);
}
