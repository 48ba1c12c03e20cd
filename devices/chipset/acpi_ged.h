/* SPDX-License-Identifier: BSD-2-Clause */
/* Power management of machines without ACPI's fixed hardware. For boards; loop thread. */
#ifndef EVMM_ACPI_GED_H
#define EVMM_ACPI_GED_H

#include "src/machine.h"

/* From the device's address on. */
#define GED_EVENTS    0x000
#define GED_SLEEP_CTL 0x200
#define GED_SLEEP_STS 0x201
#define GED_RESET     0x202
#define GED_BYTES     0x400

#define GED_PM_TIMER_PORT 0x608

#define GED_EVENT_POWER_BUTTON 0x02
#define GED_RESET_VALUE	       0x42

extern const struct device_type acpi_ged_type;

/* Created and mapped at GPA, its interrupt on GSI. The machine's power button is its from here on. */
void acpi_ged_create(struct machine *m, gpa_t gpa, unsigned gsi);

#endif
