/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs forms on both processors and compares. */
#include <cpuid.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "src/cpu/hostfeat.h"
#include "src/util.h"
#include "tests/cpu/hostcmp.h"

extern uint64_t hc_seed;

static struct {
	double seconds;
	uint64_t cases;	    /* at most; 0: by time */
	unsigned inputs;    /* per encoding */
	unsigned sequences; /* as many for four forms */
	unsigned max_failures;
	const char *only; /* forms whose text contains this */
	bool verbose;
} opt = {.seconds = 2, .inputs = 24, .sequences = 4, .max_failures = 10};

static uint64_t n_cases, n_faults, n_failed, n_code[HC_N_CODES];
static unsigned slot;
/* What memory holds before each case. */
static uint8_t data0[3 * HC_PAGE], stack0[HC_PAGE];

#define FLAGS_ARITH 0x8d5u
#define FLAGS_ALL   (FLAGS_ARITH | 0x400u | 0x3000u | 0x4000u | 0x40000u | 0x200000u)

/* ---- memory ---- */

static void put_memory(const uint8_t *data, const uint8_t *stack)
{
	memcpy((void *)HC_DATA, data, 2 * HC_PAGE);
	memcpy(hc_guest_page(HC_DATA), data, 2 * HC_PAGE);
	memcpy((void *)HC_STACK, stack, HC_PAGE);
	memcpy(hc_guest_page(HC_STACK), stack, HC_PAGE);
}

/* Does the host's memory hold what it held at first? (The guest's is the same then, if nothing was found to differ.) */
static bool memory_unchanged(void)
{
	return !memcmp((void *)HC_DATA, data0, 2 * HC_PAGE) &&
	       !memcmp((void *)HC_STACK, stack0, HC_PAGE);
}

static void fill(uint8_t *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i += 8) {
		uint64_t v = hc_value();

		memcpy(p + i, &v, 8);
	}
}

static void fresh_memory(void)
{
	static bool read_only_done;

	fill(data0, 2 * HC_PAGE);
	fill(stack0, HC_PAGE);
	if (!read_only_done) {
		fill(data0 + 2 * HC_PAGE, HC_PAGE);
		hc_host_protect(false);
		memcpy((void *)(HC_DATA + 2 * HC_PAGE), data0 + 2 * HC_PAGE, HC_PAGE);
		memcpy(hc_guest_page(HC_DATA + 2 * HC_PAGE), data0 + 2 * HC_PAGE, HC_PAGE);
		hc_host_protect(true);
	}
	read_only_done = true;
	put_memory(data0, stack0);
}

/* ---- processors that differ ---- */

static bool host_is_amd(void)
{
	static int is = -1;
	uint32_t eax, ebx = 0, ecx, edx;

	if (is < 0) {
		__cpuid(0, eax, ebx, ecx, edx);
		is = ebx == signature_AMD_ebx || ebx == 0x6f677948 /* Hygon */;
	}
	return is;
}

/*
 * When an access to memory faults, what an instruction has done before that is the processor's affair, and the software CPU does as
 * AMD's do. On Intel's an exception of the x87 comes first and the store is not tried at all; a store of an MMX register has
 * made the x87 an MMX unit; and BOUND has compared with one limit before it reads the other.
 */
static bool is_processors_affair(const struct hc_case *k, const struct hc_result *h,
				 const struct hc_result *g)
{
	static const char *const stores[] = {"fst", "fist", "fbstp"};
	const char *text = k->form->text;
	size_t n = strlen(text);

	if (host_is_amd() || g->fault.vector < 12 || g->fault.vector > 14)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(stores); i++)
		if (!strncmp(text, stores[i], strlen(stores[i])))
			return true;
	if (!strncmp(text, "bound", 5))
		return h->fault.vector == 5;
	return n > 3 && !strcmp(text + n - 3, ", q");
}

/* Repeated SCAS and CMPS: on Intel's, one that faults leaves the flags as they were. */
static uint32_t undefined_by_fault(const struct hc_case *k)
{
	return !strncmp(k->form->text, "rep", 3) && !host_is_amd() ? FLAGS_ARITH : 0;
}

/* ---- comparing ---- */

static bool same_fx(const struct hc_case *k, const struct hc_fx *a, const struct hc_fx *b)
{
	/* FCW FSW FTW; FOP FIP FDP; MXCSR; (its mask); ST and XMM registers */
	return memcmp(a->bytes, b->bytes, 5) == 0 &&
	       (!(k->form->options & HC_X87_PTRS) || memcmp(a->bytes + 6, b->bytes + 6, 18) == 0) &&
	       memcmp(a->bytes + 24, b->bytes + 24, 4) == 0 &&
	       memcmp(a->bytes + 32, b->bytes + 32, k->insn->bits == 64 ? 384 : 256) == 0;
}

/*
 * Bits of the error code that can't be compared: one side is a user, the other not; and for addresses in its own half Linux
 * claims that something is present.
 */
static uint64_t error_unknown(const struct hc_result *h)
{
	return h->fault.vector == 14 && h->fault.cr2 >> 63 ? 5 : 4;
}

static const char *compare(const struct hc_case *k, const struct hc_result *h,
			   const struct hc_result *g, uint32_t undefined, bool sequence)
{
	uint64_t mask = k->insn->bits == 64 ? ~0ull : 0xffffffff;

	if (h->fault.vector != g->fault.vector)
		return "vector";
	if (h->fault.vector >= 0) {
		if (!sequence)
			undefined = undefined_by_fault(k);
		if (h->regs.rip != g->regs.rip)
			return "rip of the fault";
		if ((h->fault.vector == 13 || h->fault.vector == 14 || h->fault.vector == 12) &&
		    (h->fault.error ^ g->fault.error) & ~error_unknown(h))
			return "error code";
		if (h->fault.vector == 14 && h->fault.cr2 != g->fault.cr2 &&
		    !(k->form->options & HC_ANY_CR2))
			return "CR2";
	}
	for (unsigned i = 0; i < 16; i++)
		if ((h->regs.gpr[i] ^ g->regs.gpr[i]) & mask)
			return "registers";
	if ((h->regs.flags ^ g->regs.flags) & FLAGS_ALL & ~undefined)
		return "flags";
	if ((k->form->options & HC_FX) && !same_fx(k, &h->fx, &g->fx))
		return "FXSAVE image";
	if (memcmp((void *)HC_DATA, hc_guest_page(HC_DATA), 2 * HC_PAGE) ||
	    memcmp((void *)HC_STACK, hc_guest_page(HC_STACK), HC_PAGE))
		return "memory";
	return NULL;
}

static void print_flags(const char *who, uint64_t fl)
{
	printf("  %-6s flags %06llx %s%s%s%s%s%s%s\n", who, (unsigned long long)fl,
	       fl & 0x800 ? " OF" : "", fl & 0x400 ? " DF" : "", fl & 0x80 ? " SF" : "",
	       fl & 0x40 ? " ZF" : "", fl & 0x10 ? " AF" : "", fl & 4 ? " PF" : "",
	       fl & 1 ? " CF" : "");
}

static void print_memory_difference(uint64_t lin, unsigned bytes)
{
	const uint8_t *h = (const uint8_t *)lin, *g = hc_guest_page(lin);
	unsigned shown = 0;

	for (unsigned i = 0; i < bytes && shown < 16; i++) {
		if (h[i] == g[i])
			continue;
		printf("  memory %#llx: host %02x guest %02x\n", (unsigned long long)lin + i, h[i],
		       g[i]);
		shown++;
	}
}

static void print_fx(const struct hc_case *k, const struct hc_fx *h, const struct hc_fx *g)
{
	for (unsigned i = 0; i < 416; i += 8) {
		uint64_t a = ldn_le(k->fx.bytes + i, 8), b = ldn_le(h->bytes + i, 8),
			 d = ldn_le(g->bytes + i, 8);

		if (b != d)
			printf("  fxsave+%u: before %016llx host %016llx guest %016llx\n", i,
			       (unsigned long long)a, (unsigned long long)b, (unsigned long long)d);
	}
}

static const char *const code_names[HC_N_CODES] = {"64-bit code", "32-bit code",
						   "segmented 32-bit code", "16-bit code"};

static void print_code(const struct hc_insn *insn, uint64_t rip)
{
	ZydisDisassembledInstruction d;

	for (unsigned at = 0; at < insn->length; at += d.info.length) {
		if (!ZYAN_SUCCESS(ZydisDisassembleIntel(insn->req.machine_mode, rip + at,
							insn->bytes + at, insn->length - at, &d)))
			break;
		printf("  %llx: %-40s", (unsigned long long)rip + at, d.text);
		for (unsigned i = 0; i < d.info.length; i++)
			printf(" %02x", insn->bytes[at + i]);
		printf("\n");
	}
}

static void report(struct hc_case *k, const char *what, const struct hc_result *h,
		   const struct hc_result *g, uint64_t rip)
{
	static const char *const names[16] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
					      "rsi", "rdi", "r8",  "r9",  "r10", "r11",
					      "r12", "r13", "r14", "r15"};

	n_failed++;
	printf("FAIL %s: %s differ (%s)\n", k->form->text, what, code_names[k->insn->code]);
	print_code(k->insn, rip);
	if (k->insn->mem >= 0)
		printf("  operand at %#llx: %016llx\n", (unsigned long long)k->addr,
		       (unsigned long long)hc_operand_value(k, (unsigned)k->insn->mem));
	for (unsigned i = 0; i < 16; i++) {
		bool differ = h->regs.gpr[i] != g->regs.gpr[i];

		if (differ || k->in.gpr[i] != h->regs.gpr[i] || hc_below(1) == 0)
			printf("  %-3s %016llx -> host %016llx guest %016llx%s\n", names[i],
			       (unsigned long long)k->in.gpr[i], (unsigned long long)h->regs.gpr[i],
			       (unsigned long long)g->regs.gpr[i], differ ? " <<<" : "");
	}
	print_flags("before", k->in.flags);
	print_flags("host", h->regs.flags);
	print_flags("guest", g->regs.flags);
	if (h->fault.vector >= 0 || g->fault.vector >= 0)
		printf("  fault: host %d error %llx cr2 %llx rip %llx; guest %d error %llx cr2 %llx rip %llx\n",
		       h->fault.vector, (unsigned long long)h->fault.error,
		       (unsigned long long)h->fault.cr2, (unsigned long long)h->regs.rip,
		       g->fault.vector, (unsigned long long)g->fault.error,
		       (unsigned long long)g->fault.cr2, (unsigned long long)g->regs.rip);
	if (k->form->options & HC_FX)
		print_fx(k, &h->fx, &g->fx);
	print_memory_difference(HC_DATA, 2 * HC_PAGE);
	print_memory_difference(HC_STACK, HC_PAGE);
}

/* ---- running ---- */

/* Code for both sides at the next slot; the address of the instruction itself. */
static uint64_t place(const struct hc_form *f, const struct hc_insn *insn, uint64_t *slot_at,
		      uint64_t *guest_end)
{
	uint8_t *h, *g;
	uint64_t at;
	unsigned n;

	if (slot == HC_CODE_SIZE / HC_SLOT) {
		slot = 0;
		hc_guest_code_changed();
	}
	*slot_at = at = HC_CODE + slot++ * HC_SLOT;
	h = (uint8_t *)at;
	g = hc_guest_page(at);
	n = hc_guest_prologue(g, f, insn->bits);
	memcpy(h + n, insn->bytes, insn->length);
	memcpy(g + n, insn->bytes, insn->length);
	at += n;
	n += insn->length;
	hc_host_epilogue(h + n, at + insn->length, insn->code);
	*guest_end = at + insn->length + hc_guest_epilogue(g + n, f, insn->bits);
	return at;
}

/* Stands for whatever a sequence is made of; its undefined flags are the sequence's. */
static struct hc_form sequence_form = {.text = "sequence"};

static void run_case(struct hc_case *k, uint64_t rip, uint64_t slot_at, uint64_t end)
{
	static struct hc_result h, g;
	uint32_t undefined = k->form->undefined;
	const char *what;
	bool affair;

	k->skip = k->written = false;
	hc_make_case(k);
	if (!k->skip) {
		if (k->written)
			put_memory(k->data, k->stack);
		if (k->form->undefined_if)
			undefined |= k->form->undefined_if(k);
		hc_host_run(k, rip, &h);
		hc_guest_run(k, slot_at, end, &g);
		n_cases++;
		n_code[k->insn->code]++;
		n_faults += h.fault.vector >= 0;
		affair = is_processors_affair(k, &h, &g);
		what = affair ? NULL : compare(k, &h, &g, undefined, k->form == &sequence_form);
		if (what)
			report(k, what, &h, &g, rip);
		if (what || affair || !memory_unchanged())
			put_memory(data0, stack0);
	}
	if (k->written) {
		memcpy(k->data, data0, sizeof(data0));
		memcpy(k->stack, stack0, sizeof(stack0));
	}
}

/* All inputs of one encoding. False when it failed. */
static bool run_inputs(const struct hc_form *f, const struct hc_insn *insn)
{
	static uint8_t data[3 * HC_PAGE], stack[HC_PAGE];
	static struct hc_case k;
	uint64_t rip, at, end, failed = n_failed;

	k.form = f;
	k.insn = insn;
	k.data = data;
	k.stack = stack;
	memcpy(data, data0, sizeof(data0));
	memcpy(stack, stack0, sizeof(stack0));
	rip = place(f, insn, &at, &end);
	for (unsigned i = 0; i < opt.inputs && n_failed == failed; i++)
		run_case(&k, rip, at, end);
	return n_failed == failed;
}

static bool run_encoding(const struct hc_form *f, const struct hc_parsed *p, enum hc_code code)
{
	static struct hc_insn insn;

	if (hc_encode(f, p, code, &insn))
		return run_inputs(f, &insn);
	printf("FAIL %s (%s, size %u): the encoder has no such instruction\n", f->text,
	       code_names[code], p->size);
	n_failed++;
	return false;
}

/* Does TEXT name a general register of 64 bits, or integers in memory that only those hold? */
static bool needs_64(const struct hc_form *f)
{
	if (strstr(f->text, "r64") || strstr(f->text, "rm64") || strstr(f->text, "rax"))
		return true;
	return !(f->options & HC_FX) && strstr(f->text, "64");
}

static bool runs_in(const struct hc_form *f, unsigned size, enum hc_code code)
{
	if (!hc_host_has(code))
		return false;
	if (code == HC_CODE64)
		return !(f->options & HC_ONLY32);
	if (code >= HC_SEG32 && (f->options & HC_FX))
		return false;
	return !(f->options & HC_ONLY64) && size != 8 && !needs_64(f);
}

/* One form of the table, understood: at each operand size. */
struct entry {
	const struct hc_form *form;
	struct hc_parsed parsed[3];
	unsigned n_sizes;
	bool broken;
};

static void prepare(struct entry *e, const struct hc_form *f)
{
	unsigned sizes[4];
	const char *error;

	e->form = f;
	e->n_sizes = hc_form_sizes(f->text, sizes);
	for (unsigned i = 0; i < e->n_sizes; i++) {
		if (hc_form_parse(f->text, sizes[i], &e->parsed[i], &error))
			continue;
		printf("FAIL %s: %s\n", f->text, error);
		n_failed++;
		e->broken = true;
	}
}

/* One encoding at each size and in each kind of code. */
static bool run_form(const struct entry *e)
{
	const struct hc_form *f = e->form;
	bool ok = true;

	for (unsigned i = 0; i < e->n_sizes; i++)
		for (enum hc_code code = 0; code < HC_N_CODES && ok; code++)
			if (runs_in(f, e->parsed[i].size, code))
				ok = run_encoding(f, &e->parsed[i], code);
	return ok;
}

/* ---- sequences ---- */

static bool in_sequences(const struct entry *e)
{
	const struct hc_form *f = e->form;

	return !e->broken && !(f->options & HC_FX) && (!f->setup || (f->options & HC_IN_SEQUENCES));
}

/* Flags that an instruction reads, surely writes, and may leave undefined. */
struct flag_use {
	uint32_t reads, writes, undefined;
};

static struct flag_use flag_use(const struct hc_form *f, const struct hc_insn *insn)
{
	struct flag_use use = {.undefined = f->undefined};
	const ZydisAccessedFlags *fl;
	ZydisDecodedInstruction d;
	ZydisDecoder dec;

	ZydisDecoderInit(&dec, insn->req.machine_mode,
			 insn->bits == 64 ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32);
	if (!ZYAN_SUCCESS(
		    ZydisDecoderDecodeInstruction(&dec, NULL, insn->bytes, insn->length, &d)) ||
	    !d.cpu_flags)
		return use;
	fl = d.cpu_flags;
	use.reads = fl->tested;
	use.undefined |= fl->undefined & FLAGS_ARITH;
	use.writes = fl->modified | fl->set_0 | fl->set_1;
	if (f->undefined_if) {
		/* A count of 0 writes nothing, and over 1 leaves undefined what is said to be modified. */
		use.undefined |= use.writes & FLAGS_ARITH;
		use.writes = 0;
	}
	if (insn->req.mnemonic == ZYDIS_MNEMONIC_PUSHF ||
	    insn->req.mnemonic == ZYDIS_MNEMONIC_PUSHFD ||
	    insn->req.mnemonic == ZYDIS_MNEMONIC_PUSHFQ ||
	    insn->req.mnemonic == ZYDIS_MNEMONIC_LAHF)
		use.reads = FLAGS_ARITH;
	return use;
}

/* Adds INSN to SEQ unless it looks at flags that aren't defined there. */
static bool append(struct hc_insn *seq, const struct hc_form *f, const struct hc_insn *insn,
		   uint32_t *undefined)
{
	struct flag_use use = flag_use(f, insn);

	if ((use.reads & *undefined) || seq->length + insn->length > sizeof(seq->bytes))
		return false;
	memcpy(seq->bytes + seq->length, insn->bytes, insn->length);
	seq->length += insn->length;
	*undefined = (*undefined & ~use.writes) | use.undefined;
	sequence_form.undefined |= use.undefined;
	return true;
}

/* Flags that condition CC looks at. */
static uint32_t condition_reads(unsigned cc)
{
	static const uint32_t reads[8] = {0x800, 0x001, 0x040, 0x041, 0x080, 0x004, 0x880, 0x8c0};

	return reads[cc >> 1];
}

static bool one_of(const struct entry *entries, unsigned n, enum hc_code code,
		   const struct entry **e, struct hc_insn *insn)
{
	const struct entry *pick = &entries[hc_below(n)];
	const struct hc_parsed *p = &pick->parsed[hc_below(pick->n_sizes)];

	*e = pick;
	return in_sequences(pick) && runs_in(pick->form, p->size, code) &&
	       hc_encode(pick->form, p, code, insn);
}

static void put_byte(struct hc_insn *seq, unsigned b)
{
	seq->bytes[seq->length++] = (uint8_t)b;
}

/* Jcc, LOOPNE, LOOPE, LOOP, JrCXZ or JMP over the instruction that follows. */
static bool append_jumped(struct hc_insn *seq, const struct hc_form *f, const struct hc_insn *insn,
			  uint32_t *undefined)
{
	unsigned op = (unsigned)hc_below(21), start = seq->length;
	uint32_t before = *undefined, reads = op < 16 ? condition_reads(op) : op < 18 ? 0x040 : 0;

	if (reads & *undefined)
		return false;
	put_byte(seq, op < 16 ? 0x70 + op : op < 20 ? 0xe0 + op - 16 : 0xeb);
	put_byte(seq, insn->length);
	if (!append(seq, f, insn, undefined)) {
		seq->length = start;
		return false;
	}
	*undefined |= before;
	return true;
}

/* A call of the instruction and a RET. */
static bool append_called(struct hc_insn *seq, const struct hc_form *f, const struct hc_insn *insn,
			  uint32_t *undefined)
{
	unsigned start = seq->length;

	if (strstr(f->text, "push") || strstr(f->text, "pop"))
		return false;
	put_byte(seq, 0xe8); /* CALL, over the JMP that goes over both */
	put_byte(seq, 2);
	for (unsigned i = 1; i < (seq->bits == 16 ? 2 : 4); i++)
		put_byte(seq, 0);
	put_byte(seq, 0xeb);
	put_byte(seq, insn->length + 1);
	if (!append(seq, f, insn, undefined)) {
		seq->length = start;
		return false;
	}
	put_byte(seq, 0xc3);
	return true;
}

/* A few instructions; some are jumped over by a condition, some are called. */
static void make_sequence(const struct entry *entries, unsigned n, enum hc_code code,
			  struct hc_insn *seq)
{
	static struct hc_insn insn;
	unsigned want = 2 + (unsigned)hc_below(4), have = 0;
	uint32_t undefined = 0;
	const struct entry *e;

	hc_insn_init(seq, code);
	sequence_form.undefined = 0;
	for (unsigned tries = 0; have < want && tries < 200 && seq->length < 56; tries++) {
		if (!one_of(entries, n, code, &e, &insn))
			continue;
		switch (have ? hc_below(6) : 2) {
		case 0:
			have += append_called(seq, e->form, &insn, &undefined);
			break;
		case 1:
		case 3:
			have += append_jumped(seq, e->form, &insn, &undefined);
			break;
		default:
			have += append(seq, e->form, &insn, &undefined);
			break;
		}
	}
}

static bool run_sequence(const struct entry *entries, unsigned n)
{
	static struct hc_insn seq;
	enum hc_code code = hc_below(2) ? HC_CODE64 : (enum hc_code)hc_below(HC_N_CODES);

	hc_sequence = true;
	make_sequence(entries, n, hc_host_has(code) ? code : HC_CODE64, &seq);
	hc_sequence = false;
	return !seq.length || run_inputs(&sequence_form, &seq);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static bool wanted(const struct hc_form *f)
{
	if (opt.only && !strstr(f->text, opt.only))
		return false;
	return !f->feature || (host_has_feature(f->feature) && hc_guest_has(f->feature));
}

static void run_all(const struct hc_form *forms, unsigned n)
{
	double start = now(), end = start + opt.seconds;
	struct entry *entries = calloc(n, sizeof(*entries));
	unsigned run = 0;
	bool stop = false;

	for (unsigned i = 0; i < n; i++)
		if (wanted(&forms[i]))
			prepare(&entries[run++], &forms[i]);
	while (!stop) {
		fresh_memory();
		for (unsigned i = 0; i < run && n_failed < opt.max_failures; i++)
			if (!entries[i].broken)
				entries[i].broken = !run_form(&entries[i]);
		for (unsigned i = 0; i < opt.sequences * run / 4 && n_failed < opt.max_failures;
		     i++)
			run_sequence(entries, run);
		stop = n_failed >= opt.max_failures || !run ||
		       (opt.cases ? n_cases >= opt.cases : now() >= end);
	}
	free(entries);
	printf("%u forms, %u skipped (not on this host or model); %llu cases, %llu of them faults, %llu failed; %.1f s\n",
	       run, n - run, (unsigned long long)n_cases, (unsigned long long)n_faults,
	       (unsigned long long)n_failed, now() - start);
	for (enum hc_code code = 0; code < HC_N_CODES; code++) {
		if (hc_host_has(code))
			printf("%s: %llu cases\n", code_names[code],
			       (unsigned long long)n_code[code]);
		else
			printf("%s: skipped, this host doesn't run it\n", code_names[code]);
	}
}

static void usage(const char *name)
{
	printf("usage: %s [-s SECONDS | -n CASES] [-S SEED] [-f TEXT] [-m MAX-FAILURES] [-i INPUTS] [-q SEQUENCES] [-c CPU-MODEL]\n",
	       name);
}

int hc_main(int argc, char **argv, const char *name, const struct hc_form *forms, unsigned n)
{
	const char *model = "max";
	int o;

	hc_seed = 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((o = getopt(argc, argv, "s:n:S:f:m:i:q:c:h")) != -1) {
		switch (o) {
		case 's':
			opt.seconds = atof(optarg);
			break;
		case 'n':
			opt.cases = strtoull(optarg, NULL, 0);
			break;
		case 'S':
			hc_seed = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			opt.only = optarg;
			break;
		case 'm':
			opt.max_failures = (unsigned)atoi(optarg);
			break;
		case 'i':
			opt.inputs = (unsigned)atoi(optarg);
			break;
		case 'q':
			opt.sequences = (unsigned)atoi(optarg);
			break;
		case 'c':
			model = optarg;
			break;
		default:
			usage(name);
			return 2;
		}
	}
	if (!hc_host_init())
		return 77;
	hc_guest_init(model);
	run_all(forms, n);
	hc_guest_fini();
	return n_failed ? 1 : 0;
}
