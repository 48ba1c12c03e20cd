/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's memory as KVM has it. A published view is turned into what the kernel should have: slots for RAM and ROM, ioeventfds
 * for doorbells, zones for coalesced regions; what differs from what it has is changed.
 *
 * A page that is not wholly of one range has no slot: accesses to it are traps, which the address space serves.
 */
#include <errno.h>
#include <immintrin.h>
#include <stdlib.h>
#include <unistd.h>
#include "src/dirty_log.h"
#include "src/kvm/kvm.h"

#define PAGE 4096ull

/* ---- dirty logging ---- */

/* The kernel's bitmap of a slot, which it clears by that, into the log. All pages count as written when it doesn't say. */
static void note_written(struct kvm *kvm, const struct kvm_slot *s)
{
	struct kvm_dirty_log k = {.slot = s->id};
	uint64_t words = ALIGN_UP(s->bytes / PAGE, 64) / 64, *bits = xzalloc(words * 8);

	k.dirty_bitmap = bits;
	if (ioctl(kvm->vm, KVM_GET_DIRTY_LOG, &k))
		memset(bits, 0xff, words * 8);
	for (uint64_t w = 0; w < words; w++)
		for (uint64_t left = bits[w]; left; left &= left - 1) {
			uint64_t page = w * 64 + (unsigned)__builtin_ctzll(left);

			if (page < s->bytes / PAGE)
				dirty_log_mark_mt(s->log, s->log_offset + page * PAGE, PAGE);
		}
	free(bits);
}

void kvm_dirty_sync(struct machine *m, struct dirty_log *log)
{
	struct kvm *kvm = kvm_of(m);

	for (unsigned i = 0; i < kvm->n_slots; i++)
		if (kvm->slots[i].log == log)
			note_written(kvm, &kvm->slots[i]);
}

/* ---- slots ---- */

static bool set_region(struct kvm *kvm, const struct kvm_slot *s, uint64_t bytes)
{
	struct kvm_userspace_memory_region region = {
		.slot = s->id,
		.flags = (s->readonly ? KVM_MEM_READONLY : 0u) |
			 (s->log ? KVM_MEM_LOG_DIRTY_PAGES : 0u),
		.guest_phys_addr = s->gpa,
		.memory_size = bytes,
		.userspace_addr = (uintptr_t)s->host,
	};

	return ioctl(kvm->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0;
}

/* There is no guest without its memory, and no way back. */
static void slot_failed(const struct kvm_slot *s, const char *what)
{
	report_error("KVM cannot %s %llu KiB of guest memory at %#llx: %s", what, s->bytes / KiB,
		     (unsigned long long)s->gpa, strerror(errno));
	abort();
}

static void slot_add(struct kvm *kvm, struct kvm_slot *s)
{
	while (kvm->slot_ids[s->id])
		if (++s->id == kvm->max_slots) {
			errno = ENOSPC;
			slot_failed(s, "map");
		}
	if (!set_region(kvm, s, s->bytes))
		slot_failed(s, "map");
	kvm->slot_ids[s->id] = 1;
}

static void slot_remove(struct kvm *kvm, const struct kvm_slot *s)
{
	if (s->log)
		note_written(kvm, s);
	if (!set_region(kvm, s, 0))
		slot_failed(s, "unmap");
	kvm->slot_ids[s->id] = 0;
}

static bool slot_same(const struct kvm_slot *a, const struct kvm_slot *b)
{
	return a->gpa == b->gpa && a->bytes == b->bytes && a->host == b->host &&
	       a->readonly == b->readonly;
}

/* The kernel changes that of a slot in use (api.rst, KVM_SET_USER_MEMORY_REGION). */
static void slot_set_log(struct kvm *kvm, struct kvm_slot *want, const struct kvm_slot *have)
{
	if (want->log == have->log && want->log_offset == have->log_offset)
		return;
	if (have->log)
		note_written(kvm, have);
	if (!want->log != !have->log && !set_region(kvm, want, want->bytes))
		slot_failed(want, "log writes to");
}

/* The whole pages of a range. */
static bool slot_of_range(const struct kvm *kvm, const struct view_range *r, struct kvm_slot *s)
{
	uint64_t start = ALIGN_UP(r->start, PAGE), end = ALIGN_DOWN(r->last + 1, PAGE);

	if (r->kind == REGION_IO || start >= end || r->last == UINT64_MAX)
		return false;
	*s = (struct kvm_slot){
		.gpa = start,
		.bytes = end - start,
		.host = r->host + (start - r->start),
		.readonly = r->kind == REGION_ROM && kvm_has(kvm, HAS_READONLY_MEM),
		.log = r->kind == REGION_RAM ? r->log : NULL,
		.log_offset = r->log ? r->region_offset + (start - r->start) : 0,
	};
	return ((uintptr_t)s->host & (PAGE - 1)) == 0;
}

static bool extends(const struct kvm_slot *a, const struct kvm_slot *b)
{
	return a->gpa + a->bytes == b->gpa && a->host + a->bytes == b->host &&
	       a->readonly == b->readonly && a->log == b->log &&
	       (!a->log || a->log_offset + a->bytes == b->log_offset);
}

static unsigned wanted_slots(const struct kvm *kvm, const struct mem_view *view,
			     struct kvm_slot *want)
{
	unsigned n = 0;

	for (unsigned i = 0; i < view->n; i++) {
		if (!slot_of_range(kvm, &view->ranges[i], &want[n]))
			continue;
		if (n && extends(&want[n - 1], &want[n]))
			want[n - 1].bytes += want[n].bytes;
		else
			n++;
	}
	return n;
}

/* Both lists are sorted by address. Those of HAVE that WANT has keep their number; the others are marked as gone. */
static unsigned match_slots(struct kvm *kvm, struct kvm_slot *want, unsigned n, bool *kept_want,
			    bool *kept_have)
{
	unsigned kept = 0;

	for (unsigned i = 0, j = 0; i < n; i++) {
		while (j < kvm->n_slots && kvm->slots[j].gpa < want[i].gpa)
			j++;
		if (j == kvm->n_slots || !slot_same(&want[i], &kvm->slots[j]))
			continue;
		want[i].id = kvm->slots[j].id;
		slot_set_log(kvm, &want[i], &kvm->slots[j]);
		kept_want[i] = kept_have[j] = true;
		kept++;
	}
	return kept;
}

static void sync_slots(struct kvm *kvm, const struct mem_view *view)
{
	struct kvm_slot *want = xzalloc((view->n + 1) * sizeof(*want));
	bool *kept_have = xzalloc(kvm->n_slots + 1), *kept_want = xzalloc(view->n + 1);
	unsigned n = wanted_slots(kvm, view, want);
	unsigned kept = match_slots(kvm, want, n, kept_want, kept_have);
	bool removing = kept != kvm->n_slots;

	/* A guest must not run into the gap between the removal of one slot and the making of its successor. */
	if (removing)
		kvm_hold_vcpus(kvm);
	for (unsigned j = 0; j < kvm->n_slots; j++)
		if (!kept_have[j])
			slot_remove(kvm, &kvm->slots[j]);
	for (unsigned i = 0; i < n; i++)
		if (!kept_want[i])
			slot_add(kvm, &want[i]);
	if (removing)
		kvm_let_vcpus_go(kvm);
	free(kept_have);
	free(kept_want);
	free(kvm->slots);
	kvm->slots = want;
	kvm->n_slots = n;
}

/* ---- doorbells ---- */

static bool doorbell_ioctl(struct kvm *kvm, const struct kvm_doorbell *d, uint32_t flags)
{
	struct kvm_ioeventfd io = {
		.addr = d->addr,
		.len = d->size,
		.datamatch = d->value,
		.fd = d->fd,
		.flags = flags | (d->match_value ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0) |
			 (d->pio ? KVM_IOEVENTFD_FLAG_PIO : 0),
	};

	return ioctl(kvm->vm, KVM_IOEVENTFD, &io) == 0;
}

static bool doorbell_same(const struct kvm_doorbell *a, const struct kvm_doorbell *b)
{
	return a->addr == b->addr && a->value == b->value && a->size == b->size &&
	       a->match_value == b->match_value && a->pio == b->pio && a->fd == b->fd;
}

static bool doorbell_in(const struct kvm_doorbell *list, unsigned n, const struct kvm_doorbell *d)
{
	for (unsigned i = 0; i < n; i++)
		if (doorbell_same(&list[i], d))
			return true;
	return false;
}

static unsigned view_doorbells(const struct kvm *kvm, const struct mem_view *view, bool pio,
			       struct kvm_doorbell *want)
{
	unsigned n = 0;

	for (unsigned i = 0; i < view->n; i++) {
		const struct view_range *r = &view->ranges[i];

		for (unsigned k = 0; k < r->n_doorbells; k++) {
			const struct region_doorbell *d = &r->doorbells[k];

			if (!d->size && (!kvm_has(kvm, HAS_IOEVENTFD_ANY_LENGTH) || d->match_value))
				continue;
			if (want)
				want[n] = (struct kvm_doorbell){
					.addr = r->start + (d->offset - r->region_offset),
					.value = d->match_value ? d->value : 0,
					.size = d->size,
					.match_value = d->match_value,
					.pio = pio,
					.fd = d->notifier->eventfd,
				};
			n++;
		}
	}
	return n;
}

/* One that the kernel refuses (there is a limit) stays a trap, which rings the same bell. */
static void sync_doorbells(struct kvm *kvm)
{
	const struct mem_view *mem = as_view_mt(&kvm->m->mem), *io = as_view_mt(&kvm->m->io);
	unsigned n_mem = view_doorbells(kvm, mem, false, NULL),
		 n_io = view_doorbells(kvm, io, true, NULL), n = 0;
	struct kvm_doorbell *want = xzalloc((n_mem + n_io + 1) * sizeof(*want));

	if (!kvm_has(kvm, HAS_IOEVENTFD) || (!n_mem && !n_io && !kvm->n_doorbells)) {
		free(want);
		return;
	}
	view_doorbells(kvm, mem, false, want);
	view_doorbells(kvm, io, true, want + n_mem);
	for (unsigned i = 0; i < kvm->n_doorbells; i++)
		if (!doorbell_in(want, n_mem + n_io, &kvm->doorbells[i]))
			doorbell_ioctl(kvm, &kvm->doorbells[i], KVM_IOEVENTFD_FLAG_DEASSIGN);
	for (unsigned i = 0; i < n_mem + n_io; i++)
		if (doorbell_in(kvm->doorbells, kvm->n_doorbells, &want[i]) ||
		    doorbell_ioctl(kvm, &want[i], 0))
			want[n++] = want[i];
	free(kvm->doorbells);
	kvm->doorbells = want;
	kvm->n_doorbells = n;
}

/* ---- coalesced regions ---- */

static void zone_ioctl(struct kvm *kvm, const struct kvm_zone *z, bool add)
{
	struct kvm_coalesced_mmio_zone zone = {
		.addr = z->addr, .size = (uint32_t)z->bytes, .pio = z->pio};

	ioctl(kvm->vm, add ? KVM_REGISTER_COALESCED_MMIO : KVM_UNREGISTER_COALESCED_MMIO, &zone);
}

static unsigned view_zones(const struct mem_view *view, bool pio, struct kvm_zone *want)
{
	unsigned n = 0;

	for (unsigned i = 0; i < view->n; i++) {
		const struct view_range *r = &view->ranges[i];

		if (!r->coalesced || r->last - r->start >= UINT32_MAX)
			continue;
		if (want)
			want[n] = (struct kvm_zone){
				.addr = r->start, .bytes = r->last - r->start + 1, .pio = pio};
		n++;
	}
	return n;
}

static bool zone_in(const struct kvm_zone *list, unsigned n, const struct kvm_zone *z)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i].addr == z->addr && list[i].bytes == z->bytes && list[i].pio == z->pio)
			return true;
	return false;
}

static void sync_zones(struct kvm *kvm)
{
	const struct mem_view *mem = as_view_mt(&kvm->m->mem), *io = as_view_mt(&kvm->m->io);
	unsigned n = kvm_has(kvm, HAS_COALESCED_MMIO) ? view_zones(mem, false, NULL) : 0;
	/* They use the same ring, which is there with the other capability. */
	bool has_io = kvm_has(kvm, HAS_COALESCED_MMIO) && kvm_has(kvm, HAS_COALESCED_PIO);
	unsigned n_io = has_io ? view_zones(io, true, NULL) : 0;
	struct kvm_zone *want;

	if (!n && !n_io && !kvm->n_zones)
		return;
	want = xzalloc((n + n_io + 1) * sizeof(*want));
	if (n)
		view_zones(mem, false, want);
	if (n_io)
		view_zones(io, true, want + n);
	n += n_io;
	for (unsigned i = 0; i < kvm->n_zones; i++)
		if (!zone_in(want, n, &kvm->zones[i]))
			zone_ioctl(kvm, &kvm->zones[i], false);
	for (unsigned i = 0; i < n; i++)
		if (!zone_in(kvm->zones, kvm->n_zones, &want[i]))
			zone_ioctl(kvm, &want[i], true);
	free(kvm->zones);
	kvm->zones = want;
	kvm->n_zones = n;
}

static bool ring_empty(const struct kvm *kvm)
{
	/* Whoever moved FIRST has passed the entries on before. */
	return !kvm->ring || __atomic_load_n(&kvm->ring->first, __ATOMIC_ACQUIRE) ==
				     __atomic_load_n(&kvm->ring->last, __ATOMIC_ACQUIRE);
}

static void ring_lock(struct kvm *kvm)
{
	while (__atomic_exchange_n(&kvm->ring_lock, 1, __ATOMIC_ACQUIRE))
		_mm_pause();
}

static void ring_unlock(struct kvm *kvm)
{
	__atomic_store_n(&kvm->ring_lock, 0, __ATOMIC_RELEASE);
}

/* The first entry is the kernel's again. */
static void ring_drop(struct kvm *kvm)
{
	uint32_t first = kvm->ring->first;

	__atomic_store_n(&kvm->ring->first, (first + 1) % kvm->ring_entries, __ATOMIC_RELEASE);
}

/* A copy of the first entry, if there is one of a size that exists; others are dropped. */
static bool ring_first(struct kvm *kvm, struct kvm_coalesced_mmio *entry)
{
	while (!ring_empty(kvm)) {
		*entry = kvm->ring->coalesced_mmio[kvm->ring->first % kvm->ring_entries];
		if (entry->len == 1 || entry->len == 2 || entry->len == 4 || entry->len == 8)
			return true;
		ring_drop(kvm);
	}
	return false;
}

/*
 * An entry leaves the ring after it was posted: another vCPU, whose write it may be, must not find the ring empty, and trap,
 * before it has its place.
 */
void kvm_take_coalesced(struct kvm_vcpu *kv)
{
	struct kvm *kvm = kv->kvm;
	struct kvm_coalesced_mmio e;

	if (ring_empty(kvm))
		return;
	ring_lock(kvm);
	for (; ring_first(kvm, &e); ring_drop(kvm))
		vcpu_post_write(kv->v, !e.pio, e.phys_addr, ldn_le(e.data, e.len), e.len);
	ring_unlock(kvm);
}

/* While the loop is awake anyway. Nobody's trap waits for what is in the ring then: its vCPU would have taken it along. */
static bool poll_ring(void *opaque)
{
	struct kvm *kvm = opaque;
	struct machine *m = kvm->m;
	struct kvm_coalesced_mmio e;

	if (ring_empty(kvm) || __atomic_exchange_n(&kvm->ring_lock, 1, __ATOMIC_ACQUIRE))
		return false;
	/* What vCPUs have put into their own rings is older. */
	if (vcpus_drain_posted(m))
		while (ring_first(kvm, &e)) {
			/* Nobody waits for it while a device is at work: a trap comes to this thread. */
			ring_drop(kvm);
			as_write(e.pio ? &m->io : &m->mem, e.phys_addr, ldn_le(e.data, e.len),
				 e.len);
		}
	ring_unlock(kvm);
	return true;
}

void kvm_coalesced_init(struct kvm *kvm, struct kvm_vcpu *kv)
{
	int page = kvm_cap(kvm, KVM_CAP_COALESCED_MMIO);

	if (kvm->ring || !kvm_has(kvm, HAS_COALESCED_MMIO))
		return;
	kvm->ring = (void *)((uint8_t *)kv->run + (size_t)page * PAGE);
	kvm->ring_entries = (PAGE - sizeof(*kvm->ring)) / sizeof(kvm->ring->coalesced_mmio[0]);
	loop_poller_add(&kvm->ring_poller, kvm->m->loop, "coalesced", poll_ring, kvm);
}

/* ---- all of it ---- */

void kvm_memory_changed(struct machine *m)
{
	struct kvm *kvm = kvm_of(m);

	if (!kvm || kvm->vm < 0)
		return;
	if (!kvm->slot_ids)
		kvm->slot_ids = xzalloc(kvm->max_slots);
	sync_slots(kvm, as_view_mt(&m->mem));
	sync_doorbells(kvm);
	sync_zones(kvm);
}

void kvm_memory_fini(struct kvm *kvm)
{
	if (kvm->ring)
		loop_poller_remove(&kvm->ring_poller);
	kvm->ring = NULL;
	free(kvm->slots);
	free(kvm->slot_ids);
	free(kvm->doorbells);
	free(kvm->zones);
}
