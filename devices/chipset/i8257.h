/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PC's DMA controllers, for devices on the ISA bus. Channels 0 to 3 move bytes, 5 to 7 words; 4 is
 * the cascade. Loop thread.
 *
 * A device raises its DREQ and gets READY called whenever its channel can transfer: at once, or when the guest
 * has unmasked it. It then calls i8257_transfer as long as it has data and that moves some.
 */
#ifndef EVMM_DEVICES_I8257_H
#define EVMM_DEVICES_I8257_H

#include "src/machine.h"

extern const struct device_type i8257_type;

/* The machine's; NULL: it has none. */
struct device *i8257_find(struct machine *m);
/* READY NULL: the device goes away. False when the channel is another device's. */
bool i8257_connect(struct device *dma, unsigned channel, void (*ready)(void *opaque), void *opaque);
void i8257_set_dreq(struct device *dma, unsigned channel, bool level);
bool i8257_is_ready(struct device *dma, unsigned channel);
/*
 * Up to BYTES between BUF and memory, TO_MEMORY or from it; how many were moved. *TC: the channel's count has run out with
 * the last of them. A channel that is programmed for the other direction, or to verify, counts and moves nothing.
 */
size_t i8257_transfer(struct device *dma, unsigned channel, uint8_t *buf, size_t bytes,
		      bool to_memory, bool *tc);

#endif
