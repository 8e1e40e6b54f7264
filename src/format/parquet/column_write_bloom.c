/* Hashes of written values for the bloom filter of their chunk (bloom_write.h), page by page. */
#include "base/hash.h"
#include "format/parquet/column_write_parts.h"

uint64_t pq_hashes_most(uint64_t rows)
{
    return buffer_cost(rows * sizeof(uint64_t));
}

/* Sorted values come again and again; others are counted later. */
static void put(buffer *b, span value)
{
    uint64_t hash = hash_xxh64(value.data, value.len);

    if (b->len && load_u64(b->data + b->len - 8) == hash)
        return;
    store_u64(b->data + b->len, hash);
    b->len += 8;
}

/* Entries in the order in which pages come to name them: each once. */
static nrw_status hash_entries(pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    if (w->hashed == w->known)
        return NRW_OK;
    TRY(buffer_new(w->m, (size_t)(w->known - w->hashed) * 8, &out->hashes, err));
    for (; w->hashed < w->known; w->hashed++)
        put(out->hashes, pq_dict_entry(&w->dict, w->hashed));
    return NRW_OK;
}

static nrw_status hash_body(const pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    const pq_draft *p = &w->page;
    uint32_t n = p->rows - p->nulls;
    const uint8_t *at = p->body->data + p->head;

    TRY(buffer_new(w->m, (size_t)n * 8, &out->hashes, err));
    for (uint32_t i = 0; i < n; i++) {
        size_t len = w->t.width;
        if (pq_texts_apart(w)) {
            len = p->lens.at[i];
        } else if (!len) {
            len = load_u32(at);
            at += 4;
        }
        put(out->hashes, (span){at, len});
        at += len;
    }
    return NRW_OK;
}

nrw_status pq_page_hashes(pq_column_writer *w, pq_page_out *out, nrw_error *err)
{
    if (!w->bloom)
        return NRW_OK;
    return w->indexing ? hash_entries(w, out, err) : hash_body(w, out, err);
}
