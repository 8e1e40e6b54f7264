/* The way from a column to a leaf is a row of spaces: space 0 holds the column's rows, each list or
 * map on the way opens the next one, which holds the elements of all lists in one row of numbers.
 * Structs stay in their space. In every space but the last a row is a list, or ends on the way to
 * it at a null; in the last it is a value or a null.
 *
 * A cursor a space says which rows of it belong to the list being walked; a row that holds elements
 * puts the next space's cursor on them. So the walk can stop anywhere. What is null in the last
 * space is looked at once for a whole piece. */
#include "format/parquet/shred.h"
#include "kernel/kernel.h"

enum {
    ENTRIES_MOST = 8192,
    ENTRIES_LEAST = 64,
    VALUE_BYTES = 128 << 10, /* of a piece, where runs are written out */
    BROKEN = 255             /* definition level of a null that must not be */
};

/* A node that may be null. */
typedef struct check {
    const vector *v;
    uint32_t run; /* of runs: where the last look ended */
    uint8_t def;  /* level of such a null */
} check;

typedef struct space {
    const vector *list; /* what each row is if nothing on the way is null; NULL: the leaf */
    uint32_t row, end;
    uint32_t first_check, n_checks;
    uint8_t full; /* level where nothing is null */
} space;

struct pq_shred {
    mem *m;
    size_t size;
    space *spaces;
    check *checks;
    uint32_t n_spaces, n_checks;
    const vector *leaf; /* the values */
    uint32_t cap;       /* entries of a piece */
    bool views;

    uint32_t depth; /* the space being walked */
    uint8_t next;   /* repetition level of the next entry */
    bool broken;

    uint32_t n;             /* entries of the piece */
    uint32_t first, n_rows; /* rows of the last space in it */
    pq_levels piece;
    vector expanded;
    uint8_t *def, *rep, *row_def, *marks, *bits;
};

/* ---- life ---- */

static uint32_t entries_of(const type *t)
{
    uint32_t fit = VALUE_BYTES / (t->width ? t->width : 1);
    return fit < ENTRIES_LEAST ? ENTRIES_LEAST : fit > ENTRIES_MOST ? ENTRIES_MOST : fit;
}

/* Four arrays of bytes and one of bits, each with slack for kernels. */
static size_t shred_size(uint32_t deepest)
{
    const size_t slack = 64;
    return sizeof(pq_shred) + (deepest + 1) * (sizeof(space) + sizeof(check)) +
           4 * (ENTRIES_MOST + slack) + ENTRIES_MOST / 8 + slack;
}

uint64_t pq_shred_most(const pq_wleaf *leaf)
{
    const type *t = &leaf->field->type;
    return shred_size(leaf->n_path) + (uint64_t)entries_of(t) * t->width + 4096;
}

nrw_status pq_shred_new(mem *m, const pq_leaves *leaves, pq_shred **out, nrw_error *err)
{
    uint32_t deepest = 0;
    void *p;
    *out = NULL;
    for (uint32_t i = 0; i < leaves->n; i++)
        deepest = leaves->at[i].n_path > deepest ? leaves->at[i].n_path : deepest;
    size_t size = shred_size(deepest);
    TRY(mem_zalloc(m, size, &p, err));
    pq_shred *s = p;
    s->m = m;
    s->size = size;
    s->spaces = (space *)(s + 1);
    s->checks = (check *)(s->spaces + deepest + 1);
    s->def = (uint8_t *)(s->checks + deepest + 1);
    s->rep = s->def + ENTRIES_MOST + 64;
    s->row_def = s->rep + ENTRIES_MOST + 64;
    s->marks = s->row_def + ENTRIES_MOST + 64;
    s->bits = s->marks + ENTRIES_MOST + 64;
    *out = s;
    return NRW_OK;
}

void pq_shred_free(pq_shred *s)
{
    if (!s)
        return;
    vector_release(&s->expanded);
    mem_free(s->m, s, s->size);
}

/* ---- the way ---- */

/* A node of the space: whether it can be null, and the level of what is in it. */
static void add_node(pq_shred *s, const vector *v, bool nullable, uint8_t *def)
{
    space *sp = &s->spaces[s->n_spaces - 1];
    if (v->null_count) {
        s->checks[s->n_checks++] = (check){.v = v, .def = nullable ? *def : BROKEN};
        sp->n_checks++;
    }
    *def += nullable;
}

static void add_space(pq_shred *s)
{
    s->spaces[s->n_spaces++] = (space){.first_check = s->n_checks};
}

uint64_t pq_shred_begin(pq_shred *s, const pq_wleaf *leaf, const field *column, const vector *v)
{
    const type *t = &column->type;
    bool nullable = column->nullable;
    uint64_t rows = v->len;
    uint8_t def = 0;
    s->n_spaces = s->n_checks = s->depth = 0;
    s->next = 0;
    s->broken = false;
    s->first = s->n_rows = 0;
    add_space(s);
    s->spaces[0].end = v->len;
    for (uint32_t i = 0; i < leaf->n_route; i++) {
        add_node(s, v, nullable, &def);
        uint32_t child = leaf->route[i];
        if (t->id != TYPE_STRUCT) {
            s->spaces[s->n_spaces - 1].list = v;
            s->spaces[s->n_spaces - 1].full = def++;
            add_space(s);
            rows += v->children[child].len;
        }
        nullable = t->children[child].nullable && !(t->id == TYPE_MAP && child == 0);
        t = &t->children[child].type;
        v = &v->children[child];
    }
    s->piece.row_def = s->n_spaces > 1 ? (uint8_t)(s->spaces[s->n_spaces - 2].full + 1) : 0;
    add_node(s, v, nullable, &def);
    s->spaces[s->n_spaces - 1].full = def;
    s->leaf = v;
    s->cap = entries_of(t);
    return rows;
}

/* ---- entries ---- */

/* Level of a row that is a list: full, or that of the outermost null on the way to it. */
static uint8_t list_level(const pq_shred *s, const space *sp, uint32_t row)
{
    const check *c = s->checks + sp->first_check;
    for (uint32_t i = 0; i < sp->n_checks; i++)
        if (!bit_get(c[i].v->validity, row))
            return c[i].def;
    return sp->full;
}

/* Rows of the space above the last: the elements of each list are entries at once, as long as they
 * fit. All entries of the piece have the highest levels beforehand. */
static void walk_lists(pq_shred *s, space *sp)
{
    const uint32_t *offset = vector_offsets(sp->list);
    uint8_t level = (uint8_t)s->depth, next = s->next;
    uint32_t n = s->n, row = sp->row;
    while (row < sp->end && n < s->cap) {
        uint32_t at = offset[row], len = offset[row + 1] - at;
        uint8_t def = sp->n_checks ? list_level(s, sp, row) : sp->full;
        row++;
        if (def != sp->full || !len) {
            s->broken |= def == BROKEN;
            s->def[n] = def;
            s->rep[n++] = next;
            next = level;
            continue;
        }
        if (len > s->cap - n) {
            sp[1].row = at;
            sp[1].end = at + len;
            s->depth++;
            break;
        }
        s->rep[n] = next;
        next = level;
        n += len;
        s->n_rows += len;
    }
    s->n = n;
    s->next = next;
    sp->row = row;
}

/* One row of a space further above. */
static void walk_list(pq_shred *s, space *sp)
{
    uint32_t row = sp->row++;
    const uint32_t *offset = vector_offsets(sp->list) + row;
    uint8_t def = list_level(s, sp, row);
    if (def == sp->full && offset[0] < offset[1]) {
        sp[1].row = offset[0];
        sp[1].end = offset[1];
        s->depth++;
        return;
    }
    s->broken |= def == BROKEN;
    s->def[s->n] = def;
    s->rep[s->n++] = s->next;
    s->next = (uint8_t)s->depth;
}

/* Rows of the last space. */
static void walk_values(pq_shred *s, space *sp)
{
    uint32_t left = sp->end - sp->row, room = s->cap - s->n, n = left < room ? left : room;
    s->rep[s->n] = s->next;
    s->next = (uint8_t)s->depth;
    s->n += n;
    s->n_rows += n;
    sp->row += n;
}

static void walk(pq_shred *s)
{
    uint32_t last = s->n_spaces - 1;
    while (s->n < s->cap) {
        space *sp = &s->spaces[s->depth];
        if (sp->row == sp->end) {
            if (!s->depth)
                return;
            s->next = (uint8_t)--s->depth;
        } else if (s->depth == last) {
            walk_values(s, sp);
        } else if (s->depth + 1 == last) {
            walk_lists(s, sp);
        } else {
            walk_list(s, sp);
        }
    }
}

/* ---- nulls of the last space ---- */

/* Where the node is null, the rows have its level. */
static void mark_runs(pq_shred *s, check *c)
{
    const vector *v = c->v;
    const uint32_t *ends = (const uint32_t *)(const void *)v->data;
    uint32_t row = s->first, end = s->first + s->n_rows;
    while (c->run < v->n_runs && ends[c->run] <= row)
        c->run++;
    for (uint32_t run = c->run; row < end; run++) {
        uint32_t to = ends[run] < end ? ends[run] : end;
        if (!vector_is_valid(v->values, run))
            memset(s->row_def + (row - s->first), c->def, to - row);
        row = to;
    }
}

static void mark_nulls(pq_shred *s, check *c)
{
    if (c->v->form == VECTOR_RUNS) {
        mark_runs(s, c);
        return;
    }
    if (!c->v->validity) { /* the null type */
        memset(s->row_def, c->def, s->n_rows);
        return;
    }
    kernels_get()->bits_to_bytes(c->v->validity, s->first, s->n_rows, s->marks);
    for (uint32_t i = 0; i < s->n_rows; i++) {
        uint8_t there = (uint8_t)-s->marks[i];
        s->row_def[i] = (uint8_t)((s->row_def[i] & there) | (c->def & ~there));
    }
}

/* Levels of the rows in the piece, the outermost null being the one that counts; returns how many
 * are values. */
static uint32_t level_rows(pq_shred *s, const space *sp)
{
    uint32_t there = 0;
    if (!sp->n_checks)
        return s->n_rows;
    memset(s->row_def, sp->full, s->n_rows);
    for (uint32_t i = sp->n_checks; i-- > 0;)
        mark_nulls(s, &s->checks[sp->first_check + i]);
    for (uint32_t i = 0; i < s->n_rows; i++) {
        s->marks[i] = s->row_def[i] == sp->full;
        there += s->marks[i];
    }
    if (there < s->n_rows && memchr(s->row_def, BROKEN, s->n_rows))
        s->broken = true;
    return there;
}

/* From rows to the entries that have one. */
static void spread_levels(pq_shred *s)
{
    uint32_t row = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        bool has = s->def[i] >= s->piece.row_def;
        s->def[i] = has ? s->row_def[row] : s->def[i];
        row += has;
    }
}

/* The rows of the piece as a vector: what lies in the leaf, seen through the nulls of all nodes. */
static nrw_status take_values(pq_shred *s, uint32_t there, nrw_error *err)
{
    vector *v = &s->piece.values;
    *v = *s->leaf;
    if (v->form == VECTOR_RUNS) {
        vector part;
        TRY(vector_slice(s->leaf, s->first, s->n_rows, s->m, &part, err));
        nrw_status st = vector_expand(&part, s->m, &s->expanded, err);
        vector_release(&part);
        TRY(st);
        *v = s->expanded;
    } else {
        size_t width = v->form == VECTOR_DICT ? sizeof(uint32_t) : v->type.width;
        v->data = v->data ? v->data + s->first * width : NULL;
    }
    v->len = s->n_rows;
    v->null_count = s->n_rows - there;
    v->validity = NULL;
    if (there < s->n_rows) {
        kernels_get()->bytes_to_bits(s->marks, s->n_rows, s->bits);
        v->validity = s->bits;
    }
    return NRW_OK;
}

nrw_status pq_shred_next(pq_shred *s, pq_levels **out, nrw_error *err)
{
    const space *last = &s->spaces[s->n_spaces - 1];
    pq_levels *p = &s->piece;
    *out = NULL;
    vector_release(&s->expanded);
    s->first += s->n_rows;
    s->n = s->n_rows = 0;
    if (s->n_spaces > 1)
        memset(s->rep, (int)s->n_spaces - 1, s->cap);
    memset(s->def, last->full, s->cap);
    walk(s);
    if (!s->n)
        return NRW_END;
    uint32_t there = level_rows(s, last);
    if (s->broken)
        return err_set(err, NRW_E_VALUE, "a null in a column that has none by its schema");
    TRY(take_values(s, there, err));
    p->n = s->n;
    p->rep = s->n_spaces > 1 ? s->rep : NULL;
    p->max_def = last->full;
    p->all = there == s->n;
    p->at = p->row = 0;
    if (last->n_checks && s->n_rows == s->n) {
        p->def = s->row_def;
    } else {
        if (last->n_checks)
            spread_levels(s);
        p->def = s->def;
    }
    *out = p;
    return NRW_OK;
}
