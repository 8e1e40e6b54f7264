/* Days since 1970-01-01 and the dates they are: the proleptic Gregorian calendar, with a year 0. */
#ifndef BASE_CIVIL_H
#define BASE_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct civil {
    int64_t year;
    int32_t month, day; /* from 1 */
} civil;

/* a / b, rounded down. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}

int64_t days_of_civil(int64_t year, int64_t month, int64_t day);
civil civil_of_days(int64_t days);
bool is_leap_year(int64_t year);
/* month from 1 to 12. */
int32_t days_in_month(int64_t year, int64_t month);

#endif
