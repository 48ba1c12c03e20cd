/* SPDX-License-Identifier: BSD-2-Clause */
/* virtio-scsi with disks and a CD drive: addresses, commands, sense data, task management, and CDBs that mean harm. */
#include <jansson.h>
#include <unistd.h>
#include "devices/scsi/scsi.h"
#include "devices/scsi/scsi_types.h"
#include "src/drive.h"
#include "tests/device/virtio_kit.h"

#define CONTROL 0
#define EVENT	1
#define REQUEST 2
#define SIZE	64
/* responses */
#define OVERRUN 1
#define ABORTED 2
#define RESET	4
#define HOTPLUG BIT64(1)
#define CHANGE	BIT64(2)

#define HEADER_BYTES   51
#define RESPONSE_BYTES 108
#define AT_HEADER      VK_BUFFERS
#define AT_RESPONSE    (VK_BUFFERS + 0x200)
#define AT_OUT	       (VK_BUFFERS + 0x1000)
#define AT_IN	       (VK_BUFFERS + 0x4000)
#define DISK_BYTES     (4 * MiB)

static struct kit *k;
static struct vk v;
static struct device *disk;
static char disk_path[] = "/tmp/evmm-test-scsi-XXXXXX", cd_path[] = "/tmp/evmm-test-cd-XXXXXX";

/* of the last command */
static uint8_t status, response;
static uint32_t residual, sense_len;
static uint8_t sense[SCSI_SENSE_BYTES];

static void add_drive(const char *id, const char *file, bool cd)
{
	struct error err = ERROR_INIT;

	if (!drive_add(k->m,
		       json_pack("{s:s,s:s,s:s,s:s,s:s}", "if", "none", "id", id, "file", file,
				 "format", "raw", "media", cd ? "cdrom" : "disk"),
		       &err))
		fail_msg("%s", err.msg);
}

/* A sector of 'a', one of 'b'... */
static void make_image(char *name)
{
	int fd;

	strcpy(name + strlen(name) - 6, "XXXXXX");
	fd = mkstemp(name);
	assert_true(fd >= 0 && !ftruncate(fd, DISK_BYTES));
	for (unsigned i = 0; i < 16; i++) {
		uint8_t sector[512];

		memset(sector, 'a' + i, sizeof(sector));
		assert_int_equal(pwrite(fd, sector, 512, i * 512), 512);
	}
	close(fd);
}

static int setup(void **state)
{
	make_image(disk_path);
	make_image(cd_path);
	k = kit_new();
	vk_init(&v, k);
	add_drive("d0", disk_path, false);
	add_drive("d1", "null-co://", false);
	add_drive("c0", cd_path, true);
	kit_add(k, &virtio_scsi_device_type, NULL);
	disk = kit_add(k, &scsi_hd_type, "drive", "d0", "serial", "S1", NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	unlink(disk_path);
	unlink(cd_path);
	return 0;
}

static void until_used(unsigned q)
{
	uint16_t id;
	uint32_t len;

	for (unsigned i = 0; i < 2000; i++) {
		if (vk_used(&v, q, &id, &len))
			return;
		loop_run_once(k->loop, NS_PER_MS);
	}
	fail_msg("queue %u: nothing came back", q);
}

static void put_lun(gpa_t at, unsigned target, unsigned lun)
{
	vk_put(&v, at, 1, 1);
	vk_put(&v, at + 1, target, 1);
	vk_put(&v, at + 2, 0x40 | lun >> 8, 1);
	vk_put(&v, at + 3, lun & 0xff, 1);
	vk_put(&v, at + 4, 0, 4);
}

static void add_command(unsigned target, unsigned lun, uint64_t tag, const uint8_t *cdb, size_t n,
			uint32_t out, uint32_t in)
{
	struct vk_piece pieces[4] = {{AT_HEADER, HEADER_BYTES, false}};
	unsigned count = 1;

	for (unsigned i = 0; i < HEADER_BYTES; i++)
		vk_put(&v, AT_HEADER + i, 0, 1);
	put_lun(AT_HEADER, target, lun);
	vk_put(&v, AT_HEADER + 8, tag, 8);
	for (size_t i = 0; i < n; i++)
		vk_put(&v, AT_HEADER + 19 + i, cdb[i], 1);
	if (out)
		pieces[count++] = (struct vk_piece){AT_OUT, out, false};
	pieces[count++] = (struct vk_piece){AT_RESPONSE, RESPONSE_BYTES, true};
	if (in)
		pieces[count++] = (struct vk_piece){AT_IN, in, true};
	vk_add(&v, REQUEST, pieces, count);
	vk_kick(&v, REQUEST);
}

static void take_response(void)
{
	sense_len = (uint32_t)vk_get(&v, AT_RESPONSE, 4);
	residual = (uint32_t)vk_get(&v, AT_RESPONSE + 4, 4);
	status = (uint8_t)vk_get(&v, AT_RESPONSE + 10, 1);
	response = (uint8_t)vk_get(&v, AT_RESPONSE + 11, 1);
	for (unsigned i = 0; i < sizeof(sense); i++)
		sense[i] = (uint8_t)vk_get(&v, AT_RESPONSE + 12 + i, 1);
}

static void command_at(unsigned target, unsigned lun, const uint8_t *cdb, size_t n, uint32_t out,
		       uint32_t in)
{
	add_command(target, lun, 7, cdb, n, out, in);
	until_used(REQUEST);
	take_response();
}

/* A command to target 0, LUN 0: CDB's bytes behind it. */
#define COMMAND(out, in, ...)                                  \
	do {                                                   \
		const uint8_t cdb_[] = {__VA_ARGS__};          \
		command_at(0, 0, cdb_, sizeof(cdb_), out, in); \
	} while (0)

static void expect_fine(uint32_t left)
{
	assert_int_equal(response, 0);
	assert_int_equal(status, SCSI_GOOD);
	assert_int_equal(residual, left);
}

static void expect_sense(enum scsi_sense_key key, uint16_t asc)
{
	assert_int_equal(response, 0);
	assert_int_equal(status, SCSI_CHECK_CONDITION);
	assert_int_equal(sense_len, SCSI_SENSE_BYTES);
	assert_int_equal(sense[2], key);
	assert_int_equal(be16(sense + 12), asc);
}

static uint64_t in_be(unsigned offset, unsigned bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | vk_get(&v, AT_IN + offset + i, 1);
	return value;
}

static void start(void)
{
	vk_start(&v, HOTPLUG | CHANGE, 3, SIZE);
	COMMAND(0, 0, 0x00); /* TEST UNIT READY: of the reset */
	expect_sense(SCSI_UNIT_ATTENTION, ASC_POWER_ON);
	COMMAND(0, 0, 0x00);
	expect_fine(0);
}

static void the_disk_says_what_it_is(void **state)
{
	start();
	COMMAND(0, 36, 0x12, 0, 0, 0, 36);
	expect_fine(0);
	assert_int_equal(in_be(0, 1), 0);
	assert_int_equal(in_be(8, 4), 0x51454d55); /* QEMU */
	COMMAND(0, 36, 0x12, 0, 0, 0, 5);
	expect_fine(31);
	COMMAND(0, 5, 0x12, 0, 0, 0, 36);
	assert_int_equal(response, OVERRUN);
	COMMAND(0, 36, 0x12, 0, 0, 0, 255);
	expect_fine(0);
	COMMAND(0, 255, 0x12, 1, 0x80, 0, 255);
	expect_fine(255 - 6);
	assert_int_equal(in_be(4, 2), 0x5331);
	COMMAND(0, 64, 0x12, 1, 0xb0, 0, 64);
	assert_int_equal(in_be(3, 1), 60);
	COMMAND(0, 64, 0x12, 1, 0x99, 0, 64);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
	COMMAND(0, 8, 0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	expect_fine(0);
	assert_int_equal(in_be(0, 4), DISK_BYTES / 512 - 1);
	assert_int_equal(in_be(4, 4), 512);
	COMMAND(0, 32, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0);
	assert_int_equal(in_be(0, 8), DISK_BYTES / 512 - 1);
	COMMAND(0, 192, 0x1a, 0, 0x3f, 0, 192);
	assert_int_equal(status, SCSI_GOOD);
	COMMAND(0, 0, 0x77);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_INVALID_OPCODE);
}

static void reads_and_writes(void **state)
{
	start();
	COMMAND(0, 1024, 0x28, 0, 0, 0, 0, 2, 0, 0, 2, 0);
	expect_fine(0);
	assert_int_equal(in_be(0, 1), 'c');
	assert_int_equal(in_be(512, 1), 'd');
	for (unsigned i = 0; i < 1024; i++)
		vk_put(&v, AT_OUT + i, 'X', 1);
	COMMAND(1024, 0, 0x8a, 0x08, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0);
	expect_fine(0);
	COMMAND(0, 0, 0x35, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	expect_fine(0);
	COMMAND(0, 2048, 0xa8, 0, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0);
	expect_fine(0);
	assert_int_equal(in_be(0, 1), 'd');
	assert_int_equal(in_be(512, 1), 'X');
	assert_int_equal(in_be(1535, 1), 'X');
	assert_int_equal(in_be(1536, 1), 'g');
	/* Less memory than blocks, and more. */
	COMMAND(0, 700, 0x28, 0, 0, 0, 0, 2, 0, 0, 2, 0);
	assert_int_equal(response, OVERRUN);
	assert_int_equal(residual, 0);
	assert_int_equal(in_be(511, 1), 'c');
	assert_int_equal(in_be(699, 1), 'd');
	COMMAND(0, 2048, 0x08, 0, 0, 2, 1);
	expect_fine(1536);
	COMMAND(100, 0, 0x2a, 0, 0, 0, 0, 2, 0, 0, 1, 0);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_INVALID_FIELD);
	COMMAND(0, 512, 0x28, 0, 0, 0, 0x20, 0, 0, 0, 1, 0);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	COMMAND(0, 512, 0x88, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	COMMAND(0, 512, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
}

/* An error is told as such, though its command had too little memory too. */
static void an_error_is_no_overrun(void **state)
{
	static const uint8_t ready[] = {0x00}, read[] = {0x28, 0, 0, 0, 0, 0, 0, 0, 2, 0};
	struct error err = ERROR_INIT;

	if (!blockdev_add(k->loop,
			  json_pack("{s:s,s:s,s:{s:s},s:[{s:s,s:i}]}", "driver", "blkdebug",
				    "node-name", "bad", "image", "driver", "null-co",
				    "inject-error", "event", "read_aio", "errno", 5),
			  &err))
		fail_msg("%s", err.msg);
	start();
	kit_add(k, &scsi_hd_type, "drive", "bad", "scsi-id", "5", NULL);
	command_at(5, 0, ready, sizeof(ready), 0, 0);
	command_at(5, 0, read, sizeof(read), 0, 700);
	expect_sense(SCSI_MEDIUM_ERROR, ASC_UNRECOVERED_READ);
}

static void verify_and_same(void **state)
{
	start();
	COMMAND(0, 0, 0x2f, 0, 0, 0, 0, 0, 0, 0, 16, 0);
	expect_fine(0);
	for (unsigned i = 0; i < 512; i++)
		vk_put(&v, AT_OUT + i, 'b', 1);
	COMMAND(512, 0, 0x2f, 2, 0, 0, 0, 1, 0, 0, 1, 0);
	expect_fine(0);
	COMMAND(512, 0, 0x2f, 2, 0, 0, 0, 2, 0, 0, 1, 0);
	expect_sense(SCSI_MISCOMPARE, ASC_MISCOMPARE);
	/* WRITE SAME (16) of a pattern over 4,000 blocks, then of zeroes over some. */
	COMMAND(512, 0, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0x0f, 0xa0, 0, 0);
	expect_fine(0);
	COMMAND(0, 1024, 0x28, 0, 0, 0, 0x0f, 0xa6, 0, 0, 2, 0);
	assert_int_equal(in_be(0, 1), 'b');
	assert_int_equal(in_be(1023, 1), 'b');
	COMMAND(0, 512, 0x28, 0, 0, 0, 0x0f, 0xa8, 0, 0, 1, 0);
	assert_int_equal(in_be(0, 1), 0);
	COMMAND(0, 0, 0x93, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0);
	expect_fine(0);
	COMMAND(0, 1024, 0x28, 0, 0, 0, 0, 8, 0, 0, 2, 0);
	assert_int_equal(in_be(0, 1), 'b');
	assert_int_equal(in_be(512, 1), 0);
}

static void put_unmap(uint16_t data, uint16_t descriptors, uint64_t lba, uint32_t n)
{
	uint8_t list[24] = {0};

	put_be16(list, data);
	put_be16(list + 2, descriptors);
	put_be64(list + 8, lba);
	put_be32(list + 16, n);
	for (unsigned i = 0; i < sizeof(list); i++)
		vk_put(&v, AT_OUT + i, list[i], 1);
}

static void unmap(void **state)
{
	start();
	put_unmap(22, 16, 4, 2);
	COMMAND(24, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
	expect_fine(0);
	put_unmap(22, 16, DISK_BYTES / 512 - 1, 2);
	COMMAND(24, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	put_unmap(22, 16, UINT64_MAX, UINT32_MAX);
	COMMAND(24, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_LBA_OUT_OF_RANGE);
	put_unmap(0xffff, 0xffff, 4, 2); /* more than was given: what is there counts */
	COMMAND(24, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
	expect_fine(0);
	COMMAND(10, 0, 0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_PARAMETER_LENGTH);
}

static void a_format_succeeds(void **state)
{
	start();
	COMMAND(0, 0, 0x04, 0, 0, 0, 0, 0);
	expect_fine(0);
	COMMAND(4, 0, 0x04, 0x10, 0, 0, 0, 0); /* with a list of no defects */
	expect_fine(0);
}

static void mode_select_switches_the_cache(void **state)
{
	start();
	COMMAND(0, 24, 0x1a, 8, 8, 0, 24);
	expect_fine(0);
	assert_int_equal(in_be(6, 1) & 4, 4);
	for (unsigned i = 0; i < 24; i++)
		vk_put(&v, AT_OUT + i, i < 4 ? 0 : in_be(i, 1), 1);
	vk_put(&v, AT_OUT + 6, 0, 1);
	COMMAND(24, 0, 0x15, 0x10, 0, 0, 24);
	expect_fine(0);
	COMMAND(0, 24, 0x1a, 8, 8, 0, 24);
	assert_int_equal(in_be(6, 1) & 4, 0);
	kit_save_load(disk);
	COMMAND(0, 24, 0x1a, 8, 8, 0, 24);
	assert_int_equal(in_be(6, 1) & 4, 0);
	vk_put(&v, AT_OUT + 10, 1, 1);
	COMMAND(24, 0, 0x15, 0x10, 0, 0, 24);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_INVALID_PARAMETER);
	vk_put(&v, AT_OUT + 5, 200, 1);
	COMMAND(24, 0, 0x15, 0x10, 0, 0, 24);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_INVALID_PARAMETER);
	COMMAND(3, 0, 0x55, 0x10, 0, 0, 0, 0, 0, 0, 3, 0);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_PARAMETER_LENGTH);
}

static void who_is_where(void **state)
{
	static const uint8_t report_luns[] = {0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 0, 0};
	static const uint8_t inquiry[] = {0x12, 0, 0, 0, 36};
	static const uint8_t ready[] = {0x00};

	start();
	kit_add(k, &scsi_hd_type, "drive", "d1", "scsi-id", "9", "lun", "300", NULL);
	command_at(9, 5, report_luns, sizeof(report_luns), 0, 64);
	expect_fine(64 - 24);
	assert_int_equal(in_be(0, 4), 16);
	assert_int_equal(in_be(16, 2), 0x412c);
	command_at(9, 0, inquiry, sizeof(inquiry), 0, 36);
	assert_int_equal(in_be(0, 1), 0x7f);
	command_at(9, 0, ready, sizeof(ready), 0, 0);
	expect_sense(SCSI_ILLEGAL_REQUEST, ASC_LUN_NOT_SUPPORTED);
	command_at(3, 0, ready, sizeof(ready), 0, 0);
	assert_int_equal(response, 3); /* BAD_TARGET */
	vk_put(&v, AT_HEADER, 0, 1);
}

static void a_cd(void **state)
{
	static const uint8_t ready[] = {0x00}, read[] = {0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0},
			     toc[] = {0x43, 0, 0, 0, 0, 0, 0, 0, 20, 0},
			     sense_6[] = {0x1a, 0, 0x2a, 0, 64}, eject[] = {0x1b, 0, 0, 0, 2, 0},
			     cd[] = {0xbe, 0, 0, 0, 0, 1, 0, 0, 1, 0xf8, 0, 0},
			     identification[] = {0x12, 1, 0x83, 0, 64, 0};

	start();
	kit_add(k, &scsi_cd_type, "drive", "c0", "scsi-id", "4", NULL);
	command_at(4, 0, ready, sizeof(ready), 0, 0);
	expect_sense(SCSI_UNIT_ATTENTION, ASC_POWER_ON);
	command_at(4, 0, ready, sizeof(ready), 0, 0);
	expect_fine(0);
	command_at(4, 0, read, sizeof(read), 0, 2048);
	expect_fine(0);
	assert_int_equal(in_be(0, 1), 'a');
	assert_int_equal(in_be(1536, 1), 'd');
	command_at(4, 0, toc, sizeof(toc), 0, 20);
	expect_fine(0);
	assert_int_equal(in_be(16, 4), DISK_BYTES / 2048);
	command_at(4, 0, sense_6, sizeof(sense_6), 0, 64);
	assert_int_equal(status, SCSI_GOOD);
	command_at(4, 0, cd, sizeof(cd), 0, 2352);
	expect_fine(0);
	assert_int_equal(in_be(0, 4), 0x00ffffff);
	assert_int_equal(in_be(16, 1), 'e');
	command_at(4, 0, identification, sizeof(identification), 0, 64);
	expect_fine(64 - 8); /* it has no serial number */
	assert_int_equal(in_be(0, 8), 0x0583000402000000);
	command_at(4, 0, eject, sizeof(eject), 0, 0);
	expect_fine(0);
	command_at(4, 0, read, sizeof(read), 0, 2048);
	expect_sense(SCSI_NOT_READY, ASC_NO_MEDIUM | 2);
}

static uint8_t tmf(uint32_t kind, unsigned target, unsigned lun, uint64_t tag)
{
	const struct vk_piece pieces[] = {{AT_OUT, 24, false}, {AT_IN, 1, true}};

	vk_put(&v, AT_OUT, 0, 4);
	vk_put(&v, AT_OUT + 4, kind, 4);
	put_lun(AT_OUT + 8, target, lun);
	vk_put(&v, AT_OUT + 16, tag, 8);
	vk_put(&v, AT_IN, 0xee, 1);
	vk_add(&v, CONTROL, pieces, 2);
	vk_kick(&v, CONTROL);
	until_used(CONTROL);
	return (uint8_t)vk_get(&v, AT_IN, 1);
}

/* What they name has ended when they are answered. */
static void task_management(void **state)
{
	static const uint8_t read[] = {0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0};
	uint16_t id;
	uint32_t len;

	start();
	add_command(0, 0, 0x1234, read, sizeof(read), 0, 4096);
	assert_int_equal(tmf(0, 0, 0, 0x1234), 0);
	assert_true(vk_used(&v, REQUEST, &id, &len));
	assert_int_equal(tmf(6, 0, 0, 0x1234), 0); /* QUERY TASK: it is not there */
	assert_int_equal(tmf(0, 0, 9, 1), 12);	   /* INCORRECT LUN */
	assert_int_equal(tmf(0, 9, 0, 1), 3);
	assert_int_equal(tmf(2, 0, 0, 1), 11); /* CLEAR ACA is refused */
	assert_int_equal(tmf(99, 0, 0, 1), 11);
	assert_int_equal(tmf(5, 0, 0, 0), 0);
	COMMAND(0, 0, 0x00);
	expect_sense(SCSI_UNIT_ATTENTION, ASC_POWER_ON);
	assert_int_equal(tmf(4, 0, 0, 0), 0);
	COMMAND(0, 0, 0x00);
	expect_sense(SCSI_UNIT_ATTENTION, ASC_POWER_ON);
}

/* Twenty seconds of VERIFY are not waited for when they are abandoned. */
static void what_comes_in_pieces_ends_early(void **state)
{
	static const uint8_t verify[] = {0x8f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x1f, 0x40, 0, 0, 0},
			     ready[] = {0x00};
	const struct clock *clock = loop_clock_host(k->loop);
	int64_t start_ns = clock_now_ns(clock);

	start();
	kit_add_slow_disk(k, "slow");
	kit_add(k, &scsi_hd_type, "drive", "slow", "scsi-id", "5", NULL);
	for (unsigned kind = 0; kind < 6; kind += 5) { /* ABORT TASK, LOGICAL UNIT RESET */
		command_at(5, 0, ready, sizeof(ready), 0, 0);
		expect_sense(SCSI_UNIT_ATTENTION, ASC_POWER_ON);
		add_command(5, 0, 0x1234, verify, sizeof(verify), 0, 0);
		assert_int_equal(tmf(kind, 5, 0, 0x1234), 0);
		until_used(REQUEST);
		take_response();
		assert_int_equal(response, kind ? RESET : ABORTED);
		add_command(5, 0, 1, ready, sizeof(ready), 0, 0);
		until_used(REQUEST);
		add_command(5, 0, 0x1234, verify, sizeof(verify), 0, 0);
		vk_set_reg(&v, 0x70, 0);
		while (vk_status(&v))
			loop_run_once(k->loop, NS_PER_MS);
		start();
	}
	assert_true(clock_now_ns(clock) - start_ns < 10 * NS_PER_SEC);
}

static void events(void **state)
{
	const struct vk_piece piece = {AT_IN, 16, true};
	struct device *dev;

	start();
	vk_add(&v, EVENT, &piece, 1);
	vk_kick(&v, EVENT);
	dev = kit_add(k, &scsi_hd_type, "drive", "d1", "scsi-id", "9", NULL);
	until_used(EVENT);
	assert_int_equal(vk_get(&v, AT_IN, 4), 1);
	/* As REPORT LUNS has it: Linux takes these two bytes for the number. */
	assert_int_equal(vk_get(&v, AT_IN + 4, 4), 0x0901);
	assert_int_equal(vk_get(&v, AT_IN + 12, 4), 1);
	/* No room: the next one says that some were missed. */
	device_unrealize(dev);
	vk_add(&v, EVENT, &piece, 1);
	vk_kick(&v, EVENT);
	until_used(EVENT);
	assert_int_equal(vk_get(&v, AT_IN, 4), 0x80000000);
}

/* LUNs of 256 and more are in the flat space. */
static void an_event_of_a_high_lun(void **state)
{
	const struct vk_piece piece = {AT_IN, 16, true};

	start();
	vk_add(&v, EVENT, &piece, 1);
	vk_kick(&v, EVENT);
	kit_add(k, &scsi_hd_type, "drive", "d1", "scsi-id", "9", "lun", "300", NULL);
	until_used(EVENT);
	assert_int_equal(vk_get(&v, AT_IN + 4, 4), 0x2c410901);
}

/* 5.6.6.2: a query or subscription is of 16 bytes; no unit has asynchronous notifications. */
static void asynchronous_notifications_are_none(void **state)
{
	const struct vk_piece pieces[] = {{AT_OUT, 16, false}, {AT_IN, 5, true}};

	start();
	for (unsigned type = 1; type <= 2; type++) {
		vk_put(&v, AT_OUT, type, 4);
		put_lun(AT_OUT + 4, 0, 0);
		vk_put(&v, AT_OUT + 12, 0x7e, 4);
		vk_put(&v, AT_IN, 0xeeeeeeee, 4);
		vk_put(&v, AT_IN + 4, 0xee, 1);
		vk_add(&v, CONTROL, pieces, 2);
		vk_kick(&v, CONTROL);
		until_used(CONTROL);
		assert_int_equal(vk_get(&v, AT_IN, 4), 0);
		assert_int_equal(vk_get(&v, AT_IN + 4, 1), 0);
	}
	assert_false(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET);
}

static void bad_requests(void **state)
{
	const struct vk_piece short_head[] = {{AT_HEADER, 50, false}, {AT_RESPONSE, 108, true}};
	const struct vk_piece short_tail[] = {{AT_HEADER, 51, false}, {AT_RESPONSE, 107, true}};
	const struct vk_piece control[] = {{AT_OUT, 3, false}, {AT_IN, 1, true}};

	start();
	vk_add(&v, REQUEST, short_head, 2);
	vk_kick(&v, REQUEST);
	assert_true(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET);
	start();
	vk_add(&v, REQUEST, short_tail, 2);
	vk_kick(&v, REQUEST);
	assert_true(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET);
	start();
	vk_add(&v, CONTROL, control, 2);
	vk_kick(&v, CONTROL);
	assert_true(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET);
	start();
	/* Sizes that the driver may set, but not at will. */
	vk_set_reg(&v, 0x114, UINT32_MAX);
	vk_set_reg(&v, 0x118, UINT32_MAX);
	assert_int_equal(vk_reg(&v, 0x114), 96);
	assert_int_equal(vk_reg(&v, 0x118), 32);
}

/* Every opcode with every kind of rubbish behind it, to the disk and to the CD. */
static void every_opcode(void **state)
{
	uint64_t seed = 88172645463325252ull;

	start();
	kit_add(k, &scsi_cd_type, "drive", "c0", "scsi-id", "4", NULL);
	for (unsigned round = 0; round < 8; round++)
		for (unsigned op = 0; op < 256; op++) {
			uint8_t cdb[32] = {(uint8_t)op};

			for (unsigned i = 1; i < sizeof(cdb); i++) {
				seed = seed * 6364136223846793005ull + 1442695040888963407ull;
				cdb[i] = round & 1 ? (uint8_t)(seed >> 56) : seed >> 60 == 0;
			}
			command_at(op & 1 ? 4 : 0, 0, cdb, sizeof(cdb), round & 2 ? 512 : 0,
				   round & 4 ? 4096 : 0);
			assert_true(!response || (response == OVERRUN && status == SCSI_GOOD));
		}
	assert_false(vk_status(&v) & VIRTIO_STATUS_NEEDS_RESET);
}

/* A reset while requests are out: the status reads 0 only when they have come back, and they disturb nothing. */
static void reset_with_requests_in_flight(void **state)
{
	static const uint8_t read[] = {0x28, 0, 0, 0, 0, 0, 0, 0, 8, 0};

	for (unsigned i = 0; i < 50; i++) {
		vk_start(&v, 0, 3, SIZE);
		COMMAND(0, 0, 0x00);
		add_command(0, 0, 1, read, sizeof(read), 0, 4096);
		vk_set_reg(&v, 0x70, 0);
		for (unsigned n = 0; n < 2000 && vk_status(&v); n++)
			loop_run_once(k->loop, NS_PER_MS);
		assert_int_equal(vk_status(&v), 0);
	}
	start();
}

static void wrong_properties(void **state)
{
	static const char *const bad[][2] = {{"channel", "1"},
					     {"lun", "16384"},
					     {"scsi-id", "256"},
					     {"scsi-id", "0"},
					     {"bus", "nowhere.0"}};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		free(kit_add_fails(k, &scsi_hd_type, "drive", "d1", bad[i][0], bad[i][1], NULL));
	free(kit_add_fails(k, &scsi_hd_type, NULL));
	kit_add(k, &scsi_hd_type, "drive", "d1", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_disk_says_what_it_is),
		TEST(reads_and_writes),
		TEST(an_error_is_no_overrun),
		TEST(verify_and_same),
		TEST(unmap),
		TEST(a_format_succeeds),
		TEST(mode_select_switches_the_cache),
		TEST(who_is_where),
		TEST(a_cd),
		TEST(task_management),
		TEST(what_comes_in_pieces_ends_early),
		TEST(events),
		TEST(an_event_of_a_high_lun),
		TEST(asynchronous_notifications_are_none),
		TEST(bad_requests),
		TEST(every_opcode),
		TEST(reset_with_requests_in_flight),
		TEST(wrong_properties),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
