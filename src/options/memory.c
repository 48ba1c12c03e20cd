/* SPDX-License-Identifier: BSD-2-Clause */
/* Options about memory beyond its size: -mem-path, -mem-prealloc, -overcommit, -numa, and -machine's share of them. */
#include <stdlib.h>
#include "src/board/numa.h"
#include "src/options/table.h"

bool options_mem_path(struct options_parse_state *p, const char *value, struct error *err)
{
	if (!*value)
		return error_set(err, "no file or directory named");
	p->o->config.mem_path = value;
	return true;
}

bool options_mem_prealloc(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->config.mem_prealloc = true;
	return true;
}

static bool take_bool(struct optlist *l, const char *key, bool *out, struct error *err)
{
	const char *value = optlist_get(l, key);

	if (value && !parse_bool(value, out))
		return error_set(err, "%s is 'on' or 'off', not '%s'", key, value);
	return true;
}

static bool take_mem_lock(struct optlist *l, struct machine_config *c, struct error *err)
{
	const char *value = optlist_get(l, "mem-lock");

	if (!value)
		return true;
	c->mem_lock_on_fault = !strcmp(value, "on-fault");
	if (c->mem_lock_on_fault)
		return c->mem_lock = true;
	return parse_bool(value, &c->mem_lock) ||
	       error_set(err, "mem-lock is 'on', 'on-fault' or 'off', not '%s'", value);
}

bool options_overcommit(struct options_parse_state *p, const char *value, struct error *err)
{
	static const char *const known[] = {"mem-lock", "cpu-pm", NULL};
	struct machine_config *c = &p->o->config;
	struct optlist l;
	bool ok;

	if (!optlist_parse(&l, value, NULL, err))
		return false;
	ok = take_mem_lock(&l, c, err) && take_bool(&l, "cpu-pm", &c->cpu_pm, err) &&
	     optlist_check_unused(&l, known, err);
	optlist_free(&l);
	return ok;
}

bool options_machine_memory(struct options_parse_state *p, struct optlist *l, struct error *err)
{
	struct machine_config *c = &p->o->config;
	bool merge = !c->no_mem_merge, dump = !c->no_dump_guest_core;
	const char *backend = optlist_get(l, "memory-backend");

	if (!take_bool(l, "mem-merge", &merge, err) || !take_bool(l, "dump-guest-core", &dump, err))
		return false;
	c->no_mem_merge = !merge;
	c->no_dump_guest_core = !dump;
	if (backend)
		c->memory_backend = options_keep_string(p->o, xstrdup(backend));
	return true;
}

/* kernel-irqchip=, of -machine and -accel. */
bool options_irqchip(struct options_parse_state *p, struct optlist *l, struct error *err)
{
	struct machine_config *c = &p->o->config;
	const char *value = optlist_get(l, "kernel-irqchip");
	bool on;

	if (!value)
		return true;
	c->irqchip_given = true;
	if (!strcmp(value, "split"))
		c->irqchip = IRQCHIP_SPLIT;
	else if (parse_bool(value, &on))
		c->irqchip = on ? IRQCHIP_KERNEL : IRQCHIP_NONE;
	else
		return error_set(err, "kernel-irqchip is 'on', 'split' or 'off', not '%s'", value);
	return true;
}

/* All of them together when the rest is known: they name processors and sizes. */
bool options_numa(struct options_parse_state *p, const char *value, struct error *err)
{
	if (p->n_numa == ARRAY_SIZE(p->numa))
		return error_set(err, "more than %zu of them", ARRAY_SIZE(p->numa));
	p->numa[p->n_numa++] = value;
	return true;
}

static bool parse_all_numa(struct options_parse_state *p, struct numa *numa, struct error *err)
{
	for (unsigned i = 0; i < p->n_numa; i++) {
		if (!numa_parse(numa, &p->o->config, p->numa[i], err)) {
			error_prefix(err, "-numa %s: ", p->numa[i]);
			return false;
		}
	}
	if (numa_complete(numa, &p->o->config, err))
		return true;
	error_prefix(err, "-numa: ");
	return false;
}

bool options_complete_numa(struct options_parse_state *p, struct error *err)
{
	struct numa *numa;

	if (!p->n_numa)
		return true;
	numa = xzalloc(sizeof(*numa));
	options_keep_string(p->o, (char *)numa);
	memset(numa->cpu_node, NUMA_NO_NODE, sizeof(numa->cpu_node));
	p->o->config.numa = numa;
	if (!parse_all_numa(p, numa, err))
		return false;
	for (unsigned i = 0; i < numa->n; i++)
		if (numa->nodes[i].memdev)
			options_keep_string(p->o, (char *)numa->nodes[i].memdev);
	return true;
}
