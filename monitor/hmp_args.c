/* SPDX-License-Identifier: BSD-2-Clause */
/* What follows a command's name, by the kinds that command.h lists. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include "monitor/hmp.h"
#include "src/options/optlist.h"

bool hmp_next_arg(const char **s, struct hmp_arg *arg)
{
	const char *p = *s ? *s : "";
	size_t n;

	p += strspn(p, " ");
	if (!*p)
		return false;
	n = strcspn(p, ":");
	snprintf(arg->name, sizeof(arg->name), "%.*s", (int)n, p);
	p += n + 1;
	arg->kind = *p++;
	arg->flag = arg->kind == '-' ? *p++ : 0;
	arg->valued = arg->flag && *p == 's';
	p += arg->valued;
	arg->optional = *p == '?' || arg->flag;
	p += *p == '?';
	*s = p;
	return true;
}

static const char *skip_blanks(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

char *hmp_next_word(const char **s, bool *unclosed)
{
	const char *p = skip_blanks(*s);
	char *word, *out;
	bool quoted = *p == '"';

	*unclosed = false;
	if (!*p)
		return NULL;
	word = out = xmalloc(strlen(p) + 1);
	p += quoted;
	while (*p && (quoted ? *p != '"' : !isspace((unsigned char)*p))) {
		if (quoted && *p == '\\' && p[1]) {
			p++;
			*out++ = *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p;
			p++;
		} else {
			*out++ = *p++;
		}
	}
	*out = 0;
	if (quoted && *p != '"') {
		*unclosed = true;
		free(word);
		return NULL;
	}
	*s = p + quoted;
	return word;
}

static bool complain(struct monitor *mon, const struct hmp_command *c, const char *what)
{
	int n = (int)strcspn(c->name, "|");
	bool info = hmp_find(c->name, (size_t)n, true) == c;

	monitor_printf(mon, "%.*s: %s\nTry \"help %s%.*s\" for more information\n", n, c->name,
		       what, info ? "info " : "", n, c->name);
	return false;
}

static bool take_word(struct monitor *mon, const struct hmp_command *c, const struct hmp_arg *arg,
		      const char **s, char **word)
{
	char what[64];
	bool unclosed;

	*word = hmp_next_word(s, &unclosed);
	if (*word)
		return true;
	if (unclosed)
		return complain(mon, c, "unterminated string literal");
	snprintf(what, sizeof(what), "%s expected", arg->name);
	return complain(mon, c, what);
}

static bool take_string(struct monitor *mon, const struct hmp_command *c, const struct hmp_arg *arg,
			const char **s, json_t *args)
{
	json_t *v;
	char *word;

	if (!take_word(mon, c, arg, s, &word))
		return false;
	v = json_string(word);
	free(word);
	if (!v)
		return complain(mon, c, "not UTF-8");
	json_object_set_new(args, arg->name, v);
	return true;
}

static bool take_size(struct monitor *mon, const struct hmp_command *c, const struct hmp_arg *arg,
		      const char **s, json_t *args)
{
	uint64_t bytes;
	char *word;
	bool ok;

	if (!take_word(mon, c, arg, s, &word))
		return false;
	ok = parse_size(word, 'M', &bytes) && bytes <= INT64_MAX;
	free(word);
	if (!ok)
		return complain(mon, c, "invalid size");
	json_object_set_new(args, arg->name, json_integer((json_int_t)bytes));
	return true;
}

static bool take_bool(struct monitor *mon, const struct hmp_command *c, const struct hmp_arg *arg,
		      const char **s, json_t *args)
{
	bool on = false, ok;
	char *word;

	if (!take_word(mon, c, arg, s, &word))
		return false;
	on = !strcmp(word, "on");
	ok = on || !strcmp(word, "off");
	free(word);
	if (!ok)
		return complain(mon, c, "Expected 'on' or 'off'");
	json_object_set_new(args, arg->name, json_boolean(on));
	return true;
}

static bool take_flag(struct monitor *mon, const struct hmp_command *c, const struct hmp_arg *arg,
		      const char **s, json_t *args)
{
	const char *p = skip_blanks(*s);

	if (p[0] != '-' || p[1] != arg->flag || (p[2] && !isspace((unsigned char)p[2])))
		return true;
	*s = p + 2;
	if (arg->valued)
		return take_string(mon, c, arg, s, args);
	json_object_set_new(args, arg->name, json_true());
	return true;
}

/* "/4xw" */
static bool take_format(const struct hmp_arg *arg, const char **s, json_t *args)
{
	const char *p = skip_blanks(*s);
	size_t n = 0;

	if (*p != '/')
		return true;
	while (p[n] && !isspace((unsigned char)p[n]))
		n++;
	json_object_set_new(args, arg->name, json_stringn_nocheck(p, n));
	*s = p + n;
	return true;
}

static bool take_rest(struct monitor *mon, const struct hmp_command *c, const struct hmp_arg *arg,
		      const char **s, json_t *args)
{
	const char *p = skip_blanks(*s);
	size_t n = strlen(p);
	json_t *v;

	while (n && isspace((unsigned char)p[n - 1]))
		n--;
	v = json_stringn(p, n);
	if (!v)
		return complain(mon, c, "not UTF-8");
	json_object_set_new(args, arg->name, v);
	*s = p + strlen(p);
	return true;
}

static bool take_expression(struct monitor *mon, const struct hmp_arg *arg, const char **s,
			    json_t *args)
{
	uint64_t v;

	*s = skip_blanks(*s);
	if (!hmp_eval(mon, s, &v))
		return false;
	json_object_set_new(args, arg->name, json_integer((json_int_t)v));
	return true;
}

/* An expression without blanks: "16 /tmp/x" is no division. */
static bool take_short_expression(struct monitor *mon, const struct hmp_command *c,
				  const struct hmp_arg *arg, const char **s, json_t *args)
{
	const char *p;
	char *word;
	bool ok;

	if (!take_word(mon, c, arg, s, &word))
		return false;
	p = word;
	ok = take_expression(mon, arg, &p, args);
	if (ok && *p)
		ok = complain(mon, c, "a number is expected");
	free(word);
	return ok;
}

static bool take(struct monitor *mon, const struct hmp_command *c, const struct hmp_arg *arg,
		 const char **s, json_t *args)
{
	switch (arg->kind) {
	case '-':
		return take_flag(mon, c, arg, s, args);
	case '/':
		return take_format(arg, s, args);
	default:
		break;
	}
	if (!*skip_blanks(*s)) {
		char what[64];

		if (arg->optional)
			return true;
		snprintf(what, sizeof(what), "%s expected", arg->name);
		return complain(mon, c, what);
	}
	switch (arg->kind) {
	case 'i':
		return take_expression(mon, arg, s, args);
	case 'I':
		return take_short_expression(mon, c, arg, s, args);
	case 'o':
		return take_size(mon, c, arg, s, args);
	case 'b':
		return take_bool(mon, c, arg, s, args);
	case 'S':
	case 'D':
		return take_rest(mon, c, arg, s, args);
	default:
		return take_string(mon, c, arg, s, args);
	}
}

json_t *hmp_parse_args(struct monitor *mon, const struct hmp_command *c, const char *text)
{
	json_t *args = json_object();
	const char *row = c->args;
	struct hmp_arg arg;
	bool ok = true;

	while (ok && hmp_next_arg(&row, &arg))
		ok = take(mon, c, &arg, &text, args);
	if (ok && *skip_blanks(text))
		ok = complain(mon, c, "extraneous characters at the end of line");
	if (ok)
		return args;
	json_decref(args);
	return NULL;
}
