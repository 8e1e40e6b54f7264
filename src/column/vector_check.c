#include "column/vector_part.h"

static nrw_status broken(nrw_error *err, const char *what, uint32_t at)
{
    return err_set(err, NRW_E_CORRUPT, "vector: %s at %u", what, at);
}

static uint32_t zeros(const uint8_t *bits, uint32_t n)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < n; i++)
        count += !bit_get(bits, i);
    return count;
}

/* Do `bytes` bytes at p lie in the buffer? */
static bool lies_in(const buffer *b, const uint8_t *p, size_t bytes)
{
    return b && p >= b->data && bytes <= b->cap && (size_t)(p - b->data) <= b->cap - bytes;
}

static nrw_status check_validity(const vector *v, nrw_error *err)
{
    if (!v->validity) {
        if (v->null_count)
            return broken(err, "nulls are counted but there is no bitmap", v->null_count);
        return NRW_OK;
    }
    if (v->validity_buf && !lies_in(v->validity_buf, v->validity, ((size_t)v->len + 7) / 8))
        return broken(err, "the bitmap leaves its buffer", v->len);
    if (zeros(v->validity, v->len) != v->null_count)
        return broken(err, "null_count differs from the bitmap", v->null_count);
    return NRW_OK;
}

static nrw_status check_view(const vector *v, uint32_t i, nrw_error *err)
{
    const view *w = (const view *)v->data + i;
    static const char zero[VIEW_INLINE];
    if (w->len < 0)
        return broken(err, "negative length of a view", i);
    if (w->len <= VIEW_INLINE) {
        if (memcmp(w->inlined + w->len, zero, (size_t)(VIEW_INLINE - w->len)) != 0)
            return broken(err, "bytes behind an inlined text are not zero", i);
        return NRW_OK;
    }
    if (w->heap < 0 || (uint32_t)w->heap >= v->heaps.n)
        return broken(err, "a view names a heap that is not there", i);
    const buffer *heap = v->heaps.at[w->heap];
    if (w->offset < 0 || (size_t)w->offset > heap->cap ||
        (size_t)w->len > heap->cap - (size_t)w->offset)
        return broken(err, "a view leaves its heap", i);
    if (memcmp(w->prefix, heap->data + w->offset, 4) != 0)
        return broken(err, "prefix of a view differs", i);
    return NRW_OK;
}

static nrw_status check_flat(const vector *v, nrw_error *err)
{
    uint32_t width = v->type.width;
    if (v->dict || v->values)
        return broken(err, "a flat vector with a dictionary or runs", 0);
    if (v->len && width && (!v->data || !lies_in(v->data_buf, v->data, (size_t)v->len * width)))
        return broken(err, "values leave their buffer", v->len);
    TRY(check_validity(v, err));
    if (v->type.id == TYPE_NULL && v->null_count != v->len)
        return broken(err, "a value of type NULL", 0);
    for (uint32_t i = 0; i < v->len; i++) {
        const uint8_t *p = v->data + (size_t)i * width;
        if (!vector_is_valid(v, i)) {
            for (uint32_t k = 0; k < width; k++)
                if (p[k])
                    return broken(err, "bytes under a null are not zero", i);
            continue;
        }
        if (v->type.id == TYPE_BOOL && *p > 1)
            return broken(err, "a boolean that is neither 0 nor 1", i);
        if (type_is_view(&v->type))
            TRY(check_view(v, i, err));
    }
    return NRW_OK;
}

static nrw_status check_dict(const vector *v, nrw_error *err)
{
    if (!v->dict || v->values)
        return broken(err, "a dict vector without a dictionary", 0);
    const vector *values = &v->dict->values;
    if (values->form != VECTOR_FLAT || values->null_count || values->validity)
        return broken(err, "a dictionary that is not flat or has nulls", 0);
    if (!type_equal(&values->type, &v->type))
        return broken(err, "a dictionary of another type", 0);
    if (v->len && !lies_in(v->data_buf, v->data, (size_t)v->len * sizeof(uint32_t)))
        return broken(err, "indices leave their buffer", v->len);
    TRY(check_validity(v, err));
    const uint32_t *at = (const uint32_t *)v->data;
    for (uint32_t i = 0; i < v->len; i++)
        if (at[i] >= values->len && (vector_is_valid(v, i) || at[i] || values->len))
            return broken(err, "an index outside of the dictionary", i);
    return check_flat(values, err);
}

static nrw_status check_runs(const vector *v, nrw_error *err)
{
    const uint32_t *ends = (const uint32_t *)v->data;
    uint32_t start = 0, nulls = 0;
    if (!v->values || v->dict || v->validity)
        return broken(err, "runs without values, or with a bitmap of their own", 0);
    if (v->values->form == VECTOR_RUNS || v->values->len != v->n_runs)
        return broken(err, "values of runs are runs, or not as many", v->values->len);
    if (!type_equal(&v->values->type, &v->type))
        return broken(err, "values of runs are of another type", 0);
    if (v->n_runs && !lies_in(v->data_buf, v->data, (size_t)v->n_runs * sizeof(uint32_t)))
        return broken(err, "run ends leave their buffer", v->n_runs);
    TRY(vector_validate(v->values, err));
    for (uint32_t i = 0; i < v->n_runs; start = ends[i++]) {
        if (ends[i] <= start)
            return broken(err, "run ends do not rise", i);
        if (!vector_is_valid(v->values, i))
            nulls += ends[i] - start;
    }
    if (start != v->len)
        return broken(err, "the last run does not end with the vector", start);
    if (nulls != v->null_count)
        return broken(err, "null_count differs from the runs", v->null_count);
    return NRW_OK;
}

static nrw_status check_offsets(const vector *v, nrw_error *err)
{
    if (!v->data || !lies_in(v->data_buf, v->data, ((size_t)v->len + 1) * sizeof(uint32_t)))
        return broken(err, "offsets leave their buffer", v->len);
    const uint32_t *at = vector_offsets(v);
    if (at[0] != 0)
        return broken(err, "the first offset is not 0", at[0]);
    for (uint32_t i = 0; i < v->len; i++) {
        if (at[i + 1] < at[i])
            return broken(err, "offsets fall", i);
        if (at[i + 1] > at[i] && !vector_is_valid(v, i))
            return broken(err, "a null list has elements", i);
    }
    return NRW_OK;
}

static nrw_status check_nested(const vector *v, nrw_error *err)
{
    uint32_t want = v->type.id == TYPE_LIST ? 1 : v->type.id == TYPE_MAP ? 2 : v->type.n_children;
    uint32_t rows = v->len;
    if (v->form != VECTOR_FLAT || v->dict || v->values)
        return broken(err, "a nested vector that is not flat", 0);
    if (v->type.n_children != want || v->n_children != want || (want && !v->children))
        return broken(err, "a nested vector with other children than its type", v->n_children);
    TRY(check_validity(v, err));
    if (v->type.id != TYPE_STRUCT) {
        TRY(check_offsets(v, err));
        rows = vector_offsets(v)[v->len];
    }
    for (uint32_t c = 0; c < want; c++) {
        const vector *child = &v->children[c];
        if (child->len != rows)
            return broken(err, "a child with more or fewer rows", child->len);
        if (!type_equal(&child->type, &v->type.children[c].type))
            return broken(err, "a child of another type", c);
        TRY(vector_validate(child, err));
    }
    return NRW_OK;
}

/* Where a struct is null its fields are too, if they can be. */
static nrw_status check_struct(const vector *v, nrw_error *err)
{
    bool null;
    for (uint32_t i = 0; v->null_count && i < v->len; i++)
        for (uint32_t c = 0; !vector_is_valid(v, i) && c < v->n_children; c++) {
            vector_value(&v->children[c], i, &null);
            if (!null && v->type.children[c].nullable)
                return broken(err, "a field of a null struct is not null", i);
        }
    return NRW_OK;
}

nrw_status vector_validate(const vector *v, nrw_error *err)
{
    if (type_is_nested(&v->type)) {
        TRY(check_nested(v, err));
        return v->type.id == TYPE_STRUCT ? check_struct(v, err) : NRW_OK;
    }
    type known = type_of(v->type.id);
    if (v->type.id == TYPE_DECIMAL)
        known = type_decimal(v->type.precision, v->type.scale);
    if (v->type.id == TYPE_INTERVAL)
        known = type_interval(v->type.unit);
    if (v->type.id != TYPE_FIXED && known.width != v->type.width)
        return broken(err, "the type has another width", v->type.width);
    switch (v->form) {
    case VECTOR_FLAT: return check_flat(v, err);
    case VECTOR_DICT: return check_dict(v, err);
    case VECTOR_RUNS: return check_runs(v, err);
    }
    return broken(err, "unknown form", (uint32_t)v->form);
}
