/* Lists, structs, runs, dictionaries. */
#include "column/arrow_arrays_own.h"
#include "column/vector_part.h"

/* Elements [first, first + n) of the lists. Of a map the child is a struct, which is not kept. */
static nrw_status read_elements(const rows *r, uint64_t first, uint64_t n, vector *out,
                                nrw_error *err)
{
    const arrow_layout *child = r->l->children;
    arrow_node entries;

    if (n > UINT32_MAX - 1)
        return err_set(err, r->n > 1 ? NRW_E_MEMLIMIT : NRW_E_UNSUPPORTED,
                       "lists of %llu elements are not read", (unsigned long long)n);
    if (out->type.id != TYPE_MAP)
        return arrow_read(r->s, child, first, (uint32_t)n, r->m, &out->children[0], err);
    TRY(r->s->node(r->s, child->node, &entries, err));
    if (entries.offset < 0 || entries.offset > INT64_MAX / 64)
        return arrow_damaged(err, "the entries of a map");
    for (uint32_t c = 0; c < 2; c++)
        TRY(arrow_read(r->s, &child->children[c], first + (uint64_t)entries.offset, (uint32_t)n,
                       r->m, &out->children[c], err));
    return NRW_OK;
}

static nrw_status keep_ranges(const rows *r, const vector_range *keep, uint32_t n, vector *out,
                              nrw_error *err)
{
    for (uint32_t c = 0; c < out->n_children; c++) {
        vector kept;
        TRY(vector_take_ranges(&out->children[c], keep, n, r->m, &kept, err));
        vector_release(&out->children[c]);
        out->children[c] = kept;
    }
    return NRW_OK;
}

/* Elements of null lists, if there are any, are left out. `at`: n + 1 rising offsets, of which
 * the first is that of the elements that were read. */
static nrw_status set_offsets(const rows *r, const uint64_t *at, vector *out, nrw_error *err)
{
    uint32_t *to = (uint32_t *)(void *)out->data;
    size_t bytes = ((size_t)r->n + 1) * sizeof(vector_range);
    vector_range *keep;
    uint32_t n = 0;
    nrw_status st;
    void *p;

    TRY(mem_alloc(r->m, bytes, &p, err));
    keep = p;
    to[0] = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        uint32_t len = vector_is_valid(out, i) ? (uint32_t)(at[i + 1] - at[i]) : 0;
        uint32_t from = (uint32_t)(at[i] - at[0]);
        to[i + 1] = to[i] + len;
        if (!len)
            continue;
        if (n && keep[n - 1].first + keep[n - 1].n == from)
            keep[n - 1].n += len;
        else
            keep[n++] = (vector_range){from, len};
    }
    st = to[r->n] == at[r->n] - at[0] ? NRW_OK : keep_ranges(r, keep, n, out, err);
    mem_free(r->m, p, bytes);
    return st;
}

static nrw_status no_rows(const rows *r, vector *out, nrw_error *err)
{
    return read_elements(r, 0, 0, out, err);
}

nrw_status arrow_read_list(const rows *r, vector *out, nrw_error *err)
{
    nrw_status st = NRW_OK;
    uint64_t *at;

    if (r->n == 0)
        return no_rows(r, out, err);
    TRY(arrow_take_validity(r, out, err));
    TRY(arrow_take_numbers(r, 1, r->first, (size_t)r->n + 1, &at, err));
    for (uint32_t i = 0; st >= 0 && i < r->n; i++)
        if (at[i + 1] < at[i])
            st = arrow_damaged(err, "offsets fall");
    if (st >= 0)
        st = read_elements(r, at[0], at[r->n] - at[0], out, err);
    if (st >= 0)
        st = set_offsets(r, at, out, err);
    mem_free(r->m, at, ((size_t)r->n + 1) * sizeof *at);
    return st;
}

nrw_status arrow_read_fixed_list(const rows *r, vector *out, nrw_error *err)
{
    const uint64_t each = (uint64_t)r->l->list_size;
    size_t bytes = ((size_t)r->n + 1) * sizeof(uint64_t);
    nrw_status st;
    uint64_t first;
    void *p;

    if (r->n == 0)
        return no_rows(r, out, err);
    if (__builtin_mul_overflow(r->first, each, &first))
        return arrow_damaged(err, "lists of more elements than there can be");
    TRY(arrow_take_validity(r, out, err));
    TRY(mem_alloc(r->m, bytes, &p, err));
    uint64_t *at = p;
    for (uint32_t i = 0; i <= r->n; i++)
        at[i] = i * each;
    st = read_elements(r, first, r->n * each, out, err);
    if (st >= 0)
        st = set_offsets(r, at, out, err);
    mem_free(r->m, p, bytes);
    return st;
}

/* ---- lists in any order ---- */

static nrw_status pick_elements(const rows *r, const uint64_t *at, const uint64_t *sizes,
                                uint64_t least, uint64_t total, vector *out, nrw_error *err)
{
    uint32_t *to = (uint32_t *)(void *)out->data, *idx, n = 0;
    nrw_status st;
    vector picked;
    void *p;

    TRY(mem_alloc(r->m, (size_t)total * sizeof *idx + 4, &p, err));
    idx = p;
    to[0] = 0;
    for (uint32_t i = 0; i < r->n; i++) {
        for (uint64_t k = 0; vector_is_valid(out, i) && k < sizes[i]; k++)
            idx[n++] = (uint32_t)(at[i] - least + k);
        to[i + 1] = n;
    }
    st = vector_pick(&out->children[0], idx, n, r->m, &picked, err);
    mem_free(r->m, p, (size_t)total * sizeof *idx + 4);
    if (st < 0)
        return st;
    vector_release(&out->children[0]);
    out->children[0] = picked;
    return NRW_OK;
}

static nrw_status read_list_views(const rows *r, const uint64_t *at, const uint64_t *sizes,
                                  vector *out, nrw_error *err)
{
    uint64_t least = UINT64_MAX, most = 0, total = 0;

    for (uint32_t i = 0; i < r->n; i++) {
        if (!vector_is_valid(out, i) || !sizes[i])
            continue;
        least = at[i] < least ? at[i] : least;
        most = at[i] + sizes[i] > most ? at[i] + sizes[i] : most;
        total += sizes[i];
        if (total > UINT32_MAX / 8)
            return err_set(err, r->n > 1 ? NRW_E_MEMLIMIT : NRW_E_UNSUPPORTED,
                           "lists of %llu elements are not read", (unsigned long long)total);
    }
    least = total ? least : 0;
    TRY(read_elements(r, least, most - least, out, err));
    return pick_elements(r, at, sizes, least, total, out, err);
}

nrw_status arrow_read_list_view(const rows *r, vector *out, nrw_error *err)
{
    uint64_t *at, *sizes;
    nrw_status st;

    if (r->n == 0)
        return no_rows(r, out, err);
    TRY(arrow_take_validity(r, out, err));
    TRY(arrow_take_numbers(r, 1, r->first, r->n, &at, err));
    st = arrow_take_numbers(r, 2, r->first, r->n, &sizes, err);
    if (st >= 0) {
        st = read_list_views(r, at, sizes, out, err);
        mem_free(r->m, sizes, r->n * sizeof *sizes);
    }
    mem_free(r->m, at, r->n * sizeof *at);
    return st;
}

/* ---- structs ---- */

/* Where the struct is null, its fields are. */
static nrw_status mask(const rows *r, vector *out, nrw_error *err)
{
    size_t bytes = r->n * sizeof(uint32_t);
    nrw_status st = NRW_OK;
    uint32_t *idx;
    void *p;

    TRY(mem_alloc(r->m, bytes, &p, err));
    idx = p;
    for (uint32_t i = 0; i < r->n; i++)
        idx[i] = vector_is_valid(out, i) ? i : VECTOR_NULL;
    for (uint32_t c = 0; st >= 0 && c < out->n_children; c++) {
        vector masked;
        st = vector_pick(&out->children[c], idx, r->n, r->m, &masked, err);
        if (st < 0)
            break;
        if (!out->type.children[c].nullable && masked.type.id != TYPE_NULL) {
            masked.null_count = 0;
            part_trim_validity(&masked);
        }
        vector_release(&out->children[c]);
        out->children[c] = masked;
    }
    mem_free(r->m, p, bytes);
    return st;
}

nrw_status arrow_read_struct(const rows *r, vector *out, nrw_error *err)
{
    TRY(arrow_take_validity(r, out, err));
    for (uint32_t c = 0; c < out->n_children; c++)
        TRY(arrow_read(r->s, &r->l->children[c], r->first, r->n, r->m, &out->children[c], err));
    return out->null_count ? mask(r, out, err) : NRW_OK;
}

/* ---- runs ---- */

typedef struct run_ends {
    rows at; /* of the array of run ends, its first row being 0 */
    uint32_t bytes;
    uint64_t offset, n;
} run_ends;

static nrw_status run_end(const run_ends *e, uint64_t i, uint64_t *out, nrw_error *err)
{
    uint64_t v = 0;

    TRY(arrow_take(&e->at, 1, (e->offset + i) * e->bytes, &v, e->bytes, err));
    if (v >> (8 * e->bytes - 1) || (v == 0))
        return arrow_damaged(err, "a run end is not positive");
    *out = v;
    return NRW_OK;
}

/* The run that holds the row, or the number of runs. */
static nrw_status find_run(const run_ends *e, uint64_t row, uint64_t *out, nrw_error *err)
{
    uint64_t low = 0, high = e->n, end;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        TRY(run_end(e, middle, &end, err));
        if (end <= row)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return NRW_OK;
}

static nrw_status open_ends(const rows *r, run_ends *e, nrw_error *err)
{
    const arrow_layout *l = &r->l->children[0];
    arrow_node node;

    TRY(r->s->node(r->s, l->node, &node, err));
    if (node.length < 0 || node.offset < 0 || node.length > INT64_MAX / 64 ||
        node.offset > INT64_MAX / 64)
        return arrow_damaged(err, "the run ends");
    *e = (run_ends){.at = {.s = r->s, .l = l, .m = r->m},
                    .bytes = l->width,
                    .offset = (uint64_t)node.offset,
                    .n = (uint64_t)node.length};
    e->at.buffer = l->buffer + (r->s->variadic ? r->s->variadic[l->views] : 0);
    return NRW_OK;
}

/* `values`: of the runs [first, first + values->len), which cover the rows. */
static nrw_status make_runs(const rows *r, const run_ends *e, uint64_t first, vector *values,
                            vector *out, nrw_error *err)
{
    uint64_t end = r->first, last = r->first;
    const uint32_t n = values->len;
    nrw_status st;

    TRY(vector_runs(r->m, values, r->n, out, err));
    for (uint32_t i = 0; i < n; i++) {
        st = run_end(e, first + i, &end, err);
        if (st >= 0 && end <= last)
            st = arrow_damaged(err, "run ends do not rise");
        if (st < 0) {
            vector_release(out);
            return st;
        }
        last = end;
        end = end - r->first < r->n ? end - r->first : r->n;
        ((uint32_t *)(void *)out->data)[i] = (uint32_t)end;
    }
    vector_count_nulls(out);
    return NRW_OK;
}

/* Nested values have no runs: each row is picked. */
static nrw_status spread(const rows *r, const run_ends *e, uint64_t first, vector *values,
                         vector *out, nrw_error *err)
{
    size_t bytes = r->n * sizeof(uint32_t);
    nrw_status st = NRW_OK;
    uint32_t *idx, run = 0;
    uint64_t end = 0;
    void *p;

    TRY(mem_alloc(r->m, bytes, &p, err));
    idx = p;
    st = run_end(e, first, &end, err);
    for (uint32_t i = 0; st >= 0 && i < r->n; i++) {
        while (st >= 0 && end <= r->first + i)
            st = ++run < values->len ? run_end(e, first + run, &end, err)
                                     : arrow_damaged(err, "run ends do not rise");
        idx[i] = run;
    }
    if (st >= 0)
        st = vector_pick(values, idx, r->n, r->m, out, err);
    mem_free(r->m, p, bytes);
    return st;
}

nrw_status arrow_read_runs(const rows *r, vector *out, nrw_error *err)
{
    const arrow_layout *l = &r->l->children[1];
    uint64_t first = 0, last = 0;
    vector values, flat;
    nrw_status st;
    run_ends e;

    TRY(open_ends(r, &e, err));
    if (r->n == 0)
        return vector_nulls(r->m, &r->l->f->type, 0, out, err);
    TRY(find_run(&e, r->first, &first, err));
    TRY(find_run(&e, r->first + r->n - 1, &last, err));
    if (last >= e.n || last < first || last - first >= r->n)
        return arrow_damaged(err, "runs end before their rows do");
    TRY(arrow_read(r->s, l, first, (uint32_t)(last - first + 1), r->m, &values, err));
    if (type_is_nested(&values.type)) {
        st = spread(r, &e, first, &values, out, err);
        vector_release(&values);
        return st;
    }
    if (values.form != VECTOR_RUNS)
        return make_runs(r, &e, first, &values, out, err);
    st = vector_flatten(&values, r->m, &flat, err);
    vector_release(&values);
    return st < 0 ? st : make_runs(r, &e, first, &flat, out, err);
}

/* ---- dictionaries ---- */

static uint64_t index_at(const uint8_t *p, uint32_t bytes)
{
    uint64_t v = 0;

    memcpy(&v, p, bytes);
    return v; /* a negative one is too large */
}

static nrw_status set_indices(const rows *r, const uint8_t *from, const arrow_entries *e,
                              vector *out, nrw_error *err)
{
    uint32_t *to = (uint32_t *)(void *)out->data;

    for (uint32_t i = 0; i < r->n; i++) {
        uint64_t at = index_at(from + (size_t)i * r->l->index_bytes, r->l->index_bytes);
        to[i] = 0;
        if (!vector_is_valid(out, i))
            continue;
        if (at >= e->values.len) {
            err_at_row(err, (int64_t)(r->first + i));
            return arrow_damaged(err, "an index is outside of its dictionary");
        }
        to[i] = (uint32_t)at;
        if (vector_is_valid(&e->values, (uint32_t)at))
            continue;
        TRY(vector_add_validity(out, err));
        bit_clear(out->validity, i);
        out->null_count++;
        to[i] = 0;
    }
    return NRW_OK;
}

/* Nested entries: rows are picked by their indices, which lie in `out`. */
static nrw_status pick_entries(const rows *r, const arrow_entries *e, vector *out, nrw_error *err)
{
    uint32_t *idx = (uint32_t *)(void *)out->data;
    nrw_status st;
    vector picked;

    for (uint32_t i = 0; i < r->n; i++)
        if (!vector_is_valid(out, i))
            idx[i] = VECTOR_NULL;
    st = vector_pick(&e->values, idx, r->n, r->m, &picked, err);
    if (st < 0)
        return st;
    vector_release(out);
    *out = picked;
    return NRW_OK;
}

static nrw_status read_indices(const rows *r, const arrow_entries *e, vector *out, nrw_error *err)
{
    const size_t bytes = (size_t)r->n * r->l->index_bytes;
    nrw_status st;
    buffer *b;

    TRY(arrow_take_validity(r, out, err));
    TRY(buffer_new(r->m, bytes, &b, err));
    st = arrow_take(r, 1, r->first * r->l->index_bytes, b->data, bytes, err);
    if (st >= 0)
        st = set_indices(r, b->data, e, out, err);
    buffer_unref(b);
    return st;
}

nrw_status arrow_read_indices(const rows *r, vector *out, nrw_error *err)
{
    static const type u32 = {.id = TYPE_UINT32, .width = 4};
    const arrow_entries *e;
    nrw_status st;

    if (r->l->f->type.id == TYPE_NULL)
        return vector_nulls(r->m, &r->l->f->type, r->n, out, err);
    TRY(r->s->entries(r->s, r->l, &e, err));
    if (e->d)
        TRY(vector_dict(r->m, &r->l->f->type, e->d, r->n, out, err));
    else
        TRY(vector_flat(r->m, &u32, r->n, out, err));
    out->len = r->n;
    st = read_indices(r, e, out, err);
    if (st >= 0 && !e->d)
        st = pick_entries(r, e, out, err);
    if (st < 0)
        vector_release(out);
    return st;
}
