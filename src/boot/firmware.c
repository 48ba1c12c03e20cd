/* SPDX-License-Identifier: BSD-2-Clause */
/* Where firmware images are found, and how they are read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "devices/chipset/fw_cfg.h"
#include "src/boot/firmware.h"

#define VGAROM_MAX (64 * KiB)

/* Debian's packages: qemu-system-data, seabios, ovmf, ipxe-qemu. */
static const char *const package_dirs[] = {
	"/usr/share/qemu", "/usr/share/seabios", "/usr/share/OVMF",
	"/usr/share/ovmf", "/usr/lib/ipxe/qemu", NULL,
};

static bool can_read(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISDIR(st.st_mode) && access(path, R_OK) == 0;
}

static char *find_in(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);

	if (can_read(path))
		return path;
	free(path);
	return NULL;
}

char *firmware_find(const struct machine_config *c, const char *name)
{
	char *path = NULL;

	if (can_read(name))
		return xstrdup(name);
	for (unsigned i = 0; i < c->boot.n_data_dirs && !path; i++)
		path = find_in(c->boot.data_dirs[i], name);
	for (unsigned i = 0; package_dirs[i] && !path; i++)
		path = find_in(package_dirs[i], name);
	return path;
}

void firmware_list_dirs(const struct machine_config *c)
{
	for (unsigned i = 0; i < c->boot.n_data_dirs; i++)
		puts(c->boot.data_dirs[i]);
	for (unsigned i = 0; package_dirs[i]; i++)
		puts(package_dirs[i]);
}

bool firmware_is_uefi(const uint8_t *image, uint64_t bytes)
{
	return bytes > 44 && !memcmp(image + 40, "_FVH", 4);
}

static uint8_t *read_fd(int fd, uint64_t n)
{
	uint8_t *bytes = xaligned_zalloc(4096, ALIGN_UP(n, 4096));
	uint64_t done = 0;

	while (done < n) {
		ssize_t got = read(fd, bytes + done, n - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			if (got == 0)
				errno = EIO;
			free(bytes);
			return NULL;
		}
		done += (uint64_t)got;
	}
	return bytes;
}

uint8_t *firmware_read(const char *option, const char *path, uint64_t max, uint64_t *bytes,
		       struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint8_t *data = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		error_set_errno(err, errno, "%s %s", option, path);
	else if (S_ISDIR(st.st_mode))
		error_set(err, "%s %s: is a directory", option, path);
	else if (!S_ISREG(st.st_mode))
		error_set(err, "%s %s: is not a regular file", option, path);
	else if (st.st_size == 0)
		error_set(err, "%s %s: the file is empty", option, path);
	else if ((uint64_t)st.st_size > max)
		error_set(err, "%s %s: %lld bytes are too many (at most %llu)", option, path,
			  (long long)st.st_size, (unsigned long long)max);
	else if (!(data = read_fd(fd, (uint64_t)st.st_size)))
		error_set_errno(err, errno, "%s %s", option, path);
	else
		*bytes = (uint64_t)st.st_size;
	if (fd >= 0)
		close(fd);
	return data;
}

bool firmware_offer_vgarom(struct machine *m, const char *device, const char *name,
			   struct error *err)
{
	char *file = xasprintf("vgaroms/%s", name), *path = firmware_find(&m->config, name);
	uint8_t *bytes = NULL;
	uint32_t there;
	uint64_t n;
	bool ok = true;

	if (m->fw_cfg && path && !fw_cfg_find_file(m->fw_cfg, file, &there)) {
		bytes = firmware_read(device, path, VGAROM_MAX, &n, err);
		ok = bytes && fw_cfg_add_file(m->fw_cfg, file, bytes, (uint32_t)n, err);
	}
	free(bytes);
	free(path);
	free(file);
	return ok;
}
