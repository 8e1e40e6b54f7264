/* Dates and times as text, as strict and as lenient as DuckDB reads them. */
#include "expr/calendar.h"

#include "expr/reading.h"

/* ---- dates ---- */

/* infinity, -infinity, epoch: whole texts. */
static bool special(span s, int32_t *days)
{
    reading r = {s.data, s.data + s.len};
    bool minus;

    skip_spaces(&r);
    if (take_word(&r, "epoch")) {
        *days = 0;
        return ends(&r);
    }
    minus = take(&r, '-');
    if (!minus)
        take(&r, '+');
    *days = minus ? -DATE_INFINITE : DATE_INFINITE;
    if (!take_word(&r, "infinity") && !take_word(&r, "inf"))
        return false;
    return ends(&r);
}

static bool before_christ(reading *r)
{
    reading look = *r;

    if (look.p == look.end || !isspace(*look.p))
        return false;
    skip_spaces(&look);
    if (!take_word(&look, "(bc)"))
        return false;
    *r = look;
    return true;
}

static bool date(reading *r, int64_t *days)
{
    int64_t year, month, day;
    bool negative = take(r, '-');
    char between;

    if (!digits(r, 1, 9, &year) || r->p == r->end)
        return false;
    between = (char)*r->p++;
    if (!strchr("-/\\ ", between) || !digits(r, 1, 2, &month) || !take(r, between) ||
        !digits(r, 1, 2, &day) || at_digit(r))
        return false;
    year = negative ? -year : year;
    if (before_christ(r)) {
        if (negative || year == 0)
            return false;
        year = 1 - year;
    }
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *days = days_of_civil(year, month, day);
    return *days > -(int64_t)DATE_INFINITE && *days < DATE_INFINITE;
}

/* ---- times of day ---- */

/* HH:[MM[:[SS[.digits]]]] in nanoseconds; what a second has beyond them is cut off. */
static bool clock_time(reading *r, int64_t *ns)
{
    int64_t hour, minute = 0, second = 0, part = 0, place = 100000000;

    if (!digits(r, 1, 2, &hour) || !take(r, ':'))
        return false;
    if (at_digit(r) && digits(r, 1, 2, &minute) && take(r, ':') && at_digit(r) &&
        digits(r, 1, 2, &second) && take(r, '.'))
        for (; at_digit(r); r->p++, place /= 10)
            part += (*r->p - '0') * place;
    if (minute > 59 || second > 59 || hour > 24 || (hour == 24 && minute + second + part > 0))
        return false;
    *ns = ((hour * 60 + minute) * 60 + second) * 1000000000 + part;
    return true;
}

/* +HH[[:]MM[[:]SS]] in seconds. */
static bool offset(reading *r, int64_t *seconds)
{
    bool west = *r->p == '-';
    int64_t hour, minute = 0, second = 0;

    if (!take(r, '-') && !take(r, '+'))
        return false;
    if (!digits(r, 2, 2, &hour))
        return false;
    take(r, ':');
    if (at_digit(r) && !digits(r, 2, 2, &minute))
        return false;
    take(r, ':');
    if (at_digit(r) && !digits(r, 2, 2, &second))
        return false;
    if (minute > 59 || second > 59)
        return false;
    *seconds = (west ? -1 : 1) * ((hour * 60 + minute) * 60 + second);
    return true;
}

/* Z, an offset, or a name behind a blank. Names other than those of UTC mean nothing without a
 * zone table: passed over where zones are. */
static bool zone(reading *r, bool zoned, int64_t *seconds)
{
    const uint8_t *from;
    span name;

    *seconds = 0;
    if (take(r, 'Z'))
        return ends(r);
    if (r->p < r->end && (*r->p == '+' || *r->p == '-'))
        return offset(r, seconds) && ends(r);
    if (r->p == r->end || !isspace(*r->p))
        return r->p == r->end;
    skip_spaces(r);
    from = r->p;
    while (r->p < r->end && !isspace(*r->p))
        r->p++;
    name = (span){from, (size_t)(r->p - from)};
    if (zoned && name.len && !span_is_word(name, "utc") && !span_is_word(name, "gmt"))
        return false;
    return ends(r);
}

/* Days and nanoseconds in the day, with the offset taken off. */
static bool moment(span s, bool zoned, int64_t *days, int64_t *ns)
{
    reading r = {s.data, s.data + s.len};
    int64_t seconds = 0;

    *ns = 0;
    skip_spaces(&r);
    if (!date(&r, days))
        return false;
    if (r.p == r.end)
        return true;
    if (*r.p != 'T' && *r.p != ' ')
        return false;
    r.p++;
    skip_spaces(&r);
    if (!clock_time(&r, ns) || !zone(&r, zoned, &seconds))
        return false;
    if (zoned)
        *ns -= seconds * 1000000000;
    return true;
}

bool parse_date(span s, int32_t *out)
{
    reading r = {s.data, s.data + s.len};
    int64_t days, ns;

    *out = 0;
    skip_spaces(&r);
    if (date(&r, &days) && ends(&r)) {
        *out = (int32_t)days;
        return true;
    }
    if (special(s, out))
        return true;
    if (!moment(s, false, &days, &ns))
        return false;
    *out = (int32_t)days;
    return true;
}

bool parse_timestamp(span s, time_unit unit, bool zoned, int64_t *out)
{
    int64_t days, ns;
    int32_t special_day;
    i128 x;

    *out = 0;
    if (special(s, &special_day))
        return us_of_date(special_day, out);
    if (!moment(s, zoned, &days, &ns))
        return false;
    if (unit == UNIT_NS) {
        x = (i128)days * 86400000000000 + ns;
    } else { /* all others go by way of microseconds */
        x = (i128)days * US_PER_DAY + floor_div(ns, 1000);
    }
    if (x < (unit == UNIT_NS ? -(i128)TIME_INFINITE + 1 : US_LEAST) || x >= TIME_INFINITE)
        return false;
    return convert_unit((int64_t)x, unit == UNIT_NS ? UNIT_NS : UNIT_US, unit, out);
}

bool parse_time(span s, time_unit unit, int64_t *out)
{
    reading r = {s.data, s.data + s.len};
    int64_t ns, days, seconds;

    *out = 0;
    skip_spaces(&r);
    if (!clock_time(&r, &ns) || !(zone(&r, false, &seconds)))
        if (!moment(s, false, &days, &ns))
            return false;
    *out = ns / (1000000000 / units_per_second(unit));
    return true;
}
