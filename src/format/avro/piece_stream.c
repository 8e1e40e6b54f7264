/* A block that does not come at once: unpacked by stream, its whole records measured, and handed on
 * in parts. */
#include "format/avro/pass.h"
#include "format/avro/piece_own.h"

static void say_cut(const av_block *b, nrw_error *why)
{
    *why = (nrw_error)NRW_ERROR_INIT;
    err_at_block(why, b->number, -1);
    err_at_offset(why, (int64_t)(b->data + b->size));
    err_set(why, NRW_E_CORRUPT, "the block ends before the bytes that it announces");
}

static nrw_status open_stream(av_piece *p, nrw_error *err)
{
    const av_shape *s = p->shape;

    return av_in_block(
        &p->block, av_stream_open(&p->stream, s->m, s->file, s->header, &p->codec, &p->block, err),
        err);
}

/* All of its bytes, for nothing but whether they can be unpacked: a block that comes in parts is
 * kept or lost as one that does not. */
static nrw_status try_stream(av_piece *p, nrw_error *err)
{
    const size_t cap = p->shape->raw_max;
    size_t n = 1;
    buffer *out;
    nrw_status st;

    TRY(buffer_new(p->shape->m, cap, &out, err));
    st = open_stream(p, err);
    while (st >= 0 && n > 0)
        st = av_stream_fill(&p->stream, out->data, cap, &n, err);
    av_stream_close(&p->stream);
    buffer_unref(out);
    return st;
}

nrw_status av_piece_begin_block(av_piece *p, nrw_error *err)
{
    const av_shape *s = p->shape;
    const av_walk w = {.file = s->file, .header = s->header, .at = p->at, .number = p->number};
    nrw_error why = NRW_ERROR_INIT;
    nrw_status st = NRW_OK;

    if (!p->cut)
        TRY(av_block_at(&w, p->at, &p->block, err));
    p->left = p->block.rows;
    p->block_row = p->row;
    p->raw_at = p->block.data;
    if (s->damaged && p->cut && s->header->crc) { /* where it would be, nobody knows */
        say_cut(&p->block, &why);
        st = NRW_E_CORRUPT;
    } else if (s->damaged && !p->cut && !av_piece_plain(p)) {
        st = try_stream(p, &why);
        st = av_piece_unpacked(p, &p->block, st, &why);
    }
    if (st >= 0)
        st = open_stream(p, &why);
    if (st < 0 && !av_leaves_out(p, st))
        return av_give_error(st, &why, err);
    if (st < 0) {
        TRY(av_piece_lose_block(p, &p->block, &why, err));
        p->left = 0;
    }
    av_piece_pass_block(p, &p->block);
    return NRW_OK;
}

/* A buffer for the next bytes, the carried ones in front. */
static nrw_status carry_over(av_piece *p, nrw_error *err)
{
    size_t cap = p->carried > p->shape->raw_max ? p->carried : p->shape->raw_max;
    buffer *old = p->raw, *next;

    TRY(buffer_new(p->shape->m, cap, &next, err));
    if (p->carried)
        memcpy(next->data, old->data + p->carry, p->carried);
    next->len = p->carried;
    buffer_unref(old);
    p->raw = next;
    p->raw_at += p->carry;
    p->carry = 0;
    return NRW_OK;
}

static nrw_status fill(av_piece *p, nrw_error *err)
{
    while (p->raw->len < p->raw->cap && !p->stream.ended) {
        size_t n;
        nrw_status st = av_stream_fill(&p->stream, p->raw->data + p->raw->len,
                                       p->raw->cap - p->raw->len, &n, err);
        if (p->cut && av_leaves_out(p, st)) {
            av_stream_stop(&p->stream); /* as far as it goes */
            return NRW_OK;
        }
        TRY(st);
        p->raw->len += n;
        p->raw_bytes += n;
    }
    return NRW_OK;
}

static nrw_status guesses_anew(av_piece *p, nrw_error *err)
{
    const uint32_t n = p->shape->program->n_skip_guesses;

    if (!p->skip_guesses)
        TRY(mem_alloc(p->shape->m, n * sizeof *p->guesses + 1, (void **)&p->skip_guesses, err));
    av_guess_anew(p->skip_guesses, n);
    return NRW_OK;
}

/* How many records are whole in `raw`, and where they end. */
static nrw_status measure(av_piece *p, uint32_t *rows, size_t *end, nrw_error *err)
{
    const uint32_t most = p->left < p->shape->rows_max ? (uint32_t)p->left : p->shape->rows_max;
    av_run r = {.program = p->shape->program,
                .p = p->raw->data,
                .end = span_end((span){p->raw->data, p->raw->len})};

    *end = 0;
    TRY(guesses_anew(p, err));
    r.guesses = p->skip_guesses;
    for (*rows = 0; *rows < most; ++*rows) {
        nrw_status st = av_skip(&r, err);
        r.rows++;
        if (st == NRW_END)
            break;
        if (av_is_damage(st))
            return *rows > 0 ? NRW_OK : st; /* those before it come first */
        TRY(st);
        *end = (size_t)(r.p - p->raw->data);
    }
    return NRW_OK;
}

static nrw_status grow_raw(av_piece *p, nrw_error *err)
{
    size_t cap = p->raw->cap * 2;

    if (p->raw->cap >= INT32_MAX / 2)
        return err_set(err, NRW_E_UNSUPPORTED, "a record has more than a gibibyte");
    if (buffer_resize(&p->raw, cap, err) < 0) {
        err_at_block(err, p->block.number, p->block.rows - p->left);
        err_next(err, "give more with --memory");
        return err_set(err, NRW_E_MEMLIMIT, "a record takes more than %zu bytes", p->raw->cap);
    }
    return NRW_OK;
}

/* The last records of the block must use it up. */
static nrw_status check_end(av_piece *p, size_t end, nrw_error *err)
{
    uint8_t probe;
    size_t n = 0;

    if (p->raw->len == end)
        TRY(av_stream_fill(&p->stream, &probe, 1, &n, err));
    if (n == 0 && p->raw->len == end)
        return NRW_OK;
    return av_trailing(err);
}

/* The next records of the stream, measured: they lie at the start of `raw`. *bad: the first of them
 * cannot be read; it comes alone, for decoding to say why. */
static nrw_status next_part(av_piece *p, uint32_t *rows, size_t *end, bool *bad, nrw_error *err)
{
    *bad = false;
    TRY(carry_over(p, err));
    for (;;) {
        nrw_status st;
        TRY(fill(p, err));
        st = measure(p, rows, end, err);
        if (!av_is_damage(st))
            TRY(st);
        *bad = av_is_damage(st) || (st >= 0 && *rows == 0 && p->stream.ended);
        if (*bad || *rows > 0)
            break;
        TRY(grow_raw(p, err));
    }
    if (*bad) {
        *rows = 1;
        *end = p->raw->len;
    }
    return NRW_OK;
}

void av_piece_end_block(av_piece *p)
{
    av_stream_close(&p->stream);
    p->left = 0;
    p->carry = p->carried = 0;
}

/* What is left of the block is lost, for the reason given. */
static nrw_status lose_rest(av_piece *p, nrw_error *why, nrw_error *err)
{
    const int64_t record = p->block.rows - p->left, rows = p->left;
    const uint64_t from = rows == 0           ? p->block.data + p->block.size
                          : av_piece_plain(p) ? p->raw_at + p->carry
                                              : p->block.data;

    if (p->cut)
        say_cut(&p->block, why);
    err_at_block(why, p->block.number, record);
    av_piece_end_block(p);
    return av_piece_lose(p, &p->block, p->block_row, record, rows, from, why, err);
}

nrw_status av_piece_load_part(av_piece *p, nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    uint32_t rows = 0;
    size_t end = 0;
    bool bad;
    nrw_status st = next_part(p, &rows, &end, &bad, &why);

    if (av_leaves_out(p, st) || (st >= 0 && bad && p->cut))
        return lose_rest(p, &why, err);
    if (st < 0)
        return av_in_block(&p->block, av_give_error(st, &why, err), err);
    TRY(av_piece_add_segment(p,
                             &(av_segment){.block = p->block,
                                           .end = (uint32_t)end,
                                           .all = rows,
                                           .record = p->block.rows - p->left,
                                           .first_row = p->block_row,
                                           .whole = bad},
                             err));
    p->left -= rows;
    p->carry = end;
    p->carried = p->raw->len - end;
    if (p->left > 0 || bad)
        return NRW_OK;
    st = p->cut ? NRW_E_CORRUPT : check_end(p, end, &why);
    if (av_leaves_out(p, st))
        return lose_rest(p, &why, err);
    av_piece_end_block(p);
    return st < 0 ? av_in_block(&p->block, av_give_error(st, &why, err), err) : NRW_OK;
}
