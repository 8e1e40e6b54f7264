/* Keys are read: what their parts tell. */
#include "exec/sort_key.h"
#include "exec/sort_key_word.h"

static uint64_t float_of(uint64_t x, uint32_t width)
{
    const uint64_t sign = UINT64_C(1) << (8 * width - 1);

    return x & sign ? x ^ sign : ~x;
}

/* word_of of a word that is as wide as the type, turned round. */
static void take_word(const sort_key_part *p, const uint8_t *from, uint8_t *value)
{
    const uint32_t width = p->type->width;
    uint64_t x = 0;

    switch (width) {
    case 8: memcpy(&x, from, 8); break;
    case 4: memcpy(&x, from, 4); break;
    default: memcpy(&x, from, width);
    }
    x = __builtin_bswap64(x) >> (64 - 8 * width);
    x = p->descending ? ~x : x;
    if (key_is_float(p->type))
        x = float_of(x, width);
    else if (key_is_signed(p->type))
        x ^= UINT64_C(1) << (8 * width - 1);
    switch (width) {
    case 8: memcpy(value, &x, 8); break;
    case 4: memcpy(value, &x, 4); break;
    default: memcpy(value, &x, width);
    }
}

static void take_fixed(const sort_key_part *p, const uint8_t *from, uint8_t *value)
{
    const uint32_t width = p->type->width;
    const bool as_is = p->type->id == TYPE_FIXED || p->type->id == TYPE_UUID;
    const uint8_t flip = p->descending ? 0xff : 0;

    for (uint32_t i = 0; i < width; i++)
        value[as_is ? i : width - 1 - i] = from[i] ^ flip;
    if (!as_is && key_is_signed(p->type))
        value[width - 1] ^= 0x80;
}

/* The next of two bytes that end a text, or stand for a zero in it. */
static size_t text_stretch(const sort_key_part *p, span key)
{
    const uint8_t *at = memchr(key.data, p->descending ? 255 : 0, key.len);

    return (size_t)(at - key.data);
}

static bool ends_text(const sort_key_part *p, const uint8_t *two)
{
    return two[1] == (p->descending ? 255 : 0);
}

static void put_stretch(const sort_key_part *p, const uint8_t *from, size_t n, uint8_t *to)
{
    if (!p->descending)
        memcpy(to, from, n);
    for (size_t i = 0; p->descending && i < n; i++)
        to[i] = (uint8_t)~from[i];
}

static bool is_stretch(const sort_key_part *p, const uint8_t *from, size_t n, const uint8_t *text)
{
    size_t i = 0;

    if (!p->descending)
        return memcmp(text, from, n) == 0;
    while (i < n && (text[i] ^ from[i]) == 0xff)
        i++;
    return i == n;
}

/* put_text turned round. `to` NULL: nothing is put. */
static void take_text(const sort_key_part *p, span *key, uint8_t *to)
{
    for (bool ends = false; !ends;) {
        const size_t n = text_stretch(p, *key);
        ends = ends_text(p, key->data + n);
        if (to) {
            put_stretch(p, key->data, n, to);
            to += n;
            if (!ends)
                *to++ = 0;
        }
        span_skip(key, n + 2);
    }
}

static bool is_text(const sort_key_part *p, span *key, span text)
{
    bool same = true;

    for (bool ends = false; !ends;) {
        const size_t n = text_stretch(p, *key);
        ends = ends_text(p, key->data + n);
        same = same && (ends ? n == text.len : n < text.len && text.data[n] == 0) &&
               is_stretch(p, key->data, n, text.data);
        if (same)
            span_skip(&text, n + !ends);
        span_skip(key, n + 2);
    }
    return same;
}

nrw_status sort_key_parts_new(arena *a, const type *types, const sort_order *orders, uint32_t n,
                              uint32_t before, uint32_t end, sort_key_parts **out, nrw_error *err)
{
    sort_key_parts *k;

    TRY(arena_alloc(a, sizeof *k + n * sizeof *k->at, (void **)&k, err));
    k->place = false;
    k->n = 0;
    for (uint32_t i = 0; i < n; i++) {
        const type *t = &types[orders[i].column];
        const uint32_t column = orders[i].column + before;
        if (!sort_key_reads(t))
            break;
        k->at[k->n++] =
            (sort_key_part){t, orders[i].descending, column < end ? column : UINT32_MAX};
    }
    *out = k;
    return NRW_OK;
}

bool sort_key_reads(const type *t)
{
    return !type_is_nested(t) && t->id != TYPE_INTERVAL;
}

static bool may_tell(const type *t)
{
    return sort_key_reads(t) && (type_is_view(t) || (t->width && t->width <= SORT_KEY_TOLD));
}

bool sort_key_tells_all(const type *t)
{
    return may_tell(t) && !key_is_float(t);
}

/* Takes the mark. */
static bool take_null(span *key)
{
    const bool null = key->data[0] != 1;

    span_skip(key, 1);
    return null;
}

void sort_key_skip(const sort_key_part *p, span *key)
{
    if (take_null(key))
        return;
    if (type_is_view(p->type))
        take_text(p, key, NULL);
    else
        span_skip(key, p->type->width);
}

void sort_key_take(const sort_key_part *p, span *key, uint8_t *value)
{
    const bool null = take_null(key), view = type_is_view(p->type);

    if (null) {
        memset(value, 0, view ? 0 : p->type->width);
    } else if (view) {
        take_text(p, key, value);
    } else {
        if (key_is_word(p->type))
            take_word(p, key->data, value);
        else
            take_fixed(p, key->data, value);
        span_skip(key, p->type->width);
    }
}

static bool same_bytes(const uint8_t *a, const uint8_t *b, uint32_t width)
{
    switch (width) {
    case 8: return load_u64(a) == load_u64(b);
    case 4: return load_u32(a) == load_u32(b);
    default: return memcmp(a, b, width) == 0;
    }
}

bool sort_key_tells(const sort_key_part *p, span *key, span value)
{
    uint8_t told[SORT_KEY_TOLD];

    if (p->column == UINT32_MAX || !may_tell(p->type)) {
        sort_key_skip(p, key);
        return false;
    }
    if (type_is_view(p->type))
        return take_null(key) ? value.len == 0 : is_text(p, key, value);
    sort_key_take(p, key, told);
    return same_bytes(told, value.data, p->type->width);
}
