/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saving and loading what a device declares. The form: for each described struct its version (u32), then
 * its fields in table order, elements one after the other, little-endian; described elements in place.
 *
 * The length follows from the tables alone, so loading first checks the whole of the bytes, and changes the
 * object only when they are good.
 */
#include "src/device.h"

#define VERSION_BYTES 4

static size_t desc_bytes(const struct state_desc *desc)
{
	size_t bytes = VERSION_BYTES;

	for (const struct state_field *f = desc->fields; f->name; f++)
		bytes += f->count * (f->sub ? desc_bytes(f->sub) : f->size);
	return bytes;
}

static uint8_t *desc_save(const struct state_desc *desc, const uint8_t *obj, uint8_t *p)
{
	if (desc->pre_save)
		desc->pre_save((void *)obj);
	stn_le(p, VERSION_BYTES, desc->version);
	p += VERSION_BYTES;
	for (const struct state_field *f = desc->fields; f->name; f++) {
		const uint8_t *from = obj + f->offset;

		for (size_t i = 0; i < f->count; i++, from += f->size) {
			if (f->sub) {
				p = desc_save(f->sub, from, p);
			} else {
				memcpy(p, from, f->size);
				p += f->size;
			}
		}
	}
	return p;
}

uint8_t *state_save(const struct state_desc *desc, const void *obj, size_t *bytes)
{
	uint8_t *buf;

	*bytes = desc_bytes(desc);
	buf = xmalloc(*bytes);
	desc_save(desc, obj, buf);
	return buf;
}

/* Versions, and values that C could not even look at. Returns the first byte after, NULL when bad. */
static const uint8_t *desc_check(const struct state_desc *desc, const uint8_t *p, struct error *err)
{
	uint32_t version = (uint32_t)ldn_le(p, VERSION_BYTES);

	if (version != desc->version) {
		error_set(err, "state of %s: version %u, %u is known", desc->name, version,
			  desc->version);
		return NULL;
	}
	p += VERSION_BYTES;
	for (const struct state_field *f = desc->fields; f->name; f++) {
		for (size_t i = 0; i < f->count; i++) {
			if (f->sub) {
				p = desc_check(f->sub, p, err);
				if (!p)
					return NULL;
				continue;
			}
			if (f->is_bool && *p > 1) {
				error_set(err, "state of %s: %s is neither 0 nor 1", desc->name,
					  f->name);
				return NULL;
			}
			p += f->size;
		}
	}
	return p;
}

static const uint8_t *desc_load(const struct state_desc *desc, uint8_t *obj, const uint8_t *p,
				bool *ok, struct error *err)
{
	p += VERSION_BYTES;
	for (const struct state_field *f = desc->fields; f->name; f++) {
		uint8_t *to = obj + f->offset;

		for (size_t i = 0; i < f->count; i++, to += f->size) {
			if (f->sub) {
				p = desc_load(f->sub, to, p, ok, err);
			} else {
				memcpy(to, p, f->size);
				p += f->size;
			}
		}
	}
	if (desc->post_load && !desc->post_load(obj, err))
		*ok = false;
	return p;
}

bool state_load(const struct state_desc *desc, void *obj, const uint8_t *buf, size_t bytes,
		struct error *err)
{
	size_t expected = desc_bytes(desc);
	bool ok = true;

	if (bytes != expected)
		return error_set(err, "state of %s: %zu bytes, %zu expected", desc->name, bytes,
				 expected);
	if (!desc_check(desc, buf, err))
		return false;
	desc_load(desc, obj, buf, &ok, err);
	return ok;
}
