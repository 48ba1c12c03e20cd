/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI fixed hardware (ACPI 6.4 section 4.8) as PIIX4 and ICH9 have it in their ports: PM1 event and control block,
 * the timer, one block of general purpose events, the SCI. Part of the function that it belongs to. Loop thread.
 */
#ifndef EVMM_ACPI_PM_H
#define EVMM_ACPI_PM_H

#include "src/machine.h"

/* SLP_TYP of the sleeping states: what the DSDT says, and firmware takes for granted. */
#define ACPI_SLP_TYP_S5 0
#define ACPI_SLP_TYP_S3 1
#define ACPI_SLP_TYP_S4 2

#define ACPI_PM_RTC    0x0400 /* of PMSTS: why it woke */
#define ACPI_PM_PWRBTN 0x0100

struct acpi_pm {
	struct device *dev;

	/* configuration */
	struct region ports, pmtmr;
	unsigned gpe_offset, gpe_bytes; /* the status registers; the enables follow */
	uint8_t disable_s3, disable_s4; /* 1: yes */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	int64_t synced_ns; /* guest clock: TMROF_STS has been worked out up to here */
	uint64_t gpsts, gpen;
	uint16_t pmsts, pmen, pmcntrl;
	uint16_t pad;
	GUEST_VISIBLE_END;

	/* host side */
	struct irq sci;
	struct timer overflow;
};

extern const struct state_desc acpi_pm_state;

/* From realize. PORTS is disabled, and the machine's buttons and events are PM's from here on. */
bool acpi_pm_init(struct acpi_pm *pm, struct device *dev, unsigned bytes, unsigned gpe_offset,
		  unsigned gpe_bytes, struct error *err);
void acpi_pm_reset(struct acpi_pm *pm);
void acpi_pm_fini(struct acpi_pm *pm);
/* Where the ports are, and whether. */
void acpi_pm_place(struct acpi_pm *pm, uint16_t base, bool enabled);
/* Where they are; 0: nowhere. */
uint16_t acpi_pm_base(const struct acpi_pm *pm);

#define ACPI_PM_PROPS(S)                                                              \
	DEFINE_PROP(S, pm.disable_s3, "disable_s3", PROP_U8, 0, "no suspend to RAM"), \
		DEFINE_PROP(S, pm.disable_s4, "disable_s4", PROP_U8, 0, "no suspend to disk")

#endif
