/* Pages of a chunk from file to file. Each is checked before it is written: against its checksum,
 * or, where it has none, by decompressing it. Headers are written anew. */
#include "format/parquet/keep_own.h"

/* What the rule took from the footer must be true of the page itself. */
static nrw_status check_page(const pq_keep_chunk *c, const pq_page *p, nrw_error *err)
{
    bool dictionary = p->encoding == PQ_PLAIN_DICTIONARY || p->encoding == PQ_RLE_DICTIONARY;
    bool v1 = p->type == PQ_DATA_PAGE;
    pq_page_type data = c->w->opts->version < 2 ? PQ_DATA_PAGE : PQ_DATA_PAGE_V2;
    const char *wrong = NULL;
    if (p->type == PQ_DICTIONARY_PAGE)
        wrong = c->to.dictionary.len || c->pages ? "a dictionary behind other pages" : NULL;
    else if (p->type != data)
        wrong = "pages of both versions of the format";
    else if (p->encoding < 0 || p->encoding > 31 || !(c->from.data_encodings >> p->encoding & 1))
        wrong = "a page of an encoding that the footer does not name";
    else if (dictionary && !c->to.dictionary.len)
        wrong = "a page of dictionary indices without a dictionary";
    else if (v1 && ((c->leaf->max_def && p->def_encoding != PQ_RLE) ||
                    (c->leaf->max_rep && p->rep_encoding != PQ_RLE)))
        wrong = "levels of an encoding that is no longer written";
    else if (c->values + p->n_values > c->from.n_values)
        wrong = "more values than the footer says";
    if (c->from.codec == CODEC_NONE && p->compressed != p->uncompressed)
        wrong = "a page of two sizes that is not compressed";
    if (!wrong)
        return NRW_OK;
    err_next(err, "--no-keep-pages decodes them");
    return err_set(err, NRW_E_CORRUPT, "%s", wrong);
}

/* *crc: of the stored bytes, which are sound as far as can be told. */
static nrw_status check_body(page_reader *r, const pq_page *p, uint32_t *crc, nrw_error *err)
{
    if (!p->has_crc) {
        body b;
        TRY(page_body(r, p, &b, err));
        page_recycle(r, &b);
    }
    TRY(page_stored(r, p, NULL, NULL, crc, err));
    return p->has_crc ? page_check_crc(p, *crc, err) : NRW_OK;
}

static nrw_status to_target(void *self, span piece, nrw_error *err)
{
    return target_write(self, piece, err);
}

/* Writes the page; *header_len: of the new header. */
static nrw_status write_page(const pq_keep_chunk *c, page_reader *r, const pq_page *p,
                             uint32_t *header_len, nrw_error *err)
{
    pq_page head = *p;
    uint8_t room[PQ_HEADER_ROOM];
    bytes to = {.data = room, .cap = sizeof room, .max = sizeof room, .m = c->m};
    uint32_t crc;
    TRY(check_body(r, p, &head.crc, err));
    head.has_crc = c->w->opts->page_crc;
    TRY(pq_page_header_write(&to, &head, err));
    TRY(target_write(c->w->target, (span){to.data, to.len}, err));
    *header_len = (uint32_t)to.len;
    TRY(page_stored(r, p, to_target, c->w->target, &crc, err));
    if (crc != head.crc)
        return err_set(err, NRW_E_CHANGED, "the file changed while it was read");
    return NRW_OK;
}

static void count_sizes(pq_keep_chunk *c, const pq_page *p, uint32_t header_len)
{
    c->to.encoded += (uint64_t)p->uncompressed;
    c->to.uncompressed += header_len + (uint64_t)p->uncompressed;
    c->to.compressed += header_len + (uint64_t)p->compressed;
}

static nrw_status keep_dictionary(pq_keep_chunk *c, page_reader *r, const pq_page *p,
                                  nrw_error *err)
{
    uint32_t header_len;
    TRY(write_page(c, r, p, &header_len, err));
    count_sizes(c, p, header_len);
    c->to.dictionary.len = header_len + (uint32_t)p->compressed;
    c->to.dictionary_encoding = (uint8_t)p->encoding;
    return NRW_OK;
}

/* The record comes first: what is said in the header lies in the window, which moves. */
static nrw_status keep_data(pq_keep_chunk *c, page_reader *r, const pq_page *p, nrw_error *err)
{
    uint32_t rows, len, header_len;
    uint8_t *record;
    TRY(pq_keep_rows(c, p, &rows, err));
    TRY(pq_keep_record_new(c, p, rows, &record, &len, err));
    nrw_status st = write_page(c, r, p, &header_len, err);
    if (st >= 0 && record) {
        store_u32(record, header_len + (uint32_t)p->compressed);
        st = pq_log_append(&c->w->env, &c->to.records, (span){record, len}, err);
    }
    mem_free(c->m, record, len);
    TRY(st);
    TRY(pq_count_encoding(&c->to, p->encoding, err));
    count_sizes(c, p, header_len);
    c->to.rows += rows;
    c->to.values += p->n_values;
    c->values += p->n_values;
    c->pages++;
    return NRW_OK;
}

static nrw_status keep_page(pq_keep_chunk *c, page_reader *r, nrw_error *err)
{
    pq_page p;
    nrw_status st = page_header(r, r->read_ahead, &p, err);
    if (st == NRW_END)
        return err_set(err, NRW_E_CORRUPT, "the pages end after %lld of %lld values",
                       (long long)c->values, (long long)c->from.n_values);
    TRY(st);
    if (p.type != PQ_INDEX_PAGE)
        TRY(check_page(c, &p, err));
    if (p.type == PQ_DICTIONARY_PAGE)
        TRY(keep_dictionary(c, r, &p, err));
    else if (p.type != PQ_INDEX_PAGE)
        TRY(keep_data(c, r, &p, err));
    page_pass(r, &p);
    return NRW_OK;
}

nrw_status pq_keep_pages(pq_keep_chunk *c, page_reader *pages, nrw_error *err)
{
    while (c->values < c->from.n_values) {
        uint64_t at = pages->at;
        nrw_status st = keep_page(c, pages, err);
        if (st < 0) {
            err_at_page(err, c->pages);
            err_at_offset(err, (int64_t)at);
            return st;
        }
    }
    return NRW_OK;
}
