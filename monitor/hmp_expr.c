/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Expressions of the monitor, on 64 bits:
 *
 *	or    = xor { "|" xor }		sum   = product { ("+" | "-") product }
 *	xor   = and { "^" and }		product = unary { ("*" | "/" | "%") unary }
 *	and   = sum { "&" sum }		unary = [ "-" | "+" | "~" ] unary | "(" or ")" | number | $register
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include "monitor/hmp.h"

#define MAX_DEPTH 64

struct parser {
	struct monitor *mon;
	const char *s;
	unsigned depth;
};

static const struct {
	const char *name;
	size_t offset;
	unsigned size;
} registers[] = {
#define GPR(name, n)                                              \
	{                                                         \
		name, offsetof(struct x86_regs, gpr) + 8 * (n), 8 \
	}
#define REG(f)                                                                      \
	{                                                                           \
#f, offsetof(struct x86_regs, f), sizeof(((struct x86_regs *)0)->f) \
	}
#define SEG(f)                                                   \
	{#f, offsetof(struct x86_regs, f.selector), 2},          \
	{                                                        \
#f "_base", offsetof(struct x86_regs, f.base), 8 \
	}
	GPR("rax", 0),
	GPR("rcx", 1),
	GPR("rdx", 2),
	GPR("rbx", 3),
	GPR("rsp", 4),
	GPR("rbp", 5),
	GPR("rsi", 6),
	GPR("rdi", 7),
	GPR("r8", 8),
	GPR("r9", 9),
	GPR("r10", 10),
	GPR("r11", 11),
	GPR("r12", 12),
	GPR("r13", 13),
	GPR("r14", 14),
	GPR("r15", 15),
	{"eax", offsetof(struct x86_regs, gpr[0]), 4},
	{"ecx", offsetof(struct x86_regs, gpr[1]), 4},
	{"edx", offsetof(struct x86_regs, gpr[2]), 4},
	{"ebx", offsetof(struct x86_regs, gpr[3]), 4},
	{"esp", offsetof(struct x86_regs, gpr[4]), 4},
	{"ebp", offsetof(struct x86_regs, gpr[5]), 4},
	{"esi", offsetof(struct x86_regs, gpr[6]), 4},
	{"edi", offsetof(struct x86_regs, gpr[7]), 4},
	REG(rip),
	{"pc", offsetof(struct x86_regs, rip), 8},
	{"eip", offsetof(struct x86_regs, rip), 4},
	REG(rflags),
	{"eflags", offsetof(struct x86_regs, rflags), 4},
	REG(cr0),
	REG(cr2),
	REG(cr3),
	REG(cr4),
	REG(cr8),
	REG(efer),
	REG(gdt_base),
	REG(idt_base),
	SEG(es),
	SEG(cs),
	SEG(ss),
	SEG(ds),
	SEG(fs),
	SEG(gs),
};

static bool fail(struct parser *p, const char *why)
{
	monitor_printf(p->mon, "%s at '%s'\n", why, p->s);
	return false;
}

static char peek(struct parser *p)
{
	while (isspace((unsigned char)*p->s))
		p->s++;
	return *p->s;
}

static bool parse_or(struct parser *p, uint64_t *v);

static bool parse_register(struct parser *p, uint64_t *v)
{
	struct vcpu *cpu = monitor_vcpu(p->mon);
	const char *name = p->s + 1;
	size_t n = 0;
	struct x86_regs regs;

	while (isalnum((unsigned char)name[n]) || name[n] == '_')
		n++;
	for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
		if (strlen(registers[i].name) != n || memcmp(registers[i].name, name, n))
			continue;
		if (!cpu)
			return fail(p, "there is no CPU");
		cpu->machine->accel->get_regs(cpu, &regs);
		*v = ldn_le((const char *)&regs + registers[i].offset, registers[i].size);
		p->s = name + n;
		return true;
	}
	return fail(p, "unknown register");
}

static bool parse_number(struct parser *p, uint64_t *v)
{
	char *end;

	if (!isdigit((unsigned char)*p->s))
		return fail(p, "number expected");
	errno = 0;
	*v = strtoull(p->s, &end, 0);
	if (errno || isalnum((unsigned char)*end))
		return fail(p, "bad number");
	p->s = end;
	return true;
}

static bool parse_unary_inside(struct parser *p, uint64_t *v)
{
	char c = peek(p);

	if (c == '$')
		return parse_register(p, v);
	if (c == '(') {
		p->s++;
		if (!parse_or(p, v))
			return false;
		if (peek(p) != ')')
			return fail(p, "')' expected");
		p->s++;
		return true;
	}
	return parse_number(p, v);
}

static bool parse_unary(struct parser *p, uint64_t *v)
{
	bool ok;
	char c = peek(p);

	if (p->depth >= MAX_DEPTH)
		return fail(p, "nested too deep");
	p->depth++;
	if (c == '-' || c == '+' || c == '~') {
		p->s++;
		ok = parse_unary(p, v);
		*v = c == '-' ? -*v : c == '~' ? ~*v : *v;
	} else {
		ok = parse_unary_inside(p, v);
	}
	p->depth--;
	return ok;
}

static bool parse_product(struct parser *p, uint64_t *v)
{
	if (!parse_unary(p, v))
		return false;
	for (char c; c = peek(p), c == '*' || c == '/' || c == '%';) {
		uint64_t right = 0;

		p->s++;
		if (!parse_unary(p, &right))
			return false;
		if (c != '*' && !right)
			return fail(p, "division by zero");
		*v = c == '*' ? *v * right : c == '/' ? *v / right : *v % right;
	}
	return true;
}

static bool parse_sum(struct parser *p, uint64_t *v)
{
	if (!parse_product(p, v))
		return false;
	for (char c; c = peek(p), c == '+' || c == '-';) {
		uint64_t right = 0;

		p->s++;
		if (!parse_product(p, &right))
			return false;
		*v = c == '+' ? *v + right : *v - right;
	}
	return true;
}

static bool parse_and(struct parser *p, uint64_t *v)
{
	uint64_t right = 0;

	if (!parse_sum(p, v))
		return false;
	while (peek(p) == '&') {
		p->s++;
		if (!parse_sum(p, &right))
			return false;
		*v &= right;
	}
	return true;
}

static bool parse_xor(struct parser *p, uint64_t *v)
{
	uint64_t right = 0;

	if (!parse_and(p, v))
		return false;
	while (peek(p) == '^') {
		p->s++;
		if (!parse_and(p, &right))
			return false;
		*v ^= right;
	}
	return true;
}

static bool parse_or(struct parser *p, uint64_t *v)
{
	uint64_t right = 0;

	if (!parse_xor(p, v))
		return false;
	while (peek(p) == '|') {
		p->s++;
		if (!parse_xor(p, &right))
			return false;
		*v |= right;
	}
	return true;
}

bool hmp_eval(struct monitor *mon, const char **s, uint64_t *value)
{
	struct parser p = {.mon = mon, .s = *s};

	*value = 0;
	if (!parse_or(&p, value))
		return false;
	peek(&p);
	*s = p.s;
	return true;
}
