/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices' frame: a device is a struct that begins with `struct device`, a few functions, and one
 * const struct device_type. devices/registry.c lists all types. The tables drive -device, its help and
 * error messages, `info qtree`, and save and restore.
 *
 * Life: device_new (properties have their defaults) -> device_set_prop... -> device_realize -> reset, any
 * number of times -> device_unrealize (frees the struct too). Loop thread, or start-up before it runs.
 */
#ifndef EVMM_DEVICE_H
#define EVMM_DEVICE_H

#include <stdio.h>
#include "src/error.h"
#include "src/irq.h"
#include "src/list.h"
#include "src/memory.h"
#include "src/props.h"

struct bus;
struct machine;
struct block;
struct chardev;

enum bus_type {
	BUS_SYSTEM,
	BUS_ISA,
	BUS_PCI,
	BUS_IDE,
	BUS_FLOPPY,
	BUS_VIRTIO,
	BUS_VIRTIO_SERIAL,
	BUS_SCSI,
	BUS_NONE,
};

/* What must survive a snapshot: named fields, fixed width, in the order of the table. */
struct state_field {
	const char *name;
	size_t offset;
	size_t size;  /* of one element, bytes: 1, 2, 4, 8, or anything for raw bytes */
	size_t count; /* elements */
	bool is_bool; /* what is loaded must be 0 or 1 */
	const struct state_desc *sub; /* each element is itself described */
};

struct state_desc {
	const char *name;
	unsigned version;
	const struct state_field *fields; /* ends with name NULL */
	/* Where the guest-visible part lies in the struct: a test holds FIELDS against it, byte by byte. */
	size_t span_offset, span_bytes;
	/* The fields are about to be saved: whatever is kept elsewhere goes into them. */
	void (*pre_save)(void *opaque);
	/* The untrusted, loaded fields are checked and what derives from them is rebuilt here. */
	bool (*post_load)(void *opaque, struct error *err);
};

#define STATE_FIELD(S, f)                                                                        \
	{                                                                                        \
		.name = #f, .offset = offsetof(struct S, f), .size = sizeof(((struct S *)0)->f), \
		.count = 1,                                                                      \
		.is_bool = __builtin_types_compatible_p(__typeof__(((struct S *)0)->f), bool)    \
	}
#define STATE_ARRAY(S, f)                                                                        \
	{                                                                                        \
		.name = #f, .offset = offsetof(struct S, f),                                     \
		.size = sizeof(((struct S *)0)->f[0]),                                           \
		.count = sizeof(((struct S *)0)->f) / sizeof(((struct S *)0)->f[0]),             \
		.is_bool = __builtin_types_compatible_p(__typeof__(((struct S *)0)->f[0]), bool) \
	}
/* A struct, or an array of them, that SUB describes. */
#define STATE_STRUCT(S, f, sub_)                                                                 \
	{                                                                                        \
		.name = #f, .offset = offsetof(struct S, f), .size = sizeof(((struct S *)0)->f), \
		.count = 1, .sub = &(sub_)                                                       \
	}
#define STATE_STRUCT_ARRAY(S, f, sub_)                                               \
	{                                                                            \
		.name = #f, .offset = offsetof(struct S, f),                         \
		.size = sizeof(((struct S *)0)->f[0]),                               \
		.count = sizeof(((struct S *)0)->f) / sizeof(((struct S *)0)->f[0]), \
		.sub = &(sub_)                                                       \
	}
/* In the table but not saved: it follows from the rest, and post_load rebuilds it. */
#define STATE_DERIVED(S, f)                                                                      \
	{                                                                                        \
		.name = #f, .offset = offsetof(struct S, f), .size = sizeof(((struct S *)0)->f), \
		.count = 0                                                                       \
	}
#define STATE_END            \
	{                    \
		.name = NULL \
	}

/* The guest-visible part of a device's struct stands between these two; its fields are ordered so that nothing is padded. */
#define GUEST_VISIBLE_BEGIN char guest_begin[0] __attribute__((aligned(8)))
#define GUEST_VISIBLE_END   char guest_end[0]
#define STATE_SPAN(S)                                   \
	.span_offset = offsetof(struct S, guest_begin), \
	.span_bytes = offsetof(struct S, guest_end) - offsetof(struct S, guest_begin)

struct device;

struct json_t;

/* What the monitor can look at, and perhaps set, while the device is in use (qom-get, qom-set). */
struct device_live_prop {
	const char *name; /* NULL ends a list */
	const char *type; /* as qom-list shows it */
	struct json_t *(*get)(struct device *dev);
	/* NULL: only looked at. */
	bool (*set)(struct device *dev, struct json_t *value, struct error *err);
};

struct device_type {
	const char *name;
	const char *alias; /* QEMU's second spelling, or NULL */
	const char *desc;
	enum bus_type bus;
	bool user_creatable; /* -device NAME works; a board's own parts are not */
	bool cold_only;	     /* is there from the start and stays */
	size_t size;	     /* of the struct that begins with struct device */
	const struct device_prop *props;
	const struct state_desc *state;
	bool (*realize)(struct device *dev, struct error *err);
	void (*reset)(struct device *dev);
	void (*unrealize)(struct device *dev);
	/* OpenFirmware path for the boot order (src/boot/bootorder.h), heap. NULL: a PCI function's by its place, else none. */
	char *(*fw_path)(struct device *dev);
	/* Requests of its own are still in flight: not to be unrealized yet. NULL: there never are any. */
	bool (*busy)(struct device *dev);
	/* Interrupt controllers, may be NULL: their state as text; how often each of their N inputs was raised. */
	void (*print_pic)(const struct device *dev, FILE *out);
	const uint64_t *(*irq_counts)(const struct device *dev, unsigned *n);
};

struct device {
	const struct device_type *type;
	struct machine *machine;
	char *id; /* of -device id=; may be NULL */
	bool realized;
	struct bus *
		parent_bus; /* src/bus.h: set by realize; NULL: it stands for itself. Goes with its controller. */
	bool unplugging;			   /* src/hotplug.h: it goes as soon as it can */
	bool by_user;				   /* -device or device_add made it */
	unsigned number;			   /* of all that the machine ever had */
	const struct device_live_prop *live_props; /* set by realize; NULL: none */
	struct list node;			   /* machine->devices, in the order of creation */
	unsigned guest_error_count;
	int64_t guest_error_next_ns;
	/* Told of each level that is set at its interrupt inputs, where it has some: for tests. NULL: nobody. */
	irq_fn *irq_tap;
	void *irq_tap_opaque;
	const char *broken; /* device_break's reason; cleared by reset */
};

extern const struct device_type *const device_types[]; /* devices/registry.c; ends with NULL */
const struct device_type *device_type_find(const char *name);
/* There is no type NAME: the message names the nearest one. Returns false. */
bool device_type_unknown(const char *name, struct error *err);

struct device *device_new(struct machine *m, const struct device_type *type, const char *id);
/* VALUE as the user typed it. An unknown NAME is an error that names the nearest one. */
bool device_set_prop(struct device *dev, const char *name, const char *value, struct error *err);
/* For boards: a number, or a pointer already looked up. Aborts on a name or type that isn't there. */
void device_set_prop_num(struct device *dev, const char *name, uint64_t value);
void device_set_prop_chardev(struct device *dev, const char *name, struct chardev *chr);
void device_set_prop_drive(struct device *dev, const char *name, struct block *b);
/* On failure the device is as before and still has to be freed with device_unrealize. */
bool device_realize(struct device *dev, struct error *err);
void device_reset(struct device *dev);
void device_unrealize(struct device *dev);
/* "/machine/peripheral/ID", "/machine/peripheral-anon/device[N]" or, of the board's own, "/machine/unattached/device[N]". Heap. */
char *device_path(const struct device *dev);
struct device *device_find(struct machine *m, const char *id);
/* By a list with "driver", perhaps "id" and "bus", and properties. */
struct optlist;
struct device *device_create_from_list(struct machine *m, struct optlist *l, struct error *err);
/* "-device NAME[,prop=value...]"; NAME,help prints the properties and exits 0. */
struct device *device_create_from_option(struct machine *m, const char *arg, struct error *err);
/* -device help */
void device_list_types(void);
void device_help(const struct device_type *type);

/* For boards: new, no properties, realize; ends evmm with the message when it fails. */
struct device *device_create_builtin(struct machine *m, const struct device_type *type);

/* Save table -> flat little-endian bytes and back. Returned buffer is the caller's (free). */
uint8_t *state_save(const struct state_desc *desc, const void *obj, size_t *bytes);
bool state_load(const struct state_desc *desc, void *obj, const uint8_t *buf, size_t bytes,
		struct error *err);

/* For devices with interrupt inputs: input N is being set. */
static inline void device_irq_input(struct device *dev, unsigned n, bool level)
{
	if (unlikely(dev->irq_tap))
		dev->irq_tap(dev->irq_tap_opaque, n, level);
}

/* The guest did what no sane driver does: counted, rate-limited, logged under -d guest_errors. */
void guest_error(struct device *dev, const char *fmt, ...) printf_like(2, 3);
/* The device needs a reset before it does anything more. */
void device_break(struct device *dev, const char *why);

#endif
