/* Intervals as text. */
#include "expr/calendar.h"
#include "expr/reading.h"

#include <math.h>

/* The interval while it grows; wide enough that sums of a text cannot overflow. */
typedef struct amount {
    double months, days, us;
} amount;

/* A number with its sign: whole, and what is behind the point. */
typedef struct quantity {
    double whole, fraction;
} quantity;

static bool read_quantity(reading *r, quantity *q)
{
    bool minus = take(r, '-'), any = false;
    double place = 0.1;

    *q = (quantity){0};
    if (!minus)
        take(r, '+');
    for (; at_digit(r); r->p++, any = true)
        q->whole = q->whole * 10 + (*r->p - '0');
    if (take(r, '.'))
        for (; at_digit(r); r->p++, place /= 10, any = true)
            q->fraction += (*r->p - '0') * place;
    if (minus) {
        q->whole = -q->whole;
        q->fraction = -q->fraction;
    }
    return any;
}

/* Months, days and microseconds of one unit, of the three only the first that is not 0. */
static bool add_quantity(amount *a, quantity q, date_unit unit)
{
    double months = 0, us = 0;

    switch (unit) {
    case DATE_YEAR: months = 12; break;
    case DATE_MONTH:
        a->months += q.whole;
        a->days += round(q.fraction * 30);
        return true;
    case DATE_QUARTER: months = 3; break;
    case DATE_DECADE: months = 120; break;
    case DATE_CENTURY: months = 1200; break;
    case DATE_MILLENNIUM: months = 12000; break;
    case DATE_WEEK:
        a->days += q.whole * 7;
        a->us += round(q.fraction * 7 * (double)US_PER_DAY);
        return true;
    case DATE_DAY:
        a->days += q.whole;
        a->us += round(q.fraction * (double)US_PER_DAY);
        return true;
    case DATE_HOUR: us = (double)US_PER_HOUR; break;
    case DATE_MINUTE: us = 60 * (double)US_PER_SECOND; break;
    case DATE_SECOND: us = (double)US_PER_SECOND; break;
    case DATE_MILLISECOND: us = 1000; break;
    case DATE_MICROSECOND: us = 1; break;
    default: return false;
    }
    a->months += q.whole * months + round(q.fraction * months);
    a->us += q.whole * us + round(q.fraction * us);
    return true;
}

/* H..H:MM[:SS[.digits]], hours without bound. */
static bool interval_clock(reading *r, amount *a)
{
    bool minus = take(r, '-');
    int64_t minute, second = 0;
    double hours = 0, part = 0, place = 100000, sign = minus ? -1 : 1;

    if (!minus)
        take(r, '+');
    for (; at_digit(r); r->p++)
        hours = hours * 10 + (*r->p - '0');
    if (!take(r, ':') || !digits(r, 1, 2, &minute))
        return false;
    if (take(r, ':')) {
        if (!digits(r, 1, 2, &second))
            return false;
        if (take(r, '.'))
            for (; at_digit(r); r->p++, place = floor(place / 10))
                part += (*r->p - '0') * place;
    }
    if (minute > 59 || second > 59)
        return false;
    a->us += sign * (hours * (double)US_PER_HOUR +
                     (double)((minute * 60 + second) * US_PER_SECOND) + part);
    return true;
}

static bool is_clock(const reading *r)
{
    const uint8_t *p = r->p;

    while (p < r->end && (isdigit(*p) || *p == '-' || *p == '+'))
        p++;
    return p < r->end && *p == ':';
}

static bool fits(const amount *a, interval *out)
{
    if (fabs(a->months) > INT32_MAX || fabs(a->days) > INT32_MAX || fabs(a->us) >= 0x1p63)
        return false;
    *out = (interval){(int32_t)a->months, (int32_t)a->days, (int64_t)a->us};
    return true;
}

static bool read_unit(reading *r, date_unit *unit)
{
    const uint8_t *from;

    skip_spaces(r);
    from = r->p;
    while (r->p < r->end && (isalpha(*r->p) || *r->p == '_'))
        r->p++;
    return date_unit_of((span){from, (size_t)(r->p - from)}, unit);
}

static bool read_parts(reading *r, amount *a)
{
    quantity q;
    date_unit unit;
    bool any = false;

    for (skip_spaces(r); r->p < r->end; skip_spaces(r), any = true) {
        if (any && take_word(r, "ago")) {
            *a = (amount){-a->months, -a->days, -a->us};
            return ends(r);
        }
        if (is_clock(r)) {
            if (!interval_clock(r, a))
                return false;
            continue;
        }
        if (!read_quantity(r, &q))
            return false;
        if (!any && ends(r)) /* a bare number is seconds */
            return add_quantity(a, q, DATE_SECOND);
        if (!read_unit(r, &unit) || !add_quantity(a, q, unit))
            return false;
    }
    return any;
}

bool parse_interval(span s, interval *out)
{
    reading r = {s.data, s.data + s.len};
    amount a = {0};

    *out = (interval){0};
    skip_spaces(&r);
    take(&r, '@');
    return read_parts(&r, &a) && fits(&a, out);
}
