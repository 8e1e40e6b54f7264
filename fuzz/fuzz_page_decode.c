/* Column chunks: whatever bytes the pages have, in whatever type and encoding, rows come or an
 * error does, never more rows than the row group has, and the same out of memory and out of spill
 * regions. The first bytes choose the column and how the chunk is made: sound page headers before
 * wild bodies, wild bytes throughout, or a sound chunk with some bytes changed. */
#include "../tests/unit/chunk_made.h"
#include "format/parquet/chunk_priv.h"

#include <stdlib.h>

enum { MOST_ROWS = 3000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct choices {
    const uint8_t *p;
    size_t n;
} choices;

static unsigned choose(choices *c, unsigned below)
{
    if (c->n == 0)
        return 0;
    c->n--;
    return *c->p++ % below;
}

static const struct {
    pq_physical physical;
    type_id id;
    uint8_t length;
} kinds[] = {
    {PQ_BOOLEAN, TYPE_BOOL, 0},
    {PQ_INT32, TYPE_INT32, 0},
    {PQ_INT32, TYPE_INT8, 0},
    {PQ_INT32, TYPE_UINT16, 0},
    {PQ_INT32, TYPE_TIME, 0},
    {PQ_INT64, TYPE_INT64, 0},
    {PQ_INT64, TYPE_DECIMAL, 0},
    {PQ_INT96, TYPE_TIMESTAMP, 0},
    {PQ_FLOAT, TYPE_FLOAT32, 0},
    {PQ_DOUBLE, TYPE_FLOAT64, 0},
    {PQ_BYTE_ARRAY, TYPE_UTF8, 0},
    {PQ_BYTE_ARRAY, TYPE_DECIMAL, 0},
    {PQ_FIXED_LEN_BYTE_ARRAY, TYPE_FIXED, 5},
    {PQ_FIXED_LEN_BYTE_ARRAY, TYPE_DECIMAL, 7},
    {PQ_FIXED_LEN_BYTE_ARRAY, TYPE_UUID, 16},
    {PQ_FIXED_LEN_BYTE_ARRAY, TYPE_FLOAT16, 2},
};

static const pq_encoding encodings[] = {
    PQ_PLAIN,
    PQ_RLE_DICTIONARY,
    PQ_RLE,
    PQ_PLAIN_DICTIONARY,
    PQ_DELTA_BINARY_PACKED,
    PQ_DELTA_LENGTH_BYTE_ARRAY,
    PQ_DELTA_BYTE_ARRAY,
    PQ_BYTE_STREAM_SPLIT,
};

static pq_leaf make_leaf(choices *c)
{
    unsigned k = choose(c, sizeof kinds / sizeof kinds[0]);
    type t = type_of(kinds[k].id);
    if (kinds[k].id == TYPE_FIXED)
        t = type_fixed(kinds[k].length);
    else if (kinds[k].id == TYPE_DECIMAL)
        t = type_decimal(1 + (int)choose(c, 76), 2);
    else if (kinds[k].id == TYPE_TIMESTAMP)
        t = type_timestamp(UNIT_NS, false);
    else if (kinds[k].id == TYPE_TIME)
        t = type_time(UNIT_MS, false);
    return (pq_leaf){.physical = kinds[k].physical,
                     .type_length = kinds[k].length,
                     .max_def = (uint8_t)choose(c, 2),
                     .field = {.name = "x", .type = t},
                     .path = "x",
                     .logical = ""};
}

static void take_bytes(choices *c, size_t n, made *out)
{
    if (n > c->n)
        n = c->n;
    made_put(out, c->p, n);
    c->p += n;
    c->n -= n;
}

/* Levels and values that go with the leaf, for chunks that start out sound. */
static void sound_body(choices *c, const pq_leaf *l, const made_page *h, made *b)
{
    uint32_t n = (uint32_t)h->n_values, width = pq_physical_width(l);
    if (h->type == PQ_DATA_PAGE && l->max_def) {
        made_u32(b, 3);
        made_varint(b, (uint64_t)n << 1);
        made_byte(b, 1);
        if (n < 64) /* keep the length of the runs in step with what was written */
            b->p[0] = 2;
    }
    if (h->type == PQ_DATA_PAGE && h->encoding != PQ_PLAIN) {
        made_byte(b, 3);
        for (uint32_t i = 0; i < n; i += 8 * 4) {
            made_varint(b, 4 << 1 | 1);
            for (int k = 0; k < 12; k++)
                made_byte(b, choose(c, 256));
        }
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len = width ? width : choose(c, 40);
        if (!width)
            made_u32(b, len);
        for (uint32_t k = 0; k < len; k++)
            made_byte(b, i + k);
    }
}

static int64_t make_pages(choices *c, const pq_leaf *l, bool sound, made *out)
{
    int64_t rows = 0;
    unsigned n = 1 + choose(c, 4);
    bool dictionary = choose(c, 2);
    for (unsigned i = 0; i < n; i++) {
        made b = {0};
        made_page h = {.def_encoding = choose(c, 8) ? PQ_RLE : PQ_BIT_PACKED};
        h.type = i == 0 && dictionary ? PQ_DICTIONARY_PAGE
                 : choose(c, 3)       ? PQ_DATA_PAGE
                                      : PQ_DATA_PAGE_V2;
        h.n_values = (int32_t)(choose(c, 256) * (1 + choose(c, 3)));
        h.encoding = h.type == PQ_DICTIONARY_PAGE
                         ? PQ_PLAIN
                         : encodings[choose(c, sizeof encodings / sizeof encodings[0])];
        if (sound) {
            if (h.type != PQ_DICTIONARY_PAGE && dictionary)
                h.encoding = PQ_RLE_DICTIONARY;
            sound_body(c, l, &h, &b);
        } else {
            take_bytes(c, choose(c, 256), &b);
        }
        if (h.type == PQ_DATA_PAGE_V2) {
            h.def_len = (int32_t)choose(c, 16);
            if ((size_t)h.def_len > b.n)
                h.def_len = (int32_t)b.n;
            h.v2_compressed = choose(c, 2);
        }
        h.uncompressed = choose(c, 4) ? 0 : (int32_t)choose(c, 256) * 16;
        made_add(out, &h, &b);
        made_free(&b);
        if (h.type != PQ_DICTIONARY_PAGE)
            rows += h.n_values;
    }
    return rows;
}

static uint64_t hash_row(const vector *v, uint32_t row)
{
    bool null;
    span s = vector_value(v, row, &null);
    uint64_t h = null ? 7 : s.len;
    for (size_t k = 0; k < s.len && !null; k++)
        h = h * 31 + s.data[k];
    return h;
}

enum { PIECES = 1, SPILLED = 2, QUARANTINE = 4, CHOSEN = 8 };

/* The next selection from `row`: rising numbers below `most`, from 5. */
static uint32_t select_rows(uint64_t *seed, uint32_t most, uint16_t *sel)
{
    uint32_t n = 0;
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    uint32_t gap = (uint32_t)(*seed >> 60) + 1, keep = (uint32_t)(*seed >> 52 & 31) + 1;
    for (uint32_t i = (uint32_t)(*seed >> 45 & 15); i < most; i += gap)
        for (uint32_t k = 0; k < keep && i < most; k++, i++)
            sel[n++] = (uint16_t)(i + 5);
    return n;
}

static nrw_status read_some(pq_chunk_reader *r, mem *m, int64_t row, int64_t rows, unsigned how,
                            uint64_t *seed, uint64_t *seen, int64_t *next, nrw_error *err)
{
    static uint16_t sel[MOST_ROWS + 1];
    uint32_t most = how & PIECES ? 37 : MOST_ROWS, n;
    vector v;
    nrw_status st;

    if (most > rows - row)
        most = (uint32_t)(rows - row);
    n = how & CHOSEN ? select_rows(seed, most, sel) : most;
    *next = row + most;
    if (n == 0)
        return NRW_OK;
    if (how & CHOSEN)
        st = pq_chunk_read(r, row, n, 1 << 12, sel, n, 5, m, &v, err);
    else
        st = pq_chunk_read(r, row, n, 1 << 12, NULL, 0, 0, m, &v, err);
    if (st < 0)
        return st;
    if (v.len == 0 || v.len > n || vector_validate(&v, NULL) != NRW_OK)
        __builtin_trap();
    for (uint32_t i = 0; i < v.len; i++)
        seen[row + (how & CHOSEN ? sel[i] - 5 : (int32_t)i)] = hash_row(&v, i);
    if (v.len < n)
        *next = row + (how & CHOSEN ? sel[v.len] - 5 : (int32_t)v.len);
    vector_release(&v);
    return NRW_OK;
}

/* seen[row]: a hash of each row that was read. */
static nrw_status read_all(mem *m, spill *s, io_file *f, const pq_leaf *l, const pq_chunk *c,
                           int64_t rows, unsigned how, uint64_t *seen)
{
    pq_chunk_options o = {.verify_crc = true, .read_ahead = 4096, .quarantine = how & QUARANTINE};
    pq_chunk_reader *r = NULL;
    nrw_error err = NRW_ERROR_INIT;
    nrw_status st = pq_chunk_open(m, s, f, l, c, 0, rows, &o, &r, &err), first = NRW_OK;
    uint64_t seed = (uint64_t)rows * 77 + c->end;
    memset(seen, 0, MOST_ROWS * sizeof *seen);
    if (st < 0)
        return st;
    if (how & SPILLED)
        r->pages.headroom = (size_t)1 << 40;
    for (int64_t row = 0, next; row < rows; row = next) {
        st = read_some(r, m, row, rows, how, &seed, seen, &next, &err);
        if (st == NRW_E_CORRUPT && (how & QUARANTINE)) {
            int64_t from, n;
            first = st;
            pq_chunk_lost(r, &from, &n);
            if (from < row || n < 1 || from + n > rows)
                __builtin_trap();
            next = from + n;
        } else if (st < 0) {
            break;
        }
    }
    pq_chunk_close(r);
    return st < 0 ? st : first;
}

static void read_ways(mem *m, spill *s, const made *bytes, const pq_leaf *l, int32_t codec,
                      int64_t rows)
{
    static const unsigned ways[] = {PIECES | SPILLED, CHOSEN, CHOSEN | PIECES | SPILLED};
    static uint64_t want[MOST_ROWS], seen[MOST_ROWS];
    pq_chunk c = {.codec = codec,
                  .start = 4,
                  .end = (int64_t)bytes->n,
                  .compressed = (int64_t)bytes->n - 4,
                  .n_values = rows,
                  .offset_index_at = -1};
    io_file *f;
    nrw_status sound;
    if (bytes->n < 4 || file_open_memory(m, "fuzz", (span){bytes->p, bytes->n}, &f, NULL) < 0)
        return;
    sound = read_all(m, s, f, l, &c, rows, 0, want);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        nrw_status st = read_all(m, s, f, l, &c, rows, ways[i], seen);
        if (sound == NRW_OK && st < 0 && st != NRW_E_MEMLIMIT && st != NRW_E_IO)
            __builtin_trap();
        for (int64_t row = 0; sound == NRW_OK && st == NRW_OK && row < rows; row++)
            if (seen[row] != want[row] && (seen[row] || !(ways[i] & CHOSEN)))
                __builtin_trap();
    }
    (void)read_all(m, s, f, l, &c, rows, QUARANTINE | PIECES, seen);
    file_close(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int32_t codecs[] = {CODEC_NONE, CODEC_SNAPPY, CODEC_NONE,
                                     CODEC_ZSTD, CODEC_NONE,   CODEC_LZ4_RAW};
    choices c = {data, size};
    mem *m = NULL;
    spill *s = NULL;
    made bytes = {0};
    unsigned way = choose(&c, 3);
    int32_t codec = codecs[choose(&c, way == 2 ? 1 : sizeof codecs / sizeof codecs[0])];
    int64_t rows;
    pq_leaf l = make_leaf(&c);

    made_put(&bytes, "PAR1", 4);
    if (way == 1) {
        rows = choose(&c, 256) * 8;
        take_bytes(&c, c.n, &bytes);
    } else {
        rows = make_pages(&c, &l, way == 2, &bytes);
    }
    for (unsigned i = 0; way == 2 && c.n > 2 && i < 8; i++) {
        size_t at = 4 + (choose(&c, 256) << 8 | choose(&c, 256)) % (bytes.n - 4);
        bytes.p[at] ^= (uint8_t)choose(&c, 256);
    }
    if (rows <= MOST_ROWS && mem_root(64 << 20, &m, NULL) == NRW_OK) {
        if (spill_new(m, NULL, 64 << 20, &s, NULL) == NRW_OK)
            read_ways(m, s, &bytes, &l, codec, rows);
        spill_close(s);
        mem_trim();
        if (mem_used(m) != 0)
            __builtin_trap();
        mem_free_account(m);
    }
    made_free(&bytes);
    return 0;
}
