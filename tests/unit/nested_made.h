/* Nested columns made at random, and column chunks made of them: an encoder of its own, so that
 * what the reader gives can be compared with what went in. For tests and the fuzz target. */
#ifndef NESTED_MADE_H
#define NESTED_MADE_H

#include "chunk_made.h"
#include "column/json_value.h"
#include "format/parquet/dec_level.h"

enum { NEST_LEAVES = 40, NEST_NODES = 100, NEST_ENOUGH = 5 };

typedef struct nest_slots {
    uint8_t *rep, *def;
    uint32_t n, cap;
    uint32_t *row; /* of the values: which entry of the vector; UINT32_MAX: none */
    const vector *v;
} nest_slots;

/* A column: its type, its tree, and what lies in memory for it. */
typedef struct nest {
    uint32_t seed;
    uint32_t n_nodes, n_leaves;
    pq_node nodes[NEST_NODES];
    field fields[NEST_NODES];
    pq_leaf leaves[NEST_LEAVES];
    nest_slots slots[NEST_LEAVES];
} nest;

static inline uint32_t nest_random(nest *k)
{
    k->seed = k->seed * 1664525u + 1013904223u;
    return k->seed >> 8;
}

/* ---- the tree ---- */

static inline void nest_leaf(nest *k, pq_node *out, uint8_t def, uint8_t rep)
{
    bool text = nest_random(k) % 2;
    out->field.type = type_of(text ? TYPE_UTF8 : TYPE_INT32);
    out->first_leaf = k->n_leaves;
    out->n_leaves = 1;
    k->leaves[k->n_leaves++] =
        (pq_leaf){.physical = text ? PQ_BYTE_ARRAY : PQ_INT32,
                  .max_def = def,
                  .max_rep = rep,
                  .nested = true,
                  .field = {.name = "leaf", .type = out->field.type, .nullable = true},
                  .path = "leaf",
                  .logical = ""};
}

static inline void nest_node(nest *k, pq_node *out, uint8_t def, uint8_t rep, int depth)
{
    uint32_t n = 0, kind = nest_random(k) % 4;
    bool optional = nest_random(k) % 3 > 0;
    uint32_t first = k->n_nodes;
    def = (uint8_t)(def + optional);
    *out = (pq_node){.def = def, .first_leaf = k->n_leaves};
    out->field = (field){.name = "f", .nullable = optional, .field_id = -1};
    if (depth == 0 || k->n_leaves > NEST_ENOUGH) /* its neighbours are leaves then */
        kind = 0;
    if (kind == 0) {
        nest_leaf(k, out, def, rep);
        return;
    }
    n = kind == 1 ? 1 : kind == 2 ? 2 : 1 + nest_random(k) % 3;
    k->n_nodes += n;
    if (kind < 3) {
        out->item_def = ++def;
        out->item_rep = ++rep;
    }
    for (uint32_t i = 0; i < n; i++) {
        nest_node(k, &k->nodes[first + i], def, rep, depth - 1);
        k->fields[first + i] = k->nodes[first + i].field;
        out->n_leaves += k->nodes[first + i].n_leaves;
    }
    out->children = &k->nodes[first];
    out->n_children = n;
    out->field.type = type_nested(kind == 1   ? TYPE_LIST
                                  : kind == 2 ? TYPE_MAP
                                              : TYPE_STRUCT,
                                  &k->fields[first], n);
}

/* A column that is no leaf by itself. */
static inline void nest_tree(nest *k, pq_node *top, int depth)
{
    do {
        k->n_nodes = k->n_leaves = 0;
        nest_node(k, top, 0, 0, depth);
    } while (top->n_children == 0);
}

/* ---- rows ---- */

static inline void nest_must(nrw_status st)
{
    if (st < 0)
        __builtin_trap();
}

static inline vector nest_leaf_rows(nest *k, mem *m, const pq_node *n, uint32_t rows,
                                    const bool *must)
{
    static const char words[] = "words of some length, longer than a view holds inside";
    vector v;
    buffer *heap;
    int32_t index = 0;
    nest_must(vector_flat(m, &n->field.type, rows, &v, NULL));
    nest_must(vector_add_validity(&v, NULL));
    memset(v.data, 0, (size_t)rows * n->field.type.width);
    if (n->field.type.id == TYPE_UTF8) {
        nest_must(buffer_new(m, sizeof words, &heap, NULL));
        memcpy(heap->data, words, sizeof words);
        nest_must(vector_add_heap(&v, heap, &index, NULL));
        buffer_unref(heap);
    }
    for (uint32_t i = 0; i < rows; i++) {
        uint32_t x = nest_random(k);
        if ((must && must[i]) || (n->field.nullable && x % 4 == 0)) {
            bit_clear(v.validity, i);
            v.null_count++;
        } else if (n->field.type.id == TYPE_UTF8) {
            ((view *)v.data)[i] =
                view_make((const uint8_t *)words + x % 8, (int32_t)(x / 8 % 45), index, x % 8);
        } else {
            store_u32(v.data + 4 * (size_t)i, x % 1000);
        }
    }
    v.len = rows;
    return v;
}

/* `must`: rows of a struct that is null. `long_one`: one list gets that many elements more. */
static inline vector nest_rows(nest *k, mem *m, const pq_node *n, uint32_t rows, const bool *must,
                               uint32_t long_one)
{
    vector v;
    uint32_t at = 0;
    bool list = n->item_rep > 0;
    if (n->n_children == 0)
        return nest_leaf_rows(k, m, n, rows, must);
    bool *null = calloc(rows + 1, 1);
    uint32_t longer = rows ? nest_random(k) % rows : 0;
    nest_must(vector_flat(m, &n->field.type, rows, &v, NULL));
    nest_must(vector_add_validity(&v, NULL));
    for (uint32_t i = 0; i < rows; i++) {
        null[i] = (must && must[i]) || (n->field.nullable && nest_random(k) % 5 == 0);
        if (null[i]) {
            bit_clear(v.validity, i);
            v.null_count++;
        } else if (list) {
            at += nest_random(k) % 4 + (i == longer ? long_one : 0);
        }
        if (list)
            ((uint32_t *)v.data)[i + 1] = at;
    }
    for (uint32_t c = 0; c < n->n_children; c++)
        v.children[c] = list ? nest_rows(k, m, &n->children[c], at, NULL, 0)
                             : nest_rows(k, m, &n->children[c], rows, null, long_one);
    v.len = rows;
    free(null);
    return v;
}

/* ---- slots ---- */

static inline void nest_slot(nest *k, uint32_t leaf, uint8_t rep, uint8_t def, uint32_t row)
{
    nest_slots *s = &k->slots[leaf];
    if (s->n == s->cap) {
        s->cap = s->cap ? 2 * s->cap : 256;
        s->rep = realloc(s->rep, s->cap);
        s->def = realloc(s->def, s->cap);
        s->row = realloc(s->row, s->cap * sizeof *s->row);
    }
    s->rep[s->n] = rep;
    s->def[s->n] = def;
    s->row[s->n++] = row;
}

static inline void nest_none(nest *k, const pq_node *n, uint8_t rep, uint8_t def)
{
    for (uint32_t i = 0; i < n->n_leaves; i++)
        nest_slot(k, n->first_leaf + i, rep, def, UINT32_MAX);
}

static inline void nest_shred(nest *k, const pq_node *n, const vector *v, uint32_t row, uint8_t rep,
                              uint8_t around)
{
    if (!vector_is_valid(v, row)) {
        nest_none(k, n, rep, around);
        return;
    }
    if (n->n_children == 0) {
        k->slots[n->first_leaf].v = v;
        nest_slot(k, n->first_leaf, rep, n->def, row);
        return;
    }
    if (!n->item_rep) {
        for (uint32_t c = 0; c < n->n_children; c++)
            nest_shred(k, &n->children[c], &v->children[c], row, rep, n->def);
        return;
    }
    const uint32_t *at = vector_offsets(v);
    for (uint32_t c = 0; c < n->n_children; c++) {
        if (at[row] == at[row + 1])
            nest_none(k, &n->children[c], rep, n->def);
        for (uint32_t i = at[row]; i < at[row + 1]; i++)
            nest_shred(k, &n->children[c], &v->children[c], i, i == at[row] ? rep : n->item_rep,
                       n->item_def);
    }
}

static inline void nest_free(nest *k)
{
    for (uint32_t i = 0; i < NEST_LEAVES; i++) {
        free(k->slots[i].rep);
        free(k->slots[i].def);
        free(k->slots[i].row);
        k->slots[i] = (nest_slots){0};
    }
}

/* ---- pages ---- */

static inline void nest_packed(made *b, const uint8_t *p, uint32_t n, uint32_t width, bool msb)
{
    uint64_t bits = 0;
    uint32_t have = 0;
    for (uint32_t i = 0; i < n; i++) {
        bits = msb ? bits << width | p[i] : bits | (uint64_t)p[i] << have;
        for (have += width; have >= 8; have -= 8) {
            made_byte(b, (unsigned)(msb ? bits >> (have - 8) : bits) & 255);
            bits = msb ? bits & ((1ull << (have - 8)) - 1) : bits >> 8;
        }
    }
    if (have)
        made_byte(b, (unsigned)(msb ? bits << (8 - have) : bits) & 255);
}

/* Runs and packed groups as they come. */
static inline void nest_hybrid(nest *k, made *b, const uint8_t *p, uint32_t n, uint32_t width)
{
    while (n) {
        uint32_t same = 1, take;
        while (same < n && p[same] == p[0])
            same++;
        if (same >= 8 || n < 8) {
            made_varint(b, (uint64_t)same << 1);
            made_byte(b, p[0]);
            p += same;
            n -= same;
            continue;
        }
        take = 8 * (1 + nest_random(k) % 6);
        if (take > n)
            take = n / 8 * 8;
        made_varint(b, (uint64_t)(take / 8) << 1 | 1);
        nest_packed(b, p, take, width, false);
        p += take;
        n -= take;
    }
}

enum { NEST_V1, NEST_V2, NEST_BIT_PACKED };

static inline void nest_levels(nest *k, made *b, const uint8_t *p, uint32_t n, uint8_t max, int how)
{
    made levels = {0};
    if (max == 0)
        return;
    if (how == NEST_BIT_PACKED)
        nest_packed(&levels, p, n, level_width(max), true);
    else
        nest_hybrid(k, &levels, p, n, level_width(max));
    if (how == NEST_V1)
        made_u32(b, (uint32_t)levels.n);
    made_put(b, levels.p, levels.n);
    made_free(&levels);
}

static inline void nest_value(made *b, const nest_slots *s, uint32_t row)
{
    span x = flat_span(s->v, row);
    if (s->v->type.id == TYPE_UTF8)
        made_u32(b, (uint32_t)x.len);
    made_put(b, x.data, x.len);
}

static inline void nest_page(nest *k, uint32_t leaf, uint32_t from, uint32_t n, int how, made *out)
{
    const nest_slots *s = &k->slots[leaf];
    const pq_leaf *l = &k->leaves[leaf];
    made b = {0};
    made_page h = {.type = how == NEST_V2 ? PQ_DATA_PAGE_V2 : PQ_DATA_PAGE,
                   .n_values = (int32_t)n,
                   .encoding = PQ_PLAIN,
                   .def_encoding = how == NEST_BIT_PACKED ? PQ_BIT_PACKED : PQ_RLE};
    h.rep_encoding = h.def_encoding;
    nest_levels(k, &b, s->rep + from, n, l->max_rep, how);
    h.rep_len = (int32_t)b.n;
    nest_levels(k, &b, s->def + from, n, l->max_def, how);
    h.def_len = (int32_t)b.n - h.rep_len;
    for (uint32_t i = from; i < from + n; i++) {
        h.n_rows += s->rep[i] == 0;
        h.n_nulls += s->def[i] < l->max_def;
        if (s->row[i] != UINT32_MAX)
            nest_value(&b, s, s->row[i]);
    }
    made_add(out, &h, &b);
    made_free(&b);
}

/* All pages of a leaf behind *out; pages v2 end where rows do. */
static inline pq_chunk nest_chunk(nest *k, uint32_t leaf, uint32_t most, int how, made *out)
{
    const nest_slots *s = &k->slots[leaf];
    pq_chunk c = {.codec = CODEC_NONE,
                  .start = (int64_t)out->n,
                  .n_values = s->n,
                  .offset_index_at = -1,
                  .dictionary_page_offset = -1};
    for (uint32_t at = 0, n; at < s->n; at += n) {
        int kind = how < 0 ? (int)(nest_random(k) % 3) : how;
        n = 1 + nest_random(k) % most;
        n = n < s->n - at ? n : s->n - at;
        if (kind == NEST_V2 || (how < 0 && at + n < s->n && s->rep[at + n]))
            while (at + n < s->n && s->rep[at + n])
                n++;
        nest_page(k, leaf, at, n, kind, out);
    }
    c.end = (int64_t)out->n;
    c.uncompressed = c.compressed = c.end - c.start;
    return c;
}

/* ---- comparing ---- */

static inline char *nest_text(mem *m, const vector *v, uint32_t row)
{
    bytes b = bytes_init(m, (size_t)1 << 26);
    json_sink s = {.out = &b};
    nest_must(json_value(&s, v, row, NULL));
    char *text = malloc(b.len + 1);
    memcpy(text, b.data, b.len);
    text[b.len] = 0;
    bytes_release(&b);
    return text;
}

#endif
