/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long exits take, as the guest sees it, by its time-stamp counter: a line for each case,
 *
 *	OPERATION hot|cold idle|busy CPUS SAMPLES MIN P50 P90 P99 MAX MEAN	(in ticks)
 *
 * hot: one after the other. cold: 2 ms of computing before each. busy: with a periodic interrupt of the RTC's running at 8192 Hz (which
 * nobody takes), and a byte to the serial port before each. With 2 CPUs the other one does the same all the while, on its own queue.
 * Command line: hot=N cold=N (samples), khz=N (of the time-stamp counter), smp=N (2: the cases with two CPUs as well).
 */
#include "exits.h"
#include "kit64.h"

#define MAX_SAMPLES 20000
#define QUEUE_SIZE  4
#define BARS	    0xfe000000u /* given to BARs that have no address yet */
#define COLD_MS	    2
#define GET_ID	    8
#define F_NEXT	    1
#define F_WRITE	    2
#define NO_INTR	    1
#define F_MQ	    (1u << 12)

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

struct queue {
	struct desc desc[QUEUE_SIZE] __attribute__((aligned(4096)));
	struct {
		uint16_t flags, idx, ring[QUEUE_SIZE], used_event;
	} avail __attribute__((aligned(64)));
	struct {
		volatile uint16_t flags, idx;
		struct {
			uint32_t id, len;
		} ring[QUEUE_SIZE];
		uint16_t avail_event;
	} used __attribute__((aligned(4096)));
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} header;
	char id[20];
	uint8_t status;
	uint64_t notify; /* address of the doorbell */
};

static struct queue queues[KIT64_CPUS];
static uint32_t samples[MAX_SAMPLES];
static uint64_t mmio = EXITS_MMIO, cold_ticks;
static int bare;

/* ---- PCI and virtio, just enough ---- */

static uint32_t config_read(unsigned devfn, unsigned reg)
{
	kit64_outl(0xcf8, 0x80000000u | devfn << 8 | (reg & ~3u));
	return kit64_inl(0xcfc);
}

static void config_write(unsigned devfn, unsigned reg, uint32_t value)
{
	kit64_outl(0xcf8, 0x80000000u | devfn << 8 | (reg & ~3u));
	kit64_outl(0xcfc, value);
}

static uint8_t config_byte(unsigned devfn, unsigned reg)
{
	return (uint8_t)(config_read(devfn, reg) >> reg % 4 * 8);
}

/* The address of memory BAR N, which it is given when it has none. */
static uint64_t bar_address(unsigned devfn, unsigned n)
{
	uint32_t low = config_read(devfn, 0x10 + 4 * n);

	if (!(low & ~15u)) {
		config_write(devfn, 0x10 + 4 * n, BARS + n * 0x100000);
		if ((low & 6) == 4)
			config_write(devfn, 0x14 + 4 * n, 0);
		low = config_read(devfn, 0x10 + 4 * n);
	}
	return low & ~15u;
}

static void queue_init(unsigned n, uint64_t common, uint64_t notify, uint32_t multiplier)
{
	struct queue *q = &queues[n];

	q->desc[0] = (struct desc){(uint64_t)&q->header, 16, F_NEXT, 1};
	q->desc[1] = (struct desc){(uint64_t)q->id, sizeof(q->id), F_NEXT | F_WRITE, 2};
	q->desc[2] = (struct desc){(uint64_t)&q->status, 1, F_WRITE, 0};
	q->header.type = GET_ID;
	kit64_write16(common + 0x16, (uint16_t)n);
	kit64_write16(common + 0x18, QUEUE_SIZE);
	kit64_write16(common + 0x1a, (uint16_t)n); /* MSI-X vector */
	kit64_write32(common + 0x20, (uint32_t)(uint64_t)q->desc);
	kit64_write32(common + 0x24, 0);
	kit64_write32(common + 0x28, (uint32_t)(uint64_t)&q->avail);
	kit64_write32(common + 0x2c, 0);
	kit64_write32(common + 0x30, (uint32_t)(uint64_t)&q->used);
	kit64_write32(common + 0x34, 0);
	q->notify = notify + (uint64_t)kit64_read16(common + 0x1e) * multiplier;
	kit64_write16(common + 0x1c, 1);
}

static void msix_init(unsigned devfn, unsigned cap)
{
	uint32_t table = config_read(devfn, cap + 4);
	uint64_t entry = bar_address(devfn, table & 7) + (table & ~7u);

	for (unsigned i = 0; i < KIT64_CPUS; i++, entry += 16) {
		kit64_write32(entry, KIT64_LAPIC | i << 12);
		kit64_write32(entry + 4, 0);
		kit64_write32(entry + 8, KIT64_VECTOR + i);
		kit64_write32(entry + 12, 0);
	}
	config_write(devfn, cap, config_read(devfn, cap) | 0x80000000u);
}

static int virtio_init(unsigned devfn)
{
	uint64_t common = 0, notify = 0;
	uint32_t multiplier = 0;
	unsigned msix = 0;

	for (unsigned cap = config_byte(devfn, 0x34); cap; cap = config_byte(devfn, cap + 1)) {
		uint8_t id = config_byte(devfn, cap), type = config_byte(devfn, cap + 3);
		uint64_t at;

		if (id == 0x11)
			msix = cap;
		if (id != 9 || (type != 1 && type != 2))
			continue;
		at = bar_address(devfn, config_byte(devfn, cap + 4)) + config_read(devfn, cap + 8);
		if (type == 1) {
			common = at;
		} else {
			notify = at;
			multiplier = config_read(devfn, cap + 16);
		}
	}
	if (!common || !notify || !msix)
		return 0;
	config_write(devfn, 4, 6); /* memory, bus master */
	msix_init(devfn, msix);
	kit64_write8(common + 0x14, 0);
	kit64_write8(common + 0x14, 3); /* ACKNOWLEDGE, DRIVER */
	kit64_write32(common + 0x08, 0);
	kit64_write32(common + 0x0c, F_MQ);
	kit64_write32(common + 0x08, 1);
	kit64_write32(common + 0x0c, 1); /* VIRTIO_F_VERSION_1 */
	kit64_write8(common + 0x14, 11); /* FEATURES_OK */
	if (!(kit64_read8(common + 0x14) & 8) || kit64_read16(common + 0x12) < KIT64_CPUS)
		return 0;
	for (unsigned i = 0; i < KIT64_CPUS; i++)
		queue_init(i, common, notify, multiplier);
	kit64_write8(common + 0x14, 15); /* DRIVER_OK */
	mmio = common + 0x14;
	return 1;
}

/* virtio-blk, or nothing at all; anything else is not what this runs on. */
static int find_device(void)
{
	if (config_read(0, 0) == UINT32_MAX) {
		bare = 1;
		return 1;
	}
	for (unsigned slot = 0; slot < 32; slot++)
		if (config_read(slot << 3, 0) == 0x10421af4)
			return virtio_init(slot << 3);
	return 0;
}

/* ---- what is measured ---- */

static void port_read(unsigned cpu)
{
	kit64_inb(EXITS_PORT);
}

static void port_write(unsigned cpu)
{
	kit64_outb(EXITS_PORT, (uint8_t)cpu);
}

static void mmio_read(unsigned cpu)
{
	kit64_read8(mmio);
}

static void posted_write(unsigned cpu)
{
	kit64_write8(EXITS_WINDOW + cpu, 0);
}

/* From the doorbell until memory says that the request is done. */
static void kick(unsigned cpu)
{
	struct queue *q = &queues[cpu];
	uint16_t used = q->used.idx;

	if (bare) {
		volatile uint32_t *taken = (uint32_t *)(uint64_t)(EXITS_USED + 64 * cpu);
		uint32_t before = *taken;

		taken[1] = !queues[cpu].avail.flags; /* an interrupt is wanted */
		kit64_write16(EXITS_DOORBELL + 2 * cpu, 0);
		while (*taken == before)
			__asm__ volatile("pause");
		return;
	}
	q->avail.ring[q->avail.idx % QUEUE_SIZE] = 0;
	__asm__ volatile("" ::: "memory");
	q->avail.idx++;
	__asm__ volatile("mfence" ::: "memory");
	kit64_write16(q->notify, (uint16_t)cpu);
	while (q->used.idx == used)
		__asm__ volatile("pause");
}

static void kick_used(unsigned cpu)
{
	queues[cpu].avail.flags = NO_INTR;
	kick(cpu);
}

/* From the doorbell until the handler of the queue's interrupt has run. */
static void kick_interrupt(unsigned cpu)
{
	uint64_t before = kit64_irqs[cpu].count;

	queues[cpu].avail.flags = 0;
	kick(cpu);
	while (kit64_irqs[cpu].count == before)
		__asm__ volatile("pause");
}

static const struct operation {
	const char *name;
	void (*run)(unsigned cpu);
} operations[] = {
	{"port-read", port_read},	{"port-write", port_write}, {"mmio-read", mmio_read},
	{"posted-write", posted_write}, {"kick-used", kick_used},   {"kick-interrupt", kick_interrupt},
};

#define OPERATIONS (sizeof(operations) / sizeof(*operations))

/* ---- the other CPU ---- */

static const struct operation *volatile others;
static volatile int other_up, other_idle = 1;

void guest_other(void)
{
	other_up = 1;
	for (;;) {
		const struct operation *o = others;

		other_idle = !o;
		if (o)
			o->run(1);
		else
			__asm__ volatile("pause");
	}
}

static void other_does(const struct operation *o)
{
	others = o;
	while (other_idle != !o)
		__asm__ volatile("pause");
}

/* ---- cases ---- */

static void spin(uint64_t ticks)
{
	uint64_t start = kit64_tsc();

	while (kit64_tsc() - start < ticks)
		__asm__ volatile("pause");
}

static void sort(uint32_t *v, unsigned n)
{
	for (unsigned gap = n / 2; gap; gap = gap == 2 ? 1 : gap * 5 / 11)
		for (unsigned i = gap; i < n; i++) {
			uint32_t x = v[i];
			unsigned j = i;

			for (; j >= gap && v[j - gap] > x; j -= gap)
				v[j] = v[j - gap];
			v[j] = x;
		}
}

static void put(uint64_t value)
{
	kit64_puts(" ");
	kit64_putu(value);
}

static void report(unsigned n)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < n; i++)
		sum += samples[i];
	sort(samples, n);
	put(n);
	put(samples[0]);
	put(samples[n / 2]);
	put(samples[n * 9ull / 10]);
	put(samples[n * 99ull / 100]);
	put(samples[n - 1]);
	put(sum / n);
	kit64_puts("\n");
}

static void rtc_periodic(int on)
{
	kit64_outb(0x70, 0x0a);
	kit64_outb(0x71, 0x23); /* 8192 Hz */
	kit64_outb(0x70, 0x0b);
	kit64_outb(0x71, on ? 0x42 : 0x02);
}

static void measure(const struct operation *o, unsigned n, int cold, int busy, unsigned cpus)
{
	if (busy)
		rtc_periodic(1);
	if (cpus > 1)
		other_does(o);
	for (unsigned i = 0; i < n; i++) {
		uint64_t start;

		if (cold)
			spin(cold_ticks);
		if (busy)
			kit64_outb(EXITS_SERIAL, '.');
		start = kit64_tsc();
		o->run(0);
		samples[i] = (uint32_t)(kit64_tsc() - start);
	}
	if (cpus > 1)
		other_does(0);
	if (busy)
		rtc_periodic(0);
	kit64_puts(o->name);
	kit64_puts(cold ? " cold" : " hot");
	kit64_puts(busy ? " busy " : " idle ");
	kit64_putu(cpus);
	report(n);
}

static void measure_all(unsigned n, int cold, int busy, unsigned cpus)
{
	for (unsigned i = 0; n && i < OPERATIONS; i++)
		measure(&operations[i], n, cold, busy, cpus);
}

/* The number after NAME= in the command line, at most MAX_SAMPLES unless it is a frequency. */
static uint64_t number(const char *cmdline, char name)
{
	uint64_t value = 0;
	const char *p = cmdline;

	while (*p && !(*p == name && (p == cmdline || p[-1] == ' ')))
		p++;
	while (*p && *p != '=')
		p++;
	while (*p && *++p >= '0' && *p <= '9')
		value = value * 10 + (uint64_t)(*p - '0');
	return value;
}

static unsigned count(const char *cmdline, char name)
{
	uint64_t n = number(cmdline, name);

	return n > MAX_SAMPLES ? MAX_SAMPLES : (unsigned)n;
}

/* A planar mode with its window at A0000h. */
static void vga_init(void)
{
	kit64_outb(0x3ce, 6);
	kit64_outb(0x3cf, 5);
	kit64_outb(0x3c4, 4);
	kit64_outb(0x3c5, 6);
}

void guest_main(const char *cmdline)
{
	unsigned hot = count(cmdline, 'h'), cold = count(cmdline, 'c');

	cold_ticks = number(cmdline, 'k') * COLD_MS;
	if (!find_device()) {
		kit64_puts("no virtio-blk-pci with two queues and MSI-X\n");
		kit64_exit(1);
	}
	vga_init();
	measure_all(hot, 0, 0, 1);
	measure_all(cold, 1, 0, 1);
	measure_all(hot, 0, 1, 1);
	if (number(cmdline, 's') > 1) {
		kit64_start_cpu();
		while (!other_up)
			__asm__ volatile("pause");
		measure_all(hot, 0, 0, 2);
		measure_all(hot, 0, 1, 2);
	}
	kit64_puts("done\n");
}
