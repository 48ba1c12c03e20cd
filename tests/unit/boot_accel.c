/* SPDX-License-Identifier: BSD-2-Clause */
/* An accelerator that only remembers the registers that a loader sets. */
#include "tests/unit/boot_accel.h"

struct x86_regs boot_accel_regs;
bool boot_accel_long_mode = true;

static bool accel_init(struct machine *machine, struct error *e)
{
	return true;
}

static void accel_fini(struct machine *machine)
{
}

static bool accel_set_cpu_model(struct machine *machine, const char *arg, struct error *e)
{
	return true;
}

static bool accel_has_long_mode(struct machine *machine)
{
	return boot_accel_long_mode;
}

static bool accel_vcpu_init(struct vcpu *v, struct error *e)
{
	return true;
}

static void accel_vcpu(struct vcpu *v)
{
}

static void accel_set_regs(struct vcpu *v, const struct x86_regs *r)
{
	boot_accel_regs = *r;
}

const struct accel_ops boot_accel = {
	.name = "test",
	.init = accel_init,
	.fini = accel_fini,
	.set_cpu_model = accel_set_cpu_model,
	.has_long_mode = accel_has_long_mode,
	.vcpu_init = accel_vcpu_init,
	.vcpu_fini = accel_vcpu,
	.vcpu_reset = accel_vcpu,
	.kick = accel_vcpu,
	.set_regs = accel_set_regs,
};
