/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ring 3 part of disk.S: drives the virtio-blk-pci devices that it finds (Virtio 1.2: split rings, indirect descriptors, event
 * index, MSI-X) and does what it is told on the serial port, a line each, answered by a line:
 *
 *	DISK OP BYTES DEPTH QUEUES WAIT MS	"ok REQUESTS NANOSECONDS" for so long a time, or "failed ..."
 *	end					ends the machine
 *
 * DISK counts from 0. OP is r or w: random places; R or W: one after the other; s: R once over the disk, "ok SUM" of its 64-bit words.
 * WAIT is p: looks at the used rings all the time and wants no interrupts; i: sleeps until an interrupt comes. Requests are spread
 * over QUEUES in turns, DEPTH in all. What is written has the number of its 512-byte sector in every 64-bit word.
 */
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define COM1	     0x3f8
#define DEBUG_EXIT   0xf4
#define PCI_ADDRESS  0xcf8
#define PCI_DATA     0xcfc
#define PIT_CHANNEL2 0x42
#define PIT_CONTROL  0x43
#define PIT_GATE     0x61
#define PIT_HZ	     1193182u
#define LAPIC_SVR    0xfee000f0u
#define LAPIC_MSI    0xfee00000u
#define VECTOR	     0x40u

#define BARS_AT	   0xe0000000u
#define RINGS_AT   0x00800000u
#define RING_BYTES 0x10000u
#define DATA_AT	   0x01000000u

#define DISKS_MAX  4
#define QUEUES_MAX 2
#define RING_SIZE   256u
#define DEPTH_MAX  128u
#define SECTOR	   512u

#define F_FLUSH	    9
#define F_MQ	    12
#define F_INDIRECT  28
#define F_EVENT_IDX 29
#define F_VERSION_1 32

struct common { /* 4.1.4.3 */
	u32 device_feature_select, device_feature, driver_feature_select, driver_feature;
	u16 msix_config, num_queues;
	u8 status, generation;
	u16 queue_select, queue_size, queue_vector, queue_enable, queue_notify_off;
	u32 desc_lo, desc_hi, driver_lo, driver_hi, device_lo, device_hi;
};

struct desc {
	u64 addr;
	u32 len;
	u16 flags, next;
};
#define NEXT	 1
#define WRITE	 2
#define INDIRECT 4

struct avail {
	u16 flags, idx, ring[RING_SIZE], used_event;
};
struct used {
	u16 flags, idx;
	struct {
		u32 id, len;
	} ring[RING_SIZE];
	u16 avail_event;
};

struct request {
	struct {
		u32 type, reserved;
		u64 sector;
	} header;
	struct desc table[3];
	u8 status;
	u8 *data;
};

struct queue {
	struct desc *desc;
	volatile struct avail *avail;
	volatile struct used *used;
	volatile u16 *bell;
	u16 index, seen, kicked, free;
	struct request *of[RING_SIZE];
	u16 free_next[RING_SIZE];
};

struct disk {
	volatile struct common *common;
	u8 *notify;
	u32 notify_multiplier;
	volatile u64 *capacity;
	volatile u32 *msix;
	u16 queues;
	struct queue q[QUEUES_MAX];
};

static struct disk disks[DISKS_MAX];
static unsigned n_disks;
static u32 next_bar = BARS_AT;
static struct request requests[DEPTH_MAX] __attribute__((aligned(64)));
static u64 tsc_hz, seed = 88172645463325252ull;

/* ---- the processor ---- */

static inline void out8(u16 port, u8 value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}
static inline u8 in8(u16 port)
{
	u8 value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
static inline void out32(u16 port, u32 value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}
static inline u32 in32(u16 port)
{
	u32 value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
static inline u64 tsc(void)
{
	u32 lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}
static inline void barrier(void)
{
	__asm__ volatile("mfence" : : : "memory");
}
static inline void wait_for_interrupt(void)
{
	__asm__ volatile("hlt" : : : "rax", "memory");
}
void *memset(void *p, int value, __SIZE_TYPE__ n)
{
	void *to = p;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(value) : "memory");
	return p;
}

/* ---- words ---- */

static void put(const char *s)
{
	while (*s)
		out8(COM1, (u8)*s++);
}

static void put_number(u64 n)
{
	char buf[21];
	unsigned i = 20;

	buf[i] = '\0';
	do {
		buf[--i] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	put(buf + i);
}

static void get_line(char *buf, unsigned room)
{
	unsigned n = 0;
	char c;

	for (;;) {
		while (!(in8(COM1 + 5) & 1))
			__asm__ volatile("pause");
		c = (char)in8(COM1);
		if (c == '\n')
			break;
		if (n < room - 1)
			buf[n++] = c;
	}
	buf[n] = '\0';
}

static u64 number(const char **s)
{
	u64 n = 0;

	while (**s == ' ')
		++*s;
	while (**s >= '0' && **s <= '9')
		n = n * 10 + (u64)(*(*s)++ - '0');
	return n;
}

static char word(const char **s)
{
	while (**s == ' ')
		++*s;
	return **s ? *(*s)++ : '\0';
}

static void end(u32 value)
{
	out32(DEBUG_EXIT, value);
	for (;;)
		;
}

/* ---- time ---- */

/* Channel 2 of the 8254, once over 50 ms. */
static void calibrate(void)
{
	u16 count = PIT_HZ / 20;
	u64 begin;

	out8(PIT_GATE, (u8)((in8(PIT_GATE) & 0xfc) | 1));
	out8(PIT_CONTROL, 0xb0);
	out8(PIT_CHANNEL2, (u8)count);
	out8(PIT_CHANNEL2, (u8)(count >> 8));
	begin = tsc();
	while (!(in8(PIT_GATE) & 0x20))
		;
	tsc_hz = (tsc() - begin) * 20;
}

/* ---- PCI ---- */

static u32 pci_get(unsigned slot, unsigned reg)
{
	out32(PCI_ADDRESS, 0x80000000u | slot << 11 | (reg & ~3u));
	return in32(PCI_DATA) >> 8 * (reg & 3);
}

static void pci_set(unsigned slot, unsigned reg, u32 value)
{
	out32(PCI_ADDRESS, 0x80000000u | slot << 11 | reg);
	out32(PCI_DATA, value);
}

/* Everywhere in turn, by the way that all BARs are asked for their sizes (PCI 3.0, 6.2.5.1). I/O space is not used. */
static void place_bars(unsigned slot, u32 *bars)
{
	for (unsigned i = 0; i < 6; i++) {
		unsigned reg = 0x10 + 4 * i;
		u32 size;

		pci_set(slot, reg, 0xffffffffu);
		size = pci_get(slot, reg);
		bars[i] = 0;
		if (!size || size & 1) {
			pci_set(slot, reg, 0);
			continue;
		}
		size = ~(size & ~15u) + 1;
		next_bar = (next_bar + size - 1) & ~(size - 1);
		bars[i] = next_bar;
		next_bar += size;
		pci_set(slot, reg, bars[i]);
		if ((pci_get(slot, reg) & 6) == 4)
			pci_set(slot, 0x10 + 4 * ++i, 0);
	}
	pci_set(slot, 4, 6);
}

static u8 *at(u32 address)
{
	return (u8 *)(__UINTPTR_TYPE__)address;
}

static void read_capability(struct disk *d, unsigned slot, unsigned cap, const u32 *bars)
{
	unsigned type = pci_get(slot, cap + 3) & 0xff, bar = pci_get(slot, cap + 4) & 0xff;
	u32 where = bar < 6 ? bars[bar] + pci_get(slot, cap + 8) : 0;

	if (type == 1) {
		d->common = (volatile struct common *)at(where);
	} else if (type == 2) {
		d->notify = at(where);
		d->notify_multiplier = pci_get(slot, cap + 16);
	} else if (type == 4) {
		d->capacity = (volatile u64 *)at(where);
	}
}

static void find_structures(struct disk *d, unsigned slot)
{
	u32 bars[6];

	place_bars(slot, bars);
	for (unsigned cap = pci_get(slot, 0x34) & 0xfc; cap; cap = pci_get(slot, cap + 1) & 0xfc) {
		unsigned id = pci_get(slot, cap) & 0xff;

		if (id == 9)
			read_capability(d, slot, cap, bars);
		if (id != 0x11)
			continue;
		d->msix = (volatile u32 *)at(bars[pci_get(slot, cap + 4) & 7] +
					     (pci_get(slot, cap + 4) & ~7u));
		pci_set(slot, cap, pci_get(slot, cap) | 0x80000000u);
	}
}

/* ---- the device ---- */

static u32 device_features(struct disk *d, u32 half)
{
	d->common->device_feature_select = half;
	return d->common->device_feature;
}

static void accept(struct disk *d, u32 half, u32 bits)
{
	d->common->driver_feature_select = half;
	d->common->driver_feature = device_features(d, half) & bits;
}

static void queue_init(struct disk *d, unsigned i, u8 *memory)
{
	struct queue *q = &d->q[i];
	volatile struct common *c = d->common;

	c->queue_select = (u16)i;
	q->index = (u16)i;
	c->queue_size = RING_SIZE;
	q->desc = (struct desc *)memory;
	q->avail = (volatile struct avail *)(memory + 0x2000);
	q->used = (volatile struct used *)(memory + 0x4000);
	c->queue_vector = (u16)i;
	c->desc_lo = (u32)(__UINTPTR_TYPE__)q->desc;
	c->driver_lo = (u32)(__UINTPTR_TYPE__)q->avail;
	c->device_lo = (u32)(__UINTPTR_TYPE__)q->used;
	c->desc_hi = c->driver_hi = c->device_hi = 0;
	q->bell = (volatile u16 *)(d->notify + d->notify_multiplier * c->queue_notify_off);
	for (unsigned k = 0; k < RING_SIZE; k++)
		q->free_next[k] = (u16)(k + 1);
	c->queue_enable = 1;
	for (unsigned word = 0; d->msix && word < 4; word++) {
		const u32 entry[4] = {LAPIC_MSI, 0, VECTOR + i, 0};

		d->msix[4 * i + word] = entry[word];
	}
}

static int disk_init(unsigned slot)
{
	struct disk *d = &disks[n_disks];

	find_structures(d, slot);
	if (!d->common || !d->notify || !d->capacity)
		return 0;
	d->common->status = 0;
	while (d->common->status)
		;
	d->common->status = 3;
	d->queues = (device_features(d, 0) >> F_MQ & 1) && d->common->num_queues > 1 ? 2 : 1;
	/* FLUSH: a driver that has no flush is given a disk that writes through. */
	accept(d, 0, 1u << F_FLUSH | 1u << F_INDIRECT | 1u << F_EVENT_IDX | 1u << F_MQ);
	accept(d, 1, 1u << (F_VERSION_1 - 32));
	d->common->status = 11;
	if (!(d->common->status & 8))
		return 0;
	for (unsigned i = 0; i < d->queues; i++)
		queue_init(d, i, at(RINGS_AT + (n_disks * QUEUES_MAX + i) * RING_BYTES));
	d->common->status = 15;
	n_disks++;
	return 1;
}

static void find_disks(void)
{
	for (unsigned slot = 0; slot < 32 && n_disks < DISKS_MAX; slot++) {
		u32 id = pci_get(slot, 0);

		if (id == 0x10011af4 || id == 0x10421af4)
			disk_init(slot);
	}
}

/* ---- requests ---- */

static void start(struct queue *q, struct request *r, int write, u64 sector, u32 bytes)
{
	u16 head = q->free;

	q->free = q->free_next[head];
	q->of[head] = r;
	r->header.type = (u32)write;
	r->header.sector = sector;
	r->table[0] = (struct desc){(u64)(__UINTPTR_TYPE__)&r->header, 16, NEXT, 1};
	r->table[1] = (struct desc){(u64)(__UINTPTR_TYPE__)r->data, bytes,
				    (u16)(write ? NEXT : NEXT | WRITE), 2};
	r->table[2] = (struct desc){(u64)(__UINTPTR_TYPE__)&r->status, 1, WRITE, 0};
	q->desc[head] =
		(struct desc){(u64)(__UINTPTR_TYPE__)r->table, sizeof(r->table), INDIRECT, 0};
	q->avail->ring[q->avail->idx % RING_SIZE] = head;
	__asm__ volatile("" : : : "memory");
	q->avail->idx++;
}

/* All that was started since: one notification, if the device wants one (2.7.10). */
static void kick(struct queue *q)
{
	u16 now = q->avail->idx, was = q->kicked;

	if (now == was)
		return;
	barrier();
	q->kicked = now;
	if ((u16)(now - q->used->avail_event - 1) < (u16)(now - was))
		*q->bell = q->index;
}

/* The next one that is done, or 0. */
static struct request *reap(struct queue *q)
{
	u16 head;

	if (q->used->idx == q->seen)
		return 0;
	__asm__ volatile("" : : : "memory");
	head = (u16)q->used->ring[q->seen++ % RING_SIZE].id;
	q->free_next[head] = q->free;
	q->free = head;
	return q->of[head];
}

/* Interrupts when one more is used, or practically never. */
static void set_interrupts(struct queue *q, int on)
{
	q->avail->used_event = (u16)(on ? q->seen : q->seen - 1);
}

struct load {
	struct disk *d;
	char op, wait;
	u32 bytes, depth, queues;
	u64 places, next, ends, started, done, sum;
	u32 in_flight;
	int failed;
};

static u64 next_place(struct load *l)
{
	if (l->op == 'r' || l->op == 'w') {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		return seed % l->places;
	}
	return l->next++ % l->places;
}

static void go(struct load *l, struct queue *q, struct request *r)
{
	u64 sector = next_place(l) * (l->bytes / SECTOR);
	int write = l->op == 'w' || l->op == 'W';

	for (u32 i = 0; l->op == 'W' && i < l->bytes; i += 8)
		*(u64 *)(r->data + i) = sector + i / SECTOR;
	start(q, r, write, sector, l->bytes);
	l->started++;
	l->in_flight++;
}

static void finished(struct load *l, struct request *r)
{
	l->in_flight--;
	l->done++;
	l->failed |= r->status;
	for (u32 i = 0; l->op == 's' && i < l->bytes; i += 8)
		l->sum += *(u64 *)(r->data + i);
}

static int is_over(const struct load *l)
{
	return l->op == 's' || l->op == 'W' ? l->started >= l->places && tsc() >= l->ends
					     : tsc() >= l->ends;
}

/* One queue's completions, each replaced by a new request while there is time. Returns how many. */
static unsigned serve(struct load *l, struct queue *q)
{
	struct request *r;
	unsigned n = 0;

	while ((r = reap(q))) {
		finished(l, r);
		n++;
		if (!is_over(l))
			go(l, q, r);
	}
	if (n)
		kick(q);
	return n;
}

static void run(struct load *l)
{
	for (u32 i = 0; i < l->queues; i++)
		set_interrupts(&l->d->q[i], 0);
	for (u32 i = 0; i < l->depth; i++)
		go(l, &l->d->q[i % l->queues], &requests[i]);
	for (u32 i = 0; i < l->queues; i++)
		kick(&l->d->q[i]);
	while (l->in_flight) {
		unsigned n = 0;

		for (u32 i = 0; i < l->queues; i++)
			n += serve(l, &l->d->q[i]);
		if (n)
			continue;
		if (l->wait == 'p') {
			__asm__ volatile("pause");
			continue;
		}
		/* 2.7.7.1: ask for an interrupt, then look once more. */
		for (u32 i = 0; i < l->queues; i++)
			set_interrupts(&l->d->q[i], 1);
		barrier();
		for (u32 i = 0; i < l->queues; i++)
			n += l->d->q[i].used->idx != l->d->q[i].seen;
		if (!n)
			wait_for_interrupt();
	}
}

static void command(const char *s)
{
	struct load l = {0};
	u64 disk = number(&s), ms, begin, took;

	l.op = word(&s);
	l.bytes = (u32)number(&s);
	l.depth = (u32)number(&s);
	l.queues = (u32)number(&s);
	l.wait = word(&s);
	ms = number(&s);
	if (disk >= n_disks || !l.bytes || l.bytes % SECTOR || !l.depth || l.depth > DEPTH_MAX ||
	    !l.queues || l.queues > disks[disk].queues || (u64)l.bytes * l.depth > 96ull << 20) {
		put("failed: what?\n");
		return;
	}
	l.d = &disks[disk];
	l.places = *l.d->capacity * SECTOR / l.bytes;
	for (u32 i = 0; i < l.depth; i++) {
		requests[i].data = at(DATA_AT) + (u64)i * l.bytes;
		memset(requests[i].data, (int)i + 1, l.bytes);
	}
	begin = tsc();
	l.ends = begin + tsc_hz / 1000 * ms;
	run(&l);
	if (l.failed) {
		put("failed: status\n");
		return;
	}
	put("ok ");
	put_number(l.op == 's' ? l.sum : l.done);
	put(" ");
	took = tsc() - begin;
	put_number(took / tsc_hz * 1000000000u + took % tsc_hz * 1000000000u / tsc_hz);
	put("\n");
}

__attribute__((section(".text.start"), used)) void user_start(void)
{
	char line[80];

	*(volatile u32 *)at(LAPIC_SVR) = 0x1ff;
	calibrate();
	find_disks();
	put("disks ");
	put_number(n_disks);
	put("\n");
	for (;;) {
		get_line(line, sizeof(line));
		if (line[0] == 'e')
			end(0);
		command(line);
	}
}
