# SPDX-License-Identifier: BSD-2-Clause
"""What the boards tell of themselves in ACPI: iasl has nothing to say against it, and a Debian kernel finds all there is."""
import base64
import io
import os
import re
import shutil
import subprocess
import tarfile
import uuid

from support import WORK, Skip, check, evmm, kernel, linux_args, modules, variants
from systems_firmware import need_seabios
from systems_options import made
from systems_power import Session, insmod, qmp_args

# What this kernel says of the same boards of QEMU's too (-accel tcg), and of any without the thing in question.
KNOWN = ('tsc: Unable to calibrate against PIT',  # no guest of an emulated processor is quick enough for that
         'PNP0A03:00: fail to add MMCONFIG information',  # there is none before PCI Express
         'pci_bus 0000:00: Unknown NUMA node',
         'PCI: Fatal: No config space access function found',  # a microvm has no PCI
         'PCI: System does not support PCI',
         # of a host with more to do
         'tsc: PIT calibration deviates from HPET', 'hrtimer: interrupt took', 'trace_clock', 'trace clock', 'tracing clock',
         'local clock', 'on the kernel command line')
CPU = re.compile(r'<4>\[ *[0-9.]+\] +#[0-9]+$')  # "Booting SMP configuration", continued

NUMA = ['-smp', '4,sockets=2', '-numa', 'node,cpus=0-1', '-numa', 'node,cpus=2-3', '-numa', 'dist,src=0,dst=1,val=20']
GUID = '324e6eaf-d1d1-4bf6-bf41-b9bb6c91fb87'
PLATFORM = ['-device', 'pvpanic', '-device', 'vmgenid,guid=' + GUID, '-serial', 'mon:stdio', '-serial', 'null', '-parallel', 'null']


def devices(board):
    """Arguments that put something at every place of the board, and what is there then."""
    floppy, disk, cd = (made('acpi-%s-%s' % (board, name), name.encode(), size=1474560) for name in ('floppy', 'disk', 'cd'))
    if board == 'microvm':
        return ['-smp', '2', '-device', 'pvpanic', '-device', 'virtio-rng-device',
                '-drive', 'if=virtio,format=raw,file.locking=off,file=' + disk]
    ide = ['-device', 'ich9-ahci'] if board == 'pc' else []
    return NUMA + PLATFORM + ide + [
        '-drive', 'if=floppy,format=raw,file.locking=off,file=' + floppy,
        '-drive', 'if=ide,index=0,format=raw,file.locking=off,file=' + disk,
        '-drive', 'if=ide,index=2,media=cdrom,format=raw,file.locking=off,file=' + cd,
        '-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci', '-device', 'virtio-balloon-pci', '-device', 'pvpanic-pci',
        '-device', 'bochs-display']


MODULES = {'pc': ('ata_piix', 'sd_mod', 'sr_mod', 'floppy', 'psmouse', 'parport_pc', 'virtio_pci'),
           'q35': ('ahci', 'sd_mod', 'sr_mod', 'floppy', 'psmouse', 'parport_pc', 'virtio_pci'),
           'microvm': ('virtio_mmio', 'virtio_blk', 'virtio_rng')}
HAS = {'pc': ('PNP0A03', 'PNP0103', 'PNP0501', 'PNP0303', 'PNP0F13', 'PNP0B00', 'QEMU0001', 'QEMU0002', 'QEMUVGID'),
       'microvm': ('ACPI0013', 'PNP0501', 'PNP0B00', 'PNP0C0C', 'LNRO0005', 'QEMU0001')}
HAS['q35'] = ('PNP0A08',) + HAS['pc'][1:]


def guest(board, *extra, files=()):
    args = ['-m', '512', '-kernel', kernel('amd64'), '-append', 'console=ttyS0', '-accel', 'soft', '-M', board, '-display', 'none']
    args += linux_args(files=files)[4:6] + devices(board) + list(extra)
    if board == 'microvm':
        args += ['-serial', 'mon:stdio']
    return evmm(*args)


def read(g, command):
    status, out = g.run(command)
    check(status == 0, '%s: %s' % (command, out))
    return out


def tables(g):
    """{name: bytes} of what the kernel has been given."""
    g.run('mkdir /tmp/t; cd /sys/firmware/acpi/tables; for f in *; do [ -f $f ] && cat $f >/tmp/t/$f; done; cd')
    status, text = g.run('tar c -C /tmp/t . | gzip -9 | base64', 120)
    with tarfile.open(fileobj=io.BytesIO(base64.b64decode(text))) as t:
        return {os.path.basename(m.name): t.extractfile(m).read() for m in t.getmembers() if m.isfile()}


def iasl(*args):
    return subprocess.run(['iasl'] + list(args), capture_output=True, text=True, cwd=os.path.join(WORK, 'acpi')).stdout


def compile_again(board, found):
    """iasl takes the tables apart and compiles them without an error, a warning or a remark; data tables come out the same."""
    want = {'APIC', 'DSDT', 'FACP', 'WAET'}
    if board != 'microvm':
        want |= {'FACS', 'HPET', 'SRAT', 'SLIT', 'SSDT'}
    if board == 'q35':
        want |= {'MCFG'}
    check(set(found) == want, 'tables: %s' % sorted(found))
    if not shutil.which('iasl'):
        raise Skip('iasl is not there (package acpica-tools)')
    os.makedirs(os.path.join(WORK, 'acpi'), exist_ok=True)
    for name, data in found.items():
        path = os.path.join(WORK, 'acpi', '%s-%s.aml' % (board, name))
        with open(path, 'wb') as f:
            f.write(data)
        iasl('-d', path)
        source, again = path[:-4] + '.dsl', path[:-4] + '-again'
        if name == 'SSDT':
            # QEMU's name for the generation identifier is none that iasl would have given it.
            text = open(source).read()
            check('"QEMUVGID"' in text, text)
            open(source, 'w').write(text.replace('"QEMUVGID"', '"QEMU0003"'))
        out = iasl('-tc', '-p', again, source)
        check(re.search(r'Compilation successful. 0 Errors, 0 Warnings, 0 Remarks', out), '%s: %s' % (name, out))
        # iasl signs the header.
        check(name in ('DSDT', 'SSDT') or open(again + '.aml', 'rb').read()[36:] == data[36:], '%s is another one' % name)


@variants('pc', 'q35', 'microvm')
def test_finds_every_device(board):
    """A Debian kernel finds every device of the board, by ACPI and on PCI, and its log has neither errors nor
    warnings; the tables compile."""
    mods = modules('amd64', *MODULES[board])
    path, args = qmp_args('acpi-' + board)
    with guest(board, *args, files=mods) as g:
        g.login(240)
        q = Session(path, 120)
        insmod(g, mods)
        g.run('for i in $(seq 50); do [ -b /dev/sda -a -b /dev/sr0 ] || [ -b /dev/vda ] && break; sleep .2; done')
        ids = read(g, 'cat /sys/bus/acpi/devices/*/hid')
        for hid in HAS[board]:
            check(hid in ids, '%s is not among %s' % (hid, ids.split()))
        check(len(read(g, 'cat /sys/class/rtc/rtc0/time')) == 8, 'no time')
        if board == 'microvm':
            check(read(g, 'dd if=/dev/vda bs=4 count=1 2>/dev/null') == 'disk', 'another disk')
        else:
            functions = [f for bus in q('query-pci') for f in bus['devices']]
            there = read(g, 'cat /sys/bus/pci/devices/*/vendor; cat /sys/bus/pci/devices/*/device').split()
            want = [f['id']['vendor'] for f in functions] + [f['id']['device'] for f in functions]
            check(sorted(int(x, 16) for x in there) == sorted(want), 'PCI: %s' % there)
            for dev, data in ('sda', 'disk'), ('sr0', 'cd'), ('fd0', 'floppy'):
                out = read(g, 'dd if=/dev/%s bs=%d count=1 2>/dev/null' % (dev, len(data)))
                check(out == data, '%s: %r' % (dev, out))
            names = read(g, 'grep -h . /sys/class/input/*/device/name /sys/class/input/*/name 2>/dev/null')
            check('AT Translated Set 2 keyboard' in names and 'Mouse' in names, 'input: ' + names)
            irqs = read(g, 'cat /sys/class/tty/ttyS0/irq /sys/class/tty/ttyS1/irq').split()
            check(irqs == ['4', '3'], 'serial ports: %s' % irqs)
            check('parport0' in read(g, 'cat /proc/ioports'), 'no parallel port')
            check(read(g, 'ls -d /sys/devices/system/node/node[0-9]* | wc -l') == '2', 'not two nodes')
            check(read(g, 'cat /sys/devices/system/node/node0/distance').split() == ['10', '20'], 'not their distance')
        if board == 'q35':
            osc = read(g, 'dmesg | grep _OSC:')
            check('OS now controls [PCIeCapability]' in osc, osc)
        log = read(g, 'dmesg -r | grep "^<[0-4]>"; true')
        bad = [line for line in log.splitlines() if line.strip() and not CPU.match(line) and not any(k in line for k in KNOWN)]
        check(not bad, 'the log: ' + '\n'.join(bad))
        compile_again(board, tables(g))


@variants('pc', 'q35')
def test_generation_id_by_seabios(board):
    """SeaBIOS puts the generation identifier's page into memory, 40 bytes into it the GUID, and says where."""
    need_seabios()
    path, args = qmp_args('vmgenid-' + board)
    core = os.path.join(WORK, 'vmgenid-' + board)
    with evmm('-accel', 'soft', '-M', board, '-m', '32', '-nographic', '-device', 'vmgenid,guid=' + GUID, *args) as g:
        g.expect('Booting from', 60)
        q = Session(path, 120)
        q('stop')
        check(q('query-vm-generation-id')['guid'] == GUID, 'another GUID')
        q('pmemsave', val=1 << 20, size=31 << 20, filename=core)
        memory = open(core, 'rb').read()
        places = [m.start() % 4096 for m in re.finditer(re.escape(uuid.UUID(GUID).bytes_le), memory)]
        check(40 in places, 'places: %s' % places)
