/* What a condition says of stretches of rows of which only bounds are known. */
#include "expr/own.h"

#include "column/compare.h"

static const predicate *predicate_of(const row_filter *f)
{
    return (const predicate *)f;
}

static bool is_float(const type *t)
{
    return t->id == TYPE_FLOAT16 || t->id == TYPE_FLOAT32 || t->id == TYPE_FLOAT64;
}

static bool keys_may(const test *t, const value_facts *f)
{
    int64_t min = f->has_min ? key_of_value(&t->type, f->min.data) : INT64_MIN;
    int64_t max = f->has_max ? key_of_value(&t->type, f->max.data) : INT64_MAX;

    /* bounds say nothing of NaN, which is behind all */
    if (is_float(&t->type) && (t->high == INT64_MAX) != t->negate)
        return true;
    if (t->negate)
        return min < t->low || max > t->high;
    return min <= t->high && max >= t->low;
}

/* Whether the value v lies before the range, in it, or behind it. */
static int side_of(const test *t, span v)
{
    int order;

    if (t->from.there) {
        order = value_compare(&t->type, v, t->from.value);
        if (order < 0 || (order == 0 && t->from.open))
            return -1;
    }
    if (t->to.there) {
        order = value_compare(&t->type, v, t->to.value);
        if (order > 0 || (order == 0 && t->to.open))
            return 1;
    }
    return 0;
}

static bool values_may(const test *t, const value_facts *f)
{
    int min = f->has_min ? side_of(t, f->min) : -1, max = f->has_max ? side_of(t, f->max) : 1;

    return t->negate ? min != 0 || max != 0 : min <= 0 && max >= 0;
}

static int compare_item(const test *t, uint32_t i, span v)
{
    int64_t key;

    if (!t->keyed)
        return value_compare(&t->type, t->values[i], v);
    key = key_of_value(&t->type, v.data);
    return (t->keys[i] > key) - (t->keys[i] < key);
}

static bool list_may(const test *t, const value_facts *f)
{
    uint32_t lo = 0, hi = t->n;

    if (is_float(&t->type) && (t->negate || t->keys[t->n - 1] == INT64_MAX))
        return true;
    while (f->has_min && lo < hi) { /* the first that is not below the least */
        uint32_t mid = lo + (hi - lo) / 2;
        if (compare_item(t, mid, f->min) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (t->negate) /* only where all values are one that is listed */
        return !f->has_min || !f->has_max || lo == t->n || compare_item(t, lo, f->min) != 0 ||
               compare_item(t, lo, f->max) != 0;
    return lo < t->n && !(f->has_max && compare_item(t, lo, f->max) > 0);
}

static bool like_may(const test *t, const value_facts *f)
{
    span prefix = t->like.prefix;
    bool min_has =
        f->has_min && f->min.len >= prefix.len && memcmp(f->min.data, prefix.data, prefix.len) == 0;
    bool max_has =
        f->has_max && f->max.len >= prefix.len && memcmp(f->max.data, prefix.data, prefix.len) == 0;
    size_t n;

    if (t->negate) {
        if (!min_has || !max_has)
            return true;
        if (t->like.exact)
            return f->min.len != prefix.len || f->max.len != prefix.len;
        return !t->like.tail;
    }
    if (f->has_max && value_compare(&t->type, f->max, prefix) < 0)
        return false;
    n = f->has_min ? size_min(f->min.len, prefix.len) : 0;
    return n == 0 || memcmp(f->min.data, prefix.data, n) <= 0;
}

static bool may_match(const row_filter *filter, uint32_t number, const value_facts *f)
{
    const test *t = &predicate_of(filter)->tests[number];

    if (t->kind == TEST_NULL)
        return f->nulls != 0;
    if (t->kind == TEST_NEVER)
        return false;
    if (t->kind == TEST_ALWAYS || t->kind == TEST_COLUMNS)
        return true;
    if (f->rows > 0 && f->nulls == f->rows)
        return false;
    switch (t->kind) {
    case TEST_RANGE: return t->keyed ? keys_may(t, f) : values_may(t, f);
    case TEST_IN: return list_may(t, f);
    case TEST_LIKE: return like_may(t, f);
    default: return true;
    }
}

static bool any_passes(const row_filter *filter, uint32_t number, const vector *values)
{
    return test_any(&predicate_of(filter)->tests[number], values);
}

/* ---- single values ---- */

static bool is_one_key(const test *t)
{
    return t->keyed && t->low == t->high;
}

static bool is_one_value(const test *t)
{
    return !t->keyed && t->from.there && t->to.there && !t->from.open && !t->to.open &&
           value_compare(&t->type, t->from.value, t->to.value) == 0;
}

/* Keys that more than one value has: zeros and NaN of floats. */
static bool is_ambiguous(const test *t, int64_t key)
{
    return t->keyed && is_float(&t->type) && (key == 0 || key == INT64_MAX);
}

static uint32_t n_values(const row_filter *filter, uint32_t number)
{
    const test *t = &predicate_of(filter)->tests[number];

    if (t->negate)
        return 0;
    if (t->kind == TEST_RANGE)
        return (is_one_key(t) && !is_ambiguous(t, t->low)) || is_one_value(t);
    if (t->kind == TEST_LIKE)
        return t->like.exact;
    if (t->kind != TEST_IN)
        return 0;
    for (uint32_t i = 0; t->keyed && i < t->n; i++)
        if (is_ambiguous(t, t->keys[i]))
            return 0;
    return t->n;
}

/* The value whose key this is, of at most 8 bytes; false: none of the type. */
static bool value_of_key(const type *t, int64_t key, uint8_t *out)
{
    double d;
    float f;

    memset(out, 0, 8);
    switch (t->id) {
    case TYPE_FLOAT16: return false;
    case TYPE_FLOAT32:
        f = (float)double_of_key(key);
        memcpy(out, &f, 4);
        break;
    case TYPE_FLOAT64:
        d = double_of_key(key);
        memcpy(out, &d, 8);
        break;
    case TYPE_UINT64: store_u64(out, (uint64_t)key ^ (uint64_t)1 << 63); break;
    default: store_u64(out, (uint64_t)key); break;
    }
    return key_of_value(t, out) == key;
}

static bool value(const row_filter *filter, uint32_t number, uint32_t i, uint8_t room[32],
                  span *out)
{
    const test *t = &predicate_of(filter)->tests[number];

    if (t->kind == TEST_LIKE) {
        *out = t->like.pattern;
        return true;
    }
    if (!t->keyed) {
        *out = t->kind == TEST_IN ? t->values[i] : t->from.value;
        return true;
    }
    *out = (span){room, t->type.width};
    return value_of_key(&t->type, t->kind == TEST_IN ? t->keys[i] : t->low, room);
}

nrw_status predicate_fill_filter(arena *a, predicate *p, nrw_error *err)
{
    row_filter_step *steps;
    uint32_t n = 0;

    TRY(arena_alloc(a, p->n_steps * sizeof *steps, (void **)&steps, err));
    for (uint32_t i = 0; i < p->n_steps; i++) {
        const step *s = &p->steps[i];
        if (s->kind == STEP_TEST)
            steps[n++] =
                (row_filter_step){ROW_FILTER_TEST, s->test, p->columns[p->tests[s->test].column]};
        else if (s->kind == STEP_AND || s->kind == STEP_OR)
            steps[n++].kind = s->kind == STEP_AND ? ROW_FILTER_AND : ROW_FILTER_OR;
    }
    p->filter = (row_filter){.steps = steps,
                             .n_steps = n,
                             .depth = p->depth,
                             .may_match = may_match,
                             .any_passes = any_passes,
                             .n_values = n_values,
                             .value = value};
    return NRW_OK;
}

const row_filter *predicate_filter(const predicate *p)
{
    return &p->filter;
}
