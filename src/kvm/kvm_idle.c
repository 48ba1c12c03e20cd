/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vCPUs that the kernel lets sleep. With local APICs in the kernel a HLT, or the wait for a start-up IPI, stays inside KVM_RUN, and
 * nobody is told; yet whether somebody may spin (src/vcpu.h) depends on how many threads want a host CPU. So the loop looks, while
 * it is awake and once in some milliseconds, how much CPU time each vCPU's thread has had since, and takes those with little of it out of
 * the count. One that comes out of KVM_RUN puts itself back in.
 */
#include <time.h>
#include <x86intrin.h>
#include "src/clock.h"
#include "src/kvm/kvm.h"

#define IDLE_LOOK_TSC \
	10000000     /* host TSC ticks: the clock would cost as much as the rest of a turn */
#define IDLE_SHARE 4 /* less than a fourth of the time: idle */

static int64_t thread_ns(const struct vcpu *v)
{
	struct timespec ts;
	clockid_t id;

	if (pthread_getcpuclockid(v->thread, &id) || clock_gettime(id, &ts))
		return INT64_MAX;
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static void set_idle(struct kvm_vcpu *kv, bool idle)
{
	uint32_t was = __atomic_exchange_n(&kv->idle, idle, __ATOMIC_RELAXED);

	if (was != idle)
		loop_busy_add_mt(kv->kvm->m->loop, idle ? -1 : 1);
}

void kvm_not_idle(struct kvm_vcpu *kv)
{
	if (unlikely(__atomic_load_n(&kv->idle, __ATOMIC_RELAXED)))
		set_idle(kv, false);
}

static bool look(void *opaque)
{
	struct kvm *kvm = opaque;
	uint64_t tsc = __rdtsc();
	int64_t now, past;

	if (tsc - kvm->idle_looked_tsc < IDLE_LOOK_TSC)
		return false;
	now = clock_now_ns(loop_clock_host(kvm->m->loop));
	past = now - kvm->idle_looked_ns;
	kvm->idle_looked_tsc = tsc;
	kvm->idle_looked_ns = now;
	for (unsigned i = 0; i < kvm->m->n_vcpus; i++) {
		struct vcpu *v = kvm->m->vcpus[i];
		struct kvm_vcpu *kv = v->accel;
		int64_t had;

		if (!kv || !v->thread_started)
			continue;
		had = thread_ns(v);
		/* Outside KVM_RUN it counts itself; what it sets here would be taken for a sleep of the kernel's. */
		if (__atomic_load_n(&kv->in_guest, __ATOMIC_ACQUIRE))
			set_idle(kv, had - kv->cpu_ns < past / IDLE_SHARE);
		kv->cpu_ns = had;
	}
	return false;
}

void kvm_idle_init(struct kvm *kvm)
{
	loop_poller_add(&kvm->idle_poller, kvm->m->loop, "kvm-idle", look, kvm);
}

void kvm_idle_fini(struct kvm *kvm)
{
	loop_poller_remove(&kvm->idle_poller);
}
