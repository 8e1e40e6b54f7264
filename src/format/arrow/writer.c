/* The Arrow writer. Who carries a batch reads its columns side by side, waits for its morsel's
 * turn, and appends the rows to the record batch that is open; a full one it takes along, gives the
 * turn up, makes messages of it (which compresses) and writes them when those before are written.
 * So rows are appended by one thread at a time, and compressed by all. */
#include "column/arrow_schema.h"
#include "format/arrow/write.h"

/* Rows whose sizes are added up at a time. */
enum { STEP = 1024 };

typedef struct ipc_task {
    lane *lanes;
    codec_ctx ctx;
    ipc_pack *full; /* taken along, not yet written */
    struct ipc_task *next;
} ipc_task;

/* ---- what threads share ---- */

static void task_free(ipc_writer *w, ipc_task *t)
{
    codec_ctx_release(&t->ctx);
    mem_free(w->m, t->lanes, (w->n + 1) * sizeof *t->lanes);
    ipc_pack_free(w, t->full);
    mem_free(w->m, t, sizeof *t);
}

static nrw_status task_take(ipc_writer *w, ipc_task **out, nrw_error *err)
{
    nrw_status st;
    void *p;

    pthread_mutex_lock(&w->lock);
    *out = w->tasks;
    if (*out)
        w->tasks = (*out)->next;
    pthread_mutex_unlock(&w->lock);
    if (*out)
        return NRW_OK;
    TRY(mem_zalloc(w->m, sizeof **out, &p, err));
    *out = p;
    st = mem_zalloc(w->m, (w->n + 1) * sizeof(lane), &p, err);
    if (st < 0) {
        mem_free(w->m, *out, sizeof **out);
        return st;
    }
    (*out)->lanes = p;
    (*out)->ctx = codec_ctx_init(w->o.codec, w->m);
    return NRW_OK;
}

static void task_give(ipc_writer *w, ipc_task *t)
{
    pthread_mutex_lock(&w->lock);
    t->next = w->tasks;
    w->tasks = t;
    pthread_mutex_unlock(&w->lock);
}

static nrw_status pack_take(ipc_writer *w, ipc_pack **out, nrw_error *err)
{
    nrw_status st;

    pthread_mutex_lock(&w->lock);
    *out = w->free;
    if (*out)
        w->free = (*out)->next;
    pthread_mutex_unlock(&w->lock);
    if (!*out)
        return ipc_pack_new(w, out, err);
    st = ipc_pack_clear(w, *out, err);
    if (st < 0) {
        ipc_pack_free(w, *out);
        *out = NULL;
    }
    return st;
}

static void pack_give(ipc_writer *w, ipc_pack *p)
{
    pthread_mutex_lock(&w->lock);
    p->next = w->free;
    w->free = p;
    pthread_mutex_unlock(&w->lock);
}

/* ---- packs that leave ---- */

static nrw_status write_messages(ipc_writer *w, ipc_pack *p, nrw_error *err)
{
    uint64_t at;

    TRY(target_write(w->target, (span){p->out.data, p->out.len}, err));
    at = target_size(w->target);
    TRY(target_write(w->target, (span){p->meta.data, p->meta.len}, err));
    TRY(target_write(w->target, (span){p->body.data, p->body.len}, err));
    return ipc_block_add(w, (ipc_block){at, p->meta.len, p->body.len}, err);
}

static nrw_status emit(ipc_writer *w, ipc_pack *p, nrw_error *err)
{
    TRY(turn_wait(&w->emit, p->number));
    TRY(w->taker ? w->taker->take(w->taker, &p->array, err) : write_messages(w, p, err));
    w->rows += (int64_t)p->rows;
    w->encoded += p->bytes;
    turn_done(&w->emit, p->number);
    return NRW_OK;
}

static nrw_status leave(ipc_writer *w, ipc_task *t, nrw_error *err)
{
    ipc_pack *p = t->full;

    if (!p)
        return NRW_OK;
    TRY(w->taker ? ipc_arrays_encode(w, p, err)
                 : ipc_pack_encode(w, p, w->o.codec ? &t->ctx : NULL, err));
    TRY(emit(w, p, err));
    t->full = NULL;
    pack_give(w, p);
    return NRW_OK;
}

/* Under the turn: the open record batch becomes the task's. */
static nrw_status take_along(ipc_writer *w, ipc_task *t, nrw_error *err)
{
    TRY(leave(w, t, err));
    w->open->number = w->packs++;
    t->full = w->open;
    w->open = NULL;
    return ipc_pack_close(w, t->full, err);
}

/* ---- rows ---- */

/* How many of the next n rows still go into the open record batch; *full: that ends it. */
static nrw_status fit(ipc_writer *w, const ipc_task *t, uint32_t done, uint32_t n, uint32_t *out,
                      bool *full, nrw_error *err)
{
    ipc_pack *p = w->open;
    uint64_t sizes[STEP] = {0}, left = w->o.batch_rows - p->rows;

    n = n < left ? n : (uint32_t)left;
    for (uint32_t c = 0; c < w->n; c++)
        TRY(arrow_build_sizes(&p->columns[c], &t->lanes[c].v, t->lanes[c].at + done, n, sizes,
                              err));
    *out = 0;
    while (*out < n && p->bytes < w->batch_bytes)
        p->bytes += sizes[(*out)++];
    *full = *out == left || p->bytes >= w->batch_bytes;
    return NRW_OK;
}

static nrw_status append(ipc_writer *w, ipc_task *t, uint32_t rows, nrw_error *err)
{
    for (uint32_t done = 0, n; done < rows; done += n) {
        bool full;
        if (!w->open)
            TRY(pack_take(w, &w->open, err));
        TRY(fit(w, t, done, rows - done, &n, &full, err));
        for (uint32_t c = 0; c < w->n; c++)
            TRY(arrow_build(&w->open->columns[c], &t->lanes[c].v, t->lanes[c].at + done, n, err));
        w->open->rows += n;
        if (full)
            TRY(take_along(w, t, err));
    }
    return NRW_OK;
}

static nrw_status push_rows(ipc_writer *w, ipc_task *t, batch *b, nrw_error *err)
{
    uint32_t rows;
    nrw_status st;

    while ((st = lanes_next(t->lanes, w->n, w->workers, STEP, &rows, err)) == NRW_OK) {
        TRY(turn_wait(&w->append, b->morsel));
        TRY(append(w, t, rows, err));
        lanes_skip(t->lanes, w->n, rows);
    }
    TRY(st);
    TRY(turn_wait(&w->append, b->morsel));
    for (uint32_t left = w->n ? 0 : batch_alive(b); left; left -= rows) {
        rows = left < STEP ? left : STEP;
        TRY(append(w, t, rows, err));
    }
    return NRW_OK;
}

static nrw_status writer_push(writer *base, batch *b, nrw_error *err)
{
    ipc_writer *w = (ipc_writer *)base;
    ipc_task *t;
    nrw_status st;

    TRY(task_take(w, &t, err));
    st = lanes_open(t->lanes, w->n, b, err);
    if (st >= 0)
        st = push_rows(w, t, b, err);
    lanes_close(t->lanes, w->n);
    if (st >= 0 && b->last)
        turn_done(&w->append, b->morsel);
    if (st >= 0)
        st = leave(w, t, err);
    task_give(w, t);
    return st;
}

/* ---- the class ---- */

static nrw_status writer_finish(writer *base, file_summary *out, nrw_error *err)
{
    ipc_writer *w = (ipc_writer *)base;
    nrw_status st = NRW_OK;
    ipc_task *t;

    *out = (file_summary){0};
    TRY(task_take(w, &t, err));
    if (w->open && w->open->rows)
        st = take_along(w, t, err);
    if (st >= 0)
        st = leave(w, t, err);
    task_give(w, t);
    if (st >= 0 && !w->taker)
        st = ipc_write_end(w, err);
    TRY(st);
    out->rows = w->rows;
    out->row_groups = (int64_t)w->batches;
    out->bytes = w->taker ? 0 : target_size(w->target);
    out->encoded = w->encoded;
    return NRW_OK;
}

static void writer_stop(writer *base)
{
    ipc_writer *w = (ipc_writer *)base;

    turn_stop(&w->append);
    turn_stop(&w->emit);
    if (w->taker)
        w->taker->stop(w->taker);
}

static void writer_close(writer *base)
{
    ipc_writer *w = (ipc_writer *)base;
    mem *m = w->m;

    while (w->tasks) {
        ipc_task *t = w->tasks;
        w->tasks = t->next;
        task_free(w, t);
    }
    while (w->free) {
        ipc_pack *p = w->free;
        w->free = p->next;
        ipc_pack_free(w, p);
    }
    ipc_pack_free(w, w->open);
    for (uint32_t i = 0; w->entries && i < w->n_dictionaries; i++)
        ipc_entries_release(&w->entries[i]);
    ipc_blocks_release(w);
    ipc_arrays_end(w);
    arena_free(w->a);
    pthread_mutex_destroy(&w->lock);
    mem_free(m, w, sizeof *w);
}

static const writer_class arrow_writer_class = {.name = "arrow",
                                                .push = writer_push,
                                                .finish = writer_finish,
                                                .stop = writer_stop,
                                                .close = writer_close};

/* ---- memory ---- */

const codec *arrow_codec(const char *name)
{
    if (strcmp(name, "lz4") == 0 || strcmp(name, "lz4_frame") == 0)
        return codec_named("lz4_frame");
    return strcmp(name, "zstd") == 0 || strcmp(name, "zstandard") == 0 ? codec_named("zstd") : NULL;
}

static uint32_t count_dictionaries(const field *f)
{
    uint32_t n = f->note && f->note->dictionary;

    for (uint32_t i = 0; i < f->type.n_children; i++)
        n += count_dictionaries(&f->type.children[i]);
    return n;
}

/* Entries, their hash table and indices of an input's dictionary. */
static uint64_t entries_cost(const schema *s, const arrow_write_options *o)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < s->n_fields && !o->no_dictionary; i++)
        n += count_dictionaries(&s->fields[i]);
    return n * ((uint64_t)6 << 20);
}

nrw_status arrow_write_budget(const schema *s, const arrow_write_options *o, uint32_t workers,
                              budget *out, nrw_error *err)
{
    const uint64_t batch = ipc_batch_bytes(s), pack = ipc_pack_cost(s, o);
    const uint64_t each =
        (o->codec ? o->codec->encode_mem(o->level, (size_t)batch) : 0) + s->n_fields * sizeof(lane);

    (void)err;
    *out = (budget){0};
    out->least = (workers + 1) * pack + workers * (each + 64) + ((uint64_t)128 << 10) +
                 s->n_fields * 512 + entries_cost(s, o) / 4;
    out->wish = out->least + 2 * entries_cost(s, o) + workers * batch;
    out->spill = UINT64_MAX;
    return NRW_OK;
}

budget arrow_write_held(const schema *s)
{
    lanes_memory l = lanes_held(s->n_fields);

    return (budget){.least = l.least, .wish = l.wish};
}

/* ---- opening ---- */

static nrw_status drop_dictionary(arena *a, field *f, nrw_error *err)
{
    field *children;

    if (f->note && f->note->dictionary) {
        field_note *note;
        TRY(arena_alloc(a, sizeof *note, (void **)&note, err));
        *note = *f->note;
        note->dictionary = false;
        f->note = note;
    }
    if (!f->type.n_children)
        return NRW_OK;
    TRY(arena_alloc(a, f->type.n_children * sizeof *children, (void **)&children, err));
    memcpy(children, f->type.children, f->type.n_children * sizeof *children);
    f->type.children = children;
    for (uint32_t i = 0; i < f->type.n_children; i++)
        TRY(drop_dictionary(a, &children[i], err));
    return NRW_OK;
}

/* What the file says, and how it lies, which its own schema message tells. */
static nrw_status make_layouts(ipc_writer *w, nrw_error *err)
{
    bytes message = bytes_init(w->m, INT32_MAX);
    flat_vector fields;
    schema said;
    nrw_status st;

    TRY(schema_new(w->a, w->n, &w->written, err));
    for (uint32_t i = 0; i < w->n; i++) {
        w->written.fields[i] = w->s->fields[i];
        if (w->o.no_dictionary)
            TRY(drop_dictionary(w->a, &w->written.fields[i], err));
    }
    st = arrow_schema_write(&w->written, NULL, 0, ARROW_ALONE, &message, err);
    if (st >= 0)
        st = arrow_schema_fields((span){message.data, message.len}, &fields, err);
    if (st >= 0)
        st = arrow_fields_read(&fields, w->a, &said, err);
    if (st >= 0)
        st = arrow_layout_read(&fields, &said, w->a, &w->layouts, err);
    bytes_release(&message);
    if (st >= 0)
        w->places = arrow_layout_place(w->layouts, w->n);
    return st;
}

/* In the order of their numbers, which is that of the fields. */
static void list_dictionaries(ipc_writer *w, const arrow_layout *l, const field *f, bool count)
{
    if (l->dictionary && !count) {
        arrow_layout *values = (arrow_layout *)w->dictionaries[l->dictionary_id];
        *values = *l;
        values->dictionary = false;
        w->dictionary_fields[l->dictionary_id] = f;
    }
    w->n_dictionaries += l->dictionary && count;
    for (uint32_t i = 0; i < l->n_children; i++) {
        bool map = f->type.id == TYPE_MAP;
        list_dictionaries(w, &l->children[i], map ? l->children[i].f : &f->type.children[i], count);
    }
}

static nrw_status make_dictionaries(ipc_writer *w, nrw_error *err)
{
    arrow_layout *values;

    for (uint32_t i = 0; i < w->n; i++)
        list_dictionaries(w, &w->layouts[i], &w->s->fields[i], true);
    const uint32_t n = w->n_dictionaries;
    TRY(arena_alloc(w->a, n * sizeof *w->entries + 1, (void **)&w->entries, err));
    TRY(arena_alloc(w->a, n * sizeof *values + 1, (void **)&values, err));
    TRY(arena_alloc(w->a, n * sizeof *w->dictionaries + 1, (void **)&w->dictionaries, err));
    TRY(arena_alloc(w->a, n * sizeof *w->dictionary_fields + 1, (void **)&w->dictionary_fields,
                    err));
    for (uint32_t i = 0; i < n; i++)
        w->dictionaries[i] = &values[i];
    for (uint32_t i = 0; i < w->n; i++)
        list_dictionaries(w, &w->layouts[i], &w->s->fields[i], false);
    for (uint32_t i = 0; i < n; i++)
        ipc_entries_init(&w->entries[i], w->m, &w->dictionary_fields[i]->type);
    return NRW_OK;
}

/* `how`: where to, and what of. */
static nrw_status open_writer(mem *grant, const ipc_writer *how, writer **out, nrw_error *err)
{
    ipc_writer *w;
    nrw_status st;
    void *p;

    *out = NULL;
    TRY(mem_zalloc(grant, sizeof *w, &p, err));
    w = p;
    *w = *how;
    w->base.class = &arrow_writer_class;
    w->m = grant;
    w->n = how->s->n_fields;
    w->workers = how->workers ? how->workers : 1;
    w->batch_bytes = ipc_batch_bytes(how->s);
    turn_init(&w->append);
    turn_init(&w->emit);
    pthread_mutex_init(&w->lock, NULL);
    st = arena_new(grant, &w->a, err);
    if (st >= 0)
        st = make_layouts(w, err);
    if (st >= 0)
        st = make_dictionaries(w, err);
    if (st >= 0)
        st = ipc_write_head(w, err);
    if (st < 0)
        writer_close(&w->base);
    else
        *out = &w->base;
    return st;
}

nrw_status arrow_writer_open(mem *grant, spill *sp, target *t, const schema *s,
                             const arrow_write_options *o, bool stream, uint32_t workers,
                             writer **out, nrw_error *err)
{
    const ipc_writer how = {.spill = sp,
                            .target = t,
                            .s = s,
                            .workers = workers,
                            .o = *o,
                            .stream = stream || target_is_stream(t)};

    return open_writer(grant, &how, out, err);
}

nrw_status arrow_taker_open(mem *grant, arrow_taker *t, const schema *s,
                            const arrow_write_options *o, uint32_t workers, writer **out,
                            nrw_error *err)
{
    const ipc_writer how = {.taker = t, .s = s, .workers = workers, .o = *o};

    return open_writer(grant, &how, out, err);
}
