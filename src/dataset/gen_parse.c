/* Definitions of generated columns as users write them. */
#include "base/error.h"
#include "dataset/gen_value.h"

#include <errno.h>
#include <stdlib.h>
#include <strings.h>

/* A whole number, with _ between digits allowed; up to `end`. */
static bool parse_count(const char *s, const char **end, uint64_t *out)
{
    uint64_t v = 0;

    if (*s < '0' || *s > '9')
        return false;
    for (; (*s >= '0' && *s <= '9') || *s == '_'; s++) {
        if (*s == '_')
            continue;
        if (__builtin_mul_overflow(v, 10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(*s - '0'), &v))
            return false;
    }
    *end = s;
    *out = v;
    return true;
}

static nrw_status bad(const char *text, bool range, nrw_error *err)
{
    err_next(err, range ? "--range NAME=COUNT or NAME=COUNT:TYPE, as in id=1000:string"
                        : "--column NAME=TYPE, as in price=decimal(12,2) or note=string:8..40");
    return err_set(err, NRW_E_ARG, "--%s: cannot read \"%s\"", range ? "range" : "column", text);
}

static nrw_status parse_type(const char *text, bool range, const char *name, type *out,
                             nrw_error *err)
{
    nrw_status st = type_parse(name, out, err);

    return st < 0 ? err_wrap(err, st, "--%s %s", range ? "range" : "column", text) : st;
}

static nrw_status parse_range(const char *text, const char *value, gen_column *c, nrw_error *err)
{
    const char *end;

    if (!parse_count(value, &end, &c->range) || c->range == 0)
        return bad(text, true, err);
    c->type = type_of(TYPE_INT64);
    if (*end == ':')
        TRY(parse_type(text, true, end + 1, &c->type, err));
    else if (*end)
        return bad(text, true, err);
    return gen_range_check(c, err);
}

/* TYPE, of text also TYPE:MIN..MAX or TYPE:LENGTH */
static nrw_status parse_value(arena *a, const char *text, const char *value, gen_column *c,
                              nrw_error *err)
{
    const char *colon = strrchr(value, ':'), *end;
    uint64_t min = 4, max = 16;
    char *name;

    if (colon) {
        if (!parse_count(colon + 1, &end, &min))
            return bad(text, false, err);
        max = min;
        if (strncmp(end, "..", 2) == 0 && !parse_count(end + 2, &end, &max))
            return bad(text, false, err);
        if (*end || max < min || max > (64 << 20))
            return bad(text, false, err);
    }
    TRY(arena_strndup(a, value, colon ? (size_t)(colon - value) : strlen(value), &name, err));
    TRY(parse_type(text, false, name, &c->type, err));
    if (colon && !type_is_view(&c->type))
        return bad(text, false, err);
    c->min_length = (uint32_t)min;
    c->max_length = (uint32_t)max;
    return NRW_OK;
}

nrw_status gen_column_parse(arena *a, const char *text, bool range, gen_column *out, nrw_error *err)
{
    const char *eq = strchr(text, '=');
    char *name;

    *out = (gen_column){0};
    if (!eq || eq == text)
        return bad(text, range, err);
    TRY(arena_strndup(a, text, (size_t)(eq - text), &name, err));
    out->name = name;
    return range ? parse_range(text, eq + 1, out, err) : parse_value(a, text, eq + 1, out, err);
}

nrw_status gen_nulls_parse(gen_column *columns, uint32_t n, const char *text, nrw_error *err)
{
    const char *eq = strrchr(text, '='), *value = eq ? eq + 1 : text;
    size_t len = eq ? (size_t)(eq - text) : 0;
    char *end;
    double p;
    bool found = false;

    errno = 0;
    p = strtod(value, &end);
    if (end == value || errno)
        end = "?";
    if (*end == '%') {
        p /= 100;
        end++;
    }
    if (*end || !(p >= 0 && p <= 1)) {
        err_next(err, "a share from 0 to 1 or a percentage, as in --nulls 0.05 or --nulls id=5%%");
        return err_set(err, NRW_E_ARG, "--nulls: cannot read \"%s\"", text);
    }
    for (uint32_t i = 0; i < n; i++) {
        if (eq && (strlen(columns[i].name) != len || memcmp(columns[i].name, text, len) != 0))
            continue;
        columns[i].nulls = p;
        found = true;
    }
    if (!found)
        return err_set(err, NRW_E_ARG, "--nulls: there is no column %.*s", (int)len, text);
    return NRW_OK;
}
