/* SPDX-License-Identifier: BSD-2-Clause */
/* -numa: nodes, distances, and processors by their place in the topology. */
#include <stdlib.h>
#include "src/board/numa.h"
#include "src/machine.h"
#include "src/options/optlist.h"

#define NODE_MEM_UNIT (8 * MiB)

/* ---- numbers ---- */

static bool get_number(struct optlist *l, const char *key, uint64_t max, uint64_t *out, bool *given,
		       struct error *err)
{
	const char *value = optlist_get(l, key);

	*given = value != NULL;
	if (!value)
		return true;
	if (!parse_u64(value, out) || *out > max)
		return error_set(err, "%s=%s is not a number up to %llu", key, value,
				 (unsigned long long)max);
	return true;
}

static bool need_number(struct optlist *l, const char *key, uint64_t max, uint64_t *out,
			struct error *err)
{
	bool given;

	if (!get_number(l, key, max, out, &given, err))
		return false;
	return given || error_set(err, "%s= is missing", key);
}

static bool known_node(const struct numa *numa, uint64_t node, const char *what, struct error *err)
{
	if (node < NUMA_MAX_NODES && numa->nodes[node].present)
		return true;
	return error_set(err, "%s=%llu: there is no such node (its -numa node comes first)", what,
			 (unsigned long long)node);
}

/* ---- node ---- */

static bool put_cpu(struct numa *numa, uint64_t cpu, unsigned node, struct error *err)
{
	if (cpu >= MACHINE_MAX_VCPUS)
		return error_set(err, "CPU index (%llu) should be smaller than maxcpus (%u)",
				 (unsigned long long)cpu, MACHINE_MAX_VCPUS);
	if (numa->cpu_node[cpu] != NUMA_NO_NODE && numa->cpu_node[cpu] != node)
		return error_set(err, "CPU %llu is in node %u already", (unsigned long long)cpu,
				 numa->cpu_node[cpu]);
	numa->cpu_node[cpu] = (uint8_t)node;
	return true;
}

/* "2" or "0-3". */
static bool put_cpus(struct numa *numa, const char *value, unsigned node, struct error *err)
{
	char *end;
	unsigned long first = strtoul(value, &end, 10), last = first;
	const char *second = end + 1;

	if (end != value && *end == '-') {
		last = strtoul(second, &end, 10);
		if (end == second)
			return error_set(err, "cpus=%s is not a number or FIRST-LAST", value);
	}
	if (end == value || *end || last < first)
		return error_set(err, "cpus=%s is not a number or FIRST-LAST", value);
	for (unsigned long cpu = first; cpu <= last; cpu++)
		if (!put_cpu(numa, cpu, node, err))
			return false;
	return true;
}

static unsigned next_free_node(const struct numa *numa)
{
	unsigned n = 0;

	while (n < NUMA_MAX_NODES && numa->nodes[n].present)
		n++;
	return n;
}

static bool node_memory(struct numa_node *node, struct optlist *l, struct error *err)
{
	const char *mem = optlist_get(l, "mem"), *memdev = optlist_get(l, "memdev");

	if (mem && memdev)
		return error_set(err, "cannot specify both mem= and memdev=");
	if (mem && !parse_size(mem, 'M', &node->bytes))
		return error_set(err, "mem=%s is not a size", mem);
	node->has_mem = mem != NULL;
	node->memdev = memdev ? xstrdup(memdev) : NULL;
	return true;
}

static bool add_node(struct numa *numa, struct optlist *l, struct error *err)
{
	static const char *const known[] = {"type", "nodeid", "mem", "memdev", "cpus", NULL};
	uint64_t id = next_free_node(numa);
	bool given;

	if (!get_number(l, "nodeid", NUMA_MAX_NODES - 1, &id, &given, err))
		return false;
	if (id >= NUMA_MAX_NODES)
		return error_set(err, "a machine has %u nodes at most", NUMA_MAX_NODES);
	if (numa->nodes[id].present)
		return error_set(err, "Duplicate NUMA nodeid: %llu", (unsigned long long)id);
	if (!node_memory(&numa->nodes[id], l, err))
		return false;
	numa->nodes[id].present = true;
	numa->n = MAX(numa->n, (unsigned)id + 1);
	/* cpus= may come several times. */
	for (unsigned i = 0; i < l->n; i++) {
		if (!l->items[i].key || strcmp(l->items[i].key, "cpus"))
			continue;
		l->items[i].used = true;
		if (!put_cpus(numa, l->items[i].value, (unsigned)id, err))
			return false;
	}
	return optlist_check_unused(l, known, err);
}

/* ---- dist, cpu ---- */

static bool add_distance(struct numa *numa, struct optlist *l, struct error *err)
{
	static const char *const known[] = {"type", "src", "dst", "val", NULL};
	uint64_t src = 0, dst = 0, val = 0;

	if (!need_number(l, "src", NUMA_MAX_NODES - 1, &src, err) ||
	    !need_number(l, "dst", NUMA_MAX_NODES - 1, &dst, err) ||
	    !need_number(l, "val", 255, &val, err) || !optlist_check_unused(l, known, err) ||
	    !known_node(numa, src, "src", err) || !known_node(numa, dst, "dst", err))
		return false;
	if (val < NUMA_LOCAL_DISTANCE)
		return error_set(err,
				 "NUMA distance (%llu) is invalid, it shouldn't be less than %u",
				 (unsigned long long)val, NUMA_LOCAL_DISTANCE);
	if (src == dst && val != NUMA_LOCAL_DISTANCE)
		return error_set(err, "Local distance of node %llu should be %u",
				 (unsigned long long)src, NUMA_LOCAL_DISTANCE);
	numa->distance[src][dst] = (uint8_t)val;
	numa->has_distances = true;
	return true;
}

struct place {
	uint64_t socket, core, thread;
	bool has_socket, has_core, has_thread;
};

static bool is_at(const struct machine_config *c, unsigned cpu, const struct place *p)
{
	unsigned thread = cpu % c->threads, core = cpu / c->threads % c->cores,
		 socket = cpu / c->threads / c->cores;

	return (!p->has_socket || p->socket == socket) && (!p->has_core || p->core == core) &&
	       (!p->has_thread || p->thread == thread);
}

static bool add_cpus(struct numa *numa, const struct machine_config *c, struct optlist *l,
		     struct error *err)
{
	static const char *const known[] = {"type",    "node-id",   "socket-id",
					    "core-id", "thread-id", NULL};
	struct place p = {0};
	uint64_t node = 0;
	bool any = false;

	if (!need_number(l, "node-id", NUMA_MAX_NODES - 1, &node, err) ||
	    !get_number(l, "socket-id", 255, &p.socket, &p.has_socket, err) ||
	    !get_number(l, "core-id", 255, &p.core, &p.has_core, err) ||
	    !get_number(l, "thread-id", 255, &p.thread, &p.has_thread, err) ||
	    !optlist_check_unused(l, known, err) || !known_node(numa, node, "node-id", err))
		return false;
	for (unsigned cpu = 0; cpu < c->maxcpus; cpu++) {
		if (!is_at(c, cpu, &p))
			continue;
		any = true;
		if (!put_cpu(numa, cpu, (unsigned)node, err))
			return false;
	}
	return any || error_set(err, "no CPU is there (-smp comes first)");
}

bool numa_parse(struct numa *numa, const struct machine_config *c, const char *arg,
		struct error *err)
{
	struct optlist l;
	const char *type;
	bool ok;

	if (!optlist_parse(&l, arg, "type", err))
		return false;
	type = optlist_get(&l, "type");
	if (type && !strcmp(type, "node"))
		ok = add_node(numa, &l, err);
	else if (type && !strcmp(type, "dist"))
		ok = add_distance(numa, &l, err);
	else if (type && !strcmp(type, "cpu"))
		ok = add_cpus(numa, c, &l, err);
	else
		ok = error_set(err, "it begins with 'node', 'dist' or 'cpu'");
	optlist_free(&l);
	return ok;
}

/* ---- defaults and sums ---- */

static bool complete_memory(struct numa *numa, const struct machine_config *c, struct error *err)
{
	unsigned sized = 0, memdevs = 0;
	uint64_t sum = 0, share;

	for (unsigned i = 0; i < numa->n; i++) {
		sized += numa->nodes[i].has_mem;
		memdevs += numa->nodes[i].memdev != NULL;
		sum += numa->nodes[i].bytes;
	}
	if (memdevs && sized)
		return error_set(err, "memdev= for some nodes and mem= for others");
	if (memdevs)
		return true;
	if (!sized) {
		share = ALIGN_DOWN(c->ram_bytes / numa->n, NODE_MEM_UNIT);
		for (unsigned i = 0; i < numa->n; i++)
			numa->nodes[i].bytes = share;
		numa->nodes[numa->n - 1].bytes = c->ram_bytes - share * (numa->n - 1);
		return true;
	}
	if (sum != c->ram_bytes)
		return error_set(
			err, "total memory for NUMA nodes (0x%llx) should equal RAM size (0x%llx)",
			(unsigned long long)sum, (unsigned long long)c->ram_bytes);
	return true;
}

/* A whole socket is in one node, if nothing is said; else who is left out is in node 0. */
static void complete_cpus(struct numa *numa, const struct machine_config *c)
{
	unsigned given = 0, missing = 0;

	for (unsigned cpu = 0; cpu < c->maxcpus; cpu++)
		given += numa->cpu_node[cpu] != NUMA_NO_NODE;
	for (unsigned cpu = 0; cpu < c->maxcpus; cpu++) {
		unsigned socket = cpu / MAX(c->threads, 1u) / MAX(c->cores, 1u);

		if (numa->cpu_node[cpu] != NUMA_NO_NODE)
			continue;
		numa->cpu_node[cpu] = given ? 0 : (uint8_t)(socket % numa->n);
		missing++;
	}
	if (given && missing)
		report_warning("-numa: %u CPUs are in no node; they are put into node 0", missing);
}

static bool complete_distances(struct numa *numa, struct error *err)
{
	for (unsigned a = 0; a < numa->n; a++) {
		for (unsigned b = 0; b < numa->n; b++) {
			uint8_t *d = &numa->distance[a][b];

			if (*d)
				continue;
			if (a == b)
				*d = NUMA_LOCAL_DISTANCE;
			else if (numa->distance[b][a])
				*d = numa->distance[b][a];
			else if (!numa->has_distances)
				*d = NUMA_FAR_DISTANCE;
			else
				return error_set(err,
						 "The distance between node %u and %u is missing, "
						 "at least one distance value between each nodes "
						 "should be provided.",
						 a, b);
		}
	}
	return true;
}

bool numa_complete(struct numa *numa, const struct machine_config *c, struct error *err)
{
	if (!numa->n)
		return true;
	for (unsigned i = 0; i < numa->n; i++)
		if (!numa->nodes[i].present)
			return error_set(err, "numa: Node ID missing: %u", i);
	complete_cpus(numa, c);
	return complete_memory(numa, c, err) && complete_distances(numa, err);
}
