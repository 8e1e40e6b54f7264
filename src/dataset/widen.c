#include "dataset/widen.h"

static bool is_integer(const type *t)
{
    return t->id >= TYPE_INT8 && t->id <= TYPE_UINT64 && t->id != TYPE_INT128;
}

static bool is_signed(const type *t)
{
    return t->id <= TYPE_INT64;
}

static bool is_float(const type *t)
{
    return t->id >= TYPE_FLOAT16 && t->id <= TYPE_FLOAT64;
}

static bool is_string(const type *t)
{
    return t->id == TYPE_UTF8 || t->id == TYPE_JSON || t->id == TYPE_ENUM;
}

/* Decimal digits that an integer type may need. */
static int digits_of(const type *t)
{
    switch (t->width) {
    case 1: return 3;
    case 2: return 5;
    case 4: return 10;
    default: return is_signed(t) ? 19 : 20;
    }
}

static bool integers(const type *x, const type *y, type *out)
{
    static const type_id wider[] = {
        [1] = TYPE_INT16, [2] = TYPE_INT32, [4] = TYPE_INT64, [8] = TYPE_DECIMAL};

    if (is_signed(x) == is_signed(y)) {
        *out = x->width > y->width ? *x : *y;
        return true;
    }
    if (is_signed(y)) {
        const type *swap = x;
        x = y;
        y = swap;
    }
    if (x->width > y->width)
        *out = *x;
    else
        *out = y->width == 8 ? type_decimal(20, 0) : type_of(wider[y->width]);
    return true;
}

/* Integers count as decimals without a scale. Beyond 38 digits casts are not exact any more. */
static bool decimals(const type *x, const type *y, type *out)
{
    int px = x->id == TYPE_DECIMAL ? x->precision : digits_of(x);
    int py = y->id == TYPE_DECIMAL ? y->precision : digits_of(y);
    int sx = x->id == TYPE_DECIMAL ? x->scale : 0, sy = y->id == TYPE_DECIMAL ? y->scale : 0;
    int scale = sx > sy ? sx : sy, whole = px - sx > py - sy ? px - sx : py - sy;

    if (whole + scale > 38)
        return false;
    *out = type_decimal(whole + scale, scale);
    return true;
}

/* Floats, and integers of no more bits than a significand: 11, 24, 53. */
static bool floats(const type *x, const type *y, type *out)
{
    if (is_float(x) && is_float(y)) {
        *out = x->width > y->width ? *x : *y;
        return true;
    }
    if (is_float(y)) {
        const type *swap = x;
        x = y;
        y = swap;
    }
    if (!is_integer(y) || y->width > 4)
        return false;
    *out = x->id == TYPE_FLOAT64 || y->width == 4 ? type_of(TYPE_FLOAT64) : type_of(TYPE_FLOAT32);
    return true;
}

/* Units come from coarse to fine. */
static bool moments(const type *x, const type *y, type *out)
{
    if (x->id != y->id || x->utc != y->utc)
        return false;
    *out = x->unit > y->unit ? *x : *y;
    return true;
}

static int32_t child_named(const type *t, const char *name)
{
    for (uint32_t i = 0; i < t->n_children; i++)
        if (strcmp(t->children[i].name, name) == 0)
            return (int32_t)i;
    return -1;
}

static nrw_status child(arena *a, const field *x, const field *y, field *out, bool *wide,
                        nrw_error *err)
{
    *out = *x;
    out->nullable |= y->nullable;
    if (!type_equal(&x->type, &y->type))
        out->note = NULL;
    return type_widen(a, &x->type, &y->type, &out->type, wide, err);
}

/* Lists and maps: child by child. */
static nrw_status children(arena *a, const type *x, const type *y, type *out, bool *wide,
                           nrw_error *err)
{
    field *all;

    TRY(arena_alloc(a, x->n_children * sizeof *all, (void **)&all, err));
    for (uint32_t i = 0; i < x->n_children && *wide; i++)
        TRY(child(a, &x->children[i], &y->children[i], &all[i], wide, err));
    *out = type_nested(x->id, all, x->n_children);
    return NRW_OK;
}

/* Fields by name: those of x, then what y has beside them. */
static nrw_status structs(arena *a, const type *x, const type *y, type *out, bool *wide,
                          nrw_error *err)
{
    uint32_t n = x->n_children;
    field *all;

    TRY(arena_alloc(a, (x->n_children + y->n_children + 1) * sizeof *all, (void **)&all, err));
    for (uint32_t i = 0; i < n && *wide; i++) {
        int32_t at = child_named(y, x->children[i].name);
        all[i] = x->children[i];
        all[i].nullable |= at < 0;
        if (at >= 0)
            TRY(child(a, &x->children[i], &y->children[at], &all[i], wide, err));
    }
    for (uint32_t i = 0; i < y->n_children; i++) {
        if (child_named(x, y->children[i].name) >= 0)
            continue;
        all[n] = y->children[i];
        all[n++].nullable = true;
    }
    *out = type_nested(TYPE_STRUCT, all, n);
    return NRW_OK;
}

static bool plain(const type *x, const type *y, type *out)
{
    if (is_integer(x) && is_integer(y))
        return integers(x, y, out);
    if ((x->id == TYPE_DECIMAL || is_integer(x)) && (y->id == TYPE_DECIMAL || is_integer(y)))
        return decimals(x, y, out);
    if (is_float(x) || is_float(y))
        return floats(x, y, out);
    if (is_string(x) && is_string(y)) {
        *out = type_of(TYPE_UTF8);
        return true;
    }
    return (x->id == TYPE_TIME || x->id == TYPE_TIMESTAMP) && moments(x, y, out);
}

nrw_status type_widen(arena *a, const type *x, const type *y, type *out, bool *wide, nrw_error *err)
{
    *wide = true;
    *out = *x;
    if (type_equal(x, y) || y->id == TYPE_NULL)
        return NRW_OK;
    if (x->id == TYPE_NULL) {
        *out = *y;
        return NRW_OK;
    }
    if (x->id == y->id && (x->id == TYPE_LIST || x->id == TYPE_MAP))
        return children(a, x, y, out, wide, err);
    if (x->id == y->id && x->id == TYPE_STRUCT)
        return structs(a, x, y, out, wide, err);
    *wide = plain(x, y, out);
    return NRW_OK;
}
