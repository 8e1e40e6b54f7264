/* Chunks that are parked between reads and keep their page: the same values, nothing made anew. */
#include "base/fault.h"
#include "decode_made.h"
#include "format/parquet/chunk_priv.h"

static spill *disk;

static int open_disk(void **state)
{
    nrw_error err = NRW_ERROR_INIT;
    setup(state);
    assert_ok(spill_new(account, NULL, (uint64_t)1 << 30, &disk, &err), &err);
    return 0;
}

static int close_disk(void **state)
{
    spill_close(disk);
    return teardown(state);
}

/* ---- pages ---- */

typedef enum form {
    FORM_FIXED,
    FORM_BYTES,
    FORM_BOOLS,
    FORM_RLE_BOOLS,
    FORM_DICT_INTS,
    FORM_DICT_TEXTS,
    FORM_DELTA,
    FORM_DELTA_LENGTH,
    FORM_DELTA_BYTES,
    FORM_SPLIT,
    FORMS
} form;

typedef struct made_form {
    const char *name;
    pq_physical physical;
    type_id type;
    pq_encoding encoding;
    int32_t rows; /* of a page: more than 64 KiB of it */
} made_form;

static const made_form forms[FORMS] = {
    {"plain fixed", PQ_INT64, TYPE_INT64, PQ_PLAIN, 10000},
    {"plain bytes", PQ_BYTE_ARRAY, TYPE_UTF8, PQ_PLAIN, 6000},
    {"booleans", PQ_BOOLEAN, TYPE_BOOL, PQ_PLAIN, 600000},
    {"RLE booleans", PQ_BOOLEAN, TYPE_BOOL, PQ_RLE, 560000},
    {"dictionary of integers", PQ_INT64, TYPE_INT64, PQ_RLE_DICTIONARY, 60000},
    {"dictionary of texts", PQ_BYTE_ARRAY, TYPE_UTF8, PQ_RLE_DICTIONARY, 60000},
    {"delta", PQ_INT64, TYPE_INT64, PQ_DELTA_BINARY_PACKED, 14000},
    {"delta length", PQ_BYTE_ARRAY, TYPE_UTF8, PQ_DELTA_LENGTH_BYTE_ARRAY, 6000},
    {"delta byte array", PQ_BYTE_ARRAY, TYPE_UTF8, PQ_DELTA_BYTE_ARRAY, 8000},
    {"byte stream split", PQ_DOUBLE, TYPE_FLOAT64, PQ_BYTE_STREAM_SPLIT, 10000},
};

#define DICT_WIDTH   12
#define DICT_ENTRIES (1 << DICT_WIDTH)

/* Packed groups and runs in turn. */
static void put_packed(made *out, uint32_t n, uint32_t width)
{
    uint32_t v[320];
    for (uint32_t i = 0; i < n;) {
        uint32_t left = n - i, k = left < 320 ? (left + 7) / 8 * 8 : 320, run;
        for (uint32_t j = 0; j < k; j++)
            v[j] = (uint32_t)random_u64() & ((1u << width) - 1);
        made_varint(out, (uint64_t)(k / 8) << 1 | 1);
        pack(out, v, k, width);
        i += k < left ? k : left;
        run = n - i < 40 ? n - i : 40;
        if (run) {
            made_varint(out, (uint64_t)run << 1);
            made_put(out, &v[0], (width + 7) / 8);
        }
        i += run;
    }
}

static uint32_t put_text(made *out)
{
    uint32_t n = random_below(8) ? random_below(40) : random_below(300);
    for (uint32_t i = 0; i < n; i++)
        made_byte(out, 'a' + random_below(26));
    return n;
}

static void put_plain_texts(made *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        made text = {0};
        made_u32(out, put_text(&text));
        made_put(out, text.p, text.n);
        made_free(&text);
    }
}

/* Lengths, and before them, where there are any, those of prefixes. */
static void put_delta_texts(made *out, uint32_t n, bool prefixes)
{
    int64_t *pre = calloc(n + 1, 8), *suf = calloc(n + 1, 8);
    made texts = {0};
    assert_non_null(pre);
    assert_non_null(suf);
    for (uint32_t i = 0, last = 0; i < n; i++) {
        pre[i] = prefixes && random_below(3) ? random_below(last + 1) : 0;
        suf[i] = put_text(&texts);
        last = (uint32_t)(pre[i] + suf[i]);
    }
    if (prefixes)
        encode_delta(out, pre, n, 128, 4);
    encode_delta(out, suf, n, 128, 4);
    made_put(out, texts.p, texts.n);
    made_free(&texts);
    free(pre);
    free(suf);
}

static void put_numbers(made *out, uint32_t n, bool delta)
{
    int64_t *v = calloc(n + 1, 8);
    assert_non_null(v);
    for (uint32_t i = 0; i < n; i++)
        v[i] = (int64_t)(random_u64() >> (8 + random_below(8) * 4));
    if (delta)
        encode_delta(out, v, n, 128, 4);
    else
        made_put(out, v, n * sizeof *v);
    free(v);
}

static void put_runs(made *out, uint32_t n, uint32_t width, bool with_length)
{
    made runs = {0};
    put_packed(&runs, n, width);
    if (with_length)
        made_u32(out, (uint32_t)runs.n);
    made_put(out, runs.p, runs.n);
    made_free(&runs);
}

static void put_values(made *out, form f, uint32_t n)
{
    switch (f) {
    case FORM_FIXED: put_numbers(out, n, false); break;
    case FORM_BYTES: put_plain_texts(out, n); break;
    case FORM_BOOLS:
        for (uint32_t i = 0; i < n; i += 8)
            made_byte(out, (unsigned)random_u64() & 255);
        break;
    case FORM_RLE_BOOLS: put_runs(out, n, 1, true); break;
    case FORM_DICT_INTS:
    case FORM_DICT_TEXTS:
        made_byte(out, DICT_WIDTH);
        put_runs(out, n, DICT_WIDTH, false);
        break;
    case FORM_DELTA: put_numbers(out, n, true); break;
    case FORM_DELTA_LENGTH: put_delta_texts(out, n, false); break;
    case FORM_DELTA_BYTES: put_delta_texts(out, n, true); break;
    case FORM_SPLIT: /* any bytes are streams of some numbers */
        for (uint32_t i = 0; i < n; i++) {
            uint64_t v = random_u64() & 0x3f3f3f3f3f3f3f3f;
            made_put(out, &v, 8);
        }
        break;
    case FORMS: break;
    }
}

/* ---- chunks ---- */

typedef struct chunk {
    made bytes;
    pq_leaf leaf;
    pq_chunk meta;
    int64_t rows;
    int codec;
    io_file *f;
    uint64_t bodies; /* bytes of all, decompressed, and of where entries of a dictionary begin */
} chunk;

static void add_page(chunk *c, made_page h, made *body)
{
    made packed = {0};
    c->bodies += body->n;
    if (c->codec != CODEC_NONE) {
        nrw_error err = NRW_ERROR_INIT;
        codec_ctx ctx = codec_ctx_init(codec_by_id(c->codec), account);
        packed.cap = ctx.codec->bound(body->n);
        packed.p = malloc(packed.cap);
        assert_non_null(packed.p);
        assert_ok(ctx.codec->encode(&ctx, ctx.codec->default_level, (span){body->p, body->n},
                                    packed.p, packed.cap, &packed.n, &err),
                  &err);
        codec_ctx_release(&ctx);
        h.uncompressed = (int32_t)body->n;
    }
    h.crc = true;
    made_add(&c->bytes, &h, packed.p ? &packed : body);
    made_free(&packed);
    made_free(body);
}

static void add_dictionary(chunk *c, form f)
{
    made body = {0};
    if (f == FORM_DICT_TEXTS) {
        put_plain_texts(&body, DICT_ENTRIES);
        c->bodies += DICT_ENTRIES * 4;
    } else {
        put_numbers(&body, DICT_ENTRIES, false);
    }
    add_page(
        c, (made_page){.type = PQ_DICTIONARY_PAGE, .n_values = DICT_ENTRIES, .encoding = PQ_PLAIN},
        &body);
}

static void add_values(chunk *c, form f, int32_t n)
{
    made body = {0};
    uint32_t there = (uint32_t)n;
    if (c->leaf.max_def) {
        uint32_t *v = calloc((size_t)n, sizeof *v);
        made l = {0};
        assert_non_null(v);
        encode_rle(&l, v, (uint32_t)n, 1);
        there = 0;
        for (int32_t i = 0; i < n; i++)
            there += v[i];
        made_u32(&body, (uint32_t)l.n);
        made_put(&body, l.p, l.n);
        made_free(&l);
        free(v);
    }
    put_values(&body, f, there);
    add_page(c,
             (made_page){.type = PQ_DATA_PAGE,
                         .n_values = n,
                         .encoding = forms[f].encoding,
                         .def_encoding = PQ_RLE},
             &body);
    c->rows += n;
}

/* Two large pages, and a small one between them. */
static chunk chunk_new(form f, bool optional, int codec)
{
    nrw_error err = NRW_ERROR_INIT;
    const int32_t n = forms[f].rows * (optional ? 2 : 1);
    chunk c = {.codec = codec};
    c.leaf = (pq_leaf){.physical = forms[f].physical,
                       .max_def = optional,
                       .field = {.name = "x", .type = type_of(forms[f].type), .nullable = optional},
                       .path = "x",
                       .logical = ""};
    made_put(&c.bytes, "PAR1", 4);
    if (f == FORM_DICT_INTS || f == FORM_DICT_TEXTS)
        add_dictionary(&c, f);
    add_values(&c, f, n);
    add_values(&c, f, 500);
    add_values(&c, f, n);
    c.meta = (pq_chunk){.start = 4,
                        .end = (int64_t)c.bytes.n,
                        .compressed = (int64_t)c.bytes.n - 4,
                        .n_values = c.rows,
                        .codec = codec,
                        .offset_index_at = -1};
    assert_ok(file_open_memory(account, "made", (span){c.bytes.p, c.bytes.n}, &c.f, &err), &err);
    return c;
}

static void chunk_free(chunk *c)
{
    file_close(c->f);
    made_free(&c->bytes);
}

static pq_chunk_reader *reader_new(const chunk *c, mem *m, bool keep)
{
    nrw_error err = NRW_ERROR_INIT;
    const pq_chunk_options o = {.verify_crc = true, .read_ahead = 16 << 10, .keep = keep};
    pq_chunk_reader *r;
    assert_ok(pq_chunk_open(m, disk, c->f, &c->leaf, &c->meta, 0, c->rows, &o, &r, &err), &err);
    return r;
}

/* The rows from `row` on that sel names, all of n where it is NULL: each with its length, or as a
 * null. */
static void get(pq_chunk_reader *r, int64_t row, uint32_t n, const uint16_t *sel, uint32_t n_sel,
                bool park, made *out)
{
    nrw_error err = NRW_ERROR_INIT;
    const uint32_t all = sel ? n_sel : n;
    for (uint32_t at = 0; at < all;) {
        vector v;
        if (sel)
            assert_ok(pq_chunk_read(r, row + sel[at], n - sel[at], 1 << 20, sel + at, n_sel - at,
                                    sel[at], account, &v, &err),
                      &err);
        else
            assert_ok(pq_chunk_read(r, row + at, n - at, 1 << 20, NULL, 0, 0, account, &v, &err),
                      &err);
        for (uint32_t i = 0; i < v.len; i++) {
            bool null;
            span s = vector_value(&v, i, &null);
            made_u32(out, null ? UINT32_MAX : (uint32_t)s.len);
            made_put(out, s.data, null ? 0 : s.len);
        }
        at += v.len;
        vector_release(&v);
        if (park)
            pq_chunk_park(r);
    }
}

/* What a reader that is asleep may have beside itself: a value before the next one, and what
 * codecs and pages keep for the next page is the account's. */
#define ASLEEP_MOST (8 << 10)

/* Rows in steps of any length, some of them by a selection, some passed over; `r` is parked after
 * each read, `plain` never is. */
static void compare(const chunk *c, pq_chunk_reader *r, pq_chunk_reader *plain, uint32_t step,
                    bool *slept)
{
    uint16_t sel[2000];
    for (int64_t row = 0; row < c->rows;) {
        made a = {0}, b = {0};
        uint32_t n = 1 + random_below(random_below(3) ? step : 20), n_sel = 0;
        n = n < c->rows - row ? n : (uint32_t)(c->rows - row);
        const bool chosen = n < 60000 && random_below(4) == 0;
        for (uint32_t i = random_below(3); chosen && i < n && n_sel < 2000;
             i += 1 + random_below(9))
            sel[n_sel++] = (uint16_t)i;
        if (random_below(6) && (!chosen || n_sel)) {
            get(r, row, n, chosen ? sel : NULL, n_sel, true, &a);
            get(plain, row, n, chosen ? sel : NULL, n_sel, false, &b);
            assert_int_equal(a.n, b.n);
            if (a.n)
                assert_memory_equal(a.p, b.p, a.n);
            *slept |= r->asleep;
        }
        made_free(&a);
        made_free(&b);
        row += n;
    }
}

/* strips: rows may be decoded ahead, which takes room of its own in the spill file. */
static void each_way(form f, bool optional, int codec, bool little, bool strips)
{
    nrw_error err = NRW_ERROR_INIT;
    chunk c = chunk_new(f, optional, codec);
    const uint64_t before = spill_written(disk);
    pq_chunk_reader *r, *plain;
    bool slept = false;
    mem *own;
    assert_ok(mem_child(account, "own", little ? 200 << 10 : 32 << 20, &own, &err), &err);
    r = reader_new(&c, own, true);
    r->no_strip = !strips;
    plain = reader_new(&c, account, false);
    compare(&c, r, plain, (uint32_t)c.rows / 60, &slept);
    assert_true(slept || strips);
    /* each page once at most, and where entries begin */
    if (!strips && spill_written(disk) - before > c.bodies)
        fail_msg("%s: %llu bytes were written of %llu", forms[f].name,
                 (unsigned long long)(spill_written(disk) - before), (unsigned long long)c.bodies);
    pq_chunk_close(r);
    pq_chunk_close(plain);
    piece_end(own);
    mem_trim();
    if (mem_used(own))
        fail_msg("%s: %llu bytes are left", forms[f].name, (unsigned long long)mem_used(own));
    mem_free_account(own);
    chunk_free(&c);
}

static void same_values(void **state)
{
    (void)state;
    for (int f = 0; f < FORMS; f++)
        for (int how = 0; how < 12; how++)
            each_way((form)f, how & 1, how & 2 ? CODEC_GZIP : CODEC_NONE, how & 4, how >= 8);
    assert_int_equal(spill_used(disk), 0);
}

/* In mid-page: next to no memory is left, nothing is written by further reads, and the page is
 * counted once. */
static void parked_in_mid_page(void **state)
{
    (void)state;
    for (int f = 0; f < FORMS; f++) {
        nrw_error err = NRW_ERROR_INIT;
        chunk c = chunk_new((form)f, f % 2, CODEC_GZIP);
        pq_chunk_reader *r;
        reader_counts counts;
        uint64_t written = 0;
        mem *own;
        assert_ok(mem_child(account, "own", 200 << 10, &own, &err), &err);
        r = reader_new(&c, own, true);
        r->no_strip = true;
        for (int64_t row = 0; row < 20 * 300; row += 300) {
            made a = {0};
            get(r, row, 200, NULL, 0, true, &a);
            made_free(&a);
            assert_true(r->asleep);
            if (mem_used(own) > pq_chunk_asleep() + ASLEEP_MOST)
                fail_msg("%s: %llu bytes are held in sleep", forms[f].name,
                         (unsigned long long)mem_used(own));
            if (row == 0)
                written = spill_written(disk);
            assert_int_equal(spill_written(disk), written);
        }
        pq_chunk_counts(r, &counts);
        assert_int_equal(counts.pages_decompressed, 1);
        pq_chunk_close(r);
        mem_free_account(own);
        chunk_free(&c);
    }
}

#ifdef NARROWS_FAULTS
/* Each allocation and each system call of a read behind a park fails in turn, those of waking up
 * among them: the call can be made again, and gives the same rows. */
static void every_failure(void **state)
{
    (void)state;
    for (int f = 0; f < FORMS; f++) {
        chunk c = chunk_new((form)f, true, CODEC_GZIP);
        made want = {0};
        pq_chunk_reader *plain = reader_new(&c, account, false);
        get(plain, 700, 300, NULL, 0, false, &want);
        pq_chunk_close(plain);
        for (fault_kind kind = FAULT_ALLOC; kind <= FAULT_IO; kind++)
            for (uint64_t k = 1, over = 0; !over && k < 40; k++) {
                nrw_error err = NRW_ERROR_INIT;
                pq_chunk_reader *r;
                made got = {0};
                vector v;
                mem *own;
                assert_ok(mem_child(account, "own", 200 << 10, &own, &err), &err);
                r = reader_new(&c, own, true);
                get(r, 0, 700, NULL, 0, true, &got);
                made_free(&got);
                fault_arm(kind, k);
                if (pq_chunk_read(r, 700, 300, 1 << 20, NULL, 0, 0, account, &v, &err) == NRW_OK)
                    assert_int_equal(v.len, 300);
                over = fault_count(kind) < k;
                fault_arm(kind, 0);
                if (err.status == NRW_OK) {
                    vector_release(&v);
                } else {
                    get(r, 700, 300, NULL, 0, true, &got);
                    assert_int_equal(got.n, want.n);
                    assert_memory_equal(got.p, want.p, want.n);
                }
                made_free(&got);
                pq_chunk_close(r);
                mem_free_account(own);
            }
        made_free(&want);
        chunk_free(&c);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parked_in_mid_page),
        cmocka_unit_test(same_values),
#ifdef NARROWS_FAULTS
        cmocka_unit_test(every_failure),
#endif
    };
    return cmocka_run_group_tests(tests, open_disk, close_disk);
}
