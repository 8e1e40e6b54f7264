#include "column/json_out.h"
#include "column/json_value.h"
#include "column/print.h"
#include "format/text/own.h"

#define OUT_LEAST   ((size_t)64 << 10)
#define OUT_MOST    ((size_t)2 << 20)
#define STREAM_STEP ((size_t)4 << 10)

/* ---- tasks ---- */

static uint32_t step_rows(uint32_t n)
{
    return n == 0 || n >= CELLS ? 1 : CELLS / n;
}

static size_t cells_bytes(const text_writer *w)
{
    return (size_t)w->n * step_rows(w->n) * sizeof(cell);
}

static void task_free(text_writer *w, text_task *k)
{
    bytes_release(&k->scratch);
    bytes_release(&k->out);
    mem_free(w->m, k->cols, w->n * sizeof *k->cols);
    mem_free(w->m, k->cells, cells_bytes(w));
    mem_free(w->m, k, sizeof *k);
}

static nrw_status task_new(text_writer *w, text_task **out, nrw_error *err)
{
    void *p;
    *out = NULL;
    TRY(mem_zalloc(w->m, sizeof(text_task), &p, err));
    text_task *k = p;
    k->step = step_rows(w->n);
    k->limit = w->limit;
    k->scratch = bytes_init(w->m, SIZE_MAX / 2);
    k->out = bytes_init(w->m, w->limit + PAD + 1);
    nrw_status st = mem_zalloc(w->m, w->n * sizeof *k->cols, &p, err);
    if (st >= 0) {
        k->cols = p;
        st = mem_alloc(w->m, cells_bytes(w), &p, err);
        k->cells = st < 0 ? NULL : p;
    }
    if (st < 0)
        task_free(w, k);
    else
        *out = k;
    return st;
}

static nrw_status task_take(text_writer *w, text_task **out, nrw_error *err)
{
    pthread_mutex_lock(&w->lock);
    text_task *k = *out = w->tasks;
    if (k)
        w->tasks = k->next;
    pthread_mutex_unlock(&w->lock);
    return k ? NRW_OK : task_new(w, out, err);
}

static void task_give(text_writer *w, text_task *k)
{
    bytes_clear(&k->out);
    bytes_clear(&k->scratch);
    pthread_mutex_lock(&w->lock);
    k->next = w->tasks;
    w->tasks = k;
    pthread_mutex_unlock(&w->lock);
}

/* ---- rows ---- */

/* What was gathered goes out once everything before it has. */
static nrw_status flush(text_writer *w, text_task *k, nrw_error *err)
{
    TRY(turn_wait(&w->turn, k->b->morsel));
    if (k->out.len)
        TRY(target_write(w->target, (span){k->out.data, k->out.len}, err));
    bytes_clear(&k->out);
    return NRW_OK;
}

/* Room for n bytes and PAD more. */
static nrw_status make_room(text_writer *w, text_task *k, size_t n, nrw_error *err)
{
    if (k->out.len + n + PAD > k->limit && k->out.len)
        TRY(flush(w, k, err));
    return bytes_reserve(&k->out, n + PAD, err);
}

static inline nrw_status put(text_writer *w, text_task *k, const uint8_t *p, size_t n,
                             nrw_error *err)
{
    if (k->out.cap - k->out.len < n + PAD) {
        if (n > STREAM_STEP && k->out.len + n + PAD > k->limit) {
            TRY(flush(w, k, err)); /* long texts pass by the buffer */
            return target_write(w->target, (span){p, n}, err);
        }
        TRY(make_room(w, k, n, err));
    }
    uint8_t *to = k->out.data + k->out.len;
    if (n <= PAD)
        memcpy(to, p, PAD);
    else
        memcpy(to, p, n);
    k->out.len += n;
    return NRW_OK;
}

static nrw_status put_quote(text_writer *w, text_task *k, nrw_error *err)
{
    TRY(make_room(w, k, 1, err));
    k->out.data[k->out.len++] = '"';
    return NRW_OK;
}

/* One step of a long value: text or bytes, escaped as the kind asks. */
static size_t escape_step(const text_writer *w, text_how how, const uint8_t *p, size_t n, char *out)
{
    char text[4 * STREAM_STEP / 8];
    if (how != HOW_BYTES)
        return w->kind == TEXT_JSON ? json_escape(p, n, out) : text_csv_double(p, n, out);
    if (w->kind == TEXT_CSV)
        return print_blob(p, n, out);
    return json_escape((uint8_t *)text, print_blob(p, n, text), out);
}

/* A long JSON text goes through the end of the scratch. *done: it was one. */
static nrw_status put_json(text_writer *w, text_task *k, span v, bool *done, nrw_error *err)
{
    size_t n;
    TRY(bytes_reserve(&k->scratch, v.len + PAD, err));
    char *text = (char *)k->scratch.data + k->scratch.len;
    *done = json_minify(v.data, v.len, text, &n);
    return *done ? put(w, k, (uint8_t *)text, n, err) : NRW_OK;
}

static nrw_status put_stream(text_writer *w, text_task *k, text_how how, span v, nrw_error *err)
{
    const size_t step = STREAM_STEP / 8;
    bool done = false;
    if (how == HOW_JSON)
        TRY(put_json(w, k, v, &done, err));
    if (done)
        return NRW_OK;
    bool quotes = w->kind == TEXT_JSON || how != HOW_BYTES || text_blob_quotes(w, v.data, v.len);
    if (quotes)
        TRY(put_quote(w, k, err));
    for (size_t at = 0; at < v.len;) {
        size_t n = size_min(v.len - at, step);
        TRY(make_room(w, k, 6 * n, err));
        k->out.len += escape_step(w, how, v.data + at, n, (char *)k->out.data + k->out.len);
        at += n;
    }
    return quotes ? put_quote(w, k, err) : NRW_OK;
}

/* ---- nested values that are printed as they are written ---- */

typedef struct nested_out {
    text_writer *w;
    text_task *k;
    bool quotes;
    bool cut; /* the text came in more than one piece */
} nested_out;

/* NRW_END: quotes are needed. */
static nrw_status look_for_quotes(void *self, bytes *text, nrw_error *err)
{
    nested_out *o = self;
    (void)err;
    if (text_csv_special(o->w, text->data, text->len))
        return NRW_END;
    o->cut = true;
    bytes_clear(text);
    return NRW_OK;
}

static nrw_status nested_quotes(nested_out *o, bytes *text, const vector *v, uint32_t row,
                                nrw_error *err)
{
    json_sink s = {text, size_max(STREAM_STEP, o->w->null.len + 1), look_for_quotes, o};
    nrw_status st = json_value(&s, v, row, err);
    o->quotes = st == NRW_END || (!o->cut ? text_csv_quotes(o->w, text->data, text->len)
                                          : text_csv_special(o->w, text->data, text->len));
    bytes_clear(text);
    return st < 0 ? st : NRW_OK;
}

static nrw_status put_piece(void *self, bytes *text, nrw_error *err)
{
    nested_out *o = self;
    if (!o->quotes) {
        TRY(put(o->w, o->k, text->data, text->len, err));
    } else {
        TRY(make_room(o->w, o->k, 2 * text->len, err));
        o->k->out.len +=
            text_csv_double(text->data, text->len, (char *)o->k->out.data + o->k->out.len);
    }
    bytes_clear(text);
    return NRW_OK;
}

static nrw_status put_nested(text_writer *w, text_task *k, const vector *v, uint32_t row,
                             nrw_error *err)
{
    nested_out o = {.w = w, .k = k};
    bytes text = bytes_init(w->m, SIZE_MAX / 2);
    json_sink s = {&text, STREAM_STEP, put_piece, &o};
    nrw_status st = NRW_OK;
    if (w->kind == TEXT_CSV)
        TRY_OUT(nested_quotes(&o, &text, v, row, err));
    if (o.quotes)
        TRY_OUT(put_quote(w, k, err));
    TRY_OUT(json_value(&s, v, row, err));
    TRY_OUT(put_piece(&o, &text, err));
    if (o.quotes)
        st = put_quote(w, k, err);
out:
    bytes_release(&text);
    return st;
}

static nrw_status put_row(text_writer *w, text_task *k, uint32_t row, nrw_error *err)
{
    for (uint32_t c = 0; c < w->n; c++) {
        const text_field *f = &w->fields[c];
        const cell *x = &k->cells[(size_t)c * k->step + row];
        const uint8_t *p =
            x->place == CELL_SCRATCH ? k->scratch.data + x->at : (const uint8_t *)(uintptr_t)x->at;
        TRY(put(w, k, f->prefix.data, f->prefix.len, err));
        if (x->place == CELL_STREAM && f->how == HOW_NESTED)
            TRY(put_nested(w, k, (const vector *)(const void *)p, x->len, err));
        else if (x->place == CELL_STREAM)
            TRY(put_stream(w, k, f->how, (span){p, x->len}, err));
        else
            TRY(put(w, k, p, x->len, err));
    }
    return put(w, k, w->suffix.data, w->suffix.len, err);
}

static nrw_status put_rows(text_writer *w, text_task *k, nrw_error *err)
{
    uint32_t rows = w->n ? 0 : batch_alive(k->b);
    nrw_status st;
    for (; rows > 0; rows--) /* without columns */
        TRY(put_row(w, k, 0, err));
    while ((st = lanes_next(k->cols, w->n, w->workers, k->step, &rows, err)) == NRW_OK) {
        bytes_clear(&k->scratch);
        for (uint32_t c = 0; c < w->n; c++)
            TRY(text_cells(w, k, c, rows, err));
        for (uint32_t r = 0; r < rows; r++)
            TRY(put_row(w, k, r, err));
        lanes_skip(k->cols, w->n, rows);
    }
    return st < 0 ? st : flush(w, k, err);
}

/* ---- the class ---- */

static nrw_status text_push(writer *base, batch *b, nrw_error *err)
{
    text_writer *w = (text_writer *)base;
    text_task *k;
    uint32_t rows = batch_alive(b);
    TRY(task_take(w, &k, err));
    k->b = b;
    nrw_status st = lanes_open(k->cols, w->n, b, err);
    if (st >= 0) {
        st = w->kind == TEXT_TABLE ? table_push(w, k, err) : put_rows(w, k, err);
        lanes_close(k->cols, w->n);
    }
    task_give(w, k);
    if (st < 0)
        return st;
    atomic_fetch_add_explicit(&w->rows, rows, memory_order_relaxed);
    if (b->last)
        turn_done(&w->turn, b->morsel);
    return NRW_OK;
}

static nrw_status text_finish(writer *base, file_summary *out, nrw_error *err)
{
    text_writer *w = (text_writer *)base;
    *out = (file_summary){0};
    if (w->kind == TEXT_TABLE)
        TRY(table_finish(w, err));
    out->rows = atomic_load(&w->rows);
    out->bytes = target_size(w->target);
    return NRW_OK;
}

static void text_stop(writer *base)
{
    turn_stop(&((text_writer *)base)->turn);
}

static void text_close(writer *base)
{
    text_writer *w = (text_writer *)base;
    mem *m = w->m;
    while (w->tasks) {
        text_task *k = w->tasks;
        w->tasks = k->next;
        task_free(w, k);
    }
    table_free(w);
    arena_free(w->arena);
    pthread_mutex_destroy(&w->lock);
    mem_free(m, w, sizeof *w);
}

static const writer_class classes[] = {
    [TEXT_CSV] = {"csv", text_push, text_finish, text_stop, text_close},
    [TEXT_JSON] = {"json", text_push, text_finish, text_stop, text_close},
    [TEXT_TABLE] = {"table", text_push, text_finish, text_stop, text_close},
};

/* ---- budget ---- */

budget text_write_held(const schema *s)
{
    lanes_memory held = lanes_held(s->n_fields);
    return (budget){.least = held.least, .wish = held.wish};
}

/* All that one worker needs but its output buffer; the scratch holds a step of the widest values
 * that are not streamed. */
static uint64_t task_bytes(const schema *s)
{
    uint64_t cells = (uint64_t)s->n_fields * step_rows(s->n_fields);
    return sizeof(text_task) + s->n_fields * sizeof(lane) + cells * sizeof(cell) +
           2 * (SCRATCH_SOFT + 8 * STREAM_MIN) + cells * 32;
}

static uint64_t shared_bytes(const schema *s, text_kind kind, const text_options *opts)
{
    uint64_t bytes = ((uint64_t)16 << 10) + (uint64_t)s->n_fields * (sizeof(text_field) + 96);
    for (uint32_t c = 0; c < s->n_fields; c++)
        bytes += strlen(s->fields[c].name) * 2;
    return bytes + (kind == TEXT_TABLE ? table_budget(s, opts) : 0);
}

nrw_status text_write_budget(const schema *s, text_kind kind, const text_options *opts,
                             uint32_t workers, budget *out, nrw_error *err)
{
    (void)err;
    uint64_t shared = shared_bytes(s, kind, opts), task = task_bytes(s);
    *out = (budget){.least = shared + workers * (task + 2 * OUT_LEAST),
                    .wish = shared + workers * (task + 2 * OUT_MOST),
                    .spill = 0};
    return NRW_OK;
}

/* Output as much as the grant leaves to each worker: then a morsel's text is written at once, and
 * nobody waits for a turn in mid-morsel. */
static size_t out_limit(const mem *m, const schema *s, text_kind kind, const text_options *opts,
                        uint32_t workers)
{
    uint64_t fixed = shared_bytes(s, kind, opts) + workers * task_bytes(s), room = mem_room(m);
    uint64_t each = room > fixed ? (room - fixed) / workers / 2 : 0; /* it doubles as it grows */
    return each < OUT_LEAST ? OUT_LEAST : each > OUT_MOST ? OUT_MOST : (size_t)each;
}

nrw_status text_writer_open(mem *grant, target *t, const schema *s, text_kind kind,
                            const text_options *opts, uint32_t workers, writer **out,
                            nrw_error *err)
{
    void *p;
    *out = NULL;
    TRY(mem_zalloc(grant, sizeof(text_writer), &p, err));
    text_writer *w = p;
    *w = (text_writer){.base = {&classes[kind]},
                       .m = grant,
                       .target = t,
                       .kind = kind,
                       .n = s->n_fields,
                       .workers = workers ? workers : 1,
                       .limit = out_limit(grant, s, kind, opts, workers ? workers : 1)};
    turn_init(&w->turn);
    pthread_mutex_init(&w->lock, NULL);
    nrw_status st = arena_new(grant, &w->arena, err);
    if (st >= 0)
        st = arena_alloc(w->arena, w->n * sizeof *w->fields + 1, &p, err);
    if (st >= 0) {
        w->fields = p;
        st = kind == TEXT_TABLE ? table_new(w, s, opts, err) : text_prepare(w, s, opts, err);
    }
    if (st < 0) {
        text_close(&w->base);
        return st;
    }
    *out = &w->base;
    return NRW_OK;
}
