/* Moments, intervals and their parts: arithmetic, text, names. Dates are base/civil.h's. */
#ifndef EXPR_CALENDAR_H
#define EXPR_CALENDAR_H

#include "base/civil.h"
#include "expr/function.h"

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_HOUR   (3600 * US_PER_SECOND)
#define US_PER_DAY    (86400 * US_PER_SECOND)

/* Days and microseconds that stand for infinity; the negative of it too. */
#define DATE_INFINITE INT32_MAX
#define TIME_INFINITE INT64_MAX
/* The first day that timestamps in microseconds reach: all of it. */
#define US_LEAST (-106751991 * US_PER_DAY)

typedef struct interval {
    int32_t months, days;
    int64_t us;
} interval;

static inline bool is_infinite_date(int32_t d)
{
    return d == DATE_INFINITE || d == -DATE_INFINITE;
}
static inline bool is_infinite_time(int64_t x)
{
    return x == TIME_INFINITE || x == -TIME_INFINITE;
}

/* Monday of the week that holds the day. */
static inline int64_t monday_of(int64_t day)
{
    return floor_div(day + 3, 7) * 7 - 3;
}
/* 0 for Sunday. */
static inline int64_t weekday_of(int64_t day)
{
    return (day - monday_of(day) + 1) % 7;
}
/* The year to which the ISO week of a day belongs, and the number of that week. */
int64_t iso_year_of(int64_t day, int64_t *week);

/* The day of row `row` of a flat vector of dates or of timestamps in microseconds; false where it
 * is infinite. */
bool day_at(const vector *v, uint32_t row, int64_t *day);

/* A day as microseconds; false beyond what they reach. */
bool us_of_date(int32_t days, int64_t *out);
/* Microseconds split into a day and the time in it; never of infinities. */
static inline int64_t day_of_us(int64_t us, int64_t *in_day)
{
    int64_t day = floor_div(us, US_PER_DAY);
    *in_day = us - day * US_PER_DAY;
    return day;
}
/* From one unit to another: finer is exact or false, coarser goes to the nearest. */
bool convert_unit(int64_t x, time_unit from, time_unit to, int64_t *out);

/* x + i: months first (the last day of the month where it is shorter), then days, then time. */
bool add_to_date(int32_t days, interval i, int64_t *us);
bool add_to_us(int64_t us, interval i, int64_t *out);

/* ---- text (calendar_text.c) ---- */

bool parse_date(span s, int32_t *out);
/* A moment in `unit`; `zoned`: an offset behind it is taken off, else it is passed over. */
bool parse_timestamp(span s, time_unit unit, bool zoned, int64_t *out);
bool parse_time(span s, time_unit unit, int64_t *out);
bool parse_interval(span s, interval *out);

/* Parts of dates by the names that date_part, date_trunc and INTERVAL know. */
typedef enum date_unit {
    DATE_YEAR,
    DATE_MONTH,
    DATE_DAY,
    DATE_DECADE,
    DATE_CENTURY,
    DATE_MILLENNIUM,
    DATE_QUARTER,
    DATE_WEEK,
    DATE_YEARWEEK,
    DATE_ISOYEAR,
    DATE_DOW,
    DATE_ISODOW,
    DATE_DOY,
    DATE_ERA,
    DATE_EPOCH,
    DATE_JULIAN,
    DATE_HOUR,
    DATE_MINUTE,
    DATE_SECOND,
    DATE_MILLISECOND,
    DATE_MICROSECOND,
    DATE_NANOSECOND,
    DATE_TIMEZONE,
    DATE_TIMEZONE_HOUR,
    DATE_TIMEZONE_MINUTE
} date_unit;
bool date_unit_of(span name, date_unit *out);
extern const char *const month_names[12];
extern const char *const day_names[7]; /* from Sunday */

#endif
