/* SPDX-License-Identifier: BSD-2-Clause */
/* A board with all that -device can add to it, for tests. */
#include "devices/virtio/virtio_mmio.h"
#include "tests/device/all_kit.h"

/* A machine has one of them: which one goes with which board. */
static const struct {
	const char *type;
	const struct machine_type *board;
} one_of[] = {{"virtio-balloon-pci", &machine_pc}, {"virtio-balloon-device", &machine_q35},
	      {"isa-fdc", &machine_q35},	   {"pcie-pci-bridge", &machine_q35},
	      {"pcie-root-port", &machine_q35},	   {"ioh3420", &machine_q35},
	      {"x3130-upstream", &machine_q35},	   {"xio3130-downstream", &machine_q35}};

/* Properties without which a device is not made. */
static const struct needed {
	const char *type, *name, *value, *name2, *value2;
} needed[] = {{"vmgenid", "guid", "auto", NULL, NULL},
	      {"pci-bridge", "chassis_nr", "1", NULL, NULL},
	      {"ioh3420", "chassis", "1", NULL, NULL},
	      {"x3130-upstream", "bus", "ioh3420", NULL, NULL},
	      {"xio3130-downstream", "bus", "x3130-upstream", "chassis", "2"}};

static bool has_chardev(const struct device_type *type)
{
	for (const struct device_prop *p = type->props; p && p->name; p++)
		if (p->type == PROP_CHARDEV)
			return true;
	return false;
}

static const struct needed *needs(const struct device_type *type)
{
	static const struct needed nothing;

	for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
		if (!strcmp(needed[i].type, type->name))
			return &needed[i];
	return &nothing;
}

static bool has_drive(const struct device_type *type)
{
	for (const struct device_prop *p = type->props; p && p->name; p++)
		if (p->type == PROP_DRIVE)
			return true;
	return false;
}

static bool belongs(const struct machine_type *board, const struct device_type *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(one_of); i++)
		if (!strcmp(one_of[i].type, type->name))
			return one_of[i].board == board;
	return type->user_creatable;
}

static void add_virtio_transport(struct kit *k)
{
	static unsigned n;
	struct error err = ERROR_INIT;

	n = (n + 1) % 16;
	if (!virtio_mmio_create(k->m, n, 0xfeb00000 + n * VIRTIO_MMIO_BYTES, 16 + n % 8, &err))
		fail_msg("%s", err.msg);
}

struct kit *all_kit_new(const struct machine_type *board)
{
	struct machine_config config = {
		.rtc_clock_vm = true, .ram_bytes = 4 * MiB, .cpus = 1, .no_shutdown = true};
	struct kit *k = kit_new_with(board, &config);
	static unsigned made;

	made++;
	for (const struct device_type *const *t = device_types; *t; t++) {
		char id[64]; /* there may be several machines */

		snprintf(id, sizeof(id), "%s-%u", (*t)->name, made);
		if (!belongs(board, *t))
			continue;
		if ((*t)->bus == BUS_VIRTIO)
			add_virtio_transport(k);
		if (has_drive(*t)) {
			kit_add_null_disk(k, id);
			kit_add(k, *t, "drive", id, NULL);
		} else if (has_chardev(*t)) {
			kit_chardev_new(k, id)->room = 100;
			kit_add(k, *t, "chardev", id, NULL);
		} else {
			const struct needed *n = needs(*t);

			kit_add(k, *t, n->name, n->value, n->name2, n->value2, NULL);
		}
	}
	return k;
}
