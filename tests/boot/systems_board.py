# SPDX-License-Identifier: BSD-2-Clause
"""The board as a guest sees it: what SMBIOS says, fw_cfg's files, timers, panics, sleep, resets."""
import os
import re
import shutil
import subprocess

import media
from support import WORK, Skip, check, evmm, evmm_fails, initrd, kernel, linux_args, modules, variants
from systems_boot import UNLOCKED, linux_disk
from systems_firmware import need_seabios, ovmf
from systems_options import made, names

UUID = '00112233-4455-6677-8899-aabbccddeeff'
SMBIOS = ['-uuid', UUID, '-smp', '2,sockets=2', '-smbios', 'type=1,serial=SER1,family=Fam', '-smbios', 'type=2,location=Slot9',
          '-smbios', 'type=3,asset=Tag3', '-smbios', 'type=4,part=Part4,max-speed=3000',
          '-smbios', 'type=8,external_reference=USB,port_type=16,connector_type=18',
          '-smbios', 'type=11,value=hello oem,value=second', '-smbios', 'type=17,bank=Bank0,speed=2400']


def dmidecode():
    """Debian's dmidecode and what it needs, for a guest's /root."""
    program = shutil.which('dmidecode', path='/usr/sbin:/usr/bin')
    if not program:
        raise Skip('dmidecode is not there (package dmidecode)')
    libraries = subprocess.run(['ldd', program], capture_output=True, text=True, check=True).stdout
    return [program] + [os.path.realpath(p) if 'ld-linux' not in p else p
                        for p in re.findall(r'(/\S+) \(0x', libraries)]


def run_dmidecode(g):
    status, out = g.run('./ld-linux-x86-64.so.2 --library-path . ./dmidecode', 60)
    check(status == 0, out)
    complaint = re.search(r'(?i).*(out of spec|bad index|invalid|wrong|broken|truncated|checksum|unexpected).*', out)
    check(not complaint, 'dmidecode: %s' % (complaint and complaint.group(0)))
    return out


def says_all(out, version):
    for line in ('SMBIOS %s present' % version, 'Manufacturer: QEMU', 'UUID: ' + UUID, 'Serial Number: SER1', 'Family: Fam',
                 'Location In Chassis: Slot9', 'Asset Tag: Tag3', 'Socket Designation: CPU 1', 'Part Number: Part4',
                 'Max Speed: 3000 MHz', 'External Reference Designator: USB', 'String 2: second', 'Bank Locator: Bank0',
                 'Speed: 2400 MT/s', 'Number Of Devices: 1', 'Form Factor: DIMM'):
        check(line in out, '%r is not in:\n%s' % (line, out))


@variants(('pc', 32), ('q35', 64), ('microvm', 32))
def test_smbios_without_firmware(board, point):
    """dmidecode has nothing to complain of in a kernel that was started right away, and finds what was given."""
    args = ['-M', board] if point == 32 else ['-M', board + ',smbios-entry-point-type=64']
    with evmm(*linux_args('-accel', 'soft', *args, *SMBIOS, files=dmidecode(), mem='256')) as g:
        g.login(120)
        out = run_dmidecode(g)
        says_all(out, '2.8' if point == 32 else '3.0.0')
        check('BIOS Information' in out, out)
        check(g.run('cat /sys/class/dmi/id/product_uuid')[1].strip() == UUID, 'the kernel has another UUID')


def test_smbios_by_seabios():
    """The same through SeaBIOS, which tells of itself."""
    need_seabios()
    disk, mods = linux_disk(dmidecode())
    with evmm('-accel', 'soft', '-m', '256', '-nographic', '-drive', UNLOCKED + disk, *SMBIOS) as g:
        g.login(240)
        out = run_dmidecode(g)
        says_all(out, '2.8')
        check('Vendor: SeaBIOS' in out, out)


def efi_disk(files):
    """A FAT file system with Debian's kernel, which UEFI's shell starts by its startup.nsh."""
    path = os.path.join(WORK, 'efi-disk')
    script = made('startup.nsh', b'fs0:\\vmlinuz.efi initrd=\\initrd console=ttyS0 quiet\r\n')
    with open(path, 'wb') as f:
        f.write(media.fat(96 << 20, {'vmlinuz.efi': kernel(), 'initrd': initrd(*files), 'startup.nsh': script}))
    return path


@variants('2.8', '3.0.0')
def test_smbios_by_ovmf(version):
    """The same through OVMF, with either entry point."""
    board = 'q35' if version == '2.8' else 'q35,smbios-entry-point-type=64'
    with ovmf(board, os.path.join(WORK, 'vars-smbios'), '-drive', UNLOCKED + efi_disk(dmidecode()), *SMBIOS) as g:
        g.login(240)
        out = run_dmidecode(g)
        says_all(out, version)
        check('Vendor: EFI Development Kit' in out, out)


def test_bad_smbios():
    """What is wrong in -smbios, -uuid and -fw_cfg is named."""
    names(evmm_fails('-uuid', '1234'), '-uuid', "'1234'")
    names(evmm_fails('-smbios', 'type=5'), '-smbios', "'5'")
    names(evmm_fails('-smbios', 'manufacturer=x'), 'neither type= nor file=')
    names(evmm_fails('-smbios', 'type=1,vender=x'), "'vender'")
    names(evmm_fails('-smbios', 'type=0,release=1'), 'release', "'1'")
    names(evmm_fails('-smbios', 'type=1,uuid=no'), "'no'")
    names(evmm_fails('-smbios', 'type=4,max-speed=65536'), 'max-speed', '65536')
    names(evmm_fails('-smbios', 'type=11,value='), 'empty')
    names(evmm_fails('-smbios', 'type=11,path=/nonexistent/s'), '/nonexistent/s')
    names(evmm_fails('-smbios', 'file=/nonexistent/s'), '/nonexistent/s')
    names(evmm_fails('-smbios', 'file=' + made('smbios-cut', b'\x82\x09\0\1a')), 'smbios-cut', 'not an SMBIOS structure')
    good = made('smbios-oem', b'\x03\x04\0\x03\0\0')
    names(evmm_fails('-smbios', 'type=3,serial=x', '-smbios', 'file=' + good), 'smbios-oem', 'type=3')
    names(evmm_fails('-smbios', 'file=' + good, '-smbios', 'type=3,serial=x'), 'type 3')
    names(evmm_fails('-M', 'q35,smbios-entry-point-type=16'), 'smbios-entry-point-type', "'16'")


def test_bad_fw_cfg():
    """The same of -fw_cfg."""
    boots = ['-accel', 'soft', '-nographic', '-kernel', kernel()]
    names(evmm_fails(*boots, '-fw_cfg', 'name=opt/a'), 'opt/a', 'exactly one')
    names(evmm_fails(*boots, '-fw_cfg', 'opt/a,string=a,file=b'), 'exactly one')
    names(evmm_fails(*boots, '-fw_cfg', 'string=a'), 'no name')
    names(evmm_fails(*boots, '-fw_cfg', 'opt/a,strin=a'), "'strin'", "'string'")
    names(evmm_fails(*boots, '-fw_cfg', 'opt/%s,string=a' % ('a' * 60)), 'too long')
    names(evmm_fails(*boots, '-fw_cfg', 'opt/a,string=a', '-fw_cfg', 'opt/a,string=b'), 'already', 'opt/a,string=b')
    names(evmm_fails(*boots, '-fw_cfg', 'opt/a,file=/nonexistent/f'), '/nonexistent/f')
    names(evmm_fails(*boots, '-M', 'microvm', '-fw_cfg', 'opt/a,string=a'), 'microvm', 'no fw_cfg')


def test_fw_cfg_files():
    """Linux's driver reads the files that -fw_cfg gives; a name outside opt/ is warned of."""
    mods = modules('amd64', 'qemu_fw_cfg')
    with evmm(*linux_args('-accel', 'soft', '-fw_cfg', 'opt/org.test/a,string=hello,, there',
                          '-fw_cfg', 'mine,file=' + made('fw-file', b'from a file'), '-uuid', UUID,
                          image=kernel('amd64'), files=mods, mem='256')) as g:
        g.expect(r'warning: -fw_cfg name=mine: .*"opt/"', 20)
        g.login(120)
        for m in mods:
            g.run('insmod ' + os.path.basename(m))
        files = '/sys/firmware/qemu_fw_cfg/by_name/'
        check(g.run('cat %sopt/org.test/a/raw' % files)[1] == 'hello, there', 'the string')
        check(g.run('cat %smine/raw' % files)[1] == 'from a file', 'the file')


@variants('pc', 'q35')
def test_hpet(board):
    """Linux has its ticks from the HPET until the local APIC takes over, can keep time by it, and with hpet=off finds none."""
    with evmm(*linux_args('-accel', 'soft', '-M', board, mem='256')) as g:
        g.login(120)
        clocks = '/sys/devices/system/clocksource/clocksource0/'
        check('hpet' in g.run('cat %savailable_clocksource' % clocks)[1], 'no hpet')
        check('3 comparators, 64-bit 100.000000 MHz counter' in g.run('dmesg | grep hpet0')[1], 'not as the data sheet has it')
        g.run('echo hpet > %scurrent_clocksource' % clocks)
        check(g.run('cat %scurrent_clocksource' % clocks)[1] == 'hpet', 'the kernel does not want it')
        before = float(g.run("cut -d' ' -f1 /proc/uptime")[1])
        g.run('sleep 2')
        check(1.9 < float(g.run("cut -d' ' -f1 /proc/uptime")[1]) - before < 60, 'time does not go on')
    with evmm(*linux_args('-accel', 'soft', '-M', board + ',hpet=off', mem='256')) as g:
        g.login(120)
        check('hpet' not in g.run('cat %savailable_clocksource; dmesg | grep -i hpet' % clocks)[1], 'there is one')
