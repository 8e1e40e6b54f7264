/* Write, then read: the input chooses columns, options, rows, cuts and forms. What the writer makes
 * of them is the same bytes in any cut, form and memory, verifies without a fault and comes back as
 * the same rows; and a condition lets the same rows pass whether or not the reader leaves out what
 * bounds, indexes and dictionaries rule out. */
#include "../tests/unit/column_rows.h"
#include "../tests/unit/nested_made.h"
#include "column/print.h"
#include "expr/expr.h"
#include "format/parquet/leaf_write.h"
#include "format/parquet/parquet.h"
#include "format/parquet/verify.h"
#include "format/parquet/written_type.h"
#include "vectors.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST_COLUMNS = 4, MOST_ROWS = 1200, LEAVES = MOST_COLUMNS + NEST_LEAVES };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const types[] = {
    "boolean",       "int8",    "int16",        "int32",         "int64",
    "uint8",         "uint16",  "uint32",       "uint64",        "float16",
    "float",         "double",  "decimal(9,2)", "decimal(18,3)", "decimal(38,10)",
    "decimal(76,0)", "date",    "time",         "timestamp",     "timestamp_ns",
    "interval",      "varchar", "blob",         "uuid",          "fixed(5)"};

static const int32_t encodings[] = {-1,
                                    PQ_PLAIN,
                                    PQ_DELTA_BINARY_PACKED,
                                    PQ_DELTA_LENGTH_BYTE_ARRAY,
                                    PQ_DELTA_BYTE_ARRAY,
                                    PQ_BYTE_STREAM_SPLIT,
                                    PQ_RLE};

typedef struct input {
    const uint8_t *p;
    size_t n;
    mem *m;
    arena *a;
    field fields[MOST_COLUMNS + 1];
    schema s;
    uint32_t n_rows, n_flat;
    rows flat[MOST_COLUMNS];
    nest k;
    pq_node top;
    vector nested;
    pq_column_options columns[LEAVES];
    pq_write_options o;
} input;

static unsigned choose(input *x, unsigned below)
{
    if (x->n == 0)
        return 0;
    x->n--;
    return *x->p++ % below;
}

/* Rows of a piece: such that there are some dozens of them, or an input takes a second. */
static uint32_t piece_rows(input *x, uint32_t rows)
{
    uint32_t least = x->n_rows / 40 + 1;
    return rows < least ? least : rows;
}

static void must(nrw_status st, const nrw_error *err)
{
    char text[600] = "";
    if (st == NRW_OK)
        return;
    if (err)
        nrw_error_print(err, text, sizeof text);
    fprintf(stderr, "status %d: %s\n", (int)st, text);
    __builtin_trap();
}

/* ---- rows ---- */

/* Any bytes made into text: those from 0x80 on become characters of two bytes. */
static void as_text(uint8_t *p, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        if (p[i] >= 0x80 && i + 1 < n) {
            p[i] = (uint8_t)(0xc3 + p[i] % 16);
            i++;
            p[i] = (uint8_t)(0x80 | (p[i] & 0x3f));
        } else {
            p[i] &= 0x7f;
        }
    }
}

/* Bytes of the input as values, where any bytes are a value. */
static void own_values(input *x, rows *r)
{
    const type *t = &r->f.type;
    bool any = (t->id >= TYPE_INT8 && t->id <= TYPE_FLOAT64) || t->id >= TYPE_FIXED;
    uint32_t most = 1 + choose(x, 64);
    for (uint32_t k = 0; (any || type_is_view(t)) && k < r->n_vids && k < most && x->n; k++) {
        if (type_is_view(t))
            r->len[k] = choose(x, 40);
        for (uint32_t i = 0; i < r->len[k]; i++)
            r->value[k][i] = (uint8_t)choose(x, 256);
    }
    for (uint32_t k = 0; t->id == TYPE_UTF8 && k < r->n_vids; k++)
        as_text(r->value[k], r->len[k]);
}

static void flat_column(input *x, uint32_t c)
{
    static const char *const names[MOST_COLUMNS] = {"c0", "c1", "c2", "c3"};
    static const uint32_t nulls[] = {0, 20, 500, 1000};
    nrw_error err = NRW_ERROR_INIT;
    field *f = &x->fields[c];
    *f = (field){.name = names[c], .nullable = choose(x, 3), .field_id = -1};
    must(type_parse(types[choose(x, sizeof types / sizeof *types)], &f->type, &err), &err);
    uint32_t distinct = 1 + choose(x, 256), run = 1 + choose(x, 60);
    if (distinct > 200)
        distinct = x->n_rows + 1;
    x->flat[c] = rows_make(*f, x->n_rows, distinct, nulls[choose(x, 4)], run);
    own_values(x, &x->flat[c]);
}

/* Keys of maps are never null in Parquet. */
static void require_keys(nest *k, pq_node *n)
{
    uint32_t first = n->n_children ? (uint32_t)(n->children - k->nodes) : 0;
    for (uint32_t i = 0; i < n->n_children; i++) {
        require_keys(k, &k->nodes[first + i]);
        if (n->field.type.id == TYPE_MAP && i == 0)
            k->nodes[first].field.nullable = k->fields[first].nullable = false;
    }
}

static void nested_column(input *x)
{
    uint32_t from = x->n_flat;
    nest_tree(&x->k, &x->top, 1 + (int)choose(x, 4));
    require_keys(&x->k, &x->top);
    x->nested = nest_rows(&x->k, x->m, &x->top, x->n_rows, NULL, choose(x, 16) == 15 ? 3000 : 0);
    x->fields[from] = x->top.field;
    x->fields[from].name = "n";
}

static void options(input *x)
{
    static const uint32_t sizes[] = {1 << 20, 4096, 600, 64};
    nrw_error err = NRW_ERROR_INIT;
    pq_leaves leaves;
    pq_write_options *o = &x->o;
    *o = pq_write_defaults();
    must(pq_leaves_of(&x->s, x->a, &leaves, &err), &err);
    hold(leaves.n <= LEAVES);
    for (uint32_t i = 0; i < leaves.n; i++) {
        const codec *k = codec_at(choose(x, 7));
        int32_t e = encodings[choose(x, sizeof encodings / sizeof *encodings)];
        if (!pq_encoding_fits(e, &leaves.at[i].field->type))
            e = PQ_PLAIN;
        unsigned bits = choose(x, 8);
        x->columns[i] = (pq_column_options){.codec = bits & 4 ? CODEC_NONE : k->parquet_id,
                                            .level = k->min_level,
                                            .encoding = e,
                                            .dictionary = bits & 1,
                                            .statistics = !(bits & 2) || i % 2};
    }
    o->columns = x->columns;
    o->version = 1 + (int)choose(x, 2);
    o->page_bytes = sizes[choose(x, 4)];
    o->page_rows = piece_rows(x, 1 + choose(x, 256) * 4);
    o->dictionary_bytes = sizes[choose(x, 4)];
    o->row_group_rows = piece_rows(x, 1 + choose(x, 256) * 8);
    o->row_group_bytes = choose(x, 3) ? 1 << 20 : 2048;
    o->page_index = choose(x, 3);
    o->page_crc = choose(x, 3);
    o->statistics_truncate = 1 + choose(x, 80);
}

static void make(input *x)
{
    x->n_flat = 1 + choose(x, MOST_COLUMNS);
    x->n_rows = 1 + (choose(x, 256) << 8 | choose(x, 256)) % MOST_ROWS;
    bool nested = choose(x, 3) == 2;
    if (nested)
        x->n_flat = x->n_flat > 2 ? 1 : x->n_flat;
    for (uint32_t c = 0; c < x->n_flat; c++)
        flat_column(x, c);
    if (nested)
        nested_column(x);
    x->s = (schema){.n_fields = x->n_flat + nested, .fields = x->fields};
    options(x);
}

/* ---- writing ---- */

typedef struct feed {
    input *x;
    dict *dicts[MOST_COLUMNS];
    rows_form form;
} feed;

static nrw_status give(void *self, batch *b, uint32_t column, uint32_t first, uint32_t max_rows,
                       size_t max_bytes, const uint16_t *sel, uint32_t n_sel, mem *m, vector *out,
                       nrw_error *err)
{
    feed *f = self;
    uint32_t from = (uint32_t)b->first_row + first, n = max_rows;
    (void)max_bytes;
    (void)n_sel;
    hold(!sel);
    if (f->form == ROWS_MIXED)
        n = 1 + (uint32_t)(rows_random() % max_rows);
    if (column < f->x->n_flat)
        return rows_vector(&f->x->flat[column], m, &f->dicts[column], f->form, from, n, out, err);
    return vector_slice(&f->x->nested, from, n, m, out, err);
}

static void gone(void *self, batch *b, uint32_t column)
{
    (void)self;
    (void)b;
    (void)column;
}

static const column_source source = {.read = give, .done = gone};

static void push_all(input *x, writer *w, feed *f, uint32_t cut)
{
    nrw_error err = NRW_ERROR_INIT;
    batch_column cols[MOST_COLUMNS + 1];
    uint64_t morsel = 0;
    for (uint32_t row = 0; row < x->n_rows; row += cut) {
        batch b = {.morsel = morsel++,
                   .last = true,
                   .first_row = row,
                   .rows = x->n_rows - row < cut ? x->n_rows - row : cut,
                   .n_cols = x->s.n_fields,
                   .cols = cols,
                   .source = &source,
                   .source_self = f,
                   .m = x->m};
        for (uint32_t c = 0; c < b.n_cols; c++)
            cols[c] = (batch_column){.tag = c};
        must(w->class->push(w, &b, &err), &err);
        batch_release(&b);
    }
}

/* The file as bytes, which are the caller's. The target is stdout, which is a file in memory. */
static made written(input *x, uint32_t cut, rows_form form, bool least, file_summary *sum)
{
    nrw_error err = NRW_ERROR_INIT;
    feed f = {.x = x, .form = form};
    writer *w;
    target *to;
    spill *sp;
    mem *grant;
    budget b;
    made out = {0};
    hold(ftruncate(STDOUT_FILENO, 0) == 0 && lseek(STDOUT_FILENO, 0, SEEK_SET) == 0);
    must(parquet_write_budget(&x->s, &x->o, 1, &b, &err), &err);
    must(mem_child(x->m, "writer", least ? b.least : MEM_NO_LIMIT, &grant, &err), &err);
    must(spill_new(x->m, NULL, (uint64_t)1 << 30, &sp, &err), &err);
    must(target_open(x->m, "-", EXISTS_REPLACE, &to, &err), &err);
    must(parquet_writer_open(grant, sp, to, &x->s, &x->o, 1, &w, &err), &err);
    push_all(x, w, &f, cut);
    must(w->class->finish(w, sum, &err), &err);
    w->class->close(w);
    must(target_publish(to, &err), &err);
    target_close(to);
    spill_close(sp);
    for (uint32_t c = 0; c < x->n_flat; c++)
        dict_unref(f.dicts[c]);
    hold(mem_used(grant) == 0);
    mem_free_account(grant);
    out.n = out.cap = (size_t)lseek(STDOUT_FILENO, 0, SEEK_END);
    out.p = malloc(out.n);
    hold(pread(STDOUT_FILENO, out.p, out.n, 0) == (ssize_t)out.n && out.n == sum->bytes);
    return out;
}

/* ---- reading ---- */

static void same_flat(const rows *r, const vector *v, uint32_t first)
{
    for (uint32_t i = 0; i < v->len; i++) {
        bool null;
        span got = vector_value(v, i, &null);
        int32_t want = r->vid[first + i];
        hold(null == (want < 0));
        hold(null ||
             (got.len == r->len[want] && (!got.len || !memcmp(got.data, r->value[want], got.len))));
    }
}

static void same_nested(input *x, const vector *v, uint32_t first)
{
    for (uint32_t i = 0; i < v->len; i++) {
        char *got = nest_text(x->m, v, i), *want = nest_text(x->m, &x->nested, first + i);
        hold(strcmp(got, want) == 0);
        free(got);
        free(want);
    }
}

static void same_batch(input *x, batch *b)
{
    nrw_error err = NRW_ERROR_INIT;
    for (uint32_t c = 0; c < b->n_cols; c++) {
        column_walk walk = batch_walk(b, c);
        uint32_t row = (uint32_t)b->first_row;
        vector v;
        nrw_status st;
        while ((st = column_next(&walk, 1 << 14, &v, &err)) == NRW_OK) {
            must(vector_validate(&v, &err), &err);
            if (c < x->n_flat)
                same_flat(&x->flat[c], &v, row);
            else
                same_nested(x, &v, row);
            row += v.len;
            vector_release(&v);
        }
        must(st == NRW_END ? NRW_OK : st, &err);
        hold(row == b->first_row + b->rows);
    }
}

/* What is done with the rows: compared, or tested by a condition, whose answers go to passed[]. */
typedef struct look {
    const predicate *p;
    predicate_cache *cache;
    bool pruned;
    uint8_t *passed;
    uint32_t max_rows;
} look;

static void test_batch(const look *l, batch *b)
{
    static uint8_t bits[BATCH_MAX_ROWS / 8 + 64];
    nrw_error err = NRW_ERROR_INIT;
    const uint32_t *places;
    predicate_columns(l->p, &places);
    must(predicate_test(l->p, l->cache, b, places, SIZE_MAX, bits, &err), &err);
    for (uint32_t i = 0; i < b->rows; i++)
        l->passed[b->first_row + i] = bit_get(bits, i);
}

static uint32_t read_rows(input *x, reader *r, const look *l)
{
    nrw_error err = NRW_ERROR_INIT;
    batch_column cols[MOST_COLUMNS + 1];
    uint32_t n = x->s.n_fields, rows = 0;
    for (uint64_t morsel = 0;; morsel++) {
        batch b = {.morsel = morsel, .last = true, .m = x->m, .cols = cols, .n_cols = n};
        for (uint32_t i = 0; i < n; i++)
            cols[i] = (batch_column){.tag = i};
        nrw_status st = r->class->next(r, &b, &err);
        if (st == NRW_END)
            return rows;
        must(st, &err);
        rows += b.rows;
        if (l->p)
            test_batch(l, &b);
        else
            same_batch(x, &b);
        batch_release(&b);
    }
}

static void read_all(input *x, const made *file, const look *l)
{
    static const uint32_t all[MOST_COLUMNS + 1] = {0, 1, 2, 3, 4};
    nrw_error err = NRW_ERROR_INIT;
    batch_shape shape = {.max_rows = l->max_rows, .column_bytes = 1 << 14, .workers = 1};
    pq_read_options ro = {0};
    uint32_t n = x->s.n_fields;
    io_file *f;
    reader *r;
    spill *sp;
    mem *grant;
    budget b;
    if (l->pruned)
        shape.filter = predicate_filter(l->p);
    must(file_open_memory(x->m, "fuzz", (span){file->p, file->n}, &f, &err), &err);
    must(parquet_open(x->m, f, &ro, &r, &err), &err);
    hold(r->class->rows(r) == x->n_rows && schema_equal(r->class->schema(r), &x->s));
    must(r->class->budget(r, all, n, 1, &b, &err), &err);
    must(mem_child(x->m, "reader", b.least, &grant, &err), &err);
    must(spill_new(x->m, NULL, (uint64_t)1 << 30, &sp, &err), &err);
    must(r->class->start(r, all, n, &shape, grant, sp, &err), &err);
    uint32_t rows = read_rows(x, r, l);
    prune_counts pruned = {0};
    if (r->class->pruned)
        r->class->pruned(r, &pruned);
    hold(rows + pruned.rows == x->n_rows);
    r->class->close(r);
    spill_close(sp);
    mem_free_account(grant);
}

static nrw_status no_fault(void *self, const nrw_error *what, nrw_error *err)
{
    (void)self;
    (void)err;
    must(what->status, what);
    return NRW_OK;
}

static void verified(input *x, const made *file)
{
    nrw_error err = NRW_ERROR_INIT;
    pq_verify_counts counts;
    io_file *f;
    pq_meta *p;
    spill *sp;
    must(file_open_memory(x->m, "fuzz", (span){file->p, file->n}, &f, &err), &err);
    must(spill_new(x->m, NULL, (uint64_t)1 << 30, &sp, &err), &err);
    must(pq_meta_open(x->m, f, NULL, &p, &err), &err);
    must(pq_verify(p, f, sp, x->m, true, no_fault, NULL, &counts, &err), &err);
    pq_meta_close(p);
    file_close(f);
    spill_close(sp);
}

/* ---- conditions ---- */

/* A test of a column against one of its values; false where the value has no plain text. */
static bool condition(input *x, char *out, size_t cap)
{
    static const char *const ops[] = {"=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM"};
    uint32_t c = choose(x, x->n_flat), row = (choose(x, 256) << 8 | choose(x, 256)) % x->n_rows;
    const rows *r = &x->flat[c];
    unsigned op = choose(x, 9);
    bytes text = bytes_init(x->m, 1 << 16);
    bool plain = true;
    if (op >= 7 || r->vid[row] < 0) {
        snprintf(out, cap, "c%u IS %sNULL", c, op & 1 ? "NOT " : "");
        return true;
    }
    span v = {r->value[r->vid[row]], r->len[r->vid[row]]};
    must(print_value(&r->f.type, v, &text, NULL), NULL);
    for (size_t i = 0; i < text.len; i++)
        plain = plain && text.data[i] >= ' ' && text.data[i] != '\'';
    snprintf(out, cap, "c%u %s '%.*s'", c, ops[op], (int)text.len, (char *)text.data);
    bytes_release(&text);
    return plain;
}

static void with_condition(input *x, const made *file)
{
    static const char *const joins[] = {"%s", "%s AND %s", "%s OR %s", "NOT (%s OR %s)"};
    static uint8_t all[MOST_ROWS], some[MOST_ROWS];
    char a[800], b[800], text[1700];
    const char *texts[] = {text};
    look l = {.passed = all, .max_rows = piece_rows(x, 1 + choose(x, 256) * 4)};
    predicate *p;
    if (!condition(x, a, sizeof a) || !condition(x, b, sizeof b))
        return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof text, joins[choose(x, 4)], a, b);
#pragma GCC diagnostic pop
    if (predicate_parse(x->a, texts, 1, &x->s, "fuzz", &p, NULL) < 0)
        return; /* the text of a float16, say */
    l.p = p;
    must(predicate_cache_new(x->m, p, 4096, &l.cache, NULL), NULL);
    memset(all, 0, sizeof all);
    memset(some, 0, sizeof some);
    read_all(x, file, &l);
    l.pruned = true;
    l.passed = some;
    read_all(x, file, &l);
    hold(memcmp(all, some, sizeof all) == 0);
    predicate_cache_free(l.cache);
}

static void run(input *x)
{
    file_summary sum;
    uint32_t cut = piece_rows(x, 1 + choose(x, 256) * 5);
    uint32_t other = piece_rows(x, 1 + choose(x, 256));
    made file = written(x, cut, (rows_form)choose(x, ROWS_FORMS), false, &sum);
    made again = written(x, other, (rows_form)choose(x, ROWS_FORMS), true, &sum);
    hold(sum.rows == x->n_rows);
    hold(file.n == again.n && memcmp(file.p, again.p, file.n) == 0);
    made_free(&again);
    verified(x, &file);
    read_all(x, &file, &(look){.max_rows = piece_rows(x, 1 + choose(x, 256) * 4)});
    with_condition(x, &file);
    made_free(&file);
}

static void to_memory(void)
{
    static bool done;
    if (done)
        return;
    int fd = memfd_create("written", 0);
    hold(fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
    close(fd);
    done = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static input x;
    x = (input){.p = data, .n = size};
    if (size < 8)
        return 0;
    to_memory();
    rows_seed = load_u64(data) | 1;
    x.k.seed = load_u32(data);
    must(mem_root((uint64_t)256 << 20, &x.m, NULL), NULL);
    must(arena_new(x.m, &x.a, NULL), NULL);
    make(&x);
    run(&x);
    for (uint32_t c = 0; c < x.n_flat; c++)
        rows_free(&x.flat[c]);
    if (x.s.n_fields > x.n_flat)
        vector_release(&x.nested);
    nest_free(&x.k);
    arena_free(x.a);
    mem_trim();
    hold(mem_used(x.m) == 0);
    mem_free_account(x.m);
    return 0;
}
