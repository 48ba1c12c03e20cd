# SPDX-License-Identifier: BSD-2-Clause
"""The guests of tests/guest/kit.h, and firmware, on every accelerator that is here: they print the same."""
import os
import shutil
import subprocess
import time

from support import EVMM, Skip, check, linux

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GUESTS = os.environ.get('GUESTS') or os.path.join(os.path.dirname(os.path.abspath(EVMM)), 'tests', 'guest')
ACCELS = ('soft', 'kvm', 'kvm,kernel-irqchip=split', 'kvm,kernel-irqchip=off')
SEABIOS = '/usr/share/seabios/bios-256k.bin'


def here(accel):
    return accel == 'soft' or os.access('/dev/kvm', os.R_OK | os.W_OK)


def command(accel, *extra):
    return [EVMM, '-accel', accel, '-m', '64', '-nodefaults', '-display', 'none', '-chardev', 'stdio,id=out',
            '-device', 'isa-debugcon,iobase=0x402,chardev=out', '-device', 'pc-testdev',
            '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'] + list(extra)


def run(accel, *extra, limit=120):
    r = subprocess.run(command(accel, *extra), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=limit)
    return r.returncode, r.stdout, r.stderr


def everywhere(name, images=('elf', 'rom'), machines=('pc',), extra=()):
    """What NAME.expect says, from each accelerator, board and form of the image."""
    with open(os.path.join(TREE, 'tests', 'guest', name + '.expect')) as f:
        expect = f.read()
    for accel in ACCELS:
        for image in images if here(accel) else ():
            path = os.path.join(GUESTS, name + '.' + image)
            if not os.path.exists(path):
                raise Skip('%s is not built' % path)
            for machine in machines:
                how = ['-kernel' if image == 'elf' else '-bios', path, '-machine', machine] + list(extra)
                status, out, err = run(accel, *how)
                check((status, out) == (1, expect), '%s: %r' % (' '.join([accel] + how), (status, out, err)))


def test_accel_ports():
    """Port I/O in protected and real mode."""
    everywhere('ports')


def test_accel_strings():
    """INS and OUTS, up and down."""
    everywhere('strings')


def test_accel_mmio():
    """Device memory in every width and alignment."""
    everywhere('mmio')


def test_accel_interrupts():
    """8259s, IOAPIC and local APIC: edges, levels, masks and priorities; on both boards."""
    everywhere('irq', machines=('pc', 'q35'))


def test_accel_irqfd():
    """Interrupts by eventfd: levels that come again until they are served, and messages."""
    everywhere('irqfd', images=('elf',), machines=('pc', 'q35'))


def test_accel_timers():
    """HLT, and the timers that wake from it."""
    everywhere('timers', machines=('pc', 'q35'))


def test_accel_smp():
    """Processors are started, and send each other interrupts."""
    everywhere('smp', extra=('-smp', '4'))


def test_accel_dirty_log():
    """Written pages are told, each once things have come to rest, and no others."""
    everywhere('dirty', machines=('pc', 'q35'))


def test_accel_info():
    """The monitor shows the interrupt controllers and the 8254, whoever has them."""
    for accel in filter(here, ACCELS):
        ask = 'info pic\ninfo irq\ninfo lapic\ninfo qtree\nquit\n'
        r = subprocess.run([EVMM, '-accel', accel, '-m', '64', '-nodefaults', '-display', 'none', '-monitor', 'stdio', '-S', '-bios',
                            os.path.join(GUESTS, 'idle.rom')], input=ask, capture_output=True, text=True, timeout=60)
        who = ('kvm-i8259', 'kvm-ioapic', 'kvm-pit') if accel == 'kvm' else ('isa-i8259', 'ioapic', 'isa-pit')
        for text in ('pic0: irr=', 'pic1: irr=', '  pin 23 0x', 'LVT0 ', 'IRQ statistics for ' + who[0], 'IRQ statistics for ' + who[1],
                     *('dev: %s, id ""' % w for w in who)):
            check(text in r.stdout, '%s: no %r in %r' % (accel, text, r.stdout))


def test_accel_coalesced():
    """Writes that wait in a ring keep their place among the others."""
    everywhere('coalesced', images=('elf',), extra=('-smp', '2', '-vga', 'std'))


def test_accel_reset():
    """Every way to reset, the triple fault among them."""
    everywhere('reset', machines=('pc', 'q35'))


def test_accel_suspend():
    """Suspension to RAM, which the RTC's alarm ends: by the vector in the FACS, and through firmware; RAM has kept its contents."""
    everywhere('suspend', machines=('pc', 'q35'))


def test_accel_rom():
    """ROM stays what it is."""
    everywhere('rom_writes', images=('rom',), machines=('pc', 'q35'))


def test_accel_triple_fault_ends():
    """-no-reboot: a triple fault is the end, with status 0."""
    for accel in filter(here, ACCELS):
        status, out, err = run(accel, '-kernel', os.path.join(GUESTS, 'triple.elf'), '-no-reboot', '-debugcon',
                               'file:/dev/null')
        check(status == 0, '%s: %r' % (accel, (status, out, err)))


def seabios(machine, accel):
    p = subprocess.Popen([EVMM, '-accel', accel, '-machine', machine, '-m', '64', '-nodefaults', '-display', 'none',
                          '-chardev', 'stdio,id=out', '-device', 'isa-debugcon,iobase=0x402,chardev=out'],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    out, end = b'', time.monotonic() + 120
    os.set_blocking(p.stdout.fileno(), False)
    while b'Booting from' not in out and p.poll() is None and time.monotonic() < end:
        out += p.stdout.read() or b''
        time.sleep(0.05)
    p.terminate()
    p.wait(10)
    p.stdout.close()
    check(b'SeaBIOS (version' in out and b'Booting from' in out, '%s, %s: %r' % (machine, accel, out[-800:]))


def test_accel_seabios():
    """SeaBIOS under KVM: its banner, and what it boots from."""
    if not here('kvm'):
        raise Skip('/dev/kvm is not to be had')
    if not os.path.exists(SEABIOS):
        raise Skip('no SeaBIOS here (Debian: seabios)')
    seabios('pc', 'kvm')
    seabios('q35', 'kvm')
    seabios('pc', 'kvm,kernel-irqchip=split')
    seabios('pc', 'kvm,kernel-irqchip=off')


def share_of_cpu(pid, seconds):
    """Of one host CPU, all threads together."""
    before, start = cpu_ns(pid), time.monotonic()
    time.sleep(seconds)
    return (cpu_ns(pid) - before) / (time.monotonic() - start) / 1e9


def cpu_ns(pid):
    total = 0
    for task in os.listdir('/proc/%d/task' % pid):
        with open('/proc/%d/task/%s/schedstat' % (pid, task)) as f:
            total += int(f.read().split()[0])
    return total


def system_calls(pid, seconds):
    """How many PID makes; None where strace cannot tell."""
    if not shutil.which('strace'):
        return None
    r = subprocess.run(['timeout', str(seconds), 'strace', '-c', '-f', '-p', str(pid)], capture_output=True, text=True, timeout=60)
    totals = [line.split() for line in r.stderr.splitlines() if line.endswith(' total')]
    return int(totals[0][3] if len(totals[0]) > 4 else totals[0][2]) if totals else 0 if 'attached' in r.stderr else None


def test_accel_idle():
    """A guest that sleeps costs under 2 % of a CPU, and evmm makes no system calls for it."""
    counted = True
    for accel in filter(here, ACCELS):
        p = subprocess.Popen(command(accel, '-bios', os.path.join(GUESTS, 'idle.rom')), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        try:
            check(p.stdout.readline() == b'asleep\n', accel)
            time.sleep(0.5)
            used = min(share_of_cpu(p.pid, 1) for _ in range(2))
            calls = system_calls(p.pid, 1)
        finally:
            p.terminate()
            p.wait(10)
            p.stdout.close()
        check(used <= 0.02, '%s: %.1f %% of a CPU' % (accel, used * 100))
        # strace itself interrupts each thread's sleep when it comes and goes.
        check(calls is None or calls <= 60, '%s: %s system calls in a second' % (accel, calls))
        counted = counted and calls is not None
    if not counted:
        raise Skip('under 2 % of a CPU; system calls not counted, for want of strace')


def test_idle_linux():
    """Linux on two processors of the software CPU, waiting at its prompt: under 2 % of a CPU."""
    with linux('-smp', '2') as g:
        time.sleep(2)
        used = min(share_of_cpu(g.proc.pid, 2) for _ in range(3))
        check(used <= 0.02, '%.1f %% of a CPU' % (used * 100))


def test_accel_hostile():
    """A guest that writes at random to every port and device: evmm stays, or ends as the guest has asked for."""
    for accel in filter(here, ACCELS):
        p = subprocess.Popen(command(accel, '-kernel', os.path.join(GUESTS, 'hammer.elf'), '-d', 'guest_errors', '-D',
                                     '/dev/null'), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE)
        try:
            p.wait(4)
        except subprocess.TimeoutExpired:
            p.terminate()
        status = p.wait(30)
        err = p.stderr.read()
        p.stderr.close()
        check(status >= 0, '%s: signal %d: %r' % (accel, -status, err))


def test_accel_choice():
    """What is chosen, and what is said when it can't be had."""
    r = subprocess.run([EVMM, '-accel', 'kvm', '-accel', 'nonesuch'], capture_output=True, text=True, timeout=20)
    check(r.returncode == 1 and 'nonesuch' in r.stderr, repr(r))
    r = subprocess.run([EVMM, '-accel', 'kvm,kernel-irqchip=maybe'], capture_output=True, text=True, timeout=20)
    check(r.returncode == 1 and "kernel-irqchip is 'on', 'split' or 'off', not 'maybe'" in r.stderr, repr(r))
    if not here('kvm'):
        r = subprocess.run([EVMM, '-accel', 'kvm'], capture_output=True, text=True, timeout=20)
        check(r.returncode == 1 and '/dev/kvm' in r.stderr, repr(r))
        return
    for wrong, says in (('nehalem9', "unable to find CPU model 'nehalem9'"),
                        ('host,+nonesuch', "no feature named 'nonesuch'"),
                        ('host,phys-bits=99', 'phys-bits must be between'),
                        ('host,tsc-frequency=fast', 'tsc-frequency=fast is not a number')):
        r = subprocess.run([EVMM, '-accel', 'kvm', '-cpu', wrong], capture_output=True, text=True, timeout=20)
        check(r.returncode == 1 and says in r.stderr, repr(r))


def test_numa_reaches_the_guest():
    """The nodes of -numa are in SRAT, their distances in SLIT, and Linux finds them."""
    with linux('-smp', '2', '-object', 'memory-backend-ram,id=a,size=128M', '-object',
               'memory-backend-ram,id=b,size=384M', '-numa', 'node,memdev=a,cpus=0', '-numa', 'node,memdev=b,cpus=1',
               '-numa', 'dist,src=0,dst=1,val=15') as g:
        status, out = g.run('dmesg | grep -E "SRAT|SLIT"')
        for line in ('SRAT: PXM 1 -> APIC 0x01 -> Node 1', 'Node 1 PXM 1 [mem 0x08000000-0x1fffffff]', 'ACPI: SLIT'):
            check(line in out, '%r is not in %r' % (line, out))


def test_accel_exits():
    """The guest of tests/bench/exits, from ring 3 of long mode: every operation is done, by one CPU and by two."""
    image = os.path.join(GUESTS, 'exits.elf')
    if not os.path.exists(image):
        raise Skip('%s is not built' % image)
    for accel in ACCELS:
        if not here(accel):
            continue
        status, out, err = run(accel, '-smp', '2', '-vga', 'std', '-serial', 'null', '-kernel', image, '-append', 'hot=50 cold=2 khz=1000000 smp=2',
                               '-blockdev', 'null-co,node-name=n', '-device', 'virtio-blk-pci,drive=n,disable-legacy=on,num-queues=2')
        lines = out.splitlines()
        check(status == 1 and lines[-1:] == ['done'] and len(lines) == 31 and all(len(line.split()) == 11 for line in lines[:-1]),
              '%s: %r' % (accel, (status, out, err)))
