/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Standard VGA on the ISA bus: the same core with its video memory at E0000000h, where Bochs' VBE display interface
 * (vga_vbe.c) has its linear frame buffer. Its BIOS is the firmware's to take from fw_cfg.
 *
 * Deviates because: nothing.
 */
#include "devices/chipset/fw_cfg.h"
#include "devices/display/vga.h"
#include "devices/pci/pci.h"
#include "src/boot/firmware.h"

#define VGA_ISA_LFB 0xe0000000
#define VGA_ISA_ROM "vgabios.bin"

struct vga_isa {
	struct device dev;
	struct vga vga;
	struct region lfb;
	struct boot_screen boot_screen;
};

static void boot_text(void *opaque)
{
	struct vga_isa *s = opaque;
	struct device *fw_cfg = s->dev.machine->fw_cfg;
	uint32_t n = 0;
	const uint8_t *rom = fw_cfg ? fw_cfg_find_file(fw_cfg, "vgaroms/" VGA_ISA_ROM, &n) : NULL;

	vga_bios_text(&s->vga, rom, n);
}

static bool boot_framebuffer(void *opaque, struct boot_framebuffer *fb)
{
	struct vga_isa *s = opaque;

	fb->gpa = VGA_ISA_LFB;
	return vga_bios_framebuffer(&s->vga, fb);
}

static bool vga_isa_realize(struct device *dev, struct error *err)
{
	struct vga_isa *s = container_of(dev, struct vga_isa, dev);
	struct machine *m = dev->machine;
	/* Behind the host bridge, where it leaves the window and the hole below 4 GiB to the buses. */
	struct region *mem = m->pci ? &m->pci->mem : &m->mem.root;

	if (!firmware_offer_vgarom(m, dev->type->name, VGA_ISA_ROM, err) ||
	    !vga_init(&s->vga, dev, mem, &m->io.root, err))
		return false;
	region_init_alias(&s->lfb, "vga.lfb", &s->vga.vram_region, 0, s->vga.vram_bytes);
	region_add(mem, VGA_ISA_LFB, &s->lfb, 0);
	s->boot_screen = (struct boot_screen){boot_text, boot_framebuffer, s};
	if (!m->boot_screen)
		m->boot_screen = &s->boot_screen;
	return true;
}

static void vga_isa_reset(struct device *dev)
{
	vga_reset(&container_of(dev, struct vga_isa, dev)->vga);
}

static void vga_isa_unrealize(struct device *dev)
{
	struct vga_isa *s = container_of(dev, struct vga_isa, dev);

	if (dev->machine->boot_screen == &s->boot_screen)
		dev->machine->boot_screen = NULL;
	region_remove(&s->lfb);
	vga_fini(&s->vga);
}

static const struct state_desc vga_isa_state = {
	.name = "isa-vga",
	.version = 1,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(vga_isa, vga, vga_state),
			STATE_END,
		},
};

static const struct device_prop vga_isa_props[] = {
	VGA_PROPS(vga_isa, 8),
	DEFINE_PROP_END,
};

const struct device_type vga_isa_type = {
	.name = "isa-vga",
	.desc = "Standard VGA on the ISA bus",
	.bus = BUS_ISA,
	.user_creatable = true,
	.cold_only = true,
	.size = sizeof(struct vga_isa),
	.props = vga_isa_props,
	.state = &vga_isa_state,
	.realize = vga_isa_realize,
	.reset = vga_isa_reset,
	.unrealize = vga_isa_unrealize,
};
