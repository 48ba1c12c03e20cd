/* SPDX-License-Identifier: BSD-2-Clause */
/* 8259A pair. */
#include "devices/chipset/chipset.h"
#include "tests/device/kit.h"

#define MASTER_CMD  0x20
#define MASTER_DATA 0x21
#define SLAVE_CMD   0xa0
#define SLAVE_DATA  0xa1

static struct kit *k;
static struct device *pic;

static void log_intr(void *opaque, unsigned n, bool level)
{
	k->log->intr = level;
}

/* As every PC's kernel does it: vectors 20h and 28h, cascade on IR2, nothing masked. */
static void init_pics(uint8_t icw4)
{
	kit_out8(k, MASTER_CMD, 0x11);
	kit_out8(k, MASTER_DATA, 0x20);
	kit_out8(k, MASTER_DATA, 0x04);
	kit_out8(k, MASTER_DATA, icw4);
	kit_out8(k, SLAVE_CMD, 0x11);
	kit_out8(k, SLAVE_DATA, 0x28);
	kit_out8(k, SLAVE_DATA, 0x02);
	kit_out8(k, SLAVE_DATA, 0x01);
	kit_out8(k, MASTER_DATA, 0);
	kit_out8(k, SLAVE_DATA, 0);
}

static int setup(void **state)
{
	k = kit_new();
	pic = kit_add(k, &i8259_type, NULL);
	irq_connect(i8259_intr(pic), log_intr, NULL, 0);
	init_pics(0x01);
	return 0;
}

static int teardown(void **state)
{
	kit_free(k);
	return 0;
}

static void request(unsigned n)
{
	i8259_set_irq(pic, n, true);
	i8259_set_irq(pic, n, false);
}

static uint8_t isr(uint16_t port)
{
	kit_out8(k, port, 0x0b);
	return kit_in8(k, port);
}

static uint8_t irr(uint16_t port)
{
	kit_out8(k, port, 0x0a);
	return kit_in8(k, port);
}

static void a_request_raises_int_and_the_acknowledge_gives_its_vector(void **state)
{
	assert_false(k->log->intr);
	i8259_set_irq(pic, 3, true);
	assert_true(k->log->intr);
	assert_int_equal(irr(MASTER_CMD), 0x08);
	assert_int_equal(i8259_intack(pic), 0x23);
	assert_false(k->log->intr);
	assert_int_equal(irr(MASTER_CMD), 0);
	assert_int_equal(isr(MASTER_CMD), 0x08);
	kit_out8(k, MASTER_CMD, 0x20);
	assert_int_equal(isr(MASTER_CMD), 0);
}

static void an_edge_triggered_input_requests_once_for_each_rising_edge(void **state)
{
	i8259_set_irq(pic, 3, true);
	i8259_intack(pic);
	kit_out8(k, MASTER_CMD, 0x20);
	assert_false(k->log->intr);
	i8259_set_irq(pic, 3, true);
	assert_false(k->log->intr);
	i8259_set_irq(pic, 3, false);
	i8259_set_irq(pic, 3, true);
	assert_true(k->log->intr);
}

static void the_slave_s_request_goes_through_ir2_and_it_gives_the_vector(void **state)
{
	request(12);
	assert_true(k->log->intr);
	assert_int_equal(i8259_intack(pic), 0x2c);
	assert_int_equal(isr(MASTER_CMD), 0x04);
	assert_int_equal(isr(SLAVE_CMD), 0x10);
	kit_out8(k, SLAVE_CMD, 0x20);
	kit_out8(k, MASTER_CMD, 0x20);
	assert_int_equal(isr(MASTER_CMD) | isr(SLAVE_CMD), 0);
}

static void two_requests_of_the_slave_are_both_served(void **state)
{
	request(12);
	request(14);
	assert_int_equal(i8259_intack(pic), 0x2c);
	kit_out8(k, SLAVE_CMD, 0x20);
	kit_out8(k, MASTER_CMD, 0x20);
	assert_true(k->log->intr);
	assert_int_equal(i8259_intack(pic), 0x2e);
}

static void ir0_has_the_highest_priority(void **state)
{
	request(7);
	request(1);
	request(0);
	assert_int_equal(i8259_intack(pic), 0x20);
	assert_false(k->log->intr);
	kit_out8(k, MASTER_CMD, 0x20);
	assert_int_equal(i8259_intack(pic), 0x21);
	kit_out8(k, MASTER_CMD, 0x20);
	assert_int_equal(i8259_intack(pic), 0x27);
}

static void a_higher_request_interrupts_the_service_of_a_lower_one(void **state)
{
	request(5);
	assert_int_equal(i8259_intack(pic), 0x25);
	request(6);
	assert_false(k->log->intr);
	request(4);
	assert_true(k->log->intr);
	assert_int_equal(i8259_intack(pic), 0x24);
	assert_int_equal(isr(MASTER_CMD), 0x30);
	kit_out8(k, MASTER_CMD, 0x20); /* the highest in service */
	assert_int_equal(isr(MASTER_CMD), 0x20);
}

static void imr_holds_back_a_request_that_stays_in_irr(void **state)
{
	kit_out8(k, MASTER_DATA, 0x10);
	assert_int_equal(kit_in8(k, MASTER_DATA), 0x10);
	request(4);
	assert_false(k->log->intr);
	assert_int_equal(irr(MASTER_CMD), 0x10);
	kit_out8(k, MASTER_DATA, 0);
	assert_true(k->log->intr);
}

static void an_acknowledge_without_a_request_gives_ir7_and_sets_no_isr_bit(void **state)
{
	assert_int_equal(i8259_intack(pic), 0x27);
	assert_int_equal(isr(MASTER_CMD), 0);
}

static void a_slave_that_withdraws_its_request_gives_its_ir7(void **state)
{
	kit_out8(k, 0x4d1, 0x10); /* IRQ 12 level-triggered */
	i8259_set_irq(pic, 12, true);
	kit_out8(k, SLAVE_DATA, 0x10);
	assert_false(k->log->intr);
	assert_int_equal(i8259_intack(pic), 0x27);
}

static void a_level_triggered_input_requests_for_as_long_as_it_is_up(void **state)
{
	kit_out8(k, 0x4d0, 0x20);
	assert_int_equal(kit_in8(k, 0x4d0), 0x20);
	i8259_set_irq(pic, 5, true);
	assert_int_equal(i8259_intack(pic), 0x25);
	kit_out8(k, MASTER_CMD, 0x20);
	assert_true(k->log->intr);
	i8259_set_irq(pic, 5, false);
	assert_false(k->log->intr);
}

static void elcr_bits_of_irq_0_1_2_8_and_13_stay_0(void **state)
{
	kit_out16(k, 0x4d0, 0xffff);
	assert_int_equal(kit_in16(k, 0x4d0), 0xdef8);
}

static void a_specific_eoi_ends_the_level_it_names(void **state)
{
	request(5);
	i8259_intack(pic);
	request(4);
	i8259_intack(pic);
	kit_out8(k, MASTER_CMD, 0x65);
	assert_int_equal(isr(MASTER_CMD), 0x10);
}

static void rotate_on_eoi_makes_the_served_level_the_lowest(void **state)
{
	request(3);
	i8259_intack(pic);
	kit_out8(k, MASTER_CMD, 0xa0);
	assert_int_equal(isr(MASTER_CMD), 0);
	request(3);
	request(4);
	assert_int_equal(i8259_intack(pic), 0x24);
}

static void set_priority_names_the_lowest_level(void **state)
{
	kit_out8(k, MASTER_CMD, 0xc5); /* IR5 lowest, IR6 highest */
	request(0);
	request(5);
	request(6);
	assert_int_equal(i8259_intack(pic), 0x26);
}

static void automatic_eoi_leaves_isr_clear(void **state)
{
	init_pics(0x03);
	request(3);
	assert_int_equal(i8259_intack(pic), 0x23);
	assert_int_equal(isr(MASTER_CMD), 0);
}

static void automatic_eoi_rotates_when_told_so(void **state)
{
	init_pics(0x03);
	kit_out8(k, MASTER_CMD, 0x80);
	request(3);
	i8259_intack(pic);
	request(3);
	request(4);
	assert_int_equal(i8259_intack(pic), 0x24);
}

static void special_mask_mode_lets_lower_levels_interrupt_a_masked_one_in_service(void **state)
{
	request(3);
	i8259_intack(pic);
	request(5);
	assert_false(k->log->intr);
	kit_out8(k, MASTER_CMD, 0x68);
	kit_out8(k, MASTER_DATA, 0x08);
	assert_true(k->log->intr);
	kit_out8(k, MASTER_CMD, 0x48);
	assert_false(k->log->intr);
}

static void special_fully_nested_mode_lets_the_slave_interrupt_itself(void **state)
{
	init_pics(0x11);
	request(12);
	i8259_intack(pic);
	request(9);
	assert_true(k->log->intr);
	assert_int_equal(i8259_intack(pic), 0x29);
}

static void poll_answers_as_an_acknowledge(void **state)
{
	request(6);
	kit_out8(k, MASTER_CMD, 0x0c);
	assert_int_equal(kit_in8(k, MASTER_CMD), 0x86);
	assert_int_equal(isr(MASTER_CMD), 0x40);
	kit_out8(k, MASTER_CMD, 0x0c);
	assert_int_equal(kit_in8(k, MASTER_CMD), 0);
}

static void icw1_clears_imr_isr_and_the_edge_latches(void **state)
{
	request(3);
	i8259_intack(pic);
	request(4);
	kit_out8(k, MASTER_DATA, 0xff);
	kit_out8(k, MASTER_CMD, 0x11);
	assert_int_equal(kit_in8(k, MASTER_CMD), 0); /* IRR is what reads after ICW1 */
	assert_int_equal(isr(MASTER_CMD), 0);
	assert_false(k->log->intr);
}

static void single_mode_has_no_icw3(void **state)
{
	kit_out8(k, MASTER_CMD, 0x12);
	kit_out8(k, MASTER_DATA, 0x40);
	kit_out8(k, MASTER_DATA, 0xfb); /* the mask */
	assert_int_equal(kit_in8(k, MASTER_DATA), 0xfb);
}

static void what_is_in_service_survives_save_and_load(void **state)
{
	kit_out8(k, 0x4d1, 0x08);
	request(3);
	i8259_intack(pic);
	request(12);
	i8259_set_irq(pic, 11, true);
	kit_save_load(pic);
	assert_int_equal(isr(MASTER_CMD), 0x08);
	kit_out8(k, MASTER_CMD, 0x20);
	assert_true(k->log->intr);
	assert_int_equal(i8259_intack(pic), 0x2b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_request_raises_int_and_the_acknowledge_gives_its_vector),
		TEST(an_edge_triggered_input_requests_once_for_each_rising_edge),
		TEST(the_slave_s_request_goes_through_ir2_and_it_gives_the_vector),
		TEST(two_requests_of_the_slave_are_both_served),
		TEST(ir0_has_the_highest_priority),
		TEST(a_higher_request_interrupts_the_service_of_a_lower_one),
		TEST(imr_holds_back_a_request_that_stays_in_irr),
		TEST(an_acknowledge_without_a_request_gives_ir7_and_sets_no_isr_bit),
		TEST(a_slave_that_withdraws_its_request_gives_its_ir7),
		TEST(a_level_triggered_input_requests_for_as_long_as_it_is_up),
		TEST(elcr_bits_of_irq_0_1_2_8_and_13_stay_0),
		TEST(a_specific_eoi_ends_the_level_it_names),
		TEST(rotate_on_eoi_makes_the_served_level_the_lowest),
		TEST(set_priority_names_the_lowest_level),
		TEST(automatic_eoi_leaves_isr_clear),
		TEST(automatic_eoi_rotates_when_told_so),
		TEST(special_mask_mode_lets_lower_levels_interrupt_a_masked_one_in_service),
		TEST(special_fully_nested_mode_lets_the_slave_interrupt_itself),
		TEST(poll_answers_as_an_acknowledge),
		TEST(icw1_clears_imr_isr_and_the_edge_latches),
		TEST(single_mode_has_no_icw3),
		TEST(what_is_in_service_survives_save_and_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
