/* Numbers of bytes as people write them and bars. */
#include "base/utf8.h"
#include "expr/cast_own.h"
#include "expr/function_sets.h"
#include "expr/text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

/* ---- sizes ---- */

static nrw_status put_size(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                           nrw_error *err)
{
    static const char *const units[2][5] = {{"KiB", "MiB", "GiB", "TiB", "PiB"},
                                            {"kB", "MB", "GB", "TB", "PB"}};
    bool decimal = strstr(e->f->name, "decimal") != NULL;
    const uint64_t step = decimal ? 1000 : 1024;
    int64_t x = BIG(0);
    uint64_t size = x < 0 ? 0 - (uint64_t)x : (uint64_t)x, unit = 1;
    char text[48];
    int k = -1, n;

    for (; k < 4 && size / unit >= step; k++)
        unit *= step;
    if (k < 0)
        n = snprintf(text, sizeof text, "%s%llu byte%s", x < 0 ? "-" : "", (unsigned long long)size,
                     size == 1 ? "" : "s");
    else /* tenths are cut off */
        n = snprintf(text, sizeof text, "%s%llu.%u %s", x < 0 ? "-" : "",
                     (unsigned long long)(size / unit), (unsigned)((u128)(size % unit) * 10 / unit),
                     units[decimal][k]);
    return text_put(t, i, text, (size_t)n, err);
}
PUT_FUNCTION(size_eval, put_size)

static bool parse_size(span s, uint64_t *out)
{
    static const struct {
        const char *name;
        double by;
    } units[] = {{"", 1},         {"b", 1},        {"byte", 1},     {"bytes", 1},
                 {"kb", 1e3},     {"mb", 1e6},     {"gb", 1e9},     {"tb", 1e12},
                 {"kib", 0x1p10}, {"mib", 0x1p20}, {"gib", 0x1p30}, {"tib", 0x1p40}};
    double x;
    size_t n = 0, end;

    s = trim_blanks(s);
    while (n < s.len && (isdigit(s.data[n]) || s.data[n] == '.' ||
                         ((s.data[n] | 32) == 'e' && n + 1 < s.len && isdigit(s.data[n + 1]))))
        n++;
    end = n;
    while (end < s.len && isspace(s.data[end]))
        end++;
    if (!parse_double((span){s.data, n}, &x))
        return false;
    for (size_t k = 0; k < sizeof units / sizeof *units; k++) {
        if (!span_is_word(text_from(s, end), units[k].name))
            continue;
        x *= units[k].by;
        *out = x >= 0 && x < 0x1p64 ? (uint64_t)x : 0;
        return x >= 0 && x < 0x1p64;
    }
    return false;
}

static nrw_status parse_size_eval(const expr *e, const scalar_args *args, vector *out,
                                  nrw_error *err)
{
    for (uint32_t i = 0; i < args->rows; i++)
        if (row_valid(out, i) && !parse_size(TEXT(0), &OUT(uint64_t, out)[i]))
            return err_set(err, NRW_E_VALUE, "%s: '%.*s' is no number of bytes", e->f->name,
                           (int)size_min(TEXT(0).len, 40), (const char *)TEXT(0).data);
    return NRW_OK;
}

/* ---- bars: blocks, the last one in eighths ---- */

static nrw_status put_bar(const expr *e, const scalar_args *args, uint32_t i, text_out *t,
                          nrw_error *err)
{
    double x = ARG(double, args, 0)[ROW(args, 0, i)], least = ARG(double, args, 1)[ROW(args, 1, i)];
    double most = ARG(double, args, 2)[ROW(args, 2, i)];
    double width = args->n > 3 ? ARG(double, args, 3)[ROW(args, 3, i)] : 80, filled;
    uint8_t *at;
    size_t n = 0;
    uint32_t eighths;

    (void)e;
    if (!(width >= 1 && width <= 1000))
        return err_set(err, NRW_E_VALUE, "bar: a width is 1 to 1000");
    if (isnan(x) || isnan(least) || isnan(most) || x <= least)
        filled = 0;
    else if (x >= most)
        filled = width;
    else
        filled = width * (x - least) / (most - least);
    if (!isfinite(filled))
        return err_set(err, NRW_E_VALUE, "bar: the borders are not finite");
    eighths = (uint32_t)(filled * 8);
    TRY(text_room(t, ((size_t)eighths / 8 + 1) * 3 + (size_t)width + 1, &at, err));
    for (uint32_t k = 0; k < eighths / 8; k++)
        n += utf8_put(0x2588, at + n);
    if (eighths % 8)
        n += utf8_put(0x2590 - eighths % 8, at + n);
    while (text_chars((span){at, n}) < (size_t)width)
        at[n++] = ' ';
    text_done(t, i, n);
    return NRW_OK;
}
PUT_FUNCTION(bar_eval, put_bar)

static const function rows[] = {
    {"format_bytes", "8", "s", size_eval, 0, NULL},
    {"formatreadablesize", "8", "s", size_eval, 0, NULL},
    {"formatreadabledecimalsize", "8", "s", size_eval, 0, NULL},
    {"parse_formatted_bytes", "s", "D", parse_size_eval, FAILS, NULL},
    {"bar", "dddd?", "s", bar_eval, FAILS, NULL},
};

const function_set functions_size = FUNCTION_SET(rows);
