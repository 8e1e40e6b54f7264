/* Casts of dates, times, timestamps and intervals. The zone of a session is UTC, so that a
 * timestamp with and one without zone hold the same number. */
#include "expr/calendar.h"
#include "expr/cast_own.h"

#define CAST_ROWS(name, T, Z, convert)                                                             \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        const type *from = &args->at[0]->type, *to = &out->type;                                   \
        (void)from;                                                                                \
        (void)to;                                                                                  \
        for (uint32_t i = 0; i < args->rows; i++) {                                                \
            T x = ARG(T, args, 0)[i];                                                              \
            Z z = {0};                                                                             \
            bool good = convert;                                                                   \
            OUT(Z, out)[i] = z;                                                                    \
            if (!good && row_valid(out, i))                                                        \
                TRY(cast_fail(e, out, i, args->at[0], i, err));                                    \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }

#define TEXT_ROWS(name, Z, parse)                                                                  \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        const type *to = &out->type;                                                               \
        (void)to;                                                                                  \
        for (uint32_t i = 0; i < args->rows; i++) {                                                \
            Z z = {0};                                                                             \
            if (!row_valid(out, i))                                                                \
                continue;                                                                          \
            span s = view_span(args->at[0], i);                                                    \
            if (!(parse))                                                                          \
                TRY(cast_fail(e, out, i, args->at[0], i, err));                                    \
            else                                                                                   \
                OUT(Z, out)[i] = z;                                                                \
        }                                                                                          \
        return NRW_OK;                                                                             \
    }

static bool date_to_moment(int32_t days, time_unit unit, int64_t *out)
{
    int64_t per_day = 86400 * units_per_second(unit);

    if (is_infinite_date(days))
        return us_of_date(days, out);
    return !__builtin_mul_overflow((int64_t)days, per_day, out) && !is_infinite_time(*out);
}

static bool moment_to_date(int64_t x, time_unit unit, int32_t *out)
{
    int64_t day;

    if (is_infinite_time(x)) {
        *out = x > 0 ? DATE_INFINITE : -DATE_INFINITE;
        return true;
    }
    if (unit == UNIT_NS) { /* by way of microseconds, to the nearest */
        convert_unit(x, UNIT_NS, UNIT_US, &x);
        unit = UNIT_US;
    }
    day = floor_div(x, 86400 * units_per_second(unit));
    *out = (int32_t)day;
    return day > -(int64_t)DATE_INFINITE && day < DATE_INFINITE;
}

static bool moment_to_time(int64_t x, time_unit unit, time_unit to, int64_t *out)
{
    int64_t per_day = 86400 * units_per_second(unit), in_day = x - floor_div(x, per_day) * per_day;

    *out = 0;
    if (is_infinite_time(x))
        return false;
    *out = units_per_second(to) >= units_per_second(unit)
               ? in_day * (units_per_second(to) / units_per_second(unit))
               : in_day / (units_per_second(unit) / units_per_second(to));
    return true;
}

static bool time_to_time(int64_t x, time_unit from, time_unit to, int64_t *out)
{
    int64_t have = units_per_second(from), want = units_per_second(to);

    *out = want >= have ? x * (want / have) : x / (have / want);
    return true;
}

/* Parquet's interval: without signs, milliseconds. */
typedef struct interval_ms {
    uint32_t months, days, ms;
} interval_ms;

static bool widen_interval(interval_ms x, interval *z)
{
    *z = (interval){(int32_t)x.months, (int32_t)x.days, (int64_t)x.ms * 1000};
    return x.months <= INT32_MAX && x.days <= INT32_MAX;
}

static bool narrow_interval(interval x, interval_ms *z)
{
    int64_t ms = x.us / 1000;

    *z = (interval_ms){(uint32_t)x.months, (uint32_t)x.days, (uint32_t)ms};
    return x.months >= 0 && x.days >= 0 && x.us >= 0 && ms * 1000 == x.us && ms <= UINT32_MAX;
}

CAST_ROWS(date_to_timestamp, int32_t, int64_t, date_to_moment(x, to->unit, &z))
CAST_ROWS(timestamp_to_date, int64_t, int32_t, moment_to_date(x, from->unit, &z))
CAST_ROWS(timestamp_to_time, int64_t, int64_t, moment_to_time(x, from->unit, to->unit, &z))
CAST_ROWS(timestamp_to_timestamp, int64_t, int64_t, convert_unit(x, from->unit, to->unit, &z))
CAST_ROWS(time_to_other_time, int64_t, int64_t, time_to_time(x, from->unit, to->unit, &z))
CAST_ROWS(interval_widen, interval_ms, interval, widen_interval(x, &z))
CAST_ROWS(interval_narrow, interval, interval_ms, narrow_interval(x, &z))

TEXT_ROWS(text_to_date, int32_t, parse_date(s, &z))
TEXT_ROWS(text_to_timestamp, int64_t, parse_timestamp(s, to->unit, to->utc, &z))
TEXT_ROWS(text_to_time, int64_t, parse_time(s, to->unit, &z))
TEXT_ROWS(text_to_interval, interval, parse_interval(s, &z))

static scalar_eval from_text(const type *to)
{
    switch (to->id) {
    case TYPE_DATE: return text_to_date;
    case TYPE_TIMESTAMP: return text_to_timestamp;
    case TYPE_TIME: return to->utc ? NULL : text_to_time;
    case TYPE_INTERVAL: return to->unit == UNIT_US ? text_to_interval : NULL;
    default: return NULL;
    }
}

static scalar_eval from_timestamp(const type *to)
{
    switch (to->id) {
    case TYPE_DATE: return timestamp_to_date;
    case TYPE_TIME: return timestamp_to_time;
    case TYPE_TIMESTAMP: return timestamp_to_timestamp;
    default: return NULL;
    }
}

scalar_eval cast_moment_kernel(const type *from, const type *to)
{
    if (type_is_text(from))
        return from_text(to);
    switch (from->id) {
    case TYPE_DATE: return to->id == TYPE_TIMESTAMP ? date_to_timestamp : NULL;
    case TYPE_TIMESTAMP:
        if ((from->utc && to->id == TYPE_TIME) ||
            (from->unit == UNIT_NS && to->id == TYPE_TIMESTAMP && to->unit == UNIT_S))
            return NULL;
        return from_timestamp(to);
    case TYPE_TIME: return to->id == TYPE_TIME ? time_to_other_time : NULL;
    case TYPE_INTERVAL:
        if (to->id != TYPE_INTERVAL)
            return NULL;
        return to->unit == UNIT_US ? interval_widen : interval_narrow;
    default: return NULL;
    }
}
