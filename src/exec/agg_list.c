/* What keeps all its values in the order of the rows: string_agg(x, separator), list(x). */
#include "exec/agg_gather.h"
#include "expr/list_out.h"

/* ---- string_agg ---- */

static nrw_status text_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    const type text = type_of(TYPE_UTF8);
    span *separator, given = {(const uint8_t *)",", 1};
    bool null;

    TRY(expr_cast(a, args[0], &text, false, &args[0], err));
    if (out->n_args == 2) {
        if (!expr_is_constant(args[1]))
            return err_set(err, NRW_E_ARG, "the separator of string_agg must be a constant");
        TRY(expr_cast(a, args[1], &text, false, &args[1], err));
        given = vector_value(args[1]->constant, 0, &null);
        if (null)
            given = (span){(const uint8_t *)"", 0};
        out->n_args = 1;
    }
    TRY(arena_alloc(a, sizeof *separator, (void **)&separator, err));
    *separator = given;
    out->data = separator;
    out->result = text;
    out->state_bytes = sizeof(gather_state);
    return NRW_OK;
}

static nrw_status text_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    (void)g;
    return gather_add(r, false, err);
}

/* The texts of one state behind each other; row i of out. */
static nrw_status join(const gather_state *s, span separator, uint32_t i, vector *out,
                       nrw_error *err)
{
    size_t list_bytes = s->n * sizeof(gathered), to = 0, len = 0;
    mem *m = out->m;
    gathered *at;
    buffer *b;
    int32_t heap;
    nrw_status st;

    TRY(mem_alloc(m, list_bytes, (void **)&at, err));
    TRY_OUT(gather_sorted(s, NULL, NULL, m, at, err));
    for (uint64_t k = 0; k < s->n; k++)
        len += at[k].len + (k ? separator.len : 0);
    if (len > INT32_MAX) {
        st = err_set(err, NRW_E_UNSUPPORTED, "string_agg makes a text of more than 2 GiB");
        goto out;
    }
    TRY_OUT(buffer_new(m, len, &b, err));
    b->len = len;
    for (uint64_t k = 0; k < s->n; k++) {
        if (k) {
            memcpy(b->data + to, separator.data, separator.len);
            to += separator.len;
        }
        memcpy(b->data + to, at[k].data, at[k].len);
        to += at[k].len;
    }
    if (len <= VIEW_INLINE)
        st = NRW_OK;
    else
        st = vector_add_heap(out, b, &heap, err);
    if (st >= 0)
        ((view *)(void *)out->data)[i] =
            view_make(b->data, (int32_t)len, len <= VIEW_INLINE ? 0 : heap, 0);
    buffer_unref(b);
out:
    mem_free(m, at, list_bytes);
    return st;
}

static nrw_status text_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                              nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        const gather_state *s = gather_of(states[i]);
        if (s->n)
            TRY(join(s, *(const span *)g->data, i, out, err));
        else
            agg_put_null(out, i);
    }
    return NRW_OK;
}

/* ---- list ---- */

static nrw_status list_bind(arena *a, const expr **args, aggregate *out, nrw_error *err)
{
    TRY(agg_any(a, &args[0], err));
    if (type_is_nested(&args[0]->type))
        return agg_refuse(out, "of nested values is not supported", NULL, err);
    out->state_bytes = sizeof(gather_state);
    return type_list(a, &args[0]->type, &out->result, err);
}

static nrw_status list_add(const aggregate *g, const aggregate_rows *r, nrw_error *err)
{
    (void)g;
    return gather_add(r, true, err);
}

static nrw_status lists_finish(const aggregate *g, uint8_t *const *states, uint32_t n, vector *out,
                               nrw_error *err)
{
    uint32_t *offsets = (uint32_t *)(void *)out->data;
    uint64_t total = 0;
    mem *m = out->m;
    gathered *at;
    nrw_status st;

    (void)g;
    for (uint32_t i = 0; i < n; i++)
        total += gather_of(states[i])->n;
    if (total > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "lists of more than 2^31 elements in one batch");
    TRY(mem_alloc(m, total * sizeof *at, (void **)&at, err));
    offsets[0] = 0;
    for (uint32_t i = 0; i < n; i++) {
        const gather_state *s = gather_of(states[i]);
        TRY_OUT(gather_sorted(s, NULL, NULL, m, at + offsets[i], err));
        offsets[i + 1] = offsets[i] + (uint32_t)s->n;
        if (s->n == 0)
            bit_clear(out->validity, i);
    }
    TRY_OUT(vector_flat(m, &out->type.children[0].type, (uint32_t)total, &out->children[0], err));
    st = gather_column(at, (uint32_t)total, &out->children[0], err);
out:
    mem_free(m, at, total * sizeof *at);
    return st;
}

static const aggregate_class classes[] = {
    {" string_agg group_concat listagg ", 1, 2, AGG_ORDERED, text_bind, text_add, gather_merge,
     text_finish, gather_drop, gather_save, gather_load, gather_bulk},
    {" list array_agg ", 1, 1, AGG_ORDERED | AGG_NULLS, list_bind, list_add, gather_merge,
     lists_finish, gather_drop, gather_save, gather_load, gather_bulk},
};

const aggregate_table agg_list_table = {classes, sizeof classes / sizeof *classes};
