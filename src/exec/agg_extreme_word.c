#include "exec/agg_extreme.h"

#define SIGN (UINT64_C(1) << 63)

enum { SIGNED, UNSIGNED, FLOATING, NONE };

static int kind_of(const type *t)
{
    switch (t->id) {
    case TYPE_BOOL:
    case TYPE_UINT8:
    case TYPE_UINT16:
    case TYPE_UINT32:
    case TYPE_UINT64: return UNSIGNED;
    case TYPE_INT8:
    case TYPE_INT16:
    case TYPE_INT32:
    case TYPE_INT64:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMESTAMP: return SIGNED;
    case TYPE_DECIMAL: return t->width <= 8 ? SIGNED : NONE;
    case TYPE_FLOAT32:
    case TYPE_FLOAT64: return FLOATING;
    default: return NONE;
    }
}

bool word_fits(const type *t)
{
    return kind_of(t) != NONE && t->width <= 8;
}

/* Numbers of any width in 64 bits. */
static inline uint64_t load(const uint8_t *p, int kind, uint32_t width)
{
    int32_t x = 0;
    int16_t s;
    float f;
    double d;
    uint64_t y = 0;

    if (width == 8)
        return load_u64(p);
    if (kind == FLOATING) {
        memcpy(&f, p, sizeof f);
        d = (double)f;
        memcpy(&y, &d, sizeof y);
    } else if (kind == UNSIGNED) {
        y = width == 4 ? load_u32(p) : width == 2 ? (uint64_t)p[0] | (uint64_t)p[1] << 8 : *p;
    } else {
        if (width == 4)
            x = (int32_t)load_u32(p);
        else if (width == 2)
            x = (memcpy(&s, p, sizeof s), s);
        else
            x = (int8_t)*p;
        y = (uint64_t)(int64_t)x;
    }
    return y;
}

static inline uint64_t in_order(uint64_t x, int kind)
{
    if (kind == UNSIGNED)
        return x;
    if (kind == FLOATING) {
        if ((x & ~SIGN) > UINT64_C(0x7ff) << 52)
            x = UINT64_C(0x7ff8) << 48;
        return x & SIGN ? ~x : x | SIGN;
    }
    return x ^ SIGN;
}

static inline uint64_t word_at(const uint8_t *p, int kind, uint32_t width, bool max)
{
    uint64_t word = in_order(load(p, kind, width), kind);

    return max ? word : ~word;
}

uint64_t word_of(const type *t, const uint8_t *value, bool max)
{
    return word_at(value, kind_of(t), t->width, max);
}

static inline void words_at(const uint8_t *p, int kind, uint32_t width, uint32_t n, uint64_t *words)
{
    for (uint32_t i = 0; i < n; i++)
        words[i] = word_at(p + (size_t)i * width, kind, width, true);
}

void words_of(const type *t, const uint8_t *values, uint32_t n, uint64_t *words)
{
    int kind = kind_of(t);

    if (kind == SIGNED && t->width == 4)
        words_at(values, SIGNED, 4, n, words);
    else if (kind == SIGNED && t->width == 8)
        words_at(values, SIGNED, 8, n, words);
    else if (kind == FLOATING && t->width == 8)
        words_at(values, FLOATING, 8, n, words);
    else
        words_at(values, kind, t->width, n, words);
}

void word_put(const type *t, uint64_t word, bool max, uint8_t *to)
{
    int kind = kind_of(t);
    uint64_t x = max ? word : ~word;
    double d;
    float f;

    if (kind == SIGNED)
        x ^= SIGN;
    else if (kind == FLOATING)
        x = x & SIGN ? x ^ SIGN : ~x;
    if (kind == FLOATING && t->width == 4) {
        memcpy(&d, &x, sizeof d);
        f = (float)d;
        memcpy(to, &f, sizeof f);
    } else {
        memcpy(to, &x, t->width); /* its lower bytes */
    }
}

static inline void add_kind(const vector *v, const aggregate_rows *r, int kind, uint32_t width,
                            bool max)
{
    for (uint32_t i = 0; i < r->n; i++)
        if (vector_is_valid(v, i))
            word_take((word_state *)(void *)agg_state(r, i),
                      word_at(v->data + (size_t)i * width, kind, width, max));
}

void word_add(const vector *v, const aggregate_rows *r, bool max)
{
    int kind = kind_of(&v->type);

    if (kind == SIGNED && v->type.width == 4)
        add_kind(v, r, SIGNED, 4, max);
    else if (kind == SIGNED && v->type.width == 8)
        add_kind(v, r, SIGNED, 8, max);
    else if (kind == FLOATING && v->type.width == 8)
        add_kind(v, r, FLOATING, 8, max);
    else
        add_kind(v, r, kind, v->type.width, max);
}
