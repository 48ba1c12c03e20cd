/* SPDX-License-Identifier: BSD-2-Clause */
/* x87 state: what the units that touch it share (SDM 1, chapter 8). */
#ifndef EVMM_CPU_FPU_H
#define EVMM_CPU_FPU_H

#include "src/cpu/cpu.h"

/* Status word */
#define FSW_IE	      BIT(0)
#define FSW_DE	      BIT(1)
#define FSW_ZE	      BIT(2)
#define FSW_OE	      BIT(3)
#define FSW_UE	      BIT(4)
#define FSW_PE	      BIT(5)
#define FSW_SF	      BIT(6)
#define FSW_ES	      BIT(7)
#define FSW_C0	      BIT(8)
#define FSW_C1	      BIT(9)
#define FSW_C2	      BIT(10)
#define FSW_C3	      BIT(14)
#define FSW_B	      BIT(15)
#define FSW_EXC	      0x3fu
#define FSW_CC	      (FSW_C0 | FSW_C1 | FSW_C2 | FSW_C3)
#define FSW_TOP_SHIFT 11

/* Control word */
#define FCW_DEFAULT 0x037fu
#define FCW_VALID   0x1f3fu /* what is kept; bit 6 reads as 1 */
#define FCW_BIT6    BIT(6)

/*
 * The host's exception flags while a guest is executed: none that the guest hasn't, and none at all while the guest's control word
 * is another than FNINIT's. So this is called where the guest loses flags or gets a control word, which only its vCPU's thread may
 * do while the guest is executed.
 */
static inline void fpu_host_clear(void)
{
	__asm__ volatile("fnclex");
}

/* The status word as the guest sees it. */
static inline uint16_t fpu_status(const struct cpu_fpu *f)
{
	return (uint16_t)(f->fsw | (f->top << FSW_TOP_SHIFT));
}

/* ES and B say whether an unmasked exception is pending. */
static inline void fpu_update_es(struct cpu_fpu *f)
{
	if (f->fsw & ~f->fcw & FSW_EXC)
		f->fsw |= FSW_ES | FSW_B;
	else
		f->fsw &= (uint16_t) ~(FSW_ES | FSW_B);
}

static inline void fpu_set_control(struct cpu_fpu *f, uint16_t fcw)
{
	fpu_host_clear();
	f->fcw = (fcw & FCW_VALID) | FCW_BIT6;
	fpu_update_es(f);
}

static inline void fpu_set_status(struct cpu_fpu *f, uint16_t fsw)
{
	fpu_host_clear();
	f->top = (fsw >> FSW_TOP_SHIFT) & 7;
	f->fsw = fsw & (FSW_EXC | FSW_SF | FSW_CC);
	fpu_update_es(f);
}

/* FNINIT's state; with the registers themselves cleared as well (power-on, XRSTOR of the initial state). */
void fpu_init(struct cpu_fpu *f, bool registers);

#endif
