#include "exec/group_taking.h"
#include "exec/hash_rows.h"

/* What t's rows may take beside the table. With marks the blocks by which it goes away, too: under
 * construction, packed, written. */
static uint64_t hangs_of(const group_taking *t)
{
    const op_group *o = t->o;
    uint64_t grows = o->spec.marks ? mem_used(o->m) / o->spec.workers : mem_used(t->w->m);

    if (!o->hang)
        return 0;
    return t->hangs + (o->copies ? grows / 2 : 0) +
           (o->spec.marks ? 3 * group_block_bytes(o, FLUSH_BLOCKS) : 0);
}

bool group_room_to_hang(const group_taking *t)
{
    uint64_t hangs = hangs_of(t);

    return !hangs || (t->o->spec.marks ? group_fair_room(t->o) : group_room(t->o, t->w)) > hangs;
}

/* What t's new groups may take. */
static uint64_t room_of(const group_taking *t)
{
    uint64_t room = group_room(t->o, t->w), hangs = t->o->spec.marks ? 0 : hangs_of(t);

    return room > hangs ? room - hangs : 0;
}

/* The block by which the table goes to the spill file is there beforehand: what hangs is more at
 * times than was reckoned with, and then there is no room for it. */
static nrw_status keep_block(op_group *o, group_worker *w, nrw_error *err)
{
    if (!o->hang || o->spec.marks)
        return NRW_OK;
    return bytes_reserve(&w->out, group_block_bytes(o, FLUSH_BLOCKS) - w->out.len, err);
}

/* What hangs from states lies beside the table: where there is no room for it, all goes to the
 * spill file. */
nrw_status group_make_room_to_hang(group_taking *t, nrw_error *err)
{
    TRY(keep_block(t->o, t->w, err));
    if (t->w->table.n == 0 || group_room_to_hang(t))
        return NRW_OK;
    return group_send_away(t->o, t->w, t->b, err);
}

nrw_status group_make_room(group_taking *t, uint64_t groups, uint64_t bytes, nrw_error *err)
{
    group_worker *w = t->w;

    TRY(group_make_room_to_hang(t, err));
    if (w->table.n == 0 || group_table_growth(&w->table, groups, bytes) <= room_of(t))
        return NRW_OK;
    return group_send_away(t->o, w, t->b, err);
}

static void hash_keys(const vector *const *keys, uint32_t n_keys, uint32_t rows, uint64_t *hashes)
{
    for (uint32_t c = 0; c < n_keys; c++)
        hash_vector(keys[c], rows, c > 0, hashes);
}

/* Of all of t's rows, into t->numbers. */
static void hash_all(group_taking *t, const vector *const *keys)
{
    if (t->hashes)
        for (uint32_t i = 0; i < t->rows; i++)
            t->numbers[i] = t->hashes[t->sel[i]];
    else
        hash_keys(keys, t->o->spec.n_keys, t->rows, t->numbers);
}

/* Their hashes are t->numbers. */
static nrw_status encode_hashed(group_taking *t, const row_layout *l, const vector *const *keys,
                                uint32_t n, uint8_t **out, nrw_error *err)
{
    rows_clear(&t->w->scratch);
    return rows_add(&t->w->scratch, l, keys, n, t->numbers, t->b->m, out, err);
}

nrw_status group_encode_some(group_taking *t, const vector *const *keys, const uint16_t *sel,
                             uint32_t n, uint8_t **rows, nrw_error *err)
{
    const uint32_t n_keys = t->o->spec.n_keys;
    const vector *at[n_keys];
    mem *m = t->b->m;
    vector *some;
    nrw_status st;

    TRY(mem_zalloc(m, n_keys * sizeof *some, (void **)&some, err));
    for (uint32_t c = 0; c < n_keys; c++) {
        TRY_OUT(vector_take(keys[c], sel, n, m, &some[c], err));
        at[c] = &some[c];
    }
    hash_keys(at, n_keys, n, t->numbers);
    st = encode_hashed(t, &t->o->shape.keys, at, n, rows, err);
out:
    for (uint32_t c = 0; c < n_keys; c++)
        vector_release(&some[c]);
    mem_free(m, some, n_keys * sizeof *some);
    return st;
}

/* Each row is a group, but for those of one key that follow each other, if they are not bare. */
static nrw_status find_none(group_taking *t, const vector *const *keys, nrw_error *err)
{
    const row_layout *l = &t->o->shape.layout;

    t->passing = true;
    hash_all(t, keys);
    TRY(encode_hashed(t, l, keys, t->rows, t->states, err));
    for (uint32_t i = 1; i < t->rows && !t->o->shape.bares; i++)
        if (row_hash(t->states[i]) == row_hash(t->states[i - 1]) &&
            span_equal(row_values(l, t->states[i]), row_values(l, t->states[i - 1])))
            t->states[i] = t->states[i - 1];
    return NRW_OK;
}

/* t->states: groups that are there, NULL where none was found; where hashes tell keys, no row is
 * looked at for it. */
static nrw_status find_known(group_taking *t, const vector *const *keys, nrw_error *err)
{
    const row_layout *l = &t->o->shape.layout;

    group_table_find_hashes(&t->w->table, t->numbers, t->rows, t->states);
    if (!l->hash_tells)
        return rows_match(l, keys, t->rows, t->b->m, t->states, err);
    for (uint32_t i = 0; i < t->rows; i++)
        if (t->numbers[i] == HASH_OF_NULL)
            t->states[i] = NULL;
    return NRW_OK;
}

static uint32_t list_missing(const group_taking *t, uint16_t *sel)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < t->rows; i++) {
        sel[n] = (uint16_t)i;
        n += !t->states[i];
    }
    return n;
}

/* The keys of all rows are made rows. */
static nrw_status find_encoded(group_taking *t, const vector *const *keys, uint32_t *found,
                               nrw_error *err)
{
    TRY(encode_hashed(t, &t->o->shape.keys, keys, t->rows, t->states, err));
    return group_table_find_all(&t->w->table, t->numbers, t->states, t->rows, room_of(t), found,
                                err);
}

/* Those alone whose group is missing. */
static nrw_status find_missing(group_taking *t, const vector *const *keys, const uint16_t *missing,
                               uint32_t n, uint32_t *found, nrw_error *err)
{
    uint8_t **rows;
    uint32_t some = 0;
    nrw_status st;

    TRY(mem_alloc(t->b->m, n * sizeof *rows, (void **)&rows, err));
    st = group_encode_some(t, keys, missing, n, rows, err);
    if (st >= 0)
        st = group_table_find_all(&t->w->table, t->numbers, rows, n, room_of(t), &some, err);
    for (uint32_t k = 0; k < some; k++)
        t->states[missing[k]] = rows[k];
    *found = some < n ? missing[some] : t->rows;
    mem_free(t->b->m, rows, n * sizeof *rows);
    return st;
}

/* *found: of how many rows; the next one's group has no room beside the others. */
static nrw_status find_each(group_taking *t, const vector *const *keys, uint32_t *found,
                            nrw_error *err)
{
    mem *m = t->b->m;
    uint16_t *missing;
    uint32_t n;
    nrw_status st;

    TRY(group_make_room_to_hang(t, err));
    hash_all(t, keys);
    TRY(find_known(t, keys, err));
    TRY(mem_alloc(m, t->rows * sizeof *missing, (void **)&missing, err));
    n = list_missing(t, missing);
    st = n == 0            ? NRW_OK
         : n > t->rows / 2 ? find_encoded(t, keys, found, err)
                           : find_missing(t, keys, missing, n, found, err);
    mem_free(m, missing, t->rows * sizeof *missing);
    return st;
}

static nrw_status find_by_keys(group_taking *t, const vector *const *keys, uint32_t *found,
                               nrw_error *err)
{
    uint64_t n_codes = 1, entries = 0;
    bool booked = false;

    if (t->o->spec.marks && !t->w->mixed) {
        bool rise;
        TRY(group_find_runs(t, keys, &rise, err));
        if (rise)
            return NRW_OK;
    }
    for (uint32_t c = 0; c < t->o->spec.n_keys; c++) {
        entries += group_codes(keys[c]);
        if (n_codes <= t->rows)
            n_codes *= group_codes(keys[c]);
    }
    if (n_codes <= t->rows / 2)
        return group_find_few(t, keys, (uint32_t)n_codes, err);
    if (t->w->passing)
        return find_none(t, keys, err);
    if (entries <= t->rows) /* many combinations of few values */
        TRY(group_find_in_book(t, keys, &booked, err));
    return booked ? NRW_OK : find_each(t, keys, found, err);
}

/* Without keys all rows are one group. */
static nrw_status find_one(group_taking *t, nrw_error *err)
{
    TRY(group_make_room_to_hang(t, err));
    if (!t->w->lone) {
        t->numbers[0] = 0;
        TRY(encode_hashed(t, &t->o->shape.keys, NULL, 1, t->states, err));
        TRY(group_table_find(&t->w->table, t->states[0], &t->w->one, err));
        t->w->lone = true;
    }
    t->states[0] = t->w->one;
    return NRW_OK;
}

nrw_status group_find(group_taking *t, const vector *const *keys, uint32_t *found, nrw_error *err)
{
    *found = t->rows;
    return t->o->spec.n_keys == 0 ? find_one(t, err) : find_by_keys(t, keys, found, err);
}
