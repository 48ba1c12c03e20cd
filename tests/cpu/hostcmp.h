/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software CPU against the host's processor: the same instruction on the same inputs, and everything that it changes compared.
 *
 * A table lists instruction forms as text, "add rmv, rv"; each is encoded many times with random operands and each encoding run
 * on many random inputs. Registers, flags, memory and, where asked for, the FXSAVE image are compared; and so are faults: vector, error
 * code, CR2, and that nothing else has changed.
 *
 * Besides single instructions, sequences of a few of the same forms with conditional jumps between them are run, so that
 * flags are also seen by what follows.
 *
 * Both sides see the same linear addresses, all below 4 GiB: code, two pages of data and a read-only one with nothing mapped
 * around them, and a stack page alike. The host executes in this process, faults come as signals; the guest executes at CPL 0 of
 * a machine with 4 MiB and no devices. 64-bit code and, for forms that have no 64-bit operand, 32-bit code as well (the
 * host's compatibility mode), and segmented 32- and 16-bit code where the host has modify_ldt.
 *
 * A program is a table and main() { return hc_main(argc, argv, name, forms, n); }.
 */
#ifndef EVMM_TESTS_HOSTCMP_H
#define EVMM_TESTS_HOSTCMP_H

#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HC_CTX	     0x20000000ull /* struct hc_ctx */
#define HC_BLOB	     0x20010000ull /* the host's way in and out */
#define HC_CODE	     0x21000000ull
#define HC_CODE_SIZE 0x40000u
#define HC_SLOT	     128u	   /* bytes of code per encoding */
#define HC_DATA	     0x22000000ull /* two pages, then a read-only one; nothing mapped before or behind */
#define HC_STACK     0x23000000ull /* one page */
#define HC_PAGE	     4096u

enum { HC_RAX, HC_RCX, HC_RDX, HC_RBX, HC_RSP, HC_RBP, HC_RSI, HC_RDI };

/*
 * The kinds of code. Segmented code runs from descriptors of the host's local descriptor table, with bases and limits: CS begins at a
 * multiple of 64 KiB, DS and ES at HC_DATA, SS at HC_STACK; DS and SS end before their pages do, ES may expand down.
 */
enum hc_code { HC_CODE64, HC_CODE32, HC_SEG32, HC_SEG16, HC_N_CODES };

#define HC_DS_LIMIT (3 * HC_PAGE - 0x81)
#define HC_SS_LIMIT (HC_PAGE - 0x81)
#define HC_ES_DOWN  0x7ffu /* the last offset that isn't in it */

enum hc_segment { HC_DS, HC_ES, HC_SS };

/* Registers before or after. */
struct hc_regs {
	uint64_t gpr[16];
	uint64_t flags;
	uint64_t rip; /* after: of the fault */
};

struct hc_fault {
	int vector; /* -1: none */
	uint64_t error, cr2;
};

struct hc_fx {
	uint8_t bytes[512];
} __attribute__((aligned(64)));

/* What one side produced. */
struct hc_result {
	struct hc_regs regs;
	struct hc_fault fault;
	struct hc_fx fx;
};

/* One operand of a form: a kind of register, memory or immediate, and bytes. */
enum hc_kind {
	HC_OP_REG,
	HC_OP_MEM,
	HC_OP_RM,
	HC_OP_IMM,
	HC_OP_FIXED,
	HC_OP_XMM,
	HC_OP_XM,
	HC_OP_MMX,
	HC_OP_MM,
	HC_OP_ST,
};

struct hc_operand {
	enum hc_kind kind;
	unsigned size;	   /* bytes, of memory for XM and MM */
	ZydisRegister reg; /* FIXED */
	int64_t value;	   /* IMM: fixed value, with fixed_imm */
	bool fixed_imm;
};

/* A form's text for one operand size, understood. */
struct hc_parsed {
	ZydisMnemonic mnemonic;
	ZydisInstructionAttributes prefixes;
	struct hc_operand ops[4];
	unsigned n;
	unsigned size; /* bytes, of v and y; 0: there is none */
};

/* An encoding, and what its memory operand is made of. */
struct hc_insn {
	uint8_t bytes[96]; /* of one instruction, or of a sequence */
	unsigned length;
	enum hc_code code;
	unsigned bits;	  /* of the code: 64, 32 or 16 */
	bool expand_down; /* segmented code: ES is */
	ZydisEncoderRequest req;
	int mem;	     /* index of the memory operand, -1: none */
	unsigned mem_size;   /* bytes */
	bool mem_only_disp;  /* the address is part of the encoding */
	uint64_t fixed_addr; /* then this */
};

/* One case: an encoding and its inputs. Hooks may change `in` and memory (before the run). */
struct hc_case {
	const struct hc_form *form;
	const struct hc_insn *insn;
	uint64_t addr; /* of the memory operand */
	struct hc_regs in;
	struct hc_fx fx;
	uint8_t *data;	/* what HC_DATA will hold: 3 pages */
	uint8_t *stack; /* what HC_STACK will hold */
	bool written;	/* hc_mem gave a hook a pointer into them */
	bool skip;	/* a hook found that the host must not run this */
};

struct hc_form {
	/*
	 * "mnemonic op, op, ..." with prefixes lock, rep, repne before it. Operands:
	 *	r8 r16 r32 r64 rv ry	a general register; v: 16, 32 and 64 bits in turn; y: 32 and 64
	 *	rm8... rmv rmy		register or memory
	 *	m8... m64 m128 m512 mv my	memory
 *	agen			an address only
	 *	i8 i16 i32 i64 iv	an immediate of at most that many bits (iv: at most 32)
	 *	1 al ax eax rax av cl...	just that
	 *	x xm32 xm64 xm128	XMM register, or memory of so many bits
	 *	q qm32 qm64		MMX register, or memory
	 *	st0 sti			x87 registers
	 */
	const char *text;
	uint32_t undefined; /* flags that the manual leaves undefined */
	unsigned options;   /* HC_* */
	void (*setup)(struct hc_case *k);
	uint32_t (*undefined_if)(const struct hc_case *k); /* more of them, by the inputs */
	unsigned feature; /* CPU_FEATURE(...) that host and guest must have; 0: none */
};

enum {
	HC_FX = 1u << 0,	    /* load and compare the FXSAVE image */
	HC_ONLY64 = 1u << 1,	    /* not in 32-bit code */
	HC_ONLY32 = 1u << 2,	    /* not in 64-bit code */
	HC_ALIGN = 1u << 3,	    /* mostly aligned memory operands */
	HC_NO_MEM_FAULTS = 1u << 4, /* memory operands that never fault */
	HC_X87_PTRS = 1u << 5,	    /* compare FIP, FDP, FOP too */
	HC_NO_HIGH8 = 1u << 6,
	HC_IN_SEQUENCES = 1u << 8, /* though it has a setup hook */
	HC_ANY_CR2 =
		1u << 7, /* which of several operands faults first is the processor's own matter */
};

/* Random numbers of the run, reproducible from its seed. */
uint64_t hc_rand(void);
/* Below N. */
uint64_t hc_below(uint64_t n);
/* A value that instructions find interesting: few bits, all ones, signs, small, or any. */
uint64_t hc_value(void);
/* The bytes that will be at linear address ADDR, for hooks; NULL when [ADDR, ADDR + SIZE) is not all there. */
uint8_t *hc_mem(struct hc_case *k, uint64_t addr, unsigned size);
/* Value of register operand R in the inputs, zero-extended. */
uint64_t hc_reg(const struct hc_case *k, ZydisRegister r);
void hc_set_reg(struct hc_case *k, ZydisRegister r, uint64_t value);
/* Of operand I: register, memory or immediate, zero-extended from its size; 0 for memory that isn't there. */
uint64_t hc_operand_value(struct hc_case *k, unsigned i);
void hc_set_operand_value(struct hc_case *k, unsigned i, uint64_t value);

/* Linear address of an offset, and the offset that leads to a linear address. */
uint64_t hc_lin(const struct hc_case *k, enum hc_segment seg, uint64_t off);
uint64_t hc_off(const struct hc_case *k, enum hc_segment seg, uint64_t lin);

int hc_main(int argc, char **argv, const char *name, const struct hc_form *forms, unsigned n);

/* ---- between the harness's files ---- */

/* Expands TEXT for operand size SIZE (of v and y). False: malformed, and why. */
bool hc_form_parse(const char *text, unsigned size, struct hc_parsed *p, const char **error);
/* The sizes that the v or y of TEXT stands for (bytes, 0-terminated); one, of 0, when it has none. */
unsigned hc_form_sizes(const char *text, unsigned sizes[4]);
/* For sequences: memory operands at fixed good addresses only, rSP no operand. */
extern bool hc_sequence;
/* A random encoding. False: the encoder can't. */
bool hc_encode(const struct hc_form *f, const struct hc_parsed *p, enum hc_code code,
	       struct hc_insn *out);
void hc_insn_init(struct hc_insn *insn, enum hc_code code);
/* Inputs for an encoding. */
void hc_make_case(struct hc_case *k);

/* False, having said why, when this host can't. */
bool hc_host_init(void);
bool hc_host_has(enum hc_code code);
/* Base of CS for code at LIN; 0 where it isn't segmented. */
static inline uint64_t hc_cs_base(const struct hc_insn *insn, uint64_t lin)
{
	return insn->code >= HC_SEG32 ? lin & ~0xffffull : 0;
}

/* The code that follows an instruction whose end is at END: a jump to the way out. Its bytes. */
unsigned hc_host_epilogue(uint8_t *p, uint64_t end, enum hc_code code);
/* HC_DATA's third page. */
void hc_host_protect(bool read_only);
void hc_host_run(const struct hc_case *k, uint64_t rip, struct hc_result *r);

void hc_guest_init(const char *model);
void hc_guest_fini(void);
bool hc_guest_has(unsigned feature);
/* What the guest has at linear address LIN, for comparing: host pointer to a page. */
uint8_t *hc_guest_page(uint64_t lin);
/* Code was put at LIN. */
void hc_guest_code_changed(void);
/* What comes before an instruction, and after it up to the HLT; their bytes (without the HLT). */
unsigned hc_guest_prologue(uint8_t *p, const struct hc_form *f, unsigned bits);
unsigned hc_guest_epilogue(uint8_t *p, const struct hc_form *f, unsigned bits);
/* Runs the code at AT, which halts at END if nothing faults. */
void hc_guest_run(const struct hc_case *k, uint64_t at, uint64_t end, struct hc_result *r);

#endif
