/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's RAM: one stretch of host addresses, from one memory backend or from one for each NUMA node, seen by the guest
 * below 4 GiB and from 4 GiB up.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "io/aio/aio.h"
#include "src/board/numa.h"
#include "src/machine.h"
#include "src/memory_backend.h"

#define SMALL_PAGE    4096ull
#define RAM_LOW_LIMIT (3584 * MiB) /* up to this, all RAM is below 4 GiB */
#define RAM_LOW_SPLIT (3 * GiB)	   /* else this much is */
#define RAM_HIGH_BASE (4 * GiB)

/* ---- the backends ---- */

static void use_backend(struct machine_ram *ram, struct memory_backend *b)
{
	ram->backends[ram->n_backends++] = b;
	ram->bytes += b->size;
}

/* What -m means, with -mem-path and -mem-prealloc. */
static bool plain_backend(struct machine *m, uint64_t bytes, struct error *err)
{
	const struct machine_config *c = &m->config;
	const struct object_type *type =
		c->mem_path ? &memory_backend_file_type : &memory_backend_ram_type;
	struct object *o = object_new(&m->own_objects, type, "ram");
	struct memory_backend *b = container_of(o, struct memory_backend, object);

	b->size = ALIGN_UP(bytes, 4096);
	b->prealloc = c->mem_prealloc;
	b->reserve = c->mem_path != NULL;
	b->mem_path = c->mem_path ? xstrdup(c->mem_path) : NULL;
	if (!object_add(o, err)) {
		error_prefix(err, "%s %s: ", c->mem_path ? "-mem-path" : "-m",
			     c->mem_path ? c->mem_path : "");
		return false;
	}
	use_backend(&m->ram, b);
	return true;
}

static bool named_backend(struct machine *m, const char *id, const char *option, struct error *err)
{
	struct memory_backend *b = memory_backend_find(m->objects, id, err);

	if (!b) {
		error_prefix(err, "%s=%s: ", option, id);
		return false;
	}
	for (unsigned i = 0; i < m->ram.n_backends; i++)
		if (m->ram.backends[i] == b)
			return error_set(err, "%s=%s: memory backend is used already", option, id);
	if (m->config.mem_prealloc)
		b->prealloc = true;
	use_backend(&m->ram, b);
	return true;
}

static bool node_backends(struct machine *m, struct error *err)
{
	struct numa *numa = m->config.numa;

	for (unsigned i = 0; i < numa->n; i++) {
		struct numa_node *node = &numa->nodes[i];

		if (!node->memdev)
			continue; /* a node without memory */
		if (!named_backend(m, node->memdev, "-numa node,memdev", err))
			return false;
		node->bytes = m->ram.backends[m->ram.n_backends - 1]->size;
	}
	return true;
}

static bool numa_has_memdevs(const struct numa *numa)
{
	for (unsigned i = 0; numa && i < numa->n; i++)
		if (numa->nodes[i].memdev)
			return true;
	return false;
}

static bool choose_backends(struct machine *m, struct error *err)
{
	const struct machine_config *c = &m->config;
	bool by_node = numa_has_memdevs(c->numa);

	if (by_node && c->memory_backend)
		return error_set(err,
				 "-machine memory-backend=%s: not together with -numa "
				 "node,memdev=",
				 c->memory_backend);
	if (by_node) {
		if (!node_backends(m, err))
			return false;
	} else if (c->memory_backend) {
		if (!named_backend(m, c->memory_backend, "-machine memory-backend", err))
			return false;
	} else {
		return !c->ram_bytes || plain_backend(m, c->ram_bytes, err);
	}
	if (c->ram_given && c->ram_bytes != m->ram.bytes)
		return error_set(err, "-m: %llu MiB is not what the memory backends have, %llu MiB",
				 c->ram_bytes / MiB, m->ram.bytes / MiB);
	return true;
}

/* ---- host addresses ---- */

static uint64_t alignment(const struct machine_ram *ram)
{
	uint64_t align = HUGE_PAGE;

	for (unsigned i = 0; i < ram->n_backends; i++)
		align = MAX(align, ram->backends[i]->page_size);
	return align;
}

/* Room to begin at a huge page; what is left over on either side goes back. */
static bool reserve(struct machine_ram *ram, struct error *err)
{
	ram->host = reserve_aligned(alignment(ram), ram->bytes);
	if (!ram->host)
		return error_set_errno(err, errno, "-m: cannot set up guest memory of %llu MiB",
				       ram->bytes / MiB);
	return true;
}

static bool map_backends(struct machine *m, struct error *err)
{
	const struct machine_config *c = &m->config;
	struct machine_ram *ram = &m->ram;
	uint64_t at = 0;

	for (unsigned i = 0; i < ram->n_backends; i++) {
		struct memory_backend *b = ram->backends[i];

		if (at % b->page_size)
			return error_set(err,
					 "memory backend '%s': its pages of %llu KiB would not "
					 "begin at a multiple of that in the guest's memory",
					 b->object.id, b->page_size / KiB);
		if (!memory_backend_map(b, ram->host + at, !c->no_mem_merge, !c->no_dump_guest_core,
					err)) {
			error_prefix(err, b->mem_path && c->mem_path ? "-mem-path: "
					  : c->mem_prealloc	     ? "-m, -mem-prealloc: "
								     : "-m: ");
			ram->n_backends = i; /* those that are mapped */
			return false;
		}
		at += b->size;
	}
	return true;
}

static bool lock_all(const struct machine *m, struct error *err)
{
	uint64_t missing = 0; /* what locking has yet to fetch */

	for (unsigned i = 0; i < m->ram.n_backends; i++)
		missing += m->ram.backends[i]->prealloc ? 0 : m->ram.backends[i]->size;
	if (!m->config.mem_lock)
		return true;
	if (!m->config.mem_lock_on_fault && !host_has_memory(missing, false, err)) {
		error_prefix(err, "-overcommit mem-lock=on: cannot lock %llu MiB of guest memory: ",
			     m->ram.bytes / MiB);
		return false;
	}
	if (!mlockall(MCL_CURRENT | MCL_FUTURE |
		      (m->config.mem_lock_on_fault ? (int)MCL_ONFAULT : 0)))
		return true;
	return error_set_errno(err, errno,
			       "-overcommit mem-lock=on: cannot lock %llu MiB of guest memory and "
			       "the rest of the process ('ulimit -l' shows the limit)",
			       m->ram.bytes / MiB);
}

/*
 * Disks need not look up pages that never change (io/aio). That binds them to RAM, so only those are told of that are bound anyway: where
 * all are locked, or are there from the start and huge.
 */
static void tell_disks(struct machine *m)
{
	bool huge = true;

	for (unsigned i = 0; i < m->ram.n_backends; i++) {
		const struct memory_backend *b = m->ram.backends[i];

		huge = huge && b->prealloc && memory_backend_is_hugetlb(b);
	}
	if (huge || (m->config.mem_lock && !m->config.mem_lock_on_fault))
		aio_memory_set(m->loop, m->ram.host, m->ram.bytes);
}

static uint64_t low_ram(const struct machine *m, uint64_t bytes)
{
	const struct machine_type *type = m->config.type;
	uint64_t limit = type->low_ram_limit ? type->low_ram_limit : RAM_LOW_LIMIT;

	if (bytes <= limit)
		return bytes;
	return type->low_ram_split ? type->low_ram_split : RAM_LOW_SPLIT;
}

bool machine_ram_build(struct machine *m, struct error *err)
{
	struct machine_ram *ram = &m->ram;

	if (!choose_backends(m, err))
		return false;
	if (ram->bytes > MACHINE_MAX_RAM)
		return error_set(
			err,
			"-m: %llu MiB is more than this machine can address (at most %llu MiB)",
			ram->bytes / MiB, MACHINE_MAX_RAM / MiB);
	if (!ram->bytes)
		return true;
	m->config.ram_bytes = ram->bytes;
	ram->below_4g = low_ram(m, ram->bytes);
	ram->above_4g = ram->bytes - ram->below_4g;
	if (!reserve(ram, err))
		return false;
	if (!map_backends(m, err) || !lock_all(m, err))
		return false;
	tell_disks(m);
	return true;
}

void machine_ram_map(struct machine *m)
{
	struct machine_ram *ram = &m->ram;

	as_begin(&m->mem);
	region_init_ram(&ram->low, "ram-below-4g", ram->host, ram->below_4g);
	region_init_ram(&ram->high, "ram-above-4g", ram->host + ram->below_4g, ram->above_4g);
	if (ram->below_4g)
		region_add(&m->mem.root, 0, &ram->low, 0);
	if (ram->above_4g)
		region_add(&m->mem.root, RAM_HIGH_BASE, &ram->high, 0);
	as_commit(&m->mem);
}

/* ---- giving back ---- */

/* BYTES at HOST are backend B's own. A private file's pages would come back with what the file has: they stay. */
static void discard(const struct machine *m, const struct memory_backend *b, uint8_t *host,
		    uint64_t bytes)
{
	uintptr_t from = ALIGN_UP((uintptr_t)host, b->page_size);
	uintptr_t to = ALIGN_DOWN((uintptr_t)host + bytes, b->page_size);

	if (from >= to || (b->fd >= 0 && !b->share && b->page_size == SMALL_PAGE))
		return;
	/* Memory that is locked stays; it was asked for. Huge pages are not what locking is about. */
	if (m->config.mem_lock && !memory_backend_is_hugetlb(b))
		return;
	aio_memory_gone(m->loop, (void *)from, to - from);
	madvise((void *)from, to - from, b->share ? MADV_REMOVE : MADV_DONTNEED);
}

static void discard_host(struct machine *m, uint8_t *host, uint64_t bytes)
{
	const struct machine_ram *ram = &m->ram;
	uint64_t at = 0, offset = (uint64_t)(host - ram->host);

	if (host < ram->host || offset >= ram->bytes)
		return; /* a ROM or a device's memory */
	bytes = MIN(bytes, ram->bytes - offset);
	for (unsigned i = 0; i < ram->n_backends && bytes; i++) {
		const struct memory_backend *b = ram->backends[i];
		uint64_t n;

		at += b->size;
		if (offset >= at)
			continue;
		n = MIN(bytes, at - offset);
		discard(m, b, ram->host + offset, n);
		offset += n;
		bytes -= n;
	}
}

void machine_ram_discard(struct machine *m, gpa_t gpa, uint64_t bytes)
{
	while (bytes) {
		size_t n = bytes;
		uint8_t *host = dma_map(m, gpa, &n, true);

		if (!host || !n)
			n = MIN(bytes, SMALL_PAGE - gpa % SMALL_PAGE);
		else {
			discard_host(m, host, n);
			dma_unmap(m, gpa, host, n, true);
		}
		gpa += n;
		bytes -= n;
	}
}

void machine_ram_free(struct machine *m)
{
	struct machine_ram *ram = &m->ram;

	if (!ram->host)
		return;
	aio_memory_unset(m->loop);
	munmap(ram->host, ram->bytes);
	for (unsigned i = 0; i < ram->n_backends; i++)
		memory_backend_unmapped(ram->backends[i]);
	ram->host = NULL;
}
