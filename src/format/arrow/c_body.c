#include "format/arrow/c_body.h"

#include "column/vector_part.h"

#define ALIGN 8

/* ---- dictionaries ---- */

struct c_known {
    int64_t id, length, offset;
    const void *first, *last; /* buffers */
    arrow_c_shared *batch;
};

static struct c_known known_of(const arrow_layout *l, const struct ArrowArray *values)
{
    const int64_t n = values->n_buffers;

    return (struct c_known){.id = l->dictionary_id,
                            .length = values->length,
                            .offset = values->offset,
                            .first = n > 1 ? values->buffers[1] : NULL,
                            .last = n > 2 ? values->buffers[n - 1] : NULL};
}

bool c_dictionary_known(const c_dictionaries *d, const arrow_layout *l,
                        const struct ArrowArray *values)
{
    const struct c_known k = known_of(l, values);

    if (l->n_children || !k.first) /* what is below it would have to be compared, too */
        return false;
    for (uint32_t i = 0; i < d->n; i++) {
        const struct c_known *x = &d->known[i];
        if (x->id == k.id)
            return x->length == k.length && x->offset == k.offset && x->first == k.first &&
                   x->last == k.last;
    }
    return false;
}

nrw_status c_dictionary_note(c_dictionaries *d, const arrow_layout *l,
                             const struct ArrowArray *values, arrow_c_shared *batch, nrw_error *err)
{
    struct c_known k = known_of(l, values);
    uint32_t i = 0;

    while (i < d->n && d->known[i].id != k.id)
        i++;
    if (i == d->cap) {
        uint32_t cap = d->cap ? 2 * d->cap : 8;
        void *p = d->known;
        TRY(mem_realloc(d->m, &p, d->cap * sizeof *d->known, cap * sizeof *d->known, err));
        d->known = p;
        d->cap = cap;
    }
    if (i < d->n)
        arrow_c_shared_unref(d->known[i].batch);
    else
        d->n++;
    k.batch = arrow_c_shared_ref(batch);
    d->known[i] = k;
    return NRW_OK;
}

void c_dictionaries_release(c_dictionaries *d)
{
    for (uint32_t i = 0; i < d->n; i++)
        arrow_c_shared_unref(d->known[i].batch);
    mem_free(d->m, d->known, d->cap * sizeof *d->known);
}

/* ---- the body ---- */

c_body c_body_init(mem *m)
{
    return (c_body){.m = m, .head = ipc_head_init(m)};
}

void c_body_release(c_body *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        if (b->extents[i].own)
            mem_free(b->m, (void *)(uintptr_t)b->extents[i].p, (size_t)b->extents[i].len);
    mem_free(b->m, b->extents, b->cap * sizeof *b->extents);
    ipc_head_release(&b->head);
}

nrw_status c_mismatch(const arrow_layout *l, nrw_error *err)
{
    if (l->f)
        err_at_column(err, l->f->name);
    return err_set(err, NRW_E_SCHEMA, "an array is not as the schema of its stream says");
}

/* Where own, p is taken, also on failure. */
static nrw_status put_extent(c_body *b, const void *p, uint64_t len, bool own, nrw_error *err)
{
    nrw_status st = NRW_OK;

    if (b->n == b->cap) {
        uint32_t cap = b->cap ? 2 * b->cap : 16;
        void *at = b->extents;
        st = mem_realloc(b->m, &at, b->cap * sizeof *b->extents, cap * sizeof *b->extents, err);
        b->extents = at;
        b->cap = st < 0 ? b->cap : cap;
    }
    if (st >= 0)
        st = ipc_head_buffer(&b->head, b->len, len, err);
    if (own && (st < 0 || !len))
        mem_free(b->m, (void *)(uintptr_t)p, (size_t)len);
    TRY(st);
    if (len)
        b->extents[b->n++] = (c_extent){b->len, len, p, own};
    b->len += (len + ALIGN - 1) / ALIGN * ALIGN;
    return NRW_OK;
}

/* Buffer k from byte `at` on; one that is not there has no bytes. */
static nrw_status put(c_body *b, const struct ArrowArray *a, int64_t k, uint64_t at, uint64_t len,
                      nrw_error *err)
{
    const uint8_t *p = a->buffers[k];

    return put_extent(b, p ? p + at : NULL, p ? len : 0, false, err);
}

/* Bits [first, first + n). */
static nrw_status put_bits(c_body *b, const uint8_t *p, const c_rows *r, nrw_error *err)
{
    const uint64_t bytes = ((uint64_t)r->n + 7) / 8;
    void *own;

    if (!p || r->first % 8 == 0 || !bytes)
        return put_extent(b, p ? p + r->first / 8 : NULL, p ? bytes : 0, false, err);
    TRY(mem_zalloc(b->m, (size_t)bytes, &own, err));
    for (int64_t done = 0, n; done < r->n; done += n) {
        n = r->n - done < 1 << 30 ? r->n - done : 1 << 30;
        part_copy_bits((uint8_t *)own + done / 8, 0, p + (r->first + done) / 8,
                       (size_t)(r->first + done) % 8, (uint32_t)n);
    }
    return put_extent(b, own, bytes, true, err);
}

static nrw_status put_validity(c_body *b, const c_rows *r, nrw_error *err)
{
    return put_bits(b, r->a->null_count == 0 ? NULL : r->a->buffers[0], r, err);
}

static nrw_status put_node(c_body *b, const c_rows *r, nrw_error *err)
{
    const struct ArrowArray *a = r->a;
    bool whole = r->first == a->offset && r->n == a->length;
    int64_t nulls = a->null_count == 0 || !a->n_buffers || !a->buffers[0] ? 0
                    : whole && a->null_count <= a->length                 ? a->null_count
                                                                          : -1;

    return ipc_head_node(&b->head, (uint64_t)r->n, (uint64_t)nulls, err);
}

/* ---- kinds ---- */

static uint64_t offset_at(const arrow_layout *l, const struct ArrowArray *a, int64_t i)
{
    int64_t wide = 0;
    int32_t narrow;

    if (!a->buffers[1])
        return 0;
    if (l->offset_bytes == 8) {
        memcpy(&wide, (const uint8_t *)a->buffers[1] + 8 * i, 8);
    } else {
        memcpy(&narrow, (const uint8_t *)a->buffers[1] + 4 * i, 4);
        wide = narrow;
    }
    return wide > 0 ? (uint64_t)wide : 0;
}

static nrw_status put_offsets(c_body *b, const arrow_layout *l, const c_rows *r, int64_t k,
                              int64_t n, nrw_error *err)
{
    return put(b, r->a, k, (uint64_t)r->first * l->offset_bytes, (uint64_t)n * l->offset_bytes,
               err);
}

static nrw_status put_text(c_body *b, const arrow_layout *l, const c_rows *r, nrw_error *err)
{
    TRY(put_validity(b, r, err));
    TRY(put_offsets(b, l, r, 1, r->n ? r->n + 1 : 0, err));
    return put(b, r->a, 2, 0, r->n ? offset_at(l, r->a, r->first + r->n) : 0, err);
}

static nrw_status put_views(c_body *b, const c_rows *r, nrw_error *err)
{
    const struct ArrowArray *a = r->a;
    const int64_t n = a->n_buffers - 3, *lengths = a->buffers[a->n_buffers - 1];

    TRY(put_validity(b, r, err));
    TRY(put(b, a, 1, (uint64_t)r->first * 16, (uint64_t)r->n * 16, err));
    TRY(ipc_head_views(&b->head, (uint64_t)n, err));
    for (int64_t i = 0; i < n; i++)
        TRY(put(b, a, 2 + i, 0, lengths[i] > 0 ? (uint64_t)lengths[i] : 0, err));
    return NRW_OK;
}

static c_rows whole(const struct ArrowArray *a)
{
    return (c_rows){a, a->offset, a->length};
}

/* Rows of a child that lie as those of its parent do. */
static nrw_status put_child(c_body *b, const arrow_layout *l, const struct ArrowArray *child,
                            int64_t first, int64_t n, nrw_error *err)
{
    if (first > child->length || n > child->length - first)
        return c_mismatch(l, err);
    return c_body_add(b, l, &(c_rows){child, child->offset + first, n}, err);
}

static nrw_status put_fixed_list(c_body *b, const arrow_layout *l, const c_rows *r, nrw_error *err)
{
    int64_t first, n;

    if (__builtin_mul_overflow(r->first, (int64_t)l->list_size, &first) ||
        __builtin_mul_overflow(r->n, (int64_t)l->list_size, &n))
        return c_mismatch(l, err);
    return put_child(b, &l->children[0], r->a->children[0], first, n, err);
}

static int64_t run_end(const arrow_layout *ends, const struct ArrowArray *a, int64_t i)
{
    const uint8_t *p = (const uint8_t *)a->buffers[1] + (a->offset + i) * ends->width;
    int64_t wide;
    int32_t half;
    int16_t quarter;

    if (ends->width == 8)
        return memcpy(&wide, p, 8), wide;
    if (ends->width == 4)
        return memcpy(&half, p, 4), half;
    return memcpy(&quarter, p, 2), quarter;
}

/* Of a slice: the runs that it meets, and their ends as it counts. */
static nrw_status put_runs(c_body *b, const arrow_layout *l, const c_rows *r, nrw_error *err)
{
    const struct ArrowArray *ends = r->a->children[0], *values = r->a->children[1];
    const uint32_t width = l->children[0].width;
    int64_t from = 0, to, n;
    uint8_t *own;
    void *p;

    if (ends->n_buffers != 2)
        return c_mismatch(l, err);
    while (r->first && from < ends->length && run_end(&l->children[0], ends, from) <= r->first)
        from++;
    for (to = from; r->n && to < ends->length;)
        if (run_end(&l->children[0], ends, to++) >= r->first + r->n)
            break;
    n = to - from;
    TRY(ipc_head_node(&b->head, (uint64_t)n, 0, err));
    TRY(put_extent(b, NULL, 0, false, err));
    TRY(mem_alloc(b->m, (size_t)n * width, &p, err));
    own = p;
    for (int64_t i = 0; i < n; i++) {
        int64_t end = run_end(&l->children[0], ends, from + i) - r->first;
        memcpy(own + i * width, &end, width); /* little-endian, as all of it */
    }
    TRY(put_extent(b, p, (uint64_t)n * width, true, err));
    return put_child(b, &l->children[1], values, from, n, err);
}

/* No column of it is read: only its places count. */
static nrw_status put_union(c_body *b, const arrow_layout *l, const c_rows *r, nrw_error *err)
{
    for (uint8_t i = 0; i < l->buffers; i++)
        TRY(put_extent(b, NULL, 0, false, err));
    for (uint32_t i = 0; i < l->n_children; i++)
        TRY(c_body_add(b, &l->children[i], &(c_rows){r->a->children[i], 0, 0}, err));
    return NRW_OK;
}

static nrw_status put_kind(c_body *b, const arrow_layout *l, const c_rows *r, nrw_error *err)
{
    const uint64_t first = (uint64_t)r->first, n = (uint64_t)r->n;

    switch (l->kind) {
    case LAID_NULL: return NRW_OK;
    case LAID_BITS: TRY(put_validity(b, r, err)); return put_bits(b, r->a->buffers[1], r, err);
    case LAID_FIXED:
        TRY(put_validity(b, r, err));
        return put(b, r->a, 1, first * l->width, n * l->width, err);
    case LAID_BYTES: return put_text(b, l, r, err);
    case LAID_VIEWS: return put_views(b, r, err);
    case LAID_LIST:
        TRY(put_validity(b, r, err));
        TRY(put_offsets(b, l, r, 1, r->n ? r->n + 1 : 0, err));
        break;
    case LAID_LIST_VIEW:
        TRY(put_validity(b, r, err));
        TRY(put_offsets(b, l, r, 1, r->n, err));
        TRY(put_offsets(b, l, r, 2, r->n, err));
        break;
    case LAID_FIXED_LIST: TRY(put_validity(b, r, err)); return put_fixed_list(b, l, r, err);
    case LAID_STRUCT: TRY(put_validity(b, r, err)); return c_body_add_fields(b, l, r, err);
    case LAID_RUNS: return put_runs(b, l, r, err);
    case LAID_UNION: return put_union(b, l, r, err);
    }
    const c_rows elements = whole(r->a->children[0]);
    return c_body_add(b, &l->children[0], &elements, err);
}

/* How many buffers an array of the layout has in C's interface. */
static bool fits(const arrow_layout *l, const struct ArrowArray *a)
{
    static const int8_t buffers[] = {[LAID_NULL] = 0,       [LAID_BITS] = 2,   [LAID_FIXED] = 2,
                                     [LAID_BYTES] = 3,      [LAID_LIST] = 2,   [LAID_LIST_VIEW] = 3,
                                     [LAID_FIXED_LIST] = 1, [LAID_STRUCT] = 1, [LAID_RUNS] = 0};

    if (!a || a->length < 0 || a->offset < 0 || a->length > INT64_MAX / 64 - a->offset)
        return false;
    if (l->dictionary)
        return a->n_buffers == 2;
    if (a->n_children != (int64_t)l->n_children)
        return false;
    return l->kind == LAID_VIEWS   ? a->n_buffers >= 3
           : l->kind == LAID_UNION ? true
                                   : a->n_buffers == buffers[l->kind];
}

nrw_status c_body_add(c_body *b, const arrow_layout *l, const c_rows *r, nrw_error *err)
{
    if (!fits(l, r->a))
        return c_mismatch(l, err);
    TRY(put_node(b, r, err));
    if (!l->dictionary)
        return put_kind(b, l, r, err);
    TRY(put_validity(b, r, err));
    return put(b, r->a, 1, (uint64_t)r->first * l->index_bytes, (uint64_t)r->n * l->index_bytes,
               err);
}

nrw_status c_body_add_fields(c_body *b, const arrow_layout *l, const c_rows *r, nrw_error *err)
{
    for (uint32_t i = 0; i < l->n_children; i++)
        TRY(put_child(b, &l->children[i], r->a->children[i], r->first, r->n, err));
    return NRW_OK;
}

void c_body_read(const c_body *b, uint64_t at, void *dst, size_t n)
{
    uint32_t low = 0, high = b->n;

    while (low < high) { /* the first extent that ends behind `at` */
        uint32_t mid = (low + high) / 2;
        if (b->extents[mid].at + b->extents[mid].len <= at)
            low = mid + 1;
        else
            high = mid;
    }
    memset(dst, 0, n);
    for (; low < b->n && b->extents[low].at < at + n; low++) {
        const c_extent *x = &b->extents[low];
        uint64_t from = x->at > at ? x->at : at, to = x->at + x->len;
        to = to < at + n ? to : at + n;
        memcpy((uint8_t *)dst + (from - at), x->p + (from - x->at), (size_t)(to - from));
    }
}
