/* Parts of dates, times and intervals: date_part, year(), epoch() and the like. Of infinite ones
 * they are null. */
#include "expr/calendar.h"
#include "expr/function_sets.h"

/* A value taken apart as far as parts ask for it. */
typedef struct moment {
    int64_t day, in_day; /* days since 1970, microseconds in the day */
} moment;

typedef struct part_spec {
    date_unit unit;
    bool real; /* epoch and julian are DOUBLE */
} part_spec;

static int64_t date_part_of(date_unit unit, int64_t day)
{
    civil c = civil_of_days(day);
    int64_t week, year;

    switch (unit) {
    case DATE_YEAR: return c.year;
    case DATE_MONTH: return c.month;
    case DATE_DAY: return c.day;
    case DATE_DECADE: return c.year / 10;
    case DATE_CENTURY: return c.year > 0 ? (c.year - 1) / 100 + 1 : c.year / 100 - 1;
    case DATE_MILLENNIUM: return c.year > 0 ? (c.year - 1) / 1000 + 1 : c.year / 1000 - 1;
    case DATE_QUARTER: return (c.month - 1) / 3 + 1;
    case DATE_WEEK: iso_year_of(day, &week); return week;
    case DATE_ISOYEAR: return iso_year_of(day, &week);
    case DATE_YEARWEEK:
        year = iso_year_of(day, &week);
        return year * 100 + (year > 0 ? week : -week);
    case DATE_DOW: return weekday_of(day);
    case DATE_ISODOW: return day - monday_of(day) + 1;
    case DATE_DOY: return day - days_of_civil(c.year, 1, 1) + 1;
    case DATE_ERA: return c.year > 0;
    default: return 0;
    }
}

static bool is_time_unit(date_unit unit)
{
    return unit >= DATE_HOUR && unit <= DATE_NANOSECOND;
}

static int64_t time_part_of(date_unit unit, int64_t us)
{
    switch (unit) {
    case DATE_HOUR: return us / US_PER_HOUR;
    case DATE_MINUTE: return us % US_PER_HOUR / (60 * US_PER_SECOND);
    case DATE_SECOND: return us % (60 * US_PER_SECOND) / US_PER_SECOND;
    case DATE_MILLISECOND: return us % (60 * US_PER_SECOND) / 1000;
    case DATE_MICROSECOND: return us % (60 * US_PER_SECOND);
    default: return us % (60 * US_PER_SECOND) * 1000;
    }
}

static int64_t whole_part(date_unit unit, moment m)
{
    if (is_time_unit(unit))
        return time_part_of(unit, m.in_day);
    return date_part_of(unit, m.day);
}

static double real_part(date_unit unit, moment m)
{
    if (unit == DATE_JULIAN)
        return (double)(m.day + 2440588) + (double)m.in_day / (double)US_PER_DAY;
    return (double)(m.day * US_PER_DAY + m.in_day) / 1e6;
}

static int64_t interval_part(date_unit unit, interval x)
{
    switch (unit) {
    case DATE_YEAR: return x.months / 12;
    case DATE_MONTH: return x.months % 12;
    case DATE_DAY: return x.days;
    case DATE_DECADE: return x.months / 120;
    case DATE_CENTURY: return x.months / 1200;
    case DATE_MILLENNIUM: return x.months / 12000;
    case DATE_QUARTER: return x.months % 12 / 3 + 1;
    default: return time_part_of(unit, x.us);
    }
}

/* Years of 365.25 days, months of 30. */
static double interval_epoch(interval x)
{
    double days = (double)(x.months / 12) * 365.25 + x.months % 12 * 30 + x.days;

    return days * 86400 + (double)x.us / 1e6;
}

/* ---- evaluating: the type of the argument is one for all rows ---- */

#define PART_ROWS(name, T, is_infinite, to_moment)                                                 \
    static nrw_status name(const part_spec *s, const T *x, uint32_t rows, vector *out,             \
                           nrw_error *err)                                                         \
    {                                                                                              \
        for (uint32_t i = 0; i < rows; i++) {                                                      \
            moment m = {0};                                                                        \
            if (is_infinite(x[i])) {                                                               \
                TRY(row_null(out, i, err));                                                        \
                continue;                                                                          \
            }                                                                                      \
            to_moment;                                                                             \
            if (s->real)                                                                           \
                OUT(double, out)[i] = real_part(s->unit, m);                                       \
            else                                                                                   \
                OUT(int64_t, out)[i] = whole_part(s->unit, m);                                     \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }

#define NEVER(x) false
PART_ROWS(of_dates, int32_t, is_infinite_date, m.day = x[i])
PART_ROWS(of_times, int64_t, NEVER, m.in_day = x[i])
PART_ROWS(of_timestamps, int64_t, is_infinite_time, m.day = day_of_us(x[i], &m.in_day))

static void of_intervals(const part_spec *s, const interval *x, uint32_t rows, vector *out)
{
    for (uint32_t i = 0; i < rows; i++) {
        if (s->real)
            OUT(double, out)[i] = interval_epoch(x[i]);
        else
            OUT(int64_t, out)[i] = interval_part(s->unit, x[i]);
    }
}

/* The value is the last argument: date_part has the unit before it. */
static nrw_status part_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const part_spec *s = e->data;
    const vector *v = args->at[args->n - 1];
    const void *x = v->data;

    switch (v->type.id) {
    case TYPE_DATE: return of_dates(s, x, args->rows, out, err);
    case TYPE_TIME: return of_times(s, x, args->rows, out, err);
    case TYPE_INTERVAL: of_intervals(s, x, args->rows, out); return NRW_OK;
    default: return of_timestamps(s, x, args->rows, out, err);
    }
}

/* Values of a date's parts, those of intervals' may be others; days that have the same one. */
static const struct {
    uint32_t values, days;
} spreads[] = {
    [DATE_YEAR] = {0, 365},    [DATE_MONTH] = {12, 0},    [DATE_DAY] = {31, 0},
    [DATE_DECADE] = {0, 3652}, [DATE_QUARTER] = {4, 0},   [DATE_WEEK] = {53, 0},
    [DATE_YEARWEEK] = {0, 7},  [DATE_ISOYEAR] = {0, 364}, [DATE_DOW] = {7, 0},
    [DATE_ISODOW] = {7, 0},    [DATE_DOY] = {366, 0},     [DATE_ERA] = {2, 0},
    [DATE_HOUR] = {24, 0},     [DATE_MINUTE] = {60, 0},   [DATE_SECOND] = {60, 0},
};

bool expr_date_part(const expr *e, uint32_t *values, uint32_t *days)
{
    const part_spec *s = e->data;

    *values = *days = 0;
    if (e->kind != EXPR_CALL || e->eval != part_eval || e->args[0]->type.id == TYPE_INTERVAL ||
        s->unit >= sizeof spreads / sizeof *spreads)
        return false;
    *values = spreads[s->unit].values;
    *days = e->args[0]->type.id == TYPE_DATE ? spreads[s->unit].days : 0;
    return *values || *days;
}

static bool has_part(const type *t, date_unit unit)
{
    if (unit == DATE_TIMEZONE || unit == DATE_TIMEZONE_HOUR || unit == DATE_TIMEZONE_MINUTE)
        return t->id == TYPE_TIMESTAMP || t->id == TYPE_DATE;
    if (t->id == TYPE_TIME)
        return is_time_unit(unit) || unit == DATE_EPOCH;
    if (t->id == TYPE_INTERVAL)
        return unit <= DATE_QUARTER || is_time_unit(unit) || unit == DATE_EPOCH;
    return true;
}

static nrw_status bind_unit(binding *b, date_unit unit, nrw_error *err)
{
    part_spec *s;
    char text[64];
    void *p;

    if (!has_part(&b->want[b->n - 1], unit)) {
        type_print(&b->want[b->n - 1], text, sizeof text);
        return bind_fail(err, "%s: a value of %s has no such part", b->name, text);
    }
    TRY(arena_alloc(b->a, sizeof *s, &p, err));
    s = p;
    s->unit = unit;
    s->real = unit == DATE_EPOCH || unit == DATE_JULIAN;
    b->data = s;
    b->result = type_of(s->real ? TYPE_FLOAT64 : TYPE_INT64);
    return NRW_OK;
}

/* date_part('year', x): the unit is known when the call is built. */
static nrw_status bind_date_part(binding *b, nrw_error *err)
{
    date_unit unit;
    span name;

    if (!constant_text(b->args[0], &name))
        return bind_fail(err, "%s: the part must be a constant text", b->name);
    if (!date_unit_of(name, &unit) || unit == DATE_NANOSECOND)
        return bind_fail(err, "%s: '%.*s' is no part of a date or time", b->name,
                         (int)size_min(name.len, 40), (const char *)name.data);
    b->args++; /* the value alone is evaluated */
    b->want++;
    b->n--;
    return bind_unit(b, unit, err);
}

static nrw_status bind_named_part(binding *b, nrw_error *err)
{
    date_unit unit;

    if (!date_unit_of((span){(const uint8_t *)b->name, strlen(b->name)}, &unit))
        return bind_fail(err, "%s is no part of a date or time", b->name);
    return bind_unit(b, unit, err);
}

/* ---- whole numbers since 1970 ---- */

static nrw_status epoch_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const time_unit *unit = e->data;
    const vector *v = args->at[0];

    for (uint32_t i = 0; i < args->rows; i++) {
        int64_t us = 0, z;
        bool fine = true;
        if (v->type.id == TYPE_DATE)
            fine = us_of_date(ARG(int32_t, args, 0)[i], &us);
        else if (v->type.id == TYPE_INTERVAL)
            us =
                (((int64_t)ARG(interval, args, 0)[i].months * 30 + ARG(interval, args, 0)[i].days) *
                 US_PER_DAY) +
                ARG(interval, args, 0)[i].us;
        else
            us = ARG(int64_t, args, 0)[i];
        if (fine && v->type.id != TYPE_TIME && v->type.id != TYPE_INTERVAL &&
            is_infinite_time(us)) {
            TRY(row_null(out, i, err));
            continue;
        }
        fine = fine && convert_unit(us, UNIT_US, *unit, &z);
        if (!fine && row_valid(out, i))
            return err_set(err, NRW_E_VALUE, "%s is out of the range of BIGINT", e->f->name);
        OUT(int64_t, out)[i] = fine ? z : 0;
    }
    return NRW_OK;
}

static nrw_status bind_epoch(binding *b, nrw_error *err)
{
    static const time_unit units[] = {UNIT_MS, UNIT_US, UNIT_NS};

    (void)err;
    b->data = &units[b->name[6] == 'm' ? 0 : b->name[6] == 'u' ? 1 : 2];
    return NRW_OK;
}

static nrw_status epoch_ns_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    LOOP1(int64_t, int64_t, x);
    return NRW_OK;
}

static nrw_status nanosecond_eval(const expr *e, const scalar_args *args, vector *out,
                                  nrw_error *err)
{
    const int64_t minute = INT64_C(60000000000);
    const int64_t *x = ARG(int64_t, args, 0);

    (void)e;
    for (uint32_t i = 0; i < args->rows; i++) {
        OUT(int64_t, out)[i] = x[i] - floor_div(x[i], minute) * minute;
        if (is_infinite_time(x[i]))
            TRY(row_null(out, i, err));
    }
    return NRW_OK;
}

/* ---- names ---- */

static nrw_status name_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    text_out t = {.out = out};
    bool month = e->f->name[0] == 'm';
    nrw_status st = NRW_OK;

    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        int64_t day;
        const char *name;
        if (!row_valid(out, i))
            continue;
        if (!day_at(args->at[0], i, &day)) {
            st = row_null(out, i, err);
            continue;
        }
        name = month ? month_names[civil_of_days(day).month - 1] : day_names[weekday_of(day)];
        st = text_put(&t, i, name, strlen(name), err);
    }
    text_end(&t);
    return st;
}

/* Parts of a date that a date, a timestamp and an interval have; and those of a time. */
#define PART(name)                                                                                 \
    {name, "t", "!", part_eval, 0, bind_named_part},                                               \
        {name, "S", "!", part_eval, 0, bind_named_part},                                           \
        {name, "Z", "!", part_eval, 0, bind_named_part},                                           \
    {                                                                                              \
        name, "i", "!", part_eval, 0, bind_named_part                                              \
    }
#define TIME_PART(name)                                                                            \
    PART(name),                                                                                    \
    {                                                                                              \
        name, "c", "!", part_eval, 0, bind_named_part                                              \
    }
#define NAMED(name)                                                                                \
    {name, "t", "s", name_eval, 0, NULL}, {name, "S", "s", name_eval, 0, NULL},                    \
    {                                                                                              \
        name, "Z", "s", name_eval, 0, NULL                                                         \
    }
#define OF_TEXT(name)                                                                              \
    {name, "st", "!", part_eval, 0, bind_date_part},                                               \
        {name, "sS", "!", part_eval, 0, bind_date_part},                                           \
        {name, "sZ", "!", part_eval, 0, bind_date_part},                                           \
        {name, "si", "!", part_eval, 0, bind_date_part},                                           \
    {                                                                                              \
        name, "sc", "!", part_eval, 0, bind_date_part                                              \
    }
#define EPOCH(name)                                                                                \
    {name, "t", "8", epoch_eval, FAILS, bind_epoch},                                               \
        {name, "S", "8", epoch_eval, FAILS, bind_epoch},                                           \
        {name, "Z", "8", epoch_eval, FAILS, bind_epoch},                                           \
        {name, "i", "8", epoch_eval, FAILS, bind_epoch},                                           \
    {                                                                                              \
        name, "c", "8", epoch_eval, FAILS, bind_epoch                                              \
    }

static const function rows[] = {
    PART("year"),
    PART("month"),
    PART("day"),
    PART("dayofmonth"),
    PART("decade"),
    PART("century"),
    PART("millennium"),
    PART("quarter"),
    PART("week"),
    PART("weekofyear"),
    PART("yearweek"),
    PART("isoyear"),
    PART("dayofweek"),
    PART("weekday"),
    PART("isodow"),
    PART("dayofyear"),
    PART("era"),
    PART("julian"),
    PART("timezone"),
    PART("timezone_hour"),
    PART("timezone_minute"),
    TIME_PART("epoch"),
    TIME_PART("hour"),
    TIME_PART("minute"),
    TIME_PART("second"),
    TIME_PART("millisecond"),
    TIME_PART("microsecond"),
    TIME_PART("nanosecond"),
    {"nanosecond", "N", "8", nanosecond_eval, 0, NULL},
    {"nanosecond", "k", "8", nanosecond_eval, 0, NULL},
    OF_TEXT("date_part"),
    OF_TEXT("datepart"),
    EPOCH("epoch_ms"),
    EPOCH("epoch_us"),
    EPOCH("epoch_ns"),
    {"epoch_ns", "N", "8", epoch_ns_eval, 0, NULL},
    NAMED("monthname"),
    NAMED("dayname"),
};

const function_set functions_date_part = FUNCTION_SET(rows);
