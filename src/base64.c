/* SPDX-License-Identifier: BSD-2-Clause */
/* Base64, with padding. */
#include <stdlib.h>
#include "src/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(const uint8_t *bytes, size_t n)
{
	char *text = xmalloc((n + 2) / 3 * 4 + 1), *out = text;

	for (size_t i = 0; i < n; i += 3) {
		unsigned have = (unsigned)MIN(n - i, 3u);
		uint32_t v = (uint32_t)bytes[i] << 16;

		v |= have > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
		v |= have > 2 ? bytes[i + 2] : 0;
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = have > 1 ? digits[v >> 6 & 63] : '=';
		*out++ = have > 2 ? digits[v & 63] : '=';
	}
	*out = 0;
	return text;
}

static int digit_value(char c)
{
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

uint8_t *base64_decode(const char *text, size_t len, size_t *n)
{
	uint8_t *bytes = xmalloc(len / 4 * 3 + 1);
	size_t out = 0, pad = 0;

	while (pad < 2 && pad < len && text[len - 1 - pad] == '=')
		pad++;
	if (len % 4)
		goto bad;
	for (size_t i = 0; i < len; i += 4) {
		size_t have = i + 4 == len ? 4 - pad : 4;
		uint32_t v = 0;

		for (size_t j = 0; j < 4; j++) {
			int d = j < have ? digit_value(text[i + j]) : 0;

			if (d < 0)
				goto bad;
			v = v << 6 | (uint32_t)d;
		}
		for (size_t j = 1; j < have; j++, v <<= 8)
			bytes[out++] = (uint8_t)(v >> 16);
	}
	*n = out;
	return bytes;
bad:
	free(bytes);
	return NULL;
}
