/* SPDX-License-Identifier: BSD-2-Clause */
/* -fw_cfg: files for firmware and guests to read. */
#include <stdlib.h>
#include "devices/chipset/fw_cfg.h"
#include "src/boot/firmware.h"
#include "src/options/table.h"

bool options_fw_cfg(struct options_parse_state *p, const char *value, struct error *err)
{
	struct option_device *o = xzalloc(sizeof(*o));

	o->option = "fw_cfg";
	o->value = value;
	list_push_back(&p->o->fw_cfg, &o->node);
	return true;
}

void options_free_fw_cfg(struct options *o)
{
	list_for_each_safe(it, &o->fw_cfg)
		free(list_entry(it, struct option_device, node));
	list_init(&o->fw_cfg);
}

static bool add_text(struct machine *m, const char *name, const char *text, struct error *err)
{
	return fw_cfg_add_file(m->fw_cfg, name, text, (uint32_t)strlen(text), err);
}

static bool add_contents(struct machine *m, const char *name, const char *path, struct error *err)
{
	uint64_t n;
	uint8_t *bytes = firmware_read("file", path, UINT32_MAX, &n, err);
	bool ok = bytes && fw_cfg_add_file(m->fw_cfg, name, bytes, (uint32_t)n, err);

	free(bytes);
	return ok;
}

static bool add_file(struct machine *m, struct optlist *l, struct error *err)
{
	static const char *const known[] = {"name", "file", "string", NULL};
	const char *name = optlist_get(l, "name"), *file = optlist_get(l, "file");
	const char *text = optlist_get(l, "string");

	if (!optlist_check_unused(l, known, err))
		return false;
	if (!m->fw_cfg)
		return error_set(err, "machine '%s' has no fw_cfg", m->config.type->name);
	if (!name || !*name)
		return error_set(err, "no name given");
	if (!(file && *file) == !(text && *text))
		return error_set(err, "name, plus exactly one of file and string, are needed");
	if (strlen(name) >= FW_CFG_NAME_BYTES)
		return error_set(err, "name too long (at most %d characters)",
				 FW_CFG_NAME_BYTES - 1);
	if (strncmp(name, "opt/", 4))
		report_warning("-fw_cfg name=%s: names that are not the machine's own begin with "
			       "\"opt/\"",
			       name);
	return file && *file ? add_contents(m, name, file, err) : add_text(m, name, text, err);
}

/* After what the board has: a name that it has already is the user's mistake. */
bool options_add_fw_cfg_files(struct options *o, struct machine *m, struct error *err)
{
	list_for_each(it, &o->fw_cfg) {
		const struct option_device *d = list_entry(it, struct option_device, node);
		struct optlist l;
		bool ok = optlist_parse(&l, d->value, "name", err);

		if (ok) {
			ok = add_file(m, &l, err);
			optlist_free(&l);
		}
		if (!ok) {
			error_prefix(err, "-fw_cfg %s: ", d->value);
			return false;
		}
	}
	return true;
}
