#include "expr/calendar.h"

int64_t iso_year_of(int64_t day, int64_t *week)
{
    int64_t thursday = monday_of(day) + 3, year = civil_of_days(thursday).year;

    *week = (thursday - days_of_civil(year, 1, 1)) / 7 + 1;
    return year;
}

bool day_at(const vector *v, uint32_t row, int64_t *day)
{
    const uint8_t *p = v->data + (size_t)row * v->type.width;
    int64_t us, in_day;

    if (v->type.id == TYPE_DATE) {
        *day = (int32_t)load_u32(p);
        return !is_infinite_date((int32_t)*day);
    }
    us = (int64_t)load_u64(p);
    *day = day_of_us(us, &in_day);
    return !is_infinite_time(us);
}

bool us_of_date(int32_t days, int64_t *out)
{
    if (is_infinite_date(days)) {
        *out = days > 0 ? TIME_INFINITE : -TIME_INFINITE;
        return true;
    }
    return !__builtin_mul_overflow((int64_t)days, US_PER_DAY, out) && *out >= US_LEAST;
}

bool convert_unit(int64_t x, time_unit from, time_unit to, int64_t *out)
{
    int64_t have = units_per_second(from), want = units_per_second(to), by, half;

    *out = x;
    if (is_infinite_time(x) || have == want)
        return true;
    if (want > have)
        return !__builtin_mul_overflow(x, want / have, out) && !is_infinite_time(*out);
    by = have / want;
    half = by / 2;
    *out = x < 0 ? -(x / -by + (-(x % by) >= half)) : x / by + (x % by >= half);
    return true;
}

static bool add_months(int64_t days, int32_t months, int64_t *out)
{
    civil c = civil_of_days(days);
    int64_t at = c.year * 12 + c.month - 1 + months;
    int64_t year = floor_div(at, 12), month = at - year * 12 + 1;
    int32_t most = days_in_month(year, month);

    *out = months ? days_of_civil(year, month, c.day < most ? c.day : most) : days;
    return *out > -(int64_t)DATE_INFINITE && *out < DATE_INFINITE;
}

bool add_to_date(int32_t days, interval i, int64_t *us)
{
    int64_t start;

    return us_of_date(days, &start) && add_to_us(start, i, us);
}

bool add_to_us(int64_t us, interval i, int64_t *out)
{
    int64_t in_day, day;
    i128 total;

    *out = us;
    if (is_infinite_time(us))
        return true;
    day = day_of_us(us, &in_day);
    if (!add_months(day, i.months, &day))
        return false;
    total = ((i128)day + i.days) * US_PER_DAY + in_day + i.us;
    *out = (int64_t)total;
    return total >= US_LEAST && total < TIME_INFINITE;
}
