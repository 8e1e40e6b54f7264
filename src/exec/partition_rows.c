/* A batch on its way to partitions: see op_partition.c. */
#include "exec/partition_own.h"

#include "base/hash.h"
#include "exec/dense.h"

/* ---- partitions of groups ---- */

static nrw_status add_part(part_work *w, uint32_t group, uint64_t hash, uint32_t *part,
                           nrw_error *err)
{
    op_partition *o = w->o;

    bytes_clear(&w->folder);
    TRY(key_groups_folder(&w->groups, group, o->spec.key_fields, &w->folder, err));
    pthread_mutex_lock(&o->lock);
    nrw_status st = part_table_add(&o->table, &o->env, (span){w->key.data, w->key.len}, hash,
                                   (span){w->folder.data, w->folder.len}, part, err);
    if (st == NRW_OK)
        st = folder_files_keep(&o->table.at[*part].files, &o->table.at[*part].kept, err);
    pthread_mutex_unlock(&o->lock);
    if (o->table.n == o->table.most)
        atomic_store_explicit(&o->full, true, memory_order_release);
    return st;
}

static nrw_status find_part(part_work *w, uint32_t group, bool add, nrw_error *err)
{
    op_partition *o = w->o;
    uint32_t part;

    bytes_clear(&w->key);
    TRY(key_groups_bytes(&w->groups, group, &w->key, err));
    uint64_t hash = hash_bytes(w->key.data, w->key.len);
    part = part_table_find(&o->table, (span){w->key.data, w->key.len}, hash);
    if (add && part == PART_NONE && o->table.n < o->table.most)
        TRY(add_part(w, group, hash, &part, err));
    w->of_group[group] = part == PART_NONE ? PART_SORTED : (uint16_t)part;
    if (part == PART_NONE)
        w->sorted += w->groups.at[group].rows;
    else
        w->share[part].rows += w->groups.at[group].rows;
    return NRW_OK;
}

nrw_status part_slice(part_work *w, uint32_t first, uint32_t *end, nrw_error *err)
{
    if (!w->whole)
        TRY(key_groups_make(&w->groups, first, w->rows, err));
    *end = first + w->groups.rows;
    return NRW_OK;
}

/* The partitions of all rows; those that are new are added. */
static nrw_status find_parts(part_work *w, bool add, nrw_error *err)
{
    for (uint32_t first = 0, end; first < w->rows; first = end) {
        TRY(part_slice(w, first, &end, err));
        for (uint32_t g = 0; g < w->groups.n; g++)
            TRY(find_part(w, g, add, err));
        const uint16_t *of_row = w->groups.of_row, *of_group = w->of_group;
        uint16_t *part = w->of_row + first;
        for (uint32_t i = 0; i < end - first; i++)
            part[i] = of_group[of_row[i]];
    }
    return NRW_OK;
}

static nrw_status open_writer(op_partition *o, direct_part *p, nrw_error *err)
{
    writer *to;
    nrw_status st = folder_files_go_on(&p->files, err);

    pthread_mutex_lock(&o->lock);
    if (st == NRW_OK)
        st = parquet_room_open(o->room, &p->files.files, &to, err);
    if (st == NRW_OK)
        p->writer = to;
    pthread_mutex_unlock(&o->lock);
    return st;
}

/* The rows have a place in their partition's writer, but for those that were written. */
static nrw_status give_number(op_partition *o, direct_part *p, part_share *s, nrw_error *err)
{
    s->kept = p->kept < s->rows ? (uint32_t)p->kept : s->rows;
    p->kept -= s->kept;
    if (s->kept == s->rows)
        return NRW_OK;
    s->number = p->next++;
    return p->writer ? NRW_OK : open_writer(o, p, err);
}

/* In the operator's turn. */
static nrw_status hand_out(part_work *w, bool found, nrw_error *err)
{
    op_partition *o = w->o;

    if (!found)
        TRY(find_parts(w, true, err));
    for (uint32_t p = 0; p < o->table.n; p++)
        if (w->share[p].rows)
            TRY(give_number(o, &o->table.at[p], &w->share[p], err));
    return NRW_OK;
}

static nrw_status take_turn(part_work *w, nrw_error *err)
{
    op_partition *o = w->o;
    bool found = atomic_load_explicit(&o->full, memory_order_acquire), last = w->b->last;
    nrw_status st = found ? find_parts(w, false, err) : NRW_OK;

    if (st == NRW_OK)
        st = turn_wait(&o->turn, w->b->morsel);
    if (st == NRW_OK)
        st = hand_out(w, found, err);
    if (st == NRW_OK && last)
        turn_done(&o->turn, w->b->morsel);
    return st;
}

/* ---- rows of a direct partition ---- */

static void order_rows(part_work *w)
{
    uint32_t next[PART_MOST], at = 0;
    const uint16_t *part = w->of_row;
    uint16_t *order = w->order;

    for (uint32_t p = 0; p < PART_MOST; p++) {
        w->share[p].start = next[p] = at;
        at += w->share[p].rows;
    }
    for (uint32_t i = 0; i < w->rows; i++)
        if (part[i] != PART_SORTED)
            order[next[part[i]]++] = (uint16_t)i;
}

nrw_status part_take(const part_work *w, const uint16_t *rows, uint32_t n, batch *to,
                     nrw_error *err)
{
    const op_partition *o = w->o;

    for (uint32_t c = 0; c < o->spec.written->n_fields; c++) {
        const vector *from = &w->columns[o->written_at[c]];
        vector v;
        TRY(rows ? vector_take(from, rows, n, to->m, &v, err) : vector_share(from, &v, err));
        TRY(dense_put(to, c, &v, err));
    }
    return NRW_OK;
}

/* Lays the rows of each column in the order of their partitions, which cut their parts of it.
 * Runs and nested columns are taken by each partition. The columns stay for rows that are sorted.
 */
static nrw_status deal(part_work *w, nrw_error *err)
{
    const op_partition *o = w->o;

    for (uint32_t c = 0; c < o->spec.written->n_fields; c++) {
        uint32_t at = o->written_at[c];
        vector *v = &w->columns[at];
        if (w->dealt[at].m || v->form == VECTOR_RUNS || type_is_nested(&v->type))
            continue;
        TRY(vector_permute(v, w->order, w->rows - w->sorted, w->b->m, &w->dealt[at], err));
        if (!w->sorted)
            vector_release(v);
    }
    return NRW_OK;
}

/* The partition's rows of the written columns as those of `to`. */
static nrw_status part_deal(const part_work *w, const part_share *s, batch *to, nrw_error *err)
{
    const op_partition *o = w->o;
    uint32_t first = s->start + s->kept, n = s->rows - s->kept;

    for (uint32_t c = 0; c < o->spec.written->n_fields; c++) {
        uint32_t at = o->written_at[c];
        vector v;
        if (w->dealt[at].m)
            TRY(vector_window(&w->dealt[at], first, n, to->m, &v, err));
        else
            TRY(vector_take(&w->columns[at], w->order + first, n, to->m, &v, err));
        TRY(dense_put(to, c, &v, err));
    }
    return NRW_OK;
}

static nrw_status push_direct(part_work *w, uint32_t part, nrw_error *err)
{
    op_partition *o = w->o;
    const part_share *s = &w->share[part];
    writer *to = o->table.at[part].writer;
    uint32_t n = o->spec.written->n_fields, rows = s->rows - s->kept;
    batch b;
    nrw_status st;

    TRY(dense_new(w->b, n, rows, &b, err));
    b.morsel = s->number;
    b.offset = 0;
    b.last = true;
    st = rows == w->rows ? part_take(w, NULL, rows, &b, err) : part_deal(w, s, &b, err);
    if (st == NRW_OK)
        st = to->class->push(to, &b, err);
    if (st < 0)
        err_at_object(err, o->table.at[part].files.folder);
    dense_free(&b, n);
    return st;
}

/* In the order of the partitions, which all workers keep: numbers below are at work or done, and
 * nobody waits for who stands behind. */
static nrw_status push_directs(part_work *w, nrw_error *err)
{
    uint32_t parts = 0;

    order_rows(w);
    for (uint32_t p = 0; p < PART_MOST; p++)
        parts += w->share[p].rows > 0;
    if (parts > 1)
        TRY(deal(w, err));
    for (uint32_t p = 0; p < PART_MOST; p++)
        if (w->share[p].rows > w->share[p].kept)
            TRY(push_direct(w, p, err));
    return NRW_OK;
}

/* ---- a batch ---- */

static void drop_dealt(part_work *w)
{
    for (uint32_t c = 0; c < w->o->n_taken; c++)
        vector_release(&w->dealt[c]);
}

static nrw_status write_groups(part_work *w, nrw_error *err)
{
    size_t bytes = 2 * (size_t)w->rows * sizeof *w->of_row;
    nrw_status st;
    void *p;

    TRY(mem_alloc(w->b->m, bytes, &p, err));
    w->of_row = p;
    w->order = w->of_row + w->rows;
    TRY_OUT(take_turn(w, err));
    TRY_OUT(push_directs(w, err));
    drop_dealt(w); /* its writers have copies */
    st = w->sorted ? partition_sort(w, err) : NRW_OK;
out:
    mem_free(w->b->m, p, bytes);
    return st;
}

/* Keys as groups look at them; both live as long as these. */
static nrw_status take_keys(part_work *w, nrw_error *err)
{
    const op_partition *o = w->o;
    uint32_t n = o->spec.n_keys;
    bool coded;

    for (uint32_t k = 0; k < n; k++)
        TRY(vector_share(&w->columns[o->key_at[k]], &w->keys[k], err));
    coded = key_groups_coded(w->keys, n) && w->keys[0].dict->values.len <= w->rows;
    if (coded)
        TRY(vector_share(&w->keys[0], &w->codes, err));
    for (uint32_t k = 0; k < n; k++) {
        vector v;
        TRY(coded ? vector_share(&w->keys[k].dict->values, &v, err)
                  : vector_flatten(&w->keys[k], w->b->m, &v, err));
        vector_release(&w->keys[k]);
        w->keys[k] = v;
    }
    w->groups = (key_groups){.m = w->b->m,
                             .most = PART_SLICE,
                             .keys = w->keys,
                             .codes = coded ? &w->codes : NULL,
                             .n_keys = n};
    return NRW_OK;
}

/* Numbers with almost as many entries as rows are laid flat here, in the order in which both came:
 * partition by partition all entries would be gone through once for each. */
static nrw_status lay_flat(part_work *w, nrw_error *err)
{
    for (uint32_t c = 0; c < w->o->n_taken; c++) {
        vector *v = &w->columns[c], flat;
        if (v->form != VECTOR_DICT || type_is_view(&v->type) ||
            2 * (uint64_t)v->dict->values.len <= w->rows)
            continue;
        TRY(vector_flatten(v, w->b->m, &flat, err));
        vector_release(v);
        *v = flat;
    }
    return NRW_OK;
}

static nrw_status write_rows(part_work *w, nrw_error *err)
{
    op_partition *o = w->o;
    nrw_status st;

    TRY(batch_take(w->b, o->taken, o->n_taken, o->spec.held, w->columns, err));
    w->rows = batch_alive(w->b);
    op_count(&o->base, w->rows, 0);
    st = take_keys(w, err);
    if (st == NRW_OK)
        st = lay_flat(w, err);
    if (st == NRW_OK)
        st = key_groups_make(&w->groups, 0, w->rows, err);
    w->whole = w->groups.rows == w->rows;
    if (st == NRW_OK)
        st = write_groups(w, err);
    key_groups_release(&w->groups);
    for (uint32_t k = 0; k < o->spec.n_keys; k++)
        vector_release(&w->keys[k]);
    vector_release(&w->codes);
    for (uint32_t c = 0; c < o->n_taken; c++)
        vector_release(&w->columns[c]);
    drop_dealt(w);
    bytes_release(&w->key);
    bytes_release(&w->folder);
    return st;
}

/* A batch without rows only lets the next morsel go on. */
static nrw_status pass_turn(op_partition *o, batch *b)
{
    if (!b->last)
        return NRW_OK;
    TRY(turn_wait(&o->turn, b->morsel));
    turn_done(&o->turn, b->morsel);
    return NRW_OK;
}

nrw_status partition_rows(op_partition *o, batch *b, nrw_error *err)
{
    size_t bytes = sizeof(part_work) + (2 * o->n_taken + o->spec.n_keys) * sizeof(vector);
    part_work *w;
    nrw_status st;

    if (!batch_alive(b))
        return pass_turn(o, b);
    TRY(mem_zalloc(b->m, bytes, (void **)&w, err));
    w->o = o;
    w->b = b;
    w->key = w->folder = bytes_init(b->m, UINT32_MAX);
    w->columns = (vector *)(w + 1);
    w->dealt = w->columns + o->n_taken;
    w->keys = w->dealt + o->n_taken;
    st = write_rows(w, err);
    mem_free(b->m, w, bytes);
    return st;
}
