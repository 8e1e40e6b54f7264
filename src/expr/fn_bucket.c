/* time_bucket: the start of the stretch of time, of a given width, that a moment lies in. Widths
 * are months, counted from 2000-01-01, or a time, counted from Monday 2000-01-03; an origin or an
 * offset moves where they begin. */
#include "expr/calendar.h"
#include "expr/function_sets.h"

#define MONTH_ORIGIN 360 /* 2000-01 in months since 1970-01 */
#define TIME_ORIGIN  (10959 * US_PER_DAY)

static int64_t months_of(int64_t day)
{
    civil c = civil_of_days(day);

    return (c.year - 1970) * 12 + c.month - 1;
}

/* Whether the width is one: months alone, or days and time, above 0. */
static bool width_of(interval w, int64_t *months, int64_t *us)
{
    i128 time = (i128)w.days * US_PER_DAY + w.us;

    *months = w.months;
    *us = (int64_t)time;
    if (w.months)
        return w.months > 0 && time == 0;
    return time > 0 && time < TIME_INFINITE;
}

static int64_t month_bucket(int64_t day, int64_t width, int64_t origin)
{
    int64_t at = origin + floor_div(months_of(day) - origin, width) * width;
    int64_t year = floor_div(at, 12);

    return days_of_civil(1970 + year, at - year * 12 + 1, 1);
}

static bool time_bucket(int64_t us, int64_t width, int64_t origin, int64_t *out)
{
    i128 from = (i128)us - origin, n = from / width - (from % width < 0);
    i128 at = origin + n * width;

    *out = (int64_t)at;
    return at >= US_LEAST && at < TIME_INFINITE;
}

/* ---- a row: its moment, and where buckets begin ---- */

typedef struct bucket {
    interval width, offset;
    bool has_origin;
    int64_t origin; /* microseconds; of dates days */
} bucket;

static bool bucket_us(const bucket *b, int64_t x, int64_t *out)
{
    int64_t months, us, unused, day;
    interval back = {-b->offset.months, -b->offset.days, -b->offset.us};

    if (!width_of(b->width, &months, &us) || !add_to_us(x, back, &x))
        return false;
    if (months) {
        day = b->has_origin ? months_of(day_of_us(b->origin, &unused)) : MONTH_ORIGIN;
        day = month_bucket(day_of_us(x, &unused), months, day);
        if (day < US_LEAST / US_PER_DAY)
            return false;
        *out = day * US_PER_DAY;
    } else if (!time_bucket(x, us, b->has_origin ? b->origin : TIME_ORIGIN, out)) {
        return false;
    }
    return add_to_us(*out, b->offset, out);
}

static bool bucket_date(const bucket *b, int32_t x, int32_t *out)
{
    int64_t months, unused, day, us, origin = 0;
    bucket as_us = *b;

    if (width_of(b->width, &months, &us) && months && b->offset.months == 0 &&
        b->offset.days == 0 && b->offset.us == 0) {
        day = month_bucket(x, months, b->has_origin ? months_of(b->origin) : MONTH_ORIGIN);
        *out = (int32_t)day;
        return day > -(int64_t)DATE_INFINITE;
    }
    if (b->has_origin && !us_of_date((int32_t)b->origin, &origin))
        return false;
    as_us.origin = origin;
    if (!us_of_date(x, &us) || !bucket_us(&as_us, us, &us))
        return false;
    *out = (int32_t)day_of_us(us, &unused);
    return true;
}

static bool is_infinite_row(const scalar_args *args, uint32_t k, uint32_t i)
{
    const type *t = &args->at[k]->type;

    if (t->id == TYPE_DATE)
        return is_infinite_date(ARG(int32_t, args, k)[ROW(args, k, i)]);
    return t->id == TYPE_TIMESTAMP && is_infinite_time(ARG(int64_t, args, k)[ROW(args, k, i)]);
}

static nrw_status bucket_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    bool dates = args->at[1]->type.id == TYPE_DATE;

    for (uint32_t i = 0; i < args->rows; i++) {
        bucket b = {.width = ARG(interval, args, 0)[ROW(args, 0, i)]};
        bool fine;
        if (!row_valid(out, i))
            continue;
        if (args->n > 2 && args->at[2]->type.id == TYPE_INTERVAL) {
            b.offset = ARG(interval, args, 2)[ROW(args, 2, i)];
        } else if (args->n > 2) {
            b.has_origin = true;
            b.origin = dates ? ARG(int32_t, args, 2)[ROW(args, 2, i)]
                             : ARG(int64_t, args, 2)[ROW(args, 2, i)];
            if (is_infinite_row(args, 2, i)) {
                TRY(row_null(out, i, err));
                continue;
            }
        }
        if (is_infinite_row(args, 1, i)) { /* as it is */
            memcpy(out->data + (size_t)i * out->type.width,
                   args->at[1]->data + (size_t)ROW(args, 1, i) * out->type.width, out->type.width);
            continue;
        }
        if (dates)
            fine = bucket_date(&b, ARG(int32_t, args, 1)[ROW(args, 1, i)], &OUT(int32_t, out)[i]);
        else
            fine = bucket_us(&b, ARG(int64_t, args, 1)[ROW(args, 1, i)], &OUT(int64_t, out)[i]);
        if (!fine)
            return err_set(err, NRW_E_VALUE,
                           "%s: the width is months or a time, above 0, and the result within the "
                           "range of its type",
                           e->f->name);
    }
    return NRW_OK;
}

static const function rows[] = {
    {"time_bucket", "it", "t", bucket_eval, FAILS, NULL},
    {"time_bucket", "iti", "t", bucket_eval, FAILS, NULL},
    {"time_bucket", "itt", "t", bucket_eval, FAILS, NULL},
    {"time_bucket", "iS", "S", bucket_eval, FAILS, NULL},
    {"time_bucket", "iSi", "S", bucket_eval, FAILS, NULL},
    {"time_bucket", "iSS", "S", bucket_eval, FAILS, NULL},
    {"time_bucket", "iZ", "Z", bucket_eval, FAILS, NULL},
    {"time_bucket", "iZi", "Z", bucket_eval, FAILS, NULL},
    {"time_bucket", "iZZ", "Z", bucket_eval, FAILS, NULL},
};

const function_set functions_bucket = FUNCTION_SET(rows);
