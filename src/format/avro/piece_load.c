/* Blocks on their way in: as many whole ones as there is room for, read and unpacked at once. */
#include "format/avro/pass.h"
#include "format/avro/piece_own.h"

/* ---- damage ---- */

nrw_status av_piece_lose(av_piece *p, const av_block *b, int64_t first_row, int64_t record,
                         int64_t rows, uint64_t from, const nrw_error *why, nrw_error *err)
{
    nrw_error place = *why;

    p->lost += rows;
    err_at_object(&place, p->shape->file->name);
    err_at_block(&place, b->number, -1);
    err_at_offset(&place, (int64_t)b->data);
    return p->shape->damaged(
        p->shape->damaged_self,
        &(damage){place.column, first_row + record, rows, from, b->data + b->size, &place}, err);
}

nrw_status av_piece_lose_block(av_piece *p, const av_block *b, const nrw_error *why, nrw_error *err)
{
    return av_piece_lose(p, b, p->row, 0, b->rows, b->data, why, err);
}

nrw_status av_piece_unpacked(const av_piece *p, const av_block *b, nrw_status st, nrw_error *why)
{
    if (!av_leaves_out(p, st == NRW_E_UNSUPPORTED ? NRW_E_CORRUPT : st))
        return st;
    *why = (nrw_error)NRW_ERROR_INIT;
    err_at_block(why, b->number, -1);
    err_at_offset(why, (int64_t)b->data);
    return err_set(why, NRW_E_CORRUPT, "the %s data of the block are damaged",
                   p->codec.codec->name);
}

/* ---- segments ---- */

nrw_status av_piece_add_segment(av_piece *p, const av_segment *s, nrw_error *err)
{
    if (p->n_segments == p->cap_segments) {
        uint32_t cap = p->cap_segments ? p->cap_segments * 2 : 16;
        TRY(mem_realloc(p->shape->m, (void **)&p->segments, p->cap_segments * sizeof *p->segments,
                        cap * sizeof *p->segments, err));
        p->cap_segments = cap;
    }
    p->segments[p->n_segments] = *s;
    p->segments[p->n_segments].at = s->start;
    p->segments[p->n_segments++].rows = s->all;
    return NRW_OK;
}

nrw_status av_trailing(nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "bytes follow the last record of the block");
}

nrw_status av_in_block(const av_block *b, nrw_status st, nrw_error *err)
{
    if (st < 0) {
        err_at_block(err, b->number, -1);
        err_at_offset(err, (int64_t)b->data);
    }
    return st;
}

/* ---- whole blocks ---- */

/* The block at `at`, if it lies in `stored`, up to the marker behind it at least. */
static bool block_stored(const av_piece *p, uint64_t at, int64_t number, av_block *out)
{
    const size_t before = (size_t)(at - p->stored_at);
    span head = {p->stored->data, p->stored->len};
    int64_t size;
    size_t n;

    span_skip(&head, size_min(before, head.len));
    *out = (av_block){.number = number, .at = at};
    n = av_block_numbers(head, &out->rows, &size);
    if (n == 0 || size < 0 || out->rows < 0 || out->rows > INT32_MAX ||
        (uint64_t)size > head.len - n)
        return false;
    out->data = at + n;
    out->size = (uint64_t)size;
    return true;
}

/* The block at p->at. The cutter has looked at it: it differs only if the file has changed since.
 */
static nrw_status next_stored(const av_piece *p, av_block *out, nrw_error *err)
{
    if (block_stored(p, p->at, p->number, out))
        return NRW_OK;
    err_at_block(err, p->number, -1);
    err_at_offset(err, (int64_t)p->at);
    return err_set(err, NRW_E_CHANGED, "the file changed while it was read");
}

static span bytes_stored(const av_piece *p, const av_block *b)
{
    return (span){p->stored->data + (b->data - p->stored_at), (size_t)b->size};
}

static nrw_status read_stored(av_piece *p, nrw_error *err)
{
    const uint64_t end = p->end < p->shape->file->size ? p->end : p->shape->file->size;
    size_t n = (size_t)(end - p->at); /* the last marker may be incomplete */

    TRY(buffer_new(p->shape->m, n, &p->stored, err));
    p->stored_at = p->at;
    p->stored->len = n;
    return file_read(p->shape->file, p->at, p->stored->data, n, err);
}

/* Where the plain bytes of the block at hand are, or go. */
typedef struct plain_bytes {
    size_t at, n; /* in `raw` */
    /* those of the next ones, unpacked with it; 0: none are */
    size_t behind[CODEC_BESIDE];
} plain_bytes;

/* Block b and those behind it that lie in `stored`, at most `most`: how many. */
static size_t stored_beside(const av_piece *p, const av_block *b, size_t most, span *out)
{
    av_block next = *b;
    size_t n = 0;

    for (;;) {
        const uint64_t end = next.data + next.size + AV_SYNC;
        out[n++] = bytes_stored(p, &next);
        if (n == most || end >= p->end || !block_stored(p, end, next.number + 1, &next))
            return n;
    }
}

/* Unpacks block b behind what is there, with the next ones where that is faster. */
static nrw_status unpack_next(av_piece *p, const av_block *b, plain_bytes *at, nrw_error *why)
{
    const av_header *h = p->shape->header;
    const codec *c = p->codec.codec;
    span stored[CODEC_BESIDE];
    size_t n[CODEC_BESIDE] = {0}, count, cap;
    uint8_t *dst;

    at->at += at->n;
    at->n = at->behind[0];
    memmove(at->behind, at->behind + 1, sizeof at->behind - sizeof *at->behind);
    if (at->n > 0)
        return NRW_OK;
    memset(at->behind, 0, sizeof at->behind);
    dst = p->raw->data + at->at;
    cap = p->raw->cap - at->at;
    count = c->decode_beside ? stored_beside(p, b, CODEC_BESIDE, stored) : 1;
    for (; count > 1; count--)
        if (av_unpack_beside(h, c, stored, count, dst, cap, n)) {
            at->n = n[0];
            for (size_t i = 1; i < count; i++)
                at->behind[i - 1] = n[i];
            return NRW_OK;
        }
    return av_unpack(h, &p->codec, bytes_stored(p, b), dst, cap, &at->n, why);
}

/* The plain bytes of block b. NRW_END: there is no room for them. */
static nrw_status bring_block(av_piece *p, const av_block *b, plain_bytes *at, nrw_error *why)
{
    nrw_status st = NRW_OK;

    if (av_piece_plain(p)) {
        *at = (plain_bytes){(size_t)(b->data - p->stored_at), (size_t)b->size, {0}};
    } else {
        st = unpack_next(p, b, at, why);
        if (st == NRW_END)
            return st;
        st = av_piece_unpacked(p, b, st, why);
    }
    return st >= 0 && b->rows == 0 && at->n > 0 ? av_trailing(why) : st;
}

static nrw_status keep_block(av_piece *p, const av_block *b, const plain_bytes *at, nrw_error *err)
{
    p->stored_bytes += b->size;
    p->raw_bytes += at->n;
    if (!av_piece_plain(p)) /* else it is what is stored */
        p->raw->len = at->at + at->n;
    return av_piece_add_segment(p,
                                &(av_segment){.block = *b,
                                              .start = (uint32_t)at->at,
                                              .end = (uint32_t)(at->at + at->n),
                                              .all = (uint32_t)b->rows,
                                              .first_row = p->row,
                                              .whole = true},
                                err);
}

/* Unpacks blocks behind each other until the next one has no room. Without a codec the run itself
 * is what is decoded. */
static nrw_status load_blocks(av_piece *p, nrw_error *err)
{
    plain_bytes at = {0};

    p->raw_at = p->stored_at;
    if (av_piece_plain(p))
        p->raw = buffer_ref(p->stored);
    else
        TRY(buffer_new(p->shape->m, p->shape->raw_max, &p->raw, err));
    while (p->at < p->end) {
        nrw_error why = NRW_ERROR_INIT;
        av_block b;
        nrw_status st;
        TRY(next_stored(p, &b, err));
        st = bring_block(p, &b, &at, &why);
        if (st == NRW_END)
            break;
        if (st < 0 && !av_leaves_out(p, st))
            return av_in_block(&b, av_give_error(st, &why, err), err);
        if (st < 0)
            TRY(av_piece_lose_block(p, &b, &why, err));
        else
            TRY(keep_block(p, &b, &at, err));
        av_piece_pass_block(p, &b);
    }
    return NRW_OK;
}

/* ---- loading ---- */

nrw_status av_piece_load(av_piece *p, nrw_error *err)
{
    const uint64_t at = p->at;
    nrw_error why = NRW_ERROR_INIT;
    nrw_status st;

    p->n_segments = p->segment = 0;
    p->guess_rows = 0;
    av_guess_on(p->guesses, p->shape->program->n_guesses);
    av_guess_on(p->sparse_guesses, p->shape->program->n_sparse_guesses);
    if (p->stream.m)
        return av_piece_load_part(p, err);
    buffer_unref(p->raw);
    p->raw = NULL;
    if (p->at >= p->end && p->shape->damaged)
        return NRW_END;
    if (p->at >= p->end)
        return err_set(err, NRW_E_CORRUPT, "fewer records than the block headers announce");
    if (!p->cut && !p->stored && p->end - p->at <= p->shape->stored_max)
        TRY(read_stored(p, err));
    if (p->stored)
        TRY(load_blocks(p, err));
    if (p->n_segments > 0 || p->at > at)
        return NRW_OK;
    buffer_unref(p->raw);
    p->raw = NULL;
    TRY(av_piece_begin_block(p, err));
    if (!p->stream.m)
        return NRW_OK; /* lost */
    if (p->left > 0)
        return av_piece_load_part(p, err);
    av_piece_end_block(p);
    st = av_trailing(&why);
    return av_leaves_out(p, st) ? av_piece_lose_block(p, &p->block, &why, err)
                                : av_in_block(&p->block, av_give_error(st, &why, err), err);
}
