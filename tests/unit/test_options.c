/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: what each option sets, and one clear line for each mistake. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "io/char/chardev.h"
#include "src/options/options.h"

#define MAX_ARGS 16

static struct loop *loop;
static struct options o;
static struct error err;
static char *line; /* the arguments of the last parse */

static int setup(void **state)
{
	loop = loop_new();
	return 0;
}

static int teardown(void **state)
{
	loop_free(loop);
	return 0;
}

/* ARGS are separated by spaces; "~" stands for a space within one. */
static bool parse_after(const char *first, const char *args)
{
	char *argv[MAX_ARGS] = {"evmm", "-accel", "soft", (char *)first}, *save;
	int argc = first ? 4 : 3;

	line = xstrdup(args);
	for (char *w = strtok_r(line, " ", &save); w && argc < MAX_ARGS;
	     w = strtok_r(NULL, " ", &save)) {
		for (char *p = w; *p; p++)
			*p = *p == '~' ? ' ' : *p;
		argv[argc++] = w;
	}
	return options_parse(&o, loop, argc, argv, &err);
}

static bool parse(const char *args)
{
	return parse_after("-nodefaults", args);
}

static void done(void)
{
	error_clear(&err);
	options_free(&o);
	free(line);
}

static void assert_ok(const char *args)
{
	if (!parse(args))
		fail_msg("'%s': %s", args, err.msg);
}

static void assert_fails(const char *args, const char *want)
{
	if (parse(args))
		fail_msg("'%s' was taken", args);
	if (strcmp(err.msg, want))
		fail_msg("'%s':\n got '%s'\nwant '%s'", args, err.msg, want);
	done();
}

/* ---- optlist and numbers ---- */

static void a_list_has_keys_values_and_doubled_commas(void **state)
{
	static const char *const known[] = {"type", "path", "max", NULL};
	struct optlist l;

	assert_true(optlist_parse(&l, "pc,path=a,,b=c,mux", "type", NULL));
	assert_string_equal(optlist_get(&l, "type"), "pc");
	assert_string_equal(optlist_get(&l, "path"), "a,b=c");
	assert_false(optlist_check_unused(&l, known, &err));
	assert_string_equal(err.msg, "unknown key 'mux'; did you mean 'max'?");
	error_clear(&err);
	assert_string_equal(optlist_get(&l, "mux"), "on");
	assert_true(optlist_check_unused(&l, known, NULL));
	assert_null(optlist_get(&l, "absent"));
	optlist_free(&l);
}

static void the_last_of_two_values_counts(void **state)
{
	struct optlist l;

	assert_true(optlist_parse(&l, "a=1,a=2", NULL, NULL));
	assert_string_equal(optlist_get(&l, "a"), "2");
	assert_true(optlist_check_unused(&l, NULL, NULL));
	optlist_free(&l);
}

static void odd_lists_are_taken_apart_or_refused(void **state)
{
	struct optlist l;
	char many[1000] = "";

	assert_true(optlist_parse(&l, "", "type", NULL));
	assert_int_equal(l.n, 0);
	assert_true(optlist_parse(&l, "first", NULL, NULL));
	assert_string_equal(optlist_get(&l, NULL), "first");
	optlist_free(&l);
	assert_true(optlist_parse(&l, "a=,b==c", NULL, NULL));
	assert_string_equal(optlist_get(&l, "a"), "");
	assert_string_equal(optlist_get(&l, "b"), "=c");
	optlist_free(&l);
	assert_false(optlist_parse(&l, "a,=b", NULL, NULL));
	for (unsigned i = 0; i < 65; i++)
		strcat(many, "a=1,");
	assert_false(optlist_parse(&l, many, NULL, NULL));
	assert_int_equal(l.n, 0);
}

static void sizes_have_suffixes_and_fractions(void **state)
{
	static const struct {
		const char *s;
		uint64_t want;
	} good[] = {
		{"512", 512 * MiB}, {"512M", 512 * MiB}, {"1.5G", 1536 * MiB},
		{"1k", KiB},	    {"4096b", 4096},	 {"2t", 2 * TiB},
		{"0x10", 16 * MiB}, {"0.5k", 512},	 {"15E", 15ull << 60},
		{"0", 0},
	};
	static const char *const bad[] = {"",	"x",	 "-1",	"1x",  "1.",
					  ".5", "1.2.3", "1kk", "16E", "99999999999999999999",
					  " 1", "1 ",	 "0x",	"0xg", "1,",
					  "M"};
	uint64_t v;

	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(parse_size(good[i].s, 'M', &v));
		assert_true(v == good[i].want);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		if (parse_size(bad[i], 'M', &v))
			fail_msg("'%s' was taken as a size", bad[i]);
	assert_true(parse_size("12", 0, &v));
	assert_int_equal(v, 12);
}

static void numbers_are_decimal_hexadecimal_or_octal(void **state)
{
	static const char *const bad[] = {
		"", "0x", "08", "1a", "-1", "18446744073709551616", "0x10000000000000000"};
	uint64_t v;

	assert_true(parse_u64("18446744073709551615", &v) && v == UINT64_MAX);
	assert_true(parse_u64("0xfF", &v) && v == 255);
	assert_true(parse_u64("010", &v) && v == 8);
	assert_true(parse_u64("0", &v) && v == 0);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(parse_u64(bad[i], &v));
}

static void the_nearest_word_is_near_or_none(void **state)
{
	static const char *const words[] = {"kernel", "initrd", "machine", "m", "smp", NULL};

	assert_string_equal(nearest_word("kernal", words), "kernel");
	assert_string_equal(nearest_word("kerenl", words), "kernel");
	assert_string_equal(nearest_word("machin", words), "machine");
	assert_string_equal(nearest_word("sm", words), "smp");
	assert_null(nearest_word("zzzzzzzz", words));
	assert_null(nearest_word("set", words)); /* an s is all that it has of smp */
	assert_null(nearest_word("", words));
	assert_null(nearest_word(
		"a-word-that-is-longer-than-any-option-could-ever-be-in-this-table", words));
}

/* ---- options ---- */

static void memory_is_in_mib_or_has_a_suffix(void **state)
{
	assert_ok("-m 512");
	assert_true(o.config.ram_bytes == 512 * MiB);
	done();
	assert_ok("-m size=1.5G");
	assert_true(o.config.ram_bytes == 1536 * MiB);
	done();
	assert_ok("-m 1025k");
	assert_true(o.config.ram_bytes == 1032 * KiB);
	done();
	assert_ok("");
	assert_true(o.config.ram_bytes == 128 * MiB);
	done();
	assert_fails("-m 0", "-m 0: a guest needs at least 1M of RAM");
	assert_fails("-m 1P", "-m 1P: a guest has at most 1023G of RAM");
	assert_fails("-m 12x",
		     "-m 12x: '12x' is not a size: a number of MiB, or with a suffix k, M, G or T");
	assert_fails(
		"-m 99999999999999999999",
		"-m 99999999999999999999: '99999999999999999999' is not a size: a number of MiB, or with a suffix k, M, G or T");
	assert_fails("-m sizes=3", "-m sizes=3: unknown key 'sizes'; did you mean 'size'?");
	assert_fails("-m", "-m: a value must follow: -m [size=]MEGS");
}

static void topology_is_completed_with_cores_first(void **state)
{
	static const struct {
		const char *args;
		unsigned cpus, maxcpus, sockets, cores, threads;
	} good[] = {
		{"", 1, 1, 1, 1, 1},
		{"-smp 4", 4, 4, 1, 4, 1},
		{"-smp cpus=2", 2, 2, 1, 2, 1},
		{"-smp 8,sockets=2", 8, 8, 2, 4, 1},
		{"-smp 8,cores=2", 8, 8, 4, 2, 1},
		{"-smp 8,cores=2,threads=2", 8, 8, 2, 2, 2},
		{"-smp 8,cores=2,sockets=2", 8, 8, 2, 2, 2},
		{"-smp sockets=2,cores=3", 6, 6, 2, 3, 1},
		{"-smp 2,maxcpus=4", 2, 4, 1, 4, 1},
		{"-smp 255", 255, 255, 1, 255, 1},
		{"-smp 4,sockets=2,dies=1,clusters=1,cores=2,threads=1", 4, 4, 2, 2, 1},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		const struct machine_config *c = &o.config;

		assert_ok(good[i].args);
		assert_int_equal(c->cpus, good[i].cpus);
		assert_int_equal(c->maxcpus, good[i].maxcpus);
		assert_int_equal(c->sockets, good[i].sockets);
		assert_int_equal(c->cores, good[i].cores);
		assert_int_equal(c->threads, good[i].threads);
		done();
	}
}

static void topology_that_does_not_add_up_is_refused(void **state)
{
	assert_fails("-smp 0", "-smp 0: Invalid CPU topology: 'cpus' must be greater than zero");
	assert_fails("-smp -1", "-smp -1: Parameter 'smp.cpus' expects integer, not '-1'");
	assert_fails("-smp 256", "-smp 256: Invalid SMP CPUs 256: a machine has 255 at most");
	assert_fails(
		"-smp 2,sockets=3",
		"-smp 2,sockets=3: Invalid CPU topology: product of the hierarchy must match maxcpus: "
		"sockets (3) * cores (0) * threads (1) != maxcpus (2)");
	assert_fails(
		"-smp 4,maxcpus=2",
		"-smp 4,maxcpus=2: Invalid CPU topology: maxcpus must be equal to or greater than smp: "
		"maxcpus (2) < smp_cpus (4)");
	assert_fails(
		"-smp 2000000000,sockets=2000000000,cores=2000000000,threads=2000000000",
		"-smp 2000000000,sockets=2000000000,cores=2000000000,threads=2000000000: Invalid CPU topology: "
		"product of the hierarchy must match maxcpus: sockets (2000000000) * cores (2000000000) * "
		"threads (2000000000) != maxcpus (2000000000)");
	assert_fails("-smp 4,dies=2", "-smp 4,dies=2: dies=2: a socket has one of them");
	assert_fails(
		"-smp 4,clusters=0",
		"-smp 4,clusters=0: Invalid CPU topology: 'clusters' must be greater than zero");
	assert_fails("-smp 2,core=2", "-smp 2,core=2: unknown key 'core'; did you mean 'cores'?");
}

static void machine_and_accelerator_are_chosen(void **state)
{
	assert_ok("-machine none,accel=tcg,acpi=off");
	assert_ptr_equal(o.config.type, &machine_none);
	assert_ptr_equal(o.config.accel, &accel_soft);
	assert_false(o.config.acpi);
	done();
	assert_ok("-M pc -accel tcg,thread=multi --cpu max");
	assert_ptr_equal(o.config.type, &machine_pc);
	assert_true(o.config.acpi);
	assert_string_equal(o.config.cpu_model, "max");
	done();
	assert_fails("-M pcc", "-M pcc: unsupported machine type 'pcc'; -machine help lists them");
	assert_fails("-M pc,acpi=maybe", "-M pc,acpi=maybe: acpi is 'on' or 'off', not 'maybe'");
	assert_fails("-M pc,acip=on", "-M pc,acip=on: unknown key 'acip'; did you mean 'acpi'?");
	assert_fails(
		"-accel tcg,thread=single",
		"-accel tcg,thread=single: thread=single: each CPU has its own thread; only 'multi' is offered");
}

static void what_boots_is_kept_as_given(void **state)
{
	assert_ok("-kernel k -initrd i,,j -append console=ttyS0~quiet -name guest=fred");
	assert_string_equal(o.config.kernel, "k");
	assert_string_equal(o.config.initrd, "i,,j");
	assert_string_equal(o.config.append, "console=ttyS0 quiet");
	assert_string_equal(o.config.name, "fred");
	done();
	assert_fails("-initrd i", "-initrd i: only together with -kernel");
	assert_fails("-append a", "-append a: only together with -kernel");
}

static void switches_set_their_flag(void **state)
{
	assert_ok("-S -no-reboot -no-shutdown -rtc base=localtime,clock=vm");
	assert_true(o.config.start_paused && o.config.no_reboot && o.config.no_shutdown &&
		    o.config.nodefaults);
	assert_true(o.config.rtc_localtime && o.config.rtc_clock_vm && !o.config.rtc_base_set);
	done();
}

static void a_device_takes_the_place_of_the_boards_own(void **state)
{
	assert_ok("-device virtio-rng-pci -device secondary-vga");
	assert_false(o.config.no_default_cdrom || o.config.no_default_floppy);
	assert_int_equal(o.config.vga, VGA_DEFAULT);
	done();
	assert_ok("-device ide-hd,drive=d -device floppy -device driver=VGA,id=v");
	assert_true(o.config.no_default_cdrom && o.config.no_default_floppy);
	assert_int_equal(o.config.vga, VGA_NONE);
	done();
	assert_ok("-device {\"driver\":\"scsi-cd\"} -device isa-fdc");
	assert_true(o.config.no_default_cdrom && o.config.no_default_floppy);
	done();
}

static void actions_are_the_switches_by_other_names(void **state)
{
	assert_ok("-action reboot=shutdown,shutdown=pause -action panic=exit-failure");
	assert_true(o.config.no_reboot && o.config.no_shutdown);
	assert_int_equal(o.config.panic, PANIC_EXIT_FAILURE);
	done();
	assert_ok("-no-reboot -action reboot=reset");
	assert_false(o.config.no_reboot);
	done();
	assert_ok("-watchdog-action pause");
	assert_int_equal(o.config.watchdog, WATCHDOG_PAUSE);
	done();
	assert_ok("-action watchdog=inject-nmi");
	assert_int_equal(o.config.watchdog, WATCHDOG_INJECT_NMI);
	done();
	assert_fails("-watchdog-action bark",
		     "-watchdog-action bark: watchdog is 'reset', 'shutdown', 'poweroff', 'pause', "
		     "'debug', 'none' or 'inject-nmi', not 'bark'");
	assert_fails("-action panic=reset",
		     "-action panic=reset: panic is 'shutdown', 'pause', 'exit-failure' or 'none', "
		     "not 'reset'");
	assert_fails("-action reboot=no",
		     "-action reboot=no: reboot is 'reset' or 'shutdown', not 'no'");
}

static void boards_have_earlier_names(void **state)
{
	assert_ok("-M q35");
	assert_ptr_equal(o.config.type, &machine_q35);
	done();
	assert_ok("-M pc-q35-4.0.1");
	assert_ptr_equal(o.config.type, &machine_q35);
	assert_string_equal(o.config.type_name, "pc-q35-4.0.1");
	done();
	assert_ok("-machine type=pc-i440fx-2.12");
	assert_ptr_equal(o.config.type, &machine_pc);
	done();
	assert_fails(
		"-M pc-i440fx-8.0",
		"-M pc-i440fx-8.0: unsupported machine type 'pc-i440fx-8.0'; -machine help lists them");
}

static void a_microvm_leaves_things_out(void **state)
{
	assert_ok("-M microvm,pic=off,pit=off,rtc=off,pcie=off,ioapic2=auto,x-option-roms=off");
	assert_true(o.config.microvm.no_pic && o.config.microvm.no_pit && o.config.microvm.no_rtc);
	done();
	assert_ok("-M microvm,rtc=auto,pic=auto,pit=on");
	assert_false(o.config.microvm.no_pic || o.config.microvm.no_rtc || o.config.microvm.rtc);
	done();
	/* The kernel's chips come together, so they are not what it gets; unless they are asked for. */
	assert_ok("-M microvm,pic=off");
	assert_true(o.config.irqchip_given && o.config.irqchip == IRQCHIP_SPLIT);
	done();
	assert_ok("-M microvm,pit=off,kernel-irqchip=off");
	assert_true(o.config.irqchip == IRQCHIP_NONE);
	done();
	assert_ok("-M microvm");
	assert_false(o.config.irqchip_given);
	done();
	assert_fails("-M microvm,pcie=on", "-M microvm,pcie=on: pcie=on: there is none");
	assert_fails("-M microvm,rtc=maybe",
		     "-M microvm,rtc=maybe: rtc is 'on', 'off' or 'auto', not 'maybe'");
	assert_fails("-M q35,pit=off",
		     "-machine pc-q35-7.2: pic=, pit=, rtc=, isa-serial=, auto-kernel-cmdline=, "
		     "pcie=, ioapic2= and x-option-roms= are microvm's");
}

static void dates_are_checked(void **state)
{
	assert_ok("-rtc base=2006-06-17T16:01:21");
	assert_true(o.config.rtc_base_set && o.config.rtc_base_unix == 1150560081);
	done();
	assert_ok("-rtc base=2006-06-17");
	assert_true(o.config.rtc_base_unix == 1150502400);
	done();
	assert_false(parse("-rtc base=2006-02-30"));
	done();
	assert_false(parse("-rtc base=2006-06-17x"));
	done();
	assert_fails("-rtc clock=sun", "-rtc clock=sun: clock is 'host', 'rt' or 'vm', not 'sun'");
}

static void unknown_options_name_the_nearest(void **state)
{
	assert_fails("-kernal x", "-kernal: unknown option; did you mean -kernel?");
	assert_fails("--nographics", "--nographics: unknown option; did you mean -nographic?");
	assert_fails("-zzzzzzzzz", "-zzzzzzzzz: unknown option; -help lists them all");
	assert_fails("-m=512", "-m=512: the value comes after a space: -m 512");
	assert_fails("-vnc :1", "-vnc: unknown option; -help lists them all");
	assert_fails("root=/dev/vda",
		     "root=/dev/vda: neither an option nor a disk image that is there");
	assert_fails("-", "-: neither an option nor a disk image that is there");
}

static void serial_ports_get_their_back_ends(void **state)
{
	assert_ok("-serial null -serial none -serial file:/dev/null");
	assert_string_equal(chardev_id(o.config.serials[0]), "serial0");
	assert_null(o.config.serials[1]);
	assert_string_equal(chardev_id(o.config.serials[2]), "serial2");
	assert_null(o.config.serials[3]);
	assert_null(o.monitor);
	done();
	assert_fails("-serial null -serial null -serial null -serial null -serial null",
		     "-serial null: a machine has 4 serial ports");
	assert_false(parse("-serial bogus"));
	assert_non_null(strstr(err.msg, "-serial bogus: "));
	done();
}

static void one_chardev_is_shared_only_through_a_mux(void **state)
{
	assert_ok("-chardev null,id=c,mux=on -serial chardev:c -monitor chardev:c");
	assert_non_null(o.monitor);
	assert_ptr_not_equal(o.monitor, o.config.serials[0]);
	done();
	assert_fails(
		"-chardev null,id=c -serial chardev:c -monitor chardev:c",
		"-monitor chardev:c: chardev 'c' is in use already; with mux=on it could be shared");
	assert_fails("-serial chardev:d", "-serial chardev:d: there is no -chardev with id=d");
	assert_ok("-serial mon:null");
	assert_non_null(o.monitor);
	assert_true(chardev_is_mux(o.config.serials[0]));
	done();
	assert_ok("-chardev null,id=c -serial mon:chardev:c");
	assert_true(chardev_is_mux(o.config.serials[0]));
	done();
}

static void there_may_be_several_monitors(void **state)
{
	static const struct {
		const char *line;
		unsigned more;
	} lines[] = {
		{"-monitor null -monitor null -monitor null", 2},
		{"-serial mon:null -monitor null", 1},
		{"-serial mon:null -serial mon:null", 1},
		{"-monitor none -monitor null", 0},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		unsigned n = 0;

		assert_ok(lines[i].line);
		assert_non_null(o.monitor);
		list_for_each(it, &o.monitors) {
			const struct option_monitor *mon =
				list_entry(it, struct option_monitor, node);

			assert_non_null(mon->chr);
			assert_ptr_not_equal(mon->chr, o.monitor);
			assert_false(mon->qmp);
			n++;
		}
		assert_int_equal(n, lines[i].more);
		done();
	}
}

/* Else it would take the terminal, which they may need. */
static void a_monitor_that_is_elsewhere_leaves_the_terminal(void **state)
{
	static const char *const lines[] = {
		"-nographic -chardev null,mux=on,id=c -mon chardev=c -serial chardev:c",
		"-nographic -serial null -chardev null,id=c -mon chardev=c,mode=control",
		"-nographic -serial null -qmp stdio",
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		if (!parse_after(NULL, lines[i]))
			fail_msg("'%s': %s", lines[i], err.msg);
		assert_null(o.monitor);
		done();
	}
	assert_true(parse_after(NULL, "-nographic -serial null -qmp null"));
	assert_non_null(o.monitor);
	done();
}

static void debug_consoles_become_devices(void **state)
{
	struct option_device *d;

	assert_ok("-device isa-debug-exit -debugcon null");
	d = list_first(&o.devices, struct option_device, node);
	assert_string_equal(d->value, "isa-debug-exit");
	assert_null(d->chr);
	d = list_entry(o.devices.prev, struct option_device, node);
	assert_string_equal(d->option, "debugcon");
	assert_string_equal(chardev_id(d->chr), "debugcon0");
	done();
}

static void other_values_are_checked(void **state)
{
	assert_fails("-echr 256", "-echr 256: a character's number is wanted, 0 to 255");
	assert_fails("-echr x", "-echr x: a character's number is wanted, 0 to 255");
	assert_fails("-display sdl", "-display sdl: no such display; there is 'none'");
	assert_fails("-kernel", "-kernel: a value must follow: -kernel FILE");
	assert_false(parse("-d bogus"));
	assert_non_null(strstr(err.msg, "bogus"));
	assert_null(strstr(err.msg + 1, "-d bogus"));
	done();
	assert_false(parse("-D /nonexistent/log"));
	assert_non_null(strstr(err.msg, "/nonexistent/log"));
	done();
}

static void short_forms_say_what_the_long_ones_do(void **state)
{
	char *path =
		xasprintf("%s/evmm-options.XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	int fd = mkstemp(path);
	char *args;

	assert_true(fd >= 0 && ftruncate(fd, 1 << 20) == 0);
	close(fd);
	args = xasprintf("%s -no-acpi", path);
	assert_ok(args);
	assert_false(list_empty(&o.drives));
	assert_false(o.config.acpi);
	done();
	free(args);
	args = xasprintf("-pflash %s", path);
	assert_ok(args);
	done();
	free(args);
	unlink(path);
	free(path);
}

static void defaults_of_a_type_are_tried_out(void **state)
{
	assert_ok("-global kvm-pit.lost_tick_policy=delay");
	done();
	assert_ok("-global PIIX4_PM.disable_s3=1 -global isa-serial.index=1 "
		  "-global driver=virtio-blk-pci,property=num-queues,value=2");
	done();
	assert_fails(
		"-global isa-serail.index=1",
		"-global isa-serail.index=1: 'isa-serail' is not a valid device model name; did you "
		"mean 'isa-serial'?");
	assert_fails("-global isa-serial.index",
		     "-global isa-serial.index: the form is TYPE.PROPERTY=VALUE");
	assert_fails("-global driver=isa-serial,property=index",
		     "-global driver=isa-serial,property=index: the form is TYPE.PROPERTY=VALUE");
	assert_false(parse("-global isa-serial.indez=1"));
	assert_non_null(strstr(err.msg, "did you mean 'index'"));
	done();
	assert_false(parse("-global isa-serial.index=many"));
	assert_non_null(strstr(err.msg, "many"));
	done();
	assert_fails(
		"-global isa-serial.chardev=c",
		"-global isa-serial.chardev=c: 'isa-serial.chardev' is one device's own; -device sets "
		"it");
}

static void lost_ticks_are_dropped_or_made_up_for(void **state)
{
	assert_ok("-rtc base=utc,driftfix=slew");
	assert_false(list_empty(&o.globals));
	done();
	assert_ok("-rtc driftfix=none");
	assert_true(list_empty(&o.globals));
	done();
	assert_fails("-rtc driftfix=fast",
		     "-rtc driftfix=fast: driftfix is 'none' or 'slew', not 'fast'");
}

static void what_is_not_there_may_be_switched_off(void **state)
{
	assert_ok("-machine pc,usb=off,vmport=auto,smm=off");
	done();
	assert_fails("-machine pc,usb=on", "-machine pc,usb=on: usb=on: there is none");
	assert_fails("-machine pc,smm=x", "-machine pc,smm=x: smm is 'on' or 'off', not 'x'");
	assert_ok("-audiodev none,id=audio1 -audiodev {\"driver\":\"none\",\"id\":\"a2\"}");
	done();
	assert_fails("-audiodev alsa,id=a",
		     "-audiodev alsa,id=a: there is no audio driver 'alsa', only 'none'");
	assert_fails("-audiodev none", "-audiodev none: id= is missing");
}

static void a_sandbox_has_its_groups(void **state)
{
	assert_ok(
		"-sandbox on,obsolete=allow,elevateprivileges=children,spawn=deny,resourcecontrol=deny");
	assert_true(o.process.sandbox.on && o.process.sandbox.allow_obsolete);
	assert_true(o.process.sandbox.deny_elevate_children && !o.process.sandbox.deny_elevate);
	assert_true(o.process.sandbox.deny_spawn && o.process.sandbox.deny_resource_control);
	done();
	assert_ok("-sandbox off");
	assert_false(o.process.sandbox.on);
	done();
	assert_fails("-sandbox spawn=deny", "-sandbox spawn=deny: 'on' or 'off' comes first");
	assert_fails("-sandbox on,spawn=no",
		     "-sandbox on,spawn=no: spawn is 'allow' or 'deny', not 'no'");
	assert_fails("-sandbox on,spwan=deny",
		     "-sandbox on,spwan=deny: unknown key 'spwan'; did you mean 'spawn'?");
}

static void inherited_descriptors_form_sets(void **state)
{
	assert_fails("-add-fd set=1", "-add-fd set=1: fd= must be the number of a descriptor");
	assert_fails("-add-fd fd=0,set=1", "-add-fd fd=0,set=1: fd=0 is a standard stream");
	assert_fails("-add-fd fd=900,set=1",
		     "-add-fd fd=900,set=1: fd=900 is not an open descriptor that was inherited");
	assert_fails("-add-fd fd=900", "-add-fd fd=900: set= must be the number of a set");
	assert_fails("-add-fd fd=900,set=1,opqaue=x",
		     "-add-fd fd=900,set=1,opqaue=x: unknown key 'opqaue'; did you mean 'opaque'?");
}

static void objects_may_be_json(void **state)
{
	const char *device = "{\"driver\":\"isa-debug-exit\",\"iobase\":1280}";

	assert_ok("-object {\"qom-type\":\"secret\",\"id\":\"s\",\"data\":\"a,b=c\"}");
	assert_non_null(object_find(&o.objects, "s", NULL, NULL));
	done();
	assert_ok("-device {\"driver\":\"isa-debug-exit\",\"iobase\":1280}");
	assert_string_equal(list_first(&o.devices, struct option_device, node)->value, device);
	done();
	assert_false(parse("-object {\"qom-type\":\"secret\""));
	assert_non_null(strstr(err.msg, "JSON, column"));
	done();
	assert_false(parse("-object {\"qom-type\":\"secret\",\"id\":\"s\",\"data\":null}"));
	assert_non_null(strstr(err.msg, "'data'"));
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_has_keys_values_and_doubled_commas),
		cmocka_unit_test(the_last_of_two_values_counts),
		cmocka_unit_test(odd_lists_are_taken_apart_or_refused),
		cmocka_unit_test(sizes_have_suffixes_and_fractions),
		cmocka_unit_test(numbers_are_decimal_hexadecimal_or_octal),
		cmocka_unit_test(the_nearest_word_is_near_or_none),
		cmocka_unit_test(memory_is_in_mib_or_has_a_suffix),
		cmocka_unit_test(topology_is_completed_with_cores_first),
		cmocka_unit_test(topology_that_does_not_add_up_is_refused),
		cmocka_unit_test(machine_and_accelerator_are_chosen),
		cmocka_unit_test(what_boots_is_kept_as_given),
		cmocka_unit_test(switches_set_their_flag),
		cmocka_unit_test(boards_have_earlier_names),
		cmocka_unit_test(a_microvm_leaves_things_out),
		cmocka_unit_test(actions_are_the_switches_by_other_names),
		cmocka_unit_test(dates_are_checked),
		cmocka_unit_test(unknown_options_name_the_nearest),
		cmocka_unit_test(serial_ports_get_their_back_ends),
		cmocka_unit_test(one_chardev_is_shared_only_through_a_mux),
		cmocka_unit_test(there_may_be_several_monitors),
		cmocka_unit_test(a_monitor_that_is_elsewhere_leaves_the_terminal),
		cmocka_unit_test(debug_consoles_become_devices),
		cmocka_unit_test(other_values_are_checked),
		cmocka_unit_test(short_forms_say_what_the_long_ones_do),
		cmocka_unit_test(defaults_of_a_type_are_tried_out),
		cmocka_unit_test(a_device_takes_the_place_of_the_boards_own),
		cmocka_unit_test(lost_ticks_are_dropped_or_made_up_for),
		cmocka_unit_test(what_is_not_there_may_be_switched_off),
		cmocka_unit_test(a_sandbox_has_its_groups),
		cmocka_unit_test(inherited_descriptors_form_sets),
		cmocka_unit_test(objects_may_be_json),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
