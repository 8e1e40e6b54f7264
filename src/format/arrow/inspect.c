/* One walk over the messages, whose headers go to whoever counts. */
#include "format/arrow/inspect.h"

#include "format/arrow/arrow.h"

#include <stdio.h>

typedef struct inspector inspector;
struct inspector {
    const ipc_contents *c;
    ipc_file file;
    /* a record batch whose header holds; NULL: these are not looked at */
    nrw_status (*batch)(inspector *x, const ipc_message *m, const ipc_record *r, nrw_error *err);
    nrw_status (*dictionary)(inspector *x, const ipc_message *m, int64_t id, bool adds,
                             int64_t rows, nrw_error *err);
    /* facts */
    uint64_t rows, batches, dictionaries, bytes, largest;
    bool plain, lz4, zstd;
    /* columns */
    struct column_sums *sums;
    /* stretches */
    stretch_told told;
    void *self;
};

typedef struct column_sums {
    uint64_t bytes;
    int64_t nulls; /* -1: some batch does not tell */
    int64_t entries;
} column_sums;

static const char *codec_word(const codec *c)
{
    return !c ? "none" : arrow_codec("lz4") == c ? "lz4" : c->name;
}

static nrw_status see_batch(inspector *x, const ipc_message *m, bytes *meta, nrw_error *err)
{
    ipc_record *r = NULL;
    nrw_status st = ipc_record_open(&x->file, m, &m->header, meta, &x->c->places, 0, &r, err);

    if (st >= 0)
        st = x->batch(x, m, r, err);
    ipc_record_unref(r);
    return st;
}

static nrw_status see_dictionary(inspector *x, const ipc_message *m, nrw_error *err)
{
    flat_table values;
    uint8_t adds;
    int64_t id, rows;
    bool has;

    if (!flat_i64(&m->header, 0, 0, &id) || !flat_child(&m->header, 1, &has, &values) || !has ||
        !flat_u8(&m->header, 2, 0, &adds)) {
        err_at_offset(err, (int64_t)m->at);
        return err_set(err, NRW_E_CORRUPT, "the header of a dictionary is damaged");
    }
    TRY(ipc_record_rows(m, &values, &rows, err));
    return x->dictionary(x, m, id, adds, rows, err);
}

static nrw_status walk(inspector *x, mem *m, nrw_error *err)
{
    bytes meta = bytes_init(m, INT32_MAX);
    ipc_walk w = x->c->begin;
    nrw_status st;
    ipc_message at;

    ipc_file_init(&x->file, x->c->f, m, NULL, 0);
    while ((st = ipc_walk_next(&w, &meta, &at, err)) == NRW_OK) {
        if (at.kind == ARROW_HEADER_BATCH)
            st = see_batch(x, &at, &meta, err);
        else if (x->dictionary)
            st = see_dictionary(x, &at, err);
        if (st != NRW_OK)
            break;
    }
    ipc_file_release(&x->file);
    bytes_release(&meta);
    return st < 0 ? st : NRW_OK;
}

/* ---- facts ---- */

static nrw_status count_batch(inspector *x, const ipc_message *m, const ipc_record *r,
                              nrw_error *err)
{
    (void)err;
    x->batches++;
    x->rows += (uint64_t)r->rows;
    x->bytes += m->body_len;
    x->largest = m->body_len > x->largest ? m->body_len : x->largest;
    *(!r->codec ? &x->plain : r->codec == arrow_codec("lz4") ? &x->lz4 : &x->zstd) = true;
    return NRW_OK;
}

static nrw_status count_dictionary(inspector *x, const ipc_message *m, int64_t id, bool adds,
                                   int64_t rows, nrw_error *err)
{
    (void)id;
    (void)adds;
    (void)rows;
    (void)err;
    x->dictionaries++;
    x->bytes += m->body_len;
    return NRW_OK;
}

static fact *add(facts *out, const char *key, const char *title, fact_kind kind, uint64_t n)
{
    out->at[out->n] = (fact){.key = key, .title = title, .kind = kind, .n = n};
    return &out->at[out->n++];
}

static void add_text(facts *out, const char *key, const char *title, const char *text)
{
    fact *f = add(out, key, title, FACT_TEXT, 0);

    snprintf(f->text, sizeof f->text, "%s", text);
}

nrw_status ipc_facts(const ipc_contents *c, mem *m, facts *out, nrw_error *err)
{
    inspector x = {.c = c, .batch = count_batch, .dictionary = count_dictionary};
    char codecs[32];

    TRY(walk(&x, m, err));
    snprintf(codecs, sizeof codecs, "%s%s%s", x.plain ? " none" : "", x.lz4 ? " lz4" : "",
             x.zstd ? " zstd" : "");
    *out = (facts){0};
    add_text(out, "format", "format", "arrow");
    add_text(out, "layout", "layout", c->begin.footer ? "file" : "stream");
    add_text(out, "codec", "codec", *codecs ? codecs + 1 : "none");
    add(out, "n_columns", "columns", FACT_NUMBER, c->n);
    add(out, "bytes", "bytes", FACT_BYTES, c->f->size);
    add(out, "rows", "rows", FACT_NUMBER, x.rows);
    add(out, "n_record_batches", "record batches", FACT_PARTS, x.batches);
    add(out, "n_dictionary_batches", "dictionary batches", FACT_NUMBER, x.dictionaries);
    add(out, "buffers", "buffers", FACT_BYTES, x.bytes);
    add(out, "largest_batch", "largest batch", FACT_BYTES, x.largest);
    return NRW_OK;
}

/* ---- columns ---- */

static nrw_status sum_batch(inspector *x, const ipc_message *m, const ipc_record *r, nrw_error *err)
{
    (void)m;
    (void)err;
    for (uint32_t i = 0; i < x->c->n; i++) {
        int64_t nulls = ipc_column_nulls(r, &x->c->layouts[i]);
        column_sums *s = &x->sums[i];
        s->bytes += ipc_column_bytes(r, &x->c->layouts[i]);
        s->nulls = s->nulls < 0 || nulls < 0 ? -1 : s->nulls + nulls;
    }
    return NRW_OK;
}

/* As the dictionary stands at the end. */
static nrw_status sum_dictionary(inspector *x, const ipc_message *m, int64_t id, bool adds,
                                 int64_t rows, nrw_error *err)
{
    (void)m;
    (void)err;
    for (uint32_t i = 0; i < x->c->n; i++)
        if (x->c->layouts[i].dictionary && x->c->layouts[i].dictionary_id == id)
            x->sums[i].entries = adds ? x->sums[i].entries + rows : rows;
    return NRW_OK;
}

static const char *list_word(const arrow_layout *l)
{
    bool large = l->offset_bytes == 8;

    if (l->f->type.id == TYPE_MAP)
        return "map";
    return l->kind == LAID_LIST_VIEW ? large ? "large_list_view" : "list_view"
           : large                   ? "large_list"
                                     : "list";
}

static const char *text_word(const arrow_layout *l)
{
    bool text = l->f->type.id == TYPE_UTF8 || l->f->type.id == TYPE_JSON;

    if (l->kind == LAID_VIEWS)
        return text ? "utf8_view" : "binary_view";
    if (l->offset_bytes == 8)
        return text ? "large_utf8" : "large_binary";
    return text ? "utf8" : "binary";
}

static const char *fixed_word(const arrow_layout *l)
{
    static const char *const words[] = {
        [TYPE_INT8] = "int8",        [TYPE_INT16] = "int16",     [TYPE_INT32] = "int32",
        [TYPE_INT64] = "int64",      [TYPE_UINT8] = "uint8",     [TYPE_UINT16] = "uint16",
        [TYPE_UINT32] = "uint32",    [TYPE_UINT64] = "uint64",   [TYPE_FLOAT16] = "float16",
        [TYPE_FLOAT32] = "float32",  [TYPE_FLOAT64] = "float64", [TYPE_DECIMAL] = "decimal",
        [TYPE_DATE] = "date",        [TYPE_TIME] = "time",       [TYPE_TIMESTAMP] = "timestamp",
        [TYPE_DURATION] = "duration"};
    type_id id = l->f->type.id;

    if (l->change == CHANGE_MONTHS)
        return "month_interval";
    if (l->change == CHANGE_DAYS_MILLIS)
        return "day_time_interval";
    if (l->change == CHANGE_MONTHS_NANOS)
        return "month_day_nano_interval";
    return (size_t)id < sizeof words / sizeof *words && words[id] ? words[id] : "fixed_size_binary";
}

/* Its layout in the words of Arrow, as far as the type leaves it open. */
static void layout_print(const arrow_layout *l, char *out, size_t cap)
{
    const type_id id = l->f->type.id;
    const bool sized =
        l->kind == LAID_FIXED && (id == TYPE_DECIMAL || id == TYPE_DATE || id == TYPE_TIME);
    const char *word = "null";
    char index[24] = "";

    if (l->dictionary)
        snprintf(index, sizeof index, "dictionary<%sint%d, ", l->index_signed ? "" : "u",
                 l->index_bytes * 8);
    switch (l->kind) {
    case LAID_NULL: break;
    case LAID_BITS: word = "bool"; break;
    case LAID_FIXED: word = fixed_word(l); break;
    case LAID_BYTES:
    case LAID_VIEWS: word = text_word(l); break;
    case LAID_LIST:
    case LAID_LIST_VIEW: word = list_word(l); break;
    case LAID_FIXED_LIST: word = "fixed_size_list"; break;
    case LAID_STRUCT: word = "struct"; break;
    case LAID_RUNS: word = "run_end_encoded"; break;
    case LAID_UNION: word = "union"; break;
    }
    if (sized)
        snprintf(out, cap, "%s%s%u%s", index, word, l->width * 8, *index ? ">" : "");
    else
        snprintf(out, cap, "%s%s%s", index, word, *index ? ">" : "");
}

static nrw_status tell_columns(const inspector *x, column_told told, void *self, nrw_error *err)
{
    for (uint32_t i = 0; i < x->c->n; i++) {
        const arrow_layout *l = &x->c->layouts[i];
        const column_sums *s = &x->sums[i];
        column_facts c = {.column = i,
                          .bytes = s->bytes,
                          .nulls = s->nulls,
                          .entries = l->dictionary ? s->entries : -1};
        layout_print(l, c.stored, sizeof c.stored);
        TRY(told(self, &c, err));
    }
    return NRW_OK;
}

nrw_status ipc_columns(const ipc_contents *c, mem *m, column_told told, void *self, nrw_error *err)
{
    inspector x = {.c = c, .batch = sum_batch, .dictionary = sum_dictionary};
    size_t size = c->n * sizeof *x.sums;
    nrw_status st;
    void *p;

    TRY(mem_zalloc(m, size, &p, err));
    x.sums = p;
    st = walk(&x, m, err);
    if (st >= 0)
        st = tell_columns(&x, told, self, err);
    mem_free(m, p, size);
    return st;
}

/* ---- stretches ---- */

static nrw_status tell_batch(inspector *x, const ipc_message *m, const ipc_record *r,
                             nrw_error *err)
{
    stretch_facts s = {.rows = r->rows,
                       .first_row = (int64_t)x->rows,
                       .bytes = m->body_len,
                       .codec = codec_word(r->codec),
                       .start = m->at,
                       .end = m->next};

    x->rows += (uint64_t)r->rows;
    return x->told(x->self, &s, err);
}

nrw_status ipc_stretches(const ipc_contents *c, mem *m, stretch_told told, void *self,
                         nrw_error *err)
{
    inspector x = {.c = c, .batch = tell_batch, .told = told, .self = self};

    return walk(&x, m, err);
}
