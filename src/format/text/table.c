/* Rows for people: a box with names, types and aligned values. */
#include "column/json_value.h"
#include "column/print.h"
#include "format/text/own.h"
#include "format/text/show.h"

#define WINDOW_ROWS  512 /* rows that decide how wide the columns are, of tables of all rows */
#define WINDOW_BYTES ((size_t)64 << 10)
#define DOT_ROWS     3
#define MAX_ROWS     (1u << 24)

/* A row as kept: for each column a show_cell's width, its length and its bytes. */
typedef struct kept {
    uint8_t *data;
    size_t len;
} kept;

struct table {
    const schema *schema;
    bool ascii, laid_out;
    uint32_t max_rows;
    uint32_t *width;
    kept *rows;                 /* the first ones; then, behind `max_rows`, a ring of the last */
    uint32_t n_rows, cap, room; /* room: of `rows` now, cap: at most */
    uint32_t tail, tail_cap;    /* rows that went into the ring, its size */
    uint64_t total;
    size_t bytes;
    bytes row, line;
};

uint64_t table_budget(const schema *s, const text_options *opts)
{
    uint64_t most = opts->max_rows < MAX_ROWS ? opts->max_rows : MAX_ROWS;
    uint64_t rows = most ? most + most / 2 + 1 : WINDOW_ROWS;
    uint64_t kept_bytes =
        opts->max_rows ? rows * s->n_fields * (SHOW_COLUMNS + 4) : 2 * WINDOW_BYTES;
    return 2 * rows * sizeof(kept) + kept_bytes + s->n_fields * (4 + 8 * (SHOW_COLUMNS + 8));
}

static bool right_aligned(const type *t)
{
    return t->id >= TYPE_INT8 && t->id <= TYPE_DECIMAL;
}

nrw_status table_new(text_writer *w, const schema *s, const text_options *opts, nrw_error *err)
{
    void *p;
    TRY(arena_alloc(w->arena, sizeof(table), &p, err));
    table *t = p;
    t->schema = s;
    t->ascii = opts->ascii;
    t->max_rows = opts->max_rows < MAX_ROWS ? opts->max_rows : MAX_ROWS;
    t->tail_cap = t->max_rows / 2;
    t->cap = t->max_rows ? t->max_rows + t->tail_cap : WINDOW_ROWS;
    t->row = bytes_init(w->m, SIZE_MAX / 2);
    t->line = bytes_init(w->m, SIZE_MAX / 2);
    TRY(arena_alloc(w->arena, s->n_fields * sizeof *t->width + 1, &p, err));
    t->width = p;
    for (uint32_t c = 0; c < w->n; c++) {
        show_cell name, kind;
        show_text((const uint8_t *)s->fields[c].name, strlen(s->fields[c].name), t->ascii, &name);
        show_type(&s->fields[c].type, t->ascii, &kind);
        t->width[c] = name.width > kind.width ? name.width : kind.width;
    }
    w->table = t;
    return NRW_OK;
}

static void drop_row(text_writer *w, kept *r)
{
    mem_free(w->m, r->data, r->len);
    *r = (kept){0};
}

void table_free(text_writer *w)
{
    table *t = w->table;
    if (!t)
        return;
    for (uint32_t i = 0; i < t->room; i++)
        drop_row(w, &t->rows[i]);
    mem_free(w->m, t->rows, t->room * sizeof *t->rows);
    bytes_release(&t->row);
    bytes_release(&t->line);
    w->table = NULL;
}

/* ---- lines ---- */

static const char *const unicode_lines[3][4] = {
    {"┌", "┬", "┐\n", "─"}, {"├", "┼", "┤\n", "─"}, {"└", "┴", "┘\n", "─"}};
static const char *const ascii_lines[3][4] = {
    {"+", "+", "+\n", "-"}, {"+", "+", "+\n", "-"}, {"+", "+", "+\n", "-"}};

static nrw_status add(table *t, const char *text, nrw_error *err)
{
    return bytes_append(&t->line, text, strlen(text), err);
}

static nrw_status spaces(table *t, uint32_t n, nrw_error *err)
{
    TRY(bytes_reserve(&t->line, n, err));
    if (n)
        memset(t->line.data + t->line.len, ' ', n);
    t->line.len += n;
    return NRW_OK;
}

static nrw_status write_line(text_writer *w, nrw_error *err)
{
    table *t = w->table;
    nrw_status st = target_write(w->target, (span){t->line.data, t->line.len}, err);
    bytes_clear(&t->line);
    return st;
}

static nrw_status rule(text_writer *w, int which, nrw_error *err)
{
    table *t = w->table;
    const char *const *part = t->ascii ? ascii_lines[which] : unicode_lines[which];
    for (uint32_t c = 0; c < w->n; c++) {
        TRY(add(t, part[c > 0], err));
        for (uint32_t i = 0; i < t->width[c] + 2; i++)
            TRY(add(t, part[3], err));
    }
    TRY(add(t, part[2], err));
    return write_line(w, err);
}

typedef enum align { ALIGN_LEFT, ALIGN_RIGHT, ALIGN_CENTRE } align;

static nrw_status add_cell(table *t, uint32_t c, const uint8_t *text, size_t n, uint32_t width,
                           align how, nrw_error *err)
{
    uint32_t pad = t->width[c] > width ? t->width[c] - width : 0;
    uint32_t left = how == ALIGN_LEFT ? 0 : how == ALIGN_RIGHT ? pad : pad / 2;
    TRY(add(t, t->ascii ? "| " : "│ ", err));
    TRY(spaces(t, left, err));
    TRY(bytes_append(&t->line, text, n, err));
    return spaces(t, pad - left + 1, err);
}

static nrw_status end_line(text_writer *w, nrw_error *err)
{
    TRY(add(w->table, w->table->ascii ? "|\n" : "│\n", err));
    return write_line(w, err);
}

static nrw_status header(text_writer *w, nrw_error *err)
{
    table *t = w->table;
    show_cell x;
    TRY(rule(w, 0, err));
    for (uint32_t c = 0; c < w->n; c++) {
        const char *name = t->schema->fields[c].name;
        show_text((const uint8_t *)name, strlen(name), t->ascii, &x);
        TRY(add_cell(t, c, x.text, x.len, x.width, ALIGN_CENTRE, err));
    }
    TRY(end_line(w, err));
    for (uint32_t c = 0; c < w->n; c++) {
        show_type(&t->schema->fields[c].type, t->ascii, &x);
        TRY(add_cell(t, c, x.text, x.len, x.width, ALIGN_CENTRE, err));
    }
    TRY(end_line(w, err));
    t->laid_out = true;
    return t->total ? rule(w, 1, err) : NRW_OK;
}

static nrw_status dots(text_writer *w, nrw_error *err)
{
    table *t = w->table;
    const char *dot = t->ascii ? "." : "·";
    for (int i = 0; i < DOT_ROWS; i++) {
        for (uint32_t c = 0; c < w->n; c++) {
            bool right = right_aligned(&t->schema->fields[c].type);
            TRY(add_cell(t, c, (const uint8_t *)dot, strlen(dot), 1,
                         right ? ALIGN_RIGHT : ALIGN_CENTRE, err));
        }
        TRY(end_line(w, err));
    }
    return NRW_OK;
}

static nrw_status write_row(text_writer *w, const uint8_t *p, nrw_error *err)
{
    table *t = w->table;
    for (uint32_t c = 0; c < w->n; c++) {
        uint32_t width = p[0], n = p[1] | (uint32_t)p[2] << 8;
        bool right = right_aligned(&t->schema->fields[c].type);
        if (width > t->width[c])
            t->width[c] = width;
        TRY(add_cell(t, c, p + 3, n, width, right ? ALIGN_RIGHT : ALIGN_LEFT, err));
        p += 3 + n;
    }
    return end_line(w, err);
}

static nrw_status write_kept(text_writer *w, uint32_t from, uint32_t n, nrw_error *err)
{
    for (uint32_t i = from; i < from + n; i++) {
        TRY(write_row(w, w->table->rows[i].data, err));
        drop_row(w, &w->table->rows[i]);
    }
    return NRW_OK;
}

/* ---- taking rows ---- */

static nrw_status enough(void *self, bytes *text, nrw_error *err)
{
    (void)self;
    (void)text;
    (void)err;
    return NRW_END;
}

/* The beginning of a nested value's JSON; no more of it is seen. */
static nrw_status show_nested(text_writer *w, const vector *v, uint32_t row, show_cell *x,
                              nrw_error *err)
{
    bytes text = bytes_init(w->m, SIZE_MAX / 2);
    json_sink s = {.out = &text, .soft = sizeof x->text, .drain = enough};
    nrw_status st = json_value(&s, v, row, err);
    if (st >= 0)
        show_text(text.data, text.len, w->table->ascii, x);
    bytes_release(&text);
    return st < 0 ? st : NRW_OK;
}

/* Row r of what the columns hold now, into t->row. */
static nrw_status gather(text_writer *w, const text_task *k, uint32_t r, nrw_error *err)
{
    table *t = w->table;
    bytes_clear(&t->row);
    for (uint32_t c = 0; c < w->n; c++) {
        const lane *col = &k->cols[c];
        show_cell x;
        bool null;
        span v = vector_value(&col->v, col->at + r, &null);
        if (null)
            show_text((const uint8_t *)"NULL", 4, t->ascii, &x);
        else if (type_is_nested(&col->v.type))
            TRY(show_nested(w, &col->v, col->at + r, &x, err));
        else
            show_value(&t->schema->fields[c].type, v, t->ascii, &x);
        TRY(bytes_reserve(&t->row, 3 + x.len, err));
        uint8_t *p = t->row.data + t->row.len;
        p[0] = (uint8_t)x.width;
        p[1] = (uint8_t)x.len;
        p[2] = (uint8_t)(x.len >> 8);
        memcpy(p + 3, x.text, x.len);
        t->row.len += 3 + x.len;
        if (!t->laid_out && x.width > t->width[c])
            t->width[c] = x.width;
    }
    return NRW_OK;
}

static nrw_status grow(text_writer *w, uint32_t at, nrw_error *err)
{
    table *t = w->table;
    void *p = t->rows;
    uint32_t n = t->room;
    if (at < n)
        return NRW_OK;
    n = at < t->cap / 2 ? 2 * at + 16 : t->cap;
    n = n < t->cap ? n : t->cap;
    TRY(mem_realloc(w->m, &p, t->room * sizeof *t->rows, n * sizeof *t->rows, err));
    t->rows = p;
    memset(t->rows + t->room, 0, (n - t->room) * sizeof *t->rows);
    t->room = n;
    return NRW_OK;
}

static nrw_status keep(text_writer *w, uint32_t at, nrw_error *err)
{
    table *t = w->table;
    void *p;
    TRY(grow(w, at, err));
    drop_row(w, &t->rows[at]);
    TRY(mem_alloc(w->m, t->row.len, &p, err));
    memcpy(p, t->row.data, t->row.len);
    t->rows[at] = (kept){p, t->row.len};
    t->bytes += t->row.len;
    return NRW_OK;
}

static nrw_status take_row(text_writer *w, const text_task *k, uint32_t r, nrw_error *err)
{
    table *t = w->table;
    t->total++;
    if (t->max_rows && t->n_rows == t->max_rows) {
        if (t->tail_cap == 0)
            return NRW_OK;
        TRY(gather(w, k, r, err));
        return keep(w, t->max_rows + t->tail++ % t->tail_cap, err);
    }
    TRY(gather(w, k, r, err));
    if (t->laid_out)
        return write_row(w, t->row.data, err);
    TRY(keep(w, t->n_rows++, err));
    if (t->max_rows || (t->n_rows < t->cap && t->bytes < WINDOW_BYTES))
        return NRW_OK;
    TRY(header(w, err));
    return write_kept(w, 0, t->n_rows, err);
}

/* How many of the next rows cannot be among the last that are shown. */
static uint32_t rows_to_pass(const table *t, uint32_t left)
{
    if (!t->max_rows || t->n_rows < t->max_rows || left <= t->tail_cap)
        return 0;
    return left - t->tail_cap;
}

nrw_status table_push(text_writer *w, text_task *k, nrw_error *err)
{
    table *t = w->table;
    uint32_t rows, left = batch_alive(k->b);
    nrw_status st;
    TRY(turn_wait(&w->turn, k->b->morsel));
    while ((st = lanes_next(k->cols, w->n, w->workers, UINT32_MAX, &rows, err)) == NRW_OK) {
        for (uint32_t r = 0; r < rows; r++) {
            uint32_t pass = rows_to_pass(t, left - r);
            if (pass > rows - r)
                pass = rows - r;
            t->total += pass;
            r += pass;
            if (r < rows)
                TRY(take_row(w, k, r, err));
        }
        lanes_skip(k->cols, w->n, rows);
        left -= rows;
    }
    return st < 0 ? st : NRW_OK;
}

static nrw_status footer(text_writer *w, uint32_t shown, nrw_error *err)
{
    char text[64];
    size_t n = 2;
    memcpy(text, "  ", 2);
    n += print_u64(w->table->total, text + n);
    memcpy(text + n, " rows", 5);
    n += 5;
    if (shown < w->table->total) {
        memcpy(text + n, " (", 2);
        n += 2;
        n += print_u64(shown, text + n);
        memcpy(text + n, " shown)", 7);
        n += 7;
    }
    text[n++] = '\n';
    return target_write(w->target, (span){(uint8_t *)text, n}, err);
}

nrw_status table_finish(text_writer *w, nrw_error *err)
{
    table *t = w->table;
    uint32_t shown = t->n_rows;
    bool cut = t->max_rows && t->total > t->max_rows;
    if (!t->laid_out) {
        TRY(header(w, err));
        if (!cut) {
            TRY(write_kept(w, 0, t->n_rows, err));
        } else {
            /* the ring may not be full: the rows before it then follow the first ones */
            uint32_t first = t->max_rows - t->tail_cap, of_ring = t->tail;
            of_ring = of_ring < t->tail_cap ? of_ring : t->tail_cap;
            TRY(write_kept(w, 0, first, err));
            TRY(dots(w, err));
            TRY(write_kept(w, first + of_ring, t->tail_cap - of_ring, err));
            for (uint32_t i = 0; i < of_ring; i++)
                TRY(write_kept(w, t->max_rows + (t->tail - of_ring + i) % t->tail_cap, 1, err));
        }
    }
    TRY(rule(w, 2, err));
    return cut || t->total == 0 ? footer(w, shown, err) : NRW_OK;
}
