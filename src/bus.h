/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Buses that a controller offers and that other devices are put on by name ("bus=scsi0.0"). What travels on one is the
 * controller's and its devices' business; this is how they find each other. Loop thread.
 */
#ifndef EVMM_BUS_H
#define EVMM_BUS_H

#include "src/device.h"

struct bus {
	struct list node; /* machine->buses, in the order they were made */
	enum bus_type type;
	struct device *owner;
	char *name;
};

/*
 * From the controller's realize. BUS is a member of the controller. Its name is the controller's id and the number of the
 * bus on it, "ID.0"; without an id PREFIX and the first free number, "scsi.0".
 */
void bus_init(struct bus *bus, struct device *owner, enum bus_type type, const char *prefix);
/* From unrealize, also after a realize that failed: does nothing if bus_init was not called. */
void bus_fini(struct bus *bus);

/* The next bus of that type after PREV, or the first for NULL; NULL: no more. */
struct bus *bus_next(struct machine *m, enum bus_type type, struct bus *prev);
/* The bus called NAME, for NULL the first of that type. WHO asks. NULL with ERR. */
struct bus *bus_find(struct machine *m, enum bus_type type, const char *name, const char *who,
		     struct error *err);
/* "SCSI"; NULL for BUS_NONE. */
const char *bus_type_name(enum bus_type type);

#endif
