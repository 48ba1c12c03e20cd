/* SPDX-License-Identifier: BSD-2-Clause */
/* Options about the process itself, the test protocol and the debugger. */
#include "src/options_table.h"

bool opt_qtest(struct options_parse_state *p, const char *value, struct error *err)
{
	if (p->qtest)
		return error_set(err, "one is enough");
	p->qtest = value;
	return true;
}

bool opt_qtest_log(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->qtest_log = value;
	return true;
}

bool opt_gdb(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->gdb = value;
	return true;
}

bool opt_s(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->gdb = "tcp::1234";
	return true;
}

bool options_connect_qtest(struct options_parse_state *p, struct error *err)
{
	return !p->qtest || options_connect_one(p, "qtest", "qtest", p->qtest, &p->o->qtest, err);
}
