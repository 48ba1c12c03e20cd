/* SPDX-License-Identifier: BSD-2-Clause */
/* What format an image is of, by its first bytes. */
#include "io/block/probe.h"

static const struct {
	const char *format;
	unsigned offset, bytes;
	const char *magic;
} magics[] = {
	{"qcow2", 0, 8, "QFI\xfb\0\0\0\2"},
	{"qcow2", 0, 8, "QFI\xfb\0\0\0\3"},
	{"qcow", 0, 8, "QFI\xfb\0\0\0\1"},
	{"qed", 0, 4, "QED\0"},
	{"vmdk", 0, 4, "KDMV"},
	{"vmdk", 0, 4, "COWD"},
	{"vmdk", 0, 21, "# Disk DescriptorFile"},
	{"vdi", 0x40, 4, "\x7f\x10\xda\xbe"},
	{"vhdx", 0, 8, "vhdxfile"},
	{"vpc", 0, 8, "conectix"},
	{"parallels", 0, 16, "WithoutFreeSpace"},
	{"parallels", 0, 16, "WithouFreSpacExt"},
	{"luks", 0, 6, "LUKS\xba\xbe"},
	{"bochs", 0, 25, "Bochs Virtual HD Image\0\0\0"},
};

const char *block_probe(const uint8_t *head, size_t n)
{
	for (unsigned i = 0; i < ARRAY_SIZE(magics); i++)
		if (magics[i].offset + magics[i].bytes <= n &&
		    !memcmp(head + magics[i].offset, magics[i].magic, magics[i].bytes))
			return magics[i].format;
	return NULL;
}
