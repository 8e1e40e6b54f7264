#include "exec/hash_rows.h"
#include "exec/rows_fields.h"
#include "kernel/kernel.h"

typedef struct unpacking {
    const row_layout *l;
    uint32_t n;
    const uint8_t *in;
    uint8_t *row[PACK_ROWS];
    uint64_t value[PACK_ROWS + PACK_SLACK / 8];
    uint32_t text[PACK_ROWS]; /* how far the row's texts have come, from the bits */
    uint32_t len[PACK_ROWS];
    span key[PACK_ROWS]; /* what is left of it, while it tells columns */
    uint8_t told;        /* what was left out */
} unpacking;

/* The values of a field of so many bytes. Bits above them are anything. */
static void take_values(unpacking *u, uint32_t width)
{
    uint64_t least = 0;
    uint32_t bits, low = 0;
    bool halves;

    memcpy(&least, u->in, width);
    u->in += width;
    bits = *u->in++;
    halves = bits >= HALVES;
    if (halves) {
        low = bits - HALVES;
        bits = *u->in++;
    }
    kernels_get()->unpack_u64(u->in, bits, u->n, u->value);
    u->in += ((size_t)u->n * bits + 7) / 8;
    for (uint32_t i = 0; halves && i < u->n; i++)
        u->value[i] = u->value[i] >> low << 32 | (u->value[i] & field_low_bits(low));
    for (uint32_t i = 0; i < u->n; i++)
        u->value[i] += least;
}

#define STORE(ctype)                                                                               \
    for (uint32_t i = 0; i < u->n; i++) {                                                          \
        ctype v = (ctype)u->value[i];                                                              \
        memcpy(u->row[i] + at, &v, sizeof v);                                                      \
    }

static void take_field(void *self, uint32_t at, uint32_t width)
{
    unpacking *u = self;

    take_values(u, width);
    switch (width) {
    case 8: STORE(uint64_t) break;
    case 4: STORE(uint32_t) break;
    case 2: STORE(uint16_t) break;
    default: STORE(uint8_t) break;
    }
}

static void add_length(void *self, uint32_t at, uint32_t width)
{
    unpacking *u = self;

    (void)at;
    take_values(u, width);
    for (uint32_t i = 0; i < u->n; i++)
        u->text[i] += (uint32_t)u->value[i];
}

/* Sizes of the rows, from the lengths of their texts, and the rows, all zero but for them and the
 * lengths. Where the last one ends. */
static uint8_t *lay_rows(unpacking *u, uint8_t *dst)
{
    const row_layout *l = u->l;
    const uint8_t *fields = u->in;

    for (uint32_t i = 0; i < u->n; i++)
        u->text[i] = l->fixed;
    fields_of_lengths(l, add_length, u);
    for (uint32_t i = 0; i < u->n; i++) {
        uint32_t bytes = (u->text[i] + 7) & ~7u;
        u->row[i] = dst;
        memset(dst, 0, l->fixed);
        memset(dst + bytes - 8, 0, 8);
        store_u32(dst, bytes);
        dst += bytes;
        u->text[i] = l->fixed - l->bits;
    }
    u->in = fields;
    fields_of_lengths(l, take_field, u);
    return dst;
}

static void take_word(void *self, uint32_t at, uint32_t width)
{
    unpacking *u = self;

    take_values(u, width);
    for (uint32_t i = 0; i < u->n; i++) {
        uint64_t v = __builtin_bswap64(u->value[i] << (64 - 8 * width));
        memcpy(u->row[i] + u->l->bits + u->text[i] + at, &v, width);
    }
}

static void take_told_text(unpacking *u, uint32_t part)
{
    const sort_key_part *parts = u->l->key->at;

    for (uint32_t i = 0; i < u->n; i++) {
        span key = row_value(u->l, u->row[i], 0);
        for (uint32_t k = 0; k < part; k++)
            sort_key_skip(&parts[k], &key);
        sort_key_take(&parts[part], &key, u->row[i] + u->l->bits + u->text[i]);
    }
}

static void take_uneven(unpacking *u, uint32_t c)
{
    const size_t front = load_u32(u->in), end = load_u32(u->in + 4);
    const uint8_t *first = u->in + 8, *last = first + front, *in = last + end;

    for (uint32_t i = 0; i < u->n; i++) {
        uint8_t *to = u->row[i] + u->l->bits + u->text[i];
        const size_t between = u->len[i] - field_place(u->l, c) - front - end;
        memcpy(to, first, front);
        memcpy(to + front, in, between);
        memcpy(to + front + between, last, end);
        in += between;
    }
    u->in = in;
}

/* Of texts that are there already. */
static void take_places(unpacking *u)
{
    take_values(u, 8);
    for (uint32_t i = 0; i < u->n; i++)
        store_u64(u->row[i] + u->l->bits + u->text[i] - 8, __builtin_bswap64(u->value[i]));
}

static void take_text(void *self, uint32_t c)
{
    unpacking *u = self;
    const uint32_t at = u->l->at[c], place = field_place(u->l, c);
    uint32_t even, part;

    for (uint32_t i = 0; i < u->n; i++) {
        u->len[i] = load_u32(u->row[i] + at + 4);
        if (row_has(u->l, u->row[i], c))
            store_u32(u->row[i] + at, u->text[i]);
    }
    part = field_part_telling(u->l, u->told, c);
    even = part == UINT32_MAX ? field_even_length(u->len, u->n) : 0;
    if (part != UINT32_MAX)
        take_told_text(u, part);
    else if (even)
        fields_of_text(even, take_word, u);
    else
        take_uneven(u, c);
    for (uint32_t i = 0; i < u->n; i++)
        u->text[i] += u->len[i];
    if (part == UINT32_MAX && !even && place)
        take_places(u);
}

/* What the key's parts tell of columns that are no texts. */
static void take_told(unpacking *u)
{
    const row_layout *l = u->l;
    uint32_t told = u->told >> 1;

    for (uint32_t i = 0; told && i < u->n; i++)
        u->key[i] = row_value(l, u->row[i], 0);
    for (uint32_t k = 0; told; k++, told >>= 1) {
        const sort_key_part *part = &l->key->at[k];
        for (uint32_t i = 0; i < u->n; i++)
            if (told & 1 && !field_is_text(l, part->column))
                sort_key_take(part, &u->key[i], u->row[i] + l->at[part->column]);
            else
                sort_key_skip(part, &u->key[i]);
    }
}

static uint8_t *take_stretch(unpacking *u, uint8_t *dst)
{
    uint8_t *end;

    u->n = load_u32(u->in);
    u->told = u->in[4];
    u->in += 5;
    end = lay_rows(u, dst);
    fields_before_texts(u->l, u->told, take_field, u);
    for (uint32_t i = 0; u->told & TOLD_HASHES && i < u->n; i++)
        store_u64(u->row[i] + 8, hash_row(u->l, u->row[i]));
    fields_each_text(u->l, take_text, u);
    take_told(u);
    return end;
}

uint32_t rows_packed(const uint8_t *block)
{
    return load_u32(block) ? 0 : load_u32(block + 4);
}

void rows_unpack(const row_layout *l, const uint8_t *block, uint8_t *dst)
{
    unpacking u = {.l = l, .in = block + 8};
    const uint8_t *end = dst + rows_packed(block);

    while (dst < end)
        dst = take_stretch(&u, dst);
}
