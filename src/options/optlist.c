/* SPDX-License-Identifier: BSD-2-Clause */
/* Option values: comma lists, sizes, numbers, and the nearest known word for what was mistyped. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "src/clock.h"
#include "src/options/optlist.h"

/* Copies up to the next single comma, ",," becoming ","; *S is left at the comma or the end. */
static char *take_word(const char **s, bool stop_at_equals)
{
	const char *p = *s;
	char *word = xmalloc(strlen(p) + 1), *w = word;

	while (*p && !(stop_at_equals && *p == '=')) {
		if (*p == ',') {
			if (p[1] != ',')
				break;
			p++;
		}
		*w++ = *p++;
	}
	*w = '\0';
	*s = p;
	return word;
}

/* The next item starts with "key=" (as opposed to a bare word). */
static bool has_key(const char *s)
{
	size_t n = strcspn(s, "=,");

	return s[n] == '=';
}

static bool take_item(struct optlist *l, const char **s, const char *implied_key, struct error *err)
{
	struct optlist_item item = {.key = NULL};

	if (has_key(*s)) {
		item.key = take_word(s, true);
		(*s)++;
		item.value = take_word(s, false);
		if (!*item.key) {
			error_set(err, "'=%s' has no key in front of it", item.value);
			free(item.key);
			free(item.value);
			return false;
		}
	} else if (l->n == 0) {
		item.value = take_word(s, false);
		item.key = implied_key ? xstrdup(implied_key) : NULL;
	} else {
		item.key = take_word(s, false);
		item.value = xstrdup("on");
	}
	l->items[l->n++] = item;
	return true;
}

bool optlist_parse(struct optlist *l, const char *arg, const char *implied_key, struct error *err)
{
	const char *s = arg;

	l->n = 0;
	while (*s) {
		if (l->n == ARRAY_SIZE(l->items)) {
			optlist_free(l);
			return error_set(err, "more than %zu values", ARRAY_SIZE(l->items));
		}
		if (!take_item(l, &s, implied_key, err)) {
			optlist_free(l);
			return false;
		}
		if (*s == ',')
			s++;
	}
	return true;
}

bool optlist_add(struct optlist *l, const char *key, const char *value)
{
	if (l->n == ARRAY_SIZE(l->items))
		return false;
	l->items[l->n++] = (struct optlist_item){.key = xstrdup(key), .value = xstrdup(value)};
	return true;
}

void optlist_free(struct optlist *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		free(l->items[i].key);
		free(l->items[i].value);
	}
	l->n = 0;
}

const char *optlist_get(struct optlist *l, const char *key)
{
	const char *value = NULL;

	for (unsigned i = 0; i < l->n; i++) {
		struct optlist_item *item = &l->items[i];

		if (key ? item->key && !strcmp(item->key, key) : !item->key) {
			item->used = true;
			value = item->value; /* the last one counts */
		}
	}
	return value;
}

bool optlist_check_unused(struct optlist *l, const char *const *known, struct error *err)
{
	for (unsigned i = 0; i < l->n; i++) {
		const struct optlist_item *item = &l->items[i];
		const char *word = item->key ? item->key : item->value, *near;

		if (item->used)
			continue;
		near = known ? nearest_word(word, known) : NULL;
		if (near)
			return error_set(err, "unknown key '%s'; did you mean '%s'?", word, near);
		return error_set(err, "unknown key '%s'", word);
	}
	return true;
}

static int suffix_shift(char suffix)
{
	static const char suffixes[] = "bkmgtpe";
	const char *p = suffix ? strchr(suffixes, tolower((unsigned char)suffix)) : NULL;

	return p ? (int)(p - suffixes) * 10 : -1;
}

bool parse_u64(const char *s, uint64_t *out)
{
	unsigned base = 10;
	uint64_t v = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	} else if (s[0] == '0' && s[1]) {
		base = 8;
		s++;
	}
	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned digit = isdigit((unsigned char)*s) ? (unsigned)(*s - '0')
				 : isxdigit((unsigned char)*s)
					 ? (unsigned)(tolower((unsigned char)*s) - 'a' + 10)
					 : 99;

		if (digit >= base || __builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			return false;
	}
	*out = v;
	return true;
}

/* Digits after the point, as FRACTION / SCALE. More than fit say nothing that a size could keep. */
static const char *parse_fraction(const char *s, uint64_t *fraction, uint64_t *scale)
{
	*fraction = 0;
	*scale = 1;
	for (; isdigit((unsigned char)*s); s++) {
		if (*scale < 1000000000000000000ull) {
			*fraction = *fraction * 10 + (uint64_t)(*s - '0');
			*scale *= 10;
		}
	}
	return s;
}

bool parse_size(const char *s, char default_suffix, uint64_t *out)
{
	uint64_t whole = 0, fraction = 0, scale = 1, v;
	const char *digits = s;
	int shift;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		if (!parse_u64(s, &whole))
			return false;
		s += strlen(s);
	} else {
		for (; isdigit((unsigned char)*s); s++)
			if (__builtin_mul_overflow(whole, 10, &whole) ||
			    __builtin_add_overflow(whole, (uint64_t)(*s - '0'), &whole))
				return false;
		if (s == digits)
			return false;
		if (*s == '.') {
			if (!isdigit((unsigned char)s[1]))
				return false;
			s = parse_fraction(s + 1, &fraction, &scale);
		}
	}
	shift = suffix_shift(*s ? *s : default_suffix ? default_suffix : 'b');
	if (shift < 0 || (*s && s[1]))
		return false;
	v = whole << shift;
	if (v >> shift != whole)
		return false;
	return !__builtin_add_overflow(v, muldiv64(fraction, 1ull << shift, scale), out);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

void format_uuid(const uint8_t *uuid, char text[UUID_TEXT_BYTES])
{
	for (unsigned i = 0; i < 16; i++)
		text += sprintf(text, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
				uuid[i]);
}

bool parse_uuid(const char *s, uint8_t *out)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	unsigned n = 0;

	memset(out, 0, 16);
	if (strlen(s) != strlen(form))
		return false;
	for (size_t i = 0; form[i]; i++) {
		int digit = hex_digit(s[i]);

		if (form[i] == '-' ? s[i] != '-' : digit < 0)
			return false;
		if (form[i] == '-')
			continue;
		out[n / 2] |= (uint8_t)(n % 2 ? digit : digit << 4);
		n++;
	}
	return true;
}

bool id_is_well_formed(const char *id)
{
	if (!isalpha((unsigned char)id[0]))
		return false;
	for (; *id; id++)
		if (!isalnum((unsigned char)*id) && !strchr("-._", *id))
			return false;
	return true;
}

bool id_check(const char *id, struct error *err)
{
	return id_is_well_formed(id) ||
	       error_set(err,
			 "'%s' is not an identifier: a letter, then letters, digits, '-', '.', '_'",
			 id);
}

bool parse_bool(const char *s, bool *out)
{
	static const char *const words[] = {"on", "off", "yes", "no", "true", "false", "y", "n"};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(s, words[i])) {
			*out = i % 2 == 0;
			return true;
		}
	}
	return false;
}

#define NEAR_MAX 48 /* longer words are not compared */

/* Edit distance with neighbouring letters swapped counting as one (optimal string alignment). */
static unsigned edit_distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned rows[3][NEAR_MAX + 1];

	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned best = MIN(up[j], row[j - 1]) + 1;

			best = MIN(best, up[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = MIN(best, up2[j - 2] + 1);
			row[j] = best;
		}
	}
	return rows[na % 3][nb];
}

const char *nearest_word(const char *word, const char *const *candidates)
{
	size_t n = strlen(word);
	unsigned best = 2 * MIN(n / 3 + 2, 4); /* in half edits; what is nearer than this */
	const char *found = NULL;

	if (n == 0 || n > NEAR_MAX)
		return NULL;
	for (; *candidates; candidates++) {
		size_t nc = strlen(*candidates);
		unsigned d;

		if (nc > NEAR_MAX)
			continue;
		d = edit_distance(word, n, *candidates, nc) * 2;
		/* A beginning is more than a resemblance. */
		if (n > 1 && nc > n && !memcmp(word, *candidates, n))
			d = 1;
		/* More than half of it replaced is not a resemblance. */
		if (d < best && d <= MAX(n, nc)) {
			best = d;
			found = *candidates;
		}
	}
	return found;
}
