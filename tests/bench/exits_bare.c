/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exits_bare khz: prints the frequency of the time-stamp counter.
 * exits_bare direct|asleep IMAGE CMDLINE: the guest of tests/bench/exits on KVM with nothing around it, as the limit of what can be had.
 *
 * direct: exits are answered on the vCPU's thread by the next statement, doorbells by a thread that never sleeps. asleep: exits are
 * answered by another thread, which is woken by an eventfd each time and wakes the vCPU by a futex; it takes doorbells too. The guest's
 * output goes to stdout. Ends with status 77 when there is no KVM.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <immintrin.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "tests/guest/exits.h"

#define CPUS	   2
#define RAM	   (16u << 20)
#define START_INFO 0x7000
#define CMDLINE	   0x7100
#define OUTPUT	   0x402
#define EXIT	   0xf4
#define VECTOR	   0x40
#define MSI_GSI	   24 /* the first after the pins of the IOAPIC */

struct cpu {
	unsigned index;
	int fd;
	struct kvm_run *run;
	int asked;	  /* eventfd: this vCPU has an exit to be answered */
	uint32_t waiting; /* futex: 1 until it was */
};

static int kvm, vm, doorbells[CPUS], irqfds[CPUS];
static bool asleep;
static uint8_t *ram;
static size_t run_bytes;
static struct cpu cpus[CPUS];

static int check(int rc, const char *what)
{
	if (rc < 0) {
		fprintf(stderr, "exits_bare: %s: %s\n", what, strerror(errno));
		exit(1);
	}
	return rc;
}

static void futex(uint32_t *word, int op, uint32_t value)
{
	syscall(SYS_futex, word, op, value, NULL, NULL, 0);
}

/* ---- answers ---- */

static void drain_coalesced(void)
{
	struct kvm_coalesced_mmio_ring *ring =
		(void *)((uint8_t *)cpus[0].run + KVM_COALESCED_MMIO_PAGE_OFFSET * 4096);

	__atomic_store_n(&ring->first, __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
}

static void answer_io(struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if (run->io.direction == KVM_EXIT_IO_IN) {
		memset(data, run->io.port == 0xcfc ? 0xff : 0, run->io.size);
	} else if (run->io.port == OUTPUT) {
		putchar(*data);
		if (*data == 10)
			fflush(stdout);
	} else if (run->io.port == EXIT) {
		fflush(stdout);
		_exit(0);
	}
}

static void answer(struct cpu *c)
{
	drain_coalesced();
	switch (c->run->exit_reason) {
	case KVM_EXIT_IO:
		answer_io(c->run);
		break;
	case KVM_EXIT_MMIO:
		memset(c->run->mmio.data, 0, sizeof(c->run->mmio.data));
		break;
	case KVM_EXIT_INTR:
		break;
	default:
		fprintf(stderr, "exits_bare: CPU %u: exit reason %u\n", c->index,
			c->run->exit_reason);
		_exit(1);
	}
}

static void take_doorbell(unsigned queue)
{
	volatile uint32_t *taken = (uint32_t *)(ram + EXITS_USED + 64 * queue);
	uint64_t one = 1;

	__atomic_add_fetch(taken, 1, __ATOMIC_RELEASE);
	if (ram[EXITS_USED + 64 * queue + 4]) /* the guest asks for an interrupt */
		check((int)write(irqfds[queue], &one, sizeof(one)), "irqfd");
}

static void *never_sleeps(void *arg)
{
	uint64_t n;

	for (;;)
		for (unsigned i = 0; i < CPUS; i++)
			if (read(doorbells[i], &n, sizeof(n)) == sizeof(n))
				take_doorbell(i);
	return NULL;
}

static void *sleeps(void *arg)
{
	int ep = check(epoll_create1(0), "epoll_create1");
	struct epoll_event e[2 * CPUS];
	uint64_t n;

	for (unsigned i = 0; i < CPUS; i++) {
		epoll_ctl(ep, EPOLL_CTL_ADD, cpus[i].asked,
			  &(struct epoll_event){EPOLLIN, {.u32 = i}});
		epoll_ctl(ep, EPOLL_CTL_ADD, doorbells[i],
			  &(struct epoll_event){EPOLLIN, {.u32 = CPUS + i}});
	}
	for (;;) {
		int got = epoll_wait(ep, e, 2 * CPUS, -1);

		for (int i = 0; i < got; i++) {
			unsigned which = e[i].data.u32;

			if (which >= CPUS) {
				if (read(doorbells[which - CPUS], &n, sizeof(n)) == sizeof(n))
					take_doorbell(which - CPUS);
				continue;
			}
			check((int)read(cpus[which].asked, &n, sizeof(n)), "eventfd");
			answer(&cpus[which]);
			__atomic_store_n(&cpus[which].waiting, 0, __ATOMIC_RELEASE);
			futex(&cpus[which].waiting, FUTEX_WAKE_PRIVATE, 1);
		}
	}
	return NULL;
}

static void ask(struct cpu *c)
{
	uint64_t one = 1;

	__atomic_store_n(&c->waiting, 1, __ATOMIC_RELEASE);
	check((int)write(c->asked, &one, sizeof(one)), "eventfd");
	while (__atomic_load_n(&c->waiting, __ATOMIC_ACQUIRE))
		futex(&c->waiting, FUTEX_WAIT_PRIVATE, 1);
}

static void *run(void *arg)
{
	struct cpu *c = arg;

	for (;;) {
		if (ioctl(c->fd, KVM_RUN, 0)) {
			if (errno != EINTR &&
			    errno != EAGAIN) /* the latter when another CPU starts it */
				check(-1, "KVM_RUN");
			continue;
		}
		if (asleep)
			ask(c);
		else
			answer(c);
	}
	return NULL;
}

/* ---- the machine ---- */

static uint32_t load(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *file = ram + RAM / 2;
	const Elf64_Ehdr *elf = (void *)file;
	const Elf64_Phdr *p;

	if (!f || fread(file, 1, RAM / 2, f) < sizeof(*elf) ||
	    memcmp(elf->e_ident, ELFMAG, SELFMAG))
		check(-1, path);
	fclose(f);
	p = (void *)(file + elf->e_phoff);
	for (unsigned i = 0; i < elf->e_phnum; i++)
		if (p[i].p_type == PT_LOAD)
			memcpy(ram + p[i].p_paddr, file + p[i].p_offset, p[i].p_filesz);
	return (uint32_t)elf->e_entry;
}

static void set_cpuid(int fd)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + 256 * sizeof(c->entries[0]));

	c->nent = 256;
	check(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, c), "KVM_GET_SUPPORTED_CPUID");
	check(ioctl(fd, KVM_SET_CPUID2, c), "KVM_SET_CPUID2");
	free(c);
}

static void make_cpu(unsigned i)
{
	struct cpu *c = &cpus[i];

	c->index = i;
	c->fd = check(ioctl(vm, KVM_CREATE_VCPU, (unsigned long)i), "KVM_CREATE_VCPU");
	c->run = mmap(NULL, run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
	c->asked = check(eventfd(0, EFD_NONBLOCK), "eventfd");
	if (c->run == MAP_FAILED)
		check(-1, "mmap");
	set_cpuid(c->fd);
}

/* As PVH has it: flat protected mode, start_info in ebx. */
static void set_start(uint32_t entry)
{
	struct kvm_regs r = {.rip = entry, .rbx = START_INFO, .rflags = 2};
	struct kvm_segment code = {.limit = 0xffffffff,
				   .selector = 8,
				   .type = 11,
				   .present = 1,
				   .db = 1,
				   .s = 1,
				   .g = 1};
	struct kvm_segment data = {.limit = 0xffffffff,
				   .selector = 16,
				   .type = 3,
				   .present = 1,
				   .db = 1,
				   .s = 1,
				   .g = 1};
	struct kvm_sregs s;

	check(ioctl(cpus[0].fd, KVM_GET_SREGS, &s), "KVM_GET_SREGS");
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cr0 = 0x11;
	check(ioctl(cpus[0].fd, KVM_SET_SREGS, &s), "KVM_SET_SREGS");
	check(ioctl(cpus[0].fd, KVM_SET_REGS, &r), "KVM_SET_REGS");
}

static void make_doorbells(void)
{
	struct kvm_irq_routing *table =
		calloc(1, sizeof(*table) + CPUS * sizeof(table->entries[0]));

	table->nr = CPUS;
	for (unsigned i = 0; i < CPUS; i++)
		table->entries[i] = (struct kvm_irq_routing_entry){
			.gsi = MSI_GSI + i,
			.type = KVM_IRQ_ROUTING_MSI,
			.u.msi = {.address_lo = 0xfee00000u | i << 12, .data = VECTOR + i}};
	check(ioctl(vm, KVM_SET_GSI_ROUTING, table), "KVM_SET_GSI_ROUTING");
	free(table);
	for (unsigned i = 0; i < CPUS; i++) {
		struct kvm_ioeventfd d = {.addr = EXITS_DOORBELL + 2 * i, .len = 2};
		struct kvm_irqfd q = {.gsi = MSI_GSI + i};

		d.fd = doorbells[i] = check(eventfd(0, EFD_NONBLOCK), "eventfd");
		q.fd = (uint32_t)(irqfds[i] = check(eventfd(0, EFD_NONBLOCK), "eventfd"));
		check(ioctl(vm, KVM_IOEVENTFD, &d), "KVM_IOEVENTFD");
		check(ioctl(vm, KVM_IRQFD, &q), "KVM_IRQFD");
	}
}

static void make_vm(void)
{
	struct kvm_userspace_memory_region slot = {.memory_size = RAM};
	struct kvm_coalesced_mmio_zone zone = {.addr = EXITS_WINDOW, .size = 0x10000};
	struct kvm_pit_config pit = {0};

	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (kvm < 0) {
		fprintf(stderr, "exits_bare: /dev/kvm: %s\n", strerror(errno));
		exit(77);
	}
	vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	run_bytes = (size_t)check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	check(ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000), "KVM_SET_TSS_ADDR");
	check(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	check(ioctl(vm, KVM_CREATE_PIT2, &pit), "KVM_CREATE_PIT2");
	ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED)
		check(-1, "mmap");
	/* Without the hole of video memory, where the window is. */
	slot.userspace_addr = (uint64_t)ram;
	slot.memory_size = EXITS_WINDOW;
	check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
	slot.slot = 1;
	slot.guest_phys_addr = 0x100000;
	slot.userspace_addr = (uint64_t)ram + 0x100000;
	slot.memory_size = RAM - 0x100000;
	check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot), "KVM_SET_USER_MEMORY_REGION");
	for (unsigned i = 0; i < CPUS; i++)
		make_cpu(i);
	check(ioctl(vm, KVM_REGISTER_COALESCED_MMIO, &zone), "KVM_REGISTER_COALESCED_MMIO");
	make_doorbells();
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int print_khz(void)
{
	uint64_t ns = now_ns(), tsc = __rdtsc();

	usleep(200000);
	tsc = __rdtsc() - tsc;
	ns = now_ns() - ns;
	printf("%llu\n", (unsigned long long)(tsc * 1000000 / ns));
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t cmdline = CMDLINE;
	pthread_t t;

	if (argc == 2 && strcmp(argv[1], "khz") == 0)
		return print_khz();
	if (argc != 4 || (strcmp(argv[1], "direct") != 0 && strcmp(argv[1], "asleep") != 0)) {
		fprintf(stderr, "exits_bare: khz; or direct or asleep, image, command line\n");
		return 1;
	}
	asleep = strcmp(argv[1], "asleep") == 0;
	make_vm();
	set_start(load(argv[2]));
	memcpy(ram + START_INFO + 24, &cmdline, sizeof(cmdline));
	snprintf((char *)ram + CMDLINE, 256, "%s", argv[3]);
	if (pthread_create(&t, NULL, asleep ? sleeps : never_sleeps, NULL) ||
	    pthread_create(&t, NULL, run, &cpus[1]))
		check(-1, "pthread_create");
	run(&cpus[0]);
	return 0;
}
