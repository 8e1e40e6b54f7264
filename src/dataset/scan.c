#include "dataset/scan_own.h"

nrw_status scan_open(mem *m, const scan_input *inputs, size_t n, const scan_options *opts,
                     scan **out, nrw_error *err)
{
    scan *s;
    nrw_status st;

    *out = NULL;
    TRY(mem_zalloc(m, sizeof *s, (void **)&s, err));
    s->m = m;
    s->inputs = inputs;
    s->n = n;
    s->opts = *opts;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->freed, NULL);
    TRY_OUT(arena_new(m, &s->a, err));
    TRY_OUT(arena_alloc(s->a, n * sizeof *s->rows_of, (void **)&s->rows_of, err));
    st = scan_look(s, err);
out:
    if (st < 0)
        scan_close(s);
    else
        *out = s;
    return st;
}

const schema *scan_schema(const scan *s)
{
    return &s->schema;
}

void scan_filtered(scan *s)
{
    s->by_file &= s->opts.process_by == PROCESS_FILE;
}

bool scan_by_file(const scan *s, const char **why)
{
    *why = s->opts.process_by == PROCESS_FILE ? "as --process-by says" : "they are small";
    return s->by_file;
}

bool scan_widened(const scan *s, uint32_t c, size_t *without)
{
    bool known = c < s->unify.n && s->unify.columns[c].added < 0;

    *without = known ? s->n - s->unify.columns[c].files : 0;
    return known && s->unify.columns[c].widened;
}

int64_t scan_rows(const scan *s)
{
    int64_t sum = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (s->rows_of[i] < 0)
            return -1;
        sum += s->rows_of[i];
    }
    return sum;
}

static nrw_status count_input(scan *s, size_t i, nrw_error *err)
{
    reader *r = s->first;
    nrw_status st;

    if (i > 0)
        TRY(s->inputs[i].open(s->inputs[i].self, s->m, &r, err));
    st = r->class->count(r, &s->rows_of[i], err);
    if (i > 0)
        r->class->close(r);
    return st;
}

nrw_status scan_count(scan *s, nrw_error *err)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->rows_of[i] < 0)
            TRY(count_input(s, i, err));
    return NRW_OK;
}

uint64_t scan_bytes(const scan *s)
{
    return s->bytes;
}

size_t scan_files(const scan *s)
{
    return s->n;
}

scan_file_counts scan_file(const scan *s, size_t i)
{
    return (scan_file_counts){s->inputs[i].name, s->rows_of[i]};
}

reader *scan_first(const scan *s)
{
    return s->first;
}

/* What the first input lacks counts as it does in the first one that has it. */
static nrw_status add_later_columns(const scan *s, const uint32_t *cols, uint32_t n,
                                    uint32_t workers, budget *sum, nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        size_t first = unify_first(&s->unify, &s->schema, cols[i]);
        budget more;
        reader *r;
        nrw_status st;
        if (first == 0)
            continue;
        TRY(scan_open_mapped((scan *)(uintptr_t)s, first, s->m, &r, err));
        st = r->class->budget(r, &cols[i], 1, workers, &more, err);
        r->class->close(r);
        TRY(st);
        sum->least += more.least;
        sum->wish += more.wish;
    }
    return NRW_OK;
}

nrw_status scan_budget(const scan *s, const uint32_t *cols, uint32_t n, uint32_t workers,
                       budget *out, nrw_error *err)
{
    const uint64_t footer = 256 << 10; /* of another file than the first */
    const uint32_t each = s->by_file ? 1 : workers;

    TRY(s->first->class->budget(s->first, cols, n, each, out, err));
    TRY(add_later_columns(s, cols, n, each, out, err));
    if (s->by_file) {
        out->least = workers * (out->least + footer);
        out->wish = workers * (out->wish + footer);
    } else if (s->n > 1) {
        out->least += out->least / 2 + footer;
        out->wish += out->wish / 2 + footer;
    }
    return NRW_OK;
}

const type *scan_column_type(const scan *s, uint32_t i)
{
    return &scan_schema(s)->fields[s->cols[i]].type;
}

nrw_status scan_start(scan *s, const uint32_t *cols, uint32_t n, const batch_shape *shape,
                      mem *grant, spill *sp, nrw_error *err)
{
    TRY(arena_alloc(s->a, n * sizeof *s->cols + 1, (void **)&s->cols, err));
    memcpy(s->cols, cols, n * sizeof *cols);
    TRY(arena_alloc(s->a, n * sizeof *s->closed + 1, (void **)&s->closed, err));
    s->n_cols = n;
    s->shape = *shape;
    s->grant = grant;
    s->spill = sp;
    return s->by_file ? scan_files_start(s, err) : NRW_OK;
}

static void add_pruned(const reader *r, prune_counts *sum)
{
    prune_counts n;

    if (!r || !r->class->pruned)
        return;
    r->class->pruned(r, &n);
    sum->rows += n.rows;
    sum->groups += n.groups;
    sum->of_groups += n.of_groups;
    sum->pages += n.pages;
}

void scan_count_closed(scan *s, reader *r)
{
    for (uint32_t c = 0; c < s->n_cols; c++) {
        reader_counts n;
        reader_counted(r, c, &n);
        s->closed[c].pages_decompressed += n.pages_decompressed;
        s->closed[c].pages_skipped += n.pages_skipped;
        s->closed[c].bytes_decompressed += n.bytes_decompressed;
    }
    add_pruned(r, &s->pruned);
    if (r->file)
        s->bytes_closed += atomic_load(&r->file->bytes_read);
}

static void part_close(scan *s, part *p)
{
    if (!p->r)
        return;
    scan_count_closed(s, p->r);
    p->r->class->close(p->r);
    *p = (part){0};
}

nrw_status scan_open_input(scan *s, size_t i, mem *m, reader **out, nrw_error *err)
{
    reader *r;

    TRY(scan_open_mapped(s, i, m, &r, err));
    if (!r->class->count && r->class->rows(r) != s->rows_of[i]) {
        r->class->close(r);
        return scan_changed(s, i, err);
    }
    *out = r;
    return NRW_OK;
}

/* Opens input `next_file` for reading. */
static nrw_status open_input(scan *s, reader **out, nrw_error *err)
{
    reader *r = s->first;
    nrw_status st;

    if (s->next_file == 0)
        s->first = NULL;
    else
        TRY(scan_open_input(s, s->next_file, s->grant, &r, err));
    st = r->class->start(r, s->cols, s->n_cols, &s->shape, s->grant, s->spill, err);
    if (st < 0) {
        r->class->close(r);
        return st;
    }
    *out = r;
    return NRW_OK;
}

nrw_status scan_each(scan *s, mem *m, scan_visit visit, void *self, nrw_error *err)
{
    nrw_status st = NRW_OK;

    for (size_t i = 0; i < s->n && st == NRW_OK; i++) {
        reader *r = s->first;
        if (i > 0)
            TRY(scan_open_input(s, i, m, &r, err));
        st = visit(self, r, err);
        if (st >= 0 && r->file) {
            nrw_status changed = file_check(r->file, err);
            st = changed < 0 ? changed : st;
        }
        if (i == 0)
            continue;
        if (r->file)
            s->bytes_closed += atomic_load(&r->file->bytes_read);
        r->class->close(r);
    }
    return st == NRW_END ? NRW_OK : st;
}

/* The cutter leaves its file; the other place is taken once it is free. */
static nrw_status open_next(scan *s, nrw_error *err)
{
    part *now = &s->parts[s->current], *next = &s->parts[1 - s->current];
    nrw_status st = NRW_OK;
    reader *r = NULL;

    pthread_mutex_lock(&s->lock);
    now->end_morsel = s->morsel;
    if (now->under_way == 0)
        part_close(s, now);
    while (next->r && !s->stopped)
        pthread_cond_wait(&s->freed, &s->lock);
    if (s->stopped)
        st = NRW_E_CANCELLED;
    else if (s->next_file >= s->n)
        st = NRW_END;
    pthread_mutex_unlock(&s->lock);
    if (st != NRW_OK)
        return st;

    st = open_input(s, &r, err);
    if (st < 0) {
        pthread_mutex_lock(&s->lock);
        s->stopped = true; /* who comes next shall not open what is closed already */
        pthread_mutex_unlock(&s->lock);
        return st;
    }
    if (s->next_file > 0)
        s->file_row += s->rows_of[s->next_file - 1];
    s->cut_row = 0;
    pthread_mutex_lock(&s->lock);
    *next =
        (part){.r = r, .file = s->next_file++, .first_morsel = s->morsel, .end_morsel = UINT64_MAX};
    s->current = 1 - s->current;
    if (s->stopped)
        reader_wake(r);
    pthread_mutex_unlock(&s->lock);
    return NRW_OK;
}

/* All of a file was cut: is it still what it was, and how many rows did it have? */
static nrw_status check_read(scan *s, const part *p, nrw_error *err)
{
    int64_t *rows = &s->rows_of[p->file];

    if (p->r->file)
        TRY(file_check(p->r->file, err));
    if (!p->r->class->count)
        return NRW_OK;
    if (*rows >= 0 && *rows != s->cut_row)
        return scan_changed(s, p->file, err);
    *rows = s->cut_row;
    return NRW_OK;
}

nrw_status scan_next(scan *s, batch *b, nrw_error *err)
{
    if (s->by_file)
        return scan_files_next(s, b);
    for (;;) {
        part *p = &s->parts[s->current];
        nrw_status st;
        bool cutting;

        pthread_mutex_lock(&s->lock); /* a part that was cut is closed by whoever is its last */
        cutting = p->r && p->end_morsel == UINT64_MAX;
        pthread_mutex_unlock(&s->lock);
        st = cutting ? p->r->class->next(p->r, b, err) : NRW_END;
        if (st < 0)
            return st;
        if (st == NRW_OK) {
            b->morsel = s->morsel++;
            s->cut_row = b->first_row + b->rows;
            b->first_row += s->file_row;
            pthread_mutex_lock(&s->lock);
            p->under_way++;
            pthread_mutex_unlock(&s->lock);
            return NRW_OK;
        }
        if (cutting)
            TRY(check_read(s, p, err));
        st = open_next(s, err);
        if (st != NRW_OK)
            return st;
    }
}

/* Under the lock. */
static part *part_of(scan *s, const batch *b)
{
    for (int i = 0; i < 2; i++) {
        part *p = &s->parts[i];
        if (p->r && b->morsel >= p->first_morsel && b->morsel < p->end_morsel)
            return p;
    }
    return NULL;
}

void scan_morsel_done(scan *s, const batch *b)
{
    part *p;

    if (s->by_file) {
        scan_file_done(s, b);
        return;
    }
    pthread_mutex_lock(&s->lock);
    p = part_of(s, b);
    if (p && --p->under_way == 0 && p->end_morsel != UINT64_MAX) {
        part_close(s, p);
        pthread_cond_broadcast(&s->freed);
    }
    pthread_mutex_unlock(&s->lock);
}

void scan_counts(scan *s, uint32_t col, reader_counts *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->closed ? s->closed[col] : (reader_counts){0};
    pthread_mutex_unlock(&s->lock);
}

void scan_pruned(scan *s, prune_counts *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->pruned;
    for (int i = 0; i < 2; i++)
        add_pruned(s->parts[i].r, out);
    pthread_mutex_unlock(&s->lock);
}

uint64_t scan_bytes_read(scan *s)
{
    uint64_t n;

    pthread_mutex_lock(&s->lock);
    n = s->bytes_closed;
    if (s->first && s->first->file)
        n += atomic_load(&s->first->file->bytes_read);
    for (int i = 0; i < 2; i++)
        if (s->parts[i].r && s->parts[i].r->file)
            n += atomic_load(&s->parts[i].r->file->bytes_read);
    n += scan_files_bytes(s);
    pthread_mutex_unlock(&s->lock);
    return n;
}

void scan_stop(scan *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopped = true;
    for (int i = 0; i < 2; i++)
        if (s->parts[i].r)
            reader_wake(s->parts[i].r);
    scan_files_stop(s);
    pthread_cond_broadcast(&s->freed);
    pthread_mutex_unlock(&s->lock);
}

void scan_close(scan *s)
{
    if (!s)
        return;
    for (int i = 0; i < 2; i++)
        part_close(s, &s->parts[i]);
    scan_files_close(s);
    if (s->first)
        s->first->class->close(s->first);
    arena_free(s->a);
    pthread_cond_destroy(&s->freed);
    pthread_mutex_destroy(&s->lock);
    mem_free(s->m, s, sizeof *s);
}
