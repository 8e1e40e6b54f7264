/* A batch on its way to partitions: see op_partition.c. */
#include "exec/partition_own.h"

#include "base/hash.h"
#include "exec/dense.h"
#include "exec/op_sort.h"

/* What a worker does with one batch. */
typedef struct work {
    op_partition *o;
    batch *b;
    vector *columns; /* taken */
    vector *keys;    /* flat */
    uint32_t rows;
    key_groups groups;
    uint64_t *numbers; /* a group: the batch's number in its partition */
    uint32_t *parts;   /* a group: its partition, PART_NONE: sorted, PART_KEPT: written before */
    uint32_t *kept;    /* a group: of its rows so many were */
    uint32_t *starts;  /* a group: where its rows begin in `order` */
    uint16_t *order;   /* rows by group, rising in each */
    bytes key, folder;
} work;

/* ---- partitions of groups ---- */

static nrw_status add_part(work *w, uint32_t group, uint64_t hash, uint32_t *part, nrw_error *err)
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

static nrw_status find_part(work *w, uint32_t group, bool add, nrw_error *err)
{
    op_partition *o = w->o;

    bytes_clear(&w->key);
    TRY(key_groups_bytes(&w->groups, group, &w->key, err));
    uint64_t hash = hash_bytes(w->key.data, w->key.len);
    w->parts[group] = part_table_find(&o->table, (span){w->key.data, w->key.len}, hash);
    if (add && w->parts[group] == PART_NONE && o->table.n < o->table.most)
        return add_part(w, group, hash, &w->parts[group], err);
    return NRW_OK;
}

static nrw_status find_parts(work *w, bool add, nrw_error *err)
{
    for (uint32_t g = 0; g < w->groups.n; g++)
        TRY(find_part(w, g, add, err));
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

/* The group's rows have a place in their partition's writer, but for those that were written. */
static nrw_status give_number(work *w, uint32_t group, nrw_error *err)
{
    direct_part *p = &w->o->table.at[w->parts[group]];
    uint32_t rows = w->groups.at[group].rows;

    w->kept[group] = p->kept < rows ? (uint32_t)p->kept : rows;
    p->kept -= w->kept[group];
    if (w->kept[group] == rows) {
        w->parts[group] = PART_KEPT;
        return NRW_OK;
    }
    w->numbers[group] = p->next++;
    return p->writer ? NRW_OK : open_writer(w->o, p, err);
}

/* In the operator's turn. */
static nrw_status hand_out(work *w, bool found, nrw_error *err)
{
    if (!found)
        TRY(find_parts(w, true, err));
    for (uint32_t g = 0; g < w->groups.n; g++)
        if (w->parts[g] != PART_NONE)
            TRY(give_number(w, g, err));
    return NRW_OK;
}

static nrw_status take_turn(work *w, nrw_error *err)
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

/* ---- rows of a group ---- */

static void order_rows(work *w)
{
    uint32_t at = 0;

    for (uint32_t g = 0; g < w->groups.n; g++) {
        w->starts[g] = at;
        at += w->groups.at[g].rows;
    }
    for (uint32_t i = 0; i < w->rows; i++)
        w->order[w->starts[w->groups.of_row[i]]++] = (uint16_t)i;
    for (uint32_t g = 0; g < w->groups.n; g++)
        w->starts[g] -= w->groups.at[g].rows;
}

/* Written columns of these rows, or of all (NULL), as columns of `to`. */
static nrw_status take_written(const work *w, const uint16_t *rows, uint32_t n, batch *to,
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

static nrw_status push_direct(work *w, uint32_t group, nrw_error *err)
{
    op_partition *o = w->o;
    writer *to = o->table.at[w->parts[group]].writer;
    uint32_t kept = w->kept[group], rows = w->groups.at[group].rows - kept;
    uint32_t n = o->spec.written->n_fields;
    bool all = w->groups.n == 1 && !kept;
    batch b;
    nrw_status st;

    TRY(dense_new(w->b, n, rows, &b, err));
    b.morsel = w->numbers[group];
    b.offset = 0;
    b.last = true;
    st = take_written(w, all ? NULL : w->order + w->starts[group] + kept, rows, &b, err);
    if (st == NRW_OK)
        st = to->class->push(to, &b, err);
    if (st < 0)
        err_at_object(err, o->table.at[w->parts[group]].files.folder);
    dense_free(&b, n);
    return st;
}

/* Groups in the order of their partitions, which all workers keep: numbers below are at work or
 * done, and nobody waits for who stands behind. */
static nrw_status push_directs(work *w, nrw_error *err)
{
    uint32_t n = w->o->table.most, *of_part;
    size_t bytes = n * sizeof *of_part;
    nrw_status st = NRW_OK;

    TRY(mem_alloc(w->b->m, bytes, (void **)&of_part, err));
    memset(of_part, 255, bytes);
    for (uint32_t g = 0; g < w->groups.n; g++)
        if (w->parts[g] < n)
            of_part[w->parts[g]] = g;
    for (uint32_t p = 0; st == NRW_OK && p < n; p++)
        if (of_part[p] != UINT32_MAX)
            st = push_direct(w, of_part[p], err);
    mem_free(w->b->m, of_part, bytes);
    return st;
}

/* ---- rows of all other groups ---- */

/* Folders' names of the groups that are sorted; of_group: which of them. */
static nrw_status rest_names(work *w, uint32_t n, uint32_t *of_group, uint64_t *places, dict **out,
                             nrw_error *err)
{
    const type utf8 = type_of(TYPE_UTF8);
    vector names = {0};
    buffer *heap = NULL;
    uint32_t *ends = NULL, at = 0;
    int32_t index;
    nrw_status st;

    *out = NULL;
    bytes_clear(&w->folder);
    TRY(mem_alloc(w->b->m, n * sizeof *ends, (void **)&ends, err));
    for (uint32_t g = 0; g < w->groups.n; g++) {
        if (w->parts[g] != PART_NONE)
            continue;
        TRY_OUT(key_groups_folder(&w->groups, g, w->o->spec.key_fields, &w->folder, err));
        uint32_t from = at ? ends[at - 1] : 0;
        ends[at] = (uint32_t)w->folder.len;
        places[at] = folder_order((span){w->folder.data + from, w->folder.len - from});
        of_group[g] = at++;
    }
    TRY_OUT(buffer_new(w->b->m, w->folder.len, &heap, err));
    memcpy(heap->data, w->folder.data, w->folder.len);
    heap->len = w->folder.len;
    TRY_OUT(vector_flat(w->b->m, &utf8, n, &names, err));
    names.len = n;
    TRY_OUT(vector_add_heap(&names, heap, &index, err));
    for (uint32_t i = 0; i < n; i++) {
        uint32_t from = i ? ends[i - 1] : 0;
        view v = view_make(heap->data + from, (int32_t)(ends[i] - from), index, (int32_t)from);
        memcpy(names.data + i * sizeof v, &v, sizeof v);
    }
    st = dict_new(w->b->m, &names, out, err);
out:
    vector_release(&names);
    buffer_unref(heap);
    mem_free(w->b->m, ends, n * sizeof *ends);
    return st;
}

/* For each row its folder's name and place in the order, as columns behind the written ones. */
static nrw_status put_folders(const work *w, const uint32_t *of_group, const uint64_t *places,
                              dict *names, const uint16_t *rows, uint32_t n, batch *to,
                              nrw_error *err)
{
    const type utf8 = type_of(TYPE_UTF8), word = type_of(TYPE_UINT64);
    uint32_t at = w->o->spec.written->n_fields;
    vector name, place;

    TRY(vector_dict(to->m, &utf8, names, n, &name, err));
    name.len = n;
    for (uint32_t i = 0; i < n; i++)
        store_u32(name.data + 4 * (size_t)i, of_group[w->groups.of_row[rows[i]]]);
    TRY(dense_put(to, at, &name, err));
    TRY(vector_flat(to->m, &word, n, &place, err));
    place.len = n;
    for (uint32_t i = 0; i < n; i++)
        store_u64(place.data + 8 * (size_t)i, places[of_group[w->groups.of_row[rows[i]]]]);
    return dense_put(to, at + 1, &place, err);
}

/* The rows of sorted groups. */
static nrw_status take_rest(work *w, uint32_t n_groups, uint16_t *rows, uint32_t n, batch *to,
                            nrw_error *err)
{
    size_t bytes = n_groups * sizeof(uint64_t) + w->groups.n * sizeof(uint32_t);
    uint64_t *places;
    uint32_t *of_group;
    dict *names = NULL;
    nrw_status st;
    void *p;

    TRY(mem_alloc(w->b->m, bytes, &p, err));
    places = p;
    of_group = (uint32_t *)(places + n_groups);
    TRY_OUT(rest_names(w, n_groups, of_group, places, &names, err));
    TRY_OUT(put_folders(w, of_group, places, names, rows, n, to, err));
    st = take_written(w, n < w->rows ? rows : NULL, n, to, err);
out:
    dict_unref(names);
    mem_free(w->b->m, p, bytes);
    return st;
}

static nrw_status open_sort(op_partition *o, nrw_error *err)
{
    uint32_t n = o->spec.written->n_fields;
    sort_order *order;
    type *types;

    TRY(arena_alloc(o->a, (n + 2) * sizeof *types, (void **)&types, err));
    TRY(arena_alloc(o->a, sizeof *order, (void **)&order, err));
    for (uint32_t c = 0; c < n; c++)
        types[c] = o->spec.written->fields[c].type;
    types[n] = type_of(TYPE_UTF8);
    types[n + 1] = type_of(TYPE_UINT64);
    *order = (sort_order){.column = n + 1};
    sort_spec s = {.n_columns = n + 2,
                   .types = types,
                   .n_orders = 1,
                   .orders = order,
                   .limit = UINT64_MAX,
                   .workers = o->spec.workers,
                   .memory = o->sort_memory,
                   .held = SIZE_MAX};
    return op_sort_new(o->a, o->m, &s, o->env.spill, &o->sort, err);
}

static nrw_status check_sortable(const op_partition *o, nrw_error *err)
{
    for (uint32_t c = 0; c < o->spec.written->n_fields; c++) {
        if (!type_is_nested(&o->spec.written->fields[c].type))
            continue;
        err_next(err, "give --memory more, or partition by fewer values");
        return err_set(err, NRW_E_UNSUPPORTED,
                       "more than %u partitions, and rows with nested columns cannot be sorted",
                       o->table.most);
    }
    return NRW_OK;
}

/* The sort, made when its first rows come: until then the writers have its memory, too. */
static nrw_status sort_of(op_partition *o, op **out, nrw_error *err)
{
    nrw_status st = NRW_OK;

    pthread_mutex_lock(&o->lock);
    if (!o->sort)
        st = check_sortable(o, err);
    if (!o->sort && st == NRW_OK)
        st = parquet_room_shrink(o->room, err);
    if (!o->sort && st == NRW_OK)
        st = open_sort(o, err);
    *out = o->sort;
    pthread_mutex_unlock(&o->lock);
    return st;
}

static nrw_status sort_rows(work *w, uint32_t n_groups, uint32_t n, nrw_error *err)
{
    op_partition *o = w->o;
    uint32_t columns = o->spec.written->n_fields + 2, at = 0;
    uint16_t *rows = w->order; /* not needed any more */
    batch b;
    op *sort;
    nrw_status st;

    TRY(sort_of(o, &sort, err));
    for (uint32_t i = 0; i < w->rows; i++)
        if (w->parts[w->groups.of_row[i]] == PART_NONE)
            rows[at++] = (uint16_t)i;
    TRY(dense_new(w->b, columns, n, &b, err));
    st = take_rest(w, n_groups, rows, n, &b, err);
    if (st == NRW_OK)
        st = sort->class->push(sort, &b, err);
    dense_free(&b, columns);
    return st;
}

static nrw_status push_rest(work *w, nrw_error *err)
{
    uint32_t groups = 0, rows = 0;

    for (uint32_t g = 0; g < w->groups.n; g++) {
        bool rest = w->parts[g] == PART_NONE;
        groups += rest;
        rows += rest ? w->groups.at[g].rows : 0;
    }
    return rows ? sort_rows(w, groups, rows, err) : NRW_OK;
}

/* ---- a batch ---- */

static size_t group_bytes(uint32_t n)
{
    return n * (sizeof(uint64_t) + 3 * sizeof(uint32_t));
}

static nrw_status write_groups(work *w, nrw_error *err)
{
    uint32_t n = w->groups.n;
    mem *m = w->b->m;
    nrw_status st;
    void *p;

    TRY(mem_alloc(m, group_bytes(n), &p, err));
    w->numbers = p;
    w->parts = (uint32_t *)(w->numbers + n);
    w->starts = w->parts + n;
    w->kept = w->starts + n;
    TRY_OUT(mem_alloc(m, w->rows * sizeof *w->order, (void **)&w->order, err));
    TRY_OUT(take_turn(w, err));
    order_rows(w);
    TRY_OUT(push_directs(w, err));
    st = push_rest(w, err);
out:
    mem_free(m, w->order, w->order ? w->rows * sizeof *w->order : 0);
    mem_free(m, w->numbers, group_bytes(n));
    return st;
}

static nrw_status flat_keys(work *w, nrw_error *err)
{
    const op_partition *o = w->o;

    for (uint32_t k = 0; k < o->spec.n_keys; k++)
        TRY(vector_flatten(&w->columns[o->key_at[k]], w->b->m, &w->keys[k], err));
    return NRW_OK;
}

static nrw_status write_rows(work *w, nrw_error *err)
{
    op_partition *o = w->o;
    nrw_status st;

    TRY(dense_take(w->b, o->taken, o->n_taken, o->spec.held, w->columns, err));
    w->rows = batch_alive(w->b);
    op_count(&o->base, w->rows, 0);
    st = flat_keys(w, err);
    if (st == NRW_OK)
        st = key_groups_make(&w->groups, w->keys, o->spec.n_keys, w->rows, err);
    if (st == NRW_OK)
        st = write_groups(w, err);
    key_groups_release(&w->groups);
    for (uint32_t k = 0; k < o->spec.n_keys; k++)
        vector_release(&w->keys[k]);
    for (uint32_t c = 0; c < o->n_taken; c++)
        vector_release(&w->columns[c]);
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
    size_t bytes = (o->n_taken + o->spec.n_keys) * sizeof(vector);
    work w = {.o = o, .b = b, .groups.m = b->m};
    nrw_status st;

    if (!batch_alive(b))
        return pass_turn(o, b);
    w.key = w.folder = bytes_init(b->m, UINT32_MAX);
    TRY(mem_zalloc(b->m, bytes, (void **)&w.columns, err));
    w.keys = w.columns + o->n_taken;
    st = write_rows(&w, err);
    mem_free(b->m, w.columns, bytes);
    return st;
}
