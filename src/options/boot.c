/* SPDX-License-Identifier: BSD-2-Clause */
/* Options about what boots: firmware and where it is found. */
#include <stdlib.h>
#include "src/boot/bootorder.h"
#include "src/boot/firmware.h"
#include "src/options/table.h"

bool options_bios(struct options_parse_state *p, const char *value, struct error *err)
{
	if (!*value)
		return error_set(err, "no file named");
	p->o->config.boot.bios = value;
	return true;
}

void options_machine_pflash(struct options_parse_state *p, struct optlist *l)
{
	static const char *const keys[] = {"pflash0", "pflash1"};

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *node = optlist_get(l, keys[i]);

		if (node)
			p->o->config.boot.pflash[i] = options_keep_string(p->o, xstrdup(node));
	}
}

static bool machine_switch(struct optlist *l, const char *key, bool *given, bool *out,
			   struct error *err)
{
	const char *value = optlist_get(l, key);

	if (!value)
		return true;
	*given = true;
	return (!strcmp(value, "auto") && *out) || parse_bool(value, out) ||
	       error_set(err, "%s is 'on' or 'off', not '%s'", key, value);
}

static bool machine_rtc(struct optlist *l, struct microvm_config *c, struct error *err)
{
	const char *value = optlist_get(l, "rtc");
	bool on = false;

	if (!value)
		return true;
	c->given = true;
	c->rtc = c->no_rtc = false;
	if (!strcmp(value, "auto"))
		return true;
	if (!parse_bool(value, &on))
		return error_set(err, "rtc is 'on', 'off' or 'auto', not '%s'", value);
	c->rtc = on;
	c->no_rtc = !on;
	return true;
}

/* What QEMU's microvm can have, and this one has not. */
static bool microvm_absent(struct optlist *l, struct microvm_config *c, struct error *err)
{
	static const char *const keys[] = {"pcie", "ioapic2", "x-option-roms"};

	for (unsigned i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = optlist_get(l, keys[i]);
		bool on = false;

		if (!value || (strcmp(value, "auto") == 0))
			continue;
		if (!machine_switch(l, keys[i], &c->given, &on, err))
			return false;
		if (on)
			return error_set(err, "%s=on: there is none", keys[i]);
	}
	return true;
}

bool options_machine_microvm(struct options_parse_state *p, struct optlist *l, struct error *err)
{
	struct microvm_config *c = &p->o->config.microvm;
	const char *dump = optlist_get(l, "dumpdtb");
	bool serial = !c->no_isa_serial, cmdline = !c->no_auto_cmdline;
	bool pic = !c->no_pic, pit = !c->no_pit;

	if (dump)
		p->o->config.dumpdtb = options_keep_string(p->o, xstrdup(dump));
	if (!machine_rtc(l, c, err) || !machine_switch(l, "pic", &c->given, &pic, err) ||
	    !machine_switch(l, "pit", &c->given, &pit, err) || !microvm_absent(l, c, err) ||
	    !machine_switch(l, "isa-serial", &c->given, &serial, err) ||
	    !machine_switch(l, "auto-kernel-cmdline", &c->given, &cmdline, err))
		return false;
	c->no_pic = !pic;
	c->no_pit = !pit;
	c->no_isa_serial = !serial;
	c->no_auto_cmdline = !cmdline;
	return true;
}

bool options_dtb(struct options_parse_state *p, const char *value, struct error *err)
{
	if (!*value)
		return error_set(err, "no file named");
	p->o->config.dtb = value;
	return true;
}

bool options_data_dir(struct options_parse_state *p, const char *value, struct error *err)
{
	struct machine_config *c = &p->o->config;

	if (!strcmp(value, "help") || !strcmp(value, "?")) {
		p->data_dirs_help = true;
		return true;
	}
	if (c->boot.n_data_dirs == BOOT_DATA_DIRS)
		return error_set(err, "more than %u directories", BOOT_DATA_DIRS);
	c->boot.data_dirs[c->boot.n_data_dirs++] = value;
	return true;
}

static bool boot_letters(struct optlist *l, const char *key, const char **out, struct error *err)
{
	const char *value = optlist_get(l, key);

	if (!value)
		return true;
	if (!boot_order_check(value, err))
		return false;
	*out = value;
	return true;
}

static bool boot_switch(struct optlist *l, const char *key, bool *out, struct error *err)
{
	const char *value = optlist_get(l, key);

	return !value || parse_bool(value, out) ||
	       error_set(err, "%s is 'on' or 'off', not '%s'", key, value);
}

static bool boot_ms(struct optlist *l, const char *key, int32_t *out, struct error *err)
{
	const char *value = optlist_get(l, key);
	uint64_t n;

	if (!value || !strcmp(value, "-1"))
		return true;
	if (!parse_u64(value, &n) || n > UINT16_MAX)
		return error_set(err, "%s is a number of milliseconds up to 65535, not '%s'", key,
				 value);
	*out = (int32_t)n;
	return true;
}

static bool apply_boot(struct boot_config *b, struct optlist *l, struct error *err)
{
	static const char *const known[] = {"order",	   "once",	     "menu",   "splash",
					    "splash-time", "reboot-timeout", "strict", NULL};
	const char *splash = optlist_get(l, "splash");

	b->menu_given |= optlist_get(l, "menu") != NULL;
	if (splash)
		b->splash = splash;
	return boot_letters(l, "order", &b->order, err) && boot_letters(l, "once", &b->once, err) &&
	       boot_switch(l, "menu", &b->menu, err) && boot_switch(l, "strict", &b->strict, err) &&
	       boot_ms(l, "splash-time", &b->splash_time, err) &&
	       boot_ms(l, "reboot-timeout", &b->reboot_timeout, err) &&
	       optlist_check_unused(l, known, err);
}

static void keep_string(struct options *o, const char **s, const char *old)
{
	if (*s && *s != old)
		*s = options_keep_string(o, xstrdup(*s));
}

bool options_boot(struct options_parse_state *p, const char *value, struct error *err)
{
	struct boot_config *b = &p->o->config.boot, old = *b;
	struct optlist l;
	bool ok;

	if (!optlist_parse(&l, value, "order", err))
		return false;
	ok = apply_boot(b, &l, err);
	keep_string(p->o, &b->order, old.order);
	keep_string(p->o, &b->once, old.once);
	keep_string(p->o, &b->splash, old.splash);
	optlist_free(&l);
	return ok;
}

bool options_no_fd_check(struct options_parse_state *p, const char *value, struct error *err)
{
	p->o->config.boot.fd_check_off = true;
	return true;
}

/* The kernel's chips come together: a microvm without one of them takes the local APICs alone. */
static void leave_chips_out(struct machine_config *c)
{
	if (c->irqchip_given || !(c->microvm.no_pic || c->microvm.no_pit))
		return;
	c->irqchip_given = true;
	c->irqchip = IRQCHIP_SPLIT;
}

bool options_boot_complete(struct options_parse_state *p, struct error *err)
{
	struct machine_config *c = &p->o->config;

	if (p->data_dirs_help) {
		firmware_list_dirs(c);
		exit(0);
	}
	if (c->boot.bios && !c->type->firmware)
		return error_set(err, "-bios %s: machine '%s' has no firmware", c->boot.bios,
				 c->type->name);
	if (c->microvm.given && c->type != &machine_microvm)
		return error_set(
			err,
			"-machine %s: pic=, pit=, rtc=, isa-serial=, auto-kernel-cmdline=, "
			"pcie=, ioapic2= and x-option-roms= are microvm's",
			c->type->name);
	if (c->dumpdtb && c->type != &machine_microvm)
		return error_set(err, "-machine dumpdtb=%s: machine '%s' has no device tree",
				 c->dumpdtb, c->type->name);
	if (c->dtb && !c->kernel)
		return error_set(err, "-dtb %s: it is for a kernel, which -kernel names", c->dtb);
	if (!c->boot.bios && !c->kernel && !c->accel->no_vcpus)
		c->boot.bios = c->type->firmware;
	c->boot.no_graphics = p->o->nographic;
	leave_chips_out(c);
	return true;
}
