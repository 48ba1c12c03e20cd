/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VM coreinfo: the guest kernel tells where its VMCOREINFO note is, which a dump of its memory then contains, so that
 * `crash` finds its way in it.
 *
 * QEMU docs/specs/vmcoreinfo; Linux drivers/firmware/qemu_fw_cfg.c writes it.
 *
 *	offset in etc/vmcoreinfo	bytes	what
 *	0				2 LE	formats the host understands: 1, an ELF note
 *	2				2 LE	the guest's format; 0: none
 *	4				4 LE	size
 *	8				8 LE	physical address
 *
 * Not modelled: nothing.
 * Deviates because: nothing.
 */
#include "devices/chipset/fw_cfg.h"
#include "devices/chipset/vmcoreinfo.h"

#define VMCOREINFO_FILE	      "etc/vmcoreinfo"
#define VMCOREINFO_BYTES      16
#define VMCOREINFO_GUEST      2
#define VMCOREINFO_SIZE	      4
#define VMCOREINFO_PADDR      8
#define VMCOREINFO_FORMAT_ELF 1

struct vmcoreinfo {
	struct device dev;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t info[VMCOREINFO_BYTES];
	GUEST_VISIBLE_END;
};

bool vmcoreinfo_note(struct machine *m, gpa_t *gpa, uint32_t *bytes)
{
	list_for_each(it, &m->devices) {
		struct device *dev = list_entry(it, struct device, node);
		const struct vmcoreinfo *s = container_of(dev, struct vmcoreinfo, dev);

		if (dev->type != &vmcoreinfo_type ||
		    ldn_le(&s->info[VMCOREINFO_GUEST], 2) != VMCOREINFO_FORMAT_ELF)
			continue;
		*gpa = ldn_le(&s->info[VMCOREINFO_PADDR], 8);
		*bytes = (uint32_t)ldn_le(&s->info[VMCOREINFO_SIZE], 4);
		return true;
	}
	return false;
}

/* BYTES is the file as it is now. */
static void vmcoreinfo_written(void *opaque, const uint8_t *bytes, uint32_t offset, uint32_t n)
{
	struct vmcoreinfo *s = opaque;

	memcpy(s->info, bytes, VMCOREINFO_BYTES);
}

static void vmcoreinfo_reset(struct device *dev)
{
	struct vmcoreinfo *s = container_of(dev, struct vmcoreinfo, dev);

	memset(s->info, 0, sizeof(s->info));
	stn_le(s->info, 2, VMCOREINFO_FORMAT_ELF);
	fw_cfg_update_file(dev->machine->fw_cfg, VMCOREINFO_FILE, s->info, sizeof(s->info));
}

static bool vmcoreinfo_post_load(void *opaque, struct error *err)
{
	struct vmcoreinfo *s = opaque;

	fw_cfg_update_file(s->dev.machine->fw_cfg, VMCOREINFO_FILE, s->info, sizeof(s->info));
	return true;
}

static const struct state_desc vmcoreinfo_state = {
	.name = "vmcoreinfo",
	.version = 1,
	STATE_SPAN(vmcoreinfo),
	.post_load = vmcoreinfo_post_load,
	.fields =
		(const struct state_field[]){
			STATE_ARRAY(vmcoreinfo, info),
			STATE_END,
		},
};

static const struct device_prop vmcoreinfo_props[] = {
	DEFINE_PROP_END,
};

static bool vmcoreinfo_realize(struct device *dev, struct error *err)
{
	struct vmcoreinfo *s = container_of(dev, struct vmcoreinfo, dev);
	const struct fw_cfg_hooks hooks = {.written = vmcoreinfo_written, .opaque = s};
	uint32_t n;

	if (!dev->machine->fw_cfg)
		return error_set(err, "vmcoreinfo: this machine has no fw_cfg to tell it by");
	if (fw_cfg_find_file(dev->machine->fw_cfg, VMCOREINFO_FILE, &n))
		return error_set(err, "vmcoreinfo: at most one is permitted");
	return fw_cfg_add_file_hooks(dev->machine->fw_cfg, VMCOREINFO_FILE, s->info,
				     sizeof(s->info), &hooks, err);
}

static void vmcoreinfo_unrealize(struct device *dev)
{
}

const struct device_type vmcoreinfo_type = {
	.name = "vmcoreinfo",
	.desc = "where the guest kernel's note for dumps is",
	.bus = BUS_SYSTEM,
	.user_creatable = true,
	.size = sizeof(struct vmcoreinfo),
	.props = vmcoreinfo_props,
	.state = &vmcoreinfo_state,
	.realize = vmcoreinfo_realize,
	.reset = vmcoreinfo_reset,
	.unrealize = vmcoreinfo_unrealize,
};
