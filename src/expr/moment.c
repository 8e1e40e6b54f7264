/* Dates and times as text. */
#include "expr/own.h"

typedef struct reading {
    const uint8_t *p, *end;
} reading;

static void skip_spaces(reading *r)
{
    while (r->p < r->end && *r->p == ' ')
        r->p++;
}

static bool take(reading *r, char c)
{
    if (r->p == r->end || *r->p != (uint8_t)c)
        return false;
    r->p++;
    return true;
}

/* least..most digits as a number. */
static bool digits(reading *r, int least, int most, int64_t *out)
{
    int n = 0;

    *out = 0;
    while (n < most && r->p < r->end && *r->p >= '0' && *r->p <= '9') {
        *out = *out * 10 + (*r->p++ - '0');
        n++;
    }
    return n >= least;
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool date(reading *r, int64_t *days)
{
    static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year, month, day, last;
    bool negative = take(r, '-'), leap;
    char between;

    if (!digits(r, 1, 7, &year) || r->p == r->end)
        return false;
    between = (char)*r->p++;
    if ((between != '-' && between != '/') || !digits(r, 1, 2, &month) || !take(r, between) ||
        !digits(r, 1, 2, &day))
        return false;
    year = negative ? -year : year;
    leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (month < 1 || month > 12)
        return false;
    last = lengths[month - 1] + (month == 2 && leap);
    if (day < 1 || day > last)
        return false;
    *days = days_of(year, month, day);
    return true;
}

/* HH:MM[:SS[.digits]]; 24:00:00 is the end of a day where `end` allows it. */
static bool clock_time(reading *r, bool end, moment *out)
{
    int64_t hour, minute, second = 0, part = 0;
    int n = 0;

    if (!digits(r, 1, 2, &hour) || !take(r, ':') || !digits(r, 1, 2, &minute))
        return false;
    if (take(r, ':') && !digits(r, 1, 2, &second))
        return false;
    if (take(r, '.')) {
        const uint8_t *from = r->p;
        if (!digits(r, 1, 9, &part))
            return false;
        for (n = (int)(r->p - from); n < 9; n++)
            part *= 10;
    }
    if (minute > 59 || second > 59 ||
        (hour > 23 && !(end && hour == 24 && minute + second + part == 0)))
        return false;
    *out = (moment){hour * 3600 + minute * 60 + second, (int32_t)part};
    return true;
}

/* Z, UTC, +01, -03:30: seconds to take away; nothing is UTC. */
static bool zone(reading *r, int64_t *seconds)
{
    int64_t hour, minute = 0;
    bool west;

    *seconds = 0;
    skip_spaces(r);
    if (r->p == r->end || take(r, 'Z') || take(r, 'z'))
        return true;
    if (r->end - r->p >= 3 && memcmp(r->p, "UTC", 3) == 0) {
        r->p += 3;
        return true;
    }
    west = *r->p == '-';
    if ((!take(r, '-') && !take(r, '+')) || !digits(r, 1, 2, &hour))
        return false;
    if (take(r, ':') && !digits(r, 2, 2, &minute))
        return false;
    if (hour > 23 || minute > 59)
        return false;
    *seconds = (west ? -1 : 1) * (hour * 3600 + minute * 60);
    return true;
}

static bool ends(reading *r)
{
    skip_spaces(r);
    return r->p == r->end;
}

bool moment_parse_date(span text, moment *out)
{
    reading r = {text.data, text.data + text.len};
    int64_t days;

    skip_spaces(&r);
    if (!date(&r, &days))
        return false;
    *out = (moment){days * 86400, 0};
    return ends(&r);
}

bool moment_parse_timestamp(span text, moment *out)
{
    reading r = {text.data, text.data + text.len};
    moment clock = {0, 0};
    int64_t days, offset = 0;

    skip_spaces(&r);
    if (!date(&r, &days))
        return false;
    if (r.p < r.end && (*r.p == 'T' || *r.p == 't' || *r.p == ' ')) {
        r.p++;
        skip_spaces(&r);
        if (r.p < r.end && (!clock_time(&r, false, &clock) || !zone(&r, &offset)))
            return false;
    }
    *out = (moment){days * 86400 + clock.seconds - offset, clock.nanos};
    return ends(&r);
}

bool moment_parse_time(span text, moment *out)
{
    reading r = {text.data, text.data + text.len};

    skip_spaces(&r);
    return clock_time(&r, true, out) && ends(&r);
}
