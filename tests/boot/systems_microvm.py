# SPDX-License-Identifier: BSD-2-Clause
"""The microvm board with parts left out."""
from support import check, evmm, evmm_fails, linux_args, modules, variants
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


def test_microvm_in_the_kernel():
    """What the kernel's interrupt controllers come with can't be left out."""
    try:
        open('/dev/kvm', 'r+b').close()
    except OSError:
        return
    names(evmm_fails('-accel', 'kvm', '-M', 'microvm,pic=off,kernel-irqchip=on'), 'pic=off', 'kernel-irqchip=split')
