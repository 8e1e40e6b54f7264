#include "base/text.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const binary_units[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
static const char *const decimal_units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};

/* The exponent in front of a unit's letters: 0 for bytes, 1 for K ... 6 for E; -1 if unknown. */
static int unit_exponent(char c)
{
    static const char letters[] = "BKMGTPE";
    const char *at = c ? strchr(letters, toupper((unsigned char)c)) : letters;

    return at ? (int)(at - letters) : -1;
}

/* The factor of a unit; 0 where it is none. */
static double unit_factor(const char *unit)
{
    int exp = unit_exponent(unit[0]);
    const char *rest = unit[0] ? unit + 1 : unit;

    if (exp < 0)
        return 0;
    if (exp == 0)
        return *rest ? 0 : 1;
    if (!*rest || !strcasecmp(rest, "iB"))
        return ldexp(1, 10 * exp);
    return strcasecmp(rest, "B") ? 0 : pow(1000, exp);
}

static nrw_status bad_size(const char *text, const char *what, nrw_error *err)
{
    return err_set(err, NRW_E_ARG, "%s: '%.60s' is no size such as 64MiB or 1.5GB", what, text);
}

nrw_status text_parse_size(const char *text, uint64_t whole, const char *what, uint64_t *out,
                           nrw_error *err)
{
    char *end;
    double number, factor;

    *out = 0;
    /* strtod would also take "inf", "nan", "0x10" and "-1" */
    if (!isdigit((unsigned char)text[0]) || tolower((unsigned char)text[1]) == 'x')
        return bad_size(text, what, err);
    number = strtod(text, &end);
    while (*end == ' ')
        end++;
    if (!strcmp(end, "%")) {
        if (!whole || number > 100)
            return bad_size(text, what, err);
        factor = (double)whole / 100;
    } else {
        factor = unit_factor(end);
    }
    if (factor == 0)
        return bad_size(text, what, err);
    errno = 0;
    if (factor == 1 && !strpbrk(text, ".eE"))
        *out = strtoull(text, NULL, 10); /* a double would round */
    else if (number * factor < 0x1p64)
        *out = (uint64_t)(number * factor);
    else
        errno = ERANGE;
    if (errno) {
        *out = 0;
        return err_set(err, NRW_E_ARG, "%s: '%.60s' is too large", what, text);
    }
    return NRW_OK;
}

/* Two digits at least, one behind the point where the value is small or not whole. */
static int print_scaled(char *out, size_t cap, double v)
{
    bool whole = v >= 99.95 || (v >= 10 && fabs(v - floor(v + 0.5)) < 1e-9);

    return snprintf(out, cap, "%.*f", whole ? 0 : 1, v);
}

static int unit_of(uint64_t bytes, double step)
{
    int unit = 0;
    double v = (double)bytes;

    while (unit < 6 && v >= step - 0.5) {
        v /= step;
        unit++;
    }
    return unit;
}

static const char *print_size(uint64_t bytes, double step, const char *const *units, char *buf)
{
    int unit = unit_of(bytes, step), n;

    if (unit == 0) {
        snprintf(buf, TEXT_NUMBER, "%u %s", (unsigned)bytes, bytes == 1 ? "byte" : "bytes");
        return buf;
    }
    n = print_scaled(buf, TEXT_NUMBER, (double)bytes / pow(step, unit));
    snprintf(buf + n, TEXT_NUMBER - (size_t)n, " %s", units[unit]);
    return buf;
}

const char *text_size(uint64_t bytes, char buf[TEXT_NUMBER])
{
    return print_size(bytes, 1024, binary_units, buf);
}

const char *text_size10(uint64_t bytes, char buf[TEXT_NUMBER])
{
    return print_size(bytes, 1000, decimal_units, buf);
}

const char *text_size_of(uint64_t used, uint64_t limit, char buf[2 * TEXT_NUMBER])
{
    int unit = unit_of(limit, 1024), n;
    char end[TEXT_NUMBER];

    text_size(limit, end);
    if (unit == 0) {
        snprintf(buf, 2 * (size_t)TEXT_NUMBER, "%u of %s", (unsigned)used, end);
    } else if (used && ldexp((double)used, -10 * unit) < 0.1) {
        text_size(used, buf);
        n = (int)strlen(buf);
        snprintf(buf + n, 2 * (size_t)TEXT_NUMBER - (size_t)n, " of %s", end);
    } else {
        n = print_scaled(buf, TEXT_NUMBER, ldexp((double)used, -10 * unit));
        snprintf(buf + n, 2 * (size_t)TEXT_NUMBER - (size_t)n, " of %s", end);
    }
    return buf;
}

const char *text_size_option(uint64_t bytes, char buf[TEXT_NUMBER])
{
    bool small = bytes < (1 << 20);
    uint64_t unit = small ? 1 << 10 : 1 << 20;

    snprintf(buf, TEXT_NUMBER, "%llu%s", (unsigned long long)(bytes / unit + (bytes % unit != 0)),
             small ? "KiB" : "MiB");
    return buf;
}

const char *text_group(uint64_t n, char buf[TEXT_NUMBER])
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n), out = 0;

    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            buf[out++] = ',';
        buf[out++] = digits[i];
    }
    buf[out] = '\0';
    return buf;
}
