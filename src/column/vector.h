/* Vectors and batches: data in flight.
 *
 * A vector is one column of some rows in one of three forms:
 *   flat   `data` holds len values; `validity` one bit a row (1 = there), NULL where all are there.
 *   dict   `data` holds len uint32 indices into `dict`, a flat vector without nulls that many
 *          vectors share; rows that are null have validity 0 and an index that is in range.
 *   runs   `data` holds n_runs uint32 run ends (exclusive, rising, the last is len); `values`, a
 *          flat or dict vector of n_runs entries, holds each run's value and its validity.
 * What lies under a null in a flat vector is defined (zero), so kernels may read it.
 *
 * Nested vectors are always flat, over `children` of any form:
 *   list, map   `data` holds len + 1 uint32 offsets, rising, the first is 0: row i has the elements
 *               [offset i, offset i + 1) of children[0]; of a map children[0] are the keys and
 *               children[1] the values. A null has none.
 *   struct      `data` means nothing; children[i] is field i, of len rows. Where the struct is null
 *               its fields are null too (those that cannot be: zero or empty, and never looked at).
 * A child may have more than BATCH_MAX_ROWS rows.
 *
 * Text and binary: `data` holds 16-byte views in Arrow's BinaryView layout; a view of more than 12
 * bytes points into heaps[buffer_index]. Heaps are reference counted and shared.
 *
 * A vector owns references on its buffers; vector_release drops them. Vectors are moved by plain
 * assignment followed by (vector){0} at the source. Nothing reachable from a vector is written
 * after it was handed on.
 *
 * A lazy column lives in the batch (below), not here: it becomes vectors when it is read. */
#ifndef COLUMN_VECTOR_H
#define COLUMN_VECTOR_H

#include "base/buffer.h"
#include "column/type.h"

typedef enum vector_form { VECTOR_FLAT, VECTOR_DICT, VECTOR_RUNS } vector_form;

#define BATCH_MAX_ROWS 65536

typedef union view {
    struct {
        int32_t len;
        char inlined[12];
    };
    struct {
        int32_t len_;
        char prefix[4];
        int32_t heap; /* index into the vector's heaps */
        int32_t offset;
    };
} view;

#define VIEW_INLINE 12

/* The array is reference counted too, so that sharing all heaps of a vector costs nothing however
 * many they are. Change it through vector_add_heap alone: it copies an array that is shared. */
typedef struct heaps {
    uint32_t n, cap;
    buffer **at;
} heaps;

typedef struct dict dict;

typedef struct vector {
    type type;
    vector_form form;
    uint32_t len;        /* rows */
    uint32_t n_runs;     /* runs */
    uint32_t null_count; /* rows that are null (of runs: rows, not runs) */
    uint8_t *data;       /* values, views, indices or run ends */
    uint8_t *validity;   /* flat and dict; NULL: no nulls */
    buffer *data_buf, *validity_buf;
    heaps heaps;           /* flat views */
    dict *dict;            /* dict: the shared dictionary */
    struct vector *values; /* runs */
    uint32_t n_children;
    struct vector *children; /* nested */
    mem *m;                  /* what small parts (heaps.at, values) are charged to */
} vector;

/* A dictionary that vectors share. `id` is unique in the process, so that a consumer can keep a
 * table per dictionary (remapping, cached predicate results) and know when it is stale. */
struct dict {
    _Atomic uint32_t refs;
    uint64_t id;
    vector values; /* flat, no nulls */
    bool distinct; /* all entries known to differ */
};

/* Takes values: *values is zeroed, also on failure. `distinct` starts as false. */
nrw_status dict_new(mem *m, vector *values, dict **out, nrw_error *err);
dict *dict_ref(dict *d);
void dict_unref(dict *d);

/* Empty flat vector with room for `rows` values, validity NULL. len is 0: who fills it sets it.
 * The values are not zeroed. Of nested types: with the offset 0, and children that are all zero,
 * for the caller to put vectors in. */
nrw_status vector_flat(mem *m, const type *t, uint32_t rows, vector *out, nrw_error *err);
/* Adds an all-valid bitmap (with slack, one bit for each value there is room for) to a flat or
 * dict vector that has none. */
nrw_status vector_add_validity(vector *v, nrw_error *err);
/* dict vector with room for `rows` indices, len 0; takes a reference of its own on d. */
nrw_status vector_dict(mem *m, const type *t, dict *d, uint32_t rows, vector *out, nrw_error *err);
/* runs vector of `rows` rows: takes `values` (zeroed, also on failure); room for values->len run
 * ends, which the caller fills in before vector_count_nulls. */
nrw_status vector_runs(mem *m, vector *values, uint32_t rows, vector *out, nrw_error *err);
/* All null. */
nrw_status vector_nulls(mem *m, const type *t, uint32_t rows, vector *out, nrw_error *err);
/* A new reference on the same content. */
nrw_status vector_share(const vector *v, vector *out, nrw_error *err);
void vector_release(vector *v);

/* Adds a heap (takes a reference of its own) and returns its index. */
nrw_status vector_add_heap(vector *v, buffer *b, int32_t *index, nrw_error *err);
/* Gives `to` all heaps of `from` (in place of its own), so that views may be copied. O(1). */
void vector_share_heaps(const vector *from, vector *to);

/* Rows [first, first + n) as a vector of its own; flat data are copied, dictionaries and heaps
 * shared. */
nrw_status vector_slice(const vector *v, uint32_t first, uint32_t n, mem *m, vector *out,
                        nrw_error *err);
/* The rows that `sel` names (rising), in the same form (runs stay runs where that is smaller). */
nrw_status vector_take(const vector *v, const uint16_t *sel, uint32_t n, mem *m, vector *out,
                       nrw_error *err);
/* For rows dealt out, of vectors that are no runs and not nested: all rows that `order` names, in
 * that order, in the same form; and of these the rows [first, first + n), n >= 1, which share all
 * but the bitmap. */
nrw_status vector_permute(const vector *v, const uint16_t *order, uint32_t n, mem *m, vector *out,
                          nrw_error *err);
nrw_status vector_window(const vector *v, uint32_t first, uint32_t n, mem *m, vector *out,
                         nrw_error *err);
/* The rows of n ranges, one range behind the other; rising, without overlap. */
typedef struct vector_range {
    uint32_t first, n;
} vector_range;
nrw_status vector_take_ranges(const vector *v, const vector_range *r, uint32_t n, mem *m,
                              vector *out, nrw_error *err);
/* Any form to flat. Children of nested vectors stay as they are. */
nrw_status vector_flatten(const vector *v, mem *m, vector *out, nrw_error *err);
/* runs to the form of its values (flat or dict); flat and dict are shared. */
nrw_status vector_expand(const vector *v, mem *m, vector *out, nrw_error *err);
/* The rows of parts[0..n) one after the other, all of one type: parts over one dictionary give a
 * dict vector, parts of runs over the same form give runs, all else gives flat. */
nrw_status vector_concat(const vector *parts, uint32_t n, mem *m, vector *out, nrw_error *err);
/* For who keeps vectors long: where the text that views point to is less than a quarter of the
 * heaps they pin, copies it into a heap of its own. */
nrw_status vector_compact(vector *v, mem *m, nrw_error *err);

/* Sets null_count of a runs vector after its run ends were filled in. */
void vector_count_nulls(vector *v);
/* Bytes that the rows of v take: values, indices or runs, bitmap and the text of views; without
 * a shared dictionary. */
size_t vector_bytes(const vector *v);
/* Bytes of the texts of all rows, each as often as it comes. */
uint64_t vector_text_bytes(const vector *v);
/* The run that holds `row`. */
uint32_t vector_run_at(const vector *v, uint32_t row);

static inline bool bit_get(const uint8_t *bits, size_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}
static inline void bit_set(uint8_t *bits, size_t i)
{
    bits[i >> 3] |= (uint8_t)(1u << (i & 7));
}
static inline void bit_clear(uint8_t *bits, size_t i)
{
    bits[i >> 3] &= (uint8_t) ~(1u << (i & 7));
}

static inline span view_span(const vector *v, uint32_t i)
{
    const view *w = (const view *)v->data + i;
    const uint8_t *p = w->len <= VIEW_INLINE ? (const uint8_t *)w->inlined
                                             : v->heaps.at[w->heap]->data + w->offset;
    return (span){p, (size_t)w->len};
}
/* Value i of a flat vector as bytes: a view's text, else `width` bytes. */
static inline span flat_span(const vector *v, uint32_t i)
{
    if (type_is_view(&v->type))
        return view_span(v, i);
    return (span){v->data + (size_t)i * v->type.width, v->type.width};
}
static inline bool vector_is_valid(const vector *v, uint32_t i)
{
    return !v->validity || bit_get(v->validity, i);
}
/* A view over more than VIEW_INLINE bytes at heaps[heap]->data + offset. */
static inline view view_long(const uint8_t *p, uint32_t len, int32_t heap, int32_t offset)
{
    view w = {.len_ = (int32_t)len, .heap = heap, .offset = offset};

    memcpy(w.prefix, p, sizeof w.prefix);
    return w;
}
/* The same over any number of bytes. */
static inline view view_make(const uint8_t *p, int32_t len, int32_t heap, int32_t offset)
{
    view w = {.len = len};

    if (len > VIEW_INLINE)
        return view_long(p, (uint32_t)len, heap, offset);
    memcpy(w.inlined, p, (size_t)len);
    return w;
}

static inline const uint32_t *vector_offsets(const vector *v)
{
    return (const uint32_t *)(const void *)v->data;
}

/* One value of any form, resolved: for readers that look at single rows (printing, slow paths).
 * *null is set for nulls. The bytes live as long as the vector. Nested ones have no bytes. */
span vector_value(const vector *v, uint32_t row, bool *null);

/* Row `row` of any vector as a flat vector of one row that shares nothing with it. With `a` all of
 * it lies in the arena, which must outlive all that shares it; else it is charged to m. */
nrw_status vector_constant(const vector *v, uint32_t row, arena *a, mem *m, vector *out,
                           nrw_error *err);
/* Rows idx[0..n) of a vector of any form, in any order and as often as named, as a flat one whose
 * text shares the heaps of v; VECTOR_NULL gives a null. */
#define VECTOR_NULL UINT32_MAX
nrw_status vector_pick(const vector *v, const uint32_t *idx, uint32_t n, mem *m, vector *out,
                       nrw_error *err);

/* Checks every invariant above; used by tests and by debug builds at each door. */
nrw_status vector_validate(const vector *v, nrw_error *err);

#endif
