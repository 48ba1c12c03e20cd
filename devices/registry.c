/* SPDX-License-Identifier: BSD-2-Clause */
/* Every device there is, once. */
#include "devices/char/serial.h"
#include "devices/chipset/chipset.h"
#include "devices/chipset/fw_cfg.h"

const struct device_type *const device_types[] = {
	/* chipset */
	&fw_cfg_type,
	&i8254_type,
	&i8259_type,
	&ioapic_type,
	&mc146818_type,
	/* char */
	&serial_type,
	NULL,
};
