/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Images that -kernel, -initrd and -dtb are given.
 *
 *	byte 0	which of them the rest of the input is; a kernel is a small good one where it isn't the input
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "src/boot/boot.h"
#include "src/machine.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/boot_accel.h"

#define RAM (64 * MiB)

static struct loop *loop;

/* A multiboot header and a HLT. */
static const uint8_t good_kernel[] = {0x02, 0xb0, 0xad, 0x1b, 0, 0, 1,	  0,	0xfe, 0x4f, 0x51,
				      0xe4, 0,	  0,	0x10, 0, 0, 0,	  0x10, 0,    0,    0,
				      0,    0,	  0,	0,    0, 0, 0x20, 0,	0x10, 0,    0xf4};

static int memory_file(const void *data, size_t n, char *path, size_t room)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n) {
		perror("memfd");
		exit(1);
	}
	snprintf(path, room, "/proc/self/fd/%d", fd);
	return fd;
}

static void boot(const char *kernel, const char *initrd)
{
	struct machine_config config = {.type = &machine_none,
					.accel = &boot_accel,
					.ram_bytes = RAM,
					.cpus = 1,
					.append = "console=ttyS0",
					.acpi = true,
					.kernel = kernel,
					.initrd = initrd};
	struct machine *m = machine_new(loop, &config, NULL);
	struct error err = ERROR_INIT;

	if (!machine_build(m, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		exit(1);
	}
	if (boot_load(m, &err))
		m->boot_reset(m, m->boot_opaque);
	error_clear(&err);
	boot_free(m);
	machine_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct fuzz_input in = {data, n};
	bool initrd = fuzz_take(&in, 1) & 1;
	char path[32], other[32];
	int fd = memory_file(in.p, in.n, path, sizeof(path)), fd2;

	if (!loop)
		loop = loop_new();
	fd2 = memory_file(good_kernel, sizeof(good_kernel), other, sizeof(other));
	boot(initrd ? other : path, initrd ? path : NULL);
	close(fd);
	close(fd2);
	return 0;
}
