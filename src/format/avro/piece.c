#include "format/avro/piece.h"

#include "format/avro/salvage.h"

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

/* ---- damage ---- */

static nrw_status give_error(nrw_status st, const nrw_error *why, nrw_error *err)
{
    if (err)
        *err = *why;
    return st;
}

static bool leaves_out(const av_piece *p, nrw_status st)
{
    return p->shape->damaged && av_is_damage(st);
}

/* Records of block b from number `record` on are lost, `rows` of them, with its bytes from `from`
 * on. */
static nrw_status lose(av_piece *p, const av_block *b, int64_t first_row, int64_t record,
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

/* All of block b. */
static nrw_status lose_block(av_piece *p, const av_block *b, const nrw_error *why, nrw_error *err)
{
    return lose(p, b, p->row, 0, b->rows, b->data, why, err);
}

/* What became of unpacking block b. Damage may look like anything that a codec cannot do; it is
 * told in the same words of blocks that come at once and by stream. */
static nrw_status unpacked(const av_piece *p, const av_block *b, nrw_status st, nrw_error *why)
{
    if (!leaves_out(p, st == NRW_E_UNSUPPORTED ? NRW_E_CORRUPT : st))
        return st;
    *why = (nrw_error)NRW_ERROR_INIT;
    err_at_block(why, b->number, -1);
    err_at_offset(why, (int64_t)b->data);
    return err_set(why, NRW_E_CORRUPT, "the %s data of the block are damaged",
                   p->codec.codec->name);
}

static void say_cut(const av_block *b, nrw_error *why)
{
    *why = (nrw_error)NRW_ERROR_INIT;
    err_at_block(why, b->number, -1);
    err_at_offset(why, (int64_t)(b->data + b->size));
    err_set(why, NRW_E_CORRUPT, "the block ends before the bytes that it announces");
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
    p->row += b->rows;
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

    p->raw_at = p->stored_at;
    if (plain)
        p->raw = buffer_ref(p->stored);
    else
        TRY(buffer_new(p->shape->m, p->shape->raw_max, &p->raw, err));
    while (p->at < p->end) {
        nrw_error why = NRW_ERROR_INIT;
        av_block b;
        span stored;
        size_t n;
        nrw_status st = NRW_OK;
        TRY(stored_block(p, &b, err));
        stored = (span){p->stored->data + (b.data - p->stored_at), (size_t)b.size};
        if (plain) {
            used = (size_t)(b.data - p->stored_at);
            n = (size_t)b.size;
        } else {
            st = av_unpack(p->shape->header, &p->codec, stored, p->raw->data + used,
                           p->raw->cap - used, &n, &why);
            if (st == NRW_END)
                break;
            st = unpacked(p, &b, st, &why);
        }
        if (st >= 0 && b.rows == 0 && n > 0)
            st = trailing(&why);
        if (st < 0 && !leaves_out(p, st))
            return in_block(&b, give_error(st, &why, err), err);
        if (st < 0) {
            TRY(lose_block(p, &b, &why, err));
            pass_block(p, &b);
            continue;
        }
        p->stored_bytes += b.size;
        p->raw_bytes += n;
        TRY(add_segment(p,
                        &(av_segment){.block = b,
                                      .start = (uint32_t)used,
                                      .end = (uint32_t)(used + n),
                                      .all = (uint32_t)b.rows,
                                      .first_row = p->row,
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

    return in_block(&p->block,
                    av_stream_open(&p->stream, s->m, s->file, s->header, &p->codec, &p->block, err),
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

/* Begins the block at p->at. */
static nrw_status begin_block(av_piece *p, nrw_error *err)
{
    const av_shape *s = p->shape;
    const av_walk w = {s->file, s->header, p->at, p->number};
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
    } else if (s->damaged && !p->cut && !is_plain(p)) {
        st = try_stream(p, &why);
        st = unpacked(p, &p->block, st, &why);
    }
    if (st >= 0)
        st = open_stream(p, &why);
    if (st < 0 && !leaves_out(p, st))
        return give_error(st, &why, err);
    if (st < 0) {
        TRY(lose_block(p, &p->block, &why, err));
        p->left = 0;
    }
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
        if (p->cut && leaves_out(p, st)) {
            av_stream_stop(&p->stream); /* as far as it goes */
            return NRW_OK;
        }
        TRY(st);
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
    return trailing(err);
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

/* No more comes of the block. */
static void end_block(av_piece *p)
{
    av_stream_close(&p->stream);
    p->left = 0;
    p->carry = p->carried = 0;
}

/* What is left of the block is lost, for the reason given. */
static nrw_status lose_rest(av_piece *p, nrw_error *why, nrw_error *err)
{
    const int64_t record = p->block.rows - p->left, rows = p->left;
    const uint64_t from = rows == 0     ? p->block.data + p->block.size
                          : is_plain(p) ? p->raw_at + p->carry
                                        : p->block.data;

    if (p->cut)
        say_cut(&p->block, why);
    err_at_block(why, p->block.number, record);
    end_block(p);
    return lose(p, &p->block, p->block_row, record, rows, from, why, err);
}

static nrw_status load_part(av_piece *p, nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    uint32_t rows = 0;
    size_t end = 0;
    bool bad;
    nrw_status st = next_part(p, &rows, &end, &bad, &why);

    if (leaves_out(p, st) || (st >= 0 && bad && p->cut))
        return lose_rest(p, &why, err);
    if (st < 0)
        return in_block(&p->block, give_error(st, &why, err), err);
    TRY(add_segment(p,
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
    if (leaves_out(p, st))
        return lose_rest(p, &why, err);
    end_block(p);
    return st < 0 ? in_block(&p->block, give_error(st, &why, err), err) : NRW_OK;
}

/* ---- loading ---- */

static nrw_status load(av_piece *p, nrw_error *err)
{
    const uint64_t at = p->at;
    nrw_error why = NRW_ERROR_INIT;
    nrw_status st;

    p->n_segments = p->segment = 0;
    if (p->stream.m)
        return load_part(p, err);
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
    TRY(begin_block(p, err));
    if (!p->stream.m)
        return NRW_OK; /* lost */
    if (p->left > 0)
        return load_part(p, err);
    end_block(p);
    st = trailing(&why);
    return leaves_out(p, st) ? lose_block(p, &p->block, &why, err)
                             : in_block(&p->block, give_error(st, &why, err), err);
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

    if (is_plain(p))
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
                .base = p->raw->data};

    for (; rows > 0; rows--) {
        const uint8_t *record = r.p;
        nrw_status st = av_decode(&r, err);
        if (st < 0) {
            s->at = (uint32_t)(record - p->raw->data);
            return segment_error(p, s, &r, st, err);
        }
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

/* Decoding stopped at a record of segment `bad`, which was `as` then: from there on the block is
 * lost. */
static nrw_status lose_records(av_piece *p, uint32_t bad, const av_segment *as,
                               const nrw_error *why, nrw_error *err)
{
    av_segment *s = &p->segments[bad];
    const uint64_t from = as->rows == 0 ? as->block.data + as->block.size
                          : is_plain(p) ? p->raw_at + as->at
                                        : as->block.data;
    int64_t lost = as->rows;

    s->all -= as->rows;
    s->rows -= as->rows;
    s->whole = false;
    if (p->stream.m) {
        lost += p->left;
        end_block(p);
    }
    return lose(p, &as->block, as->first_row, as->record, lost, from, why, err);
}

/* Decodes n rows, and puts everything back where that fails. */
static nrw_status decode(av_piece *p, uint32_t n, uint32_t *bad, av_segment *bad_as, nrw_error *err)
{
    const uint32_t first = p->segment;
    const av_segment as = p->segments[first];
    nrw_status st = decode_rows(p, n, err);

    if (st >= 0)
        st = finish_vectors(p, err);
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
            st = load(p, err);
            if (st != NRW_OK)
                return st;
        }
        n = n < there ? n : there;
        n = n < p->shape->rows_max ? n : p->shape->rows_max;
        st = decode(p, n, &bad, &as, &why);
        if (st >= 0)
            break;
        if (leaves_out(p, st)) {
            TRY(lose_records(p, bad, &as, &why, err));
        } else if (st == NRW_E_MEMLIMIT && n > 1) {
            n /= 2;
        } else {
            return give_error(st, &why, err);
        }
    }
    *rows = n;
    return NRW_OK;
}
