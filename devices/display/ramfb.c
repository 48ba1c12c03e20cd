/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ramfb: a frame buffer in the guest's RAM, which firmware has placed there. For machines and firmware that want a screen
 * and no adapter.
 *
 * QEMU hw/display/ramfb.c, as OVMF's and SeaBIOS's drivers speak to it. One file of fw_cfg, written as a whole by DMA:
 *
 *	etc/ramfb	offset	bytes	name		big-endian
 *		00	8	address		in RAM
 *		08	4	fourcc		DRM's: XR24, that is 00RRGGBB in 32 bits
 *		0C	4	flags		0
 *		10	4	width		pixels
 *		14	4	height
 *		18	4	stride		bytes; 0: 4 times the width
 *
 * What is written takes effect if all of it lies in RAM; else the screen stays as it is.
 *
 * Not modelled: other formats than XR24.
 * Deviates because: nothing.
 */
#include <stdlib.h>
#include "devices/chipset/fw_cfg.h"
#include "devices/display/ramfb.h"
#include "io/display/console.h"
#include "src/boot/firmware.h"

#define RAMFB_FILE   "etc/ramfb"
#define RAMFB_BYTES  28
#define RAMFB_ROM    "vgabios-ramfb.bin"
#define FOURCC_XR24  0x34325258
#define MIN_SIZE     16
#define SLICE_PIXELS (128 * 1024) /* of one turn of the loop */

struct ramfb {
	struct device dev;

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	uint8_t config[RAMFB_BYTES]; /* that is in effect; width 0: none */
	GUEST_VISIBLE_END;

	/* host side */
	struct console *con;
	unsigned y; /* next line of the refresh under way */
	uint32_t line[CONSOLE_MAX_WIDTH];
};

struct ramfb_config {
	uint64_t address;
	uint32_t fourcc, flags, width, height, stride;
};

static uint32_t be32(const uint8_t *p)
{
	return __builtin_bswap32((uint32_t)ldn_le(p, 4));
}

static struct ramfb_config decode(const uint8_t *p)
{
	struct ramfb_config c = {
		.address = (uint64_t)be32(p) << 32 | be32(p + 4),
		.fourcc = be32(p + 8),
		.flags = be32(p + 12),
		.width = be32(p + 16),
		.height = be32(p + 20),
		.stride = be32(p + 24),
	};

	if (!c.stride)
		c.stride = c.width * 4;
	return c;
}

static bool is_ram(struct machine *m, gpa_t gpa, uint64_t bytes)
{
	while (bytes) {
		size_t n = bytes;
		void *host = dma_map(m, gpa, &n, false);

		if (!host)
			return false;
		dma_unmap(m, gpa, host, n, false);
		gpa += n;
		bytes -= n;
	}
	return true;
}

static bool is_possible(struct machine *m, const struct ramfb_config *c)
{
	return c->fourcc == FOURCC_XR24 && c->width >= MIN_SIZE && c->height >= MIN_SIZE &&
	       c->width <= CONSOLE_MAX_WIDTH && c->height <= CONSOLE_MAX_HEIGHT &&
	       c->stride >= c->width * 4 && c->stride <= 16 * CONSOLE_MAX_WIDTH &&
	       c->address <= UINT64_MAX / 2 &&
	       is_ram(m, c->address, (uint64_t)c->stride * c->height);
}

/* FILE is all of it. */
static void ramfb_written(void *opaque, const uint8_t *file, uint32_t offset, uint32_t n)
{
	struct ramfb *s = opaque;
	struct ramfb_config c = decode(file);

	if (!is_possible(s->dev.machine, &c)) {
		guest_error(&s->dev, "no frame buffer of %ux%u at 0x%llx", c.width, c.height,
			    (unsigned long long)c.address);
		return;
	}
	memcpy(s->config, file, sizeof(s->config));
	s->y = 0;
}

/* ---- the picture ---- */

/* RAM that has gone since shows as zeros. */
static void draw_line(struct ramfb *s, const struct ramfb_config *c, unsigned y)
{
	const struct surface *surface = console_surface(s->con);
	uint32_t *to = surface->pixels + (size_t)y * surface->stride;
	size_t bytes = c->width * sizeof(uint32_t);

	if (!dma_read(s->dev.machine, c->address + (uint64_t)y * c->stride, s->line, bytes))
		memset(s->line, 0, bytes);
	if (!memcmp(to, s->line, bytes))
		return;
	memcpy(to, s->line, bytes);
	console_touch(s->con, 0, y, c->width, 1);
}

static bool ramfb_refresh(void *opaque)
{
	struct ramfb *s = opaque;
	struct ramfb_config c = decode(s->config);

	if (!c.width)
		return true;
	if (!s->y)
		console_resize(s->con, c.width, c.height);
	for (unsigned pixels = 0; s->y < c.height && pixels <= SLICE_PIXELS; pixels += c.width)
		draw_line(s, &c, s->y++);
	if (s->y < c.height)
		return false;
	s->y = 0;
	return true;
}

static const struct console_ops ramfb_console_ops = {.refresh = ramfb_refresh};

/* ---- life ---- */

static void ramfb_reset(struct device *dev)
{
	struct ramfb *s = container_of(dev, struct ramfb, dev);

	memset(s->config, 0, sizeof(s->config));
	s->y = 0;
	fw_cfg_update_file(dev->machine->fw_cfg, RAMFB_FILE, s->config, sizeof(s->config));
}

static bool ramfb_post_load(void *opaque, struct error *err)
{
	struct ramfb *s = opaque;
	struct ramfb_config c = decode(s->config);

	s->y = 0;
	if (c.width && !is_possible(s->dev.machine, &c))
		return error_set(err, "ramfb: saved state is not possible");
	return true;
}

static const struct state_desc ramfb_state = {
	.name = "ramfb",
	.version = 1,
	STATE_SPAN(ramfb),
	.post_load = ramfb_post_load,
	.fields =
		(const struct state_field[]){
			STATE_ARRAY(ramfb, config),
			STATE_END,
		},
};

static bool ramfb_realize(struct device *dev, struct error *err)
{
	struct ramfb *s = container_of(dev, struct ramfb, dev);
	struct machine *m = dev->machine;
	const struct fw_cfg_hooks hooks = {.written = ramfb_written, .opaque = s};

	if (!m->fw_cfg)
		return error_set(err, "ramfb: this machine has no fw_cfg");
	if (!firmware_offer_vgarom(m, dev->type->name, RAMFB_ROM, err) ||
	    !fw_cfg_add_file_hooks(m->fw_cfg, RAMFB_FILE, s->config, sizeof(s->config), &hooks,
				   err))
		return false;
	s->con =
		console_new(m->display, dev->id ? dev->id : dev->type->name, &ramfb_console_ops, s);
	return true;
}

static void ramfb_unrealize(struct device *dev)
{
	console_free(container_of(dev, struct ramfb, dev)->con);
}

static const struct device_prop ramfb_props[] = {DEFINE_PROP_END};

const struct device_type ramfb_type = {
	.name = "ramfb",
	.desc = "frame buffer in the guest's RAM",
	.bus = BUS_SYSTEM,
	.user_creatable = true,
	.cold_only = true,
	.size = sizeof(struct ramfb),
	.props = ramfb_props,
	.state = &ramfb_state,
	.realize = ramfb_realize,
	.reset = ramfb_reset,
	.unrealize = ramfb_unrealize,
};
