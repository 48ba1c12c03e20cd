/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens in a machine, for those who watch it from outside (QMP's events). Who makes it known needs to know
 * nothing of who listens; the monitor does, and its table lists each event with its data (monitor/commands_events.c).
 */
#ifndef EVMM_EVENTS_H
#define EVMM_EVENTS_H

struct json_t;
struct machine;

/*
 * NAME is QEMU's ("STOP"), DATA a jansson object whose reference is taken over, or NULL:
 *
 *	qmp_event_emit(m, "RTC_CHANGE", json_pack("{s:I, s:s}", "offset", (json_int_t)n, "qom-path", path));
 *
 * Loop thread, from anywhere, also from within a device's callback.
 */
void qmp_event_emit(struct machine *m, const char *name, struct json_t *data);

#endif
