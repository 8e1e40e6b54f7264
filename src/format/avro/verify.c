#include "format/avro/verify.h"

typedef struct verifier {
    io_file *file;
    const av_header *header;
    av_whole whole;
    fault_found fault;
    void *self;
    int64_t blocks, records, checksums;
    uint64_t bytes;
} verifier;

/* All records of a block. */
static nrw_status decode_block(verifier *v, const av_block *b, nrw_error *err)
{
    int64_t left = b->rows;
    uint32_t n;

    av_piece_start(&v->whole.piece, b->at, b->data + b->size + AV_SYNC, b->number, 0);
    while (left > 0) {
        TRY(av_piece_next(&v->whole.piece, left > BATCH_MAX_ROWS ? BATCH_MAX_ROWS : (uint32_t)left,
                          &n, err));
        left -= n;
        v->records += n;
    }
    return NRW_OK;
}

static nrw_status verify_block(verifier *v, const av_block *b, nrw_error *err)
{
    nrw_error what = NRW_ERROR_INIT;
    nrw_status st = NRW_OK;

    v->blocks++;
    v->bytes += b->size;
    v->checksums += v->header->crc;
    if (v->whole.program.n_outputs > 0)
        st = decode_block(v, b, &what);
    av_piece_drop(&v->whole.piece);
    return st < 0 ? verify_tell(v->fault, v->self, st, &what, err) : NRW_OK;
}

static nrw_status walk(verifier *v, nrw_error *err)
{
    av_walk w = av_walk_init(v->file, v->header);

    for (;;) {
        nrw_error what = NRW_ERROR_INIT;
        av_block b;
        uint64_t at = w.at;
        nrw_status st = av_walk_next(&w, &b, &what);
        if (st == NRW_END)
            return NRW_OK;
        if (st == NRW_OK) {
            TRY(verify_block(v, &b, err));
            continue;
        }
        TRY(verify_tell(v->fault, v->self, st, &what, err));
        st = av_walk_resync(&w, at + 1, err);
        if (st != NRW_OK)
            return st < 0 ? st : NRW_OK;
    }
}

nrw_status av_verify(io_file *f, const av_header *h, const av_columns *c, mem *m, fault_found fault,
                     void *self, verify_counts *out, nrw_error *err)
{
    verifier v = {.file = f, .header = h, .fault = fault, .self = self};
    nrw_status st = av_whole_open(&v.whole, f, h, c, m, err);

    if (st >= 0)
        st = walk(&v, err);
    av_whole_close(&v.whole);
    *out = (verify_counts){.n = 3,
                           .at = {{"blocks", v.blocks, false},
                                  {"checksums", v.checksums, false},
                                  {"records", v.records, false}},
                           .bytes = v.bytes};
    return st;
}
