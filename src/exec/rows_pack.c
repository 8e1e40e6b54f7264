/* A block: zero, which no row begins with, and how many bytes the rows take (4 each). Then
 * stretches of rows: their number (4), whether their hashes are left out (1), the fields, the
 * texts. They are where each is that of the first column's word, as of groups of one key.
 *
 * A field is the least value (as wide as the field), how many bytes the distances from it take (1),
 * and the distances. Fields are, in this order: the lengths of all text columns, from which follows
 * where texts start and how long rows are; what stands before the columns, word by word; the other
 * columns, those wider than a word in pieces. Texts come column by column, one behind the other;
 * where a column's are all of one length, their words are fields, big end first, from the last one
 * on: keys and codes that are near to each other differ in their last bytes, and behind the keys of
 * a sort stands a place, as a whole word. */
#include "exec/rows_pack.h"

#include "base/hash.h"
#include "exec/hash_rows.h"

#define PACK_ROWS  1024u /* of a stretch, at most */
#define WORDS_FROM 8u    /* rows that pay for the fields of a text's words */
#define WORDS_LEN  64u   /* longer texts are not split */

static uint32_t bytes_of(uint64_t v)
{
    return v ? (71 - (uint32_t)__builtin_clzll(v)) / 8 : 0;
}

/* The widest piece of a value of so many bytes. */
static uint32_t piece_of(uint32_t width)
{
    return width >= 8 ? 8 : width >= 4 ? 4 : width >= 2 ? 2 : 1;
}

static bool is_text(const row_layout *l, uint32_t c)
{
    return type_is_view(&l->types[c]);
}

/* Where the columns begin: the bits are whole words. */
static uint32_t head_end(const row_layout *l)
{
    return l->bits + (l->n + 63) / 64 * 8;
}

/* The length that all of n texts have and that is worth words; 0: there is none. */
static uint32_t even_length(const uint32_t *len, uint32_t n)
{
    if (n < WORDS_FROM || len[0] > WORDS_LEN)
        return 0;
    for (uint32_t i = 1; i < n; i++)
        if (len[i] != len[0])
            return 0;
    return len[0];
}

uint32_t rows_pack_bytes(const type *t, int64_t least, int64_t greatest)
{
    uint32_t bytes = bytes_of((uint64_t)greatest - (uint64_t)least);

    if (t->width > 8 && least < 0 && greatest >= 0) /* the words above are all bits or none */
        return 8 + t->width / 8 - 1;
    return bytes < t->width ? bytes : t->width;
}

/* ---- which fields, in which order: for who packs and who unpacks ---- */

typedef void (*on_field)(void *self, uint32_t at, uint32_t width);

static void each_length(const row_layout *l, on_field field, void *self)
{
    for (uint32_t c = 0; c < l->n; c++)
        if (is_text(l, c))
            field(self, l->at[c] + 4, 4);
}

static void each_fixed(const row_layout *l, bool hashes, on_field field, void *self)
{
    field(self, 4, 4);
    for (uint32_t at = hashes ? 8 : ROW_HEAD; at < head_end(l); at += 8)
        field(self, at, 8);
    for (uint32_t c = 0; c < l->n; c++)
        for (uint32_t at = l->at[c], end = at + l->types[c].width, width;
             !is_text(l, c) && at < end; at += width) {
            width = piece_of(end - at);
            field(self, at, width);
        }
}

/* As hash_vector has it. */
static uint64_t word_hash(const row_layout *l, const uint8_t *row)
{
    uint64_t x = 0;

    if (!row_has(l, row, 0))
        return HASH_OF_NULL;
    memcpy(&x, row + l->at[0], l->types[0].width);
    return hash_u64(x);
}

static void each_text(const row_layout *l, void (*text)(void *self, uint32_t c), void *self)
{
    for (uint32_t c = 0; c < l->n; c++)
        if (is_text(l, c))
            text(self, c);
}

/* The words of a text of so many bytes. */
static void each_word(uint32_t len, on_field word, void *self)
{
    for (uint32_t at = len, width; at;) {
        width = piece_of(at);
        at -= width;
        word(self, at, width);
    }
}

/* ---- packing ---- */

typedef struct packing {
    const row_layout *l;
    uint32_t n;
    const uint8_t *row[PACK_ROWS];
    int64_t value[PACK_ROWS];
    uint32_t len[PACK_ROWS];
    uint32_t text; /* the column whose words are put */
    uint8_t *out;
} packing;

/* The values as a field of so many bytes. */
static void put_values(packing *p, uint32_t width)
{
    int64_t least = p->value[0], most = least;
    uint32_t w;
    uint8_t *out = p->out;

    for (uint32_t i = 1; i < p->n; i++) {
        least = p->value[i] < least ? p->value[i] : least;
        most = p->value[i] > most ? p->value[i] : most;
    }
    w = bytes_of((uint64_t)most - (uint64_t)least);
    memcpy(out, &least, width);
    out[width] = (uint8_t)w;
    out += width + 1;
    for (uint32_t i = 0; w && i < p->n; i++, out += w)
        store_u64(out, (uint64_t)p->value[i] - (uint64_t)least);
    p->out = out;
}

#define LOAD(ctype)                                                                                \
    for (uint32_t i = 0; i < p->n; i++) {                                                          \
        ctype v;                                                                                   \
        memcpy(&v, p->row[i] + at, sizeof v);                                                      \
        p->value[i] = v;                                                                           \
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
        p->value[i] = (int64_t)(__builtin_bswap64(v) >> (64 - 8 * width));
    }
    put_values(p, width);
}

static void put_text(void *self, uint32_t c)
{
    packing *p = self;
    uint32_t even;

    load_lengths(p, c);
    even = even_length(p->len, p->n);
    if (even) {
        p->text = c;
        each_word(even, put_word, p);
        return;
    }
    for (uint32_t i = 0; i < p->n; i++) {
        memcpy(p->out, text_at(p, c, i), p->len[i]);
        p->out += p->len[i];
    }
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
    bool told = p->l->hash_tells;

    for (uint32_t i = 0; told && i < p->n; i++)
        told = row_hash(p->row[i]) == word_hash(p->l, p->row[i]);
    return told;
}

static void put_stretch(packing *p)
{
    const bool told = hashes_are_told(p);

    store_u32(p->out, p->n);
    p->out[4] = told;
    p->out += 5;
    each_length(p->l, put_field, p);
    each_fixed(p->l, !told, put_field, p);
    each_text(p->l, put_text, p);
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
        /* no more than the rows, and a least value and a width for each byte of a first one */
        stretch = 5 + (all - rows.len) + 2 * (size_t)l->fixed + 2 * WORDS_LEN * (size_t)l->n;
        TRY(bytes_reserve(out, stretch + PACK_SLACK, err));
        p.out = out->data + out->len;
        put_stretch(&p);
        out->len = (size_t)(p.out - out->data);
    }
    return NRW_OK;
}

/* ---- unpacking ---- */

typedef struct unpacking {
    const row_layout *l;
    uint32_t n;
    const uint8_t *in;
    uint8_t *row[PACK_ROWS];
    uint64_t value[PACK_ROWS];
    uint32_t text[PACK_ROWS]; /* how far the row's texts have come, from the bits */
    uint32_t len[PACK_ROWS];
} unpacking;

/* The values of a field of so many bytes. Bits above them are anything. */
static void take_values(unpacking *u, uint32_t width)
{
    uint64_t least = 0, mask;
    uint32_t w = u->in[width];
    const uint8_t *in = u->in + width + 1;

    memcpy(&least, u->in, width);
    mask = w == 8 ? UINT64_MAX : ((uint64_t)1 << 8 * w) - 1;
    for (uint32_t i = 0; i < u->n; i++, in += w)
        u->value[i] = least + (load_u64(in) & mask);
    u->in = in;
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
    each_length(l, add_length, u);
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
    each_length(l, take_field, u);
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

static void take_text(void *self, uint32_t c)
{
    unpacking *u = self;
    uint32_t at = u->l->at[c], even;

    for (uint32_t i = 0; i < u->n; i++) {
        u->len[i] = load_u32(u->row[i] + at + 4);
        if (row_has(u->l, u->row[i], c))
            store_u32(u->row[i] + at, u->text[i]);
    }
    even = even_length(u->len, u->n);
    if (even)
        each_word(even, take_word, u);
    for (uint32_t i = 0; i < u->n; i++) {
        if (!even) {
            memcpy(u->row[i] + u->l->bits + u->text[i], u->in, u->len[i]);
            u->in += u->len[i];
        }
        u->text[i] += u->len[i];
    }
}

static uint8_t *take_stretch(unpacking *u, uint8_t *dst)
{
    uint8_t *end;
    bool told;

    u->n = load_u32(u->in);
    told = u->in[4];
    u->in += 5;
    end = lay_rows(u, dst);
    each_fixed(u->l, !told, take_field, u);
    for (uint32_t i = 0; told && i < u->n; i++)
        store_u64(u->row[i] + 8, word_hash(u->l, u->row[i]));
    each_text(u->l, take_text, u);
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
