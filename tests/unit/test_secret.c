/* SPDX-License-Identifier: BSD-2-Clause */
/* -object secret: as text, from files, encoded, encrypted (by openssl enc -aes-256-cbc); and what is none. */
#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "io/crypto/secret.h"
#include "src/loop.h"

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define IV  "8PHy8/T19vf4+fr7/P3+/w=="
#define ENC "s9TRnu+mC9CVAMFBob3csw=="

static struct object_set set;
static struct loop *loop;
static struct error err;
static char path[64];

static int setup(void **state)
{
	loop = loop_new();
	object_set_init(&set, loop);
	snprintf(path, sizeof(path), "/tmp/evmm-secret.XXXXXX");
	close(mkstemp(path));
	return 0;
}

static int teardown(void **state)
{
	object_set_fini(&set);
	loop_free(loop);
	unlink(path);
	return 0;
}

static void put(const void *bytes, size_t n)
{
	FILE *f = fopen(path, "w");

	assert_int_equal(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

/* ARGS behind "secret,id=ID,"; %s in it is the file. */
static bool make(const char *id, const char *args)
{
	char *head = xasprintf("secret,id=%s,", id), *arg;
	const char *where = strstr(args, "%s");
	bool ok;

	arg = where ? xasprintf("%s%.*s%s%s", head, (int)(where - args), args, path, where + 2)
		    : xasprintf("%s%s", head, args);
	ok = object_create_from_option(&set, arg, &err) != NULL;
	free(head);
	free(arg);
	return ok;
}

static void assert_secret(const char *id, const char *args, const char *want)
{
	const uint8_t *bytes;
	size_t n;

	if (!make(id, args))
		fail_msg("%s: %s", args, err.msg);
	bytes = secret_lookup(&set, id, &n, &err);
	assert_non_null(bytes);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(bytes, want, n);
}

static void assert_refused(const char *args, const char *want)
{
	if (make("no", args))
		fail_msg("'%s' was taken", args);
	if (!strstr(err.msg, want))
		fail_msg("'%s': '%s' does not say '%s'", args, err.msg, want);
	error_clear(&err);
	assert_null(object_find(&set, "no", NULL, &err));
	error_clear(&err);
}

static void text_is_taken_as_it_is(void **state)
{
	size_t n;

	assert_secret("a", "data=letmein", "letmein");
	assert_secret("b", "data=with,,comma", "with,comma");
	assert_secret("c", "data=bGV0bWVpbg==,format=base64", "letmein");
	assert_null(secret_lookup(&set, "d", &n, &err));
	error_clear(&err);
}

static void files_are_read_to_their_end(void **state)
{
	put("letmein\n", 8);
	assert_secret("a", "file=%s", "letmein\n");
	put("bGV0bWVpbg==\r\n", 14);
	assert_secret("b", "file=%s,format=base64", "letmein");
	put("", 0);
	assert_secret("c", "file=%s", "");
}

static void what_is_none_is_refused_by_name(void **state)
{
	char *big = xzalloc(1 * MiB + 1);

	assert_refused("format=raw", "Must provide 'file' or 'data'");
	assert_refused("data=a,file=b", "mutually exclusive");
	assert_refused("data=a,format=hex", "'raw' or 'base64', not 'hex'");
	assert_refused("data=a b,format=base64", "base64");
	assert_refused("file=/nonexistent/secret", "/nonexistent/secret");
	assert_refused("file=/tmp", "/tmp");
	assert_refused("file=/dev/zero", "/dev/zero");
	assert_refused("data=a,iv=" IV, "iv= is for keyid= only");
	assert_refused("data=a,bogus=1", "bogus");
	put(big, 1 * MiB + 1);
	assert_refused("file=%s", "longer");
	free(big);
}

#ifdef HAVE_NETTLE

static void an_encrypted_one_is_decrypted_with_the_key_it_names(void **state)
{
	assert_true(make("key", "format=base64,data=" KEY));
	assert_true(make("short", "format=base64,data=AAEC"));
	assert_secret("a", "format=base64,keyid=key,iv=" IV ",data=" ENC, "open sesame");
	assert_refused("format=base64,keyid=key,data=" ENC, "needs iv=");
	assert_refused("format=base64,keyid=nokey,iv=" IV ",data=" ENC, "nokey");
	assert_refused("format=base64,keyid=short,iv=" IV ",data=" ENC,
		       "should be 32 bytes, but has 3");
	assert_refused("format=base64,keyid=key,iv=AAEC,data=" ENC,
		       "should be 16 bytes, but has 3");
	assert_refused("format=base64,keyid=key,iv=*,data=" ENC, "not valid base64");
	assert_refused("format=base64,keyid=key,iv=" IV ",data=bGV0bWVpbg==", "whole blocks");
	assert_refused("format=base64,keyid=key,iv=" IV ",data=" IV, "cannot be decrypted");
}

#else

static void an_encrypted_one_is_decrypted_with_the_key_it_names(void **state)
{
	assert_true(make("key", "format=base64,data=" KEY));
	assert_refused("format=base64,keyid=key,iv=" IV ",data=" ENC, "no nettle");
}

#endif

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(text_is_taken_as_it_is),
		CASE(files_are_read_to_their_end),
		CASE(what_is_none_is_refused_by_name),
		CASE(an_encrypted_one_is_decrypted_with_the_key_it_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
