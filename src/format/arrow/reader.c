/* The Arrow reader: cuts record batches into ranges of rows, whose columns workers read each on its
 * own.
 *
 * A morsel is a range of rows of one record batch. Buffers are read where the range lies in them,
 * straight from the file, so a batch of any size takes no more memory than another; buffers that
 * are compressed are unpacked once a batch, when first wanted (body.h). Columns wait for no turn.
 * The cutter reads the messages' headers alone, in order, and hands each batch the dictionaries
 * that count for it. */
#include "column/arrow_schema.h"
#include "format/arrow/arrow.h"
#include "format/arrow/inspect.h"
#include "format/arrow/parts.h"

#include <stdio.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

/* Of a compressed buffer where nothing else is known. */
enum { EXPANDS = 4 };

typedef struct morsel {
    ipc_record *record;
    uint64_t first; /* row of the record batch */
    uint32_t columns_left;
} morsel;

/* What the first record batch tells of all. */
typedef struct ipc_needs {
    uint64_t meta;   /* bytes of its header */
    uint64_t codec;  /* of one worker */
    uint64_t bodies; /* unpacked buffers of a batch */
} ipc_needs;

typedef struct ipc_reader {
    reader base;
    mem *m, *grant;
    arena *a;
    schema schema;
    arrow_layout *layouts; /* of columns, then of parts */
    uint8_t *depths;
    arrow_places places;
    note_pair *pairs; /* of the schema */
    uint32_t n_pairs;
    ipc_walk begin; /* at the first message behind the schema */
    ipc_needs needs;

    uint32_t n;
    uint32_t *columns;
    batch_shape shape;
    ipc_file file;
    ipc_dictionaries dictionaries;

    /* the cutter */
    ipc_walk walk;
    bytes meta;
    ipc_record *record;
    uint64_t cut; /* rows of it that were cut */
    int64_t left; /* no column is wanted: rows of the batch at hand */
    int64_t row, batches;
    uint64_t row_bytes; /* of the batch at hand */
} ipc_reader;

static const column_source arrow_columns;

static const schema *reader_schema(const reader *base)
{
    return &((const ipc_reader *)base)->schema;
}

static int64_t reader_rows(const reader *base)
{
    (void)base;
    return -1;
}

/* The next record batch; dictionaries go to d, if it is not NULL. */
static nrw_status next_batch(ipc_walk *w, ipc_dictionaries *d, bytes *meta, ipc_message *m,
                             nrw_error *err)
{
    nrw_status st;

    while ((st = ipc_walk_next(w, meta, m, err)) == NRW_OK && m->kind == ARROW_HEADER_DICTIONARY)
        if (d)
            TRY(ipc_dictionaries_take(d, m, err));
    return st;
}

static nrw_status reader_count(reader *base, int64_t *rows, nrw_error *err)
{
    ipc_reader *r = (ipc_reader *)base;
    bytes meta = bytes_init(r->m, INT32_MAX);
    ipc_walk w = r->begin;
    ipc_message m;
    nrw_status st;

    *rows = 0;
    if (file_is_live(base->file)) {
        err_at_object(err, base->file->name);
        return err_set(err, NRW_E_UNSUPPORTED,
                       "how many rows come cannot be told before they are read, which is once");
    }
    while ((st = next_batch(&w, NULL, &meta, &m, err)) == NRW_OK) {
        int64_t n;
        st = ipc_record_rows(&m, &m.header, &n, err);
        if (st < 0 || __builtin_add_overflow(*rows, n, rows))
            break;
    }
    bytes_release(&meta);
    if (st < 0)
        err_at_object(err, base->file->name);
    return st < 0 ? st : NRW_OK;
}

/* ---- memory ---- */

static uint64_t size_of_dictionaries(const ipc_reader *r, const uint32_t *cols, uint32_t n)
{
    bytes meta = bytes_init(r->m, INT32_MAX);
    ipc_walk w = r->begin;
    uint64_t sum = 0;
    bool any = false;
    ipc_message m;

    for (uint32_t i = 0; i < n; i++)
        any = any || arrow_layout_has_dictionary(&r->layouts[cols[i]]);
    while (any && ipc_walk_next(&w, &meta, &m, NULL) == NRW_OK) {
        if (m.kind == ARROW_HEADER_DICTIONARY)
            sum += m.body_len * EXPANDS + 4 * KIB;
        else if (w.footer || file_is_live(w.f))
            break;
    }
    bytes_release(&meta);
    return 2 * sum;
}

static nrw_status reader_budget(const reader *base, const uint32_t *cols, uint32_t n,
                                uint32_t workers, budget *out, nrw_error *err)
{
    const ipc_reader *r = (const ipc_reader *)base;
    const ipc_needs *needs = &r->needs;
    uint64_t batch = needs->meta + n * (sizeof(ipc_column) + 8 * sizeof(ipc_body)) +
                     r->places.views * 4 + 4 * KIB;
    uint64_t each = needs->codec ? needs->codec + 2 * IPC_WINDOW + 16 * KIB : 0;

    (void)err;
    *out = (budget){0};
    if (n == 0) {
        out->least = out->wish = needs->meta + 16 * KIB;
        return NRW_OK;
    }
    out->least = n * 256 + (workers + 1) * batch + workers * each + 64 * KIB +
                 size_of_dictionaries(r, cols, n);
    out->wish = out->least + (needs->bodies < 128 * MIB ? needs->bodies : 128 * MIB);
    out->spill = needs->codec ? UINT64_MAX : 0;
    return NRW_OK;
}

static nrw_status check_columns(ipc_reader *r, nrw_error *err)
{
    for (uint32_t i = 0; i < r->n; i++) {
        const arrow_layout *l = &r->layouts[r->columns[i]];
        const char *why = arrow_layout_refusal(l);
        if (!why)
            continue;
        err_at_object(err, r->base.file->name);
        err_at_column(err, l->f->name);
        err_next(err, "--select the other columns");
        return err_set(err, NRW_E_UNSUPPORTED, "%s has no counterpart here", why);
    }
    return NRW_OK;
}

static nrw_status start_dictionaries(ipc_reader *r, nrw_error *err)
{
    const arrow_layout **wanted;

    TRY(arena_alloc(r->a, r->n * sizeof *wanted + 1, (void **)&wanted, err));
    for (uint32_t i = 0; i < r->n; i++)
        wanted[i] = &r->layouts[r->columns[i]];
    return ipc_dictionaries_init(&r->dictionaries, &r->file, r->a, wanted, r->n, err);
}

static nrw_status reader_start(reader *base, const uint32_t *cols, uint32_t n,
                               const batch_shape *shape, mem *grant, spill *s, nrw_error *err)
{
    ipc_reader *r = (ipc_reader *)base;

    r->grant = r->file.m = r->file.codecs.m = grant;
    r->file.codecs.s = s;
    r->file.codecs.headroom = shape->workers * (r->needs.codec + 2 * IPC_WINDOW + 64 * KIB) +
                              (shape->workers + 1) * (r->needs.meta + n * 256);
    r->shape = *shape;
    r->n = n;
    TRY(arena_alloc(r->a, n * sizeof *cols + 1, (void **)&r->columns, err));
    memcpy(r->columns, cols, n * sizeof *cols);
    TRY(check_columns(r, err));
    TRY(start_dictionaries(r, err));
    r->walk = r->begin;
    r->meta = bytes_init(grant, INT32_MAX);
    return NRW_OK;
}

/* ---- cutting ---- */

/* Bytes of a row in vectors, about. */
static uint64_t row_bytes(const ipc_record *b, const arrow_layout *l)
{
    uint64_t least = arrow_layout_row(l), stored = ipc_column_bytes(b, l);

    stored = b->rows ? (b->codec ? EXPANDS * stored : stored) / (uint64_t)b->rows : 0;
    return (stored > least ? stored : least) + 16;
}

static void leave_record(ipc_reader *r)
{
    for (uint32_t i = 0; r->record && i < r->record->n_columns; i++)
        ipc_column_done(r->record, i);
    ipc_record_unref(r->record);
    r->record = NULL;
}

static nrw_status open_record(ipc_reader *r, const ipc_message *m, nrw_error *err)
{
    ipc_record *b;

    TRY(ipc_record_open(&r->file, m, &m->header, &r->meta, &r->places, r->n, &b, err));
    b->number = r->batches++;
    b->forgets = true;
    r->record = b;
    r->cut = 0;
    r->row_bytes = 1;
    for (uint32_t i = 0; i < r->n; i++)
        r->row_bytes += row_bytes(b, &r->layouts[r->columns[i]]);
    return ipc_dictionaries_hold(&r->dictionaries, &b->dictionaries, &b->n_dictionaries, err);
}

/* The next record batch that has rows. */
static nrw_status find_record(ipc_reader *r, nrw_error *err)
{
    ipc_message m;
    nrw_status st;

    while (!r->record || r->cut == (uint64_t)r->record->rows) {
        leave_record(r);
        TRY(st = next_batch(&r->walk, &r->dictionaries, &r->meta, &m, err));
        if (st == NRW_END)
            return st;
        TRY(open_record(r, &m, err));
    }
    return NRW_OK;
}

static uint32_t morsel_rows(const ipc_reader *r)
{
    uint64_t most = r->shape.batch_bytes ? r->shape.batch_bytes : 4 * MIB;
    uint64_t left = (uint64_t)r->record->rows - r->cut,
             rows = most / (r->row_bytes + r->shape.row_bytes);

    rows = rows < 1 ? 1 : rows > r->shape.max_rows ? r->shape.max_rows : rows;
    return (uint32_t)(rows < left ? rows : left);
}

static nrw_status cut_morsel(ipc_reader *r, batch *b, nrw_error *err)
{
    morsel *m;
    nrw_status st;

    TRY(st = find_record(r, err));
    if (st == NRW_END)
        return st;
    TRY(mem_zalloc(r->grant, sizeof *m, (void **)&m, err));
    atomic_fetch_add_explicit(&r->record->refs, 1, memory_order_relaxed);
    for (uint32_t i = 0; i < r->n; i++)
        atomic_fetch_add_explicit(&r->record->columns[i].users, 1, memory_order_relaxed);
    *m = (morsel){.record = r->record, .first = r->cut, .columns_left = r->n};
    b->rows = morsel_rows(r);
    b->source_state = m;
    r->cut += b->rows;
    return NRW_OK;
}

/* No column is wanted: rows as the headers say. */
static nrw_status cut_rows(ipc_reader *r, batch *b, nrw_error *err)
{
    ipc_message m;
    nrw_status st;

    while (r->left == 0) {
        TRY(st = ipc_walk_next(&r->walk, &r->meta, &m, err));
        if (st == NRW_END)
            return st;
        if (m.kind == ARROW_HEADER_BATCH)
            TRY(ipc_record_rows(&m, &m.header, &r->left, err));
        file_forget(r->base.file, m.at);
    }
    b->rows = r->left < BATCH_MAX_ROWS ? (uint32_t)r->left : BATCH_MAX_ROWS;
    b->source_state = NULL;
    r->left -= b->rows;
    return NRW_OK;
}

static nrw_status reader_next(reader *base, batch *b, nrw_error *err)
{
    ipc_reader *r = (ipc_reader *)base;
    nrw_status st = r->n ? cut_morsel(r, b, err) : cut_rows(r, b, err);

    if (st < 0)
        err_at_object(err, base->file->name);
    if (st != NRW_OK)
        return st;
    b->first_row = r->row;
    b->source = &arrow_columns;
    b->source_self = r;
    r->row += b->rows;
    return NRW_OK;
}

/* ---- columns ---- */

/* So many rows of `n` make about max_bytes. */
static uint32_t rows_within(const morsel *ms, const arrow_layout *l, uint32_t n, size_t max_bytes)
{
    uint64_t rows = max_bytes / row_bytes(ms->record, l);

    return rows < 1 ? 1 : rows < n ? (uint32_t)rows : n;
}

/* Values are larger than they seemed where there is no room: then fewer at a time. */
static nrw_status read_range(const ipc_reader *r, const morsel *ms, uint32_t tag, uint64_t first,
                             uint32_t n, mem *m, vector *out, nrw_error *err)
{
    const arrow_layout *l = &r->layouts[r->columns[tag]];
    ipc_arrays arrays = ipc_arrays_of(ms->record, tag, l);
    nrw_error why;
    nrw_status st;

    for (;; n /= 2) {
        why = (nrw_error)NRW_ERROR_INIT;
        st = arrow_read(&arrays.base, l, first, n, m, out, &why);
        if (st != NRW_E_MEMLIMIT || n == 1)
            break;
    }
    if (st >= 0) {
        ipc_part_take(out, r->depths[r->columns[tag]]);
        return NRW_OK;
    }
    if (err)
        *err = why;
    err_at_object(err, r->base.file->name);
    err_at_column(err, l->f->name);
    err_at_offset(err, (int64_t)ms->record->at);
    return err_wrap(err, st, "record batch %lld", (long long)ms->record->number);
}

/* Selected rows that lie near each other are read together, and taken out. */
static nrw_status read_selected(const ipc_reader *r, const morsel *ms, uint32_t tag, uint64_t start,
                                const uint16_t *sel, uint32_t n_sel, uint32_t most, mem *m,
                                vector *out, nrw_error *err)
{
    enum { GAP = 1024 };
    uint32_t n = 1, span_rows;
    uint16_t *at;
    vector all;
    nrw_status st;
    void *p;

    while (n < n_sel && sel[n] - sel[0] < (int)most && sel[n] - sel[n - 1] < GAP)
        n++;
    span_rows = (uint32_t)(sel[n - 1] - sel[0]) + 1;
    TRY(read_range(r, ms, tag, start + sel[0], span_rows, m, &all, err));
    while (n && (uint32_t)(sel[n - 1] - sel[0]) >= all.len)
        n--;
    if (n == all.len) {
        *out = all;
        return NRW_OK;
    }
    st = mem_alloc(m, n * sizeof *at, &p, err);
    if (st >= 0) {
        at = p;
        for (uint32_t i = 0; i < n; i++)
            at[i] = (uint16_t)(sel[i] - sel[0]);
        st = vector_take(&all, at, n, m, out, err);
        mem_free(m, p, n * sizeof *at);
    }
    vector_release(&all);
    return st;
}

static nrw_status columns_read(void *self, batch *b, uint32_t tag, uint32_t first,
                               uint32_t max_rows, size_t max_bytes, const uint16_t *sel,
                               uint32_t n_sel, mem *m, vector *out, nrw_error *err)
{
    const ipc_reader *r = self;
    const morsel *ms = b->source_state;
    const arrow_layout *l = &r->layouts[r->columns[tag]];
    uint32_t n = max_rows < b->rows - first ? max_rows : b->rows - first;

    *out = (vector){0};
    n = rows_within(ms, l, n, max_bytes);
    if (sel)
        return read_selected(r, ms, tag, ms->first + b->offset, sel, n_sel, n, m, out, err);
    return read_range(r, ms, tag, ms->first + b->offset + first, n, m, out, err);
}

static void columns_done(void *self, batch *b, uint32_t tag)
{
    ipc_reader *r = self;
    morsel *ms = b->source_state;

    ipc_column_done(ms->record, tag);
    if (--ms->columns_left)
        return;
    ipc_record_unref(ms->record);
    mem_free(r->grant, ms, sizeof *ms);
}

static const column_source arrow_columns = {.read = columns_read, .done = columns_done};

/* ---- the rest of the class ---- */

static void reader_stop(reader *base)
{
    file_stop(base->file);
}

static void reader_close(reader *base)
{
    ipc_reader *r = (ipc_reader *)base;

    leave_record(r);
    ipc_dictionaries_release(&r->dictionaries);
    if (r->meta.m)
        bytes_release(&r->meta);
    ipc_file_release(&r->file);
    arena_free(r->a);
    file_close(base->file);
    mem_free(r->m, r, sizeof *r);
}

static void reader_describe(const reader *base, char *out, size_t cap)
{
    const ipc_reader *r = (const ipc_reader *)base;

    if (r->begin.footer)
        snprintf(out, cap, "file of %u record batches", r->begin.batches.n);
    else
        snprintf(out, cap, "stream");
}

static void reader_spelled(const reader *base, uint32_t column, const char **physical,
                           const char **logical)
{
    (void)base;
    (void)column;
    *physical = *logical = NULL;
}

/* Keys and values of the schema. */
static nrw_status reader_carries(reader *base, arena *a, carried *out, nrw_error *err)
{
    const ipc_reader *r = (const ipc_reader *)base;

    *out = (carried){.n_key_values = r->n_pairs};
    TRY(arena_alloc(a, r->n_pairs * sizeof *out->key_values + 1, (void **)&out->key_values, err));
    for (uint32_t i = 0; i < r->n_pairs; i++) {
        key_value *kv = &out->key_values[i];
        char *key, *value;
        TRY(arena_strndup(a, r->pairs[i].key, strlen(r->pairs[i].key), &key, err));
        TRY(arena_strndup(a, r->pairs[i].value, r->pairs[i].value_len, &value, err));
        *kv = (key_value){key, value, r->pairs[i].value_len};
    }
    return NRW_OK;
}

static ipc_contents contents_of(const reader *base)
{
    const ipc_reader *r = (const ipc_reader *)base;

    return (ipc_contents){base->file, r->begin, r->schema.n_fields, r->layouts, r->places};
}

static nrw_status reader_verify(reader *base, spill *sp, mem *m, fault_found fault, void *self,
                                verify_counts *out, nrw_error *err)
{
    const ipc_contents c = contents_of(base);

    return ipc_verify(&c, sp, m, fault, self, out, err);
}

static nrw_status reader_facts(reader *base, mem *m, facts *out, nrw_error *err)
{
    const ipc_contents c = contents_of(base);

    return ipc_facts(&c, m, out, err);
}

static nrw_status reader_columns(reader *base, mem *m, column_told told, void *self, nrw_error *err)
{
    const ipc_contents c = contents_of(base);

    return ipc_columns(&c, m, told, self, err);
}

static nrw_status reader_stretches(reader *base, mem *m, stretch_told told, void *self,
                                   nrw_error *err)
{
    const ipc_contents c = contents_of(base);

    return ipc_stretches(&c, m, told, self, err);
}

static const reader_class arrow_reader_class = {
    .name = "arrow",
    .schema = reader_schema,
    .rows = reader_rows,
    .count = reader_count,
    .budget = reader_budget,
    .start = reader_start,
    .next = reader_next,
    .describe = reader_describe,
    .stop = reader_stop,
    .close = reader_close,
    .carries = reader_carries,
    .verify = reader_verify,
    .facts = reader_facts,
    .columns = reader_columns,
    .stretches = reader_stretches,
    .spelled = reader_spelled,
};

/* ---- opening ---- */

/* What unpacking buffers of the batch takes, and what they take. */
static nrw_status look_at_buffers(ipc_reader *r, const ipc_record *b, nrw_error *err)
{
    codec_ctx ctx = codec_ctx_init(b->codec, r->m);
    nrw_status st = NRW_OK;

    r->needs.codec = b->codec->decode_mem(IPC_WINDOW);
    for (uint32_t i = 0; st >= 0 && i < b->buffers.n && i < 4096; i++) {
        const uint8_t *p = b->buffers.all.data + b->buffers.at + 16 * (size_t)i;
        uint64_t at = load_u64(p), len = load_u64(p + 8), size;
        uint8_t head[72];
        if (len <= 8 || at > b->body_len || len > b->body_len - at)
            continue;
        len = len < sizeof head ? len : sizeof head;
        st = file_read(r->base.file, b->body + at, head, (size_t)len, err);
        size = st >= 0 ? load_u64(head) : 0;
        if (st < 0 || size > INT64_MAX)
            continue;
        r->needs.bodies += 2 * size;
        if (b->codec->frame_mem)
            r->needs.codec =
                size_max(r->needs.codec,
                         (size_t)b->codec->frame_mem(&ctx, (span){head + 8, (size_t)len - 8}));
    }
    codec_ctx_release(&ctx);
    return st;
}

/* Damage is found again when the batch is read. */
static nrw_status look_at_first(ipc_reader *r, nrw_error *err)
{
    bytes meta = bytes_init(r->m, INT32_MAX);
    ipc_file file = {.f = r->base.file, .m = r->m};
    ipc_walk w = r->begin;
    ipc_record *b = NULL;
    nrw_status st = NRW_OK;
    ipc_message m;

    if (next_batch(&w, NULL, &meta, &m, NULL) == NRW_OK) {
        r->needs.meta = m.meta.len;
        if (ipc_record_open(&file, &m, &m.header, &meta, &r->places, 0, &b, NULL) >= 0 && b->codec)
            st = look_at_buffers(r, b, err);
    }
    ipc_record_unref(b);
    bytes_release(&meta);
    r->needs.meta += r->needs.meta / 4 + 4 * KIB;
    return st;
}

static nrw_status check_order(const flat_table *schema, uint64_t at, nrw_error *err)
{
    int16_t big;

    err_at_offset(err, (int64_t)at);
    if (!flat_i16(schema, ARROW_SCHEMA_ENDIANNESS, 0, &big))
        return arrow_schema_damaged(err);
    if (!big)
        return NRW_OK;
    err_next(err, "write it on a machine whose numbers are little-endian");
    return err_set(err, NRW_E_UNSUPPORTED, "its numbers are big-endian, which is not read");
}

static nrw_status read_fields(ipc_reader *r, const flat_table *schema, nrw_error *err)
{
    flat_vector fields;

    if (!flat_refs(schema, ARROW_SCHEMA_FIELDS, &fields))
        return arrow_schema_damaged(err);
    TRY(arrow_fields_read(&fields, r->a, &r->schema, err));
    TRY(arrow_layout_read(&fields, &r->schema, r->a, &r->layouts, err));
    TRY(arrow_pairs_read(schema, r->a, &r->pairs, &r->n_pairs, err));
    r->places = arrow_layout_place(r->layouts, r->schema.n_fields);
    return ipc_parts_add(r->a, &r->schema, &r->layouts, &r->depths, err);
}

static nrw_status first_message(ipc_reader *r, bytes *meta, ipc_message *m, nrw_error *err)
{
    nrw_status st;

    TRY(st = ipc_message_read(r->base.file, r->begin.at, meta, m, err));
    if (st == NRW_OK && m->kind == ARROW_HEADER_SCHEMA)
        return NRW_OK;
    err_at_offset(err, (int64_t)r->begin.at);
    return err_set(err, NRW_E_CORRUPT, "the first Arrow message is not a schema");
}

/* The first message of a file says what its footer says, which is longer; but some writers (Polars
 * 2.1) do not frame it. */
static nrw_status find_schema(ipc_reader *r, bytes *meta, flat_table *out, uint64_t *at,
                              nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    nrw_status st;
    ipc_message m;

    TRY(ipc_walk_open(r->base.file, &r->begin, err));
    *at = r->begin.at;
    st = first_message(r, meta, &m, &why);
    if (st >= 0) {
        *out = m.header;
        ipc_walk_begin(&r->begin, &m);
        return st;
    }
    if (st == NRW_E_CORRUPT && r->begin.footer)
        return ipc_footer_schema(&r->begin, meta, out, at, err);
    if (err)
        *err = why;
    return st;
}

static nrw_status read_schema(ipc_reader *r, bytes *meta, nrw_error *err)
{
    nrw_error why = NRW_ERROR_INIT;
    flat_table schema;
    nrw_status st;
    uint64_t at;

    TRY(find_schema(r, meta, &schema, &at, err));
    st = check_order(&schema, at, &why);
    if (st >= 0)
        st = read_fields(r, &schema, &why);
    if (st < 0 && err)
        *err = why;
    return st;
}

static nrw_status open_reader(ipc_reader *r, nrw_error *err)
{
    bytes meta = bytes_init(r->m, INT32_MAX);
    nrw_status st = arena_new(r->m, &r->a, err);

    if (st >= 0)
        st = read_schema(r, &meta, err);
    bytes_release(&meta);
    file_forget(r->base.file, 0); /* the schema */
    return st < 0 ? st : look_at_first(r, err);
}

static nrw_status arrow_open(mem *m, io_file *f, const read_options *opts, reader **out,
                             nrw_error *err)
{
    ipc_reader *r = NULL;
    nrw_status st;

    *out = NULL;
    st = opts->n ? err_set(err, NRW_E_ARG, "--read: there is no reading option %s of Arrow",
                           opts->at[0])
                 : mem_zalloc(m, sizeof *r, (void **)&r, err);
    if (st < 0) {
        file_close(f);
        return st;
    }
    r->base = (reader){&arrow_reader_class, f};
    r->m = m;
    ipc_file_init(&r->file, f, m, NULL, 0);
    st = open_reader(r, err);
    if (st < 0) {
        err_at_object(err, f->name);
        reader_close(&r->base);
        return st;
    }
    *out = &r->base;
    return NRW_OK;
}

static bool is_arrow(span head)
{
    return ipc_is_file(head) || ipc_is_stream(head) ||
           (head.len >= 4 && memcmp(head.data, "FEA1", 4) == 0);
}

const format format_arrow = {.name = "arrow",
                             .extensions = {".arrow", ".arrows", ".feather", ".ipc"},
                             .matches = is_arrow,
                             .open = arrow_open};
