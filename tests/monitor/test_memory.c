/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands that look at a guest's memory: page tables, files, cores; and at its buses and interrupts. */
#include <signal.h>
#include <sys/resource.h>
#include "tests/monitor/kit.h"
#include "monitor/paging.h"
/* after the loop's libev, whose EV_NONE it takes away */
#include <elf.h>

#define PML4  0x1000
#define PDPT  0x2000
#define PD    0x3000
#define PT    0x4000
#define KERN  0xffff800000000000ull
#define PAGED (BIT64(31) | 1)

static struct kit *k;
static char path[64];

static int setup_none(void **state)
{
	k = kit_new(KIT_NONE, NULL);
	snprintf(path, sizeof(path), "/tmp/evmm-memory.%d", getpid());
	return 0;
}

static int setup_pc(void **state)
{
	k = kit_new(KIT_PC, NULL);
	snprintf(path, sizeof(path), "/tmp/evmm-memory.%d", getpid());
	return 0;
}

static int teardown(void **state)
{
	chardev_free_all();
	kit_free(k);
	unlink(path);
	return 0;
}

static void poke(gpa_t gpa, uint64_t value)
{
	assert_true(dma_write(k->m, gpa, &value, 8));
}

/* KERN: a page at 5000h, one at 8000h, a gap, and a page for users; KERN + 2 MiB: a large page at 0. */
static void make_tables(void)
{
	k->regs = (struct x86_regs){
		.cr0 = PAGED, .cr4 = 0x20, .efer = 0x500, .cr3 = PML4, .rip = 0x1234};
	poke(PML4 + 256 * 8, PDPT | PTE_P | PTE_RW | PTE_US);
	poke(PDPT, PD | PTE_P | PTE_RW | PTE_US);
	poke(PD, PT | PTE_P | PTE_RW | PTE_US);
	poke(PD + 8, PTE_P | PTE_RW | PTE_PS | PTE_G);
	poke(PT, 0x5000 | PTE_P | PTE_RW | PTE_A | PTE_D);
	poke(PT + 8, 0x8000 | PTE_P | PTE_RW);
	poke(PT + 3 * 8, 0x6000 | PTE_P | PTE_US | PTE_XD);
}

static void page_tables_are_listed(void **state)
{
	make_tables();
	assert_string_equal(kit_hmp(k, "info tlb"),
			    "ffff800000000000: 0000000000005000 ---DA---W\r\n"
			    "ffff800000001000: 0000000000008000 --------W\r\n"
			    "ffff800000003000: 0000000000006000 X------U-\r\n"
			    "ffff800000200000: 0000000000000000 -GP-----W\r\n");
	assert_string_equal(kit_hmp(k, "info mem"),
			    "ffff800000000000-ffff800000002000 0000000000002000 -rw\r\n"
			    "ffff800000003000-ffff800000004000 0000000000001000 ur-\r\n"
			    "ffff800000200000-ffff800000400000 0000000000200000 -rw\r\n");
	assert_string_equal(kit_hmp(k, "gva2gpa 0xffff800000001234"), "gpa: 0x8234\r\n");
	assert_string_equal(kit_hmp(k, "gva2gpa 0xffff800000212345"), "gpa: 0x12345\r\n");
	assert_string_equal(kit_hmp(k, "gva2gpa 0xffff800000002000"), "Unmapped\r\n");
	k->regs.cr0 = 1;
	assert_string_equal(kit_hmp(k, "info tlb"), "PG disabled\r\n");
	assert_string_equal(kit_hmp(k, "gva2gpa 0x1234"), "gpa: 0x1234\r\n");
}

static void tables_of_32_bits_too(void **state)
{
	uint32_t entry;

	/* 4 MiB pages: bits 32 to 39 of the address are in bits 13 to 20. */
	k->regs = (struct x86_regs){.cr0 = PAGED, .cr4 = 0x10, .cr3 = PML4};
	entry = 0x00400000 | 1 << 13 | PTE_PS | PTE_P;
	assert_true(dma_write(k->m, PML4 + 4, &entry, 4));
	assert_string_equal(kit_hmp(k, "info mem"),
			    "0000000000400000-0000000000800000 0000000000400000 -r-\r\n");
	assert_string_equal(kit_hmp(k, "gva2gpa 0x401234"), "gpa: 0x100401234\r\n");
	/* PAE: four entries that need not begin a page, and give no rights. */
	k->regs.cr4 = 0x20;
	k->regs.cr3 = PML4 + 0x20;
	poke(PML4 + 0x20 + 3 * 8, PD | PTE_P);
	poke(PD + 511 * 8, 0x200000 | PTE_P | PTE_RW | PTE_US | PTE_PS);
	assert_string_equal(kit_hmp(k, "info mem"),
			    "00000000ffe00000-0000000100000000 0000000000200000 urw\r\n");
	assert_string_equal(kit_hmp(k, "gva2gpa 0xffe00010"), "gpa: 0x200010\r\n");
}

/* A guest can make tables that lead to themselves on every level: each listing ends all the same. */
static void tables_without_an_end_come_to_one(void **state)
{
	k->regs = (struct x86_regs){.cr0 = PAGED, .cr4 = 0x20, .efer = 0x500, .cr3 = PML4};
	for (unsigned i = 0; i < 512; i++)
		poke(PML4 + i * 8, PML4 | PTE_P | PTE_RW);
	assert_non_null(strstr(kit_hmp(k, "info tlb"), "... and more"));
	assert_non_null(kit_hmp(k, "info mem"));
	assert_non_null(strstr(kit_hmp(k, "dump-guest-memory -p /tmp/nonexistent/x"), "Error"));
}

static unsigned count_lines(const struct session *t)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->len; i++)
		n += t->out[i] == '\n';
	return n;
}

static void a_long_listing_waits_for_its_reader(void **state)
{
	static const char line[] = "info tlb\r";
	struct session *t = kit_terminal(k);
	unsigned lines = 0;

	k->regs = (struct x86_regs){.cr0 = PAGED, .cr4 = 0x20, .efer = 0x500, .cr3 = PML4};
	for (unsigned i = 0; i < 512; i++)
		poke(PML4 + i * 8, PML4 | PTE_P | PTE_RW);
	t->len = 0;
	t->room = 1000;
	kit_send(k, t, line, strlen(line));
	kit_turns(k, 200);
	assert_int_equal(t->len, 1000);
	/* It reads 100 KiB at a time, and none is lost. */
	for (unsigned i = 0; i < 500 && !strstr(t->out, "... and more"); i++) {
		lines += count_lines(t);
		t->len = 0;
		t->room = 100 << 10;
		chardev_writable(&t->chr);
		for (size_t had = 0; had != t->len;) {
			had = t->len;
			for (unsigned turns = 0; turns < 4; turns++)
				loop_run_once(k->loop, 0);
		}
	}
	lines += count_lines(t);
	assert_in_range(lines, 200000, 200400);
	/* One that never reads is left waiting, and costs nothing when it goes. */
	t->room = t->len;
	kit_send(k, t, line, strlen(line));
	kit_turns(k, 100);
	chardev_event(&t->chr, CHR_EVENT_CLOSED);
	kit_turns(k, 10);
}

static void *whole_file(size_t *n)
{
	FILE *f = fopen(path, "r");
	uint8_t *bytes = xmalloc(16 * MiB);

	assert_non_null(f);
	*n = fread(bytes, 1, 16 * MiB, f);
	fclose(f);
	return bytes;
}

static json_t *with_path(const char *command, const char *args)
{
	char *text = xasprintf("{%s, \"filename\": \"%s\"}", args, path);
	json_t *v = kit_qmp(k, command, text);

	free(text);
	return v;
}

static const char *save_error(const char *command, const char *args)
{
	char *text = xasprintf("{%s, \"filename\": \"%s\"}", args, path);
	const char *desc = kit_error(k, command, text, "GenericError");

	free(text);
	return desc;
}

static void memory_is_saved(void **state)
{
	size_t n;
	uint8_t *bytes;
	json_t *v;

	make_tables();
	poke(0x5ff8, 0x1122334455667788);
	poke(0x8000, 0x99);
	v = with_path("pmemsave", "\"val\": 24568, \"size\": 600000"); /* 5ff8h */
	json_decref(v);
	bytes = whole_file(&n);
	assert_int_equal(n, 600000);
	assert_int_equal(ldn_le(bytes, 8), 0x1122334455667788);
	free(bytes);
	k->regs.cr4 = 0x20;
	assert_string_equal(
		kit_hmp(k, "memsave 0xffff800000000ff8 16 /nonexistent/x"),
		"Error: Could not write '/nonexistent/x': No such file or directory\r\n");
	v = with_path("memsave", "\"val\": -140737488351240, \"size\": 16"); /* KERN + ff8h */
	json_decref(v);
	bytes = whole_file(&n);
	assert_int_equal(n, 16);
	assert_int_equal(ldn_le(bytes, 8), 0x1122334455667788);
	assert_int_equal(bytes[8], 0x99);
	free(bytes);
	kit_error(k, "memsave", "{\"val\": 0, \"size\": 1, \"filename\": \"/dev/null\"}",
		  "GenericError");
	kit_error(k, "pmemsave", "{\"val\": 0, \"size\": 0, \"filename\": \"/dev/null\"}",
		  "GenericError");
	kit_error(k, "memsave",
		  "{\"val\": 0, \"size\": 1, \"filename\": \"/dev/null\", \"cpu-index\": 2}",
		  "GenericError");
}

static void a_file_that_cannot_be_finished_is_removed(void **state)
{
	struct rlimit before, small = {100000, 100000};

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small.rlim_max = before.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_non_null(
		strstr(save_error("pmemsave", "\"val\": 0, \"size\": 600000"), "File too large"));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	/* What is no file of ours stays. */
	kit_error(k, "pmemsave", "{\"val\": 0, \"size\": 600000, \"filename\": \"/dev/full\"}",
		  "GenericError");
	assert_int_equal(access("/dev/full", F_OK), 0);
}

static void a_file_that_was_being_written_at_the_end_is_removed(void **state)
{
	char *text = xasprintf("{\"execute\": \"pmemsave\", \"arguments\": {\"val\": 0, \"size\": "
			       "100000000, \"filename\": \"%s\"}}",
			       path);

	kit_send(k, k->s, text, strlen(text));
	free(text);
	for (unsigned i = 0; i < 1000 && access(path, F_OK); i++)
		kit_turns(k, 1);
	assert_int_equal(access(path, F_OK), 0);
	kit_free(k);
	k = kit_new(KIT_NONE, NULL);
	assert_int_equal(access(path, F_OK), -1);
}

/* ---- cores ---- */

static json_t *dump(const char *more)
{
	char *text = xasprintf("{\"protocol\": \"file:%s\", %s}", path, more);
	json_t *v = kit_qmp(k, "dump-guest-memory", text);

	free(text);
	return v;
}

static void a_core_has_registers_and_memory(void **state)
{
	const Elf64_Ehdr *h;
	const Elf64_Phdr *p;
	const Elf64_Nhdr *note;
	uint8_t *bytes;
	json_t *v;
	size_t n;

	make_tables();
	poke(0x5008, 0xfeed);
	json_decref(dump("\"paging\": false"));
	assert_true(json_is_string(kit_get(kit_event(k, "DUMP_COMPLETED"), "data.result.status")));
	assert_non_null(kit_event(k, "STOP"));
	assert_non_null(kit_event(k, "RESUME"));
	v = kit_qmp(k, "query-dump", NULL);
	assert_string_equal(kit_str(v, "status"), "completed");
	assert_int_equal(kit_int(v, "completed"), 2 * MiB);
	json_decref(v);
	bytes = whole_file(&n);
	h = (void *)bytes;
	p = (void *)(bytes + h->e_phoff);
	assert_int_equal(h->e_phnum, 2);
	assert_int_equal(p[0].p_type, PT_NOTE);
	note = (void *)(bytes + p[0].p_offset);
	assert_int_equal(note->n_type, NT_PRSTATUS);
	/* rip is the 17th of the registers, which are 112 bytes in */
	assert_int_equal(ldn_le(bytes + p[0].p_offset + 12 + 8 + 112 + 16 * 8, 8), 0x1234);
	assert_int_equal(p[1].p_filesz, 2 * MiB);
	assert_int_equal(n, p[1].p_offset + 2 * MiB);
	assert_int_equal(ldn_le(bytes + p[1].p_offset + 0x5008, 8), 0xfeed);
	free(bytes);
}

static void a_core_with_paging_has_linear_addresses(void **state)
{
	const Elf64_Phdr *p;
	uint8_t *bytes;
	size_t n;

	make_tables();
	poke(0x8008, 0xbeef);
	json_decref(dump("\"paging\": true"));
	bytes = whole_file(&n);
	p = (void *)(bytes + sizeof(Elf64_Ehdr));
	assert_int_equal(((Elf64_Ehdr *)bytes)->e_phnum, 5);
	assert_int_equal(p[2].p_vaddr, KERN + 0x1000);
	assert_int_equal(p[2].p_paddr, 0x8000);
	assert_int_equal(p[2].p_filesz, 0x1000);
	assert_int_equal(ldn_le(bytes + p[2].p_offset + 8, 8), 0xbeef);
	assert_int_equal(p[4].p_filesz, 2 * MiB);
	free(bytes);
}

static void a_part_of_memory_is_dumped(void **state)
{
	const Elf64_Phdr *p;
	uint8_t *bytes;
	size_t n;

	poke(0x5008, 0xfeed);
	json_decref(dump("\"paging\": false, \"begin\": 20480, \"length\": 4096"));
	bytes = whole_file(&n);
	p = (void *)(bytes + sizeof(Elf64_Ehdr));
	assert_int_equal(p[1].p_paddr, 0x5000);
	assert_int_equal(p[1].p_filesz, 0x1000);
	assert_int_equal(ldn_le(bytes + p[1].p_offset + 8, 8), 0xfeed);
	free(bytes);
}

static void dumps_that_cannot_be_are_refused(void **state)
{
	static const char *const bad[] = {
		"{\"paging\": false, \"protocol\": \"x\"}",
		"{\"paging\": false, \"protocol\": \"fd:none\"}",
		"{\"paging\": false, \"protocol\": \"file:/nonexistent/x\"}",
		"{\"paging\": false, \"protocol\": \"file:/dev/null\", \"begin\": 0}",
		"{\"paging\": false, \"protocol\": \"file:/dev/null\", \"begin\": 0, \"length\": 0}",
		"{\"paging\": true, \"protocol\": \"file:/dev/null\", \"begin\": 0, \"length\": 1}",
		"{\"paging\": false, \"protocol\": \"file:/dev/null\", \"begin\": 99999999999, "
		"\"length\": 1}",
		"{\"paging\": false, \"protocol\": \"file:/dev/null\", \"format\": \"kdump-zlib\"}",
	};
	json_t *v;

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		kit_error(k, "dump-guest-memory", bad[i], "GenericError");
	v = kit_qmp(k, "query-status", NULL);
	assert_true(json_is_true(json_object_get(v, "running")));
	json_decref(v);
	assert_non_null(kit_hmp(k, "dump-guest-memory /nonexistent/x"));
}

/* evmm ends in the middle of it all. */
static void a_dump_may_be_left_unfinished(void **state)
{
	char *text = xasprintf("{\"execute\": \"dump-guest-memory\", \"arguments\": {\"paging\": "
			       "false, \"protocol\": \"file:%s\"}}",
			       path);

	kit_send(k, k->s, text, strlen(text));
	free(text);
}

/* ---- buses and interrupts ---- */

static void pci_functions_are_listed(void **state)
{
	json_t *v = kit_qmp(k, "query-pci", NULL);

	assert_int_equal(kit_int(v, "0.devices.0.id.vendor"), 0x8086);
	assert_string_equal(kit_str(v, "0.devices.0.class_info.desc"), "Host bridge");
	json_decref(v);
	assert_non_null(
		strstr(kit_hmp(k, "info pci"), "    Host bridge: PCI device 8086:1237\r\n"));
}

static void ports_are_read_and_written(void **state)
{
	assert_string_equal(kit_hmp(k, "o /b 0x70 0x0f"), "");
	assert_string_equal(kit_hmp(k, "o /b 0x71 0x5a"), "");
	assert_string_equal(kit_hmp(k, "i /b 0x71"), "portb[0x0071] = 0x5a\r\n");
	assert_string_equal(kit_hmp(k, "i /b 0x70 0x0f"), "portb[0x0071] = 0x5a\r\n");
	assert_non_null(strstr(kit_hmp(k, "i"), "addr"));
}

static void interrupt_controllers_are_shown(void **state)
{
	assert_non_null(strstr(kit_hmp(k, "info pic"), "pic0: irr="));
	assert_non_null(strstr(kit_hmp(k, "info pic"), "ioapic: ver="));
	assert_non_null(strstr(kit_hmp(k, "info irq"), "IRQ statistics for isa-i8259:"));
	assert_string_equal(kit_hmp(k, "info lapic"), "No local APIC\r\n");
}

static void firmware_and_boot_order(void **state)
{
	assert_string_equal(kit_hmp(k, "boot_set dc"), "boot device list now set to dc\r\n");
	assert_non_null(strstr(kit_hmp(k, "boot_set zz"), "Error: "));
	assert_non_null(kit_hmp(k, "info roms"));
	kit_error(k, "query-vm-generation-id", NULL, "GenericError");
}

int main(void)
{
#define NONE(f) cmocka_unit_test_setup_teardown(f, setup_none, teardown)
#define PC(f)	cmocka_unit_test_setup_teardown(f, setup_pc, teardown)
	const struct CMUnitTest tests[] = {
		NONE(page_tables_are_listed),
		NONE(tables_of_32_bits_too),
		NONE(tables_without_an_end_come_to_one),
		NONE(a_long_listing_waits_for_its_reader),
		NONE(memory_is_saved),
		NONE(a_file_that_cannot_be_finished_is_removed),
		NONE(a_file_that_was_being_written_at_the_end_is_removed),
		NONE(a_core_has_registers_and_memory),
		NONE(a_core_with_paging_has_linear_addresses),
		NONE(a_part_of_memory_is_dumped),
		NONE(dumps_that_cannot_be_are_refused),
		NONE(a_dump_may_be_left_unfinished),
		PC(pci_functions_are_listed),
		PC(ports_are_read_and_written),
		PC(interrupt_controllers_are_shown),
		PC(firmware_and_boot_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
