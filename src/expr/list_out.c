#include "expr/list_out.h"

#include "expr/order.h"

nrw_status list_begin(list_out *l, vector *out, mem *m, nrw_error *err)
{
    *l = (list_out){.out = out, .m = m, .room = 64};
    TRY(vector_flat(m, &out->type.children[0].type, l->room, &l->elements, err));
    return NRW_OK;
}

/* Twice the room: views move, heaps stay. */
static nrw_status grow(list_out *l, nrw_error *err)
{
    vector wide;

    if (l->room > UINT32_MAX / 4)
        return err_set(err, NRW_E_UNSUPPORTED, "lists of %u elements in a batch", l->room);
    TRY(vector_flat(l->m, &l->elements.type, 2 * l->room, &wide, err));
    memcpy(wide.data, l->elements.data, (size_t)l->elements.len * sizeof(view));
    wide.len = l->elements.len;
    wide.heaps = l->elements.heaps;
    l->elements.heaps = (heaps){0};
    vector_release(&l->elements);
    l->elements = wide;
    l->room *= 2;
    return NRW_OK;
}

nrw_status list_text(list_out *l, span s, nrw_error *err)
{
    if (l->elements.len == l->room)
        TRY(grow(l, err));
    l->text.out = &l->elements;
    TRY(text_put(&l->text, l->elements.len, s.data, s.len, err));
    l->elements.len++;
    return NRW_OK;
}

void list_end_row(list_out *l, uint32_t i)
{
    OUT(uint32_t, l->out)[i + 1] = l->elements.len;
}

nrw_status list_finish(list_out *l, nrw_status st)
{
    text_end(&l->text);
    if (st == NRW_OK)
        l->out->children[0] = l->elements;
    else
        vector_release(&l->elements);
    l->elements = (vector){0};
    return st;
}

nrw_status type_list(arena *a, const type *t, type *out, nrw_error *err)
{
    void *p;
    field *f;

    TRY(arena_alloc(a, sizeof *f, &p, err));
    f = p;
    *f = (field){.name = "element", .type = *t, .nullable = true, .field_id = -1};
    *out = type_nested(TYPE_LIST, f, 1);
    return NRW_OK;
}

nrw_status bind_common(binding *b, type *out, nrw_error *err)
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

uint32_t list_find(const vector *lists, uint32_t list, const vector *x, uint32_t row)
{
    const uint32_t *at = vector_offsets(lists) + list;

    for (uint32_t k = at[0]; k < at[1]; k++)
        if (row_order(&lists->children[0], k, x, row) == 0)
            return k - at[0] + 1;
    return 0;
}

nrw_status add_index(bytes *b, uint32_t k, nrw_error *err)
{
    return bytes_append(b, &k, sizeof k, err);
}

nrw_status pick_into(const vector *from, uint32_t *idx, const scalar_args *args, vector *out,
                     nrw_error *err)
{
    vector_release(out);
    return vector_pick(from, idx, args->rows, args->m, out, err);
}
