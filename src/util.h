/* SPDX-License-Identifier: BSD-2-Clause */
/* Small things everything uses: sizes, bits, allocation that cannot fail. */
#ifndef EVMM_UTIL_H
#define EVMM_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define KiB (1ull << 10)
#define MiB (1ull << 20)
#define GiB (1ull << 30)
#define TiB (1ull << 40)

#define HUGE_PAGE (2 * MiB) /* of x86 hosts, the smaller size */

#define NS_PER_SEC 1000000000ll
#define NS_PER_MS  1000000ll
#define NS_PER_US  1000ll

#define BIT(n)		  (1u << (n))
#define BIT64(n)	  (1ull << (n))
#define ARRAY_SIZE(a)	  (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	  ((a) < (b) ? (a) : (b))
#define MAX(a, b)	  ((a) > (b) ? (a) : (b))
#define ALIGN_DOWN(x, a)  ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a)	  ALIGN_DOWN((x) + ((__typeof__(x))(a)-1), (a))
#define likely(x)	  __builtin_expect(!!(x), 1)
#define unlikely(x)	  __builtin_expect(!!(x), 0)
#define noinline_fn	  __attribute__((noinline))
#define cold_fn		  __attribute__((cold, noinline))
#define always_inline	  inline __attribute__((always_inline))
#define printf_like(f, a) __attribute__((format(printf, f, a)))

#define container_of(ptr, type, member) \
	((type *)((char *)(1 ? (ptr) : &((type *)0)->member) - offsetof(type, member)))

/* Allocation aborts the process when memory is out (DESIGN: errors). All are any-thread. */
void *xmalloc(size_t bytes) __attribute__((malloc, returns_nonnull));
void *xzalloc(size_t bytes) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t bytes) __attribute__((returns_nonnull));
void *xaligned_zalloc(size_t align, size_t bytes) __attribute__((malloc, returns_nonnull));
/*
 * Addresses of the host without memory behind them, the first a multiple of ALIGN, which is a power of two of at least a page; to be
 * unmapped by the caller. NULL, with errno, when there are none.
 */
void *reserve_aligned(size_t align, size_t bytes);
/*
 * Zeros, on pages of 2 MiB where the host has them for who asks (transparent huge pages), and no more than are touched: for what
 * is used all the time in no order, as host CPUs remember the addresses of few small pages. To be freed with the same size.
 */
void *xhuge_zalloc(size_t bytes) __attribute__((malloc, returns_nonnull));
void xhuge_free(void *p, size_t bytes);
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) printf_like(1, 2) __attribute__((malloc, returns_nonnull));

/*
 * FD is open on PATH, whose writing has failed: the file is removed, if it is a regular one and still has that name. May block.
 */
void remove_unfinished(int fd, const char *path);

/* Little-endian access to possibly unaligned bytes (the host is little-endian). */
static inline uint64_t ldn_le(const void *p, unsigned size)
{
	uint64_t v = 0;

	memcpy(&v, p, size);
	return v;
}

static inline void stn_le(void *p, unsigned size, uint64_t v)
{
	memcpy(p, &v, size);
}

#endif
