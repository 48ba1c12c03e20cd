/* SPDX-License-Identifier: BSD-2-Clause */
/* SMBIOS: entry points, structures and their strings, what files may hold. */
#include "src/boot/smbios.h"
#include "tests/device/kit.h"

static struct kit *k;
static struct smbios_config said;
static struct smbios s;

static int setup(void **state)
{
	struct machine_config config = {.ram_bytes = 64 * MiB, .cpus = 3, .cores = 2};

	memset(&said, 0, sizeof(said));
	memset(&s, 0, sizeof(s));
	k = kit_new_with(&machine_pc, &config);
	k->m->config.smbios = &said;
	return 0;
}

static int teardown(void **state)
{
	free(s.tables);
	kit_free(k);
	return 0;
}

static void build(bool direct)
{
	assert_true(smbios_build(k->m, direct, &s, NULL));
}

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t total = 0;

	while (n--)
		total += *p++;
	return total;
}

/* The Nth of that type; NULL: there are not so many. COUNT, of all there are, and the longest. */
static const uint8_t *find(unsigned type, unsigned nth, unsigned *count, size_t *longest)
{
	const uint8_t *p = s.tables, *found = NULL;

	while (p < s.tables + s.n) {
		const uint8_t *start = p;

		if (p[0] == type && nth-- == 0)
			found = p;
		p += p[1];
		while (p[0] || p[1])
			p++;
		p += 2;
		if (count)
			++*count;
		if (longest)
			*longest = MAX(*longest, (size_t)(p - start));
		if (start[0] == 127)
			break;
	}
	assert_ptr_equal(p, s.tables + s.n);
	return found;
}

/* The string whose number stands at OFFSET. */
static const char *text(const uint8_t *p, unsigned offset)
{
	const char *t = (const char *)p + p[1];

	assert_true(offset < p[1]);
	if (!p[offset])
		return "";
	for (unsigned i = 1; i < p[offset]; i++)
		t += strlen(t) + 1;
	assert_true(*t != 0);
	return t;
}

static void the_32_bit_entry_point_counts_and_sums(void **state)
{
	unsigned count = 0;
	size_t longest = 0;

	build(false);
	smbios_link(&s, 0xe0000);
	find(0, 0, &count, &longest);
	assert_int_equal(s.anchor_bytes, 31);
	assert_memory_equal(s.anchor, "_SM_", 4);
	assert_int_equal(sum(s.anchor, 31), 0);
	assert_int_equal(sum(s.anchor + 16, 15), 0);
	assert_int_equal(ldn_le(s.anchor + 8, 2), longest);
	assert_int_equal(ldn_le(s.anchor + 22, 2), s.n);
	assert_int_equal(ldn_le(s.anchor + 24, 4), 0xe0000);
	assert_int_equal(ldn_le(s.anchor + 28, 2), count);
}

static void the_64_bit_entry_point_says_how_long_the_table_is(void **state)
{
	const uint8_t *cpu;

	k->m->config.smbios_64 = true;
	build(false);
	smbios_link(&s, 0xe0000);
	assert_int_equal(s.anchor_bytes, 24);
	assert_memory_equal(s.anchor, "_SM3_", 5);
	assert_int_equal(sum(s.anchor, 24), 0);
	assert_int_equal(ldn_le(s.anchor + 12, 4), s.n);
	assert_int_equal(ldn_le(s.anchor + 16, 8), 0xe0000);
	cpu = find(4, 0, NULL, NULL);
	assert_int_equal(cpu[1], 0x30);
	assert_int_equal(ldn_le(cpu + 0x2a, 2), 2);
}

static void a_machine_says_what_it_is_by_itself(void **state)
{
	const uint8_t *p;

	memcpy(k->m->config.uuid,
	       "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
	build(false);
	assert_null(find(0, 0, NULL, NULL)); /* is firmware's */
	assert_null(find(2, 0, NULL, NULL));
	p = find(1, 0, NULL, NULL);
	assert_int_equal(p[1], 0x1b);
	assert_string_equal(text(p, 4), "QEMU");
	assert_string_equal(text(p, 5), "Standard PC (i440FX + PIIX, 1996)");
	assert_string_equal(text(p, 6), "pc-i440fx-7.2");
	assert_string_equal(text(p, 7), "");
	assert_memory_equal(p + 8,
			    "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 16);
	assert_non_null(find(4, 1, NULL, NULL)); /* 3 CPUs of 2 cores */
	assert_null(find(4, 2, NULL, NULL));
	assert_string_equal(text(find(4, 1, NULL, NULL), 4), "CPU 1");
	assert_int_equal(ldn_le(find(16, 0, NULL, NULL) + 7, 4), 64 * 1024);
	assert_int_equal(ldn_le(find(17, 0, NULL, NULL) + 0xc, 2), 64);
	assert_int_equal(ldn_le(find(19, 0, NULL, NULL) + 8, 4), 64 * 1024 - 1);
	assert_null(find(19, 1, NULL, NULL));
	assert_non_null(find(3, 0, NULL, NULL));
	assert_non_null(find(32, 0, NULL, NULL));
}

static void without_firmware_there_is_a_bios_all_the_same(void **state)
{
	build(true);
	assert_int_equal(s.tables[0], 0);
	assert_string_equal(text(s.tables, 4), "QEMU");
}

static void what_is_given_is_told(void **state)
{
	const uint8_t *p;

	said.given[0] = said.given[2] = true;
	said.bios.vendor = "V";
	said.bios.uefi = said.bios.has_release = true;
	said.bios.major = 3;
	said.bios.minor = 14;
	said.system.serial = "S1";
	said.system.version = ""; /* none */
	said.board.location = "here";
	said.ports[0].external = "USB";
	said.ports[0].connector = 0x12;
	said.n_ports = 1;
	said.oem[0] = "one";
	said.oem[1] = "two";
	said.n_oem = 2;
	said.memory.speed = 3200;
	said.processor.id = 0x1234567890;
	build(false);
	p = find(0, 0, NULL, NULL);
	assert_string_equal(text(p, 4), "V");
	assert_int_equal(p[0x13], 0x1c);
	assert_int_equal(p[0x14], 3);
	assert_int_equal(p[0x15], 14);
	p = find(1, 0, NULL, NULL);
	assert_string_equal(text(p, 7), "S1");
	assert_int_equal(p[6], 0);
	assert_string_equal(text(find(2, 0, NULL, NULL), 10), "here");
	p = find(8, 0, NULL, NULL);
	assert_string_equal(text(p, 6), "USB");
	assert_int_equal(p[7], 0x12);
	p = find(11, 0, NULL, NULL);
	assert_int_equal(p[4], 2);
	assert_string_equal((const char *)p + 5, "one");
	assert_int_equal(ldn_le(find(17, 0, NULL, NULL) + 0x15, 2), 3200);
	assert_int_equal(ldn_le(find(4, 0, NULL, NULL) + 8, 8), 0x1234567890);
}

static void memory_beyond_16_gib_is_in_several_devices(void **state)
{
	struct machine_ram *ram = &k->m->ram, was = *ram;

	ram->bytes = 40 * GiB;
	ram->below_4g = 3 * GiB;
	ram->above_4g = 37 * GiB;
	build(false);
	assert_int_equal(ldn_le(find(17, 0, NULL, NULL) + 0xc, 2), 16384);
	assert_int_equal(ldn_le(find(17, 2, NULL, NULL) + 0xc, 2), 8192);
	assert_null(find(17, 3, NULL, NULL));
	assert_int_equal(ldn_le(find(19, 1, NULL, NULL) + 4, 4), 4 * MiB);
	assert_int_equal(ldn_le(find(16, 0, NULL, NULL) + 0xd, 2), 3);
	*ram = was;
}

static void a_file_takes_its_type_s_place(void **state)
{
	static const uint8_t chassis[] = {3, 5, 0, 3, 1, 'x', 0, 0};

	said.blobs[0].bytes = chassis;
	said.blobs[0].n = sizeof(chassis);
	said.n_blobs = 1;
	said.has_blob[3] = true;
	build(false);
	assert_int_equal(find(3, 0, NULL, NULL)[1], 5);
	assert_null(find(3, 1, NULL, NULL));
}

static void files_are_one_structure_with_its_strings(void **state)
{
	static const struct {
		uint8_t bytes[12];
		size_t n;
		bool ok;
	} cases[] = {
		{{130, 4, 0, 1, 0, 0}, 6, true},
		{{130, 5, 0, 1, 1, 'a', 0, 'b', 0, 0}, 10, true},
		{{130, 4, 0, 1}, 4, false},
		{{130, 4, 0, 1, 0}, 5, false},
		{{130, 3, 0, 0, 0}, 5, false},
		{{130, 200, 0, 0, 0}, 5, false},
		{{130, 4, 0}, 3, false},
		{{130, 5, 0, 1, 1, 'a', 'b', 0}, 8, false},
		{{130, 4, 0, 1, 0, 0, 1}, 7, false},
		{{127, 4, 0, 1, 0, 0}, 6, false},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = ERROR_INIT;

		assert_int_equal(smbios_check_blob(cases[i].bytes, cases[i].n, &err), cases[i].ok);
		error_clear(&err);
	}
	assert_false(smbios_check_blob(NULL, 0, NULL));
}

static void what_16_bits_cannot_count_is_refused(void **state)
{
	static char longest[70000];
	struct error err = ERROR_INIT;

	memset(longest, 'a', sizeof(longest) - 1);
	said.system.serial = longest;
	assert_false(smbios_build(k->m, false, &s, &err));
	assert_non_null(strstr(err.msg, "smbios-entry-point-type=64"));
	error_clear(&err);
	free(s.tables);
	k->m->config.smbios_64 = true;
	build(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_32_bit_entry_point_counts_and_sums),
		TEST(the_64_bit_entry_point_says_how_long_the_table_is),
		TEST(a_machine_says_what_it_is_by_itself),
		TEST(without_firmware_there_is_a_bios_all_the_same),
		TEST(what_is_given_is_told),
		TEST(memory_beyond_16_gib_is_in_several_devices),
		TEST(a_file_takes_its_type_s_place),
		TEST(files_are_one_structure_with_its_strings),
		TEST(what_16_bits_cannot_count_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
