/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers of all devices of pc and q35, in and out of RAM, as the input says; time goes on in between.
 *
 *	byte 0	the board
 *	then	operations, each a byte and its arguments
 */
#include "tests/device/all_kit.h"
#include "tests/fuzz/fuzz.h"

#define CHUNK_MAX    32
#define CONFIG_ADDR  0xcf8
#define CONFIG_DATA  0xcfc
#define WINDOW_BYTES 256 /* of a region, that are looked at */

static struct kit *machines[2];

static struct kit *machine(unsigned board)
{
	if (!machines[board])
		machines[board] = all_kit_new(board ? &machine_q35 : &machine_pc);
	return machines[board];
}

/* A register: the device's number, and the place in it. */
static bool place(struct kit *k, struct fuzz_input *in, struct address_space **as, uint64_t *addr)
{
	uint8_t which = (uint8_t)fuzz_take(in, 1), offset = (uint8_t)fuzz_take(in, 1);
	const struct mem_view *view;
	unsigned n;

	*as = which & 0x80 ? &k->m->mem : &k->m->io;
	view = as_view_mt(*as);
	if (!view->n)
		return false;
	n = (which & 0x7f) % view->n;
	for (unsigned i = 0; i < view->n; i++, n = (n + 1) % view->n) {
		const struct view_range *r = &view->ranges[n];

		if (r->kind != REGION_IO)
			continue;
		*addr = r->start + offset % MIN(r->last - r->start + 1, WINDOW_BYTES);
		return true;
	}
	return false;
}

static void config_space(struct kit *k, struct fuzz_input *in, bool write)
{
	uint32_t where = (uint32_t)fuzz_take(in, 2);

	/* Bus 0 and 1, any function, the first 256 bytes. */
	kit_out32(k, CONFIG_ADDR, BIT(31) | (where & 0x1ff) << 8 | (where >> 8 & 0xfc));
	if (write)
		kit_out32(k, CONFIG_DATA, (uint32_t)fuzz_take(in, 4));
	else
		kit_in32(k, CONFIG_DATA);
}

static void put(struct kit *k, struct fuzz_input *in)
{
	gpa_t gpa = fuzz_take(in, 2) << 4;
	const uint8_t *bytes;
	size_t n = fuzz_take_bytes(in, fuzz_take(in, 1) % CHUNK_MAX, &bytes);

	for (size_t i = 0; i < n; i++)
		as_write(&k->m->mem, gpa + i, bytes[i], 1);
}

static void operate(struct kit *k, struct fuzz_input *in)
{
	uint8_t op = (uint8_t)fuzz_take(in, 1);
	unsigned size = 1u << (op >> 4 & 3);
	struct address_space *as;
	uint64_t addr;

	switch (op & 15) {
	case 0:
		k->m->intack(k->m->intack_opaque);
		break;
	case 1:
		k->m->eoi_broadcast(k->m->eoi_opaque, (uint8_t)fuzz_take(in, 1));
		break;
	case 2:
		kit_advance(k, (int64_t)fuzz_take(in, 1 + (op >> 4 & 3)));
		break;
	case 3:
		kit_settle(k);
		clock_resume(k->clock);
		break;
	case 4:
		put(k, in);
		break;
	case 5:
	case 6:
		config_space(k, in, op & 1);
		break;
	case 7:
	case 8:
	case 9:
	case 10:
		if (place(k, in, &as, &addr))
			as_read(as, addr, as == &k->m->io ? MIN(size, 4u) : size);
		break;
	default:
		if (place(k, in, &as, &addr))
			as_write(as, addr, fuzz_take(in, size),
				 as == &k->m->io ? MIN(size, 4u) : size);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_input in = {data, n};
	struct kit *k = machine(fuzz_take(&in, 1) & 1);

	list_for_each(it, &k->m->devices)
		device_reset(list_entry(it, struct device, node));
	while (in.n)
		operate(k, &in);
	kit_settle(k);
	clock_resume(k->clock);
	return 0;
}
