# SPDX-License-Identifier: BSD-2-Clause
"""Debian kernels on the software CPU: they boot, work, and end as they should."""
import os
import re
import subprocess
import time

from support import HERE, check, kernel, linux, resident_beyond_ram, variants, vmlinux


def no_complaints(g):
    status, out = g.run("dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace|rcu.*stall|soft lockup|general protection'")
    check(status == 1, 'the kernel complains:\n' + out)


def every_cpu_is_sane(g, n):
    status, out = g.run('grep -c ^processor /proc/cpuinfo')
    check(out == str(n), 'processors: %s' % out)
    status, out = g.run('grep -E "^(apicid|flags|cpu MHz)" /proc/cpuinfo')
    check(len(set(re.findall(r'^apicid\s*: (\d+)', out, re.M))) == n, 'APIC ids: ' + out)
    check(len(set(re.findall(r'^flags\s*: (.*)', out, re.M))) == 1, 'flags differ between CPUs')
    for i in range(n):
        g.run('taskset %x true' % (1 << i))
    status, before = g.run('grep LOC: /proc/interrupts')
    g.run('for i in $(seq %d); do (taskset -p $((1 << (i - 1))) $$ >/dev/null; j=0; while [ $j -lt 3000 ]; do j=$((j+1)); done) & done; wait; sleep 1' % n, 60)
    status, after = g.run('grep LOC: /proc/interrupts')
    b, a = ([int(w) for w in t.split()[1:1 + n]] for t in (before, after))
    check(all(y > x for x, y in zip(b, a)), 'timer interrupts stand still: %s -> %s' % (b, a))
    status, out = g.run('grep -E "(ERR|MIS):" /proc/interrupts')
    check(all(v == '0' for v in re.findall(r':\s+(\d+)', out)), 'interrupt errors: ' + out)


@variants(('cloud-amd64', 1), ('cloud-amd64', 2), ('cloud-amd64', 4), ('amd64', 1), ('amd64', 2), ('amd64', 4))
def test_boots(flavour, cpus):
    """An untouched bzImage boots to a shell; all CPUs are there and get their timer; poweroff ends with status 0."""
    with linux('-smp', str(cpus), image=kernel(flavour)) as g:
        no_complaints(g)
        every_cpu_is_sane(g, cpus)
        g.send('poweroff -f\n')
        status = g.wait(60)
        check(status == 0, 'exit status %d' % status)


@variants('cloud-amd64', 'amd64')
def test_boots_elf_by_pvh(flavour):
    """The uncompressed ELF starts at its PVH entry."""
    with linux(image=vmlinux(flavour), mem='768') as g:
        no_complaints(g)
        g.send('poweroff -f\n')
        check(g.wait(60) == 0, 'exit status')


@variants(('qemu64',), ('kvm64',), ('max',))
def test_boots_on_model(model):
    """Each CPU model carries a distribution kernel."""
    with linux('-cpu', model) as g:
        no_complaints(g)
        g.send('poweroff -f\n')
        check(g.wait(60) == 0, 'exit status')


def on_host(command):
    """The same command under the host's busybox, which is the guest's."""
    return subprocess.run(['busybox', 'sh', '-c', command], capture_output=True, text=True, check=True,
                          cwd=os.path.join(HERE, 'guest')).stdout.strip()


@variants(1, 2)
def test_computes_right(cpus):
    """Checksums and compression over 64 MiB, and floating point, give what the host gives."""
    with linux('-smp', str(cpus)) as g:
        for command in ('busybox sh pattern.sh | busybox sha256sum', 'busybox sh pattern.sh | busybox md5sum',
                        'busybox sh pattern.sh | busybox gzip | busybox gunzip | busybox md5sum',
                        'busybox awk -f float.awk'):
            want = on_host(command)
            status, out = g.run(command, 600)
            check(out == want, '%s: %s, the host says %s' % (command, out, want))
        no_complaints(g)


@variants(1, 4)
def test_forks_and_signals(cpus):
    """Thousands of processes and signals."""
    with linux('-smp', str(cpus)) as g:
        status, out = g.run('i=0; while [ $i -lt 3000 ]; do /bin/true || break; i=$((i+1)); done; echo $i', 300)
        check(out == '3000', 'processes: ' + out)
        status, out = g.run("sh -c 'n=0; trap \"n=\\$((n+1))\" USR1; i=0; while [ $i -lt 500 ]; do kill -USR1 $$; i=$((i+1)); done; echo $n'", 120)
        check(out == '500', 'signals: ' + out)
        status, out = g.run("sh -c 'kill -SEGV $$'; echo $?", 30)
        check('139' in out, 'SIGSEGV: ' + out)
        status, out = g.run('timeout 1 sleep 20; echo $?', 30)
        check('143' in out, 'timeout: ' + out)
        status, out = g.run('(for j in 1 2 3 4; do (i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done; echo ok) & done; wait)', 300)
        check(out.count('ok') == 4, 'parallel: ' + out)
        no_complaints(g)


def test_keeps_time():
    """The guest's date is the host's, and runs at the host's pace."""
    with linux() as g:
        status, out = g.run('date -u +%s')
        check(abs(int(out) - time.time()) < 3, 'date: %s, host %d' % (out, time.time()))
        t0 = time.time()
        status, a = g.run("cut -d. -f1 /proc/uptime; date -u +%s")
        g.run('sleep 10', 60)
        status, b = g.run("cut -d. -f1 /proc/uptime; date -u +%s")
        host = time.time() - t0
        for x, y in zip(a.split(), b.split()):
            check(abs((int(y) - int(x)) - host) < 2, 'guest %s -> %s in %.1f s' % (x, y, host))
        status, out = g.run('cat /sys/devices/system/clocksource/clocksource0/current_clocksource')
        check(out in ('tsc', 'acpi_pm'), 'clocksource: ' + out)


def test_reboots():
    """reboot starts the guest again from the same image; with -no-reboot it ends evmm with status 0."""
    with linux() as g:
        g.send('reboot -f\n')
        g.login(120)
        g.send('\x01x')
        check(g.wait(20) == 0, 'C-a x: exit status')
    with linux('-no-reboot') as g:
        g.send('reboot -f\n')
        check(g.wait(60) == 0, '-no-reboot: exit status')


@variants('k', 't', 'a')
def test_reboots_by(method):
    """Each way that Linux knows to reset a PC works."""
    with linux('-no-reboot', append='console=ttyS0 reboot=' + method) as g:
        g.send('reboot -f\n')
        check(g.wait(60) == 0, 'exit status')


def test_sysrq_over_the_console():
    """C-a b sends a break: the kernel answers sysrq."""
    with linux() as g:
        g.run('echo 1 > /proc/sys/kernel/sysrq')
        g.send('\x01b')
        time.sleep(0.3)
        g.send('h')
        g.expect(r'sysrq: HELP', 20)


def test_console_escapes():
    """C-a h helps, C-a c goes to the monitor and back, C-a C-a sends one."""
    with linux() as g:
        g.send('\x01h')
        g.expect('C-a x', 10)
        g.send('\x01c')
        g.send('info status\n')
        g.expect('VM status: running', 10)
        g.send('stop\n')
        g.send('info status\n')
        g.expect('VM status: paused', 10)
        g.send('cont\n')
        g.send('info loop\n')
        g.expect('callbacks', 10)
        g.send('info registers\n')
        g.expect('RAX=', 10)
        g.send('\x01c')
        status, out = g.run('echo still here')
        check(out == 'still here', out)


def test_monitor_powers_down():
    """system_powerdown presses the ACPI power button; quit ends at once."""
    with linux() as g:
        status, out = g.run('insmod button-cloud-amd64.ko')
        check(status == 0, 'no power button: ' + out)
        status, before = g.run("awk '/acpi/ {print $2}' /proc/interrupts")
        g.send('\x01csystem_powerdown\n')
        time.sleep(1)
        g.send('\x01c\n')
        status, after = g.run("awk '/acpi/ {print $2}' /proc/interrupts")
        check(int(after) > int(before), 'no ACPI interrupt: %s -> %s' % (before, after))
        g.send('\x01cquit\n')
        check(g.wait(20) == 0, 'quit: exit status')


def test_small_footprint():
    """Resident memory beyond what the guest has touched of its own RAM stays small."""
    with linux() as g:
        beyond = resident_beyond_ram(g.proc.pid)
        check(beyond < 24 * 1024, '%d KiB beyond guest RAM' % beyond)
