# SPDX-License-Identifier: BSD-2-Clause
"""What is behind PCI bridges and PCI Express ports: firmware and kernels find it, and boot from it."""
import os

from support import check, evmm, evmm_fails, kernel, linux, modules, variants
from systems_boot import UNLOCKED, marker
from systems_firmware import need_seabios
from systems_options import made, names

BRIDGE = ['-M', 'pc', '-device', 'pci-bridge,id=behind,chassis_nr=1']
PORT = ['-M', 'q35', '-device', 'pcie-root-port,id=behind,chassis=1']
PCIE_BRIDGE = ['-M', 'q35', '-device', 'pcie-root-port,id=rp,chassis=1,hotplug=off',
               '-device', 'pcie-pci-bridge,id=behind,bus=rp']
SWITCH = ['-M', 'q35', '-device', 'ioh3420,id=rp,chassis=1', '-device', 'x3130-upstream,id=up,bus=rp',
          '-device', 'xio3130-downstream,id=first,bus=up,addr=0,chassis=2',
          '-device', 'xio3130-downstream,id=behind,bus=up,addr=1,chassis=3']
WAYS = {'bridge': BRIDGE, 'port': PORT, 'pcie_bridge': PCIE_BRIDGE, 'switch': SWITCH}


@variants(*WAYS)
def test_seabios_boots_from_behind(way):
    """SeaBIOS numbers the buses, opens the windows, and boots from the disk behind that has the lowest bootindex."""
    need_seabios()
    slots = 'addr=0' if way in ('port', 'switch') else 'addr=5'
    drives = []
    for name, letter in ('near', 'A'), ('far', 'B'):
        drives += ['-drive', 'if=none,id=%s,%s%s' % (name, UNLOCKED, marker('disk-' + name, letter))]
    with evmm('-accel', 'soft', '-m', '64', '-nographic', *WAYS[way], *drives, '-device', 'virtio-blk-pci,drive=near,bootindex=2',
              '-device', 'virtio-blk-pci,drive=far,bootindex=1,bus=behind,' + slots) as g:
        g.expect(r'Booting from [^\n]*\n+B!', 60)
        g.send('\x01c')
        g.expect(r'\(evmm\) ', 30)
        g.send('info pci\n')
        g.expect(r'secondary bus 1\.', 30)
        g.expect('Bus +%d, device' % (4 if way == 'switch' else 2 if way == 'pcie_bridge' else 1), 30)


@variants('bridge', 'switch')
def test_linux_finds_what_is_behind(way):
    """Debian's kernel, started without firmware, drives a disk behind and complains of nothing."""
    mods = modules('amd64', 'virtio_pci', 'virtio_blk')
    disk = 'if=none,id=far,format=raw,file.locking=off,file=' + made('behind-' + way, b'behind a ' + way.encode(), size=1 << 20)
    with linux('-accel', 'soft', *WAYS[way], '-drive', disk, '-device', 'virtio-blk-pci,drive=far,bus=behind', image=kernel('amd64'),
               files=mods, mem='256', limit=240) as g:
        for m in mods:
            g.run('insmod ' + os.path.basename(m))
        g.run('for i in $(seq 50); do [ -b /dev/vda ] && break; sleep .2; done')
        check('behind a ' + way in g.run('dd if=/dev/vda bs=20 count=1 2>/dev/null')[1], 'not the disk')
        bridges = g.run('cat /sys/bus/pci/devices/*/class | grep -c 0x060400')[1].strip()
        check(bridges == ('1' if way == 'bridge' else '4'), bridges + ' bridges')
        errors = g.run('dmesg -r | grep "^<[0-3]>"')[1]
        check(not errors, 'errors in the log: ' + errors)


def test_bridges_that_cannot_be():
    """What is wrong with a bridge or port is one line."""
    names(evmm_fails('-device', 'pci-bridge,id=b'), '-device', 'chassis_nr')
    names(evmm_fails('-device', 'pcie-root-port,id=b'), '-device', 'PCI Express')
    names(evmm_fails(*PORT, '-device', 'pcie-root-port,chassis=1'), 'chassis 1', 'slot 0')
    names(evmm_fails(*PORT, '-device', 'virtio-rng-pci,bus=behind,addr=1'), 'addr')
    names(evmm_fails(*PORT, '-device', 'virtio-rng-pci,bus=behind', '-device', 'virtio-rng-pci,bus=behind'), 'no PCI slot is free')
    names(evmm_fails('-M', 'q35', '-device', 'pcie-root-port,hotplug=on'), 'hotplug=on')
    names(evmm_fails('-device', 'virtio-rng-pci,bus=nowhere'), "'nowhere'")
