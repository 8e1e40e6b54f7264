/* The end of a page: levels, values and bounds become a body that is handed out. */
#include "format/parquet/column_write_parts.h"
#include "format/parquet/enc_copy.h"
#include "format/parquet/size_stats.h"
#include "kernel/kernel.h"

static uint32_t n_values(const pq_draft *p)
{
    return p->rows - p->nulls;
}

/* ---- levels ---- */

static size_t levels_bound(const pq_column_writer *w)
{
    if (w->nested)
        return 2 * 4 + enc_rle_bound(w->page.rows, enc_width(w->max_rep)) +
               enc_rle_bound(w->page.rows, enc_width(w->max_def));
    if (!w->nullable)
        return 0;
    return 4 + (w->page.nulls ? enc_rle_bits_bound(w->page.rows) : 10);
}

/* One kind of levels; NULL: all are the highest. In version 1 behind their length. */
static size_t put_kind(const pq_column_writer *w, const uint8_t *levels, uint8_t max, uint8_t *dst)
{
    size_t head = w->v2 ? 0 : 4, n;

    if (!max)
        return 0;
    n = levels ? enc_rle_u8(levels, w->page.rows, enc_width(max), dst + head)
               : enc_rle_repeat(max, w->page.rows, enc_width(max), dst + head);
    if (head)
        store_u32(dst, (uint32_t)n);
    return head + n;
}

/* Levels in front of the values: of an optional column, in version 1 behind their length, or both
 * kinds of a nested one. */
static size_t put_levels(const pq_column_writer *w, uint8_t *dst, uint32_t *rep_len)
{
    const pq_draft *p = &w->page;
    size_t head = w->v2 ? 0 : 4, n;

    *rep_len = 0;
    if (w->nested) {
        n = put_kind(w, (const uint8_t *)p->rep.at, w->max_rep, dst);
        *rep_len = w->v2 ? (uint32_t)n : 0;
        return n + put_kind(w, p->nulls ? (const uint8_t *)p->valid.at : NULL, w->max_def, dst + n);
    }
    if (!w->nullable)
        return 0;
    n = p->nulls ? enc_rle_bits((const uint8_t *)p->valid.at, p->rows, dst + head)
                 : enc_rle_ones(p->rows, dst + head);
    if (head)
        store_u32(dst, (uint32_t)n);
    return head + n;
}

/* ---- bounds ---- */

static nrw_status merge_bounds(pq_column_writer *w, span min, span max, nrw_error *err)
{
    pq_order o = w->t.order;

    if (!w->has_bounds || pq_order_compare(o, min, (span){w->min.data, w->min.len}) < 0)
        TRY(pq_bound_set(&w->min, w->m, min, err));
    if (!w->has_bounds || pq_order_compare(o, max, (span){w->max.data, w->max.len}) > 0)
        TRY(pq_bound_set(&w->max, w->m, max, err));
    w->has_bounds = true;
    return NRW_OK;
}

static nrw_status take_bounds(pq_column_writer *w, const pq_bounds *b, pq_page_out *out,
                              nrw_error *err)
{
    span min = pq_bounds_min(b, w->t.width), max = pq_bounds_max(b, w->t.width);

    if (!b->any)
        return NRW_OK;
    min.len = size_min(min.len, w->keep_bound);
    max.len = size_min(max.len, w->keep_bound);
    TRY(pq_bound_set(&out->min, w->m, min, err));
    TRY(pq_bound_set(&out->max, w->m, max, err));
    out->has_bounds = true;
    return merge_bounds(w, min, max, err);
}

static nrw_status plain_bounds(pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    const pq_draft *p = &w->page;
    pq_bounds b = pq_bounds_init(w->t.order);

    if (!w->statistics || w->t.class == PQ_VALUES_NONE || !n_values(p))
        return NRW_OK;
    if (pq_is_text(w)) {
        b.any = p->any_text;
        b.min = (span){p->min.data, p->min.len};
        b.max = (span){p->max.data, p->max.len};
    } else {
        pq_bounds_fixed(&b, p->body->data + p->head, w->t.width, n_values(p));
    }
    return take_bounds(w, &b, out, err);
}

/* Marks the entries that the page names; it is done once all are. */
static void mark_entries(const pq_draft *p, uint8_t *marks, uint32_t known)
{
    const uint32_t step = known > 1024 ? 4 * known : 4096; /* looking for one left out costs, too */
    const enc_run *runs = (const enc_run *)p->runs.at;

    for (uint32_t i = 0; i < p->n_index;) {
        uint32_t end = p->n_index - i < step ? p->n_index : i + step;
        for (; i < end; i++)
            marks[p->index.at[i]] = 1;
        if (!memchr(marks, 0, known))
            return;
    }
    for (uint32_t i = 0; i < p->n_runs; i++)
        marks[runs[i].value] = 1;
}

/* Each entry that the page names is looked at once. */
static nrw_status indexed_bounds(pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    pq_bounds b = pq_bounds_init(w->t.order);
    size_t size = (size_t)w->known + 8;
    void *marks;

    if (!w->statistics || w->t.order == PQ_ORDER_NONE)
        return NRW_OK;
    TRY(mem_zalloc(w->m, size, &marks, err));
    mark_entries(&w->page, marks, w->known);
    pq_bounds_marked(&b, &w->dict, marks, w->known);
    mem_free(w->m, marks, size);
    return take_bounds(w, &b, out, err);
}

/* ---- bodies ---- */

/* A body with levels in it and room for so many bytes of values. */
static nrw_status body_new(const pq_column_writer *w, size_t bound, pq_page_out *out,
                           nrw_error *err)
{
    TRY(buffer_new(w->m, levels_bound(w) + bound, &out->body, err));
    out->body->len = put_levels(w, out->body->data, &out->rep_len);
    out->levels_len = w->v2 ? (uint32_t)out->body->len : 0;
    return NRW_OK;
}

/* Gives back what a generous bound took too much. */
static nrw_status body_trim(const pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    buffer *exact;
    size_t len = out->body->len;

    if (len > PQ_PAGE_MAX)
        return err_set(err, NRW_E_VALUE, "a page would take more than 2 GiB");
    if (out->body->cap - len <= len / 8 + 256)
        return NRW_OK;
    TRY(buffer_new(w->m, len, &exact, err));
    memcpy(exact->data, out->body->data, len);
    exact->len = len;
    buffer_unref(out->body);
    out->body = exact;
    return NRW_OK;
}

/* No values: nothing but levels. */
static nrw_status end_empty(pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    out->encoding = PQ_PLAIN;
    TRY(body_new(w, 0, out, err));
    return body_trim(w, out, err);
}

/* Puts `front` where the body has room for it in front of its values, or makes that room. */
static nrw_status put_front(pq_draft *p, span front, nrw_error *err)
{
    size_t values = p->body->len - p->head;

    if (front.len <= p->head) {
        buffer_drop_front(p->body, p->head - front.len);
    } else {
        if (front.len + values > p->body->cap)
            TRY(buffer_resize(&p->body, front.len + values, err));
        memmove(p->body->data + front.len, p->body->data + p->head, values);
        p->body->len = front.len + values;
    }
    p->head = 0;
    if (front.len)
        memcpy(p->body->data, front.data, front.len);
    return NRW_OK;
}

/* Values lie in the body as they stay; levels, and lengths of texts that lie apart, go in front.
 * The next page will need about as much room for them. */
static nrw_status end_in_place(pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    pq_draft *p = &w->page;
    size_t size = levels_bound(w) + enc_delta_bound(p->n_lens, 4) + 64, len;
    void *front;

    out->encoding = w->encoding;
    TRY(mem_alloc(w->m, size, &front, err));
    len = put_levels(w, front, &out->rep_len);
    out->levels_len = w->v2 ? (uint32_t)len : 0;
    if (pq_texts_apart(w)) {
        if (pq_page_is_full(w))
            w->filled = p->body->len - p->head;
        len += enc_delta_i32((const uint8_t *)p->lens.at, p->n_lens, (uint8_t *)front + len);
    }
    nrw_status st = put_front(p, (span){front, len}, err);
    mem_free(w->m, front, size);
    TRY(st);
    w->front = len + len / 32;
    out->body = p->body;
    p->body = NULL;
    return body_trim(w, out, err);
}

static nrw_status end_bool(pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    const pq_draft *p = &w->page;
    size_t n = n_values(p), packed = (n + 7) / 8;
    uint8_t *bits = NULL, *dst;

    out->encoding = w->encoding;
    TRY(body_new(w, packed + (w->encoding == PQ_RLE ? 4 + enc_rle_bits_bound(n) + 64 : 0), out,
                 err));
    dst = out->body->data + out->body->len;
    if (w->encoding == PQ_PLAIN) {
        kernels_get()->bytes_to_bits(p->body->data, n, dst);
        out->body->len += packed;
        return body_trim(w, out, err);
    }
    bits = out->body->data + out->body->cap - packed; /* behind all that RLE may write */
    kernels_get()->bytes_to_bits(p->body->data, n, bits);
    packed = enc_rle_bits(bits, n, dst + 4);
    store_u32(dst, (uint32_t)packed); /* Encodings.md: RLE of booleans has a length in front */
    out->body->len += 4 + packed;
    return body_trim(w, out, err);
}

/* Bytes that the encoding may take, and words of scratch that it asks for. */
static size_t encoded_bound(const pq_column_writer *w, size_t n, size_t len, size_t *scratch)
{
    *scratch = 0;
    switch (w->encoding) {
    case PQ_DELTA_BINARY_PACKED: return enc_delta_bound(n, w->t.width);
    case PQ_DELTA_BYTE_ARRAY: *scratch = 2 * n; return enc_delta_bytes_bound(n, len);
    default: return len; /* BYTE_STREAM_SPLIT */
    }
}

static size_t encode(const pq_column_writer *w, const uint8_t *v, size_t n, uint32_t *scratch,
                     uint8_t *dst)
{
    switch (w->encoding) {
    case PQ_DELTA_BINARY_PACKED:
        return w->t.width == 4 ? enc_delta_i32(v, n, dst) : enc_delta_i64(v, n, dst);
    case PQ_DELTA_BYTE_ARRAY: return enc_delta_bytes(v, n, w->t.width, scratch, dst);
    default: kernels_get()->split_encode(v, w->t.width, n, dst, n); return n * w->t.width;
    }
}

static nrw_status end_encoded(pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    pq_draft *p = &w->page;
    size_t n = n_values(p), words, bound = encoded_bound(w, n, p->body->len, &words);
    void *scratch = NULL;

    out->encoding = w->encoding;
    words = words ? words + 16 : 0; /* slack */
    if (words)
        TRY(mem_alloc(w->m, words * sizeof(uint32_t), &scratch, err));
    nrw_status st = body_new(w, bound, out, err);
    if (st == NRW_OK)
        out->body->len += encode(w, p->body->data, n, scratch, out->body->data + out->body->len);
    mem_free(w->m, scratch, words * sizeof(uint32_t));
    TRY(st);
    p->body->len = 0; /* the memory serves the next page */
    return body_trim(w, out, err);
}

/* The first page with values chooses for its chunk: byte streams where coding their entropy gives
 * clearly less (5 %) than delta packing, which leaves little to code. */
static nrw_status weigh_split(pq_column_writer *w, nrw_error *err)
{
    const uint8_t *values = w->page.body->data + w->page.head;
    size_t n = n_values(&w->page), bound = enc_delta_bound(n, w->t.width) + 64;
    void *scratch;

    w->weigh = false;
    TRY(mem_alloc(w->m, bound, &scratch, err));
    uint64_t delta = encode(w, values, n, NULL, scratch);
    mem_free(w->m, scratch, bound);
    if (enc_split_estimate(values, n, w->t.width) * 20 < delta * 19)
        w->encoding = PQ_BYTE_STREAM_SPLIT;
    return NRW_OK;
}

static nrw_status end_values(pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    TRY(plain_bounds(w, out, err));
    if (!n_values(&w->page))
        return end_empty(w, out, err);
    TRY(pq_page_hashes(w, out, err));
    if (w->t.class == PQ_VALUES_BOOL) {
        TRY(end_bool(w, out, err));
        w->page.body->len = 0;
        return NRW_OK;
    }
    if (w->weigh)
        TRY(weigh_split(w, err));
    return pq_body_stays(w) ? end_in_place(w, out, err) : end_encoded(w, out, err);
}

/* ---- dictionary ---- */

void pq_dictionary_end(pq_column_writer *w)
{
    w->indexing = false;
    pq_words_release(w->m, &w->remap.own);
    w->remap = (pq_remap){0};
    pq_words_release(w->m, &w->page.index);
    pq_words_release(w->m, &w->page.runs);
    w->page.n_index = w->page.n_runs = 0;
    if (w->dict_used)
        pq_dict_freeze(&w->dict);
    else
        pq_dict_release(&w->dict);
}

nrw_status pq_values_of_indices(pq_column_writer *w, nrw_error *err)
{
    const kernels *k = kernels_get();
    pq_block b;
    pq_draft *p = &w->page;
    uint32_t *index, n_index, step = PQ_BLOCK_ROWS;

    TRY(pq_page_index_room(w, 0, &index, err)); /* runs to rows */
    n_index = p->n_index;
    p->plain = 0;
    for (uint32_t at = 0; at < n_index; at += b.n) {
        index = p->index.at + at;
        b.n = n_index - at < step ? n_index - at : step;
        b.values = w->t.class == PQ_VALUES_NUMBERS ? b.raw : NULL;
        if (!b.values)
            for (uint32_t i = 0; i < b.n; i++)
                b.spans[i] = pq_dict_entry(&w->dict, index[i]);
        else if (w->t.width == 8)
            k->gather_8(w->dict.plain->data, index, b.n, b.raw);
        else
            k->gather_4(w->dict.plain->data, index, b.n, b.raw);
        TRY(pq_page_values(w, &b, b.n, err));
    }
    return NRW_OK;
}

static unsigned index_width(const pq_column_writer *w)
{
    return w->known > 1 ? enc_width(w->known - 1) : 1;
}

/* More than half of what it may come to hold is distinct. */
bool pq_dictionary_hopeless(const pq_column_writer *w)
{
    return w->indexing && !w->judged && !w->force_dict && 2 * (uint64_t)w->known > w->page_limit;
}

nrw_status pq_page_give_up(pq_column_writer *w, nrw_error *err)
{
    w->judged = true;
    TRY(pq_values_of_indices(w, err));
    pq_dictionary_end(w);
    return NRW_OK;
}

/* Whether the page takes less delta-packed than as indices. Leaves its values in the body. */
static nrw_status delta_pays(pq_column_writer *w, bool *pays, nrw_error *err)
{
    const pq_draft *p = &w->page;
    size_t n = n_values(p), bound, delta;
    void *scratch;

    TRY(pq_values_of_indices(w, err));
    bound = size_max(enc_delta_bound(n, w->t.width), enc_rle_bound(n, index_width(w))) + 64;
    TRY(mem_alloc(w->m, bound, &scratch, err));
    delta = encode(w, p->body->data, n, NULL, scratch);
    *pays = delta < enc_rle_u32(p->index.at, n, index_width(w), scratch);
    mem_free(w->m, scratch, bound);
    return NRW_OK;
}

/* Entries that the first half of the page's values name. They stand in order of appearance. */
static uint32_t entries_of_half(const pq_draft *p)
{
    const enc_run *runs = (const enc_run *)p->runs.at;
    uint32_t half = n_values(p) / 2, most = 0;

    if (p->n_index)
        return half ? kernels_get()->max_u32(p->index.at, half) + 1 : 0;
    for (uint32_t i = 0, seen = 0; i < p->n_runs && seen < half; seen += runs[i++].count)
        most = runs[i].value >= most ? runs[i].value + 1 : most;
    return most;
}

/* Whether entries come as fast at the page's end as at its beginning, and would fill the dictionary
 * before the row group is full: then values come back only where they stand close together, and
 * there the codec finds them, too. */
static bool outgrows(const pq_column_writer *w)
{
    uint64_t first = entries_of_half(&w->page), second = w->known - first;
    uint32_t rows = w->nested ? w->page.records : w->page.rows;
    uint64_t halves = 2 * w->row_group_rows / (rows ? rows : 1);
    /* not of the whole dictionary, which may be ahead of the rows by a block */
    uint64_t bytes = w->t.width ? (uint64_t)w->known * w->t.width : w->dict.at[w->known];

    return second * 4 > first * 3 && second * halves > w->dict_bytes * w->known / bytes;
}

/* The first page that holds values decides whether the dictionary is worth it: not where most of
 * them are distinct or it would be given up anyway, nor where the encoding without does better on
 * this page. */
static nrw_status judge(pq_column_writer *w, nrw_error *err)
{
    bool worthless;

    if (w->judged || w->force_dict)
        return NRW_OK;
    w->judged = true;
    worthless = 2 * (uint64_t)w->known > n_values(&w->page) || outgrows(w);
    if (worthless)
        TRY(pq_values_of_indices(w, err));
    else if (w->encoding == PQ_DELTA_BINARY_PACKED)
        TRY(delta_pays(w, &worthless, err));
    if (worthless) {
        pq_dictionary_end(w);
    } else if (w->page.body) {
        buffer_unref(w->page.body);
        w->page.body = NULL;
    }
    return NRW_OK;
}

/* Bytes of the texts that the page's indices name. */
static uint64_t text_of_indices(const pq_draft *p, const uint32_t *lens, uint32_t n_lens)
{
    const enc_run *runs = (const enc_run *)p->runs.at;
    uint32_t some[1024], n;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < p->n_runs; i++)
        sum += (uint64_t)runs[i].count * lens[runs[i].value];
    for (uint32_t at = 0; at < p->n_index; at += n) {
        n = p->n_index - at < 1024 ? p->n_index - at : 1024;
        kernels_get()->look_up_4(lens, n_lens, p->index.at + at, n, some);
        for (uint32_t i = 0; i < n; i++)
            sum += some[i];
    }
    return sum;
}

/* What the page has of text, whatever forms it came in. */
static nrw_status count_text(const pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    const uint32_t *at = w->dict.at;
    uint32_t *lens, least = UINT32_MAX, most = 0;
    size_t size = ((size_t)w->known + 16) * sizeof *lens; /* slack */
    void *p;

    TRY(mem_alloc(w->m, size, &p, err));
    lens = p;
    for (uint32_t i = 0; i < w->known; i++) {
        lens[i] = at[i + 1] - at[i] - 4;
        least = lens[i] < least ? lens[i] : least;
        most = lens[i] > most ? lens[i] : most;
    }
    out->text_bytes = least == most ? (uint64_t)n_values(&w->page) * most
                                    : text_of_indices(&w->page, lens, w->known);
    mem_free(w->m, lens, size);
    return NRW_OK;
}

static nrw_status end_indexed(pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    pq_draft *p = &w->page;
    unsigned width;
    size_t bound;
    uint8_t *dst;

    if (!n_values(p))
        return end_empty(w, out, err);
    TRY(judge(w, err));
    if (!w->indexing)
        return end_values(w, out, err);
    width = index_width(w);
    bound =
        1 + (p->n_runs ? enc_rle_runs_bound(p->n_runs, width) : enc_rle_bound(p->n_index, width));
    out->encoding = PQ_RLE_DICTIONARY;
    if (pq_is_text(w))
        TRY(count_text(w, out, err));
    TRY(indexed_bounds(w, out, err));
    TRY(pq_page_hashes(w, out, err));
    TRY(body_new(w, bound, out, err));
    dst = out->body->data + out->body->len;
    dst[0] = (uint8_t)width;
    if (p->n_runs)
        out->body->len += 1 + enc_rle_runs((const enc_run *)p->runs.at, p->n_runs, width, dst + 1);
    else
        out->body->len += 1 + enc_rle_u32(p->index.at, p->n_index, width, dst + 1);
    w->dict_used = true;
    return body_trim(w, out, err);
}

/* ---- the page ---- */

static nrw_status count_levels(const pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    const pq_draft *p = &w->page;
    size_t bytes = (size_t)(w->rep_counts + w->def_counts) * sizeof(uint32_t);

    if (!bytes)
        return NRW_OK;
    out->levels = bytes_init(w->m, bytes);
    TRY(bytes_reserve(&out->levels, bytes, err));
    out->levels.len = bytes;
    uint32_t *counts = (uint32_t *)(void *)out->levels.data;
    memset(counts, 0, bytes);
    if (w->rep_counts)
        pq_count_levels((const uint8_t *)p->rep.at, p->rows, w->max_rep, counts);
    if (w->def_counts)
        pq_count_levels(p->nulls ? (const uint8_t *)p->valid.at : NULL, p->rows, w->max_def,
                        counts + w->rep_counts);
    return NRW_OK;
}

static void page_begin(pq_column_writer *w)
{
    pq_draft *p = &w->page;

    p->rows = p->nulls = p->records = p->n_index = p->n_runs = p->n_lens = 0;
    p->plain = 0;
    p->any_text = false;
    if (p->body)
        p->body->len = p->head;
}

nrw_status pq_page_end(pq_column_writer *w, pq_page_list *out, nrw_error *err)
{
    pq_page_out p = {.type = w->v2 ? PQ_DATA_PAGE_V2 : PQ_DATA_PAGE,
                     .rows = w->page.rows,
                     .nulls = w->page.nulls,
                     .records = w->nested ? w->page.records : w->page.rows};
    nrw_status st = count_levels(w, &p, err);

    if (st == NRW_OK)
        st = w->indexing ? end_indexed(w, &p, err) : end_values(w, &p, err);
    if (pq_is_text(w) && !w->indexing)
        p.text_bytes = w->page.plain - 4 * (uint64_t)n_values(&w->page);
    p.width = w->t.width;
    if (st == NRW_OK)
        st = pq_page_list_push(out, w->m, &p, err);
    if (st < 0) {
        pq_page_out_release(&p);
        return st;
    }
    w->finished += out->at[out->n - 1].body->len;
    w->rows += out->at[out->n - 1].records;
    w->nulls += w->page.nulls;
    page_begin(w);
    return NRW_OK;
}

/* ---- lists ---- */

nrw_status pq_page_list_push(pq_page_list *l, mem *m, pq_page_out *p, nrw_error *err)
{
    if (!l->m)
        l->m = m;
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? 2 * l->cap : 8;
        void *at = l->at;
        TRY(mem_realloc(l->m, &at, l->cap * sizeof *l->at, cap * sizeof *l->at, err));
        l->at = at;
        l->cap = cap;
    }
    l->at[l->n++] = *p;
    *p = (pq_page_out){0};
    return NRW_OK;
}

void pq_page_out_release(pq_page_out *p)
{
    buffer_unref(p->body);
    buffer_unref(p->hashes);
    bytes_release(&p->levels);
    bytes_release(&p->min);
    bytes_release(&p->max);
    *p = (pq_page_out){0};
}

void pq_page_list_release(pq_page_list *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        pq_page_out_release(&l->at[i]);
    mem_free(l->m, l->at, l->cap * sizeof *l->at);
    *l = (pq_page_list){.m = l->m};
}
