/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exits in their order, with and without pauses in between: no access of a guest's is lost, done twice or overtaken. Doorbells,
 * and interrupts by messages and irqfds. On every accelerator that is here. For long: test_exits -n 100000 (pauses).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/accel/box.h"

#define CPUS	    2
#define PORTS	    0x400 /* 8 for each vCPU: COUNT */
#define MMIO	    0xc00000
#define MMIO_BELL   0x800
#define PORT_DONE   0x500
#define FOUND(i)    (BOX_DATA + 8 * (i))
#define CONFUSED(i) (BOX_DATA + 0x100 + 8 * (i))
#define APIC_SVR    0xf0
#define APIC_IRR    0x200
#define APIC_ON	    0x100
#define MSI_TO_0    0xfee00000

/* Reads COUNT, which must be what it has counted itself; then tells the device so twice, once without waiting for it. */
__asm__(".pushsection .rodata\n"
	"count_code:\n"
	"	lea 0x400(,%rdi,8), %edx\n"
	"	xor %ebx, %ebx\n"
	"1:	in (%dx), %eax\n"
	"	cmp %ebx, %eax\n"
	"	jne 2f\n"
	"	inc %ebx\n"
	"	mov %ebx, 0x20000(,%rdi,8)\n"
	"	mov %ebx, 0xc00000(,%rdi,8)\n"
	"	out %eax, (%dx)\n"
	"	jmp 1b\n"
	"2:	movl $1, 0x20100(,%rdi,8)\n"
	"3:	pause\n"
	"	jmp 3b\n"
	"count_code_end:\n"
	/* Rings the bell many times, and says that it has. */
	"bell_code:\n"
	"	mov $1000, %ecx\n"
	"1:	mov %ecx, 0xc00800\n"
	"	loop 1b\n"
	"	mov $0x500, %edx\n"
	"	out %al, (%dx)\n"
	"2:	pause\n"
	"	jmp 2b\n"
	"bell_code_end:\n"
	/* Writes 1 to 3, and does nothing more. */
	"write_code:\n"
	"	mov $1, %ecx\n"
	"1:	mov %ecx, 0xc00000\n"
	"	inc %ecx\n"
	"	cmp $3, %ecx\n"
	"	jbe 1b\n"
	"2:	pause\n"
	"	jmp 2b\n"
	"write_code_end:\n"
	".popsection\n");
extern const uint8_t count_code[], count_code_end[], bell_code[], bell_code_end[], write_code[],
	write_code_end[];

static struct box *b;
static struct region ports, mmio, done_port;
static uint32_t count[CPUS], announced[CPUS];
static unsigned wrong, done, bells, bells_as_writes;
static unsigned cycles = 4000;

/*
 * In between (-Wl,--wrap): what a vCPU has found in the kernel's ring of coalesced writes, its own and others', takes a while to be
 * posted. No other may overtake it meanwhile.
 */
static bool posts_are_slow;
void __real_vcpu_post_write(struct vcpu *v, bool is_mmio, uint64_t addr, uint64_t value,
			    unsigned size);
void __wrap_vcpu_post_write(struct vcpu *v, bool is_mmio, uint64_t addr, uint64_t value,
			    unsigned size);

void __wrap_vcpu_post_write(struct vcpu *v, bool is_mmio, uint64_t addr, uint64_t value,
			    unsigned size)
{
	if (posts_are_slow)
		usleep(20);
	__real_vcpu_post_write(v, is_mmio, addr, value, size);
}

static uint64_t count_read(void *opaque, uint64_t offset, unsigned size)
{
	unsigned i = offset / 8;

	/* What was written before, and not waited for, has come before. */
	wrong += announced[i] != count[i];
	return count[i];
}

static void count_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	unsigned i = offset / 8;

	wrong += value != count[i]++;
	wrong += announced[i] != count[i];
}

static uint64_t mmio_read(void *opaque, uint64_t offset, unsigned size)
{
	wrong++;
	return 0;
}

static void mmio_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	if (offset == MMIO_BELL)
		bells_as_writes++;
	else if (offset / 8 < CPUS)
		wrong += value != ++announced[offset / 8];
	else
		wrong++;
}

static void done_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	done = 1;
}

static const struct region_ops port_ops = {.read = count_read, .write = count_write, .max_size = 4};
static const struct region_ops mmio_ops = {.read = mmio_read, .write = mmio_write, .max_size = 4};
static const struct region_ops done_ops = {.read = mmio_read, .write = done_write, .max_size = 1};

static void start(void **state, unsigned cpus, const uint8_t *code, const uint8_t *end)
{
	char *why = NULL;

	b = box_new(*state, cpus, code, (size_t)(end - code), &why);
	if (!b) {
		print_message("no %s here: %s\n", (const char *)*state, why);
		free(why);
		skip();
	}
	memset(count, 0, sizeof(count));
	memset(announced, 0, sizeof(announced));
	wrong = done = bells = bells_as_writes = 0;
	region_init_io(&ports, "ports", &port_ops, NULL, 8 * CPUS);
	region_init_io(&mmio, "mmio", &mmio_ops, NULL, 4096);
	region_init_io(&done_port, "done", &done_ops, NULL, 1);
}

static void place(void)
{
	region_add(&b->m->io.root, PORTS, &ports, 0);
	region_add(&b->m->io.root, PORT_DONE, &done_port, 0);
	region_add(&b->m->mem.root, MMIO, &mmio, 0);
}

static void finish(void)
{
	box_pause(b);
	region_remove(&ports);
	region_remove(&mmio);
	region_remove(&done_port);
	box_free(b);
}

static uint32_t word(gpa_t gpa)
{
	uint32_t value;

	assert_true(dma_read(b->m, gpa, &value, sizeof(value)));
	return value;
}

/* Parked: what the guest knows and what the device has seen differ by the access under way. */
static void check_counts(void)
{
	for (unsigned i = 0; i < CPUS; i++) {
		struct x86_regs r;

		assert_int_equal(word(CONFUSED(i)), 0);
		assert_in_range(word(FOUND(i)), count[i], count[i] + 1);
		b->m->accel->get_regs(b->m->vcpus[i], &r);
		assert_in_range(r.rip, BOX_CODE, BOX_CODE + (count_code_end - count_code));
	}
	assert_int_equal(wrong, 0);
}

static void go_on(void **state)
{
	uint32_t before;
	int64_t end;

	place();
	for (unsigned n = 0; n < cycles; n++) {
		machine_resume(b->m);
		/* Sometimes at once, sometimes in the middle of it. */
		for (unsigned turns = n % 7; turns; turns--)
			loop_run_once(b->loop, 0);
		box_pause(b);
		if (n % 16 == 0)
			check_counts();
	}
	before = count[0];
	end = clock_now_ns(loop_clock_host(b->loop)) + 60 * NS_PER_SEC;
	machine_resume(b->m);
	while (count[0] < before + 100 && clock_now_ns(loop_clock_host(b->loop)) < end)
		loop_run_once(b->loop, NS_PER_MS);
	assert_true(count[0] >= before + 100);
	box_pause(b);
	check_counts();
	finish();
}

static void pauses_lose_no_exit(void **state)
{
	start(state, CPUS, count_code, count_code_end);
	mmio.posted = true;
	go_on(state);
}

static void coalesced_writes_keep_their_place(void **state)
{
	start(state, CPUS, count_code, count_code_end);
	mmio.coalesced = true;
	go_on(state);
}

static void coalesced_writes_that_another_takes_along_keep_their_place(void **state)
{
	start(state, CPUS, count_code, count_code_end);
	mmio.coalesced = true;
	posts_are_slow = true;
	go_on(state);
	posts_are_slow = false;
}

/* Without another exit: what runs on the loop at some time finds them done. */
static void coalesced_writes_come_with_the_next_turn(void **state)
{
	unsigned before;

	start(state, 1, write_code, write_code_end);
	mmio.coalesced = true;
	place();
	before = b->m->vcpus[0]->stats.traps;
	machine_resume(b->m);
	assert_true(box_wait(b, &announced[0]));
	for (unsigned turns = 0; turns < 100 && announced[0] < 3; turns++)
		loop_run_once(b->loop, 10 * NS_PER_MS);
	assert_int_equal(announced[0], 3);
	assert_int_equal(wrong, 0);
	assert_in_range(b->m->vcpus[0]->stats.traps - before, 0, 1); /* that it goes on */
	finish();
}

static void on_bell(void *opaque)
{
	bells++;
}

static void doorbells_are_no_traps(void **state)
{
	struct loop_notifier notifier;
	struct region_doorbell bell = {.offset = MMIO_BELL, .size = 4, .notifier = &notifier};

	start(state, 1, bell_code, bell_code_end);
	assert_true(loop_notifier_init(&notifier, b->loop, "bell", on_bell, NULL));
	list_init(&bell.node);
	region_add_doorbell(&mmio, &bell);
	place();
	machine_resume(b->m);
	assert_true(box_wait(b, &done));
	assert_true(box_wait(b, &bells));
	assert_int_equal(bells_as_writes, 0);
	box_pause(b);
	/* Without it the same is a write, and posted or not nobody is lost. */
	region_remove_doorbell(&mmio, &bell);
	as_write(&b->m->mem, MMIO + MMIO_BELL, 1, 4);
	assert_int_equal(bells_as_writes, 1);
	loop_notifier_fini(&notifier);
	finish();
}

/* ---- messages ---- */

static bool has_irr(uint8_t vector)
{
	struct x86_lapic lapic;

	b->m->accel->get_lapic(b->m->vcpus[0], &lapic);
	return ldn_le(lapic.regs + APIC_IRR + vector / 32 * 16, 4) >> (vector % 32) & 1;
}

static bool gets_irr(uint8_t vector)
{
	for (unsigned i = 0; i < 2000 && !has_irr(vector); i++)
		usleep(1000);
	return has_irr(vector);
}

static void messages_raise_interrupts(void **state)
{
	const uint64_t one = 1;
	struct accel_irqfd irqfd = {.resample_fd = -1, .msi = true, .addr = MSI_TO_0, .data = 0x41};
	struct error err = ERROR_INIT;
	struct x86_lapic lapic;

	start(state, 1, bell_code, bell_code_end);
	if (!b->m->accel->irqfd_add) {
		print_message("%s has no irqfds\n", (const char *)*state);
		box_free(b);
		skip();
	}
	b->m->accel->get_lapic(b->m->vcpus[0], &lapic);
	stn_le(lapic.regs + APIC_SVR, 4, APIC_ON | 0xff);
	assert_true(b->m->accel->set_lapic(b->m->vcpus[0], &lapic, &err));
	b->m->accel->msi_send(b->m, MSI_TO_0, 0x61);
	assert_true(gets_irr(0x61));
	irqfd.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!b->m->accel->irqfd_add(b->m, &irqfd, &err))
		fail_msg("%s", err.msg);
	assert_false(has_irr(0x41));
	assert_int_equal(write(irqfd.fd, &one, sizeof(one)), sizeof(one));
	assert_true(gets_irr(0x41));
	irqfd.data = 0x52;
	assert_true(b->m->accel->irqfd_update(b->m, &irqfd, &err));
	assert_int_equal(write(irqfd.fd, &one, sizeof(one)), sizeof(one));
	assert_true(gets_irr(0x52));
	b->m->accel->irqfd_remove(b->m, &irqfd);
	b->m->accel->set_lapic(b->m->vcpus[0], &lapic, &err);
	assert_int_equal(write(irqfd.fd, &one, sizeof(one)), sizeof(one));
	usleep(20000);
	assert_false(has_irr(0x52));
	close(irqfd.fd);
	box_free(b);
}

static void routes_run_out_with_a_message(void **state)
{
	struct accel_irqfd irqfd[2] = {
		{.fd = -1, .resample_fd = -1, .msi = true, .addr = MSI_TO_0, .data = 0x41},
		{.fd = -1, .resample_fd = -1, .gsi = 5},
	};
	struct error err = ERROR_INIT;

	start(state, 1, bell_code, bell_code_end);
	if (!b->m->accel->irqfd_add) {
		box_free(b);
		skip();
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_false(b->m->accel->irqfd_add(b->m, &irqfd[i], &err));
		assert_true(error_is_set(&err));
		error_clear(&err);
	}
	box_free(b);
}

int main(int argc, char **argv)
{
#define ON(fn, accel)                                        \
	{                                                    \
#fn " " accel, fn, NULL, NULL, (void *)accel \
	}
	const struct CMUnitTest tests[] = {
		ON(pauses_lose_no_exit, "soft"),
		ON(coalesced_writes_keep_their_place, "soft"),
		ON(coalesced_writes_come_with_the_next_turn, "soft"),
		ON(doorbells_are_no_traps, "soft"),
		ON(pauses_lose_no_exit, "kvm"),
		ON(coalesced_writes_keep_their_place, "kvm"),
		ON(coalesced_writes_that_another_takes_along_keep_their_place, "kvm"),
		ON(coalesced_writes_come_with_the_next_turn, "kvm"),
		ON(doorbells_are_no_traps, "kvm"),
		ON(pauses_lose_no_exit, "kvm,kernel-irqchip=off"),
		ON(messages_raise_interrupts, "kvm"),
		ON(messages_raise_interrupts, "kvm,kernel-irqchip=split"),
		ON(routes_run_out_with_a_message, "kvm"),
	};

	if (argc == 3 && !strcmp(argv[1], "-n"))
		cycles = (unsigned)strtoul(argv[2], NULL, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
