/* SPDX-License-Identifier: BSD-2-Clause */
/* Which pages of RAM regions have been written. */
#include <stdlib.h>
#include "src/dirty_log.h"
#include "src/machine.h"
#include "src/vcpu.h"

struct dirty_log *dirty_log_new(struct machine *m, struct region *r)
{
	struct dirty_log *log;
	unsigned vcpus = MAX(MAX(m->config.maxcpus, m->config.cpus), 1u);

	LOOP_ASSERT();
	if (m->n_dirty_logs == DIRTY_LOGS_MAX)
		return NULL;
	log = xzalloc(sizeof(*log));
	log->region = r;
	log->words = ALIGN_UP(r->size / DIRTY_PAGE, 64) / 64;
	log->bits = xzalloc(log->words * 8);
	log->taken = xzalloc(log->words * 8);
	log->held = xzalloc(vcpus * sizeof(log->held[0]));
	for (unsigned i = 0; i < vcpus; i++)
		log->held[i] = xzalloc(log->words * 8);
	m->dirty_logs[m->n_dirty_logs] = log;
	__atomic_store_n(&m->n_dirty_logs, m->n_dirty_logs + 1, __ATOMIC_RELEASE);
	dirty_log_set_enabled(m, log, true);
	return log;
}

void dirty_logs_free(struct machine *m)
{
	unsigned vcpus = MAX(MAX(m->config.maxcpus, m->config.cpus), 1u);

	for (unsigned i = 0; i < m->n_dirty_logs; i++) {
		struct dirty_log *log = m->dirty_logs[i];

		for (unsigned v = 0; v < vcpus; v++)
			free(log->held[v]);
		free(log->held);
		free(log->taken);
		free(log->bits);
		free(log);
	}
	m->n_dirty_logs = 0;
}

void dirty_log_mark_mt(struct dirty_log *log, uint64_t offset, uint64_t bytes)
{
	if (!bytes)
		return;
	for (uint64_t page = offset / DIRTY_PAGE; page <= (offset + bytes - 1) / DIRTY_PAGE; page++)
		dirty_log_mark_page_mt(log, page);
}

bool dirty_log_any(const uint64_t *pages, uint64_t first, uint64_t last)
{
	for (uint64_t page = first; page <= last; page++)
		if (pages[page >> 6] >> (page & 63) & 1)
			return true;
	return false;
}

/* ---- taking ---- */

static bool all_have_served(const struct machine *m, uint64_t ticket)
{
	for (unsigned i = 0; i < m->n_vcpus; i++)
		if (__atomic_load_n(&m->vcpus[i]->dirty_served, __ATOMIC_ACQUIRE) < ticket)
			return false;
	return true;
}

static void ask_vcpus(struct machine *m, struct dirty_log *log)
{
	log->ticket = m->dirty_ticket + 1;
	__atomic_store_n(&m->dirty_ticket, log->ticket, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < m->n_vcpus; i++)
		vcpu_request_mt(m->vcpus[i], VCPU_REQ_DIRTY);
}

void dirty_log_set_enabled(struct machine *m, struct dirty_log *log, bool on)
{
	LOOP_ASSERT();
	region_set_log(log->region, on ? log : NULL);
	if (!on)
		return;
	for (uint64_t i = 0; i < log->words; i++)
		__atomic_store_n(&log->bits[i], UINT64_MAX, __ATOMIC_SEQ_CST);
	/* With the new view, a vCPU comes to know of the log; until then it writes without a word. */
	if (m->accel && m->accel->dirty_logging == DIRTY_BY_VCPUS && !vcpus_all_parked(m)) {
		log->begun = true;
		ask_vcpus(m, log);
	}
}

bool dirty_log_take(struct machine *m, struct dirty_log *log, uint64_t *pages)
{
	const struct accel_ops *accel = m->accel;
	bool vcpus_note = accel->dirty_logging == DIRTY_BY_VCPUS, again, any = false;

	LOOP_ASSERT();
	if (accel->dirty_logging == DIRTY_UNKNOWN) {
		memset(pages, 0xff, log->words * 8);
		return true;
	}
	if (accel->dirty_sync)
		accel->dirty_sync(m, log);
	/* Before the bits are read: who has served has marked what it wrote. */
	again = vcpus_note && !all_have_served(m, log->ticket);
	for (uint64_t i = 0; i < log->words; i++) {
		pages[i] = __atomic_exchange_n(&log->bits[i], 0, __ATOMIC_SEQ_CST) |
			   (again ? log->taken[i] : 0) | (log->begun ? UINT64_MAX : 0);
		log->taken[i] = pages[i];
		any |= pages[i] != 0;
	}
	log->begun &= again;
	if (any && vcpus_note)
		ask_vcpus(m, log);
	return any;
}

/* ---- vCPU thread ---- */

void dirty_log_release(struct machine *m, unsigned vcpu)
{
	uint64_t ticket = __atomic_load_n(&m->dirty_ticket, __ATOMIC_ACQUIRE);
	unsigned n = __atomic_load_n(&m->n_dirty_logs, __ATOMIC_ACQUIRE);

	for (unsigned i = 0; i < n; i++) {
		struct dirty_log *log = m->dirty_logs[i];
		uint64_t *held = log->held[vcpu];

		for (uint64_t w = 0; w < log->words; w++) {
			if (!held[w])
				continue;
			__atomic_fetch_or(&log->bits[w], held[w], __ATOMIC_SEQ_CST);
			held[w] = 0;
		}
	}
	__atomic_store_n(&m->vcpus[vcpu]->dirty_served, ticket, __ATOMIC_RELEASE);
}
