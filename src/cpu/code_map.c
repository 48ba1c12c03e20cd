/* SPDX-License-Identifier: BSD-2-Clause */
/* Which physical pages hold translated code, shared by all vCPUs: the protocol is told in block.h. */
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "src/cpu/block.h"
#include "src/cpu/mmu.h"
#include "src/machine.h"

#define INBOX_SIZE	   64u
#define SPINS_BEFORE_YIELD 200u

/* All atomic. */
struct code_page {
	uint64_t lines, readers, writers;
};

/* lines != 0: drop blocks on these lines; 0: drop the fast write entry of the page. */
struct code_message {
	uint64_t page;
	uint64_t lines;
};

/* One per vCPU. */
struct code_peer {
	uint32_t inside; /* in guest code; atomic */
	uint64_t posted; /* messages so far; written under the lock, atomic */
	uint64_t served; /* the value of `posted` up to which all is done; atomic */
	unsigned n;	 /* in inbox, under the lock */
	bool overflow;	 /* more than fits: drop everything */
	struct code_message inbox[INBOX_SIZE];
} __attribute__((aligned(64)));

struct code_map {
	struct machine *machine;
	pthread_mutex_t lock; /* lines and readers, and the inboxes; never held while waiting */
	uint64_t low_pages, n_pages;
	struct code_page *pages;
	unsigned n_peers;
	struct code_peer *peers;
};

static unsigned cpu_index(const struct cpu *c)
{
	return c->vcpu ? c->vcpu->index : 0;
}

static uint64_t peer_bit(unsigned index)
{
	return BIT64(index % 64);
}

static struct code_page *code_page(const struct code_map *map, uint64_t phys)
{
	uint64_t n = phys >> PAGE_SHIFT;

	if (n >= 4 * GiB >> PAGE_SHIFT)
		n += map->low_pages - (4 * GiB >> PAGE_SHIFT);
	else if (n >= map->low_pages)
		return NULL;
	return n < map->n_pages ? &map->pages[n] : NULL;
}

/* Bits of the 64-byte lines that BYTES from PHYS on touch, all within its page. */
static uint64_t line_mask(uint64_t phys, uint64_t bytes)
{
	unsigned first = phys & ~PAGE_MASK;
	uint64_t last = first + bytes - 1;

	if (last >= PAGE_SIZE)
		last = PAGE_SIZE - 1;
	return (~0ull << first / 64) & (~0ull >> (63 - last / 64));
}

struct code_map *code_map_new(struct machine *m)
{
	struct code_map *map = xzalloc(sizeof(*map));

	map->machine = m;
	pthread_mutex_init(&map->lock, NULL);
	map->low_pages = m->ram.below_4g >> PAGE_SHIFT;
	map->n_pages = (m->ram.below_4g + m->ram.above_4g) >> PAGE_SHIFT;
	/* Touched as pages are: 24 bytes for each that is written or executed. */
	map->pages = mmap(NULL, map->n_pages * sizeof(map->pages[0]) + 1, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map->pages == MAP_FAILED)
		abort();
	map->n_peers = MAX(m->config.maxcpus, m->config.cpus);
	if (map->n_peers < 1)
		map->n_peers = 1;
	map->peers = xaligned_zalloc(64, map->n_peers * sizeof(map->peers[0]));
	return map;
}

void code_map_free(struct code_map *map)
{
	if (!map)
		return;
	munmap(map->pages, map->n_pages * sizeof(map->pages[0]) + 1);
	pthread_mutex_destroy(&map->lock);
	free(map->peers);
	free(map);
}

/* ---- messages ---- */

/* Under the lock. The ticket to wait for. */
static uint64_t post(struct code_map *map, unsigned index, uint64_t page, uint64_t lines)
{
	struct code_peer *p = &map->peers[index];
	uint64_t ticket = p->posted + 1;

	if (p->n < INBOX_SIZE)
		p->inbox[p->n++] = (struct code_message){page, lines};
	else
		p->overflow = true;
	__atomic_store_n(&p->posted, ticket, __ATOMIC_SEQ_CST);
	if (map->machine->vcpus && map->machine->vcpus[index])
		vcpu_request_mt(map->machine->vcpus[index], VCPU_REQ_CODE);
	return ticket;
}

static void serve_message(struct cpu *c, const struct code_message *msg)
{
	struct code_page *page = code_page(c->code_map, msg->page);

	if (msg->lines) {
		block_drop_lines(c, msg->page, msg->lines);
		return;
	}
	mmu_protect_code_page(c, msg->page);
	/* With more vCPUs than bits, the bit isn't ours alone, and stays. */
	if (page && c->code_map->n_peers <= 64)
		__atomic_and_fetch(&page->writers, ~peer_bit(cpu_index(c)), __ATOMIC_SEQ_CST);
}

void code_map_serve(struct cpu *c)
{
	struct code_map *map = c->code_map;
	struct code_message inbox[INBOX_SIZE];
	struct code_peer *me;
	uint64_t ticket;
	bool overflow;
	unsigned n;

	if (!map)
		return;
	if (unlikely(c->rmw_code_phys)) {
		uint64_t phys = c->rmw_code_phys;

		/* The read-modify-write that mmu_rmw_slow let through has been made; others may have read the bytes before it. */
		c->rmw_code_phys = 0;
		code_map_written(map, c, phys, 16);
	}
	me = &map->peers[cpu_index(c)];
	if (__atomic_load_n(&me->posted, __ATOMIC_SEQ_CST) ==
	    __atomic_load_n(&me->served, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&map->lock);
	n = me->n;
	memcpy(inbox, me->inbox, n * sizeof(inbox[0]));
	overflow = me->overflow;
	ticket = me->posted;
	me->n = 0;
	me->overflow = false;
	pthread_mutex_unlock(&map->lock);
	for (unsigned i = 0; i < n; i++)
		serve_message(c, &inbox[i]);
	if (overflow) {
		block_flush_all(c);
		mmu_flush_all(c);
	}
	c->blocks->served++;
	__atomic_store_n(&me->served, ticket, __ATOMIC_RELEASE);
}

void code_map_enter_guest(struct cpu *c)
{
	if (!c->code_map)
		return;
	__atomic_store_n(&c->code_map->peers[cpu_index(c)].inside, 1, __ATOMIC_SEQ_CST);
	code_map_serve(c);
}

void code_map_leave_guest(struct cpu *c)
{
	if (c->code_map)
		__atomic_store_n(&c->code_map->peers[cpu_index(c)].inside, 0, __ATOMIC_RELEASE);
}

/* ---- reading code ---- */

static bool acknowledged(struct code_map *map, const struct code_page *page, unsigned index,
			 uint64_t ticket)
{
	const struct code_peer *p = &map->peers[index];

	return __atomic_load_n(&p->served, __ATOMIC_ACQUIRE) >= ticket ||
	       !__atomic_load_n(&p->inside, __ATOMIC_SEQ_CST) ||
	       !(__atomic_load_n(&page->writers, __ATOMIC_ACQUIRE) & peer_bit(index));
}

/* Serves what others ask meanwhile: the other may be waiting for this vCPU. */
static void wait_for_peer(struct cpu *c, const struct code_page *page, unsigned index,
			  uint64_t ticket)
{
	unsigned spins = 0;

	while (!acknowledged(c->code_map, page, index, ticket)) {
		code_map_serve(c);
		if (++spins < SPINS_BEFORE_YIELD)
			_mm_pause();
		else
			sched_yield();
	}
}

/* Other vCPUs' fast write entries of a page must go before its bytes are read as code. */
static void wait_for_writers(struct cpu *c, struct code_page *page, uint64_t phys)
{
	struct code_map *map = c->code_map;
	unsigned me = cpu_index(c);
	uint64_t writers = __atomic_load_n(&page->writers, __ATOMIC_SEQ_CST);

	for (unsigned i = 0; i < map->n_peers; i++) {
		uint64_t ticket;

		if (i == me || !(writers & peer_bit(i)))
			continue;
		pthread_mutex_lock(&map->lock);
		ticket = post(map, i, phys & PAGE_MASK, 0);
		pthread_mutex_unlock(&map->lock);
		wait_for_peer(c, page, i, ticket);
	}
	if (writers & peer_bit(me)) {
		mmu_protect_code_page(c, phys & PAGE_MASK);
		if (map->n_peers <= 64)
			__atomic_and_fetch(&page->writers, ~peer_bit(me), __ATOMIC_SEQ_CST);
	}
}

bool code_map_track(struct cpu *c, uint64_t phys, unsigned bytes)
{
	struct code_map *map = c->code_map;
	struct code_page *page;
	uint64_t me = peer_bit(cpu_index(c)), need = line_mask(phys, bytes);

	if (!map)
		return true;
	page = code_page(map, phys);
	if (!page) {
		const struct view_range *r = c->view ? view_find(c->view, phys) : NULL;

		return r && r->kind == REGION_ROM;
	}
	if ((__atomic_load_n(&page->readers, __ATOMIC_ACQUIRE) & me) &&
	    (__atomic_load_n(&page->lines, __ATOMIC_ACQUIRE) & need) == need)
		return true;
	pthread_mutex_lock(&map->lock);
	__atomic_or_fetch(&page->readers, me, __ATOMIC_SEQ_CST);
	__atomic_or_fetch(&page->lines, need, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&map->lock);
	wait_for_writers(c, page, phys);
	return true;
}

void code_map_release(struct cpu *c, uint64_t phys)
{
	struct code_map *map = c->code_map;
	struct code_page *page = map ? code_page(map, phys) : NULL;

	if (!page || map->n_peers > 64)
		return;
	pthread_mutex_lock(&map->lock);
	if (!__atomic_and_fetch(&page->readers, ~peer_bit(cpu_index(c)), __ATOMIC_SEQ_CST))
		__atomic_store_n(&page->lines, 0, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&map->lock);
}

/* ---- writing ---- */

bool code_map_may_write_fast(struct cpu *c, uint64_t phys)
{
	struct code_page *page = c->code_map ? code_page(c->code_map, phys) : NULL;
	uint64_t me;

	if (!page)
		return true;
	if (__atomic_load_n(&page->lines, __ATOMIC_RELAXED))
		return false;
	me = peer_bit(cpu_index(c));
	if (!(__atomic_load_n(&page->writers, __ATOMIC_RELAXED) & me))
		__atomic_or_fetch(&page->writers, me, __ATOMIC_SEQ_CST);
	else
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !__atomic_load_n(&page->lines, __ATOMIC_SEQ_CST);
}

/* Lines that were hit, cleared, and told to other readers; *MINE: this vCPU is one. */
static uint64_t page_written(struct code_map *map, struct code_page *page, const struct cpu *c,
			     uint64_t phys, uint64_t mask, bool *mine)
{
	uint64_t hit, readers;

	pthread_mutex_lock(&map->lock);
	hit = __atomic_load_n(&page->lines, __ATOMIC_SEQ_CST) & mask;
	readers = __atomic_load_n(&page->readers, __ATOMIC_SEQ_CST);
	*mine = c && (readers & peer_bit(cpu_index(c)));
	for (unsigned i = 0; hit && i < map->n_peers; i++)
		if ((readers & peer_bit(i)) && !(c && i == cpu_index(c)))
			post(map, i, phys & PAGE_MASK, hit);
	if (hit && !__atomic_and_fetch(&page->lines, ~hit, __ATOMIC_SEQ_CST))
		__atomic_store_n(&page->readers, 0, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&map->lock);
	return hit;
}

void code_map_written(struct code_map *map, struct cpu *c, uint64_t phys, uint64_t bytes)
{
	uint64_t end = phys + bytes;

	if (!map)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	while (phys < end) {
		struct code_page *page = code_page(map, phys);
		uint64_t mask = line_mask(phys, end - phys);
		bool mine;

		if (page && (__atomic_load_n(&page->lines, __ATOMIC_SEQ_CST) & mask)) {
			uint64_t hit = page_written(map, page, c, phys, mask, &mine);

			if (hit && mine)
				block_drop_lines(c, phys & PAGE_MASK, hit);
		}
		phys = (phys & PAGE_MASK) + PAGE_SIZE;
	}
}
