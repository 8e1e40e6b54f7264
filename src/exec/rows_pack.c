#include "exec/hash_rows.h"
#include "exec/rows_fields.h"
#include "kernel/kernel.h"

uint32_t rows_pack_bits(const type *t, int64_t least, int64_t greatest)
{
    const uint32_t bits = field_bits((uint64_t)greatest - (uint64_t)least);

    if (t->width > 8 && least < 0 && greatest >= 0) /* the words above are all bits or none */
        return 64 + t->width / 8 - 1;
    return bits < 8 * t->width ? bits : 8 * t->width;
}

typedef struct packing {
    const row_layout *l;
    uint32_t n;
    const uint8_t *row[PACK_ROWS];
    uint64_t value[PACK_ROWS + PACK_SLACK / 8]; /* two's complement */
    uint32_t len[PACK_ROWS];
    uint32_t text;       /* the column whose words are put */
    span key[PACK_ROWS]; /* what is left of it, while its parts are looked at */
    uint8_t told;        /* what is left out */
    uint8_t *out;
} packing;

/* Bits of the distances between numbers from `least` to `most` where their halves are put together:
 * *low of them are those of the lower ones. */
static uint32_t halves_of(const packing *p, uint64_t least, uint64_t most, uint32_t *low)
{
    uint64_t any = 0;

    for (uint32_t i = 0; i < p->n; i++)
        any |= p->value[i];
    *low = field_bits((uint32_t)any);
    return *low + field_bits((most >> 32) - (least >> 32));
}

/* Each number to what its halves are put together. */
static void put_halves(packing *p, uint64_t high, uint32_t low)
{
    for (uint32_t i = 0; i < p->n; i++)
        p->value[i] = ((p->value[i] >> 32) - high) << low | (p->value[i] & field_low_bits(low));
}

/* The values as a field of so many bytes. */
static void put_values(packing *p, uint32_t width)
{
    int64_t least = (int64_t)p->value[0], most = least;
    uint32_t bits, low = 32, both = 64;
    uint8_t *out = p->out;

    for (uint32_t i = 1; i < p->n; i++) {
        const int64_t v = (int64_t)p->value[i];
        least = v < least ? v : least;
        most = v > most ? v : most;
    }
    bits = field_bits((uint64_t)most - (uint64_t)least);
    if (bits > 32 && least >= 0)
        both = halves_of(p, (uint64_t)least, (uint64_t)most, &low);
    if (both < bits) {
        least &= ~(int64_t)UINT32_MAX;
        put_halves(p, (uint64_t)least >> 32, low);
    } else {
        for (uint32_t i = 0; bits && i < p->n; i++)
            p->value[i] -= (uint64_t)least;
    }
    memcpy(out, &least, width);
    out += width;
    if (both < bits)
        *out++ = (uint8_t)(HALVES + low);
    bits = both < bits ? both : bits;
    *out++ = (uint8_t)bits;
    kernels_get()->pack_u64(p->value, bits, p->n, out);
    p->out = out + ((size_t)p->n * bits + 7) / 8;
}

#define LOAD(ctype)                                                                                \
    for (uint32_t i = 0; i < p->n; i++) {                                                          \
        ctype v;                                                                                   \
        memcpy(&v, p->row[i] + at, sizeof v);                                                      \
        p->value[i] = (uint64_t)v;                                                                 \
    }

static void put_field(void *self, uint32_t at, uint32_t width)
{
    packing *p = self;

    switch (width) {
    case 8: LOAD(int64_t) break;
    case 4: LOAD(int32_t) break;
    case 2: LOAD(int16_t) break;
    default: LOAD(int8_t) break;
    }
    put_values(p, width);
}

static void load_lengths(packing *p, uint32_t c)
{
    for (uint32_t i = 0; i < p->n; i++)
        p->len[i] = load_u32(p->row[i] + p->l->at[c] + 4);
}

static const uint8_t *text_at(const packing *p, uint32_t c, uint32_t i)
{
    return p->row[i] + p->l->bits + load_u32(p->row[i] + p->l->at[c]);
}

static void put_word(void *self, uint32_t at, uint32_t width)
{
    packing *p = self;

    for (uint32_t i = 0; i < p->n; i++) {
        uint64_t v = 0;
        memcpy(&v, text_at(p, p->text, i) + at, width);
        p->value[i] = __builtin_bswap64(v) >> (64 - 8 * width);
    }
    put_values(p, width);
}

/* A text without the place behind it. */
static span uneven_text(const packing *p, uint32_t c, uint32_t i)
{
    return (span){text_at(p, c, i), p->len[i] - field_place(p->l, c)};
}

/* How many bytes all texts begin with. */
static size_t same_front(const packing *p, uint32_t c)
{
    const span first = uneven_text(p, c, 0);
    size_t same = first.len;

    for (uint32_t i = 1; i < p->n && same; i++) {
        const span text = uneven_text(p, c, i);
        size_t at = 0;
        same = size_min(same, text.len);
        while (at < same && text.data[at] == first.data[at])
            at++;
        same = at;
    }
    return same;
}

/* And end with, behind those. */
static size_t same_end(const packing *p, uint32_t c, size_t front)
{
    const span first = uneven_text(p, c, 0);
    size_t same = first.len - front;

    for (uint32_t i = 1; i < p->n && same; i++) {
        const span text = uneven_text(p, c, i);
        const uint8_t *a = text.data + text.len, *b = first.data + first.len;
        size_t at = 0;
        same = size_min(same, text.len - front);
        while (at < same && a[-1 - (ptrdiff_t)at] == b[-1 - (ptrdiff_t)at])
            at++;
        same = at;
    }
    return same;
}

static void put_bytes(packing *p, span s)
{
    memcpy(p->out, s.data, s.len);
    p->out += s.len;
}

/* Texts of unlike lengths. */
static void put_uneven(packing *p, uint32_t c)
{
    const span first = uneven_text(p, c, 0);
    const size_t front = same_front(p, c), end = same_end(p, c, front);

    store_u32(p->out, (uint32_t)front);
    store_u32(p->out + 4, (uint32_t)end);
    p->out += 8;
    put_bytes(p, (span){first.data, front});
    put_bytes(p, (span){first.data + first.len - end, end});
    for (uint32_t i = 0; i < p->n; i++) {
        const span text = uneven_text(p, c, i);
        put_bytes(p, (span){text.data + front, text.len - front - end});
    }
}

static void put_places(packing *p, uint32_t c)
{
    for (uint32_t i = 0; i < p->n; i++)
        p->value[i] = __builtin_bswap64(load_u64(text_at(p, c, i) + p->len[i] - 8));
    put_values(p, 8);
}

static void put_text(void *self, uint32_t c)
{
    packing *p = self;
    uint32_t even;

    if (field_is_told(p->l, p->told, c))
        return;
    load_lengths(p, c);
    even = field_even_length(p->len, p->n);
    if (even) {
        p->text = c;
        fields_of_text(even, put_word, p);
        return;
    }
    put_uneven(p, c);
    if (field_place(p->l, c))
        put_places(p, c);
}

/* The rows of a stretch at the front of `rows`, which it takes from there. */
static void take_rows(packing *p, span *rows)
{
    for (p->n = 0; p->n < PACK_ROWS && rows->len; p->n++) {
        p->row[p->n] = rows->data;
        span_skip(rows, row_bytes(rows->data));
    }
}

static bool hashes_are_told(const packing *p)
{
    bool told = p->l->n_hashed > 0;

    for (uint32_t i = 0; told && i < p->n; i++)
        told = row_hash(p->row[i]) == hash_row(p->l, p->row[i]);
    return told;
}

/* A value of column c, as it is kept. */
static span kept_value(const row_layout *l, const uint8_t *row, uint32_t c)
{
    return c < l->n ? row_value(l, row, c) : (span){0};
}

/* Whether the part of the key, which is taken from all rows' keys, tells its column's values. */
static bool part_tells(packing *p, const sort_key_part *part)
{
    bool tells = true;

    for (uint32_t i = 0; i < p->n; i++) {
        const span value = kept_value(p->l, p->row[i], part->column);
        if (tells)
            tells = sort_key_tells(part, &p->key[i], value);
        else
            sort_key_skip(part, &p->key[i]);
    }
    return tells;
}

static void find_told(packing *p)
{
    const uint32_t parts = field_parts(p->l);

    p->told = hashes_are_told(p) ? TOLD_HASHES : 0;

    for (uint32_t i = 0; parts && i < p->n; i++)
        p->key[i] = row_value(p->l, p->row[i], 0);
    for (uint32_t k = 0; k < parts; k++)
        p->told |= (uint8_t)(part_tells(p, &p->l->key->at[k]) ? 2u << k : 0);
}

static void put_stretch(packing *p)
{
    find_told(p);
    store_u32(p->out, p->n);
    p->out[4] = p->told;
    p->out += 5;
    fields_of_lengths(p->l, put_field, p);
    fields_before_texts(p->l, p->told, put_field, p);
    fields_each_text(p->l, put_text, p);
}

nrw_status rows_pack(const row_layout *l, span rows, bytes *out, nrw_error *err)
{
    packing p = {.l = l};
    size_t head = 8, stretch;

    TRY(bytes_reserve(out, head + PACK_SLACK, err));
    store_u32(out->data + out->len, 0);
    store_u32(out->data + out->len + 4, (uint32_t)rows.len);
    out->len += head;
    while (rows.len) {
        size_t all = rows.len;
        take_rows(&p, &rows);
        /* no more than the rows, and a least value and two bytes for each byte of a first one */
        stretch = 5 + (all - rows.len) + 3 * (size_t)l->fixed + 3 * WORDS_LEN * (size_t)l->n;
        TRY(bytes_reserve(out, stretch + PACK_SLACK, err));
        p.out = out->data + out->len;
        put_stretch(&p);
        out->len = (size_t)(p.out - out->data);
    }
    return NRW_OK;
}
