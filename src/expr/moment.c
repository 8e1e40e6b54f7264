/* Dates and times in conditions (`--where`); calendar_text.c reads what scalar expressions cast. */
#include "expr/own.h"

#include "base/civil.h"
#include "expr/reading.h"

/* Blanks alone: a line break is no part of a literal. */
static void skip_blanks(reading *r)
{
    while (r->p < r->end && *r->p == ' ')
        r->p++;
}

static bool at_end(reading *r)
{
    skip_blanks(r);
    return r->p == r->end;
}

static bool date(reading *r, int64_t *days)
{
    int64_t year, month, day;
    bool negative = take(r, '-');
    char between;

    if (!digits(r, 1, 7, &year) || r->p == r->end)
        return false;
    between = (char)*r->p++;
    if ((between != '-' && between != '/') || !digits(r, 1, 2, &month) || !take(r, between) ||
        !digits(r, 1, 2, &day))
        return false;
    year = negative ? -year : year;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *days = days_of_civil(year, month, day);
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
    skip_blanks(r);
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

bool moment_parse_date(span text, moment *out)
{
    reading r = {text.data, text.data + text.len};
    int64_t days;

    skip_blanks(&r);
    if (!date(&r, &days))
        return false;
    *out = (moment){days * 86400, 0};
    return at_end(&r);
}

bool moment_parse_timestamp(span text, moment *out)
{
    reading r = {text.data, text.data + text.len};
    moment clock = {0, 0};
    int64_t days, offset = 0;

    skip_blanks(&r);
    if (!date(&r, &days))
        return false;
    if (r.p < r.end && (*r.p == 'T' || *r.p == 't' || *r.p == ' ')) {
        r.p++;
        skip_blanks(&r);
        if (r.p < r.end && (!clock_time(&r, false, &clock) || !zone(&r, &offset)))
            return false;
    }
    *out = (moment){days * 86400 + clock.seconds - offset, clock.nanos};
    return at_end(&r);
}

bool moment_parse_time(span text, moment *out)
{
    reading r = {text.data, text.data + text.len};

    skip_blanks(&r);
    return clock_time(&r, true, out) && at_end(&r);
}
