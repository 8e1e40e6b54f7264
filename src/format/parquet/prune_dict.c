/* The dictionary check: where all pages of a chunk are of dictionary indices, only values of its
 * dictionary are there (and maybe nulls). */
#include "format/parquet/dict_read.h"
#include "format/parquet/meta_priv.h"
#include "format/parquet/prune.h"

/* A larger dictionary page costs more than it saves. */
#define LARGEST (64 << 10)

static nrw_status load(page_reader *pages, const pq_leaf *leaf, dict **out, nrw_error *err)
{
    pq_dict d = {0};
    convert conv;
    pq_page head;
    nrw_status st;

    TRY(convert_choose(leaf, &conv, err));
    if (conv.null_type)
        return NRW_OK;
    st = page_header(pages, 0, &head, err);
    if (st != NRW_OK || head.type != PQ_DICTIONARY_PAGE)
        return st < 0 ? st : NRW_OK;
    st = dict_load(&d, pages, &head, leaf, &conv, 0, err);
    if (st >= 0 && d.shared)
        *out = dict_ref(d.shared);
    dict_close(&d);
    return st;
}

nrw_status pq_prune_dictionary(mem *m, pq_meta *p, const pq_leaf *leaf, const pq_chunk *c,
                               dict **out, nrw_error *err)
{
    page_reader pages = {.m = m, .f = p->f, .verify_crc = true, .codec_id = c->codec};
    nrw_status st;

    *out = NULL;
    if (!c->dictionary_only || c->dictionary_page_offset < 0 ||
        c->data_page_offset <= c->dictionary_page_offset ||
        c->data_page_offset - c->dictionary_page_offset > LARGEST || c->end < c->data_page_offset)
        return NRW_OK;
    pages.at = (uint64_t)c->dictionary_page_offset;
    pages.end = pages.ahead_end = (uint64_t)c->data_page_offset;
    pages.read_ahead = (size_t)(pages.end - pages.at);
    st = load(&pages, leaf, out, err);
    page_park(&pages);
    return st;
}
