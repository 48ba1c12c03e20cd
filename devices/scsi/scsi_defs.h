/* SPDX-License-Identifier: BSD-2-Clause */
/* SCSI's numbers and its byte order, for all who speak it. */
#ifndef EVMM_DEVICES_SCSI_DEFS_H
#define EVMM_DEVICES_SCSI_DEFS_H

#include "src/util.h"

/* Status codes (SAM-4 5.3.1) */
#define SCSI_GOOD		  0x00
#define SCSI_CHECK_CONDITION	  0x02
#define SCSI_RESERVATION_CONFLICT 0x18
#define SCSI_TASK_ABORTED	  0x40

/* Sense keys (SPC-4 4.5.6) */
enum scsi_sense_key {
	SCSI_NO_SENSE = 0x0,
	SCSI_NOT_READY = 0x2,
	SCSI_MEDIUM_ERROR = 0x3,
	SCSI_HARDWARE_ERROR = 0x4,
	SCSI_ILLEGAL_REQUEST = 0x5,
	SCSI_UNIT_ATTENTION = 0x6,
	SCSI_DATA_PROTECT = 0x7,
	SCSI_ABORTED_COMMAND = 0xb,
	SCSI_MISCOMPARE = 0xe,
};

/* Additional sense code and its qualifier, as one number (SPC-4 annex F). */
#define ASC_WRITE_ERROR		 0x0c00
#define ASC_UNRECOVERED_READ	 0x1100
#define ASC_PARAMETER_LENGTH	 0x1a00
#define ASC_MISCOMPARE		 0x1d00
#define ASC_INVALID_OPCODE	 0x2000
#define ASC_LBA_OUT_OF_RANGE	 0x2100
#define ASC_INVALID_FIELD	 0x2400
#define ASC_LUN_NOT_SUPPORTED	 0x2500
#define ASC_INVALID_PARAMETER	 0x2600
#define ASC_WRITE_PROTECTED	 0x2700
#define ASC_SPACE_ALLOC_FAILED	 0x2707
#define ASC_MEDIUM_CHANGED	 0x2800
#define ASC_POWER_ON		 0x2900
#define ASC_CAPACITY_CHANGED	 0x2a09
#define ASC_SAVING_NOT_SUPPORTED 0x3900
#define ASC_NO_MEDIUM		 0x3a00
#define ASC_INTERNAL_FAILURE	 0x4400
#define ASC_REMOVAL_PREVENTED	 0x5302
#define ASC_WRONG_TRACK_MODE	 0x6400

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static inline uint64_t be64(const uint8_t *p)
{
	return (uint64_t)be32(p) << 32 | be32(p + 4);
}

static inline void put_be16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void put_be32(uint8_t *p, uint32_t v)
{
	put_be16(p, v >> 16);
	put_be16(p + 2, v & 0xffff);
}

static inline void put_be64(uint8_t *p, uint64_t v)
{
	put_be32(p, (uint32_t)(v >> 32));
	put_be32(p + 4, (uint32_t)v);
}

#endif
