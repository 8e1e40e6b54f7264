/* Parts of the hashes are put together: each by itself, and cut where it is too large for that. */
#include "exec/group_own.h"

#include "base/text.h"

/* ---- those that wait ---- */

static nrw_status todo_put(group_todo *t, mem *m, const group_part *part, nrw_error *err)
{
    void *p = t->at;
    uint32_t i;

    if (t->n == t->cap) {
        uint32_t cap = t->cap + 2 * GROUP_CUT;
        TRY(mem_realloc(m, &p, t->cap * sizeof *part, cap * sizeof *part, err));
        t->at = p;
        t->cap = cap;
    }
    for (i = t->n++; i > 0 && t->at[i - 1].first < part->first; i--)
        t->at[i] = t->at[i - 1];
    t->at[i] = *part;
    return NRW_OK;
}

nrw_status group_todo_add(op_group *o, group_todo *t, group_part *parts, uint32_t n, nrw_error *err)
{
    nrw_status st = NRW_OK;

    while (n > 0) {
        group_part *part = &parts[--n];
        if (st >= 0 && (part->bytes || o->merges))
            st = todo_put(t, o->m, part, err);
        if (st < 0)
            group_part_free(o, part);
    }
    return st;
}

void group_todo_free(op_group *o, group_todo *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        group_part_free(o, &t->at[i]);
    mem_free(o->m, t->at, t->cap * sizeof *t->at);
    *t = (group_todo){0};
}

/* ---- cut ---- */

static uint64_t whole_share(const op_group *o)
{
    return o->spec.memory / o->spec.workers;
}

/* Of so many bits that the blocks under construction take a part of the share. */
static uint32_t cut_bits(const op_group *o)
{
    uint32_t bits = 1;

    while (bits < GROUP_CUT_BITS && ((uint64_t)4 * GROUP_BLOCK << bits) < whole_share(o) / 3)
        bits++;
    return bits;
}

/* Rows and slots beside them are what there is, mostly. Others gather meanwhile, where there are
 * marks; what hangs from states takes more than it is saved as, most of all sets. */
static bool is_large(const op_group *o, const group_part *part)
{
    const uint64_t share = whole_share(o);

    if (!o->shape.saves && !o->spec.marks)
        return part->bytes + group_slots_for(part->rows) > share - share / 4;
    return part->bytes > share / (o->spec.marks || o->copies ? 8 : 3);
}

bool group_is_cut(const op_group *o, const group_part *part)
{
    return is_large(o, part) && part->differ && part->bits + cut_bits(o) <= 64;
}

bool group_is_wide(const op_group *o, const group_part *part)
{
    return is_large(o, part) && !group_is_cut(o, part);
}

nrw_status group_cut(op_group *o, group_worker *w, group_part *part, group_part *out, uint32_t *n,
                     nrw_error *err)
{
    const uint32_t bits = cut_bits(o);
    nrw_status st;

    *n = 1u << bits;
    rows_release(&w->read);
    st = group_split(o, w, part, bits, out, err);
    group_part_free(o, part);
    for (uint32_t k = 0; st < 0 && k < *n; k++)
        group_part_free(o, &out[k]);
    return st;
}

/* ---- out of the spill file ---- */

static nrw_status too_large(const op_group *o, nrw_error *err)
{
    char most[TEXT_NUMBER];

    err_next(err, "give more --memory");
    return err_set(err, NRW_E_MEMLIMIT,
                   "what is gathered of one group takes more than the %s there is for it",
                   text_size(o->spec.memory, most));
}

nrw_status group_put_together(op_group *o, group_worker *w, group_part *part, nrw_error *err)
{
    const bool wide = group_is_wide(o, part);
    const int how = !wide ? GROUP_ADOPT : group_keeps(o) ? GROUP_KEEP : GROUP_COPY;
    nrw_status st;

    w->walked = &w->table;
    group_table_narrow(&w->table, part->bits);
    st = group_load(o, w, part, how, err);
    if (how == GROUP_KEEP) {
        w->kept = *part;
        *part = (group_part){0};
    } else {
        group_part_free(o, part);
    }
    if (st == NRW_E_MEMLIMIT && wide && o->hang) {
        *err = (nrw_error)NRW_ERROR_INIT;
        return too_large(o, err);
    }
    TRY(st);
    group_table_order(&w->table, 64);
    return NRW_OK;
}

/* ---- out of the workers' tables ---- */

nrw_status group_merged_new(op_group *o, group_worker *w, nrw_error *err)
{
    void *p;

    TRY(mem_zalloc(o->m, sizeof *w->walked, &p, err));
    w->walked = p;
    group_table_init(w->walked, &o->shape, o->m, o->m);
    return NRW_OK;
}

/* Rows stay their tables': only the slots go. */
void group_merged_free(op_group *o, group_worker *w)
{
    if (!w->walked || w->walked == &w->table)
        return;
    mem_free(o->m, w->walked->slots, group_table_slots_bytes(w->walked));
    mem_free(o->m, w->walked, sizeof *w->walked);
    w->walked = NULL;
}

void group_walked_free(op_group *o, group_worker *w)
{
    if (w->walked == &w->table) {
        group_table_release(&w->table);
        rows_clear(&w->read);
        group_part_free(o, &w->kept);
    }
    group_merged_free(o, w);
    w->walked = NULL;
}

/* Without keys there is one group, also where no row came. */
static nrw_status lone_group(op_group *o, group_worker *w, nrw_error *err)
{
    rows scratch = {.m = o->m};
    uint8_t *key, *row;
    uint64_t zero = 0;
    nrw_status st = rows_add(&scratch, &o->shape.keys, NULL, 1, &zero, o->m, &key, err);

    if (st >= 0)
        st = group_table_find(&w->table, key, &row, err);
    rows_release(&scratch);
    return st;
}

static uint64_t groups_of_all(const op_group *o)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < o->spec.workers; i++)
        n += o->workers[i].table.n;
    return n;
}

/* Merged into the first worker's own rows, by a table without rows. */
nrw_status group_merge_tables(op_group *o, group_worker *w, const group_part *part, nrw_error *err)
{
    const uint32_t bits = part->bits;
    uint64_t groups = groups_of_all(o);
    group_table *merged;

    if (o->spec.n_keys == 0 && groups == 0)
        TRY(lone_group(o, w, err));
    TRY(group_merged_new(o, w, err));
    merged = w->walked;
    group_table_narrow(merged, bits);
    if (bits) /* an eighth more than are in a part on average */
        TRY(group_table_reserve(merged, (groups >> bits) * 9 / 8, err));
    for (uint32_t i = 0; i < o->spec.workers; i++) {
        const group_table *t = &o->workers[i].table;
        uint64_t at = bits ? group_table_slot(t, part->first) : 0;
        uint8_t *row;
        while (group_table_next(t, &at, &row)) {
            uint64_t first = bits ? row_hash(row) >> (64 - bits) << (64 - bits) : 0;
            if (first > part->first)
                break;
            if (first == part->first)
                TRY(group_table_adopt(merged, row, err));
        }
    }
    group_table_order(merged, 64);
    return NRW_OK;
}
