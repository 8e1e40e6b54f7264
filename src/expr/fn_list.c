/* Lists, structs and maps: making them and taking them apart. */
#include "expr/function_sets.h"
#include "expr/list_out.h"
#include "expr/order.h"
#include "expr/text.h"

#include <strings.h>

/* ---- making ---- */

static nrw_status common_type(binding *b, type *out, nrw_error *err)
{
    expr so_far;

    *out = type_of(TYPE_NULL);
    if (b->n == 0)
        return NRW_OK;
    so_far = *b->args[0];
    for (uint32_t i = 1; i < b->n; i++) {
        type t;
        TRY(type_common(b->a, &so_far, b->args[i], &t, err));
        if (!type_equal(&t, &so_far.type) || b->args[i]->bend != so_far.bend) {
            bool bends = so_far.bend == BEND_NULL;
            so_far.bend = bends ? b->args[i]->bend : BEND_NO;
            so_far.constant = b->args[i]->constant;
        }
        so_far.type = t;
    }
    *out = so_far.type;
    return NRW_OK;
}

static nrw_status list_value_bind(binding *b, nrw_error *err)
{
    type t;

    TRY(common_type(b, &t, err));
    for (uint32_t i = 0; i < b->n; i++)
        b->want[i] = t;
    return type_list(b->a, &t, &b->result, err);
}

/* Row i is the i-th row of each argument. */
static nrw_status list_value_eval(const expr *e, const scalar_args *args, vector *out,
                                  nrw_error *err)
{
    size_t total = (size_t)args->rows * args->n, bytes;
    vector *parts, all = {0};
    uint32_t *idx, base = 0;
    nrw_status st;
    void *p;

    (void)e;
    if (total >= VECTOR_NULL)
        return err_set(err, NRW_E_UNSUPPORTED, "lists of %zu elements in a batch", total);
    for (uint32_t i = 0; i <= args->rows; i++)
        OUT(uint32_t, out)[i] = i * args->n;
    if (args->n == 0)
        return vector_flat(args->m, &out->type.children[0].type, 0, &out->children[0], err);
    bytes = args->n * sizeof(vector) + total * sizeof *idx;
    TRY(mem_alloc(args->m, bytes, &p, err));
    parts = p;
    idx = (uint32_t *)(void *)(parts + args->n);
    for (uint32_t k = 0; k < args->n; k++) {
        parts[k] = *args->at[k];
        for (uint32_t i = 0; i < args->rows; i++)
            idx[(size_t)i * args->n + k] = base + ROW(args, k, i);
        base += parts[k].len;
    }
    st = vector_concat(parts, args->n, args->m, &all, err);
    if (st == NRW_OK)
        st = vector_pick(&all, idx, (uint32_t)total, args->m, &out->children[0], err);
    vector_release(&all);
    mem_free(args->m, p, bytes);
    return st;
}

static nrw_status struct_bind(binding *b, nrw_error *err)
{
    bool named = b->name[0] == 's';
    field *f;
    char *name;
    void *p;

    if (named && !b->names)
        return bind_fail(err, "%s: each value has a name (a := 1)", b->name);
    TRY(arena_alloc(b->a, (b->n + 1) * sizeof *f, &p, err));
    f = p;
    for (uint32_t i = 0; i < b->n; i++) {
        span s = named ? b->names[i] : (span){0};
        TRY(arena_strndup(b->a, s.data ? (const char *)s.data : "", s.len, &name, err));
        f[i] = (field){.name = name, .type = b->want[i], .nullable = true, .field_id = -1};
    }
    b->result = type_nested(TYPE_STRUCT, f, b->n);
    return NRW_OK;
}

static nrw_status struct_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    uint32_t *idx;
    void *p;
    nrw_status st = NRW_OK;

    (void)e;
    TRY(mem_alloc(args->m, args->rows * sizeof *idx, &p, err));
    idx = p;
    for (uint32_t k = 0; k < args->n && st == NRW_OK; k++) {
        for (uint32_t i = 0; i < args->rows; i++)
            idx[i] = ROW(args, k, i);
        st = vector_pick(args->at[k], idx, args->rows, args->m, &out->children[k], err);
    }
    mem_free(args->m, p, args->rows * sizeof *idx);
    return st;
}

/* map([keys], [values]): both lists of a row have one length, keys are there and differ. */
static nrw_status map_bind(binding *b, nrw_error *err)
{
    field *f;
    void *p;

    TRY(arena_alloc(b->a, 2 * sizeof *f, &p, err));
    f = p;
    for (uint32_t k = 0; k < 2; k++) {
        if (b->want[k].id != TYPE_LIST)
            return bind_fail(err, "map: keys and values are lists");
        f[k] = b->want[k].children[0];
    }
    f[0].name = "key";
    f[0].nullable = false;
    f[1].name = "value";
    b->result = type_nested(TYPE_MAP, f, 2);
    return NRW_OK;
}

static nrw_status check_keys(const vector *keys, uint32_t from, uint32_t to, nrw_error *err)
{
    for (uint32_t k = from; k < to; k++) {
        bool null;
        vector_value(keys, k, &null);
        if (null)
            return err_set(err, NRW_E_VALUE, "map: a key is null");
        for (uint32_t j = from; j < k; j++)
            if (row_order(keys, j, keys, k) == 0)
                return err_set(err, NRW_E_VALUE, "map: two keys are equal");
    }
    return NRW_OK;
}

static nrw_status map_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    vector whole[2] = {{.len = 0}, {.len = 0}};
    uint32_t *idx;
    void *p;
    nrw_status st = NRW_OK;

    (void)e;
    TRY(mem_alloc(args->m, args->rows * sizeof *idx, &p, err));
    idx = p;
    for (uint32_t k = 0; k < 2 && st == NRW_OK; k++) {
        for (uint32_t i = 0; i < args->rows; i++)
            idx[i] = row_valid(out, i) ? ROW(args, k, i) : VECTOR_NULL;
        st = vector_pick(args->at[k], idx, args->rows, args->m, &whole[k], err);
    }
    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        const uint32_t *x = vector_offsets(&whole[0]), *y = vector_offsets(&whole[1]);
        if (x[i + 1] != y[i + 1])
            st = err_set(err, NRW_E_VALUE, "map: as many keys as values");
        else
            st = check_keys(&whole[0].children[0], x[i], x[i + 1], err);
    }
    if (st == NRW_OK) {
        memcpy(out->data, whole[0].data, ((size_t)args->rows + 1) * sizeof(uint32_t));
        for (uint32_t k = 0; k < 2; k++) {
            out->children[k] = whole[k].children[0];
            whole[k].children[0] = (vector){0};
        }
    }
    vector_release(&whole[0]);
    vector_release(&whole[1]);
    mem_free(args->m, p, args->rows * sizeof *idx);
    return st;
}

/* ---- picking elements ---- */

/* Element `at` of a list of n: from 1, from the end below 0; UINT32_MAX: there is none. */
static uint32_t element_of(int64_t at, uint32_t n)
{
    if (at < 0)
        at += (int64_t)n + 1;
    return at < 1 || at > n ? VECTOR_NULL : (uint32_t)at - 1;
}

static nrw_status pick_into(const vector *from, uint32_t *idx, const scalar_args *args, vector *out,
                            nrw_error *err)
{
    vector_release(out);
    return vector_pick(from, idx, args->rows, args->m, out, err);
}

static nrw_status extract_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const vector *v = args->at[0];
    const uint32_t *at = vector_offsets(v);
    uint32_t *idx;
    nrw_status st;
    void *p;

    (void)e;
    TRY(mem_alloc(args->m, args->rows * sizeof *idx, &p, err));
    idx = p;
    for (uint32_t i = 0; i < args->rows; i++) {
        uint32_t row = ROW(args, 0, i);
        idx[i] = row_valid(out, i) ? element_of(BIG(1), at[row + 1] - at[row]) : VECTOR_NULL;
        if (idx[i] != VECTOR_NULL)
            idx[i] += at[row];
    }
    st = pick_into(&v->children[0], idx, args, out, err);
    mem_free(args->m, p, args->rows * sizeof *idx);
    return st;
}

static nrw_status extract_bind(binding *b, nrw_error *err)
{
    (void)err;
    b->result = b->want[0].id == TYPE_LIST ? b->want[0].children[0].type : type_of(TYPE_NULL);
    return NRW_OK;
}

static span char_at(span s, int64_t at)
{
    int64_t total = (int64_t)text_chars(s);
    uint32_t k = element_of(at, (uint32_t)total);
    span rest;

    if (k == VECTOR_NULL)
        return (span){s.data, 0};
    rest = text_from(s, text_byte_of(s, k));
    return (span){rest.data, char_len(rest)};
}
PART_FUNCTION(char_eval, char_at(TEXT(0), BIG(1)))

/* [from, to] as slices count: from 1, from the end below 0, both ends in. */
static void slice_of(int64_t from, int64_t to, int64_t n, int64_t *first, int64_t *count)
{
    from = from < 0 ? (from < -n ? 1 : n + from + 1) : from == 0 ? 1 : from;
    to = to < 0 ? n + to + 1 : to > n ? n : to;
    *first = from - 1;
    *count = to < from || from > n ? 0 : to - from + 1;
}

static span text_slice(span s, int64_t from, int64_t to)
{
    int64_t first, count;
    span rest;

    slice_of(from, to, (int64_t)text_chars(s), &first, &count);
    if (count == 0)
        return (span){s.data, 0};
    rest = text_from(s, text_byte_of(s, (size_t)first));
    return (span){rest.data, text_byte_of(rest, (size_t)count)};
}
PART_FUNCTION(text_slice_eval, text_slice(TEXT(0), BIG(1), BIG(2)))

/* Elements of each row of args[0] that `which` names, as lists. */
static nrw_status elements_into(const vector *v, const bytes *which, const scalar_args *args,
                                vector *out, nrw_error *err)
{
    return vector_pick(&v->children[0], (const uint32_t *)(const void *)which->data,
                       (uint32_t)(which->len / sizeof(uint32_t)), args->m, &out->children[0], err);
}

static nrw_status add_index(bytes *b, uint32_t k, nrw_error *err)
{
    return bytes_append(b, &k, sizeof k, err);
}

static nrw_status slice_row(const scalar_args *args, uint32_t i, bytes *which, nrw_error *err)
{
    const uint32_t *at = vector_offsets(args->at[0]) + ROW(args, 0, i);
    int64_t first, count, step = args->n > 3 ? BIG(3) : 1;

    if (step < 1)
        return err_set(err, NRW_E_VALUE, "list_slice: a step is at least 1");
    slice_of(BIG(1), BIG(2), at[1] - at[0], &first, &count);
    for (int64_t k = 0; k < count; k += step)
        TRY(add_index(which, at[0] + (uint32_t)(first + k), err));
    return NRW_OK;
}

/* Lists of elements of args[0], chosen row by row. */
#define CHOOSE_FUNCTION(name, choose)                                                              \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        bytes which = bytes_init(args->m, (size_t)1 << 33);                                        \
        nrw_status st = NRW_OK;                                                                    \
        (void)e;                                                                                   \
        for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {                                \
            if (row_valid(out, i))                                                                 \
                st = choose;                                                                       \
            OUT(uint32_t, out)[i + 1] = (uint32_t)(which.len / sizeof(uint32_t));                  \
        }                                                                                          \
        if (st == NRW_OK)                                                                          \
            st = elements_into(args->at[0], &which, args, out, err);                               \
        bytes_release(&which);                                                                     \
        return st;                                                                                 \
    }
CHOOSE_FUNCTION(slice_eval, slice_row(args, i, &which, err))

/* ---- sorting, distinct ---- */

typedef struct sorting {
    bool descending, nulls_first;
} sorting;

static int order_two(const sorting *s, const vector *v, uint32_t i, uint32_t j)
{
    bool x, y;

    vector_value(v, i, &x);
    vector_value(v, j, &y);
    if (x || y)
        return (x - y) * (s->nulls_first ? -1 : 1);
    return row_order(v, i, v, j) * (s->descending ? -1 : 1);
}

/* Merges, so that equal ones keep their order. */
static void merge_sort(const sorting *s, const vector *v, uint32_t *at, uint32_t *spare, uint32_t n)
{
    uint32_t half = n / 2, i = 0, j = half, k = 0;

    if (n < 2)
        return;
    merge_sort(s, v, at, spare, half);
    merge_sort(s, v, at + half, spare, n - half);
    while (i < half && j < n)
        spare[k++] = order_two(s, v, at[j], at[i]) < 0 ? at[j++] : at[i++];
    while (i < half)
        spare[k++] = at[i++];
    while (j < n)
        spare[k++] = at[j++];
    memcpy(at, spare, n * sizeof *at);
}

static nrw_status sort_row(const sorting *s, const scalar_args *args, uint32_t i, bytes *which,
                           nrw_error *err)
{
    const vector *v = args->at[0];
    const uint32_t *at = vector_offsets(v) + ROW(args, 0, i);
    uint32_t n = at[1] - at[0], *list;
    size_t start = which->len;

    TRY(bytes_reserve(which, 2 * (size_t)n * sizeof(uint32_t), err));
    list = (uint32_t *)(void *)(which->data + start);
    for (uint32_t k = 0; k < n; k++)
        list[k] = at[0] + k;
    merge_sort(s, &v->children[0], list, list + n, n);
    which->len = start + n * sizeof(uint32_t);
    return NRW_OK;
}

CHOOSE_FUNCTION(sort_eval, sort_row(e->data, args, i, &which, err))

static bool is_option(span s, const char *word)
{
    size_t n = strlen(word);

    return s.len == n && strncasecmp((const char *)s.data, word, n) == 0;
}

static nrw_status sort_bind(binding *b, nrw_error *err)
{
    bool reverse = strstr(b->name, "reverse") != NULL;
    sorting *s;
    span word;
    void *p;

    TRY(arena_alloc(b->a, sizeof *s, &p, err));
    s = p;
    s->descending = reverse;
    if (b->n > 1 && !reverse) {
        if (!constant_text(b->args[1], &word) ||
            (!is_option(word, "asc") && !is_option(word, "desc")))
            return bind_fail(err, "%s: the order is 'ASC' or 'DESC'", b->name);
        s->descending = is_option(word, "desc");
    }
    if (b->n > 1u + !reverse) {
        if (!constant_text(b->args[b->n - 1], &word) ||
            (!is_option(word, "nulls first") && !is_option(word, "nulls last")))
            return bind_fail(err, "%s: 'NULLS FIRST' or 'NULLS LAST'", b->name);
        s->nulls_first = is_option(word, "nulls first");
    }
    b->data = s;
    b->n = 1;
    return NRW_OK;
}

static nrw_status reverse_row(const scalar_args *args, uint32_t i, bytes *which, nrw_error *err)
{
    const uint32_t *at = vector_offsets(args->at[0]) + ROW(args, 0, i);

    for (uint32_t k = at[1]; k > at[0]; k--)
        TRY(add_index(which, k - 1, err));
    return NRW_OK;
}
CHOOSE_FUNCTION(reverse_eval, reverse_row(args, i, &which, err))

/* ---- looking for elements ---- */

/* Where the element equal to row `row` of x is in the list, counted from 1; 0: nowhere. */
static uint32_t position(const vector *lists, uint32_t list, const vector *x, uint32_t row)
{
    const uint32_t *at = vector_offsets(lists) + list;

    for (uint32_t k = at[0]; k < at[1]; k++)
        if (row_order(&lists->children[0], k, x, row) == 0)
            return k - at[0] + 1;
    return 0;
}

static nrw_status contains_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    for (uint32_t i = 0; i < args->rows; i++)
        if (row_valid(out, i))
            out->data[i] =
                position(args->at[0], ROW(args, 0, i), args->at[1], ROW(args, 1, i)) != 0;
    return NRW_OK;
}

static nrw_status position_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    for (uint32_t i = 0; i < args->rows; i++) {
        uint32_t at = 0;
        if (vector_is_valid(args->at[0], ROW(args, 0, i)))
            at = position(args->at[0], ROW(args, 0, i), args->at[1], ROW(args, 1, i));
        OUT(int32_t, out)[i] = (int32_t)at;
        if (at == 0)
            TRY(row_null(out, i, err));
    }
    return NRW_OK;
}

/* The list's elements and the value in the type they have in common. */
static nrw_status element_bind(binding *b, nrw_error *err)
{
    expr element = {.kind = EXPR_COLUMN};
    type t;

    if (b->want[0].id != TYPE_LIST) {
        b->want[0] = type_of(TYPE_NULL);
        return NRW_OK;
    }
    element.type = b->want[0].children[0].type;
    TRY(type_common(b->a, &element, b->args[1], &t, err));
    b->want[1] = t;
    return type_list(b->a, &t, &b->want[0], err);
}

/* Any or all elements of the second list are in the first. */
static nrw_status has_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    bool all = strstr(e->f->name, "all") != NULL;

    (void)err;
    for (uint32_t i = 0; i < args->rows; i++) {
        const vector *w = args->at[1];
        const uint32_t *at = vector_offsets(w) + ROW(args, 1, i);
        bool answer = all;
        if (!row_valid(out, i))
            continue;
        for (uint32_t k = at[0]; k < at[1] && answer == all; k++) {
            bool null;
            vector_value(&w->children[0], k, &null);
            if (!null && (position(args->at[0], ROW(args, 0, i), &w->children[0], k) != 0) != all)
                answer = !all;
        }
        out->data[i] = answer;
    }
    return NRW_OK;
}

static nrw_status lists_bind(binding *b, nrw_error *err)
{
    type t;

    TRY(common_type(b, &t, err));
    for (uint32_t i = 0; i < b->n; i++)
        b->want[i] = t;
    if (b->f->result[0] == '!')
        b->result = t;
    return NRW_OK;
}

/* ---- lengths, joining ---- */

static nrw_status len_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    const uint32_t *at = vector_offsets(args->at[0]);

    (void)e;
    (void)err;
    for (uint32_t i = 0; i < args->rows; i++)
        OUT(int64_t, out)[i] = at[i + 1] - at[i];
    return NRW_OK;
}

/* Nulls count as empty lists, but where all are null. */
static nrw_status concat_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    bytes which = bytes_init(args->m, (size_t)1 << 33);
    vector *parts, all = {0};
    uint32_t base;
    nrw_status st;
    void *p;

    (void)e;
    TRY(mem_alloc(args->m, args->n * sizeof *parts, &p, err));
    parts = p;
    for (uint32_t k = 0; k < args->n; k++)
        parts[k] = args->at[k]->children[0];
    st = vector_concat(parts, args->n, args->m, &all, err);
    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        bool any = false;
        base = 0;
        for (uint32_t k = 0; k < args->n && st == NRW_OK; base += parts[k++].len) {
            const uint32_t *at = vector_offsets(args->at[k]) + ROW(args, k, i);
            any |= vector_is_valid(args->at[k], ROW(args, k, i));
            for (uint32_t j = at[0]; j < at[1] && st == NRW_OK; j++)
                st = add_index(&which, base + j, err);
        }
        if (!any && st == NRW_OK)
            st = row_null(out, i, err);
        OUT(uint32_t, out)[i + 1] = (uint32_t)(which.len / sizeof(uint32_t));
    }
    if (st == NRW_OK)
        st = vector_pick(&all, (const uint32_t *)(const void *)which.data,
                         (uint32_t)(which.len / sizeof(uint32_t)), args->m, &out->children[0], err);
    vector_release(&all);
    bytes_release(&which);
    mem_free(args->m, p, args->n * sizeof *parts);
    return st;
}

/* list_append(l, x) and list_prepend(x, l) join with a list of one. */
static nrw_status append_bind(binding *b, nrw_error *err)
{
    bool front = strstr(b->name, "prepend") != NULL;
    const expr *one, *pair[2];

    TRY(expr_call(b->a, "list_value", &b->args[!front], NULL, 1, &one, err));
    pair[front] = b->args[front];
    pair[!front] = one;
    return expr_call(b->a, "list_concat", pair, NULL, 2, &b->instead, err);
}

/* ---- structs and maps ---- */

typedef struct field_at {
    uint32_t at;
} field_at;

static nrw_status field_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    vector_release(out);
    return vector_flatten(&args->at[0]->children[((const field_at *)e->data)->at], args->m, out,
                          err);
}

static nrw_status field_bind(binding *b, nrw_error *err)
{
    const type *t = &b->want[0];
    uint32_t found = UINT32_MAX;
    int64_t place;
    field_at *f;
    span name;
    void *p;

    if (constant_int(b->args[1], &place)) {
        found = place >= 1 && place <= t->n_children ? (uint32_t)place - 1 : UINT32_MAX;
    } else if (constant_text(b->args[1], &name)) {
        for (uint32_t i = 0; i < t->n_children && found == UINT32_MAX; i++)
            if (text_equal(name, (span){(const uint8_t *)t->children[i].name,
                                        strlen(t->children[i].name)}))
                found = i;
        for (uint32_t i = 0; i < t->n_children && found == UINT32_MAX; i++)
            if (is_option(name, t->children[i].name))
                found = i;
    }
    if (found == UINT32_MAX)
        return bind_fail(err, "%s: the struct has no such field", b->name);
    TRY(arena_alloc(b->a, sizeof *f, &p, err));
    f = p;
    f->at = found;
    b->data = f;
    b->result = t->children[found].type;
    b->n = 1;
    return NRW_OK;
}

static nrw_status map_list_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    memcpy(out->data, args->at[0]->data, ((size_t)args->rows + 1) * sizeof(uint32_t));
    return vector_share(&args->at[0]->children[e->f->name[4] == 'v'], &out->children[0], err);
}

static nrw_status map_list_bind(binding *b, nrw_error *err)
{
    if (b->want[0].id != TYPE_MAP)
        return bind_fail(err, "%s: not a map", b->name);
    return type_list(b->a, &b->want[0].children[b->name[4] == 'v'].type, &b->result, err);
}

/* map[k]: the value, or null. */
static nrw_status map_value_eval(const expr *e, const scalar_args *args, vector *out,
                                 nrw_error *err)
{
    const vector *v = args->at[0];
    uint32_t *idx, at;
    nrw_status st;
    void *p;

    (void)e;
    TRY(mem_alloc(args->m, args->rows * sizeof *idx, &p, err));
    idx = p;
    for (uint32_t i = 0; i < args->rows; i++) {
        uint32_t row = ROW(args, 0, i);
        at = row_valid(out, i) ? position(v, row, args->at[1], ROW(args, 1, i)) : 0;
        idx[i] = at ? vector_offsets(v)[row] + at - 1 : VECTOR_NULL;
    }
    st = pick_into(&v->children[1], idx, args, out, err);
    mem_free(args->m, p, args->rows * sizeof *idx);
    return st;
}

static nrw_status map_contains_eval(const expr *e, const scalar_args *args, vector *out,
                                    nrw_error *err)
{
    return contains_eval(e, args, out, err);
}

static nrw_status map_key_bind(binding *b, nrw_error *err)
{
    if (b->want[0].id != TYPE_MAP)
        return bind_fail(err, "%s: not a map", b->name);
    b->want[1] = b->want[0].children[0].type;
    if (b->f->result[0] == '!')
        b->result = b->want[0].children[1].type;
    return NRW_OK;
}

/* ---- text into lists ---- */

static nrw_status split_row(list_out *l, span s, span by, nrw_error *err)
{
    size_t found;

    if (by.len == 0) {
        for (size_t n; s.len; s = text_from(s, n)) {
            n = char_len(s);
            TRY(list_text(l, (span){s.data, n}, err));
        }
        return NRW_OK;
    }
    for (; (found = text_find(s, by)) != SIZE_MAX; s = text_from(s, found + by.len))
        TRY(list_text(l, (span){s.data, found}, err));
    return list_text(l, s, err);
}

static nrw_status split_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    list_out l;
    nrw_status st = list_begin(&l, out, args->m, err);

    (void)e;
    for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++) {
        if (row_valid(out, i))
            st = split_row(&l, TEXT(0), TEXT(1), err);
        list_end_row(&l, i);
    }
    return list_finish(&l, st);
}

static nrw_status split_bind(binding *b, nrw_error *err)
{
    const type text = type_of(TYPE_UTF8);

    return type_list(b->a, &text, &b->result, err);
}

#define SLICE(name)                                                                                \
    {name, "L88", "=", slice_eval, FAILS, NULL}, {name, "L888", "=", slice_eval, FAILS, NULL},     \
    {                                                                                              \
        name, "s88", "s", text_slice_eval, 0, NULL                                                 \
    }
#define EXTRACT(name)                                                                              \
    {name, "L8", "!", extract_eval, 0, extract_bind},                                              \
    {                                                                                              \
        name, "s8", "s", char_eval, 0, NULL                                                        \
    }
#define SORT(name)                                                                                 \
    {name, "L", "=", sort_eval, 0, sort_bind}, {name, "Ls", "=", sort_eval, 0, sort_bind},         \
    {                                                                                              \
        name, "Lss", "=", sort_eval, 0, sort_bind                                                  \
    }
#define SPLIT(name)                                                                                \
    {                                                                                              \
        name, "ss", "!", split_eval, 0, split_bind                                                 \
    }

static const function rows[] = {
    {"list_value", "", "!", list_value_eval, SEES_NULLS, list_value_bind},
    {"list_value", "*+", "!", list_value_eval, SEES_NULLS, list_value_bind},
    {"list_pack", "*+", "!", list_value_eval, SEES_NULLS, list_value_bind},
    {"struct_pack", "*+", "!", struct_eval, SEES_NULLS, struct_bind},
    {"row", "*+", "!", struct_eval, SEES_NULLS, struct_bind},
    {"map", "LL", "!", map_eval, FAILS, map_bind},
    EXTRACT("list_extract"),
    EXTRACT("list_element"),
    EXTRACT("array_extract"),
    {"array_extract", "P*", "!", map_value_eval, 0, map_key_bind},
    {"map_extract_value", "P*", "!", map_value_eval, 0, map_key_bind},
    {"map_contains", "P*", "b", map_contains_eval, 0, map_key_bind},
    {"map_keys", "P", "!", map_list_eval, 0, map_list_bind},
    {"map_values", "P", "!", map_list_eval, 0, map_list_bind},
    SLICE("list_slice"),
    SLICE("array_slice"),
    SORT("list_sort"),
    SORT("array_sort"),
    SORT("list_reverse_sort"),
    SORT("array_reverse_sort"),
    {"list_reverse", "L", "=", reverse_eval, 0, NULL},
    {"array_reverse", "L", "=", reverse_eval, 0, NULL},
    {"list_contains", "L*", "b", contains_eval, 0, element_bind},
    {"list_has", "L*", "b", contains_eval, 0, element_bind},
    {"array_contains", "L*", "b", contains_eval, 0, element_bind},
    {"array_has", "L*", "b", contains_eval, 0, element_bind},
    {"contains", "L*", "b", contains_eval, 0, element_bind},
    {"list_position", "L*", "4", position_eval, SEES_NULLS, element_bind},
    {"list_indexof", "L*", "4", position_eval, SEES_NULLS, element_bind},
    {"array_position", "L*", "4", position_eval, SEES_NULLS, element_bind},
    {"list_has_any", "LL", "b", has_eval, 0, lists_bind},
    {"list_has_all", "LL", "b", has_eval, 0, lists_bind},
    {"array_has_any", "LL", "b", has_eval, 0, lists_bind},
    {"array_has_all", "LL", "b", has_eval, 0, lists_bind},
    {"len", "L", "8", len_eval, 0, NULL},
    {"length", "L", "8", len_eval, 0, NULL},
    {"array_length", "L", "8", len_eval, 0, NULL},
    {"cardinality", "P", "D", len_eval, 0, NULL},
    {"list_concat", "L+", "!", concat_eval, SEES_NULLS, lists_bind},
    {"list_cat", "L+", "!", concat_eval, SEES_NULLS, lists_bind},
    {"array_concat", "L+", "!", concat_eval, SEES_NULLS, lists_bind},
    {"||", "LL", "!", concat_eval, SEES_NULLS, lists_bind},
    {"list_append", "L*", "!", NULL, 0, append_bind},
    {"array_append", "L*", "!", NULL, 0, append_bind},
    {"list_prepend", "*L", "!", NULL, 0, append_bind},
    {"array_prepend", "*L", "!", NULL, 0, append_bind},
    {"struct_extract", "R*", "!", field_eval, 0, field_bind},
    {"struct_extract_at", "R8", "!", field_eval, 0, field_bind},
    {"array_extract", "R*", "!", field_eval, 0, field_bind},
    SPLIT("string_split"),
    SPLIT("str_split"),
    SPLIT("split"),
    SPLIT("string_to_array"),
};

const function_set functions_list = FUNCTION_SET(rows);
