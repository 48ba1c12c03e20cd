/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys and pointers: names, codes, and the way to the devices. */
#include <stdlib.h>
#include "src/clock.h"
#include "src/input.h"
#include "src/machine.h"
#include "src/options/optlist.h"

#define QUEUE_MAX   1024 /* events of sendkey that wait */
#define KEY_PREFIX  0xe000
#define NUMBER_MASK 0x7f
#define NUMBER_E0   0x80

struct key_row {
	const char *name;
	uint16_t codes[3]; /* of sets 1 to 3 */
};

static const struct key_row key_rows[INPUT_KEYS] = {
#define KEY(constant, name, set1, set2, set3) [INPUT_KEY_##constant] = {name, {set1, set2, set3}},
#include "src/input_keys_list.h"
#undef KEY
};

static const char *const button_names[INPUT_BUTTONS] = {
	"left", "middle", "right",	"wheel-up",    "wheel-down",
	"side", "extra",  "wheel-left", "wheel-right",
};

/* What sendkey has still to do. */
struct queued {
	enum input_key key;
	bool down;
	unsigned delay_ms; /* before it */
};

struct input {
	struct machine *machine;
	struct list handlers; /* the one in use first */
	unsigned next_index;
	struct timer timer;
	struct queued queue[QUEUE_MAX]; /* a ring */
	unsigned head, count;
};

/* ---- names and codes ---- */

uint16_t input_key_scan_code(enum input_key key, unsigned set)
{
	return key_rows[key].codes[set - 1];
}

const char *input_key_name(enum input_key key)
{
	return key_rows[key].name;
}

static bool key_by_number(uint64_t number, enum input_key *key)
{
	uint16_t code = (number & NUMBER_MASK) | (number & NUMBER_E0 ? KEY_PREFIX : 0);

	for (unsigned i = INPUT_KEY_UNMAPPED + 1; number <= 0xff && i < INPUT_KEYS; i++) {
		if (key_rows[i].codes[0] == code) {
			*key = i;
			return true;
		}
	}
	return false;
}

bool input_key_parse(const char *s, size_t n, enum input_key *key)
{
	char word[32];
	uint64_t number;

	if (n >= sizeof(word))
		return false;
	memcpy(word, s, n);
	word[n] = 0;
	for (unsigned i = INPUT_KEY_UNMAPPED + 1; i < INPUT_KEYS; i++) {
		if (!strcmp(key_rows[i].name, word)) {
			*key = i;
			return true;
		}
	}
	return !strncmp(word, "0x", 2) && parse_u64(word, &number) && key_by_number(number, key);
}

const char *input_button_name(enum input_button button)
{
	return button_names[button];
}

/* ---- handlers ---- */

void input_add_handler(struct input *in, struct input_handler *h)
{
	LOOP_ASSERT();
	h->input = in;
	h->index = h->takes & (INPUT_TAKES_REL | INPUT_TAKES_ABS) ? in->next_index++ : 0;
	list_push_front(&in->handlers, &h->node);
}

void input_remove_handler(struct input_handler *h)
{
	LOOP_ASSERT();
	if (!h->input)
		return;
	list_remove(&h->node);
	h->input = NULL;
}

static struct input_handler *taker(const struct input *in, unsigned kinds)
{
	list_for_each(it, &in->handlers) {
		struct input_handler *h = list_entry(it, struct input_handler, node);

		if (h->takes & kinds)
			return h;
	}
	return NULL;
}

/* ---- events ---- */

static struct input_handler *listening(const struct input *in, unsigned kinds)
{
	LOOP_ASSERT();
	return in->machine->state == RUN_RUNNING || in->machine->state == RUN_SUSPENDED
		       ? taker(in, kinds)
		       : NULL;
}

void input_key_event(struct input *in, enum input_key key, bool down)
{
	struct input_handler *h = listening(in, INPUT_TAKES_KEYS);

	if (h && key != INPUT_KEY_UNMAPPED)
		h->ops->key(h->opaque, key, down);
}

void input_button_event(struct input *in, enum input_button button, bool down)
{
	struct input_handler *h = listening(in, INPUT_TAKES_REL | INPUT_TAKES_ABS);

	if (h && h->ops->button)
		h->ops->button(h->opaque, button, down);
}

void input_rel_event(struct input *in, enum input_axis axis, int by)
{
	struct input_handler *h = listening(in, INPUT_TAKES_REL);

	if (h)
		h->ops->rel(h->opaque, axis, by);
}

void input_abs_event(struct input *in, enum input_axis axis, int at)
{
	struct input_handler *h = listening(in, INPUT_TAKES_ABS);

	if (h)
		h->ops->abs(h->opaque, axis, MIN(MAX(at, 0), INPUT_ABS_MAX));
}

void input_sync(struct input *in)
{
	struct input_handler *h = listening(in, INPUT_TAKES_REL | INPUT_TAKES_ABS);

	if (h && h->ops->sync)
		h->ops->sync(h->opaque);
}

bool input_is_absolute(const struct input *in)
{
	const struct input_handler *h = taker(in, INPUT_TAKES_REL | INPUT_TAKES_ABS);

	return h && (h->takes & INPUT_TAKES_ABS);
}

/* ---- sendkey ---- */

/* Everything up to the next delay. */
static void queue_run(struct input *in)
{
	while (in->count) {
		struct queued *q = &in->queue[in->head];

		if (q->delay_ms) {
			timer_arm(&in->timer,
				  clock_now_ns(in->machine->clock) + q->delay_ms * NS_PER_MS);
			q->delay_ms = 0;
			return;
		}
		in->head = (in->head + 1) % QUEUE_MAX;
		in->count--;
		input_key_event(in, q->key, q->down);
	}
}

static void queue_on_timer(void *opaque)
{
	queue_run(opaque);
}

static void queue_add(struct input *in, enum input_key key, bool down, unsigned delay_ms)
{
	in->queue[(in->head + in->count++) % QUEUE_MAX] = (struct queued){key, down, delay_ms};
}

bool input_send_keys(struct input *in, const enum input_key *keys, unsigned n, unsigned hold_ms,
		     struct error *err)
{
	LOOP_ASSERT();
	if (n > INPUT_SENDKEY_MAX)
		return error_set(err, "more than %u keys at once", INPUT_SENDKEY_MAX);
	if (in->count + 2 * n > QUEUE_MAX)
		return error_set(err, "too many keys wait to be sent");
	if (!hold_ms)
		hold_ms = INPUT_SENDKEY_HOLD_MS;
	for (unsigned i = 0; i < n; i++)
		queue_add(in, keys[i], true, 0);
	for (unsigned i = n; i--;)
		queue_add(in, keys[i], false, i == n - 1 ? hold_ms : 0);
	if (!timer_pending(&in->timer))
		queue_run(in);
	return true;
}

/* ---- pointers ---- */

bool input_pointer(const struct input *in, unsigned i, struct input_pointer_info *info)
{
	const struct input_handler *current = taker(in, INPUT_TAKES_REL | INPUT_TAKES_ABS);

	/* By their numbers, whatever order they are asked in. */
	for (unsigned index = 0; index < in->next_index; index++) {
		list_for_each(it, &in->handlers) {
			const struct input_handler *h = list_entry(it, struct input_handler, node);

			if (!(h->takes & (INPUT_TAKES_REL | INPUT_TAKES_ABS)) ||
			    h->index != index || i--)
				continue;
			*info = (struct input_pointer_info){h->name, h->index, h == current,
							    h->takes & INPUT_TAKES_ABS};
			return true;
		}
	}
	return false;
}

bool input_set_pointer(struct input *in, unsigned index, struct error *err)
{
	LOOP_ASSERT();
	list_for_each(it, &in->handlers) {
		struct input_handler *h = list_entry(it, struct input_handler, node);

		if ((h->takes & (INPUT_TAKES_REL | INPUT_TAKES_ABS)) && h->index == index) {
			list_remove(&h->node);
			list_push_front(&in->handlers, &h->node);
			return true;
		}
	}
	return error_set(err, "Mouse at index '%u' not found", index);
}

/* ---- life ---- */

struct input *input_new(struct machine *m)
{
	struct input *in = xzalloc(sizeof(*in));

	in->machine = m;
	list_init(&in->handlers);
	timer_init(&in->timer, m->clock, "sendkey", queue_on_timer, in);
	return in;
}

void input_free(struct input *in)
{
	timer_cancel(&in->timer);
	free(in);
}
