/* The names of units and parts of time. */
#include "expr/calendar.h"

const char *const month_names[12] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};
const char *const day_names[7] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                  "Thursday", "Friday", "Saturday"};

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
        if (span_is_word(name, unit_names[i].name)) {
            *out = unit_names[i].unit;
            return true;
        }
    return false;
}
