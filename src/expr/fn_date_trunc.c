/* Truncating, counting between and putting together dates and times. */
#include "expr/calendar.h"
#include "expr/function_sets.h"

#include <math.h>

/* ---- date_trunc ---- */

static int64_t back_to(int64_t x, int64_t step)
{
    return x / step * step; /* towards 0, for years before 0 as well */
}

static int64_t iso_year_start(int64_t day)
{
    int64_t week;

    return monday_of(days_of_civil(iso_year_of(day, &week), 1, 4));
}

static int64_t trunc_day(date_unit unit, int64_t day)
{
    civil c = civil_of_days(day);

    switch (unit) {
    case DATE_MILLENNIUM: return days_of_civil(back_to(c.year, 1000), 1, 1);
    case DATE_CENTURY: return days_of_civil(back_to(c.year, 100), 1, 1);
    case DATE_DECADE: return days_of_civil(back_to(c.year, 10), 1, 1);
    case DATE_YEAR: return days_of_civil(c.year, 1, 1);
    case DATE_QUARTER: return days_of_civil(c.year, (c.month - 1) / 3 * 3 + 1, 1);
    case DATE_MONTH: return days_of_civil(c.year, c.month, 1);
    case DATE_WEEK:
    case DATE_YEARWEEK: return monday_of(day);
    case DATE_ISOYEAR: return iso_year_start(day);
    default: return day;
    }
}

/* Microseconds of units below a day; 0 for others. */
static int64_t us_of_unit(date_unit unit)
{
    switch (unit) {
    case DATE_HOUR: return US_PER_HOUR;
    case DATE_MINUTE: return 60 * US_PER_SECOND;
    case DATE_SECOND:
    case DATE_EPOCH: return US_PER_SECOND;
    case DATE_MILLISECOND: return 1000;
    case DATE_MICROSECOND: return 1;
    default: return 0;
    }
}

static int64_t trunc_us(date_unit unit, int64_t us)
{
    int64_t small = us_of_unit(unit), in_day, day;

    if (is_infinite_time(us))
        return us;
    day = day_of_us(us, &in_day);
    if (small)
        return day * US_PER_DAY + in_day / small * small;
    return trunc_day(unit, day) * US_PER_DAY;
}

static interval trunc_interval(date_unit unit, interval x)
{
    static const int32_t months[] = {
        [DATE_YEAR] = 12,   [DATE_MONTH] = 1,          [DATE_DECADE] = 120, [DATE_CENTURY] = 1200,
        [DATE_QUARTER] = 3, [DATE_MILLENNIUM] = 12000, [DATE_ISOYEAR] = 12};
    int64_t small = us_of_unit(unit);

    if (small)
        return (interval){x.months, x.days, x.us / small * small};
    if (unit == DATE_WEEK || unit == DATE_YEARWEEK)
        return (interval){x.months, x.days / 7 * 7, 0};
    if (unit == DATE_DAY || unit == DATE_DOW || unit == DATE_ISODOW || unit == DATE_DOY)
        return (interval){x.months, x.days, 0};
    return (interval){x.months / months[unit] * months[unit], 0, 0};
}

static nrw_status trunc_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const date_unit unit = *(const date_unit *)e->data;

    for (uint32_t i = 0; i < args->rows; i++) {
        int64_t us;
        if (args->at[0]->type.id == TYPE_INTERVAL) {
            OUT(interval, out)[i] = trunc_interval(unit, ARG(interval, args, 0)[i]);
            continue;
        }
        if (args->at[0]->type.id == TYPE_DATE) {
            if (!us_of_date(ARG(int32_t, args, 0)[i], &us) && row_valid(out, i))
                return err_set(err, NRW_E_VALUE, "a date is out of the range of TIMESTAMP");
        } else {
            us = ARG(int64_t, args, 0)[i];
        }
        OUT(int64_t, out)[i] = trunc_us(unit, us);
    }
    return NRW_OK;
}

/* The unit that the first argument, a constant, names: into data, and the argument away. */
static nrw_status bind_unit(binding *b, nrw_error *err)
{
    date_unit *unit;
    span name;
    void *p;

    if (!constant_text(b->args[0], &name))
        return bind_fail(err, "%s: the unit must be a constant text", b->name);
    TRY(arena_alloc(b->a, sizeof *unit, &p, err));
    unit = p;
    if (!date_unit_of(name, unit) || *unit == DATE_ERA || *unit == DATE_JULIAN ||
        *unit >= DATE_NANOSECOND)
        return bind_fail(err, "%s: '%.*s' is no unit here", b->name, (int)size_min(name.len, 40),
                         (const char *)name.data);
    b->data = unit;
    b->args++;
    b->want++;
    b->n--;
    return NRW_OK;
}

/* ---- date_diff: how many borders of the unit lie between ---- */

static int64_t border_index(date_unit unit, int64_t day)
{
    civil c = civil_of_days(day);
    int64_t week;

    switch (unit) {
    case DATE_MILLENNIUM: return c.year / 1000;
    case DATE_CENTURY: return c.year / 100;
    case DATE_DECADE: return c.year / 10;
    case DATE_YEAR: return c.year;
    case DATE_QUARTER: return (c.year * 12 + c.month - 1) / 3;
    case DATE_MONTH: return c.year * 12 + c.month - 1;
    case DATE_ISOYEAR: return iso_year_of(day, &week);
    default: return day;
    }
}

static int64_t diff_us(date_unit unit, int64_t from, int64_t to)
{
    int64_t small = us_of_unit(unit), unused;

    if (small)
        return floor_div(to, small) - floor_div(from, small);
    if (unit == DATE_WEEK || unit == DATE_YEARWEEK) /* whole ones: no border is looked for */
        return (day_of_us(to, &unused) - day_of_us(from, &unused)) / 7;
    return border_index(unit, day_of_us(to, &unused)) -
           border_index(unit, day_of_us(from, &unused));
}

/* ---- date_sub: how many whole units ---- */

static int64_t months_between(int64_t from, int64_t to)
{
    int64_t in_from, in_to, months;
    civil x, y;
    int32_t last;

    if (from > to)
        return -months_between(to, from);
    x = civil_of_days(day_of_us(from, &in_from));
    y = civil_of_days(day_of_us(to, &in_to));
    months = (y.year - x.year) * 12 + y.month - x.month;
    last = days_in_month(y.year, y.month);
    if (y.day == last && x.day > last)
        x.day = last; /* the end of a shorter month counts as the same day */
    if (y.day < x.day || (y.day == x.day && in_to < in_from))
        months--;
    return months;
}

static int64_t sub_us(date_unit unit, int64_t from, int64_t to)
{
    int64_t small = us_of_unit(unit);

    if (small)
        return (to - from) / small;
    switch (unit) {
    case DATE_MILLENNIUM: return months_between(from, to) / 12000;
    case DATE_CENTURY: return months_between(from, to) / 1200;
    case DATE_DECADE: return months_between(from, to) / 120;
    case DATE_YEAR:
    case DATE_ISOYEAR: return months_between(from, to) / 12;
    case DATE_QUARTER: return months_between(from, to) / 3;
    case DATE_MONTH: return months_between(from, to);
    case DATE_WEEK:
    case DATE_YEARWEEK: return (to - from) / (7 * US_PER_DAY);
    default: return (to - from) / US_PER_DAY;
    }
}

/* Row i of argument k in microseconds; *infinite: there is no answer. */
static bool us_at(const scalar_args *args, uint32_t k, uint32_t i, int64_t *us, bool *infinite)
{
    const vector *v = args->at[k];
    uint32_t row = ROW(args, k, i);

    if (v->type.id == TYPE_DATE) {
        int32_t day = ARG(int32_t, args, k)[row];
        *infinite |= is_infinite_date(day);
        return us_of_date(day, us);
    }
    *us = ARG(int64_t, args, k)[row];
    *infinite |= v->type.id != TYPE_TIME && is_infinite_time(*us);
    return true;
}

static nrw_status between_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const date_unit unit = *(const date_unit *)e->data;
    bool diff = strstr(e->f->name, "diff") != NULL;

    for (uint32_t i = 0; i < args->rows; i++) {
        int64_t from, to, unused;
        bool infinite = false, fine;
        if (!row_valid(out, i))
            continue;
        fine = us_at(args, 0, i, &from, &infinite);
        fine &= us_at(args, 1, i, &to, &infinite);
        if (infinite)
            TRY(row_null(out, i, err));
        else if (!fine || (us_of_unit(unit) == 1 && __builtin_sub_overflow(to, from, &unused)))
            return err_set(err, NRW_E_VALUE, "%s: out of the range of timestamps", e->f->name);
        else
            OUT(int64_t, out)[i] = diff ? diff_us(unit, from, to) : sub_us(unit, from, to);
    }
    return NRW_OK;
}

static nrw_status bind_between(binding *b, nrw_error *err)
{
    TRY(bind_unit(b, err));
    if (b->want[0].id == TYPE_TIME && us_of_unit(*(const date_unit *)b->data) == 0)
        return bind_fail(err, "%s: times of day have no such unit", b->name);
    return NRW_OK;
}

/* ---- age: years, months, days and time between ---- */

static interval age_of(int64_t later, int64_t earlier)
{
    int64_t time_x, time_y, us, months, days;
    bool negative = later < earlier;
    civil x, y;
    interval z;

    if (negative) {
        int64_t t = later;
        later = earlier;
        earlier = t;
    }
    x = civil_of_days(day_of_us(later, &time_x));
    y = civil_of_days(day_of_us(earlier, &time_y));
    us = time_x - time_y;
    days = x.day - y.day;
    months = (x.year - y.year) * 12 + x.month - y.month;
    if (us < 0) {
        us += US_PER_DAY;
        days--;
    }
    if (days < 0) { /* as long as the month of the earlier one is */
        days += days_in_month(y.year, y.month);
        months--;
    }
    z = (interval){(int32_t)months, (int32_t)days, us};
    return negative ? (interval){-z.months, -z.days, -z.us} : z;
}

static nrw_status age_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    for (uint32_t i = 0; i < args->rows; i++) {
        int64_t x = ARG(int64_t, args, 0)[ROW(args, 0, i)];
        int64_t y = ARG(int64_t, args, 1)[ROW(args, 1, i)];
        if (is_infinite_time(x) || is_infinite_time(y))
            TRY(row_null(out, i, err));
        else
            OUT(interval, out)[i] = age_of(x, y);
    }
    return NRW_OK;
}

/* ---- last_day, make_ ---- */

static nrw_status last_day_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    for (uint32_t i = 0; i < args->rows; i++) {
        int64_t day;
        civil c;
        if (!day_at(args->at[0], i, &day)) {
            TRY(row_null(out, i, err));
            continue;
        }
        c = civil_of_days(day);
        OUT(int32_t, out)
        [i] = (int32_t)days_of_civil(c.year, c.month, days_in_month(c.year, c.month));
    }
    return NRW_OK;
}

static bool civil_day(int64_t y, int64_t m, int64_t d, int64_t *day)
{
    *day = 0;
    if (y < -6000000 || y > 6000000 || m < 1 || m > 12 || d < 1 || d > days_in_month(y, m))
        return false;
    *day = days_of_civil(y, m, d);
    return *day > -(int64_t)DATE_INFINITE && *day < DATE_INFINITE;
}

static bool clock_us(int64_t h, int64_t m, double s, int64_t *us)
{
    *us = 0;
    if (h < 0 || h > 24 || m < 0 || m > 59 || !(s >= 0 && s < 60))
        return false;
    *us = (h * 60 + m) * 60 * US_PER_SECOND + (int64_t)round(s * 1e6);
    return *us <= US_PER_DAY;
}

#define INT(k)  ARG(int64_t, args, k)[ROW(args, k, i)]
#define REAL(k) ARG(double, args, k)[ROW(args, k, i)]

static nrw_status no_such(const expr *e, nrw_error *err)
{
    return err_set(err, NRW_E_VALUE, "%s: there is no such date or time", e->f->name);
}

static nrw_status make_date_eval(const expr *e, const scalar_args *args, vector *out,
                                 nrw_error *err)
{
    for (uint32_t i = 0; i < args->rows; i++) {
        int64_t day;
        if (!civil_day(INT(0), INT(1), INT(2), &day) && row_valid(out, i))
            return no_such(e, err);
        OUT(int32_t, out)[i] = (int32_t)day;
    }
    return NRW_OK;
}

static nrw_status make_time_eval(const expr *e, const scalar_args *args, vector *out,
                                 nrw_error *err)
{
    for (uint32_t i = 0; i < args->rows; i++)
        if (!clock_us(INT(0), INT(1), REAL(2), &OUT(int64_t, out)[i]) && row_valid(out, i))
            return no_such(e, err);
    return NRW_OK;
}

static nrw_status make_timestamp_eval(const expr *e, const scalar_args *args, vector *out,
                                      nrw_error *err)
{
    for (uint32_t i = 0; i < args->rows; i++) {
        int64_t day, us, start = 0;
        bool fine = civil_day(INT(0), INT(1), INT(2), &day) &&
                    clock_us(INT(3), INT(4), REAL(5), &us) && us_of_date((int32_t)day, &start) &&
                    !__builtin_add_overflow(start, us, &start);
        if (!fine && row_valid(out, i))
            return no_such(e, err);
        OUT(int64_t, out)[i] = start;
    }
    return NRW_OK;
}

static nrw_status same_int32(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(int32_t, int32_t, x);
    return NRW_OK;
}

static nrw_status same_int64(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(int64_t, int64_t, x);
    return NRW_OK;
}

static nrw_status epoch_ms_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    for (uint32_t i = 0; i < args->rows; i++)
        if (__builtin_mul_overflow(ARG(int64_t, args, 0)[i], (int64_t)1000,
                                   &OUT(int64_t, out)[i]) &&
            row_valid(out, i))
            return no_such(e, err);
    return NRW_OK;
}

static nrw_status to_timestamp_eval(const expr *e, const scalar_args *args, vector *out,
                                    nrw_error *err)
{
    for (uint32_t i = 0; i < args->rows; i++) {
        double us = round(ARG(double, args, 0)[i] * 1e6);
        bool fine = us >= (double)US_LEAST && us < 0x1p63;
        if (!fine && row_valid(out, i))
            return no_such(e, err);
        OUT(int64_t, out)[i] = fine ? (int64_t)us : 0;
    }
    return NRW_OK;
}

static nrw_status finite_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    uint8_t flip = e->f->name[2] == 'f';

    (void)err;
    if (args->at[0]->type.id == TYPE_DATE)
        LOOP1(int32_t, uint8_t, (uint8_t)is_infinite_date(x) ^ flip);
    else
        LOOP1(int64_t, uint8_t, (uint8_t)is_infinite_time(x) ^ flip);
    return NRW_OK;
}

#define TRUNC(name)                                                                                \
    {name, "st", "S", trunc_eval, FAILS, bind_unit}, {name, "sS", "S", trunc_eval, 0, bind_unit},  \
        {name, "sZ", "Z", trunc_eval, 0, bind_unit},                                               \
    {                                                                                              \
        name, "si", "i", trunc_eval, 0, bind_unit                                                  \
    }
#define BETWEEN(name)                                                                              \
    {name, "stt", "8", between_eval, FAILS, bind_between},                                         \
        {name, "sSS", "8", between_eval, FAILS, bind_between},                                     \
        {name, "sZZ", "8", between_eval, FAILS, bind_between},                                     \
    {                                                                                              \
        name, "scc", "8", between_eval, FAILS, bind_between                                        \
    }
#define FINITE(name)                                                                               \
    {name, "t", "b", finite_eval, 0, NULL}, {name, "S", "b", finite_eval, 0, NULL},                \
    {                                                                                              \
        name, "Z", "b", finite_eval, 0, NULL                                                       \
    }

static const function rows[] = {
    TRUNC("date_trunc"),
    TRUNC("datetrunc"),
    BETWEEN("date_diff"),
    BETWEEN("datediff"),
    BETWEEN("date_sub"),
    BETWEEN("datesub"),
    FINITE("isinf"),
    FINITE("isfinite"),
    {"age", "SS", "i", age_eval, 0, NULL},
    {"age", "ZZ", "i", age_eval, 0, NULL},
    {"last_day", "t", "t", last_day_eval, 0, NULL},
    {"last_day", "S", "t", last_day_eval, 0, NULL},
    {"last_day", "Z", "t", last_day_eval, 0, NULL},
    {"make_date", "888", "t", make_date_eval, FAILS, NULL},
    {"make_date", "4", "t", same_int32, 0, NULL},
    {"make_time", "88d", "c", make_time_eval, FAILS, NULL},
    {"make_timestamp", "88888d", "S", make_timestamp_eval, FAILS, NULL},
    {"make_timestamptz", "88888d", "Z", make_timestamp_eval, FAILS, NULL},
    {"make_timestamp", "8", "S", same_int64, 0, NULL},
    {"make_timestamptz", "8", "Z", same_int64, 0, NULL},
    {"make_timestamp_ns", "8", "N", same_int64, 0, NULL},
    {"make_timestamp_ms", "8", "S", epoch_ms_eval, FAILS, NULL},
    {"epoch_ms", "8", "S", epoch_ms_eval, FAILS, NULL},
    {"to_timestamp", "d", "Z", to_timestamp_eval, FAILS, NULL},
};

const function_set functions_date_trunc = FUNCTION_SET(rows);
