#include "column/flatbuf.h"

enum { FIELDS = 16 };

static nrw_status put_zeros(bytes *out, size_t n, nrw_error *err)
{
    static const uint8_t zeros[64];

    return bytes_append(out, zeros, n, err);
}

/* Up to a multiple of `to`, a power of two. */
static nrw_status align(bytes *out, size_t to, nrw_error *err)
{
    return put_zeros(out, -out->len & (to - 1), err);
}

static void set_i32(bytes *out, size_t at, int64_t v)
{
    store_u32(out->data + at, (uint32_t)v);
}

static uint32_t size_of(const flat_field *f)
{
    return f->bytes ? f->bytes : 4;
}

/* Fields lie behind the distance to the vtable, widest first, each where it is aligned as the table
 * is to 8; returns the table's bytes. */
static uint32_t lay_out(flat_field *fields, uint32_t n)
{
    uint32_t len = 4;

    for (uint32_t bytes = 8; bytes; bytes /= 2)
        for (uint32_t i = 0; i < n; i++) {
            if (size_of(&fields[i]) != bytes)
                continue;
            len = (len + bytes - 1) & ~(bytes - 1);
            fields[i].at = len;
            len += bytes;
        }
    return len;
}

/* Vtable and table; *at: where the latter begins. */
static nrw_status put_both(bytes *out, flat_field *fields, uint32_t n, size_t *at, nrw_error *err)
{
    uint8_t vtable[4 + 2 * FIELDS] = {0};
    uint32_t ids = n ? fields[n - 1].id + 1u : 0, head = 4 + 2 * ids, len = lay_out(fields, n);
    size_t vtable_at;

    vtable[0] = (uint8_t)head;
    vtable[2] = (uint8_t)len;
    for (uint32_t i = 0; i < n; i++)
        vtable[4 + 2 * fields[i].id] = (uint8_t)fields[i].at;
    TRY(align(out, 2, err));
    vtable_at = out->len;
    TRY(bytes_append(out, vtable, head, err));
    TRY(align(out, 8, err));
    *at = out->len;
    TRY(put_zeros(out, len, err));
    set_i32(out, *at, (int64_t)(*at - vtable_at));
    for (uint32_t i = 0; i < n; i++) {
        fields[i].at += (uint32_t)*at;
        if (fields[i].bytes)
            memcpy(out->data + fields[i].at, &fields[i].value, fields[i].bytes);
    }
    return NRW_OK;
}

/* The reference at `at` leads to `to`. */
static void point(bytes *out, size_t at, size_t to)
{
    set_i32(out, at, (int64_t)(to - at));
}

nrw_status flat_put_root(bytes *out, flat_field *fields, uint32_t n, nrw_error *err)
{
    size_t at;

    bytes_clear(out);
    TRY(put_zeros(out, 4, err));
    TRY(put_both(out, fields, n, &at, err));
    point(out, 0, at);
    return NRW_OK;
}

nrw_status flat_put_table(bytes *out, uint32_t at, flat_field *fields, uint32_t n, nrw_error *err)
{
    size_t to;

    TRY(put_both(out, fields, n, &to, err));
    point(out, at, to);
    return NRW_OK;
}

nrw_status flat_put_string(bytes *out, uint32_t at, span text, nrw_error *err)
{
    TRY(align(out, 4, err));
    point(out, at, out->len);
    TRY(put_zeros(out, 4, err));
    set_i32(out, out->len - 4, (int64_t)text.len);
    TRY(bytes_append(out, text.data, text.len, err));
    return put_zeros(out, 1, err);
}

nrw_status flat_put_refs(bytes *out, uint32_t at, uint32_t n, uint32_t *first, nrw_error *err)
{
    TRY(align(out, 4, err));
    point(out, at, out->len);
    TRY(put_zeros(out, 4, err));
    set_i32(out, out->len - 4, n);
    *first = (uint32_t)out->len;
    for (uint32_t i = 0; i < n; i++)
        TRY(put_zeros(out, 4, err));
    return NRW_OK;
}

nrw_status flat_put_structs(bytes *out, uint32_t at, uint32_t n, nrw_error *err)
{
    TRY(align(out, 4, err));
    if (out->len % 8 == 0)
        TRY(put_zeros(out, 4, err));
    point(out, at, out->len);
    TRY(put_zeros(out, 4, err));
    set_i32(out, out->len - 4, n);
    return NRW_OK;
}
