/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtio over PCI (Virtio 1.2, 4.1): what a driver finds, the interface of version 1 and the one of before, interrupts by
 * message and by line. A balloon, whose configuration the host changes, a source of random bytes, and a slow disk.
 */
#include "devices/chipset/chipset.h"
#include "devices/pci/pci.h"
#include "devices/virtio/virtio_balloon.h"
#include "devices/virtio/virtio_types.h"
#include "io/block/block_internal.h"
#include "tests/device/kit.h"

#define BALLOON	    PCI_DEVFN(3, 0)
#define RNG	    PCI_DEVFN(4, 0)
#define DISK	    PCI_DEVFN(5, 0)
#define MSIX_BAR    0xe0000000
#define MODERN_BAR  0xe0010000
#define LEGACY_BAR  0xc000
#define MSI_ADDRESS 0xfee00000
#define DECODE	    (PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER)

#define FEATURE_SEL	 (MODERN_BAR + 0x08)
#define FEATURE		 (MODERN_BAR + 0x0c)
#define CONFIG_VECTOR	 (MODERN_BAR + 0x10)
#define NUM_QUEUES	 (MODERN_BAR + 0x12)
#define STATUS		 (MODERN_BAR + 0x14)
#define GENERATION	 (MODERN_BAR + 0x15)
#define QUEUE_SEL	 (MODERN_BAR + 0x16)
#define QUEUE_SIZE	 (MODERN_BAR + 0x18)
#define QUEUE_VECTOR	 (MODERN_BAR + 0x1a)
#define QUEUE_ENABLE	 (MODERN_BAR + 0x1c)
#define QUEUE_NOTIFY_OFF (MODERN_BAR + 0x1e)
#define QUEUE_DESC	 (MODERN_BAR + 0x20)
#define QUEUE_DRIVER	 (MODERN_BAR + 0x28)
#define QUEUE_DEVICE	 (MODERN_BAR + 0x30)
#define ISR		 (MODERN_BAR + 0x1000)
#define DEVICE_CONFIG	 (MODERN_BAR + 0x2000)
#define NOTIFY		 (MODERN_BAR + 0x3000)

#define PAGE	  0x20000 /* of the queue */
#define BUFFER	  0x30000
#define RNG_SIZE  8
#define RNG_BYTES 16

static struct kit *k;

static int setup(void **state)
{
	k = kit_new();
	kit_add(k, &i8259_type, NULL);
	kit_add(k, &i440fx_type, NULL);
	kit_add(k, &piix3_type, NULL);
	kit_add(k, &virtio_balloon_pci_type, "addr", "3", NULL);
	kit_add(k, &virtio_rng_pci_type, "addr", "4", NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static uint32_t cfg(unsigned devfn, unsigned reg, unsigned size)
{
	return pci_config_read(k->m->pci, 0, devfn, reg, size) &
	       (size == 4 ? UINT32_MAX : BIT(8 * size) - 1);
}

static void set_cfg(unsigned devfn, unsigned reg, uint32_t value, unsigned size)
{
	pci_config_write(k->m->pci, 0, devfn, reg, value, size);
}

static uint32_t mem(gpa_t gpa, unsigned size)
{
	return (uint32_t)as_read(&k->m->mem, gpa, size);
}

static void set_mem(gpa_t gpa, uint64_t value, unsigned size)
{
	as_write(&k->m->mem, gpa, value, size);
	kit_settle(k);
}

static void decode(unsigned devfn)
{
	set_cfg(devfn, PCI_BAR0, LEGACY_BAR, 4);
	set_cfg(devfn, PCI_BAR0 + 4, MSIX_BAR, 4);
	set_cfg(devfn, PCI_BAR0 + 16, MODERN_BAR, 4);
	set_cfg(devfn, PCI_BAR0 + 20, 0, 4);
	set_cfg(devfn, PCI_COMMAND, DECODE, 2);
}

static bool intx(unsigned devfn)
{
	return cfg(devfn, PCI_STATUS, 2) & PCI_STATUS_INTX;
}

/* The capability ID whose byte 3, of a vendor's, is TYPE. */
static unsigned capability(unsigned devfn, unsigned id, unsigned type)
{
	unsigned at = cfg(devfn, PCI_CAPABILITIES, 1);

	while (at && (cfg(devfn, at, 1) != id || (type && cfg(devfn, at + 3, 1) != type)))
		at = cfg(devfn, at + 1, 1);
	assert_true(at);
	return at;
}

/* Vector N says N. */
static void enable_msix(unsigned devfn, bool on)
{
	for (unsigned i = 0; i < 2; i++) {
		set_mem(MSIX_BAR + 16 * i, MSI_ADDRESS, 4);
		set_mem(MSIX_BAR + 16 * i + 4, 0, 4);
		set_mem(MSIX_BAR + 16 * i + 8, i, 4);
		set_mem(MSIX_BAR + 16 * i + 12, 0, 4);
	}
	set_cfg(devfn, capability(devfn, PCI_CAP_MSIX, 0) + 2, on ? 0x8000 : 0, 2);
}

/* As far as FEATURES_OK, with VERSION_1 alone. */
static void negotiate(void)
{
	set_mem(STATUS, 0, 1);
	set_mem(STATUS, 3, 1);
	set_mem(FEATURE_SEL, 1, 4);
	set_mem(FEATURE, 1, 4);
	set_mem(STATUS, 11, 1);
	assert_int_equal(mem(STATUS, 1), 11);
}

static void put_desc(gpa_t desc, gpa_t driver)
{
	set_mem(desc, BUFFER, 8);
	set_mem(desc + 8, RNG_BYTES, 4);
	set_mem(desc + 12, 2, 2); /* to be written */
	set_mem(driver + 4, 0, 2);
	set_mem(driver + 2, 1, 2);
}

static void what_a_driver_finds(void **state)
{
	assert_int_equal(cfg(RNG, 0, 4), 0x10051af4);
	assert_int_equal(cfg(RNG, PCI_REVISION_ID, 1), 0);
	assert_int_equal(cfg(RNG, PCI_SUBSYSTEM_VENDOR, 4), 0x00041af4);
	decode(RNG);
	for (unsigned type = 1; type <= 5; type++)
		capability(RNG, PCI_CAP_VENDOR, type);
	assert_int_equal(mem(NUM_QUEUES, 2), 1);
	assert_int_equal(mem(QUEUE_SIZE, 2), RNG_SIZE);
	set_mem(QUEUE_SEL, 1, 2);
	assert_int_equal(mem(QUEUE_SIZE, 2), 0);
	/* Through the window in configuration space (4.1.4.9). */
	set_cfg(RNG, capability(RNG, PCI_CAP_VENDOR, 5) + 4, 4, 1);
	set_cfg(RNG, capability(RNG, PCI_CAP_VENDOR, 5) + 8, 0x12, 4);
	set_cfg(RNG, capability(RNG, PCI_CAP_VENDOR, 5) + 12, 2, 4);
	assert_int_equal(cfg(RNG, capability(RNG, PCI_CAP_VENDOR, 5) + 16, 2), 1);
}

static void a_queue_has_its_message(void **state)
{
	decode(RNG);
	enable_msix(RNG, true);
	negotiate();
	set_mem(CONFIG_VECTOR, 0, 2);
	set_mem(QUEUE_SEL, 0, 2);
	set_mem(QUEUE_VECTOR, 2, 2); /* there is none: 4.1.5.1.2 */
	assert_int_equal(mem(QUEUE_VECTOR, 2), 0xffff);
	set_mem(QUEUE_VECTOR, 1, 2);
	assert_int_equal(mem(QUEUE_VECTOR, 2), 1);
	set_mem(QUEUE_DESC, PAGE, 4);
	set_mem(QUEUE_DRIVER, PAGE + 0x100, 4);
	set_mem(QUEUE_DEVICE, PAGE + 0x200, 4);
	set_mem(QUEUE_ENABLE, 1, 2);
	set_mem(STATUS, 15, 1);
	put_desc(PAGE, PAGE + 0x100);
	set_mem(NOTIFY + 4 * mem(QUEUE_NOTIFY_OFF, 2), 0, 2);
	assert_int_equal(mem(PAGE + 0x202, 2), 1);
	assert_int_equal(mem(PAGE + 0x208, 4), RNG_BYTES);
	assert_int_equal(k->log->n_msi, 1);
	assert_int_equal(k->log->msi[0].data, 1);
	assert_int_equal(mem(ISR, 1), 0); /* only a line has that bit */
}

/* 4.1.4.5.1: its bit is set whether the interrupt is a message or the line; DPDK's driver looks at it either way. */
static void the_status_tells_of_the_configuration(void **state)
{
	for (unsigned msix = 0; msix < 2; msix++) {
		unsigned n = k->log->n_msi, generation;

		decode(BALLOON);
		enable_msix(BALLOON, msix);
		negotiate();
		set_mem(CONFIG_VECTOR, 0, 2);
		set_mem(STATUS, 15, 1);
		generation = mem(GENERATION, 1);
		virtio_balloon_set_target(k->m->balloon, KIT_RAM - 4096 * (1 + msix));
		assert_int_equal(mem(DEVICE_CONFIG, 4), 1 + msix);
		assert_int_equal(mem(GENERATION, 1), generation + 1);
		assert_int_equal(k->log->n_msi, n + msix);
		assert_int_equal(intx(BALLOON), !msix);
		assert_int_equal(mem(ISR, 1), VIRTIO_ISR_CONFIG);
		assert_int_equal(mem(ISR, 1), 0);
		assert_false(intx(BALLOON));
	}
}

/* 4.1.4.10: the queue is at a page, its used ring at the next one; the device's configuration moves for MSI-X. */
static void a_driver_of_before_version_1(void **state)
{
	decode(RNG);
	assert_int_equal(kit_in32(k, LEGACY_BAR) >> VIRTIO_F_ANY_LAYOUT & 1, 1);
	kit_out8(k, LEGACY_BAR + 0x12, 3);
	kit_out32(k, LEGACY_BAR + 4, 0);
	kit_out16(k, LEGACY_BAR + 0x0e, 0);
	assert_int_equal(kit_in16(k, LEGACY_BAR + 0x0c), RNG_SIZE);
	assert_int_equal(kit_in32(k, LEGACY_BAR + 8), 0);
	kit_out32(k, LEGACY_BAR + 8, PAGE >> 12);
	assert_int_equal(kit_in32(k, LEGACY_BAR + 8), PAGE >> 12);
	put_desc(PAGE, PAGE + 16 * RNG_SIZE);
	kit_out8(k, LEGACY_BAR + 0x12, 7);
	assert_int_equal(kit_in8(k, LEGACY_BAR + 0x12), 7);
	kit_out16(k, LEGACY_BAR + 0x10, 0);
	kit_settle(k);
	assert_int_equal(mem(PAGE + 0x1002, 2), 1);
	assert_int_equal(mem(PAGE + 0x1008, 4), RNG_BYTES);
	assert_true(intx(RNG));
	assert_int_equal(kit_in8(k, LEGACY_BAR + 0x13), VIRTIO_ISR_QUEUE);
	assert_false(intx(RNG));
	kit_out8(k, LEGACY_BAR + 0x12, 0);
	assert_int_equal(kit_in8(k, LEGACY_BAR + 0x12), 0);
	assert_int_equal(kit_in32(k, LEGACY_BAR + 8), 0);
	set_cfg(RNG, PCI_COMMAND, 0, 2);

	decode(BALLOON);
	virtio_balloon_set_target(k->m->balloon, KIT_RAM - 4096 * 7);
	assert_int_equal(kit_in32(k, LEGACY_BAR + 0x14), 7);
	enable_msix(BALLOON, true);
	assert_int_equal(kit_in32(k, LEGACY_BAR + 0x18), 7);
	kit_out16(k, LEGACY_BAR + 0x14, 1);
	assert_int_equal(kit_in16(k, LEGACY_BAR + 0x14), 1);
	kit_out16(k, LEGACY_BAR + 0x14, 99);
	assert_int_equal(kit_in16(k, LEGACY_BAR + 0x14), 0xffff);
}

/* A read of one sector: header, data, status. */
static void put_read(unsigned size)
{
	static const struct {
		uint32_t offset, len;
		uint16_t flags, next;
	} parts[] = {{0, 16, 1, 1}, {0x200, 512, 3, 2}, {0x100, 1, 2, 0}};

	for (unsigned i = 0; i < 3; i++) {
		set_mem(PAGE + 16 * i, BUFFER + parts[i].offset, 8);
		set_mem(PAGE + 16 * i + 8, parts[i].len, 4);
		set_mem(PAGE + 16 * i + 12, parts[i].flags, 2);
		set_mem(PAGE + 16 * i + 14, parts[i].next, 2);
	}
	set_mem(PAGE + 16 * size + 4, 0, 2);
	set_mem(PAGE + 16 * size + 2, 1, 2);
}

/* It can't tell otherwise when the host writes to its memory no more. */
static void a_driver_of_before_version_1_waits_in_its_reset(void **state)
{
	static struct vcpu vcpu;

	kit_add_slow_disk(k, "slow");
	kit_add(k, &virtio_blk_pci_type, "addr", "5", "drive", "slow", "queue-size", "8", NULL);
	decode(DISK);
	kit_out8(k, LEGACY_BAR + 0x12, 3);
	kit_out16(k, LEGACY_BAR + 0x0e, 0);
	put_read(kit_in16(k, LEGACY_BAR + 0x0c));
	kit_out32(k, LEGACY_BAR + 8, PAGE >> 12);
	kit_out8(k, LEGACY_BAR + 0x12, 7);
	kit_out16(k, LEGACY_BAR + 0x10, 0);
	kit_settle(k);
	assert_true(block_any_inflight());
	k->m->served = &vcpu;
	kit_out8(k, LEGACY_BAR + 0x12, 0);
	assert_non_null(vcpu.ready);
	assert_false(vcpu.ready(vcpu.ready_opaque));
	kit_await_disks(k);
	assert_true(vcpu.ready(vcpu.ready_opaque));
	k->m->served = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_driver_finds),
		TEST(a_queue_has_its_message),
		TEST(the_status_tells_of_the_configuration),
		TEST(a_driver_of_before_version_1),
		TEST(a_driver_of_before_version_1_waits_in_its_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
