#include "column/flatbuf.h"

/* Whether bytes [at, at + n) are there. */
static bool inside(span all, uint64_t at, uint64_t n)
{
    return at <= all.len && n <= all.len - at;
}

static uint16_t load_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

/* The table begins with the distance back to its vtable, which begins with the lengths of both. */
static bool table_at(span all, uint64_t at, flat_table *out)
{
    int64_t vtable;

    *out = (flat_table){.all = all};
    if (!inside(all, at, 4))
        return false;
    vtable = (int64_t)at - (int32_t)load_u32(all.data + at);
    if (vtable < 0 || !inside(all, (uint64_t)vtable, 4))
        return false;
    out->at = (uint32_t)at;
    out->vtable = (uint32_t)vtable;
    out->vtable_len = load_u16(all.data + vtable);
    out->len = load_u16(all.data + vtable + 2);
    return out->vtable_len >= 4 && out->len >= 4 &&
           inside(all, (uint64_t)vtable, out->vtable_len) && inside(all, at, out->len);
}

/* Where the reference at `at` leads. */
static bool follow(span all, uint32_t at, uint64_t *to)
{
    uint32_t distance = load_u32(all.data + at);

    *to = (uint64_t)at + distance;
    return distance != 0 && *to < all.len;
}

bool flat_root(span all, flat_table *out)
{
    uint64_t at;

    *out = (flat_table){0};
    if (all.len > UINT32_MAX / 2 || !inside(all, 0, 4))
        return false;
    return follow(all, 0, &at) && table_at(all, at, out);
}

/* *at: where the field's `bytes` lie; 0: it is not there. */
static bool find(const flat_table *t, int id, uint32_t bytes, uint32_t *at)
{
    uint32_t entry = 4 + 2 * (uint32_t)id, offset;

    *at = 0;
    if (entry + 2 > t->vtable_len)
        return true;
    offset = load_u16(t->all.data + t->vtable + entry);
    if (!offset)
        return true;
    if (offset < 4 || offset + bytes > t->len)
        return false;
    *at = t->at + offset;
    return true;
}

bool flat_i64(const flat_table *t, int id, int64_t initial, int64_t *out)
{
    uint32_t at;
    bool ok = find(t, id, 8, &at);

    *out = ok && at ? (int64_t)load_u64(t->all.data + at) : initial;
    return ok;
}

bool flat_i32(const flat_table *t, int id, int32_t initial, int32_t *out)
{
    uint32_t at;
    bool ok = find(t, id, 4, &at);

    *out = ok && at ? (int32_t)load_u32(t->all.data + at) : initial;
    return ok;
}

bool flat_i16(const flat_table *t, int id, int16_t initial, int16_t *out)
{
    uint32_t at;
    bool ok = find(t, id, 2, &at);

    *out = ok && at ? (int16_t)load_u16(t->all.data + at) : initial;
    return ok;
}

bool flat_u8(const flat_table *t, int id, uint8_t initial, uint8_t *out)
{
    uint32_t at;
    bool ok = find(t, id, 1, &at);

    *out = ok && at ? t->all.data[at] : initial;
    return ok;
}

static bool find_ref(const flat_table *t, int id, bool *has, uint64_t *to)
{
    uint32_t at;

    *has = false;
    if (!find(t, id, 4, &at))
        return false;
    *has = at != 0;
    return !at || follow(t->all, at, to);
}

bool flat_child(const flat_table *t, int id, bool *has, flat_table *out)
{
    uint64_t to = 0;

    *out = (flat_table){0};
    return find_ref(t, id, has, &to) && (!*has || table_at(t->all, to, out));
}

/* Elements of `bytes` each behind their count. */
static bool vector_at(span all, uint64_t to, uint32_t bytes, flat_vector *out)
{
    *out = (flat_vector){.all = all};
    if (!inside(all, to, 4))
        return false;
    out->n = load_u32(all.data + to);
    out->at = (uint32_t)to + 4;
    return inside(all, out->at, (uint64_t)out->n * bytes);
}

bool flat_string(const flat_table *t, int id, bool *has, span *out)
{
    flat_vector v;
    uint64_t to = 0;

    *out = (span){0};
    if (!find_ref(t, id, has, &to))
        return false;
    if (!*has)
        return true;
    if (!vector_at(t->all, to, 1, &v))
        return false;
    *out = (span){t->all.data + v.at, v.n};
    return true;
}

bool flat_structs(const flat_table *t, int id, uint32_t bytes, flat_vector *out)
{
    uint64_t to = 0;
    bool has;

    *out = (flat_vector){0};
    return find_ref(t, id, &has, &to) && (!has || vector_at(t->all, to, bytes, out));
}

bool flat_refs(const flat_table *t, int id, flat_vector *out)
{
    return flat_structs(t, id, 4, out);
}

bool flat_element(const flat_vector *v, uint32_t i, flat_table *out)
{
    uint64_t to;

    *out = (flat_table){0};
    return i < v->n && follow(v->all, v->at + 4 * i, &to) && table_at(v->all, to, out);
}
