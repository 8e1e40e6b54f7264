/* Conditions: any text is refused with a place or tested on a batch without harm; what a filter
 * rules out by exact bounds of a single row does not pass the test of that row. */
#include "expr/expr.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Six columns and two parts of a seventh, which itself is not asked for. */
enum { FIELDS = 6, COLUMNS = 8 };
static const char *const names[FIELDS] = {"i", "u", "f", "d", "s", "b"};
static const char *const paths[COLUMNS - FIELDS] = {"p.q", "p.Q.r"};

static schema make_schema(arena *a)
{
    schema s;

    if (schema_new(a, COLUMNS, &s, NULL) < 0)
        abort();
    for (uint32_t c = 0; c < FIELDS; c++)
        s.fields[c].name = names[c];
    s.n_fields = FIELDS;
    s.n_parts = COLUMNS - FIELDS;
    s.part_paths = paths;
    s.fields[0].type = type_of(TYPE_INT32);
    s.fields[1].type = type_of(TYPE_UINT64);
    s.fields[2].type = type_of(TYPE_FLOAT64);
    s.fields[3].type = type_decimal(20, 3);
    s.fields[4].type = type_of(TYPE_UTF8);
    s.fields[5].type = type_timestamp(UNIT_MS, true);
    s.fields[6].type = type_of(TYPE_INT16);
    s.fields[7].type = type_of(TYPE_BINARY);
    return s;
}

/* One row; the bytes that decide its values come from the input. */
typedef struct row {
    const schema *s;
    const uint8_t *seed;
} row;

static nrw_status give(void *self, batch *b, uint32_t column, uint32_t first, uint32_t max_rows,
                       size_t max_bytes, const uint16_t *sel, uint32_t n_sel, mem *m, vector *out,
                       nrw_error *err)
{
    const row *r = self;
    const type *t = &r->s->fields[column].type;

    (void)b;
    (void)first;
    (void)max_rows;
    (void)max_bytes;
    (void)sel;
    (void)n_sel;
    if (r->seed[column] == 0)
        return vector_nulls(m, t, 1, out, err);
    TRY(vector_flat(m, t, 1, out, err));
    out->len = 1;
    memset(out->data, 0, t->width);
    if (type_is_view(t))
        *(view *)(void *)out->data = view_make(r->seed, r->seed[column] % 8, 0, 0);
    else
        out->data[0] = r->seed[column];
    return NRW_OK;
}

static const column_source source = {.read = give};

/* The filter's answer where all that is known is the row itself. */
static bool may_pass(const row_filter *f, batch *b)
{
    bool stack[512];
    uint32_t top = 0;

    if (f->depth > 512)
        return true;
    for (uint32_t i = 0; i < f->n_steps; i++) {
        const row_filter_step *s = &f->steps[i];
        if (s->kind == ROW_FILTER_TEST) {
            const vector *v = NULL;
            value_facts k = {.rows = 1, .nulls = -1};
            if (s->column < COLUMNS && batch_hold(b, s->column, SIZE_MAX, &v, NULL) == NRW_OK) {
                bool null;
                k.min = k.max = vector_value(v, 0, &null);
                k.nulls = null;
                k.has_min = k.has_max = !null;
            }
            stack[top++] = f->may_match(f, s->test, &k);
            continue;
        }
        top--;
        if (s->kind == ROW_FILTER_AND)
            stack[top - 1] &= stack[top];
        else
            stack[top - 1] |= stack[top];
    }
    return stack[0];
}

static void test_row(mem *m, const predicate *p, const schema *s, const uint8_t *seed)
{
    batch_column cols[COLUMNS];
    row r = {s, seed};
    batch b = {.last = true,
               .rows = 1,
               .n_cols = COLUMNS,
               .cols = cols,
               .source = &source,
               .source_self = &r,
               .m = m};
    static uint8_t bits[BATCH_MAX_ROWS / 8 + 64];
    const uint32_t *places;
    predicate_cache *c;

    for (uint32_t i = 0; i < COLUMNS; i++)
        cols[i] = (batch_column){.tag = i};
    predicate_columns(p, &places);
    if (predicate_cache_new(m, p, 1024, &c, NULL) < 0)
        return;
    if (predicate_test(p, c, &b, places, SIZE_MAX, bits, NULL) == NRW_OK && (bits[0] & 1) &&
        !may_pass(predicate_filter(p), &b))
        abort();
    predicate_cache_free(c);
    for (uint32_t i = 0; i < COLUMNS; i++) {
        if (!cols[i].held)
            continue;
        vector_release(cols[i].held);
        mem_free(m, cols[i].held, sizeof(vector));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nrw_error err = NRW_ERROR_INIT;
    predicate *p;
    arena *a;
    mem *m;

    if (size < 8 || size > 4096 || mem_root(64 << 20, &m, NULL) < 0)
        return 0;
    char *text = malloc(size - 7);
    memcpy(text, data + 8, size - 8);
    text[size - 8] = '\0';
    if (arena_new(m, &a, NULL) >= 0) {
        const char *texts[] = {text};
        schema s = make_schema(a);
        nrw_status st = predicate_parse(a, texts, 1, &s, "in", &p, &err);
        if (st == NRW_OK)
            test_row(m, p, &s, data);
        else if (st != NRW_E_MEMLIMIT && (st != NRW_E_ARG || !strstr(err.message, "character")))
            abort();
        arena_free(a);
    }
    free(text);
    mem_trim();
    if (mem_used(m))
        abort();
    mem_free_account(m);
    return 0;
}
