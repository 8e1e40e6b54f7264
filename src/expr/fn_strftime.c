/* strftime and strptime: dates and times by a format. A format that is a constant is read once a
 * call; both know the signs %a %A %b %B %c %d %f %g %G %H %I %j %m %M %n %p %S %T %u %U %V %w %W %x
 * %X %y %Y %z %Z and, for numbers, %- without zeros in front. */
#include "expr/calendar.h"
#include "expr/function_sets.h"
#include "expr/reading.h"
#include "expr/text.h"

#include <ctype.h>
#include <strings.h>

/* ---- writing ---- */

typedef struct when {
    civil date;
    int64_t day, us;
    int ns;     /* beyond microseconds */
    bool zoned; /* a time in UTC, not of anywhere */
} when;

static nrw_status put_number(bytes *b, int64_t x, int width, bool plain, nrw_error *err)
{
    if (plain)
        return bytes_printf(b, err, "%lld", (long long)x);
    return bytes_printf(b, err, "%0*lld", width, (long long)x);
}

static nrw_status put_sign(bytes *b, const when *w, char sign, bool plain, nrw_error *err)
{
    int64_t hour = w->us / US_PER_HOUR, minute = w->us / 60000000 % 60, year, week;
    int64_t second = w->us / US_PER_SECOND % 60, part = w->us % US_PER_SECOND;
    int64_t weekday = weekday_of(w->day);
    int64_t yearday = w->day - days_of_civil(w->date.year, 1, 1);

    switch (sign) {
    case 'a': return bytes_append(b, day_names[weekday], 3, err);
    case 'A': return bytes_append(b, day_names[weekday], strlen(day_names[weekday]), err);
    case 'w': return put_number(b, weekday, 1, true, err);
    case 'u': return put_number(b, weekday ? weekday : 7, 1, true, err);
    case 'd': return put_number(b, w->date.day, 2, plain, err);
    case 'h':
    case 'b': return bytes_append(b, month_names[w->date.month - 1], 3, err);
    case 'B':
        return bytes_append(b, month_names[w->date.month - 1],
                            strlen(month_names[w->date.month - 1]), err);
    case 'm': return put_number(b, w->date.month, 2, plain, err);
    case 'y':
        year = w->date.year % 100;
        return put_number(b, year < 0 ? -year : year, 2, plain, err);
    case 'Y':
        if (w->date.year < 0)
            return bytes_printf(b, err, "-%04lld", (long long)-w->date.year);
        return put_number(b, w->date.year, 4, false, err);
    case 'G': return put_number(b, iso_year_of(w->day, &week), 4, false, err);
    case 'V': iso_year_of(w->day, &week); return put_number(b, week, 2, plain, err);
    case 'H': return put_number(b, hour, 2, plain, err);
    case 'I': return put_number(b, hour % 12 ? hour % 12 : 12, 2, plain, err);
    case 'p': return bytes_append(b, hour >= 12 ? "PM" : "AM", 2, err);
    case 'M': return put_number(b, minute, 2, plain, err);
    case 'S': return put_number(b, second, 2, plain, err);
    case 'f': return put_number(b, part, 6, false, err);
    case 'g': return put_number(b, part / 1000, 3, false, err);
    case 'n': return put_number(b, part * 1000 + w->ns, 9, false, err);
    case 'j': return put_number(b, yearday + 1, 3, plain, err);
    case 'U': return put_number(b, (yearday + 7 - weekday) / 7, 2, plain, err);
    case 'W': return put_number(b, (yearday + 7 - (weekday + 6) % 7) / 7, 2, plain, err);
    case 'T':
    case 'X': return bytes_printf(b, err, "%02d:%02d:%02d", (int)hour, (int)minute, (int)second);
    case 'x':
        TRY(put_sign(b, w, 'Y', false, err));
        return bytes_printf(b, err, "-%02d-%02d", w->date.month, w->date.day);
    case 'c':
        TRY(put_sign(b, w, 'x', false, err));
        TRY(bytes_append(b, " ", 1, err));
        return put_sign(b, w, 'X', false, err);
    case 'z': return bytes_append(b, "+00", 3, err);
    case 'Z': return bytes_append(b, "UTC", w->zoned ? 3 : 0, err);
    case '%': return bytes_append(b, "%", 1, err);
    default: return err_set(err, NRW_E_VALUE, "strftime: %%%c is not known", sign);
    }
}

static nrw_status put_format(bytes *b, const when *w, span format, nrw_error *err)
{
    for (size_t i = 0; i < format.len; i++) {
        bool plain;
        if (format.data[i] != '%') {
            TRY(bytes_append(b, format.data + i, 1, err));
            continue;
        }
        plain = i + 1 < format.len && format.data[i + 1] == '-';
        i += 1u + plain;
        if (i >= format.len)
            return err_set(err, NRW_E_VALUE, "strftime: the format ends in %%");
        TRY(put_sign(b, w, (char)format.data[i], plain, err));
    }
    return NRW_OK;
}

/* The moment of row i; false where it is infinite, *negative says which way. */
static bool when_at(const vector *v, uint32_t i, when *w, bool *negative)
{
    int64_t x;

    *w = (when){.zoned = v->type.utc};
    if (v->type.id == TYPE_DATE) {
        int32_t day = ((const int32_t *)(const void *)v->data)[i];
        *negative = day < 0;
        w->day = day;
        w->date = civil_of_days(day);
        return !is_infinite_date(day);
    }
    x = ((const int64_t *)(const void *)v->data)[i];
    *negative = x < 0;
    if (is_infinite_time(x))
        return false;
    if (v->type.unit == UNIT_NS) {
        int64_t us = floor_div(x, 1000);
        w->ns = (int)(x - us * 1000);
        x = us;
    }
    w->day = day_of_us(x, &w->us);
    w->date = civil_of_days(w->day);
    return true;
}

static nrw_status strftime_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    uint32_t format = type_is_text(&args->at[0]->type) ? 0 : 1;
    bytes row = bytes_init(args->m, INT32_MAX);
    text_out t = {.out = out};
    nrw_status st = NRW_OK;

    (void)e;
    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        bool negative;
        when w;
        if (!row_valid(out, i))
            continue;
        bytes_clear(&row);
        if (when_at(args->at[!format], ROW(args, !format, i), &w, &negative))
            st = put_format(&row, &w, TEXT(format), err);
        else
            st = bytes_printf(&row, err, negative ? "-infinity" : "infinity");
        if (st == NRW_OK)
            st = text_put(&t, i, row.data, row.len, err);
    }
    text_end(&t);
    bytes_release(&row);
    return st;
}

/* ---- reading ---- */

typedef struct parts {
    int64_t year, month, day, hour, minute, second, us, yearday, offset;
    bool pm, am;
} parts;

/* One of n names, whole or (short) their first three letters. */
static bool read_name(reading *r, const char *const *names, int n, bool brief, int64_t *which)
{
    for (int i = 0; i < n; i++) {
        size_t len = brief ? 3 : strlen(names[i]);
        if ((size_t)(r->end - r->p) >= len && strncasecmp((const char *)r->p, names[i], len) == 0) {
            r->p += len;
            *which = i;
            return true;
        }
    }
    return false;
}

/* Digits of a fraction of a second in `places` places. */
static bool read_fraction(reading *r, int places, int64_t *us)
{
    const uint8_t *from = r->p;

    if (!digits(r, 1, places, us))
        return false;
    for (int n = (int)(r->p - from); n < places; n++)
        *us *= 10;
    for (; places < 6; places++)
        *us *= 10;
    for (; places > 6; places--)
        *us /= 10;
    return true;
}

static bool read_offset(reading *r, int64_t *seconds)
{
    bool west;
    int64_t hour, minute = 0;

    if (take(r, 'Z'))
        return true;
    west = take(r, '-');
    if ((!west && !take(r, '+')) || !digits(r, 1, 2, &hour))
        return false;
    take(r, ':');
    digits(r, 0, 2, &minute);
    *seconds = (west ? -1 : 1) * (hour * 60 + minute) * 60;
    return true;
}

static bool in_range(int64_t x, int64_t low, int64_t high)
{
    return x >= low && x <= high;
}

static bool read_year(reading *r, parts *p)
{
    bool minus = take(r, '-');

    if (!digits(r, 1, 9, &p->year))
        return false;
    p->year = minus ? -p->year : p->year;
    return true;
}

static bool read_sign(reading *r, char sign, parts *p)
{
    int64_t x;

    switch (sign) {
    case 'a': return read_name(r, day_names, 7, true, &x);
    case 'A': return read_name(r, day_names, 7, false, &x);
    case 'h':
    case 'b': return read_name(r, month_names, 12, true, &p->month) && ++p->month;
    case 'B': return read_name(r, month_names, 12, false, &p->month) && ++p->month;
    case 'd': return digits(r, 1, 2, &p->day) && in_range(p->day, 1, 31);
    case 'm': return digits(r, 1, 2, &p->month) && in_range(p->month, 1, 12);
    case 'y':
        if (!digits(r, 1, 2, &x))
            return false;
        p->year = x < 70 ? 2000 + x : 1900 + x;
        return true;
    case 'Y': return read_year(r, p);
    case 'H': return digits(r, 1, 2, &p->hour) && in_range(p->hour, 0, 23);
    case 'I': return digits(r, 1, 2, &p->hour) && in_range(p->hour, 1, 12);
    case 'M': return digits(r, 1, 2, &p->minute) && in_range(p->minute, 0, 59);
    case 'S': return digits(r, 1, 2, &p->second) && in_range(p->second, 0, 59);
    case 'f': return read_fraction(r, 6, &p->us);
    case 'g': return read_fraction(r, 3, &p->us);
    case 'n': return read_fraction(r, 9, &p->us);
    case 'j': return digits(r, 1, 3, &p->yearday) && in_range(p->yearday, 1, 366);
    case 'p':
        if (r->end - r->p < 2 || (r->p[1] | 32) != 'm')
            return false;
        p->pm = (*r->p | 32) == 'p';
        p->am = (*r->p | 32) == 'a';
        r->p += 2;
        return p->pm || p->am;
    case 'u':
    case 'w': return digits(r, 1, 1, &x);
    case 'U':
    case 'W':
    case 'V': return digits(r, 1, 2, &x);
    case 'z': return read_offset(r, &p->offset);
    case 'T':
    case 'X':
        return read_sign(r, 'H', p) && take(r, ':') && read_sign(r, 'M', p) && take(r, ':') &&
               read_sign(r, 'S', p);
    case 'x':
        return read_sign(r, 'Y', p) && take(r, '-') && read_sign(r, 'm', p) && take(r, '-') &&
               read_sign(r, 'd', p);
    case 'c': return read_sign(r, 'x', p) && take(r, ' ') && read_sign(r, 'X', p);
    case '%': return take(r, '%');
    default: return false;
    }
}

static bool read_format(reading *r, span format, parts *p)
{
    for (size_t i = 0; i < format.len; i++) {
        if (isspace(format.data[i])) { /* any blanks stand for blanks */
            if (r->p == r->end || !isspace(*r->p))
                return false;
            skip_spaces(r);
            continue;
        }
        if (format.data[i] != '%') {
            if (r->p == r->end || *r->p++ != format.data[i])
                return false;
            continue;
        }
        i++;
        i += i < format.len && format.data[i] == '-';
        if (i >= format.len || !read_sign(r, (char)format.data[i], p))
            return false;
    }
    return ends(r);
}

static bool parse_moment(span s, span format, int64_t *us)
{
    parts p = {.year = 1900, .month = 1, .day = 1};
    reading r = {s.data, s.data + s.len};
    int64_t day, start;

    skip_spaces(&r);
    if (!read_format(&r, format, &p))
        return false;
    if (p.pm || p.am) {
        if (p.hour > 12)
            return false;
        p.hour = p.hour % 12 + (p.pm ? 12 : 0);
    }
    if (p.yearday) {
        if (p.yearday == 366 && !is_leap_year(p.year))
            return false;
        day = days_of_civil(p.year, 1, 1) + p.yearday - 1;
    } else {
        if (p.day > days_in_month(p.year, p.month))
            return false;
        day = days_of_civil(p.year, p.month, p.day);
    }
    if (day <= -(int64_t)DATE_INFINITE || day >= DATE_INFINITE || !us_of_date((int32_t)day, &start))
        return false;
    return !__builtin_add_overflow(
        start, ((p.hour * 60 + p.minute) * 60 + p.second - p.offset) * US_PER_SECOND + p.us, us);
}

/* One format, or the first of a list that fits. */
static bool parse_any(const scalar_args *args, uint32_t i, int64_t *us)
{
    const vector *f = args->at[1];
    uint32_t row = ROW(args, 1, i);
    const uint32_t *at;

    if (f->type.id != TYPE_LIST)
        return parse_moment(TEXT(0), TEXT(1), us);
    at = vector_offsets(f) + row;
    for (uint32_t k = at[0]; k < at[1]; k++) {
        bool null;
        span format = vector_value(&f->children[0], k, &null);
        if (!null && parse_moment(TEXT(0), format, us))
            return true;
    }
    return false;
}

static nrw_status strptime_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    bool try = e->f->name[0] == 't';

    for (uint32_t i = 0; i < args->rows; i++) {
        int64_t us = 0;
        if (!row_valid(out, i))
            continue;
        if (!parse_any(args, i, &us)) {
            if (!try)
                return err_set(err, NRW_E_VALUE, "strptime: '%.*s' does not fit the format",
                               (int)size_min(TEXT(0).len, 60), (const char *)TEXT(0).data);
            TRY(row_null(out, i, err));
        }
        OUT(int64_t, out)[i] = us;
    }
    return NRW_OK;
}

static nrw_status strptime_bind(binding *b, nrw_error *err)
{
    span format;

    (void)err;
    if (constant_text(b->args[1], &format) && memmem(format.data, format.len, "%z", 2))
        b->result = type_timestamp(UNIT_US, true);
    return NRW_OK;
}

static const function rows[] = {
    {"strftime", "ts", "s", strftime_eval, FAILS, NULL},
    {"strftime", "Ss", "s", strftime_eval, FAILS, NULL},
    {"strftime", "Zs", "s", strftime_eval, FAILS, NULL},
    {"strftime", "Ns", "s", strftime_eval, FAILS, NULL},
    {"strftime", "st", "s", strftime_eval, FAILS, NULL},
    {"strftime", "sS", "s", strftime_eval, FAILS, NULL},
    {"strftime", "sZ", "s", strftime_eval, FAILS, NULL},
    {"strftime", "sN", "s", strftime_eval, FAILS, NULL},
    {"strptime", "ss", "S", strptime_eval, FAILS, strptime_bind},
    {"strptime", "sL", "S", strptime_eval, FAILS, NULL},
    {"try_strptime", "ss", "S", strptime_eval, 0, strptime_bind},
    {"try_strptime", "sL", "S", strptime_eval, 0, NULL},
};

const function_set functions_strftime = FUNCTION_SET(rows);
