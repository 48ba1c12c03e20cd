/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces: guest-physical memory and I/O ports as trees of regions.
 *
 * Regions are added and removed on the loop thread. From them a flat view is rendered: a sorted array of
 * ranges, immutable once published. vCPU threads read the view without a lock (as_view_mt); the loop
 * retires an old view and frees it once each vCPU has moved on (accel_ops.memory_changed).
 *
 * Dispatch of device regions happens on the loop thread alone. What nobody claims reads as ones, and
 * writes to it are dropped.
 */
#ifndef EVMM_MEMORY_H
#define EVMM_MEMORY_H

#include "src/list.h"
#include "src/error.h"
#include "src/region_stream.h"

typedef uint64_t gpa_t; /* guest-physical address */

struct clock;
struct loop_notifier;
struct device;
struct dirty_log;

struct region_ops {
	/* OFFSET is from the region's start; SIZE is 1, 2, 4 or 8 bytes, within [min_size, max_size] and aligned unless `unaligned`. */
	uint64_t (*read)(void *opaque, uint64_t offset, unsigned size);
	void (*write)(void *opaque, uint64_t offset, uint64_t value, unsigned size);
	/*
	 * Access sizes the device implements (0: 1 and 4). Wider guest accesses are split, low address
	 * first; narrower ones go through as they are, for the device to judge.
	 */
	uint8_t min_size, max_size;
	bool unaligned;
	/*
	 * Up to COUNT elements of SIZE bytes at one OFFSET, as string I/O moves them; how many were. None: they come one by
	 * one, to READ and WRITE. May be NULL; for registers of which a guest moves much.
	 */
	unsigned (*read_string)(void *opaque, uint64_t offset, void *buf, unsigned size,
				unsigned count);
	unsigned (*write_string)(void *opaque, uint64_t offset, const void *buf, unsigned size,
				 unsigned count);
};

/*
 * What a register that only shows the time shows: HZ counts a second of CLOCK, modulo 2^BITS. It needs no device to be
 * read, so a vCPU reads it without a trap. Guests poll such a register to learn how fast everything else is.
 */
struct region_counter {
	const struct clock *clock;
	uint32_t hz; /* 0: no counter */
	uint8_t bits;
};

enum region_kind {
	REGION_IO,  /* ops are called on the loop thread */
	REGION_RAM, /* host memory, guest reads and writes it directly */
	REGION_ROM, /* host memory, guest reads it directly; writes go to ops->write if there is one, else are dropped */
	REGION_ALIAS,	  /* a window into another region */
	REGION_CONTAINER, /* children only */
};

struct region {
	const char *name;
	enum region_kind kind;
	uint64_t size; /* bytes; the whole 2^64 is not expressible and not needed */
	const struct region_ops *ops;
	void *opaque;
	uint8_t *host; /* RAM and ROM */
	struct dirty_log
		*log; /* RAM: whose writes are noted (src/dirty_log.h); NULL: they are not */
	struct region *alias; /* ALIAS: target and where in it */
	uint64_t alias_offset;
	struct region_counter counter; /* set: reads show it, whatever OPS has */
	struct region_tap tap;	       /* set: what its stream has is read without a trap */
	bool posted; /* writes need no answer: the vCPU goes on without waiting (order per vCPU is kept) */
	/*
	 * Posted, and they may also wait: until a vCPU traps or the loop is awake for another reason; whatever runs on the loop then,
	 * a timer for instance, finds them done. For what is looked at now and then, such as video memory, and for index registers.
	 */
	bool coalesced;
	bool enabled; /* a disabled region is as if it were not there */

	/* tree, owned by memory.c */
	struct region *parent;
	uint64_t offset; /* in parent */
	int priority;	 /* higher hides lower; equal: the later one hides */
	struct list node, children;
	struct list aliases, alias_node; /* aliases of this region that are in a tree */
	struct list doorbells;
	struct address_space *as; /* root container only */
};

/* A write of SIZE bytes (0: any) at OFFSET, optionally of VALUE only, signals NOTIFIER instead of trapping. */
struct region_doorbell {
	struct list node;
	uint64_t offset;
	unsigned size;
	bool match_value;
	uint64_t value;
	struct loop_notifier *notifier;
};

struct view_range {
	uint64_t start, last;  /* guest-physical or port, inclusive */
	enum region_kind kind; /* IO, RAM or ROM */
	struct region *region;
	uint64_t region_offset; /* of START in REGION */
	uint8_t *host;		/* of START; RAM and ROM */
	struct region_counter counter;
	struct region_tap tap;
	struct dirty_log *log;
	bool posted,
		coalesced; /* copies of the region's, so that a vCPU need not look at the region */
	unsigned n_doorbells;
	struct region_doorbell *doorbells; /* owned by the view */
};

struct mem_view {
	uint64_t generation;
	struct list retired_node;
	unsigned n;
	struct view_range ranges[];
};

struct address_space {
	const char *name;
	struct region root;    /* CONTAINER */
	struct mem_view *view; /* current; atomic */
	struct list retired;   /* views that a vCPU may still read */
	unsigned transaction;  /* depth of as_begin/as_commit */
	bool dirty;
	void (*changed)(void *opaque); /* after a new view is published; loop thread */
	/* after as_write changed RAM; loop thread. May be NULL */
	void (*ram_written)(void *opaque, gpa_t gpa, uint64_t bytes);
	void *changed_opaque; /* of both */
};

void as_init(struct address_space *as, const char *name, uint64_t size);
void as_fini(struct address_space *as);
/* Several changes, one new view. Nests. */
void as_begin(struct address_space *as);
void as_commit(struct address_space *as);
/*
 * Frees the retired views older than generation SEEN. Loop thread, and not from within a device's callback,
 * whose access may still be using one.
 */
void as_reclaim(struct address_space *as, uint64_t seen);
/* For teardown: takes the whole tree apart, so that regions may be freed in any order. */
void as_detach_all(struct address_space *as);

void region_init_io(struct region *r, const char *name, const struct region_ops *ops, void *opaque,
		    uint64_t size);
/* HOST is memory of the caller's, page-aligned for RAM that a vCPU maps. */
void region_init_ram(struct region *r, const char *name, uint8_t *host, uint64_t size);
void region_init_rom(struct region *r, const char *name, uint8_t *host, uint64_t size);
void region_init_alias(struct region *r, const char *name, struct region *target, uint64_t offset,
		       uint64_t size);
void region_init_container(struct region *r, const char *name, uint64_t size);
void region_add(struct region *parent, uint64_t offset, struct region *child, int priority);
void region_remove(struct region *child);
void region_set_enabled(struct region *r, bool enabled);
/* Whose writes LOG notes from now on; NULL: nobody's. By src/dirty_log.c. */
void region_set_log(struct region *r, struct dirty_log *log);
void region_move(struct region *r, uint64_t offset);
void region_add_doorbell(struct region *r, struct region_doorbell *d);
void region_remove_doorbell(struct region *r, struct region_doorbell *d);

/* Any thread. The view stays valid for a vCPU until it acknowledges a change, for the loop until it returns to the loop. */
const struct mem_view *as_view_mt(const struct address_space *as);
/* NULL when nothing is there. Binary search. */
const struct view_range *view_find(const struct mem_view *view, uint64_t addr);
/* Is there anything in [FIRST, LAST]? */
bool view_occupied(const struct mem_view *view, uint64_t first, uint64_t last);
/* The doorbell that a write would ring (the view's copy), or NULL. Any thread that holds a view. */
struct region_doorbell *view_doorbell(const struct view_range *range, uint64_t addr, unsigned size,
				      uint64_t value);

/*
 * Any thread that holds a view: BYTES, one element or several, of the register at ADDR by RANGE's stream. False: trap.
 * Nothing that was posted before may still be under way.
 */
bool view_stream(const struct view_range *range, uint64_t addr, void *buf, unsigned size,
		 unsigned count);

/* Any thread that holds a view: RANGE's counter as an access at ADDR, within the range, reads it. */
uint64_t view_counter(const struct view_range *range, uint64_t addr, unsigned size);

/* Loop thread: one access as a vCPU would make it, RAM or device. SIZE 1, 2, 4, 8. */
uint64_t as_read(struct address_space *as, uint64_t addr, unsigned size);
/* COUNT accesses of SIZE at one address, with the elements one after the other in BUF. */
void as_read_string(struct address_space *as, uint64_t addr, void *buf, unsigned size,
		    unsigned count);
void as_write_string(struct address_space *as, uint64_t addr, const void *buf, unsigned size,
		     unsigned count);
void as_write(struct address_space *as, uint64_t addr, uint64_t value, unsigned size);

/*
 * DMA: loop thread, RAM and ROM-as-read only, never devices. False when any byte is outside RAM: then
 * nothing was written, or the buffer is filled with ones. Writes tell the accelerator, so that a
 * software CPU drops code it has translated.
 */
struct machine;
bool dma_read(struct machine *m, gpa_t gpa, void *buf, size_t bytes);
bool dma_write(struct machine *m, gpa_t gpa, const void *buf, size_t bytes);
/* Maps up to *BYTES contiguous bytes of RAM; *BYTES says how many. NULL when there is none. After writing through it: dma_unmap. */
void *dma_map(struct machine *m, gpa_t gpa, size_t *bytes, bool write);
void dma_unmap(struct machine *m, gpa_t gpa, void *host, size_t bytes, bool written);

#endif
