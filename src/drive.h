/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives: what -drive, -hda, -cdrom and the like left for the board. A board asks for what belongs to its
 * controllers with drive_get() and gives the drive's block to a device ("drive" property). What no board has asked for
 * is an error at the end of start-up, as in QEMU. Loop thread, or before the loop runs.
 */
#ifndef EVMM_DRIVE_H
#define EVMM_DRIVE_H

#include <jansson.h>
#include "io/block/block.h"

struct machine;

/* DEFAULT: what the board has disks on. */
enum drive_if {
	DRIVE_IF_DEFAULT,
	DRIVE_IF_NONE,
	DRIVE_IF_IDE,
	DRIVE_IF_SCSI,
	DRIVE_IF_FLOPPY,
	DRIVE_IF_PFLASH,
	DRIVE_IF_MTD,
	DRIVE_IF_SD,
	DRIVE_IF_VIRTIO
};

struct drive {
	struct list node; /* machine->drives */
	enum drive_if type;
	unsigned bus, unit;
	bool media_cdrom;
	bool is_default; /* nobody asked for it: an empty CD or floppy drive */
	bool claimed;	 /* a board may set it; a block with a device counts as claimed anyway */
	struct block *block;
};

/* NULL: none. */
struct drive *drive_get(struct machine *m, enum drive_if type, unsigned bus, unsigned unit);
/* Units on a bus of that interface; 0: it has no buses, units are counted through. */
unsigned drive_if_units(const struct machine *m, enum drive_if type);
const char *drive_if_name(enum drive_if type);

/*
 * A disk by -drive's keys, those that say where it belongs aside. "cache" is an object; a word is under "cache-mode".
 * The reference to OPTIONS is taken over.
 */
struct block *drive_new_block(struct loop *loop, json_t *options, struct error *err);
/* -drive's keys as an object, whose reference is taken over. */
bool drive_add(struct machine *m, json_t *options, struct error *err);
/* The disk with that id goes. A device that has it stays: its requests fail from now on. */
bool drive_del(struct machine *m, const char *id, struct error *err);
/* DEV will be unplugged, with what is on its buses: their drives go too, as in QEMU, but not the nodes of -blockdev. */
void drives_leave_with(struct machine *m, const struct device *dev);
/* -drive's text, to an object. */
json_t *drive_parse_option(const char *text, struct error *err);
/* The empty CD and floppy drives that a PC has, unless -nodefaults. */
bool drive_add_defaults(struct machine *m, struct error *err);
/* if=virtio: the controllers for which no board has a place of its own. */
bool drive_create_devices(struct machine *m, struct error *err);
/* Error for the first drive that found no place. */
bool drive_check_claimed(struct machine *m, struct error *err);
/* -blockdev's keys, an object whose reference is taken over. */
bool blockdev_add(struct loop *loop, json_t *options, struct error *err);
bool blockdev_del(const char *node_name, struct error *err);
/* The machine's end: waits for what is in flight, and closes. Returns false when the host does not answer. */
bool drives_drain(struct machine *m);
void drives_free(struct machine *m);
void drives_init(struct machine *m);
/* For a reset: true when no request is in flight; else the machine's control work is scheduled when none is. */
bool drives_idle(struct machine *m);
/* The guest goes on: what werror=stop has held is tried again. */
void drives_retry(struct machine *m);

/*
 * A file name as -drive file= has it ("PATH", "file:PATH", "null-co://", "json:{...}"), to a protocol node's options. NULL
 * with ERR.
 */
json_t *drive_parse_filename(const char *name, struct error *err);
/*
 * Opens what the options describe: FORMAT over the file under "file", guessed when no "driver" is given. The caller
 * has the reference.
 */
struct block_node *drive_open_node(struct loop *loop, json_t *options, bool snapshot,
				   struct error *err);

#endif
