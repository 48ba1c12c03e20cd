/* SPDX-License-Identifier: BSD-2-Clause */
/* Cutting a stream into JSON texts: in pieces of one byte always, for the stream knows no others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>
#include "monitor/json_stream.h"

static char got[4096]; /* texts, each with a '|' behind it; "!" for an error */
static char last_error[256];
static unsigned texts, errors;

static void on_message(void *opaque, const char *text, size_t len, const char *error)
{
	size_t n = strlen(got);

	if (error) {
		errors++;
		snprintf(last_error, sizeof(last_error), "%s", error);
		snprintf(got + n, sizeof(got) - n, "!");
	} else {
		texts++;
		if (len < 1000)
			snprintf(got + n, sizeof(got) - n, "%.*s|", (int)len, text);
	}
}

static struct json_stream stream = {.message = on_message};

static void feed_n(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		json_stream_byte(&stream, (uint8_t)text[i]);
}

static const char *feed(const char *text)
{
	got[0] = 0;
	texts = errors = 0;
	feed_n(text, strlen(text));
	return got;
}

static int setup(void **state)
{
	json_stream_reset(&stream);
	return 0;
}

static void texts_end_where_their_brackets_do(void **state)
{
	assert_string_equal(feed("{\"a\": [1, {}]} []\n{}"), "{\"a\":[1,{}]}|[]|{}|");
	assert_string_equal(feed("{\"a\": \"}]{[\\\"\\\\\"}"), "{\"a\":\"}]{[\\\"\\\\\"}|");
	assert_string_equal(feed("null true -1.5e+3 \"x\" "), "null|true|-1.5e+3|\"x\"|");
	assert_string_equal(feed("[1 2]"), "[1 2]|");
}

static void single_quotes_are_quotes(void **state)
{
	assert_string_equal(feed("{'a': 'it\\'s \"so\"'}"), "{\"a\":\"it's \\\"so\\\"\"}|");
}

static void large_integers_keep_their_bits(void **state)
{
	char error[64];
	json_t *v;

	assert_string_equal(feed("[18446744073709551615, 9223372036854775808]"),
			    "[-1,-9223372036854775808]|");
	assert_string_equal(feed("[9223372036854775807, 123]"), "[9223372036854775807,123]|");
	v = json_stream_parse("[18446744073709551616]", 22, error, sizeof(error));
	assert_null(v);
}

static void after_an_error_the_next_text_is_understood(void **state)
{
	static const char *const bad[] = {
		"{]\n",
		"{\xff",
		"{\x01",
		"{'bad \xff",
		"{'execute': 'nonexistent', 'id':'\n",
		"%%p",
		"}",
		"{\"a\": \"\\\x01",
		"\xc0",
		"@",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		json_stream_reset(&stream);
		feed(bad[i]);
		/* What is only wrong as to its grammar is left to the parser. */
		assert_int_equal(texts + errors, 1);
		assert_string_equal(feed("{'x':1}"), "{\"x\":1}|");
	}
}

static void what_is_wrong_in_its_grammar_does_not_parse(void **state)
{
	static const char *const bad[] = {
		"{",   "{]", "}",	"{\"a\"}",     "[1,]", "[1 2]", "{\"a\":1,\"a\":2}",
		"nul", "01", "\"\\x\"", "\"\\ud800\"", "{,}",  "+1",	"[\"\\u0000\"]"};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		char error[128] = "";

		assert_null(json_stream_parse(bad[i], strlen(bad[i]), error, sizeof(error)));
		assert_memory_equal(error, "JSON parse error, ", 18);
	}
}

static void nesting_has_a_bound(void **state)
{
	for (unsigned i = 0; i < JSON_MAX_NESTING; i++)
		feed_n("[", 1);
	assert_string_equal(feed("["), "!");
	assert_string_equal(last_error, "JSON nesting depth limit exceeded");
	/* And so again for who goes on. */
	errors = 0;
	for (unsigned i = 0; i < 100 * JSON_MAX_NESTING; i++)
		feed_n("[", 1);
	assert_in_range(errors, 98, 100);
}

static void size_has_a_bound(void **state)
{
	static char chunk[65536];

	memset(chunk, 'a', sizeof(chunk));
	feed("[\"");
	for (unsigned i = 0; i < JSON_MAX_BYTES / sizeof(chunk) && !errors; i++)
		feed_n(chunk, sizeof(chunk));
	assert_int_equal(errors, 1);
	assert_string_equal(last_error, "JSON token size limit exceeded");
	assert_true(stream.capacity <= 65536);
	assert_string_equal(feed("\"]\n{}"), "]|{}|");
}

static void tokens_have_a_bound(void **state)
{
	feed("[");
	for (unsigned i = 0; i < JSON_MAX_TOKENS && !errors; i++)
		feed_n("1,", 2);
	assert_int_equal(errors, 1);
	assert_string_equal(last_error, "JSON token count limit exceeded");
}

static void random_bytes_do_no_harm(void **state)
{
	static const char alphabet[] = "{}[]:,\"'\\ \n1a-.u\xff\x01t";

	srand(1);
	for (unsigned i = 0; i < 300000; i++) {
		got[0] = 0;
		feed_n(&alphabet[rand() % (sizeof(alphabet) - 1)], 1);
	}
}

static int teardown_all(void **state)
{
	json_stream_fini(&stream);
	return 0;
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		CASE(texts_end_where_their_brackets_do),
		CASE(single_quotes_are_quotes),
		CASE(large_integers_keep_their_bits),
		CASE(after_an_error_the_next_text_is_understood),
		CASE(what_is_wrong_in_its_grammar_does_not_parse),
		CASE(nesting_has_a_bound),
		CASE(size_has_a_bound),
		CASE(tokens_have_a_bound),
		CASE(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, teardown_all);
}
