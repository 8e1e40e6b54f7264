/* Arithmetic of dates, times and intervals, and intervals from numbers. */
#include "expr/calendar.h"
#include "expr/function_sets.h"

#include <math.h>

static nrw_status out_of_range(const expr *e, nrw_error *err)
{
    return err_set(err, NRW_E_VALUE, "the result of %s is out of the range of its type",
                   e->f->name);
}

/* Rows of (X x, Y y) to Z z; `good` false is an error where the row is there. */
#define ROWS2(name, X, Y, Z, good)                                                                 \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        for (uint32_t i = 0; i < args->rows; i++) {                                                \
            X x = ARG(X, args, 0)[ROW(args, 0, i)];                                                \
            Y y = ARG(Y, args, 1)[ROW(args, 1, i)];                                                \
            Z z = {0};                                                                             \
            if (!(good) && row_valid(out, i))                                                      \
                return out_of_range(e, err);                                                       \
            OUT(Z, out)[i] = z;                                                                    \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }

#define ROWS1(name, X, Z, good)                                                                    \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        for (uint32_t i = 0; i < args->rows; i++) {                                                \
            X x = ARG(X, args, 0)[i];                                                              \
            Z z = {0};                                                                             \
            if (!(good) && row_valid(out, i))                                                      \
                return out_of_range(e, err);                                                       \
            OUT(Z, out)[i] = z;                                                                    \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }

static bool negate(interval x, interval *z)
{
    return !__builtin_sub_overflow(0, x.months, &z->months) &&
           !__builtin_sub_overflow(0, x.days, &z->days) && !__builtin_sub_overflow(0, x.us, &z->us);
}

static bool add_intervals(interval x, interval y, interval *z)
{
    return !__builtin_add_overflow(x.months, y.months, &z->months) &&
           !__builtin_add_overflow(x.days, y.days, &z->days) &&
           !__builtin_add_overflow(x.us, y.us, &z->us);
}

static bool subtract_intervals(interval x, interval y, interval *z)
{
    return !__builtin_sub_overflow(x.months, y.months, &z->months) &&
           !__builtin_sub_overflow(x.days, y.days, &z->days) &&
           !__builtin_sub_overflow(x.us, y.us, &z->us);
}

/* ---- dates ---- */

static bool shift_date(int32_t x, int64_t by, int32_t *z)
{
    int64_t day = x + by;

    *z = x;
    if (is_infinite_date(x))
        return true;
    *z = (int32_t)day;
    return day > -(int64_t)DATE_INFINITE && day < DATE_INFINITE;
}

static bool back_from_date(int32_t x, interval y, int64_t *z)
{
    interval n = {0};

    return negate(y, &n) && add_to_date(x, n, z);
}

static bool back_from_us(int64_t x, interval y, int64_t *z)
{
    interval n = {0};

    return negate(y, &n) && add_to_us(x, n, z);
}

/* With a zone, an interval of which any part is negative is added time first, then months, then
 * days. */
static bool add_to_instant(int64_t x, interval y, int64_t *z)
{
    if (y.months >= 0 && y.days >= 0 && y.us >= 0)
        return add_to_us(x, y, z);
    return add_to_us(x, (interval){0, 0, y.us}, z) &&
           add_to_us(*z, (interval){y.months, 0, 0}, z) &&
           add_to_us(*z, (interval){0, y.days, 0}, z);
}

static bool back_from_instant(int64_t x, interval y, int64_t *z)
{
    interval n = {0};

    return negate(y, &n) && add_to_instant(x, n, z);
}

static bool between(int64_t x, int64_t y, interval *z)
{
    int64_t us;

    if (is_infinite_time(x) || is_infinite_time(y) || __builtin_sub_overflow(x, y, &us))
        return false;
    z->days = (int32_t)(us / US_PER_DAY);
    z->us = us % US_PER_DAY;
    return true;
}

/* A clock goes round; months and days do not move it. */
static bool turn_clock(int64_t x, int64_t us, int64_t *z)
{
    int64_t sum = x + us % US_PER_DAY;

    *z = sum < 0 ? sum + US_PER_DAY : sum >= US_PER_DAY ? sum - US_PER_DAY : sum;
    return true;
}

static bool date_at_time(int32_t day, int64_t us, int64_t *z)
{
    if (!us_of_date(day, z))
        return false;
    return is_infinite_date(day) || !__builtin_add_overflow(*z, us, z);
}

ROWS2(add_date_int, int32_t, int32_t, int32_t, shift_date(x, y, &z))
ROWS2(add_int_date, int32_t, int32_t, int32_t, shift_date(y, x, &z))
ROWS2(sub_date_int, int32_t, int32_t, int32_t, shift_date(x, -(int64_t)y, &z))
ROWS2(sub_date_date, int32_t, int32_t, int64_t, (z = (int64_t)x - y, true))
ROWS2(add_date_interval, int32_t, interval, int64_t, add_to_date(x, y, &z))
ROWS2(add_interval_date, interval, int32_t, int64_t, add_to_date(y, x, &z))
ROWS2(sub_date_interval, int32_t, interval, int64_t, back_from_date(x, y, &z))
ROWS2(add_us_interval, int64_t, interval, int64_t, add_to_us(x, y, &z))
ROWS2(add_interval_us, interval, int64_t, int64_t, add_to_us(y, x, &z))
ROWS2(sub_us_interval, int64_t, interval, int64_t, back_from_us(x, y, &z))
ROWS2(add_instant_interval, int64_t, interval, int64_t, add_to_instant(x, y, &z))
ROWS2(add_interval_instant, interval, int64_t, int64_t, add_to_instant(y, x, &z))
ROWS2(sub_instant_interval, int64_t, interval, int64_t, back_from_instant(x, y, &z))
ROWS2(sub_us_us, int64_t, int64_t, interval, between(x, y, &z))
ROWS2(add_time_interval, int64_t, interval, int64_t, turn_clock(x, y.us, &z))
ROWS2(add_interval_time, interval, int64_t, int64_t, turn_clock(y, x.us, &z))
ROWS2(sub_time_interval, int64_t, interval, int64_t, turn_clock(x, -(y.us % US_PER_DAY), &z))
ROWS2(add_date_time, int32_t, int64_t, int64_t, date_at_time(x, y, &z))
ROWS2(add_time_date, int64_t, int32_t, int64_t, date_at_time(y, x, &z))

/* ---- intervals ---- */

static bool times_int(interval x, int64_t y, interval *z)
{
    int64_t months, days;

    if (__builtin_mul_overflow((int64_t)x.months, y, &months) ||
        __builtin_mul_overflow((int64_t)x.days, y, &days) ||
        __builtin_mul_overflow(x.us, y, &z->us))
        return false;
    z->months = (int32_t)months;
    z->days = (int32_t)days;
    return z->months == months && z->days == days;
}

static double scaled(double x, double by, bool divide)
{
    return divide ? x / by : x * by;
}

/* To six places, as PostgreSQL does, whose interval arithmetic this is. */
static double six_places(double x)
{
    return rint(x * 1e6) / 1e6;
}

/* What is left of months goes to days, of 30 in a month; what is left of days to time. */
static bool scale_interval(interval x, double by, bool divide, interval *z)
{
    double months = scaled(x.months, by, divide), days = scaled(x.days, by, divide), rest, us;

    if (!(fabs(months) <= INT32_MAX) || !(fabs(days) <= INT32_MAX))
        return false;
    z->months = (int32_t)months;
    rest = six_places((months - z->months) * 30);
    us = six_places((days - (int32_t)days + rest - (int32_t)rest) * 86400);
    days = (double)(int32_t)days + (int32_t)rest;
    if (fabs(us) >= 86400) {
        days += (int32_t)(us / 86400);
        us -= (int32_t)(us / 86400) * 86400.0;
    }
    us = rint(scaled((double)x.us, by, divide) + us * 1e6);
    if (!(fabs(days) <= INT32_MAX) || !(fabs(us) < 0x1p63))
        return false;
    z->days = (int32_t)days;
    z->us = (int64_t)us;
    return true;
}

static nrw_status divide_interval(const expr *e, const scalar_args *args, vector *out,
                                  nrw_error *err)
{
    for (uint32_t i = 0; i < args->rows; i++) {
        interval z = {0};
        double y = ARG(double, args, 1)[ROW(args, 1, i)];
        if (!row_valid(out, i))
            continue;
        if (y == 0)
            return err_set(err, NRW_E_VALUE, "division of an interval by zero");
        if (!scale_interval(ARG(interval, args, 0)[ROW(args, 0, i)], y, true, &z))
            return out_of_range(e, err);
        OUT(interval, out)[i] = z;
    }
    return NRW_OK;
}

static interval normalized(interval x)
{
    i128 us = ((i128)x.months * 30 + x.days) * US_PER_DAY + x.us;
    int64_t days = (int64_t)(us / US_PER_DAY) - (us % US_PER_DAY < 0), months = floor_div(days, 30);

    return (interval){(int32_t)months, (int32_t)(days - months * 30),
                      (int64_t)(us - (i128)days * US_PER_DAY)};
}

ROWS2(interval_add, interval, interval, interval, add_intervals(x, y, &z))
ROWS2(interval_subtract, interval, interval, interval, subtract_intervals(x, y, &z))
ROWS2(interval_times_int, interval, int64_t, interval, times_int(x, y, &z))
ROWS2(int_times_interval, int64_t, interval, interval, times_int(y, x, &z))
ROWS2(interval_times_double, interval, double, interval, scale_interval(x, y, false, &z))
ROWS2(double_times_interval, double, interval, interval, scale_interval(y, x, false, &z))
ROWS1(interval_negate, interval, interval, negate(x, &z))
ROWS1(interval_normalize, interval, interval, (z = normalized(x), true))

/* ---- intervals from numbers ---- */

static bool whole_months(int64_t x, int32_t by, interval *z)
{
    i128 months = (i128)x * by;

    z->months = (int32_t)months;
    return z->months == months;
}

static bool whole_days(int64_t x, int32_t by, interval *z)
{
    i128 days = (i128)x * by;

    z->days = (int32_t)days;
    return z->days == days;
}

static bool rounded_us(double x, double by, interval *z)
{
    double us = round(x * by);

    if (!(us >= -0x1p63 && us < 0x1p63))
        return false;
    z->us = (int64_t)us;
    return true;
}

ROWS1(to_years, int32_t, interval, whole_months(x, 12, &z))
ROWS1(to_months, int32_t, interval, whole_months(x, 1, &z))
ROWS1(to_quarters, int32_t, interval, whole_months(x, 3, &z))
ROWS1(to_decades, int32_t, interval, whole_months(x, 120, &z))
ROWS1(to_centuries, int32_t, interval, whole_months(x, 1200, &z))
ROWS1(to_millennia, int32_t, interval, whole_months(x, 12000, &z))
ROWS1(to_weeks, int32_t, interval, whole_days(x, 7, &z))
ROWS1(to_days, int32_t, interval, whole_days(x, 1, &z))
ROWS1(to_hours, int64_t, interval, !__builtin_mul_overflow(x, US_PER_HOUR, &z.us))
ROWS1(to_minutes, int64_t, interval, !__builtin_mul_overflow(x, 60 * US_PER_SECOND, &z.us))
ROWS1(to_seconds, double, interval, rounded_us(x, 1e6, &z))
ROWS1(to_milliseconds, double, interval, rounded_us(x, 1e3, &z))
ROWS1(to_microseconds, int64_t, interval, (z.us = x, true))

static const function rows[] = {
    {"+", "t4", "t", add_date_int, FAILS, NULL},
    {"+", "4t", "t", add_int_date, FAILS, NULL},
    {"-", "t4", "t", sub_date_int, FAILS, NULL},
    {"-", "tt", "8", sub_date_date, 0, NULL},
    {"+", "ti", "S", add_date_interval, FAILS, NULL},
    {"+", "it", "S", add_interval_date, FAILS, NULL},
    {"-", "ti", "S", sub_date_interval, FAILS, NULL},
    {"+", "Si", "S", add_us_interval, FAILS, NULL},
    {"+", "iS", "S", add_interval_us, FAILS, NULL},
    {"-", "Si", "S", sub_us_interval, FAILS, NULL},
    {"+", "Zi", "Z", add_instant_interval, FAILS, NULL},
    {"+", "iZ", "Z", add_interval_instant, FAILS, NULL},
    {"-", "Zi", "Z", sub_instant_interval, FAILS, NULL},
    {"-", "SS", "i", sub_us_us, FAILS, NULL},
    {"-", "ZZ", "i", sub_us_us, FAILS, NULL},
    {"+", "ci", "c", add_time_interval, FAILS, NULL},
    {"+", "ic", "c", add_interval_time, FAILS, NULL},
    {"-", "ci", "c", sub_time_interval, FAILS, NULL},
    {"+", "tc", "S", add_date_time, FAILS, NULL},
    {"+", "ct", "S", add_time_date, FAILS, NULL},
    {"+", "ii", "i", interval_add, FAILS, NULL},
    {"-", "ii", "i", interval_subtract, FAILS, NULL},
    {"-", "i", "i", interval_negate, FAILS, NULL},
    {"*", "i8", "i", interval_times_int, FAILS, NULL},
    {"*", "8i", "i", int_times_interval, FAILS, NULL},
    {"*", "id", "i", interval_times_double, FAILS, NULL},
    {"*", "di", "i", double_times_interval, FAILS, NULL},
    {"/", "id", "i", divide_interval, FAILS, NULL},
    {"date_add", "ti", "S", add_date_interval, FAILS, NULL},
    {"date_add", "Si", "S", add_us_interval, FAILS, NULL},
    {"date_add", "Zi", "Z", add_instant_interval, FAILS, NULL},
    {"normalized_interval", "i", "i", interval_normalize, FAILS, NULL},
    {"to_years", "4", "i", to_years, FAILS, NULL},
    {"to_months", "4", "i", to_months, FAILS, NULL},
    {"to_quarters", "4", "i", to_quarters, FAILS, NULL},
    {"to_decades", "4", "i", to_decades, FAILS, NULL},
    {"to_centuries", "4", "i", to_centuries, FAILS, NULL},
    {"to_millennia", "4", "i", to_millennia, FAILS, NULL},
    {"to_weeks", "4", "i", to_weeks, FAILS, NULL},
    {"to_days", "4", "i", to_days, FAILS, NULL},
    {"to_hours", "8", "i", to_hours, FAILS, NULL},
    {"to_minutes", "8", "i", to_minutes, FAILS, NULL},
    {"to_seconds", "d", "i", to_seconds, FAILS, NULL},
    {"to_milliseconds", "d", "i", to_milliseconds, FAILS, NULL},
    {"to_microseconds", "8", "i", to_microseconds, FAILS, NULL},
};

const function_set functions_interval = FUNCTION_SET(rows);
