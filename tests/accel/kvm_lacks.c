/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A /dev/kvm that is worse than the host's, by LD_PRELOAD; tests/boot/systems_kvm.py:
 *
 *	KVM_LACKS=KVM_CAP_A,KVM_CAP_B	capabilities that are not there, nor are the requests that belong to them: whoever makes one all the
 *					same is told on of, on stderr
 *	KVM_OPEN=ERRNO			/dev/kvm cannot be opened, for that reason, by its number
 *	KVM_VERSION=N			of the API
 *	KVM_FAILS=REQUEST:ERRNO		by their numbers: one that always fails
 *	KVM_CPUINFO=FILE		stands for /proc/cpuinfo
 *	KVM_RUN_EXIT=N:REASON[:A[:B]]	the Nth KVM_RUN returns with exit reason REASON, and A and B in the fields of its own
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#ifndef KVM_CAP_XSAVE2
#define KVM_CAP_XSAVE2 208
#endif
#ifndef KVM_CAP_X86_TRIPLE_FAULT_EVENT
#define KVM_CAP_X86_TRIPLE_FAULT_EVENT 218
#endif

#define CAP(name, ...)              \
	{                           \
#name, name,        \
		{                   \
			__VA_ARGS__ \
		}                   \
	}

static const struct {
	const char *name;
	unsigned cap;
	unsigned long requests[4];
} caps[] = {
	CAP(KVM_CAP_USER_MEMORY),
	CAP(KVM_CAP_DESTROY_MEMORY_REGION_WORKS),
	CAP(KVM_CAP_JOIN_MEMORY_REGIONS_WORKS),
	CAP(KVM_CAP_SET_TSS_ADDR),
	CAP(KVM_CAP_EXT_CPUID),
	CAP(KVM_CAP_MP_STATE),
	CAP(KVM_CAP_VCPU_EVENTS),
	CAP(KVM_CAP_XSAVE),
	CAP(KVM_CAP_IMMEDIATE_EXIT),
	CAP(KVM_CAP_IRQCHIP, KVM_CREATE_IRQCHIP, KVM_GET_LAPIC),
	CAP(KVM_CAP_READONLY_MEM),
	CAP(KVM_CAP_IRQ_ROUTING, KVM_SET_GSI_ROUTING),
	CAP(KVM_CAP_SIGNAL_MSI, KVM_SIGNAL_MSI),
	CAP(KVM_CAP_IRQFD, KVM_IRQFD),
	CAP(KVM_CAP_IRQFD_RESAMPLE),
	CAP(KVM_CAP_IOEVENTFD, KVM_IOEVENTFD),
	CAP(KVM_CAP_IOEVENTFD_ANY_LENGTH),
	CAP(KVM_CAP_COALESCED_MMIO, KVM_REGISTER_COALESCED_MMIO),
	CAP(KVM_CAP_COALESCED_PIO),
	CAP(KVM_CAP_SPLIT_IRQCHIP),
	CAP(KVM_CAP_PIT2, KVM_CREATE_PIT2, KVM_GET_PIT2, KVM_SET_PIT2),
	CAP(KVM_CAP_X2APIC_API),
	CAP(KVM_CAP_TSC_DEADLINE_TIMER),
	CAP(KVM_CAP_ADJUST_CLOCK, KVM_GET_CLOCK, KVM_SET_CLOCK),
	CAP(KVM_CAP_KVMCLOCK_CTRL, KVM_KVMCLOCK_CTRL),
	CAP(KVM_CAP_XCRS, KVM_GET_XCRS, KVM_SET_XCRS),
	CAP(KVM_CAP_DEBUGREGS, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS),
	CAP(KVM_CAP_SET_GUEST_DEBUG, KVM_SET_GUEST_DEBUG),
	CAP(KVM_CAP_TSC_CONTROL, KVM_SET_TSC_KHZ),
	CAP(KVM_CAP_EXCEPTION_PAYLOAD),
	CAP(KVM_CAP_X86_TRIPLE_FAULT_EVENT),
	CAP(KVM_CAP_MCE, KVM_X86_SETUP_MCE),
	CAP(KVM_CAP_X86_DISABLE_EXITS),
	CAP(KVM_CAP_XSAVE2),
};

#define N_CAPS (sizeof(caps) / sizeof(caps[0]))

static struct kvm_run *run;
static int vcpu = -1;
static unsigned runs;

static int lacks(const char *name)
{
	const char *list = getenv("KVM_LACKS");
	size_t n = strlen(name);

	for (const char *p = list; p && (p = strstr(p, name)); p += n)
		if ((p == list || p[-1] == ',') && (p[n] == ',' || !p[n]))
			return 1;
	return 0;
}

static int told_on(const char *name)
{
	fprintf(stderr, "kvm_lacks: used all the same: %s\n", name);
	errno = ENOTTY;
	return -1;
}

static const char *refused(unsigned long request, void *arg)
{
	const struct kvm_userspace_memory_region *region = arg;
	const struct kvm_coalesced_mmio_zone *zone = arg;
	const struct kvm_enable_cap *enable = arg;
	const struct kvm_irqfd *irqfd = arg;

	for (unsigned i = 0; i < N_CAPS; i++) {
		if (!lacks(caps[i].name))
			continue;
		for (unsigned k = 0; k < 4 && caps[i].requests[k]; k++)
			if (caps[i].requests[k] == request)
				return caps[i].name;
		if (request == KVM_ENABLE_CAP && enable->cap == caps[i].cap)
			return caps[i].name;
	}
	if (request == KVM_SET_USER_MEMORY_REGION && (region->flags & KVM_MEM_READONLY) &&
	    lacks("KVM_CAP_READONLY_MEM"))
		return "KVM_CAP_READONLY_MEM";
	if (request == KVM_REGISTER_COALESCED_MMIO && zone->pio && lacks("KVM_CAP_COALESCED_PIO"))
		return "KVM_CAP_COALESCED_PIO";
	if (request == KVM_IRQFD && (irqfd->flags & KVM_IRQFD_FLAG_RESAMPLE) &&
	    lacks("KVM_CAP_IRQFD_RESAMPLE"))
		return "KVM_CAP_IRQFD_RESAMPLE";
	return NULL;
}

/* Exit reason and what comes with it. */
static int run_exit(void)
{
	const char *what = getenv("KVM_RUN_EXIT");
	unsigned long long n = 0, reason = 0, a = 0, b = 0;

	if (!what || !run || sscanf(what, "%llu:%llu:%llu:%llu", &n, &reason, &a, &b) < 2 ||
	    ++runs != n)
		return 0;
	run->exit_reason = (uint32_t)reason;
	if (reason == KVM_EXIT_FAIL_ENTRY) {
		run->fail_entry.hardware_entry_failure_reason = a;
	} else if (reason == KVM_EXIT_SYSTEM_EVENT) {
		run->system_event.type = (uint32_t)a;
	} else if (reason == KVM_EXIT_UNKNOWN) {
		run->hw.hardware_exit_reason = a;
	} else {
		run->internal.suberror = (uint32_t)a;
		run->internal.ndata = 1;
		run->internal.data[0] = b;
	}
	return 1;
}

int ioctl(int fd, unsigned long request, ...)
{
	static int (*next)(int, unsigned long, ...);
	const char *fails = getenv("KVM_FAILS"), *version = getenv("KVM_VERSION"), *name;
	va_list ap;
	void *arg;
	int rc;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (!next)
		next = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
	if ((request >> 8 & 0xff) != KVMIO)
		return next(fd, request, arg);
	if (fails && strtoul(fails, NULL, 0) == request) {
		errno = atoi(strchr(fails, ':') + 1);
		return -1;
	}
	if (request == KVM_GET_API_VERSION && version)
		return atoi(version);
	for (unsigned i = 0; request == KVM_CHECK_EXTENSION && i < N_CAPS; i++)
		if ((uintptr_t)arg == caps[i].cap && lacks(caps[i].name))
			return 0;
	name = refused(request, arg);
	if (name)
		return told_on(name);
	if (request == KVM_RUN && fd == vcpu && run_exit())
		return 0;
	rc = next(fd, request, arg);
	if (request == KVM_CREATE_VCPU && vcpu < 0)
		vcpu = rc;
	return rc;
}

static void *note_run(void *mapped, int fd)
{
	if (mapped != MAP_FAILED && fd >= 0 && fd == vcpu)
		run = mapped;
	return mapped;
}

void *mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	static void *(*next)(void *, size_t, int, int, int, off_t);

	if (!next)
		next = (void *(*)(void *, size_t, int, int, int, off_t))dlsym(RTLD_NEXT, "mmap");
	return note_run(next(addr, bytes, prot, flags, fd, offset), fd);
}

void *mmap64(void *addr, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	return mmap(addr, bytes, prot, flags, fd, offset);
}

int open(const char *path, int flags, ...)
{
	static int (*next)(const char *, int, ...);
	const char *error = getenv("KVM_OPEN");
	va_list ap;
	unsigned mode;

	va_start(ap, flags);
	mode = va_arg(ap, unsigned);
	va_end(ap);
	if (!next)
		next = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
	if (error && !strcmp(path, "/dev/kvm")) {
		errno = atoi(error);
		return -1;
	}
	return next(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list ap;
	unsigned mode;

	va_start(ap, flags);
	mode = va_arg(ap, unsigned);
	va_end(ap);
	return open(path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
	static FILE *(*next)(const char *, const char *);
	const char *cpuinfo = getenv("KVM_CPUINFO");

	if (!next)
		next = (FILE * (*)(const char *, const char *)) dlsym(RTLD_NEXT, "fopen");
	return next(cpuinfo && !strcmp(path, "/proc/cpuinfo") ? cpuinfo : path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
	return fopen(path, mode);
}
