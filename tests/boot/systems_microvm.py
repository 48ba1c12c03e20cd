# SPDX-License-Identifier: BSD-2-Clause
"""The microvm board with parts left out."""
from support import check, evmm, evmm_fails, kernel, linux_args, modules, variants
from systems_options import names
from systems_power import insmod


@variants('pic=off,pit=off', 'rtc=off', 'acpi=off')
def test_microvm_without(options):
    """Debian's kernel starts without 8259s and 8254, without an RTC, without ACPI; what is left it finds, or would if it looked."""
    mods = modules('cloud-amd64', 'virtio_mmio', 'virtio_rng')
    with evmm(*linux_args('-accel', 'soft', '-M', 'microvm,' + options, '-device', 'virtio-rng-device', files=mods,
                          mem='256')) as g:
        g.login(120)
        if options == 'acpi=off':
            # Debian's driver does not look there.
            check('virtio_mmio.device=512@0xfeb00000:5' in g.run('cat /proc/cmdline')[1], 'not on the command line')
        else:
            insmod(g, mods)
            check(g.run('ls /sys/bus/virtio/drivers/virtio_rng')[1].count('virtio0') == 1, 'no random numbers')
        check((g.run('ls -d /sys/class/rtc/rtc0')[0] == 0) == (options != 'rtc=off'), 'the RTC')
        check(('XT-PIC' in g.run('cat /proc/interrupts')[1]) == (options == 'acpi=off'), 'the 8259s')
        check(g.run('ls -d /sys/firmware/acpi')[0] == (1 if options == 'acpi=off' else 0), 'ACPI')
        if options != 'acpi=off':
            g.send('poweroff -f\n')
            check(g.wait(60) == 0, 'exit status')


def test_microvm_mptable():
    """Without ACPI an MP table tells Debian's kernel of the processors and the IOAPIC, and its interrupts come from there.

    The cloud kernel cannot read one, and neither looks for virtio on the command line.
    """
    with evmm(*linux_args('-accel', 'soft', '-M', 'microvm,acpi=off', '-smp', '2', mem='256',
                          image=kernel('amd64'))) as g:
        g.login(180)
        check(g.run('nproc')[1].split()[-1:] == ['2'], 'not both processors')
        lines = g.run('cat /proc/interrupts')[1].splitlines()
        check(any(x.split()[:1] == ['4:'] and 'IO-APIC' in x and 'ttyS0' in x for x in lines),
              'not through the IOAPIC:\n' + '\n'.join(lines))
        log = g.run('dmesg')[1]
        check('found SMP MP-table' in log, 'no MP table in dmesg')
        for word in 'BIOS bug', 'MP-table is bad', 'SMP mptable: checksum', 'IO-APIC + timer doesn', 'MP-BIOS bug', 'ExtINT not setup':
            check(word not in log, word)


def test_microvm_in_the_kernel():
    """What the kernel's interrupt controllers come with can't be left out."""
    try:
        open('/dev/kvm', 'r+b').close()
    except OSError:
        return
    names(evmm_fails('-accel', 'kvm', '-M', 'microvm,pic=off,kernel-irqchip=on'), 'pic=off', 'kernel-irqchip=split')
