#include "dataset/mapped.h"

#include "dataset/mapped_filter.h"

/* A chosen column. */
typedef struct chosen {
    uint8_t kind;   /* map_kind */
    uint32_t inner; /* FILE, CAST: number among the columns the inner reader was started with */
    const expr *e;  /* CAST: over column 0; ADDED, NULL: a constant. NULL: nested nulls */
    const field *to;
    uint32_t place; /* of `all` */
} chosen;

typedef struct mapped {
    reader base;
    reader_class class;
    mem *m;
    arena *a;
    reader *inner;
    const schema *all;
    map_entry *map;
    const expr **added;
    chosen *cols;
    uint32_t n;
    mapped_filter filter;
    bool started, ruled_out;
    /* what the inner reader's columns are read from; set with the first morsel */
    const column_source *source;
    void *source_self;
} mapped;

static mapped *of(const reader *r)
{
    return (mapped *)(uintptr_t)r;
}

static const schema *mapped_schema(const reader *r)
{
    return of(r)->all;
}

static int64_t mapped_rows(const reader *r)
{
    const mapped *m = of(r);

    return m->inner->class->rows(m->inner);
}

static nrw_status mapped_count(reader *r, int64_t *rows, nrw_error *err)
{
    mapped *m = of(r);

    return m->inner->class->count(m->inner, rows, err);
}

/* ---- columns of the file ---- */

/* Those of cols[0..n) that the file has. */
static nrw_status inner_columns(const mapped *m, arena *a, const uint32_t *cols, uint32_t n,
                                uint32_t **out, uint32_t *n_out, nrw_error *err)
{
    *n_out = 0;
    TRY(arena_alloc(a, n * sizeof **out + 1, (void **)out, err));
    for (uint32_t i = 0; i < n; i++)
        if (m->map[cols[i]].kind <= MAP_CAST)
            (*out)[(*n_out)++] = m->map[cols[i]].column;
    return NRW_OK;
}

static nrw_status mapped_budget(const reader *r, const uint32_t *cols, uint32_t n, uint32_t workers,
                                budget *out, nrw_error *err)
{
    const mapped *m = of(r);
    uint32_t *inner, n_inner;
    arena *a;
    nrw_status st;

    TRY(arena_new(m->m, &a, err));
    st = inner_columns(m, a, cols, n, &inner, &n_inner, err);
    if (st >= 0)
        st = m->inner->class->budget(m->inner, inner, n_inner, workers, out, err);
    arena_free(a);
    return st;
}

/* How a column's values are made. */
static nrw_status choose(mapped *m, uint32_t place, chosen *c, uint32_t *n_inner, nrw_error *err)
{
    const map_entry *e = &m->map[place];
    const expr *from;

    *c = (chosen){.kind = e->kind, .to = &m->all->fields[place], .place = place};
    if (e->kind <= MAP_CAST)
        c->inner = (*n_inner)++;
    if (e->kind == MAP_ADDED)
        c->e = m->added[e->column];
    if (e->kind == MAP_CAST) {
        const schema *s = m->inner->class->schema(m->inner);
        TRY(expr_column(m->a, 0, &s->fields[e->column].type, &from, err));
        TRY(expr_cast(m->a, from, &c->to->type, false, &c->e, err));
    }
    if (e->kind == MAP_NULL && !type_is_nested(&c->to->type) && c->to->type.id != TYPE_NULL) {
        TRY(expr_null(m->a, &from, err));
        TRY(expr_cast(m->a, from, &c->to->type, false, &c->e, err));
    }
    return NRW_OK;
}

static nrw_status mapped_start(reader *r, const uint32_t *cols, uint32_t n,
                               const batch_shape *shape, mem *grant, spill *s, nrw_error *err)
{
    mapped *m = of(r);
    batch_shape inner_shape = *shape;
    uint32_t *inner, n_inner = 0, chosen_inner;

    TRY(arena_alloc(m->a, n * sizeof *m->cols + 1, (void **)&m->cols, err));
    m->n = n;
    for (uint32_t i = 0; i < n; i++)
        TRY(choose(m, cols[i], &m->cols[i], &n_inner, err));
    TRY(inner_columns(m, m->a, cols, n, &inner, &chosen_inner, err));
    if (shape->filter) {
        TRY(mapped_filter_of(m->a, shape->filter, m->map, m->added, &m->filter, err));
        inner_shape.filter = m->filter.answer == ANSWER_SOME ? &m->filter.base : NULL;
        /* where rows are counted by reading them, they are read */
        m->ruled_out = m->filter.answer == ANSWER_NONE && !m->inner->class->count;
    }
    m->started = true;
    return m->ruled_out
               ? NRW_OK
               : m->inner->class->start(m->inner, inner, n_inner, &inner_shape, grant, s, err);
}

/* ---- batches ---- */

static nrw_status column_begin(void *self, batch *b, nrw_error *err)
{
    mapped *m = self;

    return m->source->begin(m->source_self, b, err);
}

/* The file's values, half the bytes of them, since the cast stands beside them. */
static nrw_status read_cast(mapped *m, const chosen *c, batch *b, uint32_t first, uint32_t max_rows,
                            size_t max_bytes, const uint16_t *sel, uint32_t n_sel, mem *to,
                            vector *out, nrw_error *err)
{
    const vector *at[1];
    vector v;
    nrw_status st;

    TRY(m->source->read(m->source_self, b, c->inner, first, max_rows, max_bytes / 2 + 1, sel, n_sel,
                        to, &v, err));
    at[0] = &v;
    st = expr_eval(c->e, at, v.len, to, out, err);
    vector_release(&v);
    if (st < 0) {
        b->torn = true;
        if (m->base.file)
            err_at_object(err, m->base.file->name);
        err_at_column(err, c->to->name);
    }
    return st;
}

/* Bytes of a null of the type, all the way down. */
static size_t null_bytes(const type *t)
{
    size_t n = t->width + 1;

    for (uint32_t i = 0; t->id == TYPE_STRUCT && i < t->n_children; i++)
        n += null_bytes(&t->children[i].type);
    return n;
}

static nrw_status column_read(void *self, batch *b, uint32_t column, uint32_t first,
                              uint32_t max_rows, size_t max_bytes, const uint16_t *sel,
                              uint32_t n_sel, mem *to, vector *out, nrw_error *err)
{
    mapped *m = self;
    const chosen *c = &m->cols[column];
    uint32_t rows = sel && n_sel < max_rows ? n_sel : max_rows;

    if (c->kind == MAP_FILE)
        return m->source->read(m->source_self, b, c->inner, first, max_rows, max_bytes, sel, n_sel,
                               to, out, err);
    if (c->kind == MAP_CAST)
        return read_cast(m, c, b, first, max_rows, max_bytes, sel, n_sel, to, out, err);
    if (c->e)
        return expr_eval(c->e, NULL, rows, to, out, err);
    rows = (uint32_t)size_max(size_min(rows, max_bytes / null_bytes(&c->to->type)), 1);
    return vector_nulls(to, &c->to->type, rows, out, err);
}

static void column_done(void *self, batch *b, uint32_t column)
{
    mapped *m = self;

    if (m->cols[column].kind <= MAP_CAST)
        m->source->done(m->source_self, b, m->cols[column].inner);
}

static const column_source columns = {NULL, column_read, column_done};
static const column_source columns_begun = {column_begin, column_read, column_done};

static nrw_status mapped_next(reader *r, batch *b, nrw_error *err)
{
    mapped *m = of(r);
    nrw_status st;

    if (m->ruled_out)
        return NRW_END;
    st = m->inner->class->next(m->inner, b, err);
    if (st != NRW_OK)
        return st;
    if (!m->source) {
        m->source = b->source;
        m->source_self = b->source_self;
    }
    b->source = m->source->begin ? &columns_begun : &columns;
    b->source_self = m;
    return NRW_OK;
}

/* ---- what it tells ---- */

static void mapped_counts(const reader *r, uint32_t col, reader_counts *out)
{
    const mapped *m = of(r);

    *out = (reader_counts){0};
    if (m->started && !m->ruled_out && m->cols[col].kind <= MAP_CAST)
        reader_counted(m->inner, m->cols[col].inner, out);
}

static void mapped_pruned(const reader *r, prune_counts *out)
{
    const mapped *m = of(r);

    *out = (prune_counts){0};
    if (m->ruled_out)
        out->rows = (uint64_t)m->inner->class->rows(m->inner);
    else if (m->inner->class->pruned)
        m->inner->class->pruned(m->inner, out);
}

static void mapped_describe(const reader *r, char *out, size_t cap)
{
    const mapped *m = of(r);

    m->inner->class->describe(m->inner, out, cap);
}

static void mapped_stop(reader *r)
{
    mapped *m = of(r);

    reader_wake(m->inner);
}

static void mapped_close(reader *r)
{
    mapped *m = of(r);

    m->inner->class->close(m->inner);
    arena_free(m->a);
    mem_free(m->m, m, sizeof *m);
}

/* The place in `all` of the file's own column; -1: it is none, or has another type there. */
static int32_t place_in_all(const mapped *m, int32_t column)
{
    for (uint32_t i = 0; i < m->all->n_fields; i++)
        if (m->map[i].kind == MAP_FILE && m->map[i].column == (uint32_t)column)
            return (int32_t)i;
    return -1;
}

/* The rows stay in order: sorted by as many keys as are still there. */
static nrw_status mapped_carries(reader *r, arena *a, carried *out, nrw_error *err)
{
    mapped *m = of(r);

    TRY(m->inner->class->carries(m->inner, a, out, err));
    for (uint32_t i = 0; i < out->n_sorted; i++) {
        out->sorted[i].column = place_in_all(m, out->sorted[i].column);
        if (out->sorted[i].column < 0)
            out->n_sorted = i;
    }
    return NRW_OK;
}

static bool mapped_bounds(reader *r, mem *m, uint32_t column, int64_t *least, int64_t *greatest)
{
    const mapped *p = of(r);

    return p->map[column].kind == MAP_FILE &&
           p->inner->class->bounds(p->inner, m, p->map[column].column, least, greatest);
}

static nrw_status mapped_ranges(reader *r, mem *m, uint32_t column, range_found found, void *self,
                                nrw_error *err)
{
    const mapped *p = of(r);
    const map_entry *e = &p->map[column];
    const int64_t rows = mapped_rows(r);
    value_facts f = {.rows = rows, .nulls = e->kind == MAP_NULL ? rows : -1};
    nrw_status st;

    if (e->kind == MAP_FILE && p->inner->class->ranges)
        return p->inner->class->ranges(p->inner, m, e->column, found, self, err);
    if (e->kind == MAP_ADDED)
        mapped_constant_facts(p->added[e->column]->constant, &f);
    st = found(self, 0, &f, err);
    return st == NRW_END ? NRW_OK : st;
}

static void mapped_values(reader *r, mem *m, uint32_t column, column_values *out)
{
    const mapped *p = of(r);

    if (p->map[column].kind == MAP_FILE)
        p->inner->class->values(p->inner, m, p->map[column].column, out);
}

static nrw_status mapped_estimate(reader *r, mem *to, const row_filter *f, char *text, size_t cap,
                                  int64_t *rows, nrw_error *err)
{
    mapped *m = of(r);
    mapped_filter filter;
    nrw_status st = NRW_OK;
    arena *a;

    *rows = -1;
    *text = '\0';
    TRY(arena_new(to, &a, err));
    st = mapped_filter_of(a, f, m->map, m->added, &filter, err);
    if (st >= 0 && filter.answer == ANSWER_SOME)
        st = m->inner->class->estimate(m->inner, to, &filter.base, text, cap, rows, err);
    if (st >= 0 && filter.answer == ANSWER_NONE)
        *rows = 0;
    arena_free(a);
    return st;
}

static nrw_status mapped_find_damage(reader *r, const uint32_t *cols, uint32_t n, mem *to,
                                     spill *sp, damage_found found, void *self, nrw_error *err)
{
    mapped *m = of(r);
    uint32_t *inner, n_inner;

    TRY(inner_columns(m, m->a, cols, n, &inner, &n_inner, err));
    return m->inner->class->find_damage(m->inner, inner, n_inner, to, sp, found, self, err);
}

static void mapped_spelled(const reader *r, uint32_t column, const char **physical,
                           const char **logical)
{
    const mapped *m = of(r);

    *physical = *logical = NULL;
    if (m->map[column].kind == MAP_FILE)
        m->inner->class->spelled(m->inner, m->map[column].column, physical, logical);
}

/* ---- opening ---- */

static reader_class class_around(const reader_class *inner)
{
    return (reader_class){
        .name = inner->name,
        .schema = mapped_schema,
        .rows = mapped_rows,
        .count = inner->count ? mapped_count : NULL,
        .budget = mapped_budget,
        .start = mapped_start,
        .next = mapped_next,
        .counts = mapped_counts,
        .pruned = mapped_pruned,
        .describe = mapped_describe,
        .stop = mapped_stop,
        .close = mapped_close,
        .carries = inner->carries ? mapped_carries : NULL,
        .bounds = inner->bounds ? mapped_bounds : NULL,
        .ranges = inner->ranges ? mapped_ranges : NULL,
        .values = inner->values ? mapped_values : NULL,
        .estimate = inner->estimate ? mapped_estimate : NULL,
        .find_damage = inner->find_damage ? mapped_find_damage : NULL,
        .spelled = inner->spelled ? mapped_spelled : NULL,
    };
}

static nrw_status copy_spec(mapped *m, const mapped_spec *spec, nrw_error *err)
{
    uint32_t n = spec->all->n_fields + spec->all->n_parts;

    m->all = spec->all;
    TRY(arena_alloc(m->a, n * sizeof *m->map + 1, (void **)&m->map, err));
    memcpy(m->map, spec->map, n * sizeof *m->map);
    TRY(arena_alloc(m->a, spec->n_added * sizeof *m->added + 1, (void **)&m->added, err));
    for (uint32_t i = 0; i < spec->n_added; i++)
        TRY(expr_value(m->a, spec->added[i]->constant, 0, &m->added[i], err));
    return NRW_OK;
}

nrw_status mapped_open(mem *m, reader *inner, const mapped_spec *spec, reader **out, nrw_error *err)
{
    mapped *r = NULL;
    nrw_status st;

    *out = NULL;
    TRY_OUT(mem_zalloc(m, sizeof *r, (void **)&r, err));
    r->m = m;
    r->inner = inner;
    r->class = class_around(inner->class);
    r->base = (reader){&r->class, inner->file};
    TRY_OUT(arena_new(m, &r->a, err));
    TRY_OUT(copy_spec(r, spec, err));
    *out = &r->base;
    return NRW_OK;
out:
    if (r)
        mapped_close(&r->base);
    else
        inner->class->close(inner);
    return st;
}

bool mapped_is(const reader *r)
{
    return r->class->schema == mapped_schema;
}
