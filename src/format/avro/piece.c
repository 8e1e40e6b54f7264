#include "format/avro/piece.h"

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
    return mem_zalloc(s->m, prog->n_outputs * sizeof *p->vectors, (void **)&p->vectors, err);
}

static void drop_slots(av_piece *p)
{
    for (uint32_t i = 0; p->slots && i < p->shape->program->n_slots; i++)
        av_slot_release(&p->slots[i]);
}

static void drop_vectors(av_piece *p)
{
    for (uint32_t i = 0; p->vectors && i < p->shape->program->n_outputs; i++)
        vector_release(&p->vectors[i]);
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
    mem_free(m, p->vectors, p->vectors ? p->shape->program->n_outputs * sizeof *p->vectors : 0);
    *p = (av_piece){0};
}

void av_piece_start(av_piece *p, uint64_t at, uint64_t end, int64_t number)
{
    p->at = at;
    p->end = end;
    p->number = number;
}

/* ---- segments ---- */

static nrw_status add_segment(av_piece *p, const av_segment *s, nrw_error *err)
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

static uint32_t rows_there(const av_piece *p)
{
    uint64_t n = 0;

    for (uint32_t i = p->segment; i < p->n_segments; i++)
        n += p->segments[i].rows;
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static nrw_status trailing(nrw_error *err)
{
    return err_set(err, NRW_E_CORRUPT, "bytes follow the last record of the block");
}

static nrw_status in_block(const av_block *b, nrw_status st, nrw_error *err)
{
    if (st < 0) {
        err_at_block(err, b->number, -1);
        err_at_offset(err, (int64_t)b->data);
    }
    return st;
}

/* ---- whole blocks ---- */

/* The numbers of the block at p->at, which lies in `stored`. The cutter has looked at them: they
 * differ only if the file has changed since. */
static nrw_status stored_block(const av_piece *p, av_block *out, nrw_error *err)
{
    size_t at = (size_t)(p->at - p->stored_at), n;
    span head = {p->stored->data + at, p->stored->len - at};
    int64_t size;

    *out = (av_block){.number = p->number, .at = p->at};
    n = av_block_numbers(head, &out->rows, &size);
    if (n == 0 || size < 0 || out->rows < 0 || out->rows > INT32_MAX ||
        (uint64_t)size > head.len - n) {
        err_at_block(err, p->number, -1);
        err_at_offset(err, (int64_t)p->at);
        return err_set(err, NRW_E_CHANGED, "the file changed while it was read");
    }
    out->data = p->at + n;
    out->size = (uint64_t)size;
    return NRW_OK;
}

static void pass_block(av_piece *p, const av_block *b)
{
    p->at = b->data + b->size + AV_SYNC;
    p->number++;
}

static nrw_status read_stored(av_piece *p, nrw_error *err)
{
    size_t n = (size_t)(p->end - p->at);

    TRY(buffer_new(p->shape->m, n, &p->stored, err));
    p->stored_at = p->at;
    p->stored->len = n;
    return file_read(p->shape->file, p->at, p->stored->data, n, err);
}

static bool is_plain(const av_piece *p)
{
    return p->codec.codec == codec_named("none");
}

/* Unpacks blocks behind each other until the next one has no room. Without a codec the run itself
 * is what is decoded. */
static nrw_status load_blocks(av_piece *p, nrw_error *err)
{
    size_t used = 0;
    bool plain = is_plain(p);

    if (plain)
        p->raw = buffer_ref(p->stored);
    else
        TRY(buffer_new(p->shape->m, p->shape->raw_max, &p->raw, err));
    while (p->at < p->end) {
        av_block b;
        span stored;
        size_t n;
        nrw_status st;
        TRY(stored_block(p, &b, err));
        stored = (span){p->stored->data + (b.data - p->stored_at), (size_t)b.size};
        if (plain) {
            used = (size_t)(b.data - p->stored_at);
            n = (size_t)b.size;
        } else {
            st = av_unpack(p->shape->header, &p->codec, stored, p->raw->data + used,
                           p->raw->cap - used, &n, err);
            if (st == NRW_END)
                break;
            TRY(in_block(&b, st, err));
        }
        p->stored_bytes += b.size;
        p->raw_bytes += n;
        if (b.rows == 0 && n > 0)
            return in_block(&b, trailing(err), err);
        TRY(add_segment(p,
                        &(av_segment){.block = b,
                                      .start = (uint32_t)used,
                                      .end = (uint32_t)(used + n),
                                      .all = (uint32_t)b.rows,
                                      .whole = true},
                        err));
        used += n;
        p->raw->len = used;
        pass_block(p, &b);
    }
    return NRW_OK;
}

/* ---- a block by stream ---- */

static nrw_status open_stream(av_piece *p, nrw_error *err)
{
    const av_shape *s = p->shape;
    av_walk w = {s->file, s->header, p->at - AV_SYNC, p->number};

    TRY(av_walk_next(&w, &p->block, err));
    p->left = p->block.rows;
    TRY(in_block(&p->block,
                 av_stream_open(&p->stream, s->m, s->file, s->header, &p->codec, &p->block, err),
                 err));
    pass_block(p, &p->block);
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
    return NRW_OK;
}

static nrw_status fill(av_piece *p, nrw_error *err)
{
    while (p->raw->len < p->raw->cap && !p->stream.ended) {
        size_t n;
        TRY(av_stream_fill(&p->stream, p->raw->data + p->raw->len, p->raw->cap - p->raw->len, &n,
                           err));
        p->raw->len += n;
        p->raw_bytes += n;
    }
    return NRW_OK;
}

/* How many records are whole in `raw`, and where they end. */
static nrw_status measure(av_piece *p, uint32_t *rows, size_t *end, nrw_error *err)
{
    const uint32_t most = p->left < p->shape->rows_max ? (uint32_t)p->left : p->shape->rows_max;
    av_run r = {.program = p->shape->program, .p = p->raw->data, .end = p->raw->data + p->raw->len};

    *end = 0;
    for (*rows = 0; *rows < most; ++*rows) {
        nrw_status st = av_skip(&r, err);
        if (st == NRW_END)
            break;
        if (st < 0)
            err_at_block(err, p->block.number, p->block.rows - p->left + *rows);
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
    return trailing(err);
}

/* The next records of the stream, measured: they lie at the start of `raw`. */
static nrw_status next_part(av_piece *p, uint32_t *rows, size_t *end, nrw_error *err)
{
    TRY(carry_over(p, err));
    for (;;) {
        TRY(fill(p, err));
        TRY(measure(p, rows, end, err));
        if (*rows > 0)
            break;
        if (p->stream.ended) {
            err_at_block(err, p->block.number, p->block.rows - p->left);
            return err_set(err, NRW_E_CORRUPT, "a value goes on behind the end of the block");
        }
        TRY(grow_raw(p, err));
    }
    return *rows < p->left ? NRW_OK : check_end(p, *end, err);
}

static nrw_status load_part(av_piece *p, nrw_error *err)
{
    uint32_t rows = 0;
    size_t end = 0;

    TRY(in_block(&p->block, next_part(p, &rows, &end, err), err));
    TRY(add_segment(p,
                    &(av_segment){.block = p->block,
                                  .end = (uint32_t)end,
                                  .all = rows,
                                  .record = p->block.rows - p->left},
                    err));
    p->left -= rows;
    p->carry = end;
    p->carried = p->raw->len - end;
    if (p->left == 0) {
        av_stream_close(&p->stream);
        p->carry = p->carried = 0;
    }
    return NRW_OK;
}

/* ---- loading ---- */

static nrw_status load(av_piece *p, nrw_error *err)
{
    p->n_segments = p->segment = 0;
    if (p->stream.m)
        return load_part(p, err);
    buffer_unref(p->raw);
    p->raw = NULL;
    if (p->at >= p->end)
        return err_set(err, NRW_E_CORRUPT, "fewer records than the block headers announce");
    if (!p->stored && p->end - p->at <= p->shape->stored_max)
        TRY(read_stored(p, err));
    if (p->stored)
        TRY(load_blocks(p, err));
    if (p->n_segments > 0)
        return NRW_OK;
    buffer_unref(p->raw);
    p->raw = NULL;
    TRY(open_stream(p, err));
    return p->left ? load_part(p, err) : in_block(&p->block, trailing(err), err);
}

/* ---- decoding ---- */

static nrw_status begin_slots(av_piece *p, uint32_t rows, nrw_error *err)
{
    const av_program *prog = p->shape->program;

    for (uint32_t i = 0; i < prog->n_slots; i++)
        TRY(av_slot_begin(&p->slots[i], p->shape->m, prog->slots[i].type,
                          prog->slots[i].repeated && rows > 64 ? 64 : rows, err));
    return NRW_OK;
}

static nrw_status segment_error(const av_piece *p, const av_segment *s, const av_run *r,
                                nrw_status st, nrw_error *err)
{
    int64_t at = (int64_t)s->block.data;

    if (is_plain(p) && s->whole)
        at = (int64_t)(p->stored_at + (uint64_t)(r->p - p->raw->data));
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
                .base = p->raw->data};

    for (; rows > 0; rows--) {
        nrw_status st = av_decode(&r, err);
        if (st < 0)
            return segment_error(p, s, &r, st, err);
        s->rows--;
        s->record++;
    }
    s->at = (uint32_t)(r.p - p->raw->data);
    if (s->rows > 0 || !s->whole || s->at == s->end)
        return NRW_OK;
    s->record--;
    return segment_error(p, s, &r, trailing(err), err);
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

    for (uint32_t i = 0; i < prog->n_slots; i += 1 + prog->slots[i].below) {
        vector column;
        nrw_status st;
        TRY(av_slot_finish(&p->slots[i], p->raw, &column, err));
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

nrw_status av_piece_next(av_piece *p, uint32_t most, uint32_t *rows, nrw_error *err)
{
    uint32_t n;

    drop_vectors(p);
    while (rows_there(p) == 0)
        TRY(load(p, err));
    n = rows_there(p);
    n = n < most ? n : most;
    n = n < p->shape->rows_max ? n : p->shape->rows_max;
    for (;; n /= 2) {
        const uint32_t first = p->segment;
        const av_segment as = p->segments[first];
        nrw_error why = NRW_ERROR_INIT;
        nrw_status st = decode_rows(p, n, &why);
        if (st >= 0)
            st = finish_vectors(p, &why);
        if (st >= 0)
            break;
        drop_slots(p);
        drop_vectors(p);
        go_back(p, first, &as);
        if (st != NRW_E_MEMLIMIT || n == 1) {
            if (err)
                *err = why;
            return st;
        }
    }
    *rows = n;
    return NRW_OK;
}
