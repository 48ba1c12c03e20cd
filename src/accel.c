/* SPDX-License-Identifier: BSD-2-Clause */
/* Which accelerator runs the guest. */
#include <stdio.h>
#include <stdlib.h>
#include "src/accel.h"
#include "src/machine.h"
#include "src/options/options.h"

static const struct accel_ops *const accelerators[] = {&accel_kvm, &accel_soft, &accel_qtest};

/* ---- choosing ---- */

static bool matches(const char *name, const char *word, size_t len)
{
	return name && strlen(name) == len && !memcmp(name, word, len);
}

static const struct accel_ops *find(const char *word, size_t len, struct error *err)
{
	static const char *const names[] = {"kvm", "soft", "tcg", "qtest", NULL};
	const char *nearest;
	char *copy;

	for (size_t i = 0; i < ARRAY_SIZE(accelerators); i++)
		if (matches(accelerators[i]->name, word, len) ||
		    matches(accelerators[i]->alias, word, len))
			return accelerators[i];
	copy = xasprintf("%.*s", (int)len, word);
	nearest = nearest_word(copy, names);
	if (nearest)
		error_set(err, "invalid accelerator '%s'; did you mean '%s'?", copy, nearest);
	else
		error_set(err, "invalid accelerator '%s' (-accel help lists them)", copy);
	free(copy);
	return NULL;
}

static const struct accel_ops *select_default(void)
{
	char *why = kvm_why_not();

	if (!why)
		return &accel_kvm;
	report_info("running on the software CPU: %s", why);
	free(why);
	return &accel_soft;
}

/* Where there is something else to take instead, a KVM that runs no ordinary guest is none. */
static bool is_lame(const struct accel_ops *accel, struct error *why)
{
	char *text = accel == &accel_kvm ? kvm_why_not() : NULL;

	if (!text)
		return false;
	error_set(why, "%s", text);
	free(text);
	return true;
}

const struct accel_ops *accel_select(const char *name, struct error *err)
{
	if (!name)
		return select_default();
	for (;;) {
		size_t len = strcspn(name, ":");
		struct error why = ERROR_INIT;
		const struct accel_ops *accel = find(name, len, &why);

		if (accel && name[len] && is_lame(accel, &why))
			accel = NULL;
		if (accel)
			return accel;
		if (!name[len]) {
			error_set(err, "%s", why.msg);
			error_clear(&why);
			return NULL;
		}
		report_warning("-accel %.*s: %s", (int)len, name, why.msg);
		error_clear(&why);
		name += len + 1;
	}
}

bool accel_exists(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(accelerators); i++)
		if (!strcmp(accelerators[i]->name, name) ||
		    (accelerators[i]->alias && !strcmp(accelerators[i]->alias, name)))
			return true;
	return false;
}

void accel_list(void)
{
	printf("Accelerators supported by this build:\n");
	for (size_t i = 0; i < ARRAY_SIZE(accelerators); i++) {
		printf("%-12s %s", accelerators[i]->name, accelerators[i]->desc);
		if (accelerators[i]->alias)
			printf(" (also: %s)", accelerators[i]->alias);
		printf("\n");
	}
}

/* ---- registers as text ---- */

static void format_segment(FILE *f, const char *name, const struct x86_segment *s)
{
	fprintf(f, "%-3s=%04x %016llx %08x type=%x s=%d dpl=%u p=%d avl=%d l=%d db=%d g=%d\n", name,
		s->selector, (unsigned long long)s->base, s->limit, s->type, s->s, s->dpl,
		s->present, s->avl, s->l, s->db, s->g);
}

char *x86_regs_format(const struct x86_regs *r)
{
	static const char *const names[16] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP",
					      "RSI", "RDI", "R8 ", "R9 ", "R10", "R11",
					      "R12", "R13", "R14", "R15"};
	char *text = NULL;
	size_t bytes = 0;
	FILE *f = open_memstream(&text, &bytes);

	if (!f)
		abort();
	for (unsigned i = 0; i < 16; i++)
		fprintf(f, "%s=%016llx%c", names[i], (unsigned long long)r->gpr[i],
			i % 4 == 3 ? '\n' : ' ');
	fprintf(f, "RIP=%016llx RFL=%08llx\n", (unsigned long long)r->rip,
		(unsigned long long)r->rflags);
	format_segment(f, "ES", &r->es);
	format_segment(f, "CS", &r->cs);
	format_segment(f, "SS", &r->ss);
	format_segment(f, "DS", &r->ds);
	format_segment(f, "FS", &r->fs);
	format_segment(f, "GS", &r->gs);
	format_segment(f, "LDT", &r->ldt);
	format_segment(f, "TR", &r->tr);
	fprintf(f, "GDT=     %016llx %08x\nIDT=     %016llx %08x\n",
		(unsigned long long)r->gdt_base, r->gdt_limit, (unsigned long long)r->idt_base,
		r->idt_limit);
	fprintf(f, "CR0=%08llx CR2=%016llx CR3=%016llx CR4=%08llx CR8=%llx EFER=%016llx\n",
		(unsigned long long)r->cr0, (unsigned long long)r->cr2, (unsigned long long)r->cr3,
		(unsigned long long)r->cr4, (unsigned long long)r->cr8,
		(unsigned long long)r->efer);
	fprintf(f, "DR0=%016llx DR1=%016llx DR2=%016llx DR3=%016llx DR6=%08llx DR7=%08llx\n",
		(unsigned long long)r->dr[0], (unsigned long long)r->dr[1],
		(unsigned long long)r->dr[2], (unsigned long long)r->dr[3],
		(unsigned long long)r->dr[6], (unsigned long long)r->dr[7]);
	fclose(f);
	return text;
}
