/* By file: a morsel is a whole file. The cutter only gives out numbers and rows, which are known
 * since all files were looked at; whoever carries the morsel opens the file, reads it alone, in
 * order, and closes it. So as many files are open as there are threads, and opening them is shared
 * by all.
 *
 * The file's reader cuts morsels of its own. The one at hand is the *inner* batch: batches of the
 * file's morsel end where it does. */
#include "dataset/scan_own.h"

/* What one thread reads. */
struct scan_slot {
    mem *m;
    reader *r; /* under the scan's lock; NULL: none is open */
    batch inner;
    batch_column *cols;  /* of the inner batch: its reader may look at them */
    uint32_t from, rows; /* of the inner morsel, in the file */
};

static scan_slot *slot_of(scan *s, const batch *b)
{
    return &s->slots[b->worker];
}

/* ---- opening and closing ---- */

static nrw_status enter_file(scan *s, scan_slot *p, size_t i, nrw_error *err)
{
    batch_shape shape = s->shape;
    reader *r;
    nrw_status st;

    shape.workers = 1;
    TRY(scan_open_input(s, i, p->m, &r, err));
    st = r->class->start(r, s->cols, s->n_cols, &shape, p->m, s->spill, err);
    pthread_mutex_lock(&s->lock);
    if (st >= 0 && s->stopped)
        st = NRW_E_CANCELLED;
    p->r = st >= 0 ? r : NULL;
    pthread_mutex_unlock(&s->lock);
    p->from = p->rows = 0;
    if (st < 0)
        r->class->close(r);
    return st;
}

/* All columns of the inner morsel are done with. */
static void leave_inner(scan *s, scan_slot *p)
{
    if (p->rows == 0)
        return;
    p->inner.last = true;
    for (uint32_t c = 0; c < s->n_cols; c++)
        p->inner.source->done(p->inner.source_self, &p->inner, c);
    p->from += p->rows;
    p->rows = 0;
}

static nrw_status enter_inner(scan *s, scan_slot *p, size_t file, mem *to, nrw_error *err)
{
    nrw_status st;

    leave_inner(s, p);
    p->inner = (batch){.cols = p->cols, .n_cols = s->n_cols, .m = to};
    st = p->r->class->next(p->r, &p->inner, err);
    if (st < 0)
        return st;
    if (st == NRW_END || p->inner.first_row != p->from)
        return scan_changed(s, file, err);
    p->rows = p->inner.rows;
    /* where all of it is cut: is it still what it was? */
    return p->r->file && p->from + p->rows == s->rows_of[file] ? file_check(p->r->file, err)
                                                               : NRW_OK;
}

void scan_file_done(scan *s, const batch *b)
{
    scan_slot *p = slot_of(s, b);
    reader *r;

    pthread_mutex_lock(&s->lock);
    r = p->r;
    p->r = NULL;
    if (r)
        scan_count_closed(s, r);
    pthread_mutex_unlock(&s->lock);
    if (r)
        r->class->close(r);
    p->rows = 0;
}

/* ---- columns ---- */

static size_t file_of(const batch *b)
{
    return (size_t)(uintptr_t)b->source_state;
}

static nrw_status column_begin(void *self, batch *b, nrw_error *err)
{
    scan *s = self;
    scan_slot *p = slot_of(s, b);
    uint32_t left;

    if (b->offset == 0)
        TRY(enter_file(s, p, file_of(b), err));
    if (b->offset >= p->from + p->rows)
        TRY(enter_inner(s, p, file_of(b), b->m, err));
    left = p->from + p->rows - b->offset;
    if (b->rows > left) {
        b->rows = left;
        b->last = false;
    }
    return NRW_OK;
}

static nrw_status column_read(void *self, batch *b, uint32_t column, uint32_t first,
                              uint32_t max_rows, size_t max_bytes, const uint16_t *sel,
                              uint32_t n_sel, mem *m, vector *out, nrw_error *err)
{
    scan_slot *p = slot_of(self, b);
    nrw_status st;

    p->inner.offset = b->offset - p->from;
    p->inner.rows = b->rows;
    p->inner.last = b->last;
    p->inner.torn = false;
    st = p->inner.source->read(p->inner.source_self, &p->inner, column, first, max_rows, max_bytes,
                               sel, n_sel, m, out, err);
    b->torn |= p->inner.torn;
    return st;
}

/* The morsel's columns end together with its file. */
static void column_done(void *self, batch *b, uint32_t column)
{
    scan_slot *p = slot_of(self, b);

    if (p->rows)
        p->inner.source->done(p->inner.source_self, &p->inner, column);
}

static const column_source columns = {column_begin, column_read, column_done};

/* ---- the cutter ---- */

nrw_status scan_files_start(scan *s, nrw_error *err)
{
    const uint32_t n = s->shape.workers;

    TRY(arena_alloc(s->a, n * sizeof *s->slots, (void **)&s->slots, err));
    s->n_slots = n;
    s->shape.filter =
        NULL; /* rows that it would rule out are counted nowhere before a file is open */
    for (uint32_t i = 0; i < n; i++) {
        TRY(mem_child(s->grant, "file", mem_room(s->grant) / n, &s->slots[i].m, err));
        TRY(arena_alloc(s->a, s->n_cols * sizeof(batch_column) + 1, (void **)&s->slots[i].cols,
                        err));
    }
    scan_count_closed(s, s->first);
    s->first->class->close(s->first);
    s->first = NULL;
    return NRW_OK;
}

nrw_status scan_files_next(scan *s, batch *b)
{
    while (s->next_file < s->n && s->rows_of[s->next_file] == 0)
        s->next_file++;
    if (s->next_file == s->n)
        return NRW_END;
    b->morsel = s->morsel++;
    b->rows = (uint32_t)s->rows_of[s->next_file];
    b->first_row = s->file_row;
    b->source = &columns;
    b->source_self = s;
    b->source_state = (void *)(uintptr_t)s->next_file;
    s->file_row += s->rows_of[s->next_file++];
    return NRW_OK;
}

uint64_t scan_files_bytes(scan *s)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < s->n_slots; i++)
        if (s->slots[i].r && s->slots[i].r->file)
            n += atomic_load(&s->slots[i].r->file->bytes_read);
    return n;
}

void scan_files_stop(scan *s)
{
    for (uint32_t i = 0; i < s->n_slots; i++)
        if (s->slots[i].r)
            reader_wake(s->slots[i].r);
}

void scan_files_close(scan *s)
{
    for (uint32_t i = 0; i < s->n_slots; i++) {
        if (s->slots[i].r)
            s->slots[i].r->class->close(s->slots[i].r);
        mem_free_account(s->slots[i].m);
    }
}
