#include "format/avro/slot.h"

nrw_status av_slot_begin(av_slot *s, mem *m, const type *t, uint32_t rows, nrw_error *err)
{
    s->cap = 0;
    s->views = false;
    if (s->symbols)
        TRY(vector_dict(m, t, s->symbols, rows, &s->v, err));
    else
        TRY(vector_flat(m, t, rows, &s->v, err));
    s->data = s->v.data;
    s->len = 0;
    s->cap = rows;
    s->width = s->symbols ? (uint32_t)sizeof(uint32_t) : t->width;
    return NRW_OK;
}

void av_slot_release(av_slot *s)
{
    vector_release(&s->v);
    buffer_unref(s->text);
    s->text = NULL;
    s->data = NULL;
    s->len = s->cap = 0;
}

/* What lies behind is all ones: only nulls touch it. */
static nrw_status grow_validity(av_slot *s, uint32_t cap, nrw_error *err)
{
    size_t old = s->v.validity_buf->cap, bytes = ((size_t)cap + 7) / 8;

    if (bytes <= old)
        return NRW_OK;
    TRY(buffer_resize(&s->v.validity_buf, bytes, err));
    s->v.validity = s->v.validity_buf->data;
    memset(s->v.validity + old, 0xFF, bytes - old);
    return NRW_OK;
}

nrw_status av_slot_grow(av_slot *s, nrw_error *err)
{
    bool list = s->v.type.id == TYPE_LIST || s->v.type.id == TYPE_MAP;
    uint32_t cap = s->cap < 16 ? 32 : s->cap * 2;
    size_t bytes;

    if (s->cap > UINT32_MAX / 8)
        return err_set(err, NRW_E_MEMLIMIT, "lists of more than %u elements in one batch", s->cap);
    bytes = s->width ? ((size_t)cap + list) * s->width : ((size_t)cap + 7) / 8;
    TRY(buffer_resize(&s->v.data_buf, bytes, err));
    s->data = s->v.data = s->v.data_buf->data;
    if (s->v.validity)
        TRY(grow_validity(s, cap, err));
    s->cap = cap;
    return NRW_OK;
}

static nrw_status mark_null(av_slot *s, nrw_error *err)
{
    s->v.len = s->len;
    if (!s->v.validity)
        TRY(vector_add_validity(&s->v, err));
    bit_clear(s->v.validity, s->len);
    s->v.null_count++;
    return NRW_OK;
}

nrw_status av_slot_null(av_slot *s, nrw_error *err)
{
    TRY(av_slot_room(s, err));
    TRY(mark_null(s, err));
    if (s->v.type.id == TYPE_LIST || s->v.type.id == TYPE_MAP) {
        uint32_t *at = (uint32_t *)(void *)s->data;
        at[s->len + 1] = at[s->len];
    } else if (s->width) {
        memset(s->data + (size_t)s->len * s->width, 0, s->width);
    }
    s->len++;
    if (s->v.type.id != TYPE_STRUCT)
        return NRW_OK;
    for (uint32_t i = 1; i <= s->below; i += 1 + s[i].below)
        TRY(av_slot_null(s + i, err));
    return NRW_OK;
}

nrw_status av_slot_text(av_slot *s, span text, int32_t *offset, nrw_error *err)
{
    size_t len = s->text ? s->text->len : 0, need = len + text.len;

    *offset = (int32_t)len;
    if (need > INT32_MAX)
        return err_set(err, NRW_E_MEMLIMIT, "more than 2 GiB of text in one batch");
    if (!s->text)
        TRY(buffer_new(s->v.m, size_max(need, 256), &s->text, err));
    else if (need > s->text->cap)
        TRY(buffer_resize(&s->text, need + need / 2, err));
    memcpy(s->text->data + len, text.data, text.len);
    s->text->len = need;
    return NRW_OK;
}

static nrw_status take_children(av_slot *s, buffer *block, nrw_error *err)
{
    nrw_status st = NRW_OK;
    uint32_t n = 0;

    for (uint32_t i = 1; i <= s->below; i += 1 + s[i].below)
        if (st >= 0)
            st = av_slot_finish(s + i, block, &s->v.children[n++], err);
    return st;
}

nrw_status av_slot_finish(av_slot *s, buffer *block, vector *out, nrw_error *err)
{
    buffer *heap = s->text ? s->text : block;
    nrw_status st = NRW_OK;
    int32_t index;

    *out = (vector){0};
    s->before = s->v.len = s->len;
    if (type_is_nested(&s->v.type))
        st = take_children(s, block, err);
    if (st >= 0 && s->views)
        st = vector_add_heap(&s->v, heap, &index, err);
    if (st >= 0) {
        *out = s->v;
        s->v = (vector){0};
    }
    av_slot_release(s);
    return st;
}
