/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks for tests: a machine, images in scratch files whose every word tells where it is, drives, and the PC's primary IDE channel
 * with its bus master as a host uses it.
 */
#ifndef EVMM_TESTS_DISK_KIT_H
#define EVMM_TESTS_DISK_KIT_H

#include "devices/block/floppy.h"
#include "devices/block/ide.h"
#include "devices/pci/pci.h"
#include "tests/device/kit.h"

#define DK_IMAGES 4
#define DK_PRDT	  0x10000 /* bus master descriptors, guest physical */
#define DK_BUFFER 0x20000
#define DK_IRQ	  14

#define IDE_DATA   0x1f0
#define IDE_STATUS 0x1f7
#define IDE_CTRL   0x3f6
#define BM_PORT	   0xc000

struct disk_kit {
	struct kit *k;
	char paths[DK_IMAGES][64];
	unsigned n_images;
};

/* The boards are machine_pc, machine_q35. */
void dk_init(struct disk_kit *d, const struct machine_type *board, uint64_t ram_bytes);
void dk_fini(struct disk_kit *d);
/* BYTES of the pattern in a file; its path. */
const char *dk_image(struct disk_kit *d, uint64_t bytes);
/* What 32-bit word N of 512-byte sector LBA has. */
uint32_t dk_word(uint64_t lba, unsigned n);
/* A drive of -drive called ID on the image at PATH (NULL: empty), and a device of TYPE with it: then names and values, then NULL. */
struct device *dk_add(struct disk_kit *d, const struct device_type *type, const char *id,
		      const char *path, ...);
struct block *dk_block(const char *id);
/* Turns the loop until COND holds; fails after some seconds. */
void dk_until(struct disk_kit *d, bool (*cond)(struct disk_kit *d));
/* As long as the loop has something to do, for a few turns. */
void dk_turn(struct disk_kit *d, unsigned turns);
uint32_t dk_ram(struct disk_kit *d, gpa_t gpa);
void dk_set_ram(struct disk_kit *d, gpa_t gpa, uint32_t value);
/* SECTORS of the image at PATH, from LBA on, into BUF. */
void dk_read_image(const char *path, uint64_t lba, void *buf, size_t bytes);

/* ---- the primary channel ---- */

/* The bus master at BM_PORT, allowed to do DMA. */
void ide_enable_dma(struct disk_kit *d);
void ide_out(struct disk_kit *d, unsigned reg, uint8_t value);
uint8_t ide_in(struct disk_kit *d, unsigned reg);
/* Waits for BSY to clear; the status, by the control port: no interrupt is acknowledged. */
uint8_t ide_wait(struct disk_kit *d);
bool ide_irq(struct disk_kit *d);
/* Task file and command; LBA 28 bits, or 48. */
void ide_command28(struct disk_kit *d, unsigned unit, uint8_t command, uint32_t lba, uint8_t count);
void ide_command48(struct disk_kit *d, unsigned unit, uint8_t command, uint64_t lba,
		   uint16_t count);
void ide_read_block(struct disk_kit *d, void *buf, size_t bytes);
void ide_write_block(struct disk_kit *d, const void *buf, size_t bytes);
/* Descriptor N of the table at DK_PRDT. */
void ide_prd(struct disk_kit *d, unsigned n, uint32_t addr, uint16_t bytes, bool last);
void ide_start_dma(struct disk_kit *d, bool to_host);
void ide_stop_dma(struct disk_kit *d);
uint8_t ide_bm_status(struct disk_kit *d);

#endif
