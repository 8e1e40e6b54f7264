#include "format/parquet/assemble.h"

#include "kernel/kernel.h"

typedef struct assembly {
    pq_leaf_part *leaves;
    uint32_t first; /* number of leaves[0] */
    uint32_t bad;   /* the leaf that a failure is about */
    mem *m;
    nrw_error *err;
} assembly;

/* What is around a node: an entry of it is a slot whose repetition level is at most `rep` and whose
 * definition level is at least `def`. */
typedef struct place {
    uint8_t rep, def;
    uint32_t entries;
} place;

static pq_leaf_part *leaf_of(const assembly *a, uint32_t leaf)
{
    return &a->leaves[leaf - a->first];
}

/* The structure of a node is taken from the leaf below it that has the fewest slots. */
static uint32_t shortest(const assembly *a, const pq_node *n)
{
    uint32_t best = n->first_leaf;
    for (uint32_t i = 1; i < n->n_leaves; i++)
        if (leaf_of(a, n->first_leaf + i)->slots < leaf_of(a, best)->slots)
            best = n->first_leaf + i;
    return best;
}

static nrw_status broken(assembly *a, uint32_t leaf, const char *what)
{
    a->bad = leaf;
    return err_set(a->err, NRW_E_CORRUPT, "%s", what);
}

static uint8_t level(const uint8_t *p, uint32_t i)
{
    return p ? p[i] : 0;
}

/* ---- leaves against each other ---- */

static bool same_defs(const uint8_t *x, const uint8_t *y, uint32_t n, uint8_t top)
{
    uint8_t differ = 0;
    if (x && y)
        return kernels_get()->levels_agree_u8(x, y, n, top);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t a = level(x, i), b = level(y, i);
        a = a < top ? a : top;
        b = b < top ? b : top;
        differ |= a ^ b;
    }
    return differ == 0;
}

/* The next slot from i on that is not inside of a deeper list. */
static uint32_t next_slot(const pq_leaf_part *p, uint32_t i, uint8_t rep)
{
    while (i < p->slots && level(p->reps, i) > rep)
        i++;
    return i;
}

/* Do both say the same of the levels up to rep and def? */
static bool same_shape(const pq_leaf_part *x, const pq_leaf_part *y, uint8_t rep, uint8_t def)
{
    uint32_t i = 0, j = 0;
    if (x->max_rep <= rep && y->max_rep <= rep)
        return x->slots == y->slots &&
               (!x->reps || !y->reps || memcmp(x->reps, y->reps, x->slots) == 0) &&
               (def == 0 || same_defs(x->defs, y->defs, x->slots, def));
    for (;;) {
        i = next_slot(x, i, rep);
        j = next_slot(y, j, rep);
        if (i == x->slots || j == y->slots)
            return i == x->slots && j == y->slots;
        uint8_t a = level(x->defs, i), b = level(y->defs, j);
        if (level(x->reps, i) != level(y->reps, j) || (a < def ? a : def) != (b < def ? b : def))
            return false;
        i++;
        j++;
    }
}

static nrw_status check_leaves(assembly *a, const pq_node *n, uint32_t than, uint8_t rep,
                               uint8_t def)
{
    for (uint32_t c = 0; c < n->n_children; c++) {
        uint32_t leaf = shortest(a, &n->children[c]);
        if (leaf != than && !same_shape(leaf_of(a, leaf), leaf_of(a, than), rep, def))
            return broken(a, leaf,
                          "the levels of this column and of its neighbour disagree on the "
                          "lists and structs that both are in");
    }
    return NRW_OK;
}

/* ---- slots as bits ---- */

#define BLOCK 2048 /* slots at a time */

typedef struct slot_bits {
    uint8_t at[BLOCK / 8 + BUFFER_SLACK];
} slot_bits;

/* Which of the n slots from i on have a level of at least `least`. */
static void bits_from(const uint8_t *levels, uint32_t i, uint32_t n, uint8_t least, slot_bits *out)
{
    if (levels)
        kernels_get()->levels_from_u8(levels + i, n, least, out->at);
    else
        memset(out->at, least ? 0 : 0xff, (n + 7) / 8);
}

/* Which of them are entries of a place; *deeper: which go on with an entry. */
static void entry_bits(const pq_leaf_part *p, uint32_t i, uint32_t n, place at, slot_bits *out,
                       slot_bits *deeper)
{
    bits_from(p->reps, i, n, at.rep + 1, deeper);
    bits_from(p->defs, i, n, at.def, out);
    for (uint32_t b = 0; b < n; b += 64)
        store_u64(out->at + b / 8, load_u64(out->at + b / 8) & ~load_u64(deeper->at + b / 8));
}

/* Entries whose level is below that of the node, for its k-th entry and those behind it. */
static void mark_nulls(const pq_leaf_part *p, uint32_t i, uint32_t n, uint8_t def,
                       const slot_bits *entries, uint32_t k, vector *v)
{
    slot_bits null;
    uint32_t which[BLOCK + 16], count;
    bits_from(p->defs, i, n, def, &null);
    for (uint32_t b = 0; b < n; b += 64)
        store_u64(null.at + b / 8, load_u64(entries->at + b / 8) & ~load_u64(null.at + b / 8));
    count = (uint32_t)kernels_get()->ranks(null.at, entries->at, n, k, which);
    for (uint32_t j = 0; j < count; j++)
        bit_clear(v->validity, which[j]);
    v->null_count += count;
}

/* ---- nodes ---- */

static nrw_status assemble(assembly *a, const pq_node *n, place at, vector *out);

static nrw_status children(assembly *a, const pq_node *n, place at, vector *out)
{
    for (uint32_t c = 0; c < n->n_children; c++)
        TRY(assemble(a, &n->children[c], at, &out->children[c]));
    return NRW_OK;
}

static void drop_full_bitmap(vector *v)
{
    if (v->null_count || !v->validity_buf)
        return;
    buffer_unref(v->validity_buf);
    v->validity_buf = NULL;
    v->validity = NULL;
}

static void struct_validity(const pq_leaf_part *p, const pq_node *n, place at, vector *v)
{
    slot_bits entries, deeper;
    uint32_t k = 0;
    for (uint32_t i = 0; i < p->slots; i += BLOCK) {
        uint32_t m = p->slots - i < BLOCK ? p->slots - i : BLOCK;
        entry_bits(p, i, m, at, &entries, &deeper);
        mark_nulls(p, i, m, n->def, &entries, k, v);
        k += (uint32_t)kernels_get()->popcount_bits(entries.at, 0, m);
    }
    v->len = at.entries;
}

static nrw_status assemble_struct(assembly *a, const pq_node *n, place at, vector *out)
{
    uint32_t leaf = shortest(a, n);
    TRY(check_leaves(a, n, leaf, at.rep, n->def));
    if (n->def > at.def) {
        TRY(vector_add_validity(out, a->err));
        struct_validity(leaf_of(a, leaf), n, at, out);
        drop_full_bitmap(out);
    }
    out->len = at.entries;
    return children(a, n, at, out);
}

/* Which slots are elements of the list. False: one goes on with a list that is null or empty, or
 * has no element to go on with. *empty: the last slot before these began such a list; of the first
 * ones it is true, for there is none to go on with. */
static bool element_bits(const pq_leaf_part *p, uint32_t i, uint32_t n, const pq_node *node,
                         const slot_bits *on, bool *empty, slot_bits *out)
{
    slot_bits deeper;
    uint64_t bad = 0, before = *empty;
    bits_from(p->reps, i, n, node->item_rep + 1, &deeper);
    bits_from(p->defs, i, n, node->item_def, out);
    for (uint32_t b = 0; b < n; b += 64) {
        uint64_t mask = n - b < 64 ? ((uint64_t)1 << (n - b)) - 1 : UINT64_MAX;
        uint64_t goes_on = load_u64(on->at + b / 8) & mask;
        uint64_t skip = load_u64(deeper.at + b / 8);
        uint64_t items = load_u64(out->at + b / 8) & ~skip & mask;
        uint64_t without = ~goes_on & ~items & mask;
        bad |= (goes_on & ~skip & ~items) | (goes_on & (without << 1 | before));
        before = without >> 63;
        store_u64(out->at + b / 8, items);
    }
    *empty = before;
    return bad == 0;
}

/* Offsets and validity of a list; false as above. */
static bool list_offsets(const pq_leaf_part *p, const pq_node *n, place at, vector *v,
                         uint32_t *elements)
{
    const kernels *kn = kernels_get();
    uint32_t *offsets = (uint32_t *)(void *)v->data;
    slot_bits entries, on, items;
    uint32_t k = 0, count = 0;
    bool empty = true;
    for (uint32_t i = 0; i < p->slots; i += BLOCK) {
        uint32_t m = p->slots - i < BLOCK ? p->slots - i : BLOCK;
        entry_bits(p, i, m, at, &entries, &on);
        if (!element_bits(p, i, m, n, &on, &empty, &items))
            return false;
        if (v->validity)
            mark_nulls(p, i, m, n->def, &entries, k, v);
        k += (uint32_t)kn->ranks(entries.at, items.at, m, count, offsets + k);
        count += (uint32_t)kn->popcount_bits(items.at, 0, m);
    }
    offsets[k] = count;
    *elements = count;
    return true;
}

static nrw_status assemble_list(assembly *a, const pq_node *n, place at, vector *out)
{
    uint32_t leaf = shortest(a, n);
    place inner = {n->item_rep, n->item_def, 0};
    TRY(check_leaves(a, n, leaf, n->item_rep, n->item_def));
    if (n->def > at.def)
        TRY(vector_add_validity(out, a->err));
    if (!list_offsets(leaf_of(a, leaf), n, at, out, &inner.entries))
        return broken(a, leaf, "a level goes on with a list that has no elements");
    drop_full_bitmap(out);
    out->len = at.entries;
    return children(a, n, inner, out);
}

static nrw_status assemble(assembly *a, const pq_node *n, place at, vector *out)
{
    if (n->n_children == 0) {
        pq_leaf_part *p = leaf_of(a, n->first_leaf);
        if (p->values.len != at.entries)
            return broken(a, n->first_leaf,
                          "the levels of this column and of its neighbour "
                          "disagree on how many elements there are");
        *out = p->values;
        p->values = (vector){0};
        return NRW_OK;
    }
    TRY(vector_flat(a->m, &n->field.type, at.entries, out, a->err));
    return n->field.type.id == TYPE_STRUCT ? assemble_struct(a, n, at, out)
                                           : assemble_list(a, n, at, out);
}

nrw_status pq_assemble(const pq_node *node, pq_leaf_part *leaves, uint32_t rows, mem *m,
                       vector *out, uint32_t *leaf, nrw_error *err)
{
    assembly a = {.leaves = leaves, .first = node->first_leaf, .m = m, .err = err};
    *out = (vector){0};
    nrw_status st = assemble(&a, node, (place){.entries = rows}, out);
    if (st < 0)
        vector_release(out);
    *leaf = a.bad ? a.bad : node->first_leaf;
    return st;
}
