/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct machine: everything that one guest is. Reached from one place and passed along, so that tests can
 * build one, poke it and throw it away, many times in one process.
 *
 * Run state (loop thread; QEMU's names in `info status`):
 *
 *	prelaunch --start--> running <--pause/resume--> paused
 *	running --guest power-off--> shutdown (process ends, or stays paused with -no-shutdown)
 *	running --a debugger's stop--> debug --resume--> running
 *	running --the accelerator cannot go on--> internal-error (paused; a reset lets it go on)
 *	running --guest's suspend to RAM--> suspended --a key, RTC alarm, system_wakeup--> (all but RAM reset) --> running
 *	running --reset--> (vCPUs parked, devices and vCPUs reset, boot state loaded) --> running
 */
#ifndef EVMM_MACHINE_H
#define EVMM_MACHINE_H

#include "src/accel.h"
#include "src/boot/boot_config.h"
#include "src/clock.h"
#include "src/device.h"
#include "src/dirty_log.h"
#include "src/irq.h"
#include "src/loop.h"
#include "src/memory.h"
#include "src/object.h"
#include "src/vcpu.h"

struct worker_pool;
struct chardev;
struct acpi_board;
struct display;
struct input;
struct pci_bus;
struct numa;
struct smbios_config;
struct virtio_balloon;
struct memory_backend;
struct gdbstub;
struct dump;
struct json_t;

enum run_state {
	RUN_PRELAUNCH,
	RUN_RUNNING,
	RUN_PAUSED,
	RUN_SHUTDOWN,
	RUN_INTERNAL_ERROR,
	RUN_DEBUG,    /* a debugger's stop */
	RUN_IO_ERROR, /* werror=stop, rerror=stop */
	RUN_GUEST_PANICKED,
	RUN_SUSPENDED, /* to RAM (S3) */
	RUN_WATCHDOG,
};

enum shutdown_cause {
	SHUTDOWN_NONE,
	SHUTDOWN_GUEST,
	SHUTDOWN_GUEST_RESET,
	SHUTDOWN_HOST_SIGNAL,
	SHUTDOWN_QUIT,
	SHUTDOWN_DEBUG_EXIT,
	SHUTDOWN_HOST_RESET, /* system_reset */
	SHUTDOWN_GUEST_PANIC,
};

/* What ends a suspension. */
enum wake_reason { WAKE_OTHER, WAKE_RTC };

/* -action panic= */
enum panic_action { PANIC_SHUTDOWN, PANIC_PAUSE, PANIC_EXIT_FAILURE, PANIC_NONE };
bool panic_action_parse(const char *name, enum panic_action *out);

/* -action watchdog= */
enum watchdog_action {
	WATCHDOG_RESET,
	WATCHDOG_SHUTDOWN,
	WATCHDOG_POWEROFF,
	WATCHDOG_PAUSE,
	WATCHDOG_DEBUG,
	WATCHDOG_NONE,
	WATCHDOG_INJECT_NMI,
};
bool watchdog_action_parse(const char *name, enum watchdog_action *out, struct error *err);

/* -vga; without it a standard VGA, unless -nodefaults */
enum machine_vga { VGA_DEFAULT, VGA_NONE, VGA_STD };

#define MACHINE_MAX_VCPUS 255
#define MACHINE_MAX_RAM	  (1023 * GiB) /* 40 bits of physical address, less the hole below 4 GiB */
#define MACHINE_GSIS	  24
#define MACHINE_SERIALS	  4
#define MACHINE_PARALLELS 3

/* -machine microvm,...: what differs from the default */
struct microvm_config {
	bool rtc, no_rtc; /* neither: with the software CPU, whose guests have no other clock */
	bool no_isa_serial, no_auto_cmdline, no_pic, no_pit;
	bool given; /* one of them was */
};

/* What the options say, before anything is built. Strings point into argv or the heap of the options. */
struct machine_config {
	const struct machine_type *type;
	const char *type_name; /* as -machine has it; NULL: the type's own */
	const struct accel_ops *accel;
	const char *cpu_model;
	uint64_t ram_bytes;
	bool ram_given;		    /* by -m: a backend must have just that */
	const char *memory_backend; /* id; NULL: plain memory, or as -numa says */
	const char *mem_path;	    /* -mem-path */
	bool mem_prealloc, mem_lock, mem_lock_on_fault, no_mem_merge, no_dump_guest_core;
	bool irqchip_given;   /* kernel-irqchip= */
	enum irqchip irqchip; /* with that */
	bool cpu_pm;	      /* the guest's idling keeps the host CPU */
	struct numa *numa;    /* NULL: one node, and no table of them */
	unsigned cpus, maxcpus, sockets, cores, threads;
	const char *name;
	const char *kernel, *initrd, *append;
	bool no_reboot, no_shutdown, start_paused, nodefaults;
	bool no_default_cdrom, no_default_floppy; /* -device has something in their place */
	enum panic_action panic;
	enum watchdog_action watchdog;
	enum machine_vga vga;
	/* -rtc */
	bool rtc_localtime;
	bool rtc_base_set;
	int64_t rtc_base_unix; /* seconds, with rtc_base_set */
	bool rtc_clock_vm;     /* clock=vm: follows the guest clock; else the host's real time */
	struct chardev *serials[MACHINE_SERIALS];
	bool acpi;
	struct microvm_config microvm;
	const char *dtb, *dumpdtb;  /* -dtb; -machine dumpdtb= */
	struct object_set *objects; /* what -object has made; NULL: nothing */
	struct boot_config boot;
	bool no_hpet;	  /* -machine hpet=off, -no-hpet */
	bool snapshot;	  /* -snapshot */
	uint8_t uuid[16]; /* -uuid, as it is written; zeroes: none */
	bool uuid_given;
	struct smbios_config *smbios; /* src/boot/smbios.h; NULL: nothing is said */
	bool smbios_64;		      /* the entry point is of 3.0 */
	struct list *globals;	      /* -global: struct device_global; NULL: none */
};

/* Somebody wants to look at the vCPUs. Member of its owner. */
struct machine_inspect {
	struct list node;
	loop_fn *fn;
	void *opaque;
};

/* A board. Lists of what it is made of are in its init function, readable as such. */
struct machine_type {
	const char *name;
	const char *alias;
	const char *desc;
	bool is_default;
	/* enum drive_if: what -drive means without if=; 0: IDE. And what it has without being asked for. */
	uint8_t default_drive;
	uint8_t ide_units; /* places on an IDE cable; 0: two */
	bool default_cdrom, default_floppy;
	uint64_t low_ram_limit,
		low_ram_split; /* RAM below 4 GiB: up to the limit all of it, else the split; 0: a PC's */
	const char *firmware; /* what runs when there is no -kernel; NULL: nothing */
	bool (*init)(struct machine *m, struct error *err);
	/* All devices are there, a kernel that is started without firmware is about to be read. May be NULL. */
	bool (*before_boot)(struct machine *m, struct error *err);
	/* All devices are there, the first reset comes. May be NULL. */
	void (*ready)(struct machine *m);
};

extern const struct machine_type *const machine_types[]; /* src/board/types.c; ends with NULL */

/*
 * RAM as the guest sees it: below 4 GiB, and the rest from 4 GiB up. Up to 3.5 GiB all of it is below; with more than
 * that, 3 GiB are. machine_build puts both regions into the address space, at priority 0.
 */
struct machine_ram {
	uint8_t *host;
	uint64_t bytes;
	uint64_t below_4g, above_4g;
	struct region low, high;
	struct memory_backend *backends[64]; /* one after the other */
	unsigned n_backends;
};

struct machine {
	struct machine_config config;
	struct loop *loop;
	struct worker_pool *workers;
	struct clock *clock; /* the guest clock, or a fake one */
	const struct accel_ops *accel;
	void *accel_state;
	struct address_space mem; /* guest-physical */
	struct address_space io;  /* 64 Ki ports */
	struct machine_ram ram;
	struct list devices;
	struct list buses;	    /* src/bus.h */
	struct list drives;	    /* src/drive.h */
	unsigned devices_made;	    /* also those that are gone */
	struct object_set *objects; /* the options', or OWN_OBJECTS */
	struct object_set own_objects;
	struct display *display; /* io/display/console.h */
	struct input *input;	 /* src/input.h */
	struct vcpu **vcpus;
	unsigned n_vcpus;
	/* src/dirty_log.h; the logs are for the vCPUs to look at as well */
	struct dirty_log *dirty_logs[DIRTY_LOGS_MAX];
	unsigned n_dirty_logs;
	uint64_t dirty_ticket;
	uint64_t posted_tickets
		__attribute__((aligned(64))); /* given out to posted writes; atomic */
	uint64_t posted_done __attribute__((
		aligned(64))); /* the loop's to write; atomic: writes up to here are done */

	/* The board's interrupt wiring: GSI n reaches the 8259s (n < 16) and the IOAPIC. */
	struct irq gsi[MACHINE_GSIS];
	uint16_t gsi_asserted[MACHINE_GSIS]; /* how many devices hold the line up */
	struct list irqfds;		     /* src/irqfd.h */
	struct pci_bus *pci;		     /* bus 0, set by the host bridge; NULL: none */
	struct device *fw_cfg;		     /* set by the board; NULL: none */
	void *board;			     /* the board's own; heap, freed with the machine */
	/* Set by the board; the 8259 pair's answer to an interrupt acknowledge. */
	uint8_t (*intack)(void *opaque);
	void *intack_opaque;
	/* Set by the board: EOI broadcast to IOAPICs. */
	void (*eoi_broadcast)(void *opaque, uint8_t vector);
	void *eoi_opaque;
	/* Set by the power management: the power button (system_powerdown), the RTC's alarm interrupt. */
	void (*power_button)(void *opaque);
	void (*rtc_alarm)(void *opaque); /* of the same opaque */
	void *power_button_opaque;

	enum run_state state;
	enum shutdown_cause shutdown_cause, reset_cause;
	int exit_status;
	/*
	 * What was asked for. control_work carries it out, outside of any device's callback: it has the vCPUs park,
	 * and goes on when they have.
	 */
	bool reset_pending, shutdown_pending, suspend_pending, wake_pending;
	enum wake_reason wake_reason;
	bool waking; /* reset functions: RAM and what firmware needs to find its way in it stay */
	bool started, running_wanted;
	bool pausing; /* vCPUs were asked to park */
	struct loop_work control_work;
	struct list inspections; /* struct machine_inspect */
	struct vcpu *served;	 /* whose trap is being served; NULL: nobody's */
	loop_fn *pause_done;	 /* vcpus_pause */
	void *pause_opaque;
	struct loop_work reclaim_work; /* frees old memory views */

	/*
	 * A debugger's stop: state RUN_DEBUG, all vCPUs parked, STOP tells which one has met what. Called once for a stop, on the loop,
	 * in the work phase. Of several vCPUs that stop together the first is told of; a breakpoint of another is met again.
	 */
	void (*on_debug_stop)(void *opaque, const struct debug_stop *stop);
	/* It has stopped for the reason that STATE gives, which isn't a debugger's: when all vCPUs are parked, in the work phase. */
	void (*on_stopped)(void *opaque);
	void *debug_opaque;	      /* of both */
	struct debug_stop debug_stop; /* vcpu NULL: told already */
	bool stop_untold;
	bool clock_held;	 /* a debugger's steps take no guest time */
	struct gdbstub *gdbstub; /* monitor/gdbstub.h; NULL: none */

	/*
	 * Suspension to RAM. The power management sets S3 and S4, which the guest is told of, and WOKEN, called when all has been
	 * reset; the board sets SUSPENDING, which leaves a word for its firmware (may be NULL).
	 */
	bool has_s3, has_s4;
	void (*suspending)(struct machine *m);
	void (*woken)(void *opaque, enum wake_reason reason);
	void *woken_opaque;

	/* Set by the power management: general purpose event N has happened. */
	void (*raise_gpe)(void *opaque, unsigned n);
	void *raise_gpe_opaque;
	struct device *vmgenid;		/* NULL: none */
	uint16_t pvpanic_port;		/* 0: none */
	struct virtio_balloon *balloon; /* devices/virtio/virtio_balloon.h; NULL: none */
	struct list boot_order;		/* src/boot/bootorder.h */
	/* Set by the board: tells firmware what to boot from, letters as -boot has them. */
	void (*set_boot_order)(struct machine *m, const char *letters);
	uint8_t *device_tree; /* heap; what the kernel is given; NULL: nothing */
	size_t device_tree_bytes;
	bool uefi;   /* the firmware's image is UEFI's */
	bool booted; /* -boot once= has had its turn */

	/* Set by the board, its own memory: what the ACPI tables tell (src/boot/acpi.h). NULL: the guest gets no tables. */
	const struct acpi_board *acpi;
	/* Brings it up to date with what firmware has programmed. */
	void (*acpi_refresh)(struct machine *m);

	/*
	 * Set by a board with PCI: gives its functions addresses and interrupts, for guests that are started without
	 * firmware.
	 */
	void (*assign_resources)(struct machine *m);
	/* Puts the boot CPU and memory in the state that the loaders asked for, after each reset. */
	bool (*boot_reset)(struct machine *m, void *opaque);
	/* The same after a suspension, with memory as the guest has left it. NULL: the processor is left as reset. */
	bool (*boot_wake)(struct machine *m, void *opaque);
	void *boot_opaque;
	const struct boot_screen *boot_screen; /* the first display adapter; NULL: none */
	/*
	 * Set by a board that tells its guest of devices that come and go (src/hotplug.h); NULL: guests find out by
	 * looking. PLUGGED: DEV is there. UNPLUG asks the guest to let DEV go, after which the board calls
	 * device_unplug(); false with ERR when that can't be asked.
	 */
	void (*device_plugged)(void *opaque, struct device *dev);
	bool (*device_unplug)(void *opaque, struct device *dev, struct error *err);
	void *hotplug_opaque;
	struct list unplugs;   /* of src/hotplug.c */
	bool plugging;	       /* of the same: the device that is being made comes late */
	struct list named_fds; /* src/named_fd.h */
	struct dump *dump; /* monitor/dump.h: of memory, under way or the last; NULL: none yet */
	void (*dump_free)(struct machine *m);
	bool migration_events; /* a manager wants to hear of migrations */
	/* Who wants to know of events (src/events.h); NULL: nobody. DATA is borrowed. */
	void (*event_hook)(void *opaque, const char *name, struct json_t *data);
	void *event_opaque;
	/* The host's end: called on the loop when the machine has ended. */
	void (*on_end)(void *opaque);
	void *on_end_opaque;
};

/* Builds nothing yet: RAM, address spaces, accelerator, board come with machine_build. CLOCK NULL: the loop's guest clock. */
struct machine *machine_new(struct loop *loop, const struct machine_config *config,
			    struct clock *clock);
/* RAM, accelerator, vCPUs, board devices, in that order. On failure the machine is still to be freed. */
bool machine_build(struct machine *m, struct error *err);
void machine_free(struct machine *m);

/* First reset, vCPU threads started; running unless start_paused. */
bool machine_start(struct machine *m, struct error *err);
void machine_pause(struct machine *m);
/* As machine_pause, for the reason that STATE gives. */
void machine_stop(struct machine *m, enum run_state state);
/* A disk waits for its error to be put right: state io-error until machine_resume(). Whether it runs or not. */
void machine_stop_io_error(struct machine *m);
void machine_resume(struct machine *m);
/*
 * From devices and the monitor; carried out from control_work. Any cause sets exit status 0 but DEBUG_EXIT and GUEST_PANIC,
 * which give STATUS.
 */
void machine_request_reset(struct machine *m); /* the guest's */
void machine_request_reset_as(struct machine *m, enum shutdown_cause cause);
void machine_request_shutdown(struct machine *m, enum shutdown_cause cause, int status);
void machine_power_button(struct machine *m);
/* The guest suspends to RAM. */
void machine_request_suspend(struct machine *m);
/* Ends that; nothing happens where no guest sleeps, or is about to. */
void machine_wake(struct machine *m, enum wake_reason reason);
/* The guest says that it has panicked (-action panic= has what follows); or that its crash kernel takes over. */
void machine_guest_panicked(struct machine *m);
void machine_guest_crashloaded(struct machine *m);
/* A watchdog was not petted in time (-action watchdog= has what follows). */
void machine_watchdog_expired(struct machine *m);
/* To each processor. */
void machine_inject_nmi(struct machine *m);
/* A vCPU's triple fault: logs its registers under -d cpu_reset, then a reset is requested. */
void machine_triple_fault(struct machine *m, struct vcpu *v);
/* A vCPU has met what a debugger asked for. Called for vcpu_debug_stop. */
void machine_debug_stop(struct machine *m, const struct debug_stop *stop);
/* The accelerator cannot go on with V, whose registers are shown on stderr below the line WHAT: pauses, for good or until a reset. */
void machine_internal_error(struct machine *m, struct vcpu *v, const char *what);
/*
 * FN is called once with all vCPUs parked, at once when they are; then they go on, if the machine runs. Guest time
 * passes meanwhile. Cancelling what isn't pending does nothing, given an initialised node.
 */
void machine_inspect(struct machine *m, struct machine_inspect *req, loop_fn *fn, void *opaque);
void machine_inspect_cancel(struct machine_inspect *req);
const char *machine_state_name(const struct machine *m);

/*
 * The guest has no use for these bytes now: the host's whole pages among them go back to the host and read as zeroes
 * from then on. What is not RAM is left alone.
 */
void machine_ram_discard(struct machine *m, gpa_t gpa, uint64_t bytes);
/* board/ram.c, for machine.c: RAM of its backends; into the address space; and gone. */
bool machine_ram_build(struct machine *m, struct error *err);
void machine_ram_map(struct machine *m);
void machine_ram_free(struct machine *m);

/*
 * IRQ, which must be low, drives GSI N from now on, together with all others that do: the line is up while any of them is.
 */
void machine_share_gsi(struct machine *m, struct irq *irq, unsigned n);

/* The board of the PC family (src/board/pc.c). */
extern const struct machine_type machine_pc, machine_q35, machine_microvm, machine_none;
/* By its name, that of an earlier version, or its alias. */
const struct machine_type *machine_type_find(const char *name);
/* What the machine is called: the name it was asked for by, but no alias. */
const char *machine_name(const struct machine *m);
/* Every name but the aliases, each board's own first. */
typedef void machine_name_fn(void *opaque, const struct machine_type *type, const char *name,
			     bool deprecated);
void machine_each_name(machine_name_fn *fn, void *opaque);
void machine_list_types(void);

#endif
