/* SPDX-License-Identifier: BSD-2-Clause */
/* The hook between machine and monitor. */
#include <jansson.h>
#include "src/events.h"
#include "src/machine.h"

void qmp_event_emit(struct machine *m, const char *name, struct json_t *data)
{
	LOOP_ASSERT();
	if (m->event_hook)
		m->event_hook(m->event_opaque, name, data);
	json_decref(data);
}
