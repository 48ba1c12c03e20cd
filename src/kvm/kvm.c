/* SPDX-License-Identifier: BSD-2-Clause */
/* The KVM accelerator: /dev/kvm, the machine's file descriptor, and the table that the machine knows it by. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "src/kvm/kvm.h"

#define DEV_KVM	    "/dev/kvm"
#define API_VERSION 12
/* Three pages for VMX's real mode, one for its page table: below 4 GiB, where firmware's ROM ends (api.rst, KVM_SET_TSS_ADDR). */
#define TSS_ADDR      0xfffbd000u
#define IDENTITY_ADDR 0xfffbc000u

/* ---- is there one? ---- */

/* "vmx", "svm" or NULL. */
static const char *hardware_virtualization(void)
{
	const char *found = NULL;
	char line[8192];
	FILE *f = fopen("/proc/cpuinfo", "re");

	if (!f)
		return NULL;
	while (!found && fgets(line, sizeof(line), f))
		if (!strncmp(line, "flags", 5))
			found = strstr(line, " vmx") ? "vmx" : strstr(line, " svm") ? "svm" : NULL;
	fclose(f);
	return found;
}

bool kvm_in_software(void)
{
	return !hardware_virtualization();
}

static char *no_permission(void)
{
	struct passwd *user = getpwuid(geteuid());
	struct group *group;
	struct stat st;

	if (stat(DEV_KVM, &st))
		return xasprintf(DEV_KVM " cannot be opened: %s", strerror(EACCES));
	group = getgrgid(st.st_gid);
	if (group && st.st_gid && (st.st_mode & 0060) == 0060)
		return xasprintf(
			DEV_KVM
			" is for members of group '%s': 'sudo usermod -aG %s %s', then log in again",
			group->gr_name, group->gr_name, user ? user->pw_name : "USER");
	return xasprintf(
		DEV_KVM
		" may not be opened by this user (mode %04o): 'sudo setfacl -m u:%s:rw " DEV_KVM
		"'",
		(unsigned)st.st_mode & 07777, user ? user->pw_name : "USER");
}

static char *not_there(void)
{
	const char *hw = hardware_virtualization();

	if (!hw)
		return xstrdup(
			DEV_KVM
			" is not there, and the host CPU shows neither vmx nor svm (a virtual host: is nested "
			"virtualization on? a real one: is it on in the firmware's setup?)");
	return xasprintf(DEV_KVM " is not there: 'sudo modprobe kvm-%s' loads the module",
			 !strcmp(hw, "vmx") ? "intel" : "amd");
}

/* Why it cannot be opened, and what can be done about it. */
static char *open_trouble(int error)
{
	switch (error) {
	case ENOENT:
		return not_there();
	case EACCES:
	case EPERM:
		return no_permission();
	case ENXIO:
	case ENODEV:
		return xasprintf(
			DEV_KVM
			" is there, but nothing is behind it: 'sudo modprobe kvm-%s' loads the module",
			hardware_virtualization() && !strcmp(hardware_virtualization(), "vmx")
				? "intel"
				: "amd");
	default:
		return xasprintf(DEV_KVM " cannot be opened: %s", strerror(error));
	}
}

char *kvm_why_not(void)
{
	int fd = open(DEV_KVM, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return open_trouble(errno);
	close(fd);
	if (!hardware_virtualization())
		return xstrdup(
			DEV_KVM
			" is there, but the host CPU shows neither vmx nor svm: a KVM in software, which runs "
			"no ordinary guest ('-accel kvm' takes it all the same)");
	return NULL;
}

/* ---- the machine ---- */

static bool open_dev(struct kvm *kvm, struct error *err)
{
	char *why;
	int version;

	kvm->fd = open(DEV_KVM, O_RDWR | O_CLOEXEC);
	if (kvm->fd < 0) {
		why = open_trouble(errno);
		error_set(err, "-accel kvm: %s", why);
		free(why);
		return false;
	}
	version = ioctl(kvm->fd, KVM_GET_API_VERSION, 0);
	if (version != API_VERSION)
		return error_set(err, "-accel kvm: " DEV_KVM " has API version %d, evmm needs %d",
				 version, API_VERSION);
	return true;
}

static bool create_vm(struct kvm *kvm, struct error *err)
{
	do
		kvm->vm = ioctl(kvm->fd, KVM_CREATE_VM, 0);
	while (kvm->vm < 0 && errno == EINTR);
	if (kvm->vm < 0 && errno == EBUSY)
		return error_set(
			err,
			"-accel kvm: another hypervisor has the host's virtualization (VirtualBox, VMware?)");
	if (kvm->vm < 0)
		return error_set_errno(err, errno, "-accel kvm: KVM cannot make a machine");
	return true;
}

/* Both before the first vCPU (api.rst); KVM on AMD ignores them. */
static bool set_addresses(struct kvm *kvm, struct error *err)
{
	uint64_t identity = IDENTITY_ADDR;

	if (kvm_cap(kvm, KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0 &&
	    ioctl(kvm->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity))
		return error_set_errno(err, errno, "KVM refuses the identity map's address");
	if (ioctl(kvm->vm, KVM_SET_TSS_ADDR, TSS_ADDR))
		return error_set_errno(err, errno, "KVM refuses the TSS's address");
	return true;
}

/* The guest's idling is then its own matter, and the host's CPU always its. */
static void disable_exits(struct kvm *kvm)
{
	int can = kvm_cap(kvm, KVM_CAP_X86_DISABLE_EXITS);

	if (!kvm->m->config.cpu_pm)
		return;
	if (!can || !kvm_enable_cap(kvm->vm, KVM_CAP_X86_DISABLE_EXITS,
				    (uint64_t)can & KVM_X86_DISABLE_VALID_EXITS))
		report_warning("-overcommit cpu-pm=on: this host's KVM lacks "
			       "KVM_CAP_X86_DISABLE_EXITS; idling is as without it");
}

static void enable_optional(struct kvm *kvm)
{
	if (kvm_has(kvm, HAS_EXCEPTION_PAYLOAD) &&
	    !kvm_enable_cap(kvm->vm, KVM_CAP_EXCEPTION_PAYLOAD, 1))
		kvm->has &= ~(1ull << HAS_EXCEPTION_PAYLOAD);
	if (kvm_cap(kvm, KVM_CAP_EXIT_ON_EMULATION_FAILURE) > 0)
		kvm_enable_cap(kvm->vm, KVM_CAP_EXIT_ON_EMULATION_FAILURE, 1);
}

static bool check_cpus(const struct kvm *kvm, struct error *err)
{
	unsigned cpus = kvm->m->config.cpus;
	int soft = kvm_cap(kvm, KVM_CAP_NR_VCPUS), hard = kvm_cap(kvm, KVM_CAP_MAX_VCPUS);

	soft = soft ? soft : 4;
	hard = hard ? hard : soft;
	if (cpus > (unsigned)hard)
		return error_set(err,
				 "Number of SMP cpus requested (%u) exceeds the maximum cpus "
				 "supported by KVM (%d)",
				 cpus, hard);
	if (cpus > (unsigned)soft)
		report_warning("Number of SMP cpus requested (%u) exceeds the recommended cpus "
			       "supported by KVM (%d)",
			       cpus, soft);
	return true;
}

static bool build(struct kvm *kvm, struct error *err)
{
	int bytes;

	if (!open_dev(kvm, err) || !create_vm(kvm, err) || !kvm_check_caps(kvm, err) ||
	    !check_cpus(kvm, err))
		return false;
	bytes = ioctl(kvm->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (bytes < (int)sizeof(struct kvm_run))
		return error_set_errno(err, errno, "KVM does not say how large a vCPU's state is");
	kvm->run_bytes = (unsigned)bytes;
	disable_exits(kvm);
	enable_optional(kvm);
	return set_addresses(kvm, err) && kvm_irq_init(kvm, err);
}

static void kvm_fini(struct machine *m)
{
	struct kvm *kvm = kvm_of(m);

	kvm_idle_fini(kvm);
	kvm_memory_fini(kvm);
	kvm_irq_fini(kvm);
	kvm_cpu_free(kvm->model);
	if (kvm->vm >= 0)
		close(kvm->vm);
	if (kvm->fd >= 0)
		close(kvm->fd);
	free(kvm);
	m->accel_state = NULL;
}

static bool kvm_init(struct machine *m, struct error *err)
{
	struct kvm *kvm = xzalloc(sizeof(*kvm));

	kvm->m = m;
	kvm->fd = kvm->vm = -1;
	kvm->irqchip = m->config.irqchip_given ? m->config.irqchip : IRQCHIP_KERNEL;
	m->accel_state = kvm;
	kvm_idle_init(kvm);
	return build(kvm, err);
}

static bool kvm_set_cpu_model(struct machine *m, const char *arg, struct error *err)
{
	struct kvm *kvm = kvm_of(m);

	kvm->model = kvm_cpu_parse(kvm, arg, &m->config, err);
	return kvm->model != NULL;
}

static void kvm_cpu_help(void)
{
	kvm_models_list();
	kvm_features_list();
}

static bool kvm_has_long_mode(struct machine *m)
{
	return kvm_cpu_has(kvm_of(m)->model, KW_80000001_EDX, 29);
}

const struct accel_ops accel_kvm = {
	.name = "kvm",
	.desc = "Linux KVM: hardware virtualization",
	.init = kvm_init,
	.fini = kvm_fini,
	.set_cpu_model = kvm_set_cpu_model,
	.cpu_help = kvm_cpu_help,
	.cpu_model = kvm_model_name,
	.has_long_mode = kvm_has_long_mode,
	.cpuid = kvm_cpuid,
	.vcpu_init = kvm_vcpu_init,
	.vcpu_fini = kvm_vcpu_fini,
	.vcpu_run = kvm_vcpu_run,
	.kick = kvm_kick,
	.vcpu_reset = kvm_vcpu_reset,
	.get_regs = kvm_get_regs,
	.set_regs = kvm_set_regs,
	.get_fpu = kvm_get_fpu,
	.set_fpu = kvm_set_fpu,
	.get_msrs = kvm_get_msrs,
	.set_msrs = kvm_set_msrs,
	.get_lapic = kvm_get_lapic,
	.set_lapic = kvm_set_lapic,
	.get_events = kvm_get_events,
	.set_events = kvm_set_events,
	.set_guest_debug = kvm_set_guest_debug,
	.msi_send = kvm_msi_send,
	.irqchip = kvm_irqchip,
	.gsi_set = kvm_gsi_set,
	.pit_replaced = kvm_pit_replaced,
	.pit_reinject = kvm_pit_reinject,
	.get_chips = kvm_get_chips,
	.set_chips = kvm_set_chips,
	.ioapic_route = kvm_ioapic_route,
	.irqfd_add = kvm_irqfd_add,
	.irqfd_update = kvm_irqfd_update,
	.irqfd_remove = kvm_irqfd_remove,
	.dirty_logging = DIRTY_BY_KERNEL,
	.dirty_sync = kvm_dirty_sync,
	.clock_paused = kvm_clock_paused,
	.set_intr = kvm_set_intr,
	.inject_nmi = kvm_inject_nmi,
	.memory_changed = kvm_memory_changed,
};
