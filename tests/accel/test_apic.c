/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The task priority, which is CR8 and a register of the local APIC at once, from 64-bit code; and whether x2APIC is offered. Whoever
 * has the local APIC: the accelerator's, or ours beside one that has none (kernel-irqchip=off).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "tests/accel/box.h"

#define PDPT	  0x2000
#define PD_4G	  0x4000 /* of the fourth GiB */
#define LAPIC	  0xfee00000ull
#define APIC_TPR  0x80
#define PORT_DONE 0x500
#define X2APIC	  BIT(21)

__asm__(".pushsection .rodata\n"
	"tpr_code:\n"
	"	mov $0xfee00000, %edi\n"
	"	mov $9, %eax\n"
	"	mov %rax, %cr8\n"
	"	mov 0x80(%rdi), %eax\n"
	"	mov %eax, 0x20000\n"
	"	movl $0x5f, 0x80(%rdi)\n"
	"	mov %cr8, %rax\n"
	"	mov %eax, 0x20004\n"
	"	mov $1, %eax\n"
	"	cpuid\n"
	"	mov %ecx, 0x20008\n"
	"	mov $0x500, %edx\n"
	"	out %al, (%dx)\n"
	"1:	pause\n"
	"	jmp 1b\n"
	"tpr_code_end:\n"
	".popsection\n");
extern const uint8_t tpr_code[], tpr_code_end[];

static struct box *b;
static struct region done_port;
static unsigned done;

static void done_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	done = 1;
}

static const struct region_ops done_ops = {.write = done_write, .max_size = 1};

static void put64(gpa_t gpa, uint64_t value)
{
	assert_true(dma_write(b->m, gpa, &value, sizeof(value)));
}

static void start(const char *accel)
{
	char *why = NULL;

	box_ring = 0;
	b = box_new(accel, 1, tpr_code, (size_t)(tpr_code_end - tpr_code), &why);
	if (!b) {
		print_message("no %s here: %s\n", accel, why);
		free(why);
		skip();
	}
	put64(PDPT + 8 * 3, PD_4G | 7);
	put64(PD_4G + 8 * (LAPIC >> 21 & 0x1ff), (LAPIC & ~0x1fffffull) | 0x97);
	done = 0;
	region_init_io(&done_port, "done", &done_ops, NULL, 1);
	region_add(&b->m->io.root, PORT_DONE, &done_port, 0);
}

static uint32_t word(gpa_t gpa)
{
	uint32_t value;

	assert_true(dma_read(b->m, gpa, &value, sizeof(value)));
	return value;
}

static uint32_t tpr(void)
{
	struct x86_lapic lapic;

	b->m->accel->get_lapic(b->m->vcpus[0], &lapic);
	return (uint32_t)ldn_le(lapic.regs + APIC_TPR, 4);
}

static void cr8_is_the_upper_half_of_tpr(void **state)
{
	struct x86_regs r;

	start(*state);
	machine_resume(b->m);
	assert_true(box_wait(b, &done));
	box_pause(b);
	assert_int_equal(word(BOX_DATA), 0x90);
	assert_int_equal(word(BOX_DATA + 4), 5);
	b->m->accel->get_regs(b->m->vcpus[0], &r);
	assert_int_equal(r.cr8, 5);
	assert_int_equal(tpr() & 0xf0, 0x50);
	r.cr8 = 3;
	b->m->accel->set_regs(b->m->vcpus[0], &r);
	assert_int_equal(tpr() & 0xf0, 0x30);
	region_remove(&done_port);
	box_free(b);
}

/* What accel_ops tells of CPUID is what the guest sees. With a local APIC of ours beside KVM, whose MSRs it would be, there is none. */
static void x2apic_is_there_where_it_works(void **state)
{
	uint32_t leaf[4];

	start(*state);
	machine_resume(b->m);
	assert_true(box_wait(b, &done));
	box_pause(b);
	b->m->accel->cpuid(b->m->vcpus[0], 1, leaf);
	assert_int_equal(leaf[2] & X2APIC, word(BOX_DATA + 8) & X2APIC);
	assert_int_equal(!!(leaf[2] & X2APIC), !strstr(*state, "=off"));
	region_remove(&done_port);
	box_free(b);
}

int main(void)
{
#define ON(fn, accel)                                        \
	{                                                    \
#fn " " accel, fn, NULL, NULL, (void *)accel \
	}
#define ON_ALL(fn)                                                         \
	ON(fn, "soft"), ON(fn, "kvm"), ON(fn, "kvm,kernel-irqchip=split"), \
		ON(fn, "kvm,kernel-irqchip=off")
	const struct CMUnitTest tests[] = {
		ON_ALL(cr8_is_the_upper_half_of_tpr),
		ON_ALL(x2apic_is_there_where_it_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
