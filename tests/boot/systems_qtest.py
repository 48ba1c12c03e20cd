# SPDX-License-Identifier: BSD-2-Clause
"""Devices driven over the socket, by a program that speaks the qtest protocol."""
import os
import time

from qtest import Failed, QTest
from support import WORK, check

COM1 = 0x3f8


def test_serial_port():
    """What is written to COM1 reaches its file, and the transmitter's interrupt the IOAPIC's pin 4."""
    path = os.path.join(WORK, 'qtest.serial')
    with QTest('-serial', 'file:' + path) as q:
        q.irq_intercept_in('ioapic')
        q.outb(COM1 + 1, 2)
        check(q.irqs.get(4), 'no interrupt from the empty transmitter')
        check(q.inb(COM1 + 2) == 2, 'IIR does not say THRE')
        check(not q.irqs[4], 'reading IIR does not lower the line')
        for c in b'from a test\n':
            check(q.inb(COM1 + 5) & 0x20, 'the transmitter is full')
            q.outb(COM1, c)
        status = q.close()
    check(status == 0, 'exit status %d' % status)
    check(open(path).read() == 'from a test\n', 'the file has %r' % open(path).read())


def test_clock_and_rtc():
    """The real-time clock ticks by clock_step, in the guest's time alone."""
    with QTest('-rtc', 'base=2006-06-17T16:01:21,clock=vm') as q:
        def cmos(register):
            q.outb(0x70, register)
            return q.inb(0x71)
        check((cmos(9), cmos(8), cmos(7), cmos(4), cmos(2), cmos(0)) == (0x06, 0x06, 0x17, 0x16, 0x01, 0x21),
              'the date is not what -rtc says')
        time.sleep(1.1)
        check(cmos(0) == 0x21, 'the clock went by itself')
        check(q.clock_step(40 * 10**9) >= 40 * 10**9, 'clock_step does not say the time')
        check((cmos(2), cmos(0)) == (0x02, 0x01), 'forty seconds later it is %02x:%02x' % (cmos(2), cmos(0)))
        q.irq_intercept_in('ioapic')
        q.outb(0x70, 0x0b)
        q.outb(0x71, 0x12)
        q.clock_step(10**9)
        check((8, 'raise') in q.changes, 'no update interrupt')


def test_pci_and_memory():
    """Configuration space, RAM in every form, and answers to nonsense."""
    with QTest('-m', '64') as q:
        check(q.config_read(0, 0, 0, 0) == 0x12378086, 'no i440FX at 00.0')
        check(q.config_read(0, 31, 7, 0) == 0xffffffff, 'somebody at 1f.7')
        data = os.urandom(100000)
        q.write(0x100000, data)
        check(q.read(0x100000, len(data)) == data, 'memory changed')
        q.memset(0x100000, 16, 0x5a)
        check(q.readq(0x100008) == 0x5a5a5a5a5a5a5a5a, 'memset')
        for words in (('inb',), ('inb', 'x'), ('nonsense',), ('read', 0, 1 << 40), ('irq_intercept_in', 'nobody')):
            try:
                q.command(*words)
            except Failed:
                continue
            raise AssertionError('%r was taken' % (words,))
        check(q.command('endianness') == 'little', 'endianness')
