/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of written pages misses none, whatever the guest is doing, and comes to rest; on every accelerator that is here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "tests/accel/box.h"

#define AT    (8 * MiB)
#define PAGES 2048ull
#define BYTES (PAGES * DIRTY_PAGE)

/*
 * 00 mov $SEED,%rbx; 0a xor %rdi,%rbx;
 * 0d xorshift of %rbx by 13, 7, 17; 2b movzx %bl,%eax; 2e shl $12,%eax; 31 incq 0x800000(%rax,%rdi,8); 39 jmp 0d
 */
static const uint8_t scatter[] = {
	0x48, 0xbb, 0x15, 0x7c, 0x4a, 0x7f, 0xb9, 0x79, 0x37, 0x9e, 0x48, 0x31, 0xfb, 0x48, 0x89,
	0xd8, 0x48, 0xc1, 0xe0, 0x0d, 0x48, 0x31, 0xc3, 0x48, 0x89, 0xd8, 0x48, 0xc1, 0xe8, 0x07,
	0x48, 0x31, 0xc3, 0x48, 0x89, 0xd8, 0x48, 0xc1, 0xe0, 0x11, 0x48, 0x31, 0xc3, 0x0f, 0xb6,
	0xc3, 0xc1, 0xe0, 0x0c, 0x48, 0xff, 0x84, 0xf8, 0x00, 0x00, 0x80, 0x00, 0xeb, 0xd2,
};
/*
 * Two increments of each page, with 40 sines between them, and no jump: what is asked of the vCPU there it hears of after the
 * second. fninit; fld1; nop; xor %ebx,%ebx; LOOP: incq 0x800000(%rbx,%rdi,8);
 */
static const uint8_t sweep_begin[] = {0xdb, 0xe3, 0xd9, 0xe8, 0x90, 0x31, 0xdb, 0x48,
				      0xff, 0x84, 0xfb, 0x00, 0x00, 0x80, 0x00};
static const uint8_t sweep_wait[] = {0xd9, 0xfe}; /* fsin */
/* incq 0x800000(%rbx,%rdi,8); add $0x1000,%ebx; and $0x7ff000,%ebx; jmp LOOP */
static const uint8_t sweep_end[] = {0x48, 0xff, 0x84, 0xfb, 0x00, 0x00, 0x80,
				    0x00, 0x81, 0xc3, 0x00, 0x10, 0x00, 0x00,
				    0x81, 0xe3, 0x00, 0xf0, 0x7f, 0x00, 0xeb};
#define SWEEP_LOOP  7
#define SWEEP_WAITS 40
/* mov 0x803000,%eax; incl 0x805010; jmp . */
static const uint8_t once[] = {0x8b, 0x04, 0x25, 0x00, 0x30, 0x80, 0x00, 0xff,
			       0x04, 0x25, 0x10, 0x50, 0x80, 0x00, 0xeb, 0xfe};

static struct box *b;
static struct region ram, other;
static struct dirty_log *dirty;
static uint8_t *memory, *shadow;
static uint64_t taken[PAGES / 64];

static void start(void **state, unsigned cpus, const uint8_t *code, size_t bytes)
{
	char *why = NULL;

	b = box_new(*state, cpus, code, bytes, &why);
	if (!b) {
		print_message("no %s here: %s\n", (const char *)*state, why);
		free(why);
		skip();
	}
	if (b->m->accel->dirty_logging == DIRTY_UNKNOWN) {
		print_message("%s doesn't note what guests write\n", (const char *)*state);
		box_free(b);
		skip();
	}
	memory = xaligned_zalloc(DIRTY_PAGE, BYTES);
	shadow = xzalloc(BYTES);
	region_init_ram(&ram, "logged", memory, BYTES);
	region_init_ram(&other, "other", b->m->ram.host, DIRTY_PAGE);
	dirty = dirty_log_new(b->m, &ram);
	assert_non_null(dirty);
	region_add(&b->m->mem.root, AT, &ram, 0);
}

static void end(void)
{
	box_free(b);
	free(memory);
	free(shadow);
}

/* The guests write at the beginning of pages; what is read soon after the taking is the sharper a test. */
#define PART 32

/* Brings the copy up to date by what the log says. */
static unsigned copy(void)
{
	unsigned n = 0;

	if (!dirty_log_take(b->m, dirty, taken))
		return 0;
	for (unsigned w = 0; w < PAGES / 64; w++) {
		for (uint64_t left = taken[w]; left; left &= left - 1, n++) {
			size_t at = (w * 64 + (unsigned)__builtin_ctzll(left)) * DIRTY_PAGE;

			memcpy(shadow + at, memory + at, PART);
		}
	}
	return n;
}

static void follow(void)
{
	for (unsigned round = 0; round < 20; round++) {
		machine_resume(b->m);
		for (unsigned i = 0; i < 300; i++) {
			loop_run_once(b->loop, i % 10 ? 0 : NS_PER_MS);
			copy();
			/* Another view: everything that is cached goes. */
			if (i % 70 == 30)
				region_add(&b->m->mem.root, 20 * MiB, &other, 0);
			if (i % 70 == 50)
				region_remove(&other);
		}
		box_pause(b);
		copy();
		for (unsigned i = 0; i < PAGES; i++)
			assert_memory_equal(memory + i * DIRTY_PAGE, shadow + i * DIRTY_PAGE, PART);
		region_remove(&other);
	}
	assert_true(*(uint64_t *)memory && *(uint64_t *)(memory + 8));
}

static void no_write_is_missed(void **state)
{
	start(state, 2, scatter, sizeof(scatter));
	assert_int_equal(copy(), PAGES);
	follow();
	end();
}

static void logs_begin_and_end_while_guests_write(void **state)
{
	start(state, 2, scatter, sizeof(scatter));
	for (unsigned i = 0; i < 10; i++) {
		dirty_log_set_enabled(b->m, dirty, false);
		box_pause(b);
		memset(shadow, 0, BYTES);
		machine_resume(b->m);
		for (unsigned turns = 0; turns < 20; turns++)
			loop_run_once(b->loop, turns % 10 ? 0 : NS_PER_MS);
		dirty_log_set_enabled(b->m, dirty, true);
		assert_int_equal(copy(), PAGES);
		for (unsigned turns = i; turns; turns--) {
			loop_run_once(b->loop, NS_PER_MS);
			copy();
		}
		box_pause(b);
		copy();
		for (unsigned page = 0; page < PAGES; page++)
			assert_memory_equal(memory + page * DIRTY_PAGE, shadow + page * DIRTY_PAGE,
					    PART);
		machine_resume(b->m);
	}
	end();
}

static void no_last_write_is_missed(void **state)
{
	uint8_t code[128], *to = code;

	to = mempcpy(to, sweep_begin, sizeof(sweep_begin));
	for (unsigned i = 0; i < SWEEP_WAITS; i++)
		to = mempcpy(to, sweep_wait, sizeof(sweep_wait));
	to = mempcpy(to, sweep_end, sizeof(sweep_end));
	to++;
	to[-1] = (uint8_t)(code + SWEEP_LOOP - to);
	start(state, 2, code, (size_t)(to - code));
	assert_int_equal(copy(), PAGES);
	follow();
	end();
}

static void what_is_not_written_is_not_told(void **state)
{
	unsigned n = PAGES;

	start(state, 1, once, sizeof(once));
	copy();
	machine_resume(b->m);
	while (!__atomic_load_n(memory + 0x5010, __ATOMIC_RELAXED))
		loop_run_once(b->loop, NS_PER_MS);
	for (unsigned i = 0; i < 1000 && n; i++) {
		loop_run_once(b->loop, NS_PER_MS);
		n = copy();
		/* Only the page that the guest has written, not the one that it has read. */
		if (i > 100)
			assert_true(n <= 1);
	}
	assert_int_equal(n, 0);
	assert_int_equal(shadow[0x5010], 1);
	as_write(&b->m->mem, AT + 0x9ffe, 0x01020304, 4);
	assert_int_equal(copy(), 2);
	assert_true(dirty_log_any(taken, 9, 9) && dirty_log_any(taken, 10, 10));
	assert_true(dma_write(b->m, AT + 0x7000, "x", 1));
	copy();
	assert_true(dirty_log_any(taken, 7, 7));
	end();
}

int main(void)
{
#define ON(fn, accel)                                        \
	{                                                    \
#fn " " accel, fn, NULL, NULL, (void *)accel \
	}
	const struct CMUnitTest tests[] = {
		ON(no_write_is_missed, "soft"),
		ON(no_last_write_is_missed, "soft"),
		ON(what_is_not_written_is_not_told, "soft"),
		ON(logs_begin_and_end_while_guests_write, "soft"),
		ON(no_write_is_missed, "kvm"),
		ON(logs_begin_and_end_while_guests_write, "kvm"),
		ON(no_last_write_is_missed, "kvm"),
		ON(what_is_not_written_is_not_told, "kvm"),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
