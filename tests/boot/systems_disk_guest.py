# SPDX-License-Identifier: BSD-2-Clause
"""The driver of tests/guest/disk_user.c, on every accelerator that is here: what it reads and writes is what is in the image."""
import os
import subprocess
import tempfile

from support import EVMM, Skip, check, variants
from systems_accel import ACCELS, GUESTS, here

SIZE = 8 << 20


def drive(argv, lines, limit=120):
    rom = os.path.join(GUESTS, 'disk.rom')
    if not os.path.exists(rom):
        raise Skip('%s is not built' % rom)
    argv = [EVMM, '-m', '256', '-nodefaults', '-display', 'none', '-serial', 'stdio', '-bios', rom,
            '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'] + argv
    r = subprocess.run(argv, input=''.join(line + '\n' for line in lines) + 'end\n', capture_output=True, text=True, timeout=limit)
    check(r.returncode == 1, '%r: %r' % (argv, (r.returncode, r.stdout, r.stderr)))
    return r.stdout.split('\n')[:-1]


def words_sum(data):
    return sum(int.from_bytes(data[i:i + 8], 'little') for i in range(0, len(data), 8)) % (1 << 64)


@variants('pc', 'q35')
def test_disk_guest(machine):
    """Reads and writes of a whole disk, by polling and by interrupts, on one queue and on two."""
    data = os.urandom(SIZE)
    for accel in filter(here, ACCELS):
        with tempfile.TemporaryDirectory() as d:
            path = os.path.join(d, 'image')
            with open(path, 'wb') as f:
                f.write(data)
            said = drive(['-machine', machine, '-accel', accel, '-drive', 'if=none,id=d,format=raw,file=' + path,
                          '-device', 'virtio-blk-pci,drive=d,num-queues=2'],
                         ['0 s 4096 32 1 p 0', '0 s 65536 16 2 i 0', '0 W 4096 128 2 i 0', '0 r 512 1 1 i 20'])
            check(said[0] == 'disks 1' and len(said) == 5, (accel, said))
            for line in said[1:3]:
                check(line.split()[:2] == ['ok', str(words_sum(data))], (accel, said))
            check(said[3].split()[:2] == ['ok', str(SIZE // 4096)] and said[4].startswith('ok '), (accel, said))
            with open(path, 'rb') as f:
                for sector in range(SIZE // 512):
                    got = f.read(512)
                    check(got == sector.to_bytes(8, 'little') * 64, (accel, 'sector', sector, got[:16]))
