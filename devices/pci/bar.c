/* SPDX-License-Identifier: BSD-2-Clause */
/* Base address registers and option ROMs (PCI Local Bus Specification 3.0, 6.2.5 and 6.3). */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "devices/pci/pci.h"
#include "src/boot/firmware.h"

#define BAR_TYPE_IO	  0x1
#define BAR_TYPE_64	  0x4
#define BAR_TYPE_PREFETCH 0x8
#define ROM_ENABLE	  0x1
#define ROM_MIN_BYTES	  2048
#define ROM_MAX_BYTES	  (16 * MiB)

static unsigned bar_offset(unsigned n)
{
	return PCI_BAR0 + 4 * n;
}

void pci_bar_init(struct pci_device *pci, unsigned n, unsigned flags, struct region *region)
{
	uint64_t size = region->size, mask = ~(size - 1);
	unsigned at = bar_offset(n), type = 0;

	assert(!(size & (size - 1)) && size >= (flags & PCI_BAR_IO ? 4 : 16));
	assert(n + !!(flags & PCI_BAR_64) < PCI_BARS);
	if (flags & PCI_BAR_IO)
		type = BAR_TYPE_IO;
	if (flags & PCI_BAR_64)
		type |= BAR_TYPE_64;
	if (flags & PCI_BAR_PREFETCH)
		type |= BAR_TYPE_PREFETCH;
	stn_le(&pci->initial[at], 4, type);
	stn_le(&pci->wmask[at], 4, (uint32_t)mask);
	if (flags & PCI_BAR_64)
		stn_le(&pci->wmask[at + 4], 4, mask >> 32);
	pci->wmask[PCI_COMMAND] |=
		PCI_COMMAND_MASTER | (flags & PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
	pci_set(pci, at, 4, type);
	pci->bars[n] = (struct pci_bar){.region = region, .flags = flags};
}

/* The ones that software writes to learn the size, and 0, are no addresses. */
static uint64_t bar_wanted(const struct pci_device *pci, unsigned n)
{
	const struct pci_bar *bar = &pci->bars[n];
	bool io = bar->flags & PCI_BAR_IO;
	uint64_t at = pci_get(pci, bar_offset(n), 4), last;

	if (!(pci->config[PCI_COMMAND] & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
		return UINT64_MAX;
	at &= io ? ~0x3ull : ~0xfull;
	if (bar->flags & PCI_BAR_64)
		at |= (uint64_t)pci_get(pci, bar_offset(n) + 4, 4) << 32;
	last = at + bar->region->size - 1;
	if (!at || last < at || last == UINT64_MAX)
		return UINT64_MAX;
	if (io && last > UINT16_MAX)
		return UINT64_MAX;
	if (!io && !(bar->flags & PCI_BAR_64) && last >= UINT32_MAX)
		return UINT64_MAX;
	return at;
}

static uint64_t rom_wanted(const struct pci_device *pci)
{
	uint32_t at = pci_get(pci, PCI_ROM_BAR, 4);

	if (!(at & ROM_ENABLE) || !(pci->config[PCI_COMMAND] & PCI_COMMAND_MEMORY))
		return UINT64_MAX;
	at &= ~(uint32_t)(pci->rom.region->size - 1);
	return at && at + (pci->rom.region->size - 1) < UINT32_MAX ? at : UINT64_MAX;
}

static void bar_map(struct pci_device *pci, struct pci_bar *bar, uint64_t at)
{
	struct region *space = bar->flags & PCI_BAR_IO ? &pci->bus->io : &pci->bus->mem;

	if (bar->mapped ? bar->at == at : at == UINT64_MAX)
		return;
	if (bar->mapped)
		region_remove(bar->region);
	bar->mapped = at != UINT64_MAX;
	bar->at = at;
	if (bar->mapped)
		region_add(space, at, bar->region, 0);
}

void pci_bars_update(struct pci_device *pci)
{
	struct machine *m = pci->dev.machine;

	as_begin(&m->mem);
	as_begin(&m->io);
	for (unsigned n = 0; n < PCI_BARS; n++)
		if (pci->bars[n].region)
			bar_map(pci, &pci->bars[n], bar_wanted(pci, n));
	if (pci->rom.region)
		bar_map(pci, &pci->rom, rom_wanted(pci));
	as_commit(&m->io);
	as_commit(&m->mem);
}

void pci_bars_unmap(struct pci_device *pci)
{
	for (unsigned n = 0; n < PCI_BARS; n++)
		bar_map(pci, &pci->bars[n], UINT64_MAX);
	bar_map(pci, &pci->rom, UINT64_MAX);
}

uint64_t pci_bar_address(const struct pci_device *pci, unsigned n)
{
	return pci->bars[n].mapped ? pci->bars[n].at : UINT64_MAX;
}

/* ---- option ROM ---- */

static bool read_rom(struct pci_device *pci, const char *path, struct error *err)
{
	const char *name = pci->dev.type->name;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t size = ROM_MIN_BYTES;
	bool ok;

	if (fd < 0)
		return error_set_errno(err, errno, "%s: romfile '%s'", name, path);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
	    (uint64_t)st.st_size > ROM_MAX_BYTES) {
		close(fd);
		return error_set(err, "%s: romfile '%s' is no file of 1 byte to %llu MiB", name,
				 path, ROM_MAX_BYTES / MiB);
	}
	while (size < (size_t)st.st_size)
		size *= 2;
	pci->rom_host = xaligned_zalloc(4096, MAX(size, 4096u));
	pci->rom_bytes = size;
	ok = read(fd, pci->rom_host, st.st_size) == st.st_size;
	close(fd);
	return ok || error_set(err, "%s: romfile '%s' cannot be read", name, path);
}

bool pci_rom_init(struct pci_device *pci, const char *default_file, struct error *err)
{
	const char *file = pci->romfile ? pci->romfile : default_file;
	char *path;
	bool ok;

	if (!file || !*file || !pci->rombar)
		return true;
	path = firmware_find(&pci->dev.machine->config, file);
	/* A host without the package of a card's own ROM still has the card. */
	if (!path && !pci->romfile)
		return true;
	ok = read_rom(pci, path ? path : file, err);
	free(path);
	if (!ok)
		return false;
	region_init_rom(&pci->rom_region, "option-rom", pci->rom_host, pci->rom_bytes);
	pci->rom.region = &pci->rom_region;
	stn_le(&pci->wmask[PCI_ROM_BAR], 4, ~(uint32_t)(pci->rom_bytes - 1) | ROM_ENABLE);
	pci->wmask[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
	return true;
}
