/* SPDX-License-Identifier: BSD-2-Clause */
/* Micro-operations: UOP(NAME, function). See ir.h. */
