/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation that cannot fail: out of memory ends the process. And files that are given up. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "src/util.h"

static cold_fn void __attribute__((noreturn)) out_of_memory(size_t bytes)
{
	fprintf(stderr, "evmm: out of memory (%zu bytes wanted)\n", bytes);
	abort();
}

void *xmalloc(size_t bytes)
{
	void *p = malloc(bytes ? bytes : 1);

	if (!p)
		out_of_memory(bytes);
	return p;
}

void *xzalloc(size_t bytes)
{
	void *p = calloc(1, bytes ? bytes : 1);

	if (!p)
		out_of_memory(bytes);
	return p;
}

void *xrealloc(void *old, size_t bytes)
{
	void *p = realloc(old, bytes ? bytes : 1);

	if (!p)
		out_of_memory(bytes);
	return p;
}

void *xaligned_zalloc(size_t align, size_t bytes)
{
	void *p = NULL;

	bytes = ALIGN_UP(bytes ? bytes : 1, align);
	if (posix_memalign(&p, MAX(align, sizeof(void *)), bytes))
		out_of_memory(bytes);
	return memset(p, 0, bytes);
}

void *reserve_aligned(size_t align, size_t bytes)
{
	uint8_t *host = mmap(NULL, bytes + align, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	size_t slack;

	if (host == MAP_FAILED)
		return NULL;
	slack = ALIGN_UP((uintptr_t)host, align) - (uintptr_t)host;
	if (slack)
		munmap(host, slack);
	if (slack < align)
		munmap(host + slack + bytes, align - slack);
	return host + slack;
}

void *xhuge_zalloc(size_t bytes)
{
	void *p;

	bytes = ALIGN_UP(bytes, HUGE_PAGE);
	p = reserve_aligned(HUGE_PAGE, bytes);
	if (!p || mprotect(p, bytes, PROT_READ | PROT_WRITE))
		out_of_memory(bytes);
	madvise(p, bytes, MADV_HUGEPAGE);
	return p;
}

void xhuge_free(void *p, size_t bytes)
{
	munmap(p, ALIGN_UP(bytes, HUGE_PAGE));
}

char *xstrdup(const char *s)
{
	char *p = strdup(s);

	if (!p)
		out_of_memory(strlen(s) + 1);
	return p;
}

char *xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		out_of_memory(0);
	va_end(ap);
	return s;
}

void remove_unfinished(int fd, const char *path)
{
	struct stat st, there;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && lstat(path, &there) == 0 &&
	    st.st_dev == there.st_dev && st.st_ino == there.st_ino)
		unlink(path);
}
