#include "format/arrow/dictionary.h"

/* ---- states ---- */

static void dictionary_unref(ipc_dictionary *d)
{
    /* chains of additions may be long: no recursion along them */
    while (d && atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) == 1) {
        ipc_dictionary *base = d->base;
        mem *m = d->file->m;
        if (d->loaded)
            arrow_entries_release(&d->entries);
        else
            file_forget(d->file->f, d->at);
        ipc_dictionaries_drop(d->file, d->under, d->n_under);
        mem_free(m, d, sizeof *d);
        d = base;
    }
}

void ipc_dictionaries_drop(ipc_file *f, ipc_dictionary **at, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        dictionary_unref(at[i]);
    mem_free(f->m, at, at ? (n + 1) * sizeof *at : 0);
}

static void count_layouts(const arrow_layout *l, uint32_t *n)
{
    *n += l->dictionary;
    for (uint32_t i = 0; i < l->n_children; i++)
        count_layouts(&l->children[i], n);
}

/* One layout each id: that of its first use. */
static void add_layouts(ipc_dictionaries *d, const arrow_layout *l)
{
    bool known = !l->dictionary;

    for (uint32_t i = 0; !known && i < d->n; i++)
        known = d->layouts[i]->dictionary_id == l->dictionary_id;
    if (!known)
        d->layouts[d->n++] = l;
    for (uint32_t i = 0; i < l->n_children; i++)
        add_layouts(d, &l->children[i]);
}

nrw_status ipc_dictionaries_init(ipc_dictionaries *d, ipc_file *f, arena *a,
                                 const arrow_layout *const *wanted, uint32_t n, nrw_error *err)
{
    uint32_t most = 0;

    *d = (ipc_dictionaries){.file = f};
    for (uint32_t i = 0; i < n; i++)
        count_layouts(wanted[i], &most);
    TRY(arena_alloc(a, most * sizeof *d->layouts + 1, (void **)&d->layouts, err));
    TRY(arena_alloc(a, most * sizeof *d->now + 1, (void **)&d->now, err));
    TRY(arena_alloc(a, most * sizeof *d->places + 1, (void **)&d->places, err));
    for (uint32_t i = 0; i < n; i++)
        add_layouts(d, wanted[i]);
    for (uint32_t i = 0; i < d->n; i++) {
        arrow_layout values = *d->layouts[i];
        values.dictionary = false;
        d->places[i] = arrow_layout_place(&values, 1);
    }
    return NRW_OK;
}

nrw_status ipc_dictionaries_hold(const ipc_dictionaries *d, ipc_dictionary ***out, uint32_t *n,
                                 nrw_error *err)
{
    ipc_dictionary **at;
    void *p;

    *out = NULL;
    *n = 0;
    TRY(mem_alloc(d->file->m, (d->n + 1) * sizeof *at, &p, err));
    at = p;
    for (uint32_t i = 0; i < d->n; i++) {
        if (!d->now[i])
            continue;
        atomic_fetch_add_explicit(&d->now[i]->refs, 1, memory_order_relaxed);
        at[(*n)++] = d->now[i];
    }
    if (*n < d->n) { /* the size that will be given back */
        nrw_status st =
            mem_realloc(d->file->m, &p, (d->n + 1) * sizeof *at, (*n + 1) * sizeof *at, err);
        if (st < 0) {
            for (uint32_t i = 0; i < *n; i++)
                dictionary_unref(at[i]);
            mem_free(d->file->m, p, (d->n + 1) * sizeof *at);
            *n = 0;
            return st;
        }
    }
    *out = p;
    return NRW_OK;
}

static nrw_status new_state(ipc_dictionaries *d, uint32_t i, const ipc_message *m, bool adds,
                            nrw_error *err)
{
    ipc_dictionary *x;
    nrw_status st;
    void *p;

    TRY(mem_zalloc(d->file->m, sizeof *x, &p, err));
    x = p;
    x->file = d->file;
    atomic_init(&x->refs, 1);
    x->id = d->layouts[i]->dictionary_id;
    x->layout = d->layouts[i];
    x->at = m->at;
    x->places = d->places[i];
    st = ipc_dictionaries_hold(d, &x->under, &x->n_under, err);
    if (st < 0) {
        dictionary_unref(x);
        return st;
    }
    if (adds)
        x->base = d->now[i];
    else
        dictionary_unref(d->now[i]);
    d->now[i] = x;
    return NRW_OK;
}

nrw_status ipc_dictionaries_take(ipc_dictionaries *d, const ipc_message *m, nrw_error *err)
{
    uint8_t adds;
    int64_t id;

    if (!flat_i64(&m->header, 0, 0, &id) || !flat_u8(&m->header, 2, 0, &adds)) {
        err_at_offset(err, (int64_t)m->at);
        return err_set(err, NRW_E_CORRUPT, "the header of a dictionary is damaged");
    }
    for (uint32_t i = 0; i < d->n; i++)
        if (d->layouts[i]->dictionary_id == id)
            return new_state(d, i, m, adds && d->now[i], err);
    file_forget(d->file->f, m->at); /* of a column that is not wanted */
    return NRW_OK;
}

void ipc_dictionaries_release(ipc_dictionaries *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        dictionary_unref(d->now[i]);
    d->n = 0;
}

/* ---- entries ---- */

static nrw_status read_values(ipc_dictionary *d, ipc_record *r, vector *out, nrw_error *err)
{
    arrow_layout values = *d->layout;
    ipc_arrays arrays;

    values.dictionary = false;
    if (r->rows > UINT32_MAX - 1)
        return err_set(err, NRW_E_UNSUPPORTED, "a dictionary of %lld entries", (long long)r->rows);
    r->dictionaries = d->under;
    r->n_dictionaries = d->n_under;
    arrays = ipc_arrays_of(r, 0, &values);
    nrw_status st = arrow_read(&arrays.base, &values, 0, (uint32_t)r->rows, d->file->m, out, err);
    r->dictionaries = NULL;
    r->n_dictionaries = 0;
    return st;
}

/* What the message of d itself brings. */
static nrw_status read_message(ipc_dictionary *d, vector *out, nrw_error *err)
{
    bytes meta = bytes_init(d->file->m, INT32_MAX);
    ipc_record *r = NULL;
    ipc_message m;
    flat_table batch;
    nrw_status st;
    bool has;

    *out = (vector){0};
    st = ipc_message_read(d->file->f, d->at, &meta, &m, err);
    if (st == NRW_OK &&
        (m.kind != ARROW_HEADER_DICTIONARY || !flat_child(&m.header, 1, &has, &batch) || !has))
        st = err_set(err, NRW_E_CORRUPT, "a dictionary without values");
    if (st == NRW_OK)
        st = ipc_record_open(d->file, &m, &batch, &meta, &d->places, 1, &r, err);
    if (st == NRW_OK)
        st = read_values(d, r, out, err);
    ipc_record_unref(r);
    bytes_release(&meta);
    if (st < 0)
        err_at_offset(err, (int64_t)d->at);
    return st;
}

/* States from d down to one that is loaded, which is not among them, or to the last. */
static nrw_status list_chain(ipc_dictionary *d, ipc_dictionary ***out, uint32_t *n, nrw_error *err)
{
    void *p;

    *n = 0;
    for (ipc_dictionary *x = d; x && !x->loaded; x = x->base)
        ++*n;
    TRY(mem_alloc(d->file->m, *n * sizeof **out, &p, err));
    *out = p;
    for (uint32_t i = 0; i < *n; i++, d = d->base)
        (*out)[i] = d;
    return NRW_OK;
}

/* What the chain brings, the lowest first, behind what it adds to. */
static nrw_status join_chain(ipc_dictionary **chain, uint32_t n, mem *m, vector *out,
                             nrw_error *err)
{
    const ipc_dictionary *base = chain[n - 1]->base;
    const uint32_t before = base != NULL;
    nrw_status st = NRW_OK;
    uint32_t i = 0;
    vector *parts;
    void *p;

    if (n == 1 && !base)
        return read_message(chain[0], out, err);
    TRY(mem_zalloc(m, (n + before) * sizeof *parts, &p, err));
    parts = p;
    if (base)
        parts[0] = base->entries.values; /* not a reference of its own */
    for (; st >= 0 && i < n; i++)
        st = read_message(chain[n - 1 - i], &parts[before + i], err);
    if (st >= 0)
        st = vector_concat(parts, n + before, m, out, err);
    for (i = 0; i < n; i++)
        vector_release(&parts[before + i]);
    mem_free(m, p, (n + before) * sizeof *parts);
    return st;
}

static nrw_status load(ipc_dictionary *d, nrw_error *err)
{
    mem *m = d->file->m;
    ipc_dictionary **chain;
    nrw_status st;
    vector values;
    uint32_t n;

    TRY(list_chain(d, &chain, &n, err));
    st = join_chain(chain, n, m, &values, err);
    mem_free(m, chain, n * sizeof *chain);
    if (st < 0)
        return st;
    TRY(arrow_entries_new(m, &values, &d->entries, err));
    d->loaded = true;
    file_forget(d->file->f, d->at);
    dictionary_unref(d->base);
    d->base = NULL;
    return NRW_OK;
}

nrw_status ipc_dictionary_entries(ipc_dictionary *d, const arrow_entries **out, nrw_error *err)
{
    nrw_status st = NRW_OK;

    *out = &d->entries;
    pthread_mutex_lock(&d->file->loading);
    if (!d->loaded)
        st = load(d, err);
    pthread_mutex_unlock(&d->file->loading);
    return st;
}
