/* Which types go to which without being asked, and what two of them have in common. */
#include "expr/function.h"

bool type_is_integer(const type *t)
{
    return t->id >= TYPE_INT8 && t->id <= TYPE_UINT128;
}

bool type_is_signed(const type *t)
{
    return t->id >= TYPE_INT8 && t->id <= TYPE_INT128;
}

bool type_is_float(const type *t)
{
    return t->id >= TYPE_FLOAT16 && t->id <= TYPE_FLOAT64;
}

bool type_is_numeric(const type *t)
{
    return t->id >= TYPE_INT8 && t->id <= TYPE_DECIMAL;
}

bool type_is_text(const type *t)
{
    return t->id == TYPE_UTF8 || t->id == TYPE_ENUM || t->id == TYPE_JSON;
}

bool type_of_letter(char c, type *out)
{
    switch (c) {
    case 'b': *out = type_of(TYPE_BOOL); return true;
    case '1': *out = type_of(TYPE_INT8); return true;
    case '2': *out = type_of(TYPE_INT16); return true;
    case '4': *out = type_of(TYPE_INT32); return true;
    case '8': *out = type_of(TYPE_INT64); return true;
    case 'h': *out = type_of(TYPE_INT128); return true;
    case 'A': *out = type_of(TYPE_UINT8); return true;
    case 'B': *out = type_of(TYPE_UINT16); return true;
    case 'C': *out = type_of(TYPE_UINT32); return true;
    case 'D': *out = type_of(TYPE_UINT64); return true;
    case 'H': *out = type_of(TYPE_UINT128); return true;
    case 'f': *out = type_of(TYPE_FLOAT32); return true;
    case 'd': *out = type_of(TYPE_FLOAT64); return true;
    case 's': *out = type_of(TYPE_UTF8); return true;
    case 'x': *out = type_of(TYPE_BINARY); return true;
    case 'u': *out = type_of(TYPE_UUID); return true;
    case 'j': *out = type_of(TYPE_JSON); return true;
    case 't': *out = type_of(TYPE_DATE); return true;
    case 'c': *out = type_time(UNIT_US, false); return true;
    case 'k': *out = type_time(UNIT_NS, false); return true;
    case 'z': *out = type_time(UNIT_US, true); return true;
    case 'S': *out = type_timestamp(UNIT_US, false); return true;
    case 'N': *out = type_timestamp(UNIT_NS, false); return true;
    case 'M': *out = type_timestamp(UNIT_MS, false); return true;
    case 'E': *out = type_timestamp(UNIT_S, false); return true;
    case 'Z': *out = type_timestamp(UNIT_US, true); return true;
    case 'i': *out = type_interval(UNIT_US); return true;
    default: return false;
    }
}

int integer_digits10(const type *t)
{
    switch (t->id) {
    case TYPE_BOOL: return 1;
    case TYPE_INT8:
    case TYPE_UINT8: return 3;
    case TYPE_INT16:
    case TYPE_UINT16: return 5;
    case TYPE_INT32:
    case TYPE_UINT32: return 10;
    case TYPE_INT64: return 19;
    case TYPE_UINT64: return 20;
    default: return 38;
    }
}

type decimal_of(const type *t)
{
    return t->id == TYPE_DECIMAL ? *t : type_decimal(integer_digits10(t), 0);
}

type decimal_common(const type *x, const type *y)
{
    type a = decimal_of(x), b = decimal_of(y);
    int scale = a.scale > b.scale ? a.scale : b.scale;
    int whole = a.precision - a.scale > b.precision - b.scale ? a.precision - a.scale
                                                              : b.precision - b.scale;
    int most = a.precision > 38 || b.precision > 38 ? 76 : 38;

    return type_decimal(whole + scale > most ? most : whole + scale, scale);
}

/* Of two decimals that need more than 38 digits together, those in front count more. */
static type decimals_mixed(const type *x, const type *y)
{
    type t = decimal_common(x, y);
    int p = x->precision - x->scale, q = y->precision - y->scale, whole = p > q ? p : q;

    if (x->id == TYPE_DECIMAL && y->id == TYPE_DECIMAL && whole + t.scale > t.precision)
        t.scale = (int8_t)(t.precision - whole);
    return t;
}

/* How dear a cast to this type is: less is preferred. */
static uint32_t target_cost(const type *t)
{
    switch (t->id) {
    case TYPE_INT64: return 101;
    case TYPE_INT32: return 102;
    case TYPE_INT128: return 103;
    case TYPE_FLOAT64: return 104;
    case TYPE_DECIMAL: return 105;
    case TYPE_TIMESTAMP:
        return t->utc ? 121 : t->unit == UNIT_NS ? 119 : t->unit == UNIT_US ? 120 : 122;
    case TYPE_UTF8: return 149;
    case TYPE_LIST:
    case TYPE_STRUCT:
    case TYPE_MAP: return 160;
    default: return 110;
    }
}

static bool integer_widens(const type *from, const type *to)
{
    if (!type_is_integer(from) || !type_is_integer(to))
        return false;
    if (type_is_signed(from) == type_is_signed(to))
        return to->width > from->width;
    return type_is_signed(to) && to->width > from->width;
}

static bool moment_widens(const type *from, const type *to)
{
    if (to->id != TYPE_TIMESTAMP)
        return false;
    if (from->id == TYPE_DATE)
        return true;
    if (from->id != TYPE_TIMESTAMP)
        return false;
    if (from->utc || to->utc)
        return from->utc == to->utc ? from->unit <= to->unit : to->utc && from->unit != UNIT_NS;
    /* what is coarser is exact; microseconds are also what all functions know */
    return to->unit > from->unit || to->unit == UNIT_US;
}

/* From a type to another, whatever the expression. */
static bool widens(const type *from, const type *to, uint32_t *distance)
{
    *distance = target_cost(to);
    if (type_equal(from, to)) {
        *distance = 0;
        return true;
    }
    if (from->id == TYPE_NULL)
        return true;
    if (integer_widens(from, to))
        return true;
    if (type_is_float(to) && type_is_numeric(from))
        return !type_is_float(from) || to->width > from->width;
    if (to->id == TYPE_DECIMAL)
        return type_is_integer(from) || from->id == TYPE_DECIMAL;
    if (moment_widens(from, to))
        return true;
    if (to->id == TYPE_INTERVAL && from->id == TYPE_INTERVAL)
        return to->unit == UNIT_US;
    if (to->id == TYPE_TIME && from->id == TYPE_TIME)
        return from->utc == to->utc && from->unit < to->unit;
    if (to->id == TYPE_UTF8)
        return from->id == TYPE_ENUM || from->id == TYPE_JSON;
    if (to->id == TYPE_BINARY)
        return from->id == TYPE_FIXED || from->id == TYPE_BSON;
    if (to->id == TYPE_LIST && from->id == TYPE_LIST)
        return widens(&from->children[0].type, &to->children[0].type, distance);
    return false;
}

/* Whether an integer literal, which lies in INT32 or wider, is a value of t. */
static bool literal_fits(const expr *e, const type *t)
{
    i128 x = 0;
    const uint8_t *p = e->constant->data;
    uint32_t bits = 8 * t->width;

    if (!type_is_integer(t) || e->type.id == TYPE_UINT128)
        return false;
    if (e->type.width == 4)
        x = (int32_t)load_u32(p);
    else if (e->type.width == 8)
        x = (int64_t)load_u64(p);
    else
        memcpy(&x, p, sizeof x);
    if (!type_is_signed(t))
        return x >= 0 && (bits == 128 || x <= (((i128)1 << bits) - 1));
    return bits == 128 || (x >= -((i128)1 << (bits - 1)) && x < (i128)1 << (bits - 1));
}

bool type_casts(const expr *from, const type *to, uint32_t *distance)
{
    *distance = 0;
    if (from->bend == BEND_STRING) {
        *distance = to->id == TYPE_UTF8 ? 1 : to->id == TYPE_DECIMAL ? 300 : 20;
        return true;
    }
    if (from->bend == BEND_NULL) {
        *distance = target_cost(to);
        return true;
    }
    if (from->bend == BEND_INTEGER && !type_equal(&from->type, to) && literal_fits(from, to)) {
        *distance = target_cost(to) - 90;
        return true;
    }
    return widens(&from->type, to, distance);
}

/* ---- what two have in common ---- */

static type integer_common(const type *x, const type *y)
{
    static const type_id wider[] = {TYPE_INT16, TYPE_INT32, TYPE_INT64, TYPE_INT128};
    const type *u = type_is_signed(x) ? y : x, *s = type_is_signed(x) ? x : y;
    uint32_t step = 0;

    if (type_is_signed(x) == type_is_signed(y))
        return x->width >= y->width ? *x : *y;
    if (s->width > u->width)
        return *s;
    if (s->width == 16 && u->width == 16)
        return type_of(TYPE_FLOAT64);
    for (uint32_t w = 1; w < (u->width == 16 ? s->width : u->width); w *= 2)
        step++;
    return type_of(wider[step]);
}

static bool numeric_common(const type *x, const type *y, type *out)
{
    if (type_is_float(x) || type_is_float(y)) {
        bool wide = x->id == TYPE_FLOAT64 || y->id == TYPE_FLOAT64;
        *out = type_of(wide ? TYPE_FLOAT64 : TYPE_FLOAT32);
    } else if (x->id == TYPE_DECIMAL || y->id == TYPE_DECIMAL) {
        *out = decimals_mixed(x, y);
    } else {
        *out = integer_common(x, y);
    }
    return true;
}

static bool timestamp_common(const type *x, const type *y, type *out)
{
    uint32_t far;

    if (x->id == TYPE_DATE || y->id == TYPE_DATE) {
        *out = x->id == TYPE_DATE ? *y : *x;
        return out->id == TYPE_TIMESTAMP || out->id == TYPE_DATE;
    }
    if (x->id != TYPE_TIMESTAMP || y->id != TYPE_TIMESTAMP)
        return false;
    *out = x->utc != y->utc ? (x->utc ? *x : *y) : x->unit >= y->unit ? *x : *y;
    return widens(x, out, &far) && widens(y, out, &far);
}

static nrw_status types_common(arena *a, const type *x, const type *y, type *out, bool *there,
                               nrw_error *err);

static nrw_status children_common(arena *a, const type *x, const type *y, type *out, bool *there,
                                  nrw_error *err)
{
    void *p;
    field *f;

    *there = x->id == y->id && x->n_children == y->n_children;
    if (!*there)
        return NRW_OK;
    TRY(arena_alloc(a, (x->n_children + 1) * sizeof(field), &p, err));
    f = p;
    for (uint32_t i = 0; i < x->n_children; i++) {
        f[i] = x->children[i];
        f[i].nullable |= y->children[i].nullable;
        if (x->id == TYPE_STRUCT && strcmp(f[i].name, y->children[i].name) != 0)
            *there = false;
        if (*there)
            TRY(types_common(a, &x->children[i].type, &y->children[i].type, &f[i].type, there,
                             err));
    }
    *out = type_nested(x->id, f, x->n_children);
    return NRW_OK;
}

static nrw_status types_common(arena *a, const type *x, const type *y, type *out, bool *there,
                               nrw_error *err)
{
    uint32_t far;

    *there = true;
    *out = *x;
    if (type_equal(x, y) || y->id == TYPE_NULL)
        return NRW_OK;
    *out = *y;
    if (x->id == TYPE_NULL)
        return NRW_OK;
    if (type_is_nested(x) || type_is_nested(y))
        return children_common(a, x, y, out, there, err);
    if (type_is_numeric(x) && type_is_numeric(y))
        *there = numeric_common(x, y, out);
    else if (x->id == TYPE_BOOL && type_is_integer(y))
        *out = *y;
    else if (y->id == TYPE_BOOL && type_is_integer(x))
        *out = *x;
    else if (!(*there = timestamp_common(x, y, out))) {
        *there = true;
        if (widens(x, y, &far))
            *out = *y;
        else if (widens(y, x, &far))
            *out = *x;
        else
            *there = false;
    }
    return NRW_OK;
}

static nrw_status no_common(const expr *x, const expr *y, nrw_error *err)
{
    char a[80], b[80];

    type_print(&x->type, a, sizeof a);
    type_print(&y->type, b, sizeof b);
    return bind_fail(err, "%s and %s have no type in common", a, b);
}

/* Literals take the type of what they meet. */
static bool bends(const expr *x, const expr *y, type *out)
{
    *out = y->type;
    if (x->bend == BEND_NULL)
        return true;
    if (x->bend == BEND_STRING && y->bend != BEND_STRING && y->type.id != TYPE_NULL)
        return true;
    return x->bend == BEND_INTEGER && y->bend != BEND_INTEGER && literal_fits(x, &y->type);
}

nrw_status type_common(arena *a, const expr *x, const expr *y, type *out, nrw_error *err)
{
    bool there;

    if (bends(x, y, out) || bends(y, x, out))
        return NRW_OK;
    TRY(types_common(a, &x->type, &y->type, out, &there, err));
    return there ? NRW_OK : no_common(x, y, err);
}

nrw_status type_compared(arena *a, const expr *x, const expr *y, type *out, nrw_error *err)
{
    bool there;

    if (bends(x, y, out) || bends(y, x, out))
        return NRW_OK;
    TRY(types_common(a, &x->type, &y->type, out, &there, err));
    if (there && out->id == TYPE_DECIMAL) /* each digit behind the point counts */
        *out = decimal_common(&x->type, &y->type);
    if (there)
        return NRW_OK;
    if (x->type.id == TYPE_UTF8 && !type_is_nested(&y->type))
        *out = y->type;
    else if (y->type.id == TYPE_UTF8 && !type_is_nested(&x->type))
        *out = x->type;
    else
        return no_common(x, y, err);
    return NRW_OK;
}
