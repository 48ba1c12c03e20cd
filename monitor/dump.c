/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The core file:
 *
 *	ELF header | program headers: PT_NOTE, PT_LOAD... | (section header, with more than 65,534 of these) | notes | memory
 *
 * Memory lies in the file as the address space has it, each block of RAM once. With paging a PT_LOAD describes a run of
 * mappings within it by its linear address; else one describes each block.
 */
#include <inttypes.h>
#include <stdlib.h>
#include "monitor/dump.h"
#include "monitor/dump_notes.h"
#include "monitor/paging.h"
#include "monitor/save_file.h"
/* after the loop's libev, whose EV_NONE it takes away */
#include <elf.h>

#define ENTRIES_A_SLICE 4096
#define MAPPINGS_MAX	65536

/* RAM that follows itself in the address space, and where it lies in the file. */
struct block {
	gpa_t gpa;
	uint64_t bytes, offset;
};

struct mapping {
	uint64_t linear, bytes;
	gpa_t gpa;
};

struct dump {
	struct machine *machine;
	struct dump_progress progress;
	void (*done)(void *opaque, struct error *err);
	void *opaque;
	bool paging, filtered, was_running;
	gpa_t begin, length;
	struct machine_inspect inspect;
	struct save_file *file;

	struct block *blocks;
	unsigned n_blocks;
	/* with paging */
	struct loop_work work;
	struct paging_walk *walk;
	struct x86_regs *regs; /* of each processor */
	unsigned vcpu;	       /* whose tables are read */
	struct mapping *mappings;
	unsigned n_mappings, mappings_room;

	uint8_t *notes, *head;
	size_t notes_bytes;
	size_t head_bytes, head_done;
	unsigned block; /* of those that are being written */
	uint64_t block_done;
};

struct dump_progress dump_progress(const struct machine *m)
{
	return m->dump ? m->dump->progress : (struct dump_progress){.status = DUMP_NONE};
}

/* ---- the end ---- */

static void clear(struct dump *d)
{
	machine_inspect_cancel(&d->inspect);
	loop_work_cancel(&d->work);
	save_file_free(d->file);
	free(d->blocks);
	free(d->walk);
	free(d->mappings);
	free(d->regs);
	free(d->notes);
	free(d->head);
	d->file = NULL;
	d->blocks = NULL;
	d->walk = NULL;
	d->mappings = NULL;
	d->regs = NULL;
	d->notes = NULL;
	d->head = NULL;
}

static void dump_free(struct machine *m)
{
	if (!m->dump)
		return;
	clear(m->dump);
	free(m->dump);
	m->dump = NULL;
	m->dump_free = NULL;
}

static void end(struct dump *d, struct error *err)
{
	clear(d);
	d->progress.status = error_is_set(err) ? DUMP_FAILED : DUMP_COMPLETED;
	if (d->was_running)
		machine_resume(d->machine);
	d->done(d->opaque, err);
}

static void fail(struct dump *d, const char *why)
{
	struct error err = ERROR_INIT;

	error_set(&err, "%s", why);
	end(d, &err);
	error_clear(&err);
}

/* ---- what there is ---- */

static void add_block(struct dump *d, gpa_t gpa, uint64_t bytes)
{
	struct block *last = d->n_blocks ? &d->blocks[d->n_blocks - 1] : NULL;

	if (d->filtered) {
		gpa_t first = MAX(gpa, d->begin), past = MIN(gpa + bytes, d->begin + d->length);

		if (first >= past)
			return;
		gpa = first;
		bytes = past - first;
	}
	d->progress.total += bytes;
	if (last && last->gpa + last->bytes == gpa) {
		last->bytes += bytes;
		return;
	}
	d->blocks = xrealloc(d->blocks, (d->n_blocks + 1) * sizeof(*d->blocks));
	d->blocks[d->n_blocks++] = (struct block){.gpa = gpa, .bytes = bytes};
}

static void find_blocks(struct dump *d)
{
	const struct machine_ram *ram = &d->machine->ram;

	add_block(d, 0, ram->below_4g);
	if (ram->above_4g)
		add_block(d, 4 * GiB, ram->above_4g);
}

/* The part of [GPA, GPA + *BYTES) from GPA on that lies in one block; NULL, and *BYTES to be left out. */
static const struct block *block_of(const struct dump *d, gpa_t gpa, uint64_t *bytes)
{
	for (unsigned i = 0; i < d->n_blocks; i++) {
		const struct block *b = &d->blocks[i];

		if (gpa >= b->gpa && gpa - b->gpa < b->bytes) {
			*bytes = MIN(*bytes, b->bytes - (gpa - b->gpa));
			return b;
		}
		if (gpa < b->gpa) {
			*bytes = MIN(*bytes, b->gpa - gpa);
			return NULL;
		}
	}
	return NULL;
}

/* ---- the head ---- */

static unsigned n_loads(const struct dump *d)
{
	return d->paging ? d->n_mappings : d->n_blocks;
}

static Elf64_Phdr load(const struct dump *d, unsigned i)
{
	const struct block *b = d->paging ? NULL : &d->blocks[i];
	struct mapping m = b ? (struct mapping){b->gpa, b->bytes, b->gpa} : d->mappings[i];
	uint64_t bytes = m.bytes;

	if (!b)
		b = block_of(d, m.gpa, &bytes);
	return (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_offset = b->offset + (m.gpa - b->gpa),
		.p_paddr = m.gpa,
		.p_vaddr = d->paging ? m.linear : 0,
		.p_filesz = bytes,
		.p_memsz = bytes,
	};
}

static void make_head(struct dump *d)
{
	size_t notes_bytes = d->notes_bytes, many;
	unsigned n = 1 + n_loads(d);
	bool extended = n >= PN_XNUM;
	size_t phdrs = sizeof(Elf64_Ehdr), shdr = phdrs + n * sizeof(Elf64_Phdr);
	size_t notes_at = shdr + (extended ? sizeof(Elf64_Shdr) : 0);
	uint64_t offset = ALIGN_UP(notes_at + notes_bytes, 4096);
	Elf64_Ehdr h = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			    EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = phdrs,
		.e_ehsize = sizeof(h),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = extended ? PN_XNUM : n,
		.e_shoff = extended ? shdr : 0,
		.e_shentsize = extended ? sizeof(Elf64_Shdr) : 0,
		.e_shnum = extended,
	};
	const Elf64_Shdr section = {.sh_info = n};
	Elf64_Phdr p = {.p_type = PT_NOTE,
			.p_offset = notes_at,
			.p_filesz = notes_bytes,
			.p_memsz = notes_bytes};

	for (unsigned i = 0; i < d->n_blocks; i++) {
		d->blocks[i].offset = offset;
		offset += d->blocks[i].bytes;
	}
	many = d->n_blocks ? d->blocks[0].offset : notes_at + notes_bytes;
	d->head = xzalloc(many);
	d->head_bytes = many;
	memcpy(d->head, &h, sizeof(h));
	memcpy(d->head + phdrs, &p, sizeof(p));
	for (unsigned i = 0; i + 1 < n; i++) {
		p = load(d, i);
		memcpy(d->head + phdrs + (i + 1) * sizeof(p), &p, sizeof(p));
	}
	if (extended)
		memcpy(d->head + shdr, &section, sizeof(section));
	if (notes_bytes)
		memcpy(d->head + notes_at, d->notes, notes_bytes);
}

/* ---- writing ---- */

/* RAM itself, also what ROMs and devices cover. */
static const uint8_t *ram_at(const struct machine_ram *ram, gpa_t gpa)
{
	return ram->host + (gpa < 4 * GiB ? gpa : ram->below_4g + (gpa - 4 * GiB));
}

static size_t fill(struct dump *d, uint8_t *buf)
{
	const struct block *b;
	size_t n;

	if (d->head_done < d->head_bytes) {
		n = MIN(d->head_bytes - d->head_done, (size_t)SAVE_FILE_BYTES);
		memcpy(buf, d->head + d->head_done, n);
		d->head_done += n;
		return n;
	}
	if (d->block == d->n_blocks)
		return 0;
	b = &d->blocks[d->block];
	n = MIN(b->bytes - d->block_done, (uint64_t)SAVE_FILE_BYTES);
	memcpy(buf, ram_at(&d->machine->ram, b->gpa + d->block_done), n);
	d->block_done += n;
	d->progress.completed += n;
	if (d->block_done == b->bytes) {
		d->block++;
		d->block_done = 0;
	}
	return n;
}

static void on_closed(void *opaque, struct error *err)
{
	end(opaque, err);
}

static void go_on(void *opaque, struct error *err)
{
	struct dump *d = opaque;
	size_t n;

	if (error_is_set(err)) {
		end(d, err);
		return;
	}
	n = fill(d, save_file_buffer(d->file));
	save_file_put(d->file, n, n ? go_on : on_closed, d);
}

static void begin_writing(struct dump *d)
{
	struct error err = ERROR_INIT;

	make_head(d);
	go_on(d, &err);
}

/* ---- mappings ---- */

static void add_mapping(struct dump *d, const struct paging_page *page)
{
	uint64_t linear = page->linear, left = page->bytes;
	gpa_t gpa = page->gpa;

	while (left) {
		struct mapping *last = d->n_mappings ? &d->mappings[d->n_mappings - 1] : NULL;
		uint64_t n = left;

		if (block_of(d, gpa, &n)) {
			uint64_t joined = last ? last->bytes + n : 0;

			if (last && last->linear + last->bytes == linear &&
			    last->gpa + last->bytes == gpa && block_of(d, last->gpa, &joined) &&
			    joined == last->bytes + n) {
				last->bytes += n;
			} else if (d->n_mappings <= MAPPINGS_MAX) {
				if (d->n_mappings == d->mappings_room) {
					d->mappings_room = MAX(2 * d->mappings_room, 256u);
					d->mappings = xrealloc(d->mappings,
							       d->mappings_room * sizeof(*last));
				}
				d->mappings[d->n_mappings++] = (struct mapping){linear, n, gpa};
			}
		}
		linear += n;
		gpa += n;
		left -= n;
	}
}

static int by_linear(const void *a, const void *b)
{
	const struct mapping *x = a, *y = b;

	if (x->linear != y->linear)
		return x->linear < y->linear ? -1 : 1;
	return x->gpa < y->gpa ? -1 : x->gpa > y->gpa;
}

/* Processors mostly have the kernel's half in common. */
static void drop_equal_mappings(struct dump *d)
{
	unsigned n = 0;

	if (d->n_mappings)
		qsort(d->mappings, d->n_mappings, sizeof(*d->mappings), by_linear);
	for (unsigned i = 0; i < d->n_mappings; i++)
		if (!n || memcmp(&d->mappings[n - 1], &d->mappings[i], sizeof(*d->mappings)))
			d->mappings[n++] = d->mappings[i];
	d->n_mappings = n;
}

static void next_vcpu(struct dump *d)
{
	drop_equal_mappings(d);
	if (d->n_mappings > MAPPINGS_MAX) {
		fail(d, "the guest has too many mappings; a dump without 'paging' needs none");
	} else if (d->vcpu == d->machine->n_vcpus) {
		begin_writing(d);
	} else {
		paging_walk_init(d->walk, d->machine, &d->regs[d->vcpu++]);
		loop_work_schedule(&d->work);
	}
}

static void find_mappings(void *opaque)
{
	struct dump *d = opaque;
	unsigned budget = ENTRIES_A_SLICE;
	struct paging_page page;

	while (paging_walk_next(d->walk, &page, &budget))
		add_mapping(d, &page);
	if (paging_walk_ended(d->walk))
		next_vcpu(d);
	else
		loop_work_schedule(&d->work);
}

/* ---- the beginning ---- */

static void on_parked(void *opaque)
{
	struct dump *d = opaque;

	struct machine *m = d->machine;

	d->regs = xzalloc(MAX(m->n_vcpus, 1u) * sizeof(*d->regs));
	for (unsigned i = 0; i < m->n_vcpus; i++)
		m->accel->get_regs(m->vcpus[i], &d->regs[i]);
	d->notes = dump_notes(m, d->regs, &d->notes_bytes);
	find_blocks(d);
	if (!d->n_blocks) {
		fail(d, "Invalid parameter 'begin': there is no memory");
		return;
	}
	if (!d->paging) {
		begin_writing(d);
		return;
	}
	d->walk = xzalloc(sizeof(*d->walk));
	next_vcpu(d);
}

bool dump_start(struct machine *m, const struct dump_request *r,
		void (*done)(void *opaque, struct error *err), void *opaque, struct error *err)
{
	struct save_file *file = save_file_new(m->workers, r->path, r->fd);
	struct dump *d;

	if (dump_is_active(m)) {
		save_file_free(file);
		return error_set(err, "There is a dump in process, please wait.");
	}
	dump_free(m);
	d = xzalloc(sizeof(*d));
	d->machine = m;
	d->file = file;
	d->done = done;
	d->opaque = opaque;
	d->paging = r->paging;
	d->filtered = r->filtered;
	d->begin = r->begin;
	d->length = r->length;
	d->progress.status = DUMP_ACTIVE;
	loop_work_init(&d->work, m->loop, "dump", find_mappings, d);
	m->dump = d;
	m->dump_free = dump_free;
	d->was_running = m->state == RUN_RUNNING;
	machine_pause(m);
	machine_inspect(m, &d->inspect, on_parked, d);
	return true;
}
