/* SPDX-License-Identifier: BSD-2-Clause */
/* `x`, `xp`, `print`, `i` and `o`: guest memory, ports and values in the formats that debuggers have. */
#include <Zydis/Zydis.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include "monitor/commands.h"
#include "src/x86_paging.h"

#define MAX_COUNT 65536

struct format {
	unsigned count;
	char kind; /* x o u d c i */
	unsigned size;
};

/* "/20xg" in ARGS; what is missing keeps its default. */
static bool parse_format(struct monitor *mon, json_t *args, struct format *f)
{
	const char *p = json_string_value(json_object_get(args, "fmt"));

	if (!p)
		return true;
	p++;
	if (isdigit((unsigned char)*p))
		for (f->count = 0; isdigit((unsigned char)*p); p++)
			f->count = MIN(f->count * 10 + (*p - '0'), MAX_COUNT);
	for (; *p; p++) {
		if (strchr("bhwg", *p)) {
			f->size = *p == 'b' ? 1 : *p == 'h' ? 2 : *p == 'w' ? 4 : 8;
		} else if (strchr("xoudci", *p)) {
			f->kind = *p;
		} else {
			monitor_printf(mon, "invalid char in format: '%c'\n", *p);
			return false;
		}
	}
	return true;
}

static void print_value(struct monitor *mon, const struct format *f, uint64_t v)
{
	unsigned bits = 8 * f->size;
	int64_t s = (int64_t)(v << (64 - bits)) >> (64 - bits);

	switch (f->kind) {
	case 'x':
		monitor_printf(mon, "0x%0*" PRIx64, (int)(2 * f->size), v);
		break;
	case 'o':
		monitor_printf(mon, "%#*" PRIo64, (int)((bits + 2) / 3 + 1), v);
		break;
	case 'u':
		monitor_printf(mon, "%*" PRIu64,
			       f->size == 8   ? 20
			       : f->size == 4 ? 10
			       : f->size == 2 ? 5
					      : 3,
			       v);
		break;
	case 'd':
		monitor_printf(mon, "%*" PRId64,
			       f->size == 8   ? 20
			       : f->size == 4 ? 11
			       : f->size == 2 ? 6
					      : 4,
			       s);
		break;
	case 'c':
		monitor_printf(mon, v >= 32 && v < 127 ? "'%c'" : "'\\x%02x'",
			       (unsigned)(v & 0xff));
		break;
	}
}

/* ---- dumps ---- */

struct source {
	struct machine *m;
	const struct x86_regs *regs; /* NULL: physical */
};

/* Device registers too: reading them may have the effects that reading has. */
static bool read_bytes(const struct source *src, uint64_t addr, uint8_t *buf, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		gpa_t gpa = addr + i;

		if (src->regs && !x86_translate(src->m, src->regs, addr + i, &gpa))
			return false;
		buf[i] = (uint8_t)as_read(&src->m->mem, gpa, 1);
	}
	return true;
}

/* In one access where it is one. */
static bool read_value(const struct source *src, uint64_t addr, unsigned size, uint64_t *v)
{
	uint8_t buf[8];
	gpa_t gpa = addr;

	if (addr % size == 0) {
		if (src->regs && !x86_translate(src->m, src->regs, addr, &gpa))
			return false;
		*v = as_read(&src->m->mem, gpa, size);
		return true;
	}
	if (!read_bytes(src, addr, buf, size))
		return false;
	*v = ldn_le(buf, size);
	return true;
}

static void dump_instructions(struct monitor *mon, const struct source *src, const struct format *f,
			      uint64_t addr)
{
	const struct x86_regs *r = src->regs;
	ZydisMachineMode mode = ZYDIS_MACHINE_MODE_REAL_16;
	ZydisDisassembledInstruction insn;

	if (!r || r->cs.l)
		mode = ZYDIS_MACHINE_MODE_LONG_64;
	else if (r->cs.db)
		mode = ZYDIS_MACHINE_MODE_LEGACY_32;
	for (unsigned i = 0; i < f->count; i++) {
		uint8_t buf[15];
		unsigned n = 0;

		while (n < sizeof(buf) && read_bytes(src, addr + n, buf + n, 1))
			n++;
		if (ZYAN_FAILED(ZydisDisassembleIntel(mode, addr, buf, n, &insn))) {
			monitor_printf(mon,
				       n ? "0x%08" PRIx64 ":  (bad)\n"
					 : "0x%08" PRIx64 ":  Cannot access memory\n",
				       addr);
			return;
		}
		monitor_printf(mon, "0x%08" PRIx64 ":  ", addr);
		for (unsigned b = 0; b < MAX(insn.info.length, 8u); b++)
			monitor_printf(mon, b < insn.info.length ? "%02x " : "   ",
				       b < n ? buf[b] : 0);
		monitor_printf(mon, " %s\n", insn.text);
		addr += insn.info.length;
	}
}

static void dump_values(struct monitor *mon, const struct source *src, const struct format *f,
			uint64_t addr)
{
	unsigned per_line = f->kind == 'c' ? 8 : 16 / f->size;

	for (unsigned i = 0; i < f->count; i++, addr += f->size) {
		uint64_t v;

		if (i % per_line == 0)
			monitor_printf(mon, "%016" PRIx64 ":", addr);
		if (!read_value(src, addr, f->size, &v)) {
			monitor_printf(mon, " Cannot access memory\n");
			return;
		}
		monitor_printf(mon, " ");
		print_value(mon, f, v);
		if (i % per_line == per_line - 1 || i == f->count - 1)
			monitor_printf(mon, "\n");
	}
}

static void dump(struct monitor *mon, json_t *args, const struct x86_regs *regs)
{
	struct source src = {.m = monitor_machine(mon), .regs = regs};
	struct format f = {.count = 1, .kind = 'x', .size = 4};
	uint64_t addr = (uint64_t)json_integer_value(json_object_get(args, "addr"));

	if (!parse_format(mon, args, &f))
		return;
	if (f.kind == 'c')
		f.size = 1;
	if (f.kind == 'i')
		dump_instructions(mon, &src, &f, addr);
	else
		dump_values(mon, &src, &f, addr);
}

static void hmp_xp(struct monitor *mon, json_t *args)
{
	dump(mon, args, NULL);
}

static void hmp_x(struct monitor *mon, json_t *args)
{
	struct vcpu *v = monitor_vcpu(mon);
	struct x86_regs regs;

	if (!v) {
		monitor_printf(mon, "there is no CPU; xp reads physical memory\n");
		return;
	}
	v->machine->accel->get_regs(v, &regs);
	dump(mon, args, &regs);
}

static void hmp_print(struct monitor *mon, json_t *args)
{
	struct format f = {.count = 1, .kind = 'x', .size = 8};
	uint64_t value = (uint64_t)json_integer_value(json_object_get(args, "val"));

	if (!parse_format(mon, args, &f))
		return;
	if (f.kind == 'x')
		monitor_printf(mon, "%#" PRIx64, value);
	else if (f.kind == 'i')
		monitor_printf(mon, "%" PRId64, value);
	else
		print_value(mon, &f, value);
	monitor_printf(mon, "\n");
}

/* ---- ports ---- */

static unsigned port_size(const struct format *f)
{
	return MIN(f->size, 4u);
}

static void hmp_i(struct monitor *mon, json_t *args)
{
	struct format f = {.count = 1, .kind = 'x', .size = 1};
	uint64_t port = (uint64_t)arg_int(args, "addr", 0) & 0xffff;
	json_t *index = json_object_get(args, "index");
	struct machine *m = monitor_machine(mon);
	unsigned size;

	if (!parse_format(mon, args, &f))
		return;
	size = port_size(&f);
	if (index) {
		as_write(&m->io, port, (uint64_t)json_integer_value(index) & 0xff, 1);
		port = (port + 1) & 0xffff;
	}
	monitor_printf(mon, "port%c[0x%04x] = 0x%0*" PRIx64 "\n",
		       size == 1   ? 'b'
		       : size == 2 ? 'w'
				   : 'l',
		       (unsigned)port, (int)(2 * size), as_read(&m->io, port, size));
}

static void hmp_o(struct monitor *mon, json_t *args)
{
	struct format f = {.count = 1, .kind = 'x', .size = 1};
	uint64_t port = (uint64_t)arg_int(args, "addr", 0) & 0xffff;
	uint64_t value = (uint64_t)arg_int(args, "val", 0);

	if (parse_format(mon, args, &f))
		as_write(&monitor_machine(mon)->io, port,
			 value & (0xffffffffull >> (32 - 8 * port_size(&f))), port_size(&f));
}

static const struct hmp_command hmp[] = {
	{"i", "fmt:/? addr:i index:i?", "/fmt addr [index]", "I/O port read", .fn = hmp_i},
	{"o", "fmt:/? addr:i val:i", "/fmt addr value", "I/O port write", .fn = hmp_o},
	{"print|p", "fmt:/? val:i", "/fmt expr",
	 "print expression value (use $reg for CPU register access)", .fn = hmp_print},
	{"x", "fmt:/? addr:i", "/fmt addr", "virtual memory dump starting at 'addr'", .fn = hmp_x,
	 .parked = true},
	{"xp", "fmt:/? addr:i", "/fmt addr", "physical memory dump starting at 'addr'",
	 .fn = hmp_xp, .parked = true},
	{.name = NULL},
};

const struct command_group commands_memory = {.hmp = hmp};
