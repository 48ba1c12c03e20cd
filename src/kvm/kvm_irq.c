/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt controllers in the kernel (kernel-irqchip=on: 8259s, IOAPIC and local APICs, and the 8254; split: local APICs alone; off:
 * none, kvm_lapic.c), GSI routes, MSIs, irqfds; and what stands still with the machine: kvmclock and the 8254.
 *
 *	GSI 0-15	8259 pin of that number, but 2, which is the cascade
 *	GSI 0		IOAPIC pin 2
 *	GSI 1-23	IOAPIC pin of that number, but 2
 *	GSI 24-		MSIs of irqfds
 * With split, GSI 0-23 are what evmm's IOAPIC would send: the kernel wants to know which vectors' EOIs to report.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "src/cpu/lapic.h"
#include "src/kvm/kvm.h"

#define IOAPIC_PINS   24
#define FIRST_MSI_GSI 24
#define PIC_CASCADE   2
#define TIMER_PIN     2

#define APIC_LVT_LINT1	  0x360
#define LVT_MASKED	  BIT(16)
#define LVT_DELIVERY(lvt) ((lvt) >> 8 & 7)
#define LVT_NMI		  4

enum irqchip kvm_irqchip(const struct machine *m)
{
	return kvm_of(m)->irqchip;
}

/* ---- routes ---- */

static struct kvm_irq_routing_entry *new_route(struct kvm *kvm, uint32_t gsi, uint32_t type)
{
	struct kvm_irq_routing_entry *e;

	if (!kvm->routes || kvm->routes->nr == kvm->routes_room) {
		kvm->routes_room = kvm->routes_room ? kvm->routes_room * 2 : 64;
		kvm->routes =
			xrealloc(kvm->routes, sizeof(*kvm->routes) + kvm->routes_room * sizeof(*e));
		if (kvm->routes_room == 64)
			kvm->routes->nr = kvm->routes->flags = 0;
	}
	e = &kvm->routes->entries[kvm->routes->nr++];
	*e = (struct kvm_irq_routing_entry){.gsi = gsi, .type = type};
	kvm->gsi_used[gsi / 32] |= BIT(gsi % 32);
	return e;
}

static void chip_route(struct kvm *kvm, uint32_t gsi, uint32_t chip, uint32_t pin)
{
	struct kvm_irq_routing_entry *e = new_route(kvm, gsi, KVM_IRQ_ROUTING_IRQCHIP);

	e->u.irqchip.irqchip = chip;
	e->u.irqchip.pin = pin;
}

/* The destination's upper bits, 15-bit ids of address bits 5-11 included, go where KVM_CAP_X2APIC_API has them. */
static void put_msi(const struct kvm *kvm, uint64_t addr, uint32_t data, uint32_t *lo, uint32_t *hi,
		    uint32_t *to)
{
	uint32_t upper = (uint32_t)(addr >> 5 & 0x7f);

	*lo = (uint32_t)addr & ~0xfe0u;
	*hi = kvm_has(kvm, HAS_X2APIC_API) ? upper << 8 : 0;
	*to = data;
}

static void set_msi_route(struct kvm *kvm, struct kvm_irq_routing_entry *e, uint64_t addr,
			  uint32_t data)
{
	e->type = KVM_IRQ_ROUTING_MSI;
	put_msi(kvm, addr, data, &e->u.msi.address_lo, &e->u.msi.address_hi, &e->u.msi.data);
}

static struct kvm_irq_routing_entry *find_route(struct kvm *kvm, uint32_t gsi)
{
	for (unsigned i = 0; kvm->routes && i < kvm->routes->nr; i++)
		if (kvm->routes->entries[i].gsi == gsi)
			return &kvm->routes->entries[i];
	return NULL;
}

static void drop_route(struct kvm *kvm, uint32_t gsi)
{
	struct kvm_irq_routing_entry *e = find_route(kvm, gsi);

	if (!e)
		return;
	*e = kvm->routes->entries[--kvm->routes->nr];
	kvm->gsi_used[gsi / 32] &= ~BIT(gsi % 32);
}

static bool commit_routes(struct kvm *kvm)
{
	return ioctl(kvm->vm, KVM_SET_GSI_ROUTING, kvm->routes) == 0;
}

static void board_routes(struct kvm *kvm)
{
	for (unsigned gsi = 0; gsi < 16; gsi++)
		if (gsi != PIC_CASCADE)
			chip_route(kvm, gsi,
				   gsi < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE,
				   gsi & 7);
	chip_route(kvm, 0, KVM_IRQCHIP_IOAPIC, TIMER_PIN);
	for (unsigned gsi = 1; gsi < IOAPIC_PINS; gsi++)
		if (gsi != TIMER_PIN)
			chip_route(kvm, gsi, KVM_IRQCHIP_IOAPIC, gsi);
}

/* ---- the chips ---- */

static bool create_chips(struct kvm *kvm, struct error *err)
{
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};

	if (!kvm_has(kvm, HAS_PIT2))
		return error_set(err,
				 "-accel kvm: this host's KVM has no 8254 timer (KVM_CAP_PIT2); "
				 "kernel-irqchip=split does without");
	if (ioctl(kvm->vm, KVM_CREATE_IRQCHIP))
		return error_set_errno(err, errno, "KVM cannot make interrupt controllers");
	board_routes(kvm);
	if (!commit_routes(kvm))
		return error_set_errno(err, errno, "KVM refuses the interrupt routes");
	if (ioctl(kvm->vm, KVM_CREATE_PIT2, &pit))
		return error_set_errno(err, errno, "KVM cannot make an 8254 timer");
	return true;
}

static bool split_chips(struct kvm *kvm, struct error *err)
{
	if (!kvm_has(kvm, HAS_SPLIT_IRQCHIP) ||
	    !kvm_enable_cap(kvm->vm, KVM_CAP_SPLIT_IRQCHIP, IOAPIC_PINS))
		return error_set(err, "-accel kvm: this host's KVM cannot do kernel-irqchip=split "
				      "(KVM_CAP_SPLIT_IRQCHIP); off and on are left");
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		set_msi_route(kvm, new_route(kvm, pin, KVM_IRQ_ROUTING_MSI), 0, 0);
	return commit_routes(kvm) ||
	       error_set_errno(err, errno, "KVM refuses the interrupt routes");
}

bool kvm_irq_init(struct kvm *kvm, struct error *err)
{
	const char *missing;

	if (kvm->irqchip == IRQCHIP_NONE)
		return true;
	missing = !kvm_has(kvm, HAS_IRQCHIP)	   ? "KVM_CAP_IRQCHIP"
		  : !kvm_has(kvm, HAS_SIGNAL_MSI)  ? "KVM_CAP_SIGNAL_MSI"
		  : !kvm_has(kvm, HAS_IRQ_ROUTING) ? "KVM_CAP_IRQ_ROUTING"
						   : NULL;
	if (missing)
		return error_set(
			err,
			"-accel kvm: this host's KVM lacks %s: it has no interrupt controllers "
			"that would do; kernel-irqchip=off does without",
			missing);
	if (kvm->irqchip == IRQCHIP_KERNEL ? !create_chips(kvm, err) : !split_chips(kvm, err))
		return false;
	if (kvm_has(kvm, HAS_X2APIC_API) &&
	    !kvm_enable_cap(kvm->vm, KVM_CAP_X2APIC_API,
			    KVM_X2APIC_API_USE_32BIT_IDS | KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK))
		kvm->has &= ~(1ull << HAS_X2APIC_API);
	return true;
}

void kvm_irq_fini(struct kvm *kvm)
{
	free(kvm->routes);
}

/* ---- what stands still with the machine ---- */

static void pause_clocks(struct kvm *kvm)
{
	struct kvm_clock_data data = {0};

	if (kvm->clock_saved)
		return;
	kvm->clock_saved = true;
	if (kvm_has(kvm, HAS_ADJUST_CLOCK) && !ioctl(kvm->vm, KVM_GET_CLOCK, &data))
		kvm->clock = data.clock;
	if (kvm->irqchip == IRQCHIP_KERNEL && kvm_has(kvm, HAS_PIT2))
		kvm->has_paused_pit = !ioctl(kvm->vm, KVM_GET_PIT2, &kvm->paused_pit);
	kvm->paused_pit_ns = clock_now_ns(loop_clock_host(kvm->m->loop));
	/* Not an error: that this vCPU has no kvmclock. */
	for (unsigned i = 0; kvm_has(kvm, HAS_KVMCLOCK_CTRL) && i < kvm->m->n_vcpus; i++)
		ioctl(kvm_vcpu_of(kvm->m->vcpus[i])->fd, KVM_KVMCLOCK_CTRL);
}

static void resume_clocks(struct kvm *kvm)
{
	struct kvm_clock_data data = {.clock = kvm->clock};

	if (!kvm->clock_saved)
		return;
	kvm->clock_saved = false;
	if (kvm_has(kvm, HAS_ADJUST_CLOCK))
		ioctl(kvm->vm, KVM_SET_CLOCK, &data);
	/* It has gone on counting, and would make up for all the ticks. */
	if (kvm->has_paused_pit)
		ioctl(kvm->vm, KVM_SET_PIT2, &kvm->paused_pit);
	kvm->has_paused_pit = false;
}

void kvm_clock_paused(struct machine *m, bool paused)
{
	if (paused)
		pause_clocks(kvm_of(m));
	else
		resume_clocks(kvm_of(m));
}

/* ---- interrupts ---- */

void kvm_gsi_set(struct machine *m, unsigned gsi, bool level)
{
	struct kvm_irq_level line = {.irq = gsi, .level = level};

	ioctl(kvm_of(m)->vm, KVM_IRQ_LINE, &line);
}

void kvm_pit_replaced(struct machine *m, bool replaced)
{
	struct kvm *kvm = kvm_of(m);
	struct kvm_pit_state2 pit;
	uint32_t flags;

	if (kvm->irqchip != IRQCHIP_KERNEL || ioctl(kvm->vm, KVM_GET_PIT2, &pit))
		return;
	flags = (pit.flags & ~(uint32_t)KVM_PIT_FLAGS_HPET_LEGACY) |
		(replaced ? KVM_PIT_FLAGS_HPET_LEGACY : 0);
	if (flags == pit.flags)
		return;
	pit.flags = flags;
	ioctl(kvm->vm, KVM_SET_PIT2, &pit);
}

bool kvm_pit_reinject(struct machine *m, bool reinject, struct error *err)
{
	struct kvm *kvm = kvm_of(m);
	struct kvm_reinject_control control = {.pit_reinject = reinject};

	if (!kvm_has(kvm, HAS_REINJECT_CONTROL))
		return reinject || /* which is what it does by itself */
		       error_set(err, "-accel kvm: this host's KVM drops no ticks of the 8254 "
				      "(KVM_CAP_REINJECT_CONTROL)");
	return !ioctl(kvm->vm, KVM_REINJECT_CONTROL, &control) ||
	       error_set_errno(err, errno, "KVM refuses the 8254's policy for late ticks");
}

void kvm_msi_send(struct machine *m, uint64_t addr, uint32_t data)
{
	struct kvm *kvm = kvm_of(m);
	struct kvm_msi msi = {0};

	if (kvm->irqchip == IRQCHIP_NONE) {
		lapic_msi_mt(m, addr, data);
		return;
	}
	put_msi(kvm, addr, data, &msi.address_lo, &msi.address_hi, &msi.data);
	ioctl(kvm->vm, KVM_SIGNAL_MSI, &msi);
}

/*
 * For split: a level-triggered vector's EOI is reported (KVM_EXIT_IOAPIC_EOI) when a route of these GSIs has it. So a pin that is
 * masked keeps its route: what it has sent before may still be in service.
 */
void kvm_ioapic_route(struct machine *m, unsigned pin, uint64_t addr, uint32_t data, bool masked)
{
	struct kvm *kvm = kvm_of(m);
	struct kvm_irq_routing_entry *e;

	if (kvm->irqchip != IRQCHIP_SPLIT || pin >= IOAPIC_PINS || masked)
		return;
	e = find_route(kvm, pin);
	set_msi_route(kvm, e, addr, data);
	commit_routes(kvm);
}

void kvm_set_intr(struct machine *m, bool level)
{
	struct kvm *kvm = kvm_of(m);

	if (kvm->irqchip == IRQCHIP_NONE) {
		if (m->n_vcpus)
			lapic_set_lint0_mt(m->vcpus[0]->lapic, level);
		return;
	}
	__atomic_store_n(&kvm->intr, level, __ATOMIC_SEQ_CST);
	if (level && m->n_vcpus)
		vcpu_request_mt(m->vcpus[0], VCPU_REQ_INTR);
}

void kvm_inject_nmi(struct vcpu *v)
{
	if (v->lapic)
		lapic_nmi_mt(v->lapic);
	else
		vcpu_request_mt(v, VCPU_REQ_NMI);
}

/* ---- irqfds ---- */

static bool irqfd_ioctl(struct kvm *kvm, const struct accel_irqfd *irqfd, uint32_t flags)
{
	struct kvm_irqfd io = {.fd = (uint32_t)irqfd->fd,
			       .gsi = irqfd->msi ? (uint32_t)irqfd->route : irqfd->gsi,
			       .flags = flags};

	if (irqfd->resample_fd >= 0 && !(flags & KVM_IRQFD_FLAG_DEASSIGN)) {
		io.flags |= KVM_IRQFD_FLAG_RESAMPLE;
		io.resamplefd = (uint32_t)irqfd->resample_fd;
	}
	return ioctl(kvm->vm, KVM_IRQFD, &io) == 0;
}

static int free_gsi(const struct kvm *kvm)
{
	for (unsigned gsi = FIRST_MSI_GSI; gsi < kvm->max_routes; gsi++)
		if (!(kvm->gsi_used[gsi / 32] & BIT(gsi % 32)))
			return (int)gsi;
	return -1;
}

bool kvm_irqfd_add(struct machine *m, struct accel_irqfd *irqfd, struct error *err)
{
	struct kvm *kvm = kvm_of(m);

	if (!kvm_has(kvm, HAS_IRQFD) || kvm->irqchip == IRQCHIP_NONE ||
	    (irqfd->resample_fd >= 0 && !kvm_has(kvm, HAS_IRQFD_RESAMPLE)) ||
	    (!irqfd->msi && kvm->irqchip != IRQCHIP_KERNEL) ||
	    (irqfd->msi && !kvm_has(kvm, HAS_IRQ_ROUTING)))
		return error_set(err, "this accelerator has no irqfd of that kind");
	if (irqfd->msi) {
		irqfd->route = free_gsi(kvm);
		if (irqfd->route < 0)
			return error_set(err, "all %u interrupt routes are taken", kvm->max_routes);
		set_msi_route(kvm, new_route(kvm, (uint32_t)irqfd->route, KVM_IRQ_ROUTING_MSI),
			      irqfd->addr, irqfd->data);
		if (!commit_routes(kvm)) {
			drop_route(kvm, (uint32_t)irqfd->route);
			return error_set_errno(err, errno, "KVM refuses an interrupt route");
		}
	}
	if (irqfd_ioctl(kvm, irqfd, 0))
		return true;
	error_set_errno(err, errno, "KVM refuses an irqfd");
	if (irqfd->msi) {
		drop_route(kvm, (uint32_t)irqfd->route);
		commit_routes(kvm);
	}
	return false;
}

bool kvm_irqfd_update(struct machine *m, struct accel_irqfd *irqfd, struct error *err)
{
	struct kvm *kvm = kvm_of(m);

	set_msi_route(kvm, find_route(kvm, (uint32_t)irqfd->route), irqfd->addr, irqfd->data);
	return commit_routes(kvm) || error_set_errno(err, errno, "KVM refuses an interrupt route");
}

void kvm_irqfd_remove(struct machine *m, struct accel_irqfd *irqfd)
{
	struct kvm *kvm = kvm_of(m);

	irqfd_ioctl(kvm, irqfd, KVM_IRQFD_FLAG_DEASSIGN);
	if (!irqfd->msi)
		return;
	drop_route(kvm, (uint32_t)irqfd->route);
	commit_routes(kvm);
}
