/* SPDX-License-Identifier: BSD-2-Clause */
/* -object secret (secret.h). */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef HAVE_NETTLE
#include <nettle/aes.h>
#include <nettle/cbc.h>
#endif
#include "io/crypto/secret.h"
#include "src/base64.h"
#include "src/loop.h"

#define SECRET_MAX_BYTES (1 * MiB)
#define SECRET_KEY_BYTES 32 /* AES-256 */
#define SECRET_IV_BYTES	 16

struct secret {
	struct object obj;
	char *data, *file, *format, *keyid, *iv;

	uint8_t *bytes;
	size_t n;
};

static struct secret *secret_of(struct object *o)
{
	return container_of(o, struct secret, obj);
}

/* ---- what the user gave ---- */

static void secret_forget(struct secret *s)
{
	if (s->bytes)
		explicit_bzero(s->bytes, s->n);
	free(s->bytes);
	s->bytes = NULL;
	s->n = 0;
}

/* BYTES (heap) are the secret now. */
static void secret_replace(struct secret *s, uint8_t *bytes, size_t n)
{
	secret_forget(s);
	s->bytes = bytes;
	s->n = n;
}

static bool read_all(struct secret *s, int fd, struct error *err)
{
	uint8_t *buf = xmalloc(SECRET_MAX_BYTES + 1);
	size_t n = 0;
	ssize_t got;

	do {
		got = read(fd, buf + n, SECRET_MAX_BYTES + 1 - n);
		n += got > 0 ? (size_t)got : 0;
	} while ((got > 0 && n <= SECRET_MAX_BYTES) || (got < 0 && errno == EINTR));
	if (got < 0)
		error_set_errno(err, errno, "Could not read '%s'", s->file);
	else if (n > SECRET_MAX_BYTES)
		error_set(err, "'%s' is longer than a secret can be, 1 MiB", s->file);
	else
		secret_replace(s, memcpy(xmalloc(n + 1), buf, n), n);
	explicit_bzero(buf, n);
	free(buf);
	return s->bytes != NULL;
}

/* A pipe may have nothing yet: that is waited for only while nothing else can suffer. */
static bool may_read(const struct secret *s, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	return S_ISREG(st.st_mode) || (!loop_is_running(s->obj.set->loop) && S_ISFIFO(st.st_mode));
}

static bool read_file(struct secret *s, struct error *err)
{
	int fd = open(s->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	bool ok;

	if (fd < 0)
		return error_set_errno(err, errno, "Could not open '%s'", s->file);
	if (!may_read(s, fd)) {
		close(fd);
		return error_set(err, "'%s' is not a regular file", s->file);
	}
	fcntl(fd, F_SETFL, 0);
	ok = read_all(s, fd, err);
	close(fd);
	return ok;
}

static bool decode(struct secret *s, struct error *err)
{
	size_t n, len = s->n;
	uint8_t *bytes;

	/* A file has been written with an editor, or by base64(1). */
	while (len && (s->bytes[len - 1] == '\n' || s->bytes[len - 1] == '\r'))
		len--;
	bytes = base64_decode((const char *)s->bytes, len, &n);
	if (!bytes)
		return error_set(err, "the secret is not valid base64");
	secret_replace(s, bytes, n);
	return true;
}

/* ---- encryption ---- */

#ifdef HAVE_NETTLE

static bool take_iv(const struct secret *s, uint8_t *iv, struct error *err)
{
	uint8_t *bytes;
	size_t n;

	if (!s->iv)
		return error_set(err, "keyid= needs iv= too");
	bytes = base64_decode(s->iv, strlen(s->iv), &n);
	if (!bytes)
		return error_set(err, "iv=%s is not valid base64", s->iv);
	if (n == SECRET_IV_BYTES)
		memcpy(iv, bytes, n);
	free(bytes);
	return n == SECRET_IV_BYTES ||
	       error_set(err, "iv= should be %d bytes, but has %zu", SECRET_IV_BYTES, n);
}

/* The last byte says how many of them there are, all alike. */
static bool strip_padding(struct secret *s, struct error *err)
{
	uint8_t pad = s->bytes[s->n - 1], wrong = pad == 0 || pad > AES_BLOCK_SIZE;

	for (size_t i = 0; !wrong && i < pad; i++)
		wrong |= s->bytes[s->n - 1 - i] ^ pad;
	if (wrong)
		return error_set(err, "the secret cannot be decrypted with the key '%s'", s->keyid);
	s->n -= pad;
	return true;
}

static bool decrypt(struct secret *s, struct error *err)
{
	uint8_t iv[SECRET_IV_BYTES];
	struct aes256_ctx aes;
	const uint8_t *key;
	size_t n;

	key = secret_lookup(s->obj.set, s->keyid, &n, err);
	if (!key || !take_iv(s, iv, err))
		return false;
	if (n != SECRET_KEY_BYTES)
		return error_set(err, "the key '%s' should be %d bytes, but has %zu", s->keyid,
				 SECRET_KEY_BYTES, n);
	if (s->n == 0 || s->n % AES_BLOCK_SIZE)
		return error_set(err, "the encrypted secret is not whole blocks of %d bytes",
				 AES_BLOCK_SIZE);
	aes256_set_decrypt_key(&aes, key);
	cbc_decrypt(&aes, (nettle_cipher_func *)aes256_decrypt, AES_BLOCK_SIZE, iv, s->n, s->bytes,
		    s->bytes);
	explicit_bzero(&aes, sizeof(aes));
	return strip_padding(s, err);
}

#else

static bool decrypt(struct secret *s, struct error *err)
{
	return error_set(err, "keyid=: this build has no nettle, which decrypts");
}

#endif

/* ---- life ---- */

static bool secret_load(struct secret *s, struct error *err)
{
	bool base64 = !strcmp(s->format, "base64");

	if (!base64 && strcmp(s->format, "raw"))
		return error_set(err, "format is 'raw' or 'base64', not '%s'", s->format);
	if (s->data && s->file)
		return error_set(err, "'file' and 'data' are mutually exclusive");
	if (!s->data && !s->file)
		return error_set(err, "Must provide 'file' or 'data'");
	if (s->iv && !s->keyid)
		return error_set(err, "iv= is for keyid= only");
	if (s->file && !read_file(s, err))
		return false;
	if (s->data)
		secret_replace(s, (uint8_t *)xstrdup(s->data), strlen(s->data));
	return (!base64 || decode(s, err)) && (!s->keyid || decrypt(s, err));
}

static bool secret_realize(struct object *o, struct error *err)
{
	struct secret *s = secret_of(o);
	bool ok = secret_load(s, err);

	/* It is not shown: only what was given is taken for it. */
	if (s->data)
		explicit_bzero(s->data, strlen(s->data));
	if (!ok)
		secret_forget(s);
	return ok;
}

static void secret_unrealize(struct object *o)
{
	secret_forget(secret_of(o));
}

const uint8_t *secret_lookup(const struct object_set *set, const char *id, size_t *n,
			     struct error *err)
{
	struct object *o = object_find(set, id, &secret_type, err);

	if (!o)
		return NULL;
	*n = secret_of(o)->n;
	return secret_of(o)->bytes;
}

static const struct device_prop secret_props[] = {
	DEFINE_PROP_STR(secret, data, "data", NULL, "the secret itself, or"),
	DEFINE_PROP_STR(secret, file, "file", NULL, "a file that it is in"),
	DEFINE_PROP_STR(secret, format, "format", "raw", "how it is given: raw or base64"),
	DEFINE_PROP_STR(secret, keyid, "keyid", NULL,
			"it is encrypted, with the key in this secret"),
	DEFINE_PROP_STR(secret, iv, "iv", NULL, "initialization vector of that, in base64"),
	DEFINE_PROP_END,
};

const struct object_type secret_type = {
	.name = "secret",
	.desc = "a password or a key",
	.size = sizeof(struct secret),
	.props = secret_props,
	.early = true,
	.realize = secret_realize,
	.unrealize = secret_unrealize,
};
