/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual machine generation identifier: a GUID in guest memory that is another one after the guest was restored.
 *
 * "Virtual Machine Generation ID" (Microsoft, 2012); QEMU docs/specs/vmgenid for the two fw_cfg files.
 *
 *	file			access	what
 *	etc/vmgenid_guid	R	a page; the GUID is 40 bytes in
 *	etc/vmgenid_addr	RW	64 LE: where firmware has put the GUID; 0 from reset on
 *
 * Not modelled: nothing.
 * Deviates because: nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include "devices/chipset/fw_cfg.h"
#include "devices/chipset/vmgenid.h"
#include "src/boot/acpi.h"
#include "src/options/optlist.h"

#define GUID_BYTES 16

struct vmgenid {
	struct device dev;

	/* configuration */
	char *guid_text;
	uint8_t guid[GUID_BYTES];

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint64_t address;
	GUEST_VISIBLE_END;
};

const uint8_t *vmgenid_guid(struct device *dev)
{
	return container_of(dev, struct vmgenid, dev)->guid;
}

void vmgenid_set_address(struct device *dev, gpa_t gpa)
{
	container_of(dev, struct vmgenid, dev)->address = gpa;
}

static void vmgenid_written(void *opaque, const uint8_t *bytes, uint32_t offset, uint32_t n)
{
	struct vmgenid *s = opaque;

	s->address = ldn_le(bytes, 8);
}

static void vmgenid_reset(struct device *dev)
{
	struct vmgenid *s = container_of(dev, struct vmgenid, dev);

	s->address = 0;
	fw_cfg_update_file(dev->machine->fw_cfg, VMGENID_ADDR_FILE, &s->address, 8);
}

/* The guest goes on as another generation: it has a GUID that it does not know, and is told. */
static bool vmgenid_post_load(void *opaque, struct error *err)
{
	struct vmgenid *s = opaque;
	struct machine *m = s->dev.machine;

	fw_cfg_update_file(m->fw_cfg, VMGENID_ADDR_FILE, &s->address, 8);
	if (!s->address)
		return true;
	if (!dma_write(m, s->address, s->guid, GUID_BYTES))
		return error_set(err, "vmgenid: saved address 0x%llx is no RAM",
				 (unsigned long long)s->address);
	if (m->raise_gpe)
		m->raise_gpe(m->raise_gpe_opaque, m->acpi->vmgenid_gpe);
	return true;
}

static const struct state_desc vmgenid_state = {
	.name = "vmgenid",
	.version = 1,
	STATE_SPAN(vmgenid),
	.post_load = vmgenid_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(vmgenid, address),
			STATE_END,
		},
};

static const struct device_prop vmgenid_props[] = {
	DEFINE_PROP_STR(vmgenid, guid_text, "guid", NULL, "the GUID, or 'auto' for a random one"),
	DEFINE_PROP_END,
};

/* In memory the first three fields are little-endian. */
static bool parse_guid(const char *text, uint8_t *guid)
{
	static const uint8_t place[GUID_BYTES] = {3, 2, 1,  0,	5,  4,	7,  6,
						  8, 9, 10, 11, 12, 13, 14, 15};
	uint8_t bytes[GUID_BYTES];

	if (!parse_uuid(text, bytes))
		return false;
	for (unsigned i = 0; i < GUID_BYTES; i++)
		guid[place[i]] = bytes[i];
	return true;
}

static bool vmgenid_set_guid(struct vmgenid *s, struct error *err)
{
	if (!s->guid_text)
		return error_set(err, "vmgenid: guid= is needed");
	if (strcmp(s->guid_text, "auto"))
		return parse_guid(s->guid_text, s->guid) ||
		       error_set(err,
				 "vmgenid: guid '%s' is not of the form "
				 "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx, nor 'auto'",
				 s->guid_text);
	if (getrandom(s->guid, GUID_BYTES, 0) != GUID_BYTES)
		return error_set(err, "vmgenid: the host has no random numbers");
	s->guid[7] = (s->guid[7] & 0x0f) | 0x40; /* RFC 4122, version 4 */
	s->guid[8] = (s->guid[8] & 0x3f) | 0x80;
	return true;
}

static bool vmgenid_realize(struct device *dev, struct error *err)
{
	struct vmgenid *s = container_of(dev, struct vmgenid, dev);
	struct machine *m = dev->machine;
	const struct fw_cfg_hooks hooks = {.written = vmgenid_written, .opaque = s};

	if (!m->fw_cfg || !m->acpi)
		return error_set(err, "vmgenid: this machine has no firmware that could place it");
	if (m->vmgenid)
		return error_set(err, "vmgenid: at most one is permitted");
	if (!vmgenid_set_guid(s, err) ||
	    !fw_cfg_add_file_hooks(m->fw_cfg, VMGENID_ADDR_FILE, &s->address, 8, &hooks, err))
		return false;
	m->vmgenid = dev;
	return true;
}

static void vmgenid_unrealize(struct device *dev)
{
	dev->machine->vmgenid = NULL;
}

const struct device_type vmgenid_type = {
	.name = "vmgenid",
	.desc = "virtual machine generation identifier",
	.bus = BUS_SYSTEM,
	.user_creatable = true,
	.cold_only = true,
	.size = sizeof(struct vmgenid),
	.props = vmgenid_props,
	.state = &vmgenid_state,
	.realize = vmgenid_realize,
	.reset = vmgenid_reset,
	.unrealize = vmgenid_unrealize,
};
