/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory backends: anonymous memory, files (hugetlbfs too), memfds; their pages merged, dumped, preallocated, bound to nodes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "src/memory_backend.h"
#include "src/options/optlist.h"
#include "src/util.h"

#define MAX_NODES 128

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static struct memory_backend *backend_of(struct object *o)
{
	return container_of(o, struct memory_backend, object);
}

/* ---- nodes ---- */

static bool parse_node_range(const char *s, unsigned long *mask)
{
	char *end;
	unsigned long first = strtoul(s, &end, 10), last = first;

	if (end == s)
		return false;
	if (*end == '-') {
		s = end + 1;
		last = strtoul(s, &end, 10);
		if (end == s)
			return false;
	}
	if (*end || last < first || last >= MAX_NODES)
		return false;
	for (unsigned long n = first; n <= last; n++)
		mask[n / 64] |= 1ul << n % 64;
	return true;
}

/* "0-2,5" */
static bool parse_nodes(const char *s, unsigned long *mask)
{
	char *copy = xstrdup(s), *save = NULL;
	bool ok = *s;

	for (char *range = strtok_r(copy, ",:", &save); ok && range;
	     range = strtok_r(NULL, ",:", &save))
		ok = parse_node_range(range, mask);
	free(copy);
	return ok;
}

static int policy_mode(const char *policy)
{
	static const struct {
		const char *name;
		int mode;
	} modes[] = {{"default", MPOL_DEFAULT},
		     {"preferred", MPOL_PREFERRED},
		     {"bind", MPOL_BIND},
		     {"interleave", MPOL_INTERLEAVE}};

	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++)
		if (!strcmp(policy, modes[i].name))
			return modes[i].mode;
	return -1;
}

static bool check_policy(const struct memory_backend *b, struct error *err)
{
	unsigned long mask[MAX_NODES / 64] = {0};
	int mode = policy_mode(b->policy);

	if (mode < 0)
		return error_set(
			err, "policy is 'default', 'preferred', 'bind' or 'interleave', not '%s'",
			b->policy);
	if (b->host_nodes && !parse_nodes(b->host_nodes, mask))
		return error_set(err, "host-nodes=%s is not a list of nodes such as 0-1,3",
				 b->host_nodes);
	if (mode == MPOL_DEFAULT && b->host_nodes)
		return error_set(err, "host-nodes must be empty for policy default, or you should "
				      "explicitly specify a policy other than default");
	if (mode != MPOL_DEFAULT && !b->host_nodes)
		return error_set(err, "host-nodes must be set for policy %s", b->policy);
	return true;
}

static bool bind_to_nodes(const struct memory_backend *b, uint8_t *host, struct error *err)
{
	unsigned long mask[MAX_NODES / 64] = {0};

	if (!b->host_nodes)
		return true;
	parse_nodes(b->host_nodes, mask);
	if (syscall(SYS_mbind, host, b->size, policy_mode(b->policy), mask, MAX_NODES + 1,
		    MPOL_MF_STRICT | MPOL_MF_MOVE))
		return error_set_errno(err, errno, "cannot bind memory to host NUMA nodes %s",
				       b->host_nodes);
	return true;
}

/* ---- what there is to be had ---- */

/* Of /proc/meminfo, in bytes; 0: it is not there. */
static uint64_t meminfo(const char *name)
{
	unsigned long long kib = 0;
	size_t n = strlen(name);
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, name, n) && line[n] == ':')
			kib = strtoull(line + n + 1, NULL, 10);
	if (f)
		fclose(f);
	return kib * KiB;
}

bool host_has_memory(uint64_t bytes, bool or_swap, struct error *err)
{
	uint64_t free = meminfo("MemAvailable");

	if (!free)
		return true;
	free += or_swap ? meminfo("SwapFree") : 0;
	return bytes <= free || error_set(err, "the host has %llu MiB available%s", free / MiB,
					  or_swap ? ", swap space included" : "");
}

/* ---- mapping ---- */

bool memory_backend_is_hugetlb(const struct memory_backend *b)
{
	struct statfs fs;

	return b->fd >= 0 && b->page_size > (uint64_t)sysconf(_SC_PAGESIZE) &&
	       !fstatfs(b->fd, &fs) && fs.f_type == HUGETLBFS_MAGIC;
}

/* Does each page take one of the host's, which others want too? Not so huge pages, which are set apart, and shared files on a disk. */
static bool is_ordinary_memory(const struct memory_backend *b)
{
	return b->page_size == (uint64_t)sysconf(_SC_PAGESIZE) && !(b->mem_path && b->share);
}

static bool preallocate(const struct memory_backend *b, uint8_t *host, struct error *err)
{
	/* The kernel would begin, and end processes to go on. */
	if (is_ordinary_memory(b) && !host_has_memory(b->size, true, err)) {
		error_prefix(err, "cannot preallocate %llu MiB: ", b->size / MiB);
		return false;
	}
	if (!madvise(host, b->size, MADV_POPULATE_WRITE))
		return true;
	if (errno != EINVAL)
		return error_set_errno(err, errno, "cannot preallocate %llu MiB", b->size / MiB);
	/* Linux before 5.14. What is reserved, as huge pages are, is sure to come. */
	for (uint64_t at = 0; at < b->size; at += b->page_size) {
		volatile uint8_t *p = host + at;

		*p = *p;
	}
	return true;
}

static void advise(const struct memory_backend *b, uint8_t *host, bool merge, bool dump)
{
	if (b->page_size == (uint64_t)sysconf(_SC_PAGESIZE))
		madvise(host, b->size, MADV_HUGEPAGE);
	if (merge && b->merge)
		madvise(host, b->size, MADV_MERGEABLE);
	if (!dump || !b->dump)
		madvise(host, b->size, MADV_DONTDUMP);
}

static bool map_failed(const struct memory_backend *b, int error, struct error *err)
{
	if (b->page_size > (uint64_t)sysconf(_SC_PAGESIZE))
		return error_set_errno(err, error,
				       "memory backend '%s': cannot map %llu MiB, which are %llu "
				       "pages of %llu KiB (/sys/kernel/mm/hugepages)",
				       b->object.id, b->size / MiB,
				       (unsigned long long)(b->size / b->page_size),
				       b->page_size / KiB);
	return error_set_errno(err, error, "memory backend '%s': cannot map %llu MiB", b->object.id,
			       b->size / MiB);
}

bool memory_backend_map(struct memory_backend *b, uint8_t *at, bool merge, bool dump,
			struct error *err)
{
	int flags = MAP_FIXED | (b->share ? MAP_SHARED : MAP_PRIVATE) |
		    (b->fd < 0 ? MAP_ANONYMOUS : 0) | (b->reserve ? 0 : MAP_NORESERVE);
	void *host;

	if (b->host)
		return error_set(err, "memory backend '%s' is in use already", b->object.id);
	host = mmap(at, b->size, PROT_READ | PROT_WRITE, flags, b->fd, 0);
	if (host == MAP_FAILED)
		return map_failed(b, errno, err);
	advise(b, host, merge, dump);
	if (!bind_to_nodes(b, host, err) || (b->prealloc && !preallocate(b, host, err))) {
		error_prefix(err, "memory backend '%s': ", b->object.id);
		mmap(at, b->size, PROT_NONE,
		     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		return false;
	}
	b->host = host;
	b->object.users++;
	return true;
}

void memory_backend_unmapped(struct memory_backend *b)
{
	b->host = NULL;
	b->object.users--;
}

struct memory_backend *memory_backend_find(const struct object_set *set, const char *id,
					   struct error *err)
{
	struct object *o = object_find(set, id, NULL, err);

	if (!o)
		return NULL;
	if (o->type != &memory_backend_ram_type && o->type != &memory_backend_file_type &&
	    o->type != &memory_backend_memfd_type) {
		error_set(err, "object '%s' is a %s, not a memory backend", id, o->type->name);
		return NULL;
	}
	return backend_of(o);
}

/* ---- what the types have in common ---- */

static bool check_common(struct memory_backend *b, struct error *err)
{
	b->fd = -1;
	b->page_size = (uint64_t)sysconf(_SC_PAGESIZE);
	if (!b->size)
		return error_set(err, "property 'size' is missing, or 0");
	return check_policy(b, err);
}

static bool check_page_size(const struct memory_backend *b, struct error *err)
{
	if (b->size % b->page_size)
		return error_set(err, "size %llu is not a multiple of the page size, %llu KiB",
				 (unsigned long long)b->size, b->page_size / KiB);
	return true;
}

static void backend_unrealize(struct object *o)
{
	struct memory_backend *b = backend_of(o);

	if (b->fd >= 0)
		close(b->fd);
	b->fd = -1;
}

#define PROP(field, name, type, def, desc) DEFINE_PROP(memory_backend, field, name, type, def, desc)
#define COMMON_PROPS(share_default)                                                               \
	PROP(size, "size", PROP_SIZE, 0, "bytes"),                                                \
		PROP(share, "share", PROP_BOOL, share_default, "other processes may map it too"), \
		PROP(prealloc, "prealloc", PROP_BOOL, false,                                      \
		     "all pages are there from the start"),                                       \
		PROP(merge, "merge", PROP_BOOL, true, "equal pages may be merged (KSM)"),         \
		PROP(dump, "dump", PROP_BOOL, true, "is part of a core dump of evmm"),            \
		PROP(reserve, "reserve", PROP_BOOL, true,                                         \
		     "swap space or huge pages are reserved"),                                    \
		DEFINE_PROP_STR(memory_backend, host_nodes, "host-nodes", NULL,                   \
				"host NUMA nodes, such as 0-1,,3"),                               \
		DEFINE_PROP_STR(memory_backend, policy, "policy", "default",                      \
				"default, preferred, bind or interleave")

/* ---- memory-backend-ram ---- */

static bool ram_realize(struct object *o, struct error *err)
{
	struct memory_backend *b = backend_of(o);

	if (!check_common(b, err))
		return false;
	b->size = ALIGN_UP(b->size, b->page_size);
	return true;
}

static const struct device_prop ram_props[] = {COMMON_PROPS(false), DEFINE_PROP_END};

const struct object_type memory_backend_ram_type = {
	.name = "memory-backend-ram",
	.desc = "guest memory: anonymous",
	.size = sizeof(struct memory_backend),
	.props = ram_props,
	.realize = ram_realize,
	.unrealize = backend_unrealize,
};

/* ---- memory-backend-file ---- */

/* In a directory a file without a name; else that very file. */
static int open_path(const char *path)
{
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode)) {
		char *name = xasprintf("%s/evmm_back_mem.XXXXXX", path);
		int fd = mkostemp(name, O_CLOEXEC);

		if (fd >= 0)
			unlink(name);
		free(name);
		return fd;
	}
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
}

/* A file that is shorter grows; one that is longer is used as far as it is asked for. */
static bool fit_file(struct memory_backend *b, struct error *err)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(b->fd, &fs) || fstat(b->fd, &st))
		return error_set_errno(err, errno, "cannot look at '%s'", b->mem_path);
	if (fs.f_type == HUGETLBFS_MAGIC)
		b->page_size = (uint64_t)fs.f_bsize;
	if (b->align > b->page_size)
		b->page_size = b->align;
	if (!check_page_size(b, err))
		return false;
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size < b->size &&
	    ftruncate(b->fd, (off_t)b->size))
		return error_set_errno(err, errno, "cannot make '%s' %llu MiB long", b->mem_path,
				       b->size / MiB);
	return true;
}

static bool file_realize(struct object *o, struct error *err)
{
	struct memory_backend *b = backend_of(o);

	if (!check_common(b, err))
		return false;
	if (!b->mem_path)
		return error_set(err, "property 'mem-path' is missing");
	if (b->align & (b->align - 1))
		return error_set(err, "align=%llu is not a power of two",
				 (unsigned long long)b->align);
	b->fd = open_path(b->mem_path);
	if (b->fd < 0)
		return error_set_errno(err, errno, "cannot open '%s'", b->mem_path);
	if (!fit_file(b, err)) {
		backend_unrealize(o);
		return false;
	}
	return true;
}

static const struct device_prop file_props[] = {
	COMMON_PROPS(false),
	DEFINE_PROP_STR(memory_backend, mem_path, "mem-path", NULL,
			"file, or directory such as a hugetlbfs"),
	PROP(align, "align", PROP_SIZE, 0, "of its address and length"),
	DEFINE_PROP_END,
};

const struct object_type memory_backend_file_type = {
	.name = "memory-backend-file",
	.desc = "guest memory: a file",
	.size = sizeof(struct memory_backend),
	.props = file_props,
	.realize = file_realize,
	.unrealize = backend_unrealize,
};

/* ---- memory-backend-memfd ---- */

/* Of hugetlbsize=, or the system's. */
static uint64_t huge_page_size(void)
{
	unsigned long long kb = 2048;
	char line[128];
	FILE *f = fopen("/proc/meminfo", "re");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Hugepagesize: %llu kB", &kb) == 1)
			break;
	if (f)
		fclose(f);
	return kb * KiB;
}

static unsigned huge_flags(struct memory_backend *b)
{
	if (!b->hugetlb)
		return 0;
	b->page_size = b->hugetlbsize ? b->hugetlbsize : huge_page_size();
	return MFD_HUGETLB |
	       (b->hugetlbsize ? (unsigned)__builtin_ctzll(b->hugetlbsize) << MAP_HUGE_SHIFT : 0);
}

static bool memfd_open(struct memory_backend *b, struct error *err)
{
	unsigned flags = MFD_CLOEXEC | huge_flags(b) | (b->seal ? MFD_ALLOW_SEALING : 0);

	if (!check_page_size(b, err))
		return false;
	b->fd = memfd_create("evmm-memory", flags);
	if (b->fd < 0)
		return error_set_errno(err, errno, "cannot make a memfd%s",
				       b->hugetlb ? " of huge pages" : "");
	if (ftruncate(b->fd, (off_t)b->size))
		return error_set_errno(err, errno, "cannot make the memfd %llu MiB long",
				       b->size / MiB);
	if (b->seal && fcntl(b->fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL))
		return error_set_errno(err, errno, "cannot seal the memfd");
	return true;
}

static bool memfd_realize(struct object *o, struct error *err)
{
	struct memory_backend *b = backend_of(o);

	if (!check_common(b, err))
		return false;
	if (b->hugetlbsize && !b->hugetlb)
		return error_set(err, "hugetlbsize is for hugetlb=on");
	if (b->hugetlbsize & (b->hugetlbsize - 1))
		return error_set(err, "hugetlbsize=%llu is not a power of two",
				 (unsigned long long)b->hugetlbsize);
	if (memfd_open(b, err))
		return true;
	backend_unrealize(o);
	return false;
}

static const struct device_prop memfd_props[] = {
	COMMON_PROPS(true),
	PROP(hugetlb, "hugetlb", PROP_BOOL, false, "of huge pages"),
	PROP(hugetlbsize, "hugetlbsize", PROP_SIZE, 0, "their size"),
	PROP(seal, "seal", PROP_BOOL, true, "its length cannot change"),
	DEFINE_PROP_END,
};

const struct object_type memory_backend_memfd_type = {
	.name = "memory-backend-memfd",
	.desc = "guest memory: a memfd",
	.size = sizeof(struct memory_backend),
	.props = memfd_props,
	.realize = memfd_realize,
	.unrealize = backend_unrealize,
};
