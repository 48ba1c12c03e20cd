/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PC's real-time clock and CMOS RAM.
 *
 * Motorola MC146818A data sheet (ADI1023R1), "Address map", "Time, calendar and alarm locations",
 * "Registers"; 82371SB PIIX3 (290550-002) "RTCI", "RTCD"; the century byte as ACPI 6.4
 * section 5.2.9 (FADT, CENTURY) points to it.
 *
 *	port	name	access	reset	section
 *	70	RTCI	W	-	290550 "RTCI": 6-0 index, 7 NMI mask
 *	71	RTCD	RW	-	290550 "RTCD"
 *
 *	index	name			access	reset	section (ADI1023R1)
 *	00-05	seconds, alarm, minutes, alarm, hours, alarm
 *				RW	-	"Time, calendar and alarm locations"
 *	06-09	day of week, date, month, year
 *				RW	-	same
 *	0a	A: UIP, DV, RS		RW	26	"Register A"; UIP is read-only
 *	0b	B: SET, PIE, AIE, UIE, SQWE, DM, 24/12, DSE
 *				RW	02	"Register B"; reset clears PIE, AIE, UIE, SQWE
 *	0c	C: IRQF, PF, AF, UF	R	00	"Register C"; reading clears
 *	0d	D: VRT			R	80	"Register D"
 *	0e-7f	RAM; 32 is the century	RW	-
 *
 * The time is a number of nanoseconds, the -rtc clock plus an offset that the guest's writes
 * change; the registers and flags are worked out from it when they are looked at. A timer runs only
 * while an interrupt is enabled that has yet to come.
 *
 * Not modelled: the square wave output; daylight saving (DSE); the second bank at 72h; time bases
 * other than 32.768 kHz; years outside 1970 to 2199.
 * Deviates because: the day of the week follows from the date, as every guest that sets it means it
 * to.
 */
#include <time.h>
#include "devices/chipset/chipset.h"
#include "devices/chipset/hpet.h"
#include "devices/isa.h"

#define RTC_PORT 0x70
#define RTC_IRQ	 8
#define RTC_HZ	 32768

#define RTCI	   0
#define RTCD	   1
#define RTCI_INDEX 0x7f

#define RTC_SECONDS	  0x00
#define RTC_SECONDS_ALARM 0x01
#define RTC_MINUTES	  0x02
#define RTC_MINUTES_ALARM 0x03
#define RTC_HOURS	  0x04
#define RTC_HOURS_ALARM	  0x05
#define RTC_DAY_OF_WEEK	  0x06
#define RTC_DATE	  0x07
#define RTC_MONTH	  0x08
#define RTC_YEAR	  0x09
#define RTC_A		  0x0a
#define RTC_B		  0x0b
#define RTC_C		  0x0c
#define RTC_D		  0x0d
#define RTC_CENTURY	  0x32
#define RTC_BYTES	  0x80

#define RTC_A_UIP      0x80
#define RTC_A_DV       0x70
#define RTC_A_DV_32KHZ 0x20
#define RTC_A_RS       0x0f
#define RTC_A_RESET    0x26 /* 32.768 kHz, 1024 Hz */
#define RTC_B_SET      0x80
#define RTC_B_PIE      0x40
#define RTC_B_AIE      0x20
#define RTC_B_UIE      0x10
#define RTC_B_SQWE     0x08
#define RTC_B_DM       0x04 /* binary */
#define RTC_B_24H      0x02
#define RTC_C_IRQF     0x80
#define RTC_C_PF       0x40
#define RTC_C_AF       0x20
#define RTC_C_UF       0x10
#define RTC_C_FLAGS    (RTC_C_PF | RTC_C_AF | RTC_C_UF)
#define RTC_D_VRT      0x80
#define RTC_PM	       0x80 /* of the hours, in 12-hour mode */
#define RTC_ALARM_ANY  0xc0 /* both bits: this alarm byte does not matter */

/* "Update cycle": UIP rises 244 us before the update, which takes 1984 us. */
#define RTC_UIP_NS ((244 + 1984) * NS_PER_US)

/* What a PC's firmware keeps in the RAM (the IBM AT's layout). */
#define CMOS_EQUIPMENT	   0x14
#define CMOS_BASE_KIB	   0x15
#define CMOS_EXT_KIB	   0x17
#define CMOS_CHECKSUM_FROM 0x10
#define CMOS_CHECKSUM_LAST 0x2d
#define CMOS_CHECKSUM	   0x2e
#define CMOS_EXT_KIB_POST  0x30
#define CMOS_ABOVE_16M	   0x34 /* units of 64 KiB */
#define CMOS_ABOVE_4G	   0x5b /* units of 64 KiB, three bytes */
#define CMOS_LAST_CPU	   0x5f
#define EQUIPMENT_FPU	   0x02

/* With lost_tick_policy=slew. */
#define RTC_LOST_MAX	  8192ull /* eight seconds at 1024 Hz: more was a pause of the host */
#define RTC_CATCH_UP_PACE 4

#define SECS_PER_DAY 86400
#define YEAR_MIN     1970
#define YEAR_MAX     2199
#define RTC_MIN_NS   0ll			 /* 1970-01-01 */
#define RTC_MAX_NS   (7258118400ll * NS_PER_SEC) /* 2200-01-01 */

struct mc146818 {
	struct device dev;

	/* configuration */
	struct region ports, index_port;
	char *lost_tick_policy;
	bool slew; /* lost periodic interrupts are made up for */

	/* guest-visible */
	GUEST_VISIBLE_BEGIN;
	int64_t offset_ns; /* clock's time -> the RTC's, ns since 1970 in the RTC's own time zone */
	int64_t synced_ns; /* RTC time up to which register C has been worked out */
	int64_t catch_up_ns; /* RTC time of the next lost interrupt's coming after all, with LOST */
	uint64_t lost;	     /* periodic interrupts that came while PF was set, with "slew" */
	uint8_t ram[RTC_BYTES]; /* the time bytes: as last looked at, while it runs */
	uint8_t index;
	GUEST_VISIBLE_END;

	/* host side */
	struct irq irq;
	bool replaced; /* the HPET has taken over its interrupt */
	bool alarm;    /* its interrupt is an alarm's */
	struct timer timer;
};

struct date {
	int year, month, day, hour, minute, second; /* month and day from 1 */
	int weekday;				    /* 0: Sunday */
};

/* Calendar */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1970-01-01, in the proleptic Gregorian calendar; years begin in March. */
static int64_t days_of_date(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = floor_div(y, 400), year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
	       day_of_year - 719468;
}

static struct date date_of_secs(int64_t secs)
{
	int64_t days = floor_div(secs, SECS_PER_DAY), of_day = secs - days * SECS_PER_DAY;
	int64_t z = days + 719468, era = floor_div(z, 146097), doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	struct date d;

	d.day = doy - (153 * mp + 2) / 5 + 1;
	d.month = mp < 10 ? mp + 3 : mp - 9;
	d.year = yoe + era * 400 + (d.month <= 2);
	d.hour = of_day / 3600;
	d.minute = of_day / 60 % 60;
	d.second = of_day % 60;
	d.weekday = (days % 7 + 7 + 4) % 7; /* 1970-01-01 was a Thursday */
	return d;
}

/* Register forms */

static uint8_t rtc_encode(const struct mc146818 *s, unsigned value)
{
	return s->ram[RTC_B] & RTC_B_DM ? value : (value / 10 << 4 | value % 10);
}

/* What is no number in its form or out of range becomes the nearest that is. */
static int rtc_decode(const struct mc146818 *s, uint8_t raw, int min, int max)
{
	int value = s->ram[RTC_B] & RTC_B_DM ? raw : (raw >> 4) * 10 + (raw & 15);

	return MAX(min, MIN(value, max));
}

static uint8_t rtc_encode_hour(const struct mc146818 *s, unsigned hour)
{
	if (s->ram[RTC_B] & RTC_B_24H)
		return rtc_encode(s, hour);
	return rtc_encode(s, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? RTC_PM : 0);
}

static int rtc_decode_hour(const struct mc146818 *s, uint8_t raw)
{
	if (s->ram[RTC_B] & RTC_B_24H)
		return rtc_decode(s, raw, 0, 23);
	return rtc_decode(s, raw & ~RTC_PM, 1, 12) % 12 + (raw & RTC_PM ? 12 : 0);
}

static void rtc_put_time(struct mc146818 *s, int64_t secs)
{
	struct date d = date_of_secs(secs);

	s->ram[RTC_SECONDS] = rtc_encode(s, d.second);
	s->ram[RTC_MINUTES] = rtc_encode(s, d.minute);
	s->ram[RTC_HOURS] = rtc_encode_hour(s, d.hour);
	s->ram[RTC_DAY_OF_WEEK] = rtc_encode(s, d.weekday + 1);
	s->ram[RTC_DATE] = rtc_encode(s, d.day);
	s->ram[RTC_MONTH] = rtc_encode(s, d.month);
	s->ram[RTC_YEAR] = rtc_encode(s, d.year % 100);
	s->ram[RTC_CENTURY] = rtc_encode(s, d.year / 100);
}

static int64_t rtc_get_time(const struct mc146818 *s)
{
	int year = rtc_decode(s, s->ram[RTC_CENTURY], 0, 99) * 100 +
		   rtc_decode(s, s->ram[RTC_YEAR], 0, 99);
	int64_t days = days_of_date(MAX(YEAR_MIN, MIN(year, YEAR_MAX)),
				    rtc_decode(s, s->ram[RTC_MONTH], 1, 12),
				    rtc_decode(s, s->ram[RTC_DATE], 1, 31));

	return days * SECS_PER_DAY + rtc_decode_hour(s, s->ram[RTC_HOURS]) * 3600 +
	       rtc_decode(s, s->ram[RTC_MINUTES], 0, 59) * 60 +
	       rtc_decode(s, s->ram[RTC_SECONDS], 0, 59);
}

/* Time */

static int64_t rtc_source_ns(const struct mc146818 *s)
{
	const struct machine *m = s->dev.machine;

	return m->config.rtc_clock_vm ? clock_now_ns(m->clock) : clock_wall_ns();
}

static int64_t rtc_now_ns(const struct mc146818 *s)
{
	int64_t now = rtc_source_ns(s) + s->offset_ns;

	return MAX(RTC_MIN_NS, MIN(now, RTC_MAX_NS));
}

/* The divider chain runs at the rate of the crystal; anything else holds it in reset. */
static bool rtc_divider_runs(const struct mc146818 *s)
{
	return (s->ram[RTC_A] & RTC_A_DV) == RTC_A_DV_32KHZ;
}

static bool rtc_updates(const struct mc146818 *s)
{
	return rtc_divider_runs(s) && !(s->ram[RTC_B] & RTC_B_SET);
}

static void rtc_shift(struct mc146818 *s, int64_t ns)
{
	s->offset_ns += ns;
	s->synced_ns += ns;
	if (s->lost)
		s->catch_up_ns += ns;
}

/* Sets the seconds; the phase within the second, which the divider chain keeps, stays. */
static void rtc_set_secs(struct mc146818 *s, int64_t secs)
{
	rtc_shift(s, (secs - floor_div(rtc_now_ns(s), NS_PER_SEC)) * NS_PER_SEC);
}

/* Time bytes as they would read now. */
static void rtc_refresh(struct mc146818 *s)
{
	if (rtc_updates(s))
		rtc_put_time(s, floor_div(rtc_now_ns(s), NS_PER_SEC));
}

/* Flags and interrupts */

/* CLKs of 32.768 kHz between periodic interrupts; 0: none ("Register A", RS). */
static int64_t rtc_period_clks(const struct mc146818 *s)
{
	unsigned rs = s->ram[RTC_A] & RTC_A_RS;

	if (!rs)
		return 0;
	return rs <= 2 ? 1 << (rs + 6) : 1 << (rs - 1);
}

static int64_t clks_of_ns(int64_t ns)
{
	int64_t secs = floor_div(ns, NS_PER_SEC);

	return secs * RTC_HZ + (ns - secs * NS_PER_SEC) * RTC_HZ / NS_PER_SEC;
}

static int64_t ns_of_clks(int64_t clks)
{
	int64_t secs = floor_div(clks, RTC_HZ);

	return secs * NS_PER_SEC + ((clks - secs * RTC_HZ) * NS_PER_SEC + RTC_HZ - 1) / RTC_HZ;
}

static int64_t rtc_next_period_ns(const struct mc146818 *s, int64_t after_ns)
{
	int64_t period = rtc_period_clks(s);

	if (!period || !rtc_divider_runs(s))
		return INT64_MAX;
	return ns_of_clks((floor_div(clks_of_ns(after_ns), period) + 1) * period);
}

static int64_t rtc_next_update_ns(const struct mc146818 *s, int64_t after_ns)
{
	return rtc_updates(s) ? (floor_div(after_ns, NS_PER_SEC) + 1) * NS_PER_SEC : INT64_MAX;
}

static bool alarm_matches(uint8_t alarm, uint8_t value)
{
	return (alarm & RTC_ALARM_ANY) == RTC_ALARM_ANY || alarm == value;
}

/*
 * The first update after AFTER_NS whose time the alarm bytes match; a whole day without one means
 * never.
 */
static int64_t rtc_next_alarm_ns(const struct mc146818 *s, int64_t after_ns)
{
	int64_t from = floor_div(after_ns, NS_PER_SEC) + 1;
	int64_t t = from;

	if (!rtc_updates(s))
		return INT64_MAX;
	while (t < from + SECS_PER_DAY) {
		int64_t of_day = t - floor_div(t, SECS_PER_DAY) * SECS_PER_DAY;

		if (!alarm_matches(s->ram[RTC_HOURS_ALARM], rtc_encode_hour(s, of_day / 3600)))
			t += 3600 - of_day % 3600;
		else if (!alarm_matches(s->ram[RTC_MINUTES_ALARM], rtc_encode(s, of_day / 60 % 60)))
			t += 60 - of_day % 60;
		else if (!alarm_matches(s->ram[RTC_SECONDS_ALARM], rtc_encode(s, of_day % 60)))
			t++;
		else
			return t * NS_PER_SEC;
	}
	return INT64_MAX;
}

/*
 * Lost periodic interrupts are those that came before the last one was acknowledged: guests that count them for
 * the time of day go slow. With "slew" they come later, at a few times the pace.
 */
static void rtc_count_lost(struct mc146818 *s, int64_t now)
{
	int64_t period = rtc_period_clks(s), ticks;

	if (!s->slew || !(s->ram[RTC_B] & RTC_B_PIE) || !period || !rtc_divider_runs(s)) {
		s->lost = 0;
		return;
	}
	ticks = floor_div(clks_of_ns(now), period) - floor_div(clks_of_ns(s->synced_ns), period);
	if (ticks > 0) {
		ticks -= !(s->ram[RTC_C] & RTC_C_PF);
		s->lost = MIN(s->lost + (uint64_t)ticks, RTC_LOST_MAX);
	} else if (s->lost && !(s->ram[RTC_C] & RTC_C_PF) && s->catch_up_ns <= now) {
		s->ram[RTC_C] |= RTC_C_PF;
		s->lost--;
	}
}

/* An interrupt has been acknowledged: the next of those that were lost may come soon. */
static void rtc_plan_catch_up(struct mc146818 *s)
{
	s->catch_up_ns = s->synced_ns + ns_of_clks(rtc_period_clks(s)) / RTC_CATCH_UP_PACE;
}

/*
 * Sets the flags of what happened since the last time. A host clock that was set back is simply
 * believed.
 */
static void rtc_sync(struct mc146818 *s)
{
	int64_t now = rtc_now_ns(s);

	rtc_count_lost(s, now);
	if (rtc_next_period_ns(s, s->synced_ns) <= now)
		s->ram[RTC_C] |= RTC_C_PF;
	if (rtc_next_update_ns(s, s->synced_ns) <= now)
		s->ram[RTC_C] |= RTC_C_UF;
	if (rtc_next_alarm_ns(s, s->synced_ns) <= now)
		s->ram[RTC_C] |= RTC_C_AF;
	s->synced_ns = now;
}

/*
 * IRQF, the line, and the timer for the next event whose interrupt is enabled. PIE, AIE, UIE stand
 * where PF, AF, UF do.
 */
static void rtc_update_irq(struct mc146818 *s)
{
	struct machine *m = s->dev.machine;
	bool alarm = s->ram[RTC_B] & s->ram[RTC_C] & RTC_B_AIE;
	uint8_t waited = s->ram[RTC_B] & ~s->ram[RTC_C];
	int64_t next = INT64_MAX;

	if (s->ram[RTC_B] & s->ram[RTC_C] & RTC_C_FLAGS)
		s->ram[RTC_C] |= RTC_C_IRQF;
	else
		s->ram[RTC_C] &= (uint8_t)~RTC_C_IRQF;
	irq_set(&s->irq, (s->ram[RTC_C] & RTC_C_IRQF) && !s->replaced);
	if (alarm && !s->alarm && m->rtc_alarm)
		m->rtc_alarm(m->power_button_opaque);
	s->alarm = alarm;

	if (waited & RTC_B_PIE)
		next = rtc_next_period_ns(s, s->synced_ns);
	if ((waited & RTC_B_PIE) && s->lost)
		next = MIN(next, MAX(s->catch_up_ns, s->synced_ns));
	if (waited & RTC_B_UIE)
		next = MIN(next, rtc_next_update_ns(s, s->synced_ns));
	if (waited & RTC_B_AIE)
		next = MIN(next, rtc_next_alarm_ns(s, s->synced_ns));
	if (next == INT64_MAX)
		timer_cancel(&s->timer);
	else
		timer_arm(&s->timer, clock_now_ns(s->dev.machine->clock) + next - s->synced_ns);
}

void mc146818_set_replaced(struct device *dev, bool replaced)
{
	struct mc146818 *s = container_of(dev, struct mc146818, dev);

	s->replaced = replaced;
	rtc_update_irq(s);
}

static void rtc_on_timer(void *opaque)
{
	struct mc146818 *s = opaque;

	rtc_sync(s);
	rtc_update_irq(s);
}

/* Reads */

static uint8_t rtc_read_a(const struct mc146818 *s)
{
	int64_t now = rtc_now_ns(s);
	bool uip = rtc_updates(s) && rtc_next_update_ns(s, now) - now <= RTC_UIP_NS;

	return s->ram[RTC_A] | (uip ? RTC_A_UIP : 0);
}

static uint8_t rtc_read_c(struct mc146818 *s)
{
	uint8_t value;

	rtc_sync(s);
	rtc_update_irq(s);
	value = s->ram[RTC_C];
	s->ram[RTC_C] = 0;
	if (s->slew && (value & RTC_C_PF))
		rtc_plan_catch_up(s);
	rtc_update_irq(s);
	return value;
}

static uint64_t rtc_read(void *opaque, uint64_t offset, unsigned size)
{
	struct mc146818 *s = opaque;

	if (offset == RTCI)
		return 0xff; /* write-only */
	switch (s->index) {
	case RTC_A:
		return rtc_read_a(s);
	case RTC_C:
		return rtc_read_c(s);
	case RTC_D:
		return RTC_D_VRT;
	case RTC_SECONDS:
	case RTC_MINUTES:
	case RTC_HOURS:
	case RTC_DAY_OF_WEEK ... RTC_YEAR:
	case RTC_CENTURY:
		rtc_refresh(s);
		break;
	}
	return s->ram[s->index];
}

/* Writes */

/*
 * The clock goes on from what its bytes say. A divider chain that was held in reset updates first
 * after half a second.
 */
static void rtc_restart(struct mc146818 *s, bool divider_was_reset)
{
	rtc_set_secs(s, rtc_get_time(s));
	if (divider_was_reset) {
		int64_t now = rtc_now_ns(s);

		rtc_shift(s, floor_div(now, NS_PER_SEC) * NS_PER_SEC + NS_PER_SEC / 2 - now);
		s->synced_ns = rtc_now_ns(s);
	}
}

/* Registers A and B: the clock may stop or go on, and the form of its bytes may change. */
static void rtc_write_control(struct mc146818 *s, unsigned index, uint8_t value)
{
	bool was_running = rtc_updates(s), divider_was_reset = !rtc_divider_runs(s);

	rtc_sync(s);
	rtc_refresh(s);
	if (index == RTC_A)
		s->ram[RTC_A] = value & ~RTC_A_UIP;
	else
		s->ram[RTC_B] = value & RTC_B_SET ? value & ~RTC_B_UIE : value;
	if (!was_running && rtc_updates(s))
		rtc_restart(s, divider_was_reset);
	rtc_update_irq(s);
}

static void rtc_write_time(struct mc146818 *s, unsigned index, uint8_t value)
{
	rtc_sync(s);
	rtc_refresh(s);
	s->ram[index] = value;
	if (rtc_updates(s))
		rtc_set_secs(s, rtc_get_time(s));
	rtc_update_irq(s);
}

static void rtc_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
	struct mc146818 *s = opaque;

	if (offset == RTCI) {
		s->index = value & RTCI_INDEX;
		return;
	}
	switch (s->index) {
	case RTC_A:
	case RTC_B:
		rtc_write_control(s, s->index, value);
		break;
	case RTC_C:
	case RTC_D:
		break;
	case RTC_SECONDS ... RTC_YEAR: /* with the alarm bytes, which change no time */
	case RTC_CENTURY:
		rtc_write_time(s, s->index, value);
		break;
	default:
		s->ram[s->index] = value;
		break;
	}
}

static const struct region_ops rtc_ops = {
	.read = rtc_read, .write = rtc_write, .min_size = 1, .max_size = 1};

static void rtc_update_checksum(struct mc146818 *s)
{
	uint16_t sum = 0;

	for (unsigned i = CMOS_CHECKSUM_FROM; i <= CMOS_CHECKSUM_LAST; i++)
		sum += s->ram[i];
	s->ram[CMOS_CHECKSUM] = sum >> 8;
	s->ram[CMOS_CHECKSUM + 1] = sum;
}

void mc146818_set_cmos(struct device *dev, unsigned index, uint8_t value)
{
	struct mc146818 *s = container_of(dev, struct mc146818, dev);

	s->ram[index % RTC_BYTES] = value;
	rtc_update_checksum(s);
}

uint8_t mc146818_get_cmos(struct device *dev, unsigned index)
{
	return container_of(dev, struct mc146818, dev)->ram[index % RTC_BYTES];
}

/*
 * What firmware looks for: sizes of memory, number of processors, and the checksum over the first
 * part.
 */
static void rtc_fill_cmos(struct mc146818 *s)
{
	const struct machine *m = s->dev.machine;
	uint64_t below = m->ram.below_4g, above = m->ram.above_4g;
	uint64_t ext_kib = below > MiB ? (below - MiB) / KiB : 0;
	uint64_t above_16m = below > 16 * MiB ? (below - 16 * MiB) / (64 * KiB) : 0;

	s->ram[CMOS_EQUIPMENT] = EQUIPMENT_FPU;
	stn_le(&s->ram[CMOS_BASE_KIB], 2, MIN(below / KiB, 640));
	stn_le(&s->ram[CMOS_EXT_KIB], 2, MIN(ext_kib, UINT16_MAX));
	stn_le(&s->ram[CMOS_EXT_KIB_POST], 2, MIN(ext_kib, UINT16_MAX));
	stn_le(&s->ram[CMOS_ABOVE_16M], 2, MIN(above_16m, UINT16_MAX));
	stn_le(&s->ram[CMOS_ABOVE_4G], 3, MIN(above / (64 * KiB), 0xffffff));
	s->ram[CMOS_LAST_CPU] = m->config.cpus ? m->config.cpus - 1 : 0;
	rtc_update_checksum(s);
}

/* -rtc base= and clock=: what the clock shows when the machine is built. */
static void rtc_set_base(struct mc146818 *s)
{
	const struct machine_config *config = &s->dev.machine->config;
	int64_t wall = clock_wall_ns(), start = wall;
	time_t secs = wall / NS_PER_SEC;
	struct tm tm;

	if (config->rtc_base_set)
		start = MAX(RTC_MIN_NS / NS_PER_SEC,
			    MIN(config->rtc_base_unix, RTC_MAX_NS / NS_PER_SEC)) *
			NS_PER_SEC;
	else if (config->rtc_localtime && localtime_r(&secs, &tm))
		start += tm.tm_gmtoff * NS_PER_SEC;
	s->offset_ns = start - (config->rtc_clock_vm ? clock_now_ns(s->dev.machine->clock) : wall);
	s->synced_ns = start;
}

/* The battery keeps time and RAM; RESET# clears the interrupts ("Signal description", RESET). */
static void mc146818_reset(struct device *dev)
{
	struct mc146818 *s = container_of(dev, struct mc146818, dev);

	s->ram[RTC_B] &= (uint8_t) ~(RTC_B_PIE | RTC_B_AIE | RTC_B_UIE | RTC_B_SQWE);
	s->ram[RTC_C] = 0;
	s->index = 0;
	s->lost = 0;
	s->synced_ns = rtc_now_ns(s);
	rtc_update_irq(s);
}

static bool mc146818_post_load(void *opaque, struct error *err)
{
	struct mc146818 *s = opaque;

	if (s->offset_ns < RTC_MIN_NS - RTC_MAX_NS || s->offset_ns > RTC_MAX_NS ||
	    s->synced_ns < RTC_MIN_NS || s->synced_ns > RTC_MAX_NS)
		return error_set(err, "mc146818: saved time is not possible");
	s->catch_up_ns = MAX(RTC_MIN_NS, MIN(s->catch_up_ns, RTC_MAX_NS));
	s->lost = MIN(s->lost, RTC_LOST_MAX);
	s->index &= RTCI_INDEX;
	s->ram[RTC_A] &= (uint8_t)~RTC_A_UIP;
	s->ram[RTC_C] &= RTC_C_FLAGS | RTC_C_IRQF;
	s->alarm = s->ram[RTC_B] & s->ram[RTC_C] & RTC_B_AIE; /* has been told of */
	rtc_update_irq(s);
	return true;
}

static const struct state_desc mc146818_state = {
	.name = "mc146818",
	.version = 1,
	STATE_SPAN(mc146818),
	.post_load = mc146818_post_load,
	.fields =
		(const struct state_field[]){
			STATE_FIELD(mc146818, offset_ns),
			STATE_FIELD(mc146818, synced_ns),
			STATE_FIELD(mc146818, catch_up_ns),
			STATE_FIELD(mc146818, lost),
			STATE_ARRAY(mc146818, ram),
			STATE_FIELD(mc146818, index),
			STATE_END,
		},
};

static const struct device_prop mc146818_props[] = {
	DEFINE_PROP_STR(mc146818, lost_tick_policy, "lost_tick_policy", "discard",
			"periodic interrupts that come too fast for the guest: discard, or slew"),
	DEFINE_PROP_END,
};

static bool mc146818_realize(struct device *dev, struct error *err)
{
	struct mc146818 *s = container_of(dev, struct mc146818, dev);

	s->slew = !strcmp(s->lost_tick_policy, "slew");
	if (!s->slew && strcmp(s->lost_tick_policy, "discard"))
		return error_set(err, "lost_tick_policy is 'discard' or 'slew', not '%s'",
				 s->lost_tick_policy);
	s->ram[RTC_A] = RTC_A_RESET;
	s->ram[RTC_B] = RTC_B_24H;
	rtc_set_base(s);
	rtc_fill_cmos(s);
	region_init_io(&s->ports, "rtc", &rtc_ops, s, 2);
	/* Nothing follows from the index until a byte is read or written. */
	region_init_io(&s->index_port, "rtc-index", &rtc_ops, s, 1);
	s->index_port.coalesced = true;
	timer_init(&s->timer, dev->machine->clock, "mc146818", rtc_on_timer, s);
	return isa_connect_irq(dev, &s->irq, RTC_IRQ, err) &&
	       isa_add_ports(dev, &s->ports, RTC_PORT, err) &&
	       isa_add_ports(dev, &s->index_port, RTC_PORT, err);
}

static void mc146818_unrealize(struct device *dev)
{
	struct mc146818 *s = container_of(dev, struct mc146818, dev);

	timer_cancel(&s->timer);
	isa_disconnect_irq(&s->irq);
	region_remove(&s->index_port);
	region_remove(&s->ports);
}

const struct device_type mc146818_type = {
	.name = "mc146818rtc",
	.desc = "MC146818 real-time clock and CMOS RAM",
	.bus = BUS_ISA,
	.size = sizeof(struct mc146818),
	.props = mc146818_props,
	.state = &mc146818_state,
	.realize = mc146818_realize,
	.reset = mc146818_reset,
	.unrealize = mc146818_unrealize,
};
