/* The Avro reader: cuts runs of blocks, which workers read, unpack and decode each on its own.
 *
 * A morsel is a run of blocks that together make about what a worker handles at a time, or one
 * block that is larger: then it is handed on in batches (column_source.begin), unpacked by stream.
 * The cutter reads the blocks' headers and sync markers alone, or where they are small the run.
 * Since records lie row by row, the columns that are wanted are decoded together, when the first of
 * them is touched; of an uncompressed run nobody touches nothing is read. */
#include "format/avro/avro.h"
#include "format/avro/inspect.h"
#include "format/avro/reader_own.h"
#include "format/avro/salvage.h"
#include "format/avro/sparse.h"
#include "format/avro/verify.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

#define KIB         ((uint64_t)1 << 10)
#define MIB         ((uint64_t)1 << 20)
#define SCHEMA_MOST (16 << 20) /* bytes of a schema that is read by */

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
    const av_columns *file = r->columns.written ? r->columns.written : &r->columns;
    const uint64_t steps = 5 * file->n_nodes * sizeof(av_step); /* two programs, which double */
    const uint64_t guesses = (4 * file->n_nodes + 2 * AV_SPARSE_RUNS) * sizeof(av_guess);
    uint64_t slots = 0, row = 0, each;

    (void)err;
    *out = (budget){0};
    for (uint32_t i = 0; i < n; i++)
        weigh(r->columns.nodes[cols[i]], &slots, &row);
    each = n ? slots * 1024 + 4 * row + guesses + r->codec_memory + AV_STREAM_ROOM : 0;
    out->least = (n ? steps : 0) + slots * 512 + workers * (each + 192 * KIB) + 16 * KIB;
    /* a run fits with all that comes of it; more would be missed by who writes */
    out->wish = out->least + (n ? workers * (4 * MIB + 1024 * row) : 0);
    return NRW_OK;
}

/* Of a worker's share: a run as stored, unpacked (twice while a part is carried over), decoded. */
static void set_shape(av_reader *r, const batch_shape *s)
{
    const uint64_t aside = r->codec_memory + AV_STREAM_ROOM + r->program.n_slots * 1024;
    const uint64_t all = mem_room(r->grant) / s->workers;
    const uint64_t repeats = r->program.n_texts * av_repeats_memory();
    uint64_t share = all > aside ? all - aside : 0, row = r->program.row_bytes + s->row_bytes + 1;

    r->shape.repeats = repeats <= share / 16;
    share -= r->shape.repeats ? 2 * repeats : 0;
    uint64_t raw = share / 5, stored = share / 10, decoded = 2 * share / 5;

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

/* ---- the rest of the class ---- */

static void reader_close(reader *base)
{
    av_reader *r = (av_reader *)base;

    if (!r)
        return;
    av_morsels_free(r);
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
    .next = av_reader_next,
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
