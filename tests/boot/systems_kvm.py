# SPDX-License-Identifier: BSD-2-Clause
"""A /dev/kvm that lacks something, or cannot be had, or says that it cannot go on (tests/accel/kvm_lacks.c): what evmm says, and does."""
import errno
import os
import subprocess
import tempfile
import time

from support import EVMM, Skip, WORK, check
from systems_accel import GUESTS, TREE, here

LACKS = os.path.join(os.path.dirname(GUESTS), 'accel', 'kvm_lacks.so')
NEEDED = ('USER_MEMORY', 'DESTROY_MEMORY_REGION_WORKS', 'JOIN_MEMORY_REGIONS_WORKS', 'SET_TSS_ADDR', 'EXT_CPUID', 'MP_STATE',
          'VCPU_EVENTS', 'XSAVE', 'IMMEDIATE_EXIT')
# What kernel-irqchip=on cannot do without, and what can.
NEEDED_BY_ON = (('IRQCHIP', 'off'), ('SIGNAL_MSI', 'off'), ('IRQ_ROUTING', 'off'), ('PIT2', 'split'))
MISSED = ('READONLY_MEM', 'IRQFD', 'IOEVENTFD', 'COALESCED_MMIO', 'ADJUST_CLOCK', 'KVMCLOCK_CTRL', 'DEBUGREGS', 'SET_GUEST_DEBUG')
SILENT = ('IRQFD_RESAMPLE', 'IOEVENTFD_ANY_LENGTH', 'COALESCED_PIO', 'SPLIT_IRQCHIP', 'X2APIC_API', 'TSC_DEADLINE_TIMER', 'XCRS',
          'TSC_CONTROL', 'EXCEPTION_PAYLOAD', 'X86_TRIPLE_FAULT_EVENT', 'MCE', 'X86_DISABLE_EXITS', 'XSAVE2')
# enum of <linux/kvm.h>
EXIT_UNKNOWN, EXIT_FAIL_ENTRY, EXIT_INTERNAL_ERROR, EXIT_SYSTEM_EVENT = 0, 9, 17, 24
CREATE_VM = 0xae01


def worse(argv, stdin='', limit=120, **env):
    if not os.path.exists(LACKS):
        raise Skip('%s is not built' % LACKS)
    env = dict(os.environ, LD_PRELOAD=LACKS, ASAN_OPTIONS='verify_asan_link_order=0:' + os.environ.get('ASAN_OPTIONS', ''), **env)
    return subprocess.run([EVMM, *argv], input=stdin, capture_output=True, text=True, timeout=limit, env=env)


def irq_guest(accel, **env):
    """The guest of accel_interrupts. True: it has printed what it should."""
    with open(os.path.join(TREE, 'tests', 'guest', 'irq.expect')) as f:
        expect = f.read()
    r = worse([*(('-accel', accel) if accel else ()), '-m', '64', '-nodefaults', '-display', 'none', '-vga', 'std', '-chardev', 'stdio,id=out',
               '-device', 'isa-debugcon,iobase=0x402,chardev=out', '-device', 'pc-testdev', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4',
               '-kernel', os.path.join(GUESTS, 'irq.elf')], **env)
    check('used all the same' not in r.stderr, repr((env, r.stderr)))
    return r.returncode == 1 and r.stdout == expect, r.stderr


def need_kvm():
    if not here('kvm'):
        raise Skip('/dev/kvm is not to be had')


def test_kvm_lacks_what_is_needed():
    """A capability that evmm cannot do without: which one, and what works instead."""
    need_kvm()
    for name in NEEDED:
        ran, err = irq_guest('kvm', KVM_LACKS='KVM_CAP_' + name)
        check(not ran and len(err.splitlines()) == 1 and 'KVM_CAP_%s,' % name in err and '-accel soft' in err, '%s: %r' % (name, err))
    for name, instead in NEEDED_BY_ON:
        ran, err = irq_guest('kvm', KVM_LACKS='KVM_CAP_' + name)
        check(not ran and 'KVM_CAP_' + name in err and 'kernel-irqchip=' + instead in err, '%s: %r' % (name, err))
        ran, err = irq_guest('kvm,kernel-irqchip=' + instead, KVM_LACKS='KVM_CAP_' + name)
        check(ran and not err, '%s, kernel-irqchip=%s: %r' % (name, instead, err))
    ran, err = irq_guest('kvm,kernel-irqchip=split', KVM_LACKS='KVM_CAP_SPLIT_IRQCHIP')
    check(not ran and 'KVM_CAP_SPLIT_IRQCHIP' in err, err)


def test_kvm_lacks_what_is_missed():
    """A capability that evmm goes on without: the guest is none the wiser, the user is told where it matters, and nobody uses it."""
    need_kvm()
    for name in MISSED + SILENT:
        ran, err = irq_guest('kvm', KVM_LACKS='KVM_CAP_' + name)
        check(ran and ('KVM_CAP_%s; evmm goes on without it' % name in err) == (name in MISSED), '%s: %r' % (name, err))
    everything = ','.join('KVM_CAP_' + name for name in MISSED + SILENT + tuple(n for n, instead in NEEDED_BY_ON))
    ran, err = irq_guest('kvm,kernel-irqchip=off', KVM_LACKS=everything)
    check(ran and len(err.splitlines()) == len(MISSED), 'without all of them: %r' % err)


def cpuinfo(flag):
    path = os.path.join(WORK, 'cpuinfo-' + flag)
    with open(path, 'w') as f:
        f.write('processor : 0\nflags\t\t: fpu %s sse2\n' % flag)
    return path


def test_kvm_cannot_be_opened():
    """/dev/kvm is absent, not permitted, without its module, too old, taken: a message with what to do, and the software CPU by default."""
    for number, flag, says in ((errno.ENOENT, 'vmx', 'sudo modprobe kvm-intel'), (errno.ENOENT, 'svm', 'sudo modprobe kvm-amd'),
                               (errno.ENOENT, 'none', 'neither vmx nor svm'), (errno.ENODEV, 'svm', 'sudo modprobe kvm-amd'),
                               (errno.ENXIO, 'vmx', 'sudo modprobe kvm-intel'), (errno.EACCES, 'vmx', 'sudo ')):
        env = {'KVM_OPEN': str(number), 'KVM_CPUINFO': cpuinfo(flag)}
        ran, err = irq_guest('kvm', **env)
        check(not ran and len(err.splitlines()) == 1 and err.startswith('evmm: -accel kvm: /dev/kvm ') and says in err, '%r: %r' % (env, err))
        if flag != 'vmx':
            continue
        for accel in None, 'kvm:tcg':
            ran, err = irq_guest(accel, **env)
            check(ran and len(err.splitlines()) == 1 and says in err, '%s: %r: %r' % (accel, env, err))
    need_kvm()
    ran, err = irq_guest('kvm', KVM_VERSION='11')
    check(not ran and 'API version 11, evmm needs 12' in err, err)
    ran, err = irq_guest('kvm', KVM_FAILS='%d:%d' % (CREATE_VM, errno.EBUSY))
    check(not ran and 'another hypervisor' in err, err)
    ran, err = irq_guest(None, KVM_CPUINFO=cpuinfo('svm'))
    check(ran and not err, 'by default, where there is hardware virtualization: %r' % err)


def looks(exit_, *extra):
    """What the monitor says once KVM_RUN has returned with EXIT_; the exit status; stderr."""
    with subprocess.Popen([EVMM, '-accel', 'kvm', '-m', '64', '-nodefaults', '-display', 'none', '-S', '-monitor', 'stdio', '-bios',
                           os.path.join(GUESTS, 'idle.rom'), *extra], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, env=dict(os.environ, LD_PRELOAD=LACKS, KVM_RUN_EXIT=exit_,
                                              ASAN_OPTIONS='verify_asan_link_order=0')) as p:
        p.stdin.write('cont\n')
        p.stdin.flush()
        seen, end = '', time.monotonic() + 60
        while 'paused (internal-error)' not in seen and p.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
            try:
                p.stdin.write('info status\n')
                p.stdin.flush()
            except BrokenPipeError:
                break
            seen = seen[-2000:] + p.stdout.readline() + p.stdout.readline()
        try:
            p.stdin.write('info registers\nquit\n')
            p.stdin.close()
        except OSError:
            pass
        seen += p.stdout.read()
        return seen, p.wait(60), p.stderr.read()


def test_kvm_cannot_go_on():
    """Exits after which nobody can go on: told with what the kernel says and the registers; the machine is paused, to be looked at."""
    need_kvm()
    if not os.path.exists(LACKS):
        raise Skip('%s is not built' % LACKS)
    for exit_, says in (('4:%d:1:4660' % EXIT_INTERNAL_ERROR, ('suberror 1 (emulation failure)', 'extra data: 1234', 'at rip:')),
                        ('4:%d:99' % EXIT_INTERNAL_ERROR, ('suberror 99 (not known to evmm)',)),
                        ('4:%d:%d' % (EXIT_FAIL_ENTRY, 0x80000021), ('hardware error 0x80000021', "the guest's state is not valid")),
                        ('4:%d:7' % EXIT_UNKNOWN, ('unknown hardware exit 0x7',)), ('4:77', ('exit reason 77',)),
                        ('4:%d:3' % EXIT_SYSTEM_EVENT, ('system event of type 3 (a crash)',))):
        out, status, err = looks(exit_)
        for text in says + ('RIP=', 'CR0='):
            check(text in err, '%s: no %r in %r' % (exit_, text, err))
        check('paused (internal-error)' in out and 'RIP=' in out and status == 0, '%s: %r' % (exit_, (out, status, err)))
    out, status, err = looks('4:%d:1' % EXIT_SYSTEM_EVENT)
    check(status == 0 and 'internal-error' not in out, 'shutdown: %r' % ((out, status, err),))
    out, status, err = looks('4:%d:2' % EXIT_SYSTEM_EVENT, '-no-reboot')
    check(status == 0 and 'internal-error' not in out, 'reset: %r' % ((out, status, err),))


def ends(*extra):
    """The guest that ends at once, with these options: exit status (43 when it has run), stderr."""
    r = subprocess.run([EVMM, '-nodefaults', '-display', 'none', '-debugcon', 'null', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4', '-kernel',
                        os.path.join(GUESTS, 'ends.elf'), '-append', 'd', *extra], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    return r.returncode, r.stderr


def test_kvm_models():
    """Every model of -cpu help runs; what the host lacks is named when it is asked for, and refused with enforce."""
    need_kvm()
    r = subprocess.run([EVMM, '-accel', 'kvm', '-cpu', 'help'], capture_output=True, text=True, timeout=20)
    names = [line.split()[1] for line in r.stdout.splitlines() if line.startswith('x86 ')]
    check(r.returncode == 0 and {'host', 'max', 'qemu64', 'Haswell', 'EPYC-Rome'} <= set(names), repr(r))
    for name in names + ['Skylake-Client-noTSX-IBRS', 'EPYC-IBPB', 'host,kvm=off', 'host,-avx']:
        status, err = ends('-accel', 'kvm', '-cpu', name + ',check=off')
        check(status == 43 and not err, '%s: %r' % (name, (status, err)))
    status, err = ends('-accel', 'kvm', '-cpu', 'host,+3dnow')
    check(status == 43 and "host doesn't support requested feature: CPUID[eax=80000001h,ecx=00h].EDX.3dnow [bit 31]" in err, repr((status, err)))
    status, err = ends('-accel', 'kvm', '-cpu', 'host,+3dnow,enforce')
    check(status == 1 and "Host doesn't support requested features" in err, repr((status, err)))
    status, err = ends('-accel', 'kvm', '-cpu', 'Haswell-IBPB')
    check(status == 1 and "unable to find CPU model 'Haswell-IBPB'" in err, repr((status, err)))


def test_memory_options():
    """Where memory comes from, and what is done with it: each of these machines runs."""
    with tempfile.TemporaryDirectory() as d:
        for option in (['-mem-path', d], ['-mem-path', d, '-mem-prealloc'], ['-mem-prealloc'], ['-overcommit', 'mem-lock=off'],
                       ['-machine', 'pc,mem-merge=off,dump-guest-core=off'],
                       ['-object', 'memory-backend-ram,id=m,size=64M,prealloc=on,merge=off,dump=off', '-machine', 'memory-backend=m'],
                       ['-object', 'memory-backend-file,id=m,size=64M,share=on,mem-path=%s/f' % d, '-machine', 'memory-backend=m'],
                       ['-object', 'memory-backend-memfd,id=m,size=64M,share=on,seal=on', '-machine', 'memory-backend=m'],
                       ['-object', 'memory-backend-ram,id=m,size=32M', '-object', 'memory-backend-memfd,id=n,size=32M', '-numa', 'node,memdev=m',
                        '-numa', 'node,memdev=n']):
            for accel in ('soft', 'kvm') if here('kvm') else ('soft',):
                status, err = ends('-accel', accel, '-m', '64', *option)
                check(status == 43 and not err, '%s %s: %r' % (accel, option, (status, err)))


def test_memory_that_cannot_be_had():
    """Which option asked for how much, and how much there is; nobody is killed for it."""
    for option, says in ((['-m', '900G', '-mem-prealloc'], ('-mem-prealloc', '921600 MiB', 'MiB available')),
                         (['-m', '900G', '-overcommit', 'mem-lock=on'], ('-overcommit mem-lock=on', '921600 MiB', 'MiB available')),
                         (['-m', '900G', '-object', 'memory-backend-ram,id=big,size=900G,prealloc=on', '-machine', 'memory-backend=big'],
                          ("'big'", '921600 MiB')),
                         (['-m', '900G', '-object', 'memory-backend-memfd,id=big,size=900G,hugetlb=on', '-machine', 'memory-backend=big'],
                          ("'big'", '921600 MiB', '/sys/kernel/mm/hugepages')),
                         (['-m', '64', '-mem-path', '/nonexistent/dir'], ('-mem-path /nonexistent/dir', 'No such file')),
                         (['-m', '64', '-object', 'memory-backend-ram,id=m,size=32M', '-machine', 'memory-backend=m'], ('64 MiB', '32 MiB')),
                         (['-m', '64', '-overcommit', 'mem-lock=maybe'], ('-overcommit mem-lock=maybe', "'on', 'on-fault' or 'off'"))):
        status, err = ends('-accel', 'soft', *option)
        check(status == 1 and len(err.splitlines()) == 1 and all(s in err for s in says), '%s: %r' % (option, (status, err)))
