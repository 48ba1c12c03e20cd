/* SPDX-License-Identifier: BSD-2-Clause */
/* The option table, and the function behind each row. QEMU's spelling throughout. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "io/char/chardev.h"
#include "src/log.h"
#include "src/options/table.h"

#define RAM_MIN (1 * MiB)

static bool asks_for_list(const char *value)
{
	return !strcmp(value, "help") || !strcmp(value, "?");
}

static bool add_accel(struct options_parse_state *p, const char *option, const char *name,
		      struct error *err)
{
	if (p->n_accels == OPTIONS_MAX_ACCELS)
		return error_set(err, "more than %u accelerators", OPTIONS_MAX_ACCELS);
	p->accel_option = option;
	p->accels[p->n_accels++] = options_keep_string(p->o, xstrdup(name));
	return true;
}

/* ---- machine, accelerator, processor, memory ---- */

static bool apply_machine(struct options_parse_state *p, struct optlist *l, struct error *err)
{
	static const char *const known[] = {"type",
					    "accel",
					    "acpi",
					    "mem-merge",
					    "dump-guest-core",
					    "memory-backend",
					    "pflash0",
					    "pflash1",
					    "kernel-irqchip",
					    "dumpdtb",
					    "rtc",
					    "pic",
					    "pit",
					    "pcie",
					    "ioapic2",
					    "x-option-roms",
					    "isa-serial",
					    "auto-kernel-cmdline",
					    "smbios-entry-point-type",
					    "hpet",
					    "usb",
					    "vmport",
					    "smm",
					    NULL};
	struct machine_config *c = &p->o->config;
	const char *type = optlist_get(l, "type"), *accel = optlist_get(l, "accel");
	const char *acpi = optlist_get(l, "acpi");

	if (type) {
		c->type = machine_type_find(type);
		c->type_name = options_keep_string(p->o, xstrdup(type));
		if (!c->type)
			return error_set(err,
					 "unsupported machine type '%s'; -machine help lists them",
					 type);
	}
	if (acpi && !parse_bool(acpi, &c->acpi))
		return error_set(err, "acpi is 'on' or 'off', not '%s'", acpi);
	if (accel && asks_for_list(accel)) {
		accel_list();
		exit(0);
	}
	if (accel && !add_accel(p, "machine accel", accel, err))
		return false;
	if (!options_machine_absent(l, err))
		return false;
	options_machine_pflash(p, l);
	if (!options_machine_microvm(p, l, err) || !options_machine_smbios(p, l, err) ||
	    !options_machine_board(p, l, err))
		return false;
	if (!options_machine_memory(p, l, err) || !options_irqchip(p, l, err))
		return false;
	return optlist_check_unused(l, known, err);
}

static bool opt_machine(struct options_parse_state *p, const char *value, struct error *err)
{
	struct optlist l;
	bool ok;

	if (asks_for_list(value)) {
		machine_list_types();
		exit(0);
	}
	if (!optlist_parse(&l, value, "type", err))
		return false;
	ok = apply_machine(p, &l, err);
	optlist_free(&l);
	return ok;
}

static bool apply_accel(struct options_parse_state *p, struct optlist *l, struct error *err)
{
	static const char *const known[] = {"accel", "thread", "kernel-irqchip", NULL};
	const char *name = optlist_get(l, "accel"), *thread = optlist_get(l, "thread");

	if (!name || !*name)
		return error_set(err, "no accelerator named");
	if (thread && strcmp(thread, "multi"))
		return error_set(err,
				 "thread=%s: each CPU has its own thread; only 'multi' is offered",
				 thread);
	return options_irqchip(p, l, err) && optlist_check_unused(l, known, err) &&
	       add_accel(p, "accel", name, err);
}

static bool opt_accel(struct options_parse_state *p, const char *value, struct error *err)
{
	struct optlist l;
	bool ok;

	if (asks_for_list(value)) {
		accel_list();
		exit(0);
	}
	if (!optlist_parse(&l, value, "accel", err))
		return false;
	ok = apply_accel(p, &l, err);
	optlist_free(&l);
	return ok;
}

static bool opt_enable_kvm(struct options_parse_state *p, const char *value, struct error *err)
{
	return add_accel(p, "enable-kvm", "kvm", err);
}

static bool opt_cpu(struct options_parse_state *p, const char *value, struct error *err)
{
	if (asks_for_list(value))
		p->cpu_help = true;
	p->o->config.cpu_model = value;
	return true;
}

static bool smp_number(struct optlist *l, const char *key, unsigned *out, struct error *err)
{
	const char *value = optlist_get(l, key);
	uint64_t n;

	*out = 0;
	if (!value)
		return true;
	if (!parse_u64(value, &n) || n > INT32_MAX)
		return error_set(err, "Parameter 'smp.%s' expects integer, not '%s'", key, value);
	if (n == 0)
		return error_set(err, "Invalid CPU topology: '%s' must be greater than zero", key);
	*out = (unsigned)n;
	return true;
}

bool options_smp_complete(struct machine_config *c, struct error *err)
{
	uint64_t product;

	if (!c->cpus && !c->maxcpus) {
		c->sockets = c->sockets ? c->sockets : 1;
		c->cores = c->cores ? c->cores : 1;
		c->threads = c->threads ? c->threads : 1;
	} else {
		unsigned max = c->maxcpus ? c->maxcpus : c->cpus;

		/*
		 * What is not given is one, but for one of them, which takes what is left: cores
		 * first.
		 */
		if (!c->cores) {
			c->sockets = c->sockets ? c->sockets : 1;
			c->threads = c->threads ? c->threads : 1;
			c->cores = max / ((uint64_t)c->sockets * c->threads);
		} else if (!c->sockets) {
			c->threads = c->threads ? c->threads : 1;
			c->sockets = max / ((uint64_t)c->cores * c->threads);
		} else if (!c->threads) {
			c->threads = max / ((uint64_t)c->sockets * c->cores);
		}
	}
	if (__builtin_mul_overflow((uint64_t)c->sockets * c->cores, c->threads, &product))
		product = UINT64_MAX;
	c->maxcpus = c->maxcpus ? c->maxcpus
		     : c->cpus	? c->cpus
				: (unsigned)MIN(product, UINT32_MAX);
	c->cpus = c->cpus ? c->cpus : c->maxcpus;
	if (product != c->maxcpus)
		return error_set(
			err,
			"Invalid CPU topology: product of the hierarchy must match maxcpus: "
			"sockets (%u) * cores (%u) * threads (%u) != maxcpus (%u)",
			c->sockets, c->cores, c->threads, c->maxcpus);
	if (c->maxcpus < c->cpus)
		return error_set(
			err,
			"Invalid CPU topology: maxcpus must be equal to or greater than smp: "
			"maxcpus (%u) < smp_cpus (%u)",
			c->maxcpus, c->cpus);
	if (c->maxcpus > MACHINE_MAX_VCPUS)
		return error_set(err, "Invalid SMP CPUs %u: a machine has %u at most", c->maxcpus,
				 MACHINE_MAX_VCPUS);
	return true;
}

/* Levels of QEMU's hierarchy that a PC of ours doesn't have, which managers write out. */
static bool smp_absent(struct optlist *l, struct error *err)
{
	static const char *const absent[] = {"dies", "clusters"};
	unsigned n;

	for (unsigned i = 0; i < ARRAY_SIZE(absent); i++) {
		if (!smp_number(l, absent[i], &n, err))
			return false;
		if (n > 1)
			return error_set(err, "%s=%u: a socket has one of them", absent[i], n);
	}
	return true;
}

static bool opt_smp(struct options_parse_state *p, const char *value, struct error *err)
{
	static const char *const known[] = {"cpus",    "maxcpus", "sockets",  "cores",
					    "threads", "dies",	  "clusters", NULL};
	struct machine_config *c = &p->o->config;
	struct optlist l;
	bool ok;

	if (!optlist_parse(&l, value, "cpus", err))
		return false;
	ok = smp_absent(&l, err) && smp_number(&l, "cpus", &c->cpus, err) &&
	     smp_number(&l, "maxcpus", &c->maxcpus, err) &&
	     smp_number(&l, "sockets", &c->sockets, err) &&
	     smp_number(&l, "cores", &c->cores, err) &&
	     smp_number(&l, "threads", &c->threads, err) && optlist_check_unused(&l, known, err) &&
	     options_smp_complete(c, err);
	optlist_free(&l);
	p->smp_given = true;
	return ok;
}

static bool apply_memory(struct machine_config *c, struct optlist *l, struct error *err)
{
	static const char *const known[] = {"size", NULL};
	const char *size = optlist_get(l, "size");
	uint64_t bytes;

	if (!optlist_check_unused(l, known, err))
		return false;
	if (!size || !parse_size(size, 'M', &bytes))
		return error_set(
			err, "'%s' is not a size: a number of MiB, or with a suffix k, M, G or T",
			size ? size : "");
	if (bytes < RAM_MIN)
		return error_set(err, "a guest needs at least 1M of RAM");
	if (bytes > MACHINE_MAX_RAM)
		return error_set(err, "a guest has at most %lluG of RAM", MACHINE_MAX_RAM / GiB);
	c->ram_bytes = ALIGN_UP(bytes, 8 * KiB);
	c->ram_given = true;
	return true;
}

static bool opt_m(struct options_parse_state *p, const char *value, struct error *err)
{
	struct optlist l;
	bool ok;

	if (!optlist_parse(&l, value, "size", err))
		return false;
	ok = apply_memory(&p->o->config, &l, err);
	optlist_free(&l);
	return ok;
}

static bool opt_nodefaults(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->config.nodefaults = true;
	return true;
}

static bool opt_device(struct options_parse_state *p, const char *value, struct error *err)
{
	struct option_device *dev;
	const char *comma = strchr(value, ',');

	if (asks_for_list(value)) {
		device_list_types();
		exit(0);
	}
	if (comma && asks_for_list(comma + 1)) {
		char *name = xstrdup(value);
		const struct device_type *type;

		name[comma - value] = '\0';
		type = device_type_find(name);
		free(name);
		if (!type)
			return error_set(err, "no such device; -device help lists them");
		device_help(type);
		exit(0);
	}
	dev = xzalloc(sizeof(*dev));
	dev->option = "device";
	dev->value = value;
	list_push_back(&p->o->devices, &dev->node);
	return true;
}

static bool opt_object(struct options_parse_state *p, const char *value, struct error *err)
{
	return options_add_object(p, value, err);
}

/* ---- what boots ---- */

static bool opt_kernel(struct options_parse_state *p, const char *value, struct error *err)
{
	if (!*value)
		return error_set(err, "no file named");
	p->o->config.kernel = value;
	return true;
}

static bool opt_initrd(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->config.initrd = *value ? value : NULL;
	return true;
}

static bool opt_append(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->config.append = value;
	return true;
}

/* ---- consoles ---- */

static bool opt_nographic(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->nographic = true;
	return true;
}

static bool opt_serial(struct options_parse_state *p, const char *value, struct error *err)
{
	if (p->n_serials == MACHINE_SERIALS)
		return error_set(err, "a machine has %u serial ports", MACHINE_SERIALS);
	p->serials[p->n_serials++] = value;
	return true;
}

static bool opt_monitor(struct options_parse_state *p, const char *value, struct error *err)
{
	if (p->monitor && strcmp(p->monitor, "none"))
		options_add_monitor(p->o, "monitor", value, NULL);
	else
		p->monitor = value;
	return true;
}

static bool opt_chardev(struct options_parse_state *p, const char *value, struct error *err)
{
	if (asks_for_list(value)) {
		puts("Available chardev backend types:");
		for (unsigned i = 0; chardev_backend_name(i); i++)
			printf("  %s\n", chardev_backend_name(i));
		exit(0);
	}
	return options_add_chardev(p, value, err);
}

static bool opt_debugcon(struct options_parse_state *p, const char *value, struct error *err)
{
	if (p->n_debugcons == ARRAY_SIZE(p->debugcons))
		return error_set(err, "more than %zu debug consoles", ARRAY_SIZE(p->debugcons));
	p->debugcons[p->n_debugcons++] = value;
	return true;
}

static bool opt_parallel(struct options_parse_state *p, const char *value, struct error *err)
{
	if (p->n_parallels == MACHINE_PARALLELS)
		return error_set(err, "a machine has %u parallel ports", MACHINE_PARALLELS);
	p->parallels[p->n_parallels++] = value;
	return true;
}

static bool opt_echr(struct options_parse_state *p, const char *value, struct error *err)
{
	uint64_t n;

	if (!parse_u64(value, &n) || n > 255)
		return error_set(err, "a character's number is wanted, 0 to 255");
	p->escape = (uint8_t)n;
	return true;
}

/* ---- running ---- */

static bool opt_S(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->config.start_paused = true;
	return true;
}

static bool opt_no_reboot(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->config.no_reboot = true;
	return true;
}

static bool opt_no_shutdown(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->config.no_shutdown = true;
	return true;
}

static bool parse_date(const char *s, int64_t *unix_seconds)
{
	static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"};

	for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
		struct tm tm = {0}, given;
		const char *end = strptime(s, formats[i], &tm);

		if (!end || *end)
			continue;
		given = tm;
		*unix_seconds = timegm(&tm);
		/* timegm makes the 3rd of March of the 31st of February. */
		return tm.tm_mday == given.tm_mday && tm.tm_mon == given.tm_mon;
	}
	return false;
}

static bool apply_rtc(struct options_parse_state *p, struct optlist *l, struct error *err)
{
	static const char *const known[] = {"base", "clock", "driftfix", NULL};
	struct machine_config *c = &p->o->config;
	const char *driftfix = optlist_get(l, "driftfix");
	const char *base = optlist_get(l, "base"), *clock = optlist_get(l, "clock");

	if (!optlist_check_unused(l, known, err))
		return false;
	if (base) {
		c->rtc_localtime = !strcmp(base, "localtime");
		c->rtc_base_set = strcmp(base, "utc") && !c->rtc_localtime;
		if (c->rtc_base_set && !parse_date(base, &c->rtc_base_unix))
			return error_set(err,
					 "base is 'utc', 'localtime' or a date like 2006-06-17 or "
					 "2006-06-17T16:01:21");
	}
	if (clock) {
		if (strcmp(clock, "host") && strcmp(clock, "rt") && strcmp(clock, "vm"))
			return error_set(err, "clock is 'host', 'rt' or 'vm', not '%s'", clock);
		c->rtc_clock_vm = !strcmp(clock, "vm");
	}
	return !driftfix || options_driftfix(p, driftfix, err);
}

static bool opt_rtc(struct options_parse_state *p, const char *value, struct error *err)
{
	struct optlist l;
	bool ok;

	if (!optlist_parse(&l, value, NULL, err))
		return false;
	ok = apply_rtc(p, &l, err);
	optlist_free(&l);
	return ok;
}

/* ---- logging and help ---- */

static bool opt_d(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->log_mask = value;
	return log_set_mask(value, err);
}

static bool opt_D(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->log_file = value;
	return log_set_file(value, err);
}

static bool opt_help(struct options_parse_state *p, const char *value, struct error *err)
{
	options_print_help();
	exit(0);
}

static bool opt_version(struct options_parse_state *p, const char *value, struct error *err)
{
	printf("evmm version %s\n", PACKAGE_VERSION);
	exit(0);
}

static bool opt_write_man(struct options_parse_state *p, const char *value, struct error *err)
{
	options_write_man();
	exit(0);
}

const struct option_desc option_table[] = {

	/* General */
	{.name = "help",
	 .alias = "h",
	 .heading = "General",
	 .help = "print this list and exit",
	 .fn = opt_help},
	{.name = "version", .help = "print the version and exit", .fn = opt_version},
	{.name = "name",
	 .arg = "[guest=]NAME[,process=NAME][,debug-threads=on|off]",
	 .help = "name of the guest, and of the process",
	 .man = "Threads have names of their own in any case.",
	 .fn = opt_name},
	{.name = "readconfig",
	 .arg = "FILE",
	 .help = "read options from FILE, a section each",
	 .man = "A section is [OPTION] or [OPTION \"ID\"], with a line KEY = \"VALUE\" for each key.",
	 .fn = opt_readconfig},
	{.name = "no-user-config",
	 .help = "taken for QEMU's sake: there are no files of the user's that are read unasked",
	 .fn = opt_no_user_config},

	/* Machine */
	{.name = "machine",
	 .alias = "M",
	 .arg = "[type=]NAME[,accel=ACCEL][,acpi=on|off][,hpet=on|off][,pflash0=NODE][,pflash1=NODE][,dumpdtb=FILE]",
	 .heading = "Machine",
	 .help = "the board; 'help' lists them",
	 .man = "accel= is as -accel, with several separated by colons. With acpi=off the "
		"guest is given no ACPI tables (a microvm: an MP table instead). pflash0= and pflash1= name what is in the two flash "
		"chips, a node or a drive, as -drive if=pflash does. dumpdtb= writes the device tree of a "
		"microvm to a file and ends; that board also takes rtc=on|off (auto: on with "
		"the software CPU), pic=off, pit=off, isa-serial=off and auto-kernel-cmdline=off. usb=, vmport= and smm= are off. The names of earlier versions are all "
		"the same board.",
	 .fn = opt_machine},
	{.name = "accel",
	 .arg = "[accel=]NAME[,thread=multi][,kernel-irqchip=on|split|off]",
	 .help = "what executes guest code; 'help' lists them",
	 .man = "Given several times, the first that works is taken. Without it: KVM where "
		"the host has hardware virtualization, else the software CPU (soft, also "
		"called tcg). kernel-irqchip= says for KVM who has the interrupt controllers: "
		"on, the kernel; split, the kernel the local APICs alone; off, evmm all of them (then "
		"without x2APIC).",
	 .fn = opt_accel},
	{.name = "enable-kvm", .help = "as -accel kvm", .fn = opt_enable_kvm},
	{.name = "cpu",
	 .arg = "MODEL[,+FEATURE][,-FEATURE][,KEY=VALUE]",
	 .help = "the processor; 'help' lists the models",
	 .man = "Keys are family=, model= and stepping=.",
	 .fn = opt_cpu},
	{.name = "smp",
	 .arg = "[cpus=]N[,maxcpus=N][,sockets=N][,cores=N][,threads=N]",
	 .help = "number of CPUs and how they are grouped",
	 .man = "What is left out is worked out from the rest; sockets times cores times "
		"threads must be maxcpus.",
	 .fn = opt_smp},
	{.name = "m",
	 .arg = "[size=]MEGS",
	 .help = "guest RAM, in MiB or with a suffix k, M, G or T (128)",
	 .fn = opt_m},
	{.name = "nodefaults",
	 .help = "no devices but those that are asked for",
	 .man = "Without it, the machine has a serial port and, with -nographic, a monitor.",
	 .fn = opt_nodefaults},
	{.name = "device",
	 .arg = "NAME[,PROPERTY=VALUE]...",
	 .help = "add a device; 'help' lists them",
	 .man = "NAME,help lists a device's properties. The value may be a JSON object, with the name as "
		"\"driver\". A disk, CD or floppy drive, VGA or isa-serial takes the place of the board's "
		"own empty CD or floppy drive, adapter or first serial port.",
	 .fn = opt_device},
	{.name = "global",
	 .arg = "TYPE.PROPERTY=VALUE",
	 .help = "a default for the devices of that type",
	 .man = "What -device gives a device itself goes before it. The form driver=TYPE,property=PROPERTY,value=VALUE "
		"is taken too.",
	 .fn = opt_global},
	{.name = "object",
	 .arg = "TYPE,id=ID[,PROPERTY=VALUE]...",
	 .help = "add an object that others name; 'help' lists the types",
	 .man = "TYPE,help lists an object's properties. The value may be a JSON object, with the type as "
		"\"qom-type\".",
	 .fn = opt_object},
	{.name = "audiodev",
	 .arg = "[driver=]none,id=ID",
	 .help = "where sound goes: nowhere",
	 .fn = opt_audiodev},
	{.name = "mem-path",
	 .arg = "PATH",
	 .help = "guest memory is in this file, or one in this directory (hugetlbfs)",
	 .fn = options_mem_path},
	{.name = "mem-prealloc",
	 .help = "all guest memory is there from the start",
	 .fn = options_mem_prealloc},
	{.name = "overcommit",
	 .arg = "[mem-lock=on|on-fault|off][,cpu-pm=on|off]",
	 .help = "lock all memory; let an idle guest keep its host CPUs (KVM)",
	 .man = "With mem-lock=on, disks that have aio=io_uring and cache=none or directsync need less CPU time: guest memory is registered "
		"with the kernel.",
	 .fn = options_overcommit},
	{.name = "numa",
	 .arg = "node[,nodeid=N][,mem=SIZE|,memdev=ID][,cpus=A-B]",
	 .help = "a NUMA node; or dist,src=N,dst=N,val=D; or cpu,node-id=N,socket-id=S...",
	 .man = "memdev names a memory backend (-object memory-backend-ram and others), which then holds that node's "
		"memory. Without mem and memdev all nodes have the same; without any cpus whole sockets go round the nodes. "
		"The guest is told in the ACPI tables SRAT and SLIT.",
	 .fn = options_numa},
	{.name = "rtc",
	 .arg = "[base=utc|localtime|DATE][,clock=host|rt|vm][,driftfix=none|slew]",
	 .help = "the real-time clock's start and pace",
	 .man = "A DATE is 2006-06-17 or 2006-06-17T16:01:21, in UTC. With clock=vm the clock "
		"stands still while the guest is paused. driftfix=slew has periodic interrupts that the guest was "
		"too slow for come later, for those that count them.",
	 .fn = opt_rtc},

	{.name = "no-hpet",
	 .help = "a pc or q35 without HPET, as -machine hpet=off",
	 .fn = options_no_hpet},
	{.name = "no-acpi", .help = "no ACPI tables, as -machine acpi=off", .fn = options_no_acpi},

	/* Disks */
	{.name = "drive",
	 .arg = "[file=]FILE[,if=IF][,id=ID][,format=FORMAT][,media=disk|cdrom][,cache=MODE][,KEY=VALUE]...",
	 .heading = "Disks",
	 .help = "a disk and its image; docs/disks.md has all keys",
	 .man = "if= is ide, floppy, pflash, virtio or none (for a -device that names it); index=, "
		"or bus= and unit=, say where. cache= is writeback, none, writethrough, directsync or "
		"unsafe; aio= is io_uring, native or threads; werror= and rerror= are report, ignore, stop and "
		"enospc. Further keys are snapshot=, read-only=, discard=, detect-zeroes=, throttling.*, "
		"force-share=, node-name=, and those of the format and, after file., of the file.",
	 .fn = options_drive},
	{.name = "blockdev",
	 .arg = "[driver=]DRIVER,node-name=NAME[,KEY=VALUE]...",
	 .help = "a node of the block graph, for -device drive=NAME or another node",
	 .man = "Keys may be nested (file.driver=file,file.filename=a.img), or the value be a JSON "
		"object.",
	 .fn = options_blockdev},
	{.name = "hda",
	 .arg = "FILE",
	 .help = "image of the first IDE disk",
	 .man = "A FILE without an option is the same.",
	 .fn = options_hda},
	{.name = "hdb", .arg = "FILE", .help = "image of the second IDE disk", .fn = options_hdb},
	{.name = "hdc", .arg = "FILE", .help = "image of the third IDE disk", .fn = options_hdc},
	{.name = "hdd", .arg = "FILE", .help = "image of the fourth IDE disk", .fn = options_hdd},
	{.name = "cdrom", .arg = "FILE", .help = "image in the CD-ROM drive", .fn = options_cdrom},
	{.name = "fda",
	 .arg = "FILE",
	 .help = "image in the first floppy drive",
	 .fn = options_fda},
	{.name = "fdb",
	 .arg = "FILE",
	 .help = "image in the second floppy drive",
	 .fn = options_fdb},
	{.name = "snapshot",
	 .help = "what the guest writes is gone at the end",
	 .fn = options_snapshot},

	/* Booting a kernel */
	{.name = "kernel",
	 .arg = "FILE",
	 .heading = "Booting a kernel",
	 .help = "boot this kernel: Linux bzImage, ELF with a PVH note, or multiboot",
	 .fn = opt_kernel},
	{.name = "initrd",
	 .arg = "FILE",
	 .help = "initial RAM disk, or the modules of a multiboot kernel",
	 .man = "For multiboot: \"FILE ARGUMENTS,FILE2 ARGUMENTS\", with two commas for one.",
	 .fn = opt_initrd},
	{.name = "append", .arg = "TEXT", .help = "the kernel's command line", .fn = opt_append},

	{.name = "dtb",
	 .arg = "FILE",
	 .help = "device tree for the kernel, instead of the board's own",
	 .fn = options_dtb},

	/* Firmware */
	{.name = "pflash",
	 .arg = "FILE",
	 .heading = "Firmware",
	 .help = "image of a flash chip, as -drive if=pflash",
	 .fn = options_pflash},
	{.name = "bios",
	 .arg = "FILE",
	 .help = "firmware image, a path or a name within the directories of -L",
	 .man = "Without it, and without -kernel, the board's own firmware runs: SeaBIOS. A kernel "
		"given by -kernel is started right away, without firmware, unless -bios or "
		"-drive if=pflash is given too: then the firmware starts it.",
	 .fn = options_bios},
	{.name = "L",
	 .arg = "DIR",
	 .help = "look for firmware in DIR first; 'help' lists the directories",
	 .fn = options_data_dir},
	{.name = "boot",
	 .arg = "[order=]DRIVES[,once=DRIVES][,menu=on|off][,splash=FILE][,splash-time=MS]"
		"[,reboot-timeout=MS][,strict=on|off]",
	 .help = "what firmware boots from, and in which order",
	 .man = "DRIVES are letters: a (floppy), c (hard disk), d (CD-ROM), n (network). once= holds "
		"for the first boot alone. A device's bootindex= goes before them. With menu=on "
		"SeaBIOS offers a menu, for splash-time= milliseconds; reboot-timeout= says after how "
		"many it tries again when nothing boots. With strict=on it boots from nothing that has "
		"no bootindex. UEFI firmware knows bootindex= alone, and takes the menu's time "
		"as that in which a key enters its own menu.",
	 .fn = options_boot},
	{.name = "no-fd-bootchk",
	 .help = "firmware does not check a floppy's boot sector for its signature",
	 .fn = options_no_fd_check},

	{.name = "uuid",
	 .arg = "UUID",
	 .help = "the machine's identity, which SMBIOS and fw_cfg tell the guest",
	 .fn = options_uuid},
	{.name = "smbios",
	 .arg = "type=N[,KEY=VALUE]...|file=FILE",
	 .help = "what the machine says of itself in SMBIOS",
	 .man = "type=0 (BIOS) takes vendor=, version=, date=, release=MAJOR.MINOR and uefi=on; type=1 (system) "
		"manufacturer=, product=, version=, serial=, uuid=, sku= and family=; type=2 (board) "
		"manufacturer=, product=, version=, serial=, asset= and location=; type=3 (chassis) "
		"manufacturer=, version=, serial=, asset= and sku=; type=4 (processors) sock_pfx=, "
		"manufacturer=, version=, serial=, asset=, part=, max-speed=, current-speed= and "
		"processor-id=; type=8 (a port) internal_reference=, external_reference=, connector_type= and "
		"port_type=; type=11 (OEM strings) value= and path=, each as often as wanted; type=17 "
		"(memory devices) loc_pfx=, bank=, manufacturer=, serial=, asset=, part= and speed=. A FILE "
		"holds one structure with its strings, instead of those of its type. -machine "
		"smbios-entry-point-type=64 makes the entry point that of SMBIOS 3.0.",
	 .fn = options_smbios},

	{.name = "fw_cfg",
	 .arg = "[name=]NAME,file=FILE|string=TEXT",
	 .help = "a file for firmware and guests, in fw_cfg",
	 .man = "NAME begins with \"opt/\", so that it is never one of the machine's own. Linux shows it in "
		"/sys/firmware/qemu_fw_cfg/by_name.",
	 .fn = options_fw_cfg},

	/* Consoles */
	{.name = "nographic",
	 .heading = "Consoles",
	 .help = "serial port and monitor on this terminal",
	 .man = "Keys go to the guest, C-c too. C-a h lists the escapes, C-a x quits, C-a c "
		"switches to the monitor and back, C-a C-a sends C-a.",
	 .fn = opt_nographic},
	{.name = "display",
	 .arg = "none",
	 .help = "no display",
	 .man = "The display adapter is there all the same: the monitor's screendump shows its "
		"screen, and sendkey types.",
	 .fn = opt_display},
	{.name = "vga",
	 .arg = "std|none",
	 .help = "the display adapter (std; none with -nodefaults)",
	 .fn = opt_vga},
	{.name = "serial",
	 .arg = "DEV",
	 .help = "the next serial port: stdio, pty, null, file:PATH, tcp:HOST:PORT, ...",
	 .man = "May be given four times, for COM1 to COM4. DEV is stdio, null, pty, file:PATH, "
		"pipe:PATH, unix:PATH, tcp:[HOST]:PORT, telnet:[HOST]:PORT, "
		"udp:[HOST]:PORT[@[ADDRESS]:PORT], a serial port of the host (/dev/ttyS0), "
		"chardev:ID or none. unix:, tcp: and telnet: connect, or with ,server=on listen, "
		"and then wait for a client unless ,wait=off is given too; ,reconnect=SECONDS has "
		"a client try again. mon:DEV shares the device with the monitor.",
	 .fn = opt_serial},
	{.name = "monitor",
	 .arg = "DEV",
	 .help = "where the monitor is: as for -serial",
	 .man = "Each gives one more, as mon: of -serial does.",
	 .fn = opt_monitor},
	{.name = "qmp", .arg = "DEVICE", .help = "QMP on DEVICE, as for -serial", .fn = opt_qmp},
	{.name = "qmp-pretty",
	 .arg = "DEVICE",
	 .help = "the same, laid out for reading",
	 .fn = opt_qmp_pretty},
	{.name = "mon",
	 .arg = "[chardev=]ID[,mode=readline|control][,pretty=on|off]",
	 .help = "a monitor on a -chardev",
	 .man = "readline is for people, control is QMP.",
	 .fn = opt_mon},
	{.name = "chardev",
	 .arg = "BACKEND,id=ID[,KEY=VALUE]...",
	 .help = "a character back end by name; 'help' lists them",
	 .man = "All take logfile=FILE, which gets what the guest prints, with logappend=on at its "
		"end, and mux=on, which lets several front ends share it (C-a c switches). stdio takes "
		"signal=on|off. file takes path=PATH, append=on and input-path=PATH. pipe takes "
		"path=PATH: PATH.in is read and PATH.out written, or PATH is both. pty makes a "
		"terminal, with path=LINK a link to it. serial takes path=DEVICE. ringbuf takes "
		"size=BYTES. socket takes path=PATH (with abstract=on in the abstract "
		"name space, tight=on|off), or host=HOST and port=PORT with to=PORT, ipv4=, ipv6=, "
		"nodelay=on, or fd=NUMBER; server=on with wait=on|off; reconnect=SECONDS or "
		"reconnect-ms=; telnet=on. udp takes host=, port=, localaddr=, localport=, ipv4= and "
		"ipv6=.",
	 .fn = opt_chardev},
	{.name = "debugcon",
	 .arg = "DEV",
	 .help = "debug console at port 0xe9, on DEV as for -serial",
	 .fn = opt_debugcon},
	{.name = "parallel",
	 .arg = "DEV",
	 .help = "a parallel port whose printer is DEV, as for -serial",
	 .man = "May be given three times, for LPT1 to LPT3.",
	 .fn = opt_parallel},
	{.name = "echr",
	 .arg = "NUMBER",
	 .help = "escape character on the terminal instead of C-a (1)",
	 .fn = opt_echr},

	/* Running */
	{.name = "S",
	 .heading = "Running",
	 .help = "do not start the guest; the monitor's 'cont' does",
	 .fn = opt_S},
	{.name = "action",
	 .arg = "[reboot=reset|shutdown][,shutdown=poweroff|pause][,panic=shutdown|pause|exit-failure|none]"
		"[,watchdog=ACTION]",
	 .help = "what follows when the guest resets the machine, powers it off, panics, or hangs",
	 .man = "reboot=shutdown is -no-reboot, shutdown=pause is -no-shutdown. A panic (which a guest tells of by "
		"-device pvpanic) ends the machine, or with shutdown=pause pauses it; with panic=exit-failure the exit status "
		"is 1.",
	 .fn = options_action},
	{.name = "watchdog-action",
	 .arg = "reset|shutdown|poweroff|pause|debug|none|inject-nmi",
	 .help = "what follows when the guest does not pet its watchdog",
	 .man = "The watchdogs are -device i6300esb and -device ib700. reset, the default, resets the machine; shutdown presses the "
		"power button, poweroff ends the machine, debug only says so on stderr. The same as -action watchdog=.",
	 .fn = options_watchdog_action},
	{.name = "no-reboot", .help = "end when the guest resets the machine", .fn = opt_no_reboot},
	{.name = "no-shutdown",
	 .help = "stay, paused, when the guest powers off",
	 .fn = opt_no_shutdown},

	{.name = "daemonize",
	 .help = "go into the background when the start has succeeded",
	 .man = "The command ends, with status 0, when sockets listen and the guest runs; errors before that are "
		"on its stderr, and its status is 1.",
	 .fn = opt_daemonize},
	{.name = "pidfile",
	 .arg = "FILE",
	 .help = "write the process's number to FILE, which is locked and at the end removed",
	 .fn = opt_pidfile},
	{.name = "runas",
	 .arg = "USER|UID:GID",
	 .help = "run as that user, when all is open",
	 .fn = opt_runas},
	{.name = "chroot",
	 .arg = "DIR",
	 .help = "the root is DIR, when all is open",
	 .fn = opt_chroot},
	{.name = "run-with",
	 .arg = "[chroot=DIR][,user=USER|UID:GID]",
	 .help = "the same as -chroot and -runas",
	 .fn = opt_run_with},
	{.name = "sandbox",
	 .arg = "[enable=]on|off[,obsolete=allow|deny][,elevateprivileges=allow|deny|children]"
		"[,spawn=allow|deny][,resourcecontrol=allow|deny]",
	 .help = "system calls that are none of evmm's business end it (seccomp)",
	 .man = "on denies what administers the host or reaches into other processes, and obsolete "
		"calls; the others are allowed unless they are denied: changing user or group, starting "
		"programs, and setting priorities and affinities.",
	 .fn = opt_sandbox},
	{.name = "add-fd",
	 .arg = "fd=FD,set=N[,opaque=TEXT]",
	 .help = "the inherited descriptor FD belongs to set N, which /dev/fdset/N opens",
	 .fn = opt_add_fd},
	{.name = "msg",
	 .arg = "[timestamp=on|off][,guest-name=on|off]",
	 .help = "what messages begin with",
	 .fn = opt_msg},

	/* Debugging */
	{.name = "d",
	 .arg = "CATEGORY[,...]",
	 .heading = "Debugging",
	 .help = "log what is named; 'help' lists the categories",
	 .fn = opt_d},
	{.name = "D", .arg = "FILE", .help = "log to FILE instead of stderr", .fn = opt_D},
	{.name = "gdb",
	 .arg = "DEV",
	 .help = "wait for gdb on DEV, as for -serial: tcp::PORT, unix:PATH,server=on,wait=off, stdio, chardev:ID",
	 .man = "The guest runs until gdb connects (\"target remote :PORT\"), with -S not even that long. TCP "
		"listens without being told to. gdb sees vCPUs as threads, and its \"monitor\" command is the "
		"human monitor.",
	 .fn = opt_gdb},
	{.name = "s", .help = "the same as -gdb tcp::1234", .fn = opt_s},
	{.name = "qtest",
	 .arg = "DEV",
	 .help = "QEMU's test protocol on DEV, as for -serial",
	 .man = "A program at the other end reads and writes ports and memory, watches "
		"interrupt lines and, with -accel qtest, moves the clock.",
	 .fn = opt_qtest},
	{.name = "qtest-log",
	 .arg = "FILE",
	 .help = "log the test protocol to FILE, or not with 'none'; else it goes to stderr",
	 .fn = opt_qtest_log},
	{.name = "write-man", .fn = opt_write_man},

	{.name = NULL},
};
