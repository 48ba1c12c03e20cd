/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest memory into a file: memsave and pmemsave. */
#include <inttypes.h>
#include <stdlib.h>
#include "monitor/commands.h"
#include "monitor/save_file.h"
#include "src/x86_paging.h"

/* 4 KiB in devices and ROM, with nothing in between, take a fraction of a millisecond. */
#define SLOW_PAGES 8

struct save {
	struct command_call *call;
	struct machine *machine;
	struct save_file *file;
	bool is_virtual;
	struct x86_regs regs; /* as they were at the beginning */
	uint64_t addr, left;
	bool closed; /* the file is being */
};

static void save_end(struct save *s, struct error *err)
{
	struct command_call *call = s->call;

	save_file_free(s->file);
	free(s);
	command_complete(call, error_is_set(err) ? command_fail_error(call, err) : command_ok());
}

/* At most a page. What is no RAM is read as the guest would: ROM, and registers. False: that. */
static bool read_physical(struct machine *m, gpa_t gpa, uint8_t *buf, size_t n)
{
	size_t i = 0;

	if (dma_read(m, gpa, buf, n))
		return true;
	while (i < n) {
		unsigned size = n - i >= 8 && (gpa + i) % 8 == 0 ? 8 : 1;

		stn_le(buf + i, size, as_read(&m->mem, gpa + i, size));
		i += size;
	}
	return false;
}

/* Fills the buffer, but not with so much that is slow to read that others would wait. Bytes, 0 with ERR. */
static size_t fill(struct save *s, uint8_t *buf, struct error *err)
{
	size_t want = MIN(s->left, (uint64_t)SAVE_FILE_BYTES), n = 0;
	unsigned slow = 0;

	while (n < want && slow < SLOW_PAGES) {
		size_t part = MIN(want - n, 4096 - (size_t)(s->addr & 4095));
		gpa_t gpa = s->addr;

		if (s->is_virtual && !x86_translate(s->machine, &s->regs, s->addr, &gpa)) {
			error_set(err, "Invalid addr 0x%016" PRIx64 "/size %" PRIu64 " specified",
				  s->addr, s->left);
			return 0;
		}
		slow += !read_physical(s->machine, gpa, buf + n, part);
		s->addr += part;
		s->left -= part;
		n += part;
	}
	return n;
}

static void go_on(void *opaque, struct error *err)
{
	struct save *s = opaque;
	size_t n = error_is_set(err) || s->closed ? 0 : fill(s, save_file_buffer(s->file), err);

	if (error_is_set(err) || s->closed) {
		save_end(s, err);
		return;
	}
	s->closed = !n;
	save_file_put(s->file, n, go_on, s);
}

static struct save *save_new(struct command_call *call, json_t *args)
{
	json_int_t size = arg_int(args, "size", 0);
	struct save *s;

	if (size <= 0) {
		command_fail(call, "Parameter 'size' expects a positive number");
		return NULL;
	}
	s = xzalloc(sizeof(*s));
	s->call = call;
	s->machine = call->machine;
	s->file = save_file_new(call->machine->workers, arg_str(args, "filename"), -1);
	s->addr = (uint64_t)arg_int(args, "val", 0);
	s->left = (uint64_t)size;
	return s;
}

static json_t *memsave(struct command_call *call, json_t *args)
{
	struct machine *m = call->machine;
	json_int_t cpu = arg_int(args, "cpu-index", call->cpu_index);
	struct error err = ERROR_INIT;
	struct save *s;

	if (cpu < 0 || cpu >= m->n_vcpus)
		return command_fail(call, "Parameter 'cpu-index' expects a CPU number");
	s = save_new(call, args);
	if (!s)
		return NULL;
	s->is_virtual = true;
	m->accel->get_regs(m->vcpus[cpu], &s->regs);
	go_on(s, &err);
	return NULL;
}

static json_t *pmemsave(struct command_call *call, json_t *args)
{
	struct error err = ERROR_INIT;
	struct save *s = save_new(call, args);

	if (s)
		go_on(s, &err);
	return NULL;
}

static const struct qmp_command qmp[] = {
	{"memsave", "val:int size:int filename:str ?cpu-index:int", NULL, memsave,
	 COMMAND_PARKED | COMMAND_DEFERRED},
	{"pmemsave", "val:int size:int filename:str", NULL, pmemsave, COMMAND_DEFERRED},
	{.name = NULL},
};

static const struct hmp_command hmp[] = {
	{"memsave", "val:i size:I filename:F", "addr size file",
	 "save to disk virtual memory dump starting at 'addr' of size 'size'", .qmp = "memsave"},
	{"pmemsave", "val:i size:I filename:F", "addr size file",
	 "save to disk physical memory dump starting at 'addr' of size 'size'", .qmp = "pmemsave"},
	{.name = NULL},
};

const struct command_group commands_save = {.qmp = qmp, .hmp = hmp};
