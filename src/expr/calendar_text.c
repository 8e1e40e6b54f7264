/* Dates, times and intervals as text, as strict and as lenient as DuckDB reads them. */
#include "expr/calendar.h"

#include "expr/cast_own.h"

#include <ctype.h>
#include <math.h>
#include <strings.h>

typedef struct reading {
    const uint8_t *p, *end;
} reading;

static void skip_spaces(reading *r)
{
    while (r->p < r->end && isspace(*r->p))
        r->p++;
}

static bool take(reading *r, char c)
{
    if (r->p == r->end || *r->p != (uint8_t)c)
        return false;
    r->p++;
    return true;
}

static bool at_digit(const reading *r)
{
    return r->p < r->end && isdigit(*r->p);
}

/* least..most digits as a number. */
static bool digits(reading *r, int least, int most, int64_t *out)
{
    int n = 0;

    *out = 0;
    for (; n < most && at_digit(r); n++)
        *out = *out * 10 + (*r->p++ - '0');
    return n >= least;
}

static bool take_word(reading *r, const char *word)
{
    size_t n = strlen(word);

    if ((size_t)(r->end - r->p) < n || strncasecmp((const char *)r->p, word, n) != 0)
        return false;
    r->p += n;
    return true;
}

static bool ends(reading *r)
{
    skip_spaces(r);
    return r->p == r->end;
}

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
    if (zoned && r->p > from &&
        !((r->p - from == 3 && (strncasecmp((const char *)from, "utc", 3) == 0 ||
                                strncasecmp((const char *)from, "gmt", 3) == 0))))
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

/* ---- units by name ---- */

typedef struct unit_name {
    const char *name;
    date_unit unit;
} unit_name;

static const unit_name unit_names[] = {
    {"year", DATE_YEAR},
    {"years", DATE_YEAR},
    {"y", DATE_YEAR},
    {"yr", DATE_YEAR},
    {"yrs", DATE_YEAR},
    {"month", DATE_MONTH},
    {"months", DATE_MONTH},
    {"mon", DATE_MONTH},
    {"mons", DATE_MONTH},
    {"day", DATE_DAY},
    {"days", DATE_DAY},
    {"d", DATE_DAY},
    {"dayofmonth", DATE_DAY},
    {"decade", DATE_DECADE},
    {"decades", DATE_DECADE},
    {"dec", DATE_DECADE},
    {"decs", DATE_DECADE},
    {"century", DATE_CENTURY},
    {"centuries", DATE_CENTURY},
    {"cent", DATE_CENTURY},
    {"c", DATE_CENTURY},
    {"millennium", DATE_MILLENNIUM},
    {"millennia", DATE_MILLENNIUM},
    {"millenium", DATE_MILLENNIUM},
    {"mil", DATE_MILLENNIUM},
    {"mils", DATE_MILLENNIUM},
    {"quarter", DATE_QUARTER},
    {"quarters", DATE_QUARTER},
    {"week", DATE_WEEK},
    {"weeks", DATE_WEEK},
    {"w", DATE_WEEK},
    {"weekofyear", DATE_WEEK},
    {"yearweek", DATE_YEARWEEK},
    {"isoyear", DATE_ISOYEAR},
    {"dow", DATE_DOW},
    {"dayofweek", DATE_DOW},
    {"weekday", DATE_DOW},
    {"isodow", DATE_ISODOW},
    {"doy", DATE_DOY},
    {"dayofyear", DATE_DOY},
    {"era", DATE_ERA},
    {"epoch", DATE_EPOCH},
    {"julian", DATE_JULIAN},
    {"hour", DATE_HOUR},
    {"hours", DATE_HOUR},
    {"h", DATE_HOUR},
    {"hr", DATE_HOUR},
    {"hrs", DATE_HOUR},
    {"minute", DATE_MINUTE},
    {"minutes", DATE_MINUTE},
    {"m", DATE_MINUTE},
    {"min", DATE_MINUTE},
    {"mins", DATE_MINUTE},
    {"second", DATE_SECOND},
    {"seconds", DATE_SECOND},
    {"s", DATE_SECOND},
    {"sec", DATE_SECOND},
    {"secs", DATE_SECOND},
    {"millisecond", DATE_MILLISECOND},
    {"milliseconds", DATE_MILLISECOND},
    {"ms", DATE_MILLISECOND},
    {"msec", DATE_MILLISECOND},
    {"msecs", DATE_MILLISECOND},
    {"msecond", DATE_MILLISECOND},
    {"mseconds", DATE_MILLISECOND},
    {"microsecond", DATE_MICROSECOND},
    {"microseconds", DATE_MICROSECOND},
    {"us", DATE_MICROSECOND},
    {"usec", DATE_MICROSECOND},
    {"usecs", DATE_MICROSECOND},
    {"usecond", DATE_MICROSECOND},
    {"useconds", DATE_MICROSECOND},
    {"nanosecond", DATE_NANOSECOND},
    {"nanoseconds", DATE_NANOSECOND},
    {"ns", DATE_NANOSECOND},
    {"timezone", DATE_TIMEZONE},
    {"timezone_hour", DATE_TIMEZONE_HOUR},
    {"timezone_minute", DATE_TIMEZONE_MINUTE},
};

bool date_unit_of(span name, date_unit *out)
{
    for (size_t i = 0; i < sizeof unit_names / sizeof *unit_names; i++)
        if (strlen(unit_names[i].name) == name.len &&
            strncasecmp(unit_names[i].name, (const char *)name.data, name.len) == 0) {
            *out = unit_names[i].unit;
            return true;
        }
    return false;
}

/* ---- intervals ---- */

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
