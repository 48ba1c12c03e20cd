/* SPDX-License-Identifier: BSD-2-Clause */
/* -d and -D: the trace facility. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include "src/log.h"

unsigned log_mask;

static FILE *log_file; /* NULL: stderr; set at start-up and by the monitor only */

static const struct {
	const char *name;
	unsigned category;
	const char *help;
} categories[] = {
	{"cpu_reset", LOG_CPU_RESET, "show CPU state before CPU resets"},
	{"guest_errors", LOG_GUEST_ERRORS, "log when the guest does something no sane driver does"},
	{"in_asm", LOG_IN_ASM, "show guest code as it is first translated"},
	{"int", LOG_INT, "show interrupts and exceptions in short format"},
	{"mmu", LOG_MMU, "log page walks and page faults"},
	{"op", LOG_OP, "show micro-operations of each translated block"},
	{"trace", LOG_TRACE, "log device register accesses"},
	{"unimp", LOG_UNIMP, "log what the guest uses that is not modelled"},
};

void log_printf(unsigned category, const char *fmt, ...)
{
	FILE *f = log_file ? log_file : stderr;
	va_list ap;

	if (!log_enabled(category))
		return;
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
}

static void __attribute__((noreturn)) list_categories(void)
{
	printf("Log items (comma separated):\n");
	for (size_t i = 0; i < ARRAY_SIZE(categories); i++)
		printf("%-15s %s\n", categories[i].name, categories[i].help);
	printf("%-15s %s\n", "all", "everything above");
	exit(0);
}

bool log_item(unsigned i, const char **name, const char **help)
{
	if (i >= ARRAY_SIZE(categories))
		return false;
	*name = categories[i].name;
	*help = categories[i].help;
	return true;
}

static unsigned category_find(const char *name, size_t len)
{
	if (len == 3 && !memcmp(name, "all", 3))
		return ~0u;
	for (size_t i = 0; i < ARRAY_SIZE(categories); i++)
		if (strlen(categories[i].name) == len && !memcmp(categories[i].name, name, len))
			return categories[i].category;
	return 0;
}

bool log_set_mask(const char *spec, struct error *err)
{
	unsigned mask = 0;

	if (!strcmp(spec, "help") || !strcmp(spec, "?"))
		list_categories();
	if (!strcmp(spec, "none")) {
		log_mask = 0;
		return true;
	}
	for (const char *p = spec;; p++) {
		size_t len = strcspn(p, ",");
		unsigned category = category_find(p, len);

		if (!category)
			return error_set(err, "-d %s: unknown log item '%.*s' (-d help lists them)",
					 spec, (int)len, p);
		mask |= category;
		p += len;
		if (!*p)
			break;
	}
	log_mask = mask;
	return true;
}

bool log_set_file(const char *path, struct error *err)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return error_set_errno(err, errno, "-D %s: Could not open '%s'", path, path);
	setvbuf(f, NULL, _IOLBF, 0);
	if (log_file)
		fclose(log_file);
	log_file = f;
	return true;
}
