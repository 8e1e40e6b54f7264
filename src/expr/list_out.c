#include "expr/list_out.h"

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
