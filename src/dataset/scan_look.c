/* What all inputs are, before any of them is read. Threads open inputs as they come; what they saw
 * is put together in the inputs' order, under a turn, so that schema and errors are those of one
 * thread. Nothing of an input is kept but its number of rows: memory follows their number only by
 * that and their names. */
#include "dataset/scan_own.h"

#include "base/turn.h"
#include "dataset/mapped.h"

#include <stdatomic.h>

#define THREADS_MOST 8
/* Metadata of the inputs that are open at the same time take about so much at most. */
#define OPEN_MOST ((uint64_t)4 << 20)

static nrw_status take_said(scan *s, size_t i, const scan_said *is, nrw_error *err)
{
    TRY(unify_add(&s->unify, is->schema, err));
    s->rows_of[i] = is->rows;
    s->bytes += is->bytes;
    s->largest = is->bytes > s->largest ? is->bytes : s->largest;
    return NRW_OK;
}

static nrw_status take(scan *s, size_t i, reader *r, nrw_error *err)
{
    bool sized = r->file && !file_is_live(r->file);
    const scan_said is = {r->class->rows(r), sized ? r->file->size : 0, r->class->schema(r)};

    return take_said(s, i, &is, err);
}

/* What was said of an input before it was opened. */
static nrw_status check_said(const scan_input *in, const reader *r, nrw_error *err)
{
    int64_t rows = r->class->rows(r);

    if (!in->said || rows == in->said->rows)
        return NRW_OK;
    err_at_object(err, in->name);
    err_next(err, "name the folder or its files instead");
    return err_set(err, NRW_E_CHANGED, "it has %lld rows, _metadata says %lld", (long long)rows,
                   (long long)in->said->rows);
}

static nrw_status open_said(const scan_input *in, mem *m, reader **out, nrw_error *err)
{
    nrw_status st;

    TRY(in->open(in->self, m, out, err));
    st = check_said(in, *out, err);
    if (st == NRW_OK)
        return NRW_OK;
    (*out)->class->close(*out);
    *out = NULL;
    return st;
}

/* ---- by several threads ---- */

typedef struct looking {
    scan *s;
    turn turn; /* the input that is taken in next */
    _Atomic size_t next;
    nrw_status st; /* of the first input that failed; under the turn */
    nrw_error err;
} looking;

static nrw_status look_at(looking *l, size_t i, nrw_error *err)
{
    const scan_input *in = &l->s->inputs[i];
    reader *r = NULL;
    nrw_status st = in->said ? NRW_OK : in->open(in->self, l->s->m, &r, err);

    if (turn_wait(&l->turn, i) < 0) { /* an input before this one has failed */
        if (r)
            r->class->close(r);
        return NRW_E_CANCELLED;
    }
    if (st >= 0)
        st = r ? take(l->s, i, r, err) : take_said(l->s, i, in->said, err);
    if (st >= 0)
        turn_done(&l->turn, i);
    if (r)
        r->class->close(r);
    return st;
}

static void *look_on(void *self)
{
    looking *l = self;
    nrw_error err = NRW_ERROR_INIT;
    nrw_status st = NRW_OK;
    size_t i;

    while (st >= 0 && (i = atomic_fetch_add(&l->next, 1)) < l->s->n)
        st = look_at(l, i, &err);
    if (st >= 0 || st == NRW_E_CANCELLED)
        return NULL;
    l->st = st; /* its turn is never given on, so it is the only one */
    l->err = err;
    turn_stop(&l->turn);
    return NULL;
}

static nrw_status look_at_rest(scan *s, uint32_t threads, nrw_error *err)
{
    looking l = {.s = s, .next = 1, .st = NRW_OK};
    pthread_t started[THREADS_MOST];
    uint32_t n = 0;

    turn_init_at(&l.turn, 1);
    while (n + 1 < threads && pthread_create(&started[n], NULL, look_on, &l) == 0)
        n++;
    look_on(&l);
    while (n > 0)
        pthread_join(started[--n], NULL);
    if (l.st < 0 && err)
        *err = l.err;
    return l.st;
}

/* As many as are worth it, and whose metadata, if they are like the first one's, find room. */
static uint32_t threads_for(const scan *s, uint64_t one)
{
    uint64_t n = s->opts.threads < THREADS_MOST ? s->opts.threads : THREADS_MOST;

    while (n > 1 && (n * one > OPEN_MOST || n * 8 > s->n))
        n--;
    return n ? (uint32_t)n : 1;
}

/* ---- through a map ---- */

nrw_status scan_changed(const scan *s, size_t file, nrw_error *err)
{
    err_at_object(err, s->inputs[file].name);
    return err_set(err, NRW_E_CHANGED, "the file changed while it was read");
}

static nrw_status added_values(const scan *s, size_t i, arena *a, const expr ***out, uint32_t *n,
                               nrw_error *err)
{
    *n = s->opts.listing ? s->opts.listing->columns.n_fields : 0;
    TRY(arena_alloc(a, *n * sizeof **out + 1, (void **)out, err));
    for (uint32_t c = 0; c < *n; c++)
        TRY(listing_value(s->opts.listing, s->inputs[i].name, c, a, &(*out)[c], err));
    return NRW_OK;
}

/* Takes r; *out is r itself where its columns are those of all. */
static nrw_status map_with(scan *s, size_t i, mem *m, arena *a, reader *r, reader **out,
                           nrw_error *err)
{
    mapped_spec spec = {.all = &s->schema};
    const uint32_t n = s->schema.n_fields + s->schema.n_parts;
    const expr **added = NULL;
    map_entry *map = NULL;
    bool same = false, fits = true;
    nrw_status st;

    *out = r;
    st = arena_alloc(a, n * sizeof *map + 1, (void **)&map, err);
    pthread_mutex_lock(&s->lock); /* it takes notes in the union */
    if (st >= 0)
        st = unify_map(&s->unify, a, &s->schema, r->class->schema(r), map, &same, &fits, err);
    pthread_mutex_unlock(&s->lock);
    if (st >= 0 && !fits)
        st = scan_changed(s, i, err);
    if (st >= 0 && same)
        return NRW_OK;
    if (st >= 0)
        st = added_values(s, i, a, &added, &spec.n_added, err);
    spec.map = map;
    spec.added = added;
    if (st >= 0)
        return mapped_open(m, r, &spec, out, err);
    r->class->close(r);
    return st;
}

static nrw_status map_reader(scan *s, size_t i, mem *m, reader *r, reader **out, nrw_error *err)
{
    arena *a;
    nrw_status st = arena_new(m, &a, err);

    *out = NULL;
    if (st < 0) {
        r->class->close(r);
        return st;
    }
    st = map_with(s, i, m, a, r, out, err);
    if (st < 0)
        *out = NULL;
    arena_free(a);
    return st;
}

nrw_status scan_open_mapped(scan *s, size_t i, mem *m, reader **out, nrw_error *err)
{
    reader *r;

    *out = NULL;
    TRY(open_said(&s->inputs[i], m, &r, err));
    return map_reader(s, i, m, r, out, err);
}

/* ---- all ---- */

static const char *name_of(const void *self, size_t file)
{
    return ((const scan *)self)->inputs[file].name;
}

/* A column for the path is no file's own: nobody could tell them apart. */
static nrw_status check_added(const scan *s, nrw_error *err)
{
    if (!s->opts.listing || !s->opts.listing->filename)
        return NRW_OK;
    for (uint32_t i = 0; i < s->unify.n; i++) {
        if (s->unify.columns[i].added != 0)
            continue;
        err_at_object(err, s->inputs[s->unify.columns[i].first].name);
        err_next(err, "give the path's column another name: --read filename=NAME");
        return err_set(err, NRW_E_SCHEMA, "the file has a column %s already",
                       s->unify.columns[i].field.name);
    }
    return NRW_OK;
}

/* Files of at most so many bytes are small: to open them is a good part of reading them. */
#define SMALL ((uint64_t)256 << 10)
/* With fewer there is nothing to share. */
#define FEW 8

bool scan_files_small(const scan *s)
{
    return s->n >= FEW && s->largest <= SMALL;
}

/* A morsel is a file only where its rows are known before it is read. */
static nrw_status decide(scan *s, nrw_error *err)
{
    bool known = true;
    size_t i = 0;

    while (i < s->n && (known = s->rows_of[i] >= 0 && s->rows_of[i] <= UINT32_MAX))
        i++;
    s->by_file =
        known &&
        (s->opts.process_by == PROCESS_FILE ||
         (s->opts.process_by == PROCESS_AUTO && s->opts.threads > 1 && scan_files_small(s)));
    if (known || s->opts.process_by != PROCESS_FILE)
        return NRW_OK;
    err_at_object(err, s->inputs[i].name);
    return err_set(err, NRW_E_ARG,
                   "--process-by file: how many rows it has is not known before it "
                   "is read");
}

nrw_status scan_look(scan *s, nrw_error *err)
{
    const uint64_t before = mem_used(s->m);
    reader *first;

    s->unify = (unify){.a = s->a,
                       .change = s->opts.on_change,
                       .added = s->opts.listing ? &s->opts.listing->columns : NULL,
                       .name = name_of,
                       .self = s};
    TRY(open_said(&s->inputs[0], s->m, &first, err));
    s->first = first;
    TRY(take(s, 0, first, err));
    TRY(look_at_rest(s, threads_for(s, mem_used(s->m) - before), err));
    TRY(check_added(s, err));
    TRY(decide(s, err));
    TRY(unify_end(&s->unify, &s->schema, err));
    s->first = NULL;
    return map_reader(s, 0, s->m, first, &s->first, err);
}
