/* Elements of lists by place, slices, and lists in another order. */
#include "expr/function_sets.h"
#include "expr/list_out.h"
#include "expr/order.h"
#include "expr/text.h"

/* ---- picking elements ---- */

/* Element `at` of a list of n: from 1, from the end below 0; UINT32_MAX: there is none. */
static uint32_t element_of(int64_t at, uint32_t n)
{
    if (at < 0)
        at += (int64_t)n + 1;
    return at < 1 || at > n ? VECTOR_NULL : (uint32_t)at - 1;
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
            (!span_is_word(word, "asc") && !span_is_word(word, "desc")))
            return bind_fail(err, "%s: the order is 'ASC' or 'DESC'", b->name);
        s->descending = span_is_word(word, "desc");
    }
    if (b->n > 1u + !reverse) {
        if (!constant_text(b->args[b->n - 1], &word) ||
            (!span_is_word(word, "nulls first") && !span_is_word(word, "nulls last")))
            return bind_fail(err, "%s: 'NULLS FIRST' or 'NULLS LAST'", b->name);
        s->nulls_first = span_is_word(word, "nulls first");
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

static const function rows[] = {
    EXTRACT("list_extract"),
    EXTRACT("list_element"),
    EXTRACT("array_extract"),
    SLICE("list_slice"),
    SLICE("array_slice"),
    SORT("list_sort"),
    SORT("array_sort"),
    SORT("list_reverse_sort"),
    SORT("array_reverse_sort"),
    {"list_reverse", "L", "=", reverse_eval, 0, NULL},
    {"array_reverse", "L", "=", reverse_eval, 0, NULL},
};

const function_set functions_list_pick = FUNCTION_SET(rows);
