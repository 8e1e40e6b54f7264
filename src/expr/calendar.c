#include "expr/calendar.h"

int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

/* Eras of 400 years begin on 1 March 0000, so that the leap day is the last day of its year. */
int64_t days_of_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, 400), of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

civil civil_of_days(int64_t days)
{
    int64_t z = days + 719468, era = floor_div(z, 146097), of_era = z - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;

    return (civil){era * 400 + y + (m >= 10), (int32_t)(m < 10 ? m + 3 : m - 9),
                   (int32_t)(of_year - (153 * m + 2) / 5 + 1)};
}

bool is_leap_year(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t days_in_month(int64_t year, int64_t month)
{
    static const int32_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return lengths[month - 1] + (month == 2 && is_leap_year(year));
}

int64_t units_per_second(time_unit unit)
{
    switch (unit) {
    case UNIT_S: return 1;
    case UNIT_MS: return 1000;
    case UNIT_NS: return 1000000000;
    default: return 1000000;
    }
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
