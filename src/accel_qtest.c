/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The accelerator without any processor: a test drives the devices, in process or over a socket (-qtest). What would have
 * reached a processor is noted.
 */
#include <stdlib.h>
#include "src/accel.h"
#include "src/machine.h"

static bool qtest_init(struct machine *m, struct error *err)
{
	m->accel_state = xzalloc(sizeof(struct accel_qtest_log));
	return true;
}

static void qtest_fini(struct machine *m)
{
	free(m->accel_state);
	m->accel_state = NULL;
}

static bool qtest_set_cpu_model(struct machine *m, const char *arg, struct error *err)
{
	return true;
}

static void qtest_kick(struct vcpu *v)
{
}

static void qtest_msi_send(struct machine *m, uint64_t addr, uint32_t data)
{
	struct accel_qtest_log *log = m->accel_state;
	unsigned slot = log->n_msi++ % ARRAY_SIZE(log->msi);

	log->msi[slot].addr = addr;
	log->msi[slot].data = data;
}

static void qtest_set_intr(struct machine *m, bool level)
{
	struct accel_qtest_log *log = m->accel_state;

	log->intr = level;
}

static void qtest_inject_nmi(struct vcpu *v)
{
}

static void qtest_memory_changed(struct machine *m)
{
	struct accel_qtest_log *log = m->accel_state;

	if (log)
		log->memory_changes++;
}

static void qtest_ram_written(struct machine *m, gpa_t gpa, uint64_t bytes)
{
	struct accel_qtest_log *log = m->accel_state;

	log->ram_written_bytes += bytes;
}

const struct accel_ops accel_qtest = {
	.name = "qtest",
	.desc = "no processor: -qtest drives the devices",
	.no_vcpus = true,
	.dirty_logging = DIRTY_BY_LOOP,
	.init = qtest_init,
	.fini = qtest_fini,
	.set_cpu_model = qtest_set_cpu_model,
	.kick = qtest_kick,
	.msi_send = qtest_msi_send,
	.set_intr = qtest_set_intr,
	.inject_nmi = qtest_inject_nmi,
	.memory_changed = qtest_memory_changed,
	.ram_written = qtest_ram_written,
};
