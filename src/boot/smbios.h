/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SMBIOS tables (DMTF DSP0134, 2.8 and 3.0): what a machine says of itself to dmidecode and its like. Start-up.
 */
#ifndef EVMM_BOOT_SMBIOS_H
#define EVMM_BOOT_SMBIOS_H

#include "src/machine.h"

#define SMBIOS_MAX_BLOBS 64 /* of -smbios file= */
#define SMBIOS_MAX_PORTS 64
#define SMBIOS_MAX_OEM	 255 /* strings of a structure */

/* What -smbios says; strings are the options', NULL: not given. */
struct smbios_config {
	bool given[256]; /* by type: fields of it were */
	struct {
		const char *vendor, *version, *date;
		bool has_release, uefi;
		uint8_t major, minor;
	} bios; /* 0 */
	struct {
		const char *manufacturer, *product, *version, *serial, *sku, *family;
	} system; /* 1 */
	struct {
		const char *manufacturer, *product, *version, *serial, *asset, *location;
	} board; /* 2 */
	struct {
		const char *manufacturer, *version, *serial, *asset, *sku;
	} chassis; /* 3 */
	struct {
		const char *sock_pfx, *manufacturer, *version, *serial, *asset, *part;
		uint64_t max_speed, current_speed, id; /* 0: not given; MHz */
	} processor;				       /* 4 */
	struct {
		const char *internal, *external;
		uint64_t connector, kind;
	} ports[SMBIOS_MAX_PORTS]; /* 8 */
	unsigned n_ports;
	const char *oem[SMBIOS_MAX_OEM]; /* 11 */
	unsigned n_oem;
	struct {
		const char *loc_pfx, *bank, *manufacturer, *serial, *asset, *part;
		uint64_t speed; /* MT/s */
	} memory;		/* 17 */
	/* Structures with their strings, as they go into the table; instead of those of their type. */
	struct {
		const uint8_t *bytes;
		size_t n;
	} blobs[SMBIOS_MAX_BLOBS];
	unsigned n_blobs;
	bool has_blob[256]; /* by type */
};

/* Entry point and structures; the entry point's address and sums are firmware's to fill in, or smbios_link's. */
struct smbios {
	uint8_t *tables; /* heap; the caller frees it */
	size_t n;
	uint8_t anchor[32];
	size_t anchor_bytes;
};

/*
 * DIRECT: no firmware runs, which would tell of itself in a structure of type 0. False: more than the entry point can
 * tell of.
 */
bool smbios_build(const struct machine *m, bool direct, struct smbios *out, struct error *err);
/* The structures are at GPA. */
void smbios_link(struct smbios *s, uint32_t gpa);
/* Is this one structure with its strings? Else ERR says why not. */
bool smbios_check_blob(const uint8_t *bytes, size_t n, struct error *err);
/* etc/smbios/..., for firmware to place. */
bool smbios_offer(struct machine *m, struct error *err);

#endif
