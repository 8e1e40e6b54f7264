/* The Avro reader: cuts runs of blocks, which workers read, unpack and decode each on its own.
 *
 * A morsel is a run of blocks that together make about what a worker handles at a time, or one
 * block that is larger: then it is handed on in batches (column_source.begin), unpacked by stream.
 * The cutter reads the blocks' headers and sync markers alone. Since records lie row by row, the
 * columns that are wanted are decoded together, when the first of them is touched; of an
 * uncompressed run nobody touches nothing is read. */
#include "format/avro/avro.h"
#include "format/avro/inspect.h"
#include "format/avro/piece.h"
#include "format/avro/salvage.h"
#include "format/avro/verify.h"

#include "base/text.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define KIB         ((uint64_t)1 << 10)
#define MIB         ((uint64_t)1 << 20)
#define SCHEMA_MOST (16 << 20) /* bytes of a schema that is read by */

typedef struct morsel {
    av_piece piece;
    uint64_t at, end;
    int64_t block;
    av_block cut; /* the last one; where it is cut it is the only one */
    uint32_t rows;
    uint32_t first, n; /* rows of the morsel that are decoded, or will be when touched */
    bool decoded;
    uint32_t columns_left;
    struct morsel *next_free;
} morsel;

typedef struct av_reader {
    reader base;
    mem *m, *grant;
    arena *a;
    av_header header;
    const av_type *type;
    const char *schema_path;              /* --read schema=; NULL: none */
    uint64_t buffer_blocks, buffer_bytes; /* --read; how much is asked for ahead, 0: not said */
    av_columns columns;
    av_columns written;    /* of the file, where `columns` are of another schema */
    uint64_t codec_memory; /* of one worker */

    uint32_t n;
    av_program program;
    av_shape shape;
    bool eager; /* how much comes of a run is not known before it is unpacked and decoded */

    /* the cutter */
    av_walk walk;
    av_block ahead; /* read, but not cut yet */
    bool has_ahead;
    uint64_t asked_for;   /* of the file, ahead of what is read */
    int64_t row, cut_row; /* of the next morsel, of the block behind the one ahead */
    uint32_t left;        /* rows of a block cut by rows alone: no column is wanted */

    _Atomic uint64_t stored_seen, raw_seen; /* bytes unpacked so far: how blocks expand */
    pthread_mutex_t lock;
    morsel *free;
} av_reader;

static const column_source avro_columns;

static const schema *reader_schema(const reader *base)
{
    return &((const av_reader *)base)->columns.schema;
}

static int64_t reader_rows(const reader *base)
{
    (void)base;
    return -1;
}

static nrw_status reader_count(reader *base, int64_t *rows, nrw_error *err)
{
    av_reader *r = (av_reader *)base;
    av_walk w = av_walk_init(base->file, &r->header);
    av_block b;
    nrw_status st;

    *rows = 0;
    while ((st = av_walk_next(&w, &b, err)) == NRW_OK)
        *rows += b.rows; /* at most 2^31 for each 18 bytes of the file */
    if (st < 0)
        err_at_object(err, base->file->name);
    return st < 0 ? st : NRW_OK;
}

/* ---- memory ---- */

/* Slots and bytes of a row that a column takes. */
static void weigh(const av_node *n, uint64_t *slots, uint64_t *row)
{
    ++*slots;
    *row += n->field.type.width;
    for (uint32_t i = 0; i < n->n; i++)
        weigh(&n->children[i], slots, row);
}

/* The first block whose numbers can be read. NRW_END: there is none. */
static nrw_status first_block(const av_reader *r, av_block *b, nrw_error *err)
{
    av_walk w = av_walk_init(r->base.file, &r->header);
    nrw_error why = NRW_ERROR_INIT;
    nrw_status st = av_walk_next(&w, b, &why);

    while (av_is_damage(st)) {
        TRY(st = av_walk_resync(&w, w.at + 1, err));
        if (st == NRW_OK)
            st = av_walk_next(&w, b, &why);
    }
    if (st < 0 && err)
        *err = why;
    return st;
}

/* What the codec takes for blocks like the first one. */
static nrw_status find_codec_memory(av_reader *r, nrw_error *err)
{
    const codec *c = r->header.codec;
    codec_ctx ctx;
    uint8_t head[64];
    span bytes = {head, 0};
    nrw_status st;
    av_block b;

    r->codec_memory = c->decode_mem(128 << 10);
    if (!c->frame_mem)
        return NRW_OK;
    TRY(st = first_block(r, &b, err));
    if (st == NRW_END)
        return NRW_OK;
    bytes.len = size_min(sizeof head, (size_t)b.size);
    TRY(file_read(r->base.file, b.data, head, bytes.len, err));
    ctx = codec_ctx_init(c, r->m);
    r->codec_memory = size_max(r->codec_memory, c->frame_mem(&ctx, bytes));
    codec_ctx_release(&ctx);
    return NRW_OK;
}

static nrw_status reader_budget(const reader *base, const uint32_t *cols, uint32_t n,
                                uint32_t workers, budget *out, nrw_error *err)
{
    const av_reader *r = (const av_reader *)base;
    uint64_t slots = 0, row = 0, each;

    (void)err;
    *out = (budget){0};
    for (uint32_t i = 0; i < n; i++)
        weigh(r->columns.nodes[cols[i]], &slots, &row);
    each = n ? slots * 1024 + 4 * row + r->codec_memory + AV_STREAM_ROOM : 0;
    out->least = slots * 512 + workers * (each + 192 * KIB) + 16 * KIB;
    out->wish = out->least + (n ? workers * (8 * MIB + 1024 * row) : 0);
    return NRW_OK;
}

/* Of a worker's share: a run as stored, unpacked (twice while a part is carried over), decoded. */
static void set_shape(av_reader *r, const batch_shape *s)
{
    const uint64_t aside = r->codec_memory + AV_STREAM_ROOM + r->program.n_slots * 1024;
    const uint64_t all = mem_room(r->grant) / s->workers;
    const uint64_t repeats = r->program.n_texts * av_repeats_memory();
    uint64_t share = all > aside ? all - aside : 0, row = r->program.row_bytes + 1;

    r->shape.repeats = repeats <= share / 16;
    share -= r->shape.repeats ? 2 * repeats : 0;
    uint64_t raw = share / 8, stored = share / 8, decoded = share / 2;

    if (s->batch_bytes && raw > s->batch_bytes / 2)
        raw = s->batch_bytes / 2;
    if (s->batch_bytes && decoded > s->batch_bytes / 2)
        decoded = s->batch_bytes / 2;
    raw = raw > 2 * MIB ? 2 * MIB : raw < 4 * KIB ? 4 * KIB : raw;
    stored = stored > 2 * MIB ? 2 * MIB : stored < 4 * KIB ? 4 * KIB : stored;
    r->shape.raw_max = (size_t)raw;
    r->shape.stored_max = (size_t)(r->header.codec == codec_named("none") ? raw : stored);
    r->shape.rows_max = decoded / row < 1             ? 1
                        : decoded / row > s->max_rows ? s->max_rows
                                                      : (uint32_t)(decoded / row);
}

static nrw_status reader_start(reader *base, const uint32_t *cols, uint32_t n,
                               const batch_shape *shape, mem *grant, spill *s, nrw_error *err)
{
    av_reader *r = (av_reader *)base;

    (void)s;
    r->grant = grant;
    r->n = n;
    TRY(av_program_make(grant, &r->columns, cols, n, &r->program, err));
    r->shape = (av_shape){.file = base->file,
                          .header = &r->header,
                          .program = &r->program,
                          .m = grant,
                          .damaged = shape->damaged,
                          .damaged_self = shape->damaged_self};
    set_shape(r, shape);
    r->eager =
        r->program.has_lists || r->header.codec != codec_named("none") || shape->damaged != NULL;
    r->walk = av_walk_init(base->file, &r->header);
    return NRW_OK;
}

/* ---- cutting ---- */

static nrw_status look_ahead(av_reader *r, nrw_error *err)
{
    nrw_status st;

    if (r->has_ahead)
        return NRW_OK;
    do
        st = r->shape.damaged ? av_salvage_next(&r->walk, r->cut_row, r->shape.damaged,
                                                r->shape.damaged_self, &r->ahead, err)
                              : av_walk_next(&r->walk, &r->ahead, err);
    while (st == NRW_OK && r->ahead.rows == 0 && (r->ahead.size == 0 || r->ahead.cut));
    if (st == NRW_OK)
        r->cut_row += r->ahead.rows;
    r->has_ahead = st == NRW_OK;
    if (st < 0)
        err_at_object(err, r->base.file->name);
    return st;
}

/* What a block is likely to unpack to. */
static uint64_t expected(const av_reader *r, uint64_t stored)
{
    uint64_t seen = atomic_load_explicit(&r->stored_seen, memory_order_relaxed);
    uint64_t raw = atomic_load_explicit(&r->raw_seen, memory_order_relaxed);

    if (r->header.codec == codec_named("none"))
        return stored;
    return seen ? (uint64_t)((double)stored * ((double)raw / (double)seen)) : stored * 4;
}

/* Whether the block ahead still fits behind what the run has, without a gap. */
static bool joins(const av_reader *r, const morsel *m, uint64_t raw)
{
    const av_block *b = &r->ahead;

    return !b->cut && b->at == m->end && m->rows + b->rows <= r->shape.rows_max &&
           b->data + b->size + AV_SYNC - m->at <= r->shape.stored_max &&
           raw + expected(r, b->size) <= r->shape.raw_max;
}

static void take_block(av_reader *r, morsel *m, uint64_t *raw)
{
    m->rows += (uint32_t)r->ahead.rows;
    m->end = r->ahead.data + r->ahead.size + AV_SYNC;
    m->cut = r->ahead;
    *raw += expected(r, r->ahead.size);
    r->has_ahead = false;
}

static nrw_status cut_run(av_reader *r, morsel *m, nrw_error *err)
{
    uint64_t raw = 0;
    nrw_status st;

    m->rows = 0;
    do { /* a run has rows: an empty block goes with its neighbour */
        TRY(st = look_ahead(r, err));
        if (st == NRW_END)
            return m->rows ? NRW_OK : NRW_END;
        if (m->rows == 0) {
            m->at = r->ahead.at;
            m->block = r->ahead.number;
        } else if (!joins(r, m, raw)) {
            return NRW_OK;
        }
        take_block(r, m, &raw);
    } while (m->end - m->at <= r->shape.stored_max && !m->cut.cut);
    return NRW_OK;
}

static morsel *morsel_take(av_reader *r, nrw_error *err)
{
    morsel *m;

    pthread_mutex_lock(&r->lock);
    m = r->free;
    if (m)
        r->free = m->next_free;
    pthread_mutex_unlock(&r->lock);
    if (m)
        return m;
    if (mem_zalloc(r->grant, sizeof *m, (void **)&m, err) < 0)
        return NULL;
    if (av_piece_init(&m->piece, &r->shape, err) >= 0)
        return m;
    av_piece_free(&m->piece);
    mem_free(r->grant, m, sizeof *m);
    return NULL;
}

static void morsel_free(av_reader *r, morsel *m)
{
    av_piece *p = &m->piece;

    atomic_fetch_add_explicit(&r->stored_seen, p->stored_bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->raw_seen, p->raw_bytes, memory_order_relaxed);
    p->stored_bytes = p->raw_bytes = 0;
    av_piece_drop(p);
    pthread_mutex_lock(&r->lock);
    m->next_free = r->free;
    r->free = m;
    pthread_mutex_unlock(&r->lock);
}

/* No column is wanted: rows by the headers. */
static nrw_status cut_rows(av_reader *r, batch *b, nrw_error *err)
{
    nrw_status st;

    while (r->left == 0) {
        TRY(st = look_ahead(r, err));
        if (st == NRW_END)
            return st;
        r->left = (uint32_t)r->ahead.rows;
        r->has_ahead = false;
    }
    b->rows = r->left < BATCH_MAX_ROWS ? r->left : BATCH_MAX_ROWS;
    r->left -= b->rows;
    return NRW_OK;
}

/* What is read next is asked for beforehand; the system keeps it, not this process. */
static void fetch_ahead(av_reader *r, uint64_t end)
{
    const uint64_t blocks = r->ahead.data + r->ahead.size - r->ahead.at;
    uint64_t want = r->buffer_bytes ? r->buffer_bytes : r->shape.stored_max;

    if (r->buffer_blocks)
        want = r->buffer_blocks * (blocks + AV_SYNC);
    want = size_min((size_t)want, (size_t)(r->base.file->size - size_min(end, r->base.file->size)));
    if (end + want <= r->asked_for)
        return;
    if (r->asked_for < end)
        r->asked_for = end;
    file_will_read(r->base.file, r->asked_for, end + want - r->asked_for);
    r->asked_for = end + want;
}

static nrw_status reader_next(reader *base, batch *b, nrw_error *err)
{
    av_reader *r = (av_reader *)base;
    morsel *m = NULL;
    nrw_status st;

    if (r->n == 0) {
        st = cut_rows(r, b, err);
    } else {
        m = morsel_take(r, err);
        if (!m)
            return err ? err->status : NRW_E_NOMEM;
        st = cut_run(r, m, err);
    }
    if (st != NRW_OK) {
        if (m)
            morsel_free(r, m);
        return st;
    }
    if (m) {
        b->rows = m->rows;
        m->first = m->n = 0;
        m->decoded = false;
        m->columns_left = r->n;
        if (m->cut.cut)
            av_piece_start_cut(&m->piece, &m->cut, r->row);
        else
            av_piece_start(&m->piece, m->at, m->end, m->block, r->row);
        fetch_ahead(r, m->end);
    }
    b->first_row = r->row;
    b->source = &avro_columns;
    b->source_self = r;
    b->source_state = m;
    r->row += b->rows;
    return NRW_OK;
}

/* ---- columns ---- */

static nrw_status decode_on(av_reader *r, morsel *m, uint32_t rows, nrw_error *err)
{
    nrw_status st = av_piece_next(&m->piece, rows, &m->n, err);

    m->decoded = st >= 0;
    if (st == NRW_END) /* all that was left is lost */
        m->n = 0;
    if (st < 0)
        err_at_object(err, r->base.file->name);
    return st;
}

/* The batch ends where what is decoded at once does. */
static nrw_status columns_begin(void *self, batch *b, nrw_error *err)
{
    av_reader *r = self;
    morsel *m = b->source_state;

    if (!m)
        return NRW_OK;
    if (b->offset >= m->first + m->n) {
        m->first = b->offset;
        m->decoded = false;
        m->n = b->rows;
        if (r->eager || m->end - m->at > r->shape.stored_max || b->rows > r->shape.rows_max)
            TRY(decode_on(r, m, b->rows, err));
    }
    b->rows -= (uint32_t)m->piece.lost;
    if (b->rows > m->first + m->n - b->offset) {
        b->rows = m->first + m->n - b->offset;
        b->last = false;
    }
    return NRW_OK;
}

/* How many of `rows` rows of column `tag` take about max_bytes. */
static uint32_t rows_within(av_piece *p, uint32_t tag, uint32_t rows, size_t max_bytes)
{
    size_t each, n;

    if (p->vector_sizes[tag] == 0)
        p->vector_sizes[tag] = vector_bytes(&p->vectors[tag]);
    each = p->vector_sizes[tag] / p->vectors[tag].len + 1;
    n = max_bytes / each;
    return n >= rows ? rows : n ? (uint32_t)n : 1;
}

static nrw_status columns_read(void *self, batch *b, uint32_t tag, uint32_t first,
                               uint32_t max_rows, size_t max_bytes, const uint16_t *sel,
                               uint32_t n_sel, mem *m, vector *out, nrw_error *err)
{
    av_reader *r = self;
    morsel *ms = b->source_state;
    const vector *v;
    uint32_t from = b->offset - ms->first + first, n;
    uint16_t shifted[1024];

    *out = (vector){0};
    if (!ms->decoded)
        TRY(decode_on(r, ms, ms->n, err));
    v = &ms->piece.vectors[tag];
    if (!sel) {
        n = max_rows < b->rows - first ? max_rows : b->rows - first;
        n = rows_within(&ms->piece, tag, n, max_bytes);
        if (from == 0 && n == v->len)
            return vector_share(v, out, err);
        return vector_slice(v, from, n, m, out, err);
    }
    n = rows_within(&ms->piece, tag, n_sel, max_bytes);
    if (b->offset == ms->first)
        return vector_take(v, sel, n, m, out, err);
    n = n > 1024 ? 1024 : n;
    for (uint32_t i = 0; i < n; i++)
        shifted[i] = (uint16_t)(sel[i] + (b->offset - ms->first));
    return vector_take(v, shifted, n, m, out, err);
}

static void columns_done(void *self, batch *b, uint32_t tag)
{
    morsel *m = b->source_state;

    (void)tag;
    if (--m->columns_left == 0)
        morsel_free(self, m);
}

static const column_source avro_columns = {
    .begin = columns_begin, .read = columns_read, .done = columns_done};

/* ---- the rest of the class ---- */

static void reader_close(reader *base)
{
    av_reader *r = (av_reader *)base;

    if (!r)
        return;
    while (r->free) {
        morsel *m = r->free;
        r->free = m->next_free;
        av_piece_free(&m->piece);
        mem_free(r->grant, m, sizeof *m);
    }
    av_program_release(&r->program);
    arena_free(r->a);
    file_close(base->file);
    pthread_mutex_destroy(&r->lock);
    mem_free(r->m, r, sizeof *r);
}

static void reader_describe(const reader *base, char *out, size_t cap)
{
    snprintf(out, cap, "blocks of %s", ((const av_reader *)base)->header.codec_name);
}

/* What the file says of itself beside schema and codec. */
static nrw_status reader_carries(reader *base, arena *a, carried *out, nrw_error *err)
{
    const av_header *h = &((av_reader *)base)->header;

    *out = (carried){0};
    TRY(arena_alloc(a, h->n * sizeof *out->key_values + 1, (void **)&out->key_values, err));
    for (uint32_t i = 0; i < h->n; i++) {
        char *key, *value;
        if (strncmp(h->at[i].key, "avro.", 5) == 0)
            continue;
        TRY(arena_strndup(a, h->at[i].key, strlen(h->at[i].key), &key, err));
        TRY(arena_strndup(a, (const char *)h->at[i].value.data, h->at[i].value.len, &value, err));
        out->key_values[out->n_key_values++] = (key_value){key, value, h->at[i].value.len};
    }
    return NRW_OK;
}

static void reader_spelled(const reader *base, uint32_t column, const char **physical,
                           const char **logical)
{
    const av_type *t = ((const av_reader *)base)->columns.nodes[column]->type;

    *physical = av_kind_name(t->kind);
    *logical = t->spelled;
}

static nrw_status reader_facts(reader *base, mem *m, facts *out, nrw_error *err)
{
    const av_reader *r = (const av_reader *)base;
    nrw_status st = av_facts(base->file, &r->header,
                             r->columns.written ? r->columns.written : &r->columns, m, out, err);

    if (st < 0)
        err_at_object(err, base->file->name);
    return st;
}

static bool reader_schema_text(const reader *base, const char *language, span *out)
{
    *out = ((const av_reader *)base)->header.schema;
    return strcmp(language, "avsc") == 0;
}

static nrw_status reader_verify(reader *base, spill *sp, mem *m, fault_found fault, void *self,
                                verify_counts *out, nrw_error *err)
{
    av_reader *r = (av_reader *)base;

    (void)sp;
    return av_verify(base->file, &r->header, r->columns.written ? r->columns.written : &r->columns,
                     m, fault, self, out, err);
}

static const reader_class avro_reader_class = {
    .name = "avro",
    .schema = reader_schema,
    .rows = reader_rows,
    .count = reader_count,
    .budget = reader_budget,
    .start = reader_start,
    .next = reader_next,
    .describe = reader_describe,
    .close = reader_close,
    .carries = reader_carries,
    .leaves_out = true,
    .facts = reader_facts,
    .schema_text = reader_schema_text,
    .verify = reader_verify,
    .spelled = reader_spelled,
};

/* The schema of --read schema=FILE. */
static nrw_status read_by(av_reader *r, nrw_error *err)
{
    const av_type *type;
    io_file *f;
    nrw_status st;
    void *text;

    TRY(file_open(r->m, r->schema_path, NULL, &f, err));
    st = f->size > SCHEMA_MOST
             ? err_set(err, NRW_E_UNSUPPORTED, "a schema has at most %d bytes", SCHEMA_MOST)
             : arena_alloc(r->a, (size_t)f->size + 1, &text, err);
    if (st >= 0)
        st = file_read(f, 0, text, (size_t)f->size, err);
    if (st >= 0)
        st = av_schema_parse(r->a, (span){text, (size_t)f->size}, &type, err);
    file_close(f);
    if (st >= 0)
        st = av_columns_make(r->a, type, &r->columns, err);
    if (st < 0)
        err_at_object(err, r->schema_path);
    r->columns.written = &r->written;
    return st < 0 ? st : av_resolve_check(r->m, &r->columns, err);
}

static nrw_status open_reader(av_reader *r, nrw_error *err)
{
    TRY(arena_new(r->m, &r->a, err));
    TRY(av_header_read(r->a, r->base.file, &r->header, err));
    TRY(av_schema_parse(r->a, r->header.schema, &r->type, err));
    TRY(av_columns_make(r->a, r->type, &r->columns, err));
    if (r->schema_path) {
        r->written = r->columns;
        TRY(read_by(r, err));
    }
    return find_codec_memory(r, err);
}

/* --read NAME=VALUE: what stands behind `name`; NULL: it is another one. */
static const char *word(const char *option, const char *name)
{
    const size_t n = strlen(name);

    return strncmp(option, name, n) == 0 ? option + n : NULL;
}

static nrw_status read_word(av_reader *r, const char *option, nrw_error *err)
{
    const char *path = word(option, "schema="), *blocks = word(option, "buffer_blocks=");
    const char *size = word(option, "buffer_bytes=");
    char *end;

    if (path) {
        r->schema_path = path;
        return NRW_OK;
    }
    if (blocks) {
        r->buffer_blocks = strtoull(blocks, &end, 10);
        if (*blocks >= '0' && *blocks <= '9' && !*end && r->buffer_blocks <= 1 << 20)
            return NRW_OK;
        return err_set(err, NRW_E_ARG, "--read: buffer_blocks is a number of blocks, not %s",
                       blocks);
    }
    if (size) {
        return text_parse_size(size, 0, "read buffer_bytes", &r->buffer_bytes, err);
    }
    err_next(err, "it is schema=FILE, buffer_blocks=N or buffer_bytes=SIZE");
    return err_set(err, NRW_E_ARG, "--read: there is no reading option %s of Avro", option);
}

static nrw_status avro_open(mem *m, io_file *f, const read_options *opts, reader **out,
                            nrw_error *err)
{
    av_reader *r = NULL;
    nrw_status st = mem_zalloc(m, sizeof *r, (void **)&r, err);

    *out = NULL;
    if (st < 0) {
        file_close(f);
        return st;
    }
    r->base = (reader){&avro_reader_class, f};
    r->m = m;
    pthread_mutex_init(&r->lock, NULL);
    for (size_t i = 0; st >= 0 && i < opts->n; i++)
        st = read_word(r, opts->at[i], err);
    if (st >= 0)
        st = open_reader(r, err);
    if (st < 0) {
        err_at_object(err, f->name);
        reader_close(&r->base);
        return st;
    }
    *out = &r->base;
    return NRW_OK;
}

static bool is_avro(span head)
{
    return head.len >= 4 && memcmp(head.data, "Obj\1", 4) == 0;
}

const format format_avro = {
    .name = "avro", .extensions = {".avro"}, .matches = is_avro, .open = avro_open};
