/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Port I/O: IN, OUT, and the string forms, whose elements travel many to a trap (SDM 1, chapter 19).
 *
 * A repeated string instruction does one chunk, and is executed anew for the next, so that interrupts get in between.
 */
#include "src/cpu/sys_ops.h"
#include "src/machine.h"

#define TSS_IOMAP 0x66

void io_check(struct cpu *c, uint16_t port, unsigned size)
{
	uint32_t map, off, bits;

	if (!(c->cr0 & CR0_PE))
		return;
	if (!(c->flags & FL_VM) && c->cpl <= (c->flags & FL_IOPL) >> 12)
		return;
	if (!(c->tr.attr & SEG_P) || (c->tr.attr & 13) != SYS_TSS || c->tr.limit < TSS_IOMAP + 1)
		cpu_raise_err(c, EXC_GP, 0);
	map = (uint32_t)mmu_sys_load(c, c->tr.base + TSS_IOMAP, 2);
	off = map + port / 8;
	if (off + 1 > c->tr.limit)
		cpu_raise_err(c, EXC_GP, 0);
	bits = (uint32_t)mmu_sys_load(c, c->tr.base + off, 2);
	if ((bits >> (port & 7)) & (BIT(size) - 1))
		cpu_raise_err(c, EXC_GP, 0);
}

/* I/O breakpoints: R/W is 2, with CR4.DE. */
static void match_port(struct cpu *c, uint16_t port, unsigned size)
{
	static const uint8_t lengths[4] = {1, 2, 8, 4};
	unsigned n;

	if (likely(!(c->mode & MODE_DBP)) || !(c->cr4 & CR4_DE))
		return;
	for (n = 0; n < 4; n++) {
		unsigned len = lengths[(c->dr[7] >> (18 + 4 * n)) & 3];
		uint64_t start = c->dr[n] & ~(uint64_t)(len - 1);

		if ((c->dr[7] & (3u << (2 * n))) && ((c->dr[7] >> (16 + 4 * n)) & 3) == 2 &&
		    start < port + size && port < start + len)
			c->db_pending |= BIT(n);
	}
}

static uint16_t port_of(const struct cpu *c, const struct uop *u)
{
	return u->flags & UF_AUX ? (uint16_t)c->regs[R_RDX] : u->src;
}

const struct uop *op_in(struct cpu *c, const struct uop *u)
{
	uint16_t port = port_of(c, u);
	uint64_t v = UINT64_MAX;

	c->cur = u;
	io_check(c, port, u->size);
	match_port(c, port, u->size);
	if (c->vcpu) {
		v = vcpu_pio_read(c->vcpu, port, u->size);
		mmu_take_view(c);
	}
	if (u->size == 1)
		REG8(c, 0) = (uint8_t)v;
	else
		sys_put_gpr(c, R_RAX, u->size, v);
	return sys_done(c, u->imm);
}

const struct uop *op_out(struct cpu *c, const struct uop *u)
{
	uint16_t port = port_of(c, u);

	c->cur = u;
	io_check(c, port, u->size);
	match_port(c, port, u->size);
	if (c->vcpu) {
		vcpu_pio_write(c->vcpu, port, c->regs[R_RAX] & (UINT32_MAX >> (32 - 8 * u->size)),
			       u->size);
		mmu_take_view(c);
	}
	return sys_done(c, u->imm);
}

/* ---- strings ---- */

static uint64_t address_mask(const struct uop *u)
{
	return u->flags & UF_A16 ? 0xffff : u->flags & UF_A32 ? UINT32_MAX : UINT64_MAX;
}

static void put_masked(struct cpu *c, unsigned r, uint64_t mask, uint64_t v)
{
	if (mask == 0xffff)
		REG16(c, r) = (uint16_t)v;
	else
		c->regs[r] = v & mask;
}

/* Elements of the next trap: to the end of the page, upwards, within what the address size and the segment reach. */
static unsigned chunk_elements(struct cpu *c, const struct uop *u, int seg, uint64_t off,
			       uint64_t lin, uint64_t count)
{
	uint64_t mask = address_mask(u), n = (PAGE_SIZE - (lin & (PAGE_SIZE - 1))) / u->size;

	if (c->df < 0 || (c->mode & MODE_ONE) || n == 0)
		return 1;
	n = MIN(n, count);
	n = MIN(n, (uint64_t)VCPU_EXIT_BUF / u->size);
	if (n * u->size - 1 > mask - off)
		return 1;
	if (!(c->mode & MODE_CODE64) && !seg_allows(c, seg, (uint32_t)off, (unsigned)n * u->size))
		return 1;
	return (unsigned)n;
}

static uint64_t string_lin(struct cpu *c, const struct uop *u, int seg, uint64_t off, bool write)
{
	if (c->mode & MODE_CODE64)
		return seg >= S_FS ? c->regs[R_ESBASE + seg] + off : off;
	seg_check(c, seg, (uint32_t)off, u->size, write);
	return (uint32_t)(c->regs[R_ESBASE + seg] + off);
}

/* After N elements: registers moved on; again at the same instruction when some are left. */
static const struct uop *string_done(struct cpu *c, const struct uop *u, unsigned reg, unsigned n)
{
	uint64_t mask = address_mask(u), left = 0;

	put_masked(c, reg, mask, c->regs[reg] + (uint64_t)(c->df * (int64_t)(n * u->size)));
	if (u->flags & (UF_REP | UF_REPNE)) {
		left = (c->regs[R_RCX] & mask) - n;
		put_masked(c, R_RCX, mask, left);
	}
	if (left) {
		cpu_sync_rip(c);
		STOP();
	}
	return sys_done(c, u->imm);
}

const struct uop *op_ins(struct cpu *c, const struct uop *u)
{
	uint64_t mask = address_mask(u), off = c->regs[R_RDI] & mask, count = 1, lin;
	uint16_t port = (uint16_t)c->regs[R_RDX];
	uint8_t buf[VCPU_EXIT_BUF];
	unsigned n;

	c->cur = u;
	if (u->flags & (UF_REP | UF_REPNE))
		count = c->regs[R_RCX] & mask;
	if (!count)
		return sys_done(c, u->imm);
	io_check(c, port, u->size);
	match_port(c, port, u->size);
	lin = string_lin(c, u, S_ES, off, true);
	n = chunk_elements(c, u, S_ES, off, lin, count);
	mmu_probe(c, u, lin, n * u->size, ACC_WRITE);
	memset(buf, 0xff, n * u->size);
	if (c->vcpu) {
		vcpu_pio_read_string(c->vcpu, port, buf, u->size, n);
		mmu_take_view(c);
	}
	mmu_store_bytes(c, u, lin, buf, n * u->size);
	return string_done(c, u, R_RDI, n);
}

const struct uop *op_outs(struct cpu *c, const struct uop *u)
{
	uint64_t mask = address_mask(u), off = c->regs[R_RSI] & mask, count = 1, lin;
	uint16_t port = (uint16_t)c->regs[R_RDX];
	uint8_t buf[VCPU_EXIT_BUF];
	unsigned n;

	c->cur = u;
	if (u->flags & (UF_REP | UF_REPNE))
		count = c->regs[R_RCX] & mask;
	if (!count)
		return sys_done(c, u->imm);
	io_check(c, port, u->size);
	match_port(c, port, u->size);
	lin = string_lin(c, u, u->src, off, false);
	n = chunk_elements(c, u, u->src, off, lin, count);
	mmu_load_bytes(c, u, lin, buf, n * u->size);
	if (c->vcpu) {
		vcpu_pio_write_string(c->vcpu, port, buf, u->size, n);
		mmu_take_view(c);
	}
	return string_done(c, u, R_RSI, n);
}
