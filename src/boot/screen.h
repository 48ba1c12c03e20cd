/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The screen as firmware would leave it, for what is started without: a display adapter that can be set up so puts itself
 * into machine->boot_screen, and Linux is told what it finds (struct screen_info, Documentation/arch/x86/zero-page.rst).
 * "vga=" of the command line chooses a mode, as it does for every boot loader.
 */
#ifndef EVMM_BOOT_SCREEN_H
#define EVMM_BOOT_SCREEN_H

#include "src/memory.h"

struct boot;

struct boot_framebuffer {
	unsigned width, height, bpp; /* asked for */
	gpa_t gpa;
	unsigned pitch, bytes;
};

/* The adapter's. Called after a reset, when its addresses are assigned; after a suspension they are not. */
struct boot_screen {
	/* 80x25 characters at B8000h. */
	void (*text)(void *opaque);
	/* False, and nothing has changed: not within the adapter's memory. Where that is nowhere, FB->gpa is UINT64_MAX. */
	bool (*framebuffer)(void *opaque, struct boot_framebuffer *fb);
	void *opaque;
};

/* What follows NAME ("vga=") where that begins a word of CMDLINE; NULL: nowhere. */
const char *boot_find_word(const char *cmdline, const char *name);
/* Takes note of the mode that CMDLINE asks for. */
void boot_screen_choose(struct boot *b, const char *cmdline);
/* After each reset, when the images are in place. */
void boot_screen_reset(const struct boot *b);
/* After a suspension: the same mode again, and nothing is told. */
void boot_screen_wake(const struct boot *b);

#endif
