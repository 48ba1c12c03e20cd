/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Model-specific registers (SDM 4; APM 2, appendix A). What is not listed here does not exist: #GP.
 */
#include "src/clock.h"
#include "src/cpu/lapic.h"
#include "src/cpu/sys_ops.h"
#include "src/log.h"
#include "src/machine.h"

#define MSR_TSC		      0x10
#define MSR_APIC_BASE	      0x1b
#define MSR_TSC_ADJUST	      0x3b
#define MSR_PATCH_LEVEL	      0x8b
#define MSR_MTRR_CAP	      0xfe
#define MSR_SYSENTER_CS	      0x174
#define MSR_SYSENTER_ESP      0x175
#define MSR_SYSENTER_EIP      0x176
#define MSR_MCG_CAP	      0x179
#define MSR_MCG_STATUS	      0x17a
#define MSR_MCG_CTL	      0x17b
#define MSR_MISC_ENABLE	      0x1a0
#define MSR_DEBUGCTL	      0x1d9
#define MSR_MTRR_PHYS_BASE0   0x200
#define MSR_MTRR_PHYS_LAST    0x20f
#define MSR_MTRR_FIX64K_00000 0x250
#define MSR_MTRR_FIX16K_80000 0x258
#define MSR_MTRR_FIX16K_A0000 0x259
#define MSR_MTRR_FIX4K_C0000  0x268
#define MSR_MTRR_FIX4K_F8000  0x26f
#define MSR_PAT		      0x277
#define MSR_MTRR_DEF_TYPE     0x2ff
#define MSR_MC0_CTL	      0x400
#define MSR_TSC_DEADLINE      0x6e0
#define MSR_X2APIC_FIRST      0x800
#define MSR_X2APIC_LAST	      0x8ff
#define MSR_EFER	      0xc0000080
#define MSR_STAR	      0xc0000081
#define MSR_LSTAR	      0xc0000082
#define MSR_CSTAR	      0xc0000083
#define MSR_SF_MASK	      0xc0000084
#define MSR_FS_BASE	      0xc0000100
#define MSR_GS_BASE	      0xc0000101
#define MSR_KERNEL_GS_BASE    0xc0000102
#define MSR_TSC_AUX	      0xc0000103
#define MSR_SYSCFG	      0xc0010010
#define MSR_HWCR	      0xc0010015
#define MSR_TOP_MEM	      0xc001001a
#define MSR_TOP_MEM2	      0xc001001d
#define MSR_NB_CFG	      0xc001001f
#define MSR_PATCH_LOADER      0xc0010020
#define MSR_INT_PENDING	      0xc0010055
#define MSR_VM_CR	      0xc0010114
#define MSR_DE_CFG	      0xc0011029

#define EFER_AIBRSE BIT(21)

#define MTRR_VARIABLE 8u
#define MC_BANKS      4u
/* Bank registers: CTL, STATUS, ADDR, MISC. */
#define MSR_MC_LAST (MSR_MC0_CTL + MC_BANKS * 4 - 1)

/* Memory types are valid in MTRRs: UC, WC, WT, WP, WB; in the PAT UC- as well (SDM 3A 12.11, 12.12). */
#define TYPES_MTRR 0x73u
#define TYPES_PAT  0xf3u

static bool types_valid(uint64_t v, unsigned types)
{
	unsigned i;

	for (i = 0; i < 8; i++, v >>= 8) {
		if ((v & 0xff) > 7 || !(types & BIT(v & 7)))
			return false;
	}
	return true;
}

/* ---- MTRRs: kept, as they have no effect on a model without caches ---- */

static uint64_t *fixed_mtrr(struct cpu *c, uint32_t index)
{
	if (index == MSR_MTRR_FIX64K_00000)
		return &c->mtrr_fixed[0];
	if (index == MSR_MTRR_FIX16K_80000 || index == MSR_MTRR_FIX16K_A0000)
		return &c->mtrr_fixed[1 + index - MSR_MTRR_FIX16K_80000];
	if (index >= MSR_MTRR_FIX4K_C0000 && index <= MSR_MTRR_FIX4K_F8000)
		return &c->mtrr_fixed[3 + index - MSR_MTRR_FIX4K_C0000];
	return NULL;
}

static bool mtrr_read(struct cpu *c, uint32_t index, uint64_t *value)
{
	uint64_t *fixed = fixed_mtrr(c, index);

	if (fixed)
		*value = *fixed;
	else if (index >= MSR_MTRR_PHYS_BASE0 && index <= MSR_MTRR_PHYS_LAST)
		*value = c->mtrr_var[index - MSR_MTRR_PHYS_BASE0];
	else if (index == MSR_MTRR_CAP)
		*value = MTRR_VARIABLE | BIT(8) | BIT(10); /* fixed ranges, WC */
	else if (index == MSR_MTRR_DEF_TYPE)
		*value = c->mtrr_def;
	else
		return false;
	return cpu_has(c, FEAT_MTRR);
}

static bool mtrr_write(struct cpu *c, uint32_t index, uint64_t v)
{
	uint64_t *fixed = fixed_mtrr(c, index);

	if (!cpu_has(c, FEAT_MTRR))
		return false;
	if (fixed) {
		if (!types_valid(v, TYPES_MTRR))
			return false;
		*fixed = v;
	} else if (index >= MSR_MTRR_PHYS_BASE0 && index <= MSR_MTRR_PHYS_LAST) {
		bool mask = index & 1;
		uint64_t allowed = c->phys_mask & (mask ? ~0x7ffull : ~0xf00ull);

		if ((v & ~allowed) || (!mask && !types_valid(v & 0xff, TYPES_MTRR)))
			return false;
		c->mtrr_var[index - MSR_MTRR_PHYS_BASE0] = v;
	} else if (index == MSR_MTRR_DEF_TYPE) {
		if ((v & ~0xcffull) || !types_valid(v & 0xff, TYPES_MTRR))
			return false;
		c->mtrr_def = v;
	} else {
		return false;
	}
	return true;
}

/* ---- machine check banks: never report anything ---- */

static bool mc_read(struct cpu *c, uint32_t index, uint64_t *value)
{
	if (!cpu_has(c, FEAT_MCA))
		return false;
	if (index == MSR_MCG_CAP)
		*value = MC_BANKS | BIT(8); /* MCG_CTL exists */
	else if (index == MSR_MCG_STATUS)
		*value = c->mcg_status;
	else if (index == MSR_MCG_CTL)
		*value = c->mcg_ctl;
	else if (index >= MSR_MC0_CTL && index <= MSR_MC_LAST)
		*value = c->mc_bank[index - MSR_MC0_CTL];
	else
		return false;
	return true;
}

/*
 * CTL enables all or nothing, but for bits 0 and 10 that kernels clear for the sake of processors with errata; STATUS is
 * only ever cleared.
 */
static bool mc_bank_takes(unsigned reg, uint64_t v)
{
	return reg == 0 ? !v || (v | BIT(0) | BIT(10)) == UINT64_MAX : reg != 1 || !v;
}

static bool mc_write(struct cpu *c, uint32_t index, uint64_t v)
{
	if (!cpu_has(c, FEAT_MCA))
		return false;
	if (index == MSR_MCG_STATUS)
		c->mcg_status = v & 7;
	else if (index == MSR_MCG_CTL)
		c->mcg_ctl = v;
	else if (index >= MSR_MC0_CTL && index <= MSR_MC_LAST && mc_bank_takes(index & 3, v))
		c->mc_bank[index - MSR_MC0_CTL] = v;
	else
		return false;
	return true;
}

/* ---- the local APIC's ---- */

static bool is_lapic_msr(uint32_t index)
{
	return index == MSR_APIC_BASE || index == MSR_TSC_DEADLINE ||
	       (index >= MSR_X2APIC_FIRST && index <= MSR_X2APIC_LAST);
}

/* ---- EFER and the TSC ---- */

static bool efer_write(struct cpu *c, uint64_t v)
{
	uint64_t known = 0;

	if (cpu_has(c, FEAT_SYSCALL))
		known |= EFER_SCE;
	if (cpu_has(c, FEAT_LM))
		known |= EFER_LME | EFER_LMA;
	if (cpu_has(c, FEAT_NX))
		known |= EFER_NXE;
	if (cpu_has(c, FEAT_AUTOIBRS))
		known |= EFER_AIBRSE;
	if (v & ~known)
		return false;
	if (((v ^ c->efer) & EFER_LME) && (c->cr0 & CR0_PG))
		return false;
	v = (v & ~(uint64_t)EFER_LMA) | (c->efer & EFER_LMA);
	if ((v ^ c->efer) & EFER_NXE) {
		c->efer = v;
		mmu_config_changed(c);
	}
	c->efer = v;
	return true;
}

static void tsc_shift(struct cpu *c, uint64_t by)
{
	c->tsc_offset = (int64_t)((uint64_t)c->tsc_offset + by);
	c->tsc_adjust += by;
	if (c->lapic)
		lapic_rearm(c->lapic);
}

/* ---- plain storage ---- */

static uint64_t *plain(struct cpu *c, uint32_t index)
{
	switch (index) {
	case MSR_SYSENTER_CS:
		return &c->sysenter_cs;
	case MSR_SYSENTER_ESP:
		return &c->sysenter_esp;
	case MSR_SYSENTER_EIP:
		return &c->sysenter_eip;
	case MSR_STAR:
		return &c->star;
	case MSR_LSTAR:
		return &c->lstar;
	case MSR_CSTAR:
		return &c->cstar;
	case MSR_SF_MASK:
		return &c->fmask;
	case MSR_FS_BASE:
		return &c->regs[R_FSBASE];
	case MSR_GS_BASE:
		return &c->regs[R_GSBASE];
	case MSR_KERNEL_GS_BASE:
		return &c->kernel_gs_base;
	case MSR_TSC_AUX:
		return &c->tsc_aux;
	case MSR_PAT:
		return &c->pat;
	case MSR_MISC_ENABLE:
		return &c->misc_enable;
	case MSR_HWCR:
		return &c->hwcr;
	default:
		return NULL;
	}
}

/* What a value must fulfil before it is stored. */
static bool plain_check(struct cpu *c, uint32_t index, uint64_t *v)
{
	switch (index) {
	case MSR_SYSENTER_ESP:
	case MSR_SYSENTER_EIP:
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_FS_BASE:
	case MSR_GS_BASE:
	case MSR_KERNEL_GS_BASE:
		return is_canonical(*v);
	case MSR_SYSENTER_CS:
	case MSR_SF_MASK:
		*v = (uint32_t)*v;
		return true;
	case MSR_TSC_AUX:
		return cpu_has(c, FEAT_RDTSCP) && !(*v >> 32);
	case MSR_PAT:
		return types_valid(*v, TYPES_PAT);
	default:
		return true;
	}
}

/* Registers that read as a constant, and whose writes are dropped. */
static bool constant_read(struct cpu *c, uint32_t index, uint64_t *value)
{
	switch (index) {
	case MSR_PATCH_LEVEL:
		*value = c->ucode_rev;
		return true;
	case MSR_DE_CFG:
		*value = BIT(1); /* LFENCE serializes */
		return true;
	case MSR_SYSCFG:
	case MSR_TOP_MEM:
	case MSR_TOP_MEM2:
	case MSR_NB_CFG:
	case MSR_INT_PENDING:
	case MSR_VM_CR:
	case MSR_DEBUGCTL:
	case MSR_PATCH_LOADER:
		*value = 0;
		return true;
	default:
		return false;
	}
}

bool msr_read(struct cpu *c, uint32_t index, uint64_t *value)
{
	const uint64_t *p = plain(c, index);

	if (p) {
		*value = *p;
		return index != MSR_TSC_AUX || cpu_has(c, FEAT_RDTSCP);
	}
	if (is_lapic_msr(index))
		return c->lapic && lapic_rdmsr(c->lapic, index, value);
	switch (index) {
	case MSR_EFER:
		*value = c->efer;
		return true;
	case MSR_TSC:
		*value = cpu_rdtsc(c);
		return true;
	case MSR_TSC_ADJUST:
		*value = c->tsc_adjust;
		return cpu_has(c, FEAT_TSC_ADJUST);
	}
	return mtrr_read(c, index, value) || mc_read(c, index, value) ||
	       constant_read(c, index, value);
}

static void plain_written(struct cpu *c, uint32_t index)
{
	if (index == MSR_FS_BASE)
		c->seg[S_FS].base = c->regs[R_FSBASE];
	else if (index == MSR_GS_BASE)
		c->seg[S_GS].base = c->regs[R_GSBASE];
}

bool msr_write(struct cpu *c, uint32_t index, uint64_t v)
{
	uint64_t *p = plain(c, index), dropped;

	if (p) {
		if (!plain_check(c, index, &v))
			return false;
		*p = v;
		plain_written(c, index);
		return true;
	}
	if (is_lapic_msr(index)) {
		if (!c->lapic || !lapic_wrmsr(c->lapic, index, v))
			return false;
		if (index == MSR_APIC_BASE)
			mmu_flush_all(c);
		return true;
	}
	switch (index) {
	case MSR_EFER:
		return efer_write(c, v);
	case MSR_TSC:
		tsc_shift(c, v - cpu_rdtsc(c));
		return true;
	case MSR_TSC_ADJUST:
		if (!cpu_has(c, FEAT_TSC_ADJUST))
			return false;
		tsc_shift(c, v - c->tsc_adjust);
		return true;
	}
	return mtrr_write(c, index, v) || mc_write(c, index, v) ||
	       constant_read(c, index, &dropped);
}

static void log_unknown(struct cpu *c, const char *what, uint32_t index)
{
	if (log_enabled(LOG_UNIMP))
		log_printf(LOG_UNIMP, "cpu %u: %s of MSR %#x at rip %#llx\n",
			   c->vcpu ? c->vcpu->index : 0, what, index,
			   (unsigned long long)(c->block ? c->block->rip + c->cur->ip : 0));
}

UOP_FRAME_FN(op_rdmsr)
{
	uint32_t index = (uint32_t)c->regs[R_RCX];
	uint64_t v;

	c->cur = u;
	if (!msr_read(c, index, &v)) {
		log_unknown(c, "RDMSR", index);
		cpu_raise_err(c, EXC_GP, 0);
	}
	c->regs[R_RAX] = (uint32_t)v;
	c->regs[R_RDX] = v >> 32;
}

const struct uop *op_wrmsr(struct cpu *c, const struct uop *u)
{
	uint32_t index = (uint32_t)c->regs[R_RCX];

	c->cur = u;
	if (!msr_write(c, index, (uint32_t)c->regs[R_RAX] | c->regs[R_RDX] << 32)) {
		log_unknown(c, "WRMSR", index);
		cpu_raise_err(c, EXC_GP, 0);
	}
	return sys_done(c, u->imm);
}

/*
 * MTRRs start as firmware leaves them, not all clear: a kernel may be entered without any firmware, and one that
 * initializes them does so from whatever it finds.
 */
static void mtrr_reset(struct cpu *c)
{
	unsigned i;

	memset(c->mtrr_var, 0, sizeof(c->mtrr_var));
	for (i = 0; i < 2; i++)
		c->mtrr_fixed[i] = 0x0606060606060606ull;
	c->mtrr_fixed[2] = 0;
	for (i = 3; i < 11; i++)
		c->mtrr_fixed[i] = 0x0505050505050505ull;
	c->mtrr_def = 0xc06;
}

void msr_reset(struct cpu *c, bool init)
{
	if (init) /* INIT leaves MSRs as they are (SDM 3A, table 9-1); EFER is cleared by the caller */
		return;
	c->star = c->lstar = c->cstar = c->fmask = c->kernel_gs_base = 0;
	c->sysenter_cs = c->sysenter_esp = c->sysenter_eip = 0;
	c->tsc_aux = c->tsc_adjust = 0;
	c->tsc_offset = 0;
	c->pat = 0x0007040600070406ull;
	c->misc_enable = BIT(0); /* fast strings */
	c->hwcr = 0;
	c->ucode_rev = 0x1000065;
	c->mcg_status = 0;
	c->mcg_ctl = 0;
	memset(c->mc_bank, 0, sizeof(c->mc_bank));
	mtrr_reset(c);
}
