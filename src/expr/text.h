/* Text as functions see it: characters of UTF-8. */
#ifndef EXPR_TEXT_H
#define EXPR_TEXT_H

#include "expr/function.h"

/* Bytes of the character at the start of s; 1 where the bytes are no UTF-8. s is not empty. */
static inline size_t char_len(span s)
{
    uint8_t c = s.data[0];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    return n < s.len ? n : s.len;
}

static inline uint32_t char_code(span s)
{
    const uint8_t *p = s.data;

    switch (char_len(s)) {
    case 2: return (p[0] & 31u) << 6 | (p[1] & 63u);
    case 3: return (p[0] & 15u) << 12 | (p[1] & 63u) << 6 | (p[2] & 63u);
    case 4: return (p[0] & 7u) << 18 | (p[1] & 63u) << 12 | (p[2] & 63u) << 6 | (p[3] & 63u);
    default: return p[0];
    }
}

/* How many characters. */
size_t text_chars(span s);
/* The byte at which character n begins, s.len where there are fewer. */
size_t text_byte_of(span s, size_t n);
/* Where needle first is in s, SIZE_MAX where it is not; the empty one is at 0. */
size_t text_find(span s, span needle);

static inline span text_from(span s, size_t at)
{
    return (span){s.data + at, s.len - at};
}

/* Argument k of row i. */
#define TEXT(k) flat_span(args->at[k], ROW(args, k, i))
#define BIG(k)  ARG(int64_t, args, k)[ROW(args, k, i)]

/* A function that gives a part of its first argument, which its result shares. */
#define PART_FUNCTION(name, part)                                                                  \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        vector_share_heaps(args->at[0], out);                                                      \
        for (uint32_t i = 0; i < args->rows; i++)                                                  \
            if (row_valid(out, i))                                                                 \
                text_part(out, i, args->at[0], ROW(args, 0, i), part);                             \
        return NRW_OK;                                                                             \
    }

/* A function whose rows are written by put(e, args, i, &text, err). */
#define PUT_FUNCTION(name, put)                                                                    \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        text_out t = {.out = out};                                                                 \
        nrw_status st = NRW_OK;                                                                    \
        for (uint32_t i = 0; i < args->rows && st == NRW_OK; i++)                                  \
            if (row_valid(out, i))                                                                 \
                st = put(e, args, i, &t, err);                                                     \
        text_end(&t);                                                                              \
        return st;                                                                                 \
    }

/* A function of rows to a value of type Z. */
#define VALUE_FUNCTION(name, Z, value)                                                             \
    static nrw_status name(const expr *e, const scalar_args *args, vector *out, nrw_error *err)    \
    {                                                                                              \
        (void)e;                                                                                   \
        (void)err;                                                                                 \
        for (uint32_t i = 0; i < args->rows; i++)                                                  \
            OUT(Z, out)[i] = row_valid(out, i) ? (Z)(value) : (Z)0;                                \
        return NRW_OK;                                                                             \
    }

#endif
