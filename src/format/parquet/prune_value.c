/* Values between statistics (PLAIN bytes) and vectors. */
#include "format/parquet/prune.h"

#include "format/parquet/meta_priv.h"

static bool is_signed(type_id id)
{
    return id != TYPE_BOOL && id != TYPE_UINT8 && id != TYPE_UINT16 && id != TYPE_UINT32 &&
           id != TYPE_UINT64;
}

/* Little-endian integer of `len` bytes to `width` bytes; false where it does not fit. */
static bool resize(const uint8_t *p, size_t len, bool sign, size_t width, uint8_t *out)
{
    uint8_t fill = sign && p[len - 1] & 0x80 ? 0xff : 0;

    for (size_t i = width; i < len; i++)
        if (p[i] != fill)
            return false;
    if (width < len && sign && (p[width - 1] & 0x80) != (fill & 0x80))
        return false;
    for (size_t i = 0; i < width; i++)
        out[i] = i < len ? p[i] : fill;
    return true;
}

static bool is_nan(const type *t, const uint8_t *p)
{
    float f;
    double d;

    switch (t->id) {
    case TYPE_FLOAT16: return ((p[0] | (unsigned)p[1] << 8) & 0x7fff) > 0x7c00;
    case TYPE_FLOAT32: memcpy(&f, p, 4); return f != f;
    case TYPE_FLOAT64: memcpy(&d, p, 8); return d != d;
    default: return false;
    }
}

/* Big-endian two's complement of any length to a decimal of the vectors' width. */
static bool decimal_bound(span b, size_t width, uint8_t room[32], span *out)
{
    uint8_t fill = b.len && b.data[0] & 0x80 ? 0xff : 0;

    if (b.len == 0)
        return false;
    for (size_t i = 0; i + width < b.len; i++)
        if (b.data[i] != fill)
            return false;
    if (b.len > width && (b.data[b.len - width] & 0x80) != (fill & 0x80))
        return false;
    for (size_t i = 0; i < width; i++)
        room[i] = i < b.len ? b.data[b.len - 1 - i] : fill;
    *out = (span){room, width};
    return true;
}

bool pq_bound_value(const pq_leaf *l, span bound, uint8_t room[32], span *out)
{
    const type *t = &l->field.type;
    size_t width = pq_value_width(l);

    if (l->physical == PQ_INT96 || (width && bound.len != width))
        return false;
    if (type_is_view(t) || t->id == TYPE_FIXED || t->id == TYPE_UUID) {
        *out = bound;
        return true;
    }
    if (t->width == 0 || t->width > 32)
        return false;
    if (t->id == TYPE_DECIMAL && l->physical != PQ_INT32 && l->physical != PQ_INT64)
        return decimal_bound(bound, t->width, room, out);
    *out = (span){room, t->width};
    if (l->physical == PQ_BOOLEAN && bound.data[0] > 1)
        return false;
    return resize(bound.data, bound.len, is_signed(t->id), t->width, room) && !is_nan(t, room);
}

bool pq_plain_value(const pq_leaf *l, span value, uint8_t room[32], span *out)
{
    const type *t = &l->field.type;
    size_t width = pq_value_width(l);

    if (type_is_view(t) || t->id == TYPE_FIXED || t->id == TYPE_UUID) {
        *out = value;
        return l->physical != PQ_FIXED_LEN_BYTE_ARRAY || value.len == l->type_length;
    }
    if (l->physical == PQ_INT96 || l->physical == PQ_BOOLEAN || t->id == TYPE_FLOAT16)
        return false;
    if (t->id == TYPE_DECIMAL && l->physical == PQ_FIXED_LEN_BYTE_ARRAY) {
        uint8_t little[32];
        width = l->type_length;
        if (width > 32 || width == 0 || !resize(value.data, value.len, true, width, little))
            return false;
        for (size_t i = 0; i < width; i++)
            room[i] = little[width - 1 - i];
    } else if (width == 0 || width > 8 ||
               !resize(value.data, value.len, is_signed(t->id), width, room)) {
        return false; /* decimals of any length: as many zeros in front as the writer likes */
    }
    *out = (span){room, width};
    return true;
}

void pq_facts_bound(const pq_leaf *l, const span *min, const span *max, uint8_t room[64],
                    value_facts *f)
{
    f->has_min = min && pq_bound_value(l, *min, room, &f->min);
    f->has_max = max && pq_bound_value(l, *max, room + 32, &f->max);
    if (min && max && f->has_min && f->has_max && pq_value_compare(l, *min, *max) > 0)
        f->has_min = f->has_max = false;
}

/* Nobody cuts such bounds short. */
static bool bounds_are_values(const pq_leaf *l)
{
    return l->physical == PQ_BOOLEAN || l->physical == PQ_INT32 || l->physical == PQ_INT64 ||
           (l->field.type.id == TYPE_DECIMAL && l->physical == PQ_FIXED_LEN_BYTE_ARRAY);
}

value_facts pq_chunk_facts(const pq_meta *meta, uint32_t leaf, const pq_chunk *c, int64_t rows,
                           uint8_t room[64])
{
    const pq_leaf *l = pq_meta_leaf(meta, leaf);
    const pq_statistics *s = &c->stats;
    value_facts f = {.rows = rows, .nulls = -1};

    if (l->max_def == 0)
        f.nulls = 0;
    else if (s->has_null_count && s->null_count <= rows && !pq_meta_wrong_nulls(meta))
        f.nulls = s->null_count;
    if (!pq_meta_wrong_bounds(meta))
        pq_facts_bound(l, s->has_min ? &s->min : NULL, s->has_max ? &s->max : NULL, room, &f);
    f.min_exact = f.has_min && (s->min_exact || bounds_are_values(l));
    f.max_exact = f.has_max && (s->max_exact || bounds_are_values(l));
    return f;
}
