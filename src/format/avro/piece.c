#include "format/avro/pass.h"
#include "format/avro/piece_own.h"

nrw_status av_piece_init(av_piece *p, const av_shape *s, nrw_error *err)
{
    const av_program *prog = s->program;

    *p = (av_piece){.shape = s, .codec = codec_ctx_init(s->header->codec, s->m)};
    TRY(mem_zalloc(s->m, prog->n_slots * sizeof *p->slots, (void **)&p->slots, err));
    for (uint32_t i = 0; i < prog->n_slots; i++) {
        const av_slot_plan *plan = &prog->slots[i];
        p->slots[i].below = plan->below;
        p->slots[i].symbols = plan->symbols == UINT32_MAX ? NULL : prog->symbols[plan->symbols];
    }
    TRY(mem_zalloc(s->m, prog->n_guesses * sizeof *p->guesses + 1, (void **)&p->guesses, err));
    av_guess_anew(p->guesses, prog->n_guesses);
    TRY(mem_zalloc(s->m, prog->n_sparse_guesses * sizeof *p->guesses + 1,
                   (void **)&p->sparse_guesses, err));
    av_guess_anew(p->sparse_guesses, prog->n_sparse_guesses);
    if (s->repeats)
        TRY(mem_zalloc(s->m, prog->n_texts * sizeof *p->repeats + 1, (void **)&p->repeats, err));
    for (uint32_t i = 0; p->repeats && i < prog->n_texts; i++)
        av_repeats_init(&p->repeats[i], s->m);
    TRY(mem_zalloc(s->m, prog->n_outputs * sizeof *p->vector_sizes, (void **)&p->vector_sizes,
                   err));
    return mem_zalloc(s->m, prog->n_outputs * sizeof *p->vectors, (void **)&p->vectors, err);
}

static void drop_slots(av_piece *p)
{
    for (uint32_t i = 0; p->slots && i < p->shape->program->n_slots; i++)
        av_slot_release(&p->slots[i]);
}

static void drop_vectors(av_piece *p)
{
    for (uint32_t i = 0; p->vectors && i < p->shape->program->n_outputs; i++) {
        vector_release(&p->vectors[i]);
        p->vector_sizes[i] = 0;
    }
}

void av_piece_drop(av_piece *p)
{
    drop_vectors(p);
    drop_slots(p);
    av_stream_close(&p->stream);
    buffer_unref(p->stored);
    buffer_unref(p->raw);
    p->stored = p->raw = NULL;
    p->n_segments = p->segment = 0;
    p->carry = p->carried = 0;
    p->at = p->end;
}

void av_piece_free(av_piece *p)
{
    mem *m;

    if (!p->shape)
        return;
    m = p->shape->m;
    av_piece_drop(p);
    codec_ctx_release(&p->codec);
    mem_free(m, p->segments, p->cap_segments * sizeof *p->segments);
    mem_free(m, p->slots, p->slots ? p->shape->program->n_slots * sizeof *p->slots : 0);
    for (uint32_t i = 0; p->repeats && i < p->shape->program->n_texts; i++)
        av_repeats_release(&p->repeats[i]);
    mem_free(m, p->repeats, p->repeats ? p->shape->program->n_texts * sizeof *p->repeats + 1 : 0);
    mem_free(m, p->guesses, p->guesses ? p->shape->program->n_guesses * sizeof *p->guesses + 1 : 0);
    mem_free(m, p->skip_guesses,
             p->skip_guesses ? p->shape->program->n_skip_guesses * sizeof *p->guesses + 1 : 0);
    mem_free(m, p->sparse_guesses,
             p->sparse_guesses ? p->shape->program->n_sparse_guesses * sizeof *p->guesses + 1 : 0);
    mem_free(m, p->vector_sizes,
             p->vector_sizes ? p->shape->program->n_outputs * sizeof *p->vector_sizes : 0);
    mem_free(m, p->vectors, p->vectors ? p->shape->program->n_outputs * sizeof *p->vectors : 0);
    *p = (av_piece){0};
}

void av_piece_start(av_piece *p, uint64_t at, uint64_t end, int64_t number, int64_t row)
{
    p->at = at;
    p->end = end;
    p->number = number;
    p->row = row;
    p->lost = 0;
    p->cut = false;
}

void av_piece_start_cut(av_piece *p, const av_block *b, int64_t row)
{
    av_piece_start(p, b->at, b->data + b->size, b->number, row);
    p->block = *b;
    p->cut = true;
}

/* ---- decoding ---- */

static uint32_t rows_there(const av_piece *p)
{
    uint64_t n = 0;

    for (uint32_t i = p->segment; i < p->n_segments; i++)
        n += p->segments[i].rows;
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/* Values that a slot is likely to get: of lists about as many a record as the last time. */
static uint32_t likely(const av_piece *p, uint32_t slot, uint32_t rows)
{
    const uint64_t before = p->slots[slot].before, each = rows < 64 ? rows : 64;
    uint64_t n;

    if (!p->shape->program->slots[slot].repeated)
        return rows;
    n = p->rows_before ? before * rows / p->rows_before : 0;
    n += n / 16;
    return (uint32_t)(n < each ? each : n > UINT32_MAX / 16 ? UINT32_MAX / 16 : n);
}

static nrw_status begin_slots(av_piece *p, uint32_t rows, nrw_error *err)
{
    const av_program *prog = p->shape->program;

    for (uint32_t i = 0; i < prog->n_slots; i++)
        TRY(av_slot_begin(&p->slots[i], p->shape->m, prog->slots[i].type, likely(p, i, rows), err));
    return NRW_OK;
}

static nrw_status segment_error(const av_piece *p, const av_segment *s, const av_run *r,
                                nrw_status st, nrw_error *err)
{
    int64_t at = (int64_t)s->block.data;

    if (av_piece_plain(p))
        at = (int64_t)(p->raw_at + (uint64_t)(r->p - p->raw->data));
    err_at_block(err, s->block.number, s->record);
    err_at_offset(err, at);
    return st;
}

static nrw_status decode_segment(av_piece *p, av_segment *s, uint32_t rows, nrw_error *err)
{
    av_run r = {.program = p->shape->program,
                .slots = p->slots,
                .p = p->raw->data + s->at,
                .end = p->raw->data + s->end,
                .base = p->raw->data,
                .left = rows,
                .rows = p->guess_rows + rows,
                .guesses = p->guesses,
                .sparse_guesses = p->sparse_guesses};
    nrw_status st = av_decode(&r, err);

    p->guess_rows += rows - r.left;
    s->rows -= rows - r.left;
    s->record += rows - r.left;
    if (st < 0) {
        s->at = (uint32_t)(r.record - p->raw->data);
        return segment_error(p, s, &r, st, err);
    }
    s->at = (uint32_t)(r.p - p->raw->data);
    if (s->rows > 0 || !s->whole || s->at == s->end)
        return NRW_OK;
    s->record--;
    return segment_error(p, s, &r, av_trailing(err), err);
}

static nrw_status decode_rows(av_piece *p, uint32_t rows, nrw_error *err)
{
    TRY(begin_slots(p, rows, err));
    while (rows > 0) {
        av_segment *s = &p->segments[p->segment];
        uint32_t n = s->rows < rows ? s->rows : rows;
        TRY(decode_segment(p, s, n, err));
        rows -= n;
        if (s->rows == 0 && p->segment + 1 < p->n_segments)
            p->segment++;
    }
    return NRW_OK;
}

/* The vector at slot `want` of the column that begins at slot `at`. */
static const vector *find_slot(const av_program *prog, const vector *v, uint32_t at, uint32_t want)
{
    while (at != want) {
        uint32_t child = at + 1, i = 0;
        while (want > child + prog->slots[child].below)
            child += 1 + prog->slots[child].below, i++;
        v = &v->children[i];
        at = child;
    }
    return v;
}

static nrw_status share_outputs(av_piece *p, uint32_t first, const vector *column, nrw_error *err)
{
    const av_program *prog = p->shape->program;
    uint32_t last = first + prog->slots[first].below;

    for (uint32_t i = 0; i < prog->n_outputs; i++)
        if (prog->outputs[i] >= first && prog->outputs[i] <= last)
            TRY(vector_share(find_slot(prog, column, first, prog->outputs[i]), &p->vectors[i],
                             err));
    return NRW_OK;
}

static nrw_status finish_vectors(av_piece *p, nrw_error *err)
{
    const av_program *prog = p->shape->program;
    uint32_t texts = 0;

    for (uint32_t i = 0; i < prog->n_slots; i += 1 + prog->slots[i].below) {
        vector column;
        nrw_status st;
        TRY(av_slot_finish(&p->slots[i], p->raw, &column, err));
        if (p->repeats && type_is_view(&column.type) && column.form == VECTOR_FLAT)
            av_repeats_find(&p->repeats[texts++], &column);
        st = share_outputs(p, i, &column, err);
        vector_release(&column);
        TRY(st);
    }
    return NRW_OK;
}

/* To where decoding stood in segment `first`, which was `as`. */
static void go_back(av_piece *p, uint32_t first, const av_segment *as)
{
    for (uint32_t i = first; i <= p->segment; i++) {
        av_segment *s = &p->segments[i];
        s->record -= s->all - s->rows;
        s->at = s->start;
        s->rows = s->all;
    }
    p->segments[first] = *as;
    p->segment = first;
}

/* Decoding stopped at a record of segment `bad`, which was `as` then: from there on the block is
 * lost. */
static nrw_status lose_records(av_piece *p, uint32_t bad, const av_segment *as,
                               const nrw_error *why, nrw_error *err)
{
    av_segment *s = &p->segments[bad];
    const uint64_t from = as->rows == 0       ? as->block.data + as->block.size
                          : av_piece_plain(p) ? p->raw_at + as->at
                                              : as->block.data;
    int64_t lost = as->rows;

    s->all -= as->rows;
    s->rows -= as->rows;
    s->whole = false;
    if (p->stream.m) {
        lost += p->left;
        av_piece_end_block(p);
    }
    return av_piece_lose(p, &as->block, as->first_row, as->record, lost, from, why, err);
}

/* Decodes n rows, and puts everything back where that fails. */
static nrw_status decode(av_piece *p, uint32_t n, uint32_t *bad, av_segment *bad_as, nrw_error *err)
{
    const uint32_t first = p->segment;
    const av_segment as = p->segments[first];
    nrw_status st = decode_rows(p, n, err);

    if (st >= 0)
        st = finish_vectors(p, err);
    p->rows_before = st >= 0 ? n : 0;
    if (st >= 0)
        return st;
    *bad = p->segment;
    *bad_as = p->segments[p->segment];
    drop_slots(p);
    drop_vectors(p);
    go_back(p, first, &as);
    return st;
}

nrw_status av_piece_next(av_piece *p, uint32_t most, uint32_t *rows, nrw_error *err)
{
    uint32_t n = most;

    drop_vectors(p);
    for (;;) {
        nrw_error why = NRW_ERROR_INIT;
        av_segment as;
        uint32_t bad, there;
        nrw_status st;
        while ((there = rows_there(p)) == 0) {
            st = av_piece_load(p, err);
            if (st != NRW_OK)
                return st;
        }
        n = n < there ? n : there;
        n = n < p->shape->rows_max ? n : p->shape->rows_max;
        st = decode(p, n, &bad, &as, &why);
        if (st >= 0)
            break;
        if (av_leaves_out(p, st)) {
            TRY(lose_records(p, bad, &as, &why, err));
        } else if (st == NRW_E_MEMLIMIT && n > 1) {
            n /= 2;
        } else {
            return av_give_error(st, &why, err);
        }
    }
    *rows = n;
    return NRW_OK;
}
