#include "exec/window_tape.h"

#include "exec/rows_spill.h"

#define BLOCK_BYTES                                                                                \
    (128u << 10) /* of a column's rows, about: more are not packed (rows_spill.h)                  \
                  */
#define PAGE_BYTES (16u << 10)
#define KEPT       64u

/* A block of rows. */
typedef struct tape_entry {
    uint64_t first;
    uint32_t n;
    uint32_t peers;       /* the first of them that begins peers; UINT32_MAX: none does */
    spill_block blocks[]; /* of each column, the last one says where peers begin */
} tape_entry;

/* Of the index. */
typedef struct tape_page {
    uint64_t first; /* row */
    uint32_t n;     /* entries */
    spill_block at;
} tape_page;

/* A block that was read. */
typedef struct tape_kept {
    uint64_t first;
    uint32_t column;
    uint64_t used; /* when */
    vector v;
} tape_kept;

struct window_tape {
    mem *m;
    spill *spill;
    const cancel_flag *cancel;
    uint32_t n; /* columns with the last one */
    uint32_t block_rows;
    row_layout *layouts;
    uint64_t n_rows;
    /* index */
    size_t entry;     /* bytes of one */
    uint32_t a_page;  /* entries of a page */
    uint8_t *entries; /* of the page that is written, or was read last */
    uint32_t n_entries;
    tape_page *pages;
    uint32_t n_pages, cap_pages;
    uint32_t open; /* the page that is there; UINT32_MAX: the one that is written, or none */
    /* blocks */
    rows packing;
    uint8_t **row; /* block_rows of them */
    bytes block, scratch;
    uint8_t *data; /* rows of a block that is read */
    size_t cap;
    tape_kept kept[KEPT];
    uint32_t n_kept;
    uint64_t kept_bytes, room, clock;
};

static tape_entry *entry_at(const window_tape *t, uint32_t i)
{
    return (tape_entry *)(void *)(t->entries + i * t->entry);
}

/* ---- rows come ---- */

/* The page that is full goes to the spill file. */
static nrw_status put_page(window_tape *t, nrw_error *err)
{
    void *p = t->pages;
    tape_page page = {.n = t->n_entries};

    if (t->n_entries == 0)
        return NRW_OK;
    if (t->n_pages == t->cap_pages) {
        uint32_t cap = t->cap_pages ? t->cap_pages * 2 : 16;
        TRY(mem_realloc(t->m, &p, t->cap_pages * sizeof *t->pages, cap * sizeof *t->pages, err));
        t->pages = p;
        t->cap_pages = cap;
    }
    page.first = entry_at(t, 0)->first;
    TRY(spill_write(t->spill, (span){t->entries, t->n_entries * t->entry}, true, &page.at, err));
    t->pages[t->n_pages++] = page;
    t->n_entries = 0;
    return NRW_OK;
}

static nrw_status put_column(window_tape *t, uint32_t c, const vector *v, spill_block *out,
                             nrw_error *err)
{
    rows_clear(&t->packing);
    bytes_clear(&t->block);
    TRY(rows_add(&t->packing, &t->layouts[c], &v, v->len, NULL, t->m, t->row, err));
    for (uint32_t i = 0; i < v->len; i++)
        TRY(bytes_append(&t->block, t->row[i], row_bytes(t->row[i]), err));
    return rows_spill(&t->layouts[c], (span){t->block.data, t->block.len}, false, t->spill,
                      &t->scratch, out, err);
}

/* The last column, and the block's first row that begins peers. */
static nrw_status starts_column(window_tape *t, const uint32_t *starts, uint32_t n, uint32_t *first,
                                vector *out, nrw_error *err)
{
    const type boolean = type_of(TYPE_BOOL);

    *first = UINT32_MAX;
    TRY(vector_flat(t->m, &boolean, n, out, err));
    out->len = n;
    for (uint32_t i = 0; i < n; i++) {
        out->data[i] = starts[i] >> 1 & 1;
        if (out->data[i] && *first == UINT32_MAX)
            *first = i;
    }
    return NRW_OK;
}

/* Rows [from, from + n) are a block. */
static nrw_status put_block(window_tape *t, const vector *columns, uint32_t from, uint32_t n,
                            const uint32_t *starts, nrw_error *err)
{
    tape_entry *e;
    uint32_t c;
    nrw_status st = NRW_OK;

    TRY(cancel_check(t->cancel, err));
    if (!t->entries)
        TRY(mem_alloc(t->m, t->a_page * t->entry, (void **)&t->entries, err));
    if (t->n_entries == t->a_page)
        TRY(put_page(t, err));
    e = entry_at(t, t->n_entries);
    e->first = t->n_rows;
    e->n = n;
    for (c = 0; st >= 0 && c < t->n; c++) {
        vector v = {0};
        st = c + 1 < t->n ? vector_slice(&columns[c], from, n, t->m, &v, err)
                          : starts_column(t, starts, n, &e->peers, &v, err);
        if (st >= 0)
            st = put_column(t, c, &v, &e->blocks[c], err);
        vector_release(&v);
    }
    if (st < 0) {
        for (; c > 1; c--) /* the last one was not written */
            spill_free(t->spill, &e->blocks[c - 2]);
        return st;
    }
    t->n_entries++;
    t->n_rows += n;
    return NRW_OK;
}

nrw_status window_tape_add(window_tape *t, const vector *columns, uint32_t from, uint32_t n,
                           const uint32_t *starts, nrw_error *err)
{
    uint32_t some = t->block_rows, blocks;

    if (n == 0)
        return NRW_OK;
    if (!t->row)
        TRY(mem_alloc(t->m, t->block_rows * sizeof *t->row, (void **)&t->row, err));
    for (uint32_t c = 0; c + 1 < t->n; c++)
        some = rows_that_fit(&t->layouts[c], &columns[c], 1, BLOCK_BYTES, some);
    blocks = (n + some - 1) / some;
    some = (n + blocks - 1) / blocks;
    for (uint32_t at = 0; at < n; at += some)
        TRY(put_block(t, columns, from + at, n - at < some ? n - at : some, starts + at, err));
    return NRW_OK;
}

static void free_buffers(window_tape *t)
{
    rows_release(&t->packing);
    bytes_release(&t->block);
    mem_free(t->m, t->row, t->row ? t->block_rows * sizeof *t->row : 0);
    t->row = NULL;
}

nrw_status window_tape_end(window_tape *t, nrw_error *err)
{
    rows_release(&t->packing);
    bytes_release(&t->block);
    return put_page(t, err);
}

uint64_t window_tape_rows(const window_tape *t)
{
    return t->n_rows;
}

/* ---- rows are looked at ---- */

static nrw_status open_page(window_tape *t, uint32_t page, nrw_error *err)
{
    if (page == t->open)
        return NRW_OK;
    t->open = UINT32_MAX;
    TRY(spill_read(t->spill, &t->pages[page].at, t->entries, err));
    t->n_entries = t->pages[page].n;
    t->open = page;
    return NRW_OK;
}

static nrw_status find(window_tape *t, uint64_t row, const tape_entry **out, nrw_error *err)
{
    uint32_t low = 0, high = t->n_pages;

    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (t->pages[mid].first <= row)
            low = mid;
        else
            high = mid;
    }
    TRY(open_page(t, low, err));
    low = 0;
    high = t->n_entries;
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (entry_at(t, mid)->first <= row)
            low = mid;
        else
            high = mid;
    }
    *out = entry_at(t, low);
    return NRW_OK;
}

nrw_status window_tape_block(window_tape *t, uint64_t row, uint64_t *first, uint32_t *n,
                             nrw_error *err)
{
    const tape_entry *e;

    TRY(find(t, row, &e, err));
    *first = e->first;
    *n = e->n;
    return NRW_OK;
}

static nrw_status read_column(window_tape *t, const tape_entry *e, uint32_t c, vector *out,
                              nrw_error *err)
{
    const spill_block *b = &e->blocks[c];
    uint32_t len;
    uint8_t *row;

    TRY(cancel_check(t->cancel, err));
    TRY(rows_fetch(t->spill, b, &t->scratch, &len, err));
    if (len > t->cap) {
        mem_free(t->m, t->data, t->cap);
        t->data = NULL;
        t->cap = 0;
        TRY(mem_alloc(t->m, len, (void **)&t->data, err));
        t->cap = len;
    }
    TRY(rows_place(&t->layouts[c], t->spill, b, &t->scratch, t->data, err));
    row = t->data;
    for (uint32_t i = 0; i < e->n; i++) {
        t->row[i] = row;
        row += row_bytes(row);
    }
    return rows_column(&t->layouts[c], (const uint8_t *const *)t->row, e->n, 0, t->m, out, err);
}

static void drop_kept(window_tape *t, uint32_t i)
{
    t->kept_bytes -= vector_bytes(&t->kept[i].v);
    vector_release(&t->kept[i].v);
    t->kept[i] = t->kept[--t->n_kept];
    t->kept[t->n_kept] = (tape_kept){0};
}

/* Takes v; those that nobody looked at for longest go. */
static void keep(window_tape *t, const tape_entry *e, uint32_t c, vector *v)
{
    uint64_t bytes = vector_bytes(v);

    while (t->n_kept && (t->n_kept == KEPT || t->kept_bytes + bytes > t->room)) {
        uint32_t oldest = 0;
        for (uint32_t i = 1; i < t->n_kept; i++)
            if (t->kept[i].used < t->kept[oldest].used)
                oldest = i;
        drop_kept(t, oldest);
    }
    t->kept_bytes += bytes;
    t->kept[t->n_kept++] = (tape_kept){e->first, c, ++t->clock, *v};
}

nrw_status window_tape_column(window_tape *t, uint64_t row, uint32_t c, vector *out, nrw_error *err)
{
    const tape_entry *e;
    vector v;
    nrw_status st;

    TRY(find(t, row, &e, err));
    for (uint32_t i = 0; i < t->n_kept; i++)
        if (t->kept[i].first == e->first && t->kept[i].column == c) {
            t->kept[i].used = ++t->clock;
            return vector_share(&t->kept[i].v, out, err);
        }
    TRY(read_column(t, e, c, &v, err));
    st = vector_share(&v, out, err);
    if (st < 0)
        vector_release(&v);
    else
        keep(t, e, c, &v);
    return st;
}

nrw_status window_tape_starts(window_tape *t, uint64_t row, uint32_t *starts, nrw_error *err)
{
    const tape_entry *e;
    vector v;

    TRY(find(t, row, &e, err));
    TRY(read_column(t, e, t->n - 1, &v, err));
    for (uint32_t i = 0; i < v.len; i++)
        starts[i] = v.data[i] ? 2 : 0;
    vector_release(&v);
    return NRW_OK;
}

nrw_status window_tape_peers(window_tape *t, uint64_t row, uint64_t *first, nrw_error *err)
{
    const tape_entry *e;

    for (*first = row; *first < t->n_rows; *first = e->first + e->n) {
        TRY(find(t, *first, &e, err));
        if (e->peers != UINT32_MAX) {
            *first = e->first + e->peers;
            return NRW_OK;
        }
    }
    return NRW_OK;
}

/* ---- life ---- */

static void free_entries(window_tape *t)
{
    for (uint32_t i = 0; i < t->n_entries; i++)
        for (uint32_t c = 0; c < t->n; c++)
            spill_free(t->spill, &entry_at(t, i)->blocks[c]);
    t->n_entries = 0;
}

void window_tape_clear(window_tape *t)
{
    nrw_error ignored = NRW_ERROR_INIT;

    while (t->n_kept)
        drop_kept(t, t->n_kept - 1);
    if (t->open == UINT32_MAX) /* of no page yet */
        free_entries(t);
    for (uint32_t i = 0; i < t->n_pages; i++) {
        if (open_page(t, i, &ignored) >= 0)
            free_entries(t);
        spill_free(t->spill, &t->pages[i].at);
        t->open = UINT32_MAX;
    }
    t->n_pages = 0;
    t->n_rows = 0;
    mem_free(t->m, t->pages, t->cap_pages * sizeof *t->pages);
    t->pages = NULL;
    t->cap_pages = 0;
    mem_free(t->m, t->entries, t->entries ? t->a_page * t->entry : 0);
    t->entries = NULL;
    mem_free(t->m, t->data, t->cap);
    t->data = NULL;
    t->cap = 0;
    free_buffers(t);
    bytes_release(&t->scratch);
}

void window_tape_free(window_tape *t)
{
    mem *m;

    if (!t)
        return;
    m = t->m;
    window_tape_clear(t);
    mem_free(m, t, sizeof *t);
}

nrw_status window_tape_new(arena *a, mem *m, const type *types, uint32_t n, uint32_t rows,
                           uint64_t room, spill *s, const cancel_flag *cancel, window_tape **out,
                           nrw_error *err)
{
    window_tape *t;
    row_layout *layouts;
    type *all;

    *out = NULL;
    TRY(arena_alloc(a, (n + 1) * sizeof *all, (void **)&all, err));
    TRY(arena_alloc(a, (n + 1) * sizeof *layouts, (void **)&layouts, err));
    for (uint32_t c = 0; c <= n; c++) {
        all[c] = c < n ? types[c] : type_of(TYPE_BOOL);
        TRY(row_layout_new(a, &all[c], 1, 0, &layouts[c], err));
    }
    TRY(mem_zalloc(m, sizeof *t, (void **)&t, err));
    t->m = t->packing.m = m;
    t->spill = s;
    t->cancel = cancel;
    t->n = n + 1;
    t->block_rows = rows < TAPE_ROWS ? rows : TAPE_ROWS;
    t->layouts = layouts;
    t->entry = sizeof(tape_entry) + t->n * sizeof(spill_block);
    t->a_page = t->entry > PAGE_BYTES ? 1 : (uint32_t)(PAGE_BYTES / t->entry);
    t->open = UINT32_MAX;
    t->room = room;
    t->block = bytes_init(m, UINT32_MAX);
    t->scratch = bytes_init(m, UINT32_MAX);
    *out = t;
    return NRW_OK;
}
