/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is put in order before a signal ends the process that nobody meant to happen: the terminal.
 *
 * The handler runs on a stack of its own, so that it runs as well when a thread has overflowed its stack. Each thread has to
 * bring one; a thread that has none dies as if nobody had looked.
 */
#ifndef EVMM_CRASH_H
#define EVMM_CRASH_H

/* From now on TIDY, which must be async-signal-safe, is called by the thread that crashes, then the process dies of the signal. */
void crash_catch(void (*tidy)(void));
/* A pipe that closes, and a file that may not grow (RLIMIT_FSIZE), are errors of that write, not the end of the guest. */
void crash_ignore_writes(void);
/* The calling thread's stack for it; crash_catch() brings that of its own thread. */
void crash_thread_init(void);

#endif
