/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's memory and registers as an ELF core. The guest stands still meanwhile; a worker writes, a piece at a time.
 * Loop thread.
 *
 *	NONE, COMPLETED, FAILED --dump_start--> ACTIVE: paused, mappings (with paging), head, memory --> COMPLETED or FAILED
 */
#ifndef EVMM_DUMP_H
#define EVMM_DUMP_H

#include "src/machine.h"

enum dump_status { DUMP_NONE, DUMP_ACTIVE, DUMP_COMPLETED, DUMP_FAILED };

struct dump_request {
	const char *path; /* or */
	int fd;		  /* >= 0: taken over, also on failure */
	bool paging;	  /* segments at the linear addresses where the processors have them */
	bool filtered;	  /* only BEGIN to BEGIN + LENGTH of physical memory */
	gpa_t begin, length;
};

struct dump_progress {
	enum dump_status status;
	uint64_t completed, total; /* bytes of memory */
};

/* DONE is called once, on the loop, with ERR clear or not, unless this returns false with ERR. */
bool dump_start(struct machine *m, const struct dump_request *r,
		void (*done)(void *opaque, struct error *err), void *opaque, struct error *err);
struct dump_progress dump_progress(const struct machine *m);
static inline bool dump_is_active(const struct machine *m)
{
	return dump_progress(m).status == DUMP_ACTIVE;
}

#endif
