/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's thread: requests, KVM_RUN, and what it returns with (api.rst, section 5). kvm.h tells how kicks work. */
#include <errno.h>
#include <immintrin.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "src/cpu/lapic.h"
#include "src/kvm/kvm.h"
#include "src/log.h"

/* ---- kicks, and keeping everybody out ---- */

static void on_kick(int signum)
{
}

void kvm_kick(struct vcpu *v)
{
	struct kvm_vcpu *kv = v->accel;

	if (!kv)
		return;
	__atomic_store_n(&kv->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&kv->in_guest, __ATOMIC_SEQ_CST))
		pthread_kill(v->thread, KVM_SIG_KICK);
}

void kvm_hold_vcpus(struct kvm *kvm)
{
	__atomic_store_n(&kvm->hold, 1, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < kvm->m->n_vcpus; i++)
		kvm_kick(kvm->m->vcpus[i]);
	for (unsigned i = 0; i < kvm->m->n_vcpus; i++) {
		struct kvm_vcpu *kv = kvm->m->vcpus[i]->accel;

		while (kv && __atomic_load_n(&kv->in_guest, __ATOMIC_ACQUIRE))
			_mm_pause();
	}
}

void kvm_let_vcpus_go(struct kvm *kvm)
{
	__atomic_store_n(&kvm->hold, 0, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &kvm->hold, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

/* KVM_RUN; false with errno when it was not, or was interrupted. */
static bool enter_guest(struct kvm_vcpu *kv)
{
	struct kvm *kvm = kv->kvm;
	int rc, error;

	vcpu_views_drop(kv->v);
	for (;;) {
		__atomic_store_n(&kv->in_guest, 1, __ATOMIC_SEQ_CST);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (likely(!__atomic_load_n(&kvm->hold, __ATOMIC_SEQ_CST)))
			break;
		__atomic_store_n(&kv->in_guest, 0, __ATOMIC_SEQ_CST);
		syscall(SYS_futex, &kvm->hold, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
	}
	if (kv->v->lapic)
		kv->run->cr8 = lapic_get_tpr(kv->v->lapic) >> 4;
	rc = ioctl(kv->fd, KVM_RUN, 0);
	error = errno;
	__atomic_store_n(&kv->in_guest, 0, __ATOMIC_RELEASE);
	kvm_not_idle(kv);
	vcpu_views_hold(kv->v);
	kv->incomplete = false;
	if (kv->v->lapic)
		kvm_lapic_after_run(kv);
	errno = error;
	return rc == 0;
}

/* ---- I/O ---- */

static void exit_io(struct kvm_vcpu *kv)
{
	struct kvm_run *run = kv->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	unsigned size = run->io.size, count = run->io.count;
	uint16_t port = run->io.port;
	bool write = run->io.direction == KVM_EXIT_IO_OUT;

	kv->incomplete = true;
	if (count != 1) {
		if (write)
			vcpu_pio_write_string(kv->v, port, data, size, count);
		else
			vcpu_pio_read_string(kv->v, port, data, size, count);
	} else if (write) {
		vcpu_pio_write(kv->v, port, ldn_le(data, size), size);
	} else {
		stn_le(data, size, vcpu_pio_read(kv->v, port, size));
	}
}

/* Up to 8 bytes, which may be 3 or 5 where an access crosses a page. */
static void exit_mmio(struct kvm_vcpu *kv)
{
	struct kvm_run *run = kv->run;
	uint64_t gpa = run->mmio.phys_addr;
	unsigned len = run->mmio.len;

	kv->incomplete = true;
	if (kvm_lapic_access(kv, gpa, run->mmio.data, len, run->mmio.is_write))
		return;
	for (unsigned done = 0, n; done < len; done += n) {
		uint8_t *data = run->mmio.data + done;

		n = 8;
		while (n > len - done)
			n /= 2;
		if (run->mmio.is_write)
			vcpu_mmio_write(kv->v, gpa + done, ldn_le(data, n), n);
		else
			stn_le(data, n, vcpu_mmio_read(kv->v, gpa + done, n));
	}
}

/* ---- interrupts of ours: the interrupt window ---- */

/* Is there one? Of our 8259s, or of our local APIC, which knows of the 8259s. */
static bool has_interrupt(const struct kvm_vcpu *kv)
{
	const struct kvm *kvm = kv->kvm;

	if (kv->v->lapic)
		return lapic_has_interrupt(kv->v->lapic);
	return kvm->irqchip == IRQCHIP_SPLIT && kv->v->index == 0 &&
	       __atomic_load_n(&kvm->intr, __ATOMIC_SEQ_CST);
}

static int take_interrupt(struct kvm_vcpu *kv)
{
	return kv->v->lapic ? lapic_ack_interrupt(kv->v->lapic) : vcpu_intack(kv->v);
}

/* The kernel gets one when it can take it now; else it is to say when it can. */
static void offer_interrupt(struct kvm_vcpu *kv)
{
	struct kvm_interrupt irq;
	int vector;

	kv->run->request_interrupt_window = 0;
	if (!has_interrupt(kv))
		return;
	if (!kv->run->ready_for_interrupt_injection) {
		kv->run->request_interrupt_window = 1;
		return;
	}
	vector = take_interrupt(kv);
	if (vector < 0)
		return;
	irq.irq = (uint32_t)vector;
	kv->run->ready_for_interrupt_injection = 0;
	if (ioctl(kv->fd, KVM_INTERRUPT, &irq))
		log_printf(LOG_INT, "cpu %u: KVM refuses vector %02x: %s\n", kv->v->index, irq.irq,
			   strerror(errno));
	kv->run->request_interrupt_window = has_interrupt(kv);
}

/* ---- requests ---- */

/* Lets the kernel finish the instruction whose I/O was answered; it may come back with more of it. */
void kvm_complete_io(struct kvm_vcpu *kv)
{
	while (kv->incomplete) {
		__atomic_store_n(&kv->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
		if (!enter_guest(kv))
			return;
		kvm_take_coalesced(kv);
		if (kv->run->exit_reason == KVM_EXIT_IO)
			exit_io(kv);
		else if (kv->run->exit_reason == KVM_EXIT_MMIO)
			exit_mmio(kv);
	}
}

/* As KVM_NMI's description has it: what LINT1 makes of it. */
static void send_nmi(struct kvm_vcpu *kv)
{
	struct kvm_lapic_state lapic;
	uint32_t lvt;

	if (kv->kvm->irqchip != IRQCHIP_NONE) {
		if (ioctl(kv->fd, KVM_GET_LAPIC, &lapic))
			return;
		lvt = (uint32_t)ldn_le(lapic.regs + 0x360, 4);
		if ((lvt & BIT(16)) || (lvt >> 8 & 7) != 4)
			return;
	}
	ioctl(kv->fd, KVM_NMI);
}

/* False: the thread ends. */
static bool serve(struct kvm_vcpu *kv)
{
	uint32_t requests;

	/* Before the requests are looked at: a kick that comes later stays. */
	__atomic_exchange_n(&kv->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	requests = vcpu_take_requests(kv->v);
	if (likely(!requests))
		return true;
	if (requests & VCPU_REQ_EXIT)
		return false;
	if (requests & VCPU_REQ_NMI)
		send_nmi(kv);
	if (requests & VCPU_REQ_PAUSE) {
		kvm_complete_io(kv);
		kvm_take_coalesced(kv);
		vcpu_park(kv->v);
		vcpu_views_hold(kv->v);
		if (kv->v->lapic)
			lapic_rearm(kv->v->lapic);
	}
	return true;
}

/* ---- the thread ---- */

static void handle_exit(struct kvm_vcpu *kv)
{
	struct kvm_run *run = kv->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		exit_io(kv);
		break;
	case KVM_EXIT_MMIO:
		exit_mmio(kv);
		break;
	case KVM_EXIT_HLT:
		/* The kernel's local APIC sleeps there by itself; without one it is told to us. */
		kv->halted = true;
		break;
	case KVM_EXIT_SET_TPR: /* it is lower now, and has come along */
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_INTR:
		break;
	case KVM_EXIT_SHUTDOWN:
		vcpu_shutdown(kv->v);
		break;
	case KVM_EXIT_IOAPIC_EOI:
		vcpu_post_eoi(kv->v, run->eoi.vector);
		break;
	case KVM_EXIT_DEBUG:
		kvm_exit_debug(kv);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		kvm_exit_system_event(kv);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		kvm_exit_internal_error(kv);
		break;
	case KVM_EXIT_FAIL_ENTRY:
		kvm_exit_fail_entry(kv);
		break;
	default:
		kvm_exit_unknown(kv);
		break;
	}
}

static void unblock_kicks(void)
{
	struct sigaction sa = {.sa_handler = on_kick};
	sigset_t set;

	sigaction(KVM_SIG_KICK, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, KVM_SIG_KICK);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void kvm_vcpu_run(struct vcpu *v)
{
	struct kvm_vcpu *kv = v->accel;

	unblock_kicks();
	if (v->lapic && !lapic_thread_begin(v->lapic)) {
		report_error("no timer for vCPU %u can be had from the host", v->index);
		abort();
	}
	vcpu_views_hold(v);
	while (serve(kv)) {
		if (v->lapic && !kvm_lapic_before_run(kv))
			continue;
		offer_interrupt(kv);
		if (likely(enter_guest(kv))) {
			kvm_take_coalesced(kv);
			handle_exit(kv);
		} else if (errno != EINTR && errno != EAGAIN) {
			kvm_exit_run_failed(kv, errno);
		} else {
			kvm_take_coalesced(kv);
		}
	}
	vcpu_views_drop(v);
	if (v->lapic)
		lapic_thread_end(v->lapic);
}

/* ---- life ---- */

static bool map_run(struct kvm_vcpu *kv, struct error *err)
{
	void *run = mmap(NULL, kv->kvm->run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, kv->fd, 0);

	if (run == MAP_FAILED)
		return error_set_errno(err, errno, "KVM: cannot map the state of vCPU %u",
				       kv->v->index);
	kv->run = run;
	return true;
}

static bool create(struct kvm_vcpu *kv, struct error *err)
{
	int max_id = kvm_cap(kv->kvm, KVM_CAP_MAX_VCPU_ID);

	if (max_id > 0 && kv->v->apic_id >= (uint32_t)max_id)
		return error_set(err,
				 "-smp: CPU %u would have APIC id %u, this host's KVM has %d "
				 "at most",
				 kv->v->index, kv->v->apic_id, max_id - 1);
	kv->fd = ioctl(kv->kvm->vm, KVM_CREATE_VCPU, (unsigned long)kv->v->apic_id);
	if (kv->fd < 0)
		return error_set_errno(err, errno, "KVM cannot make vCPU %u", kv->v->index);
	return map_run(kv, err);
}

bool kvm_vcpu_init(struct vcpu *v, struct error *err)
{
	struct kvm_vcpu *kv = xzalloc(sizeof(*kv));
	struct kvm *kvm = kvm_of(v->machine);

	kv->v = v;
	kv->kvm = kvm;
	kv->fd = -1;
	v->accel = kv;
	kvm_lapic_init(kv);
	if (!create(kv, err) || !kvm_cpu_apply(kvm->model, v, kv->fd, err) ||
	    !kvm_state_init(kv, err))
		return false;
	kvm_coalesced_init(kvm, kv);
	kvm_vcpu_reset(v);
	return true;
}

void kvm_vcpu_fini(struct vcpu *v)
{
	struct kvm_vcpu *kv = v->accel;

	kvm_state_fini(kv);
	lapic_free(v->lapic);
	if (kv->run && kv->kvm->ring && (uint8_t *)kv->kvm->ring > (uint8_t *)kv->run &&
	    (uint8_t *)kv->kvm->ring < (uint8_t *)kv->run + kv->kvm->run_bytes) {
		loop_poller_remove(&kv->kvm->ring_poller);
		kv->kvm->ring = NULL;
	}
	if (kv->run)
		munmap(kv->run, kv->kvm->run_bytes);
	if (kv->fd >= 0)
		close(kv->fd);
	free(kv);
	v->accel = NULL;
}
