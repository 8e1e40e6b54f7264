#include "column/vector_part.h"

/* ---- heaps: an array of buffers behind a reference count ---- */

typedef struct heap_array {
    _Atomic uint32_t refs;
    uint32_t cap;
    mem *m;
    buffer *at[];
} heap_array;

static heap_array *array_of(const heaps *h)
{
    return (heap_array *)((uint8_t *)h->at - offsetof(heap_array, at));
}

static size_t array_bytes(uint32_t cap)
{
    return sizeof(heap_array) + (size_t)cap * sizeof(buffer *);
}

static heaps heaps_share(const heaps *h)
{
    if (h->at)
        atomic_fetch_add_explicit(&array_of(h)->refs, 1, memory_order_relaxed);
    return *h;
}

/* Who shares an array never grows it, so all sharers agree on n. */
static void heaps_release(heaps *h)
{
    if (h->at) {
        heap_array *a = array_of(h);
        if (atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) == 1) {
            for (uint32_t i = 0; i < h->n; i++)
                buffer_unref(a->at[i]);
            mem_free(a->m, a, array_bytes(a->cap));
        }
    }
    *h = (heaps){0};
}

static nrw_status heaps_grow(mem *m, heaps *h, nrw_error *err)
{
    uint32_t cap = h->n < 4 ? 4 : h->n * 2;
    void *p;
    if (h->n > INT32_MAX / 2)
        return err_set(err, NRW_E_UNSUPPORTED, "a vector over more than %u heaps", h->n);
    TRY(mem_alloc(m, array_bytes(cap), &p, err));
    heap_array *a = p;
    atomic_init(&a->refs, 1);
    a->cap = cap;
    a->m = m;
    for (uint32_t i = 0; i < h->n; i++)
        a->at[i] = buffer_ref(h->at[i]);
    uint32_t n = h->n;
    heaps_release(h);
    *h = (heaps){.n = n, .cap = cap, .at = a->at};
    return NRW_OK;
}

nrw_status heaps_in_arena(arena *a, buffer *b, heaps *out, nrw_error *err)
{
    void *p;
    TRY(arena_alloc(a, array_bytes(1), &p, err));
    heap_array *array = p;
    atomic_init(&array->refs, 1);
    array->cap = 1;
    array->m = arena_mem(a);
    array->at[0] = b;
    *out = (heaps){.n = 1, .cap = 1, .at = array->at};
    return NRW_OK;
}

nrw_status vector_add_heap(vector *v, buffer *b, int32_t *index, nrw_error *err)
{
    heaps *h = &v->heaps;
    *index = 0;
    if (!h->at || h->n == h->cap ||
        atomic_load_explicit(&array_of(h)->refs, memory_order_acquire) != 1)
        TRY(heaps_grow(v->m, h, err));
    h->at[h->n] = buffer_ref(b);
    *index = (int32_t)h->n++;
    return NRW_OK;
}

/* ---- dictionaries ---- */

nrw_status dict_new(mem *m, vector *values, dict **out, nrw_error *err)
{
    static _Atomic uint64_t next_id = 1;
    void *p;
    *out = NULL;
    nrw_status st = mem_alloc(m, sizeof(dict), &p, err);
    if (st < 0) {
        vector_release(values);
        return st;
    }
    dict *d = p;
    atomic_init(&d->refs, 1);
    d->id = atomic_fetch_add_explicit(&next_id, 1, memory_order_relaxed);
    d->values = *values;
    d->values.m = m; /* the small parts of flat values know their own account */
    d->distinct = false;
    *values = (vector){0};
    *out = d;
    return NRW_OK;
}

dict *dict_ref(dict *d)
{
    atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
    return d;
}

void dict_unref(dict *d)
{
    if (!d || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) != 1)
        return;
    mem *m = d->values.m;
    vector_release(&d->values);
    mem_free(m, d, sizeof *d);
}

/* ---- making ---- */

static nrw_status new_data(vector *v, size_t rows, size_t width, nrw_error *err)
{
    size_t bytes;
    if (!size_mul(rows, width, &bytes))
        return err_set(err, NRW_E_MEMLIMIT, "%zu values of %zu bytes are too many", rows, width);
    TRY(buffer_new(v->m, bytes, &v->data_buf, err));
    v->data = v->data_buf->data;
    return NRW_OK;
}

static nrw_status new_children(vector *v, nrw_error *err)
{
    void *p;
    if (v->type.n_children == 0)
        return NRW_OK;
    TRY(mem_zalloc(v->m, v->type.n_children * sizeof(vector), &p, err));
    v->children = p;
    v->n_children = v->type.n_children;
    return NRW_OK;
}

static nrw_status nested_flat(vector *v, uint32_t rows, vector *out, nrw_error *err)
{
    bool list = v->type.width > 0;
    TRY(new_data(v, list ? (size_t)rows + 1 : ((size_t)rows + 7) / 8, list ? 4 : 1, err));
    if (list)
        store_u32(v->data, 0);
    nrw_status st = new_children(v, err);
    if (st < 0)
        buffer_unref(v->data_buf);
    else
        *out = *v;
    return st;
}

nrw_status vector_flat(mem *m, const type *t, uint32_t rows, vector *out, nrw_error *err)
{
    vector v = {.type = *t, .form = VECTOR_FLAT, .m = m};
    *out = (vector){0};
    if (type_is_nested(t))
        return nested_flat(&v, rows, out, err);
    if (t->width)
        TRY(new_data(&v, rows, t->width, err));
    else /* of nulls nothing is kept, but the room must be known */
        TRY(new_data(&v, ((size_t)rows + 7) / 8, 1, err));
    *out = v;
    return NRW_OK;
}

/* Values there is room for behind v->data. */
static size_t room(const vector *v)
{
    if (!v->data_buf)
        return v->len;
    size_t bytes = v->data_buf->cap - (size_t)(v->data - v->data_buf->data);
    if (v->form != VECTOR_FLAT)
        return bytes / sizeof(uint32_t);
    return v->type.width ? bytes / v->type.width : bytes * 8;
}

nrw_status vector_add_validity(vector *v, nrw_error *err)
{
    if (v->validity)
        return NRW_OK;
    size_t bytes = (size_max(room(v), v->len) + 7) / 8;
    TRY(buffer_new(v->m, bytes, &v->validity_buf, err));
    v->validity = v->validity_buf->data;
    memset(v->validity, 0xff, bytes);
    return NRW_OK;
}

nrw_status vector_dict(mem *m, const type *t, dict *d, uint32_t rows, vector *out, nrw_error *err)
{
    vector v = {.type = *t, .form = VECTOR_DICT, .m = m};
    *out = (vector){0};
    TRY(new_data(&v, rows, sizeof(uint32_t), err));
    v.dict = dict_ref(d);
    *out = v;
    return NRW_OK;
}

nrw_status vector_runs(mem *m, vector *values, uint32_t rows, vector *out, nrw_error *err)
{
    vector v = {.type = values->type, .form = VECTOR_RUNS, .len = rows, .m = m};
    void *p = NULL;
    *out = (vector){0};
    v.n_runs = values->len;
    nrw_status st = new_data(&v, values->len, sizeof(uint32_t), err);
    if (st == NRW_OK)
        st = mem_alloc(m, sizeof(vector), &p, err);
    if (st < 0) {
        buffer_unref(v.data_buf);
        vector_release(values);
        return st;
    }
    v.values = p;
    *v.values = *values;
    *values = (vector){0};
    *out = v;
    return NRW_OK;
}

static nrw_status nested_nulls(mem *m, const type *t, uint32_t rows, vector *out, nrw_error *err)
{
    vector v;
    bool list = t->id != TYPE_STRUCT;
    TRY(vector_flat(m, t, rows, &v, err));
    nrw_status st = rows ? vector_add_validity(&v, err) : NRW_OK;
    for (uint32_t i = 0; st >= 0 && i < t->n_children; i++)
        st = vector_nulls(m, &t->children[i].type, list ? 0 : rows, &v.children[i], err);
    if (st < 0) {
        vector_release(&v);
        return st;
    }
    if (list)
        memset(v.data, 0, ((size_t)rows + 1) * sizeof(uint32_t));
    if (rows)
        memset(v.validity, 0, ((size_t)rows + 7) / 8);
    v.len = v.null_count = rows;
    *out = v;
    return NRW_OK;
}

nrw_status vector_nulls(mem *m, const type *t, uint32_t rows, vector *out, nrw_error *err)
{
    vector one;
    uint32_t n = rows > 0;
    *out = (vector){0};
    if (type_is_nested(t))
        return nested_nulls(m, t, rows, out, err);
    TRY(vector_flat(m, t, n, &one, err));
    if (n == 0) {
        *out = one;
        return NRW_OK;
    }
    nrw_status st = vector_add_validity(&one, err);
    if (st < 0) {
        vector_release(&one);
        return st;
    }
    memset(one.data, 0, t->width);
    one.validity[0] = 0;
    one.len = one.null_count = 1;
    TRY(vector_runs(m, &one, rows, out, err));
    store_u32(out->data, rows);
    out->null_count = rows;
    return NRW_OK;
}

/* w->children becomes an array of its own. */
static nrw_status share_children(const vector *v, vector *w, nrw_error *err)
{
    nrw_status st = NRW_OK;
    w->children = NULL;
    w->n_children = 0;
    TRY(new_children(w, err));
    for (uint32_t i = 0; st >= 0 && i < v->n_children; i++)
        st = vector_share(&v->children[i], &w->children[i], err);
    if (st >= 0)
        return NRW_OK;
    for (uint32_t i = 0; i < v->n_children; i++)
        vector_release(&w->children[i]);
    mem_free(w->m, w->children, w->n_children * sizeof(vector));
    return st;
}

nrw_status vector_share(const vector *v, vector *out, nrw_error *err)
{
    vector w = *v;
    *out = (vector){0};
    if (v->n_children)
        TRY(share_children(v, &w, err));
    if (v->values) {
        void *p;
        TRY(mem_alloc(v->m, sizeof(vector), &p, err));
        w.values = p;
        nrw_status st = vector_share(v->values, w.values, err);
        if (st < 0) {
            mem_free(v->m, p, sizeof(vector));
            return st;
        }
    }
    if (w.data_buf)
        buffer_ref(w.data_buf);
    if (w.validity_buf)
        buffer_ref(w.validity_buf);
    if (w.dict)
        dict_ref(w.dict);
    w.heaps = heaps_share(&v->heaps);
    *out = w;
    return NRW_OK;
}

void vector_release(vector *v)
{
    buffer_unref(v->data_buf);
    buffer_unref(v->validity_buf);
    heaps_release(&v->heaps);
    dict_unref(v->dict);
    if (v->values) {
        vector_release(v->values);
        mem_free(v->m, v->values, sizeof(vector));
    }
    if (v->children) {
        for (uint32_t i = 0; i < v->n_children; i++)
            vector_release(&v->children[i]);
        mem_free(v->m, v->children, v->n_children * sizeof(vector));
    }
    *v = (vector){0};
}

void vector_share_heaps(const vector *from, vector *to)
{
    heaps_release(&to->heaps);
    to->heaps = heaps_share(&from->heaps);
}

/* ---- looking ---- */

uint32_t vector_run_at(const vector *v, uint32_t row)
{
    const uint32_t *ends = (const uint32_t *)v->data;
    uint32_t lo = 0, hi = v->n_runs - 1;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (ends[mid] > row)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

span vector_value(const vector *v, uint32_t row, bool *null)
{
    if (v->form == VECTOR_RUNS) {
        row = vector_run_at(v, row);
        v = v->values;
    }
    *null = v->type.id == TYPE_NULL || !vector_is_valid(v, row);
    if (*null || type_is_nested(&v->type))
        return (span){0};
    if (v->form == VECTOR_DICT)
        return flat_span(&v->dict->values, ((const uint32_t *)v->data)[row]);
    return flat_span(v, row);
}

void vector_count_nulls(vector *v)
{
    v->null_count = 0;
    if (v->form != VECTOR_RUNS || v->values->null_count == 0)
        return;
    const uint32_t *ends = (const uint32_t *)v->data;
    uint32_t start = 0;
    for (uint32_t i = 0; i < v->n_runs; start = ends[i++])
        if (!vector_is_valid(v->values, i))
            v->null_count += ends[i] - start;
}

static size_t text_bytes(const vector *v)
{
    const view *w = (const view *)v->data;
    size_t bytes = 0;
    for (uint32_t i = 0; i < v->len; i++)
        bytes += w[i].len > VIEW_INLINE ? (size_t)w[i].len : 0;
    return bytes;
}

size_t vector_bytes(const vector *v)
{
    if (v->form == VECTOR_RUNS)
        return (size_t)v->n_runs * sizeof(uint32_t) + vector_bytes(v->values);
    size_t bytes = v->validity ? ((size_t)v->len + 7) / 8 : 0;
    if (v->form == VECTOR_DICT)
        return bytes + (size_t)v->len * sizeof(uint32_t);
    bytes += (size_t)v->len * v->type.width;
    for (uint32_t i = 0; i < v->n_children; i++)
        bytes += vector_bytes(&v->children[i]);
    return type_is_view(&v->type) ? bytes + text_bytes(v) : bytes;
}
