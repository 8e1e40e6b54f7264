/* Looking into lists, their lengths, joining them, and splitting text into them. */
#include "expr/function_sets.h"
#include "expr/list_out.h"
#include "expr/text.h"

/* ---- looking for elements ---- */

static nrw_status contains_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    (void)err;
    for (uint32_t i = 0; i < args->rows; i++)
        if (row_valid(out, i))
            out->data[i] =
                list_find(args->at[0], ROW(args, 0, i), args->at[1], ROW(args, 1, i)) != 0;
    return NRW_OK;
}

static nrw_status position_eval(const expr *e, const scalar_args *args, vector *out, nrw_error *err)
{
    (void)e;
    for (uint32_t i = 0; i < args->rows; i++) {
        uint32_t at = 0;
        if (vector_is_valid(args->at[0], ROW(args, 0, i)))
            at = list_find(args->at[0], ROW(args, 0, i), args->at[1], ROW(args, 1, i));
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
            if (!null && (list_find(args->at[0], ROW(args, 0, i), &w->children[0], k) != 0) != all)
                answer = !all;
        }
        out->data[i] = answer;
    }
    return NRW_OK;
}

static nrw_status lists_bind(binding *b, nrw_error *err)
{
    type t;

    TRY(bind_common(b, &t, err));
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

#define SPLIT(name)                                                                                \
    {                                                                                              \
        name, "ss", "!", split_eval, 0, split_bind                                                 \
    }

static const function rows[] = {
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
    SPLIT("string_split"),
    SPLIT("str_split"),
    SPLIT("split"),
    SPLIT("string_to_array"),
};

const function_set functions_list = FUNCTION_SET(rows);
