/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A QMP session on a chardev.
 *
 *	CLOSED --opened: greeting--> NEGOTIATING --qmp_capabilities--> COMMANDS --closed--> CLOSED
 *
 * Input is taken apart into requests; those in band wait in a queue and run one after the other, one a turn of the loop,
 * so that a flood on one session leaves the others their share. Out-of-band ones run as they are read. Who doesn't read
 * its answers is not read from, and loses events.
 *
 *	chardev -> input -> json_stream -> requests -> running -> output -> chardev
 *	              `-- a long text: parsed by a worker meanwhile
 */
#include <stdlib.h>
#include <unistd.h>
#include "config.h"
#include "io/char/chardev.h"
#include "monitor/monitor.h"
#include "monitor/monitors.h"
#include "monitor/json_stream.h"
#include "monitor/qmp.h"
#include "monitor/version.h"
#include "src/worker.h"

#define REQUESTS_MAX  8		  /* waiting; QEMU's number */
#define OUTPUT_HIGH   (64u << 10) /* with more waiting for its reader, nothing is read */
#define OUTPUT_MAX    (1u << 20)  /* with more, events are dropped */
#define PARSE_ON_LOOP (64u << 10) /* longer texts are a worker's */
#define ERROR_BYTES   256
#define FDS_MAX	      16

struct request {
	struct list node;
	json_t *object; /* NULL: ERROR says why */
	char *error;
};

/* A long text at a worker. Outlives the session if that closes meanwhile. */
struct parse_job {
	struct worker_job job;
	struct qmp *q;	  /* NULL: nobody waits any more */
	struct list node; /* of the session's */
	char *text;
	size_t len;
	json_t *value;
	char error[ERROR_BYTES];
};

struct qmp {
	struct monitors *monitors;
	struct machine *machine;
	struct chardev *chr;
	bool pretty;

	bool open, negotiated, oob;
	struct json_stream stream;
	uint8_t input[4096];
	size_t input_start, input_len;
	int fds[FDS_MAX]; /* that came, and nobody has taken yet */
	unsigned n_fds;
	struct parse_job *parsing;

	struct list requests;
	unsigned n_requests;
	struct loop_work work;
	struct list running; /* struct running: one in band, and those out of band */
	bool busy;	     /* one in band runs */

	char *out;
	size_t out_start, out_len, out_capacity;
	uint64_t events_dropped;
	struct event_sink sink;
};

struct running {
	struct list node;
	struct qmp *q;
	struct command_call *call;
	json_t *id;
	bool in_band;
};

/* ---- output ---- */

static void flush(struct qmp *q)
{
	size_t n = q->out_len ? chardev_write(q->chr, q->out + q->out_start, q->out_len) : 0;

	q->out_start += n;
	q->out_len -= n;
	if (q->out_len)
		return;
	q->out_start = 0;
	if (q->out_capacity > OUTPUT_HIGH) {
		free(q->out);
		q->out = NULL;
		q->out_capacity = 0;
	}
}

static void put(struct qmp *q, const char *text, size_t n)
{
	if (q->out_start + q->out_len + n > q->out_capacity) {
		if (q->out_len)
			memmove(q->out, q->out + q->out_start, q->out_len);
		q->out_start = 0;
		if (q->out_len + n > q->out_capacity) {
			q->out_capacity = MAX(2 * q->out_capacity, q->out_len + n);
			q->out = xrealloc(q->out, q->out_capacity);
		}
	}
	memcpy(q->out + q->out_start + q->out_len, text, n);
	q->out_len += n;
}

static void send(struct qmp *q, const json_t *message)
{
	char *text = json_dumps(message, JSON_ENSURE_ASCII | (q->pretty ? JSON_INDENT(4) : 0));
	bool idle = !q->out_len;

	put(q, text, strlen(text));
	put(q, "\r\n", 2);
	free(text);
	if (idle)
		flush(q);
}

static void send_event(void *opaque, json_t *event)
{
	struct qmp *q = opaque;

	if (!q->negotiated)
		return;
	if (q->out_len > OUTPUT_MAX)
		q->events_dropped++;
	else
		send(q, event);
}

static json_t *error_response(const char *error_class, const char *desc)
{
	return json_pack("{s:{s:s,s:s}}", "error", "class", error_class, "desc", desc);
}

static void respond(struct qmp *q, json_t *response, json_t *id)
{
	if (id)
		json_object_set(response, "id", id);
	send(q, response);
	json_decref(response);
}

/* ---- running ---- */

static void parse_input(struct qmp *q);

static void running_free(struct running *r)
{
	list_remove(&r->node);
	json_decref(r->id);
	free(r);
}

static void command_done(struct command_call *call)
{
	struct running *r = call->opaque;
	struct qmp *q;

	if (!r)
		return; /* the session has gone */
	q = r->q;
	if (error_is_set(&call->err))
		respond(q, error_response(qmp_class_name(call->error_class), call->err.msg), r->id);
	else
		respond(q, json_pack("{s:O}", "return", call->result), r->id);
	if (r->in_band) {
		q->busy = false;
		loop_work_schedule(&q->work);
	}
	running_free(r);
}

/* What is wrong with the request, or NULL. */
static char *malformed(struct qmp *q, json_t *object)
{
	json_t *name = NULL, *v;
	const char *key;

	if (!json_is_object(object))
		return xstrdup("QMP input must be a JSON object");
	json_object_foreach(object, key, v)
	{
		if (!strcmp(key, "execute") || (q->oob && !strcmp(key, "exec-oob"))) {
			if (!json_is_string(v))
				return xasprintf("QMP input member '%s' must be a string", key);
			if (name)
				return xstrdup("QMP input members 'execute' and 'exec-oob' clash");
			name = v;
		} else if (!strcmp(key, "arguments")) {
			if (!json_is_object(v))
				return xstrdup("QMP input member 'arguments' must be an object");
		} else if (strcmp(key, "id")) {
			return xasprintf("QMP input member '%s' is unexpected", key);
		}
	}
	return name ? NULL : xstrdup("QMP input lacks member 'execute'");
}

static json_t *name_error(struct qmp *q, const char *name, const struct qmp_command *c, bool oob)
{
	bool negotiating = !strcmp(name, "qmp_capabilities");
	json_t *response;
	char *desc;

	if (!q->negotiated && !negotiating)
		return error_response("CommandNotFound",
				      "Expecting capabilities negotiation with 'qmp_capabilities'");
	if (q->negotiated && negotiating)
		return error_response(
			"CommandNotFound",
			"Capabilities negotiation is already complete, command ignored");
	if (c && (!oob || c->flags & COMMAND_OOB))
		return NULL;
	desc = c ? xasprintf("The command %s does not support OOB", name)
		 : xasprintf("The command %s has not been found", name);
	response = error_response(c ? "GenericError" : "CommandNotFound", desc);
	free(desc);
	return response;
}

/* OBJECT is well-formed. */
static void run(struct qmp *q, json_t *object)
{
	json_t *id = json_object_get(object, "id"), *response;
	const char *name = json_string_value(json_object_get(object, "execute"));
	bool oob = !name;
	const struct qmp_command *c;
	struct running *r;

	if (oob)
		name = json_string_value(json_object_get(object, "exec-oob"));
	c = qmp_command_find(name);
	response = name_error(q, name, c, oob);
	if (response) {
		respond(q, response, id);
		return;
	}
	r = xzalloc(sizeof(*r));
	r->q = q;
	r->id = json_incref(id);
	r->in_band = !oob;
	list_push_back(&q->running, &r->node);
	q->busy |= r->in_band;
	command_start(q->machine, c, json_object_get(object, "arguments"), 0, command_done, r,
		      &r->call);
}

static void request_free(struct qmp *q, struct request *req)
{
	list_remove(&req->node);
	json_decref(req->object);
	free(req->error);
	free(req);
	q->n_requests--;
}

/* One request a turn. */
static void on_work(void *opaque)
{
	struct qmp *q = opaque;

	if (!q->busy && q->n_requests) {
		struct request *req = list_first(&q->requests, struct request, node);

		if (req->error)
			respond(q, error_response("GenericError", req->error),
				req->object && json_is_object(req->object)
					? json_object_get(req->object, "id")
					: NULL);
		else
			run(q, req->object);
		request_free(q, req);
	}
	if (!q->busy && q->n_requests)
		loop_work_schedule(&q->work);
	parse_input(q);
}

json_t *qmp_capabilities(struct command_call *call, json_t *args)
{
	struct qmp *q = ((struct running *)call->opaque)->q;
	json_t *enable = json_object_get(args, "enable");

	/* The row lets nothing but "oob" be there. */
	q->oob = json_array_size(enable) > 0;
	q->negotiated = true;
	return command_ok();
}

/* ---- input ---- */

/* Takes OBJECT over; ERROR is copied. */
static void take(struct qmp *q, json_t *object, const char *error)
{
	struct request *req;
	char *why = object ? malformed(q, object) : xstrdup(error);

	if (!why && !json_object_get(object, "execute")) {
		run(q, object);
		json_decref(object);
		return;
	}
	req = xzalloc(sizeof(*req));
	req->object = object;
	req->error = why;
	list_push_back(&q->requests, &req->node);
	q->n_requests++;
	loop_work_schedule(&q->work);
}

static void parse_on_worker(struct worker_job *job)
{
	struct parse_job *p = container_of(job, struct parse_job, job);

	p->value = json_stream_parse(p->text, p->len, p->error, sizeof(p->error));
	free(p->text);
	p->text = NULL;
}

static void parsed(struct worker_job *job)
{
	struct parse_job *p = container_of(job, struct parse_job, job);
	struct qmp *q = p->q;

	if (q) {
		q->parsing = NULL;
		take(q, p->value, p->error);
		parse_input(q);
	} else {
		json_decref(p->value);
	}
	free(p->text);
	free(p);
}

static void on_text(void *opaque, const char *text, size_t len, const char *error)
{
	struct qmp *q = opaque;
	char why[ERROR_BYTES] = "";
	struct parse_job *p;
	json_t *object;

	if (error) {
		take(q, NULL, error);
		return;
	}
	if (len <= PARSE_ON_LOOP) {
		object = json_stream_parse(text, len, why, sizeof(why));
		take(q, object, why);
		return;
	}
	p = xzalloc(sizeof(*p));
	p->q = q;
	p->text = xmalloc(len);
	memcpy(p->text, text, len);
	p->len = len;
	q->parsing = p;
	worker_submit(q->machine->workers, &p->job, parse_on_worker, parsed);
}

static bool may_parse(const struct qmp *q)
{
	return q->open && q->n_requests < REQUESTS_MAX && q->out_len <= OUTPUT_HIGH && !q->parsing;
}

static void feed(struct qmp *q)
{
	while (q->input_len && may_parse(q)) {
		q->input_len--;
		json_stream_byte(&q->stream, q->input[q->input_start++]);
	}
}

/*
 * What is sent has to wait for what was sent before it, unless it may be out of band: so it isn't received yet. Nor is the
 * end of it, and a script's pipe that has said all has all its answers.
 */
static size_t qmp_can_receive(void *opaque)
{
	struct qmp *q = opaque;
	bool waits = !q->oob && (q->n_requests || q->busy);

	return !q->input_len && !waits && may_parse(q) ? sizeof(q->input) : 0;
}

static void parse_input(struct qmp *q)
{
	feed(q);
	if (qmp_can_receive(q))
		chardev_accept_input(q->chr);
}

static void close_fds(struct qmp *q)
{
	while (q->n_fds)
		close(q->fds[--q->n_fds]);
}

int qmp_take_fd(struct command_call *call)
{
	struct qmp *q = ((struct running *)call->opaque)->q;
	int fd = q->n_fds ? q->fds[0] : -1;

	if (q->n_fds)
		memmove(q->fds, q->fds + 1, --q->n_fds * sizeof(q->fds[0]));
	return fd;
}

static void take_fds(struct qmp *q)
{
	int fds[FDS_MAX];
	unsigned n = chardev_take_fds(q->chr, fds, FDS_MAX);

	if (!n)
		return;
	close_fds(q);
	memcpy(q->fds, fds, n * sizeof(fds[0]));
	q->n_fds = n;
}

static void qmp_receive(void *opaque, const uint8_t *buf, size_t n)
{
	struct qmp *q = opaque;

	take_fds(q);
	memcpy(q->input, buf, n);
	q->input_start = 0;
	q->input_len = n;
	feed(q);
}

/* ---- opening and closing ---- */

static void greet(struct qmp *q)
{
	json_t *greeting = json_pack("{s:{s:o,s:[s]}}", "QMP", "version", qmp_version(),
				     "capabilities", "oob");

	send(q, greeting);
	json_decref(greeting);
}

/* Whatever runs goes on, but nobody hears of its result. */
static void end_session(struct qmp *q)
{
	q->open = q->negotiated = q->oob = q->busy = false;
	json_stream_reset(&q->stream);
	q->input_len = 0;
	close_fds(q);
	if (q->parsing)
		q->parsing->q = NULL;
	q->parsing = NULL;
	list_for_each_safe(it, &q->requests)
		request_free(q, list_entry(it, struct request, node));
	list_for_each_safe(it, &q->running) {
		struct running *r = list_entry(it, struct running, node);

		command_abandon(r->call);
		running_free(r);
	}
	loop_work_cancel(&q->work);
	q->out_start = q->out_len = 0;
}

static void qmp_on_event(void *opaque, enum chardev_event event)
{
	struct qmp *q = opaque;

	if (event == CHR_EVENT_OPENED && !q->open) {
		q->open = true;
		greet(q);
	} else if (event == CHR_EVENT_CLOSED) {
		end_session(q);
	}
}

static void qmp_on_writable(void *opaque)
{
	struct qmp *q = opaque;

	flush(q);
	parse_input(q);
}

static const struct chardev_handlers qmp_handlers = {
	.can_receive = qmp_can_receive,
	.receive = qmp_receive,
	.event = qmp_on_event,
	.writable = qmp_on_writable,
};

struct qmp *qmp_new(struct monitors *ms, struct chardev *chr, bool pretty)
{
	struct qmp *q = xzalloc(sizeof(*q));

	LOOP_ASSERT();
	q->monitors = ms;
	q->machine = ms->machine;
	q->pretty = pretty;
	q->stream.message = on_text;
	q->stream.opaque = q;
	list_init(&q->requests);
	list_init(&q->running);
	loop_work_init(&q->work, q->machine->loop, "qmp", on_work, q);
	q->sink.send = send_event;
	q->sink.opaque = q;
	events_add_sink(ms, &q->sink);
	q->chr = chr;
	chardev_attach(chr, &qmp_handlers, q);
	return q;
}

void qmp_free(struct qmp *q)
{
	if (!q)
		return;
	flush(q); /* the last words: SHUTDOWN */
	chardev_attach(q->chr, NULL, NULL);
	chardev_release(q->chr);
	end_session(q);
	events_remove_sink(&q->sink);
	json_stream_fini(&q->stream);
	free(q->out);
	free(q);
}
