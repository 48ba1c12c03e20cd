/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Standard VGA on the PCI bus, the display adapter of Bochs and QEMU: "VGA"; "secondary-vga", which leaves the window at
 * A0000h and the VGA's ports to another adapter; and "bochs-display", which has no VGA in it at all.
 *
 * QEMU docs/specs/standard-vga.rst; Bochs' VBE display interface (vga_vbe.c).
 *
 *	BAR	offset	bytes	name			access
 *	0	0	vgamem	video memory		RW, as RAM
 *	2	000	400	EDID			R; ones behind its 128 bytes
 *	2	400	20	ports 3C0h to 3DFh	RW, bytes; not bochs-display
 *	2	500	16	VBE registers		RW, words, by their index
 *	2	600	4	size of this group	R: 8
 *	2	604	4	byte order		R: 1E1E1E1E, little-endian
 *
 * Deviates because: the window at A0000h and the VGA's ports answer whatever the command register
 * says, as on QEMU: firmware and kernels write text before and while they enumerate the bus. A
 * frame buffer of big-endian pixels is not offered: no guest of an x86 wants one.
 */
#include "devices/display/vga.h"
#include "devices/pci/pci.h"

#define VGA_VENDOR	     0x1234
#define VGA_DEVICE	     0x1111
#define VGA_CLASS	     0x030000
#define OTHER_CLASS	     0x038000 /* a display that is no VGA */
#define VGA_SUBSYS_VENDOR    0x1af4
#define VGA_SUBSYS	     0x1100
#define VGA_BAR_MEMORY	     0
#define VGA_BAR_MMIO	     2
#define VGA_ROM		     "vgabios-stdvga.bin"
#define BOCHS_ROM	     "vgabios-bochs-display.bin"
#define MMIO_BYTES	     4096
#define MMIO_PORTS	     0x400
#define MMIO_PORTS_BYTES     0x20
#define MMIO_VBE	     0x500
#define MMIO_VBE_BYTES	     (2 * (VBE_VIDEO_MEMORY_64K + 1))
#define MMIO_EXTENDED_SIZE   0x600
#define MMIO_BYTE_ORDER	     0x604
#define MMIO_EXTENDED_BYTES  8
#define LITTLE_ENDIAN_PIXELS 0x1e1e

struct vga_pci {
	struct pci_device pci;

	/* configuration */
	bool mmio_wanted, extended;
	uint64_t vgamem; /* bytes; bochs-display's way to say vgamem_mb */
	uint8_t edid[VGA_EDID_BYTES];

	struct vga vga;

	/* host side */
	struct region mmio;
	struct boot_screen boot_screen;
};

static const struct pci_register vga_class[] = {{"class", PCI_CLASS, 3, VGA_CLASS, 0, 0},
						{.name = NULL}};
static const struct pci_register other_class[] = {{"class", PCI_CLASS, 3, OTHER_CLASS, 0, 0},
						  {.name = NULL}};

static const struct pci_register vga_registers[] = {
	{"vendor", PCI_VENDOR_ID, 2, VGA_VENDOR, 0, 0},
	{"device", PCI_DEVICE_ID, 2, VGA_DEVICE, 0, 0},
	{"revision", PCI_REVISION_ID, 1, 2, 0, 0},
	{"subsystem vendor", PCI_SUBSYSTEM_VENDOR, 2, VGA_SUBSYS_VENDOR, 0, 0},
	{"subsystem", PCI_SUBSYSTEM, 2, VGA_SUBSYS, 0, 0},
	{"command", PCI_COMMAND, 2, 0, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 0},
	{.name = NULL},
};

/* At most two bytes, aligned. */
static uint64_t mmio_read(void *opaque, uint64_t offset, unsigned size)
{
	struct vga_pci *s = opaque;
	uint64_t value = 0;

	if (offset < MMIO_PORTS) {
		if (!s->vga.edid)
			return UINT64_MAX;
		for (unsigned i = 0; i < size; i++)
			value |=
				(uint64_t)(offset + i < VGA_EDID_BYTES ? s->edid[offset + i] : 0xff)
				<< 8 * i;
		return value;
	}
	if (!s->vga.bare && offset < MMIO_PORTS + MMIO_PORTS_BYTES) {
		for (unsigned i = 0; i < size; i++)
			value |= (uint64_t)vga_port_read(&s->vga, offset - MMIO_PORTS + i) << 8 * i;
		return value;
	}
	if (offset >= MMIO_VBE && offset < MMIO_VBE + MMIO_VBE_BYTES)
		return vga_vbe_read(&s->vga, (offset - MMIO_VBE) / 2) >> 8 * (offset & 1);
	if (!s->extended || offset < MMIO_EXTENDED_SIZE ||
	    offset >= MMIO_EXTENDED_SIZE + MMIO_EXTENDED_BYTES)
		return UINT64_MAX;
	if (offset >= MMIO_BYTE_ORDER)
		return LITTLE_ENDIAN_PIXELS;
	return offset == MMIO_EXTENDED_SIZE ? MMIO_EXTENDED_BYTES : 0;
}

static void mmio_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct vga_pci *s = opaque;

	if (!s->vga.bare && offset >= MMIO_PORTS && offset < MMIO_PORTS + MMIO_PORTS_BYTES)
		for (unsigned i = 0; i < size; i++)
			vga_port_write(&s->vga, offset - MMIO_PORTS + i, value >> 8 * i);
	else if (offset >= MMIO_VBE && offset < MMIO_VBE + MMIO_VBE_BYTES && size == 2)
		vga_vbe_write(&s->vga, (offset - MMIO_VBE) / 2, value);
}

static const struct region_ops mmio_ops = {
	.read = mmio_read, .write = mmio_write, .min_size = 1, .max_size = 2};

static void boot_text(void *opaque)
{
	struct vga_pci *s = opaque;

	vga_bios_text(&s->vga, s->pci.rom_host, s->pci.rom_bytes);
}

static bool boot_framebuffer(void *opaque, struct boot_framebuffer *fb)
{
	struct vga_pci *s = opaque;

	fb->gpa = pci_bar_address(&s->pci, VGA_BAR_MEMORY);
	return vga_bios_framebuffer(&s->vga, fb);
}

static void vga_pci_reset(struct device *dev)
{
	struct vga_pci *s = container_of(dev, struct vga_pci, pci.dev);

	pci_device_reset(&s->pci);
	vga_reset(&s->vga);
}

static bool realize(struct vga_pci *s, const char *rom, struct error *err)
{
	struct device *dev = &s->pci.dev;

	if (!pci_device_init(&s->pci, vga_registers, err))
		return false;
	pci_add_registers(&s->pci, 0, s->vga.secondary ? other_class : vga_class);
	if (!pci_rom_init(&s->pci, rom, err) ||
	    !vga_init(&s->vga, dev, &dev->machine->pci->mem, &dev->machine->pci->io, err)) {
		pci_device_fini(&s->pci);
		return false;
	}
	vga_edid(s->edid, s->vga.xres, s->vga.yres);
	pci_bar_init(&s->pci, VGA_BAR_MEMORY, PCI_BAR_PREFETCH, &s->vga.vram_region);
	if (s->mmio_wanted) {
		region_init_io(&s->mmio, "vga.mmio", &mmio_ops, s, MMIO_BYTES);
		pci_bar_init(&s->pci, VGA_BAR_MMIO, 0, &s->mmio);
	}
	return true;
}

static bool vga_pci_realize(struct device *dev, struct error *err)
{
	struct vga_pci *s = container_of(dev, struct vga_pci, pci.dev);

	if (!realize(s, VGA_ROM, err))
		return false;
	s->boot_screen = (struct boot_screen){boot_text, boot_framebuffer, s};
	if (!dev->machine->boot_screen)
		dev->machine->boot_screen = &s->boot_screen;
	return true;
}

static bool secondary_realize(struct device *dev, struct error *err)
{
	struct vga_pci *s = container_of(dev, struct vga_pci, pci.dev);

	s->vga.secondary = s->mmio_wanted = true;
	return realize(s, NULL, err);
}

static bool bochs_realize(struct device *dev, struct error *err)
{
	struct vga_pci *s = container_of(dev, struct vga_pci, pci.dev);

	if (s->vgamem < MiB || s->vgamem > 256 * MiB || (s->vgamem & (s->vgamem - 1)))
		return error_set(err, "%s: vgamem is a power of 2, 1M to 256M, not %llu",
				 dev->type->name, (unsigned long long)s->vgamem);
	s->vga.vgamem_mb = s->vgamem / MiB;
	s->vga.secondary = s->vga.bare = s->mmio_wanted = s->extended = true;
	return realize(s, BOCHS_ROM, err);
}

static void vga_pci_unrealize(struct device *dev)
{
	struct vga_pci *s = container_of(dev, struct vga_pci, pci.dev);

	if (dev->machine->boot_screen == &s->boot_screen)
		dev->machine->boot_screen = NULL;
	pci_device_fini(&s->pci);
	vga_fini(&s->vga);
}

static const struct state_desc vga_pci_state = {
	.name = "VGA",
	.version = 1,
	.fields =
		(const struct state_field[]){
			STATE_STRUCT(vga_pci, pci, pci_device_state),
			STATE_STRUCT(vga_pci, vga, vga_state),
			STATE_END,
		},
};

static const struct device_prop vga_pci_props[] = {
	VGA_PROPS(vga_pci, 16),
	VGA_MONITOR_PROPS(vga_pci),
	DEFINE_PROP(vga_pci, mmio_wanted, "mmio", PROP_BOOL, 1, "registers in BAR 2"),
	DEFINE_PROP(vga_pci, extended, "qemu-extended-regs", PROP_BOOL, 1,
		    "the byte order register is there"),
	PCI_PROPS(vga_pci),
	DEFINE_PROP_END,
};

const struct device_type vga_pci_type = {
	.name = "VGA",
	.desc = "Standard VGA",
	.bus = BUS_PCI,
	.user_creatable = true,
	.cold_only = true,
	.size = sizeof(struct vga_pci),
	.props = vga_pci_props,
	.state = &vga_pci_state,
	.realize = vga_pci_realize,
	.reset = vga_pci_reset,
	.unrealize = vga_pci_unrealize,
};

static const struct device_prop secondary_props[] = {
	VGA_PROPS(vga_pci, 16),
	VGA_MONITOR_PROPS(vga_pci),
	DEFINE_PROP(vga_pci, extended, "qemu-extended-regs", PROP_BOOL, 1,
		    "the byte order register is there"),
	PCI_PROPS(vga_pci),
	DEFINE_PROP_END,
};

const struct device_type vga_secondary_type = {
	.name = "secondary-vga",
	.desc = "Standard VGA beside another one",
	.bus = BUS_PCI,
	.user_creatable = true,
	.cold_only = true,
	.size = sizeof(struct vga_pci),
	.props = secondary_props,
	.state = &vga_pci_state,
	.realize = secondary_realize,
	.reset = vga_pci_reset,
	.unrealize = vga_pci_unrealize,
};

static const struct device_prop bochs_props[] = {
	DEFINE_PROP(vga_pci, vgamem, "vgamem", PROP_SIZE, 16 * MiB, "video memory"),
	VGA_MONITOR_PROPS(vga_pci),
	PCI_PROPS(vga_pci),
	DEFINE_PROP_END,
};

const struct device_type vga_bochs_type = {
	.name = "bochs-display",
	.desc = "Bochs' frame buffer without a VGA",
	.bus = BUS_PCI,
	.user_creatable = true,
	.cold_only = true,
	.size = sizeof(struct vga_pci),
	.props = bochs_props,
	.state = &vga_pci_state,
	.realize = bochs_realize,
	.reset = vga_pci_reset,
	.unrealize = vga_pci_unrealize,
};
