/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that come and go while the guest runs. Loop thread.
 *
 *	device_plug: created, realized, reset; the board tells the guest
 *	device_unplug_request: the board asks the guest --guest lets go--> device_unplug
 *	device_unplug: vCPUs parked, off the bus --nothing in flight--> freed, DEVICE_DELETED
 */
#ifndef EVMM_HOTPLUG_H
#define EVMM_HOTPLUG_H

#include "src/device.h"

/* Can devices of TYPE come and go? */
bool device_is_hotpluggable(const struct device_type *type);
/* As device_create_from_list. */
struct device *device_plug(struct machine *m, struct optlist *l, struct error *err);
/* For the monitor. True: DEV will go, now or when the guest lets it. */
bool device_unplug_request(struct device *dev, struct error *err);
/* DEV goes as soon as it can; not from within its own callbacks' stack, so these may call it. */
void device_unplug(struct device *dev);
/* The machine ends: who is still on the way stays, to be unrealized with the others. */
void hotplug_fini(struct machine *m);

#endif
