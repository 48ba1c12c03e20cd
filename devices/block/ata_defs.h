/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits and codes of ATA8-ACS (T13/1699D revision 6a) and of the SFF ATAPI signature. */
#ifndef EVMM_DEVICES_ATA_DEFS_H
#define EVMM_DEVICES_ATA_DEFS_H

#define ATA_SECTOR	  512u
#define ATA_LBA28_SECTORS 0x10000000ull

/* Command block registers, by their offset from the channel's first port (7.1 of ATA/ATAPI-7 volume 2) */
#define ATA_REG_DATA	 0
#define ATA_REG_FEATURE	 1 /* write */
#define ATA_REG_ERROR	 1 /* read */
#define ATA_REG_COUNT	 2
#define ATA_REG_LBA_LOW	 3
#define ATA_REG_LBA_MID	 4
#define ATA_REG_LBA_HIGH 5
#define ATA_REG_DEVICE	 6
#define ATA_REG_COMMAND	 7 /* write */
#define ATA_REG_STATUS	 7 /* read */
#define ATA_REGS	 8

#define ATA_STATUS_ERR	0x01
#define ATA_STATUS_DRQ	0x08
#define ATA_STATUS_DSC	0x10
#define ATA_STATUS_DF	0x20
#define ATA_STATUS_DRDY 0x40
#define ATA_STATUS_BSY	0x80
#define ATA_STATUS_GOOD (ATA_STATUS_DRDY | ATA_STATUS_DSC)

#define ATA_ERROR_ABRT 0x04
#define ATA_ERROR_IDNF 0x10
#define ATA_ERROR_UNC  0x40
#define ATA_ERROR_ICRC 0x80
#define ATA_DIAG_GOOD  0x01 /* ERROR after reset and EXECUTE DEVICE DIAGNOSTIC */

#define ATA_DEVICE_HEAD 0x0f
#define ATA_DEVICE_DEV	0x10
#define ATA_DEVICE_LBA	0x40
#define ATA_DEVICE_FUA	0x80 /* queued writes */

#define ATA_CONTROL_NIEN 0x02
#define ATA_CONTROL_SRST 0x04
#define ATA_CONTROL_HOB	 0x80

/* COUNT of a PACKET command: the interrupt reason */
#define ATAPI_REASON_CD 0x01 /* command */
#define ATAPI_REASON_IO 0x02 /* to the host */

/* What LBA MID and HIGH say after a reset */
#define ATAPI_SIGNATURE_MID  0x14
#define ATAPI_SIGNATURE_HIGH 0xeb

#define ATA_CMD_NOP		       0x00
#define ATA_CMD_DATA_SET_MANAGEMENT    0x06
#define ATA_CMD_DEVICE_RESET	       0x08
#define ATA_CMD_RECALIBRATE	       0x10 /* ATA-3; 10h to 1Fh */
#define ATA_CMD_READ_SECTORS	       0x20
#define ATA_CMD_READ_SECTORS_NORETRY   0x21 /* ATA-4 */
#define ATA_CMD_READ_SECTORS_EXT       0x24
#define ATA_CMD_READ_DMA_EXT	       0x25
#define ATA_CMD_READ_NATIVE_MAX_EXT    0x27
#define ATA_CMD_READ_MULTIPLE_EXT      0x29
#define ATA_CMD_READ_LOG_EXT	       0x2f
#define ATA_CMD_WRITE_SECTORS	       0x30
#define ATA_CMD_WRITE_SECTORS_NORETRY  0x31
#define ATA_CMD_WRITE_SECTORS_EXT      0x34
#define ATA_CMD_WRITE_DMA_EXT	       0x35
#define ATA_CMD_WRITE_MULTIPLE_EXT     0x39
#define ATA_CMD_WRITE_DMA_FUA_EXT      0x3d
#define ATA_CMD_WRITE_VERIFY	       0x3c
#define ATA_CMD_VERIFY		       0x40
#define ATA_CMD_VERIFY_NORETRY	       0x41
#define ATA_CMD_VERIFY_EXT	       0x42
#define ATA_CMD_READ_FPDMA_QUEUED      0x60
#define ATA_CMD_WRITE_FPDMA_QUEUED     0x61
#define ATA_CMD_SEEK		       0x70
#define ATA_CMD_DIAGNOSTIC	       0x90
#define ATA_CMD_INITIALIZE_PARAMETERS  0x91
#define ATA_CMD_STANDBY_IMMEDIATE_OLD  0x94
#define ATA_CMD_IDLE_IMMEDIATE_OLD     0x95
#define ATA_CMD_STANDBY_OLD	       0x96
#define ATA_CMD_IDLE_OLD	       0x97
#define ATA_CMD_CHECK_POWER_MODE_OLD   0x98
#define ATA_CMD_SLEEP_OLD	       0x99
#define ATA_CMD_PACKET		       0xa0
#define ATA_CMD_IDENTIFY_PACKET	       0xa1
#define ATA_CMD_SMART		       0xb0
#define ATA_CMD_READ_MULTIPLE	       0xc4
#define ATA_CMD_WRITE_MULTIPLE	       0xc5
#define ATA_CMD_SET_MULTIPLE	       0xc6
#define ATA_CMD_READ_DMA	       0xc8
#define ATA_CMD_READ_DMA_NORETRY       0xc9
#define ATA_CMD_WRITE_DMA	       0xca
#define ATA_CMD_WRITE_DMA_NORETRY      0xcb
#define ATA_CMD_WRITE_MULTIPLE_FUA_EXT 0xce
#define ATA_CMD_STANDBY_IMMEDIATE      0xe0
#define ATA_CMD_IDLE_IMMEDIATE	       0xe1
#define ATA_CMD_STANDBY		       0xe2
#define ATA_CMD_IDLE		       0xe3
#define ATA_CMD_CHECK_POWER_MODE       0xe5
#define ATA_CMD_SLEEP		       0xe6
#define ATA_CMD_FLUSH		       0xe7
#define ATA_CMD_FLUSH_EXT	       0xea
#define ATA_CMD_IDENTIFY	       0xec
#define ATA_CMD_SET_FEATURES	       0xef
#define ATA_CMD_READ_NATIVE_MAX	       0xf8

#endif
