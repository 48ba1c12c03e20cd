/* SPDX-License-Identifier: BSD-2-Clause */
/* The 64-bit window of the PCI root bus, for the tables. */
#include "devices/pci/pci.h"
#include "src/boot/acpi.h"

#define WINDOW_ALIGN (1 * GiB)
#define WINDOW_BYTES (32 * GiB)

static void include(struct acpi_range *r, uint64_t at, uint64_t bytes)
{
	r->start = MIN(r->start, ALIGN_DOWN(at, WINDOW_ALIGN));
	r->end = MAX(r->end, ALIGN_UP(at + bytes, WINDOW_ALIGN));
}

/* What is decoded behind bridges lies within their windows, but the BARs say it as well. */
static void include_bus(struct acpi_range *r, const struct pci_bus *bus)
{
	for (unsigned devfn = 0; devfn < PCI_FUNCTIONS; devfn++) {
		const struct pci_device *pci = bus->devices[devfn];

		for (unsigned n = 0; pci && n < PCI_BARS; n++) {
			uint64_t at = pci->bars[n].region ? pci_bar_address(pci, n) : UINT64_MAX;

			if (at != UINT64_MAX && at >= 4 * GiB && !(pci->bars[n].flags & PCI_BAR_IO))
				include(r, at, pci->bars[n].region->size);
		}
	}
	list_for_each(it, &bus->children)
		include_bus(r, list_entry(it, struct pci_bus, node));
}

struct acpi_range acpi_pci_window64(const struct machine *m)
{
	uint64_t start = ALIGN_UP(4 * GiB + m->ram.above_4g, WINDOW_ALIGN);
	struct acpi_range r = {start, start + WINDOW_BYTES};

	if (m->pci)
		include_bus(&r, m->pci);
	/* RAM is nobody's window. */
	r.start = MAX(r.start, start);
	return r;
}
